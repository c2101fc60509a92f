"""The machines kernels are made for: a system and a fixed level of its processor, never "this very host".

A target is written `linux-x86-64-v3`. The same region and target give the same machine code everywhere, so a plan
gives the same bytes on every machine of that level.
"""

from __future__ import annotations

import functools
import platform
import sys

from ...graph.errors import CompileError

__all__ = ["LEVELS", "SYSTEMS", "cpu_level", "halide_target", "host_target", "split", "usable"]

SYSTEMS = ("linux", "macos", "windows")
_SSE = "sse41"
_V3 = "sse41-avx-avx2-fma-f16c"
# level → (Halide's architecture, its features, what /proc/cpuinfo or NumPy must list)
LEVELS: dict[str, tuple[str, str, frozenset[str]]] = {
    "x86-64-v4": ("x86-64", f"{_V3}-avx512-avx512_skylake",
                  frozenset(("AVX512F", "AVX512CD", "AVX512BW", "AVX512DQ", "AVX512VL"))),
    "x86-64-v3": ("x86-64", _V3, frozenset(("AVX2", "FMA3", "F16C"))),
    "x86-64-v2": ("x86-64", _SSE, frozenset(("SSE41",))),
    "arm-64": ("arm-64", "", frozenset()),
}  # fmt: skip
_HALIDE_SYSTEMS = {"linux": "linux", "macos": "osx", "windows": "windows"}


def split(target: str) -> tuple[str, str]:
    """(system, level) of a target's name; CompileError for a name that is none."""
    system, _, level = target.partition("-")
    if system not in SYSTEMS or level not in LEVELS:
        raise CompileError(
            f"no target {target!r}; a target is a system ({', '.join(SYSTEMS)}) and a level ({', '.join(LEVELS)}), "
            "as in linux-x86-64-v3"
        )
    return system, level


def halide_target(target: str) -> str:
    """The target in Halide's words."""
    system, level = split(target)
    architecture, features, _ = LEVELS[level]
    return "-".join(part for part in (architecture, _HALIDE_SYSTEMS[system], features) if part)


@functools.cache
def cpu_level() -> str:
    """The highest level this processor has, by NumPy's list of its features."""
    if platform.machine().lower() in ("arm64", "aarch64"):
        return "arm-64"
    have = _features()
    for level, (_, _, needs) in LEVELS.items():
        if level.startswith("x86-64") and needs <= have:
            return level
    raise CompileError("this processor has no SSE 4.1; Spellwire's kernels need at least that")


def _features() -> frozenset[str]:
    from numpy._core import _multiarray_umath  # pyright: ignore[reportAttributeAccessIssue]  (np.show_config's list)

    have = {name for name, on in _multiarray_umath.__cpu_features__.items() if on}
    if "SSE41" not in have and "X86_V2" in have:  # newer NumPy lists whole levels
        have |= LEVELS["x86-64-v2"][2]
    if "X86_V3" in have:
        have |= LEVELS["x86-64-v3"][2]
    if "X86_V4" in have:
        have |= LEVELS["x86-64-v4"][2]
    return frozenset(have)


def host_target() -> str:
    """This machine's system and processor level."""
    system = {"linux": "linux", "darwin": "macos", "win32": "windows"}.get(sys.platform)
    if system is None:
        raise CompileError(f"Spellwire's kernels run on Linux, macOS and Windows, not on {sys.platform}")
    return f"{system}-{cpu_level()}"


def usable(level: str) -> list[str]:
    """The levels a processor of this level can run, best first."""
    if not level.startswith("x86-64"):
        return [level]
    names = [name for name in LEVELS if name.startswith("x86-64")]
    return names[names.index(level) :]
