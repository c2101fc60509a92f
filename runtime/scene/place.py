"""Where things stand: rotations, similarity transforms of scenes, and the camera that is assumed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from .values import Instance, SceneValue

__all__ = ["placed", "rotation", "transform"]


def rotation(degrees: Sequence[float]) -> np.ndarray:
    """(3, 3): turned about x (nod), y (shake) and z (tilt), by degrees; z first, then x, then y."""
    (cx, sx), (cy, sy), (cz, sz) = ((math.cos(a), math.sin(a)) for a in map(math.radians, degrees))
    about_x = np.array(((1, 0, 0), (0, cx, -sx), (0, sx, cx)))
    about_y = np.array(((cy, 0, sy), (0, 1, 0), (-sy, 0, cy)))
    about_z = np.array(((cz, -sz, 0), (sz, cz, 0), (0, 0, 1)))
    return about_y @ about_x @ about_z


def transform(translate: Sequence[float], degrees: Sequence[float], scale: float) -> np.ndarray:
    """(4, 4) float32: scaled, then turned, then moved."""
    made = np.eye(4)
    made[:3, :3] = rotation(degrees) * scale
    made[:3, 3] = translate
    return made.astype(np.float32)


def placed(scene: SceneValue, matrix: np.ndarray) -> tuple[Instance, ...]:
    """The scene, moved as a whole."""
    return tuple(replace(i, matrix=np.ascontiguousarray(matrix @ i.matrix, np.float32)) for i in scene)
