"""Carrying a small raster that is late to the picture of now, by the motion between its picture and this one."""

from __future__ import annotations

import cv2
import numpy as np

__all__ = ["Carrier"]


class Carrier:
    """Motion between small pictures of one size, and rasters moved by it. Buffers stay.

    Dense inverse search (Kroeger, Timofte, Dai, Van Gool, ECCV 2016) from now to then says where each place comes
    from. Where the two pictures are the same, nothing moves, to the bit.
    """

    def __init__(self, height: int, width: int) -> None:
        self._search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
        self._flow = np.zeros((height, width, 2), np.float32)
        y, x = np.mgrid[:height, :width].astype(np.float32)
        self._x, self._y = x, y
        self._from_x, self._from_y = np.empty_like(x), np.empty_like(y)
        self.still = True

    def look(self, then: np.ndarray, now: np.ndarray) -> None:
        """Find the motion between two grey pictures (h, w) uint8; both at least 16 pixels on a side."""
        self.still = bool(np.array_equal(then, now))
        if not self.still:
            self._flow = self._search.calc(now, then, self._flow)
            np.add(self._x, self._flow[..., 0], out=self._from_x)
            np.add(self._y, self._flow[..., 1], out=self._from_y)

    def move(self, raster: np.ndarray, out: np.ndarray) -> None:
        """`raster` of then as it lies now: (h, w) or (h, w, c ≤ 4) float32 or uint8."""
        if self.still:
            np.copyto(out, raster)
            return
        cv2.remap(raster, self._from_x, self._from_y, cv2.INTER_LINEAR, dst=out, borderMode=cv2.BORDER_REPLICATE)
