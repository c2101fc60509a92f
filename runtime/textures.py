"""Textures for what is drawn onto layers: a picture, or a moving one, premultiplied, in 16 bits, with its mip levels.

A file may be a still (PNG, JPEG, WebP, TIFF, …), an animation (GIF, animated PNG or WebP), or a sheet of cells in rows.
"""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ..graph.errors import SourceError, SpellwireError
from .media.pictures import read_picture

__all__ = ["MAX_SIDE", "Clip", "ClipFile", "Texture", "read_clip"]

MAX_SIDE = 1024  # pixels of a texture's side; larger pictures are made smaller
MAX_BYTES = 256_000_000  # of all pictures of an animation, with their levels
ANIMATED = (".gif", ".png", ".apng", ".webp", ".avif")
SHORTEST = 20  # ms; browsers too show pictures that ask for less at this pace or slower


class Texture:
    """One picture and its mip levels, as the native loops read them.

    Attributes:
        width, height: of the finest level.
        texels: (n,) uint16, RGBA, premultiplied, 1 as 65535, level after level, each with a transparent rim of one texel.
        levels: (count, 3) int64: where a level's rim begins, its width and height without it.
    """

    def __init__(self, width: int, height: int):
        self.width, self.height = width, height
        rows, start = [], 0
        while True:
            rows.append((start, width, height))
            start += 4 * (width + 2) * (height + 2)
            if width == height == 1:
                break
            width, height = max(1, width // 2), max(1, height // 2)
        self.levels = np.array(rows, np.int64)
        self.texels = np.zeros(start, np.uint16)
        self._views = [
            self.texels[s : s + 4 * (w + 2) * (h + 2)].reshape(h + 2, w + 2, 4)[1:-1, 1:-1] for s, w, h in rows
        ]

    @classmethod
    def of(cls, picture: np.ndarray) -> Texture:
        """The texture of an (h, w, 3 or 4) picture, uint8 or float32, premultiplied."""
        made = cls(picture.shape[1], picture.shape[0])
        made.refill(picture)
        return made

    @property
    def count(self) -> int:
        return len(self.levels)

    @property
    def picture(self) -> np.ndarray:
        """(height, width, 4) uint16, the finest level."""
        return self._views[0]

    def refill(self, picture: np.ndarray) -> None:
        """Another picture of the same size."""
        finest = self._views[0]
        if picture.dtype == np.uint8:
            np.multiply(picture, 257, out=finest[..., : picture.shape[2]], dtype=np.uint16)
        elif picture.shape[2] == 4:  # rounded, held within 0 and 1, without another array
            cv2.addWeighted(picture, 65535.0, picture, 0.0, 0.0, dst=finest, dtype=cv2.CV_16U)
        else:
            finest[..., :3] = np.clip(picture, 0.0, 1.0) * 65535.0 + 0.5
        if picture.shape[2] == 3:
            finest[..., 3] = 65535
        for finer, coarser in zip(self._views, self._views[1:], strict=False):
            cv2.resize(finer, coarser.shape[1::-1], dst=coarser, interpolation=cv2.INTER_AREA)

    def lod(self, pixels: float) -> float:
        """The level to read where the whole texture is drawn over that many pixels' area."""
        return 0.5 * math.log2(max(self.width * self.height / max(pixels, 1e-3), 1.0))


@dataclass(frozen=True, eq=False)
class Clip:
    """A picture that may move: textures, and when each begins (µs from the start of a round)."""

    textures: tuple[Texture, ...]
    starts: np.ndarray
    duration: int

    @property
    def aspect(self) -> float:
        """Width by height."""
        return self.textures[0].width / self.textures[0].height

    def at(self, time: int, loop: bool = True) -> Texture:
        """The picture of a time in µs; after the end it begins anew, or stays at the last one."""
        if len(self.textures) == 1 or self.duration <= 0:
            return self.textures[0]
        place = time % self.duration if loop else min(max(time, 0), self.duration - 1)
        return self.textures[int(np.searchsorted(self.starts, place, side="right")) - 1]


def read_clip(path: str | Path, *, columns: int = 1, rows: int = 1, rate: float = 12.0, linear: bool = False,
              square: bool = False) -> Clip:  # fmt: skip
    """The moving or still picture in a file.

    Args:
        columns, rows: cells of a sheet, read row by row and shown `rate` a second.
        linear: decode sRGB to linear light.
        square: with transparent bars, so that each picture is as wide as high.

    Raises:
        SourceError: it can't be read, is no picture, does not divide into so many cells, or is too large.
    """
    path = Path(path)
    pictures, lengths = _animation(path) if columns * rows == 1 else _sheet(path, columns, rows, rate)
    pictures = [_squared(p) for p in pictures] if square else pictures
    cost = sum(p.shape[0] * p.shape[1] for p in pictures) * 8 * 4 // 3
    if cost > MAX_BYTES:
        raise SourceError(
            f"{path}: its {len(pictures)} pictures need {cost // 1_000_000} MB, more than {MAX_BYTES // 1_000_000}; "
            "make it smaller or shorter"
        )
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]]).astype(np.int64)
    textures = tuple(Texture.of(_decoded(p) if linear else p) for p in pictures)
    return Clip(textures, starts, int(sum(lengths)))


class ClipFile:
    """The clip in a node's file: read once, and what is wrong with it said again as often as it is asked for."""

    def __init__(self) -> None:
        self._key: Any = None
        self._found: Clip | SourceError | None = None

    def preload(self, context: Any, reference: Any, **how: Any) -> None:
        """Read it before the first frame, where the node has one; what is wrong with it is said when it is played."""
        if reference is not None:
            with suppress(SpellwireError):
                self.get(context.asset(reference), **how)

    def get(self, path: Path, **how: Any) -> Clip:
        """The clip; see `read_clip`. Raises SourceError."""
        key = (path, tuple(sorted(how.items())))
        if key != self._key:
            self._key = key
            try:
                self._found = read_clip(path, **how)
            except SourceError as error:
                self._found = error
        if isinstance(self._found, SourceError):
            raise self._found
        assert self._found is not None
        return self._found


def _squared(picture: np.ndarray) -> np.ndarray:
    height, width = picture.shape[:2]
    side = max(height, width)
    made = np.zeros((side, side, 4), np.uint8)
    into = made[(side - height) // 2 :, (side - width) // 2 :][:height, :width]
    into[..., 3] = 255
    into[..., : picture.shape[2]] = picture
    return made


def _decoded(picture: np.ndarray) -> np.ndarray:
    """Premultiplied sRGB bytes in linear light, premultiplied again."""
    value = picture.astype(np.float32) / 255
    a = value[..., 3:] if value.shape[2] == 4 else np.ones_like(value[..., :1])
    rgb = np.clip(value[..., :3] / np.maximum(a, 1e-6), 0, 1)
    rgb = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return np.concatenate([rgb * a, a], axis=-1).astype(np.float32)


def _animation(path: Path) -> tuple[list[np.ndarray], list[int]]:
    """All pictures of a file, premultiplied, and how long each shows in µs."""
    still = read_picture(path)  # says what is wrong with it
    if path.suffix.lower() in ANIMATED:
        try:
            found, moving = cv2.imreadanimation(str(path))
        except cv2.error:
            found, moving = False, None
        if found and moving is not None and len(moving.frames) > 1:
            shown = [_limited(_rgba(np.asarray(f))) for f in moving.frames]
            return shown, [max(int(d), SHORTEST) * 1000 for d in moving.durations]
    return [_limited(still)], [0]


def _rgba(frame: np.ndarray) -> np.ndarray:
    """OpenCV's straight BGR(A) as premultiplied RGBA."""
    if frame.ndim == 2 or frame.shape[2] == 1:
        return cv2.cvtColor(frame, cv2.COLOR_GRAY2RGBA)
    if frame.shape[2] == 3:
        return cv2.cvtColor(frame, cv2.COLOR_BGR2RGBA)
    rgba: Any = cv2.cvtColor(frame, cv2.COLOR_BGRA2RGBA)
    return cv2.cvtColor(rgba, cv2.COLOR_RGBA2mRGBA)


def _sheet(path: Path, columns: int, rows: int, rate: float) -> tuple[list[np.ndarray], list[int]]:
    whole = read_picture(path)
    height, width = whole.shape[0] // rows, whole.shape[1] // columns
    if not width or not height or whole.shape[0] % rows or whole.shape[1] % columns:
        raise SourceError(
            f"{path}: {whole.shape[1]}×{whole.shape[0]} pixels do not divide into {columns} columns and {rows} rows of cells"
        )
    cells = [whole[y : y + height, x : x + width] for y in range(0, height * rows, height) for x in range(0, width * columns, width)]
    return [_limited(c) for c in cells], [round(1e6 / max(rate, 1e-3))] * len(cells)


def _limited(picture: np.ndarray) -> np.ndarray:
    side = max(picture.shape[:2])
    if side <= MAX_SIDE:
        return picture
    share = MAX_SIDE / side
    size = (max(1, round(picture.shape[1] * share)), max(1, round(picture.shape[0] * share)))
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
