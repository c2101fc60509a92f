"""What a face does, measured from its landmarks: independent of the head's rotation, its size, and mostly of whose it is.

Landmarks are first turned into the head's own axes, found from points that no expression moves, and divided by the
distance of the outer corners of the eyes. Works with 468 points (the fast mesh) and with 478. Scales were fitted to the
52 blendshapes that MediaPipe's network gives on the same frames, over a dozen clips.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

__all__ = ["Measures", "closed", "hand_distance", "measure", "neutral", "swings"]

# points by the person's own sides
RIGHT_SIDE, LEFT_SIDE = np.array((33, 133, 234, 127)), np.array((263, 362, 454, 356))  # corners of eyes, cheek, temple
FOREHEAD, UNDER_NOSE = np.array((10, 151)), np.array((2, 94))
EYE_RIGHT, EYE_LEFT, BRIDGE = 33, 263, 168
LIDS = {
    "right": (np.array((159, 158, 160)), np.array((145, 153, 144)), 33, 133),
    "left": (np.array((386, 385, 387)), np.array((374, 380, 373)), 263, 362),
}
LIP_ABOVE, LIP_BELOW = np.array((13, 82, 312)), np.array((14, 87, 317))
CORNERS, UPPER_LIP, NOSE_BASE = np.array((61, 291)), 0, 2
BROWS = np.array((105, 66, 107, 63, 70, 334, 296, 336, 293, 300))
EYES = np.array((33, 133, 263, 362))
OUTLINE = np.array((
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150, 136,
    172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
))  # fmt: skip
JAW = 1.05, -1.28, -0.28  # of the gap between the lips, the height of the mouth's corners; where it is 0
SMILE = 2.9, 1.7, -1.4, -0.83  # of the mouth's width, its corners' height, the upper lip's length; where it is 0


@dataclass(frozen=True, slots=True)
class Measures:
    """A face in numbers.

    Attributes:
        mouth: how far the jaw is open, 0 to about 0.6; lips that only part, as in a smile, count little.
        eye_left, eye_right: gap between the lids over the eye's width: about 0.26 open, below 0.15 closed. The person's own sides.
        smile: 0 for a face at rest (give or take 0.2, by person) to 1.
        brows: height above the eyes, in distances of the eyes: 0.16 to 0.36, differs by person.
        yaw, pitch, roll: degrees: turned to its own left, up, tilted to its own left.
        size: distance of the outer corners of the eyes, in pixels.
    """

    mouth: float
    eye_left: float
    eye_right: float
    smile: float
    brows: float
    yaw: float
    pitch: float
    roll: float
    size: float


def measure(landmarks: np.ndarray) -> Measures | None:
    """Measure (468 or more, 3) landmarks, y down, z negative towards the camera; None for what is no face (NaN, a point)."""
    points = landmarks[:468].astype(np.float64)
    axes = head_axes(points)
    size = float(np.linalg.norm(points[EYE_LEFT] - points[EYE_RIGHT]))
    if axes is None or not (math.isfinite(size) and size > 1e-6):
        return None
    local = (points - points[BRIDGE]) @ axes.T / size
    width = max(float(np.linalg.norm(local[CORNERS[0]] - local[CORNERS[1]])), 1e-3)
    gap = float(np.linalg.norm(local[LIP_ABOVE] - local[LIP_BELOW], axis=1).mean())
    corners = float(local[CORNERS, 1].mean() - local[NOSE_BASE, 1])
    lip = float(np.linalg.norm(local[UPPER_LIP] - local[NOSE_BASE]))
    jaw = min(JAW[0] * gap + JAW[1] * corners + JAW[2], 8.0 * gap)  # closed lips are a closed mouth, however long the face
    smile = SMILE[0] * width + SMILE[1] * corners + SMILE[2] * lip + SMILE[3]
    brows = float(local[BROWS, 1].mean() - local[EYES, 1].mean())
    found = Measures(max(jaw, 0.0), _eye(local, "left"), _eye(local, "right"), smile, brows, *_angles(axes), size)
    return found if all(map(math.isfinite, (found.mouth, smile, brows, found.eye_left, found.eye_right))) else None


def head_axes(points: np.ndarray) -> np.ndarray | None:
    """Rows: the head's own x (to its left), y (up), z (out of the face) in the picture's axes; None where there are none."""
    across = points[LEFT_SIDE].mean(0) - points[RIGHT_SIDE].mean(0)
    up = points[FOREHEAD].mean(0) - points[UNDER_NOSE].mean(0)
    wide = float(np.linalg.norm(across))
    if not (math.isfinite(wide) and wide > 1e-6):
        return None
    across = across / wide
    up = up - across * float(up @ across)
    tall = float(np.linalg.norm(up))
    if not (math.isfinite(tall) and tall > 1e-6):
        return None
    up = up / tall
    return np.stack((across, up, np.cross(across, up)))


def _angles(axes: np.ndarray) -> tuple[float, float, float]:
    ahead = axes[2]
    yaw = math.atan2(ahead[0], -ahead[2])
    pitch = math.asin(min(max(-ahead[1], -1.0), 1.0))
    roll = math.atan2(axes[0, 1], axes[0, 0])
    return math.degrees(yaw), math.degrees(pitch), math.degrees(roll)


def _eye(local: np.ndarray, side: str) -> float:
    above, below, outer, inner = LIDS[side]
    gap = float(np.linalg.norm(local[above] - local[below], axis=1).mean())
    return gap / max(float(np.linalg.norm(local[outer] - local[inner])), 1e-3)


def closed(eye: float, open_eye: float, points: int) -> float:
    """How far an eye is closed, 0 to 1, given how far it is open at rest.

    The fast mesh (468 points) never closes its lids wholly; the others do.
    """
    low, high = (0.12, 0.42) if points < 478 else (0.2, 0.65)
    share = 1.0 - eye / max(open_eye, 1e-3)
    return min(max((share - low) / (high - low), 0.0), 1.0)


def neutral(before: float | None, now: float, delta: float, towards: float, away: float, first: float) -> float:
    """A slowly learnt level of rest: follows `now` within `towards` seconds where it is nearer to rest, `away` elsewhere.

    Rest is low; give negative numbers where it is high. `first`: rest is not believed to be higher at first sight.
    """
    if before is None:
        return min(now, first)
    seconds = towards if now < before else away
    return before + (now - before) * (1.0 - math.exp(-max(delta, 0.0) / seconds))


def swings(values: Iterable[float], least: float) -> int:
    """Strokes to and fro of at least that size (a zigzag): a nod down and up is two."""
    strokes, way, low, high = 0, 0, math.inf, -math.inf
    for value in values:
        low, high = min(low, value), max(high, value)
        if way <= 0 and value - low >= least:
            strokes, way, high = strokes + 1, 1, value
        elif way >= 0 and high - value >= least:
            strokes, way, low = strokes + 1, -1, value
    return strokes


def hand_distance(hand: np.ndarray, face: np.ndarray) -> float:
    """From a hand's points to the face's outline in the picture, in widths of the face; 0 where a point is on the face."""
    outline = face[OUTLINE, :2].astype(np.float64)
    points = hand[:, :2].astype(np.float64)
    width = float(np.linalg.norm(outline[OUTLINE == 454] - outline[OUTLINE == 234]))
    if not (np.isfinite(points).all() and np.isfinite(outline).all() and width > 1e-6):
        return math.inf
    edge = np.roll(outline, -1, axis=0) - outline
    off = points[:, None] - outline
    side = edge[:, 0] * off[..., 1] - edge[:, 1] * off[..., 0]
    if ((side >= 0).all(axis=1) | (side <= 0).all(axis=1)).any():  # the outline is nearly convex
        return 0.0
    along = np.clip((off * edge).sum(-1) / np.maximum((edge * edge).sum(-1), 1e-12), 0.0, 1.0)
    return float(np.linalg.norm(off - along[..., None] * edge, axis=-1).min()) / width
