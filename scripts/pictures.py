"""Make the README's pictures and the node pages anew: `make pictures`. Everything comes from the demo clip.

With the word `nodes`, the node pages only.

docs/pictures/   what the effects do (the README)
docs/nodes/      a page for each node, and its picture
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
from node_pictures import draw_nodes
from PIL import Image

from spellwire.graph.document import load_effect
from spellwire.runtime.cli.library import find_effect
from spellwire.runtime.cli.needs import demo_clip, ready_models
from spellwire.runtime.media.base import Picture, StreamInfo
from spellwire.runtime.media.opening import open_source
from spellwire.runtime.session import Session

DOCS = Path(__file__).resolve().parent.parent / "docs"
GAP, PAPER = 6, 255


def main() -> int:
    pictures = read(demo_clip())
    folder = DOCS / "pictures"
    folder.mkdir(parents=True, exist_ok=True)
    if "nodes" not in sys.argv[1:]:
        relight(pictures, folder)
        grade(pictures, folder)
    draw_nodes(pictures[0].frame.data, DOCS / "nodes")
    for file in sorted(folder.iterdir()):
        print(f"{file.relative_to(DOCS)}  {file.stat().st_size // 1000} kB", file=sys.stderr)
    return 0


def read(clip: str) -> list[Picture]:
    with open_source(clip) as source:
        found = []
        while (picture := source.read()) is not None:
            found.append(picture)
        return found


def play(name: str, pictures: list[Picture], **values: object) -> list[np.ndarray]:
    """What the effect makes of those pictures, played in order."""
    effect = load_effect(find_effect(name))
    ready_models(effect)
    height, width = pictures[0].frame.data.shape[:2]
    with Session.load(effect, StreamInfo("demo", width, height), values=values) as session:
        return [session.render(p.frame, p.time_us, p.index).data[..., :3].copy() for p in pictures]


def relight(pictures: list[Picture], folder: Path) -> None:
    first = pictures[:8]  # a few frames, so that tracking and smoothing have settled
    lit = [play("relight", first, movement=0.0, light_x=x)[-1] for x in (-0.6, 0.0, 0.6)]
    save(strip([first[-1].frame.data, *lit], 384), folder / "relight.jpg")
    moving = play("relight", pictures[:202])[1::3]  # the key light swings once in 6.7 s
    frames = [Image.fromarray(small(frame, 480)) for frame in moving]
    frames[0].save(folder / "relight.webp", save_all=True, append_images=frames[1:], duration=100, quality=45, method=6)


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


def small(picture: np.ndarray, width: int) -> np.ndarray:
    size = width, round(width * picture.shape[0] / picture.shape[1])
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA)


def save(picture: np.ndarray, path: Path) -> None:
    Image.fromarray(picture).save(path, quality=84, optimize=True)


if __name__ == "__main__":
    sys.exit(main())
