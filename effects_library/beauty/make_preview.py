"""The README's moving picture: the demo clip's face, close, the left half as it was.

    python effects_library/beauty/make_preview.py
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "scripts"))

from preview import moving, preview, read  # noqa: E402

from spellwire.runtime.cli.needs import demo_clip  # noqa: E402

STRONG = {"smooth": 1.0, "texture": 0.25, "tone": 0.8, "eyes": 0.9, "teeth": 0.8, "lips": 0.45, "eye_size": 0.4, "slim": 0.4}


def main() -> int:
    frames = [p.frame.data[..., :3] for p in read(demo_clip(), 0.0, 3.0)]
    height, width = (n // 2 for n in frames[0].shape[:2])
    left, top = 282, 145  # around her face while the camera hardly moves
    close = [np.ascontiguousarray(f[top : top + height, left : left + width]) for f in frames]
    size = preview("beauty", moving(close), HERE / "preview.webp", values=STRONG, split=True)
    print(f"preview.webp  {size // 1000} kB", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
