"""Random expressions of the pixel language as kernels, against the evaluator."""

from __future__ import annotations

from functools import reduce

import numpy as np
from evaluator import compare
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pictures import X, Y, gauss, load, near, pictures, play, sample, uniform

from spellwire.runtime.pixel import (
    Vec,
    absolute,
    clamp,
    floor,
    maximum,
    minimum,
    mix,
    power,
    select,
    sin,
    sqrt,
)
from spellwire.runtime.pixel.region import Read, Region, Write

_LEAVES = [
    *(load(0, c) for c in range(3)), load(1, 0), *(uniform(i) for i in range(4)), Vec(0.5), Vec(-1.25),
    X * (1 / 150), Y * (1 / 20), near(0, 1, -2, 1, "mirror"), sample(0, 2, X * 0.8 + 3.0, Y * 1.1, "clamp"),
]  # fmt: skip
_ONE = [
    absolute,
    sqrt,
    lambda a: -a,
    lambda a: sin(a * 2.0),
    lambda a: floor(a * 4.0) * 0.25,
    lambda a: clamp(a),
]
_ONE += [lambda a: power(clamp(a, 0.1, 3.0), 1.8), lambda a: gauss(clamp(a), Vec(3.0), 0)]
_TWO = [
    lambda a, b: a + b, lambda a, b: a - b, lambda a, b: a * b, minimum, maximum,
    lambda a, b: a / (absolute(b) + 0.5), lambda a, b: mix(a, b, uniform(0)), lambda a, b: select(a < b, a * 0.5, b),
]  # fmt: skip


def _held(value: Vec) -> Vec:
    """Between −4 and 4, so that a chain of products stays a picture."""
    return clamp(value, -4.0, 4.0)


_EXPRESSIONS = st.recursive(
    st.sampled_from(_LEAVES),
    lambda inner: st.one_of(
        st.builds(lambda f, a: f(a), st.sampled_from(_ONE), inner),
        st.builds(lambda f, a, b: _held(f(a, b)), st.sampled_from(_TWO), inner, inner),
    ),
    max_leaves=12,
)
_WORDS = st.recursive(  # what four pixels at a time can do: nothing but this place
    st.sampled_from(_LEAVES[:12]),
    lambda inner: st.one_of(
        st.builds(lambda f, a: f(a), st.sampled_from(_ONE[:-1]), inner),
        st.builds(lambda f, a, b: _held(f(a, b)), st.sampled_from(_TWO), inner, inner),
    ),
    max_leaves=14,
)


def _check(compiler, parts: list[Vec], seed: int) -> None:
    reads = (Read("u8", 3), Read("u8", 1))
    whole = reduce(lambda a, b: Vec(*a.parts, *b.parts), parts)
    region = Region(reads, 1, 4, (Write("u8", whole.parts),))
    table = np.array([0.4, 0.2, 0.08, 0.02], np.float32)
    library = compiler.compile([region])
    for size in ((40, 12), (148, 20)):
        given_ = pictures(region, *size, seed=seed, tables=[table], uniforms=[0.3, 1.4, -0.7, 0.05])
        compare(region, given_, play(library, region, given_), most=0.01)


_QUICK = settings(
    max_examples=8, deadline=None, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)  # fmt: skip


@_QUICK
@given(parts=st.lists(_EXPRESSIONS, min_size=3, max_size=3), seed=st.integers(0, 99))
def test_random_expressions(compiler, parts, seed):
    _check(compiler, parts, seed)


@_QUICK
@given(parts=st.lists(_WORDS, min_size=3, max_size=3), seed=st.integers(0, 99))
def test_random_expressions_in_words(compiler, parts, seed):
    _check(compiler, parts, seed)
