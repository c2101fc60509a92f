"""The guided filter with a colour guide (He, Sun, Tang, PAMI 2013), its coefficients computed small.

Around each place the mask is modelled as a·(r, g, b) + b. Computed at the mask's own resolution and evaluated with the
full-size picture ("fast guided filter", He and Sun, 2015), that model bends a coarse mask onto the picture's edges.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

__all__ = ["GuidedCoefficients", "loop_of"]

# which guide channels each of the six products of the covariance multiplies
PAIRS = ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))


def loop_of(context: Any, name: str) -> Callable[..., None] | None:
    """The loop, for a node that named it in `natives`; None where a test opened the node without a plan."""
    return getattr(context, "natives", {}).get(name)


class GuidedCoefficients:
    """Coefficients (height, width, 4): r, g, b, constant. Works in planes that stay; allocates nothing.

    native: the loop `guided_fit`, where there is a plan's library to take it from: the same in half the time.
    """

    def __init__(self, height: int, width: int, native: Callable[..., None] | None = None) -> None:
        self._native, self._size = native, (height, width)
        if native is not None:
            self._found, self._sums = np.zeros(4 * height * width, np.float32), np.zeros(13 * width, np.float32)
            self._rows, self._wide = np.zeros(0, np.float32), np.zeros(0, np.float32)
            return
        def planes(count: int) -> np.ndarray:
            return np.empty((count, height, width), np.float32)

        self._guide, self._product = planes(3), planes(1)[0]
        self._mean, self._cov, self._cross, self._mask = planes(3), planes(6), planes(3), planes(1)[0]
        self._inverse, self._work = planes(6), planes(2)
        self._line = planes(4)
        self._channels, self._lines = list(self._guide), list(self._line)
        self._fitted = np.empty((height, width, 4), np.float32)

    def fit(self, guide: np.ndarray, mask: np.ndarray, radius: int, epsilon: float, out: np.ndarray) -> None:
        """guide (h, w, 3) and mask (h, w), float32, 0 to 1 → out (h, w, 4).

        radius: of the window, in pixels. epsilon: the contrast (variance) below which the guide is not followed.
        """
        window = (2 * radius + 1, 2 * radius + 1)
        epsilon = epsilon if epsilon > 0 else 1e-3  # NaN, too
        if self._native is not None:
            self._run(self._native, guide, mask, radius, epsilon, out)
            return
        cv2.split(guide, self._channels)
        self._statistics(mask, window)
        self._solve(epsilon)
        cv2.merge(self._lines, dst=self._fitted)
        self._blur(self._fitted, out, window)

    def _run(self, native: Callable[..., None], guide, mask, radius: int, epsilon: float, out: np.ndarray) -> None:
        height, width = self._size
        need = 13 * (2 * radius + 1) * width
        if self._rows.size < need:
            self._rows, self._wide = np.zeros(need, np.float32), np.zeros(5 * width + 2 * radius, np.float32)
        if guide.shape != (height, width, 3) or mask.shape != (height, width) or out.shape != (height, width, 4):
            raise ValueError(f"guided filter of {height} × {width}: other sizes came in")
        for array in (guide, mask, out):
            assert array.dtype == np.float32 and array.flags.c_contiguous
        native(
            guide.ctypes.data, mask.ctypes.data, width, height, radius, epsilon, out.ctypes.data, self._rows.ctypes.data,
            self._wide.ctypes.data, self._sums.ctypes.data, self._found.ctypes.data,
        )  # fmt: skip

    def _blur(self, plane: np.ndarray, out: np.ndarray, window: tuple[int, int]) -> None:
        cv2.blur(plane, window, dst=out, borderType=cv2.BORDER_REFLECT)

    def _statistics(self, mask: np.ndarray, window: tuple[int, int]) -> None:
        """Means, covariances of the guide, and of guide and mask, over the window."""
        product = self._product
        self._blur(mask, self._mask, window)
        for c in range(3):
            self._blur(self._guide[c], self._mean[c], window)
            np.multiply(self._guide[c], mask, out=product)
            self._blur(product, self._cross[c], window)
            np.multiply(self._mean[c], self._mask, out=product)
            np.subtract(self._cross[c], product, out=self._cross[c])
        for k, (i, j) in enumerate(PAIRS):
            np.multiply(self._guide[i], self._guide[j], out=product)
            self._blur(product, self._cov[k], window)
            np.multiply(self._mean[i], self._mean[j], out=product)
            np.subtract(self._cov[k], product, out=self._cov[k])

    def _solve(self, epsilon: float) -> None:
        """a = (covariance + ε)⁻¹ · cross by the adjugate, b = mean of the mask − a · mean of the guide."""
        for k in (0, 3, 5):
            self._cov[k] += np.float32(epsilon)
        rr, rg, rb, gg, gb, bb = self._cov
        inverse, work = self._inverse, self._work
        for k, (p, q, s, t) in enumerate((
            (gg, bb, gb, gb), (rb, gb, rg, bb), (rg, gb, rb, gg), (rr, bb, rb, rb), (rb, rg, rr, gb), (rr, gg, rg, rg),
        )):  # fmt: skip
            np.multiply(p, q, out=inverse[k])
            np.multiply(s, t, out=work[0])
            np.subtract(inverse[k], work[0], out=inverse[k])
        determinant = work[1]
        self._dot((rr, rg, rb), (inverse[0], inverse[1], inverse[2]), determinant)
        np.maximum(determinant, np.float32(epsilon**3), out=determinant)
        for c, (i, j, k) in enumerate(((0, 1, 2), (1, 3, 4), (2, 4, 5))):
            self._dot((inverse[i], inverse[j], inverse[k]), self._cross, self._line[c])
            np.divide(self._line[c], determinant, out=self._line[c])
        self._dot(self._line[:3], self._mean, self._line[3])
        np.subtract(self._mask, self._line[3], out=self._line[3])

    def _dot(self, a, b, out: np.ndarray) -> None:
        np.multiply(a[0], b[0], out=out)
        for i in (1, 2):
            np.multiply(a[i], b[i], out=self._work[0])
            np.add(out, self._work[0], out=out)
