"""Groups that hand a picture on from item to item."""

import numpy as np
import pytest

from spellwire.graph.errors import CompileError
from spellwire.runtime.frames import Frame

PORTS = {"image": {"type": "Image", "carried": True}, "face": {"type": "Face"}}
USE = """
    n1 = source.input()
    n2 = test.two_faces()
    n3 = group:each(face=n2.faces; image=n1.image)
    n8 = colour.exposure(image=n3.out)
    n9 = sink.output(image=n8.out)
"""


def each(text, **more):
    """A group `each` for one face, out of lines as effects are written in these tests."""
    nodes = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        name, _, call = line.partition(" = ")
        kind, _, rest = call.partition("(")
        parts = [p.partition("=") for p in filter(None, rest.removesuffix(")").split("; "))]
        wired = {k: v for k, _, v in parts if v.startswith(("n", "in.")) and "." in v}
        nodes[name] = {"type": kind, "version": 1, "inputs": wired, "params": {k: eval(v) for k, _, v in parts if k not in wired}}
    return {"each": {"inputs": PORTS, "outputs": {"out": "n8.out"}, "nodes": nodes, **more}}


def shown(engine, picture, index=0):
    return np.array(engine.frame(picture, index * 33_333, index).data)[..., :3].astype(int)


def brighter(picture, stops=0.0, added=0.0):
    """What the effect shows of a picture brightened so."""
    return np.floor(np.clip(picture.data / 255 * 2**stops + added, 0, 1) * 255 + 0.5)


def near(a, b):
    return np.abs(a - b).max() <= 1


@pytest.fixture
def dark():
    return Frame.of(np.random.default_rng(3).integers(20, 80, (40, 56, 3), np.uint8))


BY_ID = """
    n1 = test.per_face(face=in.face)
    n2 = value.maths(a=n1.id; b=0.1; operation='multiply')
    n8 = colour.exposure(image=in.image; stops=n2.out)
"""


def test_each_face_works_on_the_picture_of_the_one_before(engine, dark):
    made = engine(USE, groups=each(BY_ID))
    for index in range(4):  # face 5 leaves after the second frame
        assert near(shown(made, dark, index), brighter(dark, 0.8 if index < 2 else 0.3))
    assert len(made.plan.kernels) == 1, "the copies are fused with what follows"
    assert not made.failures


def test_process_nodes_and_neighbourhoods_inside(engine, dark):
    made = engine(USE, groups=each(
        "n1 = test.add_id(image=in.image; face=in.face)\nn8 = filter.blur(image=n1.out; radius=0.05)"))  # fmt: skip
    flat = Frame.of(np.full_like(dark.data, 50))
    assert near(shown(made, flat, 1), brighter(flat, added=0.08))
    assert near(shown(made, flat, 2), brighter(flat, added=0.03))
    assert shown(made, dark, 3).std() < brighter(dark).std(), "blurred"
    assert not made.failures


def test_state_goes_with_the_track_not_with_the_place(engine, dark):
    text = USE.replace("test.two_faces", "test.come_and_go")
    inside = "n1 = test.per_face(face=in.face)\nn8 = test.lighten(image=in.image; value=n1.seen)"
    made = engine(text, groups=each(inside))
    for index, seen in enumerate((1, 2 + 1, 2, 3)):
        got = shown(made, dark, index)
        assert not made.failures, made.failures
        assert near(got, brighter(dark, added=seen / 100)), index


def test_a_parameter_moves_all_copies(engine, dark):
    inside = "n1 = test.per_face(face=in.face)\nn8 = colour.exposure(image=in.image; stops=0.2)"
    made = engine(
        USE, groups=each(inside, interface=[{"name": "stops", "target": "n8.stops"}]),
        interface=[{"name": "stops", "target": "n3.stops", "default": 0.2}],
    )  # fmt: skip
    assert near(shown(made, dark), brighter(dark, 0.4))
    made.set("n3/n8", "stops", 0.5)
    assert near(shown(made, dark, 1), brighter(dark, 1.0))


def test_a_failing_node_is_named_as_in_the_graph(engine, dark):
    inside = """
        n1 = test.per_face(face=in.face)
        n2 = test.fails(value=n1.id)
        n8 = colour.exposure(image=in.image; stops=n2.out)
    """
    made = engine(USE, groups=each(inside))
    assert near(shown(made, dark), brighter(dark))
    assert set(made.failures) == {"n3/n2"}


def test_no_faces_leave_the_picture_alone(engine, dark):
    text = USE.replace("test.two_faces", "test.nobody")
    made = engine(text, groups=each(BY_ID))
    assert near(shown(made, dark), brighter(dark))
    assert not made.failures


def test_a_delay_inside_is_refused(engine):
    inside = "n1 = test.per_face(face=in.face)\nn2 = delay.number(value=n1.id)\nn8 = colour.exposure(image=in.image; stops=n2.out)"
    with pytest.raises(CompileError, match="n3/n2 is a delay"):
        engine(USE, groups=each(inside))


def test_a_list_beside_the_picture_is_refused(engine):
    group = each(BY_ID, outputs={"out": "n8.out", "id": "n1.id"})
    more = "n5 = test.sum(values=n3.id)\nn6 = colour.exposure(image=n3.out; stops=n5.total)\n"
    with pytest.raises(CompileError, match="leaves it as a list"):
        engine(more + USE.replace("image=n3.out", "image=n6.out"), groups=group)
