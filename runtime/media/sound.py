"""Sound for a written clip: packets copied from the source, encoded anew where the container refuses the codec."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error

from ...graph.errors import SinkError, SourceError
from .base import MICROS
from .faults import reason
from .formats import Format

__all__ = ["SoundTrack"]


class SoundTrack:
    """The sound of `path`, on the clock of its pictures, shifted by `origin_us`, in the order of time.

    Args:
        container: the output, its header not yet written.
        origin_us: the source time that becomes 0 in the output.
    """

    def __init__(self, path: str | Path, container: Any, format: Format, origin_us: int):
        self.path = path
        try:
            self._input: Any = av.open(str(path), metadata_errors="replace")
            self._start = _first_picture(path, self._input) + Fraction(origin_us, MICROS)
        except (av.error.FFmpegError, OSError, SourceError) as e:
            raise SinkError(
                f"no sound can be taken from {path}: {reason(e)}. Leave the sound out, or name another file."
            ) from e
        self._stream: Any = self._input.streams.audio[0] if self._input.streams.audio else None
        # What a decoder needs to hear before 0 to be right from 0 on; only these containers can hide it again.
        self._early = Fraction(-1, 10) if format.muxer in ("mp4", "mov") else Fraction(0)
        self._ahead: tuple[Fraction, Any] | None = None
        if self._stream is None or format.sound_codec is None:
            self._items: Iterator[tuple[Fraction, Any]] = iter(())
            return
        self._out = self._copied(container, format)
        if self._out is not None:
            self._items = self._packets()
        else:
            self._out = self._encoder(container, format)
            self._items = self._frames()

    @property
    def present(self) -> bool:
        """Whether there is any sound to write."""
        return self._stream is not None and getattr(self, "_out", None) is not None

    @property
    def encoded(self) -> bool:
        """Whether the sound is encoded anew."""
        return self.present and getattr(self, "_anew", False)

    def _copied(self, container: Any, format: Format) -> Any:
        name = self._stream.codec_context.name if self._stream.codec_context else ""
        codec = {"mp3float": "mp3"}.get(name, name)
        if format.sound is not None and codec not in format.sound:
            return None
        try:
            return container.add_stream_from_template(self._stream)
        except (ValueError, av.error.FFmpegError):
            return None

    def _encoder(self, container: Any, format: Format) -> Any:
        context = self._stream.codec_context
        opus = format.sound_codec == "libopus"
        out = container.add_stream(format.sound_codec, rate=48000 if opus else context.sample_rate)
        channels = min(context.channels, 8 if not opus else 2)
        out.layout = context.layout.name if channels == context.channels else "stereo"
        out.bit_rate = 96_000 * channels
        self._anew = True
        return out

    # -- what comes when -------------------------------------------------------------------------

    def _packets(self) -> Iterator[tuple[Fraction, Any]]:
        for packet in self._demux():
            if packet.pts is None:
                continue
            begin = packet.pts * packet.time_base - self._start
            end = begin + (packet.duration or 0) * packet.time_base
            if begin < self._early or end <= self._early:
                continue
            shift = round(self._start / packet.time_base)
            packet.pts -= shift
            packet.dts = packet.pts
            packet.stream = self._out
            yield begin, packet

    def _frames(self) -> Iterator[tuple[Fraction, Any]]:
        for packet in self._demux():
            try:
                frames = self._stream.codec_context.decode(packet)
            except (av.error.FFmpegError, OSError):
                continue
            for frame in frames:
                if frame.pts is None:
                    continue
                begin = frame.pts * frame.time_base - self._start
                if begin >= 0:
                    frame.pts -= round(self._start / frame.time_base)
                    yield begin, frame

    def _demux(self) -> Iterator[Any]:
        """What can be read; a broken end of the source only ends the sound."""
        try:
            for packet in self._input.demux(self._stream):
                if packet.size:
                    yield packet
        except (av.error.FFmpegError, OSError):
            return

    def until(self, time: Fraction) -> Iterator[Any]:
        """Packets to mux, of all sound that begins before `time` (seconds)."""
        while True:
            if self._ahead is None:
                self._ahead = next(self._items, None)
            if self._ahead is None or self._ahead[0] >= time:
                return
            item, self._ahead = self._ahead[1], None
            if self.encoded:
                yield from self._out.encode(item)
            else:
                yield item

    def drain(self) -> Iterator[Any]:
        """What the encoder still holds."""
        if self.encoded:
            yield from self._out.encode(None)

    def close(self) -> None:
        self._items = iter(())
        self._input.close()


def _first_picture(path: str | Path, container: Any) -> Fraction:
    """When, on the file's clock, its pictures begin (0 where it has none)."""
    if not container.streams.video:
        return Fraction(0)
    with av.open(str(path), metadata_errors="replace") as probe:
        stream: Any = probe.streams.video[0]
        for packet in probe.demux(stream):
            try:
                frames = packet.decode()
            except (av.error.FFmpegError, OSError):
                continue
            for frame in frames:
                if not frame.is_corrupt and frame.pts is not None:
                    return frame.pts * stream.time_base
    return Fraction(0)
