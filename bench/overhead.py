"""What a node costs besides its work: 50 chained no-op nodes, against 50 PassThroughCalculators in MediaPipe's C++ graph.

Ours are process nodes, which the compiler can't see through; per-node timing and failure containment are on, as in
`spellwire play`. MediaPipe 0.10.21 runs in its own environment, an integer packet a frame, with its default threads and
with one; the faster of the two counts.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from measure import at_most, result, say
from oracles import available, python_of

from spellwire.graph.declare import In, Out, ProcessNode
from spellwire.graph.effect import Effect, NodeUse, Wire
from spellwire.graph.errors import UsageError
from spellwire.graph.frozen import FrozenDict
from spellwire.graph.registry import Registry
from spellwire.graph.types import Integer

NODES = 50
FRAMES = 400  # a sample


class Count(ProcessNode, type="bench.count"):
    """The frame's number: something that differs from frame to frame."""

    out: Out[Integer]

    def process(self, tick):
        return tick.index


class Pass(ProcessNode, type="bench.pass"):
    """Gives on what it gets."""

    value: In[Integer]
    out: Out[Integer]

    def process(self, value):
        return value


class End(ProcessNode, type="bench.end", effectful=True):
    """Takes what comes, so that the chain is needed."""

    value: In[Integer]

    def process(self, value):
        self.value = value


def chain(count: int) -> Effect:
    """Count → Pass × count → End."""
    ids = ["begin", *(f"p{i}" for i in range(count)), "end"]
    types = ["bench.count", *["bench.pass"] * count, "bench.end"]
    return Effect(
        nodes=FrozenDict({i: NodeUse(i, t) for i, t in zip(ids, types, strict=True)}),
        wires=tuple(Wire(a, "out", b, "value") for a, b in zip(ids, ids[1:], strict=False)),
    )


def player(count: int) -> Callable[[int], float]:
    """Plays frames of our chain; mean µs a frame."""
    from spellwire.runtime.engine.engine import Engine
    from spellwire.runtime.plan.compile import compile_effect

    plan = compile_effect(chain(count), nodes=Registry.of(Count, Pass, End))
    assert len(plan.stages) == count + 2, "a node was merged or dropped"
    engine = Engine(plan, library=None)
    clock = iter(range(1, 1 << 40))

    def play(frames: int) -> float:
        start = perf_counter()
        for _ in range(frames):
            index = next(clock)
            engine.frame(None, index * 33_333, index)
        return 1e6 * (perf_counter() - start) / frames

    return play


@contextmanager
def mediapipe(threads: int) -> Iterator[Callable[[int], float]]:
    """Plays frames of MediaPipe's chain; mean µs a frame."""
    worker = Path(__file__).with_name("passthrough_worker.py")
    env = {**os.environ, "GLOG_minloglevel": "2"}
    env.pop("PYTHONPATH", None)
    command = [str(python_of("mediapipe-0.10.21")), "-s", str(worker), str(NODES), str(threads)]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=env
    )

    def play(frames: int) -> float:
        assert process.stdin and process.stdout
        print(frames, file=process.stdin, flush=True)
        return float(process.stdout.readline() or "nan")

    try:
        yield play
    finally:
        assert process.stdin
        process.stdin.close()
        process.wait()


def run(quick: bool = True) -> dict[str, Any]:
    if not available("mediapipe-0.10.21"):
        raise UsageError("MediaPipe 0.10.21 is not there to compare with; make it with: make oracles")
    with mediapipe(0) as usual, mediapipe(1) as single:
        contenders = {"ours": player(NODES), "mediapipe": usual, "mediapipe, one thread": single}
        taken: dict[str, list[float]] = {name: [] for name in contenders}
        rounds = 40 if quick else 200
        for turn in range(rounds + 3):
            for name, play in contenders.items():
                taken[name].append(play(FRAMES))
            if turn % 10 == 0:
                say(f"overhead: round {turn} of {rounds}")
    node = {name: median(values[3:]) / NODES for name, values in taken.items()}
    theirs = min(node["mediapipe"], node["mediapipe, one thread"])
    rows = [(name, value, "µs a node") for name, value in node.items()]
    return result(
        "overhead", rows, {"ours_us": node["ours"], "mediapipe_us": theirs},
        [at_most("ours / MediaPipe's", node["ours"] / theirs, 0.4)],
    )  # fmt: skip
