"""Pictures stretched straight: one that is read by columns and rows apart gives what reading it anywhere gives."""

from __future__ import annotations

import numpy as np
import pytest
from evaluator import compare
from pictures import X, Y, load, pictures, play, sample, uniform

from spellwire.runtime.pixel import vec
from spellwire.runtime.pixel.region import Read, Region, Write, stretches

BORDERS = ("clamp", "zero", "mirror")


def straight(fmt: str) -> Region:
    """Two small pictures at scales and offsets that move at run time, every border, beside one of the frame's size."""
    x, y = uniform(0) * X + uniform(1), uniform(2) * Y + uniform(3)
    parts = [sample(1, c, x, y, border) for border in BORDERS for c in (0, 2)]
    parts.append(sample(2, 0, x + 3.0, y, "clamp") * load(0, 0))
    return Region((Read("u8", 3), Read(fmt, 3), Read("f32", 1)), 0, 4, (Write("f32", vec(*parts).parts),))


def slanted() -> Region:
    """The same reads where a nothing is added that the compiler can't see to be one: read by four gathers."""
    region = straight("f32")
    x, y = uniform(0) * X + uniform(1) + load(0, 1) * uniform(4), uniform(2) * Y + uniform(3)
    parts = [sample(1, c, x, y, border) for border in BORDERS for c in (0, 2)]
    parts.append(sample(2, 0, x + 3.0, y, "clamp") * load(0, 0))
    return Region(region.reads, 0, 5, (Write("f32", vec(*parts).parts),))


@pytest.fixture(scope="module")
def library(compiler):
    return compiler.compile([straight("u8"), straight("f32"), slanted()])


PLACES = {
    "larger": [0.37, -2.0, 0.21, 1.5],
    "smaller": [2.6, 4.0, 3.3, -7.0],
    "mirrored": [-0.5, 40.0, -1.0, 60.0],
    "far outside": [0.3, -900.0, 0.3, 700.0],
    "one pixel": [0.0, 3.5, 0.0, 2.5],
}


def test_what_is_taken_apart():
    assert len(stretches(straight("f32"))) == 4
    assert stretches(slanted()) == {}


@pytest.mark.parametrize("size", [(160, 120), (67, 9), (1, 1), (640, 257)])
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("fmt", ["u8", "f32"])
def test_against_the_evaluator(library, fmt, place, size):
    region = straight(fmt)
    given = pictures(region, *size, uniforms=PLACES[place], sizes={1: (47, 33), 2: (5, 90)})
    compare(region, given, play(library, region, given))


@pytest.mark.parametrize("place", PLACES)
def test_what_gathers_give_and_the_same_with_one_thread_and_two(library, place):
    apart, whole = straight("f32"), slanted()
    sizes = {1: (47, 33), 2: (5, 90)}
    one = pictures(apart, 321, 200, uniforms=PLACES[place], sizes=sizes)
    other = pictures(whole, 321, 200, uniforms=[*PLACES[place], 0.0], sizes=sizes)
    library.set_threads(1)
    first = play(library, apart, one)
    assert np.abs(first[0] - play(library, whole, other)[0]).max() <= 1e-3, "coordinates are rounded otherwise, no more"
    library.set_threads(2)
    assert np.array_equal(play(library, apart, one)[0], first[0])
    library.set_threads(1)
