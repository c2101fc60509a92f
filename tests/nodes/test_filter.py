"""Filters in NumPy, and generators."""

from __future__ import annotations

import numpy as np
from one_node import picture, play
from test_mask import blur, grid, mask, smooth


def test_blurs() -> None:
    image = picture(1)
    soft = blur(image.astype(float), 0.05 * 24)
    assert np.abs(play("filter.blur", inputs={"image": image}, radius=0.05) - soft).max() < 1e-5
    m = mask(2)
    got = play("filter.blur_by_mask", inputs={"image": image, "mask": m}, radius=0.05)
    assert np.abs(got - (image * (1 - m) + soft * m)).max() < 1e-5
    assert np.abs(play("filter.blur", inputs={"image": image}, radius=0.0) - image).max() < 1e-6


def test_sharpen() -> None:
    image = picture(1, alpha=False)
    detail = image[..., :3] - blur(image[..., :3].astype(float), 0.02 * 24)
    strong = smooth(0.05, 0.15 + 1e-4, np.linalg.norm(detail, axis=-1, keepdims=True))
    got = play("filter.sharpen", inputs={"image": image}, radius=0.02, amount=1.5, threshold=0.1)
    assert np.abs(got[..., :3] - (image[..., :3] + 1.5 * detail * strong)).max() < 1e-4
    assert np.array_equal(got[..., 3], image[..., 3])
    flat = np.full((24, 32, 4), 0.4, np.float32)
    assert np.abs(play("filter.sharpen", inputs={"image": flat}) - flat).max() < 1e-5


def test_soft_focus() -> None:
    image = picture(3, alpha=False)
    sharp = image[..., :3].astype(float)
    soft = blur(sharp, 0.06 * 24)
    screened = 1 - (1 - sharp) * (1 - soft)
    wanted = sharp * 0.4 + 0.6 * (0.5 * screened + 0.5 * screened**2)
    got = play("filter.soft_focus", inputs={"image": image}, radius=0.06, amount=0.6)
    assert np.abs(got[..., :3] - wanted).max() < 1e-4


def test_edges_by_scharr() -> None:
    image = picture(4, alpha=False)
    grey = np.pad(image[..., :3].astype(float) @ [0.2126, 0.7152, 0.0722], 1, mode="edge")
    kernel = np.outer([3, 10, 3], [-1, 0, 1]) / 32

    def convolved(k: np.ndarray) -> np.ndarray:
        return sum(k[j, i] * grey[j : j + 24, i : i + 32] for j in range(3) for i in range(3))

    slope = np.hypot(convolved(kernel), convolved(kernel.T))
    got = play("filter.edges", inputs={"image": image}, low=0.1, high=0.4)
    assert np.abs(got[..., 0] - smooth(0.1, 0.4, slope)).max() < 1e-5


def spot(height: int = 180, width: int = 240) -> np.ndarray:
    image = np.zeros((height, width, 4), np.float32) + [0.1, 0.1, 0.1, 1.0]
    y, x = (np.mgrid[:height, :width] + 0.5) / height
    image[np.hypot(x - width / height / 2, y - 0.5) < 0.05] = (1.0, 0.9, 0.7, 1.0)
    return image


def test_glow_adds_a_wide_halo_and_never_dims() -> None:
    image = spot()
    got = play("filter.glow", inputs={"image": image}, radius=0.05, intensity=1.0, tint=(1, 1, 1, 1))
    added = got[..., :3] - image[..., :3]
    assert added.min() > -1e-5
    along = added[90, 120:, 0]
    assert along[16] > 0.015 and (np.diff(along[12:]) < 1e-5).all() and 0 < along[60] < along[16] / 5
    assert added[90, 140, 0] > added[90, 140, 2]  # its colour is the lamp's
    assert np.array_equal(got[..., 3], image[..., 3])
    dark = image * [0.4, 0.4, 0.4, 1]
    assert np.abs(play("filter.glow", inputs={"image": dark}, threshold=0.8, knee=0.1) - dark).max() < 1e-6


def test_glow_looks_the_same_at_another_resolution() -> None:
    small = play("filter.glow", inputs={"image": spot(180, 240)}, radius=0.05)
    large = play("filter.glow", inputs={"image": spot(540, 720)}, radius=0.05)
    flat = np.abs(small - large[1::3, 1::3])
    y, x = (np.mgrid[:180, :240] + 0.5) / 180
    away = np.abs(np.hypot(x - 2 / 3, y - 0.5) - 0.05) > 0.01  # the spot's own edge is drawn otherwise
    assert flat[away].max() < 0.02


def test_generators() -> None:
    fill = play("generate.fill", frame=(32, 24), colour=(0.8, 0.4, 0.2, 0.5))
    assert np.abs(fill - [0.4, 0.2, 0.1, 0.5]).max() < 1e-6
    _, y = grid()
    ramp = play("generate.ramp", frame=(32, 24), start=(0, 0, 0, 1), end=(1, 0.5, 0, 1), length=0.8)
    assert np.abs(ramp[..., 0] - smooth(-0.5, 0.5, y / 0.8)).max() < 1e-5
    assert np.abs(ramp[..., 1] - 0.5 * ramp[..., 0]).max() < 1e-6
    board = play("generate.checker", frame=(32, 24), size=0.25, first=(0, 0, 0, 1), second=(1, 1, 1, 1))
    j, i = np.mgrid[:24, :32] // 6
    assert np.array_equal(board[..., 0], (i + j) % 2)


def test_noise_is_soft_drifts_and_repeats() -> None:
    def noise(time: int = 0, **more) -> np.ndarray:
        return play("generate.noise", frame=(96, 72), size=0.4, roughness=0.3, time=time, **more)[..., 0]

    first = noise()
    assert first.min() >= 0 and first.max() <= 1 and first.std() > 0.05
    assert np.abs(np.diff(first, axis=1)).max() < 0.15
    assert np.array_equal(first, noise())
    moved = noise(time=1_000_000, drift=1 / 72 * 4)  # four pixels a second
    assert np.abs(moved[:, :-4] - first[:, 4:]).max() < 1e-3
    assert np.abs(noise(seed=1) - first).max() > 0.2
