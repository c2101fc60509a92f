"""Containment: what a node raised is noted, and its declared fallback goes on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...graph.errors import SpellwireError
from ..frames import Tick
from ..plan.ir import Stage, Step, node_path

__all__ = ["Failure", "Failures", "fall_back"]


@dataclass
class Failure:
    """A node that raises: the newest error, and how often."""

    path: str
    error: str
    count: int = 1
    first_index: int = 0


class Failures(dict[str, Failure]):
    """Node path → what it raised. `tick` tells the frame."""

    def __init__(self, tick: Tick):
        super().__init__()
        self.tick = tick

    def note(self, path: str, error: Exception) -> None:
        """One more error of a node, or of one of its steps."""
        path = node_path(path)
        text = str(error) if isinstance(error, SpellwireError) else f"{type(error).__name__}: {error}"
        known = self.get(path)
        if known:
            known.count, known.error = known.count + 1, text
        else:
            self[path] = Failure(path, text, 1, self.tick.index)


def fall_back(stage: Stage, step: Step, slots: list[Any]) -> None:
    """Put in the stage's outputs what its node declares for the case that it raises."""
    for slot, port in zip(stage.writes, step.outputs, strict=False):
        if step.decl.fallback == "empty":
            slots[slot] = None if port.type.family == "raster" else port.type.empty
        elif step.decl.fallback == "pass":
            same = [s for s, n in zip(stage.reads, step.decl.arguments, strict=False)
                    if (p := step.decl.input(n)) and p.type is port.type]  # fmt: skip
            slots[slot] = slots[same[0]] if same else slots[slot]
