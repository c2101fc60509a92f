"""Mask nodes: NumPy, and OpenCV where it has the operation."""

from __future__ import annotations

import numpy as np

from references import Reference, blurred, grey, photo, smoothstep, straight
from spellwire.nodes import mask as m

OPAQUE = {"image": lambda w, h: photo(5, w, h, alpha=False)}
THICK = {"image": lambda w, h: photo(5, w, h, least=0.2)}
COMBINED = {
    "union": lambda a, b: np.where(a > b, a, b),
    "intersect": lambda a, b: np.where(a < b, a, b),
    "subtract": lambda a, b: np.where(a < 1 - b, a, 1 - b),
    "exclude": lambda a, b: np.where(a > b, a - b, b - a),
    "soft union": lambda a, b: 1 - (1 - a) * (1 - b),
    "soft intersect": lambda a, b: a * b,
    "soft subtract": lambda a, b: a - a * b,
}


def combine(a, b, operation):
    return np.clip(COMBINED[operation](a, b), 0, 1)


def invert(mask):
    return 1 - mask


def levels(mask, low, high, gamma):
    return np.interp(mask, [low, high], [0, 1]) ** (1 / gamma)


def feather(mask, radius, shift, at):
    soft = blurred(mask, radius, at)
    return np.clip(soft * (1 + abs(shift)) - max(-shift, 0), 0, 1)


def grow(mask, amount, softness, at):
    """By the error function; the node's normal distribution is a stated approximation to 2e-4."""
    from math import erf, exp, pi, sqrt

    sigma = max(abs(amount), softness)
    level = 0.5 * (1 + erf(-amount / sigma / sqrt(2)))
    ramp = softness / 2 * exp(-0.5 * (amount / sigma) ** 2) / sqrt(2 * pi) / sigma
    return smoothstep(level - ramp, level + ramp, blurred(mask, sigma, at))


def luma_key(image, low, high, softness):
    rgb, a = straight(image)
    tone = grey(rgb)
    upper = 0 if high >= 1 else smoothstep(high, high + softness, tone)
    return smoothstep(low - softness, low, tone) * (1 - upper) * np.clip(a, 0, 1)


def chroma(rgb):
    """Cb and Cr of BT.709 at full brightness."""
    full = rgb / np.maximum(rgb.max(-1, keepdims=True), 0.15)
    y = grey(full)[..., 0]
    return np.stack([full[..., 2] - y, full[..., 0] - y], -1) / [2 * (1 - 0.0722), 2 * (1 - 0.2126)]


def colour_key(image, colour, tolerance, softness):
    rgb, a = straight(image)
    away = np.linalg.norm(chroma(rgb) - chroma(np.array(colour[:3])[None, None]), axis=-1, keepdims=True)
    return smoothstep(tolerance, tolerance + softness, away) * -a + a


def channel(image, channel):
    rgb, a = straight(image)
    if channel in ("alpha", "luma"):
        return np.clip(a if channel == "alpha" else grey(rgb), 0, 1)
    index = ["red", "green", "blue"].index(channel)
    return rgb[..., index : index + 1].clip(0, 1)


def apply(image, mask):
    return image * mask


def turned(at, centre, angle):
    place = (at.x - at.aspect / 2 - centre[0]) + 1j * (at.y - 0.5 - centre[1])
    place = place * np.exp(-1j * np.deg2rad(angle))
    return place.real, place.imag


def covered(distance, softness, at):
    width = max(softness, at.pixel)
    return 1 - smoothstep(-width / 2, width / 2, distance)


def ellipse(centre, angle, softness, size, at):
    """First-order distance: the implicit function over its gradient's length."""
    x, y = turned(at, centre, angle)
    a, b = size[0] / 2, size[1] / 2
    value = np.hypot(x / a, y / b)
    gradient = np.hypot(x / a**2, y / b**2) / np.maximum(value, 1e-12)
    return covered((value - 1) / np.maximum(gradient, 1e-9), softness, at)


def rectangle(centre, angle, softness, size, corner, at):
    x, y = turned(at, centre, angle)
    r = min(corner, min(size) / 2)
    dx, dy = abs(x) - size[0] / 2 + r, abs(y) - size[1] / 2 + r
    outside = np.hypot(dx.clip(0), dy.clip(0))
    return covered(np.where((dx < 0) & (dy < 0), np.maximum(dx, dy), outside) - r, softness, at)


def gradient(centre, angle, length, at):
    return smoothstep(-0.5, 0.5, turned(at, centre, angle)[1] / length)


TURNED = {"centre": (0.1, -0.05), "angle": 25.0}
REFERENCES = {
    m.Combine: Reference(combine, cases=tuple({"operation": o} for o in COMBINED)),
    m.Invert: Reference(invert),
    m.Levels: Reference(levels, cases=({}, {"low": 0.2, "high": 0.7, "gamma": 2.0})),
    m.Feather: Reference(feather, cases=({"radius": 0.05}, {"radius": 0.05, "shift": -0.7}, {"radius": 0.03, "shift": 1.0})),
    m.Grow: Reference(grow, cases=({"amount": 0.02, "softness": 0.03}, {"amount": -0.02, "softness": 0.03}),
                      limit=2 / 255),  # its normal distribution is an approximation
    m.LumaKey: Reference(luma_key, cases=({}, {"low": 0.3, "high": 0.6, "softness": 0.2})),
    m.ColourKey: Reference(colour_key, cases=({"colour": (0.4, 0.6, 0.5, 1.0), "softness": 0.2},), inputs=OPAQUE),
    m.ChannelMask: Reference(channel, cases=tuple({"channel": c} for c in ("red", "green", "blue", "alpha", "luma")), inputs=THICK),
    m.Apply: Reference(apply),
    m.Ellipse: Reference(ellipse, cases=({"softness": 0.2}, {"size": (0.9, 0.4), **TURNED})),
    m.Rectangle: Reference(rectangle, cases=({"softness": 0.2}, {"size": (0.7, 0.4), "corner": 0.1, **TURNED})),
    m.Gradient: Reference(gradient, cases=({}, {"length": 0.6, **TURNED})),
}
