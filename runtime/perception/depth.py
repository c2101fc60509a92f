"""Depth from one picture at a time: a network's guess, made steady over time, people and background in layers.

A single-picture network guesses scale and shift anew in each frame. So every result is laid on the one before by
least squares over what stands still, and only slowly drifts to what the network says now. All of it in nearness
(1 / metres), in which such networks are about linear and in which errors far away weigh little.
"""

from __future__ import annotations

import math
from typing import Literal

import cv2
import numpy as np

from ..models.pictures import PictureModel
from .shrink import Shrinker

__all__ = ["FAR", "NEAR", "DepthEstimator", "Kind", "fill", "make_state"]

Kind = Literal["metres", "far", "near"]
"""What a network gives: metres; a relative depth, large = far; a relative inverse depth, large = near."""

NEAR, FAR = 1.0, 8.0  # metres that stand for the nearest and the farthest place of a relative depth
LEAST, MOST = 1 / 50, 1 / 0.2  # nearness kept: 50 m to 20 cm
STILL, MOVING = 0.02, 0.08  # change of brightness from where to where a place counts as moving
CUT = 0.2  # mean change of brightness from which on it is another scene
DRIFT = 4.0  # seconds in which the network's own scale comes through
RESET_AFTER = 2.0  # seconds without a picture after which the past counts no more
ROWS = 256  # at most, of what is given

State = dict[str, np.ndarray]


def make_state() -> State:
    """The state of an estimator that has seen nothing."""
    return {name: np.zeros((0, 0), np.float32) for name in ("near", "people", "grey")}


class DepthEstimator:
    """Depth of a stream of pictures. Holds the network and work planes; what it knows lies in the caller's state."""

    def __init__(self, net: PictureModel, kind: Kind) -> None:
        self._net = net
        self._kind: Kind = kind
        self._shrink, self._mask_shrink = Shrinker(), Shrinker()
        if net.size is None:
            net.resize(*net.fitting(320, 192))
        assert net.size is not None
        self._pixels = np.zeros((net.size[1], net.size[0], 3), np.uint8)
        self._raw = np.zeros((0, 0), np.float32)

    def estimate(
        self, image: np.ndarray, delta: float, state: State, *, smoothing: float = 0.5, people: np.ndarray | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
        """Two planes (h, w) of metres that stretch over the picture; both are new each call, small and smooth.

        The first is the scene; where `people` (a mask of the same picture, float, 0 to 1) is given, the scene without
        them, filled in from around. The second is how far people are, spread out beyond them; the scene where there
        are none.

        image: uint8 RGB. delta: seconds since the picture before. smoothing: 0 = each picture for itself, 1 = most
        steady.
        """
        near = self._nearness(image)
        grey = self._grey(near.shape)
        near = self._steady(near, grey, delta, state, smoothing)
        scene, theirs = near, near
        if people is not None:
            scene, theirs = layers(near, cv2.resize(people, near.shape[::-1], interpolation=cv2.INTER_AREA))
            before = state["people"]
            if before.shape == theirs.shape and 0 < delta <= RESET_AFTER:
                theirs = theirs + (before - theirs) * np.float32(kept(delta, 0.4 * smoothing))
        state["near"], state["grey"], state["people"] = near, grey, theirs
        return 1 / np.maximum(scene, np.float32(LEAST)), 1 / np.maximum(theirs, np.float32(LEAST))

    def _nearness(self, image: np.ndarray) -> np.ndarray:
        net = self._net
        self._shrink.into(image, self._pixels)
        net.feed(self._pixels)
        net.run()
        if self._raw.shape != net.shape():
            self._raw = np.zeros(net.shape(), np.float32)
        net.plane(self._raw)
        raw = self._raw
        if raw.shape[0] > ROWS:
            raw = cv2.resize(raw, (max(1, round(raw.shape[1] * ROWS / raw.shape[0])), ROWS), interpolation=cv2.INTER_AREA)
        raw = np.where(np.isfinite(raw), raw, np.float32(np.nanmedian(raw) if np.isfinite(raw).any() else 0.0))
        return nearness(raw, self._kind)

    def _grey(self, shape: tuple[int, int]) -> np.ndarray:
        small = cv2.resize(cv2.cvtColor(self._pixels, cv2.COLOR_RGB2GRAY), shape[::-1], interpolation=cv2.INTER_AREA)
        return cv2.GaussianBlur(small, (5, 5), 0).astype(np.float32) / 255

    def _steady(self, near: np.ndarray, grey: np.ndarray, delta: float, state: State, smoothing: float) -> np.ndarray:
        """The new plane on the scale of the last one, and mixed with it where the picture stands still."""
        before = state["near"]
        if before.shape != near.shape or not 0 < delta <= RESET_AFTER or not smoothing > 0:
            return near
        change = np.abs(grey - state["grey"])
        if float(change.mean()) > CUT:
            return near
        still = np.clip((MOVING - change) / (MOVING - STILL), 0, 1).astype(np.float32)
        laid = align(near, before, still)
        laid += (near - laid) * np.float32(1 - kept(delta, DRIFT * smoothing))
        tau = 0.4 * smoothing
        weight = kept(delta, 0.15 * tau) + (kept(delta, tau) - kept(delta, 0.15 * tau)) * still
        laid += (before - laid) * weight.astype(np.float32)
        return np.clip(laid, LEAST, MOST, out=laid)


def kept(delta: float, tau: float) -> float:
    """How much of the past is left after `delta` seconds, of an average with that time constant."""
    return math.exp(-delta / tau) if tau > 0 else 0.0


def nearness(raw: np.ndarray, kind: Kind) -> np.ndarray:
    """What a network gives, as 1 / metres; a relative depth's 1st to 99th percentile is stretched from NEAR to FAR."""
    if kind == "metres":
        return np.clip(1 / np.maximum(raw, np.float32(1e-3)), LEAST, MOST)
    low, high = (float(p) for p in np.percentile(raw, (1, 99)))
    share = (raw - np.float32(low)) * np.float32(1 / max(high - low, 1e-6))
    if kind == "near":
        return np.clip(1 / FAR + share * np.float32(1 / NEAR - 1 / FAR), LEAST, MOST)
    return np.clip(1 / np.maximum(NEAR + share * np.float32(FAR - NEAR), np.float32(0.3)), LEAST, MOST)


def align(new: np.ndarray, old: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """`new`, scaled and shifted onto `old`: weighted least squares, twice, the second time without what fits badly."""
    scale, shift = 1.0, 0.0
    for _ in range(2):
        total = float(weight.sum())
        if total < 0.02 * weight.size:
            break
        mx, my = float((weight * new).sum()) / total, float((weight * old).sum()) / total
        dx = new - np.float32(mx)
        spread = float((weight * dx * dx).sum()) / total
        along = float((weight * dx * (old - np.float32(my))).sum()) / total
        scale = min(max(along / spread, 0.5), 2.0) if spread > 1e-6 else 1.0
        shift = my - scale * mx
        misfit = np.abs(new * np.float32(scale) + np.float32(shift) - old)
        limit = 2.5 * float((weight * misfit).sum()) / total + 1e-6
        weight = weight * (misfit < limit)
    return new * np.float32(scale) + np.float32(shift)


def layers(near: np.ndarray, people: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Nearness of the scene without people, and of people alone, each spread over the whole plane."""
    around = cv2.dilate(people, np.ones((9, 9), np.uint8))
    inside = cv2.erode(people, np.ones((5, 5), np.uint8))
    outside = np.clip(1 - 1.25 * around, 0, 1).astype(np.float32)
    if float(inside.mean()) < 0.002:
        return near, near
    if float(outside.mean()) < 0.01:  # nothing but people: what is behind is a little farther
        scene = np.full_like(near, float(near.min()) * 0.8)
    else:
        scene = fill(near, outside)
    sigma = near.shape[1] / 24
    return scene, cv2.GaussianBlur(fill(near, inside), (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)


def fill(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """`values` where weight is 1; elsewhere what is around, from coarser and coarser averages (push and pull)."""
    height, width = values.shape
    pair = np.dstack((values * weight, weight)).astype(np.float32)
    if min(height, width) == 1 or float(weight.min()) >= 1:
        total = max(float(pair[..., 1].sum()), 1e-9)
        return np.full_like(values, float(pair[..., 0].sum()) / total) if float(weight.min()) < 1 else values
    half = cv2.resize(pair, ((width + 1) // 2, (height + 1) // 2), interpolation=cv2.INTER_AREA)
    share = half[..., 1]
    known = np.minimum(share * 2, 1)  # half of what is there is enough
    coarse = fill(half[..., 0] / np.maximum(share, 1e-6), known)
    spread = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
    return pair[..., 0] + spread * (1 - weight)
