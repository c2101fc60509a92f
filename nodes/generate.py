"""Generate: pictures out of nothing. They take the size of whatever they are joined with."""

from __future__ import annotations

import math

from ..graph.declare import Out, Param, PixelNode, param, result
from ..graph.types import Choice, Colour, Image, Integer, Number, Vector2, Vector4
from ..runtime.pixel import (
    Vec,
    absolute,
    atan2,
    clamp,
    cos,
    equal,
    floor,
    fract,
    hash21,
    length,
    maximum,
    mix,
    select,
    sin,
    smoothstep,
    vec,
)  # fmt: skip
from .mask import place

__all__ = ["Checker", "Fill", "FractalNoise", "Gradient", "Noise", "Ramp", "Stripes"]


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


CENTRE = {"low": -2, "high": 2, "step": 0.005, "unit": "frame heights", "doc": "from the frame's centre, x right, y down"}


class Gradient(PixelNode, type="generate.gradient"):
    """Up to four colours along a line, around a point outwards, or around it in a circle.

    The colours lie at `stops`, in rising order; give two the same place for a hard edge, or put a stop beyond 1 to leave its colour
    out. Beyond the ends, `repeat` begins anew and `mirror` goes back. A grain finer than 8 bits keeps it from banding.
    """

    kind: Param[Choice] = param("linear", choices=("linear", "radial", "conic"), doc="along a line, outwards, or around")
    first: Param[Colour] = param((0.09, 0.07, 0.24, 1.0), widget="colour", doc="at the first stop, and before")
    second: Param[Colour] = param((0.49, 0.18, 0.45, 1.0), widget="colour", doc="at the second stop")
    third: Param[Colour] = param((0.93, 0.44, 0.38, 1.0), widget="colour", doc="at the third stop")
    fourth: Param[Colour] = param((1.0, 0.82, 0.55, 1.0), widget="colour", doc="at the fourth stop, and after")
    stops: Param[Vector4] = param((0.0, 0.35, 0.7, 1.0), low=0, high=2, step=0.01, doc="where the colours lie, in rising order")
    centre: Param[Vector2] = param((0.0, 0.0), **CENTRE)
    angle: Param[Number] = param(0.0, low=-180, high=180, step=1, unit="°", doc="linear: 0 from top to bottom; conic: 0 begins above")
    length: Param[Number] = param(1.0, low=0.001, high=4, step=0.01, unit="frame heights", doc="from first to last, about the centre; "
                                  "radial: the radius; conic: not used")  # fmt: skip
    beyond: Param[Choice] = param("hold", choices=("hold", "repeat", "mirror"), doc="what comes after the last stop")
    smooth: Param[Number] = param(0.0, low=0, high=1, step=0.01, doc="1 eases from colour to colour, 0 goes straight")
    out: Out[Image] = result(doc="the gradient")

    def pixel(self, kind, first, second, third, fourth, stops, centre, angle, length, beyond, smooth, at):
        x, y = place(at, centre, angle)
        if kind == "linear":
            along = y / length + 0.5
        elif kind == "radial":
            along = _length(vec(x, y)) / length
        else:
            along = fract(atan2(x, -y) / (2.0 * math.pi))
        if beyond == "repeat":
            along = fract(along)
        elif beyond == "mirror":
            along = 1.0 - absolute(1.0 - 2.0 * fract(0.5 * along))
        made = along_stops(along, [opaque(c) for c in (first, second, third, fourth)], stops, smooth)
        if kind == "conic":  # where the end meets the beginning: mixed over the last pixel
            close = clamp((1.0 - along) * (2.0 * math.pi) * _length(vec(x, y)) / at.pixel)
            made = mix(along_stops(vec(0.0), [opaque(c) for c in (first, second, third, fourth)], stops, smooth), made, close)
        grain = (hash21(at.px, at.py, 5.0) + hash21(at.px, at.py, 6.0) - 1.0) * (1.0 / 255.0)
        return vec(clamp(made.rgb + grain * made.a, 0.0, maximum(made.a, made.rgb)), made.a)


_length = length  # the parameter of that name hides it in Gradient


def along_stops(along: Vec, colours: list[Vec], stops: Vec, smooth: Vec) -> Vec:
    """The colour at a place between stops."""
    made = colours[0]
    for k in range(3):
        share = clamp((along - stops[k]) / maximum(stops[k + 1] - stops[k], 1e-4))
        eased = mix(share, share * share * (3.0 - 2.0 * share), smooth)
        made = mix(made, colours[k + 1], eased)
    return made


class Stripes(PixelNode, type="generate.stripes"):
    """Parallel stripes of two colours, with soft or clean edges, standing or running."""

    first: Param[Colour] = param((0.97, 0.93, 0.86, 1.0), widget="colour", doc="of one stripe")
    second: Param[Colour] = param((0.86, 0.32, 0.27, 1.0), widget="colour", doc="of the next")
    size: Param[Number] = param(0.1, low=0.004, high=2, step=0.002, unit="frame heights", doc="of two stripes together")
    share: Param[Number] = param(0.5, low=0, high=1, step=0.01, doc="of the second colour")
    angle: Param[Number] = param(45.0, low=-180, high=180, step=1, unit="°", doc="0 lies level; turned clockwise")
    softness: Param[Number] = param(0.0, low=0, high=1, step=0.01, doc="of the edges, 1 as wide as the stripes")
    speed: Param[Number] = param(0.0, low=-4, high=4, step=0.01, unit="frame heights/s", doc="across the stripes")
    out: Out[Image] = result(doc="the stripes")

    def pixel(self, first, second, size, share, angle, softness, speed, at):
        along = fract(place(at, vec(0.0, 0.0), angle).y / size - speed * at.time / size)
        half = 0.5 * maximum(softness * 0.5, at.pixel / size)
        edge = absolute(along - 0.5) - 0.5 * share  # below 0 in the second colour
        inside = select(share >= 1.0, 1.0, select(share <= 0.0, 0.0, 1.0 - smoothstep(-half, half, edge)))
        return mix(opaque(first), opaque(second), inside)


def turned_noise(x: Vec, y: Vec, seed: Vec, c: Vec, s: Vec) -> Vec:
    """About −1 to 1: gradient noise, each place's slope of length up to 1 turned by an angle with cosine c, sine s."""
    i, j = floor(x), floor(y)
    u, v = x - i, y - j

    def corner(a: float, b: float) -> Vec:
        across, down = slope(hash21(i + a, j + b, seed))
        return (across * c - down * s) * (u - a) + (across * s + down * c) * (v - b)

    p, q = (f * f * f * (f * (f * 6.0 - 15.0) + 10.0) for f in (u, v))
    return mix(mix(corner(0.0, 0.0), corner(1.0, 0.0), p), mix(corner(0.0, 1.0), corner(1.0, 1.0), p), q) * 1.6


def slope(noise: Vec) -> tuple[Vec, Vec]:
    """Two numbers from −1 to 1 out of one of 24 bits."""
    high = floor(noise * 4096.0)
    return high * (2.0 / 4095.0) - 1.0, (noise * 4096.0 - high) * 2.0 - 1.0


def simplex_noise(x: Vec, y: Vec, seed: Vec, c: Vec, s: Vec) -> Vec:
    """About −1 to 1: Perlin's simplex noise (2001) in two dimensions: three corners of a triangle, each fading out by (½ − d²)⁴."""
    x, y = 0.65 * x, 0.65 * y  # as wide as the other two
    skewed = (x + y) * (0.5 * (math.sqrt(3.0) - 1.0))
    i, j = floor(x + skewed), floor(y + skewed)
    back = (3.0 - math.sqrt(3.0)) / 6.0
    u, v = x - i + (i + j) * back, y - j + (i + j) * back
    right = select(u > v, 1.0, 0.0)
    total = vec(0.0)
    for a, b in ((vec(0.0), vec(0.0)), (right, 1.0 - right), (vec(1.0), vec(1.0))):
        du, dv = u - a + (a + b) * back, v - b + (a + b) * back
        across, down = slope(hash21(i + a, j + b, seed))
        fade = maximum(0.5 - du * du - dv * dv, 0.0)
        total = total + fade * fade * fade * fade * ((across * c - down * s) * du + (across * s + down * c) * dv)
    return total * 90.0


def value_noise(x: Vec, y: Vec, seed: Vec, c: Vec, s: Vec) -> Vec:
    """−1 to 1: random heights at whole places, each swinging with the angle, joined by smooth steps."""
    i, j = floor(x), floor(y)

    def corner(a: float, b: float) -> Vec:
        across, down = slope(hash21(i + a, j + b, seed))
        return across * c - down * s

    p, q = (smoothstep(0.0, 1.0, f) for f in (x - i, y - j))
    return mix(mix(corner(0.0, 0.0), corner(1.0, 0.0), p), mix(corner(0.0, 1.0), corner(1.0, 1.0), p), q)


KINDS = {"gradient": turned_noise, "simplex": simplex_noise, "value": value_noise}


def fractal(x: Vec, y: Vec, time: Vec, kind: str, style: str, octaves: int, roughness: Vec, seed: Vec) -> Vec:
    """About 0 to 1: octaves of noise, each twice as fine and evolving a little faster than the one before."""
    total, weight, whole = vec(0.0), vec(1.0), vec(0.0)
    for octave in range(octaves):
        turn = time * (2.0 * math.pi * 1.3**octave)
        value = KINDS[kind](x, y, seed * 8.0 + float(octave), cos(turn), sin(turn))
        if style == "ridged":
            value = 1.0 - 2.0 * absolute(value)
        elif style == "turbulent":
            value = 2.0 * absolute(value) - 1.0
        total, whole, weight = total + weight * value, whole + weight, weight * roughness
        x, y = 1.6 * x - 1.2 * y + 0.37, 1.2 * x + 1.6 * y + 0.71  # twice as fine, and turned off the lattice
    return 0.5 + 0.5 * total / whole


class FractalNoise(PixelNode, type="generate.fractal"):
    """Clouds, smoke, marble, ridges: noise in octaves that moves and changes shape as time goes by.

    `evolution` lets it boil in place: slopes (or heights) turn, and after a turn it is as at first. `drift` carries it along.
    `gradient` is Perlin's noise, `simplex` its successor without a lattice, `value` is blocky and soft.
    """

    kind: Param[Choice] = param("gradient", choices=tuple(KINDS), doc="the noise each octave is made of")
    style: Param[Choice] = param("smooth", choices=("smooth", "turbulent", "ridged"), doc="clouds, billows, or sharp ridges")
    octaves: Param[Integer] = param(4, low=1, high=6, choices=(1, 2, 3, 4, 5, 6), doc="layers of ever finer detail; each costs")
    size: Param[Number] = param(0.3, low=0.005, high=4, step=0.005, unit="frame heights", doc="of the largest shapes")
    roughness: Param[Number] = param(0.5, low=0, high=1, step=0.01, doc="how much each finer octave counts")
    evolution: Param[Number] = param(0.1, low=-4, high=4, step=0.01, unit="Hz", doc="turns a second")
    drift: Param[Vector2] = param((0.0, 0.0), low=-4, high=4, step=0.01, unit="frame heights/s", doc="to the right, down")
    contrast: Param[Number] = param(1.0, low=0, high=8, step=0.05, doc="above 1 clears the middle")
    dark: Param[Colour] = param((0.0, 0.0, 0.0, 1.0), widget="colour", doc="where it is low")
    light: Param[Colour] = param((1.0, 1.0, 1.0, 1.0), widget="colour", doc="where it is high")
    seed: Param[Integer] = param(0, low=0, high=999, doc="another number, another picture")
    out: Out[Image] = result(doc="the noise between the two colours")

    def pixel(self, kind, style, octaves, size, roughness, evolution, drift, contrast, dark, light, seed, at):
        x, y = (at.x - 0.5 * at.aspect - drift.x * at.time) / size, (at.y - 0.5 - drift.y * at.time) / size
        value = fractal(x, y, evolution * at.time, kind, style, octaves, roughness, seed)
        return mix(opaque(dark), opaque(light), clamp((value - 0.5) * contrast + 0.5))
