"""Regions to a library: objects by worker processes, kept in the cache, linked once a set.

A region's object and a set's library are found by hash (region, target, Halide's version, our lowering),
so a second start compiles nothing, and an edit compiles only what is new.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.metadata
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from ...graph.errors import CompileError
from ..pixel.region import Region
from .cache import Cache
from .library import Library
from .link import link, suffix
from .targets import host_target, split

__all__ = ["Compiler", "describe"]

_TIMEOUT = 120.0  # seconds for one kernel
Progress = Callable[[int, int], None]


class Compiler:
    """Compiles for one target, with as many workers as there are cores.

    Args:
        cache: where objects and libraries are kept; the user's by default.
        target: as in targets.py; this machine's by default.
        threads: threads the kernels may use (`Library.set_threads`).
        workers: worker processes at a time.
    """

    def __init__(
        self,
        cache: Cache | None = None,
        target: str | None = None,
        threads: int = 1,
        workers: int | None = None,
    ):
        self.cache = cache or Cache()
        self.target = target or host_target()
        split(self.target)
        self.threads = threads
        self.workers = workers or max(
            1, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2
        )

    def compile(
        self,
        regions: Iterable[Region],
        progress: Progress | None = None,
        objects: Sequence[bytes] = (),
    ) -> Library:
        """A library of all regions' kernels and of extra objects, opened.

        `progress(done, total)` is called from the calling thread as kernels become ready. Raises CompileError when a
        region can't be compiled.
        """
        library = Library(self.build(regions, progress, objects))
        library.set_threads(self.threads)
        return library

    def build(
        self,
        regions: Iterable[Region],
        progress: Progress | None = None,
        objects: Sequence[bytes] = (),
    ) -> Path:
        """As `compile`, without opening: the library's path. Works for targets that aren't this machine."""
        wanted = sorted({r.key: r for r in regions}.values(), key=lambda r: r.key)
        parts = [self._key(r.key) for r in wanted] + [hashlib.sha256(o).hexdigest() for o in objects]
        whole = self._key("library", *parts)
        if found := self.cache.path(whole, suffix(self.target)):
            if progress:
                progress(len(wanted), len(wanted))
            return found
        paths = self._objects(wanted, progress)
        with tempfile.TemporaryDirectory(prefix="spellwire-link-") as folder:
            extra = []
            for i, data in enumerate(objects):
                extra.append(Path(folder) / f"extra{i}.o")
                extra[-1].write_bytes(data)
            output = Path(folder) / f"{whole[:16]}{suffix(self.target)}"
            link(self.target, [*paths, *extra], output)
            return self.cache.put_file(whole, suffix(self.target), output)

    def compile_later(
        self,
        regions: Iterable[Region],
        on_ready: Callable[[Library | None, CompileError | None], None],
        objects: Sequence[bytes] = (),
    ) -> threading.Thread:
        """As `compile`, in a background thread; `on_ready(library, error)` is called from it, one of them None."""

        def work(wanted: list[Region]) -> None:
            try:
                library = self.compile(wanted, None, objects)
            except CompileError as error:
                on_ready(None, error)
            else:
                on_ready(library, None)

        thread = threading.Thread(target=work, args=(list(regions),), name="compile", daemon=True)
        thread.start()
        return thread

    def cached(self, region: Region) -> bool:
        """Whether the region's object is there already."""
        return self.cache.path(self._key(region.key), ".o") is not None

    def _key(self, *parts: str) -> str:
        text = "\n".join((*parts, self.target, _halide_version(), _lowering()))
        return hashlib.sha256(text.encode()).hexdigest()

    def _objects(self, regions: list[Region], progress: Progress | None) -> list[Path]:
        """The runtime's object and those of the regions, compiled where the cache has none."""
        jobs: list[tuple[str, str, Region | None]] = [(self._key("runtime"), "runtime", None)]
        jobs += [(self._key(r.key), "region", r) for r in regions]
        done = 0
        with ThreadPoolExecutor(self.workers, "kernel") as pool:
            futures = [pool.submit(self._object, *job) for job in jobs]
            try:
                for future in as_completed(futures):
                    future.result()
                    done += 1
                    if progress:
                        progress(max(0, done - 1), len(regions))
            except BaseException:
                pool.shutdown(wait=True, cancel_futures=True)
                raise
        return [future.result() for future in futures]

    def _object(self, key: str, kind: str, region: Region | None) -> Path:
        if found := self.cache.path(key, ".o"):
            return found
        with tempfile.TemporaryDirectory(prefix="spellwire-kernel-") as folder:
            output = Path(folder) / "kernel.o"
            command = [
                sys.executable,
                "-m",
                "spellwire.runtime.kernels.worker",
                kind,
                self.target,
                str(output),
            ]
            _run_worker(command, region)
            return self.cache.put_file(key, ".o", output)


def describe(region: Region) -> str:
    """A region in a line, for messages."""
    reads = ", ".join(f"{r.format}×{r.channels}" for r in region.reads) or "nothing"
    writes = ", ".join(f"{w.format}×{w.channels}" for w in region.writes)
    return f"the kernel {region.key[:8]} ({len(region.nodes)} operations, from {reads} to {writes})"


def _run_worker(command: list[str], region: Region | None) -> None:
    what = describe(region) if region else "the kernels' runtime"
    data = region.encode() if region else b""
    try:
        done = subprocess.run(command, input=data, capture_output=True, timeout=_TIMEOUT, check=False)
    except subprocess.TimeoutExpired:
        raise CompileError(
            f"{what} took over {_TIMEOUT:.0f} s to compile; split it with fewer fused nodes"
        ) from None
    except OSError as error:
        raise CompileError(f"the kernel compiler can't be started: {error}") from None
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        reason = lines[-1] if lines else f"the compiler ended with code {done.returncode}"
        raise CompileError(f"{what} can't be compiled: {reason}")


@functools.cache
def _lowering() -> str:
    """The hash of the code that decides a kernel's machine code: another lowering finds no entry of the one before."""
    folder = Path(__file__).parent
    pixel = [f"../pixel/{name}.py" for name in ("affine", "broad", "lower", "maths", "words")]
    return hashlib.sha256(b"".join((folder / name).read_bytes() for name in (*pixel, "targets.py", "worker.py"))).hexdigest()


@functools.cache
def _halide_version() -> str:
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        return importlib.metadata.version("halide")
    raise CompileError(
        'kernels are compiled by Halide; install the author parts: pip install "spellwire[author]"'
    )
