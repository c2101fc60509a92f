"""Keys as triggers, through the session's own door."""

from __future__ import annotations

import math

import numpy as np
import pytest

from spellwire.graph.document import effect_from_data
from spellwire.runtime.frames import Frame
from spellwire.runtime.media.base import StreamInfo
from spellwire.runtime.session import Session


@pytest.fixture
def session():
    nodes = {
        "n1": {"type": "source.input"},
        "n2": {"type": "event.key", "params": {"key": "a"}},
        "n3": {"type": "event.toggle", "inputs": {"events": "n2.pressed"}},
        "n4": {"type": "event.count", "params": {"limit": 3}, "inputs": {"events": "n2.pressed"}},
        "n5": {"type": "event.pulse", "params": {"fall": 0.5}, "inputs": {"events": "n2.pressed"}},
        "n6": {
            "type": "value.maths",
            "params": {"operation": "add"},
            "inputs": {"a": "n4.count", "b": "n5.value"},
        },
        "n7": {
            "type": "value.maths",
            "params": {"operation": "multiply", "b": 0.0},
            "inputs": {"a": "n6.out"},
        },
        "n8": {"type": "colour.exposure", "inputs": {"image": "n1.image", "stops": "n7.out"}},
        "n9": {"type": "composite.switch", "inputs": {"off": "n8.out", "on": "n10.out", "amount": "n3.on"}},
        "n10": {"type": "colour.invert", "inputs": {"image": "n1.image"}},
        "n11": {"type": "sink.output", "inputs": {"image": "n9.out"}},
    }
    effect = effect_from_data({"schema": 1, "nodes": nodes, "next_id": 12})
    with Session.load(effect, StreamInfo("x", 64, 48)) as one:
        yield one


def test_a_key_toggles_counts_and_flashes(session):
    grey = Frame.make(64, 48, 3)
    grey.data[...] = 40
    seen = []
    for i, keys in enumerate([[], ["a"], ["b"], ["a", "a"], []]):
        for key in keys:
            session.event(key)
        shown = int(session.render(grey, i * 100_000, i).data[0, 0, 0])
        values = session.engine.value
        seen.append((shown, values(("n4", "count")), values(("n5", "value"))))
    assert [s[0] for s in seen] == [40, 215, 215, 215, 215], "three presses: on, off, on"
    assert [s[1] for s in seen] == [0, 1, 1, 0, 0], "it starts over at 3"
    fallen = math.exp(-0.1 / 0.5)
    assert np.allclose([s[2] for s in seen], [0, 1, fallen, 1, fallen])
