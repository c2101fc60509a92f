"""Levels: every use of a group as a graph of its own place, and the rings and depths that are refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .effect import Effect, Graph, GroupDefinition, InterfaceEntry, NodeUse
from .problems import Problem

__all__ = [
    "Level",
    "all_levels",
    "group_recursion",
    "group_users",
    "known_ports",
    "missing_group",
    "open_levels",
    "published",
]

MAX_NESTING = 64
MAX_NODES = 20_000  # of all levels: a few definitions that use each other twice would open to millions


@dataclass
class Level:
    """One opened graph: the effect (no `outer`, no `use`), or one use of a group.

    `overrides`: node id → parameter → value from outside. `scope`: see FlatNode.
    """

    graph: Graph
    path: str = ""
    outer: Level | None = None
    use: NodeUse | None = None
    overrides: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    inner: dict[str, Level] = field(default_factory=dict)
    scope: str = ""
    depth: int = 0

    def at(self, node: str) -> str:
        """The path of a node of this level."""
        return f"{self.path}/{node}" if self.path else node

    def params(self, node: NodeUse) -> dict[str, Any]:
        """What is set at a node, from here or from outside."""
        return {**node.params, **self.overrides.get(node.id, {})}

    @property
    def definition(self) -> GroupDefinition:
        """Of the group this is a use of."""
        assert isinstance(self.graph, GroupDefinition)
        return self.graph


def all_levels(top: Level) -> Iterator[Level]:
    """A level and all in it, outer ones first."""
    yield top
    for inner in top.inner.values():
        yield from all_levels(inner)


def group_users(effect: Effect) -> dict[str, set[str]]:
    """Group → the groups used directly inside it."""
    return {name: {g for n in d.nodes.values() if (g := n.group)} for name, d in effect.groups.items()}


def group_recursion(effect: Effect) -> tuple[str, ...] | None:
    """The names of a ring of groups that contain each other, or None."""
    users = {name: inside & effect.groups.keys() for name, inside in group_users(effect).items()}
    within: dict[str, list[str]] = {name: [] for name in users}
    for name, inside in users.items():
        for inner in inside:
            within[inner].append(name)
    left = {name: len(inside) for name, inside in users.items()}
    leaves = [name for name, count in left.items() if not count]
    while leaves:
        leaf = leaves.pop()
        del users[leaf]
        for name in within[leaf]:
            left[name] -= 1
            leaves += [] if left[name] else [name]
    if not users:
        return None
    chain = [min(users)]  # whatever is left contains another that is left, so a walk comes back
    while (inner := min(users[chain[-1]] & users.keys())) not in chain:
        chain.append(inner)
    return tuple(chain[chain.index(inner) :])


def open_levels(effect: Effect, problems: list[Problem]) -> Level:
    """Open all groups of an effect, as far as they are there. There must be no ring among them."""
    top = Level(effect, overrides=published(effect.interface, {}))
    waiting, count = [top], 0
    while waiting:
        level = waiting.pop()
        count += 1 + len(level.graph.nodes)
        if level.depth > MAX_NESTING or count > MAX_NODES:
            what = (
                f"nested more than {MAX_NESTING} deep"
                if count <= MAX_NODES
                else f"more than {MAX_NODES} nodes"
            )
            problems.append(
                Problem(level.path, "", f"the groups are too much: {what}", "use them less often")
            )
            return top
        waiting += _opened(effect, level, problems)
    return top


def _opened(effect: Effect, level: Level, problems: list[Problem]) -> list[Level]:
    """The groups used directly in a level."""
    for use in level.graph.nodes.values():
        if use.group is None:
            continue
        path, definition = level.at(use.id), effect.groups.get(use.group)
        if definition is None:
            problems.append(missing_group(path, use))
            continue
        given = level.params(use)
        for name in given:
            if definition.entry(name) is None:
                cause = f"group {use.group!r} has no parameter {name!r}"
                problems.append(Problem(path, name, cause, known_ports(definition)))
        inside = published(definition.interface, given)
        level.inner[use.id] = Level(definition, path, level, use, inside, depth=level.depth + 1)
    return list(level.inner.values())


def missing_group(path: str, use: NodeUse) -> Problem:
    """The problem of a use of a group that isn't there."""
    return Problem(
        path, "", f"there is no group {use.group!r} in this effect", "define it or remove the node"
    )


def published(interface: tuple[InterfaceEntry, ...], given: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What public parameters set: node → parameter → value, from the use (`given`), else the entry's default."""
    made: dict[str, dict[str, Any]] = {}
    for entry in interface:
        value = given.get(entry.name, entry.default)
        if value is not None:
            made.setdefault(entry.node, {})[entry.param] = value
    return made


def known_ports(definition: GroupDefinition) -> str:
    """What a group has, to offer where a name is unknown."""
    names = [p.name for p in (*definition.inputs, *definition.outputs, *definition.interface)]
    return f"it has: {', '.join(names)}" if names else "it has no ports and no parameters"
