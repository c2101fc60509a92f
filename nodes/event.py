"""Event: keys, touches and other things that happen once; made from values, counted, delayed, let through, remembered.

A Trigger carries timed events, none to many a frame; those of frames that were dropped reach the next one. Times are µs
of the stream. Nodes that take several streams go through their events in order of time.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from ..graph.declare import In, Out, Param, ProcessNode, param, port, result, slot
from ..graph.types import Boolean, Choice, Integer, Number, Text, Trigger, Vector2
from ..runtime.values import Event

__all__ = [
    "Change", "Count", "Delay", "Envelope", "Every", "Gate", "Gather", "Key", "Latch", "Merge", "Pulse", "Threshold",
    "Timer", "Toggle", "Touch",
]  # fmt: skip

MOST = 64  # events a frame that a node makes by itself: after a long gap there is no avalanche
Events = tuple[Event, ...]


def in_order(*streams: Iterable[Event]) -> list[tuple[Event, int]]:
    """The events of several streams by time, each with the number of its stream; at one time the first stream first."""
    return sorted(((e, i) for i, stream in enumerate(streams) for e in stream or ()), key=lambda pair: pair[0].time)


def micros(seconds: float) -> int:
    """Seconds in µs; 0 for what is no number or below 0."""
    return round(seconds * 1e6) if seconds > 0.0 and math.isfinite(seconds) else 0


class Key(ProcessNode, type="event.key"):
    """Fires when a key is pressed in the window, or when the host sends an event of that name.

    The window keeps m (mirror), s (snapshot), r (record), f (full screen), h (help) and q (quit) for itself.
    """

    key: Param[Text] = param("space", doc="the key's name: a letter, a digit, space, left, right, …")
    pressed: Out[Trigger] = result(doc="an event for each press")

    def process(self, key, tick):
        return tuple(event for event in tick.events if event.name == key)


class Touch(ProcessNode, type="event.touch"):
    """Fires when the picture is touched or clicked, and says where; follows the finger while it is down.

    Hosts send events named touch, drag and release. A window that shows the picture mirrored turns the place back.
    """

    touched: Out[Trigger] = result(doc="an event for each touch")
    released: Out[Trigger] = result(doc="an event for each finger lifted")
    held: Out[Boolean] = result(doc="whether a finger, or the button, is down")
    position: Out[Vector2] = result(
        doc="where it was last, in frame heights from the frame's centre, x right, y down; 0, 0 before the first touch"
    )
    held_now = slot(False)
    place = slot((0.0, 0.0))

    def process(self, tick, state):
        events = [e for e in tick.events if e.name in ("touch", "drag", "release")]
        for event in events:
            state.place = event.x, event.y
            state.held_now = event.name != "release"
        touched = tuple(e for e in events if e.name == "touch")
        return touched, tuple(e for e in events if e.name == "release"), state.held_now, state.place


class Threshold(ProcessNode, type="event.threshold"):
    """Fires when a number rises past a level; it must fall clearly below before it can fire again."""

    value: In[Number] = port(doc="the number that is watched; what is no number changes nothing")
    level: Param[Number] = param(0.5, doc="where it fires")
    hysteresis: Param[Number] = param(0.1, low=0, high=1000, step=0.01, doc="how far it must come back from the level")
    gap: Param[Number] = param(0.0, low=0, high=60, step=0.05, unit="s", doc="shortest time between two events")
    side: Param[Choice] = param("above", choices=("above", "below"), doc="fire when it rises above, or falls below")
    fired: Out[Trigger] = result(doc="an event each time it crosses the level; its value is the number")
    on: Out[Boolean] = result(doc="whether it is past the level")
    left: Out[Trigger] = result(doc="an event each time it comes back")
    past: bool | None = slot(None)
    last: int | None = slot(None)

    def process(self, value, level, hysteresis, gap, side, tick, state):
        sign = -1.0 if side == "below" else 1.0
        fired, left = crossing(state, sign * value, sign * level, hysteresis, gap, tick.time, value)
        return fired, bool(state.past), left


def crossing(
    state: Any, value: float, level: float, hysteresis: float, gap: float, time: int, shown: float | None = None,
    name: str = "threshold",
) -> tuple[Events, Events]:  # fmt: skip
    """A switch with hysteresis: (events of switching on, events of switching off) for the next number.

    state: `past` (None before the first number, which only sets it) and `last` (µs of the last event, or None). An
    event nearer to the last than `gap` seconds is not given, though the switch turns.
    """
    if not math.isfinite(value):
        return (), ()
    was = state.past
    state.past = value > level if was is None else value > (level - hysteresis if was else level)
    if was is None or state.past == was:
        return (), ()
    event = (Event(name, time, value if shown is None else shown),)
    if was:
        return (), event
    if state.last is not None and 0 <= time - state.last < micros(gap):
        return (), ()
    state.last = time
    return event, ()


class Change(ProcessNode, type="event.change"):
    """Fires when a yes or no changes."""

    value: In[Boolean] = port(doc="what is watched")
    on: Out[Trigger] = result(doc="an event when it becomes yes")
    off: Out[Trigger] = result(doc="an event when it becomes no")
    last: bool | None = slot(None)

    def process(self, value, tick, state):
        was, state.last = state.last, bool(value)
        if was is None or was == state.last:
            return (), ()
        event = (Event("change", tick.time, float(state.last)),)
        return (event, ()) if state.last else ((), event)


class Toggle(ProcessNode, type="event.toggle"):
    """Turn over at each event: on, off, on."""

    events: In[Trigger] = port(doc="what turns it")
    start: Param[Boolean] = param(False, doc="what it is before the first event")
    on: Out[Boolean] = result(doc="on or off")
    turned = slot(0)

    def process(self, events, start, state):
        state.turned = (state.turned + len(events)) % 2
        return bool(start) != bool(state.turned)


class Latch(ProcessNode, type="event.latch"):
    """On at one event, off at another, as it was in between."""

    on: In[Trigger] = port(doc="what switches it on")
    off: In[Trigger] = port(optional=True, doc="what switches it off; of both at the same time this one counts")
    start: Param[Boolean] = param(False, doc="what it is before the first event")
    value: Out[Boolean] = result(doc="on or off")
    last: bool | None = slot(None)

    def process(self, on, off, start, state):
        for _, stream in in_order(on, off):
            state.last = stream == 0
        return bool(start) if state.last is None else state.last


class Count(ProcessNode, type="event.count"):
    """How many events there were; with a limit it starts over, to step through choices."""

    events: In[Trigger] = port(doc="what is counted")
    reset: In[Trigger] = port(optional=True, doc="what sets the count to 0; of both at the same time it comes last")
    limit: Param[Integer] = param(0, low=0, high=1_000_000, doc="start over at this count; 0 = never")
    count: Out[Number] = result(doc="0, 1, 2, …")
    full: Out[Trigger] = result(doc="an event each time the limit was reached")
    counted = slot(0)

    def process(self, events, reset, limit, state):
        full = []
        for event, stream in in_order(events, reset):
            state.counted = 0 if stream else state.counted + 1
            if not stream and limit > 0 and state.counted % limit == 0:
                full.append(event)
        return float(state.counted % limit if limit > 0 else state.counted), tuple(full)


class Every(ProcessNode, type="event.every"):
    """Fires again and again, at even steps of the stream's time: a metronome."""

    period: Param[Number] = param(1.0, low=0.01, high=3600, step=0.05, unit="s", doc="from one event to the next")
    offset: Param[Number] = param(0.0, low=0, high=3600, step=0.05, unit="s", doc="when the first one comes")
    run: Param[Boolean] = param(True, doc="no: silent; the beat goes on unheard")
    beat: Out[Trigger] = result(doc="the events; value: 0, 1, 2, …")
    last: int | None = slot(None)

    def process(self, period, offset, run, tick, state):
        before = tick.time - 1 if state.last is None else state.last
        state.last = tick.time
        step, first = max(micros(period), 10_000), micros(offset)
        if not run or tick.time < first or tick.time <= before:
            return ()
        number = max(0, -((first - before - 1) // step))  # the first beat after `before`
        last = (tick.time - first) // step
        return tuple(
            Event("beat", first + n * step, float(n)) for n in range(max(number, last - MOST + 1), last + 1)
        )


class Timer(ProcessNode, type="event.timer"):
    """Runs for so many seconds after an event: how far it is, and an event at the end. Another event starts it anew."""

    start: In[Trigger] = port(doc="what starts it")
    stop: In[Trigger] = port(optional=True, doc="what stops it before its end; of both at the same time it comes last")
    seconds: Param[Number] = param(3.0, low=0, high=3600, step=0.1, unit="s", doc="how long it runs")
    progress: Out[Number] = result(doc="0 to 1 while it runs; 1 after the end, 0 before the start and when stopped")
    running: Out[Boolean] = result(doc="whether it runs")
    left: Out[Number] = result(doc="seconds left")
    done: Out[Trigger] = result(doc="an event at each end")
    begun: int | None = slot(None)
    over = slot(False)

    def process(self, start, stop, seconds, tick, state):
        length, done = micros(seconds), []
        for event, stream in in_order(start, stop):
            self._end(state, event.time, length, done)
            state.begun, state.over = (None if stream else event.time), False
        self._end(state, tick.time, length, done)
        if state.begun is None:
            return (1.0 if state.over else 0.0), False, 0.0, tuple(done)
        gone = min(max(tick.time - state.begun, 0), length)
        return gone / length, True, (length - gone) * 1e-6, tuple(done)

    def _end(self, state: Any, time: int, length: int, done: list[Event]) -> None:
        if state.begun is not None and time >= state.begun + length:
            done.append(Event("done", state.begun + length))
            state.begun, state.over = None, True


class Delay(ProcessNode, type="event.delay"):
    """Events, later: each comes out once, so many seconds after it went in."""

    events: In[Trigger] = port(doc="what is delayed")
    seconds: Param[Number] = param(0.5, low=0, high=60, step=0.05, unit="s", doc="how much later")
    out: Out[Trigger] = result(doc="the events, delayed")
    waiting: Events = slot(())

    def process(self, events, seconds, tick, state):
        late = micros(seconds)
        waiting = [*state.waiting, *events]
        due = [e for e in waiting if e.time + late <= tick.time]
        state.waiting = tuple(e for e in waiting if e.time + late > tick.time)
        return tuple(at_time(e, e.time + late) for e in sorted(due, key=lambda e: e.time))


def at_time(event: Event, time: int) -> Event:
    """The same event at another time."""
    return Event(event.name, time, event.value, event.x, event.y)


class Gate(ProcessNode, type="event.gate"):
    """Let events through while it is open; and no more than one in so many seconds."""

    events: In[Trigger] = port(doc="what comes")
    condition: Param[Boolean] = param(True, doc="yes: they pass, no: they are lost")
    gap: Param[Number] = param(0.0, low=0, high=60, step=0.05, unit="s", doc="shortest time between two that pass")
    out: Out[Trigger] = result(doc="those that passed")
    last: int | None = slot(None)

    def process(self, events, condition, gap, state):
        passed = []
        for event in sorted(events, key=lambda e: e.time) if condition else ():
            if state.last is None or not 0 <= event.time - state.last < micros(gap):
                passed.append(event)
                state.last = event.time
        return tuple(passed)


class Merge(ProcessNode, type="event.merge"):
    """The events of up to four streams as one, in order of time."""

    a: In[Trigger] = port(doc="the first stream")
    b: In[Trigger] = port(optional=True, doc="the second")
    c: In[Trigger] = port(optional=True, doc="the third")
    d: In[Trigger] = port(optional=True, doc="the fourth")
    out: Out[Trigger] = result(doc="all of them")

    def process(self, a, b, c, d):
        return tuple(event for event, _ in in_order(a, b, c, d))


class Gather(ProcessNode, type="event.gather"):
    """The events of every face, hand or body as one stream: whoever blinks, it fires."""

    events: In[Trigger] = port(many=True, doc="a stream for each item, from a node that was played for each")
    out: Out[Trigger] = result(doc="all of them, in order of time")

    def process(self, events: Sequence[Events]):
        return tuple(event for event, _ in in_order(*events))


class Pulse(ProcessNode, type="event.pulse"):
    """Jumps to 1 at an event and falls back to 0: a flash, a bump, a beat."""

    events: In[Trigger] = port(doc="what sets it off")
    fall: Param[Number] = param(0.4, low=0.01, high=60, unit="s", doc="time until a third is left")
    value: Out[Number] = result(doc="0 to 1")
    level = slot(0.0)

    def process(self, events, fall, tick, state):
        state.level = 1.0 if events else state.level * math.exp(-tick.delta / max(fall, 1e-3))
        return state.level


class Envelope(ProcessNode, type="event.envelope"):
    """Rises at an event, holds, falls back: the shape of a pop, a glow, a note. Another event makes it rise again."""

    events: In[Trigger] = port(doc="what sets it off")
    attack: Param[Number] = param(0.1, low=0, high=60, step=0.01, unit="s", doc="time from 0 to 1")
    hold: Param[Number] = param(0.3, low=0, high=60, step=0.01, unit="s", doc="time it stays at 1")
    decay: Param[Number] = param(0.5, low=0, high=60, step=0.01, unit="s", doc="time from 1 to 0")
    smooth: Param[Boolean] = param(True, doc="yes: round at both ends, no: straight lines")
    value: Out[Number] = result(doc="0 to 1")
    active: Out[Boolean] = result(doc="whether it is not back at 0")
    begun: int | None = slot(None)
    base = slot(0.0)

    def process(self, events, attack, hold, decay, smooth, tick, state):
        times = micros(attack), micros(hold), micros(decay)
        for event in sorted(events, key=lambda e: e.time):
            state.base = envelope(state, event.time, *times)  # rises from where it is, without a jump
            state.begun = event.time
        level = envelope(state, tick.time, *times)
        if state.begun is not None and tick.time >= state.begun + rising(state, times[0]) + times[1] + times[2]:
            state.begun, state.base = None, 0.0
        shaped = level * level * (3.0 - 2.0 * level) if smooth else level
        return shaped, state.begun is not None


def envelope(state: Any, time: int, attack: int, hold: int, decay: int) -> float:
    """The height at a time (µs) of what began at `state.begun`, from `state.base` up to 1."""
    if state.begun is None:
        return 0.0
    gone, rise = max(time - state.begun, 0), rising(state, attack)
    if gone < rise:
        return state.base + (1.0 - state.base) * gone / rise
    gone -= rise + hold
    return 1.0 if gone < 0 else max(0.0, 1.0 - gone / decay) if decay > 0 else 0.0


def rising(state: Any, attack: int) -> int:
    """µs from where it began to 1: less where it began above 0."""
    return round(attack * (1.0 - state.base))
