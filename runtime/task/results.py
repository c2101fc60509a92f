"""What a worker found, as the values of our ports: pixels of the frame, track ids, metres, y up."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..frames import Geometry
from ..values import BodyItem, FaceItem, HandItem

__all__ = ["bodies_of", "faces_of", "file_of", "hands_of", "identify", "new_tracks"]

FOV = 63.0  # degrees, vertical: what MediaPipe takes the camera for
FORGET = 1_000_000  # µs until a lost track's id is given up
NEAR = 0.7  # of its size: how far a thing may have moved and still be the same one

Tracks = dict[str, Any]


def file_of(context: Any, reference: Any) -> Path:
    """The bundle behind a parameter: a file of the effect, or a model of the registry, verified.

    Raises:
        ModelError, DocumentError: it can't be had.
    """
    from ..models.resolver import resolve

    if isinstance(reference, Mapping) and "asset" in reference:
        return context.asset(reference)
    if isinstance(reference, Mapping):
        return resolve(reference["model"], reference.get("variant", "auto"))
    return resolve(str(reference))


def new_tracks() -> Tracks:
    """No tracks: the next id, and (id, x, y, size, µs it was seen) for each."""
    return {"next": 1, "rows": ()}


def identify(points: np.ndarray, time: int, tracks: Tracks) -> list[int]:
    """Track ids for (items, points, 3) landmarks: MediaPipe gives none. Nearest first; who is far from all is new."""
    boxes = [(p[:, :2].min(0), p[:, :2].max(0)) for p in points]
    middles = [(low + high) / 2 for low, high in boxes]
    sizes = [float(np.max(high - low)) or 1.0 for low, high in boxes]
    known = [row for row in tracks["rows"] if 0 <= time - row[4] <= FORGET]
    pairs = sorted(
        (math.hypot(m[0] - row[1], m[1] - row[2]) / max(size, row[3]), i, k)
        for i, (m, size) in enumerate(zip(middles, sizes, strict=True))
        for k, row in enumerate(known)
    )
    ids: dict[int, int] = {}
    for distance, i, k in pairs:
        if distance < NEAR and i not in ids and known[k][0] not in ids.values():
            ids[i] = known[k][0]
    for i in range(len(points)):
        if i not in ids:
            ids[i], tracks["next"] = tracks["next"], tracks["next"] + 1
    seen = [(ids[i], float(m[0]), float(m[1]), sizes[i], time) for i, m in enumerate(middles)]
    lost = [row for row in known if row[0] not in ids.values()]
    tracks["rows"] = tuple(sorted(seen + lost))
    return [ids[i] for i in range(len(points))]


def placed(points: np.ndarray, geometry: Geometry) -> np.ndarray:
    """(items, n, 3) from pixels of the picture that was sent to pixels of the frame; z in the same scale."""
    a, b, c, d, e, f = geometry.to_frame
    found = np.array(points, np.float32)
    found[..., :2] = found[..., :2] @ np.array(((a, d), (b, e)), np.float32) + np.array((c, f), np.float32)
    found[..., 2] *= np.float32(abs(a * e - b * d) ** 0.5)
    return found


def upright(world: np.ndarray) -> np.ndarray:
    """MediaPipe's metres (y down, z away from the camera) → ours (y up, z towards it)."""
    return (world * np.array((1.0, -1.0, -1.0), np.float32)).astype(np.float32)


def faces_of(parts: Mapping[str, np.ndarray], geometry: Geometry, time: int, tracks: Tracks) -> tuple[FaceItem, ...]:
    """Faces in order of track id."""
    points = placed(parts["faces"], geometry)
    shapes, poses = parts.get("blendshapes"), parts.get("poses")
    items = []
    for i, track in enumerate(identify(points, time, tracks)):
        face = FaceItem(track, points[i], 1.0, None if shapes is None else shapes[i].copy())
        if poses is not None:
            face.pose, face.camera = in_metres(poses[i]), camera_of(geometry)
        items.append(face)
    return tuple(sorted(items, key=lambda item: item.id))


def in_metres(pose: np.ndarray) -> np.ndarray:
    """MediaPipe's head pose is in centimetres; axes are glTF's, as ours."""
    made = np.array(pose, np.float32)
    made[:3, 3] /= 100.0
    return made


def camera_of(geometry: Geometry) -> tuple[float, float, float, float]:
    """fx, fy, cx, cy in frame pixels of the camera that MediaPipe assumes for a picture that lies there."""
    a, _, c, _, e, f = geometry.to_frame
    focal = geometry.height / 2.0 / math.tan(math.radians(FOV / 2.0))
    return focal * a, focal * e, geometry.width / 2.0 * a + c, geometry.height / 2.0 * e + f


def hands_of(parts: Mapping[str, np.ndarray], geometry: Geometry, time: int, tracks: Tracks) -> tuple[HandItem, ...]:
    """Hands in order of track id."""
    points, world = placed(parts["hands"], geometry), upright(parts["world"])
    ids = identify(points, time, tracks)
    items = [HandItem(t, points[i], float(parts["right"][i]), 1.0, world[i]) for i, t in enumerate(ids)]
    return tuple(sorted(items, key=lambda item: item.id))


def bodies_of(parts: Mapping[str, np.ndarray], geometry: Geometry, time: int, tracks: Tracks) -> tuple[BodyItem, ...]:
    """Bodies in order of track id."""
    points, world = placed(parts["bodies"], geometry), upright(parts["world"])
    ids = identify(points, time, tracks)
    items = [BodyItem(t, points[i], world[i], parts["visibility"][i].copy()) for i, t in enumerate(ids)]
    return tuple(sorted(items, key=lambda item: item.id))
