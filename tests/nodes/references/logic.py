"""Logic nodes that draw: a cross-fade written as piecewise interpolation."""

from __future__ import annotations

import numpy as np

from references import Reference
from spellwire.nodes import logic


def chosen(a, b, c, d, index):
    four = np.stack([a, b, b, b] if c[..., -1].mean() < 0 else [a, b, c, d])
    return np.apply_along_axis(lambda values: np.interp(index, range(4), values), 0, four)


CASES = ({}, {"index": 1.0}, {"index": 1.25}, {"index": 2.0}, {"index": 2.5}, {"index": 3.0})
TWO = {"c": None, "d": None}
REFERENCES = {
    logic.ChooseImage: Reference(chosen, CASES, size=(48, 32)),
    logic.ChooseMask: Reference(chosen, ({"index": 0.75}, {"index": 1.0}), TWO, size=(48, 32)),
}
