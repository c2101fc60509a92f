"""What other threads ask for waits here until the render lane is between two frames."""

from __future__ import annotations

import threading
from collections.abc import Callable

from ...graph.errors import SessionError, UsageError
from ..values import Event

__all__ = ["Inbox"]


class Inbox:
    """Actions, events and a seek, put in from any thread.

    Attributes:
        seek: where to go, µs of the clip, or None; the newest wins.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._todo: list[Callable[[], None]] = []
        self._events: list[Event] = []
        self.seek: int | None = None

    def later(self, action: Callable[[], None]) -> None:
        """Do this between two frames."""
        with self._lock:
            self._todo.append(action)

    def event(self, event: Event) -> None:
        """Give this to the next frame that is rendered."""
        with self._lock:
            self._events.append(event)

    def act(self, refused: Callable[[Exception], None]) -> tuple[Event, ...]:
        """Do what waits, and give the events that came; `refused` is told what could not be done."""
        with self._lock:
            todo, self._todo = self._todo, []
            events, self._events = tuple(self._events), []
        for action in todo:
            try:
                action()
            except (UsageError, SessionError) as error:
                refused(error)
        return events

    def go_to(self, time: int) -> None:
        """Seek, before the next frame."""
        with self._lock:
            self.seek = time

    def take_seek(self) -> int:
        """Where to go now; it is done with."""
        with self._lock:
            time, self.seek = self.seek, None
        return time or 0
