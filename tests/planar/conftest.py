"""A poster of our own, and a camera that looks at it: exact homographies and poses."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

SIZE = (640, 360)
CAMERA = (0.816 * 360, 0.816 * 360, 320.0, 180.0)
WIDTH = 0.3  # metres


def poster(seed: int = 1, width: int = 420, height: int = 300) -> np.ndarray:
    """Shapes, letters and colours on paper: (h, w, 3) uint8 RGB."""
    rng = np.random.default_rng(seed)
    made = np.full((height, width, 3), (236, 226, 205), np.uint8)
    for _ in range(60):
        colour = tuple(int(c) for c in rng.integers(0, 220, 3))
        x, y, r = int(rng.integers(0, width)), int(rng.integers(0, height)), int(rng.integers(6, 40))
        kind = rng.integers(3)
        if kind == 0:
            cv2.circle(made, (x, y), r, colour, -1, cv2.LINE_AA)
        elif kind == 1:
            corners = np.int32([(x + r * np.cos(a), y + r * np.sin(a)) for a in np.sort(rng.uniform(0, 6.28, 3))])
            cv2.fillPoly(made, [corners], colour, cv2.LINE_AA)
        else:
            cv2.putText(made, chr(65 + int(rng.integers(26))), (x, y), 0, r / 16, colour, 3, cv2.LINE_AA)
    return made


def pose_of(x: float, y: float, z: float, nod: float = 0.0, shake: float = 0.0, tilt: float = 0.0) -> np.ndarray:
    """(4, 4) the poster's space to the camera's: metres, glTF axes, degrees."""
    from spellwire.runtime.scene.place import transform

    return transform((x, y, z), (nod, shake, tilt), 1.0).astype(np.float64)


def homography(pose: np.ndarray, camera=CAMERA, width: float = WIDTH) -> np.ndarray:
    """(3, 3) from lengths on the poster (its widths, x right, y down) to frame pixels."""
    fx, fy, cx, cy = camera
    lens = np.array(((fx, 0, -cx), (0, -fy, -cy), (0, 0, -1.0)))  # y up, looking along −z
    return lens @ np.column_stack((pose[:3, 0] * width, -pose[:3, 1] * width, pose[:3, 3]))


def seen(picture: np.ndarray, pose: np.ndarray, noise: float = 0.0, seed: int = 0, size=SIZE, camera=CAMERA) -> np.ndarray:
    """What the camera sees of it before a soft grey room, four samples a pixel each way."""
    h, w = picture.shape[:2]
    over = 4
    to_lengths = np.array(((1 / w, 0, 0.5 / w - 0.5), (0, 1 / w, (0.5 - h / 2) / w), (0, 0, 1)))
    grow = np.array(((over, 0, -0.5), (0, over, -0.5), (0, 0, 1.0)))
    room = cv2.resize(np.random.default_rng(9).integers(90, 150, (6, 10, 3)).astype(np.uint8), (size[0] * over, size[1] * over), interpolation=cv2.INTER_CUBIC)
    cv2.warpPerspective(picture, grow @ homography(pose, camera) @ to_lengths, room.shape[1::-1], dst=room, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_TRANSPARENT)
    made = cv2.resize(room, size, interpolation=cv2.INTER_AREA)
    if noise:
        made = np.clip(made + np.random.default_rng(seed).normal(0, noise, made.shape), 0, 255).astype(np.uint8)
    return made


@pytest.fixture(scope="session")
def picture() -> np.ndarray:
    return poster()


@pytest.fixture
def tracker(picture) -> Callable[..., object]:
    from spellwire.runtime.perception.planar import Marker, PlanarTracker

    return PlanarTracker(Marker(picture))
