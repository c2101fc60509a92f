"""Head pose in metres: the canonical face laid onto a face's landmarks, seen by a pinhole camera.

The head's space is the canonical face's: metres, glTF axes, origin in the middle of the head; x to the person's left, y up, z
out of the face. The camera's: x right, y up, looking along −z. A landmark's z tells how much farther than the head's
middle it lies, in the pixels of its x and y; so all points are known up to the distance of that middle, which is the
one scale of a weighted Procrustes fit (Umeyama, "Least-squares estimation of transformation parameters", 1991). Nobody's
real size is known: an adult's mean stands for it, so a child's head counts as a little farther away than it is.

That is MediaPipe's pose. Its z, guessed by a network, makes the head turn by a few degrees too much or too little, so that
what is attached slips over the face. Over time, therefore, the person's own shape is learnt from such fits, and each
frame's pose is that which lays this shape on x and y, where z counts little (Gauss and Newton, two steps).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np

from ..values import FaceItem

__all__ = ["ASSUMED_FOV", "PAST", "Camera", "HeadPose", "make_state", "pinhole", "project_points", "turn_of"]

ASSUMED_FOV = 63.0  # degrees, vertical: a phone's or laptop's camera, near enough
ROWS = 8  # faces remembered
LEARN = 3.0  # seconds over which a face's own shape is learnt
FLAT = 0.1  # of the weight of x and y: what z counts once the shape is known
STEPS = 2  # of Gauss and Newton's, from a start that is near
PAST = 14  # numbers that steadying a pose remembers
SPEED_CUTOFF = 1.5  # Hz
BETA = 40.0  # Hz for each radian a second (or each doubling of distance by e)

Camera = tuple[float, float, float, float]
"""fx, fy, cx, cy in pixels of the frame."""

# Points that the skull carries more than the expression, from MediaPipe's canonical face model (cm), with the weights of
# its Procrustes basis: the point on the person's right, the one on the left, x of the left one, y, z, weight
BASIS = (
    (4, 4, 0.0, -0.463170, 7.586580, 0.0709),
    (6, 6, 0.0, 2.473255, 5.788627, 0.0321),
    (10, 10, 0.0, 8.261778, 4.481535, 0.0084),
    (33, 263, 4.445859, 2.663991, 3.173422, 0.0587),
    (54, 284, 6.279331, 6.615427, 1.425850, 0.0077),
    (67, 297, 3.523964, 8.005976, 3.729163, 0.0091),
    (117, 346, 5.258659, 0.945811, 2.974312, 0.0098),
    (119, 348, 3.300681, 0.861641, 3.872784, 0.0146),
    (121, 350, 1.820731, 1.467954, 4.224124, 0.0186),
    (127, 356, 7.743095, 2.364999, -2.005167, 0.0052),
    (129, 358, 1.785794, -0.978284, 4.850470, 0.1206),
    (132, 361, 7.270895, -2.890917, -2.252455, 0.0056),
    (133, 362, 1.856432, 2.585245, 3.757904, 0.0533),
    (136, 365, 5.085276, -7.178590, 0.714711, 0.0669),
    (143, 372, 6.407571, 2.236021, 1.560843, 0.0148),
    (147, 376, 6.234883, -1.944430, 1.663542, 0.0143),
    (198, 420, 1.246815, 0.230297, 5.681036, 0.0255),
    (205, 425, 3.832928, -1.537326, 4.137731, 0.0473),
)


def _basis() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rows = [(index, -x if index == right else x, *rest) for right, left, x, *rest in BASIS for index in {right, left}]
    table = np.array(sorted(rows))
    weights = table[:, 4] / table[:, 4].sum()
    return table[:, 0].astype(np.intp), table[:, 1:4] / 100.0, weights


POINTS, HEAD, WEIGHTS = _basis()
COUNTS = np.concatenate((WEIGHTS, WEIGHTS, FLAT * WEIGHTS))


def pinhole(width: float, height: float, fov: float = ASSUMED_FOV, centre: tuple[float, float] = (0.0, 0.0)) -> Camera:
    """A camera of a vertical field of view in degrees, its axis so many frame heights right of and below the middle."""
    focal = 0.5 * height / math.tan(math.radians(fov) / 2)
    return focal, focal, width / 2 + centre[0] * height, height / 2 + centre[1] * height


def project_points(points: np.ndarray, pose: np.ndarray, camera: Camera) -> np.ndarray:
    """Points (n, 3) of the head's space in metres → (n, 2) frame pixels, y down."""
    fx, fy, cx, cy = camera
    seen = points @ pose[:3, :3].T + pose[:3, 3]
    far = np.maximum(-seen[:, 2:], 1e-6)
    return seen[:, :2] / far * (fx, -fy) + (cx, cy)


def turn_of(pose: np.ndarray) -> tuple[float, float, float]:
    """Yaw to the person's left, pitch up, roll to the left shoulder: degrees, all 0 for who looks along the camera's axis.

    Yaw and pitch are where the nose points; roll is left when they are undone.
    """
    right, up, ahead = pose[:3, :3].T.astype(float)
    yaw = math.atan2(ahead[0], ahead[2])
    pitch = math.asin(min(max(ahead[1], -1.0), 1.0))
    level = np.array((math.cos(yaw), 0.0, -math.sin(yaw)))  # where the person's left would be without roll
    roll = math.atan2(-float(up @ level), float(right @ level))
    return math.degrees(yaw), math.degrees(pitch), -math.degrees(roll)


def make_state() -> dict[str, np.ndarray]:
    """What is remembered of each face: track id (0 = free), HeadPose's past, and the shape of its basis."""
    return {"id": np.zeros(ROWS, np.int64), "past": np.zeros((ROWS, PAST)), "shape": np.zeros((ROWS, len(POINTS), 3))}


class HeadPose:
    """Fits poses, and steadies them over time.

    The basis lies all over the face, so its middle is known better than its turn, and its distance worst. Hence the
    middle stays where the landmarks have it; turn and distance pass a One-Euro filter (see `one_euro`), whose cutoff
    rises with their own speed.
    """

    def __init__(self) -> None:
        self._middle = WEIGHTS @ HEAD
        self._centred = HEAD - self._middle
        self._spread = float(WEIGHTS @ np.einsum("ij,ij->i", self._centred, self._centred))

    def give(
        self, faces: Sequence[FaceItem], camera: Camera, state: dict[str, np.ndarray], delta: float, smoothing: float = 0.5
    ) -> None:
        """Set `pose` and `camera` of each face, whose landmarks are pixels of the camera's frame.

        delta: seconds since the picture before. smoothing: as below. A face that was away starts anew.
        """
        ids, past, shape = state["id"], state["past"], state["shape"]
        ids[~np.isin(ids, [face.id for face in faces])] = 0
        for face in faces[:ROWS]:
            if not (rows := np.flatnonzero(ids == face.id)).size:
                rows = np.flatnonzero(ids == 0)
                ids[rows[0]], past[rows[0]], shape[rows[0]] = face.id, 0.0, 0.0
            face.camera = camera
            face.pose = self(face.landmarks, camera, past[rows[0]], delta, smoothing, shape[rows[0]])

    def __call__(
        self, landmarks: np.ndarray, camera: Camera, past: np.ndarray | None = None, delta: float = 0.0,
        smoothing: float = 0.0, shape: np.ndarray | None = None,
    ) -> np.ndarray | None:  # fmt: skip
        """(n ≥ 468, 3) landmarks in frame pixels → (4, 4) float32, head to camera; None for a degenerate face.

        Without more, MediaPipe's pose. past, shape: (PAST,) and (len(POINTS), 3) float64, what was learnt of this face, zeros
        at first; updated. delta: seconds since the landmarks before. smoothing: 0 = none, 1 = calm and late.
        """
        given = landmarks[POINTS].astype(np.float64)
        fit = self._fit(given, camera)
        if fit is None:
            return None
        rotation, middle, seen = fit
        if shape is not None:
            own = (seen - middle) @ rotation
            shape += (own - shape) * (min(delta / LEARN, 1.0) if shape.any() else 1.0)
            rotation, middle = _refined(rotation, middle, shape, given, camera)
        if past is not None:
            rotation, distance = _steady(rotation, float(-middle[2]), past, delta, smoothing)
            middle = middle * (distance / -middle[2])
        pose = np.eye(4, dtype=np.float32)
        pose[:3, :3] = rotation
        pose[:3, 3] = middle - rotation @ self._middle
        return pose

    def _fit(self, given: np.ndarray, camera: Camera) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
        """Rotation, where the basis' middle lies in the camera's space, and all of the basis there."""
        fx, fy, cx, cy = camera
        far = 1 + given[:, 2] / fx  # in distances of the head's middle
        seen = np.column_stack(((given[:, 0] - cx) / fx * far, (cy - given[:, 1]) / fy * far, -far))
        middle = WEIGHTS @ seen
        across = (seen - middle).T * WEIGHTS @ self._centred
        if not np.isfinite(across).all():
            return None
        u, stretch, v = np.linalg.svd(across)
        turned = np.array((1.0, 1.0, 1.0 if np.linalg.det(u @ v) > 0 else -1.0))
        scale = float(stretch @ turned) / self._spread
        return ((u * turned) @ v, middle / scale, seen / scale) if scale > 1e-9 and middle[2] < 0 else None


def _refined(
    rotation: np.ndarray, middle: np.ndarray, shape: np.ndarray, given: np.ndarray, camera: Camera
) -> tuple[np.ndarray, np.ndarray]:
    """The pose nearby that lays a shape (about its middle) on the landmarks, z counting FLAT of x and y.

    Errors are metres at the head: from the ray through each landmark, and in depth against the others'.
    """
    fx, fy, cx, cy = camera
    x, y, z = (given[:, 0] - cx) / fx, (cy - given[:, 1]) / fy, given[:, 2] / fx
    turns = np.zeros((3, len(shape), 6))  # how each error changes with a turn about x, y, z, and with a shift
    turns[0, :, 3] = turns[1, :, 4] = 1.0
    turns[0, :, 5], turns[1, :, 5] = x, y
    for _ in range(STEPS):
        along, up, ahead = (shape @ rotation.T).T
        depth = -(ahead + middle[2])
        turns[0, :, 0], turns[0, :, 1], turns[0, :, 2] = x * up, ahead - x * along, -up
        turns[1, :, 0], turns[1, :, 1], turns[1, :, 2] = y * up - ahead, -y * along, along
        turns[2, :, 0], turns[2, :, 1] = WEIGHTS @ up - up, along - WEIGHTS @ along
        deep = -middle[2] / (1 + WEIGHTS @ z) * z - depth
        off = np.concatenate((x * depth - along - middle[0], y * depth - up - middle[1], deep - WEIGHTS @ deep))
        slope = turns.reshape(-1, 6)
        weighed = slope.T * COUNTS
        try:
            step = np.linalg.solve(weighed @ slope, weighed @ off)
        except np.linalg.LinAlgError:  # all points on one line: as it was
            break
        rotation, middle = cv2.Rodrigues(step[:3])[0] @ rotation, middle + step[3:]
    return rotation, middle


def _steady(
    rotation: np.ndarray, distance: float, past: np.ndarray, delta: float, smoothing: float
) -> tuple[np.ndarray, float]:
    """One-Euro over the turn and the logarithm of the distance. past: rotation, log distance, four speeds."""
    last, speed = past[:9].reshape(3, 3), past[10:14]
    if not past.any() or delta <= 0 or not smoothing > 0:
        last[...], past[9], speed[...] = rotation, math.log(distance), 0.0
        return rotation, distance
    step = np.append(cv2.Rodrigues(rotation @ last.T)[0], math.log(distance) - past[9])
    speed += _blend(SPEED_CUTOFF, delta) * (step / delta - speed)
    cutoff = 4.0 * 0.06**smoothing  # 4 Hz … 0.24 Hz at rest
    turn = _blend(cutoff + BETA * float(np.linalg.norm(speed[:3])), delta)
    last[...] = cv2.Rodrigues(step[:3] * turn)[0] @ last
    past[9] += _blend(cutoff + BETA * abs(float(speed[3])), delta) * step[3]
    return last.copy(), math.exp(past[9])


def _blend(cutoff: float, delta: float) -> float:
    turn = 2 * math.pi * cutoff * delta
    return turn / (turn + 1)
