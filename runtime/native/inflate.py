"""A mask blown up to a rounded body: source of the loop `inflate`.

The square u of its height solves   −∇²u + (1/reach² + barrier · (1 − mask)) u = 4 · mask,   a screened Poisson equation:
without the screen a disc becomes exactly a half ball; with it, wide parts level off at a height of 2 · reach. Height as
the root of a Poisson solution is Nealen, Igarashi, Sorkine and Alexa's ("FiberMesh", 2007) and others'; a soft mask needs
no outline here, so nothing jumps when a pixel joins. The frame's edge is no edge of the body (zero slope there).

Solved from coarse to fine: each grid starts from the one half as large (a cascade, no way back: the result is only looked
at) and is relaxed in place, row by row.
"""

from __future__ import annotations

import math

import numpy as np

__all__ = ["inflate"]

F = np.float32
Int = np.int64
CHANNELS = 8
BARRIER = 6.0  # a cell outside lets about a fifth of its neighbours' u in
SMALLEST = 6  # rows or columns of the coarsest grid
SWEEPS = 2  # on the finest grid; doubled on each coarser one


def inflate(mask, width, height, cell, reach, surface, work):
    """Draw the body into a Surface.

    Args:
        mask: (height, width), 0 to 1.
        cell: the side of a cell, reach: the most it rises is twice that; both in frame heights.
        surface: (height, width, 8): coverage is the mask, uv across it, normals, depth in frame heights, index 0.
        work: 4 · width · height + 64 numbers to scribble on.
    """
    # the masks of all grids one after the other, finest first, then their solutions, then one grid's divisors
    size = width * height
    for i in range(size):
        work[i] = min(max(mask[i], F(0.0)), F(1.0))
    levels, w, h, at = Int(1), width, height, Int(0)
    while min(w, h) >= 2 * SMALLEST:
        _halve(work, at, w, h)
        at += w * h
        w, h = (w + 1) // 2, (h + 1) // 2
        levels += 1
    solutions = at + w * h
    pulls = solutions + solutions
    for i in range(w * h):
        work[solutions + at + i] = F(0.0)
    for level in range(levels - 1, -1, -1):
        w, h, at, step = width, height, Int(0), cell
        for _ in range(level):
            at += w * h
            w, h, step = (w + 1) // 2, (h + 1) // 2, step * F(2.0)
        if level < levels - 1:
            _refine(work, solutions + at, w, h)
        _relax(work, at, solutions + at, pulls, w, h, step, reach, Int(SWEEPS) << min(level, Int(5)))
    _write(work, solutions, width, height, cell, surface)


def _halve(work, at, w, h):
    """The mask of the next coarser grid, behind this one: means of two by two."""
    to, half = at + w * h, (w + 1) // 2
    for y in range((h + 1) // 2):
        for x in range(half):
            right, down = min(2 * x + 1, w - 1), min(2 * y + 1, h - 1)
            top = work[at + 2 * y * w + 2 * x] + work[at + 2 * y * w + right]
            bottom = work[at + down * w + 2 * x] + work[at + down * w + right]
            work[to + y * half + x] = (top + bottom) * F(0.25)


def _refine(work, at, w, h):
    """A grid's first guess, bilinear from the coarser one behind it."""
    source, half, rows = at + w * h, (w + 1) // 2, (h + 1) // 2
    for y in range(h):
        # a fine cell's centre lies a quarter of a coarse cell from the nearer centre
        y0 = y // 2
        y1 = min(max(y0 + (1 if y % 2 == 1 else -1), Int(0)), rows - 1)
        for x in range(w):
            x0 = x // 2
            x1 = min(max(x0 + (1 if x % 2 == 1 else -1), Int(0)), half - 1)
            near = work[source + y0 * half + x0] * F(0.75) + work[source + y0 * half + x1] * F(0.25)
            far = work[source + y1 * half + x0] * F(0.75) + work[source + y1 * half + x1] * F(0.25)
            work[at + y * w + x] = near * F(0.75) + far * F(0.25)


def _relax(work, mask, at, pulls, w, h, step, reach, sweeps):
    """Sweeps of Gauss and Seidel. What is left of a cell comes last, so little waits for it."""
    square = step * step
    screen = square / (reach * reach)
    for i in range(w * h):
        work[pulls + i] = F(1.0) / (F(4.0) + screen + F(BARRIER) * (F(1.0) - work[mask + i]))
    for _ in range(sweeps):
        for y in range(h):
            up, down = at + max(y - 1, Int(0)) * w, at + min(y + 1, h - 1) * w
            row = y * w
            left = work[at + row]
            for x in range(w):
                others = work[up + x] + work[down + x] + work[at + row + min(x + 1, w - 1)]
                others += F(4.0) * square * work[mask + row + x]
                left = (others + left) * work[pulls + row + x]
                work[at + row + x] = left


def _write(work, at, w, h, cell, surface):
    for y in range(h):
        up, down = max(y - 1, Int(0)), min(y + 1, h - 1)
        for x in range(w):
            left, right = max(x - 1, Int(0)), min(x + 1, w - 1)
            tall = math.sqrt(max(work[at + y * w + x], F(0.0)) + cell * cell)
            # the normal of the height √u, times √u
            nx = (work[at + y * w + left] - work[at + y * w + right]) / (F(max(right - left, Int(1))) * cell * F(2.0))
            ny = (work[at + down * w + x] - work[at + up * w + x]) / (F(max(down - up, Int(1))) * cell * F(2.0))
            short = F(1.0) / math.sqrt(nx * nx + ny * ny + tall * tall)
            o = CHANNELS * (y * w + x)
            surface[o] = work[y * w + x]
            surface[o + 1] = (F(x) + F(0.5)) / F(w)
            surface[o + 2] = (F(y) + F(0.5)) / F(h)
            surface[o + 3] = nx * short
            surface[o + 4] = ny * short
            surface[o + 5] = tall * short
            surface[o + 6] = tall
            surface[o + 7] = F(0.0)
