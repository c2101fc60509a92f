"""The effect `beauty`, played whole: real models on a portrait where they can be had, and scenes without anybody."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from effect_play import LIBRARY, need, play
from shared_assets import ASSETS

from spellwire.graph.document import load_effect
from spellwire.graph.effect import Effect
from spellwire.graph.registry import registry
from spellwire.graph.validate import validate
from spellwire.runtime.media.video_in import VideoSource
from spellwire.runtime.perception.face import MODELS
from spellwire.runtime.perception.topology import GEOMETRY

FOLDER = LIBRARY / "beauty"
# glasses, a hand and a brush before the face, a turned head that moves; the first frame
CLIPS = {"lp_d9_selfie_glasses": 0, "pexels_makeup": 40, "lp_s32_interview": 0}
OFF = {n: 0.0 for n in ("smooth", "tone", "eyes", "teeth", "lips", "eye_size", "slim")}
CHEEK, FOREHEAD = (slice(112, 122), slice(188, 206)), (slice(64, 74), slice(204, 228))
FACE, SUIT = (slice(60, 165), slice(180, 265)), (slice(245, 288), slice(120, 400))


@pytest.fixture(scope="module")
def effect() -> Effect:
    return load_effect(FOLDER)


@pytest.fixture(scope="module")
def models() -> None:
    need(*MODELS["refined"], GEOMETRY)


@pytest.fixture(scope="module")
def portrait(portrait: np.ndarray) -> np.ndarray:
    """The portrait with its skin made uneven."""
    face = portrait.astype(np.float32)
    spots = cv2.GaussianBlur(np.random.default_rng(2).standard_normal(face.shape[:2]).astype(np.float32), (0, 0), 1.5)
    return np.clip(face + 25 * spots[..., None], 0, 255).astype(np.uint8)


def footage(name: str, first: int, count: int = 24) -> list[np.ndarray]:
    path = ASSETS / "video" / "faces" / f"{name}.mp4"
    if not path.exists():
        pytest.skip(f"the shared test assets are not at {ASSETS} (SPELLWIRE_ASSETS)")
    with VideoSource(path) as source:
        pictures = [source.read() for _ in range(first + count)]
    return [np.ascontiguousarray(p.frame.data[..., :3]) for p in pictures[first:] if p is not None]


def rough(picture: np.ndarray, where: tuple[slice, slice]) -> float:
    """Unevenness between pores and shadows: what a band of 1.2 to 5 pixels holds."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return float((cv2.GaussianBlur(grey, (0, 0), 1.2) - cv2.GaussianBlur(grey, (0, 0), 5))[where].std())


def test_nothing_is_wrong_with_it(effect: Effect) -> None:
    assert validate(effect, registry()) == []
    assert 3 <= len(effect.interface) <= 8 and all(e.doc for e in effect.interface)


@pytest.mark.usefixtures("models")
def test_skin_is_evened_and_the_rest_is_not_touched(effect: Effect, portrait: np.ndarray) -> None:
    shown = play(effect, [portrait] * 3, OFF | {"smooth": 1.0, "texture": 0.0})[-1]
    for where in (CHEEK, FOREHEAD):
        assert rough(shown, where) < 0.75 * rough(portrait, where)
    assert np.abs(shown[SUIT].astype(int) - portrait[SUIT]).max() <= 1
    kept = play(effect, [portrait] * 3, OFF | {"smooth": 1.0, "texture": 1.0})[-1]
    fine = [np.abs(cv2.Laplacian(p, cv2.CV_32F)[CHEEK]).mean() for p in (shown, kept, portrait)]
    assert fine[0] < fine[1] < 1.05 * fine[2]


@pytest.mark.usefixtures("models")
def test_all_off_is_the_picture(effect: Effect, portrait: np.ndarray) -> None:
    shown = play(effect, [portrait] * 2, OFF)[-1]
    assert np.abs(shown.astype(int) - portrait).max() <= 1


@pytest.mark.usefixtures("models")
@pytest.mark.parametrize("name", ["tone", "eyes", "teeth", "lips", "eye_size", "slim"])
def test_each_changes_the_face_and_nothing_else(effect: Effect, portrait: np.ndarray, name: str) -> None:
    shown = play(effect, [portrait] * 3, OFF | {name: 1.0})[-1].astype(int)
    change = np.abs(shown - portrait).max(2)
    assert change[FACE].max() > 8
    assert change[:, :90].max() <= 1 and change[:, 350:].max() <= 1 and change[SUIT].max() <= 1
    if name == "lips":
        redder = (shown - portrait)[FACE]
        assert (redder[..., 0] - redder[..., 1]).max() > 10


@pytest.mark.usefixtures("models")
def test_two_faces_and_one_that_goes(effect: Effect, portrait: np.ndarray) -> None:
    """Both are evened; when one has gone, its place is left as it is."""
    both = np.ascontiguousarray(np.hstack([portrait[:, 60:380]] * 2))
    one = both.copy()
    one[:, 320:] = 90
    frames = [both] * 4 + [one] * 8
    shown = play(effect, frames, OFF | {"smooth": 1.0, "texture": 0.0})
    for shift in (-60, 260):
        cheek = (CHEEK[0], slice(CHEEK[1].start + shift, CHEEK[1].stop + shift))
        assert rough(shown[3], cheek) < 0.75 * rough(both, cheek)
    assert np.abs(shown[-1][:, 330:].astype(int) - one[:, 330:]).max() <= 1


@pytest.mark.usefixtures("models")
def test_the_same_bytes_twice_and_with_two_threads(effect: Effect, portrait: np.ndarray) -> None:
    frames = [np.ascontiguousarray(np.roll(portrait, n, axis=1)) for n in range(3)]
    first, again, wide = (play(effect, frames, {}, threads) for threads in (1, 1, 2))
    for a, b, c in zip(first, again, wide, strict=True):
        assert np.array_equal(a, b) and np.array_equal(a, c)


@pytest.mark.usefixtures("models")
@pytest.mark.parametrize("size", [(1, 1), (7, 640), (480, 640)])
def test_nobody_there_and_odd_sizes(effect: Effect, size: tuple[int, int]) -> None:
    frame = np.random.default_rng(1).integers(0, 255, (size[1], size[0], 3), np.uint8)
    shown = play(effect, [frame] * 2, {})[-1]
    assert np.abs(shown.astype(int) - frame).max() <= 1


@pytest.mark.usefixtures("models")
@pytest.mark.parametrize("clip", CLIPS)
def test_on_footage(effect: Effect, clip: str) -> None:
    """The face changes and nothing far from it; outlines stay where and as strong as they were; it is no more restless."""
    frames = footage(clip, CLIPS[clip])
    shown = play(effect, frames, {"eye_size": 0.0, "slim": 0.0})
    before, after = (np.array([cv2.cvtColor(f, cv2.COLOR_RGB2GRAY) for f in fs], np.float32)[8:] for fs in (frames, shown))
    changed = np.abs(after - before).mean(0) > 1
    rows, columns = np.nonzero(cv2.morphologyEx(changed.astype(np.uint8), cv2.MORPH_OPEN, np.ones((5, 5))))
    assert 0.01 < changed.mean() < 0.35 and np.ptp(columns) < 0.7 * before.shape[2] and np.ptp(rows) < 0.9 * before.shape[1]
    restless = [float(np.abs(np.diff(x, 2, axis=0)).mean(0)[changed].mean()) for x in (before, after)]
    assert restless[1] < 1.02 * restless[0], restless
    slopes = [np.hypot(cv2.Sobel(x[-1], cv2.CV_32F, 1, 0), cv2.Sobel(x[-1], cv2.CV_32F, 0, 1)) for x in (before, after)]
    outlines = changed & (slopes[0] > 120)
    assert outlines.any() and slopes[1][outlines].mean() > 0.85 * slopes[0][outlines].mean()
