"""The effects `stickers` and `facepaint`, played whole: real models on a portrait, two people, nobody, a singer."""

from __future__ import annotations

import effect_play
import numpy as np
import pytest
from effect_play import LIBRARY, need
from shared_assets import ASSETS

from spellwire.graph.document import load_effect
from spellwire.graph.registry import registry
from spellwire.graph.validate import validate

SINGER = ASSETS / "video" / "faces" / "lp_d20_singing.mp4"
NEEDED = ("mediapipe/face_detection_short", "mediapipe/face_landmark", "mediapipe/iris", "mediapipe/face_landmarker/geometry")
BOTH = ("stickers", "facepaint")


@pytest.fixture(scope="module")
def models() -> None:
    need(*NEEDED)


def play(name: str, frames: list[np.ndarray], threads: int = 1, step: int = 40_000, **values) -> list[np.ndarray]:
    return effect_play.play(load_effect(LIBRARY / name), frames, values, threads, step)


def changed(shown: np.ndarray, frame: np.ndarray) -> np.ndarray:
    return np.abs(shown.astype(int) - frame).max(-1) > 12


@pytest.mark.parametrize("name", BOTH)
def test_nothing_is_wrong_with_it(name: str) -> None:
    effect = load_effect(LIBRARY / name)
    assert validate(effect, registry()) == []
    assert 3 <= len(effect.interface) <= 8 and all(e.doc for e in effect.interface)
    assert (LIBRARY / name / "preview.webp").stat().st_size <= 500_000


@pytest.mark.usefixtures("models")
def test_glasses_on_the_eyes_and_a_hat_on_the_head(portrait) -> None:
    glasses = changed(play("stickers", [portrait] * 3, hat=0.0)[-1], portrait)
    hat = changed(play("stickers", [portrait] * 3, glasses=0.0)[-1], portrait)
    assert glasses[92:108, 195:212].mean() > 0.8 and glasses[92:108, 234:250].mean() > 0.8
    assert not glasses[:70].any() and not glasses[150:].any()
    assert hat[20:55, 200:245].mean() > 0.9 and not hat[130:].any()
    assert not changed(play("stickers", [portrait] * 3, glasses=0.0, hat=0.0)[-1], portrait).any()


@pytest.mark.usefixtures("models")
def test_it_moves_with_the_head_at_once(portrait) -> None:
    """A portrait that stands still, then runs 4 pixels a frame: what is on it stays on it: still within a third
    of a pixel, less than a third of a frame late at the start (smoothing wakes up), then within a pixel."""
    places = np.array([0, 0, 0, 4, 8, 12, 16, 20, 24])
    frames = [np.ascontiguousarray(np.roll(portrait, n, axis=1)) for n in places]
    shown = play("stickers", frames, hat=0.0)
    x = np.arange(portrait.shape[1])
    middles = [(changed(s, f) * x).sum() / changed(s, f).sum() for s, f in zip(shown, frames, strict=True)]
    off = np.abs(np.array(middles) - middles[0] - places)
    assert off[:3].max() < 0.33 and off.max() < 4 / 3 and off[-4:].max() < 0.8


@pytest.mark.usefixtures("models")
@pytest.mark.parametrize("name", BOTH)
def test_two_people_and_one_who_leaves_and_comes_back(portrait, name) -> None:
    two = np.ascontiguousarray(np.hstack([portrait[:, 90:346], portrait[:, 90:346]]))
    one = two.copy()
    one[:, 256:] = 60
    shown = play(name, [two] * 6 + [one] * 8 + [two] * 8, step=100_000)
    assert all(changed(shown[5], two)[:, s].mean() > 0.04 for s in (slice(0, 256), slice(256, 512)))
    assert changed(shown[13], one)[:, :256].mean() > 0.04 and not changed(shown[13], one)[:, 256:].any()
    assert changed(shown[21], two)[:, 256:].mean() > 0.04


@pytest.mark.usefixtures("models")
@pytest.mark.parametrize("name", BOTH)
@pytest.mark.parametrize("size", [(1, 1), (3, 640), (320, 180)])
def test_nobody_there_leaves_the_picture(name, size) -> None:
    frame = np.full((size[1], size[0], 3), 128, np.uint8)
    assert np.array_equal(play(name, [frame] * 2)[-1], frame)


@pytest.mark.usefixtures("models")
@pytest.mark.parametrize("name", BOTH)
def test_the_same_bytes_twice_and_with_two_threads(portrait, name) -> None:
    frames = [np.ascontiguousarray(np.roll(portrait, n, axis=1)) for n in range(3)]
    first, again, wide = play(name, frames), play(name, frames), play(name, frames, threads=2)
    for a, b, c in zip(first, again, wide, strict=True):
        assert np.array_equal(a, b) and np.array_equal(a, c)


@pytest.mark.usefixtures("models")
def test_paint_is_on_the_skin_and_eyes_are_bare(portrait) -> None:
    shown = play("facepaint", [portrait] * 3)[-1]
    orange = shown.astype(int)
    assert (orange[108:122, 195:205] @ (1, 0, -1)).mean() > 1.5 * (portrait[108:122, 195:205].astype(int) @ (1, 0, -1)).mean()
    assert not changed(shown, portrait)[:40].any() and not changed(shown, portrait)[:, :150].any()
    upright = np.ascontiguousarray(np.vstack([portrait[:, 60:380]] + [portrait[-1:, 60:380]] * 140))  # 320×428
    assert changed(play("facepaint", [upright] * 2)[-1], upright).any()


@pytest.mark.usefixtures("models")
@pytest.mark.skipif(not SINGER.exists(), reason=f"{SINGER.name} of the shared test assets is not at {ASSETS} (SPELLWIRE_ASSETS)")
def test_the_bubble_pops_out_when_the_mouth_opens() -> None:
    import av

    with av.open(str(SINGER)) as clip:
        frames = [np.ascontiguousarray(f.to_ndarray(format="rgb24")) for f in clip.decode(video=0)][:90]
    shown = play("stickers", frames, glasses=0.0, hat=0.0)
    sizes = np.array([changed(s, f).sum() for s, f in zip(shown, frames, strict=True)])
    assert sizes.min() < 50 and sizes.max() > 4000  # shut, and open
    grows = np.diff(sizes)
    assert (grows > 0).any() and np.abs(grows).max() < 0.8 * sizes.max()  # it takes its time
