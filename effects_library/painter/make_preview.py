"""The moving preview: the demo clip in all four styles.

    python effects_library/painter/make_preview.py
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))

from preview import play, read, save, small

from spellwire.runtime.cli.needs import demo_clip


def main() -> None:
    pictures = read(demo_clip(), 0.0, 3.0)
    shown = [[small(f, 240) for f in play("painter", pictures, style=float(k))[::2]] for k in range(4)]
    grid = [np.vstack((np.hstack(four[:2]), np.hstack(four[2:]))) for four in zip(*shown, strict=True)]
    print(save(grid, Path(__file__).parent / "preview.webp", 2 * 1000 / 30), "bytes")


if __name__ == "__main__":
    main()
