"""Person masks: MediaPipe's selfie segmentation, steadied over time, bent onto the picture's edges."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import cv2
import numpy as np

from .guided import GuidedCoefficients
from .shrink import Shrinker

__all__ = ["MODELS", "PersonSegmenter", "Shape", "choose_shape", "make_state"]

Shape = Literal["square", "landscape"]

MODELS: dict[Shape, str] = {
    "square": "mediapipe/selfie_segmentation",
    "landscape": "mediapipe/selfie_segmentation_landscape",
}
SQUARE_BELOW = 1.4  # width / height
RESET_AFTER = 0.5  # seconds without a frame after which the past counts no more
STILL, MOVING = 0.02, 0.08  # change of brightness from where to where a place counts as moving

State = dict[str, np.ndarray]


def choose_shape(width: int, height: int) -> Shape:
    """The network whose input is nearer to a picture's aspect."""
    return "landscape" if width >= SQUARE_BELOW * height else "square"


def make_state() -> State:
    """The state of a segmenter that has seen nothing; arrays of the network's size once it has."""
    return {"mask": np.zeros((0, 0), np.float32), "grey": np.zeros((0, 0), np.float32)}


class PersonSegmenter:
    """Coverage of people in a stream of pictures. `load` opens the network of a shape when it is first needed.

    fit, box: the loops `guided_fit` and `box_shrink`, where there is a plan's library to take them from.
    """

    def __init__(
        self, load: Callable[[Shape], Any], fit: Callable[..., None] | None = None, box: Callable[..., None] | None = None
    ) -> None:
        self._load, self._natives = load, (fit, box)
        self._nets: dict[Shape, _Net] = {}

    def segment(
        self, image: np.ndarray, delta: float, state: State, *, shape: Shape | None = None,
        smoothing: float = 0.5, radius: int = 2, epsilon: float = 1e-3,
    ) -> np.ndarray:  # fmt: skip
        """Coefficients (h, w, 4) of the picture's mask: coverage = r·red + g·green + b·blue + constant, clamped.

        They stretch over the whole picture, sampled bilinearly; red, green, blue are the picture's 0–1. `state["mask"]`
        is the mask itself at that size. The array is rewritten by the next call.

        delta: seconds since the picture before (0 = none). smoothing: 0 = each picture for itself, 1 = most steady.
        radius, epsilon: see GuidedCoefficients.fit.
        """
        shape = shape or choose_shape(image.shape[1], image.shape[0])
        if shape not in self._nets:
            self._nets[shape] = _Net(self._load(shape), *self._natives)
        net = self._nets[shape]
        net.look(image)
        _fit_state(state, net.size)
        if 0 < delta <= RESET_AFTER and smoothing > 0:
            net.steady(state, smoothing)
        np.copyto(state["mask"], net.mask)
        np.copyto(state["grey"], net.grey)
        net.guided.fit(net.guide, net.mask, radius, epsilon, net.out)
        return net.out


class _Net:
    """One network with its buffers."""

    def __init__(self, model: Any, fit: Callable[..., None] | None, box: Callable[..., None] | None) -> None:
        self._model = model
        self.guide = model.input(0)[0]
        height, width = self.size = self.guide.shape[:2]
        self._pixels = np.empty((height, width, 3), np.uint8)
        self._shrink = Shrinker(box)
        self.mask, self.grey, self._change, self._weight = np.empty((4, height, width), np.float32)
        self.guided = GuidedCoefficients(height, width, fit)
        self.out = np.empty((height, width, 4), np.float32)

    def look(self, image: np.ndarray) -> None:
        """Run the network on a picture: `guide`, `grey` and the raw `mask`."""
        self._shrink.into(image, self._pixels)
        np.multiply(self._pixels, np.float32(1 / 255), out=self.guide)
        cv2.cvtColor(self.guide, cv2.COLOR_RGB2GRAY, dst=self.grey)
        self._model.run()
        np.copyto(self.mask, self._model.output(0).reshape(self.size))

    def steady(self, state: State, amount: float) -> None:
        """Where the network is unsure and the picture stands still, lean on the mask before.

        Sure places follow at once, so a fast hand leaves no trail; the weight 4p(1−p) stands for the binary entropy
        that MediaPipe's smoothing calculator uses.
        """
        change, weight, mask = self._change, self._weight, self.mask
        cv2.absdiff(self.grey, state["grey"], dst=change)
        cv2.blur(change, (5, 5), dst=change)
        np.subtract(np.float32(MOVING), change, out=change)
        np.multiply(change, np.float32(1 / (MOVING - STILL)), out=change)
        np.clip(change, 0, 1, out=change)
        np.subtract(np.float32(1), mask, out=weight)
        np.multiply(weight, mask, out=weight)
        np.multiply(weight, np.float32(4 * min(amount, 0.95)), out=weight)
        np.multiply(weight, change, out=weight)
        np.subtract(state["mask"], mask, out=change)
        np.multiply(change, weight, out=change)
        np.add(mask, change, out=mask)


def _fit_state(state: State, size: tuple[int, int]) -> None:
    """Arrays of another network's size are resampled, so a change of shape is no jump."""
    for name in ("mask", "grey"):
        old = state[name]
        if old.shape != size:
            grown = cv2.resize(old, size[::-1]) if old.size else np.zeros(size, np.float32)
            state[name] = np.ascontiguousarray(grown, np.float32)
