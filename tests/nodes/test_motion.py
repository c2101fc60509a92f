"""Springs against a numerical solution, easings at their ends, movements in time."""

from __future__ import annotations

import math

import numpy as np
import pytest
from driven import Driven
from hypothesis import given
from hypothesis import strategies as st

from spellwire.nodes import motion

SPRINGS = [(0.5, 0.0), (1.0, 0.4), (0.6, 1.0), (2.0, 0.9)]


def damping(settle: float, bounce: float) -> tuple[float, float]:
    """(natural frequency, ratio) that the node's two words mean."""
    ratio = 1 - 0.9 * bounce
    return (5.834 if ratio == 1 else 3.912 / ratio) / settle, ratio


@pytest.mark.parametrize(("settle", "bounce"), SPRINGS)
def test_a_spring_is_the_damped_oscillator(settle, bounce):
    """x'' = −2ζω·x' − ω²·(x − target), by small steps (Runge and Kutta), with a target that jumps."""
    omega, ratio = damping(settle, bounce)

    def slope(y, target):
        return np.array([y[1], -2 * ratio * omega * y[1] - omega**2 * (y[0] - target)])

    y, h, place, speed = np.array([0.0, 2.0]), 1e-3, 0.0, 2.0
    for step in range(24):
        target = (1.0, -0.5, 2.0)[step // 8]
        for _ in range(40):
            k1 = slope(y, target)
            k2 = slope(y + h / 2 * k1, target)
            k3 = slope(y + h / 2 * k2, target)
            y = y + h / 6 * (k1 + 2 * k2 + 2 * k3 + slope(y + h * k3, target))
        place, speed = motion.spring(place, speed, target, 0.04, settle, bounce)
        assert (place, speed) == pytest.approx(tuple(y), abs=1e-4)


@pytest.mark.parametrize(("settle", "bounce"), SPRINGS)
def test_a_spring_settles_in_its_time_at_any_frame_rate(settle, bounce):
    ends = []
    for rate in (15, 60, 240):
        node = Driven(motion.Spring, settle=settle, bounce=bounce)
        node(0.0, target=0.0)
        moved = [node(i / rate, target=1.0)[0] for i in range(1, round(3 * settle * rate))]
        assert all(abs(v - 1) < 0.45 * (1 if bounce > 0.8 else 0.1) for v in moved[round(settle * rate) :])
        assert (max(moved) > 1.01) == (bounce > 0.3), "it overshoots only if asked"
        ends.append(node(3 * settle)[0])
    assert np.ptp(ends) < 1e-3


def test_a_spring_starts_where_it_is_asked_and_bears_nonsense():
    node = Driven(motion.Spring)
    assert node(0.0, target=5.0) == (5.0, 0.0)
    assert node(1.0, target=math.nan) == (5.0, 0.0)
    assert Driven(motion.Spring, settle=0.0)(0.0, target=2.0) == (2.0, 0.0)
    two = Driven(motion.Spring2)
    assert two(0.0, target=(1.0, 2.0)) == ((1.0, 2.0), (0.0, 0.0))
    there = two(30.0, target=(3.0, -1.0))[0]
    assert there == pytest.approx((3.0, -1.0), abs=1e-6)
    assert Driven(motion.Spring2)(0.0, target=(math.nan, 0.0)) == ((0.0, 0.0), (0.0, 0.0))


@given(st.floats(0, 1), st.floats(0.01, 10), st.floats(-1e3, 1e3), st.floats(0, 20))
def test_a_spring_never_explodes(bounce, settle, speed, delta):
    place, moving = motion.spring(0.0, speed, 1.0, delta, settle, bounce)
    assert abs(place) <= 2.5 + abs(speed) * settle and math.isfinite(moving)


@pytest.mark.parametrize("curve", motion.EASINGS)
def test_easings_begin_end_and_mirror(curve):
    for end in motion.ENDS:
        assert [motion.eased(t, curve, end) for t in (-1, 0, 1, 2)] == pytest.approx([0, 0, 1, 1], abs=1e-9)
        values = [motion.eased(i / 1000, curve, end) for i in range(1001)]
        assert np.abs(np.diff(values)).max() < 0.025, "no jump"
    for i in range(11):
        t = i / 10
        assert motion.eased(t, curve, "in") == pytest.approx(1 - motion.eased(1 - t, curve, "out"))
        assert motion.eased(t, curve, "both") == pytest.approx(1 - motion.eased(1 - t, curve, "both"))
    early = motion.eased(0.2, curve, "in")
    assert early == pytest.approx(0.2) if curve == "linear" else early < 0.2
    assert (min(values) < -0.01) == (curve in ("back", "elastic"))
    assert motion.eased(math.nan, curve, "in") == pytest.approx(0.0)


def test_a_move_takes_its_time_and_turns_without_a_jump():
    node = Driven(motion.Move, seconds=1.0, curve="linear")
    assert node(0.0, target=2.0) == (2.0, False)
    assert node(1.0, target=4.0) == (2.0, True)
    assert node(1.5)[0] == pytest.approx(3.0)
    assert node(1.5, target=1.0)[0] == pytest.approx(3.0)
    assert node(2.0)[0] == pytest.approx(2.0)
    assert node(2.5) == (1.0, False)
    assert node(2.6, target=math.nan) == (1.0, False)
    assert Driven(motion.Move)(0.0, target=math.nan) == (0.0, False)
    assert Driven(motion.Move, seconds=0.0)(0.0, target=3.0) == (3.0, False)
