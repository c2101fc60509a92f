"""The pixel language: what a pixel node's `pixel` method returns.

One immutable expression node (`Expr`: operation, arguments, attribute), hash-consed so that equal expressions are the
same object; `Vec` bundles one to sixteen of them and is what authors write with. All numbers are float32, comparisons
give booleans. Every read is clamped or zero outside, so no expression can read out of bounds.

    leaves   const  uniform  x  y                        attribute: value | slot | - | -
    reads    load(input, channel)                        at the same place
             near(input, channel, i, j, border)          a neighbour, i right and j down, in pixels of the domain
             sample X Y (input, channel, border)         bilinear; X, Y see below
             fetch I (table)                             one number of a 1-D table, index floored and clamped
             gauss E R (axis, table)                     weighted sum of E at −R…R along an axis, weights fetched
    maths    add sub mul div min max pow atan2 hash      neg abs floor sqrt exp2 log2 sin cos
    logic    lt le eq and or not select

x and y are the pixel's centre in pixels of the domain (column + 0.5, row + 0.5). `hash` is a number of 24 bits, from 0
to below 1, in unsigned 32-bit arithmetic that wraps: with whole numbers x, y, s (floored, held to ±2³⁰) and

    m(h): h ^= h >> 16;  h *= 0x7FEB352D;  h ^= h >> 15;  h *= 0x846CA68B;  h ^= h >> 16       (lowbias32, C. Wellons)

it is (m(x·0x8DA6B343 + y·0xD8163841 + m(s·0xCB1AB31F)) >> 8) / 2²⁴. The transcendental functions are within 1e-4
(absolute below 1, relative above; pow 3e-4 up to exponents of 3, 1e-3 up to 8); exp2 is held to 2^−126 … 2^127; sin and cos are meant for |v| ≤ 1e4.
A mirror border repeats the edge (c b a | a b c | c b a). What a NaN or an infinity gives is not defined before it is
written: uint8 writes then hold 0 for −∞, 255 for +∞, and one of the two for NaN (by its sign).

A node's own expression names ports (`load ("image", 0)`), tables by what they hold, and gives sample coordinates in
frame heights. The plan compiler *binds* it: names become positions, coordinates become pixels of the input, wires to
a fused producer become its expression (see `bind.py`).
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Union

import numpy as np

from ...graph.errors import CompileError

__all__ = [
    "OPS",
    "Expr",
    "Vec",
    "absolute",
    "atan2",
    "clamp",
    "const",
    "cos",
    "cross",
    "dot",
    "equal",
    "exp2",
    "floor",
    "fract",
    "hash21",
    "length",
    "log2",
    "luma",
    "make",
    "maximum",
    "minimum",
    "mix",
    "normalize",
    "power",
    "select",
    "sin",
    "smoothstep",
    "sqrt",
    "topological",
    "vec",
    "where_all",
]

# operation → (arguments, gives a boolean, takes booleans)
OPS: dict[str, tuple[int, bool, bool]] = {
    **{op: (0, False, False) for op in ("const", "uniform", "x", "y", "load", "near")},
    "sample": (2, False, False),
    "fetch": (1, False, False),
    "gauss": (2, False, False),
    **{op: (2, False, False) for op in ("add", "sub", "mul", "div", "min", "max", "pow", "atan2")},
    "hash": (3, False, False),
    **{op: (1, False, False) for op in ("neg", "abs", "floor", "sqrt", "exp2", "log2", "sin", "cos")},
    **{op: (2, True, False) for op in ("lt", "le", "eq")},
    "and": (2, True, True),
    "or": (2, True, True),
    "not": (1, True, True),
    "select": (3, False, False),
}


class Expr:
    """One operation. Make with `make`; never mutate. Equal expressions are identical objects."""

    __slots__ = ("__weakref__", "args", "attr", "hash", "op")
    _pool: weakref.WeakValueDictionary[tuple, Expr] = weakref.WeakValueDictionary()

    op: str
    args: tuple[Expr, ...]
    attr: Any

    def __new__(cls, op: str, args: tuple[Expr, ...] = (), attr: Any = None) -> Expr:
        key = (op, tuple(id(a) for a in args), type(attr), attr)
        found = cls._pool.get(key)
        if found is not None and found.args == args:
            return found
        self = super().__new__(cls)
        self.op, self.args, self.attr = op, args, attr
        self.hash = hash((op, tuple(a.hash for a in args), attr))
        cls._pool[key] = self
        return self

    def __hash__(self) -> int:
        return self.hash

    def __eq__(self, other: object) -> bool:
        return self is other

    def __repr__(self) -> str:
        if self.op == "const":
            return f"{self.attr:g}"
        inside = ", ".join([*map(repr, self.args), *([] if self.attr is None else [repr(self.attr)])])
        return f"{self.op}({inside})" if inside else self.op

    @property
    def boolean(self) -> bool:
        return OPS[self.op][1]


def const(value: float) -> Expr:
    """A number, rounded to float32 as the kernel will see it."""
    number = float(np.float32(value))
    if math.isnan(number):
        raise CompileError("a constant in a pixel expression is NaN; check the parameter it came from")
    return Expr("const", (), number + 0.0 if number else 0.0)


def make(op: str, *args: Expr, attr: Any = None) -> Expr:
    """An operation, checked for arity and kinds, with constants folded and x·1, x+0, x/1, x·0 removed."""
    if op not in OPS:
        raise CompileError(f"the pixel language has no operation {op!r}; it has: {', '.join(OPS)}")
    arity, _, takes_bool = OPS[op]
    if len(args) != arity:
        raise CompileError(f"{op} takes {arity} arguments, not {len(args)}")
    for i, arg in enumerate(args):
        wants_bool = takes_bool or (op == "select" and i == 0)
        if arg.boolean != wants_bool:
            kind = "a comparison" if wants_bool else "a number"
            raise CompileError(f"{op}: argument {i + 1} must be {kind}")
    return _simplify(op, args) or Expr(op, args, attr)


_FOLD: dict[str, Callable[..., Any]] = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide, "min": np.minimum,
    "max": np.maximum, "neg": np.negative, "abs": np.abs, "floor": np.floor, "sqrt": np.sqrt,
}  # fmt: skip


def _simplify(op: str, args: tuple[Expr, ...]) -> Expr | None:
    values = [a.attr if a.op == "const" else None for a in args]
    if op in _FOLD and None not in values:
        with np.errstate(all="ignore"):
            folded = float(_FOLD[op](*(np.float32(v) for v in values)))
        return const(folded) if math.isfinite(folded) else None
    if op in ("add", "sub") and values[1] == 0.0:
        return args[0]
    if op == "add" and values[0] == 0.0:
        return args[1]
    if op in ("mul", "div") and values[1] == 1.0:
        return args[0]
    if op == "mul" and values[0] == 1.0:
        return args[1]
    if op == "mul" and 0.0 in values:  # by definition, also for infinite and NaN partners
        return const(0.0)
    if op in ("min", "max", "and", "or") and args[0] is args[1]:
        return args[0]
    if op == "select" and args[1] is args[2]:
        return args[1]
    if op in ("neg", "not") and args[0].op == op:
        return args[0].args[0]
    return None


def topological(roots: Iterable[Expr]) -> list[Expr]:
    """All expressions below `roots`, arguments before users, each once, in a fixed order."""
    done: dict[Expr, None] = {}
    for root in roots:
        stack: list[tuple[Expr, bool]] = [(root, False)]
        while stack:
            node, ready = stack.pop()
            if node in done:
                continue
            if ready:
                done[node] = None
            else:
                stack.append((node, True))
                stack.extend((a, False) for a in reversed(node.args))
    return list(done)


Scalar = Union["Vec", Expr, float, int, bool]
_SWIZZLE = {c: i for names in ("xyzw", "rgba", "uv") for i, c in enumerate(names)}


class Vec:
    """One to sixteen expressions side by side, with arithmetic, comparison and swizzles (`.rgb`, `.a`, `.xy`).

    A Vec of one broadcasts. `<` and `<=` give a Vec of comparisons (use with `select`); `equal(a, b)` is the test
    for equality, since `==` compares expressions themselves.
    """

    __slots__ = ("parts",)

    def __init__(self, *parts: Scalar):
        self.parts: tuple[Expr, ...] = tuple(p for part in parts for p in _parts(part))
        if not 1 <= len(self.parts) <= 16:
            raise CompileError(f"a vector has 1 to 16 components, not {len(self.parts)}")

    def __len__(self) -> int:
        return len(self.parts)

    def __bool__(self) -> bool:
        # Python's `if`, `and`, `or`, `a < b < c` would decide once, for all pixels
        raise CompileError(
            "an expression is neither true nor false before it plays: use select(test, a, b) instead of if, "
            "and &, |, ~ instead of and, or, not"
        )

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise CompileError("NumPy takes no expressions: use the functions of spellwire.runtime.pixel (clamp, mix, …)")

    def __iter__(self) -> Iterator[Vec]:
        return (Vec(p) for p in self.parts)

    def __getitem__(self, index: int | slice) -> Vec:
        picked = self.parts[index]
        return Vec(*picked) if isinstance(picked, tuple) else Vec(picked)

    def __getattr__(self, name: str) -> Vec:
        if name.startswith("_") or not all(c in _SWIZZLE for c in name):
            raise AttributeError(f"no {name!r} here; swizzles use xyzw, rgba or uv")
        if max(_SWIZZLE[c] for c in name) >= len(self.parts):
            raise AttributeError(f".{name} on a vector of {len(self.parts)}")
        return Vec(*(self.parts[_SWIZZLE[c]] for c in name))

    def __repr__(self) -> str:
        return f"Vec{self.parts!r}"

    def __add__(self, other: Scalar) -> Vec:
        return _zip("add", self, other)

    def __radd__(self, other: Scalar) -> Vec:
        return _zip("add", other, self)

    def __sub__(self, other: Scalar) -> Vec:
        return _zip("sub", self, other)

    def __rsub__(self, other: Scalar) -> Vec:
        return _zip("sub", other, self)

    def __mul__(self, other: Scalar) -> Vec:
        return _zip("mul", self, other)

    def __rmul__(self, other: Scalar) -> Vec:
        return _zip("mul", other, self)

    def __truediv__(self, other: Scalar) -> Vec:
        return _zip("div", self, other)

    def __rtruediv__(self, other: Scalar) -> Vec:
        return _zip("div", other, self)

    def __neg__(self) -> Vec:
        return _zip("neg", self)

    def __lt__(self, other: Scalar) -> Vec:
        return _zip("lt", self, other)

    def __le__(self, other: Scalar) -> Vec:
        return _zip("le", self, other)

    def __gt__(self, other: Scalar) -> Vec:
        return _zip("lt", other, self)

    def __ge__(self, other: Scalar) -> Vec:
        return _zip("le", other, self)

    def __and__(self, other: Vec) -> Vec:
        return _zip("and", self, other)

    def __or__(self, other: Vec) -> Vec:
        return _zip("or", self, other)

    def __invert__(self) -> Vec:
        return _zip("not", self)


def _parts(value: Scalar) -> tuple[Expr, ...]:
    if isinstance(value, Vec):
        return value.parts
    if isinstance(value, Expr):
        return (value,)
    if isinstance(value, (int, float, np.floating, np.integer)):
        return (const(float(value)),)
    raise CompileError(f"{value!r} is no number and no pixel expression")


def _zip(op: str, *values: Scalar) -> Vec:
    rows = [_parts(v) for v in values]
    width = max(map(len, rows))
    if any(len(r) not in (1, width) for r in rows):
        raise CompileError(f"{op} of vectors of {' and '.join(str(len(r)) for r in rows)} components")
    rows = [r * width if len(r) == 1 else r for r in rows]
    return Vec(*(make(op, *column) for column in zip(*rows, strict=True)))


def vec(*parts: Scalar) -> Vec:
    """Components in a row: `vec(rgb, 1)` has four."""
    return Vec(*parts)


def minimum(a: Scalar, b: Scalar) -> Vec:
    return _zip("min", a, b)


def maximum(a: Scalar, b: Scalar) -> Vec:
    return _zip("max", a, b)


def clamp(value: Scalar, low: Scalar = 0.0, high: Scalar = 1.0) -> Vec:
    """`value` held between `low` and `high`."""
    return minimum(maximum(value, low), high)


def absolute(value: Scalar) -> Vec:
    return _zip("abs", value)


def floor(value: Scalar) -> Vec:
    return _zip("floor", value)


def fract(value: Scalar) -> Vec:
    """The part after the point, of the floor's side: fract(−0.25) = 0.75."""
    return vec(value) - floor(value)


def sqrt(value: Scalar) -> Vec:
    """Square root; negative values count as 0."""
    return _zip("sqrt", maximum(value, 0.0))


def exp2(value: Scalar) -> Vec:
    return _zip("exp2", value)


def log2(value: Scalar) -> Vec:
    """Base-2 logarithm; values below 1e-10 count as 1e-10."""
    return _zip("log2", maximum(value, 1e-10))


def power(base: Scalar, exponent: Scalar) -> Vec:
    """base ** exponent, for base ≥ 0 (below counts as 0; 0 ** e = 0 for every e, to 2e-5).

    It costs less where no exponent can be below 1/8: a number, or `maximum(e, 0.125)`.
    """
    return _zip("pow", maximum(base, 0.0), exponent)


def sin(value: Scalar) -> Vec:
    return _zip("sin", value)


def cos(value: Scalar) -> Vec:
    return _zip("cos", value)


def atan2(y: Scalar, x: Scalar) -> Vec:
    """The angle of (x, y), −π to π; 0 at the origin."""
    return _zip("atan2", y, x)


def hash21(x: Scalar, y: Scalar, seed: Scalar = 0.0) -> Vec:
    """White noise, 0 ≤ value < 1: a hash of the whole parts of x, y and seed, the same on every machine."""
    return _zip("hash", floor(x), floor(y), floor(seed))


def equal(a: Scalar, b: Scalar) -> Vec:
    return _zip("eq", a, b)


def select(condition: Vec, yes: Scalar, no: Scalar) -> Vec:
    """`yes` where the condition holds, else `no`."""
    return _zip("select", condition, yes, no)


def where_all(*conditions: Vec) -> Vec:
    """One condition out of all components of all of them."""
    parts = [p for c in conditions for p in c.parts]
    whole = parts[0]
    for part in parts[1:]:
        whole = make("and", whole, part)
    return Vec(whole)


def mix(a: Scalar, b: Scalar, amount: Scalar) -> Vec:
    """a at 0, b at 1."""
    return vec(a) + (vec(b) - a) * amount


def smoothstep(low: Scalar, high: Scalar, value: Scalar) -> Vec:
    """0 below `low`, 1 above `high`, a smooth cubic between."""
    t = clamp((vec(value) - low) / maximum(vec(high) - low, 1e-6))
    return t * t * (3.0 - 2.0 * t)


def dot(a: Vec, b: Vec) -> Vec:
    """The sum of products, one component."""
    products = (a * b).parts
    total = products[0]
    for part in products[1:]:
        total = make("add", total, part)
    return Vec(total)


def length(a: Vec) -> Vec:
    return sqrt(dot(a, a))


def normalize(a: Vec) -> Vec:
    """`a` at length 1 (0 stays 0)."""
    return a / maximum(length(a), 1e-6)


def cross(a: Vec, b: Vec) -> Vec:
    (ax, ay, az), (bx, by, bz) = a, b
    return vec(ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx)


def luma(rgb: Vec) -> Vec:
    """Rec. 709 weighting of r, g, b."""
    return dot(rgb.rgb, vec(0.2126, 0.7152, 0.0722))
