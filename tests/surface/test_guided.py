"""The guided filter's loop against the same filter in whole planes."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from spellwire.runtime.native.guided import guided_fit
from spellwire.runtime.perception.guided import GuidedCoefficients


def given(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """A guide with soft edges and noise, and a mask that follows one of them."""
    rng = np.random.default_rng(height * 1000 + width)
    guide = cv2.GaussianBlur(rng.random((height, width, 3)).astype(np.float32), (0, 0), 2.0).reshape(height, width, 3)
    mask = (guide[..., 1] > np.median(guide[..., 1])).astype(np.float32)
    return np.ascontiguousarray(guide + 0.02 * rng.random(guide.shape).astype(np.float32)), mask


def in_planes(guide: np.ndarray, mask: np.ndarray, radius: int, epsilon: float) -> np.ndarray:
    out = np.zeros((*mask.shape, 4), np.float32)
    GuidedCoefficients(*mask.shape).fit(guide, mask, radius, epsilon, out)
    return out


def apart(a: np.ndarray, b: np.ndarray, guide: np.ndarray) -> float:
    """How far the masks that they make are from each other."""
    return float(np.abs(((a - b)[..., :3] * guide).sum(2) + (a - b)[..., 3]).max())


SIZES = ((9, 13), (4, 5), (1, 1), (1, 6), (3, 2))


@pytest.mark.parametrize(("size", "radius"), [(s, r) for s in SIZES for r in range(4) if r <= min(s)])  # OpenCV mirrors only once
def test_the_loop_as_it_is_written(size: tuple[int, int], radius: int) -> None:
    """Uncompiled, also where the window is larger than the picture."""
    (height, width), (guide, mask) = size, given(*size)
    out, wide = np.zeros(4 * height * width, np.float32), np.zeros(5 * width + 2 * radius, np.float32)
    rows, sums = np.zeros(13 * (2 * radius + 1) * width, np.float32), np.zeros(13 * width, np.float32)
    lines = np.zeros(4 * height * width, np.float32)
    guided_fit(
        guide.reshape(-1), mask.reshape(-1), width, height, radius, np.float32(1e-2), out, rows, wide, sums, lines
    )
    assert apart(out.reshape(height, width, 4), in_planes(guide, mask, radius, 1e-2), guide) < 1e-4


@pytest.mark.parametrize("size", [(144, 256), (256, 256), (33, 7), (1, 1)])
@pytest.mark.parametrize("epsilon", [1e-1, 1e-3])
def test_compiled_it_gives_the_same(size: tuple[int, int], epsilon: float, native) -> None:
    guide, mask = given(*size)
    out = np.zeros((*size, 4), np.float32)
    fast = GuidedCoefficients(*size, native("guided_fit"))
    for radius in (5, 2):  # work buffers that are too large for the second
        if radius <= min(size):
            fast.fit(guide, mask, radius, epsilon, out)
            assert apart(out, in_planes(guide, mask, radius, epsilon), guide) < 2e-3
    fast.fit(guide, mask, 0, float("nan"), out)
    assert np.isfinite(out).all()


def test_other_sizes_are_refused(native) -> None:
    fast = GuidedCoefficients(8, 9, native("guided_fit"))
    with pytest.raises(ValueError, match="8 × 9"):
        fast.fit(*given(8, 8), 2, 1e-3, np.zeros((8, 9, 4), np.float32))
