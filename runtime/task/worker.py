"""Runs inside MediaPipe's own environment, and looks at pictures for whoever holds its pipes.

Only this file, NumPy and MediaPipe are needed here: nothing of Spellwire is imported. Each request is one line of JSON, so
is each answer, followed by `bytes` raw bytes where it says so. The picture lies in a file that both have mapped:
(height, width, 3) uint8 RGB from its beginning. Requests (`do`):

    open   kind, path, options, memory (a file, mapped and from then on not needed by name; the first time); answers version
    look   shape, time (ms, rising); answers parts: [[name, type, shape], …] of the bytes that follow, and text, score
    close
"""

from __future__ import annotations

import importlib
import json
import mmap
import os
import sys
from typing import Any

import numpy as np

__all__ = ["Task", "serve"]

MASK_WIDTH = 512  # longest side of a mask that is sent


def options_for(kind: str, path: str, wanted: dict):
    """MediaPipe's class and options for a kind of bundle."""
    tasks = importlib.import_module("mediapipe.tasks.python")
    vision = importlib.import_module("mediapipe.tasks.python.vision")
    count, sure = int(wanted.get("count", 2)), float(wanted.get("confidence", 0.5))
    common = {"base_options": tasks.BaseOptions(model_asset_path=path), "running_mode": vision.RunningMode.VIDEO}

    def sureness(what: str) -> dict:
        names = (f"min_{what}_detection_confidence", f"min_{what}_presence_confidence", "min_tracking_confidence")
        return {name: sure for name in names}

    match kind:
        case "face_landmarker":
            more = {"num_faces": count, "output_face_blendshapes": bool(wanted.get("blendshapes", True)),
                    "output_facial_transformation_matrixes": True}  # fmt: skip
            return vision.FaceLandmarker, vision.FaceLandmarkerOptions(**common, **more, **sureness("face"))
        case "hand_landmarker":
            return vision.HandLandmarker, vision.HandLandmarkerOptions(**common, num_hands=count, **sureness("hand"))
        case "gesture_recognizer":
            return vision.GestureRecognizer, vision.GestureRecognizerOptions(**common, num_hands=count, **sureness("hand"))
        case "pose_landmarker":
            more = {"num_poses": count, "output_segmentation_masks": bool(wanted.get("mask", True))}
            return vision.PoseLandmarker, vision.PoseLandmarkerOptions(**common, **more, **sureness("pose"))
        case "image_segmenter":
            return vision.ImageSegmenter, vision.ImageSegmenterOptions(**common, output_confidence_masks=True)
        case "image_classifier":
            return vision.ImageClassifier, vision.ImageClassifierOptions(**common, max_results=1)
        case "object_detector":
            more = {"max_results": 1, "score_threshold": sure}
            return vision.ObjectDetector, vision.ObjectDetectorOptions(**common, **more)
    raise ValueError(f"this worker does not know the kind {kind!r}")


class Task:
    """One bundle, opened."""

    def __init__(self, kind: str, path: str, options: dict) -> None:
        mp = importlib.import_module("mediapipe")
        made, given = options_for(kind, path, options)
        self.kind, self.category = kind, int(options.get("category", 1))
        self.version = getattr(mp, "__version__", "unknown")
        self._image = mp.Image, mp.ImageFormat.SRGB
        self._net = made.create_from_options(given)
        calls = ("detect_for_video", "recognize_for_video", "segment_for_video", "classify_for_video")
        self._call = next(getattr(self._net, name) for name in calls if hasattr(self._net, name))

    def look(self, picture: np.ndarray, time: int) -> tuple[dict[str, np.ndarray], str, float]:
        """What it finds in a picture: arrays by name, a word, how sure of it."""
        make, form = self._image
        found = self._call(make(image_format=form, data=np.ascontiguousarray(picture)), time)
        height, width = picture.shape[:2]
        parts: dict[str, np.ndarray] = {}
        read = {
            "face_landmarker": self._faces, "hand_landmarker": self._hands, "gesture_recognizer": self._hands,
            "pose_landmarker": self._poses, "image_segmenter": self._masks,
        }.get(self.kind)  # fmt: skip
        if read is not None:
            read(found, width, height, parts)
        return parts, *self._word(found)

    def _faces(self, found, width: int, height: int, parts: dict) -> None:
        parts["faces"] = points(found.face_landmarks, 478, width, height)
        if found.face_blendshapes:
            parts["blendshapes"] = np.array([[s.score for s in face] for face in found.face_blendshapes], np.float32)
        if found.facial_transformation_matrixes:
            parts["poses"] = np.array(found.facial_transformation_matrixes, np.float32)

    def _hands(self, found, width: int, height: int, parts: dict) -> None:
        parts["hands"] = points(found.hand_landmarks, 21, width, height)
        parts["world"] = points(found.hand_world_landmarks, 21, 1, 1)
        right = [s[0].score if s[0].category_name == "Right" else 1.0 - s[0].score for s in found.handedness]
        parts["right"] = np.array(right, np.float32)

    def _poses(self, found, width: int, height: int, parts: dict) -> None:
        parts["bodies"] = points(found.pose_landmarks, 33, width, height)
        parts["world"] = points(found.pose_world_landmarks, 33, 1, 1)
        seen = [[p.visibility or 0.0 for p in body] for body in found.pose_landmarks]
        parts["visibility"] = np.array(seen, np.float32).reshape(-1, 33)
        if found.segmentation_masks:
            parts["mask"] = small(np.maximum.reduce([m.numpy_view() for m in found.segmentation_masks]))

    def _masks(self, found, width: int, height: int, parts: dict) -> None:
        masks = found.confidence_masks
        if masks:
            parts["mask"] = small(masks[min(self.category, len(masks) - 1)].numpy_view())

    def _word(self, found) -> tuple[str, float]:
        said = []
        if self.kind == "gesture_recognizer":
            said = [g[0] for g in found.gestures if g]
        elif self.kind == "image_classifier":
            said = found.classifications[0].categories if found.classifications else []
        elif self.kind == "object_detector":
            said = [d.categories[0] for d in found.detections]
        best = max(said, key=lambda c: c.score, default=None)
        if best is None or best.category_name in (None, "", "None"):
            return "", 0.0
        return str(best.category_name), float(best.score)

    def close(self) -> None:
        """Explicitly: MediaPipe deadlocks where one object is made while another is being collected."""
        self._net.close()


def points(found, count: int, width: int, height: int) -> np.ndarray:
    """(items, count, 3) float32: x and z by width, y by height."""
    rows = [[(p.x * width, p.y * height, p.z * width) for p in item] for item in found or ()]
    return np.array(rows, np.float32).reshape(-1, count, 3)


def small(mask: np.ndarray) -> np.ndarray:
    """A mask 0…1 as uint8, at most MASK_WIDTH long."""
    mask = mask.reshape(mask.shape[:2])
    step = max(1, -(-max(mask.shape) // MASK_WIDTH))
    return np.ascontiguousarray((mask[step // 2 :: step, step // 2 :: step] * 255.0 + 0.5).clip(0, 255).astype(np.uint8))


def serve(hear, talk) -> None:
    """Answer requests until the pipe closes."""
    task: Task | None = None
    memory: mmap.mmap | None = None
    for line in iter(hear.readline, b""):
        request = json.loads(line)
        answer: dict[str, Any] = {}
        payload = b""
        try:
            do = request.pop("do")
            if do == "open":
                if name := request.pop("memory", ""):
                    with open(name, "r+b") as file:
                        memory = mmap.mmap(file.fileno(), 0)
                if task is not None:
                    task.close()
                task = Task(**request)
                answer["version"] = task.version
            elif do == "look" and task is not None and memory is not None:
                picture = np.frombuffer(memory, np.uint8, int(np.prod(request["shape"]))).reshape(request["shape"])
                parts, answer["text"], answer["score"] = task.look(picture, request["time"])
                answer["parts"] = [[name, a.dtype.str, a.shape] for name, a in parts.items()]
                payload = b"".join(a.tobytes() for a in parts.values())
            elif do == "close" and task is not None:
                task.close()
        except Exception as error:
            answer, payload = {"error": f"{type(error).__name__}: {error}"}, b""
        answer["bytes"] = len(payload)
        talk.write(json.dumps(answer).encode() + b"\n" + payload)
        talk.flush()


def main() -> None:
    talk = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what MediaPipe prints must not fall into the answers
    serve(sys.stdin.buffer, talk)


if __name__ == "__main__":
    main()
