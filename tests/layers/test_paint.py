"""Paint on faces: it sticks to the skin, leaves eyes and mouth bare, and is as light on dark skin."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from driven import Driven

from spellwire.nodes.paint import EYES, MOUTH, SKIN, FacePaint
from spellwire.runtime.frames import Frame

from .conftest import faces


@pytest.fixture
def texture(tmp_path):
    """Red says how far right, green how far down in the face's own layout."""
    y, x = np.mgrid[:256, :256]
    bgr = np.stack([0 * x + 128, y, x], -1).astype(np.uint8)
    cv2.imwrite(str(tmp_path / "t.png"), bgr)
    return tmp_path / "t.png"


@pytest.fixture
def paint(context, topology, texture):
    def opened(**given) -> Driven:
        driven = Driven(FacePaint, **({"picture": texture, "feather": 0.0, "skin": None} | given))
        driven.node.open(context)
        return driven

    return opened


def at(frame: Frame, x: float, y: float) -> np.ndarray:
    scale, _, left, _, _, top = frame.geometry.to_frame
    return frame.data[int((y - top) / scale), int((x - left) / scale)]


@pytest.mark.parametrize("yaw", [0, 25, -25])
def test_it_sticks_to_the_skin(paint, head_at, topology, yaw) -> None:
    """At each landmark that we see, the texture is the one of that landmark."""
    face = head_at(160, 90, 120, yaw=yaw)
    frame = paint(faces=faces(face))(0.0)
    for i in (4, 9, 151, 18, *((50, 280, 205, 425) if not yaw else ())):
        u, v = topology.uv[i]
        got = at(frame, *face.landmarks[i, :2])
        assert got[3] > (0.97 if not yaw else 0.6) and got[0] / got[3] == pytest.approx(u, abs=0.025)
        assert got[1] / got[3] == pytest.approx(v, abs=0.025)


def test_eyes_and_mouth_stay_bare(paint, head_at) -> None:
    face = head_at(160, 90, 150)
    spots = [face.landmarks[list(ring), :2].mean(0) for ring in (EYES[:16], EYES[16:], MOUTH)]
    bare, whole = (paint(faces=faces(face), eyes=b, mouth=b)(0.0) for b in (True, False))
    for x, y in spots:
        assert at(bare, x, y)[3] < 0.05 and at(whole, x, y)[3] > 0.9
    assert at(bare, *face.landmarks[50, :2])[3] > 0.9


def test_the_outline_fades_and_what_turns_away_is_bare(paint, head_at) -> None:
    face = head_at(160, 90, 150)
    hard, soft = (paint(faces=faces(face), feather=f)(0.0).data[..., 3].sum() for f in (0.0, 0.3))
    assert soft < 0.85 * hard
    turned = head_at(160, 90, 150, yaw=60)
    frame = paint(faces=faces(turned))(0.0)
    seen = frame.data[..., 3] > 0.5
    assert seen.sum() < 0.85 * (paint(faces=faces(face))(0.0).data[..., 3] > 0.5).sum()
    assert np.isfinite(frame.data).all() and frame.data[..., 3].max() < 1.001


def test_dark_skin_gets_lighter_paint(paint, head_at) -> None:
    face = head_at(160, 90, 120)

    def gain(level: int) -> float:
        skin = Frame.of(np.full((180, 320, 3), level, np.uint8))
        return float(at(paint(faces=faces(face), skin=skin)(0.0), *face.landmarks[4, :2])[0])

    middle = gain(round(SKIN * 255))
    assert gain(70) / middle == pytest.approx(SKIN * 255 / 70, rel=0.03) and gain(210) < middle


def test_measured_brightness_follows_slowly(paint, head_at) -> None:
    face = head_at(160, 90, 120)
    driven = paint(faces=faces(face), skin=Frame.of(np.full((180, 320, 3), 140, np.uint8)))
    driven(0.0)
    dark = Frame.of(np.full((180, 320, 3), 70, np.uint8))
    values = [float(at(driven(0.033 * n, skin=dark), *face.landmarks[4, :2])[0]) for n in range(1, 40)]
    assert values[0] < 1.15 * values[0] and values == sorted(values) and values[-1] > 1.8 * values[0]


def test_two_faces_nobody_and_nothing_to_paint(paint, head_at) -> None:
    pair = head_at(80, 90, 60, number=1), head_at(240, 90, 60, number=2)
    frame = paint(faces=faces(*pair))(0.0)
    assert all(at(frame, *f.landmarks[4, :2])[3] > 0.95 for f in pair)
    lost = head_at()
    lost.landmarks[0] = np.nan
    for given in ({"faces": faces()}, {"faces": faces(lost)}, {"faces": faces(pair[0]), "picture": None}):
        assert not paint(**given)(0.0).data.any()
