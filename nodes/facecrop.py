"""Crops of faces that hold still while the face moves, and what was made of them put back in its place."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np

from ..graph.declare import In, Out, Param, ProcessNode, inner, new_space, param, port, result, same, slot
from ..graph.types import Face, Faces, Image, Integer, Mask, Number, Points
from ..runtime.frames import Frame, Geometry
from ..runtime.models.resolver import resolve
from ..runtime.perception.crop import FaceCutter, WideMesh, apart, crop_places, face_roi
from ..runtime.perception.headframe import POINTS, HeadFitter, faded
from ..runtime.perception.topology import GEOMETRY, read_topology
from ..runtime.pixel import At, Raster, Vec, clamp, luma, mix, vec
from ..runtime.values import Each, FaceItem, pairs

__all__ = ["FaceCrop", "FacePaste"]

CAPACITY = 1 << 17  # pixels that are drawn at most
MARGIN = 2  # empty pixels around what is drawn, since reads beyond a raster repeat its border
SQUARE = np.ones((3, 3), np.uint8)
ALIKE, TURNED = 6.0, 22.0  # degrees a head turned since: up to which what lies beyond the face is shown, and from which not
COARSE = 40  # cells along a face's longer side, where colours are matched


class FaceCrop(ProcessNode, type="face.crop", fallback="empty"):
    """A square picture of a face, upright and of one size, that holds still while the face moves.

    It follows place, size and roll of the head, by points that expressions hardly move. Feed it to `generator.image`,
    and put the result back with `face.paste`. Several faces give several crops.
    """

    face: In[Face] = port(doc="a tracked face, or each of several")
    image: In[Image] = port(display=True, doc="the picture it is in")
    side: Param[Integer] = param(384, low=64, high=768, structural=True, doc="width and height of the crop")
    margin: Param[Number] = param(1.9, low=1.0, high=4.0, step=0.05, unit="face widths", doc="how much of the picture it shows")
    out: Out[Image] = result(space=new_space, size="free", display=True, doc="the crop")
    points: Out[Points] = result(space=new_space, doc="where the face's landmarks lie in it, in its own coordinates")
    crop = slot()

    def open(self, context: Any) -> None:
        self._fitter = HeadFitter(read_topology(resolve(GEOMETRY)))
        self._cutter = FaceCutter(int(context.params["side"]))

    def process(self, face: FaceItem | None, image: Frame, margin: float, state: Any) -> tuple[Frame | None, Any]:
        roi = None
        if face is not None:
            places = face.landmarks.astype(np.float32, copy=True)
            a, b, c, d, e, f = image.geometry.from_frame()
            places[:, 0], places[:, 1] = a * places[:, 0] + b * places[:, 1] + c, d * places[:, 0] + e * places[:, 1] + f
            roi = face_roi(self._fitter, places, float(margin))
        if roi is None:
            return None, ()
        side = self._cutter.side
        if state.crop is None or state.crop.shape[0] != side:
            state.crop = np.zeros((side, side, 3), np.uint8)
        self._cutter.cut(image.data, roi, state.crop)
        return Frame(state.crop, Geometry(side, side), f"{image.space}/face"), crop_places(places, roi, side)


class FacePaste(ProcessNode, type="face.paste", natives=("rasterise",), fallback="empty"):
    """Put pictures made of face crops back on the faces, where they are now.

    Each result is a texture of the face's mesh: it was made of the landmarks that came with it, and is drawn at today's.
    So a late result may be stale in expression, never in place. A new result is faded in, colours are matched around
    the rim, and a ring around the face takes it softly into hair and neck.
    """

    image: In[Image] = port(display=True, domain=True, doc="the picture with the faces")
    faces: In[Faces] = port(doc="where they are now")
    pictures: In[Image] = port(many=True, anywhere=True, display=True, doc="what generator.image made of their crops")
    points: In[Points] = port(many=True, anywhere=True, doc="the points it was made of")
    mask: In[Mask] = port(optional=True, default=(1.0,), doc="where it may show; unwired: everywhere")
    opacity: Param[Number] = param(1.0, low=0, high=1, step=0.01, doc="0 the picture as it is")
    colour: Param[Number] = param(1.0, low=0, high=1, step=0.01, doc="1 the result's colours, 0 the picture's with its light and dark")
    reach: Param[Number] = param(
        0.12, low=0.0, high=0.8, step=0.01, unit="face widths", doc="how far it reaches beyond the face; less while the head turns fast"
    )
    feather: Param[Number] = param(0.2, low=0.01, high=0.6, step=0.01, unit="face widths", doc="width of its soft rim")
    seamless: Param[Number] = param(0.7, low=0, high=1, step=0.01, doc="how much its colours follow the picture's at the rim")
    fade: Param[Number] = param(0.15, low=0, high=2, step=0.01, unit="s", doc="how long a new result takes to come in")
    layer: Out[Image] = inner(space=same("image"), doc="the faces, premultiplied, where they are")
    out: Out[Image] = result(space=same("image"), display=True, doc="the picture; alpha as it was")
    shown = slot()
    textures = slot()

    def open(self, context: Any) -> None:
        topology = read_topology(resolve(GEOMETRY))
        self._mesh, self._fitter = WideMesh(topology), HeadFitter(topology)
        self._draw = context.native("rasterise")
        mesh = self._mesh
        self._places = np.zeros((mesh.count, 3), np.float32)
        self._was = np.zeros((mesh.count, 3), np.float32)
        self._vertices = np.zeros((mesh.count, 9), np.float32)
        self._vertices[:, 7] = 1.0
        count = len(mesh.triangles)
        self._grid, self._front = np.zeros((count, 6), np.int64), np.zeros(count, np.int32)
        self._surface = np.zeros(CAPACITY * 8, np.float32)
        self._layer = np.zeros(CAPACITY * 4, np.float32)
        self._scratch = [np.zeros(CAPACITY * 4, np.float32) for _ in range(3)]

    def process(
        self, image: Frame, faces: Any, pictures: Any, points: Any, reach: float, feather: float, seamless: float, fade: float,
        tick: Any, state: Any,
    ) -> Frame:  # fmt: skip
        state.shown = faded(state.shown, faces, tick.delta)
        state.textures = self._textures(state.textures or {}, state.shown, faces, pictures, points, fade, tick.delta)
        drawn = []
        for track, shown in state.shown.items():
            landmarks = shown.item.landmarks
            if track in state.textures and len(landmarks) >= POINTS and np.isfinite(landmarks[:POINTS]).all():
                local = self._local(landmarks, image.geometry)
                self._mesh.points(local, self._reach(local, state.textures[track], reach), self._places)
                if box := _box(self._places, image):
                    drawn.append((box[2] - box[0], track, box, self._places.copy()))
        if not drawn:
            return Frame(self._layer[:4].reshape(1, 1, 4) * 0, scaled_to(image.geometry, 0, 0, 1, 1, 1), image.space)
        drawn.sort(key=lambda entry: entry[:2])
        finest = min(self._fineness(places, state.textures[track]) for _, track, _, places in drawn)
        layer, left, top, step = self._room([entry[2] for entry in drawn], finest)
        for _, track, box, places in drawn:
            amount = state.shown[track].amount * state.textures[track]["amount"]
            how = self._reach(places, state.textures[track], reach), feather, seamless, amount
            self._paste(layer, left, top, step, box, places, state.textures[track], image, how)
        return Frame(layer, scaled_to(image.geometry, left, top, step, layer.shape[1], layer.shape[0]), image.space)

    # -- textures

    def _textures(self, held: dict, shown: dict, faces: Any, pictures: Any, points: Any, fade: float, delta: float) -> dict:
        """Each track's texture and the places in it, on their way to the newest result."""
        alone = next((face.id for face in faces), -1)
        made, places = by_track(pictures, alone), by_track(points, alone)
        step = 1.0 if delta <= 0 or fade <= 0 else 1 - math.exp(-delta / (0.5 * fade))
        kept = {track: texture for track, texture in held.items() if track in shown}
        for track, picture in made.items():
            then = places.get(track)
            if track not in shown or picture is None or then is None or len(then) < POINTS:
                continue
            if min(picture.width, picture.height) < 8:
                continue
            where = then[:POINTS] * np.float32(1 / max(picture.width * picture.geometry.to_frame[0], 1e-6))
            if not np.isfinite(where).all():
                continue
            known = kept.get(track)
            if known is None or known["picture"].shape != picture.data.shape:
                kept[track] = {"picture": picture.data.astype(np.float32), "places": where, "amount": step}
                continue
            cv2.accumulateWeighted(picture.data, known["picture"], step)
            known["places"] = known["places"] + (where - known["places"]) * np.float32(step)
            known["amount"] += (1.0 - known["amount"]) * step
        return kept

    def _local(self, landmarks: np.ndarray, geometry: Geometry) -> np.ndarray:
        a, b, c, d, e, f = geometry.from_frame()
        local = landmarks[:POINTS].astype(np.float32, copy=True)
        x, y = landmarks[:POINTS, 0], landmarks[:POINTS, 1]
        local[:, 0], local[:, 1] = a * x + b * y + c, d * x + e * y + f
        return local

    def _reach(self, now: np.ndarray, texture: dict, reach: float) -> float:
        """How far a result may reach beyond the face: less when the head has turned since, for hair does not turn as it does."""
        head, then = self._fitter.fit(now), self._fitter.fit(texture["places"] * np.float32(1000))
        turned = apart(head, then) if head and then else TURNED
        return reach * min(max((TURNED - turned) / (TURNED - ALIKE), 0.0), 1.0)

    # -- drawing

    def _fineness(self, places: np.ndarray, texture: dict) -> int:
        """The picture's pixels that one of the texture's covers, about: a power of two. Finer drawn shows no more."""
        was = texture["places"][:, :2]
        held = float(np.ptp(was[:, 0]) + np.ptp(was[:, 1])) * texture["picture"].shape[1]
        drawn = float(np.ptp(places[:POINTS, 0]) + np.ptp(places[:POINTS, 1]))
        return 1 << max(0, round(math.log2(max(drawn, 1.0) / max(held, 1.0))))

    def _room(self, boxes: list, step: int) -> tuple[np.ndarray, int, int, int]:
        """An empty layer around all boxes, on every pixel or every 2nd, 4th, … of the picture."""
        while True:
            left, top = (min(b[i] for b in boxes) // step * step - MARGIN * step for i in (0, 1))
            width = math.ceil((max(b[2] for b in boxes) - left) / step) + MARGIN
            height = math.ceil((max(b[3] for b in boxes) - top) / step) + MARGIN
            if width * height <= CAPACITY:
                layer = self._layer[: width * height * 4]
                layer.fill(0.0)
                return layer.reshape(height, width, 4), left, top, step
            step *= 2

    def _paste(self, layer, left: int, top: int, step: int, box, places, texture: dict, image: Frame, how) -> None:
        """One face over what is there."""
        reach, feather, seamless, amount = how
        self._mesh.reach(reach, feather)
        x0, y0 = (box[0] - left) // step, (box[1] - top) // step
        x1, y1 = math.ceil((box[2] - left) / step), math.ceil((box[3] - top) / step)
        width, height = x1 - x0, y1 - y0
        picture = texture["picture"]
        self._mesh.points(texture["places"], reach, self._was)
        v = self._vertices
        v[:, 0], v[:, 1] = (places[:, 0] - left) / step - x0, (places[:, 1] - top) / step - y0
        v[:, 2], v[:, 8] = self._mesh.fade, -places[:, 2]
        picture = _shrunk(picture, v[:, :2], self._was)
        v[:, 3], v[:, 4] = self._was[:, 0] * picture.shape[1] - 0.5, self._was[:, 1] * picture.shape[0] - 0.5
        surface = self._surface[: width * height * 8]
        surface.fill(0.0)
        self._draw(
            v.ctypes.data, self._mesh.triangles.ctypes.data, self._mesh.beyond.ctypes.data, len(self._mesh.triangles), 0.0,
            self._grid.ctypes.data, self._front.ctypes.data, surface.ctypes.data, width, height,
        )  # fmt: skip
        drawn = surface.reshape(height, width, 8)
        cover, u, w = (cv2.extractChannel(drawn, c) for c in range(3))
        whole = cv2.morphologyEx(cover, cv2.MORPH_CLOSE, SQUARE)  # small folds, of a nostril, leave thin cracks
        np.copyto(cover, whole, where=cover > 0.02)
        colour = self._room_for(0, height, width, 3)
        cv2.remap(picture, u, w, cv2.INTER_LINEAR, dst=colour, borderMode=cv2.BORDER_REPLICATE)
        if seamless > 0:
            below = image.data[top + y0 * step : top + y1 * step, left + x0 * step : left + x1 * step]
            shift = self._room_for(1, height, width, 3)
            cv2.resize(_matched(colour, cover, below), (width, height), dst=shift, interpolation=cv2.INTER_LINEAR)
            cv2.scaleAdd(shift, seamless, colour, dst=colour)
        self._over(layer[y0:y1, x0:x1], colour, cover, amount)

    def _over(self, here: np.ndarray, colour: np.ndarray, cover: np.ndarray, amount: float) -> None:
        """Colours (0 to 255) over what is in the layer."""
        height, width = cover.shape
        four, rest = self._room_for(1, height, width, 4), self._room_for(2, height, width, 4)
        cover *= np.float32(amount)
        np.subtract(np.float32(1), cover, out=(left := np.empty_like(cover)))
        cv2.merge([left] * 4, dst=rest)
        np.multiply(here, rest, out=here)
        full = np.full_like(cover, 255.0)
        cv2.merge([*cv2.split(colour), full], dst=four)
        np.multiply(cover, np.float32(1 / 255), out=cover)
        cv2.merge([cover] * 4, dst=rest)
        np.multiply(four, rest, out=four)
        np.add(here, four, out=here)

    def _room_for(self, which: int, height: int, width: int, channels: int) -> np.ndarray:
        return self._scratch[which][: height * width * channels].reshape(height, width, channels)

    def pixel(self, image: Raster, layer: Raster, mask: Raster, opacity: Vec, colour: Vec, at: At) -> Vec:
        made = layer.sample(at.x, at.y)
        share = clamp(mask) * opacity
        tinted = image.rgb * made.a + (luma(made) * image.a - luma(image) * made.a)  # its light, the picture's colours
        over = mix(tinted, made.rgb * image.a, colour)
        return vec(image.rgb * (1.0 - made.a * share) + over * share, image.a)


Box = tuple[int, int, int, int]


def by_track(value: Any, alone: int) -> dict[int, Any]:
    """Values by track id; what comes as one value, not as one of each face, is of the face that was picked."""
    if isinstance(value, Each):
        return dict(pairs(value))
    values = [value] if isinstance(value, Frame) else [v for _, v in pairs(value)]
    return {alone: values[0]} if values else {}


def _box(places: np.ndarray, image: Frame) -> Box | None:
    """Whole pixels around the points, within the picture; None where nothing is."""
    x0, y0 = (max(int(math.floor(v)), 0) for v in places[:, :2].min(0))
    x1, y1 = (min(int(math.ceil(v)), n) for v, n in zip(places[:, :2].max(0), (image.width, image.height), strict=True))
    return (x0, y0, x1, y1) if x1 - x0 >= 8 and y1 - y0 >= 8 else None


def _shrunk(picture: np.ndarray, now: np.ndarray, was: np.ndarray) -> np.ndarray:
    """The texture, halved while it is drawn at less than half its size: else its pixels would be skipped."""
    drawn = float(np.ptp(now[:, 0]) + np.ptp(now[:, 1]))
    held = float(np.ptp(was[:, 0]) + np.ptp(was[:, 1])) * picture.shape[1]
    while held > 2 * drawn and min(picture.shape[:2]) >= 16:
        picture = cv2.resize(picture, (picture.shape[1] // 2, picture.shape[0] // 2), interpolation=cv2.INTER_AREA)
        held /= 2
    return picture


def _matched(colour: np.ndarray, cover: np.ndarray, below: np.ndarray) -> np.ndarray:
    """What to add, on a coarse grid, so that colours meet the picture's along the soft rim, and less and less inside."""
    height, width = cover.shape
    cell = max(height, width) / COARSE
    size = max(2, round(width / cell)), max(2, round(height / cell))
    weight = cv2.resize(cover, size, interpolation=cv2.INTER_AREA)
    weight = weight * (1 - weight) * 4
    rgb, under = (cv2.resize(p, size, interpolation=cv2.INTER_AREA).astype(np.float32) for p in (colour, below))
    sums = cv2.GaussianBlur(np.dstack(((under - rgb) * weight[..., None], weight)), (0, 0), COARSE / 10)
    share = sums[..., 3:]
    return sums[..., :3] / np.maximum(share, 1e-4) * np.minimum(share * 4, 1)


def scaled_to(over: Geometry, left: float, top: float, step: float, width: int, height: int) -> Geometry:
    """A raster of that size whose pixels are `step` of the other one's, from (left, top) on."""
    a, b, c, d, e, f = over.to_frame
    return Geometry(width, height, (a * step, b * step, a * left + b * top + c, d * step, e * step, d * left + e * top + f))
