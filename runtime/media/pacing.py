"""Any source as a camera would deliver it, and any source again and again."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from ..frames import Frame
from .base import Source, Stamp

__all__ = ["Looped", "Paced"]


class Looped(Source):
    """A source that starts over at its end; times and numbers go on rising."""

    def __init__(self, source: Source):
        self.source = source
        self.info = replace(source.info, duration_us=None, frames=None)
        self._shift = self._count = 0
        self._first = source.peek()  # where each round begins; None: there is nothing to repeat
        self._last = Stamp(-1, -1)

    @property
    def damaged(self) -> int:  # type: ignore[override]
        return self.source.damaged

    def peek(self) -> int | None:
        """Never rewinds: what was grabbed last must still be there to be retrieved."""
        ahead = self.source.peek()
        if ahead is not None:
            return ahead + self._shift
        return None if self._first is None else self._first + self._after()

    def grab(self) -> Stamp | None:
        if self.source.peek() is None:
            self._rewind()
        stamp = self.source.grab()
        if stamp is None:
            return None
        self._last = Stamp(stamp.time_us + self._shift, stamp.index + self._count)
        return self._last

    def _rewind(self) -> None:
        self.source.grab()  # tells of a clip that is cut off
        self._shift, self._count = self._after(), self._last.index + 1
        self.source.seek(0)

    def _after(self) -> int:
        """Each round lasts until its last picture has been shown for one nominal interval."""
        return self._last.time_us + self.info.interval_us

    def retrieve(self, into: Frame | None = None) -> Frame:
        return self.source.retrieve(into)

    def seek(self, time_us: int) -> None:
        self._shift = self._count = 0
        self.source.seek(time_us)

    def close(self) -> None:
        self.source.close()


class Paced(Source):
    """A source in real time, as a camera: `grab` waits for the next picture that is due.

    Newest wins: a picture that is already overtaken when it is asked for is discarded and counted in `dropped`. The
    clock starts with the first `grab`, and again after `seek`.

    Args:
        clock: seconds, rising; `sleep` waits that many. Both are given by tests.
    """

    def __init__(
        self,
        source: Source,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ):
        self.source = source
        self.info = replace(source.info, live=True)
        self._clock, self._sleep = clock, sleep
        self._start: float | None = None

    @property
    def damaged(self) -> int:  # type: ignore[override]
        return self.source.damaged

    def peek(self) -> int | None:
        return self.source.peek()

    def grab(self) -> Stamp | None:
        ahead = self.source.peek()
        if ahead is None:
            return self.source.grab()
        if self._start is None:
            self._start = self._clock() - ahead / 1e6
        wait = self._start + ahead / 1e6 - self._clock()
        if wait > 0:
            self._sleep(wait)
        stamp = self.source.grab()
        while (ahead := self.source.peek()) is not None and self._start + ahead / 1e6 <= self._clock():
            self.dropped += 1
            stamp = self.source.grab()
        return stamp

    def retrieve(self, into: Frame | None = None) -> Frame:
        return self.source.retrieve(into)

    def seek(self, time_us: int) -> None:
        self.source.seek(time_us)
        self._start = None

    def close(self) -> None:
        self.source.close()
