"""Pictures a whole number of times smaller: the loop against means in NumPy, and what the shrinker makes of it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from spellwire.runtime.native.shrink import box_shrink
from spellwire.runtime.perception.shrink import Shrinker


def means(picture: np.ndarray, times: int) -> np.ndarray:
    height, width, channels = picture.shape
    blocks = picture.reshape(height // times, times, width // times, times, channels).astype(np.float64)
    return np.floor(blocks.mean((1, 3)) + 0.5)


@pytest.mark.parametrize(("shape", "times"), [((6, 8, 3), 2), ((15, 10, 3), 5), ((9, 27, 1), 9), ((4, 4, 4), 1)])
def test_the_loop_as_it_is_written(shape, times):
    picture = np.random.default_rng(times).integers(0, 256, shape, np.uint8)
    out = np.zeros((shape[0] // times, shape[1] // times, shape[2]), np.uint8)
    box_shrink(picture.reshape(-1), shape[1], shape[0], shape[2], times, out.reshape(-1), np.zeros(3 * shape[1] * shape[2], np.uint16))
    assert np.abs(out - means(picture, times)).max() <= 1


def test_white_stays_white_at_the_most(native):
    picture, out = np.full((64, 96, 3), 255, np.uint8), np.zeros((4, 6, 3), np.uint8)
    Shrinker(native("box_shrink")).into(picture, out)
    assert (out == 255).all()


@pytest.mark.parametrize("size", [(720, 1280), (1080, 1920), (360, 640), (719, 1277), (1154, 2306), (144, 256), (90, 160)])
def test_compiled_the_shrinker_sees_the_same(size, native):
    rng = np.random.default_rng(size[0])
    picture = cv2.resize(rng.integers(0, 256, (45, 80, 3), np.uint8), size[::-1], interpolation=cv2.INTER_CUBIC)
    plain, boxed = np.zeros((2, 144, 256, 3), np.uint8)
    Shrinker().into(picture, plain)
    shrinker = Shrinker(native("box_shrink"))
    for _ in range(2):
        shrinker.into(picture, boxed)
    away = np.abs(plain.astype(int) - boxed)
    assert away.mean() < 2 and away.max() < 40
