"""The other end of the pipes: a worker in MediaPipe's environment, with time-outs, killed when it hangs, started again.

The picture lies in a file that both processes have mapped (in memory, where the system has a place for that); requests are
lines of JSON. Nothing here imports MediaPipe, and what a worker sends is read as numbers, never run.
"""

from __future__ import annotations

import json
import math
import mmap
import os
import queue
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from ...graph.errors import NodeError
from ..engine.backoff import BackOff
from .bundle import Bundle
from .environment import last_line, not_loadable

__all__ = ["Found", "TaskProcess"]

START = 60.0  # seconds until a worker has loaded MediaPipe and the bundle, on a slow disk
LARGEST_ANSWER = 64 << 20  # bytes
TYPES = {"<f4": np.dtype("<f4"), "|u1": np.dtype("u1")}
WORKER = Path(__file__).with_name("worker.py")


class Found:
    """What a worker found: arrays by name, a word, how sure of it, and milliseconds there and back."""

    __slots__ = ("ms", "parts", "score", "text")

    def __init__(self, parts: dict[str, np.ndarray], text: str, score: float, ms: float):
        self.parts, self.text, self.score, self.ms = parts, text, score, ms


class TaskProcess:
    """A bundle, run by a worker.

    Args:
        python: the interpreter of MediaPipe's environment.
        options: count, confidence, mask, blendshapes, category; see worker.options_for.
        limit: seconds an answer may take before the worker is killed.
        clock: monotonic seconds; for tests.
        worker: the script; for tests.
    """

    def __init__(
        self, python: Path, bundle: Bundle, options: Mapping[str, Any], *, limit: float = 2.0, start: float = START,
        clock: Callable[[], float] = time.monotonic, worker: Path = WORKER,
    ):  # fmt: skip
        self.python, self.bundle, self.options = python, bundle, dict(options)
        self.limit, self.start_limit, self.worker = limit, start, worker
        self.back_off = BackOff(clock=clock)
        self.process: subprocess.Popen[bytes] | None = None
        self.restarts, self.version = 0, ""
        self._began = False  # a worker was up once: from then on nobody waits for one to come back
        self._opened = False
        self._memory: mmap.mmap | None = None
        self._answers: queue.Queue[tuple[dict[str, Any], bytes] | None] = queue.Queue()
        self._words: list[str] = []
        self._lock = threading.Lock()
        self._time = -1

    def start(self) -> None:
        """Start the worker; it loads MediaPipe in its own time."""
        with self._lock:
            if self.process is None:
                self._start(0)

    def look(self, picture: np.ndarray, time_us: int, options: Mapping[str, Any] | None = None) -> Found:
        """Have it look at (height, width, 3) uint8 RGB; where `options` changed, the bundle is opened again first.

        The first picture waits until the worker is up; after a crash, calls fail at once while it comes back.

        Raises:
            NodeError: there is no answer; the message says why, and whether it will come back by itself.
        """
        with self._lock:
            began = time.monotonic()
            self._ensure(picture.nbytes)
            if options is not None and dict(options) != self.options:
                self.options = dict(options)
                self._ask(self._opening(), self.start_limit)
                self._time = -1
            assert self._memory is not None
            np.copyto(np.ndarray(picture.shape, np.uint8, self._memory), picture)
            self._time = max(self._time + 1, time_us // 1000)  # MediaPipe wants rising times
            answer, payload = self._ask({"do": "look", "shape": picture.shape, "time": self._time}, self.limit)
            self.back_off.worked()
            parts = unpack(answer.get("parts", ()), payload)
            return Found(parts, str(answer.get("text", "")), float(answer.get("score", 0.0)), (time.monotonic() - began) * 1e3)

    def close(self) -> None:
        """End the worker: kindly, and if that takes long, otherwise."""
        with self._lock:
            process = self.process
            if process is not None and process.poll() is None:
                with suppress(OSError, ValueError, subprocess.TimeoutExpired):
                    assert process.stdin is not None
                    process.stdin.write(b'{"do": "close"}\n')
                    process.stdin.close()
                    process.wait(1.0)
            self._kill()

    # -- its life

    def _ensure(self, needed: int) -> None:
        if self.process is not None and self.process.poll() is not None:
            self._lost(self._died(), again=self._began)
        if self.process is not None and self._memory is not None and self._memory.size() < needed:
            self._kill()  # a larger picture: a new worker with more memory, which nobody is to blame for
            self._began = False
        if self.process is None:
            if not self.back_off.due:
                raise NodeError("MediaPipe's worker was lost and is started again in a moment")
            self.restarts += self._began
            self._start(needed)
        if not self._opened:
            self._await(needed)

    def _start(self, needed: int) -> None:
        size = max(needed, 1280 * 720 * 3)
        env = {**os.environ, "GLOG_minloglevel": "2", "TF_CPP_MIN_LOG_LEVEL": "2"}
        env.pop("PYTHONPATH", None)
        env.pop("LD_PRELOAD", None)
        path = self._map(size)
        try:
            self.process = subprocess.Popen(
                [str(self.python), "-s", str(self.worker)], env=env,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            )  # fmt: skip
        except OSError as error:
            os.unlink(path)
            raise NodeError(f"MediaPipe's interpreter {self.python} can't be started: {error.strerror}") from None
        self._answers, self._words, self._opened, self._time = queue.Queue(), [], False, -1
        threading.Thread(target=_hear, args=(self.process, self._answers), daemon=True).start()
        self._listener = threading.Thread(target=_listen, args=(self.process, self._words), daemon=True)
        self._listener.start()
        self._path = path
        self._send(self._opening() | {"memory": path})

    def _opening(self) -> dict[str, Any]:
        path = str(self.bundle.path.resolve())
        return {"do": "open", "kind": self.bundle.kind, "path": path, "options": self.options}

    def _map(self, size: int) -> str:
        """A file for the picture, mapped; in memory where there is a place for that."""
        folder = "/dev/shm" if os.path.isdir("/dev/shm") and os.access("/dev/shm", os.W_OK) else None
        handle, path = tempfile.mkstemp(prefix="spellwire-task-", dir=folder)
        try:
            os.ftruncate(handle, size)
            self._memory = mmap.mmap(handle, size)
        finally:
            os.close(handle)
        return path

    def _await(self, needed: int) -> None:
        """Its first answer: wait for it the first time, look whether it is there later."""
        try:
            answer, _ = self._answer(0.0 if self._began else self.start_limit)
        except queue.Empty:
            if self._began:
                raise NodeError("MediaPipe's worker is starting again") from None
            self._lost(f"MediaPipe was not ready within {self.start_limit:g} s")
            raise AssertionError from None
        self._forget_name()
        if "error" in answer:
            self._kill()
            self.back_off.lost()
            raise NodeError(self._explained(str(answer["error"])))
        self.version, self._opened, self._began = str(answer.get("version", "")), True, True

    def _explained(self, error: str) -> str:
        if "ImportError" in error or "OSError" in error or "ModuleNotFoundError" in error:
            return not_loadable(error)
        return f"MediaPipe can't open {self.bundle.path.name}: {error}"

    def _ask(self, request: dict[str, Any], limit: float) -> tuple[dict[str, Any], bytes]:
        self._send(request)
        try:
            answer, payload = self._answer(limit)
        except queue.Empty:
            self._lost(f"no answer from MediaPipe within {limit:g} s: its worker was killed and starts again")
            raise AssertionError from None
        if "error" in answer:
            raise NodeError(f"MediaPipe failed: {answer['error']}")
        return answer, payload

    def _send(self, request: dict[str, Any]) -> None:
        assert self.process is not None and self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps(request).encode() + b"\n")
            self.process.stdin.flush()
        except (OSError, ValueError):
            self._lost(self._died())

    def _answer(self, limit: float) -> tuple[dict[str, Any], bytes]:
        """The next answer. queue.Empty where there is none in time."""
        found = self._answers.get(block=limit > 0, timeout=limit or None)
        if found is None:
            self._lost(self._died())
        assert found is not None
        return found

    def _died(self) -> str:
        code = None
        if self.process is not None:
            with suppress(subprocess.TimeoutExpired):  # its pipe may close a moment before it is gone
                code = self.process.wait(0.5)
            self._listener.join(0.5)
        words = "\n".join(self._words)
        if not self._opened and "Error" in words:
            return not_loadable(words)
        how = f"was killed by signal {-code}" if code is not None and code < 0 else f"ended: {last_line(words)}"
        return f"MediaPipe's worker {how}; it is started again"

    def _lost(self, why: str, again: bool = True) -> None:
        self._kill()
        self.back_off.lost()
        if again:
            raise NodeError(why)

    def _kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(5.0)
            with suppress(OSError):  # what was not sent is lost with it
                if self.process.stdin is not None:
                    self.process.stdin.close()
            self._forget_name()
        self.process, self._opened = None, False

    def _forget_name(self) -> None:
        """The memory lives on in both maps; its name is not needed any more."""
        with suppress(OSError):
            os.unlink(self._path)


def unpack(said: Any, payload: bytes) -> dict[str, np.ndarray]:
    """The arrays of an answer, checked: what a worker says is not believed.

    Raises:
        NodeError: sizes or types don't fit what was sent.
    """
    parts, at = {}, 0
    try:
        for name, kind, shape in said:
            if not all(isinstance(n, int) and 0 <= n < LARGEST_ANSWER for n in shape):
                raise ValueError(f"a shape of {shape}")
            count = math.prod(shape)
            parts[str(name)] = np.frombuffer(payload, TYPES[kind], count, at).reshape(shape)
            at += count * TYPES[kind].itemsize
    except (ValueError, KeyError, TypeError) as error:
        raise NodeError(f"MediaPipe's worker sent something that can't be read: {error}") from None
    return parts


def _hear(process: subprocess.Popen[bytes], answers: queue.Queue[tuple[dict[str, Any], bytes] | None]) -> None:
    """Answers into the queue, until the pipe closes or says nonsense: then None."""
    pipe = process.stdout
    assert pipe is not None
    with pipe:
        while line := pipe.readline(1 << 20):
            try:
                answer = json.loads(line)
                size = int(answer.get("bytes", 0))
                payload = pipe.read(size) if 0 < size <= LARGEST_ANSWER else b""
            except (ValueError, AttributeError, OSError):
                break
            answers.put((answer, payload))
    answers.put(None)


def _listen(process: subprocess.Popen[bytes], words: list[str]) -> None:
    """Its last words, to be told if it dies."""
    assert process.stderr is not None
    with process.stderr as pipe:
        for line in pipe:
            words.append(line.decode("utf-8", "replace").rstrip())
            del words[:-40]
