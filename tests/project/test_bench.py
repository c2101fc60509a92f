"""The benchmark harness: what it counts and times, and what `spellwire bench` prints."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import spellwire
from spellwire.runtime.cli import bench as command

BENCH = Path(spellwire.__file__).parent / "bench"


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"bench_{name}", BENCH / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_contenders_are_called_in_turn():
    measure = load("measure")
    calls: list[str] = []
    timings = measure.compete(
        {"a": lambda: calls.append("a") or sum(range(200_000)), "b": lambda: calls.append("b") or sum(range(200_000))},
        seconds=0, warm=1, least=4,
    )  # fmt: skip
    assert timings["a"].rounds == timings["b"].rounds == 4
    assert calls[4:8] == ["a", "b", "b", "a"]  # after warming up and one sample each: another order each round
    assert timings["a"].best <= timings["a"].ms


CHILD = """
import sys
sys.path.insert(0, sys.argv[1])
import numpy, allocations
allocations.watch(900_000)
small = numpy.empty(800_000, numpy.uint8)
before = allocations.count()
kept = [numpy.empty(921_600, numpy.uint8), numpy.zeros(1_000_000, numpy.uint8), bytearray(950_000)]
print(before, allocations.count() - before, allocations.sizes(before, allocations.count())[:2])
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the counter needs Linux and glibc")
def test_large_allocations_are_counted_natively(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SPELLWIRE_CACHE", str(tmp_path))
    env = load("allocations").preloaded_environment()
    done = subprocess.run([sys.executable, "-c", CHILD, BENCH], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0", "3", "[921600,", "1000000]"]


FAKE = '''"""What a benchmark of a test compares.

More.
"""
import os


def run(quick=True, choice="one"):
    os.write(1, b"noise of a native library\\n")
    print("noise")
    return {"name": "fake", "rows": [{"what": choice, "value": 2.5, "unit": "ms"}], "figures": {"ours": 2.5},
            "goals": [{"what": "fast", "value": 2.5, "goal": 2, "met": False}]}
'''


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bench").mkdir()
    (tmp_path / "bench" / "fake.py").write_text(FAKE)
    (tmp_path / "bench" / "helper.py").write_text("VALUE = 1\n")
    monkeypatch.setattr(command, "files", lambda _: tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))


def bench(*words: str) -> int:
    return command.run(command.parser().parse_args(words))


@pytest.mark.usefixtures("fake")
def test_json_is_one_object_and_nothing_else(capfd: pytest.CaptureFixture[str]):
    assert bench("fake", "two", "--json") == 0
    printed = capfd.readouterr()
    found = json.loads(printed.out)
    assert list(found)[:2] == ["name", "machine"]
    assert found["rows"] == [{"what": "two", "value": 2.5, "unit": "ms"}]
    assert found["machine"]["cores"] >= 1
    assert "noise of a native library" in printed.err


@pytest.mark.usefixtures("fake")
def test_strict_fails_where_a_goal_is_missed(capfd: pytest.CaptureFixture[str]):
    assert bench("fake", "--strict") == 1
    assert "fast" in capfd.readouterr().out


@pytest.mark.usefixtures("fake")
def test_benchmarks_are_listed_and_helpers_are_not(capfd: pytest.CaptureFixture[str]):
    assert bench("--names") == 0
    assert capfd.readouterr().out.split() == ["fake"]
