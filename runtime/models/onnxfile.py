"""A look inside an `.onnx` file before anything loads it: no data outside the file, no operations from elsewhere.

ONNX is protobuf; a few dozen lines that walk its wire format are enough to see that, and keep the `onnx` package out of
the player. Field numbers are those of onnx.proto (ONNX IR).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ...graph.errors import ModelError

__all__ = ["check_self_contained"]

BUILT_IN = {"", "ai.onnx", "ai.onnx.ml", "com.microsoft", "com.microsoft.nchwc"}
DEEPEST = 64

# message → {field: message inside it}
NESTED = {
    "model": {7: "graph", 25: "function"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "function": {7: "node"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {},
}
GRAPH, NODE_DOMAIN, FUNCTION_DOMAIN = 7, 7, 10
EXTERNAL_DATA, DATA_LOCATION = 13, 14


class _Broken(Exception):
    pass


def check_self_contained(path: Path, name: str) -> None:
    """ModelError for a file that isn't ONNX, keeps weights in another file, or uses custom operations."""
    try:
        _check(memoryview(path.read_bytes()), name)
    except (OSError, ValueError, _Broken) as error:
        raise ModelError(f"Model {name} is not a whole .onnx file ({error}). Get it again.") from error


def _check(data: memoryview, name: str) -> None:
    own = set(_functions(data))
    graphs = 0
    for kind, field, value in _walk(data, 0, len(data), "model", 0):
        graphs += kind == "model" and field == GRAPH
        if kind == "tensor" and (field == EXTERNAL_DATA or (field == DATA_LOCATION and value == 1)):
            raise ModelError(
                f"Model {name} keeps weights in another file, which is refused. Save it as one file."
            )
        if kind == "node" and field == NODE_DOMAIN and (domain := _text(value)) not in BUILT_IN | own:
            raise ModelError(
                f"Model {name} uses operations of {domain!r}, which are code from elsewhere, and is refused. "
                "Export it with standard ONNX operations."
            )
    if not graphs:
        raise _Broken("it holds no graph")


def _functions(data: memoryview) -> Iterator[str]:
    for kind, field, value in _walk(data, 0, len(data), "model", 0):
        if kind == "function" and field == FUNCTION_DOMAIN:
            yield _text(value)


def _walk(
    data: memoryview, at: int, end: int, kind: str, depth: int
) -> Iterator[tuple[str, int, int | memoryview]]:
    """Every (message, field, value) from the outside in; bytes of messages that don't matter are stepped over."""
    if depth > DEEPEST:
        raise _Broken("nested too deeply")
    while at < end:
        tag, at = _varint(data, at, end)
        field, wire = tag >> 3, tag & 7
        if wire == 0:
            value, at = _varint(data, at, end)
            yield kind, field, value
        elif wire == 2:
            size, at = _varint(data, at, end)
            if size > end - at:
                raise _Broken("cut off")
            yield kind, field, data[at : at + size]
            if inside := NESTED[kind].get(field):
                yield from _walk(data, at, at + size, inside, depth + 1)
            at += size
        elif wire in (1, 5):
            at += 8 if wire == 1 else 4
        else:
            raise _Broken("not protobuf")
    if at != end:
        raise _Broken("cut off")


def _varint(data: memoryview, at: int, end: int) -> tuple[int, int]:
    value = shift = 0
    while at < end and shift < 70:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
    raise _Broken("cut off")


def _text(value: int | memoryview) -> str:
    return bytes(value).decode("utf-8", "replace") if isinstance(value, memoryview) else str(value)
