"""Build an effect in Python, check it, save it, play it: an old postcard.

    python examples/build_effect.py [CLIP] → postcard/effect.json, postcard.mp4
"""

import sys

from spellwire.graph.document import save_effect
from spellwire.graph.effect import Effect, InterfaceEntry, NodeUse, Wire
from spellwire.graph.frozen import FrozenDict
from spellwire.graph.registry import registry
from spellwire.graph.validate import validate
from spellwire.runtime.cli.needs import demo_clip
from spellwire.runtime.media.opening import open_sink, open_source
from spellwire.runtime.session import Session

nodes = [
    NodeUse("camera", "source.input"),
    NodeUse("grey", "colour.saturation").set(saturation=0.15),
    NodeUse("gel", "colour.tint").set(colour=(1.0, 0.88, 0.7, 1.0)),
    NodeUse("corners", "composite.vignette").set(amount=0.6),
    NodeUse("grain", "composite.grain"),
    NodeUse("show", "sink.output"),
]
chain = ["camera", "grey", "gel", "corners", "grain", "show"]
ports = ["image", "out", "out", "out", "out"]

effect = Effect(
    title="Postcard",
    nodes=FrozenDict({node.id: node for node in nodes}),
    wires=tuple(Wire(a, port, b, "image") for a, port, b in zip(chain, ports, chain[1:], strict=False)),
    interface=(InterfaceEntry("age", "corners", "amount"),),
)
problems = list(validate(effect, registry()))
assert not problems, "\n".join(map(str, problems))
save_effect(effect, "postcard/effect.json")

clip = sys.argv[1] if len(sys.argv) > 1 else demo_clip()
with open_source(clip) as source, Session.load(effect, source.info, values={"age": 0.8}) as session:
    print(f"{len(effect.nodes)} nodes became {len(session.plan.kernels)} kernel")
    session.play(source, open_sink("postcard.mp4"))
