"""The engine: a plan's stages bound to nodes, arrays and kernels. One call a frame; no threads, no clock of its own."""

from __future__ import annotations

import copy
import math
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ...graph.declare import Parameter
from ...graph.errors import ModelError, SpellwireError, UsageError
from ...graph.types import Asset, Look, Trigger
from ..frames import Frame, Tick
from ..plan.ir import Plan, Ref, Stage, Step
from ..plan.variants import is_baked
from .calls import bind_call, bind_carried, bind_mapped, outputs_for, with_policy
from .context import NodeContext
from .costs import Costs
from .isolate import Isolated
from .kernels import KernelCall
from .rasters import Pool, copy_frame, empty_frame
from .segment import Segment

__all__ = ["Engine", "Failure", "clean_value"]


EVENTS = -1  # stands for the tick's own events where slots of events are counted up


@dataclass
class Failure:
    """A node that raises: the newest error, and how often."""

    path: str
    error: str
    count: int = 1
    first_index: int = 0


@dataclass
class Lane:
    """A model lane: what it reads is copied to it when it is idle, what it gives is published when it is done."""

    name: str
    slots: list[Any]
    segment: Segment
    feeds: tuple[tuple[int, int], ...]  # (render slot, lane slot)
    results: tuple[tuple[int, int], ...]  # (lane slot, render slot)
    tick: Tick
    triggers: tuple[int, ...] = ()  # slots whose events wait until the lane is fed
    waiting: dict[int, tuple[Any, ...]] = field(default_factory=dict)
    published: dict[int, list[Frame | None]] = field(default_factory=dict)
    index: int = -1  # the frame its result is of


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
            step = next((s for s in self.plan.steps.values() if s.path == path), None)
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
            context = NodeContext(self.threads, self.profile, self.folder, self.natives)
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
        mapped = [i for i, n in enumerate(names) if n in step.links and step.links[n].item]
        if step.mapped and step.carried:
            at = names.index(step.mapped)
            call = bind_carried(
                node.process, slots, reads, stage.writes[0], mapped=at, carried=names.index(step.carried)
            )
        elif step.mapped:
            first = names.index(step.mapped)
            mapped.sort(key=lambda i: i != first)
            states = self.tracks.setdefault(stage.step, {})
            call = bind_mapped(
                node.process, slots, reads, stage.writes, mapped=mapped,
                state_at=names.index("state") if "state" in names else None,
                new_state=lambda: self._new_state(step), states=states, tick=tick,
            )  # fmt: skip
        else:
            call = bind_call(node.process, slots, reads, converts, stage.writes, self._nothing(step, tick))
        if out_slot >= 0:
            owned = [b for b in stage.buffers if b >= 0]
            call = outputs_for(call, slots, out_slot, self.pool, owned, tick, step.decl.fallback == "last")
        watched = [(slots_i, p.when_empty) for p in step.decl.inputs for n, slots_i in zip(names, reads, strict=True)
                   if n == p.name and p.when_empty != "neutral"]  # fmt: skip
        if watched:
            call = with_policy(call, slots, watched, {}, lambda: None)
        return call

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
        raster = step.outputs[0].type.family == "raster"  # before the first frame: nothing
        start = None if raster else step.params.get("start", step.outputs[0].type.empty)
        box = self.delays[step.path] = [start, None]

        def read() -> None:
            self.slots[slot] = box[0]

        return read

    def _delay_write(self, stage: Stage) -> Callable[[], None]:
        box_path = stage.path

        def write() -> None:
            value = self.slots[stage.reads[0]] if stage.reads else None
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
            name, slots, segment, tuple((s, s) for s in feeds), tuple((s, s) for s in sorted(written)), tick,
            tuple(s for s in feeds if s in self._triggers),
        )  # fmt: skip

    @cached_property
    def _triggers(self) -> set[int]:
        """Slots of events."""
        return {
            slot
            for step in self.plan.steps.values()
            for port in step.outputs
            if port.type is Trigger and (slot := self.plan.slot_of.get((step.id, port.name))) is not None
        }

    def _accumulate(self) -> None:
        """Events wait for their lane, and what a lane gave was for one frame."""
        for lane in self.lanes.values():
            for slot in (*lane.triggers, EVENTS):
                new = self.tick.events if slot == EVENTS else self.slots[slot]
                if new:
                    lane.waiting[slot] = (*lane.waiting.get(slot, ()), *new)
            for _, here in lane.results:
                if here in self._triggers:
                    self.slots[here] = ()

    def feed(self, name: str) -> None:
        """Hand the frame just rendered to an idle lane: rasters copied, values by reference."""
        lane = self.lanes[name]
        slots = lane.slots
        for here, there in lane.feeds:
            value = lane.waiting.get(here, ()) if here in lane.triggers else self.slots[here]
            slots[there] = copy_frame(value, slots[there]) if isinstance(value, Frame) else value
        tick, before = lane.tick, lane.tick.time
        for key in ("time", "index", "width", "height"):
            setattr(tick, key, getattr(self.tick, key))
        tick.delta = max(tick.time - before, 0) * 1e-6 if lane.index >= 0 else 0.0
        tick.events = lane.waiting.get(EVENTS, ())
        lane.waiting.clear()

    def run_lane(self, name: str) -> None:
        """In the lane's thread: run it, and copy its rasters aside."""
        lane = self.lanes[name]
        with self._working:
            self._busy += 1
        try:
            self._run_lane(lane)
        finally:
            with self._working:
                self._busy -= 1
                last = self._retired and not self._busy
            if last:
                self.close()

    def _run_lane(self, lane: Lane) -> None:
        lane.segment.run()
        slots = lane.slots
        for there, _ in lane.results:
            value = slots[there]
            if isinstance(value, Frame):
                pair = lane.published.setdefault(there, [None, None])
                pair[1] = copy_frame(value, pair[1])

    def publish(self, name: str) -> None:
        """In the render lane, between frames: what the lane gave is what readers see from now on."""
        lane = self.lanes[name]
        slots = lane.slots
        for there, here in lane.results:
            pair = lane.published.get(there)
            if pair is not None and isinstance(slots[there], Frame):
                pair[0], pair[1] = pair[1], pair[0]
                self.slots[here] = pair[0]
            else:
                self.slots[here] = slots[there]
        lane.index = lane.tick.index

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
        if self.lanes:
            self._accumulate()
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
        step = next((s for s in self.plan.steps.values() if s.path == path), None)
        parameter = step.decl.parameter(name) if step else None
        if parameter is None:
            raise UsageError(f"{path} has no parameter {name!r}")
        value = clean_value(parameter, value)
        if is_baked(self.plan, path, name) and parameter.structural and parameter.type is not Look:
            raise UsageError(f"{path}.{name} is compiled into a kernel: it needs a new plan")
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
            step = self.plan.steps[path]
            box[:] = [None if isinstance(box[0], Frame) else step.params.get("start"), None]

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
        text = str(error) if isinstance(error, SpellwireError) else f"{type(error).__name__}: {error}"
        known = self.failures.get(path)
        if known:
            known.count, known.error = known.count + 1, text
        else:
            self.failures[path] = Failure(path, text, 1, self.tick.index)


def clean_value(parameter: Parameter, value: Any) -> Any:
    """A parameter's value, checked and in its own kind.

    Raises:
        UsageError: what is wrong with it, and what it may be.
    """
    name, kind = parameter.name, parameter.type.name
    if parameter.choices:
        if value not in parameter.choices:
            raise UsageError(f"{name} = {value!r}: choose one of {', '.join(map(str, parameter.choices))}")
        return value
    try:
        if kind in ("Number", "Integer"):
            number = float(value) if kind == "Number" else int(value)
            return _in_range(parameter, number)
        if kind == "Boolean":
            return _boolean(value)
        if kind in ("Vector2", "Vector3", "Vector4", "Colour"):
            numbers = tuple(_finite(name, v) for v in value)
            wanted = parameter.type.components
            if kind == "Colour" and len(numbers) == 3:
                numbers = (*numbers, 1.0)
            if len(numbers) != wanted:
                raise UsageError(f"{name}: a {kind} has {wanted} numbers, not {len(numbers)}")
            return numbers
    except (TypeError, ValueError):
        raise UsageError(f"{name} = {value!r} is no {kind}") from None
    return value


def _in_range(parameter: Parameter, number: float) -> float:
    _finite(parameter.name, number)
    low = -math.inf if parameter.low is None else parameter.low
    high = math.inf if parameter.high is None else parameter.high
    if not low <= number <= high:
        raise UsageError(f"{parameter.name} = {number:g} is outside {low:g} to {high:g}")
    return number


def _finite(name: str, value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise UsageError(f"{name} = {value}: NaN and infinity are no values")
    return number


def _boolean(value: Any) -> bool:
    words = {
        "true": True,
        "yes": True,
        "on": True,
        "1": True,
        "false": False,
        "no": False,
        "off": False,
        "0": False,
    }
    if isinstance(value, str):
        if value.lower() not in words:
            raise ValueError
        return words[value.lower()]
    return bool(value)
