"""MediaPipe Tasks: any bundle of theirs as a node, in a process and an environment of its own."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from ..graph.declare import In, Out, Param, ProcessNode, param, port, result, same, slot
from ..graph.errors import NodeError
from ..graph.types import Bodies, Faces, Hands, Image, Integer, Mask, Model, Number, Text
from ..runtime.frames import Frame, Geometry
from ..runtime.task.bundle import read_bundle
from ..runtime.task.environment import COMMAND, python_of
from ..runtime.task.process import TaskProcess
from ..runtime.task.results import bodies_of, faces_of, file_of, hands_of, new_tracks
from ..runtime.values import Items
from .geometry import buffer, scaled

__all__ = ["Task"]

LONGEST = {"image_segmenter": 512, "image_classifier": 512}  # of the picture that is sent: more would tell them nothing


class Task(ProcessNode, type="mediapipe.task", latency="slow", fallback="last"):
    """Run a MediaPipe Tasks bundle (.task): faces with blendshapes, hands and gestures, poses, masks.

    What kind of bundle it is, is read from the file. MediaPipe itself runs in a process of its own, in an environment that
    `spellwire models mediapipe` makes once; it is killed when it hangs, and started again. Our own nodes (face.mesh,
    hands.track, body.pose, segment.person) run the same networks faster: this one is for bundles that they don't know,
    such as gestures that you trained, and to compare with.
    """

    image: In[Image] = port(display=True, doc="the picture to look at")
    bundle: Param[Model] = param(
        "mediapipe/face_landmarker", doc="a .task, or a .tflite with MediaPipe's metadata: from the registry, or a file"
    )
    most: Param[Integer] = param(2, low=1, high=4, doc="how many faces, hands or bodies at most")
    confidence: Param[Number] = param(0.5, low=0.05, high=0.95, step=0.01, doc="below this it is none; read once, when it starts")
    category: Param[Integer] = param(1, low=0, high=20, doc="which mask, of a bundle that gives several; 0 is the background")
    faces: Out[Faces] = result(space=same("image"), doc="faces with blendshapes and head pose")
    hands: Out[Hands] = result(space=same("image"), doc="hands")
    bodies: Out[Bodies] = result(space=same("image"), doc="bodies")
    mask: Out[Mask] = result(space=same("image"), size="free", doc="of all bodies, or of the category")
    text: Out[Text] = result(doc="name of the gesture or the class; empty where there is none")
    score: Out[Number] = result(doc="how sure of the name, 0 to 1")
    tracks = slot()

    def open(self, context: Any) -> None:
        given = context.params
        bundle = read_bundle(file_of(context, given["bundle"]))
        self._process = TaskProcess(python_of(), bundle, options(given["most"], given["confidence"], given["category"]))
        self._process.start()
        self._small = np.zeros((0, 0, 3), np.uint8)

    def close(self) -> None:
        if hasattr(self, "_process"):
            self._process.close()

    def process(self, image: Frame, most: int, confidence: float, category: int, tick: Any, state: Any) -> tuple[Any, ...]:
        if not hasattr(self, "_process"):
            raise NodeError(f"MediaPipe is not there; {COMMAND} makes its environment")
        if state.tracks is None:
            state.tracks = new_tracks()
        picture, geometry = self._sent(image)
        found = self._process.look(picture, tick.time, options(most, confidence, category))
        width, height = tick.width or image.width, tick.height or image.height
        lists = [
            Items(make(found.parts, geometry, tick.time, state.tracks) if name in found.parts else (), image.space, width, height, most)
            for name, make in (("faces", faces_of), ("hands", hands_of), ("bodies", bodies_of))
        ]
        return *lists, self._drawn(found.parts.get("mask"), image), found.text, found.score

    def _sent(self, image: Frame) -> tuple[np.ndarray, Geometry]:
        """The picture as it is sent, and where it lies."""
        scale = LONGEST.get(self._process.bundle.kind, 1 << 20) / max(image.width, image.height)
        if scale >= 1.0:
            return image.data, image.geometry
        size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
        if self._small.shape[:2] != size[::-1]:
            self._small = np.zeros((*size[::-1], 3), np.uint8)
        cv2.resize(image.data, size, dst=self._small, interpolation=cv2.INTER_AREA)
        return self._small, scaled(image.geometry, *size)

    def _drawn(self, mask: np.ndarray | None, image: Frame) -> Frame:
        """A mask 0 to 255 as a Mask over the picture; nothing where there is none."""
        if mask is None:
            empty = buffer(self, "_mask", (1, 1, 1))
            empty[...] = 0.0
            return Frame(empty, scaled(image.geometry, 1, 1), image.space)
        made = buffer(self, "_mask", (*mask.shape[:2], 1))
        np.multiply(mask[..., None], np.float32(1 / 255), out=made, casting="unsafe")
        return Frame(made, scaled(image.geometry, mask.shape[1], mask.shape[0]), image.space)


def options(most: int, confidence: float, category: int) -> dict[str, Any]:
    return {"count": int(most), "confidence": round(float(confidence), 3), "category": int(category)}
