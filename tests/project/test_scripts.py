"""make and its scripts: what they say on a machine that lacks something, and that they are fit to run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import spellwire

ROOT = Path(spellwire.__file__).parent
SHELL = shutil.which("sh")
pytestmark = pytest.mark.skipif(SHELL is None, reason="no POSIX shell on this system")


def setup_with(tmp_path: Path, python: str | None) -> subprocess.CompletedProcess[str]:
    """scripts/setup in a copy of what it needs, where `python3` is that script, or isn't there."""
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts")
    tools = tmp_path / "bin"
    tools.mkdir()
    for tool in ("sh", "dirname", "printf", "mkdir", "rm", "id", "mktemp"):
        if found := shutil.which(tool):
            (tools / tool).symlink_to(found)
    if python:
        (tools / "python3").write_text(f"#!{SHELL}\n{python}\n")
        (tools / "python3").chmod(0o755)
    assert SHELL
    return subprocess.run(
        [SHELL, "scripts/setup", "demo"], cwd=tmp_path, env={"PATH": str(tools)}, capture_output=True, text=True
    )


def test_without_python_setup_says_which_one_to_install(tmp_path: Path):
    done = setup_with(tmp_path, None)
    assert done.returncode == 1
    assert "Python 3.11, 3.12 or 3.13 is needed; found no python3" in done.stderr


def test_an_old_python_is_named(tmp_path: Path):
    done = setup_with(tmp_path, 'if [ "$1" = --version ]; then echo "Python 3.9.2"; else exit 1; fi')
    assert done.returncode == 1
    assert "found Python 3.9.2" in done.stderr
    assert not (tmp_path / ".venv").exists()


def test_a_python_that_was_asked_for_must_work(tmp_path: Path):
    assert SHELL
    env = {**os.environ, "PYTHON": str(tmp_path / "none")}
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts")
    done = subprocess.run([SHELL, "scripts/setup", "demo"], cwd=tmp_path, env=env, capture_output=True, text=True)
    assert done.returncode == 1
    assert "is not a working Python" in done.stderr


@pytest.mark.parametrize("script", ["setup", "lib.sh", "check", "oracles", "benches"])
def test_a_script_is_sound_shell(script: str):
    assert SHELL
    subprocess.run([SHELL, "-n", ROOT / "scripts" / script], check=True)


@pytest.mark.skipif(shutil.which("make") is None, reason="no make on this system")
def test_make_help_lists_every_target():
    text = (ROOT / "Makefile").read_text("utf-8")
    phony = re.search(r"^\.PHONY: (.*)$", text, re.MULTILINE)
    assert phony
    env = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
    done = subprocess.run(["make", "help"], cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    assert {line.split()[0] for line in done.stdout.splitlines()[1:]} == set(phony[1].split()) - {"help"}
