"""Gestures by geometry, on hands made of straight bones."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_hands import SHOWN, made

from spellwire.runtime.perception.gesture import (
    ENTER,
    GESTURES,
    NONE,
    new_memory,
    openness,
    pinched,
    scores,
    step,
)
from spellwire.runtime.values import HandItem

NOT_THESE = [(0, 0, 0, 0, 1), (0, 1, 0, 0, 1), (0, 1, 1, 1, 0), (0, 0, 1, 0, 0), (0, 1, 1, 1, 1)]
TURN = {"thumb up": -90.0}  # degrees: the thumb of an upright hand points sideways


def best(hand: HandItem) -> str:
    seen = scores(hand)
    name = max(seen, key=lambda n: seen[n])
    return name if seen[name] > ENTER else NONE


@pytest.mark.parametrize("world", [True, False])
@pytest.mark.parametrize("name", GESTURES)
def test_each_gesture_is_told_from_all_others(name, world):
    hand = made(SHOWN[name], TURN.get(name, 0.0), world=world)
    seen = scores(hand)
    assert best(hand) == name and seen[name] > 0.9
    assert sum(score > ENTER for score in seen.values()) == 1


@pytest.mark.parametrize("fingers", NOT_THESE)
def test_other_hands_are_none(fingers):
    assert best(made(fingers)) == NONE


@settings(max_examples=30, deadline=None)
@given(name=st.sampled_from([g for g in GESTURES if g != "thumb up"]), turn=st.floats(-180, 180), mirrored=st.booleans())
def test_turned_and_mirrored_hands_show_the_same(name, turn, mirrored):
    assert best(made(SHOWN[name], turn, mirrored=mirrored)) == name


def test_a_thumb_is_up_only_when_it_points_up():
    assert best(made(SHOWN["thumb up"], -90)) == "thumb up"
    assert best(made(SHOWN["thumb up"], 90)) == NONE
    assert best(made(SHOWN["thumb up"], 0)) == NONE
    assert best(made(SHOWN["thumb up"], 90, mirrored=True)) == "thumb up"


def test_fingers_that_touch_are_no_v():
    hand = made(SHOWN["victory"])
    assert hand.world is not None
    hand.world[6:9] = hand.world[5] + (hand.world[10:13] - hand.world[9])  # parallel to the middle finger
    assert best(hand) == NONE


def test_openness_is_of_each_finger():
    for k in range(5):
        fingers = tuple(int(i == k) for i in range(5))
        hand = made(fingers)
        assert hand.world is not None
        assert openness(hand.world.astype(float)).round().astype(int).tolist() == list(fingers)


@pytest.mark.parametrize("spoil", [np.nan, np.inf])
def test_landmarks_that_are_no_numbers(spoil):
    hand = made(SHOWN["open"], world=False)
    hand.landmarks[3, 1] = spoil
    assert set(scores(hand).values()) == {0.0} and pinched(hand) == 0
    hand.landmarks[:] = 5  # a hand that is one point
    assert set(scores(hand).values()) == {0.0} and pinched(hand) == 0


def test_a_pinch_is_tips_that_touch():
    hand = made(SHOWN["open"])
    assert pinched(hand) == 0 and hand.world is not None
    far = hand.world[4].copy()
    values = []
    for t in (0.0, 0.5, 0.8, 1.0):
        hand.world[4] = far + t * (hand.world[8] - far)
        values.append(pinched(hand))
    assert values[0] == 0 and values[-1] == 1 and values == sorted(values)


def told(*seen: dict[str, float], patience: float = 0.1, delta: float = 0.04) -> list[str]:
    memory = new_memory()
    return [step(memory, dict.fromkeys(GESTURES, 0.0) | s, delta, patience) for s in seen]


def test_a_gesture_must_last_before_it_counts():
    flash, fist = {"open": 0.9}, {"fist": 0.9}
    assert told(flash, flash, *[fist] * 5) == [NONE] * 5 + ["fist"] * 2
    assert told(flash, *[{}] * 4) == [NONE] * 5
    assert told(flash, fist, patience=0.0) == ["open", "fist"]


def test_a_gesture_is_kept_while_it_wavers():
    """Between the two thresholds nothing changes, either way."""
    wavering = [{"open": s} for s in (0.45, 0.35, 0.48, 0.4) * 3]
    assert set(told(*wavering)) == {NONE}
    assert set(told(*[{"open": 0.9}] * 5, *wavering)[5:]) == {"open"}
    assert told(*[{"open": 0.9}] * 5, *[{"open": 0.1}] * 5)[-1] == NONE


def test_a_gesture_gives_way_to_one_that_is_clearer_by_far():
    first = [{"pointing": 0.6, "victory": 0.4}] * 5
    assert told(*first, *[{"pointing": 0.5, "victory": 0.6}] * 5)[-1] == "pointing"
    assert told(*first, *[{"pointing": 0.4, "victory": 0.8}] * 5)[-1] == "victory"
