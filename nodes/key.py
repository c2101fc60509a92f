"""Key: cut a person out of a picture, and take the old background's colour off them."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np

from ..graph.declare import In, Out, Param, PixelNode, ProcessNode, inner, param, port, result, same
from ..graph.types import Colour, Image, Mask, Number
from ..runtime.frames import Frame
from ..runtime.pixel import Vec, absolute, clamp, cos, dot, length, luma, maximum, mix, sin, smoothstep, vec
from ..runtime.pixel.colour import unpremultiply
from .geometry import buffer, scaled, seen, shrunk

__all__ = ["ChromaKey", "CutOut", "Despill"]

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


class CutOut(ProcessNode, type="key.cut_out"):
    """Cut a person out by a mask, the old background taken out of hair and soft edges: no bright or dark rim.

    Where the mask is between 0 and 1 the pixel is a mixture. What stands in front and what behind are estimated from
    the covered and the uncovered pixels around, and corrected so that the mixture is the one seen (blur fusion, Forte
    and Pitié, 2021). The estimates are made on a small picture.

    `refine` asks the colours as well: where the mask is unsure and front and back differ, how near the pixel is to either
    decides. That finds single hairs, and takes a rim away where the mask lies a little beside the person.
    """

    image: In[Image] = port(domain=True, display=True, doc="the picture with the person")
    mask: In[Mask] = port(doc="the person")
    radius: Param[Number] = param(0.03, low=0.005, high=0.1, step=0.001, unit="frame heights", doc="how far around it looks: "
                                  "as wide as hair is soft")  # fmt: skip
    choke: Param[Number] = param(0.0, low=0, high=0.9, step=0.01, doc="mask values up to this count as background")
    solid: Param[Number] = param(0.0, low=0, high=0.9, step=0.01, doc="mask values this near to 1 count as the person")
    refine: Param[Number] = param(0.7, low=0, high=1, step=0.01, doc="how much colours may correct an unsure mask")
    amount: Param[Number] = param(1.0, low=0, high=1, step=0.01, doc="0 keeps the old background's colour in the edge")
    front: Out[Image] = inner(space=same("image"), doc="colours of what stands in front, small")
    back: Out[Image] = inner(space=same("image"), doc="colours of what is behind, small")
    out: Out[Image] = result(space=same("image"), display=True, doc="the person, premultiplied, the rest transparent")

    LINES = 180

    def process(self, image: Frame, mask: Frame, radius: float, tick: Any) -> tuple[Frame, Frame]:
        lines = min(self.LINES, image.height)
        width = max(1, round(image.width * lines / image.height))
        rgb, cover = small_pair(self, image, mask, width, lines)
        sigma = radius * tick.height * lines / max(abs(image.geometry.to_frame[4]) * image.height, 1e-9)
        front, back = buffer(self, "_front", (lines, width, 4)), buffer(self, "_back", (lines, width, 4))
        spread_from(self, rgb, cover, sigma, front)
        np.subtract(1.0, cover, out=cover)
        spread_from(self, rgb, cover, sigma, back)
        geometry = scaled(image.geometry, width, lines)
        return Frame(front, geometry, image.space), Frame(back, geometry, image.space)

    def pixel(self, image, mask, front, back, choke, solid, refine, amount, at):
        ahead, behind = front.sample(at.x, at.y).rgb, back.sample(at.x, at.y).rgb
        cover = clamp(mask)
        way, own = ahead - behind, image.rgb - behind * image.a
        apart = dot(way, way)
        share = clamp(dot(own, way) / maximum(apart, 1e-3))  # where the pixel lies between back and front
        unsure = clamp(6.0 * cover * (1.0 - cover)) * smoothstep(0.01, 0.12, apart)
        cover = clamp((mix(cover, share, unsure * refine) - choke) / maximum(1.0 - choke - solid, 0.05))
        mixture = ahead * cover + behind * (1.0 - cover)
        clean = clamp(ahead * image.a + (image.rgb - mixture * image.a) * cover, 0.0, image.a)
        return vec(mix(image.rgb, clean, amount) * cover, image.a * cover)


def small_pair(
    node: Any, image: Frame, mask: Frame, width: int, lines: int, curve: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """An 8-bit picture and a mask over it as small float arrays (h, w, 3) and (h, w), 0 to 1; `curve`: 256 values for the bytes."""
    rgb, cover = buffer(node, "_rgb", (lines, width, 3)), buffer(node, "_cover", (lines, width))
    held = buffer(node, "_bytes", (lines, width, 3), np.uint8)
    shrunk(node, "_halves", image.data, held)
    if curve is None:
        np.multiply(held, np.float32(1 / 255), out=rgb)
    else:
        np.take(curve, held, out=rgb, mode="clip")
    seen(node, "_covers", mask, image.geometry, cover)
    np.clip(cover, 0.0, 1.0, out=cover)
    return rgb, cover


def weighed(node: Any, rgb: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """(h, w, 4): colours times weight, and the weight."""
    many, product = buffer(node, "_many", rgb.shape), buffer(node, "_product", rgb.shape)
    cv2.merge((weight, weight, weight), dst=many)  # OpenCV multiplies alike shapes several times as fast as NumPy broadcasts
    cv2.multiply(rgb, many, dst=product)
    return cv2.merge((product, weight), dst=buffer(node, "_given", (*weight.shape, 4)))


def unweighed(node: Any, given: np.ndarray) -> None:
    """Colours of sums of `weighed` ones, in place; the fourth becomes about 1."""
    total, divisor = buffer(node, "_total", given.shape[:2]), buffer(node, "_divisor", given.shape)
    np.add(given[..., 3], 1e-6, out=total)
    cv2.merge((total, total, total, total), dst=divisor)
    cv2.divide(given, divisor, dst=given)


def spread_from(node: Any, rgb: np.ndarray, cover: np.ndarray, sigma: float, into: np.ndarray) -> None:
    """Colours of what is surely covered, spread over what is not: blurred, over blurred coverage; far away, the mean around."""
    sure, wide = buffer(node, "_sure", cover.shape), buffer(node, "_wide", into.shape)
    cv2.multiply(cover, cover, dst=sure)
    cv2.multiply(sure, cover, dst=sure)  # cubed, since half covered pixels are mixtures themselves
    given = weighed(node, rgb, sure)
    window = (2 * round(0.5 * math.sqrt(6.0 * sigma * sigma + 1.0) - 0.5) + 1,) * 2  # twice: as wide as that Gaussian
    cv2.blur(given, window, dst=wide, borderType=cv2.BORDER_REPLICATE)
    cv2.blur(wide, window, dst=into, borderType=cv2.BORDER_REPLICATE)
    cv2.blur(given, (2 * round(3 * sigma) + 1,) * 2, dst=wide, borderType=cv2.BORDER_REPLICATE)
    cv2.scaleAdd(wide, 0.02, into, dst=into)  # so little that it counts only where nothing is near
    unweighed(node, into)
