"""Play an effect of the library over a clip, and turn a knob half-way.

    python examples/play.py [CLIP] → played.mp4
"""

import sys

from spellwire.graph.document import load_effect
from spellwire.runtime.cli.library import find_effect
from spellwire.runtime.cli.needs import demo_clip
from spellwire.runtime.media.opening import open_sink, open_source
from spellwire.runtime.session import Session

clip = sys.argv[1] if len(sys.argv) > 1 else demo_clip()
effect = load_effect(find_effect("grade"))

with open_source(clip) as source, Session.load(effect, source.info) as session:
    half = (source.info.frames or 0) // 2
    knob = effect.interface[0].name

    def turn(frames: int) -> None:
        if frames == half:
            session.set(knob, 0.0)

    report = session.play(source, open_sink("played.mp4"), on_frame=turn)

print(f"{report.frames} frames at {report.fps:.0f} fps; {knob} was set to 0 after frame {half}")
