"""Paint: pictures laid on the skin of faces, that stretch with their expressions and keep their light."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from ..graph.declare import In, Out, Param, ProcessNode, inner, param, port, result, same, slot
from ..graph.types import Asset, Boolean, Choice, Faces, Image, Number
from ..runtime.frames import Frame
from ..runtime.layers import Layer, around
from ..runtime.models.resolver import resolve
from ..runtime.native.layer import VERTEX
from ..runtime.native.rasterise import STRIDE
from ..runtime.perception.headframe import POINTS, faded
from ..runtime.perception.topology import GEOMETRY, read_topology
from ..runtime.pixel import Raster, Vec, clamp, luma, maximum, mix
from ..runtime.pixel.colour import premultiply, unpremultiply
from ..runtime.textures import ClipFile, Texture
from .composite import BLEND_MODES
from .face import PARTS

__all__ = ["FacePaint"]

CAPACITY = 1 << 18  # pixels of the layer
FACING = (0.02, 0.3)  # normal z at which a vertex that turns away is bare, and wholly painted
SKIN = 0.55  # brightness of skin at which paint shows its own colour
SETTLE = 0.3  # seconds in which a measured brightness follows
MOUTH = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95)
EYES = PARTS["left eye"] + PARTS["right eye"]
SPOTS = (50, 280, 205, 425, 151, 108, 337, 117, 346, 4, 195, 36, 266)  # cheeks, brow and nose: skin on any face
MODES = ("paint", "multiply", "screen", "overlay", "soft-light", "colour")


class FacePaint(ProcessNode, type="paint.face", natives=("mesh_vertices", "draw_triangles"), fallback="pass"):
    """Paint a picture on faces: stripes, a butterfly, make-up, a mask. It stretches and folds with the skin.

    The picture is a texture in the layout of the canonical face: the face seen from the front, unrolled over a square, which
    MediaPipe and others use. `paint` takes the skin's light and folds; the other ways are those of `composite.blend`. What
    is transparent stays bare, and so do eyes and mouth, unless told otherwise.
    """

    image: In[Image] = port(domain=True, doc="the picture")
    faces: In[Faces] = port(doc="tracked faces in it")
    skin: In[Image] = port(
        optional=True, display=True, doc="where to measure how bright each face is, so that paint is as light on dark skin: the source"
    )
    picture: Param[Asset] = param(None, doc="the texture; a square picture with transparency, or an animation")
    mode: Param[Choice] = param("paint", choices=MODES, doc="how it meets the skin")
    opacity: Param[Number] = param(1.0, low=0, high=1, step=0.01, doc="of the paint")
    shading: Param[Number] = param(0.85, low=0, high=1, step=0.01, doc="of `paint`: how much of the skin's light it takes")
    feather: Param[Number] = param(
        0.06, low=0, high=0.5, step=0.01, unit="face widths", doc="how far inside the face's outline it fades in"
    )
    eyes: Param[Boolean] = param(True, doc="leave the eyes bare")
    mouth: Param[Boolean] = param(True, doc="leave the open mouth bare")
    layer: Out[Image] = inner(space=same("faces"), doc="the paint alone")
    out: Out[Image] = result(space=same("image"), doc="the picture, painted")
    shown = slot()
    bright = slot()
    scale = slot(0)

    def open(self, context: Any) -> None:
        self._mesh, self._draw = context.native("mesh_vertices"), context.native("draw_triangles")
        self._linear = context.working_space == "linear"
        self._topology = read_topology(resolve(GEOMETRY))
        self._layer = Layer(CAPACITY)
        self._file = ClipFile()
        self._file.preload(context, getattr(context, "params", {}).get("picture"), linear=self._linear)
        self._points, self._work = np.zeros((POINTS, 3), np.float32), np.zeros((POINTS, 3), np.float32)
        self._normals = np.zeros((POINTS, STRIDE), np.float32)
        self._vertices = np.zeros((POINTS, VERTEX), np.float32)
        self._vertices[:, 2] = 1.0
        self._vertices[:, 3:5] = self._topology.uv
        self._place = np.array((0, 0, 1, 1, *FACING), np.float32)
        self._tint = np.ones(4, np.float32)
        self._fade, self._bare = np.zeros(POINTS, np.float32), None

    def process(self, faces: Any, skin: Any, picture: Any, feather: float, eyes: bool, mouth: bool, tick: Any, state: Any) -> Frame:
        state.shown = faded(state.shown, faces, tick.delta)
        space = getattr(faces, "space", "frame")
        texture = self._texture(picture, tick.time)
        width, height = float(tick.width or 1), float(tick.height or 1)
        drawn = []
        for track, shown in state.shown.items() if texture is not None else ():
            box = _box(shown.item.landmarks, width, height)
            if box is not None:
                drawn.append((box[2] - box[0], track, box, shown))
        drawn.sort(key=lambda row: row[0])
        frame, state.scale = self._layer.place(around([row[2] for row in drawn]), tick, space, state.scale)
        self._set_fade(feather, eyes, mouth)
        state.bright = state.bright if state.bright is not None else {}
        for _, track, _, shown in drawn:
            light = self._measured(skin, shown.item.landmarks, track, state.bright, tick.delta)
            if texture is not None and frame.width > 1:
                self._paint(shown.item.landmarks, texture, frame, shown.amount, SKIN / light)
        for gone in state.bright.keys() - state.shown.keys():
            del state.bright[gone]
        return frame

    def _texture(self, picture: Any, time: int) -> Texture | None:
        return None if picture is None else self._file.get(picture, linear=self._linear).at(time)

    def _set_fade(self, feather: float, eyes: bool, mouth: bool) -> None:
        """How far inside each vertex lies, 1 and more: wholly painted."""
        key = (feather, bool(eyes), bool(mouth))
        if key == self._bare:
            return
        self._bare = key
        np.divide(self._topology.inset, max(float(feather), 1e-6), out=self._fade)
        self._fade += 1.0 if feather <= 0.0 else 0.0
        for bare, ring in ((eyes, EYES), (mouth, MOUTH)):
            if bare:
                self._fade[list(ring)] = 0.0

    def _measured(self, skin: Frame | None, landmarks: np.ndarray, track: int, known: dict[int, float], delta: float) -> float:
        """How bright a face's skin is, 0 to 1, smoothed in time."""
        if skin is None:
            return SKIN
        a, _, c, _, e, f = skin.geometry.from_frame()
        spots = landmarks[list(SPOTS), :2]
        x = np.clip(spots[:, 0] * a + c, 0, skin.width - 1).astype(int)
        y = np.clip(spots[:, 1] * e + f, 0, skin.height - 1).astype(int)
        seen = float(np.median(skin.data[y, x] @ np.array((0.2126, 0.7152, 0.0722)))) / 255
        seen = max(seen**2.2 if self._linear else seen, 0.05)
        if track in known and delta > 0:
            seen = seen + (known[track] - seen) * 0.5 ** (delta / SETTLE)
        known[track] = seen
        return seen

    def _paint(self, landmarks: np.ndarray, texture: Texture, frame: Frame, amount: float, gain: float) -> None:
        np.copyto(self._points, landmarks[:POINTS])
        scale, _, left, _, _, top = frame.geometry.to_frame
        self._place[:3] = left, top, 1.0 / scale
        topology, count = self._topology, len(self._topology.triangles)
        self._mesh(
            self._points.ctypes.data, POINTS, topology.triangles.ctypes.data, count, topology.uv.ctypes.data,
            self._fade.ctypes.data, self._place.ctypes.data, 2, self._work.ctypes.data, self._normals.ctypes.data,
        )  # fmt: skip
        fade = np.clip(self._normals[:, 2], 0.0, 1.0)
        self._vertices[:, :2] = self._normals[:, :2]
        self._vertices[:, 5] = fade * fade * (3.0 - 2.0 * fade) * amount
        far_first = np.argsort(-self._points[:, 2][topology.triangles].sum(1), kind="stable")
        triangles = np.ascontiguousarray(topology.triangles[far_first])
        across, down = np.ptp(self._normals[:, 0]), np.ptp(self._normals[:, 1])
        self._tint[:3] = gain
        self._draw(
            self._vertices.ctypes.data, triangles.ctypes.data, count, texture.texels.ctypes.data, texture.levels.ctypes.data,
            texture.count, texture.lod(float(across * down)), self._tint.ctypes.data, frame.data.ctypes.data, frame.width,
            frame.height,
        )  # fmt: skip

    def pixel(self, image: Raster, layer: Raster, mode: str, opacity: Vec, shading: Vec) -> Vec:
        skin, paint = unpremultiply(image.here), unpremultiply(layer.here)
        if mode == "paint":
            mixed = paint * mix(1.0, luma(clamp(skin)) / SKIN, shading)
        else:
            mixed = BLEND_MODES[mode][0](clamp(skin), clamp(paint))
        return premultiply(mix(skin, maximum(mixed, 0.0), layer.a * opacity), image.a)


def _box(landmarks: np.ndarray, width: float, height: float) -> tuple[float, float, float, float] | None:
    """Left, top, right, bottom of a face that is in the frame; None where it is not, or not finite."""
    if len(landmarks) < POINTS or not np.isfinite(landmarks[:POINTS]).all():
        return None
    x, y, w, h = cv2.boundingRect(np.ascontiguousarray(landmarks[:POINTS, :2]))
    return (x, y, x + w, y + h) if x + w > 0 and y + h > 0 and x < width and y < height else None
