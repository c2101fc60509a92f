"""Tracked bodies: on a portrait, on shared pictures and footage (skipped where absent), on made-up networks, against MediaPipe."""

from __future__ import annotations

import itertools
import json
import math
import sys
from pathlib import Path
from types import SimpleNamespace

import av
import cv2
import numpy as np
import pytest

from spellwire.runtime.frames import Geometry
from spellwire.runtime.perception.body import MODELS, WHOLE, BodyTracker, make_state, sharpened
from spellwire.runtime.perception.body_mask import BodyMasks
from spellwire.runtime.perception.tracks import FORGET_AFTER
from spellwire.runtime.values import CropMask

STEP = 33_333
COCO = [0, 2, 5, 7, 8, 11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28]  # its 17 points, in order, of our 33


@pytest.fixture(scope="module")
def tracker(load) -> BodyTracker:
    return BodyTracker(*[load(name) for name in MODELS])


@pytest.fixture(scope="module")
def whole(load) -> BodyTracker:
    """With the part of the network that draws masks."""
    return BodyTracker(load(MODELS[0]), load(WHOLE))


def frames(path: Path, count: int, step: int = 1) -> np.ndarray:
    with av.open(str(path)) as clip:
        pictures = itertools.islice(clip.decode(video=0), 0, count * step, step)
        return np.stack([np.ascontiguousarray(picture.to_ndarray(format="rgb24")) for picture in pictures])


def torso(points: np.ndarray) -> float:
    return float(np.linalg.norm(points[[11, 12], :2].mean(0) - points[[23, 24], :2].mean(0)))


def test_a_person_is_found_where_they_are(portrait, tracker):
    (body,) = tracker.track(portrait, 0, make_state())
    assert body.id == 1 and body.score > 0.8
    assert body.landmarks.shape == (33, 3) and body.world.shape == (33, 3) and body.visibility.shape == (33,)
    x, y = body.landmarks[0, :2]  # the nose
    assert abs(x - 225) < 15 and abs(y - 135) < 25
    assert body.landmarks[11, 0] > body.landmarks[12, 0], "her left shoulder is to our right"
    assert body.landmarks[11, 1] > body.landmarks[7, 1]
    assert body.visibility[11] > 0.9 and body.visibility[27] < 0.3, "the feet are not in the picture"
    assert 0.2 < np.linalg.norm(body.world[11] - body.world[12]) < 0.5, "shoulders in metres"
    assert body.world[0, 1] > body.world[11, 1] > body.world[23, 1], "y up"
    assert body.world[0, 2] > 0.0, "the nose is nearer to the camera than the hips"


@pytest.mark.parametrize("variant", ["lite", "heavy"])
def test_variants_agree(variant, portrait, tracker, load):
    name = {"model": WHOLE if variant == "heavy" else MODELS[1], "variant": variant}
    other = BodyTracker(load(MODELS[0]), load(name)).track(portrait, 0, make_state())[0].landmarks
    full = tracker.track(portrait, 0, make_state())[0].landmarks
    upper = slice(0, 13)
    assert np.linalg.norm(other[upper, :2] - full[upper, :2], axis=1).mean() < 0.1 * torso(full)


def test_two_people_are_two(portrait, tracker):
    two = np.ascontiguousarray(np.hstack([portrait, portrait[:, ::-1]]))
    state, seen = make_state(), []
    for i in range(30):
        image = two.copy()
        if 14 <= i < 20:
            image[:, 512:] = 90
        seen.append({b.id: float(b.landmarks[0, 0]) for b in tracker.track(image, i * STEP, state, max_bodies=2)})
    assert set(seen[13]) == set(seen[-1]) == {1, 2}, "and keep their ids, away for a fifth of a second"
    for number, x in seen[13].items():
        assert abs(seen[-1][number] - x) < 30
    assert len(seen[18]) == 1
    state = make_state()
    assert all(len(tracker.track(two, i * STEP, state, max_bodies=1)) == 1 for i in range(15))


def test_nobody_is_an_empty_tuple(tracker):
    noise = np.random.default_rng(0).integers(0, 255, (240, 320, 3), np.uint8)
    for image in (np.zeros((240, 320, 3), np.uint8), noise):
        state = make_state()
        assert [tracker.track(image, i * STEP, state, max_bodies=4) for i in range(3)] == [()] * 3


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (3, 2), (127, 129), (2160, 3840)])
def test_odd_sizes(shape, tracker):
    image = np.full((*shape, 3), 90, np.uint8)
    state = make_state()
    assert [tracker.track(image, i * STEP, state) for i in range(2)] == [()] * 2


def test_somebody_who_leaves_and_returns(portrait, tracker):
    state, blank, ids = make_state(), np.full_like(portrait, 90), []
    for i in range(60):
        away = 5 <= i < 15 or 20 <= i < 55
        ids.append([b.id for b in tracker.track(blank if away else portrait, i * STEP, state)])
    assert ids[4] == ids[16] == [1] and ids[10] == [] and ids[40] == []
    assert 35 * STEP > FORGET_AFTER and ids[59] == [2]


def test_the_same_to_the_bit(portrait, tracker):
    def play() -> list[bytes]:
        state, out = make_state(), []
        for i in range(5):
            for b in tracker.track(np.roll(portrait, 3 * i, axis=1), i * STEP, state):
                out.append(b.landmarks.tobytes() + b.world.tobytes() + b.visibility.tobytes())
        return out

    assert len(play()) == 5 and play() == play()


def test_a_still_person_lies_still(portrait, tracker):
    """Regions settle instead of swinging to and fro, and smoothing calms what noise does."""
    rng = np.random.default_rng(4)
    noisy = [np.clip(portrait + rng.normal(0, 10, portrait.shape), 0, 255).astype(np.uint8) for _ in range(16)]

    def jitter(smoothing: float) -> float:
        state = make_state()
        track = [tracker.track(im, i * STEP, state, smoothing=smoothing)[0] for i, im in enumerate(noisy)]
        return float(np.std([b.landmarks[:13, :2] for b in track][6:], axis=0).mean())

    raw, half = jitter(0), jitter(0.5)
    assert raw < 1.5 and half < 0.8 * raw


def heat_maps(points: np.ndarray) -> np.ndarray:
    """(64, 64, n) logits with a round top at each point (in cells)."""
    y, x = np.mgrid[:64, :64].astype(np.float32)
    return np.stack([4 - ((x - px) ** 2 + (y - py) ** 2) for px, py in points], axis=-1).astype(np.float32)


def test_points_move_to_the_tops_of_their_heat_maps():
    tops = np.array([(10.3, 20.6), (40.0, 9.5), (63.0, 63.0), (30.0, 30.0), (20.0, 20.0), (5.0, 5.0)])
    points = np.concatenate([tops * 4, np.ones((6, 1))], 1).astype(np.float32)
    points[:3, :2] += (5, -4)
    points[3, :2] = 260, 100  # outside: left alone
    points[4, :2] = np.nan
    heat = heat_maps(tops)
    heat[..., 5] = -9  # nothing sure there
    before = points.copy()
    sharpened(points, heat, 256)
    assert np.abs(points[:2, :2] / 4 - tops[:2]).max() < 0.3
    assert np.array_equal(points[3:], before[3:], equal_nan=True) and (points[:, 2] == 1).all()
    slow = before.copy()
    for i in (0, 1, 2):  # the same by hand, cell by cell
        column, row = (slow[i, :2] / 4).astype(int)
        if not (0 <= column < 64 and 0 <= row < 64):
            continue
        cells = [(c, r) for r in range(row - 3, row + 4) for c in range(column - 3, column + 4) if 0 <= c < 64 and 0 <= r < 64]
        weights = [1 / (1 + math.exp(-heat[r, c, i])) for c, r in cells]
        slow[i, :2] = np.average(cells, axis=0, weights=weights) * 4
    assert np.abs(points[:3] - slow[:3]).max() < 1e-3


@pytest.mark.parametrize("spoil", [np.nan, np.inf])
def test_a_network_that_gives_rubbish_gives_nobody(spoil):
    crop, seen = np.zeros((1, 256, 256, 3), np.float32), np.zeros((1, 224, 224, 3), np.float32)
    shapes = ((1, 195), (1, 1), (1, 256, 256, 1), (1, 64, 64, 39), (1, 117))
    found = [np.full(shape, 1.0, np.float32) for shape in shapes]
    found[0][:] = spoil
    nothing = [np.zeros((1, 2254, 12), np.float32), np.full((1, 2254, 1), -100, np.float32)]
    net = SimpleNamespace(input=lambda _: crop, output=lambda i: found[i], run=lambda: None)
    detector = SimpleNamespace(input=lambda _: seen, output=lambda i: nothing[i], run=lambda: None)
    state = make_state()
    state["id"][0], state["live"][0], state["roi"][0], state["clock"][:5] = 1, True, (100, 100, 80, 0), (0, 0, 2, 200, 200)
    tracker = BodyTracker(detector, net)
    assert tracker.track(np.zeros((200, 200, 3), np.uint8), STEP, state) == ()
    found[0][:], state["live"][0] = 5.0, True  # all points in one place
    assert tracker.track(np.zeros((200, 200, 3), np.uint8), 2 * STEP, state) == ()
    assert all(np.isfinite(array).all() for array in state.values())


def test_points_are_the_same_without_the_mask(portrait, tracker, whole):
    """What is cut off the network leaves the rest as it was, to the bit."""
    states = make_state(), make_state()
    for i in range(3):
        a, b = (t.track(np.roll(portrait, 4 * i, axis=1), i * STEP, s)[0] for t, s in zip((tracker, whole), states, strict=True))
        assert a.mask is None and b.mask is not None
        assert np.array_equal(a.landmarks, b.landmarks) and np.array_equal(a.world, b.world)
        assert np.array_equal(a.visibility, b.visibility)


def test_the_mask_is_the_persons(portrait, whole):
    (body,) = whole.track(portrait, 0, make_state())
    masks = BodyMasks()
    fit = masks.coefficients(portrait, Geometry(512, 512), [body.mask], 1e-3)
    assert fit.shape == (256, 256, 4)
    mask = masks.mask
    assert mask[60:100, 98:130].mean() > 0.95, "her face"
    assert mask[150:250, 60:180].mean() > 0.8, "her suit"
    assert mask[10:60, 200:250].mean() < 0.1 and mask[10:100, 2:30].mean() < 0.1


def test_a_crops_mask_is_turned_into_its_place():
    """A square of 100, turned by 45°, with its upper half on: a diamond's upper half in the picture."""
    logits = np.full((64, 64), -9, np.float32)
    logits[:32] = 9
    masks = BodyMasks()
    masks.coefficients(np.zeros((200, 256, 3), np.uint8), Geometry(256, 200), [CropMask(logits, 120, 100, 100, math.pi / 4)], 1e-3)
    assert masks.mask.shape == (200, 256)
    assert masks.mask[70, 148] > 0.9, "up in the crop is up and to the right here"
    assert masks.mask[130, 92] < 0.1 and masks.mask[100, 205] < 0.1
    half = BodyMasks()  # the same from a picture of half the size
    half.coefficients(np.zeros((100, 128, 3), np.uint8), Geometry(128, 100, (2, 0, 0, 0, 2, 0)), [CropMask(logits, 120, 100, 100, math.pi / 4)], 1e-3)
    assert np.abs(half.mask - cv2.resize(masks.mask, (128, 100), interpolation=cv2.INTER_AREA)).mean() < 0.02
    spoiled = BodyMasks()
    spoiled.coefficients(np.zeros((100, 128, 3), np.uint8), Geometry(128, 100), [CropMask(logits, math.nan, 1, 1, 0)], 1e-3)
    assert spoiled.mask.max() < 1e-3


def test_people_who_exercise(assets, tracker):
    """Four and more: at least three are tracked at a time, each where another is not."""
    state = make_state()
    for i, image in enumerate(frames(assets / "video/people/pexels_gym_group.mp4", 24, 4)):
        bodies = tracker.track(image, i * 4 * STEP, state, max_bodies=4)
        for a, b in itertools.combinations(bodies, 2):
            assert np.linalg.norm(a.landmarks[:, :2] - b.landmarks[:, :2], axis=1).mean() > 0.3 * torso(a.landmarks)
    assert len(bodies) >= 3


@pytest.mark.parametrize("name", ["scenes/intel_bottles.mp4", "planar/alva_desk_handheld.mp4"])
def test_nobody_is_nobody(name, assets, tracker):
    state = make_state()
    clip = frames(assets / "video" / name, 8, 3)
    assert [tracker.track(image, i * 3 * STEP, state, max_bodies=2) for i, image in enumerate(clip)] == [()] * 8


def test_ground_truth_coco(assets, tracker):
    """Whoever is tracked lies on somebody who was marked by hand: a sanity check, in torso lengths."""
    folder = assets / "gt/mmpose/coco"
    truth = json.loads((folder / "test_coco.json").read_text())
    for picture in truth["images"]:
        marks = [np.array(m["keypoints"]).reshape(17, 3) for m in truth["annotations"] if m["image_id"] == picture["id"]]
        marks = [m for m in marks if (m[:, 2] > 0).sum() >= 8]
        image, state = np.ascontiguousarray(cv2.imread(str(folder / picture["file_name"]))[..., ::-1]), make_state()
        for i in range(8):
            bodies = tracker.track(image, i * STEP, state, max_bodies=4)
        assert bodies, picture["file_name"]
        for body in bodies:
            apart = [np.linalg.norm(body.landmarks[COCO, :2] - m[:, :2], axis=1)[m[:, 2] > 0].mean() for m in marks]
            assert min(apart) < 0.3 * torso(body.landmarks), f"{picture['file_name']}: {apart}"


def test_mediapipe_says_the_same(assets, tracker):
    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))
    from oracles import Oracle, available

    if not available("mediapipe-0.10.21"):
        pytest.skip("MediaPipe 0.10.21 is not there to compare with: make oracles")
    clip = frames(assets / "video/people/tfjs_pose_dance.mp4", 24)
    with Oracle("mediapipe-0.10.21", clip, what="pose") as oracle:
        _, wanted = oracle.play(0, len(clip))
    state, errors = make_state(), []
    for i, image in enumerate(clip):
        (body,) = tracker.track(image, i * STEP, state, smoothing=0)
        theirs = wanted[i, 0, :33]
        errors.append(np.linalg.norm(body.landmarks[:, :2] - theirs[:, :2], axis=1).mean() / torso(theirs))
    assert np.mean(errors) < 0.02
