"""Faces as surfaces: where they lie, what they leave out, how they fade."""

from __future__ import annotations

import zipfile
from types import SimpleNamespace

import numpy as np
import pytest
from shared_assets import ASSETS

from spellwire.graph.errors import ModelMismatch
from spellwire.nodes.surface import FaceSurface
from spellwire.runtime.frames import Frame, Tick
from spellwire.runtime.perception.topology import read_topology

from .conftest import COLUMNS, ROWS, dome, face_at, faces


@pytest.fixture
def node(context, geometry) -> FaceSurface:
    made = FaceSurface()
    made.open(context)
    return made


def drawn(node: FaceSurface, items, state=None, **given) -> Frame:
    tick = Tick(width=items.width, height=items.height)
    asked = {"feather": 0.1, "smoothing": 1, "resolution": 400.0} | given
    return node.process(items, **asked, tick=tick, state=state or SimpleNamespace(scale=0))


def place(frame: Frame, x: float, y: float) -> np.ndarray:
    """The surface's pixel at a place of the frame."""
    a, b, c, d, e, f = frame.geometry.from_frame()
    return frame.data[int(d * x + e * y + f), int(a * x + b * y + c)]


def test_a_face_lies_where_its_landmarks_are(node):
    found = drawn(node, faces(face_at(300, 180, 120)))
    assert found.geometry.to_frame[0] == 1.0
    assert found.width < 140 and found.height < 190
    middle = place(found, 300, 180)
    assert middle[0] == 1.0 and middle[5] > 0.99
    np.testing.assert_allclose(middle[1:3], 0.5, atol=0.02)  # uv
    assert middle[6] == pytest.approx(5 * 120 / 15 / 360, rel=0.03)  # depth in frame heights
    left, right, top = place(found, 265, 180), place(found, 335, 180), place(found, 300, 130)
    assert left[3] < -0.2 and right[3] > 0.2 and top[4] > 0.2  # x right, y up


def test_it_fades_in_from_its_outline(node):
    row = {}
    for feather in (0.0, 0.1, 0.3):
        found = drawn(node, faces(face_at(300, 180, 120)), feather=feather)
        row[feather] = found.data[found.height // 2, : found.width // 2, 0].copy()
        assert not found.data[[0, -1]].any() and not found.data[:, [0, -1]].any()  # empty all round
    assert row[0.0].sum() > row[0.1].sum() > row[0.3].sum()
    assert (np.diff(row[0.3]) > -1e-3).all()
    assert np.diff(row[0.3]).max() < 0.15  # soft


def test_a_turned_face_has_no_hard_edge(node):
    found = drawn(node, faces(face_at(300, 180, 120, turn=55)), feather=0.1)
    steps = np.abs(np.diff(found.data[found.height // 2, :, 0]))
    assert found.data[..., 0].max() == 1.0
    assert steps.max() < 0.5


def test_nobody_is_an_empty_surface(node):
    found = drawn(node, faces())
    assert not found.data.any() and found.data.shape[2] == 8


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_face_with_a_broken_landmark_is_left_out(node, bad):
    broken, fine = face_at(150, 180, 100, 1), face_at(450, 180, 100, 2)
    broken.landmarks[7, 2] = bad
    found = drawn(node, faces(broken, fine))
    assert found.geometry.to_frame[2] > 380
    assert set(np.unique(found.data[..., 7])) == {0.0, 1.0}  # the index counts all items
    assert not drawn(node, faces(broken)).data.any()


def test_the_larger_face_goes_over_the_smaller(node):
    small, large = face_at(330, 180, 90, 1), face_at(280, 180, 140, 2)
    for items in (faces(small, large), faces(large, small)):
        found = drawn(node, items)
        index = items.items.index(large)
        assert place(found, 300, 180)[7] == index
        assert place(found, 368, 180)[7] == 1 - index


def test_two_faces_lie_in_one_surface(node):
    found = drawn(node, faces(face_at(150, 120, 90, 1), face_at(480, 240, 110, 2)))
    assert place(found, 150, 120)[7] == 0 and place(found, 480, 240)[7] == 1
    assert not place(found, 320, 180).any()


@pytest.mark.parametrize("where", [(0, 180), (640, 180), (300, 0), (300, 360), (5, 355)])
def test_half_outside_the_frame(node, where):
    found = drawn(node, faces(face_at(*where, 200)))
    assert found.data[..., 0].max() == 1.0
    left, top = found.geometry.to_frame[2], found.geometry.to_frame[5]
    assert left >= -2 and top >= -2 and left + found.width <= 642 and top + found.height <= 362


def test_wholly_outside_is_empty(node):
    assert not drawn(node, faces(face_at(-300, 180, 200))).data.any()


def test_a_large_face_is_drawn_coarser_in_the_same_place(node):
    items = faces(face_at(600, 400, 500), width=1280, height=720)
    fine, coarse = drawn(node, items, resolution=512.0), None
    before = [place(fine, x, 400).copy() for x in (450, 600, 700)]
    coarse = drawn(node, items, resolution=128.0)
    assert coarse.geometry.to_frame[0] == 4.0 and coarse.width * 4 < 540
    for x, expected in zip((450, 600, 700), before, strict=True):
        np.testing.assert_allclose(place(coarse, x, 400)[:7], expected[:7], atol=0.03)


def test_the_scale_does_not_flicker(node):
    state, seen = SimpleNamespace(scale=0), set()
    for width in (140, 150, 138, 152, 141, 149):  # about where it would round up and down
        drawn(node, faces(face_at(300, 180, width)), state, resolution=100.0)
        seen.add(state.scale)
    assert len(seen) == 1


def test_four_faces_all_over_a_large_frame_stay_within_the_memory(node):
    items = [face_at(x, y, 60, i) for i, (x, y) in enumerate([(60, 60), (3780, 60), (60, 2100), (3780, 2100)])]
    found = drawn(node, faces(*items, width=3840, height=2160))
    assert found.width * found.height <= 1 << 18
    assert place(found, 3780, 2100)[7] == 3


def test_the_same_faces_give_the_same_bytes(node):
    items = faces(face_at(300, 180, 120, turn=30), face_at(380, 170, 100, 2))
    first = drawn(node, items).data.copy()
    drawn(node, faces(face_at(100, 100, 90)))
    np.testing.assert_array_equal(first, drawn(node, items).data)


def test_the_mesh_is_read_from_the_file(geometry):
    mesh = read_topology(geometry)
    np.testing.assert_allclose(mesh.positions, dome())
    assert len(mesh.triangles) == 2 * (COLUMNS - 1) * (ROWS - 1)
    assert (mesh.beyond < 0).sum() == 2 * (COLUMNS - 1) + 2 * (ROWS - 1)
    inset = mesh.inset.reshape(ROWS, COLUMNS)
    assert (inset[[0, -1]] == 0).all() and (inset[:, [0, -1]] == 0).all() and inset[ROWS // 2, COLUMNS // 2] > 0.4


@pytest.mark.parametrize("damage", [b"", b"not a protocol buffer", None])
def test_a_damaged_file_is_said(geometry, damage):
    data = geometry.read_bytes()
    geometry.write_bytes(data[: len(data) // 2] if damage is None else damage)
    with pytest.raises(ModelMismatch, match="no face mesh of 468 points"):
        read_topology(geometry)


def test_the_real_mesh_is_closed_but_for_its_outline(tmp_path):
    bundle = ASSETS / "models" / "mediapipe" / "face_landmarker.task"
    if not bundle.exists():
        pytest.skip(f"the shared test assets are not here ({bundle})")
    name = "geometry_pipeline_metadata_landmarks.binarypb"
    with zipfile.ZipFile(bundle) as archive:
        archive.extract(name, tmp_path)
    mesh = read_topology(tmp_path / name)
    assert len(mesh.triangles) == 898 and (mesh.beyond < 0).sum() == 36  # eyes and mouth are covered
    a, b, c = (mesh.positions[mesh.triangles[:, k]] for k in range(3))
    assert (np.cross(b - a, c - a)[:, 2] > 0).mean() > 0.98  # counter-clockwise from the front
    deepest = mesh.positions[mesh.inset.argmax()]
    assert abs(deepest[0]) < 1 and deepest[2] > 6  # the nose
    assert mesh.uv[10, 1] < mesh.uv[152, 1]  # forehead above chin
