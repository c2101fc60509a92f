"""Faces bent: what moves and which way, and that nothing else does."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from driven import Driven

from spellwire.nodes.warp import FaceWarp
from spellwire.runtime.frames import Frame
from spellwire.runtime.native import warp
from spellwire.runtime.perception.headframe import Head, HeadFitter, faded

from .conftest import faces

AMOUNTS = ("eyes", "slim", "nose", "mouth", "smile", "chin", "head")


def chart() -> np.ndarray:
    """A picture whose red says its column and whose green its row, as finely as bytes can."""
    y, x = np.mgrid[:180, :320]
    return np.stack([x % 160 * 1.5, y * 1.4, 128 + 0 * x], -1).astype(np.uint8)


@pytest.fixture
def bend(context, topology):
    def bent(*items, picture=None, **amounts):
        return opened(context, chart() if picture is None else picture, *items, **amounts)(0.0).data.copy()

    return bent


def opened(context, picture: np.ndarray, *items, **amounts) -> Driven:
    """The node on a picture, ready to play."""
    driven = Driven(FaceWarp, image=Frame.of(picture), faces=faces(*items), out=Frame.of(np.zeros_like(picture)), **amounts)
    driven.node.open(context)
    return driven


def test_nothing_changes_where_nothing_is_asked(bend, head_at) -> None:
    assert np.array_equal(bend(head_at()), chart())
    assert np.array_equal(bend(eyes=1.0, slim=1.0), chart())


@pytest.mark.parametrize("name", AMOUNTS)
def test_what_is_outside_the_head_stays(bend, head_at, name) -> None:
    """Beyond one and a half face widths from the middle no pixel moves, at either end of any parameter."""
    y, x = np.mgrid[:180, :320] + 0.5
    far = np.hypot(x - 160, y - 90) > 1.5 * 60
    for amount in (-1.0, 1.0):
        shown = bend(head_at(width=60.0), **{name: amount})
        assert np.array_equal(shown[far], chart()[far])
        assert (shown[~far] != chart()[~far]).any()


def spots(*places: tuple[float, float]) -> np.ndarray:
    picture = np.zeros((180, 320, 3), np.uint8)
    for x, y in places:
        cv2.circle(picture, (round(x * 8), round(y * 8)), 16, (255, 255, 255), -1, cv2.LINE_AA, 3)
    return picture


def middle(picture: np.ndarray, near: tuple[float, float], reach: float = 16) -> np.ndarray:
    y, x = np.mgrid[:180, :320]
    weight = picture[..., 0] * (np.hypot(x - near[0], y - near[1]) < reach)
    return np.array(((x * weight).sum(), (y * weight).sum())) / weight.sum()


@pytest.mark.parametrize(
    ("name", "point", "way"),
    [("slim", 172, (1, 0)), ("slim", 397, (-1, 0)), ("smile", 61, (-1, -1)), ("smile", 291, (1, -1)), ("chin", 152, (0, 1)),
     ("head", 10, (0, -1)), ("nose", 98, (-1, 0)), ("mouth", 61, (-1, 0))],
)  # fmt: skip
def test_which_way_it_goes(bend, head_at, name, point, way) -> None:
    """A spot on a landmark moves as the parameter says, and the other way below 0."""
    face = head_at(width=90.0)
    place = tuple(face.landmarks[point, :2])
    picture = spots(place)
    start = middle(picture, place)
    for sign in (1, -1):
        moved = middle(bend(face, picture=picture, **{name: sign * 0.8}), place) - start
        for k in (0, 1):
            if way[k]:
                assert np.sign(moved[k]) == sign * way[k] and 0.5 < abs(moved[k]) < 14, (moved, sign)
            elif not any(way[:k]):
                assert abs(moved[k]) < 0.5


def test_eyes_grow_where_they_are(bend, head_at) -> None:
    face = head_at(width=90.0)
    corners = [tuple(face.landmarks[i, :2]) for i in (33, 133)]
    picture = spots(*corners)
    gap = [np.hypot(*(middle(p, corners[0], 6) - middle(p, corners[1], 6))) for p in (picture, bend(face, picture=picture, eyes=0.6))]
    assert gap[1] > gap[0] + 1.5
    centre = np.mean(corners, axis=0)
    assert np.hypot(*(middle(bend(face, picture=spots(centre), eyes=0.6), centre) - centre)) < 1.0


def test_a_turned_face_is_bent_less_and_a_profile_not_at_all(bend, head_at) -> None:
    def change(yaw: float) -> float:
        return float(np.abs(bend(head_at(width=90.0, yaw=yaw), eyes=0.8).astype(int) - chart()).sum())

    assert change(0) > change(65) > 0 == change(85)


def test_two_faces_and_one_without_a_place(bend, head_at) -> None:
    lost = head_at(number=3)
    lost.landmarks[5] = np.nan
    both = bend(head_at(80), head_at(240, number=2), lost, eyes=0.7)
    for one in (bend(head_at(80), eyes=0.7), bend(head_at(240, number=2), eyes=0.7)):
        changed = (one != chart()).any(-1)
        assert changed.any() and np.abs(both[changed].astype(int) - one[changed]).max() <= 2


def test_it_comes_and_goes_softly(context, topology, head_at) -> None:
    driven = opened(context, chart(), head=0.8)

    def change(time: float, *items) -> float:
        return float(np.abs(driven(time, faces=faces(*items)).data.astype(int) - chart()).mean())

    assert change(0.0) == 0
    came = [change(0.04 * n, head_at()) for n in range(1, 6)]
    assert came == sorted(came) and 0 < came[0] < 0.5 * came[-1] and came[-1] == came[-2]
    went = [change(0.2 + 0.04 * n) for n in range(1, 6)]
    assert went == sorted(went, reverse=True) and went[0] > 0 == went[-1]


def test_the_loop_is_its_python(native) -> None:
    rng = np.random.default_rng(2)
    bumps = rng.uniform(-0.3, 0.3, (5, 12)).astype(np.float32)
    bumps[:, :2] = rng.uniform(0, 24, (5, 2))
    bumps[:, 2:6] += np.float32([0.15, 0, 0, 0.15])
    fields = [np.zeros((20, 24, 2), np.float32) for _ in range(2)]
    native("warp_field")(bumps.ctypes.data, 5, 2.0, fields[0].ctypes.data, 24, 20)
    with np.errstate(all="ignore"):
        warp.warp_field(bumps.ravel(), 5, np.float32(2.0), fields[1].ravel(), 24, 20)
    np.testing.assert_allclose(fields[0], fields[1], atol=2e-5)
    assert np.abs(fields[0]).max() > 0.1


@pytest.mark.parametrize(("yaw", "pitch", "roll"), [(0, 0, 0), (30, -10, 20), (-60, 15, -100), (0, 0, 180)])
def test_a_head_is_found_again(topology, head_at, yaw, pitch, roll) -> None:
    face = head_at(150.0, 70.0, 62.0, yaw=yaw, pitch=pitch, roll=roll)
    head = HeadFitter(topology).fit(face.landmarks)
    assert isinstance(head, Head) and abs(head.width - 62) < 0.01
    np.testing.assert_allclose(head.place(topology.positions) * (1, -1, -1), face.landmarks, atol=0.01)
    assert abs(head.facing - np.cos(np.radians(yaw)) * np.cos(np.radians(pitch))) < 1e-3


def test_no_head_in_rubbish(topology, head_at) -> None:
    fitter = HeadFitter(topology)
    assert fitter.fit(np.zeros((468, 3), np.float32)) is None
    assert fitter.fit(np.zeros((21, 3), np.float32)) is None
    assert fitter.fit(np.full((478, 3), np.inf, np.float32)) is None


def test_tracks_fade() -> None:
    class Item:
        def __init__(self, id):
            self.id = id

    first = faded(None, [Item(1)], 0.0)
    assert first[1].amount == 1.0
    second = faded(first, [Item(2)], 0.05)
    assert 0.6 < second[1].amount < 0.7 and 0.3 < second[2].amount < 0.4
    assert set(faded(second, [Item(2)], 0.2)) == {2}
