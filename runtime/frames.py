"""What a wire carries for a raster: a Frame, and where it lies: a Space."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

__all__ = ["Frame", "Geometry", "Space", "Tick"]

Format = Literal["u8", "f16", "f32"]
DTYPES = {"u8": np.dtype(np.uint8), "f16": np.dtype(np.float16), "f32": np.dtype(np.float32)}


@dataclass(frozen=True, slots=True)
class Geometry:
    """Size of a raster and its affine map to the frame, in frame pixels (pixel centres at +0.5, y down).

    frame_x = a·x + b·y + c, frame_y = d·x + e·y + f, for x, y in pixels of this raster. Kernels read straight rasters
    (b = d = 0); what lies turned is turned by a transform, not by its geometry.
    """

    width: int
    height: int
    to_frame: tuple[float, float, float, float, float, float] = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)

    @property
    def matrix(self) -> np.ndarray:
        """to_frame as a 3×3."""
        return np.array([*self.to_frame, 0.0, 0.0, 1.0]).reshape(3, 3)

    def from_frame(self) -> tuple[float, float, float, float, float, float]:
        """The inverse of to_frame."""
        a, b, c, d, e, f = self.to_frame
        det = a * e - b * d
        ia, ib, id_, ie = e / det, -b / det, -d / det, a / det
        return ia, ib, -(ia * c + ib * f), id_, ie, -(id_ * c + ie * f)


@dataclass(frozen=True, slots=True)
class Space:
    """A named coordinate space with the geometry of what lies in it. Two ids never mix without `place`."""

    id: str
    geometry: Geometry


@dataclass(slots=True, eq=False)
class Frame:
    """A raster on a wire: pixels, format, where it lies.

    `data` is (height, width, channels), C-contiguous; uint8 holds 0–1 as 0–255. A three-channel image has alpha 1.
    One-channel rasters are (height, width, 1). It is a slot that is refilled, not a new object a frame: keep a copy, not
    a reference, of what must outlive the frame.
    """

    data: np.ndarray
    geometry: Geometry
    space: str = "frame"

    @classmethod
    def make(cls, width: int, height: int, channels: int, format: Format = "u8", space: str = "frame") -> Frame:
        """A new frame of zeros, lying one to one on the stream's frame."""
        return cls(np.zeros((height, width, channels), DTYPES[format]), Geometry(width, height), space)

    @classmethod
    def of(cls, array: np.ndarray, space: str = "frame") -> Frame:
        """An (h, w, c) or (h, w) array as a frame that fills the stream's frame one to one."""
        array = np.ascontiguousarray(array if array.ndim == 3 else array[..., None])
        return cls(array, Geometry(array.shape[1], array.shape[0]), space)

    @property
    def format(self) -> Format:
        return {"uint8": "u8", "float16": "f16", "float32": "f32"}[self.data.dtype.name]  # type: ignore[return-value]

    @property
    def width(self) -> int:
        return self.data.shape[1]

    @property
    def height(self) -> int:
        return self.data.shape[0]

    @property
    def channels(self) -> int:
        return self.data.shape[2]


@dataclass(slots=True)
class Tick:
    """What time it is for a node: passed in, never read.

    Attributes:
        time: µs of the stream (a clip's or camera's own clock).
        delta: seconds since the frame before (0 at the first and after a seek).
        index: frame id, rising by one a frame that enters the effect.
        width, height: the stream's frame size.
        events: what happened since the frame before (keys, touches), each exactly once.
    """

    time: int = 0
    delta: float = 0.0
    index: int = 0
    width: int = 0
    height: int = 0
    events: tuple[Any, ...] = ()
