"""Screen: a picture as an old or a broken screen would show it."""

from __future__ import annotations

import math

from ..graph.declare import Param, param
from ..graph.types import Integer, Number
from ..runtime.pixel import (
    absolute,
    clamp,
    cos,
    floor,
    fract,
    hash21,
    maximum,
    minimum,
    select,
    smoothstep,
    vec,
)
from .stylise import HEIGHTS, Styled

__all__ = ["Glitch", "Tube"]


class Tube(Styled, type="screen.tube"):
    """A tube television: scan lines, coloured stripes of phosphor, a bright bar that rolls, a little flicker."""

    size: Param[Number] = param(0.0056, low=0.003, high=0.05, step=0.0002, unit=HEIGHTS, doc="from line to line")
    lines: Param[Number] = param(0.45, low=0, high=1, step=0.01, doc="how dark it is between two lines")
    phosphor: Param[Number] = param(0.25, low=0, high=1, step=0.01, doc="how far red, green and blue are apart")
    roll: Param[Number] = param(0.06, low=0, high=1, step=0.01, doc="brightness of the rolling bar")
    flicker: Param[Number] = param(0.03, low=0, high=0.5, step=0.01, doc="of the whole, from frame to frame")
    speed: Param[Number] = param(0.25, low=-4, high=4, step=0.01, unit="Hz", doc="of the bar")

    def pixel(self, image, size, lines, phosphor, roll, flicker, speed, at):
        across, turn = at.x / size, 2.0 * math.pi
        wave = 0.5 + 0.5 * cos(at.y / size * turn)
        beam = 1.0 - lines * (1.0 - wave)
        third = vec(0.0, 1.0 / 3.0, 2.0 / 3.0)
        stripes = 1.0 + phosphor * cos((vec(across, across, across) - third) * turn)
        bar = fract(at.y - speed * at.time)
        light = 1.0 + roll * (1.0 - smoothstep(0.0, 0.35, minimum(bar, 1.0 - bar)))
        light = light + flicker * (hash21(at.frame, 3.0, 9.0) - 0.5)
        return vec(image.rgb * (stripes * (beam * light / (1.0 - 0.5 * lines))), image.a)


class Glitch(Styled, type="screen.glitch"):
    """A broken signal: bands and blocks slip sideways, colours part, and now and then all is well.

    It jumps `rate` times a second; each jump is its own, and the same seed and time give the same picture.
    """

    amount: Param[Number] = param(0.5, low=0, high=1, step=0.01, doc="0 nothing, 1 hardly a picture")
    slip: Param[Number] = param(0.12, low=0, high=1, step=0.005, unit=HEIGHTS, doc="how far bands slip, at most")
    split: Param[Number] = param(0.015, low=0, high=0.2, step=0.001, unit=HEIGHTS, doc="how far red and blue part")
    size: Param[Number] = param(0.08, low=0.01, high=1, step=0.005, unit=HEIGHTS, doc="of bands and blocks")
    rate: Param[Number] = param(12.0, low=0.5, high=60, step=0.5, unit="Hz", doc="jumps a second")
    calm: Param[Number] = param(0.35, low=0, high=1, step=0.01, doc="share of the time when nothing happens")
    seed: Param[Integer] = param(0, low=0, high=999, doc="another number, other faults")

    def pixel(self, image, amount, slip, split, size, rate, calm, seed, at):
        jump = floor(at.time * rate)
        # one jump in a few also decides how strong it is
        strong = select(hash21(floor(jump * 0.25), 1.0, seed) < calm, 0.0, 0.4 + 0.6 * hash21(jump, 2.0, seed)) * amount
        tall = size * (0.5 + hash21(jump, 3.0, seed))
        row, column = floor(at.y / tall), floor(at.x / (tall * 2.5))
        band = select(hash21(row, jump, seed + 11.0) < strong * 0.6, 2.0 * hash21(row, jump, seed + 12.0) - 1.0, 0.0)
        fine = floor(at.y / (0.25 * tall))
        block = hash21(column, fine, seed + 13.0 + 31.0 * (jump - 64.0 * floor(jump / 64.0)))
        hit = select(block < strong * 0.12, 2.0 * fract(block * 977.0) - 1.0, 0.0)
        x, part = at.x - slip * (band * strong + hit), split * strong * (0.4 + absolute(band) + absolute(hit))
        rgb = vec(image.sample(x + part, at.y).r, image.sample(x, at.y).g, image.sample(x - part, at.y).b)
        alpha = image.sample(x, at.y).a
        snow = hash21(floor(at.x / (0.02 * tall)), floor(at.y / (0.02 * tall)), seed + jump) - 0.4
        tear = select(hash21(fine, jump, seed + 14.0) < strong * 0.05, 0.5 * snow, 0.0)
        return vec(clamp(rgb + tear * alpha, 0.0, maximum(rgb, alpha)), alpha)
