"""One run of a session: every frame in order, or live, as core.decide says."""

from __future__ import annotations

import queue
import sys
from collections.abc import Callable
from time import perf_counter, perf_counter_ns
from typing import TYPE_CHECKING, Any

from ..engine.engine import Engine
from ..frames import Frame
from ..media.base import Sink, Source
from . import core
from .threads import Capture, LaneThread

if TYPE_CHECKING:
    from .session import Session

__all__ = ["Live", "Offline", "Run"]


class Run:
    """A session's frames from a source to a sink.

    Args:
        limit: how many frames are shown at most.
        on_frame: called with the number of frames shown, after each.
    """

    def __init__(
        self, session: Session, source: Source, sink: Sink, limit: int | None,
        on_frame: Callable[[int], None] | None,
    ):  # fmt: skip
        self.session, self.source, self.sink, self.limit, self.on_frame = (
            session,
            source,
            sink,
            limit,
            on_frame,
        )
        self.report = session.report
        self._begun = self._first = perf_counter()

    def play(self) -> None:
        """Until the source ends, or `over`."""
        raise NotImplementedError

    @property
    def over(self) -> bool:
        """Stopped, finished, or enough was shown."""
        enough = self.limit is not None and self.report.frames >= self.limit
        return self.session.stopping.is_set() or self.sink.finished or enough

    def show(self, frame: Frame, time: int, sink: Sink) -> None:
        """Hand a frame to the sink, and count it."""
        sink.write(frame, time)
        now, report = perf_counter(), self.report
        if not report.frames:
            report.first_frame, self._first = now - self._begun, now
        report.frames += 1
        report.seconds = now - self._first


class Offline(Run):
    """Every frame, in order; decoding and encoding have threads of their own."""

    def play(self) -> None:
        from .pipes import AsideSink, Prefetch

        with Prefetch(self.source) as ahead, AsideSink(self.sink) as aside:
            while not self.over:
                if self.session.inbox.seek is not None:
                    ahead.seek(self.session.inbox.take_seek())
                    self.session.engine.reset()
                picture = ahead.read()
                if picture is None:
                    return
                self.show(self.session.frame(picture), picture.time_us, aside)
                if self.on_frame:
                    self.on_frame(self.report.frames)


class Live(Run):
    """Carries out what core.decide says: frames are captured and slow models run on threads of their own."""

    def __init__(self, *args: Any):
        super().__init__(*args)
        self.happened: queue.SimpleQueue[core.Event] = queue.SimpleQueue()
        self.capture = Capture(self.source, self.happened, self.session.stopping)
        self.lanes: dict[str, LaneThread] = {}
        self.arrivals: dict[int, int] = {}

    def play(self) -> None:
        self._staff(tuple(self.session.engine.lanes))
        state, self.session.editions.swapped = core.start(self.lanes), self._swapped
        self.capture.start()
        try:
            while True:
                event = self.happened.get()
                if isinstance(event, core.Arrived):
                    self.arrivals[event.frame] = event.at
                if isinstance(event, core.Replanned):
                    self._staff(event.lanes)
                state, actions = core.decide(state, event)
                for action in actions:
                    if isinstance(action, core.Finish):
                        return
                    self._do(action)
                if self.over:
                    return
        finally:
            self._end()

    def _do(self, action: core.Action) -> None:
        engine = self.session.engine
        match action:
            case core.Render(frame=frame):
                self._render(frame)
            case core.Drop(frame=frame, cause=cause):
                self.capture.release(frame)
                self.arrivals.pop(frame, None)
                self.report.dropped += 1
                if self.session.trace:
                    self.session.trace.drop(frame, cause)
            case core.Feed(lane=lane, frame=frame) if lane in engine.lanes:
                engine.feed(lane)
                self.lanes[lane].work.put((frame, engine))
            case core.Publish(lane=lane) if lane in engine.lanes:
                engine.publish(lane)

    def _render(self, frame: int) -> None:
        picture = self.capture.take(frame)
        self.show(self.session.frame(picture), picture.time_us, self.sink)
        self.capture.release(frame)
        done = perf_counter_ns()
        self.report.ages.append((done - self.arrivals.pop(frame)) / 1e6)
        self.happened.put(core.Rendered(frame, done))
        if self.on_frame:
            self.on_frame(self.report.frames)

    def _swapped(self, new: Engine) -> None:
        self.happened.put(core.Replanned(tuple(new.lanes), perf_counter_ns()))

    def _staff(self, names: tuple[str, ...]) -> None:
        """A thread for each lane; those of lanes that are gone end."""
        for gone in set(self.lanes) - set(names):
            self.lanes.pop(gone).work.put(None)
        for name in set(names) - set(self.lanes):
            self.lanes[name] = LaneThread(name, self.happened)
            self.lanes[name].start()

    def _end(self) -> None:
        self.session.editions.swapped = None
        self.session.stopping.set()
        self.capture.wake()
        for lane in self.lanes.values():
            lane.work.put(None)
        self.capture.join(2.0)
        for lane in (
            self.lanes.values()
        ):  # a process must not end inside a library's run; one that hangs is left to itself
            lane.join(2.0)
        if self.capture.error is not None and sys.exc_info()[0] is None:
            raise self.capture.error
