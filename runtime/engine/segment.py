"""The unbroken run of stages in one lane: a flat list of closures, timed and contained one by one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import perf_counter_ns

__all__ = ["Segment"]


class Segment:
    """Stages to run in a row.

    Attributes:
        names: node paths, one a stage.
        times: ns of the last run, one a stage (rewritten in place).
    """

    __slots__ = ("fail", "names", "steps", "times")

    def __init__(
        self,
        steps: Sequence[Callable[[], None]],
        names: Sequence[str],
        fail: Callable[[int, Exception], None],
    ):
        self.steps = tuple(enumerate(steps))
        self.names, self.fail = tuple(names), fail
        self.times = [0] * len(self.steps)

    def run(self) -> None:
        """Run every stage; one that raises goes to `fail`, and the next ones still run."""
        times, clock = self.times, perf_counter_ns
        before = clock()
        for i, step in self.steps:
            try:
                step()
            except Exception as error:  # contained: an effect never stops for a node
                self.fail(i, error)
            now = clock()
            times[i] = now - before
            before = now
