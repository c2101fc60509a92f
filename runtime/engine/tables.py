"""What the host computes for a kernel: Gaussian weights, expressions of uniforms."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...graph.errors import CompileError
from ..pixel.lang import Expr, topological

__all__ = ["MAX_RADIUS", "components", "evaluate", "gaussian_weights"]

MAX_RADIUS = 600

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
    """Fill `table` with the weights at 0…R of a Gaussian of `sigma` pixels, summing to 1 over −R…R; give R = ⌈3σ⌉."""
    if not sigma > 0.05:  # also NaN
        table[0] = 1.0
        return 0
    radius = min(math.ceil(3.0 * sigma), MAX_RADIUS)
    x = np.arange(radius + 1, dtype=np.float64)
    weights = np.exp(-0.5 * (x / sigma) ** 2)
    table[: radius + 1] = weights / (weights[0] + 2.0 * weights[1:].sum())
    return radius


Components = tuple[float, ...]


def components(value: Any) -> Components:
    """A value port's numbers."""
    if isinstance(value, (tuple, list, np.ndarray)):
        return tuple(map(float, value))
    return (0.0,) if value is None else (float(value),)
