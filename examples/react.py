"""An effect that reacts: a key, a touch or an open mouth wakes it up; after two seconds it falls asleep again.

    python examples/react.py [CLIP] → react.mp4

Needs the embedded models (`spellwire models pull`). Here the events are sent by the script; in a window they come from the
keyboard and the mouse.
"""

import sys

from spellwire.graph.document import effect_from_data
from spellwire.runtime.cli.needs import demo_clip, ready_models
from spellwire.runtime.media.opening import open_sink, open_source
from spellwire.runtime.session import Session

effect = effect_from_data({
    "schema": 1,
    "nodes": {
        "camera": {"type": "source.input"},
        "faces": {"type": "face.mesh", "inputs": {"image": "camera.image"}},
        "mouths": {"type": "expression.mouth_open", "inputs": {"face": "faces.faces"}},
        "anybody": {"type": "event.gather", "inputs": {"events": "mouths.fired"}},
        "space": {"type": "event.key", "params": {"key": "space"}},
        "finger": {"type": "event.touch"},
        "wake": {"type": "event.merge", "inputs": {"a": "anybody.out", "b": "space.pressed", "c": "finger.touched"}},
        "mood": {
            "type": "logic.state_machine",
            "params": {"transitions": "asleep -> awake on a\nawake -> asleep after 2"},
            "inputs": {"a": "wake.out"},
        },
        "spring": {"type": "motion.spring", "params": {"settle": 0.6}, "inputs": {"target": "mood.index"}},
        "grey": {"type": "colour.saturation", "params": {"saturation": 0.0}, "inputs": {"image": "camera.image"}},
        "shown": {"type": "logic.choose_image", "inputs": {"a": "grey.out", "b": "camera.image", "index": "spring.out"}},
        "show": {"type": "sink.output", "inputs": {"image": "shown.out"}},
    },
})  # fmt: skip
ready_models(effect)

with open_source(sys.argv[1] if len(sys.argv) > 1 else demo_clip()) as source, Session.load(effect, source.info) as session:
    moods = ["asleep"]

    def on_frame(frames: int) -> None:
        if frames == 5:
            session.event("touch", x=0.1, y=-0.2)
        if (mood := session.probe("mood", "name")) != moods[-1]:
            moods.append(mood)
            print(f"frame {frames}: {mood}")

    session.play(source, open_sink("react.mp4"), frames=90, on_frame=on_frame)
