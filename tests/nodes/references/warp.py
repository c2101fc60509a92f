"""Warps around a place: polar coordinates in NumPy."""

from __future__ import annotations

import numpy as np

from references import Reference, photo, sample
from spellwire.nodes import warp as w


def polar(centre, radius, at):
    x, y = at.x - at.aspect / 2 - centre[0], at.y - 0.5 - centre[1]
    r, angle = np.hypot(x, y), np.arctan2(y, x)
    return r, angle, np.where(r < radius, (1 - (r / radius) ** 2) ** 2, 0.0)


def back(image, r, angle, centre, at):
    x = r * np.cos(angle) + at.aspect / 2 + centre[0]
    return sample(image, x, r * np.sin(angle) + 0.5 + centre[1], at)


def bulge(image, centre, radius, amount, at):
    r, angle, near = polar(centre, radius, at)
    return back(image, r - 0.6 * amount * near * r, angle, centre, at)


def swirl(image, centre, radius, angle, at):
    r, direction, near = polar(centre, radius, at)
    return back(image, r, direction - np.deg2rad(angle) * near, centre, at)


INPUTS = {"image": lambda width, height: photo(0, width, height)}
REFERENCES = {
    w.Bulge: Reference(bulge, cases=({}, {"amount": -1.0, "centre": (0.2, -0.1), "radius": 0.5}), inputs=INPUTS),
    w.Swirl: Reference(swirl, cases=({}, {"angle": -200.0, "centre": (-0.3, 0.1), "radius": 0.4}), inputs=INPUTS),
}
