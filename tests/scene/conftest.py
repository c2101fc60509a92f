"""The loops of scenes, compiled and linked once, and small scenes of our own making."""

from __future__ import annotations

import ctypes
import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spellwire.runtime.kernels.cache import Cache
from spellwire.runtime.kernels.link import link
from spellwire.runtime.kernels.targets import host_target
from spellwire.runtime.native.emit import objects
from spellwire.runtime.native.loops import bind
from spellwire.runtime.scene.draw import LOOPS, SceneDrawer
from spellwire.runtime.scene.meshes import make_mesh
from spellwire.runtime.scene.values import Instance, MaterialValue, MeshValue

SIZE = (96, 64)
CAMERA = (64.0, 64.0, 48.0, 32.0)  # 1 m away a metre is 64 pixels


@pytest.fixture(scope="session")
def native(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Callable[..., None]]:
    folder, target = tmp_path_factory.mktemp("loops"), host_target()
    files = []
    for i, data in enumerate(objects((*LOOPS, "draw_triangles"), Cache(), target)):
        files.append(folder / f"{i}.o")
        files[-1].write_bytes(data)
    link(target, files, folder / "loops.so")
    library = ctypes.CDLL(str(folder / "loops.so"))
    return lambda name: bind(library, name)


@pytest.fixture
def drawer(native: Callable[[str], Callable[..., None]]) -> SceneDrawer:
    return SceneDrawer(native)


def square(width: float = 0.5, height: float | None = None, uv: float = 1.0) -> MeshValue:
    """A rectangle that faces the camera, u to the right, v down."""
    w, h = width / 2, (width if height is None else height) / 2
    points = np.array(((-w, h, 0), (w, h, 0), (w, -h, 0), (-w, -h, 0)), np.float32)
    places = np.array(((0, 0), (1, 0), (1, 1), (0, 1)), np.float32) * uv
    normals = np.tile(np.float32((0, 0, 1)), (4, 1))
    return make_mesh(points, np.array(((0, 2, 1), (0, 3, 2))), normals=normals, uv=places)


def at(mesh: MeshValue, x: float = 0.0, y: float = 0.0, z: float = -1.0, hides: bool = False, **material: Any) -> Instance:
    matrix = np.eye(4, dtype=np.float32)
    matrix[:3, 3] = x, y, z
    return Instance(mesh, MaterialValue(**{"roughness": 0.5, "metallic": 0.0, **material}), matrix, hides)


def document(**changes: Any) -> tuple[dict[str, Any], bytes]:
    """A triangle as a glTF document and its buffer; `changes` go over the document."""
    points = np.array(((0, 0, 0), (1, 0, 0), (0, 1, 0)), np.float32)
    blob = points.tobytes() + np.array((0, 1, 2, 0), np.uint16).tobytes()
    made = {
        "asset": {"version": "2.0"}, "scene": 0, "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0, "translation": [0, 0, -2]}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "indices": 1, "material": 0}]}],
        "materials": [{"name": "skin", "pbrMetallicRoughness": {"baseColorFactor": [1, 0.5, 0.25, 1], "roughnessFactor": 0.4}}],
        "accessors": [
            {"bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC3"},
            {"bufferView": 1, "componentType": 5123, "count": 3, "type": "SCALAR"},
        ],
        "bufferViews": [{"buffer": 0, "byteLength": 36}, {"buffer": 0, "byteOffset": 36, "byteLength": 6}],
        "buffers": [{"byteLength": 44}],
    }  # fmt: skip
    return {**made, **changes}, blob


def glb(made: dict[str, Any], blob: bytes) -> bytes:
    text = json.dumps(made).encode()
    text += b" " * (-len(text) % 4)
    whole = struct.pack("<II", len(text), 0x4E4F534A) + text + struct.pack("<II", len(blob), 0x004E4942) + blob
    return struct.pack("<4sII", b"glTF", 2, 12 + len(whole)) + whole


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Bytes, or a document and its buffer → a file."""

    def written(content: Any, blob: bytes = b"", name: str = "model.glb") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else glb(content, blob))
        return path

    return written
