"""Value nodes as functions; time, chance and smoothing over frames; one of them through a whole plan."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from one_node import play

from spellwire.nodes import value
from spellwire.runtime.curves import evaluate, table
from spellwire.runtime.frames import Tick

NUMBERS = st.floats(-1e6, 1e6)


def at(seconds: float, delta: float = 1 / 30) -> Tick:
    return Tick(time=round(seconds * 1e6), delta=delta)


@pytest.mark.parametrize(
    ("operation", "a", "b", "wanted"),
    [("add", 2, 3, 5), ("subtract", 2, 3, -1), ("multiply", 2, 3, 6), ("divide", 3, 2, 1.5), ("divide", 3, 0, 0),
     ("modulo", -1, 3, 2), ("modulo", 5, 0, 0), ("power", 2, 10, 1024), ("power", -8, 1 / 3, 0), ("power", 0, -1, 0),
     ("power", 10, 1000, 0), ("minimum", 2, 3, 2), ("maximum", 2, 3, 3), ("absolute", -2, 0, 2), ("floor", -0.5, 0, -1),
     ("round", 2.5, 0, 3), ("round", -2.5, 0, -2), ("square root", 9, 0, 3), ("square root", -9, 0, 0),
     ("sine", math.pi / 2, 0, 1), ("cosine", math.pi, 0, -1), ("arc tangent", 1, -1, 3 * math.pi / 4)],
)  # fmt: skip
def test_maths(operation: str, a: float, b: float, wanted: float) -> None:
    assert value.Maths().process(a, b, operation) == pytest.approx(wanted)


@given(NUMBERS, NUMBERS, st.sampled_from(sorted(value.OPERATIONS)))
def test_maths_is_always_finite(a: float, b: float, operation: str) -> None:
    assert math.isfinite(value.Maths().process(a, b, operation))


def test_mix_clamp_remap_switch() -> None:
    assert value.MixNumber().process(2.0, 4.0, 0.25) == 2.5
    assert value.MixColour().process((0, 0, 0, 1), (1, 0.5, 0, 1), 0.5) == (0.5, 0.25, 0.0, 1.0)
    assert [value.Clamp().process(v, 0.0, 1.0) for v in (-1, 0.5, 2)] == [0.0, 0.5, 1.0]
    assert value.Clamp().process(0.5, 2.0, 1.0) == 1.0
    assert value.Remap().process(5.0, 0.0, 10.0, 100.0, 200.0, True) == 150.0
    assert value.Remap().process(20.0, 0.0, 10.0, 100.0, 200.0, True) == 200.0
    assert value.Remap().process(20.0, 0.0, 10.0, 100.0, 200.0, False) == 300.0
    assert value.Remap().process(5.0, 3.0, 3.0, 7.0, 9.0, True) == 7.0
    assert [value.Switch().process(c, 3.0, 4.0) for c in (False, True)] == [3.0, 4.0]


def test_compare_and_logic() -> None:
    for question, wanted in {"greater": [0, 0, 1], "at least": [0, 1, 1], "less": [1, 0, 0], "at most": [1, 1, 0],
                             "about equal": [0, 1, 0]}.items():  # fmt: skip
        assert [value.Compare().process(a, 0.5, question, 0.001) for a in (0.4, 0.5, 0.6)] == wanted
    table = {"and": [0, 0, 0, 1], "or": [0, 1, 1, 1], "exclusive or": [0, 1, 1, 0], "not": [1, 1, 0, 0]}
    for operation, wanted in table.items():
        assert [value.Logic().process(a, b, operation) for a in (False, True) for b in (False, True)] == wanted


def test_time_and_waves() -> None:
    assert value.Time().process(2.0, 1.0, at(1.5)) == 4.0
    wave = value.Oscillator().process
    for shape, wanted in {"sine": [0.5, 1, 0.5, 0], "triangle": [0.5, 1, 0.5, 0], "square": [1, 1, 0, 0],
                          "saw": [0, 0.25, 0.5, 0.75]}.items():  # fmt: skip
        got = [wave(shape, 0.5, 0.0, 0.0, 1.0, at(2 * quarter / 4)) for quarter in range(4)]
        assert got == pytest.approx(wanted), shape
    assert wave("saw", 1.0, 0.25, -1.0, 1.0, at(0.0)) == -0.5
    assert wave("sine", 1.0, 0.0, 0.0, 1.0, at(36_000.25)) == pytest.approx(1.0)  # ten hours on it is still exact


def test_smooth_goes_half_the_way_in_its_half_life_at_any_frame_rate() -> None:
    for rate in (10, 30, 120):
        state = SimpleNamespace(last=None)
        follow = value.Smooth().process
        assert follow(0.0, 0.5, at(0, 0.0), state) == 0.0
        for n in range(rate // 2):
            last = follow(1.0, 0.5, at((n + 1) / rate, 1 / rate), state)
        assert last == pytest.approx(0.5)
        assert follow(9.0, 0.5, at(0.0, 0.0), state) == 9.0  # a seek starts afresh
        assert follow(4.0, 0.0, at(1.0), state) == 4.0


def test_random_repeats_stays_in_range_and_is_even() -> None:
    numbers = [value.random_number(seed, step) for seed in range(20) for step in range(200)]
    assert min(numbers) >= 0 and max(numbers) < 1 and abs(np.mean(numbers) - 0.5) < 0.02
    assert abs(np.std(numbers) - 12**-0.5) < 0.01 and len(set(numbers)) == len(numbers)
    chance = value.Random().process
    jump = [chance(1, 2.0, "jump", 5.0, 6.0, at(t)) for t in (0.0, 0.4, 0.6)]
    assert jump[0] == jump[1] != jump[2] and all(5 <= v < 6 for v in jump)
    flow = [chance(1, 2.0, "flow", 0.0, 1.0, at(t / 100)) for t in range(300)]
    assert np.abs(np.diff(flow)).max() < 0.035 and flow[0] == chance(1, 2.0, "jump", 0.0, 1.0, at(0))
    assert len({chance(1, 0.0, "flow", 0.0, 1.0, at(t)) for t in range(5)}) == 1


KNOTS = st.lists(st.tuples(st.floats(-2, 2), st.floats(-2, 2)), min_size=1, max_size=8, unique_by=lambda k: round(k[0], 3))


@given(KNOTS)
def test_curves_pass_their_knots_and_never_overshoot(knots: list[tuple[float, float]]) -> None:
    knots = sorted((round(x, 3), y) for x, y in knots)
    for x, y in knots:
        assert evaluate(knots, x) == pytest.approx(y, abs=1e-9)
    for (x0, y0), (x1, y1) in zip(knots, knots[1:], strict=False):
        for t in np.linspace(0, 1, 9):
            assert min(y0, y1) - 1e-9 <= evaluate(knots, x0 + (x1 - x0) * t) <= max(y0, y1) + 1e-9
    assert evaluate(knots, -9.0) == knots[0][1] and evaluate(knots, 9.0) == knots[-1][1]


def test_curve_node_and_its_table_agree() -> None:
    knots = [(0.0, 0.2), (0.4, 0.9), (1.0, 0.1)]
    filled = np.zeros(11, np.float32)
    table(knots, filled)
    assert filled == pytest.approx([value.CurveValue().process(x / 10, knots) for x in range(11)])
    assert value.CurveValue().process(0.3, [(0.0, 0.0), (1.0, 1.0)]) == pytest.approx(0.3)


def test_values_travel_on_wires() -> None:
    assert play("value.maths", inputs={"a": 2.0, "b": 0.25}, operation="divide") == 8.0
    parts = play("value.split", inputs={"vector": (1.0, 2.0, 3.0, 4.0)})
    assert [parts[k] for k in "xyzw"] == [1.0, 2.0, 3.0, 4.0]
    assert play("value.oscillator", time=250_000) == pytest.approx(1.0)


def test_what_is_no_number_goes_no_further() -> None:
    state, tick = SimpleNamespace(last=None), at(1.0)
    assert value.Smooth().process(math.nan, 0.1, tick, state) == 0.0
    assert value.Smooth().process(3.0, 0.1, tick, state) == 3.0 == value.Smooth().process(math.nan, 0.1, tick, state)
    assert value.Clamp().process(math.nan, 0.25, 1.0) == 0.25
    assert value.Remap().process(math.nan, 0.0, 1.0, 5.0, 6.0, False) == 5.0
    assert value.MixNumber().process(0.0, math.inf, 0.5) == 0.0
