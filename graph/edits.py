"""Edits as commands: each says what to do, does it to an immutable effect, or refuses with the reason.

`scope` is "" for the effect itself, or the name of the group whose definition is edited. See also edits_groups
(make and open groups) and clipboard (copy and paste); `History` applies them with undo and redo.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from .checking import value_problem
from .effect import Effect, Graph, GroupDefinition, InterfaceEntry, NodeUse, Wire, group_name, is_name
from .errors import EditError
from .frozen import FrozenDict, freeze
from .history import History, Step
from .ports import End, input_end, inputs_of, output_end, outputs_of, through
from .registry import Registry
from .types import TYPES, PortType, conversion

__all__ = [
    "AddNode",
    "Batch",
    "Connect",
    "Disconnect",
    "Edit",
    "History",
    "Move",
    "Mute",
    "RemoveNodes",
    "Rename",
    "ReplaceType",
    "SetEffect",
    "SetInterface",
    "SetParam",
    "SetPolicy",
    "Step",
]


@dataclass(frozen=True, kw_only=True, eq=False)
class Edit:
    """The root of all edits."""

    scope: str = ""

    @property
    def key(self) -> Hashable | None:
        """Edits in a row with the same key are one step; None = always a step of its own."""
        return None

    def apply(self, effect: Effect, registry: Registry) -> Effect:
        """The effect after this edit.

        Raises:
            EditError: it can't be done.
        """
        graph = find_graph(effect, self.scope)
        return effect.with_graph(self.scope, self.change(graph, effect, registry))

    def change(self, graph: Graph, effect: Effect, registry: Registry) -> Graph:
        """The graph after this edit; override this, or `apply` where more than one graph changes."""
        raise NotImplementedError

    def words(self, effect: Effect, registry: Registry) -> str:
        """What it does, for the history list; `effect` is the one before."""
        raise NotImplementedError

    def name(self, effect: Effect, node: str, registry: Registry) -> str:
        """What people call a node."""
        use = effect.graph(self.scope).nodes.get(node) if self.scope in ("", *effect.groups) else None
        return title_of(effect, use, registry) if use else node


def find_graph(effect: Effect, scope: str) -> Graph:
    if scope and scope not in effect.groups:
        raise EditError(f"there is no group {scope!r} in this effect")
    return effect.graph(scope)


def find_node(graph: Graph, node: str) -> NodeUse:
    if node not in graph.nodes:
        raise EditError(f"there is no node {node!r} here")
    return graph.nodes[node]


def title_of(effect: Effect, use: NodeUse, registry: Registry) -> str:
    """A node's own title, else its group's, else its type's."""
    if use.title or (declaration := registry.get(use.type)) is None:
        group = effect.groups.get(use.group or "")
        return use.title or (group and group.title) or group_name(use.type) or use.type
    return declaration.title


def plain(value: Any) -> Any:
    """A value as the document holds it, or a refusal."""
    try:
        return freeze(value)
    except ValueError as error:
        raise EditError(f"this value can't be stored: {error}") from None


@dataclass(frozen=True, eq=False)
class AddNode(Edit):
    """Add a node; its id is generated unless given."""

    type: str
    params: Mapping[str, Any] = field(default_factory=FrozenDict)
    at: tuple[float, float] | None = None
    title: str = ""
    id: str = ""

    def change(self, graph: Graph, effect: Effect, registry: Registry) -> Graph:
        new = self.id or f"n{graph.next_id}"
        if not is_name(new) or new == "in":
            raise EditError(f"{new!r} can't be the id of a node (letters, digits and _; not 'in')")
        if new in graph.nodes:
            raise EditError(f"there is a node {new!r} already")
        group = group_name(self.type)
        if group is not None and group not in effect.groups:
            raise EditError(f"there is no group {group!r} in this effect")
        if group is None and registry and self.type not in registry:
            near = registry.nearest(self.type)
            raise EditError(
                f"there is no node type {self.type!r}" + (f"; did you mean {near!r}?" if near else "")
            )
        version = effect.groups[group].version if group else registry[self.type].version if registry else 1
        graph = graph.with_node(NodeUse(new, self.type, version, plain(self.params), self.title))
        return graph if self.at is None else replace(graph, positions=graph.positions.set(new, self.at))

    def words(self, effect: Effect, registry: Registry) -> str:
        return f"add {title_of(effect, NodeUse('', self.type, title=self.title), registry)}"


@dataclass(frozen=True, eq=False)
class RemoveNodes(Edit):
    """Remove nodes with their wires and public parameters. `reconnect`: what they were given goes on instead."""

    nodes: tuple[str, ...]
    reconnect: bool = False

    def change(self, graph: Graph, effect: Effect, registry: Registry) -> Graph:
        for node in self.nodes:
            use = find_node(graph, node)
            if self.reconnect:
                graph = graph.with_wires(_bridged(graph, effect, use, registry))
        gone = set(self.nodes)
        graph = replace(
            graph,
            nodes=graph.nodes.without(*gone),
            wires=tuple(w for w in graph.wires if w.source not in gone and w.target not in gone),
            interface=tuple(e for e in graph.interface if e.node not in gone),
            positions=graph.positions.without(*gone),
        )
        if isinstance(graph, GroupDefinition):
            graph = replace(graph, outputs=tuple(o for o in graph.outputs if o.node not in gone))
        return graph

    def words(self, effect: Effect, registry: Registry) -> str:
        one = len(self.nodes) == 1
        return f"remove {self.name(effect, self.nodes[0], registry) if one else f'{len(self.nodes)} nodes'}"


def _bridged(graph: Graph, effect: Effect, use: NodeUse, registry: Registry) -> list[Wire]:
    """The wires with a node's outputs replaced by what feeds the input that stands in for them."""
    stand_in = through(effect, use, registry)
    wires = [w for w in graph.wires if w.source != use.id]
    for wire in graph.wires_from(use.id):
        feeding = graph.wires_into(use.id, stand_in.get(wire.source_port, ""))
        wires += [replace(wire, source=f.source, source_port=f.source_port) for f in feeding[:1]]
    return wires


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
class SetParam(Edit):
    """Set a parameter of a node or of a group's use; None = back to its default."""

    node: str
    param: str
    value: Any

    @property
    def key(self) -> Hashable:
        return "param", self.scope, self.node, self.param

    def change(self, graph: Graph, effect: Effect, registry: Registry) -> Graph:
        use, value = find_node(graph, self.node), plain(self.value)
        self.check(use, value, effect, registry)
        return graph.with_node(use.set(**{self.param: value}))

    def check(self, use: NodeUse, value: Any, effect: Effect, registry: Registry) -> None:
        if use.group is not None:
            group = effect.groups.get(use.group)
            if group is not None and group.entry(self.param) is None:
                raise EditError(f"group {use.group!r} has no parameter {self.param!r}")
            return
        if (declaration := registry.get(use.type)) is None:
            return
        parameter = declaration.parameter(self.param)
        if parameter is None:
            known = ", ".join(p.name for p in declaration.params) or "none"
            raise EditError(f"{use.type} has no parameter {self.param!r}; it has: {known}")
        if value is not None and (fault := value_problem(parameter, value, effect.folder)):
            raise EditError(f"{self.node}.{self.param}: {fault[0]}; {fault[1]}")

    def words(self, effect: Effect, registry: Registry) -> str:
        place = f"{self.name(effect, self.node, registry)}.{self.param}"
        if self.value is None:
            return f"reset {place}"
        value = f"{self.value:g}" if isinstance(self.value, float) else str(self.value)
        return f"set {place} to {value if len(value) <= 40 else value[:39] + '…'}"


@dataclass(frozen=True, eq=False)
class Rename(Edit):
    """Give a node a title; "" = its type's."""

    node: str
    title: str

    @property
    def key(self) -> Hashable:
        return "title", self.scope, self.node

    def change(self, graph: Graph, effect: Effect, registry: Registry) -> Graph:
        return graph.with_node(replace(find_node(graph, self.node), title=plain(str(self.title))))

    def words(self, effect: Effect, registry: Registry) -> str:
        return f"rename {self.name(effect, self.node, registry)} to {self.title!r}"


@dataclass(frozen=True, eq=False)
class Move(Edit):
    """Put nodes to places on the canvas."""

    positions: Mapping[str, tuple[float, float]]

    @property
    def key(self) -> Hashable:
        return "move", self.scope, frozenset(self.positions)

    def change(self, graph: Graph, effect: Effect, registry: Registry) -> Graph:
        for node in self.positions:
            find_node(graph, node)
        places = {node: plain((x, y)) for node, (x, y) in self.positions.items()}
        return replace(graph, positions=FrozenDict({**graph.positions, **places}))

    def words(self, effect: Effect, registry: Registry) -> str:
        first = next(iter(self.positions), "")
        one = len(self.positions) == 1
        return f"move {self.name(effect, first, registry) if one else f'{len(self.positions)} nodes'}"


@dataclass(frozen=True, eq=False)
class Mute(Edit):
    """Mute nodes, or let them play again."""

    nodes: tuple[str, ...]
    muted: bool = True

    def change(self, graph: Graph, effect: Effect, registry: Registry) -> Graph:
        for node in self.nodes:
            graph = graph.with_node(replace(find_node(graph, node), muted=self.muted))
        return graph

    def words(self, effect: Effect, registry: Registry) -> str:
        names = ", ".join(self.name(effect, node, registry) for node in self.nodes)
        return f"{'mute' if self.muted else 'unmute'} {names}"


@dataclass(frozen=True, eq=False)
class SetInterface(Edit):
    """Set the public parameters of the effect or of a group, in order."""

    entries: tuple[InterfaceEntry, ...]

    def change(self, graph: Graph, effect: Effect, registry: Registry) -> Graph:
        names = [entry.name for entry in self.entries]
        if twice := next((n for n in names if names.count(n) > 1), None):
            raise EditError(f"two public parameters are called {twice!r}")
        for entry in self.entries:
            if not is_name(entry.name):
                raise EditError(f"{entry.name!r} can't be a name (letters, digits and _; no digit first)")
            find_node(graph, entry.node)
            end = input_end(effect, graph, entry.node, entry.param, registry)
            if end is None or (end.type is not None and not end.param):
                raise EditError(f"{entry.node} has no parameter {entry.param!r}")
            plain(entry.default)
        return replace(graph, interface=self.entries)

    def words(self, effect: Effect, registry: Registry) -> str:
        before = {entry.name for entry in find_graph(effect, self.scope).interface}
        after = {entry.name for entry in self.entries}
        changes = [f"publish {n}" for n in sorted(after - before)] + [
            f"hide {n}" for n in sorted(before - after)
        ]
        return ", ".join(changes) or "change public parameters"


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


@dataclass(frozen=True, eq=False)
class SetEffect(Edit):
    """Set what belongs to the effect as a whole: title, doc, working_space."""

    changes: Mapping[str, str]
    FIELDS: ClassVar[tuple[str, ...]] = ("title", "doc", "working_space")

    @property
    def key(self) -> Hashable:
        return "effect", frozenset(self.changes)

    def apply(self, effect: Effect, registry: Registry) -> Effect:
        for name in self.changes:
            if name not in self.FIELDS:
                raise EditError(f"an effect has no {name!r}; it has: {', '.join(self.FIELDS)}")
        space = self.changes.get("working_space", "srgb")
        if space not in ("srgb", "linear"):
            raise EditError(f"the working space is srgb or linear, not {space!r}")
        return replace(effect, **{name: plain(str(value)) for name, value in self.changes.items()})

    def words(self, effect: Effect, registry: Registry) -> str:
        return f"set the effect's {', '.join(self.changes)}"


@dataclass(frozen=True, eq=False)
class Batch(Edit):
    """Several edits as one step: all of them or none."""

    edits: tuple[Edit, ...]
    label: str = ""

    def apply(self, effect: Effect, registry: Registry) -> Effect:
        for edit in self.edits:
            effect = edit.apply(effect, registry)
        return effect

    def words(self, effect: Effect, registry: Registry) -> str:
        return self.label or ", ".join(edit.words(effect, registry) for edit in self.edits)
