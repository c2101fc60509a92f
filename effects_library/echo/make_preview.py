"""Draws a dancer, plays the effect on them, and writes preview.webp: python effects_library/echo/make_preview.py"""

from __future__ import annotations

import math
import sys
from pathlib import Path

import cv2
import numpy as np

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1] / "scripts"))
from figures import SKIN, capsule  # noqa: E402

SIZE = (640, 400)  # width, height
SHIRT, TROUSERS, SHOES, HAIR = (np.array(c, np.float32) for c in ((228, 222, 210), (64, 84, 140), (190, 60, 50), (70, 45, 34)))
BEAT = 2 * math.pi / 1.6  # radians a second


def limb(start: np.ndarray, *bones: tuple[float, float]) -> list[np.ndarray]:
    """Places along bones of (length, angle from straight down, clockwise)."""
    places = [start]
    for length, angle in bones:
        places.append(places[-1] + length * np.array((-math.sin(angle), math.cos(angle))))
    return places


def dancer(image: np.ndarray, time: float) -> None:
    """The figure at a time, in torso lengths around the hips, scaled into the picture."""
    width, height = SIZE
    unit, wave = 0.215 * height, math.sin(BEAT * time)
    sway, bounce = 0.18 * wave, 0.07 * abs(math.sin(BEAT * time))
    hips = np.array((0.5 * width + sway * unit * 1.6, (0.56 - 0.2 * bounce) * height))
    lean = 0.2 * math.sin(BEAT * time + 0.5)
    up, across = np.array((math.sin(lean), -math.cos(lean))), np.array((math.cos(lean), math.sin(lean)))
    chest = hips + up * unit
    swing = 1.55 + 1.05 * math.sin(BEAT * time * 0.5)
    parts = []
    for side in (-1, 1):
        step = 0.3 * side * wave
        hip, shoulder = hips + across * 0.2 * side * unit, chest + across * 0.36 * side * unit
        leg = limb(hip, (0.83 * unit, 0.1 * -side + step), (0.8 * unit, 0.03 * -side - 0.5 * abs(step)))
        raised = -side * (swing + 0.45 * side * math.sin(BEAT * time + 1.2))
        arm = limb(shoulder, (0.56 * unit, raised), (0.5 * unit, raised - side * (0.5 + 0.45 * math.sin(BEAT * time + side))))
        hand = arm[2] + (arm[2] - arm[1]) * 0.33
        foot = leg[2] + np.array((0.2 * side, 0.1)) * unit
        parts += [
            (leg[0], 0.2, leg[1], 0.15, TROUSERS), (leg[1], 0.15, leg[2], 0.1, TROUSERS), (leg[2], 0.1, foot, 0.08, SHOES),
            (arm[0], 0.135, arm[1], 0.11, SHIRT), (arm[1], 0.09, arm[2], 0.07, SKIN), (arm[2], 0.075, hand, 0.07, SKIN),
        ]  # fmt: skip
    head = chest + up * 0.47 * unit
    trunk = [
        (hips - across * 0.1 * unit, 0.22, hips + across * 0.1 * unit, 0.22, TROUSERS),
        (chest - across * 0.2 * unit, 0.2, hips - across * 0.08 * unit, 0.2, SHIRT),
        (chest + across * 0.2 * unit, 0.2, hips + across * 0.08 * unit, 0.2, SHIRT),
        (chest + up * 0.05 * unit, 0.2, hips, 0.24, SHIRT), (chest, 0.1, head, 0.095, SKIN),
        (head + up * 0.06 * unit, 0.205, head - up * 0.05 * unit, 0.17, HAIR), (head - up * 0.02 * unit, 0.165, head - up * 0.1 * unit, 0.13, SKIN),
    ]  # fmt: skip
    for a, ra, b, rb, colour in parts[:3] + parts[6:9] + trunk[:4] + parts[3:6] + parts[9:] + trunk[4:]:
        capsule(image, a, ra * unit, b, rb * unit, 1.0, colour)
    face = head - up * 0.04 * unit
    for x, y, r, colour in ((-0.06, 0.02, 0.02, HAIR), (0.06, 0.02, 0.02, HAIR), (0.0, -0.03, 0.022, SKIN * 0.85), (0.0, -0.085, 0.028, SHOES * 0.8)):
        at = face + across * x * unit + up * y * unit
        capsule(image, at - across * r * unit * 0.5, r * unit, at + across * r * unit * 0.5, r * unit, 1.0, colour)


def scene(time: float) -> np.ndarray:
    """The picture at a time: a stage with a floor, and the dancer on it."""
    width, height = SIZE
    y, x = np.mgrid[:height, :width].astype(np.float32)
    light = np.exp(-(((x - 0.5 * width) / (0.42 * width)) ** 2 + ((y - 0.45 * height) / (0.6 * height)) ** 2))
    floor = (1 / (1 + np.exp(np.clip((0.84 * height - y) / 3, -30, 30))))[..., None]
    wall, boards = np.array((58, 54, 72), np.float32), np.array((104, 82, 66), np.float32)
    image = ((wall + (boards - wall) * floor) * (0.55 + 0.75 * light[..., None])).astype(np.float32)
    dancer(image, time)
    noise = np.random.default_rng(int(time * 1000)).normal(0, 1.5, image.shape)
    return np.clip(cv2.GaussianBlur(image, (0, 0), 0.7) + noise, 0, 255).astype(np.uint8)


def main() -> None:
    from preview import moving, preview

    preview("echo", moving([scene(i / 30) for i in range(120)]), HERE / "preview.webp")


if __name__ == "__main__":
    main()
