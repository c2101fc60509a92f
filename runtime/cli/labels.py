"""What nodes are called where a person reads: titles instead of ids."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...graph.effect import Effect

if TYPE_CHECKING:
    from ..plan.ir import Plan, Step

__all__ = ["titles", "with_fused"]


def titles(effect: Effect, plan: Plan) -> Mapping[str, str]:
    """Node path → its title; inside a group with the group's before it."""
    return {step.path: _title(effect, step) for step in plan.steps.values()}


def with_fused(effect: Effect, plan: Plan) -> dict[str, str]:
    """Node path → its title, and those of the nodes that its kernel does as well."""
    known = titles(effect, plan)
    fused = {stage.path: plan.kernels[stage.kernel].nodes for stage in plan.stages if stage.kind == "kernel"}
    made: dict[str, str] = {}
    for path, title in known.items():
        others = (other.partition("#")[0] for other in fused.get(path, ()))
        more = dict.fromkeys(known.get(other, other) for other in others if other != path)
        made[path] = title + (f"  (with {', '.join(more)})" if more else "")
    return made


def _title(effect: Effect, step: Step) -> str:
    graph: Any = effect
    words: list[str] = []
    for name in step.path.split("/"):
        node = graph.nodes.get(name) if graph else None
        words.append(node.title if node and node.title else step.decl.title if node and not node.group else name)
        graph = effect.groups.get(node.group) if node and node.group else None
    return " / ".join(words)
