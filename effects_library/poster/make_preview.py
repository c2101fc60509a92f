"""Makes `preview.webp`: the poster on a wall of our own, seen by a camera that walks past it.

    python effects_library/poster/make_preview.py
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np

from spellwire.runtime.perception.head_pose import pinhole

FOLDER = Path(__file__).parent
sys.path.insert(0, str(FOLDER.parents[1] / "scripts"))

from preview import moving, preview  # noqa: E402

SIZE = (960, 540)
OVER = 2  # samples a pixel each way
WIDTH = 0.4  # metres


def wall() -> np.ndarray:
    """A plastered wall 1.8 by 1.2 metres, a lamp's light on it and the poster in its middle, 900 pixels a metre."""
    rng = np.random.default_rng(4)
    high, wide = 1080, 1620
    y, x = np.mgrid[:high, :wide].astype(np.float32)
    plaster = cv2.GaussianBlur(rng.normal(0, 1, (high, wide)).astype(np.float32), (0, 0), 3)
    plaster += 2 * cv2.GaussianBlur(rng.normal(0, 1, (high, wide)).astype(np.float32), (0, 0), 30) * 8
    light = 0.55 + 0.5 * np.exp(-(((x - 640) / 700) ** 2 + ((y - 240) / 520) ** 2))
    art = cv2.imread(str(FOLDER / "assets" / "poster.png"))[..., ::-1]
    w = round(WIDTH * 900)
    h = round(w * art.shape[0] / art.shape[1])
    art = cv2.resize(art, (w, h), interpolation=cv2.INTER_AREA)
    left, top = (wide - w) // 2, (high - h) // 2
    shadow = np.zeros((high, wide), np.float32)
    shadow[top + 14 : top + h + 14, left + 10 : left + w + 10] = 1
    light *= 1 - 0.45 * cv2.GaussianBlur(shadow, (0, 0), 12)
    made = (light * (1 + 0.025 * plaster))[..., None] * (186, 190, 196)
    lit = light[top : top + h, left : left + w].max() * 0.5 + 0.5
    made[top : top + h, left : left + w] = art.astype(float) * min(lit, 1.0)
    return np.clip(made, 0, 255).astype(np.uint8)


def seen(picture: np.ndarray, n: int) -> np.ndarray:
    """What the camera sees of the wall in frame n."""
    t = n / 30
    eye = np.array((0.34 * np.sin(1.1 * t), 0.06 * np.sin(0.7 * t + 0.5), 0.47 + 0.05 * np.cos(0.9 * t)))
    away = (np.array((0.1 * eye[0], 0.015, 0.0)) - eye) / np.linalg.norm(np.array((0.1 * eye[0], 0.015, 0.0)) - eye)
    right = np.cross(away, (0.02 * np.sin(t), 1.0, 0.0))
    right /= np.linalg.norm(right)
    turn = np.stack((right, np.cross(right, away), -away))  # the wall's axes to the camera's
    fx, fy, cx, cy = pinhole(*SIZE)
    lens = np.array(((fx * OVER, 0, -cx * OVER), (0, -fy * OVER, -cy * OVER), (0, 0, -1.0)))
    to_wall = np.array(((1 / 900, 0, -0.9), (0, -1 / 900, 0.6), (0, 0, 1.0)))
    plane = np.column_stack((turn[:, 0], turn[:, 1], -turn @ eye))
    large = cv2.warpPerspective(picture, lens @ plane @ to_wall, (SIZE[0] * OVER, SIZE[1] * OVER), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return cv2.resize(large, SIZE, interpolation=cv2.INTER_AREA)


if __name__ == "__main__":
    whole = wall()
    size = preview("poster", moving([seen(whole, n) for n in range(180)]), FOLDER / "preview.webp")
    print(f"{FOLDER / 'preview.webp'}: {size} bytes")
