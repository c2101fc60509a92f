"""Filter: look at the neighbourhood of a pixel. Blur, sharpen, find edges."""

from __future__ import annotations

from ..graph.declare import In, Out, Param, PixelNode, param, port, result
from ..graph.types import Image, Mask, Number
from ..runtime.pixel import blurred, clamp, length, luma, mix, smoothstep, vec
from ..runtime.pixel.colour import unpremultiply

__all__ = ["Blur", "BlurMask", "Edges", "Sharpen", "SoftFocus"]


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


class Edges(PixelNode, type="filter.edges"):
    """Where brightness changes, by Scharr's 3×3 gradient: a line drawing's mask.

    It looks at the next pixels, whatever their size: on a larger picture lines are finer.
    """

    image: In[Image] = port(doc="the picture")
    low: Param[Number] = param(0.05, low=0, high=1, step=0.005, doc="gradients below are no edge; brightness a pixel")
    high: Param[Number] = param(0.2, low=0, high=1, step=0.005, doc="gradients above are fully one")
    out: Out[Mask] = result(doc="1 on edges")

    def pixel(self, image, low, high):
        grey = {(i, j): luma(unpremultiply(image.near(i, j))) for i in (-1, 0, 1) for j in (-1, 0, 1)}

        def slope(a, b, c, d, e, f):
            return (3.0 * (grey[d] - grey[a]) + 10.0 * (grey[e] - grey[b]) + 3.0 * (grey[f] - grey[c])) / 32.0

        across = slope((-1, -1), (-1, 0), (-1, 1), (1, -1), (1, 0), (1, 1))
        down = slope((-1, -1), (0, -1), (1, -1), (-1, 1), (0, 1), (1, 1))
        return smoothstep(low, high, length(vec(across, down)))
