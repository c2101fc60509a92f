"""Declarations: what a class says, and what is refused when it is defined."""

import pytest

from spellwire.graph.declare import (
    In,
    Out,
    Param,
    PixelNode,
    ProcessNode,
    frame_space,
    new_space,
    param,
    port,
    result,
    same,
    slot,
)
from spellwire.graph.errors import DeclarationError
from spellwire.graph.types import (
    CONVERSIONS,
    TYPES,
    Choice,
    Face,
    Faces,
    Image,
    Mask,
    Number,
    PortType,
    Trigger,
    conversion,
    find_type,
)


class Base(PixelNode):
    """Shared ports."""

    image: In[Image] = port(doc="a picture")
    out: Out[Image]


class Tone(Base, type="test.tone_map", version=2):
    """Map tones.

    More of it.
    """

    amount: Param[Number] = param(0.5, low=0, high=1, step=0.1, unit="EV", doc="how much")
    curve: Param[Choice] = param("soft", choices=("soft", "hard"))

    def pixel(self, image, amount, curve, at): ...


def test_a_class_says_everything():
    d = Tone.declaration
    assert (d.type, d.version, d.kind, d.family, d.title) == ("test.tone_map", 2, "pixel", "test", "Tone map")
    assert d.summary == "Map tones." and d.doc.endswith("More of it.")
    assert [p.name for p in (*d.inputs, *d.params, *d.outputs)] == ["image", "amount", "curve", "out"]
    assert d.input("image").doc == "a picture" and d.output("out").space == same("image")
    amount = d.parameter("amount")
    assert (amount.default, amount.low, amount.high, amount.step, amount.unit) == (0.5, 0, 1, 0.1, "EV")
    assert amount.driven and not d.parameter("curve").driven
    assert d.target("amount") is amount and d.target("curve") is None and d.target("image").type is Image
    assert d.pixel_arguments == ("image", "amount", "curve", "at") and not hasattr(Base, "declaration")


def test_spaces_follow_the_domain():
    class Node(ProcessNode, type="test.spaces"):
        """Spaces."""

        far: In[Image] = port(anywhere=True)
        first: In[Image]
        main: In[Mask] = port(domain=True)
        out: Out[Image]
        fresh: Out[Image] = result(space=new_space)
        faces: Out[Faces] = result(space=frame_space)
        number: Out[Number]
        seen: int = slot(0, schema=3)

        def process(self, far, first, main): ...

    d = Node.declaration
    assert d.domain.name == "main" and d.output("out").space == same("main")
    assert d.output("fresh").space == new_space and d.output("number").space is None
    assert [(s.name, s.default, s.schema) for s in d.slots] == [("seen", 0, 3)]


def make(body, base=PixelNode, doc="A node.", **options):
    """Define a class from annotations and attributes, as `class` would."""
    names = {"__annotations__": {}, "__doc__": doc, "__module__": __name__}
    for name, value in body.items():
        hint, given = value if isinstance(value, tuple) else (value, None)
        if callable(value) and not hasattr(value, "__origin__"):
            names[name] = value
            continue
        names["__annotations__"][name] = hint
        if given is not None:
            names[name] = given
    return type("Node", (base,), names, **({"type": "test.node"} | options))


def pixel(self): ...


PLAIN = {"image": In[Image], "out": Out[Image], "pixel": pixel}
BAD = {
    "docstring": ({**PLAIN}, {"doc": ""}),
    "must look like": ({**PLAIN}, {"type": "Node"}),
    "unknown option 'speed'": ({**PLAIN}, {"speed": 3}),
    "latency='soon'": ({**PLAIN}, {"latency": "soon"}),
    "role='tap'": ({**PLAIN}, {"role": "tap"}),
    "fallback='none'": ({**PLAIN}, {"fallback": "none"}),
    "version 0": ({**PLAIN}, {"version": 0}),
    "define pixel": ({"image": In[Image]}, {}),
    "define process": ({"image": In[Image]}, {"base": ProcessNode}),
    "argument 'picture'": ({**PLAIN, "pixel": lambda self, picture: None}, {}),
    "no port type": ({**PLAIN, "image": In[int]}, {}),
    "takes port": ({**PLAIN, "image": (In[Image], 3)}, {}),
    "which is no input": ({**PLAIN, "out": (Out[Image], result(space=same("mask")))}, {}),
    "default 3 is outside": ({**PLAIN, "x": (Param[Number], param(3, low=0, high=1))}, {}),
    "default 'a' is not a number": ({**PLAIN, "x": (Param[Number], param("a"))}, {}),
    "is empty": ({**PLAIN, "x": (Param[Trigger], param((), low=2, high=1))}, {}),
    "is not among": ({**PLAIN, "x": (Param[Choice], param("c", choices=("a", "b")))}, {}),
    "argument of its own": ({**PLAIN, "tick": In[Number]}, {}),
    "a node has a method of that name": ({**PLAIN, "open": Param[Number]}, {}),
    "can't be a name": ({**PLAIN, "größe": In[Number]}, {}),
    "no output of type Mask": ({**PLAIN, "m": (In[Mask], port(carried=True))}, {}),
    "all items at once": ({**PLAIN, "image": (In[Image], port(carried=True, many=True))}, {}),
    "has no pixels": ({**PLAIN, "n": (In[Number], port(domain=True))}, {}),
    "can't lie anywhere": ({**PLAIN, "image": (In[Image], port(domain=True, anywhere=True))}, {}),
    "more than one": ({**PLAIN, "image": (In[Image], port(domain=True)), "m": (In[Mask], port(domain=True))}, {}),
    "come together": ({**PLAIN, "process": lambda self: None}, {"base": ProcessNode}),
}  # fmt: skip


@pytest.mark.parametrize("cause", BAD)
def test_a_contradiction_is_refused_where_it_is_written(cause):
    body, options = BAD[cause]
    with pytest.raises(DeclarationError) as error:
        make(body, **options)
    assert cause in str(error.value) and "Node" in str(error.value)


def test_the_plain_one_is_accepted():
    assert make(PLAIN).declaration.type == "test.node"


def test_every_type_says_what_it_is():
    for name, kind in TYPES.items():
        if kind.__module__ != "spellwire.graph.types":
            continue
        assert kind.name == name and find_type(name) is kind and kind.__doc__
        assert kind.policies and kind.colour.startswith("#") and len(kind.colour) == 7
        assert kind.family != "raster" or (kind.spatial and len(kind.empty) == kind.components)
        assert (kind.family == "list") == (kind.item is not None)
    assert find_type("Nothing") is None


def test_conversions_lose_nothing_and_go_one_way_round():
    assert conversion(Face, Faces) and not conversion(Faces, Face)
    assert conversion(Mask, Image) and not conversion(Image, Mask)
    for (source, target), step in CONVERSIONS.items():
        assert step.source is TYPES[source] and step.target is TYPES[target] and step.doc
        if source != target and step.source.components and step.target.components and source != "Surface":
            assert step.source.components <= step.target.components


def test_a_third_party_type_joins_the_vocabulary():
    class Fog(PortType):
        """Density."""

    try:
        assert find_type("Fog") is Fog
    finally:
        del TYPES["Fog"]


def test_outputs_that_share_pixels_name_one_of_free_size():
    class Drawn(ProcessNode, type="test.drawn"):
        """Draw."""

        first: Out[Image] = result(space=frame_space, size="free")
        second: Out[Mask] = result(space=frame_space, like="first")

        def process(self): ...

    second = Drawn.declaration.output("second")
    assert second is not None and second.like == "first" and second.size == "free"
    for other in ({"like": "nobody"}, {"like": "third"}, {"like": "first", "space": new_space}):

        class Bad(ProcessNode):
            """Draw."""

            first: Out[Image] = result(space=frame_space, size="free")
            third: Out[Image] = result(space=frame_space)
            second: Out[Mask] = result(**{"space": frame_space, **other})

            def process(self): ...

        with pytest.raises(DeclarationError, match="shares the pixels of"):
            type("Worse", (Bad,), {"__doc__": "Draw.", "process": Bad.process}, type="test.bad")
