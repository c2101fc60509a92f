"""Clips through FFmpeg (PyAV): any container and codec it reads, animated GIF included."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import av
import av.error
import numpy as np
from av.stream import Disposition

from ...graph.errors import SourceError
from ..frames import Frame
from .base import MICROS, Source, Stamp, StreamInfo, slot
from .faults import missing, reason
from .pixels import orient, oriented_size, premultiply
from .yuv import Decoder

__all__ = ["VideoSource"]

LIVE = ("rtsp://", "rtsps://", "rtmp://", "udp://", "rtp://", "srt://")
# Formats whose frames build on all frames before, with no index: a seek starts over.
_NO_SEEK = {"gif", "apng", "image2pipe", "mjpeg", "h264", "hevc", "m4v"}


class _Decoded(NamedTuple):
    frame: Any
    time_us: int
    index: int


class VideoSource(Source):
    """The pictures of a clip, upright, with square pixels, in the clip's own times (the first at 0).

    The matrix and range the stream declares are respected (BT.601, 709, 2020; limited, full); high dynamic range is not
    tone-mapped. Packets and pictures that can't be decoded are left out and counted in `damaged`: the picture before
    then stays longer. A clip that ends before its header says so gives all its pictures, then one SourceError.

    Args:
        path: a file, or an address FFmpeg understands.
        threads: decoding threads; 0 is as many as there are cores. The pictures don't depend on it, save those after
            damage in the clip, which the decoder mends differently.
        timeout: seconds to wait for a network stream.
    """

    def __init__(self, path: str | Path, *, threads: int = 0, timeout: float = 10.0):
        self.path = path
        self._threads, self._timeout = threads, timeout
        self._remote = "://" in str(path)
        self._decoder = Decoder()
        self._turned: np.ndarray | None = None
        self._first_pts: int | None = None
        self._current: _Decoded | None = None
        self._fault: str | None = None
        self._rotation: tuple[int, int] | None = None
        self._open()
        self._restart(0)
        if self.peek() is None:
            raise self._error(
                self._fault or "holds no picture that can be decoded", "Is it damaged or empty?"
            )
        self.info = self._describe()

    # -- opening ---------------------------------------------------------------------------------

    def _open(self) -> None:
        problem = None if self._remote else missing(Path(self.path))
        if problem:
            raise self._error(problem, "Check the path.")
        try:
            self._container = av.open(
                str(self.path), metadata_errors="replace", timeout=self._timeout if self._remote else None
            )
        except (av.error.FFmpegError, OSError, ValueError) as e:
            hint = "It may be cut off, or no video at all." if not self._remote else "Check the address."
            raise self._error(f"can't be opened as video: {reason(e)}", hint) from e
        self._stream = self._pick_stream()
        self._context = self._make_context()
        self._scale = self._stream.time_base or Fraction(1, MICROS)

    def _pick_stream(self) -> Any:
        cover = Disposition.attached_pic
        streams = [s for s in self._container.streams.video if not s.disposition & cover]
        if streams:
            return streams[0]
        sound = "only sound" if self._container.streams.audio else "no pictures"
        self._container.close()
        raise self._error(f"has no video stream ({sound})", "Give a file with pictures.")

    def _make_context(self) -> Any:
        """The stream's decoder; for VP8/VP9 with alpha libvpx, since FFmpeg's own leaves the alpha out."""
        stream = self._stream
        context = stream.codec_context
        if context is None:
            self._container.close()
            raise self._error("is coded in a way this FFmpeg can't decode", "Convert it to H.264 first.")
        name = {"vp8": "libvpx", "vp9": "libvpx-vp9"}.get(context.name)
        tags = {key.lower(): value for key, value in stream.metadata.items()}
        if name and tags.get("alpha_mode") == "1":
            context = av.CodecContext.create(name, "r")
            context.extradata = stream.codec_context.extradata
        context.thread_type = "AUTO"
        context.thread_count = self._threads
        return context

    def _describe(self) -> StreamInfo:
        first, stream = self._ahead, self._stream
        assert first is not None
        self._alpha = _has_alpha(first.frame)
        width, height = oriented_size(*self._square(first.frame), self._orientation(first.frame))
        live = str(self.path).startswith(LIVE)
        return StreamInfo(
            name=str(self.path) if self._remote else Path(self.path).name,
            width=width,
            height=height,
            fps=self._rate(),
            duration_us=None if live else self._duration(),
            frames=None if live else stream.frames or None,
            live=live,
            has_alpha=self._alpha,
            has_audio=bool(self._container.streams.audio),
            path=None if self._remote else Path(self.path),
        )

    def _rate(self) -> Fraction:
        """The nominal rate; the average is lower where pictures were dropped, the guess may be far off."""
        stream = self._stream
        average, guess = stream.average_rate or 0, stream.guessed_rate or 0
        rate = guess if average <= guess <= 2 * average else average or guess
        return Fraction(rate).limit_denominator(1001) if 0 < rate <= 1000 else Fraction(25)

    def _duration(self) -> int | None:
        """µs from the first picture to the end, as the file says."""
        whole = self._container.duration or 0  # µs already
        if self._stream.duration:
            whole = round(self._stream.duration * self._scale * MICROS)
        if "matroska" in self._container.format.name:  # counts from 0, not from the first picture
            whole -= max(0, round((self._first_pts or 0) * self._scale * MICROS))
        return whole if whole > 0 else None

    # -- decoding --------------------------------------------------------------------------------

    def _restart(self, index: int) -> None:
        self._index = index
        self._last: int | None = None
        self._gap = 0
        self._ended = False
        self._ahead: _Decoded | None = None
        self._frames = self._decode()

    def _decode(self) -> Iterator[Any]:
        """Decoded frames until the end; what can't be decoded is counted."""
        for packet in self._packets():
            try:
                frames = self._context.decode(packet)
            except (av.error.FFmpegError, OSError):
                self.damaged += 1
                continue
            for frame in frames:
                if frame.is_corrupt:
                    self.damaged += 1
                else:
                    yield frame

    def _packets(self) -> Iterator[Any]:
        """Packets of the video stream, then None to drain the decoder."""
        failures = 0
        while failures < 8:
            try:
                for packet in self._container.demux(self._stream):
                    failures = 0
                    if packet.size:
                        yield packet
                break
            except (av.error.FFmpegError, OSError) as e:
                failures += 1
                if self._remote or failures == 8:
                    self._fault = f"stops: {reason(e)}"
                    break
                self.damaged += 1
        yield None

    def peek(self) -> int | None:
        if self._ahead is None and not self._ended:
            self._ahead = self._next()
        return None if self._ahead is None else self._ahead.time_us

    def _next(self) -> _Decoded | None:
        frame = next(self._frames, None)
        if frame is None:
            self._ended = True
            self._fault = self._fault or self._cut_short()
            return None
        decoded = _Decoded(frame, self._time(frame), self._index)
        self._index += 1
        self._last = decoded.time_us
        return decoded

    def _time(self, frame: Any) -> int:
        """µs since the first picture; made up where the stream has none, rising always."""
        pts = frame.pts if frame.pts is not None else frame.dts
        if self._first_pts is None:
            self._first_pts = pts or 0
        if pts is None:
            return 0 if self._last is None else self._last + round(MICROS / self._rate())
        time = round((pts - self._first_pts) * self._scale * MICROS) + self._gap
        if self._last is None or time > self._last:
            return time
        if self._last - time < MICROS:
            return self._last + 1  # an untidy clip: pictures at one time, or a little out of order
        step = round(MICROS / self._rate())
        self._gap += self._last + step - time  # the clock was set back: a new recording begins
        return self._last + step

    def _cut_short(self) -> str | None:
        """Whether a file ended before its own header says: the index points beyond the file, or much time is missing."""
        if self._remote or self._last is None:
            return None
        entries, size = self._stream.index_entries, Path(self.path).stat().st_size
        beyond = len(entries) > 0 and entries[-1].pos + entries[-1].size > size
        expected = self._duration()
        if not beyond and len(self._container.streams) > 1 and not self._stream.duration:
            expected = None  # the container's length may be another stream's
        end = self._last + round(MICROS / self._rate())
        if not beyond and (expected is None or expected - end < max(MICROS // 2, expected // 10)):
            return None
        promised = f" of {expected / MICROS:.2f} s" if expected else ""
        return f"is cut off: it ends at {end / MICROS:.2f} s{promised}; everything before was read"

    # -- reading ---------------------------------------------------------------------------------

    def grab(self) -> Stamp | None:
        if self.peek() is None:
            self._current = None
            if self._fault:
                fault, self._fault = self._fault, None
                raise self._error(fault, "Get a whole copy of it.")
            return None
        self._current, self._ahead = self._ahead, None
        assert self._current is not None
        return Stamp(self._current.time_us, self._current.index)

    def retrieve(self, into: Frame | None = None) -> Frame:
        if self._current is None:
            raise self._error("has no picture grabbed", "Call grab() first.")
        frame = self._current.frame
        size, orientation = self._square(frame), self._orientation(frame)
        out = slot(into, *oriented_size(*size, orientation), self.info.channels)
        stored = out.data
        if orientation != 1:
            stored = self._stored(size)
        self._decoder(frame, stored)
        if orientation != 1:
            orient(stored, orientation, out.data)
        if self._alpha:
            premultiply(out.data, out.data)
        return out

    def _stored(self, size: tuple[int, int]) -> np.ndarray:
        shape = (size[1], size[0], self.info.channels)
        if self._turned is None or self._turned.shape != shape:
            self._turned = np.empty(shape, np.uint8)
        return self._turned

    def _orientation(self, frame: Any) -> int:
        """Looked up anew only where the rotation changes: reading side data ties a frame to itself until the collector
        runs, and FFmpeg's pool would grow meanwhile."""
        if self._rotation is None or frame.rotation != self._rotation[0]:
            self._rotation = (frame.rotation, _orientation(frame))
        return self._rotation[1]

    def _square(self, frame: Any) -> tuple[int, int]:
        """Width and height with square pixels: the wider way, so that nothing is thrown away."""
        aspect = self._stream.sample_aspect_ratio
        if not aspect or aspect == 1 or not Fraction(1, 8) < aspect < 8:
            return frame.width, frame.height
        if aspect > 1:
            return round(frame.width * aspect), frame.height
        return frame.width, round(frame.height / aspect)

    def seek(self, time_us: int) -> None:
        if self.info.live:
            raise self._error("is live", "A live stream can't seek.")
        time_us = max(0, time_us)
        margin = 0
        while True:
            start = time_us - margin
            self._jump(start)
            first = self._next()
            if first is None or first.time_us <= time_us or start <= 0:
                break
            margin = 2 * margin + MICROS  # landed too late: some indexes are coarse
        while first is not None and (after := self._next()) is not None:
            if after.time_us > time_us:
                self._settle(first, after)
                return
            first = after
        self._settle(first, None)

    def _settle(self, shown: _Decoded | None, after: _Decoded | None) -> None:
        """Continue with `shown`, then `after`, then the rest."""
        if shown is None:
            return
        index = round(shown.time_us * self.info.fps / MICROS)
        rest, self._frames = self._frames, iter(())
        self._ahead, self._ended = shown._replace(index=index), False
        self._index, self._last = index + 1, shown.time_us
        self._frames = rest if after is None else _prefixed(after.frame, rest)

    def _jump(self, time_us: int) -> None:
        """To a key frame at or before `time_us`; to the start where the container can't seek."""
        self._fault = None
        if time_us > 0 and self._container.format.name not in _NO_SEEK:
            assert self._first_pts is not None
            target = self._first_pts + int(time_us / (self._scale * MICROS))
            try:
                self._container.seek(target, stream=self._stream, backward=True)
                self._context.flush_buffers()
                self._restart(0)
                return
            except (av.error.FFmpegError, OSError):
                pass
        self._container.close()
        self._open()
        self._restart(0)

    def close(self) -> None:
        self._current = self._ahead = None
        self._frames = iter(())
        self._ended = True
        self._container.close()

    def _error(self, what: str, hint: str) -> SourceError:
        return SourceError(f"{self.path} {what}. {hint}")


def _prefixed(frame: Any, rest: Iterator[Any]) -> Iterator[Any]:
    yield frame
    yield from rest


def _has_alpha(frame: Any) -> bool:
    return frame.format.has_palette or any(c.is_alpha for c in frame.format.components)


def _orientation(frame: Any) -> int:
    """The display matrix of a frame as an EXIF orientation."""
    data = frame.side_data.get("DISPLAYMATRIX")
    if data is None:
        return 1
    a, b, _, c, d = np.frombuffer(bytes(data), np.int32)[:5]
    corners = (int(np.sign(a)), int(np.sign(b)), int(np.sign(c)), int(np.sign(d)))
    return _MATRIX.get(corners, 1)


_MATRIX = {
    (-1, 0, 0, 1): 2,
    (-1, 0, 0, -1): 3,
    (1, 0, 0, -1): 4,
    (0, 1, 1, 0): 5,
    (0, 1, -1, 0): 6,
    (0, -1, -1, 0): 7,
    (0, -1, 1, 0): 8,
}
