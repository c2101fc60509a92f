"""Composite nodes: W3C's Compositing and Blending Level 1 in NumPy, blurs by OpenCV."""

from __future__ import annotations

from typing import Any

import numpy as np

from references import Reference, blurred, grey, hashed, joined, mixed, smoothstep, straight
from spellwire.nodes import composite as c

TO_601 = np.array([0.3, 0.59, 0.11])


def screen(cb, cs):
    return cb + cs - cb * cs


def hard_light(cb, cs):
    return np.where(cs > 0.5, screen(cb, 2 * cs - 1), 2 * cs * cb)


def soft_light(cb, cs):
    d = np.where(cb > 0.25, np.sqrt(cb), ((16 * cb - 12) * cb + 4) * cb)
    return cb + (2 * cs - 1) * np.where(cs > 0.5, d - cb, cb * (1 - cb))


def dodge(cb, cs):
    return np.where(cb == 0, 0, np.where(cs >= 1, 1, np.minimum(1, cb / np.maximum(1 - cs, 1e-12))))


def burn(cb, cs):
    return np.where(cb >= 1, 1, np.where(cs <= 0, 0, 1 - np.minimum(1, (1 - cb) / np.maximum(cs, 1e-12))))


def lum(colour):
    return (colour @ TO_601)[..., None]


def set_lum(colour, target):
    """SetLum with ClipColor, as the recommendation writes them."""
    moved = colour + target - lum(colour)
    low, high, mean = moved.min(-1, keepdims=True), moved.max(-1, keepdims=True), lum(moved)
    up = np.where(low < 0, mean + (moved - mean) * mean / np.maximum(mean - low, 1e-9), moved)
    return np.where(high > 1, mean + (up - mean) * (1 - mean) / np.maximum(high - mean, 1e-9), up)


def set_sat(colour, target):
    low = colour.min(-1, keepdims=True)
    return (colour - low) * target / np.maximum(np.ptp(colour, axis=-1, keepdims=True), 1e-9)


def sat(colour):
    return np.ptp(colour, axis=-1, keepdims=True)


BLENDS: dict[str, Any] = {
    "normal": lambda cb, cs: cs,
    "multiply": np.multiply,
    "screen": screen,
    "overlay": lambda cb, cs: hard_light(cs, cb),
    "darken": np.minimum,
    "lighten": np.maximum,
    "colour-dodge": dodge,
    "colour-burn": burn,
    "hard-light": hard_light,
    "soft-light": soft_light,
    "difference": lambda cb, cs: np.abs(cb - cs),
    "exclusion": lambda cb, cs: cb + cs - 2 * cb * cs,
    "hue": lambda cb, cs: set_lum(set_sat(cs, sat(cb)), lum(cb)),
    "saturation": lambda cb, cs: set_lum(set_sat(cb, sat(cs)), lum(cb)),
    "colour": lambda cb, cs: set_lum(cs, lum(cb)),
    "luminosity": lambda cb, cs: set_lum(cb, lum(cs)),
}


def blend(below, above, mask, mode, opacity):
    (cb, ab), (cs, a) = straight(below), straight(above)
    a = a * np.clip(mask * opacity, 0, 1)
    if mode == "plus":
        return np.concatenate([below[..., :3] + cs * a, np.minimum(ab + a, 1)], axis=-1)
    rgb = (1 - ab) * a * cs + (1 - a) * ab * cb + a * ab * BLENDS[mode](cb, cs)
    return np.concatenate([rgb, a + ab * (1 - a)], axis=-1)


# W3C Compositing and Blending Level 1, section 9.1: Fa, Fb
FRACTIONS = {
    "clear": "0 0", "copy": "1 0", "destination": "0 1", "source-over": "1 1-as", "destination-over": "1-ab 1",
    "source-in": "ab 0", "destination-in": "0 as", "source-out": "1-ab 0", "destination-out": "0 1-as",
    "source-atop": "ab 1-as", "destination-atop": "1-ab as", "xor": "1-ab 1-as", "lighter": "1 1",
}  # fmt: skip


def operator(below, above, operator, opacity):
    (cb, ab), (cs, a) = straight(below), straight(above)
    known = {"0": 0 * a, "1": 1 + 0 * a, "as": a, "1-as": 1 - a, "ab": ab, "1-ab": 1 - ab}
    fa, fb = (known[word] for word in FRACTIONS[operator].split())
    alpha = np.minimum(a * fa + ab * fb, 1)
    return mixed(below, np.concatenate([a * fa * cs + ab * fb * cb, alpha], axis=-1), opacity)


def over(below, above, opacity):
    return above * opacity + below * (1 - above[..., 3:] * opacity)


def background(image, mask, background, choke):
    return over(background, image * np.interp(mask, [choke, 1.0], [0.0, 1.0]), 1.0)


def switch(off, on, amount):
    return mixed(off, on, np.clip(amount, 0, 1))


def bloom(image, threshold, knee, radius, intensity, tint, at):
    peak = image[..., :3].max(-1, keepdims=True)
    soft = np.clip(peak - threshold + knee, 0, 2 * knee) ** 2 / (4 * knee)
    bright = image[..., :3] * np.maximum(soft, peak - threshold) / np.maximum(peak, 1e-3)
    glow = blurred(bright, radius, at) * np.array(tint[:3]) * intensity
    lifted = image[..., :3] + glow / (1 + glow) * np.maximum(1 - image[..., :3], 0)
    return np.concatenate([lifted, image[..., 3:]], axis=-1)


def vignette(image, amount, size, roundness, centre, at):
    across = (at.x - at.aspect / 2 - centre[0]) / (at.aspect + (1 - at.aspect) * roundness)
    slope = np.hypot(across, at.y - 0.5 - centre[1]) / size
    cosine = np.cos(np.arctan(slope))
    shade = 1 - amount + amount * cosine**4
    return np.concatenate([image[..., :3] * shade, image[..., 3:]], axis=-1)


def lattice(x, y, seed):
    i, j = np.floor(x), np.floor(y)
    s, t = smoothstep(0, 1, x - i), smoothstep(0, 1, y - j)
    rows = [mixed(hashed(i, j + k, seed), hashed(i + 1, j + k, seed), s) for k in (0, 1)]
    return mixed(*rows, t)


def grain(image, amount, size, colour, hold, seed, at):
    frame = at.frame // hold
    layers = []
    for layer in range(3 if colour == "colour" else 1):
        own = seed * 8 + layer
        dx, dy = 512 * hashed(frame, 17, own), 512 * hashed(frame, 71, own)
        x, y = at.x / size, at.y / size
        turned = lattice(0.8 * x - 0.6 * y + dy, 0.6 * x + 0.8 * y + dx, 2 * own + 1)
        layers.append(1.4 * (lattice(x + dx, y + dy, 2 * own) + turned - 1))
    rgb, a = straight(image)
    tone = np.clip(grey(rgb), 0, 1)
    strength = 2 * np.sqrt(tone * (1 - tone)) * np.minimum(12 * tone, 1) * amount
    return joined(rgb + np.concatenate(layers, axis=-1) * strength, a)


REFERENCES = {
    c.Blend: Reference(blend, cases=tuple({"mode": m, "opacity": 0.8} for m in c.MODES)),
    c.Operator: Reference(operator, cases=tuple({"operator": o, "opacity": 0.9} for o in FRACTIONS)),
    c.Over: Reference(over, cases=({}, {"opacity": 0.4})),
    c.Background: Reference(background, cases=({}, {"choke": 0.3})),
    c.Switch: Reference(switch, cases=({"amount": 0.3},)),
    c.Bloom: Reference(bloom, cases=({"radius": 0.05}, {"threshold": 0.3, "intensity": 2.0})),
    c.Vignette: Reference(vignette, cases=({}, {"amount": -0.5, "centre": (0.2, -0.1), "roundness": 0.0})),
    c.Grain: Reference(grain, cases=({"size": 0.02, "amount": 0.3}, {"size": 0.015, "colour": "colour", "seed": 7})),
}
