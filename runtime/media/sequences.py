"""Numbered pictures as a stream, in and out."""

from __future__ import annotations

import glob
import re
from fractions import Fraction
from pathlib import Path

import numpy as np

from ...graph.errors import SinkError, SourceError
from ..frames import Frame
from .base import Sink, Source, Stamp, StreamInfo, frame_time, slot
from .faults import claim
from .pictures import WRITABLE, rate_of, read_picture, write_picture
from .pixels import Display

__all__ = ["SequenceSink", "SequenceSource", "find_sequence"]

_NUMBER = re.compile(r"%0?(\d*)d")


class SequenceSource(Source):
    """Pictures of a glob (`shot/*.png`, by name, numbers counted as numbers) or a pattern (`shot/%04d.png`).

    A numbered pattern begins at its lowest number and skips gaps, whose time the picture before keeps.
    """

    def __init__(self, pattern: str | Path, *, fps: Fraction | float | None = None):
        self.pattern = str(pattern)
        self.files = find_sequence(self.pattern)
        if not self.files:
            raise SourceError(
                f"no picture matches {pattern}. A pattern looks like shot/%04d.png or shot/*.png."
            )
        self._next = 0
        self._current: int | None = None
        self._rate = rate_of(fps)
        first = read_picture(self.files[0][1])
        last = self.files[-1][0]
        self.info = StreamInfo(
            Path(self.pattern).name,
            first.shape[1],
            first.shape[0],
            self._rate,
            frame_time(last + 1, self._rate),
            len(self.files),
            has_alpha=first.shape[2] == 4,
        )

    def peek(self) -> int | None:
        return frame_time(self.files[self._next][0], self._rate) if self._next < len(self.files) else None

    def grab(self) -> Stamp | None:
        time = self.peek()
        if time is None:
            self._current = None
            return None
        self._current = self._next
        self._next += 1
        return Stamp(time, self._current)

    def retrieve(self, into: Frame | None = None) -> Frame:
        if self._current is None:
            raise SourceError(f"{self.pattern} has no picture grabbed. Call grab() first.")
        picture = Display(self.info.channels)(Frame.of(read_picture(self.files[self._current][1])))
        out = slot(into, picture.shape[1], picture.shape[0], self.info.channels)
        np.copyto(out.data, picture)
        return out

    def seek(self, time_us: int) -> None:
        times = [frame_time(number, self._rate) for number, _ in self.files]
        self._next = max(0, int(np.searchsorted(times, time_us, side="right")) - 1)

    def close(self) -> None:
        self._next = len(self.files)


def find_sequence(pattern: str) -> list[tuple[int, Path]]:
    """(number of the frame from 0, file) of a glob or a %d pattern, in order."""
    place = _NUMBER.search(pattern)
    if place is None:
        return list(enumerate(sorted((Path(p) for p in glob.glob(pattern)), key=_natural)))
    head, tail = pattern[: place.start()], pattern[place.end() :]
    shape = re.compile(re.escape(head) + r"(\d+)" + re.escape(tail))
    width = int(place[1] or 0)
    found = []
    for name in glob.glob(glob.escape(head) + "*" + glob.escape(tail)):
        match = shape.fullmatch(name)
        if match and (len(match[1]) == width or (len(match[1]) > width and match[1][0] != "0") or not width):
            found.append((int(match[1]), Path(name)))
    found.sort()
    return [(number - found[0][0], path) for number, path in found]


def _natural(path: Path) -> list:
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", str(path))]


class SequenceSink(Sink):
    """A numbered file for every picture: `out/%04d.png`, from 0 on. Older files of those numbers are replaced."""

    def __init__(self, pattern: str | Path):
        self.pattern = str(pattern)
        if not _NUMBER.search(self.pattern) or Path(self.pattern).suffix.lower() not in WRITABLE:
            raise SinkError(f"{pattern} is no sequence. It looks like out/%04d.png ({', '.join(WRITABLE)}).")

    def open(self, info: StreamInfo) -> None:
        claim(Path(self.pattern))
        self._display = Display(4 if info.has_alpha else 3)

    def write(self, frame: Frame, time_us: int) -> None:
        write_picture(_NUMBER.sub(lambda m: m[0] % self.frames, self.pattern), self._display(frame))
        self.frames += 1

    def close(self) -> None:
        pass
