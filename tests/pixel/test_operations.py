"""Every operation, format, border and size of the pixel language against the evaluator, at every processor level."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from evaluator import compare, evaluate
from pictures import X, Y, fetch, gauss, load, near, pictures, play, sample, uniform

from spellwire.runtime.kernels.cache import Cache
from spellwire.runtime.kernels.compiler import Compiler
from spellwire.runtime.kernels.targets import cpu_level, usable
from spellwire.runtime.pixel import (
    Vec,
    absolute,
    atan2,
    clamp,
    cos,
    dot,
    equal,
    exp2,
    floor,
    fract,
    hash21,
    log2,
    maximum,
    minimum,
    mix,
    power,
    select,
    sin,
    sqrt,
    where_all,
)  # fmt: skip
from spellwire.runtime.pixel.lang import OPS, vec
from spellwire.runtime.pixel.region import Read, Region, Write

A, B, C = load(0, 0), load(0, 1), load(0, 2)
SIZES = [(1, 1), (3, 2), (15, 9), (16, 3), (63, 5), (64, 1), (65, 7), (129, 33), (200, 97)]


def maths() -> Region:
    """One kernel that uses every operation without neighbours, a channel each."""
    parts = [
        A + B, A - B, A * B, A / (absolute(B) + 0.5), minimum(A, B), maximum(A, C), -A, absolute(A),
        floor(A * 3), sqrt(A), exp2(A), log2(absolute(A) + 0.3), power(absolute(A) + 0.3, B), power(absolute(A) * 0.1, 2.2), sin(A * 4), cos(A * 4),
        atan2(A, B), fract(A * 2.5), hash21(X, Y), hash21(X * 3, Y - 7, uniform(0)), select(A < B, C, A), select(A <= B, C, B),
        select(equal(floor(A), floor(B)), A, C), select((A < B) & (B < C), A, B),
        select((A < B) | (B < C), A, B), select(~(A < B), A, B), select(where_all(A < B, C < B), 1.0, 0.0),
        clamp(A), X * 0.25, Y * 0.5, uniform(0) * A + uniform(1), fetch(0, A * 10 + 3),
    ]  # fmt: skip
    writes = tuple(Write("f32", vec(*parts[i : i + 8]).parts) for i in range(0, len(parts), 8))
    return Region((Read("f32", 3),), 1, 2, writes)


def borders() -> Region:
    """Neighbours and samples with every border; samples reach far outside and come from a smaller picture."""
    x, y = X * 0.37 - 9.3 + A * 4, Y * 1.9 - 5.1
    parts = []
    for border in ("clamp", "zero", "mirror"):
        parts += [near(0, 1, i, j, border) for i, j in ((-1, 0), (2, 3), (-7, -20))]
        parts += [sample(1, 0, x, y, border), sample(1, 1, X, Y, border)]
    return Region(
        (Read("f32", 3), Read("u8", 2)), 0, 0,
        (Write("f32", vec(*parts[:8]).parts), Write("f32", vec(*parts[8:]).parts)),
    )  # fmt: skip


def softened() -> Region:
    """Blurs: a picture, an expression, one channel along one axis, and a blur of a blur."""
    rgb = load(0, 0, 1, 2)
    bright = maximum(rgb - 0.3, 0.0)
    once = gauss(bright, uniform(0), 0)
    again = gauss(once.x * B, uniform(1), 1)
    return Region(
        (Read("f32", 3),), 2, 2,
        (Write("f32", (rgb + once).parts), Write("f32", vec(gauss(A, uniform(0), 0, "x"), gauss(C, uniform(1), 1, "y"), again).parts)),
    )  # fmt: skip


def test_the_maths_region_uses_every_operation():
    used = {n.op for region in (maths(), borders(), softened()) for n in region.nodes}
    assert used == set(OPS)


@pytest.fixture(scope="module", params=usable(cpu_level()))
def library(request, tmp_path_factory):
    """The same regions compiled for every level this machine can run."""
    target = f"linux-{request.param}"
    compiler = Compiler(Cache(tmp_path_factory.mktemp(request.param)), target)
    return compiler.compile([maths(), borders(), softened()])


@pytest.mark.parametrize("size", SIZES)
def test_maths(library, size):
    region = maths()
    given = pictures(region, *size, spread=3.0, uniforms=[0.75, -2.0])
    compare(region, given, play(library, region, given), most=0.01 if size[0] * size[1] > 1000 else 0.1)


def test_transcendental_functions_are_closer_than_their_promise(library):
    region = maths()
    given = pictures(region, 320, 200, spread=3.0, uniforms=[0.75, -2.0])
    got, want = play(library, region, given), evaluate(region, given)
    promised = {(1, 4): 3e-4}  # pow with exponents up to 3
    for write, channel in ((1, 1), (1, 2), (1, 3), (1, 4), (1, 5), (1, 6), (1, 7), (2, 0)):
        w, g = want[write][..., channel], got[write][..., channel]
        ok, limit = np.isfinite(w), promised.get((write, channel), 1e-4)
        assert (np.abs(g - w)[ok] <= limit * np.maximum(1, np.abs(w[ok]))).all(), (write, channel)


@pytest.mark.parametrize("size", SIZES)
def test_borders(library, size):
    region = borders()
    given = pictures(region, *size, sizes={1: (23, 11)})
    compare(region, given, play(library, region, given))
    given = pictures(region, *size, sizes={1: (1, 1)})
    compare(region, given, play(library, region, given))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("radius", [0, 1, 5.9, 40])
def test_blurs(library, size, radius):
    region = softened()
    tables = [np.linspace(0.1, 0, 9, dtype=np.float32), np.linspace(0.2, 0.1, 4, dtype=np.float32)]
    given = pictures(region, *size, uniforms=[radius, radius / 2], tables=tables)
    compare(region, given, play(library, region, given))


def test_blurs_in_columns(compiler):
    """A single write is worked off in columns and blocks of rows: no seam at any width, height or radius."""
    rgb = load(0, 0, 1, 2)
    region = Region((Read("u8", 3),), 1, 1, (Write("u8", (rgb * 0.4 + gauss(rgb, uniform(0), 0) * 0.6).parts),))
    library = compiler.compile([region])
    table = np.exp(-0.5 * (np.arange(31) / 9) ** 2)
    table = (table / (table[0] + 2 * table[1:].sum())).astype(np.float32)
    for size, radius in itertools.product([(64, 1), (319, 7), (321, 9), (645, 33), (1000, 70)], [0, 1, 4, 5, 30]):
        given = pictures(region, *size, uniforms=[radius], tables=[table])
        compare(region, given, play(library, region, given))


def test_every_format_reads_and_writes(compiler):
    reads = tuple(Read(f, n) for f in ("u8", "f16", "f32") for n in (1, 3, 4))
    parts = [sum((load(i, *range(3 if r.channels == 3 else 1)) * 0.1 for i, r in enumerate(reads)), vec(0.3))]
    parts += [load(i, 3 % r.channels) * 0.5 for i, r in enumerate(reads)]
    regions = [
        Region(reads, 0, 0, tuple(Write(f, vec(*parts[:n]).parts) for f in ("u8", "f16", "f32")))
        for n in (1, 2, 4, 6)
    ]
    library = compiler.compile(regions)
    for region, size in itertools.product(regions, [(7, 5), (130, 9)]):
        given = pictures(region, *size)
        compare(region, given, play(library, region, given))


def test_powers_of_nothing_and_of_every_exponent(compiler):
    """Below and at 0 a power is 0, whatever is known of its exponent; in words, several exponents side by side."""
    a, exponents = load(0, 0), [uniform(0), maximum(uniform(0), 0.125), Vec(0.125), Vec(2.4), clamp(uniform(1), 0.2, 8.0)]
    region = Region((Read("u8", 1),), 0, 2, (Write("f32", vec(*(power(a * 1.5 - 0.5, e) for e in exponents)).parts),))
    plain = Region((Read("u8", 1),), 0, 2, tuple(Write("u8", power(a * 1.5 - 0.5, e).parts) for e in exponents))
    library = compiler.compile([region, plain])
    for first, second in ((0.05, 3.0), (-0.7, 0.01), (1.0, 9.0), (0.0, 0.2)):
        given = pictures(region, 160, 6, uniforms=[first, second])
        compare(plain, given, play(library, plain, given), most=0.3)  # steep at 0
        (got,), (want,) = play(library, region, given), evaluate(region, given)
        below = given.reads[0][..., 0] < 85
        assert below.any()
        assert (np.abs(got - want)[below] <= 2e-5).all()


def test_saturation_costs_no_more_than_its_terms_and_is_right(compiler):
    """Sums that share a part: a mix of a channel and the grey of all, over another picture, by a mask."""
    rgb, other, mask = load(0, 0, 1, 2), load(1, 0, 1, 2), load(2, 0)
    grey = dot(rgb, vec(0.2126, 0.7152, 0.0722))
    for amount in (uniform(0), Vec(0.0), Vec(1.0), Vec(-0.7)):
        rich = (mix(grey, rgb, amount) * vec(1.1, uniform(1), 0.9) - 0.1) * 1.2 - grey * 0.5 + grey * 0.5
        region = Region(
            (Read("u8", 3), Read("u8", 3), Read("u8", 1)), 0, 2, (Write("u8", mix(other, rich, mask).parts), Write("f32", rich.parts))
        )
        library = compiler.compile([region])
        for size in ((50, 4), (160, 6)):
            given = pictures(region, *size, uniforms=[1.7, 0.8])
            compare(region, given, play(library, region, given))


def test_uint8_holds_what_is_no_number(compiler):
    region = Region(
        (Read("f32", 1),),
        0,
        0,
        (Write("u8", (load(0, 0)).parts), Write("u8", (load(0, 0) * 2.0 - 1.0).parts)),
    )
    library = compiler.compile([region])
    special = [np.nan, -np.nan, np.inf, -np.inf, 1e30, -1e30, -0.0, 1.0, 0.5, 2.0, 0.4981, 1e-40]
    for width in (12, 144):
        row = np.resize(np.array(special, np.float32), (2, width, 1))
        given = pictures(region, width, 2)
        given.reads = [row]
        plain, worked = play(library, region, given)
        expected = [255, 0, 255, 0, 255, 0, 0, 255, 128, 255, 127, 0]
        assert (plain[..., 0] == np.resize(np.array(expected, np.uint8), (2, width))).all()
        assert (worked[..., 0][:, :6] == np.array([255, 0, 255, 0, 255, 0], np.uint8)).all()


def test_vectors_of_one_broadcast():
    assert len(Vec(A, B) * 2.0) == 2
