"""Networks that take pictures: the declared layout against what the file says, ranges, orders, sizes."""

from __future__ import annotations

import numpy as np
import pytest

from spellwire.graph.errors import ModelError
from spellwire.runtime.models.model import open_model
from spellwire.runtime.models.pictures import Layout, PictureModel

NOTHING = np.zeros((1, 1, 1, 1), np.float32)


def picture(width: int = 8, height: int = 6) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (height, width, 3), dtype=np.uint8)


def through(model: PictureModel, shown: np.ndarray) -> np.ndarray:
    model.feed(shown)
    model.run()
    into = np.zeros((*model.shape(), 3), np.uint8)
    model.picture(into)
    return into


@pytest.mark.parametrize("axes", ["nchw", "nhwc"])
@pytest.mark.parametrize("words", [("0..1", "rgb"), ("-1..1", "bgr"), ("0..255", "rgb"), ("0..255", "bgr")])
def test_what_goes_in_comes_out(onnx, axes: str, words: tuple[str, str]) -> None:
    """A network that adds nothing gives the picture back, whatever way it is fed."""
    shape = [1, 3, 6, 8] if axes == "nchw" else [1, 6, 8, 3]
    takes, order = words
    with open_model(onnx(NOTHING, shape)) as model:
        for declared in (axes, "auto"):
            net = PictureModel(model, Layout(axes=declared, takes=takes, gives=takes, order=order))  # type: ignore[arg-type]
            assert net.size == (8, 6) and net.fixed and net.others == ()
            assert np.array_equal(through(net, picture()), picture())


def test_the_network_sees_what_was_declared(onnx) -> None:
    with open_model(onnx(NOTHING, [1, 3, 6, 8])) as model:
        net = PictureModel(model, Layout(takes="-1..1", order="bgr", mean=(0.1, 0.2, 0.3), std=(2.0, 1.0, 0.5)))
        net.feed(picture())
        plain = picture()[..., ::-1].transpose(2, 0, 1).astype(np.float64) / 127.5 - 1
        wanted = (plain - np.reshape((0.1, 0.2, 0.3), (3, 1, 1))) / np.reshape((2.0, 1.0, 0.5), (3, 1, 1))
        assert np.abs(model.input(0)[0] - wanted).max() < 1e-5


def test_values_beyond_the_range_and_no_numbers_are_clamped(onnx) -> None:
    constant = np.zeros((1, 3, 1, 4), np.float32)
    constant[0, 0, 0] = (np.nan, np.inf, -np.inf, 7.0)
    with open_model(onnx(constant, [1, 3, 1, 4])) as model:
        made = through(PictureModel(model, Layout()), np.zeros((1, 4, 3), np.uint8))
    assert made[0, :, 0].tolist() == [0, 255, 0, 255] and not made[..., 1:].any()


@pytest.mark.parametrize(
    ("shape", "layout", "says"),
    [
        ([1, 6, 8, 3], Layout(axes="nchw"), r"\(1, 6, 8, 3\).*as was declared.*nhwc"),
        ([1, 3, 6, 8], Layout(axes="nhwc"), r"\(1, 3, 6, 8\).*as was declared.*nchw"),
        ([1, 4, 6, 8], Layout(), r"\(1, 4, 6, 8\).*3 channels"),
        ([1, 3, 48], Layout(), r"\(1, 3, 48\).*four axes"),
        ([2, 3, 6, 8], Layout(), "2 pictures at a time"),
    ],
)
def test_a_file_that_is_not_as_declared_is_quoted(onnx, shape: list[int], layout: Layout, says: str) -> None:
    with open_model(onnx(np.zeros([1] * len(shape), np.float32), shape)) as model, pytest.raises(ModelError, match=says):
        PictureModel(model, layout)


def test_a_layout_that_can_not_be() -> None:
    with pytest.raises(ModelError, match="takes is one of"):
        Layout(takes="0..2")  # type: ignore[arg-type]
    with pytest.raises(ModelError, match="can't hold 0"):
        Layout(std=(1.0, 0.0, 1.0))


def test_free_sizes(onnx) -> None:
    with open_model(onnx(NOTHING, [1, 3, "h", "w"])) as model:
        net = PictureModel(model, Layout(multiple=4))
        assert net.size is None and net.fitting(101, 57.4) == (100, 56) and net.fitting(1, 1e9) == (4, 4096)
        for size in ((8, 4), (16, 12), (8, 4)):
            net.resize(*size)
            assert np.array_equal(through(net, picture(*size)), picture(*size))
    with open_model(onnx(NOTHING, [1, 3, 6, 8])) as model:
        net = PictureModel(model, Layout())
        assert net.fitting(100, 100) == (8, 6)
        with pytest.raises(ModelError, match="8×6 only, not 9×6"):
            net.resize(9, 6)


def test_one_plane(onnx) -> None:
    """A network whose output is no plane is refused where a plane is wanted, and the other way round."""
    with open_model(onnx(NOTHING, [1, 3, 6, 8])) as model, pytest.raises(ModelError, match="one plane"):
        PictureModel(model, Layout(), channels=1)


@pytest.mark.parametrize(("made", "says"), [({"op": "Frobnicate"}, "Frobnicate"), ({"domain": "acme"}, "acme"),
                                            ({"outside": "weights.bin"}, "in another file")])  # fmt: skip
def test_operations_nobody_knows_and_weights_elsewhere(onnx, made: dict[str, str], says: str) -> None:
    with pytest.raises(ModelError, match=says):
        open_model(onnx(NOTHING, [1, 3, 6, 8], **made))


def test_further_inputs_are_checked() -> None:
    """The any-style network takes a style as well: of 100 numbers, by name."""
    from spellwire.graph.errors import ModelUnavailable

    try:
        model = open_model("style/transform")
    except ModelUnavailable as error:
        pytest.skip(f"the model is not here and can't be fetched: {error}")
    with model:
        net = PictureModel(model, Layout())
        assert net.size == (384, 384) and len(net.others) == 1
        with pytest.raises(ModelError, match="also takes"):
            net.give({})
        with pytest.raises(ModelError, match="100 numbers, and 26 came in"):
            net.give({net.others[0]: np.zeros(26, np.float32)})
        net.give({net.others[0]: np.zeros(100, np.float32)})


def test_a_tflite_network(tflite) -> None:
    """Channels last, of one size: as TensorFlow's are."""
    with open_model(tflite(np.full((1, 6, 8, 3), 0.2, np.float32))) as model:
        made = through(PictureModel(model, Layout(takes="-1..1", gives="-1..1")), picture())
        assert np.abs(made.astype(float) - np.minimum(picture() + 0.1 * 255, 255)).max() <= 1
        with pytest.raises(ModelError, match="as was declared"):
            PictureModel(model, Layout(axes="nchw"))
