"""A trace in Chrome's and Perfetto's JSON: a track a lane, a bar a stage, a mark a drop."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from ...graph.errors import SinkError
from ..engine.segment import Segment

__all__ = ["Trace"]


class Trace:
    """Collects events in memory; `save` writes them aside and renames."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = [_name(1, "render lane")]
        self.origin: int | None = None

    def frame(self, index: int, begun: int, segment: Segment) -> None:
        """One rendered frame: `begun` ns, and its stages' times."""
        self.origin = begun if self.origin is None else self.origin
        at = (begun - self.origin) / 1e3
        whole = sum(segment.times) / 1e3
        self.events.append(_bar(f"frame {index}", at, whole, {"frame": index}))
        for name, time in zip(segment.names, segment.times, strict=True):
            self.events.append(_bar(name, at, time / 1e3, {"frame": index}))
            at += time / 1e3

    def drop(self, number: int, cause: str) -> None:
        """A frame that was let go."""
        last = self.events[-1].get("ts", 0.0)
        self.events.append(
            {
                "name": f"dropped {number}",
                "ph": "i",
                "s": "t",
                "ts": last,
                "pid": 1,
                "tid": 1,
                "args": {"cause": cause},
            }
        )

    def save(self, path: str | Path) -> None:
        """Write the file.

        Raises:
            SinkError: it can't be written.
        """
        path = Path(path)
        aside = path.with_name(path.name + ".part")
        try:
            with aside.open("w") as file:
                json.dump({"traceEvents": self.events, "displayTimeUnit": "ms"}, file)
                file.flush()
                os.fsync(file.fileno())
            aside.replace(path)
        except OSError as error:
            raise SinkError(f"can't write the trace {path}: {error.strerror}") from None


def _bar(name: str, at: float, length: float, args: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "ph": "X", "ts": at, "dur": length, "pid": 1, "tid": 1, "args": args}


def _name(thread: int, name: str) -> dict[str, Any]:
    return {"name": "thread_name", "ph": "M", "pid": 1, "tid": thread, "args": {"name": name}}
