"""What moves in a glTF model: keyframes of nodes, skins, morph targets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from .container import Container
from .values import MeshValue

__all__ = ["Channel", "Skin", "Track", "morphed", "read_track", "skinned"]

Channel = Literal["translation", "rotation", "scale", "weights"]
CHANNELS: dict[str, int] = {"translation": 3, "rotation": 4, "scale": 3, "weights": 1}


@dataclass(frozen=True, slots=True, eq=False)
class Skin:
    """Nodes that a mesh follows, and the inverse of where they were when it was bound to them: (k, 4, 4)."""

    joints: tuple[int, ...]
    inverse: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """Keys of one channel of a node: times (k,), values (k, n), or (k, 3, n) with tangents where cubic."""

    node: int
    channel: Channel
    times: np.ndarray
    values: np.ndarray
    how: str

    def at(self, time: float) -> np.ndarray:
        times = self.times
        time = min(max(time, float(times[0])), float(times[-1]))
        k = int(np.searchsorted(times, time, side="right")) - 1
        last = min(k + 1, len(times) - 1)
        span = float(times[last] - times[k])
        t = (time - float(times[k])) / span if span > 0 else 0.0
        if self.how == "CUBICSPLINE":
            return _unit(self.channel, _cubic(self.values[k], self.values[last], t, span))
        a, b = self.values[k], self.values[last]
        if self.how == "STEP":
            return a
        if self.channel == "rotation":
            return _slerp(a, b, t)
        return a + (b - a) * t


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """An animation."""

    curves: tuple[Curve, ...]
    duration: float

    def at(self, time: float) -> dict[tuple[int, Channel], np.ndarray]:
        """(node, channel) → its value; time starts again after the end."""
        time = time % self.duration if self.duration > 0 else 0.0
        return {(c.node, c.channel): c.at(time) for c in self.curves}


def read_track(file: Container, entry: Mapping[str, Any], nodes: int) -> Track:
    """An animation of a file.

    Raises:
        SourceError: keys and values don't fit each other, or it moves a node that is not there.
    """
    samplers = entry.get("samplers")
    samplers = samplers if isinstance(samplers, list) else []
    curves = []
    for channel in entry.get("channels") or ():
        target = channel.get("target", {}) if isinstance(channel, dict) else {}
        path, node, index = target.get("path"), target.get("node", -1), channel.get("sampler")
        if path not in CHANNELS or node == -1:
            continue  # of an extension
        if not isinstance(index, int) or not 0 <= index < len(samplers) or not isinstance(node, int) or not 0 <= node < nodes:
            raise file.fault("is broken: an animation names a sampler or a node that is not there")
        sampler = samplers[index]
        how = str(sampler.get("interpolation", "LINEAR"))
        times = file.accessor(sampler.get("input"), 1)[:, 0].astype(np.float64)
        values = file.accessor(sampler.get("output"), CHANNELS[path]).astype(np.float32)
        per_key = 3 if how == "CUBICSPLINE" else 1
        if path == "weights" and len(values) % (len(times) * per_key) == 0:
            values = values.reshape(len(times) * per_key, -1)
        if len(values) != len(times) * per_key or (np.diff(times) < 0).any():
            raise file.fault(f"is broken: an animation has {len(times)} keys and {len(values)} values")
        curves.append(Curve(node, path, times, values.reshape(len(times), 3, -1) if per_key == 3 else values, how))
    return Track(tuple(curves), max((float(c.times[-1]) for c in curves), default=0.0))


def _cubic(a: np.ndarray, b: np.ndarray, t: float, span: float) -> np.ndarray:
    """Between two keys (in-tangent, value, out-tangent), by Hermite's cubic."""
    t2, t3 = t * t, t * t * t
    return (
        (2 * t3 - 3 * t2 + 1) * a[1] + span * (t3 - 2 * t2 + t) * a[2] + (3 * t2 - 2 * t3) * b[1] + span * (t3 - t2) * b[0]
    )


def _unit(channel: str, value: np.ndarray) -> np.ndarray:
    return value / max(float(np.linalg.norm(value)), 1e-9) if channel == "rotation" else value


def _slerp(a: np.ndarray, b: np.ndarray, t: float) -> np.ndarray:
    cosine = float(a @ b)
    if cosine < 0:
        b, cosine = -b, -cosine
    if cosine > 0.9995:
        return _unit("rotation", a + (b - a) * t)
    angle = float(np.arccos(cosine))
    return ((np.sin((1 - t) * angle) * a + np.sin(t * angle) * b) / np.sin(angle)).astype(np.float32)


def morphed(mesh: MeshValue, positions: np.ndarray, normals: np.ndarray | None, weights: np.ndarray) -> MeshValue:
    """The mesh moved by its targets, each by its weight; targets without a weight stay."""
    count = min(len(weights), len(positions))
    used = np.flatnonzero(weights[:count])
    if not len(used):
        return mesh
    share = weights[used].astype(np.float32)
    moved = mesh.positions + np.tensordot(share, positions[used], 1)
    if normals is None:
        return replace(mesh, positions=moved)
    return replace(mesh, positions=moved, normals=mesh.normals + np.tensordot(share, normals[used], 1))


def skinned(
    mesh: MeshValue, joints: np.ndarray, weights: np.ndarray, skin: Skin, worlds: Mapping[int, np.ndarray]
) -> MeshValue:  # fmt: skip
    """The mesh where its joints carry it, in the world's space. A joint that is not in the scene stays at rest."""
    unmoved = np.eye(4, dtype=np.float32)
    matrices = np.stack([worlds.get(j, unmoved) @ m for j, m in zip(skin.joints, skin.inverse, strict=True)])
    whole = np.maximum(weights.sum(1, keepdims=True), 1e-6)
    blend = np.einsum("nk,nkij->nij", weights / whole, matrices[np.minimum(joints, len(matrices) - 1)])
    moved = np.einsum("nij,nj->ni", blend[:, :3, :3], mesh.positions) + blend[:, :3, 3]
    turned = np.einsum("nij,nj->ni", blend[:, :3, :3], mesh.normals)
    return replace(mesh, positions=moved.astype(np.float32), normals=turned.astype(np.float32))
