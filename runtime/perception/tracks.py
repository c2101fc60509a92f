"""Things tracked through a stream of pictures: a detector where none is known, then each frame's landmarks place the next crop.

What faces, hands and bodies share: track ids, who is looked for when and where, how a lost one is found again, smoothing.
The scheme is MediaPipe's; ids, the search in the very frame that lost a thing, and smoothing by its size are added.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np

from .blazeface import Detector, Window, around, windows
from .one_euro import one_euro
from .roi import Roi, overlap

__all__ = ["CAPACITY", "FORGET_AFTER", "Fit", "Habits", "State", "Tracker", "new_state"]

SAME = 0.5  # overlap of regions from which on two are one thing
CAPACITY = 8  # tracks, those lost of late included
FORGET_AFTER = 1_000_000  # µs until a lost track's id is given up

State = dict[str, np.ndarray]
T = TypeVar("T")


class Fit(NamedTuple):
    """What a landmark network found: points in picture pixels (a new array), presence, the region of the next picture."""

    points: np.ndarray
    score: float
    roi: Roi
    extra: Any = None


@dataclass(frozen=True)
class Habits:
    """How a kind of thing is looked for and smoothed.

    Attributes:
        candidate: of the confidence asked for: what the detector must give before the landmark network is asked.
        entry: a new one must be so much surer: its doubt at most this part of the doubt allowed.
        look_every: µs between searches for further ones while one is tracked.
        thrifty: at most one look in a frame (but in the first), for detectors that cost as much as the landmarks.
        region: side of a region, in sizes of the thing.
        cutoff, beta: of the One-Euro filter at smoothing 0, and the factors that they have taken on at 1.
    """

    candidate: float = 0.7
    entry: float = 0.2
    look_every: int = 250_000
    thrifty: bool = False
    region: float = 1.5
    cutoff: tuple[float, float] = (2.0, 0.02)
    beta: tuple[float, float] = (80.0, 0.25)


def new_state(points: int, extra: int = 0) -> State:
    """The state of a tracker that has seen nothing.

    clock: µs of the last frame and of the last search, the next id, width and height of the picture, and whose turn it is
    in the search (−1: all, for nothing was seen yet). Then one row a track: id (0 = free), seen (µs), live (tracked in the
    last frame), roi, the filter's points and speeds, and `extra` numbers of the kind's own.
    """
    return {
        "clock": np.array([-1, -1, 1, 0, 0, -1], np.int64),
        "id": np.zeros(CAPACITY, np.int64),
        "seen": np.zeros(CAPACITY, np.int64),
        "live": np.zeros(CAPACITY, np.bool_),
        "roi": np.zeros((CAPACITY, 4), np.float64),
        "points": np.zeros((CAPACITY, points, 3), np.float32),
        "speed": np.zeros((CAPACITY, points, 3), np.float32),
        "extra": np.zeros((CAPACITY, extra), np.float32),
    }


class Tracker(Generic[T]):
    """Tracks things of one kind. Holds models and work buffers; what it knows lies in the caller's state.

    A kind gives a detector, `fit` and `item`, and may have its own idea of when two are the same.
    """

    habits = Habits()
    _detector: Detector

    def detect(self, image: np.ndarray, threshold: float, window: Window) -> list[tuple[Roi, float]]:
        """Regions that the detector proposes in a window of the picture, best first."""
        return self._detector.detect(image, threshold, window)

    def fit(self, image: np.ndarray, roi: Roi, confidence: float) -> Fit | None:
        """Landmarks of what is in a region; None where nothing is, or too unsurely."""
        raise NotImplementedError

    def item(self, state: State, row: int, fit: Fit, delta: float, smoothing: float) -> T:
        """The value that travels on a wire."""
        raise NotImplementedError

    def same(self, a: Fit, b: Fit) -> bool:
        """Have two tracks slid onto one thing?"""
        return overlap(a.roi, b.roi) > SAME

    def known(self, roi: Roi, other: Fit) -> bool:
        """Is what the detector saw there surely the thing that is tracked already?"""
        return _near_same(roi, other.roi)

    def ghost(self, fit: Fit, other: Fit) -> bool:
        """Is a new find most likely seen into a part of what is tracked already?"""
        return False

    def likeness(self, state: State, row: int, fit: Fit) -> float:
        """How well a find continues a lost track (only those in reach are asked)."""
        return overlap(Roi(*state["roi"][row]), fit.roi)

    def follow(
        self, image: np.ndarray, time: int, state: State, most: int, confidence: float, smoothing: float
    ) -> tuple[T, ...]:  # fmt: skip
        """The things in the next picture (uint8 RGB), in order of track id."""
        delta = _enter(image, time, state, self.habits)
        found = self._go_on(image, state, confidence)
        if len(found) < most:
            self._search(image, time, state, found, most, confidence)
        _leave(state, found, time)
        rows = sorted(found, key=lambda row: int(state["id"][row]))
        return tuple(self.item(state, row, found[row], delta, smoothing) for row in rows)

    def smooth(self, state: State, row: int, part: slice, points: np.ndarray, delta: float, smoothing: float, size: float) -> None:
        """One-Euro in place, over a part of the track's points; `size` in their unit. A new track starts from its first."""
        last, speed = state["points"][row, part], state["speed"][row, part]
        fresh = not last.any(axis=1).all()  # rows of zeros: never filled, as irises when they are switched on
        if not smoothing > 0 or delta <= 0 or fresh:  # a smoothing of NaN is none: it must not get into the filter
            last[...] = points
            speed[...] = 0
            return
        (cutoff, calm), (beta, late) = self.habits.cutoff, self.habits.beta
        one_euro(points, last, speed, delta, size, cutoff * calm**smoothing, beta * late**smoothing)

    def _go_on(self, image: np.ndarray, state: State, confidence: float) -> dict[int, Fit]:
        """Tracks that go on, by row. Of two that slid onto one thing the older stays."""
        found: dict[int, Fit] = {}
        rows = np.flatnonzero(state["live"])
        for row in rows[np.argsort(state["id"][rows])]:
            fit = self.fit(image, Roi(*state["roi"][row]), confidence)
            if fit is None or any(self.same(fit, other) for other in found.values()):
                continue
            state["roi"][row] = fit.roi
            found[int(row)] = fit
        return found

    def _search(self, image, time: int, state: State, found: dict[int, Fit], most: int, confidence: float) -> None:
        """Look for further things, where it is time to."""
        for window in self._looks(image, time, state, found):
            for roi, _ in self.detect(image, self.habits.candidate * confidence, window):
                if len(found) >= most:
                    return
                if not any(self.known(roi, other) for other in found.values()):
                    self._add(image, roi, state, found, confidence)

    def _add(self, image: np.ndarray, roi: Roi, state: State, found: dict[int, Fit], confidence: float) -> None:
        """Begin to track a thing, if there is one that is not tracked yet."""
        fit = self.fit(image, roi, 1 - self.habits.entry * (1 - confidence))
        if fit is None:
            return
        if any(self.same(fit, other) or self.known(fit.roi, other) or self.ghost(fit, other) for other in found.values()):
            return
        row = self._row_for(state, fit, found)
        state["roi"][row] = fit.roi
        found[row] = fit

    def _looks(self, image: np.ndarray, time: int, state: State, found: dict[int, Fit]) -> list[Window]:
        """Where to look in this frame.

        Around things lost of late in every frame. At the whole picture, and in turn at one more window for small
        ones, every so often, or in every frame while nothing is tracked; at all windows in the very first. The thrifty
        take one of these after the other.
        """
        clock = state["clock"]
        height, width = image.shape[:2]
        lost = [int(row) for row in np.flatnonzero(state["id"] > 0) if int(row) not in found]
        looks = [around(Roi(*state["roi"][row]), width, height) for row in lost]
        turn, due = int(clock[5]), not found or time - int(clock[1]) >= self.habits.look_every
        if not due and not (self.habits.thrifty and lost and time - int(clock[1]) >= self.habits.look_every // 3):
            return [] if self.habits.thrifty else looks
        whole, *parts = windows(width, height)
        clock[1] = time
        if self.habits.thrifty:
            clock[5] = turn + 1
            return [whole, *parts[:3]] if turn < 0 else [_in_turn(turn, looks, whole, parts)]
        clock[5] = (turn + 1) % max(len(parts), 1)
        return [*looks, whole, *(parts if turn < 0 else parts[turn : turn + 1])]

    def _row_for(self, state: State, fit: Fit, found: dict[int, Fit]) -> int:
        """The row of the lost track that this thing continues, else a fresh one with a new id."""
        lost = [int(r) for r in np.flatnonzero(state["id"] > 0) if int(r) not in found]
        near = [r for r in lost if _in_reach(Roi(*state["roi"][r]), fit.roi)]
        if near:
            row = max(near, key=lambda r: self.likeness(state, r, fit))
        else:
            free = np.flatnonzero(state["id"] == 0)
            row = int(free[0]) if len(free) else min(lost, key=lambda r: int(state["seen"][r]))
            state["id"][row] = state["clock"][2]
            state["clock"][2] += 1
        for name in ("points", "speed", "extra"):
            state[name][row] = 0
        return row


def _enter(image: np.ndarray, time: int, state: State, habits: Habits) -> float:
    """Seconds since the frame before; forgets all when the picture's size changed or time jumped."""
    clock = state["clock"]
    height, width = image.shape[:2]
    gap = time - int(clock[0])
    if clock[0] < 0 or gap < 0 or gap > FORGET_AFTER or (clock[3], clock[4]) != (width, height):
        state["id"][:] = 0
        state["live"][:] = False
        clock[1], clock[5] = time - habits.look_every, -1
        gap = 0
    clock[0], clock[3], clock[4] = time, width, height
    old = (state["id"] > 0) & (time - state["seen"] > FORGET_AFTER)
    state["id"][old] = 0
    return gap / 1e6


def _in_turn(turn: int, lost: list[Window], whole: Window, parts: list[Window]) -> Window:
    """One window of all: the whole every second time, else what was lost of late, or one of the smaller ones."""
    if turn % 2 == 0 or not (lost or parts):
        return whole
    return lost[turn // 2 % len(lost)] if lost else parts[turn // 2 % len(parts)]


def _leave(state: State, found: dict[int, Fit], time: int) -> None:
    state["live"][:] = False
    for row in found:
        state["live"][row] = True
        state["seen"][row] = time


def _near_same(a: Roi, b: Roi) -> bool:
    """A detector's region and a mesh's differ in size, so nearness of the centres counts too."""
    near = math.hypot(a.x - b.x, a.y - b.y) < 0.25 * min(a.size, b.size)
    return near or overlap(a, b) > SAME


def _in_reach(a: Roi, b: Roi) -> bool:
    """Could one thing have moved from a to b while it was lost?"""
    near = math.hypot(a.x - b.x, a.y - b.y) < 0.75 * max(a.size, b.size)
    return near and 0.5 < a.size / max(b.size, 1e-6) < 2
