"""Copy and paste as text: JSON that can go through a chat, an issue or another effect.

    {"spellwire": "nodes", "nodes": {…}, "groups": {…}, "positions": {…}}

Nodes stand as in effect.json. Wires between copied nodes come along; those from elsewhere don't. A pasted text is a
stranger's: it is read as strictly as a file.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TypeVar

from .document import MAX_BYTES, dump_effect, parse_effect
from .edit import Edit, find_graph, find_node
from .edits_groups import free_name
from .effect import GROUP, Effect, Graph, GroupDefinition, NodeUse
from .errors import DocumentError, EditError
from .frozen import FrozenDict
from .groups import group_users
from .json_text import parse, write
from .registry import Registry

__all__ = ["Paste", "copy_nodes"]

MARK = "nodes"
G = TypeVar("G", bound=Graph)


def copy_nodes(effect: Effect, nodes: Iterable[str], scope: str = "") -> str:
    """Nodes of a graph as text, with the wires between them and the groups they use.

    Raises:
        EditError: there is no such node or group.
    """
    graph = find_graph(effect, scope)
    chosen = {node: find_node(graph, node) for node in nodes}
    users = group_users(effect)
    needed: set[str] = set()
    waiting = [g for n in chosen.values() if (g := n.group)]
    while waiting:
        group = waiting.pop()
        if group in effect.groups and group not in needed:
            needed.add(group)
            waiting += users[group]
    part = Effect(
        nodes=FrozenDict(chosen),
        wires=tuple(w for w in graph.wires if w.source in chosen and w.target in chosen),
        positions=FrozenDict({n: p for n, p in graph.positions.items() if n in chosen}),
        groups=FrozenDict({g: effect.groups[g] for g in needed}),
    )
    return write({"spellwire": MARK, **parse(dump_effect(part), "copy")})


@dataclass(frozen=True, eq=False)
class Paste(Edit):
    """Add the nodes of a copied text under new ids, their upper left corner at `at`.

    A group of the text that this effect has already, with other contents, comes in under a new name.
    """

    text: str
    at: tuple[float, float] | None = None

    def apply(self, effect: Effect, registry: Registry) -> Effect:
        part = self.part()
        names = {name: self.group_name(effect, group) for name, group in part.groups.items()}
        groups = {names[n]: _renamed(replace(g, name=names[n]), names) for n, g in part.groups.items()}
        effect = replace(effect, groups=FrozenDict({**effect.groups, **groups}))
        graph = find_graph(effect, self.scope)
        return effect.with_graph(self.scope, self.merged(graph, _renamed(part, names)))

    def part(self) -> Effect:
        if len(self.text) > MAX_BYTES:
            raise EditError("too much text to paste")
        try:
            data = parse(self.text, "the clipboard")
            if not isinstance(data, dict) or data.pop("spellwire", None) != MARK:
                raise EditError("the clipboard holds no Spellwire nodes")
            return parse_effect(write(data), "the clipboard")
        except DocumentError as error:
            raise EditError(f"can't paste: {error}") from None

    def group_name(self, effect: Effect, group: GroupDefinition) -> str:
        """The name a pasted group gets: its own where that is free or means the same."""
        if effect.groups.get(group.name) == group:
            return group.name
        return free_name(group.name, effect.groups)

    def merged(self, graph: Graph, part: Effect) -> Graph:
        ids = {old: f"n{graph.next_id + i}" for i, old in enumerate(part.nodes)}
        nodes = {new: replace(part.nodes[old], id=new) for old, new in ids.items()}
        wires = [
            replace(w, source=ids[w.source], target=ids[w.target])
            for w in part.wires
            if w.source in ids and w.target in ids
        ]
        corner = [min((p[axis] for p in part.positions.values()), default=0.0) for axis in (0, 1)]
        x, y = self.at or (corner[0] + 24, corner[1] + 24)
        spots = {
            ids[n]: (p[0] - corner[0] + x, p[1] - corner[1] + y)
            for n, p in part.positions.items()
            if n in ids
        }
        return replace(
            graph,
            nodes=FrozenDict({**graph.nodes, **nodes}),
            wires=(*graph.wires, *wires),
            positions=FrozenDict({**graph.positions, **spots}),
        )

    def words(self, effect: Effect, registry: Registry) -> str:
        return "paste"


def _renamed(graph: G, names: dict[str, str]) -> G:
    for node in graph.nodes.values():
        if node.group in names:
            graph = graph.with_node(_using(node, names[node.group]))
    return graph


def _using(node: NodeUse, group: str) -> NodeUse:
    return replace(node, type=GROUP + group)
