"""Hands: found, tracked, picked; what they show, and what they pinch."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ..graph.declare import In, Out, Param, ProcessNode, param, port, result, same, slot
from ..graph.types import Boolean, Choice, Colour, Hand, Hands, Image, Integer, Number, Points, Text, Trigger
from ..runtime.frames import Frame
from ..runtime.perception.gesture import GESTURES, NONE, new_memory, pinched, scores, step
from ..runtime.perception.hands import MODELS, HandTracker, make_state
from ..runtime.perception.landmarks import HAND_SKELETON, indices, point_names
from ..runtime.perception.roi import to_frame
from ..runtime.perception.skeleton import Bone, SkeletonLayer
from ..runtime.perception.tracks import FORGET_AFTER
from ..runtime.values import Event, HandItem, Items
from .body import ink_of

__all__ = ["Gesture", "HandPoints", "HandSkeleton", "PickHand", "Pinch", "Showing", "Track"]


class Track(ProcessNode, type="hands.track", latency="model", fallback="last"):
    """Tracked hands as 21 landmarks each, in the picture and in metres, and which of the two hands it is.

    A detector looks for palms only while fewer hands than asked for are known; then each frame's landmarks say where to
    look in the next one. Each hand keeps its id while it is seen, and for a second after it was lost; two that cross stay
    two. `lite` takes half of `full`'s time.
    """

    image: In[Image] = port(display=True, doc="the picture to look at, not mirrored")
    variant: Param[Choice] = param("full", choices=("lite", "full"), doc="how large the networks are")
    max_hands: Param[Integer] = param(2, low=1, high=4, doc="how many hands to track at most")
    smoothing: Param[Number] = param(
        0.4, low=0.0, high=1.0, doc="0 = raw; higher = calmer while the hand is still (motion is followed at any setting)"
    )
    confidence: Param[Number] = param(0.5, low=0.05, high=0.95, doc="below this a hand is none")
    hands: Out[Hands] = result(space=same("image"), doc="the hands, in order of track id")
    tracks = slot()

    def open(self, context: Any) -> None:
        self._context = context
        self._trackers: dict[str, HandTracker] = {}

    def process(
        self, image: Frame, variant: str, max_hands: int, smoothing: float, confidence: float, tick: Any, state: Any
    ) -> Items[HandItem]:
        if state.tracks is None:
            state.tracks = make_state()
        if variant not in self._trackers:
            self._trackers[variant] = HandTracker(*[self._context.model(name, variant) for name in MODELS])
        found = self._trackers[variant].track(
            image.data, tick.time, state.tracks, max_hands=int(max_hands), confidence=confidence, smoothing=smoothing
        )
        for hand in found:
            to_frame(hand.landmarks, image.geometry)
        return Items(found, image.space, tick.width or image.width, tick.height or image.height, int(max_hands))


class PickHand(ProcessNode, type="hands.pick", fallback="empty"):
    """One hand out of several: the person's left or right, the largest, the highest, or by its place in the list."""

    hands: In[Hands] = port(doc="tracked hands")
    by: Param[Choice] = param("largest", choices=("largest", "left", "right", "highest", "index"), doc="which one")
    index: Param[Integer] = param(0, low=0, high=3, doc="with index: 0 = the hand seen first")
    hand: Out[Hand] = result(space=same("hands"), doc="that hand; empty where there is none")

    def process(self, hands: Items[HandItem], by: str, index: int) -> HandItem | None:
        if by == "index":
            return hands[index] if 0 <= index < len(hands) else None
        whole = [hand for hand in hands if np.isfinite(hand.landmarks).all()]
        if by == "highest":
            return min(whole, key=lambda hand: float(hand.landmarks[:, 1].min()), default=None)
        if by != "largest":
            whole = [hand for hand in whole if (hand.handedness >= 0.5) == (by == "right")]
        return max(whole, key=lambda hand: float(np.prod(np.ptp(hand.landmarks[:, :2], axis=0))), default=None)


PARTS: dict[str, tuple[int, ...]] = {
    "all": tuple(range(21)), "tips": (4, 8, 12, 16, 20), "palm": (0, 5, 9, 13, 17), "thumb": (1, 2, 3, 4),
    "index": (5, 6, 7, 8), "middle": (9, 10, 11, 12), "ring": (13, 14, 15, 16), "pinky": (17, 18, 19, 20),
}  # fmt: skip


class HandPoints(ProcessNode, type="hands.points", fallback="last"):
    """Landmarks of a hand as points: all, the finger tips, one finger's, or one named point."""

    hand: In[Hand] = port(doc="a hand")
    part: Param[Choice] = param("all", choices=(*PARTS, "one"), doc="which landmarks")
    point: Param[Choice] = param("palm", choices=point_names("hand"), doc="with one: which; palm and pinch are the middle of several")
    points: Out[Points] = result(space=same("hand"), doc="(n, 3), in frame pixels")

    def process(self, hand: HandItem | None, part: str, point: str) -> np.ndarray:
        if hand is None:
            return np.empty((0, 3), np.float32)
        if part == "one":
            return hand.landmarks[list(indices("hand", point))].mean(0, keepdims=True)
        return hand.landmarks[list(PARTS[part])]


class Gesture(ProcessNode, type="hand.gesture", fallback="empty"):
    """What a hand shows: open, fist, pointing, victory, thumb up, or six (the Chinese sign for 6).

    Six is thumb and little finger. Told by rules from how far each finger is stretched, at any place, size and turn of the hand; only thumb up looks at
    where up is. A gesture is taken up when it was seen for a moment, and kept while it is nearly seen.
    """

    hand: In[Hand] = port(doc="a hand")
    watch: Param[Choice] = param("open", choices=GESTURES, doc="the gesture that `shown` and `strength` are about")
    patience: Param[Number] = param(0.1, low=0.0, high=2.0, unit="s", doc="how long a new one must be seen")
    gesture: Out[Text] = result(doc="the one shown now; none where it is no clear one")
    confidence: Out[Number] = result(doc="how clearly it is shown, 0 to 1")
    changed: Out[Trigger] = result(doc="an event, named after the gesture, when another is shown (none, too)")
    shown: Out[Boolean] = result(doc="whether the watched one is shown now")
    strength: Out[Number] = result(doc="how much the hand looks like the watched one, without hysteresis, 0 to 1")
    memory = slot()

    def process(self, hand: HandItem | None, watch: str, patience: float, tick: Any, state: Any):
        if state.memory is None:
            state.memory = new_memory()
        seen = scores(hand) if hand is not None else dict.fromkeys(GESTURES, 0.0)
        before = state.memory["held"]
        held = step(state.memory, seen, float(tick.delta), float(patience))
        sure = seen.get(held, 0.0)
        events = (Event(held, tick.time, sure),) if held != before else ()
        return (held, sure, events, held == watch and held != NONE, seen[watch])


class Showing(ProcessNode, type="hands.showing", fallback="empty"):
    """Those of several hands that show a gesture: so that each gesture can have an effect of its own.

    Told as `hand.gesture` tells it, for each hand apart.
    """

    hands: In[Hands] = port(doc="tracked hands")
    gesture: Param[Choice] = param("open", choices=GESTURES, doc="the gesture")
    patience: Param[Number] = param(0.1, low=0.0, high=2.0, unit="s", doc="how long a new one must be seen")
    showing: Out[Hands] = result(space=same("hands"), doc="the hands that show it now")
    others: Out[Hands] = result(space=same("hands"), doc="the hands that don't")
    started: Out[Trigger] = result(doc="an event for each hand that begins to show it, at its palm")
    memories = slot()

    def process(self, hands: Any, gesture: str, patience: float, tick: Any, state: Any):
        known = {} if state.memories is None else state.memories
        split: tuple[list[HandItem], list[HandItem]] = ([], [])
        started: list[Event] = []
        for hand in hands:
            memory = known.setdefault(hand.id, new_memory())
            before, memory["seen"] = memory["held"], float(tick.time)
            held = step(memory, scores(hand), float(tick.delta), float(patience))
            split[held != gesture].append(hand)
            if held == gesture != before:
                x, y = (hand.landmarks[list(indices("hand", "palm")), :2].mean(0) / max(tick.height, 1)).tolist()
                started.append(Event(gesture, tick.time, 1.0, x - 0.5 * tick.width / max(tick.height, 1), y - 0.5))
        state.memories = {n: m for n, m in known.items() if abs(tick.time - float(m["seen"])) <= FORGET_AFTER}
        shown, others = (replace(hands, items=tuple(part)) if isinstance(hands, Items) else Items(tuple(part)) for part in split)
        return shown, others, tuple(started)


class Pinch(ProcessNode, type="hand.pinch", fallback="empty"):
    """How closely thumb and index finger of a hand touch: 0 apart, 1 pinched.

    To take hold of things, or to turn a value.
    """

    hand: In[Hand] = port(doc="a hand")
    amount: Out[Number] = result(doc="0 apart to 1 touching; 0 without a hand")

    def process(self, hand: HandItem | None) -> float:
        return pinched(hand) if hand is not None else 0.0


class HandSkeleton(ProcessNode, type="hands.skeleton", fallback="empty"):
    """Hands as drawn bones: a layer to lay over a picture, or to glow and echo with."""

    hands: In[Hands] = port(doc="tracked hands")
    left: Param[Colour] = param((0.25, 0.85, 1.0, 1.0), widget="colour", doc="of left hands")
    right: Param[Colour] = param((1.0, 0.4, 0.75, 1.0), widget="colour", doc="of right hands")
    width: Param[Number] = param(0.1, low=0.01, high=0.5, unit="palm lengths", doc="thickness of the bones")
    layer: Out[Image] = result(space=same("hands"), size="free", doc="the bones, transparent around")

    def open(self, context: Any) -> None:
        self._layer = SkeletonLayer()

    def process(self, hands: Any, left: Any, right: Any, width: float, tick: Any) -> Frame:
        bones: list[Bone] = []
        for hand in hands:
            points = hand.landmarks
            if not np.isfinite(points).all():
                continue
            # a hand that points at the camera is short in the picture, its knuckles still are as wide
            palm = max(float(np.linalg.norm(points[a, :2] - points[b, :2])) for a, b in ((0, 9), (5, 17)))
            ink = ink_of(right if hand.handedness >= 0.5 else left, 1.0)
            for a, b in HAND_SKELETON:
                (xa, ya), (xb, yb) = points[a, :2].tolist(), points[b, :2].tolist()
                thick = 0.5 * width * palm
                bones.append((xa, ya, thick, xb, yb, thick * (0.7 if b % 4 == 0 else 1.0), ink))  # tips are thinner
        return self._layer.draw(bones, tick.width or 1, tick.height or 1, getattr(hands, "space", "frame"))
