"""Gestures of one hand, told from where its joints are: rules over how far each finger is stretched.

    seen = scores(hand)                          # {"open": 0.97, "fist": 0.0, …}
    held = step(memory, seen, delta)             # with hysteresis: which one is held now

Rules are about lengths of the hand itself and hold at any size, place and turn; only thumb up looks at where up is.
"""

from __future__ import annotations

import numpy as np

from ..values import HandItem

__all__ = ["GESTURES", "NONE", "Memory", "new_memory", "openness", "pinched", "scores", "step"]

GESTURES: tuple[str, ...] = ("open", "fist", "pointing", "victory", "thumb up", "six")
NONE = "none"
ENTER, LEAVE = 0.5, 0.3  # score from which a gesture is taken up, and down to which it is kept
STRAIGHT = (0.75, 0.92)  # knuckle to tip, of the way along the bones: curled, stretched
RAISED = (1.05, 1.3)  # wrist to tip, of wrist to the middle joint: folded in, stretched away
THUMB = (0.6, 0.9)  # thumb's tip to the index's knuckle, in widths of the palm: laid on, spread
ACROSS = (0.9, 1.2)  # thumb's tip to the pinky's knuckle, likewise: folded over the palm, spread
AWAY = 0.2  # so much less of both will do for an open hand
SPREAD = (0.1, 0.22)  # radians between index and middle finger: together, a V
UP = (0.3, 0.6)  # cosine between the thumb and up (also where it points towards the camera)
NEAR, FAR = 0.18, 0.75  # thumb's tip to the index's, in lengths of the palm: pinched, apart

Memory = dict[str, float | str]


def _shape(hand: HandItem) -> np.ndarray | None:
    """(21, 3), y up: metres where the network gave them; None where no such hand can be."""
    flat = hand.landmarks * np.array((1.0, -1.0, -1.0), np.float32)
    points = np.asarray(flat if hand.world is None else hand.world, np.float64)
    palm = _length(points[5] - points[17]) if points.shape == (21, 3) else 0.0
    return points if np.isfinite(points).all() and palm > 1e-9 else None


def _length(way: np.ndarray) -> float:
    return float(np.sqrt(way @ way))


def _ramp(value: float, ends: tuple[float, float]) -> float:
    t = min(max((value - ends[0]) / (ends[1] - ends[0]), 0.0), 1.0)
    return t * t * (3 - 2 * t)


def _thumb(points: np.ndarray, less: float = 0.0) -> float:
    palm = _length(points[5] - points[17])
    beside, across = _length(points[4] - points[5]) / palm + less, _length(points[4] - points[17]) / palm + less
    return min(_ramp(beside, THUMB), _ramp(across, ACROSS))


def openness(points: np.ndarray) -> np.ndarray:
    """(5,): how far thumb, index, middle, ring and pinky are stretched, 0 to 1. points: (21, 3), any unit."""
    found = [_thumb(points)]
    for root in (5, 9, 13, 17):
        bones = np.linalg.norm(np.diff(points[root : root + 4], axis=0), axis=1).sum()
        straight = _length(points[root + 3] - points[root]) / max(float(bones), 1e-9)
        joint = _length(points[root + 1] - points[0])
        raised = _length(points[root + 3] - points[0]) / max(joint, 1e-9)
        found.append(min(_ramp(straight, STRAIGHT), _ramp(raised, RAISED)))
    return np.array(found)


def scores(hand: HandItem) -> dict[str, float]:
    """How well the hand shows each of GESTURES, 0 to 1; all 0 for a hand without finite landmarks."""
    points = _shape(hand)
    if points is None:
        return dict.fromkeys(GESTURES, 0.0)
    thumb, index, middle, ring, pinky = map(float, openness(points))
    no_thumb, no_index, no_middle, no_ring, no_pinky = 1 - thumb, 1 - index, 1 - middle, 1 - ring, 1 - pinky
    v = _ramp(_angle(points[8] - points[5], points[12] - points[9]), SPREAD)
    way = points[4] - points[2]
    up = _ramp(float(way[1] / max(_length(way), 1e-9)), UP)
    return {
        "open": min(index, middle, ring, pinky, 0.3 + 0.7 * _thumb(points, AWAY)),
        "fist": min(no_index, no_middle, no_ring, no_pinky, no_thumb),
        "pointing": min(index, no_middle, no_ring, no_pinky, 1 - 0.4 * thumb),
        "victory": min(index, middle, no_ring, no_pinky, v, 1 - 0.4 * thumb),
        "thumb up": min(thumb, no_index, no_middle, no_ring, no_pinky, up),
        "six": min(thumb, pinky, no_index, no_middle, no_ring),
    }


def new_memory() -> Memory:
    """What `step` remembers of a hand: the gesture held, the one that wants to follow, and for how long (s)."""
    return {"held": NONE, "next": NONE, "waited": 0.0}


def step(memory: Memory, seen: dict[str, float], delta: float, patience: float = 0.1) -> str:
    """The gesture held now, one of GESTURES or NONE; `memory` is changed.

    Another one takes over only when it has been the best above ENTER for `patience` seconds; the one held stays while
    it scores above LEAVE and none beats it by far.
    """
    held, best = str(memory["held"]), max(seen, key=lambda name: seen[name])
    kept = held != NONE and seen[held] > LEAVE and seen[best] < seen[held] + 0.25
    wants = held if kept else best if seen[best] > ENTER else NONE
    if wants == held:
        memory["next"], memory["waited"] = held, 0.0
        return held
    waited = float(memory["waited"]) + delta if wants == memory["next"] else 0.0
    memory["next"], memory["waited"] = wants, waited
    if waited >= patience:
        memory["held"], memory["waited"] = wants, 0.0
    return str(memory["held"])


def pinched(hand: HandItem) -> float:
    """1 where the tips of thumb and index touch, 0 where they are apart (0 without finite landmarks)."""
    points = _shape(hand)
    if points is None:
        return 0.0
    palm = _length(points[9] - points[0])
    return 1.0 - _ramp(float(_length(points[4] - points[8]) / max(palm, 1e-9)), (NEAR, FAR))


def _angle(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.arccos(np.clip(a @ b / max(_length(a) * _length(b), 1e-9), -1, 1)))
