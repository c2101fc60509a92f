"""The plan, immutable: what the passes work on and what an engine plays.

    Step   one node of the flat graph (or a half of one), with where its inputs come from
    Stage  one thing to do in a frame: call a node, run a kernel, take the stream's frame, …
    Plan   steps → stages, slots, buffers, kernels, lanes

A *ref* is (step id, output port). A *slot* is a place in the engine's flat list of values: one for each ref that
lives, and one for each parameter value a stage reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ...graph.declare import Declaration, Port
from ..pixel.lang import Expr
from ..pixel.region import Region

__all__ = [
    "Buffer",
    "Kernel",
    "Link",
    "Plan",
    "Ref",
    "Stage",
    "Step",
    "Stream",
    "TableSource",
    "UniformSource",
    "node_path",
]

Ref = tuple[str, str]
TRACK = "#track"  # the link of a step that plays for one track alone: who says which


def node_path(path: str) -> str:
    """The node that a copy is of: "n3/n2@1" → "n3/n2" (see unroll.py)."""
    return path.partition("@")[0]


Kind = Literal["source", "process", "pixel", "sink", "delay_read", "delay_write"]


@dataclass(frozen=True)
class Stream:
    """What the plan must know of the stream before a frame arrives. Size is not part of it."""

    channels: int = 3


@dataclass(frozen=True)
class Link:
    """Where an input's value comes from."""

    source: Ref
    conversion: str = ""  # "Mask>Image"
    policy: str = "exact"
    item: bool = False  # the source is a list, and this is one item of it at a time


@dataclass(frozen=True)
class Step:
    """One node use. `links` are by input or parameter name; `params` are the author's values, complete."""

    id: str
    path: str
    kind: Kind
    decl: Declaration
    params: Mapping[str, Any]
    links: Mapping[str, Link] = field(default_factory=dict)
    outputs: tuple[Port, ...] = ()
    mapped: str = ""  # the input whose items this step is called for
    carried: str = ""  # the Image input given on from item to item
    constant: bool = False  # runs when a parameter moves, not every frame

    def output(self, name: str) -> Port:
        return next(p for p in self.outputs if p.name == name)


@dataclass(frozen=True)
class UniformSource:
    """Where the host takes a uniform from.

    slot: (slot, component, conversion) · at: key of pixel.author.At · map: (read, 0…5), domain pixels → the read's
    pixels · frame: (read, 0…5), frame heights → the read's pixels ·
    extent: (read, 0 width | 1 height) · radius: table · size: table
    """

    kind: Literal["slot", "at", "map", "frame", "extent", "radius", "size"]
    args: tuple[Any, ...]


@dataclass(frozen=True)
class TableSource:
    """What the host fills a table from: a Curve's or a Look's slot, or a Gaussian of a sigma in frame heights."""

    kind: Literal["curve", "lut", "gauss"]
    slot: int = -1
    sigma: Expr | None = None


@dataclass(frozen=True)
class Kernel:
    """A region and how its arguments are found, all by position."""

    region: Region
    reads: tuple[int, ...]  # slots
    uniforms: tuple[UniformSource, ...]
    tables: tuple[TableSource, ...]
    nodes: tuple[str, ...]  # paths of what was fused, in order


@dataclass(frozen=True)
class Buffer:
    """A raster the plan owns: as large as the Frame in `like` (a slot), laid out when the first one arrives."""

    format: str
    channels: int
    like: int
    shared: int = -1  # index of the pool entry (buffers whose lifetimes don't meet share one)


@dataclass(frozen=True)
class Stage:
    """One action of a frame. `reads` and `writes` are slots."""

    kind: Literal["source", "process", "kernel", "sink", "delay_read", "delay_write"]
    path: str
    step: str
    reads: tuple[int, ...] = ()
    writes: tuple[int, ...] = ()
    converts: tuple[str, ...] = ()  # a conversion for each read, "" = none
    buffers: tuple[int, ...] = ()  # one a raster write, -1 = the node's own
    kernel: int = -1
    lane: str = "render"
    constant: bool = False


@dataclass(frozen=True)
class Plan:
    """Everything an engine needs but the nodes' code and the kernels' library."""

    steps: Mapping[str, Step]
    stages: tuple[Stage, ...]
    kernels: tuple[Kernel, ...]
    buffers: tuple[Buffer, ...]
    slots: tuple[Any, ...]  # the start value of each
    slot_of: Mapping[tuple[str, ...], int]  # refs and (path, parameter) alike
    interface: Mapping[str, Any]
    stream: Stream
    working_space: str = "srgb"
    natives: tuple[str, ...] = ()  # native loops that its nodes call
    notes: tuple[str, ...] = ()  # what the passes want a reader to know

    @property
    def regions(self) -> tuple[Region, ...]:
        """The different regions, each once."""
        return tuple({k.region.key: k.region for k in self.kernels}.values())
