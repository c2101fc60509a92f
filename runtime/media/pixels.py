"""uint8 pictures: alpha, orientation, other sizes and formats. Every function writes into an array that is given."""

from __future__ import annotations

import cv2
import numpy as np

from ..frames import Frame

__all__ = ["Display", "fit", "orient", "oriented_size", "premultiply", "unpremultiply"]

# Orientation as EXIF numbers it: what to do with the stored picture to see it upright.
_ROTATE = {3: cv2.ROTATE_180, 6: cv2.ROTATE_90_CLOCKWISE, 8: cv2.ROTATE_90_COUNTERCLOCKWISE}
_FLIP = {2: 1, 4: 0}


def oriented_size(width: int, height: int, orientation: int) -> tuple[int, int]:
    """The upright size of a picture stored with that EXIF orientation (1–8)."""
    return (height, width) if orientation >= 5 else (width, height)


def orient(picture: np.ndarray, orientation: int, out: np.ndarray) -> None:
    """Turn a stored picture upright into `out` (whose size is `oriented_size`)."""
    if orientation in _ROTATE:
        cv2.rotate(picture, _ROTATE[orientation], dst=out)
    elif orientation in _FLIP:
        cv2.flip(picture, _FLIP[orientation], dst=out)
    elif orientation == 5:
        cv2.transpose(picture, dst=out)
    elif orientation == 7:
        cv2.transpose(picture, dst=out)
        cv2.flip(out, -1, dst=out)
    else:
        np.copyto(out, picture)


def premultiply(straight: np.ndarray, out: np.ndarray) -> None:
    """RGBA uint8, colour × alpha / 255, rounded; in place is allowed."""
    cv2.cvtColor(straight, cv2.COLOR_RGBA2mRGBA, dst=out)


def unpremultiply(picture: np.ndarray, out: np.ndarray) -> None:
    """RGBA uint8, colour × 255 / alpha; 0 where alpha is 0; in place is allowed."""
    cv2.cvtColor(picture, cv2.COLOR_mRGBA2RGBA, dst=out)


def fit(picture: np.ndarray, out: np.ndarray) -> tuple[int, int, int, int]:
    """Scale into `out` with the aspect kept, centred, bars of zeros; returns the place x, y, width, height."""
    height, width = out.shape[:2]
    scale = min(width / picture.shape[1], height / picture.shape[0])
    w = min(width, max(1, round(picture.shape[1] * scale)))
    h = min(height, max(1, round(picture.shape[0] * scale)))
    x, y = (width - w) // 2, (height - h) // 2
    for bar in (out[:y], out[y + h :], out[y : y + h, :x], out[y : y + h, x + w :]):
        bar[...] = 0
    inside = out[y : y + h, x : x + w]
    if (h, w) == picture.shape[:2]:
        np.copyto(inside, picture)
    else:
        cv2.resize(
            picture, (w, h), dst=inside, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        )
    return x, y, w, h


class Display:
    """Any frame as a uint8 picture of a fixed number of channels; buffers are kept from frame to frame.

    float values are clamped to 0–1 (NaN becomes 0). A premultiplied picture without its alpha is that picture over
    black. One channel becomes grey.
    """

    def __init__(self, channels: int, straight: bool = False):
        self.channels = channels
        self.straight = straight
        self._float: np.ndarray | None = None
        self._bytes: np.ndarray | None = None
        self._out: np.ndarray | None = None

    def __call__(self, frame: Frame) -> np.ndarray:
        """(height, width, channels) uint8, valid until the next call; the frame's own data where nothing is to do."""
        picture = frame.data if frame.data.dtype == np.uint8 else self._to_bytes(frame.data)
        if picture.shape[2] == self.channels and not (self.straight and self.channels == 4):
            return picture
        self._out = out = _buffer(self._out, (*picture.shape[:2], self.channels))
        self._convert(picture, out)
        return out

    def _convert(self, picture: np.ndarray, out: np.ndarray) -> None:
        channels = picture.shape[2]
        if channels == 4 and self.channels == 4:
            unpremultiply(picture, out)
        elif channels == 4:
            cv2.cvtColor(picture, cv2.COLOR_RGBA2RGB, dst=out)
        elif channels == 3:
            cv2.cvtColor(picture, cv2.COLOR_RGB2RGBA, dst=out)
        else:
            grey = picture[:, :, 0] if channels == 1 else np.ascontiguousarray(picture[:, :, 0])
            cv2.cvtColor(grey, cv2.COLOR_GRAY2RGBA if self.channels == 4 else cv2.COLOR_GRAY2RGB, dst=out)

    def _to_bytes(self, data: np.ndarray) -> np.ndarray:
        self._float = value = _buffer(self._float, data.shape, np.float32)
        self._bytes = out = _buffer(self._bytes, data.shape)
        np.multiply(data, np.float32(255), out=value, casting="same_kind")
        cv2.patchNaNs(value, 0.0)
        np.clip(value, 0, 255, out=value)
        np.rint(value, out=value)
        np.copyto(out, value, casting="unsafe")
        return out


def _buffer(kept: np.ndarray | None, shape: tuple[int, ...], dtype: type = np.uint8) -> np.ndarray:
    if kept is not None and kept.shape == shape:
        return kept
    return np.empty(shape, dtype)
