"""What each pixel node should give, written down a second time: by OpenCV, Pillow or a NumPy formula.

A node that has a `pixel` method and no reference here fails `test_references.py`. To give it one, write

    def contrast(image, contrast, pivot):                     # arguments by name: inputs, parameters, `at`
        rgb, a = straight(image)                              # float64 (height, width, channels), the inputs as they came in
        return joined((rgb - pivot) * contrast + pivot, a)    # the output; a dict by name where there are several

    REFERENCES = {Contrast: Reference(contrast, cases=({}, {"contrast": 1.7, "pivot": 0.4}))}

in `references/<family>.py`; it is collected by itself. Each case's parameters go over the defaults. The node is compiled (one
library a family, kept in the user's cache), played by the engine on pictures made here, and compared. Copy no line of
the node: say it in other words, from the paper, the standard, or through a library.

* `at` is a `Place`: x, y (frame heights), u, v, px, py as (height, width, 1); aspect, pixel, time, frame as numbers.
* `sample(picture, x, y, at)` reads at a place in frame heights, `blurred(picture, sigma, at)` is a Gaussian,
  `spread(frame, at)` brings a small raster to full size, `hashed(x, y, seed)` is the language's white noise,
  `smoothstep` is what it says (`references.smooth` is a family).
* A hybrid's formula may also take its inner outputs by name: what `process` really gave (a Frame for a raster), so that the pixel
  part is tested alone; or give `inners={…}` and `process` is not run (a model).
* `inputs={name: array or value}` replaces the pictures made here; `arrays()` makes them otherwise for each type.
* `limit` is 1/255; say 2/255 where a stated approximation is used, and why beside it.
* Where the reference itself moves by more than the limit when its inputs move by 2⁻¹² (and places by 2⁻¹² pixels), the pixel
  is ill-conditioned: it is left out, counted, and at most `most` of a picture may be.
"""

from __future__ import annotations

import importlib
import math
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from spellwire.graph.declare import Node
from spellwire.runtime.frames import Frame

__all__ = [
    "LUMA", "Place", "Reference", "all_references", "blurred", "frame_like", "grey", "hashed", "joined", "mixed", "photo",
    "sample", "smoothstep", "soft_mask", "spread", "straight", "surface",
]  # fmt: skip

STEP = 1.0 / 255.0
LUMA = np.array([0.2126, 0.7152, 0.0722])


@dataclass(frozen=True)
class Reference:
    """How a node is tested; see the top of this file."""

    formula: Callable[..., Any]
    cases: tuple[Mapping[str, Any], ...] = ({},)
    inputs: Mapping[str, Any] = field(default_factory=dict)
    inners: Mapping[str, Any] = field(default_factory=dict)
    files: Callable[[Path], Mapping[str, Any]] | None = None  # writes assets into a folder, returns the parameters that name them
    size: tuple[int, int] = (96, 64)  # width, height
    limit: float = STEP
    most: float = 0.01
    flat: bool = False  # the picture it gives is meant to be one colour
    time: int = 1_700_000  # µs
    index: int = 5


class Place:
    """Where the pixels of a picture of that size lie; `nudge` in pixels."""

    def __init__(self, width: int, height: int, time: float, frame: int, nudge: float = 0.0):
        rows, columns = np.mgrid[:height, :width]
        self.px, self.py = columns[..., None] + 0.5 + nudge, rows[..., None] + 0.5 + nudge
        self.x, self.y = self.px / height, self.py / height
        self.u, self.v = self.px / width, self.y
        self.width, self.height, self.aspect, self.pixel = width, height, width / height, 1.0 / height
        self.time, self.frame = time, float(frame)


def all_references() -> dict[type[Node], Reference]:
    """All modules' REFERENCES as one."""
    found: dict[type[Node], Reference] = {}
    for module in pkgutil.iter_modules(__path__):
        more = importlib.import_module(f"{__name__}.{module.name}").REFERENCES
        assert not set(found) & set(more), f"{module.name}: a node has two references"
        found |= more
    return found


# -- pictures to test on: as footage is, with soft gradients, texture and some steps; never thin noise


def _texture(seed: int, width: int, height: int, channels: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    wide = cv2.GaussianBlur(rng.standard_normal((height, width, channels)), (0, 0), height / 8).reshape(height, width, -1)
    fine = cv2.GaussianBlur(rng.standard_normal((height, width, channels)), (0, 0), 1.5).reshape(height, width, -1)
    return 0.5 + 0.22 * wide / wide.std() + 0.08 * fine / fine.std()


def photo(seed: int, width: int, height: int, *, most: float = 1.0, alpha: bool = True, least: float = 0.0) -> np.ndarray:
    """Colours from 0 to `most`, premultiplied; opaque, half transparent and transparent parts, alpha from `least` on."""
    rgb = np.clip(_texture(seed, width, height, 3), 0.02, 1) * most  # not 0: a curve may be infinitely steep there
    a = np.clip(2.5 * _texture(seed + 50, width, height, 1) - 0.5, least, 1) if alpha else np.ones((height, width, 1))
    return np.concatenate([rgb * a, a], axis=-1).astype(np.float32)


def soft_mask(seed: int, width: int, height: int) -> np.ndarray:
    return np.clip(3.0 * _texture(seed + 90, width, height, 1) - 1.0, 0, 1).astype(np.float32)


def surface(seed: int, width: int, height: int) -> np.ndarray:
    """A Surface: a bumpy body that covers part of the picture."""
    slopes = _texture(seed + 70, width, height, 2) - 0.5
    normal = np.concatenate([slopes, np.ones((height, width, 1))], axis=-1)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    rest = _texture(seed + 80, width, height, 3)  # u, v, depth
    parts = [soft_mask(seed, width, height), rest[..., :2], normal, rest[..., 2:] - 0.5, np.zeros((height, width, 1))]
    return np.concatenate(parts, axis=-1).astype(np.float32)


def frame_like(seed: int, width: int, height: int, channels: int) -> Frame:
    """A small raster that lies over the whole frame, as hybrids make them; its geometry is fitted when it is used."""
    return Frame.of(_texture(seed, width, height, channels).astype(np.float32))


# -- words for formulas


def straight(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """r, g, b as if opaque, and alpha."""
    a = image[..., 3:]
    return np.where(a > 0, image[..., :3] / np.maximum(a, 1e-4), 0.0), a


def joined(rgb: np.ndarray, a: np.ndarray | float) -> np.ndarray:
    """r, g, b of an opaque colour and alpha → premultiplied."""
    return np.concatenate([rgb * a, np.broadcast_to(a, (*rgb.shape[:2], 1))], axis=-1)


def grey(rgb: np.ndarray) -> np.ndarray:
    return (rgb[..., :3] @ LUMA)[..., None]


def mixed(a: Any, b: Any, share: Any) -> Any:
    return a * (1.0 - share) + b * share


def smoothstep(low: Any, high: Any, value: np.ndarray) -> np.ndarray:
    t = np.clip((value - low) / np.maximum(high - low, 1e-6), 0, 1)
    return 3 * t**2 - 2 * t**3


def blurred(picture: np.ndarray, sigma: float, at: Place) -> np.ndarray:
    """A Gaussian by OpenCV; sigma in frame heights, cut at three sigma, edges repeated."""
    pixels = sigma / at.pixel
    if pixels <= 0:
        return picture
    kernel = cv2.getGaussianKernel(2 * math.ceil(3 * pixels) + 1, pixels, cv2.CV_64F)
    return cv2.sepFilter2D(picture, -1, kernel, kernel, borderType=cv2.BORDER_REPLICATE).reshape(picture.shape)


def sample(picture: np.ndarray, x: np.ndarray, y: np.ndarray, at: Place, border: str = "clamp") -> np.ndarray:
    """Bilinear at places in frame heights; borders as in the pixel language."""
    mode = {"clamp": "edge", "zero": "constant", "mirror": "symmetric"}[border]
    height, width = picture.shape[:2]
    pad = 2 if border != "mirror" else max(height, width)
    wide = np.pad(picture, ((pad, pad), (pad, pad), (0, 0)), mode=mode)  # type: ignore[call-overload]
    px = np.clip(x[..., 0] / at.pixel - 0.5 + pad, 0, wide.shape[1] - 1.0001)
    py = np.clip(y[..., 0] / at.pixel - 0.5 + pad, 0, wide.shape[0] - 1.0001)
    i, j = px.astype(int), py.astype(int)
    fx, fy = (px - i)[..., None], (py - j)[..., None]
    return mixed(mixed(wide[j, i], wide[j, i + 1], fx), mixed(wide[j + 1, i], wide[j + 1, i + 1], fx), fy)


def spread(frame: Frame, at: Place) -> np.ndarray:
    """A small raster at full size, bilinear, edges repeated."""
    a, _, c, _, e, f = frame.geometry.to_frame
    x, y = (at.px - c) / a, (at.py - f) / e
    small = Place(frame.width, frame.height, 0, 0)
    return sample(frame.data.astype(np.float64), x * small.pixel, y * small.pixel, small)


def hashed(x: Any, y: Any, seed: Any) -> np.ndarray:
    """White noise as the pixel language defines it, in whole numbers of Python's kind (mod 2³²)."""

    def whole(v: Any) -> np.ndarray:
        return np.floor(np.asarray(v, float)).astype(np.int64)

    def scramble(h: np.ndarray) -> np.ndarray:
        for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B), (16, 1)):
            h = ((h ^ (h >> shift)).astype(np.uint64) * np.uint64(factor) % (1 << 32)).astype(np.int64)
        return h

    row = scramble(whole(seed) * 0xCB1AB31F % (1 << 32))
    both = whole(x) * 0x8DA6B343 % (1 << 32) + whole(y) * 0xD8163841 % (1 << 32) + row
    return (scramble(both % (1 << 32)) >> 8) / 2.0**24
