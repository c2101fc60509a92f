"""The One-Euro filter (Casiez, Roussel, Vogel, CHI 2012) over many points at once."""

from __future__ import annotations

import math

import numpy as np

__all__ = ["one_euro"]


def one_euro(
    points: np.ndarray, last: np.ndarray, speed: np.ndarray, delta: float, size: float,
    cutoff: float, beta: float, speed_cutoff: float = 1.0, raw: np.ndarray | None = None,
) -> None:  # fmt: skip
    """Smooth `points` (n, d) in place; `last` and `speed` (n, d) are the filter's state, updated in place.

    delta: seconds since the points before. size: the object's size in the points' unit; speeds are measured in
    sizes a second, so a far face is smoothed as a near one. cutoff (Hz) holds at rest and rises by `beta` Hz for
    each size a second; all coordinates of a point share it, so that a moving point is not bent off its way.
    raw (n, d): the points before, unsmoothed, updated in place; where given, speeds are theirs (as MediaPipe measures
    them), so that lag is not taken for speed.
    """
    blend = _blend(speed_cutoff, delta)
    change = points - (last if raw is None else raw)
    if raw is not None:
        raw[...] = points
    change *= 1 / (size * delta)
    change -= speed
    change *= blend
    speed += change
    rate = np.sqrt(np.einsum("ij,ij->i", speed[:, :2], speed[:, :2]))
    rate *= beta
    rate += cutoff
    rate *= 2 * math.pi * delta
    rate /= rate + 1
    points -= last
    points *= rate[:, None]
    points += last
    last[...] = points


def _blend(cutoff: float, delta: float) -> float:
    turn = 2 * math.pi * cutoff * delta
    return turn / (turn + 1)
