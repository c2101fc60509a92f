"""`spellwire bench families`: what it plays and what it calls nothing; its timings are its own affair."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

import spellwire
from spellwire.graph.document import parse_effect
from spellwire.graph.errors import UsageError
from spellwire.runtime.cli.library import library

BENCH = Path(spellwire.__file__).parent / "bench"


@pytest.fixture(scope="module")
def families():
    kept = list(sys.path)
    sys.path.insert(0, str(BENCH))
    try:
        spec = importlib.util.spec_from_file_location("bench_families", BENCH / "families.py")
        assert spec and spec.loader
        module: ModuleType = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        yield module
    finally:
        sys.path[:] = kept


def test_every_effect_has_its_figures_and_goals(families, monkeypatch):
    told = {
        "relight": {"fps": 41.0, "costs": [("Faces", 3.0)], "large_allocations": 0, "live": False},
        "grade": {"why": "model x is not on this machine"},
        "dream": {"fps": 44.0, "age": 90.0, "live": True, "costs": [], "large_allocations": 2},
    }
    monkeypatch.setattr(families, "measured", lambda name, quick: told.get(name, {"fps": 50.0}))
    found = families.run()
    assert {f"{name}_fps" for name in library()} | {f"{name}_large_allocations" for name in library()} <= set(found["figures"])
    assert found["figures"]["grade_fps"] == 0.0 and "grade: model x is not on this machine" in found["notes"]
    met = {goal["what"]: goal["met"] for goal in found["goals"]}
    assert met["relight: fps"] and not met["grade: fps"] and len(found["goals"]) == 2 * len(library())
    if "dream" in library():
        assert found["figures"]["dream_age"] == 90.0 and not met["dream: large allocations in a frame"]
    json.dumps(found)
    with pytest.raises(UsageError, match="there is no effect 'relit'"):
        families.run(True, "relit")


def test_what_failed_or_gave_nothing_has_no_frames_a_second(families):
    session = SimpleNamespace(effect=parse_effect('{"schema": 1}'), plan=SimpleNamespace(steps={}, stages=(), kernels=()))

    def report(**failures):
        return SimpleNamespace(fps=80.0, costs=[("n1", 2.0, 3.0)], failures=failures)

    assert families.told(session, report(), [], live=False)["fps"] == 80.0
    assert families.told(session, report(n2=("broken", 3)), [], live=False) | {"costs": 0} == {
        "fps": 0.0, "live": False, "costs": 0, "why": "n2 failed: broken",
    }  # fmt: skip
    assert families.told(session, report(), [], live=True)["fps"] == 0.0
    assert families.told(session, report(), [10.0, 30.0, 20.0], live=True)["age"] == 20.0


def test_footage_goes_there_and_back_and_fills_the_frame(families):
    clip = np.arange(4, dtype=np.uint8)[:, None, None, None] * np.ones((1, 2, 3, 3), np.uint8)
    source = families.There(clip, live=False)
    got = []
    for _ in range(8):
        stamp = source.grab()
        got.append((int(source.retrieve().data[0, 0, 0]), stamp.index))
    assert got == [(0, 0), (1, 1), (2, 2), (3, 3), (2, 4), (1, 5), (0, 6), (1, 7)]
    assert families.filled(np.zeros((1364, 720, 3), np.uint8)).shape == (720, 1280, 3)
    assert families.There(clip, live=True).info.live


def test_a_marker_is_held_into_the_picture(families):
    marker = np.full((300, 200, 3), (250, 10, 10), np.uint8)
    shown = families.with_marker(np.zeros((3, 720, 1280, 3), np.uint8), marker)
    red = (shown == (250, 10, 10)).all(-1).mean(axis=(1, 2))
    assert (red > 0.05).all() and (red < 0.5).all()
