"""Drawn figures for previews: round bones with a little light on them, enough for networks that know people."""

from __future__ import annotations

import numpy as np

__all__ = ["SKIN", "capsule"]

SKIN = np.array((224, 172, 142), np.float32)


def capsule(image: np.ndarray, a: np.ndarray, ra: float, b: np.ndarray, rb: float, light: float, colour: np.ndarray = SKIN) -> None:
    """A bone from a to b (pixels) with those radii, shaded as a cylinder lit from the upper left; image is float32, 0 to 255."""
    low = np.floor(np.minimum(a - ra, b - rb) - 3).astype(int).clip(0)
    high = np.ceil(np.maximum(a + ra, b + rb) + 3).astype(int)
    y, x = np.mgrid[low[1] : min(high[1], image.shape[0]), low[0] : min(high[0], image.shape[1])].astype(np.float32)
    if not x.size:
        return
    way = b - a
    t = (((x - a[0]) * way[0] + (y - a[1]) * way[1]) / max(float(way @ way), 1e-6)).clip(0, 1)
    radius = ra + (rb - ra) * t
    dx, dy = x - a[0] - t * way[0], y - a[1] - t * way[1]
    far = np.hypot(dx, dy) / radius
    cover = np.clip((1 - far) * radius + 0.5, 0, 1)[..., None]
    up = np.sqrt(np.clip(1 - far**2, 0, 1))
    shade = (0.62 + 0.4 * up - 0.16 * (dx + dy) / radius * np.sqrt(1 - up**2)) * light
    part = image[low[1] : low[1] + x.shape[0], low[0] : low[0] + x.shape[1]]
    part += (colour * np.clip(shade, 0.35, 1.12)[..., None] - part) * cover
