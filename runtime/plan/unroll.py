"""Groups that hand a picture on from item to item, as so many copies of the group, one after another.

    n3(image, faces)    n1 ─> n3/n2@0 ─> ~there0 ─> n3/n2@1 ─> ~there1 ─> …      there: its picture, or the one
                 ~nth0 ───┘                 ~nth1 ───┘                            before it where no such face is

A copy is for one item of the list, in order of track id. The list's bound says how many copies there are, so a face that
comes compiles nothing. Process nodes of a copy are not called while it has no item; their state goes with the track id.
Copies share their parameters: "n3/n2@1" is `node_path` "n3/n2" to everybody outside.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ...graph.declare import Declaration
from ...graph.errors import CompileError
from ...graph.flat import FlatGraph, FlatNode, FlatWire, Scope
from ...graph.frozen import FrozenDict
from ...graph.mapping import resolve_mapping
from ...graph.types import PortType, conversion
from .convert import nth, track, where_there
from .ir import Ref

__all__ = ["unroll"]

MAX_ITEMS = 4  # of a list that does not say


def unroll(flat: FlatGraph) -> tuple[FlatGraph, dict[str, Ref]]:
    """Without groups that carry a picture; and for each node of a copy, who says which track it plays for.

    Raises:
        CompileError: such a group holds a delay or another such group, gives a list, or takes one it can't pair.
    """
    tracks: dict[str, Ref] = {}
    for scope in flat.scopes.values():
        if scope.carried and scope.result:
            made = _Unrolling(flat, scope)
            flat = made.run()
            tracks |= made.tracks
    return flat, tracks


class _Unrolling:
    def __init__(self, flat: FlatGraph, scope: Scope):
        self.flat, self.scope = flat, scope
        self.inside = [path for path, node in flat.nodes.items() if self._within(node.scope)]
        self.lists = resolve_mapping(flat).lists
        self.nodes = {path: node for path, node in flat.nodes.items() if path not in set(self.inside)}
        self.wires: list[FlatWire] = []
        self.tracks: dict[str, Ref] = {}
        (self.name, self.list), *more = scope.items.items()
        if more:
            self.refuse(f"it takes items of several lists ({self.name}, {more[0][0]})", "give it one list")

    def _within(self, scope: str) -> bool:
        while scope and scope != self.scope.path:
            scope = self.flat.scopes[scope].outer
        return bool(scope)

    def refuse(self, what: str, fix: str) -> None:
        raise CompileError(f"{self.scope.path}: a group that hands an image on from item to item: {what}; {fix}")

    def run(self) -> FlatGraph:
        self._check()
        self.copies = self._bound()
        for copy in range(self.copies):
            self._copy(copy)
        self.wires += [w for w in self.flat.wires if self._outside(w.source) and self._outside(w.target)]
        self.wires += [self._leaving(w) for w in self.flat.wires if not self._outside(w.source) and self._outside(w.target)]
        scopes = FrozenDict({k: s for k, s in self.flat.scopes.items() if k != self.scope.path})
        return replace(self.flat, nodes=FrozenDict(self.nodes), wires=tuple(self.wires), scopes=scopes)

    def _outside(self, path: str) -> bool:
        return path in self.flat.nodes and path not in self.inside

    def _check(self) -> None:
        for path in self.inside:
            node = self.flat.nodes[path]
            if node.declaration is not None and node.declaration.delay:
                self.refuse(f"{path} is a delay, and would mix what belongs to different items", "take it out")
            if node.scope != self.scope.path:
                self.refuse("another group inside it is played for each item as well", "take one out of the other")

    def _bound(self) -> int:
        """How many items the list can have: what its maker's `max_…` says, where nothing moves that."""
        path, seen = self.list[0], set[str]()
        while path not in seen:
            seen.add(path)
            node = self.flat.nodes[path]
            found = next((p for p in node.declaration.params if p.name.startswith("max_")), None) if node.declaration else None
            if found is not None:
                moved = found.name in self.flat.into(path) or any(
                    (p.path, p.param) == (path, found.name) for p in self.flat.interface
                )
                return int((found.high if moved else None) or node.params[found.name])
            kind = self._kind(self.list)
            path = next((w.source for w in self.flat.into(path).values() if self.flat.gives(w) is kind), path)
        return MAX_ITEMS

    def _kind(self, source: tuple[str, str]) -> type[PortType]:
        port = self.flat.nodes[source[0]].output(source[1])
        assert port is not None
        return port.type

    # -- one copy

    def _copy(self, copy: int) -> None:
        kind = self._kind(self.list)
        self._internal(f"~nth{copy}", nth(kind).declaration, {"items": self.list}, {"index": copy})
        self._internal(f"~track{copy}", track(kind).declaration, {"items": self.list}, {"index": copy})
        for path in self.inside:
            made = f"{path}@{copy}"
            self.nodes[made] = replace(self.flat.nodes[path], path=made, scope=self.scope.outer)
            self.tracks[made] = (self._own(f"~track{copy}"), "id")
        self.wires += [self._entering(w, copy) for w in self.flat.wires if not self._outside(w.target)]
        assert self.scope.result is not None
        result = self.scope.result
        ports = {"before": self._before(copy), "after": (f"{result[0]}@{copy}", result[1]), "id": (self._own(f"~track{copy}"), "id")}
        self._internal(f"~there{copy}", where_there(self._kind(result)).declaration, ports, {})

    def _own(self, name: str) -> str:
        return f"{self.scope.path}/{name}"

    def _internal(self, name: str, d: Declaration, ports: dict[str, tuple[str, str]], params: dict[str, Any]) -> None:
        path = self._own(name)
        self.nodes[path] = FlatNode(path, d.type, d, FrozenDict(params), FrozenDict(params), scope=self.scope.outer)
        self.wires += [self._wire(source, path, port) for port, source in ports.items()]

    def _wire(self, source: tuple[str, str], target: str, port: str) -> FlatWire:
        gives, node = self.nodes[source[0]].output(source[1]), self.nodes[target]
        takes = node.takes(port)
        step = conversion(gives.type, takes.type) if gives and takes and gives.type is not takes.type else None
        return FlatWire(*source, target, port, conversion=step)

    def _before(self, copy: int) -> tuple[str, str]:
        """The picture a copy goes on from."""
        if copy:
            return self._own(f"~there{copy - 1}"), "out"
        found = next((w for w in self.flat.wires if w.carried_of == self.scope.path), None)
        if found is None:
            self.refuse("its image is not wired, or not used", "wire it")
        assert found is not None
        return found.source, found.source_port

    def _entering(self, wire: FlatWire, copy: int) -> FlatWire:
        target = f"{wire.target}@{copy}"
        if not self._outside(wire.source):
            return replace(wire, source=f"{wire.source}@{copy}", target=target)
        if wire.carried_of == self.scope.path:
            return replace(self._wire(self._before(copy), target, wire.target_port), policy=wire.policy if not copy else None)
        if wire.item_of == self.scope.path:
            return self._wire((self._own(f"~nth{copy}"), "item"), target, wire.target_port)
        if (wire.source, wire.source_port) in self.lists:
            self.refuse(f"{wire.target}.{wire.target_port} gets a list from {wire.source}", "make it inside the group")
        return replace(wire, target=target)

    def _leaving(self, wire: FlatWire) -> FlatWire:
        if (wire.source, wire.source_port) != self.scope.result:
            self.refuse(f"{wire.source}.{wire.source_port} leaves it as a list", "let it give the image alone")
        last = (self._own(f"~there{self.copies - 1}"), "out")
        made = self._wire(last, wire.target, wire.target_port)
        return replace(wire, source=last[0], source_port=last[1], conversion=made.conversion)
