"""Fonts: runs of text as coverage. Font files by SDL_ttf (FreeType, shaped by HarfBuzz), or OpenCV's built-in fonts.

The built-in one has Latin, Greek and Cyrillic letters in any weight, and Chinese, Japanese and Korean ones. It also stands
in for what a font file lacks. Scripts that run from right to left, or whose letters join, need a font file that has them.
"""

from __future__ import annotations

import os
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ..graph.errors import SourceError

__all__ = ["BuiltInFont", "Font", "FontFile", "Run", "direction", "open_font"]

SIGNATURES = (b"\x00\x01\x00\x00", b"OTTO", b"ttcf", b"true", b"wOFF")
UNKNOWN = "\uffff"  # no font has it: drawn as the font's sign for what it lacks
SCRIPTS = {
    "ARABIC": "Arab", "HEBREW": "Hebr", "DEVANAGARI": "Deva", "BENGALI": "Beng", "TAMIL": "Taml", "TELUGU": "Telu",
    "THAI": "Thai", "GUJARATI": "Gujr", "GURMUKHI": "Guru", "KANNADA": "Knda", "MALAYALAM": "Mlym", "KHMER": "Khmr",
    "MYANMAR": "Mymr", "CJK": "Hani", "HIRAGANA": "Hira", "KATAKANA": "Kana", "HANGUL": "Hang", "CYRILLIC": "Cyrl", "GREEK": "Grek",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Run:
    """Text drawn in one font.

    Attributes:
        coverage: (h, w) uint8.
        baseline: rows from its top to the baseline.
        start: columns from its left edge to where the writing begins.
        advance: how far the writing moves on, in pixels.
    """

    coverage: np.ndarray
    baseline: int
    start: int
    advance: int


class Font:
    """A font at one size. `size`: pixels of its em; `ascent`, `descent`: rows above and below the baseline."""

    def __init__(self, size: int):
        self.size = size
        self.ascent, self.descent = round(size * 0.95), round(size * 0.28)

    def run(self, text: str) -> Run:
        """One piece of text."""
        raise NotImplementedError

    def width(self, text: str) -> int:
        """How far it moves on."""
        raise NotImplementedError

    def lacks(self, letter: str) -> bool:
        """Whether the font has no shape for it."""
        raise NotImplementedError


class BuiltInFont(Font):
    """OpenCV's own fonts: a grotesque of any weight, and WenQuanYi for what that lacks."""

    def __init__(self, size: int, weight: int):
        super().__init__(size)
        self._face, self._weight = cv2.FontFace("sans"), int(weight)
        self._lacking: dict[str, bool] = {}

    def width(self, text: str) -> int:
        return int(cv2.getTextSize((0, 0), text, (0, 0), self._face, self.size, self._weight)[2]) if text else 0

    def run(self, text: str) -> Run:
        advance, pad = self.width(text), self.size // 4 + 2
        baseline = self.ascent + pad
        canvas = np.zeros((baseline + self.descent + pad, advance + 2 * pad), np.uint8)
        cv2.putText(canvas, text, (pad, baseline), (255,), self._face, self.size, self._weight)
        return Run(canvas, baseline, pad, advance)

    def lacks(self, letter: str) -> bool:
        if letter == "?" or letter.isspace():
            return False
        if letter not in self._lacking:
            self._lacking[letter] = self._same(letter, UNKNOWN)
        return self._lacking[letter]

    def _same(self, a: str, b: str) -> bool:
        drawn = []
        for letter in (a, b):
            canvas = np.zeros((48, 64), np.uint8)
            cv2.putText(canvas, letter, (8, 36), (255,), self._face, 32, self._weight)
            drawn.append(canvas)
        return np.array_equal(*drawn)


class FontFile(Font):
    """A TrueType or OpenType file."""

    def __init__(self, path: Path, size: int, weight: int):
        super().__init__(size)
        os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
        import pygame

        self._pygame: Any = pygame
        try:
            with open(path, "rb") as stream:
                signature = stream.read(4)
            if signature not in SIGNATURES:
                raise SourceError(f"{path} is no font: give a TrueType or OpenType file (.ttf, .otf, .ttc)")
            pygame.font.init()
            self._font = pygame.font.Font(str(path), size)
            self._font.bold = weight >= 650
            self._unknown = self._drawn(UNKNOWN)
        except (OSError, pygame.error) as error:
            raise SourceError(f"{path}: the font can't be read: {error}. Is it a whole TrueType or OpenType file?") from None
        self.ascent, self.descent = self._font.get_ascent(), -self._font.get_descent()
        self._lacking: dict[str, bool] = {}

    def width(self, text: str) -> int:
        self._script(text)
        return self._font.size(text)[0] if text else 0

    def run(self, text: str) -> Run:
        self._script(text)
        drawn = self._drawn(text)
        return Run(drawn, self._font.get_ascent(), 0, drawn.shape[1])

    def _script(self, text: str) -> None:
        pygame = self._pygame
        right_to_left = direction(text) < 0
        self._font.set_direction(pygame.DIRECTION_RTL if right_to_left else pygame.DIRECTION_LTR)
        self._font.set_script(script(text))

    def _drawn(self, text: str) -> np.ndarray:
        """(h, w) uint8."""
        surface = self._font.render(text, True, (255, 255, 255))
        return np.ascontiguousarray(self._pygame.surfarray.array_alpha(surface).T)

    def lacks(self, letter: str) -> bool:
        if letter.isspace():
            return False
        if letter not in self._lacking:
            self._lacking[letter] = np.array_equal(self._drawn(letter), self._unknown)
        return self._lacking[letter]


def direction(text: str) -> int:
    """−1 where text runs from right to left (its first letter that has a direction does), else 1."""
    for letter in text:
        kind = unicodedata.bidirectional(letter)
        if kind in ("R", "AL"):
            return -1
        if kind == "L":
            return 1
    return 1


def script(text: str) -> str:
    """ISO 15924's name of the text's first script that is not Latin; Latin where there is none."""
    for letter in text:
        found = SCRIPTS.get(unicodedata.name(letter, "").partition(" ")[0])
        if found:
            return found
    return "Latn"


@lru_cache(16)
def open_font(path: Path | None, size: int, weight: int) -> Font:
    """The font in a file, or the built-in one (None), `size` pixels high.

    Raises:
        SourceError: the file is missing or no font.
    """
    return BuiltInFont(size, weight) if path is None else FontFile(path, size, weight)
