"""The engine: a plan's stages bound to nodes, arrays and kernels. One call a frame; no threads, no clock of its own."""

from __future__ import annotations

import copy
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ...graph.declare import Parameter
from ...graph.errors import ModelError, SpellwireError, UsageError
from ...graph.types import Asset, Look, Trigger
from ..frames import Frame, Tick
from ..plan.convert import value_conversion
from ..plan.ir import TRACK, Plan, Ref, Stage, Step, node_path
from ..plan.variants import is_baked
from .calls import bind_call, bind_carried, bind_mapped, bind_tracked, outputs_for, with_policy
from .context import NodeContext
from .costs import Costs
from .isolate import Isolated
from .kernels import KernelCall
from .lanes import Lane
from .parameters import clean_value
from .rasters import Pool, copy_frame, empty_frame
from .segment import Segment

__all__ = ["Engine", "Failure"]


@dataclass
class Failure:
    """A node that raises: the newest error, and how often."""

    path: str
    error: str
    count: int = 1
    first_index: int = 0


class Engine:
    """Plays a plan frame by frame.

    Args:
        plan: from `compile_effect`.
        library: its kernels; `library.kernel(key)` gives an object with `bind`.
        live: put slow models in lanes (`lanes`) instead of running them in order.
        context: makes the NodeContext of a node path.

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
        self.plan, self.library, self.live = plan, library, live
        self.natives = natives or {}
        self.folder, self.threads, self.profile = folder, threads, profile
        self.slots: list[Any] = list(plan.slots)
        self.pool = Pool(plan.buffers)
        self.tick = Tick()
        self.failures: dict[str, Failure] = {}
        self.instances: dict[str, Any] = {}
        self.contexts: dict[str, NodeContext] = {}
        self.states: dict[str, SimpleNamespace] = {}
        self.tracks: dict[str, dict[int, tuple[SimpleNamespace, int]]] = {}
        self.dirty = True
        self.ended: list[Callable[[], None]] = []
        self._last_time: int | None = None
        self._working, self._busy, self._retired = threading.Lock(), 0, False
        try:
            self._load_files()
            self._open_nodes()
            self._bind()
        except BaseException:
            self.close()
            raise
        self.costs = Costs(self.render.names)

    # -- loading

    def _parameters(self) -> Iterable[tuple[Step, Parameter, int]]:
        for (path, name), slot in ((k, s) for k, s in self.plan.slot_of.items() if len(k) == 2):
            step = next((s for s in self.plan.steps.values() if node_path(s.path) == path), None)
            parameter = step.decl.parameter(name) if step else None
            if step and parameter:
                yield step, parameter, slot

    def _load_files(self) -> None:
        for _, parameter, slot in self._parameters():
            self.slots[slot] = self._loaded(parameter, self.slots[slot])

    def _loaded(self, parameter: Parameter, value: Any) -> Any:
        """A file parameter's value as nodes and kernels take it."""
        if value in (None, "") or parameter.type not in (Look, Asset):
            return value
        path = NodeContext(folder=self.folder).asset(value)
        if parameter.type is Asset:
            return path
        from ..looks import read_look

        return read_look(path)

    def _open_nodes(self) -> None:
        for stage in self.plan.stages:
            if stage.kind != "process":
                continue
            step = self.plan.steps[stage.step]
            # beside the render lane a slow model has one core, so that the other is the render lane's
            threads = 1 if self.live and stage.lane != "render" else self.threads
            context = NodeContext(
                threads, self.profile, self.folder, self.natives, step.params, working_space=self.plan.working_space
            )
            self.contexts[stage.step] = context
            node: Any = Isolated(step.decl, context) if step.decl.isolated else step.decl.cls()
            self.instances[stage.step] = node
            self.states[stage.step] = self._new_state(step)
            try:
                node.open(context)
            except ModelError:
                raise
            except Exception as error:  # contained; process will fail too, and its fallback goes on
                self._note(step.path, error)

    def _new_state(self, step: Step) -> SimpleNamespace:
        return SimpleNamespace(**{s.name: copy.deepcopy(s.default) for s in step.decl.slots})

    def adopt(self, before: Engine) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Go on where another engine was: its clock, and each slot of state whose node path, name, type and schema agree.

        Gives the names (path.slot) of what goes on, and of what starts anew.
        """
        self._last_time = before._last_time
        kept, fresh = [], []
        for step_id, state in self.states.items():
            step, old = self.plan.steps[step_id], before.plan.steps.get(step_id)
            schemas = (
                {s.name: s.schema for s in old.decl.slots} if old and old.decl.type == step.decl.type else {}
            )
            for slot in step.decl.slots:
                same = schemas.get(slot.name) == slot.schema
                (kept if same else fresh).append(f"{step.path}.{slot.name}")
                if same:
                    setattr(state, slot.name, getattr(before.states[step_id], slot.name))
            if step_id in self.tracks and all(schemas.get(s.name) == s.schema for s in step.decl.slots):
                self.tracks[step_id].update(before.tracks.get(step_id, {}))
        for path, box in self.delays.items():
            old = before.plan.steps.get(path)
            same = (
                path in before.delays and old is not None and old.decl.type == self.plan.steps[path].decl.type
            )
            (kept if same else fresh).append(path)
            if same:
                box[:] = before.delays[path]
        return tuple(kept), tuple(fresh)

    # -- binding

    def _bind(self) -> None:
        self.delays: dict[str, list[Any]] = {}
        self.starts: dict[str, Any] = {}  # of delays, moved since
        self.sinks: dict[str, int] = {}
        self.sources: list[tuple[int, ...]] = []
        render, constant = [], []
        lanes: dict[str, list[Stage]] = {}
        for stage in self.plan.stages:
            if self.live and stage.lane != "render":
                lanes.setdefault(stage.lane, []).append(stage)
            elif (step := self._stage(stage, self.slots, self.tick)) is not None:
                (constant if stage.constant else render).append((step, stage))
        self.render = self._segment(render, self.slots)
        self.constant = self._segment(constant, self.slots)
        self.lanes = {name: self._lane(name, stages) for name, stages in lanes.items()}

    def _segment(self, bound: list[tuple[Callable[[], None], Stage]], slots: list[Any]) -> Segment:
        stages = [stage for _, stage in bound]

        def fail(i: int, error: Exception) -> None:
            self._contain(stages[i], error, slots)

        return Segment([step for step, _ in bound], [s.path for s in stages], fail)

    def _stage(self, stage: Stage, slots: list[Any], tick: Tick) -> Callable[[], None] | None:
        match stage.kind:
            case "source":
                self.sources.append(stage.writes)
                return None
            case "sink":
                self.sinks[stage.path] = stage.reads[0] if stage.reads else -1
                return None
            case "kernel":
                kernel = self.plan.kernels[stage.kernel]
                bind = self.library.kernel(kernel.region).bind
                return KernelCall(stage, kernel, bind, self.pool, slots, tick)
            case "delay_read":
                return self._delay_read(stage)
            case "delay_write":
                return self._delay_write(stage)
        return self._process(stage, slots, tick)

    def _process(self, stage: Stage, slots: list[Any], tick: Tick) -> Callable[[], None]:
        step = self.plan.steps[stage.step]
        node = self.instances[stage.step]
        reads, converts, out_slot = self._arguments(stage, step, slots, tick)
        names = step.decl.arguments
        watched = []
        for i, name in enumerate(names):
            port = step.decl.input(name)
            if port is not None and port.when_empty != "neutral":
                slots.append(None)
                watched.append((reads[i], len(slots) - 1, port.when_empty))
                reads[i] = len(slots) - 1
        mapped = [i for i, n in enumerate(names) if n in step.links and step.links[n].item]
        if step.mapped and step.carried:
            at = names.index(step.mapped)
            call = bind_carried(
                node.process, slots, reads, converts, stage.writes[0], mapped=at,
                carried=names.index(step.carried),
            )  # fmt: skip
        elif step.mapped:
            first = names.index(step.mapped)
            mapped.sort(key=lambda i: i != first)
            states = self.tracks.setdefault(stage.step, {})
            call = bind_mapped(
                node.process, slots, reads, converts, stage.writes, mapped=mapped,
                state_at=names.index("state") if "state" in names else None,
                new_state=lambda: self._new_state(step), states=states, tick=tick,
            )  # fmt: skip
        else:
            call = bind_call(node.process, slots, reads, converts, stage.writes, self._nothing(step, tick))
        if out_slot >= 0:
            owned = [b for b in stage.buffers if b >= 0]
            call = outputs_for(call, slots, out_slot, self.pool, owned, tick, step.decl.fallback == "last")
        call = with_policy(call, slots, watched) if watched else call
        if TRACK not in step.links:
            return call
        first = re.sub("@.*?(?=#|$)", "@0", stage.step)  # one state a track, whichever copy has it now
        return bind_tracked(
            call, slots, stage.reads[-1],
            [(slot, None if p.type.family == "raster" else p.type.empty) for slot, p in zip(stage.writes, step.outputs, strict=True)],
            state_slot=reads[names.index("state")] if "state" in names else None,
            new_state=lambda: self._new_state(step), states=self.tracks.setdefault(first, {}), tick=tick,
        )  # fmt: skip

    def _nothing(self, step: Step, tick: Tick) -> dict[int, Callable[[Any], Any]]:
        """What stands for a raster that is not there, for each raster argument: zeros over the whole frame."""

        def filled(channels: int, fmt: str) -> Callable[[Any], Any]:
            return lambda value: (
                empty_frame(channels, tick.width, tick.height, fmt) if value is None else value
            )

        ports = ((i, step.decl.input(name)) for i, name in enumerate(step.decl.arguments))
        return {
            i: filled(3 if p.display else p.type.components, "u8" if p.display else "f32")
            for i, p in ports
            if p is not None and p.type.family == "raster" and not p.optional
        }

    def _arguments(
        self, stage: Stage, step: Step, slots: list[Any], tick: Tick
    ) -> tuple[list[int], list[str], int]:
        """A slot for each argument of `process`, special ones included."""
        plain = iter(zip(stage.reads, stage.converts, strict=True))
        reads, converts, out_slot = [], [], -1
        for name in step.decl.arguments:
            if name in ("tick", "state", "out"):
                slots.append({"tick": tick, "state": self.states.get(stage.step)}.get(name))
                reads.append(len(slots) - 1)
                converts.append("")
                out_slot = len(slots) - 1 if name == "out" else out_slot
            else:
                slot, conversion = next(plain)
                reads.append(slot)
                converts.append(conversion)
        return reads, converts, out_slot

    # -- delays

    def _delay_read(self, stage: Stage) -> Callable[[], None]:
        step = self.plan.steps[stage.step]
        (slot,) = stage.writes
        box = self.delays[step.path] = [self._start(step), None]

        def read() -> None:
            self.slots[slot] = box[0]

        return read

    def _start(self, step: Step) -> Any:
        """What a delay gives before the first frame: nothing for a raster, else its parameter."""
        empty = None if step.outputs[0].type.family == "raster" else step.outputs[0].type.empty
        return self.starts.get(step.path, step.params.get("start", empty))

    def _delay_write(self, stage: Stage) -> Callable[[], None]:
        box_path = stage.path
        change = value_conversion(stage.converts[0]) if stage.converts else None

        def write() -> None:
            value = self.slots[stage.reads[0]] if stage.reads else None
            if change is not None:
                value = change(value)
            box = self.delays[box_path]
            if isinstance(value, Frame):
                box[0], box[1] = copy_frame(value, box[1]), box[0]
            else:
                box[0] = value

        self.ended.append(write)
        return lambda: None

    # -- lanes

    def _lane(self, name: str, stages: list[Stage]) -> Lane:
        slots = list(self.slots)
        tick = Tick()
        written = {slot for s in stages for slot in s.writes}
        feeds = sorted({slot for s in stages for slot in s.reads if slot not in written})
        steps = [(self._stage(s, slots, tick), s) for s in stages]
        segment = self._segment([(step, s) for step, s in steps if step is not None], slots)
        return Lane(
            name, slots, segment, tuple(feeds), tuple(sorted(written)), tick, frozenset(self._triggers)
        )

    @cached_property
    def _triggers(self) -> set[int]:
        """Slots of events."""
        return {
            slot
            for step in self.plan.steps.values()
            for port in step.outputs
            if port.type is Trigger and (slot := self.plan.slot_of.get((step.id, port.name))) is not None
        }

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
                self._forget_rasters()
            for writes in self.sources:
                self.slots[writes[0]] = frame
        if self.dirty:
            self.dirty = False
            self.constant.run()
        self.render.run()
        for end in self.ended:
            end()
        for lane in self.lanes.values():
            lane.accumulate(self.slots, tick)
        self.costs.add(self.render.times)
        return self.shown()

    def _forget_rasters(self) -> None:
        """Pictures of another size are no feedback for this one."""
        for box in self.delays.values():
            if isinstance(box[0], Frame):
                box[:] = [None, None]

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
        if path in self.delays:
            self.starts[path] = value
        slot = self.plan.slot_of.get((path, name))
        if slot is not None:
            self.slots[slot] = self._loaded(parameter, value)
            for lane in self.lanes.values():
                lane.slots[slot] = self.slots[slot]
        self.dirty = True

    def value(self, ref: Ref) -> Any:
        """What an output holds now (for a probe)."""
        return self.slots[self.plan.slot_of[ref]]

    def reset(self) -> None:
        """Forget what was: state, delays, the clock."""
        self._last_time, self.dirty = None, True
        for step_id, state in self.states.items():
            state.__dict__.update(self._new_state(self.plan.steps[step_id]).__dict__)
        for tracks in self.tracks.values():
            tracks.clear()
        for path, box in self.delays.items():
            box[:] = [self._start(self.plan.steps[path]), None]

    def retire(self) -> None:
        """Close as soon as no lane is at work."""
        with self._working:
            self._retired = True
            idle = not self._busy
        if idle:
            self.close()

    def close(self) -> None:
        """Close every node; errors on the way are noted, not raised."""
        for step_id, node in self.instances.items():
            try:
                node.close()
                self.contexts[step_id].close()
            except Exception as error:
                self._note(step_id, error)
        self.instances.clear()

    # -- containment

    def _contain(self, stage: Stage, error: Exception, slots: list[Any]) -> None:
        """A stage raised: its declared fallback goes on."""
        self._note(stage.path, error)
        step = self.plan.steps[stage.step]
        for slot, port in zip(stage.writes, step.outputs, strict=False):
            if step.decl.fallback == "empty":
                slots[slot] = None if port.type.family == "raster" else port.type.empty
            elif step.decl.fallback == "pass":
                same = [s for s, n in zip(stage.reads, step.decl.arguments, strict=False)
                        if (p := step.decl.input(n)) and p.type is port.type]  # fmt: skip
                slots[slot] = slots[same[0]] if same else slots[slot]

    def _note(self, path: str, error: Exception) -> None:
        path = node_path(path)
        text = str(error) if isinstance(error, SpellwireError) else f"{type(error).__name__}: {error}"
        known = self.failures.get(path)
        if known:
            known.count, known.error = known.count + 1, text
        else:
            self.failures[path] = Failure(path, text, 1, self.tick.index)
