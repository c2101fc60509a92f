"""The effect `poster`, played whole over its own poster, seen by a camera whose place is known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from effect_play import LIBRARY, changed, need, play

from spellwire.graph.document import load_effect
from spellwire.graph.effect import Effect
from spellwire.graph.registry import registry
from spellwire.graph.validate import validate
from spellwire.runtime.perception.head_pose import pinhole
from spellwire.runtime.scene.place import transform

FOLDER = LIBRARY / "poster"
SIZE, WIDTH = (640, 360), 0.4


@pytest.fixture(scope="module")
def effect() -> Effect:
    need("mediapipe/face_landmarker/geometry")  # the light is estimated with it
    return load_effect(FOLDER)


def seen(x=0.0, y=0.0, z=-0.7, nod=0.0, shake=0.0, size=SIZE) -> tuple[np.ndarray, np.ndarray]:
    """The poster before a grey wall, and the homography from its widths (x right, y up) to pixels."""
    art = cv2.imread(str(FOLDER / "assets" / "poster.png"))[..., ::-1]
    h, w = art.shape[:2]
    pose = transform((x, y, z), (nod, shake, 0.0), 1.0).astype(float)
    fx, fy, cx, cy = pinhole(*size)
    lens = np.array(((fx, 0, -cx), (0, -fy, -cy), (0, 0, -1.0)))
    to = lens @ np.column_stack((pose[:3, 0] * WIDTH, pose[:3, 1] * WIDTH, pose[:3, 3]))
    lengths = np.array(((1 / w, 0, 0.5 / w - 0.5), (0, -1 / w, (h / 2 - 0.5) / w), (0, 0, 1)))
    grow = np.array(((4, 0, -0.5), (0, 4, -0.5), (0, 0, 1.0)))
    wall = np.full((size[1] * 4, size[0] * 4, 3), 120, np.uint8)
    cv2.warpPerspective(art, grow @ to @ lengths, wall.shape[1::-1], dst=wall, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_TRANSPARENT)
    return cv2.resize(wall, size, interpolation=cv2.INTER_AREA), to


def at(to: np.ndarray, x: float, y: float) -> tuple[int, int]:
    q = to @ (x, y, 1.0)
    return round(q[1] / q[2]), round(q[0] / q[2])


def test_nothing_is_wrong_with_it() -> None:
    found = load_effect(FOLDER)
    assert validate(found, registry()) == []
    assert all(e.doc for e in found.interface) and 3 <= len(found.interface) <= 8


@pytest.mark.parametrize("where", [{}, {"nod": -35.0}, {"shake": 40.0, "x": 0.1}])
def test_its_window_opens_and_the_paper_stays(effect: Effect, where: dict[str, float]) -> None:
    frame, to = seen(**where)
    shown = play(effect, [frame] * 8, opening=0.0)[-1]
    off = changed(shown, frame)
    inside = [off[at(to, 0.25 * np.cos(a), 0.13 + 0.25 * np.sin(a))] for a in np.linspace(0, 6.2, 40)]
    assert np.median(inside) > 30, "another sky in the window"
    title = [off[at(to, x, -0.52)] for x in np.linspace(-0.4, 0.4, 30)]
    assert max(title) < 12, "the paper is the camera's own picture"
    assert off[:20].max() < 3 and off[-20:].max() < 3


def test_depth_behind_the_paper_moves_against_it(effect: Effect) -> None:
    """From the left and from the right, other parts of what is behind are seen: a flat picture would not."""
    patches = []
    for shake in (-30.0, 30.0):
        frame, to = seen(shake=shake, z=-0.6)
        shown = play(effect, [frame] * 6, opening=0.0, speed=0.0)[-1]
        ring = [shown[at(to, 0.2 * np.cos(a), 0.13 + 0.2 * np.sin(a))] for a in np.linspace(0, 6.2, 60)]
        patches.append(np.array(ring, int))
    assert np.abs(patches[0] - patches[1]).mean() > 12


def test_it_springs_open_once_it_is_found(effect: Effect) -> None:
    frame, _ = seen()
    frames = [np.full_like(frame, 120)] * 2 + [frame] * 30
    areas = [(changed(s, f) > 20).sum() for s, f in zip(play(effect, frames), frames, strict=True)]
    first = next(i for i, a in enumerate(areas) if a)
    assert areas[first] < 0.6 * areas[-1] and areas[-1] > 4000 and 2 <= first < 7


def test_without_the_poster_nothing_changes(effect: Effect) -> None:
    for frame in (np.full((90, 160, 3), 90, np.uint8), np.zeros((1, 1, 3), np.uint8), np.zeros((2, 300, 3), np.uint8)):
        assert changed(play(effect, [frame] * 3)[-1], frame).max() <= 1
    gone = np.full_like(seen()[0], 120)
    shown = play(effect, [seen()[0]] * 6 + [gone] * 10, opening=0.0)
    assert changed(shown[5], seen()[0]).max() > 60 and changed(shown[-1], gone).max() <= 1


def test_the_same_bytes_with_two_threads(effect: Effect) -> None:
    frames = [seen(x=0.01 * n, shake=4.0 * n)[0] for n in range(6)]
    for a, b in zip(play(effect, frames), play(effect, frames, threads=2), strict=True):
        np.testing.assert_array_equal(a, b)
