"""Objects to one shared library, by the linker in the `ziglang` wheel: no compiler, no libc, nothing of the system.

Linux libraries come from `ld.lld -shared` and leave libc's symbols (malloc, pthread) to the process that opens them.
macOS and Windows libraries need import libraries, which `zig cc` brings; those two paths can't be run on Linux and
are linked but not loaded in our tests.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from ...graph.errors import CompileError
from .targets import split

__all__ = ["link", "suffix"]

_TIMEOUT = {"linux": 60, "macos": 300, "windows": 300}  # zig builds its own parts once for a foreign system
_ZIG_ARCH = {"x86-64": "x86_64", "arm-64": "aarch64"}


def suffix(target: str) -> str:
    """The file ending of the target's shared libraries."""
    return {"linux": ".so", "macos": ".dylib", "windows": ".dll"}[split(target)[0]]


def link(target: str, objects: Sequence[Path], output: Path) -> None:
    """Make one shared library that exports every global symbol of the objects.

    Raises CompileError with the linker's words when it refuses or is missing (`pip install "spellwire[author]"`).
    """
    system, level = split(target)
    inputs = [str(path) for path in objects]
    if system == "linux":
        machine = {"arm-64": "aarch64linux"}.get(level, "elf_x86_64")
        tool = [
            "ld.lld",
            "-shared",
            "-m",
            machine,
            "-Bsymbolic",
            "--build-id=none",
            "--strip-all",
            "--gc-sections",
        ]
        arguments = [*tool, "-soname", output.name, "-o", str(output), *inputs]
    else:
        arch = _ZIG_ARCH["arm-64" if level == "arm-64" else "x86-64"]
        flags = ["cc", "-target", f"{arch}-{'macos' if system == 'macos' else 'windows-gnu'}", "-shared"]
        if system == "windows":
            stub = output.with_suffix(".fltused.c")
            stub.write_text("int _fltused = 0;\n")  # what MSVC's objects ask for when floats are used
            inputs.append(str(stub))
        arguments = [*flags, "-o", str(output), *inputs]
    _run(arguments, target, _TIMEOUT[system])


def _run(arguments: list[str], target: str, timeout: float) -> None:
    command = [sys.executable, "-m", "ziglang", *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired:
        raise CompileError(f"linking kernels for {target} took over {timeout:.0f} s; try again") from None
    except OSError as error:
        raise CompileError(f"the linker for {target} can't be started: {error}") from None
    if done.returncode:
        reason = (done.stderr or done.stdout).strip().splitlines()
        missing = any("No module named" in line for line in reason)
        advice = '; install the author parts: pip install "spellwire[author]"' if missing else ""
        raise CompileError(f"linking kernels for {target} failed: {' '.join(reason[-3:])}{advice}")
