"""The demo clip: a virtual hand-held camera over a portrait in the public domain, with its true motion beside it.

The portrait is NASA's of astronaut Eileen Collins, which the scikit-image wheel carries. The camera pans, zooms, rolls
and shakes; the sensor adds noise and its exposure drifts. Same seed, same clip.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from ...graph.errors import SourceError
from ..frames import Frame
from .base import StreamInfo, frame_time
from .video_out import VideoSink

__all__ = ["camera_path", "make_demo_clip", "motion_path"]

PAD = 160  # portrait pixels of studio wall added around the portrait
SHARP = 3  # the portrait is enlarged once, well, and then only ever reduced
MIDDLE, TOP = 243.0, -1.0  # where the camera keeps the middle and the top of its view, portrait pixels
NOISE, BANK = 2.6, 3  # standard deviation in levels; pictures of noise


def make_demo_clip(
    path: str | Path,
    *,
    width: int = 1280,
    height: int = 720,
    fps: int | Fraction = 30,
    seconds: float = 8,
    seed: int = 7,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Write the clip (H.264) and `NAME.motion.json` beside it.

    The JSON holds, for each frame, `time_us` and `frame_to_portrait`: a 3×3 (row by row) from frame pixels to pixels of
    the 512×512 portrait, both with pixel centres at +0.5, y down.

    Args:
        progress: told (frames done, frames in all).

    Raises: SourceError where scikit-image is missing, SinkError.
    """
    path, rate = Path(path), Fraction(fps)
    total = max(1, round(seconds * rate))
    motion = camera_path(total, width, height, rate, seed)
    camera = _Camera(_portrait(), width, height, seed)
    info = StreamInfo(path.name, width, height, rate, frame_time(total, rate), total)
    frame = Frame.make(width, height, 3)
    made = path.with_name(
        f"{path.stem}.making{path.suffix}"
    )  # a clip that was interrupted is never taken for the whole
    try:
        with VideoSink(made, quality=20, options={"preset": "ultrafast"}) as sink:
            sink.open(info)
            for number in range(total):
                camera.shoot(motion.matrices[number], motion.exposure[number], frame.data)
                sink.write(frame, frame_time(number, rate))
                if progress is not None:
                    progress(number + 1, total)
        _write_motion(path, info, motion, seed)
        os.replace(made, path)
    finally:
        made.unlink(missing_ok=True)
    return path


def motion_path(clip: str | Path) -> Path:
    """Where a demo clip's true motion lies."""
    return Path(clip).with_suffix(".motion.json")


def _portrait() -> np.ndarray:
    try:
        from skimage import data
    except ImportError as e:
        raise SourceError(
            "the demo clip needs the portrait in scikit-image, which isn't installed. "
            "Run `pip install spellwire[demo]`, or give a clip of your own with --input."
        ) from e
    return data.astronaut()


# -- the camera's way ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Motion:
    """matrices: (n, 3, 3) frame → portrait, pixel centres at +0.5; exposure: (n,) gain."""

    matrices: np.ndarray
    exposure: np.ndarray


def camera_path(count: int, width: int, height: int, fps: Fraction, seed: int) -> Motion:
    """Where the camera looks in each of `count` frames: slow pan, zoom and roll, and the shake of a hand."""
    rng = np.random.default_rng(seed)
    t = np.arange(count) / float(fps)
    fill = width / 436 * max(1.0, height * 16 / (width * 9))  # frame pixels per portrait pixel, mid zoom
    zoom = fill * (1 + 0.1 * _sway(rng, t, 7.0))
    roll = np.radians(1.9 * _sway(rng, t, 5.3) + 0.25 * _shake(rng, t, 2.5))
    look_x = MIDDLE + 14 * _sway(rng, t, 6.1) + 0.9 * _shake(rng, t, 4.0)
    look_y = TOP + height / 2 / zoom + 3 * _sway(rng, t, 4.7) + 0.9 * _shake(rng, t, 4.0)
    exposure = 1 + 0.035 * _sway(rng, t, 3.9)
    cos, sin = np.cos(roll) / zoom, np.sin(roll) / zoom
    matrices = np.zeros((count, 3, 3))
    matrices[:, 0, 0], matrices[:, 0, 1] = cos, -sin
    matrices[:, 1, 0], matrices[:, 1, 1] = sin, cos
    matrices[:, 0, 2] = look_x - cos * width / 2 + sin * height / 2
    matrices[:, 1, 2] = look_y - sin * width / 2 - cos * height / 2
    matrices[:, 2, 2] = 1
    return Motion(matrices, exposure)


def _sway(rng: np.random.Generator, t: np.ndarray, period: float) -> np.ndarray:
    """Slow and smooth, −1 to 1: two waves that don't repeat together."""
    a, b = rng.uniform(0, 2 * np.pi, 2)
    return 0.72 * np.sin(2 * np.pi * t / period + a) + 0.28 * np.sin(2 * np.pi * t / (0.43 * period) + b)


def _shake(rng: np.random.Generator, t: np.ndarray, top: float) -> np.ndarray:
    """A hand's tremor, standard deviation about 1: waves up to `top` Hz, weaker as they get faster."""
    frequencies = rng.uniform(0.4, top, 9)
    phases = rng.uniform(0, 2 * np.pi, 9)
    weights = 1 / (0.6 + frequencies)
    waves = weights[:, None] * np.sin(2 * np.pi * frequencies[:, None] * t + phases[:, None])
    return waves.sum(axis=0) / np.sqrt((weights**2).sum() / 2)


# -- the camera ------------------------------------------------------------------------------------


class _Camera:
    def __init__(self, portrait: np.ndarray, width: int, height: int, seed: int):
        self._scene = _scene(portrait)
        self._lit = np.empty((height, width, 3), np.uint8)
        rng = np.random.default_rng([seed, 1])
        shape = (BANK, height + 64, width + 64, 3)
        noise = rng.standard_normal(shape, np.float32)
        noise[..., 0] *= 1.25  # red and blue are the noisier channels of a sensor
        noise[..., 2] *= 1.35
        self._bank = np.clip(np.rint(noise * NOISE + 128), 0, 255).astype(np.uint8)
        self._places = rng

    def shoot(self, frame_to_portrait: np.ndarray, exposure: float, out: np.ndarray) -> None:
        """One picture into `out`."""
        to_scene = np.diag([SHARP, SHARP, 1.0]) @ _shift(PAD) @ frame_to_portrait
        corners = _shift(-0.5) @ to_scene @ _shift(0.5)  # OpenCV puts pixel centres at whole numbers
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        height, width = out.shape[:2]
        cv2.warpAffine(
            self._scene,
            corners[:2],
            (width, height),
            dst=self._lit,
            flags=flags,
            borderMode=cv2.BORDER_REPLICATE,
        )
        which, y, x = self._places.integers(0, (BANK, 65, 65))
        noise = self._bank[which, y : y + height, x : x + width]
        cv2.addWeighted(self._lit, exposure, noise, 1.0, -128.0, dst=out)


def _shift(by: float) -> np.ndarray:
    return np.array([[1, 0, by], [0, 1, by], [0, 0, 1.0]])


def _scene(portrait: np.ndarray) -> np.ndarray:
    """The portrait, enlarged, on a wall that goes on softly where the portrait ends."""
    size = 512 + 2 * PAD
    place = np.arange(size, dtype=np.float32) - PAD
    low, high = 3, 508  # its outermost rows are the scan's edge
    beyond = np.maximum(np.maximum(low - place, place - high), 0)
    fold = 10 * (1 - np.exp(-beyond / 20))  # back into the picture, never as far as the hair
    folded = np.where(place < 256, np.maximum(place, low) + fold, np.minimum(place, high) - fold).astype(
        np.float32
    )
    x, y = np.meshgrid(folded, folded)
    wall = cv2.remap(portrait, x, y, cv2.INTER_CUBIC)
    outside = np.maximum(beyond[:, None], beyond[None, :])[..., None]
    soft, near = cv2.GaussianBlur(wall, (0, 0), 3), np.clip(outside / 12, 0, 1)
    softer, far = cv2.GaussianBlur(wall, (0, 0), 12), np.clip(outside / 60, 0, 1)
    mixed = (wall * (1 - near) + soft * near) * (1 - far) + softer * far
    size *= SHARP
    large = cv2.resize(np.rint(mixed).astype(np.uint8), (size, size), interpolation=cv2.INTER_CUBIC)
    return cv2.addWeighted(large, 1.55, cv2.GaussianBlur(large, (0, 0), 2.2), -0.55, 0)


def _write_motion(path: Path, info: StreamInfo, motion: Motion, seed: int) -> None:
    frames = [
        {"time_us": frame_time(n, info.fps), "frame_to_portrait": [round(float(v), 9) for v in matrix.flat]}
        for n, matrix in enumerate(motion.matrices)
    ]
    document = {
        "portrait": "skimage.data.astronaut",
        "portrait_size": [512, 512],
        "width": info.width,
        "height": info.height,
        "fps": str(info.fps),
        "seed": seed,
        "frames": frames,
    }
    motion_path(path).write_text(json.dumps(document, indent=1) + "\n")
