"""Tracked face meshes: BlazeFace where no face is known, then each frame's landmarks place the next frame's crop.

The graph is MediaPipe's (Kartynnik and others, "Real-time Facial Surface Geometry", 2019), with track ids, a search
in the same frame that lost a face, and smoothing measured in face sizes.
"""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np

from ..values import FaceItem
from .attention import AttentionMesh
from .blazeface import FaceDetector, Window, around, windows
from .blendshapes import Blendshaper
from .one_euro import one_euro
from .roi import Cropper, Roi, from_landmarks, overlap, project

__all__ = ["MODELS", "FaceTracker", "PlainMesh", "Variant", "make_state"]

Variant = Literal["fast", "refined", "full"]

MODELS: dict[Variant, tuple[str, ...]] = {
    "fast": ("mediapipe/face_detection_short", "mediapipe/face_landmark"),
    "refined": (
        "mediapipe/face_detection_short", "mediapipe/face_landmark_with_attention/trunk",
        "mediapipe/face_landmark_with_attention/heads",
    ),
    "full": (
        "mediapipe/face_detection_short", "mediapipe/face_landmarker/face_landmarks_detector",
        "mediapipe/face_landmarker/face_blendshapes",
    ),
}  # fmt: skip
EYE_LEFT, EYE_RIGHT = 33, 263  # outer corners, left and right in the picture
ROI_SCALE = 1.5  # of the landmarks' box
CANDIDATE = 0.7  # of the confidence asked for: what the detector must give before the mesh is asked
ENTRY = 0.2  # a new face must be so much surer: its doubt at most this part of the doubt allowed
SAME_FACE = 0.5  # overlap of regions from which on two are one face
CAPACITY = 8  # tracks, those lost of late included
LOOK_EVERY = 250_000  # µs between searches for further faces while one is tracked
FORGET_AFTER = 1_000_000  # µs until a lost track's id is given up

State = dict[str, np.ndarray]


def make_state() -> State:
    """The state of a tracker that has seen nothing.

    clock: µs of the last frame and of the last search, the next id, width and height of the picture, and the window to
    search next (−1: all, for nothing was seen yet). Then one row a track: id (0 = free), seen (µs), live (tracked in the last frame), roi, and the filter's points and speeds.
    """
    return {
        "clock": np.array([-1, -1, 1, 0, 0, -1], np.int64),
        "id": np.zeros(CAPACITY, np.int64),
        "seen": np.zeros(CAPACITY, np.int64),
        "live": np.zeros(CAPACITY, np.bool_),
        "roi": np.zeros((CAPACITY, 4), np.float64),
        "points": np.zeros((CAPACITY, 478, 3), np.float32),
        "speed": np.zeros((CAPACITY, 478, 3), np.float32),
    }


class PlainMesh:
    """A network that gives all its points at once: 468 (fast) or 478 (full)."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self.view = model.input(0)
        self._points, self._flag = model.output(0).reshape(-1, 3), model.output(1).reshape(-1)
        self.points = len(self._points)

    def run(self) -> float:
        """Look at the crop in `view`; the logit of a face being there."""
        self._model.run()
        return float(self._flag[0])

    def landmarks(self) -> np.ndarray:
        """(points, 3) of the last run, in crop pixels; a view that the next run rewrites."""
        return self._points


class FaceTracker:
    """Faces of a stream of pictures. Holds models and work buffers; what it knows lies in the caller's state.

    `models` are opened, in the order of MODELS[variant]: fast gives 468 points, refined 478 with lips, eyes and irises
    looked at twice, full 478 and blendshapes (without them if the last model is left out). Trackers of several variants
    may share a state in turn.
    """

    def __init__(self, variant: Variant, *models: Any) -> None:
        self.variant = variant
        self._detector = FaceDetector(models[0])
        self._mesh = AttentionMesh(*models[1:]) if variant == "refined" else PlainMesh(models[1])
        self._crop = Cropper(self._mesh.view)
        self.points = self._mesh.points
        self._blend = Blendshaper(models[2]) if variant == "full" and len(models) > 2 else None

    def track(
        self, image: np.ndarray, time: int, state: State, *, max_faces: int = 1, confidence: float = 0.5,
        smoothing: float = 0.5,
    ) -> tuple[FaceItem, ...]:  # fmt: skip
        """The faces of the next picture (uint8 RGB), in order of track id.

        time: µs, rising; a jump back or of more than a second starts anew. confidence: of detector and mesh, 0 to 1 (a
        face once tracked is kept down to it; a new one must be surer).
        smoothing: 0 = none, 1 = calm and late.
        """
        delta = _enter(image, time, state)
        found = self._follow(image, state, confidence)
        if len(found) < max_faces:
            self._search(image, time, state, found, max_faces, confidence)
        _leave(state, found, time)
        items = [self._item(state, row, *found[row], delta, smoothing) for row in found]
        return tuple(sorted(items, key=lambda item: item.id))

    def _follow(self, image: np.ndarray, state: State, confidence: float) -> dict[int, tuple[np.ndarray, float]]:
        """Tracks that go on: row → landmarks and presence. Of two that slid onto one face the older stays."""
        found: dict[int, tuple[np.ndarray, float]] = {}
        kept: list[Roi] = []
        rows = np.flatnonzero(state["live"])
        for row in rows[np.argsort(state["id"][rows])]:
            fit = self._fit(image, Roi(*state["roi"][row]), confidence)
            if fit is None or any(overlap(fit[2], other) > SAME_FACE for other in kept):
                continue
            state["roi"][row] = fit[2]
            kept.append(fit[2])
            found[int(row)] = fit[:2]
        return found

    def _search(self, image, time: int, state: State, found, max_faces: int, confidence: float) -> None:
        """Look for further faces, where it is time to."""
        known = [Roi(*state["roi"][row]) for row in found]
        for window in _looks(image, time, state, found):
            for roi, _ in self._detector.detect(image, CANDIDATE * confidence, window):
                if len(found) >= max_faces:
                    return
                if not any(_same(roi, other) for other in known):
                    self._add(image, roi, state, found, known, confidence)

    def _add(self, image: np.ndarray, roi: Roi, state: State, found, known: list[Roi], confidence: float) -> None:
        """Begin to track a face, if the mesh finds one there that is not tracked yet."""
        fit = self._fit(image, roi, 1 - ENTRY * (1 - confidence))
        if fit is None or any(_same(fit[2], other) for other in known):
            return
        row = _row_for(state, fit[2], found)
        state["roi"][row] = fit[2]
        known.append(fit[2])
        found[row] = fit[:2]

    def _fit(self, image: np.ndarray, roi: Roi, confidence: float) -> tuple[np.ndarray, float, Roi] | None:
        """Landmarks in picture pixels, presence, and the region of the next picture; None where there's no face."""
        self._crop(image, roi)
        score = 1 / (1 + math.exp(-min(max(self._mesh.run(), -50.0), 50.0)))
        if score < confidence:
            return None
        points = project(self._mesh.landmarks(), roi, self._crop.side)
        after = from_landmarks(points, EYE_LEFT, EYE_RIGHT, ROI_SCALE)
        return (points, score, after) if after.size >= 2 and math.isfinite(after.size) else None

    def _item(self, state: State, row: int, points: np.ndarray, score: float, delta: float, smoothing: float) -> FaceItem:
        blend = self._blend(points) if self._blend is not None else None
        _smooth(state, row, points, delta, smoothing)
        return FaceItem(int(state["id"][row]), points, score, blend)


def _enter(image: np.ndarray, time: int, state: State) -> float:
    """Seconds since the frame before; forgets all when the picture's size changed or time jumped."""
    clock = state["clock"]
    height, width = image.shape[:2]
    gap = time - int(clock[0])
    if clock[0] < 0 or gap < 0 or gap > FORGET_AFTER or (clock[3], clock[4]) != (width, height):
        state["id"][:] = 0
        state["live"][:] = False
        clock[1], clock[5] = time - LOOK_EVERY, -1
        gap = 0
    clock[0], clock[3], clock[4] = time, width, height
    old = (state["id"] > 0) & (time - state["seen"] > FORGET_AFTER)
    state["id"][old] = 0
    return gap / 1e6


def _looks(image: np.ndarray, time: int, state: State, found) -> list[Window]:
    """Where to look in this frame.

    Around faces lost of late in every frame. At the whole picture, and in turn at one more window for the small faces,
    every so often, or in every frame while nothing is tracked; at all windows in the very first.
    """
    clock = state["clock"]
    lost = [int(row) for row in np.flatnonzero(state["id"] > 0) if int(row) not in found]
    looks = [around(Roi(*state["roi"][row]), image.shape[1], image.shape[0]) for row in lost]
    if found and time - int(clock[1]) < LOOK_EVERY:
        return looks
    whole, *parts = windows(image.shape[1], image.shape[0])
    at = int(clock[5])
    clock[1], clock[5] = time, (at + 1) % max(len(parts), 1)
    return [*looks, whole, *(parts if at < 0 else parts[at : at + 1])]


def _leave(state: State, found, time: int) -> None:
    state["live"][:] = False
    for row in found:
        state["live"][row] = True
        state["seen"][row] = time


def _same(a: Roi, b: Roi) -> bool:
    """A detector's region and a mesh's differ in size, so nearness of the centres counts too."""
    near = math.hypot(a.x - b.x, a.y - b.y) < 0.25 * min(a.size, b.size)
    return near or overlap(a, b) > SAME_FACE


def _row_for(state: State, roi: Roi, found) -> int:
    """The row of the lost track that this face continues, else a fresh one with a new id."""
    lost = [int(r) for r in np.flatnonzero(state["id"] > 0) if int(r) not in found]
    near = [r for r in lost if _near(Roi(*state["roi"][r]), roi)]
    if near:
        row = max(near, key=lambda r: overlap(Roi(*state["roi"][r]), roi))
    else:
        free = np.flatnonzero(state["id"] == 0)
        row = int(free[0]) if len(free) else min(lost, key=lambda r: int(state["seen"][r]))
        state["id"][row] = state["clock"][2]
        state["clock"][2] += 1
    state["points"][row] = 0
    state["speed"][row] = 0
    return row


def _near(a: Roi, b: Roi) -> bool:
    """Could one face have moved from a to b while it was lost?"""
    near = math.hypot(a.x - b.x, a.y - b.y) < 0.75 * max(a.size, b.size)
    return near and 0.5 < a.size / max(b.size, 1e-6) < 2


def _smooth(state: State, row: int, points: np.ndarray, delta: float, smoothing: float) -> None:
    """One-Euro in place. A new track (or one found again) starts from its first points."""
    count = len(points)
    last, speed = state["points"][row, :count], state["speed"][row, :count]
    fresh = not last.any(axis=1).all()  # rows of zeros: never filled, as irises when they are switched on
    if not smoothing > 0 or delta <= 0 or fresh:  # a smoothing of NaN is none: it must not get into the filter
        last[...] = points
        speed[...] = 0
        return
    cutoff = 2.0 * 0.02**smoothing  # 2 Hz … 0.04 Hz at rest
    beta = 80.0 * 0.25**smoothing
    one_euro(points, last, speed, delta, float(state["roi"][row, 2]) / ROI_SCALE, cutoff, beta)
