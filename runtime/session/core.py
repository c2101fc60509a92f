"""The scheduler's pure core: (state, event) → (state, actions). No threads, no clocks.

Frames are dropped once, at the entrance: one in flight, one waiting, the newest wins. A model lane has one frame in
flight; what it gave is published and it is fed between two frames. So the render lane waits for nothing, and a recorded
list of events replays every decision.

    arrive ─> waiting ─> in flight (render lane) ─> shown
                              └─ feed ─> lane ─ done ─> publish, before the next frame
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

__all__ = ["Action", "Arrived", "Drop", "Ended", "Event", "Feed", "Finish", "LaneDone", "Publish", "Render", "Rendered",
           "Replanned", "State", "decide", "replay", "start"]  # fmt: skip


@dataclass(frozen=True)
class Arrived:
    """A frame is there. `time` µs of the stream, `at` ns of the driver's clock."""

    frame: int
    time: int
    at: int


@dataclass(frozen=True)
class Rendered:
    """The frame in flight was rendered and handed to the sink."""

    frame: int
    at: int


@dataclass(frozen=True)
class LaneDone:
    """A model lane finished with a frame."""

    lane: str
    frame: int
    at: int


@dataclass(frozen=True)
class Replanned:
    """Another plan plays from now on, with these lanes."""

    lanes: tuple[str, ...]
    at: int


@dataclass(frozen=True)
class Ended:
    """No more frames will arrive."""

    at: int


@dataclass(frozen=True)
class Render:
    """Render this frame now."""

    frame: int


@dataclass(frozen=True)
class Drop:
    """Let this frame go: `cause` says why, for the trace."""

    frame: int
    cause: str


@dataclass(frozen=True)
class Feed:
    """Hand the frame just rendered to an idle lane."""

    lane: str
    frame: int


@dataclass(frozen=True)
class Publish:
    """Let readers see what a lane gave."""

    lane: str
    frame: int


@dataclass(frozen=True)
class Finish:
    """Nothing is left to do."""


Event = Arrived | Rendered | LaneDone | Replanned | Ended
Action = Render | Drop | Feed | Publish | Finish


@dataclass(frozen=True)
class State:
    """What the scheduler knows.

    Attributes:
        flying, waiting: frame ids, or None.
        lanes: lane → the frame it works on, or None.
        ready: lanes that are done and not yet published → their frame.
        shown, dropped: counts.
        ended: the source is through.
    """

    flying: int | None = None
    waiting: int | None = None
    lanes: Mapping[str, int | None] = field(default_factory=dict)
    ready: Mapping[str, int] = field(default_factory=dict)
    shown: int = 0
    dropped: int = 0
    ended: bool = False


def start(lanes: Iterable[str] = ()) -> State:
    """Nothing has arrived; every lane is idle."""
    return State(lanes=dict.fromkeys(lanes))


def decide(state: State, event: Event) -> tuple[State, tuple[Action, ...]]:
    """What to do now that `event` happened."""
    match event:
        case Arrived(frame=frame):
            return _arrived(state, frame)
        case Rendered(frame=frame):
            idle = [lane for lane, busy in state.lanes.items() if busy is None]
            feeds = tuple(Feed(lane, frame) for lane in idle)
            lanes = {**state.lanes, **dict.fromkeys(idle, frame)}
            done = replace(state, flying=None, shown=state.shown + 1, lanes=lanes, ready={})
            return _next(done, (*_publish(state), *feeds))  # published first: a fed lane writes anew
        case LaneDone(lane=lane) if lane not in state.lanes:
            return state, ()
        case Replanned(lanes=names):
            lanes = {name: state.lanes.get(name) for name in names}
            ready = {lane: frame for lane, frame in state.ready.items() if lane in lanes}
            return replace(state, lanes=lanes, ready=ready), ()
        case LaneDone(lane=lane, frame=frame):
            lanes = {**state.lanes, lane: None}
            return replace(state, lanes=lanes, ready={**state.ready, lane: frame}), ()
        case Ended():
            return _next(replace(state, ended=True), ())


def _arrived(state: State, frame: int) -> tuple[State, tuple[Action, ...]]:
    if state.flying is None:
        return _next(replace(state, waiting=frame), ())
    if state.waiting is None:
        return replace(state, waiting=frame), ()
    drop = Drop(state.waiting, "a newer frame arrived while one was being rendered")
    return replace(state, waiting=frame, dropped=state.dropped + 1), (drop,)


def _next(state: State, before: tuple[Action, ...]) -> tuple[State, tuple[Action, ...]]:
    """Start on the waiting frame, with what lanes gave meanwhile."""
    if state.flying is not None:
        return state, before
    if state.waiting is None:
        return state, (*before, Finish()) if state.ended else before
    begun = replace(state, flying=state.waiting, waiting=None, ready={})
    return begun, (*before, *_publish(state), Render(state.waiting))


def _publish(state: State) -> tuple[Action, ...]:
    return tuple(Publish(lane, frame) for lane, frame in state.ready.items())


def replay(events: Iterable[Event], lanes: Iterable[str] = ()) -> list[tuple[Event, tuple[Action, ...]]]:
    """Recompute every decision of a recorded run."""
    state, rows = start(lanes), []
    for event in events:
        state, actions = decide(state, event)
        rows.append((event, actions))
    return rows
