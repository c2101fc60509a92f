"""docs/pictures/effects.jpg: the whole library at a glance, a still of each effect's preview with its name."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
from gallery import DOCS, picture_of
from PIL import Image

from spellwire.runtime.cli.library import library
from spellwire.runtime.media.caption import caption

__all__ = ["write_board"]

TILE, COLUMNS, GAP, PAPER = (380, 214), 4, 6, 255
MOMENT = {"stickers": 0.3, "poster": 0.75}  # where in its preview an effect shows most; else MIDDLE
MIDDLE = 0.6


def write_board(docs: Path = DOCS) -> Path:
    """Write the picture; effects without a moving preview are left out."""
    tiles = [tile(name, docs / picture) for name in library() if (picture := picture_of(name, docs))]
    rows = -(-len(tiles) // COLUMNS)
    step = (TILE[0] + GAP, TILE[1] + GAP)
    board = np.full((rows * step[1] - GAP, COLUMNS * step[0] - GAP, 3), PAPER, np.uint8)
    for number, picture in enumerate(tiles):
        x, y = number % COLUMNS * step[0], number // COLUMNS * step[1]
        board[y : y + TILE[1], x : x + TILE[0]] = picture
    path = docs / "pictures" / "effects.jpg"
    Image.fromarray(board).save(path, quality=86, optimize=True)
    return path


def tile(name: str, file: Path) -> np.ndarray:
    with Image.open(file) as moving:
        moving.seek(int((getattr(moving, "n_frames", 1) - 1) * MOMENT.get(name, MIDDLE)))
        picture = np.array(moving.convert("RGB"))
    made = filled(picture)
    caption(made, name, (8, TILE[1] - 35), 15)
    return made


def filled(picture: np.ndarray) -> np.ndarray:
    """The middle of a picture, as large as a tile."""
    height, width = picture.shape[:2]
    scale = max(TILE[0] / width, TILE[1] / height)
    size = max(round(width * scale), TILE[0]), max(round(height * scale), TILE[1])
    large = cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA)
    x, y = (size[0] - TILE[0]) // 2, (size[1] - TILE[1]) // 2
    return np.ascontiguousarray(large[y : y + TILE[1], x : x + TILE[0]])


if __name__ == "__main__":
    print(write_board(), file=sys.stderr)
