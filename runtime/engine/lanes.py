"""A model lane: a slow model's slots and segment, apart from the render lane's; values cross between two frames.

    render lane's slots ── feed: rasters copied ──> lane's slots ── run, on the lane's thread ──> aside ── publish ──> render lane's

Three sets of what a lane gives: the one its nodes write, the one copied aside when it is done, the one readers see.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..frames import Frame, Tick
from ..values import Each
from .rasters import copy_frame
from .segment import Segment

__all__ = ["Lane"]

EVENTS = -1  # stands for the tick's own events where slots of events are counted up


@dataclass
class Lane:
    """One lane.

    Attributes:
        feeds, results: slots it reads and gives, by the same numbers on both sides.
        tick: its own time, of the frame it was fed.
        triggers: all slots of events, here or there.
        index, time: the frame whose result readers see, and its µs; −1 before the first.
    """

    name: str
    slots: list[Any]
    segment: Segment
    feeds: tuple[int, ...]
    results: tuple[int, ...]
    tick: Tick
    triggers: frozenset[int] = frozenset()
    index: int = -1
    time: int = -1
    _made: bool = False
    _waiting: dict[int, tuple[Any, ...]] = field(default_factory=dict)
    _aside: dict[int, list[Any]] = field(default_factory=dict)

    def accumulate(self, slots: list[Any], tick: Tick) -> None:
        """After each frame: its events wait until the lane is fed, and events that the lane gave are over."""
        for slot in (*self.feeds, EVENTS):
            if slot == EVENTS or slot in self.triggers:
                new = tick.events if slot == EVENTS else slots[slot]
                if new:
                    self._waiting[slot] = (*self._waiting.get(slot, ()), *new)
        for slot in self.results:
            if slot in self.triggers:
                slots[slot] = ()

    def feed(self, slots: list[Any], tick: Tick) -> None:
        """Take over a frame: rasters copied, values by reference, all events since the last one."""
        for slot in self.feeds:
            value = self._waiting.get(slot, ()) if slot in self.triggers else slots[slot]
            self.slots[slot] = copied(value, self.slots[slot])
        before = self.tick.time
        for key in ("time", "index", "width", "height"):
            setattr(self.tick, key, getattr(tick, key))
        self.tick.delta = max(tick.time - before, 0) * 1e-6 if self.index >= 0 else 0.0
        self.tick.events = self._waiting.get(EVENTS, ())
        self._waiting.clear()

    def run(self) -> None:
        """Work on it, and copy its rasters aside."""
        self.segment.run()
        self._made = True
        for slot in self.results:
            value = self.slots[slot]
            if has_rasters(value):
                pair = self._aside.setdefault(slot, [None, None])
                pair[1] = copied(value, pair[1])

    def publish(self, slots: list[Any]) -> None:
        """Give what was made to the render lane's readers."""
        if not self._made:  # what was done was another engine's
            return
        self._made = False
        for slot in self.results:
            value, pair = self.slots[slot], self._aside.get(slot)
            if pair is not None and has_rasters(value):
                pair[0], pair[1] = pair[1], pair[0]
                value = pair[0]
            slots[slot] = value
        self.index, self.time = self.tick.index, self.tick.time


def has_rasters(value: Any) -> bool:
    """Whether a value is a raster, or a list of them: what is refilled, and so has to be copied."""
    return isinstance(value, Frame) or (isinstance(value, Each) and any(isinstance(v, Frame) for v in value.values))


def copied(value: Any, into: Any) -> Any:
    """The value with its rasters copied, into the memory of an earlier copy where they fit; other values as they are."""
    if isinstance(value, Frame):
        return copy_frame(value, into if isinstance(into, Frame) else None)
    if not has_rasters(value):
        return value
    before = dict(zip(into.ids, into.values, strict=True)) if isinstance(into, Each) else {}
    return Each(value.ids, tuple(copied(v, before.get(i)) for i, v in zip(value.ids, value.values, strict=True)))
