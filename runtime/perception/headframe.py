"""Where a head is in the picture: the canonical face laid rigidly on the landmarks, and tracks that fade in and out.

The fit is Umeyama's ("Least-squares estimation of transformation parameters between two point patterns", 1991): rotation,
one scale and a shift, over points that expressions hardly move. It asks nothing of the camera, so it holds for any clip; the
landmarks' own z stands for depth.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .topology import FaceTopology

__all__ = ["FACE_WIDTH", "POINTS", "Head", "HeadFitter", "Shown", "faded"]

POINTS = 468
FACE_WIDTH = 15.5  # cm of the canonical face across
FADE = 0.15  # seconds in which what is attached appears and goes


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """A head in frame pixels, y up and z towards the camera here (glTF's axes, y measured from the frame's top: y = −row).

    Attributes:
        rotation: (3, 3) columns are the head's right (of the picture, for a head that faces it), up and forward.
        scale: pixels a centimetre of the canonical face.
        shift: (3,) where its origin, the middle of the head, lies.
    """

    rotation: np.ndarray
    scale: float
    shift: np.ndarray

    @property
    def width(self) -> float:
        """A face width, in pixels, turned or not."""
        return self.scale * FACE_WIDTH

    @property
    def facing(self) -> float:
        """1 towards the camera, 0 in profile, below 0 from behind."""
        return float(self.rotation[2, 2])

    def place(self, points: np.ndarray) -> np.ndarray:
        """(n, 3) in cm of the canonical face → (n, 3) in pixels."""
        return (points @ self.rotation.T) * self.scale + self.shift


class HeadFitter:
    """Fits heads to landmarks."""

    def __init__(self, topology: FaceTopology):
        positions = topology.positions.astype(np.float64)
        self.topology = topology
        self._rigid = _rigid_points(positions)
        chosen = positions[self._rigid]
        self._mean = chosen.mean(0)
        self._centred = chosen - self._mean
        self._spread = float((self._centred**2).sum())

    def fit(self, landmarks: np.ndarray) -> Head | None:
        """The head behind (≥ 468, 3) landmarks in frame pixels; None where they are not finite or fall together."""
        if len(landmarks) < POINTS or not np.isfinite(landmarks[:POINTS]).all():
            return None
        seen = landmarks[self._rigid].astype(np.float64) * (1.0, -1.0, -1.0)
        middle = seen.mean(0)
        u, sizes, vt = np.linalg.svd((seen - middle).T @ self._centred)
        mirrored = np.linalg.det(u @ vt) < 0
        signs = np.array((1.0, 1.0, -1.0 if mirrored else 1.0))
        scale = float((sizes * signs).sum()) / self._spread
        if not scale > 1e-6:
            return None
        rotation = (u * signs) @ vt
        return Head(rotation, scale, middle - scale * (rotation @ self._mean))


def _rigid_points(positions: np.ndarray) -> np.ndarray:
    """Brow to nose and the sides: not the lips, not the jaw, not eyelids."""
    x, y = positions[:, 0], positions[:, 1]
    eyes = (np.hypot((np.abs(x) - 3.2) / 2.2, (y - 2.8) / 2.0) < 1.0) | ((y > 3.6) & (y < 6.0) & (np.abs(x) > 0.9))
    return np.flatnonzero((y > -2.3) & ~eyes)


@dataclass(slots=True, eq=False)
class Shown:
    """What a node keeps of one track: its last item, and how much of it shows (0 to 1)."""

    item: Any
    amount: float


def faded(state: dict[int, Shown] | None, items: Iterable, delta: float) -> dict[int, Shown]:
    """The tracks to draw, each with the amount it shows: rising while it is there, falling after it went.

    Where no time has passed (a first frame, a seek, a still) everything that is there shows wholly.

    Args:
        state: what this gave the frame before.
    """
    step = 1.0 if delta <= 0.0 or state is None else delta / FADE
    before = state or {}
    now = {item.id: item for item in items}
    shown: dict[int, Shown] = {}
    for track in sorted(before.keys() | now.keys()):
        was = before[track].amount if track in before else 0.0
        if track in now:
            shown[track] = Shown(now[track], min(1.0, was + step))
        elif was > step:
            shown[track] = Shown(before[track].item, was - step)
    return shown
