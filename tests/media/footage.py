"""Small real files made on the fly, and the shared footage where it is there."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from shared_assets import ASSETS

from spellwire.runtime.frames import Frame
from spellwire.runtime.media import Source, StreamInfo, open_sink


def asset(name: str) -> Path:
    """A file of the shared assets; skips the test where they are absent."""
    path = ASSETS / name
    if not path.exists():
        pytest.skip(f"shared asset {name} is not here (set SPELLWIRE_ASSETS)")
    return path


def scene(number: int, width: int = 160, height: int = 120, channels: int = 3) -> np.ndarray:
    """A smooth picture whose grey bar tells its number; quadrants of different colour tell its orientation."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    picture = np.empty((height, width, channels), np.uint8)
    picture[..., 0] = 40 + 160 * x / width
    picture[..., 1] = 40 + 160 * y / height
    picture[..., 2] = 90
    picture[: height // 3, : width // 3, :3] = (200, 40, 40)
    picture[height // 3 : 2 * height // 3, width // 3 : 2 * width // 3, :3] = 8 + 4 * (number % 60)
    if channels == 4:
        picture[..., 3] = np.clip(255 * x / width, 0, 255)
    return picture


def number_of(picture: np.ndarray) -> int:
    """The number `scene` wrote into a picture."""
    height, width = picture.shape[:2]
    middle = picture[height * 5 // 12 : height * 7 // 12, width * 5 // 12 : width * 7 // 12, :3]
    return round((float(middle.mean()) - 8) / 4)


def write_clip(
    path: Path, count: int = 30, size: tuple[int, int] = (160, 120), fps: int = 30, **options
) -> Path:
    """A clip of scenes by our own sink."""
    frame = Frame.make(*size, 3)
    with open_sink(path, **options) as sink:
        sink.open(StreamInfo("made", *size, Fraction(fps)))
        for number in range(count):
            frame.data[:] = scene(number, *size)
            sink.write(frame, round(number * 1_000_000 / fps))
    return path


def write_raw(
    path: Path,
    pictures: list[np.ndarray],
    *,
    codec: str = "libx264",
    pixels: str = "yuv420p",
    pts: list[int] | None = None,
    base: Fraction = Fraction(1, 1000),
    rotation: int = 0,
    options: dict | None = None,
    **stream,
) -> Path:
    """A clip by PyAV alone, so that our sink and source aren't checked by each other."""
    height, width = pictures[0].shape[:2]
    kind = "rgba" if pictures[0].shape[2] == 4 else "rgb24"
    with av.open(str(path), "w") as container:
        video = container.add_stream(codec, rate=25, options=options or {"crf": "8", "bf": "0"})
        video.width, video.height, video.pix_fmt = width, height, pixels
        video.codec_context.time_base = base
        for name, value in stream.items():
            setattr(video, name, value)
        if rotation:
            video.set_display_rotation(rotation)
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, kind)
            frame.pts, frame.time_base = (pts[number] if pts else number * 40), base
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
    return path


def read_all(source: Source) -> tuple[list[np.ndarray], list[int]]:
    """Copies of all pictures, and their times."""
    pictures, times = [], []
    with source:
        while (picture := source.read()) is not None:
            pictures.append(picture.frame.data.copy())
            times.append(picture.time_us)
    return pictures, times
