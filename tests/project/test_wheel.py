"""What `pip install spellwire` brings: the packages, the effects, the tables; none of what lies beside the house."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest

import spellwire

ROOT = Path(spellwire.__file__).parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
FLOORS = ("graph", "runtime", "nodes", "editor", "effects_library")


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The files of a wheel built from a copy of this tree, without a network."""
    if int(version("setuptools").partition(".")[0]) < 77:
        pytest.skip("the environment's setuptools is older than the build asks for; make test installs a newer one")
    folder = tmp_path_factory.mktemp("wheel")
    tree = folder / "tree"
    tree.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE", "__init__.py"):
        shutil.copy(ROOT / name, tree / name)
    for name in FLOORS + ("tests", "bench"):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", folder, tree]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def test_every_module_is_in_it(names: list[str]):
    modules = {f"spellwire/{f.relative_to(ROOT)}" for floor in FLOORS for f in (ROOT / floor).rglob("*.py")}
    modules = {m for m in modules if not m.startswith("spellwire/effects_library")}
    assert modules <= set(names)


def test_effects_travel_with_their_assets(names: list[str]):
    files = {f for f in (ROOT / "effects_library").rglob("*") if f.is_file() and f.suffix not in (".py", ".pyc")}
    assert {f"spellwire/{f.relative_to(ROOT)}" for f in files} <= set(names)


def test_tables_travel_too(names: list[str]):
    data = {f for floor in ("graph", "runtime", "nodes") for f in (ROOT / floor).rglob("*") if f.is_file()}
    data = {f for f in data if f.suffix not in (".py", ".pyc")}
    assert {f"spellwire/{f.relative_to(ROOT)}" for f in data} <= set(names)


def test_nothing_beside_the_house_is_in_it(names: list[str]):
    tops = {name.split("/")[1] for name in names if name.startswith("spellwire/")}
    assert not tops & {"tests", "bench", "docs", "examples", "scripts"}
    assert any(name.endswith("licenses/LICENSE") for name in names)
