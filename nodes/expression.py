"""Expression: what a face does, as a trigger, a yes or no, and a number. By geometry, or by blendshapes where there are.

Each takes a Face. Fed with Faces it is played for each of them (`event.gather` makes one stream of their events again);
for one face only put `face.pick` before it. Nothing fires at first sight: a mouth that is open when it appears must close first.
"""

from __future__ import annotations

import math
from typing import Any

from ..graph.declare import In, Out, Param, ProcessNode, param, port, result, slot
from ..graph.errors import NodeError
from ..graph.types import Boolean, Choice, Face, Hands, Integer, Number, Trigger
from ..runtime.perception.blendshapes import BLENDSHAPES
from ..runtime.perception.expressions import closed, hand_distance, measure, neutral, swings
from ..runtime.values import FaceItem
from .event import Events, crossing, micros

__all__ = ["Blink", "BrowsUp", "HandNear", "MouthOpen", "Nod", "Shake", "Smile"]

INDEX = {name: i for i, name in enumerate(BLENDSHAPES)}
SHUT_TO_OPEN = 0.24  # gap of an eye over its width at rest, before a person's own is known
REST_BROWS = 0.25  # their height above the eyes at rest, at most


def held(value: float) -> float:
    """Into 0 to 1."""
    return min(max(value, 0.0), 1.0)


class _OfFace(ProcessNode):
    """What they share: the outputs, the switch, and beginning anew with another face."""

    face: In[Face] = port(doc="a face; from Faces, each one for itself")
    threshold: Param[Number] = param(0.5, low=0.02, high=1, step=0.01, doc="the amount at which it fires")
    gap: Param[Number] = param(0.1, low=0, high=60, step=0.05, unit="s", doc="shortest time between two events")
    fired: Out[Trigger] = result(doc="an event each time it begins")
    on: Out[Boolean] = result(doc="whether it is so now")
    amount: Out[Number] = result(doc="how much, 0 to 1")
    past: bool | None = slot(None)
    last: int | None = slot(None)
    who: int | None = slot(None)
    rest: Any = slot(None)

    def meet(self, face: FaceItem | None, state: Any) -> bool:
        """Whether somebody is there; another face than before starts anew."""
        now = None if face is None else face.id
        if now != state.who:
            state.who, state.past, state.rest = now, None, None
        return face is not None

    def decide(self, amount: float, threshold: float, gap: float, time: int, state: Any) -> tuple[Events, bool, float]:
        """The outputs for an amount; the switch goes back at two thirds of the threshold."""
        fired, _ = crossing(state, amount, threshold, threshold / 3.0, gap, time, name=self.declaration.type)
        return fired, bool(state.past), held(amount) if math.isfinite(amount) else 0.0


NOBODY: tuple[Events, bool, float] = (), False, 0.0
SOURCE = param("auto", choices=("auto", "geometry", "blendshapes"), doc="auto: blendshapes where the face has them")


def shapes(face: FaceItem, source: str, *names: str) -> list[float] | None:
    """Those blendshapes; None where geometry is to be used. NodeError where they are asked for and missing."""
    if source == "geometry" or (source == "auto" and face.blendshapes is None):
        return None
    if face.blendshapes is None:
        raise NodeError("this face has no blendshapes: set variant of face.mesh to full, or source here to auto")
    return [float(face.blendshapes[INDEX[name]]) for name in names]


class MouthOpen(_OfFace, type="expression.mouth_open"):
    """Fires when the mouth opens: the jaw drops; a smile that shows teeth is not enough."""

    source: Param[Choice] = SOURCE

    def process(self, face, threshold, gap, source, tick, state):
        if not self.meet(face, state):
            return NOBODY
        if weights := shapes(face, source, "jawOpen"):
            amount = weights[0] / 0.5
        else:
            seen = measure(face.landmarks)
            amount = math.nan if seen is None else seen.mouth / 0.45
        return self.decide(amount, threshold, gap, tick.time, state)


class Blink(_OfFace, type="expression.blink"):
    """Fires when eyes close: both at once, either, or only one of them in a wink.

    How far a person's eyes are open at rest is learnt while it plays. The fast mesh misses quick blinks of small faces; with
    `iris`, or the variant `full`, face.mesh looks closer.
    """

    eyes: Param[Choice] = param(
        "both", choices=("both", "either", "left alone", "right alone"), doc="which eyes; sides are the person's own"
    )
    source: Param[Choice] = SOURCE

    def process(self, face, threshold, gap, eyes, source, tick, state):
        if not self.meet(face, state):
            return NOBODY
        left, right = self._closed(face, source, tick.delta, state)
        amount = {
            "both": min(left, right), "either": max(left, right), "left alone": left - right, "right alone": right - left,
        }[eyes]  # fmt: skip
        return self.decide(amount, threshold, gap, tick.time, state)

    def _closed(self, face: FaceItem, source: str, delta: float, state: Any) -> tuple[float, float]:
        if weights := shapes(face, source, "eyeBlinkLeft", "eyeBlinkRight"):
            left, right = (held((w - 0.25) / 0.35) for w in weights)
            return left, right
        seen = measure(face.landmarks)
        if seen is None:
            return math.nan, math.nan
        wide = max(seen.eye_left, seen.eye_right)
        shut = state.rest is not None and wide < 0.7 * -state.rest
        state.rest = neutral(state.rest, -wide, 0.0 if shut else delta, 0.5, 6.0, -SHUT_TO_OPEN)
        points = len(face.landmarks)
        return closed(seen.eye_left, -state.rest, points), closed(seen.eye_right, -state.rest, points)


class Smile(_OfFace, type="expression.smile"):
    """Fires when somebody smiles: corners of the mouth apart and up.

    A person's face at rest is learnt while it plays.
    """

    source: Param[Choice] = SOURCE

    def process(self, face, threshold, gap, source, tick, state):
        if not self.meet(face, state):
            return NOBODY
        if weights := shapes(face, source, "mouthSmileLeft", "mouthSmileRight"):
            return self.decide(sum(weights) / 1.7, threshold, gap, tick.time, state)
        seen = measure(face.landmarks)
        if seen is None:
            return self.decide(math.nan, threshold, gap, tick.time, state)
        state.rest = neutral(state.rest, seen.smile, tick.delta, 0.5, 40.0, 0.15)
        return self.decide((seen.smile - max(state.rest, -0.15)) / 0.75, threshold, gap, tick.time, state)


class BrowsUp(_OfFace, type="expression.brows_up"):
    """Fires when the eyebrows are raised. Where a person's brows are at rest is learnt while it plays."""

    threshold: Param[Number] = param(0.6, low=0.02, high=1, step=0.01, doc="the amount at which it fires")
    source: Param[Choice] = SOURCE

    def process(self, face, threshold, gap, source, tick, state):
        if not self.meet(face, state):
            return NOBODY
        if weights := shapes(face, source, "browInnerUp", "browOuterUpLeft", "browOuterUpRight"):
            return self.decide(max(weights[0], sum(weights[1:]) / 2) / 0.8, threshold, gap, tick.time, state)
        seen = measure(face.landmarks)
        if seen is None:
            return self.decide(math.nan, threshold, gap, tick.time, state)
        state.rest = neutral(state.rest, seen.brows, tick.delta, 1.5, 12.0, REST_BROWS)
        return self.decide((seen.brows - state.rest - 0.01) / 0.06, threshold, gap, tick.time, state)


class _Swinging(_OfFace):
    """A head that goes to and fro about one axis, more than about the other. Who goes on doing so fires once."""

    threshold: Param[Number] = param(1.0, low=0.02, high=1, step=0.01, doc="how much of the gesture must be seen")
    gap: Param[Number] = param(1.0, low=0, high=60, step=0.05, unit="s", doc="shortest time between two events")
    times: Param[Integer] = param(2, low=1, high=4, doc="how often there and back")
    within: Param[Number] = param(1.6, low=0.3, high=6, step=0.1, unit="s", doc="time for all of it")
    axis, other = "pitch", "yaw"

    def process(self, face, threshold, gap, times, within, angle, tick, state):
        if not self.meet(face, state):
            return NOBODY
        seen = measure(face.landmarks)
        oldest = tick.time - micros(within)
        past = [row for row in state.rest or () if oldest <= row[0] < tick.time]
        if seen is not None:
            past.append((tick.time, getattr(seen, self.axis), getattr(seen, self.other)))
        state.rest = tuple(past)
        return self.decide(self._share(past, times, angle), threshold - 1e-6, gap, tick.time, state)

    def _share(self, past: list[tuple[int, float, float]], times: int, angle: float) -> float:
        """How much of the gesture was seen: strokes of those it takes; the last one back need not be waited for."""
        if not past:
            return 0.0
        main, aside = [row[1] for row in past], [row[2] for row in past]
        if max(aside) - min(aside) > 0.8 * (max(main) - min(main)):
            return 0.0
        return swings(main, angle) / max(2, 2 * times - 1)


class Nod(_Swinging, type="expression.nod"):
    """Fires when somebody nods: the head goes down and up, and hardly aside."""

    angle: Param[Number] = param(5.0, low=1, high=45, step=0.5, unit="°", doc="how far each stroke goes at least")


class Shake(_Swinging, type="expression.shake"):
    """Fires when somebody shakes the head: it goes to and fro, and hardly up or down."""

    angle: Param[Number] = param(9.0, low=1, high=60, step=0.5, unit="°", doc="how far each stroke goes at least")
    axis, other = "yaw", "pitch"


class HandNear(_OfFace, type="expression.hand_near"):
    """Fires when a hand comes near the face or onto it."""

    hands: In[Hands] = port(doc="tracked hands, whosever they are")
    threshold: Param[Number] = param(0.7, low=0.02, high=1, step=0.01, doc="the amount at which it fires; 1 = on the face")
    reach: Param[Number] = param(1.0, low=0.05, high=5, step=0.05, unit="face widths", doc="distance at which the amount is 0")

    def process(self, face, hands, threshold, gap, reach, tick, state):
        if not self.meet(face, state):
            return NOBODY
        near = min((hand_distance(hand.landmarks, face.landmarks) for hand in hands), default=math.inf)
        amount = held(1.0 - near / max(reach, 1e-3)) if math.isfinite(near) else 0.0
        return self.decide(amount, threshold, gap, tick.time, state)
