"""Models made by scripts: grids and turned profiles as parts, parts as groups that may spin, written as `.glb`.

For the `make_assets.py` beside an effect:  from glb import Group, Material, Part, rounded, turned, write
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

__all__ = ["Group", "Material", "Part", "rounded", "turned", "unit", "write"]

KEYS = 9  # of a turn


def unit(v: Any) -> np.ndarray:
    """Vectors at length 1."""
    v = np.asarray(v, float)
    return v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-12)


class Part:
    """A grid of vertices (rows, columns, 3) as triangles of one material, seen from the side away from `inside`.

    inside: a point for all vertices, or one for each. Normals are smooth inside a part; what lies in one place has one.
    """

    def __init__(self, material: str, grid: np.ndarray, inside: Any, uv: np.ndarray | None = None):
        rows, columns = grid.shape[:2]
        self.material, self.positions = material, grid.reshape(-1, 3).astype(np.float32)
        self.uv = np.zeros((len(self.positions), 2), np.float32) if uv is None else uv.reshape(-1, 2).astype(np.float32)
        r, c = np.meshgrid(np.arange(rows - 1), np.arange(columns - 1), indexing="ij")
        a = r * columns + c
        both = np.stack((a, a + 1, a + columns + 1, a, a + columns + 1, a + columns), -1)
        self.faces = both.reshape(-1, 3).astype(np.uint32)
        self.normals = self._smooth()
        if (self.normals * (self.positions - np.asarray(inside).reshape(-1, 3))).sum() < 0:
            self.faces, self.normals = self.faces[:, ::-1].copy(), -self.normals
        corners = self.positions[self.faces]
        area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
        self.faces = self.faces[area > 1e-12]  # at a pole triangles are lines

    def _smooth(self) -> np.ndarray:
        a, b, c = (self.positions[self.faces[:, k]] for k in range(3))
        sums = np.zeros_like(self.positions, np.float64)
        for k in range(3):
            np.add.at(sums, self.faces[:, k], np.cross(b - a, c - a))
        _, same = np.unique(np.round(self.positions, 6), axis=0, return_inverse=True)
        whole = np.zeros((same.max() + 1, 3))
        np.add.at(whole, same.ravel(), sums)
        return unit(whole[same.ravel()]).astype(np.float32)


def turned(
    material: str, profile: Sequence[tuple[float, float]], place: Any = (0, 0, 0), axis: Any = (0, 1, 0), count: int = 40,
    part: float = 1.0,
) -> Part:  # fmt: skip
    """A profile (radius, height) turned about an axis, all round or only a part of it. u goes round, v along the profile."""
    axis = unit(axis)
    right = unit(np.cross((0.0, 1.0, 0.0), axis) if abs(axis[1]) < 0.9 else np.cross((1.0, 0.0, 0.0), axis))
    a = np.linspace(0, 2 * math.pi * part, count + 1)[:, None]
    ring = np.cos(a) * right + np.sin(a) * np.cross(axis, right)
    place = np.asarray(place, float)
    grid = np.stack([place + ring * r + axis * h for r, h in profile])
    middle = np.mean([h for _, h in profile])
    inside = np.stack([np.repeat((place + axis * (0.9 * h + 0.1 * middle))[None], count + 1, 0) for _, h in profile])
    u, v = np.meshgrid(np.linspace(0, 1, count + 1), np.linspace(0, 1, len(profile)))
    return Part(material, grid, inside, np.stack((u, v), -1))


def rounded(points: Sequence[tuple[float, float]], radius: float, steps: int = 3) -> list[tuple[float, float]]:
    """A polyline with rounded corners."""
    p = [np.array(q, float) for q in points]
    made = [tuple(p[0])]
    for a, b, c in zip(p, p[1:], p[2:], strict=False):
        r = min(radius, 0.45 * np.linalg.norm(b - a), 0.45 * np.linalg.norm(c - b))
        first, last = b + unit(a - b) * r, b + unit(c - b) * r
        for k in range(steps + 1):
            s = k / steps
            made.append(tuple((1 - s) ** 2 * first + 2 * s * (1 - s) * b + s * s * last))
    return [*made, tuple(p[-1])]


@dataclass
class Material:
    """glTF's; pictures are (h, w, 3 or 4) uint8 RGB."""

    colour: tuple[float, float, float, float]
    roughness: float = 0.5
    metallic: float = 0.0
    emission: tuple[float, float, float] = (0.0, 0.0, 0.0)
    strength: float = 1.0
    alpha: str = "OPAQUE"
    both: bool = False
    unlit: bool = False
    albedo: np.ndarray | None = None
    normal: np.ndarray | None = None
    shines: np.ndarray | None = None


@dataclass
class Group:
    """Parts that lie or move together. spin: an axis, seconds a turn, and the angle in degrees at which it starts."""

    parts: Sequence[Part] = ()
    parent: str = ""
    translate: tuple[float, float, float] = (0.0, 0.0, 0.0)
    rotate: tuple[Any, float] = ((0, 1, 0), 0.0)
    scale: float = 1.0
    spin: tuple[Any, float] | None = None
    children: list[int] = field(default_factory=list)


def quaternion(axis: Any, degrees: float) -> list[float]:
    half = math.radians(degrees) / 2
    return [float(c) for c in (*(unit(axis) * math.sin(half)), math.cos(half))]


class _File:
    def __init__(self) -> None:
        self.blob, self.views, self.accessors, self.images = bytearray(), [], [], []

    def view(self, data: bytes, target: int | None = None) -> int:
        self.blob.extend(b"\0" * (-len(self.blob) % 4))
        made: dict[str, Any] = {"buffer": 0, "byteOffset": len(self.blob), "byteLength": len(data)}
        self.views.append(made | ({"target": target} if target else {}))
        self.blob.extend(data)
        return len(self.views) - 1

    def accessor(self, array: np.ndarray, kind: str, target: int | None = None) -> int:
        component = {"f": 5126, "I": 5125, "H": 5123}[array.dtype.char]
        made: dict[str, Any] = {"bufferView": self.view(array.tobytes(), target), "componentType": component, "count": len(array), "type": kind}
        if component == 5126 and kind in ("VEC3", "SCALAR"):
            made |= {"min": np.atleast_1d(array.min(0)).tolist(), "max": np.atleast_1d(array.max(0)).tolist()}
        self.accessors.append(made)
        return len(self.accessors) - 1

    def texture(self, picture: np.ndarray) -> dict[str, int]:
        code = cv2.COLOR_RGBA2BGRA if picture.shape[2] == 4 else cv2.COLOR_RGB2BGR
        done, data = cv2.imencode(".png", cv2.cvtColor(picture, code), [cv2.IMWRITE_PNG_COMPRESSION, 9])
        assert done
        self.images.append({"bufferView": self.view(data.tobytes()), "mimeType": "image/png"})
        return {"index": len(self.images) - 1}

    def material(self, name: str, m: Material) -> dict[str, Any]:
        pbr: dict[str, Any] = {"baseColorFactor": list(m.colour), "roughnessFactor": m.roughness, "metallicFactor": m.metallic}
        made: dict[str, Any] = {"name": name, "pbrMetallicRoughness": pbr, "alphaMode": m.alpha, "doubleSided": m.both, "emissiveFactor": list(m.emission)}
        extensions: dict[str, Any] = {}
        if m.strength != 1.0:
            extensions["KHR_materials_emissive_strength"] = {"emissiveStrength": m.strength}
        if m.unlit:
            extensions["KHR_materials_unlit"] = {}
        if extensions:
            made["extensions"] = extensions
        if m.albedo is not None:
            pbr["baseColorTexture"] = self.texture(m.albedo)
        if m.normal is not None:
            made["normalTexture"] = self.texture(m.normal)
        if m.shines is not None:
            made["emissiveTexture"] = self.texture(m.shines)
        return made

    def mesh(self, parts: Sequence[Part], materials: Mapping[str, Material]) -> dict[str, Any]:
        primitives = []
        for index, (name, material) in enumerate(materials.items()):
            mine = [p for p in parts if p.material == name]
            if not mine:
                continue
            starts = np.cumsum([0, *(len(p.positions) for p in mine)])
            corners = np.concatenate([p.faces.ravel() + s for p, s in zip(mine, starts, strict=False)])
            whole = {k: np.concatenate([getattr(p, k) for p in mine]) for k in ("positions", "normals", "uv")}
            attributes = {"POSITION": self.accessor(whole["positions"], "VEC3", 34962), "NORMAL": self.accessor(whole["normals"], "VEC3", 34962)}
            if any(t is not None for t in (material.albedo, material.normal, material.shines)):
                attributes["TEXCOORD_0"] = self.accessor(whole["uv"], "VEC2", 34962)
            corners = corners.astype(np.uint16 if corners.max() < 65536 else np.uint32)
            primitives.append({"attributes": attributes, "indices": self.accessor(corners, "SCALAR", 34963), "material": index})
        return {"primitives": primitives}


def write(path: Path, groups: Mapping[str, Group], materials: Mapping[str, Material], generator: str) -> str:
    """Write a `.glb`; gives a line that says what is in it."""
    file, meshes, nodes, names = _File(), [], [], list(groups)
    channels, samplers = [], []
    written = [file.material(name, m) for name, m in materials.items()]
    for index, group in enumerate(groups.values()):
        node: dict[str, Any] = {"name": names[index], "translation": list(group.translate), "rotation": quaternion(*group.rotate), "scale": [group.scale] * 3}
        if group.parts:
            meshes.append(file.mesh(group.parts, materials))
            node["mesh"] = len(meshes) - 1
        below = [i for i, other in enumerate(groups.values()) if other.parent == names[index]]
        nodes.append(node | ({"children": below} if below else {}))
        if group.spin:
            axis, seconds = group.spin
            turn = np.linspace(0, 1, KEYS)
            keys = np.array([quaternion(axis, group.rotate[1] + 360 * t) for t in turn], np.float32)
            times = (turn * abs(seconds)).astype(np.float32)
            samplers.append({"input": file.accessor(times, "SCALAR"), "output": file.accessor(keys if seconds > 0 else keys[::-1].copy(), "VEC4")})
            channels.append({"sampler": len(samplers) - 1, "target": {"node": index, "path": "rotation"}})
    file.blob.extend(b"\0" * (-len(file.blob) % 4))
    document: dict[str, Any] = {
        "asset": {"version": "2.0", "generator": generator}, "scene": 0,
        "scenes": [{"nodes": [i for i, g in enumerate(groups.values()) if not g.parent]}], "nodes": nodes, "meshes": meshes,
        "materials": written, "accessors": file.accessors, "bufferViews": file.views, "buffers": [{"byteLength": len(file.blob)}],
    }  # fmt: skip
    if file.images:
        document |= {"images": file.images, "textures": [{"source": i} for i in range(len(file.images))]}
    if channels:
        document["animations"] = [{"name": "turning", "channels": channels, "samplers": samplers}]
    used = sorted({name for m in written for name in m.get("extensions", {})})
    if used:
        document["extensionsUsed"] = used
    text = json.dumps(document, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    whole = struct.pack("<II", len(text), 0x4E4F534A) + text + struct.pack("<II", len(file.blob), 0x004E4942) + bytes(file.blob)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(struct.pack("<4sII", b"glTF", 2, 12 + len(whole)) + whole)
    count = sum(len(p.faces) for g in groups.values() for p in g.parts)
    return f"{path.name}: {count} triangles, {path.stat().st_size // 1000} kB"
