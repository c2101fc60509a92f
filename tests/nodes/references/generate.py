"""Generators: formulas of the place."""

from __future__ import annotations

import numpy as np

from references import Reference, hashed, mixed, smoothstep
from spellwire.nodes import generate as g


def ink(colour):
    r, g, b, a = colour
    return np.array([r * a, g * a, b * a, a])


def fill(colour, at):
    return np.ones_like(at.x) * ink(colour)


def ramp(start, end, angle, length, at):
    turn = np.deg2rad(angle)
    along = (at.y - 0.5) * np.cos(turn) - (at.x - at.aspect / 2) * np.sin(turn)
    return mixed(ink(start), ink(end), smoothstep(-length / 2, length / 2, along))


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


def gradient(kind, first, second, third, fourth, stops, centre, angle, length, beyond, smooth, at):
    """NumPy's interp over the stops; the grain, of less than one step of 8 bits, is left out."""
    z = ((at.x - at.aspect / 2 - centre[0]) + 1j * (at.y - 0.5 - centre[1])) * np.exp(-1j * np.deg2rad(angle))
    t = {"linear": z.imag / length + 0.5, "radial": abs(z) / length, "conic": np.angle(z * 1j) / (2 * np.pi) % 1}[kind]
    t = {"hold": t, "repeat": t % 1, "mirror": 1 - abs(1 - t % 2)}[beyond]
    inks = np.array([ink(c) for c in (first, second, third, fourth)])

    def colour(t):
        place = np.interp(t, stops, np.arange(4.0))
        share = place % 1
        share = mixed(share, 3 * share**2 - 2 * share**3, smooth)
        low = np.minimum(place.astype(int), 3)
        return mixed(inks[low[..., 0]], inks[np.minimum(low + 1, 3)[..., 0]], share)

    seam = np.clip((1 - t) * 2 * np.pi * abs(z) / at.pixel, 0, 1) if kind == "conic" else 1.0
    return mixed(colour(np.zeros_like(t)), colour(t), seam)


def stripes(first, second, size, share, angle, softness, speed, at):
    turn = np.deg2rad(angle)
    across = ((at.y - 0.5) * np.cos(turn) - (at.x - at.aspect / 2) * np.sin(turn) - speed * at.time) / size
    half = max(softness / 2, at.pixel / size) / 2
    return mixed(ink(first), ink(second), 1 - smoothstep(-half, half, abs(across % 1 - 0.5) - share / 2))


def slopes(i, j, seed, turn):
    """A place's slope as a complex number, turned."""
    bits = np.round(hashed(i, j, seed) * 2**24).astype(int)
    return ((bits >> 12) / 4095 * 2 - 1 + 1j * ((bits & 4095) / 4096 * 2 - 1)) * np.exp(1j * turn)


def dotted(a, b):
    return (a.conj() * b).real


def bilinear(x, y, corner, fade):
    i, j = np.floor(x), np.floor(y)
    p, q = fade(x - i), fade(y - j)
    rows = [mixed(corner(i, j + b), corner(i + 1, j + b), p) for b in (0, 1)]
    return mixed(*rows, q)


def one_octave(kind, x, y, seed, turn):
    if kind == "value":
        return bilinear(x, y, lambda i, j: slopes(i, j, seed, turn).real, lambda t: 3 * t**2 - 2 * t**3)
    if kind == "gradient":
        def corner(i, j):
            return dotted(slopes(i, j, seed, turn), (x - i) + 1j * (y - j))

        return 1.6 * bilinear(x, y, corner, lambda t: 6 * t**5 - 15 * t**4 + 10 * t**3)
    x, y, skew, back = 0.65 * x, 0.65 * y, (np.sqrt(3) - 1) / 2, (3 - np.sqrt(3)) / 6
    i, j = np.floor(x + (x + y) * skew), np.floor(y + (x + y) * skew)
    lower = (x - i) > (y - j)
    total = 0.0
    for a, b in ((0, 0), (lower * 1, 1 - lower), (1, 1)):
        to = (x - (i + a) + (i + a + j + b) * back) + 1j * (y - (j + b) + (i + a + j + b) * back)
        total = total + np.maximum(0.5 - abs(to) ** 2, 0) ** 4 * dotted(slopes(i + a, j + b, seed, turn), to)
    return 90 * total


def fractal(kind, style, octaves, size, roughness, evolution, drift, contrast, dark, light, seed, at):
    place = ((at.x - at.aspect / 2) + 1j * (at.y - 0.5) - complex(*drift) * at.time) / size
    total = 0.0
    for k in range(octaves):
        value = one_octave(kind, place.real, place.imag, 8 * seed + k, 2 * np.pi * evolution * at.time * 1.3**k)
        value = {"smooth": value, "ridged": 1 - 2 * abs(value), "turbulent": 2 * abs(value) - 1}[style]
        total = total + roughness**k * value
        place = place * (1.6 + 1.2j) + (0.37 + 0.71j)
    value = total / (2 * sum(roughness**k for k in range(octaves)))
    return mixed(ink(dark), ink(light), np.clip(0.5 + value * contrast, 0, 1))


RED, BLUE = (0.9, 0.2, 0.1, 0.6), (0.1, 0.3, 0.8, 1.0)
REFERENCES = {
    g.Fill: Reference(fill, cases=({"colour": RED},), flat=True),
    g.Ramp: Reference(ramp, cases=({}, {"start": RED, "end": BLUE, "angle": 40.0, "length": 0.7})),
    g.Checker: Reference(checker, cases=({"first": RED, "size": 0.13},)),
    g.Gradient: Reference(gradient, limit=2 / 255, cases=(  # its grain is up to one step of 8 bits
        {}, {"kind": "radial", "beyond": "mirror", "length": 0.4, "smooth": 1.0, "first": RED, "stops": (0.0, 0.2, 0.8, 1.0)},
        {"kind": "conic", "angle": 30.0, "centre": (0.1, 0.0)}, {"beyond": "repeat", "length": 0.5, "angle": 60.0},
    )),
    g.Stripes: Reference(stripes, cases=({"softness": 0.5}, {"size": 0.2, "share": 0.3, "angle": 20.0, "speed": 0.1})),
    g.FractalNoise: Reference(fractal, cases=(
        {}, {"kind": "simplex", "style": "ridged", "octaves": 3, "seed": 4}, {"kind": "value", "octaves": 2, "drift": (0.2, 0.1)},
        {"style": "turbulent", "octaves": 2, "contrast": 2.0, "dark": BLUE, "light": RED, "size": 0.5},
    )),
    g.Noise: Reference(noise, cases=({}, {"size": 0.5, "roughness": 0.8, "seed": 3, "drift": -0.4})),
}
