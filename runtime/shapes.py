"""Small white pictures for sprites: spots, stars, rings and hearts, drawn by formula."""

from __future__ import annotations

from functools import cache

import numpy as np

from .textures import Texture

__all__ = ["SHAPES", "shape_texture"]

SIDE = 96
SHAPES = ("soft", "disc", "glint", "star", "ring", "heart", "flake", "petal")


@cache
def shape_texture(name: str) -> Texture:
    """One of SHAPES as a texture, white, its alpha the shape."""
    y, x = (np.mgrid[:SIDE, :SIDE] + 0.5) / SIDE * 2 - 1
    a = np.clip(DRAWN[name](x, y), 0, 1).astype(np.float32)[..., None]
    return Texture.of(np.concatenate([a, a, a, a], axis=-1))


def edge(distance: np.ndarray) -> np.ndarray:
    """Coverage of what lies at a distance below 0, in half sides."""
    return 0.5 - distance * SIDE / 2


def disc(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return edge(np.hypot(x, y) - 0.94)


def soft(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.clip(1 - (x * x + y * y) / 0.9, 0, 1) ** 2


def glint(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Four thin rays around a bright core, as light on water."""
    r = np.hypot(x, y)
    rays = sum(np.exp(-np.abs(u) / (0.018 + 0.07 * (1 - r).clip(0))) * (1 - np.abs(v)).clip(0) ** 1.5 for u, v in ((x, y), (y, x)))
    return rays + 1.2 * np.exp(-((r / 0.16) ** 2))


def star(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Five points, one up."""
    step = 2 * np.pi / 5
    angle = np.abs((np.arctan2(x, -y) + step / 2) % step - step / 2)
    r, inner = np.hypot(x, y), 0.45
    # the line from the tip to the notch beside it
    tip, notch = np.array([1.0, 0.0]), inner * np.array([np.cos(step / 2), np.sin(step / 2)])
    way = (notch - tip) / np.linalg.norm(notch - tip)
    px, py = r * np.cos(angle) / 0.92 - tip[0], r * np.sin(angle) / 0.92
    return edge((px * -way[1] + py * way[0]) * -0.92)


def ring(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return edge(np.abs(np.hypot(x, y) - 0.78) - 0.13)


def heart(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Inside (x² + y² − 1)³ = x²y³, its distance to first order."""
    u, v = x * 1.22, 0.12 - y * 1.2
    core = u * u + v * v - 1
    value = core**3 - u * u * v**3
    slope = np.hypot(6 * u * core**2 - 2 * u * v**3, 6 * v * core**2 - 3 * u * u * v * v)
    return edge(value / np.maximum(slope, 0.05) / 1.2)


def flake(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Six branched arms."""
    step = np.pi / 3
    angle = (np.arctan2(y, x) + step / 2) % step - step / 2
    u, v = np.hypot(x, y) * np.cos(angle), np.abs(np.hypot(x, y) * np.sin(angle))
    arm = np.maximum(v - 0.055, u - 0.92)
    for at, long in ((0.38, 0.26), (0.62, 0.2)):
        along, off = (u - at) * 0.5 + v * 0.866, np.abs((u - at) * 0.866 - v * 0.5)
        arm = np.minimum(arm, np.maximum(off - 0.045, np.maximum(along - long, -along)))
    return edge(arm)


def petal(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """A leaf between two arcs."""
    return edge(np.hypot(np.abs(x) + 0.62, y) - 1.1)


DRAWN = {"soft": soft, "disc": disc, "glint": glint, "star": star, "ring": ring, "heart": heart, "flake": flake, "petal": petal}
