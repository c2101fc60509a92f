"""Hands made of straight bones, each finger stretched or curled."""

from __future__ import annotations

import math

import numpy as np

from spellwire.runtime.values import HandItem

__all__ = ["SHOWN", "made"]

SHOWN = {  # thumb, index, middle, ring, pinky
    "open": (1, 1, 1, 1, 1), "fist": (0, 0, 0, 0, 0), "pointing": (0, 1, 0, 0, 0), "victory": (0, 1, 1, 0, 0),
    "thumb up": (1, 0, 0, 0, 0), "six": (1, 0, 0, 0, 1),
}  # fmt: skip


def made(fingers: tuple[int, ...], turn: float = 0.0, *, world: bool = True, mirrored: bool = False) -> HandItem:
    """A hand of 9 cm palm, upright, its palm towards the camera; y up, metres, then turned counter-clockwise."""
    points = np.zeros((21, 3))
    thumb = [(-0.025, 0.02, 0.0), (-0.045, 0.045, 0.0)]
    thumb += [(-0.075, 0.06, 0.0), (-0.1, 0.07, 0.0)] if fingers[0] else [(-0.03, 0.07, 0.025), (0.0, 0.07, 0.03)]
    points[1:5] = thumb
    for k, x in enumerate((-0.03, -0.01, 0.01, 0.03)):
        root, lean = 5 + 4 * k, (-0.2, 0.0, 0.12, 0.25)[k]
        points[root] = (x, 0.09, 0.0)
        if fingers[k + 1]:
            way = np.array((math.sin(lean), math.cos(lean), 0.0))
            points[root + 1 : root + 4] = points[root] + way * np.array(((0.04,), (0.065,), (0.085,)))
        else:
            points[root + 1 : root + 4] = points[root] + ((0, 0.01, 0.04), (0, -0.02, 0.045), (0, -0.025, 0.02))
    if mirrored:
        points[:, 0] *= -1
    c, s = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    points[:, :2] = points[:, :2] @ np.array(((c, s), (-s, c)))
    picture = (points * (2000, -2000, -2000) + (300, 300, 0)).astype(np.float32)
    return HandItem(1, picture, 1.0, 1.0, points.astype(np.float32) if world else None)
