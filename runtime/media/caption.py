"""Small text on pictures, in OpenCV's own outline font, light on a dark plate."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np

__all__ = ["caption", "draw_text", "text_size"]


@cache
def _font() -> cv2.FontFace:
    return cv2.FontFace("sans")


def text_size(text: str, size: int, weight: int = 400) -> tuple[int, int]:
    """Width and height in pixels of a line of `size` pixels."""
    x, y, w, h = cv2.getTextSize((0, 0), text, (0, 0), _font(), size, weight)
    return w, h


def draw_text(
    picture: np.ndarray,
    text: str,
    at: tuple[int, int],
    size: int = 16,
    colour: tuple = (236, 237, 239),
    weight: int = 400,
) -> None:
    """Write a line into an RGB picture; `at` is the left end of its base line."""
    cv2.putText(picture, text, at, colour, _font(), size, weight)


def caption(picture: np.ndarray, text: str, at: tuple[int, int], size: int = 15) -> None:
    """A line on a darkened plate whose top left corner is `at`."""
    width, _ = text_size(text, size)
    x, y = at
    plate = picture[y : y + size + 12, x : x + width + 18]
    if plate.size:
        np.multiply(plate, 0.35, out=plate, casting="unsafe")
        draw_text(picture, text, (x + 9, y + size + 2), size)
