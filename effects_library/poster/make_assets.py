"""Draws the poster that `poster` looks for, and models the world behind it: python effects_library/poster/make_assets.py

assets/poster.png is what is printed, or shown on a screen: a travel poster with a round window. assets/world.glb is what comes alive:
a planet with a ring in the window, a rocket that flies out of it and back, a rim of metal, and a plane with a hole that hides what is
behind the paper. The poster's width is 1; x right, y up, z out of the paper, the origin in its middle.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))
from glb import Group, Material, Part, rounded, turned, unit, write

HERE = Path(__file__).parent
WIDTH, HEIGHT = 720, 960
WINDOW = (0.0, 0.13, 0.37)  # x, y, radius
INK, CREAM, RED, GOLD, TEAL = (24, 30, 62), (244, 232, 206), (214, 78, 52), (240, 176, 66), (44, 128, 140)


def place(x: float, y: float) -> tuple[int, int]:
    """A point in poster's widths as sixteenths of pixels."""
    return round((x + 0.5) * WIDTH * 2 * 16), round((0.5 * HEIGHT / WIDTH - y) * WIDTH * 2 * 16)


def poster() -> np.ndarray:
    rng = np.random.default_rng(11)
    art = np.full((HEIGHT * 2, WIDTH * 2, 3), CREAM, np.uint8)
    aa, x, y, r = cv2.LINE_AA, *WINDOW

    def disc(px: float, py: float, radius: float, colour, thick: int = -1) -> None:
        cv2.circle(art, place(px, py), round(radius * WIDTH * 2 * 16), colour, thick, aa, 4)

    def shape(points, colour) -> None:
        cv2.fillPoly(art, [np.array([place(*p) for p in points], np.int32)], colour, aa, 4)

    for k in range(36):  # rays, of changing width, so that no two sides look alike
        a, wide = 2 * math.pi * k / 36 + 0.03 * math.sin(5 * k), 0.05 + 0.025 * math.sin(2.3 * k)
        shape([(x, y), (x + 2 * math.cos(a - wide), y + 2 * math.sin(a - wide)), (x + 2 * math.cos(a + wide), y + 2 * math.sin(a + wide))],
              (GOLD, (236, 150, 84), (248, 204, 120))[k % 3])  # fmt: skip
    for k in range(70):  # stars of ink
        px, py = rng.uniform(-0.47, 0.47), rng.uniform(-0.2, 0.64)
        if math.hypot(px - x, py - y) < r + 0.07 or (py > 0.54 and abs(px) < 0.36):
            continue
        size, turn = rng.uniform(0.006, 0.02), rng.uniform(0, 1)
        points = [(px + size * (1 if n % 2 else 0.4) * math.cos(turn + n * math.pi / 5), py + size * (1 if n % 2 else 0.4) * math.sin(turn + n * math.pi / 5)) for n in range(10)]
        shape(points, (INK, RED, TEAL)[k % 3])
    for low, high, colour in ((-0.36, 0.12, TEAL), (-0.45, 0.1, (34, 92, 112)), (-0.52, 0.09, INK)):  # mountains
        tops = [(-0.52 + 1.04 * n / 9, low + high * rng.uniform(0.1, 1.0) * (1 if n % 2 else 0.25)) for n in range(10)]
        shape([(-0.6, -0.8), *tops, (0.6, -0.8)], colour)
    disc(x, y, r + 0.055, CREAM)
    disc(x, y, r + 0.045, RED)
    disc(x, y, r + 0.022, CREAM)
    for k in range(48):  # a scale round the window
        a = 2 * math.pi * k / 48
        inner, outer = r + 0.024, r + (0.044 if k % 4 else 0.052)
        cv2.line(art, place(x + inner * math.cos(a), y + inner * math.sin(a)), place(x + outer * math.cos(a), y + outer * math.sin(a)), INK, 3 if k % 4 else 7, aa, 4)
    disc(x, y, r, INK)
    for _ in range(160):
        a, d = rng.uniform(0, 6.283), r * 0.97 * math.sqrt(rng.uniform(0, 1))
        disc(x + d * math.cos(a), y + d * math.sin(a), rng.uniform(0.0015, 0.005), (CREAM, GOLD, (150, 190, 220))[rng.integers(3)])
    disc(x - 0.03, y - 0.02, 0.19, RED)
    for k in range(5):
        cv2.ellipse(art, place(x - 0.03, y - 0.02 + 0.05 * (k - 2)), (round((0.188 - 0.022 * abs(k - 2)) * WIDTH * 32), round(0.02 * WIDTH * 32)), 0, 0, 180, (GOLD, (170, 52, 44))[k % 2], 9, aa, 4)
    cv2.ellipse(art, place(x - 0.03, y - 0.02), (round(0.3 * WIDTH * 32), round(0.075 * WIDTH * 32)), -18, 0, 360, CREAM, 16, aa, 4)
    shape([(0.2, 0.33), (0.235, 0.36), (0.25, 0.4), (0.21, 0.385), (0.18, 0.35)], CREAM)

    def word(text: str, px: float, py: float, size: float, colour, thick: int) -> None:
        scale = size * WIDTH * 2 / 22
        (w, _), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_DUPLEX, scale, thick)
        at = (np.array(place(px, py)) / 16).astype(int)
        cv2.putText(art, text, (int(at[0] - w / 2), int(at[1])), cv2.FONT_HERSHEY_DUPLEX, scale, colour, thick, aa)

    word("ORBIT", 0, -0.565, 0.19, CREAM, 26)
    word("DEPARTURES DAILY  -  PLATFORM 9", 0, -0.63, 0.03, GOLD, 4)
    word("VISIT THE RINGS", 0, 0.585, 0.055, INK, 9)
    cv2.rectangle(art, (18, 18), (WIDTH * 2 - 19, HEIGHT * 2 - 19), INK, 14, aa)
    return cv2.resize(art, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)


def clouds(seed: int, high: int, wide: int, sizes: tuple[int, ...]) -> np.ndarray:
    """Soft noise that meets itself from left to right, 0 to 1."""
    rng = np.random.default_rng(seed)
    total = np.zeros((high, wide), np.float32)
    for n, size in enumerate(sizes):
        small = rng.normal(0, 1, (max(high // size, 2), max(wide // size, 2))).astype(np.float32)
        small = np.concatenate([small, small[:, :1]], 1)
        total += cv2.resize(small, (wide, high), interpolation=cv2.INTER_CUBIC) / 1.7**n
    low, top = np.percentile(total, (2, 98))
    return np.clip((total - low) / (top - low), 0, 1)


def ramp(value: np.ndarray, *colours) -> np.ndarray:
    stops = np.linspace(0, 1, len(colours))
    return np.stack([np.interp(value, stops, [c[k] for c in colours]) for k in range(3)], -1).astype(np.uint8)


def planet_picture() -> np.ndarray:
    high, wide = 256, 512
    lat = np.linspace(0, 1, high)[:, None]
    wave = clouds(3, high, wide, (64, 32, 16, 8)) - 0.5
    bands = 0.5 + 0.5 * np.sin(26 * (lat + 0.05 * wave) + 3 * np.sin(9 * lat))
    return ramp(np.clip(0.75 * bands + 0.5 * wave + 0.1, 0, 1), (150, 46, 40), (214, 84, 52), (240, 176, 92), (250, 226, 180))


def sky_picture() -> np.ndarray:
    rng = np.random.default_rng(5)
    haze = clouds(8, 512, 512, (128, 64, 32, 16))
    sky = ramp(haze**1.6, (8, 10, 30), (26, 26, 74), (88, 44, 116), (206, 96, 110)).astype(float)
    for _ in range(420):
        px, py = rng.integers(0, 512, 2)
        cv2.circle(sky, (int(px), int(py)), int(rng.integers(1, 3)) if rng.uniform() < 0.1 else 1, tuple(rng.uniform(150, 255, 3)), -1, cv2.LINE_AA)
    return np.clip(sky, 0, 255).astype(np.uint8)


def ring_picture() -> np.ndarray:
    along = np.linspace(0, 1, 256)[None]
    grain = np.interp(along, np.linspace(0, 1, 40), np.random.default_rng(2).uniform(0, 1, 40))
    alpha = np.clip(grain * 1.5, 0.15, 1) * np.clip(np.minimum(along, 1 - along) * 14, 0, 1)
    colour = ramp(np.repeat(grain, 16, 0), (206, 150, 96), (252, 232, 196))
    return np.concatenate([colour, (np.repeat(alpha, 16, 0) * 255).astype(np.uint8)[..., None]], -1)


def rocket() -> list[Part]:
    """It points along +x; half a window long."""
    body = [(0.0, 0.115), (0.008, 0.108), (0.02, 0.085), (0.029, 0.05), (0.0325, 0.01), (0.031, -0.03), (0.026, -0.06), (0.0225, -0.072)]
    nose = [(0.0005, 0.1165), (0.0085, 0.1085), (0.0208, 0.0855), (0.0262, 0.0655), (0.0262, 0.064), (0.0, 0.064)]
    band = rounded([(0.0325, 0.026), (0.0345, 0.026), (0.0345, 0.018), (0.0325, 0.018)], 0.001)
    bell = rounded([(0.0225, -0.07), (0.0235, -0.076), (0.019, -0.079), (0.0215, -0.094), (0.018, -0.094), (0.0, -0.082)], 0.002)
    flame = [(0.0005, -0.165), (0.006, -0.14), (0.0125, -0.112), (0.015, -0.096), (0.0, -0.092)]
    axis = (1.0, 0.0, 0.0)
    parts = [turned("white", body, axis=axis), turned("red", nose, axis=axis), turned("red", band, axis=axis), turned("metal", bell, axis=axis),
             turned("flame", flame, axis=axis, count=20)]  # fmt: skip
    for k in range(3):
        a = math.radians(90 + 120 * k)
        out, side = np.array((0, math.sin(a), math.cos(a))), np.array((0, math.cos(a), -math.sin(a)))
        outline = np.array([(-0.012, 0.028), (-0.05, 0.052), (-0.088, 0.066), (-0.095, 0.064), (-0.078, 0.04), (-0.072, 0.02)])
        thick = np.array((-1.0, -0.75, 0.75, 1.0)) * 0.0035
        grid = np.stack([np.stack([np.array((1.0, 0, 0)) * x + out * (r - abs(t) * 0.0 - (0.0012 if abs(t) > 0.003 else 0)) + side * t for t in thick]) for x, r in outline])
        middle = grid.mean((0, 1))
        parts.append(Part("red", np.concatenate([grid, grid[:1]]).transpose(1, 0, 2), middle))
        cap = np.stack([np.stack([(0.3 * p + 0.7 * grid.mean((0, 1))) if e else p for p in grid[:, 0]]) for e in (0, 1)])
        other = np.stack([np.stack([(0.3 * p + 0.7 * grid.mean((0, 1))) if e else p for p in grid[:, -1]]) for e in (0, 1)])
        parts += [Part("red", cap, middle + side * 0.01), Part("red", other, middle - side * 0.01)]
    for x, size in ((0.036, 0.0115), (0.0, 0.009)):
        away = np.array((0.0, 0.55, 0.83))
        at = np.array((x, 0, 0)) + away * 0.0295
        parts.append(turned("metal", rounded([(size, -0.002), (size, 0.0035), (size * 0.74, 0.0035), (size * 0.74, 0.001)], 0.0008), at, away, 28))
        parts.append(turned("window", [(size * 0.75, 0.0018), (0.0, 0.0024)], at, away, 24))
    return parts


def ball(material: str, radius: float, rows: int = 28, columns: int = 48) -> Part:
    down = np.linspace(0, math.pi, rows + 1)
    return turned(material, [(radius * math.sin(a), radius * math.cos(a)) for a in down], count=columns)


def stone(seed: int, radius: float) -> Part:
    part = ball("stone", 1.0, 10, 16)
    rng = np.random.default_rng(seed)
    ways = unit(rng.normal(0, 1, (14, 3)))
    bumps = 1 + 0.3 * np.max(part.positions @ ways.T - 0.6, axis=1, initial=-0.5)
    part.positions *= (radius * bumps)[:, None].astype(np.float32)
    return part


def main() -> None:
    assets = HERE / "assets"
    assets.mkdir(exist_ok=True)
    cv2.imwrite(str(assets / "poster.png"), poster()[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 9])
    x, y, r = WINDOW
    front = (0.0, 0.0, 1.0)
    # the room behind: a bowl, seen from inside
    bowl = [(r * 1.02, 0.0), *[(r * 1.25 * math.cos(a), -0.08 - 0.62 * math.sin(a)) for a in np.linspace(0.0, math.pi / 2, 14)]]
    room = turned("sky", bowl, axis=front, count=48)
    room.uv = (room.positions[:, :2] / (2.6 * r) * (1 + 0.35 * room.positions[:, 2:]) + 0.5).astype(np.float32)
    rim = rounded([(r - 0.004, -0.03), (r - 0.004, 0.012), (r + 0.012, 0.022), (r + 0.036, 0.012), (r + 0.036, -0.004)], 0.008)
    lamp = rounded([(r + 0.006, 0.014), (r + 0.006, 0.0215), (r + 0.0145, 0.0215), (r + 0.0145, 0.014)], 0.002)
    hole = np.stack([np.stack([np.array((s * math.cos(a), s * math.sin(a), -0.004)) for a in np.linspace(0, 2 * math.pi, 49)]) for s in (r + 0.01, 0.55, 0.75, 1.0, 1.3)])
    ring = turned("ring", [(0.165, 0.0), (0.31, 0.0)], count=72)
    ring.uv = ring.uv[:, ::-1].copy()
    groups = {
        "world": Group(translate=(x, y, 0.0)),
        "room": Group([room, turned("rim", rim, axis=front, count=72), turned("light", lamp, axis=front, count=72), Part("occluder", hole, (0, 0, -1.0))], "world"),
        "tilted": Group(parent="world", translate=(-0.02, -0.02, -0.2), rotate=((0.55, 0.1, -0.45), 32.0)),
        "planet": Group([ball("planet", 0.13)], "tilted", spin=((0, 1, 0), 16.0)),
        "ring": Group([ring], "tilted"),
        "path": Group(parent="world", translate=(0.0, 0.0, -0.12), rotate=((1, 0, 0), -24.0)),
        "orbit": Group(parent="path", spin=((0, 1, 0), 8.0)),
        "rocket": Group(rocket(), "orbit", translate=(0.0, 0.0, 0.4), rotate=((0, 1, 0), 0.0), scale=1.25),
        "orbit 2": Group(parent="world", translate=(0.0, 0.02, -0.1), rotate=((0, 1, 0), 90.0), spin=((0, 1, 0), 16.0)),
        "stone 1": Group([stone(1, 0.028)], "orbit 2", translate=(0.3, 0.16, 0.0)),
        "stone 2": Group([stone(4, 0.018)], "orbit 2", translate=(-0.26, -0.19, 0.1)),
        "stone 3": Group([stone(9, 0.014)], "orbit 2", translate=(0.05, -0.22, 0.33)),
    }  # fmt: skip
    materials = {
        "sky": Material((1, 1, 1, 1), 1.0, unlit=True, both=True, albedo=sky_picture()),
        "planet": Material((1, 1, 1, 1), 0.75, albedo=planet_picture()),
        "ring": Material((1, 1, 1, 1), 0.8, alpha="BLEND", both=True, albedo=ring_picture()),
        "rim": Material((0.85, 0.62, 0.3, 1), 0.24, 1.0), "light": Material((0.05, 0.02, 0.01, 1), 0.5, emission=(1.0, 0.5, 0.16), strength=1.4),
        "white": Material((0.86, 0.84, 0.79, 1), 0.32), "red": Material((0.66, 0.09, 0.05, 1), 0.32), "metal": Material((0.6, 0.6, 0.63, 1), 0.25, 1.0),
        "window": Material((0.02, 0.05, 0.08, 1), 0.08, emission=(0.12, 0.5, 0.75)), "stone": Material((0.3, 0.26, 0.24, 1), 0.9),
        "flame": Material((0.1, 0.03, 0.0, 1), 1.0, emission=(1.0, 0.5, 0.14), strength=2.2), "occluder": Material((0, 0, 0, 1)),
    }  # fmt: skip
    print(write(assets / "world.glb", groups, materials, "effects_library/poster/make_assets.py"))


if __name__ == "__main__":
    main()
