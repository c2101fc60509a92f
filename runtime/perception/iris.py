"""Irises for the 468-point mesh, by MediaPipe's iris network (Ablavatski and others, 2020)."""

from __future__ import annotations

from typing import Any

import numpy as np

from .roi import Cropper, from_landmarks, project

__all__ = ["IrisRefiner"]

EYES = ((33, 133, False), (362, 263, True))  # corners, left to right in the picture; the second eye is mirrored
SCALE = 2.3  # of the eye's width


class IrisRefiner:
    """Adds points 468–472 (iris of the eye at 33–133: centre and four at its edge) and 473–477 (the other)."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._crop = Cropper(model.input(0))

    def __call__(self, image: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
        """(468, 3) picture pixels → (478, 3), a new array. An iris lies as deep as the middle of its eye's corners."""
        out = np.empty((478, 3), np.float32)
        out[:468] = landmarks[:468]
        for eye, (left, right, mirror) in enumerate(EYES):
            roi = from_landmarks(landmarks[[left, right]], 0, 1, SCALE)
            self._crop(image, roi, mirror)
            self._model.run()
            iris = self._model.output(1).reshape(5, 3).copy()
            if mirror:
                iris[:, 0] = self._crop.side - iris[:, 0]
            points = project(iris, roi, self._crop.side)
            points[:, 2] += (landmarks[left, 2] + landmarks[right, 2]) / 2 - points[:, 2].mean()
            out[468 + 5 * eye : 473 + 5 * eye] = points
        return out
