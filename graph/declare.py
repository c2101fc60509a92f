"""How a node is declared: one class, annotated, checked when it is defined.

    class Exposure(PixelNode, type="colour.exposure"):
        '''Brighten or darken by stops, as a lens would.'''

        image: In[Image]
        stops: Param[Number] = param(0.0, low=-4, high=4, unit="EV", doc="one stop doubles the light")
        out: Out[Image]

        def pixel(self, image, stops):
            return image.scaled(exp2(stops))

Ports and parameters are annotations; their names are the file format, so they are never renamed without a
migration. `pixel` or `process` takes them by name.
"""

from __future__ import annotations

import inspect
import math
import re
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Generic, Literal, TypeVar, get_args, get_origin

from .errors import DeclarationError
from .types import Asset, Choice, Look, Model, PortType

__all__ = [
    "Declaration",
    "In",
    "Node",
    "Out",
    "Param",
    "Parameter",
    "PixelNode",
    "Port",
    "ProcessNode",
    "Slot",
    "SpaceRule",
    "asset_space",
    "frame_space",
    "inner",
    "new_space",
    "param",
    "port",
    "result",
    "same",
    "slot",
]

T = TypeVar("T")
WhenEmpty = Literal["skip", "neutral", "hold"]
Fallback = Literal["last", "empty", "pass"]
Latency = Literal["frame", "model", "slow"]


class In(Generic[T]):
    """Annotation of an input port."""


class Out(Generic[T]):
    """Annotation of an output port."""


class Param(Generic[T]):
    """Annotation of a parameter: an author sets it, a wire may drive it."""


@dataclass(frozen=True)
class SpaceRule:
    """Where an output lies: `same` as an input port, `new`, `frame` (the stream's) or `asset`."""

    kind: Literal["same", "new", "frame", "asset"]
    port: str = ""

    def __str__(self) -> str:
        return f"same({self.port!r})" if self.kind == "same" else self.kind


def same(port_name: str) -> SpaceRule:
    """The output lies where that input lies."""
    return SpaceRule("same", port_name)


new_space = SpaceRule("new")
frame_space = SpaceRule("frame")
asset_space = SpaceRule("asset")


@dataclass(frozen=True)
class Port:
    """An input or an output.

    Attributes:
        optional: an unwired input is its type's empty value (or `default`) instead of an error.
        domain: the node is computed where this input lies.
        carried: a node for one item gives this Image on, item after item.
        many: takes a list of such values, one for each item a mapped node made (merge, pick), in order of track id.
        anywhere: takes any space: the node itself places what comes in.
        display: display-referred (clamped 8-bit RGB, H×W×3) is part of the node's meaning here.
        when_empty: skip the node, go on with the empty value (neutral), or hold the last good one.
        inner: a process node's output for its own `pixel` method alone; not on the node.
        space: for spatial outputs.
        size: for rasters a process node writes: "domain" (as its space rule's input), or "free" (it returns its
            own Frame, of a capacity it allocates in `open`).
        like: another output of the node, of free size, whose pixels this one shares.
    """

    name: str
    type: type[PortType]
    optional: bool = False
    domain: bool = False
    carried: bool = False
    many: bool = False
    anywhere: bool = False
    display: bool = False
    when_empty: WhenEmpty = "neutral"
    inner: bool = False
    space: SpaceRule | None = None
    size: Literal["domain", "free"] = "domain"
    like: str = ""
    default: Any = None
    doc: str = ""

    @property
    def neutral(self) -> Any:
        """What an unwired optional input is: `default`, or its type's empty value."""
        return self.type.empty if self.default is None else self.default


@dataclass(frozen=True)
class Parameter:
    """A value the author sets.

    Attributes:
        low, high: the range (numbers; both ends allowed); None = unbounded.
        step: the grain of its widget.
        choices: the words a Choice may be (structural), or the values of a structural number.
        structural: the kernel is compiled for its value; moving it compiles.
        driven: a wire may drive it.
    """

    name: str
    type: type[PortType]
    default: Any = None
    low: float | None = None
    high: float | None = None
    step: float | None = None
    unit: str = ""
    widget: str = ""
    choices: tuple[Any, ...] = ()
    structural: bool = False
    doc: str = ""

    @property
    def driven(self) -> bool:
        return not self.structural


@dataclass(frozen=True)
class Slot:
    """A piece of state that survives a new plan: key (node path, name, track id), with a schema version."""

    name: str
    default: Any = None
    schema: int = 1


def port(
    *,
    optional: bool = False,
    domain: bool = False,
    carried: bool = False,
    many: bool = False,
    anywhere: bool = False,
    display: bool = False,
    when_empty: WhenEmpty = "neutral",
    default: Any = None,
    doc: str = "",
) -> Any:
    """Details of an input port; see Port."""
    return Port(
        "", PortType, optional=optional, domain=domain, carried=carried, many=many, anywhere=anywhere,
        display=display, when_empty=when_empty, default=default, doc=doc,
    )  # fmt: skip


def result(
    *, space: SpaceRule | None = None, size: Literal["domain", "free"] = "domain", like: str = "", display: bool = False,
    doc: str = "",
) -> Any:  # fmt: skip
    """Details of an output port; see Port."""
    return Port("", PortType, space=space, size="free" if like else size, like=like, display=display, doc=doc)


def inner(*, space: SpaceRule | None = None, size: Literal["domain", "free"] = "free", doc: str = "") -> Any:
    """An output of `process` that only the node's own `pixel` reads; see Port."""
    return Port("", PortType, inner=True, space=space, size=size, doc=doc)


def param(
    default: Any = None,
    *,
    low: float | None = None,
    high: float | None = None,
    step: float | None = None,
    unit: str = "",
    widget: str = "",
    choices: tuple[Any, ...] = (),
    structural: bool = False,
    doc: str = "",
) -> Any:
    """Details of a parameter; see Parameter."""
    return Parameter(
        "", PortType, default, low, high, step, unit, widget, choices, structural or bool(choices), doc
    )


def slot(default: Any = None, *, schema: int = 1) -> Any:
    """A declared slot of state; `process` takes them as attributes of its argument `state`."""
    return Slot("", default, schema)


@dataclass(frozen=True)
class Declaration:
    """What a node class said, checked. Everything else is derived from it."""

    type: str
    version: int
    kind: Literal["pixel", "process"]
    cls: type[Node]
    doc: str
    inputs: tuple[Port, ...]
    params: tuple[Parameter, ...]
    outputs: tuple[Port, ...]
    inners: tuple[Port, ...] = ()
    slots: tuple[Slot, ...] = ()
    latency: Latency = "frame"
    scope: Literal["frame", "clip"] = "frame"
    fallback: Fallback = "last"
    isolated: bool = False
    effectful: bool = False
    role: Literal["", "source", "sink", "delay"] = ""
    natives: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    pixel_arguments: tuple[str, ...] = ()
    extra: dict[str, Any] = field(default_factory=dict, compare=False)

    @property
    def title(self) -> str:
        """`colour.exposure` → `Exposure`."""
        return self.type.rpartition(".")[2].replace("_", " ").capitalize()

    @property
    def delay(self) -> bool:
        """Its outputs are of the frame before, so a cycle may go through it."""
        return self.role == "delay"

    @property
    def family(self) -> str:
        return self.type.partition(".")[0]

    @property
    def summary(self) -> str:
        """The docstring's first line."""
        return self.doc.partition("\n")[0]

    def input(self, name: str) -> Port | None:
        return next((p for p in self.inputs if p.name == name), None)

    def output(self, name: str) -> Port | None:
        return next((p for p in self.outputs if p.name == name), None)

    def parameter(self, name: str) -> Parameter | None:
        return next((p for p in self.params if p.name == name), None)

    def target(self, name: str) -> Port | Parameter | None:
        """What a wire may end at: an input, or a parameter a wire may drive."""
        found = self.input(name) or self.parameter(name)
        return None if isinstance(found, Parameter) and not found.driven else found

    @property
    def domain(self) -> Port | None:
        """The input that says where a pixel node is computed."""
        return _domain(self.inputs)


SPECIAL = {"pixel": {"at"}, "process": {"tick", "state", "out"}}
TYPE_ID = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")


class Node:
    """The root of all node classes; use PixelNode or ProcessNode."""

    declaration: ClassVar[Declaration]

    def __init_subclass__(cls, *, type: str = "", version: int = 1, **options: Any) -> None:
        super().__init_subclass__()
        if type:  # a class without a type is a shared base, not a node
            cls.declaration = declare(cls, type, version, options)

    @classmethod
    def migrate(cls, params: dict[str, Any], version: int) -> dict[str, Any]:
        """Parameters as saved by `version` → as this version wants them. Override when the version rises."""
        return params

    @classmethod
    def migrate_port(cls, name: str, version: int) -> str:
        """A port's or parameter's name in `version` → its name now. Override when one is renamed."""
        return name


class PixelNode(Node):
    """A pure function of the pixels at one place or sampled near it, in the pixel language.

    Define `pixel(self, …)`: it takes input ports and parameters by name (rasters as `Raster`, values as `Vec`;
    Choice and other structural parameters as plain Python values), and `at` (see `spellwire.runtime.pixel`) where it wants the place.
    It returns a `Vec` for one output, a tuple for several.
    """


class ProcessNode(Node):
    """A node that runs Python: models, state, geometry, files.

    `open(context)` and `close()` frame its life; `process(self, …)` takes inputs and parameters by name, and, if
    named: `tick` (time), `state` (declared slots), `out` (the plan's buffers for raster outputs: a Frame, or a
    tuple of them). It returns its output, or a tuple in order of declaration. Raster outputs that it wrote into `out` are
    returned too. With a `pixel` method as well, it gets its declared inputs and its `inner` outputs there, and `pixel`
    gives the outputs.

    Class options: latency="frame"|"model"|"slow", scope="frame"|"clip", fallback="last"|"empty"|"pass",
    isolated=True, effectful=True (never pruned), role="source"|"sink"|"delay" (the session feeds it, takes from
    it, or carries it to the next frame: only through a delay may a cycle pass), natives=(…) (native loops it calls).
    """

    def open(self, context: Any) -> None:
        """Before the first frame, and again after a reset: load models, rebuild what is not in slots."""

    def close(self) -> None:
        """After the last frame."""


def declare(cls: type[Node], type_id: str, version: int, options: dict[str, Any]) -> Declaration:
    """Read and check a node class."""
    where = f"{cls.__module__}.{cls.__qualname__}"
    if not TYPE_ID.fullmatch(type_id):
        raise DeclarationError(f"{where}: node type {type_id!r} must look like 'family.name', in lower case")
    doc = inspect.cleandoc(cls.__dict__.get("__doc__") or "")
    if not doc:
        raise DeclarationError(f"{where}: give it a docstring; it is the node's page")
    inputs, params, outputs, inners = _read_annotations(cls, where)
    slots = tuple(
        replace(v, name=n)
        for base in reversed(cls.__mro__)
        for n, v in vars(base).items()
        if isinstance(v, Slot)
    )
    kind = "pixel" if issubclass(cls, PixelNode) else "process"
    known = {"latency", "scope", "fallback", "isolated", "effectful", "natives", "role"}
    if extra := set(options) - known:
        raise DeclarationError(
            f"{where}: unknown option {sorted(extra)[0]!r}; known: {', '.join(sorted(known))}"
        )
    names = [p.name for p in (*inputs, *params)]
    both = names + [p.name for p in inners]
    arguments = () if kind == "pixel" else _check_arguments(cls, "process", names, where)
    has_pixel = kind == "pixel" or hasattr(cls, "pixel")
    pixel_arguments = _check_arguments(cls, "pixel", both, where) if has_pixel else ()
    if kind == "process" and bool(inners) != has_pixel:
        raise DeclarationError(f"{where}: `inner` outputs and a `pixel` method come together")
    domain = _domain(inputs)
    raster_in = domain.name if domain else None
    outputs = tuple(_with_space(p, raster_in) for p in outputs)
    inners = tuple(_with_space(p, raster_in) for p in inners)
    for out in (*outputs, *inners):
        if out.space and out.space.kind == "same" and out.space.port not in names:
            raise DeclarationError(f"{where}: output {out.name!r} lies at {out.space}, which is no input")
    from .laws import check_laws

    made = Declaration(
        type_id, version, kind, cls, doc, inputs, params, outputs, inners, slots,
        arguments=arguments, pixel_arguments=pixel_arguments, **options,
    )  # fmt: skip
    check_laws(made, where)
    return made


def _domain(inputs: tuple[Port, ...]) -> Port | None:
    rasters = [p for p in inputs if p.type.family == "raster" and not p.anywhere]
    return next((p for p in rasters if p.domain), None) or next((p for p in rasters if not p.optional), None)


def _with_space(out: Port, raster_in: str | None) -> Port:
    if not out.type.spatial or out.space is not None:
        return out
    return replace(out, space=same(raster_in) if raster_in else frame_space)


def _read_annotations(cls: type[Node], where: str):
    inputs: list[Port] = []
    params: list[Parameter] = []
    outputs: list[Port] = []
    inners: list[Port] = []
    hints: dict[str, Any] = {}
    try:
        for base in reversed(cls.__mro__):  # base first, so shared ports keep their place
            if issubclass(base, Node) and base.__module__ != __name__:
                hints |= inspect.get_annotations(base, eval_str=True)
    except NameError as error:
        raise DeclarationError(f"{where}: an annotation names something unknown: {error}") from None
    for name, hint in hints.items():
        origin = get_origin(hint)
        if origin not in (In, Out, Param):
            continue
        (kind,) = get_args(hint)
        if not (isinstance(kind, type) and issubclass(kind, PortType)):
            raise DeclarationError(f"{where}: {name!r} is annotated with {kind!r}, which is no port type")
        given = getattr(cls, name, None)
        if origin is Param:
            params.append(_parameter(name, kind, given, where))
        elif isinstance(given, Port) or given is None:
            made = replace(given or Port("", kind), name=name, type=kind)
            (inputs if origin is In else inners if made.inner else outputs).append(made)
        else:
            raise DeclarationError(f"{where}: port {name!r} takes port(…) or result(…), not {given!r}")
    return tuple(inputs), tuple(params), tuple(outputs), tuple(inners)


def _parameter(name: str, kind: type[PortType], given: Any, where: str) -> Parameter:
    if not isinstance(given, Parameter):
        given = Parameter("", kind, default=kind.empty if given is None else given)
    structural = given.structural or kind in (Choice, Model, Look, Asset)
    default = kind.empty if given.default is None else given.default
    made = replace(given, name=name, type=kind, structural=structural, default=default)
    if kind is Choice and made.default not in made.choices:
        raise DeclarationError(f"{where}: {name!r}: default {made.default!r} is not among {made.choices}")
    if isinstance(default, (int, float)) and not isinstance(default, bool):
        low = -math.inf if made.low is None else made.low
        high = math.inf if made.high is None else made.high
        if not low <= default <= high:
            raise DeclarationError(f"{where}: {name!r}: default {default} is outside {low} to {high}")
    return made


def _check_arguments(cls: type[Node], method: str, names: list[str], where: str) -> tuple[str, ...]:
    function = getattr(cls, method, None)
    if function is None:
        raise DeclarationError(f"{where}: define {method}(self, …)")
    asked = tuple(inspect.signature(function).parameters)[1:]
    if unknown := [a for a in asked if a not in names and a not in SPECIAL[method]]:
        known = ", ".join([*names, *sorted(SPECIAL[method])])
        raise DeclarationError(
            f"{where}.{method}: argument {unknown[0]!r} is neither a port nor a parameter; known: {known}"
        )
    return asked
