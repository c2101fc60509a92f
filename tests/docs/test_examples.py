"""Every example runs, and leaves what its first lines say it leaves."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import spellwire
from spellwire.graph.errors import ModelUnavailable
from spellwire.runtime.media.demo_clip import make_demo_clip
from spellwire.runtime.models.resolver import resolve

FOLDER = Path(spellwire.__file__).parent / "examples"
EXAMPLES = sorted(FOLDER.glob("*.py"))


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_demo_clip(tmp_path_factory.mktemp("clip") / "demo.mp4", width=320, height=180, seconds=0.5)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda file: file.stem)
def test_an_example(example: Path, clip: Path, tmp_path: Path):
    doc = ast.get_docstring(ast.parse(example.read_text("utf-8"))) or ""
    command = re.search(rf"python examples/{example.name} .*", doc)
    assert command, "its docstring must show how it is run"
    if "models pull" in doc:
        need_models()
    done = subprocess.run([sys.executable, example, clip], cwd=tmp_path, capture_output=True, text=True, timeout=250)
    assert done.returncode == 0, done.stderr
    assert done.stdout
    for made in re.findall(r"[\w/]+\.\w+", command[0].partition("→")[2]):
        assert (tmp_path / made).stat().st_size > 500


def need_models() -> None:
    try:
        resolve("mediapipe/face_landmark")
    except ModelUnavailable as error:
        pytest.skip(f"no network, and no model in the cache: {error}")


def test_there_are_examples():
    assert len(EXAMPLES) >= 4
