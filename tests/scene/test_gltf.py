"""glTF files: what is in them, and what is said about broken ones."""

from __future__ import annotations

import base64
import contextlib
import copy
import json
import struct
from typing import Any

import cv2
import numpy as np
import pytest
from shared_assets import ASSETS as SHARED

from spellwire.graph.errors import SourceError
from spellwire.runtime.scene.gltf import read_model

from .conftest import document, glb

ASSETS = SHARED / "assets3d"


def test_a_triangle(write):
    model = read_model(write(*document()))
    (part,) = model.scene()
    np.testing.assert_allclose(part.matrix[:3, 3], (0, 0, -2))
    np.testing.assert_allclose(part.mesh.normals, np.tile((0, 0, 1), (3, 1)))  # flat, as glTF asks for
    assert part.material.colour == (1, 0.5, 0.25, 1) and part.material.name == "skin" and part.material.metallic == 1
    np.testing.assert_allclose(model.size, (1, 1, 0))
    assert model.scene() is model.scene(), "what does not move is made once"


def test_buffers_beside_it_and_inside_it(write, tmp_path):
    made, blob = document()
    (tmp_path / "points of it.bin").write_bytes(blob)
    beside = {**made, "buffers": [{"byteLength": 44, "uri": "points%20of%20it.bin"}]}
    inside = {**made, "buffers": [{"byteLength": 44, "uri": "data:application/octet-stream;base64," + base64.b64encode(blob).decode()}]}
    for n, each in enumerate((beside, inside)):
        path = write(json.dumps(each).encode(), name=f"{n}.gltf")
        assert len(read_model(path).scene()) == 1


def test_hierarchy_textures_and_extensions(write):
    done, png = cv2.imencode(".png", np.full((4, 4, 3), (0, 128, 255), np.uint8))
    assert done
    made, blob = document()
    made["bufferViews"].append({"buffer": 0, "byteOffset": len(blob), "byteLength": len(png)})
    made["buffers"][0]["byteLength"] = len(blob) + len(png)
    made["images"], made["textures"] = [{"bufferView": 2, "mimeType": "image/png"}], [{"source": 0}]
    made["materials"][0]["pbrMetallicRoughness"]["baseColorTexture"] = {"index": 0}
    made["materials"][0]["extensions"] = {"KHR_materials_unlit": {}, "KHR_materials_emissive_strength": {"emissiveStrength": 5}}
    made["materials"][0] |= {"emissiveFactor": [0.5, 0, 0], "alphaMode": "MASK", "alphaCutoff": 0.25, "doubleSided": True}
    made["nodes"] = [{"children": [1], "scale": [2, 2, 2]}, {"mesh": 0, "rotation": [0, 0, 0.7071068, 0.7071068]}]
    (part,) = read_model(write(made, blob + png.tobytes())).scene()
    np.testing.assert_allclose(part.matrix[:3, :3], ((0, -2, 0), (2, 0, 0), (0, 0, 2)), atol=1e-6)
    material = part.material
    assert material.unlit and material.double_sided and material.alpha == "mask" and material.cutoff == 0.25
    assert material.emission == (2.5, 0, 0)
    ((kind, texture),) = material.textures
    assert kind == "albedo" and texture.pixels.shape == (4, 4, 4) and tuple(texture.pixels[0, 0]) == (255, 128, 0, 255)


def animated() -> tuple[dict[str, Any], bytes]:
    made, blob = document()
    keys = np.array((0.0, 1.0), np.float32).tobytes() + np.array(((0, 0, 0), (4, 0, 0)), np.float32).tobytes()
    made["bufferViews"] += [
        {"buffer": 0, "byteOffset": len(blob), "byteLength": 8}, {"buffer": 0, "byteOffset": len(blob) + 8, "byteLength": 24}
    ]  # fmt: skip
    made["accessors"] += [
        {"bufferView": 2, "componentType": 5126, "count": 2, "type": "SCALAR"},
        {"bufferView": 3, "componentType": 5126, "count": 2, "type": "VEC3"},
    ]
    made["buffers"][0]["byteLength"] = len(blob) + 32
    channel = {"sampler": 0, "target": {"node": 0, "path": "translation"}}
    made["animations"] = [{"name": "slide", "samplers": [{"input": 2, "output": 3}], "channels": [channel]}]
    return made, blob + keys


def test_animation_goes_round(write):
    model = read_model(write(*animated()))
    assert model.clips == ("slide",) and model.duration == 1
    for time, x in ((0.0, 0), (0.25, 1), (0.5, 2), (1.25, 1)):
        assert model.scene(time)[0].matrix[0, 3] == pytest.approx(x), time
    assert model.scene()[0].matrix[0, 3] == 0


def changed(path: str, value: Any) -> tuple[dict[str, Any], bytes]:
    made, blob = document()
    made = copy.deepcopy(made)
    *way, last = path.split(".")
    into: Any = made
    for step in way:
        into = into[int(step) if step.isdigit() else step]
    into[int(last) if last.isdigit() else last] = value
    return made, blob


NAN = struct.pack("<f", float("nan"))
BROKEN = {
    "no file at all": (b"", "no glTF file"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(64), "no glTF file"),
    "no JSON": (b"{not json", "no glTF file"),
    "a list": (b"[1, 2]", "JSON is no object"),
    "cut header": (b"glTF\x02\x00\x00\x00", "cut short"),
    "cut body": (glb(*document())[:-20], "cut short"),
    "glTF 1": (struct.pack("<4sII", b"glTF", 1, 32) + bytes(20), "not glTF 2"),
    "version": (changed("asset.version", "3.0"), "version 3.0"),
    "Draco": ({**document()[0], "extensionsRequired": ["KHR_draco_mesh_compression"]}, "KHR_draco_mesh_compression"),
    "missing buffer": (changed("buffers.0.uri", "gone.bin"), "gone.bin"),
    "buffer elsewhere": (changed("buffers.0.uri", "../../etc/passwd"), "not beside it"),
    "buffer on the net": (changed("buffers.0.uri", "https://example.org/a.bin"), "not beside it"),
    "no base64": (changed("buffers.0.uri", "data:x;base64,!!"), "not base64"),
    "short buffer": (changed("buffers.0.byteLength", 400), "cut short: buffer 0"),
    "view beyond": (changed("bufferViews.0.byteLength", 4000), "bufferView 0 reaches beyond"),
    "accessor beyond": (changed("accessors.0.count", 300), "accessor 0 reaches beyond"),
    "accessor negative": (changed("accessors.0.count", -1), "count -1"),
    "accessor too large": (changed("accessors.0.count", 1 << 40), "too large"),
    "accessor's type": (changed("accessors.0.type", "VEC2"), "accessor 0 is VEC2"),
    "no accessor": (changed("meshes.0.primitives.0.attributes.POSITION", 9), "accessors 9"),
    "no positions": (changed("meshes.0.primitives.0.attributes", {}), "accessors None"),
    "no material": (changed("meshes.0.primitives.0.material", 7), "materials 7"),
    "no mesh": (changed("nodes.0.mesh", 3), "meshes 3"),
    "a circle of nodes": (changed("nodes.0.children", [0]), "twice"),
    "no node": (changed("scenes.0.nodes", [5]), "nodes 5"),
    "a word for a number": (changed("nodes.0.translation", ["a", 0, 0]), "translation"),
    "colour": (changed("materials.0.pbrMetallicRoughness.baseColorFactor", [1, 1]), "baseColorFactor"),
    "lines only": (changed("meshes.0.primitives.0.mode", 1), "no triangles"),
    "no meshes": ({"asset": {"version": "2.0"}}, "no triangles"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_wrong_is_said(write, name):
    content, words = BROKEN[name]
    path = write(*content) if isinstance(content, tuple) else write(content, document()[1]) if isinstance(content, dict) else write(content)
    with pytest.raises(SourceError, match=words) as caught:
        read_model(path)
    assert str(caught.value).startswith("model.glb ")


def test_triangles_that_name_no_vertex_and_numbers_that_are_none(write):
    made, blob = document()
    with pytest.raises(SourceError, match="name vertex 9"):
        read_model(write(made, blob[:36] + np.array((0, 1, 9, 0), np.uint16).tobytes()))
    with pytest.raises(SourceError, match="numbers that are none"):
        read_model(write(made, NAN + blob[4:]))


def test_a_picture_that_is_none(write):
    made, blob = document()
    made["images"], made["textures"] = [{"bufferView": 1}], [{"source": 0}]
    made["materials"][0]["pbrMetallicRoughness"]["baseColorTexture"] = {"index": 0}
    with pytest.raises(SourceError, match="image 0"):
        read_model(write(made, blob))


def test_no_file_whose_bytes_are_shuffled_is_a_traceback(write):
    """Whatever a file holds, it opens or is refused."""
    good = bytearray(glb(*animated()))
    rng = np.random.default_rng(5)
    for _ in range(150):
        bad = bytearray(good)
        for place in rng.integers(12, len(bad), 3):
            bad[place] = rng.integers(32, 127)
        with contextlib.suppress(SourceError):
            read_model(write(bytes(bad))).scene(0.3)


@pytest.mark.skipif(not ASSETS.is_dir(), reason="the shared assets are not here (SPELLWIRE_ASSETS)")
@pytest.mark.parametrize("name", ["pbr/SunglassesKhronos.glb", "pbr/GolfBall.glb", "morph/Fox.glb", "morph/MorphStressTest.gltf", "wearables/hat2/scene.gltf"])
def test_files_of_others(name):
    model = read_model(ASSETS / name)
    for time in (None, 0.4):
        for part in model.scene(time):
            assert np.isfinite(part.mesh.positions).all() and np.isfinite(part.matrix).all()
            np.testing.assert_allclose(np.linalg.norm(part.mesh.normals, axis=1), 1, atol=0.2)
