"""Depth: by the physics it stands for (Beer and Lambert's fog, a thin lens's circle of confusion), in NumPy."""

from __future__ import annotations

import numpy as np

from references import Reference, mixed, photo, smoothstep, soft_mask, spread
from spellwire.nodes import depth as d
from spellwire.nodes.focus import SHARES, Focus
from spellwire.runtime.frames import Frame


def room(w: int, h: int) -> np.ndarray:
    """Half a metre to seven."""
    return (0.5 + 6.5 * soft_mask(3, w, h)).astype(np.float32)


def desk(w: int, h: int) -> np.ndarray:
    """Forty centimetres to one metre: as far as metres out of nearness are well-conditioned."""
    return (0.4 + 0.6 * soft_mask(3, w, h)).astype(np.float32)


def refine(image, mask, coefficients, front, at):
    fit = spread(coefficients, at)
    rgb = np.clip(image[..., :3], 0, 1)
    scene = (rgb * fit[..., :3]).sum(-1, keepdims=True) + fit[..., 3:]
    nearness = mixed(np.clip(scene, 0.02, 5), np.clip(spread(front, at), 0.02, 5), np.clip((mask - 0.3) / 0.7, 0, 1))
    return nearness**-1


def fog(image, depth, thickness, density, start, most, near, far):
    way = np.clip(depth - start, 0, 100)
    lost = -np.expm1(-density * way)
    tint = np.array(near[:3]) + (np.array(far[:3]) - np.array(near[:3])) * lost
    share = np.clip(lost * thickness, 0, 1) * most
    return np.concatenate([image[..., :3] * (1 - share) + tint * image[..., 3:] * share, image[..., 3:]], axis=-1)


def between(depth, near, far, softness):
    def after(edge):
        half = max(edge * softness / 2, 1e-4)
        return smoothstep(edge - half, edge + half, depth)

    return after(near) - after(near) * after(far)


def show(depth, near, far, step, lines):
    share = np.clip((1 / depth - 1 / far) / (1 / near - 1 / far), 0, 1)[..., 0]
    stops = np.linspace(0, 1, len(d.STOPS))
    colour = np.stack([np.interp(share, stops, [s[c] for s in d.STOPS]) for c in range(3)], axis=-1)
    off = np.abs(depth / step - np.round(depth / step))
    dark = 1 - lines * (1 - smoothstep(0.03, 0.08, off))
    return np.concatenate([colour * dark, np.ones_like(depth)], axis=-1)


def focus(image, depth, behind, before, distance, range, at):
    far, near, a = spread(behind, at), spread(before, at), image[..., 3:]
    circle = (depth - distance) / depth
    share = np.clip((circle - range) / (1 - range) / SHARES[0], 0, 1)
    colour = mixed(image[..., :3], a * far[..., :3] / far[..., 3:], share)
    cover = np.minimum(near[..., 3:], 1)
    over = np.where(near[..., 3:] > 1e-4, near[..., :3] / np.maximum(near[..., 3:], 1e-4), 0)
    return np.concatenate([mixed(colour, over * a, cover), a], axis=-1)


def small(seed: int, low: float, high: float) -> Frame:
    return Frame.of((low + (high - low) * photo(seed, 24, 16, alpha=False)).astype(np.float32))


DEPTH = {"depth": room}
REFERENCES = {
    d.Refine: Reference(
        refine, inputs={"image": lambda w, h: photo(1, w, h, alpha=False), "depth": desk, "people": desk},
        cases=({}, {"edge": 0.9, "separation": 3.0}),
    ),
    d.Fog: Reference(fog, inputs=DEPTH, cases=({}, {"density": 1.5, "start": 2.0, "most": 0.7})),
    d.Range: Reference(between, inputs=DEPTH, cases=({}, {"near": 1.0, "far": 4.0, "softness": 0.5})),
    d.Show: Reference(show, inputs=DEPTH, cases=({}, {"step": 1.0, "lines": 0.8})),
    Focus: Reference(focus, inputs=DEPTH, cases=({"distance": 2.0}, {"distance": 4.0, "aperture": 0.03, "highlights": 4.0})),
}  # fmt: skip
