"""Wide Gaussians, worked out on few rows, against the sum over all their taps."""

from __future__ import annotations

import math

import numpy as np
import pytest
from evaluator import compare, evaluate
from pictures import X, Y, gauss, load, pictures, play, uniform

from spellwire.runtime.engine.tables import GAUSS, gaussian_weights
from spellwire.runtime.kernels.cache import Cache
from spellwire.runtime.kernels.compiler import Compiler
from spellwire.runtime.kernels.library import shapes
from spellwire.runtime.kernels.targets import cpu_level, usable
from spellwire.runtime.pixel import maximum, sin
from spellwire.runtime.pixel.lang import Vec
from spellwire.runtime.pixel.region import APART, TAIL, Read, Region, Write, broad

RGB = load(0, 0, 1, 2)
RADIUS = uniform(0)


def one() -> Region:
    return Region((Read("u8", 3),), 1, 1, (Write("u8", (RGB * 0.4 + gauss(RGB, RADIUS, 0) * 0.6).parts),))


def two() -> Region:
    """Two writes and one channel: the place, a read beside the blur, and a blur of an expression of both."""
    soft = gauss(maximum(load(0, 0) * (sin(X * 0.3) + Y * 0.01), 0.25), RADIUS, 0)
    return Region((Read("f32", 3),), 1, 1, (Write("f32", soft.parts), Write("u8", (soft * 0.5 + load(0, 1)).parts)))


def table(sigma: float) -> tuple[np.ndarray, int]:
    numbers = np.zeros(GAUSS, np.float32)
    return numbers, gaussian_weights(sigma, numbers)


@pytest.fixture(scope="module", params=usable(cpu_level()))
def library(request, tmp_path_factory):
    compiler = Compiler(Cache(tmp_path_factory.mktemp(request.param)), f"linux-{request.param}")
    return compiler.compile([one(), two()])


@pytest.mark.parametrize(
    ("size", "sigma"),
    [((64, 1), 3), ((64, 40), 0), ((95, 7), 4), ((100, 100), 3.9), ((129, 90), 3.95), ((321, 121), 8.3), ((200, 333), 9),
     ((1300, 70), 14.7), ((2600, 20), 33), ((97, 61), 100), ((66, 50), 250)],
)  # fmt: skip
@pytest.mark.parametrize("region", [one(), two()], ids=["one", "two"])
def test_all_taps_give_the_same_to_a_255th(library, region, size, sigma):
    numbers, radius = table(sigma)
    given = pictures(region, *size, uniforms=[radius], tables=[numbers])
    compare(region, given, play(library, region, given))


def test_stripes_squares_and_edges(library):
    """What a coarse blur would get wrong: fine patterns in step with its rows, single lines, hard edges."""
    region = one()
    y, x = np.mgrid[:180, :160]
    patterns = [y % 4 < 2, x % 8 < 4, (x // 3 + y // 3) % 2 > 0, y == 90, x == 80, y > 77, (x > 60) & (y > 100), y % 12 < 6, y % 6 < 3, (y % 6 < 3) ^ (y > 90)]
    for sigma in (3.95, 8.3, 8.4, 13.0, 18.0, 40.0):
        numbers, radius = table(sigma)
        for pattern in patterns:
            given = pictures(region, 160, 180, uniforms=[radius], tables=[numbers])
            given.reads[0][:] = 255 * pattern[..., None]
            compare(region, given, play(library, region, given))


def test_few_rows_are_blurred_where_sigma_is_wide_and_the_table_says_so(library):
    region = Region((Read("f32", 3),), 1, 1, two().writes)
    numbers, radius = table(12.0)
    given = pictures(region, 150, 90, uniforms=[radius], tables=[numbers])
    fast = play(library, region, given)[0]
    numbers[-TAIL] = 1.0
    exact = play(library, region, given)[0]
    assert 0 < np.abs(fast - exact).max() <= 1 / 255
    assert np.abs(exact - evaluate(region, given)[0]).max() < 1e-5


def test_threads_and_strips_change_no_bit(library):
    numbers, radius = table(4.0)
    for region in (one(), two()):
        given = pictures(region, 130, 331, uniforms=[radius], tables=[numbers])
        results = set()
        for threads in (1, 2, 3, 8):
            library.set_threads(threads)
            results.add(b"".join(w.tobytes() for w in play(library, region, given)))
        library.set_threads(1)
        assert len(results) == 1


def test_a_frame_may_get_another_sigma_and_another_size(library):
    region = one()
    numbers, radius = table(4.0)
    given = pictures(region, 90, 64, uniforms=[radius], tables=[numbers])
    out = np.zeros((64, 90, 3), np.uint8)
    call = library.kernel(region).bind(given.reads, given.tables, given.uniforms, [out])
    for sigma, size in ((4.0, (90, 64)), (1.0, (90, 64)), (20.0, (90, 64)), (7.0, (70, 45)), (7.0, (30, 20)), (0.0, (70, 45))):
        given.uniforms[0] = gaussian_weights(sigma, numbers)
        now = pictures(region, *size, seed=3, uniforms=given.uniforms, tables=[numbers])
        out = np.zeros((*size[::-1], 3), np.uint8)
        call.set_write(0, out)
        call.set_read(0, now.reads[0])
        call()
        compare(region, now, [out])


def test_which_regions_are_broad():
    a = load(0, 0)
    soft = gauss(a, RADIUS, 0)

    def region(*values: Vec) -> Region:
        return Region((Read("f32", 3),), 2, 2, tuple(Write("f32", v.parts) for v in values))

    assert broad(region(soft)) and broad(region(soft + a, gauss(load(0, 1), RADIUS, 0)))
    for other in (
        region(a),
        region(gauss(a, RADIUS, 0, "x")),
        region(gauss(a, RADIUS, 0, "y")),
        region(gauss(a, RADIUS, 0, "yx")),
        region(soft, gauss(a, RADIUS, 0, "x")),
        region(gauss(soft, RADIUS, 0)),
        region(soft, gauss(a, RADIUS, 1)),
        region(soft, gauss(a, uniform(1), 0)),
    ):
        assert not broad(other)
        assert "broad" not in shapes(other)


@pytest.mark.parametrize("sigma", [3.95, 4.0, 8.39, 8.4, 13.0, 70.0, 199.0])
def test_a_tables_end_keeps_the_variance(sigma):
    """Hat, weights and curve together are as wide as the Gaussian, and n is at most 0.76 of sigma."""
    numbers, radius = table(sigma)
    step, reach = int(numbers[-TAIL]), int(numbers[1 - TAIL])
    rows = numbers[-TAIL:][2 : 3 + reach].astype(float)
    k = np.arange(reach + 1)
    assert step % APART == 0 and sigma / 3 < step <= sigma / 1.3
    assert rows[0] + 2 * rows[1:].sum() == pytest.approx(1, abs=1e-6)
    apart = step / APART
    variance = 2 * (rows * k**2).sum() * apart**2 + (apart**2 - 1) / 6 + step**2 / 3
    assert radius == min(math.ceil(3 * sigma), 600)
    assert variance == pytest.approx(sigma**2, rel=0.03)
