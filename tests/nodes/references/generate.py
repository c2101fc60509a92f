"""Generators: formulas of the place."""

from __future__ import annotations

import numpy as np

from references import Reference, hashed, mixed, smooth
from spellwire.nodes import generate as g


def ink(colour):
    r, g, b, a = colour
    return np.array([r * a, g * a, b * a, a])


def fill(colour, at):
    return np.ones_like(at.x) * ink(colour)


def ramp(start, end, angle, length, at):
    turn = np.deg2rad(angle)
    along = (at.y - 0.5) * np.cos(turn) - (at.x - at.aspect / 2) * np.sin(turn)
    return mixed(ink(start), ink(end), smooth(-length / 2, length / 2, along))


def checker(first, second, size, at):
    odd = (np.floor(at.x / size) + np.floor(at.y / size)) % 2
    return mixed(ink(first), ink(second), odd)


def perlin(x, y, seed):
    """Improved noise's quintic between four corners' slopes (Perlin, 2002), the slopes by the language's hash."""
    i, j = np.floor(x), np.floor(y)

    def fade(t):
        return 6 * t**5 - 15 * t**4 + 10 * t**3

    total = np.zeros_like(x)
    for a in (0, 1):
        for b in (0, 1):
            gx, gy = (2 * hashed(i + a, j + b, seed + k) - 1 for k in (0, 1))
            wx = fade(x - i) if a else 1 - fade(x - i)
            wy = fade(y - j) if b else 1 - fade(y - j)
            total += wx * wy * (gx * (x - i - a) + gy * (y - j - b))
    return total


def noise(size, roughness, drift, seed, at):
    place = ((at.x + drift * at.time) + 1j * at.y) / size
    total, weight, whole = 0.0, 1.0, 0.0
    for octave in range(4):
        total = total + weight * perlin(place.real, place.imag, 8 * seed + 2 * octave)
        whole, weight = whole + weight, weight * roughness
        place = place * (1.6 + 1.2j) + (0.37 + 0.71j)
    tone = np.clip(0.5 + 0.75 * total / whole, 0, 1)
    return np.concatenate([tone] * 3 + [np.ones_like(tone)], axis=-1)


RED, BLUE = (0.9, 0.2, 0.1, 0.6), (0.1, 0.3, 0.8, 1.0)
REFERENCES = {
    g.Fill: Reference(fill, cases=({"colour": RED},), flat=True),
    g.Ramp: Reference(ramp, cases=({}, {"start": RED, "end": BLUE, "angle": 40.0, "length": 0.7})),
    g.Checker: Reference(checker, cases=({"first": RED, "size": 0.13},)),
    g.Noise: Reference(noise, cases=({}, {"size": 0.5, "roughness": 0.8, "seed": 3, "drift": -0.4})),
}
