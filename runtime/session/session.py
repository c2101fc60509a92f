"""A session: an effect, a source and a sink that play; driven by calls or messages from any thread.

offline   every frame, in order, nothing dropped: the same bytes every time
live      the render lane on the caller's thread, frames and slow models on threads of their own (core.py decides)
"""

from __future__ import annotations

import contextlib
import os
import queue
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from time import perf_counter, perf_counter_ns
from typing import Any

import numpy as np

from ...graph.document import parse_effect
from ...graph.effect import Effect
from ...graph.errors import SessionError, SpellwireError, UsageError
from ..engine.costs import Costs
from ..engine.engine import Engine, Failure
from ..frames import Frame
from ..media.base import Picture, Sink, Source, StreamInfo
from ..plan.ir import Plan, Stream
from ..plan.variants import is_baked
from ..values import Event
from . import core
from . import messages as m
from .planning import Built, Planner, Progress, structural
from .threads import Capture, LaneThread, smooth
from .trace import Trace

__all__ = ["Report", "Session"]


@dataclass
class Report:
    """How a run went.

    Attributes:
        frames, dropped: shown, and let go at the entrance.
        seconds: from the first frame to the last.
        first_frame: seconds from the call to the first frame shown.
        costs: (node, p50 ms, p95 ms).
        failures: node → (last error, how often).
        ages: ms from a frame's arrival to the sink, live only.
        model_ages: node of a slow model → how old its result was, in ms, frame by frame, live only.
    """

    frames: int = 0
    dropped: int = 0
    seconds: float = 0.0
    first_frame: float = 0.0
    costs: list[tuple[str, float, float]] = field(default_factory=list)
    failures: dict[str, tuple[str, int]] = field(default_factory=dict)
    ages: list[float] = field(default_factory=list)
    model_ages: dict[str, list[float]] = field(default_factory=dict)

    @property
    def fps(self) -> float:
        return (self.frames - 1) / self.seconds if self.frames > 1 and self.seconds else 0.0


class Session:
    """Plays an effect. Make it with `Session.load`; leave its `with` block, or `close`, to end it.

    Attributes:
        report: of the run so far.
        kept, fresh: at the last new plan, the state that went on and the state that started anew.
    """

    def __init__(self, planner: Planner, stream: Stream, live: bool):
        self.planner, self.stream, self.live = planner, stream, live
        self.effect: Effect = Effect()
        self.values: dict[str, Any] = {}
        self.built: Built
        self.engine: Engine
        self.report = Report()
        self.trace: Trace | None = None
        self._lock = threading.Lock()
        self._todo: list[Callable[[], None]] = []
        self._events: list[Event] = []
        self._stop = threading.Event()
        self._time = 0
        self._seek: int | None = None
        self._edition, self._closed = 0, False
        self._moved: dict[tuple[str, str], Any] = {}  # parameters of nodes, of this edition
        self.kept: tuple[str, ...] = ()
        self.fresh: tuple[str, ...] = ()
        self._happened: queue.SimpleQueue[core.Event] | None = None

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
        session._install(effect, dict(values or {}), progress)
        return session

    def _install(self, effect: Effect, values: dict[str, Any], progress: Progress | None) -> None:
        plan = self.planner.plan(effect, self.stream)
        cleaned = {name: self.planner.clean(plan, name, value) for name, value in values.items()}
        if cleaned:
            plan = self.planner.plan(effect, self.stream, cleaned)
        others = self.planner.variants(effect, self.stream, plan, cleaned)
        self.built = self.planner.build(plan, progress, others)
        self.engine = self.planner.engine(self.built, effect, live=self.live)
        self.effect, self.values = effect, cleaned

    @property
    def plan(self) -> Plan:
        return self.built.plan

    # -- steering, from any thread

    def set(self, name: str, value: Any) -> None:
        """Move a public parameter, or `path.name` of a node, from the next frame on.

        A structural one makes a new plan: the old one plays until it is ready.

        Raises:
            UsageError: no such parameter, or a value it can't have.
        """
        if name not in self.plan.interface and "." in name:
            path, _, param = name.rpartition(".")
            self._moved[path, param] = value
            self._later(lambda: self.engine.set(path, param, value))
            return
        entry = self.plan.interface.get(name)
        value = self.planner.clean(self.plan, name, value)
        assert entry is not None
        self.values[name] = value
        if entry.parameter.structural and is_baked(self.plan, entry.path, entry.param):
            self.replace(self.effect)
        else:
            self._later(lambda: self.engine.set(entry.path, entry.param, value))

    def event(self, name: str, value: float = 1.0, time: int = -1, x: float = 0.0, y: float = 0.0) -> None:
        """Something happened: the next frame that is rendered gets it, exactly once. x, y: as in Event."""
        with self._lock:
            self._events.append(Event(name, self._time if time < 0 else time, value, x, y))

    def replace(self, effect: Effect, done: Callable[[Exception | None], None] | None = None) -> None:
        """Play another edition of the effect as soon as its kernels are there; state whose slots agree goes on.

        The old plan plays meanwhile. Where the cache has every node's own kernel, they play until the fused one is
        ready. `done(error)` is called when the last step is over.
        """
        self._edition += 1
        edition, values = self._edition, dict(self.values)
        outcome: Exception | None = None

        def work() -> None:
            nonlocal outcome
            try:
                ready = (
                    self.built.others.get(structural(self.plan, values)) if effect is self.effect else None
                )
                if ready is not None:
                    self._swap(replace(self.built, plan=ready), effect, edition)
                    return
                fit = self._fitting(effect, values)
                whole = self.planner.plan(effect, self.stream, fit)
                apart = self._apart(effect, fit, whole)
                if not self.planner.cached(whole) and self.planner.cached(apart):
                    self._swap(self.planner.build(apart), effect, edition)
                if edition != self._edition:  # a newer edit is on its way
                    return
                others = self.planner.variants(effect, self.stream, whole, fit)
                self._swap(self.planner.build(whole, None, others), effect, edition)
                if edition == self._edition:
                    self.planner.build(apart)
            except Exception as error:  # also a full disk: the old plan plays on, and the caller is told
                outcome = error
            finally:
                if done:
                    done(outcome)

        threading.Thread(target=work, name="replan", daemon=True).start()

    def _fitting(self, effect: Effect, values: Mapping[str, Any]) -> dict[str, Any]:
        """Those public values that this edition of the effect still has, and allows."""
        plan = self.planner.plan(effect, self.stream) if values else self.plan
        return {name: value for name, value in values.items() if self._fits(plan, name, value)}

    def _fits(self, plan: Plan, name: str, value: Any) -> bool:
        try:
            self.planner.clean(plan, name, value)
        except UsageError:
            return False
        return True

    def _apart(self, effect: Effect, values: Mapping[str, Any], whole: Plan) -> Plan:
        """The plan with every wire cut: one kernel a node."""
        cuts = [(step.path, name) for step in whole.steps.values() for name in step.links]
        return self.planner.plan(effect, self.stream, values, cuts=cuts, validated=True)

    def _swap(self, built: Built, effect: Effect, edition: int) -> None:
        new = self.planner.engine(
            built, effect, live=self.live
        )  # here, so that no frame waits for a model to open

        def swap() -> None:
            if edition != self._edition or self._closed:  # a newer edit is on its way, or nobody waits for it
                new.close()
                return
            old = self.engine
            self.kept, self.fresh = new.adopt(old)
            self._move(new, same=effect is self.effect)
            self.built, self.engine, self.effect = built, new, effect
            old.retire()
            if self._happened is not None:
                self._happened.put(core.Replanned(tuple(new.lanes), perf_counter_ns()))

        self._later(swap)
        if self._closed:
            self._between_frames()

    def _move(self, new: Engine, same: bool) -> None:
        """Move what was moved since the plan was made: public parameters, and nodes' own where the effect is the same."""
        moved = dict(self._moved) if same else {}
        if not same:
            self._moved.clear()
        for name, value in self.values.items():
            if self._fits(new.plan, name, value):
                entry = new.plan.interface[name]
                moved[entry.path, entry.param] = value
        for (path, param), value in moved.items():
            with contextlib.suppress(UsageError):  # compiled in, or refused before
                new.set(path, param, value)

    def seek(self, time: int) -> None:
        """Go to a time of the clip (µs), with fresh state."""
        with self._lock:
            self._seek = time

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
        self._stop.set()

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

    def _later(self, action: Callable[[], None]) -> None:
        with self._lock:
            self._todo.append(action)

    def _between_frames(self) -> tuple[Event, ...]:
        with self._lock:
            todo, self._todo = self._todo, []
            events, self._events = tuple(self._events), []
        for action in todo:
            try:
                action()
            except (UsageError, SessionError) as error:
                self.engine.failures.setdefault("session", _failure(error))
        return events

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
        self.report = Report()
        self.engine.costs = Costs(self.engine.render.names)
        self._begun = perf_counter()
        self._stop.clear()
        with smooth(), sink:
            sink.open(source.info)
            if realtime or source.info.live:
                self._live(source, sink, frames, on_frame)
            else:
                self._offline(source, sink, frames, on_frame)
        self._conclude()
        return self.report

    def render(self, frame: Frame, time: int = 0, index: int = 0) -> Frame:
        """One frame, now: for stills and tests. The result is valid until the next call."""
        events = self._between_frames()  # first: it may put another engine in place
        shown = self.engine.frame(frame, time, index, events)
        if shown is None:
            raise SessionError("the effect has no sink")
        return shown

    def _conclude(self) -> None:
        report = self.report
        report.costs = self.engine.costs.table(skip=5)
        report.failures = {f.path: (f.error, f.count) for f in self.engine.failures.values()}

    def _show(self, engine_frame: Frame, time: int, sink: Sink) -> None:
        sink.write(engine_frame, time)
        now, report = perf_counter(), self.report
        if not report.frames:
            report.first_frame, self._first = now - self._begun, now
        report.frames += 1
        report.seconds = now - self._first

    def _offline(
        self, source: Source, sink: Sink, limit: int | None, on_frame: Callable[[int], None] | None
    ) -> None:
        from .pipes import AsideSink, Prefetch

        with Prefetch(source) as ahead, AsideSink(sink) as aside:
            while (
                not self._stop.is_set()
                and not sink.finished
                and (limit is None or self.report.frames < limit)
            ):
                if self._seek is not None:
                    ahead.seek(self._take_seek())
                    self.engine.reset()
                picture = ahead.read()
                if picture is None:
                    return
                shown = self._frame(picture)
                self._show(shown, picture.time_us, aside)
                if on_frame:
                    on_frame(self.report.frames)

    def _take_seek(self) -> int:
        with self._lock:
            time, self._seek = self._seek, None
        return time or 0

    def _frame(self, picture: Picture) -> Frame:
        events = self._between_frames()
        self._time = picture.time_us
        begun = perf_counter_ns()
        shown = self.engine.frame(picture.frame, picture.time_us, picture.index, events)
        if self.trace:
            self.trace.frame(picture.index, begun, self.engine.render)
        for path, age in self.engine.ages().items():
            self.report.model_ages.setdefault(path, []).append(age)
        if shown is None:
            raise SessionError("the effect has no sink")
        return shown

    # -- live

    def _live(
        self, source: Source, sink: Sink, limit: int | None, on_frame: Callable[[int], None] | None
    ) -> None:
        """Carry out what core.decide says."""
        happened: queue.SimpleQueue[core.Event] = queue.SimpleQueue()
        capture = Capture(source, happened, self._stop)
        lanes: dict[str, LaneThread] = {}
        self._staff(tuple(self.engine.lanes), lanes, happened)
        state, self._happened = core.start(lanes), happened
        capture.start()
        arrivals: dict[int, int] = {}
        try:
            while True:
                event = happened.get()
                if isinstance(event, core.Arrived):
                    arrivals[event.frame] = event.at
                if isinstance(event, core.Replanned):
                    self._staff(event.lanes, lanes, happened)
                state, actions = core.decide(state, event)
                for action in actions:
                    match action:
                        case core.Render(frame=frame):
                            picture = capture.take(frame)
                            self._show(self._frame(picture), picture.time_us, sink)
                            capture.release(frame)
                            done = perf_counter_ns()
                            self.report.ages.append((done - arrivals.pop(frame)) / 1e6)
                            happened.put(core.Rendered(frame, done))
                            if on_frame:
                                on_frame(self.report.frames)
                        case core.Drop(frame=frame, cause=cause):
                            capture.release(frame)
                            arrivals.pop(frame, None)
                            self.report.dropped += 1
                            if self.trace:
                                self.trace.drop(frame, cause)
                        case core.Feed(lane=lane, frame=frame) if lane in self.engine.lanes:
                            self.engine.feed(lane)
                            lanes[lane].work.put((frame, self.engine))
                        case core.Publish(lane=lane) if lane in self.engine.lanes:
                            self.engine.publish(lane)
                        case core.Finish():
                            return
                enough = limit is not None and self.report.frames >= limit
                if self._stop.is_set() or sink.finished or enough:
                    return
        finally:
            self._happened = None
            self._stop.set()
            capture.wake()
            for lane in lanes.values():
                lane.work.put(None)
            capture.join(2.0)
            for lane in lanes.values():  # a process must not end inside a library's run; one that hangs is left to itself
                lane.join(2.0)
            if capture.error is not None and sys.exc_info()[0] is None:
                raise capture.error

    def _staff(self, names: tuple[str, ...], lanes: dict[str, LaneThread], happened: Any) -> None:
        """A thread for each lane; those of lanes that are gone end."""
        for gone in set(lanes) - set(names):
            lanes.pop(gone).work.put(None)
        for name in set(names) - set(lanes):
            lanes[name] = LaneThread(name, happened)
            lanes[name].start()

    def close(self) -> None:
        """Close every node. One that hangs in its lane is left to itself: it never blocks the exit."""
        self._stop.set()
        self._closed = True
        self._between_frames()  # engines that wait to be swapped in are closed too
        self.engine.retire()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _failure(error: Exception) -> Any:
    return Failure("session", str(error))
