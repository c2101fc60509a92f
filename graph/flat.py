"""The flat graph: what is left when groups are opened. The plan compiler and validation work on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from .declare import Declaration, Parameter, Port
from .frozen import FrozenDict
from .problems import Problem
from .types import Conversion, PortType

__all__ = ["FlatGraph", "FlatNode", "FlatParam", "FlatWire", "Scope"]


@dataclass(frozen=True)
class FlatNode:
    """A node by its path of ids ("n3/n1").

    Attributes:
        declaration: None for an unknown type.
        params: every declared parameter: its default, else as set, overridden through groups and the interface.
        given: only what was set (migrated), unknown names included.
        version: the version it was saved by.
        scope: path of the innermost group use that is mapped as a whole over a list; "" = none.
    """

    path: str
    type: str
    declaration: Declaration | None
    params: FrozenDict[str, Any]
    given: FrozenDict[str, Any]
    version: int = 1
    muted: bool = False
    title: str = ""
    scope: str = ""

    def input(self, name: str) -> Port | None:
        return self.declaration.input(name) if self.declaration else None

    def takes(self, name: str) -> Port | Parameter | None:
        """The input or the parameter of that name."""
        declaration = self.declaration
        return declaration and (declaration.input(name) or declaration.parameter(name))

    def output(self, name: str) -> Port | None:
        return self.declaration.output(name) if self.declaration else None


@dataclass(frozen=True)
class FlatWire:
    """A wire between flat nodes.

    Attributes:
        policy, limit: as set; None = the default.
        conversion: the lossless step it makes, if any.
        item_of: the scope whose item input it comes in by: its target gets one item of the source's list.
        carried_of: the scope whose carried input it comes in by: for the second item on, the picture of the one before.
    """

    source: str
    source_port: str
    target: str
    target_port: str
    policy: str | None = None
    limit: int | None = None
    conversion: Conversion | None = None
    item_of: str = ""
    carried_of: str = ""

    def __str__(self) -> str:
        return f"{self.source}.{self.source_port} → {self.target}.{self.target_port}"


@dataclass(frozen=True)
class FlatParam:
    """A public parameter of the effect, resolved to one parameter of one flat node.

    `default` is the value it starts with; range, unit and doc are the entry's, else the parameter's own.
    """

    name: str
    path: str
    param: str
    parameter: Parameter
    default: Any
    low: float | None
    high: float | None
    step: float | None
    unit: str
    doc: str


@dataclass(frozen=True)
class Scope:
    """A use of a group that has an item input fed by a list: its nodes are played once for each item.

    Attributes:
        path: the group use.
        items: its item inputs: name → (source path, port) of the list outside.
        carried: (input, output) names of the Image that is handed on from item to item, or None.
        result: (path, port) inside that makes the carried output.
        outer: the scope around it, "" = none.
    """

    path: str
    items: FrozenDict[str, tuple[str, str]]
    carried: tuple[str, str] | None = None
    result: tuple[str, str] | None = None
    outer: str = ""


@dataclass(frozen=True)
class FlatGraph:
    """Nodes by path (in natural order), wires, the effect's public parameters.

    `problems` are those of groups and interface found on the way; `validate` reports them with all others.
    `unfed` are inputs wired to a group's input that nothing is wired to.
    """

    nodes: FrozenDict[str, FlatNode]
    wires: tuple[FlatWire, ...]
    interface: tuple[FlatParam, ...] = ()
    working_space: str = "srgb"
    scopes: FrozenDict[str, Scope] = field(default_factory=FrozenDict)
    problems: tuple[Problem, ...] = ()
    unfed: frozenset[tuple[str, str]] = frozenset()

    @cached_property
    def _into(self) -> dict[str, dict[str, FlatWire]]:
        found: dict[str, dict[str, FlatWire]] = {path: {} for path in self.nodes}
        for wire in self.wires:
            found[wire.target].setdefault(wire.target_port, wire)
        return found

    @cached_property
    def _out_of(self) -> dict[str, tuple[FlatWire, ...]]:
        found: dict[str, list[FlatWire]] = {path: [] for path in self.nodes}
        for wire in self.wires:
            found[wire.source].append(wire)
        return {path: tuple(wires) for path, wires in found.items()}

    def into(self, path: str) -> dict[str, FlatWire]:
        """The wires into a node, by input or parameter name."""
        return self._into[path]

    def out_of(self, path: str, port: str | None = None) -> tuple[FlatWire, ...]:
        """The wires that begin at a node, or at one of its outputs."""
        return tuple(w for w in self._out_of[path] if port in (None, w.source_port))

    def wires_into(self, path: str, port: str) -> tuple[FlatWire, ...]:
        """All wires into one input: more than one is an error that `validate` reports."""
        return tuple(w for w in self.wires if w.target == path and w.target_port == port)

    def gives(self, wire: FlatWire) -> type[PortType] | None:
        """The declared type at a wire's beginning."""
        found = self.nodes[wire.source].output(wire.source_port)
        return found.type if found else None

    def takes(self, wire: FlatWire) -> type[PortType] | None:
        """The declared type at a wire's end."""
        found = self.nodes[wire.target].takes(wire.target_port)
        return found.type if found else None

    def public(self, name: str) -> FlatParam | None:
        """The public parameter of that name."""
        return next((p for p in self.interface if p.name == name), None)
