"""What an edit is; see edits for all of them."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

from .effect import Effect, Graph, NodeUse, group_name
from .errors import EditError
from .frozen import freeze
from .registry import Registry

__all__ = ["Batch", "Edit", "find_graph", "find_node", "plain", "title_of"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Edit:
    """The root of all edits."""

    scope: str = ""

    @property
    def key(self) -> Hashable | None:
        """Edits in a row with the same key are one step; None = always a step of its own."""
        return None

    def apply(self, effect: Effect, registry: Registry) -> Effect:
        """The effect after this edit.

        Raises:
            EditError: it can't be done.
        """
        graph = find_graph(effect, self.scope)
        return effect.with_graph(self.scope, self.change(graph, effect, registry))

    def change(self, graph: Graph, effect: Effect, registry: Registry) -> Graph:
        """The graph after this edit; override this, or `apply` where more than one graph changes."""
        raise NotImplementedError

    def words(self, effect: Effect, registry: Registry) -> str:
        """What it does, for the history list; `effect` is the one before."""
        raise NotImplementedError

    def name(self, effect: Effect, node: str, registry: Registry) -> str:
        """What people call a node."""
        use = effect.graph(self.scope).nodes.get(node) if self.scope in ("", *effect.groups) else None
        return title_of(effect, use, registry) if use else node


def find_graph(effect: Effect, scope: str) -> Graph:
    if scope and scope not in effect.groups:
        raise EditError(f"there is no group {scope!r} in this effect")
    return effect.graph(scope)


def find_node(graph: Graph, node: str) -> NodeUse:
    if node not in graph.nodes:
        raise EditError(f"there is no node {node!r} here")
    return graph.nodes[node]


def title_of(effect: Effect, use: NodeUse, registry: Registry) -> str:
    """A node's own title, else its group's, else its type's."""
    if use.title or (declaration := registry.get(use.type)) is None:
        group = effect.groups.get(use.group or "")
        return use.title or (group and group.title) or group_name(use.type) or use.type
    return declaration.title


def plain(value: Any) -> Any:
    """A value as the document holds it, or a refusal."""
    try:
        return freeze(value)
    except ValueError as error:
        raise EditError(f"this value can't be stored: {error}") from None


@dataclass(frozen=True, eq=False)
class Batch(Edit):
    """Several edits as one step: all of them or none."""

    edits: tuple[Edit, ...]
    label: str = ""

    def apply(self, effect: Effect, registry: Registry) -> Effect:
        for edit in self.edits:
            effect = edit.apply(effect, registry)
        return effect

    def words(self, effect: Effect, registry: Registry) -> str:
        return self.label or ", ".join(edit.words(effect, registry) for edit in self.edits)
