"""Geometry: move, turn, cut and scale pictures, and place pictures from files in the frame."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from ..graph.declare import (
    In,
    Out,
    Param,
    PixelNode,
    ProcessNode,
    frame_space,
    inner,
    new_space,
    param,
    port,
    result,
    same,
)  # fmt: skip
from ..graph.types import Boolean, Choice, Image, Mask, Number, Vector2
from ..runtime.frames import Frame, Geometry
from ..runtime.pixel import Vec, cos, maximum, minimum, sin, vec

__all__ = ["Crop", "Mirror", "Place", "Resize", "ResizeMask", "Transform", "TransformMask"]

DEGREES = 0.017453292519943295
OUTSIDE = ("zero", "clamp", "mirror")


class Moved(PixelNode):
    """What the transforms share."""

    translate: Param[Vector2] = param(
        (0.0, 0.0), low=-4, high=4, step=0.005, unit="frame heights", doc="to the right, down"
    )
    rotate: Param[Number] = param(0.0, low=-360, high=360, step=1, unit="°", doc="clockwise, about the pivot")
    scale: Param[Vector2] = param((1.0, 1.0), low=-16, high=16, step=0.01, doc="across and down, about the pivot")
    pivot: Param[Vector2] = param(
        (0.0, 0.0), low=-2, high=2, step=0.005, unit="frame heights", doc="from the frame's centre, x right, y down"
    )
    outside: Param[Choice] = param("zero", choices=OUTSIDE, doc="beyond the edge: nothing, the edge's pixels, a mirror")


def source_place(at, translate: Vec, rotate: Vec, scale: Vec, pivot: Vec) -> Vec:
    """Where in the untransformed picture a pixel comes from: the inverse of scale, then rotate, then translate."""
    middle = vec(0.5 * at.aspect, 0.5) + pivot
    x, y = vec(at.x, at.y) - middle - translate
    c, s = cos(rotate * DEGREES), sin(rotate * DEGREES)
    turned = vec(c * x + s * y, c * y - s * x)
    return turned * inverse(scale) + middle


def inverse(scale: Vec) -> Vec:
    """1 / scale, bounded where scale is 0: the picture is then thinner than can be seen."""
    return scale / maximum(scale * scale, 1e-8)


class Transform(Moved, type="geometry.transform"):
    """Move, turn and scale a picture within its frame: scale first, then rotate, then translate.

    Bilinear: shrink far below half its size with `geometry.resize`, which averages.
    """

    image: In[Image] = port(doc="the picture")
    out: Out[Image] = result(doc="the picture, moved")

    def pixel(self, image, translate, rotate, scale, pivot, outside, at):
        return image.sample(*source_place(at, translate, rotate, scale, pivot), border=outside)


class TransformMask(Moved, type="geometry.transform_mask"):
    """Move, turn and scale a mask within its frame: scale first, then rotate, then translate."""

    mask: In[Mask] = port(doc="the mask")
    out: Out[Mask] = result(doc="the mask, moved")

    def pixel(self, mask, translate, rotate, scale, pivot, outside, at):
        return mask.sample(*source_place(at, translate, rotate, scale, pivot), border=outside)


class Mirror(PixelNode, type="geometry.mirror"):
    """Swap left and right, or top and bottom."""

    image: In[Image] = port(doc="the picture")
    across: Param[Boolean] = param(True, doc="swap left and right")
    down: Param[Boolean] = param(False, doc="swap top and bottom")
    out: Out[Image] = result(doc="the picture, mirrored")

    def pixel(self, image, across, down, at):
        x = at.x + across * (at.aspect - 2.0 * at.x)
        return image.sample(x, at.y + down * (1.0 - 2.0 * at.y))


def buffer(node: Any, name: str, shape: tuple[int, ...], dtype: Any = np.float32) -> np.ndarray:
    """An array of the node's own that lives as long as its shape and kind stay."""
    held = node.__dict__.get(name)
    if held is None or held.shape != shape or held.dtype != dtype:
        held = node.__dict__[name] = np.zeros(shape, dtype)
    return held


def shrunk(node: Any, name: str, pixels: np.ndarray, into: np.ndarray) -> None:
    """Average pixels to the size of `into`, halving while they are more than twice as many, and even, across and down.

    OpenCV halves many times as fast as it averages.
    """
    lines, width = into.shape[:2]
    level = 0
    while min(pixels.shape[0] / lines, pixels.shape[1] / width) > 2.0 and not (pixels.shape[0] % 2 or pixels.shape[1] % 2):
        shape = (pixels.shape[0] // 2, pixels.shape[1] // 2, *pixels.shape[2:])
        half = buffer(node, f"{name}{level}", shape, pixels.dtype)
        cv2.resize(pixels, shape[1::-1], dst=half, interpolation=cv2.INTER_AREA)
        pixels, level = half, level + 1
    cv2.resize(pixels, (width, lines), dst=into, interpolation=cv2.INTER_AREA)


def copied(node: Any, pixels: np.ndarray) -> np.ndarray:
    """The pixels in memory of the node's own: what it was given may be overwritten before its output is read."""
    own = buffer(node, "_copy", pixels.shape)
    np.copyto(own, pixels)
    return own


def resized(node: Any, frame: Frame, share: float) -> Frame:
    """The frame at a share of its height, its proportions kept as far as whole pixels allow."""
    height = max(1, round(frame.height * share))
    width = max(1, round(frame.width * height / frame.height))
    if (width, height) == (frame.width, frame.height):
        return Frame(copied(node, frame.data), frame.geometry, frame.space)
    small = buffer(node, "_small", (height, width, frame.channels))
    how = cv2.INTER_AREA if height < frame.height else cv2.INTER_LINEAR
    cv2.resize(frame.data, (width, height), dst=small[..., 0] if frame.channels == 1 else small, interpolation=how)
    return Frame(small, scaled(frame.geometry, width, height), frame.space)


def scaled(geometry: Geometry, width: int, height: int) -> Geometry:
    """The same place at another size."""
    a, b, c, d, e, f = geometry.to_frame
    x, y = geometry.width / width, geometry.height / height
    return Geometry(width, height, (a * x, b * y, c, d * x, e * y, f))


def seen(node: Any, name: str, picture: Frame, over: Geometry, into: np.ndarray) -> None:
    """A picture as it lies over all of another raster, at another size; averaged where both lie alike, else bilinear."""
    a, _, c, _, e, f = over.to_frame
    pa, _, pc, _, pe, pf = picture.geometry.to_frame
    height, width = into.shape[:2]
    whole = (a * over.width, e * over.height, c, f)
    if np.allclose(whole, (pa * picture.width, pe * picture.height, pc, pf), atol=0.01):
        shrunk(node, name, picture.data, into)
        return
    x, y = over.width / width, over.height / height
    matrix = np.array([
        [a * x / pa, 0.0, (c + 0.5 * a * x - pc) / pa - 0.5],
        [0.0, e * y / pe, (f + 0.5 * e * y - pf) / pe - 0.5],
    ])  # fmt: skip
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    cv2.warpAffine(picture.data, matrix, (width, height), dst=into, flags=flags, borderMode=cv2.BORDER_REPLICATE)


class Resize(ProcessNode, type="geometry.resize"):
    """Make a picture smaller or larger in pixels; it stays where it lies and covers the same of the frame.

    Averages pixels when it shrinks. What is costly, or wide (a large blur), is cheaper on a small picture; wired to a
    full-size one it is scaled back smoothly.
    """

    image: In[Image] = port(doc="the picture")
    height: Param[Number] = param(0.5, low=0.01, high=4, step=0.01, doc="new height as a share of the old")
    out: Out[Image] = result(space=same("image"), size="free", doc="the picture, of another size")

    def process(self, image, height):
        return resized(self, image, height)


class ResizeMask(ProcessNode, type="geometry.resize_mask"):
    """Make a mask smaller or larger in pixels; it stays where it lies."""

    mask: In[Mask] = port(doc="the mask")
    height: Param[Number] = param(0.5, low=0.01, high=4, step=0.01, doc="new height as a share of the old")
    out: Out[Mask] = result(space=same("mask"), size="free", doc="the mask, of another size")

    def process(self, mask, height):
        return resized(self, mask, height)


class Crop(ProcessNode, type="geometry.crop"):
    """Cut away a picture's margins. What is left is a space of its own, which knows where in the frame it lies.

    At least one pixel is left. `geometry.place` brings a crop back into the frame.
    """

    image: In[Image] = port(doc="the picture")
    left: Param[Number] = param(0.0, low=0, high=4, step=0.005, unit="frame heights", doc="cut from the left")
    top: Param[Number] = param(0.0, low=0, high=1, step=0.005, unit="frame heights", doc="cut from the top")
    right: Param[Number] = param(0.0, low=0, high=4, step=0.005, unit="frame heights", doc="cut from the right")
    bottom: Param[Number] = param(0.0, low=0, high=1, step=0.005, unit="frame heights", doc="cut from the bottom")
    out: Out[Image] = result(space=new_space, size="free", doc="what is left")

    def process(self, image, left, top, right, bottom, tick):
        a, b, c, d, e, f = image.geometry.to_frame
        per_x, per_y = tick.height / max(abs(a), 1e-9), tick.height / max(abs(e), 1e-9)
        x, right_end = kept(image.width, left * per_x, right * per_x)
        y, bottom_end = kept(image.height, top * per_y, bottom * per_y)
        cut = copied(self, image.data[y:bottom_end, x:right_end])
        moved = (a, b, a * x + b * y + c, d, e, d * x + e * y + f)
        return Frame(cut, Geometry(cut.shape[1], cut.shape[0], moved), f"{image.space}/crop")


def kept(size: int, start: float, end: float) -> tuple[int, int]:
    """First pixel kept and the one after the last, of `size`; at least one is kept."""
    first = min(max(round(start), 0), size - 1)
    return first, max(size - max(round(end), 0), first + 1)


class Place(ProcessNode, type="geometry.place"):
    """Put a picture from a file, or a crop, into the frame.

    `fit` shows all of it, `fill` covers the frame, `stretch` ignores proportions, `size` makes it `scale` frame heights
    high. Outside it is transparent. Bilinear: shrink a picture far larger than the frame with `geometry.resize` first.
    """

    image: In[Image] = port(anywhere=True, doc="a picture of any space")
    how: Param[Choice] = param("fill", choices=("fit", "fill", "stretch", "size"), doc="how its size is found")
    scale: Param[Number] = param(1.0, low=0.01, high=16, step=0.01, doc="factor of that size; for `size`: its height")
    anchor: Param[Vector2] = param(
        (0.5, 0.5), low=0, high=1, step=0.01, doc="which point of it meets the same point of the frame; 0, 0 is top left"
    )
    offset: Param[Vector2] = param(
        (0.0, 0.0), low=-4, high=4, step=0.005, unit="frame heights", doc="moved right, down from there"
    )
    pixels: Out[Image] = inner(space=frame_space, doc="the picture, as it is stored")
    extent: Out[Vector2] = inner(doc="its width and height in pixels")
    out: Out[Image] = result(space=frame_space, doc="the frame with the picture in it")

    def process(self, image):
        height, width = image.data.shape[:2]
        return Frame(copied(self, image.data), Geometry(width, height)), (float(width), float(height))

    def pixel(self, pixels, extent, how, scale, anchor, offset, at):
        own = extent.x / maximum(extent.y, 1.0)
        across = {
            "fit": minimum(at.aspect, own), "fill": maximum(at.aspect, own), "stretch": at.aspect, "size": own,
        }[how] * scale  # fmt: skip
        down = scale if how == "stretch" else across / own
        size = vec(across, down)
        corner = (vec(at.aspect, 1.0) - size) * anchor + offset
        share = (vec(at.x, at.y) - corner) / maximum(size, 1e-6)
        place = share * extent * at.pixel  # a stored pixel is one of the frame's to `sample`
        return pixels.sample(*place, border="zero")
