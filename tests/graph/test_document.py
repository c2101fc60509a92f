"""effect.json: nothing is lost, equal effects are equal bytes, bad files are told apart."""

import json
import os
import pickle
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spellwire.graph import document, dump, migrate
from spellwire.graph.document import dump_effect, load_effect, parse_effect, save_effect
from spellwire.graph.effect import Effect, Graph, NodeUse, Wire
from spellwire.graph.errors import DocumentError
from spellwire.graph.frozen import FrozenDict, freeze, natural

FULL = {
    "schema": 1,
    "title": "Warm glow",
    "working_space": "linear",
    "interface": [
        {"name": "warmth", "target": "n2.amount", "default": 0.2, "low": 0, "high": 1, "unit": "", "later": 1}
    ],
    "nodes": {
        "n1": {"type": "media.source", "version": 1},
        "n2": {
            "type": "nobody.knows",
            "version": 7,
            "title": "Wärme",
            "muted": True,
            "params": {"amount": 0.4, "lut": {"asset": "assets/w.cube", "sha256": "9f"}, "deep": [[1, {"a": None}]]},
            "inputs": {"image": "n1.image", "mask": {"from": "n3.mask", "policy": "hold", "limit": 3, "note": "x"}},
            "colour": "red",
        },
        "n3": {"type": "group:person", "version": 1, "params": {"softness": 0.1}, "inputs": {"image": "n1.image"}},
    },
    "groups": {
        "person": {
            "version": 2,
            "inputs": {"image": {"type": "Image", "optional": True, "since": 3}},
            "outputs": {"mask": "n1.mask", "raw": {"from": "in.image", "doc": "as it came"}},
            "interface": [{"name": "softness", "target": "n1.radius"}],
            "nodes": {"n1": {"type": "mask.person", "version": 1, "inputs": {"image": "in.image"}}},
            "author": "someone",
            "next_id": 9,
        }
    },
    "ladder": [{"step": "smaller", "node": "n2"}],
    "models": {"face": {"fp32": "ab"}},
    "requires": {"spellwire": "0.1.0"},
    "licence": {"name": "CC0"},
    "next_id": 12,
    "ui": {"positions": {"n1": [0, 0], "n2": [240.5, -3]}, "view": [1, 2, 0.5]},
}  # fmt: skip


def text(data=FULL):
    return json.dumps(data)


def test_nothing_is_lost_from_load_to_save():
    assert json.loads(dump_effect(parse_effect(text()))) == FULL


def test_equal_effects_are_equal_bytes_whatever_the_order():
    def shuffled(value, key=""):
        if isinstance(value, dict):  # the ports of a group have an order: the one people gave them
            return {
                k: shuffled(v, k) for k, v in (value.items() if key == "outputs" else reversed(value.items()))
            }
        return value

    once = dump_effect(parse_effect(text()))
    assert dump_effect(parse_effect(text(shuffled(FULL)))) == once
    assert dump_effect(parse_effect(once)) == once


def test_a_changed_value_changes_one_line():
    effect = parse_effect(text())
    other = effect.with_node(effect.nodes["n2"].set(amount=0.5))
    before, after = dump_effect(effect).splitlines(), dump_effect(other).splitlines()
    assert [(a, b) for a, b in zip(before, after, strict=True) if a != b] == [
        ('        "amount": 0.4,', '        "amount": 0.5,')
    ]


def test_the_documented_example_reads():
    example = document.__doc__.split("\n\n")[1].replace("9f…", "9f")
    effect = parse_effect(example)
    assert effect.groups["person"].wires_into("n1")[0] == Wire("in", "image", "n1", "image")
    assert effect.wires_into("n2", "mask")[0].policy == "latest"
    assert effect.entry("warmth").target == "n2.amount"


BAD = {
    "[1]": "a list",
    "{": "line 1",
    '{\n"schema": 1,\n"nodes": {,}}': "line 3, column 11",
    '{"schema": 1, "nodes": {"n1": {"type": "a.b", "params":\n {"x": NaN}}}}': "line 2: NaN",
    '{"schema": 1, "nodes": {"n1": {"type": "a.b", "params":\n\n {"x": -1e999}}}}': "line 3: -1e999",
    '{"schema": 1,\n "title": "a",\n "title": "b"}': "line 3: the key 'title' stands twice",
    '{"schema": 99}': "newer Spellwire",
    "{}": "no schema version",
    '{"schema": 1, "nodes": {"n1": {}}}': "nodes.n1.type: is missing",
    '{"schema": 1, "nodes": {"n1": {"type": 3}}}': "nodes.n1.type: must be a text",
    '{"schema": 1, "nodes": {"in": {"type": "a.b"}}}': "another id",
    '{"schema": 1, "nodes": {"a/b": {"type": "a.b"}}}': "no name",
    '{"schema": 1, "nodes": {"n1": {"type": "a.b", "inputs": {"x": "n2"}}}}': 'like "n1.out"',
    '{"schema": 1, "nodes": {"n1": {"type": "a.b", "version": true}}}': "whole number",
    '{"schema": 1, "ui": {"positions": {"n1": [1]}}}': "[x, y]",
    '{"schema": 1, "title": "\\ud800"}': "no character",
    '{"schema": 1, "x": ' + "[" * 40 + "]" * 40 + "}": "32 deep",
    '{"schema": 1, "x": ' + "[" * 100_000: "nested far too deep",
    '{"schema": 1, "next_id": ' + "9" * 5000 + "}": "too large",
}


@pytest.mark.parametrize("raw", BAD, ids=lambda raw: raw[:40])
def test_a_bad_file_says_where_and_what(raw):
    with pytest.raises(DocumentError) as error:
        parse_effect(raw, "effect.json")
    assert BAD[raw] in str(error.value)
    assert str(error.value).startswith("effect.json")


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=60) | st.text(max_size=60) | st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from([*FULL, "n1", "type", "inputs", "params", "from", "target", "name"]), inner, max_size=4),
    max_leaves=12,
).map(lambda data: json.dumps({"schema": 1} | data if isinstance(data, dict) else data)))  # fmt: skip
def test_no_file_breaks_the_reader(raw):
    try:
        effect = parse_effect(raw)
    except DocumentError:
        return
    assert parse_effect(dump_effect(effect)) == effect


def test_not_utf8_and_missing_and_too_big(tmp_path, monkeypatch):
    (tmp_path / "effect.json").write_bytes(b"\xff\xfe{}")
    with pytest.raises(DocumentError, match="UTF-8"):
        load_effect(tmp_path)
    with pytest.raises(DocumentError, match="spellwire new nowhere"):
        load_effect(tmp_path / "nowhere")
    monkeypatch.setattr(document, "MAX_BYTES", 3)
    with pytest.raises(DocumentError, match="larger"):
        load_effect(tmp_path / "effect.json")


def test_a_byte_order_mark_is_no_error():
    assert parse_effect(b"\xef\xbb\xbf" + text().encode()) == parse_effect(text())


def test_saving_is_whole_or_not_at_all(tmp_path, monkeypatch):
    effect = parse_effect(text())
    file = save_effect(effect, tmp_path / "glow")
    assert load_effect(tmp_path / "glow") == effect
    assert load_effect(file).folder == tmp_path / "glow"

    def full_disk(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(DocumentError, match="No space left"):
        save_effect(replace(effect, title="Other"), file)
    assert load_effect(file) == effect
    assert [p.name for p in file.parent.iterdir()] == ["effect.json"]


def test_what_could_not_be_read_again_is_not_saved(tmp_path):
    file = save_effect(Effect(), tmp_path)
    with pytest.raises(DocumentError):
        save_effect(Effect(nodes=FrozenDict({"no name": NodeUse("no name", "a.b")})), tmp_path)
    assert load_effect(file) == Effect()


def test_ids_are_not_reused_even_where_the_file_forgot_them():
    assert Graph(nodes=FrozenDict({"n8": NodeUse("n8", "a.b"), "face": NodeUse("face", "a.b")})).next_id == 9
    assert parse_effect(text()).next_id == 12


def test_old_schemas_are_migrated_step_by_step(monkeypatch):
    monkeypatch.setattr(migrate, "SCHEMA", 3)
    monkeypatch.setattr(dump, "SCHEMA", 3)
    monkeypatch.setattr(
        migrate,
        "MIGRATIONS",
        {1: lambda d: {**d, "title": d["name"]}, 2: lambda d: {**d, "title": d["title"] + "!"}},
    )
    effect = parse_effect('{"schema": 1, "name": "Glow"}')
    assert effect.title == "Glow!"
    assert json.loads(dump_effect(effect))["schema"] == 3


def test_frozen_data_stays_as_it_is():
    data = freeze({"a": [1, {"b": 2}]})
    assert data == {"a": (1, {"b": 2})}
    for change in (lambda: data.update(a=1), lambda: data.__setitem__("a", 1), lambda: data["a"][1].clear()):
        with pytest.raises(TypeError, match="frozen"):
            change()
    effect = parse_effect(text())
    assert pickle.loads(pickle.dumps(effect)) == effect
    assert hash(effect.nodes["n2"]) == hash(parse_effect(text()).nodes["n2"])
    for bad in (float("nan"), float("inf"), {1: 2}, object(), b"bytes"):
        with pytest.raises(ValueError):
            freeze({"x": bad})


def test_natural_order():
    assert sorted(["n10", "n2", "n2/n10", "n2/n9", "a", "n1"], key=natural) == [
        "a",
        "n1",
        "n2",
        "n2/n9",
        "n2/n10",
        "n10",
    ]
