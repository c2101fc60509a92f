"""Geometry nodes: where pixels come from, and where what they give lies."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from one_node import picture, play

from spellwire.nodes.geometry import Crop, Resize
from spellwire.runtime.frames import Frame, Tick

H, W = 24, 32


def sampled(image: np.ndarray, x: np.ndarray, y: np.ndarray, mode: str) -> np.ndarray:
    """Bilinear at pixel centres + 0.5, with NumPy's padding modes."""
    pad = 200
    kinds = {"zero": {"mode": "constant"}, "clamp": {"mode": "edge"}, "mirror": {"mode": "symmetric"}}
    wide = np.pad(image.astype(float), [(pad, pad), (pad, pad), (0, 0)], **kinds[mode])
    x, y = x - 0.5 + pad, y - 0.5 + pad
    i, j = np.floor(x).astype(int), np.floor(y).astype(int)
    s, t = (x - i)[..., None], (y - j)[..., None]
    top = wide[j, i] * (1 - s) + wide[j, i + 1] * s
    bottom = wide[j + 1, i] * (1 - s) + wide[j + 1, i + 1] * s
    return top * (1 - t) + bottom * t


@pytest.mark.parametrize("outside", ["zero", "clamp", "mirror"])
def test_transform(outside: str) -> None:
    image = picture(1)
    got = play("geometry.transform", inputs={"image": image}, translate=(0.2, -0.1), rotate=30.0, scale=(1.5, 0.7),
               pivot=(0.1, 0.05), outside=outside)  # fmt: skip
    y, x = (np.mgrid[:H, :W] + 0.5) / H
    middle = (W / H / 2 + 0.1) + 1j * 0.55
    place = (x + 1j * y - middle - (0.2 - 0.1j)) * np.exp(-1j * math.radians(30))
    back = place.real / 1.5 + 1j * place.imag / 0.7 + middle
    wanted = sampled(image, back.real * H, back.imag * H, outside)
    assert np.abs(got - wanted).max() < 1e-4


def test_transform_moves_by_whole_pixels_exactly_and_masks_too() -> None:
    image, mask = picture(2), np.random.default_rng(1).random((H, W, 1)).astype(np.float32)
    moved = play("geometry.transform", inputs={"image": image}, translate=(3 / H, 2 / H))
    assert np.abs(moved[2:, 3:] - image[:-2, :-3]).max() < 1e-4 and moved[:2].max() == 0
    moved = play("geometry.transform_mask", inputs={"mask": mask}, rotate=180.0)
    assert np.abs(moved - mask[::-1, ::-1]).max() < 1e-4
    flat = play("geometry.transform", inputs={"image": image}, scale=(0.0, 1.0))
    assert np.isfinite(flat).all()


def test_an_opaque_picture_ends_transparent() -> None:
    """Alpha that is known to be 1 is 0 outside all the same."""
    from one_node import EvaluatorLibrary, Kept, registry_with_tests

    from spellwire.graph.effect import Effect, NodeUse, Wire
    from spellwire.runtime.engine.engine import Engine
    from spellwire.runtime.plan.compile import compile_effect

    nodes = {
        "in": NodeUse("source", "source.input"),
        "move": NodeUse("move", "geometry.transform", 1, {"translate": (0.25, 0.0)}),  # type: ignore[arg-type]
        "keep": NodeUse("keep", "test.keep_image", 1, {"name": "out"}),  # type: ignore[arg-type]
    }
    wires = (Wire("source", "image", "move", "image"), Wire("move", "out", "keep", "value"))
    effect = Effect(nodes=nodes, wires=wires)  # type: ignore[arg-type]
    engine = Engine(compile_effect(effect, nodes=registry_with_tests()), EvaluatorLibrary())
    engine.frame(Frame.of(np.full((H, W, 3), 255, np.uint8)), 0, 0)
    alpha = Kept.values["out"].data[..., 3]
    assert alpha[:, :6].max() < 1e-6 and alpha[:, 6:].min() > 1 - 1e-6
    engine.close()


def test_mirror() -> None:
    image = picture(3)
    assert np.abs(play("geometry.mirror", inputs={"image": image}) - image[:, ::-1]).max() < 1e-4
    got = play("geometry.mirror", inputs={"image": image}, across=False, down=True)
    assert np.abs(got - image[::-1]).max() < 1e-4


def frame_of(image: np.ndarray) -> Frame:
    return Frame.of(image)


TICK = Tick(width=W, height=H)


def test_resize_averages_and_keeps_its_place() -> None:
    image = picture(4)
    got = Resize().process(frame_of(image), 0.5)
    assert (got.width, got.height, got.space) == (16, 12, "frame")
    blocks = image.reshape(12, 2, 16, 2, 4).mean(axis=(1, 3))
    assert np.abs(got.data - blocks).max() < 1e-5
    corners = got.geometry.matrix @ np.array([[0, 16], [0, 12], [1, 1]])
    assert corners[:2].T.tolist() == [[0, 0], [W, H]]
    assert play("geometry.resize_mask", inputs={"mask": image[..., :1]}, height=0.25).shape == (6, 8, 1)


def test_resize_reuses_its_memory_and_never_its_inputs() -> None:
    node, given = Resize(), frame_of(picture(5))
    first = node.process(given, 0.5)
    assert node.process(given, 0.5).data is first.data
    same = node.process(given, 1.0)
    assert np.array_equal(same.data, given.data) and same.data is not given.data
    assert node.process(given, 0.01).data.shape == (1, 1, 4)


def test_crop_knows_where_it_lies() -> None:
    image = picture(6)
    got = Crop().process(frame_of(image), 5 / H, 4 / H, 7 / H, 2 / H, TICK)
    assert np.array_equal(got.data, image[4:-2, 5:-7])
    assert got.space != "frame" and got.geometry.to_frame == (1, 0, 5, 0, 1, 4)
    nothing = Crop().process(frame_of(image), 4.0, 1.0, 4.0, 1.0, TICK)
    assert nothing.data.shape == (1, 1, 4)
    half = Resize().process(frame_of(image), 0.5)
    inner = Crop().process(half, 4 / H, 0.0, 0.0, 0.0, TICK)
    assert (inner.width, inner.geometry.to_frame) == (14, (2, 0, 4, 0, 2, 0))


def placed(image: np.ndarray, left: float, top: float, width: float, height: float) -> np.ndarray:
    """Drawn into the frame by inverse mapping: edges in frame heights."""
    y, x = (np.mgrid[:H, :W] + 0.5) / H
    h, w = image.shape[:2]
    return sampled(image, (x - left) / width * w, (y - top) / height * h, "zero")


@pytest.mark.parametrize(
    ("params", "box"),
    [
        ({"how": "fit"}, (1 / 6, 0.0, 1.0, 1.0)),
        ({"how": "fill"}, (0.0, -1 / 6, 4 / 3, 4 / 3)),
        ({"how": "stretch"}, (0.0, 0.0, 4 / 3, 1.0)),
        ({"how": "size", "scale": 0.5}, (5 / 12, 0.25, 0.5, 0.5)),
        ({"how": "size", "scale": 0.5, "anchor": (0.0, 1.0)}, (0.0, 0.5, 0.5, 0.5)),
        ({"how": "fit", "anchor": (1.0, 0.0), "offset": (-0.1, 0.2)}, (1 / 3 - 0.1, 0.2, 1.0, 1.0)),
    ],
    ids=["fit", "fill", "stretch", "size", "anchored", "moved"],
)
def test_place_a_square_picture(params: dict, box: tuple[float, ...]) -> None:
    image = cv2.GaussianBlur(picture(7, width=40, height=40), (0, 0), 2.0)
    got = play("geometry.place", inputs={"image": image}, frame=(W, H), **params)
    assert got.shape == (H, W, 4)
    assert np.abs(got - placed(image, *box)).max() < 1e-3


def test_nodes_do_not_touch_what_they_are_given() -> None:
    image = picture(8)
    before, given = image.copy(), frame_of(image)
    Resize().process(given, 0.5)
    Crop().process(given, 0.1, 0.1, 0.1, 0.1, TICK)
    assert np.array_equal(image, before) and given.data is image
