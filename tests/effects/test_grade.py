"""The effect `grade`, played with compiled kernels on pictures made here."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest
from effect_play import LIBRARY, play

from spellwire.graph.document import load_effect
from spellwire.graph.effect import Effect
from spellwire.graph.registry import registry
from spellwire.graph.validate import validate

FOLDER = LIBRARY / "grade"
PLAIN = {"look": 0.0, "exposure": 0.0, "warmth": 0.0, "glow": 0.0, "vignette": 0.0, "grain": 0.0}


@pytest.fixture(scope="module")
def effect() -> Effect:
    return load_effect(FOLDER)


def scene(width: int = 97, height: int = 61) -> np.ndarray:
    """Dark, with colours, a grey ramp and one bright spot."""
    rng = np.random.default_rng(5)
    frame = (rng.random((height, width, 3)) * 90).astype(np.uint8)
    frame[: height // 3] = np.linspace(0, 255, width)[:, None]
    frame[40:46, 50:60] = 255
    return frame


def test_nothing_is_wrong_with_it(effect: Effect) -> None:
    assert validate(effect, registry()) == []
    assert [e.name for e in effect.interface] == list(PLAIN) and all(e.doc for e in effect.interface)


def test_with_everything_off_the_picture_is_the_clip(effect: Effect) -> None:
    (shown,) = play(effect, [scene()], PLAIN)
    assert np.abs(shown.astype(int) - scene()).max() <= 1


def test_every_parameter_does_what_it_says(effect: Effect) -> None:
    (plain,) = play(effect, [scene()], PLAIN)

    def change(**values: float) -> np.ndarray:
        (shown,) = play(effect, [scene()], PLAIN | values)
        return shown.astype(int) - plain

    assert change(exposure=1.0).mean() > 20 > -20 > change(exposure=-1.0).mean()
    warm = change(warmth=0.6)
    assert warm[..., 0].mean() > 0 > warm[..., 2].mean()
    around = change(glow=1.5)
    assert around[36:40, 50:60].mean() > 5 and around.min() >= -1
    corners = change(vignette=1.0)
    assert corners[-4:, :4].mean() < -10 and abs(corners[28:33, 46:51].mean()) < 1
    assert change(grain=0.4).std() > 3
    look = change(look=1.0)[30:, :]
    assert look[..., 2].mean() > look[..., 0].mean()  # shadows go to teal


def test_the_same_bytes_twice_and_with_two_threads_and_grain_moves(effect: Effect) -> None:
    frames = [scene(), scene(), scene()]
    first, again, wide = (play(effect, frames, {}, threads) for threads in (1, 1, 2))
    for a, b, c in zip(first, again, wide, strict=True):
        assert np.array_equal(a, b) and np.array_equal(a, c)
    assert not np.array_equal(first[0], first[1])


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (640, 7)])
def test_odd_sizes(effect: Effect, size: tuple[int, int]) -> None:
    (shown,) = play(effect, [np.full((size[1], size[0], 3), 128, np.uint8)], {})
    assert shown.shape == (size[1], size[0], 3) and 40 < shown.mean() < 200


def test_the_table_is_what_the_script_makes() -> None:
    spec = importlib.util.spec_from_file_location("make_look", FOLDER / "make_look.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made = np.array([[float(v) for v in line.split()] for line in module.cube().splitlines()[2:]])
    stored = np.loadtxt(FOLDER / "assets" / "teal_orange.cube", skiprows=2)
    assert np.abs(made - stored).max() <= 1.1e-5  # the last digit may round otherwise on another machine
    grey = module.look(np.repeat(np.linspace(0, 1, 256)[:, None], 3, axis=1))
    assert (np.diff(grey.sum(axis=1)) > 0).all()  # tones never turn round
