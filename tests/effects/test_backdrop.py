"""The effect `backdrop`, played whole: a portrait before pictures and out of focus, two people, nobody, an upright frame."""

from __future__ import annotations

from typing import Any

import cv2
import effect_play
import numpy as np
import pytest
from effect_play import LIBRARY, need

from spellwire.graph.document import load_effect
from spellwire.graph.effect import Effect
from spellwire.graph.registry import registry
from spellwire.graph.validate import validate

FOLDER = LIBRARY / "backdrop"
NEEDED = ("mediapipe/selfie_segmentation", "mediapipe/selfie_segmentation_landscape")
FACE, WALL = (slice(70, 160), slice(190, 260)), (slice(5, 100), slice(345, 400))


@pytest.fixture(scope="module")
def effect() -> Effect:
    return load_effect(FOLDER)


@pytest.fixture(scope="module")
def models() -> None:
    need(*NEEDED)


def play(effect: Effect, frames: list[np.ndarray], **values: Any) -> np.ndarray:
    """The last frame, as numbers from 0 to 255."""
    return effect_play.play(effect, frames, values)[-1].astype(np.float64)


def scene(name: str, height: int, width: int) -> np.ndarray:
    """The picture as it should lie behind: covering the frame, about its middle."""
    picture = cv2.imread(str(FOLDER / "assets" / f"{name}.jpg"))[..., ::-1].astype(np.float64)
    scale = max(height / picture.shape[0], width / picture.shape[1])
    matrix = np.array([[scale, 0, (width - scale * picture.shape[1]) / 2], [0, scale, (height - scale * picture.shape[0]) / 2]])
    matrix[:, 2] += 0.5 * (scale - 1)
    return cv2.warpAffine(cv2.GaussianBlur(picture, (0, 0), 0.4 / scale), matrix, (width, height), flags=cv2.INTER_LINEAR)


def detail(picture: np.ndarray, where: tuple[slice, slice]) -> float:
    grey = picture[..., 1].astype(np.float64)
    return float(np.abs(grey - cv2.GaussianBlur(grey, (0, 0), 2.0))[where].mean())


def test_nothing_is_wrong_with_it(effect: Effect) -> None:
    assert validate(effect, registry()) == []
    assert all(e.doc for e in effect.interface) and 3 <= len(effect.interface) <= 8


@pytest.mark.usefixtures("models")
@pytest.mark.parametrize(("which", "name"), [(1, "dusk"), (3, "waves")])
def test_a_picture_is_behind_and_the_person_before_it(effect, portrait, which: int, name: str) -> None:
    shown = play(effect, [portrait] * 3, scene=which, tint=0.0, wrap=0.0)
    assert np.abs(shown - scene(name, *portrait.shape[:2]))[WALL].mean() < 5
    assert np.abs(shown - portrait)[FACE].mean() < 4


@pytest.mark.usefixtures("models")
def test_the_new_light_colours_the_person(effect, portrait) -> None:
    plain, tinted = (play(effect, [portrait] * 2, scene=3, tint=t, wrap=0.0) for t in (0.0, 1.0))
    change = np.abs(tinted - plain)
    assert change[FACE].mean() > 4 and change[WALL].mean() < 0.5
    weights = np.array([0.2126, 0.7152, 0.0722])
    assert abs(((tinted - plain)[FACE] @ weights).mean()) < 25


@pytest.mark.usefixtures("models")
def test_out_of_focus_behind_sharp_before(effect, portrait) -> None:
    shown = play(effect, [portrait] * 3, picture=0.0, blur=0.05)
    behind = (slice(100, 250), slice(400, 510))
    assert detail(shown, behind) < 0.3 * detail(portrait, behind)
    assert detail(shown, FACE) > 0.9 * detail(portrait, FACE)
    assert np.abs(shown - portrait)[FACE].mean() < 2


@pytest.mark.usefixtures("models")
def test_no_rim_of_a_bright_wall_is_left_around_hair(effect, portrait) -> None:
    """Above the hair the wall is bright, and the dusk dark: between them brightness only rises into the hair's own."""
    shown = play(effect, [portrait] * 3, scene=1, tint=0.0, wrap=0.0)
    hair = portrait[30:60, 200:240].mean()
    column = shown[:60, 215:230].mean(axis=(1, 2))
    assert column.max() < max(hair, shown[20:60, 215:230].mean(axis=(1, 2)).max()) + 25
    assert column[:8].mean() < 110 < portrait[:8, 215:230].mean()


@pytest.mark.usefixtures("models")
def test_two_people(effect, portrait) -> None:
    half = portrait[:, 80:368]
    both = np.ascontiguousarray(np.concatenate([half, half[:, ::-1]], axis=1))
    shown = play(effect, [both] * 3, scene=2, tint=0.0, wrap=0.0)
    for left in (110, 288 + 288 - 180):
        face = (slice(70, 160), slice(left, left + 70))
        assert np.abs(shown - both)[face].mean() < 8


@pytest.mark.usefixtures("models")
def test_nobody_is_an_empty_room(effect) -> None:
    empty = np.full((288, 512, 3), 120, np.uint8)
    empty[:, :256] = (90, 110, 140)
    shown = play(effect, [empty] * 3, scene=2)
    assert np.abs(shown - scene("room", 288, 512)).mean() < 4
    soft = play(effect, [empty] * 3, picture=0.0)
    assert np.abs(soft - empty)[:, :200].mean() < 3 and np.abs(soft - empty)[:, 312:].mean() < 3


@pytest.mark.usefixtures("models")
def test_a_person_leaves_and_comes_back(effect, portrait) -> None:
    empty = np.full_like(portrait, 120)
    gone = play(effect, [portrait] * 2 + [empty] * 8, scene=2)
    assert np.abs(gone - scene("room", *portrait.shape[:2])).mean() < 5
    back = play(effect, [portrait] * 2 + [empty] * 4 + [portrait] * 3, scene=2, tint=0.0, wrap=0.0)
    assert np.abs(back - portrait)[FACE].mean() < 4


@pytest.mark.usefixtures("models")
def test_an_upright_frame(effect, portrait) -> None:
    upright = cv2.resize(np.ascontiguousarray(portrait[:, 112:328]), (480, 640), interpolation=cv2.INTER_LINEAR)
    shown = play(effect, [upright] * 3, scene=1, tint=0.0, wrap=0.0)
    assert shown.shape == upright.shape
    assert np.abs(shown - upright)[180:340, 190:300].mean() < 5
    assert np.abs(shown - scene("dusk", 640, 480))[10:200, 425:470].mean() < 6
