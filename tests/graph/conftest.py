"""A small vocabulary of nodes, enough to say everything a graph can say, and a short way to write effects."""

import pytest

from spellwire.graph.declare import (
    In,
    Out,
    Param,
    PixelNode,
    ProcessNode,
    asset_space,
    frame_space,
    new_space,
    param,
    port,
    result,
)
from spellwire.graph.document import effect_from_data
from spellwire.graph.registry import Registry
from spellwire.graph.types import Asset, Choice, Colour, Face, Faces, Image, Integer, Mask, Number, Trigger


class Source(ProcessNode, type="media.source", role="source"):
    """Frames."""

    image: Out[Image] = result(space=frame_space)

    def process(self): ...


class Picture(ProcessNode, type="media.picture"):
    """A picture file."""

    file: Param[Asset]
    image: Out[Image] = result(space=asset_space)

    def process(self): ...


class Sink(ProcessNode, type="media.sink", role="sink"):
    """Shows frames."""

    image: In[Image]

    def process(self, image): ...


class Grade(PixelNode, type="colour.grade"):
    """Changes colours."""

    image: In[Image]
    amount: Param[Number] = param(0.5, low=0, high=1)
    tint: Param[Colour] = param((1.0, 1.0, 1.0, 1.0))
    out: Out[Image]

    def pixel(self, image, amount): ...


class Blend(PixelNode, type="composite.blend"):
    """Lays one picture over another."""

    base: In[Image] = port(domain=True)
    layer: In[Image]
    mask: In[Mask] = port(optional=True)
    mode: Param[Choice] = param("normal", choices=("normal", "screen"))
    taps: Param[Integer] = param(1, low=1, high=40, structural=True)
    out: Out[Image]

    def pixel(self, base, layer, mask, mode): ...


class Gradient(PixelNode, type="generate.gradient"):
    """A generator: it has no place of its own."""

    angle: Param[Number] = param(0.0)
    out: Out[Image]

    def pixel(self, at, angle): ...


class Blur(ProcessNode, type="filter.blur"):
    """A neighbourhood."""

    image: In[Image]
    radius: Param[Number] = param(0.01, low=0, high=1)
    out: Out[Image]

    def process(self, image, radius, out): ...


class Smaller(ProcessNode, type="transform.smaller"):
    """Keeps the space, changes the size."""

    image: In[Image]
    out: Out[Image] = result(size="free")

    def process(self, image): ...


class Crop(ProcessNode, type="transform.crop"):
    """Makes a space."""

    image: In[Image]
    out: Out[Image] = result(space=new_space)

    def process(self, image, out): ...


class Place(PixelNode, type="transform.place"):
    """Brings a picture of any space into another."""

    base: In[Image] = port(domain=True)
    layer: In[Image] = port(anywhere=True)
    out: Out[Image]

    def pixel(self, base, layer): ...


class FaceMesh(ProcessNode, type="face.mesh", latency="model"):
    """Finds faces."""

    image: In[Image]
    faces: Out[Faces] = result(space=frame_space)

    def process(self, image): ...


class FaceMask(ProcessNode, type="face.mask"):
    """The mask of one face."""

    face: In[Face]
    like: In[Image] = port(domain=True)
    mask: Out[Mask]
    size: Out[Number]

    def process(self, face, like, out): ...


class FaceWarp(ProcessNode, type="face.warp"):
    """Warps one face in a picture."""

    image: In[Image] = port(carried=True)
    face: In[Face]
    amount: Param[Number] = param(0.0)
    out: Out[Image]

    def process(self, image, face, amount, out): ...


class Merge(ProcessNode, type="mask.merge"):
    """Masks to one mask."""

    masks: In[Mask] = port(many=True)
    out: Out[Mask]

    def process(self, masks, out): ...


class Draw(ProcessNode, type="face.draw"):
    """Draws all faces."""

    faces: In[Faces]
    like: In[Image]
    out: Out[Mask]

    def process(self, faces, like, out): ...


class Delay(ProcessNode, type="time.delay_image", role="delay"):
    """The picture of the frame before."""

    image: In[Image]
    out: Out[Image]

    def process(self, image): ...


class Maths(ProcessNode, type="value.scale"):
    """A number times another."""

    number: In[Number]
    factor: Param[Number] = param(1.0)
    out: Out[Number]

    def process(self, number, factor): ...


class Value(ProcessNode, type="value.number"):
    """A number."""

    value: Param[Number] = param(0.0)
    out: Out[Number]

    def process(self, value): ...


class Which(ProcessNode, type="value.which"):
    """A whole number."""

    out: Out[Integer]
    hit: Out[Trigger]

    def process(self): ...


class Flash(PixelNode, type="colour.flash"):
    """Needs an event."""

    image: In[Image]
    when: In[Trigger]
    out: Out[Image]

    def pixel(self, image): ...


KIT = Registry.of(
    Source, Picture, Sink, Grade, Blend, Gradient, Blur, Smaller, Crop, Place, FaceMesh, FaceMask, FaceWarp,
    Merge, Draw, Delay, Maths, Value, Which, Flash,
)  # fmt: skip


@pytest.fixture(scope="session")
def kit():
    """The vocabulary above."""
    return KIT


def node(spec):
    """`"colour.grade image=n1.image amount:0.3"` → the node as it stands in effect.json."""
    kind, *rest = spec.split() if isinstance(spec, str) else (spec, ())
    made = {"type": kind, "params": {}, "inputs": {}}
    for part in rest:
        if "=" in part:
            key, value = part.split("=")
            made["inputs"].setdefault(key, []).append(value)
        else:
            key, value = part.split(":")
            try:
                made["params"][key] = float(value) if "." in value else int(value)
            except ValueError:
                made["params"][key] = value
    return made


def graph(nodes, **more):
    return {"nodes": {k: node(v) if isinstance(v, str) else v for k, v in nodes.items()}, **more}


@pytest.fixture(scope="session")
def effect():
    """effect(n1="media.source", n2="colour.grade image=n1.image", groups={…}, interface=[…]) → Effect."""

    def make(groups=None, **nodes):
        top = {k: nodes.pop(k) for k in ("interface", "title", "working_space", "requires") if k in nodes}
        groups = {name: graph(**body) for name, body in (groups or {}).items()}
        return effect_from_data(graph(nodes, groups=groups, **top))

    return make
