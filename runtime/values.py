"""The values of list ports: tracked items. Coordinates are pixels of the stream's frame (y down)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import numpy as np

__all__ = ["BodyItem", "CropMask", "Each", "Event", "FaceItem", "HandItem", "Items", "LightValue", "pairs"]

T = TypeVar("T")


@dataclass(slots=True, eq=False)
class FaceItem:
    """One face.

    Attributes:
        id: stable track id.
        landmarks: (468 or 478, 3) float32; x, y in frame pixels, z in the same scale, negative towards the camera.
        score: presence, 0 to 1.
        blendshapes: (52,) float32 in ARKit's order as MediaPipe names them, or None.
        pose: (4, 4) float32, head to camera (column vectors, metres, glTF axes), or None where no node computed it. The
            head's space: origin between the ears, x to the person's left, y up, z out of the face; the camera's: x right,
            y up, looking along −z. The tip of the nose is at about (0, −0.005, 0.076), an adult's face 0.155 wide.
            See runtime.perception.head_pose; topology's `positions` / 100 are this space's.
        camera: fx, fy, cx, cy in frame pixels, by which the pose was found: what is drawn with both lies on the face.
        gaze: (2, 3) float32 unit vectors in the camera's space, where the person's right and left eye look, or None without
            irises. (0, 0, 1) is out of the picture, along the camera's axis.
    """

    id: int
    landmarks: np.ndarray
    score: float = 1.0
    blendshapes: np.ndarray | None = None
    pose: np.ndarray | None = None
    camera: tuple[float, float, float, float] | None = None
    gaze: np.ndarray | None = None


@dataclass(slots=True, eq=False)
class CropMask:
    """A person's mask as the network drew it: logits (h, w) float32 of a square in the frame, x, y its middle, size its
    side (frame pixels), angle clockwise in radians."""

    logits: np.ndarray
    x: float
    y: float
    size: float
    angle: float


@dataclass(slots=True, eq=False)
class BodyItem:
    """One body. Names of the points: runtime.perception.topology.

    Attributes:
        id: stable track id.
        landmarks: (33, 3) float32; x, y in frame pixels, z in the same scale, 0 at the hips, negative towards the camera.
        world: (33, 3) float32, metres about the middle of the hips; x to the picture's right, y up, z towards the camera.
        visibility: (33,) float32, 0 to 1: neither hidden nor outside the picture.
        score: presence, 0 to 1.
        mask: of the person, or None where no network drew one.
    """

    id: int
    landmarks: np.ndarray
    world: np.ndarray
    visibility: np.ndarray
    score: float = 1.0
    mask: CropMask | None = None


@dataclass(slots=True, eq=False)
class HandItem:
    """One hand. Names of the points: runtime.perception.topology.

    Attributes:
        id: stable track id.
        landmarks: (21, 3) float32; x, y in frame pixels, z in the same scale, 0 at the wrist, negative towards the camera.
        handedness: 0 the person's left hand … 1 the right one.
        score: presence, 0 to 1.
        world: (21, 3) float32, metres about the hand's middle; x to the picture's right, y up, z towards the camera; or None.
    """

    id: int
    landmarks: np.ndarray
    handedness: float
    score: float = 1.0
    world: np.ndarray | None = None


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


def pairs(value: Any) -> list[tuple[int, Any]]:
    """A list's (track id, item) pairs."""
    if isinstance(value, Each):
        return list(zip(value.ids, value.values, strict=True))
    if isinstance(value, Items):
        return [(getattr(item, "id", i), item) for i, item in enumerate(value.items)]
    return list(enumerate(value or ()))
