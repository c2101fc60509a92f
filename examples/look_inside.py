"""Look inside a playing effect: where the face is, frame by frame. Needs the embedded models (`spellwire models pull`).

    python examples/look_inside.py [CLIP]
"""

import sys

from spellwire.graph.document import load_effect
from spellwire.runtime.cli.library import find_effect
from spellwire.runtime.cli.needs import demo_clip, ready_models
from spellwire.runtime.media.null import NullSink
from spellwire.runtime.media.opening import open_source
from spellwire.runtime.session import Session

effect = load_effect(find_effect("relight"))
ready_models(effect)
mesh = next(node.id for node in effect.nodes.values() if node.type == "face.mesh")

with (
    open_source(sys.argv[1] if len(sys.argv) > 1 else demo_clip()) as source,
    Session.load(effect, source.info) as session,
):

    def look(frames: int) -> None:
        faces = session.probe(mesh, "faces")
        places = [f"face {face.id}: nose at {face.landmarks[1, 0]:.0f}, {face.landmarks[1, 1]:.0f}" for face in faces]
        print(f"frame {frames}: " + (", ".join(places) or "no face"))

    session.play(source, NullSink(), frames=10, on_frame=look)
