"""The values of Mesh, Material, Scene, Pose, Plane and Camera ports. glTF axes: right-handed, y up, metres."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

__all__ = ["CameraValue", "Instance", "MaterialValue", "MeshValue", "PlaneValue", "SceneValue", "TextureValue", "identity"]

Kind = Literal["albedo", "finish", "normal", "occlusion", "emission"]


@dataclass(frozen=True, slots=True, eq=False)
class TextureValue:
    """A picture of a material: (h, w, 4) uint8, as the file has it (colours in sRGB). Repeated beyond its edges.

    place: u, v → where it is read: scale x, y, turn in radians, offset x, y (KHR_texture_transform).
    """

    pixels: np.ndarray
    place: tuple[float, float, float, float, float] = (1.0, 1.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class MaterialValue:
    """What a mesh is made of: glTF's metallic-roughness model.

    Attributes:
        colour: r, g, b, a, linear; multiplies the texture `albedo`.
        roughness, metallic: 0 to 1; multiply green and blue of `finish`.
        emission: r, g, b, linear, may exceed 1; multiplies the texture `emission`.
        alpha: opaque, mask (holes where alpha < cutoff), blend (glass: what is behind shows through).
        unlit: it takes no light and shows its colour as it is.
        textures: (kind, picture) in order of kind.
    """

    colour: tuple[float, float, float, float] = (1.0, 1.0, 1.0, 1.0)
    roughness: float = 1.0
    metallic: float = 1.0
    emission: tuple[float, float, float] = (0.0, 0.0, 0.0)
    alpha: Literal["opaque", "mask", "blend"] = "opaque"
    cutoff: float = 0.5
    double_sided: bool = False
    unlit: bool = False
    normal_scale: float = 1.0
    occlusion_strength: float = 1.0
    textures: tuple[tuple[Kind, TextureValue], ...] = ()
    name: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class MeshValue:
    """Triangles of one material.

    Attributes:
        positions, normals: (n, 3) float32. uv: (n, 2). tangents: (n, 4), the last number is the side of the bitangent.
        colours: (n, 4), sRGB, multiply the material's.
        triangles: (m, 3) int32, counter-clockwise as seen from outside. One array, one shape: what moves keeps it.
        groups: (m,) int32, which smooth piece a triangle belongs to: pieces share no vertex.
    """

    positions: np.ndarray
    normals: np.ndarray
    uv: np.ndarray
    tangents: np.ndarray
    colours: np.ndarray
    triangles: np.ndarray
    groups: np.ndarray


def identity() -> np.ndarray:
    return np.eye(4, dtype=np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Instance:
    """A mesh at its place.

    Attributes:
        matrix: (4, 4) float32, the mesh's space to the world's; the world is the camera's space.
        hides: it is not drawn, and hides what is behind it: a head. Its colours' alpha says how much.
    """

    mesh: MeshValue
    material: MaterialValue = MaterialValue()
    matrix: np.ndarray = field(default_factory=identity)
    hides: bool = False


SceneValue = tuple[Instance, ...]
CameraValue = tuple[float, float, float, float]
"""fx, fy, cx, cy in pixels of the frame, y down."""


@dataclass(frozen=True, slots=True, eq=False)
class PlaneValue:
    """A plane that lies somewhere before the camera.

    Attributes:
        pose: (4, 4) float32, the plane's space to the camera's: x right and y up on the plane, z out of its front.
        size: its width and height in metres, about its middle.
        corners: (4, 2) float32, its corners in frame pixels: top left, top right, bottom right, bottom left.
        score: 0 to 1, how well it is seen.
        homography: (3, 3), from −0.5 … 0.5 × height/width units of the plane (x right, y down, in widths) to frame pixels.
    """

    pose: np.ndarray
    size: tuple[float, float]
    corners: np.ndarray
    score: float
    homography: np.ndarray
