"""Blur along a way: in a direction, towards a point, around it. As a moving camera or a turning lens would."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np

from ..graph.declare import In, Out, Param, ProcessNode, inner, param, port, result, same
from ..graph.types import Image, Mask, Number, Vector2
from ..runtime.frames import Frame
from ..runtime.pixel import At, Raster, Vec, clamp, length, mix, smoothstep, vec
from .generate import CENTRE
from .geometry import buffer, scaled
from .key import small_pair, unweighed, weighed

__all__ = ["Behind", "DirectionalBlur", "SpinBlur", "ZoomBlur"]

LINES = 360  # of the picture on which it is blurred, at most
PASSES = 6  # at most: 64 places
Matrix = tuple[float, float, float, float, float, float]


class Moving(ProcessNode):
    """What they share: a half-size picture, averaged with itself along the way, at one half, a quarter, … of it in turn.

    k passes are the mean of 2ᵏ places, evenly spread, so the blur has no steps.
    """

    image: In[Image] = port(domain=True, doc="the picture")
    mask: In[Mask] = port(optional=True, default=(1.0,), doc="where; unwired: everywhere")
    soft: Out[Image] = inner(space=same("image"), doc="the blurred picture, small")
    out: Out[Image] = result(space=same("image"), doc="the picture, blurred")

    def smeared(self, image: Frame, way: float, motion: Any) -> Frame:
        """The blurred small picture; `way`: longest in small pixels; `motion(t)` the map at a share t of the way, −½ to ½."""
        lines = min(LINES, image.height)
        width = max(1, round(image.width * lines / image.height))
        shape = (lines, width, image.channels)
        small, moved, mean = (buffer(self, name, shape) for name in ("_small", "_moved", "_mean"))
        cv2.resize(image.data, (width, lines), dst=small, interpolation=cv2.INTER_AREA)
        passes = min(max(math.ceil(math.log2(max(way, 1.0))), 1), PASSES)
        share = 1.0 - 0.5**passes  # from the first place to the last
        for k in range(passes):
            self._warp(small, motion(0.5 ** (k + 1)), moved)
            cv2.addWeighted(small, 0.5, moved, 0.5, 0.0, dst=small)
        self._warp(small, motion(-0.5 * share), mean)  # last, so that no pass reads farther than the way goes
        return Frame(mean, scaled(image.geometry, width, lines), image.space)

    @staticmethod
    def _warp(picture: np.ndarray, matrix: Matrix, into: np.ndarray) -> None:
        """Read each pixel (its centre at +0.5) where the matrix takes it."""
        a, b, c, d, e, f = matrix
        about_centres = np.array([[a, b, c + 0.5 * (a + b - 1.0)], [d, e, f + 0.5 * (d + e - 1.0)]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        cv2.warpAffine(picture, about_centres, picture.shape[1::-1], dst=into, flags=flags, borderMode=cv2.BORDER_REPLICATE)


def size_of(image: Frame, tick: Any) -> tuple[float, float, float, float]:
    """The small picture's width and height, and its pixels in a frame height across and down."""
    a, _, _, _, e, _ = image.geometry.to_frame
    lines = min(LINES, image.height)
    width = max(1, round(image.width * lines / image.height))
    return width, lines, tick.height / abs(a) * width / image.width, tick.height / abs(e) * lines / image.height


def middle(image: Frame, tick: Any, centre: tuple[float, float]) -> tuple[float, float]:
    """A place given from the frame's centre, in pixels of the small picture."""
    a, _, c, _, e, f = image.geometry.to_frame
    width, lines, _, _ = size_of(image, tick)
    x, y = 0.5 * tick.width + centre[0] * tick.height, 0.5 * tick.height + centre[1] * tick.height
    return (x - c) / a * width / image.width, (y - f) / e * lines / image.height


def blended(image: Raster, soft: Raster, mask: Raster, way: Vec, at: At) -> Vec:
    """The small blurred picture where the way is longer than a pixel or two, the sharp one where it is not."""
    share = smoothstep(0.5, 3.0, way / at.pixel) * clamp(mask)
    return mix(image.here, soft.sample(at.x, at.y), share)


class DirectionalBlur(Moving, type="blur.directional"):
    """Blur in one direction, as when the camera pans: motion blur."""

    length: Param[Number] = param(0.05, low=0, high=1, step=0.002, unit="frame heights", doc="of the streaks")
    angle: Param[Number] = param(0.0, low=-180, high=180, step=1, unit="°", doc="0 level, 90 upright; clockwise")

    def process(self, image: Frame, length: float, angle: float, tick: Any) -> Frame:
        _, _, across, down = size_of(image, tick)
        x, y = length * across * math.cos(math.radians(angle)), length * down * math.sin(math.radians(angle))
        return self.smeared(image, math.hypot(x, y), lambda t: (1.0, 0.0, t * x, 0.0, 1.0, t * y))

    def pixel(self, image, mask, soft, length, at):
        return blended(image, soft, mask, length, at)


class ZoomBlur(Moving, type="blur.zoom"):
    """Blur towards a point: speed lines, a zoom during exposure. The point itself stays sharp."""

    amount: Param[Number] = param(0.2, low=0, high=1, step=0.01, doc="length of the streaks as a share of the distance to the point")
    centre: Param[Vector2] = param((0.0, 0.0), **CENTRE)

    def process(self, image: Frame, amount: float, centre: tuple[float, float], tick: Any) -> Frame:
        width, lines, _, _ = size_of(image, tick)
        x, y = middle(image, tick, centre)

        def motion(t: float) -> Matrix:
            scale = math.exp(amount * t)
            return scale, 0.0, x - scale * x, 0.0, scale, y - scale * y

        far = math.hypot(max(x, width - x), max(y, lines - y))
        return self.smeared(image, amount * far, motion)

    def pixel(self, image, mask, soft, amount, centre, at):
        far = _length(vec(at.x - 0.5 * at.aspect, at.y - 0.5) - centre)
        return blended(image, soft, mask, far * amount, at)


class SpinBlur(Moving, type="blur.spin"):
    """Blur around a point, as if the picture turned during exposure. The point itself stays sharp."""

    angle: Param[Number] = param(12.0, low=0, high=180, step=0.5, unit="°", doc="how far it turned")
    centre: Param[Vector2] = param((0.0, 0.0), **CENTRE)

    def process(self, image: Frame, angle: float, centre: tuple[float, float], tick: Any) -> Frame:
        width, lines, across, down = size_of(image, tick)
        x, y = middle(image, tick, centre)
        whole, oblong = math.radians(angle), across / down  # pixels may be a little wider than high

        def motion(t: float) -> Matrix:
            c, s = math.cos(whole * t), math.sin(whole * t)
            b, d = -s * oblong, s / oblong
            return c, b, x - c * x - b * y, d, c, y - d * x - c * y

        far = math.hypot(max(x, width - x), max(y, lines - y))
        return self.smeared(image, whole * far, motion)

    def pixel(self, image, mask, soft, angle, centre, at):
        far = _length(vec(at.x - 0.5 * at.aspect, at.y - 0.5) - centre)
        return blended(image, soft, mask, far * angle * (math.pi / 180.0), at)


_length = length  # the parameter of that name hides it in DirectionalBlur


class Behind(ProcessNode, type="blur.behind"):
    """What lies behind a person, out of focus: the blur of a wide lens, in which the person does not bleed.

    Pixels that the mask covers do not count, so no glow of hair or clothes is around the person. Each point becomes a disc, as it does
    behind an iris; `highlights` lets bright ones shine through the mean. Lay the person over it with `composite.over`.
    """

    image: In[Image] = port(domain=True, display=True, doc="the picture")
    mask: In[Mask] = port(doc="the person")
    radius: Param[Number] = param(0.03, low=0.004, high=0.12, step=0.001, unit="frame heights", doc="of the disc")
    highlights: Param[Number] = param(0.4, low=0, high=1, step=0.01, doc="how much more bright points count")
    soft: Out[Image] = inner(space=same("image"), doc="the blurred background, small")
    out: Out[Image] = result(space=same("image"), display=True, doc="the background, blurred, also where the person stands")

    _highlights, _power, _curve = -1.0, 1.0, np.zeros(256, np.float32)
    CELLS = 4.0  # of the grid in a radius: what makes a disc round

    def process(self, image: Frame, mask: Frame, radius: float, highlights: float, tick: Any) -> Frame:
        share = radius * tick.height / max(abs(image.geometry.to_frame[4]) * image.height, 1e-9)
        lines = min(max(60, round(self.CELLS / share)), LINES, image.height)
        width = max(1, round(image.width * lines / image.height))
        if highlights != self._highlights:
            self._highlights, self._power = highlights, 1.0 + 3.0 * highlights
            self._curve = ((np.arange(256) / 255.0) ** self._power).astype(np.float32)
        rgb, cover = small_pair(self, image, mask, width, lines, self._curve)
        np.multiply(cover, -2.0, out=cover)
        np.add(cover, 1.0, out=cover)
        np.maximum(cover, 0.0, out=cover)  # what is half person does not count at all
        cv2.multiply(cover, cover, dst=cover)
        given, soft, wide = weighed(self, rgb, cover), buffer(self, "_soft", (lines, width, 4)), buffer(self, "_wide", (lines, width, 4))
        cv2.filter2D(given, -1, disc(share * lines), dst=soft, borderType=cv2.BORDER_REPLICATE)
        cv2.blur(given, (2 * (lines // 5) + 1,) * 2, dst=wide, borderType=cv2.BORDER_REPLICATE)
        cv2.scaleAdd(wide, 0.05, soft, dst=soft)  # only where nothing is near does it count
        soft += 1e-4 * np.array(cv2.mean(given), np.float32)  # and then the mean of all
        unweighed(self, soft)
        np.maximum(soft, 0.0, out=soft)  # a large disc is folded by FFT, which may give a little less than 0
        cv2.pow(soft, 1.0 / self._power, dst=soft)
        return Frame(soft, scaled(image.geometry, width, lines), image.space)

    def pixel(self, image: Raster, soft: Raster, at: At) -> Vec:
        return vec(soft.sample(at.x, at.y).rgb * image.a, image.a)


def disc(radius: float) -> np.ndarray:
    """A disc's share of each pixel, summing to 1."""
    reach = math.ceil(radius)
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    made = np.clip(radius + 0.5 - np.hypot(x, y), 0.0, 1.0).astype(np.float32)
    return made / made.sum()
