"""What the host computes for a kernel: Gaussian weights, expressions of uniforms."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...graph.errors import CompileError
from ..pixel.lang import Expr, topological
from ..pixel.region import APART, HATS, TAIL

__all__ = ["GAUSS", "MAX_RADIUS", "components", "evaluate", "gaussian_weights"]

MAX_RADIUS = 600
GAUSS = MAX_RADIUS + 1 + TAIL  # numbers of a Gaussian's table

_HOST: dict[str, Callable[..., Any]] = {
    "add": lambda a, b: a + b, "sub": lambda a, b: a - b, "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b if b else 0.0, "min": min, "max": max, "neg": lambda a: -a, "abs": abs,
    "floor": math.floor, "sqrt": lambda a: math.sqrt(max(a, 0.0)), "exp2": lambda a: 2.0 ** min(a, 126.0),
    "log2": lambda a: math.log2(max(a, 1e-10)), "pow": lambda a, b: max(a, 0.0) ** b if a > 0 else 0.0,
    "sin": math.sin, "cos": math.cos, "atan2": math.atan2, "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b, "eq": lambda a, b: a == b, "and": lambda a, b: a and b,
    "or": lambda a, b: a or b, "not": lambda a: not a, "select": lambda c, a, b: a if c else b,
}  # fmt: skip


def evaluate(expr: Expr, uniforms: Sequence[float] | np.ndarray) -> float:
    """An expression of uniforms and constants alone, on the host.

    Raises:
        CompileError: it reads pixels or the place.
    """
    values: dict[Expr, float] = {}
    for node in topological([expr]):
        if node.op == "const":
            values[node] = node.attr
        elif node.op == "uniform":
            values[node] = float(uniforms[node.attr])
        elif node.op in _HOST:
            values[node] = _HOST[node.op](*(values[a] for a in node.args))
        else:
            raise CompileError(f"a blur's width may depend on parameters only, not on {node.op}")
    return float(values[expr])


def gaussian_weights(sigma: float, table: np.ndarray) -> int:
    """Fill `table` with the weights at 0…R of a Gaussian of `sigma` pixels, summing to 1 over −R…R; give R = ⌈3σ⌉.

    The last numbers of a table long enough (GAUSS) tell how a wide one may be had for less: only every n-th row is
    blurred. They are n, a reach, and weights of rows n/3 apart (see pixel/broad.py); n is 1 where sigma is too small for
    that.
    """
    if table.size > TAIL:
        table[-TAIL] = 1.0
    if not sigma > 0.05:  # also NaN
        table[0] = 1.0
        return 0
    radius = min(math.ceil(3.0 * sigma), table.size - 1, MAX_RADIUS)
    table[: radius + 1] = _half(sigma, radius)
    apart = int(sigma / 4.2) or int(sigma >= 3.95)
    if apart and table.size > TAIL + radius and radius < MAX_RADIUS:
        step = APART * apart
        left = sigma**2 - (apart**2 - 1) / 6.0 - step**2 / 3.0  # of the variance, without the hat's and the curve's
        reach = min(math.ceil(3.0 * sigma / apart), HATS)
        end = table[-TAIL:]
        end[:2] = step, reach
        end[2 : 3 + reach] = _half(math.sqrt(left) / apart, reach)
    return radius


def _half(sigma: float, radius: int) -> np.ndarray:
    weights = np.exp(-0.5 * (np.arange(radius + 1, dtype=np.float64) / sigma) ** 2)
    return weights / (weights[0] + 2.0 * weights[1:].sum())


Components = tuple[float, ...]


def components(value: Any) -> Components:
    """A value port's numbers."""
    if isinstance(value, (tuple, list, np.ndarray)):
        return tuple(map(float, value))
    return (0.0,) if value is None else (float(value),)
