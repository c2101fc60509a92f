"""Where things lie, and what is refused."""

from spellwire.graph.groups import flatten
from spellwire.graph.spaces import Place, resolve_spaces


def places(effect, kit):
    return resolve_spaces(flatten(effect, kit))


def test_a_chain_lies_in_the_frame(effect, kit):
    found = places(
        effect(n1="media.source", n2="colour.grade image=n1.image", n3="filter.blur image=n2.out"), kit
    )
    assert {p.space for p in found.outputs.values()} == {"frame"}
    assert {p.size for p in found.outputs.values()} == {"frame"}
    assert not found.problems and not found.resampled and not found.floating


def test_another_size_of_one_space_is_resampled_at_the_domain(effect, kit):
    found = places(
        effect(
            n1="media.source",
            n2="transform.smaller image=n1.image",
            n3="composite.blend base=n1.image layer=n2.out",
            n4="composite.blend base=n2.out layer=n1.image",
        ),
        kit,
    )
    assert found.outputs["n2", "out"] == Place("frame", "free:n2.out")
    assert found.outputs["n3", "out"] == Place("frame", "frame")
    assert found.outputs["n4", "out"] == Place("frame", "free:n2.out")
    assert found.resampled == {("n3", "layer"), ("n4", "layer")}
    assert not found.problems


def test_two_spaces_mix_only_by_place(effect, kit):
    mixed = effect(
        n1="media.source", n2="media.picture", n3="transform.crop image=n1.image",
        n4="composite.blend base=n1.image layer=n2.image",
        n5="composite.blend base=n1.image layer=n3.out",
        n6="transform.place base=n1.image layer=n2.image",
    )  # fmt: skip
    found = places(mixed, kit)
    assert [(p.node, p.port) for p in found.problems] == [("n4", "layer"), ("n5", "layer")]
    assert "place" in found.problems[0].fix and "n2.image" in found.problems[0].cause
    assert found.outputs["n2", "image"].space == "asset:n2.image"
    assert found.outputs["n3", "out"].space == "new:n3.out"
    assert found.outputs["n6", "out"].space == "frame"


def test_a_generator_takes_its_consumers_place(effect, kit):
    found = places(
        effect(
            n1="generate.gradient",
            n2="colour.grade image=n1.out",
            n3="media.source",
            n4="transform.crop image=n3.image",
            n5="composite.blend base=n4.out layer=n2.out",
            n6="generate.gradient",
            n7="media.sink image=n6.out",
        ),
        kit,
    )
    assert found.floating == {("n1", "out"), ("n2", "out"), ("n6", "out")}
    assert found.outputs["n1", "out"] == found.outputs["n2", "out"] == found.outputs["n4", "out"]
    assert found.domains["n2"].space == "new:n4.out"
    assert found.outputs["n6", "out"].space == "frame"
    assert not found.problems


def test_the_declared_domain_decides_whatever_the_ids(effect, kit):
    """The node has the smallest id, so an analysis in order of ids would take the wrong input."""
    found = places(
        effect(
            n1="composite.blend base=n4.out layer=n2.image",
            n2="media.source",
            n3="transform.smaller image=n2.image",
            n4="colour.grade image=n3.out",
        ),
        kit,
    )
    assert found.domains["n1"].size == "free:n3.out"


def test_feedback_lies_where_it_is_fed_from(effect, kit):
    found = places(
        effect(
            n1="media.source",
            n2="composite.blend base=n1.image layer=n3.out",
            n3="time.delay_image image=n2.out",
            n4="time.delay_image image=n5.out",
            n5="transform.smaller image=n1.image",
        ),
        kit,
    )
    assert found.outputs["n3", "out"] == Place("frame", "frame")
    assert found.outputs["n4", "out"] == Place("frame", "free:n5.out")
    assert not found.problems


def test_in_a_ring_a_node_waits_for_its_best_input(effect, kit):
    """n3 stands before n9, which says where it lies; what lies ready beside it must not."""
    found = places(
        effect(
            n1="media.source",
            n2="transform.smaller image=n1.image",
            n3="composite.blend base=n9.out layer=n1.image",
            n4="time.delay_image image=n3.out",
            n9="composite.blend base=n2.out layer=n4.out",
        ),
        kit,
    )
    assert found.outputs["n9", "out"] == found.outputs["n3", "out"] == Place("frame", "free:n2.out")
    assert found.domains["n3"] == Place("frame", "free:n2.out")


def test_what_has_its_own_size_is_a_place_whatever_it_was_made_from(effect, kit):
    """A generator lies anywhere; made smaller it does not, and what is laid over it is computed there."""
    found = places(
        effect(
            n1="media.source",
            n2="generate.gradient",
            n3="transform.smaller image=n2.out",
            n4="composite.blend base=n3.out layer=n5.out",
            n5="transform.smaller image=n1.image",
        ),
        kit,
    )
    assert found.outputs["n3", "out"] == found.outputs["n4", "out"] == Place("frame", "free:n3.out")
    assert ("n2", "out") in found.floating and ("n3", "out") not in found.floating
