"""Where eyes look, from irises: each eyeball is a sphere that hangs in the head behind the middle of its corners.

The iris' place against the corners, in the pixels a metre of the head's pose, gives the look's x and y in the camera's space; its z
follows from the sphere's radius. Averages of grown-up eyes stand for the person's (from the centre of rotation
to the iris 10.5 mm; the centre 7 mm behind the corners' middle and 0.9 above): the direction is good to some 5°, its changes to less.
"""

from __future__ import annotations

import numpy as np

from ..values import FaceItem

__all__ = ["OPEN", "eye_openness", "gaze_of"]

# of the person's right and left eye: outer and inner corner, upper and lower lid, the iris' middle
EYES = np.array([[33, 133, 159, 145, 468], [263, 362, 386, 374, 473]])
RADIUS = 0.0105  # m
CENTRE = np.array([0.0, 0.0009, -0.007])  # m, of the eyeball from its corners' middle, in the head's space
PLACES = np.array([[-0.0315, 0.026, 0.035], [0.0315, 0.026, 0.035]])  # m, the corners' middles, in the head's space
OPEN = 0.14  # height over width from which on an eye is open enough to show where it looks


def eye_openness(landmarks: np.ndarray) -> np.ndarray:
    """Height of the person's right and left eye over its width, (2,) float32; about 0.3 open, below 0.1 shut."""
    outer, inner, upper, lower = (landmarks[EYES[:, k], :2] for k in range(4))
    width = np.maximum(np.hypot(*(outer - inner).T), np.float32(1e-6))
    return np.hypot(*(upper - lower).T) / width


def gaze_of(face: FaceItem) -> np.ndarray | None:
    """(2, 3) float32 unit vectors, the right eye's and the left eye's look in the camera's space (glTF axes).

    (0, 0, 1) looks straight out of the picture. None for a face without irises or pose.
    """
    if face.pose is None or face.camera is None or len(face.landmarks) < 478:
        return None
    fx, fy, cx, cy = face.camera
    rotation = face.pose[:3, :3].astype(np.float64)
    eyes = face.landmarks[EYES].astype(np.float64)
    middle = eyes[:, :2].mean(1)
    away = eyes[:, 4, :2] - middle[:, :2]
    distance = -(PLACES @ rotation[2] + float(face.pose[2, 3]))
    ahead = np.column_stack(((middle[:, 0] - cx) / fx, (cy - middle[:, 1]) / fy))  # slope of the ray to each eye
    seen = np.column_stack((away[:, 0] / fx, -away[:, 1] / fy)) * distance[:, None]
    # seen along its ray, the eyeball's centre, which lies deeper, is shifted a little
    centre = rotation @ CENTRE
    flat = seen - (centre[:2] + ahead * centre[2])
    # the iris comes forward by z, which shifts it along the ray as well: twice is enough
    z = RADIUS
    for _ in range(2):
        across = flat - ahead * np.reshape(z, (-1, 1))
        z = np.sqrt(np.maximum(RADIUS**2 - (across**2).sum(1), (0.15 * RADIUS) ** 2))
    looks = np.column_stack((across, z))
    looks /= np.sqrt((looks**2).sum(1))[:, None]
    return looks.astype(np.float32)
