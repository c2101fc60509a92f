"""Opening groups: an effect becomes a flat graph whose nodes are named by paths.

Wires are followed through group boundaries to where their value is made:

    effect:   n1 ──> n3:group.image          n3:group.out ──> n4
    group:    in.image ──> n2 ──> outputs.out
    flat:     n1 ──> n3/n2 ──> n4

Parameters of a group use override what its definition has set; outer overrides win over inner ones.
A muted group gives on, for each output, its first input of the same type.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from .effect import Effect, InterfaceEntry, NodeUse, Wire
from .errors import DocumentError
from .flat import FlatGraph, FlatNode, FlatParam, FlatWire
from .follow import Follower
from .frozen import FrozenDict, natural
from .levels import Level, all_levels, group_recursion, group_users, known_ports, open_levels
from .migrate import migrated
from .problems import Problem
from .registry import Registry
from .types import conversion

__all__ = ["flatten", "group_recursion", "group_users"]


def flatten(effect: Effect, registry: Registry) -> FlatGraph:
    """Open all groups. Never fails on a broken effect: what it can't follow is in the result's `problems`."""
    if ring := group_recursion(effect):
        chain = " → ".join((*ring, ring[0]))
        fix = f"take {ring[0]!r} out of {ring[-1]!r}"
        return FlatGraph(
            FrozenDict(), (), problems=(Problem("", "", f"groups contain each other: {chain}", fix),)
        )
    return _Flattening(effect, registry).run()


class _Flattening:
    def __init__(self, effect: Effect, registry: Registry):
        self.effect, self.registry = effect, registry
        self.problems: list[Problem] = []
        self.nodes: dict[str, FlatNode] = {}
        self.wires: list[FlatWire] = []
        self.unfed: set[tuple[str, str]] = set()
        self.follower = Follower(registry, self.problems)

    def problem(self, node: str, port: str, cause: str, fix: str = "") -> None:
        self.problems.append(Problem(node, port, cause, fix))

    def run(self) -> FlatGraph:
        top = open_levels(self.effect, self.problems)
        levels = list(all_levels(top))
        for level in levels:
            self.follower.find_scope(level)
        for level in levels:
            plain = (use for use in level.graph.nodes.values() if use.group is None)
            self.nodes |= {level.at(use.id): self.node(level.at(use.id), level, use) for use in plain}
        for level in levels:
            self.connect(level)
        ordered = FrozenDict({path: self.nodes[path] for path in sorted(self.nodes, key=natural)})
        wires = sorted(
            self.wires, key=lambda w: (natural(w.target), w.target_port, natural(w.source), w.source_port)
        )
        public = [p for level in levels for p in self.interface(level) if level is top]
        return FlatGraph(
            ordered, tuple(wires), tuple(public), self.effect.working_space,
            FrozenDict(self.follower.scopes), tuple(dict.fromkeys(self.problems)), frozenset(self.unfed),
        )  # fmt: skip

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
                self.link(level, wire, path, self.follower.current(use, wire.target_port))

    def connect_group(self, level: Level, inner: Level, wire: Wire) -> None:
        definition = inner.definition
        if definition.entry(wire.target_port):
            for path, name in self.param_targets(inner, wire.target_port):
                self.link(level, wire, path, name)
        elif definition.input(wire.target_port) is None:
            cause = f"group {definition.name!r} has no input {wire.target_port!r}"
            self.problem(inner.path, wire.target_port, cause, known_ports(definition))

    def link(self, level: Level, wire: Wire, target: str, port: str) -> None:
        before = len(self.problems)
        found = self.follower.source(level, wire)
        if found is None:
            if len(self.problems) > before:  # else an optional input of a group that nothing is wired to
                self.unfed.add((target, port))
            return
        if found.path not in self.nodes:  # in a group that was not opened: told
            return
        if found.muted:
            self.nodes[found.path] = replace(self.nodes[found.path], muted=True)
        made = self.nodes[found.path].output(found.port)
        end = self.nodes[target].takes(port)
        step = conversion(made.type, end.type) if made and end and made.type is not end.type else None
        self.wires.append(
            FlatWire(
                found.path, found.port, target, port, found.policy, found.limit, step, found.item_of, found.carried_of
            )
        )  # fmt: skip

    def param_targets(self, level: Level, name: str) -> Iterator[tuple[str, str]]:
        """The flat parameters that a group's public parameter sets."""
        entry = level.graph.entry(name)
        if entry is None:
            return
        if entry.node in level.inner:
            yield from self.param_targets(level.inner[entry.node], entry.param)
        elif (use := level.graph.nodes.get(entry.node)) and use.group is None:
            yield level.at(entry.node), self.follower.current(use, entry.param)

    def interface(self, level: Level) -> Iterator[FlatParam]:
        for entry in level.graph.interface:
            yield from self.entry_targets(level, entry)

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
            name = self.follower.current(use, entry.param)
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
