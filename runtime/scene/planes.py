"""Planes before a camera: where one that leans lies, what the frame shows under it, and pictures drawn on it."""

from __future__ import annotations

import math
from collections.abc import Callable

import cv2
import numpy as np

from ..frames import Frame
from ..textures import Texture
from .values import CameraValue, PlaneValue

__all__ = ["PlanePainter", "facing_plane", "patch_under"]

PATCH = 200  # pixels of a piece of the frame that is followed
FLAT = np.array(((-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)))  # x right, y down
FACES = np.array(((0, 1, 2), (0, 2, 3)), np.int32)
NEAR = 0.02  # metres: nearer to the camera nothing is drawn


def facing_plane(
    place: tuple[float, float], size: float, tilt: float, camera: CameraValue, frame: tuple[int, int]
) -> np.ndarray:  # fmt: skip
    """(3, 3) from lengths on a square plane (its widths, x right, y down) to frame pixels.

    Args:
        place: where its middle is seen, in frame heights from the frame's middle, x right, y down.
        size: how wide it looks, in frame heights, where it faces the camera.
        tilt: degrees that it leans back.
    """
    fx, fy, cx, cy = camera
    u, v = place[0] * frame[1] + frame[0] / 2, place[1] * frame[1] + frame[1] / 2
    # at distance 1, y down, z away
    middle = np.array(((u - cx) / fx, (v - cy) / fy, 1.0))
    wide, angle = size * frame[1] / fx, math.radians(tilt)
    right, down = np.array((wide, 0.0, 0.0)), np.array((0.0, wide * math.cos(angle), -wide * math.sin(angle)))
    lens = np.array(((fx, 0.0, cx), (0.0, fy, cy), (0.0, 0.0, 1.0)))
    return lens @ np.column_stack((right, down, middle))


def patch_under(grey: np.ndarray, homography: np.ndarray) -> np.ndarray:
    """(PATCH, PATCH) what a picture in grey shows under a plane, seen from its front."""
    to_plane = np.array(((1 / PATCH, 0.0, 0.5 / PATCH - 0.5), (0.0, 1 / PATCH, 0.5 / PATCH - 0.5), (0.0, 0.0, 1.0)))
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpPerspective(grey, homography @ to_plane, (PATCH, PATCH), flags=flags, borderMode=cv2.BORDER_REPLICATE)


class PlanePainter:
    """Draws textures on planes. Its vertices: x, y (frame pixels), 1 / distance, u, v, opacity."""

    def __init__(self, draw: Callable[..., None]):
        self._draw = draw
        self._vertices = np.zeros((4, 6), np.float32)
        self._tint = np.ones(4, np.float32)

    def vertices(
        self, plane: PlaneValue, camera: CameraValue, size: tuple[float, float], place: tuple[float, float, float],
        rotate: float, texture: Texture,
    ) -> np.ndarray | None:  # fmt: skip
        """(4, 6) the corners of a picture on a plane, a texel wider than it, so that its edge is smooth; None = not before
        the camera. size, place (right, up, out of the plane): in the plane's widths."""
        c, s = math.cos(math.radians(rotate)), math.sin(math.radians(rotate))
        seen = self._placed(plane, camera, FLAT * size, place, c, s)
        if seen is None:
            return None
        area = 0.5 * abs(float(np.dot(seen[:, 0], np.roll(seen[:, 1], -1)) - np.dot(seen[:, 1], np.roll(seen[:, 0], -1))))
        reach = 2.0 ** texture.lod(area) / np.array((texture.width, texture.height), float)
        wide = FLAT * (1.0 + 2.0 * reach)
        seen = self._placed(plane, camera, wide * size, place, c, s)
        if seen is None:
            return None
        return np.column_stack((seen, wide + 0.5, np.ones(4)))

    def _placed(
        self, plane: PlaneValue, camera: CameraValue, flat: np.ndarray, place: tuple[float, float, float], c: float, s: float
    ) -> np.ndarray | None:  # fmt: skip
        turned = np.column_stack((c * flat[:, 0] - s * flat[:, 1], s * flat[:, 0] + c * flat[:, 1]))
        if place[2] == 0.0:  # on the plane itself: exactly where it was measured
            q = (turned + (place[0], -place[1])) @ plane.homography[:, :2].T + plane.homography[:, 2]
            q = q * np.sign(q[0, 2])
            if not (q[:, 2] > 1e-9).all() or not np.isfinite(q).all():
                return None
            return np.column_stack((q[:, :2] / q[:, 2:], q[:, 2].min() / q[:, 2]))
        fx, fy, cx, cy = camera
        points = np.column_stack((turned[:, 0] + place[0], place[1] - turned[:, 1], np.full(4, place[2]))) * plane.size[0]
        there = points @ plane.pose[:3, :3].T + plane.pose[:3, 3]
        far = -there[:, 2]
        if not (far > NEAR).all() or not np.isfinite(there).all():
            return None
        return np.column_stack((cx + fx * there[:, 0] / far, cy - fy * there[:, 1] / far, 1.0 / far))

    def box(self, vertices: np.ndarray) -> tuple[float, float, float, float]:
        (left, top), (right, bottom) = vertices[:, :2].min(0), vertices[:, :2].max(0)
        return float(left) - 1, float(top) - 1, float(right) + 1, float(bottom) + 1

    def paint(self, vertices: np.ndarray, texture: Texture, frame: Frame, opacity: float) -> None:
        """Lay it over a layer."""
        scale, _, left, _, _, top = frame.geometry.to_frame
        self._vertices[...] = vertices
        self._vertices[:, 0] = (vertices[:, 0] - left) / scale
        self._vertices[:, 1] = (vertices[:, 1] - top) / scale
        x, y = self._vertices[:, 0].astype(float), self._vertices[:, 1].astype(float)
        area = 0.5 * abs(float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))))
        self._tint[:] = opacity
        self._draw(
            self._vertices.ctypes.data, FACES.ctypes.data, 2, texture.texels.ctypes.data, texture.levels.ctypes.data,
            texture.count, texture.lod(area), self._tint.ctypes.data, frame.data.ctypes.data, frame.width, frame.height,
        )  # fmt: skip
