"""BlazeFace, short range: faces within about two metres, in a picture of any size.

Anchors, decoding and weighted non-maximum suppression follow MediaPipe's face_detection_short_range graph
(Bazarevsky and others, "BlazeFace", 2019).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from .roi import Roi, from_box
from .shrink import Shrinker

__all__ = ["FaceDetector", "Window", "around", "make_anchors", "weighted_nms", "windows"]

SIDE = 128
SMALL = 0.6  # side of the smallest windows, of the picture's shorter side

Window = tuple[int, int, int, int]  # left, top, right, bottom
ROI_SCALE = 1.5  # of the detected box, as MediaPipe cuts the landmark net's picture


def make_anchors() -> np.ndarray:
    """(896, 2) anchor centres in 0–1: two a cell of 16×16, then six a cell of 8×8; all of the same size."""
    grids = []
    for cells, each in ((16, 2), (8, 6)):
        centres = (np.arange(cells) + 0.5) / cells
        y, x = np.meshgrid(centres, centres, indexing="ij")
        grids.append(np.repeat(np.stack([x.ravel(), y.ravel()], 1), each, axis=0))
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
    if max(width, height) >= 1.3 * short and short >= SIDE // 2:
        found += _tiles(width, height, short, 0.5)
    if short >= 2 * SIDE:
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


class FaceDetector:
    """Finds faces in a picture. Holds no state between pictures."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._view = model.input(0)[0]
        self._anchors = make_anchors()
        self._pixels = np.zeros((SIDE, SIDE, 3), np.uint8)
        self._shrink = Shrinker()

    def detect(
        self, image: np.ndarray, threshold: float = 0.5, window: Window | None = None
    ) -> list[tuple[Roi, float]]:
        """Regions for the landmark net (1.5 × the face's box, upright by its eyes) with scores, best first."""
        x, y, right, bottom = window or (0, 0, image.shape[1], image.shape[0])
        left, top, scale = self._letterbox(image[y:bottom, x:right])
        self._model.run()
        boxes, scores = self._decode(threshold)
        boxes, scores = weighted_nms(boxes, scores)
        boxes *= SIDE * scale
        boxes[:, 0::2] += x - left * scale
        boxes[:, 1::2] += y - top * scale
        return [
            (from_box(tuple(box[:4]), box[4:6], box[6:8], ROI_SCALE), float(score))
            for box, score in zip(boxes, scores, strict=True)
        ]

    def _letterbox(self, image: np.ndarray) -> tuple[int, int, float]:
        """Fit the picture into the square; its left and top in it, and picture pixels for one of the square's."""
        height, width = image.shape[:2]
        scale = max(height, width) / SIDE
        w, h = max(1, round(width / scale)), max(1, round(height / scale))
        left, top = (SIDE - w) // 2, (SIDE - h) // 2
        self._pixels[...] = 0
        self._shrink.into(image, self._pixels[top : top + h, left : left + w])
        np.multiply(self._pixels, np.float32(2 / 255), out=self._view)
        np.subtract(self._view, np.float32(1), out=self._view)
        return left, top, scale

    def _decode(self, threshold: float) -> tuple[np.ndarray, np.ndarray]:
        """Boxes (n, 16) in 0–1 of the square: x0, y0, x1, y1, then six points, for all above the threshold."""
        threshold = min(max(threshold, 1e-4), 1 - 1e-4)
        logits = self._model.output(1).reshape(-1)
        keep = np.flatnonzero(logits > np.log(threshold / (1 - threshold)))
        raw = self._model.output(0).reshape(-1, 16)[keep] / SIDE
        anchors = self._anchors[keep]
        boxes = raw + np.tile(anchors, 8)
        centre, half = boxes[:, :2].copy(), raw[:, 2:4] / 2
        boxes[:, :2], boxes[:, 2:4] = centre - half, centre + half
        return boxes, 1 / (1 + np.exp(-np.clip(logits[keep], -100, 100)))
