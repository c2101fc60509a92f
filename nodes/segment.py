"""Segmentation: which pixels are a person, and which part of one."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from ..graph.declare import In, Out, Param, ProcessNode, inner, param, port, result, same, slot
from ..graph.types import Choice, Image, Mask, Number
from ..runtime.frames import Frame, Geometry
from ..runtime.perception import parts
from ..runtime.perception.carry import Carrier
from ..runtime.perception.guided import GuidedCoefficients, loop_of
from ..runtime.perception.segment import MODELS, PersonSegmenter, Shape, make_state
from ..runtime.perception.shrink import Shrinker
from ..runtime.pixel import At, Raster, Vec, dot, smoothstep

__all__ = ["Parts", "Person", "Refine"]

ROWS = 144  # of the grid that a mask is refined on
LEAST = 16  # pixels on a side from which on motion is looked for
SHAPES: dict[str, Shape | None] = {"auto": None, "landscape": "landscape", "square": "square"}


class Person(
    ProcessNode, type="segment.person", latency="model", natives=("guided_fit", "box_shrink"), fallback="last"
):  # fmt: skip
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
        self._segmenter = PersonSegmenter(
            lambda shape: context.model(MODELS[shape]), loop_of(context, "guided_fit"), loop_of(context, "box_shrink")
        )  # fmt: skip

    def process(self, image: Frame, model: str, smoothing: float, edge: float, tick: Any, state: Any) -> Frame:
        if state.past is None:
            state.past = make_state()
        found = self._segmenter.segment(
            image.data, tick.delta, state.past, shape=SHAPES[model], smoothing=smoothing, epsilon=10.0 ** (-4.0 * edge)
        )
        height, width = found.shape[:2]
        return Frame(found, stretched(width, height, image.geometry), image.space)

    def pixel(self, image: Raster, coefficients: Raster, feather: Vec, at: At) -> Vec:
        return bent(image, coefficients, feather, at)


class Parts(ProcessNode, type="segment.parts", latency="slow", fallback="last"):
    """Hair, skin, clothes: a mask of each part of the people in the picture, coarse.

    MediaPipe's multiclass network sees the whole picture at 256×256, in a lane of its own, so its masks are some frames
    late. `segment.refine` carries one to the picture of now and bends it onto its edges; wire `seen` there, too. Best
    for one or two people within about three metres.
    """

    image: In[Image] = port(display=True, doc="the picture to look at")
    smoothing: Param[Number] = param(0.6, low=0.0, high=1.0, doc="0 = each picture for itself, 1 = most steady")
    hair: Out[Mask] = result(space=same("image"), size="free", doc="1 on hair")
    face_skin: Out[Mask] = result(space=same("image"), size="free", doc="1 on the face: skin, eyes and lips")
    body_skin: Out[Mask] = result(space=same("image"), size="free", doc="1 on neck, ears, arms, hands, legs")
    clothes: Out[Mask] = result(space=same("image"), size="free", doc="1 on clothes")
    other: Out[Mask] = result(space=same("image"), size="free", doc="1 on what people wear or hold: glasses, hats, jewellery")
    person: Out[Mask] = result(space=same("image"), size="free", doc="1 on all of them")
    seen: Out[Image] = result(space=same("image"), size="free", display=True, doc="the picture as the network saw it, small")
    past = slot()

    models = (parts.MODEL,)

    def open(self, context: Any) -> None:
        self._segmenter = parts.PartsSegmenter(context.model(parts.MODEL))
        self._person = np.zeros(self._segmenter.parts.shape[1:], np.float32)

    def process(self, image: Frame, smoothing: float, tick: Any, state: Any) -> tuple[Frame, ...]:
        if state.past is None:
            state.past = parts.make_state()
        background, hair, body, face, clothes, other = self._segmenter.segment(image.data, tick.delta, state.past, smoothing)
        np.subtract(np.float32(1), background, out=self._person)
        height, width = background.shape
        geometry = stretched(width, height, image.geometry)
        masks = [Frame(m[..., None], geometry, image.space) for m in (hair, face, body, clothes, other, self._person)]
        return (*masks, Frame(self._segmenter.seen, geometry, image.space))


class Refine(ProcessNode, type="segment.refine", natives=("guided_fit",), fallback="last"):
    """A coarse mask, carried to the picture of now and bent onto its edges at full resolution.

    For a mask that came late or small: from `segment.parts`, or from a model of one's own. With `seen`, the picture that
    the mask belongs to, the motion since then is measured on a small grid and the mask moved along. A guided filter
    then finds how it follows the picture's colours around each place.
    """

    image: In[Image] = port(display=True, domain=True, doc="the picture whose edges it follows")
    mask: In[Mask] = port(doc="a mask, coarse or late")
    seen: In[Image] = port(optional=True, display=True, doc="the picture that the mask belongs to; unwired: this one")
    edge: Param[Number] = param(
        0.75, low=0.0, high=1.0, doc="how closely edges follow the picture: 0 = soft, as the mask was; 1 = every hair"
    )
    feather: Param[Number] = param(0.9, low=0.02, high=1.0, doc="width of the edge: small = cut out with scissors")
    coefficients: Out[Image] = inner(space=same("image"), doc="the mask as a linear model of the picture's colours")
    out: Out[Mask] = result(space=same("image"), doc="the mask, on this picture")

    def open(self, context: Any) -> None:
        self._size, self._shrink, self._shrink_seen = (0, 0), Shrinker(), Shrinker()
        self._native = loop_of(context, "guided_fit")

    def process(self, image: Frame, mask: Frame, seen: Frame | None, edge: float) -> Frame:
        height = max(min(ROWS, image.height), 1)
        self._make(height, max(1, round(image.width * height / image.height)))
        self._shrink.into(image.data, self._pixels)
        np.multiply(self._pixels, np.float32(1 / 255), out=self._guide)
        self._spread(mask)
        if seen is not None and min(self._size) >= LEAST:
            self._shrink_seen.into(seen.data, self._then)
            self._follow()
        self._guided.fit(self._guide, self._now, 2, 10.0 ** (-4.0 * edge), self._fit)
        return Frame(self._fit, stretched(self._size[1], height, image.geometry), image.space)

    def _spread(self, mask: Frame) -> None:
        """The mask on the grid, 0 to 1."""
        into = self._bytes if mask.format == "u8" else self._now
        cv2.resize(mask.data, self._size[::-1], dst=into, interpolation=cv2.INTER_AREA)
        if into is self._bytes:
            np.multiply(into, np.float32(1 / 255), out=self._now)

    def _follow(self) -> None:
        """Undo the motion since the mask's picture, which may be this very one."""
        cv2.cvtColor(self._then, cv2.COLOR_RGB2GRAY, dst=self._grey[0])
        cv2.cvtColor(self._pixels, cv2.COLOR_RGB2GRAY, dst=self._grey[1])
        self._carrier.look(self._grey[0], self._grey[1])
        if not self._carrier.still:
            self._carrier.move(self._now, self._moved)
            self._now, self._moved = self._moved, self._now

    def _make(self, height: int, width: int) -> None:
        if self._size == (height, width):
            return
        self._size = height, width
        self._pixels, self._then = np.zeros((2, height, width, 3), np.uint8)
        self._bytes, *self._grey = np.zeros((3, height, width), np.uint8)
        self._guide, self._fit = np.zeros((height, width, 3), np.float32), np.zeros((height, width, 4), np.float32)
        self._now, self._moved = np.zeros((2, height, width), np.float32)
        self._guided, self._carrier = GuidedCoefficients(height, width, self._native), Carrier(height, width)

    def pixel(self, image: Raster, coefficients: Raster, feather: Vec, at: At) -> Vec:
        return bent(image, coefficients, feather, at)


def bent(image: Raster, coefficients: Raster, feather: Vec, at: At) -> Vec:
    """A mask at full resolution from its coarse model of the picture's colours."""
    fit = coefficients.sample(at.x, at.y)
    coverage = dot(fit[0:3], image[0:3]) + fit[3]
    return smoothstep(0.5 - feather * 0.5, 0.5 + feather * 0.5, coverage)


def stretched(width: int, height: int, over: Geometry) -> Geometry:
    """A raster of that size that covers all of another one."""
    a, b, c, d, e, f = over.to_frame
    x, y = over.width / width, over.height / height
    return Geometry(width, height, (a * x, b * y, c, d * x, e * y, f))
