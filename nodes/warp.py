"""Warp: bend a picture. Faces by their features, or any place; what is outside the bend stays as it is."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np

from ..graph.declare import In, Out, Param, PixelNode, ProcessNode, param, port, result, slot
from ..graph.types import Faces, Image, Number, Vector2
from ..runtime.frames import Frame
from ..runtime.models.resolver import resolve
from ..runtime.native.warp import BUMP
from ..runtime.perception.headframe import Head, HeadFitter, faded
from ..runtime.perception.topology import GEOMETRY, read_topology
from ..runtime.pixel import At, Vec, clamp, cos, dot, maximum, sin, vec

__all__ = ["Bulge", "FaceWarp", "Swirl"]

DEGREES = 0.017453292519943295
FINE = 10.0  # cells of the field in the smallest bump's radius, about
CAPACITY = 1 << 17  # cells of the field at most
BUMPS = 128
NO_MAP: Any = None  # OpenCV's second map: the first one holds both coordinates


class FaceWarp(ProcessNode, type="warp.face", natives=("warp_field",), fallback="pass"):
    """Change the shape of faces: larger eyes, a slimmer face, another nose, chin, mouth or smile.

    Each part is moved by a smooth bump that ends near it, so a wall behind the head stays straight a short way from its
    outline. Faces in profile are left as they are, those between are changed less. All at 0 leaves the picture untouched.
    It costs what it bends: only the part of the picture around the faces is drawn anew. The picture is opaque.
    """

    image: In[Image] = port(display=True, doc="the picture")
    faces: In[Faces] = port(doc="tracked faces in it")
    eyes: Param[Number] = param(0.0, low=-1, high=1, step=0.01, doc="larger above 0, smaller below")
    slim: Param[Number] = param(0.0, low=-1, high=1, step=0.01, doc="narrower cheeks and jaw above 0, wider below")
    nose: Param[Number] = param(0.0, low=-1, high=1, step=0.01, doc="larger above 0, smaller below")
    mouth: Param[Number] = param(0.0, low=-1, high=1, step=0.01, doc="larger above 0, smaller below")
    smile: Param[Number] = param(0.0, low=-1, high=1, step=0.01, doc="corners of the mouth up above 0, down below")
    chin: Param[Number] = param(0.0, low=-1, high=1, step=0.01, doc="longer above 0, shorter below")
    head: Param[Number] = param(0.0, low=-1, high=1, step=0.01, doc="the whole head larger above 0, smaller below")
    out: Out[Image] = result(display=True, doc="the picture, bent")
    shown = slot()

    def open(self, context: Any) -> None:
        self._fitter = HeadFitter(read_topology(resolve(GEOMETRY)))
        self._add = context.native("warp_field")
        self._bumps = np.zeros((BUMPS, BUMP), np.float32)
        self._cells = np.zeros(CAPACITY * 2, np.float32)
        self._places = np.zeros(0, np.float32)  # grows to the largest face seen

    def process(
        self, image: Frame, faces: Any, eyes: float, slim: float, nose: float, mouth: float, smile: float, chin: float,
        head: float, tick: Any, state: Any, out: Frame,
    ) -> Frame:  # fmt: skip
        np.copyto(out.data, image.data)
        state.shown = faded(state.shown, faces, tick.delta)
        amounts = {"eyes": eyes, "slim": slim, "nose": nose, "mouth": mouth, "smile": smile, "chin": chin, "head": head}
        rows: list[Row] = []
        for shown in state.shown.values() if any(amounts.values()) else ():
            if fit := self._fitter.fit(shown.item.landmarks):
                rows += bumps_of(shown.item.landmarks, fit, amounts, shown.amount)
        if rows:
            self._bend(np.array(rows[:BUMPS]), image, out)
        return out

    def _bend(self, rows: np.ndarray, image: Frame, out: Frame) -> None:
        """Draw the part of the picture that the bumps move."""
        a, _, c, _, e, f = image.geometry.from_frame()
        rows[:, 0], rows[:, 1] = rows[:, 0] * a + c, rows[:, 1] * e + f
        rows[:, [2, 4]] /= a
        rows[:, [3, 5]] /= e
        cell, left, top, columns, lines = field_place(rows, image.width, image.height)
        if columns <= 0 or lines <= 0:
            return
        rows[:, 0], rows[:, 1] = (rows[:, 0] - left) / cell, (rows[:, 1] - top) / cell
        rows[:, 2:6] *= cell
        self._bumps[: len(rows)] = rows
        field = self._cells[: lines * columns * 2].reshape(lines, columns, 2)
        field.fill(0.0)
        self._add(self._bumps.ctypes.data, len(rows), float(cell), field.ctypes.data, columns, lines)
        across, down = min(columns * cell, image.width - left), min(lines * cell, image.height - top)
        places = self._from(field, cell, left, top)[:down, :across]
        cv2.remap(
            image.data, places, NO_MAP, cv2.INTER_LINEAR, dst=out.data[top : top + down, left : left + across],
            borderMode=cv2.BORDER_REPLICATE,
        )  # fmt: skip

    def _from(self, field: np.ndarray, cell: int, left: int, top: int) -> np.ndarray:
        """Where each pixel is taken from: the field at the picture's own fineness, and the place itself."""
        down, across = field.shape[0] * cell, field.shape[1] * cell
        if self._places.size < down * across * 2:
            self._places = np.zeros(down * across * 2, np.float32)
        places = self._places[: down * across * 2].reshape(down, across, 2)
        cv2.resize(field, (across, down), dst=places, interpolation=cv2.INTER_LINEAR)
        places[..., 0] += np.arange(left, left + across, dtype=np.float32)
        places[..., 1] += np.arange(top, top + down, dtype=np.float32)[:, None]
        return places


Row = tuple[float, ...]
# corners and lids, the person's right eye first
EYES = ((33, 133, 159, 145), (263, 362, 386, 374))
CORNERS = (61, 291)


def bumps_of(landmarks: np.ndarray, head: Head, amounts: dict[str, float], share: float) -> list[Row]:
    """One face's bumps: centre and axes in frame pixels. Sources move against what is seen to move."""
    points = landmarks[:, :2].astype(np.float64)
    share *= min(max((head.facing - 0.15) / 0.45, 0.0), 1.0)
    made: list[Row] = []

    def add(centre: np.ndarray, across: float, down: float, t=(0.0, 0.0), grow=(0.0, 0.0), cubic: float = 0.0) -> None:
        made.append(row(head, centre, across, down, share, t, grow, cubic))

    eyes, slim, nose = -0.38 * amounts["eyes"], amounts["slim"], -0.36 * amounts["nose"]
    mouth, smile, chin = -0.34 * amounts["mouth"], amounts["smile"], amounts["chin"]
    if eyes:
        for parts in EYES:
            add(points[list(parts)].mean(0), 0.21, 0.18, grow=(eyes, eyes))
    if slim:
        add(points[[13, 2, 152]].mean(0), 0.95, 0.85, grow=(0.11 * slim, 0.0), cubic=0.55 * slim)
    if nose:
        add(points[[4, 2]].mean(0), 0.22, 0.25, grow=(nose, 0.5 * nose))
    if mouth:
        add(points[[13, 14]].mean(0), 0.32, 0.22, grow=(mouth, mouth))
    if smile:
        for side, corner in zip((1.0, -1.0), CORNERS, strict=True):
            add(points[corner], 0.2, 0.2, t=(0.10 * side * smile, 0.22 * smile))
    if chin:
        add(points[152], 0.46, 0.38, t=(0.0, -0.26 * chin))
    if amounts["head"]:
        size = -0.3 * amounts["head"]
        add(points[[9, 2]].mean(0), 1.3, 1.4, grow=(size, size))
    return made


def row(head: Head, centre: np.ndarray, across: float, down: float, share: float, t: tuple[float, float],
        grow: tuple[float, float], cubic: float) -> Row:  # fmt: skip
    """A bump that lies with the head's roll, `across` and `down` face widths in radius, narrower where the head is turned."""
    up = head.rotation[:2, 1]
    tall = max(float(np.hypot(*up)), 1e-6)
    # picture pixels, y down: the head's down and right
    down_x, down_y = -up[0] / tall, up[1] / tall
    narrow = 0.4 + 0.6 * max(head.facing, 0.0)
    u, v = 1.0 / (across * narrow * head.width), 1.0 / (down * head.width)
    return (
        float(centre[0]), float(centre[1]), down_y * u, -down_x * u, down_x * v, down_y * v, t[0] * share, t[1] * share,
        grow[0] * share, grow[1] * share, cubic * share, 0.0,
    )  # fmt: skip


def field_place(rows: np.ndarray, width: int, height: int) -> tuple[int, int, int, int, int]:
    """Pixels a cell, left, top, columns, lines of a field over all bumps within the picture, on a grid that holds still."""
    over = 1.0 / (rows[:, 2] * rows[:, 5] - rows[:, 3] * rows[:, 4])
    reach_x = np.hypot(rows[:, 5] * over, rows[:, 3] * over)
    reach_y = np.hypot(rows[:, 4] * over, rows[:, 2] * over)
    smallest = float(min(reach_x.min(), reach_y.min()))
    cell = 1 << max(round(math.log2(max(smallest / FINE, 1.0))), 1)
    left, top = max(float((rows[:, 0] - reach_x).min()), 0.0), max(float((rows[:, 1] - reach_y).min()), 0.0)
    right, bottom = min(float((rows[:, 0] + reach_x).max()), width), min(float((rows[:, 1] + reach_y).max()), height)
    while True:
        x, y = max(int(left) // cell - 1, 0), max(int(top) // cell - 1, 0)
        columns, lines = math.ceil(right / cell) + 1 - x, math.ceil(bottom / cell) + 1 - y
        if columns * lines <= CAPACITY:
            return cell, x * cell, y * cell, columns, lines
        cell *= 2


class Bent(PixelNode):
    """What the warps around a place share."""

    image: In[Image] = port(doc="the picture")
    centre: Param[Vector2] = param(
        (0.0, 0.0), low=-2, high=2, step=0.005, unit="frame heights", doc="from the frame's centre, x right, y down"
    )
    radius: Param[Number] = param(0.3, low=0.01, high=2, step=0.01, unit="frame heights", doc="where it ends")
    out: Out[Image] = result(doc="the picture, bent")


def bump(at: At, centre: Vec, radius: Vec) -> tuple[Vec, Vec, Vec]:
    """The middle, the offset from it, and the weight, 1 there and falling smoothly to 0 at the radius."""
    middle = vec(0.5 * at.aspect, 0.5) + centre
    away = vec(at.x, at.y) - middle
    rest = clamp(1.0 - dot(away, away) / maximum(radius * radius, 1e-8))
    return middle, away, rest * rest


class Bulge(Bent, type="warp.bulge"):
    """Blow a picture up around a place, or pinch it together: what is outside the radius stays as it is."""

    amount: Param[Number] = param(
        0.5, low=-1, high=1, step=0.01, doc="above 0 it bulges towards you, below it is pinched; 0 leaves it as it is"
    )

    def pixel(self, image, centre, radius, amount, at):
        middle, away, weight = bump(at, centre, radius)
        return image.sample(*(middle + away * (1.0 - 0.6 * amount * weight)))


class Swirl(Bent, type="warp.swirl"):
    """Turn a picture around a place, most in the middle: what is outside the radius stays as it is."""

    angle: Param[Number] = param(90.0, low=-720, high=720, step=1, unit="°", doc="of the middle, clockwise")

    def pixel(self, image, centre, radius, angle, at):
        middle, away, weight = bump(at, centre, radius)
        turn = angle * weight * -DEGREES
        c, s = cos(turn), sin(turn)
        return image.sample(*(middle + vec(c * away.x - s * away.y, s * away.x + c * away.y)))
