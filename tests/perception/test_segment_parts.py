"""Parts of people: right on the portrait, steady on noise, carried to the picture of now, bent onto its edges."""

from __future__ import annotations

from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from spellwire.nodes.segment import Parts, Refine, stretched
from spellwire.runtime.frames import Frame, Tick
from spellwire.runtime.perception.carry import Carrier
from spellwire.runtime.perception.parts import MODEL, PARTS, PartsSegmenter, make_state

STEP = 0.1


@pytest.fixture(scope="module")
def segmenter(load) -> PartsSegmenter:
    return PartsSegmenter(load(MODEL))


def texture(seed: int, width: int = 256, height: int = 144) -> np.ndarray:
    noise = np.random.default_rng(seed).random((height, width)).astype(np.float32)
    soft = cv2.GaussianBlur(noise, (0, 0), 2.5)
    return np.uint8(np.clip((soft - soft.mean()) / soft.std() * 45 + 128, 0, 255))


def test_the_portrait_in_parts(segmenter, portrait):
    """An astronaut: hair, a face, an orange suit, a flag and a wall; nothing of her arms or legs."""
    shares = segmenter.segment(portrait, 0, make_state())
    assert np.allclose(shares.sum(0), 1, atol=1e-5)
    named = dict(zip(PARTS, (cv2.resize(p, (512, 512)) for p in shares), strict=True))
    assert named["face skin"][90:170, 205:245].mean() > 0.9
    assert named["hair"][25:45, 200:250].mean() > 0.8
    assert named["clothes"][330:450, 150:260].mean() > 0.9
    assert named["background"][20:80, 5:60].mean() > 0.85


def test_noise_does_not_make_parts_flicker(segmenter, portrait):
    rng = np.random.default_rng(5)
    noisy = [np.clip(portrait + rng.normal(0, 6, portrait.shape), 0, 255).astype(np.uint8) for _ in range(5)]

    def flicker(smoothing: float) -> float:
        state = make_state()
        hair = [segmenter.segment(image, STEP if i else 0, state, smoothing)[1].copy() for i, image in enumerate(noisy)]
        return float(np.abs(np.diff(hair[1:], axis=0)).mean())

    assert flicker(0.9) < 0.6 * flicker(0)


def test_what_moved_leaves_no_trail(segmenter, portrait):
    moved = np.roll(portrait, 90, axis=1)
    fresh, state = segmenter.segment(moved, 0, make_state()).copy(), make_state()
    segmenter.segment(portrait, 0, state)
    assert np.abs(segmenter.segment(moved, STEP, state, 1.0) - fresh).mean() < 0.01


def test_carried_along_with_the_motion():
    """A textured picture moves by (7, −4) pixels: so does what is carried. The same picture: the same bits."""
    then = texture(1)
    shift = np.float32([[1, 0, 7], [0, 1, -4]])
    now = cv2.warpAffine(then, shift, (256, 144), borderMode=cv2.BORDER_REFLECT)
    mask = cv2.GaussianBlur(np.float32(cv2.circle(np.zeros((144, 256)), (120, 70), 40, 1.0, -1)), (0, 0), 2)
    wanted = cv2.warpAffine(mask, shift, (256, 144))
    carrier, out = Carrier(144, 256), np.empty_like(mask)
    carrier.look(then, now)
    carrier.move(mask, out)
    assert np.abs(out - wanted).mean() < 0.15 * np.abs(mask - wanted).mean()
    carrier.look(now, now)
    carrier.move(mask, out)
    assert (out == mask).all()


def refine(node: Refine, image: np.ndarray, mask: np.ndarray, seen: np.ndarray | None, edge: float = 0.75) -> np.ndarray:
    """What the node gives before feathering, at the picture's size."""
    frame = Frame.of(image)
    placed = [None if a is None else Frame(a, stretched(a.shape[1], a.shape[0], frame.geometry)) for a in (mask[..., None], seen)]
    fit = cv2.resize(node.process(frame, placed[0], placed[1], edge).data, image.shape[1::-1])  # type: ignore[arg-type]
    return np.clip((fit[..., :3] * (image / np.float32(255))).sum(2) + fit[..., 3], 0, 1)


@pytest.mark.parametrize("kind", ["float", "bytes"])
def test_a_late_coarse_mask_lies_on_the_picture_of_now(kind):
    """A bright disc that moved on, its mask of 128×72 cells from before: closer by far than the mask as it came."""
    node = Refine()
    node.open(None)
    pictures, discs = [], []
    for x in (500, 560):
        disc = cv2.circle(np.zeros((720, 1280), np.uint8), (x, 360), 200, 1, -1)[..., None]
        ground = np.roll(texture(2, 1280, 720), x, axis=1)[..., None] // 4
        pictures.append(np.ascontiguousarray(np.where(disc, 255 - ground, ground).repeat(3, axis=2)))
        discs.append(disc[..., 0].astype(np.float32))
    mask = cv2.resize(discs[0], (128, 72), interpolation=cv2.INTER_AREA)
    if kind == "bytes":
        mask = np.uint8(np.round(mask * 255))
    seen = cv2.resize(pictures[0], (256, 144), interpolation=cv2.INTER_AREA)
    late = np.abs(cv2.resize(discs[0], (1280, 720)) - discs[1]).mean()
    carried = np.abs(refine(node, pictures[1], mask, seen) - discs[1]).mean()
    assert carried < 0.35 * late
    exact = np.abs(refine(node, pictures[0], mask, seen) - discs[0]).mean()
    assert exact < 0.75 * np.abs(cv2.resize(np.float32(mask) / mask.max(), (1280, 720)) - discs[0]).mean()


@pytest.mark.parametrize("size", [(1, 1), (7, 1000), (640, 480), (480, 640)])
def test_any_size(size):
    node = Refine()
    node.open(None)
    image = np.full((size[1], size[0], 3), 90, np.uint8)
    out = refine(node, image, np.full((9, 16), 0.5, np.float32), image)
    assert np.allclose(out, 0.5, atol=1e-3)


def test_as_nodes(load, portrait):
    load(MODEL)
    node, state = Parts(), SimpleNamespace(past=None)
    node.open(SimpleNamespace(model=load))
    image = Frame.of(portrait)
    *masks, seen = node.process(image, smoothing=0.6, tick=Tick(0, 0.0, 0, 512, 512), state=state)
    assert [m.data.shape for m in masks] == [(256, 256, 1)] * 6 and seen.data.shape == (256, 256, 3)
    assert all((m.geometry.matrix @ (256, 256, 1))[:2].tolist() == [512, 512] for m in (*masks, seen))
    hair, face, body, clothes, other, person = (m.data.mean() for m in masks)
    assert person == pytest.approx(hair + face + body + clothes + other, abs=1e-3)
    follow = Refine()
    follow.open(None)
    fit = follow.process(image, masks[0], seen, 0.75)
    assert np.isfinite(fit.data).all() and fit.data.shape == (144, 144, 4)
