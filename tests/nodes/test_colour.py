"""Colour nodes against formulas written down a second time, in NumPy, on pictures with and without alpha."""

from __future__ import annotations

import colorsys
import math
from collections.abc import Callable

import numpy as np
import pytest
from one_node import picture, play

LUMA = np.array([0.2126, 0.7152, 0.0722])
Formula = Callable[..., np.ndarray]


def grey(c: np.ndarray) -> np.ndarray:
    return (c @ LUMA)[..., None]


def exposure(c, stops):
    return c * 2.0**stops


def contrast(c, contrast, pivot):
    return (c - pivot) * contrast + pivot


def saturation(c, saturation):
    return grey(c) * (1 - saturation) + c * saturation


def vibrance(c, amount):
    weak = 1 - np.clip(c.max(-1, keepdims=True) - c.min(-1, keepdims=True), 0, 1)
    return saturation(c, 1 + amount * weak**2)


def temperature(c, temperature, tint):
    gains = np.array([2 ** (0.45 * temperature + 0.15 * tint), 2 ** (-0.3 * tint), 2 ** (-0.6 * temperature + 0.15 * tint)])
    return c * gains / (gains @ LUMA)


def tint(c, colour, amount):
    return c * (1 - amount) + c * np.array(colour[:3]) * amount


def gamma(c, gamma):
    return np.maximum(c, 0) ** (1 / gamma)


def lift_gamma_gain(c, lift, gamma, gain):
    return np.maximum(np.array(gain) * (c + np.array(lift) * (1 - c)), 0) ** (1 / np.array(gamma))


def cdl(c, slope, offset, power, saturation):
    graded = np.maximum(c * np.array(slope) + np.array(offset), 0) ** np.array(power)
    return grey(graded) + saturation * (graded - grey(graded))


def levels(c, black, white, gamma, out_black, out_white):
    return out_black + np.clip((c - black) / (white - black), 0, 1) ** (1 / gamma) * (out_white - out_black)


def mixer(c, red, green, blue, offset):
    return np.einsum("hwc,oc->hwo", c, np.array([red, green, blue])) + np.array(offset)


def black_and_white(c, weights, amount):
    return c * (1 - amount) + (c @ np.array(weights))[..., None] * amount


def posterise(c, steps):
    return np.round(np.clip(c, 0, 1) * (steps - 1)) / (steps - 1)


def invert(c, amount):
    return (1 - c) * amount + c * (1 - amount)


def to_linear(c):
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def to_srgb(c):
    return np.where(c <= 0.0031308, c * 12.92, 1.055 * c ** (1 / 2.4) - 0.055)


def grade(c, temperature_, tint_, exposure_, contrast_, pivot, saturation_, gamma_):
    c = contrast(exposure(temperature(c, temperature_, tint_), exposure_), contrast_, pivot)
    return gamma(saturation(c, saturation_), gamma_)


CASES: list[tuple[str, Formula, dict]] = [
    ("exposure", exposure, {"stops": -1.5}),
    ("contrast", contrast, {"contrast": 1.7, "pivot": 0.4}),
    ("saturation", saturation, {"saturation": 1.6}),
    ("saturation", saturation, {"saturation": 0.0}),
    ("vibrance", vibrance, {"amount": 0.8}),
    ("temperature", temperature, {"temperature": 0.6, "tint": -0.3}),
    ("tint", tint, {"colour": (1.0, 0.5, 0.2, 1.0), "amount": 0.7}),
    ("gamma", gamma, {"gamma": 2.2}),
    ("lift_gamma_gain", lift_gamma_gain, {"lift": (0.1, -0.2, 0), "gamma": (1, 2, 0.5), "gain": (1.2, 1, 0.7)}),
    ("cdl", cdl, {"slope": (1.2, 1, 0.8), "offset": (0, -0.1, 0.1), "power": (1, 1.4, 0.7), "saturation": 1.3}),
    ("levels", levels, {"black": 0.1, "white": 0.8, "gamma": 1.5, "out_black": 0.05, "out_white": 0.9}),
    ("channel_mixer", mixer, {"red": (0, 1, 0), "green": (0.5, -0.2, 0.7), "blue": (1, 0, 0.1), "offset": (0, 0.1, 0)}),
    ("black_and_white", black_and_white, {"weights": (0.6, 0.3, 0.1), "amount": 0.8}),
    ("posterise", posterise, {"steps": 5}),
    ("invert", invert, {"amount": 0.7}),
    ("clamp", lambda c, low, high: np.clip(c, low, high), {"low": 0.2, "high": 0.6}),
    ("to_linear", to_linear, {}),
    ("to_srgb", to_srgb, {}),
    ("grade", grade, {"temperature": 0.3, "tint": 0.1, "exposure": 0.4, "contrast": 1.2, "pivot": 0.45,
                      "saturation": 1.2, "gamma": 1.1}),
]  # fmt: skip


@pytest.mark.parametrize("alpha", [False, True], ids=["opaque", "alpha"])
@pytest.mark.parametrize(("node", "formula", "params"), CASES, ids=[f"{n}-{i}" for i, (n, _, _) in enumerate(CASES)])
def test_formula(node: str, formula: Formula, params: dict, alpha: bool) -> None:
    image = picture(3, alpha=alpha, most=1.3)
    a = image[..., 3:].astype(float)
    straight = np.where(a > 0, image[..., :3] / np.maximum(a, 1e-9), 0)
    with np.errstate(invalid="ignore"):
        wanted = formula(straight, *params.values()) * a
    got = play(f"colour.{node}", inputs={"image": image}, **params)
    assert np.abs(got[..., :3] - wanted).max() < 1e-4
    assert np.array_equal(got[..., 3], image[..., 3])


NEUTRAL = ["exposure", "contrast", "saturation", "temperature", "gamma", "lift_gamma_gain", "cdl", "hue", "levels",
           "curves", "lut", "channel_mixer", "clamp", "grade"]  # fmt: skip


@pytest.mark.parametrize("node", NEUTRAL)
def test_defaults_change_nothing(node: str) -> None:
    image = picture(4)
    assert np.abs(play(f"colour.{node}", inputs={"image": image}) - image).max() < 2e-4


def test_hue_turns_hues_and_keeps_brightness() -> None:
    image = picture(5, alpha=False)
    image[..., :3] = 0.3 + 0.2 * image[..., :3]
    for angle in (-120, 35, 180):
        got = play("colour.hue", inputs={"image": image}, angle=angle)
        svg = np.array([0.213, 0.715, 0.072])
        assert np.abs((got[..., :3] - image[..., :3]) @ svg).max() < 2e-3
    red = np.zeros((2, 2, 4), np.float32) + [0.6, 0.4, 0.4, 1]
    hue = colorsys.rgb_to_hsv(*play("colour.hue", inputs={"image": red}, angle=60)[0, 0, :3])[0] * 360
    assert 30 < hue < 90


def test_curves_follow_their_knots() -> None:
    image = picture(6, alpha=False)
    knots, falling = [(0, 0.1), (0.5, 0.7), (1, 0.9)], [(0, 1), (1, 0)]
    got = play("colour.curves", inputs={"image": image}, master=knots, blue=falling)
    x = image[..., :3].astype(float)
    x[..., 2] = 1 - x[..., 2]
    wanted = hermite(np.array(knots, float), x)
    assert np.abs(got[..., :3] - wanted).max() < 1e-3


def hermite(knots: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Three knots, both slopes rising: the middle tangent is the slopes' mean (within Fritsch and Carlson's circle)."""
    x, y = knots.T
    s = np.diff(y) / np.diff(x)
    m = np.array([s[0], s.mean(), s[1]])
    for i in (0, 1):
        over = math.hypot(m[i] / s[i], m[i + 1] / s[i]) / 3
        if over > 1:
            m[i : i + 2] /= over
    k = (at >= x[1]).astype(int)
    h = np.diff(x)[k]
    t = (at - x[k]) / h
    return (
        (2 * t**3 - 3 * t**2 + 1) * y[k] + (t**3 - 2 * t**2 + t) * h * m[k]
        + (-2 * t**3 + 3 * t**2) * y[k + 1] + (t**3 - t**2) * h * m[k + 1]
    )  # fmt: skip
