"""Names for landmarks of faces, hands and bodies: single points, middles of several, and bones between them.

    place("hand", "index tip", hand.landmarks)       # (3,): where it is
    start, end = bone("body", "left forearm", body.landmarks)

Sides are the person's own. Numbers are MediaPipe's (face mesh, Hands, BlazePose).
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import Literal

import numpy as np

from ...graph.errors import NodeError

__all__ = ["BODY_SKELETON", "BONES", "HAND_SKELETON", "POINTS", "Kind", "bone", "bone_names", "indices", "place", "point_names"]

Kind = Literal["face", "hand", "body"]

FINGERS = ("thumb", "index", "middle", "ring", "pinky")
_BODY = (
    "nose", "left eye inner", "left eye", "left eye outer", "right eye inner", "right eye", "right eye outer", "left ear",
    "right ear", "mouth left", "mouth right", "left shoulder", "right shoulder", "left elbow", "right elbow", "left wrist",
    "right wrist", "left pinky", "right pinky", "left index", "right index", "left thumb", "right thumb", "left hip",
    "right hip", "left knee", "right knee", "left ankle", "right ankle", "left heel", "right heel", "left toes", "right toes",
)  # fmt: skip
_JOINTS = {"thumb": ("base", "knuckle", "joint", "tip")} | dict.fromkeys(FINGERS[1:], ("knuckle", "joint", "end joint", "tip"))
_HAND = ("wrist", *(f"{finger} {joint}" for finger in FINGERS for joint in _JOINTS[finger]))

POINTS: dict[Kind, dict[str, tuple[int, ...]]] = {
    "body": {name: (i,) for i, name in enumerate(_BODY)}
    | {
        "chest": (11, 12), "hips": (23, 24), "middle": (11, 12, 23, 24), "head": (7, 8), "mouth": (9, 10), "neck": (9, 10, 11, 12),
        "left hand": (17, 19), "right hand": (18, 20),
    },
    "hand": {name: (i,) for i, name in enumerate(_HAND)} | {"palm": (0, 5, 17), "pinch": (4, 8)},
    "face": {
        "nose tip": (1,), "nose bridge": (168,), "nose base": (2,), "chin": (152,), "forehead": (151,), "top": (10,),
        "left eye": (362, 263), "right eye": (33, 133), "between eyes": (168,), "left eye outer": (263,),
        "left eye inner": (362,), "right eye outer": (33,), "right eye inner": (133,), "left brow": (334,),
        "right brow": (105,), "left cheek": (425,), "right cheek": (205,), "left ear": (454,), "right ear": (234,),
        "mouth": (13, 14), "mouth left": (291,), "mouth right": (61,), "upper lip": (0,), "lower lip": (17,),
        "left temple": (356,), "right temple": (127,), "left jaw": (397,), "right jaw": (172,),
    },
}  # fmt: skip
"""Kind → name → the landmarks whose middle it is."""


def _limbs(side: str) -> dict[str, tuple[str, str]]:
    return {
        f"{side} upper arm": (f"{side} shoulder", f"{side} elbow"),
        f"{side} forearm": (f"{side} elbow", f"{side} wrist"),
        f"{side} hand": (f"{side} wrist", f"{side} hand"),
        f"{side} thigh": (f"{side} hip", f"{side} knee"),
        f"{side} shin": (f"{side} knee", f"{side} ankle"),
        f"{side} foot": (f"{side} heel", f"{side} toes"),
        f"{side} side": (f"{side} shoulder", f"{side} hip"),
    }


def _phalanges(finger: str) -> dict[str, tuple[str, str]]:
    names = [f"{finger} {joint}" for joint in _JOINTS[finger]]
    return {finger: (names[0], names[3])} | {f"{b} bone": (a, b) for a, b in zip(names, names[1:], strict=False)}


BONES: dict[Kind, dict[str, tuple[str, str]]] = {
    "body": _limbs("left") | _limbs("right")
    | {"shoulders": ("left shoulder", "right shoulder"), "hips": ("left hip", "right hip"), "spine": ("hips", "chest"),
       "neck": ("chest", "mouth"), "head": ("mouth", "head"), "ears": ("left ear", "right ear")},
    "hand": {"palm": ("wrist", "middle knuckle"), "knuckles": ("index knuckle", "pinky knuckle")}
    | {name: ends for finger in FINGERS for name, ends in _phalanges(finger).items()},
    "face": {
        "eyes": ("right eye", "left eye"), "nose": ("nose bridge", "nose tip"), "mouth": ("mouth right", "mouth left"),
        "middle": ("chin", "top"), "temples": ("right temple", "left temple"), "ears": ("right ear", "left ear"),
    },
}  # fmt: skip
"""Kind → name → its two ends, by name."""

BODY_SKELETON: tuple[tuple[int, int], ...] = (
    (11, 12), (11, 23), (12, 24), (23, 24), (11, 13), (13, 15), (12, 14), (14, 16), (23, 25), (25, 27), (24, 26), (26, 28),
    (27, 29), (29, 31), (27, 31), (28, 30), (30, 32), (28, 32), (15, 19), (15, 17), (17, 19), (15, 21),
    (16, 20), (16, 18), (18, 20), (16, 22),
)  # fmt: skip
"""Lines of a drawn body, without the face: pairs of landmarks."""

HAND_SKELETON: tuple[tuple[int, int], ...] = (
    (0, 1), (1, 2), (2, 3), (3, 4), (0, 5), (5, 6), (6, 7), (7, 8), (5, 9), (9, 10), (10, 11), (11, 12), (9, 13), (13, 14),
    (14, 15), (15, 16), (13, 17), (0, 17), (17, 18), (18, 19), (19, 20),
)  # fmt: skip
"""Lines of a drawn hand: pairs of landmarks."""


def point_names(kind: Kind) -> tuple[str, ...]:
    """All names `indices` and `place` know: the choices of a node's parameter."""
    return tuple(POINTS[kind])


def bone_names(kind: Kind) -> tuple[str, ...]:
    """All names `bone` knows."""
    return tuple(BONES[kind])


def indices(kind: Kind, name: str) -> tuple[int, ...]:
    """The landmarks whose middle is the named point.

    Raises:
        NodeError: there is no such name; it says which are near.
    """
    return POINTS[kind][_known(name, POINTS[kind], f"point of a {kind}")]


def place(kind: Kind, name: str, landmarks: np.ndarray) -> np.ndarray:
    """(d,): where the named point is, in the landmarks' (n, d) own coordinates. NodeError: no such name."""
    return landmarks[list(indices(kind, name))].mean(0)


def bone(kind: Kind, name: str, landmarks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The two ends of the named bone, the one nearer to the trunk first. NodeError: no such name."""
    start, end = BONES[kind][_known(name, BONES[kind], f"bone of a {kind}")]
    return place(kind, start, landmarks), place(kind, end, landmarks)


def _known(name: str, table: dict[str, tuple], what: str) -> str:
    if name in table:
        return name
    near = get_close_matches(name, table, 3, 0.4) or list(table)[:5]
    raise NodeError(f"there is no {what} called {name!r}; near it: {', '.join(near)}")
