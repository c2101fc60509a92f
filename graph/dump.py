"""An effect as the text of an effect.json (see document): fixed order, a line where a value may change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .effect import Effect, Graph, GroupDefinition, NodeUse
from .frozen import natural
from .json_text import Block, Rows, write
from .migrate import SCHEMA

__all__ = ["dump_effect", "node_data"]


def dump_effect(effect: Effect) -> str:
    """An effect as the text of an effect.json: equal effects give equal text."""
    return write(
        Block(
            {"schema": SCHEMA}
            | _without(title=effect.title, doc=effect.doc)
            | {"working_space": effect.working_space}
            | _graph_data(effect)
            | _without(
                groups=Block({k: _group_data(g) for k, g in _sorted(effect.groups).items()}),
                ladder=Rows(effect.ladder),
                models=Block(_sorted(effect.models)),
                requires=Block(_sorted(effect.requires)),
            )
            | _tail(effect)
        )
    )


def _group_data(group: GroupDefinition) -> Block:
    inputs = {
        p.name: {"type": p.type}
        | _without(optional=p.optional, carried=p.carried, doc=p.doc)
        | _sorted(p.extra)
        for p in group.inputs
    }
    outputs = {
        p.name: _short("from", f"{p.node}.{p.port}", _without(doc=p.doc) | _sorted(p.extra))
        for p in group.outputs
    }
    return Block(
        _without(title=group.title, doc=group.doc)
        | {"version": group.version, "inputs": Block(inputs), "outputs": Block(outputs)}
        | _graph_data(group)
        | _tail(group)
    )


def _graph_data(graph: Graph) -> dict[str, Any]:
    interface = [
        {"name": e.name, "target": e.target}
        | {k: v for k in ("default", "low", "high", "step", "unit") if (v := getattr(e, k)) is not None}
        | _without(doc=e.doc)
        | _sorted(e.extra)
        for e in graph.interface
    ]
    nodes = Block({key: node_data(graph, node) for key, node in graph.nodes.items()})
    return _without(interface=Rows(interface)) | {"nodes": nodes}


def node_data(graph: Graph, node: NodeUse) -> Block:
    """A node as it stands in the file, its inputs included."""
    inputs: dict[str, Any] = {}
    for wire in graph.wires_into(node.id):
        more = {k: v for k, v in (("policy", wire.policy), ("limit", wire.limit)) if v is not None}
        made = _short("from", f"{wire.source}.{wire.source_port}", more | _sorted(wire.extra))
        before = inputs.get(wire.target_port)
        more_wires = isinstance(before, list)
        inputs[wire.target_port] = made if before is None else [*(before if more_wires else [before]), made]
    return Block(
        {"type": node.type, "version": node.version}
        | _without(title=node.title, muted=node.muted)
        | _without(params=Block(_sorted(node.params)), inputs=Block(inputs))
        | _sorted(node.extra)
    )


def _tail(graph: Graph) -> dict[str, Any]:
    spots = {k: list(v) for k, v in sorted(graph.positions.items(), key=lambda item: natural(item[0]))}
    ui = _without(positions=Block(spots)) | _sorted(graph.ui)
    return _sorted(graph.extra) | {"next_id": graph.next_id} | _without(ui=Block(ui))


def _short(key: str, value: str, more: dict[str, Any]) -> Any:
    return {key: value} | more if more else value


def _sorted(data: Mapping[str, Any]) -> dict[str, Any]:
    return dict(sorted(data.items()))


def _without(**items: Any) -> dict[str, Any]:
    """The items that say something: no empty text, container or False."""
    return {k: v for k, v in items.items() if v or (v == 0 and v is not False)}
