"""Mask: coverage from 0 to 1. Make one from a shape or a picture, combine them, soften and move their edges."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

from ..graph.declare import In, Out, Param, PixelNode, ProcessNode, param, port, result
from ..graph.types import Choice, Colour, Image, Mask, Number, Vector2
from ..runtime.frames import Frame
from ..runtime.pixel import (
    Vec,
    absolute,
    clamp,
    cos,
    exp2,
    length,
    luma,
    maximum,
    minimum,
    power,
    select,
    sin,
    smoothstep,
    vec,
)  # fmt: skip
from ..runtime.pixel.colour import unpremultiply

__all__ = [
    "COMBINATIONS", "Apply", "ChannelMask", "ColourKey", "Combine", "Ellipse", "Feather", "Gradient", "Grow", "Invert",
    "Levels", "LumaKey", "MaskNode", "Measure", "Rectangle",
]  # fmt: skip

LOG2_E = 1.4426950408889634
GRID = (160, 90)  # columns, rows a mask is measured on
DEGREES = 0.017453292519943295


class MaskNode(PixelNode):
    """What most of them share: one mask in, one out."""

    mask: In[Mask] = port(doc="the mask")
    out: Out[Mask] = result(doc="the mask, changed; 0 to 1")


COMBINATIONS: dict[str, Callable[[Vec, Vec], Vec]] = {
    "union": maximum,
    "intersect": minimum,
    "subtract": lambda a, b: minimum(a, 1.0 - b),
    "exclude": lambda a, b: absolute(a - b),
    "soft union": lambda a, b: a + b - a * b,
    "soft intersect": lambda a, b: a * b,
    "soft subtract": lambda a, b: a * (1.0 - b),
}


class Combine(PixelNode, type="mask.combine"):
    """Two masks as one.

    Union, intersect and subtract take the larger or smaller coverage; the soft ones multiply, as if both edges were
    independent, which hides seams between feathered masks.
    """

    a: In[Mask] = port(domain=True, doc="the first mask")
    b: In[Mask] = port(doc="the second mask")
    operation: Param[Choice] = param("union", choices=tuple(COMBINATIONS), doc="subtract: the first without the second")
    out: Out[Mask] = result(doc="the combination")

    def pixel(self, a, b, operation):
        return clamp(COMBINATIONS[operation](a, b))


class Invert(MaskNode, type="mask.invert"):
    """What was outside is inside: 1 − coverage."""

    def pixel(self, mask):
        return 1.0 - mask


class Levels(MaskNode, type="mask.levels"):
    """Harden a soft mask, or clean its black and white: below `low` becomes 0, above `high` 1."""

    low: Param[Number] = param(0.1, low=0, high=1, step=0.01, doc="coverage up to this becomes 0")
    high: Param[Number] = param(0.9, low=0, high=1, step=0.01, doc="coverage from this on becomes 1")
    gamma: Param[Number] = param(1.0, low=0.1, high=5, step=0.01, doc="above 1 widens the soft edge's covered side")

    def pixel(self, mask, low, high, gamma):
        return power(clamp((mask - low) / maximum(high - low, 1e-4)), maximum(1.0 / gamma, 0.125))


class Feather(MaskNode, type="mask.feather"):
    """Soften a mask's edge by a Gaussian, and say on which side of the old edge the soft one lies."""

    radius: Param[Number] = param(0.01, low=0, high=0.1, step=0.001, unit="frame heights", doc="the Gaussian's sigma")
    shift: Param[Number] = param(0.0, low=-1, high=1, step=0.05, doc="−1 all inside the old edge, 1 all outside")

    def pixel(self, mask, radius, shift):
        return clamp(mask.gaussian(radius) * (1.0 + absolute(shift)) + minimum(shift, 0.0))


def normal_share(deviations: Vec) -> Vec:
    """The normal distribution's share below so many standard deviations, to 2·10⁻⁴ (logistic of a cubic)."""
    z = deviations
    return 1.0 / (1.0 + exp2(-LOG2_E * (1.5976 * z + 0.07056 * z * z * z)))


class Grow(MaskNode, type="mask.grow"):
    """Move a mask's edge outwards (or inwards, below 0) by a length.

    Smooth morphology: the mask is blurred by a Gaussian as wide as the way to go, and cut at the level that a straight
    edge reaches at that distance. Corners get round, holes and specks smaller than the way vanish.
    """

    amount: Param[Number] = param(0.01, low=-0.05, high=0.05, step=0.001, unit="frame heights", doc="outwards")
    softness: Param[Number] = param(0.004, low=0.001, high=0.05, step=0.001, unit="frame heights", doc="edge's width")

    def pixel(self, mask, amount, softness):
        sigma = maximum(absolute(amount), softness)
        centre = normal_share(-amount / sigma)
        slope = 0.3989 * exp2(-0.5 * LOG2_E * (amount / sigma) * (amount / sigma)) / sigma
        ramp = 0.5 * slope * softness
        return smoothstep(centre - ramp, centre + ramp, mask.gaussian(sigma))


class LumaKey(PixelNode, type="mask.luma_key"):
    """A mask of what is as bright as you say."""

    image: In[Image] = port(doc="the picture")
    low: Param[Number] = param(0.5, low=0, high=1, step=0.01, doc="brightness (Rec. 709) where the mask begins")
    high: Param[Number] = param(1.0, low=0, high=1, step=0.01, doc="and where it ends; 1 and above: it does not")
    softness: Param[Number] = param(0.1, low=0.01, high=1, step=0.01, doc="width of both edges, in brightness")
    out: Out[Mask] = result(doc="1 in the range")

    def pixel(self, image, low, high, softness):
        grey = luma(unpremultiply(image))
        above = smoothstep(low - softness, low, grey)
        below = select(high >= 1.0, 1.0, 1.0 - smoothstep(high, high + softness, grey))
        return above * below * clamp(image.a)


class ColourKey(PixelNode, type="mask.colour_key"):
    """A mask of what has a colour, whatever its brightness: a green screen, a red dress.

    The distance is taken between chromas (Rec. 709 Cb and Cr) of both at the same brightness, so that folds and shadows
    of a screen are still the screen. What is nearly black has no colour.
    """

    image: In[Image] = port(doc="the picture")
    colour: Param[Colour] = param((0.1, 0.7, 0.2, 1.0), widget="colour", doc="the colour to find")
    tolerance: Param[Number] = param(0.12, low=0, high=1, step=0.01, doc="chroma distance that is still the colour")
    softness: Param[Number] = param(0.08, low=0.01, high=1, step=0.01, doc="width of the edge, in chroma distance")
    out: Out[Mask] = result(doc="1 where the colour is; invert it to keep the rest")

    def pixel(self, image, colour, tolerance, softness):
        distance = length(chroma(full(unpremultiply(image))) - chroma(full(colour.rgb)))
        return (1.0 - smoothstep(tolerance, tolerance + softness, distance)) * clamp(image.a)


def full(rgb: Vec) -> Vec:
    """The colour at full brightness: its largest channel at 1; below 0.15 it fades to black instead."""
    return rgb / maximum(maximum(maximum(rgb.r, rgb.g), rgb.b), 0.15)


def chroma(rgb: Vec) -> Vec:
    """Rec. 709's Cb and Cr, −0.5 to 0.5."""
    grey = luma(rgb)
    return vec((rgb.b - grey) / 1.8556, (rgb.r - grey) / 1.5748)


class ChannelMask(PixelNode, type="mask.channel"):
    """One channel of a picture, or its brightness, as a mask."""

    image: In[Image] = port(doc="the picture")
    channel: Param[Choice] = param("alpha", choices=("red", "green", "blue", "alpha", "luma"), doc="which; as if opaque")
    out: Out[Mask] = result(doc="the channel, held between 0 and 1")

    def pixel(self, image, channel):
        if channel == "alpha":
            return clamp(image.a)
        rgb = unpremultiply(image)
        return clamp(luma(rgb) if channel == "luma" else rgb[("red", "green", "blue").index(channel)])


class Apply(PixelNode, type="mask.apply"):
    """Cut a picture out: what the mask does not cover becomes transparent."""

    image: In[Image] = port(domain=True, doc="the picture")
    mask: In[Mask] = port(doc="what to keep")
    out: Out[Image] = result(doc="the cut-out, premultiplied")

    def pixel(self, image, mask):
        return image * clamp(mask)


class Shape(PixelNode):
    """What the drawn shapes share. Lengths are in frame heights."""

    centre: Param[Vector2] = param(
        (0.0, 0.0), low=-2, high=2, step=0.005, unit="frame heights", doc="from the frame's centre, x right, y down"
    )
    angle: Param[Number] = param(0.0, low=-180, high=180, step=1, unit="°", doc="turned clockwise")
    softness: Param[Number] = param(
        0.02, low=0, high=1, step=0.005, unit="frame heights", doc="width of the edge, half of it outside"
    )
    out: Out[Mask] = result(doc="1 inside")


def place(at, centre: Vec, angle: Vec) -> Vec:
    """Where a pixel lies as the shape sees it: its centre at 0, its axes along x and y."""
    x, y = at.x - 0.5 * at.aspect - centre.x, at.y - 0.5 - centre.y
    c, s = cos(angle * DEGREES), sin(angle * DEGREES)
    return vec(c * x + s * y, c * y - s * x)


def filled(distance: Vec, softness: Vec, at) -> Vec:
    """Coverage by signed distance (below 0 inside); never sharper than a pixel."""
    half = 0.5 * maximum(softness, at.pixel)
    return 1.0 - smoothstep(-half, half, distance)


class Ellipse(Shape, type="mask.ellipse"):
    """An ellipse, drawn with a soft edge."""

    size: Param[Vector2] = param((0.6, 0.6), low=0.001, high=4, step=0.005, unit="frame heights", doc="width, height")

    def pixel(self, centre, angle, softness, size, at):
        half, p = maximum(size * 0.5, 1e-4), place(at, centre, angle)
        reach, steep = length(p / half), length(p / (half * half))
        # first-order distance to an implicit curve: value over gradient
        return filled(reach * (reach - 1.0) / maximum(steep, 1e-4), softness, at)


class Rectangle(Shape, type="mask.rectangle"):
    """A rectangle, with round corners if you like, drawn with a soft edge."""

    size: Param[Vector2] = param((0.8, 0.5), low=0, high=4, step=0.005, unit="frame heights", doc="width, height")
    corner: Param[Number] = param(0.0, low=0, high=1, step=0.005, unit="frame heights", doc="radius of the corners")

    def pixel(self, centre, angle, softness, size, corner, at):
        radius = minimum(corner, 0.5 * minimum(size.x, size.y))
        past = absolute(place(at, centre, angle)) - size * 0.5 + radius
        distance = length(maximum(past, 0.0)) + minimum(maximum(past.x, past.y), 0.0) - radius
        return filled(distance, softness, at)


class Gradient(PixelNode, type="mask.gradient"):
    """From 0 to 1 along a direction, over a length: a graduated filter."""

    centre: Param[Vector2] = param(
        (0.0, 0.0), low=-2, high=2, step=0.005, unit="frame heights", doc="where it is 0.5; from the frame's centre, y down"
    )
    angle: Param[Number] = param(0.0, low=-180, high=180, step=1, unit="°", doc="0 rises downwards; turned clockwise")
    length: Param[Number] = param(0.5, low=0.001, high=4, step=0.005, unit="frame heights", doc="from 0 to 1")
    out: Out[Mask] = result(doc="0 to 1")

    def pixel(self, centre, angle, length, at):
        return smoothstep(-0.5, 0.5, place(at, centre, angle).y / length)


class Measure(ProcessNode, type="mask.measure", fallback="last"):
    """How much of the picture a mask covers, and where: is anybody there, and on which side?"""

    mask: In[Mask] = port(doc="what to measure")
    amount: Out[Number] = result(doc="share of its picture, 0 to 1")
    centre: Out[Vector2] = result(doc="its middle, in frame heights from the frame's centre, y down; the centre for nothing")

    def open(self, context: Any) -> None:
        self._small = np.zeros(GRID[::-1], np.float32)
        self._columns, self._rows = (np.arange(n, dtype=np.float32) + 0.5 for n in GRID)

    def process(self, mask: Frame, tick: Any) -> tuple[float, tuple[float, float]]:
        cv2.resize(mask.data, GRID, dst=self._small, interpolation=cv2.INTER_AREA)
        total = float(self._small.sum())
        if not total > 0.0:
            return 0.0, (0.0, 0.0)
        x = float(self._small.sum(0) @ self._columns) / total * mask.width / GRID[0]
        y = float(self._small.sum(1) @ self._rows) / total * mask.height / GRID[1]
        a, b, c, d, e, f = mask.geometry.to_frame
        height = tick.height or mask.height
        middle = (tick.width or mask.width) / 2, height / 2
        centre = (a * x + b * y + c - middle[0]) / height, (d * x + e * y + f - middle[1]) / height
        return total / self._small.size, centre
