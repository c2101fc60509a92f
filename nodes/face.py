"""Faces: found, tracked, picked."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..graph.declare import In, Out, Param, ProcessNode, param, port, result, same, slot
from ..graph.errors import NodeError
from ..graph.types import (
    Boolean,
    Camera,
    Choice,
    Face,
    Faces,
    Image,
    Integer,
    Number,
    Points,
    Pose,
    Vector2,
    Vector3,
)
from ..runtime.frames import Frame, Geometry
from ..runtime.perception import roi
from ..runtime.perception.blendshapes import BLENDSHAPES
from ..runtime.perception.face import MODELS, FaceTracker, Variant, make_state
from ..runtime.perception.face_masks import face_width
from ..runtime.perception.gaze import OPEN, eye_openness, gaze_of
from ..runtime.perception.head_pose import HeadPose as PoseFit
from ..runtime.perception.head_pose import make_state as make_poses
from ..runtime.perception.head_pose import pinhole, turn_of
from ..runtime.values import FaceItem, Items

__all__ = ["Blendshape", "FacePoints", "FaceWidth", "Gaze", "HeadPose", "Mesh", "Pick"]


class Mesh(ProcessNode, type="face.mesh", latency="model", fallback="last"):
    """Tracked faces as meshes of 468 or 478 landmarks.

    A detector looks for faces only while fewer than asked for are known; then each frame's landmarks say where to look
    in the next one. `fast` gives 468 points; with `iris` 478, and lips and eyes are looked at twice; `full` gives 478
    points and 52 blendshapes at about three times the cost. Each face keeps its id while it is seen, and for a second
    after it was lost, and has its head's pose in metres (`face.pose`).
    """

    image: In[Image] = port(display=True, doc="the picture to look at")
    camera: In[Camera] = port(optional=True, doc="how it was taken, for the heads' poses; unwired: 63° from top to bottom")
    variant: Param[Choice] = param("fast", choices=("fast", "full"), doc="fast: 468 points; full: 478 and blendshapes")
    max_faces: Param[Integer] = param(1, low=1, high=4, doc="how many faces to track at most")
    smoothing: Param[Number] = param(
        0.5, low=0.0, high=1.0, doc="0 = raw; higher = calmer while the face is still (motion is followed at any setting)"
    )
    iris: Param[Boolean] = param(False, doc="fast variant: irises too, and closer lips and eyes")
    confidence: Param[Number] = param(0.5, low=0.05, high=0.95, doc="below this a face is none")
    faces: Out[Faces] = result(space=same("image"), doc="the faces, in order of track id")
    tracks = slot()
    poses = slot()

    @staticmethod
    def models(params: Mapping[str, Any]) -> tuple[str, ...]:
        """What it runs, to be fetched before the first frame."""
        return MODELS["full"] if params["variant"] == "full" else ()

    def open(self, context: Any) -> None:
        self._context = context
        self._trackers: dict[Variant, FaceTracker] = {}
        self._pose = PoseFit()

    def process(
        self, image: Frame, camera: Any, variant: Variant, max_faces: int, smoothing: float, iris: bool, confidence: float,
        tick: Any, state: Any,
    ) -> Items[FaceItem]:  # fmt: skip
        if state.tracks is None:
            state.tracks = make_state()
        if state.poses is None:
            state.poses = make_poses()
        found = self._tracker("refined" if iris and variant == "fast" else variant).track(
            image.data, tick.time, state.tracks, max_faces=int(max_faces), confidence=confidence, smoothing=smoothing
        )
        to_frame(found, image.geometry)
        width, height = tick.width or image.width, tick.height or image.height
        self._pose.give(found, camera or pinhole(width, height), state.poses, tick.delta, smoothing)
        for face in found:
            face.gaze = gaze_of(face)
        return Items(found, image.space, width, height, int(max_faces))

    def _tracker(self, variant: Variant) -> FaceTracker:
        if variant not in self._trackers:
            models = [self._context.model(name) for name in MODELS[variant]]
            self._trackers[variant] = FaceTracker(variant, *models)
        return self._trackers[variant]


class Pick(ProcessNode, type="face.pick", fallback="empty"):
    """One face out of several: the largest, the one nearest the middle, or by its place in the list."""

    faces: In[Faces] = port(doc="tracked faces")
    by: Param[Choice] = param("largest", choices=("largest", "middle", "index"), doc="which one")
    index: Param[Integer] = param(0, low=0, high=3, doc="with index: 0 = the face seen first")
    face: Out[Face] = result(space=same("faces"), doc="that face; empty where there is none")

    def process(self, faces: Items[FaceItem], by: str, index: int) -> FaceItem | None:
        if by == "index":
            return faces[index] if 0 <= index < len(faces) else None
        if by == "middle":
            centre = np.array((faces.width / 2, faces.height / 2), np.float32)
            return min(faces, key=lambda face: float(np.abs(_middle(face) - centre).sum()), default=None)
        return max(faces, key=_area, default=None)


class HeadPose(ProcessNode, type="face.pose", fallback="last"):
    """Where a head is and how it is turned: what 3D things are attached to.

    The head's space: metres, origin between the ears, x to the person's left, y up, z out of the face. The pose takes it to
    the camera's (x right, y up, looking along −z). Everybody's face counts as an adult's of mean size.
    """

    face: In[Face] = port(doc="a face")
    pose: Out[Pose] = result(doc="4×4, head to camera; nothing where there is no face")
    turn: Out[Vector3] = result(doc="° to the person's left, up, and tilted to their left shoulder; 0 towards the camera")
    distance: Out[Number] = result(doc="of the head's middle from the camera, in metres; 0 where there is no face")

    def process(self, face: FaceItem | None) -> tuple[np.ndarray | None, tuple[float, float, float], float]:
        if face is None or face.pose is None:
            return None, (0.0, 0.0, 0.0), 0.0
        return face.pose, turn_of(face.pose), float(np.linalg.norm(face.pose[:3, 3]))


class Blendshape(ProcessNode, type="face.blendshape", fallback="last"):
    """How strongly one muscle group of the face is at work: a blink, a smile, an open jaw.

    The 52 measures are ARKit's, sides are the person's own. They are read off the mesh by a network that
    `face.mesh` runs with `variant: full`.
    """

    face: In[Face] = port(doc="a face of face.mesh with variant full")
    name: Param[Choice] = param("jawOpen", choices=BLENDSHAPES[1:], doc="which measure")
    value: Out[Number] = result(doc="0 = at rest, 1 = as far as it goes; 0 where there is no face")

    def process(self, face: FaceItem | None, name: str) -> float:
        if face is None:
            return 0.0
        if face.blendshapes is None:
            raise NodeError("these faces have no blendshapes; set the face mesh's parameter variant to full")
        return float(face.blendshapes[BLENDSHAPES.index(name)])


class Gaze(ProcessNode, type="face.gaze", fallback="last"):
    """Where somebody looks, from the irises: as a direction, against the head, and how far past the camera.

    Needs irises: `face.mesh` with `iris`, or with `variant: full`. While both eyes are shut the last look is held. Good to
    some 5°, for each person somewhat to one side; its changes are finer.
    """

    face: In[Face] = port(doc="a face with irises")
    direction: Out[Vector3] = result(doc="of length 1: x to the picture's right, y up, z out of it; 0 where there is no face")
    turn: Out[Vector2] = result(doc="° against the head: to the person's left, up")
    off_camera: Out[Number] = result(doc="° between the look and the way to the camera; 180 where there is no face")
    look = slot()

    def process(self, face: FaceItem | None, state: Any) -> tuple[tuple[float, ...], tuple[float, float], float]:
        if face is None or face.pose is None:
            state.look = None
            return (0.0, 0.0, 0.0), (0.0, 0.0), 180.0
        if face.gaze is None:
            raise NodeError("this face has no irises; set the face mesh's parameter iris, or its variant to full")
        is_open = eye_openness(face.landmarks) > OPEN
        if is_open.any() or state.look is None:
            look = face.gaze[is_open].sum(0) if is_open.any() else face.pose[:3, 2]
            state.look = look / max(float(np.linalg.norm(look)), 1e-6)
        look, way = state.look, -face.pose[:3, 3]
        x, y, z = (float(v) for v in face.pose[:3, :3].T @ look)
        cosine = float(look @ way) / max(float(np.linalg.norm(way)), 1e-6)
        turn = (math.degrees(math.atan2(x, z)), math.degrees(math.asin(min(max(y, -1.0), 1.0))))
        return tuple(float(v) for v in look), turn, math.degrees(math.acos(min(max(cosine, -1.0), 1.0)))


class FaceWidth(ProcessNode, type="face.width", fallback="last"):
    """How wide a face is in the picture, turned or not: for lengths that should grow with it.

    Measured between forehead and chin, so turning the head does not change it. The last one is held while no face is there.
    """

    face: In[Face] = port(doc="a face")
    width: Out[Number] = result(doc="in frame heights; 0.25 before the first face")
    last = slot(0.25)

    def process(self, face: FaceItem | None, tick: Any, state: Any) -> float:
        if face is not None:
            width = face_width(face.landmarks) / max(tick.height, 1)
            state.last = width if math.isfinite(width) and width > 0 else state.last
        return state.last


class FacePoints(ProcessNode, type="face.points", fallback="last"):
    """Landmarks of a face as points: all, or the outline of one part."""

    face: In[Face] = port(doc="a face")
    part: Param[Choice] = param(
        "all", choices=("all", "outline", "lips", "left eye", "right eye", "irises"), doc="sides are the person's own"
    )
    points: Out[Points] = result(space=same("face"), doc="(n, 3), in frame pixels; in order around for an outline")

    def process(self, face: FaceItem | None, part: str) -> np.ndarray:
        if face is None:
            return np.empty((0, 3), np.float32)
        if part == "all":
            return face.landmarks
        chosen = [i for i in PARTS[part] if i < len(face.landmarks)]
        return face.landmarks[chosen]


PARTS: dict[str, tuple[int, ...]] = {
    "outline": (
        10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150,
        136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
    ),
    "lips": (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146),
    "right eye": (33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7),
    "left eye": (263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249),
    "irises": (468, 469, 470, 471, 472, 473, 474, 475, 476, 477),
}  # fmt: skip


def to_frame(faces: tuple[FaceItem, ...], geometry: Geometry) -> None:
    """Landmarks from the picture's pixels to the frame's, in place."""
    for face in faces:
        roi.to_frame(face.landmarks, geometry)


def _middle(face: FaceItem) -> np.ndarray:
    return (face.landmarks[:, :2].min(0) + face.landmarks[:, :2].max(0)) / 2


def _area(face: FaceItem) -> float:
    width, height = face.landmarks[:, :2].max(0) - face.landmarks[:, :2].min(0)
    return float(width * height)
