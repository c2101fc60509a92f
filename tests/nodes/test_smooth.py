"""Smoothing: the guided filter against its paper's formula at full size, and what it must not do."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from one_node import effect_of, picture, play, play_plan, registry_with_tests
from references import photo

from spellwire.runtime.plan.compile import compile_effect


def box(values: np.ndarray, radius: int) -> np.ndarray:
    """The mean over a window, by sums of cumulative sums."""
    wide = np.pad(values, ((radius, radius), (radius, radius), (0, 0)), mode="symmetric")
    for axis in (0, 1):
        total = np.cumsum(np.insert(wide, 0, 0, axis=axis), axis=axis)
        count = 2 * radius + 1
        wide = np.take(total, range(count, total.shape[axis]), axis) - np.take(total, range(total.shape[axis] - count), axis)
    return wide / (2 * radius + 1) ** 2


def guided(rgb: np.ndarray, radius: int, epsilon: float) -> np.ndarray:
    """He, Sun and Tang's equations 5, 6 and 8, guide = input, one coefficient for the three channels."""
    mean = box(rgb, radius)
    variance = (box(rgb**2, radius) - mean**2).mean(-1, keepdims=True)
    a = variance / (variance + epsilon)
    return box(a, radius) * rgb + box((1 - a) * mean, radius)


def shown(image: np.ndarray) -> np.ndarray:
    return np.round(image[..., :3].astype(np.float64) * 255) / 255


@pytest.mark.parametrize(("radius", "contrast"), [(3, 0.1), (6, 0.3)])
def test_guided_is_the_papers_where_the_grid_is_the_picture(radius: int, contrast: float) -> None:
    image = photo(2, 96, 72, alpha=False)
    got = play("smooth.guided", inputs={"image": image}, radius=radius / 72, contrast=contrast)
    wanted = guided(shown(image), radius, contrast**2 / 4)
    assert np.abs(got[..., :3] - wanted).max() < 1.0 / 255  # the model saw 8 bits, the pixels did not
    assert np.array_equal(got[..., 3], image[..., 3])


def skin(height: int, width: int) -> np.ndarray:
    """Faint blotches and fine pores on two tones that meet at a sharp edge."""
    rng = np.random.default_rng(4)
    blotch = cv2.GaussianBlur(rng.standard_normal((height, width)), (0, 0), height / 90)
    pores = cv2.GaussianBlur(rng.standard_normal((height, width)), (0, 0), 0.7)
    tone = np.where(np.arange(width) < width // 2, 0.65, 0.3) + 0.015 * blotch / blotch.std() + 0.01 * pores / pores.std()
    return np.dstack([tone, tone * 0.8, tone * 0.7, np.ones_like(tone)]).astype(np.float32)


def test_guided_evens_blotches_keeps_edges_and_gives_pores_back() -> None:
    image = skin(360, 480)
    flat = play("smooth.guided", inputs={"image": image}, radius=0.04)
    kept = play("smooth.guided", inputs={"image": image}, radius=0.04, texture=1.0)
    calm = (slice(40, 320), slice(40, 200))

    def bands(a: np.ndarray) -> tuple[float, float]:
        low = cv2.GaussianBlur(a[..., 0], (0, 0), 2.0)
        wide = cv2.GaussianBlur(a[..., 0], (0, 0), 12.0)
        return float((a[..., 0] - low)[calm].std()), float((low - wide)[calm].std())

    (pores, blotches), (no_pores, even), (same_pores, even_too) = map(bands, (image, flat, kept))
    assert even < 0.35 * blotches and no_pores < 0.4 * pores
    assert even_too < 0.5 * blotches and same_pores > 0.85 * pores
    step = flat[180, 236:244, 0]
    assert step[0] - step[-1] > 0.9 * (image[180, 230, 0] - image[180, 250, 0]) - 0.05


def test_guided_looks_the_same_at_another_resolution() -> None:
    large = photo(5, 640, 480, alpha=False)
    small = cv2.resize(large, (320, 240), interpolation=cv2.INTER_AREA)
    a = play("smooth.guided", inputs={"image": large}, radius=0.04, contrast=0.15)
    b = play("smooth.guided", inputs={"image": small}, radius=0.04, contrast=0.15)
    assert np.abs(cv2.resize(a, (320, 240), interpolation=cv2.INTER_AREA) - b).mean() < 0.004


def test_a_mask_and_amount_say_where_and_how_much() -> None:
    image, mask = picture(3, alpha=False), np.zeros((24, 32, 1), np.float32)
    mask[:, 16:] = 1
    got = play("smooth.guided", inputs={"image": image, "mask": mask}, radius=0.1, contrast=0.5, amount=0.5)
    whole = play("smooth.guided", inputs={"image": image}, radius=0.1, contrast=0.5)
    assert np.array_equal(got[:, :16], image[:, :16])
    assert np.abs(got[:, 16:] - (image + whole)[:, 16:] / 2).max() < 1e-6


def test_in_a_linear_effect_it_works_on_what_is_seen() -> None:
    """The same picture, smoothed in both working spaces, is the same to the eye."""
    from one_node import EvaluatorLibrary

    shown_picture = photo(7, 48, 36, alpha=False)
    light = shown_picture.copy()
    light[..., :3] = np.where(light[..., :3] <= 0.04045, light[..., :3] / 12.92, ((light[..., :3] + 0.055) / 1.055) ** 2.4)
    params = {"radius": 0.1, "contrast": 0.2}
    srgb = play("smooth.guided", inputs={"image": shown_picture}, **params)[..., :3]
    from dataclasses import replace

    effect = replace(effect_of("smooth.guided", {"image": light}, params), working_space="linear")
    plan = compile_effect(effect, nodes=registry_with_tests())
    linear = next(iter(play_plan(plan, EvaluatorLibrary(), size=(48, 36)).values()))[..., :3]
    encoded = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * np.maximum(linear, 1e-9) ** (1 / 2.4) - 0.055)
    assert np.abs(encoded - srgb).max() < 2 / 255
