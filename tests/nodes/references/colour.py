"""Colour nodes: the standards' own matrices and curves, mostly by OpenCV's element-wise functions."""

from __future__ import annotations

import functools
import hashlib
import inspect
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from references import LUMA, Reference, grey, joined, mixed, photo, straight
from spellwire.nodes import colour as c

BRIGHT = {"image": lambda w, h: photo(3, w, h, most=1.3)}


def through(formula: Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
    """A formula of opaque r, g, b as one of a premultiplied picture, its other arguments kept by name."""
    @functools.wraps(formula)
    def whole(image: np.ndarray, **params: Any) -> np.ndarray:
        rgb, a = straight(image)
        return joined(formula(rgb, **params), a)

    signature = inspect.signature(formula)
    first = inspect.Parameter("image", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    whole.__signature__ = signature.replace(parameters=[first, *list(signature.parameters.values())[1:]])  # type: ignore[attr-defined]
    return whole


def root(rgb: np.ndarray, gamma: Any) -> np.ndarray:
    return np.sign(rgb).clip(0) * np.abs(rgb) ** (1.0 / np.asarray(gamma, float))


def exposure(rgb, stops):
    return cv2.multiply(rgb, (2.0**stops,) * 4)


def contrast(rgb, contrast, pivot):
    return pivot + contrast * (rgb - pivot)


def saturation(rgb, saturation):
    return cv2.transform(rgb, saturation * np.eye(3) + (1 - saturation) * np.tile(LUMA, (3, 1)))


def vibrance(rgb, amount):
    chroma = np.minimum(np.ptp(rgb, axis=-1, keepdims=True), 1.0)
    return grey(rgb) + (rgb - grey(rgb)) * (1.0 + amount * (1.0 - chroma) ** 2)


def balance(temperature, tint):
    gains = 2.0 ** np.array([0.45 * temperature + 0.15 * tint, -0.3 * tint, 0.15 * tint - 0.6 * temperature])
    return gains / np.dot(gains, LUMA)


def temperature(rgb, temperature, tint):
    return cv2.transform(rgb, np.diag(balance(temperature, tint)))


def tint(rgb, colour, amount):
    return rgb * (1 - amount * (1 - np.array(colour[:3])))


def gamma(rgb, gamma):
    return root(rgb, gamma)


def lift_gamma_gain(rgb, lift, gamma, gain):
    return root(np.array(gain) * (np.array(lift) + rgb - rgb * lift), gamma)


def cdl(rgb, slope, offset, power, saturation):
    """ASC CDL 1.2: SOP, then saturation by Rec. 709 weights."""
    out = root(np.array(slope) * rgb + offset, 1.0 / np.array(power))
    return grey(out) + saturation * (out - grey(out))


def hue(rgb, angle):
    """SVG 1.1, feColorMatrix hueRotate: three constant matrices and the angle's cosine and sine."""
    constant = np.tile([0.213, 0.715, 0.072], (3, 1))
    across = np.array([[0.787, -0.715, -0.072], [-0.213, 0.285, -0.072], [-0.213, -0.715, 0.928]])
    around = np.array([[-0.213, -0.715, 0.928], [0.143, 0.140, -0.283], [-0.787, 0.715, 0.072]])
    turn = np.deg2rad(angle)
    return cv2.transform(rgb, constant + np.cos(turn) * across + np.sin(turn) * around)


def levels(rgb, black, white, gamma, out_black, out_white):
    inside = np.interp(rgb, [black, white], [0.0, 1.0])
    return out_black + root(inside, gamma) * (out_white - out_black)


def curves(rgb, master, red, green, blue):
    """Each knot pair a straight line: `CURVES` are drawn so, that a monotone cubic and a line agree."""
    own = [np.interp(rgb[..., i], *np.transpose(k)) for i, k in enumerate((red, green, blue))]
    return np.interp(np.stack(own, axis=-1), *np.transpose(master))


CURVES = {"red": ((0.0, 1.0), (1.0, 0.0)), "green": ((0.0, 0.2), (1.0, 0.7)), "master": ((0.0, 0.1), (1.0, 0.9))}


def channel_mixer(rgb, red, green, blue, offset):
    return cv2.transform(rgb, np.column_stack([np.array([red, green, blue]), offset]))


def black_and_white(rgb, weights, amount):
    return cv2.transform(rgb, (1 - amount) * np.eye(3) + amount * np.tile(weights, (3, 1)))


def posterise(rgb, steps):
    levels = np.linspace(0.0, 1.0, steps)
    nearest = np.abs(np.clip(rgb, 0, 1)[..., None] - levels).argmin(-1)
    return levels[nearest]


def invert(rgb, amount):
    return rgb + amount * (1 - 2 * rgb)


def clamp(rgb, low, high):
    return np.clip(rgb, low, high)


def to_linear(rgb):
    return np.where(rgb > 0.04045, np.abs((rgb + 0.055) / 1.055) ** 2.4, rgb / 12.92)


def to_srgb(rgb):
    return np.where(rgb > 0.0031308, 1.055 * np.abs(rgb) ** (1 / 2.4) - 0.055, 12.92 * rgb)


def grade(rgb, temperature, tint, exposure, contrast, pivot, saturation, gamma):
    lit = rgb * balance(temperature, tint) * 2.0**exposure
    pushed = pivot + contrast * (lit - pivot)
    return root(grey(pushed) + saturation * (pushed - grey(pushed)), gamma)


SIZE = 5


def cube() -> np.ndarray:
    """A look with a twist, by blue, green, red."""
    b, g, r = np.meshgrid(*[np.linspace(0, 1, SIZE)] * 3, indexing="ij")
    return np.round(np.stack([r**1.5, 0.2 + 0.6 * g * r + 0.1 * b, 1 - 0.7 * b], axis=-1), 5)


def look_file(folder: Path) -> dict[str, Any]:
    lines = [f"LUT_3D_SIZE {SIZE}", *(" ".join(f"{v:.5f}" for v in row) for row in cube().reshape(-1, 3))]
    text = "\n".join(lines) + "\n"
    (folder / "assets").mkdir()
    (folder / "assets" / "look.cube").write_text(text)
    return {"look": {"asset": "assets/look.cube", "sha256": hashlib.sha256(text.encode()).hexdigest()}}


def lut(rgb, strength):
    """Tetrahedral: of each of the six orders of r, g, b, walk from the cube's low corner along the largest share first."""
    table, place = cube(), np.clip(rgb, 0, 1) * (SIZE - 1)
    low = np.minimum(place.astype(int), SIZE - 2)
    share = place - low
    looked = np.zeros_like(rgb)
    for order in itertools.permutations(range(3)):
        ordered = share[..., list(order)]
        here = (np.diff(ordered, axis=-1) <= 0).all(-1)
        corner, before = low[here].copy(), table[tuple(low[here][:, ::-1].T)]
        total = before.copy()
        for k, axis in enumerate(order):
            corner[:, axis] += 1
            after = table[tuple(corner[:, ::-1].T)]
            total += (after - before) * ordered[here][:, k : k + 1]
            before = after
        looked[here] = total
    return mixed(rgb, looked, strength)


def of(formula: Callable[..., np.ndarray], *cases: dict[str, Any], **more: Any) -> Reference:
    return Reference(through(formula), cases=cases or ({},), inputs=BRIGHT, **more)


WHEELS = {"lift": (0.1, -0.2, 0.0), "gamma": (1.0, 2.0, 0.5), "gain": (1.2, 1.0, 0.7)}
REFERENCES = {
    c.Exposure: of(exposure, {"stops": -1.5}),
    c.Contrast: of(contrast, {"contrast": 1.7, "pivot": 0.4}),
    c.Saturation: of(saturation, {"saturation": 1.6}, {"saturation": 0.0}),
    c.Vibrance: of(vibrance, {"amount": 0.8}),
    c.Temperature: of(temperature, {"temperature": 0.6, "tint": -0.3}),
    c.Tint: of(tint, {"colour": (1.0, 0.5, 0.2, 1.0), "amount": 0.7}),
    c.Gamma: of(gamma, {"gamma": 2.2}, {"gamma": 0.6}),
    c.LiftGammaGain: of(lift_gamma_gain, WHEELS),
    c.Cdl: of(cdl, {"slope": (1.2, 1.0, 0.8), "offset": (0.0, -0.1, 0.1), "power": (1.0, 1.4, 0.7), "saturation": 1.3}),
    c.Hue: of(hue, {"angle": 70.0}, {"angle": -120.0}),
    c.Levels: of(levels, {"black": 0.1, "white": 0.8, "gamma": 1.5, "out_black": 0.05, "out_white": 0.9}),
    c.Curves: of(curves, CURVES),
    c.Lut: of(lut, {"strength": 1.0}, {"strength": 0.4}, files=look_file),
    c.ChannelMixer: of(channel_mixer, {"red": (0.0, 1.0, 0.0), "green": (0.5, -0.2, 0.7), "blue": (1.0, 0.0, 0.1),
                                       "offset": (0.0, 0.1, 0.0)}),
    c.BlackAndWhite: of(black_and_white, {"weights": (0.6, 0.3, 0.1), "amount": 0.8}),
    c.Posterise: of(posterise, {"steps": 5}),
    c.Invert: of(invert, {"amount": 0.7}, {}),
    c.Clamp: of(clamp, {"low": 0.2, "high": 0.6}),
    c.ToLinear: of(to_linear),
    c.ToSrgb: of(to_srgb),
    c.Grade: of(grade, {"temperature": 0.3, "tint": 0.1, "exposure": 0.4, "contrast": 1.2, "pivot": 0.45,
                        "saturation": 1.2, "gamma": 1.1}),
}  # fmt: skip
