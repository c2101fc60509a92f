"""Values as scale · v + offset, the scale and offset the same along a row, so that chains of them fold.

Exposure, contrast, tint, the 1/255 of uint8 and the 255 of writing it are all multiplications and additions of
parameters. Kept apart from the varying part, they meet as numbers that are worked out once a row, and a chain of
them costs one fused multiply-add a pixel, whatever the parameters are at run time.
"""

# Halide's module has no type stubs.
# pyright: reportAttributeAccessIssue=false
from __future__ import annotations

from dataclasses import dataclass
from typing import Union

import halide as hl

__all__ = ["Form", "add", "divide", "even", "multiply", "negative", "plain"]

Factor = Union[float, hl.Expr]  # noqa: UP007  (hl.Expr is no type for |)


@dataclass(eq=False)
class Form:
    """scale · varying + offset; without a varying part it is the same along the row."""

    scale: Factor
    varying: hl.Expr | None
    offset: Factor

    def expr(self) -> hl.Expr:
        """The value, as one expression."""
        if self.varying is None:
            return _expr(self.offset)
        scaled = self.varying if _is(self.scale, 1.0) else self.varying * _expr(self.scale)
        return scaled if _is(self.offset, 0.0) else scaled + _expr(self.offset)


def plain(v: hl.Expr) -> Form:
    """An expression as it is."""
    return Form(1.0, v, 0.0)


def even(v: Factor) -> Form:
    """A number, or an expression that is the same along the row."""
    return Form(0.0, None, v)


def add(a: Form, b: Form) -> Form:
    if b.varying is None or a.varying is None:
        varied = a if b.varying is None else b
        return Form(varied.scale, varied.varying, _sum(a.offset, b.offset))
    offset = _sum(a.offset, b.offset)
    if a.varying is b.varying:
        return Form(_sum(a.scale, b.scale), a.varying, offset)
    if _same(a.scale, b.scale):
        return Form(a.scale, a.varying + b.varying, offset)
    if not isinstance(b.scale, float):
        a, b = b, a
    if isinstance(b.scale, float) and abs(b.scale) > 1e-6:  # a number known not to be 0: keep it for later
        return Form(b.scale, _times(a.varying, _product(a.scale, 1.0 / b.scale)) + b.varying, offset)
    return Form(1.0, _times(a.varying, a.scale) + _times(b.varying, b.scale), offset)


def negative(a: Form) -> Form:
    return multiply(a, even(-1.0))


def multiply(a: Form, b: Form) -> Form:
    if a.varying is None:
        a, b = b, a
    if a.varying is None:
        return even(_product(a.offset, b.offset))
    if b.varying is None:
        return Form(_product(a.scale, b.offset), a.varying, _product(a.offset, b.offset))
    if not _is(a.offset, 0.0):
        a, b = b, a
    if not _is(a.offset, 0.0):
        return plain(a.expr() * b.expr())
    return Form(
        a.scale, a.varying * b.expr(), 0.0
    )  # most often a mask, shared by the channels: its scale is paid once


def divide(a: Form, b: Form) -> Form:
    if b.varying is None:
        if isinstance(b.offset, float):
            known = b.offset != 0.0
            return multiply(a, even(1.0 / b.offset)) if known else plain(a.expr() / b.expr())
        return multiply(a, even(hl.f32(1.0) / b.offset))
    if a.varying is not None and _is(a.offset, 0.0):
        return Form(a.scale, a.varying / b.expr(), 0.0)
    return plain(a.expr() / b.expr())


def _expr(v: Factor) -> hl.Expr:
    return hl.f32(v) if isinstance(v, float) else v


def _is(v: Factor, number: float) -> bool:
    return isinstance(v, float) and v == number


def _same(a: Factor, b: Factor) -> bool:
    return a is b or (isinstance(a, float) and isinstance(b, float) and a == b)


def _times(v: hl.Expr, scale: Factor) -> hl.Expr:
    return v if _is(scale, 1.0) else v * _expr(scale)


def _sum(a: Factor, b: Factor) -> Factor:
    if isinstance(a, float) and isinstance(b, float):
        return a + b
    if _is(a, 0.0):
        return b
    return a if _is(b, 0.0) else _expr(a) + _expr(b)


def _product(a: Factor, b: Factor) -> Factor:
    if isinstance(a, float) and isinstance(b, float):
        return a * b
    if _is(a, 0.0) or _is(b, 0.0):
        return 0.0
    if _is(a, 1.0):
        return b
    return a if _is(b, 1.0) else _expr(a) * _expr(b)
