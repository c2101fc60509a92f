"""When a worker that was lost may be started again: at once the first time, then after longer and longer pauses."""

from __future__ import annotations

import time
from collections.abc import Callable

__all__ = ["BackOff"]


class BackOff:
    """Call `lost` when a worker was lost, `worked` when one answered; `due` says whether the next may be started.

    Args:
        first, longest: seconds of the first pause and the longest; each is twice the one before.
        clock: monotonic seconds; for tests.
    """

    def __init__(self, first: float = 0.5, longest: float = 30.0, clock: Callable[[], float] = time.monotonic):
        self.first, self.longest, self.clock = first, longest, clock
        self.pause, self._until = first, 0.0

    def lost(self) -> None:
        self._until = self.clock() + self.pause
        self.pause = min(2.0 * self.pause, self.longest)

    def worked(self) -> None:
        self.pause = self.first

    @property
    def due(self) -> bool:
        return self.clock() >= self._until
