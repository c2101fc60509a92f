"""Text set in lines and drawn as a premultiplied picture: wrapped, aligned, with outline, shadow and plate."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from .fonts import BuiltInFont, Font, direction, open_font

__all__ = ["Style", "lines_of", "missing", "set_text"]

Rgba = tuple[float, float, float, float]
FINE = 2  # pixels it is drawn at for one that is given
LARGEST = 512  # pixels of an em, fine ones
MOST = 1 << 20  # pixels of the picture; larger text is drawn coarser
NOT_FIRST = "、。，．,.!！?？:：;；)）」』】》〉’”・…ー々%％°"  # never begins a line
NOT_LAST = "(（「『【《〈‘“"  # never ends one


@dataclass(frozen=True)
class Style:
    """How text looks. Lengths are pixels of the picture it is drawn for; colours are not premultiplied.

    Attributes:
        font: a file, or None for the built-in one.
        size: of the em.
        weight: 100 to 900.
        width: at which lines are wrapped, and what the block is wide; 0: as wide as its lines.
        align: left, centre or right.
        leading: distance of lines, in sizes.
        colour, outline, shadow, plate: of the letters, their edge, what falls behind them, the box.
        outline_width, shadow_offset, shadow_soft, padding, corner: of edge, shadow and box.
    """

    font: Path | None
    size: float
    weight: int = 500
    width: float = 0.0
    align: str = "centre"
    leading: float = 1.2
    colour: Rgba = (1.0, 1.0, 1.0, 1.0)
    outline: Rgba = (0.0, 0.0, 0.0, 1.0)
    outline_width: float = 0.0
    shadow: Rgba = (0.0, 0.0, 0.0, 0.0)
    shadow_offset: tuple[float, float] = (0.0, 0.0)
    shadow_soft: float = 0.0
    plate: Rgba = (0.0, 0.0, 0.0, 0.0)
    padding: float = 0.0
    corner: float = 0.0

    def scaled(self, factor: float) -> Style:
        """All lengths longer by a factor."""
        x, y = self.shadow_offset
        return replace(
            self, size=self.size * factor, width=self.width * factor, outline_width=self.outline_width * factor,
            shadow_offset=(x * factor, y * factor), shadow_soft=self.shadow_soft * factor, padding=self.padding * factor,
            corner=self.corner * factor,
        )  # fmt: skip


def missing(text: str, font: Font) -> str:
    """Letters that neither the font nor the built-in one has, each once."""
    spare = open_font(None, 32, 400)
    return "".join(dict.fromkeys(c for c in text if not _control(c) and font.lacks(c) and spare.lacks(c)))


def _control(letter: str) -> bool:
    return unicodedata.category(letter) in ("Cc", "Cf", "Mn", "Me") or letter.isspace()


def lines_of(text: str, font: Font, width: float) -> list[str]:
    """Text in lines: broken where it says so, and where it would be wider than `width` pixels (0: never)."""
    made: list[str] = []
    for part in text.replace("\\n", "\n").split("\n"):
        line = ""
        for piece in _pieces(part) if width > 0 else (part,):
            if line.strip() and _width(line + piece.rstrip(), font) > width:
                made.append(line.rstrip())
                line = piece.lstrip()
            else:
                line += piece
        made.append(line.rstrip())
    return made


def _pieces(text: str) -> Iterator[str]:
    """Parts between which a line may be broken: words with the space after them, and each wide letter."""
    piece = ""
    for letter in text:
        wide = unicodedata.east_asian_width(letter) in ("W", "F")
        last = piece[-1:]
        after_wide = bool(last) and unicodedata.east_asian_width(last) in ("W", "F")
        may = (last == " " and letter != " ") or ((wide or after_wide) and letter != " ")
        if piece and may and letter not in NOT_FIRST and last not in NOT_LAST:
            yield piece
            piece = ""
        piece += letter
    if piece:
        yield piece


def _runs(line: str, font: Font) -> list[tuple[Font, str]]:
    """The line in parts that one font draws: its own, or the built-in one for what it lacks."""
    if isinstance(font, BuiltInFont) or direction(line) < 0:
        return [(font, line)] if line else []
    spare = open_font(None, font.size, 400)
    made: list[tuple[Font, str]] = []
    for letter in line:
        lent = font.lacks(letter) and not _control(letter) and not spare.lacks(letter)
        chosen = spare if lent else font
        if made and (made[-1][0] is chosen or letter == " "):
            made[-1] = (made[-1][0], made[-1][1] + letter)
        else:
            made.append((chosen, letter))
    return made


def _width(line: str, font: Font) -> int:
    return sum(f.width(part) for f, part in _runs(line, font))


def set_text(text: str, style: Style, share: float = 1.0) -> tuple[np.ndarray, float]:
    """The text as (h, w, 4) float32, premultiplied, with a transparent margin; and its scale.

    Args:
        share: of its letters that are drawn, from the first on; all have their places.

    Returns:
        The picture, at least 1×1, and how many of the style's pixels one of its own is: 1, or more for very large text.

    Raises:
        SourceError: the font can't be read.
    """
    fine = max(min(FINE, LARGEST / max(style.size, 1.0)), 0.02)
    font = open_font(style.font, max(round(style.size * fine), 2), style.weight)
    lines = lines_of(text, font, style.width * fine)
    block = _measure(lines, font, style, fine)
    margin = _margin(font, style, fine)
    pixels = (block[0] + 2 * margin) * (block[1] + 2 * margin) / fine**2
    if pixels > MOST and style.size > 2:
        coarse = math.sqrt(pixels / MOST) * 1.01
        picture, more = set_text(text, style.scaled(1.0 / coarse), share)
        return picture, more * coarse
    coverage = _coverage(lines, _cut(lines, share), font, style, block, margin)
    return _layers(coverage, margin, block, style, fine), 1.0


def _cut(lines: list[str], share: float) -> list[str]:
    left = round(sum(map(len, lines)) * min(max(share, 0.0), 1.0))
    made = []
    for line in lines:
        made.append(line[:left])
        left = max(left - len(line), 0)
    return made


def _measure(lines: list[str], font: Font, style: Style, fine: float) -> tuple[int, int]:
    """Width and height of the block of lines."""
    wide = max(_width(line, font) for line in lines)
    return max(wide, round(style.width * fine)), round(font.size * style.leading) * (len(lines) - 1) + font.ascent + font.descent


def _margin(font: Font, style: Style, fine: float) -> int:
    beside = style.outline_width + style.padding
    if style.shadow[3] > 0:
        beside += 3 * style.shadow_soft + max(map(abs, style.shadow_offset))
    return round(fine * (beside + 3)) + font.size // 8


def _coverage(
    lines: list[str], shown: list[str], font: Font, style: Style, block: tuple[int, int], margin: int
) -> np.ndarray:
    """Letters on a canvas with a margin around the block."""
    canvas = np.zeros((block[1] + 2 * margin, block[0] + 2 * margin), np.uint8)
    for number, (line, part) in enumerate(zip(lines, shown, strict=True)):
        long = _width(line, font)
        free = block[0] - long
        x = margin + {"left": 0, "centre": free // 2, "right": free}[style.align]
        if direction(line) < 0:
            x += long - _width(part, font)
        for f, piece in _runs(part, font):
            run = f.run(piece)
            down = number * round(font.size * style.leading)
            _paste(canvas, run.coverage, x - run.start, margin + font.ascent + down - run.baseline)
            x += run.advance
    return canvas


def _paste(canvas: np.ndarray, piece: np.ndarray, x: int, y: int) -> None:
    left, top = max(x, 0), max(y, 0)
    right, bottom = min(x + piece.shape[1], canvas.shape[1]), min(y + piece.shape[0], canvas.shape[0])
    if left < right and top < bottom:
        into = canvas[top:bottom, left:right]
        np.maximum(into, piece[top - y : bottom - y, left - x : right - x], out=into)


def _layers(coverage: np.ndarray, margin: int, block: tuple[int, int], style: Style, fine: float) -> np.ndarray:
    """Plate, shadow, outline and letters, one over another, at the size they are shown in."""
    height, width = max(1, round(coverage.shape[0] / fine)), max(1, round(coverage.shape[1] / fine))
    how = cv2.INTER_AREA if fine > 1 else cv2.INTER_LINEAR
    letters = cv2.resize(coverage, (width, height), interpolation=how).astype(np.float32) / 255
    body = letters
    if style.outline_width > 0:
        away = cv2.distanceTransform((coverage < 128).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        fat = np.clip(style.outline_width * fine + 1.0 - away, 0, 1)
        body = np.maximum(letters, cv2.resize(fat, (width, height), interpolation=how))
    made = np.zeros((height, width, 4), np.float32)
    if style.plate[3] > 0:
        box = (margin / fine, block[0] / fine, block[1] / fine)
        _over(made, _plate(made.shape, box, style), style.plate)
    if style.shadow[3] > 0:
        moved = np.array(((1, 0, style.shadow_offset[0]), (0, 1, style.shadow_offset[1])), np.float32)
        fallen = cv2.warpAffine(body, moved, (width, height))
        _over(made, cv2.GaussianBlur(fallen, (0, 0), style.shadow_soft) if style.shadow_soft > 0.1 else fallen, style.shadow)
    if style.outline_width > 0:
        _over(made, body, style.outline)
    _over(made, letters, style.colour)
    return made


def _plate(shape: tuple[int, ...], box: tuple[float, float, float], style: Style) -> np.ndarray:
    """A box with round corners around the block; box: its left and top, its width, its height."""
    start, wide, high = box
    half = np.array((wide / 2 + style.padding, high / 2 + style.padding))
    corner = min(style.corner, *half)
    y, x = np.mgrid[: shape[0], : shape[1]] + 0.5
    u = np.abs(x - start - wide / 2) - half[0] + corner
    v = np.abs(y - start - high / 2) - half[1] + corner
    away = np.hypot(np.maximum(u, 0), np.maximum(v, 0)) + np.minimum(np.maximum(u, v), 0) - corner
    return np.clip(0.5 - away, 0, 1).astype(np.float32)


def _over(under: np.ndarray, coverage: np.ndarray, colour: Rgba) -> None:
    a = coverage[..., None] * np.float32(colour[3])
    under *= 1.0 - a
    under += a * np.array((*colour[:3], 1.0), np.float32)
