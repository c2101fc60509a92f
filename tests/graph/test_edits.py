"""Edits: what they do, what they refuse, and that undo gives back the same bytes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spellwire.graph.document import dump_effect, parse_effect
from spellwire.graph.edits import (
    AddNode,
    Batch,
    Connect,
    Disconnect,
    History,
    MakeGroup,
    Move,
    Mute,
    Paste,
    RemoveGroup,
    RemoveNodes,
    Rename,
    RenameGroup,
    ReplaceType,
    SetEffect,
    SetGroupPorts,
    SetInterface,
    SetParam,
    SetPolicy,
    Ungroup,
    copy_nodes,
)  # fmt: skip
from spellwire.graph.effect import Effect, GroupInput, GroupOutput, InterfaceEntry, Wire
from spellwire.graph.errors import EditError
from spellwire.graph.groups import flatten
from spellwire.graph.validate import validate


@pytest.fixture
def history(effect, kit):
    return History(
        effect(
            n1="media.source",
            n2="colour.grade image=n1.image amount:0.3",
            n3="filter.blur image=n2.out",
            n4="composite.blend base=n1.image layer=n3.out",
            n5="media.sink image=n4.out",
            n6="value.number value:0.25",
            interface=[{"name": "strength", "target": "n2.amount", "default": 0.4}],
        ),
        kit,
    )


def wires(effect):
    return [str(w) for w in effect.wires]


def test_add_connect_set_and_the_words_of_it(history):
    history.apply(AddNode("colour.grade", at=(10, 20)))
    history.apply(Connect("n4", "out", "n7", "image"))
    history.apply(Connect("n7", "out", "n5", "image"))
    history.apply(SetParam("n7", "amount", 0.75))
    effect = history.effect
    assert effect.nodes["n7"].params == {"amount": 0.75} and effect.positions["n7"] == (10, 20)
    assert wires(effect)[-2:] == ["n7.out → n5.image", "n4.out → n7.image"]
    assert [s.words for s in history.done] == [
        "add Grade", "connect Blend to Grade", "connect Grade to Sink", "set Grade.amount to 0.75",
    ]  # fmt: skip
    assert not [p for p in validate(effect, history.registry) if p.severity == "error"]


REFUSED = {
    "no node type": AddNode("colour.grad"),
    "did you mean 'colour.grade'": AddNode("colour.grad"),
    "already": AddNode("colour.grade", id="n1"),
    "can't be the id": AddNode("colour.grade", id="in"),
    "no group 'glow'": AddNode("group:glow"),
    "no node 'n99'": RemoveNodes(("n99",)),
    "takes Image": Connect("n6", "out", "n2", "image"),
    "no output 'mask'; it has: image": Connect("n1", "mask", "n2", "image"),
    "no input 'picture'; it has: image, amount, tint": Connect("n1", "image", "n2", "picture"),
    "not by 'extrapolate'": Connect("n1", "image", "n2", "image", "extrapolate"),
    "a limit": SetPolicy("n2", "image", "latest", 3),
    "no wire ends at n2.amount": Disconnect("n2", "amount"),
    "outside its range": SetParam("n2", "amount", 1.5),
    "not a number": SetParam("n2", "amount", "much"),
    "no finite number": SetParam("n2", "amount", float("nan")),
    "no parameter 'amout'": SetParam("n2", "amout", 1),
    "not among its choices": SetParam("n4", "mode", "dodge"),
    "can't be stored": SetParam("n2", "amount", object()),
    "two public parameters": SetInterface((InterfaceEntry("a", "n2", "amount"), InterfaceEntry("a", "n3", "radius"))),
    "no parameter 'image'": SetInterface((InterfaceEntry("a", "n2", "image"),)),
    "srgb or linear": SetEffect({"working_space": "aces"}),
    "clipboard": Paste("hello"),
    "no Spellwire nodes": Paste('{"schema": 1}'),
    "choose the nodes": MakeGroup((), "glow"),
    "no use of a group": Ungroup("n1"),
    "there is no group": RemoveGroup("glow"),
}  # fmt: skip


@pytest.mark.parametrize("reason", REFUSED)
def test_a_refused_edit_says_why_and_changes_nothing(history, reason):
    before, edit = history.effect, REFUSED[reason]
    with pytest.raises(EditError) as error:
        history.apply(edit)
    assert reason in str(error.value)
    assert history.effect is before and not history.done


def test_a_batch_is_one_step_or_none(history):
    before = history.effect
    good = Batch((AddNode("colour.grade"), Connect("n1", "image", "n7", "image")), "insert")
    with pytest.raises(EditError):
        history.apply(Batch((*good.edits, SetParam("n7", "amount", 9))))
    assert history.effect is before
    history.apply(good)
    assert len(history.done) == 1 and history.done[0].words == "insert"


def test_moves_in_a_row_are_one_step_until_the_gesture_ends(history):
    before = history.effect
    for value in (0.31, 0.32, 0.33):
        history.apply(SetParam("n2", "amount", value))
    assert len(history.done) == 1
    history.seal()
    history.apply(SetParam("n2", "amount", 0.9))
    history.apply(SetParam("n3", "radius", 0.9))
    assert [s.words for s in history.done][1:] == ["set Grade.amount to 0.9", "set Blur.radius to 0.9"]
    for _ in range(3):
        history.undo()
    assert history.effect is before
    history.redo()
    assert history.effect.nodes["n2"].params["amount"] == 0.33
    history.apply(SetParam("n2", "amount", 0.1))
    assert len(history.done) == 2 and not history.undone


def test_an_id_given_once_is_not_given_again_after_undo(history):
    text = dump_effect(history.effect)
    history.apply(AddNode("colour.grade"))
    assert dump_effect(history.undo()) == text
    history.apply(AddNode("filter.blur"))
    assert "n7" not in history.effect.nodes and "n8" in history.effect.nodes


def test_removing_takes_wires_and_public_parameters_along(history):
    effect = history.apply(RemoveNodes(("n2",)))
    assert wires(effect) == ["n1.image → n4.base", "n3.out → n4.layer", "n4.out → n5.image"]
    assert effect.interface == ()


def test_removing_with_reconnection_lets_the_picture_through(history):
    effect = history.apply(RemoveNodes(("n2", "n3"), reconnect=True))
    assert wires(effect) == ["n1.image → n4.base", "n1.image → n4.layer", "n4.out → n5.image"]


def test_a_wire_replaces_the_one_that_ended_there(history):
    effect = history.apply(Connect("n1", "image", "n5", "image"))
    assert [str(w) for w in effect.wires_into("n5")] == ["n1.image → n5.image"]
    effect = history.apply(SetPolicy("n5", "image", "hold", 4))
    assert effect.wires_into("n5")[0].policy == "hold" and effect.wires_into("n5")[0].limit == 4


def test_replacing_a_type_keeps_what_fits(history):
    history.apply(Connect("n6", "out", "n2", "amount"))
    effect = history.apply(ReplaceType("n2", "filter.blur"))
    assert effect.nodes["n2"].type == "filter.blur" and effect.nodes["n2"].params == {}
    assert wires(effect)[0] == "n1.image → n2.image" and "n2.out → n3.image" in wires(effect)
    assert effect.interface == () and effect.wires_into("n2", "amount") == ()
    effect = history.apply(ReplaceType("n2", "composite.blend"))
    assert [str(w) for w in effect.wires_into("n2")] == ["n1.image → n2.base"]


def test_a_group_is_made_and_plays_the_same(history, kit):
    history.apply(Connect("n6", "out", "n3", "radius"))
    before = flatten(history.effect, kit)
    effect = history.apply(MakeGroup(("n2", "n3"), "soft"))
    group = effect.groups["soft"]
    assert [(p.name, p.type, p.optional) for p in group.inputs] == [("image", "Image", False)]
    assert [(p.name, p.node, p.port) for p in group.outputs] == [("out", "n3", "out")]
    assert [(e.name, e.target) for e in group.interface] == [
        ("radius", "n3.radius"),
        ("strength", "n2.amount"),
    ]
    assert effect.entry("strength").target == "n7.strength"
    assert validate(effect, kit) == []
    after = flatten(effect, kit)
    assert renamed(after, lambda path: path.removeprefix("n7/")) == renamed(before, str)
    assert before.public("strength").default == after.public("strength").default == 0.4
    opened = history.apply(Ungroup("n7"))
    assert renamed(flatten(opened, kit), lambda path: {"n8": "n2", "n9": "n3"}.get(path, path)) == renamed(
        before, str
    )
    history.apply(RemoveGroup("soft"))
    assert not history.effect.groups


def renamed(flat, name):
    """A flat graph as sets, under other paths."""
    nodes = {(name(n.path), n.type, n.params, n.muted) for n in flat.nodes.values()}
    wires = {(name(w.source), w.source_port, name(w.target), w.target_port, w.policy) for w in flat.wires}
    return nodes, wires


def test_groups_in_groups_and_no_group_in_itself(history, kit):
    before = flatten(history.effect, kit)
    history.apply(MakeGroup(("n2", "n3"), "soft"))
    history.apply(MakeGroup(("n7", "n4"), "look"))
    assert set(flatten(history.effect, kit).nodes) == {"n1", "n5", "n6", "n8/n4", "n8/n7/n2", "n8/n7/n3"}
    assert renamed(flatten(history.effect, kit), lambda p: p.rpartition("/")[2]) == renamed(before, str)
    with pytest.raises(EditError, match="contain itself"):
        history.apply(AddNode("group:look", scope="soft"))
    with pytest.raises(EditError, match="is used by look: n7"):
        history.apply(RemoveGroup("soft"))
    history.apply(RenameGroup("soft", "softer"))
    assert history.effect.groups["look"].nodes["n7"].type == "group:softer"
    assert validate(history.effect, kit) == []


def test_ports_of_a_group_change_everywhere(history, kit):
    history.apply(MakeGroup(("n2", "n3"), "soft"))
    ports = SetGroupPorts(
        (GroupInput("picture", "Image"),), (GroupOutput("result", "n3", "out"),),
        {"image": "picture", "out": "result"}, scope="soft",
    )  # fmt: skip
    effect = history.apply(ports)
    assert effect.groups["soft"].version == effect.nodes["n7"].version == 2
    assert (
        Wire("n1", "image", "n7", "picture") in effect.wires
        and Wire("n7", "result", "n4", "layer") in effect.wires
    )
    assert validate(effect, kit) == []


def test_copied_nodes_are_text_and_come_in_under_new_ids(history, kit):
    history.apply(MakeGroup(("n2",), "soft"))
    history.apply(Move({"n7": (100, 50), "n3": (200, 70)}))
    text = copy_nodes(history.effect, ["n7", "n3"])
    effect = history.apply(Paste(text, (0, 0)))
    assert effect.positions["n8"] == (100, 20) and effect.positions["n9"] == (0, 0)
    assert Wire("n9", "out", "n8", "image") in effect.wires and set(effect.groups) == {"soft"}
    other = History(Effect(), kit)
    pasted = other.apply(Paste(text))
    assert pasted.groups["soft"] == effect.groups["soft"] and list(pasted.nodes) == ["n1", "n2"]
    changed = other.apply(SetParam("n2", "amount", 0.9, scope="soft"))
    again = other.apply(Paste(text))
    assert set(again.groups) == {"soft", "soft_2"} and again.groups["soft"] == changed.groups["soft"]
    assert again.nodes["n4"].type == "group:soft_2"


def test_changes_are_known_until_saved(history):
    assert not history.changed
    history.apply(Mute(("n2",)))
    assert history.changed
    history.undo()
    assert not history.changed
    history.apply(Rename("n2", "Warmth"))
    history.saved()
    assert not history.changed


NODES = st.sampled_from([f"n{i}" for i in range(1, 12)])
PORTS = st.sampled_from(["image", "out", "base", "layer", "mask", "amount", "radius", "number", "picture"])
SCOPES = st.sampled_from(["", "", "", "g1", "g2"])
EDITS = st.one_of(
    st.builds(AddNode, st.sampled_from(["colour.grade", "filter.blur", "composite.blend", "value.number", "group:g1"]), scope=SCOPES),
    st.builds(RemoveNodes, st.tuples(NODES), st.booleans(), scope=SCOPES),
    st.builds(Connect, NODES, PORTS, NODES, PORTS, scope=SCOPES),
    st.builds(Disconnect, NODES, PORTS, scope=SCOPES),
    st.builds(SetPolicy, NODES, PORTS, st.sampled_from(["latest", "exact", None])),
    st.builds(SetParam, NODES, PORTS, st.floats(0, 1), scope=SCOPES),
    st.builds(Rename, NODES, st.text(max_size=4)),
    st.builds(Move, st.dictionaries(NODES, st.tuples(st.floats(-9, 9), st.floats(-9, 9)), min_size=1, max_size=2)),
    st.builds(Mute, st.tuples(NODES), st.booleans()),
    st.builds(SetInterface, st.lists(st.builds(InterfaceEntry, PORTS, NODES, PORTS), max_size=2).map(tuple), scope=SCOPES),
    st.builds(MakeGroup, st.lists(NODES, min_size=1, max_size=3, unique=True).map(tuple), st.sampled_from(["g1", "g2"]), scope=SCOPES),
    st.builds(Ungroup, NODES, scope=SCOPES),
    st.builds(RenameGroup, st.sampled_from(["g1", "g2"]), st.sampled_from(["g1", "g2"])),
    st.builds(RemoveGroup, st.sampled_from(["g1", "g2"])),
    st.builds(ReplaceType, NODES, st.sampled_from(["colour.grade", "composite.blend", "group:g1"]), scope=SCOPES),
    st.builds(SetEffect, st.fixed_dictionaries({"title": st.text(max_size=3)})),
    st.just("copy"), st.just("undo"), st.just("seal"),
)  # fmt: skip


@settings(deadline=None, max_examples=60)
@given(st.lists(EDITS, max_size=30))
def test_any_edits_undone_give_the_same_bytes_and_redone_too(kit, effect, edits):
    history = History(
        effect(
            n1="media.source",
            n2="colour.grade image=n1.image",
            n3="composite.blend base=n1.image layer=n2.out",
            n4="media.sink image=n3.out",
            n5="group:g1 image=n2.out",
            groups={
                "g1": {
                    "inputs": {"image": {"type": "Image"}},
                    "outputs": {"out": "n1.out", "raw": "in.image"},
                    "interface": [{"name": "amount", "target": "n1.amount"}],
                    "nodes": {"n1": "colour.grade image=in.image"},
                }
            },
        ),
        kit,
    )
    texts = [dump_effect(history.effect)]
    for edit in edits:
        if edit == "seal":
            history.seal()
        elif edit == "undo":
            if history.done:
                history.undo()
                del texts[len(history.done) + 1 :]
        else:
            before = dump_effect(history.effect)
            try:
                history.apply(
                    Paste(copy_nodes(history.effect, list(history.effect.nodes)[:2]))
                    if edit == "copy"
                    else edit
                )
            except EditError:
                assert dump_effect(history.effect) == before
                continue
            del texts[len(history.done) :]
            texts.append(dump_effect(history.effect))
        now = dump_effect(history.effect)
        assert dump_effect(parse_effect(now)) == now
        flatten(history.effect, kit)
    for problem in validate(history.effect, kit):
        assert problem.cause and str(problem)
    final, steps = dump_effect(history.effect), len(history.done)
    while history.done:
        assert dump_effect(history.undo()) == texts[len(history.done)]
    assert dump_effect(history.effect) == texts[0]
    for _ in range(steps):
        history.redo()
    assert dump_effect(history.effect) == final
