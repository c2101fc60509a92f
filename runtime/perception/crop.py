"""Stabilised crops of faces, and how what was made of one is laid on the face as it is now.

A crop follows the head's place, size and roll, fitted to points that expressions hardly move: so a still head gives a
still crop whatever the mouth does. Where its landmarks lie in the crop goes with it; a result that comes late is drawn as a
texture of the mesh, from those places to where the landmarks are now. It may be stale in expression, not in place.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from .headframe import POINTS, Head, HeadFitter
from .roi import Cropper, Roi
from .topology import FaceTopology, neighbours

__all__ = ["OUTLINE", "RINGS", "FaceCutter", "WideMesh", "apart", "crop_places", "face_roi"]

MIDDLE = np.array([[0.0, 1.2, 3.0]])  # of a crop, in cm of the canonical face: between the eyes, and a little up for hair
RINGS = (1.0 / 3.0, 2.0 / 3.0, 1.0)  # beyond the outline, as shares of the reach

OUTLINE = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150,
    136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip


def face_roi(fitter: HeadFitter, landmarks: np.ndarray, margin: float) -> Roi | None:
    """The square around a head, `margin` face widths wide, upright in it; None where no head can be fitted."""
    head = fitter.fit(landmarks)
    if head is None or head.width < 4:
        return None
    x, y = head.place(MIDDLE)[0, :2]
    up = head.rotation[:2, 1]
    return Roi(float(x), float(-y), head.width * margin, math.atan2(float(up[0]), float(up[1])))


def apart(one: Head, other: Head) -> float:
    """By how many degrees two heads are turned apart out of the picture's plane; their roll counts for nothing."""
    turns = []
    for head in (one, other):
        up, ahead = head.rotation[:, 1], head.rotation[:, 2]
        roll = math.atan2(float(up[0]), float(up[1]))
        c, s = math.cos(roll), math.sin(roll)
        turns.append((ahead[0] * c - ahead[1] * s, ahead[0] * s + ahead[1] * c))
    (a, b), (c, d) = np.arcsin(np.clip(turns, -1, 1)).tolist()
    return math.degrees(math.hypot(a - c, b - d))


def crop_places(points: np.ndarray, roi: Roi, side: int) -> np.ndarray:
    """(n, 3) frame pixels → (n, 3) float32 pixels of a crop of `side` pixels (centres at +0.5); z by scale."""
    scale = side / roi.size
    c, s = math.cos(roi.angle) * scale, math.sin(roi.angle) * scale
    x, y = points[:, 0] - roi.x, points[:, 1] - roi.y
    out = np.empty((len(points), 3), np.float32)
    out[:, 0] = x * c + y * s + side / 2
    out[:, 1] = y * c - x * s + side / 2
    out[:, 2] = points[:, 2] * scale
    return out


class FaceCutter(Cropper):
    """Cuts squares out of pictures as uint8 RGB of `side` pixels."""

    def __init__(self, side: int) -> None:
        super().__init__(np.empty((1, side, side, 3), np.float32))

    def cut(self, image: np.ndarray, roi: Roi, into: np.ndarray) -> None:
        """Fill `into` (side, side, 3) from a uint8 RGB picture; beyond the picture its border is repeated."""
        side = self.side
        times = max(0, math.floor(math.log2(max(roi.size / side, 1e-6) / 1.5)))
        part, here = self._part(image, roi._replace(x=roi.x - 0.5, y=roi.y - 0.5), times)  # to pixel numbers
        scale = here.size / side
        c, s = math.cos(here.angle) * scale, math.sin(here.angle) * scale
        off = 0.5 - side / 2
        self._matrix[0] = c, -s, here.x + (c - s) * off
        self._matrix[1] = s, c, here.y + (s + c) * off
        cv2.warpAffine(
            part, self._matrix, (side, side), dst=self._four,
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE,
        )  # fmt: skip
        cv2.cvtColor(self._four, cv2.COLOR_RGBA2RGB, dst=into)


class WideMesh:
    """The face mesh with rings around it, so that what is pasted may reach over hair, ears and chin, and fade there.

    Attributes:
        triangles, beyond: as of a FaceTopology, of all points.
        count: of points: the mesh's, then the rings', from the inside out.
        fade: (count,) float32, made by `reach`: coverage before its smooth step.
    """

    def __init__(self, topology: FaceTopology) -> None:
        n = len(OUTLINE)
        self._inset = topology.inset
        self.count = POINTS + n * len(RINGS)
        rings = [np.array(OUTLINE), *(POINTS + n * k + np.arange(n) for k in range(len(RINGS)))]
        strips = [row for inner, outer in zip(rings, rings[1:], strict=False) for row in _strip(inner, outer)]
        self.triangles = np.ascontiguousarray(np.vstack((topology.triangles, np.array(strips))), np.int32)
        self.beyond = neighbours(self.triangles)
        self.fade = np.ones(self.count, np.float32)
        self._outline = np.array(OUTLINE)

    def reach(self, reach: float, feather: float) -> None:
        """How far the rings reach (face widths), and how far inside their end they begin to fade."""
        n = len(OUTLINE)
        span = max(float(feather), 1e-3)
        way = np.empty(self.count, np.float32)
        way[:POINTS] = self._inset + reach
        for k, share in enumerate(RINGS):
            way[POINTS + n * k : POINTS + n * (k + 1)] = reach * (1 - share)
        np.divide(way, span, out=self.fade)

    def points(self, landmarks: np.ndarray, reach: float, into: np.ndarray) -> None:
        """The landmarks and the rings around them, (count, 3); rings lie away from the face's middle."""
        n = len(OUTLINE)
        into[:POINTS] = landmarks[:POINTS]
        rim = into[self._outline]
        middle = rim.mean(0)
        across = float(np.linalg.norm(rim[:, :2] - middle[:2], axis=1).mean()) * 2
        away = rim - middle
        away *= (reach * across / np.maximum(np.linalg.norm(away[:, :2], axis=1), 1e-6))[:, None]
        away[:, 2] = 0.0
        for k, share in enumerate(RINGS):
            into[POINTS + n * k : POINTS + n * (k + 1)] = rim + away * share


def _strip(inner: np.ndarray, outer: np.ndarray) -> list[tuple[int, int, int]]:
    """Triangles between two closed rings in clockwise order as seen, counter-clockwise corners (y up)."""
    n = len(inner)
    made = []
    for k in range(n):
        a, b = int(inner[k]), int(inner[(k + 1) % n])
        c, d = int(outer[k]), int(outer[(k + 1) % n])
        made += [(a, b, d), (a, d, c)]
    return made
