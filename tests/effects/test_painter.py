"""The effect `painter`, played whole with real models on a portrait, and where nobody is."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from effect_play import LIBRARY, difference, engine_of, need, play

from spellwire.graph.document import load_effect
from spellwire.graph.effect import Effect, NodeUse, Wire
from spellwire.graph.frozen import FrozenDict, freeze
from spellwire.graph.registry import registry
from spellwire.graph.validate import validate
from spellwire.runtime.frames import Frame

FOLDER = LIBRARY / "painter"
NEEDED = (
    "style/predict", "style/transform", "mediapipe/face_detection_short", "mediapipe/face_landmark",
    "mediapipe/selfie_segmentation", "mediapipe/selfie_segmentation_landscape", "mediapipe/face_landmarker/geometry",
)  # fmt: skip
FACE, BEHIND = (slice(80, 150), slice(190, 250)), (slice(10, 110), slice(10, 110))


@pytest.fixture(scope="module")
def effect() -> Effect:
    need(*NEEDED)
    return load_effect(FOLDER)


def test_nothing_is_wrong_with_it() -> None:
    effect = load_effect(FOLDER)
    assert validate(effect, registry()) == [] and all(e.doc for e in effect.interface) and 3 <= len(effect.interface) <= 8


def test_the_face_is_painted_and_the_rest_is_not(effect: Effect, portrait: np.ndarray) -> None:
    inks = [play(effect, [portrait], {"style": float(k)})[-1] for k in range(4)]
    for shown in inks:
        assert difference(shown, portrait, FACE) > 12 and difference(shown, portrait, BEHIND) < 0.5
    assert min(difference(a, b, FACE) for i, a in enumerate(inks) for b in inks[:i]) > 8  # four styles indeed
    nothing = play(effect, [portrait] * 2, {"amount": 0.0})[-1]
    assert np.abs(nothing.astype(int) - portrait).max() <= 1


def test_a_late_result_lies_where_the_face_is_now(effect: Effect, portrait: np.ndarray) -> None:
    """The lane sees the face once; then the picture moves: the paint moves with it, to within a pixel, and is not behind."""
    engine = engine_of(effect, {"style": 2.0}, live=True)
    (lane,) = engine.lanes
    try:
        for n in range(3):
            still = engine.frame(Frame.of(portrait), n * 33_333, n).data.copy()
            if n < 2:
                engine.feed(lane)
                engine.run_lane(lane)
                engine.publish(lane)
        for n in range(3, 16):  # nothing new from the lane
            shift = 6 * min(n - 2, 6)
            moved = np.ascontiguousarray(np.roll(portrait, shift, axis=1))
            shown = engine.frame(Frame.of(moved), n * 33_333, n).data
        back = np.roll(shown, -shift, axis=1)
        assert not engine.failures, [str(f.error) for f in engine.failures.values()]
        grey = [cv2.cvtColor(np.ascontiguousarray(p[FACE]), cv2.COLOR_RGB2GRAY).astype(np.float64) for p in (back, still)]
        (x, y), _ = cv2.phaseCorrelate(*grey, cv2.createHanningWindow(grey[0].shape[::-1], cv2.CV_64F))
        assert abs(x) < 0.7 and abs(y) < 0.7
        assert difference(still, portrait, FACE) > 12
    finally:
        engine.close()


def test_two_faces(effect: Effect, portrait: np.ndarray) -> None:
    pair = np.ascontiguousarray(np.hstack((portrait[:, 90:346], portrait[:, 90:346])))
    shown = play(effect, [pair] * 9, {"style": 2.0})[-1]
    for left in (100, 356):
        assert difference(shown, pair, (slice(80, 150), slice(left, left + 60))) > 12


def test_the_same_bytes_twice_and_with_two_threads(effect: Effect, portrait: np.ndarray) -> None:
    frames = [np.ascontiguousarray(np.roll(portrait, 3 * n, axis=1)) for n in range(2)]
    first, again, wide = (play(effect, frames, {}, threads) for threads in (1, 1, 2))
    for a, b, c in zip(first, again, wide, strict=True):
        assert np.array_equal(a, b) and np.array_equal(a, c)


@pytest.mark.parametrize("size", [(1, 1), (7, 64), (480, 640)])
def test_nobody_there_and_odd_sizes(effect: Effect, size: tuple[int, int]) -> None:
    frame = np.full((size[1], size[0], 3), 128, np.uint8)
    shown = play(effect, [frame] * 2, {})[-1]
    assert np.abs(shown.astype(int) - frame).max() <= 1


def test_a_face_that_goes_takes_its_paint_with_it(effect: Effect, portrait: np.ndarray) -> None:
    empty = np.full_like(portrait, 90)
    shown = play(effect, [portrait] * 2 + [empty] * 12, {})[-1]
    assert np.abs(shown.astype(int) - empty).max() <= 1


def test_a_crop_of_one_face_goes_through_pixel_nodes_as_well(portrait: np.ndarray, effect: Effect) -> None:
    """Picked, cut, turned to its negative by a kernel, pasted: no network, no list."""
    uses = {
        "n1": NodeUse("n1", "source.input"), "n2": NodeUse("n2", "face.mesh"), "n3": NodeUse("n3", "face.pick"),
        "n4": NodeUse("n4", "face.crop"), "n5": NodeUse("n5", "colour.invert"), "n6": NodeUse("n6", "face.paste", params=freeze({"seamless": 0.0})),
        "n7": NodeUse("n7", "sink.output"),
    }  # fmt: skip
    wires = [Wire(*w.split()) for w in (
        "n1 image n2 image", "n2 faces n3 faces", "n3 face n4 face", "n1 image n4 image", "n4 out n5 image", "n5 out n6 pictures",
        "n4 points n6 points", "n3 face n6 faces", "n1 image n6 image", "n6 out n7 image",
    )]  # fmt: skip
    shown = play(Effect(nodes=FrozenDict(uses), wires=tuple(wires)), [portrait], {})[-1]
    middle = (slice(105, 125), slice(212, 232))
    assert np.abs(shown[middle].astype(int) + portrait[middle] - 255).mean() < 6 and difference(shown, portrait, BEHIND) == 0


@pytest.mark.parametrize("working_space", ["srgb", "linear"])
def test_what_is_cut_and_pasted_is_the_picture_in_any_working_space(portrait: np.ndarray, effect: Effect, working_space: str) -> None:
    uses = {
        "n1": NodeUse("n1", "source.input"), "n2": NodeUse("n2", "face.mesh"), "n4": NodeUse("n4", "face.crop"),
        "n6": NodeUse("n6", "face.paste", params=freeze({"seamless": 0.0})), "n7": NodeUse("n7", "sink.output"),
    }  # fmt: skip
    wires = [Wire(*w.split()) for w in (
        "n1 image n2 image", "n2 faces n4 face", "n1 image n4 image", "n4 out n6 pictures", "n4 points n6 points",
        "n2 faces n6 faces", "n1 image n6 image", "n6 out n7 image",
    )]  # fmt: skip
    one = Effect(nodes=FrozenDict(uses), wires=tuple(wires), working_space=working_space)
    shown = play(one, [portrait], {})[-1]
    assert difference(shown, portrait, FACE) < 5.0  # sampled twice: a little softer
    assert abs(float(shown[FACE].mean()) - float(portrait[FACE].mean())) < 0.5
