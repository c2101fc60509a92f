"""Stylise: make a picture look printed, drawn or built of cells."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np

from ..graph.declare import In, Out, Param, PixelNode, ProcessNode, inner, param, port, result, same
from ..graph.types import Choice, Colour, Image, Integer, Number
from ..runtime.frames import Frame
from ..runtime.pixel import (
    At,
    Vec,
    absolute,
    blurred,
    clamp,
    cos,
    floor,
    length,
    luma,
    maximum,
    mix,
    select,
    sin,
    smoothstep,
    vec,
)  # fmt: skip
from ..runtime.pixel.colour import premultiply, unpremultiply
from .generate import opaque
from .geometry import buffer, scaled, shrunk
from .mask import DEGREES

__all__ = ["Dither", "Duotone", "Halftone", "Ink", "Pixelate", "Threshold"]

HEIGHTS = "frame heights"
MOST_LINES = 360  # of the small pictures on which cells are averaged


class Styled(PixelNode):
    """What the pixel nodes share."""

    image: In[Image] = port(doc="the picture")
    out: Out[Image] = result(doc="the picture, changed; alpha as it was")


# -- print


def averaged(node: Any, image: Frame, rows: float) -> Frame:
    """The picture at about so many lines, each pixel the mean of what it covers."""
    lines = min(max(2, round(rows)), MOST_LINES, image.height)
    width = max(1, round(image.width * lines / image.height))
    small = buffer(node, "_small", (lines, width, image.channels))
    shrunk(node, "_halves", image.data, small)
    return Frame(small, scaled(image.geometry, width, lines), image.space)


def rows_of(image: Frame, size: float, tick: Any) -> float:
    """How many cells of a size (frame heights) lie above one another in the picture."""
    return abs(image.geometry.to_frame[4]) * image.height / (tick.height * size)


SCREENS = (15.0, 75.0, 0.0, 45.0)  # degrees of cyan, magenta, yellow and black, as offset printing turns them
INKS = ((0.0, 0.62, 0.88), (0.9, 0.05, 0.5), (1.0, 0.9, 0.05), (0.1, 0.09, 0.1))


class Halftone(ProcessNode, type="stylise.halftone"):
    """Print the picture in dots: one ink on paper, or cyan, magenta, yellow and black at their angles.

    Dots grow with the tone until they touch, then leave holes (the Euclidean spot of printing); tones are averaged over a dot, so
    noise does not fray them. What is transparent stays so.
    """

    image: In[Image] = port(doc="the picture")
    inks: Param[Choice] = param("one", choices=("one", "four"), doc="one ink, or the printer's four")
    size: Param[Number] = param(0.014, low=0.004, high=0.2, step=0.001, unit=HEIGHTS, doc="from dot to dot")
    angle: Param[Number] = param(0.0, low=-90, high=90, step=1, unit="°", doc="turns the whole print; one ink stands at 45°")
    softness: Param[Number] = param(0.0, low=0, high=1, step=0.01, doc="of the dots' edges")
    ink: Param[Colour] = param((0.08, 0.07, 0.12, 1.0), widget="colour", doc="of the one ink")
    paper: Param[Colour] = param((0.97, 0.95, 0.9, 1.0), widget="colour", doc="what shows between the dots")
    amount: Param[Number] = param(1.0, low=0, high=1, step=0.01, doc="0 leaves the picture as it is")
    tones: Out[Image] = inner(space=same("image"), doc="how much of each ink: c, m, y, k, small")
    out: Out[Image] = result(space=same("image"), doc="the print; alpha as it was")

    def process(self, image: Frame, inks: str, size: float, tick: Any) -> Frame:
        small = averaged(self, image, rows_of(image, size, tick))
        rgb, shape = small.data[..., :3], small.data.shape[:2]
        tones, alpha, grey = buffer(self, "_tones", (*shape, 4)), buffer(self, "_alpha", shape), buffer(self, "_grey", shape)
        if image.channels == 4:
            np.maximum(small.data[..., 3], 1e-3, out=alpha)
            np.divide(rgb, alpha[..., None], out=rgb)
        np.clip(rgb, 0.0, 1.0, out=rgb)
        if inks == "one":
            np.subtract(1.0, cv2.transform(rgb, REC_709, dst=grey), out=tones[..., 3])
            tones[..., :3] = 0.0
        else:
            self._separate(rgb, tones, alpha)
        return Frame(tones, small.geometry, image.space)

    def _separate(self, rgb: np.ndarray, tones: np.ndarray, light: np.ndarray) -> None:
        """Black takes three quarters of what the three have in common, and they what then is missing."""
        np.max(rgb, axis=-1, out=light)
        np.subtract(1.0, light, out=tones[..., 3])
        tones[..., 3] *= 0.75
        np.subtract(1.0, tones[..., 3], out=light)
        np.maximum(light, 1e-3, out=light)
        np.divide(rgb, light[..., None], out=rgb)
        np.subtract(1.0, rgb, out=tones[..., :3])

    def pixel(self, image, tones, inks, size, angle, softness, ink, paper, amount, at):
        tone = tones.sample(at.x, at.y)
        if inks == "one":
            printed = mix(paper.rgb, ink.rgb, dots(tone[3], size, angle + 45.0, softness, at))
        else:
            printed = paper.rgb
            for k in range(4):
                colour = vec(*(float(v) for v in INKS[k]))
                printed = printed * mix(1.0, colour, dots(tone[k], size, angle + SCREENS[k], softness, at))
        return vec(mix(image.rgb, printed * image.a, amount), image.a)


def dots(tone: Vec, size: Vec, angle: Vec, softness: Vec, at: At) -> Vec:
    """Ink of a screen of dots, their share of the area the tone, to about 2 %."""
    x, y = at.x - 0.5 * at.aspect, at.y - 0.5
    c, s = cos(angle * DEGREES), sin(angle * DEGREES)
    turn = 2.0 * math.pi / size
    spot = 0.5 * (cos((c * x + s * y) * turn) + cos((c * y - s * x) * turn))
    half = 0.5 - clamp(tone)
    edge = maximum(softness, clamp(2.2 * at.pixel / size))  # as wide as a pixel where a dot's edge is steepest
    level = half * (1.223 + 3.301 * half * half)  # inverts the area where spot is above it, to 0.015
    ends = 16.0 * half * half * half * half  # 1 for white and black, where no soft edge may be left
    level = level + 2.0 * half * edge * ends * ends
    return smoothstep(level - edge, level + edge, spot)


REC_709 = np.array([[0.2126, 0.7152, 0.0722]], np.float32)


class Pixelate(ProcessNode, type="stylise.pixelate"):
    """Cells of one colour each, the mean of what they cover: squares, hexagons, or lamps on a black wall.

    The cells lie about the frame's middle. `gap` parts them.
    """

    image: In[Image] = port(doc="the picture")
    shape: Param[Choice] = param("square", choices=("square", "hexagon", "dot"), doc="of the cells")
    size: Param[Number] = param(0.03, low=0.006, high=0.5, step=0.001, unit=HEIGHTS, doc="from cell to cell")
    gap: Param[Number] = param(0.0, low=0, high=0.9, step=0.01, doc="between cells, as a share of their size")
    back: Param[Colour] = param((0.03, 0.03, 0.04, 1.0), widget="colour", doc="what shows in the gaps")
    amount: Param[Number] = param(1.0, low=0, high=1, step=0.01, doc="0 leaves the picture as it is")
    cells: Out[Image] = inner(space=same("image"), doc="the means, two for each cell")
    out: Out[Image] = result(space=same("image"), doc="the picture in cells")

    def process(self, image: Frame, size: float, tick: Any) -> Frame:
        return averaged(self, image, 2.0 * rows_of(image, size, tick))

    def pixel(self, image, cells, shape, size, gap, back, amount, at):
        place = vec(at.x - 0.5 * at.aspect, at.y - 0.5) / size
        centre, reach = hexagon(place) if shape == "hexagon" else square(place, shape == "dot")
        mean = cells.sample(0.5 * at.aspect + centre.x * size, 0.5 + centre.y * size)
        half = 0.7 * at.pixel / size
        inside = 1.0 - smoothstep(0.5 - half, 0.5 + half, reach + 0.5 * gap)
        if shape != "dot":  # whole cells meet without a line
            inside = select(gap > 0.0, inside, 1.0)
        return mix(image, mix(opaque(back) * mean.a, mean, inside), amount)


def square(place: Vec, round: bool) -> tuple[Vec, Vec]:
    """The middle of the square (of side 1) a place lies in, and how far from it: 0.5 at its edge (or at a disc's)."""
    centre = floor(place) + 0.5
    away = absolute(place - centre)
    return centre, length(away) if round else maximum(away.x, away.y)


def hexagon(place: Vec) -> tuple[Vec, Vec]:
    """As `square`, for hexagons 1 wide, a corner up: the nearer of two lattices of middles."""
    high = math.sqrt(3.0)
    lattices = []
    for shift in (0.0, 0.5):
        x, y = floor(place.x - shift) + 0.5 + shift, (floor(place.y / high - shift) + 0.5 + shift) * high
        lattices.append(vec(x, y))
    first, second = (place - c for c in lattices)
    nearer = (first.x * first.x + first.y * first.y) <= (second.x * second.x + second.y * second.y)
    centre = select(nearer, lattices[0], lattices[1])
    away = absolute(place - centre)
    return centre, maximum(away.x, 0.5 * away.x + 0.5 * high * away.y)


# -- ink


class Ink(Styled, type="stylise.ink"):
    """Draw along edges as with a pen: lines on the dark side of every edge, thick where it is strong.

    A difference of two Gaussians, made steep (Winnemöller's extended one). For a comic, put `smooth.guided` and
    `colour.posterise` before it.
    """

    thickness: Param[Number] = param(0.002, low=0.0005, high=0.01, step=0.0001, unit=HEIGHTS, doc="of a line")
    threshold: Param[Number] = param(0.008, low=0, high=0.5, step=0.005, doc="edges fainter than that are not drawn")
    softness: Param[Number] = param(0.03, low=0.005, high=0.5, step=0.005, doc="small: hard lines; large: pencil")
    strength: Param[Number] = param(1.0, low=0, high=1, step=0.01, doc="how dark the lines are")
    ink: Param[Colour] = param((0.05, 0.04, 0.08, 1.0), widget="colour", doc="of the lines")
    on: Param[Choice] = param("picture", choices=("picture", "paper"), doc="what is drawn on")
    paper: Param[Colour] = param((0.97, 0.95, 0.9, 1.0), widget="colour", doc="the paper's colour")

    def pixel(self, image, thickness, threshold, softness, strength, ink, on, paper):
        grey = luma(image)
        near, wide = blurred(grey, thickness), blurred(grey, thickness * 1.6)
        edge = (wide - near) / maximum(wide + 0.1 * image.a, 0.02)  # relative, so that shadows are drawn as well
        line = smoothstep(threshold, threshold + softness, edge) * strength
        ground = image.rgb if on == "picture" else paper.rgb * image.a
        return vec(mix(ground, ink.rgb * image.a, line), image.a)


class Threshold(Styled, type="stylise.threshold"):
    """Two colours and nothing between: a stencil, a photocopy."""

    level: Param[Number] = param(0.5, low=0, high=1, step=0.01, doc="brightness (Rec. 709) where one becomes the other")
    softness: Param[Number] = param(0.06, low=0.002, high=1, step=0.002, doc="width of the change")
    dark: Param[Colour] = param((0.06, 0.05, 0.1, 1.0), widget="colour", doc="below")
    light: Param[Colour] = param((0.98, 0.96, 0.92, 1.0), widget="colour", doc="above")

    def pixel(self, image, level, softness, dark, light):
        share = smoothstep(level - 0.5 * softness, level + 0.5 * softness, luma(unpremultiply(image)))
        return mix(opaque(dark), opaque(light), share) * image.a


class Duotone(Styled, type="stylise.duotone"):
    """Print in two or three inks by brightness: one for shadows, one for the middle, one for light."""

    dark: Param[Colour] = param((0.07, 0.05, 0.24, 1.0), widget="colour", doc="what black becomes")
    middle: Param[Colour] = param((0.72, 0.29, 0.45, 1.0), widget="colour", doc="what the middle becomes")
    light: Param[Colour] = param((1.0, 0.93, 0.76, 1.0), widget="colour", doc="what white becomes")
    balance: Param[Number] = param(0.5, low=0.02, high=0.98, step=0.01, doc="brightness of the middle")
    amount: Param[Number] = param(1.0, low=0, high=1, step=0.01, doc="0 leaves the picture as it is")

    def pixel(self, image, dark, middle, light, balance, amount):
        grey = clamp(luma(unpremultiply(image)))
        low, high = clamp(grey / balance), clamp((grey - balance) / (1.0 - balance))
        return mix(image, mix(mix(opaque(dark), opaque(middle), low), opaque(light), high) * image.a, amount)


class Dither(Styled, type="stylise.dither"):
    """Few colours and a pattern between them, as old computers showed: Bayer's 8 × 8 matrix.

    For large pixels, put `stylise.pixelate` of the same size before it.
    """

    steps: Param[Integer] = param(3, low=2, high=32, doc="values in each channel, black and white among them")
    size: Param[Number] = param(0.004, low=0.0005, high=0.1, step=0.0005, unit=HEIGHTS, doc="of the pattern's pixels")
    amount: Param[Number] = param(1.0, low=0, high=1, step=0.01, doc="of the pattern; 0 is plain posterising")

    def pixel(self, image, steps, size, amount, at):
        x, y = floor((at.x - 0.5 * at.aspect) / size + 0.001), floor((at.y - 0.5) / size + 0.001)
        pattern, weight = vec(0.0), 0.5
        for _ in range(3):  # of each bit of x and y: 2 · (x xor y) + y, the lowest bit counting most
            a, b = x - 2.0 * floor(0.5 * x), y - 2.0 * floor(0.5 * y)
            pattern = pattern + (absolute(a - b) * 2.0 + b) * (0.5 * weight)
            x, y, weight = floor(0.5 * x), floor(0.5 * y), 0.25 * weight
        top = steps - 1.0
        shift = (pattern - 63.0 / 128.0) * amount
        return premultiply(clamp(floor(clamp(unpremultiply(image)) * top + shift + 0.5) / top), image.a)
