"""The graph model: an effect as immutable data. Every change makes a new one that shares what stayed the same.

    Effect ── nodes ──> NodeUse          one use of a node type, or of a group (type "group:glow")
           ├─ wires ──> Wire             (source, port) → (target, input or parameter)
           ├─ interface > InterfaceEntry a public parameter
           └─ groups ─> GroupDefinition  a graph of its own, with inputs and outputs

Inside a group, the pseudo node `in` (INPUT) stands for what is wired to the group's inputs.
Nothing here knows which node types exist: unknown ones are kept like known ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from .frozen import FrozenDict, freeze, natural

__all__ = [
    "GROUP",
    "INPUT",
    "Effect",
    "Graph",
    "GroupDefinition",
    "GroupInput",
    "GroupOutput",
    "InterfaceEntry",
    "NodeUse",
    "Wire",
    "group_name",
    "is_name",
]

GROUP = "group:"
INPUT = "in"
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
GENERATED = re.compile(r"n([1-9][0-9]{0,8})")

Data = FrozenDict[str, Any]
G = TypeVar("G", bound="Graph")


def is_name(text: str) -> bool:
    """Whether it may be the id of a node or the name of a port, a parameter or a group."""
    return NAME.fullmatch(text) is not None


def group_name(type_id: str) -> str | None:
    """`group:glow` → `glow`; None for any other type."""
    return type_id[len(GROUP) :] if type_id.startswith(GROUP) else None


def _frozen() -> Any:
    return field(default_factory=FrozenDict)


@dataclass(frozen=True)
class NodeUse:
    """One use of a node type.

    Attributes:
        id: permanent, never given again in its graph.
        type: a node type (`colour.exposure`), or `group:NAME`.
        version: of the node type (or the group) that its parameters are written for.
        params: what the author set, as plain frozen data; the rest has its default.
        title: a label for people; "" = the type's.
        muted: its first input of an output's type goes on instead of that output.
        extra: keys of the file that this version doesn't know.
    """

    id: str
    type: str
    version: int = 1
    params: Data = _frozen()
    title: str = ""
    muted: bool = False
    extra: Data = _frozen()

    def __post_init__(self) -> None:
        for name in ("params", "extra"):
            if not isinstance(getattr(self, name), FrozenDict):
                object.__setattr__(self, name, freeze(getattr(self, name)))

    @property
    def group(self) -> str | None:
        """The name of the group it uses, or None."""
        return group_name(self.type)

    def set(self, **changes: Any) -> NodeUse:
        """A copy with these parameters set; None clears one."""
        params = {**self.params, **{k: freeze(v) for k, v in changes.items()}}
        return replace(self, params=FrozenDict({k: v for k, v in params.items() if v is not None}))


@dataclass(frozen=True)
class Wire:
    """A connection. `policy` None = the type's default; `limit` = the k of `hold`, in frames."""

    source: str
    source_port: str
    target: str
    target_port: str
    policy: str | None = None
    limit: int | None = None
    extra: Data = _frozen()

    @property
    def key(self) -> tuple[Any, ...]:
        """What wires are ordered by: where they end, then where they begin."""
        return natural(self.target), self.target_port, natural(self.source), self.source_port

    def __str__(self) -> str:
        return f"{self.source}.{self.source_port} → {self.target}.{self.target_port}"


@dataclass(frozen=True)
class InterfaceEntry:
    """A public parameter of an effect or a group: `name` sets `node`.`param`.

    None leaves a detail as the parameter declares it (for `default`: as the node has it set).
    """

    name: str
    node: str
    param: str
    default: Any = None
    low: float | None = None
    high: float | None = None
    step: float | None = None
    unit: str | None = None
    doc: str = ""
    extra: Data = _frozen()

    @property
    def target(self) -> str:
        return f"{self.node}.{self.param}"


@dataclass(frozen=True)
class GroupInput:
    """An input of a group, by type name. `carried`: see the lists of DESIGN; an item type maps the group as a whole."""

    name: str
    type: str
    optional: bool = False
    carried: bool = False
    doc: str = ""
    extra: Data = _frozen()


@dataclass(frozen=True)
class GroupOutput:
    """An output of a group: it gives on what `node`.`port` inside gives (`node` may be `in`)."""

    name: str
    node: str
    port: str
    doc: str = ""
    extra: Data = _frozen()


@dataclass(frozen=True, kw_only=True)
class Graph:
    """Nodes and wires: what an effect and a group have in common.

    `next_id` is the number of the next generated id (`n7`): it only rises, so no id comes back.
    """

    nodes: FrozenDict[str, NodeUse] = _frozen()
    wires: tuple[Wire, ...] = ()
    interface: tuple[InterfaceEntry, ...] = ()
    next_id: int = 1
    positions: FrozenDict[str, tuple[float, float]] = _frozen()
    ui: Data = _frozen()
    extra: Data = _frozen()

    def __post_init__(self) -> None:
        """Canonical order (so equal graphs write equal bytes), and a `next_id` above every generated id."""
        nodes: Any = self.nodes.values() if isinstance(self.nodes, Mapping) else self.nodes
        ordered = FrozenDict({n.id: n for n in sorted(nodes, key=lambda n: natural(n.id))})
        highest = max((int(m[1]) for m in map(GENERATED.fullmatch, ordered) if m), default=0)
        object.__setattr__(self, "nodes", ordered)
        object.__setattr__(self, "wires", tuple(sorted(self.wires, key=lambda w: w.key)))
        object.__setattr__(self, "next_id", max(self.next_id, highest + 1))

    @cached_property
    def _by_target(self) -> dict[str, tuple[Wire, ...]]:
        found: dict[str, list[Wire]] = {}
        for wire in self.wires:
            found.setdefault(wire.target, []).append(wire)
        return {target: tuple(wires) for target, wires in found.items()}

    def wires_into(self, node: str, port: str | None = None) -> tuple[Wire, ...]:
        """The wires that end at a node, or at one of its ports."""
        return tuple(w for w in self._by_target.get(node, ()) if port is None or w.target_port == port)

    def wires_from(self, node: str, port: str | None = None) -> tuple[Wire, ...]:
        """The wires that begin at a node, or at one of its ports."""
        return tuple(w for w in self.wires if w.source == node and port in (None, w.source_port))

    def entry(self, name: str) -> InterfaceEntry | None:
        """The public parameter of that name."""
        return next((e for e in self.interface if e.name == name), None)

    def with_node(self: G, node: NodeUse) -> G:
        """A copy with this node added, or in place of the one with its id."""
        return replace(self, nodes=self.nodes.set(node.id, node))

    def with_wires(self: G, wires: Iterable[Wire]) -> G:
        """A copy with these wires instead."""
        return replace(self, wires=tuple(wires))


@dataclass(frozen=True, kw_only=True)
class GroupDefinition(Graph):
    """A named graph that effects use as a node. `version` rises when its interface changes."""

    name: str
    title: str = ""
    doc: str = ""
    version: int = 1
    inputs: tuple[GroupInput, ...] = ()
    outputs: tuple[GroupOutput, ...] = ()

    def input(self, name: str) -> GroupInput | None:
        return next((p for p in self.inputs if p.name == name), None)

    def output(self, name: str) -> GroupOutput | None:
        return next((p for p in self.outputs if p.name == name), None)


@dataclass(frozen=True, kw_only=True)
class Effect(Graph):
    """A whole effect.

    Attributes:
        working_space: "srgb" or "linear": what its Images' values mean.
        groups: definitions by name.
        models: registry id → variant → SHA-256, as seen when saving.
        ladder: what to give up when a frame would be late, in order (plain data).
        requires: distribution → version that brought its node types.
        folder: where it was loaded from; not part of its value.
    """

    title: str = ""
    doc: str = ""
    working_space: str = "srgb"
    groups: FrozenDict[str, GroupDefinition] = _frozen()
    models: Data = _frozen()
    ladder: tuple[Any, ...] = ()
    requires: FrozenDict[str, str] = _frozen()
    folder: Path | None = field(default=None, compare=False)

    def graph(self, scope: str = "") -> Graph:
        """The effect itself, or the definition of the group named `scope`."""
        return self.groups[scope] if scope else self

    def types(self) -> set[str]:
        """The node types it uses, in its groups too."""
        graphs = (self, *self.groups.values())
        return {node.type for graph in graphs for node in graph.nodes.values() if node.group is None}

    def with_graph(self, scope: str, graph: Graph) -> Effect:
        """A copy with that graph in place of the effect's own nodes or of a group's definition."""
        if not scope:
            assert isinstance(graph, Effect)
            return graph
        assert isinstance(graph, GroupDefinition)
        return replace(self, groups=self.groups.set(scope, graph))
