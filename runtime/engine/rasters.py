"""The plan's buffers as Frames: allocated when a size first appears, then reused for ever."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..frames import DTYPES, Frame, Geometry
from ..plan.ir import Buffer

__all__ = ["Pool", "copy_frame", "empty_frame"]


class Pool:
    """Storage for a plan's buffers; buffers with the same `shared` entry lie in the same bytes."""

    def __init__(self, buffers: Sequence[Buffer]):
        self.buffers = buffers
        self.storage: dict[tuple[int, int], np.ndarray] = {}

    def frame(self, index: int, geometry: Geometry, copy: int = 0, room: int = 0) -> Frame:
        """The buffer's Frame at that geometry (contents undefined). `copy` 1 is a second one, for double buffering.

        room: pixels of a whole frame. What outgrows its memory once gets that much, so that a thing that comes nearer
        allocates no more; pages that are never written cost nothing.
        """
        buffer = self.buffers[index]
        shape = (geometry.height, geometry.width, buffer.channels)
        dtype = DTYPES[buffer.format]
        size = int(np.prod(shape)) * dtype.itemsize
        key = (buffer.shared, copy)
        if key not in self.storage:
            self.storage[key] = np.zeros(size, np.uint8)
        elif self.storage[key].nbytes < size:
            self.storage[key] = np.zeros(max(size, room * buffer.channels * dtype.itemsize), np.uint8)
        return Frame(self.storage[key][:size].view(dtype).reshape(shape), geometry)

    @property
    def nbytes(self) -> int:
        return sum(s.nbytes for s in self.storage.values())


def empty_frame(channels: int, width: int, height: int, format: str = "f32") -> Frame:
    """Nothing, as a raster: one zero pixel that covers the whole stream's frame."""
    data = np.zeros((1, 1, channels), DTYPES[format])
    return Frame(data, Geometry(1, 1, (float(width), 0.0, 0.0, 0.0, float(height), 0.0)))


def copy_frame(source: Frame, into: Frame | None) -> Frame:
    """A copy of `source`, in `into`'s memory where it fits."""
    if into is None or into.data.shape != source.data.shape or into.data.dtype != source.data.dtype:
        into = Frame(np.empty_like(source.data), source.geometry, source.space)
    np.copyto(into.data, source.data)
    into.geometry, into.space = source.geometry, source.space
    return into
