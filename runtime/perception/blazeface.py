"""Detectors of the BlazeFace family: faces within about two metres, palms, persons, in a picture of any size.

Anchors, decoding and weighted non-maximum suppression follow MediaPipe's face_detection_short_range, palm_detection and
pose_detection graphs (Bazarevsky and others, "BlazeFace", 2019, and "BlazePose", 2020; Zhang and others, "MediaPipe
Hands", 2020).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from .roi import Roi, from_box, upward
from .shrink import Shrinker

__all__ = ["FACE", "PALM", "PERSON", "Detector", "Kind", "Window", "around", "make_anchors", "weighted_nms", "windows"]

SMALLEST = 128  # a picture's shorter side from which on parts of it are looked at alone
SMALL = 0.6  # side of the smallest windows, of the picture's shorter side

Window = tuple[int, int, int, int]  # left, top, right, bottom


@dataclass(frozen=True)
class Kind:
    """One network of the family.

    Attributes:
        side: of its square input, in pixels.
        strides: input pixels an anchor cell, one entry for each pair of anchors in a cell.
        points: keypoints of a detection.
        low: what black is in its input; white is 1.
        region: a detection (x0, y0, x1, y1, then the points, in picture pixels) → where the landmark network looks.
    """

    side: int
    strides: tuple[int, ...]
    points: int
    low: float
    region: Callable[[np.ndarray], Roi]


def _face(box: np.ndarray) -> Roi:
    """1.5 times the box, upright by the eyes."""
    return from_box(tuple(box[:4]), box[4:6], box[6:8], 1.5)


def _palm(box: np.ndarray) -> Roi:
    """2.6 times the palm's box, shifted half a box towards the fingers; wrist to middle knuckle points up."""
    angle = upward(box[4:6], box[8:10])
    wide, high = float(box[2] - box[0]), float(box[3] - box[1])
    x = float(box[0] + box[2]) / 2 + 0.5 * high * math.sin(angle)
    y = float(box[1] + box[3]) / 2 - 0.5 * high * math.cos(angle)
    return Roi(x, y, 2.6 * max(wide, high), angle)


def _person(box: np.ndarray) -> Roi:
    """A circle around the hips' middle through the second point, which lies beyond head or feet, and a quarter more."""
    reach = math.hypot(float(box[6] - box[4]), float(box[7] - box[5]))
    return Roi(float(box[4]), float(box[5]), 2 * 1.25 * reach, upward(box[4:6], box[6:8]))


FACE = Kind(128, (8, 16, 16, 16), 6, -1.0, _face)
PALM = Kind(192, (8, 16, 16, 16), 7, 0.0, _palm)
PERSON = Kind(224, (8, 16, 32, 32, 32), 4, -1.0, _person)


def make_anchors(side: int = FACE.side, strides: tuple[int, ...] = FACE.strides) -> np.ndarray:
    """(n, 2) anchor centres in 0–1, all of the same size: two a cell for each entry of a stride."""
    grids = []
    for stride in sorted(set(strides)):
        cells = math.ceil(side / stride)
        centres = (np.arange(cells) + 0.5) / cells
        y, x = np.meshgrid(centres, centres, indexing="ij")
        grids.append(np.repeat(np.stack([x.ravel(), y.ravel()], 1), 2 * strides.count(stride), axis=0))
    return np.concatenate(grids).astype(np.float32)


def weighted_nms(boxes: np.ndarray, scores: np.ndarray, limit: float = 0.3) -> tuple[np.ndarray, np.ndarray]:
    """Blend overlapping detections by score.

    boxes: (n, 4 + 2k), x0, y0, x1, y1 and k points. Returns the blended boxes, best first, and each one's best
    score. A box joins the best one left where their intersection over union is above `limit`.
    """
    order = np.argsort(-scores, kind="stable")
    boxes, scores = boxes[order], scores[order]
    found, best = [], []
    while len(boxes):
        near = _iou(boxes[0], boxes) > limit
        near[0] = True
        weight = scores[near, None]
        found.append((boxes[near] * weight).sum(0) / weight.sum())
        best.append(scores[0])
        boxes, scores = boxes[~near], scores[~near]
    return np.array(found).reshape(-1, boxes.shape[1]), np.array(best)


def _iou(one: np.ndarray, many: np.ndarray) -> np.ndarray:
    low, high = np.maximum(one[:2], many[:, :2]), np.minimum(one[2:4], many[:, 2:4])
    common = np.prod(np.maximum(high - low, 0), axis=1)
    areas = np.prod(np.maximum(many[:, 2:4] - many[:, :2], 0), axis=1)
    area = max(one[2] - one[0], 0) * max(one[3] - one[1], 0)
    return common / np.maximum(area + areas - common, 1e-9)


def windows(width: int, height: int) -> list[Window]:
    """Where to look: the whole picture, squares along it, then smaller ones, overlapping.

    In a window the network finds faces from about an eighth of its side on.
    """
    short = min(width, height)
    found = [(0, 0, width, height)]
    if max(width, height) >= 1.3 * short and short >= SMALLEST // 2:
        found += _tiles(width, height, short, 0.5)
    if short >= 2 * SMALLEST:
        found += _tiles(width, height, round(short * SMALL), 0.6)
    return found


def around(roi: Roi, width: int, height: int) -> Window:
    """A window of twice a region's side around it, moved into the picture."""
    side = max(2, min(round(2 * roi.size), max(width, height)))
    x = min(max(round(roi.x - side / 2), 0), max(width - side, 0))
    y = min(max(round(roi.y - side / 2), 0), max(height - side, 0))
    return x, y, min(x + side, width), min(y + side, height)


def _tiles(width: int, height: int, side: int, step: float) -> Iterator[Window]:
    """Squares that cover the picture, no further apart than `step` of their side (but at most 8 a row)."""
    across, down = (min(math.ceil((length - side) / (side * step)) + 1, 8) for length in (width, height))
    for j in range(down):
        for i in range(across):
            x = round((width - side) * i / max(across - 1, 1))
            y = round((height - side) * j / max(down - 1, 1))
            yield x, y, x + side, y + side


class Detector:
    """Finds things of one kind in a picture. Holds no state between pictures."""

    def __init__(self, model: Any, kind: Kind) -> None:
        self._model, self._kind = model, kind
        self._view = model.input(0)[0]
        self._anchors = make_anchors(kind.side, kind.strides)
        self._pixels = np.zeros((kind.side, kind.side, 3), np.uint8)
        self._shrink = Shrinker()

    def detect(
        self, image: np.ndarray, threshold: float = 0.5, window: Window | None = None
    ) -> list[tuple[Roi, float]]:
        """Regions for the landmark network with scores, best first."""
        x, y, right, bottom = window or (0, 0, image.shape[1], image.shape[0])
        left, top, scale = self._letterbox(image[y:bottom, x:right])
        self._model.run()
        boxes, scores = self._decode(threshold)
        boxes, scores = weighted_nms(boxes, scores)
        boxes *= self._kind.side * scale
        boxes[:, 0::2] += x - left * scale
        boxes[:, 1::2] += y - top * scale
        return [(self._kind.region(box), float(score)) for box, score in zip(boxes, scores, strict=True)]

    def _letterbox(self, image: np.ndarray) -> tuple[int, int, float]:
        """Fit the picture into the square; its left and top in it, and picture pixels for one of the square's."""
        side, low = self._kind.side, self._kind.low
        height, width = image.shape[:2]
        scale = max(height, width) / side
        w, h = max(1, round(width / scale)), max(1, round(height / scale))
        left, top = (side - w) // 2, (side - h) // 2
        self._pixels[...] = 0
        self._shrink.into(image, self._pixels[top : top + h, left : left + w])
        np.multiply(self._pixels, np.float32((1 - low) / 255), out=self._view)
        if low:
            np.add(self._view, np.float32(low), out=self._view)
        return left, top, scale

    def _decode(self, threshold: float) -> tuple[np.ndarray, np.ndarray]:
        """Boxes in 0–1 of the square: x0, y0, x1, y1, then the points, for all above the threshold."""
        threshold = min(max(threshold, 1e-4), 1 - 1e-4)
        numbers = 4 + 2 * self._kind.points
        logits = self._model.output(1).reshape(-1)
        keep = np.flatnonzero(logits > np.log(threshold / (1 - threshold)))
        raw = self._model.output(0).reshape(-1, numbers)[keep] / self._kind.side
        anchors = self._anchors[keep]
        boxes = raw + np.tile(anchors, numbers // 2)
        centre, half = boxes[:, :2].copy(), raw[:, 2:4] / 2
        boxes[:, :2], boxes[:, 2:4] = centre - half, centre + half
        return boxes, 1 / (1 + np.exp(-np.clip(logits[keep], -100, 100)))
