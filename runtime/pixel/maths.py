"""Transcendental functions of the pixel language, as polynomials that vectorise on every target (no libm call).

Coefficients are our own least-squares and minimax (Lawson's iteration) fits at Chebyshev nodes, in single precision. Errors, over the ranges of use:
log2 6e-7 absolute, exp2 4e-6 relative, sin and cos 1.2e-6 absolute up to |v| = 1e4, atan2 4e-6 rad.
"""

# Halide's module has no type stubs.
# pyright: reportAttributeAccessIssue=false
from __future__ import annotations

import math
from collections.abc import Sequence

import halide as hl

__all__ = ["SURE", "atan2", "cos", "exp2", "log2", "noise", "power", "sin"]

_LOG2 = (1.4426964521408081, -0.7213640213012695, 0.48062911629676819, -0.35935038328170776,
         0.29563409090042114, -0.26950934529304504, 0.17213074862957001)  # log2(1 + t) / t  # fmt: skip
_EXP2 = (1.0000001192092896, 0.69312101602554321, 0.24022106826305389,
         0.05592207610607147, 0.009676042012870312)  # fmt: skip
_LOG_CORRECTION = (-1.5128545347416205, 3.0700905381229906, -2.1206748658026133, 0.6451422427177458,
                   -0.08161578823626124)  # log2(m) - (m - 1) for 1 ≤ m < 2, to 9e-5  # fmt: skip
_EXP_CORRECTION = (0.4521344006061554, -0.5222272872924805, -0.008006374351680279,
                   0.07802452147006989)  # 2^(m - 1) - m for 1 ≤ m < 2, to 7.5e-5 of 2^(m - 1)  # fmt: skip
_SIN = (0.9999992251396179, -0.16665679216384888, 0.0083132218569517136,
        -0.00018523368635214865)  # sin(t) / t, in t²  # fmt: skip
_ATAN = (0.99999552965164185, -0.3329884707927704, 0.1955881267786026, -0.12110713124275208,
         0.057328011840581894, -0.013421179726719856)  # atan(t) / t, in t²  # fmt: skip
_INT, _UINT, _FLOAT = hl.Int(32), hl.UInt(32), hl.Float(32)
_SQRT_HALF = 0x3F3504F3  # the bits of √½: mantissas are taken from √½ to √2, where log2 is smallest


def _horner(coefficients: Sequence[float], t: hl.Expr) -> hl.Expr:
    total = hl.f32(coefficients[-1])
    for c in coefficients[-2::-1]:
        total = total * t + hl.f32(c)
    return total


def log2(v: hl.Expr) -> hl.Expr:
    """For v > 0."""
    bits = hl.reinterpret(_INT, v)
    exponent = (bits - _SQRT_HALF) >> 23
    t = hl.reinterpret(_FLOAT, bits - (exponent << 23)) - hl.f32(1.0)
    return _horner(_LOG2, t) * t + hl.cast(_FLOAT, exponent)


def exp2(v: hl.Expr) -> hl.Expr:
    """v is held between −126 and 127."""
    held = hl.max(hl.min(v, hl.f32(127.0)), hl.f32(-126.0))
    whole = hl.cast(_INT, held + hl.f32(127.5)) - 127  # rounded: positive first, as casts cut towards 0
    mantissa = hl.reinterpret(_INT, _horner(_EXP2, held - hl.cast(_FLOAT, whole)))
    return hl.reinterpret(_FLOAT, mantissa + (whole << 23))


SURE = 0.125


def power(base: hl.Expr, exponent: hl.Expr, nought: hl.Expr, sure: bool = False) -> hl.Expr:
    """base ** exponent; a base below 1e-37 (a negative one too) gives 0.

    `sure` says that the exponent is never below SURE: the guess for such a base is then so low that nothing need be
    compared, and its result is at most 2e-5 (from an exponent of 0.2 on, 3e-8) instead of 0.

    The bits of a float, read as an integer, are 2²³ times a first guess at its logarithm (and 127), and the other way
    round; a polynomial of the mantissa corrects each. Half the cost of log2 and exp2 after each other; closer than 3e-4
    of the result up to exponents of 3, than 1e-3 up to 8. Results beyond 2¹²⁷ are not defined. `nought` is an integer 0
    the compiler can't know to be 0: it keeps LLVM from moving the additions of `start` apart, where they'd cost
    instructions.
    """
    bits = hl.reinterpret(_INT, base)
    first, *rest = _LOG_CORRECTION  # times the exponent, which is most often the same along a row
    start = exponent * hl.f32((first - 127.0) * 2.0**23) + hl.f32(127.0 * 2.0**23)
    start = hl.reinterpret(_FLOAT, hl.reinterpret(_INT, start) | nought)
    raised = exponent * hl.f32(rest[-1] * 2.0**23)
    for c in rest[-2::-1]:
        raised = raised * _mantissa(bits) + exponent * hl.f32(c * 2.0**23)
    guess = hl.cast(_INT, raised * _mantissa(bits) + (hl.cast(_FLOAT, bits) * exponent + start))
    guess = hl.max(guess, 1 << 23)
    result = guess + hl.cast(_INT, _horner([c * 2.0**23 for c in _EXP_CORRECTION], _mantissa(guess)))
    return hl.reinterpret(_FLOAT, result if sure else hl.select(bits > 0x02081CEA, result, 0))


def _mantissa(bits: hl.Expr) -> hl.Expr:
    """From 1 to below 2."""
    return hl.reinterpret(_FLOAT, (bits & 0x7FFFFF) | 0x3F800000)


def sin(v: hl.Expr) -> hl.Expr:
    return _wave(v, 0.0)


def cos(v: hl.Expr) -> hl.Expr:
    return _wave(v, 0.5)


def _wave(v: hl.Expr, ahead: float) -> hl.Expr:
    """sin(v + ahead·π), folded to a half wave around 0; π in two parts so that the fold is exact."""
    half = hl.floor(v * hl.f32(1.0 / math.pi) + hl.f32(ahead + 0.5))
    centre = half - hl.f32(ahead) if ahead else half
    t = (v - centre * hl.f32(3.140625)) - centre * hl.f32(math.pi - 3.140625)
    value = _horner(_SIN, t * t) * t
    odd = hl.cast(_INT, half) << 31  # an odd half wave is upside down: flip the sign bit
    return hl.reinterpret(_FLOAT, hl.reinterpret(_INT, value) ^ odd)


def atan2(y: hl.Expr, x: hl.Expr) -> hl.Expr:
    """The angle of (x, y), by the octant's tangent; 0 at the origin."""
    ax, ay = hl.abs(x), hl.abs(y)
    t = hl.min(ax, ay) / hl.max(hl.max(ax, ay), hl.f32(1e-37))
    angle = _horner(_ATAN, t * t) * t
    angle = hl.select(ay > ax, hl.f32(math.pi / 2) - angle, angle)
    angle = hl.select(x < hl.f32(0.0), hl.f32(math.pi) - angle, angle)
    return hl.select(y < hl.f32(0.0), -angle, angle)


def noise(x: hl.Expr, y: hl.Expr, seed: hl.Expr) -> hl.Expr:
    """`hash` of lang.py, in 32-bit integers that wrap around."""
    rows = _mixed(_whole(seed) * hl.u32(0xCB1AB31F))
    mixed = _mixed(_whole(x) * hl.u32(0x8DA6B343) + _whole(y) * hl.u32(0xD8163841) + rows)
    return hl.cast(_FLOAT, hl.reinterpret(_INT, mixed >> 8)) * hl.f32(2.0**-24)


def _whole(v: hl.Expr) -> hl.Expr:
    held = hl.max(hl.min(hl.floor(v), hl.f32(2.0**30)), hl.f32(-(2.0**30)))
    above = hl.cast(_INT, held) + hl.i32(
        2**30
    )  # no sign: Halide makes int→uint of a float one step, and loses it
    return hl.reinterpret(_UINT, above) - hl.u32(2**30)


def _mixed(h: hl.Expr) -> hl.Expr:
    """The 32-bit finaliser found by Chris Wellons' search (lowbias32)."""
    h = (h ^ (h >> 16)) * hl.u32(0x7FEB352D)
    h = (h ^ (h >> 15)) * hl.u32(0x846CA68B)
    return h ^ (h >> 16)
