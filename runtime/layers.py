"""Layers: small premultiplied pictures that lie somewhere in the frame, for what is drawn over it.

A layer covers the box of what is drawn and a transparent margin, on the frame's own pixels, or coarser where the box has more of
them than the layer's memory. A kernel that reads it sees its edge, which is transparent, everywhere outside.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .frames import Frame, Geometry

__all__ = ["Box", "Layer", "around"]

Box = tuple[float, float, float, float]  # left, top, right, bottom in frame pixels
MARGIN = 2  # of its own pixels


def around(boxes: list[Box]) -> Box | None:
    """The box of boxes."""
    if not boxes:
        return None
    left, top, right, bottom = zip(*boxes, strict=True)
    return min(left), min(top), max(right), max(bottom)


class Layer:
    """Memory for one layer, which is placed anew each frame."""

    def __init__(self, capacity: int):
        self.capacity = capacity
        self._pixels = np.zeros(4 * max(capacity, 1), np.float32)

    def empty(self, tick: Any, space: str = "frame") -> Frame:
        """Nothing, as a layer."""
        self._pixels[:4] = 0.0
        across, down = float(tick.width or 1), float(tick.height or 1)
        return Frame(self._pixels[:4].reshape(1, 1, 4), Geometry(1, 1, (across, 0.0, 0.0, 0.0, down, 0.0)), space)

    def place(self, box: Box | None, tick: Any, space: str = "frame", before: int = 0) -> tuple[Frame, int]:
        """The layer over that box, as far as it is in the frame, cleared; and its scale, frame pixels a pixel of it.

        Args:
            before: the scale of the frame before, which stays while it is not far off, so nothing flickers; 0: none.
        """
        width, height = float(tick.width or 1), float(tick.height or 1)
        if box is None or not all(map(math.isfinite, box)):
            return self.empty(tick, space), before
        left, top, right, bottom = max(box[0], 0.0), max(box[1], 0.0), min(box[2], width), min(box[3], height)
        if left >= right or top >= bottom:
            return self.empty(tick, space), before
        scale = 1
        while True:
            x, y = math.floor(left / scale) - MARGIN, math.floor(top / scale) - MARGIN
            columns = math.ceil(right / scale) + MARGIN - x
            rows = math.ceil(bottom / scale) + MARGIN - y
            room = self.capacity // 2 if scale < before else self.capacity
            if columns * rows <= room or scale > max(width, height):
                break
            scale += 1
        pixels = self._pixels[: 4 * columns * rows]
        pixels.fill(0.0)
        geometry = Geometry(columns, rows, (float(scale), 0.0, float(x * scale), 0.0, float(scale), float(y * scale)))
        return Frame(pixels.reshape(rows, columns, 4), geometry, space), scale
