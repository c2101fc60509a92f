"""A region: bound pixel expressions that become one kernel. What the plan stores, hashes and ships.

Bound attributes of the leaves (see lang.py for the operations):
    uniform  slot                       a float32 the host sets before the call
    load     (read, channel)            the read has the domain's own geometry
    near     (read, channel, i, j, border)
    sample   (read, channel, border)    X, Y in pixels of that read, centres at +0.5
    fetch    table                      index floored, clamped to the table
    gauss    (axis, table)              E, R: Σ table[|k|]·E at −R…R along the axis, E's place clamped to the domain;
                                        a table that says so at its end (TAIL) may be taken to within 1/255

uint8 reads give v/255; uint8 writes are floor(clamp(v, 0, 1)·255 + 0.5). A read's missing channel is an error.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import msgpack

from ...graph.errors import CompileError
from .lang import OPS, Expr, topological

__all__ = ["APART", "HATS", "TAIL", "Read", "Region", "Write", "broad", "by_words", "stretches", "uses"]

Format = Literal["u8", "f16", "f32"]
LANGUAGE = 1  # rises when the meaning of an operation changes
APART = 3  # rows a broad blur sums, to one that comes of it
HATS = 26  # how far that sum of rows reaches, at most
TAIL = HATS + 3  # numbers at the end of a Gaussian's table: step, reach, and the weights of those rows (see broad.py)
LIMITS = {"nodes": 20_000, "reads": 32, "tables": 32, "uniforms": 2_000, "writes": 8}


@dataclass(frozen=True)
class Read:
    """An input raster: (height, width, channels), interleaved."""

    format: Format
    channels: int


@dataclass(frozen=True)
class Write:
    """An output raster over the domain, one expression a channel."""

    format: Format
    parts: tuple[Expr, ...]

    @property
    def channels(self) -> int:
        return len(self.parts)


@dataclass(frozen=True)
class Region:
    """One kernel's worth of pixel work. All writes have the domain's size."""

    reads: tuple[Read, ...]
    tables: int
    uniforms: int
    writes: tuple[Write, ...]

    @cached_property
    def nodes(self) -> list[Expr]:
        return topological(part for write in self.writes for part in write.parts)

    @cached_property
    def key(self) -> str:
        """SHA-256 of the encoded region: equal regions, equal keys, on every machine."""
        return hashlib.sha256(self.encode()).hexdigest()

    def encode(self) -> bytes:
        """As msgpack: language version, reads, counts, nodes by position, writes."""
        place = {node: i for i, node in enumerate(self.nodes)}
        nodes = [[n.op, [place[a] for a in n.args], n.attr] for n in self.nodes]
        writes = [[w.format, [place[p] for p in w.parts]] for w in self.writes]
        reads = [[r.format, r.channels] for r in self.reads]
        return msgpack.packb([LANGUAGE, reads, self.tables, self.uniforms, nodes, writes]) or b""

    @classmethod
    def decode(cls, data: bytes) -> Region:
        """The region of `encode`, checked: a file's region is hostile until it passed."""
        try:
            language, reads, tables, uniforms, nodes, writes = msgpack.unpackb(
                data, max_array_len=LIMITS["nodes"], use_list=False
            )
            if language != LANGUAGE:
                raise CompileError(f"a kernel of pixel language {language}; this Spellwire reads {LANGUAGE}")
            built: list[Expr] = []
            for op, args, attr in nodes:
                if op not in OPS or any(not 0 <= a < len(built) for a in args):
                    raise CompileError("a kernel's expression is damaged")
                built.append(Expr(op, tuple(built[a] for a in args), attr))
            region = cls(
                tuple(Read(*r) for r in reads), tables, uniforms,
                tuple(Write(f, tuple(built[p] for p in parts)) for f, parts in writes),
            )  # fmt: skip
        except CompileError:
            raise
        except Exception as error:
            raise CompileError(f"a kernel's expression can't be read: {error}") from None
        region.check()
        return region

    def check(self) -> None:
        """Raise CompileError unless every operation, index and format is legal."""
        counts = {
            "nodes": len(self.nodes), "reads": len(self.reads), "tables": self.tables,
            "uniforms": self.uniforms, "writes": len(self.writes),
        }  # fmt: skip
        for what, count in counts.items():
            if not isinstance(count, int) or count > LIMITS[what]:
                raise CompileError(f"a kernel with {count} {what}; the limit is {LIMITS[what]}")
        if not self.writes or any(not 1 <= w.channels <= 8 for w in self.writes):
            raise CompileError("a kernel must write 1 to 8 channels")
        formats = [r.format for r in self.reads] + [w.format for w in self.writes]
        if any(f not in ("u8", "f16", "f32") for f in formats):
            raise CompileError(f"a kernel's formats are u8, f16 or f32, not {formats}")
        for node in self.nodes:
            self._check_node(node)

    def _check_node(self, node: Expr) -> None:
        arity, _, takes_bool = OPS[node.op]
        legal = len(node.args) == arity and all(
            a.boolean == (takes_bool or (node.op == "select" and i == 0)) for i, a in enumerate(node.args)
        )
        if not legal or not self._legal_attr(node.op, node.attr):
            raise CompileError(f"a kernel's expression is damaged at {node.op} {node.attr!r}")

    def _legal_attr(self, op: str, attr: Any) -> bool:
        match op, attr:
            case "const", float():
                return True
            case "uniform", int():
                return 0 <= attr < self.uniforms
            case "load", (int() as read, int() as channel):
                return self._has(read, channel)
            case "near", (int() as read, int() as channel, int() as i, int() as j, str() as border):
                return self._has(read, channel) and max(abs(i), abs(j)) <= 64 and border in BORDERS
            case "sample", (int() as read, int() as channel, str() as border):
                return self._has(read, channel) and border in BORDERS
            case "fetch", int():
                return 0 <= attr < self.tables
            case "gauss", (("x" | "y"), int() as table):
                return 0 <= table < self.tables
        return op not in ("const", "uniform", "load", "near", "sample", "fetch", "gauss") and attr is None

    def _has(self, read: int, channel: int) -> bool:
        return 0 <= read < len(self.reads) and 0 <= channel < self.reads[read].channels


BORDERS = ("clamp", "zero", "mirror")


def by_words(region: Region) -> bool:
    """Whether four pixels at a time can be read and written as 32-bit words: uint8 at this place, and float masks."""
    rasters = [*region.reads, *region.writes]
    return all(r.format == "u8" or (r.format == "f32" and r.channels == 1) for r in rasters) and not any(
        n.op in ("near", "sample", "fetch", "gauss") for n in region.nodes
    )


STRETCH = ("uniform", "const", "add", "sub", "mul", "div", "neg", "min", "max")


def stretches(region: Region) -> dict[tuple, tuple[int, ...]]:
    """Samples whose column depends on x alone and whose row on y alone: (read, border, X, Y) → the channels read.

    Such a picture is stretched along x once a source row, and only mixed along y. None in a region that blurs.
    """
    found: dict[tuple, list[int]] = {}
    if not uses(region.nodes, "gauss"):
        for node in region.nodes:
            if node.op == "sample" and _only(node.args[0], "x") and _only(node.args[1], "y"):
                read, channel, border = node.attr
                found.setdefault((read, border, *node.args), []).append(channel)
    return {key: tuple(sorted(channels)) for key, channels in found.items()}


def _only(expr: Expr, axis: str) -> bool:
    return all(n.op == axis or n.op in STRETCH for n in topological([expr]))


def broad(region: Region) -> bool:
    """Whether its blurs may be worked out on few rows: all by one table and radius, along x and then y, none of a blur."""
    gauss = [n for n in region.nodes if n.op == "gauss"]
    outer = [n for n in gauss if n.attr[0] == "y"]
    inner = {n.args[0] for n in outer}
    if not gauss or any(n not in inner for n in gauss if n.attr[0] == "x"):
        return False
    beside = {a for n in region.nodes if n not in outer for a in n.args} | {p for w in region.writes for p in w.parts}
    return (
        len({(n.attr[1], n.args[1]) for n in gauss}) == 1
        and all(n.op == "gauss" and n.attr[0] == "x" and n not in beside for n in inner)
        and not uses(topological(n.args[0] for n in inner), "gauss")
    )


def uses(nodes: Iterable[Expr], op: str) -> bool:
    """Whether any of the expressions is that operation."""
    return any(n.op == op for n in nodes)
