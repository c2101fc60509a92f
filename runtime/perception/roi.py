"""Rotated square regions of a picture: from boxes and points, into a model's input, and back."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from ..frames import Geometry
from .shrink import Shrinker

__all__ = ["Cropper", "Roi", "from_box", "from_landmarks", "overlap", "project", "to_frame", "turn", "upward"]


class Roi(NamedTuple):
    """A square in the picture: centre and side in pixels, clockwise angle in radians."""

    x: float
    y: float
    size: float
    angle: float


def from_box(box: tuple[float, float, float, float], left, right, scale: float) -> Roi:
    """The square around a box (x0, y0, x1, y1), `scale` times its longer side, upright for two eyes."""
    x0, y0, x1, y1 = (float(v) for v in box)
    angle = math.atan2(float(right[1] - left[1]), float(right[0] - left[0]))
    return Roi((x0 + x1) / 2, (y0 + y1) / 2, max(x1 - x0, y1 - y0) * scale, angle)


def from_landmarks(points: np.ndarray, left: int, right: int, scale: float) -> Roi:
    """The square around points (n, 2 or 3), as `from_box`; `left` and `right` index the two eyes."""
    x, y = points[:, 0], points[:, 1]
    return from_box((x.min(), y.min(), x.max(), y.max()), points[left], points[right], scale)


def upward(start: Sequence[float] | np.ndarray, end: Sequence[float] | np.ndarray) -> float:
    """The clockwise angle of a region in which the way from start to end (x, y) points up."""
    return math.atan2(float(end[0] - start[0]), -float(end[1] - start[1]))


def overlap(a: Roi, b: Roi) -> float:
    """Intersection over union of two squares, their rotation left out (as MediaPipe associates them)."""
    w = min(a.x + a.size / 2, b.x + b.size / 2) - max(a.x - a.size / 2, b.x - b.size / 2)
    h = min(a.y + a.size / 2, b.y + b.size / 2) - max(a.y - a.size / 2, b.y - b.size / 2)
    common = max(w, 0.0) * max(h, 0.0)
    return common / max(a.size**2 + b.size**2 - common, 1e-9)


def project(points: np.ndarray, roi: Roi, side: int) -> np.ndarray:
    """Points (n, 3) in pixels of a crop of `side` pixels → picture pixels, a new float32 array; z by scale."""
    scale = roi.size / side
    c, s = math.cos(roi.angle) * scale, math.sin(roi.angle) * scale
    out = np.empty((len(points), 3), np.float32)
    x, y = points[:, 0] - side / 2, points[:, 1] - side / 2
    np.add(x * c - y * s, roi.x, out=out[:, 0], casting="same_kind")
    np.add(x * s + y * c, roi.y, out=out[:, 1], casting="same_kind")
    np.multiply(points[:, 2], scale, out=out[:, 2])
    return out


def turn(points: np.ndarray, angle: float) -> np.ndarray:
    """Points (n, 3) around the origin, turned clockwise in x, y (y down): a new float32 array."""
    c, s = math.cos(angle), math.sin(angle)
    out = np.empty((len(points), 3), np.float32)
    out[:, 0] = points[:, 0] * c - points[:, 1] * s
    out[:, 1] = points[:, 0] * s + points[:, 1] * c
    out[:, 2] = points[:, 2]
    return out


class Cropper:
    """Cuts a Roi out of a picture, straight into a model's float input (0 to 1, NHWC)."""

    def __init__(self, view: np.ndarray) -> None:
        self._view = view[0]
        self.side = view.shape[1]
        self._four = np.empty((self.side, self.side, 4), np.uint8)
        self._three = np.empty((self.side, self.side, 3), np.uint8)
        self._matrix = np.empty((2, 3))
        self._shrink = Shrinker()

    def __call__(self, image: np.ndarray, roi: Roi, mirror: bool = False) -> None:
        """Beyond the picture its border is repeated. `mirror` flips the crop left to right.

        From 3 picture pixels a crop pixel on, bilinear sampling would skip most: then the part is halved first.
        """
        times = max(0, math.floor(math.log2(max(roi.size / self.side, 1e-6) / 1.5)))
        image, roi = self._part(image, roi, times)
        scale = roi.size / self.side
        c, s = math.cos(roi.angle) * scale, math.sin(roi.angle) * scale
        centre = self.side / 2
        flip = -1 if mirror else 1
        m = self._matrix  # from pixel numbers to pixel numbers, as MediaPipe's CPU graph does it
        m[0] = c * flip, -s, roi.x - (c * flip - s) * centre
        m[1] = s * flip, c, roi.y - (s * flip + c) * centre
        cv2.warpAffine(
            image, m, (self.side, self.side), dst=self._four,
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE,
        )  # fmt: skip
        cv2.cvtColor(self._four, cv2.COLOR_RGBA2RGB, dst=self._three)
        np.multiply(self._three, np.float32(1 / 255), out=self._view)

    def _part(self, image: np.ndarray, roi: Roi, times: int) -> tuple[np.ndarray, Roi]:
        """The part of the picture under the Roi at 1/2**times of its size, RGBA, in a small buffer, and the Roi in it.

        Even at full size it is copied. Sampling 192² pixels along slanted lines of a 720p frame that is in no cache took
        0.48 ms; a copy in reading order and sampling that 0.26; the same with four channels, which OpenCV samples with
        SIMD, 0.14.
        """
        step = 1 << times
        reach = roi.size / 2 * (abs(math.cos(roi.angle)) + abs(math.sin(roi.angle))) + 2 * step
        height, width = image.shape[:2]
        self._shrink.prepare(height, width)
        if width < step or height < step:
            return self._shrink.rgba(image, 0), roi
        x0, x1 = _span(roi.x, reach, width, step)
        y0, y1 = _span(roi.y, reach, height, step)
        part = self._shrink.rgba(image[y0:y1, x0:x1], times)
        shift = 0.5 - 0.5 * step  # from pixel numbers to those of the part
        return part, Roi((roi.x - x0 + shift) / step, (roi.y - y0 + shift) / step, roi.size / step, roi.angle)


def _span(centre: float, reach: float, limit: int, step: int) -> tuple[int, int]:
    """Whole steps of pixels around a centre, inside the picture (less than a step at its end may be left out)."""
    last = limit // step * step
    low = min(max(int(centre - reach) // step * step, 0), max(last - step, 0))
    return low, min(max(int(centre + reach) // step * step + step, low + step), last)


def to_frame(points: np.ndarray, geometry: Geometry) -> None:
    """Points (n, 3) from a picture's pixels to the frame's, in place; z by the picture's scale."""
    a, b, c, d, e, f = geometry.to_frame
    if (a, b, c, d, e, f) == (1, 0, 0, 0, 1, 0):
        return
    points[:, :2] = points[:, :2] @ np.array(((a, d), (b, e)), np.float32) + np.array((c, f), np.float32)
    points[:, 2] *= np.float32(abs(a * e - b * d) ** 0.5)
