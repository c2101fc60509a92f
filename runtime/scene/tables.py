"""Materials and textures as the native loops read them: rows of numbers, and bundles of texels with mips."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from .meshes import encode
from .values import MaterialValue, TextureValue

__all__ = ["LEVELS", "ROW", "Textures", "material_rows"]

ROW = 24  # floats a material
LEVELS = 12  # mips at most
TEXEL = 16  # bytes: see native.scene
LARGEST = 1024  # texels along a side
NEUTRAL = np.array((255, 255, 255, 255, 255, 255, 255, 128, 128, 255, 255, 255, 0, 0, 0, 0), np.uint8)


def material_rows(materials: Sequence[MaterialValue], bundles: Sequence[tuple[int, int]], rows: np.ndarray) -> None:
    """Write a row for each material. Colours and emission in sRGB's numbers, since texels are.

    bundles: of each, its number of mips (0 = no textures) and its place in `Textures.levels`.
    """
    for row, material, (mips, place) in zip(rows, materials, bundles, strict=True):
        row[:] = 0.0
        row[:3] = encode(np.array(material.colour[:3]))
        row[3] = material.colour[3]
        row[4], row[5] = max(material.roughness, 0.03), material.metallic
        row[7:10] = encode(np.array(material.emission))
        row[10] = material.normal_scale if any(kind == "normal" for kind, _ in material.textures) else 0.0
        row[11] = ("opaque", "mask", "blend").index(material.alpha)
        row[12], row[13], row[14] = material.cutoff, material.double_sided, material.unlit
        row[15], row[16], row[17] = mips, place, TEXEL


class Textures:
    """The bundles of some materials: all textures of one at one size, sixteen bytes a texel, with mips.

    Attributes:
        texels: (n,) uint8.
        levels: (k, LEVELS, 3) int64: start, width, height of each mip.
        bundles: of each material, its number of mips and its row in `levels`.
    """

    def __init__(self, materials: Sequence[MaterialValue]):
        rows: dict[tuple, tuple[int, int]] = {}
        parts, levels, at = [np.zeros(TEXEL, np.uint8)], [np.zeros((LEVELS, 3), np.int64)], TEXEL
        self.bundles: list[tuple[int, int]] = []
        for material in materials:
            key = texture_key(material)
            if not material.textures:
                rows[key] = (0, 0)
            if key not in rows:
                mips = bundle(material)
                table = np.zeros((LEVELS, 3), np.int64)
                for level, mip in enumerate(mips):
                    table[level] = at, mip.shape[1], mip.shape[0]
                    parts.append(mip.ravel())
                    at += mip.size
                rows[key] = (len(mips), len(levels))
                levels.append(table)
            self.bundles.append(rows[key])
        self.texels = np.concatenate(parts)
        self.levels = np.ascontiguousarray(np.stack(levels))


def texture_key(material: MaterialValue) -> tuple:
    """What tells bundles apart."""
    return tuple((kind, id(t)) for kind, t in material.textures), material.normal_scale, material.occlusion_strength


def bundle(material: MaterialValue) -> list[np.ndarray]:
    """A material's textures as (h, w, 16) uint8, and half as large again and again, down to a texel."""
    found = dict(material.textures)
    width = min(max(t.pixels.shape[1] for t in found.values()), LARGEST)
    height = min(max(t.pixels.shape[0] for t in found.values()), LARGEST)
    whole = np.empty((height, width, TEXEL), np.float32)
    whole[...] = NEUTRAL / np.float32(255)

    def sized(texture: TextureValue) -> np.ndarray:
        pixels = texture.pixels
        how = cv2.INTER_AREA if pixels.shape[0] > height or pixels.shape[1] > width else cv2.INTER_LINEAR
        return cv2.resize(pixels, (width, height), interpolation=how).astype(np.float32) / 255

    if "albedo" in found:
        whole[..., :4] = sized(found["albedo"])
    if "finish" in found:
        whole[..., 4:6] = sized(found["finish"])[..., 1:3]
    if "occlusion" in found:
        whole[..., 6] = 1 + material.occlusion_strength * (sized(found["occlusion"])[..., 0] - 1)
    if "normal" in found:
        bend = (sized(found["normal"])[..., :2] * 2 - 1) * material.normal_scale
        whole[..., 7:9] = np.clip(bend, -1, 1) * 0.5 + 0.5
    if "emission" in found:
        whole[..., 9:12] = sized(found["emission"])[..., :3]
    return list(_mips(whole))


def _mips(whole: np.ndarray):
    """Averages are made of light, not of sRGB's numbers, and colour counts as much as it covers."""
    light = whole.copy()
    light[..., 0:3], light[..., 9:12] = _decode(whole[..., 0:3]), _decode(whole[..., 9:12])
    light[..., :3] *= light[..., 3:4]
    size = whole.shape[1], whole.shape[0]
    for _ in range(LEVELS):
        shown = light.copy()
        shown[..., :3] /= np.maximum(shown[..., 3:4], 1e-4)
        shown[..., 0:3], shown[..., 9:12] = encode(shown[..., 0:3]), encode(shown[..., 9:12])
        yield np.ascontiguousarray(np.clip(shown * 255 + 0.5, 0, 255).astype(np.uint8))
        if size == (1, 1):
            return
        size = max(size[0] // 2, 1), max(size[1] // 2, 1)
        # OpenCV resizes four channels at once
        parts = [cv2.resize(np.ascontiguousarray(light[..., k : k + 4]), size, interpolation=cv2.INTER_AREA) for k in (0, 4, 8, 12)]
        light = np.concatenate([p.reshape(size[1], size[0], 4) for p in parts], axis=2)


def _decode(encoded: np.ndarray) -> np.ndarray:
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4).astype(np.float32)
