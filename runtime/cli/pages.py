"""A node's page, as rows for a table on the terminal and as Markdown for the docs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from ...graph.declare import Declaration, Parameter, Port

__all__ = ["facts", "flowing", "index_page", "kind_of", "markdown", "parameter_rows", "port_rows", "span"]

PICTURE = "pictures/{}.jpg"


def facts(d: Declaration) -> str:
    """What the engine makes of it, in a few words."""
    words = ["fuses with its neighbours" if d.kind == "pixel" else f"{kind_of(d)} node", f"version {d.version}"]
    words += [f"{d.latency} latency"] if d.latency != "frame" else []
    words += ["keeps state"] if d.slots else []
    words += ["in a process of its own"] if d.isolated else []
    words += ["a frame late"] if d.delay else []
    return ", ".join(words)


def kind_of(d: Declaration) -> str:
    """pixel, process, model, or the part it plays in the stream (source, sink, delay)."""
    return d.role or ("model" if d.latency == "model" else d.kind)


def flowing(doc: str) -> str:
    """A docstring with each paragraph on one line, for a terminal to wrap; what is indented stays as it is."""
    paragraphs = doc.split("\n\n")
    return "\n\n".join(p if "\n " in p or p.startswith(" ") else p.replace("\n", " ") for p in paragraphs)


def port_rows(ports: Iterable[Port]) -> list[tuple[str, str, str, str]]:
    """Name, type, where it lies and whether it must be wired, doc."""
    return [(p.name, p.type.name, _manner(p), p.doc or _first_line(p.type.__doc__)) for p in ports]


def parameter_rows(d: Declaration) -> list[tuple[str, str, str, str, str]]:
    """Name, type, default, range with unit, doc."""
    return [(p.name, p.type.name, _value(p.default), _range(p), p.doc) for p in d.params]


def markdown(d: Declaration, folder: Path) -> str:
    """The page of one node; its picture where `folder` has one."""
    picture = PICTURE.format(d.type)
    parts = [f"# {d.title}\n\n`{d.type}` · {facts(d)}\n"]
    parts += [f"![{d.title}]({picture})\n"] if (folder / picture).is_file() else []
    parts += [d.doc + "\n"]
    for title, ports in (("Inputs", d.inputs), ("Outputs", d.outputs)):
        if ports:
            parts.append(f"## {title}\n\n" + _grid(("port", "type", "", "what it is"), port_rows(ports)))
    if d.params:
        head = ("parameter", "type", "default", "range", "what it does")
        parts.append("## Parameters\n\n" + _grid(head, parameter_rows(d)))
    return "\n".join(parts)


def index_page(chosen: Sequence[Declaration]) -> str:
    """All nodes by family, with links."""
    parts = ["# Nodes\n\nMade by `spellwire nodes --markdown` from the declarations.\n"]
    for family, members in groupby(chosen, key=lambda d: d.family):
        rows = [(f"[{d.type}]({d.type}.md)", d.summary) for d in members]
        parts.append(f"## {family}\n\n" + _grid(("node", "what it does"), rows))
    return "\n".join(parts)


def _grid(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *([c.replace("|", "\\|") for c in row] for row in rows)]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def _manner(port: Port) -> str:
    words = ["optional"] if port.optional else []
    words += ["domain"] if port.domain else []
    words += ["carried"] if port.carried else []
    words += ["one for each item"] if port.many else []
    words += ["any space"] if port.anywhere else []
    words += ["display-referred"] if port.display else []
    words += [f"space: {port.space}"] if port.space and port.space.kind != "same" else []
    return ", ".join(words)


def _range(p: Parameter) -> str:
    if p.choices:
        return ", ".join(map(_value, p.choices))
    return span(p.low, p.high, p.unit)


def span(low: float | None, high: float | None, unit: str = "") -> str:
    """`-4 to 4 EV`; an open end is `…`."""
    ends = ("" if low is None else _value(low), "" if high is None else _value(high))
    text = "" if ends == ("", "") else f"{ends[0] or '…'} to {ends[1] or '…'}"
    return f"{text} {unit}".strip()


def _value(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, tuple):
        return "(" + ", ".join(map(_value, value)) + ")"
    return "" if value is None else str(value)


def _first_line(doc: str | None) -> str:
    return (doc or "").strip().partition("\n")[0]
