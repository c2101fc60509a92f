"""Clips written through FFmpeg (PyAV).

While writing, the clip lies beside its place (`name.part.mp4`) in a form that a player reads even if the writer is
killed: fragmented MP4/MOV, Matroska clusters. On `close` it is made a plain file, its index in front, and takes its
place in one step. So an older file of that name is replaced by a whole new one or not at all.
"""

from __future__ import annotations

import os
from dataclasses import replace
from fractions import Fraction
from math import ceil
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np
from av.container import Flags

from ...graph.errors import SinkError
from ..frames import Frame
from .base import MICROS, Sink, StreamInfo, free_name
from .faults import claim, disk_full, reason
from .formats import FORMATS, Coding
from .interrupt import shielded
from .pixels import Display, fit
from .sound import SoundTrack
from .yuv import BT601, BT709, Encoder

__all__ = ["VideoSink"]

BITEXACT = Flags.bitexact.value  # no random ids, no date: the same bytes every time
_FAULTS = (av.error.FFmpegError, OSError, ValueError)


class VideoSink(Sink):
    """A clip by its extension: mp4, m4v, mov, mkv (H.264), webm (VP9), gif, apng.

    Pictures keep their times (variable frame rate; the first becomes 0, the sound shifts with it), so a dropped picture
    lengthens the one before. Alpha is kept in webm and mkv (VP9), mov (ProRes 4444), gif (1 bit) and apng. H.264 in
    4:2:0 needs even sizes: an odd picture gets its last row or column twice. A picture of another size than the first
    is fitted into it. The same pictures give the same bytes.

    Args:
        path: where; folders are made.
        audio_from: a file whose first sound track goes along, up to the end of the last picture (gif and apng have none).
        alpha: None: where the stream has it and the format can.
        quality: the encoder's constant quality (crf) instead of the default.
        codec: another encoder for the same container (`qtrle`, `png`, `ffv1`, …), with its `pixels` format.
        options: of the encoder, over the defaults (`{"preset": "slow"}`).
        threads: encoder threads, 0 is automatic.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        audio_from: str | Path | None = None,
        alpha: bool | None = None,
        quality: int | None = None,
        codec: str | None = None,
        pixels: str | None = None,
        options: dict[str, str] | None = None,
        threads: int = 0,
    ):
        self.path = Path(path)
        suffix = self.path.suffix.lower()
        if suffix not in FORMATS:
            raise SinkError(f"{path}: clips are written as {', '.join(FORMATS)}.")
        self.format = FORMATS[suffix]
        if alpha and self.format.alpha is None and codec is None:
            raise SinkError(f"{path}: {suffix} has no alpha. Use .mov, .webm, .mkv, .gif or .apng.")
        self._audio_from, self._alpha, self._quality = audio_from, alpha, quality
        self._codec, self._pixels, self._options, self._threads = codec, pixels, options or {}, threads
        self._container: Any = None
        self._sound: SoundTrack | None = None
        self.aside: Path | None = None

    # -- opening ---------------------------------------------------------------------------------

    def open(self, info: StreamInfo) -> None:
        """Find out that it can be written here; the file itself begins with the first picture."""
        self._info = info
        self._coding = self._pick_coding(info)
        self._display = Display(4 if self._with_alpha else 3, straight=True)
        self._origin: int | None = None
        self._ticks = -1
        claim(self.path)
        try:
            stem, suffix = self.path.with_suffix("").name, self.path.suffix
            self.aside = free_name(str(self.path.parent / f"{stem}.part{{}}{suffix}"))
            self.aside.touch()
        except OSError as e:
            raise SinkError(
                f"{self.path} can't be written: {reason(e)}. Choose another place with --output."
            ) from e

    def _pick_coding(self, info: StreamInfo) -> Coding:
        wanted = info.has_alpha if self._alpha is None else self._alpha
        coding = self.format.alpha if wanted and self.format.alpha else self.format.opaque
        if self._codec:
            coding = Coding(self._codec, self._pixels or _default_pixels(self._codec, wanted))
        options = dict(self._options)
        if self._quality is not None and coding.quality:
            options[coding.quality] = str(self._quality)
        coding = replace(coding, options=coding.options | options)
        self._with_alpha = wanted and coding.alpha
        return coding

    def _begin(self, width: int, height: int, time_us: int) -> None:
        """Make the file, its streams and the encoder for pictures of that size."""
        coding, info = self._coding, self._info
        self._size = (width, height)
        if coding.even:
            width, height = width + width % 2, height + height % 2
        self._padded = np.empty((height, width, 4 if self._with_alpha else 3), np.uint8)
        self._fitted = self._padded[: self._size[1], : self._size[0]]
        self._origin, self._scale = time_us, _time_scale(info.fps, self.format.muxer)
        space = BT709 if width >= 1280 or height > 576 else BT601
        self._encode = Encoder(width, height, coding.pixels, self._with_alpha, space)
        self._container = av.open(
            str(self.aside), "w", format=self.format.muxer, options=dict(self.format.writing)
        )
        self._container.flags |= BITEXACT
        self._stream = self._container.add_stream(coding.codec, rate=info.fps, options=dict(coding.options))
        self._stream.width, self._stream.height, self._stream.pix_fmt = width, height, coding.pixels
        context = self._stream.codec_context
        context.time_base = Fraction(1, self._scale)
        context.thread_count = self._threads
        if coding.pixels.startswith("yuv"):
            context.colorspace, context.color_range = space, 1
            context.color_primaries = context.color_trc = space
        if self._with_alpha and coding.codec == "libvpx-vp9":
            self._stream.metadata["alpha_mode"] = "1"
        if self._audio_from is not None:
            self._sound = SoundTrack(self._audio_from, self._container, self.format, time_us)
        self._container.start_encoding()

    # -- writing ---------------------------------------------------------------------------------

    def write(self, frame: Frame, time_us: int) -> None:
        picture = self._display(frame)
        with shielded():
            try:
                self._write(picture, time_us)
            except _FAULTS as e:
                raise self._failed(e) from e
            self.frames += 1

    def _write(self, picture: np.ndarray, time_us: int) -> None:
        if self._container is None:
            if self.aside is None:
                raise SinkError(f"{self.path} is not open. Call open() first.")
            self._begin(picture.shape[1], picture.shape[0], time_us)
        ticks = self._next_ticks(time_us)
        encoded = self._encode(self._sized(picture))
        encoded.pts, encoded.time_base = ticks, Fraction(1, self._scale)
        encoded.duration = round(self._scale / self._info.fps)
        container: Any = self._container
        container.mux(self._stream.encode(encoded))
        self._mux_sound(Fraction(ticks, self._scale))

    def _next_ticks(self, time_us: int) -> int:
        assert self._origin is not None
        ticks = round(Fraction(time_us - self._origin, MICROS) * self._scale)
        if ticks <= self._ticks:
            if time_us <= self._last_us:
                raise SinkError(
                    f"{self.path}: a picture of {time_us} µs came after one of {self._last_us} µs. Times must rise."
                )
            ticks = self._ticks + 1
        self._ticks, self._last_us = ticks, time_us
        return ticks

    def _sized(self, picture: np.ndarray) -> np.ndarray:
        """The picture at the size of the file: fitted where it differs, its edge repeated where that is odd."""
        width, height = self._size
        padded = self._padded
        if picture.shape == padded.shape:
            return picture
        fit(picture, self._fitted)
        if padded.shape[1] > width:
            padded[:height, width] = padded[:height, width - 1]
        if padded.shape[0] > height:
            padded[height] = padded[height - 1]
        return padded

    def _mux_sound(self, until: Fraction) -> None:
        if self._sound is not None:
            for packet in self._sound.until(until):
                self._container.mux(packet)

    # -- finishing -------------------------------------------------------------------------------

    def close(self) -> None:
        if self.aside is None:
            return
        with shielded():
            if self._container is None:
                self._discard()
                return
            try:
                self._finish_streams()
                self._finish_container()
            except _FAULTS as e:
                raise self._failed(e) from e
            self._place()

    def _finish_streams(self) -> None:
        self._container.mux(self._stream.encode(None))
        self._mux_sound(Fraction(self._ticks, self._scale) + 1 / self._info.fps)
        if self._sound is not None:
            self._container.mux(list(self._sound.drain()))

    def _finish_container(self) -> None:
        container, self._container = self._container, None
        if self._sound is not None:
            self._sound.close()
            self._sound = None
        container.close()

    def _discard(self) -> None:
        assert self.aside is not None
        self.aside.unlink(missing_ok=True)
        self.aside = None

    def _place(self) -> None:
        """Put the clip in its place, as a plain file where there is room for that."""
        aside, self.aside = self.aside, None
        assert aside is not None
        if self.format.remux is not None:
            final = free_name(str(aside.with_suffix("")) + ".index{}" + aside.suffix)
            try:
                _remux(aside, final, self.format.muxer, self.format.remux)
                os.replace(final, aside)
            except _FAULTS:
                final.unlink(missing_ok=True)  # what is there plays as it is
        try:
            os.replace(aside, self.path)
        except OSError as e:
            raise SinkError(f"{self.path} can't be replaced: {reason(e)}. The clip is in {aside}.") from e

    def abort(self) -> None:
        """Finish what can be finished. Where an older file has the name, the part stays beside it."""
        if self.aside is None:
            return
        with shielded():
            try:
                if self._container is not None:
                    self._finish_streams()
            except (*_FAULTS, SinkError):
                pass
            self._salvage()

    def _failed(self, error: BaseException) -> SinkError:
        """End after an error; says where the part that was written is."""
        if self.aside is None:
            return SinkError(f"{self.path}: {reason(error)}.")
        kept = self._salvage()
        full = disk_full(error)
        what = "the disk is full" if full else reason(error)
        hint = " Make room, or write elsewhere." if full else ""
        left = f" What was written until then plays: {kept}." if kept else " Nothing was written."
        return SinkError(f"{self.path} can't be written on: {what}.{left}{hint}")

    def _salvage(self) -> Path | None:
        aside = self.aside
        assert aside is not None
        try:
            if self._container is not None:
                self._finish_container()
        except _FAULTS:
            pass
        if self.frames == 0 or aside.stat().st_size == 0:
            self._discard()
            return None
        if self.path.exists():
            self.aside = None
            return aside
        try:
            self._place()
        except SinkError:
            return aside
        return self.path


def _default_pixels(codec: str, alpha: bool) -> str:
    formats = [f.name for f in av.Codec(codec, "w").video_formats or ()]
    wanted = (
        ("rgba", "argb", "yuva444p", "yuva444p10le", "yuva420p", "bgra")
        if alpha
        else ("yuv420p", "yuv444p", "rgb24")
    )
    return next((name for name in wanted if name in formats), formats[0] if formats else "yuv420p")


def _time_scale(fps: Fraction, muxer: str) -> int:
    """Ticks a second: about 90 000, and a frame at `fps` a whole number of them."""
    if muxer == "gif":
        return 100
    rate = fps.limit_denominator(1001).numerator
    return rate * ceil(90_000 / rate) if rate <= MICROS else MICROS


def _remux(source: Path, target: Path, muxer: str, options: dict[str, str]) -> None:
    """The same packets in a plain file."""
    with (
        av.open(str(source)) as given,
        av.open(str(target), "w", format=muxer, options=dict(options)) as made,
    ):
        made.flags |= BITEXACT
        streams = {
            s.index: made.add_stream_from_template(s) for s in given.streams if s.type in ("video", "audio")
        }
        for index, stream in streams.items():
            stream.time_base = given.streams[index].time_base
        for packet in given.demux(list(given.streams)):
            if packet.size and packet.stream.index in streams:
                packet.stream = streams[packet.stream.index]
                made.mux(packet)
