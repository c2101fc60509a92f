"""Old files in new programs: the document's schema, and each node's parameters and port names.

A document is migrated as plain data, before it is read. A node's parameters are migrated by its own class
(`Node.migrate`), step by step, when the graph is flattened or upgraded: the file keeps what it had until it is saved.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from .declare import Declaration
from .effect import Effect, Graph, NodeUse, Wire
from .errors import DocumentError
from .frozen import FrozenDict, freeze, thaw

if TYPE_CHECKING:
    from .registry import Registry

__all__ = ["SCHEMA", "Upgrade", "migrate_data", "migrated", "upgrade"]

SCHEMA = 1
MIGRATIONS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}
"""Schema n → the function that makes n + 1 of it. Empty while there is only version 1."""


def migrate_data(data: dict[str, Any], where: str) -> dict[str, Any]:
    """Bring a document's data to this SCHEMA.

    Raises:
        DocumentError: no schema version, or one that is newer than this program.
    """
    version = data.get("schema")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise DocumentError(f'{where}: no schema version; an effect begins with "schema": {SCHEMA}')
    if version > SCHEMA:
        raise DocumentError(
            f"{where}: schema {version} is from a newer Spellwire (this one reads up to {SCHEMA}); upgrade spellwire"
        )
    while version < SCHEMA:
        data = {**MIGRATIONS[version](data), "schema": version + 1}
        version += 1
    return data


def migrated(params: FrozenDict[str, Any], version: int, declaration: Declaration) -> FrozenDict[str, Any]:
    """Parameters saved by `version` of a node type as its present version wants them.

    Raises:
        DocumentError: the node's own migration failed, or gave what can't be stored.
    """
    if version >= declaration.version:
        return params
    try:
        return freeze(declaration.cls.migrate(thaw(params), version))
    except Exception as error:  # third-party code: whatever it raises is this node's problem alone
        raise DocumentError(
            f"{declaration.type}: its migration from version {version} to {declaration.version} failed: {error}"
        ) from error


@dataclass(frozen=True)
class Upgrade:
    """A migrated node, for people: `scope` is "" or a group's name."""

    scope: str
    node: str
    type: str
    before: int
    after: int

    def __str__(self) -> str:
        place = f"{self.scope}: {self.node}" if self.scope else self.node
        return f"{place} ({self.type}): version {self.before} → {self.after}"


def upgrade(effect: Effect, registry: Registry) -> tuple[Effect, tuple[Upgrade, ...]]:
    """The effect with every node's parameters, ports and version brought up to date, and what was changed.

    Raises:
        DocumentError: a node's migration failed.
    """
    done: list[Upgrade] = []
    for scope in ("", *effect.groups):
        effect = effect.with_graph(scope, _upgraded(effect.graph(scope), scope, registry, done))
    return effect, tuple(done)


def _upgraded(graph: Graph, scope: str, registry: Registry, done: list[Upgrade]) -> Graph:
    for node in graph.nodes.values():
        declaration = registry.get(node.type)
        if declaration is None or node.version >= declaration.version:
            continue
        params = migrated(node.params, node.version, declaration)
        made = replace(node, params=params, version=declaration.version)
        graph = graph.with_node(made).with_wires(_renamed(w, node, declaration) for w in graph.wires)
        done.append(Upgrade(scope, node.id, node.type, node.version, declaration.version))
    return graph


def _renamed(wire: Wire, node: NodeUse, declaration: Declaration) -> Wire:
    if wire.source == node.id:
        wire = replace(wire, source_port=declaration.cls.migrate_port(wire.source_port, node.version))
    if wire.target == node.id:
        wire = replace(wire, target_port=declaration.cls.migrate_port(wire.target_port, node.version))
    return wire
