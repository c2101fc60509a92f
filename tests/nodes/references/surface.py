"""Surfaces: shading by vectors in NumPy."""

from __future__ import annotations

import numpy as np

from references import Reference, grey, joined, mixed, photo, smoothstep, straight, surface
from spellwire.nodes import surface as s
from spellwire.nodes.light import DIRECTIONAL, POINT, RIM


def unit(v):
    return v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-6)


def merge(over, under):
    a, b = over[..., :1], under[..., :1]
    whole = 1 - (1 - a) * (1 - b)
    share = a / np.maximum(whole, 1e-6)
    upper = share > 0.5
    return np.concatenate([
        whole, np.where(upper, over[..., 1:3], under[..., 1:3]), unit(mixed(under[..., 3:6], over[..., 3:6], share)),
        mixed(under[..., 6:7], over[..., 6:7], share), np.where(upper, over[..., 7:], under[..., 7:]),
    ], axis=-1)  # fmt: skip


def lamp_on(lamp, place, normal, wrap, shine, roughness):
    kind, position, colour, intensity, reach = lamp[0], np.array(lamp[1:4]), np.array(lamp[4:7]), lamp[7], lamp[8]
    way = np.broadcast_to(position, place.shape) - (place if kind == POINT else 0)
    distance = np.linalg.norm(way, axis=-1, keepdims=True)
    towards = way / np.maximum(distance, 1e-4)
    if kind == POINT:
        intensity = intensity / (1 + (distance / reach) ** 2)
    facing = (normal * towards).sum(-1, keepdims=True)
    none = np.zeros_like(facing)
    if kind == RIM:
        edge = smoothstep(0.45, 1.0, 1 - normal[..., 2:]) * np.clip(1.25 * facing, 0, 1)
        return colour * none, colour * intensity * edge
    diffuse = np.clip((facing + wrap) / (1 + wrap), 0, 1)
    exponent = np.clip(2 / max(roughness**4, 1e-3) - 2, 1, 512)
    half = unit(towards + [0, 0, 1])
    gloss = np.clip((normal * half).sum(-1, keepdims=True), 0, 1) ** exponent * (exponent + 8) / 8 * 0.04
    return colour * intensity * diffuse, colour * intensity * gloss * shine * diffuse


def shade(surface, key, fill, rim, relief, wrap, shine, roughness, at):
    normal = unit(surface[..., 3:6] * [relief, relief, 1])
    place = np.concatenate([at.x - at.aspect / 2, 0.5 - at.y, surface[..., 6:7]], axis=-1)
    parts = [lamp_on(lamp, place, normal, wrap, shine, roughness) for lamp in (key, fill, rim) if lamp[7] > 0]
    tinted, white = (sum(p[k] for p in parts) for k in (0, 1))
    return np.concatenate([tinted + white, grey(white) / np.maximum(grey(tinted + white), 1e-4)], axis=-1)


def apply_light(image, light, mask, strength, ambient, background, background_tint):
    rgb, a = straight(image)
    person = np.clip(mask, 0, 1)
    around = background * np.array(background_tint[:3])
    own = rgb * mixed(around, ambient, person)
    mirrored = light[..., 3:]
    dull = 0.15 + 0.85 * grey(np.clip(rgb, 0, 1))
    lit = own + light[..., :3] * person * (np.maximum(rgb, 0) * (1 - mirrored) + mirrored * dull)
    peak = lit.max(-1, keepdims=True)
    held = np.where(peak > 0.75, 0.75 + 0.25 * (1 - np.exp(-(peak - 0.75) / 0.25)), peak)
    return joined(mixed(rgb, lit * held / np.maximum(peak, 1e-9), strength), a)


def show_normals(image, surface):
    seen = joined(unit(surface[..., 3:6]) / 2 + 0.5, 1.0)
    return mixed(image, seen, surface[..., :1])


LAMPS = {
    "key": (DIRECTIONAL, 0.5, 0.6, 0.62, 1.0, 0.8, 0.6, 0.9, 1.0),
    "fill": (POINT, -0.4, 0.1, 0.6, 0.4, 0.6, 1.0, 1.2, 0.8),
    "rim": (RIM, 0.7, 0.6, -0.25, 0.9, 0.9, 1.0, 0.8, 1.0),
}
REFERENCES = {
    s.MergeSurfaces: Reference(merge, inputs={"under": lambda w, h: np.maximum(surface(1, w, h), [0.2] + [-9] * 7)}),
    s.ShadeSurface: Reference(shade, cases=({}, {"relief": 2.0, "wrap": 0.1, "shine": 1.5, "roughness": 0.4}), inputs=LAMPS),
    s.ApplyLight: Reference(apply_light, cases=({}, {"ambient": 0.8, "background": 1.2}),
                            inputs={"light": lambda w, h: photo(4, w, h, most=1.5, alpha=False) * [1, 1, 1, 0.4]}),
    s.ShowNormals: Reference(show_normals),
}  # fmt: skip
