"""What each stage cost of late: rings of the last runs, medians and 95th percentiles."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

__all__ = ["Costs"]


class Costs:
    """The last `size` runs of a segment's stages, in ns."""

    def __init__(self, names: Sequence[str], size: int = 256):
        self.names = tuple(names)
        self.ring = np.zeros((size, max(len(names), 1)), np.int64)
        self.count = 0

    def add(self, times: Sequence[int]) -> None:
        """Remember one run."""
        if self.names:
            self.ring[self.count % len(self.ring)] = times
        self.count += 1

    def table(self, skip: int = 0) -> list[tuple[str, float, float]]:
        """(name, p50, p95) in ms for each stage, without the first `skip` runs where more are there."""
        kept = min(self.count, len(self.ring))
        rows = self.ring[:kept]
        if self.count <= len(self.ring) and kept > skip:
            rows = rows[skip:]
        if not len(rows) or not self.names:
            return [(name, 0.0, 0.0) for name in self.names]
        p50, p95 = np.percentile(rows, [50, 95], axis=0) / 1e6
        return [(n, float(a), float(b)) for n, a, b in zip(self.names, p50, p95, strict=True)]
