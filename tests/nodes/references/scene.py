"""Scenes: the shading equations in NumPy, in their papers' own terms."""

from __future__ import annotations

import numpy as np

from references import Place, Reference, mixed, photo, sample, smoothstep, soft_mask, surface
from spellwire.nodes.light import DIRECTIONAL, POINT, RIM
from spellwire.nodes.shading import ShadeScene


def decoded(v):
    return np.where(v <= 0.04045, v / 12.92, ((np.maximum(v, 0) + 0.055) / 1.055) ** 2.4)


def encoded(v):
    return np.where(v <= 0.0031308, 12.92 * v, 1.055 * np.maximum(v, 0) ** (1 / 2.4) - 0.055)


def dot(a, b):
    return np.sum(a * b, axis=-1, keepdims=True)


def unit(v):
    return v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-6)


def lamp_on(lamp, place, n, v, rough, f0):
    """Lambert, and GGX (Walter 2007) with Karis' visibility for phones and his Fresnel by powers of two."""
    kind, position, tint, intensity, reach = lamp[0], np.array(lamp[1:4]), decoded(np.array(lamp[4:7])), lamp[7], lamp[8]
    way = position - place if kind == POINT else np.broadcast_to(position, place.shape)
    distance = np.linalg.norm(way, axis=-1, keepdims=True)
    light = way / distance
    if kind == POINT:
        intensity = intensity / (1 + (distance / reach) ** 2)
    cosine = np.clip(dot(n, light), 0, 1)
    h = unit(light + v)
    a2 = rough**4
    d = np.minimum(a2 / (np.pi * (np.clip(dot(n, h), 0, 1) ** 2 * (a2 - 1) + 1) ** 2), 40)
    vh = np.clip(dot(light, h), 0, 1)
    fresnel = f0 + (1 - f0) * 2 ** ((-5.55473 * vh - 6.98316) * vh)
    gloss = np.pi * d * (0.25 + 0.25 * rough) * fresnel * cosine
    if kind == RIM:
        nv = np.clip(dot(n, v), 0.02, 1)
        edge = smoothstep(0.4, 1.0, 1 - nv) * np.clip(1.25 * dot(n, light), 0, 1)
        return np.zeros_like(gloss), tint * intensity * (gloss / 2 + edge * (1 + f0) / 2)
    return tint * intensity * cosine, tint * intensity * gloss


def box(value, low, high, blur):
    return smoothstep(low - blur, low + blur, value) * (1 - smoothstep(high - blur, high + blur, value))


def studio(way, rough):
    x, y = way[..., :1], way[..., 1:2]
    blur = 0.015 + rough / 2
    made = mixed(0.12, 0.62, smoothstep(-0.7, 0.9, y))
    made = made + (1.5 - rough) * smoothstep(0.66 - blur, 0.7 + blur, y)
    made = made + (2.2 - 1.5 * rough) * box(x, -0.93, -0.7, blur) * box(y, -0.12, 0.5, blur)
    return made + (1.4 - 0.9 * rough) * box(x, 0.8, 0.95, blur) * box(y, -0.05, 0.4, blur)


def split_sum(f0, rough, nv):
    """Lazarov's approximation in Karis' form: scale and bias of F0."""
    r = rough * np.array((-1, -0.0275, -0.572, 0.022)) + np.array((1, 0.0425, 1.04, -0.04))
    a004 = np.minimum(np.clip(r[..., :1], 0, 1) ** 2, 2 ** (-9.28 * nv)) * np.clip(r[..., :1], 0, 1) + r[..., 1:2]
    return f0 * (-1.04 * a004 + r[..., 2:3]) + 1.04 * a004 + r[..., 3:]


def rolled(rgb):
    peak = rgb.max(-1, keepdims=True)
    held = np.where(peak > 0.75, 0.75 + 0.25 * (1 - np.exp(-(peak - 0.75) / 0.25)), peak)
    return rgb * held / np.maximum(peak, 1e-9)


def shade(
    surface, colour, finish, emission, key, fill, rim, environment, ambient, ambient_strength, reflections, glow, exposure,
    working_space, at: Place,
):  # fmt: skip
    cover = np.maximum(finish[..., 3:], 1e-4)
    albedo = decoded(np.clip(colour[..., :3] / np.maximum(colour[..., 3:], 1e-4), 0, 1))
    rough, metal, open_ = (np.clip(finish[..., k : k + 1] / cover, low, 1) for k, low in ((0, 0.03), (1, 0), (2, 0)))
    opacity = np.minimum(colour[..., 3:] / cover, 1)
    n = unit(surface[..., 3:6] + [0, 0, 1e-5])
    place = np.concatenate([at.x - at.aspect / 2, 0.5 - at.y, surface[..., 6:7]], axis=-1)
    span = 2 * np.tan(np.radians(63 / 2))  # frame heights at distance 1 of the camera that is assumed
    v = unit(np.concatenate([-span * place[..., :2], np.ones_like(opacity)], axis=-1))
    nv = np.clip(dot(n, v), 0.02, 1)
    f0 = mixed(0.04, albedo, metal)
    diffuse, gloss = np.zeros_like(albedo), np.zeros_like(albedo)
    for lamp in (lamp for lamp in (key, fill, rim) if lamp[7] > 0):
        spread, mirrored = lamp_on(lamp, place, n, v, rough, f0)
        diffuse, gloss = diffuse + spread, gloss + mirrored * np.minimum(2 * open_, 1)
    around = decoded(np.clip(np.array(ambient[:3]), 0, 4)) * ambient_strength
    diffuse = diffuse + around * mixed(0.45, 1.15, (n[..., 1:2] + 1) / 2) * open_
    r = 2 * dot(n, v) * n - v
    seen = around * studio(r, rough) * 2 * reflections * open_
    if environment.any():
        x = np.clip(at.aspect / 2 + 0.3 * place[..., :1] + 0.45 * at.aspect * r[..., :1], 0, at.aspect)
        tint = sample(environment, x, np.clip(0.5 - 0.45 * r[..., 1:2], 0, 1), at)
        seen = seen * mixed(1, 0.35 + 1.6 * decoded(np.clip(tint[..., :3], 0, 1)), np.clip(tint[..., 3:], 0, 1))
    gloss = gloss + seen * split_sum(f0, rough, nv)
    shines = glow * decoded(np.clip(emission[..., :3] / cover, 0, 8))
    shown = rolled(encoded((diffuse * albedo * (1 - metal) * opacity + gloss + shines) * 2.0**exposure))
    if working_space == "linear":
        shown = decoded(shown)
    return np.concatenate([shown * np.clip(finish[..., 3:], 0, 1), np.clip(colour[..., 3:], 0, 1)], axis=-1)


def covered(seed, channels=3, alpha=1.0):
    """Values from 0 to 1, premultiplied by the coverage of what was drawn."""

    def made(w, h):
        cover = np.maximum(soft_mask(60, w, h), 0.05)
        values = photo(seed, w, h, alpha=False)[..., :channels] * cover
        return np.concatenate([values, cover * alpha], axis=-1).astype(np.float32)

    return made


LAMPS = {
    "key": (DIRECTIONAL, 0.5, 0.6, 0.62, 1.0, 0.8, 0.6, 0.9, 1.0),
    "fill": (POINT, -0.4, 0.1, 0.6, 0.4, 0.6, 1.0, 1.2, 0.8),
    "rim": (RIM, 0.7, 0.6, -0.25, 0.9, 0.9, 1.0, 0.8, 1.0),
}
DRAWN = {
    "surface": lambda w, h: surface(7, w, h), "colour": covered(31), "finish": covered(32),
    "emission": lambda w, h: covered(33, alpha=0.0)(w, h) * np.float32(0.2),
}  # fmt: skip
REFERENCES = {
    ShadeScene: Reference(
        shade,
        cases=(
            {}, {"reflections": 2.0, "ambient_strength": 1.2, "ambient": (1.1, 0.9, 0.7, 1.0), "exposure": -0.7},
            {"glow": 3.0, "ambient_strength": 0.1, "working_space": "linear"},
        ),
        inputs={**DRAWN, **LAMPS, "environment": lambda w, h: photo(40, w, h, alpha=False)},
    ),
}  # fmt: skip
