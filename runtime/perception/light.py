"""The light in a frame, estimated: colour and brightness of what surrounds, and where the main light comes from.

With a face, the face is the probe: how bright each piece of it is, against which way it faces, gives Lambert's main light by
least squares (a first-order version of Ramamoorthi and Hanrahan, 2001). Without one, the side on which the picture is
brighter stands for it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from ..scene.meshes import smooth_normals
from .shrink import Shrinker

__all__ = ["ROWS", "LightEstimator", "LightState"]

ROWS = 36  # of the picture that is looked at
POINTS = 468
# what is no skin: eyes, brows, lips and nostrils (MediaPipe's numbering)
FEATURES = (
    33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7, 263, 466, 388, 387, 386, 385, 384, 398, 362,
    382, 381, 380, 374, 373, 390, 249, 70, 63, 105, 66, 107, 55, 65, 52, 53, 46, 300, 293, 334, 296, 336, 285, 295, 282,
    283, 276, 61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146, 78, 191, 80, 81,
    82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95, 98, 97, 2, 326, 327, 60, 290,
)  # fmt: skip
NOWHERE = np.array((0.25, 0.45, 0.85))  # where light is thought to come from while nothing says so: above, a little from the side


@dataclass(slots=True, eq=False)
class LightState:
    """What is smoothed: mean colour (linear), the main light's direction times its share, and whether there is anything yet."""

    colour: np.ndarray = field(default_factory=lambda: np.full(3, 0.2))
    way: np.ndarray = field(default_factory=lambda: NOWHERE * 0.4)
    begun: bool = False


class LightEstimator:
    """Estimates the light of frames.

    Args:
        triangles: (n, 3) of the face mesh.
    """

    def __init__(self, triangles: np.ndarray):
        self._triangles = triangles
        self._shrinker = Shrinker()
        self._skin = np.setdiff1d(np.arange(POINTS), FEATURES)
        self.small = np.zeros((ROWS, 64, 3), np.uint8)

    def __call__(self, picture: np.ndarray, landmarks: np.ndarray | None, state: LightState, blend: float) -> None:
        """Look at an (h, w, 3) uint8 sRGB picture, and move the state towards what it shows by `blend`, 0 to 1.

        landmarks: (≥ 468, 3) of a face, in the picture's pixels.
        """
        columns = max(2, round(ROWS * picture.shape[1] / picture.shape[0]))
        if self.small.shape[1] != columns:
            self.small = np.zeros((ROWS, columns, 3), np.uint8)
        self._shrinker.into(picture, self.small)
        light = linear(self.small)
        colour = light.mean((0, 1)).astype(np.float64)
        found = self._from_face(picture, landmarks) if landmarks is not None else None
        way = found if found is not None else _from_picture(light)
        if not state.begun:
            state.colour[...], state.way[...], state.begun = colour, way, True
            return
        state.colour += blend * (colour - state.colour)
        state.way += blend * (way - state.way)

    def _from_face(self, picture: np.ndarray, landmarks: np.ndarray) -> np.ndarray | None:
        """The direction to the main light (camera's axes), as long as its share of all light; None = can't be told."""
        points = landmarks[:POINTS]
        if len(points) < POINTS or not np.isfinite(points).all():
            return None
        normals = smooth_normals(points * np.array((1, -1, -1), np.float32), self._triangles)[self._skin]
        height, width = picture.shape[:2]
        places = np.rint(points[self._skin, :2]).astype(int)
        inside = (normals[:, 2] > 0.25) & (places >= 0).all(1) & (places < (width, height)).all(1)
        if inside.sum() < 80:
            return None
        x, y = places[inside].T
        seen = linear(picture[y, x][None])[0] @ np.array((0.2126, 0.7152, 0.0722))
        matrix = np.column_stack((np.ones(inside.sum()), normals[inside]))
        weights = np.ones(len(seen))
        solved = np.zeros(4)
        for _ in range(4):  # what shines, is shadowed or covered by hair lies off, and counts less and less
            scaled = matrix * weights[:, None]
            solved = np.linalg.solve(scaled.T @ matrix + np.diag((1e-6, 0.02, 0.02, 0.02)) * len(seen), scaled.T @ seen)
            off = np.abs(seen - matrix @ solved)
            weights = 1.0 / (1.0 + (off / max(1.5 * float(np.median(off)), 1e-4)) ** 2)
        mean = float(seen.mean())
        if mean < 1e-3:
            return None
        way = solved[1:] / mean
        way[2] = max(way[2], 0.15)  # the camera sees the lit side of something
        long = float(np.linalg.norm(way))
        return way * min(1.0, 1.0 / max(long, 1e-6))


def _from_picture(light: np.ndarray) -> np.ndarray:
    """A guess: towards the brighter side."""
    luma = light @ np.array((0.2126, 0.7152, 0.0722), np.float32)
    h, w = luma.shape
    across, down = np.linspace(-1, 1, w), np.linspace(-1, 1, h)
    mean = max(float(luma.mean()), 1e-3)
    x = float((luma * across).mean() / mean) * 1.5
    y = float(-(luma * down[:, None]).mean() / mean) * 1.5
    way = NOWHERE + (x, y, 0.0)
    return way / max(float(np.linalg.norm(way)), 1e-6) * min(0.3 + math.hypot(x, y), 0.8)


def linear(srgb: np.ndarray) -> np.ndarray:
    """uint8 sRGB as linear light, float32."""
    return _TABLE[srgb]


_TABLE = np.where(
    np.arange(256) <= 10.31475, np.arange(256) / 255 / 12.92, ((np.arange(256) / 255 + 0.055) / 1.055) ** 2.4
).astype(np.float32)  # fmt: skip
