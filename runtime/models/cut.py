"""Part of a `.tflite` network as a network of its own, by changing a few numbers in the file.

MediaPipe's attention mesh has operations between its parts that LiteRT lacks. Cut there, both parts run in LiteRT and the
operations are ours. A `.tflite` is a FlatBuffer: what a cut needs, the subgraph's inputs, outputs and list of operators, is
rewritten in place; tensors and weights stay. So the same file and cut always give the same bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

__all__ = ["CutError", "cut", "is_cut"]

MAGIC = b"TFL3"


class CutError(ValueError):
    """Not a `.tflite` file, or a cut that doesn't fit it."""


def is_cut(data: bytes, name: str) -> bool:
    """Does `name` ("0>35,186": input and output tensors by number) ask for a cut of this file?"""
    return data[4:8] == MAGIC and ">" in name


def cut(data: bytes, name: str) -> bytes:
    """The network from some tensors of the first subgraph to others; `name` as in `is_cut`."""
    try:
        inputs, outputs = ([int(n) for n in side.split(",")] for side in name.split(">"))
        return _cut(bytearray(data), inputs, outputs)
    except (struct.error, IndexError, ValueError) as error:
        raise CutError(f"the cut {name!r} doesn't fit this .tflite file ({error})") from error


def _cut(data: bytearray, inputs: list[int], outputs: list[int]) -> bytes:
    model = _Table(data, _u32(data, 0))
    subgraph = _Table(data, model.vector(2)[0])
    operators = subgraph.vector(3)
    keep = _needed(data, operators, set(inputs), outputs)
    where = subgraph.at(3) + _u32(data, subgraph.at(3))
    struct.pack_into("<I", data, where, len(keep))
    for i, operator in enumerate(keep):  # offsets count from where they stand, and only forwards
        place = where + 4 + 4 * i
        struct.pack_into("<I", data, place, operator - place)
    for field, tensors in ((1, inputs), (2, outputs)):
        data.extend(bytes(-len(data) % 4))
        struct.pack_into("<I", data, subgraph.at(field), len(data) - subgraph.at(field))
        data.extend(struct.pack(f"<I{len(tensors)}i", len(tensors), *tensors))
    if model.at(7, True):  # signatures name tensors that may be gone
        struct.pack_into("<I", data, model.at(7) + _u32(data, model.at(7)), 0)
    return bytes(data)


def _needed(data: bytearray, operators: Sequence[int], given: set[int], outputs: list[int]) -> list[int]:
    """The operators between, in their order."""
    made = {tensor: op for op in operators for tensor in _Table(data, op).numbers(2)}
    keep: set[int] = set()
    wanted = [t for t in outputs if t not in given]
    while wanted:
        operator = made.get(wanted.pop())
        if operator is not None and operator not in keep:
            keep.add(operator)
            wanted += [t for t in _Table(data, operator).numbers(1) if t not in given]
    if not keep:
        raise CutError("no operator makes those outputs")
    return [op for op in operators if op in keep]


def _u32(data: bytearray, place: int) -> int:
    return struct.unpack_from("<I", data, place)[0]


class _Table:
    """A FlatBuffer table at a place in the file."""

    def __init__(self, data: bytearray, place: int) -> None:
        self._data, self._place = data, place
        self._layout = place - struct.unpack_from("<i", data, place)[0]

    def at(self, field: int, optional: bool = False) -> int:
        """Where a field's value stands; 0 if it is absent and may be."""
        slot = 4 + 2 * field
        size = struct.unpack_from("<H", self._data, self._layout)[0]
        offset = struct.unpack_from("<H", self._data, self._layout + slot)[0] if slot < size else 0
        if not offset and not optional:
            raise CutError(f"field {field} is missing")
        return self._place + offset if offset else 0

    def numbers(self, field: int) -> list[int]:
        """A vector of int32; empty if it is absent."""
        if not (place := self.at(field, True)):
            return []
        place += _u32(self._data, place)
        return list(struct.unpack_from(f"<{_u32(self._data, place)}i", self._data, place + 4))

    def vector(self, field: int) -> list[int]:
        """The places of a vector's tables."""
        place = self.at(field) + _u32(self._data, self.at(field)) + 4
        count = _u32(self._data, place - 4)
        return [place + 4 * i + _u32(self._data, place + 4 * i) for i in range(count)]
