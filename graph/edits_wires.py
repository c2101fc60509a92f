"""Edits of wires, and the one that puts another node between the same wires."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from .checking import value_problem
from .edit import Edit, find_node, title_of
from .effect import Effect, Graph, NodeUse, Wire, group_name
from .errors import EditError
from .frozen import FrozenDict
from .ports import End, input_end, inputs_of, output_end, outputs_of
from .registry import Registry
from .types import TYPES, PortType, conversion

__all__ = ["Connect", "Disconnect", "ReplaceType", "SetPolicy"]


@dataclass(frozen=True, eq=False)
class Connect(Edit):
    """Wire an output to an input or a parameter; a wire that ended there is replaced."""

    source: str
    source_port: str
    target: str
    target_port: str
    policy: str | None = None
    limit: int | None = None

    def change(self, graph: Graph, effect: Effect, registry: Registry) -> Graph:
        begin = self.begin(graph, effect, registry)
        find_node(graph, self.target)
        end = input_end(effect, graph, self.target, self.target_port, registry)
        if end is None:
            known = inputs_of(effect, graph.nodes[self.target], registry) or []
            raise EditError(f"{self.target} has no input {self.target_port!r}{_listed(known)}")
        if not wire_fits(begin.type, end.type):
            assert begin.type and end.type
            raise EditError(
                f"{self.source}.{self.source_port} gives {begin.type.name}, and {self.target}.{self.target_port} "
                f"takes {end.type.name}"
            )
        check_policy(begin.type, self.policy, self.limit)
        wire = Wire(self.source, self.source_port, self.target, self.target_port, self.policy, self.limit)
        rest = [w for w in graph.wires if (w.target, w.target_port) != (self.target, self.target_port)]
        return graph.with_wires([*rest, wire])

    def begin(self, graph: Graph, effect: Effect, registry: Registry) -> End:
        found = output_end(effect, graph, self.source, self.source_port, registry)
        if found is not None:
            return found
        if self.source == "in":
            raise EditError(f"the group has no input {self.source_port!r}")
        known = outputs_of(effect, find_node(graph, self.source), registry) or []
        raise EditError(f"{self.source} has no output {self.source_port!r}{_listed(known)}")

    def words(self, effect: Effect, registry: Registry) -> str:
        begin, end = self.name(effect, self.source, registry), self.name(effect, self.target, registry)
        return f"connect {begin} to {end}"


def wire_fits(gives: type[PortType] | None, takes: type[PortType] | None) -> bool:
    """Whether a wire may go from the one type to the other; unknown types are not judged."""
    if gives is None or takes is None or gives is takes:
        return True
    return gives.item is takes or takes.item is gives or conversion(gives, takes) is not None


def check_policy(gives: type[PortType] | None, policy: str | None, limit: int | None) -> None:
    if limit is not None and (policy != "hold" or limit < 0):
        raise EditError('a limit is a number of frames, for the policy "hold"')
    legal = gives.policies if gives else {p for kind in TYPES.values() for p in kind.policies}
    if policy is not None and policy not in legal:
        kind = f"{gives.name} travels" if gives else "wires travel"
        raise EditError(f"{kind} by {', '.join(sorted(legal))}; not by {policy!r}")


def _listed(ends: list[End]) -> str:
    return f"; it has: {', '.join(end.name for end in ends)}" if ends else ""


@dataclass(frozen=True, eq=False)
class Disconnect(Edit):
    """Remove the wire that ends at an input or a parameter."""

    target: str
    target_port: str

    def change(self, graph: Graph, effect: Effect, registry: Registry) -> Graph:
        rest = [w for w in graph.wires if (w.target, w.target_port) != (self.target, self.target_port)]
        if len(rest) == len(graph.wires):
            raise EditError(f"no wire ends at {self.target}.{self.target_port}")
        return graph.with_wires(rest)

    def words(self, effect: Effect, registry: Registry) -> str:
        return f"disconnect {self.name(effect, self.target, registry)}.{self.target_port}"


@dataclass(frozen=True, eq=False)
class SetPolicy(Edit):
    """Choose how a wire travels: None = its type's default."""

    target: str
    target_port: str
    policy: str | None
    limit: int | None = None

    def change(self, graph: Graph, effect: Effect, registry: Registry) -> Graph:
        wires = graph.wires_into(self.target, self.target_port)
        if not wires:
            raise EditError(f"no wire ends at {self.target}.{self.target_port}")
        begin = output_end(effect, graph, wires[0].source, wires[0].source_port, registry)
        check_policy(begin.type if begin else None, self.policy, self.limit)
        changed = replace(wires[0], policy=self.policy, limit=self.limit)
        return graph.with_wires(changed if w is wires[0] else w for w in graph.wires)

    def words(self, effect: Effect, registry: Registry) -> str:
        return f"{self.name(effect, self.target, registry)}.{self.target_port}: {self.policy or 'default policy'}"


@dataclass(frozen=True, eq=False)
class ReplaceType(Edit):
    """Make a node another type; wires stay where a port of the name or of the type takes them, values where they fit."""

    node: str
    type: str

    def change(self, graph: Graph, effect: Effect, registry: Registry) -> Graph:
        use = find_node(graph, self.node)
        declaration, group = registry.get(self.type), effect.groups.get(group_name(self.type) or "")
        if declaration is None and group is None:
            raise EditError(f"there is no node type {self.type!r}")
        version = declaration.version if declaration else group.version if group else 1
        made = replace(use, type=self.type, version=version)
        ends = inputs_of(effect, made, registry) or []
        made = replace(
            made, params=_fitting(use.params, ends, declaration.parameter if declaration else None)
        )
        others = [w for w in graph.wires if self.node not in (w.source, w.target)]
        into = _rewired(effect, graph, graph.wires_into(self.node), ends, registry)
        out = _resourced(
            effect, graph, graph.wires_from(self.node), outputs_of(effect, made, registry) or [], registry
        )
        graph = graph.with_node(made).with_wires([*others, *into, *out])
        kept = {end.name for end in ends if end.param}
        return replace(
            graph, interface=tuple(e for e in graph.interface if e.node != self.node or e.param in kept)
        )

    def words(self, effect: Effect, registry: Registry) -> str:
        new = title_of(effect, NodeUse("", self.type), registry)
        return f"replace {self.name(effect, self.node, registry)} by {new}"


def _fitting(params: FrozenDict[str, Any], ends: list[End], find: Any) -> FrozenDict[str, Any]:
    names = {end.name for end in ends if end.param}
    fits = {k: v for k, v in params.items() if k in names and not (find and value_problem(find(k), v))}
    return FrozenDict(fits)


def _rewired(
    effect: Effect, graph: Graph, wires: tuple[Wire, ...], ends: list[End], registry: Registry
) -> list[Wire]:
    """The wires into a replaced node at its new inputs: by name, else the first free one that takes the type."""
    free = {end.name: end for end in ends}
    kept: list[Wire] = []
    for wire in sorted(
        wires, key=lambda w: w.target_port not in free
    ):  # those that keep their name choose first
        begin = output_end(effect, graph, wire.source, wire.source_port, registry)
        gives = begin.type if begin else None
        places = sorted((e for e in free.values() if not e.param), key=lambda e: e.name != wire.target_port)
        if wire.target_port in free and free[wire.target_port].param:
            places = [free[wire.target_port]]
        end = next((e for e in places if gives is not None and wire_fits(gives, e.type)), None)
        if end is not None:
            del free[end.name]
            kept.append(replace(wire, target_port=end.name))
    return kept


def _resourced(
    effect: Effect, graph: Graph, wires: tuple[Wire, ...], ends: list[End], registry: Registry
) -> list[Wire]:
    """The wires out of a replaced node from its new outputs: by name, else the first that fits."""
    kept = []
    for wire in wires:
        end = input_end(effect, graph, wire.target, wire.target_port, registry)
        takes = end.type if end else None
        places = sorted(ends, key=lambda e: e.name != wire.source_port)
        found = next((e for e in places if takes is not None and wire_fits(e.type, takes)), None)
        if found is not None:
            kept.append(replace(wire, source_port=found.name))
    return kept
