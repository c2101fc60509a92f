"""Masks of faces' parts: where they should be on a drawn face and on a portrait, still on a still face, nothing where no face is."""

from __future__ import annotations

from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from spellwire.graph.errors import ModelUnavailable
from spellwire.nodes.face import FaceWidth
from spellwire.nodes.facemask import FacePartMasks
from spellwire.runtime.frames import Frame, Geometry, Tick
from spellwire.runtime.models.resolver import resolve
from spellwire.runtime.perception.face import make_state
from spellwire.runtime.perception.face_masks import MASKS, FaceMasks, face_width
from spellwire.runtime.perception.headframe import Shown
from spellwire.runtime.perception.topology import GEOMETRY, read_topology
from spellwire.runtime.values import FaceItem, Items


@pytest.fixture(scope="module")
def canonical() -> np.ndarray:
    """(468, 2) of the canonical face, face widths, y down, about its middle."""
    try:
        positions = read_topology(resolve(GEOMETRY)).positions
    except ModelUnavailable as error:
        pytest.skip(f"MediaPipe's face geometry can't be had: {error}")
    return positions * (1, -1, -1) / 15.5


def face_at(canonical: np.ndarray, x: float, y: float, width: float, number: int = 1) -> FaceItem:
    points = canonical * width + (x, y, 0)
    return FaceItem(number, points.astype(np.float32))


def full(rasters: list[np.ndarray], geometry: Geometry, size: tuple[int, int]) -> dict[str, np.ndarray]:
    """All masks at the frame's size, by name."""
    cell, _, left, _, _, top = geometry.to_frame
    matrix = np.array([[cell, 0, left + cell / 2 - 0.5], [0, cell, top + cell / 2 - 0.5]])
    four = [cv2.warpAffine(r, matrix, size) for r in rasters]
    return dict(zip(MASKS, [*cv2.split(four[0]), *cv2.split(four[1])], strict=True))


def place(face: FaceItem, *points: int) -> tuple[int, int]:
    """Row and column in the middle of some landmarks."""
    x, y = face.landmarks[list(points), :2].mean(0)
    return int(y), int(x)


def test_each_part_is_where_it_is(canonical):
    face = face_at(canonical, 640, 360, 400)
    face.landmarks[14] += (0, 30, 0)  # an open mouth
    masks = full(*FaceMasks().draw([Shown(face, 1.0)], 1280, 720)[:2], (1280, 720))
    forehead, eye, lip, brow = place(face, 151), place(face, 159, 145), place(face, 0, 11), place(face, 105, 66, 52)
    ring, between = place(face, 23, 230), place(face, 13, 14)
    assert masks["skin"][forehead] > 0.85 and masks["face"][forehead] > 0.85
    for name, at in {"eyes": eye, "lips": lip, "brows": brow, "mouth": between, "under_eyes": ring}.items():
        assert masks[name][at] > 0.5, name
        if name != "under_eyes":
            assert masks["skin"][at] < 0.35, name
    assert masks["lips"][between] < 0.1 and masks["eyes"][forehead] == 0
    assert all(m[5, 5] == 0 and m[360, 1000] == 0 for m in masks.values())
    assert masks["irises"].max() == 0  # this mesh has none


def test_the_middle_of_a_mask_is_where_the_part_is(canonical):
    """To a fraction of a pixel, wherever the grid lies."""
    for x in (600.0, 600.4, 603.3):
        face = face_at(canonical, x, 360.25, 300)
        masks = full(*FaceMasks().draw([Shown(face, 1.0)], 1280, 720)[:2], (1280, 720))
        moments = cv2.moments(masks["eyes"])
        eyes = face.landmarks[[33, 133, 159, 145, 263, 362, 386, 374], 0].mean()
        assert moments["m10"] / moments["m00"] + 0.5 == pytest.approx(eyes, abs=0.3)


def test_it_moves_smoothly_and_the_grid_holds_still(canonical):
    masks, cells, changes, before = FaceMasks(), set(), [], None
    cell = 0
    for i in range(20):
        face = face_at(canonical, 500 + 0.7 * i, 300, 250 * 1.004**i)
        rasters, geometry, cell = masks.draw([Shown(face, 1.0)], 1280, 720, before=cell)
        skin = full(rasters, geometry, (1280, 720))["skin"]
        if before is not None:
            changes.append(np.abs(skin - before).mean())
        before = skin
        cells.add(cell)
    assert len(cells) == 1 and max(changes) < 2.5 * np.median(changes)


def test_two_faces_and_one_that_fades(canonical):
    near, far = face_at(canonical, 300, 360, 300, 1), face_at(canonical, 900, 300, 120, 2)
    masks = full(*FaceMasks().draw([Shown(near, 1.0), Shown(far, 0.5)], 1280, 720)[:2], (1280, 720))
    assert masks["skin"][place(near, 151)] > 0.85
    assert masks["skin"][place(far, 151)] == pytest.approx(0.45, abs=0.06)


@pytest.mark.parametrize("face", ["none", "nan", "outside", "tiny"])
def test_no_face_is_no_mask(canonical, face):
    given = {"none": [], "tiny": [Shown(face_at(canonical, 99, 99, 0.3), 1.0)], "outside": [Shown(face_at(canonical, -400, 99, 200), 1.0)]}
    broken = face_at(canonical, 99, 99, 50)
    broken.landmarks[7] = np.nan
    rasters, geometry, cell = FaceMasks().draw(given.get(face, [Shown(broken, 1.0)]), 1280, 720)
    assert cell == 0 and (geometry.width, geometry.height) == (1, 1)
    assert all(r.max() == 0 for r in rasters)


def test_a_face_over_the_edge_and_a_huge_one(canonical):
    for x, width in ((0, 300), (640, 3000)):
        rasters, geometry, _ = FaceMasks().draw([Shown(face_at(canonical, x, 360, width), 1.0)], 1280, 720)
        assert geometry.width * geometry.height <= 1 << 17 and np.isfinite(rasters[0]).all() and rasters[0].max() > 0.9


def test_the_skins_colour_on_a_portrait(tracker, portrait):
    """The node learns it, and follows a change of light within half a second."""
    faces = Items(tracker("fast").track(portrait, 0, make_state()), width=512, height=512)
    node, state = FacePartMasks(), SimpleNamespace(shown=None, cell=0, colours=None)
    node.open(None)

    def play(image: np.ndarray, faces: Items, i: int) -> tuple[Frame, ...]:
        return node.process(Frame.of(image), faces, 0.015, 0.1, Tick(i * 33_333, 1 / 30 if i else 0.0, i, 512, 512), state)

    _, _, tone = play(portrait, faces, 0)
    (red, green, bright), known = state.colours[1], tone.data[tone.height // 2, tone.width // 2, 3]
    assert known == 1 and 0.37 < red < 0.5 and 0.28 < green < 0.35 and 0.3 < bright < 0.9
    for i in range(1, 60):
        play(portrait // 2, faces, i)
    assert state.colours[1][2] == pytest.approx(bright / 2, abs=0.03)
    for i in range(60, 70):
        drawn, _, _ = play(portrait, Items(), i)
    assert drawn.data.max() == 0 and not state.colours


def test_each_face_has_its_own_skin(canonical):
    """A pale face and a dark one: each colour is learnt, and lies around its own face."""
    pale, dark = face_at(canonical, 300, 360, 200, 1), face_at(canonical, 900, 360, 200, 2)
    image = np.full((720, 1280, 3), 40, np.uint8)
    image[:, :600], image[:, 600:] = (230, 190, 170), (90, 55, 40)
    node, state = FacePartMasks(), SimpleNamespace(shown=None, cell=0, colours=None)
    node.open(None)
    _, _, tone = node.process(Frame.of(image), Items((pale, dark)), 0.015, 0.1, Tick(0, 0.0, 0, 1280, 720), state)
    cell, _, left, _, _, top = tone.geometry.to_frame
    for x, light in ((300, 0.76), (900, 0.24)):
        assert tone.data[int((360 - top) / cell), int((x - left) / cell), 2] == pytest.approx(light, abs=0.03)


def test_width_is_held_and_does_not_shrink_in_profile(canonical):
    node, state = FaceWidth(), SimpleNamespace(last=0.25)
    tick = Tick(0, 0.0, 0, 1280, 720)
    assert node.process(None, tick, state) == 0.25
    face = face_at(canonical, 640, 360, 200)
    ahead = node.process(face, tick, state)
    assert ahead == pytest.approx(200 / 720, rel=0.03)
    turn = cv2.Rodrigues(np.array([0, np.radians(60), 0]))[0]
    aside = FaceItem(1, ((canonical * 200) @ turn.T + (640, 360, 0)).astype(np.float32))
    assert node.process(aside, tick, state) == pytest.approx(ahead, rel=0.03)
    assert node.process(None, tick, state) == pytest.approx(ahead, rel=0.03) and face_width(face.landmarks) > 190
