"""Opening groups: an effect becomes a flat graph whose nodes are named by paths.

Wires are followed through group boundaries to where their value is made:

    effect:   n1 ──> n3:group.image          n3:group.out ──> n4
    group:    in.image ──> n2 ──> outputs.out
    flat:     n1 ──> n3/n2 ──> n4

Parameters of a group use override what its definition has set; outer overrides win over inner ones.
A muted group gives on, for each output, its first input of the same type.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .effect import INPUT, Effect, Graph, GroupDefinition, InterfaceEntry, NodeUse, Wire
from .errors import DocumentError
from .flat import FlatGraph, FlatNode, FlatParam, FlatWire, Scope
from .frozen import FrozenDict, natural
from .migrate import migrated
from .problems import Problem
from .registry import Registry
from .types import PortType, conversion, find_type

__all__ = ["flatten", "group_recursion", "group_users"]

MAX_NODES = 20_000

Source = tuple[str, str, str | None, int | None, str]
"""Path and port where a value is made, the wire's policy and limit, and the scope whose item it is."""


@dataclass
class Level:
    """One opened graph: the effect, or one use of a group. `overrides`: node id → parameter → value from outside."""

    graph: Graph
    path: str = ""
    outer: Level | None = None
    use: NodeUse | None = None
    overrides: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    inner: dict[str, Level] = field(default_factory=dict)
    scope: str = ""

    def at(self, node: str) -> str:
        return f"{self.path}/{node}" if self.path else node

    def params(self, node: NodeUse) -> dict[str, Any]:
        return {**node.params, **self.overrides.get(node.id, {})}


def flatten(effect: Effect, registry: Registry) -> FlatGraph:
    """Open all groups. Never fails on a broken effect: what it can't follow is in the result's `problems`."""
    return _Flattening(effect, registry).run()


def group_users(effect: Effect) -> dict[str, set[str]]:
    """Group → the groups used directly inside it."""
    return {name: {g for n in d.nodes.values() if (g := n.group)} for name, d in effect.groups.items()}


def group_recursion(effect: Effect) -> tuple[str, ...] | None:
    """The names of a ring of groups that contain each other, or None."""
    users = group_users(effect)
    done: set[str] = set()

    def visit(name: str, chain: tuple[str, ...]) -> tuple[str, ...] | None:
        if name in chain:
            return chain[chain.index(name) :]
        if name in done or name not in users:
            return None
        done.add(name)
        return next((ring for inner in sorted(users[name]) if (ring := visit(inner, (*chain, name)))), None)

    return next((ring for name in sorted(users) if (ring := visit(name, ()))), None)


class _Flattening:
    def __init__(self, effect: Effect, registry: Registry):
        self.effect, self.registry = effect, registry
        self.problems: list[Problem] = []
        self.nodes: dict[str, FlatNode] = {}
        self.wires: list[FlatWire] = []
        self.scopes: dict[str, Scope] = {}
        self.unfed: set[tuple[str, str]] = set()
        self.where: dict[str, tuple[Level, NodeUse]] = {}

    def problem(self, node: str, port: str, cause: str, fix: str = "") -> None:
        self.problems.append(Problem(node, port, cause, fix))

    def run(self) -> FlatGraph:
        if ring := group_recursion(self.effect):
            chain = " → ".join((*ring, ring[0]))
            self.problem(
                "", "", f"groups contain each other: {chain}", f"take {ring[0]!r} out of {ring[-1]!r}"
            )
            return FlatGraph(FrozenDict(), (), problems=tuple(self.problems))
        top = Level(self.effect, overrides=_overrides(self.effect.interface, {}))
        self.open(top)
        for level in _levels(top):
            self.find_scope(level)
        for path, (level, use) in self.where.items():
            self.nodes[path] = self.node(path, level, use)
        for level in _levels(top):
            self.connect(level)
        ordered = FrozenDict({path: self.nodes[path] for path in sorted(self.nodes, key=natural)})
        wires = sorted(
            self.wires, key=lambda w: (natural(w.target), w.target_port, natural(w.source), w.source_port)
        )
        return FlatGraph(
            ordered, tuple(wires), self.interface(top), self.effect.working_space,
            FrozenDict(self.scopes), tuple(dict.fromkeys(self.problems)), frozenset(self.unfed),
        )  # fmt: skip

    def open(self, level: Level) -> None:
        """Find all levels and plain nodes."""
        for use in level.graph.nodes.values():
            path = level.at(use.id)
            if use.group is None:
                self.where[path] = (level, use)
                continue
            definition = self.effect.groups.get(use.group)
            if definition is None:
                self.problem(
                    path,
                    "",
                    f"there is no group {use.group!r} in this effect",
                    "define it or remove the node",
                )
                continue
            given = level.params(use)
            for name in given:
                if definition.entry(name) is None:
                    self.problem(
                        path, name, f"group {use.group!r} has no parameter {name!r}", _known(definition)
                    )
            inner = Level(definition, path, level, use, _overrides(definition.interface, given))
            level.inner[use.id] = inner
            if len(self.where) > MAX_NODES:
                self.problem(
                    path, "", f"the groups open to more than {MAX_NODES} nodes", "nest them less often"
                )
                return
            self.open(inner)

    def node(self, path: str, level: Level, use: NodeUse) -> FlatNode:
        declaration = self.registry.get(use.type)
        given = FrozenDict(level.params(use))
        if declaration is None:
            return FlatNode(
                path, use.type, None, given, given, use.version, use.muted, use.title, level.scope
            )
        try:
            given = migrated(given, use.version, declaration)
        except DocumentError as error:
            self.problem(path, "", str(error), "ask the node's author, or set its parameters anew")
        params = FrozenDict({p.name: given.get(p.name, p.default) for p in declaration.params})
        return FlatNode(
            path, use.type, declaration, params, given, use.version, use.muted, use.title, level.scope
        )

    def connect(self, level: Level) -> None:
        """Turn a level's wires that end at a plain node, or at a parameter of a group, into flat ones."""
        for wire in level.graph.wires:
            path = level.at(wire.target)
            if wire.target not in level.graph.nodes:
                self.problem(path, wire.target_port, f"the wire {wire} ends at no node", "remove it")
            elif wire.target in level.inner:
                self.connect_group(level, level.inner[wire.target], wire)
            elif level.graph.nodes[wire.target].group is None:
                use = level.graph.nodes[wire.target]
                self.link(level, wire, path, self.current(use, wire.target_port))

    def connect_group(self, level: Level, inner: Level, wire: Wire) -> None:
        definition = inner.graph
        assert isinstance(definition, GroupDefinition)
        if definition.entry(wire.target_port):
            for path, name in self.param_targets(inner, wire.target_port):
                self.link(level, wire, path, name)
        elif definition.input(wire.target_port) is None:
            cause = f"group {definition.name!r} has no input {wire.target_port!r}"
            self.problem(inner.path, wire.target_port, cause, _known(definition))

    def link(self, level: Level, wire: Wire, target: str, port: str) -> None:
        before = len(self.problems)
        found = self.source(level, wire.source, wire.source_port, wire, frozenset())
        if found is None:
            if len(self.problems) > before:  # else an optional input of a group that nothing is wired to
                self.unfed.add((target, port))
            return
        source, source_port, policy, limit, item_of = found
        made = self.nodes[source].output(source_port)
        end = self.nodes[target].takes(port)
        step = conversion(made.type, end.type) if made and end and made.type is not end.type else None
        self.wires.append(FlatWire(source, source_port, target, port, policy, limit, step, item_of))

    def source(
        self, level: Level, node: str, port: str, wire: Wire, seen: frozenset[tuple[str, str, str]]
    ) -> Source | None:
        """Where the value at (node, port) of a level is made; the policy nearest to the consumer holds."""
        key = (level.path, node, port)
        if key in seen:
            self.problem(
                level.at(node), port, "a group feeds its own input without a node between", "remove the wire"
            )
            return None
        seen |= {key}
        if node == INPUT and level.outer is not None and level.use is not None:
            return self.outside(level, port, wire, seen)
        if node in level.inner:
            return self.inside(level.inner[node], port, wire, seen)
        path = level.at(node)
        use = level.graph.nodes.get(node)
        if use is None:
            self.problem(
                level.at(wire.target), wire.target_port, f"the wire {wire} begins at no node", "remove it"
            )
            return None
        if path not in self.where:  # a group that isn't there: already reported
            return None
        return path, self.current(use, port), wire.policy, wire.limit, ""

    def outside(
        self, level: Level, port: str, wire: Wire, seen: frozenset[tuple[str, str, str]]
    ) -> Source | None:
        definition, outer, use = level.graph, level.outer, level.use
        assert isinstance(definition, GroupDefinition) and outer is not None and use is not None
        given = definition.input(port)
        if given is None:
            cause = f"the wire {wire} begins at an input {port!r} that group {definition.name!r} doesn't have"
            self.problem(level.at(wire.target), wire.target_port, cause, _known(definition))
            return None
        feeding = outer.graph.wires_into(use.id, port)
        if not feeding:
            if not given.optional:
                cause = f"nothing is wired to the input {port!r} of group {definition.name!r}"
                self.problem(level.path, port, cause, f"wire a {given.type} to it")
            return None
        first = feeding[0]
        if wire.policy is None:
            wire = replace(wire, policy=first.policy, limit=first.limit)
        found = self.source(outer, first.source, first.source_port, wire, seen)
        mapped = self.scopes.get(level.path)
        return (*found[:4], level.path) if found and mapped and port in mapped.items else found

    def inside(
        self, level: Level, port: str, wire: Wire, seen: frozenset[tuple[str, str, str]]
    ) -> Source | None:
        definition, use = level.graph, level.use
        assert isinstance(definition, GroupDefinition) and level.outer is not None and use is not None
        output = definition.output(port)
        if output is None:
            cause = f"group {definition.name!r} has no output {port!r}"
            self.problem(level.path, port, cause, _known(definition))
            return None
        if use.muted:
            gives = self.group_output_type(level, port)
            same = next((p.name for p in definition.inputs if gives and p.type == gives.name), None)
            return self.outside(level, same, wire, seen) if same else None
        return self.source(level, output.node, output.port, wire, seen)

    def param_targets(self, level: Level, name: str) -> Iterator[tuple[str, str]]:
        """The flat parameters that a group's public parameter sets."""
        entry = level.graph.entry(name)
        if entry is None:
            return
        if entry.node in level.inner:
            yield from self.param_targets(level.inner[entry.node], entry.param)
        elif (use := level.graph.nodes.get(entry.node)) and use.group is None:
            yield level.at(entry.node), self.current(use, entry.param)

    def current(self, use: NodeUse, port: str) -> str:
        """A port name of a node as its present version calls it."""
        declaration = self.registry.get(use.type)
        if declaration is None or use.version >= declaration.version:
            return port
        return declaration.cls.migrate_port(port, use.version)

    def group_output_type(self, level: Level, name: str) -> type[PortType] | None:
        """The declared type of what a group's output gives, followed inwards."""
        definition = level.graph
        assert isinstance(definition, GroupDefinition)
        output = definition.output(name)
        if output is None:
            return None
        if output.node == INPUT:
            given = definition.input(output.port)
            return find_type(given.type) if given else None
        if output.node in level.inner:
            return self.group_output_type(level.inner[output.node], output.port)
        use = definition.nodes.get(output.node)
        declaration = self.registry.get(use.type) if use else None
        found = declaration.output(output.port) if declaration else None
        return found.type if found else None

    def find_scope(self, level: Level) -> None:
        """Mark a use of a group as mapped where an item input of it is fed by a list."""
        definition, use, outer = level.graph, level.use, level.outer
        if not isinstance(definition, GroupDefinition) or outer is None or use is None:
            return
        level.scope = outer.scope
        items: dict[str, tuple[str, str]] = {}
        for given in definition.inputs:
            kind = find_type(given.type)
            wires = outer.graph.wires_into(use.id, given.name)
            if kind is None or kind.family != "item" or not wires:
                continue
            made = self.peek(outer, wires[0])
            if made and made[1].item is kind:
                items[given.name] = made[0]
        if items:
            level.scope = level.path
            carried, result = self.carried(level)
            self.scopes[level.path] = Scope(level.path, FrozenDict(items), carried, result, outer.scope)

    def peek(self, level: Level, wire: Wire) -> tuple[tuple[str, str], type[PortType]] | None:
        """Where a wire's value is made, and its declared type; silent about what is wrong (`connect` tells it)."""
        before = len(self.problems)
        found = self.source(level, wire.source, wire.source_port, wire, frozenset())
        del self.problems[before:]
        if found is None:
            return None
        declaration = self.registry.get(self.where[found[0]][1].type)
        port = declaration.output(found[1]) if declaration else None
        return ((found[0], found[1]), port.type) if port else None

    def carried(self, level: Level) -> tuple[tuple[str, str] | None, tuple[str, str] | None]:
        """A group's carried input with the first output of the same type, and where inside that is made."""
        definition = level.graph
        assert isinstance(definition, GroupDefinition)
        for given in definition.inputs:
            for output in definition.outputs if given.carried else ():
                kind = self.group_output_type(level, output.name)
                if kind and kind.name == given.type:
                    made = self.peek(level, Wire(output.node, output.port, "", ""))
                    return (given.name, output.name), made[0] if made else None
        return None, None

    def interface(self, top: Level) -> tuple[FlatParam, ...]:
        found: list[FlatParam] = []
        for level in _levels(top):
            for entry in level.graph.interface:
                targets = list(self.entry_targets(level, entry))
                found += targets if level is top else []
        return tuple(found)

    def entry_targets(self, level: Level, entry: InterfaceEntry) -> Iterator[FlatParam]:
        """The flat parameter of an entry; or the problem that there is none."""
        place = level.path
        fix = "point it at a parameter of a node in this graph"
        use = level.graph.nodes.get(entry.node)
        if use is None:
            self.problem(
                place, entry.name, f"public parameter {entry.name!r} sets {entry.target}: no such node", fix
            )
            return
        if use.group is None:
            declaration = self.registry.get(use.type)
            name = self.current(use, entry.param)
            if declaration is None:  # reported as an unknown type
                return
            targets = [(level.at(use.id), name)]
            lacks = declaration.parameter(name) is None
        else:
            inner = level.inner.get(use.id)
            if inner is None:
                return
            lacks = inner.graph.entry(entry.param) is None
            targets = list(self.param_targets(inner, entry.param))
        if lacks:
            what = f"public parameter {entry.name!r} sets {entry.target}: {use.type} has no such parameter"
            self.problem(place, entry.name, what, fix)
            return
        for path, name in targets:
            if made := self.flat_param(entry, path, name):
                yield made

    def flat_param(self, entry: InterfaceEntry, path: str, name: str) -> FlatParam | None:
        node = self.nodes[path]
        parameter = node.declaration.parameter(name) if node.declaration else None
        if parameter is None:
            return None
        return FlatParam(
            entry.name, path, name, parameter, node.params[name],
            parameter.low if entry.low is None else entry.low,
            parameter.high if entry.high is None else entry.high,
            parameter.step if entry.step is None else entry.step,
            parameter.unit if entry.unit is None else entry.unit,
            entry.doc or parameter.doc,
        )  # fmt: skip


def _overrides(interface: tuple[InterfaceEntry, ...], given: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What public parameters set inside: node → parameter → value, from the use, else from the entry's default."""
    made: dict[str, dict[str, Any]] = {}
    for entry in interface:
        value = given.get(entry.name, entry.default)
        if value is not None:
            made.setdefault(entry.node, {})[entry.param] = value
    return made


def _levels(top: Level) -> Iterator[Level]:
    yield top
    for inner in top.inner.values():
        yield from _levels(inner)


def _known(definition: GroupDefinition) -> str:
    names = [p.name for p in (*definition.inputs, *definition.outputs, *definition.interface)]
    return f"it has: {', '.join(names)}" if names else "it has no ports and no parameters"
