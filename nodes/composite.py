"""Composite: lay pictures over one another, and finish the whole: bloom, vignette, grain.

Alpha is premultiplied and follows W3C's Compositing and Blending Level 1.
"""

from __future__ import annotations

from collections.abc import Callable

from ..graph.declare import In, Out, Param, PixelNode, param, port, result
from ..graph.types import Choice, Colour, Image, Integer, Mask, Number, Vector2
from ..runtime.pixel import (
    Vec,
    absolute,
    blurred,
    clamp,
    floor,
    fract,
    hash21,
    luma,
    maximum,
    minimum,
    mix,
    select,
    smoothstep,
    sqrt,
    vec,
)  # fmt: skip
from ..runtime.pixel.colour import luma_601, saturation_of, set_luma, set_saturation, unpremultiply

__all__ = [
    "BLEND_MODES", "OPERATORS", "Background", "Blend", "Bloom", "Grain", "Operator", "Over", "Switch",
    "Vignette",
]  # fmt: skip

TINY = 1e-6


def hard_light(below: Vec, above: Vec) -> Vec:
    """Multiply where `above` is dark, screen where it is light."""
    twice = above * 2.0
    return select(above <= 0.5, below * twice, below + (twice - 1.0) - below * (twice - 1.0))


def soft_light(below: Vec, above: Vec) -> Vec:
    """W3C's soft light: its own polynomial below a quarter, the square root above."""
    dark = ((16.0 * below - 12.0) * below + 4.0) * below
    lift = select(below <= 0.25, dark, sqrt(below)) - below
    darker = below - (1.0 - 2.0 * above) * below * (1.0 - below)
    return select(above <= 0.5, darker, below + (2.0 * above - 1.0) * lift)


def colour_dodge(below: Vec, above: Vec) -> Vec:
    """`below` divided by what `above` leaves; black stays black."""
    return select(below <= 0.0, 0.0, minimum(below / maximum(1.0 - above, TINY), 1.0))


def colour_burn(below: Vec, above: Vec) -> Vec:
    """The dodge of the negatives; white stays white."""
    return select(below >= 1.0, 1.0, 1.0 - minimum((1.0 - below) / maximum(above, TINY), 1.0))


def _hue(below: Vec, above: Vec) -> Vec:
    return set_luma(set_saturation(above, saturation_of(below)), luma_601(below))


def _saturation(below: Vec, above: Vec) -> Vec:
    return set_luma(set_saturation(below, saturation_of(above)), luma_601(below))


# mode → (B of backdrop and source, both opaque; defined between 0 and 1 only)
BLEND_MODES: dict[str, tuple[Callable[[Vec, Vec], Vec], bool]] = {
    "normal": (lambda below, above: above, False),
    "multiply": (lambda below, above: below * above, False),
    "screen": (lambda below, above: below + above - below * above, True),
    "overlay": (lambda below, above: hard_light(above, below), True),
    "darken": (minimum, False),
    "lighten": (maximum, False),
    "colour-dodge": (colour_dodge, True),
    "colour-burn": (colour_burn, True),
    "hard-light": (hard_light, True),
    "soft-light": (soft_light, True),
    "difference": (lambda below, above: absolute(below - above), False),
    "exclusion": (lambda below, above: below + above - 2.0 * below * above, True),
    "hue": (_hue, True),
    "saturation": (_saturation, True),
    "colour": (lambda below, above: set_luma(above, luma_601(below)), True),
    "luminosity": (lambda below, above: set_luma(below, luma_601(above)), True),
}
MODES = (*BLEND_MODES, "plus")


def union(a: Vec, b: Vec) -> Vec:
    """Two alphas over each other; written so that it is known to be 1 where one of them is."""
    return 1.0 - (1.0 - a) * (1.0 - b)


class Blend(PixelNode, type="composite.blend"):
    """Lay a picture over another in one of W3C's sixteen blend modes, or add their light (`plus`).

    The result's colour is (1 − αb)·αs·Cs + (1 − αs)·αb·Cb + αs·αb·B(Cb, Cs), its alpha αs + αb·(1 − αs), where αs is
    the upper picture's alpha times `opacity` and `mask`. Modes that W3C defines between 0 and 1 see clamped values;
    normal, multiply, darken, lighten, difference and plus do not clamp.
    """

    below: In[Image] = port(domain=True, doc="the backdrop")
    above: In[Image] = port(doc="the picture laid over it")
    mask: In[Mask] = port(optional=True, default=(1.0,), doc="where the upper one shows; unwired: everywhere")
    mode: Param[Choice] = param("normal", choices=MODES, doc="how colours meet where both pictures are")
    opacity: Param[Number] = param(1.0, low=0, high=1, step=0.01, doc="of the upper picture")
    out: Out[Image] = result(doc="both, as one")

    def pixel(self, below, above, mask, mode, opacity):
        share = clamp(mask * opacity)
        alpha = above.a * share
        if mode == "plus":
            return vec(below.rgb + above.rgb * share, minimum(below.a + alpha, 1.0))
        formula, bounded = BLEND_MODES[mode]
        both = alpha * below.a
        if mode == "normal":
            return vec(above.rgb * share + below.rgb * (1.0 - alpha), union(alpha, below.a))
        source, backdrop = unpremultiply(above), unpremultiply(below)
        met = formula(clamp(backdrop), clamp(source)) if bounded else formula(backdrop, source)
        rgb = above.rgb * (share * (1.0 - below.a)) + below.rgb * (1.0 - alpha) + met * both
        return vec(rgb, union(alpha, below.a))


# operator → what stays of the picture above, by the alpha below, and of the picture below, by the alpha above
OPERATORS: dict[str, tuple[Callable[[Vec], Vec | float], Callable[[Vec], Vec | float]]] = {
    "clear": (lambda below: 0.0, lambda above: 0.0),
    "copy": (lambda below: 1.0, lambda above: 0.0),
    "destination": (lambda below: 0.0, lambda above: 1.0),
    "source-over": (lambda below: 1.0, lambda above: 1.0 - above),
    "destination-over": (lambda below: 1.0 - below, lambda above: 1.0),
    "source-in": (lambda below: below, lambda above: 0.0),
    "destination-in": (lambda below: 0.0, lambda above: above),
    "source-out": (lambda below: 1.0 - below, lambda above: 0.0),
    "destination-out": (lambda below: 0.0, lambda above: 1.0 - above),
    "source-atop": (lambda below: below, lambda above: 1.0 - above),
    "destination-atop": (lambda below: 1.0 - below, lambda above: above),
    "xor": (lambda below: 1.0 - below, lambda above: 1.0 - above),
    "lighter": (lambda below: 1.0, lambda above: 1.0),
}


class Operator(PixelNode, type="composite.operator"):
    """Put two pictures together by one of Porter and Duff's operators, as W3C names them.

    They say what stays of each picture inside and outside the other: `source-in` keeps the upper one only where the lower one is,
    `destination-out` cuts the upper one's shape out of the lower one. The source is `above`, the destination `below`;
    `opacity` fades from the lower picture alone to the result. `lighter` adds, and alpha stops at 1.
    """

    below: In[Image] = port(domain=True, doc="the destination")
    above: In[Image] = port(doc="the source")
    operator: Param[Choice] = param("source-atop", choices=tuple(OPERATORS), doc="what stays of which, and where")
    opacity: Param[Number] = param(1.0, low=0, high=1, step=0.01, doc="0 the lower picture, 1 the result")
    out: Out[Image] = result(doc="both, as one")

    def pixel(self, below, above, operator, opacity):
        of_above, of_below = OPERATORS[operator]
        made = above * of_above(below.a) + below * of_below(above.a)
        if operator == "lighter":
            made = vec(made.rgb, minimum(made.a, 1.0))
        return mix(below, made, opacity)


class Over(PixelNode, type="composite.over"):
    """Lay a picture over another: Porter and Duff's `over`."""

    below: In[Image] = port(domain=True, doc="the backdrop")
    above: In[Image] = port(doc="the picture laid over it, premultiplied")
    opacity: Param[Number] = param(1.0, low=0, high=1, step=0.01, doc="of the upper picture")
    out: Out[Image] = result(doc="both, as one")

    def pixel(self, below, above, opacity):
        alpha = above.a * opacity
        return vec(above.rgb * opacity + below.rgb * (1.0 - alpha), union(alpha, below.a))


class Background(PixelNode, type="composite.background"):
    """Put what the mask covers before a new background.

    `choke` draws the mask's edge in, which removes a rim of the old background.
    """

    image: In[Image] = port(domain=True, doc="the picture with the person")
    mask: In[Mask] = port(doc="the person")
    background: In[Image] = port(doc="what to put behind")
    choke: Param[Number] = param(0.0, low=0, high=0.95, step=0.01, doc="mask values up to this count as background")
    out: Out[Image] = result(doc="the person before the new background")

    def pixel(self, image, mask, background, choke):
        share = clamp((mask - choke) / (1.0 - choke))
        alpha = image.a * share
        return vec(image.rgb * share + background.rgb * (1.0 - alpha), union(alpha, background.a))


class Switch(PixelNode, type="composite.switch"):
    """One of two pictures, as a Boolean (or a Number from 0 to 1, which cross-fades) says."""

    off: In[Image] = port(domain=True, doc="shown at no (0)")
    on: In[Image] = port(doc="shown at yes (1)")
    amount: Param[Number] = param(0.0, low=0, high=1, step=0.01, doc="0 the first, 1 the second, between: a fade")
    out: Out[Image] = result(doc="one of them, or their mixture")

    def pixel(self, off, on, amount):
        return mix(off, on, clamp(amount))


class Bloom(PixelNode, type="composite.bloom"):
    """Bright parts glow, as through a lens or a mist filter.

    What is brighter than `threshold` (softly: `knee` wide) is blurred by a Gaussian and screened onto the picture, which
    never dims. Alpha stays: around a cut-out the glow is pure light, which `over` adds to what is behind.
    """

    image: In[Image] = port(doc="the picture")
    threshold: Param[Number] = param(0.7, low=0, high=4, step=0.01, doc="brightness where glowing begins")
    knee: Param[Number] = param(0.25, low=0.01, high=1, step=0.01, doc="half the width of the soft beginning")
    radius: Param[Number] = param(
        0.02, low=0.001, high=0.06, step=0.001, unit="frame heights", doc="the Gaussian's sigma: how far it glows"
    )
    intensity: Param[Number] = param(0.6, low=0, high=4, step=0.01, doc="how strongly")
    tint: Param[Colour] = param((1.0, 0.96, 0.9, 1.0), widget="colour", doc="of the glow")
    out: Out[Image] = result(doc="the picture with its glow")

    def pixel(self, image, threshold, knee, radius, intensity, tint):
        light = maximum(maximum(image.r, image.g), image.b)
        edge = clamp(light - threshold + knee, 0.0, 2.0 * knee)
        over = maximum(edge * edge / (4.0 * knee), light - threshold)
        bright = image.rgb * (over / maximum(light, 1e-3))
        glow = maximum(blurred(bright, radius), 0.0) * tint.rgb * intensity
        return vec(image.rgb + glow / (1.0 + glow) * maximum(1.0 - image.rgb, 0.0), image.a)


class Vignette(PixelNode, type="composite.vignette"):
    """Darken (or lighten) towards the corners.

    The fall-off follows cos⁴ of the angle, as in a lens, rounded to the frame as `roundness` says.
    """

    image: In[Image] = port(doc="the picture")
    amount: Param[Number] = param(0.4, low=-1, high=1, step=0.01, doc="darker (above 0) or lighter in the corner")
    size: Param[Number] = param(0.75, low=0.1, high=2, step=0.01, doc="larger begins farther out")
    roundness: Param[Number] = param(0.5, low=0, high=1, step=0.01, doc="0 an ellipse as the frame, 1 a circle")
    centre: Param[Vector2] = param((0.0, 0.0), low=-1, high=1, step=0.01, unit="frame heights",
                                   doc="from the frame's centre, x right, y down")  # fmt: skip
    out: Out[Image] = result(doc="the picture, shaded")

    def pixel(self, image, amount, size, roundness, centre, at):
        wide = mix(at.aspect, 1.0, roundness)
        x = (at.x - 0.5 * at.aspect - centre.x) / wide
        y = at.y - 0.5 - centre.y
        slope = (x * x + y * y) / (size * size)
        light = 1.0 / ((1.0 + slope) * (1.0 + slope))
        return vec(image.rgb * (1.0 - amount * (1.0 - light)), image.a)


class Grain(PixelNode, type="composite.grain"):
    """Film grain: soft, random, new with each frame; strongest in the middle greys, none in black and white.

    Sized in frame heights, so that a picture keeps its look at any resolution. Two layers of smooth noise, turned
    against one another, hide the lattice. The same seed and frame give the same grain everywhere.
    """

    image: In[Image] = port(doc="the picture")
    amount: Param[Number] = param(0.05, low=0, high=1, step=0.005, doc="the noise's height in the middle greys")
    size: Param[Number] = param(0.0022, low=0.0007, high=0.02, step=0.0001, unit="frame heights", doc="of a grain")
    colour: Param[Choice] = param("black and white", choices=("black and white", "colour"), doc="one grain or three")
    hold: Param[Integer] = param(1, low=1, high=60, unit="frames", doc="how long one pattern stays")
    seed: Param[Integer] = param(0, low=0, high=999, doc="another number is another film")
    out: Out[Image] = result(doc="the picture with grain")

    def pixel(self, image, amount, size, colour, hold, seed, at):
        frame = floor(at.frame / hold)
        layers = range(3) if colour == "colour" else range(1)
        noise = [film_noise(at.x / size, at.y / size, frame, seed * 8.0 + float(layer)) for layer in layers]
        grey = clamp(luma(unpremultiply(image)))
        response = sqrt(grey * (1.0 - grey)) * 2.0 * clamp(grey * 12.0)
        return vec(image.rgb + vec(*noise) * (response * amount * image.a), image.a)


def film_noise(x: Vec, y: Vec, frame: Vec, seed: Vec) -> Vec:
    """Smooth noise about 0, spread about 0.5, on a lattice of 1, of a frame's own place."""
    shift_x, shift_y = hash21(frame, 17.0, seed) * 512.0, hash21(frame, 71.0, seed) * 512.0
    first = value_noise(x + shift_x, y + shift_y, seed * 2.0)
    second = value_noise(0.8 * x - 0.6 * y + shift_y, 0.6 * x + 0.8 * y + shift_x, seed * 2.0 + 1.0)
    return (first + second - 1.0) * 1.4


def value_noise(x: Vec, y: Vec, seed: Vec) -> Vec:
    """0 to 1: white noise at whole places, joined by smooth steps."""
    i, j, s, t = floor(x), floor(y), smoothstep(0.0, 1.0, fract(x)), smoothstep(0.0, 1.0, fract(y))
    top = mix(hash21(i, j, seed), hash21(i + 1.0, j, seed), s)
    bottom = mix(hash21(i, j + 1.0, seed), hash21(i + 1.0, j + 1.0, seed), s)
    return mix(top, bottom, t)
