"""A wire's conversions where a kernel or a process node must make them: internal nodes, and functions of values."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from ...graph.declare import In, Node, Out, Param, PixelNode, ProcessNode, port, result, same
from ...graph.types import CONVERSIONS, Colour, Image, Integer, Mask, Number, PortType, Surface
from ..pixel.lang import Vec, select, vec
from ..values import Items, pairs

__all__ = ["RASTER_CONVERSIONS", "VALUE_CONVERSIONS", "in_order", "itself", "nth", "track", "two_steps", "value_conversion", "where_there"]


def _internal(
    base: type[Node], name: str, doc: str, ports: dict[str, Any], method: str, body: Callable[..., Any], **more: Any
) -> Any:  # fmt: skip
    """A node class of ours for a type that is known only now."""
    space = {"__annotations__": ports, "__doc__": doc, "__module__": __name__, method: body, **more}
    return type("Internal", (base,), space, type=name)


def _given(self: Any, value: Any) -> Any:
    return value


@cache
def itself(kind: type[PortType]) -> type[PixelNode]:
    """A raster of that type, stored otherwise."""
    ports = {"value": In[kind], "out": Out[kind]}
    return _internal(PixelNode, f"convert.{kind.name.lower()}", f"A {kind.name}, stored otherwise.", ports, "pixel", _given)


@cache
def nth(kind: type[PortType]) -> type[ProcessNode]:
    """One item of a list of that type, by its place in the order of track ids; None where there are fewer."""

    def process(self: Any, items: Items[Any], index: int) -> Any:
        return next((item for i, (_, item) in enumerate(in_order(items)) if i == index), None)

    ports = {"items": In[kind], "index": Param[Integer], "item": Out[kind.item or kind]}
    name, doc = f"convert.nth_{kind.name.lower()}", f"One of some {kind.name}."
    item = result(space=same("items")) if kind.spatial else result()
    return _internal(ProcessNode, name, doc, ports, "process", process, item=item)


@cache
def track(kind: type[PortType]) -> type[ProcessNode]:
    """The track id of that item; −1 where there are fewer."""

    def process(self: Any, items: Items[Any], index: int) -> int:
        return next((key for i, (key, _) in enumerate(in_order(items)) if i == index), -1)

    ports = {"items": In[kind], "index": Param[Integer], "id": Out[Integer]}
    name, doc = f"convert.track_{kind.name.lower()}", f"Which one of some {kind.name} it is."
    return _internal(ProcessNode, name, doc, ports, "process", process)


@cache
def where_there(kind: type[PortType]) -> type[PixelNode]:
    """The raster `after`, and `before` where there was no item that made it."""

    def pixel(self: Any, before: Vec, after: Vec, id: Vec) -> Vec:
        return select(id >= 0.0, after, before)

    ports = {"before": In[kind], "after": In[kind], "id": In[Integer], "out": Out[kind]}
    name, doc = f"convert.where_there_{kind.name.lower()}", f"A {kind.name} that an item changed, if there was one."
    return _internal(PixelNode, name, doc, ports, "pixel", pixel)


def in_order(items: Any) -> list[tuple[int, Any]]:
    """A list's (track id, item) pairs, the smallest id first."""
    return sorted(pairs(items), key=lambda pair: pair[0])


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
