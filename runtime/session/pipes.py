"""Offline: decode ahead and encode aside, on threads of their own, in order. Same frames, same bytes."""

from __future__ import annotations

import queue
import threading
from typing import Any

import numpy as np

from ..frames import Frame
from ..media.base import Picture, Sink, Source, StreamInfo

__all__ = ["AsideSink", "Prefetch"]

DEPTH = 3


class Prefetch:
    """Reads up to DEPTH pictures ahead. A picture is valid until the next `read`."""

    def __init__(self, source: Source):
        self.source = source
        self.lent: Frame | None = None
        self._begin()

    def _begin(self) -> None:
        self.free: queue.SimpleQueue[Frame | None] = queue.SimpleQueue()
        self.ready: queue.SimpleQueue[Picture | Exception | None] = queue.SimpleQueue()
        for _ in range(DEPTH):
            self.free.put(
                Frame.make(self.source.info.width, self.source.info.height, self.source.info.channels)
            )
        self.thread = threading.Thread(target=self._read, name="decode", daemon=True)
        self.thread.start()

    def _read(self) -> None:
        try:
            while (slot := self.free.get()) is not None:
                picture = self.source.read(slot)
                self.ready.put(picture)
                if picture is None:
                    return
        except Exception as error:
            self.ready.put(error)

    def read(self) -> Picture | None:
        """The next picture, or None at the end. Raises what the source raised."""
        if self.lent is not None:
            self.free.put(self.lent)
            self.lent = None
        picture = self.ready.get()
        if isinstance(picture, Exception):
            raise picture
        if picture is not None:
            self.lent = picture.frame
        return picture

    def seek(self, time: int) -> None:
        """Forget what was read ahead, and go on from `time` µs."""
        self._end()
        self.source.seek(time)
        self._begin()

    def _end(self) -> None:
        self.free.put(None)
        self.thread.join()

    def __enter__(self) -> Prefetch:
        return self

    def __exit__(self, *exc: object) -> None:
        self._end()


class AsideSink(Sink):
    """Writes to another sink from a thread of its own; an error of it is raised at the next write.

    Sinks that must stay on the caller's thread (a window) or cost nothing are written to at once: see `aside`.
    """

    def __init__(self, sink: Sink):
        self.sink = sink
        self.at_once = not sink.aside
        self.free: queue.SimpleQueue[Frame | None] = queue.SimpleQueue()
        for _ in range(DEPTH):
            self.free.put(None)
        self.todo: queue.SimpleQueue[tuple[Frame, int] | None] = queue.SimpleQueue()
        self.error: Exception | None = None
        self.thread = threading.Thread(target=self._write, name="encode", daemon=True)
        if not self.at_once:
            self.thread.start()

    def open(self, info: StreamInfo) -> None:
        raise NotImplementedError("the inner sink is open already")

    def write(self, frame: Frame, time_us: int) -> None:
        if self.at_once:
            self.sink.write(frame, time_us)
            return
        slot = self.free.get()
        if self.error is not None:
            self.free.put(slot)
            raise self.error
        if slot is None or slot.data.shape != frame.data.shape:
            slot = Frame(np.empty_like(frame.data), frame.geometry)
        np.copyto(slot.data, frame.data)
        slot.geometry = frame.geometry
        self.todo.put((slot, time_us))

    def _write(self) -> None:
        while (job := self.todo.get()) is not None:
            frame, time = job
            if self.error is None:
                try:
                    self.sink.write(frame, time)
                except Exception as error:
                    self.error = error
            self.free.put(frame)

    def close(self) -> None:
        """Wait for what was handed over. Raises what the inner sink raised."""
        if not self.at_once and self.thread.is_alive():
            self.todo.put(None)
            self.thread.join()
        if self.error is not None:
            error, self.error = self.error, None
            raise error

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        try:
            self.close()
        except Exception:
            if kind is None:
                raise
