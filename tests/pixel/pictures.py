"""Pictures for kernel tests, and one call of a kernel on them."""

from __future__ import annotations

import numpy as np
from evaluator import Pictures

from spellwire.runtime.kernels.library import Library
from spellwire.runtime.pixel.lang import Expr, Vec, make
from spellwire.runtime.pixel.region import Region

DTYPES = {"u8": np.uint8, "f16": np.float16, "f32": np.float32}
X, Y = Vec(Expr("x")), Vec(Expr("y"))


def load(read: int, *channels: int) -> Vec:
    return Vec(*(Expr("load", (), (read, c)) for c in channels))


def near(read: int, channel: int, i: int, j: int, border: str) -> Vec:
    return Vec(Expr("near", (), (read, channel, i, j, border)))


def sample(read: int, channel: int, x: Vec, y: Vec, border: str) -> Vec:
    return Vec(make("sample", x.parts[0], y.parts[0], attr=(read, channel, border)))


def fetch(table: int, index: Vec) -> Vec:
    return Vec(make("fetch", index.parts[0], attr=table))


def uniform(slot: int) -> Vec:
    return Vec(Expr("uniform", (), slot))


def gauss(value: Vec, radius: Vec, table: int, axes: str = "xy") -> Vec:
    parts = value.parts
    for axis in axes:
        parts = tuple(make("gauss", p, radius.parts[0], attr=(axis, table)) for p in parts)
    return Vec(*parts)


def pictures(
    region: Region, width: int, height: int, seed: int = 0, spread: float = 1.0, **given
) -> Pictures:
    """Random rasters of the domain's size (smooth, with hard spots), tables and uniforms for a region.

    `given`: `tables`, `uniforms`, and `sizes` (read → (width, height)) for reads of another size.
    """
    rng = np.random.default_rng(seed)
    sizes = given.get("sizes", {})
    reads = []
    for i, spec in enumerate(region.reads):
        w, h = sizes.get(i, (width, height))
        value = rng.random((h, w, spec.channels))
        if spec.format == "u8":
            reads.append(np.floor(value * 256).astype(np.uint8))
        else:
            reads.append(((value * 2 - 1) * spread).astype(DTYPES[spec.format]))
    tables = given.get("tables", [rng.random(17).astype(np.float32) for _ in range(region.tables)])
    uniforms = given.get("uniforms", rng.random(max(1, region.uniforms)))
    return Pictures(reads, tables, np.asarray(uniforms, np.float32), (height, width))


def play(library: Library, region: Region, given: Pictures) -> list[np.ndarray]:
    """The kernel's writes, into arrays full of rubbish."""
    height, width = given.size
    writes = [np.full((height, width, w.channels), 77, DTYPES[w.format]) for w in region.writes]
    library.kernel(region).bind(given.reads, given.tables, given.uniforms, writes)()
    return writes
