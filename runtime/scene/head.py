"""A head that hides what is behind it: the face as it was tracked, and a skull."""

from __future__ import annotations

import math

import numpy as np

from .meshes import smooth_normals
from .values import CameraValue, Instance, MeshValue

__all__ = ["FaceHider", "head_space", "skull"]

FACING = (0.08, 0.4)  # normal towards the camera at which a head begins to hide, and at which it hides whole
# an ellipsoid inside hair and helmet, in head space (metres): centre and half axes
CENTRE, AXES = (0.0, 0.022, -0.028), (0.073, 0.096, 0.088)
RINGS, SPOKES = 12, 24


def head_space(pose: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(n, 3) points of the head's space in the camera's."""
    return points @ pose[:3, :3].T + pose[:3, 3]


def skull(size: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Points (n, 3) in head space and triangles of an ellipsoid in the place of the skull."""
    down = np.linspace(0.0, math.pi, RINGS + 1)[:, None]
    round_ = np.arange(SPOKES)[None] * (2 * math.pi / SPOKES)
    unit = np.stack(np.broadcast_arrays(np.sin(down) * np.sin(round_), np.cos(down), np.sin(down) * np.cos(round_)), -1)
    points = unit.reshape(-1, 3) * AXES * size + CENTRE
    a = (np.arange(RINGS)[:, None] * SPOKES + np.arange(SPOKES)[None]).ravel()
    b = (np.arange(RINGS)[:, None] * SPOKES + (np.arange(SPOKES)[None] + 1) % SPOKES).ravel()
    triangles = np.concatenate([np.stack((a, a + SPOKES, b + SPOKES), -1), np.stack((a, b + SPOKES, b), -1)])
    return points.astype(np.float32), triangles.astype(np.int32)


class FaceHider:
    """Makes instances that hide, out of a face and its pose.

    Args:
        canonical: (468, 3) the canonical face in metres, in head space; triangles: (n, 3) of it.
    """

    def __init__(self, canonical: np.ndarray, triangles: np.ndarray):
        self._canonical, self._triangles = canonical, triangles
        self._skull: tuple[float, np.ndarray, np.ndarray] | None = None

    def __call__(self, landmarks: np.ndarray, pose: np.ndarray, camera: CameraValue, amount: float, size: float) -> tuple[Instance, ...]:
        """The face where its landmarks are seen, as far away as its pose says, and the skull; in camera space."""
        fx, fy, cx, cy = camera
        fitted = head_space(pose, self._canonical)
        far = np.maximum(-fitted[:, 2], 1e-3)
        count = len(fitted)
        face = np.stack(((landmarks[:count, 0] - cx) / fx * far, (cy - landmarks[:count, 1]) / fy * far, -far), -1)
        if self._skull is None or self._skull[0] != size:
            self._skull = (size, *skull(size))
        _, points, triangles = self._skull
        return (
            _hider(face.astype(np.float32), self._triangles, amount),
            _hider(head_space(pose, points).astype(np.float32), triangles, amount),
        )


def _hider(points: np.ndarray, triangles: np.ndarray, amount: float) -> Instance:
    """A mesh in camera space that fades where it turns away from the camera."""
    normals = smooth_normals(points, triangles)
    long = np.maximum(np.linalg.norm(points, axis=1), 1e-6)
    facing = -np.einsum("ij,ij->i", normals, points) / long
    count = len(points)
    colours = np.ones((count, 4), np.float32)
    colours[:, 3] = np.clip((facing - FACING[0]) / (FACING[1] - FACING[0]), 0.0, 1.0) * amount
    mesh = MeshValue(
        points, normals, np.zeros((count, 2), np.float32), np.zeros((count, 4), np.float32), colours, triangles,
        np.zeros(len(triangles), np.int32),
    )  # fmt: skip
    return Instance(mesh, hides=True)
