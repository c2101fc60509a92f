"""Validation: every kind of problem, each with its place, its cause and what to do; and all of them at once."""

from dataclasses import replace
from pathlib import Path

import pytest

from spellwire.graph.assets import add_asset, asset_path, asset_references, file_sha256
from spellwire.graph.effect import Effect
from spellwire.graph.errors import DocumentError, ValidationError
from spellwire.graph.frozen import FrozenDict
from spellwire.graph.groups import flatten
from spellwire.graph.topology import cycles, dependants, order, sources_of
from spellwire.graph.validate import check, validate


def found(effect, kit):
    """By place; where two problems share one, their words together."""
    made = {}
    for p in validate(effect, kit):
        before = made.get((p.node, p.port))
        made[p.node, p.port] = p if before is None else replace(p, cause=f"{before.cause}; {p.cause}")
    return made


def test_a_good_effect_has_no_problems(effect, kit):
    good = effect(
        n1="media.source",
        n2="colour.grade image=n1.image amount=n4.out",
        n3="media.sink image=n2.out",
        n4="value.number",
    )
    assert validate(good, kit) == []
    assert list(check(good, kit).nodes) == ["n1", "n2", "n3", "n4"]


def test_all_problems_at_once(effect, kit):
    bad = effect(
        n1="media.sauce",
        n2="colour.grade image=n1.image amount:7",
        n3="colour.grade image=n2.result colour:1",
        n4="composite.blend base=n2.out mode:dodge",
        n5="media.sink image=n4.out image=n3.out",
        n6="value.number",
        n7="filter.blur image=n6.out tint=n6.out",
        n8={"type": "colour.grade", "inputs": {"image": [{"from": "n2.out", "policy": "extrapolate"}]}},
        n9={"type": "filter.blur", "version": 9, "inputs": {"image": "n99.out"}},
        requires={"someones-nodes": "2.0"},
        interface=[{"name": "a", "target": "n2.amount"}, {"name": "a", "target": "n66.x"}],
        working_space="aces",
    )
    problems = found(bad, kit)
    causes = {
        ("n1", ""): "no installed package has the node type 'media.sauce'",
        ("n2", "amount"): "7 is outside its range",
        ("n2", "result"): "no output 'result'",
        ("n3", "colour"): "no parameter 'colour'",
        ("n4", "layer"): "not wired",
        ("n4", "mode"): "not among its choices",
        ("n5", "image"): "2 wires end at one input",
        ("n7", "image"): "takes Image, and n6.out gives Number",
        ("n7", "tint"): "no input 'tint'",
        ("n8", "image"): "can't travel by 'extrapolate'",
        ("n9", ""): "saved by version 9",
        ("n9", "image"): "begins at no node",
        ("", "a"): "two public parameters are called 'a'",
        ("", "working_space"): "unknown",
    }
    for place, cause in causes.items():
        assert cause in problems[place].cause, place
        assert problems[place].fix, place
    assert any("no such node" in p.cause for p in validate(bad, kit))
    assert "someones-nodes 2.0" in problems["n1", ""].fix and "media.source" in problems["n1", ""].fix
    with pytest.raises(ValidationError) as error:
        check(bad, kit)
    assert len(error.value.problems) >= len(causes)
    assert "n2.amount: 7 is outside its range; set 0 to 1" in str(error.value)


def test_a_mismatch_offers_the_node_between(effect, kit):
    bad = effect(n1="media.source", n2="face.draw faces=n1.image like=n1.image")
    assert "face.mesh" in found(bad, kit)["n2", "faces"].fix


@pytest.mark.parametrize(
    ("param", "value", "cause"),
    [
        ("amount", True, "not a number"),
        ("amount", "0.5", "not a number"),
        ("amount", -0.1, "outside its range"),
        ("tint", [1, 1, 1], "not 4 numbers"),
        ("tint", [1, 1, 1, "x"], "not 4 numbers"),
        ("tint", [1, 1, 1, 1e308], "not 4 numbers"),
    ],
)
def test_a_value_that_does_not_fit(effect, kit, param, value, cause):
    bad = effect(
        n1="media.source",
        n2={"type": "colour.grade", "params": {param: value}, "inputs": {"image": "n1.image"}},
    )
    assert cause in found(bad, kit)["n2", param].cause


def test_not_a_number_is_found_even_where_python_put_it(effect, kit):
    bad = effect(n1="media.source", n2="colour.grade image=n1.image")
    node = replace(bad.nodes["n2"], params=FrozenDict(amount=float("nan")))
    assert "no finite number" in found(bad.with_node(node), kit)["n2", "amount"].cause


def test_a_structural_parameter_moves_only_among_few_values(effect, kit):
    bad = effect(
        n1="media.source",
        n2="value.which",
        n3="composite.blend base=n1.image layer=n1.image taps=n2.out",
        n4="composite.blend base=n3.out layer=n1.image",
        interface=[{"name": "mode", "target": "n4.mode"}, {"name": "taps", "target": "n4.taps"}],
    )
    problems = found(bad, kit)
    assert "40 kernels" in problems["n3", "taps"].cause and "40 kernels" in problems["n4", "taps"].cause
    assert ("n4", "mode") not in problems


def test_public_parameters(effect, kit):
    bad = effect(
        n1="media.source",
        n2="colour.grade image=n1.image amount=n3.out",
        n3="value.number",
        n4="colour.grade image=n2.out",
        n5="media.sink image=n4.out",
        interface=[
            {"name": "driven", "target": "n2.amount"},
            {"name": "wide", "target": "n4.amount", "low": -1, "high": 3},
            {"name": "empty", "target": "n3.value", "low": 2, "high": 1},
            {"name": "twice", "target": "n4.amount", "default": 0.5},
            {"name": "outside", "target": "n3.value", "default": 5, "low": 0, "high": 1},
        ],
    )
    problems = validate(bad, kit)
    causes = [p.cause for p in problems]
    assert {p.severity for p in problems if "a wire drives it" in p.cause} == {"warning"}
    for cause in ("goes below", "range is empty", "'wide' and 'twice' set the same", "starts at 5"):
        assert any(cause in c for c in causes), cause


def test_cycles_are_named_and_a_delay_breaks_them(effect, kit):
    bad = effect(
        n1="media.source",
        n2="composite.blend base=n1.image layer=n4.out",
        n3="colour.grade image=n2.out",
        n4="filter.blur image=n3.out",
        n5="colour.grade image=n5.out",
        n6="media.sink image=n4.out",
    )
    assert cycles(flatten(bad, kit)) == (("n2", "n3", "n4"), ("n5",))
    assert "n2 → n3 → n4 → n2" in found(bad, kit)["n2", ""].cause
    with pytest.raises(ValidationError, match="n5 → n5"):
        order(flatten(bad, kit))
    good = effect(
        n1="media.source",
        n2="composite.blend base=n1.image layer=n4.out",
        n3="colour.grade image=n2.out",
        n4="time.delay_image image=n3.out",
        n6="media.sink image=n2.out",
    )
    flat = flatten(good, kit)
    assert validate(good, kit) == [] and order(flat) == ("n1", "n4", "n2", "n3", "n6")
    assert sources_of(flat, ["n6"]) == set(flat.nodes)
    assert dependants(flat, ["n3"]) == {"n3", "n4", "n2", "n6"}


def test_order_is_by_number_where_it_is_free(effect, kit):
    nodes = {f"n{i}": "value.number" for i in range(1, 13)}
    assert order(flatten(effect(**nodes), kit)) == tuple(nodes)


def test_nothing_shown_is_a_warning(effect, kit):
    (problem,) = validate(effect(n1="media.source"), kit)
    assert problem.severity == "warning" and "nothing shows" in problem.cause
    check(effect(n1="media.source"), kit)
    assert [p.severity for p in validate(Effect(), kit)] == ["warning"]


def test_assets_are_files_of_the_effect(effect, kit, tmp_path):
    def picture(reference):
        made = effect(
            n1={"type": "media.picture", "params": {"file": reference}}, n2="media.sink image=n1.image"
        )
        return replace(made, folder=tmp_path)

    outside = tmp_path.parent / "outside.png"
    outside.write_bytes(b"png")
    good = add_asset(tmp_path, outside)
    assert good["asset"] == "assets/outside.png" and add_asset(tmp_path, outside) == good
    assert validate(picture(good), kit) == [] and list(asset_references(picture(good))) == [good]
    outside.write_bytes(b"other")
    assert add_asset(tmp_path, outside)["asset"] == "assets/outside-2.png"
    (tmp_path / "assets" / "link.png").symlink_to(outside)
    bad = {
        "assets/none.png": "missing",
        "../outside.png": "leaves the effect's folder",
        str(outside): "leaves the effect's folder",
        "assets/link.png": "link out of",
        "a\\b.png": "forward slashes",
        "C:/x.png": "forward slashes",
    }
    for name, cause in bad.items():
        assert cause in found(picture({"asset": name}), kit)["n1", "file"].cause
    wrong = {"asset": "assets/outside.png", "sha256": file_sha256(outside)}
    assert "not the one that was saved" in found(picture(wrong), kit)["n1", "file"].cause
    assert "is not a file" in found(picture("hat.png"), kit)["n1", "file"].cause
    with pytest.raises(DocumentError):
        asset_path(Path("x"), {"asset": 3})
