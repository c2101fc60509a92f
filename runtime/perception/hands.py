"""Tracked hands: a palm detector where a hand is missing, then each frame's landmarks place the next frame's crop.

The graph is MediaPipe's hand_landmark_tracking (Zhang and others, "MediaPipe Hands", 2020), with track ids, and hands told
apart by their landmarks, so that two that cross stay two.
"""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np

from ..values import HandItem
from .blazeface import PALM, Detector
from .roi import Cropper, Roi, project, turn, upward
from .tracks import Fit, Habits, State, Tracker, new_state

__all__ = ["MODELS", "HandTracker", "Variant", "make_state", "next_region"]

Variant = Literal["lite", "full"]

MODELS: tuple[str, str] = ("mediapipe/palm_detection", "mediapipe/hand_landmark")  # both have a lite and a full variant
POINTS = 21
INNER = np.array((0, 1, 2, 3, 5, 6, 9, 10, 13, 14, 17, 18))  # all but the fingers' ends, whose moves would shake the crop
WRIST, INDEX, MIDDLE, RING = 0, 5, 9, 13
DEPTH = 0.4  # the network's z is so much shorter than its x (MediaPipe's normalize_z)
TWIN = 0.15  # mean distance of two hands' points, in regions, below which they are one hand
GLAD = 0.15  # s in which the opinion which hand it is changes


def make_state() -> State:
    """The state of a tracker that has seen nothing: see tracks.new_state; the filter's points are image, then world."""
    return new_state(2 * POINTS, 2)


def next_region(points: np.ndarray) -> Roi:
    """Where the next picture's hand lies: twice the turned box of the inner points, a tenth towards the fingers.

    points: (21, 2 or more), in pixels.
    """
    knuckles = (points[INDEX, :2] + points[RING, :2]) / 4 + points[MIDDLE, :2] / 2
    angle = upward(points[WRIST], knuckles)
    inner = points[INNER, :2].astype(np.float64)
    middle = (inner.min(0) + inner.max(0)) / 2
    c, s = math.cos(angle), math.sin(angle)
    level = (inner - middle) @ np.array(((c, -s), (s, c)))
    low, high = level.min(0), level.max(0)
    x, y = (low + high) / 2
    wide, tall = high - low
    y -= 0.1 * tall
    return Roi(float(middle[0] + x * c - y * s), float(middle[1] + x * s + y * c), 2 * float(max(wide, tall)), angle)


class HandTracker(Tracker[HandItem]):
    """Hands of a stream of pictures. Holds models and work buffers; what it knows lies in the caller's state.

    `palm` and `landmark` are opened, in the order of MODELS; variants may share a state in turn.
    """

    habits = Habits(candidate=1.0, entry=1.0, look_every=130_000, thrifty=True, region=2.0, cutoff=(3.0, 0.05), beta=(60.0, 0.4))

    def __init__(self, palm: Any, landmark: Any) -> None:
        self._detector = Detector(palm, PALM)
        self._net = landmark
        self._crop = Cropper(landmark.input(0))
        self._outputs = [landmark.output(i).reshape(-1) for i in range(4)]

    def track(
        self, image: np.ndarray, time: int, state: State, *, max_hands: int = 2, confidence: float = 0.5,
        smoothing: float = 0.5,
    ) -> tuple[HandItem, ...]:  # fmt: skip
        """The hands of the next picture (uint8 RGB), in order of track id.

        time: µs, rising; a jump back or of more than a second starts anew. confidence: of detector and landmarks, 0 to 1.
        smoothing: 0 = none, 1 = calm and late.
        """
        return self.follow(image, time, state, max_hands, confidence, smoothing)

    def fit(self, image: np.ndarray, roi: Roi, confidence: float) -> Fit | None:
        """Landmarks in picture pixels, presence, the next region, and (how much it is a right hand, world points)."""
        self._crop(image, roi)
        self._net.run()
        flat, presence, right, world = self._outputs
        score = float(presence[0])
        if not (score > confidence and np.isfinite(flat).all() and np.isfinite(world).all()):
            return None
        points = project(flat.reshape(POINTS, 3), roi, self._crop.side)
        points[:, 2] /= DEPTH
        after = next_region(points)
        if not (after.size >= 4 and math.isfinite(after.size + after.x + after.y)):
            return None
        metres = turn(world.reshape(POINTS, 3), roi.angle)
        metres[:, 1:] *= -1  # y up, z towards the camera
        return Fit(points, score, after, (float(right[0]), metres))

    def same(self, a: Fit, b: Fit) -> bool:
        """Points on points. Regions alone would make one of two hands that cross."""
        apart = np.linalg.norm(a.points[:, :2] - b.points[:, :2], axis=1).mean()
        return bool(apart < TWIN * max(a.roi.size, b.roi.size))

    def known(self, roi: Roi, other: Fit) -> bool:
        """Centre on centre: a hand beside another has much of its region too."""
        return math.hypot(roi.x - other.roi.x, roi.y - other.roi.y) < 0.2 * min(roi.size, other.roi.size)

    def likeness(self, state: State, row: int, fit: Fit) -> float:
        """How near it is, and whether it is the same of the two hands."""
        return super().likeness(state, row, fit) - abs(float(state["extra"][row, 0]) - fit.extra[0])

    def item(self, state: State, row: int, fit: Fit, delta: float, smoothing: float) -> HandItem:
        right, world = fit.extra
        size = fit.roi.size / self.habits.region
        self.smooth(state, row, slice(POINTS), fit.points, delta, smoothing, size)
        metres = float(np.linalg.norm(world[MIDDLE] - world[WRIST])) * 2
        self.smooth(state, row, slice(POINTS, None), world, delta, smoothing, max(metres, 1e-3))
        memory = state["extra"][row]
        memory[0] += (right - memory[0]) * (1.0 if not memory[1] else min(1.0, delta / GLAD))
        memory[1] = 1.0
        return HandItem(int(state["id"][row]), fit.points, float(memory[0]), fit.score, world)
