"""From a pixel node's own expression to a region's: ports become reads or the producer's expression, names positions.

trace(step)            what the node returns, and how it reads each raster ("here", "near", "sample", "gauss")
RegionBuilder.value    a ref's expression inside one region, expanded through everything fused into it
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ...graph.declare import Parameter, Port
from ...graph.errors import CompileError, SpellwireError
from ...graph.types import Choice, Curve, Image, Look, Surface, find_type
from ..pixel.author import At, CurveTable, LutTable, Raster, uniform
from ..pixel.colour import linear_to_srgb, premultiply, srgb_to_linear, unpremultiply
from ..pixel.lang import Expr, Vec, clamp, const, make, topological, vec
from ..pixel.region import Read
from .convert import two_steps
from .ir import Link, Ref, Step, TableSource, UniformSource, node_path

__all__ = [
    "CURVE_SIZE",
    "RegionBuilder",
    "Source",
    "Trace",
    "convert_raster",
    "from_display",
    "to_display",
    "trace",
]

CURVE_SIZE = 1024


@dataclass(frozen=True)
class Trace:
    """A pixel node's expressions in its own names."""

    outputs: Mapping[str, Vec]

    @cached_property
    def uses(self) -> Mapping[str, frozenset[str]]:
        """How each raster input is read."""
        found: dict[str, set[str]] = {}
        nodes = topological(p for v in self.outputs.values() for p in v.parts)
        for node in nodes:
            if node.op in ("load", "near", "sample"):
                found.setdefault(node.attr[0], set()).add("here" if node.op == "load" else node.op)
            elif node.op == "gauss":
                for below in topological(node.args[:1]):
                    if below.op == "load":
                        found.setdefault(below.attr[0], set()).add("gauss")
        return {port: frozenset(how) for port, how in found.items()}

    @cached_property
    def blurs(self) -> bool:
        return any(n.op == "gauss" for n in topological(p for v in self.outputs.values() for p in v.parts))


def trace(step: Step) -> Trace:
    """Run the node's `pixel` once, on placeholders.

    Raises:
        CompileError: it raised, or did not give what it declares; the message names the node.
    """
    where = f"{step.path} ({step.decl.type})"
    given = {name: _argument(step, name) for name in step.decl.pixel_arguments}
    try:
        results = step.decl.cls().pixel(**given)  # type: ignore[attr-defined]
    except SpellwireError as error:
        raise CompileError(f"{where}: {error}") from error
    except Exception as error:
        raise CompileError(f"{where}: pixel() raised {type(error).__name__}: {error}") from error
    results = results if isinstance(results, tuple) else (results,)
    if len(results) != len(step.outputs):
        raise CompileError(f"{where}: pixel() gave {len(results)} results for {len(step.outputs)} outputs")
    return Trace({p.name: _shaped(p, r, where) for p, r in zip(step.outputs, results, strict=True)})


def _shaped(port: Port, value: Any, where: str) -> Vec:
    value = vec(value)
    wanted = port.type.components
    if len(value) == 1 and wanted > 1:
        value = vec(*value.parts * wanted)
    if len(value) != wanted:
        raise CompileError(
            f"{where}: output {port.name!r} ({port.type.name}) takes {wanted} components, got {len(value)}"
        )
    return value


def _argument(step: Step, name: str) -> Any:
    if name == "at":
        return At()
    inner = next((p for p in step.decl.inners if p.name == name), None)
    target = inner or step.decl.input(name) or step.decl.parameter(name)
    assert target is not None
    if isinstance(target, Parameter):
        if target.type is Look:
            return LutTable(name)
        if target.type is Curve:
            return CurveTable(name, CURVE_SIZE)
        if target.structural or target.type is Choice:
            return step.params[name]
    elif target.type.family == "raster":
        return Raster(name, target.type.components)
    if not target.type.components:
        raise CompileError(
            f"{step.path}: pixel() can't read {name!r}: a {target.type.name} is no number or raster"
        )
    return uniform(name, target.type.components)


def to_display(image: Vec) -> Vec:
    """Linear scene values as a display-referred Image: sRGB's curve on r, g, b, alpha left alone."""
    return premultiply(linear_to_srgb(unpremultiply(image)), image.a)


def from_display(image: Vec) -> Vec:
    """The inverse of `to_display`."""
    return premultiply(srgb_to_linear(unpremultiply(image)), image.a)


def convert_raster(value: Vec, conversion: str) -> Vec:
    """A wire's conversion between what pixel nodes see."""
    match conversion:
        case "":
            return value
        case "Mask>Image" | "Number>Image" | "Surface>Image":
            return vec(value.parts[0], value.parts[0], value.parts[0], 1.0)
        case "Surface>Mask" | "Number>Mask" | "Integer>Number" | "Boolean>Number" | "Boolean>Integer":
            return value[0]
        case "Colour>Image":
            return vec(value.rgb * value.a, value.a)
        case "Number>Colour":
            return vec(value, value, value, 1.0)
        case "Vector3>Colour":
            return vec(value, 1.0)
        case "Vector4>Colour" | "Colour>Vector4":
            return value
        case "Number>Vector2" | "Number>Vector3" | "Number>Vector4":
            return vec(*value.parts * int(conversion[-1]))
    if steps := two_steps(conversion):
        return convert_raster(convert_raster(value, steps[0]), steps[1])
    raise CompileError(f"no pixel node can take the conversion {conversion}")


@dataclass(frozen=True)
class Source:
    """A ref that a region reads from memory: slot, storage, and whether it has the region's own geometry.

    `opaque`: stored with alpha, but it is known to be 1.
    """

    slot: int
    read: Read
    same: bool
    border: str = "clamp"
    opaque: bool = False

    @property
    def channels(self) -> int:
        """Those worth reading."""
        return 3 if self.opaque else self.read.channels


class RegionBuilder:
    """Collects one region's reads, uniforms and tables while expressions are bound.

    Args:
        steps, traces: of the plan.
        source_of: a ref → the Source it is read from, or None where it is fused (its expression is expanded here).
        slot_of: a (path, parameter) or ref → the slot of a value.
        linear: the working space is linear: what is stored in 8 bits is sRGB, and is decoded where it is read.
    """

    def __init__(
        self,
        steps: Mapping[str, Step],
        traces: Mapping[str, Trace],
        source_of: Callable[[Ref], Source | None],
        slot_of: Callable[[Ref], int],
        linear: bool = False,
    ):
        self.steps, self.traces, self.linear = steps, traces, linear
        self.source_of, self.slot_of = source_of, slot_of
        self.sources: dict[Ref, tuple[int, Source]] = {}
        self.uniforms: dict[UniformSource, int] = {}
        self.tables: dict[TableSource, int] = {}
        self.nodes: dict[str, None] = {}
        self.expanded: dict[str, Mapping[str, Vec]] = {}

    def value(self, ref: Ref) -> Vec:
        """The expression of `ref` at the region's place."""
        source = self.source_of(ref)
        if source is None:
            return self._expand(ref[0])[ref[1]]
        return self._read(ref, source)

    # -- reads

    def _index(self, ref: Ref, source: Source) -> int:
        return self.sources.setdefault(ref, (len(self.sources), source))[0]

    def _read(self, ref: Ref, source: Source) -> Vec:
        index = self._index(ref, source)
        if source.same:
            return self._filled(ref, [Expr("load", (), (index, c)) for c in range(source.channels)])
        x, y = Vec(Expr("x")), Vec(Expr("y"))
        return self._sampled(ref, source, *self._affine("map", index, x, y), border=source.border)

    def _sampled(self, ref: Ref, source: Source, x: Vec, y: Vec, border: str) -> Vec:
        index, place = self._index(ref, source), (x.parts[0], y.parts[0])
        parts = [Expr("sample", place, (index, c, border)) for c in range(source.channels)]
        return self._filled(ref, parts, self._inside(index, x, y) if border == "zero" else None)

    def _filled(self, ref: Ref, parts: list[Expr], inside: Vec | None = None) -> Vec:
        """A three-channel Image has alpha 1, and none outside itself where the border is zero."""
        wanted = self.steps[ref[0]].output(ref[1]).type.components
        alpha = const(1.0) if inside is None else inside.parts[0]
        value, source = vec(*parts, *[alpha] * (wanted - len(parts))), self.source_of(ref)
        encoded = self.linear and wanted == 4 and source is not None and source.read.format == "u8"
        return from_display(value) if encoded else value

    def _inside(self, index: int, x: Vec, y: Vec) -> Vec:
        """What a bilinear sample of ones with a border of zeros would be, x and y in pixels of the read."""
        w, h = (self._uniform(UniformSource("extent", (index, k))) for k in (0, 1))
        return clamp(x + 0.5) * clamp(w + 0.5 - x) * clamp(y + 0.5) * clamp(h + 0.5 - y)

    def _affine(self, kind: Any, index: int, x: Vec, y: Vec) -> tuple[Vec, Vec]:
        """Without shear: rasters lie straight in their space (the engine checks), so columns and rows stay apart."""
        m = {i: self._uniform(UniformSource(kind, (index, i))) for i in (0, 2, 4, 5)}
        return m[0] * x + m[2], m[4] * y + m[5]

    def _uniform(self, source: UniformSource) -> Vec:
        return Vec(Expr("uniform", (), self.uniforms.setdefault(source, len(self.uniforms))))

    # -- expansion of a fused node

    def _expand(self, step_id: str) -> Mapping[str, Vec]:
        if step_id not in self.expanded:
            step, traced = self.steps[step_id], self.traces[step_id]
            memo: dict[Expr, Expr] = {}
            for node in topological(p for v in traced.outputs.values() for p in v.parts):
                memo[node] = self._substitute(step, node, memo)
            self.nodes[node_path(step.path)] = None
            self.expanded[step_id] = {
                name: self._scene(step, name, Vec(*(memo[p] for p in value.parts)))
                for name, value in traced.outputs.items()
            }
        return self.expanded[step_id]

    def _scene(self, step: Step, name: str, value: Vec) -> Vec:
        """What a hybrid gives display-referred, as scene values."""
        port = step.output(name)
        return from_display(value) if self.linear and port.display and port.type is Image else value

    def _substitute(self, step: Step, node: Expr, memo: Mapping[Expr, Expr]) -> Expr:
        args = [memo[a] for a in node.args]
        match node.op:
            case "load":
                return self._port(step, node.attr[0]).parts[node.attr[1]]
            case "near":
                return self._near(step, *node.attr)
            case "sample":
                return self._sample(step, Vec(args[0]), Vec(args[1]), *node.attr)
            case "uniform":
                return self._value(step, *node.attr)
            case "fetch":
                kind, name = node.attr
                source = TableSource(kind, self.slot_of((node_path(step.path), name)))
                return make("fetch", args[0], attr=self.tables.setdefault(source, len(self.tables)))
            case "gauss":
                source = TableSource("gauss", sigma=args[1])
                table = self.tables.setdefault(source, len(self.tables))
                radius = self._uniform(UniformSource("radius", (table,))).parts[0]
                return make("gauss", args[0], radius, attr=(node.attr, table))
        return make(node.op, *args, attr=node.attr)

    def _port(self, step: Step, name: str) -> Vec:
        link = step.links.get(name)
        if link is None:
            port = step.decl.input(name)
            assert port is not None
            return vec(*port.neutral) if isinstance(port.neutral, tuple) else vec(port.neutral)
        if not self._is_raster(link):
            return convert_raster(self._slot_vec(link), link.conversion)
        value, port = convert_raster(self.value(link.source), link.conversion), step.decl.input(name)
        shown = self.linear and port is not None and port.display and port.type is Image
        return to_display(value) if shown else value

    def _is_raster(self, link: Link) -> bool:
        return self.steps[link.source[0]].output(link.source[1]).type.family == "raster"

    def _slot_vec(self, link: Link) -> Vec:
        kind = self.steps[link.source[0]].output(link.source[1]).type
        slot = self.slot_of(link.source)
        return vec(*(self._uniform(UniformSource("slot", (slot, c))) for c in range(kind.components)))

    def _near(self, step: Step, name: str, channel: int, i: int, j: int, border: str) -> Expr:
        link = step.links.get(name)
        if link is None or not self._is_raster(link):
            return self._port(step, name).parts[channel]
        source = self.source_of(link.source)
        if source is None:
            raise CompileError(f"{step.path}: {name!r} is read beside its place, but is not in memory")
        if source.same:
            index = self._index(link.source, source)
            parts = [Expr("near", (), (index, c, i, j, border)) for c in range(source.channels)]
            x, y = Vec(Expr("x")) + float(i), Vec(Expr("y")) + float(j)
            value = self._filled(link.source, parts, self._inside(index, x, y) if border == "zero" else None)
        else:
            index = self._index(link.source, source)
            x, y = Vec(Expr("x")) + float(i), Vec(Expr("y")) + float(j)
            value = self._sampled(link.source, source, *self._affine("map", index, x, y), border=border)
        return convert_raster(value, link.conversion).parts[channel]

    def _sample(self, step: Step, x: Vec, y: Vec, name: str, channel: int, border: str) -> Expr:
        link = step.links.get(name)
        if link is None or not self._is_raster(link):
            return self._port(step, name).parts[channel]
        source = self.source_of(link.source)
        if source is None:
            raise CompileError(f"{step.path}: {name!r} is sampled, but is not in memory")
        index = self._index(link.source, source)
        value = self._sampled(link.source, source, *self._affine("frame", index, x, y), border=border)
        return convert_raster(value, link.conversion).parts[channel]

    def _value(self, step: Step, name: str, component: Any) -> Expr:
        if name == "at" and component in ("xy", "yx"):
            return const(0.0)
        if name == "at":
            return self._uniform(UniformSource("at", (component,))).parts[0]
        if component == "size":
            source = TableSource("lut", self.slot_of((node_path(step.path), name)))
            table = self.tables.setdefault(source, len(self.tables))
            return self._uniform(UniformSource("size", (table,))).parts[0]
        link = step.links.get(name)
        if link is not None:
            return convert_raster(self._slot_vec(link), link.conversion).parts[component]
        if port := step.decl.input(name):
            return const(_numbers(port.neutral)[component])
        return self._uniform(UniformSource("slot", (self.slot_of((node_path(step.path), name)), component))).parts[0]


def _numbers(value: Any) -> tuple[float, ...]:
    return tuple(map(float, value)) if isinstance(value, (tuple, list)) else (float(value),)


def border_of(type_name: str) -> str:
    """What a raster is outside itself when it is mapped into another domain."""
    return "zero" if find_type(type_name) is Surface else "clamp"
