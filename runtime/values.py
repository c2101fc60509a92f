"""The values of list ports: tracked items. Coordinates are pixels of the stream's frame (y down)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import numpy as np

__all__ = ["BodyItem", "Each", "Event", "FaceItem", "HandItem", "Items", "LightValue"]

T = TypeVar("T")


@dataclass(slots=True, eq=False)
class FaceItem:
    """One face.

    Attributes:
        id: stable track id.
        landmarks: (468 or 478, 3) float32; x, y in frame pixels, z in the same scale, negative towards the camera.
        score: presence, 0 to 1.
        blendshapes: (52,) float32 in ARKit's order as MediaPipe names them, or None.
        pose: (4, 4) float32, head to camera, or None where no node computed it.
    """

    id: int
    landmarks: np.ndarray
    score: float = 1.0
    blendshapes: np.ndarray | None = None
    pose: np.ndarray | None = None


@dataclass(slots=True, eq=False)
class BodyItem:
    """One body: (33, 3) image landmarks in frame pixels, (33, 3) world in metres, (33,) visibility."""

    id: int
    landmarks: np.ndarray
    world: np.ndarray
    visibility: np.ndarray
    score: float = 1.0


@dataclass(slots=True, eq=False)
class HandItem:
    """One hand: (21, 3) landmarks in frame pixels, handedness (0 left … 1 right)."""

    id: int
    landmarks: np.ndarray
    handedness: float
    score: float = 1.0


@dataclass(slots=True, eq=False)
class Items(Generic[T]):
    """A list on a wire: items in order of track id, in one space."""

    items: tuple[T, ...] = ()
    space: str = "frame"
    width: int = 0
    height: int = 0
    max_items: int = field(default=4)

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> T:
        return self.items[index]


LightValue = tuple[float, float, float, float, float, float, float, float, float]
"""kind, x, y, z, r, g, b, intensity, range: see spellwire.graph.types.Light."""


@dataclass(slots=True, eq=False)
class Each:
    """What a mapped node gave: one value for each item, with the items' track ids."""

    ids: tuple[int, ...] = ()
    values: tuple[object, ...] = ()

    def __iter__(self) -> Iterator[object]:
        return iter(self.values)

    def __len__(self) -> int:
        return len(self.values)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened once: a key, a touch, a gesture.

    Attributes:
        time: µs of the stream.
        x, y: where, for what has a place: frame heights from the frame's centre, x right, y down.
    """

    name: str
    time: int
    value: float = 1.0
    x: float = 0.0
    y: float = 0.0
