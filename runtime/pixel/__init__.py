"""The pixel language, its kernels and their compiler."""

from .author import At, CurveTable, LutTable, Raster, blurred
from .lang import (
    Vec,
    absolute,
    atan2,
    clamp,
    cos,
    cross,
    dot,
    equal,
    exp2,
    floor,
    fract,
    hash21,
    length,
    log2,
    luma,
    maximum,
    minimum,
    mix,
    normalize,
    power,
    select,
    sin,
    smoothstep,
    sqrt,
    vec,
    where_all,
)

__all__ = [
    "At", "CurveTable", "LutTable", "Raster", "Vec", "absolute", "atan2", "blurred", "clamp", "cos", "cross",
    "dot", "equal", "exp2", "floor", "fract", "hash21", "length", "log2", "luma", "maximum", "minimum", "mix",
    "normalize", "power", "select", "sin", "smoothstep", "sqrt", "vec", "where_all",
]  # fmt: skip
