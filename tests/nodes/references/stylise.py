"""Print, cells and ink."""

from __future__ import annotations

import numpy as np

from references import Reference, blurred, grey, joined, mixed, photo, sample, smoothstep, spread, straight
from references.generate import ink as flat
from spellwire.nodes import stylise as s


def dots(tone, size, angle, softness, at):
    """A cosine landscape cut at the level whose area is the tone."""
    z = ((at.x - at.aspect / 2) + 1j * (at.y - 0.5)) * np.exp(-1j * np.deg2rad(angle)) * 2 * np.pi / size
    spot = (np.cos(z.real) + np.cos(z.imag)) / 2
    edge = max(softness, min(2.2 * at.pixel / size, 1))
    q = 0.5 - np.clip(tone, 0, 1)
    level = 1.223 * q + 3.301 * q**3 + np.sign(q) * edge * abs(2 * q) ** 9
    return smoothstep(level - edge, level + edge, spot)


def halftone(image, tones, inks, size, angle, softness, ink, paper, amount, at):
    tone = spread(tones, at)
    ground = np.broadcast_to(np.array(paper[:3]), (*tone.shape[:2], 3))
    if inks == "one":
        ground = mixed(ground, np.array(ink[:3]), dots(tone[..., 3:], size, angle + 45, softness, at))
    else:
        colours = ((0.0, 0.62, 0.88), (0.9, 0.05, 0.5), (1.0, 0.9, 0.05), (0.1, 0.09, 0.1))
        for k, (turn, colour) in enumerate(zip((15, 75, 0, 45), colours, strict=True)):
            covered = dots(tone[..., k : k + 1], size, angle + turn, softness, at)
            ground = ground * (1 - covered * (1 - np.array(colour)))
    a = image[..., 3:]
    return np.concatenate([mixed(image[..., :3], ground * a, amount), a], axis=-1)


def pixelate(image, cells, shape, size, gap, back, amount, at):
    z = ((at.x - at.aspect / 2) + 1j * (at.y - 0.5)) / size
    if shape == "hexagon":  # the nearest of all middles around, not of two lattices
        h = np.sqrt(3) / 2
        row = np.round(z.imag / h - 0.5 * h / h + np.arange(-2, 3)[:, None, None, None])
        best, far = np.zeros_like(z), np.full(z.shape, 9.0)
        for r in row:
            shift = np.where(r % 2 == 0, 0.5, 1.0)
            middle = np.floor(z.real - shift + 0.5) + shift + 1j * (r + 1) * h
            nearer = abs(z - middle) < far
            best, far = np.where(nearer, middle, best), np.where(nearer, abs(z - middle), far)
        away = z - best
        reach = np.max([abs((away * np.exp(1j * np.pi / 3 * k)).real) for k in range(3)], axis=0)
    else:
        best = np.floor(z.real) + 0.5 + 1j * (np.floor(z.imag) + 0.5)
        away = z - best
        reach = abs(away) if shape == "dot" else np.maximum(abs(away.real), abs(away.imag))
    full = spread_at(cells, best.real * size + at.aspect / 2, best.imag * size + 0.5, at)
    half = 0.7 * at.pixel / size
    inside = 1 - smoothstep(0.5 - half, 0.5 + half, reach + gap / 2) if gap > 0 or shape == "dot" else 1.0
    return mixed(image, mixed(flat(back) * full[..., 3:], full, inside), amount)


def spread_at(frame, x, y, at):
    """A small raster at places in frame heights."""
    a, _, c, _, e, f = frame.geometry.to_frame
    px, py = (x / at.pixel - c) / a, (y / at.pixel - f) / e
    small = type(at)(frame.width, frame.height, 0, 0)
    data = frame.data if frame.data.shape[2] == 4 else np.pad(frame.data, ((0, 0), (0, 0), (0, 1)), constant_values=1)
    return sample(data.astype(float), px * small.pixel, py * small.pixel, small)


def ink(image, thickness, threshold, softness, strength, ink, on, paper, at):
    tone = grey(image)
    wide = blurred(tone, 1.6 * thickness, at)
    edge = (wide - blurred(tone, thickness, at)) / np.maximum(wide + 0.1 * image[..., 3:], 0.02)
    line = smoothstep(threshold, threshold + softness, edge) * strength
    a = image[..., 3:]
    ground = image[..., :3] if on == "picture" else np.array(paper[:3]) * a
    return np.concatenate([mixed(ground, np.array(ink[:3]) * a, line), a], axis=-1)


def threshold(image, level, softness, dark, light):
    rgb, a = straight(image)
    share = smoothstep(level - softness / 2, level + softness / 2, grey(rgb))
    return mixed(flat(dark), flat(light), share) * a


def duotone(image, dark, middle, light, balance, amount):
    rgb, a = straight(image)
    tone = np.clip(grey(rgb), 0, 1)
    inks = np.stack([flat(dark), flat(middle), flat(light)])
    printed = np.concatenate([np.interp(tone, [0, balance, 1], inks[:, k]) for k in range(4)], axis=-1)
    return mixed(image, printed * a, amount)


def bayer(n):
    """The classic recursion."""
    if n == 1:
        return np.zeros((1, 1))
    m = 4 * bayer(n // 2)
    return np.block([[m, m + 2], [m + 3, m + 1]])


def dither(image, steps, size, amount, at):
    rgb, a = straight(image)
    x, y = (np.floor(v / size + 0.001).astype(int) % 8 for v in (at.x - at.aspect / 2, at.y - 0.5))
    pattern = bayer(8)[y, x] / 64 - 63 / 128
    return joined(np.clip(np.round(np.clip(rgb, 0, 1) * (steps - 1) + pattern * amount) / (steps - 1), 0, 1), a)


THICK = {"image": lambda w, h: photo(5, w, h, least=0.3)}
REFERENCES = {
    s.Halftone: Reference(halftone, cases=({"size": 0.1}, {"inks": "four", "size": 0.12, "angle": 10.0, "softness": 0.3})),
    s.Pixelate: Reference(pixelate, cases=({"size": 0.1}, {"shape": "hexagon", "size": 0.17, "gap": 0.15},
                                           {"shape": "dot", "size": 0.13, "gap": 0.1})),
    s.Ink: Reference(ink, cases=({"thickness": 0.01}, {"thickness": 0.008, "on": "paper", "strength": 0.8})),
    s.Threshold: Reference(threshold, cases=({"softness": 0.3}, {"level": 0.4, "softness": 0.5}), inputs=THICK),
    s.Duotone: Reference(duotone, cases=({}, {"balance": 0.3, "amount": 0.7}), inputs=THICK),
    s.Dither: Reference(dither, cases=({"size": 1 / 64}, {"size": 2 / 64, "steps": 5}), inputs=THICK),
}  # fmt: skip
