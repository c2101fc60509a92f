"""What runs beside the render lane when a session is live, and how Python is set meanwhile."""

from __future__ import annotations

import gc
import queue
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any

from ..frames import Frame
from ..media.base import Picture, Source
from . import core

if TYPE_CHECKING:
    from ..engine.engine import Engine

__all__ = ["Capture", "LaneThread", "smooth"]

RING = 6  # frames between the capturing thread and the render lane


class Capture(threading.Thread):
    """Reads the source into a small ring; an arrival is an event."""

    def __init__(self, source: Source, happened: queue.SimpleQueue[Any], stop: threading.Event):
        super().__init__(name="capture", daemon=True)
        self.source, self.happened, self.halt = source, happened, stop
        self.free: queue.SimpleQueue[Frame | None] = queue.SimpleQueue()
        for _ in range(RING):
            self.free.put(Frame.make(source.info.width, source.info.height, source.info.channels))
        self.pictures: dict[int, Picture] = {}
        self.error: Exception | None = None

    def run(self) -> None:
        number = 0
        try:
            while not self.halt.is_set():
                picture = self.source.read(self.free.get())
                if picture is None or self.halt.is_set():
                    break
                self.pictures[number] = picture
                self.happened.put(core.Arrived(number, picture.time_us, perf_counter_ns()))
                number += 1
        except Exception as error:
            self.error = error
        self.happened.put(core.Ended(perf_counter_ns()))

    def take(self, number: int) -> Picture:
        return self.pictures[number]

    def release(self, number: int) -> None:
        self.free.put(self.pictures.pop(number).frame)

    def wake(self) -> None:
        self.free.put(None)


class LaneThread(threading.Thread):
    """A slow model's own thread: one frame at a time."""

    def __init__(self, name: str, happened: queue.SimpleQueue[Any]):
        super().__init__(name=name, daemon=True)
        self.lane, self.happened = name, happened
        self.work: queue.SimpleQueue[tuple[int, Engine] | None] = queue.SimpleQueue()

    def run(self) -> None:
        while (job := self.work.get()) is not None:
            frame, engine = job  # the engine that was fed: another may play by now
            engine.run_lane(self.lane)
            self.happened.put(core.LaneDone(self.lane, frame, perf_counter_ns()))


@contextmanager
def smooth() -> Iterator[None]:
    """While playing: another thread's Python gives way at once (at the default 5 ms a busy loop costs a frame its
    time), and what lives already is not looked through for garbage again and again."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(0.0001)
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        sys.setswitchinterval(before)
