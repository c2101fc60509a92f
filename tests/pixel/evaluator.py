"""The pixel language in NumPy: the oracle that every kernel is compared with. Slow, and written to be read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from spellwire.runtime.pixel.lang import Expr, topological
from spellwire.runtime.pixel.region import Region

__all__ = ["Pictures", "compare", "evaluate", "quantise"]

STEP = 1.0 / 255.0
NUDGE = 2.0**-12  # how far inputs are moved to find ill-conditioned pixels


@dataclass
class Pictures:
    """What a region is evaluated on: rasters as stored, tables, uniforms, and the domain's (height, width)."""

    reads: list[np.ndarray]
    tables: list[np.ndarray]
    uniforms: np.ndarray
    size: tuple[int, int]


_MATHS: dict[str, Callable[..., np.ndarray]] = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide, "min": np.minimum, "max": np.maximum,
    "neg": np.negative, "abs": np.abs, "floor": np.floor, "sqrt": np.sqrt, "sin": np.sin, "cos": np.cos,
    "log2": np.log2, "lt": np.less, "le": np.less_equal, "eq": np.equal, "and": np.logical_and, "or": np.logical_or,
    "not": np.logical_not, "select": np.where, "exp2": lambda v: np.exp2(np.clip(v, -126, 127)),
    "atan2": lambda y, x: np.where((x == 0) & (y == 0), 0.0, np.arctan2(y, x)),
    "pow": lambda b, e: np.where(b > 0, np.exp2(np.clip(np.log2(np.maximum(b, 1e-37)) * e, -126, 127)), 0.0),
}  # fmt: skip


def evaluate(region: Region, pictures: Pictures, dtype: type = np.float64, nudge=0.0) -> list[np.ndarray]:
    """Each write as (height, width, channels) numbers before they are stored; `nudge` is added to every read."""
    return _Evaluation(region, pictures, dtype, nudge).writes()


def quantise(value: np.ndarray, format: str) -> np.ndarray:
    """A write as it is stored."""
    if format == "u8":
        held = np.clip(np.where(np.isnan(value), ~np.signbit(value), value), 0.0, 1.0)
        return np.floor(held * 255.0 + 0.5).astype(np.uint8)
    with np.errstate(over="ignore"):
        return value.astype({"f16": np.float16, "f32": np.float32}[format])


def compare(region: Region, pictures: Pictures, results: Sequence[np.ndarray], most: float = 0.01) -> None:
    """Assert that results equal the oracle to 1/255 wherever that is well conditioned; at most `most` may not be."""
    with np.errstate(all="ignore"):
        wanted = evaluate(region, pictures)
        moved = [evaluate(region, pictures, np.float64, n) for n in (NUDGE, -NUDGE)]
        moved.append(evaluate(region, pictures, np.float32))  # where single precision itself is too coarse
        for i, (spec, got, want) in enumerate(zip(region.writes, results, wanted, strict=True)):
            ill = np.zeros(want.shape, bool)
            for other in moved:
                ill |= ~(np.abs(other[i] - want) <= STEP) & (other[i] != want)
            ill |= ~np.isfinite(want)
            limit = STEP * np.maximum(1.0, np.abs(want)) * 1.001
            if spec.format == "u8":
                difference = np.abs(got.astype(int) - quantise(want, "u8").astype(int)) / 255.0
                limit = STEP * 1.001
            else:
                difference = np.abs(got.astype(np.float64) - quantise(want, spec.format).astype(np.float64))
            wrong = ~(difference <= limit) & ~ill
            assert not wrong.any(), _report(region, i, got, want, wrong)
            assert ill.mean() <= most, f"{ill.mean():.1%} of write {i} is ill-conditioned"


def _report(region: Region, write: int, got: np.ndarray, want: np.ndarray, wrong: np.ndarray) -> str:
    y, x, c = (int(v[0]) for v in np.nonzero(wrong))
    return (
        f"write {write} differs at {wrong.sum()} places, first at x {x}, y {y}, channel {c}: "
        f"{got[y, x, c]} instead of {want[y, x, c]} for {region.writes[write].parts[c]!r}"
    )


class _Evaluation:
    def __init__(self, region: Region, pictures: Pictures, dtype: type, nudge: float):
        self.region, self.pictures, self.dtype = region, pictures, dtype
        self.height, self.width = pictures.size
        self.reads = [
            self._read(r, f.format) + dtype(nudge) for r, f in zip(pictures.reads, region.reads, strict=True)
        ]
        self.known: dict[Expr, np.ndarray] = {}

    def _read(self, data: np.ndarray, format: str) -> np.ndarray:
        return data.astype(self.dtype) / self.dtype(255) if format == "u8" else data.astype(self.dtype)

    def writes(self) -> list[np.ndarray]:
        for node in topological(p for w in self.region.writes for p in w.parts):
            value = self._value(node, [self.known[a] for a in node.args])
            self.known[node] = np.broadcast_to(value, (self.height, self.width))
        return [np.stack([self.known[p] for p in w.parts], axis=-1) for w in self.region.writes]

    def _value(self, node: Expr, args: list[np.ndarray]) -> np.ndarray:
        if node.op in _MATHS:
            return np.asarray(_MATHS[node.op](*args), bool if node.boolean else self.dtype)
        rows, columns = np.mgrid[: self.height, : self.width]
        match node.op, node.attr:
            case "const", value:
                return np.asarray(self.dtype(value))
            case "uniform", slot:
                return np.asarray(self.dtype(self.pictures.uniforms[slot]))
            case "x", _:
                return columns.astype(self.dtype) + self.dtype(0.5)
            case "y", _:
                return rows.astype(self.dtype) + self.dtype(0.5)
            case "load", (read, channel):
                return self.reads[read][:, :, channel]
            case "near", (read, channel, i, j, border):
                return self._tap(read, channel, columns + i, rows + j, border)
            case "sample", (read, channel, border):
                return self._sample(read, channel, args[0], args[1], border)
            case "fetch", table:
                data = self.pictures.tables[table].astype(self.dtype)
                return data[np.clip(np.floor(args[0]), 0, len(data) - 1).astype(int)]
            case "gauss", (axis, table):
                return self._gauss(args[0], float(args[1].flat[0]), axis, self.pictures.tables[table])
            case "hash", _:
                return _hash(*args).astype(self.dtype)
        raise AssertionError(node.op)

    def _tap(self, read: int, channel: int, x: np.ndarray, y: np.ndarray, border: str) -> np.ndarray:
        picture = self.reads[read][:, :, channel]
        height, width = picture.shape
        if border == "mirror":
            x, y = _mirror(x, width), _mirror(y, height)
        value = picture[np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)]
        inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
        return np.where(inside, value, self.dtype(0)) if border == "zero" else value

    def _sample(self, read: int, channel: int, x: np.ndarray, y: np.ndarray, border: str) -> np.ndarray:
        x, y = x - self.dtype(0.5), y - self.dtype(0.5)
        left, top = np.floor(x), np.floor(y)
        fx, fy = x - left, y - top
        i, j = (np.clip(v, -1e9, 1e9).astype(np.int64) for v in (left, top))
        above = (
            self._tap(read, channel, i, j, border) * (1 - fx)
            + self._tap(read, channel, i + 1, j, border) * fx
        )
        below = (
            self._tap(read, channel, i, j + 1, border) * (1 - fx)
            + self._tap(read, channel, i + 1, j + 1, border) * fx
        )
        return above * (1 - fy) + below * fy

    def _gauss(self, value: np.ndarray, radius: float, axis: str, table: np.ndarray) -> np.ndarray:
        reach = int(np.clip(np.floor(radius), 0, len(table) - 1))
        along = 1 if axis == "x" else 0
        total = np.zeros(value.shape, self.dtype)
        for k in range(-reach, reach + 1):
            place = np.clip(np.arange(value.shape[along]) + k, 0, value.shape[along] - 1)
            total += table[abs(k)].astype(self.dtype) * np.take(value, place, axis=along)
        return total


def _mirror(index: np.ndarray, extent: int) -> np.ndarray:
    """c b a | a b c | c b a"""
    folded = np.mod(index, 2 * extent)
    return np.minimum(folded, 2 * extent - 1 - folded)


def _hash(x: np.ndarray, y: np.ndarray, seed: np.ndarray) -> np.ndarray:
    def whole(v: np.ndarray) -> np.ndarray:
        return np.clip(np.floor(v), -(2.0**30), 2.0**30).astype(np.int64).astype(np.uint32)

    def mixed(h: np.ndarray) -> np.ndarray:
        h = (h ^ (h >> np.uint32(16))) * np.uint32(0x7FEB352D)
        h = (h ^ (h >> np.uint32(15))) * np.uint32(0x846CA68B)
        return h ^ (h >> np.uint32(16))

    row = mixed(whole(seed) * np.uint32(0xCB1AB31F))
    return (
        mixed(whole(x) * np.uint32(0x8DA6B343) + whole(y) * np.uint32(0xD8163841) + row) >> np.uint32(8)
    ) / 2.0**24
