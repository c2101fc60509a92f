"""Hands, bodies and person masks: ours against MediaPipe 0.10.21 and against the bare networks, on the same clips, one core.

The same networks on both sides, one thread; each contender plays a few frames in turn, bound to one core, and only the call
is timed. `network` runs, for each frame, just the networks that ours ran there (the detector only where ours looked), without
anything around. A frame's time is the median over the rounds, a figure the mean over the frames, so that searches count. Smoothing is
off, as MediaPipe's is. Differences: of landmarks in % of the palm's or the torso's length, over frames where both have the
hand or the person; of the mask (the node's, full size, bent onto edges) 100·(1 − IoU) at a half.

body         without masks on both sides: ours runs the network cut off before the part that draws them
hands        one hand, up to two looked for, as MediaPipe does by itself: its detector then runs in every frame
two_hands    both in the picture, so nobody looks for more: two networks a frame and little else on either side
mask         the node `segment.person`: a linear model of the picture's colours, which the kernel that reads it evaluates
full_mask    the same and that kernel: a mask of the picture's size in memory, as MediaPipe gives it
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import mean
from typing import Any

import cv2
import numpy as np
from face import frames_of
from measure import at_least, at_most, one_core, result, say
from oracles import Oracle, available

from spellwire.graph.document import effect_from_data
from spellwire.graph.errors import UsageError
from spellwire.runtime.frames import Frame
from spellwire.runtime.models.model import open_model
from spellwire.runtime.perception import body, hands
from spellwire.runtime.perception.segment import MODELS as MASK_MODELS
from spellwire.runtime.perception.segment import PersonSegmenter, Shape, choose_shape, make_state
from spellwire.runtime.plan.ir import Stream
from spellwire.runtime.session.planning import Planner

CLIPS = {
    "hands": ("video/hands/mp_hand_test.mp4", 60),
    "two_hands": ("video/hands/intel_asl_again.mkv", 60),
    "body": ("video/people/tfjs_pose_dance.mp4", 90),
    "mask": ("video/faces/lp_s32_interview.mp4", 60),
    "full_mask": ("video/faces/lp_s32_interview.mp4", 60),
}
JUDGED = ("hands", "body", "mask")  # what has goals; the others say more about them
PEER = "mediapipe-0.10.21"
TURN = 10  # frames a contender plays before the next
STEP = 33_333  # µs
MASK_EFFECT = {
    "schema": 1, "next_id": 4,
    "nodes": {
        "n1": {"type": "source.input"},
        "n2": {"type": "segment.person", "params": {"smoothing": 0.0}, "inputs": {"image": "n1.image"}},
        "n3": {"type": "sink.output", "inputs": {"image": "n2.mask"}},
    },
}  # fmt: skip

Play = tuple[list[float], list[np.ndarray]]


class Counted:
    """A model that counts how often it ran."""

    def __init__(self, model: Any) -> None:
        self.model, self.runs = model, 0
        self.input, self.output = model.input, model.output

    def run(self) -> None:
        self.runs += 1
        self.model.run()


class Ours:
    """One of our pipelines over a clip; notes how often each network ran in each frame."""

    def __init__(self, clip: np.ndarray, models: Sequence[Any], call: Callable[[np.ndarray, int], np.ndarray]) -> None:
        self.clip, self.models, self._call = clip, models, call
        self._frame, self._clock = np.empty_like(clip[0]), 0
        self.ran: list[tuple[int, ...]] = [()] * len(clip)

    def play(self, first: int, last: int) -> Play:
        ms, found = [], []
        for i in range(first, last):
            np.copyto(self._frame, self.clip[i])
            before = [model.runs for model in self.models]
            start = time.perf_counter()
            answer = self._call(self._frame, self._clock)
            ms.append((time.perf_counter() - start) * 1e3)
            self.ran[i] = tuple(model.runs - n for model, n in zip(self.models, before, strict=True))
            self._clock += STEP
            found.append(answer.copy())
        return ms, found


class Bare:
    """The networks that ours ran in a frame, and nothing else."""

    def __init__(self, ours: Ours) -> None:
        self._ours = ours

    def play(self, first: int, last: int) -> Play:
        ms = []
        for i in range(first, last):
            start = time.perf_counter()
            for model, count in zip(self._ours.models, self._ours.ran[i], strict=True):
                for _ in range(count):
                    model.model.run()
            ms.append((time.perf_counter() - start) * 1e3)
        return ms, []


class Peer:
    """MediaPipe in its own process."""

    def __init__(self, oracle: Oracle) -> None:
        self._oracle = oracle

    def play(self, first: int, last: int) -> Play:
        ms, found = self._oracle.play(first, last)
        return ms, list(found)


def run(quick: bool = True, *what: str) -> dict[str, Any]:
    wanted = what or tuple(CLIPS)
    if unknown := [w for w in wanted if w not in CLIPS]:
        raise UsageError(f"bench tracking compares {', '.join(CLIPS)}; there is no {unknown[0]!r}")
    if not available(PEER):
        raise UsageError(f"{PEER} is not there to compare with; make it with: make oracles")
    figures: dict[str, float] = {}
    notes = []
    for name in wanted:
        clip, path = _clip(name)
        say(f"tracking: {name}")
        with ExitStack() as stack, one_core():
            measured = BUILD[name](clip, stack)
            figures |= _compare(name, clip, *measured, rounds=3 if quick else 9)
        notes.append(f"{name}: {len(clip)} frames of {path.name}, {clip.shape[2]}×{clip.shape[1]}; the call alone, one core")
    units = {"difference": "%", "runs": "networks a frame"}
    rows = [(k.replace("_", " "), v, units.get(k.rpartition("_")[2], "ms a frame")) for k, v in figures.items()]
    return result("tracking", rows, figures, [g for name in wanted if name in JUDGED for g in _goals(name, figures)], notes)


def _clip(name: str) -> tuple[np.ndarray, Path]:
    root = Path(os.environ.get("SPELLWIRE_ASSETS", Path(__file__).resolve().parents[2] / "shared/assets"))
    file, count = CLIPS[name]
    if not (root / file).exists():
        raise UsageError(f"bench tracking plays {file} of the shared test assets, which is not at {root}; set SPELLWIRE_ASSETS")
    return frames_of(root / file, count), root / file


def _compare(name: str, clip: np.ndarray, ours: Ours, peer: Peer, apart, *, rounds: int) -> dict[str, float]:
    """Medians of each contender's frames, and how far our answers are from the peer's, in the first round."""
    contenders: dict[str, Any] = {"ours": ours, "mediapipe": peer, "network": Bare(ours)}
    times: dict[str, np.ndarray] = {c: np.full((rounds, len(clip)), np.nan) for c in contenders}
    found: dict[str, list[np.ndarray]] = {c: [] for c in contenders}
    for turn in range(rounds):
        for first in range(0, len(clip) - TURN + 1, TURN):
            for key, contender in contenders.items():
                ms, answers = contender.play(first, first + TURN)
                # the first frame after the others' turn finds cold caches, which no player would
                times[key][turn, first + 1 : first + TURN] = ms[1:]
                if not turn:
                    found[key] += answers
        say(f"tracking: {name}, round {turn + 1} of {rounds}")
    warm = slice(1, None)  # the first round warms up
    figures = {f"{name}_{key}": float(np.nanmean(_medians(values[warm]))) for key, values in times.items()}
    runs = mean(sum(ran) for ran in ours.ran)
    return figures | {f"{name}_difference": apart(found["ours"], found["mediapipe"]), f"{name}_runs": runs}


def _medians(values: np.ndarray) -> np.ndarray:
    """Of each frame that was timed, over the rounds."""
    return np.median(values[:, np.isfinite(values).all(0)], axis=0)


def _hands(clip: np.ndarray, stack: ExitStack):
    models = [Counted(open_model(name)) for name in hands.MODELS]
    tracker, state = hands.HandTracker(*models), hands.make_state()

    def call(image: np.ndarray, clock: int) -> np.ndarray:
        items = tracker.track(image, clock, state, max_hands=2, smoothing=0.0)
        return np.stack([h.landmarks for h in items]) if items else np.empty((0, 21, 3), np.float32)

    peer = stack.enter_context(Oracle(PEER, clip, cores=_cores(), what="hands", max_hands=2))
    return Ours(clip, models, call), Peer(peer), lambda a, b: _points_apart(a, [m[:, :21] for m in b], (0,), (9,))


def _body(clip: np.ndarray, stack: ExitStack):
    models = [Counted(open_model(name)) for name in body.MODELS]
    tracker, state = body.BodyTracker(*models), body.make_state()

    def call(image: np.ndarray, clock: int) -> np.ndarray:
        items = tracker.track(image, clock, state, max_bodies=1, smoothing=0.0)
        return np.stack([b.landmarks for b in items]) if items else np.empty((0, 33, 3), np.float32)

    peer = stack.enter_context(Oracle(PEER, clip, cores=_cores(), what="pose"))
    return Ours(clip, models, call), Peer(peer), lambda a, b: _points_apart(a, [m[:, :33] for m in b], (11, 12), (23, 24))


def _mask(clip: np.ndarray, stack: ExitStack):
    """The segmenter; what it gives is evaluated after the clock has stopped, as the node's kernel would."""
    network = Counted(open_model(MASK_MODELS[_shape(clip)]))
    effect, planner = effect_from_data(MASK_EFFECT), Planner(threads=1)
    natives = planner.build(planner.plan(effect, Stream(3), {})).natives
    segmenter, state = PersonSegmenter(lambda _: network, natives["guided_fit"], natives["box_shrink"]), make_state()

    def call(image: np.ndarray, clock: int) -> np.ndarray:
        return segmenter.segment(image, STEP / 1e6, state, smoothing=0.0, epsilon=1e-3)

    def apart(ours: list[np.ndarray], theirs: list[np.ndarray]) -> float:
        full = [255.0 * _evaluated(image, fit) for image, fit in zip(clip, ours, strict=False)]
        return _masks_apart(full, theirs)

    return Ours(clip, [network], call), _mask_peer(clip, stack), apart


def _evaluated(image: np.ndarray, fit: np.ndarray) -> np.ndarray:
    fine = cv2.resize(fit, (image.shape[1], image.shape[0]), interpolation=cv2.INTER_LINEAR)
    return (fine[..., :3] * (image * np.float32(1 / 255))).sum(2) + fine[..., 3]


def _shape(clip: np.ndarray) -> Shape:
    return choose_shape(clip.shape[2], clip.shape[1])


def _mask_peer(clip: np.ndarray, stack: ExitStack) -> Peer:
    landscape, size = _shape(clip) == "landscape", list(clip.shape[1:3])
    return Peer(stack.enter_context(Oracle(PEER, clip, cores=_cores(), what="segmenter", landscape=landscape, shape=size)))


def _full_mask(clip: np.ndarray, stack: ExitStack):
    """The node and its kernel, played by the engine."""
    effect, planner = effect_from_data(MASK_EFFECT), Planner(threads=1)
    built = planner.build(planner.plan(effect, Stream(3), {}))
    engine = planner.engine(built, effect)
    stack.callback(engine.close)
    network = Counted(stack.enter_context(open_model(MASK_MODELS[_shape(clip)])))
    index = [0]

    def call(image: np.ndarray, clock: int) -> np.ndarray:
        index[0] += 1
        network.runs += 1  # the node runs the same network, in an instance of its own
        shown = engine.frame(Frame.of(image), clock, index[0])
        assert shown is not None and not engine.failures, engine.failures
        return shown.data[..., 0]

    return Ours(clip, [network], call), _mask_peer(clip, stack), _masks_apart


BUILD = {"hands": _hands, "two_hands": _hands, "body": _body, "mask": _mask, "full_mask": _full_mask}


def _cores() -> set[int] | None:
    return os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None


def _points_apart(ours: list[np.ndarray], theirs: list[np.ndarray], start: tuple[int, ...], end: tuple[int, ...]) -> float:
    """Mean distance of all points, % of the way from the middle of `start` to that of `end`; each of theirs to our nearest."""
    errors = []
    for mine, wanted in zip(ours, theirs, strict=True):
        for one in wanted[np.isfinite(wanted).all((1, 2))]:
            size = np.linalg.norm(one[list(start), :2].mean(0) - one[list(end), :2].mean(0))
            each = [np.linalg.norm(m[:, :2] - one[:, :2], axis=1).mean() / size for m in mine]
            errors += [min(each)] if each and min(each) < 0.5 else []  # more: the other hand, not this one
    return 100 * float(np.mean(errors))


def _masks_apart(ours: list[np.ndarray], theirs: list[np.ndarray]) -> float:
    both = [((mine > 127), (one > 0.5)) for mine, one in zip(ours, theirs, strict=True)]
    return 100 * (1 - float(np.mean([(a & b).sum() / max((a | b).sum(), 1) for a, b in both])))


def _goals(name: str, figures: dict[str, float]) -> list[dict[str, Any]]:
    ours, network = figures[f"{name}_ours"], figures[f"{name}_network"]
    return [
        at_least(f"{name}: MediaPipe's time / ours", figures[f"{name}_mediapipe"] / ours, 1.2),
        at_most(f"{name}: ours, ms (1.25 × the networks + 0.5)", ours, 1.25 * network + 0.5),
        at_most(f"{name}: difference, %", figures[f"{name}_difference"], 2.0),
    ]
