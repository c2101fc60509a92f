"""Tracked hands: on shared pictures and footage (skipped where absent), on made-up networks, and against MediaPipe."""

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

from spellwire.runtime.perception.gesture import new_memory, scores, step
from spellwire.runtime.perception.hands import MODELS, HandTracker, make_state, next_region
from spellwire.runtime.perception.tracks import FORGET_AFTER

STEP = 33_333


@pytest.fixture(scope="module")
def tracker(load) -> HandTracker:
    return HandTracker(*[load(name) for name in MODELS])


@pytest.fixture(scope="module")
def left(assets) -> np.ndarray:
    """(382, 360, 3): the back of a left hand, fingers up, on white."""
    image = cv2.imread(str(assets / "images/hands/hands.jpg"))[..., ::-1]
    return np.ascontiguousarray(image[:, :360])


def scene(*placed: tuple[np.ndarray, int, int], size: tuple[int, int] = (720, 480)) -> np.ndarray:
    """Pictures of hands at (x, y), each over the ones before; white counts as nothing."""
    image = np.full((size[1], size[0], 3), 255, np.uint8)
    for sprite, x, y in placed:
        x0, y0, x1, y1 = max(x, 0), max(y, 0), min(x + sprite.shape[1], size[0]), min(y + sprite.shape[0], size[1])
        if x1 > x0 and y1 > y0:
            part = sprite[y0 - y : y1 - y, x0 - x : x1 - x]
            drawn = (part.min(2) < 235)[..., None]
            image[y0:y1, x0:x1] = np.where(drawn, part, image[y0:y1, x0:x1])
    return image


def small(sprite: np.ndarray, height: int = 190) -> np.ndarray:
    return cv2.resize(sprite, (sprite.shape[1] * height // sprite.shape[0], height), interpolation=cv2.INTER_AREA)


def frames(path: Path, count: int, step: int = 1) -> np.ndarray:
    with av.open(str(path)) as clip:
        pictures = itertools.islice(clip.decode(video=0), 0, count * step, step)
        return np.stack([np.ascontiguousarray(picture.to_ndarray(format="rgb24")) for picture in pictures])


def palm(points: np.ndarray) -> float:
    return float(np.linalg.norm(points[0, :2] - points[9, :2]))


def test_a_hand_is_found_where_it_is_and_which_it_is(left, tracker):
    for sprite, right in ((left, False), (left[:, ::-1], True)):
        (hand,) = tracker.track(scene((sprite, 150, 60)), 0, make_state())
        assert hand.id == 1 and hand.score > 0.8 and (hand.handedness > 0.5) == right
        assert hand.landmarks.shape == (21, 3) and hand.landmarks.dtype == np.float32
        wrist, middle = hand.landmarks[0], hand.landmarks[12]
        assert 60 <= middle[1] < 130 and wrist[1] > 330 and 150 < middle[0] < 510
        assert 0.05 < np.linalg.norm(hand.world[9] - hand.world[0]) < 0.13, "the palm in metres"
        assert hand.world[12, 1] > hand.world[0, 1], "y up"


@pytest.mark.parametrize("angle", [-120, 35, 90])
def test_landmarks_turn_with_the_hand(angle, left, tracker):
    straight_up = scene((small(left, 260), 240, 110))
    (straight,) = tracker.track(straight_up, 0, make_state())
    turn = cv2.getRotationMatrix2D((360.0, 240.0), -angle, 1.0)
    (turned,) = tracker.track(cv2.warpAffine(straight_up, turn, (720, 480), borderValue=(255,) * 3), 0, make_state())
    wanted = straight.landmarks[:, :2] @ turn[:, :2].T + turn[:, 2]
    assert np.linalg.norm(turned.landmarks[:, :2] - wanted, axis=1).mean() < 0.08 * palm(straight.landmarks)


def test_no_hand_is_an_empty_tuple(tracker):
    noise = np.random.default_rng(0).integers(0, 255, (240, 320, 3), np.uint8)
    for image in (np.zeros((240, 320, 3), np.uint8), noise):
        state = make_state()
        assert [tracker.track(image, i * STEP, state, max_hands=4) for i in range(3)] == [()] * 3


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (3, 2), (127, 129), (2160, 3840)])
def test_odd_sizes(shape, tracker):
    image = np.full((*shape, 3), 90, np.uint8)
    state = make_state()
    assert [tracker.track(image, i * STEP, state) for i in range(2)] == [()] * 2


def test_two_hands_that_cross_stay_two(left, tracker):
    """One passes over the other; whoever is hidden may be missed, but none is doubled, and each keeps its id."""
    mine, other, state, seen = small(left), small(left[:, ::-1]), make_state(), []
    for i in range(70):
        x = 20 + min(i, 60) * 8
        image = scene((other, 540 - x, 60 + i // 2), (mine, x, 150))
        hands = tracker.track(image, i * STEP, state, max_hands=2)
        seen.append({hand.id: hand for hand in hands})
        if len(hands) == 2:
            a, b = (hand.landmarks[:, :2] for hand in hands)
            assert np.linalg.norm(a - b, axis=1).mean() > 0.2 * palm(a), f"frame {i}: one hand twice"
    start, end = seen[10], seen[-1]
    assert set(start) == set(end) == {1, 2}
    for number in start:
        assert (start[number].handedness > 0.5) == (end[number].handedness > 0.5)
        assert (start[number].landmarks[9, 0] < 360) != (end[number].landmarks[9, 0] < 360), "they changed sides"


def test_a_hand_that_leaves_and_returns(left, tracker):
    state, hand, blank = make_state(), scene((small(left), 200, 150)), scene()
    ids = []
    for i in range(70):
        away = 10 <= i < 22 or 30 <= i < 66
        ids.append([h.id for h in tracker.track(blank if away else hand, i * STEP, state)])
    assert ids[9] == ids[23] == [1], "half a second away"
    assert ids[12] == [] and ids[40] == []
    assert 36 * STEP > FORGET_AFTER and ids[69] == [2], "more than a second away"


def test_at_most_as_many_as_asked_for(left, tracker):
    both = scene((small(left), 60, 150), (small(left[:, ::-1]), 460, 150))
    for most in (1, 2):
        state = make_state()
        counts = [len(tracker.track(both, i * STEP, state, max_hands=most)) for i in range(12)]
        assert counts[-1] == most and max(counts) == most


def test_the_same_to_the_bit(left, tracker):
    def play() -> list[bytes]:
        state, out = make_state(), []
        for i in range(8):
            out += [h.landmarks.tobytes() + h.world.tobytes() for h in tracker.track(scene((left, 100 + 5 * i, 60)), i * STEP, state)]
        return out

    assert len(play()) == 8 and play() == play()


def test_smoothing_calms(left, tracker):
    rng, still = np.random.default_rng(4), scene((small(left, 260), 200, 100))
    noisy = [np.clip(still + rng.normal(0, 14, still.shape), 0, 255).astype(np.uint8) for _ in range(20)]

    def jitter(smoothing: float) -> float:
        state = make_state()
        track = [tracker.track(im, i * STEP, state, max_hands=1, smoothing=smoothing)[0] for i, im in enumerate(noisy)]
        return float(np.std([h.landmarks for h in track][6:], axis=0).mean())

    raw, half, full = jitter(0), jitter(0.5), jitter(1)
    assert half < 0.8 * raw and full < half


def made_up(points: np.ndarray, presence: float) -> HandTracker:
    """A tracker whose landmark network always says the same, and whose detector sees nothing."""
    crop, palms = np.zeros((1, 224, 224, 3), np.float32), np.zeros((1, 192, 192, 3), np.float32)
    found = [points.reshape(1, 63), np.full((1, 1), presence), np.ones((1, 1)), points.reshape(1, 63) / 2000]
    found = [np.float32(part) for part in found]
    nothing = [np.zeros((1, 2016, 18), np.float32), np.full((1, 2016, 1), -100, np.float32)]
    net = SimpleNamespace(input=lambda _: crop, output=lambda i: found[i], run=lambda: None)
    detector = SimpleNamespace(input=lambda _: palms, output=lambda i: nothing[i], run=lambda: None)
    return HandTracker(detector, net)


@pytest.mark.parametrize("spoil", [np.nan, np.inf, 0.0])
def test_a_network_that_gives_rubbish_gives_no_hand(spoil):
    """NaN, endless, or all points in one place: the track is lost, and the state stays clean."""
    state = make_state()
    state["id"][0], state["live"][0], state["roi"][0], state["clock"][:5] = 1, True, (100, 100, 80, 0), (0, 0, 2, 200, 200)
    points = np.random.default_rng(0).uniform(60, 160, (21, 3))
    assert made_up(points, float("nan")).track(np.zeros((200, 200, 3), np.uint8), STEP, state) == ()
    state["live"][0] = True
    points[:] = spoil
    assert made_up(points, 1.0).track(np.zeros((200, 200, 3), np.uint8), 2 * STEP, state) == ()
    assert all(np.isfinite(array).all() for array in state.values())


def test_the_next_region_holds_the_hand_and_points_up():
    points = np.array([[0, 100 - 4 * i, 0] for i in range(21)], np.float32)
    points[:, 0] = np.random.default_rng(1).uniform(-5, 5, 21)
    points[0, 0] = points[9, 0] = points[5, 0] = points[13, 0] = 0
    roi = next_region(points)
    assert abs(roi.angle) < 1e-6 and abs(roi.x) < 6 and roi.y < points[[0, 1, 2, 3, 5, 6, 9, 10, 13, 14, 17, 18], 1].mean()
    for angle in (0.6, -2.0):
        c, s = math.cos(angle), math.sin(angle)
        turned = points.copy()
        turned[:, :2] = points[:, :2] @ np.array(((c, s), (-s, c)), np.float32)
        again = next_region(turned)
        assert again.angle == pytest.approx(angle, abs=1e-5) and again.size == pytest.approx(roi.size, rel=1e-4)
        assert np.allclose((again.x, again.y), np.array((roi.x, roi.y)) @ np.array(((c, s), (-s, c))), atol=1e-3)


@pytest.mark.parametrize("name", ["mp_hand_test.mp4", "tfjs_asl_hand.mp4"])
def test_one_hand_is_one_track(name, assets, tracker):
    state = make_state()
    clip = frames(assets / "video/hands" / name, 20, 8)
    ids = [[h.id for h in tracker.track(image, i * 8 * STEP, state)] for i, image in enumerate(clip)]
    assert all(found in ([1], []) for found in ids) and ids.count([1]) >= 18


@pytest.mark.parametrize("name", ["scenes/intel_bottles.mp4", "faces/lp_s32_interview.mp4"])
def test_nobodys_hands(name, assets, tracker):
    state = make_state()
    clip = frames(assets / "video" / name, 8, 3)
    assert [tracker.track(image, i * 3 * STEP, state, max_hands=4) for i, image in enumerate(clip)] == [()] * 8


def test_ground_truth_freihand(assets, tracker):
    """Hands that hold things: a sanity check, for these marks lie deeper in the hand, towards the joints."""
    folder = assets / "gt/mmpose/freihand"
    truth = json.loads((folder / "test_freihand.json").read_text())
    names = {image["id"]: image["file_name"] for image in truth["images"]}
    errors = []
    for mark in truth["annotations"]:
        image = np.ascontiguousarray(cv2.imread(str(folder / names[mark["image_id"]]))[..., ::-1])
        points = np.array(mark["keypoints"]).reshape(21, 3)[:, :2]
        hands = tracker.track(image, 0, make_state())
        if hands:
            assert hands[0].handedness > 0.5, "all are right hands"
            apart = np.linalg.norm(hands[0].landmarks[:, :2] - points, axis=1).mean()
            errors.append(apart / np.ptp(points, axis=0).max())
    assert len(errors) >= 6 and max(errors) < 0.2 and np.median(errors) < 0.17


@pytest.mark.parametrize(
    ("file", "shown"),
    [("images/hands/hands.jpg", "open"), ("images/hands/mp_thumbs_up.png", "thumb up"), ("gt/mmpose/onehand10k/33.jpg", "pointing"),
     ("gt/mmpose/onehand10k/9.jpg", "open"), ("gt/mmpose/freihand/00115300.jpg", "fist")],
)  # fmt: skip
def test_gestures_on_photographs(file, shown, assets, tracker):
    image = np.ascontiguousarray(cv2.imread(str(assets / file))[..., ::-1])
    hands = tracker.track(image, 0, make_state())
    assert hands
    for hand in hands:
        seen = scores(hand)
        assert max(seen, key=lambda name: seen[name]) == shown and seen[shown] > 0.5


def test_letters_of_a_finger_alphabet(assets, tracker):
    """A hand that spells: fists between, a finger that points, in the order in which they come."""
    state, memory, told = make_state(), new_memory(), []
    for i, image in enumerate(frames(assets / "video/hands/tfjs_asl_hand.mp4", 55, 4)):
        for hand in tracker.track(image, i * 4 * STEP, state, max_hands=1):
            held = step(memory, scores(hand), 4 * STEP / 1e6)
            told += [held] if not told or told[-1] != held else []
    names = [name for name in told if name in ("fist", "pointing")]
    assert names[:2] == ["fist", "pointing"] and names[-1] == "fist" and names.count("pointing") >= 2


def test_mediapipe_says_the_same(assets, tracker):
    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))
    from oracles import Oracle, available

    if not available("mediapipe-0.10.21"):
        pytest.skip("MediaPipe 0.10.21 is not there to compare with: make oracles")
    clip = frames(assets / "video/hands/mp_hand_test.mp4", 24)
    with Oracle("mediapipe-0.10.21", clip, what="hands", max_hands=1) as oracle:
        _, wanted = oracle.play(0, len(clip))
    state, errors = make_state(), []
    for i, image in enumerate(clip):
        (hand,) = tracker.track(image, i * STEP, state, max_hands=1, smoothing=0)
        theirs = wanted[i, 0, :21]
        errors.append(np.linalg.norm(hand.landmarks[:, :2] - theirs[:, :2], axis=1).mean() / palm(theirs))
        assert abs(hand.handedness - (1 - wanted[i, 0, 21, 0])) < 0.25, "MediaPipe names the hands of a mirror"
    assert np.mean(errors) < 0.01 and errors[-1] < 0.01
