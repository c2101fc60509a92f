"""Makes `preview.webp` over the demo clip: its own background out of focus, then each of the pictures.

    python effects_library/backdrop/make_preview.py
"""

from __future__ import annotations

import sys
from pathlib import Path

from spellwire.graph.document import load_effect
from spellwire.runtime.cli.needs import demo_clip

FOLDER = Path(__file__).parent
sys.path.insert(0, str(FOLDER.parents[1] / "scripts"))

from preview import play, read, save, small  # noqa: E402

PART = 34  # pictures each
WAYS = ({"picture": 0.0, "blur": 0.05}, {"scene": 1}, {"scene": 2}, {"scene": 3})

if __name__ == "__main__":
    effect, clip = load_effect(FOLDER), read(demo_clip(), 0.0, 5.0)
    shown = []
    for k, values in enumerate(WAYS):
        part = clip[k * PART : (k + 1) * PART]
        shown += [small(p) for p in play(effect, part, **values)[::2]]
    between = (clip[-1].time_us - clip[0].time_us) / (len(clip) - 1) * 2 / 1e3
    size = save(shown, FOLDER / "preview.webp", between)
    print(f"{FOLDER / 'preview.webp'}: {size} bytes, {len(shown)} pictures")
