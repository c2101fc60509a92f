"""Stickers: pictures on planes in space, laid over a layer with perspective, soft shadow and the right mip level.

Space is the frame's pixels, y up from its top and z towards the camera (glTF's axes), as in `perception.headframe`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from .frames import Frame
from .layers import Layer, around
from .native.layer import VERTEX
from .textures import Texture

__all__ = ["Painter", "Sticker", "axes_of", "fade", "partly_turned", "unit"]

CAPACITY = 1 << 20  # pixels of the layer
MOST = 64  # stickers on one layer
CORNERS = np.array(((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)))
FACES = np.array(((0, 1, 2), (0, 2, 3)), np.int32)
BLUR = 3.0  # mip levels that a shadow is read coarser
NEAREST = 0.6  # of the focal length: how far a corner may come towards the camera


@dataclass(slots=True, eq=False)
class Sticker:
    """One picture in space.

    Attributes:
        texture: the picture.
        place: (3,) the point of space where `anchor` lies.
        axes: (3, 3) columns: the picture's right, up, and its front.
        width, height: in pixels, where it faces the camera; a width below 0: mirrored.
        anchor: the point of the picture that lies there, 0 to 1, from its top left.
        opacity: 0 to 1.
    """

    texture: Texture
    place: np.ndarray
    axes: np.ndarray
    width: float
    height: float
    anchor: Sequence[float] = (0.5, 0.5)
    opacity: float = 1.0

    def corners(self, focal: float) -> np.ndarray:
        """(4, 3): x, y in frame pixels (y down), and 1/depth, 1 at the place."""
        flat = (CORNERS - self.anchor) * (self.width, self.height)
        away = flat[:, :1] * self.axes[:, 0] - flat[:, 1:] * self.axes[:, 1]
        near = focal / (focal - np.minimum(away[:, 2], NEAREST * focal))
        made = np.empty((4, 3))
        made[:, 0] = self.place[0] + away[:, 0] * near
        made[:, 1] = -self.place[1] - away[:, 1] * near
        made[:, 2] = near
        return made


class Painter:
    """Lays stickers over a layer of its own."""

    def __init__(self, draw: Callable[..., None]):
        self._draw = draw
        self._layer = Layer(CAPACITY)
        self._vertices = np.zeros((4, VERTEX), np.float32)
        self._vertices[:, 3:5] = CORNERS
        self._tint = np.ones(4, np.float32)

    def paint(self, stickers: Sequence[Sticker], shadow: float, drop: float, tick: Any, space: str, before: int) -> tuple[Frame, int]:
        """The layer with all stickers, the first at the bottom, and its scale.

        Args:
            shadow: strength of a soft shadow below each.
            drop: how far down it falls, as a share of the sticker's height.
            before: the scale of the frame before (see Layer.place).
        """
        focal = float(max(tick.width, tick.height, 1))
        drawn = [(s, corners) for s in stickers[:MOST] if s.opacity > 0 and np.isfinite(corners := s.corners(focal)).all()]
        boxes = [_box(corners, drop * s.height if shadow > 0 else 0.0, s.height if shadow > 0 else 0.0) for s, corners in drawn]
        frame, scale = self._layer.place(around(boxes), tick, space, before)
        if frame.width * frame.height <= 1:
            return frame, scale
        for sticker, corners in drawn:
            if shadow > 0:
                fallen = corners.copy()
                fallen[:, 1] += drop * sticker.height
                self._lay(sticker, fallen, frame, (0.0, 0.0, 0.0, shadow * sticker.opacity), BLUR)
            o = sticker.opacity
            self._lay(sticker, corners, frame, (o, o, o, o), 0.0)
        return frame, scale

    def _lay(self, sticker: Sticker, corners: np.ndarray, frame: Frame, tint: tuple[float, ...], blur: float) -> None:
        scale, _, left, _, _, top = frame.geometry.to_frame
        vertices, texture = self._vertices, sticker.texture
        # a little wider than the picture, so that its edge fades over a pixel of its own
        lod = texture.lod(_area(corners) / scale**2) + blur
        reach = 2.0**lod / np.array((texture.width, texture.height), float)
        wide = (CORNERS - 0.5) * (1.0 + 2.0 * reach) + 0.5
        placed = _spread(corners, wide)
        vertices[:, 0], vertices[:, 1] = (placed[:, 0] - left) / scale, (placed[:, 1] - top) / scale
        vertices[:, 2], vertices[:, 3:5], vertices[:, 5] = placed[:, 2], wide, 1.0
        self._tint[:] = tint
        self._draw(
            vertices.ctypes.data, FACES.ctypes.data, 2, texture.texels.ctypes.data, texture.levels.ctypes.data,
            texture.count, lod, self._tint.ctypes.data, frame.data.ctypes.data, frame.width, frame.height,
        )  # fmt: skip


def _spread(corners: np.ndarray, uv: np.ndarray) -> np.ndarray:
    """Places of the picture's plane at u, v: homogeneous coordinates are linear in them."""
    x, y, q = corners.T
    whole = np.stack([x / q, y / q, 1.0 / q], -1)
    origin, across, down = whole[0], whole[1] - whole[0], whole[3] - whole[0]
    made = origin + uv[:, :1] * across + uv[:, 1:] * down
    depth = np.maximum(made[:, 2], 1e-3)
    return np.stack([made[:, 0] / depth, made[:, 1] / depth, 1.0 / depth], -1)


def _area(corners: np.ndarray) -> float:
    x, y = corners[:, 0], corners[:, 1]
    return 0.5 * abs(float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))))


def _box(corners: np.ndarray, drop: float, soft: float) -> tuple[float, float, float, float]:
    reach = 2.0 + 0.12 * soft
    (left, top), (right, bottom) = corners[:, :2].min(0), corners[:, :2].max(0)
    return float(left - reach), float(top - reach), float(right + reach), float(bottom + reach + drop)


def unit(vector: np.ndarray) -> np.ndarray:
    """That way, at length 1; straight up where it has none."""
    long = float(np.linalg.norm(vector))
    return vector / long if long > 1e-9 else np.array((0.0, 1.0, 0.0))


def axes_of(up: np.ndarray, right: np.ndarray) -> np.ndarray:
    """(3, 3) columns right, up, front: `up` exactly, right as near to the one given as may be."""
    y = unit(up)
    z = np.cross(right, y)
    z = unit(z) if np.linalg.norm(z) > 1e-9 else np.array((0.0, 0.0, 1.0))
    return np.stack([np.cross(y, z), y, z], -1)


def partly_turned(axes: np.ndarray, share: float) -> np.ndarray:
    """Axes that keep their roll and only a share of what turns them away from the camera."""
    flat = np.array((axes[0, 1], axes[1, 1], 0.0))
    if share >= 1.0 or np.linalg.norm(flat) < 1e-6:
        return axes
    facing = axes_of(flat, np.array((flat[1], -flat[0], 0.0)))
    if share <= 0.0:
        return facing
    way = cv2.Rodrigues(facing.T @ axes)[0]
    return facing @ cv2.Rodrigues(way * share)[0]


def fade(low: float, high: float, value: float) -> float:
    """0 below `low`, 1 above `high`, smooth between."""
    t = min(max((value - low) / max(high - low, 1e-6), 0.0), 1.0)
    return t * t * (3.0 - 2.0 * t) if math.isfinite(t) else 0.0
