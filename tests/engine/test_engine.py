"""Effects played for real: values against NumPy, wires cut, state, lists, failures, sizes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from spellwire.graph.declare import In, Out, Param, ProcessNode, param
from spellwire.graph.errors import UsageError
from spellwire.graph.frozen import FrozenDict
from spellwire.graph.registry import Origin, Registry
from spellwire.graph.types import Colour, Face, Number
from spellwire.runtime.frames import Frame
from spellwire.runtime.plan.compile import compile_effect
from spellwire.runtime.plan.ir import Stream
from spellwire.runtime.values import Event

SHOW = "n9 = sink.output(image=n8.out)"


def shown(engine, picture, index=0, **more):
    return np.array(engine.frame(picture, index * 33_333, index, **more).data)


def as_bytes(values):
    return np.floor(np.clip(values, 0, 1) * 255 + 0.5)


def near(a, b, by=1):
    """Equal to within `by`; alpha is not looked at where only one has it."""
    channels = min(a.shape[2], np.shape(b)[2])
    return np.abs(a[..., :channels].astype(int) - np.asarray(b)[..., :channels].astype(int)).max() <= by


def test_exposure_is_what_numpy_says(engine, picture):
    made = engine("n1 = source.input()\nn8 = colour.exposure(image=n1.image; stops=0.5)\n" + SHOW)
    assert near(shown(made, picture), as_bytes(picture.data / 255 * 2**0.5))


def test_scene_values_survive_a_process_node(engine, picture):
    """Two stops up, through a node the compiler can't see into, two stops down: nothing is lost."""
    made = engine(
        """
        n1 = source.input()
        n2 = colour.exposure(image=n1.image; stops=2.0)
        n3 = test.opaque(image=n2.out)
        n8 = colour.exposure(image=n3.out; stops=-2.0)
        """
        + SHOW
    )
    assert near(shown(made, picture), picture.data)


LONG = (
    """
    n1 = source.input()
    n2 = test.half(image=n1.image)
    n3 = colour.grade(image=n1.image; exposure=0.6; saturation=1.4)
    n4 = filter.blur(image=n3.out; radius=0.02)
    n5 = composite.blend(below=n4.out; above=n3.out; mask=n2.mask; mode='soft-light')
    n6 = composite.bloom(image=n5.out; threshold=0.6)
    n7 = geometry.transform(image=n6.out; rotate=7.0; scale=(0.9, 0.9))
    n8 = composite.vignette(image=n7.out)
    """
    + SHOW
)


def test_cutting_any_wire_changes_nothing(engine, picture):
    whole = engine(LONG)
    reference = shown(whole, picture)
    wires = [(s.path, n) for s in whole.plan.steps.values() for n in s.links]
    assert len(wires) >= 9
    for wire in wires:
        assert near(shown(engine(LONG, cuts=[wire]), picture), reference), wire
    assert near(shown(engine(LONG, cuts=wires), picture), reference)


def test_a_raster_of_another_size_is_sampled_where_it_lies(engine, picture):
    made = engine(
        """
        n1 = source.input()
        n2 = test.half(image=n1.image)
        n3 = colour.invert(image=n1.image)
        n8 = composite.blend(below=n1.image; above=n3.out; mask=n2.mask)
        """
        + SHOW
    )
    got, source = shown(made, picture), picture.data
    assert near(got[:, :70], 255 - source[:, :70]), "left half is inverted"
    assert near(got[:, 90:], source[:, 90:]), "right half is as it was"


def test_a_parameter_moves_without_compiling(engine, picture):
    made = engine("n1 = source.input()\nn8 = colour.exposure(image=n1.image)\n" + SHOW)
    assert near(shown(made, picture), picture.data)
    made.set("n8", "stops", 1.0)
    assert near(shown(made, picture, 1), as_bytes(picture.data / 255 * 2))
    for wrong in (float("nan"), 99, "bright"):
        with pytest.raises(UsageError):
            made.set("n8", "stops", wrong)
    assert near(shown(made, picture, 2), as_bytes(picture.data / 255 * 2)), "a refused value changes nothing"


def test_a_constant_node_follows_its_parameter(engine, picture):
    made = engine(
        """
        n1 = source.input()
        n2 = value.number(value=0.0)
        n8 = colour.exposure(image=n1.image; stops=n2.out)
        """
        + SHOW
    )
    assert near(shown(made, picture), picture.data)
    made.set("n2", "value", -1.0)
    assert near(shown(made, picture, 1), as_bytes(picture.data / 255 / 2))


def test_image_feedback_echoes(engine, picture):
    made = engine(
        """
        n1 = source.input()
        n2 = delay.image(value=n8.out)
        n8 = composite.blend(below=n1.image; above=n2.out; opacity=0.5)
        """
        + SHOW
    )
    black = Frame.of(np.zeros_like(picture.data))
    assert near(shown(made, picture), picture.data), "the first frame sees nothing behind it"
    assert near(shown(made, black, 1), picture.data / 2)
    assert near(shown(made, black, 2), picture.data / 4)
    made.reset()
    assert shown(made, black, 0)[..., :3].max() == 0


def test_state_goes_on_in_the_next_plan(engine, planner, picture, write):
    text = (
        """
        n1 = source.input()
        n2 = test.count()
        n3 = value.maths(a=n2.number; b=-0.01; operation='multiply')
        n8 = colour.exposure(image=n1.image; stops=n3.out)
        """
        + SHOW
    )
    first = engine(text)
    for i in range(3):
        shown(first, picture, i)
    text = text.replace("-0.01", "0.01") + "\nn5 = delay.number(value=n2.number)"
    built = planner.build(planner.plan(write(text), first.plan.stream))
    second = planner.engine(built, write(text))
    assert second.adopt(first) == (("n2.frames",), ())
    shown(second, picture, 3)
    assert second.value(("n2", "number")) == 4.0
    second.close()


def test_items_are_mapped_with_a_state_each_and_merged(engine, picture):
    made = engine(
        """
        n1 = source.input()
        n2 = test.two_faces()
        n3 = test.per_face(face=n2.faces)
        n4 = test.sum(values=n3.id)
        n5 = test.sum(values=n3.seen)
        n6 = value.maths(a=n4.total; b=n5.total; operation='add')
        n7 = value.maths(a=n6.out; b=0.0; operation='multiply')
        n8 = colour.exposure(image=n1.image; stops=n7.out)
        """
        + SHOW
    )
    totals = []
    for i in range(3):
        shown(made, picture, i)
        totals.append((made.value(("n4", "total")), made.value(("n5", "total"))))
    assert totals == [(8.0, 2.0), (8.0, 4.0), (3.0, 3.0)]


def test_an_image_is_carried_from_item_to_item(engine, picture):
    made = engine(
        """
        n1 = source.input()
        n2 = test.two_faces()
        n3 = test.add_id(face=n2.faces; image=n1.image)
        n8 = colour.exposure(image=n3.out)
        """
        + SHOW
    )
    dark = Frame.of(picture.data // 2)
    assert near(shown(made, dark), as_bytes(dark.data / 255 + 0.08))
    shown(made, dark, 1)
    assert near(shown(made, dark, 2), as_bytes(dark.data / 255 + 0.03))


FAILING = """
    n1 = source.input()
    n2 = KIND(value=n5.out; after=1)
    n5 = value.number(value=0.75)
    n8 = colour.exposure(image=n1.image; stops=n2.out)
    """


@pytest.mark.parametrize(
    ("kind", "stops"), [("test.fails", 0.25), ("test.fails_empty", 0.0), ("test.fails_pass", 0.75)]
)
def test_a_node_that_raises_is_contained_and_its_fallback_goes_on(engine, picture, kind, stops):
    made = engine(FAILING.replace("KIND", kind) + SHOW)
    assert near(shown(made, picture), as_bytes(picture.data / 255 * 2**0.25))
    assert not made.failures
    for i in (1, 2):
        assert near(shown(made, picture, i), as_bytes(picture.data / 255 * 2**stops))
    assert made.failures["n2"].count == 2
    assert made.failures["n2"].error == "ValueError: out of ideas"


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (63, 65), (1080, 1920)])
def test_any_size_plays_and_the_size_may_change(engine, size):
    made = engine(LONG)
    rng = np.random.default_rng(1)
    for i, (h, w) in enumerate([(48, 64), size, (48, 64)]):
        frame = Frame.of(rng.integers(0, 256, (h, w, 3), dtype=np.uint8))
        assert shown(made, frame, i).shape[:2] == (h, w)
    assert not made.failures


def test_alpha_comes_through(engine):
    made = engine("n1 = source.input()\nn8 = colour.exposure(image=n1.image)\n" + SHOW, channels=4)
    rgba = np.zeros((20, 70, 4), np.uint8)
    rgba[..., 3] = 128
    rgba[..., 0] = 100
    assert near(shown(made, Frame.of(rgba)), rgba)


def test_the_same_bytes_with_one_thread_and_two_and_run_again(engine, picture):
    made = engine(LONG)
    made.library.set_threads(1)
    first = shown(made, picture)
    made.library.set_threads(2)
    assert np.array_equal(shown(made, picture, 1), first)
    assert np.array_equal(shown(engine(LONG), picture), first)


def test_events_reach_the_frame_they_are_given_to(engine, picture):
    made = engine(
        """
        n1 = source.input()
        n2 = test.keys()
        n3 = test.heard(events=n2.events)
        n8 = colour.exposure(image=n1.image)
        """
        + SHOW
    )
    shown(made, picture, 0, events=(Event("a", 0), Event("b", 1)))
    shown(made, picture, 1)
    assert made.states["n3"].names == ["a", "b"]


def test_a_face_becomes_points_on_the_wire(engine, picture):
    made = engine(
        """
        n1 = source.input()
        n2 = test.two_faces()
        n3 = face.pick(faces=n2.faces)
        n4 = test.landmarks(points=n3.face)
        n5 = value.maths(a=n4.count; b=0.0; operation='multiply')
        n8 = colour.exposure(image=n1.image; stops=n5.out)
        """
        + SHOW
    )
    shown(made, picture)
    assert made.value(("n4", "count")) == 468.0


def test_an_optional_raster_that_is_not_there_is_none_and_a_needed_one_is_black(engine, picture):
    made = engine(
        """
        n1 = source.input()
        n2 = delay.image(value=n1.image)
        n3 = test.opaque(image=n2.out)
        n8 = composite.blend(below=n1.image; above=n3.out; mode='plus')
        """
        + SHOW
    )
    dark = Frame.of(picture.data // 3)
    assert near(shown(made, dark), dark.data)
    assert near(shown(made, dark, 1), dark.data * 2)
    assert not made.failures


GROUP = {
    "each": {
        "version": 1,
        "inputs": {"face": {"type": "Face"}},
        "outputs": {"double": "n2.out"},
        "nodes": {
            "n1": {"type": "test.per_face", "version": 1, "inputs": {"face": "in.face"}},
            "n2": {"type": "value.maths", "version": 1, "params": {"operation": "multiply", "b": 2.0},
                   "inputs": {"a": "n1.id"}},
        },
        "next_id": 3,
    }
}  # fmt: skip


def test_a_group_with_an_item_input_is_played_for_each_item(engine, picture):
    made = engine(
        """
        n1 = source.input()
        n2 = test.two_faces()
        n3 = group:each(face=n2.faces)
        n4 = test.sum(values=n3.double)
        n5 = value.maths(a=n4.total; b=0.0; operation='multiply')
        n8 = colour.exposure(image=n1.image; stops=n5.out)
        """
        + SHOW,
        groups=GROUP,
    )
    shown(made, picture)
    assert made.value(("n4", "total")) == 16.0
    assert not made.failures


def test_an_8k_frame_plays(engine):
    made = engine("n1 = source.input()\nn2 = test.half(image=n1.image)\nn3 = colour.invert(image=n1.image)\n"
                  "n8 = composite.blend(below=n1.image; above=n3.out; mask=n2.mask)\n" + SHOW)  # fmt: skip
    frame = Frame.make(7680, 4320, 3)
    frame.data[...] = 10
    got = made.frame(frame, 0, 0).data
    assert got.shape[:2] == (4320, 7680)
    assert (got[7, 9, :3] == 245).all() and (got[4000, 7600, :3] == 10).all()


def test_a_picture_made_of_nothing_and_resized_keeps_its_own_size(engine, picture):
    made = engine(
        "n1 = mask.ellipse()\nn2 = geometry.resize_mask(mask=n1.out; height=0.5)\nn9 = sink.output(image=n2.out)"
    )
    got = shown(made, picture)
    assert not made.failures
    h, w = got.shape[:2]
    assert abs(h - picture.height / 2) <= 1 and got[h // 2, w // 2, 0] > 230 and got[0, 0, 0] == 0


def test_one_value_is_a_list_of_one_for_a_node_that_takes_many(engine, picture):
    for kind, value in (("number", 2.0), ("integer", 2)):
        one = engine(f"n1 = source.input()\nn3 = value.{kind}(value={value})\nn4 = test.sum(values=n3.out)\n"
                     "n8 = colour.exposure(image=n1.image; stops=n4.total)\nn9 = sink.output(image=n8.out)")  # fmt: skip
        one.frame(picture, 0, 0)
        assert not one.failures
        assert one.value(("n4", "total")) == 2.0


def test_a_delay_converts_what_it_keeps(engine, picture):
    one = engine("n1 = source.input()\nn3 = value.number(value=0.5)\nn4 = delay.colour(value=n3.out)\n"
                 "n8 = colour.tint(image=n1.image; colour=n4.out)\nn9 = sink.output(image=n8.out)")  # fmt: skip
    for i in range(2):
        one.frame(picture, i, i)
    assert not one.failures
    assert one.value(("n4", "out")) == (0.5, 0.5, 0.5, 1.0)


class Painted(ProcessNode, type="test.painted"):
    """For one face: the red of a colour, and its id."""

    face: In[Face]
    colour: Param[Colour] = param((0.0, 0.0, 0.0, 1.0))
    red: Out[Number]
    id: Out[Number]

    def process(self, face, colour):
        return colour[0], float(face.id)


def test_a_mapped_nodes_wires_are_converted(nodes, planner, write, picture):
    more = Registry(
        [*((d.cls, nodes.origins[d.type]) for d in nodes.values()), (Painted, Origin("", "", ""))]
    )
    effect = write("n1 = source.input()\nn2 = test.two_faces()\nn3 = value.number(value=0.25)\n"
                   "n4 = test.painted(face=n2.faces; colour=n3.out)\nn5 = test.sum(values=n4.red)\n"
                   "n6 = test.sum(values=n4.id)\nn7 = colour.exposure(image=n1.image; stops=n5.total)\n"
                   "n8 = colour.exposure(image=n7.out; stops=n6.total)\nn9 = sink.output(image=n8.out)")  # fmt: skip
    one = planner.engine(planner.build(compile_effect(effect, nodes=more)), effect)
    one.frame(picture, 0, 0)
    assert not one.failures
    assert (one.value(("n5", "total")), one.value(("n6", "total"))) == (0.5, 8.0)
    one.close()


def muted(write, text, *names):
    effect = write(text)
    return replace(
        effect, nodes=FrozenDict({n: replace(u, muted=n in names) for n, u in effect.nodes.items()})
    )


MUTED = {
    "a number, as a mask, as an image": (
        "n3 = value.number(value=0.5)\nn4 = mask.levels(mask=n3.out)\nn8 = colour.exposure(image=n4.out)", 128),
    "the same before a process node": (
        "n3 = value.number(value=0.5)\nn4 = mask.levels(mask=n3.out)\nn8 = test.opaque(image=n4.out)", 128),
    "a list that nobody makes": (
        "n3 = test.two_faces()\nn4 = test.per_face(face=n3.faces)\nn5 = test.sum(values=n4.id)\n"
        "n8 = generate.fill(colour=n5.total)", 0),
    "a list of numbers is no number": (
        "n3 = test.two_faces()\nn6 = test.per_face(face=n3.faces)\nn4 = test.sum(values=n6.id)\n"
        "n8 = generate.fill(colour=n4.total)", 128),
    "a delay that fed something back": (
        "n3 = generate.fill(colour=(0.5, 0.5, 0.5, 1.0))\nn4 = delay.image(value=n8.out)\n"
        "n8 = composite.over(below=n3.out; above=n4.out)", 128),
}  # fmt: skip


@pytest.mark.parametrize("case", MUTED)
def test_what_a_muted_node_passes_on(planner, write, picture, case):
    text, value = MUTED[case]
    effect = muted(write, "n1 = source.input()\n" + text + "\n" + SHOW, "n4")
    for cuts in ((), [("n8", "image"), ("n4", "mask")]):
        one = planner.engine(planner.build(planner.plan(effect, Stream(3), cuts=cuts)), effect)
        for i in range(2):
            got = shown(one, picture, i)
        one.close()
        assert not one.failures
        assert np.abs(got[..., :3].astype(int) - value).max() <= 1


FLOATING = {
    "a value that becomes a picture of another one's size": (
        "n2 = geometry.resize(image=n1.image; height=1.2)\nn3 = value.colour()\nn6 = test.opaque(image=n3.out)\n"
        "n8 = composite.blend(below=n6.out; above=n2.out)"),
    "a picture that is resized, and laid over by itself": (
        "n3 = generate.fill()\nn6 = test.opaque(image=n3.out)\nn2 = geometry.resize(image=n6.out; height=1.2)\n"
        "n8 = composite.blend(below=n6.out; above=n2.out)"),
    "a value alone": "n3 = value.colour()\nn8 = test.opaque(image=n3.out)",
}  # fmt: skip


@pytest.mark.parametrize("case", FLOATING)
def test_what_lies_nowhere_is_computed_where_its_reader_is(engine, picture, case):
    one = engine("n1 = source.input()\n" + FLOATING[case] + "\n" + SHOW)
    for i in range(2):
        got = shown(one, picture, i)
    assert not one.failures
    assert got.any()


def test_what_one_node_holds_no_other_sees(engine, picture):
    made = engine(
        """
        n1 = source.input()
        n2 = test.blink()
        n3 = test.last(faces=n2.faces)
        n4 = test.how_many(faces=n2.faces)
        n5 = value.maths(a=n3.count; b=n4.count; operation='add')
        n6 = value.maths(a=n5.out; b=0.0; operation='multiply')
        n8 = colour.exposure(image=n1.image; stops=n6.out)
        """
        + SHOW
    )
    seen = []
    for i in range(3):
        shown(made, picture, i)
        seen.append((made.value(("n3", "count")), made.value(("n4", "count"))))
    assert seen == [(1.0, 1.0), (1.0, 0.0), (1.0, 1.0)]


def test_a_delays_start_may_be_moved(engine, picture):
    made = engine(
        "n1 = source.input()\nn2 = delay.number(value=n3.out; start=-1.0)\nn3 = value.maths(a=n2.out; b=0.0; "
        "operation='add')\nn8 = colour.exposure(image=n1.image; stops=n2.out)\n" + SHOW
    )
    assert near(shown(made, picture), as_bytes(picture.data / 255 / 2))
    made.set("n2", "start", 0.0)
    made.reset()
    assert near(shown(made, picture, 1), picture.data)


def decoded(v):
    return np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)


def encoded(v):
    return np.where(v <= 0.0031308, v * 12.92, 1.055 * np.maximum(v, 0) ** (1 / 2.4) - 0.055)


def test_a_linear_effect_works_on_light(engine, picture):
    made = engine("n1 = source.input()\nn8 = colour.exposure(image=n1.image; stops=-1.0)\n" + SHOW,
                  working_space="linear")  # fmt: skip
    assert near(shown(made, picture), as_bytes(encoded(decoded(picture.data / 255) / 2)))


def test_in_a_linear_effect_process_nodes_get_light_or_what_is_shown_as_they_ask(engine, picture):
    text = """
        n1 = source.input()
        n2 = test.opaque(image=n1.image)
        n3 = test.half(image=n2.out)
        n4 = colour.invert(image=n2.out)
        n8 = composite.blend(below=n2.out; above=n4.out; mask=n3.mask)
        """
    made = engine(text + SHOW, working_space="linear")
    got = shown(made, picture)
    assert near(got[:, 90:], picture.data[:, 90:]), "decoded, copied, encoded: nothing is lost"
    assert near(got[:, :70], as_bytes(encoded(1 - decoded(picture.data[:, :70] / 255))))
    stage = next(s for s in made.plan.stages if s.path == "n2")
    assert np.abs(made.slots[stage.writes[0]].data[..., :3] - decoded(picture.data / 255)).max() < 1e-3
    wires = [(s.path, n) for s in made.plan.steps.values() for n in s.links]
    assert near(shown(engine(text + SHOW, working_space="linear", cuts=wires), picture), got)


def test_a_linear_effect_with_alpha(engine):
    made = engine("n1 = source.input()\nn8 = colour.exposure(image=n1.image)\n" + SHOW, channels=4,
                  working_space="linear")  # fmt: skip
    rgba = np.zeros((20, 70, 4), np.uint8)
    rgba[..., 3], rgba[..., 0] = 128, 100
    assert near(shown(made, Frame.of(rgba)), rgba)
