"""A glTF model as a Scene: nodes, meshes, metallic-roughness materials, and what moves in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .animate import Channel, Skin, Track, morphed, read_track, skinned
from .container import Container, read_container
from .meshes import make_mesh
from .values import Instance, MaterialValue, MeshValue, SceneValue, TextureValue, identity

__all__ = ["GltfModel", "read_model"]

HIDES = "occluder"  # a material of this name is not drawn, and hides what is behind it
DEEPEST = 128  # nodes one in another
TRIANGLES = 4


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """One primitive of a mesh: `joints` and `weights` if it has a skin, `morphs`: (k, n, 3) of positions, and of normals."""

    mesh: MeshValue
    material: MaterialValue
    joints: np.ndarray | None
    weights: np.ndarray | None
    morphs: np.ndarray | None
    morph_normals: np.ndarray | None


@dataclass(slots=True, eq=False)
class _Node:
    """A node of the hierarchy; translation, rotation (x, y, z, w) and scale at rest, or a matrix."""

    parent: int
    matrix: np.ndarray | None
    translation: np.ndarray
    rotation: np.ndarray
    scale: np.ndarray
    mesh: int
    skin: int
    weights: np.ndarray


class GltfModel:
    """An open model.

    Attributes:
        duration: seconds of its longest animation, 0 without any.
        clips: the names of its animations.
        size: (3,) its extent at rest in metres; centre: (3,) the middle of it.
    """

    def __init__(self, container: Container):
        self._file = container
        self._textures: dict[tuple[int, tuple[float, ...]], TextureValue] = {}
        self._pictures: dict[int, np.ndarray] = {}
        self._materials = [self._material(entry) for entry in container.items("materials")]
        self._meshes = [self._parts(entry) for entry in container.items("meshes")]
        self._nodes, self._order = self._hierarchy()
        self._skins = [self._skin(entry) for entry in container.items("skins")]
        self._tracks = [self._track(entry) for entry in container.items("animations")]
        self.clips = tuple(str(entry.get("name", f"{i}")) for i, entry in enumerate(container.items("animations")))
        self.duration = max((track.duration for track in self._tracks), default=0.0)
        self._rest = self._made({})
        if not self._rest:
            raise container.fault("has no triangles to show")
        low, high = _bounds(self._rest)
        self.size, self.centre = high - low, (low + high) / 2

    def scene(self, time: float | None = None, clip: int = 0, weights: np.ndarray | None = None) -> SceneValue:
        """The scene at rest, or at a time (seconds, from its start again after its end) of an animation.

        weights: of the morph targets, in place of the file's.
        """
        if weights is None and (time is None or not 0 <= clip < len(self._tracks)):
            return self._rest
        posed: dict[tuple[int, Channel], np.ndarray] = {}
        if time is not None and 0 <= clip < len(self._tracks):
            posed = self._tracks[clip].at(time)
        return self._made(posed, weights)

    # -- what is in the file

    def _material(self, entry: Mapping[str, Any]) -> MaterialValue:
        model, more = _object(entry, "pbrMetallicRoughness"), _object(entry, "extensions")
        colour = self._numbers(model, "baseColorFactor", (1.0, 1.0, 1.0, 1.0))
        strength = self._number(_object(more, "KHR_materials_emissive_strength"), "emissiveStrength", 1.0)
        emission = self._numbers(entry, "emissiveFactor", (0.0, 0.0, 0.0))
        alpha = {"MASK": "mask", "BLEND": "blend"}.get(str(entry.get("alphaMode")), "opaque")
        clear = self._number(_object(more, "KHR_materials_transmission"), "transmissionFactor", 0.0)
        if clear > 0.0 and alpha == "opaque":  # what it lets through is not bent, only seen
            alpha, colour = "blend", (*colour[:3], colour[3] * (1.0 - 0.85 * min(clear, 1.0)))
        textures = [
            ("albedo", model.get("baseColorTexture")), ("emission", entry.get("emissiveTexture")),
            ("finish", model.get("metallicRoughnessTexture")), ("normal", entry.get("normalTexture")),
            ("occlusion", entry.get("occlusionTexture")),
        ]  # fmt: skip
        found = tuple((kind, self._texture(info)) for kind, info in textures if isinstance(info, dict))
        return MaterialValue(
            colour, self._number(model, "roughnessFactor", 1.0), self._number(model, "metallicFactor", 1.0),
            tuple(strength * e for e in emission), alpha, self._number(entry, "alphaCutoff", 0.5),  # type: ignore[arg-type]
            entry.get("doubleSided") is True, "KHR_materials_unlit" in more,
            self._number(_object(entry, "normalTexture"), "scale", 1.0),
            self._number(_object(entry, "occlusionTexture"), "strength", 1.0),
            found, str(entry.get("name", "")),  # type: ignore[arg-type]
        )  # fmt: skip

    def _texture(self, info: Mapping[str, Any]) -> TextureValue:
        moved = _object(_object(info, "extensions"), "KHR_texture_transform")
        scale = self._numbers(moved, "scale", (1.0, 1.0))
        offset = self._numbers(moved, "offset", (0.0, 0.0))
        place = (*scale, self._number(moved, "rotation", 0.0), *offset)
        source: Any = self._file.item("textures", info.get("index")).get("source")
        self._file.item("images", source)
        key = (source, place)
        if key not in self._textures:
            if source not in self._pictures:
                self._pictures[source] = self._file.picture(source)
            self._textures[key] = TextureValue(self._pictures[source], place)  # type: ignore[arg-type]
        return self._textures[key]

    def _number(self, of: Mapping[str, Any], key: str, default: float) -> float:
        return self._numbers({key: [of[key]]} if key in of else {}, key, (default,))[0]

    def _numbers(self, of: Mapping[str, Any], key: str, default: tuple[float, ...]) -> tuple[Any, ...]:
        value = of.get(key, default)
        right = isinstance(value, (list, tuple)) and len(value) == len(default)
        if not right or not all(isinstance(v, (int, float)) and abs(v) < 1e12 for v in value):
            raise self._file.fault(f"is broken: {key} is {value!r}")
        return tuple(float(v) for v in value)

    def _parts(self, entry: Mapping[str, Any]) -> list[_Part]:
        listed = entry.get("primitives")
        if not isinstance(listed, list) or not all(isinstance(p, dict) for p in listed):
            raise self._file.fault("is broken: a mesh has no primitives")
        return [self._part(p) for p in listed if p.get("mode", TRIANGLES) == TRIANGLES]

    def _part(self, primitive: Mapping[str, Any]) -> _Part:
        file, attributes = self._file, _object(primitive, "attributes")
        material = MaterialValue()
        if "material" in primitive:
            file.item("materials", primitive["material"])
            material = self._materials[primitive["material"]]

        def read(name: str, *widths: int) -> np.ndarray | None:
            if name not in attributes:
                return None
            kind = str(file.item("accessors", attributes[name]).get("type"))
            width = {"VEC2": 2, "VEC3": 3, "VEC4": 4}.get(kind, widths[0])
            found = file.accessor(attributes[name], width if width in widths else widths[0])
            if len(found) != len(positions):
                raise file.fault(f"is broken: {name} has {len(found)} entries for {len(positions)} vertices")
            return found

        positions = file.accessor(attributes.get("POSITION"), 3).astype(np.float32)
        triangles = self._triangles(primitive, len(positions))
        normals, joints, weights = read("NORMAL", 3), read("JOINTS_0", 4), read("WEIGHTS_0", 4)
        bent = any(kind == "normal" for kind, _ in material.textures)
        mesh = make_mesh(
            positions, triangles, normals=normals, uv=read("TEXCOORD_0", 2), tangents=read("TANGENT", 4),
            colours=read("COLOR_0", 4, 3), bent=bent,
        )  # fmt: skip
        corners = triangles.ravel() if normals is None else slice(None)  # flat: each corner became a vertex
        moved = primitive.get("targets")
        targets = [t for t in moved if isinstance(t, dict)] if isinstance(moved, list) else []
        return _Part(
            mesh, material, None if joints is None else joints[corners].astype(np.int64),
            None if weights is None else weights[corners].astype(np.float32),
            self._morphs(targets, "POSITION", len(positions), corners), self._morphs(targets, "NORMAL", len(positions), corners),
        )  # fmt: skip

    def _triangles(self, primitive: Mapping[str, Any], count: int) -> np.ndarray:
        if "indices" in primitive:
            corners = self._file.accessor(primitive["indices"], 1)[:, 0]
            if corners.dtype.kind == "f" or corners.max() >= count or corners.min() < 0:
                raise self._file.fault(f"is broken: triangles name vertex {corners.max()}, and there are {count}")
        else:
            corners = np.arange(count)
        if len(corners) < 3:
            raise self._file.fault("is broken: a mesh has no whole triangle")
        return corners[: len(corners) // 3 * 3].reshape(-1, 3).astype(np.int32)

    def _morphs(self, targets: list[Any], name: str, count: int, corners: Any) -> np.ndarray | None:
        if not targets or not any(name in t for t in targets):
            return None
        found = np.zeros((len(targets), count, 3), np.float32)
        for into, target in zip(found, targets, strict=True):
            if name in target:
                moved = self._file.accessor(target[name], 3)
                if len(moved) != count:
                    raise self._file.fault(f"is broken: a morph target moves {len(moved)} of {count} vertices")
                into[...] = moved
        return np.ascontiguousarray(found[:, corners])

    # -- the hierarchy

    def _hierarchy(self) -> tuple[list[_Node], list[int]]:
        """All nodes, and those of the scene, parents first."""
        file, entries = self._file, self._file.items("nodes")
        nodes = [self._node(entry) for entry in entries]
        scenes = file.items("scenes")
        if scenes:
            roots = file.item("scenes", file.document.get("scene", 0)).get("nodes", [])
        else:
            below = {c for entry in entries for c in _list(entry, "children")}
            roots = [i for i in range(len(entries)) if i not in below]
        order: list[int] = []
        level, seen = [(r, -1) for r in (roots if isinstance(roots, list) else [])], set()
        for _ in range(DEEPEST):
            below_now: list[tuple[Any, int]] = []
            for index, parent in level:
                entry = file.item("nodes", index)
                if index in seen:
                    raise file.fault(f"is broken: node {index} is in the scene twice")
                seen.add(index)
                nodes[index].parent = parent
                order.append(index)
                below_now += [(child, index) for child in _list(entry, "children")]
            level = below_now
            if not level:
                return nodes, order
        raise file.fault(f"is broken: its nodes are more than {DEEPEST} deep")

    def _node(self, entry: Mapping[str, Any]) -> _Node:
        matrix = None
        if "matrix" in entry:
            matrix = np.array(self._numbers(entry, "matrix", (0.0,) * 16), np.float32).reshape(4, 4).T
        mesh, skin = entry.get("mesh", -1), entry.get("skin", -1)
        weights = [0.0]
        if mesh != -1:
            given = self._file.item("meshes", mesh)
            weights = _list(entry, "weights") or _list(given, "weights") or [0.0]
        if skin != -1:
            self._file.item("skins", skin)
        return _Node(
            -1, matrix, np.array(self._numbers(entry, "translation", (0.0, 0.0, 0.0)), np.float32),
            np.array(self._numbers(entry, "rotation", (0.0, 0.0, 0.0, 1.0)), np.float32),
            np.array(self._numbers(entry, "scale", (1.0, 1.0, 1.0)), np.float32), mesh, skin,
            np.array(self._numbers({"weights": weights}, "weights", (0.0,) * len(weights)), np.float32),
        )  # fmt: skip

    def _skin(self, entry: Mapping[str, Any]) -> Skin:
        joints = _list(entry, "joints")
        for joint in joints:
            self._file.item("nodes", joint)
        inverse = np.repeat(identity()[None], len(joints), axis=0)
        if "inverseBindMatrices" in entry:
            read = self._file.accessor(entry["inverseBindMatrices"], 16)
            if len(read) < len(joints):
                raise self._file.fault(f"is broken: a skin has {len(read)} matrices for {len(joints)} joints")
            inverse = read[: len(joints)].reshape(-1, 4, 4).transpose(0, 2, 1).astype(np.float32)
        return Skin(tuple(joints), np.ascontiguousarray(inverse))

    def _track(self, entry: Mapping[str, Any]) -> Track:
        return read_track(self._file, entry, len(self._nodes))

    # -- a moment of it

    def _made(self, posed: Mapping[tuple[int, Channel], np.ndarray], weights: np.ndarray | None = None) -> SceneValue:
        worlds: dict[int, np.ndarray] = {-1: identity()}
        for index in self._order:
            worlds[index] = worlds[self._nodes[index].parent] @ self._local(index, posed)
        made = []
        for index in self._order:
            node = self._nodes[index]
            if node.mesh < 0:
                continue
            for part in self._meshes[node.mesh]:
                mesh, matrix = part.mesh, worlds[index]
                if part.morphs is not None:
                    given = weights if weights is not None else posed.get((index, "weights"), node.weights)
                    mesh = morphed(mesh, part.morphs, part.morph_normals, given)
                if node.skin >= 0 and part.joints is not None and part.weights is not None:
                    mesh = skinned(mesh, part.joints, part.weights, self._skins[node.skin], worlds)
                    matrix = identity()  # joints place it in the world
                hides = part.material.name.lower() == HIDES
                made.append(Instance(mesh, part.material, np.ascontiguousarray(matrix, np.float32), hides))
        return tuple(made)

    def _local(self, index: int, posed: Mapping[tuple[int, Channel], np.ndarray]) -> np.ndarray:
        node = self._nodes[index]
        if node.matrix is not None:
            return node.matrix
        x, y, z, w = posed.get((index, "rotation"), node.rotation).astype(float)
        long = max(x * x + y * y + z * z + w * w, 1e-12)
        s = 2.0 / long
        local = identity()
        local[:3, :3] = (
            (1 - s * (y * y + z * z), s * (x * y - z * w), s * (x * z + y * w)),
            (s * (x * y + z * w), 1 - s * (x * x + z * z), s * (y * z - x * w)),
            (s * (x * z - y * w), s * (y * z + x * w), 1 - s * (x * x + y * y)),
        )
        local[:3, :3] *= posed.get((index, "scale"), node.scale)
        local[:3, 3] = posed.get((index, "translation"), node.translation)
        return local


def read_model(path: Path) -> GltfModel:
    """Open a `.glb` or `.gltf` file whole.

    Raises:
        SourceError: it is broken, needs what is not read here, or has nothing to show; the message names the part.
    """
    return GltfModel(read_container(path))


def _object(of: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = of.get(key)
    return found if isinstance(found, dict) else {}


def _list(of: Mapping[str, Any], key: str) -> list[Any]:
    found = of.get(key)
    return found if isinstance(found, list) else []


def _bounds(scene: SceneValue) -> tuple[np.ndarray, np.ndarray]:
    points = [i.mesh.positions @ i.matrix[:3, :3].T + i.matrix[:3, 3] for i in scene]
    return np.min([p.min(0) for p in points], axis=0), np.max([p.max(0) for p in points], axis=0)

