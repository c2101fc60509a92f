"""What is opened before the first frame and lives as long as the engine: nodes with their state, files."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ...graph.declare import Parameter
from ...graph.errors import ModelError
from ...graph.types import Asset, Look
from ..plan.ir import Plan, Step, node_path
from .context import NodeContext
from .failures import Failures
from .isolate import Isolated

__all__ = ["Nodes", "load_files", "loaded", "new_state"]


class Nodes:
    """The process nodes of a plan.

    Attributes:
        instances, contexts, states: by step id.
        tracks: step id → track id → (state, when it was last there, µs), for nodes called once for each item.
    """

    def __init__(self, plan: Plan, failures: Failures):
        self.plan, self.failures = plan, failures
        self.instances: dict[str, Any] = {}
        self.contexts: dict[str, NodeContext] = {}
        self.states: dict[str, SimpleNamespace] = {}
        self.tracks: dict[str, dict[int, tuple[SimpleNamespace, int]]] = {}

    def open(self, step: Step, context: NodeContext) -> None:
        """Make the step's node, and open it.

        Raises:
            ModelError: a model can't be had. Whatever else a node raises is noted.
        """
        self.contexts[step.id] = context
        node: Any = Isolated(step.decl, context) if step.decl.isolated else step.decl.cls()
        self.instances[step.id] = node
        self.states[step.id] = new_state(step)
        try:
            node.open(context)
        except ModelError:
            raise
        except Exception as error:  # contained; process will fail too, and its fallback goes on
            self.failures.note(step.path, error)

    def adopt(self, before: Nodes) -> Iterator[tuple[str, bool]]:
        """Go on with each slot of state whose node path, name, type and schema agree; gives each slot, and whether it does."""
        for step_id, state in self.states.items():
            step, old = self.plan.steps[step_id], before.plan.steps.get(step_id)
            schemas = (
                {s.name: s.schema for s in old.decl.slots} if old and old.decl.type == step.decl.type else {}
            )
            for slot in step.decl.slots:
                same = schemas.get(slot.name) == slot.schema
                yield f"{step.path}.{slot.name}", same
                if same:
                    setattr(state, slot.name, getattr(before.states[step_id], slot.name))
            if step_id in self.tracks and all(schemas.get(s.name) == s.schema for s in step.decl.slots):
                self.tracks[step_id].update(before.tracks.get(step_id, {}))

    def reset(self) -> None:
        """Every state as at the start."""
        for step_id, state in self.states.items():
            state.__dict__.update(new_state(self.plan.steps[step_id]).__dict__)
        for tracks in self.tracks.values():
            tracks.clear()

    def close(self) -> None:
        """Close every node and its models; errors on the way are noted, not raised."""
        for step_id, node in self.instances.items():
            try:
                node.close()
                self.contexts[step_id].close()
            except Exception as error:
                self.failures.note(step_id, error)
        self.instances.clear()


def new_state(step: Step) -> SimpleNamespace:
    """A node's slots of state as declared."""
    return SimpleNamespace(**{s.name: copy.deepcopy(s.default) for s in step.decl.slots})


def load_files(plan: Plan, slots: list[Any], folder: Path | None) -> None:
    """Put into the slots of file parameters what nodes and kernels take."""
    for (path, name), slot in ((k, s) for k, s in plan.slot_of.items() if len(k) == 2):
        step = next((s for s in plan.steps.values() if node_path(s.path) == path), None)
        parameter = step.decl.parameter(name) if step else None
        if parameter:
            slots[slot] = loaded(parameter, slots[slot], folder)


def loaded(parameter: Parameter, value: Any, folder: Path | None) -> Any:
    """A file parameter's value as nodes and kernels take it: a look's table, a path; any other parameter's as it is."""
    if value in (None, "") or parameter.type not in (Look, Asset):
        return value
    path = NodeContext(folder=folder).asset(value)
    if parameter.type is Asset:
        return path
    from ..looks import read_look

    return read_look(path)
