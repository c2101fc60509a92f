"""glTF 2.0 files: the container, buffers, accessors and pictures, each checked before it is read.

`.glb` and `.gltf`, with buffers in it, beside it, or as data URIs. No library reads them here: those that exist either trust
what a file says, or bring a whole geometry kit; what is needed is JSON and flat arrays (Khronos, glTF 2.0 Specification,
sections 3.6 and 4.4).
"""

from __future__ import annotations

import base64
import binascii
import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np

from ...graph.errors import SourceError

__all__ = ["Container", "read_container"]

COMPONENTS = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}
SUPPORTED = {
    "KHR_materials_unlit", "KHR_texture_transform", "KHR_materials_emissive_strength", "KHR_materials_transmission",
    "KHR_mesh_quantization", "KHR_materials_ior", "KHR_materials_specular", "KHR_materials_clearcoat", "KHR_materials_volume",
    "KHR_materials_variants", "KHR_materials_sheen", "KHR_lights_punctual", "KHR_animation_pointer",
}  # fmt: skip
LARGEST = 1 << 28  # bytes a file may have
MOST = 1 << 22  # vertices, corners or keys of one accessor


class Container:
    """An open glTF file. Its methods raise SourceError, which names the file and the part at fault."""

    def __init__(self, path: Path, document: Mapping[str, Any], blob: bytes | None):
        self.path, self.document, self._blob = path, document, blob
        self._buffers: dict[int, bytes] = {}
        version = str(self._mapping(document, "asset").get("version", ""))
        if not version.startswith("2."):
            raise self.fault(f"is glTF version {version or 'unknown'}; version 2 is read")
        wanted = document.get("extensionsRequired", [])
        missing = [str(name) for name in wanted if name not in SUPPORTED] if isinstance(wanted, list) else ["?"]
        if missing:
            raise self.fault(f"needs {', '.join(missing)}, which is not read here; export it without compression")

    def fault(self, what: str) -> SourceError:
        """The error to raise: the file's name, and what is wrong with it."""
        return SourceError(f"{self.path.name} {what}")

    def items(self, kind: str) -> list[Mapping[str, Any]]:
        """The document's list of that name."""
        found = self.document.get(kind, [])
        if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
            raise self.fault(f"is broken: {kind} is no list of objects")
        return found

    def item(self, kind: str, index: Any) -> Mapping[str, Any]:
        found = self.items(kind)
        if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index < len(found):
            raise self.fault(f"is broken: it names {kind} {index!r}, and has {len(found)}")
        return found[index]

    def _mapping(self, of: Mapping[str, Any], key: str) -> Mapping[str, Any]:
        found = of.get(key, {})
        return found if isinstance(found, dict) else {}

    # -- bytes

    def buffer(self, index: Any) -> bytes:
        entry = self.item("buffers", index)
        if index not in self._buffers:
            data = self._blob if "uri" not in entry else self.uri(str(entry["uri"]))
            if data is None:
                raise self.fault(f"is broken: buffer {index} is not in it")
            if len(data) < self._whole(entry, "byteLength", 1):
                raise self.fault(f"is cut short: buffer {index} has {len(data)} of {entry['byteLength']} bytes")
            self._buffers[index] = data
        return self._buffers[index]

    def uri(self, uri: str) -> bytes:
        """The bytes behind a data URI or the name of a file beside this one."""
        if uri.startswith("data:"):
            head, comma, body = uri.partition(",")
            try:
                if not comma or not head.endswith(";base64"):
                    raise ValueError
                return base64.b64decode(body, validate=True)
            except (binascii.Error, ValueError):
                raise self.fault("is broken: a data URI in it is not base64") from None
        folder = self.path.parent.resolve()
        file = (folder / unquote(uri)).resolve()
        if "://" in uri or not file.is_relative_to(folder):
            raise self.fault(f"wants {uri!r}, which is not beside it; put all its files into its folder")
        if not file.is_file():
            raise self.fault(f"wants {uri!r}, which is missing; put the file back beside it")
        return _bytes(file)

    def view(self, index: Any) -> tuple[bytes, int, int, int]:
        """A buffer, the view's start and length in it, and its stride (0 = packed)."""
        entry = self.item("bufferViews", index)
        data = self.buffer(entry.get("buffer"))
        start, size = self._whole(entry, "byteOffset"), self._whole(entry, "byteLength", 1)
        if start + size > len(data):
            raise self.fault(f"is broken: bufferView {index} reaches beyond its buffer")
        return data, start, size, self._whole(entry, "byteStride")

    def _whole(self, entry: Mapping[str, Any], key: str, least: int = 0) -> int:
        value = entry.get(key, 0)
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise self.fault(f"is broken: {key} {value!r} is no whole number from {least}")
        return value

    # -- accessors

    def accessor(self, index: Any, width: int) -> np.ndarray:
        """An accessor as a new (n, width) array: float32 where it is normalised or float, else whole numbers."""
        entry = self.item("accessors", index)
        kind, component = entry.get("type"), entry.get("componentType")
        if WIDTHS.get(str(kind)) != width or component not in COMPONENTS:
            raise self.fault(f"is broken: accessor {index} is {kind} of {component}, {width} components are wanted")
        count = self._whole(entry, "count", 1)
        if count > MOST:
            raise self.fault(f"is too large: accessor {index} has {count} entries; reduce the model")
        dtype = np.dtype(COMPONENTS[component])
        if "bufferView" in entry:
            found = self._strided(entry["bufferView"], self._whole(entry, "byteOffset"), count, width, dtype, index)
        else:
            found = np.zeros((count, width), dtype)
        if "sparse" in entry:
            self._sparse(self._mapping(entry, "sparse"), found, width, dtype, index)
        if dtype.kind == "f":
            if not np.isfinite(found).all():
                raise self.fault(f"is broken: accessor {index} holds numbers that are none")
            return found
        if entry.get("normalized"):
            top = {1: 255.0, 2: 65535.0, 4: 4294967295.0}[dtype.itemsize] if dtype.kind == "u" else 2.0 ** (8 * dtype.itemsize - 1) - 1
            return np.maximum(found.astype(np.float32) / top, -1.0)
        return found

    def _strided(self, view: Any, offset: int, count: int, width: int, dtype: np.dtype, index: Any) -> np.ndarray:
        data, start, size, stride = self.view(view)
        packed = width * dtype.itemsize
        stride = stride or packed
        if stride < packed or offset + stride * (count - 1) + packed > size:
            raise self.fault(f"is broken: accessor {index} reaches beyond its bufferView")
        raw = np.ndarray((count, width), dtype, data, start + offset, (stride, dtype.itemsize))
        return np.array(raw, dtype.newbyteorder("="), order="C")

    def _sparse(self, sparse: Mapping[str, Any], into: np.ndarray, width: int, dtype: np.dtype, index: Any) -> None:
        count = self._whole(sparse, "count", 1)
        where, values = self._mapping(sparse, "indices"), self._mapping(sparse, "values")
        if where.get("componentType") not in (5121, 5123, 5125) or count > len(into):
            raise self.fault(f"is broken: accessor {index} is sparse in no known way")
        whole = np.dtype(COMPONENTS[where["componentType"]])
        at = self._strided(where.get("bufferView"), self._whole(where, "byteOffset"), count, 1, whole, index)[:, 0]
        if at.max() >= len(into):
            raise self.fault(f"is broken: accessor {index} changes entries that it hasn't")
        into[at] = self._strided(values.get("bufferView"), self._whole(values, "byteOffset"), count, width, dtype, index)

    def picture(self, index: Any) -> np.ndarray:
        """A picture as (h, w, 4) uint8, in r, g, b, a."""
        import cv2

        entry = self.item("images", index)
        if "uri" in entry:
            data = self.uri(str(entry["uri"]))
        else:
            whole, start, size, _ = self.view(entry.get("bufferView"))
            data = whole[start : start + size]
        decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED) if data else None
        if decoded is None:
            raise self.fault(f"has a picture (image {index}) that can't be decoded; PNG and JPEG are read")
        if decoded.dtype != np.uint8:
            decoded = cv2.convertScaleAbs(decoded, alpha=255.0 / (65535.0 if decoded.dtype == np.uint16 else 1.0))
        codes = {1: cv2.COLOR_GRAY2RGBA, 3: cv2.COLOR_BGR2RGBA, 4: cv2.COLOR_BGRA2RGBA}
        return cv2.cvtColor(decoded, codes[1 if decoded.ndim == 2 else decoded.shape[2]])


def _bytes(path: Path) -> bytes:
    try:
        if path.stat().st_size > LARGEST:
            raise SourceError(f"{path.name} is larger than {LARGEST >> 20} MB; reduce the model")
        return path.read_bytes()
    except OSError as error:
        raise SourceError(f"{path.name} can't be read: {error.strerror or error}") from None


def read_container(path: Path) -> Container:
    """Open a `.glb` or `.gltf` file.

    Raises:
        SourceError: it can't be read, is no glTF 2, is cut short, or needs what is not read here.
    """
    data = _bytes(path)
    blob = None
    if data[:4] == b"glTF":
        data, blob = _chunks(path, data)
    try:
        document = json.loads(data.decode("utf-8"))
    except (UnicodeDecodeError, ValueError, RecursionError):
        raise SourceError(f"{path.name} is no glTF file: neither its header nor its JSON can be read") from None
    if not isinstance(document, dict):
        raise SourceError(f"{path.name} is no glTF file: its JSON is no object")
    return Container(path, document, blob)


def _chunks(path: Path, data: bytes) -> tuple[bytes, bytes | None]:
    """The JSON and the binary chunk of a `.glb`."""
    if len(data) < 20:
        raise SourceError(f"{path.name} is cut short: {len(data)} bytes")
    _, version, length = struct.unpack_from("<4sII", data)
    if version != 2 or length > len(data):
        raise SourceError(f"{path.name} is cut short or not glTF 2: {len(data)} of {length} bytes, version {version}")
    chunks: dict[int, bytes] = {}
    at = 12
    while at + 8 <= length:
        size, kind = struct.unpack_from("<II", data, at)
        if at + 8 + size > length:
            raise SourceError(f"{path.name} is broken: a part reaches beyond its end")
        chunks.setdefault(kind, data[at + 8 : at + 8 + size])
        at += 8 + size
    if 0x4E4F534A not in chunks:
        raise SourceError(f"{path.name} is broken: it has no JSON")
    return chunks[0x4E4F534A], chunks.get(0x004E4942)
