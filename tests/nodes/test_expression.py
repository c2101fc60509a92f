"""Expressions on heads made of points, turned and scaled as may be; on footage where there is any; through a whole plan."""

from __future__ import annotations

import math

import numpy as np
import pytest
from driven import Driven
from shared_assets import ASSETS

from spellwire.graph.declare import Out, ProcessNode
from spellwire.graph.document import effect_from_data
from spellwire.graph.errors import ModelUnavailable, NodeError
from spellwire.graph.registry import Registry, registry
from spellwire.graph.types import Faces
from spellwire.nodes import expression
from spellwire.nodes.expression import INDEX
from spellwire.runtime.frames import Frame
from spellwire.runtime.media.base import StreamInfo
from spellwire.runtime.perception.expressions import OUTLINE, hand_distance, measure, swings
from spellwire.runtime.session import Session
from spellwire.runtime.session.planning import Planner
from spellwire.runtime.values import FaceItem, HandItem, Items

RATE = 30


def head(*, mouth=0.0, left=0.26, right=0.26, smile=0.0, brows=0.22, yaw=0.0, pitch=0.0, roll=0.0, size=80.0,
         at=(300.0, 200.0), points=468) -> np.ndarray:  # fmt: skip
    """Landmarks of a head; eyes 1 apart before it is turned (degrees) and scaled."""
    p = np.zeros((points, 3))
    p[OUTLINE] = [(0.78 * math.sin(a), 0.15 + 0.95 * math.cos(a), -0.35) for a in np.linspace(0, 2 * math.pi, len(OUTLINE), endpoint=False)]
    p[[10, 151]], p[[2, 94]] = ((0, 1.0, 0), (0, 0.75, 0.1)), ((0, -0.55, 0.25), (0, -0.5, 0.3))
    p[168] = (0, 0.1, 0.1)
    for side, sign, open_eye in (("left", 1, left), ("right", -1, right)):
        above, below, outer, inner = {"left": ((386, 385, 387), (374, 380, 373), 263, 362),
                                      "right": ((159, 158, 160), (145, 153, 144), 33, 133)}[side]  # fmt: skip
        p[outer], p[inner] = (sign * 0.5, 0, 0), (sign * 0.18, 0, 0)
        for k, x in enumerate((0.34, 0.26, 0.42)):
            p[above[k]], p[below[k]] = (sign * x, 0.16 * open_eye, 0.05), (sign * x, -0.16 * open_eye, 0.05)
        brow = (334, 296, 336, 293, 300) if sign > 0 else (105, 66, 107, 63, 70)
        p[list(brow)] = [(sign * x, brows, 0.05) for x in (0.4, 0.3, 0.2, 0.5, 0.55)]
    width, lift = 0.54 + 0.16 * smile, 0.08 * smile
    p[61], p[291] = (-width / 2, -0.77 + lift - 0.25 * mouth, 0.1), (width / 2, -0.77 + lift - 0.25 * mouth, 0.1)
    p[0], p[17] = (0, -0.71 + 0.03 * smile, 0.25), (0, -0.9 - 0.4 * mouth, 0.2)
    p[[13, 82, 312]] = [(x, -0.77, 0.2) for x in (0, -0.08, 0.08)]
    p[[14, 87, 317]] = [(x, -0.775 - 0.33 * mouth, 0.2) for x in (0, -0.08, 0.08)]
    turned = p @ rotation(yaw, pitch, roll).T * size
    return (turned * (1, -1, -1) + (*at, 0)).astype(np.float32)


def rotation(yaw, pitch, roll):
    a, b, c = np.radians((yaw, -pitch, -roll))
    about_y = np.array(((math.cos(a), 0, math.sin(a)), (0, 1, 0), (-math.sin(a), 0, math.cos(a))))
    about_x = np.array(((1, 0, 0), (0, math.cos(b), -math.sin(b)), (0, math.sin(b), math.cos(b))))
    about_z = np.array(((math.cos(c), -math.sin(c), 0), (math.sin(c), math.cos(c), 0), (0, 0, 1)))
    return about_z @ about_y @ about_x


def face(id=1, blendshapes=None, **how):
    return FaceItem(id, head(**how), 1.0, blendshapes)


TURNS = [{}, {"yaw": 40}, {"yaw": -35, "pitch": 20}, {"pitch": -25}, {"roll": 50}, {"size": 12}, {"size": 300, "roll": -120, "yaw": 20}]


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("points", [468, 478])
def test_measures_hold_for_any_rotation_and_size(turn, points):
    for what in ({}, {"mouth": 1.0}, {"left": 0.05}, {"right": 0.05}, {"smile": 1.0}, {"brows": 0.3}):
        still, moved = measure(head(points=points, **what)), measure(head(points=points, **what, **turn))
        for name in ("mouth", "eye_left", "eye_right", "smile", "brows"):
            assert getattr(moved, name) == pytest.approx(getattr(still, name), abs=0.02), name
    assert moved.size == pytest.approx(turn.get("size", 80.0), rel=1e-3)
    for name in ("yaw", "pitch", "roll") if "roll" not in turn else ("roll",):
        base = getattr(measure(head()), name)
        assert getattr(moved, name) - base == pytest.approx(turn.get(name, 0), abs=6 if "yaw" in turn else 0.5), name


def play(node: Driven, moments, start=0.0, **given):
    """Times of the events, and the last outputs; each moment is (seconds, how the head is)."""
    times, now, out = [], start, None
    for seconds, how in moments:
        for _ in range(round(seconds * RATE)):
            out = node(now, face=how if how is None or isinstance(how, FaceItem) else face(**how), **given)
            times += [e.time * 1e-6 for e in out[0]]
            now += 1 / RATE
    return times, out


@pytest.mark.parametrize("turn", TURNS[:6])
@pytest.mark.parametrize(
    ("kind", "how"),
    [(expression.MouthOpen, {"mouth": 1.0}), (expression.Blink, {"left": 0.14, "right": 0.14}), (expression.Smile, {"smile": 1.0}),
     (expression.BrowsUp, {"brows": 0.31})],
)  # fmt: skip
def test_each_fires_once_when_it_begins(kind, how, turn):
    times, out = play(Driven(kind), [(1, turn), (0.3, turn | how), (0.7, turn), (0.2, turn | how)])
    assert times == pytest.approx([1.0, 2.0], abs=0.05) and out[1] and out[2] > 0.5


def test_none_fires_for_another_one():
    acts = {
        expression.MouthOpen: {"mouth": 1.0}, expression.Blink: {"left": 0.12, "right": 0.12},
        expression.Smile: {"smile": 1.0}, expression.BrowsUp: {"brows": 0.32},
    }  # fmt: skip
    for kind in acts:
        for other, how in acts.items():
            times, _ = play(Driven(kind), [(1, {}), (0.5, how), (0.5, {})])
            assert len(times) == (kind is other), f"{kind} while {other}"


def test_eyes_that_are_narrow_are_not_shut_and_winks_are_of_one_eye():
    narrow = {"left": 0.17, "right": 0.17}
    assert play(Driven(expression.Blink), [(8, narrow), (0.2, {"left": 0.1, "right": 0.1})])[0] == pytest.approx([8.0], abs=0.05)
    wink = [(1, {}), (0.3, {"left": 0.12}), (0.5, {}), (0.3, {"right": 0.12}), (0.5, {}), (0.3, {"left": 0.12, "right": 0.12})]
    wanted = {"left alone": [1.0], "right alone": [1.8], "both": [2.6], "either": [1.0, 1.8, 2.6]}
    for eyes, times in wanted.items():
        assert play(Driven(expression.Blink, eyes=eyes), wink)[0] == pytest.approx(times, abs=0.05)


def test_what_is_so_at_first_sight_or_with_another_face_does_not_fire():
    node = Driven(expression.MouthOpen)
    times, out = play(node, [(0.5, {"mouth": 1.0}), (0.2, {"mouth": 1.0, "id": 2}), (0.2, None), (0.2, {"mouth": 1.0, "id": 2})])
    assert times == [] and out[1]
    assert play(node, [(0.2, None)], 2.0)[1] == ((), False, 0.0)


def test_nonsense_changes_nothing():
    broken = FaceItem(1, np.full((468, 3), math.nan, np.float32))
    for kind in (expression.MouthOpen, expression.Blink, expression.Smile, expression.BrowsUp, expression.Nod):
        node = Driven(kind)
        play(node, [(0.5, {})])
        assert play(node, [(0.2, broken)], 0.5)[1][:2] == ((), False)
    assert measure(np.zeros((468, 3), np.float32)) is None
    node = Driven(expression.MouthOpen)
    play(node, [(0.5, {}), (0.2, {"mouth": 1.0})])
    assert play(node, [(0.2, broken)], 0.8)[1][1], "an open mouth stays open while nothing is known"


def test_blendshapes_where_there_are_some():
    weights = np.zeros(52, np.float32)
    weights[INDEX["jawOpen"]] = 0.5
    node = Driven(expression.MouthOpen)
    play(node, [(0.5, face(blendshapes=np.zeros(52, np.float32)))])
    assert len(play(node, [(0.1, face(blendshapes=weights))], 0.5)[0]) == 1
    by_shape = Driven(expression.MouthOpen, source="geometry")
    assert play(by_shape, [(0.5, face(blendshapes=weights))])[1][1] is False
    with pytest.raises(NodeError, match="variant of face.mesh to full"):
        play(Driven(expression.MouthOpen, source="blendshapes"), [(0.1, {})])


def swing(kind: str, degrees: float, seconds: float, other: float = 0.0):
    """A head that goes to and fro, once in half a second."""
    rows = []
    for i in range(round(seconds * RATE)):
        s = math.sin(4 * math.pi * i / RATE)
        rows.append((1 / RATE, {kind: degrees * s, ("yaw" if kind == "pitch" else "pitch"): other * s}))
    return rows


def test_nods_and_shakes():
    for kind, axis in ((expression.Nod, "pitch"), (expression.Shake, "yaw")):
        other = "yaw" if axis == "pitch" else "pitch"
        assert len(play(Driven(kind), [(0.5, {}), *swing(axis, 10, 1.0), (1, {})])[0]) == 1
        assert play(Driven(kind), [(0.5, {}), *swing(axis, 1.5, 2.0), (1, {})])[0] == [], "too little"
        assert play(Driven(kind), [(0.5, {}), *swing(other, 12, 1.0), (1, {})])[0] == [], "the other way"
        assert play(Driven(kind), [(0.5, {}), *swing(axis, 10, 1.0, 10.0), (1, {})])[0] == [], "both ways at once"
        assert play(Driven(kind), [(1.0, {}), (3.0, {axis: 15}), (2.0, {})])[0] == [], "a slow look there and back"
        assert len(play(Driven(kind), [(0.5, {}), *swing(axis, 10, 6.0)])[0]) == 1, "it goes on and on"
        assert len(play(Driven(kind), [(0.5, {}), *swing(axis, 10, 1.0), (2, {}), *swing(axis, 10, 1.0)])[0]) == 2
        assert len(play(Driven(kind, times=1), [(0.5, {}), *swing(axis, 10, 0.5), (1, {})])[0]) == 1
    assert swings([0, 5, 0, 5, 1, 6], 4) == 5 and swings([0, 3, 0, 3], 4) == 0 and swings([], 4) == 0
    assert swings([0, 2, 4, 6, 8, 9, 8.5, 9, 2], 4) == 2


def test_a_hand_near_the_face():
    def hand(x, y):
        return HandItem(1, np.tile((x, y, 0), (21, 1)).astype(np.float32) + np.arange(21)[:, None] * (1, 0, 0), 1.0)

    f = head(size=100)
    width = float(np.linalg.norm(f[454, :2] - f[234, :2]))
    right = f[OUTLINE, 0].max()
    assert hand_distance(hand(290, 200).landmarks, f) == 0.0
    assert hand_distance(hand(right + width, 200).landmarks, f) == pytest.approx(1.0, abs=0.05)
    assert hand_distance(np.full((21, 3), math.nan), f) == math.inf
    node = Driven(expression.HandNear)
    seen = [node(t / 10, face=face(size=100), hands=Items(h)) for t, h in enumerate(((), (hand(2000, 0),), (hand(right + 0.2 * width, 200),), (hand(290, 200),), ()))]
    assert [(len(fired), on) for fired, on, _ in seen] == [(0, False), (0, False), (1, True), (0, True), (0, False)]
    assert seen[2][2] == pytest.approx(0.8, abs=0.05) and seen[3][2] == 1.0


class Actors(ProcessNode, type="test.actors"):
    """Two faces; the second opens its mouth from frame 3 on, and both of them do from frame 6 on."""

    faces: Out[Faces]

    def process(self, tick):
        n = tick.index
        second = face(id=7, mouth=float(n >= 3), at=(100, 100), size=30)
        return Items((face(id=2, mouth=float(n >= 6), size=30), second), "frame", 640, 360)


def test_each_face_for_itself_and_all_as_one_stream():
    nodes = {
        "n1": {"type": "source.input"}, "n2": {"type": "test.actors"},
        "n3": {"type": "expression.mouth_open", "inputs": {"face": "n2.faces"}},
        "n4": {"type": "event.gather", "inputs": {"events": "n3.fired"}},
        "n5": {"type": "event.count", "inputs": {"events": "n4.out"}},
        "n6": {"type": "logic.gather_numbers", "params": {"how": "sum"}, "inputs": {"values": "n3.amount"}},
        "n7": {"type": "value.maths", "inputs": {"a": "n5.count", "b": "n6.out"}},
        "n8": {"type": "colour.exposure", "inputs": {"image": "n1.image", "stops": "n7.out"}},
        "n9": {"type": "sink.output", "inputs": {"image": "n8.out"}},
    }  # fmt: skip
    effect = effect_from_data({"schema": 1, "nodes": nodes, "next_id": 10})
    planner, seen = Planner(nodes=registry().merged(Registry.of(Actors))), []
    with Session.load(effect, StreamInfo("x", 64, 36), planner=planner) as session:
        for i in range(8):
            session.render(Frame.make(64, 36, 3), i * 40_000, i)
            assert not session.engine.failures
            seen.append((session.engine.value(("n5", "count")), round(session.engine.value(("n6", "out")))))
    assert seen == [(0, 0)] * 3 + [(1, 1)] * 3 + [(2, 2)] * 2


CLIPS = ASSETS / "video" / "faces"


@pytest.mark.skipif(not (CLIPS / "lp_d3_expressions.mp4").is_file(), reason="needs SPELLWIRE_ASSETS/video/faces")
@pytest.mark.parametrize(
    ("clip", "kind", "span", "wanted"),
    [("lp_d3_expressions.mp4", expression.MouthOpen, (0, 11), [10.0]), ("mp_docs_selfie_talk.mp4", expression.Blink, (0, 9), [1.0, 3.9, 5.9, 8.9]),
     ("lp_d9_selfie_glasses.mp4", expression.Smile, (8, 11), [9.73]), ("lp_d9_selfie_glasses.mp4", expression.Shake, (6, 9), [7.83])],
)  # fmt: skip
def test_footage(clip, kind, span, wanted):
    """With the fast mesh of 468 points; times were read off the clips by eye."""
    from spellwire.runtime.media.opening import open_source
    from spellwire.runtime.models.model import open_model
    from spellwire.runtime.perception.face import MODELS, FaceTracker, make_state

    try:
        tracker = FaceTracker("fast", *map(open_model, MODELS["fast"]))
    except ModelUnavailable as error:
        pytest.skip(f"the models are not here and can't be fetched: {error}")
    node, state, times = Driven(kind), make_state(), []
    with open_source(str(CLIPS / clip)) as source:
        while (picture := source.read()) is not None and picture.time_us < span[1] * 1e6:
            if picture.time_us >= span[0] * 1e6:
                found = tracker.track(np.ascontiguousarray(picture.frame.data), picture.time_us, state)
                times += [e.time * 1e-6 for e in node(picture.time_us * 1e-6, face=found[0] if found else None)[0]]
    assert times == pytest.approx(wanted, abs=0.15)
