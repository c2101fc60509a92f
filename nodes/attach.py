"""Attach: pictures on faces, bodies and hands, that move, turn, grow and tilt with what they are on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from ..graph.declare import In, Out, Param, ProcessNode, param, port, result, same, slot
from ..graph.types import Asset, Bodies, Boolean, Choice, Faces, Hands, Image, Integer, Number, Vector2
from ..runtime.frames import Frame
from ..runtime.models.resolver import resolve
from ..runtime.perception.headframe import Head, HeadFitter, faded
from ..runtime.perception.landmarks import FINGERS, indices, point_names
from ..runtime.perception.topology import GEOMETRY, read_topology
from ..runtime.stickers import Painter, Sticker, axes_of, fade, partly_turned
from ..runtime.textures import ClipFile, Texture
from ..runtime.values import BodyItem, Each, FaceItem, HandItem, pairs

__all__ = ["ToBody", "ToFace", "ToHand"]

DEGREES = np.pi / 180


@dataclass(slots=True, eq=False)
class Found:
    """A place in space (see runtime.stickers): where, its axes, pixels of the unit of lengths there, how well it is seen."""

    place: np.ndarray
    axes: np.ndarray
    length: float
    seen: float = 1.0


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


# name → landmarks whose middle it is, shift from there in cm of the canonical face (right, up, forward), which way it faces
FACE: dict[str, tuple[tuple[int, ...], tuple[float, float, float], tuple[float, float, float]]] = {
    "eyes": ((33, 133, 362, 263), (0.0, 0.0, 1.2), (0.0, 0.0, 1.0)),
    "left eye": ((263, 362, 386, 374), (0.0, 0.0, 0.3), (0.35, 0.0, 0.94)),
    "right eye": ((33, 133, 159, 145), (0.0, 0.0, 0.3), (-0.35, 0.0, 0.94)),
    "nose": ((4,), (0.0, 0.0, 0.0), (0.0, 0.0, 1.0)),
    "nose bridge": ((168,), (0.0, 0.0, 0.0), (0.0, 0.0, 1.0)),
    "mouth": ((13, 14, 61, 291), (0.0, 0.0, 0.3), (0.0, 0.0, 1.0)),
    "upper lip": ((164,), (0.0, 0.0, 0.2), (0.0, 0.0, 1.0)),
    "chin": ((152,), (0.0, 0.0, 0.5), (0.0, 0.0, 1.0)),
    "forehead": ((151,), (0.0, 0.0, 0.3), (0.0, 0.0, 1.0)),
    "hairline": ((10, 109, 338), (0.0, 0.0, -1.0), (0.0, 0.0, 1.0)),
    "hat": ((10, 109, 338), (0.0, 0.6, -5.5), (0.0, 0.0, 1.0)),
    "head top": ((10, 109, 338), (0.0, 5.2, -6.5), (0.0, 0.0, 1.0)),
    "face": ((9, 2, 50, 280), (0.0, 0.0, 0.0), (0.0, 0.0, 1.0)),
    "left cheek": ((425,), (0.0, 0.0, 0.0), (0.6, 0.0, 0.8)),
    "right cheek": ((205,), (0.0, 0.0, 0.0), (-0.6, 0.0, 0.8)),
    "left ear": ((454,), (0.4, -1.5, -0.5), (0.8, 0.0, 0.6)),
    "right ear": ((234,), (-0.4, -1.5, -0.5), (-0.8, 0.0, 0.6)),
    "left temple": ((356,), (0.0, 0.0, 0.0), (0.8, 0.0, 0.6)),
    "right temple": ((127,), (0.0, 0.0, 0.0), (-0.8, 0.0, 0.6)),
}  # fmt: skip


class ToFace(Attached, type="attach.to_face", natives=("draw_triangles",), fallback="empty"):
    """A picture on each face: glasses, a hat, a moustache, a bubble. It moves, turns, grows and tilts with the head.

    The output is a layer: lay it over the picture with `composite.over`. Sides are the person's own. Faces that are nearer
    cover those behind. It fades as its place turns away, and softly when a face comes or goes.
    """

    faces: In[Faces] = port(doc="tracked faces")
    place: Param[Choice] = param("eyes", choices=tuple(FACE), doc="where on the face")
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


def face_place(landmarks: np.ndarray, head: Head, name: str) -> Found:
    """A named place of a face; the unit is its width."""
    points, shift, normal = FACE[name]
    where = landmarks[list(points)].mean(0).astype(np.float64) * (1.0, -1.0, -1.0)
    where = where + head.scale * (head.rotation @ np.array(shift))
    seen = fade(-0.1, 0.25, float((head.rotation @ np.array(normal))[2]))
    return Found(where, head.rotation, head.width, seen)


# name → landmarks whose middle it is, and what its up is: the trunk's, the head's, or along a limb from one point to another
TRUNK, HEAD = "trunk", "head"
ENDS = {TRUNK: (11, 12, 23, 24), HEAD: (7, 8, 2, 5)}
BODY: dict[str, tuple[tuple[int, ...], str | tuple[int, int]]] = {
    "chest": ((11, 12, 11, 12, 23, 24), TRUNK), "belly": ((11, 12, 23, 24, 23, 24), TRUNK), "hips": ((23, 24), TRUNK),
    "neck": ((11, 12), TRUNK), "left shoulder": ((11,), TRUNK), "right shoulder": ((12,), TRUNK),
    "head": ((7, 8), HEAD), "nose": ((0,), HEAD), "left ear": ((7,), HEAD), "right ear": ((8,), HEAD),
}  # fmt: skip
LIMBS = {
    "upper arm": ((11, 13), 13, 11), "elbow": ((13,), 15, 13), "forearm": ((13, 15), 15, 13), "wrist": ((15,), 15, 13),
    "hand": ((15, 17, 19), 19, 15), "thigh": ((23, 25), 25, 23), "knee": ((25,), 27, 25), "shin": ((25, 27), 27, 25),
    "ankle": ((27,), 27, 25), "foot": ((29, 31), 31, 29),
}  # fmt: skip
for _k, _side in enumerate(("left", "right")):  # a right landmark is the one after the left
    for _name, (_points, _start, _end) in LIMBS.items():
        BODY[f"{_side} {_name}"] = tuple(p + _k for p in _points), (_start + _k, _end + _k)
VISIBLE = (0.3, 0.6)  # visibility at which a place is gone, and wholly there


class ToBody(Attached, type="attach.to_body", natives=("draw_triangles",), fallback="empty"):
    """A picture on each body: a badge on the chest, wings, a cape, a bracelet.

    It follows the trunk or the limb it is on. Its top points up the trunk, or from the hand or foot towards the trunk on a limb. The output is a layer: lay it over the
    picture with `composite.over`. Sides are the person's own. It fades where its place is hidden or out of sight.
    """

    bodies: In[Bodies] = port(doc="tracked bodies")
    place: Param[Choice] = param("chest", choices=tuple(BODY), doc="where on the body")
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


def body_place(body: BodyItem, name: str) -> Found | None:
    """A named place of a body; the unit is a metre."""
    points, along = BODY[name]
    ends = ENDS[along] if isinstance(along, str) else along
    used = [*points, *ends]
    if not np.isfinite(body.landmarks[used]).all() or not np.isfinite(body.world).all():
        return None
    metre = pixels_a_metre(body)
    flat = body.landmarks[:, :2].astype(np.float64) * (1.0, -1.0)
    space = np.concatenate([flat, body.world[:, 2:].astype(np.float64) * metre], axis=1)
    if along == TRUNK:
        axes = axes_of(space[[11, 12]].mean(0) - space[[23, 24]].mean(0), space[11] - space[12])
    elif isinstance(along, str):
        # ears and eyes lie level (the Frankfurt plane), so up is across both of their lines
        across = space[7] - space[8]
        axes = axes_of(np.cross(space[[2, 5]].mean(0) - space[[7, 8]].mean(0), across), across)
    else:
        up = space[along[1]] - space[along[0]]
        axes = axes_of(up, np.array((up[1], -up[0], 0.0)))
    seen = fade(*VISIBLE, float(np.min(body.visibility[list(points)])))
    return Found(space[list(points)].mean(0), facing_us(axes), metre, seen)


def pixels_a_metre(body: BodyItem) -> float:
    """By least squares over shoulders and hips, which keep their distances best."""
    trunk = [11, 12, 23, 24]
    seen, real = body.landmarks[trunk, :2].astype(np.float64), body.world[trunk, :2].astype(np.float64) * (1.0, -1.0)
    seen, real = seen - seen.mean(0), real - real.mean(0)
    return max(float((seen * real).sum() / max(float((real * real).sum()), 1e-9)), 1e-3)


def facing_us(axes: np.ndarray) -> np.ndarray:
    """Turned round its up, where it shows its back: a picture is never seen mirrored."""
    return axes if axes[2, 2] >= 0.0 else axes * np.array((-1.0, 1.0, -1.0))


HAND = ("palm", "wrist", *FINGERS, *(n for n in point_names("hand") if n not in ("wrist", "palm")))


class ToHand(Attached, type="attach.to_hand", natives=("draw_triangles",), fallback="empty"):
    """A picture on each hand: a ring, a flame on a fingertip, a shield before the palm. It follows the hand's turns.

    A finger's name alone is the place of a ring. Its top points along the fingers. The output is a layer: lay it over the
    picture with `composite.over`.
    """

    hands: In[Hands] = port(doc="tracked hands")
    place: Param[Choice] = param("palm", choices=HAND, doc="where on the hand")
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


def hand_place(landmarks: np.ndarray, name: str) -> Found | None:
    """A named place of a hand; the unit is the palm's length."""
    if len(landmarks) < 21 or not np.isfinite(landmarks[:21]).all():
        return None
    space = landmarks[:21].astype(np.float64) * (1.0, -1.0, -1.0)
    palm = float(np.linalg.norm(space[9] - space[0]))
    across = space[5] - space[17]
    if name in FINGERS:
        first = indices("hand", f"{name} knuckle")[0]
        where, up = (space[first] + space[first + 1]) / 2, space[first + 1] - space[first]
    else:
        points = indices("hand", name)
        where = space[list(points)].mean(0)
        joint = len(points) == 1 and points[0] % 4 != 1 and points[0] > 1
        up = space[points[0]] - space[points[0] - 1] if joint else space[9] - space[0]
    return Found(where, facing_us(axes_of(up, across)), max(palm, 1e-3))
