"""Tracked faces, on a portrait that everybody may use, on the shared ground truth, and against MediaPipe."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from spellwire.runtime.perception.face import FORGET_AFTER, make_state

VARIANTS = ["fast", "refined", "full"]
STEP = 33_333
LEFT, RIGHT = 33, 263

# 17–67 of the 68 points of iBUG (brows, nose, eyes, mouth) → the mesh
MESH_OF_IBUG = np.array([
    71, 63, 105, 66, 107, 336, 296, 334, 293, 301, 168, 197, 5, 4, 75, 97, 2, 326, 305, 33, 160, 158, 133, 153, 144,
    362, 385, 387, 263, 373, 380, 61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181, 78, 82, 13, 312, 308, 317, 14, 87,
])  # fmt: skip


def eyes(landmarks: np.ndarray) -> float:
    return float(np.linalg.norm(landmarks[LEFT, :2] - landmarks[RIGHT, :2]))


def apart(a: np.ndarray, b: np.ndarray) -> float:
    """Mean distance, in distances of the eyes."""
    return float(np.linalg.norm(a[:, :2] - b[:, :2], axis=1).mean() / eyes(b))


@pytest.fixture
def two(portrait):
    """The portrait and its mirror image, side by side."""
    return np.ascontiguousarray(np.hstack([portrait, portrait[:, ::-1]]))


@pytest.mark.parametrize("variant", VARIANTS)
def test_one_face_is_found_where_it_is(variant, portrait, tracker):
    (face,) = tracker(variant).track(portrait, 0, make_state(), max_faces=4)
    assert face.id == 1 and face.score > 0.9
    assert face.landmarks.shape == (468 if variant == "fast" else 478, 3) and face.landmarks.dtype == np.float32
    left, top = face.landmarks[:, :2].min(0)
    right, bottom = face.landmarks[:, :2].max(0)
    assert 160 < left < right < 290 and 60 < top < bottom < 220
    x, y = face.landmarks[1, :2]  # the tip of the nose
    assert abs(x - 225) < 15 and abs(y - 135) < 20
    assert face.landmarks[1, 2] < face.landmarks[234, 2]  # nearer than the ear
    assert (face.blendshapes is None) == (variant != "full")


def test_variants_agree(portrait, tracker):
    found = {v: tracker(v).track(portrait, 0, make_state())[0].landmarks for v in VARIANTS}
    assert apart(found["refined"][:468], found["fast"]) < 0.05
    assert apart(found["full"][:468], found["fast"]) < 0.08
    irises = found["refined"][[468, 473], :2] - found["full"][[468, 473], :2]
    assert np.linalg.norm(irises, axis=1).max() < 0.05 * eyes(found["full"])


def test_a_smile_smiles(portrait, tracker):
    from spellwire.runtime.perception.blendshapes import BLENDSHAPES

    (face,) = tracker("full").track(portrait, 0, make_state())
    weight = dict(zip(BLENDSHAPES, face.blendshapes, strict=True))
    assert weight["mouthSmileLeft"] > 0.5 and weight["mouthSmileRight"] > 0.5
    assert weight["eyeBlinkLeft"] < 0.4 and weight["mouthPucker"] < 0.2
    assert (face.blendshapes >= 0).all() and (face.blendshapes <= 1).all()


@pytest.mark.parametrize("angle", [-40, 25])
def test_landmarks_turn_with_the_head(angle, portrait, tracker):
    (straight,) = tracker("fast").track(portrait, 0, make_state())
    turn = cv2.getRotationMatrix2D((225.0, 135.0), -angle, 1.0)
    (turned,) = tracker("fast").track(cv2.warpAffine(portrait, turn, (512, 512)), 0, make_state())
    wanted = straight.landmarks[:, :2] @ turn[:, :2].T + turn[:, 2]
    assert apart(turned.landmarks, wanted) < 0.04


@pytest.mark.parametrize("scale", [0.75, 2, 5.5])
def test_landmarks_grow_with_the_picture(scale, portrait, tracker):
    """Also where the crop is much larger than the network's input, and is halved first."""
    (small,) = tracker("fast").track(portrait, 0, make_state())
    size = round(512 * scale)
    large = cv2.resize(portrait, (size, size), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    (found,) = tracker("fast").track(large, 0, make_state())
    assert apart(found.landmarks, small.landmarks * size / 512) < 0.03


def test_no_face_is_an_empty_tuple(tracker):
    noise = np.random.default_rng(0).integers(0, 255, (240, 320, 3), np.uint8)
    for image in (np.zeros((240, 320, 3), np.uint8), noise):
        assert tracker("fast").track(image, 0, make_state(), max_faces=4) == ()


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (3, 2), (127, 129), (4320, 7680)])
@pytest.mark.parametrize("variant", ["fast", "refined"])
def test_odd_sizes(shape, variant, tracker):
    image = np.random.default_rng(1).integers(0, 255, (1, 1, 3), np.uint8)
    image = np.ascontiguousarray(np.broadcast_to(image, (*shape, 3)))
    state = make_state()
    for i in range(2):
        assert tracker(variant).track(image, i * STEP, state, max_faces=2) == ()


def test_a_tracked_face_survives_a_tiny_picture(portrait, tracker):
    state = make_state()
    assert tracker("fast").track(portrait, 0, state)
    tracker("fast").track(np.zeros((2, 2, 3), np.uint8), STEP, state)  # another size: all is forgotten, nothing breaks
    assert tracker("fast").track(portrait, 2 * STEP, state)


def test_two_faces_keep_their_ids(two, tracker):
    """They move, one leaves for a while and comes back in time."""
    state, seen = make_state(), []
    for i in range(40):
        image = np.roll(two, 3 * i, axis=0)
        if 15 <= i < 25:
            image[:, 512:] = 90
        seen.append({f.id: f.landmarks[1, 0] for f in tracker("fast").track(image, i * STEP, state, max_faces=2)})
    assert set(seen[0]) == {1, 2}
    left, right = (1, 2) if seen[0][1] < seen[0][2] else (2, 1)
    for i, faces in enumerate(seen):
        assert left in faces and faces[left] < 512
        assert set(faces) == ({left} if 15 <= i < 25 else {1, 2}), f"frame {i}"


def test_a_small_face_in_a_wide_picture_is_found(portrait, tracker):
    """Too small for one look at the whole; not there in the first frame, when all windows are searched."""
    wide = np.full((720, 1280, 3), 110, np.uint8)
    state, seen = make_state(), []
    for i in range(22):
        seen.append(tracker("fast").track(wide, i * STEP, state))
        wide[300:600, 900:1200] = cv2.resize(portrait, (300, 300), interpolation=cv2.INTER_AREA)
    assert seen[0] == () and len(seen[-1]) == 1
    assert 1010 < seen[-1][0].landmarks[1, 0] < 1050


def test_an_id_is_given_up_after_a_second(portrait, tracker):
    state, blank = make_state(), np.full_like(portrait, 90)
    (first,) = tracker("fast").track(portrait, 0, state)
    for i in range(1, 33):
        assert tracker("fast").track(blank, i * STEP, state) == ()
    (later,) = tracker("fast").track(portrait, FORGET_AFTER + 3 * STEP, state)
    assert later.id != first.id


def test_of_two_tracks_on_one_face_the_older_stays(portrait, tracker):
    state = make_state()
    (face,) = tracker("fast").track(portrait, 0, state, max_faces=2)
    row = int(np.flatnonzero(state["live"])[0])
    twin = 1 - row
    for name in ("roi", "live", "seen"):
        state[name][twin] = state[name][row]
    state["id"][twin] = 7
    (left,) = tracker("fast").track(portrait, STEP, state, max_faces=2)
    assert left.id == face.id


def test_at_most_as_many_as_asked_for(two, tracker):
    assert len(tracker("fast").track(two, 0, make_state(), max_faces=1)) == 1
    assert len(tracker("fast").track(two, 0, make_state(), max_faces=2)) == 2


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_same_to_the_bit(variant, portrait, tracker):
    def play() -> list[bytes]:
        state, out = make_state(), []
        for i in range(6):
            shifted = np.roll(portrait, 2 * i, axis=1)
            out += [f.landmarks.tobytes() for f in tracker(variant).track(shifted, i * STEP, state)]
        return out

    first = play()
    assert len(first) == 6 and play() == first


def test_smoothing_calms_and_is_off_at_nought(portrait, tracker):
    rng = np.random.default_rng(4)
    noisy = [np.clip(portrait + rng.normal(0, 12, portrait.shape), 0, 255).astype(np.uint8) for _ in range(25)]

    def jitter(smoothing: float) -> float:
        state = make_state()
        track = [tracker("fast").track(im, i * STEP, state, smoothing=smoothing)[0] for i, im in enumerate(noisy)]
        return float(np.std([f.landmarks for f in track][8:], axis=0).mean())

    raw, half, full = jitter(0), jitter(0.5), jitter(1)
    assert half < 0.8 * raw and full < half


def test_parameters_that_are_no_numbers_do_no_lasting_harm(portrait, tracker):
    state, nan = make_state(), float("nan")
    for i, (smoothing, confidence) in enumerate([(0.5, 0.5), (nan, 0.5), (0.5, nan), (0.5, 0.5)]):
        faces = tracker("fast").track(portrait, i * STEP, state, smoothing=smoothing, confidence=confidence)
    assert len(faces) == 1 and np.isfinite(faces[0].landmarks).all()


def test_variants_share_a_state(portrait, tracker):
    state = make_state()
    ids = [tracker(v).track(portrait, i * STEP, state)[0].id for i, v in enumerate(VARIANTS * 2)]
    assert ids == [1] * 6


def test_ground_truth_300w(assets, tracker):
    """Brows, nose, eyes and mouth against hand-made marks: a sanity check, for the two schemes differ a little."""
    folder = assets / "gt/mmpose/300w"
    truth = json.loads((folder / "test_300w.json").read_text())
    names = {image["id"]: image["file_name"] for image in truth["images"]}
    for variant in VARIANTS:
        for mark in truth["annotations"]:
            image = cv2.imread(str(folder / names[mark["image_id"]]))[..., ::-1]
            points = np.array(mark["keypoints"]).reshape(68, 3)[:, :2]
            faces = tracker(variant).track(np.ascontiguousarray(image), 0, make_state(), max_faces=4)
            assert faces
            distance = np.linalg.norm(points[36] - points[45])
            error = min(
                np.linalg.norm(f.landmarks[MESH_OF_IBUG, :2] - points[17:], axis=1).mean() / distance for f in faces
            )
            assert error < 0.06, f"{variant}: {names[mark['image_id']]}: {error:.3f}"


@pytest.mark.parametrize("refine", [False, True])
def test_mediapipe_says_the_same(refine, portrait, tracker):
    """On a moving, turning picture, within 0.5 % of the distance of the eyes."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))
    from oracles import Oracle, available

    if not available("mediapipe-0.10.21"):
        pytest.skip("MediaPipe 0.10.21 is not there to compare with: make oracles")
    clip = np.stack([
        cv2.warpAffine(portrait, cv2.getRotationMatrix2D((225, 135), 2 * i, 1 + 0.02 * i), (480, 400)) for i in range(12)
    ])  # fmt: skip
    with Oracle("mediapipe-0.10.21", clip, what="face_mesh", refine=refine) as oracle:
        _, wanted = oracle.play(0, len(clip))
    state = make_state()
    ours = tracker("refined" if refine else "fast")
    errors = [
        apart(ours.track(image, i * STEP, state, smoothing=0)[0].landmarks, wanted[i, 0]) for i, image in enumerate(clip)
    ]
    assert np.mean(errors) < 0.005 and errors[-1] < 0.005
