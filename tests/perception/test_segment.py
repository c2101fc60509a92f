"""Person masks: on the portrait, over time, at odd sizes, and against MediaPipe."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from spellwire.runtime.models.model import open_model
from spellwire.runtime.perception.segment import MODELS, PersonSegmenter, choose_shape, make_state

STEP = 1 / 30


@pytest.fixture(scope="module")
def segmenter(load) -> PersonSegmenter:
    return PersonSegmenter(lambda shape: load(MODELS[shape]))


def full_size(image: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
    """What the node's pixel part computes, by NumPy: the mask before feathering."""
    fit = cv2.resize(coefficients, image.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    return np.clip((fit[..., :3] * (image / np.float32(255))).sum(2) + fit[..., 3], 0, 1)


def test_the_network_nearer_to_the_picture():
    assert choose_shape(1280, 720) == "landscape" and choose_shape(640, 480) == "square"
    assert choose_shape(720, 1280) == "square"


@pytest.mark.parametrize("shape", ["square", "landscape"])
def test_the_portrait_is_a_person(shape, portrait, segmenter):
    mask = full_size(portrait, segmenter.segment(portrait, 0, make_state(), shape=shape))
    assert mask[120:200, 195:260].mean() > 0.97  # the face
    assert mask[20:80, 5:60].mean() < 0.03  # the wall behind her
    assert 0.3 < mask.mean() < 0.7


def test_edges_lie_on_the_pictures_edges(segmenter, portrait):
    """Over a plain dark wall the full-size mask steps where the picture does; enlarged, the network's own does not."""
    wall = np.zeros_like(portrait)
    wall[:] = (10, 30, 60)
    person = full_size(portrait, segmenter.segment(portrait, 0, make_state())) > 0.5
    image = np.where(person[..., None], portrait, wall)
    state = make_state()
    fine = full_size(image, segmenter.segment(image, 0, state))
    coarse = cv2.resize(state["mask"], (512, 512), interpolation=cv2.INTER_LINEAR)
    near = cv2.dilate(person.astype(np.uint8), np.ones((13, 13))) != cv2.erode(person.astype(np.uint8), np.ones((13, 13)))
    assert np.abs(fine - person)[near].mean() < 0.85 * np.abs(coarse - person)[near].mean()


def test_noise_does_not_make_edges_flicker(portrait, segmenter):
    rng = np.random.default_rng(5)
    noisy = [np.clip(portrait + rng.normal(0, 6, portrait.shape), 0, 255).astype(np.uint8) for _ in range(12)]

    def flicker(smoothing: float) -> float:
        state, masks = make_state(), []
        for i, image in enumerate(noisy):
            segmenter.segment(image, STEP if i else 0, state, smoothing=smoothing)
            masks.append(state["mask"].copy())
        return float(np.abs(np.diff(masks[3:], axis=0)).mean())

    assert flicker(0.8) < 0.6 * flicker(0)


def test_a_fast_move_leaves_no_trail(portrait, segmenter):
    moved = np.roll(portrait, 120, axis=1)
    fresh, tracked = make_state(), make_state()
    segmenter.segment(moved, 0, fresh)
    for image, delta in ((portrait, 0), (portrait, STEP), (moved, STEP)):
        segmenter.segment(image, delta, tracked, smoothing=1.0)
    assert np.abs(tracked["mask"] - fresh["mask"]).mean() < 0.02


def test_a_long_pause_or_a_seek_starts_anew(portrait, segmenter):
    blank, fresh, tracked = np.full_like(portrait, 128), make_state(), make_state()
    segmenter.segment(portrait, 0, fresh)
    for image, delta in ((blank, 0), (portrait, 5.0)):
        segmenter.segment(image, delta, tracked, smoothing=1.0)
    assert np.array_equal(tracked["mask"], fresh["mask"])


def test_the_same_to_the_bit(portrait, segmenter):
    def play() -> list[bytes]:
        state = make_state()
        return [segmenter.segment(np.roll(portrait, 3 * i, 1), STEP, state).tobytes() for i in range(5)]

    assert play() == play()


@pytest.mark.parametrize("size", [(1, 1), (1, 700), (355, 201), (4320, 7680)])
def test_odd_sizes(size, segmenter):
    out = segmenter.segment(np.full((*size, 3), 90, np.uint8), 0, make_state())
    assert np.isfinite(out).all() and out.shape[2] == 4


def test_parameters_that_are_no_numbers(portrait, segmenter):
    nan = float("nan")
    assert np.isfinite(segmenter.segment(portrait, STEP, make_state(), smoothing=nan, epsilon=nan)).all()


@pytest.mark.parametrize("shape", ["square", "landscape"])
def test_two_threads_give_the_same_bits(shape, portrait, segmenter):
    one, two = make_state(), make_state()
    with open_model(MODELS[shape], threads=2) as model:
        double = PersonSegmenter(lambda _: model).segment(portrait, 0, two, shape=shape)
        assert np.array_equal(segmenter.segment(portrait, 0, one, shape=shape), double)


def test_another_shape_of_network_goes_on_from_the_same_mask(portrait, segmenter):
    state = make_state()
    segmenter.segment(portrait, 0, state, shape="square")
    segmenter.segment(portrait, STEP, state, shape="landscape")
    assert state["mask"].shape == (144, 256)


def test_mediapipe_says_the_same(portrait, segmenter):
    """The network's own mask, before we steady and refine it."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))
    from oracles import Oracle, available

    if not available("mediapipe-0.10.21"):
        pytest.skip("MediaPipe 0.10.21 is not there to compare with: make oracles")
    small = cv2.resize(portrait, (256, 256), interpolation=cv2.INTER_AREA)  # as large as the input: no resampling
    with Oracle("mediapipe-0.10.21", small[None], what="segmenter", shape=small.shape[:2]) as oracle:
        _, wanted = oracle.play(0, 1)
    state = make_state()
    segmenter.segment(small, 0, state, shape="square")
    assert np.abs(state["mask"] - wanted[0]).mean() < 0.004
