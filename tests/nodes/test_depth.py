"""Depth nodes one by one: estimates, refinement, distances, surfaces, focus; and networks that give no depth."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from spellwire.graph.errors import ModelError, ModelUnavailable
from spellwire.nodes.depth import UNKNOWN, Distance, Estimate, Refine, ToSurface
from spellwire.nodes.focus import Focus, aperture_disc, lines
from spellwire.runtime.engine.context import NodeContext
from spellwire.runtime.frames import Frame, Geometry, Tick

WIDTH, HEIGHT = 160, 90
PARAMS = {p.name: p.default for p in Estimate.declaration.params}


def plane(value: Any) -> Frame:
    return Frame.of(np.broadcast_to(np.float32(value), (HEIGHT, WIDTH)).copy())


def halves(left: float, right: float) -> Frame:
    made = np.full((HEIGHT, WIDTH), left, np.float32)
    made[:, WIDTH // 2 :] = right
    return Frame.of(made)


def picture(left: int = 40, right: int = 200) -> Frame:
    made = np.full((HEIGHT, WIDTH, 3), left, np.uint8)
    made[:, WIDTH // 2 :] = right
    return Frame.of(made)


# -- estimate


def opened(**params: Any) -> Estimate:
    node = Estimate()
    try:
        node.open(NodeContext(params=PARAMS | params))
    except ModelUnavailable as error:
        pytest.skip(f"the model is not here and can't be fetched: {error}")
    return node


def test_an_estimate_lies_over_the_whole_picture() -> None:
    node, state = opened(), SimpleNamespace(past=None)
    image = Frame(picture().data, Geometry(WIDTH, HEIGHT, (2.0, 0.0, 10.0, 0.0, 2.0, 0.0)))
    scene, people = node.process(image, None, 0.6, Tick(), state)
    assert scene.data.shape == (224, 224, 1) and np.array_equal(scene.data, people.data)
    corner = scene.geometry.matrix @ (224, 224, 1)
    assert corner[:2] == pytest.approx((WIDTH * 2 + 10, HEIGHT * 2))
    mask = np.zeros((HEIGHT, WIDTH, 1), np.float32)
    mask[30:, 60:100] = 1
    scene, people = node.process(image, Frame.of(mask), 0.6, Tick(delta=0.1), state)
    assert not np.array_equal(scene.data, people.data) and np.isfinite(people.data).all()


@pytest.mark.parametrize(("model", "says"), [("style/transform", "one plane"), ("speech/silero_vad", "four axes"),
                                             ("depth/fastdpeth", "depth/fastdepth")])  # fmt: skip
def test_networks_that_give_no_depth_are_refused_when_opened(model: str, says: str) -> None:
    with pytest.raises(ModelError, match=says):
        opened(model=model)


def test_a_layout_that_the_file_contradicts() -> None:
    with pytest.raises(ModelError, match=r"\(1, 3, 224, 224\).*as was declared"):
        opened(axes="nhwc")


# -- refine


def refined(image: Frame, depth: Frame, people: Frame | None, mask: np.ndarray, **params: float) -> np.ndarray:
    """What the node's kernel gives, by NumPy."""
    import cv2

    node = Refine()
    node.open(None)
    how = {"edge": 0.5, "separation": 1.6} | params
    fit, front = node.process(image, depth, people, **how)
    fit, front = (cv2.resize(f.data, (WIDTH, HEIGHT)) for f in (fit, front))
    rgb = image.data / 255
    scene = np.clip((rgb * fit[..., :3]).sum(-1) + fit[..., 3], 0.02, 5)
    return 1 / (scene + (np.clip(front, 0.02, 5) - scene) * np.clip((mask - 0.3) / 0.7, 0, 1))


def test_a_soft_depth_takes_the_pictures_edge() -> None:
    import cv2

    soft = Frame.of(cv2.GaussianBlur(halves(1.0, 4.0).data[..., 0], (0, 0), 8))
    shown = refined(picture(), soft, None, np.zeros((HEIGHT, WIDTH)))
    step = np.abs(np.diff(shown[HEIGHT // 2]))
    assert step.argmax() == WIDTH // 2 - 1 and step.max() > 5 * np.abs(np.diff(soft.data[HEIGHT // 2, :, 0])).max()


def test_people_stand_in_front() -> None:
    mask = np.zeros((HEIGHT, WIDTH))
    mask[:, 40:80] = 1
    near = refined(picture(90, 90), plane(2.0), plane(1.9), mask, separation=1.6)
    assert abs(near[45, 60] - 2.0 / 1.6) < 0.02 and abs(near[45, 120] - 2.0) < 0.02
    theirs = refined(picture(90, 90), plane(4.0), plane(1.0), mask, separation=1.6)
    assert abs(theirs[45, 60] - 1.0) < 0.02


def test_before_the_first_result_nothing_is_known() -> None:
    nothing = Frame(np.zeros((1, 1, 1), np.float32), Geometry(1, 1, (WIDTH, 0.0, 0.0, 0.0, HEIGHT, 0.0)))
    shown = refined(picture(), nothing, nothing, np.zeros((HEIGHT, WIDTH)))
    assert np.abs(shown - UNKNOWN).max() < 0.05


# -- distance


def test_the_distance_of_what_a_mask_covers() -> None:
    node, state = Distance(), SimpleNamespace(last=None)
    mask = halves(1.0, 0.0)
    assert node.process(halves(1.5, 6.0), mask, 0.4, Tick(), state) == pytest.approx(1.5)
    assert node.process(halves(3.0, 6.0), mask, 0.4, Tick(delta=0.04), state) < 2.0  # it follows calmly
    for _ in range(60):
        found = node.process(halves(3.0, 6.0), mask, 0.4, Tick(delta=0.04), state)
    assert found == pytest.approx(3.0, rel=0.01)
    assert node.process(halves(9.0, 9.0), plane(0.0), 0.4, Tick(delta=0.04), state) == found  # nobody there: it stays
    assert Distance().process(plane(np.nan), None, 0.4, Tick(), SimpleNamespace(last=None)) == 2.0
    assert Distance().process(plane(5.0), None, 0.0, Tick(), SimpleNamespace(last=None)) == pytest.approx(5.0)


# -- surface


def normals_of(depth: np.ndarray, view: float = 60.0) -> np.ndarray:
    return ToSurface().process(Frame.of(depth.astype(np.float32)), 0.0, view, 2.0).data


@pytest.mark.parametrize("wanted", [(0.0, 0.0, 1.0), (0.6, 0.0, 0.8), (-0.3, 0.0, 0.954), (0.0, 0.6, 0.8), (0.3, -0.4, 0.866)])
def test_the_normals_of_planes(wanted: tuple[float, float, float]) -> None:
    """A plane n·P = −2 seen by a pinhole camera that looks along −z: its normal everywhere."""
    view, n = 60.0, np.array(wanted) / np.linalg.norm(wanted)
    pixel = 2 * np.tan(np.radians(view) / 2) / HEIGHT
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    ray = np.stack([(x + 0.5 - WIDTH / 2) * pixel, -(y + 0.5 - HEIGHT / 2) * pixel, -np.ones(x.shape)], -1)
    depth = -2 / (ray @ n)
    found = normals_of(depth, view)[5:-5, 5:-5, 3:6]
    assert np.abs(found - n).max() < 0.02


def test_a_surface_covers_and_knows_its_depth() -> None:
    made = normals_of(np.full((HEIGHT, WIDTH), 2.0))
    assert (made[..., 0] == 1).all() and np.abs(made[..., 6]).max() < 1e-5  # 2 m is the plane of the frame
    assert normals_of(np.full((HEIGHT, WIDTH), 1.0))[0, 0, 6] == pytest.approx(0.5)  # nearer is larger
    assert np.isfinite(normals_of(np.zeros((HEIGHT, WIDTH)))).all()


# -- focus


def focused(image: Frame, depth: Frame, **params: float) -> tuple[Frame, Frame]:
    node = Focus()
    node.open(None)
    how = {"distance": 1.0, "aperture": 0.03, "range": 0.15, "highlights": 0.0} | params
    return node.process(image, depth, **how)


def test_what_is_sharp_does_not_bleed_into_what_is_behind_it() -> None:
    """Left: bright and in focus; right: dark and far. The blur of the right stays dark up to the edge."""
    behind, _ = focused(picture(250, 20), halves(1.0, 8.0))
    colour = behind.data[..., :3] / behind.data[..., 3:]
    row = colour[behind.height // 2, behind.width // 2 + 2 :, 0]
    assert row.max() < 20 / 255 + 0.12
    _, before = focused(picture(250, 20), halves(1.0, 8.0))
    assert before.data[..., 3].max() < 0.02


def test_what_is_before_the_focus_spreads_over_it() -> None:
    """Left: near and out of focus. Its blur covers part of the sharp right side."""
    _, before = focused(picture(250, 20), halves(0.4, 2.0), distance=2.0)
    cover = before.data[before.height // 2, :, 3]
    assert cover[: before.width // 3].min() > 0.9 and cover[before.width // 2] > 0.15 and cover[-3] < 0.02


def test_bright_spots_weigh_more() -> None:
    spot = picture(20, 20)
    spot.data[40:44, 80:84] = 255
    plain, bright = (focused(spot, plane(8.0), highlights=h)[0].data for h in (0.0, 8.0))
    assert (bright[..., 0] / bright[..., 3]).max() > 1.5 * (plain[..., 0] / plain[..., 3]).max()


def test_a_disc_and_the_size_of_its_grid() -> None:
    for radius in (0.4, 1.0, 2.7, 6.0):
        disc = aperture_disc(radius)
        assert disc.sum() == pytest.approx(1.0) and np.array_equal(disc, disc[::-1, ::-1]) and disc[len(disc) // 2, 0] <= disc.max()
    assert lines(0.0, 720) == 240 and lines(0.04, 720) < 240 and lines(0.04, 10) == 10
