"""Models the helmet of `headset` and writes it as assets/helmet.glb: python effects_library/headset/make_assets.py

All of it is made here: shapes by formulas, textures drawn pixel by pixel. Metres, in the head's space: x to the person's left, y up, z
out of the face, the origin in the middle of the head.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))
from glb import Group, Material, Part, rounded, turned, unit, write

HERE = Path(__file__).parent
CENTRE = np.array((0.0, 0.02, -0.026))
RADII = np.array((0.105, 0.134, 0.136))  # half axes of the shell
POWER = 2.5  # 2 an ellipsoid, more is boxier
THICK = 0.008
AROUND, ALONG = 96, 26  # of the shell: round its opening, and from there to its back
TEXTURE = 512

WHITE = (0.86, 0.87, 0.9, 1.0)

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
        Part("shell", outer, CENTRE, uv), Part("lining", inner, CENTRE),
        Part("rubber", bead, np.repeat(middle[None], 11, 0)),
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
    return Part(material, np.stack(rows), np.repeat(foot[None] - out * 0.01, len(profile), 0))


def arc(start: Sequence[float], over: Sequence[float], end: Sequence[float], count: int = 32) -> np.ndarray:
    """Directions along a curve through three points."""
    t = np.linspace(0, 1, count)[:, None]
    a, b, c = (np.asarray(p, float) for p in (start, over, end))
    return unit(a * (2 * t - 1) * (t - 1) + b * 4 * t * (1 - t) + c * t * (2 * t - 1))


def ear(side: float) -> list[Part]:
    place = np.array((side * 0.097, 0.012, -0.012))
    axis = np.array((side, 0.04, 0.1))
    cup = rounded([(0.047, -0.003), (0.047, 0.008), (0.039, 0.0165), (0.031, 0.0165), (0.03, 0.013)], 0.006)
    ring = rounded([(0.0305, 0.011), (0.0305, 0.0168), (0.026, 0.0168), (0.026, 0.011)], 0.0015)
    lid = rounded([(0.0265, 0.01), (0.0265, 0.0185), (0.021, 0.0215), (0.012, 0.0215), (0.0105, 0.019), (0.0, 0.019)], 0.0025)
    hub = rounded([(0.009, 0.017), (0.009, 0.0225), (0.0, 0.0232)], 0.002)
    parts = [turned("metal", cup, place, axis), turned("glow", ring, place, axis), turned("paint", lid, place, axis),
             turned("metal", hub, place, axis)]  # fmt: skip
    if side < 0:  # the person's right
        foot = place + np.array((-0.012, 0.034, -0.018))
        way = unit(np.array((-0.1, 1.0, -0.28)))
        base = rounded([(0.0062, -0.006), (0.0062, 0.01), (0.003, 0.014), (0.0018, 0.016)], 0.002)
        rod = [(0.0028, 0.012), (0.0022, 0.085), (0.0018, 0.088)]
        tip = [(0.0042 * math.sin(x), 0.0905 - 0.0042 * math.cos(x)) for x in np.linspace(0.05, math.pi, 9)]
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
    return [Part("glass", pane, np.zeros(3)), Part("glow", line, np.repeat(edge[None], 11, 0))]


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


def main() -> None:
    colour, normal = textures()
    materials = {
        "paint": Material(WHITE, 0.3, 0.15), "shell": Material(WHITE, 0.3, 0.15, albedo=colour, normal=normal),
        "lining": Material((0.018, 0.019, 0.023, 1.0), 0.85, both=True), "rubber": Material((0.02, 0.021, 0.024, 1.0), 0.55),
        "metal": Material((0.34, 0.35, 0.38, 1.0), 0.28, 1.0),
        "glow": Material((0.01, 0.03, 0.04, 1.0), 0.4, emission=(0.05, 0.75, 1.0), strength=1.6),
        "glass": Material((0.01, 0.05, 0.07, 0.3), 0.06, alpha="BLEND", both=True),
    }  # fmt: skip
    parts = [*shell(), *bands(), *ear(-1.0), *ear(1.0), *visor()]
    print(write(HERE / "assets" / "helmet.glb", {"helmet": Group(parts)}, materials, "effects_library/headset/make_assets.py"))


if __name__ == "__main__":
    main()
