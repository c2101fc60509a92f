"""What kind of MediaPipe Tasks bundle a file is, told from what it holds; never from its name, never by running it."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

from ...graph.errors import ModelError

__all__ = ["KINDS", "Bundle", "read_bundle"]

LARGEST = 512 << 20  # bytes of a file
MEMBERS = 64  # a bundle has a handful

# the members that tell a kind, the more telling first
KINDS: dict[str, frozenset[str]] = {
    "gesture_recognizer": frozenset({"hand_landmarker.task", "hand_gesture_recognizer.task"}),
    "hand_landmarker": frozenset({"hand_detector.tflite", "hand_landmarks_detector.tflite"}),
    "face_landmarker": frozenset({"face_detector.tflite", "face_landmarks_detector.tflite"}),
    "pose_landmarker": frozenset({"pose_detector.tflite", "pose_landmarks_detector.tflite"}),
}
GIVES = {
    "gesture_recognizer": "hands and the name of a gesture", "hand_landmarker": "hands", "face_landmarker": "faces",
    "pose_landmarker": "bodies and a mask", "image_segmenter": "a mask", "image_classifier": "a word",
    "object_detector": "a word",
}  # fmt: skip


@dataclass(frozen=True)
class Bundle:
    """A file and the kind of task it is for; `gives` says what that finds."""

    path: Path
    kind: str

    @property
    def gives(self) -> str:
        return GIVES[self.kind]


def read_bundle(path: Path) -> Bundle:
    """Find the kind of a `.task` (a zip of networks) or of a single network with MediaPipe's metadata (`.tflite`).

    Raises:
        ModelError: the file can't be read, is neither, or is for a task that gives none of our types.
    """
    try:
        size = path.stat().st_size
        with open(path, "rb") as file:
            head = file.read(8)
    except OSError as error:
        raise ModelError(f"{path} can't be read: {error.strerror or error}") from None
    if size > LARGEST:
        raise ModelError(f"{path} is {size >> 20} MB; a bundle for pictures is smaller than {LARGEST >> 20} MB")
    if head[4:8] == b"TFL3":  # first: labels are often appended to a network as a zip
        return Bundle(path, _of_network(path))
    if head[:2] == b"PK" or zipfile.is_zipfile(path):
        return Bundle(path, _of_zip(path))
    raise ModelError(f"{path.name} is no MediaPipe Tasks bundle: neither a zip of networks (.task) nor a network (.tflite)")


def _of_zip(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = {info.filename for info in archive.infolist()[:MEMBERS]}
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise ModelError(f"{path.name} is damaged, or not whole: {error}. Fetch it again") from None
    found = next((kind for kind, needed in KINDS.items() if needed <= names), None)
    if found is None:
        held = ", ".join(sorted(names)[:6]) or "nothing"
        raise ModelError(
            f"{path.name} is a bundle for a task that gives no faces, hands, bodies, masks or words; it holds {held}"
        )
    return found


def _of_network(path: Path) -> str:
    """By MediaPipe's metadata, and the shapes of what the network gives."""
    data = path.read_bytes()
    if b"TFLITE_METADATA" not in data:
        raise ModelError(
            f"{path.name} is a network without MediaPipe's metadata, so no task can run it; other nodes take such networks"
        )
    if b"SEGMENTER_METADATA" in data:
        return "image_segmenter"
    if b"DETECTOR_METADATA" in data or b"TFLite_Detection_PostProcess" in data:
        return "object_detector"
    shapes = _outputs(path)
    if len(shapes) == 1 and len(shapes[0]) == 2:
        return "image_classifier"
    if len(shapes) == 1 and len(shapes[0]) == 4:
        return "image_segmenter"
    raise ModelError(f"{path.name} is a network for a task that gives no faces, hands, bodies, masks or words")


def _outputs(path: Path) -> list[tuple[int | None, ...]]:
    from ..models.model import open_model

    model = open_model(path)
    try:
        return [tuple(spec.shape) for spec in model.outputs]
    finally:
        model.close()
