"""Colour maths for pixel nodes, in the pixel language: alpha, transfer curves, saturation, W3C's set_lum and set_sat.

An Image is premultiplied. What is linear in r, g, b and a together is done on it as it is; what bends the values
(gamma, curves, tables) is done between `unpremultiply` and `premultiply`. Where alpha is known to be 1 both vanish
from the expression, since x / 1 and x · 1 do.
"""

from __future__ import annotations

from .lang import Vec, clamp, dot, luma, maximum, minimum, mix, power, select, vec

__all__ = [
    "LUMA_601",
    "clip_colour",
    "linear_to_srgb",
    "luma_601",
    "premultiply",
    "saturation_of",
    "set_luma",
    "set_saturation",
    "srgb_to_linear",
    "unpremultiply",
    "with_saturation",
]

THIN = 1e-4  # alpha below this can't be seen; it bounds the division
TINY = 1e-6
LUMA_601 = (0.3, 0.59, 0.11)  # as W3C's Compositing and Blending writes it


def unpremultiply(image: Vec) -> Vec:
    """r, g, b as they would be if opaque."""
    return image.rgb / maximum(image.a, THIN)


def premultiply(rgb: Vec, alpha: Vec | float) -> Vec:
    """An Image's four components of r, g, b and alpha."""
    return vec(rgb * alpha, alpha)


def with_saturation(rgb: Vec, amount: Vec | float) -> Vec:
    """r, g, b moved from their Rec. 709 grey: 0 grey, 1 as they are. Linear, so premultiplied values may be given."""
    return mix(luma(rgb), rgb, amount)


def srgb_to_linear(rgb: Vec) -> Vec:
    """IEC 61966-2-1's curve, from encoded to light; its power part goes on above 1, its straight part below 0."""
    return select(rgb <= 0.04045, rgb / 12.92, power((rgb + 0.055) / 1.055, 2.4))


def linear_to_srgb(rgb: Vec) -> Vec:
    """The inverse of `srgb_to_linear`."""
    return select(rgb <= 0.0031308, rgb * 12.92, 1.055 * power(rgb, 1.0 / 2.4) - 0.055)


def luma_601(rgb: Vec) -> Vec:
    return dot(rgb, vec(*LUMA_601))


def _least(rgb: Vec) -> Vec:
    return minimum(minimum(rgb.r, rgb.g), rgb.b)


def _most(rgb: Vec) -> Vec:
    return maximum(maximum(rgb.r, rgb.g), rgb.b)


def clip_colour(rgb: Vec) -> Vec:
    """W3C's ClipColor: back into 0 to 1 along the line to its grey."""
    grey = clamp(luma_601(rgb))
    low, high = minimum(_least(rgb), 0.0), maximum(_most(rgb), 1.0)
    from_below = grey / maximum(grey - low, TINY)
    from_above = (1.0 - grey) / maximum(high - grey, TINY)
    return grey + (rgb - grey) * from_below * from_above


def set_luma(rgb: Vec, grey: Vec) -> Vec:
    """W3C's SetLum."""
    return clip_colour(rgb + (grey - luma_601(rgb)))


def saturation_of(rgb: Vec) -> Vec:
    """W3C's Sat: the spread between the largest and the smallest of r, g, b."""
    return _most(rgb) - _least(rgb)


def set_saturation(rgb: Vec, spread: Vec) -> Vec:
    """W3C's SetSat: the smallest at 0, the largest at `spread`, the middle one in proportion."""
    return (rgb - _least(rgb)) * (spread / maximum(saturation_of(rgb), TINY))
