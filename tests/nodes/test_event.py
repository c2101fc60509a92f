"""Events: keys and touches through the session's own door, and what is made of them, frame by frame."""

from __future__ import annotations

import math

import numpy as np
import pytest
from driven import Driven, at
from hypothesis import given
from hypothesis import strategies as st

from spellwire.graph.document import effect_from_data
from spellwire.nodes import event
from spellwire.runtime.frames import Frame
from spellwire.runtime.media.base import StreamInfo
from spellwire.runtime.session import Session
from spellwire.runtime.session.messages import SendEvent, decode, encode
from spellwire.runtime.values import Event


@pytest.fixture
def session():
    nodes = {
        "n1": {"type": "source.input"},
        "n2": {"type": "event.key", "params": {"key": "a"}},
        "n3": {"type": "event.toggle", "inputs": {"events": "n2.pressed"}},
        "n4": {"type": "event.count", "params": {"limit": 3}, "inputs": {"events": "n2.pressed"}},
        "n5": {"type": "event.pulse", "params": {"fall": 0.5}, "inputs": {"events": "n2.pressed"}},
        "n6": {
            "type": "value.maths",
            "params": {"operation": "add"},
            "inputs": {"a": "n4.count", "b": "n5.value"},
        },
        "n7": {
            "type": "value.maths",
            "params": {"operation": "multiply", "b": 0.0},
            "inputs": {"a": "n6.out"},
        },
        "n8": {"type": "colour.exposure", "inputs": {"image": "n1.image", "stops": "n7.out"}},
        "n9": {"type": "composite.switch", "inputs": {"off": "n8.out", "on": "n10.out", "amount": "n3.on"}},
        "n10": {"type": "colour.invert", "inputs": {"image": "n1.image"}},
        "n11": {"type": "sink.output", "inputs": {"image": "n9.out"}},
    }
    effect = effect_from_data({"schema": 1, "nodes": nodes, "next_id": 12})
    with Session.load(effect, StreamInfo("x", 64, 48)) as one:
        yield one


def test_a_key_toggles_counts_and_flashes(session):
    grey = Frame.make(64, 48, 3)
    grey.data[...] = 40
    seen = []
    for i, keys in enumerate([[], ["a"], ["b"], ["a", "a"], []]):
        for key in keys:
            session.event(key)
        shown = int(session.render(grey, i * 100_000, i).data[0, 0, 0])
        values = session.engine.value
        seen.append((shown, values(("n4", "count")), values(("n5", "value"))))
    assert [s[0] for s in seen] == [40, 215, 215, 215, 215], "three presses: on, off, on"
    assert [s[1] for s in seen] == [0, 1, 1, 0, 0], "it starts over at 3"
    fallen = math.exp(-0.1 / 0.5)
    assert np.allclose([s[2] for s in seen], [0, 1, fallen, 1, fallen])


def times(events) -> list[float]:
    return [round(e.time * 1e-6, 6) for e in events]


def test_a_touch_says_where_and_follows(session):
    node = Driven(event.Touch)
    assert node(0.0) == ((), (), False, (0.0, 0.0))
    touch, drag, lift = (Event(n, 100, 1.0, x, -0.25) for n, x in (("touch", 0.1), ("drag", 0.2), ("release", 0.3)))
    assert node(0.1, [touch]) == ((touch,), (), True, (0.1, -0.25))
    assert node(0.2, [Event("space", 1), drag]) == ((), (), True, (0.2, -0.25))
    assert node(0.3, [lift]) == ((), (lift,), False, (0.3, -0.25))
    assert node(0.4, [touch, lift])[2:] == (False, (0.3, -0.25)), "a tap within a frame is a touch"


def test_a_touch_comes_through_the_session(session):
    sent = decode(encode(SendEvent("touch", -1, 1.0, 0.4, -0.1)))
    session.handle(sent)
    heard = []
    session.engine.frame = lambda frame, time, index, events: heard.extend(events) or frame
    session.render(Frame.make(64, 48, 3), 0, 0)
    assert [(e.name, e.x, e.y) for e in heard] == [("touch", 0.4, -0.1)]


def test_a_threshold_fires_once_a_crossing():
    node = Driven(event.Threshold, level=0.5, hysteresis=0.2)
    fired = [bool(node(i / 10, value=v)[0]) for i, v in enumerate([0.0, 0.6, 0.45, 0.6, 0.2, 0.55, math.nan, 0.9])]
    assert fired == [False, True, False, False, False, True, False, False]
    assert node(1.0, value=0.0) == ((), False, (Event("threshold", 1_000_000, 0.0),))
    below = Driven(event.Threshold, level=0.5, hysteresis=0.1, side="below")
    assert [bool(below(t, value=v)[0]) for t, v in ((0, 1.0), (1, 0.4), (2, 0.55), (3, 0.65), (4, 0.4))] == [0, 1, 0, 0, 1]


def test_a_threshold_keeps_its_distance_and_does_not_fire_at_first_sight():
    node = Driven(event.Threshold, gap=1.0)
    assert node(0.0, value=1.0)[:2] == ((), True)
    fired = [bool(node(t, value=v)[0]) for t, v in ((0.1, 0), (0.2, 1), (0.3, 0), (0.9, 1), (1.0, 0), (1.3, 1))]
    assert fired == [0, 1, 0, 0, 0, 1]


def test_a_change_is_two_events():
    node = Driven(event.Change)
    got = [node(t, value=v) for t, v in enumerate((True, True, False, True))]
    assert [(len(a), len(b)) for a, b in got] == [(0, 0), (0, 0), (0, 1), (1, 0)]


def test_latch_and_count_go_by_time_within_a_frame():
    latch = Driven(event.Latch)
    assert [latch(0), latch(1, on=[0.5], off=[0.7]), latch(2), latch(3, off=[2.1], on=[2.2])] == [False, False, False, True]
    assert latch(4, on=[3.5], off=[3.5]) is False, "at the same time off counts"
    count = Driven(event.Count, limit=2)
    assert count(0, events=[0, 0, 0]) == (1.0, (at(0),))
    assert count(1, events=[0.9], reset=[0.5]) == (1.0, ())
    assert count(2, events=[1.1, 1.2], reset=[1.2]) == (0.0, (at(1.1),))


def test_every_beat_comes_once_whatever_the_frames():
    def heard(steps, **given):
        node = Driven(event.Every, **given)
        return [t for s in steps for t in times(node(s))]

    wanted = [0.0, 0.25, 0.5, 0.75, 1.0]
    assert heard([i / 30 for i in range(32)], period=0.25) == wanted
    assert heard([0.0, 0.6, 0.6, 1.01], period=0.25) == wanted
    assert heard([0.3, 0.9], period=0.25, offset=0.1) == [0.35, 0.6, 0.85]
    assert heard([0.0, 1.0], period=0.25, run=False) == []
    assert len(heard([0.0, 100.0], period=0.25)) <= event.MOST + 1, "a long gap makes no avalanche"
    values = [e.value for s in (0.0, 0.6, 1.0) for e in Driven(event.Every, period=0.25)(s)]
    assert values[0] == 0.0


@given(st.lists(st.floats(0.001, 0.4), min_size=1, max_size=40), st.floats(0.05, 0.5))
def test_no_beat_is_lost_or_doubled(steps, period):
    node, now, got = Driven(event.Every, period=period), 0.0, []
    for step in [0.0, *steps]:
        now += step
        got += [e.value for e in node(now)]
    assert got == [float(i) for i in range(len(got))] and len(got) >= int(now / period) - 1


def test_a_timer_runs_ends_and_starts_anew():
    node = Driven(event.Timer, seconds=1.0)
    assert node(0.0) == (0.0, False, 0.0, ())
    assert node(0.1, start=[0.1]) == (0.0, True, 1.0, ())
    assert node(0.6)[0] == pytest.approx(0.5)
    progress, running, left, done = node(1.2)
    assert (progress, running, left, times(done)) == (1.0, False, 0.0, [1.1])
    assert node(1.3) == (1.0, False, 0.0, ())
    assert times(node(3.0, start=[1.5, 2.7])[3]) == [2.5], "the end between two starts is told"
    assert node(3.1, stop=[3.05]) == (0.0, False, 0.0, ())
    assert Driven(event.Timer, seconds=0.0)(1.0, start=[1.0])[0::3] == (1.0, (Event("done", 1_000_000),))


@given(st.lists(st.integers(0, 3_000_000), max_size=12), st.integers(0, 1_000_000))
def test_a_delay_loses_and_doubles_nothing(sent, late):
    node, got = Driven(event.Delay, seconds=late * 1e-6), []
    for now in range(0, 4_200_000, 100_000):
        came = [Event("x", t) for t in sorted(sent) if now - 100_000 < t <= now]
        out = node(now * 1e-6, events=came)
        assert all(now - 100_000 < e.time <= now for e in out)
        got += [e.time - late for e in out]
    assert got == sorted(sent)


def test_gate_merge_gather():
    gate = Driven(event.Gate, gap=0.5)
    assert times(gate(1.0, events=[0.1, 0.2, 0.7])) == [0.1, 0.7]
    assert gate(2.0, events=[1.5], condition=False) == ()
    assert times(Driven(event.Merge)(1.0, a=[0.4], b=[0.1, 0.9], d=[0.2])) == [0.1, 0.2, 0.4, 0.9]
    assert times(event.Gather().process([(at(0.4),), (), (at(0.1),)])) == [0.1, 0.4]


def test_an_envelope_rises_holds_falls_and_rises_again_from_where_it_is():
    node = Driven(event.Envelope, attack=0.2, hold=0.1, decay=0.4, smooth=False)
    assert node(0.0) == (0.0, False)
    levels = [node(t, events=[0.1] if t == 0.1 else [])[0] for t in (0.1, 0.2, 0.3, 0.4, 0.6)]
    assert levels == pytest.approx([0.0, 0.5, 1.0, 1.0, 0.5])
    assert node(0.6, events=[0.6])[0] == pytest.approx(0.5), "no jump"
    assert [node(0.7)[0], node(0.8)[0], node(1.0)[0]] == pytest.approx([1.0, 1.0, 0.5])
    assert node(1.3) == (0.0, False)
    assert Driven(event.Envelope, attack=0, hold=0, decay=0)(0.0, events=[0.0]) == (0.0, False)

