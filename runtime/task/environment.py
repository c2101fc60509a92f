"""An environment beside ours, in which MediaPipe lives: it pins other libraries, brings another OpenCV, and may crash.

`spellwire models mediapipe` makes it in the cache; `$SPELLWIRE_MEDIAPIPE` names an interpreter of one's own instead.
Making environments is general: the benchmarks' oracles are made by the same function.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path

from ...graph.errors import ModelUnavailable

__all__ = ["COMMAND", "Said", "environment", "make", "make_environment", "python_in", "python_of", "requirements"]

COMMAND = "spellwire models mediapipe"
PYTHONS = ("3.11", "3.12", "3.13")  # that mediapipe has wheels for; ours first, whichever it is
COMPLETE = "complete"  # the file that says an environment is whole, and what was asked for

Said = Callable[[str], None]
"""Told in a few words what goes on."""

# library that MediaPipe or its OpenCV loads → Debian's package of it
DEBIAN = {
    "libGL.so.1": "libgl1", "libEGL.so.1": "libegl1", "libGLESv2.so.2": "libgles2", "libgthread-2.0.so.0": "libglib2.0-0",
}  # fmt: skip


def environment() -> Path:
    """The folder of MediaPipe's environment, there or not."""
    from ..models.cache import cache_root

    return cache_root() / "environments" / "mediapipe"


def python_in(folder: Path) -> Path:
    """An environment's interpreter."""
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def requirements() -> list[str]:
    """What the extra [mediapipe] asks for: `mediapipe>=0.10.31`."""
    found = [r for r in metadata.requires("spellwire") or () if re.search(r"extra\s*==\s*['\"]mediapipe['\"]", r)]
    return [r.partition(";")[0].strip() for r in found] or ["mediapipe>=0.10.31"]


def python_of() -> Path:
    """The interpreter that MediaPipe is run by.

    Raises:
        ModelUnavailable: there is none; the message names the command that makes one.
    """
    if own := os.environ.get("SPELLWIRE_MEDIAPIPE"):
        if not (path := Path(own).expanduser()).is_file():
            raise ModelUnavailable(f"$SPELLWIRE_MEDIAPIPE is {own!r}, and no interpreter is there; unset it, or name one")
        return path
    if not complete(environment(), requirements()):
        raise ModelUnavailable(
            f"MediaPipe's environment is not on this machine ({environment()}). Make it, once, with: {COMMAND}"
        )
    return python_in(environment())


def complete(folder: Path, packages: Sequence[str]) -> bool:
    """Whether an environment is whole, and was made of those packages."""
    try:
        said = json.loads((folder / COMPLETE).read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(said, dict) and said.get("packages") == list(packages) and python_in(folder).is_file()


def make(said: Said) -> bool:
    """Make MediaPipe's environment in the cache; False where it is there already.

    Raises:
        ModelUnavailable: there is no fitting Python, no network, or a system library is missing; the message says what to do.
    """
    from ..models.cache import locked

    with locked("environment-mediapipe"):
        if complete(environment(), requirements()):
            return False
        make_environment(environment(), requirements(), PYTHONS, said, check="from mediapipe.tasks.python import vision")
        return True


def make_environment(
    folder: Path, packages: Sequence[str], pythons: Sequence[str], said: Said, *, check: str, again: str = COMMAND
) -> None:
    """A virtual environment with those packages; whatever was in the folder goes.

    Args:
        pythons: versions it may be made by; that of this interpreter is preferred.
        check: Python that must run there.
        again: the command that the user may repeat.
    """
    python = find_python(pythons)
    if python is None:
        raise ModelUnavailable(f"{packages[0]} needs Python {' or '.join(pythons)}, and none is here; install one, then: {again}")
    shutil.rmtree(folder, ignore_errors=True)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ModelUnavailable(f"{folder.parent} can't be written ({error.strerror}); set SPELLWIRE_CACHE to a folder that can") from None
    said(f"making an environment in {folder}")
    done = subprocess.run([python, "-m", "venv", str(folder)], capture_output=True, text=True)
    if done.returncode:
        raise ModelUnavailable(f"{python} -m venv failed: {last_line(done.stdout + done.stderr)}; on Debian: apt-get install python3-venv")
    _install(folder, packages, said, again)
    said("starting it once")
    done = subprocess.run([str(python_in(folder)), "-c", check], capture_output=True, text=True)
    if done.returncode:
        raise ModelUnavailable(not_loadable(done.stderr, again))
    made = {"packages": list(packages), "python": sys.version.split()[0]}
    (folder / COMPLETE).write_text(json.dumps(made) + "\n", "utf-8")


def find_python(versions: Sequence[str]) -> str | None:
    """An interpreter of one of those versions: this one where it fits."""
    if f"{sys.version_info[0]}.{sys.version_info[1]}" in versions:
        return sys.executable
    for version in versions:
        path = shutil.which(f"python{version}")
        # a version manager may leave a shim of that name which starts nothing
        if path and subprocess.run([path, "-c", ""], capture_output=True).returncode == 0:
            return path
    return None


def _install(folder: Path, packages: Sequence[str], said: Said, again: str) -> None:
    """pip, its own words cut to what is fetched."""
    command = [
        str(python_in(folder)), "-m", "pip", "install", "--disable-pip-version-check", "--progress-bar", "off", *packages,
    ]  # fmt: skip
    words: list[str] = []
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
        env={"PIP_RETRIES": "2", **os.environ},  # without a network, five would take a minute
    ) as pip:  # fmt: skip
        assert pip.stdout is not None
        for line in pip.stdout:
            words.append(line.strip())
            if told := narrated(line):
                said(told)
    if pip.returncode:
        shutil.rmtree(folder, ignore_errors=True)
        cause = next((w for w in reversed(words) if w.startswith("ERROR")), last_line("\n".join(words)))
        raise ModelUnavailable(f"pip could not install {' '.join(packages)}: {cause}\nWith a network, run again: {again}")


def narrated(line: str) -> str:
    """A line of pip's worth telling: what it fetches, from 1 MB on, and that it installs."""
    fetched = re.match(r"\s*(?:Downloading|Using cached) ([A-Za-z0-9_.]+-[0-9][^-]*)-\S* \(([0-9.]+ [MG]B)\)", line)
    if fetched:
        return f"{fetched[1]}  {fetched[2]}"
    return "installing" if line.startswith("Installing collected") else ""


def not_loadable(words: str, again: str = COMMAND) -> str:
    """What to tell where MediaPipe does not start: the system library that is missing, or its last words."""
    missing = [name for name in DEBIAN if name in words]
    if missing:
        packages = " ".join(DEBIAN[n] for n in dict.fromkeys((*missing, *list(DEBIAN)[:3])))
        return (
            f"MediaPipe can't be loaded: the system has no {', '.join(missing)}. On Debian: apt-get install {packages}; "
            f"then: {again}"
        )
    return f"MediaPipe can't be loaded: {last_line(words)}. Try again with: {again}"


def last_line(words: str) -> str:
    """The last line that says something."""
    return next((w.strip() for w in reversed(words.splitlines()) if w.strip()), "it said nothing")
