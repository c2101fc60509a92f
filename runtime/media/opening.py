"""From a text on the command line to a source or a sink."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

from ...graph.errors import SinkError, SourceError, UsageError
from .base import Sink, Source

__all__ = ["open_sink", "open_source"]

_PICTURES = (
    ".png",
    ".jpg",
    ".jpeg",
    ".webp",
    ".tif",
    ".tiff",
    ".bmp",
    ".jp2",
    ".ppm",
    ".pgm",
    ".hdr",
    ".avif",
)


def open_source(
    text: str | Path,
    *,
    realtime: bool = False,
    loop: bool = False,
    fps: Fraction | float | None = None,
    threads: int = 0,
) -> Source:
    """The source a text means.

    Args:
        text: `camera:0`, `camera:/dev/video2`, an address (`rtsp://…`), a picture, a clip, a pattern (`shot/%04d.png`,
            `shot/*.png`), or a folder of pictures.
        realtime: deliver it as a camera would.
        loop: start over at the end, for ever.
        fps: the rate of pictures and sequences; asked of a camera. A clip has its own.
        threads: decoding threads of a clip; 0 is automatic.

    Raises: SourceError, UsageError.
    """
    text = str(text)
    if text.startswith("camera:") or text == "camera":
        return _camera(text.partition(":")[2] or "0", loop, fps)
    source = _stored(text, fps, threads)
    try:
        if loop and source.info.live:
            raise UsageError(f"{text} is live: it can't loop. Leave the loop out.")
    except UsageError:
        source.close()
        raise
    if loop:
        from .pacing import Looped

        source = Looped(source)
    if realtime and not source.info.live:
        from .pacing import Paced

        source = Paced(source)
    return source


def _camera(device: str, loop: bool, fps: Fraction | float | None) -> Source:
    if loop:
        raise UsageError("a camera can't loop. Leave the loop out.")
    from .camera import CameraSource

    return CameraSource(int(device) if device.isdigit() else device, fps=fps)


def _stored(text: str, fps: Fraction | float | None, threads: int) -> Source:
    path = Path(text)
    if "://" not in text and not path.is_file():
        pattern = _pattern(text, path)
        if pattern is not None:
            from .sequences import SequenceSource

            return SequenceSource(pattern, fps=fps)
    if path.suffix.lower() in _PICTURES and "://" not in text:
        from .pictures import ImageSource

        return ImageSource(path, fps=fps)
    if fps is not None:
        raise UsageError(f"{text} has its own frame rate. fps is for pictures, sequences and cameras.")
    from .video_in import VideoSource

    return VideoSource(text, threads=threads)


def _pattern(text: str, path: Path) -> str | None:
    if any(c in text for c in "*?[") or "%" in text:
        return text
    if not path.is_dir():
        return None
    for suffix in _PICTURES:
        if next(path.glob(f"*{suffix}"), None) is not None:
            return str(path / f"*{suffix}")
    raise SourceError(
        f"{path} is a folder without pictures. Give a clip, or a folder of {', '.join(_PICTURES[:4])}."
    )


def open_sink(
    text: str | Path, *, audio_from: str | Path | None = None, alpha: bool | None = None, **options: Any
) -> Sink:
    """The sink a text means, not opened yet: `window`, `null`, a picture, a sequence (`out/%04d.png`) or a clip.

    Args:
        audio_from: a file whose sound goes along, for clips.
        alpha: keep alpha, for clips; None: where the stream has it and the format can.
        options: further arguments of `WindowSink` or `VideoSink`.

    Raises: SinkError.
    """
    text = str(text)
    if text == "null":
        from .null import NullSink

        return NullSink()
    if text == "window":
        from .window import WindowSink

        return WindowSink(**options)
    suffix = Path(text).suffix.lower()
    if suffix in _PICTURES:
        from .pictures import ImageSink
        from .sequences import SequenceSink

        return SequenceSink(text) if "%" in text else ImageSink(text)
    from .formats import FORMATS
    from .video_out import VideoSink

    if suffix not in FORMATS:
        known = ", ".join((*FORMATS, ".png", ".jpg", ".webp"))
        raise SinkError(
            f"{text}: don't know how to write {suffix or 'a file without extension'}. Use {known}."
        )
    return VideoSink(text, audio_from=audio_from, alpha=alpha, **options)
