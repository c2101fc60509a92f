"""The guided filter's coefficients in one pass over memory: source of the loop `guided_fit`.

What `perception.guided` does in whole planes (there the words, and the papers), done row by row: sums along a row are kept for as
many rows as the window is high, so that what is worked on stays in the first cache.
"""

from __future__ import annotations

import numpy as np

__all__ = ["guided_fit"]

F = np.float32
Int = np.int64
PLANES = 13  # r, g, b, mask, their products with the mask, and the six products of r, g, b


def guided_fit(guide, mask, width, height, radius, epsilon, out, rows, wide, sums, lines):
    """Fit the mask to the guide's colours in windows of 2 · radius + 1, and blur what was found.

    Beyond the edges both are mirrored, the edge's pixels twice.

    Args:
        guide: (height, width, 3), mask: (height, width); 0 to 1.
        epsilon: the contrast (variance) below which the guide is not followed; above 0.
        out: (height, width, 4): r, g, b, constant.
        rows: 13 · (2 · radius + 1) · width numbers to scribble on; wide: 5 · width + 2 · radius; sums: 13 · width;
            lines: 4 · height · width.
    """
    window = 2 * radius + 1
    share = F(1.0) / F(window * window)
    done = Int(0)  # rows whose sums along x are known
    for y in range(height):
        while done <= min(y + radius, height - 1):
            _along(guide, mask, width, radius, done, rows, wide, done % window)
            done += 1
        for k in range(PLANES):
            _down(rows, sums, y, height, width, radius, k * width, PLANES * width)
        _solve(sums, lines, y * width, width, height * width, epsilon, share)
    done = Int(0)
    for y in range(height):
        while done <= min(y + radius, height - 1):
            for k in range(4):
                for x in range(width):
                    wide[radius + x] = lines[(k * height + done) * width + x]
                _sum_row(wide, width, radius, rows, ((done % window) * 4 + k) * width)
            done += 1
        for k in range(4):
            _down(rows, sums, y, height, width, radius, k * width, 4 * width)
        for x in range(width):
            o = 4 * (y * width + x)
            out[o] = sums[x] * share
            out[o + 1] = sums[width + x] * share
            out[o + 2] = sums[2 * width + x] * share
            out[o + 3] = sums[3 * width + x] * share


def _mirrored(i, size):
    """A place within, for one beyond the edge; the edge itself is there twice."""
    while i < 0 or i >= size:
        i = -1 - i if i < 0 else 2 * size - 1 - i
    return i


def _along(guide, mask, width, radius, y, rows, wide, slot):
    """A row's thirteen products, each summed along x over the window."""
    row, apart = y * width, width + 2 * radius  # behind the row that is summed lie r, g, b and the mask, each by itself
    for x in range(width):
        wide[apart + x] = guide[3 * (row + x)]
        wide[apart + width + x] = guide[3 * (row + x) + 1]
        wide[apart + 2 * width + x] = guide[3 * (row + x) + 2]
        wide[apart + 3 * width + x] = mask[row + x]
    for k in range(PLANES):
        i = k if k < 4 else k - 4 if k < 7 else Int(0) if k < 10 else Int(1) if k < 12 else Int(2)
        j = Int(-1) if k < 4 else Int(3) if k < 7 else k - 7 if k < 10 else k - 9 if k < 12 else Int(2)
        first, second = apart + i * width, apart + max(j, Int(0)) * width
        if j < 0:
            for x in range(width):
                wide[radius + x] = wide[first + x]
        else:
            for x in range(width):
                wide[radius + x] = wide[first + x] * wide[second + x]
        _sum_row(wide, width, radius, rows, (slot * PLANES + k) * width)


def _sum_row(wide, width, radius, rows, to):
    """Sums over the window of a row that lies in `wide` from `radius` on."""
    for i in range(radius):
        wide[radius - 1 - i] = wide[radius + _mirrored(-1 - i, width)]
        wide[radius + width + i] = wide[radius + _mirrored(width + i, width)]
    if radius == 0:
        for x in range(width):
            rows[to + x] = wide[x]
    else:
        for x in range(width):
            rows[to + x] = wide[x] + (wide[x + 1] + wide[x + 2])
    for k in range(2, radius + 1):  # two at a time: half the traffic
        for x in range(width):
            rows[to + x] = rows[to + x] + (wide[x + 2 * k - 1] + wide[x + 2 * k])


def _down(rows, sums, y, height, width, radius, at, stride):
    """Sums of one plane over the rows of the window around y."""
    window = 2 * radius + 1
    middle = (y % window) * stride + at
    for k in range(1, radius + 1):
        above = (_mirrored(y - k, height) % window) * stride + at
        below = (_mirrored(y + k, height) % window) * stride + at
        if k == 1:
            for x in range(width):
                sums[at + x] = rows[middle + x] + (rows[above + x] + rows[below + x])
        else:
            for x in range(width):
                sums[at + x] = sums[at + x] + (rows[above + x] + rows[below + x])
    if radius == 0:
        for x in range(width):
            sums[at + x] = rows[middle + x]


def _solve(sums, lines, at, w, plane, epsilon, share):
    """a = (covariance + ε)⁻¹ · cross by the adjugate, b = mean of the mask − a · mean of the guide; of one row."""
    least = epsilon * epsilon * epsilon
    for x in range(w):
        r, g, b, m = sums[x] * share, sums[w + x] * share, sums[2 * w + x] * share, sums[3 * w + x] * share
        cr, cg, cb = sums[4 * w + x] * share - r * m, sums[5 * w + x] * share - g * m, sums[6 * w + x] * share - b * m
        rr = sums[7 * w + x] * share - r * r + epsilon
        rg = sums[8 * w + x] * share - r * g
        rb = sums[9 * w + x] * share - r * b
        gg = sums[10 * w + x] * share - g * g + epsilon
        gb = sums[11 * w + x] * share - g * b
        bb = sums[12 * w + x] * share - b * b + epsilon
        irr, irg, irb = gg * bb - gb * gb, rb * gb - rg * bb, rg * gb - rb * gg
        igg, igb, ibb = rr * bb - rb * rb, rb * rg - rr * gb, rr * gg - rg * rg
        over = F(1.0) / max(rr * irr + rg * irg + rb * irb, least)
        ar = (irr * cr + irg * cg + irb * cb) * over
        ag = (irg * cr + igg * cg + igb * cb) * over
        ab = (irb * cr + igb * cg + ibb * cb) * over
        lines[at + x] = ar
        lines[plane + at + x] = ag
        lines[2 * plane + at + x] = ab
        lines[3 * plane + at + x] = m - (ar * r + ag * g + ab * b)
