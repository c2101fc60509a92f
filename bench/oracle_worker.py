"""Runs inside an oracle's own environment, and plays clips through MediaPipe for whoever holds its pipes.

Each request is one line of JSON, followed by raw bytes where it says so; so is each answer. Only this file, NumPy and
MediaPipe are needed here. Requests (`do`):

    load   shape [frames, height, width, 3], then the frames, uint8 RGB, raw
    open   what: face_mesh | face_landmarker | segmenter | detector | hands | pose; options; model: a path
    play   first, last: frames; answers ms for each, and ms of processor time (all threads), then float32: the shape
           [frames, …] that `open` names
    close
"""

from __future__ import annotations

import json
import os
import sys
import time

import numpy as np


class FaceMesh:
    """The legacy solution of 0.10.21: landmarks (faces, points, 3) in pixels; NaN where there is none."""

    def __init__(self, max_faces: int = 1, refine: bool = False, **_: object) -> None:
        import mediapipe as mp

        self.shape = (max_faces, 478 if refine else 468, 3)
        self._mesh = mp.solutions.face_mesh.FaceMesh(max_num_faces=max_faces, refine_landmarks=refine)

    def __call__(self, image: np.ndarray, _: int):
        found = self._mesh.process(image)
        return lambda out: fill_landmarks(
            out, [face.landmark for face in found.multi_face_landmarks or ()], image.shape
        )

    def close(self) -> None:
        self._mesh.close()


class FaceLandmarker:
    """The Tasks API: landmarks, then a row for 52 blendshapes: (faces, 478 + 18, 3)."""

    def __init__(self, model: str, max_faces: int = 1, blendshapes: bool = False, **_: object) -> None:
        import mediapipe as mp
        from mediapipe.tasks.python import BaseOptions, vision

        self.shape = (max_faces, 478 + 18, 3)
        self._image = mp.Image, mp.ImageFormat.SRGB
        self._net = vision.FaceLandmarker.create_from_options(
            vision.FaceLandmarkerOptions(
                base_options=BaseOptions(model_asset_path=model),
                running_mode=vision.RunningMode.VIDEO,
                num_faces=max_faces,
                output_face_blendshapes=blendshapes,
            )
        )

    def __call__(self, image: np.ndarray, time_ms: int):
        make, kind = self._image
        found = self._net.detect_for_video(make(image_format=kind, data=image), time_ms)

        def fill(out: np.ndarray) -> None:
            fill_landmarks(out[:, :478], found.face_landmarks, image.shape)
            for row, shapes in zip(out, found.face_blendshapes or (), strict=False):
                row[478:].flat[:52] = [shape.score for shape in shapes]

        return fill

    def close(self) -> None:
        self._net.close()


class Segmenter:
    """The legacy selfie segmentation: the mask, (height, width)."""

    def __init__(self, landscape: bool = False, shape: tuple[int, int] = (0, 0), **_: object) -> None:
        import mediapipe as mp

        self.shape = tuple(shape)
        self._net = mp.solutions.selfie_segmentation.SelfieSegmentation(model_selection=int(landscape))

    def __call__(self, image: np.ndarray, _: int):
        mask = self._net.process(image).segmentation_mask
        return lambda out: np.copyto(out, mask)

    def close(self) -> None:
        self._net.close()


class Detector:
    """The legacy short-range detector: (8, 5): x0, y0, x1, y1 in pixels and score, NaN where there is none."""

    def __init__(self, confidence: float = 0.5, **_: object) -> None:
        import mediapipe as mp

        self.shape = (8, 5)
        self._net = mp.solutions.face_detection.FaceDetection(
            model_selection=0, min_detection_confidence=confidence
        )

    def __call__(self, image: np.ndarray, _: int):
        found = self._net.process(image).detections or ()
        height, width = image.shape[:2]

        def fill(out: np.ndarray) -> None:
            for row, one in zip(out, found, strict=False):
                box = one.location_data.relative_bounding_box
                x, y = box.xmin * width, box.ymin * height
                row[:] = x, y, x + box.width * width, y + box.height * height, one.score[0]

        return fill

    def close(self) -> None:
        self._net.close()


class Hands:
    """The legacy solution: (hands, 22, 3): 21 landmarks in pixels, then how much it calls the hand "Right"; NaN: none."""

    def __init__(self, max_hands: int = 2, complexity: int = 1, **_: object) -> None:
        import mediapipe as mp

        self.shape = (max_hands, 22, 3)
        self._net = mp.solutions.hands.Hands(max_num_hands=max_hands, model_complexity=complexity)

    def __call__(self, image: np.ndarray, _: int):
        found = self._net.process(image)

        def fill(out: np.ndarray) -> None:
            fill_landmarks(out[:, :21], [hand.landmark for hand in found.multi_hand_landmarks or ()], image.shape)
            for row, side in zip(out, found.multi_handedness or (), strict=False):
                said = side.classification[0]
                row[21] = said.score if said.label == "Right" else 1 - said.score

        return fill

    def close(self) -> None:
        self._net.close()


class Pose:
    """The legacy solution, unsmoothed: (1, 66, 3): 33 landmarks in pixels, then the same in metres; NaN: nobody."""

    def __init__(self, complexity: int = 1, **_: object) -> None:
        import mediapipe as mp

        self.shape = (1, 66, 3)
        self._net = mp.solutions.pose.Pose(model_complexity=complexity, smooth_landmarks=False)

    def __call__(self, image: np.ndarray, _: int):
        found = self._net.process(image)

        def fill(out: np.ndarray) -> None:
            if found.pose_landmarks:
                fill_landmarks(out, [found.pose_landmarks.landmark], image.shape)
                out[0, 33:] = [(p.x, p.y, p.z) for p in found.pose_world_landmarks.landmark]

        return fill

    def close(self) -> None:
        self._net.close()


KINDS = {
    "face_mesh": FaceMesh, "face_landmarker": FaceLandmarker, "segmenter": Segmenter, "detector": Detector,
    "hands": Hands, "pose": Pose,
}  # fmt: skip


def fill_landmarks(out: np.ndarray, faces, shape) -> None:
    """Normalised landmarks → pixels (x and z by width, y by height)."""
    height, width = shape[:2]
    for row, face in zip(out, faces, strict=False):
        row[: len(face)] = [(p.x * width, p.y * height, p.z * width) for p in face]


def play(net, clip: np.ndarray, first: int, last: int, clock: list[int]):
    """Play frames and time each; the clock goes on from call to call, as MediaPipe wants rising times.

    Each frame is first copied into one buffer, as a decoder would have just written it.
    """
    frame = np.empty_like(clip[0])
    out = np.full((last - first, *net.shape), np.nan, np.float32)
    ms, cpu = [], []
    for i in range(first, last):
        np.copyto(frame, clip[i])
        start, used = time.perf_counter(), time.process_time()
        fill = net(frame, clock[0])
        ms.append((time.perf_counter() - start) * 1e3)
        cpu.append((time.process_time() - used) * 1e3)
        fill(out[i - first])  # turning the answer into an array is ours, not MediaPipe's to pay
        clock[0] += 33
    return ms, cpu, out


def main() -> None:
    talk = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what MediaPipe prints must not fall into the answers
    hear = sys.stdin.buffer
    clip, net, clock = np.empty(0), None, [0]
    for line in iter(hear.readline, b""):
        request = json.loads(line)
        do = request.pop("do")
        answer, payload = {}, b""
        try:
            if do == "load":
                size = int(np.prod(request["shape"]))
                clip = np.frombuffer(hear.read(size), np.uint8).reshape(request["shape"])
            elif do == "open":
                net, clock = KINDS[request.pop("what")](**request), [0]
                answer["shape"] = net.shape
            elif do == "play":
                answer["ms"], answer["cpu"], out = play(net, clip, request["first"], request["last"], clock)
                answer["shape"], payload = out.shape, out.tobytes()
            elif do == "close":
                net.close()
                net = None
        except Exception as error:
            answer["error"] = f"{type(error).__name__}: {error}"
        talk.write(json.dumps(answer).encode() + b"\n" + payload)
        talk.flush()


if __name__ == "__main__":
    main()
