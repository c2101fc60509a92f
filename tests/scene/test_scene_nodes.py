"""The nodes of scenes: models, places, paint, faces, and all of it played by the engine."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from spellwire.graph.effect import Effect, NodeUse, Wire
from spellwire.graph.errors import SourceError
from spellwire.nodes import scene as nodes
from spellwire.runtime.frames import Frame, Tick
from spellwire.runtime.perception.head_pose import pinhole, project_points
from spellwire.runtime.plan.ir import Stream
from spellwire.runtime.scene.place import rotation
from spellwire.runtime.session.planning import Planner
from spellwire.runtime.values import FaceItem, Items

from .conftest import at, document, square

NO_PARAMS = {"size": 0.0, "centred": False, "clip": 0, "speed": 1.0}


def opened(cls, **context):
    node = cls()
    node.open(SimpleNamespace(**context))
    return node


def test_a_model_has_the_size_that_is_asked_for(write):
    node, tick = opened(nodes.Model), Tick()
    path = write(*document())
    first = node.process(path, **NO_PARAMS, tick=tick)
    assert node.process(path, **NO_PARAMS, tick=tick) is first
    (part,) = node.process(path, **{**NO_PARAMS, "size": 0.5, "centred": True}, tick=tick)
    corners = part.mesh.positions @ part.matrix[:3, :3].T + part.matrix[:3, 3]
    np.testing.assert_allclose(np.ptp(corners, axis=0), (0.5, 0.5, 0), atol=1e-6)
    np.testing.assert_allclose((corners.min(0) + corners.max(0)) / 2, 0, atol=1e-6)


def test_a_broken_model_is_said_each_time_and_read_once(write, monkeypatch):
    node, read = opened(nodes.Model), []
    monkeypatch.setattr(nodes, "read_model", lambda path: read.append(path) or (_ for _ in ()).throw(SourceError("broken")))
    for _ in range(3):
        with pytest.raises(SourceError, match="broken"):
            node.process(write(b"x"), **NO_PARAMS, tick=Tick())
    assert len(read) == 1
    assert node.process(None, **NO_PARAMS, tick=Tick()) == ()


def test_transform_scales_then_turns_then_moves():
    (moved,) = nodes.SceneTransform().process((at(square()),), (1.0, 2.0, 3.0), (0.0, 0.0, 90.0), 2.0)
    point = moved.matrix @ np.array((0.1, 0.0, 1.0, 1.0))
    np.testing.assert_allclose(point[:3], (1, 2.2, 3), atol=1e-6)
    assert nodes.SceneTransform().process((at(square()),), (float("nan"), 0, 0), (0, 0, 0), 1.0) == ()
    np.testing.assert_allclose(rotation((20, 30, 40)) @ rotation((20, 30, 40)).T, np.eye(3), atol=1e-12)


def test_a_scene_stands_or_hangs_on_a_pose_and_is_gone_without():
    pose = np.eye(4, dtype=np.float32)
    pose[2, 3] = -2
    node, scene = nodes.PlaceScene(), (at(square(), z=0.0),)
    up = np.array((0.0, 1.0, 0.0, 0.0))
    for how, way in (("stands", (0, 0, 1)), ("hangs", (0, 1, 0))):
        (placed,) = node.process(scene, pose, how, (0.0, 0.0, 0.0), 0.0, 1.0)
        np.testing.assert_allclose((placed.matrix @ up)[:3], way, atol=1e-6)
        assert placed.matrix[2, 3] == -2
    assert node.process(scene, None, "stands", (0, 0, 0), 0.0, 1.0) == ()
    assert node.process(scene, np.full((4, 4), np.nan), "stands", (0, 0, 0), 0.0, 1.0) == ()


def test_paint_changes_what_is_named():
    scene = (at(square(), name="shell", colour=(1, 1, 1, 1)), at(square(), name="lamp", emission=(0.0, 2.0, 0.0)), at(square(), hides=True))
    given = {"colour": (0.5, 0.0, 0.0, 1.0), "colour_amount": 1.0, "roughness": 0.1, "metallic": 1.0, "finish_amount": 0.5,
             "glow": 2.0, "glow_colour": (1.0, 0.0, 0.0, 1.0), "glow_amount": 1.0}  # fmt: skip
    shell, lamp, head = nodes.SceneMaterial().process(scene, "shell", **given)
    assert shell.material.colour[0] == pytest.approx(0.2140, abs=1e-3) and shell.material.roughness == pytest.approx(0.3)
    assert lamp is scene[1] and head is scene[2]
    _, lamp, head = nodes.SceneMaterial().process(scene, "", **given)
    assert lamp.material.emission == pytest.approx((4, 0, 0)) and head is scene[2]
    assert nodes.MergeScenes().process(scene, (), (), scene[:1]) == (*scene, scene[0])


HEAD = {"translate": (0.0, 0.0, 0.0), "rotate": (0.0, 0.0, 0.0), "scale": 1.0, "occlusion": 1.0, "head": 1.0, "smoothing": 0.0}


@pytest.fixture
def attach(monkeypatch):
    """The node with a flat grid of a face in the place of the model's."""
    u, v = np.meshgrid(np.linspace(-7, 7, 18), np.linspace(9, -9, 26))
    positions = np.stack([u, v, 5 - 0.05 * u * u], -1).reshape(-1, 3).astype(np.float32)
    cells = np.arange(17 * 25)
    a = cells // 17 * 18 + cells % 17
    triangles = np.concatenate([np.stack((a, a + 18, a + 19), -1), np.stack((a, a + 19, a + 1), -1)]).astype(np.int32)
    monkeypatch.setattr(nodes, "resolve", lambda _: Path())
    monkeypatch.setattr(nodes, "read_topology", lambda _: SimpleNamespace(positions=positions, triangles=triangles))
    return opened(nodes.AttachToFace), positions / 100


def face(points, pose, number=1, size=(640, 360)):
    landmarks = np.zeros((468, 3), np.float32)
    landmarks[:, :2] = project_points(points, pose, pinhole(*size))
    return FaceItem(number, landmarks, pose=pose)


def test_a_scene_goes_with_each_head(attach):
    node, points = attach
    pose = np.eye(4, dtype=np.float32)
    pose[:3, 3] = 0.1, 0.05, -0.6
    other = pose.copy()
    other[0, 3] = -0.2
    faces = Items((face(points, pose), face(points, other, 2)), "frame", 640, 360)
    made = node.process(faces, (at(square(), z=0.0),), None, **HEAD, tick=Tick(width=640, height=360), state=SimpleNamespace(past=None))
    shown, hiding = [i for i in made if not i.hides], [i for i in made if i.hides]
    np.testing.assert_allclose([i.matrix[:3, 3] for i in shown], (pose[:3, 3], other[:3, 3]), atol=1e-6)
    assert len(hiding) == 4, "a face and a skull each"
    assert not any(i.hides for i in node.process(
        faces, (at(square()),), None, **{**HEAD, "occlusion": 0.0}, tick=Tick(width=640, height=360), state=SimpleNamespace(past=None)))  # fmt: skip


@pytest.mark.parametrize("what", ["nan pose", "nan landmarks", "few landmarks", "no faces", "no scene"])
def test_what_can_not_be_placed_is_left_out(attach, what):
    node, points = attach
    pose = np.eye(4, dtype=np.float32)
    pose[2, 3] = -0.6
    good, bad = face(points, pose), face(points, pose, 2)
    if what == "nan pose":
        bad.pose = np.full((4, 4), np.nan, np.float32)
    elif what == "nan landmarks":
        bad.landmarks[7] = np.nan
    else:
        bad.landmarks = bad.landmarks[:200]
    faces = () if what == "no faces" else Items((good, bad), "frame", 640, 360)
    scene = () if what == "no scene" else (at(square()),)
    made = node.process(faces, scene, None, **HEAD, tick=Tick(width=640, height=360), state=SimpleNamespace(past=None))
    assert sum(not i.hides for i in made) == (0 if what in ("no faces", "no scene") else 1)


def effect(folder: Path) -> Effect:
    """A model before the camera, drawn, lit and laid over the frame."""
    uses = {
        "in": ("source.input", {}, {}), "model": ("scene.model", {"file": {"asset": "m.glb"}}, {}),
        "draw": ("scene.draw", {}, {"scene": "model.scene"}), "lamp": ("light.directional", {}, {}),
        "shade": ("scene.shade", {}, {"surface": "draw.surface", "colour": "draw.colour", "finish": "draw.finish",
                                      "emission": "draw.emission", "key": "lamp.out"}),
        "over": ("composite.over", {}, {"below": "in.image", "above": "shade.out"}),
        "halo": ("composite.blend", {"mode": "plus"}, {"below": "over.out", "above": "draw.halo", "mask": "draw.shadow"}),
        "out": ("sink.output", {}, {"image": "over.out"}),
    }  # fmt: skip
    nodes_ = {k: NodeUse(k, t, 1, p) for k, (t, p, _) in uses.items()}
    wires = tuple(Wire(*s.split("."), k, n) for k, (_, _, w) in uses.items() for n, s in w.items())
    return Effect(nodes=nodes_, wires=wires, folder=folder)


@pytest.mark.parametrize("threads", [1, 2])
def test_played_whole(write, threads):
    """A triangle two metres away, from (0, 0) to (1, 1) metres: right of and above the middle of the frame."""
    whole = effect(write(*document(), name="m.glb").parent)
    planner = Planner(threads=threads)
    built = planner.build(planner.plan(whole, Stream(3), {}))
    engine = planner.engine(built, whole)
    try:
        frame = np.full((180, 320, 3), 20, np.uint8)
        shown = engine.frame(Frame.of(frame), 0, 0).data.copy()
        assert not engine.failures, [str(f.error) for f in engine.failures.values()]
    finally:
        engine.close()
    assert (shown[:, :156] == 20).all() and (shown[94:] == 20).all()
    inside = shown[80, 170].astype(int)
    assert inside[0] > inside[1] > inside[2] > 25, "the model's colour, lit"
    again = PLAYED.setdefault("first", shown)
    np.testing.assert_array_equal(shown, again)


PLAYED: dict[str, np.ndarray] = {}


def test_what_is_drawn_together_is_read_together(write):
    """The shading kernel reads all four pictures of `scene.draw` pixel by pixel: none is sampled as if it lay elsewhere."""
    whole = effect(write(*document(), name="m.glb").parent)
    plan = Planner().plan(whole, Stream(3), {})
    plan = getattr(plan, "plan", plan)
    (kernel,) = [k for k in plan.kernels if k.nodes == ("shade",)]
    assert len(kernel.reads) == 4 and not [u for u in kernel.uniforms if u.kind == "map"]
