"""Families: found by entry point, a file at a time; a broken one is told and the rest loads."""

import subprocess
import sys
import textwrap
from dataclasses import replace

import pytest

from spellwire.graph.declare import In, Out, PixelNode
from spellwire.graph.registry import Registry, find_families, registry, with_requires
from spellwire.graph.types import Image

NODE = '''
from spellwire.graph.declare import In, Out, Param, PixelNode, param
from spellwire.graph.types import Image, Number

class Invert(PixelNode, type="{type}"):
    """Turn a picture into its negative.

    Alpha stays.
    """

    image: In[Image]
    amount: Param[Number] = param(1.0, low=0, high=1, unit="", doc="0 changes nothing")
    out: Out[Image]

    def pixel(self, image, amount):
        return image
'''


@pytest.fixture
def install(tmp_path, monkeypatch):
    """install("name", "1.0", entry, {"file.py": text}): a distribution, as pip would leave it."""
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)

    def make(name, version, entry, files):
        for path, text in files.items():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(textwrap.dedent(text))
        info = tmp_path / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        (info / "entry_points.txt").write_text(f"[spellwire.nodes]\n{name} = {entry}\n")

    yield make
    for module in set(sys.modules) - before:
        if module.startswith(("their", "plain")):
            del sys.modules[module]


def test_a_file_dropped_into_a_package_is_enough(install):
    install("their-nodes", "2.1", "their_nodes", {
        "their_nodes/__init__.py": "", "their_nodes/ink.py": NODE.format(type="ink.invert"),
        "their_nodes/deep/__init__.py": "", "their_nodes/deep/more.py": NODE.format(type="ink.more"),
        "their_nodes/_private.py": "raise RuntimeError",
    })  # fmt: skip
    found = find_families()
    assert found["ink.invert"].summary == "Turn a picture into its negative."
    assert str(found.origins["ink.more"]) == "their-nodes 2.1"
    assert found.requires(["ink.invert", "nobody.knows"]) == {"their-nodes": "2.1"}
    assert [d.type for d in found.families()["ink"]] == ["ink.invert", "ink.more"]
    assert not [p for p in found.problems if "their" in p.where]


def test_an_entry_point_may_name_one_module(install):
    install("plain", "1", "plain_nodes", {"plain_nodes.py": NODE.format(type="plain.invert")})
    assert find_families().origins["plain.invert"].module == "plain_nodes"


def test_an_effect_says_what_it_requires(install, effect):
    install("plain", "1.4", "plain_nodes", {"plain_nodes.py": NODE.format(type="plain.invert")})
    groups = {"g": {"nodes": {"n1": "plain.invert"}}}
    made = effect(n1="group:g", n2="gone.node", groups=groups, requires={"gone": "3", "plain": "1.0"})
    assert with_requires(made, find_families()).requires == {"gone": "3", "plain": "1.4"}
    whole = replace(made, nodes=made.nodes.without("n2"))
    assert with_requires(whole, find_families()).requires == {"plain": "1.4"}


BROKEN = {
    "their_nodes/syntax.py": "def (",
    "their_nodes/missing.py": "import a_module_that_is_not_there",
    "their_nodes/declares.py": NODE.format(type="ink.wrong").replace("image, amount)", "image, picture)"),
    "their_nodes/raises.py": "def fail():\n    raise KeyError('boom')\n\nfail()",
    "their_nodes/quits.py": "raise SystemExit(3)",
}


def test_broken_families_are_told_and_the_rest_loads(install):
    good = {"their_nodes/__init__.py": "", "their_nodes/good.py": NODE.format(type="ink.good")}
    install("their-nodes", "1", "their_nodes", good | BROKEN)
    install("plain", "1", "plain_gone", {})
    found = find_families()
    assert "ink.good" in found and "ink.wrong" not in found
    told = {p.where: p.cause for p in found.problems}
    assert "SyntaxError" in told["their_nodes.syntax"]
    assert "a_module_that_is_not_there" in told["their_nodes.missing"]
    assert "argument 'picture'" in told["their_nodes.declares"]
    assert "boom" in told["their_nodes.raises"] and "raises.py, line 2" in told["their_nodes.raises"]
    assert "SystemExit" in told["their_nodes.quits"] and "plain_gone" in told["plain_gone"]


def test_a_type_declared_twice_keeps_the_first(install):
    files = {"their_nodes/__init__.py": ""}
    files |= {f"their_nodes/{n}.py": NODE.format(type="ink.invert") for n in ("a", "b")}
    install("their-nodes", "1", "their_nodes", files)
    found = find_families()
    assert found.origins["ink.invert"].module == "their_nodes.a"
    assert any(
        "already declared by their_nodes.a" in p.cause for p in found.problems if p.where == "their_nodes.b"
    )


def test_a_file_by_its_path(tmp_path):
    file = tmp_path / "ink.py"
    file.write_text(NODE.format(type="ink.invert"))
    found = Registry.from_file(file)
    assert list(found) == ["ink.invert"] and found.problems == ()
    file.write_text("x = ")
    assert "SyntaxError" in Registry.from_file(file).problems[0].cause
    assert Registry.from_file(tmp_path / "none.py").problems


class Other(PixelNode, type="ink.invert"):
    """Another."""

    image: In[Image]
    out: Out[Image]

    def pixel(self, image): ...


def test_merging_registries(kit):
    mine = Registry.of(Other)
    both = kit.merged(mine)
    assert len(both) == len(kit) + 1 and both["ink.invert"].cls is Other
    assert mine.merged(mine).problems == () and both.nearest("ink.inver") == "ink.invert"


def test_the_installed_registry_is_made_once():
    assert registry() is registry()


def test_the_graph_floor_is_light():
    """Its modules need nothing big: networkx alone takes longer to import than all of them may."""
    code = """
        import sys
        from spellwire.graph import (assets, checking, clipboard, declare, document, edits, edits_groups, effect, flat,
            groups, history, mapping, migrate, ports, registry, spaces, topology, types, validate)
        heavy = {"numpy", "networkx", "cv2", "halide", "numba", "msgpack", "rich", "asyncio", "shutil", "difflib"}
        print(sorted(heavy & set(sys.modules)), [m for m in sys.modules if m.startswith("spellwire.runtime")])
    """
    out = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True
    )
    assert out.stdout.strip() == "[] []"
