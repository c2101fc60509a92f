"""Real footage: one face stays one track, nothing is seen where nobody is, small faces in a group are found."""

from __future__ import annotations

import itertools
from pathlib import Path

import av
import numpy as np
import pytest

from spellwire.runtime.perception.face import make_state

ONE_FACE = [
    "faces/lp_d20_singing.mp4", "faces/lp_d3_expressions.mp4", "faces/lp_d9_selfie_glasses.mp4",
    "faces/lp_s32_interview.mp4", "faces/mp_docs_selfie_talk.mp4", "faces/pexels_makeup.mp4",
    "faces/tfjs_facemesh_selfie.mp4", "hands/mp_gesture_test.mp4",
]  # fmt: skip
NOBODY = ["scenes/intel_bottles.mp4", "scenes/pexels_room_moving_camera.mp4", "planar/alva_desk_handheld.mp4"]


def frames(path: Path, count: int, step: int = 1) -> list[np.ndarray]:
    with av.open(str(path)) as clip:
        pictures = itertools.islice(clip.decode(video=0), 0, count * step, step)
        return [np.ascontiguousarray(picture.to_ndarray(format="rgb24")) for picture in pictures]


def tracks(tracker, path: Path, count: int, max_faces: int) -> list[set[int]]:
    state = make_state()
    return [
        {face.id for face in tracker("fast").track(image, i * 66_667, state, max_faces=max_faces)}
        for i, image in enumerate(frames(path, count, 2))
    ]


@pytest.mark.parametrize("name", ONE_FACE)
def test_one_face_is_one_track(name, assets, tracker):
    assert tracks(tracker, assets / "video" / name, 25, 2) == [{1}] * 25


def test_no_second_face_is_seen_into_the_hair(assets, tracker):
    """Where this head moves quickly, detector and mesh are both sure of a face that covers half of the true one."""
    state, path = make_state(), assets / "video/faces/lp_d3_expressions.mp4"
    for i, image in enumerate(frames(path, 170)):
        assert len(tracker("fast").track(image, i * 33_333, state, max_faces=4)) == 1, i


@pytest.mark.parametrize("name", NOBODY)
def test_nobody_is_nobody(name, assets, tracker):
    assert tracks(tracker, assets / "video" / name, 25, 4) == [set()] * 25


def test_small_faces_of_a_group(assets, tracker):
    seen = tracks(tracker, assets / "video/people/pexels_gym_group.mp4", 30, 4)
    assert all(seen) and len(seen[-1]) >= 2
