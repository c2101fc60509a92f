"""What the ends of a wire are called and what they take, for nodes and groups alike, before anything is flattened."""

from __future__ import annotations

from dataclasses import dataclass

from .effect import INPUT, Effect, Graph, GroupDefinition, NodeUse
from .mapping import pass_through
from .registry import Registry
from .types import PortType, find_type

__all__ = ["End", "input_end", "inputs_of", "output_end", "outputs_of", "through"]


@dataclass(frozen=True)
class End:
    """One end of a wire.

    Attributes:
        type: None where nobody knows (an unknown node type).
        param: it is a parameter that a wire may drive, not an input.
    """

    name: str
    type: type[PortType] | None
    optional: bool = False
    carried: bool = False
    param: bool = False


def inputs_of(effect: Effect, node: NodeUse, registry: Registry) -> list[End] | None:
    """Where wires may end at a node, inputs first; None for an unknown type."""
    if node.group is not None:
        definition = effect.groups.get(node.group)
        return _group_inputs(effect, definition, registry) if definition else None
    declaration = registry.get(node.type)
    if declaration is None:
        return None
    inputs = [End(p.name, p.type, p.optional, p.carried) for p in declaration.inputs]
    return inputs + [End(p.name, p.type, optional=True, param=True) for p in declaration.params]


def outputs_of(effect: Effect, node: NodeUse, registry: Registry) -> list[End] | None:
    """Where wires may begin at a node; None for an unknown type."""
    if node.group is not None:
        definition = effect.groups.get(node.group)
        if definition is None:
            return None
        return [
            End(
                p.name,
                end.type if (end := output_end(effect, definition, p.node, p.port, registry)) else None,
            )
            for p in definition.outputs
        ]
    declaration = registry.get(node.type)
    return None if declaration is None else [End(p.name, p.type) for p in declaration.outputs]


def input_end(effect: Effect, graph: Graph, node: str, port: str, registry: Registry) -> End | None:
    """The end of that name at a node of a graph; None where there is none. Unknown nodes have every end."""
    use = graph.nodes.get(node)
    return _named(inputs_of(effect, use, registry), port) if use else None


def output_end(effect: Effect, graph: Graph, node: str, port: str, registry: Registry) -> End | None:
    """The beginning of that name at a node of a graph, or at its `in`; None where there is none."""
    if node == INPUT and isinstance(graph, GroupDefinition):
        given = graph.input(port)
        return End(port, find_type(given.type)) if given else None
    use = graph.nodes.get(node)
    return _named(outputs_of(effect, use, registry), port) if use else None


def through(effect: Effect, node: NodeUse, registry: Registry) -> dict[str, str]:
    """Output → the input that stands in for it where the node is taken out."""
    declaration = registry.get(node.type)
    if declaration is not None:
        return pass_through(declaration)
    inputs = inputs_of(effect, node, registry) or []
    outputs = outputs_of(effect, node, registry) or []
    pairs = {
        o.name: next((i.name for i in inputs if i.type is o.type and not i.param), None) for o in outputs
    }
    return {name: given for name, given in pairs.items() if given}


def _group_inputs(effect: Effect, definition: GroupDefinition, registry: Registry) -> list[End]:
    inputs = [End(p.name, find_type(p.type), p.optional, p.carried) for p in definition.inputs]
    for entry in definition.interface:
        inner = input_end(effect, definition, entry.node, entry.param, registry)
        inputs.append(End(entry.name, inner.type if inner else None, optional=True, param=True))
    return inputs


def _named(ends: list[End] | None, name: str) -> End | None:
    if ends is None:
        return End(name, None)
    return next((end for end in ends if end.name == name), None)
