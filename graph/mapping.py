"""Lists: which nodes are played once for each item of a list, and what their outputs then are.

A node is mapped where an input for one item (Face) is fed by a list (Faces), or a plain value of it by another
mapped node's. Its outputs are lists with the same track ids; only at a `carried` input the picture is handed on from
item to item, and the output that answers it is one picture. A group with such an item input is mapped as a whole
(`FlatGraph.scopes`): inside, the item is single.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .declare import Declaration, Parameter, Port
from .flat import FlatGraph, FlatNode, FlatWire
from .frozen import FrozenDict
from .problems import Problem
from .topology import flow_order
from .types import PortType

__all__ = ["Mapped", "GraphMapping", "carried_pair", "pass_through", "resolve_mapping"]

THROUGH = ("value", "geometry", "event")  # families whose lists map a node that was not declared for an item

List = tuple[str, str]
"""The output that says which items there are: (path, port) of a list, or of a mapped node's."""


@dataclass(frozen=True)
class Mapped:
    """How a node is mapped.

    Attributes:
        over: the list whose items it is played for.
        carried: (input, output) whose picture is handed on from item to item, or None.
    """

    over: List
    carried: tuple[str, str] | None = None


@dataclass(frozen=True)
class GraphMapping:
    """The mapping of a whole graph.

    Attributes:
        nodes: path → how it is mapped; nodes that aren't are not there.
        lists: (path, output) → the list that its values follow, for outputs that became lists by mapping.
        gathers: ends (path, input) of a list type where a mapped node's items come together as that list.
        problems: lists at places that take one value.
    """

    nodes: FrozenDict[str, Mapped]
    lists: FrozenDict[tuple[str, str], List]
    gathers: frozenset[tuple[str, str]] = frozenset()
    problems: tuple[Problem, ...] = ()

    def over(self, path: str) -> List | None:
        found = self.nodes.get(path)
        return found.over if found else None


def carried_pair(declaration: Declaration) -> tuple[str, str] | None:
    """A node's carried input and the first output of the same type, by name."""
    for given in declaration.inputs:
        if given.carried:
            same = next((p.name for p in declaration.outputs if p.type is given.type), None)
            if same:
                return given.name, same
    return None


def pass_through(declaration: Declaration) -> dict[str, str]:
    """What a muted node gives on: output → its domain input, or the first input of the same type; else it is empty."""
    domain = declaration.domain
    ordered = sorted(declaration.inputs, key=lambda p: p is not domain)
    found = {
        out.name: next((p.name for p in ordered if p.type is out.type and not p.many), None) for out in declaration.outputs
    }
    return {name: given for name, given in found.items() if given}


def resolve_mapping(flat: FlatGraph) -> GraphMapping:
    """Find the mapped nodes: once along the flow, and again while feedback through a delay brings something new."""
    lists: dict[tuple[str, str], List] = {}
    nodes: dict[str, Mapped] = {}
    order = flow_order(flat)
    for _ in order:
        before = len(nodes)
        for path in order:
            node = flat.nodes[path]
            if path in nodes or node.declaration is None:
                continue
            over = _leader(flat, node, lists)
            if over is not None:
                nodes[path] = Mapped(over, carried_pair(node.declaration))
                single = nodes[path].carried
                lists |= {
                    (path, p.name): over
                    for p in node.declaration.outputs
                    if single is None or p.name != single[1]
                }
        if len(nodes) == before:
            break
    problems = tuple(_problems(flat, nodes, lists))
    gathers = frozenset((w.target, w.target_port) for w in flat.wires if _gathers(flat, w, lists))
    return GraphMapping(FrozenDict(nodes), FrozenDict(lists), gathers, problems)


def _leader(flat: FlatGraph, node: FlatNode, lists: Mapping[tuple[str, str], List]) -> List | None:
    """The list that maps a node: at an item input first, else at a plain value."""
    wires = flat.into(node.path)
    ends = [(w, end) for name, w in wires.items() if (end := node.takes(name))]
    for wire, end in ends:
        if end.type.family == "item" and (over := many(flat, wire, lists)):
            return over
    for wire, end in ends:
        plain = end.type.family in THROUGH and not (isinstance(end, Port) and end.many)
        if plain and (wire.source, wire.source_port) in lists:
            return many(flat, wire, lists)
    return None


def many(flat: FlatGraph, wire: FlatWire, lists: Mapping[tuple[str, str], List]) -> List | None:
    """The list a wire brings to an end that is declared for one value; None where it brings one."""
    if wire.item_of or _gathers(flat, wire, lists):
        return None
    key = (wire.source, wire.source_port)
    if left := _left_scope(flat, wire):
        scope = flat.scopes[left]
        return None if key == scope.result else next(iter(scope.items.values()))
    if key in lists:
        return lists[key]
    gives, takes = flat.gives(wire), flat.takes(wire)
    return key if gives and takes and gives.item is not None and takes.item is None else None


def _gathers(flat: FlatGraph, wire: FlatWire, lists: Mapping[tuple[str, str], List]) -> bool:
    gives, takes = flat.gives(wire), flat.takes(wire)
    several = (wire.source, wire.source_port) in lists or bool(_left_scope(flat, wire))
    return several and gives is not None and takes is not None and takes.item is gives


def _left_scope(flat: FlatGraph, wire: FlatWire) -> str:
    """The outermost mapped group that a wire leaves, or ""."""
    around = set(_scopes(flat, flat.nodes[wire.target].scope))
    left = [s for s in _scopes(flat, flat.nodes[wire.source].scope) if s not in around]
    return left[-1] if left else ""


def _scopes(flat: FlatGraph, scope: str) -> list[str]:
    found: list[str] = []
    while scope:
        found.append(scope)
        scope = flat.scopes[scope].outer
    return found


def _problems(flat: FlatGraph, nodes: Mapping[str, Mapped], lists: Mapping[tuple[str, str], List]):
    for wire in flat.wires:
        node = flat.nodes[wire.target]
        end, gives = node.takes(wire.target_port), flat.gives(wire)
        if end is None or gives is None:
            continue
        over = many(flat, wire, lists)
        if over is None or (isinstance(end, Port) and end.many and not end.carried):
            continue
        if _left_scope(flat, wire) and (wire.source, wire.source_port) in lists:
            yield _refusal(wire, f"a list of lists of {gives.name} leaves group {_left_scope(flat, wire)}")
        elif isinstance(end, Port) and end.carried:
            yield _refusal(
                wire, f"{wire.target_port!r} hands one {end.type.name} from item to item, and gets a list"
            )
        elif wire.target not in nodes or not _pairs(gives, end, (wire.source, wire.source_port) in lists):
            yield _refusal(
                wire,
                f"a list of {_item_name(gives)} meets {wire.target_port!r}, which takes one {end.type.name}",
            )


def _pairs(gives: type[PortType], end: Port | Parameter, mapped: bool) -> bool:
    """Whether a mapped node can take a list at this end, item by item."""
    return mapped or gives.item is end.type


def _item_name(kind: type[PortType]) -> str:
    return kind.item.name if kind.item else kind.name


def _refusal(wire: FlatWire, cause: str) -> Problem:
    fix = "pick one item, merge them, or use a node with a carried input, which works item after item"
    return Problem(wire.target, wire.target_port, f"{cause} (from {wire.source}.{wire.source_port})", fix)
