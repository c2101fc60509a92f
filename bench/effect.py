"""A whole effect at 720p, against the same steps written by hand with MediaPipe, OpenCV and NumPy.

    spellwire bench effect relight

Frames are decoded beforehand and shown nowhere; blocks of frames alternate between the two, both with all threads. A child
process counts every large allocation natively (allocations.c). By hand there is `relight` only: by_hand.py.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from allocations import count, preloaded_environment, sizes, watch
from measure import at_least, at_most, result, say
from oracles import available, python_of

from spellwire.graph.document import load_effect
from spellwire.graph.errors import UsageError
from spellwire.runtime.cli.library import find_effect
from spellwire.runtime.cli.needs import demo_clip, ready_models
from spellwire.runtime.frames import Frame
from spellwire.runtime.media.base import Source, Stamp, StreamInfo, frame_time, slot
from spellwire.runtime.media.null import NullSink
from spellwire.runtime.media.opening import open_source
from spellwire.runtime.session import Session

WARM, COUNTED = 30, 100
BLOCK = 30
GOALS = {"relight": (45.0, 1.3)}  # frames a second, and times by hand


class Decoded(Source):
    """A clip in memory: (n, height, width, 3) uint8, at 30 frames a second, again and again."""

    def __init__(self, clip: np.ndarray):
        self.clip, self.at = clip, -1
        self.info = StreamInfo("decoded", clip.shape[2], clip.shape[1], Fraction(30), None, None)

    def peek(self) -> int | None:
        return frame_time(self.at + 1, self.info.fps)

    def grab(self) -> Stamp | None:
        self.at += 1
        return Stamp(frame_time(self.at, self.info.fps), self.at)

    def retrieve(self, into: Frame | None = None) -> Frame:
        picture = self.clip[self.at % len(self.clip)]
        frame = slot(into, self.info.width, self.info.height, 3)
        np.copyto(frame.data, picture)
        return frame

    def close(self) -> None:
        pass


def decode(frames: int) -> np.ndarray:
    """The demo clip's first frames."""
    with open_source(demo_clip()) as source:
        found = []
        while len(found) < frames and (picture := source.read()) is not None:
            found.append(picture.frame.data)
    return np.stack(found)


def open_session(name: str, info: StreamInfo) -> Session:
    effect = load_effect(find_effect(name))
    ready_models(effect)
    return Session.load(effect, info, progress=lambda done, total: say(f"effect: kernel {done} of {total}"))


def run(quick: bool = True, name: str = "relight") -> dict[str, Any]:
    clip = decode(90)
    allocated = allocations(name)
    source = Decoded(clip)
    rounds = 7 if quick else 30
    fps: dict[str, list[float]] = {"ours": [], "by hand": []}
    with open_session(name, source.info) as session, by_hand(name, clip) as theirs:
        for turn in range(rounds + 1):
            ours = session.play(source, NullSink(), frames=BLOCK).fps
            if turn:  # the first block warms up
                fps["ours"].append(ours)
            if theirs:
                first = turn * BLOCK % (len(clip) - BLOCK + 1)
                hand = theirs(first, first + BLOCK)
                fps["by hand"] += [hand] if turn else []
            say(f"effect: block {turn} of {rounds}, {ours:.1f} fps" + (f", by hand {hand:.1f}" if theirs else ""))
        costs = sorted(session.report.costs, key=lambda row: -row[1])[:6]
    figures = {"fps": median(fps["ours"]), "large_allocations": float(max(allocated))}
    goals = [at_most("large allocations, the most in a frame", figures["large_allocations"], 0)]
    rows = [("ours", figures["fps"], "fps")]
    if fps["by hand"]:
        figures["by_hand_fps"] = median(fps["by hand"])
        rows.append(("by hand", figures["by_hand_fps"], "fps"))
    if name in GOALS:
        least, times = GOALS[name]
        goals.append(at_least("fps", figures["fps"], least))
        if "by_hand_fps" in figures:
            goals.append(at_least("times by hand", figures["fps"] / figures["by_hand_fps"], times))
    rows += [(f"  {path}", p50, "ms") for path, p50, _ in costs]
    return result("effect", rows, figures, goals, [f"{name}, 1280×720, {COUNTED} frames counted after {WARM}"])


# -- by hand


@contextmanager
def by_hand(name: str, clip: np.ndarray) -> Iterator[Callable[[int, int], float] | None]:
    """Frames a second of by_hand.py over clip[first:last]; None where it has not got this effect."""
    if name != "relight":
        yield None
        return
    if not available("mediapipe-0.10.21"):
        raise UsageError("MediaPipe 0.10.21 is not there to compare with; make it with: make oracles")
    script = Path(__file__).with_name("by_hand.py")
    process = subprocess.Popen(
        [str(python_of("mediapipe-0.10.21")), "-s", str(script)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdin and process.stdout
    pipe, answers = process.stdin, process.stdout
    pipe.write(" ".join(map(str, clip.shape)).encode() + b"\n")
    pipe.write(memoryview(np.ascontiguousarray(clip)).cast("B"))
    pipe.flush()

    def play(first: int, last: int) -> float:
        pipe.write(f"{first} {last}\n".encode())
        pipe.flush()
        spent = [float(ms) for ms in answers.readline().split()]
        if len(spent) != last - first:
            raise UsageError("by_hand.py ended on its own; run it with its Python to see why")
        return 1e3 * len(spent) / sum(spent)

    try:
        yield play
    finally:
        pipe.close()
        process.wait()


# -- allocations


def allocations(name: str) -> list[int]:
    """Large allocations in each of COUNTED frames after WARM, from a child in which all are counted."""
    command = [sys.executable, __file__, name]
    env = preloaded_environment() | {"PYTHONPATH": str(Path(__file__).parent)}
    done = subprocess.run(command, env=env, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise UsageError(f"the counting child failed; see above, or run it: {' '.join(command)}")
    found = json.loads(done.stdout)
    if any(found["counts"]):
        say(f"effect: large allocations of {sorted(set(found['sizes']))} bytes")
    return found["counts"]


class Counting(NullSink):
    """Notes how many large allocations there were when each frame arrived."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[int] = []

    def write(self, frame: Frame, time_us: int) -> None:
        super().write(frame, time_us)
        self.seen.append(count())


def child(name: str) -> None:
    source, sink = Decoded(decode(60)), Counting()
    with open_session(name, source.info) as session:
        watch()
        session.play(source, sink, frames=WARM + COUNTED + 1)
    marks = sink.seen[WARM:]
    counts = [b - a for a, b in zip(marks, marks[1:], strict=False)]
    print(json.dumps({"counts": counts, "sizes": sizes(marks[0], marks[-1])}))


if __name__ == "__main__":
    child(sys.argv[1])
