"""Still pictures: PNG, JPEG, WebP, TIFF and what else OpenCV reads."""

from __future__ import annotations

import os
import struct
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from ...graph.errors import SinkError, SourceError, UsageError
from ..frames import Frame
from .base import Sink, Source, Stamp, StreamInfo, frame_time, slot
from .faults import claim, missing, reason
from .pixels import Display, orient, oriented_size, premultiply

__all__ = ["ImageSink", "ImageSource", "read_picture", "write_picture"]

WRITABLE = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp")
KEEPS_ALPHA = (".png", ".webp", ".tif", ".tiff")
_OPTIONS = {
    ".jpg": [cv2.IMWRITE_JPEG_QUALITY, 95],
    ".jpeg": [cv2.IMWRITE_JPEG_QUALITY, 95],
    ".webp": [cv2.IMWRITE_WEBP_QUALITY, 101],  # above 100: lossless
    ".png": [cv2.IMWRITE_PNG_COMPRESSION, 3],
}


def read_picture(path: str | Path) -> np.ndarray:
    """A picture file upright as (height, width, 3 or 4) uint8, RGB or premultiplied RGBA.

    16-bit and float pictures are rounded to 8 bits, grey becomes RGB, EXIF orientation is applied. Raises SourceError.
    """
    path = Path(path)
    problem = missing(path)
    if problem:
        raise SourceError(f"{path} {problem}. Check the path.")
    try:
        data = np.fromfile(path, np.uint8)
        stored, orientation = _decode(data)
    except (OSError, cv2.error) as e:
        raise SourceError(f"{path} can't be read: {reason(e)}. Is it a whole picture file?") from e
    if stored is None:
        raise SourceError(
            f"{path} is no picture this OpenCV can read. It may be cut off, or no picture at all."
        )
    picture = _to_rgb(_to_bytes(stored))
    width, height = oriented_size(picture.shape[1], picture.shape[0], orientation)
    out = np.empty((height, width, picture.shape[2]), np.uint8)
    orient(picture, orientation, out)
    return out


def _decode(data: np.ndarray) -> tuple[np.ndarray | None, int]:
    stored, kinds, values = cv2.imdecodeWithMetadata(data, cv2.IMREAD_UNCHANGED)
    for kind, value in zip(kinds, values or (), strict=False):
        if kind == cv2.IMAGE_METADATA_EXIF:
            return stored, exif_orientation(np.asarray(value).tobytes())
    return stored, 1


def exif_orientation(exif: bytes) -> int:
    """Tag 0x0112 of an EXIF block (TIFF 6.0 layout); 1, upright, where there is none."""
    start = exif.find(b"II*\0") if b"II*\0" in exif else exif.find(b"MM\0*")
    if start < 0:
        return 1
    order, tiff = ("<" if exif[start] == 0x49 else ">"), exif[start:]
    try:
        offset = struct.unpack_from(order + "I", tiff, 4)[0]
        for entry in range(struct.unpack_from(order + "H", tiff, offset)[0]):
            tag, _, _, value = struct.unpack_from(order + "HHIH", tiff, offset + 2 + 12 * entry)
            if tag == 0x0112:
                return value if 1 <= value <= 8 else 1
    except struct.error:
        pass
    return 1


def _to_bytes(stored: np.ndarray) -> np.ndarray:
    if stored.dtype == np.uint8:
        return stored
    if stored.dtype == np.uint16:
        return ((stored.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)
    return np.rint(np.nan_to_num(np.clip(stored, 0, 1)) * 255).astype(np.uint8)


def _to_rgb(stored: np.ndarray) -> np.ndarray:
    """OpenCV's grey, BGR or straight BGRA as RGB or premultiplied RGBA."""
    channels = 1 if stored.ndim == 2 else stored.shape[2]
    if channels == 1:
        return cv2.cvtColor(stored, cv2.COLOR_GRAY2RGB)
    if channels == 3:
        return cv2.cvtColor(stored, cv2.COLOR_BGR2RGB)
    if channels == 2:
        stored = cv2.merge([stored[..., 0]] * 3 + [stored[..., 1]])
    rgba = cv2.cvtColor(stored, cv2.COLOR_BGRA2RGBA)
    premultiply(rgba, rgba)
    return rgba


def write_picture(path: str | Path, picture: np.ndarray) -> None:
    """Write RGB or premultiplied RGBA bytes; the file appears whole or not at all. Raises SinkError.

    Alpha is kept where the format has it (PNG, WebP, TIFF), over black elsewhere.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in WRITABLE:
        raise SinkError(
            f"{path}: pictures are written as {', '.join(WRITABLE)}, not as {suffix or 'no extension'}."
        )
    alpha = picture.shape[2] == 4 and suffix in KEEPS_ALPHA
    converted = Display(4 if alpha else 3, straight=True)(Frame.of(picture))
    bgr = cv2.cvtColor(converted, cv2.COLOR_RGBA2BGRA if alpha else cv2.COLOR_RGB2BGR)
    aside = path.with_name(f".{path.name}.part")
    try:
        done, data = cv2.imencode(suffix, bgr, _OPTIONS.get(suffix, []))
        if not done:
            raise SinkError(
                f"{path}: OpenCV can't write a picture of {bgr.shape[1]}×{bgr.shape[0]} like that."
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        aside.write_bytes(data.tobytes())
        os.replace(aside, path)
    except (OSError, cv2.error) as e:
        with suppress(OSError):
            aside.unlink(missing_ok=True)
        raise SinkError(f"{path} can't be written: {reason(e)}. Nothing older was lost.") from e


class ImageSource(Source):
    """One picture, then the end. `looped` (see pacing) makes a steady stream of it."""

    def __init__(self, path: str | Path, *, fps: Fraction | float | None = None):
        self.path = Path(path)
        self._picture = read_picture(self.path)
        self._at: int | None = None
        height, width, channels = self._picture.shape
        rate = rate_of(fps)
        self.info = StreamInfo(
            self.path.name,
            width,
            height,
            rate,
            frame_time(1, rate),
            1,
            has_alpha=channels == 4,
            path=self.path,
        )

    def peek(self) -> int | None:
        return 0 if self._at is None else None

    def grab(self) -> Stamp | None:
        if self._at is not None:
            return None
        self._at = 0
        return Stamp(0, 0)

    def retrieve(self, into: Frame | None = None) -> Frame:
        out = slot(into, self.info.width, self.info.height, self.info.channels)
        np.copyto(out.data, self._picture)
        return out

    def seek(self, time_us: int) -> None:
        self._at = None

    def close(self) -> None:
        pass


def rate_of(fps: Fraction | float | str | None, default: int = 30) -> Fraction:
    """A frame rate as an exact fraction; 30 where none is given. Raises UsageError."""
    try:
        rate = Fraction(default if fps is None else fps).limit_denominator(1001)
    except (ValueError, OverflowError, ZeroDivisionError, TypeError):
        rate = Fraction(0)
    if not 0 < rate <= 1000:
        raise UsageError(f"{fps} is no frame rate. Give pictures a second, above 0 and up to 1000.")
    return rate


class ImageSink(Sink):
    """One picture file: the last picture written, saved at `close`."""

    def __init__(self, path: str | Path):
        self.path = Path(path)
        if self.path.suffix.lower() not in WRITABLE:
            raise SinkError(f"{path}: pictures are written as {', '.join(WRITABLE)}.")
        self._kept: np.ndarray | None = None

    def open(self, info: StreamInfo) -> None:
        claim(self.path)
        self._display = Display(4 if info.has_alpha else 3)

    def write(self, frame: Frame, time_us: int) -> None:
        picture = self._display(frame)
        if self._kept is None or self._kept.shape != picture.shape:
            self._kept = np.empty_like(picture)
        np.copyto(self._kept, picture)
        self.frames += 1

    def close(self) -> None:
        kept, self._kept = self._kept, None
        if kept is not None:
            write_picture(self.path, kept)
