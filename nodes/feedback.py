"""Feedback: what was there before stays for a while, and moves on. Trails, echoes, tunnels."""

from __future__ import annotations

from typing import Any

from ..graph.declare import In, Out, Param, ProcessNode, inner, param, port, result, same
from ..graph.types import Choice, Colour, Image, Mask, Number, Vector2
from ..runtime.pixel import Raster, Vec, clamp, cos, exp2, maximum, minimum, mix, sin, vec
from .generate import CENTRE
from .mask import DEGREES

__all__ = ["Echo"]

ODD_STEP = 0.25  # seconds; after a longer pause the past counts as one such step


class Echo(ProcessNode, type="feedback.echo"):
    """Keep what was there before, let it fade and drift, and lay the new picture over it: trails, tunnels.

    Wire its output to a `delay.image` and that one's output to `past`. With a `mask` only what it covers leaves a trail, and the
    rest of the output is transparent: lay the person over it and it over the background.

    `over` puts the new picture on top, `lighten` keeps the brighter one, `add` sums up light. All speeds are by time, so a trail is
    as long at any frame rate.
    """

    image: In[Image] = port(domain=True, doc="the new picture")
    past: In[Image] = port(doc="this node's output of the frame before, from delay.image")
    mask: In[Mask] = port(optional=True, default=(1.0,), doc="what leaves a trail; unwired: everything")
    mode: Param[Choice] = param("over", choices=("over", "lighten", "add"), doc="how the new one meets the old")
    motion: Param[Choice] = param("still", choices=("still", "moving"), doc="moving lets the past zoom, turn and drift; it costs")
    half_life: Param[Number] = param(0.25, low=0.01, high=10, step=0.01, unit="s", doc="after which half of it is left")
    tint: Param[Colour] = param((1.0, 1.0, 1.0, 1.0), widget="colour", doc="what a half-life multiplies the past's colour by")
    zoom: Param[Number] = param(0.3, low=-4, high=4, step=0.01, unit="Hz", doc="doublings of the past's size a second")
    turn: Param[Number] = param(0.0, low=-360, high=360, step=1, unit="°/s", doc="of the past, clockwise")
    drift: Param[Vector2] = param((0.0, 0.0), low=-4, high=4, step=0.01, unit="frame heights/s", doc="of the past, right and down")
    centre: Param[Vector2] = param((0.0, 0.0), **CENTRE)
    step: Out[Number] = inner(doc="seconds since the frame before")
    out: Out[Image] = result(space=same("image"), doc="new and old together")

    def process(self, image: Any, tick: Any) -> float:
        return min(tick.delta, ODD_STEP)

    def pixel(self, image, past, mask, step, mode, motion, half_life, tint, zoom, turn, drift, centre, at):
        before = past.here if motion == "still" else moved(past, step, zoom, turn, drift, centre, at)
        keep = exp2(-step / half_life)
        colour = mix(vec(1.0, 1.0, 1.0), maximum(tint.rgb, 0.0), clamp(1.0 - keep))
        old = vec(before.rgb * colour, before.a) * keep
        new = image * clamp(mask)
        if mode == "over":
            return new + old * (1.0 - new.a)
        if mode == "lighten":
            return maximum(new, old)
        return vec(new.rgb + old.rgb, minimum(new.a + old.a, 1.0))


def moved(past: Raster, step: Vec, zoom: Vec, turn: Vec, drift: Vec, centre: Vec, at) -> Vec:
    """The past after one step of its motion."""
    middle = vec(0.5 * at.aspect, 0.5) + centre
    x, y = at.x - middle.x - drift.x * step, at.y - middle.y - drift.y * step
    angle, small = turn * step * DEGREES, exp2(-zoom * step)
    c, s = cos(angle) * small, sin(angle) * small
    return past.sample(middle.x + c * x + s * y, middle.y + c * y - s * x)
