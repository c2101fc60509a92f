"""One interface, two libraries: the same promises for both, on models whose result is worked out by hand."""

from __future__ import annotations

import hashlib
import sys
import threading
import tracemalloc

import numpy as np
import pytest

from spellwire.graph.errors import ModelError, ModelMismatch
from spellwire.runtime.models.model import open_model

X = np.array([[1.0, -2.0], [0.5, 8.0]], np.float32)
C = np.array([[10.0, 20.0], [30.0, 40.0]], np.float32)


@pytest.fixture(params=["tflite", "onnx"])
def tiny(request: pytest.FixtureRequest):
    """The same x + C as `.tflite` and as `.onnx`."""
    if request.param == "tflite":
        return request.getfixturevalue("tflite")(C)
    return request.getfixturevalue("onnx")(C, [2, 2])


def test_it_computes(tiny):
    with open_model(tiny) as model:
        model.input(0)[...] = X
        model.run()
        assert np.array_equal(model.output(0), [[11.0, 18.0], [30.5, 48.0]])
        assert (model.inputs[0].name, model.inputs[0].shape, model.inputs[0].dtype) == (
            "x",
            (2, 2),
            np.float32,
        )
        assert model.outputs[0].name == "y"


def test_tensors_have_names_and_places(tiny):
    with open_model(tiny) as model:
        model.input("x")[...] = X
        model.run()
        assert np.array_equal(model.output("y"), X + C)
        for wrong in ("z", 1, -1):
            with pytest.raises(ModelError, match="no tensor"):
                model.input(wrong)


def test_views_are_the_buffers_themselves(tiny):
    with open_model(tiny) as model:
        before = model.input(0), model.output(0)
        for k in range(3):
            before[0][...] = k
            model.run()
            assert np.array_equal(before[1], C + k)
        assert np.shares_memory(before[0], model.input(0)) and np.shares_memory(before[1], model.output(0))


def test_inputs_start_at_zero(tiny):
    with open_model(tiny) as model:
        model.run()
        assert np.array_equal(model.output(0), C)


def test_a_run_allocates_nothing(tiny):
    with open_model(tiny) as model:
        for _ in range(300):  # until Python's pools of small objects have settled
            model.run()
        tracemalloc.start()
        try:
            for _ in range(100):
                model.run()
                model.output(0)
            kept, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert kept < 2000 and peak < 4000, f"{kept} bytes kept, {peak} at peak, over 100 runs"


def test_views_outlive_the_model(tiny):
    model = open_model(tiny)
    model.input(0)[...] = X
    model.run()
    result = model.output(0)
    model.close()
    del model
    assert np.array_equal(result, X + C)


def test_a_closed_model_says_so(tiny):
    model = open_model(tiny)
    model.close()
    model.close()
    for use in (model.run, model.input, model.output, lambda: model.resize(0, (2, 2))):
        with pytest.raises(ModelError, match="closed"):
            use()


def test_feed_checks_shape_and_dtype(tiny):
    with open_model(tiny) as model:
        model.feed("x", X)
        for wrong in (X[:1], X.astype(np.float64), X[None]):
            with pytest.raises(ModelError, match=r"takes \(2, 2\) float32"):
                model.feed(0, wrong)
        model.run()
        assert np.array_equal(model.output(0), X + C)


def test_a_shape_the_network_cannot_take(tiny):
    with open_model(tiny) as model:
        with pytest.raises(ModelError, match="can't take"):
            model.resize(0, (3, 5))
        model.input(0)[...] = X
        model.run()
        assert np.array_equal(model.output(0), X + C)


def test_resize_tflite(tflite):
    with open_model(tflite(np.array([1.0, 2.0], np.float32))) as model:
        old = model.input(0)
        model.resize(0, (3, 2))
        model.input(0)[...] = [[0, 0], [1, 1], [2, 2]]
        old[...] = 99  # the old view is harmless
        model.run()
        assert np.array_equal(model.output(0), [[1, 2], [2, 3], [3, 4]])


def test_resize_onnx(onnx):
    with open_model(onnx(np.array([1.0, 2.0], np.float32), ["n", 2])) as model:
        assert model.inputs[0].shape == (None, 2)
        for act in (model.run, model.input):
            with pytest.raises(ModelError, match="resize"):
                act()
        for n in (3, 1, 3):
            model.resize(0, (n, 2))
            model.input(0)[...] = np.arange(n)[:, None]
            model.run()
            model.run()
            assert np.array_equal(model.output(0), np.arange(n)[:, None] + [1, 2])
        with pytest.raises(ModelError, match="can't take"):
            model.resize(0, (2, 3))


@pytest.mark.parametrize("suffix", [".tflite", ".onnx"])
@pytest.mark.parametrize("damage", ["empty", "text", "half", "one byte short"])
def test_a_broken_file(suffix, damage, tflite, onnx, tmp_path):
    whole = (tflite(C) if suffix == ".tflite" else onnx(C, [2, 2])).read_bytes()
    broken = {
        "empty": b"",
        "text": b"hello " * 50,
        "half": whole[: len(whole) // 2],
        "one byte short": whole[:-1],
    }
    path = tmp_path / f"broken{suffix}"
    path.write_bytes(broken[damage])
    with pytest.raises(ModelError, match=r"broken\.(tflite|onnx)"):
        open_model(path)


def test_a_custom_operation_of_litert(tflite):
    with pytest.raises(ModelError, match="operation Nonsense, which LiteRT doesn't have"):
        open_model(tflite(C, custom="Nonsense"))


def test_a_custom_operation_of_onnx_is_refused(onnx):
    with pytest.raises(ModelError, match="'my.ops'"):
        open_model(onnx(C, [2, 2], op="Evil", domain="my.ops"))


def test_weights_outside_the_file_are_refused(onnx):
    with pytest.raises(ModelError, match="another file"):
        open_model(onnx(C, [2, 2], outside="../../etc/passwd"))


def test_an_operation_unknown_to_onnx_runtime(onnx):
    with pytest.raises(ModelError, match="can't be loaded by ONNX Runtime"):
        open_model(onnx(C, [2, 2], op="NoSuchOperation"))


def test_other_files_and_missing_ones(tmp_path):
    (tmp_path / "weights.pt").write_bytes(b"x")
    with pytest.raises(ModelError, match=r"neither \.tflite .* nor \.onnx"):
        open_model(tmp_path / "weights.pt")
    with pytest.raises(ModelError, match="no model file"):
        open_model(tmp_path / "none.onnx")
    with pytest.raises(ModelError, match="registry has no model"):
        open_model("no/such/model")


def test_a_file_of_ones_own_is_checked_against_its_hash(tiny):
    digest = hashlib.sha256(tiny.read_bytes()).hexdigest()
    open_model(tiny, sha256=digest).close()
    with pytest.raises(ModelMismatch, match=f"{digest}.*{'0' * 64}"):
        open_model(tiny, sha256="0" * 64)


def test_threads_must_be_at_least_one(tiny):
    with pytest.raises(ModelError, match="at least one thread"):
        open_model(tiny, threads=0)


def test_an_execution_provider_that_is_not_here(onnx):
    with pytest.raises(ModelError, match="NoSuchProvider"):
        open_model(onnx(C, [2, 2]), profile={"providers": ["NoSuchProvider"]})
    open_model(onnx(C, [2, 2]), profile={"providers": ["NoSuchProvider", "CPUExecutionProvider"]}).close()


def test_onnx_run_releases_the_gil(onnx):
    n = 768
    with open_model(onnx(np.eye(n, dtype=np.float32), [n, n], op="MatMul")) as model:
        assert advances_while(model.run)


def test_tflite_run_releases_the_gil(real_models):
    with open_model("mediapipe/selfie_segmentation") as model:
        assert advances_while(model.run)


def advances_while(run) -> bool:
    """Whether another Python thread gets on during a call, where nothing but a released GIL can let it."""
    count, stop = [0], threading.Event()

    def counting():
        while not stop.is_set():
            count[0] += 1

    interval = sys.getswitchinterval()
    other = threading.Thread(target=counting)
    other.start()
    try:
        sys.setswitchinterval(0.5)  # far longer than the calls: nobody is made to let go
        for _ in range(20):
            before = count[0]
            run()
            if count[0] - before > 100:
                return True
        return False
    finally:
        stop.set()
        sys.setswitchinterval(interval)
        other.join()
