"""A scene drawn to what a shader needs, in a raster around it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import cv2
import numpy as np

from ..frames import Frame, Geometry
from .tables import ROW, Textures, material_rows, texture_key
from .values import CameraValue, Instance, SceneValue

__all__ = ["LOOPS", "SceneDrawer"]

LOOPS = ("scene_vertices", "scene_spans", "scene_hide", "scene_band")
NEAR = 0.02  # metres: what reaches nearer to the camera is left out
BAND = 48  # rows that are drawn at a time
CLEAR = 0.5  # opacity of what throws no shadow
COARSE = 4  # pixels of the raster a pixel of the shadow
MARGIN = 2  # pixels around, so that outside is empty
STRIDE = 16  # floats of a vertex
Rasters = tuple[Frame, Frame, Frame, Frame]


class _Samples:
    """What one thread works in: the samples of a band, empty between two of them."""

    def __init__(self, width: int):
        self.width = width
        self.near, self.ids = np.zeros(4 * BAND * width, np.float32), np.zeros(4 * BAND * width, np.int32)
        self.glass_near, self.glass_ids = np.zeros_like(self.near), np.zeros_like(self.ids)
        self.work = np.zeros(16, np.float32)


class SceneDrawer:
    """Draws scenes. It keeps memory and tables from frame to frame; what comes out is refilled by the next call.

    Args:
        native: name → native loop (see LOOPS).
        threads: how many draw; the result is the same with any number.
    """

    def __init__(self, native: Callable[[str], Callable[..., None]], threads: int = 1):
        self._vertices_of, self._spans_of, self._hide, self._band = (native(name) for name in LOOPS)
        self._threads = max(1, min(threads, 4))
        self._pool = ThreadPoolExecutor(self._threads - 1, "scene") if self._threads > 1 else None
        self._samples = [_Samples(1) for _ in range(self._threads)]
        self._shape: tuple = ()
        self._painted: tuple = ()
        self._bundled: tuple = ()
        self._kept: Sequence[Any] = ()
        self._capacity = 0
        self._textures = Textures(())
        self._rows = np.zeros((0, ROW), np.float32)
        self._place, self._camera = np.zeros(21, np.float32), np.zeros(5, np.float32)
        self._view, self._bounds = np.zeros(8, np.float32), np.zeros(6, np.float32)
        self._hiding = np.zeros((0, STRIDE), np.float32)
        self._heads = 0
        self._coarse = (0, 0, 0)
        self._reserve(1)

    def draw(
        self, scene: SceneValue, camera: CameraValue, frame: tuple[int, int], *, resolution: float = 1.0, soft: float = 0.01
    ) -> Rasters:  # fmt: skip
        """Surface, colour, finish and emission (see native.scene), over each other, around what is seen of the scene.

        frame: width and height. resolution: raster pixels a frame pixel. soft: metres over which a head begins to hide.
        """
        shown = [i for i in scene if not i.hides and np.isfinite(i.matrix).all()]
        self._heads = 0
        if not shown:
            return self._rasters(Geometry(1, 1, (1.0, 0.0, -8.0, 0.0, 1.0, -8.0)), empty=True)
        self._prepare(shown)
        fx, fy, cx, cy = camera
        self._camera[:] = fx * resolution, fy * resolution, cx * resolution, cy * resolution, NEAR
        self._project(shown)
        geometry = self._around(frame, resolution)
        self._near = float(self._bounds[4] / max(self._bounds[5], 1.0))  # mean of 1 / distance
        if geometry is None:
            return self._rasters(Geometry(1, 1, (1.0, 0.0, -8.0, 0.0, 1.0, -8.0)), empty=True)
        self._reserve(max(geometry.width * geometry.height, (frame[0] + 8) * (frame[1] + 8) if resolution <= 1 else 0))
        left, top = geometry.to_frame[2] * resolution, geometry.to_frame[5] * resolution
        used = self._vertices[: self._count]
        used[:, 0] -= np.float32(left)
        used[:, 1] -= np.float32(top)
        self._camera[2] -= left
        self._camera[3] -= top
        rasters = self._rasters(geometry)
        parts = [(self._firsts[n], len(i.mesh.triangles), int(i.material.double_sided), self._masked(n, i.material),
                  int(i.material.alpha == "blend")) for n, i in enumerate(shown)]  # fmt: skip
        self._parts[: len(parts)] = parts
        self._spans_of(
            self._vertices.ctypes.data, self._triangles.ctypes.data, self._parts.ctypes.data, len(parts), geometry.width,
            geometry.height, self._spans.ctypes.data,
        )  # fmt: skip
        hides = self._heads = self._cover([i for i in scene if i.hides and np.isfinite(i.matrix).all()], geometry)
        self._look(frame[1], soft, resolution)
        self._in_bands(geometry, len(parts), hides, rasters)
        return rasters

    def close(self) -> None:
        if self._pool:
            self._pool.shutdown(wait=True)

    def _masked(self, n: int, material: Any) -> int:
        """The number of a material whose texture cuts holes, or −1."""
        return n if material.alpha == "mask" and self._rows[n, 15] else -1

    def _in_bands(self, geometry: Geometry, parts: int, hides: int, rasters: Rasters) -> None:
        """Every band of rows, by all threads in turn."""
        starts = range(0, geometry.height, BAND)
        if self._samples[0].width < geometry.width:
            self._samples = [_Samples(geometry.width + 64) for _ in range(self._threads)]
        planes = [r.data.ctypes.data for r in rasters]

        def some(worker: int) -> None:
            own = self._samples[worker]
            for start in starts[worker :: self._threads]:
                self._band(
                    self._vertices.ctypes.data, self._triangles.ctypes.data, self._spans.ctypes.data,
                    self._parts.ctypes.data, parts, self._material_of.ctypes.data, self._group_of.ctypes.data,
                    self._rows.ctypes.data, self._textures.texels.ctypes.data, self._textures.levels.ctypes.data,
                    own.near.ctypes.data, own.ids.ctypes.data, own.glass_near.ctypes.data, own.glass_ids.ctypes.data,
                    int(self._glass), self._hidden.ctypes.data, hides, self._view.ctypes.data, *planes, own.work.ctypes.data,
                    geometry.width, start, min(BAND, geometry.height - start),
                )  # fmt: skip

        others = [self._pool.submit(some, w) for w in range(1, self._threads)] if self._pool else []
        some(0)
        for other in others:
            other.result()

    # -- tables, made anew when the scene is another one

    def _prepare(self, shown: Sequence[Instance]) -> None:
        shape = tuple(id(i.mesh.triangles) for i in shown)
        if shape != self._shape:
            starts = np.cumsum([0, *(len(i.mesh.positions) for i in shown)])
            self._count, self._starts = int(starts[-1]), starts.tolist()
            self._firsts = np.cumsum([0, *(len(i.mesh.triangles) for i in shown)]).tolist()
            parts = zip(shown, self._starts, strict=False)
            self._triangles = np.concatenate([i.mesh.triangles + np.int32(s) for i, s in parts]).astype(np.int32)
            numbers = [np.full(len(i.mesh.triangles), n, np.int32) for n, i in enumerate(shown)]
            self._material_of = np.concatenate(numbers)
            # smooth groups are known by one of their vertices, so they differ from mesh to mesh as vertices do
            groups = [i.mesh.groups + np.int32(s) for i, s in zip(shown, self._starts, strict=False)]
            self._group_of = np.concatenate(groups).astype(np.int32)
            self._vertices = np.zeros((self._count, STRIDE), np.float32)
            self._parts = np.zeros((len(shown), 5), np.int64)
            self._spans = np.zeros((len(self._triangles), 2), np.int32)
            self._shape, self._kept = shape, [i.mesh.triangles for i in shown]
        materials = tuple(i.material for i in shown)
        if materials != self._painted:
            bundled = tuple(texture_key(m) for m in materials)
            if bundled != self._bundled:
                self._textures, self._bundled = Textures(materials), bundled
            self._rows = np.zeros((len(materials), ROW), np.float32)
            material_rows(materials, self._textures.bundles, self._rows)
            self._painted = materials
            self._glass = any(m.alpha == "blend" for m in materials)

    def _reserve(self, pixels: int) -> None:
        """Memory for so many pixels; pages that are never written cost nothing."""
        if pixels <= self._capacity:
            return
        self._capacity = pixels
        self._hidden = np.zeros(2 * pixels, np.float32)
        self._planes = [np.zeros(n * pixels, np.float32) for n in (8, 4, 4, 4)]

    def _rasters(self, geometry: Geometry, empty: bool = False) -> Rasters:
        count = geometry.width * geometry.height
        made = []
        for plane, channels in zip(self._planes, (8, 4, 4, 4), strict=True):
            pixels = plane[: count * channels]
            if empty:
                pixels.fill(0.0)
            made.append(Frame(pixels.reshape(geometry.height, geometry.width, channels), geometry))
        return tuple(made)  # type: ignore[return-value]

    # -- a frame

    def _project(self, shown: Sequence[Instance]) -> None:
        self._bounds[:] = np.inf, np.inf, -np.inf, -np.inf, 0.0, 0.0
        for i, start in zip(shown, self._starts, strict=False):
            self._vertices_into(i, self._vertices.ctypes.data + start * STRIDE * 4)

    def _vertices_into(self, i: Instance, address: int) -> None:
        mesh, place = i.mesh, self._place
        place[:12] = i.matrix[:3].ravel()
        # normals stay upright under any scaling by the inverse transposed, which the cofactors are but for a factor
        m = i.matrix[:3, :3].astype(np.float64)
        upright = np.stack((np.cross(m[1], m[2]), np.cross(m[2], m[0]), np.cross(m[0], m[1])))
        place[12:] = (upright / max(np.abs(upright).max(), 1e-30)).ravel()
        self._vertices_of(
            mesh.positions.ctypes.data, mesh.normals.ctypes.data, mesh.tangents.ctypes.data, mesh.uv.ctypes.data,
            mesh.colours.ctypes.data, len(mesh.positions), place.ctypes.data, self._camera.ctypes.data, address,
            self._bounds.ctypes.data,
        )  # fmt: skip

    def _around(self, frame: tuple[int, int], resolution: float) -> Geometry | None:
        """A raster around all vertices, on the frame's own pixels; None where nothing is in the frame."""
        if self._bounds[5] == 0:
            return None
        low, high = self._bounds[:2] / resolution, self._bounds[2:4] / resolution
        left, right = max(float(low[0]), 0.0), min(float(high[0]), float(frame[0]))
        top, bottom = max(float(low[1]), 0.0), min(float(high[1]), float(frame[1]))
        if not (left < right and top < bottom):
            return None
        x, y = math.floor(left) - MARGIN, math.floor(top) - MARGIN
        width = math.ceil((math.ceil(right) + MARGIN - x) * resolution)
        height = math.ceil((math.ceil(bottom) + MARGIN - y) * resolution)
        return Geometry(width, height, (1 / resolution, 0.0, float(x), 0.0, 1 / resolution, float(y)))

    def _cover(self, hiders: Sequence[Instance], geometry: Geometry) -> int:
        if not hiders:
            return 0
        self._hidden[: 2 * geometry.width * geometry.height].fill(0.0)
        for i in hiders:
            count = len(i.mesh.positions)
            if len(self._hiding) < count:
                self._hiding = np.zeros((count, STRIDE), np.float32)
            self._vertices_into(i, self._hiding.ctypes.data)
            self._hide(
                self._hiding.ctypes.data, i.mesh.triangles.ctypes.data, len(i.mesh.triangles), self._hidden.ctypes.data,
                geometry.width, geometry.height,
            )  # fmt: skip
        return 1

    def _look(self, height: int, soft: float, resolution: float) -> None:
        fx, fy, cx, cy, _ = self._camera.tolist()
        distance = 1.0 / max(self._near, 1e-6)
        self._view[:7] = distance, fy / (resolution * distance * height), max(soft, 1e-4), cx, cy, 1 / fx, 1 / fy

    # -- what is soft: on coarse rasters around what was drawn last

    def soften(self, drawn: Rasters, contact: float, halo: float) -> tuple[Frame, Frame]:
        """A Mask of where a head loses light to what it wears (glass takes none), and an Image of the halo of what shines.

        drawn: as `draw` gave it. contact, halo: how far they reach, in frame pixels.
        """
        geometry = drawn[1].geometry
        size = max(geometry.width // COARSE, 1), max(geometry.height // COARSE, 1)
        scale = geometry.width / size[0] * geometry.to_frame[0], geometry.height / size[1] * geometry.to_frame[4]
        around = math.ceil(1.2 * halo / scale[0]) + 2
        if self._coarse != (*size, around):
            self._coarse = (*size, around)
            columns, rows = size
            self._small, self._hides = np.zeros((rows, columns, 4), np.float32), np.zeros((rows, columns, 2), np.float32)
            self._shade, self._opaque = np.zeros((rows, columns, 1), np.float32), np.zeros((rows, columns), np.float32)
            self._halo = np.zeros((rows + 2 * around, columns + 2 * around, 4), np.float32)
        left, top = geometry.to_frame[2], geometry.to_frame[5]
        place = Geometry(*size, (scale[0], 0.0, left, 0.0, scale[1], top))
        wider = Geometry(
            size[0] + 2 * around, size[1] + 2 * around,
            (scale[0], 0.0, left - around * scale[0], 0.0, scale[1], top - around * scale[1]),
        )  # fmt: skip
        self._darken(drawn[1], size, max(int(contact / scale[0]), 1) if contact > 0 else 0)
        self._shine(drawn[3], size, around, max(int(0.5 * halo / scale[0]), 1) if halo > 0 else 0)
        return Frame(self._shade, place), Frame(self._halo, wider)

    def _darken(self, colour: Frame, size: tuple[int, int], reach: int) -> None:
        shade, opaque = self._shade[..., 0], self._opaque
        if not self._heads or min(size) < 3 or reach == 0:
            shade.fill(0.0)
            return
        cv2.resize(colour.data, size, dst=self._small, interpolation=cv2.INTER_AREA)
        np.subtract(self._small[..., 3], CLEAR, out=opaque)
        np.maximum(opaque, 0.0, out=opaque)
        opaque *= 1.0 / (1.0 - CLEAR)
        for _ in range(2):
            cv2.blur(opaque, (2 * reach + 1, 2 * reach + 1), dst=opaque, borderType=cv2.BORDER_CONSTANT)
        pixels = self._hidden[: 2 * colour.width * colour.height].reshape(colour.height, colour.width, 2)
        cv2.resize(pixels, size, dst=self._hides, interpolation=cv2.INTER_AREA)
        np.multiply(self._hides[..., 1], opaque, out=shade)
        shade[0], shade[-1], shade[:, 0], shade[:, -1] = 0.0, 0.0, 0.0, 0.0

    def _shine(self, emission: Frame, size: tuple[int, int], around: int, reach: int) -> None:
        self._halo.fill(0.0)
        if reach == 0:
            return
        cv2.resize(emission.data, size, dst=self._small, interpolation=cv2.INTER_AREA)
        self._halo[around:-around, around:-around] = self._small
        for wide in (2 * reach + 1, 2 * (reach // 2) + 1):
            cv2.blur(self._halo, (wide, wide), dst=self._halo, borderType=cv2.BORDER_CONSTANT)
        self._halo[..., 3] = 0.0
