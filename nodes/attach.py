"""Attach: pictures on faces, bodies and hands, that move, turn, grow and tilt with what they are on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np

from ..graph.declare import In, Out, Param, ProcessNode, param, port, result, same, slot
from ..graph.types import Asset, Bodies, Boolean, Choice, Faces, Hands, Image, Integer, Number, Vector2
from ..runtime.frames import Frame
from ..runtime.models.resolver import resolve
from ..runtime.perception.headframe import HeadFitter, faded
from ..runtime.perception.places import (
    BODY_PLACES,
    FACE_PLACES,
    HAND_PLACES,
    Found,
    body_place,
    face_place,
    hand_place,
)
from ..runtime.perception.topology import GEOMETRY, read_topology
from ..runtime.stickers import Painter, Sticker, fade, partly_turned
from ..runtime.textures import ClipFile, Texture
from ..runtime.values import BodyItem, Each, FaceItem, HandItem, pairs

__all__ = ["ToBody", "ToFace", "ToHand"]

DEGREES = np.pi / 180


class Attached(ProcessNode):
    """What all of them share: the picture, and how it lies on its place."""

    image: In[Image] = port(optional=True, anywhere=True, doc="or a picture from a wire: a text, say")
    amount: In[Number] = port(
        optional=True, many=True, doc="grows it out of its place: 0 hides it, 1 is its size; one for each, or one for all"
    )
    picture: Param[Asset] = param(None, doc="a picture with transparency, or an animation (GIF, animated PNG or WebP)")
    offset: Param[Vector2] = param((0.0, 0.0), low=-8, high=8, step=0.01, doc="to the right, down, in the size's unit")
    rotate: Param[Number] = param(0.0, low=-360, high=360, step=1, unit="°", doc="clockwise, in its own plane")
    anchor: Param[Vector2] = param(
        (0.5, 0.5), low=0, high=1, step=0.01, doc="which point of the picture lies on the place; 0, 0 is its top left"
    )
    flip: Param[Choice] = param(
        "never", choices=("never", "place", "all"),
        doc="right of the frame's middle its offset goes to the left, where there is room; all: and the picture is mirrored",
    )  # fmt: skip
    turn: Param[Number] = param(1.0, low=0, high=1, step=0.01, doc="1 tilts with it, 0 always faces the camera")
    opacity: Param[Number] = param(1.0, low=0, high=1, step=0.01, doc="of the picture")
    shadow: Param[Number] = param(0.0, low=0, high=1, step=0.01, doc="strength of a soft shadow below it")
    drop: Param[Number] = param(0.06, low=-1, high=1, step=0.01, doc="how far down the shadow falls, in heights of the picture")
    columns: Param[Integer] = param(1, low=1, high=64, doc="cells across, where the picture is a sheet of them")
    rows: Param[Integer] = param(1, low=1, high=64, doc="cells down, where the picture is a sheet of them")
    rate: Param[Number] = param(12.0, low=0.1, high=60, step=0.1, unit="Hz", doc="cells a second")
    loop: Param[Boolean] = param(True, doc="an animation begins anew at its end")
    shown = slot()
    sides = slot()
    scale = slot(0)

    def open(self, context: Any) -> None:
        self._painter = Painter(context.native("draw_triangles"))
        self._linear = context.working_space == "linear"
        self._file = ClipFile()
        self._wired: Texture | None = None
        self._seen = np.zeros((0, 0, 4), np.float32)
        params = getattr(context, "params", {})
        self._file.preload(context, params.get("picture"), **self._how(params))

    def find(self, item: Any, place: str) -> Found | None:
        """Where a place of an item is."""
        raise NotImplementedError

    def lay(self, items: Any, place: str, image: Frame | None, amount: Any, given: Mapping[str, Any], shadow: float,
            drop: float, tick: Any, state: Any) -> Frame:  # fmt: skip
        """The layer with the picture on each item, the farthest first."""
        state.shown = faded(state.shown, items, tick.delta)
        texture = self.texture(image, given, tick.time)
        each, rest = amounts_of(amount)
        state.sides = {track: side for track, side in (state.sides or {}).items() if track in state.shown}
        made: list[tuple[float, Sticker]] = []
        for track, shown in state.shown.items() if texture is not None else ():
            much, found = each.get(track, rest), self.find(shown.item, place)
            if texture is not None and found is not None and much > 1e-3:
                side = flipped(found, state.sides.get(track, False), tick) and given["flip"] != "never"
                state.sides[track] = side
                made.append((found.length, sticker_of(texture, found, much, shown.amount, side, given)))
        made.sort(key=lambda pair: pair[0])
        space = getattr(items, "space", "frame")
        frame, state.scale = self._painter.paint([s for _, s in made], shadow, drop, tick, space, state.scale)
        return frame

    def texture(self, image: Frame | None, given: Mapping[str, Any], time: int) -> Texture | None:
        """The picture now: from the wire, or from the file."""
        if image is not None:
            return self._from_wire(image.data)
        if given["picture"] is None:
            return None
        return self._file.get(given["picture"], **self._how(given)).at(time, given["loop"])

    def _how(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """How its file is to be read."""
        columns, rows, rate = (given.get(name, 1) for name in ("columns", "rows", "rate"))
        return {"columns": int(columns), "rows": int(rows), "rate": float(rate), "linear": self._linear}

    def _from_wire(self, pixels: np.ndarray) -> Texture:
        """A texture of what the wire brings, made anew where that is another picture than before."""
        if self._wired is None or self._seen.shape != pixels.shape:
            self._seen = pixels.copy()
            self._wired = Texture.of(pixels)
        elif cv2.norm(pixels, self._seen, cv2.NORM_INF) > 0:
            np.copyto(self._seen, pixels)
            self._wired.refill(pixels)
        return self._wired


def flipped(found: Found, before: bool, tick: Any) -> bool:
    """Whether it lies so far right that there is more room on its left; it stays as it was while that is not clear."""
    x = float(found.place[0]) / max(tick.width, 1)
    return x > 0.48 if before else x > 0.56


def sticker_of(texture: Texture, found: Found, amount: float, shown: float, left: bool, given: Mapping[str, Any]) -> Sticker:
    """The picture at its place; left: on the other side of it."""
    axes = partly_turned(found.axes, given["turn"])
    if given["rotate"]:
        c, s = np.cos(given["rotate"] * DEGREES), np.sin(given["rotate"] * DEGREES)
        axes = axes @ np.array(((c, s, 0.0), (-s, c, 0.0), (0.0, 0.0, 1.0)))
    across = max(given["size"] * found.length * amount, 1e-3)
    (x, y), anchor = given["offset"], tuple(given["anchor"])
    if left and given["flip"] == "place":
        anchor = 1.0 - anchor[0], anchor[1]
    place = found.place + found.length * amount * ((-x if left else x) * axes[:, 0] - y * axes[:, 1])
    edge_on = fade(0.02, 0.25, abs(float(axes[2, 2])))
    opacity = given["opacity"] * found.seen * shown * edge_on
    down = across * texture.height / texture.width
    return Sticker(texture, place, axes, -across if left and given["flip"] == "all" else across, down, anchor, opacity)


def amounts_of(amount: Any) -> tuple[dict[int, float], float]:
    """By track id, and for those that have none."""
    if isinstance(amount, Each):
        return {track: float(v) for track, v in pairs(amount) if isinstance(v, int | float)}, 0.0
    alone = [float(v) for v in amount or () if isinstance(v, int | float)]
    return {}, alone[0] if alone else 1.0


class ToFace(Attached, type="attach.to_face", natives=("draw_triangles",), fallback="empty"):
    """A picture on each face: glasses, a hat, a moustache, a bubble. It moves, turns, grows and tilts with the head.

    The output is a layer: lay it over the picture with `composite.over`. Sides are the person's own. Faces that are nearer
    cover those behind. It fades as its place turns away, and softly when a face comes or goes.
    """

    faces: In[Faces] = port(doc="tracked faces")
    place: Param[Choice] = param("eyes", choices=tuple(FACE_PLACES), doc="where on the face")
    size: Param[Number] = param(1.0, low=0.01, high=10, step=0.01, unit="face widths", doc="the picture's width")
    layer: Out[Image] = result(space=same("faces"), size="free", doc="the pictures, transparent around")

    def open(self, context: Any) -> None:
        super().open(context)
        self._fitter = HeadFitter(read_topology(resolve(GEOMETRY)))

    def process(
        self, faces: Any, image: Any, amount: Any, picture: Any, place: str, size: float, offset: Any, rotate: float,
        anchor: Any, flip: str, turn: float, opacity: float, shadow: float, drop: float, columns: int, rows: int, rate: float,
        loop: bool, tick: Any, state: Any,
    ) -> Frame:  # fmt: skip
        given = {"picture": picture, "size": size, "offset": offset, "rotate": rotate, "anchor": anchor, "flip": flip, "turn": turn,
                 "opacity": opacity, "columns": columns, "rows": rows, "rate": rate, "loop": loop}  # fmt: skip
        return self.lay(faces, place, image, amount, given, shadow, drop, tick, state)

    def find(self, item: FaceItem, place: str) -> Found | None:
        head = self._fitter.fit(item.landmarks)
        return None if head is None else face_place(item.landmarks, head, place)


class ToBody(Attached, type="attach.to_body", natives=("draw_triangles",), fallback="empty"):
    """A picture on each body: a badge on the chest, wings, a cape, a bracelet.

    It follows the trunk or the limb it is on. Its top points up the trunk, or from the hand or foot towards the trunk on a limb. The output is a layer: lay it over the
    picture with `composite.over`. Sides are the person's own. It fades where its place is hidden or out of sight.
    """

    bodies: In[Bodies] = port(doc="tracked bodies")
    place: Param[Choice] = param("chest", choices=tuple(BODY_PLACES), doc="where on the body")
    size: Param[Number] = param(0.25, low=0.01, high=10, step=0.01, unit="metres", doc="the picture's width")
    layer: Out[Image] = result(space=same("bodies"), size="free", doc="the pictures, transparent around")

    def process(
        self, bodies: Any, image: Any, amount: Any, picture: Any, place: str, size: float, offset: Any, rotate: float,
        anchor: Any, flip: str, turn: float, opacity: float, shadow: float, drop: float, columns: int, rows: int, rate: float,
        loop: bool, tick: Any, state: Any,
    ) -> Frame:  # fmt: skip
        given = {"picture": picture, "size": size, "offset": offset, "rotate": rotate, "anchor": anchor, "flip": flip, "turn": turn,
                 "opacity": opacity, "columns": columns, "rows": rows, "rate": rate, "loop": loop}  # fmt: skip
        return self.lay(bodies, place, image, amount, given, shadow, drop, tick, state)


    def find(self, item: BodyItem, place: str) -> Found | None:
        return body_place(item, place)


class ToHand(Attached, type="attach.to_hand", natives=("draw_triangles",), fallback="empty"):
    """A picture on each hand: a ring, a flame on a fingertip, a shield before the palm. It follows the hand's turns.

    A finger's name alone is the place of a ring. Its top points along the fingers. The output is a layer: lay it over the
    picture with `composite.over`.
    """

    hands: In[Hands] = port(doc="tracked hands")
    place: Param[Choice] = param("palm", choices=HAND_PLACES, doc="where on the hand")
    size: Param[Number] = param(1.0, low=0.01, high=10, step=0.01, unit="palm lengths", doc="the picture's width")
    layer: Out[Image] = result(space=same("hands"), size="free", doc="the pictures, transparent around")

    def process(
        self, hands: Any, image: Any, amount: Any, picture: Any, place: str, size: float, offset: Any, rotate: float,
        anchor: Any, flip: str, turn: float, opacity: float, shadow: float, drop: float, columns: int, rows: int, rate: float,
        loop: bool, tick: Any, state: Any,
    ) -> Frame:  # fmt: skip
        given = {"picture": picture, "size": size, "offset": offset, "rotate": rotate, "anchor": anchor, "flip": flip, "turn": turn,
                 "opacity": opacity, "columns": columns, "rows": rows, "rate": rate, "loop": loop}  # fmt: skip
        return self.lay(hands, place, image, amount, given, shadow, drop, tick, state)


    def find(self, item: HandItem, place: str) -> Found | None:
        return hand_place(item.landmarks, place)
