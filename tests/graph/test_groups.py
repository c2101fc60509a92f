"""Groups: followed through their borders, with overrides; recursion and loose ends are told."""

from spellwire.graph.declare import In, Out, Param, PixelNode, param
from spellwire.graph.effect import Effect
from spellwire.graph.groups import flatten, group_recursion
from spellwire.graph.migrate import upgrade
from spellwire.graph.registry import Registry
from spellwire.graph.types import Image, Number
from spellwire.graph.validate import validate

SOFT = {
    "inputs": {"image": {"type": "Image"}},
    "outputs": {"out": "n2.out", "raw": "in.image"},
    "interface": [
        {"name": "amount", "target": "n1.amount"},
        {"name": "radius", "target": "n2.radius", "default": 0.2},
    ],
    "nodes": {"n1": "colour.grade image=in.image amount:0.9", "n2": "filter.blur image=n1.out radius:0.5"},
}
LOOK = {
    "inputs": {"picture": {"type": "Image"}},
    "outputs": {"out": "n1.out", "before": "n1.raw"},
    "interface": [{"name": "strength", "target": "n1.amount"}],
    "nodes": {"n1": "group:soft image=in.picture"},
}


def groups(**more):
    return {"soft": dict(SOFT), "look": dict(LOOK), **more}


def test_wires_go_through_any_number_of_borders(effect, kit):
    made = effect(
        n1="media.source",
        n2="group:look picture=n1.image strength=n5.out",
        n3="composite.blend base=n2.before layer=n2.out",
        n4="media.sink image=n3.out",
        n5="value.number",
        groups=groups(),
    )
    flat = flatten(made, kit)
    assert [str(w) for w in flat.wires] == [
        "n5.out → n2/n1/n1.amount",
        "n1.image → n2/n1/n1.image",
        "n2/n1/n1.out → n2/n1/n2.image",
        "n1.image → n3.base",
        "n2/n1/n2.out → n3.layer",
        "n3.out → n4.image",
    ]
    assert validate(made, kit) == []


def test_the_outermost_value_wins(effect, kit):
    made = effect(
        n1="group:look",
        n2="group:look strength:0.1",
        n3="group:soft radius:0.7",
        groups=groups(),
        interface=[
            {"name": "all", "target": "n2.strength", "default": 0.6},
            {"name": "blur", "target": "n3.radius"},
        ],
    )
    flat = flatten(made, kit)
    values = {
        (p, k): v for p, n in flat.nodes.items() for k, v in n.params.items() if k in ("amount", "radius")
    }
    assert values["n1/n1/n1", "amount"] == 0.9  # what the definition's node has set
    assert values["n1/n1/n2", "radius"] == 0.2  # what the definition publishes
    assert values["n2/n1/n1", "amount"] == 0.6  # the effect's own public default
    assert values["n3/n2", "radius"] == 0.7  # what the use has set
    assert flat.public("all").path == "n2/n1/n1" and flat.public("all").default == 0.6
    assert flat.public("blur").default == 0.7 and flat.public("blur").high == 1
    assert flat.nodes["n1/n1/n1"].params["tint"] == (1.0, 1.0, 1.0, 1.0)


def test_the_policy_nearest_to_the_consumer_holds(effect, kit):
    wire = {"image": [{"from": "in.image", "policy": "latest"}]}
    inner = {
        **SOFT,
        "nodes": {"n1": {"type": "colour.grade", "inputs": wire}, "n2": "filter.blur image=in.image"},
    }
    outer = {"image": [{"from": "n1.image", "policy": "hold", "limit": 2}]}
    made = effect(n1="media.source", n2={"type": "group:soft", "inputs": outer}, groups={"soft": inner})
    flat = flatten(made, kit)
    assert [(w.target, w.policy, w.limit) for w in flat.wires] == [
        ("n2/n1", "latest", None),
        ("n2/n2", "hold", 2),
    ]


def test_a_muted_group_gives_its_input_on(effect, kit):
    made = effect(
        n1="media.source",
        n2={"type": "group:soft", "muted": True, "inputs": {"image": "n1.image"}},
        n3="media.sink image=n2.out",
        groups=groups(),
    )
    assert "n1.image → n3.image" in [str(w) for w in flatten(made, kit).wires]
    assert validate(made, kit) == []


def test_recursion_is_refused(effect, kit):
    ring = groups(
        soft={**SOFT, "nodes": {"n1": "group:look picture=in.image", "n2": "filter.blur image=n1.out"}}
    )
    made = effect(n1="group:look", groups=ring)
    assert group_recursion(made) == ("look", "soft")
    assert any("look → soft → look" in p.cause for p in validate(made, kit))


def test_loose_ends_are_told_once_and_at_the_group(effect, kit):
    made = effect(
        n1="group:soft",
        n2="group:none image=n1.out",
        n3="group:soft image=n1.mask picture=n1.out",
        n4="media.sink image=n1.out",
        n5={"type": "group:soft", "params": {"radios": 1}, "inputs": {"image": "n5.raw"}},
        groups=groups(odd={**SOFT, "inputs": {"image": {"type": "Picture"}}, "outputs": {"out": "n9.out"}}),
    )
    problems = validate(made, kit)
    told = [(p.node, p.port) for p in problems]
    assert told.count(("n1", "image")) == 1 and ("n1/n1", "image") not in told
    for place in (
        ("n2", ""),
        ("n3", "picture"),
        ("n1", "mask"),
        ("n5", "radios"),
        ("group:odd", "image"),
        ("group:odd", "out"),
    ):
        assert place in told, place
    assert any("feeds its own input" in p.cause for p in problems)


def test_an_optional_input_of_a_group_may_be_open(effect, kit):
    inner = {
        "inputs": {"image": {"type": "Image"}, "mask": {"type": "Mask", "optional": True}},
        "outputs": {"out": "n1.out"},
        "nodes": {"n1": "composite.blend base=in.image layer=in.image mask=in.mask"},
    }
    made = effect(
        n1="media.source", n2="group:mix image=n1.image", n3="media.sink image=n2.out", groups={"mix": inner}
    )
    assert validate(made, kit) == []
    needed = effect(
        n1="media.source",
        n2="group:mix",
        n3="media.sink image=n2.out",
        groups={
            "mix": {**inner, "inputs": {**inner["inputs"], "image": {"type": "Image", "optional": True}}}
        },
    )
    assert {(p.node, p.port) for p in validate(needed, kit)} == {("n2/n1", "base"), ("n2/n1", "layer")}


def test_unknown_types_stay_in_the_flat_graph(effect, kit):
    made = effect(
        n1="media.source", n2="nobodys.node image=n1.image strength:3", n3="media.sink image=n2.out"
    )
    flat = flatten(made, kit)
    assert flat.nodes["n2"].declaration is None and flat.nodes["n2"].params == {"strength": 3}
    assert [(p.node, p.port) for p in validate(made, kit)] == [("n2", "")]


class Warm(PixelNode, type="colour.warm", version=3):
    """Its parameter and its port had other names, and the range was 0 to 100."""

    image: In[Image]
    amount: Param[Number] = param(0.0, low=0, high=1)
    out: Out[Image]

    def pixel(self, image, amount): ...

    @classmethod
    def migrate(cls, params, version):
        if version < 2:
            params["amount"] = params.pop("percent", 0) / 100
        return params

    @classmethod
    def migrate_port(cls, name, version):
        return {"picture": "image", "percent": "amount"}.get(name, name) if version < 3 else name


def test_old_nodes_play_as_new_ones_and_the_file_keeps_what_it_had(effect):
    nodes = Registry.of(Warm)
    made = effect(
        n1="colour.warm percent:40 picture=n2.out",
        n2={"type": "colour.warm", "version": 3},
        interface=[{"name": "warmth", "target": "n1.percent"}],
    )
    flat = flatten(made, nodes)
    assert flat.nodes["n1"].params == {"amount": 0.4}
    assert [str(w) for w in flat.wires] == ["n2.out → n1.image"]
    assert flat.public("warmth").param == "amount"
    assert made.nodes["n1"].params == {"percent": 40}
    new, changes = upgrade(made, nodes)
    assert [str(c) for c in changes] == ["n1 (colour.warm): version 1 → 3"]
    assert new.nodes["n1"].params == {"amount": 0.4} and new.nodes["n1"].version == 3
    assert flatten(new, nodes).nodes["n1"].params == flat.nodes["n1"].params
    assert upgrade(new, nodes) == (new, ())


def test_a_migration_that_fails_is_that_nodes_problem(effect):
    made = effect(
        n1={"type": "colour.warm", "params": {"percent": "hot"}}, n2={"type": "colour.warm", "version": 3}
    )
    problems = [p for p in validate(made, Registry.of(Warm)) if "migration" in p.cause]
    assert [p.node for p in problems] == ["n1"] and "version 1 to 3 failed" in problems[0].cause


def test_an_empty_effect_is_an_empty_graph(kit):
    assert flatten(Effect(), kit).nodes == {}


def test_a_muted_group_that_makes_a_picture_gives_an_empty_one(effect, kit):
    made = effect(
        n1={"type": "group:sky", "muted": True},
        n2="media.sink image=n1.out",
        groups={"sky": {"outputs": {"out": "n1.out"}, "nodes": {"n1": "generate.gradient"}}},
    )
    assert flatten(made, kit).nodes["n1/n1"].muted and validate(made, kit) == []


def test_groups_that_open_to_millions_are_refused(effect, kit):
    bomb = {"g0": {"nodes": {}}}
    for i in range(1, 12):
        bomb[f"g{i}"] = {"nodes": {f"n{k}": f"group:g{i - 1}" for k in range(1, 11)}}
    assert any("more than" in p.cause for p in validate(effect(n1="group:g11", groups=bomb), kit))
    deep = {"g0": {"nodes": {}}} | {f"g{i}": {"nodes": {"n1": f"group:g{i - 1}"}} for i in range(1, 3000)}
    made = effect(n1="group:g2999", groups=deep)
    assert group_recursion(made) is None
    assert any("deep" in p.cause for p in validate(made, kit))


def test_a_long_row_of_groups_is_followed_to_its_end(effect, kit):
    wire = {"inputs": {"image": {"type": "Image"}}, "outputs": {"out": "in.image"}, "nodes": {}}
    row = {f"n{i}": f"group:wire image=n{i - 1}.out" for i in range(3, 2000)}
    made = effect(
        n1="media.source",
        n2="group:wire image=n1.image",
        **row,
        n2000="media.sink image=n1999.out",
        groups={"wire": wire},
    )
    assert [str(w) for w in flatten(made, kit).wires] == ["n1.image → n2000.image"]
