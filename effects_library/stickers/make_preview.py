"""Makes `preview.webp` over the demo clip, whose portrait never opens her mouth: here the bubble pops out by the clock.

    python effects_library/stickers/make_preview.py
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from spellwire.graph.document import load_effect
from spellwire.graph.effect import NodeUse, Wire
from spellwire.graph.frozen import FrozenDict, freeze
from spellwire.runtime.cli.needs import demo_clip

FOLDER = Path(__file__).parent
sys.path.insert(0, str(FOLDER.parents[1] / "scripts"))

from preview import preview, read  # noqa: E402

if __name__ == "__main__":
    effect = load_effect(FOLDER)
    clock = NodeUse("clock", "value.oscillator", params=freeze({"shape": "square", "rate": 0.4, "phase": 0.75}))
    wires = tuple(w for w in effect.wires if w.target != "n7")
    effect = replace(
        effect, nodes=FrozenDict({**effect.nodes, "clock": clock}), wires=(*wires, Wire("clock", "out", "n7", "target"))
    )
    size = preview(effect, read(demo_clip(), 0.0, 5.0), FOLDER / "preview.webp")
    print(f"{FOLDER / 'preview.webp'}: {size} bytes")
