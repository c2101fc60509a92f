"""Order, cycles and reachability of a flat graph, by networkx (imported where it is used: it is slow to import).

A node declared as `delay` gives what it took the frame before. So nothing has to come before it: wires into it don't
count for order or cycles, and it stands before those who read it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from .errors import ValidationError
from .flat import FlatGraph, FlatNode
from .frozen import natural
from .problems import Problem

if TYPE_CHECKING:
    import networkx as nx

__all__ = ["cycle_problems", "cycles", "dependants", "flow_order", "order", "sinks", "sources_of"]


def order(flat: FlatGraph) -> tuple[str, ...]:
    """Paths so that each node comes after those it reads in the same frame; the smallest id first where free.

    Raises:
        ValidationError: there is a cycle without a delay.
    """
    import networkx as nx

    try:
        return tuple(nx.lexicographical_topological_sort(_digraph(flat), key=natural))
    except nx.NetworkXUnfeasible:
        raise ValidationError(cycle_problems(flat)) from None


def cycles(flat: FlatGraph) -> tuple[tuple[str, ...], ...]:
    """The rings of nodes that wait for each other: one for each knot (strongly connected component)."""
    import networkx as nx

    graph = _digraph(flat)
    found: list[tuple[str, ...]] = []
    for knot in nx.strongly_connected_components(graph):
        inside = graph.subgraph(knot)
        if len(knot) > 1 or any(inside.has_edge(path, path) for path in knot):
            first = min(knot, key=natural)
            ring = [edge[0] for edge in nx.find_cycle(inside, first)]
            start = ring.index(min(ring, key=natural))
            found.append(tuple(ring[start:] + ring[:start]))
    return tuple(sorted(found, key=lambda ring: natural(ring[0])))


def cycle_problems(flat: FlatGraph) -> tuple[Problem, ...]:
    """The cycles, in words."""
    return tuple(
        Problem(
            ring[0], "", f"a cycle: {' → '.join((*ring, ring[0]))}",
            "cut it, or put a delay node into it: what goes round comes back a frame later",
        )
        for ring in cycles(flat)
    )  # fmt: skip


def flow_order(flat: FlatGraph) -> tuple[str, ...]:
    """Paths so that each comes after what its values are made from, delays included, as far as there are no rings.

    For analyses that follow types and spaces; never fails. The nodes of a ring stand together, by id.
    """
    import networkx as nx

    knots = nx.condensation(_digraph(flat, delays=True))
    members = {knot: sorted(data["members"], key=natural) for knot, data in knots.nodes(data=True)}
    by_first = nx.lexicographical_topological_sort(knots, key=lambda knot: natural(members[knot][0]))
    return tuple(path for knot in by_first for path in members[knot])


def sinks(flat: FlatGraph) -> tuple[str, ...]:
    """The nodes that do something outside the effect: play, write, show."""
    return tuple(p for p, node in flat.nodes.items() if _ends(node))


def _ends(node: FlatNode) -> bool:
    return node.declaration is not None and (node.declaration.effectful or node.declaration.role == "sink")


def sources_of(flat: FlatGraph, paths: Iterable[str]) -> frozenset[str]:
    """These nodes and everything they read, directly or not; through delays too."""
    return _reached(_digraph(flat, delays=True), paths, forward=False)


def dependants(flat: FlatGraph, paths: Iterable[str]) -> frozenset[str]:
    """These nodes and everything that reads them, directly or not; through delays too."""
    return _reached(_digraph(flat, delays=True), paths, forward=True)


def _reached(graph: nx.DiGraph[Any], paths: Iterable[str], forward: bool) -> frozenset[str]:
    import networkx as nx

    step = nx.descendants if forward else nx.ancestors
    start = [path for path in paths if path in graph]
    return frozenset(start).union(*(step(graph, path) for path in start))


def _digraph(flat: FlatGraph, delays: bool = False) -> nx.DiGraph[Any]:
    import networkx as nx

    graph: nx.DiGraph[Any] = nx.DiGraph()
    graph.add_nodes_from(flat.nodes)
    for wire in flat.wires:
        target = flat.nodes[wire.target].declaration
        if delays or not (target and target.delay):
            graph.add_edge(wire.source, wire.target)
    return graph
