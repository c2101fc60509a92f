"""Value: numbers, vectors and colours as wires, maths on them, and what moves them: time, waves, chance, smoothing.

These run once a frame, not once a pixel. Time is the stream's, so a clip played twice moves the same way.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from ..graph.declare import In, Out, Param, ProcessNode, param, port, result, slot
from ..graph.types import Boolean, Choice, Colour, Curve, Integer, Number, Text, Vector2, Vector3, Vector4
from ..runtime.curves import evaluate

__all__ = [
    "COMPARISONS", "OPERATIONS", "WAVES", "BooleanValue", "Clamp", "ColourValue", "Combine2", "Combine3", "Combine4",
    "Compare", "CurveValue", "IntegerValue", "Logic", "Maths", "MixColour", "MixNumber", "NumberValue", "Oscillator",
    "Random", "Remap", "Smooth", "Split", "Switch", "TextValue", "Time", "random_number",
]  # fmt: skip


class NumberValue(ProcessNode, type="value.number"):
    """A number, to be wired to several places."""

    value: Param[Number] = param(0.0, doc="the number")
    out: Out[Number] = result(doc="the same")

    def process(self, value):
        return value


class IntegerValue(ProcessNode, type="value.integer"):
    """A whole number, to be wired to several places."""

    value: Param[Integer] = param(0, doc="the number")
    out: Out[Integer] = result(doc="the same")

    def process(self, value):
        return value


class BooleanValue(ProcessNode, type="value.boolean"):
    """Yes or no, to be wired to several places."""

    value: Param[Boolean] = param(False, doc="yes or no")
    out: Out[Boolean] = result(doc="the same")

    def process(self, value):
        return value


class TextValue(ProcessNode, type="value.text"):
    """A line of text, to be wired to several places."""

    value: Param[Text] = param("", doc="the text")
    out: Out[Text] = result(doc="the same")

    def process(self, value):
        return value


class ColourValue(ProcessNode, type="value.colour"):
    """A colour, to be wired to several places."""

    value: Param[Colour] = param((1.0, 1.0, 1.0, 1.0), widget="colour", doc="r, g, b, a in the working space")
    out: Out[Colour] = result(doc="the same")

    def process(self, value):
        return value


class Combine2(ProcessNode, type="value.vector2"):
    """Two numbers as one vector."""

    x: Param[Number] = param(0.0, doc="the first")
    y: Param[Number] = param(0.0, doc="the second")
    out: Out[Vector2] = result(doc="x, y")

    def process(self, x, y):
        return x, y


class Combine3(ProcessNode, type="value.vector3"):
    """Three numbers as one vector."""

    x: Param[Number] = param(0.0, doc="the first")
    y: Param[Number] = param(0.0, doc="the second")
    z: Param[Number] = param(0.0, doc="the third")
    out: Out[Vector3] = result(doc="x, y, z")

    def process(self, x, y, z):
        return x, y, z


class Combine4(ProcessNode, type="value.vector4"):
    """Four numbers as one vector; wired to a Colour they are r, g, b, a."""

    x: Param[Number] = param(0.0, doc="the first")
    y: Param[Number] = param(0.0, doc="the second")
    z: Param[Number] = param(0.0, doc="the third")
    w: Param[Number] = param(0.0, doc="the fourth")
    out: Out[Vector4] = result(doc="x, y, z, w")

    def process(self, x, y, z, w):
        return x, y, z, w


class Split(ProcessNode, type="value.split"):
    """The numbers of a vector or a colour, one by one."""

    vector: In[Vector4] = port(doc="four numbers; a colour is r, g, b, a")
    x: Out[Number] = result(doc="the first, or red")
    y: Out[Number] = result(doc="the second, or green")
    z: Out[Number] = result(doc="the third, or blue")
    w: Out[Number] = result(doc="the fourth, or alpha")

    def process(self, vector):
        return tuple(vector)


def _divide(a: float, b: float) -> float:
    return a / b if b else 0.0


def _power(a: float, b: float) -> float:
    return math.pow(a, b) if a > 0 else 0.0


def _modulo(a: float, b: float) -> float:
    return a - b * math.floor(a / b) if b else 0.0


OPERATIONS: dict[str, Callable[[float, float], float]] = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "divide": _divide,
    "modulo": _modulo,
    "power": _power,
    "minimum": min,
    "maximum": max,
    "absolute": lambda a, b: abs(a),
    "floor": lambda a, b: float(math.floor(a)),
    "round": lambda a, b: float(math.floor(a + 0.5)),
    "square root": lambda a, b: math.sqrt(max(a, 0.0)),
    "sine": lambda a, b: math.sin(a),
    "cosine": lambda a, b: math.cos(a),
    "arc tangent": lambda a, b: math.atan2(a, b),
}


def finite(function: Callable[[], float]) -> float:
    """The function's number; 0 where it has none (an overflow, infinity less infinity)."""
    try:
        number = function()
    except (OverflowError, ValueError):
        return 0.0
    return number if math.isfinite(number) else 0.0


class Maths(ProcessNode, type="value.maths"):
    """One operation on two numbers.

    Division and modulo by 0, and what would not be finite, give 0; so does a power of a number below 0. Angles are in
    radians; the arc tangent is of a / b, in the right quadrant. Absolute, floor, round, square root, sine and cosine
    look at a alone.
    """

    a: Param[Number] = param(0.0, doc="the first number")
    b: Param[Number] = param(0.0, doc="the second number")
    operation: Param[Choice] = param("add", choices=tuple(OPERATIONS), doc="what to do with them")
    out: Out[Number] = result(doc="the result, always finite")

    def process(self, a, b, operation):
        return finite(lambda: OPERATIONS[operation](a, b))


class MixNumber(ProcessNode, type="value.mix"):
    """From one number to another."""

    a: Param[Number] = param(0.0, doc="at 0")
    b: Param[Number] = param(1.0, doc="at 1")
    amount: Param[Number] = param(0.5, low=0, high=1, step=0.01, doc="how far from the first to the second")
    out: Out[Number] = result(doc="the mixture")

    def process(self, a, b, amount):
        return finite(lambda: a + (b - a) * amount)


class MixColour(ProcessNode, type="value.mix_colour"):
    """From one colour to another, channel by channel."""

    a: Param[Colour] = param((0.0, 0.0, 0.0, 1.0), widget="colour", doc="at 0")
    b: Param[Colour] = param((1.0, 1.0, 1.0, 1.0), widget="colour", doc="at 1")
    amount: Param[Number] = param(0.5, low=0, high=1, step=0.01, doc="how far from the first to the second")
    out: Out[Colour] = result(doc="the mixture")

    def process(self, a, b, amount):
        return tuple(x + (y - x) * amount for x, y in zip(a, b, strict=True))


class Clamp(ProcessNode, type="value.clamp"):
    """Hold a number between two others."""

    value: Param[Number] = param(0.0, doc="the number")
    low: Param[Number] = param(0.0, doc="it does not fall below")
    high: Param[Number] = param(1.0, doc="it does not rise above; where both disagree, this one wins")
    out: Out[Number] = result(doc="the number, held")

    def process(self, value, low, high):
        return low if math.isnan(value) else min(max(value, low), high)


class Remap(ProcessNode, type="value.remap"):
    """A number from one range in another: −1…1 as 0…100, say."""

    value: Param[Number] = param(0.0, doc="the number")
    from_low: Param[Number] = param(0.0, doc="the old range's start")
    from_high: Param[Number] = param(1.0, doc="the old range's end; equal to its start: the result is `to_low`")
    to_low: Param[Number] = param(0.0, doc="the new range's start")
    to_high: Param[Number] = param(1.0, doc="the new range's end")
    hold: Param[Boolean] = param(True, doc="hold the result in the new range")
    out: Out[Number] = result(doc="the number in the new range")

    def process(self, value, from_low, from_high, to_low, to_high, hold):
        share = finite(lambda: _divide(value - from_low, from_high - from_low))
        share = min(max(share, 0.0), 1.0) if hold else share
        return finite(lambda: to_low + (to_high - to_low) * share)


class CurveValue(ProcessNode, type="value.curve"):
    """A number through a curve that you draw: an easing, a response."""

    value: Param[Number] = param(0.0, doc="the number")
    curve: Param[Curve] = param(((0.0, 0.0), (1.0, 1.0)), widget="curve", doc="x → y; constant outside its knots")
    out: Out[Number] = result(doc="the curve's height there")

    def process(self, value, curve):
        return evaluate(curve, value)


class Time(ProcessNode, type="value.time"):
    """Seconds since the stream's start."""

    speed: Param[Number] = param(1.0, low=-100, high=100, step=0.1, doc="seconds a second")
    offset: Param[Number] = param(0.0, unit="s", doc="added")
    out: Out[Number] = result(doc="seconds · speed + offset")

    def process(self, speed, offset, tick):
        return finite(lambda: tick.time * 1e-6 * speed + offset)


WAVES: dict[str, Callable[[float], float]] = {
    "sine": lambda p: math.sin(2.0 * math.pi * p),
    "triangle": lambda p: 1.0 - 4.0 * abs((p + 0.25) % 1.0 - 0.5),
    "square": lambda p: 1.0 if p < 0.5 else -1.0,
    "saw": lambda p: 2.0 * p - 1.0,
}


class Oscillator(ProcessNode, type="value.oscillator"):
    """A wave in time, between two numbers (a low-frequency oscillator)."""

    shape: Param[Choice] = param("sine", choices=tuple(WAVES), doc="of the wave")
    rate: Param[Number] = param(1.0, low=0, high=60, step=0.05, unit="Hz", doc="waves a second")
    phase: Param[Number] = param(0.0, low=0, high=1, step=0.01, unit="waves", doc="where it begins")
    low: Param[Number] = param(0.0, doc="its lowest number")
    high: Param[Number] = param(1.0, doc="its highest number")
    out: Out[Number] = result(doc="the wave now")

    def process(self, shape, rate, phase, low, high, tick):
        place = (tick.time * 1e-6 * rate + phase) % 1.0
        return low + (high - low) * (0.5 + 0.5 * WAVES[shape](place))


class Smooth(ProcessNode, type="value.smooth"):
    """Follow a number without jumps: an exponential approach. A seek starts it afresh."""

    value: Param[Number] = param(0.0, doc="the number to follow")
    half_life: Param[Number] = param(0.1, low=0, high=10, step=0.01, unit="s", doc="time to go half of the way")
    out: Out[Number] = result(doc="the number, smoothed")
    last: float | None = slot(None)

    def process(self, value, half_life, tick, state):
        if not math.isfinite(value):
            return 0.0 if state.last is None else state.last
        if state.last is None or half_life <= 0.0 or tick.delta <= 0.0:
            state.last = value
        else:
            state.last = value + (state.last - value) * 0.5 ** (tick.delta / half_life)
        return state.last


def random_number(seed: int, step: int) -> float:
    """0 ≤ number < 1 for a seed and a step, the same on every machine (SplitMix64's finaliser)."""
    z = (seed * 0x9E3779B97F4A7C15 + step * 0xD1B54A32D192ED03 + 0x632BE59BD9B4E019) & (2**64 - 1)
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & (2**64 - 1)
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB & (2**64 - 1)
    return ((z ^ (z >> 31)) >> 11) / 2.0**53


class Random(ProcessNode, type="value.random"):
    """Chance that can be repeated: a new number so many times a second, jumping or flowing from one to the next."""

    seed: Param[Integer] = param(0, low=0, high=9999, doc="another number, another sequence")
    rate: Param[Number] = param(2.0, low=0, high=60, step=0.1, unit="Hz", doc="new numbers a second; 0: always the same")
    motion: Param[Choice] = param("flow", choices=("flow", "jump"), doc="how it gets to the next number")
    low: Param[Number] = param(0.0, doc="the lowest number")
    high: Param[Number] = param(1.0, doc="the highest number")
    out: Out[Number] = result(doc="the number now")

    def process(self, seed, rate, motion, low, high, tick):
        place = tick.time * 1e-6 * rate
        step = math.floor(place)
        share = random_number(seed, step)
        if motion == "flow":
            t = place - step
            share += (random_number(seed, step + 1) - share) * t * t * (3.0 - 2.0 * t)
        return low + (high - low) * share


COMPARISONS: dict[str, Callable[[float, float, float], bool]] = {
    "greater": lambda a, b, within: a > b,
    "at least": lambda a, b, within: a >= b,
    "less": lambda a, b, within: a < b,
    "at most": lambda a, b, within: a <= b,
    "about equal": lambda a, b, within: abs(a - b) <= within,
}


class Compare(ProcessNode, type="value.compare"):
    """A question about two numbers."""

    a: Param[Number] = param(0.0, doc="the first number")
    b: Param[Number] = param(0.5, doc="the second number")
    question: Param[Choice] = param("greater", choices=tuple(COMPARISONS), doc="is the first … the second?")
    within: Param[Number] = param(0.001, low=0, high=1000, doc="difference that still counts as equal")
    out: Out[Boolean] = result(doc="the answer")

    def process(self, a, b, question, within):
        return COMPARISONS[question](a, b, within)


LOGIC: dict[str, Callable[[bool, bool], bool]] = {
    "and": lambda a, b: a and b,
    "or": lambda a, b: a or b,
    "exclusive or": lambda a, b: a != b,
    "not": lambda a, b: not a,
}


class Logic(ProcessNode, type="value.logic"):
    """Two answers as one."""

    a: Param[Boolean] = param(False, doc="the first")
    b: Param[Boolean] = param(False, doc="the second; `not` does not look at it")
    operation: Param[Choice] = param("and", choices=tuple(LOGIC), doc="what to do with them")
    out: Out[Boolean] = result(doc="the answer")

    def process(self, a, b, operation):
        return LOGIC[operation](bool(a), bool(b))


class Switch(ProcessNode, type="value.switch"):
    """One of two numbers, as a yes or no says."""

    condition: Param[Boolean] = param(False, doc="which one")
    off: Param[Number] = param(0.0, doc="the number at no")
    on: Param[Number] = param(1.0, doc="the number at yes")
    out: Out[Number] = result(doc="one of them")

    def process(self, condition, off, on):
        return on if condition else off
