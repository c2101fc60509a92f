"""The pixel language in Halide: one table from operations to Halide expressions, and one rule for the loops.

    reads (x, y, c interleaved), tables, uniforms, width, height, rows, writes      arguments, in this order

`width` and `height` are the domain's; `rows` is the height of a strip: strips run in parallel, and their height
changes no pixel. The loops:

    for each strip                        parallel
      stretch: its source rows            reads whose columns hang on x alone, along x (see region.stretches)
      for each row
        for each vector of pixels
          core = all channels             computed once, in registers
          write channels                  interleaved

    for each strip                        with blurs: parallel
      for each column of 320 pixels
        for each sixteen rows
          pad, soft: rows still missing   E with repeated edges, then its sum along x
          for each vector
            sum along y                   four rows and four taps share what they read
            for each row: core, write

Every access is clamped, so bounds hold whatever the coordinates are; a NaN or an infinity on its way into uint8 is one
of the two ends of the range.

A region has up to three copies of the loops: `wide`, in vectors of pixels; `narrow`, a pixel at a time, for pictures
narrower than a vector; and one of two for what is common: `words` (words.py) where uint8 pictures are read and written
at their place, `broad` (broad.py) where the picture is blurred by a wide Gaussian.
"""

# Halide's module has no type stubs.
# pyright: reportAttributeAccessIssue=false
from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import halide as hl

from ...graph.errors import CompileError
from . import affine, maths
from .affine import Form, even, plain, scaled
from .lang import Expr, topological
from .region import Read, Region, Write, stretches, uses

__all__ = [
    "BESIDE",
    "BLOCK",
    "FLOAT",
    "GROUP",
    "INT",
    "SUMMED",
    "Blur",
    "Lowered",
    "Lowering",
    "Place",
    "as_expr",
    "index",
    "interleave",
    "lower",
    "part",
    "steps",
    "together",
    "varies",
]

TYPES = {"u8": hl.UInt(8), "f16": hl.Float(16), "f32": hl.Float(32)}
INT, FLOAT = hl.Int(32), hl.Float(32)

MATHS: dict[str, Callable[..., hl.Expr]] = {
    "min": hl.min,
    "max": hl.max,
    "abs": hl.abs,
    "floor": hl.floor,
    "sqrt": hl.sqrt,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
    "eq": lambda a, b: a == b,
    "and": lambda a, b: a & b,
    "or": lambda a, b: a | b,
    "not": lambda a: ~a,
    "select": hl.select,
    "exp2": maths.exp2,
    "log2": maths.log2,
    "sin": maths.sin,
    "cos": maths.cos,
    "atan2": maths.atan2,
    "hash": maths.noise,
}


_FOLDED: dict[str, Callable[..., Form]] = {
    "add": affine.add,
    "sub": lambda a, b: affine.add(a, affine.negative(b)),
    "mul": affine.multiply,
    "div": affine.divide,
    "neg": affine.negative,
}


@dataclass
class Lowered:
    """A pipeline with its arguments in order of the calling convention."""

    pipeline: hl.Pipeline
    arguments: list[Any]


def lower(region: Region, level: str, shape: str = "wide") -> Lowered:
    """A region as a scheduled pipeline for one processor level (targets.LEVELS), in one of four shapes (see above)."""
    if shape == "broad":
        from .broad import Broad

        alone, summed, gathered = _VECTORS[level]
        short = vector_length(region, level) == gathered < summed
        return Broad(region, gathered if short else alone, summed // 2).build()
    if shape == "words":
        from .words import Words

        return Words(region, {"x86-64-v4": 16, "x86-64-v3": 8}.get(level, 4)).build()
    return Lowering(region, 1 if shape == "narrow" else vector_length(region, level)).build()


class Place:
    """Where expressions are evaluated: integer coordinates of the domain, and what is known there already."""

    def __init__(self, x: hl.Expr, y: hl.Expr, quarter: int = 0):
        self.x, self.y, self.quarter = x, y, quarter
        self.known: dict[Expr, Form] = {}


class Blur:
    """Several gauss expressions with the same axis, radius and table, summed in one loop over taps."""

    def __init__(self, axis: str, nodes: list[Expr], stored: bool):
        self.axis, self.nodes, self.stored = axis, nodes, stored
        self.pad = hl.Func("pad")
        self.sum = hl.Func("sum")
        self.rows = hl.Func("soft")
        self.grouped = axis == "y" and not stored  # taps and rows by fours, which share what they read

    def at(self, node: Expr, x: hl.Expr, y: hl.Expr) -> hl.Expr:
        return part(self.rows if self.stored else self.sum, x, y, self.nodes.index(node), len(self.nodes))


def part(func: hl.Func, *place: Any) -> hl.Expr:
    """A func's part i of so many, at a place: `place` ends with both."""
    *at, i, of = place
    return func[tuple(at)][i] if of > 1 else func[tuple(at)]


def together(parts: Sequence[hl.Expr]) -> Any:
    return hl.Tuple(list(parts)) if len(parts) > 1 else parts[0]


class _Stretch:
    """One read, stretched along x: its columns where the pixels lie, its rows as they are."""

    def __init__(self, channels: tuple[int, ...]):
        self.channels = channels
        self.func = hl.Func("stretch")

    def at(self, channel: int, x: hl.Expr, row: hl.Expr) -> hl.Expr:
        return part(self.func, x, row, self.channels.index(channel), len(self.channels))


class Lowering:
    def __init__(self, region: Region, vector: int):
        self.region, self.vector = region, vector
        self.x, self.y, self.c = hl.Var("x"), hl.Var("y"), hl.Var("c")
        self.reads = [self._raster(r, f"read{i}") for i, r in enumerate(region.reads)]
        self.tables = [hl.ImageParam(FLOAT, 1, f"table{i}") for i in range(region.tables)]
        self.uniforms = [hl.Param(FLOAT, f"u{i}") for i in range(region.uniforms)]
        self.width, self.height, self.rows = self.numbers = [
            hl.Param(INT, name) for name in ("width", "height", "rows")
        ]
        self.at: tuple[hl.Var, ...] = (self.x, self.y)
        for table in self.tables:
            table.dim(0).set_min(0)
        self.blurs: dict[Expr, Blur] = {}
        self.stretches = {key: _Stretch(channels) for key, channels in stretches(region).items()}
        self.here = Place(as_expr(self.x), as_expr(self.y))
        self.powers: list[tuple[hl.Func, hl.Func, hl.Var]] = []

    def build(self) -> Lowered:
        for blur in self._find_blurs():
            self._define(blur)
            for node in blur.nodes:
                self.blurs[node] = blur
        for key, stretch in self.stretches.items():
            self._define_stretch(key, stretch)
        wanted: dict[tuple[Write, int], int] = {}  # what a write's channels are → their place in core
        values: list[hl.Expr] = []
        for write in self.region.writes:
            stored = self._stored(write)
            wanted.update({(write, c): len(values) + c for c in range(len(stored))})
            values += stored
        core = hl.Func("core")
        core[self.at] = together(values)
        writes = []
        for i, write in enumerate(self.region.writes):
            func = hl.Func(f"write{i}")
            count = sum(1 for w, _ in wanted if w == write)
            picks = [part(core, *self.at, wanted[write, c], len(values)) for c in range(count)]
            func[(*self.at, self.c)] = hl.mux(self.c, picks) if count > 1 else picks[0]
            func.bound(self.c, 0, count)
            self._fit(func.output_buffer(), count)
            writes.append(func)
        self._schedule(core, writes)
        arguments = [*self.reads, *self.tables, *self.uniforms, *self.numbers]
        return Lowered(hl.Pipeline(writes), arguments)

    def _fit(self, buffer: Any, channels: int) -> None:
        interleave(buffer, channels)
        buffer.dim(0).set_bounds(0, self.width)
        buffer.dim(1).set_bounds(0, self.height)

    def _raster(self, read: Read, name: str) -> hl.ImageParam:
        param = hl.ImageParam(TYPES[read.format], 3, name)
        interleave(param, read.channels)
        return param

    def _stored(self, write: Write) -> list[hl.Expr]:
        """What goes into each channel of a write."""
        return [_stored(v, write.format) for v in self._values(write.parts, self.here)]

    # what is computed

    def _values(self, roots: Sequence[Expr], place: Place) -> list[Form]:
        """The roots at a place. A loop, not a recursion: expressions may be thousands deep."""
        stack = list(roots)
        while stack:
            node = stack[-1]
            inputs = () if node.op == "gauss" else node.args
            missing = [a for a in inputs if a not in place.known]
            if missing:
                stack.extend(missing)
                continue
            if node not in place.known:
                place.known[node] = self._value(node, [place.known[a] for a in inputs], place)
            stack.pop()
        return [place.known[root] for root in roots]

    def _value(self, node: Expr, args: list[Form], place: Place) -> Form:
        if node.op in _FOLDED:
            return _FOLDED[node.op](*args)
        if node.op == "pow":
            base = self._above_zero(node.args[0], args[0], place)
            return plain(self._power(base.expr(), args[1].expr(), node))
        values = [a.expr() for a in args]
        if node.op in MATHS:
            same = all(a.uniform for a in args) and not node.boolean
            return (even if same else plain)(MATHS[node.op](*values))
        match node.op, node.attr:
            case "const", value:
                return even(float(value))
            case "uniform", slot:
                return even(as_expr(self.uniforms[slot]))
            case "x", _:
                return self._column(place)
            case "y", _:
                return even(hl.cast(FLOAT, place.y) + hl.f32(0.5))
            case "load", (read, channel):
                return scaled(self._unit(read), self._here(read, channel, place))
            case "near", (read, channel, i, j, border):
                return scaled(self._unit(read), self._near(read, channel, place.x + i, place.y + j, border))
            case "sample", (read, channel, border) if (key := (read, border, *node.args)) in self.stretches:
                return scaled(self._unit(read), self._between(key, channel, values[1], place))
            case "sample", (read, channel, border):
                return scaled(self._unit(read), self._sample(read, channel, values[0], values[1], border))
            case "fetch", table:
                last = self.tables[table].dim(0).extent() - 1
                return plain(self.tables[table][index(values[0], last)])
            case "gauss", _:
                return plain(self.blurs[node].at(node, place.x, place.y))
        raise CompileError(f"the pixel language's {node.op} can't be lowered")

    def _above_zero(self, node: Expr, value: Form, place: Place) -> Form:
        """What max(v, 0) is taken of, for `power`, which sees to negative numbers itself."""
        while node.op == "max" and any(a.op == "const" and a.attr == 0.0 for a in node.args):
            node = next(a for a in node.args if a.op != "const" or a.attr != 0.0)
            value = place.known[node]
        return value

    def _power(self, base: hl.Expr, exponent: hl.Expr, node: Expr) -> hl.Expr:
        return maths.power(base, exponent, self.width >> 31, _least(node.args[1]) >= maths.SURE)

    def _column(self, place: Place) -> Form:
        return scaled(1.0, hl.cast(FLOAT, place.x), 0.5)

    def _here(self, read: int, channel: int, place: Place) -> hl.Expr:
        return self._pixel(read, channel, place.x, place.y)

    def _unit(self, read: int) -> float:
        """What a stored number is worth: uint8 counts 255ths."""
        return 1.0 / 255.0 if self.region.reads[read].format == "u8" else 1.0

    def _size(self, read: int) -> tuple[hl.Expr, hl.Expr]:
        param = self.reads[read]
        return param.dim(0).extent(), param.dim(1).extent()

    def _pixel(self, read: int, channel: int, x: hl.Expr, y: hl.Expr) -> hl.Expr:
        return hl.cast(FLOAT, self.reads[read][x, y, channel])

    def _near(self, read: int, channel: int, x: hl.Expr, y: hl.Expr, border: str) -> hl.Expr:
        w, h = self._size(read)
        if border == "mirror":
            x, y = hl.select(hl.likely((x >= 0) & (x < w)), x, _mirrored(x, w)), _mirrored(y, h)
        value = self._pixel(read, channel, hl.clamp(hl.likely(x), 0, w - 1), hl.clamp(y, 0, h - 1))
        if border == "zero":
            inside = hl.likely((x >= 0) & (x < w)) & (y >= 0) & (y < h)
            value = hl.select(inside, value, hl.f32(0.0))
        return value

    def _sample(self, read: int, channel: int, x: hl.Expr, y: hl.Expr, border: str) -> hl.Expr:
        w, h = self._size(read)
        (x0, x1, fx), (y0, y1, fy) = _taps(x, w, border), _taps(y, h, border)

        def tap(i: hl.Expr, j: hl.Expr) -> hl.Expr:
            value = self._pixel(read, channel, hl.clamp(i, 0, w - 1), hl.clamp(j, 0, h - 1))
            if border != "zero":
                return value
            return hl.select((i >= 0) & (i < w) & (j >= 0) & (j < h), value, hl.f32(0.0))

        top = _mix(tap(x0, y0), tap(x1, y0), fx)
        bottom = _mix(tap(x0, y1), tap(x1, y1), fx)
        return _mix(top, bottom, fy)

    def _define_stretch(self, key: tuple, stretch: _Stretch) -> None:
        read, border, column, _ = key
        x, row = as_expr(self.x), as_expr(self.y)
        w, _ = self._size(read)
        left, right, share = _taps(self._values([column], Place(x, hl.i32(0)))[0].expr(), w, border)

        def tap(i: hl.Expr, channel: int) -> hl.Expr:
            value = self._pixel(read, channel, hl.clamp(i, 0, w - 1), row)
            return value if border != "zero" else hl.select((i >= 0) & (i < w), value, hl.f32(0.0))

        stretch.func[self.x, self.y] = together(
            [_mix(tap(left, c), tap(right, c), share) for c in stretch.channels]
        )

    def _between(self, key: tuple, channel: int, y: hl.Expr, place: Place) -> hl.Expr:
        """A stretched read at a height."""
        read, border = key[:2]
        _, h = self._size(read)
        top, bottom, share = _taps(y, h, border)

        def tap(j: hl.Expr) -> hl.Expr:
            value = self.stretches[key].at(channel, place.x, hl.clamp(j, 0, h - 1))
            return value if border != "zero" else hl.select((j >= 0) & (j < h), value, hl.f32(0.0))

        return _mix(tap(top), tap(bottom), share)

    # blurs

    def _find_blurs(self) -> list[Blur]:
        """Blurs by depth, so that each finds those beneath it defined; equal taps at equal depth share a loop."""
        depth: dict[Expr, int] = {}
        groups: dict[tuple, list[Expr]] = {}
        inner: set[Expr] = set()
        for node in self.region.nodes:
            depth[node] = max((depth[a] for a in node.args), default=0) + (node.op == "gauss")
            if node.op == "gauss":
                groups.setdefault((depth[node], node.attr, node.args[1]), []).append(node)
                inner |= {n for n in topological([node.args[0]]) if n.op == "gauss"}
        blurs = [Blur(key[1][0], nodes, any(n in inner for n in nodes)) for key, nodes in groups.items()]
        order = sorted(zip(groups, blurs, strict=True), key=lambda pair: pair[0][0])
        return [blur for _, blur in order]

    def _define(self, blur: Blur) -> None:
        _, table = blur.nodes[0].attr
        width = blur.nodes[0].args[1]
        count, sources = len(blur.nodes), [n.args[0] for n in blur.nodes]
        if varies(width):
            raise CompileError("a blur's width must be the same at every pixel: a parameter, not a picture")
        weights = self.tables[table]
        reach = self._values([width], Place(hl.i32(0), hl.i32(0)))[0].expr()
        radius = index(reach, weights.dim(0).extent() - 1)
        x, y = as_expr(self.x), as_expr(self.y)
        blur.inline = blur.axis == "y" and all(s.op == "gauss" for s in sources)
        held = hl.clamp(
            y, 0, self.height - 1
        )  # rows beyond the edge repeat it, so that no tap along y is clamped
        if blur.axis == "x":
            place = Place(hl.clamp(hl.likely(x), 0, self.width - 1), y)
        else:
            place = Place(x, y if blur.inline else held)
        blur.pad[self.x, self.y] = together([v.expr() for v in self._values(sources, place)])

        def tap(k: Any, i: int) -> hl.Expr:
            return part(blur.pad, *((x + k, y) if blur.axis == "x" else (x, y + k)), i, count)

        group = GROUP if blur.grouped else 2
        blur.taps = hl.RDom([(0, group), (0, (radius + group - 1) // group)], "taps")
        k = blur.taps.x + group * blur.taps.y + 1
        weight = weights[hl.min(k, radius)]
        if group > 1:
            weight = hl.select(k <= radius, weight, hl.f32(0.0))
        blur.sum[self.x, self.y] = together([weights[0] * tap(0, i) for i in range(count)])
        blur.sum[self.x, self.y] = together(
            [part(blur.sum, x, y, i, count) + weight * (tap(-k, i) + tap(k, i)) for i in range(count)]
        )
        if blur.stored:
            blur.rows[self.x, self.y] = together([part(blur.sum, x, held, i, count) for i in range(count)])

    # in which order

    def _schedule(self, core: hl.Func, writes: list[hl.Func]) -> None:
        xt, xo, xi, yo, yb, yi = (hl.Var(name) for name in ("xt", "xo", "xi", "yo", "yb", "yi"))
        x, y, c, n = self.x, self.y, self.c, self.vector
        lead = writes[0]
        for write in writes:
            write.reorder(c, x, y).unroll(c)
            write.split(y, yo, yi, self.rows, hl.TailStrategy.GuardWithIf)
            write.split(x, xo, xi, n, hl.TailStrategy.ShiftInwards)
            if self.blurs:
                write.split(yi, yb, yi, BLOCK, hl.TailStrategy.GuardWithIf)
                if len(writes) > 1:  # loops that run together can't be cut into columns
                    write.reorder(xi, c, yi, xo, yb, yo)
                else:
                    write.split(xo, xt, xo, max(1, COLUMNS // n), hl.TailStrategy.GuardWithIf)
                    write.reorder(xi, c, yi, xo, yb, xt, yo)
            else:
                write.reorder(xi, c, xo, yi, yo)
            write.vectorize(xi).parallel(yo)
        inner = yi if self.blurs else xo
        for write in writes[1:]:
            write.compute_with(lead, inner)
        core.compute_at(lead, inner).vectorize(x)
        for base, raised, i in self.powers:
            io, ii = hl.Var("io"), hl.Var("ii")
            base.compute_at(lead, inner).store_in(hl.MemoryType.Stack).vectorize(x).unroll(i)
            raised.compute_at(lead, inner).store_in(hl.MemoryType.Stack).split(i, io, ii, BESIDE)
            raised.reorder(x, ii, io).vectorize(x).vectorize(ii).unroll(io)
        for stretch in self.stretches.values():
            stretch.func.compute_at(lead, yo).vectorize(x, min(n, _GATHERED))
        for blur in dict.fromkeys(self.blurs.values()):
            self._schedule_blur(blur, lead, inner, xo, yb, yo if len(writes) > 1 else xt)

    def _schedule_blur(
        self, blur: Blur, lead: hl.Func, inner: hl.Var, column: hl.Var, yb: hl.Var, tile: hl.Var
    ) -> None:
        x, n = self.x, self.vector
        if blur.stored:
            bo, bi = hl.Var("bo"), hl.Var("bi")
            blur.rows.store_at(lead, tile).compute_at(lead, yb).split(x, bo, bi, n).vectorize(bi)
            blur.sum.compute_at(blur.rows, bo)
        elif blur.grouped:
            self._schedule_grouped(blur, lead, column)
        else:
            blur.sum.compute_at(lead, inner)
        if not blur.grouped:
            blur.sum.vectorize(x)
            blur.sum.update(0).vectorize(x).unroll(blur.taps.x)
        if blur.inline:
            return
        if blur.axis == "x":
            blur.pad.compute_at(lead, yb).vectorize(x, n)
        else:
            blur.pad.store_at(lead, tile).compute_at(lead, yb).vectorize(x, n)

    def _schedule_grouped(self, blur: Blur, lead: hl.Func, column: hl.Var) -> None:
        """Four rows and four taps at once: sixteen pairs of pixels out of fourteen rows instead of thirty-two."""
        x, y = self.x, self.y
        short, yo, yi, bo, bi = (
            min(self.vector, SUMMED),
            hl.Var("qo"),
            hl.Var("qi"),
            hl.Var("go"),
            hl.Var("gi"),
        )
        blur.sum.compute_at(lead, column).store_in(hl.MemoryType.Stack).bound_storage(y, BLOCK)
        for stage in (blur.sum, blur.sum.update(0)):
            stage.split(x, bo, bi, short, hl.TailStrategy.RoundUp).split(
                y, yo, yi, GROUP, hl.TailStrategy.RoundUp
            )
            stage.vectorize(bi).unroll(yi)
        blur.sum.reorder(bi, yi, bo, yo)
        blur.sum.update(0).reorder(bi, yi, blur.taps.x, blur.taps.y, bo, yo).unroll(blur.taps.x)


VARYING = ("x", "y", "load", "near", "sample", "gauss", "hash", "fetch")


def varies(expr: Expr) -> bool:
    """Whether it may differ from pixel to pixel."""
    return any(n.op in VARYING for n in topological([expr]))


def _least(expr: Expr) -> float:
    """What a number is never below, as far as its constants and bounds tell."""
    match expr.op:
        case "const":
            return float(expr.attr)
        case "max":
            return max(map(_least, expr.args))
        case "min":
            return min(map(_least, expr.args))
    return -math.inf


COLUMNS = 320  # a blur's strip is worked off in pieces this wide, so that its rows stay in the second cache
_GATHERED = 16  # pixels a vector of gathers
BESIDE = 4  # powers worked out side by side (see words.py)
GROUP = 4
SUMMED = 16  # pixels a vector of sums: three channels of four rows fill the registers
BLOCK = 16  # rows of a blur taken together: what they read along y is read from the nearest cache
_VECTORS = {  # pixels a vector: alone at a place; with sums of a blur in registers; with gathers, which are scalar
    "x86-64-v4": (64, 32, 16),
    "x86-64-v3": (32, 16, 8),
    "x86-64-v2": (16, 8, 8),
    "arm-64": (16, 8, 8),
}


def vector_length(region: Region, level: str) -> int:
    """Pixels a vector: long enough that uint8 fills a register, short where registers would run out."""
    alone, summed, gathered = _VECTORS[level]
    apart = {channel for key, channels in stretches(region).items() for channel in ((*key, c) for c in channels)}
    samples = {(n.attr[0], n.attr[2], *n.args, n.attr[1]) for n in region.nodes if n.op == "sample"}
    if uses(region.nodes, "fetch") or samples - apart:
        return gathered
    if samples:
        return summed
    if uses(region.nodes, "gauss") or any(
        r.format != "u8" and r.channels > 1 for r in (*region.reads, *region.writes)
    ):
        return summed
    return alone


def as_expr(v: Any) -> hl.Expr:
    return hl.Expr(v)


def interleave(buffer: Any, channels: int) -> None:
    buffer.dim(0).set_stride(channels).set_min(0)
    buffer.dim(1).set_min(0)
    buffer.dim(2).set_stride(1).set_bounds(0, channels)


def _mix(a: hl.Expr, b: hl.Expr, t: hl.Expr) -> hl.Expr:
    return a + (b - a) * t


def index(v: hl.Expr, last: hl.Expr) -> hl.Expr:
    """floor(v) held to 0 … last; held before it is made an integer (a large float has none) and after (NaN)."""
    held = hl.max(hl.min(v, hl.cast(FLOAT, last)), hl.f32(0.0))
    return hl.clamp(hl.cast(INT, held), 0, last)


def _taps(v: hl.Expr, extent: hl.Expr, border: str) -> tuple[hl.Expr, hl.Expr, hl.Expr]:
    """The two pixels beside a coordinate, and how far it is from the first to the second."""
    size = hl.cast(FLOAT, extent)
    if border == "mirror":  # fold onto one picture; beyond that the mirror equals the clamp
        v = v - hl.f32(2.0) * size * hl.floor(v / (hl.f32(2.0) * size))
        v = hl.min(v, hl.f32(2.0) * size - v)
    v = hl.max(hl.min(v - hl.f32(0.5), size), hl.f32(-1.0))
    low = hl.floor(v)
    first = hl.cast(INT, low)
    return first, first + 1, v - low


def _mirrored(i: hl.Expr, extent: hl.Expr) -> hl.Expr:
    """Reflect an index at the edges (c b a | a b c | c b a). In floats: vector division of integers is slow."""
    turns = hl.floor((hl.cast(FLOAT, i) + hl.f32(0.5)) / hl.cast(FLOAT, 2 * extent))
    j = i - 2 * extent * hl.cast(INT, turns)
    return hl.min(j, 2 * extent - 1 - j)


def _stored(value: Form, kind: str) -> hl.Expr:
    """As it is written. uint8 is clamped by its bits, as integers: floats' min and max may do anything with NaN."""
    if kind != "u8":
        return hl.cast(TYPES[kind], value.expr())
    return hl.cast(TYPES[kind], steps(value))


def steps(value: Form) -> hl.Expr:
    """The 255ths of a uint8, as a whole number from 0 to 255."""
    number = affine.add(affine.multiply(value, even(255.0)), even(0.5)).expr()
    bits = hl.max(hl.reinterpret(INT, number), 0)
    bits = hl.min(bits, 0x437F0000)  # 255.0
    return hl.cast(INT, hl.reinterpret(FLOAT, bits))
