"""What nobody thought of: random effects, played fused and with every wire cut, twice, and edited while they play."""

from __future__ import annotations

import importlib.util
import os
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from spellwire.graph.errors import ModelUnavailable
from spellwire.graph.groups import flatten
from spellwire.graph.registry import Registry
from spellwire.runtime.frames import Frame
from spellwire.runtime.plan.ir import Stream
from spellwire.runtime.values import Event


def _helper():
    path = Path(__file__).with_name("random_effects.py")
    spec = importlib.util.spec_from_file_location("random_effects", path)
    assert spec and spec.loader
    module = sys.modules.setdefault(spec.name, importlib.util.module_from_spec(spec))
    spec.loader.exec_module(module)
    return module


made = _helper()
SIZE = (97, 61)
MODELS = {"face.mesh", "segment.person"}
KEPT = {"test.opaque", "test.half", "test.count", "test.two_faces", "test.per_face", "test.sum", "test.add_id",
        "test.landmarks", "test.keys", "test.heard"}  # fmt: skip


@pytest.fixture(scope="module")
def kinds(nodes) -> Registry:
    """All installed node types, and those of the tests that behave."""
    found = [d for d in nodes.values() if not d.type.startswith("test.") or d.type in KEPT]
    return Registry([(d.cls, nodes.origins[d.type]) for d in found])


def clip(index: int, channels: int) -> Frame:
    width, height = SIZE
    y, x = np.mgrid[:height, :width]
    base = np.stack([(x * 2.6 + 20 * index) % 256, y * 4.0, 255 - x * 2.0, 60 + x * 1.9], -1)[..., :channels]
    noise = np.random.default_rng(index).normal(0, 6, base.shape)
    return Frame.of(np.clip(base + noise, 0, 255).astype(np.uint8))


def opened(planner, kinds, effect, channels, cuts=(), live=False):
    plan = planner.plan(effect, Stream(channels), cuts=cuts)
    try:
        return planner.engine(planner.build(plan), effect, live=live)
    except ModelUnavailable as error:
        pytest.skip(f"chance chose a node whose model or environment is not here: {error}")


def played(engine, channels, frames=3):
    shown = []
    for i in range(frames):
        events = (Event("space", i * 33_333, 1.0),) if i == 1 else ()
        shown.append(np.array(engine.frame(clip(i, channels), i * 33_333, i, events).data))
        for name in engine.lanes:
            engine.feed(name)
            engine.run_lane(name)
            engine.publish(name)
    assert not engine.failures
    return shown


def finite(engine):
    values = [v.data for v in engine.slots if isinstance(v, Frame) and v.data.dtype == np.float32]
    values += [v for v in engine.slots if isinstance(v, float)]
    return all(np.isfinite(v).all() for v in values)


def apart(a, b):
    return np.abs(a.astype(int) - b) > 1


@pytest.mark.parametrize("seed", [*range(2002, 2005), *range(2006, 2016)])
def test_a_random_effect_plays_the_same_again_and_with_its_wires_cut(planner, kinds, seed):
    effect, channels = made.random_effect(seed, kinds, 5, MODELS), 3 + (seed % 3 == 0)
    one = opened(planner, kinds, effect, channels)
    first = played(one, channels)
    assert finite(one)
    one.reset()
    assert all(np.array_equal(a, b) for a, b in zip(first, played(one, channels), strict=True))
    one.close()
    cuts = [(w.target, w.target_port) for w in flatten(effect, kinds).wires]
    runs = []
    for by in (0.0, made.NUDGE, -made.NUDGE):
        cut = opened(planner, kinds, effect, channels, cuts)
        if by:
            made.nudge_buffers(cut, by)
        runs.append(played(cut, channels))
        cut.close()
    for whole, cut, *moved in zip(first, *runs, strict=True):
        ill = np.logical_or.reduce([apart(other, cut) for other in moved])
        assert (apart(whole, cut) & ~ill).mean() <= 0.01


def test_live_is_offline_where_nothing_is_slow(planner, kinds):
    effect = made.random_effect(2003, kinds, 5, MODELS)
    runs = []
    for live in (False, True):
        one = opened(planner, kinds, effect, 3, live=live)
        runs.append(played(one, 3))
        one.close()
    assert all(np.array_equal(a, b) for a, b in zip(*runs, strict=True))


def test_edits_while_playing_leave_no_thread_and_no_file_behind(planner, kinds):
    """Random editions one after another, replaced faster than they can be compiled, from a paced source."""
    from spellwire.runtime.media.base import StreamInfo
    from spellwire.runtime.session import Session

    def round_of(seeds):
        editions = [made.random_effect(s, kinds, 2, MODELS) for s in seeds]
        one = Session.load(editions[0], StreamInfo("x", *SIZE), planner=planner, live=True)
        told, shown = [], 0
        for edition in editions[1:]:
            one.replace(edition, told.append)
            for _ in range(5):
                one.render(clip(shown % 9, 3), shown * 33_333, shown)
                shown += 1
        end = time.monotonic() + 60
        while len(told) < len(editions) - 1 and time.monotonic() < end:
            one.render(clip(shown % 9, 3), shown * 33_333, shown)
            shown += 1
        one.render(clip(0, 3), shown * 33_333, shown)
        assert told == [None] * (len(editions) - 1)
        assert one.effect is editions[-1]
        assert not one.engine.failures
        one.close()

    round_of(range(2020, 2023))
    threads = set(threading.enumerate())
    files = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    round_of(range(2020, 2023))
    for thread in set(threading.enumerate()) - threads:
        thread.join(10)
        assert not thread.is_alive()
    if files:
        assert len(os.listdir("/proc/self/fd")) <= files
