"""Filter: look at the neighbourhood of a pixel. Blur, sharpen, glow, find edges."""

from __future__ import annotations

import cv2
import numpy as np

from ..graph.declare import In, Out, Param, PixelNode, ProcessNode, inner, param, port, result, same
from ..graph.types import Colour, Image, Mask, Number
from ..runtime.frames import Frame
from ..runtime.pixel import blurred, clamp, length, luma, maximum, mix, smoothstep, vec
from ..runtime.pixel.colour import unpremultiply
from .geometry import buffer, scaled

__all__ = ["Blur", "BlurMask", "Edges", "Glow", "Sharpen", "SoftFocus"]


class Blur(PixelNode, type="filter.blur"):
    """Blur by a Gaussian. Premultiplied, so no dark rim appears around a cut-out."""

    image: In[Image] = port(doc="the picture")
    radius: Param[Number] = param(0.01, low=0, high=0.1, step=0.001, unit="frame heights", doc="the Gaussian's sigma")
    out: Out[Image] = result(doc="the picture, blurred")

    def pixel(self, image, radius):
        return image.gaussian(radius)


class BlurMask(PixelNode, type="filter.blur_by_mask"):
    """Blur only where a mask says: a shallow focus. Between 0 and 1 the sharp and the blurred are mixed."""

    image: In[Image] = port(domain=True, doc="the picture")
    mask: In[Mask] = port(doc="1 blurred, 0 sharp")
    radius: Param[Number] = param(0.01, low=0, high=0.1, step=0.001, unit="frame heights", doc="the Gaussian's sigma")
    out: Out[Image] = result(doc="the picture, partly blurred")

    def pixel(self, image, mask, radius):
        return mix(image, image.gaussian(radius), clamp(mask))


class Sharpen(PixelNode, type="filter.sharpen"):
    """Unsharp mask: add what a Gaussian blur would take away.

    `threshold` leaves faint detail alone, so that noise and pores stay as they are.
    """

    image: In[Image] = port(doc="the picture")
    amount: Param[Number] = param(0.6, low=0, high=4, step=0.05, doc="0 nothing, 1 doubles the detail")
    radius: Param[Number] = param(0.002, low=0.0005, high=0.02, step=0.0005, unit="frame heights", doc="detail's size")
    threshold: Param[Number] = param(0.01, low=0, high=0.2, step=0.005, doc="brightness steps below half of it stay")
    out: Out[Image] = result(doc="the picture, sharper; alpha as it was")

    def pixel(self, image, amount, radius, threshold):
        detail = image.rgb - blurred(image.rgb, radius)
        strong = smoothstep(0.5 * threshold, 1.5 * threshold + 1e-4, length(detail))
        return vec(image.rgb + detail * (amount * strong), image.a)


class SoftFocus(PixelNode, type="filter.soft_focus"):
    """A portrait lens of old: sharp and soft at once, highlights flowing into shadows.

    The blurred picture is screened over the sharp one, and the middle taken down again.
    """

    image: In[Image] = port(doc="the picture")
    radius: Param[Number] = param(0.012, low=0.001, high=0.06, step=0.001, unit="frame heights", doc="of the softness")
    amount: Param[Number] = param(0.5, low=0, high=1, step=0.01, doc="0 nothing")
    out: Out[Image] = result(doc="the picture, softened; alpha as it was")

    def pixel(self, image, radius, amount):
        sharp, soft = image.rgb, blurred(image.rgb, radius)
        low, high = clamp(sharp, 0.0, image.a), clamp(soft, 0.0, image.a)
        screened = low + high * (1.0 - low)
        return vec(mix(sharp, screened * (0.5 + 0.5 * screened), amount), image.a)


class Glow(ProcessNode, type="filter.glow"):
    """Light flows wide around what is bright, as in fog or an old lens: a tight core and a long, soft tail.

    What is brighter than `threshold` is blurred at three widths on a picture of 180 lines (so its cost hardly
    depends on the frame) and screened onto the picture. For a small, exact halo take `composite.bloom`.
    """

    image: In[Image] = port(doc="the picture")
    threshold: Param[Number] = param(0.6, low=0, high=4, step=0.01, doc="brightness (Rec. 709) where glowing begins")
    knee: Param[Number] = param(0.3, low=0.01, high=1, step=0.01, doc="half the width of the soft beginning")
    radius: Param[Number] = param(0.03, low=0.006, high=0.1, step=0.001, unit="frame heights",
                                  doc="sigma of the middle width; the others are half and double")  # fmt: skip
    intensity: Param[Number] = param(0.6, low=0, high=4, step=0.01, doc="how strongly")
    tint: Param[Colour] = param((1.0, 0.96, 0.9, 1.0), widget="colour", doc="of the glow")
    halo: Out[Image] = inner(space=same("image"), doc="what is added, small")
    out: Out[Image] = result(doc="the picture with its glow; alpha as it was")

    LINES = 180
    SHARES = (0.45, 0.33, 0.22)  # of the narrow, middle and wide halo

    def process(self, image, threshold, knee, radius):
        height = min(self.LINES, image.height)
        width = max(1, round(image.width * height / image.height))
        small = buffer(self, "_small", (height, width, image.channels))
        cv2.resize(image.data, (width, height), dst=small, interpolation=cv2.INTER_AREA)
        halo = buffer(self, "_halo", (height, width, 4))
        bright = buffer(self, "_bright", (height, width, 3))
        self._bright_part(small[..., :3], threshold, knee, bright)
        halo[..., :3] = self._wide(bright, max(0.5 * radius * height, 0.3), 0)
        return Frame(halo, scaled(image.geometry, width, height), image.space)

    def _bright_part(self, rgb, threshold, knee, into):
        """Values times how far their grey is over the threshold, softly."""
        grey, edge, over = (buffer(self, name, rgb.shape[:2]) for name in ("_grey", "_edge", "_over"))
        cv2.transform(rgb, REC_709, dst=grey)
        np.subtract(grey, threshold - knee, out=edge)
        np.clip(edge, 0.0, 2.0 * knee, out=edge)
        np.multiply(edge, edge, out=edge)
        np.divide(edge, 4.0 * knee, out=edge)
        np.maximum(edge, np.subtract(grey, threshold, out=over), out=edge)
        np.divide(edge, np.maximum(grey, 1e-3, out=grey), out=edge)
        np.multiply(rgb, edge[..., None], out=into)
        np.maximum(into, 0.0, out=into)

    def _wide(self, bright, sigma, level):
        """This width's blur, and the wider ones on a picture half the size."""
        height, width = bright.shape[:2]
        blur = buffer(self, f"_blur{level}", bright.shape)
        cv2.GaussianBlur(bright, (0, 0), sigma, dst=blur, borderType=cv2.BORDER_REPLICATE)
        blur *= self.SHARES[level]
        if level < 2:
            half = buffer(self, f"_half{level}", (max(1, height // 2), max(1, width // 2), 3))
            cv2.resize(bright, half.shape[1::-1], dst=half, interpolation=cv2.INTER_AREA)
            wide = buffer(self, f"_wide{level}", bright.shape)
            cv2.resize(self._wide(half, sigma, level + 1), (width, height), dst=wide, interpolation=cv2.INTER_LINEAR)
            blur += wide
        return blur

    def pixel(self, image, halo, intensity, tint):
        glow = maximum(halo.rgb, 0.0) * tint.rgb * intensity
        return vec(image.rgb + glow / (1.0 + glow) * maximum(1.0 - image.rgb, 0.0), image.a)


REC_709 = np.array([[0.2126, 0.7152, 0.0722]], np.float32)


class Edges(PixelNode, type="filter.edges"):
    """Where brightness changes, by Scharr's 3×3 gradient: a line drawing's mask.

    It looks at the next pixels, whatever their size: on a larger picture lines are finer.
    """

    image: In[Image] = port(doc="the picture")
    low: Param[Number] = param(0.015, low=0, high=1, step=0.005, doc="gradients below are no edge; brightness a pixel")
    high: Param[Number] = param(0.09, low=0, high=1, step=0.005, doc="gradients above are fully one")
    out: Out[Mask] = result(doc="1 on edges")

    def pixel(self, image, low, high):
        grey = {(i, j): luma(unpremultiply(image.near(i, j))) for i in (-1, 0, 1) for j in (-1, 0, 1)}

        def slope(a, b, c, d, e, f):
            return (3.0 * (grey[d] - grey[a]) + 10.0 * (grey[e] - grey[b]) + 3.0 * (grey[f] - grey[c])) / 32.0

        across = slope((-1, -1), (-1, 0), (-1, 1), (1, -1), (1, 0), (1, 1))
        down = slope((-1, -1), (0, -1), (1, -1), (-1, 1), (0, 1), (1, 1))
        return smoothstep(low, high, length(vec(across, down)))
