"""The effect `dream`, played whole with real models on a portrait, and where nobody is."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from effect_play import LIBRARY, difference, need, play

from spellwire.graph.document import load_effect
from spellwire.graph.effect import Effect
from spellwire.graph.errors import ModelUnavailable
from spellwire.graph.registry import registry
from spellwire.graph.validate import validate
from spellwire.runtime.engine.context import NodeContext

FOLDER = LIBRARY / "dream"
PERSON, BEHIND = (slice(60, 150), slice(195, 245)), (slice(20, 110), slice(20, 110))
CLEAR: dict[str, Any] = {"fog": 0.0, "glow": 0.0, "aperture": 0.0}


@pytest.fixture(scope="module")
def effect() -> Effect:
    need("depth/fastdepth", "mediapipe/selfie_segmentation", "mediapipe/selfie_segmentation_landscape")
    return load_effect(FOLDER)


def detail(picture: np.ndarray, where: tuple[slice, slice]) -> float:
    return float(np.abs(np.diff(picture[where].astype(int), axis=1)).mean())


def test_nothing_is_wrong_with_it() -> None:
    effect = load_effect(FOLDER)
    assert validate(effect, registry()) == [] and all(e.doc for e in effect.interface) and 3 <= len(effect.interface) <= 8


def test_without_fog_blur_and_glow_it_is_the_picture(effect: Effect, portrait: np.ndarray) -> None:
    assert np.abs(play(effect, [portrait] * 2, CLEAR)[-1].astype(int) - portrait).max() <= 1


def test_fog_hides_what_is_behind_and_leaves_the_person(effect: Effect, portrait: np.ndarray) -> None:
    shown = play(effect, [portrait] * 3, CLEAR | {"fog": 1.5, "near_colour": (1, 1, 1, 1), "far_colour": (1, 1, 1, 1)})[-1]
    assert difference(shown, portrait, BEHIND) > 40
    assert difference(shown, portrait, PERSON) < 4


def test_what_is_behind_is_blurred_and_the_person_is_not(effect: Effect, portrait: np.ndarray) -> None:
    shown = play(effect, [portrait] * 3, CLEAR | {"aperture": 0.02})[-1]
    assert detail(shown, BEHIND) < 0.6 * detail(portrait, BEHIND)
    assert difference(shown, portrait, PERSON) < 1.5


def test_focus_goes_behind(effect: Effect, portrait: np.ndarray) -> None:
    shown = play(effect, [portrait] * 3, CLEAR | {"aperture": 0.02, "focus": 4.0})[-1]
    assert detail(shown, PERSON) < 0.75 * detail(portrait, PERSON)
    assert detail(shown, BEHIND) > 0.7 * detail(portrait, BEHIND)


def test_the_person_does_not_bleed_into_the_blur(effect: Effect, portrait: np.ndarray) -> None:
    """Just beside the orange suit the blurred background has its own colour, not the suit's."""
    shown = play(effect, [portrait] * 3, CLEAR | {"aperture": 0.03})[-1]
    beside = (slice(200, 240), slice(40, 60))
    assert abs(int(shown[beside][..., 0].mean()) - int(portrait[beside][..., 0].mean())) < 25


def test_a_still_picture_stays_still(effect: Effect, portrait: np.ndarray) -> None:
    rng = np.random.default_rng(1)
    noisy = [np.clip(portrait + rng.normal(0, 2, portrait.shape), 0, 255).astype(np.uint8) for _ in range(14)]
    shown = play(effect, noisy, {"fog": 1.2})
    moved = [difference(a, b, BEHIND) for a, b in zip(shown[8:], shown[9:], strict=False)]
    assert max(moved) < 2.5


def test_the_same_bytes_twice_and_with_two_threads(effect: Effect, portrait: np.ndarray) -> None:
    frames = [np.ascontiguousarray(np.roll(portrait, 3 * n, axis=1)) for n in range(3)]
    first, again, wide = (play(effect, frames, {}, threads) for threads in (1, 1, 2))
    for a, b, c in zip(first, again, wide, strict=True):
        assert np.array_equal(a, b) and np.array_equal(a, c)


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (7, 640), (320, 180), (480, 640)])
def test_nobody_there_and_odd_sizes(effect: Effect, size: tuple[int, int]) -> None:
    frame = np.full((size[1], size[0], 3), 128, np.uint8)
    shown = play(effect, [frame] * 2, {"glow": 0.0})[-1]
    assert shown.shape == frame.shape and 100 < shown.mean() < 230


def test_without_its_model_it_is_refused_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that has no model and no network: one clear error before the first frame, nothing half started."""
    for name, value in {
        "SPELLWIRE_CACHE": str(tmp_path), "PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_CONFIG_FILE": os.devnull,
        "PIP_RETRIES": "1", "npm_config_registry": "http://127.0.0.1:9/", "npm_config_fetch_retries": "0",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("SPELLWIRE_MODELS", raising=False)
    node = registry()["depth.estimate"].cls()
    context = NodeContext(params={p.name: p.default for p in node.declaration.params})
    with pytest.raises(ModelUnavailable, match="spellwire models pull depth/fastdepth"):
        node.open(context)  # type: ignore[attr-defined]
