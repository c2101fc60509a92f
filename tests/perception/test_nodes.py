"""The nodes, as the engine plays them."""

from __future__ import annotations

from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from one_node import EvaluatorLibrary, Kept, effect_of, plan_of

from spellwire.graph.effect import Effect, NodeUse, Wire
from spellwire.nodes.face import PARTS, FacePoints, Pick, to_frame
from spellwire.nodes.segment import stretched
from spellwire.runtime.engine.engine import Engine
from spellwire.runtime.frames import Frame, Geometry, Tick
from spellwire.runtime.perception.face import MODELS
from spellwire.runtime.perception.segment import MODELS as PERSON_MODELS
from spellwire.runtime.values import FaceItem, Items

STEP = 33_333


def item(number: int, x: float, y: float, size: float) -> FaceItem:
    corners = np.array([[x, y, 0], [x + size, y, 0], [x, y + size, 0]], np.float32)
    return FaceItem(number, np.tile(corners, (159, 1))[:468])


@pytest.fixture
def faces() -> Items:
    return Items((item(1, 0, 0, 50), item(3, 300, 200, 80), item(4, 500, 300, 60)), width=640, height=480)


def test_pick(faces):
    pick = Pick()
    assert pick.process(faces, "largest", 0).id == 3
    assert pick.process(faces, "middle", 0).id == 3
    assert [pick.process(faces, "index", i).id for i in range(3)] == [1, 3, 4]
    assert pick.process(faces, "index", 3) is None
    assert all(pick.process(Items(), by, 0) is None for by in ("largest", "middle", "index"))


def test_points_of_a_part(faces):
    face, place = faces[0], FacePoints()
    assert place.process(face, "all") is face.landmarks
    assert place.process(face, "lips").shape == (20, 3)
    assert place.process(face, "irises").shape == (0, 3)  # this mesh has none
    assert place.process(None, "all").shape == (0, 3)
    assert all(len(set(part)) == len(part) for part in PARTS.values())


def test_landmarks_in_frame_pixels():
    """A picture at half size, turned a quarter: x and y by the map, z by its scale."""
    face = FaceItem(1, np.array([[10, 20, 4]], np.float32))
    to_frame((face,), Geometry(100, 100, (0, -2, 300, 2, 0, 5)))
    assert face.landmarks.tolist() == [[260, 25, 8]]


def test_a_small_raster_over_a_picture_covers_it():
    geometry = stretched(256, 144, Geometry(640, 360, (2, 0, 7, 0, 2, 9)))
    assert geometry.to_frame == (5, 0, 7, 0, 5, 9)
    corner = geometry.matrix @ (256, 144, 1)
    assert corner[:2].tolist() == [640 * 2 + 7, 360 * 2 + 9]


def engine_of(type_id: str, **params) -> Engine:
    """source.input → the node → what a test keeps."""
    alone = effect_of(type_id, {}, params)
    nodes = {**alone.nodes, "in": NodeUse("in", "source.input")}
    effect = Effect(nodes=nodes, wires=(*alone.wires, Wire("in", "image", "node", "image")))
    return Engine(plan_of(effect), EvaluatorLibrary())


def play(engine: Engine, images) -> list:
    out = []
    for i, image in enumerate(images):
        Kept.values.clear()
        engine.frame(Frame.of(image), i * STEP, i)
        assert not engine.failures, next(iter(engine.failures.values())).error
        (value,) = Kept.values.values()
        out.append(value.data.copy() if isinstance(value, Frame) else value)
    return out


@pytest.mark.parametrize("feather", [0.2, 0.9])
def test_person_through_the_engine(feather, portrait, load):
    for name in PERSON_MODELS.values():
        load(name)  # skips where they can't be had
    engine = engine_of("segment.person", feather=feather)
    masks = [np.squeeze(np.float32(m)) for m in play(engine, [portrait, portrait])]
    engine.close()
    mask = masks[1] / (255 if masks[1].max() > 1.5 else 1)
    assert mask.shape == portrait.shape[:2]
    assert mask[120:200, 195:260].mean() > 0.97 and mask[20:80, 5:60].mean() < 0.03
    between = ((mask > 0.05) & (mask < 0.95)).mean()
    assert between < (0.06 if feather < 0.5 else 0.12)


def test_mesh_and_pick_through_a_context(portrait, load):
    """The node as the engine calls it; ids go on while the variant changes, and state lies in its slot."""
    from spellwire.nodes.face import Mesh

    node, state = Mesh(), SimpleNamespace(tracks=None, poses=None)
    node.open(SimpleNamespace(model=load))
    settings = {"camera": None, "max_faces": 2, "smoothing": 0.5, "confidence": 0.5}
    ids = []
    for i, (variant, iris, count) in enumerate([("fast", False, 468), ("fast", True, 478), ("full", False, 478)]):
        load(MODELS["refined" if iris else variant][1])
        tick = Tick(i * STEP, STEP / 1e6, i, 512, 512)
        faces = node.process(Frame.of(portrait), variant=variant, iris=iris, tick=tick, state=state, **settings)
        assert (faces.width, faces.height, faces.max_items) == (512, 512, 2)
        assert faces[0].landmarks.shape == (count, 3)
        ids.append(faces[0].id)
    assert ids == [1, 1, 1]
    assert all(isinstance(value, np.ndarray) for value in state.tracks.values())


def test_mesh_of_a_picture_that_lies_elsewhere(portrait, load):
    """Half as large as the frame it covers: landmarks come in the frame's pixels."""
    from spellwire.nodes.face import Mesh

    load(MODELS["fast"][1])
    half = Frame.of(cv2.resize(portrait, (384, 384), interpolation=cv2.INTER_AREA))
    half.geometry = Geometry(384, 384, (4 / 3, 0, 0, 0, 4 / 3, 0))
    noses = []
    for image in (Frame.of(portrait), half):
        node, state = Mesh(), SimpleNamespace(tracks=None, poses=None)
        node.open(SimpleNamespace(model=load))
        tick = Tick(0, 0, 0, 512, 512)
        faces = node.process(
            image, camera=None, variant="fast", iris=False, max_faces=1, smoothing=0, confidence=0.5, tick=tick, state=state
        )
        noses.append(faces[0].landmarks[1])
    assert np.abs(noses[0] - noses[1]).max() < 3
