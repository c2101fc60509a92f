"""The relight effect as a good engineer writes it: MediaPipe, OpenCV and NumPy in sequence. Runs in MediaPipe's environment.

The same steps as the effect's graph: person mask, steadied and bent onto edges; faces; a body of the mask and a face of the
mesh as normals; three lamps, shaded where it is smooth (a quarter of the size); the picture lit, the background dimmed,
a vignette. Everything that can be made once is; 8-bit arithmetic at full size; the libraries use their threads.

Spoken to over pipes: a line "SHAPE", raw frames, then for each line "FIRST LAST" a line of the milliseconds a frame took.
With a path as argument it writes its last frame there, to be looked at.
"""

from __future__ import annotations

import math
import os
import sys
import time

import cv2
import numpy as np

SMALL = 4  # shading is done at 1 / SMALL of the size
KEY = dict(colour=(1.0, 0.8, 0.58), intensity=1.5, reach=0.9)
FILL = dict(azimuth=-60.0, elevation=5.0, colour=(0.45, 0.62, 1.0), intensity=0.25)
RIM = dict(angle=-50.0, colour=(0.65, 0.82, 1.0), intensity=0.9)
AMBIENT, BACKGROUND, WRAP, SHINE, EXPONENT = 0.38, 0.3, 0.25, 1.0, 30.0
EDGE = 4.0  # light a level of the 8-bit light map stands for, over 255


class Relight:
    """One object a clip; `frame` takes and gives (height, width, 3) uint8 RGB."""

    def __init__(self, width: int, height: int):
        import mediapipe as mp

        mesh = mp.solutions.face_mesh
        self.faces = mesh.FaceMesh(max_num_faces=2, refine_landmarks=False)
        self.person = mp.solutions.selfie_segmentation.SelfieSegmentation(model_selection=1)
        self.triangles = triangles_of(mesh.FACEMESH_TESSELATION)
        self.size, self.small = (width, height), (width // SMALL, height // SMALL)
        self.steady: np.ndarray | None = None
        w, h = self.small
        y, x = np.mgrid[0:h, 0:w].astype(np.float32)
        self.place = np.dstack([(x + 0.5) / h - 0.5 * w / h, 0.5 - (y + 0.5) / h, np.zeros_like(x)])
        y, x = np.mgrid[0:height, 0:width].astype(np.float32)
        far = np.hypot((x + 0.5) / width - 0.5, (y + 0.5) / height - 0.5) / math.sqrt(0.5)
        fall = 1.0 - 0.25 * np.clip((far - 0.35) / 0.65, 0, 1) ** 2
        self.vignette = np.repeat(np.rint(255 * fall).astype(np.uint8)[..., None], 3, axis=2)
        curve = 255 * (1.0 - np.exp(-EDGE * np.arange(256) / 255))
        self.curve = np.rint(curve).astype(np.uint8)
        self.kept, self.lit, self.add, self.room = (np.empty((height, width, 3), np.uint8) for _ in range(4))

    def frame(self, rgb: np.ndarray, seconds: float) -> np.ndarray:
        mask = self.mask_of(rgb)
        normals, shaped = self.surface(rgb, mask)
        light = self.shade(normals, shaped, seconds)
        return self.compose(rgb, mask, light)

    def mask_of(self, rgb: np.ndarray) -> np.ndarray:
        found = self.person.process(rgb).segmentation_mask
        small = cv2.resize(found, self.small, interpolation=cv2.INTER_AREA)
        self.steady = small if self.steady is None else cv2.addWeighted(small, 0.5, self.steady, 0.5, 0.0)
        guide = cv2.resize(rgb, self.small, interpolation=cv2.INTER_AREA)
        fine = cv2.ximgproc.guidedFilter(guide, self.steady, 4, 0.001 * 255 * 255)
        return cv2.resize(fine, self.size, interpolation=cv2.INTER_LINEAR)

    def surface(self, rgb: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Normals (h, w, 3) and how much of them is a face (h, w), small."""
        small = cv2.resize(mask, self.small, interpolation=cv2.INTER_AREA)
        body = self.body(small)
        drawn = np.zeros((*self.small[::-1], 3), np.float32)
        shaped = np.zeros(self.small[::-1], np.float32)
        found = self.faces.process(rgb).multi_face_landmarks or ()
        for face in found:
            self.draw(np.array([(p.x, p.y, p.z) for p in face.landmark], np.float32), drawn, shaped)
        if found:
            drawn = cv2.GaussianBlur(drawn, (0, 0), 1.2)
            shaped = cv2.GaussianBlur(shaped, (0, 0), 3.0)
        share = shaped[..., None]
        normals = body * (1.0 - share) + drawn * share
        length = np.sqrt(np.einsum("ijk,ijk->ij", normals, normals))
        return normals / np.maximum(length, 1e-4)[..., None], shaped

    def body(self, small: np.ndarray) -> np.ndarray:
        """A mask blown up: height from the distance to its edge, normals from its slope."""
        reach = 0.125 * small.shape[0]
        inside = (small > 0.5).astype(np.uint8)
        rise = np.minimum(cv2.distanceTransform(inside, cv2.DIST_L2, 3) / reach, 1.0)
        height = cv2.GaussianBlur(np.sqrt(1.0 - (1.0 - rise) ** 2) * reach, (0, 0), 2.0)
        x = cv2.Sobel(height, cv2.CV_32F, 1, 0, scale=0.125)
        y = cv2.Sobel(height, cv2.CV_32F, 0, 1, scale=0.125)
        return np.dstack([-x, y, np.ones_like(x)])

    def draw(self, points: np.ndarray, drawn: np.ndarray, shaped: np.ndarray) -> None:
        """The mesh's triangles, far to near, each in its normal."""
        w, h = self.small
        solid = points * (w, h, w)
        a, b, c = (solid[self.triangles[:, i]] for i in range(3))
        normal = np.cross(b - a, c - a)
        normal *= np.where(normal[:, 2:] > 0, -1.0, 1.0)  # towards the camera: −z in MediaPipe's axes
        normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-6)
        normal *= (1.0, -1.0, -1.0)
        corners = np.rint(solid[:, :2]).astype(np.int32)[self.triangles]
        for i in np.argsort(-(a + b + c)[:, 2]):
            cv2.fillConvexPoly(drawn, corners[i], normal[i].tolist())
        hull = cv2.convexHull(corners.reshape(-1, 2))
        cv2.fillConvexPoly(shaped, hull, 1.0)
        width = int(np.ptp(corners[..., 0]))
        cv2.erode(shaped, np.ones((max(3, width // 8) | 1,) * 2, np.uint8), dst=shaped)

    def shade(self, normals: np.ndarray, shaped: np.ndarray, seconds: float) -> np.ndarray:
        """The lamps' light as 8 bits, EDGE over 255 a level, small."""
        swing = 0.7 * math.sin(2 * math.pi * (0.15 * seconds + 0.25))
        way = np.array((swing, 0.3, 0.45), np.float32) - self.place
        far = np.sqrt(np.einsum("ijk,ijk->ij", way, way))
        towards = way / far[..., None]
        light = lamp(normals, towards, KEY["intensity"] / (1 + (far / KEY["reach"]) ** 2), KEY["colour"])
        a, e = math.radians(FILL["azimuth"]), math.radians(FILL["elevation"])
        side = np.array((math.sin(a) * math.cos(e), math.sin(e), math.cos(a) * math.cos(e)), np.float32)
        light += lamp(normals, side, FILL["intensity"], FILL["colour"])
        angle = math.radians(RIM["angle"])
        behind = np.array((math.sin(angle), math.cos(angle), -0.25), np.float32)
        turned = (1.0 - np.clip(normals[..., 2], 0, 1)) ** 2
        edge = turned * np.clip(normals @ behind + 0.25, 0, 1) * RIM["intensity"]
        light += edge[..., None] * np.array(RIM["colour"], np.float32)
        return np.clip(light * (255 / EDGE), 0, 255).astype(np.uint8)

    def compose(self, rgb: np.ndarray, mask: np.ndarray, light: np.ndarray) -> np.ndarray:
        """kept + (255 − kept) · (1 − e^(−picture · light)), where the person is; the background dimmed; the vignette."""
        person = np.clip(mask * 255, 0, 255).astype(np.uint8)
        weight = cv2.addWeighted(person, AMBIENT - BACKGROUND, person, 0.0, 255 * BACKGROUND)
        cv2.multiply(rgb, cv2.merge([weight] * 3), dst=self.kept, scale=1 / 255)
        full = cv2.resize(light, self.size, interpolation=cv2.INTER_LINEAR)
        cv2.multiply(full, cv2.merge([person] * 3), dst=self.lit, scale=1 / 255)
        cv2.multiply(self.lit, rgb, dst=self.lit, scale=1 / 255)
        cv2.LUT(self.lit, self.curve, dst=self.add)
        cv2.bitwise_not(self.kept, dst=self.room)
        cv2.multiply(self.room, self.add, dst=self.room, scale=1 / 255)
        cv2.add(self.kept, self.room, dst=self.kept)
        return cv2.multiply(self.kept, self.vignette, dst=self.kept, scale=1 / 255)


def lamp(normals: np.ndarray, towards: np.ndarray, strength, colour) -> np.ndarray:
    """Wrapped Lambert and a Blinn-Phong highlight."""
    facing = np.einsum("ijk,ijk->ij", normals, towards) if towards.ndim == 3 else normals @ towards
    diffuse = np.clip((facing + WRAP) / (1 + WRAP), 0, 1)
    half = towards + np.array((0, 0, 1), np.float32)
    half = half / np.linalg.norm(half, axis=-1, keepdims=True)
    mirrored = np.einsum("ijk,ijk->ij", normals, half) if half.ndim == 3 else normals @ half
    gloss = cv2.pow(np.clip(mirrored, 0, 1).astype(np.float32), EXPONENT) * (SHINE * (EXPONENT + 8) * 0.005)
    return ((diffuse + gloss * diffuse) * strength)[..., None].astype(np.float32) * np.array(colour, np.float32)


def triangles_of(edges) -> np.ndarray:
    """The triples that are joined all three: MediaPipe gives its mesh as edges."""
    near: dict[int, set[int]] = {}
    for a, b in edges:
        near.setdefault(a, set()).add(b)
        near.setdefault(b, set()).add(a)
    found = {tuple(sorted((a, b, c))) for a, b in edges for c in near[a] & near[b]}
    return np.array(sorted(found), np.int32)


def main() -> None:
    talk = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what MediaPipe prints must not fall into the answers
    hear = sys.stdin.buffer
    shape = tuple(map(int, hear.readline().split()))
    clip = np.frombuffer(hear.read(int(np.prod(shape))), np.uint8).reshape(shape)
    relight = Relight(shape[2], shape[1])
    for line in iter(hear.readline, b""):
        first, last = map(int, line.split())
        spent = []
        for i in range(first, last):
            start = time.perf_counter()
            shown = relight.frame(clip[i], i / 30)
            spent.append(1e3 * (time.perf_counter() - start))
        if len(sys.argv) > 1:
            cv2.imwrite(sys.argv[1], shown[..., ::-1])
        print(*(f"{ms:.4f}" for ms in spent), file=talk, flush=True)


if __name__ == "__main__":
    main()
