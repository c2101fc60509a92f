"""The house: packages as declared, exports that exist, floors that stay apart, imports that stay light."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest

import spellwire

ROOT = Path(spellwire.__file__).parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
FLOORS = ("graph", "runtime", "nodes", "editor")
SOURCES = sorted(file for floor in FLOORS for file in (ROOT / floor).rglob("*.py"))
TEXT = {".py", ".md", ".toml", ".json", ".sh", ".txt", ".yml", ".yaml", ".cfg", ""}


def name_of(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(("spellwire", *parts)).removesuffix(".__init__")


def test_every_package_is_declared():
    declared = set(PROJECT["tool"]["setuptools"]["packages"])
    there = {name_of(file) for file in SOURCES if file.name == "__init__.py"} | {"spellwire"}
    assert declared == there


def test_every_folder_of_modules_is_a_package():
    bare = {file.parent for file in SOURCES if not (file.parent / "__init__.py").is_file()}
    assert not bare


@pytest.mark.parametrize("file", SOURCES, ids=name_of)
def test_all_is_what_the_module_defines(file: Path):
    tree = ast.parse(file.read_text("utf-8"))
    public, defined = [], set()
    for node in tree.body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__":
            public = ast.literal_eval(node.value)
        defined |= defined_by(node)
    ours = [n for n in tree.body if isinstance(n, (ast.FunctionDef, ast.ClassDef)) and not n.name.startswith("_")]
    assert public or not ours, "this module defines names and has no __all__"
    assert len(public) == len(set(public))
    assert set(public) <= defined


def defined_by(node: ast.stmt) -> set[str]:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return {node.name}
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
    if isinstance(node, ast.Assign):
        return {n.id for target in node.targets for n in ast.walk(target) if isinstance(n, ast.Name)}
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return {node.target.id}
    if isinstance(node, (ast.If, ast.Try)):
        return {name for inner in ast.iter_child_nodes(node) if isinstance(inner, ast.stmt) for name in defined_by(inner)}
    return set()


@pytest.mark.parametrize("file", SOURCES, ids=name_of)
def test_the_package_imports_itself_relatively(file: Path):
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        assert not [name for name in names if name.partition(".")[0] == "spellwire"], f"line {node.lineno}"


@cache
def loaded_by(statement: str) -> frozenset[str]:
    """Every module that a fresh interpreter has after that statement."""
    code = f"import sys\n{statement}\nprint('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True)
    return frozenset(done.stdout.split())


AUTHOR = ("halide", "numba", "llvmlite", "networkx", "ziglang")
HEAVY = (*AUTHOR, "numpy", "cv2", "av", "onnxruntime", "ai_edge_litert", "cryptography", "pygame", "rich", "skimage")


def graph_modules() -> str:
    return ", ".join(name_of(file) for file in SOURCES if file.is_relative_to(ROOT / "graph"))


@pytest.mark.parametrize("heavy", HEAVY)
def test_the_graph_imports_nothing_heavy(heavy: str):
    assert heavy not in loaded_by(f"import {graph_modules()}")


@pytest.mark.parametrize("heavy", HEAVY)
def test_help_imports_nothing_heavy(heavy: str):
    assert heavy not in loaded_by("from spellwire.runtime.cli import main\nmain(['--help'])")


@pytest.mark.parametrize("author", AUTHOR)
def test_node_families_import_no_compiler(author: str):
    assert author not in loaded_by("from spellwire.graph.registry import registry\nassert len(registry())")


PLAYER = "engine.engine", "session.core", "session.messages", "session.trace", "kernels.library", "models.model", "media.opening"


@pytest.mark.parametrize("author", AUTHOR)
def test_what_plays_a_plan_imports_no_compiler(author: str):
    assert author not in loaded_by("import " + ", ".join(f"spellwire.runtime.{name}" for name in PLAYER))


@cache
def committed() -> tuple[Path, ...]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    return tuple(ROOT / name for name in listed.decode().split("\0") if name and (ROOT / name).is_file())


def needs_git() -> None:
    if subprocess.run(["git", "rev-parse"], cwd=ROOT, capture_output=True).returncode:
        pytest.skip("not a git checkout, so nothing says which files are the project's")


# put together from parts, so that this file doesn't hold what it looks for
HOSTS = ["pypi" + r"\.org", "files." + "pythonhosted", "registry" + r"\.npmjs", "deb" + r"\.debian", "debian" + r"\.org"]
PLACES = [rf"(?<![\w.]){re.escape('/' + place)}/\w" for place in ("work", "root", "farm")] + [r"(?<![\w.~])/home/\w"]
FOREIGN = re.compile("|".join(HOSTS + PLACES))


def test_no_file_names_a_registry_or_a_place_on_somebodys_machine():
    needs_git()
    found = []
    for file in committed():
        if file.suffix in TEXT and file.name != "LICENSE":
            for number, line in enumerate(file.read_text("utf-8").splitlines(), 1):
                if FOREIGN.search(line):
                    found.append(f"{file.relative_to(ROOT)}:{number}: {line.strip()[:100]}")
    assert not found


def test_no_file_is_large():
    needs_git()
    large = {str(f.relative_to(ROOT)): f.stat().st_size for f in committed() if f.stat().st_size > 500_000}
    assert not large


def test_the_version_is_the_same_everywhere():
    from importlib.metadata import version

    newest = re.search(r"^## ([0-9][^ ]*)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert newest and newest[1] == spellwire.__version__ == version("spellwire")
