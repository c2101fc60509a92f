"""The nodes of the families body, hands and hand: what they pick, draw and tell, alone and as the engine plays them."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from made_hands import SHOWN, made
from one_node import EvaluatorLibrary, Kept, registry_with_tests

from spellwire.graph.document import effect_from_data
from spellwire.nodes.body import PARTS as BODY_PARTS
from spellwire.nodes.body import BodyMask, BodyPoints, PickBody, Pose, Skeleton
from spellwire.nodes.hands import PARTS as HAND_PARTS
from spellwire.nodes.hands import Gesture, HandPoints, HandSkeleton, PickHand, Pinch, Showing, Track
from spellwire.runtime.engine.engine import Engine
from spellwire.runtime.frames import Frame, Geometry, Tick
from spellwire.runtime.perception.body import MODELS, WHOLE
from spellwire.runtime.perception.landmarks import (
    BODY_SKELETON,
    BONES,
    HAND_SKELETON,
    POINTS,
    bone,
    indices,
    place,
)
from spellwire.runtime.plan.compile import compile_effect
from spellwire.runtime.values import BodyItem, Event, HandItem, Items

STEP = 33_333
TICK = Tick(0, 0.04, 0, 640, 480)


def body(number: int = 1, x: float = 320.0, size: float = 300.0, seen: float = 1.0) -> BodyItem:
    """Somebody who stands upright, `size` tall."""
    points = np.zeros((33, 3), np.float32)
    rows = {0: -0.45, 11: -0.3, 13: -0.1, 15: 0.05, 23: 0.0, 25: 0.25, 27: 0.5}
    for left, y in rows.items():
        for i in {left, left + 1 if left else 0}:
            points[i] = (0.1 * (1 if i % 2 else -1) if i else 0.0, y, 0)
    points[1:11] = points[0] + np.random.default_rng(0).uniform(-0.03, 0.03, (10, 3))
    points[17:23] = points[[15, 16] * 3]
    points[29:33] = points[[27, 28] * 2] + np.float32((0.02, 0.02, 0))
    points = (points * size + (x, 240, 0)).astype(np.float32)
    return BodyItem(number, points, points / size, np.full(33, seen, np.float32))


def hand(number: int, x: float, right: bool, scale: float = 1.0) -> HandItem:
    one = made(SHOWN["open"])
    return HandItem(number, (one.landmarks * scale + (x, 0, 0)).astype(np.float32), float(right), 1.0, one.world)


def listed(*items: object) -> Items:
    return Items(items, width=640, height=480)


def test_names_are_those_of_the_points():
    assert {len(POINTS["body"]) >= 33, len(POINTS["hand"]) >= 21} == {True}
    for kind, count in (("body", 33), ("hand", 21), ("face", 468)):
        assert all(0 <= i < count for found in POINTS[kind].values() for i in found)
        assert all(end in POINTS[kind] for ends in BONES[kind].values() for end in ends)
        assert all(bone(kind, name, np.zeros((478, 3)))[0].shape == (3,) for name in BONES[kind])
    assert indices("hand", "index tip") == (8,) and indices("body", "left wrist") == (15,)
    standing = body().landmarks
    assert np.allclose(place("body", "chest", standing), (standing[11] + standing[12]) / 2)
    start, end = bone("body", "left forearm", standing)
    assert np.array_equal(start, standing[13]) and np.array_equal(end, standing[15])
    assert {i for line in BODY_SKELETON for i in line} == set(range(11, 33))
    assert {i for line in HAND_SKELETON for i in line} == set(range(21))


def test_a_name_that_is_not_there_says_what_is_near():
    from spellwire.graph.errors import NodeError

    with pytest.raises(NodeError, match="left wrist"):
        indices("body", "left wirst")
    with pytest.raises(NodeError, match="bone of a hand"):
        bone("hand", "elbow", np.zeros((21, 3)))


def test_pick_a_body():
    pick, people = PickBody(), listed(body(1, 100, 200), body(4, 330, 250), body(7, 600, 300))
    assert pick.process(people, "largest", 0).id == 7
    assert pick.process(people, "middle", 0).id == 4
    assert [pick.process(people, "index", i).id for i in range(3)] == [1, 4, 7]
    assert pick.process(people, "index", 3) is None
    people[2].landmarks[5] = np.nan
    assert pick.process(people, "largest", 0).id == 4
    assert all(pick.process(listed(), by, 0) is None for by in ("largest", "middle", "index"))


def test_pick_a_hand():
    pick, both = PickHand(), listed(hand(1, 0, False), hand(2, 100, True, 0.5))
    found = {by: pick.process(both, by, 1) for by in ("largest", "left", "right", "highest", "index")}
    assert {by: h.id for by, h in found.items() if h} == {"largest": 1, "left": 1, "right": 2, "highest": 1, "index": 2}
    assert pick.process(listed(hand(1, 0, True)), "left", 0) is None
    assert all(pick.process(listed(), by, 0) is None for by in found)


def test_points_of_parts():
    one, place_of = body(), BodyPoints()
    for part, which in BODY_PARTS.items():
        assert np.array_equal(place_of.process(one, part, "chest", 0.0), one.landmarks[list(which)])
    one.visibility[13] = 0.2
    assert len(place_of.process(one, "left arm", "chest", 0.5)) == 2
    assert place_of.process(one, "one", "chest", 0.5).shape == (1, 3)
    assert place_of.process(one, "one", "left elbow", 0.5).shape == (0, 3)
    assert place_of.process(None, "all", "chest", 0.0).shape == (0, 3)
    mine, points = hand(1, 0, True), HandPoints()
    for part, which in HAND_PARTS.items():
        assert np.array_equal(points.process(mine, part, "palm"), mine.landmarks[list(which)])
    assert np.allclose(points.process(mine, "one", "pinch")[0], mine.landmarks[[4, 8]].mean(0))
    assert points.process(None, "all", "palm").shape == (0, 3)


def shown_at(layer: Frame, x: float, y: float) -> np.ndarray:
    """The layer's colour at a place of the frame; what is outside is empty."""
    scale, _, left, _, _, top = layer.geometry.to_frame
    i, j = int((x - left) / scale), int((y - top) / scale)
    inside = 0 <= i < layer.width and 0 <= j < layer.height
    return layer.data[j, i] if inside else np.zeros(4)


def drawn(*people: BodyItem, **changed) -> Frame:
    node = Skeleton()
    node.open(None)
    look = {"left": (0, 1, 0, 1), "right": (1, 0, 0, 0.5), "width": 0.2, "head": 0.4} | changed
    return node.process(listed(*people), tick=TICK, **look)


def test_a_skeleton_lies_on_its_body_and_its_colours_are_premultiplied():
    one, layer = body(), drawn(body())
    assert layer.space == "frame" and layer.data.dtype == np.float32
    left, right = (one.landmarks[[11, 13], :2].mean(0), one.landmarks[[12, 14], :2].mean(0))
    assert np.allclose(shown_at(layer, *left), (0, 1, 0, 1), atol=0.01)
    assert np.allclose(shown_at(layer, *right), (0.5, 0, 0, 0.5), atol=0.01)
    assert np.allclose(shown_at(layer, *one.landmarks[0, :2]), (0, 1, 0, 1), atol=0.01), "the head"
    assert np.abs(shown_at(layer, 320, 200)).max() == 0, "between the sides"
    for edge in (layer.data[0], layer.data[-1], layer.data[:, 0], layer.data[:, -1]):
        assert not edge.any(), "reads beyond a layer repeat its border"
    assert (layer.data[..., :3] <= layer.data[..., 3:] + 1e-6).all()


def test_what_is_not_seen_is_not_drawn():
    one = body()
    one.visibility[[25, 27]] = 0.1
    layer = drawn(one)
    assert not shown_at(layer, *one.landmarks[[25, 27], :2].mean(0)).any()
    assert shown_at(layer, *one.landmarks[[26, 28], :2].mean(0))[3] > 0.4
    spoiled = body()
    spoiled.landmarks[4, 0] = np.nan
    for nobody in ((), (spoiled,), (body(x=-900),), (body(seen=0.0),)):
        layer = drawn(*nobody)
        assert layer.data.shape == (1, 1, 4) and not layer.data.any()


def test_a_skeleton_moves_with_its_body_between_pixels():
    """Its centre of mass follows by hundredths of a pixel, so drawn things don't shimmer."""

    def centre(x: float) -> float:
        layer = drawn(body(x=x))
        weight = layer.data[..., 3].sum(0)
        return layer.geometry.to_frame[2] + float((weight * (np.arange(layer.width) + 0.5)).sum() / weight.sum())

    start = centre(320.0)
    for moved in (0.25, 0.5, 1.7):
        assert centre(320.0 + moved) - start == pytest.approx(moved, abs=0.06)


def test_hands_as_bones():
    node = HandSkeleton()
    node.open(None)
    mine = hand(1, 0, True)
    layer = node.process(listed(mine), (0, 0, 1, 1), (1, 0, 0, 1), 0.15, TICK)
    assert np.allclose(shown_at(layer, *mine.landmarks[[9, 10], :2].mean(0)), (1, 0, 0, 1), atol=0.01)
    mine.landmarks[0] = np.inf
    assert node.process(listed(mine), (0, 0, 1, 1), (1, 0, 0, 1), 0.15, TICK).data.shape == (1, 1, 4)


def test_a_gesture_is_told_once_and_watched():
    node, state, out = Gesture(), SimpleNamespace(memory=None), []
    shows = [made(SHOWN["open"])] * 6 + [made(SHOWN["fist"])] * 6 + [None] * 6
    for i, one in enumerate(shows):
        out.append(node.process(one, "fist", 0.1, Tick(i * 40_000, 0.04, i, 640, 480), state))
    names = [o[0] for o in out]
    assert names[0] == "none" and names[5] == "open" and names[11] == "fist" and names[17] == "none"
    events = [e for o in out for e in o[2]]
    assert [e.name for e in events] == ["open", "fist", "none"] and all(isinstance(e, Event) for e in events)
    assert [o[3] for o in out] == [n == "fist" for n in names]
    assert out[5][1] > 0.9 and out[17][1] == 0.0 and out[6][4] > 0.9, "strength doesn't wait"


def test_hands_that_show_a_gesture():
    """Each for itself; an event where one begins to, at its palm, in frame heights from the middle."""
    node, state, seen = Showing(), SimpleNamespace(memories=None), []
    for i in range(10):
        pair = (made(SHOWN["open" if i >= 2 else "fist"]), made(SHOWN["fist"]))
        for number, one in enumerate(pair):
            one.id = number + 1
        shown, others, started = node.process(listed(*pair), "open", 0.1, Tick(i * 40_000, 0.04, i, 640, 480), state)
        seen.append(([h.id for h in shown], [h.id for h in others], started))
    assert seen[1][:2] == ([], [1, 2]) and seen[-1][:2] == ([1], [2])
    (event,) = [e for _, _, started in seen for e in started]
    palm = made(SHOWN["open"]).landmarks[[0, 5, 17], :2].mean(0)
    assert event.name == "open" and (event.x, event.y) == pytest.approx(tuple((palm - (320, 240)) / 480), abs=1e-5)
    node.process((), "open", 0.1, Tick(3_000_000, 0.04, 90, 640, 480), state)
    assert state.memories == {}, "forgotten after a second"


def test_a_pinch_without_a_hand():
    assert Pinch().process(None) == 0.0 and Pinch().process(made(SHOWN["open"])) == 0.0


def test_pose_and_track_of_a_picture_that_lies_elsewhere(portrait, load):
    """Half as large as the frame it covers: landmarks and masks come in the frame's pixels."""
    import cv2

    for name in (*MODELS, WHOLE):
        load(name)
    half = Frame.of(cv2.resize(portrait, (256, 256), interpolation=cv2.INTER_AREA))
    half.geometry = Geometry(256, 256, (2, 0, 10, 0, 2, 20))
    found = []
    for image in (Frame.of(portrait), half):
        node, state = Pose(), SimpleNamespace(tracks=None)
        node.open(SimpleNamespace(model=lambda name, variant="auto": load({"model": name, "variant": variant})))
        people = node.process(image, "full", 1, 0.0, 0.5, True, Tick(0, 0, 0, 512, 512), state)
        assert (people.width, people.height, people.max_items, people.space) == (512, 512, 1, "frame")
        found.append(people[0])
    whole, small = found
    assert np.abs(small.landmarks[:13, :2] - (10, 20) - whole.landmarks[:13, :2]).max() < 12
    assert small.mask.size == pytest.approx(whole.mask.size, rel=0.1)
    assert small.mask.x - 10 == pytest.approx(whole.mask.x, abs=15)


def test_people_without_masks_are_told_how_to_get_them():
    from spellwire.graph.errors import NodeError

    node, image = BodyMask(), Frame.make(64, 48, 3)
    node.open(None)
    assert node.process(image, listed(), 0.75).data[..., 3].max() < 1e-3
    with pytest.raises(NodeError, match="turn on `mask`"):
        node.process(image, listed(body()), 0.75)


def test_track_gives_nothing_as_a_list(load):
    node, state = Track(), SimpleNamespace(tracks=None)
    node.open(SimpleNamespace(model=lambda name, variant="auto": load({"model": name, "variant": variant})))
    for variant in ("full", "lite"):
        found = node.process(Frame.make(64, 48, 3), variant, 2, 0.4, 0.5, Tick(0, 0, 0, 64, 48), state)
        assert len(found) == 0 and (found.width, found.max_items) == (64, 2)


def test_the_families_through_the_engine(portrait, load):
    """Pose, its mask and bones over the picture, a mapped gesture of each hand: planned, played, nothing fails."""
    for name in (*MODELS, WHOLE, "mediapipe/palm_detection", "mediapipe/hand_landmark"):
        load(name)
    nodes = {
        "n1": {"type": "source.input"},
        "n2": {"type": "body.pose", "params": {"mask": True}, "inputs": {"image": "n1.image"}},
        "n3": {"type": "body.mask", "inputs": {"image": "n1.image", "bodies": "n2.bodies"}},
        "n4": {"type": "body.skeleton", "inputs": {"bodies": "n2.bodies"}},
        "n5": {"type": "hands.track", "inputs": {"image": "n1.image"}},
        "n6": {"type": "hand.gesture", "inputs": {"hand": "n5.hands"}},
        "n7": {"type": "logic.gather_numbers", "inputs": {"values": "n6.confidence"}},
        "n8": {"type": "test.keep_mask", "params": {"name": "mask"}, "inputs": {"value": "n3.mask"}},
        "n9": {"type": "test.keep_image", "params": {"name": "bones"}, "inputs": {"value": "n4.layer"}},
        "n10": {"type": "test.keep_number", "params": {"name": "sure"}, "inputs": {"value": "n7.out"}},
    }
    registry = registry_with_tests()
    gather = registry["logic.gather_numbers"]
    nodes["n7"]["inputs"] = {gather.inputs[0].name: "n6.confidence"}
    nodes["n10"]["inputs"] = {"value": f"n7.{gather.outputs[0].name}"}
    effect = effect_from_data({"schema": 1, "nodes": nodes, "next_id": 11}, registry)
    engine = Engine(compile_effect(effect, nodes=registry), EvaluatorLibrary())
    try:
        for i in range(3):
            engine.frame(Frame.of(portrait), i * STEP, i)
            assert not engine.failures, next(iter(engine.failures.values())).error
        mask, bones = Kept.values["mask"].data, Kept.values["bones"]
        assert mask.shape[:2] == (512, 512) and mask[120:200, 195:260].mean() > 0.9 * mask.max()
        assert bones.data[..., 3].max() == pytest.approx(1, abs=0.01) and bones.geometry.to_frame[0] == 1.0
        assert Kept.values["sure"] == 0.0
    finally:
        engine.close()
