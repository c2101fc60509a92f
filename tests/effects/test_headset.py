"""The effect `headset`, played whole: real models on a portrait where they can be had, and scenes without anybody."""

from __future__ import annotations

import numpy as np
import pytest
from effect_play import LIBRARY, changed, need, play

from spellwire.graph.document import load_effect
from spellwire.graph.effect import Effect
from spellwire.graph.registry import registry
from spellwire.graph.validate import validate
from spellwire.runtime.scene.gltf import read_model

FOLDER = LIBRARY / "headset"
NEEDED = ("mediapipe/face_detection_short", "mediapipe/face_landmark", "mediapipe/face_landmarker/geometry")


@pytest.fixture(scope="module")
def effect() -> Effect:
    need(*NEEDED)
    return load_effect(FOLDER)


def test_nothing_is_wrong_with_it() -> None:
    found = load_effect(FOLDER)
    assert validate(found, registry()) == []
    assert all(e.doc for e in found.interface) and 3 <= len(found.interface) <= 8
    model = read_model(FOLDER / "assets" / "helmet.glb")
    assert sum(len(i.mesh.triangles) for i in model.scene()) < 30_000 and model.size.max() < 0.35


def test_it_sits_on_the_head_and_leaves_the_rest(effect: Effect, portrait: np.ndarray) -> None:
    shown = play(effect, [portrait] * 4)[-1]
    off = changed(shown, portrait)
    ys, xs = np.nonzero(off > 24)
    assert 195 < np.median(xs) < 245 and 70 < np.median(ys) < 140
    assert (off[:, :90] < 3).all() and (off[:, 380:] < 3).all() and (off[240:] < 3).all()
    assert off[30:55, 200:240].mean() > 40, "the shell over hair and forehead"
    assert off[145:158, 212:232].mean() < 12, "the mouth is seen through the opening"


def test_it_stays_on_a_head_that_moves_without_lag(effect: Effect, portrait: np.ndarray) -> None:
    """The head jumps by 6 pixels a frame: where the helmet is changes by the same, in the same frame."""
    steps = [0, 0, 0, 6, 12, 18, 24]
    frames = [np.ascontiguousarray(np.roll(portrait, s, axis=1)) for s in steps]
    middles = []
    for shown, frame in zip(play(effect, frames), frames, strict=True):
        ys, xs = np.nonzero(changed(shown, frame)[:200, 100:400] > 40)
        middles.append((xs.mean(), ys.mean()))
    moved = np.diff(np.array(middles), axis=0)
    np.testing.assert_allclose(moved[2:, 0], 6, atol=1.6)
    assert np.abs(moved[1]).max() < 0.5, "and stands still on a still head"


def test_paint_is_the_paint(effect: Effect, portrait: np.ndarray) -> None:
    red = play(effect, [portrait] * 3, paint=(0.8, 0.05, 0.05, 1.0))[-1]
    crown = red[14:30, 195:235].reshape(-1, 3).mean(0)
    assert crown[0] > 1.5 * crown[1] and crown[0] > 1.5 * crown[2]


def test_the_same_bytes_with_two_threads(effect: Effect, portrait: np.ndarray) -> None:
    frames = [np.ascontiguousarray(np.roll(portrait, 2 * n, axis=1)) for n in range(3)]
    for a, b in zip(play(effect, frames), play(effect, frames, threads=2), strict=True):
        np.testing.assert_array_equal(a, b)


def test_two_heads_and_one_that_leaves(effect: Effect, portrait: np.ndarray) -> None:
    face = portrait[:, 80:380]
    two = np.ascontiguousarray(np.concatenate([face, face], axis=1))
    one = two.copy()
    one[:, 300:] = 100
    shown = play(effect, [two] * 8 + [one] * 12)
    halves = [changed(shown[7], two)[:, part].max() for part in (slice(0, 300), slice(300, 600))]
    assert min(halves) > 100
    assert changed(shown[-1], one)[:, 330:].max() < 3 < 100 < changed(shown[-1], one)[:, :300].max()


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (7, 200), (320, 180)])
def test_nobody_there_changes_nothing(effect: Effect, size: tuple[int, int]) -> None:
    frame = np.full((size[1], size[0], 3), 128, np.uint8)
    shown = play(effect, [frame] * 2)[-1]
    assert shown.shape == frame.shape and changed(shown, frame).max() <= 1
