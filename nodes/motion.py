"""Motion: numbers that move as things do: on springs, along easings, in a given time."""

from __future__ import annotations

import math
from collections.abc import Callable

from ..graph.declare import Out, Param, ProcessNode, param, result, slot
from ..graph.types import Boolean, Choice, Number, Vector2

__all__ = ["EASINGS", "Ease", "Move", "Spring", "Spring2", "eased", "spring"]


def spring(
    place: float, speed: float, target: float, delta: float, settle: float, bounce: float
) -> tuple[float, float]:  # fmt: skip
    """Place and speed of a damped spring after `delta` seconds: the exact solution, so it is the same at any frame rate.

    settle: seconds until 2 % of the way are left; bounce: 0 = critically damped, 1 = hardly damped.
    """
    if settle <= 0.0:
        return target, 0.0
    off, damping = place - target, 1.0 - 0.9 * min(max(bounce, 0.0), 1.0)
    if damping >= 1.0:
        rate = 5.834 / settle  # where (1 + r·t)·e^(−r·t) is 2 %
        slope, left = speed + rate * off, math.exp(-rate * delta)
        return target + (off + slope * delta) * left, (speed - rate * slope * delta) * left
    rate = 3.912 / settle  # where e^(−r·t) is 2 %
    swing = rate / damping * math.sqrt(1.0 - damping * damping)
    slope, left = (speed + rate * off) / swing, math.exp(-rate * delta)
    c, s = math.cos(swing * delta), math.sin(swing * delta)
    place = (off * c + slope * s) * left
    return target + place, (swing * (slope * c - off * s)) * left - rate * place


SETTLE = param(0.5, low=0, high=10, step=0.05, unit="s", doc="time until it is there; 0: at once")
BOUNCE = param(0.4, low=0, high=1, step=0.05, doc="0: straight to it, 1: it swings for the whole time")


class Spring(ProcessNode, type="motion.spring"):
    """Follow a number like a weight on a spring: it overshoots, swings and comes to rest. A seek starts it afresh."""

    target: Param[Number] = param(0.0, doc="the number to follow")
    settle: Param[Number] = SETTLE
    bounce: Param[Number] = BOUNCE
    out: Out[Number] = result(doc="where the weight is")
    speed: Out[Number] = result(doc="how fast it moves, a second")
    place: float | None = slot(None)
    moving = slot(0.0)

    def process(self, target, settle, bounce, tick, state):
        if math.isfinite(target):
            start = target if state.place is None else state.place
            state.place, state.moving = spring(start, state.moving, target, max(tick.delta, 0.0), settle, bounce)
        return state.place or 0.0, state.moving


class Spring2(ProcessNode, type="motion.spring2"):
    """Follow a point like a weight on a spring: what dangles, trails behind, pops into place."""

    target: Param[Vector2] = param((0.0, 0.0), doc="the point to follow")
    settle: Param[Number] = SETTLE
    bounce: Param[Number] = BOUNCE
    out: Out[Vector2] = result(doc="where the weight is")
    speed: Out[Vector2] = result(doc="how fast it moves, a second")
    place: tuple[float, float] | None = slot(None)
    moving = slot((0.0, 0.0))

    def process(self, target, settle, bounce, tick, state):
        if all(map(math.isfinite, target)):
            start, delta = tuple(target) if state.place is None else state.place, max(tick.delta, 0.0)
            moved = [spring(p, v, t, delta, settle, bounce) for p, v, t in zip(start, state.moving, target, strict=True)]
            state.place, state.moving = tuple(m[0] for m in moved), tuple(m[1] for m in moved)
        return state.place or (0.0, 0.0), state.moving


def _bounce(t: float) -> float:
    """A ball that falls at 0 and touches the ground four times, each bounce a quarter as high; 1 on the ground."""
    for start, span, height in ((-1 / 2.75, 2 / 2.75, 1.0), (1 / 2.75, 1 / 2.75, 0.25), (2 / 2.75, 0.5 / 2.75, 0.0625)):
        if t < start + span:
            return 1.0 - height * (1.0 - ((t - start) / (span / 2) - 1.0) ** 2)
    return 1.0 - 0.015625 * (1.0 - ((t - 2.5 / 2.75) / (0.125 / 2.75) - 1.0) ** 2)


# name → from 0 at 0 to 1 at 1, slow at first
EASINGS: dict[str, Callable[[float], float]] = {
    "linear": lambda t: t,
    "sine": lambda t: 1.0 - math.cos(t * math.pi / 2),
    "quadratic": lambda t: t * t,
    "cubic": lambda t: t * t * t,
    "exponential": lambda t: (2.0 ** (10.0 * t) - 1.0) / 1023.0,
    "back": lambda t: t * t * (2.70158 * t - 1.70158),
    "elastic": lambda t: t * t * t * math.cos((1.0 - t) * 6.5 * math.pi),
    "bounce": lambda t: 1.0 - _bounce(1.0 - t),
}
ENDS = ("in", "out", "both")


def eased(t: float, curve: str, end: str) -> float:
    """An easing at t (held from 0 to 1): slow at its beginning (in), its end (out) or both."""
    t, f = (min(max(t, 0.0), 1.0) if math.isfinite(t) else 0.0), EASINGS[curve]
    if end == "in":
        return f(t)
    if end == "out":
        return 1.0 - f(1.0 - t)
    return 0.5 * f(2.0 * t) if t < 0.5 else 1.0 - 0.5 * f(2.0 - 2.0 * t)


class Ease(ProcessNode, type="motion.ease"):
    """Bend a number from 0 to 1 so that it starts or ends gently, overshoots or bounces."""

    value: Param[Number] = param(0.0, low=0, high=1, step=0.01, doc="from 0 to 1, such as a timer's progress")
    curve: Param[Choice] = param("sine", choices=tuple(EASINGS), doc="how strongly, and whether it overshoots or bounces")
    end: Param[Choice] = param("both", choices=ENDS, doc="where it is gentle")
    out: Out[Number] = result(doc="0 at 0, 1 at 1")

    def process(self, value, curve, end):
        return eased(value, curve, end)


class Move(ProcessNode, type="motion.move"):
    """Go to each new number in a fixed time, along an easing: a jump becomes a movement."""

    target: Param[Number] = param(0.0, doc="where to go; when it changes a new movement begins from where it is")
    seconds: Param[Number] = param(0.5, low=0, high=60, step=0.05, unit="s", doc="how long the way takes")
    curve: Param[Choice] = param("sine", choices=tuple(EASINGS), doc="how it moves")
    end: Param[Choice] = param("both", choices=ENDS, doc="where it is gentle")
    out: Out[Number] = result(doc="the number on its way")
    moving: Out[Boolean] = result(doc="whether it is on its way")
    goal: float | None = slot(None)
    base = slot(0.0)
    begun = slot(0)

    def process(self, target, seconds, curve, end, tick, state):
        if math.isfinite(target) and target != state.goal:
            first = state.goal is None
            state.base = target if first else self._place(state, tick.time, seconds, curve, end)
            state.goal, state.begun = target, tick.time
        if state.goal is None:
            return 0.0, False
        there = seconds <= 0.0 or tick.time >= state.begun + seconds * 1e6 or state.base == state.goal
        return self._place(state, tick.time, seconds, curve, end), not there

    def _place(self, state, time: int, seconds: float, curve: str, end: str) -> float:
        share = (time - state.begun) * 1e-6 / seconds if seconds > 0.0 else 1.0
        return state.base + (state.goal - state.base) * eased(share, curve, end)
