"""A plan's stages as closures over slots, in segments: one of the render lane, one of what is constant, one a model lane."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...graph.types import Trigger
from ..frames import Tick
from ..plan.ir import Plan, Stage
from .delays import Delays
from .failures import Failures, fall_back
from .kernels import KernelCall
from .lanes import Lane
from .loading import Nodes
from .process import bind_process
from .rasters import Pool
from .segment import Segment

__all__ = ["Binder"]

Bound = list[tuple[Callable[[], None], Stage]]


class Binder:
    """Binds a plan once.

    Args:
        library: of kernels; `library.kernel(key)` gives an object with `bind`.
        live: slow models get lanes.

    Attributes:
        render, constant: what runs in every frame, and when a parameter moved.
        lanes: by name.
        sources: slots of the stream's frame, one tuple a source.
        sinks: path → slot of what is shown, −1 where nothing is.
    """

    def __init__(
        self, plan: Plan, library: Any, nodes: Nodes, delays: Delays, failures: Failures,
        *, slots: list[Any], tick: Tick, live: bool,
    ):  # fmt: skip
        self.plan, self.library, self.nodes = plan, library, nodes
        self.delays, self.failures, self.pool = delays, failures, Pool(plan.buffers)
        self.sinks: dict[str, int] = {}
        self.sources: list[tuple[int, ...]] = []
        render, constant = [], []
        lanes: dict[str, list[Stage]] = {}
        for stage in plan.stages:
            if live and stage.lane != "render":
                lanes.setdefault(stage.lane, []).append(stage)
            elif (step := self._stage(stage, slots, tick)) is not None:
                (constant if stage.constant else render).append((step, stage))
        self.render = self._segment(render, slots)
        self.constant = self._segment(constant, slots)
        triggers = event_slots(plan)
        self.lanes = {name: self._lane(name, stages, slots, triggers) for name, stages in lanes.items()}

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
                return self.delays.read(stage)
            case "delay_write":
                return self.delays.write(stage)
        return bind_process(stage, self.plan.steps[stage.step], self.nodes, slots, tick, self.pool)

    def _segment(self, bound: Bound, slots: list[Any]) -> Segment:
        stages = [stage for _, stage in bound]

        def fail(i: int, error: Exception) -> None:
            self.failures.note(stages[i].path, error)
            fall_back(stages[i], self.plan.steps[stages[i].step], slots)

        return Segment([step for step, _ in bound], [s.path for s in stages], fail)

    def _lane(self, name: str, stages: list[Stage], slots: list[Any], triggers: frozenset[int]) -> Lane:
        slots, tick = list(slots), Tick()
        written = {slot for s in stages for slot in s.writes}
        feeds = sorted({slot for s in stages for slot in s.reads if slot not in written})
        steps = [(self._stage(s, slots, tick), s) for s in stages]
        segment = self._segment([(step, s) for step, s in steps if step is not None], slots)
        return Lane(name, slots, segment, tuple(feeds), tuple(sorted(written)), tick, triggers)


def event_slots(plan: Plan) -> frozenset[int]:
    """Slots of events."""
    return frozenset(
        slot
        for step in plan.steps.values()
        for port in step.outputs
        if port.type is Trigger and (slot := plan.slot_of.get((step.id, port.name))) is not None
    )
