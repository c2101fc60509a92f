"""Draw the pictures of `backdrop`: a town at dusk, a room with window light, paper waves. Run it from anywhere.

    python effects_library/backdrop/make_assets.py
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

WIDTH, HEIGHT = 1280, 720
FOLDER = Path(__file__).parent / "assets"
Y, X = (np.mgrid[:HEIGHT, :WIDTH] + 0.5) / HEIGHT  # frame heights


def hexed(*colours: str) -> np.ndarray:
    return np.array([[int(c[i : i + 2], 16) / 255 for i in (0, 2, 4)] for c in colours])


def ramp(along: np.ndarray, stops: list[float], colours: np.ndarray) -> np.ndarray:
    return np.stack([np.interp(along, stops, colours[:, k]) for k in range(3)], axis=-1)


def soft(picture: np.ndarray, sigma: float) -> np.ndarray:
    return cv2.GaussianBlur(picture, (0, 0), sigma * HEIGHT)


def disc(x: float, y: float, radius: float, edge: float = 0.004) -> np.ndarray:
    return np.clip((radius - np.hypot(X - x, Y - y)) / edge + 0.5, 0, 1)


def screened(picture: np.ndarray, light: np.ndarray) -> np.ndarray:
    return 1 - (1 - picture) * (1 - np.clip(light, 0, 1))


def dusk(rng: np.random.Generator) -> np.ndarray:
    """A town far out of focus under an evening sky."""
    sky = ramp(Y, [0.0, 0.3, 0.52, 0.66, 1.0], hexed("1b1f4b", "4a3a78", "c26a7c", "f2a66e", "3a2748"))
    town = np.zeros((HEIGHT, WIDTH))
    for _ in range(46):
        x, wide, top = rng.uniform(-0.1, 1.85), rng.uniform(0.03, 0.12), rng.uniform(0.48, 0.68)
        town = np.maximum(town, (abs(X - x) < wide / 2) & (top < Y))
    town = soft(town.astype(float), 0.012)[..., None] * np.clip((Y - 0.4) * 3, 0, 1)[..., None]
    picture = sky * (1 - town) + ramp(Y, [0.5, 1.0], hexed("3b2a55", "16132c")) * town
    lamps = hexed("ffb65c", "ffd9a0", "ff7f5e", "7fd6e0", "f7a6c4", "ffe2b8")
    for _ in range(120):
        x, y = rng.uniform(0, 1.78), 0.6 + 0.36 * rng.beta(1.2, 1.8)
        radius, bright = rng.uniform(0.012, 0.045) * (0.6 + y), rng.uniform(0.08, 0.42)
        inside = disc(x, y, radius)
        rim = inside - disc(x, y, radius * 0.88, 0.01)
        picture = screened(picture, (inside * 0.8 + rim * 0.5)[..., None] * lamps[rng.integers(len(lamps))] * bright)
    return picture


def room(rng: np.random.Generator) -> np.ndarray:
    """A wall in the afternoon: the light of a window and the shadows of leaves on it, plants out of focus."""
    wall = ramp(0.55 * X + 0.45 * Y, [0.0, 0.6, 1.3], hexed("efe3d2", "e2cfb8", "b99a80"))
    slanted = X - 0.28 * (Y - 0.5)
    panes = np.zeros((HEIGHT, WIDTH))
    for column in range(3):
        for row in range(2):
            left, top = 0.42 + 0.25 * column, 0.08 + 0.36 * row - 0.12 * column
            y = Y - 0.12 * (slanted - left)
            panes = np.maximum(panes, (slanted > left) & (slanted < left + 0.21) & (y > top) & (y < top + 0.32))
    leaves = np.zeros((HEIGHT, WIDTH))
    for _ in range(70):
        x, y, turn, size = rng.uniform(0.4, 1.3), rng.uniform(-0.1, 0.9), rng.uniform(-0.9, 0.3), rng.uniform(0.05, 0.11)
        u, v = (X - x) * np.cos(turn) + (Y - y) * np.sin(turn), (Y - y) * np.cos(turn) - (X - x) * np.sin(turn)
        leaves = np.maximum(leaves, abs(v) < 0.17 * size * np.sin(np.clip(u / size + 0.5, 0, 1) * np.pi))
    light = soft(panes, 0.008) * (1 - 0.75 * soft(leaves, 0.01))
    picture = wall * 0.8 + hexed("ffdca8")[0] * 0.26 * light[..., None]
    green = hexed("3f5a3a", "5f7d4e", "2c4434", "7c9560")
    for side in (-1, 1):
        for _ in range(60):
            x, y = (0.02 if side < 0 else 1.74) + rng.normal(0, 0.1), 0.98 - rng.gamma(2.0, 0.12)
            turn, size = rng.uniform(-1.2, 1.2), rng.uniform(0.08, 0.2)
            u, v = (X - x) * np.cos(turn) + (Y - y) * np.sin(turn), (Y - y) * np.cos(turn) - (X - x) * np.sin(turn)
            leaf = soft((abs(v) < 0.16 * size * np.sin(np.clip(u / size + 0.5, 0, 1) * np.pi)).astype(float), 0.012)[..., None]
            picture = picture * (1 - 0.85 * leaf) + green[rng.integers(4)] * 0.85 * leaf * (1.15 - 0.4 * Y[..., None])
    return soft(picture, 0.003)


def waves(rng: np.random.Generator) -> np.ndarray:
    """Sheets of coloured paper cut in waves, each throwing a soft shadow on the one behind."""
    papers = hexed("f3e9d8", "f2c9a1", "ee9c7c", "d8617a", "8f4a84", "4b3a78", "242a5c")
    picture = np.broadcast_to(papers[0], (HEIGHT, WIDTH, 3)).copy()
    picture *= (1.02 - 0.06 * Y)[..., None]
    for k, paper in enumerate(papers[1:]):
        shift, rise = rng.uniform(0, 6.28), 0.16 + 0.145 * k
        edge = rise + 0.05 * np.sin(2.1 * X + shift) + 0.022 * np.sin(5.3 * X + 2.2 * shift) + 0.06 * (X - 0.9) * (-1) ** k
        sheet = np.clip((Y - edge) * HEIGHT + 0.5, 0, 1)
        shadow = soft(np.roll(sheet, -round(0.006 * HEIGHT), axis=0), 0.016)[..., None]
        picture *= 1 - 0.34 * shadow * (1 - sheet[..., None])
        tone = paper * (1.05 - 0.35 * np.clip(Y - edge, 0, 1))[..., None]
        picture = picture * (1 - sheet[..., None]) + tone * sheet[..., None]
    return picture


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name, draw in (("dusk", dusk), ("room", room), ("waves", waves)):
        rng = np.random.default_rng(7)
        picture = draw(rng)
        grain = rng.normal(0, 0.004, (HEIGHT, WIDTH, 1))  # keeps gradients from banding
        shown = np.uint8(np.clip(picture + grain, 0, 1) * 255 + 0.5)
        cv2.imwrite(str(FOLDER / f"{name}.jpg"), shown[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])


if __name__ == "__main__":
    main()
