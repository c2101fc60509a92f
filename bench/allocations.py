"""Counting large allocations natively: a small C library, preloaded into a child process.

In the parent:  subprocess.run([...], env=preloaded_environment())
In the child:   watch(900_000); …; before = count(); frame(); made = count() - before
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from functools import cache
from hashlib import sha256
from pathlib import Path

from spellwire.graph.errors import UsageError

__all__ = ["LARGE", "count", "preloaded_environment", "sizes", "watch"]

LARGE = 900_000  # bytes: one 8-bit plane of 1280×720 is 921 600
SOURCE = Path(__file__).with_name("allocations.c")


def library() -> Path:
    """The compiled library, made by `zig cc` where it isn't in the cache."""
    from spellwire.runtime.models.cache import cache_root

    if not sys.platform.startswith("linux"):
        raise UsageError("allocations are counted by a library that needs Linux and glibc")
    code = SOURCE.read_bytes()
    made = cache_root() / "bench" / f"allocations-{sha256(code).hexdigest()[:16]}.so"
    if not made.is_file():
        made.parent.mkdir(parents=True, exist_ok=True)
        part = made.with_suffix(f".{os.getpid()}")
        command = [sys.executable, "-m", "ziglang", "cc", "-O2", "-shared", "-fPIC", "-o", str(part), str(SOURCE)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise UsageError(f"zig cc could not compile {SOURCE.name}:\n{done.stderr[-2000:]}")
        os.replace(part, made)
    return made


def preloaded_environment() -> dict[str, str]:
    """The environment for a child in which allocations are counted."""
    before = os.environ.get("LD_PRELOAD")
    return {**os.environ, "LD_PRELOAD": f"{library()}:{before}" if before else str(library())}


@cache
def _counter() -> ctypes.CDLL:
    lib = ctypes.CDLL(None)
    if not hasattr(lib, "allocations_count"):
        raise UsageError("this process was started without the counter; see preloaded_environment")
    lib.allocations_count.restype = ctypes.c_ulong
    lib.allocations_size.restype = ctypes.c_size_t
    lib.allocations_size.argtypes = [ctypes.c_ulong]
    lib.allocations_watch.argtypes = [ctypes.c_size_t]
    return lib


def watch(threshold: int = LARGE) -> None:
    """Count from here on what is at least that large."""
    _counter().allocations_watch(threshold)


def count() -> int:
    """Large allocations since the process began to watch, in all its threads."""
    return _counter().allocations_count()


def sizes(first: int, last: int) -> list[int]:
    """Bytes of the allocations number first … last - 1 (of the latest 256)."""
    return [_counter().allocations_size(i) for i in range(max(first, last - 256), last)]
