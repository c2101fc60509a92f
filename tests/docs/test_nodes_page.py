"""docs/nodes.md, done as a newcomer would: its package, its nodes, its effect."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import spellwire

PAGE = Path(spellwire.__file__).parent / "docs" / "nodes.md"
BLOCK = re.compile(r"`(my_\w+/[\w/.]+)`:\n\n```\w+\n(.*?)```", re.DOTALL)
Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> Command:
    """Runs `spellwire …` where the page's files are, with its package installed as pip -e would."""
    folder = tmp_path_factory.mktemp("newcomer")
    env = {**os.environ, "PYTHONPATH": str(folder / "my_nodes"), "COLUMNS": "200"}

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        code = "import sys; from spellwire.runtime.cli import main; sys.exit(main())"
        return subprocess.run([sys.executable, "-c", code, *words], cwd=folder, env=env, capture_output=True, text=True)

    assert run("new", "--nodes", "my_nodes").returncode == 0
    for path, text in BLOCK.findall(PAGE.read_text("utf-8")):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, "utf-8")
    install(folder / "my_nodes")
    return run


def install(folder: Path) -> None:
    """What an editable install leaves for importlib.metadata, without asking pip."""
    info = folder / "my_nodes-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: my_nodes\nVersion: 0.1.0\n")
    entry = re.search(r"\[project\.entry-points\.[^\]]*\]\n(.*)\n", (folder / "pyproject.toml").read_text("utf-8"))
    assert entry
    (info / "entry_points.txt").write_text(f"[spellwire.nodes]\n{entry[1].replace(chr(34), '')}\n")


def test_the_page_holds_what_it_speaks_of():
    assert [path for path, _ in BLOCK.findall(PAGE.read_text("utf-8"))] == [
        "my_nodes/my_nodes/duotone.py", "my_effect/effect.json", "my_nodes/my_nodes/steady.py",
    ]  # fmt: skip


def test_the_nodes_appear_with_no_other_file_touched(command: Command):
    done = command("nodes", "my_nodes", "--json")
    assert done.returncode == 0, done.stderr
    found = {node["type"]: node for node in json.loads(done.stdout)}
    assert set(found) == {"my_nodes.duotone", "my_nodes.fade", "my_nodes.median", "my_nodes.steady"}
    assert found["my_nodes.duotone"]["kind"] == "pixel"
    assert found["my_nodes.duotone"]["origin"] == "my_nodes 0.1.0"


def test_a_node_has_its_page(command: Command):
    page = command("nodes", "my_nodes.duotone").stdout
    assert "Print a picture in two inks" in page
    assert "the ink of white" in page


def test_the_effect_is_sound_and_its_pixel_nodes_fuse(command: Command):
    assert "nothing wrong" in command("check", "my_effect").stderr
    plan = command("plan", "my_effect").stdout
    assert "ink → grain" in plan
    assert "kernel 1" not in plan
