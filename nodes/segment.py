"""Segmentation: which pixels are a person."""

from __future__ import annotations

from typing import Any

from ..graph.declare import In, Out, Param, ProcessNode, inner, param, port, result, same, slot
from ..graph.types import Choice, Image, Mask, Number
from ..runtime.frames import Frame, Geometry
from ..runtime.perception.segment import MODELS, PersonSegmenter, Shape, make_state
from ..runtime.pixel import At, Raster, Vec, dot, smoothstep

__all__ = ["Person"]

SHAPES: dict[str, Shape | None] = {"auto": None, "landscape": "landscape", "square": "square"}


class Person(ProcessNode, type="segment.person", latency="model", fallback="last"):
    """Where people are: a mask that follows the picture's edges at full resolution.

    A small network (MediaPipe's selfie segmentation) sees the whole picture at 256×144 or 256×256. Where it is unsure and
    the picture stands still, its answer is steadied over time. A guided filter then bends it onto the picture's edges.
    Best for people within about three metres.
    """

    image: In[Image] = port(display=True, doc="the picture to look at")
    model: Param[Choice] = param(
        "auto", choices=tuple(SHAPES), doc="the network's shape; auto takes the one nearer to the picture's"
    )
    smoothing: Param[Number] = param(0.6, low=0.0, high=1.0, doc="0 = each frame for itself, 1 = most steady")
    edge: Param[Number] = param(
        0.75, low=0.0, high=1.0, doc="how closely edges follow the picture: 0 = soft, as the network drew it; 1 = every hair"
    )
    feather: Param[Number] = param(0.7, low=0.02, high=1.0, doc="width of the edge: small = cut out with scissors")
    coefficients: Out[Image] = inner(space=same("image"), doc="the mask as a linear model of the picture's colours")
    mask: Out[Mask] = result(space=same("image"), doc="1 on people")
    past = slot()

    def open(self, context: Any) -> None:
        self._segmenter = PersonSegmenter(lambda shape: context.model(MODELS[shape]))

    def process(self, image: Frame, model: str, smoothing: float, edge: float, tick: Any, state: Any) -> Frame:
        if state.past is None:
            state.past = make_state()
        found = self._segmenter.segment(
            image.data, tick.delta, state.past, shape=SHAPES[model], smoothing=smoothing, epsilon=10.0 ** (-4.0 * edge)
        )
        height, width = found.shape[:2]
        return Frame(found, stretched(width, height, image.geometry), image.space)

    def pixel(self, image: Raster, coefficients: Raster, feather: Vec, at: At) -> Vec:
        fit = coefficients.sample(at.x, at.y)
        coverage = dot(fit[0:3], image[0:3]) + fit[3]
        return smoothstep(0.5 - feather * 0.5, 0.5 + feather * 0.5, coverage)


def stretched(width: int, height: int, over: Geometry) -> Geometry:
    """A raster of that size that covers all of another one."""
    a, b, c, d, e, f = over.to_frame
    x, y = over.width / width, over.height / height
    return Geometry(width, height, (a * x, b * y, c, d * x, e * y, f))
