"""Curves through knots: monotone cubic between them, flat outside (Fritsch and Carlson, 1980)."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

__all__ = ["evaluate", "table"]

Knots = Sequence[Sequence[float]]


def evaluate(knots: Knots, x: float) -> float:
    """The curve's height at x. Equal to `table` at its places, to rounding."""
    xs, ys, tangents = _prepared(tuple((float(a), float(b)) for a, b in knots))
    if not xs:
        return x
    if not xs[0] < x < xs[-1]:
        return ys[-1] if x >= xs[-1] else ys[0]
    k = bisect_right(xs, x) - 1
    h = xs[k + 1] - xs[k]
    t = (x - xs[k]) / h
    u = 1.0 - t
    ends = (1.0 + 2.0 * t) * u * u * ys[k] + t * t * (3.0 - 2.0 * t) * ys[k + 1]
    return ends + h * t * u * (u * tangents[k] - t * tangents[k + 1])


def table(knots: Knots, into: np.ndarray) -> None:
    """Fill `into` with the curve's heights at even steps from 0 to 1."""
    into[:] = [evaluate(knots, x) for x in np.linspace(0.0, 1.0, len(into)).tolist()]


Prepared = tuple[tuple[float, ...], tuple[float, ...], tuple[float, ...]]


@lru_cache(256)
def _prepared(knots: tuple[tuple[float, float], ...]) -> Prepared:
    """x, y and tangents, by rising x; of knots at one x the last counts."""
    points = sorted(dict(knots).items())
    xs, ys = tuple(p[0] for p in points), tuple(p[1] for p in points)
    slopes = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in zip(points, points[1:], strict=False)]
    if not slopes:
        return xs, ys, (0.0,) * len(xs)
    inner = [0.5 * (a + b) if a * b > 0.0 else 0.0 for a, b in zip(slopes, slopes[1:], strict=False)]
    tangents = [slopes[0], *inner, slopes[-1]]
    for i, slope in enumerate(slopes):
        if slope == 0.0:
            tangents[i] = tangents[i + 1] = 0.0
            continue
        over = math.hypot(tangents[i] / slope, tangents[i + 1] / slope) / 3.0
        if over > 1.0:
            tangents[i], tangents[i + 1] = tangents[i] / over, tangents[i + 1] / over
    return xs, ys, tuple(tangents)
