"""The effect `echo`, played whole: real networks on a portrait where they can be had, and scenes without anybody."""

from __future__ import annotations

import effect_play
import numpy as np
import pytest
from effect_play import LIBRARY, need

from spellwire.graph.document import load_effect
from spellwire.graph.effect import Effect
from spellwire.graph.registry import registry
from spellwire.graph.validate import validate

FOLDER = LIBRARY / "echo"
STEP = 33_333


@pytest.fixture(scope="module")
def effect() -> Effect:
    return load_effect(FOLDER)


@pytest.fixture(scope="module")
def models() -> None:
    need("mediapipe/pose_detection", "mediapipe/pose_landmark")


@pytest.fixture(scope="module")
def walk(astronaut: np.ndarray) -> list[np.ndarray]:
    """A public-domain portrait that moves to the right over a grey wall, 12 pixels a frame."""
    person = astronaut[:400, 60:360]
    frames = []
    for i in range(14):
        frame = np.full((400, 640, 3), 70, np.uint8)
        frame[:, 20 + 12 * i : 320 + 12 * i] = person
        frames.append(frame)
    return frames


def play(effect: Effect, frames: list[np.ndarray], threads: int = 1, **values: object) -> list[np.ndarray]:
    return effect_play.play(effect, frames, values, threads, STEP)


STILL = {"drift": (1.0, 1.0), "rise": (0.0, 0.0), "dim": 0.0}


def test_nothing_is_wrong_with_it(effect: Effect) -> None:
    assert validate(effect, registry()) == []
    assert 3 <= len(effect.interface) <= 8 and all(e.doc for e in effect.interface)


@pytest.mark.usefixtures("models")
def test_trails_stay_behind_and_not_ahead(effect: Effect, walk: list[np.ndarray]) -> None:
    shown = play(effect, walk, **STILL)[-1]
    light = np.abs(shown.astype(int) - walk[-1]).max(2)
    behind, ahead = light[100:380, 60:170], light[:, 560:]
    assert behind.mean() > 4 * max(ahead.mean(), 0.5) and behind.max() > 60


@pytest.mark.usefixtures("models")
def test_whoever_dances_stands_before_the_trails(effect: Effect, walk: list[np.ndarray]) -> None:
    shown = play(effect, walk)[-1]
    face = (slice(90, 180), slice(20 + 12 * 13 + 140, 20 + 12 * 13 + 185))
    assert np.abs(shown[face].astype(int) - walk[-1][face]).mean() < 6
    wall = (slice(300, 390), slice(580, 630))
    assert shown[wall].mean() < 0.6 * walk[-1][wall].mean(), "and the room is dark"


@pytest.mark.usefixtures("models")
def test_length_nought_leaves_no_trail(effect: Effect, walk: list[np.ndarray]) -> None:
    long, none = play(effect, walk, length=0.97, **STILL)[-1], play(effect, walk, length=0.0, **STILL)[-1]
    wall = (slice(100, 380), slice(30, 130))
    light = [np.abs(shown[wall].astype(int) - walk[-1][wall]).mean() for shown in (long, none)]
    assert light[0] > 4 and light[1] < 0.25 * light[0]


@pytest.mark.usefixtures("models")
def test_trails_fade_when_nobody_is_left(effect: Effect, walk: list[np.ndarray]) -> None:
    blank = np.full_like(walk[0], 70)
    shown = play(effect, [*walk[:8], *[blank] * 80], length=0.85, **STILL)
    left = [np.abs(s.astype(int) - blank).mean() for s in (shown[9], shown[-1])]
    assert left[0] > 2 and left[1] < 0.2


@pytest.mark.usefixtures("models")
def test_the_same_bytes_twice_and_with_two_threads(effect: Effect, walk: list[np.ndarray]) -> None:
    first, again, wide = (play(effect, walk[:5], threads) for threads in (1, 1, 2))
    for a, b, c in zip(first, again, wide, strict=True):
        assert np.array_equal(a, b) and np.array_equal(a, c)


@pytest.mark.usefixtures("models")
@pytest.mark.parametrize("size", [(1, 1), (3, 2), (7, 640), (480, 640)])
def test_nobody_there_and_odd_sizes(effect: Effect, size: tuple[int, int]) -> None:
    """Without anybody the room is dimmed, evenly, and nothing trails."""
    frame = np.full((size[1], size[0], 3), 128, np.uint8)
    shown = play(effect, [frame] * 3, dim=-1.0)[-1]
    assert shown.shape == frame.shape and 40 < shown.mean() < 110 and np.ptp(shown) <= 2
