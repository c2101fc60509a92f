"""Depth of field: what a lens does to what is not in its focus."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from ..graph.declare import In, Out, Param, ProcessNode, inner, param, port, result, same
from ..graph.types import Depth, Image, Number
from ..runtime.frames import Frame
from ..runtime.perception.shrink import Shrinker
from ..runtime.pixel import At, Raster, Vec, clamp, maximum, mix, vec
from .geometry import buffer, scaled

__all__ = ["Focus"]

SHARES = (0.3, 0.6, 1.0)  # of the aperture: how wide the three levels are blurred
FINEST, COARSEST = 240, 60  # lines of the finest level
SIGMA = 1.7  # pixels of its own that a level should be blurred by: less shows its grid, more costs
LEAST = 0.02  # weight of what is in focus in a blur: none would leave holes
DISC = 1.9  # radius of a disc whose variance is that of a Gaussian of sigma 1


class Focus(ProcessNode, type="depth.focus"):
    """Depth of field: sharp at one distance, more and more blurred before and behind it.

    Blurs of three widths are made small and mixed by distance there; the kernel takes them where a pixel is out of
    focus. What is sharp weighs nothing in them, so its colours don't bleed into what is blurred behind it; what is
    blurred before the focus spreads over what is sharp, as it does in a lens. Blurs are discs, and bright spots weigh
    more in them where `highlights` says so.
    """

    image: In[Image] = port(display=True, domain=True, doc="the picture; what is blurred of it is clamped to 0–1")
    depth: In[Depth] = port(doc="metres")
    distance: Param[Number] = param(1.2, low=0.1, high=50, step=0.05, unit="m", doc="of what is sharp")
    aperture: Param[Number] = param(
        0.012, low=0.0, high=0.04, step=0.001, unit="frame heights", doc="the widest blur's sigma, of what is far behind"
    )
    range: Param[Number] = param(0.15, low=0, high=0.9, step=0.01, doc="how much nearer or farther is still sharp, as a share")
    highlights: Param[Number] = param(1.0, low=0, high=8, step=0.1, doc="how much more bright spots weigh in the blur")
    behind: Out[Image] = inner(space=same("image"), doc="what is blurred, times its weight; small")
    before: Out[Image] = inner(space=same("image"), doc="what is blurred before the focus, premultiplied")
    out: Out[Image] = result(space=same("image"), display=True, doc="the picture; alpha as it was")

    def open(self, context: Any) -> None:
        self._shrink = Shrinker()

    def process(
        self, image: Frame, depth: Frame, distance: float, aperture: float, range: float, highlights: float
    ) -> tuple[Frame, Frame]:
        rows = lines(float(aperture), image.height)
        heights = [max(2, rows >> level) for level in (0, 1, 2)]
        sizes = [(height, max(2, round(image.width * height / image.height))) for height in heights]
        pixels, coc = self._pixels(image, *sizes[0]), self._circle(depth, *sizes[0], distance, range)
        blurs, ahead = [], None
        for level, (share, size) in enumerate(zip(SHARES, sizes, strict=True)):
            if level:
                pixels = self._half(pixels, f"pixels{level}", size, np.uint8)
                coc = self._half(coc, f"coc{level}", size, np.float32)
            weight = self._weight(level, pixels, coc, share, highlights)
            blurs.append(self._blurred(f"level{level}", pixels, weight, share * aperture * size[0], level > 0))
            if level == 1:  # one width for all that is before the focus
                ahead = self._ahead(pixels, coc, 0.7 * aperture * size[0])
        assert ahead is not None
        self._mix(blurs, sizes[0])
        behind, before = (Frame(p, scaled(image.geometry, *p.shape[1::-1]), image.space) for p in (blurs[0], ahead))
        return behind, before

    def _pixels(self, image: Frame, height: int, width: int) -> np.ndarray:
        pixels = held(self, "pixels0", (height, width, 3), np.uint8)
        self._shrink.into(image.data, pixels)
        return pixels

    def _half(self, picture: np.ndarray, name: str, size: tuple[int, int], kind: Any) -> np.ndarray:
        small = held(self, name, (*size, *picture.shape[2:]), kind)
        return cv2.resize(picture, size[::-1], dst=small, interpolation=cv2.INTER_AREA)

    def _circle(self, depth: Frame, height: int, width: int, distance: float, range: float) -> np.ndarray:
        """How much is blurred, −1 (before) to 1 (behind): 1 − distance / depth, without what is still sharp."""
        coc, work = buffer(self, "coc", (height, width)), buffer(self, "sharp", (height, width))
        cv2.resize(depth.data, (width, height), dst=coc, interpolation=cv2.INTER_LINEAR)
        np.fmax(coc, np.float32(0.05), out=coc)
        np.divide(np.float32(-distance), coc, out=coc)
        coc += np.float32(1)
        np.clip(coc, -range, range, out=work)
        coc -= work
        coc *= np.float32(1 / (1 - range))
        np.clip(coc, -1, 1, out=coc)
        return coc

    def _weight(self, level: int, pixels: np.ndarray, coc: np.ndarray, share: float, highlights: float) -> np.ndarray:
        """What is at least about as blurred as this level, and the brighter the more."""
        weight = buffer(self, f"weight{level}", coc.shape)
        np.multiply(coc, np.float32(1 / share), out=weight)
        np.clip(weight, LEAST, 1, out=weight)
        if highlights > 0:
            grey, bright = held(self, f"grey{level}", coc.shape, np.uint8), buffer(self, f"bright{level}", coc.shape)
            cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY, dst=grey)
            np.multiply(grey, np.float32(1 / 255), out=bright)
            np.multiply(bright, bright, out=bright)
            np.multiply(bright, bright, out=bright)
            bright *= np.float32(4 * highlights)
            bright += np.float32(1)
            weight *= bright
        return weight

    def _blurred(self, name: str, pixels: np.ndarray, weight: np.ndarray, sigma: float, disc: bool) -> np.ndarray:
        """Colours times weight, and the weight as fourth channel, blurred. In planes: NumPy is slow along short axes."""
        size = weight.shape
        split, planes = held(self, f"{name}_split", (3, *size), np.uint8), buffer(self, f"{name}_planes", (4, *size))
        into, work = buffer(self, name, (*size, 4)), buffer(self, f"{name}_work", (*size, 4))
        cv2.split(pixels, list(split))
        np.multiply(weight, np.float32(1 / 255), out=planes[3])
        for c in (0, 1, 2):
            np.multiply(split[c], planes[3], out=planes[c])
        np.copyto(planes[3], weight)
        cv2.merge(list(planes), dst=work)
        if disc and sigma > 0.5:
            cv2.filter2D(work, cv2.CV_32F, aperture_disc(sigma * DISC), dst=into, borderType=cv2.BORDER_REPLICATE)
        else:
            cv2.GaussianBlur(work, (0, 0), max(sigma, 0.3), dst=into, borderType=cv2.BORDER_REPLICATE)
        return into

    def _ahead(self, pixels: np.ndarray, coc: np.ndarray, sigma: float) -> np.ndarray:
        weight = buffer(self, "weight_ahead", coc.shape)
        np.multiply(coc, np.float32(-2), out=weight)
        np.clip(weight, 0, 1, out=weight)
        return self._blurred("ahead", pixels, weight, sigma, True)

    def _mix(self, blurs: list[np.ndarray], size: tuple[int, int]) -> None:
        """The wider blurs into the first, by how far things are; sharp things take the distance of what is around."""
        height, width = size
        coc, share = buffer(self, "coc", size), buffer(self, "share", size)
        grown, four = buffer(self, "grown", (height, width, 4)), buffer(self, "four", (height, width, 4))
        cv2.dilate(coc, ROUND, dst=coc)
        cv2.blur(coc, (3, 3), dst=coc)
        for low, high, blur in zip(SHARES, SHARES[1:], blurs[1:], strict=False):
            np.multiply(coc, np.float32(1 / (high - low)), out=share)
            share -= np.float32(low / (high - low))
            np.clip(share, 0, 1, out=share)
            cv2.merge([share] * 4, dst=four)
            cv2.resize(blur, (width, height), dst=grown, interpolation=cv2.INTER_LINEAR)
            np.subtract(grown, blurs[0], out=grown)
            np.multiply(grown, four, out=grown)
            np.add(blurs[0], grown, out=blurs[0])

    def pixel(
        self, image: Raster, depth: Raster, behind: Raster, before: Raster, distance: Vec, range: Vec, aperture: Vec, at: At
    ) -> Vec:
        on = clamp(aperture * 1000.0)
        away = (1.0 - distance / maximum(depth, 0.05) - range) / (1.0 - range)
        blur = clamp(away * (1.0 / SHARES[0])) * on
        far = behind.sample(at.x, at.y)
        colour = mix(image.rgb, far[0:3] * (image.a / maximum(far[3], 1e-4)), blur)
        near = before.sample(at.x, at.y)
        cover = clamp(near[3])
        over = near[0:3] * (cover / maximum(near[3], 1e-4)) * image.a
        return vec(mix(colour, colour * (1.0 - cover) + over, on), image.a)


def lines(aperture: float, height: int) -> int:
    """Lines of the finest level: as few as its blur allows, in steps, so that a moving slider seldom makes new memory."""
    rows = FINEST
    while rows > COARSEST and SHARES[0] * aperture * rows > SIGMA * 1.4:
        rows //= 2
    return min(rows, max(height, 8))


def held(node: Any, name: str, shape: tuple[int, ...], kind: Any) -> np.ndarray:
    """An array of the node's own that lives as long as its shape stays."""
    array = node.__dict__.get(name)
    if array is None or array.shape != shape:
        array = node.__dict__[name] = np.zeros(shape, kind)
    return array


def aperture_disc(radius: float) -> np.ndarray:
    """A disc that sums to 1, its rim softened over a pixel."""
    reach = max(1, int(np.ceil(radius)))
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1].astype(np.float32)
    disc = np.clip(radius + 0.5 - np.hypot(x, y), 0, 1)
    return disc / disc.sum()


ROUND = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
