"""effect.json: reading and writing an effect.

    {
      "schema": 1,
      "title": "Warm glow",
      "working_space": "srgb",
      "interface": [
        {"name": "warmth", "target": "n2.amount", "default": 0.2, "low": 0, "high": 1, "doc": "how warm"}
      ],
      "nodes": {
        "n1": {"type": "media.source", "version": 1},
        "n2": {
          "type": "colour.warm",
          "version": 1,
          "params": {
            "amount": 0.4,
            "lut": {"asset": "assets/warm.cube", "sha256": "9f…"}
          },
          "inputs": {"image": "n1.image", "mask": {"from": "n3.mask", "policy": "latest"}}
        },
        "n3": {"type": "group:person", "version": 1, "params": {"softness": 0.1}, "inputs": {"image": "n1.image"}},
        "n4": {"type": "media.sink", "version": 1, "inputs": {"image": "n2.out"}}
      },
      "groups": {
        "person": {
          "version": 1,
          "inputs": {"image": {"type": "Image"}},
          "outputs": {"mask": "n2.out"},
          "interface": [{"name": "softness", "target": "n2.radius"}],
          "nodes": {
            "n1": {"type": "perception.person", "version": 1, "inputs": {"image": "in.image"}},
            "n2": {"type": "mask.feather", "version": 1, "inputs": {"mask": "n1.mask"}}
          },
          "next_id": 3
        }
      },
      "requires": {"spellwire": "0.1.0"},
      "next_id": 5,
      "ui": {"positions": {"n1": [0, 0], "n2": [240, 0]}}
    }

A node says where its inputs come from: `inputs` has an entry for each wired input or parameter, `"node.port"`, or an
object where the wire has a policy (`exact`, `latest`, `hold` with `limit`, `extrapolate`, `accumulate`). `muted`
and `title` are a node's other keys. What is at its default is left out; unknown keys are kept. Order is fixed, a
line changes where a value changes: equal effects are equal bytes.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any

from .dump import dump_effect
from .effect import (
    INPUT,
    Effect,
    Graph,
    GroupDefinition,
    GroupInput,
    GroupOutput,
    InterfaceEntry,
    NodeUse,
    Wire,
)
from .errors import DocumentError
from .json_text import parse
from .migrate import SCHEMA, migrate_data
from .reading import Reader

__all__ = [
    "FILE",
    "MAX_BYTES",
    "Effect",
    "Graph",
    "GroupDefinition",
    "GroupInput",
    "GroupOutput",
    "InterfaceEntry",
    "NodeUse",
    "Wire",
    "dump_effect",
    "effect_from_data",
    "load_effect",
    "parse_effect",
    "save_effect",
    "wires_from_data",
]

FILE = "effect.json"
MAX_BYTES = 32 << 20


def load_effect(path: str | os.PathLike[str]) -> Effect:
    """Read an effect: its folder, or the effect.json in it.

    Raises:
        DocumentError: it isn't there, isn't an effect, or is from a newer version; with the line where JSON breaks.
    """
    file = Path(path)
    file = file / FILE if file.is_dir() else file
    try:
        if file.stat().st_size > MAX_BYTES:
            raise DocumentError(
                f"{file}: larger than {MAX_BYTES >> 20} MB; an effect's pictures belong in assets/"
            )
        raw = file.read_bytes()
    except FileNotFoundError:
        raise DocumentError(
            f"{file}: no such effect; make one with: spellwire new {Path(path).name}"
        ) from None
    except OSError as error:
        raise DocumentError(f"{file}: can't be read: {error.strerror}") from None
    return parse_effect(raw, str(file), file.parent)


def parse_effect(raw: bytes | str, where: str = FILE, folder: Path | None = None) -> Effect:
    """The text of an effect.json as an Effect; `where` names it in errors."""
    data = parse(raw, where)
    if not isinstance(data, dict):
        raise DocumentError(f"{where}: an effect is a JSON object, this is {_word(data)}")
    return effect_from_data(migrate_data(data, where), where, folder)


def effect_from_data(data: dict[str, Any], where: str = FILE, folder: Path | None = None) -> Effect:
    """Parsed data of this SCHEMA as an Effect."""
    top = Reader(data, where)
    top.take("schema", int, SCHEMA)
    groups = {name: _group(name, body) for name, body in top.section("groups")}
    return Effect(
        title=top.take("title", str, ""),
        doc=top.take("doc", str, ""),
        working_space=top.take("working_space", str, "srgb"),
        groups=top.frozen(groups),
        models=top.plain("models", dict, {}),
        ladder=top.plain("ladder", list, []),
        requires=top.plain("requires", dict, {}),
        folder=folder,
        **_graph(top),
    )


def _group(name: str, body: Reader) -> GroupDefinition:
    inputs = tuple(
        GroupInput(
            key,
            port.take("type", str),
            port.take("optional", bool, False),
            port.take("carried", bool, False),
            port.take("doc", str, ""),
            port.rest(),
        )
        for key, port in body.section("inputs")
    )
    outputs = tuple(
        GroupOutput(key, *port.reference("from"), port.take("doc", str, ""), port.rest())
        for key, port in body.section("outputs", short="from")
    )
    return GroupDefinition(
        name=name,
        title=body.take("title", str, ""),
        doc=body.take("doc", str, ""),
        version=body.take("version", int, 1),
        inputs=inputs,
        outputs=outputs,
        **_graph(body),
    )


def _graph(body: Reader) -> dict[str, Any]:
    """The fields that an effect and a group share. Called last: what nobody took is `extra`."""
    nodes: dict[str, NodeUse] = {}
    wires: list[Wire] = []
    for key, node in body.section("nodes"):
        if key == INPUT:
            raise node.error("'in' stands for a group's inputs; give the node another id")
        wires += wires_from_data(key, node)
        nodes[key] = NodeUse(
            key,
            node.take("type", str),
            node.take("version", int, 1),
            node.plain("params", dict, {}),
            node.take("title", str, ""),
            node.take("muted", bool, False),
            node.rest(),
        )
    interface = tuple(_entry(row) for row in body.rows("interface"))
    ui = body.child("ui")
    positions = {key: spot.pair() for key, spot in ui.section("positions", short="at")}
    return {
        "nodes": body.frozen(nodes),
        "wires": tuple(wires),
        "interface": interface,
        "next_id": body.take("next_id", int, 1),
        "positions": body.frozen(positions),
        "ui": ui.rest(),
        "extra": body.rest(),
    }


def wires_from_data(target: str, node: Reader) -> list[Wire]:
    """The `inputs` of a node: each "node.port", an object with a policy, or a list of them (an error to report)."""
    return [
        Wire(
            *wire.reference("from"),
            target,
            port,
            wire.take("policy", str, None),
            wire.take("limit", int, None),
            wire.rest(),
        )
        for port, wire in node.section("inputs", short="from", several=True)
    ]


def _entry(row: Reader) -> InterfaceEntry:
    return InterfaceEntry(
        row.take("name", str),
        *row.reference("target"),
        row.plain("default", object, None),
        row.take("low", float, None),
        row.take("high", float, None),
        row.take("step", float, None),
        row.take("unit", str, None),
        row.take("doc", str, ""),
        row.rest(),
    )


def _word(value: Any) -> str:
    return {list: "a list", str: "a text", bool: "a yes or no", type(None): "null"}.get(
        type(value), "a number"
    )


def save_effect(effect: Effect, path: str | os.PathLike[str]) -> Path:
    """Write an effect beside the old file, then put it in its place: a crash or a full disk loses neither.

    Args:
        path: the effect's folder (made if missing), or a file that ends in .json.

    Raises:
        DocumentError: it can't be written; the old file is as it was.
    """
    file = Path(path)
    file = file if file.suffix == ".json" else file / FILE
    text = dump_effect(effect)
    parse_effect(text, str(file))  # what we can't read again never replaces what we can
    aside = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with open(aside, "w", encoding="utf-8", newline="\n") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        os.replace(aside, file)
        _sync_folder(file.parent)
    except (OSError, UnicodeEncodeError) as error:
        with contextlib.suppress(OSError):
            aside.unlink()
        why = getattr(error, "strerror", None) or error
        raise DocumentError(f"{file}: can't be saved: {why}; the file before is untouched") from None
    return file


def _sync_folder(folder: Path) -> None:
    """Make the rename itself durable, where the system can."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
