"""The effect `sparkle`, played whole on a hand that its own script draws (real networks, where they can be had)."""

from __future__ import annotations

import importlib.util
from types import ModuleType

import effect_play
import numpy as np
import pytest
from effect_play import LIBRARY, engine_of, need

from spellwire.graph.document import load_effect
from spellwire.graph.effect import Effect
from spellwire.graph.registry import registry
from spellwire.graph.validate import validate
from spellwire.runtime.frames import Frame

FOLDER = LIBRARY / "sparkle"
STEP = 33_333


@pytest.fixture(scope="module")
def effect() -> Effect:
    return load_effect(FOLDER)


@pytest.fixture(scope="module")
def drawn() -> ModuleType:
    """The script that draws the preview's hand."""
    spec = importlib.util.spec_from_file_location("sparkle_preview", FOLDER / "make_preview.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def models() -> None:
    need("mediapipe/palm_detection", "mediapipe/hand_landmark")


def play(effect: Effect, frames: list[np.ndarray], threads: int = 1, **values: object) -> list[np.ndarray]:
    return effect_play.play(effect, frames, {"dim": 0.0, **values}, threads, STEP)


def added(shown: np.ndarray, frame: np.ndarray) -> np.ndarray:
    """Where light came in: (h, w), 0 to 255."""
    return (shown.astype(int) - frame).max(2).clip(0)


def scenes(drawn: ModuleType, start: float, count: int) -> list[np.ndarray]:
    return [drawn.scene(start + i / 30) for i in range(count)]


def test_nothing_is_wrong_with_it(effect: Effect) -> None:
    assert validate(effect, registry()) == []
    assert 3 <= len(effect.interface) <= 8 and all(e.doc for e in effect.interface)


@pytest.mark.usefixtures("models")
def test_an_open_hand_rains_from_its_fingertips(effect: Effect, drawn: ModuleType) -> None:
    frames = scenes(drawn, 0.3, 24)
    shown = play(effect, frames)
    light = added(shown[-1], frames[-1]) > 60
    assert 200 < light.sum() < 20_000
    ys, xs = np.nonzero(light)
    assert xs.mean() < 420 and 60 < ys.mean() < 250, "around the hand in the left half"
    assert added(shown[0], frames[0]).max() < 60, "and not before the gesture has been seen"


@pytest.mark.usefixtures("models")
def test_a_finger_writes_and_it_stays(effect: Effect, drawn: ModuleType) -> None:
    frames = scenes(drawn, 2.3, 36)
    shown = play(effect, frames, writing=6.0)
    glow = added(shown[-1], frames[-1])
    ys, xs = np.nonzero(glow > 90)
    assert len(xs) > 300 and np.ptp(xs) > 70, "a line, where the finger has been"
    short = play(effect, frames, writing=0.3)
    assert (added(short[-1], frames[-1]) > 90).sum() < 0.6 * len(xs)


@pytest.mark.usefixtures("models")
def test_a_gesture_that_begins_sets_off_one_burst(effect: Effect, drawn: ModuleType) -> None:
    engine = engine_of(effect)
    events = 0
    try:
        for n, frame in enumerate(scenes(drawn, 4.2, 30)):
            engine.frame(Frame.of(frame), n * STEP, n)
            events += len(engine.value(("n20", "started")))
        assert events == 1 and not engine.failures
        assert len(engine.value(("n20", "showing"))) == 1
    finally:
        engine.close()


@pytest.mark.usefixtures("models")
def test_amount_nought_leaves_the_rain_away(effect: Effect, drawn: ModuleType) -> None:
    frames = scenes(drawn, 0.3, 20)
    few, many = play(effect, frames, amount=0.0), play(effect, frames, amount=2.0)
    assert (added(few[-1], frames[-1]) > 60).sum() < 50 < (added(many[-1], frames[-1]) > 60).sum()


@pytest.mark.usefixtures("models")
def test_a_hand_that_leaves_takes_no_sparks_along(effect: Effect, drawn: ModuleType) -> None:
    """What flies goes on and burns out; then the picture is as it was. And back: it rains again."""
    blank = np.full((400, 640, 3), 60, np.uint8)
    frames = scenes(drawn, 0.3, 16) + [blank] * 70 + scenes(drawn, 0.9, 16)
    shown = play(effect, frames)
    assert added(shown[20], blank).max() > 40
    assert added(shown[85], blank).max() < 6
    assert (added(shown[-1], frames[-1]) > 60).sum() > 100


@pytest.mark.usefixtures("models")
def test_the_same_bytes_twice_and_with_two_threads(effect: Effect, drawn: ModuleType) -> None:
    frames = scenes(drawn, 0.3, 8)
    first, again, wide = (play(effect, frames, threads) for threads in (1, 1, 2))
    for a, b, c in zip(first, again, wide, strict=True):
        assert np.array_equal(a, b) and np.array_equal(a, c)


@pytest.mark.usefixtures("models")
@pytest.mark.parametrize("size", [(1, 1), (3, 2), (7, 640), (480, 640)])
def test_nobody_there_and_odd_sizes(effect: Effect, size: tuple[int, int]) -> None:
    frame = np.full((size[1], size[0], 3), 128, np.uint8)
    shown = play(effect, [frame] * 2)[-1]
    assert shown.shape == frame.shape and np.abs(shown.astype(int) - frame).max() <= 1
