"""Shared by the benchmarks: contenders timed in turn, medians, rows, figures and goals in one form.

A benchmark is `bench/NAME.py` with `run(quick=True) -> dict`: see `result`.
"""

from __future__ import annotations

import gc
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any

__all__ = ["Timing", "at_least", "at_most", "compete", "one_core", "result", "say"]

SAMPLE = 1e-3  # seconds a sample lasts at least, so that the clock's own cost does not show


@dataclass(frozen=True)
class Timing:
    """Milliseconds a call: the median over the rounds, the fastest round, how many rounds."""

    ms: float
    best: float
    rounds: int


def compete(
    contenders: Mapping[str, Callable[[], object]], seconds: float = 8.0, warm: int = 3, least: int = 5
) -> dict[str, Timing]:
    """Time all contenders in one run, interleaved, so that a busy machine is busy for all of them.

    Each round calls every contender once (fast ones as often as fills a millisecond), each round in another order.
    It ends after `seconds`, but not before `least` rounds.
    """
    calls = {name: _warmed(function, warm) for name, function in contenders.items()}
    taken: dict[str, list[float]] = {name: [] for name in contenders}
    names, rounds, end = list(contenders), 0, time.perf_counter() + seconds
    with _no_collector():
        while rounds < least or time.perf_counter() < end:
            turn = rounds % len(names)
            for name in names[turn:] + names[:turn]:
                taken[name].append(_sample(contenders[name], calls[name]))
            rounds += 1
    return {name: Timing(1e3 * median(t), 1e3 * min(t), rounds) for name, t in taken.items()}


def _warmed(function: Callable[[], object], warm: int) -> int:
    """Call it `warm` times; how often it has to be called to fill a sample."""
    for _ in range(warm):
        function()
    return max(1, round(SAMPLE / max(_sample(function, 1), 1e-9)))


def _sample(function: Callable[[], object], calls: int) -> float:
    start = time.perf_counter()
    for _ in range(calls):
        function()
    return (time.perf_counter() - start) / calls


@contextmanager
def _no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@contextmanager
def one_core() -> Iterator[None]:
    """This thread, and those it starts, on one core, where the system can do that; OpenCV on one thread."""
    import cv2

    cores = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        if cores:
            os.sched_setaffinity(0, {max(cores)})
        yield
    finally:
        cv2.setNumThreads(threads)
        if cores:
            os.sched_setaffinity(0, cores)


def at_least(what: str, value: float, goal: float) -> dict[str, Any]:
    """A goal that `value` reaches from `goal` on."""
    return {"what": what, "value": value, "goal": goal, "met": bool(value >= goal), "sense": "≥"}


def at_most(what: str, value: float, goal: float) -> dict[str, Any]:
    """A goal that `value` keeps up to `goal`."""
    return {"what": what, "value": value, "goal": goal, "met": bool(value <= goal), "sense": "≤"}


def result(
    name: str,
    rows: Sequence[tuple[str, float, str]],
    figures: Mapping[str, float],
    goals: Sequence[Mapping[str, Any]] = (),
    notes: Sequence[str] = (),
) -> dict[str, Any]:
    """What a benchmark's `run` gives: rows (what, value, unit), figures (name → number), goals, remarks."""
    return {
        "name": name,
        "rows": [dict(zip(("what", "value", "unit"), row, strict=True)) for row in rows],
        "figures": {key: float(value) for key, value in figures.items()},
        "goals": [dict(goal) for goal in goals],
        "notes": list(notes),
    }


def say(text: str) -> None:
    """Progress: on standard error, which is never part of the result."""
    print(text, file=sys.stderr, flush=True)
