"""MediaPipe as the oracle: two releases, each in an environment of its own, spoken to over pipes.

`make oracles` (or `python bench/oracles.py`) makes the environments in `.oracles/`. MediaPipe never enters ours: it
pins another NumPy, brings another OpenCV, and its crashes are its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

import numpy as np

from spellwire.graph.errors import SpellwireError, UsageError
from spellwire.runtime.task.environment import make_environment, python_in

__all__ = ["ENVIRONMENTS", "Oracle", "available", "make", "python_of"]

ROOT = Path(__file__).resolve().parent.parent / ".oracles"

# name → what is installed, and the Python versions that it has wheels for, the best first
ENVIRONMENTS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "mediapipe-0.10.21": (("mediapipe==0.10.21", "numpy<2"), ("3.12", "3.11", "3.10")),
    "mediapipe-current": (("mediapipe>=0.10.31",), ("3.13", "3.12", "3.11")),
}


def python_of(name: str) -> Path:
    """The interpreter of an oracle's environment, there or not."""
    return python_in(ROOT / name)


def available(name: str) -> bool:
    """Is that oracle's environment complete?"""
    return (ROOT / name / "complete").exists() and python_of(name).exists()


def make(name: str) -> None:
    """Make an oracle's environment, once. ModelUnavailable where no fitting Python is here, or pip fails."""
    if available(name):
        return
    packages, versions = ENVIRONMENTS[name]
    make_environment(
        ROOT / name, packages, versions, lambda text: print(f"{name}: {text}", file=sys.stderr), check="import mediapipe",
        again="make oracles",
    )  # fmt: skip


class Oracle:
    """One MediaPipe graph in its own process, playing a clip that it was given once.

        with Oracle("mediapipe-0.10.21", clip, what="face_mesh", refine=True) as oracle:
            ms, landmarks = oracle.play(0, 10)

    clip: (n, h, w, 3) uint8 RGB. cores: where set, the process is bound to them. What `play` gives: `oracle_worker`.
    UsageError where the environment isn't there or MediaPipe refuses.
    """

    def __init__(self, name: str, clip: np.ndarray, *, cores: set[int] | None = None, **what: Any) -> None:
        if not available(name):
            raise UsageError(f"the oracle {name} is not installed; make it with: make oracles")
        env = {**os.environ, "GLOG_minloglevel": "2", "TF_CPP_MIN_LOG_LEVEL": "2", "OMP_NUM_THREADS": "1"}
        env.pop("PYTHONPATH", None)
        worker = Path(__file__).with_name("oracle_worker.py")
        self.name = name
        self.cpu: list[float] = []  # ms of processor time for each frame of the last `play`, all threads together
        self._process = subprocess.Popen(
            [str(python_of(name)), "-s", str(worker)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=env,
        )  # fmt: skip
        if cores and hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(self._process.pid, cores)
        clip = np.ascontiguousarray(clip)
        self._ask({"do": "load", "shape": clip.shape}, clip.data.cast("B"))
        self.shape = tuple(self._ask({"do": "open", **what})["shape"])

    def play(self, first: int, last: int) -> tuple[list[float], np.ndarray]:
        """Milliseconds of each frame of clip[first:last], and what was found: float32 (frames, …)."""
        answer = self._ask({"do": "play", "first": first, "last": last})
        shape, self.cpu = answer["shape"], answer["cpu"]
        raw = self._pipe(self._process.stdout).read(4 * int(np.prod(shape)))
        return answer["ms"], np.frombuffer(raw, np.float32).reshape(shape)

    def close(self) -> None:
        """End the process, MediaPipe's objects first (it may deadlock when they are collected late)."""
        try:
            self._ask({"do": "close"})
            self._pipe(self._process.stdin).close()
            self._process.wait(10)
        except (UsageError, OSError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()
        finally:
            self._pipe(self._process.stdout).close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ask(self, request: dict[str, Any], payload: Any = b"") -> dict[str, Any]:
        stdin = self._pipe(self._process.stdin)
        try:
            stdin.write(json.dumps(request).encode() + b"\n")
            stdin.write(payload)
            stdin.flush()
        except BrokenPipeError:
            raise UsageError(f"the oracle {self.name} ended on its own; run its Python by hand to see why") from None
        line = self._pipe(self._process.stdout).readline()
        answer = json.loads(line) if line else {"error": "it ended without an answer"}
        if "error" in answer:
            raise UsageError(f"the oracle {self.name} failed at {request['do']!r}: {answer['error']}")
        return answer

    def _pipe(self, pipe: Any) -> Any:
        assert pipe is not None
        return pipe


def main() -> int:
    """Make them all; each that can't be made is told, and the others go on."""
    failed = 0
    for name in ENVIRONMENTS:
        try:
            make(name)
            print(f"{name}: ready")
        except SpellwireError as error:
            failed += 1
            print(f"{name}: {error}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
