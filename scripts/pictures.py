"""Make the README's pictures, the node pages and the gallery anew: `make pictures`. Everything comes from the demo clip.

With the word `nodes`, the node pages only; with `gallery`, the gallery only.

docs/pictures/   what the effects do, and the library at a glance (the README)
docs/nodes/      a page for each node, and its picture
docs/effects.md  the gallery of effects (their own previews are made by scripts/preview.py)
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from effects_board import write_board
from gallery import write_gallery
from node_pictures import draw_nodes
from PIL import Image
from preview import play, read, small
from preview import save as save_moving

from spellwire.runtime.cli.needs import demo_clip
from spellwire.runtime.media.base import Picture

DOCS = Path(__file__).resolve().parent.parent / "docs"
GAP, PAPER = 6, 255


def main() -> int:
    if "gallery" in sys.argv[1:]:
        print(write_gallery(DOCS), write_board(DOCS), file=sys.stderr)
        return 0
    pictures = read(demo_clip())
    folder = DOCS / "pictures"
    folder.mkdir(parents=True, exist_ok=True)
    if "nodes" not in sys.argv[1:]:
        relight(pictures, folder)
        grade(pictures, folder)
        write_gallery(DOCS)
        write_board(DOCS)
    draw_nodes(pictures[0].frame.data, DOCS / "nodes")
    for file in sorted(folder.iterdir()):
        print(f"{file.relative_to(DOCS)}  {file.stat().st_size // 1000} kB", file=sys.stderr)
    return 0


def relight(pictures: list[Picture], folder: Path) -> None:
    first = pictures[:8]  # a few frames, so that tracking and smoothing have settled
    lit = [play("relight", first, movement=0.0, light_x=x)[-1] for x in (-0.6, 0.0, 0.6)]
    save(strip([first[-1].frame.data, *lit], 384), folder / "relight.jpg")
    moving = play("relight", pictures[:202])[1::3]  # the key light swings once in 6.7 s
    save_moving([small(frame) for frame in moving], folder / "relight.webp", 100)


def grade(pictures: list[Picture], folder: Path) -> None:
    frame = pictures[60]
    looks = [play("grade", [frame], **values)[0] for values in ({}, {"warmth": 0.6, "glow": 2.0}, {"exposure": -0.7, "warmth": -0.5})]
    save(strip([frame.frame.data, *looks], 384), folder / "grade.jpg")


def strip(pictures: list[np.ndarray], width: int) -> np.ndarray:
    """Side by side, each cut to its middle so that faces stay large."""
    cells = []
    for picture in pictures:
        height, whole = picture.shape[:2]
        side = (whole - height) // 2
        cells += [small(picture[:, side : whole - side], width), np.full((width, GAP, 3), PAPER, np.uint8)]
    return np.hstack(cells[:-1])


def save(picture: np.ndarray, path: Path) -> None:
    Image.fromarray(picture).save(path, quality=84, optimize=True)


if __name__ == "__main__":
    sys.exit(main())
