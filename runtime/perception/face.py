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
from .blazeface import FACE, Detector
from .blendshapes import Blendshaper
from .roi import Cropper, Roi, from_landmarks, project
from .tracks import FORGET_AFTER, Fit, State, Tracker, new_state

__all__ = ["FORGET_AFTER", "MODELS", "FaceTracker", "PlainMesh", "Variant", "make_state"]

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
GHOST = 0.4  # share of the smaller box from which on a new face is none


def make_state() -> State:
    """The state of a tracker that has seen nothing: see tracks.new_state."""
    return new_state(478)


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


class FaceTracker(Tracker[FaceItem]):
    """Faces of a stream of pictures. Holds models and work buffers; what it knows lies in the caller's state.

    `models` are opened, in the order of MODELS[variant]: fast gives 468 points, refined 478 with lips, eyes and irises
    looked at twice, full 478 and blendshapes (without them if the last model is left out). Trackers of several variants
    may share a state in turn.
    """

    def __init__(self, variant: Variant, *models: Any) -> None:
        self.variant = variant
        self._detector = Detector(models[0], FACE)
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
        return self.follow(image, time, state, max_faces, confidence, smoothing)

    def fit(self, image: np.ndarray, roi: Roi, confidence: float) -> Fit | None:
        """Landmarks in picture pixels, presence, and the region of the next picture; None where there's no face."""
        self._crop(image, roi)
        score = 1 / (1 + math.exp(-min(max(self._mesh.run(), -50.0), 50.0)))
        if score < confidence:
            return None
        points = project(self._mesh.landmarks(), roi, self._crop.side)
        after = from_landmarks(points, EYE_LEFT, EYE_RIGHT, ROI_SCALE)
        return Fit(points, score, after) if after.size >= 2 and math.isfinite(after.size) else None

    def ghost(self, fit: Fit, other: Fit) -> bool:
        """Heads are solid: what shares much of its box with a face is a face seen into its hair or its chin."""
        (left, top), (right, bottom) = np.maximum(_low(fit), _low(other)), np.minimum(_high(fit), _high(other))
        shared = max(right - left, 0.0) * max(bottom - top, 0.0)
        return bool(shared > GHOST * min(np.prod(_high(f) - _low(f)) for f in (fit, other)))

    def item(self, state: State, row: int, fit: Fit, delta: float, smoothing: float) -> FaceItem:
        blend = self._blend(fit.points) if self._blend is not None else None
        size = float(state["roi"][row, 2]) / ROI_SCALE
        self.smooth(state, row, slice(len(fit.points)), fit.points, delta, smoothing, size)
        return FaceItem(int(state["id"][row]), fit.points, fit.score, blend)


def _low(fit: Fit) -> np.ndarray:
    return fit.points[:, :2].min(0)


def _high(fit: Fit) -> np.ndarray:
    return fit.points[:, :2].max(0)
