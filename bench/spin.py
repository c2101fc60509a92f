"""What a node that spins in pure Python does to the render lane: frame times with it in a lane of its own, and without.

An effect at 720p is played from a paced source at 30 fps. One edition has a slow node beside it that never leaves the
interpreter; the other has none. As a third contender the same node runs at Python's default switch interval, which is
what the session's own setting is for.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
from measure import at_most, result, say

from spellwire.graph.declare import In, Out, ProcessNode, port
from spellwire.graph.document import effect_from_data
from spellwire.graph.effect import Effect
from spellwire.graph.registry import Origin, Registry, registry
from spellwire.graph.types import Image, Number
from spellwire.runtime.frames import Frame
from spellwire.runtime.media.base import Source, Stamp, StreamInfo
from spellwire.runtime.media.null import NullSink
from spellwire.runtime.session import Session
from spellwire.runtime.session.planning import Planner

FPS = 30


class Spin(ProcessNode, type="bench.spin", latency="slow"):
    """Half a second of pure Python a frame."""

    image: In[Image] = port(display=True)
    out: Out[Number]

    def process(self, image):
        end = time.perf_counter() + 0.5
        while time.perf_counter() < end:
            pass
        return 0.0


class Camera(Source):
    """Noise at 720p, 30 times a second."""

    def __init__(self, frames: int):
        self.info = StreamInfo("noise", 1280, 720, fps=Fraction(FPS), frames=frames, live=True)
        self.picture = np.random.default_rng(3).integers(0, 256, (720, 1280, 3), dtype=np.uint8)
        self.frames, self.index, self.begun = frames, -1, time.perf_counter()

    def peek(self) -> int | None:
        return None if self.index + 1 >= self.frames else (self.index + 1) * 33_333

    def grab(self) -> Stamp | None:
        if self.index + 1 >= self.frames:
            return None
        self.index += 1
        time.sleep(max(0.0, self.begun + self.index / FPS - time.perf_counter()))
        return Stamp(self.index * 33_333, self.index)

    def retrieve(self, into: Frame | None = None) -> Frame:
        frame = into or Frame.make(1280, 720, 3)
        np.copyto(frame.data, self.picture)
        return frame

    def close(self) -> None:
        """Nothing to give back."""


def effect(spinning: bool) -> Effect:
    """Grade and vignette; `spinning`: with the node, whose number moves the exposure."""
    nodes: dict[str, Any] = {
        "n1": {"type": "source.input"},
        "n2": {"type": "colour.grade", "params": {"contrast": 1.1}, "inputs": {"image": "n1.image"}},
        "n3": {"type": "composite.vignette", "inputs": {"image": "n2.out"}},
        "n4": {"type": "sink.output", "inputs": {"image": "n3.out"}},
    }
    if spinning:
        nodes["n5"] = {"type": "bench.spin", "inputs": {"image": "n1.image"}}
        nodes["n2"]["inputs"]["exposure"] = "n5.out"
    return effect_from_data({"schema": 1, "nodes": nodes, "next_id": 6})


def player(planner: Planner, spinning: bool, interval: float | None = None) -> Callable[[int], list[float]]:
    """Plays that many frames; ms from each one's arrival to the sink."""
    session = Session.load(effect(spinning), StreamInfo("noise", 1280, 720), live=True, planner=planner)

    def play(frames: int) -> list[float]:
        reset = (
            None
            if interval is None
            else lambda shown: sys.setswitchinterval(interval) if shown == 1 else None
        )
        return session.play(Camera(frames), NullSink(), on_frame=reset).ages[5:]

    return play


def run(quick: bool = True) -> dict[str, Any]:
    installed = registry()
    nodes = Registry(
        [*((d.cls, installed.origins[d.type]) for d in installed.values()), (Spin, Origin("", "", __name__))]
    )
    planner = Planner(nodes=nodes)
    contenders = {
        "without": player(planner, False),
        "with": player(planner, True),
        "with, 5 ms": player(planner, True, 0.005),
    }
    ages: dict[str, list[float]] = {name: [] for name in contenders}
    rounds = 4 if quick else 16
    for turn in range(rounds):
        for name, play in contenders.items():
            ages[name] += play(90)
        say(f"spin: round {turn + 1} of {rounds}")
    rows = [
        (f"frame, p{p}, {label}", float(np.percentile(ages[name], p)), "ms")
        for name, label in (
            ("without", "no such node"),
            ("with", "a node spins"),
            ("with, 5 ms", "at 5 ms switches"),
        )
        for p in (50, 99)
    ]
    p99 = float(np.percentile(ages["with"], 99))
    figures = {"p99_ms": p99, "p99_without_ms": float(np.percentile(ages["without"], 99)),
               "p99_default_interval_ms": float(np.percentile(ages["with, 5 ms"], 99))}  # fmt: skip
    return result("spin", rows, figures, [at_most("p99 beside a spinning node, ms", p99, 1000 / FPS)])
