"""Surfaces: what has a shape and can be lit. A tracked face drawn as a mesh, a mask blown up to a body."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np

from ..graph.declare import In, Out, Param, PixelNode, ProcessNode, param, port, result, same, slot
from ..graph.types import Colour, Faces, Image, Integer, Light, Mask, Number, Surface
from ..runtime.frames import Frame, Geometry
from ..runtime.models.resolver import resolve
from ..runtime.perception.topology import GEOMETRY, read_topology
from ..runtime.pixel import (
    Raster,
    Vec,
    clamp,
    dot,
    exp2,
    length,
    luma,
    maximum,
    mix,
    normalize,
    select,
    smoothstep,
    vec,
)  # fmt: skip
from ..runtime.pixel.colour import premultiply, unpremultiply
from .light import LOG2_E, facing, sheen

__all__ = ["ApplyLight", "FaceSurface", "MaskSurface", "MergeSurfaces", "ShadeSurface", "ShowNormals"]

POINTS = 468  # irises, where they are tracked, are no part of the mesh
CAPACITY = 1 << 18  # pixels of a face surface at most
MARGIN = 2  # pixels around the faces, so that outside is empty
FACING = (0.02, 0.32)  # normal z at which a vertex that turns away is gone, and at which it is whole


class FaceSurface(ProcessNode, type="surface.face", natives=("mesh_vertices", "rasterise")):
    """Faces as a surface: their meshes drawn to coverage, texture coordinates, normals and depth.

    Eyes and mouth are closed. The surface lies in a crop around the faces, coarser than the frame where they are large.
    Nearer (larger) faces go over farther ones. Depth is in frame heights. Faces without finite landmarks are left out.
    """

    faces: In[Faces] = port(doc="tracked faces")
    feather: Param[Number] = param(
        0.2, low=0.0, high=0.5, unit="face widths", doc="how far inside its outline the face fades in"
    )
    smoothing: Param[Integer] = param(
        2, low=0, high=8, doc="how often normals are averaged with their neighbours': the higher, the softer the relief"
    )
    resolution: Param[Number] = param(
        192.0, low=32.0, high=512.0, unit="pixels", doc="surface pixels across a face, at most about"
    )
    surface: Out[Surface] = result(space=same("faces"), size="free", doc="the faces")
    scale = slot(0)

    def open(self, context: Any) -> None:
        topology = read_topology(resolve(GEOMETRY))
        self._vertices_of, self._draw = context.native("mesh_vertices"), context.native("rasterise")
        count = len(topology.triangles)
        self._topology, self._count = topology, count
        self._points = np.zeros((POINTS, 3), np.float32)
        self._fade, self._feather = np.zeros(POINTS, np.float32), math.nan
        self._place = np.zeros(6, np.float32)
        self._place[4:] = FACING
        self._work = np.zeros((POINTS, 3), np.float32)
        self._vertices = np.zeros((POINTS, 9), np.float32)
        self._grid, self._front = np.zeros((count, 6), np.int64), np.zeros(count, np.int32)
        self._pixels = np.zeros(CAPACITY * 8, np.float32)

    def process(self, faces: Any, feather: float, smoothing: int, resolution: float, tick: Any, state: Any) -> Frame:
        height, width = float(tick.height or 1), float(tick.width or 1)
        space = getattr(faces, "space", "frame")  # a type's empty value is a plain tuple
        shown = [(i, box, face) for i, face in enumerate(faces) if (box := _box(face.landmarks, width, height))]
        if not shown:
            return self._frame(Geometry(1, 1), space)
        shown.sort(key=lambda entry: (entry[1][2] - entry[1][0]) * (entry[1][3] - entry[1][1]))
        geometry, state.scale = _place(shown, width, height, resolution, state.scale)
        frame = self._frame(geometry, space)
        if feather != self._feather:
            np.divide(self._topology.inset, max(float(feather), 1e-6), out=self._fade)
            self._fade += 1.0 if feather <= 0.0 else 0.0
            self._feather = feather
        scale, _, left, _, _, top = geometry.to_frame
        self._place[:4] = left, top, 1.0 / scale, 1.0 / height
        for index, _, face in shown:
            self._draw_face(face.landmarks, int(smoothing), float(index), frame)
        return frame

    def _frame(self, geometry: Geometry, space: str) -> Frame:
        """The first part of the surface's memory, empty, as a frame of that geometry."""
        pixels = self._pixels[: geometry.width * geometry.height * 8]
        pixels.fill(0.0)
        return Frame(pixels.reshape(geometry.height, geometry.width, 8), geometry, space)

    def _draw_face(self, landmarks: np.ndarray, rounds: int, index: float, frame: Frame) -> None:
        np.copyto(self._points, landmarks[:POINTS])
        topology, vertices = self._topology, self._vertices.ctypes.data
        triangles = topology.triangles.ctypes.data
        self._vertices_of(
            self._points.ctypes.data, POINTS, triangles, self._count, topology.uv.ctypes.data, self._fade.ctypes.data,
            self._place.ctypes.data, rounds, self._work.ctypes.data, vertices,
        )  # fmt: skip
        self._draw(
            vertices, triangles, topology.beyond.ctypes.data, self._count, index, self._grid.ctypes.data,
            self._front.ctypes.data, frame.data.ctypes.data, frame.width, frame.height,
        )  # fmt: skip


class MaskSurface(ProcessNode, type="surface.from_mask", natives=("inflate",)):
    """A mask as a rounded body: where it covers, normals bulge as if it were inflated.

    For light on what no mesh follows: hair, ears, neck, shoulders, a whole person. Narrow parts become round, wide ones
    level off. The surface is coarse and smooth; light it, then cut it out with the mask itself. Depth is in frame heights.
    """

    mask: In[Mask] = port(doc="what to inflate")
    reach: Param[Number] = param(
        0.125, low=0.01, high=1.0, unit="frame heights", doc="how far from its edge the body still rises: small = a flat relief"
    )
    rows: Param[Integer] = param(180, low=8, high=512, doc="of the grid it is solved on; more cost time and show finer edges")
    surface: Out[Surface] = result(space=same("mask"), size="free", doc="the body")

    def open(self, context: Any) -> None:
        self._inflate = context.native("inflate")
        self._resize(1, 1, np.dtype(np.uint8))

    def process(self, mask: Frame, reach: float, rows: int, tick: Any) -> Frame:
        height = min(int(rows), mask.height)
        width = max(1, round(mask.width * height / mask.height))
        if self._plane.shape != (height, width) or self._small.dtype != mask.data.dtype:
            self._resize(width, height, mask.data.dtype)
        cv2.resize(mask.data, (width, height), dst=self._small, interpolation=cv2.INTER_AREA)
        np.multiply(self._small, 1 / 255 if mask.format == "u8" else 1.0, out=self._plane, casting="unsafe")
        geometry = _coarser(mask.geometry, width, height)
        cell = math.hypot(geometry.to_frame[1], geometry.to_frame[4]) / (tick.height or mask.height)
        pixels = self._pixels
        self._inflate(
            self._plane.ctypes.data, width, height, cell, reach, pixels.ctypes.data, self._work.ctypes.data
        )
        return Frame(pixels, geometry, mask.space)

    def _resize(self, width: int, height: int, dtype: np.dtype) -> None:
        self._small = np.zeros((height, width), dtype)
        self._plane = np.zeros((height, width), np.float32)
        self._pixels = np.zeros((height, width, 8), np.float32)
        self._work = np.zeros(4 * width * height + 64, np.float32)


class MergeSurfaces(PixelNode, type="surface.merge"):
    """One surface over another: a face over a body, say. Normals and depth blend by the upper one's coverage."""

    over: In[Surface] = port(doc="what wins")
    under: In[Surface] = port(domain=True, doc="what shows where the upper one ends; the result lies on its pixels")
    surface: Out[Surface] = result(space=same("under"), doc="both")

    def pixel(self, over: Raster, under: Raster):
        coverage = over.coverage + under.coverage * (1.0 - over.coverage)
        share = over.coverage / maximum(coverage, 1e-6)
        wins = share > 0.5
        uv, index = select(wins, over.uv, under.uv), select(wins, over.index, under.index)
        normal = normalize(mix(under.normal, over.normal, share))
        return vec(coverage, uv, normal, mix(under.depth, over.depth, share), index)


class ShadeSurface(PixelNode, type="surface.shade"):
    """The light that up to three lamps throw on a surface, on the surface's own, coarser pixels.

    Shading is smooth where the surface is, so it costs little here; `surface.apply_light` puts it on the picture.

        diffuse   Lambert, wrapped around the terminator as far as light scatters in skin
        sheen     Blinn and Phong's highlight, normalised, of a dielectric of `roughness`
        rim       from lamps behind, where the surface turns away from the camera towards them
    """

    surface: In[Surface] = port(domain=True, doc="what is lit")
    key: In[Light] = port(optional=True, doc="the main lamp")
    fill: In[Light] = port(optional=True, doc="a second lamp, which lightens the shadows")
    rim: In[Light] = port(optional=True, doc="a third lamp, or one behind")
    relief: Param[Number] = param(1.0, low=0, high=3, step=0.01, doc="1 true shape, above deeper, below flatter")
    wrap: Param[Number] = param(0.25, low=0, high=1, step=0.01, doc="softness of the border between light and shadow")
    shine: Param[Number] = param(0.6, low=0, high=8, step=0.01, doc="of the highlight; 1 is moist skin")
    roughness: Param[Number] = param(0.5, low=0.1, high=1, step=0.01, doc="small: wet and tight, large: powdered")
    light: Out[Image] = result(
        space=same("surface"), doc="r, g, b of the light; alpha: its share that does not take the picture's colour"
    )

    def pixel(self, surface, key, fill, rim, relief, wrap, shine, roughness, at):
        normal = facing(surface.normal, vec(1.0), relief)
        place = vec(at.x - 0.5 * at.aspect, 0.5 - at.y, surface.depth)
        tinted = untinted = vec(0.0, 0.0, 0.0)
        for lamp in (key, fill, rim):
            diffuse, gloss = thrown(lamp, place, normal, wrap, shine, roughness)
            tinted, untinted = tinted + diffuse, untinted + gloss
        whole = tinted + untinted
        return vec(whole, luma(untinted) / maximum(luma(whole), 1e-4))


def thrown(lamp: Vec, place: Vec, normal: Vec, wrap: Vec, shine: Vec, roughness: Vec) -> tuple[Vec, Vec]:
    """One lamp's light on the surface there: what takes its colour, and what is mirrored."""
    is_point, is_rim = lamp[0] * (2.0 - lamp[0]), 0.5 * lamp[0] * (lamp[0] - 1.0)  # exact for kinds 0, 1, 2
    way = lamp[1:4] - place * is_point
    distance = length(way)
    towards = way / maximum(distance, 1e-4)
    near = distance / maximum(lamp[8], 1e-3)
    colour = lamp[4:7] * (lamp[7] / (1.0 + near * near * is_point))
    facing_lamp = dot(normal, towards)
    diffuse = clamp((facing_lamp + wrap) / (1.0 + wrap)) * (1.0 - is_rim)
    edge = smoothstep(0.45, 1.0, 1.0 - normal.z) * clamp(facing_lamp * 1.25) * is_rim
    return colour * diffuse, colour * (sheen(normal, towards, roughness) * shine * diffuse + edge)


class ApplyLight(PixelNode, type="surface.apply_light"):
    """Put the light of `surface.shade` on the picture.

    The picture's own light is kept by `ambient` on the person and by `background` around, which makes room for the lamps'.
    What gets too bright rolls off like film, by its brightest channel, so skin keeps its colour.
    """

    image: In[Image] = port(domain=True, doc="the picture")
    light: In[Image] = port(doc="from surface.shade")
    mask: In[Mask] = port(optional=True, default=(1.0,), doc="where light may fall: the person; unwired: everywhere")
    strength: Param[Number] = param(1.0, low=0, high=1, step=0.01, doc="0 the picture as it is")
    ambient: Param[Number] = param(0.4, low=0, high=2, step=0.01, doc="of the picture's own light kept on the person")
    background: Param[Number] = param(0.3, low=0, high=2, step=0.01, doc="of the picture's own light kept around")
    background_tint: Param[Colour] = param((0.8, 0.9, 1.1, 1.0), widget="colour", doc="of the light kept around")
    out: Out[Image] = result(doc="the picture, lit; alpha as it was")

    def pixel(self, image, light, mask, strength, ambient, background, background_tint):
        person = clamp(mask)
        colour = unpremultiply(image)
        kept = colour * mix(background_tint.rgb * background, vec(ambient), person)
        # what is dark (hair, cloth) mirrors less too, or a highlight would lie on it like fog
        mirrored = light.a * (0.15 + 0.85 * luma(clamp(colour)))
        lit = kept + light.rgb * ((maximum(colour, 0.0) * (1.0 - light.a) + mirrored) * person)
        return premultiply(mix(colour, rolled_off(lit), strength), image.a)


SHOULDER = 0.75  # brightness from which on light is held back


def rolled_off(rgb: Vec) -> Vec:
    """Colours held below 1 by their brightest channel, hue and saturation kept; unchanged up to the shoulder."""
    peak = maximum(maximum(rgb[0], rgb[1]), rgb[2])
    over = maximum(peak - SHOULDER, 0.0) / (1.0 - SHOULDER)
    held = SHOULDER + (1.0 - SHOULDER) * (1.0 - exp2(-LOG2_E * over))
    return rgb * select(over > 0.0, held / maximum(peak, SHOULDER), 1.0)


class ShowNormals(PixelNode, type="surface.show_normals"):
    """A surface's normals as colours, to look at: red to the right, green up, blue towards the camera."""

    image: In[Image] = port(domain=True, doc="what shows where there is no surface")
    surface: In[Surface] = port(doc="what to show")
    out: Out[Image] = result(space=same("image"), doc="the normals over the picture")

    def pixel(self, image: Raster, surface: Raster):
        colour = normalize(surface.normal) * 0.5 + 0.5
        return mix(image.here, vec(colour, 1.0), surface.coverage)


def _coarser(over: Geometry, width: int, height: int) -> Geometry:
    """A raster of that size that covers all of another one."""
    a, b, c, d, e, f = over.to_frame
    x, y = over.width / width, over.height / height
    return Geometry(width, height, (a * x, b * y, c, d * x, e * y, f))


Box = tuple[float, float, float, float]


def _box(landmarks: np.ndarray, width: float, height: float) -> Box | None:
    """Left, top, right, bottom of a face in frame pixels; None where it is not finite, or not in the frame."""
    if len(landmarks) < POINTS or not np.isfinite(landmarks[:POINTS]).all():
        return None
    left, top = landmarks[:POINTS, :2].min(0)
    right, bottom = landmarks[:POINTS, :2].max(0)
    seen = right > 0 and bottom > 0 and left < width and top < height
    return (float(left), float(top), float(right), float(bottom)) if seen else None


def _place(shown: list, width: float, height: float, resolution: float, before: int) -> tuple[Geometry, int]:
    """The crop around all faces on a grid that holds still, and its scale: frame pixels a surface pixel, a power of two.

    The scale of the frame before stays while it is about right, so the surface does not flicker between two.
    """
    ideal = max(max(box[2] - box[0], 1.0) for _, box, _ in shown) / resolution
    scale = before if before and abs(math.log2(max(ideal, 1.0) / before)) < 0.75 else 2 ** max(0, round(math.log2(ideal)))
    while True:
        reach = MARGIN * scale  # what lies outside the frame is not drawn
        left = max(min(box[0] for _, box, _ in shown), 0.0) // scale * scale - reach
        top = max(min(box[1] for _, box, _ in shown), 0.0) // scale * scale - reach
        right = min(max(box[2] for _, box, _ in shown), width) + reach
        bottom = min(max(box[3] for _, box, _ in shown), height) + reach
        columns, rows = math.ceil((right - left) / scale), math.ceil((bottom - top) / scale)
        if columns * rows <= CAPACITY:
            return Geometry(columns, rows, (float(scale), 0.0, left, 0.0, float(scale), top)), scale
        scale *= 2
