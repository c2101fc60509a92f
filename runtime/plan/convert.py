"""A wire's conversions where a kernel or a process node must make them: internal nodes, and functions of values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...graph.declare import In, Out, PixelNode, port
from ...graph.types import CONVERSIONS, Colour, Depth, Flow, Image, Mask, Number, PortType, Surface
from ..pixel.lang import Vec, vec
from ..values import Items

__all__ = ["RASTER_CONVERSIONS", "SAME", "VALUE_CONVERSIONS", "two_steps", "value_conversion"]


class SameImage(PixelNode, type="convert.image"):
    """An Image, stored otherwise."""

    value: In[Image]
    out: Out[Image]

    def pixel(self, value: Vec) -> Vec:
        return value


class SameMask(PixelNode, type="convert.mask"):
    """A Mask, stored otherwise."""

    value: In[Mask]
    out: Out[Mask]

    def pixel(self, value: Vec) -> Vec:
        return value


class SameDepth(PixelNode, type="convert.depth"):
    """A Depth, stored otherwise."""

    value: In[Depth]
    out: Out[Depth]

    def pixel(self, value: Vec) -> Vec:
        return value


class SameFlow(PixelNode, type="convert.flow"):
    """A Flow, stored otherwise."""

    value: In[Flow]
    out: Out[Flow]

    def pixel(self, value: Vec) -> Vec:
        return value


class SameSurface(PixelNode, type="convert.surface"):
    """A Surface, stored otherwise."""

    value: In[Surface]
    out: Out[Surface]

    def pixel(self, value: Vec) -> Vec:
        return value


class MaskToImage(PixelNode, type="convert.mask_to_image"):
    """A Mask as a grey, opaque Image."""

    value: In[Mask]
    out: Out[Image]

    def pixel(self, value: Vec) -> Vec:
        return vec(value, value, value, 1.0)


class SurfaceToMask(PixelNode, type="convert.surface_to_mask"):
    """A Surface's coverage."""

    value: In[Surface]
    out: Out[Mask]

    def pixel(self, value: Vec) -> Vec:
        return value[0]


class SurfaceToImage(PixelNode, type="convert.surface_to_image"):
    """A Surface's coverage as a grey, opaque Image: what a muted node for masks gives on."""

    value: In[Surface]
    out: Out[Image]

    def pixel(self, value: Vec) -> Vec:
        return vec(value[0], value[0], value[0], 1.0)


class NumberToImage(PixelNode, type="convert.number_to_image"):
    """A grey, opaque, the same everywhere: what a muted node for masks gives on."""

    value: In[Number] = port()
    out: Out[Image]

    def pixel(self, value: Vec) -> Vec:
        return vec(value, value, value, 1.0)


class ColourToImage(PixelNode, type="convert.colour_to_image"):
    """One colour everywhere."""

    value: In[Colour] = port()
    out: Out[Image]

    def pixel(self, value: Vec) -> Vec:
        return vec(value.rgb * value.a, value.a)


class NumberToMask(PixelNode, type="convert.number_to_mask"):
    """The same coverage everywhere."""

    value: In[Number] = port()
    out: Out[Mask]

    def pixel(self, value: Vec) -> Vec:
        return value


SAME: dict[type[PortType], type[PixelNode]] = {
    Image: SameImage, Mask: SameMask, Depth: SameDepth, Flow: SameFlow, Surface: SameSurface,
}  # fmt: skip

RASTER_CONVERSIONS: dict[str, type[PixelNode]] = {
    "Mask>Image": MaskToImage,
    "Surface>Mask": SurfaceToMask,
    "Colour>Image": ColourToImage,
    "Number>Mask": NumberToMask,
    "Surface>Image": SurfaceToImage,
    "Number>Image": NumberToImage,
}


def _one(item: Any) -> Items[Any]:
    return Items((item,) if item is not None else ())


def _landmarks(item: Any) -> Any:
    return () if item is None else item.landmarks


def _gather(each: Any) -> Items[Any]:
    return Items(tuple(value for value in each if value is not None))


VALUE_CONVERSIONS: dict[str, Callable[[Any], Any]] = {
    "gather": _gather,  # one item each of a mapped node, as a list again
    "Integer>Number": float,
    "Boolean>Number": float,
    "Boolean>Integer": int,
    "Number>Vector2": lambda v: (v, v),
    "Number>Vector3": lambda v: (v, v, v),
    "Number>Vector4": lambda v: (v, v, v, v),
    "Number>Colour": lambda v: (v, v, v, 1.0),
    "Vector3>Colour": lambda v: (*v, 1.0),
    "Vector4>Colour": tuple,
    "Colour>Vector4": tuple,
    "Face>Faces": _one,
    "Body>Bodies": _one,
    "Hand>Hands": _one,
    "Face>Points": _landmarks,
    "Body>Points": _landmarks,
    "Hand>Points": _landmarks,
}


def two_steps(name: str) -> tuple[str, str] | None:
    """A conversion that no wire makes, as two that follow each other: the wires at both sides of a muted node."""
    source, _, target = name.partition(">")
    middles = [c.target.name for c in CONVERSIONS.values() if c.source.name == source]
    return next(((f"{source}>{m}", f"{m}>{target}") for m in middles if (m, target) in CONVERSIONS), None)


def value_conversion(name: str) -> Callable[[Any], Any] | None:
    """The function of a link's conversion, None = none; `one:…` makes a list of one of it, `each:…` is for a list's items."""
    how, _, inner = name.rpartition(":")
    change = VALUE_CONVERSIONS.get(inner)
    if change is None and (steps := two_steps(inner)):
        first, second = (VALUE_CONVERSIONS.get(s) for s in steps)
        change = (lambda value: second(first(value))) if first and second else None
    if how == "one":
        return lambda value: _one(change(value) if change and value is not None else value)
    if how == "each" and change:
        return lambda values: Items(tuple(change(v) for v in values if v is not None))
    return change
