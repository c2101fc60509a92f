"""The page of a node as data: for the command line, the docs and the editor's help."""

from __future__ import annotations

from typing import Any

from .checking import MAX_VARIANTS, variants
from .declare import Declaration, Parameter, Port, SpaceRule
from .mapping import carried_pair
from .registry import Origin
from .types import PortType

__all__ = ["page", "type_page"]

EMPTY = {
    "skip": "without it the node is skipped",
    "hold": "without it the last good value is held",
    "neutral": "",
}
LATENCY = {"frame": "within the frame", "model": "a model: may lag behind", "slow": "slow: results come late"}


def page(declaration: Declaration, origin: Origin | None = None) -> dict[str, Any]:
    """Everything a node's declaration says, in plain data: text, lists and dicts, ready for JSON."""
    return {
        "type": declaration.type,
        "title": declaration.title,
        "family": declaration.family,
        "version": declaration.version,
        "kind": declaration.kind,
        "summary": declaration.summary,
        "doc": declaration.doc,
        "inputs": [_input(declaration, port) for port in declaration.inputs],
        "params": [_param(parameter) for parameter in declaration.params],
        "outputs": [_output(port) for port in declaration.outputs],
        "notes": _notes(declaration),
        "state": [slot.name for slot in declaration.slots],
        "source": str(origin) if origin else "",
    }


def _input(declaration: Declaration, port: Port) -> dict[str, Any]:
    notes = [
        "optional" if port.optional else "",
        "the node is computed where it lies"
        if declaration.kind == "pixel" and port is declaration.domain
        else "",
        "handed on from item to item" if port.carried else "",
        "takes one value for each item of a list" if port.many else "",
        "mapped over a list" if port.type.family == "item" else "",
        "may lie in any space" if port.anywhere else "",
        "display-referred: clamped, 8 bits" if port.display else "",
        EMPTY[port.when_empty],
    ]
    return {"name": port.name, "type": port.type.name, "notes": [n for n in notes if n], "doc": port.doc}


def _output(port: Port) -> dict[str, Any]:
    notes = ["display-referred: clamped, 8 bits"] if port.display else []
    space = _space(port.space) if port.space else ""
    return {"name": port.name, "type": port.type.name, "space": space, "notes": notes, "doc": port.doc}


def _space(rule: SpaceRule) -> str:
    words = {"same": f"where {rule.port!r} lies", "new": "a space of its own", "frame": "the stream's frame"}
    return words.get(rule.kind, "the file's own space")


def _param(parameter: Parameter) -> dict[str, Any]:
    notes = []
    if parameter.structural and parameter.type.family != "asset":
        values = variants(parameter)
        few = values is not None and len(values) <= MAX_VARIANTS
        notes.append("structural: may move while playing" if few else "structural: setting it compiles")
    return {
        "name": parameter.name,
        "type": parameter.type.name,
        "default": parameter.default,
        "range": _range(parameter.low, parameter.high),
        "step": parameter.step,
        "unit": parameter.unit,
        "choices": list(parameter.choices),
        "notes": notes,
        "doc": parameter.doc,
    }


def _range(low: float | None, high: float | None) -> str:
    if low is not None and high is not None:
        return f"{low:g} to {high:g}"
    return f"from {low:g}" if low is not None else f"up to {high:g}" if high is not None else ""


def _notes(declaration: Declaration) -> list[str]:
    pair = carried_pair(declaration)
    notes = [
        "fuses with its neighbours into one pass"
        if declaration.kind == "pixel"
        else LATENCY[declaration.latency],
        "carries a value to the next frame: a cycle may pass through it" if declaration.delay else "",
        "works through a whole clip beforehand; not live" if declaration.scope == "clip" else "",
        "runs in a process of its own" if declaration.isolated else "",
        f"works item after item: {pair[0]!r} becomes {pair[1]!r}" if pair else "",
        f"on failure: {_fallback(declaration)}",
    ]
    return [n for n in notes if n]


def _fallback(declaration: Declaration) -> str:
    return {"last": "its last good result", "empty": "nothing", "pass": "its input, unchanged"}[
        declaration.fallback
    ]


def type_page(kind: type[PortType]) -> dict[str, Any]:
    """What a port type is: for the docs."""
    return {
        "name": kind.name,
        "doc": " ".join((kind.__doc__ or "").split()),
        "family": kind.family,
        "spatial": kind.spatial,
        "policies": list(kind.policies),
        "colour": kind.colour,
    }
