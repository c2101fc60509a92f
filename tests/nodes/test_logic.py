"""Logic nodes frame by frame, and a whole effect that is played by events."""

from __future__ import annotations

import math

import numpy as np
import pytest
from driven import Driven, at
from hypothesis import given
from hypothesis import strategies as st

from spellwire.graph.document import effect_from_data
from spellwire.graph.errors import NodeError
from spellwire.nodes import logic
from spellwire.runtime.frames import Frame
from spellwire.runtime.media.base import StreamInfo
from spellwire.runtime.session import Session
from spellwire.runtime.values import Event

DOOR = "closed -> open on a  # knock\nopen → closed after 2 s; open -> closed on B\n* -> locked on c; locked -> closed on d"


def test_a_machine_is_read_as_it_is_written():
    machine = logic.parse_machine(DOOR)
    assert machine.states == ("closed", "open", "locked")
    assert machine.on("closed", "a") and not machine.on("open", "a") and machine.on("open", "c") == machine.on("locked", "c")
    assert machine.later("open").after == 2_000_000 and machine.later("closed") is None


@pytest.mark.parametrize("text", ["", "closed, open", "a -> b", "a -> b on x", "a -> b after soon", "a -> b after 0", "-> b on a", "a -> b after 1.2.3"])
def test_a_machine_that_can_t_be_read_says_which_line(text):
    with pytest.raises(NodeError, match="closed -> open on a"):
        logic.parse_machine(text)


def test_states_follow_events_and_time():
    node = Driven(logic.StateMachine, transitions=DOOR)
    assert node(0.0) == (0, "closed", 0.0, ())
    index, name, seconds, entered = node(1.0, a=[0.9])
    assert (index, name, entered) == (1, "open", (Event("open", 900_000, 1.0),)) and seconds == pytest.approx(0.1)
    assert node(2.0)[1] == "open"
    assert node(3.0)[1:] == ("closed", pytest.approx(0.1), (Event("closed", 2_900_000, 0.0),))
    assert [e.name for e in node(9.0, a=[4.0], d=[5.0])[3]] == ["open", "closed"], "what came by itself comes in time"
    assert [e.name for e in node(10.0, a=[9.1], b=[9.2], c=[9.3])[3]] == ["open", "closed", "locked"]
    node.given["transitions"] = "one -> two on a"
    assert node(11.0)[:2] == (0, "one"), "a state that is gone gives way to the first"


def test_a_circle_of_states_ends():
    node = Driven(logic.StateMachine, transitions="x -> y after 0.001; y -> x after 0.001")
    node(0.0)
    assert len(node(100.0)[3]) == logic.MOST


def test_when():
    node = Driven(logic.When, words="open, ajar")
    got = [node(t, text=w) for t, w in enumerate(("open", "closed", "ajar", "open", "shut"))]
    assert [(on, len(e)) for on, e in got] == [(True, 0), (False, 0), (True, 1), (True, 0), (False, 0)]


@pytest.mark.parametrize(("order", "wanted"), [("loop", [1, 2, 4, 1, 2, 4, 1]), ("back and forth", [1, 2, 4, 2, 1, 2, 4]),
                                               ("once", [1, 2, 4, 4, 4, 4, 4])])  # fmt: skip
def test_a_sequence_steps_at_events(order, wanted):
    node = Driven(logic.Sequence, steps="1, 2 4", order=order)
    got = [node(i, advance=[i] if i else [])[0] for i in range(7)]
    assert got == wanted


def test_a_sequence_glides_steps_by_itself_and_starts_over():
    node = Driven(logic.Sequence, steps="0, 1, 2", period=1.0, glide=0.5)
    assert [node(t)[0] for t in (0.0, 0.9, 1.0, 1.25, 1.5)] == pytest.approx([0, 0, 0, 0.5, 1])
    value, index, ended = node(3.25)
    assert (value, index) == (pytest.approx(1.0), 0) and [e.time for e in ended] == [3_000_000], "half way back from 2 to 0"
    assert node(4.2, restart=[4.2])[1] == 0
    with pytest.raises(NodeError, match="0, 1, 0.5"):
        Driven(logic.Sequence, steps="1, two")(0.0)


def test_chance_at_events_is_the_same_for_a_seed():
    def draws(**given):
        node = Driven(logic.RandomAtEvent, **given)
        return [node(0.0), *(node(t, events=[t]) for t in range(1, 200))]

    a, b, c = draws(seed=3), draws(seed=3), draws(seed=4)
    assert a == b != c and min(a) >= 0 and max(a) < 1 and len(set(a)) == 200
    die = draws(low=1, high=6, whole=True)
    assert set(die) == {1, 2, 3, 4, 5, 6}
    assert any(x == y for x, y in zip(die, die[1:], strict=False))
    fresh = draws(low=1, high=3, whole=True, repeat=False)
    assert set(fresh) == {1, 2, 3} and all(x != y for x, y in zip(fresh, fresh[1:], strict=False))
    assert set(draws(low=5, high=5, whole=True, repeat=False)) == {5}
    node = Driven(logic.RandomAtEvent)
    assert node(0.0) == node(1.0) != node(2.0, events=[2.0]) == node(3.0), "it changes at events only"


def test_hold_and_gather():
    node = Driven(logic.Hold, start=7.0)
    assert [node(0, value=1.0), node(1, value=2.0, events=[1]), node(2, value=3.0)] == [7.0, 2.0, 2.0]
    assert node(3, value=math.nan, events=[3]) == 2.0
    gather = logic.GatherNumbers().process
    assert [gather((1.0, 4.0, math.nan), how, -1.0) for how in (*logic.REDUCTIONS, "count")] == [4, 1, 5, 2.5, 1, 3]
    assert gather((), "largest", -1.0) == -1.0 and gather((), "count", -1.0) == 0.0


@given(st.floats(allow_nan=True))
def test_shares_are_of_at_most_two_and_one_in_all(index):
    parts = logic.shares(index)
    assert sum(parts) == pytest.approx(1.0) and sum(p > 0 for p in parts) <= 2


def test_choosing():
    assert Driven(logic.ChooseNumber, a=10.0, b=20.0)(0, index=0.5) == 15.0
    assert Driven(logic.ChooseNumber)(0, index=math.nan) == 0.0
    assert Driven(logic.ChooseColour, a=(1, 1, 1, 1), b=(0, 0, 0, 1))(0, index=1.0) == (0, 0, 0, 1)
    assert [Driven(logic.ChooseText, a="x", d="y")(0, index=i) for i in (0, 2.9, 99, math.nan)] == ["x", "", "y", "x"]


def test_an_effect_played_by_events():
    """Space knocks: a state machine chooses the picture, and falls back by itself."""
    nodes = {
        "n1": {"type": "source.input"},
        "n2": {"type": "event.key"},
        "n3": {"type": "logic.state_machine", "params": {"transitions": "calm -> loud on a; loud -> calm after 0.5"}, "inputs": {"a": "n2.pressed"}},
        "n4": {"type": "colour.invert", "inputs": {"image": "n1.image"}},
        "n5": {"type": "logic.choose_image", "inputs": {"a": "n1.image", "b": "n4.out", "index": "n3.index"}},
        "n6": {"type": "sink.output", "inputs": {"image": "n5.out"}},
    }
    effect = effect_from_data({"schema": 1, "nodes": nodes, "next_id": 7})
    grey, seen = Frame.make(64, 48, 3), []
    grey.data[...] = 40
    with Session.load(effect, StreamInfo("x", 64, 48)) as session:
        for i in range(9):
            if i == 2:
                session.event("space", time=150_000)
            seen.append(int(np.unique(session.render(grey, i * 100_000, i).data).item()))
        assert not session.engine.failures
    assert seen == [40, 40, 215, 215, 215, 215, 215, 40, 40], "for half a second from the key on"
    assert at(0.5) == Event("x", 500_000)
