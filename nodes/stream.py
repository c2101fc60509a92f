"""Where the stream enters and leaves an effect, and what goes round to the next frame."""

from __future__ import annotations

from ..graph.declare import In, Out, Param, ProcessNode, frame_space, param, port, result
from ..graph.types import (
    Boolean,
    Colour,
    Faces,
    Image,
    Mask,
    Number,
    Vector2,
    Vector3,
)

__all__ = ["DelayColour", "DelayFaces", "DelayImage", "DelayMask", "DelayNumber", "Input", "Output"]


class Input(ProcessNode, type="source.input", role="source"):
    """The camera or the clip that the effect is played on.

    Its frames set the effect's clock and its frame space. 8-bit, upright, never mirrored (the window mirrors what
    it shows); alpha where the clip has it.
    """

    image: Out[Image] = result(space=frame_space, doc="the frame")

    def process(self) -> None:
        raise AssertionError("the session feeds this node")


class Output(ProcessNode, type="sink.output", role="sink"):
    """What the effect shows, records or streams."""

    image: In[Image] = port(display=True, doc="the finished frame; values are clamped to 0–1 here")

    def process(self, image) -> None:
        raise AssertionError("the session takes from this node")


class _Delay(ProcessNode):
    def process(self, value) -> None:
        raise AssertionError("the session carries this value")


class DelayImage(_Delay, type="delay.image", role="delay"):
    """The image of the frame before: feedback, echo, trails. The first frame sees transparent black."""

    value: In[Image] = port(doc="what the next frame will get")
    out: Out[Image] = result(space=frame_space, doc="what this frame gets")


class DelayMask(_Delay, type="delay.mask", role="delay"):
    """The mask of the frame before. The first frame sees 0."""

    value: In[Mask] = port(doc="what the next frame will get")
    out: Out[Mask] = result(space=frame_space, doc="what this frame gets")


class DelayNumber(_Delay, type="delay.number", role="delay"):
    """The number of the frame before."""

    value: In[Number] = port(doc="what the next frame will get")
    start: Param[Number] = param(0.0, doc="what the first frame gets")
    out: Out[Number] = result(doc="what this frame gets")


class DelayBoolean(_Delay, type="delay.boolean", role="delay"):
    """The yes or no of the frame before."""

    value: In[Boolean] = port(doc="what the next frame will get")
    start: Param[Boolean] = param(False, doc="what the first frame gets")
    out: Out[Boolean] = result(doc="what this frame gets")


class DelayVector2(_Delay, type="delay.vector2", role="delay"):
    """The pair of numbers of the frame before."""

    value: In[Vector2] = port(doc="what the next frame will get")
    start: Param[Vector2] = param((0.0, 0.0), doc="what the first frame gets")
    out: Out[Vector2] = result(doc="what this frame gets")


class DelayVector3(_Delay, type="delay.vector3", role="delay"):
    """The three numbers of the frame before."""

    value: In[Vector3] = port(doc="what the next frame will get")
    start: Param[Vector3] = param((0.0, 0.0, 0.0), doc="what the first frame gets")
    out: Out[Vector3] = result(doc="what this frame gets")


class DelayColour(_Delay, type="delay.colour", role="delay"):
    """The colour of the frame before."""

    value: In[Colour] = port(doc="what the next frame will get")
    start: Param[Colour] = param((0.0, 0.0, 0.0, 0.0), doc="what the first frame gets")
    out: Out[Colour] = result(doc="what this frame gets")


class DelayFaces(_Delay, type="delay.faces", role="delay"):
    """The faces of the frame before. The first frame sees none."""

    value: In[Faces] = port(doc="what the next frame will get")
    out: Out[Faces] = result(doc="what this frame gets")
