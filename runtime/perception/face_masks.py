"""Masks of a face's parts, drawn from its landmarks on a coarse grid: soft, cheap, as steady as the landmarks are."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import cv2
import numpy as np

from ..frames import Geometry
from .headframe import Shown

__all__ = ["CAPACITY", "MASKS", "FaceMasks", "drawable", "face_width"]

MASKS = ("skin", "eyes", "lips", "mouth", "brows", "under_eyes", "irises", "face")
def _rows(*parts: tuple[int, ...]) -> list[np.ndarray]:
    return [np.array(p) for p in parts]


OUTLINE = np.array([
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150,
    136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
])  # fmt: skip
EYES = _rows(
    (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246),
    (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466),
)
LIPS = np.array([61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185])
MOUTH = np.array([78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191])
BROWS = _rows((70, 63, 105, 66, 107, 55, 65, 52, 53, 46), (300, 293, 334, 296, 336, 285, 295, 282, 283, 276))
UNDER_EYES = _rows(
    (130, 25, 110, 24, 23, 22, 26, 112, 243, 244, 233, 232, 231, 230, 229, 228, 31, 226),
    (359, 255, 339, 254, 253, 252, 256, 341, 463, 464, 453, 452, 451, 450, 449, 448, 261, 446),
)
NOSTRILS = _rows((98, 97, 99, 240), (327, 326, 328, 460))
IRISES = (slice(468, 473), slice(473, 478))
# of the outline, from the top down: how far the skin goes on above the mesh, which ends below the hair
TOP = {10: 1.0, 338: 0.95, 109: 0.95, 297: 0.85, 67: 0.85, 332: 0.65, 103: 0.65, 284: 0.4, 54: 0.4, 251: 0.15, 21: 0.15}
FOREHEAD = np.array([[TOP.get(int(i), 0.0)] for i in OUTLINE])
TURNS = np.linspace(0, 2 * np.pi, 16, endpoint=False)
CIRCLE = np.column_stack((np.cos(TURNS), np.sin(TURNS)))
POINTS = 468
ABOVE = 0.14  # face widths, of forehead above the mesh
AROUND = 0.25  # face widths around the landmarks that masks may reach
HEIGHT_TO_WIDTH = 15.5 / 17.7  # of the canonical face, from its top to its chin
CAPACITY = 1 << 17  # cells at most
MARGIN = 2  # empty cells around, since reads beyond a raster repeat its border
SHIFT = 4  # fixed-point bits of OpenCV's polygons


def face_width(landmarks: np.ndarray) -> float:
    """A face's width in the landmarks' pixels, turned or not, from the way between forehead and chin."""
    return float(np.linalg.norm(landmarks[10] - landmarks[152])) * HEIGHT_TO_WIDTH


class FaceMasks:
    """Draws all faces' masks into two rasters of four channels (0 to 1), in the order of MASKS. Buffers stay."""

    def __init__(self) -> None:
        self._planes = np.zeros((len(MASKS), CAPACITY), np.uint8)
        self._work = np.zeros((5, CAPACITY), np.uint8)
        self._bytes = np.zeros((CAPACITY, 4), np.uint8)
        self._drawn = np.zeros((2, CAPACITY, 4), np.float32)

    def draw(
        self, faces: Iterable[Shown], width: float, height: float, *, resolution: float = 128.0, feather: float = 0.015,
        rim: float = 0.1, before: int = 0,
    ) -> tuple[list[np.ndarray], Geometry, int]:  # fmt: skip
        """Both rasters (h, w, 4) float32, where they lie, and frame pixels a cell, a power of two.

        width, height: the frame's. resolution: cells across the largest face, about. feather: softness of the parts; rim: how
        far inside its outline skin and face fade in; both in face widths. before: the last call's cell size (0 = none).
        """
        shown = [s for s in faces if drawable(s.item.landmarks, width, height)]
        if not shown:
            return [self._drawn[k, :1].reshape(1, 1, 4) * 0 for k in range(2)], Geometry(1, 1), 0
        geometry, cell = _place([s.item.landmarks for s in shown], width, height, resolution, before)
        rows, columns = geometry.height, geometry.width
        planes = self._planes[:, : rows * columns].reshape(-1, rows, columns)
        planes.fill(0)
        for face in shown:
            self._face(planes, face, geometry, feather, rim)
        for edge in (planes[:, 0], planes[:, -1], planes[:, :, 0], planes[:, :, -1]):
            edge.fill(0)
        four = self._bytes[: rows * columns].reshape(rows, columns, 4)
        out = []
        for k in range(2):
            cv2.merge(list(planes[4 * k : 4 * k + 4]), dst=four)
            drawn = self._drawn[k, : rows * columns].reshape(rows, columns, 4)
            np.multiply(four, np.float32(1 / 255), out=drawn)
            out.append(drawn)
        return out, geometry, cell

    def sample(
        self, landmarks: np.ndarray, image: np.ndarray, to_image: Sequence[float], geometry: Geometry, most: int = 1000
    ) -> np.ndarray:  # fmt: skip
        """(n ≤ about `most`, 3) uint8 colours of the picture where a face's skin was drawn last; may be empty.

        to_image: scale x, scale y, shift x, shift y from frame pixels to the picture's.
        """
        left, top, right, bottom = self.region(landmarks, geometry)
        skin = self._planes[0, : geometry.height * geometry.width].reshape(geometry.height, -1)[top:bottom, left:right]
        step = max(1, math.ceil(math.sqrt(skin.size / (2 * most))))
        y, x = np.nonzero(skin[::step, ::step] > 200)
        cell, _, away_x, _, _, away_y = geometry.to_frame
        sx, sy, cx, cy = to_image
        column = ((x * step + left + 0.5) * cell + away_x) * sx + cx
        row = ((y * step + top + 0.5) * cell + away_y) * sy + cy
        inside = (column >= 0) & (row >= 0) & (column < image.shape[1]) & (row < image.shape[0])
        return image[row[inside].astype(np.intp), column[inside].astype(np.intp), :3]

    def region(self, landmarks: np.ndarray, geometry: Geometry) -> tuple[int, int, int, int]:
        """Left, top, right, bottom of a face's part of the grid, in cells; empty where it lies beyond."""
        cell, _, left, _, _, top = geometry.to_frame
        outline = (landmarks[OUTLINE, :2] - (left, top)) / cell
        reach = AROUND * face_width(landmarks) / cell + 3
        low = np.maximum(outline.min(0) - reach, 0).astype(int)
        high = np.minimum(outline.max(0) + reach + 1, (geometry.width, geometry.height)).astype(int)
        return int(low[0]), int(low[1]), max(int(high[0]), int(low[0])), max(int(high[1]), int(low[1]))

    def _face(self, planes: np.ndarray, face: Shown, geometry: Geometry, feather: float, rim: float) -> None:
        """One face's masks, drawn on its own part of the grid and laid over the others' by the larger value."""
        cell, _, left, _, _, top = geometry.to_frame
        landmarks = face.item.landmarks
        points = (landmarks[:, :2] - (left, top)) / cell
        size = face_width(landmarks) / cell
        x0, y0, x1, y1 = self.region(landmarks, geometry)
        columns, rows = x1 - x0, y1 - y0
        if columns <= 0 or rows <= 0:
            return
        points -= (x0, y0)
        work = [w[: rows * columns].reshape(rows, columns) for w in self._work]
        soft = max(feather * size, 0.35)
        rimmed = max(0.45 * rim * size, 0.5)
        parts = planes[:, y0:y1, x0:x1]
        holes, outline, one, other, spare = work

        def lay(name: str, plane: np.ndarray) -> None:
            if face.amount < 1:
                plane = cv2.convertScaleAbs(plane, alpha=face.amount)
            into = parts[MASKS.index(name)]
            np.maximum(into, plane, out=into)

        _fill(outline, [_grown(points[OUTLINE], 1 - rim)], rimmed, spare)
        lay("face", outline)
        _fill(holes, [
            *(_grown(points[e], 1.3) for e in EYES), _grown(points[LIPS], 1.06),
            *(_grown(points[b], 1.1) for b in BROWS), *(_grown(points[n], 1.3) for n in NOSTRILS),
        ], soft, spare)  # fmt: skip
        cv2.bitwise_not(holes, dst=holes)
        _fill(outline, [_grown(_with_forehead(points), 1 - rim)], rimmed, spare)
        cv2.multiply(outline, holes, dst=one, scale=1 / 255)
        lay("skin", one)
        _fill(other, [points[e] for e in EYES], 0.6 * soft, spare)
        lay("eyes", other)
        if len(landmarks) >= 478:
            _fill(one, [_disc(points[i]) for i in IRISES], 0.6 * soft, spare)
            np.minimum(one, other, out=one)
            lay("irises", one)
        _fill(other, [points[MOUTH]], 0.5 * soft, spare)
        lay("mouth", other)
        _fill(one, [points[LIPS]], 0.6 * soft, spare)
        cv2.subtract(one, other, dst=one)
        lay("lips", one)
        _fill(one, [points[b] for b in BROWS], soft, spare)
        lay("brows", one)
        _fill(one, [points[u] for u in UNDER_EYES], 2 * soft, spare)
        lay("under_eyes", one)


def drawable(landmarks: np.ndarray, width: float, height: float) -> bool:
    """Is that a whole, finite face that reaches into the frame?"""
    if len(landmarks) < POINTS or not np.isfinite(landmarks).all() or face_width(landmarks) < 1:
        return False
    low, high = landmarks[:POINTS, :2].min(0), landmarks[:POINTS, :2].max(0)
    return bool((high > 0).all() and low[0] < width and low[1] < height)


def _place(faces: list[np.ndarray], width: float, height: float, resolution: float, before: int) -> tuple[Geometry, int]:
    """The grid around all faces; it holds still, and its cell stays while it is about right."""
    widths = [face_width(f) for f in faces]
    ideal = max(max(widths) / resolution, 1.0)
    cell = before if before and abs(math.log2(ideal / before)) < 0.75 else 2 ** max(0, round(math.log2(ideal)))
    lows = np.array([f[:POINTS, :2].min(0) - AROUND * w for f, w in zip(faces, widths, strict=True)]).min(0)
    highs = np.array([f[:POINTS, :2].max(0) + AROUND * w for f, w in zip(faces, widths, strict=True)]).max(0)
    while True:
        left = math.floor(max(lows[0], 0) / cell - MARGIN) * cell
        top = math.floor(max(lows[1], 0) / cell - MARGIN) * cell
        columns = math.ceil((min(highs[0], width) - left) / cell) + MARGIN
        rows = math.ceil((min(highs[1], height) - top) / cell) + MARGIN
        if columns * rows <= CAPACITY:
            return Geometry(columns, rows, (float(cell), 0.0, float(left), 0.0, float(cell), float(top))), cell
        cell *= 2


def _fill(plane: np.ndarray, shapes: list[np.ndarray], sigma: float, spare: np.ndarray) -> None:
    """Polygons in cells, filled with 255 and blurred; `spare` is of the plane's size."""
    spare.fill(0)
    for shape in shapes:  # one after the other: what overlaps must not cancel out
        corners = np.round((shape - 0.5) * (1 << SHIFT)).astype(np.int32)
        cv2.fillPoly(spare, [corners], 255, cv2.LINE_AA, SHIFT)
    if sigma < 1.3:
        cv2.GaussianBlur(spare, (5, 5), sigma, dst=plane, borderType=cv2.BORDER_REPLICATE)
        return
    # Two boxes, a triangle of that variance: OpenCV's wide Gaussian of bytes takes ten times as long, and its stack blur
    # (5.0) is not the same each time where two threads meet.
    side = 2 * max(round((math.sqrt(6 * sigma * sigma + 1) - 1) / 2), 1) + 1
    cv2.blur(spare, (side, side), dst=plane, borderType=cv2.BORDER_REPLICATE)
    cv2.blur(plane, (side, side), dst=spare, borderType=cv2.BORDER_REPLICATE)
    np.copyto(plane, spare)


def _grown(points: np.ndarray, times: float) -> np.ndarray:
    middle = points.mean(0)
    return middle + (points - middle) * times


def _with_forehead(points: np.ndarray) -> np.ndarray:
    """The face's outline, its top moved up."""
    up = (points[10] - points[152]) * (ABOVE * HEIGHT_TO_WIDTH)
    return points[OUTLINE] + FOREHEAD * up


def _disc(iris: np.ndarray) -> np.ndarray:
    """An iris' middle and four points around → a polygon of its ellipse."""
    axes = np.stack((iris[1] - iris[3], iris[2] - iris[4])) / 2
    return iris[0] + CIRCLE @ axes
