"""Google's networks on a portrait whose face is where we know it is; speech detection on silence."""

from __future__ import annotations

import os
import sys

import cv2
import numpy as np
import pytest
from shared_assets import ASSETS

from spellwire.runtime.models.model import open_model

FACE = (slice(20, 240), slice(114, 334))  # rows and columns around the astronaut's face

pytestmark = pytest.mark.usefixtures("real_models")


@pytest.fixture(scope="module")
def portrait() -> np.ndarray:
    """The public-domain portrait of the scikit-image wheel: 512×512 RGB, 0..1."""
    data = pytest.importorskip("skimage.data", reason="scikit-image (the demo extra) is not installed")
    return data.astronaut().astype(np.float32) / 255


def test_face_mesh(portrait):
    with open_model("mediapipe/face_landmark") as model:
        cv2.resize(portrait[FACE], (192, 192), dst=model.input(0)[0], interpolation=cv2.INTER_AREA)
        model.run()
        points = model.output(0).reshape(468, 3).copy()
        assert model.output(1).item() > 0, "a face is there"
        model.input(0)[...] = 0.5
        model.run()
        assert model.output(1).item() < 0, "no face in plain grey"
    nose, chin, right_eye, left_eye, forehead = points[[1, 152, 33, 263, 10], :2]
    assert right_eye[0] < nose[0] < left_eye[0]
    assert forehead[1] < right_eye[1] < nose[1] < chin[1]
    assert points[:, :2].min() > 0 and points[:, :2].max() < 192
    assert 50 < left_eye[0] - right_eye[0] < 110


@pytest.mark.parametrize(
    ("name", "size"), [("selfie_segmentation", (256, 256)), ("selfie_segmentation_landscape", (256, 144))]
)
def test_person_mask(portrait, name, size):
    with open_model(f"mediapipe/{name}") as model:
        cv2.resize(portrait, size, dst=model.input(0)[0], interpolation=cv2.INTER_AREA)
        model.run()
        mask = cv2.resize(model.output(0)[0], (512, 512))
    assert mask.min() >= 0 and mask.max() <= 1
    assert mask[130, 224] > 0.9, "her face"
    assert mask[20, 480] < 0.1, "the wall"
    assert 0.3 < mask.mean() < 0.75


def test_the_same_bits_on_any_number_of_threads(portrait):
    results = []
    for threads in (1, 2, 3, 1):
        with open_model("mediapipe/selfie_segmentation", threads=threads) as model:
            cv2.resize(portrait, (256, 256), dst=model.input(0)[0], interpolation=cv2.INTER_AREA)
            model.run()
            model.run()
            results.append(model.output(0).tobytes())
    assert len(set(results)) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="counts threads in /proc")
@pytest.mark.parametrize("kind", ["tflite", "onnx"])
def test_threads_are_really_started(kind, onnx):
    path = onnx(np.eye(512, dtype=np.float32), [512, 512], op="MatMul")
    reference = "mediapipe/selfie_segmentation" if kind == "tflite" else path
    with open_model(reference, threads=1) as model:  # what the library starts once is started now
        model.run()
        before = len(os.listdir("/proc/self/task"))
        with open_model(reference, threads=3) as threaded:
            threaded.run()
            assert len(os.listdir("/proc/self/task")) == before + 2


def test_views_stay_where_they_are(portrait):
    """Effects bind the views when a plan is built; the arena may not move under them."""
    with open_model("mediapipe/face_landmark") as model:
        views = [model.input(0), model.output(0), model.output(1)]
        for _ in range(5):
            model.run()
        now = [model.input(0), model.output(0), model.output(1)]
        assert [view.ctypes.data for view in views] == [view.ctypes.data for view in now]


def test_voice_activity():
    """Free axes, a scalar input and a recurrent state in ONNX Runtime."""
    path = ASSETS / "models" / "speech" / "silero_vad.onnx"
    if not path.is_file():
        pytest.skip("no shared assets (SPELLWIRE_ASSETS)")
    with open_model(path) as model:
        model.resize("input", (1, 576))
        model.resize("state", (2, 1, 128))
        model.input("sr")[...] = 16000
        probabilities = []
        for _ in range(10):
            model.run()
            model.feed("state", model.output("stateN"))
            probabilities.append(model.output("output").item())
    assert max(probabilities) < 0.1, "silence is no speech"
    assert len(set(probabilities)) > 1, "the state came back in"
