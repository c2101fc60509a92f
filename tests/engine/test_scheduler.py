"""The scheduler's core, in virtual time: no threads, no clocks, every decision checked."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from spellwire.runtime.session.core import (
    Arrived,
    Drop,
    Ended,
    Feed,
    Finish,
    LaneDone,
    Publish,
    Render,
    Rendered,
    decide,
    replay,
    start,
)


def run(events, lanes=()):
    return [actions for _, actions in replay(events, lanes)]


def test_one_flies_one_waits_and_the_newest_wins():
    rows = run([Arrived(0, 0, 0), Arrived(1, 33, 33), Arrived(2, 66, 66), Rendered(0, 70), Rendered(2, 90)])
    assert rows[0] == (Render(0),)
    assert rows[1] == ()
    assert [type(a) for a in rows[2]] == [Drop] and rows[2][0].frame == 1
    assert rows[3] == (Render(2),)
    assert rows[4] == ()


def test_the_end_waits_for_the_frame_in_flight():
    rows = run([Arrived(0, 0, 0), Ended(5), Rendered(0, 9)])
    assert rows[1] == () and rows[2] == (Finish(),)
    assert run([Ended(0)]) == [(Finish(),)]


def test_an_idle_lane_is_fed_after_a_frame_and_published_before_one():
    rows = run(
        [
            Arrived(0, 0, 0),
            Rendered(0, 5),
            Arrived(1, 9, 9),
            Rendered(1, 15),
            LaneDone("d", 0, 17),
            Arrived(2, 20, 20),
        ],
        ["d"],
    )
    assert rows[1] == (Feed("d", 0),)
    assert rows[3] == (), "the lane is busy: it is not fed"
    assert rows[4] == (), "nothing is published under a frame's feet"
    assert rows[5] == (Publish("d", 0), Render(2))


def test_what_a_lane_gave_is_published_before_it_is_fed_again():
    rows = run(
        [Arrived(0, 0, 0), Rendered(0, 5), Arrived(1, 9, 9), LaneDone("d", 0, 12), Rendered(1, 15)], ["d"]
    )
    assert rows[4] == (Publish("d", 0), Feed("d", 1))


@st.composite
def sessions(draw):
    """A source and lanes with any costs, simulated against the core."""
    return (
        draw(st.lists(st.integers(1, 60), min_size=1, max_size=40)),
        draw(st.lists(st.integers(1, 90), min_size=1, max_size=8)),
        draw(st.dictionaries(st.sampled_from("abc"), st.integers(1, 200), max_size=3)),
    )


@given(sessions())
@settings(max_examples=200, deadline=None)
def test_every_frame_is_shown_or_dropped_once_and_nothing_overlaps(session):
    gaps, costs, lanes = session
    pending, now = [], 0
    for frame, gap in enumerate(gaps):
        now += gap
        pending.append((now, 0, Arrived(frame, now, now)))
    pending.append((now + 1, 1, Ended(now + 1)))
    state, shown, dropped, busy, log, finished = start(lanes), [], [], set(), [], False
    while pending:
        pending.sort(key=lambda row: row[:2])
        at, _, event = pending.pop(0)
        log.append(event)
        if isinstance(event, LaneDone):
            busy.remove(event.lane)
        state, actions = decide(state, event)
        for action in actions:
            match action:
                case Render(frame=frame):
                    assert not finished and frame > max(shown, default=-1)
                    shown.append(frame)
                    done = at + costs[len(shown) % len(costs)]
                    pending.append((done, 2, Rendered(frame, done)))
                case Drop(frame=frame):
                    dropped.append(frame)
                case Feed(lane=lane, frame=frame):
                    assert lane not in busy
                    busy.add(lane)
                    pending.append((at + lanes[lane], 3, LaneDone(lane, frame, at + lanes[lane])))
                case Finish():
                    finished = True
    assert finished
    assert sorted(shown + dropped) == list(range(len(gaps)))
    assert (state.shown, state.dropped) == (len(shown), len(dropped))
    assert [a for _, a in replay(log, lanes)] == [a for _, a in replay(log, lanes)]


def test_a_recorded_list_of_events_replays_to_the_same_decisions():
    events = [
        Arrived(0, 0, 0),
        Arrived(1, 1, 1),
        Arrived(2, 2, 2),
        Rendered(0, 3),
        LaneDone("x", 0, 4),
        Rendered(2, 5),
    ]
    state, live = start(["x"]), []
    for event in events:
        state, actions = decide(state, event)
        live.append((event, actions))
    assert replay(events, ["x"]) == live
