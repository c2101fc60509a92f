"""What the particles of a node are and where they come from: pools that live in slots, sources, and chance that can be repeated."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import cv2
import numpy as np

from .frames import Frame
from .native.particles import PARTICLE

__all__ = ["MOST", "Birth", "Pool", "Sources", "chance", "from_mask", "from_points"]

MOST = 2000  # particles of a pool
GRID = (96, 54)  # cells a mask is looked at in


class Birth:
    """What particles are born with."""

    def __init__(self, life: float, speed: float, direction: float, spread: float, follow: float, spin: float,
                 variety: float, area: Any):  # fmt: skip
        self.life, self.speed, self.direction, self.spread = life, speed, direction, spread
        self.follow, self.spin, self.variety, self.area = follow, spin, variety, area


class Sources:
    """Where particles are born: places now and a frame ago, in frame heights from the top left; and how likely each is."""

    def __init__(self, now: np.ndarray, before: np.ndarray | None = None, delta: float = 0.0,
                 shares: np.ndarray | None = None, cell: tuple[float, float] = (0.0, 0.0),
                 between: tuple[float, float] = (0.0, 1.0)):  # fmt: skip
        self.now, self.before = now, now if before is None else before
        self.motion = (self.now - self.before) / delta if delta > 0 else np.zeros_like(now)
        self.delta, self.shares, self.cell, self.between = delta, shares, cell, between

    @classmethod
    def at(cls, place: Any, tick: Any) -> Sources:
        """One place, in frame heights from the centre."""
        aspect = (tick.width or 1) / (tick.height or 1)
        return cls(np.array([(0.5 * aspect + place[0], 0.5 + place[1])]))

    def part(self, step: int, steps: int) -> Sources:
        """One step of the way since the frame before."""
        if steps == 1:
            return self
        return Sources(self.now, self.before, self.delta, self.shares, self.cell, (step / steps, (step + 1) / steps))

    def pick(self, rolls: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Places, motions, and how long before the step's end each was born (0 to 1), of rolls (n, 4) of chance."""
        if self.shares is None:
            chosen = np.minimum((rolls[:, 0] * len(self.now)).astype(int), len(self.now) - 1)
        else:
            chosen = np.minimum(np.searchsorted(self.shares, rolls[:, 0] * self.shares[-1], side="right"), len(self.now) - 1)
        when = self.between[0] + (self.between[1] - self.between[0]) * rolls[:, 1:2]
        places = self.before[chosen] + (self.now[chosen] - self.before[chosen]) * when
        places = places + (rolls[:, 2:4] - 0.5) * self.cell
        return places, self.motion[chosen], 1.0 - rolls[:, 1]


class Pool:
    """All particles of a node, and what it needs to go on with them. Lives in a slot."""

    def __init__(self) -> None:
        self.rows = np.zeros((MOST, PARTICLE), np.float32)
        self.next = self.born = self.scale = 0
        self.owed = self.clock = 0.0
        self.places: dict[int, np.ndarray] = {}

    def alive(self, most: int) -> np.ndarray:
        """Rows of living ones, the oldest first."""
        start = self.next % most
        order = np.flatnonzero(self.rows[:most, 5] > 0.0)
        return np.concatenate([order[order >= start], order[order < start]])

    def bear(self, count: int, sources: Sources, birth: Birth, seconds: float, most: int, seed: int) -> None:
        """New particles, spread over the last `seconds`."""
        count = min(count, most)
        if count <= 0 or not len(sources.now):
            return
        rolls = chance(seed, self.born, count)
        self.born += count
        places, motion, ago = sources.pick(rolls)
        into = (self.next + np.arange(count)) % most
        self.next = int((self.next + count) % most)
        vary = 1.0 + birth.variety * (rolls[:, 4:7] - 0.5) * (1.2, 1.6, 1.4)
        angle = birth.direction + (rolls[:, 7] - 0.5) * birth.spread
        speed = birth.speed * vary[:, 1]
        velocity = np.stack([np.cos(angle), np.sin(angle)], -1) * speed[:, None] + motion * birth.follow
        age = ago * seconds
        rows = np.zeros((count, PARTICLE), np.float32)
        rows[:, :2] = places + (rolls[:, 8:10] - 0.5) * birth.area + velocity * age[:, None]
        rows[:, 2:4] = velocity
        rows[:, 4], rows[:, 5], rows[:, 6] = age, birth.life * vary[:, 0], vary[:, 2]
        rows[:, 7] = rolls[:, 10] * (2 * math.pi if birth.spin else 0.0)
        rows[:, 8] = (rolls[:, 11] * 2 - 1) * birth.spin
        rows[:, 9:12] = rolls[:, 12:15]
        self.rows[into] = rows


def chance(seed: int, first: int, count: int) -> np.ndarray:
    """(count, 16) numbers from 0 to below 1 of a seed, row by row from number `first` on (SplitMix64)."""
    z = np.arange(first * 16, (first + count) * 16, dtype=np.uint64) + np.uint64(seed * 0x9E37 + 1) * np.uint64(0x100000001)
    z = z * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return ((z >> np.uint64(11)) * 2.0**-53).reshape(count, 16)


def from_points(lists: Iterable[tuple[int, Any]], pool: Pool, tick: Any) -> Sources:
    """All finite points; those of a list that is as long as a frame ago, with their motion."""
    height = float(tick.height or 1)
    now, before, known = [np.empty((0, 2))], [np.empty((0, 2))], {}
    for track, value in lists:
        places = np.asarray(value, np.float64).reshape(len(value), -1)[:, :2] / height if len(value) else now[0]
        places = places[np.isfinite(places).all(-1)]
        last = pool.places.get(track)
        same = last is not None and last.shape == places.shape
        now.append(places)
        before.append(last if last is not None and same else places)
        known[track] = places
    pool.places = known
    return Sources(np.concatenate(now), np.concatenate(before), tick.delta)


def from_mask(mask: Frame, tick: Any) -> Sources:
    """Where a mask covers, as likely as it covers there: looked at in cells."""
    small = cv2.resize(mask.data, GRID, interpolation=cv2.INTER_AREA).reshape(GRID[1], GRID[0]).astype(np.float64)
    small = np.clip(small / (255.0 if mask.format == "u8" else 1.0), 0.0, 1.0)
    a, _, c, _, e, f = mask.geometry.to_frame
    across, down = mask.width / GRID[0], mask.height / GRID[1]
    rows, columns = np.nonzero(small > 0.02)
    height = float(tick.height or 1)
    x, y = (columns + 0.5) * across * a + c, (rows + 0.5) * down * e + f
    cell = (abs(across * a) / height, abs(down * e) / height)
    return Sources(np.stack([x, y], -1) / height, shares=np.cumsum(small[rows, columns]), cell=cell)
