"""Composite: let a cut-out sit in its new place. The background's light around its edge, and on all of it."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from ..graph.declare import In, Out, Param, ProcessNode, inner, param, port, result, same
from ..graph.types import Image, Mask, Number
from ..runtime.frames import Frame
from ..runtime.pixel import At, Raster, Vec, clamp, luma, maximum, mix, vec
from .geometry import buffer, scaled, seen, shrunk

__all__ = ["Ambient", "LightWrap"]

FINEST = 360  # lines of the small picture


class LightWrap(ProcessNode, type="composite.light_wrap"):
    """Let the background's light bleed around a person's edge, so that a cut-out sits in its new place.

    The blurred background is screened onto the inside of the mask's edge, as deep as the blur is wide. Give it the cut-out
    before it is laid over the background; on the finished composite it also brightens the rim outside.
    """

    image: In[Image] = port(domain=True, doc="the cut-out, or the finished composite")
    mask: In[Mask] = port(doc="the person")
    background: In[Image] = port(doc="what is behind")
    radius: Param[Number] = param(0.015, low=0.001, high=0.2, step=0.001, unit="frame heights", doc="blur's sigma")
    amount: Param[Number] = param(0.5, low=0, high=1, step=0.01, doc="0 nothing, 1 all of it")
    behind: Out[Image] = inner(space=same("image"), doc="the blurred background, and how much of it is near")
    out: Out[Image] = result(space=same("image"), doc="the same with light around its edge")

    def process(self, mask: Frame, background: Frame, radius: float, tick: Any) -> Frame:
        """On a picture so small that the Gaussian is two pixels wide."""
        share = radius * tick.height / max(abs(mask.geometry.to_frame[4]) * mask.height, 1e-9)
        lines = min(max(45, round(2.0 / share)), FINEST, mask.height)
        width = max(1, round(mask.width * lines / mask.height))
        behind, light = buffer(self, "_behind", (lines, width, 4)), buffer(self, "_light", (lines, width, background.channels))
        cover = buffer(self, "_cover", (lines, width))
        seen(self, "_lights", background, mask.geometry, light)
        shrunk(self, "_covers", mask.data, cover)
        behind[..., :3] = light[..., :3]
        np.subtract(1.0, cover, out=behind[..., 3])
        cv2.GaussianBlur(behind, (0, 0), max(share * lines, 0.3), dst=behind, borderType=cv2.BORDER_REPLICATE)
        return Frame(behind, scaled(mask.geometry, width, lines), mask.space)

    def pixel(self, image: Raster, mask: Raster, behind: Raster, amount: Vec, at: At) -> Vec:
        near = behind.sample(at.x, at.y)
        light = clamp(near.rgb) * (clamp(near.a * 2.0) * mask * amount)
        return vec(image.rgb + light * (image.a - clamp(image.rgb, 0.0, image.a)), image.a)


class Ambient(ProcessNode, type="composite.ambient"):
    """Light a cut-out by its new background: its colours from each side, and as bright as it is there.

    The background, blurred to a few soft spots, colours what stands before it; white light changes nothing but brightness.
    """

    image: In[Image] = port(domain=True, doc="the cut-out, premultiplied")
    background: In[Image] = port(doc="what it will stand before")
    colour: Param[Number] = param(0.35, low=0, high=1, step=0.01, doc="how much of the background's colour it takes")
    brightness: Param[Number] = param(0.25, low=0, high=1, step=0.01, doc="how much it follows dark and light places")
    spots: Out[Image] = inner(space=same("image"), doc="the background's hue (white is 1) and, as alpha, brightness, 12 by 8")
    out: Out[Image] = result(space=same("image"), doc="the cut-out, lit; alpha as it was")

    def process(self, background: Frame) -> Frame:
        few, spots = buffer(self, "_few", (8, 12, background.channels)), buffer(self, "_spots", (8, 12, 4))
        shrunk(self, "_lights", background.data, few)
        cv2.GaussianBlur(few, (0, 0), 1.5, dst=few, borderType=cv2.BORDER_REPLICATE)
        light = np.maximum(few[..., :3], 0.0)
        grey = light @ REC_709
        spots[..., :3] = np.clip((light + 0.05) / (grey[..., None] + 0.05), 0.4, 1.8)
        spots[..., 3] = np.clip(0.55 + grey, 0.5, 1.3)
        return Frame(spots, scaled(background.geometry, 12, 8), background.space)

    def pixel(self, image: Raster, spots: Raster, colour: Vec, brightness: Vec, at: At) -> Vec:
        light = spots.sample(at.x, at.y)
        tinted = image.rgb * mix(1.0, light.rgb, colour)
        kept = luma(image.rgb) / maximum(luma(tinted), 1e-4)  # a red light burns no red cheek
        return vec(tinted * (kept * mix(1.0, light.a, brightness)), image.a)


REC_709 = np.array([0.2126, 0.7152, 0.0722], np.float32)
