"""A node of your own, in the file that uses it: a picture printed in two inks.

    python examples/own_node.py [PICTURE OR CLIP] → inks.png
"""

import sys

from spellwire.graph.declare import In, Out, Param, PixelNode, param
from spellwire.graph.effect import Effect, NodeUse, Wire
from spellwire.graph.frozen import FrozenDict
from spellwire.graph.registry import Registry, registry
from spellwire.graph.types import Colour, Image
from spellwire.runtime.cli.needs import demo_clip
from spellwire.runtime.media.opening import open_source
from spellwire.runtime.media.pictures import write_picture
from spellwire.runtime.pixel import clamp, luma, mix, vec
from spellwire.runtime.session import Session
from spellwire.runtime.session.planning import Planner


class Duotone(PixelNode, type="example.duotone"):
    """Print a picture in two inks."""

    image: In[Image]
    shadows: Param[Colour] = param((0.08, 0.05, 0.28, 1.0))
    light: Param[Colour] = param((1.0, 0.86, 0.62, 1.0))
    out: Out[Image]

    def pixel(self, image, shadows, light):
        return vec(mix(shadows.rgb, light.rgb, clamp(luma(image))), image.a)


nodes = [NodeUse("in_", "source.input"), NodeUse("inks", "example.duotone"), NodeUse("out_", "sink.output")]
effect = Effect(
    nodes=FrozenDict({node.id: node for node in nodes}),
    wires=(Wire("in_", "image", "inks", "image"), Wire("inks", "out", "out_", "image")),
)
planner = Planner(nodes=registry().merged(Registry.of(Duotone)))

with open_source(sys.argv[1] if len(sys.argv) > 1 else demo_clip()) as source:
    picture = source.read()
    assert picture is not None
    with Session.load(effect, source.info, planner=planner) as session:
        shown = session.render(picture.frame)
        write_picture("inks.png", shown.data)
        print(f"wrote inks.png, {shown.width}×{shown.height}")
