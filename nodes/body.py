"""Body: people's poses, tracked; what is drawn of them, and where they are."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..graph.declare import In, Out, Param, ProcessNode, inner, param, port, result, same, slot
from ..graph.errors import NodeError
from ..graph.types import Bodies, Body, Boolean, Choice, Colour, Image, Integer, Mask, Number, Points
from ..runtime.frames import Frame
from ..runtime.perception.body import MODELS, WHOLE, BodyTracker, make_state
from ..runtime.perception.body_mask import BodyMasks
from ..runtime.perception.guided import loop_of
from ..runtime.perception.landmarks import BODY_SKELETON, indices, point_names
from ..runtime.perception.roi import to_frame
from ..runtime.perception.skeleton import Bone, SkeletonLayer
from ..runtime.pixel import At, Raster, Vec, dot, smoothstep
from ..runtime.values import BodyItem, Items
from .segment import stretched

__all__ = ["BodyMask", "BodyPoints", "PickBody", "Pose", "Skeleton"]

SURE = 0.5  # visibility from which on a point counts as seen


class Pose(ProcessNode, type="body.pose", latency="model", fallback="last"):
    """Tracked people as 33 landmarks each, in the picture and in metres, with visibility.

    A detector looks for people only while fewer than asked for are known; then each frame's landmarks say where to look
    in the next one. Each person keeps an id while seen, and for a second after that; each one costs the network anew.
    `lite` takes half of `full`'s time; `heavy`, for rendering clips, ten times as long. Best for people whose hips are in
    the picture.
    """

    image: In[Image] = port(display=True, doc="the picture to look at")
    variant: Param[Choice] = param("full", choices=("lite", "full", "heavy"), doc="how large the network is")
    max_bodies: Param[Integer] = param(1, low=1, high=4, doc="how many people to track at most")
    smoothing: Param[Number] = param(
        0.5, low=0.0, high=1.0, doc="0 = raw; higher = calmer while the person is still (motion is followed at any setting)"
    )
    confidence: Param[Number] = param(0.5, low=0.05, high=0.95, doc="below this a person is none")
    mask: Param[Boolean] = param(False, doc="let the network draw each person's mask too, for body.mask: half as long again")
    bodies: Out[Bodies] = result(space=same("image"), doc="the people, in order of track id")
    tracks = slot()

    def open(self, context: Any) -> None:
        self._context = context
        self._trackers: dict[tuple[str, bool], BodyTracker] = {}
        self._person: Any = None

    def process(
        self, image: Frame, variant: str, max_bodies: int, smoothing: float, confidence: float, mask: bool, tick: Any,
        state: Any,
    ) -> Items[BodyItem]:  # fmt: skip
        if state.tracks is None:
            state.tracks = make_state()
        found = self._tracker(variant, bool(mask) or variant == "heavy").track(
            image.data, tick.time, state.tracks, max_bodies=int(max_bodies), confidence=confidence, smoothing=smoothing
        )
        a, b, c, d, e, f = image.geometry.to_frame
        for body in found:
            to_frame(body.landmarks, image.geometry)
            if body.mask is not None:  # pictures lie straight: only their scale and place matter
                body.mask.x, body.mask.y = a * body.mask.x + b * body.mask.y + c, d * body.mask.x + e * body.mask.y + f
                body.mask.size *= abs(a * e - b * d) ** 0.5
        return Items(found, image.space, tick.width or image.width, tick.height or image.height, int(max_bodies))

    def _tracker(self, variant: str, mask: bool) -> BodyTracker:
        if (variant, mask) not in self._trackers:
            self._person = self._person or self._context.model(MODELS[0])
            network = self._context.model(WHOLE if mask else MODELS[1], variant)
            self._trackers[variant, mask] = BodyTracker(self._person, network)
        return self._trackers[variant, mask]


class PickBody(ProcessNode, type="body.pick", fallback="empty"):
    """One person out of several: the largest, the one nearest the middle, or by place in the list."""

    bodies: In[Bodies] = port(doc="tracked people")
    by: Param[Choice] = param("largest", choices=("largest", "middle", "index"), doc="which one")
    index: Param[Integer] = param(0, low=0, high=3, doc="with index: 0 = the person seen first")
    body: Out[Body] = result(space=same("bodies"), doc="that person; empty where there is none")

    def process(self, bodies: Items[BodyItem], by: str, index: int) -> BodyItem | None:
        if by == "index":
            return bodies[index] if 0 <= index < len(bodies) else None
        whole = [body for body in bodies if np.isfinite(body.landmarks).all()]
        if by == "middle":
            centre = np.array((bodies.width / 2, bodies.height / 2)) if whole else 0
            return min(whole, key=lambda b: float(np.abs(b.landmarks[11:25, :2].mean(0) - centre).sum()), default=None)
        return max(whole, key=lambda b: float(np.prod(np.ptp(b.landmarks[:, :2], axis=0))), default=None)


PARTS: dict[str, tuple[int, ...]] = {
    "all": tuple(range(33)), "face": tuple(range(11)), "torso": (11, 12, 24, 23), "left arm": (11, 13, 15),
    "right arm": (12, 14, 16), "left leg": (23, 25, 27), "right leg": (24, 26, 28), "hands": (15, 16), "feet": (27, 28),
}  # fmt: skip


class BodyPoints(ProcessNode, type="body.points", fallback="last"):
    """Landmarks of a person as points: all, a part's, or one named point."""

    body: In[Body] = port(doc="a person")
    part: Param[Choice] = param("all", choices=(*PARTS, "one"), doc="sides are the person's own")
    point: Param[Choice] = param("chest", choices=point_names("body"), doc="with one: which; some are the middle of several")
    visible: Param[Number] = param(0.0, low=0.0, high=1.0, doc="leave out points that are less visible than this")
    points: Out[Points] = result(space=same("body"), doc="(n, 3), in frame pixels, in the order of the part")

    def process(self, body: BodyItem | None, part: str, point: str, visible: float) -> np.ndarray:
        if body is None:
            return np.empty((0, 3), np.float32)
        if part == "one":
            which = list(indices("body", point))
            seen = body.visibility[which].min() >= visible
            return body.landmarks[which].mean(0, keepdims=True) if seen else np.empty((0, 3), np.float32)
        chosen = [i for i in PARTS[part] if body.visibility[i] >= visible]
        return body.landmarks[chosen]


class BodyMask(ProcessNode, type="body.mask", natives=("guided_fit",), fallback="last"):
    """Where tracked people are: a mask that follows the picture's edges at full resolution.

    The pose network draws it where `mask` of `body.pose` is on. Unlike `segment.person` it finds whole people at any
    distance, and knows whose it is: pick one person first, and only that one is cut out. It reaches less far than hair and
    bags do.
    """

    image: In[Image] = port(display=True, doc="the picture the people were found in")
    bodies: In[Bodies] = port(doc="people from body.pose, with its mask on")
    edge: Param[Number] = param(0.75, low=0.0, high=1.0, doc="how closely edges follow the picture: 0 = soft, 1 = every hair")
    feather: Param[Number] = param(0.7, low=0.02, high=1.0, doc="width of the edge: small = cut out with scissors")
    coefficients: Out[Image] = inner(space=same("image"), doc="the mask as a linear model of the picture's colours")
    mask: Out[Mask] = result(space=same("image"), doc="1 on people")

    def open(self, context: Any) -> None:
        self._masks = BodyMasks(loop_of(context, "guided_fit"))

    def process(self, image: Frame, bodies: Any, edge: float) -> Frame:
        crops = [body.mask for body in bodies if body.mask is not None]
        if len(bodies) and not crops:
            raise NodeError("the people have no masks; turn on `mask` of the body.pose they come from")
        found = self._masks.coefficients(image.data, image.geometry, crops, 10.0 ** (-4.0 * edge))
        height, width = found.shape[:2]
        return Frame(found, stretched(width, height, image.geometry), image.space)

    def pixel(self, image: Raster, coefficients: Raster, feather: Vec, at: At) -> Vec:
        fit = coefficients.sample(at.x, at.y)
        coverage = dot(fit[0:3], image[0:3]) + fit[3]
        return smoothstep(0.5 - feather * 0.5, 0.5 + feather * 0.5, coverage)


class Skeleton(ProcessNode, type="body.skeleton", fallback="empty"):
    """People as drawn bones: a layer to lay over a picture, or to glow, echo and displace with.

    Bones taper towards hands and feet and fade where the network doesn't see a joint.
    """

    bodies: In[Bodies] = port(doc="tracked people")
    left: Param[Colour] = param((0.25, 0.85, 1.0, 1.0), widget="colour", doc="of the person's left side, and the trunk")
    right: Param[Colour] = param((1.0, 0.4, 0.75, 1.0), widget="colour", doc="of the person's right side")
    width: Param[Number] = param(0.06, low=0.01, high=0.4, unit="torso lengths", doc="thickness of the bones")
    head: Param[Number] = param(0.3, low=0.0, high=0.6, unit="torso lengths", doc="size of the head's disc; 0 = none")
    layer: Out[Image] = result(space=same("bodies"), size="free", doc="the bones, transparent around")

    def open(self, context: Any) -> None:
        self._layer = SkeletonLayer()

    def process(self, bodies: Any, left: Any, right: Any, width: float, head: float, tick: Any) -> Frame:
        bones: list[Bone] = []
        for body in bodies:
            if np.isfinite(body.landmarks).all():
                bones += _bones(body, left, right, width, head)
        return self._layer.draw(bones, tick.width or 1, tick.height or 1, getattr(bodies, "space", "frame"))


def _bones(body: BodyItem, left: Any, right: Any, width: float, head: float) -> list[Bone]:
    points, seen = body.landmarks, body.visibility
    torso = float(np.linalg.norm(points[[11, 12], :2].mean(0) - points[[23, 24], :2].mean(0)))
    torso = max(torso, 0.6 * float(np.linalg.norm(points[11, :2] - points[12, :2])))  # seen from above it is short
    drawn: list[Bone] = []
    for a, b in BODY_SKELETON:
        shown = _fade(min(seen[a], seen[b]))
        if shown > 0:
            (xa, ya), (xb, yb) = points[a, :2].tolist(), points[b, :2].tolist()
            thick = 0.5 * width * torso
            ink = ink_of(right if a % 2 == 0 and b % 2 == 0 else left, shown)
            drawn.append((xa, ya, thick * _girth(a), xb, yb, thick * _girth(b), ink))
    shown = _fade(seen[:11].mean())
    if head > 0 and shown > 0:
        x, y = map(float, points[[7, 8], :2].mean(0))
        radius = 0.5 * head * torso
        drawn.append((x, y, radius, x, y, radius, ink_of(left, shown)))
    return drawn


def _girth(point: int) -> float:
    """Shoulders and hips are thick, hands and feet thin."""
    return 1.0 if point < 13 or 23 <= point < 25 else 0.75 if point < 15 or 25 <= point < 27 else 0.5


def _fade(visibility: float) -> float:
    t = min(max((float(visibility) - SURE + 0.2) / 0.3, 0.0), 1.0)
    return t * t * (3 - 2 * t)


def ink_of(colour: Any, shown: float) -> tuple[float, ...]:
    """A colour with alpha as bytes, premultiplied."""
    r, g, b, a = (float(v) for v in colour)
    a = min(max(a, 0.0), 1.0) * shown
    return tuple(255.0 * min(max(v, 0.0), 1.0) for v in (r * a, g * a, b * a, a))
