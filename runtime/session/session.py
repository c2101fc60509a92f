"""A session: an effect, a source and a sink that play; driven by calls or messages from any thread.

offline   every frame, in order, nothing dropped: the same bytes every time
live      the render lane on the caller's thread, frames and slow models on threads of their own (core.py decides)
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from time import perf_counter_ns
from typing import Any

import numpy as np

from ...graph.document import parse_effect
from ...graph.effect import Effect
from ...graph.errors import SessionError, SpellwireError
from ..engine.costs import Costs
from ..engine.engine import Engine
from ..frames import Frame
from ..media.base import Picture, Sink, Source, StreamInfo
from ..plan.ir import Plan, Stream
from ..values import Event
from . import messages as m
from .editions import Editions
from .inbox import Inbox
from .planning import Built, Planner, Progress
from .report import Report
from .runs import Live, Offline
from .threads import smooth
from .trace import Trace

__all__ = ["Report", "Session"]


class Session:
    """Plays an effect. Make it with `Session.load`; leave its `with` block, or `close`, to end it.

    Attributes:
        report: of the run so far.
        trace: put one in to have every stage of every frame noted.
        editions: what plays, and what will.
        inbox: what waits for the next frame.
        stopping: set to end the run after the frame in flight.
    """

    def __init__(self, planner: Planner, stream: Stream, live: bool):
        self.inbox = Inbox()
        self.editions = Editions(planner, stream, live, self.inbox)
        self.report = Report()
        self.trace: Trace | None = None
        self.stopping = threading.Event()
        self._time = 0

    @classmethod
    def load(
        cls,
        effect: Effect,
        info: StreamInfo | None = None,
        *,
        values: Mapping[str, Any] | None = None,
        live: bool = False,
        threads: int | None = None,
        profile: str = "default",
        planner: Planner | None = None,
        progress: Progress | None = None,
    ) -> Session:
        """Plan, compile and open an effect for a stream.

        Args:
            info: of the source; its channels matter.
            values: public parameters by name.
            live: slow models get lanes.
            threads: of kernels and models; all cores by default.
            progress: called with (kernels ready, kernels in all).

        Raises:
            ValidationError, CompileError, ModelError, UsageError: nothing was started.
        """
        planner = planner or Planner(threads=threads or _cores(), profile=profile)
        session = cls(planner, Stream(info.channels if info else 3), live)
        session.editions.install(effect, values or {}, progress)
        return session

    @property
    def planner(self) -> Planner:
        return self.editions.planner

    @property
    def effect(self) -> Effect:
        return self.editions.effect

    @property
    def built(self) -> Built:
        return self.editions.built

    @property
    def plan(self) -> Plan:
        return self.editions.plan

    @property
    def engine(self) -> Engine:
        return self.editions.engine

    @property
    def values(self) -> dict[str, Any]:
        """Public parameters that were set, by name."""
        return self.editions.values

    @property
    def kept(self) -> tuple[str, ...]:
        """State that went on at the last new plan, as path.slot."""
        return self.editions.kept

    @property
    def fresh(self) -> tuple[str, ...]:
        """State that started anew at the last new plan, as path.slot."""
        return self.editions.fresh

    # -- steering, from any thread

    def set(self, name: str, value: Any) -> None:
        """Move a public parameter, or `path.name` of a node, from the next frame on.

        A structural one makes a new plan: the old one plays until it is ready.

        Raises:
            UsageError: no such parameter, or a value it can't have.
        """
        self.editions.set(name, value)

    def event(self, name: str, value: float = 1.0, time: int = -1, x: float = 0.0, y: float = 0.0) -> None:
        """Something happened: the next frame that is rendered gets it, exactly once. x, y: as in Event."""
        self.inbox.event(Event(name, self._time if time < 0 else time, value, x, y))

    def replace(self, effect: Effect, done: Callable[[Exception | None], None] | None = None) -> None:
        """Play another edition of the effect as soon as its kernels are there; state whose slots agree goes on.

        The old plan plays meanwhile. Where the cache has every node's own kernel, they play until the fused one is
        ready. `done(error)` is called when the last step is over.
        """
        self.editions.replace(effect, done)

    def seek(self, time: int) -> None:
        """Go to a time of the clip (µs), with fresh state."""
        self.inbox.go_to(time)

    def probe(self, node: str, port: str) -> Any:
        """What an output holds now: a copy of a raster, or a value.

        Raises:
            SessionError: it lives inside a kernel, or is not there.
        """
        slot = self.plan.slot_of.get((node, port), self.plan.slot_of.get((f"{node}#pixel", port)))
        if slot is None:
            raise SessionError(f"{node}.{port} is not in memory: it was fused into a kernel, or pruned")
        value = self.engine.slots[slot]
        return np.array(value.data) if isinstance(value, Frame) else value

    def stop(self) -> None:
        """End the run after the frame in flight."""
        self.stopping.set()

    def handle(self, message: Any) -> Any:
        """Do what a message says; the answer is a message too."""
        try:
            match message:
                case m.SetParameter(name=name, value=value):
                    self.set(name, value)
                case m.SendEvent(name=name, time=time, value=value, x=x, y=y):
                    self.event(name, value, time, x, y)
                case m.Seek(time=time):
                    self.seek(time)
                case m.Probe(node=node, port=port):
                    value = self.probe(node, port)
                    raster = isinstance(value, np.ndarray)
                    return m.Value([value.shape, value.dtype.str, value.tobytes()] if raster else value)
                case m.Load(effect=text):
                    self.replace(parse_effect(text, folder=self.effect.folder))
                    return m.Loaded(len(self.plan.stages), len(self.plan.kernels))
                case m.Stop():
                    self.stop()
                case _:
                    raise SessionError(f"a session does not take {type(message).__name__}")
        except SpellwireError as error:
            return m.Failed(str(error))
        return m.Done()

    def telemetry(self) -> m.Telemetry:
        """How it goes now."""
        failures = tuple((f.path, f.error, f.count) for f in self.engine.failures.values())
        report = self.report
        return m.Telemetry(
            report.frames, report.dropped, report.fps, tuple(self.engine.costs.table()), failures,
            tuple(self.engine.ages().items()),
        )  # fmt: skip

    # -- playing

    def play(
        self,
        source: Source,
        sink: Sink,
        *,
        frames: int | None = None,
        on_frame: Callable[[int], None] | None = None,
        realtime: bool = False,
    ) -> Report:
        """Play until the source ends, `frames` are shown, the sink is finished or `stop` is called.

        Args:
            on_frame: called with the number of frames shown, after each.
            realtime: schedule as live even for a source that is not.
        """
        report = self.report = Report()
        self.engine.costs = Costs(self.engine.render.names)
        self.stopping.clear()
        run = (Live if realtime or source.info.live else Offline)(self, source, sink, frames, on_frame)
        with smooth(), sink:
            sink.open(source.info)
            run.play()
        report.costs = self.engine.costs.table(skip=5)
        report.failures = {f.path: (f.error, f.count) for f in self.engine.failures.values()}
        return report

    def render(self, frame: Frame, time: int = 0, index: int = 0) -> Frame:
        """One frame, now: for stills and tests. The result is valid until the next call."""
        events = self.editions.between_frames()  # first: it may put another engine in place
        return _needed(self.engine.frame(frame, time, index, events))

    def frame(self, picture: Picture) -> Frame:
        """One frame of a run: as `render`, and told to the report and the trace."""
        events = self.editions.between_frames()
        self._time, engine = picture.time_us, self.engine
        begun = perf_counter_ns()
        shown = engine.frame(picture.frame, picture.time_us, picture.index, events)
        if self.trace:
            self.trace.frame(picture.index, begun, engine.render)
        for path, age in engine.ages().items():
            self.report.model_ages.setdefault(path, []).append(age)
        return _needed(shown)

    def close(self) -> None:
        """Close every node. One that hangs in its lane is left to itself: it never blocks the exit."""
        self.stopping.set()
        self.editions.close()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def _needed(shown: Frame | None) -> Frame:
    if shown is None:
        raise SessionError("the effect has no sink")
    return shown


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
