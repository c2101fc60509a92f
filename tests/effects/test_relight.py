"""The effect `relight`, played whole: real models on a portrait where they can be had, and scenes without anybody."""

from __future__ import annotations

import numpy as np
import pytest
from effect_play import LIBRARY, need, play

from spellwire.graph.document import load_effect
from spellwire.graph.effect import Effect
from spellwire.graph.registry import registry
from spellwire.graph.validate import validate

FOLDER = LIBRARY / "relight"
NEEDED = (
    "mediapipe/face_detection_short", "mediapipe/face_landmark", "mediapipe/iris", "mediapipe/selfie_segmentation",
    "mediapipe/selfie_segmentation_landscape", "mediapipe/face_landmarker/geometry",
)  # fmt: skip
STILL = {"movement": 0.0}


@pytest.fixture(scope="module")
def effect() -> Effect:
    return load_effect(FOLDER)


@pytest.fixture(scope="module")
def models() -> None:
    need(*NEEDED)


def change(shown: np.ndarray, frame: np.ndarray, where: tuple[slice, slice]) -> float:
    """How much brighter a part became."""
    return float(shown[where].mean() / frame[where].mean())


LEFT, RIGHT = (slice(85, 140), slice(180, 208)), (slice(85, 140), slice(238, 262))  # cheeks
HAIR, BEHIND = (slice(20, 60), slice(160, 200)), (slice(20, 120), slice(20, 80))


def test_nothing_is_wrong_with_it(effect: Effect) -> None:
    assert validate(effect, registry()) == []
    assert all(e.doc for e in effect.interface)
    assert {e.name for e in effect.interface} >= {"light_x", "light_y", "key", "key_colour", "rim", "background"}


@pytest.mark.usefixtures("models")
def test_the_light_comes_from_where_it_is(effect: Effect, portrait: np.ndarray) -> None:
    left = play(effect, [portrait] * 3, STILL | {"light_x": -0.9})[-1]
    right = play(effect, [portrait] * 3, STILL | {"light_x": 0.7})[-1]
    assert change(left, portrait, LEFT) > 1.4 * change(left, portrait, RIGHT)
    assert change(right, portrait, RIGHT) > 1.4 * change(right, portrait, LEFT)
    above = play(effect, [portrait] * 3, STILL | {"light_x": -0.15, "light_y": 1.0})[-1]
    below = play(effect, [portrait] * 3, STILL | {"light_x": -0.15, "light_y": -1.0})[-1]
    forehead, chin = (slice(65, 80), slice(205, 240)), (slice(150, 165), slice(210, 235))
    assert change(above, portrait, forehead) / change(above, portrait, chin) > 1.3 * (
        change(below, portrait, forehead) / change(below, portrait, chin)
    )


@pytest.mark.usefixtures("models")
def test_the_background_dims_and_the_person_does_not(effect: Effect, portrait: np.ndarray) -> None:
    shown = play(effect, [portrait] * 3, STILL | {"light_x": -0.2, "background": 0.2})[-1]
    assert change(shown, portrait, BEHIND) < 0.3
    face = (slice(85, 140), slice(195, 245))
    assert change(shown, portrait, face) > 0.7


@pytest.mark.usefixtures("models")
def test_the_light_moves_with_time_only_if_asked(effect: Effect, portrait: np.ndarray) -> None:
    def moved(movement: float) -> float:
        frames = play(effect, [portrait] * 4, {"movement": movement}, step=400_000)
        return float(np.abs(frames[2].astype(int) - frames[3]).mean())

    assert moved(0.0) < 0.1 < 0.5 < moved(1.0)


@pytest.mark.usefixtures("models")
def test_the_same_bytes_twice_and_with_two_threads(effect: Effect, portrait: np.ndarray) -> None:
    frames = [np.ascontiguousarray(np.roll(portrait, n, axis=1)) for n in range(3)]
    first, again, wide = (play(effect, frames, {}, threads) for threads in (1, 1, 2))
    for a, b, c in zip(first, again, wide, strict=True):
        assert np.array_equal(a, b) and np.array_equal(a, c)


@pytest.mark.usefixtures("models")
@pytest.mark.parametrize("size", [(1, 1), (3, 2), (7, 640), (320, 180)])
def test_nobody_there_and_odd_sizes(effect: Effect, size: tuple[int, int]) -> None:
    """Without a person there is nothing to light, and the picture stays as bright as it is, but for the vignette."""
    frame = np.full((size[1], size[0], 3), 128, np.uint8)
    shown = play(effect, [frame] * 2, STILL | {"background": 0.5})[-1]
    assert shown.shape == frame.shape and 90 < shown.mean() <= 128 and shown.max() <= 129


@pytest.mark.usefixtures("models")
def test_lights_go_down_when_the_person_leaves(effect: Effect, portrait: np.ndarray) -> None:
    nobody = np.full_like(portrait, 150)
    shown = play(effect, [portrait] * 3 + [nobody] * 60, STILL | {"background": 0.2})
    middle = (slice(100, 180), slice(200, 300))
    brightness = [float(f[middle].mean()) for f in shown[3:]]
    assert brightness[0] < 75 and brightness[-1] > 140, "dark behind, then the picture as it is"
    assert max(np.diff(brightness)) < 25, "no jump"
