"""Gaze: exact on eyes made by its own model of them, seen by a camera; held through blinks; sound on a portrait."""

from __future__ import annotations

from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from spellwire.graph.errors import NodeError
from spellwire.nodes.face import Blendshape, Gaze
from spellwire.runtime.perception.blendshapes import BLENDSHAPES
from spellwire.runtime.perception.face import MODELS, make_state
from spellwire.runtime.perception.gaze import CENTRE, EYES, OPEN, RADIUS, eye_openness, gaze_of
from spellwire.runtime.perception.head_pose import HeadPose, pinhole, project_points
from spellwire.runtime.perception.head_pose import make_state as make_poses
from spellwire.runtime.values import FaceItem

CAMERA = pinhole(1280, 720)
WIDE = 0.013  # half an eye's width, m


def turned(yaw: float, pitch: float, roll: float, *place: float) -> np.ndarray:
    """A head's pose by its angles in degrees, 0.6 m away unless said otherwise."""
    pose = np.eye(4)
    for angle, axis in ((yaw, (0, 1, 0)), (pitch, (-1, 0, 0)), (roll, (0, 0, -1))):
        pose[:3, :3] = pose[:3, :3] @ cv2.Rodrigues(np.radians(angle) * np.array(axis, float))[0]
    pose[:3, 3] = place or (0, 0, -0.6)
    return pose


def looking(pose: np.ndarray, look: np.ndarray, opened: float = 0.3) -> FaceItem:
    """A face whose eyes are spheres behind their corners and look that way (camera space, unit)."""
    points = np.zeros((478, 3), np.float32)
    for (outer, inner, upper, lower, iris), side in zip(EYES, (-1, 1), strict=True):
        middle = np.array([side * 0.0315, 0.026, 0.034])
        lid = np.array([0, opened * WIDE, 0])
        for index, place in (
            (outer, middle + [side * WIDE, 0, 0]), (inner, middle - [side * WIDE, 0, 0]),
            (upper, middle + lid), (lower, middle - lid),
            (iris, middle + CENTRE + RADIUS * (pose[:3, :3].T @ look)),
        ):  # fmt: skip
            points[index, :2] = project_points(place[None], pose, CAMERA)[0]
    return FaceItem(1, points, pose=pose.astype(np.float32), camera=CAMERA)


@pytest.mark.parametrize("head", [(0, 0, 0), (25, 0, 0), (-20, 15, 10)])
@pytest.mark.parametrize("to", [(0, 0), (20, 0), (-15, 10), (5, -25)])
def test_exact_on_its_own_eyes(head, to):
    right, up = np.radians(to)
    look = np.array([np.sin(right) * np.cos(up), np.sin(up), np.cos(right) * np.cos(up)])
    face = looking(turned(*head, 0.1, -0.05, -0.6), look)
    found = gaze_of(face)
    assert found is not None and found.shape == (2, 3) and found.dtype == np.float32
    assert np.degrees(np.arccos(np.clip(found @ look, -1, 1))).max() < 2.0


def test_node_holds_a_look_through_a_blink():
    pose, node, state = turned(10, 0, 0), Gaze(), SimpleNamespace(look=None)
    ahead, aside = np.array([0.0, 0.0, 1.0]), np.array([0.5, 0.0, 0.75**0.5])
    given = []
    for look, opened in ((ahead, 0.3), (aside, 0.02), (aside, 0.3)):
        face = looking(pose, look, opened)
        face.gaze = gaze_of(face)
        assert (eye_openness(face.landmarks) > OPEN).all() == (opened == 0.3)
        given.append(node.process(face, state))
    (first, turn, off), shut, last = given
    assert np.allclose(first, ahead, atol=0.03) and off < 3 and turn == pytest.approx((-10, 0), abs=2)
    assert shut == given[0] and last[2] == pytest.approx(30, abs=3)
    assert node.process(None, state) == ((0, 0, 0), (0, 0), 180)


def test_blendshape_by_name():
    weights = np.linspace(0, 1, 52, dtype=np.float32)
    face = FaceItem(1, np.zeros((478, 3), np.float32), blendshapes=weights)
    assert Blendshape().process(face, "mouthSmileLeft") == weights[BLENDSHAPES.index("mouthSmileLeft")]
    assert Blendshape().process(None, "jawOpen") == 0


def test_what_is_missing_is_said():
    face = FaceItem(1, np.zeros((468, 3), np.float32), pose=np.eye(4, dtype=np.float32), camera=CAMERA)
    assert gaze_of(face) is None
    with pytest.raises(NodeError, match="iris"):
        Gaze().process(face, SimpleNamespace(look=None))
    with pytest.raises(NodeError, match="variant to full"):
        Blendshape().process(face, "jawOpen")


def test_she_looks_into_the_camera(tracker, load, portrait):
    """And smiles, with her eyes open."""
    load(MODELS["full"][1])
    faces = tracker("full").track(portrait, 0, make_state())
    HeadPose().give(faces, pinhole(512, 512), make_poses(), 0.0)
    faces[0].gaze = gaze_of(faces[0])
    _, _, off = Gaze().process(faces[0], SimpleNamespace(look=None))
    assert off < 15
    smile, jaw, blink = (Blendshape().process(faces[0], n) for n in ("mouthSmileLeft", "jawOpen", "eyeBlinkLeft"))
    assert smile > 0.5 and jaw < 0.4 and blink < 0.4
