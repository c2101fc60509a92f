"""`spellwire new`: the start of an effect, or of a package of nodes."""

from __future__ import annotations

import shutil
from argparse import ArgumentParser, Namespace
from pathlib import Path

from ...graph.document import FILE, load_effect, save_effect
from ...graph.effect import Effect, InterfaceEntry, NodeUse, Wire, is_name
from ...graph.errors import UsageError
from ...graph.frozen import FrozenDict
from ...graph.registry import registry
from .library import find_effect
from .show import command, tell

__all__ = ["parser", "run"]

EXAMPLES = """\
  spellwire new my_effect                 a small graph to grow: input, exposure, output
  spellwire new my_effect --from relight  a copy of an effect, to change
  spellwire new --nodes my_nodes          a package with one node, ready to install
"""

PYPROJECT = """\
[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"

[project]
name = "{name}"
version = "0.1.0"
dependencies = ["spellwire"]

[project.entry-points."spellwire.nodes"]
{name} = "{name}"

[tool.setuptools]
packages = ["{name}"]
"""

NODE = '''\
"""Nodes of colour. Each module of this package is found by itself: add files as you like."""

from spellwire.graph.declare import In, Out, Param, PixelNode, param
from spellwire.graph.types import Image, Number
from spellwire.runtime.pixel import luma, mix, vec


class Fade(PixelNode, type="{name}.fade"):
    """Fade a picture towards grey, as old prints do."""

    image: In[Image]
    amount: Param[Number] = param(0.5, low=0, high=1, doc="0 leaves the picture, 1 leaves no colour")
    out: Out[Image]

    def pixel(self, image, amount):
        grey = luma(image)
        return vec(mix(image.rgb, vec(grey, grey, grey), amount), image.a)
'''

TEST = '''\
from spellwire.graph.registry import registry


def test_the_node_is_installed():
    assert "{name}.fade" in registry()
'''


def parser() -> ArgumentParser:
    made = command("new", "Start an effect, or a package of nodes of your own.", EXAMPLES)
    made.add_argument("folder", metavar="FOLDER", help="what to make; its last part is the name")
    kind = made.add_mutually_exclusive_group()
    kind.add_argument("--from", dest="origin", metavar="EFFECT", help="copy this effect, with its assets")
    kind.add_argument("--nodes", action="store_true", help="a package of nodes instead of an effect")
    return made


def run(args: Namespace) -> int:
    folder = Path(args.folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} exists already; name a new folder")
    if args.nodes:
        _package(folder)
    else:
        _effect(folder, args.origin)
    return 0


def _effect(folder: Path, origin: str | None) -> None:
    if origin is None:
        effect = seed(folder.name)
        folder.mkdir(parents=True, exist_ok=True)
    else:
        source = find_effect(origin)
        effect = load_effect(source)  # first, so that nothing broken is copied
        folder.mkdir(parents=True, exist_ok=True)
        assets = (source.parent if source.is_file() else source) / "assets"
        if assets.is_dir():
            shutil.copytree(assets, folder / "assets")
    save_effect(effect, folder / FILE)
    tell(f"{folder}: {'a new effect' if origin is None else f'a copy of {origin}'}; play it:")
    tell(f"  spellwire play {folder} --input demo --output window")


def seed(title: str) -> Effect:
    """The smallest effect that does something: input → exposure → output, with one public parameter."""
    nodes = (NodeUse("input", "source.input"), NodeUse("light", "colour.exposure", params=FrozenDict(stops=0.5)), NodeUse("output", "sink.output"))
    return Effect(
        title=title,
        nodes=FrozenDict({node.id: node for node in nodes}),
        wires=(Wire("input", "image", "light", "image"), Wire("light", "out", "output", "image")),
        interface=(InterfaceEntry("brightness", "light", "stops"),),
        requires=FrozenDict(registry().requires(node.type for node in nodes)),
    )


def _package(folder: Path) -> None:
    name = folder.name
    if not is_name(name) or name != name.lower():
        raise UsageError(f"{name!r} can't be a package; use lower-case letters, digits and _")
    text = {
        "pyproject.toml": PYPROJECT,
        f"{name}/__init__.py": '"""Nodes for Spellwire."""\n',
        f"{name}/colour.py": NODE,
        "tests/test_nodes.py": TEST,
    }
    for path, content in text.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content.replace("{name}", name), "utf-8")
    tell(f"{folder}: a package with the node {name}.fade\n  pip install -e {folder}\n  spellwire nodes {name}.fade")
