"""Every effect of the library at 1280×720, from memory to nowhere: frames a second, what its nodes cost, large allocations.

Each plays in a child of its own, over footage in which there is what it is for. An effect without a slow model plays as fast as it
can. One with a slow model plays live, from a camera of 60 frames a second: the model has a lane, and its age is how old
what the shown frame knew of it was. Figures `<effect>_fps`, `<effect>_large_allocations`, `<effect>_age` (ms). An effect whose model
is absent, or whose node fails, has 0 frames a second. Choices: names of effects.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import cv2
import numpy as np
from allocations import preloaded_environment, sizes, watch
from effect import Counting, Decoded
from measure import at_least, at_most, result, say

from spellwire.graph.document import load_effect
from spellwire.graph.effect import Effect
from spellwire.graph.errors import SpellwireError, UsageError
from spellwire.graph.registry import registry
from spellwire.runtime.cli.labels import with_fused
from spellwire.runtime.cli.library import find_effect, library
from spellwire.runtime.cli.needs import demo_clip, ready_models
from spellwire.runtime.media.base import Stamp
from spellwire.runtime.media.null import NullSink
from spellwire.runtime.media.opening import open_source
from spellwire.runtime.session import Report, Session

SIZE = 1280, 720
FRAMES = 45  # of footage, played there and back
WARM, QUICK, FULL, COUNTED = 20, 60, 300, 40
RATE = 60  # frames a second of the camera that live effects see
LEAST = 30.0
SLOWEST = 240  # seconds a child may take: the first time, kernels are compiled

# what a node of that family looks for → footage of SPELLWIRE_ASSETS, and where to begin
FOOTAGE = (
    ("hands.", "video/hands/mp_gesture_test.mp4", 28), ("hand.", "video/hands/mp_gesture_test.mp4", 28),
    ("body.", "video/people/tfjs_pose_dance.mp4", 0), ("depth.", "video/faces/lp_s32_interview.mp4", 0),
    ("face.", "video/faces/lp_s32_interview.mp4", 0), ("segment.", "video/faces/lp_s32_interview.mp4", 0),
)  # fmt: skip


def run(quick: bool = True, *names: str) -> dict[str, Any]:
    known = library()
    if strange := [n for n in names if n not in known]:
        raise UsageError(f"there is no effect {strange[0]!r} in the library; it has {', '.join(known)}")
    figures: dict[str, float] = {}
    rows: list[tuple[str, float, str]] = []
    goals, notes = [], [f"{SIZE[0]}×{SIZE[1]}, {COUNTED} frames counted for allocations"]
    for name in names or known:
        told = measured(name, quick)
        fps, made = float(told.get("fps", 0.0)), float(told.get("large_allocations", 0.0))
        figures |= {f"{name}_fps": fps, f"{name}_large_allocations": made}
        rows.append((name, fps, "fps, live" if told.get("live") else "fps"))
        if "age" in told:
            figures[f"{name}_age"] = told["age"]
            rows.append(("  age of its model", told["age"], "ms"))
        rows += [(f"  {node}", ms, "ms") for node, ms in told.get("costs", ())]
        goals += [at_least(f"{name}: fps", fps, LEAST), at_most(f"{name}: large allocations in a frame", made, 0)]
        if "why" in told:
            notes.append(f"{name}: {told['why']}")
    return result("families", rows, figures, goals, notes)


def measured(name: str, quick: bool) -> dict[str, Any]:
    """What the child says of an effect; `why` where it could not be played."""
    command = [sys.executable, __file__, name, str(QUICK if quick else FULL)]
    env = preloaded_environment() | {"PYTHONPATH": str(Path(__file__).parent)}
    try:
        done = subprocess.run(command, env=env, stdout=subprocess.PIPE, text=True, timeout=SLOWEST)
        told = json.loads(done.stdout.splitlines()[-1]) if done.stdout.strip() else {"why": "its process ended; see above"}
    except subprocess.TimeoutExpired:
        told = {"why": f"it was not done within {SLOWEST} s"}
    say(f"families: {name}, {told.get('fps', 0.0):.1f} fps" + (f" ({told['why']})" if "why" in told else ""))
    return told


# -- what is played


class There(Decoded):
    """Footage in memory, there and back again, so that nothing jumps; live, it comes RATE times a second."""

    def __init__(self, clip: np.ndarray, live: bool):
        super().__init__(np.concatenate([clip, clip[-2:0:-1]]))
        self.live, self.due = live, 0.0
        if live:
            self.info = replace(self.info, live=True, fps=None)

    def grab(self) -> Stamp | None:
        if self.live:
            now = time.perf_counter()
            self.due = max(self.due + 1 / RATE, now - 1 / RATE)
            time.sleep(max(0.0, self.due - now))
        self.at += 1
        return Stamp(self.at * 1_000_000 // (RATE if self.live else 30), self.at)


def footage(effect: Effect) -> np.ndarray:
    """(FRAMES, 720, 1280, 3): in which there is what the effect looks for; the demo clip where the assets are not here."""
    types = {n.type for graph in (effect, *effect.groups.values()) for n in graph.nodes.values()}
    if any(t.startswith("planar.") for t in types) and (marker := marker_of(effect)) is not None:
        return with_marker(read(demo_clip(), 0), marker)
    folder = Path(os.environ.get("SPELLWIRE_ASSETS") or Path(__file__).resolve().parents[2] / "shared" / "assets")
    for family, name, first in FOOTAGE:
        if any(t.startswith(family) for t in types) and (folder / name).is_file():
            return read(str(folder / name), first)
    return read(demo_clip(), 0)


def read(clip: str, first: int) -> np.ndarray:
    """Its frames from `first` on, cut to 16 : 9 and scaled."""
    found: list[np.ndarray] = []
    with open_source(clip) as source:
        while len(found) < first + FRAMES and (picture := source.read()) is not None:
            found.append(filled(picture.frame.data) if picture.index >= first else found[-1] if found else np.empty(0))
    return np.stack(found[first:] if len(found) > first else found)


def filled(picture: np.ndarray) -> np.ndarray:
    height, width = picture.shape[:2]
    scale = max(SIZE[0] / width, SIZE[1] / height)
    w, h = round(SIZE[0] / scale), round(SIZE[1] / scale)
    left, top = (width - w) // 2, (height - h) // 3  # faces are above the middle of a tall picture
    cut = np.ascontiguousarray(picture[top : top + h, left : left + w, :3])
    return cv2.resize(cut, SIZE, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)


def marker_of(effect: Effect) -> np.ndarray | None:
    """The picture that the effect looks for: the first that a planar node names."""
    for node in effect.nodes.values():
        for value in node.params.values() if node.type.startswith("planar.") else ():
            if hasattr(value, "get") and (name := value.get("asset")) and effect.folder is not None:
                found = cv2.imread(str(effect.folder / name), cv2.IMREAD_COLOR)
                if found is not None:
                    return cv2.cvtColor(found, cv2.COLOR_BGR2RGB)
    return None


def with_marker(clip: np.ndarray, marker: np.ndarray) -> np.ndarray:
    """The marker held into each frame, at a slant that changes."""
    height, width = marker.shape[:2]
    corners = np.array(((0, 0), (width, 0), (width, height), (0, height)), np.float32)
    tall = 0.62 * SIZE[1]
    for i, frame in enumerate(clip):
        turn = 0.25 * np.sin(2 * np.pi * i / 60)
        x, y = SIZE[0] * (0.5 + 0.1 * np.cos(2 * np.pi * i / 60)), 0.55 * SIZE[1]
        half = np.array((tall * width / height * (1 - abs(turn)), tall)) / 2
        lean = np.array(((-1, -1 + turn), (1, -1 - turn), (1, 1 + turn), (-1, 1 - turn))) * half
        matrix = cv2.getPerspectiveTransform(corners, (lean + (x, y)).astype(np.float32))
        cv2.warpPerspective(marker, matrix, SIZE, dst=frame, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_TRANSPARENT)
    return clip


# -- the child


def child(name: str, frames: int) -> dict[str, Any]:
    """Play one effect in this process, which counts allocations."""
    effect = load_effect(find_effect(name))
    live = any(latency == "slow" for latency in latencies(effect))
    ready_models(effect)
    source = There(footage(effect), live)
    with Session.load(effect, source.info, live=live) as session:
        session.play(source, NullSink(), frames=WARM)
        ages: list[float] = []
        report = session.play(source, NullSink(), frames=frames, on_frame=lambda _: ages.extend(ages_of(session)))
        sink = Counting()
        watch()
        session.play(source, sink, frames=COUNTED + 6)
        marks = sink.seen[5:]  # what a run sets up at its beginning is not a frame's
        made = [b - a for a, b in zip(marks, marks[1:], strict=False)]
        return told(session, report, ages, live) | blamed(made, marks)


def latencies(effect: Effect) -> Iterable[str]:
    known = registry()
    for graph in (effect, *effect.groups.values()):
        yield from (known[n.type].latency for n in graph.nodes.values() if n.type in known)


def ages_of(session: Session) -> list[float]:
    """How old, in ms, what each lane gave to the frame just shown is."""
    now = session.engine.tick.index
    return [(now - lane.index) * 1e3 / RATE for lane in session.engine.lanes.values() if lane.index >= 0]


def told(session: Session, report: Report, ages: list[float], live: bool) -> dict[str, Any]:
    costs, names = sorted(report.costs, key=lambda row: -row[1])[:4], with_fused(session.effect, session.plan)
    shown = [(names.get(path, path), p50) for path, p50, _ in costs]
    answer: dict[str, Any] = {"fps": report.fps, "live": live, "costs": shown}
    if live and ages:
        answer["age"] = median(ages)
    if live and not ages:
        answer |= {"fps": 0.0, "why": "its slow model gave nothing"}
    for path, (error, _) in report.failures.items():
        answer |= {"fps": 0.0, "why": f"{path} failed: {error}"}
    return answer


def blamed(made: list[int], marks: list[int]) -> dict[str, Any]:
    if any(made):
        say(f"families: large allocations of {sorted(set(sizes(marks[0], marks[-1])))} bytes")
    return {"large_allocations": max(made, default=0)}


def main() -> None:
    spoken = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print must not fall into the answer
    try:
        answer = child(sys.argv[1], int(sys.argv[2]))
    except SpellwireError as error:
        answer = {"why": str(error).partition("\n")[0]}
    print(json.dumps(answer), file=spoken, flush=True)
    os._exit(0)  # a model may be at work in its lane: nobody waits for it, and no library tidies up under it


if __name__ == "__main__":
    main()
