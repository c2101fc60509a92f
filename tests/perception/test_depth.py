"""Depth over time: a network whose scale jumps is held, what moves is followed, people and scene are told apart."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from spellwire.runtime.models.pictures import Layout, PictureModel
from spellwire.runtime.perception.depth import DepthEstimator, fill, make_state, nearness

WIDTH, HEIGHT = 64, 48
STEP = 1 / 15


class Guess:
    """Stands where a network stands: gives the planes it is told, whatever it is shown."""

    size = (WIDTH, HEIGHT)

    def __init__(self, planes: list[np.ndarray]) -> None:
        self.planes = iter(planes)

    def feed(self, picture: np.ndarray) -> None:
        assert picture.shape == (HEIGHT, WIDTH, 3)

    def run(self) -> None:
        self.now = next(self.planes)

    def shape(self) -> tuple[int, int]:
        return self.now.shape  # type: ignore[return-value]

    def plane(self, into: np.ndarray) -> None:
        into[:] = self.now


def room() -> np.ndarray:
    """Metres: a floor that comes near, a wall at 4 m, a box at 1.5."""
    y = np.linspace(0, 1, HEIGHT)[:, None]
    depth = np.minimum(4.0, 1.2 / np.maximum(y - 0.2, 0.05)) * np.ones((1, WIDTH))
    depth[20:40, 10:30] = 1.5
    return depth.astype(np.float32)


def picture(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(60, 200, (HEIGHT, WIDTH, 3), dtype=np.uint8)


def play(planes: list[np.ndarray], pictures: list[np.ndarray], kind: Any = "metres", smoothing: float = 0.6, **more: Any):
    estimator, state = DepthEstimator(Guess(planes), kind), make_state()  # type: ignore[arg-type]
    return [estimator.estimate(p, STEP if i else 0.0, state, smoothing=smoothing, **more)[0] for i, p in enumerate(pictures)]


@pytest.mark.parametrize("kind", ["near", "metres"])
def test_a_scale_that_jumps_is_held(kind: str) -> None:
    """Each guess has its own scale and shift of nearness, and noise: still pictures give a still depth."""
    rng = np.random.default_rng(5)
    near = 1 / room()
    scales, shifts = rng.uniform(0.8, 1.25, 30), rng.uniform(-0.02, 0.08, 30)
    guesses = [near * s + b + rng.normal(0, 0.01, near.shape) for s, b in zip(scales, shifts, strict=True)]
    planes = [(g if kind == "near" else 1 / np.maximum(g, 0.05)).astype(np.float32) for g in guesses]
    steady, raw = (np.array([1 / d for d in play(planes, [picture()] * 30, kind, s)])[10:] for s in (0.8, 0.0))
    assert steady.std(axis=0).mean() < 0.3 * raw.std(axis=0).mean()
    assert np.corrcoef(steady[-1].ravel(), near.ravel())[0, 1] > 0.98  # and it is still the room


def test_what_moves_is_followed_at_once() -> None:
    near, far = room(), room()
    near[5:25, 40:60] = 0.8
    before, after = picture(), picture()
    after[5:25, 40:60] = 250 - after[5:25, 40:60] // 2
    shown = play([far] * 6 + [near] * 2, [before] * 6 + [after] * 2)
    assert abs(float(np.median(shown[-1][8:22, 43:57])) - 0.8) < 0.15
    assert abs(float(np.median(shown[-1][8:22, :8])) - float(np.median(far[8:22, :8]))) < 0.3


def test_another_scene_starts_anew() -> None:
    other = np.full((HEIGHT, WIDTH), 2.0, np.float32)
    shown = play([room()] * 5 + [other], [picture() // 4] * 5 + [255 - picture(3) // 4])
    assert np.abs(shown[-1] - 2.0).max() < 1e-4


def test_no_numbers_and_nothing_at_all() -> None:
    broken = room()
    broken[:10] = np.nan
    for plane in (broken, np.full((HEIGHT, WIDTH), np.nan, np.float32), np.zeros((HEIGHT, WIDTH), np.float32), -room()):
        for kind in ("metres", "far", "near"):
            (shown,) = play([plane], [picture()], kind)
            assert np.isfinite(shown).all() and shown.min() >= 0.19 and shown.max() <= 51


def test_relative_depths_lie_between_one_and_eight_metres() -> None:
    for kind, plane in (("near", 1 / room() * 700 + 3), ("far", room() * 30 - 9)):
        metres = 1 / nearness(plane.astype(np.float32), kind)  # type: ignore[arg-type]
        assert 0.9 < metres.min() < 1.2 and 7 < metres.max() < 9
        assert np.corrcoef(metres.ravel(), room().ravel())[0, 1] > 0.7


def test_people_and_the_scene_behind_them() -> None:
    """The network half sees somebody; the scene is filled in from around, people keep the distance they were given."""
    seen = room()
    mask = np.zeros((HEIGHT, WIDTH), np.float32)
    mask[8:, 30:50] = 1
    seen[mask > 0] = 1.1
    estimator, state = DepthEstimator(Guess([seen]), "metres"), make_state()  # type: ignore[arg-type]
    scene, people = estimator.estimate(picture(), 0.0, state, people=mask)
    behind = np.s_[12:40, 34:46]
    assert np.abs(1 / scene - 1 / room())[behind].mean() < 0.35 * np.abs(1 / seen - 1 / room())[behind].mean()
    assert abs(float(np.median(people[20:40, 34:46])) - 1.1) < 0.1
    nobody, same = estimator.__class__(Guess([seen]), "metres").estimate(picture(), 0.0, make_state(), people=mask * 0)  # type: ignore[arg-type]
    assert np.array_equal(nobody, same)


def test_fill_keeps_what_is_known_and_spreads_it() -> None:
    values = np.full((33, 47), 5.0, np.float32)
    weight = np.ones_like(values)
    weight[10:25, 12:40] = 0
    values[weight == 0] = 99
    assert np.abs(fill(values, weight) - 5).max() < 1e-4
    gradient = np.tile(np.linspace(0, 1, 47, dtype=np.float32), (33, 1))
    filled = fill(np.where(weight > 0, gradient, 99), weight)
    assert np.array_equal(filled[weight > 0], gradient[weight > 0]) and filled.min() >= -0.01 and filled.max() <= 1.01


def test_fast_depth_on_a_portrait(load, portrait: np.ndarray) -> None:
    """The registry's network, really run: finite, in a room's range, the same twice."""
    net = PictureModel(load("depth/fastdepth"), Layout(), channels=1)
    shown = [DepthEstimator(net, "metres").estimate(portrait, 0.0, make_state())[0] for _ in range(2)]
    assert shown[0].shape == (224, 224) and 0.3 < np.median(shown[0]) < 10 and np.array_equal(*shown)


def test_a_relative_network_from_a_file(assets, portrait: np.ndarray) -> None:
    from spellwire.runtime.models.model import open_model

    path = assets / "models/depth/tcmonodepth_tcsmallnet_192x320.onnx"
    if not path.is_file():
        pytest.skip("the shared assets have no tcmonodepth")
    with open_model(path) as model:
        net = PictureModel(model, Layout(takes="0..255"), channels=1)
        shown, _ = DepthEstimator(net, "near").estimate(portrait, 0.0, make_state())
        assert shown.shape == (192, 320) and np.percentile(shown, 95) > 2 * np.percentile(shown, 5)
