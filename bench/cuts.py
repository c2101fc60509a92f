"""Cutting any wire (a probe, a neighbour, nodes running singly) changes an effect's result by at most 1/255.

Every wire of the library's effects in turn is kept in memory instead of being fused away, and the same frames are played.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from measure import at_most, result, say

from spellwire.graph.document import load_effect
from spellwire.graph.effect import Effect
from spellwire.runtime.cli.library import find_effect, library
from spellwire.runtime.cli.needs import demo_clip
from spellwire.runtime.media.base import Picture
from spellwire.runtime.media.opening import open_source
from spellwire.runtime.plan.ir import Plan, Stream
from spellwire.runtime.session.planning import Planner


def run(quick: bool = True, *names: str) -> dict[str, Any]:
    frames = pictures(3 if quick else 12)
    planner = Planner(threads=2)
    rows: list[tuple[str, float, str]] = []
    worst, wires = 0, 0
    for name in names or library():
        found = cut_each(planner, load_effect(find_effect(name)), frames, name)
        rows += [(f"{name}: {wire}", difference, "1/255") for wire, difference in found.items() if difference]
        rows.append((f"{name}: wires", len(found), ""))
        worst, wires = max(worst, *found.values()), wires + len(found)
    return result(
        "cuts", rows, {"difference": worst, "wires": wires}, [at_most("difference, 1/255", worst, 1)],
        ["A wire that is not listed changes nothing when it is cut."],
    )  # fmt: skip


def pictures(count: int) -> list[Picture]:
    """Frames of the demo clip, spread over it."""
    with open_source(demo_clip()) as source:
        step = max(1, (source.info.frames or count) // count)
        found = []
        while len(found) < count and (picture := source.read()) is not None:
            if picture.index % step == 0:
                found.append(picture)
    return found


def cut_each(planner: Planner, effect: Effect, frames: list[Picture], name: str) -> dict[str, int]:
    """Wire → the largest difference of any pixel of any frame, in 1/255."""
    stream = Stream(frames[0].frame.channels)
    whole = planner.plan(effect, stream)
    wanted = play(planner, whole, effect, frames)
    found: dict[str, int] = {}
    cuts = [(step.path, port, link) for step in whole.steps.values() for port, link in step.links.items()]
    for number, (path, port, link) in enumerate(cuts, 1):
        plan = planner.plan(effect, stream, cuts=[(path, port)], validated=True)
        made = play(planner, plan, effect, frames)
        wire = f"{'.'.join(link.source)} → {path}.{port}"
        found[wire] = max(int(np.abs(a.astype(int) - b).max()) for a, b in zip(wanted, made, strict=True))
        say(f"cuts: {name} {number} of {len(cuts)}")
    return found


def play(planner: Planner, plan: Plan, effect: Effect, frames: list[Picture]) -> list[np.ndarray]:
    """What the sink shows of each frame."""
    engine = planner.engine(planner.build(plan), effect)
    try:
        shown = []
        for picture in frames:
            frame = engine.frame(picture.frame, picture.time_us, picture.index)
            assert frame is not None
            shown.append(frame.data.copy())
        assert not engine.failures, engine.failures
        return shown
    finally:
        engine.close()
