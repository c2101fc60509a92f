"""Key: cut a person out of a coloured screen, and take the screen's colour off them."""

from __future__ import annotations

from ..graph.declare import In, Out, Param, PixelNode, param, port, result
from ..graph.types import Colour, Image, Mask, Number
from ..runtime.pixel import Vec, absolute, clamp, cos, length, luma, maximum, sin, vec
from ..runtime.pixel.colour import unpremultiply

__all__ = ["ChromaKey", "Despill"]

HALF_PI = 1.5707963267948966
GREEN = (0.18, 0.65, 0.28, 1.0)


def chroma(rgb: Vec) -> Vec:
    """Rec. 709's Cb and Cr, −0.5 to 0.5."""
    grey = luma(rgb)
    return vec((rgb.b - grey) / 1.8556, (rgb.r - grey) / 1.5748)


def screen_share(rgb: Vec, screen: Vec, tolerance: Vec) -> Vec:
    """How much of the screen's colour is in a colour: 0 none, 1 as much as in the screen itself.

    In the plane of Cb and Cr, a wedge opens from grey towards the screen's colour, as wide as `tolerance` says (0 a line, 1 a half
    plane). Outside it there is nothing of the screen; inside, the share grows with the distance from its sides.
    """
    key, own = chroma(screen), chroma(rgb)
    far = maximum(length(key), 0.02)
    along = (own.x * key.x + own.y * key.y) / far
    beside = absolute(own.x * key.y - own.y * key.x) / far
    half = clamp(tolerance, 0.02, 0.98) * HALF_PI
    return clamp((along - beside * cos(half) / sin(half)) / far)


def without_screen(rgb: Vec, screen: Vec, share: Vec) -> Vec:
    """The colour that, mixed with that share of the screen, is the one seen; below 0 is held at 0."""
    return maximum(rgb - screen * share, 0.0) / maximum(1.0 - share, 0.05)


class ChromaKey(PixelNode, type="key.chroma"):
    """Cut out what stands before a green (or any strongly coloured) screen, soft where it is soft.

    Each pixel is taken for a mixture of the screen's colour and something else. The screen's share is found in a plane of
    chroma alone, so its shadows and folds go too; hair, glass and motion blur stay half transparent. The mixture is then undone,
    which takes the green rim and the green cast off the person.

    Pick `screen` from the picture, a middling bright place. Raise `shadows` until the screen is clean, then `solid` until the person
    has no holes.
    """

    image: In[Image] = port(doc="the picture before the screen")
    screen: Param[Colour] = param(GREEN, widget="colour", doc="the screen's colour, picked from the picture")
    tolerance: Param[Number] = param(0.5, low=0.02, high=0.98, step=0.01, doc="which hues count: 0.1 nearly one, 0.9 all near it")
    shadows: Param[Number] = param(0.35, low=0, high=0.95, step=0.01, doc="how weak the screen may be and still go altogether")
    solid: Param[Number] = param(0.1, low=0, high=0.9, step=0.01, doc="how much of its colour may lie on the person")
    spill: Param[Number] = param(1.0, low=0, high=1, step=0.01, doc="of the screen's light taken off the person")
    out: Out[Image] = result(doc="the person, premultiplied, the screen transparent")
    mask: Out[Mask] = result(doc="1 on the person, 0 on the screen")

    def pixel(self, image, screen, tolerance, shadows, solid, spill):
        rgb = unpremultiply(image)
        share = screen_share(rgb, screen.rgb, tolerance)
        empty = 1.0 - shadows
        cover = clamp((empty - share) / maximum(empty - solid, 0.02)) * clamp(image.a)
        clean = without_screen(rgb, screen.rgb, share * spill)
        return vec(clean * cover, cover), cover


class Despill(PixelNode, type="key.despill"):
    """Take a coloured screen's or wall's light off a picture: the green cast on hair and shoulders.

    Brightness stays; what gets less of that hue turns towards grey, never into the opposite hue.
    """

    image: In[Image] = port(doc="the picture")
    screen: Param[Colour] = param(GREEN, widget="colour", doc="the hue that spilled")
    tolerance: Param[Number] = param(0.6, low=0.02, high=0.98, step=0.01, doc="which hues count: 0.1 nearly one, 0.9 all near it")
    amount: Param[Number] = param(1.0, low=0, high=1, step=0.01, doc="how much of it goes")
    out: Out[Image] = result(doc="the picture without the cast; alpha as it was")

    def pixel(self, image, screen, tolerance, amount):
        rgb, hue = unpremultiply(image), screen.rgb - luma(screen.rgb)
        share = screen_share(rgb, screen.rgb, tolerance) * amount
        return vec(image.rgb - hue * (share * image.a), image.a)
