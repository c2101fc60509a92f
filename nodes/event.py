"""Event: keys and other things that happen once, and what they switch or set off.

A Trigger carries timed events, none to many a frame; those of frames that were dropped reach the next one.
"""

from __future__ import annotations

import math

from ..graph.declare import In, Out, Param, ProcessNode, param, port, result, slot
from ..graph.types import Boolean, Integer, Number, Text, Trigger

__all__ = ["Count", "Key", "Pulse", "Toggle"]


class Key(ProcessNode, type="event.key"):
    """Fires when a key is pressed in the window, or when the host sends an event of that name.

    The window keeps m (mirror), s (snapshot), r (record), f (full screen), h (help) and q (quit) for itself.
    """

    key: Param[Text] = param("space", doc="the key's name: a letter, a digit, space, left, right, …")
    pressed: Out[Trigger] = result(doc="an event for each press")

    def process(self, key, tick):
        return tuple(event for event in tick.events if event.name == key)


class Toggle(ProcessNode, type="event.toggle"):
    """Turn over at each event: on, off, on."""

    events: In[Trigger] = port(doc="what turns it")
    start: Param[Boolean] = param(False, doc="what it is before the first event")
    on: Out[Boolean] = result(doc="on or off")
    turned = slot(0)

    def process(self, events, start, state):
        state.turned = (state.turned + len(events)) % 2
        return bool(start) != bool(state.turned)


class Count(ProcessNode, type="event.count"):
    """How many events there were; with a limit it starts over, to step through choices."""

    events: In[Trigger] = port(doc="what is counted")
    limit: Param[Integer] = param(0, low=0, high=1_000_000, doc="start over at this count; 0 = never")
    count: Out[Number] = result(doc="0, 1, 2, …")
    counted = slot(0)

    def process(self, events, limit, state):
        state.counted += len(events)
        return float(state.counted % limit if limit else state.counted)


class Pulse(ProcessNode, type="event.pulse"):
    """Jumps to 1 at an event and falls back to 0: a flash, a bump, a beat."""

    events: In[Trigger] = port(doc="what sets it off")
    fall: Param[Number] = param(0.4, low=0.01, high=60, unit="s", doc="time until a third is left")
    value: Out[Number] = result(doc="0 to 1")
    level = slot(0.0)

    def process(self, events, fall, tick, state):
        state.level = 1.0 if events else state.level * math.exp(-tick.delta / max(fall, 1e-3))
        return state.level
