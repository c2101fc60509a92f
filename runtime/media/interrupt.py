"""Ctrl-C and its like, so that what is being written is finished."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["graceful_exit", "shielded"]


@contextmanager
def graceful_exit() -> Iterator[None]:
    """Inside, Ctrl-C, SIGTERM and SIGHUP unwind the program, so that sinks are closed; never in the middle of a write.

    SIGINT raises KeyboardInterrupt, the others SystemExit(128 + number). Does nothing outside the main thread, where
    Python can't set signal handlers.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.signal(number, _on_signal) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Shield:
    """How deep the main thread is inside `shielded`, and the signal that came meanwhile."""

    depth = 0
    pending: int | None = None


def _on_signal(number: int, _: object) -> None:
    if _Shield.depth:
        _Shield.pending = number
    elif number == signal.SIGINT:
        raise KeyboardInterrupt
    else:
        raise SystemExit(128 + number)


@contextmanager
def shielded() -> Iterator[None]:
    """Inside, a signal that `graceful_exit` handles waits until the block ends: no packet is lost half-way."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _Shield.depth += 1
    try:
        yield
    finally:
        _Shield.depth -= 1
        if not _Shield.depth and _Shield.pending is not None:
            number, _Shield.pending = _Shield.pending, None
            _on_signal(number, None)
