"""Contact sheets: a few pictures of a clip on one page, alone or as before and after."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from ...graph.errors import SourceError
from ..frames import Frame
from .base import MICROS, Picture, Source
from .caption import draw_text, text_size
from .opening import open_source
from .pictures import write_picture
from .pixels import Display

__all__ = ["comparison_sheet", "contact_sheet", "pick_pictures"]

Pictures = str | Path | Source | Iterable[Picture]
BACKGROUND, INK, QUIET = (17, 18, 21), (232, 233, 236), (139, 143, 151)
MARGIN, GAP, LABEL, HEADER = 28, 14, 26, 44


def contact_sheet(
    pictures: Pictures,
    path: str | Path,
    *,
    count: int = 12,
    columns: int | None = None,
    width: int = 1600,
    title: str | None = None,
) -> np.ndarray:
    """Write a PNG of `count` pictures, evenly chosen in time, each with its time below it.

    Args:
        pictures: a clip's path, a source (which is read from where it stands), or pictures.
        columns: None: so that the sheet is about as wide as a screen.
        width: of the sheet, pixels.
        title: the line on top; None: the clip's name, size, rate and length.

    Returns: the sheet, (height, width, 3) uint8 RGB. Raises SourceError, SinkError.
    """
    chosen, found = _collect(pictures, count)
    cells = [(p.frame.data, _clock(p.time_us)) for p in chosen]
    return _page(path, [[cell] for cell in cells], columns, width, found if title is None else title)


def comparison_sheet(
    before: Pictures,
    after: Pictures,
    path: str | Path,
    *,
    count: int = 6,
    columns: int | None = None,
    width: int = 1600,
    title: str | None = None,
    labels: tuple[str, str] = ("before", "after"),
) -> np.ndarray:
    """Write a PNG of pairs, before on the left and after on the right, at the same times. Otherwise as contact_sheet."""
    left, _ = _collect(before, count)
    right, found = _collect(after, count)
    pairs = [
        [(a.frame.data, f"{labels[0]}  {_clock(a.time_us)}"), (b.frame.data, labels[1])]
        for a, b in zip(left, right, strict=False)
    ]
    return _page(path, pairs, columns, width, found if title is None else title)


# -- choosing --------------------------------------------------------------------------------------


def _collect(pictures: Pictures, count: int) -> tuple[list[Picture], str]:
    if isinstance(pictures, str | Path):
        with open_source(pictures) as source:
            return pick_pictures(source, count), _describe(source)
    if isinstance(pictures, Source):
        return pick_pictures(pictures, count), _describe(pictures)
    given = list(pictures)
    if not given:
        raise SourceError("a contact sheet needs at least one picture.")
    places = np.linspace(0, len(given) - 1, min(count, len(given))).round().astype(int)
    return [given[i] for i in places], ""


def pick_pictures(source: Source, count: int) -> list[Picture]:
    """`count` pictures at even times, each a copy of its own. A clip that is cut off gives what it has."""
    total = source.info.duration_us or _measure(source)
    step = max(1, total // count)
    picked: list[Picture] = []
    for stamp in _stamps(source):
        if len(picked) < count and stamp >= step * len(picked) + step // 2 - source.info.interval_us // 2:
            picked.append(Picture(source.retrieve(), stamp, len(picked)))
    if not picked:
        raise SourceError(f"{source.info.name} has no picture to show. Is it empty?")
    return picked


def _stamps(source: Source) -> Iterator[int]:
    try:
        while (stamp := source.grab()) is not None:
            yield stamp.time_us
    except SourceError:
        return


def _measure(source: Source) -> int:
    last = max(_stamps(source), default=0)
    source.seek(0)
    return last + source.info.interval_us


def _clock(time_us: int) -> str:
    minutes, seconds = divmod(time_us / MICROS, 60)
    return f"{int(minutes)}:{seconds:05.2f}"


def _describe(source: Source) -> str:
    i = source.info
    parts = [i.name, f"{i.width} × {i.height}", f"{float(i.fps):g} fps"]
    if i.duration_us:
        parts.append(f"{i.duration_us / MICROS:.1f} s")
    return "   ".join(parts)


# -- laying out ------------------------------------------------------------------------------------

Cell = tuple[np.ndarray, str]


def _page(
    path: str | Path, groups: Sequence[Sequence[Cell]], columns: int | None, width: int, title: str
) -> np.ndarray:
    """Groups (one picture, or a pair that belongs together) in rows, all cells of one size."""
    across = len(groups[0])
    first = groups[0][0][0]
    columns = columns or _columns(len(groups), across, first.shape[1] / first.shape[0])
    columns = min(columns, len(groups))
    inner = width - 2 * MARGIN - GAP * (columns - 1) - 2 * columns * (across - 1)
    cell_w = inner // (columns * across)
    cell_h = round(cell_w * first.shape[0] / first.shape[1])
    rows = -(-len(groups) // columns)
    top = MARGIN + (HEADER if title else 0)
    sheet = np.empty((top + rows * (cell_h + LABEL + GAP) - GAP + MARGIN, width, 3), np.uint8)
    sheet[:] = BACKGROUND
    if title:
        draw_text(sheet, title, (MARGIN, MARGIN + 18), 19, INK, 500)
    for number, group in enumerate(groups):
        row, column = divmod(number, columns)
        x = MARGIN + column * (across * cell_w + 2 * (across - 1) + GAP)
        y = top + row * (cell_h + LABEL + GAP)
        for k, cell in enumerate(group):
            _cell(sheet, cell, x + k * (cell_w + 2), y, cell_w, cell_h)
    write_picture(path, sheet)
    return sheet


def _columns(count: int, across: int, aspect: float) -> int:
    """The number of columns whose sheet comes closest to a screen of 1.9:1, full rows preferred."""

    def cost(columns: int) -> float:
        rows = -(-count // columns)
        shape = columns * across * aspect / (rows * 1.08)
        return abs(np.log(shape / 1.9)) + 0.5 * (rows * columns - count) / count

    return min(range(1, count + 1), key=cost)


def _cell(sheet: np.ndarray, cell: Cell, x: int, y: int, width: int, height: int) -> None:
    picture, label = Display(3)(Frame.of(cell[0])), cell[1]
    scale = min(width / picture.shape[1], height / picture.shape[0])
    w, h = max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    left, top = x + (width - w) // 2, y + (height - h) // 2
    sheet[top : top + h, left : left + w] = cv2.resize(picture, (w, h), interpolation=method)
    size = 14
    while text_size(label, size)[0] > width and size > 8:
        size -= 1
    draw_text(sheet, label, (x, y + height + 18), size, QUIET)
