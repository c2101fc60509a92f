"""Make a picture smaller without aliasing, in buffers that stay."""

from __future__ import annotations

import math
from collections.abc import Callable

import cv2
import numpy as np

__all__ = ["Shrinker"]

MOST = 16  # times that sums of uint8 are sure to fit into 16 bits


class Shrinker:
    """Halves a picture while it is more than twice too large, then resamples bilinearly.

    OpenCV halves uint8 with SIMD; its general area filter takes 3–8 times as long as this chain, and plain
    bilinear sampling skips pixels (text and hair flicker in what the model sees).

    native: the loop `box_shrink`, where there is a plan's library to take it from: where a whole number divides both
    sides, it takes the means of so many pixels each way at once.
    """

    def __init__(self, native: Callable[..., None] | None = None) -> None:
        self._native, self._sums, self._small = native, np.empty(0, np.uint16), np.empty(0, np.uint8)
        self._halves: list[np.ndarray] = []
        self._frame = (0, 0)

    def halved(self, image: np.ndarray, times: int) -> np.ndarray:
        """`image` halved so often, odd sizes rounded up; a view of a buffer that the next call rewrites."""
        for level in range(times):
            height, width = (image.shape[0] + 1) // 2, (image.shape[1] + 1) // 2
            buffer = self._buffer(level, height, width)
            image = cv2.resize(image, (width, height), dst=buffer, interpolation=cv2.INTER_AREA)
        return image

    def rgba(self, image: np.ndarray, times: int) -> np.ndarray:
        """As `halved`, with a fourth channel; never the picture's own memory."""
        image = self.halved(image, times)
        height, width = image.shape[:2]
        return cv2.cvtColor(image, cv2.COLOR_RGB2RGBA, dst=self._buffer(times, height, width, 4))

    def prepare(self, height: int, width: int) -> None:
        """Make room for any part of pictures of that size, so that later calls allocate nothing of note.

        Untouched room costs addresses, no memory.
        """
        if self._frame != (height, width):
            self._frame = height, width
            for level in range(3):
                self._buffer(level, (height >> level) + 1, (width >> level) + 1, 4)

    def into(self, image: np.ndarray, out: np.ndarray) -> None:
        """Fill `out` (h, w, 3) with all of `image`, stretched where the aspects differ."""
        height, width = out.shape[:2]
        ratio = min(image.shape[0] / height, image.shape[1] / width)
        if self._native is not None and ratio >= 2:
            image = self._boxed(self._native, image, int(min(ratio, MOST)))
            ratio = min(image.shape[0] / height, image.shape[1] / width)
        if image.shape == out.shape:
            np.copyto(out, image)
            return
        times = max(0, int(np.floor(np.log2(ratio)))) if ratio >= 2 else 0
        cv2.resize(self.halved(image, times), (width, height), dst=out, interpolation=cv2.INTER_LINEAR)

    def _boxed(self, native: Callable[..., None], image: np.ndarray, most: int) -> np.ndarray:
        """`image` so many times smaller as divides its sides, at most `most`."""
        height, width, channels = image.shape
        sides = math.gcd(height, width)
        times = next(n for n in range(most, 0, -1) if sides % n == 0)
        if times < 2 or image.dtype != np.uint8 or not image.flags.c_contiguous:
            return image
        if self._sums.size < 3 * width * channels:
            self._sums = np.empty(3 * width * channels, np.uint16)
        shape = height // times, width // times, channels
        if self._small.shape != shape:
            self._small = np.empty(shape, np.uint8)
        small = self._small
        native(image.ctypes.data, width, height, channels, times, small.ctypes.data, self._sums.ctypes.data)
        return small

    def _buffer(self, level: int, height: int, width: int, channels: int = 3) -> np.ndarray:
        """A view of the level's buffer, which only grows."""
        while len(self._halves) <= level:
            self._halves.append(np.empty(0, np.uint8))
        need = height * width * channels
        if self._halves[level].size < need:
            self._halves[level] = np.empty(need, np.uint8)
        return self._halves[level][:need].reshape(height, width, channels)
