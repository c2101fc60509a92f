"""Following a wire back through the borders of groups to the node where its value is made."""

from __future__ import annotations

from dataclasses import dataclass, replace

from .effect import INPUT, NodeUse, Wire
from .flat import Scope
from .frozen import FrozenDict
from .levels import Level, known_ports, missing_group
from .problems import Problem
from .registry import Registry
from .types import PortType, find_type

__all__ = ["Follower", "Source"]


@dataclass(frozen=True)
class Source:
    """Where a value is made, and how it travels.

    Attributes:
        policy, limit: of the wire nearest to the consumer that has one.
        item_of: the path of the mapped group use (nearest to the consumer) by whose item input it came in.
        carried_of: the path of the mapped group use (nearest to the consumer) by whose carried input it came in.
        muted: a muted group was entered: the node there counts as muted.
    """

    path: str
    port: str
    policy: str | None = None
    limit: int | None = None
    item_of: str = ""
    carried_of: str = ""
    muted: bool = False


@dataclass(frozen=True)
class _Spot:
    """One step of the way back: an output of a level's node, or of its `in`."""

    level: Level
    node: str
    port: str


class Follower:
    """Follows wires of opened levels. `problems` and `scopes` are filled as it goes."""

    def __init__(self, registry: Registry, problems: list[Problem]):
        self.registry, self.problems = registry, problems
        self.scopes: dict[str, Scope] = {}

    def source(self, level: Level, wire: Wire) -> Source | None:
        """Where the value of a wire of a level is made; None where there is none: told, or an optional input."""
        spot, found = _Spot(level, wire.source, wire.source_port), Source("", "", wire.policy, wire.limit)
        seen: set[tuple[str, str, str]] = set()
        while True:
            key = (spot.level.path, spot.node, spot.port)
            if key in seen:
                cause = "a group feeds its own input without a node between"
                return self.nothing(spot.level.at(spot.node), spot.port, cause, "remove the wire")
            seen.add(key)
            if spot.node == INPUT and spot.level.use is not None:
                step = self.outside(spot, found, level, wire)
            elif spot.node in spot.level.inner:
                step = self.inside(spot, found, level, wire)
            else:
                return self.here(spot, found, level, wire)
            if step is None:
                return None
            spot, found = step

    def nothing(self, node: str, port: str, cause: str, fix: str) -> None:
        self.problems.append(Problem(node, port, cause, fix))

    def here(self, spot: _Spot, found: Source, level: Level, wire: Wire) -> Source | None:
        use = spot.level.graph.nodes.get(spot.node)
        if use is None:
            cause = f"the wire {wire} begins at no node"
            return self.nothing(level.at(wire.target), wire.target_port, cause, "remove it")
        if use.group is not None:  # a group that isn't there
            self.problems.append(missing_group(spot.level.at(use.id), use))
            return None
        return replace(found, path=spot.level.at(spot.node), port=self.current(use, spot.port))

    def outside(self, spot: _Spot, found: Source, level: Level, wire: Wire) -> tuple[_Spot, Source] | None:
        """From a group's input to what feeds it."""
        inner, outer, use = spot.level, spot.level.outer, spot.level.use
        assert outer is not None and use is not None
        given = inner.definition.input(spot.port)
        if given is None:
            cause = f"the wire {wire} begins at an input {spot.port!r} that group {inner.definition.name!r} doesn't have"
            return self.nothing(level.at(wire.target), wire.target_port, cause, known_ports(inner.definition))
        feeding = outer.graph.wires_into(use.id, spot.port)
        if not feeding:
            cause = f"nothing is wired to the input {spot.port!r} of group {inner.definition.name!r}"
            return (
                None
                if given.optional
                else self.nothing(inner.path, spot.port, cause, f"wire a {given.type} to it")
            )
        first, scope = feeding[0], self.scopes.get(inner.path)
        if found.policy is None:
            found = replace(found, policy=first.policy, limit=first.limit)
        if scope is not None and spot.port in scope.items and not found.item_of and not found.muted:
            found = replace(found, item_of=inner.path)
        if scope is not None and scope.carried and spot.port == scope.carried[0] and not found.carried_of and not found.muted:
            found = replace(found, carried_of=inner.path)
        return _Spot(outer, first.source, first.source_port), found

    def inside(self, spot: _Spot, found: Source, level: Level, wire: Wire) -> tuple[_Spot, Source] | None:
        """From a group's output to what it gives on: where it is muted, an input of the same type if there is one."""
        inner = spot.level.inner[spot.node]
        output = inner.definition.output(spot.port)
        if output is None:
            cause = f"group {inner.definition.name!r} has no output {spot.port!r}"
            return self.nothing(inner.path, spot.port, cause, known_ports(inner.definition))
        if inner.use is not None and inner.use.muted:
            found = replace(found, muted=True)
            gives = self.output_type(inner, spot.port)
            same = next((p.name for p in inner.definition.inputs if gives and p.type == gives.name), None)
            if same is not None:
                step = self.outside(_Spot(inner, INPUT, same), found, level, wire)
                return step and (step[0], replace(step[1], muted=False))
        return _Spot(inner, output.node, output.port), found

    def current(self, use: NodeUse, port: str) -> str:
        """A port's name as the node's present version calls it."""
        declaration = self.registry.get(use.type)
        if declaration is None or use.version >= declaration.version:
            return port
        return declaration.cls.migrate_port(port, use.version)

    def output_type(self, level: Level, name: str) -> type[PortType] | None:
        """The declared type of what a group's output gives, followed inwards."""
        output = level.definition.output(name)
        if output is None:
            return None
        if output.node == INPUT:
            given = level.definition.input(output.port)
            return find_type(given.type) if given else None
        if output.node in level.inner:
            return self.output_type(level.inner[output.node], output.port)
        use = level.graph.nodes.get(output.node)
        return self.made_type(use, output.port) if use else None

    def made_type(self, use: NodeUse, port: str) -> type[PortType] | None:
        declaration = self.registry.get(use.type)
        found = declaration.output(self.current(use, port)) if declaration else None
        return found.type if found else None

    def find_scope(self, level: Level) -> None:
        """Mark a use of a group as mapped where an item input of it is fed by a list. Outer levels come first."""
        outer, use = level.outer, level.use
        if outer is None or use is None:
            return
        level.scope = outer.scope
        items: dict[str, tuple[str, str]] = {}
        for given in level.definition.inputs:
            kind = find_type(given.type)
            for wire in outer.graph.wires_into(use.id, given.name)[:1]:
                made = self.peek(outer, wire) if kind is not None and kind.family == "item" else None
                if made is not None and not made[0].item_of and made[1].item is kind:
                    items[given.name] = (made[0].path, made[0].port)
        if items:
            level.scope = level.path
            carried, result = self.carried(level)
            self.scopes[level.path] = Scope(level.path, FrozenDict(items), carried, result, outer.scope)

    def peek(self, level: Level, wire: Wire) -> tuple[Source, type[PortType]] | None:
        """Where a wire's value is made, and its declared type; silent about what is wrong (that is told later)."""
        before = len(self.problems)
        found = self.source(level, wire)
        del self.problems[before:]
        if found is None:
            return None
        *way, node = found.path.split("/")
        top = level
        while top.outer is not None:
            top = top.outer
        for step in way:
            top = top.inner[step]
        kind = self.made_type(top.graph.nodes[node], found.port)
        return (found, kind) if kind else None

    def carried(self, level: Level) -> tuple[tuple[str, str] | None, tuple[str, str] | None]:
        """A group's carried input with the first output of the same type, and where inside that is made."""
        for given in level.definition.inputs:
            for output in level.definition.outputs if given.carried else ():
                kind = self.output_type(level, output.name)
                if kind and kind.name == given.type:
                    made = self.peek(level, Wire(output.node, output.port, "", ""))
                    return (given.name, output.name), (made[0].path, made[0].port) if made else None
        return None, None
