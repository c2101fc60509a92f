"""The attention mesh in two parts: the cut, and what is done between them."""

from __future__ import annotations

import numpy as np
import pytest

from spellwire.graph.errors import ModelUnavailable
from spellwire.runtime.models.cut import CutError, cut, is_cut
from spellwire.runtime.models.resolver import resolve
from spellwire.runtime.perception.attention import PATCH, REGIONS, _places, _Sampler


@pytest.fixture(scope="module")
def network() -> bytes:
    try:
        return resolve("mediapipe/face_landmark").read_bytes()
    except ModelUnavailable as error:
        pytest.skip(f"the model is not here and can't be fetched: {error}")


def interpreter(data: bytes):
    from ai_edge_litert.interpreter import Interpreter

    made = Interpreter(model_content=data, num_threads=1)
    made.allocate_tensors()
    return made


def run(made, value: np.ndarray, output: int) -> np.ndarray:
    made.set_tensor(made.get_input_details()[0]["index"], value)
    made.invoke()
    return made.get_tensor(output).copy()


def test_two_parts_give_what_the_whole_gives(network):
    """Cut a whole network at a tensor inside, and carry it over by hand."""
    whole = interpreter(network)
    start, end = whole.get_input_details()[0]["index"], whole.get_output_details()[0]["index"]
    made = [op for op in whole._get_ops_details() if op["op_name"] == "ADD"]
    middle = int(made[3]["outputs"][0])
    first = interpreter(cut(network, f"{start}>{middle}"))
    second = interpreter(cut(network, f"{middle}>{end}"))
    picture = np.random.default_rng(0).random((1, 192, 192, 3), np.float32)
    wanted = run(whole, picture, end)
    carried = run(first, picture, middle)
    assert np.allclose(run(second, carried, end), wanted, rtol=1e-4, atol=1e-3)
    assert np.ptp(carried) > 0 and np.ptp(wanted) > 0


def test_a_cut_is_always_the_same_bytes(network):
    assert cut(network, "0>35") == cut(network, "0>35")


@pytest.mark.parametrize("name", ["0>99999", "a>b", "0>", ">"])
def test_a_cut_that_does_not_fit(network, name):
    with pytest.raises(CutError, match="doesn't fit"):
        cut(network, name)


@pytest.mark.parametrize("length", [0, 7, 8, 40, 4000])
def test_a_file_that_is_cut_off(network, length):
    with pytest.raises(CutError):
        cut(network[:length], "0>35")


def test_only_a_network_can_be_cut(network):
    assert is_cut(network, "0>1") and not is_cut(network, "face.tflite") and not is_cut(b"PK\3\4zip and more", "0>1")


def face(turn: float = 0.0) -> np.ndarray:
    points = np.random.default_rng(1).normal(96, 20, (468, 2)).astype(np.float32)
    c, s = np.cos(turn), np.sin(turn)
    return ((points - 96) @ np.array([[c, s], [-s, c]]) + 96).astype(np.float32)


@pytest.mark.parametrize("turn", [0.0, 0.7, -2.0])
def test_patches_hold_their_points(turn):
    """In a patch's own units every point of its region lies inside, and the two level points lie level."""
    mesh = face(turn)
    origins, axes = _places(mesh)
    for region, origin, axis in zip(REGIONS, origins, axes, strict=True):
        inside = (mesh / 4 - origin) @ np.linalg.inv(axis)
        low, high = inside[region.points].min(0), inside[region.points].max(0)
        assert np.allclose(low, PATCH * (1 - 1 / 1.5) / 2, atol=1e-2)
        assert np.allclose(high, PATCH * (1 + 1 / 1.5) / 2, atol=1e-2)
        assert abs(inside[region.left, 1] - inside[region.right, 1]) < 1e-2
        assert inside[region.left, 0] < inside[region.right, 0]


def test_sampling_is_bilinear_and_zero_outside():
    rng = np.random.default_rng(2)
    features = rng.random((12, 12, 5), np.float32)
    patches = [np.empty((PATCH, PATCH, 5), np.float32) for _ in REGIONS]
    origins = np.array([[-1.0, 0.5], [3.2, 2.0], [2.0, 9.0]], np.float32)
    axes = rng.normal(0, 0.5, (3, 2, 2)).astype(np.float32)
    _Sampler(features, patches)(origins, axes)
    for patch, origin, axis in zip(patches, origins, axes, strict=True):
        for k in range(0, PATCH * PATCH, 7):
            x, y = np.array([k % PATCH + 0.5, k // PATCH + 0.5]) @ axis + origin - 0.5
            i, j = int(x), int(y)
            if 0 <= x <= 10.9 and 0 <= y <= 10.9:
                part, u, v = features[j : j + 2, i : i + 2], x - i, y - j
                wanted = (1 - v) * ((1 - u) * part[0, 0] + u * part[0, 1]) + v * ((1 - u) * part[1, 0] + u * part[1, 1])
                assert np.allclose(patch[k // PATCH, k % PATCH], wanted, atol=0.04)
            elif not (-1.1 < x < 12.1 and -1.1 < y < 12.1):
                assert (patch[k // PATCH, k % PATCH] == 0).all()
