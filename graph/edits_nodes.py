"""Edits of nodes, their values and places, and of what belongs to the effect as a whole."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from .checking import value_problem
from .edit import Edit, find_graph, find_node, plain, title_of
from .effect import Effect, Graph, GroupDefinition, InterfaceEntry, NodeUse, Wire, group_name, is_name
from .errors import EditError
from .frozen import FrozenDict
from .ports import input_end, through
from .registry import Registry

__all__ = ["AddNode", "Move", "Mute", "RemoveNodes", "Rename", "SetEffect", "SetInterface", "SetParam"]


@dataclass(frozen=True, eq=False)
class AddNode(Edit):
    """Add a node; its id is generated unless given."""

    type: str
    params: Mapping[str, Any] = field(default_factory=FrozenDict)
    at: tuple[float, float] | None = None
    title: str = ""
    id: str = ""

    def change(self, graph: Graph, effect: Effect, registry: Registry) -> Graph:
        new = self.id or f"n{graph.next_id}"
        if not is_name(new) or new == "in":
            raise EditError(f"{new!r} can't be the id of a node (letters, digits and _; not 'in')")
        if new in graph.nodes:
            raise EditError(f"there is a node {new!r} already")
        group = group_name(self.type)
        if group is not None and group not in effect.groups:
            raise EditError(f"there is no group {group!r} in this effect")
        if group is None and registry and self.type not in registry:
            near = registry.nearest(self.type)
            raise EditError(
                f"there is no node type {self.type!r}" + (f"; did you mean {near!r}?" if near else "")
            )
        version = effect.groups[group].version if group else registry[self.type].version if registry else 1
        graph = graph.with_node(NodeUse(new, self.type, version, plain(self.params), self.title))
        return graph if self.at is None else replace(graph, positions=graph.positions.set(new, self.at))

    def words(self, effect: Effect, registry: Registry) -> str:
        return f"add {title_of(effect, NodeUse('', self.type, title=self.title), registry)}"


@dataclass(frozen=True, eq=False)
class RemoveNodes(Edit):
    """Remove nodes with their wires and public parameters. `reconnect`: what they were given goes on instead."""

    nodes: tuple[str, ...]
    reconnect: bool = False

    def change(self, graph: Graph, effect: Effect, registry: Registry) -> Graph:
        for node in self.nodes:
            use = find_node(graph, node)
            if self.reconnect:
                graph = graph.with_wires(_bridged(graph, effect, use, registry))
        gone = set(self.nodes)
        graph = replace(
            graph,
            nodes=graph.nodes.without(*gone),
            wires=tuple(w for w in graph.wires if w.source not in gone and w.target not in gone),
            interface=tuple(e for e in graph.interface if e.node not in gone),
            positions=graph.positions.without(*gone),
        )
        if isinstance(graph, GroupDefinition):
            graph = replace(graph, outputs=tuple(o for o in graph.outputs if o.node not in gone))
        return graph

    def words(self, effect: Effect, registry: Registry) -> str:
        one = len(self.nodes) == 1
        return f"remove {self.name(effect, self.nodes[0], registry) if one else f'{len(self.nodes)} nodes'}"


def _bridged(graph: Graph, effect: Effect, use: NodeUse, registry: Registry) -> list[Wire]:
    """The wires with a node's outputs replaced by what feeds the input that stands in for them."""
    stand_in = through(effect, use, registry)
    wires = [w for w in graph.wires if w.source != use.id]
    for wire in graph.wires_from(use.id):
        feeding = graph.wires_into(use.id, stand_in.get(wire.source_port, ""))
        wires += [replace(wire, source=f.source, source_port=f.source_port) for f in feeding[:1]]
    return wires


@dataclass(frozen=True, eq=False)
class SetParam(Edit):
    """Set a parameter of a node or of a group's use; None = back to its default."""

    node: str
    param: str
    value: Any

    @property
    def key(self) -> Hashable:
        return "param", self.scope, self.node, self.param

    def change(self, graph: Graph, effect: Effect, registry: Registry) -> Graph:
        use, value = find_node(graph, self.node), plain(self.value)
        self.check(use, value, effect, registry)
        return graph.with_node(use.set(**{self.param: value}))

    def check(self, use: NodeUse, value: Any, effect: Effect, registry: Registry) -> None:
        if use.group is not None:
            group = effect.groups.get(use.group)
            if group is not None and group.entry(self.param) is None:
                raise EditError(f"group {use.group!r} has no parameter {self.param!r}")
            return
        if (declaration := registry.get(use.type)) is None:
            return
        parameter = declaration.parameter(self.param)
        if parameter is None:
            known = ", ".join(p.name for p in declaration.params) or "none"
            raise EditError(f"{use.type} has no parameter {self.param!r}; it has: {known}")
        if value is not None and (fault := value_problem(parameter, value, effect.folder)):
            raise EditError(f"{self.node}.{self.param}: {fault[0]}; {fault[1]}")

    def words(self, effect: Effect, registry: Registry) -> str:
        place = f"{self.name(effect, self.node, registry)}.{self.param}"
        if self.value is None:
            return f"reset {place}"
        value = f"{self.value:g}" if isinstance(self.value, float) else str(self.value)
        return f"set {place} to {value if len(value) <= 40 else value[:39] + '…'}"


@dataclass(frozen=True, eq=False)
class Rename(Edit):
    """Give a node a title; "" = its type's."""

    node: str
    title: str

    @property
    def key(self) -> Hashable:
        return "title", self.scope, self.node

    def change(self, graph: Graph, effect: Effect, registry: Registry) -> Graph:
        return graph.with_node(replace(find_node(graph, self.node), title=plain(str(self.title))))

    def words(self, effect: Effect, registry: Registry) -> str:
        return f"rename {self.name(effect, self.node, registry)} to {self.title!r}"


@dataclass(frozen=True, eq=False)
class Move(Edit):
    """Put nodes to places on the canvas."""

    positions: Mapping[str, tuple[float, float]]

    @property
    def key(self) -> Hashable:
        return "move", self.scope, frozenset(self.positions)

    def change(self, graph: Graph, effect: Effect, registry: Registry) -> Graph:
        for node in self.positions:
            find_node(graph, node)
        places = {node: plain((x, y)) for node, (x, y) in self.positions.items()}
        return replace(graph, positions=FrozenDict({**graph.positions, **places}))

    def words(self, effect: Effect, registry: Registry) -> str:
        first = next(iter(self.positions), "")
        one = len(self.positions) == 1
        return f"move {self.name(effect, first, registry) if one else f'{len(self.positions)} nodes'}"


@dataclass(frozen=True, eq=False)
class Mute(Edit):
    """Mute nodes, or let them play again."""

    nodes: tuple[str, ...]
    muted: bool = True

    def change(self, graph: Graph, effect: Effect, registry: Registry) -> Graph:
        for node in self.nodes:
            graph = graph.with_node(replace(find_node(graph, node), muted=self.muted))
        return graph

    def words(self, effect: Effect, registry: Registry) -> str:
        names = ", ".join(self.name(effect, node, registry) for node in self.nodes)
        return f"{'mute' if self.muted else 'unmute'} {names}"


@dataclass(frozen=True, eq=False)
class SetInterface(Edit):
    """Set the public parameters of the effect or of a group, in order."""

    entries: tuple[InterfaceEntry, ...]

    def change(self, graph: Graph, effect: Effect, registry: Registry) -> Graph:
        names = [entry.name for entry in self.entries]
        if twice := next((n for n in names if names.count(n) > 1), None):
            raise EditError(f"two public parameters are called {twice!r}")
        for entry in self.entries:
            if not is_name(entry.name):
                raise EditError(f"{entry.name!r} can't be a name (letters, digits and _; no digit first)")
            find_node(graph, entry.node)
            end = input_end(effect, graph, entry.node, entry.param, registry)
            if end is None or (end.type is not None and not end.param):
                raise EditError(f"{entry.node} has no parameter {entry.param!r}")
            plain(entry.default)
        return replace(graph, interface=self.entries)

    def words(self, effect: Effect, registry: Registry) -> str:
        before = {entry.name for entry in find_graph(effect, self.scope).interface}
        after = {entry.name for entry in self.entries}
        changes = [f"publish {n}" for n in sorted(after - before)] + [
            f"hide {n}" for n in sorted(before - after)
        ]
        return ", ".join(changes) or "change public parameters"


@dataclass(frozen=True, eq=False)
class SetEffect(Edit):
    """Set what belongs to the effect as a whole: title, doc, working_space."""

    changes: Mapping[str, str]
    FIELDS: ClassVar[tuple[str, ...]] = ("title", "doc", "working_space")

    @property
    def key(self) -> Hashable:
        return "effect", frozenset(self.changes)

    def apply(self, effect: Effect, registry: Registry) -> Effect:
        for name in self.changes:
            if name not in self.FIELDS:
                raise EditError(f"an effect has no {name!r}; it has: {', '.join(self.FIELDS)}")
        space = self.changes.get("working_space", "srgb")
        if space not in ("srgb", "linear"):
            raise EditError(f"the working space is srgb or linear, not {space!r}")
        return replace(effect, **{name: plain(str(value)) for name, value in self.changes.items()})

    def words(self, effect: Effect, registry: Registry) -> str:
        return f"set the effect's {', '.join(self.changes)}"
