"""Draws `assets/tiger.png`, a face-paint texture in the canonical face's layout, from the strokes below.

    python effects_library/facepaint/make_assets.py

Half a face is drawn and mirrored. In that layout the eyes lie at (0.34, 0.37) and (0.66, 0.37), the nose's tip at
(0.5, 0.54), the mouth at (0.5, 0.69), the chin at (0.5, 0.95).
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

SIDE, FINE = 512, 3
ORANGE, AMBER, WHITE, BLACK, PINK = (240, 128, 28), (255, 186, 70), (255, 250, 240), (26, 18, 20), (222, 108, 112)

# strokes of the left half: start, control, end, width at the middle
STRIPES = (
    ((0.50, 0.075), (0.485, 0.13), (0.497, 0.185), 0.026), ((0.415, 0.085), (0.43, 0.15), (0.478, 0.205), 0.026),
    ((0.33, 0.12), (0.36, 0.19), (0.455, 0.245), 0.026), ((0.245, 0.165), (0.29, 0.235), (0.40, 0.275), 0.024),
    ((0.46, 0.30), (0.47, 0.33), (0.462, 0.375), 0.013), ((0.10, 0.30), (0.17, 0.315), (0.235, 0.345), 0.028),
    ((0.045, 0.40), (0.13, 0.405), (0.215, 0.425), 0.03), ((0.04, 0.50), (0.13, 0.49), (0.235, 0.49), 0.03),
    ((0.06, 0.60), (0.15, 0.57), (0.255, 0.553), 0.03), ((0.115, 0.70), (0.19, 0.64), (0.285, 0.61), 0.028),
    ((0.19, 0.80), (0.235, 0.735), (0.315, 0.69), 0.026), ((0.285, 0.885), (0.31, 0.82), (0.365, 0.775), 0.024),
    ((0.39, 0.945), (0.395, 0.89), (0.42, 0.845), 0.02),
)  # fmt: skip
DOTS = ((0.395, 0.615), (0.36, 0.64), (0.40, 0.655), (0.355, 0.675))


def grid() -> tuple[np.ndarray, np.ndarray]:
    y, x = np.mgrid[: SIDE * FINE, : SIDE * FINE].astype(np.float32)
    return (x + 0.5) / (SIDE * FINE), (y + 0.5) / (SIDE * FINE)


X, Y = grid()


def spot(x: float, y: float, rx: float, ry: float, soft: float) -> np.ndarray:
    """An ellipse that fades over a share of its radius."""
    return np.clip((1 - np.hypot((X - x) / rx, (Y - y) / ry)) / soft, 0, 1)


def stroke(start: tuple, control: tuple, end: tuple, width: float) -> np.ndarray:
    """A brush's stroke: thin at both ends, a little ragged."""
    t = np.linspace(0, 1, 60)[:, None]
    line = (1 - t) ** 2 * start + 2 * t * (1 - t) * np.array(control) + t**2 * np.array(end)
    way = np.gradient(line, axis=0)
    side = np.stack([-way[:, 1], way[:, 0]], -1) / np.linalg.norm(way, axis=1, keepdims=True)
    wide = 0.5 * width * np.sin(np.pi * t**0.75) ** 0.8 * (1 + 0.12 * np.sin(19 * t + 40 * start[0]))
    outline = np.vstack([line + side * wide, (line - side * wide)[::-1]]) * SIDE * FINE
    mask = np.zeros(X.shape, np.uint8)
    cv2.fillPoly(mask, [np.round(outline * 16).astype(np.int32)], (255,), cv2.LINE_AA, 4)
    return mask.astype(np.float32) / 255


def draw() -> np.ndarray:
    """(SIDE, SIDE, 4) uint8, straight r, g, b and alpha."""
    rgb, alpha = np.zeros((*X.shape, 3), np.float32), np.zeros(X.shape, np.float32)

    def paint(mask: np.ndarray, colour: tuple) -> None:
        nonlocal rgb, alpha
        whole = mask + alpha * (1 - mask)
        rgb = rgb + (np.array(colour, np.float32) - rgb) * (mask / np.maximum(whole, 1e-6))[..., None]
        alpha = whole

    def both(mask: np.ndarray, colour: tuple) -> None:
        paint(np.maximum(mask, mask[:, ::-1]), colour)

    bristles = cv2.GaussianBlur(np.random.default_rng(3).random(X.shape).astype(np.float32), (0, 0), sigmaX=1.2, sigmaY=9)
    bristles = (bristles - bristles.mean()) / bristles.std()
    paint(0.86 * np.clip(1 + 0.05 * bristles, 0, 1) * np.ones_like(X), ORANGE)
    both(0.8 * spot(0.5, 0.2, 0.2, 0.2, 0.9), AMBER)
    both(0.95 * spot(0.33, 0.305, 0.125, 0.075, 0.5), WHITE)  # over the eyes
    both(0.95 * spot(0.405, 0.655, 0.125, 0.105, 0.45), WHITE)  # muzzle
    paint(0.95 * spot(0.5, 0.885, 0.17, 0.14, 0.5), WHITE)
    paint(0.9 * spot(0.5, 0.53, 0.068, 0.05, 0.35), PINK)
    for each in STRIPES:
        both(stroke(*each) * np.clip(0.96 + 0.04 * bristles, 0, 1), BLACK)
    ring = np.hypot((X - 0.34) / 0.105, (Y - 0.372) / 0.055)
    both(np.clip((1.12 - ring) / 0.14, 0, 1) * np.clip((ring - 0.3) / 0.2, 0, 1) * 0.92, BLACK)  # around the eyes
    both(stroke((0.27, 0.372), (0.225, 0.36), (0.20, 0.318), 0.02), BLACK)
    paint(stroke((0.5, 0.565), (0.5, 0.6), (0.5, 0.645), 0.012), BLACK)
    for x, y in DOTS:
        both(spot(x, y, 0.0085, 0.0075, 0.3), BLACK)
    shown = np.concatenate([rgb * alpha[..., None], alpha[..., None] * 255], -1)
    small = cv2.resize(shown, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    small[..., :3] /= np.maximum(small[..., 3:] / 255, 1e-6)
    return np.clip(small + 0.5, 0, 255).astype(np.uint8)


if __name__ == "__main__":
    target = Path(__file__).parent / "assets" / "tiger.png"
    target.parent.mkdir(exist_ok=True)
    cv2.imwrite(str(target), cv2.cvtColor(draw(), cv2.COLOR_RGBA2BGRA), [cv2.IMWRITE_PNG_COMPRESSION, 9])
    print(f"{target}: {target.stat().st_size} bytes")
