"""A sink that keeps nothing."""

from __future__ import annotations

from ..frames import Frame
from .base import Sink, StreamInfo

__all__ = ["NullSink"]


class NullSink(Sink):
    """Counts pictures; for benchmarks and for effects played for their side results.

    Attributes:
        last_us: the time of the last picture, -1 before the first.
    """

    aside = False

    last_us: int = -1

    def open(self, info: StreamInfo) -> None:
        self.info = info

    def write(self, frame: Frame, time_us: int) -> None:
        self.frames += 1
        self.last_us = time_us

    def close(self) -> None:
        pass
