"""Mask nodes in NumPy: combinations, edges moved and softened, shapes by distance, keys by colour."""

from __future__ import annotations

import math

import numpy as np
import pytest
from one_node import picture, play

H, W = 24, 32
ASPECT = W / H


def mask(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((H, W, 1)).astype(np.float32)


def blur(values: np.ndarray, sigma: float) -> np.ndarray:
    reach = math.ceil(3 * sigma)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    weights /= weights.sum()
    for axis in (0, 1):
        wide = np.pad(values, [(reach, reach) if a == axis else (0, 0) for a in range(values.ndim)], mode="edge")
        values = sum(w * np.take(wide, np.arange(k, k + values.shape[axis]), axis) for k, w in enumerate(weights))
    return values


def smooth(low: float, high: float, value: np.ndarray) -> np.ndarray:
    t = np.clip((value - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


@pytest.mark.parametrize(
    ("operation", "formula"),
    [("union", np.maximum), ("intersect", np.minimum), ("subtract", lambda a, b: np.minimum(a, 1 - b)),
     ("exclude", lambda a, b: np.abs(a - b)), ("soft union", lambda a, b: 1 - (1 - a) * (1 - b)),
     ("soft intersect", lambda a, b: a * b), ("soft subtract", lambda a, b: a * (1 - b))],
)  # fmt: skip
def test_combine(operation: str, formula) -> None:
    a, b = mask(1), mask(2)
    assert np.abs(play("mask.combine", inputs={"a": a, "b": b}, operation=operation) - formula(a, b)).max() < 1e-6


def test_invert_levels_apply_and_channels() -> None:
    m, image = mask(3), picture(4)
    assert np.abs(play("mask.invert", inputs={"mask": m}) - (1 - m)).max() < 1e-6
    got = play("mask.levels", inputs={"mask": m}, low=0.2, high=0.7, gamma=2.0)
    assert np.abs(got - np.clip((m - 0.2) / 0.5, 0, 1) ** 0.5).max() < 1e-5
    assert np.abs(play("mask.apply", inputs={"image": image, "mask": m}) - image * m).max() < 1e-6
    assert np.array_equal(play("mask.channel", inputs={"image": image})[..., 0], image[..., 3])
    opaque = picture(4, alpha=False)
    got = play("mask.channel", inputs={"image": opaque}, channel="luma")
    assert np.abs(got[..., 0] - opaque[..., :3] @ [0.2126, 0.7152, 0.0722]).max() < 1e-5


def half(width: int = 160, height: int = 40) -> np.ndarray:
    """Covered on the left half."""
    made = np.zeros((height, width, 1), np.float32)
    made[:, : width // 2] = 1
    return made


def edge(values: np.ndarray) -> float:
    """Where a row falls through one half, in pixels from the middle."""
    row = values[values.shape[0] // 2, :, 0]
    k = int(np.argmax(row < 0.5))
    return k - 1 + (row[k - 1] - 0.5) / (row[k - 1] - row[k]) + 0.5 - len(row) / 2


def test_feather_softens_about_the_edge_or_to_one_side() -> None:
    got = play("mask.feather", inputs={"mask": half()}, radius=0.099)
    assert np.abs(got - blur(half(), 0.099 * 40)).max() < 1e-5
    assert abs(edge(got)) < 0.05
    inside = play("mask.feather", inputs={"mask": half()}, radius=0.1, shift=-1.0)[20, :, 0]
    outside = play("mask.feather", inputs={"mask": half()}, radius=0.1, shift=1.0)[20, :, 0]
    assert inside[80:].max() == 0 and inside[60] > 0.99 and 0 < inside[76] < 1
    assert outside[:80].min() == 1 and outside[99] < 0.01 and 0 < outside[84] < 1


@pytest.mark.parametrize("amount", [-0.05, -0.02, 0.0, 0.02, 0.05])
@pytest.mark.parametrize("softness", [0.01, 0.03])
def test_grow_moves_a_straight_edge_by_the_length(amount: float, softness: float) -> None:
    wide = half(800, 200)
    got = play("mask.grow", inputs={"mask": wide}, amount=amount, softness=softness)
    assert abs(edge(got) - amount * 200) < 0.35
    assert got[100, 300, 0] > 0.999 and got[100, 500, 0] < 0.001


def test_grow_fills_small_holes_and_shrink_removes_specks() -> None:
    dots = np.zeros((100, 100, 1), np.float32)
    dots[40:42, 40:42] = 1
    assert play("mask.grow", inputs={"mask": 1 - dots}, amount=0.05).min() > 0.99
    assert play("mask.grow", inputs={"mask": dots}, amount=-0.05).max() < 0.01


def grid() -> tuple[np.ndarray, np.ndarray]:
    y, x = (np.mgrid[:H, :W] + 0.5) / H
    return x - ASPECT / 2, y - 0.5


def turned(centre: tuple[float, float], angle: float) -> tuple[np.ndarray, np.ndarray]:
    x, y = grid()
    place = (x - centre[0] + 1j * (y - centre[1])) * np.exp(-1j * math.radians(angle))
    return place.real, place.imag


def test_rectangle_is_a_signed_distance() -> None:
    x, y = turned((0.1, -0.05), 25)
    got = play("mask.rectangle", frame=(W, H), centre=(0.1, -0.05), angle=25, size=(0.7, 0.4), corner=0.1, softness=0.2)
    dx, dy = np.abs(x) - 0.35 + 0.1, np.abs(y) - 0.2 + 0.1
    distance = np.hypot(np.maximum(dx, 0), np.maximum(dy, 0)) + np.minimum(np.maximum(dx, dy), 0) - 0.1
    assert np.abs(got[..., 0] - (1 - smooth(-0.1, 0.1, distance))).max() < 1e-5


def test_circle_and_ellipse() -> None:
    x, y = grid()
    got = play("mask.ellipse", frame=(W, H), size=(0.6, 0.6), softness=0.1)
    radius = np.hypot(x, y)
    wanted = 1 - smooth(-0.05, 0.05, radius - 0.3)
    near = np.abs(radius - 0.3) < 0.02
    assert np.abs(got[..., 0] - wanted)[near].max() < 0.08  # a first-order distance: exact at the edge
    assert got[H // 2, W // 2, 0] == 1 and got[0, 0, 0] == 0
    wide = play("mask.ellipse", frame=(W, H), size=(0.9, 0.3), angle=90, softness=0.0)[..., 0]
    assert wide[3, W // 2] == 1 and wide[H // 2, W // 2 + 6] == 0  # turned, it is high


def test_gradient() -> None:
    _, y = turned((0.05, 0.1), 30)
    got = play("mask.gradient", frame=(W, H), centre=(0.05, 0.1), angle=30, length=0.6)
    assert np.abs(got[..., 0] - smooth(-0.5, 0.5, y / 0.6)).max() < 1e-5


def test_keys() -> None:
    image = picture(5, alpha=False)
    rgb = image[..., :3].astype(float)
    grey = rgb @ [0.2126, 0.7152, 0.0722]
    got = play("mask.luma_key", inputs={"image": image}, low=0.3, high=0.6, softness=0.2)
    assert np.abs(got[..., 0] - smooth(0.1, 0.3, grey) * (1 - smooth(0.6, 0.8, grey))).max() < 1e-5
    key = np.array([0.2, 0.6, 0.3])

    def chroma(c: np.ndarray) -> np.ndarray:
        c = c / np.maximum(c.max(-1, keepdims=True), 0.15)
        y = c @ [0.2126, 0.7152, 0.0722]
        return np.stack([(c[..., 2] - y) / 1.8556, (c[..., 0] - y) / 1.5748], -1)

    distance = np.linalg.norm(chroma(rgb) - chroma(key), axis=-1)
    got = play("mask.colour_key", inputs={"image": image}, colour=(*key, 1.0), tolerance=0.1, softness=0.2)
    assert np.abs(got[..., 0] - (1 - smooth(0.1, 0.3, distance))).max() < 1e-5
    darker = image * [0.5, 0.5, 0.5, 1]
    darker[..., :3] = 0.5 * key
    near = play("mask.colour_key", inputs={"image": darker}, colour=(*key, 1.0))
    assert near.min() == 1  # brightness does not count


def test_how_much_a_mask_covers_and_where() -> None:
    mask = np.zeros((90, 160, 1), np.float32)
    mask[0:45, 80:160] = 1.0
    found = play("mask.measure", inputs={"mask": mask})
    assert found["amount"] == pytest.approx(0.25, abs=1e-3)
    assert found["centre"] == pytest.approx((40 / 90, -22.5 / 90), abs=1e-3)
    found = play("mask.measure", inputs={"mask": np.zeros((9, 16, 1), np.float32)})
    assert found == {"amount": 0.0, "centre": (0.0, 0.0)}
