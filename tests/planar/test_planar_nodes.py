"""The nodes for planes: markers out of files, planes put by a touch, pictures that lie on them, and the light of a frame."""

from __future__ import annotations

import ctypes
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from spellwire.graph.errors import SourceError
from spellwire.nodes import planar as nodes
from spellwire.runtime.frames import Frame, Tick
from spellwire.runtime.kernels.cache import Cache
from spellwire.runtime.kernels.link import link
from spellwire.runtime.kernels.targets import host_target
from spellwire.runtime.native.emit import objects
from spellwire.runtime.native.loops import bind
from spellwire.runtime.perception.light import LightEstimator, LightState
from spellwire.runtime.scene.values import PlaneValue
from spellwire.runtime.values import Event

from .conftest import CAMERA, SIZE, WIDTH, homography, pose_of, seen

ASPECT = 300 / 420


def tick(n: int = 0) -> Tick:
    return Tick(time=n * 33_333, delta=0.0333 if n else 0.0, index=n, width=SIZE[0], height=SIZE[1])


@pytest.fixture
def marker(picture, tmp_path):
    path = tmp_path / "poster.png"
    cv2.imwrite(str(path), picture[..., ::-1])
    return path


def opened(cls, **more):
    node = cls()
    node.open(SimpleNamespace(working_space="srgb", **more))
    return node


def test_a_marker_gives_plane_pose_and_corners(picture, marker):
    node, state, pose = opened(nodes.MarkerPlane), SimpleNamespace(tracked=None), pose_of(0.04, 0.02, -0.6, -20, 25, 10)
    for n in range(6):
        plane, found, corners, seen_now, score = node.process(
            Frame.of(seen(picture, pose)), CAMERA, marker, WIDTH, 0.5, tick(n), state
        )
    assert seen_now and score > 0.4
    np.testing.assert_allclose(found, pose, atol=0.02)
    assert plane.size == pytest.approx((WIDTH, WIDTH * ASPECT)) and corners.shape == (4, 2)
    nothing = node.process(Frame.of(np.zeros((360, 640, 3), np.uint8)), CAMERA, marker, WIDTH, 0.5, tick(9), SimpleNamespace(tracked=None))
    assert nothing[:2] == (None, None) and nothing[2].shape == (0, 2) and nothing[3:] == (False, 0.0)


def test_a_bad_marker_is_said_and_not_read_again(tmp_path, monkeypatch):
    flat = tmp_path / "flat.png"
    cv2.imwrite(str(flat), np.full((90, 120, 3), 200, np.uint8))
    node, made, real = opened(nodes.MarkerPlane), [], nodes._tracker_of
    monkeypatch.setattr(nodes, "_tracker_of", lambda path: made.append(path) or real(path))
    frame = Frame.of(np.zeros((36, 64, 3), np.uint8))
    for _ in range(3):
        with pytest.raises(SourceError, match=r"flat\.png can't be a marker"):
            node.process(frame, None, flat, WIDTH, 0.5, tick(), SimpleNamespace(tracked=None))
    assert len(made) == 1
    with pytest.raises(SourceError, match="no picture to look for"):
        node.process(frame, None, None, WIDTH, 0.5, tick(), SimpleNamespace(tracked=None))
    with pytest.raises(SourceError):
        node.process(frame, None, tmp_path / "gone.png", WIDTH, 0.5, tick(), SimpleNamespace(tracked=None))


PLACE = {"size": 0.3, "width": 0.2, "tilt": 0.0, "smoothing": 0.0}


def test_a_touch_puts_a_plane_that_stays_on_what_it_lies(picture):
    """The touched piece of a wall facing the camera; then the camera moves sideways: the plane moves as the wall does."""
    node, state = opened(nodes.TouchedPlane), SimpleNamespace(tracked=None)
    touch = Event("touch", 0)
    touch = SimpleNamespace(name="touch", time=0, value=1.0, x=0.1, y=-0.05)
    first = None
    for n in range(8):
        frame = Frame.of(seen(picture, pose_of(0.01 * n, 0, -0.4)))
        plane, pose, corners, found, _ = node.process(
            frame, CAMERA, (touch,) if n == 1 else (), **PLACE, at_start=False, tick=tick(n), state=state
        )
        if n == 0:
            assert not found and plane is None
        if n == 1:
            first = corners.mean(0)
            np.testing.assert_allclose(first, (320 + 36, 180 - 18), atol=1.5)
            np.testing.assert_allclose(np.ptp(corners, axis=0), (108, 108), atol=2)
    moved = corners.mean(0) - first
    np.testing.assert_allclose(moved, (6 * 0.01 / 0.4 * CAMERA[0], 0), atol=1.0)
    assert abs(pose[2, 2]) > 0.98, "it faces the camera still"


def test_nothing_is_put_where_nothing_holds(picture):
    node, state = opened(nodes.TouchedPlane), SimpleNamespace(tracked=None)
    wall = Frame.of(np.full((360, 640, 3), 140, np.uint8))
    assert node.process(wall, CAMERA, (), **PLACE, at_start=True, tick=tick(), state=state)[3] is False
    found = node.process(Frame.of(seen(picture, pose_of(0, 0, -0.4))), CAMERA, (), **{**PLACE, "tilt": 40.0}, at_start=True, tick=tick(1), state=SimpleNamespace(tracked=None))
    assert found[3] is True
    assert np.degrees(np.arccos(found[1][2, 2])) == pytest.approx(40, abs=4) and found[1][1, 2] > 0, "it leans back, its face up"


@pytest.fixture(scope="session")
def draw(tmp_path_factory):
    folder = tmp_path_factory.mktemp("loops")
    (data,) = objects(("draw_triangles",), Cache(), host_target())
    (folder / "loop.o").write_bytes(data)
    link(host_target(), [folder / "loop.o"], folder / "loops.so")
    library = ctypes.CDLL(str(folder / "loops.so"))
    return lambda name: bind(library, name)


def lying(pose) -> PlaneValue:
    return PlaneValue(pose.astype(np.float32), (WIDTH, WIDTH * ASPECT), np.zeros((4, 2), np.float32), 1.0, homography(pose))


GIVEN = {"camera": CAMERA, "size": 1.0, "x": 0.0, "y": 0.0, "height": 0.0, "rotate": 0.0, "opacity": 1.0}


def test_a_picture_lies_on_the_plane_in_perspective(draw, marker, picture):
    node, pose = opened(nodes.PlanePicture, native=draw), pose_of(0.05, 0.03, -0.5, -30, 30, 10)
    layer = node.process(lying(pose), None, **{**GIVEN, "picture": marker}, tick=tick(), state=SimpleNamespace(scale=0))
    expected = seen(picture, pose).astype(float)
    x, y = int(layer.geometry.to_frame[2]), int(layer.geometry.to_frame[5])
    inside = cv2.erode((layer.data[..., 3] > 0.999).astype(np.uint8), np.ones((3, 3)))
    off = np.abs(layer.data[..., :3] * 255 - expected[y : y + layer.height, x : x + layer.width])[inside > 0]
    assert inside.sum() > 5000 and off.mean() < 6.0
    soft = (layer.data[..., 3] > 0.02) & (layer.data[..., 3] < 0.98)
    assert 0.2 < soft.sum() / (2 * sum(layer.data.shape[:2])) < 3, "one soft pixel along its edge"
    assert layer.data[0].max() == layer.data[:, -1].max() == 0


def test_it_floats_and_fades_and_is_gone_without_a_plane(draw, marker):
    node, pose = opened(nodes.PlanePicture, native=draw), pose_of(0, 0, -0.5)
    state = SimpleNamespace(scale=0)

    def box(**more):
        layer = node.process(lying(pose), None, **{**GIVEN, "picture": marker, **more}, tick=tick(), state=state)
        return layer.data[..., 3].sum(), layer.data[..., 3].max()

    flat, high = box(), box(height=0.4)
    assert high[0] == pytest.approx(flat[0] * (0.5 / (0.5 - 0.4 * WIDTH)) ** 2, rel=0.03), "nearer is larger"
    assert box(opacity=0.25)[1] == pytest.approx(0.25, abs=1e-3)
    assert box(size=0.5)[0] == pytest.approx(flat[0] / 4, rel=0.03)
    for plane, more in ((None, {}), (lying(pose), {"picture": None}), (lying(pose), {"height": 5.0}), (lying(pose * np.nan), {})):
        layer = node.process(plane, None, **{**GIVEN, "picture": marker, **more}, tick=tick(), state=state)
        assert layer.data.max() == 0


def ball(towards, tint=(1.0, 1.0, 1.0)):
    """A lit dome of a face and where its 468 points are seen."""
    u, v = np.meshgrid(np.linspace(-0.8, 0.8, 18), np.linspace(-0.8, 0.8, 26))
    points = np.stack([160 + 60 * u, 90 + 70 * v, -60 * np.sqrt(np.maximum(1.7 - u * u - v * v, 0))], -1).reshape(-1, 3).astype(np.float32)
    y, x = np.mgrid[:180, :320].astype(float)
    nx, ny = (x - 160) / 78, -(y - 90) / 91
    n = np.stack([nx, ny, np.sqrt(np.clip(1 - nx**2 - ny**2, 0.02, 1))], -1)
    light = 0.25 + 0.6 * np.clip(n @ np.array(towards), 0, 1)
    rgb = np.clip((light[..., None] * 0.5 * np.array(tint)) ** (1 / 2.2), 0, 1)
    cells = np.arange(17 * 25)
    a = cells // 17 * 18 + cells % 17
    triangles = np.concatenate([np.stack((a, a + 18, a + 19), -1), np.stack((a, a + 19, a + 1), -1)]).astype(np.int32)
    return (rgb * 255).astype(np.uint8), points, triangles


@pytest.mark.parametrize("towards", [(0.8, 0.2, 0.56), (-0.8, 0.2, 0.56), (0.1, 0.85, 0.52)])
def test_the_light_is_seen_on_the_face(towards):
    picture, points, triangles = ball(towards)
    state = LightState()
    LightEstimator(triangles)(picture, points, state, 1.0)
    way = state.way / np.linalg.norm(state.way)
    assert np.degrees(np.arccos(np.clip(way @ towards, -1, 1))) < 25
    assert 0.2 < np.linalg.norm(state.way) <= 1


def test_light_has_a_colour_moves_slowly_and_survives_rubbish():
    picture, points, triangles = ball((0.8, 0.2, 0.56), (1.0, 0.6, 0.3))
    estimator, state = LightEstimator(triangles), LightState()
    estimator(picture, points, state, 1.0)
    assert state.colour[0] > 1.3 * state.colour[1] > 1.3 * state.colour[2]
    before = state.way.copy()
    estimator(ball((-0.8, 0.2, 0.56))[0], points, state, 0.1)
    assert 0 < np.linalg.norm(state.way - before) < 0.25
    for landmarks in (points * np.nan, points[:100], points - 5000, None):
        estimator(picture, landmarks, state, 0.5)
    for size in ((1, 1), (2, 700), (300, 3)):
        estimator(np.zeros((*size, 3), np.uint8), None, state, 0.5)
    assert np.isfinite(state.way).all() and np.isfinite(state.colour).all()
