"""Edits that make groups of nodes, open them again, and shape a group's ports."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from .edit import Edit, find_graph, find_node, plain
from .effect import (
    GROUP,
    INPUT,
    Effect,
    Graph,
    GroupDefinition,
    GroupInput,
    GroupOutput,
    InterfaceEntry,
    NodeUse,
    Wire,
    is_name,
)
from .errors import EditError
from .frozen import FrozenDict
from .ports import input_end, output_end
from .registry import Registry

__all__ = ["MakeGroup", "RemoveGroup", "RenameGroup", "SetGroupPorts", "Ungroup", "free_name"]


def free_name(wanted: str, taken: Iterable[str]) -> str:
    """`wanted`, or `wanted_2`, `wanted_3`, … where it is taken."""
    names, number, made = set(taken), 1, wanted
    while made in names:
        number += 1
        made = f"{wanted}_{number}"
    return made


@dataclass(frozen=True, eq=False)
class MakeGroup(Edit):
    """Make a group of nodes: they move into a definition, and one use of it takes their place.

    Wires that crossed the border become the group's inputs and outputs, wires to parameters and public parameters
    its public parameters. The nodes keep their ids inside.
    """

    nodes: tuple[str, ...]
    name: str

    def apply(self, effect: Effect, registry: Registry) -> Effect:
        outer = find_graph(effect, self.scope)
        if not self.nodes:
            raise EditError("choose the nodes to group")
        if not is_name(self.name):
            raise EditError(f"{self.name!r} can't be a group's name (letters, digits and _; no digit first)")
        if self.name in effect.groups:
            raise EditError(f"there is a group {self.name!r} already")
        border = _Border(effect, outer, {n: find_node(outer, n) for n in self.nodes}, registry)
        definition = border.definition(self.name)
        made = border.outside(f"n{outer.next_id}", self.name)
        effect = effect.with_graph(self.scope, made)
        return replace(effect, groups=effect.groups.set(self.name, definition))

    def words(self, effect: Effect, registry: Registry) -> str:
        return f"group {len(self.nodes)} nodes as {self.name!r}"


class _Border:
    """What crosses the border of a group in the making."""

    def __init__(self, effect: Effect, outer: Graph, inside: dict[str, NodeUse], registry: Registry):
        self.effect, self.outer, self.inside, self.registry = effect, outer, inside, registry
        self.inputs: dict[tuple[str, str], GroupInput] = {}  # by the output outside that feeds it
        self.outputs: dict[tuple[str, str], GroupOutput] = {}  # by the output inside
        self.entries: dict[tuple[str, str], InterfaceEntry] = {}  # by the parameter inside
        self.inner_wires: list[Wire] = []
        self.outer_wires: list[Wire] = []
        for wire in outer.wires:
            self.sort(wire)
        for entry in outer.interface:
            if entry.node in inside:
                self.entry(entry.node, entry.param, entry.name)
        if isinstance(outer, GroupDefinition):
            for output in outer.outputs:
                if output.node in inside:
                    self.output(output.node, output.port)

    def sort(self, wire: Wire) -> None:
        begins, ends = wire.source in self.inside, wire.target in self.inside
        if begins and ends:
            self.inner_wires.append(wire)
        elif ends:
            self.incoming(wire)
        elif begins:
            self.outer_wires.append(
                replace(wire, source="", source_port=self.output(wire.source, wire.source_port))
            )
        else:
            self.outer_wires.append(wire)

    def incoming(self, wire: Wire) -> None:
        end = input_end(self.effect, self.outer, wire.target, wire.target_port, self.registry)
        if end is not None and end.param:
            name = self.entry(wire.target, wire.target_port, wire.target_port)
            self.outer_wires.append(replace(wire, target="", target_port=name))
            return
        begin = output_end(self.effect, self.outer, wire.source, wire.source_port, self.registry)
        kind = (end and end.type) or (begin and begin.type)
        if kind is None:
            raise EditError(
                f"the wire {wire} has no known type at either end; install its nodes before grouping"
            )
        key = (wire.source, wire.source_port)
        if key not in self.inputs:
            name = free_name(wire.target_port, self.names())
            given = GroupInput(name, kind.name, bool(end and end.optional), bool(end and end.carried))
            self.inputs[key] = given
            self.outer_wires.append(Wire(wire.source, wire.source_port, "", name))
        elif end is not None and not end.optional:
            self.inputs[key] = replace(self.inputs[key], optional=False)
        self.inner_wires.append(replace(wire, source=INPUT, source_port=self.inputs[key].name))

    def output(self, node: str, port: str) -> str:
        if (node, port) not in self.outputs:
            name = free_name(port, self.names())
            self.outputs[node, port] = GroupOutput(name, node, port)
        return self.outputs[node, port].name

    def entry(self, node: str, param: str, wanted: str) -> str:
        if (node, param) not in self.entries:
            name = free_name(wanted, self.names())
            self.entries[node, param] = InterfaceEntry(name, node, param)
        return self.entries[node, param].name

    def names(self) -> list[str]:
        every = (*self.inputs.values(), *self.outputs.values(), *self.entries.values())
        return [port.name for port in every]

    def definition(self, name: str) -> GroupDefinition:
        spots = FrozenDict({n: p for n, p in self.outer.positions.items() if n in self.inside})
        return GroupDefinition(
            name=name,
            nodes=FrozenDict(self.inside),
            wires=tuple(self.inner_wires),
            inputs=tuple(self.inputs.values()),
            outputs=tuple(self.outputs.values()),
            interface=tuple(self.entries.values()),
            positions=spots,
        )

    def outside(self, use: str, name: str) -> Graph:
        """The outer graph with the use in place of the nodes ("" stands for it in wires)."""
        wires = [replace(w, source=w.source or use, target=w.target or use) for w in self.outer_wires]
        spots = [p for n, p in self.outer.positions.items() if n in self.inside]
        positions = self.outer.positions.without(*self.inside)
        if spots:
            centre = (sum(x for x, _ in spots) / len(spots), sum(y for _, y in spots) / len(spots))
            positions = positions.set(use, centre)
        made = replace(
            self.outer,
            nodes=self.outer.nodes.without(*self.inside).set(use, NodeUse(use, GROUP + name)),
            wires=tuple(wires),
            interface=tuple(self.retargeted(entry, use) for entry in self.outer.interface),
            positions=positions,
        )
        if isinstance(made, GroupDefinition):
            moved = (
                replace(o, node=use, port=self.outputs[o.node, o.port].name) if o.node in self.inside else o
                for o in made.outputs
            )
            made = replace(made, outputs=tuple(moved))
        return made

    def retargeted(self, entry: InterfaceEntry, use: str) -> InterfaceEntry:
        if entry.node not in self.inside:
            return entry
        return replace(entry, node=use, param=self.entries[entry.node, entry.param].name)


@dataclass(frozen=True, eq=False)
class Ungroup(Edit):
    """Open one use of a group: copies of its nodes, with new ids, take its place. The definition stays."""

    node: str

    def change(self, graph: Graph, effect: Effect, registry: Registry) -> Graph:
        use = find_node(graph, self.node)
        definition = effect.groups.get(use.group or "")
        if definition is None:
            raise EditError(f"{self.node!r} is no use of a group of this effect")
        return _Opened(graph, use, definition).graph()

    def words(self, effect: Effect, registry: Registry) -> str:
        return f"ungroup {self.name(effect, self.node, registry)}"


class _Opened:
    """A use of a group, laid out in the graph around it."""

    def __init__(self, outer: Graph, use: NodeUse, definition: GroupDefinition):
        self.outer, self.use, self.definition = outer, use, definition
        self.ids = {old: f"n{outer.next_id + i}" for i, old in enumerate(definition.nodes)}

    def graph(self) -> Graph:
        outer, use = self.outer, self.use
        nodes = {k: n for k, n in outer.nodes.items() if k != use.id} | {n.id: n for n in self.nodes()}
        wires = [w for w in outer.wires if use.id not in (w.source, w.target)]
        wires += [w for wire in self.definition.wires for w in self.inner(wire)]
        for wire in outer.wires_into(use.id):
            if entry := self.definition.entry(wire.target_port):
                wires.append(replace(wire, target=self.ids[entry.node], target_port=entry.param))
        for wire in outer.wires_from(use.id):
            wires += [replace(wire, source=s, source_port=p) for s, p in self.source(wire.source_port)]
        made = replace(
            outer,
            nodes=FrozenDict(nodes),
            wires=tuple(wires),
            interface=tuple(self.entry(e) for e in outer.interface),
            positions=self.positions(),
        )
        if isinstance(made, GroupDefinition):
            outputs = (
                [replace(o, node=s, port=p) for s, p in self.source(o.port)] if o.node == use.id else [o]
                for o in made.outputs
            )
            made = replace(made, outputs=tuple(o for several in outputs for o in several))
        return made

    def nodes(self) -> list[NodeUse]:
        """The inner nodes under new ids, with what the use (or the public default) has set."""
        set_: dict[str, dict[str, Any]] = {}
        for entry in self.definition.interface:
            value = self.use.params.get(entry.name, entry.default)
            if value is not None:
                set_.setdefault(entry.node, {})[entry.param] = value
        return [
            replace(n, id=self.ids[n.id], muted=n.muted or self.use.muted).set(**set_.get(n.id, {}))
            for n in self.definition.nodes.values()
        ]

    def inner(self, wire: Wire) -> list[Wire]:
        made = replace(wire, target=self.ids[wire.target])
        if wire.source != INPUT:
            return [replace(made, source=self.ids[wire.source])]
        feeding = self.outer.wires_into(self.use.id, wire.source_port)[:1]
        return [
            replace(made, source=f.source, source_port=f.source_port)
            if made.policy
            else replace(made, source=f.source, source_port=f.source_port, policy=f.policy, limit=f.limit)
            for f in feeding
        ]

    def source(self, port: str) -> list[tuple[str, str]]:
        """What a group's output is, outside: none where it came from an input that nothing feeds."""
        output = self.definition.output(port)
        if output is None:
            return []
        if output.node == INPUT:
            return [(f.source, f.source_port) for f in self.outer.wires_into(self.use.id, output.port)[:1]]
        return [(self.ids[output.node], output.port)]

    def entry(self, entry: InterfaceEntry) -> InterfaceEntry:
        inner = self.definition.entry(entry.param) if entry.node == self.use.id else None
        return replace(entry, node=self.ids[inner.node], param=inner.param) if inner else entry

    def positions(self) -> FrozenDict[str, tuple[float, float]]:
        """The inner layout, moved so that its centre lies where the use was."""
        spots = self.definition.positions
        made = dict(self.outer.positions.without(self.use.id))
        if spots:
            x, y = self.outer.positions.get(self.use.id, (0.0, 0.0))
            dx = x - sum(p[0] for p in spots.values()) / len(spots)
            dy = y - sum(p[1] for p in spots.values()) / len(spots)
            made |= {self.ids[n]: (p[0] + dx, p[1] + dy) for n, p in spots.items() if n in self.ids}
        return FrozenDict(made)


@dataclass(frozen=True, eq=False)
class RemoveGroup(Edit):
    """Remove a group's definition that nothing uses."""

    group: str

    def apply(self, effect: Effect, registry: Registry) -> Effect:
        find_graph(effect, self.group)
        for scope in ("", *effect.groups):
            if user := next((n for n in effect.graph(scope).nodes.values() if n.group == self.group), None):
                place = f"{scope}: {user.id}" if scope else user.id
                raise EditError(f"group {self.group!r} is used by {place}; remove or ungroup that first")
        return replace(effect, groups=effect.groups.without(self.group))

    def words(self, effect: Effect, registry: Registry) -> str:
        return f"remove group {self.group!r}"


@dataclass(frozen=True, eq=False)
class RenameGroup(Edit):
    """Give a group another name, everywhere."""

    group: str
    new: str

    def apply(self, effect: Effect, registry: Registry) -> Effect:
        find_graph(effect, self.group)
        if not is_name(self.new) or self.new in effect.groups:
            raise EditError(f"a group can't be called {self.new!r}: it is no name, or taken")
        groups = {self.new if k == self.group else k: g for k, g in effect.groups.items()}
        groups[self.new] = replace(effect.groups[self.group], name=self.new)
        effect = replace(effect, groups=FrozenDict(groups))
        for scope in ("", *effect.groups):
            effect = effect.with_graph(scope, self.renamed(effect.graph(scope)))
        return effect

    def renamed(self, graph: Graph) -> Graph:
        for node in graph.nodes.values():
            if node.group == self.group:
                graph = graph.with_node(replace(node, type=GROUP + self.new))
        return graph

    def words(self, effect: Effect, registry: Registry) -> str:
        return f"rename group {self.group!r} to {self.new!r}"


@dataclass(frozen=True, eq=False)
class SetGroupPorts(Edit):
    """Set the inputs and outputs of the group `scope`; wires to ports that are gone go too, at every use."""

    inputs: tuple[GroupInput, ...]
    outputs: tuple[GroupOutput, ...]
    renamed: Mapping[str, str] = FrozenDict()

    def apply(self, effect: Effect, registry: Registry) -> Effect:
        definition = find_graph(effect, self.scope)
        if not isinstance(definition, GroupDefinition):
            raise EditError("only a group has ports of its own")
        names = [p.name for p in (*self.inputs, *definition.interface)]
        for name in [*names, *(o.name for o in self.outputs)]:
            if not is_name(name):
                raise EditError(f"{name!r} can't be a port's name (letters, digits and _; no digit first)")
        self.check_unique(names)
        self.check_unique([o.name for o in self.outputs])
        plain([p.doc for p in (*self.inputs, *self.outputs)])
        made = replace(
            definition,
            inputs=self.inputs,
            outputs=self.outputs,
            wires=tuple(w for wire in definition.wires for w in self.moved(wire, INPUT, "source")),
            version=definition.version + 1,
        )
        effect = effect.with_graph(self.scope, made)
        for scope in ("", *effect.groups):
            effect = effect.with_graph(scope, self.at_uses(effect.graph(scope), made))
        return effect

    def check_unique(self, names: list[str]) -> None:
        if twice := next((n for n in names if names.count(n) > 1), None):
            raise EditError(f"two ports are called {twice!r}")

    def moved(self, wire: Wire, node: str, end: str, known: tuple[str, ...] = ()) -> list[Wire]:
        """A wire under its port's new name; nothing where the port is gone."""
        port = f"{end}_port"
        if getattr(wire, end) != node:
            return [wire]
        name = self.renamed.get(getattr(wire, port), getattr(wire, port))
        names = known or tuple(p.name for p in self.inputs)
        return [replace(wire, **{port: name})] if name in names else []

    def at_uses(self, graph: Graph, made: GroupDefinition) -> Graph:
        ends = tuple(p.name for p in (*made.inputs, *made.interface)) or ("",)
        begins = tuple(p.name for p in made.outputs) or ("",)
        for use in [n for n in graph.nodes.values() if n.type == GROUP + made.name]:
            wires = [w for wire in graph.wires for w in self.moved(wire, use.id, "target", ends)]
            wires = [w for wire in wires for w in self.moved(wire, use.id, "source", begins)]
            graph = graph.with_node(replace(use, version=made.version)).with_wires(wires)
        return graph

    def words(self, effect: Effect, registry: Registry) -> str:
        return f"change the ports of group {self.scope!r}"
