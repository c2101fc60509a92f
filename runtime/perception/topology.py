"""The face mesh's triangles and texture coordinates, read from MediaPipe's own data on this machine.

`geometry_pipeline_metadata_landmarks.binarypb` (a protocol buffer) travels in `face_landmarker.task`. Of it: field 1 is the
canonical mesh, whose field 3 holds five floats a vertex (x, y, z in cm, u, v) and whose field 4 holds triangle corners.
The mesh is closed over eyes and mouth; its one boundary is the outline of the face.
Names of landmarks are in `landmarks`, and given on here.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...graph.errors import ModelMismatch
from .landmarks import BONES, bone, bone_names, indices, place, point_names
from .landmarks import POINTS as NAMED_POINTS

__all__ = [
    "BONES", "GEOMETRY", "NAMED_POINTS", "FaceTopology", "bone", "bone_names", "indices", "neighbours", "place", "point_names",
    "read_topology",
]  # fmt: skip

GEOMETRY = "mediapipe/face_landmarker/geometry"  # in the registry
POINTS = 468


@dataclass(frozen=True, slots=True, eq=False)
class FaceTopology:
    """The face mesh, without a face.

    Attributes:
        positions: (468, 3) float32, the canonical face in cm, y up, z towards the camera.
        uv: (468, 2) float32, origin at the texture's top left.
        triangles: (n, 3) int32, counter-clockwise as seen from the front.
        beyond: (n, 3) int32, the triangle across the edge from corner k to the next one; −1 at the outline.
        inset: (468,) float32, way over the mesh to the outline, in face widths.
    """

    positions: np.ndarray
    uv: np.ndarray
    triangles: np.ndarray
    beyond: np.ndarray
    inset: np.ndarray


def read_topology(path: Path) -> FaceTopology:
    """The mesh of a metadata file.

    Raises:
        ModelMismatch: not such a file.
    """
    try:
        mesh = _join(path.read_bytes(), 1)
        numbers = _join(mesh, 3)
        corners = [data for number, data in _fields(mesh) if number == 4]
        vertices = np.frombuffer(numbers, "<f4").reshape(POINTS, 5)
        triangles = np.ascontiguousarray(np.array(corners, np.int32).reshape(-1, 3))
        if not len(triangles) or triangles.min() < 0 or triangles.max() >= POINTS or not np.isfinite(vertices).all():
            raise ValueError("its triangles name points that it hasn't")
    except (ValueError, IndexError, TypeError, OverflowError) as error:
        raise ModelMismatch(f"{path} holds no face mesh of {POINTS} points: {error}") from error
    positions, uv = vertices[:, :3].copy(), vertices[:, 3:].copy()
    uv[:, 1] = 1.0 - uv[:, 1] if uv[10, 1] > uv[152, 1] else uv[:, 1]  # point 10 is the forehead's top, 152 the chin
    beyond = neighbours(triangles)
    width = float(np.ptp(positions[:, 0]))
    return FaceTopology(positions, uv, triangles, beyond, _inset(positions, triangles, beyond) / np.float32(width))


def neighbours(triangles: np.ndarray) -> np.ndarray:
    """(n, 3) int32: the triangle across each edge (corner k to corner k + 1), −1 where there is none."""
    edges = {(int(t[k]), int(t[(k + 1) % 3])): i for i, t in enumerate(triangles) for k in range(3)}
    rows = [[edges.get((int(t[(k + 1) % 3]), int(t[k])), -1) for k in range(3)] for t in triangles]
    return np.array(rows, np.int32).reshape(-1, 3)


def _inset(positions: np.ndarray, triangles: np.ndarray, beyond: np.ndarray) -> np.ndarray:
    """The shortest way along edges from each point to the outline (Dijkstra's)."""
    near: dict[int, set[int]] = {}
    for t in triangles.tolist():
        for k in range(3):
            near.setdefault(t[k], set()).update((t[k - 1], t[k - 2]))
    rows, sides = np.nonzero(beyond < 0)
    outline = {int(p) for k in (0, 1) for p in triangles[rows, (sides + k) % 3]}
    way = np.full(len(positions), np.inf, np.float32)
    queue = [(0.0, p) for p in sorted(outline)]
    while queue:
        far, point = heapq.heappop(queue)
        if far < way[point]:
            way[point] = far
            for other in near.get(point, ()):
                step = far + float(np.linalg.norm(positions[other] - positions[point]))
                heapq.heappush(queue, (step, other))
    return way


def _join(data: bytes, wanted: int) -> bytes:
    return b"".join(part for number, part in _fields(data) if number == wanted and isinstance(part, bytes))


def _fields(data: bytes) -> Iterator[tuple[int, bytes | int]]:
    """Number and content of each field of a protocol buffer message: whole numbers, or bytes."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        kind = key & 7
        if kind == 0:
            value, at = _varint(data, at)
            yield key >> 3, value
            continue
        size, at = _varint(data, at) if kind == 2 else ({1: 8, 5: 4}.get(kind, 0), at)
        if not size and kind != 2 or at + size > len(data):
            raise ValueError("it is cut short or no protocol buffer")
        yield key >> 3, data[at : at + size]
        at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
        if shift > 63:
            raise ValueError("a number is too long")
