"""Lists: mapped nodes, carried pictures, groups mapped as a whole, and what is refused."""

from spellwire.graph.groups import flatten
from spellwire.graph.mapping import Mapped, resolve_mapping
from spellwire.graph.validate import validate


def mapping(effect, kit):
    return resolve_mapping(flatten(effect, kit))


FACES = {"n1": "media.source", "n2": "face.mesh image=n1.image"}


def test_a_node_for_one_item_is_mapped_and_its_outputs_are_lists(effect, kit):
    found = mapping(effect(**FACES, n3="face.mask face=n2.faces like=n1.image"), kit)
    assert found.nodes == {"n3": Mapped(("n2", "faces"))}
    assert found.lists == {("n3", "mask"): ("n2", "faces"), ("n3", "size"): ("n2", "faces")}
    assert not found.problems


def test_a_node_that_takes_the_list_is_not_mapped(effect, kit):
    assert not mapping(effect(**FACES, n3="face.draw faces=n2.faces like=n1.image"), kit).nodes


def test_a_list_of_pictures_meets_one_picture(effect, kit):
    bad = effect(
        **FACES,
        n3="face.mask face=n2.faces like=n1.image",
        n4="composite.blend base=n1.image layer=n1.image mask=n3.mask",
    )
    (problem,) = mapping(bad, kit).problems
    assert (problem.node, problem.port) == ("n4", "mask")
    assert "list of Mask" in problem.cause and "carried" in problem.fix
    assert problem in validate(bad, kit)


def test_a_list_port_takes_it(effect, kit):
    good = effect(**FACES, n3="face.mask face=n2.faces like=n1.image", n4="mask.merge masks=n3.mask")
    found = mapping(good, kit)
    assert not found.problems and "n4" not in found.nodes


def test_values_of_items_map_what_reads_them_and_pair_by_track(effect, kit):
    found = mapping(
        effect(
            **FACES,
            n3="face.mask face=n2.faces like=n1.image",
            n4="value.scale number=n3.size",
            n5="face.warp image=n1.image face=n2.faces amount=n4.out",
            n6="media.sink image=n5.out",
        ),
        kit,
    )
    assert found.over("n4") == found.over("n5") == ("n2", "faces")
    assert found.nodes["n5"].carried == ("image", "out")
    assert ("n5", "out") not in found.lists and not found.problems


def test_a_carried_input_takes_no_list(effect, kit):
    bad = effect(
        **FACES, n3="face.warp image=n5.mask face=n2.faces", n5="face.mask face=n2.faces like=n1.image"
    )
    assert [(p.node, p.port) for p in mapping(bad, kit).problems] == [("n3", "image")]


HALO = {
    "inputs": {"image": {"type": "Image", "carried": True}, "face": {"type": "Face"}},
    "outputs": {"out": "n2.out", "mask": "n1.mask"},
    "nodes": {
        "n1": "face.mask face=in.face like=in.image",
        "n2": "composite.blend base=in.image layer=in.image mask=n1.mask",
    },
}


def test_a_group_with_an_item_input_is_mapped_as_a_whole(effect, kit):
    whole = effect(
        **FACES,
        n3="group:halo image=n1.image face=n2.faces",
        n4="media.sink image=n3.out",
        groups={"halo": dict(HALO)},
    )
    flat = flatten(whole, kit)
    scope = flat.scopes["n3"]
    assert scope.items == {"face": ("n2", "faces")}
    assert scope.carried == ("image", "out") and scope.result == ("n3/n2", "out")
    assert {p: n.scope for p, n in flat.nodes.items() if n.scope} == {"n3/n1": "n3", "n3/n2": "n3"}
    assert flat.into("n3/n1")["face"].item_of == "n3"
    assert validate(whole, kit) == []


def test_what_leaves_a_mapped_group_is_a_list(effect, kit):
    bad = effect(
        **FACES,
        n3="group:halo image=n1.image face=n2.faces",
        n4="composite.blend base=n3.out layer=n1.image mask=n3.mask",
        n5="media.sink image=n4.out",
        n6="mask.merge masks=n3.mask",
        groups={"halo": dict(HALO)},
    )
    assert [(p.node, p.port) for p in validate(bad, kit)] == [("n4", "mask")]
