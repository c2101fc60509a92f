"""Face meshes: our pipelines against MediaPipe 0.10.21 and the current one, on the same clip, one core each.

Like against like: 468 points against FaceMesh; 478 points (the attention mesh) against FaceMesh with refined landmarks and
against the Tasks FaceLandmarker, without blendshapes. Each RGB frame is copied into one buffer, as if it had just been
decoded; only the call itself is timed; they play a few frames in turn, bound to one core. The points are compared with
smoothing off (FaceMesh has none).
"""

from __future__ import annotations

import os
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from measure import at_least, at_most, one_core, result, say
from oracles import Oracle, available

from spellwire.graph.errors import UsageError
from spellwire.runtime.media.demo_clip import make_demo_clip
from spellwire.runtime.media.video_in import VideoSource
from spellwire.runtime.models.model import open_model
from spellwire.runtime.models.resolver import resolve
from spellwire.runtime.perception.face import MODELS, FaceTracker, Variant, make_state

CLIP = "video/faces/lp_s32_interview.mp4"
TURN = 10  # frames a contender plays before the next
WARM = 2  # turns that don't count
LEFT, RIGHT = 33, 263  # outer corners of the eyes

def find_clip() -> Path:
    """Real footage where the test assets are, else the project's own demo clip."""
    root = Path(os.environ.get("SPELLWIRE_ASSETS", Path(__file__).resolve().parents[2] / "shared/assets"))
    if (root / CLIP).exists():
        return root / CLIP
    demo = Path(__file__).resolve().parent.parent / "out" / "demo.mp4"
    if not demo.exists():
        demo.parent.mkdir(exist_ok=True)
        make_demo_clip(demo)
    return demo


def frames_of(path: Path, count: int) -> np.ndarray:
    """The first frames, (n, h, w, 3) uint8 RGB."""
    with VideoSource(path) as source:
        pictures = iter(source.read, None)
        return np.stack([picture.frame.data[..., :3] for picture, _ in zip(pictures, range(count), strict=False)])


class Ours:
    """Our pipeline, played like an Oracle."""

    def __init__(self, variant: Variant, clip: np.ndarray) -> None:
        self.tracker = FaceTracker(variant, *[open_model(i) for i in MODELS[variant] if "blendshapes" not in i])
        self.clip, self.frame, self.cpu = clip, np.empty_like(clip[0]), []
        self.state, self.clock = make_state(), 0

    def play(self, first: int, last: int) -> tuple[list[float], np.ndarray]:
        out = np.full((last - first, 1, self.tracker.points, 3), np.nan, np.float32)
        ms, self.cpu = [], []
        for i in range(first, last):
            np.copyto(self.frame, self.clip[i])
            start, used = time.perf_counter(), time.process_time()
            found = self.tracker.track(self.frame, self.clock, self.state, smoothing=0.0)
            ms.append((time.perf_counter() - start) * 1e3)
            self.cpu.append((time.process_time() - used) * 1e3)
            self.clock += 33_333
            if found:
                out[i - first, 0] = found[0].landmarks
        return ms, out


def error(found: np.ndarray, wanted: np.ndarray) -> float:
    """Mean distance of the points, % of the distance of the outer eye corners, over frames where both have a face."""
    found, wanted = found[:, 0, :, :2], wanted[:, 0, :, :2]
    eyes = np.linalg.norm(wanted[:, LEFT] - wanted[:, RIGHT], axis=1)
    each = np.linalg.norm(found - wanted, axis=2).mean(1) / eyes
    return float(100 * np.nanmean(each))


def run(quick: bool = True) -> dict[str, Any]:
    for name in ("mediapipe-0.10.21", "mediapipe-current"):
        if not available(name):
            raise UsageError(f"{name} is not there to compare with; make it with: make oracles")
    path = find_clip()
    clip = frames_of(path, 90)
    height, width = clip.shape[1:3]
    task = str(resolve("mediapipe/face_landmarker"))
    with ExitStack() as stack, one_core():
        cores = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None

        def oracle(name: str, **what: Any) -> Oracle:
            say(f"face: starting {name}, {what['what']}")
            return stack.enter_context(Oracle(name, clip, cores=cores, **what))

        contenders: dict[str, Ours | Oracle] = {
            "ours_468": Ours("fast", clip),
            "mediapipe_0_10_21_468": oracle("mediapipe-0.10.21", what="face_mesh"),
            "ours_478": Ours("refined", clip),
            "mediapipe_0_10_21_478": oracle("mediapipe-0.10.21", what="face_mesh", refine=True),
            "ours_full_478": Ours("full", clip),
            "mediapipe_current_478": oracle("mediapipe-current", what="face_landmarker", model=task),
        }
        times, cpu, points = play_in_turn(contenders, len(clip), 3 if quick else 9)
    figures = {name: median(values) for name, values in times.items()}
    errors = {n: error(points[f"ours_{n}"], points[f"mediapipe_0_10_21_{n}"]) for n in (468, 478)}
    figures["nme_percent"] = max(errors.values())
    rows = [(name, figures[name], "ms a frame") for name in contenders]
    rows += [(f"{name}, processor time", median(cpu[name]), "ms a frame") for name in contenders]
    rows += [(f"our {n} points from MediaPipe 0.10.21's", value, "% of the eyes' distance") for n, value in errors.items()]
    return result("face", rows, figures, goals(figures), [
        f"{len(clip)} frames of {path.name}, {width}×{height}, one face, tracked; medians of the call alone, one core",
        "ours_full_478 runs the network of mediapipe_current_478; ours_478 the one of mediapipe_0_10_21_478",
    ])  # fmt: skip


def play_in_turn(contenders: dict[str, Ours | Oracle], count: int, rounds: int):
    """Each plays some frames, then the next: ms of all frames, processor ms, and the points of the first round."""
    times: dict[str, list[float]] = {name: [] for name in contenders}
    cpu: dict[str, list[float]] = {name: [] for name in contenders}
    points: dict[str, list[np.ndarray]] = {name: [] for name in contenders}
    for turn in range(rounds):
        for first in range(0, count - TURN + 1, TURN):
            for name, contender in contenders.items():
                ms, found = contender.play(first, first + TURN)
                if turn or first >= WARM * TURN:
                    # the first frame after the others' turn finds cold caches, which no player would
                    times[name] += ms[1:]
                    cpu[name] += contender.cpu[1:]
                if not turn:
                    points[name].append(found)
        say(f"face: round {turn + 1} of {rounds}")
    return times, cpu, {name: np.concatenate(found) for name, found in points.items()}


def goals(figures: dict[str, float]) -> list[dict[str, Any]]:
    def faster(ours: str, theirs: str) -> dict[str, Any]:
        return at_least(f"{theirs} / {ours}", figures[theirs] / figures[ours], 1.5)

    return [
        faster("ours_468", "mediapipe_0_10_21_468"),
        faster("ours_478", "mediapipe_0_10_21_478"),
        faster("ours_full_478", "mediapipe_current_478"),  # the same network: like against like
        at_most("distance from MediaPipe's points, % of the eyes' distance", figures["nme_percent"], 0.5),
    ]
