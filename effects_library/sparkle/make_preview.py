"""Draws a hand, plays the effect on it, and writes preview.webp: python effects_library/sparkle/make_preview.py

The hand is made of round bones with a little light on them: enough of one for a network that knows hands.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path

import cv2
import numpy as np

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1] / "scripts"))
from figures import capsule  # noqa: E402

SIZE = (640, 400)  # width, height
FINGERS = {  # knuckle and lean of the stretched finger, in palm lengths and radians; lengths and girths of its bones
    "index": ((-0.27, -0.98), -0.13, (0.47, 0.29, 0.22), 0.105),
    "middle": ((-0.06, -1.03), -0.02, (0.51, 0.33, 0.24), 0.108),
    "ring": ((0.15, -0.98), 0.1, (0.47, 0.31, 0.23), 0.1),
    "pinky": ((0.34, -0.86), 0.24, (0.37, 0.22, 0.19), 0.085),
}


def bones(curled: dict[str, float], thumb: float, apart: float) -> list[tuple[float, float, float, float, float, float, float]]:
    """x, y, radius at both ends and depth of each bone, in palm lengths from the wrist; nearer ones last."""
    drawn = []
    for name, (root, lean, lengths, girth) in FINGERS.items():
        x, y = root
        fold, depth = curled[name], 0.0
        lean += apart * {"index": -0.14, "middle": 0.12}.get(name, 0.0)
        for k, length in enumerate(lengths):
            bend = fold * (1.0, 2.25, 3.0)[k]  # towards the camera, so that a curled finger is short in the picture
            nx = x + length * math.cos(bend) * math.sin(lean * (1 - fold))
            ny = y - length * math.cos(bend) * math.cos(lean * (1 - fold))
            depth += fold * 0.5
            drawn.append((x, y, girth * (1 - 0.1 * k), nx, ny, girth * (0.92 - 0.1 * k), depth))
            x, y = nx, ny
    spread = 0.62 - 0.75 * thumb  # radians of the thumb's lean outwards
    x, y = -0.3, -0.32
    for length, girth, turn in ((0.42, 0.15, 0.25), (0.33, 0.118, 0.0), (0.26, 0.105, -0.1)):
        lean = -(spread + turn)
        nx, ny = x + length * math.sin(lean), y - length * math.cos(lean)
        drawn.append((x, y, girth, nx, ny, girth * 0.92, thumb * 0.8))
        x, y = nx, ny
    return sorted(drawn, key=lambda bone: bone[6])


def hand(image: np.ndarray, wrist: np.ndarray, palm: float, turn: float, curled: dict[str, float], thumb: float,
         apart: float) -> None:  # fmt: skip
    c, s = math.cos(turn), math.sin(turn)

    def place(x: float, y: float) -> np.ndarray:
        return wrist + palm * np.array((c * x - s * y, s * x + c * y))

    capsule(image, place(0.02, 1.6), 0.36 * palm, place(0.02, 0.05), 0.29 * palm, 0.94)
    for x, radius in ((-0.2, 0.2), (-0.05, 0.24), (0.12, 0.22), (0.24, 0.17)):
        capsule(image, place(0.35 * x, -0.15), 0.27 * palm, place(1.02 * x, -0.84 + abs(x) * 0.2), radius * palm, 0.98)
    for x, y, ra, nx, ny, rb, depth in bones(curled, thumb, apart):
        capsule(image, place(x, y), ra * palm, place(nx, ny), rb * palm, 1.0 + 0.05 * depth)


POSES = {
    "open": ({"index": 0.0, "middle": 0.0, "ring": 0.0, "pinky": 0.0}, 0.0),
    "pointing": ({"index": 0.0, "middle": 0.92, "ring": 0.92, "pinky": 0.92}, 0.95),
    "victory": ({"index": 0.0, "middle": 0.0, "ring": 0.92, "pinky": 0.92}, 0.95),
}


def scene(time: float) -> np.ndarray:
    """The picture at a time of the six seconds: an open hand, then one that writes, then a V."""
    width, height = SIZE
    y, x = np.mgrid[:height, :width].astype(np.float32)
    glow = np.exp(-(((x - 0.62 * width) / (0.5 * width)) ** 2 + ((y - 0.3 * height) / (0.6 * height)) ** 2))
    image = (np.array((34, 40, 62)) + glow[..., None] * np.array((40, 36, 52))).astype(np.float32)
    shows = ["open", "pointing", "victory"]
    part = min(max((time - 1.9) / 0.3, 0.0), 1.0) + min(max((time - 4.4) / 0.3, 0.0), 1.0)
    i, mix = min(int(part), 1), part - min(int(part), 1)
    (fa, ta), (fb, tb) = POSES[shows[i]], POSES[shows[i + 1]]
    curled = {name: fa[name] + (fb[name] - fa[name]) * mix for name in fa}
    swing = min(max((time - 2.2) / 2.2, 0.0), 1.0)
    around = 2 * math.pi * swing
    at = np.array((0.46 * width - 0.16 * width * math.sin(around), 0.83 * height - 0.09 * height * (1 - math.cos(around))))
    hand(image, at, 0.27 * height, 0.06 * math.sin(2.4 * time) + 0.04, curled, ta + (tb - ta) * mix, max(part - 1.0, 0.0))
    noise = np.random.default_rng(int(time * 1000)).normal(0, 1.5, image.shape)
    return np.clip(cv2.GaussianBlur(image, (0, 0), 0.7) + noise, 0, 255).astype(np.uint8)


def main() -> None:
    from preview import moving, preview

    preview("sparkle", moving([scene(i / 30) for i in range(175)]), HERE / "preview.webp")


if __name__ == "__main__":
    main()
