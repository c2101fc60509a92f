"""What a newcomer writes in `pixel` and must be told: Python decides while compiling, pixels while playing."""

from __future__ import annotations

import numpy as np
import pytest

from spellwire.graph.errors import CompileError
from spellwire.runtime.pixel import Vec, select, vec

VALUE = vec(0.25, 0.5)


@pytest.mark.parametrize(
    "mistake",
    [
        lambda v: 1.0 if v[0] > 0.5 else 0.0,
        lambda v: v[0] > 0 and v[1] > 0,
        lambda v: not v[0],
        lambda v: 0 < v[0] < 1,
        lambda v: any(v),
    ],
    ids=["if", "and", "not", "between", "any"],
)
def test_an_expression_has_no_truth_yet(mistake):
    with pytest.raises(CompileError, match="use select"):
        mistake(VALUE)


def test_tests_are_joined_by_operators():
    joined = select((VALUE[0] > 0) & ~(VALUE[1] > 1), 1.0, 0.0)
    assert isinstance(joined, Vec) and len(joined) == 1


@pytest.mark.parametrize("call", [np.asarray, lambda v: np.clip(v, 0, 1), np.sqrt], ids=["asarray", "clip", "sqrt"])
def test_numpy_takes_no_expressions(call):
    with pytest.raises(CompileError, match=r"spellwire\.runtime\.pixel"):
        call(VALUE)
