"""What every source and sink of pictures is: plain classes, driven from one thread at a time.

Pictures are display-referred: uint8, RGB, or RGBA with premultiplied alpha where the stream has alpha. Times are
whole microseconds of the stream's own clock, the first picture at 0.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import ClassVar, NamedTuple, Self

from ...graph.errors import SinkError
from ..frames import Frame

__all__ = [
    "Picture",
    "Sink",
    "Source",
    "Stamp",
    "StreamInfo",
    "frame_time",
    "free_name",
    "slot",
]

MICROS = 1_000_000


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """What is known of a stream before it plays.

    Attributes:
        name: short, for people: a file's name, `camera 0`.
        width, height: of the first picture, upright, square pixels. Later ones may differ.
        fps: the nominal rate; the times of the pictures are the truth.
        duration_us: None where unknown or endless.
        frames: None where unknown.
        live: pictures not read in time are lost.
        has_alpha: pictures have four channels.
        has_audio: the file has a sound track (`VideoSink(audio_from=path)` carries it over).
        path: the file behind it, if there is one.
    """

    name: str
    width: int
    height: int
    fps: Fraction = Fraction(30)
    duration_us: int | None = None
    frames: int | None = None
    live: bool = False
    has_alpha: bool = False
    has_audio: bool = False
    path: Path | None = None

    @property
    def channels(self) -> int:
        return 4 if self.has_alpha else 3

    @property
    def interval_us(self) -> int:
        """A frame's nominal length."""
        return round(MICROS / self.fps)


class Stamp(NamedTuple):
    """When a picture holds (µs) and its number in the stream, from 0.

    After a seek in a clip the number is time × fps, which a clip of variable rate need not agree with.
    """

    time_us: int
    index: int


@dataclass(slots=True)
class Picture:
    """One picture of a stream. `frame` is the slot given to `read` where that fitted."""

    frame: Frame
    time_us: int
    index: int


class Source(ABC):
    """A stream of pictures.

    `read` is what most callers need. `grab` and `retrieve` are its halves (as in OpenCV): a grabbed picture that nobody
    retrieves costs no conversion. Closing twice is allowed.

    Attributes:
        info: what is known of the stream.
        damaged: packets or pictures that could not be decoded and were left out.
        dropped: pictures a live source discarded because a newer one was there.
    """

    info: StreamInfo
    damaged: int = 0
    dropped: int = 0

    @abstractmethod
    def peek(self) -> int | None:
        """The time in µs of the picture the next `grab` takes; None at the end (or, live, while there is none)."""

    @abstractmethod
    def grab(self) -> Stamp | None:
        """Step to the next picture; None at the end. Raises SourceError."""

    @abstractmethod
    def retrieve(self, into: Frame | None = None) -> Frame:
        """The grabbed picture, (height, width, 3 or 4) uint8.

        It is written into `into` if that has the right size, channels and format (test with `is`); a new frame is made
        otherwise.
        """

    def read(self, into: Frame | None = None) -> Picture | None:
        """The next picture, or None at the end. Raises SourceError."""
        stamp = self.grab()
        return None if stamp is None else Picture(self.retrieve(into), *stamp)

    def seek(self, time_us: int) -> None:
        """Make the picture that is on screen at `time_us` the next one. Live sources raise SourceError."""
        raise NotImplementedError

    @abstractmethod
    def close(self) -> None:
        """Give everything back."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


class Sink(ABC):
    """Where pictures go. Leaving its `with` block by any way keeps what was written.

    Attributes:
        finished: the user asked to stop (a window's close button, or its `q`).
        frames: pictures written.
        aside: `write` may be called from another thread than the rest (a window's may not; a null sink need not).
    """

    finished: bool = False
    frames: int = 0
    aside: ClassVar[bool] = True

    @abstractmethod
    def open(self, info: StreamInfo) -> None:
        """Get ready for a stream like `info`. Raises SinkError."""

    @abstractmethod
    def write(self, frame: Frame, time_us: int) -> None:
        """Take one picture; the caller may refill `frame` right after. Times rise. Raises SinkError."""

    @abstractmethod
    def close(self) -> None:
        """Finish. Closing twice is allowed. Raises SinkError."""

    def abort(self) -> None:
        """Finish after a failure: keep the part that was written, put it in no older file's place, raise nothing."""
        with suppress(SinkError):
            self.close()

    HARMLESS: ClassVar = (KeyboardInterrupt, SystemExit)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None or issubclass(kind, self.HARMLESS):
            self.close()
        else:
            self.abort()


def slot(into: Frame | None, width: int, height: int, channels: int) -> Frame:
    """`into` if a uint8 picture of that size fits it, else a new frame."""
    if into is not None and into.format == "u8" and into.data.shape == (height, width, channels):
        return into
    return Frame.make(width, height, channels)


def frame_time(index: int, fps: Fraction) -> int:
    """µs of frame `index` at a constant rate."""
    return round(index * MICROS / fps)


def free_name(pattern: str, first: int = 1) -> Path:
    """The first path of `pattern` (with `{}` for a number) that isn't there yet."""
    number = first
    while (path := Path(pattern.replace("{}", str(number)))).exists():
        number += 1
    return path
