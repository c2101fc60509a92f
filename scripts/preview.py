"""A moving preview of an effect, small enough for a README.

    python scripts/preview.py relight                  the demo clip → effects_library/relight/preview.webp
    python scripts/preview.py beauty --split           the clip as it is on the left, the effect on the right
    python scripts/preview.py poster --input clip.mp4 --start 1 --seconds 4 --set amount=0.8 --output out/poster.gif

What is committed shows only what the project may show: the demo clip, or pictures that our own scripts drew. From a
script: `preview(effect, pictures, path)`, where `pictures` come from `read(clip)` or `moving(frames)`.
"""

from __future__ import annotations

import io
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from spellwire.graph.document import load_effect
from spellwire.graph.effect import Effect
from spellwire.graph.errors import SpellwireError
from spellwire.runtime.cli.library import find_effect
from spellwire.runtime.cli.needs import demo_clip, ready_models
from spellwire.runtime.cli.play import setting
from spellwire.runtime.frames import Frame
from spellwire.runtime.media.base import Picture, StreamInfo, frame_time
from spellwire.runtime.media.opening import open_source
from spellwire.runtime.session import Session

__all__ = ["moving", "play", "preview", "read", "save", "small"]

WIDTH, LIMIT = 480, 500_000  # pixels; bytes of the file at most
QUALITIES = (70, 60, 50, 40, 30, 22, 15)


def read(clip: str, start: float = 0.0, seconds: float | None = None) -> list[Picture]:
    """A clip's pictures from `start` on, at most `seconds` of them."""
    end = None if seconds is None else (start + seconds) * 1e6
    found = []
    with open_source(clip) as source:
        while (picture := source.read()) is not None and (end is None or picture.time_us < end):
            if picture.time_us >= start * 1e6:
                found.append(picture)
    return found


def moving(frames: Iterable[np.ndarray], fps: int = 30) -> list[Picture]:
    """(h, w, 3) uint8 RGB arrays as the pictures of a clip."""
    return [Picture(Frame.of(f), frame_time(i, fps), i) for i, f in enumerate(frames)]


def play(effect: str | Effect, pictures: Sequence[Picture], **values: Any) -> list[np.ndarray]:
    """What the effect makes of those pictures, played in order: (h, w, 3) uint8 each."""
    chosen = load_effect(find_effect(effect)) if isinstance(effect, str) else effect
    ready_models(chosen)
    height, width = pictures[0].frame.data.shape[:2]
    with Session.load(chosen, StreamInfo("preview", width, height), values=values) as session:
        shown = [session.render(p.frame, p.time_us, p.index).data[..., :3].copy() for p in pictures]
        for path, failure in session.engine.failures.items():
            raise SpellwireError(f"{path} failed: {failure.error}")
    return shown


def preview(
    effect: str | Effect, pictures: Sequence[Picture], path: Path, *, values: Mapping[str, Any] | None = None,
    every: int = 2, width: int = WIDTH, split: bool = False, limit: int = LIMIT,
) -> int:  # fmt: skip
    """Play the effect over all pictures and keep each `every`-th as an animated WebP or GIF; its size in bytes.

    split: the left half as it was, the right half with the effect.
    """
    shown = play(effect, pictures, **(values or {}))
    if split:
        middle = shown[0].shape[1] // 2
        for after, before in zip(shown, pictures, strict=True):
            after[:, :middle] = before.frame.data[:, :middle, :3]
            after[:, middle - 1 : middle + 1] = 255
    span = pictures[-1].time_us - pictures[0].time_us
    between = every * span / max(len(pictures) - 1, 1) / 1e3
    return save([small(frame, width) for frame in shown[::every]], path, between, limit)


def small(picture: np.ndarray, width: int = WIDTH) -> np.ndarray:
    """The picture at that width, its shape kept; both sides even."""
    height = 2 * round(width * picture.shape[0] / picture.shape[1] / 2)
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)


def save(frames: Sequence[np.ndarray], path: Path, between: float, limit: int = LIMIT) -> int:
    """Write an endless WebP or GIF, as good as fits into `limit` bytes; frames are left out where none fits.

    between: ms from frame to frame.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    frames = list(frames)
    while True:
        for quality in QUALITIES[:: 2 if path.suffix.lower() == ".gif" else 1]:
            data = encode(frames, path.suffix.lower(), between, quality)
            if len(data) <= limit:
                path.write_bytes(data)
                return len(data)
        if len(frames) < 8:
            raise SpellwireError(f"{path}: {len(frames)} frames don't fit into {limit} bytes; take a smaller width")
        frames, between = frames[::2], between * 2


def encode(frames: Sequence[np.ndarray], suffix: str, between: float, quality: int) -> bytes:
    buffer = io.BytesIO()
    pictures = [Image.fromarray(f) for f in frames]
    if suffix == ".gif":
        colours = max(24, 256 * quality // QUALITIES[0])
        pictures = [p.quantize(colours, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE) for p in pictures]
    how = {"quality": quality, "method": 4} if suffix == ".webp" else {"optimize": True, "disposal": 1}
    pictures[0].save(
        buffer, suffix[1:], save_all=True, append_images=pictures[1:], duration=round(between), loop=0, **how
    )
    return buffer.getvalue()


def arguments() -> Namespace:
    made = ArgumentParser(description="A moving preview of an effect, small enough for a README.")
    made.add_argument("effect", help="a name of the library, or a folder")
    made.add_argument("--input", default="demo", help="a clip, or demo")
    made.add_argument("--output", type=Path, help="a .webp or .gif (preview.webp in the effect's folder)")
    made.add_argument("--start", type=float, default=0.0, help="seconds")
    made.add_argument("--seconds", type=float, default=4.0)
    made.add_argument("--every", type=int, default=2, help="keep each n-th picture (2)")
    made.add_argument("--width", type=int, default=WIDTH)
    made.add_argument("--split", action="store_true", help="the left half without the effect")
    made.add_argument("--set", action="append", default=[], type=setting, metavar="NAME=VALUE")
    return made.parse_args()


def main() -> int:
    args = arguments()
    try:
        folder = find_effect(args.effect)
        path = args.output or (folder if folder.is_dir() else folder.parent) / "preview.webp"
        pictures = read(demo_clip() if args.input == "demo" else args.input, args.start, args.seconds)
        values = dict(args.set)
        size = preview(args.effect, pictures, path, values=values, every=args.every, width=args.width, split=args.split)
    except SpellwireError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{path}  {size // 1000} kB", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
