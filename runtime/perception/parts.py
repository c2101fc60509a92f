"""Parts of people: hair, skin of body and face, clothes, other, by MediaPipe's multiclass selfie network, steadied over time."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from .carry import Carrier
from .shrink import Shrinker

__all__ = ["MODEL", "PARTS", "PartsSegmenter", "make_state"]

MODEL = "mediapipe/selfie_multiclass"
PARTS = ("background", "hair", "body skin", "face skin", "clothes", "other")  # the network's order
RESET_AFTER = 1.0  # seconds without a result after which the past counts no more
STILL, MOVING = 0.03, 0.12  # change of brightness, once motion is undone, from where to where a place counts as new

State = dict[str, np.ndarray]


def make_state() -> State:
    """The state of a segmenter that has seen nothing."""
    return {"parts": np.zeros((0, 0, 0), np.float32), "grey": np.zeros((0, 0), np.uint8)}


class PartsSegmenter:
    """Shares of the parts in a stream of pictures, each (h, w) float32 at the network's size; they sum to 1."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._view = model.input(0)[0]
        height, width = self._view.shape[:2]
        self.seen = np.zeros((height, width, 3), np.uint8)
        self.parts = np.zeros((len(PARTS), height, width), np.float32)
        self._grey = np.zeros((height, width), np.uint8)
        self._before, self._weight, self._work = np.zeros((3, height, width), np.float32)
        self._old = np.zeros((height, width), np.uint8)
        self._change = np.zeros((height, width), np.uint8)
        self._shrink, self._carrier = Shrinker(), Carrier(height, width)

    def segment(self, image: np.ndarray, delta: float, state: State, smoothing: float = 0.6) -> np.ndarray:
        """(6, h, w) in the order of PARTS, over the whole picture (uint8 RGB); rewritten by the next call.

        `seen` is the picture as the network saw it. delta: seconds since the picture before (0 = none). smoothing: 0 = each
        picture for itself, 1 = most steady.
        """
        self._shrink.into(image, self.seen)
        np.multiply(self.seen, np.float32(1 / 255), out=self._view)
        cv2.cvtColor(self.seen, cv2.COLOR_RGB2GRAY, dst=self._grey)
        self._model.run()
        self._shares(self._model.output(0)[0])
        if 0 < delta <= RESET_AFTER and smoothing > 0 and state["parts"].shape == self.parts.shape:
            self._steady(state, min(float(smoothing), 0.95))
        for name, now in (("parts", self.parts), ("grey", self._grey)):
            if state[name].shape != now.shape:
                state[name] = np.zeros_like(now)
            np.copyto(state[name], now)
        return self.parts

    def _shares(self, logits: np.ndarray) -> None:
        """Softmax over the last axis, into planes."""
        np.max(logits, axis=2, out=self._work)
        total = self._weight
        total.fill(0)
        for k, plane in enumerate(self.parts):
            np.subtract(logits[..., k], self._work, out=plane)
            np.exp(plane, out=plane)
            np.add(total, plane, out=total)
        np.divide(self.parts, total, out=self.parts)

    def _steady(self, state: State, amount: float) -> None:
        """Lean on the shares before, carried here by the motion, where the network is unsure and nothing new came up."""
        self._carrier.look(state["grey"], self._grey)
        self._carrier.move(state["grey"], self._old)
        cv2.absdiff(self._grey, self._old, dst=self._change)
        cv2.blur(self._change, (5, 5), dst=self._change)
        weight, work = self._weight, self._work
        np.multiply(self._change, np.float32(-1 / (255 * (MOVING - STILL))), out=weight)
        weight += np.float32(MOVING / (MOVING - STILL))
        np.clip(weight, 0, 1, out=weight)
        np.max(self.parts, axis=0, out=work)  # how sure it is
        np.subtract(np.float32(1), work, out=work)
        np.multiply(work, np.float32(3 * amount), out=work)
        np.minimum(work, np.float32(amount), out=work)
        np.multiply(weight, work, out=weight)
        for plane, old in zip(self.parts, state["parts"], strict=True):
            self._carrier.move(old, self._before)
            np.subtract(self._before, plane, out=work)
            np.multiply(work, weight, out=work)
            np.add(plane, work, out=plane)
