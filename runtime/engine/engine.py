"""The engine: a plan's stages bound to nodes, arrays and kernels. One call a frame; no threads, no clock of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ...graph.errors import UsageError
from ...graph.types import Look
from ..frames import Frame, Tick
from ..plan.ir import Plan, Ref, node_path
from ..plan.variants import is_baked
from .binding import Binder
from .context import NodeContext
from .costs import Costs
from .delays import Delays
from .failures import Failure, Failures
from .loading import Nodes, load_files, loaded
from .parameters import clean_value
from .rasters import empty_frame

__all__ = ["Engine", "Failure"]


class Engine:
    """Plays a plan frame by frame.

    Args:
        plan: from `compile_effect`.
        library: its kernels; `library.kernel(key)` gives an object with `bind`.
        natives: native loops by name.
        live: put slow models in lanes (`lanes`) instead of running them in order.
        folder: the effect's, where its files are.
        threads: of models and loops.

    Raises:
        ModelError: a model can't be had; nothing was started.
    """

    def __init__(
        self,
        plan: Plan,
        library: Any,
        *,
        natives: Mapping[str, Callable[..., Any]] | None = None,
        live: bool = False,
        folder: Path | None = None,
        threads: int = 1,
        profile: str = "default",
    ):
        self.plan, self.library, self.folder = plan, library, folder
        self.slots: list[Any] = list(plan.slots)
        self.tick = Tick()
        self.failures = Failures(self.tick)
        self.nodes, self.delays = Nodes(plan, self.failures), Delays(plan, self.slots)
        self.dirty = True
        self._last_time: int | None = None
        self._working, self._busy, self._retired = threading.Lock(), 0, False
        try:
            load_files(plan, self.slots, folder)
            for stage in (s for s in plan.stages if s.kind == "process"):
                step = plan.steps[stage.step]
                # beside the render lane a slow model has one core, so that the other is the render lane's
                cores = 1 if live and stage.lane != "render" else threads
                context = NodeContext(
                    cores, profile, folder, natives or {}, step.params, working_space=plan.working_space
                )
                self.nodes.open(step, context)
            bound = Binder(
                plan, library, self.nodes, self.delays, self.failures,
                slots=self.slots, tick=self.tick, live=live,
            )  # fmt: skip
        except BaseException:
            self.close()
            raise
        self.render, self.constant, self.lanes = bound.render, bound.constant, bound.lanes
        self.sources, self.sinks = bound.sources, bound.sinks
        self.costs = Costs(self.render.names)

    @property
    def instances(self) -> dict[str, Any]:
        """The open nodes, by step id."""
        return self.nodes.instances

    @property
    def states(self) -> dict[str, SimpleNamespace]:
        """Their slots of state, by step id."""
        return self.nodes.states

    def adopt(self, before: Engine) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Go on where another engine was: its clock, and each slot of state whose node path, name, type and schema agree.

        Gives the names (path.slot) of what goes on, and of what starts anew.
        """
        self._last_time = before._last_time
        kept, fresh = [], []
        for name, same in (*self.nodes.adopt(before.nodes), *self.delays.adopt(before.delays)):
            (kept if same else fresh).append(name)
        return tuple(kept), tuple(fresh)

    # -- lanes

    def feed(self, name: str) -> None:
        """Hand the frame just rendered to an idle lane."""
        self.lanes[name].feed(self.slots, self.tick)

    def run_lane(self, name: str) -> None:
        """In the lane's thread: one frame of it."""
        with self._working:
            if self._retired:  # another plays: nobody waits for this
                return
            self._busy += 1
        try:
            self.lanes[name].run()
        finally:
            with self._working:
                self._busy -= 1
                last = self._retired and not self._busy
            if last:
                self.close()

    def publish(self, name: str) -> None:
        """In the render lane, between frames: what the lane gave is what readers see from now on."""
        self.lanes[name].publish(self.slots)

    def ages(self) -> dict[str, float]:
        """How old what readers see of each slow model is: node path → ms of the stream. Those without a result are left out."""
        return {
            name.removeprefix("model:"): (self.tick.time - lane.time) * 1e-3
            for name, lane in self.lanes.items() if lane.index >= 0
        }  # fmt: skip

    # -- playing

    def frame(self, frame: Frame | None, time: int, index: int, events: tuple[Any, ...] = ()) -> Frame | None:
        """Play one frame of the stream; what the (first) sink shows, valid until the next call.

        Args:
            frame: the stream's frame (uint8), or None for an effect without a source.
            time: µs of the stream; a step back counts as a seek (delta 0).
        """
        tick = self.tick
        before = self._last_time
        tick.delta = (time - before) * 1e-6 if before is not None and time > before else 0.0
        tick.time, tick.index, tick.events, self._last_time = time, index, events, time
        if frame is not None:
            if (tick.width, tick.height) != (frame.width, frame.height):
                tick.width, tick.height = frame.width, frame.height
                self.dirty = True
                self.delays.forget_rasters()
            for writes in self.sources:
                self.slots[writes[0]] = frame
        if self.dirty:
            self.dirty = False
            self.constant.run()
        self.render.run()
        for write in self.delays.writes:
            write()
        for lane in self.lanes.values():
            lane.accumulate(self.slots, tick)
        self.costs.add(self.render.times)
        return self.shown()

    def shown(self) -> Frame | None:
        """The first sink's frame."""
        for slot in self.sinks.values():
            if slot >= 0:
                value = self.slots[slot]
                if value is None:
                    return empty_frame(3, self.tick.width, self.tick.height, "u8")
                return value
        return None

    def set(self, path: str, name: str, value: Any) -> None:
        """Move a parameter; effective from the next frame.

        Raises:
            UsageError: NaN, the wrong kind, or a structural parameter (that needs a new plan).
        """
        step = next((s for s in self.plan.steps.values() if node_path(s.path) == path), None)
        parameter = step.decl.parameter(name) if step else None
        if parameter is None:
            raise UsageError(f"{path} has no parameter {name!r}")
        value = clean_value(parameter, value)
        if is_baked(self.plan, path, name) and parameter.structural and parameter.type is not Look:
            raise UsageError(f"{path}.{name} is compiled into a kernel: it needs a new plan")
        if path in self.delays.boxes:
            self.delays.starts[path] = value
        slot = self.plan.slot_of.get((path, name))
        if slot is not None:
            self.slots[slot] = loaded(parameter, value, self.folder)
            for lane in self.lanes.values():
                lane.slots[slot] = self.slots[slot]
        self.dirty = True

    def value(self, ref: Ref) -> Any:
        """What an output holds now (for a probe)."""
        return self.slots[self.plan.slot_of[ref]]

    def reset(self) -> None:
        """Forget what was: state, delays, the clock."""
        self._last_time, self.dirty = None, True
        self.nodes.reset()
        self.delays.reset()

    def retire(self) -> None:
        """Close as soon as no lane is at work."""
        with self._working:
            self._retired = True
            idle = not self._busy
        if idle:
            self.close()

    def close(self) -> None:
        """Close every node; errors on the way are noted, not raised."""
        self.nodes.close()
