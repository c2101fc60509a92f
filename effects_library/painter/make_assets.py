"""The four pictures whose style `painter` paints in: drawn here, from noise and a few palettes.

    python effects_library/painter/make_assets.py
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

SIDE, ASSETS = 512, Path(__file__).parent / "assets"


def waves(seed: int, size: float) -> np.ndarray:
    """Smooth noise, 0 to 1, of features about `size` pixels wide."""
    rng = np.random.default_rng(seed)
    noise = cv2.GaussianBlur(rng.standard_normal((SIDE, SIDE)), (0, 0), size)
    return (noise - noise.min()) / np.ptp(noise)


def even(values: np.ndarray) -> np.ndarray:
    """The values with each between 0 and 1 as frequent as any other."""
    return (np.argsort(np.argsort(values, axis=None)) / (values.size - 1)).reshape(values.shape)


def palette(values: np.ndarray, colours: str) -> np.ndarray:
    """Values 0 to 1 along colours, (h, w, 3) 0 to 255."""
    stops = np.array([[int(c[i : i + 2], 16) for i in (0, 2, 4)] for c in colours.split()], float)
    at = np.linspace(0, 1, len(stops))
    return np.dstack([np.interp(values, at, stops[:, i]) for i in range(3)])


def strokes() -> np.ndarray:
    """Thick oil: short strokes along whirls, of blue shadows and lamplight."""
    rng = np.random.default_rng(4)
    flow, tone = waves(1, 40) * 12, even(waves(2, 45)) * 0.85 + 0.15 * waves(3, 8)
    colours = palette(tone, "16142e 23365f 3f6a86 8a6a62 c47a4e e6b071 f6d9a4 fdf3da")
    canvas = palette(tone, "1a1830 3a3f55 8a6a5a").astype(np.uint8)
    for scale, count in ((26, 1500), (15, 4000), (9, 5000)):
        for x, y in rng.integers(0, SIDE, (count, 2)):
            angle, long = flow[y, x] + rng.normal(0, 0.15), scale * rng.uniform(0.7, 1.3)
            ink = np.clip(colours[y, x] * rng.uniform(0.75, 1.25) + rng.normal(0, 12, 3), 0, 255)
            dx, dy = np.cos(angle) * long / 2, np.sin(angle) * long / 2
            ends = (round(x - dx), round(y - dy)), (round(x + dx), round(y + dy))
            cv2.line(canvas, *ends, ink.tolist(), max(2, scale // 5), cv2.LINE_AA)
            light = np.clip(ink * 1.25 + 14, 0, 255)
            cv2.line(canvas, (ends[0][0], ends[0][1] - 1), (ends[1][0], ends[1][1] - 1), light.tolist(), 1, cv2.LINE_AA)
    return canvas


def ink() -> np.ndarray:
    """Pen and ink: hatching in up to four directions, the darker the more, on cream paper."""
    rng = np.random.default_rng(7)
    dark = waves(11, 32) * 0.75 + waves(12, 9) * 0.25
    canvas = np.full((SIDE, SIDE, 3), (244, 236, 218), np.uint8)
    canvas = np.clip(canvas + (waves(13, 1.2)[..., None] - 0.5) * 18, 0, 255).astype(np.uint8)
    for turn, threshold in ((0.8, 0.35), (-0.7, 0.5), (0.1, 0.62), (1.5, 0.72)):
        for x, y in rng.integers(0, SIDE, (7000, 2)):
            if dark[y, x] > threshold:
                angle, long = turn + (dark[y, x] - 0.5) * 2, rng.uniform(8, 22)
                dx, dy = np.cos(angle) * long / 2, np.sin(angle) * long / 2
                cv2.line(canvas, (round(x - dx), round(y - dy)), (round(x + dx), round(y + dy)), (34, 28, 40), 1, cv2.LINE_AA)
    edges = cv2.Canny((waves(11, 32) * 255).astype(np.uint8) // 48 * 48, 10, 30)
    canvas[cv2.dilate(edges, np.ones((3, 3), np.uint8)) > 0] = (24, 18, 30)
    return canvas


def mosaic() -> np.ndarray:
    """Stained glass: cells of bright colours between dark lead."""
    rng = np.random.default_rng(9)
    seeds = rng.integers(0, SIDE, (420, 2))
    blank = np.full((SIDE, SIDE), 255, np.uint8)
    blank[seeds[:, 1], seeds[:, 0]] = 0
    far, labels = cv2.distanceTransformWithLabels(blank, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    tone = (even(waves(21, 40)) * 0.75 + 0.25 * rng.random(labels.max() + 1)[labels]).clip(0, 1)
    tone = np.array([tone[labels == k].mean() if (labels == k).any() else 0 for k in range(labels.max() + 1)])[labels]
    glass = palette(tone, "7a0f2b d2382c f39a2b f6d95a 3fae7a 1f7fb8 2b3a8c 6b2a86")
    glass *= (0.75 + 0.35 * waves(22, 4) - 0.006 * far)[..., None]
    lead = cv2.dilate((cv2.morphologyEx(labels.astype(np.float32), cv2.MORPH_GRADIENT, np.ones((2, 2))) > 0).astype(np.uint8), np.ones((3, 3)))
    glass[lead > 0] = (22, 18, 24)
    return np.clip(cv2.GaussianBlur(glass, (0, 0), 0.7), 0, 255).astype(np.uint8)


def wash() -> np.ndarray:
    """Watercolour: washes that overlap and dry with a darker rim, some outlined with a pen, on rough paper."""
    paper = np.full((SIDE, SIDE, 3), 250.0) - (waves(31, 1.5)[..., None] - 0.5) * 22
    rng = np.random.default_rng(5)
    for k in range(26):
        shape = waves(100 + k, 22) + 0.25 * waves(200 + k, 5)
        y, x = np.mgrid[:SIDE, :SIDE]
        cx, cy, r = rng.uniform(0, SIDE), rng.uniform(0, SIDE), rng.uniform(40, 130)
        inside = np.clip((shape + 0.9 - np.hypot(x - cx, y - cy) / r - 0.62) * 9, 0, 1)
        rim = np.exp(-(((inside - 0.25) / 0.22) ** 2)) * (inside > 0.01)
        tint = np.array([[214, 64, 62], [244, 160, 60], [70, 150, 180], [42, 70, 140], [130, 165, 80], [180, 90, 150]][k % 6], float)
        amount = (0.5 * inside * (0.6 + 0.6 * waves(300 + k, 14)) + 0.45 * rim)[..., None]
        paper *= 1 - amount * (1 - tint / 255)
        if k % 2:  # a pen went round it
            pen = cv2.Canny((inside * 255).astype(np.uint8), 60, 160)
            paper[pen > 0] *= 0.35
    return np.clip(paper, 0, 255).astype(np.uint8)


def main() -> None:
    ASSETS.mkdir(exist_ok=True)
    for name, draw in (("oil", strokes), ("glass", mosaic), ("ink", ink), ("wash", wash)):
        picture = cv2.cvtColor(draw(), cv2.COLOR_RGB2BGR)
        cv2.imwrite(str(ASSETS / f"{name}.jpg"), cv2.resize(picture, (320, 320), interpolation=cv2.INTER_AREA), [cv2.IMWRITE_JPEG_QUALITY, 88])


if __name__ == "__main__":
    main()
