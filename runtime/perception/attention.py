"""The attention mesh: 478 points, with lips, eyes and irises looked at a second time (Grishchenko and others, 2020).

MediaPipe's network holds operations that LiteRT lacks, so it is used in two parts (`spellwire.runtime.models.cut`), and
what lies between is done here: for each of three regions a rotated patch of the trunk's features is resampled, and the
points that the heads find in it are put back.

    picture ── trunk ──┬── 468 points ──────────────────┬── 478 points
                       └── features ── 3 patches ── heads ┘
"""

from __future__ import annotations

from typing import Any, NamedTuple

import cv2
import numpy as np

__all__ = ["AttentionMesh"]

PATCH = 16  # side of a patch of features
STRIDE = 4  # crop pixels a feature
SCALE = 1.5  # a patch's size, of the region's box
LOCAL = 4  # the heads' units a patch cell


class Region(NamedTuple):
    """The mesh points of a region, in the order in which its head gives them, and the two that lie level."""

    points: np.ndarray
    left: int
    right: int


LIPS = Region(np.array([
    61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 185, 40, 39, 37, 0, 267, 269, 270, 409,
    78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 191, 80, 81, 82, 13, 312, 311, 310, 415,
    76, 77, 90, 180, 85, 16, 315, 404, 320, 307, 306, 184, 74, 73, 72, 11, 302, 303, 304, 408,
    62, 96, 89, 179, 86, 15, 316, 403, 319, 325, 292, 183, 42, 41, 38, 12, 268, 271, 272, 407,
]), 61, 291)  # fmt: skip
LEFT_EYE = Region(np.array([
    33, 7, 163, 144, 145, 153, 154, 155, 133, 246, 161, 160, 159, 158, 157, 173,
    130, 25, 110, 24, 23, 22, 26, 112, 243, 247, 30, 29, 27, 28, 56, 190,
    226, 31, 228, 229, 230, 231, 232, 233, 244, 113, 225, 224, 223, 222, 221, 189, 35, 124, 46, 53, 52, 65,
    143, 111, 117, 118, 119, 120, 121, 128, 245, 156, 70, 63, 105, 66, 107, 55, 193,
]), 33, 133)  # fmt: skip
RIGHT_EYE = Region(np.array([
    263, 249, 390, 373, 374, 380, 381, 382, 362, 466, 388, 387, 386, 385, 384, 398,
    359, 255, 339, 254, 253, 252, 256, 341, 463, 467, 260, 259, 257, 258, 286, 414,
    446, 261, 448, 449, 450, 451, 452, 453, 464, 342, 445, 444, 443, 442, 441, 413, 265, 353, 276, 283, 282, 295,
    372, 340, 346, 347, 348, 349, 350, 357, 465, 383, 300, 293, 334, 296, 336, 285, 417,
]), 362, 263)  # fmt: skip
REGIONS = (LIPS, LEFT_EYE, RIGHT_EYE)
CONTOUR = 16  # the first so many of an eye's points are its lids; an iris lies as deep as they do on average

# outputs of the heads: which region, and where its points go
HEADS = (
    (0, LIPS.points), (1, LEFT_EYE.points), (1, np.arange(468, 473)), (2, RIGHT_EYE.points), (2, np.arange(473, 478)),
)  # fmt: skip

_INTO = np.concatenate([points for _, points in HEADS])
_LIDS = np.stack([LEFT_EYE.points[:CONTOUR], RIGHT_EYE.points[:CONTOUR]])
_OF = np.concatenate([np.full(len(points), region) for region, points in HEADS])


class AttentionMesh:
    """Looks at a crop (the trunk's input 0, filled by the caller) and gives points in its pixels."""

    points = 478

    def __init__(self, trunk: Any, heads: Any) -> None:
        self._trunk, self._heads = trunk, heads
        self.view = trunk.input(0)
        self._mesh, self._flag = trunk.output(1).reshape(468, 3), trunk.output(2).reshape(-1)
        self._local = [heads.output(i).reshape(-1, 2) for i in range(len(HEADS))]
        patches = [heads.input(i)[0] for i in range(len(REGIONS))]
        self._sampler = _Sampler(trunk.output(0)[0], patches)

    def run(self) -> float:
        """Run the trunk; the logit of a face being there."""
        self._trunk.run()
        return float(self._flag[0])

    def landmarks(self) -> np.ndarray:
        """(478, 3) points of the last run, in crop pixels, a new array."""
        out = np.empty((self.points, 3), np.float32)
        out[:468] = self._mesh
        origins, axes = _places(out[:468, :2])
        self._sampler(origins, axes)
        self._heads.run()
        local = np.concatenate(self._local)
        axes *= np.float32(STRIDE / LOCAL)
        origins *= np.float32(STRIDE)
        out[_INTO, :2] = np.einsum("pi,pij->pj", local, axes[_OF]) + origins[_OF]
        out[468:, 2] = out[_LIDS, 2].mean(1).repeat(5)
        return out


# all regions in one array: the shorter ones are filled up with their last point, which changes no box
_POINTS = np.array([np.pad(r.points, (0, len(LIPS.points) - len(r.points)), "edge") for r in REGIONS])
_LEVEL = np.array([[r.left, r.right] for r in REGIONS])


def _places(mesh: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where the patches lie: feature position = (patch position) @ axes + origin; origins (3, 2), axes (3, 2, 2)."""
    ends = mesh[_LEVEL]
    level = ends[:, 1] - ends[:, 0]
    level /= np.maximum(np.hypot(level[:, 0], level[:, 1]), np.float32(1e-6))[:, None]
    turn = np.empty((len(level), 2, 2), np.float32)  # rows: along the level, and down from it
    turn[:, 0], turn[:, 1, 0], turn[:, 1, 1] = level, -level[:, 1], level[:, 0]
    turned = mesh[_POINTS] @ turn.transpose(0, 2, 1)
    low, high = turned.min(1), turned.max(1)
    centre = np.einsum("ri,rij->rj", (low + high) / np.float32(2 * STRIDE), turn)
    axes = turn * ((high - low) * np.float32(SCALE / (STRIDE * PATCH)))[:, :, None]
    return centre - np.float32(PATCH / 2) * axes.sum(1), axes


class _Sampler:
    """Bilinear patches of a feature map (h, w, c), zero outside, cell centres at +0.5; to 1/32 of a cell."""

    def __init__(self, features: np.ndarray, patches: list[np.ndarray]) -> None:
        self._features, self._patches = features, patches
        self._matrices = np.empty((len(patches), 2, 3))

    def __call__(self, origins: np.ndarray, axes: np.ndarray) -> None:
        # from cell numbers to cell numbers: centres lie at +0.5 on both sides
        self._matrices[:, :, :2] = axes.transpose(0, 2, 1)
        self._matrices[:, :, 2] = origins + axes.sum(1) * np.float32(0.5) - np.float32(0.5)
        for matrix, patch in zip(self._matrices, self._patches, strict=True):
            cv2.warpAffine(self._features, matrix, (PATCH, PATCH), dst=patch, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
