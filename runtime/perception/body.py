"""Tracked bodies: a person detector where one is missing, then each frame's landmarks place the next frame's crop.

The graph is MediaPipe's pose_landmark (Bazarevsky and others, "BlazePose", 2020): 33 points of the picture, sharpened by
their heat maps, the same in metres, and the person's mask; with track ids, and several people.
"""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np

from ..values import BodyItem, CropMask
from .blazeface import PERSON, Detector
from .one_euro import one_euro
from .roi import Cropper, Roi, overlap, project, turn, upward
from .tracks import Fit, Habits, State, Tracker, new_state

__all__ = ["MODELS", "WHOLE", "BodyTracker", "Variant", "make_state", "sharpened"]

Variant = Literal["lite", "full", "heavy"]

# the second cut off before the mask, which takes a third of the whole network's time (there is a lite and a full variant)
MODELS: tuple[str, str] = ("mediapipe/pose_detection", "mediapipe/pose_landmark/points")
WHOLE = "mediapipe/pose_landmark"  # lite, full and heavy
POINTS, ALL = 33, 39  # landmarks; those of the network, with six that only help
HELPERS = slice(33, 35)  # middle of the hips, and a point on the circle around the whole body
REACH = 2 * 1.25  # side of a region, in radii of that circle
WINDOW = 7  # of a heat map that is averaged around a point
SURE = 0.5  # what a heat map's highest must be there
TWIN = 0.1  # mean distance of two bodies' points, in regions, below which they are one body
GLAD = 0.1  # s in which visibility changes
CALM, EAGER = 0.01, 10.0  # Hz, and Hz for a body's size a second: how regions follow (MediaPipe's auxiliary landmarks)


def make_state() -> State:
    """The state of a tracker that has seen nothing: see tracks.new_state; points are image, world, helpers twice."""
    return new_state(2 * POINTS + 4, POINTS + 1)


def region(helpers: np.ndarray) -> Roi:
    """Where the next picture's body lies: around the circle that the two helping points span, and a quarter more."""
    centre, rim = helpers[:, :2]
    return Roi(float(centre[0]), float(centre[1]), REACH * math.dist(rim, centre), upward(centre, rim))


def sharpened(points: np.ndarray, heat: np.ndarray, side: int) -> None:
    """Move points (n, 3) in crop pixels to the centre of their heat maps (h, w, n; logits) around them, in place.

    As MediaPipe's RefineLandmarksFromHeatmap: the mean place, weighted by probability, in a window of 7 × 7; left alone
    where no probability there reaches a half.
    """
    height, width, _ = heat.shape
    steps = np.arange(WINDOW) - WINDOW // 2
    inside = np.isfinite(points[:, :2]).all(1)
    column = (np.where(inside, points[:, 0], -1.0) * (width / side)).astype(np.int64)
    row = (np.where(inside, points[:, 1], -1.0) * (height / side)).astype(np.int64)
    kept = np.flatnonzero((points[:, 0] >= 0) & (points[:, 1] >= 0) & (column < width) & (row < height) & inside)
    xs, ys = column[kept, None] + steps, row[kept, None] + steps
    there = ((xs >= 0) & (xs < width))[:, None, :] & ((ys >= 0) & (ys < height))[:, :, None]
    logits = heat[ys.clip(0, height - 1)[:, :, None], xs.clip(0, width - 1)[:, None, :], kept[:, None, None]]
    weight = np.where(there, 1 / (1 + np.exp(-logits)), 0)
    total, sure = weight.sum((1, 2)), weight.max((1, 2), initial=0) >= SURE
    kept, xs, ys, weight, total = kept[sure], xs[sure], ys[sure], weight[sure], total[sure]
    points[kept, 0] = (weight.sum(1) * xs).sum(1) / total * (side / width)
    points[kept, 1] = (weight.sum(2) * ys).sum(1) / total * (side / height)


class BodyTracker(Tracker[BodyItem]):
    """Bodies of a stream of pictures. Holds models and work buffers; what it knows lies in the caller's state.

    `person` and `landmark` are opened, in the order of MODELS; with WHOLE as the second, items have masks. Variants may
    share a state in turn.
    """

    habits = Habits(candidate=1.0, entry=0.2, look_every=400_000, thrifty=True, region=REACH, cutoff=(1.5, 0.1), beta=(60.0, 0.5))

    def __init__(self, person: Any, landmark: Any) -> None:
        self._detector = Detector(person, PERSON)
        self._net = landmark
        self._crop = Cropper(landmark.input(0))
        points, presence, third = (landmark.output(i) for i in range(3))
        self._mask = third[0, ..., 0] if third.shape[-1] == 1 else None
        heat, world = (third, landmark.output(3)) if self._mask is None else (landmark.output(3), landmark.output(4))
        self._points, self._presence, self._world = points.reshape(ALL, 5), presence.reshape(-1), world.reshape(ALL, 3)
        self._heat = heat[0]

    def track(
        self, image: np.ndarray, time: int, state: State, *, max_bodies: int = 1, confidence: float = 0.5,
        smoothing: float = 0.5,
    ) -> tuple[BodyItem, ...]:  # fmt: skip
        """The bodies of the next picture (uint8 RGB), in order of track id.

        time: µs, rising; a jump back or of more than a second starts anew. confidence: of detector and landmarks, 0 to 1.
        smoothing: 0 = none, 1 = calm and late.
        """
        return self.follow(image, time, state, max_bodies, confidence, smoothing)

    def fit(self, image: np.ndarray, roi: Roi, confidence: float) -> Fit | None:
        """Landmarks in picture pixels, presence, the next region, and (visibility, world, mask, helpers)."""
        self._crop(image, roi)
        self._net.run()
        score = float(self._presence[0])
        if not (score > confidence and np.isfinite(self._points).all() and np.isfinite(self._world).all()):
            return None
        side = self._crop.side
        flat = self._points[: HELPERS.stop, :3].copy()
        sharpened(flat, self._heat, side)
        points = project(flat, roi, side)
        after = region(points[HELPERS])
        if not (after.size >= 8 and math.isfinite(after.size + after.x + after.y)):
            return None
        metres = turn(self._world[:POINTS], roi.angle)
        metres[:, 1:] *= -1  # y up, z towards the camera
        visible = 1 / (1 + np.exp(-self._points[:POINTS, 3]))
        mask = None if self._mask is None else CropMask(self._mask.copy(), roi.x, roi.y, roi.size, roi.angle)
        return Fit(points[:POINTS], score, after, (visible, metres, mask, points[HELPERS]))

    def same(self, a: Fit, b: Fit) -> bool:
        """Points on points: people who embrace or pass one another stay two."""
        apart = np.linalg.norm(a.points[:, :2] - b.points[:, :2], axis=1).mean()
        return bool(apart < TWIN * max(a.roi.size, b.roi.size))

    def known(self, roi: Roi, other: Fit) -> bool:
        """Hips on hips: regions are much wider than people."""
        return math.hypot(roi.x - other.roi.x, roi.y - other.roi.y) < 0.12 * min(roi.size, other.roi.size)

    def likeness(self, state: State, row: int, fit: Fit) -> float:
        """By the region, and by size above all."""
        before = Roi(*state["roi"][row])
        return overlap(before, fit.roi) - abs(math.log(before.size / fit.roi.size))

    def item(self, state: State, row: int, fit: Fit, delta: float, smoothing: float) -> BodyItem:
        visible, world, mask, _ = fit.extra
        self._settle(state, row, fit, delta)
        self.smooth(state, row, slice(POINTS), fit.points, delta, smoothing, fit.roi.size / REACH)
        self.smooth(state, row, slice(POINTS, 2 * POINTS), world, delta, smoothing, 1.0)
        memory = state["extra"][row]
        if smoothing > 0 and memory[POINTS]:
            visible = memory[:POINTS] + (visible - memory[:POINTS]) * min(1.0, delta / GLAD)
        memory[:POINTS], memory[POINTS] = visible, 1.0
        return BodyItem(int(state["id"][row]), fit.points, world, visible.astype(np.float32), fit.score, mask)

    def _settle(self, state: State, row: int, fit: Fit, delta: float) -> None:
        """The next region from smoothed helpers: raw, it swings to and fro, and the landmarks with it."""
        helpers = fit.extra[3]
        last, raw = state["points"][row, 2 * POINTS :].reshape(2, 2, 3)
        speed = state["speed"][row, 2 * POINTS : -2]
        if delta <= 0 or not last.any():
            last[...] = raw[...] = helpers
            speed[...] = 0
            return
        one_euro(helpers, last, speed, delta, 2 * fit.roi.size / REACH, CALM, EAGER, raw=raw)
        state["roi"][row] = region(helpers)
