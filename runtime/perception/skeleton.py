"""Drawn skeletons: tapered bones with round ends, as a small premultiplied layer that lies in the frame."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np

from ..frames import Frame, Geometry

__all__ = ["Bone", "SkeletonLayer"]

CAPACITY = 1 << 19  # pixels of a layer at most
TALLEST = 540  # rows of a whole frame's layer: more is drawn coarser
MARGIN = 4  # transparent pixels around, so that outside is empty
FINE = 4  # bits of a pixel that OpenCV draws between pixels

Bone = tuple[float, float, float, float, float, float, tuple[float, ...]]
"""x, y, radius at one end and at the other (frame pixels), r, g, b, a (0–255, premultiplied)."""


class SkeletonLayer:
    """Draws bones into memory of its own: (h, w, 4) float32, 0 to 1."""

    def __init__(self) -> None:
        self._bytes = np.zeros(CAPACITY * 4, np.uint8)
        self._floats = np.zeros(CAPACITY * 4, np.float32)

    def draw(self, bones: Sequence[Bone], width: int, height: int, space: str = "frame") -> Frame:
        """A layer just around the bones, or one empty pixel where none is in the frame (width × height pixels)."""
        geometry = _around(bones, width, height)
        if geometry is None:
            geometry, bones = Geometry(1, 1), ()
        size = geometry.width * geometry.height * 4
        shape = (geometry.height, geometry.width, 4)
        pixels, out = self._bytes[:size].reshape(shape), self._floats[:size].reshape(shape)
        pixels.fill(0)
        scale, _, left, _, _, top = geometry.to_frame
        for x0, y0, r0, x1, y1, r1, colour in bones:
            _draw(
                pixels, ((x0 - left) / scale, (y0 - top) / scale), r0 / scale, ((x1 - left) / scale, (y1 - top) / scale),
                r1 / scale, colour,
            )  # fmt: skip
        np.multiply(pixels, np.float32(1 / 255), out=out)
        return Frame(out, geometry, space)


def _around(bones: Sequence[Bone], width: int, height: int) -> Geometry | None:
    """A crop of the frame on a grid that holds still; None where nothing is seen."""
    if not bones:
        return None
    scale = float(max(1, math.ceil(height / TALLEST)))
    reach = MARGIN * scale
    left = max(min(min(b[0] - b[2], b[3] - b[5]) for b in bones), 0.0) // scale * scale - reach
    top = max(min(min(b[1] - b[2], b[4] - b[5]) for b in bones), 0.0) // scale * scale - reach
    right = min(max(max(b[0] + b[2], b[3] + b[5]) for b in bones), float(width)) + reach
    bottom = min(max(max(b[1] + b[2], b[4] + b[5]) for b in bones), float(height)) + reach
    if right - left <= 2 * reach or bottom - top <= 2 * reach:
        return None
    while math.ceil((right - left) / scale) * math.ceil((bottom - top) / scale) > CAPACITY:
        scale *= 2
    return Geometry(math.ceil((right - left) / scale), math.ceil((bottom - top) / scale), (scale, 0.0, left, 0.0, scale, top))


def _draw(pixels: np.ndarray, a: tuple[float, float], ra: float, b: tuple[float, float], rb: float, colour) -> None:
    """The convex hull of two discs; smooth edges."""
    way = math.hypot(b[0] - a[0], b[1] - a[1])
    along = math.atan2(b[1] - a[1], b[0] - a[0])
    lean = math.acos(min(max((ra - rb) / way, -1.0), 1.0)) if way > abs(ra - rb) + 1e-6 else None
    if lean is None:
        outline = _arc(*((a, ra) if ra >= rb else (b, rb)), 0.0, 2 * math.pi)
    else:
        outline = _arc(a, ra, along + lean, along + 2 * math.pi - lean) + _arc(b, rb, along - lean, along + lean)
    # OpenCV's pixels have whole numbers at their centres
    points = np.round((np.array(outline) - 0.5) * (1 << FINE)).astype(np.int32)
    cv2.fillConvexPoly(pixels, points, colour, cv2.LINE_AA, FINE)


def _arc(centre: tuple[float, float], radius: float, start: float, end: float) -> list[tuple[float, float]]:
    steps = max(3, min(16, math.ceil(1.5 * math.sqrt(max(radius, 0.0)) * (end - start))))
    angles = (start + (end - start) * i / steps for i in range(steps + 1))
    return [(centre[0] + radius * math.cos(t), centre[1] + radius * math.sin(t)) for t in angles]
