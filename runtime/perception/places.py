"""Named places on faces, bodies and hands in space: where they are, which way is up, how long their unit is.

Space is the frame's pixels, y up from its top and z towards the camera (glTF's axes). Sides are the person's own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..stickers import axes_of, fade
from ..values import BodyItem
from .headframe import Head
from .landmarks import FINGERS, indices, point_names

__all__ = ["BODY_PLACES", "FACE_PLACES", "HAND_PLACES", "Found", "body_place", "face_place", "hand_place"]


@dataclass(slots=True, eq=False)
class Found:
    """A place in space: where, its axes, pixels of the unit of lengths there, how well it is seen."""

    place: np.ndarray
    axes: np.ndarray
    length: float
    seen: float = 1.0


# name → landmarks whose middle it is, shift from there in cm of the canonical face (right, up, forward), which way it faces
FACE_PLACES: dict[str, tuple[tuple[int, ...], tuple[float, float, float], tuple[float, float, float]]] = {
    "eyes": ((33, 133, 362, 263), (0.0, 0.0, 1.2), (0.0, 0.0, 1.0)),
    "left eye": ((263, 362, 386, 374), (0.0, 0.0, 0.3), (0.35, 0.0, 0.94)),
    "right eye": ((33, 133, 159, 145), (0.0, 0.0, 0.3), (-0.35, 0.0, 0.94)),
    "nose": ((4,), (0.0, 0.0, 0.0), (0.0, 0.0, 1.0)),
    "nose bridge": ((168,), (0.0, 0.0, 0.0), (0.0, 0.0, 1.0)),
    "mouth": ((13, 14, 61, 291), (0.0, 0.0, 0.3), (0.0, 0.0, 1.0)),
    "upper lip": ((164,), (0.0, 0.0, 0.2), (0.0, 0.0, 1.0)),
    "chin": ((152,), (0.0, 0.0, 0.5), (0.0, 0.0, 1.0)),
    "forehead": ((151,), (0.0, 0.0, 0.3), (0.0, 0.0, 1.0)),
    "hairline": ((10, 109, 338), (0.0, 0.0, -1.0), (0.0, 0.0, 1.0)),
    "hat": ((10, 109, 338), (0.0, 0.6, -5.5), (0.0, 0.0, 1.0)),
    "head top": ((10, 109, 338), (0.0, 5.2, -6.5), (0.0, 0.0, 1.0)),
    "face": ((9, 2, 50, 280), (0.0, 0.0, 0.0), (0.0, 0.0, 1.0)),
    "left cheek": ((425,), (0.0, 0.0, 0.0), (0.6, 0.0, 0.8)),
    "right cheek": ((205,), (0.0, 0.0, 0.0), (-0.6, 0.0, 0.8)),
    "left ear": ((454,), (0.4, -1.5, -0.5), (0.8, 0.0, 0.6)),
    "right ear": ((234,), (-0.4, -1.5, -0.5), (-0.8, 0.0, 0.6)),
    "left temple": ((356,), (0.0, 0.0, 0.0), (0.8, 0.0, 0.6)),
    "right temple": ((127,), (0.0, 0.0, 0.0), (-0.8, 0.0, 0.6)),
}  # fmt: skip


def face_place(landmarks: np.ndarray, head: Head, name: str) -> Found:
    """A named place of a face; the unit is its width."""
    points, shift, normal = FACE_PLACES[name]
    where = landmarks[list(points)].mean(0).astype(np.float64) * (1.0, -1.0, -1.0)
    where = where + head.scale * (head.rotation @ np.array(shift))
    seen = fade(-0.1, 0.25, float((head.rotation @ np.array(normal))[2]))
    return Found(where, head.rotation, head.width, seen)


# name → landmarks whose middle it is, and what its up is: the trunk's, the head's, or along a limb from one point to another
TRUNK, HEAD = "trunk", "head"
ENDS = {TRUNK: (11, 12, 23, 24), HEAD: (7, 8, 2, 5)}
BODY_PLACES: dict[str, tuple[tuple[int, ...], str | tuple[int, int]]] = {
    "chest": ((11, 12, 11, 12, 23, 24), TRUNK), "belly": ((11, 12, 23, 24, 23, 24), TRUNK), "hips": ((23, 24), TRUNK),
    "neck": ((11, 12), TRUNK), "left shoulder": ((11,), TRUNK), "right shoulder": ((12,), TRUNK),
    "head": ((7, 8), HEAD), "nose": ((0,), HEAD), "left ear": ((7,), HEAD), "right ear": ((8,), HEAD),
}  # fmt: skip
LIMBS = {
    "upper arm": ((11, 13), 13, 11), "elbow": ((13,), 15, 13), "forearm": ((13, 15), 15, 13), "wrist": ((15,), 15, 13),
    "hand": ((15, 17, 19), 19, 15), "thigh": ((23, 25), 25, 23), "knee": ((25,), 27, 25), "shin": ((25, 27), 27, 25),
    "ankle": ((27,), 27, 25), "foot": ((29, 31), 31, 29),
}  # fmt: skip
for _k, _side in enumerate(("left", "right")):  # a right landmark is the one after the left
    for _name, (_points, _start, _end) in LIMBS.items():
        BODY_PLACES[f"{_side} {_name}"] = tuple(p + _k for p in _points), (_start + _k, _end + _k)
VISIBLE = (0.3, 0.6)  # visibility at which a place is gone, and wholly there


def body_place(body: BodyItem, name: str) -> Found | None:
    """A named place of a body; the unit is a metre."""
    points, along = BODY_PLACES[name]
    ends = ENDS[along] if isinstance(along, str) else along
    used = [*points, *ends]
    if not np.isfinite(body.landmarks[used]).all() or not np.isfinite(body.world).all():
        return None
    metre = pixels_a_metre(body)
    flat = body.landmarks[:, :2].astype(np.float64) * (1.0, -1.0)
    space = np.concatenate([flat, body.world[:, 2:].astype(np.float64) * metre], axis=1)
    if along == TRUNK:
        axes = axes_of(space[[11, 12]].mean(0) - space[[23, 24]].mean(0), space[11] - space[12])
    elif isinstance(along, str):
        # ears and eyes lie level (the Frankfurt plane), so up is across both of their lines
        across = space[7] - space[8]
        axes = axes_of(np.cross(space[[2, 5]].mean(0) - space[[7, 8]].mean(0), across), across)
    else:
        up = space[along[1]] - space[along[0]]
        axes = axes_of(up, np.array((up[1], -up[0], 0.0)))
    seen = fade(*VISIBLE, float(np.min(body.visibility[list(points)])))
    return Found(space[list(points)].mean(0), facing_us(axes), metre, seen)


def pixels_a_metre(body: BodyItem) -> float:
    """By least squares over shoulders and hips, which keep their distances best."""
    trunk = [11, 12, 23, 24]
    seen, real = body.landmarks[trunk, :2].astype(np.float64), body.world[trunk, :2].astype(np.float64) * (1.0, -1.0)
    seen, real = seen - seen.mean(0), real - real.mean(0)
    return max(float((seen * real).sum() / max(float((real * real).sum()), 1e-9)), 1e-3)


def facing_us(axes: np.ndarray) -> np.ndarray:
    """Turned round its up, where it shows its back: a picture is never seen mirrored."""
    return axes if axes[2, 2] >= 0.0 else axes * np.array((-1.0, 1.0, -1.0))


HAND_PLACES = ("palm", "wrist", *FINGERS, *(n for n in point_names("hand") if n not in ("wrist", "palm")))


def hand_place(landmarks: np.ndarray, name: str) -> Found | None:
    """A named place of a hand; the unit is the palm's length."""
    if len(landmarks) < 21 or not np.isfinite(landmarks[:21]).all():
        return None
    space = landmarks[:21].astype(np.float64) * (1.0, -1.0, -1.0)
    palm = float(np.linalg.norm(space[9] - space[0]))
    across = space[5] - space[17]
    if name in FINGERS:
        first = indices("hand", f"{name} knuckle")[0]
        where, up = (space[first] + space[first + 1]) / 2, space[first + 1] - space[first]
    else:
        points = indices("hand", name)
        where = space[list(points)].mean(0)
        joint = len(points) == 1 and points[0] % 4 != 1 and points[0] > 1
        up = space[points[0]] - space[points[0] - 1] if joint else space[9] - space[0]
    return Found(where, facing_us(axes_of(up, across)), max(palm, 1e-3))
