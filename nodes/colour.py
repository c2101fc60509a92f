"""Colour: change what a picture's values are, each pixel for itself.

All of these work in the effect's working space (`srgb` by default), keep alpha, and fuse into one pass with their
neighbours. Values are not clamped unless a node says so.
"""

from __future__ import annotations

import math

from ..graph.declare import In, Out, Param, PixelNode, param, port, result
from ..graph.types import Colour, Curve, Image, Integer, Look, Number, Vector3
from ..runtime.pixel import clamp, cos, dot, exp2, floor, luma, maximum, mix, power, sin, vec
from ..runtime.pixel.colour import linear_to_srgb, premultiply, srgb_to_linear, unpremultiply, with_saturation

__all__ = [
    "BlackAndWhite", "Cdl", "ChannelMixer", "Clamp", "ColourNode", "Contrast", "Curves", "Exposure", "Gamma", "Grade",
    "Hue", "Invert", "Levels", "LiftGammaGain", "Lut", "Posterise", "Saturation", "Temperature", "Tint", "ToLinear", "ToSrgb",
    "Vibrance", "white_balance",
]  # fmt: skip


class ColourNode(PixelNode):
    """What all of them share: one picture in, one out."""

    image: In[Image] = port(doc="the picture")
    out: Out[Image] = result(doc="the picture, changed; alpha as it was")


class Exposure(ColourNode, type="colour.exposure"):
    """Brighten or darken by stops.

    Each stop doubles the working space's values. In `linear` that is what a lens does; in `srgb` it is stronger in
    the highlights, as phone editors do.
    """

    stops: Param[Number] = param(0.0, low=-6, high=6, step=0.05, unit="EV", doc="one stop doubles the values")

    def pixel(self, image, stops):
        return vec(image.rgb * exp2(stops), image.a)


class Contrast(ColourNode, type="colour.contrast"):
    """Push values away from a pivot, or pull them towards it.

    What lies at the pivot stays. Alpha is respected: nothing appears where the picture is transparent.
    """

    contrast: Param[Number] = param(1.0, low=0, high=4, step=0.01, doc="1 changes nothing, 0 is all pivot")
    pivot: Param[Number] = param(0.5, low=0, high=1, step=0.01, doc="the value that stays, in the working space")

    def pixel(self, image, contrast, pivot):
        return vec(image.rgb * contrast + image.a * (pivot - pivot * contrast), image.a)


class Saturation(ColourNode, type="colour.saturation"):
    """Make colours stronger or weaker around their Rec. 709 grey."""

    saturation: Param[Number] = param(1.0, low=0, high=4, step=0.01, doc="0 is grey, 1 changes nothing")

    def pixel(self, image, saturation):
        return vec(with_saturation(image.rgb, saturation), image.a)


class Vibrance(ColourNode, type="colour.vibrance"):
    """Strengthen weak colours and leave strong ones, so that skin does not burn.

    The saturation applied falls from `amount` at grey to none where a channel is far from the others.
    """

    amount: Param[Number] = param(0.3, low=-1, high=2, step=0.01, doc="extra saturation of the weakest colours")

    def pixel(self, image, amount):
        rgb = unpremultiply(image)
        spread = maximum(maximum(rgb.r, rgb.g), rgb.b) + maximum(maximum(-rgb.r, -rgb.g), -rgb.b)
        weak = 1.0 - clamp(spread)
        return premultiply(with_saturation(rgb, 1.0 + amount * weak * weak), image.a)


LEAST = 0.125  # of an exponent: where none is below, a power costs less


def bent(gamma):
    """The exponent that a gamma stands for."""
    return maximum(1.0 / gamma, LEAST)


def white_balance(temperature, tint):
    """Gains of r, g, b that warm (temperature > 0) and turn to magenta (tint > 0), white's Rec. 709 grey kept."""
    gains = exp2(vec(temperature * 0.45 + tint * 0.15, tint * -0.3, temperature * -0.6 + tint * 0.15))
    return gains / luma(gains)


class Temperature(ColourNode, type="colour.temperature"):
    """White balance: warmer or cooler, greener or more magenta; the brightness of white stays."""

    temperature: Param[Number] = param(0.0, low=-1, high=1, step=0.01, doc="below 0 cooler (blue), above warmer")
    tint: Param[Number] = param(0.0, low=-1, high=1, step=0.01, doc="below 0 greener, above more magenta")

    def pixel(self, image, temperature, tint):
        return vec(image.rgb * white_balance(temperature, tint), image.a)


class Tint(ColourNode, type="colour.tint"):
    """Look through a coloured gel: r, g, b are multiplied by the colour's."""

    colour: Param[Colour] = param((1.0, 0.9, 0.78, 1.0), widget="colour", doc="the gel; its alpha is not used")
    amount: Param[Number] = param(1.0, low=0, high=1, step=0.01, doc="0 no gel, 1 all of it")

    def pixel(self, image, colour, amount):
        return vec(image.rgb * mix(1.0, colour.rgb, amount), image.a)


class Gamma(ColourNode, type="colour.gamma"):
    """Lighten or darken the middle, black and white stay: value ** (1 / gamma). Values below 0 become 0."""

    gamma: Param[Number] = param(1.0, low=0.2, high=5, step=0.01, doc="above 1 lightens, below darkens")

    def pixel(self, image, gamma):
        return premultiply(power(unpremultiply(image), bent(gamma)), image.a)


class LiftGammaGain(ColourNode, type="colour.lift_gamma_gain"):
    """The colourist's three wheels: lift for shadows, gamma for the middle, gain for highlights.

    value → (gain · (value + lift · (1 − value))) ** (1 / gamma), each channel for itself; below 0 becomes 0.
    """

    lift: Param[Vector3] = param((0.0, 0.0, 0.0), low=-1, high=1, step=0.005, widget="wheel", doc="added to black")
    gamma: Param[Vector3] = param((1.0, 1.0, 1.0), low=0.2, high=4, step=0.005, widget="wheel", doc="of the middle")
    gain: Param[Vector3] = param((1.0, 1.0, 1.0), low=0, high=4, step=0.005, widget="wheel", doc="factor of white")

    def pixel(self, image, lift, gamma, gain):
        rgb = unpremultiply(image)
        return premultiply(power(gain * (rgb + lift * (1.0 - rgb)), bent(gamma)), image.a)


class Cdl(ColourNode, type="colour.cdl"):
    """The ASC Colour Decision List, as grading systems exchange it.

    (value · slope + offset) ** power, each channel for itself, then saturation. Intermediate values are held at 0 and above,
    not at 1 and below (the standard's unclamped variant).
    """

    slope: Param[Vector3] = param((1.0, 1.0, 1.0), low=0, high=4, step=0.005, widget="wheel", doc="factor")
    offset: Param[Vector3] = param((0.0, 0.0, 0.0), low=-1, high=1, step=0.005, widget="wheel", doc="added")
    power: Param[Vector3] = param((1.0, 1.0, 1.0), low=0.125, high=4, step=0.005, widget="wheel", doc="exponent")
    saturation: Param[Number] = param(1.0, low=0, high=4, step=0.01, doc="around the Rec. 709 grey, at the end")

    def pixel(self, image, slope, offset, power, saturation):
        rgb = _power(unpremultiply(image) * slope + offset, maximum(power, LEAST))
        return premultiply(with_saturation(rgb, saturation), image.a)


_power = power  # the parameter of that name hides it in Cdl


class Hue(ColourNode, type="colour.hue"):
    """Turn all hues by an angle; brightness stays (SVG's hueRotate matrix)."""

    angle: Param[Number] = param(0.0, low=-180, high=180, step=1, unit="°", doc="60 turns red into yellow, roughly")

    def pixel(self, image, angle):
        radians = angle * (math.pi / 180.0)
        c, s, rgb = cos(radians), sin(radians), image.rgb
        return vec(
            dot(rgb, vec(0.213 + c * 0.787 - s * 0.213, 0.715 - c * 0.715 - s * 0.715, 0.072 - c * 0.072 + s * 0.928)),
            dot(rgb, vec(0.213 - c * 0.213 + s * 0.143, 0.715 + c * 0.285 + s * 0.140, 0.072 - c * 0.072 - s * 0.283)),
            dot(rgb, vec(0.213 - c * 0.213 - s * 0.787, 0.715 - c * 0.715 + s * 0.715, 0.072 + c * 0.928 + s * 0.072)),
            image.a,
        )


class Levels(ColourNode, type="colour.levels"):
    """Set what is black and white, bend the middle, and set what black and white become.

    Values outside `black` to `white` are clamped.
    """

    black: Param[Number] = param(0.0, low=0, high=1, step=0.005, doc="this value and below is black")
    white: Param[Number] = param(1.0, low=0, high=1, step=0.005, doc="this value and above is white")
    gamma: Param[Number] = param(1.0, low=0.2, high=5, step=0.01, doc="above 1 lightens the middle")
    out_black: Param[Number] = param(0.0, low=0, high=1, step=0.005, doc="what black becomes")
    out_white: Param[Number] = param(1.0, low=0, high=1, step=0.005, doc="what white becomes")

    def pixel(self, image, black, white, gamma, out_black, out_white):
        scaled = clamp((unpremultiply(image) - black) / maximum(white - black, 1e-4))
        return premultiply(mix(out_black, out_white, power(scaled, bent(gamma))), image.a)


STRAIGHT = ((0.0, 0.0), (1.0, 1.0))


class Curves(ColourNode, type="colour.curves"):
    """Draw how values map: one curve for each channel, then one for all. Values are clamped to 0 to 1."""

    master: Param[Curve] = param(STRAIGHT, widget="curve", doc="for all three, after their own")
    red: Param[Curve] = param(STRAIGHT, widget="curve", doc="for red")
    green: Param[Curve] = param(STRAIGHT, widget="curve", doc="for green")
    blue: Param[Curve] = param(STRAIGHT, widget="curve", doc="for blue")

    def pixel(self, image, master, red, green, blue):
        r, g, b = unpremultiply(image)
        return premultiply(master(vec(red(r), green(g), blue(b))), image.a)


class Lut(ColourNode, type="colour.lut"):
    """Apply a look: a `.cube` file (3-D, 1-D, or both) by tetrahedral interpolation.

    Looks are made for encoded values: use it in an `srgb` effect, or between `to_srgb` and `to_linear`. Values outside
    the file's domain are held at its edge. Without a file nothing changes.
    """

    look: Param[Look] = param(doc="a .cube file in the effect's assets")
    strength: Param[Number] = param(1.0, low=0, high=1, step=0.01, doc="0 changes nothing, 1 is the whole look")

    def pixel(self, image, look, strength):
        rgb = unpremultiply(image)
        return premultiply(mix(rgb, look(rgb), strength), image.a)


class ChannelMixer(ColourNode, type="colour.channel_mixer"):
    """Make each channel of a mixture of all three: a 3×3 matrix and an offset."""

    red: Param[Vector3] = param((1.0, 0.0, 0.0), low=-2, high=2, step=0.01, doc="red's share of r, g, b")
    green: Param[Vector3] = param((0.0, 1.0, 0.0), low=-2, high=2, step=0.01, doc="green's share of r, g, b")
    blue: Param[Vector3] = param((0.0, 0.0, 1.0), low=-2, high=2, step=0.01, doc="blue's share of r, g, b")
    offset: Param[Vector3] = param((0.0, 0.0, 0.0), low=-1, high=1, step=0.01, doc="added to r, g, b")

    def pixel(self, image, red, green, blue, offset):
        rgb = image.rgb
        return vec(vec(dot(rgb, red), dot(rgb, green), dot(rgb, blue)) + offset * image.a, image.a)


class BlackAndWhite(ColourNode, type="colour.black_and_white"):
    """A black and white photograph, with the say of each colour in your hand.

    More red lightens skin and darkens skies, as a red filter before the lens does. The default is Rec. 709's grey.
    """

    weights: Param[Vector3] = param((0.2126, 0.7152, 0.0722), low=-2, high=2, step=0.01, doc="of r, g, b; sum 1 keeps white")
    amount: Param[Number] = param(1.0, low=0, high=1, step=0.01, doc="0 keeps the colours")

    def pixel(self, image, weights, amount):
        return vec(mix(image.rgb, dot(image.rgb, weights), amount), image.a)


class Posterise(ColourNode, type="colour.posterise"):
    """Reduce each channel to a few steps, as a screen print does. Values are clamped to 0 to 1."""

    steps: Param[Integer] = param(4, low=2, high=64, doc="values left in each channel, black and white among them")

    def pixel(self, image, steps):
        top = steps - 1.0
        return premultiply(floor(clamp(unpremultiply(image)) * top + 0.5) / top, image.a)


class Invert(ColourNode, type="colour.invert"):
    """The negative: 1 − value."""

    amount: Param[Number] = param(1.0, low=0, high=1, step=0.01, doc="0 changes nothing, 0.5 is all grey")

    def pixel(self, image, amount):
        return vec(mix(image.rgb, image.a - image.rgb, amount), image.a)


class Clamp(ColourNode, type="colour.clamp"):
    """Hold values between two bounds."""

    low: Param[Number] = param(0.0, low=-4, high=4, step=0.01, doc="no value stays below")
    high: Param[Number] = param(1.0, low=-4, high=16, step=0.01, doc="no value stays above")

    def pixel(self, image, low, high):
        return vec(clamp(image.rgb, low * image.a, high * image.a), image.a)


class ToLinear(ColourNode, type="colour.to_linear"):
    """Decode sRGB values to light (IEC 61966-2-1), for a part of an `srgb` effect that must add light truly."""

    def pixel(self, image):
        return premultiply(srgb_to_linear(unpremultiply(image)), image.a)


class ToSrgb(ColourNode, type="colour.to_srgb"):
    """Encode light as sRGB values (IEC 61966-2-1): what `to_linear` undoes."""

    def pixel(self, image):
        return premultiply(linear_to_srgb(unpremultiply(image)), image.a)


class Grade(ColourNode, type="colour.grade"):
    """The whole basic grade in one node: white balance, exposure, contrast, saturation, gamma, in that order."""

    temperature: Param[Number] = param(0.0, low=-1, high=1, step=0.01, doc="below 0 cooler, above warmer")
    tint: Param[Number] = param(0.0, low=-1, high=1, step=0.01, doc="below 0 greener, above more magenta")
    exposure: Param[Number] = param(0.0, low=-6, high=6, step=0.05, unit="EV", doc="one stop doubles the values")
    contrast: Param[Number] = param(1.0, low=0, high=4, step=0.01, doc="about the pivot; 1 changes nothing")
    pivot: Param[Number] = param(0.5, low=0, high=1, step=0.01, doc="the value that contrast keeps")
    saturation: Param[Number] = param(1.0, low=0, high=4, step=0.01, doc="0 is grey, 1 changes nothing")
    gamma: Param[Number] = param(1.0, low=0.2, high=5, step=0.01, doc="above 1 lightens the middle")

    def pixel(self, image, temperature, tint, exposure, contrast, pivot, saturation, gamma):
        lit = image.rgb * (white_balance(temperature, tint) * exp2(exposure) * contrast)
        rich = with_saturation(lit + image.a * (pivot - pivot * contrast), saturation)
        return premultiply(power(unpremultiply(vec(rich, image.a)), bent(gamma)), image.a)
