"""Smooth: even out what is nearly the same, and keep edges. For skin, skies, noise, and for painterly looks."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np

from ..graph.declare import In, Out, Param, PixelNode, ProcessNode, inner, param, port, result, same
from ..graph.types import Image, Mask, Number
from ..runtime.frames import Frame
from ..runtime.perception.shrink import Shrinker
from ..runtime.pixel import clamp, dot, maximum, mix, vec
from .geometry import buffer, scaled

__all__ = ["Bilateral", "Guided"]

GRIDS = (90, 120, 180, 240, 360)  # lines of the small picture
CELLS = 4.0  # of the grid in a radius, at least: what makes a coarse grid as good as a fine one


class Guided(ProcessNode, type="smooth.guided"):
    """Even out a surface and keep its edges, and its fine texture if you like: the guided filter.

    Within `radius` each place is a share of the picture and a share of its surroundings' mean: all picture where contrast is
    above `contrast`, all mean where it is below. The channels take the same share, so no colours fringe. That is
    found on a small picture (90 to 360 lines, the wider the coarser) and applied at full size.

    `texture` gives back what is finer than a fifth of the radius (pores, weave), so that skin is evened and still skin.
    (He, Sun and Tang, 2013; He and Sun, 2015.)
    """

    image: In[Image] = port(domain=True, display=True, doc="the picture")
    mask: In[Mask] = port(optional=True, default=(1.0,), doc="where to smooth; unwired: everywhere")
    radius: Param[Number] = param(0.02, low=0.004, high=0.1, step=0.001, unit="frame heights", doc="how far around")
    contrast: Param[Number] = param(0.07, low=0.005, high=0.5, step=0.005, doc="brightness steps above it stay; 1 is white")
    texture: Param[Number] = param(0.0, low=0, high=1, step=0.01, doc="of the finest detail, kept where it is smoothed")
    amount: Param[Number] = param(1.0, low=0, high=1, step=0.01, doc="0 leaves the picture as it is")
    model: Out[Image] = inner(space=same("image"), doc="r, g, b: the mean's part; alpha: the picture's share")
    out: Out[Image] = result(space=same("image"), display=True, doc="the picture, smoothed; alpha as it was")

    def open(self, context: Any) -> None:
        self._shrink = Shrinker()

    def process(self, image: Frame, radius: float, contrast: float, texture: float, tick: Any) -> Frame:
        share = radius * tick.height / max(abs(image.geometry.to_frame[4]) * image.height, 1e-9)  # of the picture's height
        lines = min(next((g for g in GRIDS if share * g >= CELLS), GRIDS[-1]), image.height)
        width = max(1, round(image.width * lines / image.height))
        cells = max(share * lines, 1.0)
        small = buffer(self, "_small", (lines, width, 3))
        pixels = self._pixels(lines, width)
        self._shrink.into(image.data, pixels)
        np.multiply(pixels, np.float32(1 / 255), out=small)
        fitted = self._fit(small, round(cells), 0.25 * contrast * contrast)
        if texture > 0:
            self._textured(fitted, small, 0.2 * cells, texture)
        return Frame(fitted, scaled(image.geometry, width, lines), image.space)

    def _pixels(self, lines: int, width: int) -> np.ndarray:
        held = self.__dict__.get("_bytes")
        if held is None or held.shape[:2] != (lines, width):
            held = self._bytes = np.zeros((lines, width, 3), np.uint8)
        return held

    def _fit(self, small: np.ndarray, radius: int, epsilon: float) -> np.ndarray:
        """Mean's part (h, w, 0:3) and the picture's share (h, w, 3): variance over variance + ε, both averaged again."""
        shape, window = small.shape, (2 * radius + 1, 2 * radius + 1)
        mean, square, fit = (buffer(self, n, shape) for n in ("_mean", "_square", "_part"))
        share, rest = buffer(self, "_share", shape[:2]), buffer(self, "_rest", shape[:2])
        both, model = buffer(self, "_both", (*shape[:2], 4)), buffer(self, "_model", (*shape[:2], 4))
        cv2.blur(small, window, dst=mean, borderType=cv2.BORDER_REFLECT)
        np.multiply(small, small, out=square)
        cv2.blur(square, window, dst=square, borderType=cv2.BORDER_REFLECT)
        np.multiply(mean, mean, out=fit)
        np.subtract(square, fit, out=square)
        cv2.transform(square, THIRDS, dst=share)
        np.maximum(share, 0.0, out=share)
        np.add(share, epsilon, out=rest)
        np.divide(share, rest, out=share)
        np.subtract(1.0, share, out=rest)
        np.multiply(mean, rest[..., None], out=both[..., :3])
        both[..., 3] = share
        cv2.blur(both, window, dst=model, borderType=cv2.BORDER_REFLECT)
        return model

    def _textured(self, model: np.ndarray, small: np.ndarray, sigma: float, texture: float) -> None:
        """Add the share t·(1 − share) of picture minus its Gaussian blur; that is linear too, so it fits in the same four."""
        low, rest = buffer(self, "_low", small.shape), buffer(self, "_rest", small.shape[:2])
        cv2.GaussianBlur(small, (0, 0), max(sigma, 0.3), dst=low, borderType=cv2.BORDER_REPLICATE)
        np.subtract(1.0, model[..., 3], out=rest)
        np.multiply(rest, texture, out=rest)
        np.multiply(low, rest[..., None], out=low)
        model[..., :3] -= low
        model[..., 3] += rest

    def pixel(self, image, model, mask, amount, at):
        fit = model.sample(at.x, at.y)
        even = clamp(image.rgb * fit.a + fit.rgb, 0.0, image.a)
        return vec(mix(image.rgb, even, clamp(mask) * amount), image.a)


THIRDS = np.full((1, 3), 1 / 3, np.float32)


class Bilateral(PixelNode, type="smooth.bilateral"):
    """Take noise away and keep edges: each pixel becomes the mean of those near it that are like it.

    It looks at the twelve pixels nearest, whatever their size. How much a neighbour counts falls with its distance (a Gaussian) and with its
    difference in colour (Tukey's biweight: from `contrast` on not at all). For wide smoothing take `smooth.guided`.
    """

    image: In[Image] = port(doc="the picture")
    contrast: Param[Number] = param(0.12, low=0.005, high=1, step=0.005, doc="colour steps above it stay; 1 is white")
    amount: Param[Number] = param(1.0, low=0, high=1, step=0.01, doc="0 leaves the picture as it is")
    out: Out[Image] = result(doc="the picture without noise; alpha as it was")

    def pixel(self, image, contrast, amount):
        centre, tight = image.rgb, 1.0 / (contrast * contrast)
        total, whole = centre, vec(1.0)
        for i, j in ((i, j) for i in range(-2, 3) for j in range(-2, 3) if 0 < abs(i) + abs(j) <= 2):
            other = image.near(i, j).rgb
            away = other - centre
            like = maximum(1.0 - dot(away, away) * tight, 0.0)
            weight = like * like * NEARNESS[i * i + j * j]
            total, whole = total + other * weight, whole + weight
        return vec(mix(centre, total / whole, amount), image.a)


NEARNESS = {square: math.exp(-square / (2.0 * 1.5**2)) for square in (1, 2, 4)}  # by squared distance, sigma 1.5 pixels
