"""A uint8 picture a whole number of times smaller: source of the loop `box_shrink`.

Rows are summed first, then neighbours, many at a time; only the few sums that are kept are walked through one by one.
"""

from __future__ import annotations

import numpy as np

__all__ = ["box_shrink"]

U16 = np.uint16


def box_shrink(picture, width, height, channels, times, out, sums):
    """Each pixel of `out` is the mean, rounded, of times × times pixels; times divides both sides, and is at most 16.

    Args:
        picture: (height, width, channels) uint8.
        out: (height / times, width / times, channels) uint8.
        sums: 3 · width · channels uint16 to scribble on.
    """
    across, columns, rows = width * channels, width // times, height // times
    share, reach = np.float32(1.0) / np.float32(times * times), (times - 1) * channels
    for y in range(rows):
        first = y * times * across
        for x in range(across):
            sums[x] = U16(picture[first + x])
        for k in range(1, times):
            row = first + k * across
            for x in range(across):
                sums[x] = U16(sums[x] + picture[row + x])
        for x in range(across - reach):  # at every place, though few are kept: that is done many at a time
            sums[across + x] = sums[x]
        for k in range(1, times):
            apart = k * channels
            for x in range(across - reach):
                sums[across + x] = U16(sums[across + x] + sums[x + apart])
        kept, o = 2 * across, y * columns * channels
        for x in range(columns):
            at = across + x * times * channels
            for c in range(channels):
                sums[kept + x * channels + c] = sums[at + c]
        for i in range(columns * channels):
            out[o + i] = np.uint8(np.int32(np.float32(sums[kept + i]) * share + np.float32(0.5)))
