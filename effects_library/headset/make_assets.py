"""Models the helmet of `headset` and writes it as assets/helmet.glb: python effects_library/headset/make_assets.py

All of it is made here: shapes by formulas, textures drawn pixel by pixel. Metres, in the head's space: x to the person's left, y up, z
out of the face, the origin in the middle of the head.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

HERE = Path(__file__).parent
CENTRE = np.array((0.0, 0.02, -0.026))
RADII = np.array((0.105, 0.134, 0.136))  # half axes of the shell
POWER = 2.5  # 2 an ellipsoid, more is boxier
THICK = 0.008
AROUND, ALONG = 96, 26  # of the shell: round its opening, and from there to its back
TEXTURE = 768

# name → colour (linear), roughness, metallic, emission, alpha, double-sided
MATERIALS = {
    "paint": ((0.86, 0.87, 0.9, 1.0), 0.3, 0.15, (0, 0, 0), "OPAQUE", False),
    "lining": ((0.018, 0.019, 0.023, 1.0), 0.85, 0.0, (0, 0, 0), "OPAQUE", True),
    "rubber": ((0.02, 0.021, 0.024, 1.0), 0.55, 0.0, (0, 0, 0), "OPAQUE", False),
    "metal": ((0.34, 0.35, 0.38, 1.0), 0.28, 1.0, (0, 0, 0), "OPAQUE", False),
    "glow": ((0.01, 0.03, 0.04, 1.0), 0.4, 0.0, (0.05, 0.75, 1.0), "OPAQUE", False),
    "glass": ((0.01, 0.05, 0.07, 0.3), 0.06, 0.0, (0, 0, 0), "BLEND", True),
}  # fmt: skip


def unit(v: np.ndarray) -> np.ndarray:
    return v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-12)


def on_shell(way: np.ndarray, grow: float = 0.0) -> np.ndarray:
    """The point of the shell in a direction from its middle, `grow` metres outside it."""
    way = unit(way)
    length = ((np.abs(way) / RADII) ** POWER).sum(-1, keepdims=True) ** (-1 / POWER)
    return CENTRE + way * (length + grow)


def opening(t: np.ndarray) -> np.ndarray:
    """Directions to the edge of the face's opening, for t from 0 to 1 clockwise from above, as the wearer's mirror shows it."""
    a = 2 * math.pi * t
    c, s = np.sin(a), np.cos(a)
    power = 2 / 3.1
    x = 0.071 * np.sign(c) * np.abs(c) ** power
    y = np.where(s > 0, 0.062, 0.084) * np.sign(s) * np.abs(s) ** power - 0.006
    x = x * np.where(y < -0.02, 1 + 2.2 * (y + 0.02), 1.0)  # narrower at the chin
    z = 0.093 - 0.16 * (np.abs(x) / 0.075) ** 2 * 0.25
    return np.stack((x, y, z), -1) - CENTRE


def triangles(rows: int, columns: int, closed: bool) -> np.ndarray:
    """Of a grid of vertices, row after row; the last column meets the first where it is closed."""
    r, c = np.meshgrid(np.arange(rows - 1), np.arange(columns if closed else columns - 1), indexing="ij")
    a, b = r * columns + c, r * columns + (c + 1) % columns
    return np.stack((a, b, b + columns, a, b + columns, a + columns), -1).reshape(-1, 3)


class Part:
    """Vertices and triangles of one material; normals are smooth inside a part."""

    def __init__(self, material: str, grid: np.ndarray, closed: bool, outwards: np.ndarray | None = None, uv=None):
        rows, columns = grid.shape[:2]
        self.material, self.positions = material, grid.reshape(-1, 3).astype(np.float32)
        self.faces = triangles(rows, columns, closed).astype(np.uint32)
        self.uv = np.zeros((len(self.positions), 2), np.float32) if uv is None else uv.reshape(-1, 2).astype(np.float32)
        normals = self._normals()
        away = self.positions - (CENTRE if outwards is None else outwards)
        if (normals * away).sum() < 0:
            self.faces = self.faces[:, ::-1].copy()
            normals = -normals
        self.normals = normals

    def _normals(self) -> np.ndarray:
        a, b, c = (self.positions[self.faces[:, k]] for k in range(3))
        sums = np.zeros_like(self.positions)
        for k in range(3):
            np.add.at(sums, self.faces[:, k], np.cross(b - a, c - a))
        # what lies in one place has one normal, so a seam does not show
        _, same = np.unique(np.round(self.positions, 6), axis=0, return_inverse=True)
        whole = np.zeros((same.max() + 1, 3))
        np.add.at(whole, same.ravel(), sums)
        return unit(whole[same.ravel()]).astype(np.float32)


def shell() -> list[Part]:
    t = np.linspace(0, 1, AROUND + 1)
    u = np.linspace(0, 1, ALONG + 1)[:, None, None] ** 1.15
    rim, back = unit(opening(t)), unit(np.array((0.0, 0.12, -1.0)))
    angle = np.arccos(np.clip(rim @ back, -1, 1))[None, :, None]
    way = (np.sin((1 - u) * angle) * rim + np.sin(u * angle) * back) / np.sin(angle)
    uv = np.stack(np.broadcast_arrays(t[None], u[..., 0]), -1)
    outer = on_shell(way)
    inner = on_shell(way[::2, ::2], -THICK)
    # the rim is a bead around the edge, pushed out where a visor hangs on it
    middle = (on_shell(rim) + on_shell(rim, -THICK)) / 2
    tangent = unit(np.roll(middle[:-1], -1, 0) - np.roll(middle[:-1], 1, 0))
    tangent = np.concatenate([tangent, tangent[:1]])
    out = unit(rim)
    side = unit(np.cross(tangent, out))
    ring = np.linspace(0, 2 * math.pi, 11)[:, None, None]
    bead = middle + 0.0062 * (np.cos(ring) * out * 1.15 + np.sin(ring) * side)
    return [
        Part("paint", outer, False, uv=uv), Part("lining", inner, False, outwards=CENTRE - 100 * np.array((0, 0, 1.0))),
        Part("rubber", bead, False, outwards=np.repeat(middle[None], 11, 0).reshape(-1, 3)),
    ]  # fmt: skip


def ribbon(material: str, ways: np.ndarray, width: float, height: float, sunk: float = 0.002) -> Part:
    """A raised band along directions on the shell, with rounded shoulders and ends."""
    foot, top = on_shell(ways), on_shell(ways, 1.0)
    out = unit(top - foot)
    along = unit(np.gradient(foot, axis=0))
    across = unit(np.cross(along, out))
    taper = np.sqrt(np.clip(1 - np.abs(np.linspace(-1, 1, len(ways))) ** 10, 0.0, 1))[:, None]
    profile = [(-1, -sunk), (-1, 0.45 * height), (-0.86, 0.82 * height), (-0.6, height), (0.6, height), (0.86, 0.82 * height),
               (1, 0.45 * height), (1, -sunk)]  # fmt: skip
    rows = [foot + across * (0.5 * width * x) * taper + out * np.where(y > 0, y * taper, y) for x, y in profile]
    grid = np.stack(rows)
    return Part(material, grid, False, outwards=np.repeat(foot[None] - out * 0.01, len(profile), 0).reshape(-1, 3))


def arc(start: Sequence[float], over: Sequence[float], end: Sequence[float], count: int = 32) -> np.ndarray:
    """Directions along a curve through three points."""
    t = np.linspace(0, 1, count)[:, None]
    a, b, c = (np.asarray(p, float) for p in (start, over, end))
    return unit(a * (2 * t - 1) * (t - 1) + b * 4 * t * (1 - t) + c * t * (2 * t - 1))


def turned(material: str, profile: Sequence[tuple[float, float]], place: np.ndarray, axis: np.ndarray, count: int = 40) -> Part:
    """A profile (radius, height) turned about an axis; corners of it are rounded by repeating what is near them."""
    axis = unit(axis)
    right = unit(np.cross((0.0, 1.0, 0.0), axis) if abs(axis[1]) < 0.9 else np.cross((1.0, 0.0, 0.0), axis))
    up = np.cross(axis, right)
    a = np.linspace(0, 2 * math.pi, count + 1)[:, None]
    ring = np.cos(a) * right + np.sin(a) * up
    grid = np.stack([place + ring * r + axis * h for r, h in profile])
    middle = np.stack([np.repeat((place + axis * (h - 0.002))[None], count + 1, 0) for _, h in profile])
    return Part(material, grid, False, outwards=middle.reshape(-1, 3))


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


def ear(side: float) -> list[Part]:
    place = np.array((side * 0.097, 0.012, -0.012))
    axis = np.array((side, 0.04, 0.1))
    cup = rounded([(0.047, -0.016), (0.047, 0.008), (0.039, 0.0165), (0.031, 0.0165), (0.03, 0.013)], 0.006)
    ring = rounded([(0.0305, 0.011), (0.0305, 0.0168), (0.026, 0.0168), (0.026, 0.011)], 0.0015)
    lid = rounded([(0.0265, 0.01), (0.0265, 0.0185), (0.021, 0.0215), (0.012, 0.0215), (0.0105, 0.019), (0.0, 0.019)], 0.0025)
    hub = rounded([(0.009, 0.017), (0.009, 0.0225), (0.0, 0.0232)], 0.002)
    parts = [turned("metal", cup, place, axis), turned("glow", ring, place, axis), turned("paint_plain", lid, place, axis),
             turned("metal", hub, place, axis)]  # fmt: skip
    if side < 0:  # the person's right
        foot = place + np.array((-0.012, 0.034, -0.018))
        way = unit(np.array((-0.1, 1.0, -0.28)))
        base = rounded([(0.0062, -0.006), (0.0062, 0.01), (0.003, 0.014), (0.0018, 0.016)], 0.002)
        rod = [(0.0018, 0.012), (0.0013, 0.085), (0.0012, 0.088)]
        tip = [(0.0031 * math.sin(x), 0.0905 - 0.0031 * math.cos(x)) for x in np.linspace(0.05, math.pi, 9)]
        parts += [turned("metal", base, foot, way, 24), turned("metal", rod, foot, way, 16), turned("glow", tip, foot, way, 20)]
    return parts


def visor() -> list[Part]:
    """A pane before the eyes, which comes out from under the edge of the opening, and a lit line under it."""
    rows, columns = 12, 48
    x = np.linspace(-1, 1, columns)[None]
    low = -0.006 - 0.012 * np.abs(x) ** 3 + 0.009 * np.exp(-((x / 0.2) ** 2))  # an arch over the nose
    high = np.full_like(x, 0.068)
    v = np.linspace(0, 1, rows)[:, None]
    y = low + (high - low) * v
    angle = x * 0.98
    pane = np.stack((0.094 * np.sin(angle) + 0 * y, y, 0.101 * np.cos(angle) - 0.25 * np.maximum(y - 0.03, 0) + 0 * x), -1)
    edge = pane[0]
    along = unit(np.gradient(edge, axis=0))
    out = unit(edge * np.array((1, 0, 1.0)))
    up = np.cross(along, out)
    ring = np.linspace(0, 2 * math.pi, 11)[:, None, None]
    line = edge + 0.0012 * (np.cos(ring) * out + 1.25 * np.sin(ring) * up)
    around = np.repeat(edge[None], 11, 0).reshape(-1, 3)
    return [Part("glass", pane, False, outwards=np.zeros(3)), Part("glow", line, False, outwards=around)]


def bands() -> list[Part]:
    made = [ribbon("metal", arc((0, 0.75, 0.66), (0, 1, -0.25), (0, 0.1, -1.0), 44), 0.03, 0.0075)]
    made.append(ribbon("glow", arc((0, 0.765, 0.64), (0, 1, -0.2), (0, 0.35, -0.95), 44), 0.0062, 0.0094))
    for side in (-1, 1):
        made.append(ribbon("rubber", arc((side * 0.55, 0.7, 0.5), (side * 0.62, 0.8, -0.25), (side * 0.4, 0.2, -0.95)), 0.011, 0.0035))
        made.append(ribbon("glow", arc((side * 0.62, 0.6, 0.52), (side * 0.72, 0.62, -0.1), (side * 0.6, 0.35, -0.7)), 0.0042, 0.0032))
        # the chin guard's intakes
        for k in range(3):
            y = -0.62 - 0.115 * k
            made.append(ribbon("rubber", arc((side * 0.43, y, 0.62 - 0.1 * k), (side * 0.53, y + 0.01, 0.46 - 0.1 * k), (side * 0.62, y + 0.03, 0.28 - 0.1 * k), 24), 0.009, 0.0026))
    return made


def textures() -> tuple[np.ndarray, np.ndarray]:
    """The paint's colour with panel lines and signs, and its relief as a normal map, by t across and u down."""
    n, over = TEXTURE, 2
    size = n * over
    colour = np.full((size, size, 3), 236, np.uint8)
    depth = np.zeros((size, size), np.float32)

    def at(t: float, u: float) -> tuple[int, int]:
        return round(t * size), round(u * size)

    teal, dark = (38, 62, 84), (60, 64, 72)
    # a coloured flank on either side, and a band round the opening
    for a, b in ((0.17, 0.33), (0.67, 0.83)):
        cv2.rectangle(colour, at(a, 0.26), at(b, 0.8), teal, -1)
    cv2.rectangle(colour, (0, 0), at(1, 0.07), dark, -1)
    lines = [((0, 0.07), (1, 0.07)), ((0, 0.26), (1, 0.26)), ((0, 0.8), (1, 0.8))]
    lines += [((t, 0.07), (t, 0.26)) for t in (0.06, 0.14, 0.36, 0.44, 0.56, 0.64, 0.86, 0.94)]
    lines += [((t, 0.26), (t, 0.8)) for t in (0.17, 0.33, 0.67, 0.83)]
    for a, b in lines:
        cv2.line(depth, at(*a), at(*b), 1.0, 4 * over, cv2.LINE_AA)
    for t in np.arange(0.03, 1.0, 0.0625):
        cv2.circle(depth, at(t, 0.11), 3 * over, 1.0, -1, cv2.LINE_AA)
    for t in (0.2, 0.7):
        for k in range(4):
            cv2.rectangle(colour, at(t + 0.02 * k, 0.3), at(t + 0.02 * k + 0.009, 0.34), (232, 178, 40), -1)
    depth = cv2.GaussianBlur(depth, (0, 0), 1.1 * over)
    gy, gx = np.gradient(depth)
    normal = unit(np.stack((gx * 2.4, -gy * 2.4, np.ones_like(gx)), -1))
    shade = (1 - 0.55 * depth)[..., None]
    colour = np.clip(colour * shade, 0, 255).astype(np.uint8)
    small = [cv2.resize(p, (n, n), interpolation=cv2.INTER_AREA) for p in (colour, ((normal * 0.5 + 0.5) * 255).astype(np.uint8))]
    return small[0], small[1]


def write(parts: Sequence[Part], path: Path) -> None:
    blob, views, accessors, meshes = bytearray(), [], [], []

    def view(data: bytes, target: int | None = None) -> int:
        blob.extend(b"\0" * (-len(blob) % 4))
        views.append({"buffer": 0, "byteOffset": len(blob), "byteLength": len(data), **({"target": target} if target else {})})
        blob.extend(data)
        return len(views) - 1

    def accessor(array: np.ndarray, kind: str, target: int) -> int:
        component = 5126 if array.dtype == np.float32 else 5125 if array.dtype == np.uint32 else 5123
        made = {"bufferView": view(array.tobytes(), target), "componentType": component, "count": len(array), "type": kind}
        if kind == "VEC3" and target == 34962:
            made |= {"min": array.min(0).tolist(), "max": array.max(0).tolist()}
        accessors.append(made)
        return len(accessors) - 1

    names = list(MATERIALS)
    materials = []
    for name, (colour, rough, metal, emission, alpha, both) in MATERIALS.items():
        pbr = {"baseColorFactor": list(colour), "roughnessFactor": rough, "metallicFactor": metal}
        made = {"name": name, "pbrMetallicRoughness": pbr, "emissiveFactor": list(emission), "alphaMode": alpha, "doubleSided": both}
        if name == "glow":
            made["extensions"] = {"KHR_materials_emissive_strength": {"emissiveStrength": 1.6}}
        if name == "paint":
            pbr["baseColorTexture"], made["normalTexture"] = {"index": 0}, {"index": 1}
        materials.append(made)
    materials.append({**materials[0], "name": "paint", "pbrMetallicRoughness": {
        k: v for k, v in materials[0]["pbrMetallicRoughness"].items() if k != "baseColorTexture"}})  # fmt: skip
    materials[-1].pop("normalTexture")
    where = {**{n: i for i, n in enumerate(names)}, "paint_plain": len(names)}
    for name, index in where.items():
        mine = [p for p in parts if p.material == name]
        if not mine:
            continue
        starts = np.cumsum([0, *(len(p.positions) for p in mine)])
        corners = np.concatenate([p.faces.ravel() + s for p, s in zip(mine, starts, strict=False)]).astype(np.uint32)
        joined = {k: np.concatenate([getattr(p, k) for p in mine]) for k in ("positions", "normals", "uv")}
        attributes = {"POSITION": accessor(joined["positions"], "VEC3", 34962), "NORMAL": accessor(joined["normals"], "VEC3", 34962)}
        if index == 0:
            attributes["TEXCOORD_0"] = accessor(joined["uv"], "VEC2", 34962)
        small = corners.astype(np.uint16) if corners.max() < 65536 else corners
        meshes.append({"primitives": [{"attributes": attributes, "indices": accessor(small, "SCALAR", 34963), "material": index}]})
    images = []
    for picture in textures():
        done, data = cv2.imencode(".png", picture[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 9])
        assert done
        images.append({"bufferView": view(data.tobytes()), "mimeType": "image/png"})
    blob.extend(b"\0" * (-len(blob) % 4))
    document = {
        "asset": {"version": "2.0", "generator": "effects_library/headset/make_assets.py"}, "scene": 0,
        "scenes": [{"nodes": list(range(len(meshes)))}], "nodes": [{"mesh": i} for i in range(len(meshes))],
        "meshes": meshes, "materials": materials, "textures": [{"source": 0}, {"source": 1}], "images": images,
        "accessors": accessors, "bufferViews": views, "buffers": [{"byteLength": len(blob)}],
        "extensionsUsed": ["KHR_materials_emissive_strength"],
    }  # fmt: skip
    text = json.dumps(document, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    whole = struct.pack("<II", len(text), 0x4E4F534A) + text + struct.pack("<II", len(blob), 0x004E4942) + bytes(blob)
    path.write_bytes(struct.pack("<4sII", b"glTF", 2, 12 + len(whole)) + whole)


def main() -> None:
    parts = [*shell(), *bands(), *ear(-1.0), *ear(1.0), *visor()]
    path = HERE / "assets" / "helmet.glb"
    path.parent.mkdir(exist_ok=True)
    write(parts, path)
    print(f"{path}: {sum(len(p.faces) for p in parts)} triangles, {path.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
