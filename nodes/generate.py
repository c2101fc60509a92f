"""Generate: pictures out of nothing. They take the size of whatever they are joined with."""

from __future__ import annotations

from ..graph.declare import Out, Param, PixelNode, param, result
from ..graph.types import Colour, Image, Integer, Number
from ..runtime.pixel import Vec, clamp, equal, floor, fract, hash21, mix, select, smoothstep, vec
from .mask import place

__all__ = ["Checker", "Fill", "Noise", "Ramp"]


def opaque(colour: Vec) -> Vec:
    """A Colour as an Image's premultiplied value."""
    return vec(colour.rgb * colour.a, colour.a)


class Fill(PixelNode, type="generate.fill"):
    """One colour everywhere."""

    colour: Param[Colour] = param((0.5, 0.5, 0.5, 1.0), widget="colour", doc="the colour, with its alpha")
    out: Out[Image] = result(doc="the colour")

    def pixel(self, colour):
        return opaque(colour)


class Ramp(PixelNode, type="generate.ramp"):
    """From one colour to another along a direction."""

    start: Param[Colour] = param((0.05, 0.06, 0.1, 1.0), widget="colour", doc="where it begins")
    end: Param[Colour] = param((0.9, 0.6, 0.4, 1.0), widget="colour", doc="where it ends")
    angle: Param[Number] = param(0.0, low=-180, high=180, step=1, unit="°", doc="0 from top to bottom; turned clockwise")
    length: Param[Number] = param(1.0, low=0.001, high=4, step=0.01, unit="frame heights", doc="about the frame's centre")
    out: Out[Image] = result(doc="the ramp")

    def pixel(self, start, end, angle, length, at):
        along = smoothstep(-0.5, 0.5, place(at, vec(0.0, 0.0), angle).y / length)
        return mix(opaque(start), opaque(end), along)


class Checker(PixelNode, type="generate.checker"):
    """A chessboard, to see transparency, scale and warps on."""

    first: Param[Colour] = param((0.35, 0.35, 0.35, 1.0), widget="colour", doc="of the top left square")
    second: Param[Colour] = param((0.6, 0.6, 0.6, 1.0), widget="colour", doc="of its neighbours")
    size: Param[Number] = param(0.1, low=0.002, high=1, step=0.005, unit="frame heights", doc="a square's side")
    out: Out[Image] = result(doc="the chessboard")

    def pixel(self, first, second, size, at):
        odd = equal(fract((floor(at.x / size) + floor(at.y / size)) * 0.5), 0.0)
        return select(odd, opaque(first), opaque(second))


def gradient_noise(x: Vec, y: Vec, seed: Vec) -> Vec:
    """About −0.9 to 0.9: 0 at whole places, with a slope of its own at each, joined smoothly."""
    i, j = floor(x), floor(y)
    s, t = x - i, y - j

    def corner(a: float, b: float) -> Vec:
        across = hash21(i + a, j + b, seed) * 2.0 - 1.0
        down = hash21(i + a, j + b, seed + 1.0) * 2.0 - 1.0
        return across * (s - a) + down * (t - b)

    u, v = (f * f * f * (f * (f * 6.0 - 15.0) + 10.0) for f in (s, t))
    return mix(mix(corner(0.0, 0.0), corner(1.0, 0.0), u), mix(corner(0.0, 1.0), corner(1.0, 1.0), u), v)


class Noise(PixelNode, type="generate.noise"):
    """Soft clouds of grey: Perlin's gradient noise (2002) in four octaves, drifting with time."""

    size: Param[Number] = param(0.3, low=0.005, high=4, step=0.005, unit="frame heights", doc="of the largest clouds")
    roughness: Param[Number] = param(0.5, low=0, high=1, step=0.01, doc="how much each finer octave counts")
    drift: Param[Number] = param(0.1, low=-4, high=4, step=0.01, unit="frame heights/s", doc="speed, to the left")
    seed: Param[Integer] = param(0, low=0, high=999, doc="another number, other clouds")
    out: Out[Image] = result(doc="grey from 0 to 1, opaque")

    def pixel(self, size, roughness, drift, seed, at):
        x, y = (at.x + drift * at.time) / size, at.y / size
        total, weight, whole = vec(0.0), vec(1.0), vec(0.0)
        for octave in range(4):
            total = total + weight * gradient_noise(x, y, seed * 8.0 + 2.0 * octave)
            whole, weight = whole + weight, weight * roughness
            x, y = 1.6 * x - 1.2 * y + 0.37, 1.2 * x + 1.6 * y + 0.71  # twice as fine, and turned off the lattice
        grey = clamp(0.5 + 0.75 * total / whole)
        return vec(grey, grey, grey, 1.0)
