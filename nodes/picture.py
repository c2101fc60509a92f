"""Source: pictures from files, standing or moving, laid over the frame."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ..graph.declare import Out, Param, ProcessNode, frame_space, param, result
from ..graph.types import Asset, Boolean, Choice, Image, Integer, Number, Vector2
from ..runtime.frames import Frame, Geometry
from ..runtime.media.pictures import read_picture
from ..runtime.textures import read_clip

__all__ = ["Picture"]

LARGEST = 2048  # pixels of its longer side


class Picture(ProcessNode, type="source.picture"):
    """A picture of the effect's assets, laid over the frame: a background, a texture, a frame with a hole.

    `fill` covers the frame, `fit` shows all of it (around it is transparent), `stretch` ignores proportions. Animations (GIF,
    animated PNG or WebP) play by the effect's time. Without a file it is transparent. Give it up to four, and choose by `which`,
    also while it plays.
    """

    file: Param[Asset] = param(None, doc="PNG, JPEG, WebP, …, standing or moving")
    second: Param[Asset] = param(None, doc="another one")
    third: Param[Asset] = param(None, doc="another one")
    fourth: Param[Asset] = param(None, doc="another one")
    which: Param[Integer] = param(1, low=1, high=4, doc="which of them shows")
    how: Param[Choice] = param("fill", choices=("fill", "fit", "stretch"), doc="how it meets the frame")
    zoom: Param[Number] = param(1.0, low=0.1, high=8, step=0.01, doc="above 1 closer")
    offset: Param[Vector2] = param((0.0, 0.0), low=-2, high=2, step=0.005, unit="frame heights", doc="moved to the right, down")
    loop: Param[Boolean] = param(True, doc="an animation begins anew at its end")
    out: Out[Image] = result(space=frame_space, size="free", doc="the picture")

    def open(self, context: Any) -> None:
        self._linear = context.working_space == "linear"
        self._read: dict[str, _Shown] = {}

    def process(
        self, file: Any, second: Any, third: Any, fourth: Any, which: int, how: str, zoom: float,
        offset: tuple[float, float], loop: bool, tick: Any,
    ) -> Frame:  # fmt: skip
        """Each file is read when it is first shown, and stays."""
        chosen = (file, second, third, fourth)[min(max(int(which), 1), 4) - 1]
        if not chosen:
            nothing = Geometry(1, 1, (float(tick.width), 0.0, 0.0, 0.0, float(tick.height), 0.0))
            return Frame(NOTHING, nothing, "frame")
        if str(chosen) not in self._read:
            self._read[str(chosen)] = _Shown(Path(chosen), self._linear)
        pixels = self._read[str(chosen)].at(tick.time, loop)
        return Frame(pixels, place(pixels, how, zoom, offset, tick), "frame")


NOTHING = np.zeros((1, 1, 4), np.float32)


class _Shown:
    """A file's picture in float, (h + 2, w + 2, 4): around it lies a pixel of nothing."""

    def __init__(self, path: Path, linear: bool):
        clip = read_clip(path, linear=linear)
        self._clip, self._texture = (clip if len(clip.starts) > 1 else None), None
        first = np.float32(1 / 65535) * clip.textures[0].picture if self._clip else still(path, linear)
        self._pixels = np.pad(first, ((1, 1), (1, 1), (0, 0)))

    def at(self, time: int, loop: bool) -> np.ndarray:
        if self._clip is not None and (texture := self._clip.at(time, loop)) is not self._texture:
            np.multiply(texture.picture, np.float32(1 / 65535), out=self._pixels[1:-1, 1:-1])
            self._texture = texture
        return self._pixels


def place(pixels: np.ndarray, how: str, zoom: float, offset: tuple[float, float], tick: Any) -> Geometry:
    """Where a picture, with its pixel of nothing around, lies in the frame."""
    height, width = pixels.shape[0] - 2, pixels.shape[1] - 2
    x, y = tick.width / width, tick.height / height
    scale = {"fill": (max(x, y),) * 2, "fit": (min(x, y),) * 2, "stretch": (x, y)}[how]
    a, e = scale[0] * zoom, scale[1] * zoom
    left = 0.5 * tick.width + offset[0] * tick.height - a * (0.5 * width + 1)
    top = 0.5 * tick.height + offset[1] * tick.height - e * (0.5 * height + 1)
    return Geometry(width + 2, height + 2, (a, 0.0, left, 0.0, e, top))


def still(path: Path, linear: bool) -> np.ndarray:
    """(h, w, 4) float32, premultiplied scene values, at most LARGEST on its longer side."""
    picture = read_picture(path)
    share = LARGEST / max(picture.shape[:2])
    if share < 1:
        size = (max(1, round(picture.shape[1] * share)), max(1, round(picture.shape[0] * share)))
        picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    made = np.ones((*picture.shape[:2], 4), np.float32)
    np.multiply(picture, np.float32(1 / 255), out=made[..., : picture.shape[2]])
    if linear:
        a = np.maximum(made[..., 3:], 1e-6)
        rgb = np.clip(made[..., :3] / a, 0, 1)
        made[..., :3] = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4) * made[..., 3:]
    return made
