"""Delays: what a wire back gives is what was written at the end of the frame before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ..frames import Frame
from ..plan.convert import value_conversion
from ..plan.ir import Plan, Stage, Step
from .rasters import copy_frame

__all__ = ["Delays"]


class Delays:
    """The delays of a plan.

    Attributes:
        boxes: node path → [what readers get, memory to copy the next raster into].
        starts: what delays start with, where it was moved since.
        writes: to call after each frame.
    """

    def __init__(self, plan: Plan, slots: list[Any]):
        self.plan, self.slots = plan, slots
        self.boxes: dict[str, list[Any]] = {}
        self.starts: dict[str, Any] = {}
        self.writes: list[Callable[[], None]] = []

    def read(self, stage: Stage) -> Callable[[], None]:
        """The stage that gives the last frame's value."""
        step, slots = self.plan.steps[stage.step], self.slots
        (slot,) = stage.writes
        box = self.boxes[step.path] = [self._start(step), None]

        def read() -> None:
            slots[slot] = box[0]

        return read

    def write(self, stage: Stage) -> Callable[[], None]:
        """Keep this frame's value once everything has run: as a stage it does nothing."""
        change = value_conversion(stage.converts[0]) if stage.converts else None

        def write() -> None:
            value = self.slots[stage.reads[0]] if stage.reads else None
            if change is not None:
                value = change(value)
            box = self.boxes[stage.path]
            if isinstance(value, Frame):
                box[0], box[1] = copy_frame(value, box[1]), box[0]
            else:
                box[0] = value

        self.writes.append(write)
        return lambda: None

    def _start(self, step: Step) -> Any:
        """What a delay gives before the first frame: nothing for a raster, else its parameter."""
        empty = None if step.outputs[0].type.family == "raster" else step.outputs[0].type.empty
        return self.starts.get(step.path, step.params.get("start", empty))

    def adopt(self, before: Delays) -> Iterator[tuple[str, bool]]:
        """Go on with the values of the same delays; gives each delay's path, and whether it does."""
        for path, box in self.boxes.items():
            old = before.plan.steps.get(path)
            same = (
                path in before.boxes and old is not None and old.decl.type == self.plan.steps[path].decl.type
            )
            yield path, same
            if same:
                box[:] = before.boxes[path]

    def forget_rasters(self) -> None:
        """Pictures of another size are no feedback for this one."""
        for box in self.boxes.values():
            if isinstance(box[0], Frame):
                box[:] = [None, None]

    def reset(self) -> None:
        """Every delay as at the start."""
        for path, box in self.boxes.items():
            box[:] = [self._start(self.plan.steps[path]), None]
