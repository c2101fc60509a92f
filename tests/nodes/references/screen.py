"""Screens, old and broken."""

from __future__ import annotations

import numpy as np

from references import Reference, hashed, photo, sample, smoothstep
from spellwire.nodes import screen as s


def tube(image, size, lines, phosphor, roll, flicker, speed, at):
    beam = 1 - lines * np.sin(np.pi * at.y / size) ** 2
    stripes = 1 + phosphor * np.cos(2 * np.pi * (at.x / size - np.arange(3) / 3))
    bar = np.abs((at.y - speed * at.time + 0.5) % 1 - 0.5)
    light = 1 + roll * (1 - smoothstep(0, 0.35, bar)) + flicker * (hashed(at.frame, 3, 9) - 0.5)
    return np.concatenate([image[..., :3] * stripes * beam * light / (1 - lines / 2), image[..., 3:]], axis=-1)


def glitch(image, amount, slip, split, size, rate, calm, seed, at):
    jump = np.floor(at.time * rate)
    if hashed(np.floor(jump / 4), 1, seed) < calm:
        return image
    strong = (0.4 + 0.6 * hashed(jump, 2, seed)) * amount
    tall = size * (0.5 + hashed(jump, 3, seed))
    row, fine, column = at.y // tall, at.y // (tall / 4), at.x // (2.5 * tall)
    band = np.where(hashed(row, jump, seed + 11) < 0.6 * strong, 2 * hashed(row, jump, seed + 12) - 1, 0)
    block = hashed(column, fine, seed + 13 + 31 * (jump % 64))
    hit = np.where(block < 0.12 * strong, 2 * (977 * block % 1) - 1, 0)
    x, part = at.x - slip * (band * strong + hit), split * strong * (0.4 + abs(band) + abs(hit))
    parts = [sample(image, x + k * part, at.y + 0 * x, at)[..., c : c + 1] for c, k in ((0, 1), (1, 0), (2, -1), (3, 0))]
    rgb, a = np.concatenate(parts[:3], axis=-1), parts[3]
    snow = hashed(at.x // (0.02 * tall), at.y // (0.02 * tall), seed + jump) - 0.4
    torn = 0.5 * snow * (hashed(fine, jump, seed + 14) < 0.05 * strong) * a
    return np.concatenate([np.clip(rgb + torn, 0, np.maximum(rgb, a)), a], axis=-1)


REFERENCES = {
    s.Tube: Reference(tube, cases=({"size": 0.05}, {"size": 0.05, "roll": 0.5, "speed": -0.3, "flicker": 0.3})),
    s.Glitch: Reference(glitch, cases=({"calm": 0.0}, {"calm": 0.0, "amount": 1.0, "size": 0.2, "seed": 5}),
                        inputs={"image": lambda w, h: photo(0, w, h, alpha=False)}),
}  # fmt: skip
