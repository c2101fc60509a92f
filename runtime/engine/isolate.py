"""A node in a process of its own: what hangs or crashes there is killed and started again, and the effect plays on.

The child is spawned (never forked) and spoken to over a pipe; rasters travel as bytes of shared memory. While it is
away (starting, killed, backing off), calls fail at once and the node's fallback goes on.
"""

from __future__ import annotations

import importlib.util
import multiprocessing
import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.shared_memory import SharedMemory
from types import SimpleNamespace
from typing import Any

import numpy as np

from ...graph.declare import Declaration
from ...graph.errors import NodeError
from ..frames import Frame
from .backoff import BackOff

__all__ = ["Isolated"]


class Isolated:
    """Stands where the node would: `open`, `process(*arguments)`, `close`.

    Args:
        limit: seconds a call may take before the worker is killed.
        clock: monotonic seconds; for tests.
    """

    def __init__(self, decl: Declaration, context: Any, limit: float = 1.0,
                 clock: Callable[[], float] = time.monotonic):  # fmt: skip
        self.decl, self.context, self.limit = decl, context, limit
        self.child: Any = None
        self.pipe: Any = None
        self.ready = False
        self.back_off = BackOff(clock=clock)
        self.restarts = 0
        self.memory: dict[str, SharedMemory] = {}
        self.lock = threading.Lock()

    def open(self, context: Any) -> None:
        """Start the worker; it opens the node in its own time."""
        self._start()

    def _start(self) -> None:
        spawn = multiprocessing.get_context("spawn")
        self.pipe, theirs = spawn.Pipe()
        settings = (self.context.threads, self.context.profile, self.context.folder)
        cls = self.decl.cls
        self.child = spawn.Process(
            target=_serve, args=(theirs, _where(cls), cls.__qualname__, settings), daemon=True
        )
        self.child.start()
        theirs.close()
        self.ready = False

    def process(self, *arguments: Any) -> Any:
        """Call the node over there.

        Raises:
            NodeError: it raised, is not ready, or was killed for taking too long.
        """
        with self.lock:
            self._ensure()
            packed = [self._pack(f"in{i}", a) for i, a in enumerate(arguments)]
            try:
                self.pipe.send(packed)
            except (OSError, ValueError):
                self._lost("its worker died")
            if not self.pipe.poll(self.limit):
                self._lost(f"no answer within {self.limit:g} s: its worker was killed and starts again")
            try:
                kind, value, states = self.pipe.recv()
            except (EOFError, OSError):
                self._lost("its worker died")
            for i, state in states.items():
                arguments[i].__dict__.update(state)
            if kind == "error":
                raise NodeError(value)
            self.back_off.worked()
            if kind == "tuple":
                return tuple(self._unpack(v, arguments) for v in value)
            return self._unpack(value, arguments)

    def _ensure(self) -> None:
        if self.child is None or not self.child.is_alive():
            if self.child is not None:
                self._lost("its worker died", again=False)
            if not self.back_off.due:
                raise NodeError("its worker is being restarted")
            self.restarts += 1
            self._start()
        if not self.ready:
            if not self.pipe.poll(0):
                raise NodeError("its worker is starting")
            kind, value = self.pipe.recv()
            if kind == "error":
                raise NodeError(value)
            self.ready = True

    def _lost(self, why: str, again: bool = True) -> None:
        self._kill()
        self.back_off.lost()
        if again:
            raise NodeError(why)

    def _kill(self) -> None:
        if self.child is not None:
            self.child.kill()
            self.child.join(1.0)
            self.pipe.close()
        self.child, self.ready = None, False

    def close(self) -> None:
        """End the worker and give its memory back."""
        with self.lock:
            self._kill()
            for memory in self.memory.values():
                memory.close()
                memory.unlink()
            self.memory.clear()

    # -- values across the border

    def _pack(self, key: str, value: Any) -> Any:
        if not isinstance(value, Frame):
            return value
        memory = self.memory.get(key)
        if memory is None or memory.size < value.data.nbytes:
            if memory is not None:
                memory.close()
                memory.unlink()
            memory = self.memory[key] = SharedMemory(create=True, size=value.data.nbytes)
        np.copyto(np.ndarray(value.data.shape, value.data.dtype, memory.buf), value.data)
        return _Shared(memory.name, value.data.shape, value.data.dtype.str, value.geometry)

    def _unpack(self, value: Any, arguments: tuple[Any, ...]) -> Any:
        """A Frame that was filled over there comes back into the plan's own buffer."""
        if not isinstance(value, _Given):
            return value
        frame = arguments[value.index]
        shared = self.memory[f"in{value.index}"]
        np.copyto(frame.data, np.ndarray(frame.data.shape, frame.data.dtype, shared.buf))
        return frame


class _Shared:
    """A Frame's pixels by the name of their memory."""

    def __init__(self, name: str, shape: tuple[int, ...], dtype: str, geometry: Any):
        self.name, self.shape, self.dtype, self.geometry = name, shape, dtype, geometry


@dataclass(frozen=True)
class _Given:
    """The Frame that was argument `index`, its pixels changed in the shared memory."""

    index: int


def _where(cls: type) -> tuple[str, str]:
    """A class's module: by name, and by file for one that was loaded from a path."""
    module = sys.modules.get(cls.__module__)
    return cls.__module__, os.fspath(getattr(module, "__file__", "") or "")


def _serve(pipe: Any, where: tuple[str, str], qualname: str, settings: tuple[Any, ...]) -> None:
    """The worker: open the node, then answer calls until the pipe closes."""
    from .context import NodeContext

    attached: dict[str, SharedMemory] = {}
    try:
        node = _find(where, qualname)()
        node.open(NodeContext(*settings))
        pipe.send(("ready", None))
    except Exception as error:
        pipe.send(("error", f"{type(error).__name__}: {error}"))
        return
    while True:
        try:
            arguments = pipe.recv()
        except (EOFError, OSError):
            return
        given = [_attach(a, attached) for a in arguments]
        try:
            result = node.process(*given)
            kind = "tuple" if isinstance(result, tuple) else "value"
            value = tuple(_give(v, given) for v in result) if kind == "tuple" else _give(result, given)
        except Exception as error:
            kind, value = "error", f"{type(error).__name__}: {error}"
        states = {i: vars(a) for i, a in enumerate(given) if isinstance(a, SimpleNamespace)}
        pipe.send((kind, value, states))


def _give(value: Any, given: list[Any]) -> Any:
    """A returned argument is named, not copied through the pipe."""
    index = next((i for i, a in enumerate(given) if a is value and isinstance(a, Frame)), None)
    return value if index is None else _Given(index)


def _find(where: tuple[str, str], qualname: str) -> Any:
    name, file = where
    try:
        found: Any = importlib.import_module(name)
    except ImportError:
        spec = importlib.util.spec_from_file_location(name, file)
        assert spec is not None and spec.loader is not None
        found = sys.modules[name] = importlib.util.module_from_spec(spec)  # annotations look their module up there
        spec.loader.exec_module(found)
    for part in qualname.split("."):
        found = getattr(found, part)
    return found


def _attach(value: Any, attached: dict[str, SharedMemory]) -> Any:
    if not isinstance(value, _Shared):
        return value
    if value.name not in attached:
        attached[value.name] = SharedMemory(value.name, **_UNTRACKED)
    data = np.ndarray(value.shape, value.dtype, attached[value.name].buf)
    return Frame(data, value.geometry)


# until 3.13 the tracker of the worker, shared with the parent, forgets it when the parent unlinks it
_UNTRACKED: dict[str, Any] = {"track": False} if sys.version_info >= (3, 13) else {}
