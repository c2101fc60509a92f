"""A field of displacements out of a few round bumps: source of the loop `warp_field`.

Each bump has its own coordinates (u, v), in which its edge is the unit circle, and moves what it covers by

    w · (tu + lu·u + cu·u³ − swirl·v,   tv + lv·v + swirl·u)        w = (1 − u² − v²)²

so everything falls to zero with its first derivative at the edge, and nothing outside moves at all. Plain Python over
flat arrays; see `rasterise.py` for how these become machine code.
"""

from __future__ import annotations

import math

import numpy as np

__all__ = ["BUMP", "warp_field"]

F = np.float32
Int = np.int64
BUMP = 12  # numbers of a bump


def warp_field(bumps, count, unit, field, width, height):
    """Add bumps to a field.

    Args:
        bumps: (count, 12): centre x, y in cells; ux, uy, vx, vy: offset in cells → (u, v), not singular; tu, tv, lu, lv,
            cu, swirl.
        unit: what a cell is in the field's own unit (pixels, say).
        field: (height, width, 2) displacements, added to.
    """
    for i in range(count):
        b = BUMP * i
        ux, uy, vx, vy = bumps[b + 2], bumps[b + 3], bumps[b + 4], bumps[b + 5]
        over = F(1.0) / (ux * vy - uy * vx)
        # columns of the inverse: one u, one v in cells
        ax, ay, bx, by = vy * over, -vx * over, -uy * over, ux * over
        reach_x, reach_y = math.sqrt(ax * ax + bx * bx), math.sqrt(ay * ay + by * by)
        left = max(Int(0), Int(math.floor(bumps[b] - reach_x)))
        right = min(width - 1, Int(math.floor(bumps[b] + reach_x)))
        top = max(Int(0), Int(math.floor(bumps[b + 1] - reach_y)))
        bottom = min(height - 1, Int(math.floor(bumps[b + 1] + reach_y)))
        for y in range(top, bottom + 1):
            dy = F(y) + F(0.5) - bumps[b + 1]
            for x in range(left, right + 1):
                dx = F(x) + F(0.5) - bumps[b]
                u, v = ux * dx + uy * dy, vx * dx + vy * dy
                rest = F(1.0) - u * u - v * v
                if rest > F(0.0):
                    w = rest * rest * unit
                    du = w * (bumps[b + 6] + bumps[b + 8] * u + bumps[b + 10] * u * u * u - bumps[b + 11] * v)
                    dv = w * (bumps[b + 7] + bumps[b + 9] * v + bumps[b + 11] * u)
                    at = 2 * (y * width + x)
                    field[at] += ax * du + bx * dv
                    field[at + 1] += ay * du + by * dv
