"""A flat picture followed through a clip: found by ORB features, followed by optical flow, held by the picture itself.

    lost      ORB features (Rublee et al., 2011) of the frame and of the picture, matched, a homography by MAGSAC
    followed  pyramidal Lucas–Kanade from the frame before: the picture moves fast
    held      Lucas–Kanade from the picture, warped to where it should be now: so nothing drifts, to a part of a pixel

All of it looks at pictures at most 480 pixels wide. Lengths on the picture are its widths, from its middle, x right, y down.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np

from ...graph.errors import SourceError
from .one_euro import one_euro
from .plane_pose import applied
from .shrink import Shrinker

__all__ = ["WIDEST", "Marker", "PlanarState", "PlanarTracker", "SmallGrey"]

WIDEST = 480  # pixels of a picture that is looked at
FEWEST_FEATURES = 40  # a marker needs
FOUND, HELD = 14, 10  # points that must agree
WANDERED = 3.0  # pixels of the small frame a point may lie off the homography
PATIENCE = 4  # frames that it may go badly
ALIKE = 0.4  # correlation of the picture with what is seen, below which it is not it
LEAST = 48  # pixels of a frame, in which features can be found
SMALLEST = 14.0  # pixels across, of the small frame
POINTS = 160
NEAR_ENOUGH = 0.3  # pixels: what was warped lay as near, so it need not be warped again
LOOKS = 3  # sides of the picture that are looked for in a frame, in turn, beside its front


class Marker:
    """A picture that can be found.

    Attributes:
        grey: (h, w) uint8, at most WIDEST / 1.5 wide. aspect: height by width.
        points: (n, 2) float32 places on it that flow can follow, pixels of `grey`.
        views: places and ORB features of it as seen from the front, smaller, and from several sides.
    """

    def __init__(self, picture: np.ndarray, name: str = "the picture"):
        """picture: (h, w, 3 or 4) uint8 RGB, or (h, w) grey.

        Raises:
            SourceError: it has too few features to be known again.
        """
        grey = picture if picture.ndim == 2 else cv2.cvtColor(picture[..., :3], cv2.COLOR_RGB2GRAY)
        share = min(1.0, WIDEST / 1.5 / max(grey.shape))
        size = (max(8, round(grey.shape[1] * share)), max(8, round(grey.shape[0] * share)))
        self.grey = cv2.resize(np.ascontiguousarray(grey), size, interpolation=cv2.INTER_AREA)
        self.aspect = grey.shape[0] / grey.shape[1]
        self.views = [view for turned in _turned(self.grey) if (view := _features(*turned))]
        corners = cv2.goodFeaturesToTrack(self.grey, POINTS, 0.02, max(4.0, 0.02 * max(size)))
        count = 0 if not self.views or corners is None else min(len(self.views[0][0]), 2 * len(corners))
        if count < FEWEST_FEATURES:
            raise SourceError(
                f"{name} can't be a marker: {count} features of {FEWEST_FEATURES} wanted; choose a picture with more corners "
                "and contrast, without repeated patterns"
            )
        self.points = np.ascontiguousarray(corners.reshape(-1, 2), np.float32)

    @property
    def to_grey(self) -> np.ndarray:
        """(3, 3) from lengths on the picture to pixels of `grey`."""
        h, w = self.grey.shape
        return np.array(((w, 0.0, w / 2 - 0.5), (0.0, w, h / 2 - 0.5), (0.0, 0.0, 1.0)))

    def corners(self) -> np.ndarray:
        """(4, 2) its corners on itself: top left, top right, bottom right, bottom left."""
        a = self.aspect / 2
        return np.array(((-0.5, -a), (0.5, -a), (0.5, a), (-0.5, a)))


@dataclass(slots=True, eq=False)
class PlanarState:
    """What a tracker knows from frame to frame: the homography from `Marker.grey` to the small frame, and that frame."""

    homography: np.ndarray | None = None
    grey: np.ndarray | None = None
    corners: np.ndarray = field(default_factory=lambda: np.zeros((4, 2)))
    speed: np.ndarray = field(default_factory=lambda: np.zeros((4, 2)))
    badly: int = 0
    score: float = 0.0
    fresh: bool = True
    looked: int = 0


class SmallGrey:
    """Makes pictures small and grey, into memory that stays."""

    def __init__(self) -> None:
        self._shrinker = Shrinker()
        self._small, self._grey = np.zeros((1, 1, 3), np.uint8), np.zeros((1, 1), np.uint8)

    def __call__(self, picture: np.ndarray) -> tuple[np.ndarray, float]:
        """An (h, w, 3) uint8 picture in grey, at most WIDEST wide, and how many of its pixels a small one is."""
        width = min(picture.shape[1], WIDEST)
        height = max(1, round(picture.shape[0] * width / picture.shape[1]))
        if self._grey.shape != (height, width):
            self._small, self._grey = np.zeros((height, width, 3), np.uint8), np.zeros((height, width), np.uint8)
        self._shrinker.into(picture, self._small)
        cv2.cvtColor(self._small, cv2.COLOR_RGB2GRAY, dst=self._grey)
        return self._grey, picture.shape[1] / width


class PlanarTracker:
    """Follows one marker.

    Args:
        marker: what is looked for.
    """

    def __init__(self, marker: Marker):
        self.marker = marker
        self._orb = cv2.ORB.create(1200, 1.2, 8, fastThreshold=10)
        self._matcher = cv2.BFMatcher(cv2.NORM_HAMMING)
        self._template = _even(marker.grey)

    def track(
        self, grey: np.ndarray, state: PlanarState, delta: float, smoothing: float = 0.5, search: bool = True
    ) -> np.ndarray | None:  # fmt: skip
        """(3, 3) from lengths on the picture to pixels of `grey` (centres of pixels at whole numbers); None = not there.

        smoothing: 0 = as measured, 1 = calmest at rest. search: look for it anew where it is lost.
        """
        known = self._follow(grey, state) if state.homography is not None and state.grey is not None else None
        if known is None:
            # a look costs more than a frame's share: every other frame has one
            if search and state.looked % 2 == 0:
                known = self._find(grey, state.looked // 2)
            state.looked += 1
            state.fresh = True
        state.grey = grey.copy() if state.grey is None or state.grey.shape != grey.shape else _kept(state.grey, grey)
        held = self._hold(grey, known) if known is not None else None
        if held is not None:
            known, state.score = held
            state.badly = 0
        elif known is not None and not state.fresh and state.badly < PATIENCE and _sound(known, self.marker, grey):
            state.badly += 1
            state.score *= 0.7
        else:
            state.homography, state.score, state.fresh = None, 0.0, True
            return None
        state.homography, state.looked = known, 0
        return self._steady(known @ self.marker.to_grey, state, delta, smoothing)

    # -- the three ways

    def _find(self, grey: np.ndarray, turn: int) -> np.ndarray | None:
        """By features; which sides are looked at depends on the number of the look."""
        if min(grey.shape) < LEAST:
            return None
        keys, features = self._orb.detectAndCompute(grey, None)  # type: ignore[call-overload]
        if features is None or len(features) < FOUND:
            return None
        seen = np.array([k.pt for k in keys], np.float32)
        front, *sides = self.marker.views
        now = [front, *(sides[(LOOKS * turn + k) % len(sides)] for k in range(min(LOOKS, len(sides))))]
        matched = [self._matched(view, features) for view in now]
        best, most = None, FOUND - 1
        for places, which in sorted(matched, key=lambda pair: -len(pair[0]))[:3]:
            if len(places) < FOUND:
                break
            found, inside = cv2.findHomography(
                places, seen[which], cv2.USAC_MAGSAC, WANDERED, maxIters=2000, confidence=0.999
            )
            if found is not None and int(inside.sum()) > most and _sound(found, self.marker, grey):
                best, most = found, int(inside.sum())
        return best

    def _matched(self, view: tuple[np.ndarray, np.ndarray], features: np.ndarray) -> tuple[np.ndarray, list[int]]:
        """Places on the picture, and which features of the frame are like no other feature there."""
        pairs = self._matcher.knnMatch(view[1], features, 2)
        good = [p[0] for p in pairs if len(p) == 2 and p[0].distance < 0.82 * p[1].distance]
        return view[0][[m.queryIdx for m in good]], [m.trainIdx for m in good]

    def _follow(self, grey: np.ndarray, state: PlanarState) -> np.ndarray | None:
        assert state.homography is not None and state.grey is not None
        if state.grey.shape != grey.shape:
            return None
        before = applied(state.homography, self.marker.points)
        inside = _within(before, grey)
        if inside.sum() < HELD:
            return None
        source, start = self.marker.points[inside], before[inside].astype(np.float32)
        moved, found, _ = cv2.calcOpticalFlowPyrLK(state.grey, grey, start, None, winSize=(15, 15), maxLevel=3)  # type: ignore[call-overload]
        ok = found[:, 0] > 0
        return _fitted(source[ok], moved[ok], WANDERED, HELD)

    def _hold(self, grey: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, float] | None:
        """Measured against the picture itself, again if it was not warped to within a part of a pixel."""
        places = applied(known, self.marker.points)
        inside = _within(places, grey)
        if inside.sum() < HELD or not _sound(known, self.marker, grey):
            return None
        corner = np.maximum(np.floor(places[inside].min(0)).astype(int) - 24, 0)
        end = np.minimum(np.ceil(places[inside].max(0)).astype(int) + 25, grey.shape[::-1])
        seen = _even(grey[corner[1] : end[1], corner[0] : end[0]])
        to_seen = np.array(((1.0, 0.0, -corner[0]), (0.0, 1.0, -corner[1]), (0.0, 0.0, 1.0)))
        source, score = self.marker.points[inside], 0.0
        for _ in range(2):
            start = applied(to_seen @ known, source).astype(np.float32)
            expected = cv2.warpPerspective(
                self._template, to_seen @ known, seen.shape[::-1], borderMode=cv2.BORDER_REPLICATE
            )
            moved, found, unlike = cv2.calcOpticalFlowPyrLK(expected, seen, start, start.copy(), winSize=(13, 13), maxLevel=2,
                                                       flags=cv2.OPTFLOW_USE_INITIAL_FLOW)  # type: ignore[call-overload]  # fmt: skip
            way = np.abs(moved - start).max(1)
            # what is covered by something looks unlike the picture, or was followed onto its edge
            ok = (found[:, 0] > 0) & (way < 12)
            if ok.sum() < HELD:
                return None
            ok[ok] = unlike[ok, 0] < max(3.0 * float(np.median(unlike[ok])), 10.0)
            better = _fitted(source[ok], moved[ok], 1.5, HELD)
            if better is None:
                return None
            off = np.linalg.norm(applied(better, source[ok]) - moved[ok], axis=1)
            score = float((off < 1.5).sum() / max(int(inside.sum()), 1))
            known = np.linalg.inv(to_seen) @ better
            if float(np.median(way[ok])) < NEAR_ENOUGH:
                break
        if not _sound(known, self.marker, grey):
            return None
        alike = self._alike(grey, known)
        return (known, min(1.0, score)) if score > 0.2 and alike > ALIKE else None

    def _alike(self, grey: np.ndarray, known: np.ndarray) -> float:
        """Correlation of the picture with what is seen in its place, the middle of it at a low resolution."""
        h, w = self.marker.grey.shape
        size = (48, max(8, round(48 * h / w)))
        grid = np.array(((w / size[0], 0.0, 0.0), (0.0, h / size[1], 0.0), (0.0, 0.0, 1.0)))
        seen = cv2.warpPerspective(grey, known @ grid, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderValue=0)
        inside = cv2.warpPerspective(
            np.full_like(grey, 255), known @ grid, size, flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP, borderValue=0
        )
        mask = inside > 0
        if mask.sum() < 64:
            return 0.0
        own = cv2.resize(self.marker.grey, size, interpolation=cv2.INTER_AREA)[mask].astype(np.float32)
        there = seen[mask].astype(np.float32)
        own, there = own - own.mean(), there - there.mean()
        return float(own @ there / max(float(np.sqrt((own @ own) * (there @ there))), 1e-6))

    def _steady(self, known: np.ndarray, state: PlanarState, delta: float, smoothing: float) -> np.ndarray:
        """The same homography with its corners calmed: still ones stay, moving ones follow."""
        flat = self.marker.corners()
        corners = applied(known, flat)
        size = float(np.sqrt(max(abs(_area(corners)), 1.0)))
        if state.fresh or delta <= 0 or not smoothing > 0:
            state.corners[...], state.speed[...], state.fresh = corners, 0.0, False
            return known
        one_euro(corners, state.corners, state.speed, delta, size, 6.0 * 0.08**smoothing, 60.0)
        steadied = cv2.getPerspectiveTransform(flat.astype(np.float32), corners.astype(np.float32))
        return steadied if np.isfinite(steadied).all() else known


def _turned(grey: np.ndarray) -> list[tuple[np.ndarray, np.ndarray, int]]:
    """The picture from the front, half as large, and from eight sides (as in ASIFT, Morel and Yu, 2009), where it was in each,
    and how many features are worth keeping."""
    h, w = grey.shape
    views: list[tuple[np.ndarray, np.ndarray, int]] = [(grey, np.eye(3), 700)]
    for angle, tilt, size in ((0, 1.0, 0.5), *((a, 2.0, 0.8) for a in (0, 45, 90, 135)), *((a, 3.2, 0.6) for a in (0, 45, 90, 135))):
        c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
        turn = np.array(((c, -s), (s, c)))
        to = np.eye(3)
        to[:2, :2] = np.diag((size, size / tilt)) @ turn
        corners = applied(to, np.array(((0.0, 0.0), (w, 0.0), (w, h), (0.0, h))))
        to[:2, 2] = 8 - corners.min(0)
        wide, high = np.ceil(np.ptp(corners, axis=0) + 16).astype(int)
        # what is pressed together is blurred across first, or its details would alias
        blurred = cv2.GaussianBlur(grey, (0, 0), 0.35 * tilt / size)
        view = cv2.warpPerspective(blurred, to, (int(wide), int(high)), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
        views.append((np.asarray(view), np.linalg.inv(to), 350))
    return views


def _features(view: np.ndarray, back: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray] | None:
    """Places on the picture and ORB features of a view of it."""
    orb = cv2.ORB.create(most, 1.2, 8, edgeThreshold=15, fastThreshold=8)
    keys, features = orb.detectAndCompute(view, None)  # type: ignore[call-overload]
    if features is None or len(keys) < 2:
        return None
    return applied(back, np.array([k.pt for k in keys])).astype(np.float32), features


def _even(grey: np.ndarray) -> np.ndarray:
    """Grey without what light and exposure do: contrast about the mean of a neighbourhood, as uint8."""
    low = cv2.blur(grey, (25, 25))
    apart = cv2.subtract(grey, low, dtype=cv2.CV_16S)
    spread = cv2.blur(cv2.convertScaleAbs(apart), (25, 25))
    scaled = cv2.divide(apart.astype(np.float32), spread.astype(np.float32) + 4.0, scale=40.0)
    scaled += 128.0
    return np.clip(scaled, 0.0, 255.0, out=scaled).astype(np.uint8)


def _kept(into: np.ndarray, grey: np.ndarray) -> np.ndarray:
    np.copyto(into, grey)
    return into


def _within(places: np.ndarray, grey: np.ndarray) -> np.ndarray:
    return np.logical_and((places > 2).all(1), (places < np.array(grey.shape[::-1]) - 3).all(1))


def _fitted(source: np.ndarray, target: np.ndarray, off: float, least: int) -> np.ndarray | None:
    """A homography by RANSAC, then by all that agree."""
    if len(source) < least:
        return None
    found, inside = cv2.findHomography(source, target, cv2.RANSAC, off, maxIters=400, confidence=0.995)
    if found is None or int(inside.sum()) < least:
        return None
    return found


def _area(corners: np.ndarray) -> float:
    """Positive where corners go round clockwise, y down."""
    x, y = corners[:, 0], corners[:, 1]
    return 0.5 * float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))


def _sound(known: np.ndarray, marker: Marker, grey: np.ndarray) -> bool:
    """Whether a homography shows the front of the picture, convex, of a sensible size, before the camera."""
    if not np.isfinite(known).all():
        return False
    h, w = marker.grey.shape
    flat = np.array(((0.0, 0.0), (w, 0.0), (w, h), (0.0, h)))
    depth = flat @ known[2, :2] + known[2, 2]
    if not (depth > 1e-6).all() and not (depth < -1e-6).all():
        return False
    corners = applied(known, flat)
    edges = np.roll(corners, -1, axis=0) - corners
    turns = edges[:, 0] * np.roll(edges[:, 1], -1) - edges[:, 1] * np.roll(edges[:, 0], -1)
    area = _area(corners)
    return bool((turns > 0).all() and SMALLEST**2 < area < 60 * grey.size and np.abs(edges).max() < 30 * max(grey.shape))
