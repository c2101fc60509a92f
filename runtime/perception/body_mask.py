"""The masks that a pose network drew in its turned crops, as one mask of the picture, bent onto the picture's edges."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import cv2
import numpy as np

from ..frames import Geometry
from ..values import CropMask
from .guided import GuidedCoefficients
from .shrink import Shrinker

__all__ = ["BodyMasks"]

LONG = 256  # pixels of the grid's longer side
OUTSIDE = -12.0  # logit of where no crop is


class BodyMasks:
    """Puts crops together on a small grid over the picture. Holds work buffers only. native: see GuidedCoefficients."""

    def __init__(self, native: Callable[..., None] | None = None) -> None:
        self._native = native
        self._shrink = Shrinker()
        self._size = (0, 0)

    def coefficients(self, image: np.ndarray, geometry: Geometry, masks: Iterable[CropMask], epsilon: float) -> np.ndarray:
        """Coefficients (h, w, 4) of the picture's mask, as PersonSegmenter.segment gives them; rewritten by the next call.

        image: uint8 RGB, lying at `geometry` in the frame. epsilon: see GuidedCoefficients.fit.
        """
        height, width = image.shape[:2]
        shrink = LONG / max(height, width, LONG)
        size = max(1, round(height * shrink)), max(1, round(width * shrink))
        if size != self._size:
            self._resize(*size)
        self._shrink.into(image, self._pixels)
        np.multiply(self._pixels, np.float32(1 / 255), out=self.guide)
        logits = self._logits
        logits.fill(OUTSIDE)
        for mask in masks:
            if math.isfinite(mask.x + mask.y + mask.size + mask.angle) and mask.size >= 1:
                matrix = _crop_of(mask, geometry, width / size[1], height / size[0])
                cv2.warpAffine(
                    mask.logits, matrix, (size[1], size[0]), dst=self._warped, borderValue=OUTSIDE,
                    flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_CONSTANT,
                )  # fmt: skip
                np.maximum(logits, self._warped, out=logits)
        np.clip(logits, -30, 30, out=logits)
        np.negative(logits, out=logits)
        np.exp(logits, out=logits)
        np.add(logits, 1, out=logits)
        np.divide(1, logits, out=self.mask)
        self._guided.fit(self.guide, self.mask, 2, epsilon, self._out)
        return self._out

    def _resize(self, height: int, width: int) -> None:
        self._size = height, width
        self._pixels = np.empty((height, width, 3), np.uint8)
        self.guide = np.empty((height, width, 3), np.float32)
        self._logits, self._warped, self.mask = np.empty((3, height, width), np.float32)
        self._guided = GuidedCoefficients(height, width, self._native)
        self._out = np.empty((height, width, 4), np.float32)


def _crop_of(mask: CropMask, geometry: Geometry, across: float, down: float) -> np.ndarray:
    """(2, 3): pixel numbers of the grid → pixel numbers of the crop. across, down: picture pixels a grid pixel."""
    side = mask.logits.shape[0]
    scale = side / mask.size
    c, s = math.cos(mask.angle) * scale, math.sin(mask.angle) * scale
    into_crop = np.array(((c, s, side / 2 - c * mask.x - s * mask.y), (-s, c, side / 2 + s * mask.x - c * mask.y), (0, 0, 1)))
    # centres of pixels: + 0.5 in the picture; the crop's own numbers are the picture's, as its landmarks' are
    grid = np.array(((across, 0, across / 2 - 0.5), (0, down, down / 2 - 0.5), (0, 0, 1)))
    return (into_crop @ geometry.matrix @ grid)[:2]
