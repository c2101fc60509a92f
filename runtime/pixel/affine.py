"""Values as sums of scale · v and an offset, scales and offset the same along a row, so that chains of them fold.

Exposure, contrast, tint, the 1/255 of uint8 and the 255 of writing it are all multiplications and additions of
parameters. Kept apart from the varying parts, they meet as numbers that are worked out once a row, and a chain of
them costs one fused multiply-add a pixel, whatever the parameters are at run time. Two varying parts are kept apart
until they must be one number: that is what a saturation is, a mix of a channel and the grey that all channels share.
"""

# Halide's module has no type stubs.
# pyright: reportAttributeAccessIssue=false
from __future__ import annotations

from dataclasses import dataclass
from typing import Union

import halide as hl

__all__ = ["Form", "add", "divide", "even", "multiply", "negative", "plain", "scaled"]

Factor = Union[float, hl.Expr]  # noqa: UP007  (hl.Expr is no type for |)
_TERMS = 2  # kept apart; more are summed at once


@dataclass(eq=False)
class Form:
    """The sum of scale · varying over the terms, and an offset; without terms it is the same along the row."""

    terms: tuple[tuple[Factor, hl.Expr], ...]
    offset: Factor

    @property
    def uniform(self) -> bool:
        """Whether it is the same along the row."""
        return not self.terms

    def expr(self) -> hl.Expr:
        """The value, as one expression."""
        if not self.terms:
            return _expr(self.offset)
        ((scale, varying),) = _single(self).terms
        total = _times(varying, scale)
        return total if _is(self.offset, 0.0) else total + _expr(self.offset)


def plain(v: hl.Expr) -> Form:
    """An expression as it is."""
    return scaled(1.0, v)


def scaled(scale: Factor, v: hl.Expr, offset: Factor = 0.0) -> Form:
    """scale · v + offset."""
    return Form(((scale, v),), offset)


def even(v: Factor) -> Form:
    """A number, or an expression that is the same along the row."""
    return Form((), v)


def add(a: Form, b: Form) -> Form:
    terms = list(a.terms)
    for scale, varying in b.terms:
        known = next((i for i, (_, v) in enumerate(terms) if v is varying), None)
        if known is None:
            terms.append((scale, varying))
        else:
            terms[known] = (_sum(terms[known][0], scale), varying)
    kept = tuple(term for term in terms if not _is(term[0], 0.0))
    total = Form(kept, _sum(a.offset, b.offset))
    return total if len(kept) <= _TERMS else _single(total)


def negative(a: Form) -> Form:
    return multiply(a, even(-1.0))


def multiply(a: Form, b: Form) -> Form:
    if a.uniform:
        a, b = b, a
    if b.uniform:
        terms = tuple((_product(scale, b.offset), v) for scale, v in a.terms)
        return Form(tuple(t for t in terms if not _is(t[0], 0.0)), _product(a.offset, b.offset))
    if not _is(a.offset, 0.0):
        a, b = b, a
    if not _is(a.offset, 0.0):
        return plain(a.expr() * b.expr())
    ((scale, varying),) = _single(a).terms
    return scaled(
        scale, varying * b.expr()
    )  # b is most often a mask, shared by the channels: its scale is paid once


def divide(a: Form, b: Form) -> Form:
    if b.uniform:
        if isinstance(b.offset, float):
            known = b.offset != 0.0
            return multiply(a, even(1.0 / b.offset)) if known else plain(a.expr() / b.expr())
        return multiply(a, even(hl.f32(1.0) / b.offset))
    if not a.uniform and _is(a.offset, 0.0):
        ((scale, varying),) = _single(a).terms
        return scaled(scale, varying / b.expr())
    return plain(a.expr() / b.expr())


def _single(a: Form) -> Form:
    """With one term: the varying parts summed, a scale that is a number kept for later."""
    if len(a.terms) <= 1:
        return a
    scales = [s for s, _ in a.terms]
    numbers = [s for s in scales if isinstance(s, float) and abs(s) > 1e-6]  # known not to be 0
    if all(_same(s, scales[0]) for s in scales):
        common: Factor = scales[0]
        shares: list[Factor] = [1.0] * len(scales)
    else:
        common = abs(numbers[-1]) if numbers else 1.0
        shares = [_product(s, 1.0 / common) for s in scales]
    parts = sorted(zip(shares, (v for _, v in a.terms), strict=True), key=lambda part: not _unit(part[0]))
    total: hl.Expr | None = None
    for share, v in parts:  # what takes no multiplication first: each of the others is one fused step then
        total = _plus(total, share, v)
    return Form(((common, total),), a.offset)


def _expr(v: Factor) -> hl.Expr:
    return hl.f32(v) if isinstance(v, float) else v


def _is(v: Factor, number: float) -> bool:
    return isinstance(v, float) and v == number


def _unit(v: Factor) -> bool:
    return isinstance(v, float) and abs(v) == 1.0


def _plus(total: hl.Expr | None, share: Factor, v: hl.Expr) -> hl.Expr:
    if not isinstance(share, float):
        share = hl.strict_float(
            share
        )  # or LLVM takes factors out that shares have in common: a multiplication more
    if total is None:
        return _times(v, share)
    return total - v if _is(share, -1.0) else total + _times(v, share)


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
