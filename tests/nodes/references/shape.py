"""Shapes: OpenCV's distance to the outline as a polygon of many points, inside or outside by its point test."""

from __future__ import annotations

import cv2
import numpy as np

from references import Reference, smoothstep
from spellwire.nodes import shape as s


def covered(distance, softness, at):
    width = max(softness, at.pixel)
    return 1 - smoothstep(-width / 2, width / 2, distance)


def to_outline(points, at, centre, angle):
    """Signed distance of each pixel to a closed outline given about 0, y down: turned, moved, measured by OpenCV."""
    turn = np.exp(1j * np.deg2rad(angle))
    placed = np.asarray(points) * turn + complex(*centre) + complex(at.aspect / 2, 0.5)
    outline = np.stack([placed.real, placed.imag], -1).astype(np.float32)
    places = np.concatenate([at.x, at.y], -1).reshape(-1, 2)
    found = [cv2.pointPolygonTest(outline, (float(x), float(y)), True) for x, y in places]
    return -np.reshape(found, at.x.shape)


def finish(distance, line, softness, at):
    return covered(abs(distance) - line / 2 if line > 0 else distance, softness, at)


def spiky(count, outer, inner):
    turn = np.exp(1j * (np.arange(2 * count) * np.pi / count - np.pi / 2))
    return turn * np.where(np.arange(2 * count) % 2, inner, outer)


def polygon(centre, angle, softness, size, line, corner, corners, at):
    reach = size / 2 - corner
    points = np.exp(1j * (np.arange(corners) * 2 * np.pi / corners - np.pi / 2)) * reach
    return finish(to_outline(points, at, centre, angle) - corner, line, softness, at)


def star(centre, angle, softness, size, line, corner, points, depth, at):
    reach = size / 2 - corner
    return finish(to_outline(spiky(points, reach, reach * (1 - depth)), at, centre, angle) - corner, line, softness, at)


def heart(centre, angle, softness, size, line, at):
    """Right half: up the side of a square on its corner, then half way round a disc; y down, middle at 0."""
    arc = np.deg2rad(np.linspace(-45, 135, 200))
    right = np.concatenate([[0, 0.5 + 0.5j], 0.25 + 0.75j + np.sqrt(0.125) * np.exp(1j * arc)])
    whole = np.concatenate([right, -right[::-1].conj()])
    high = 0.75 + np.sqrt(0.125)
    points = (whole.real + 1j * (high / 2 - whole.imag)) * size / (0.5 + np.sqrt(0.5))
    return finish(to_outline(points, at, centre, angle), line, softness, at)


def cross(centre, angle, softness, size, line, corner, arm, at):
    """Two rounded bars joined: each a rectangle grown by its corner's radius."""
    r = min(corner, size / 2 * arm * 0.95)
    bars = []
    for w, h in ((size / 2, size / 2 * arm), (size / 2 * arm, size / 2)):
        x, y = w - r, h - r
        bars.append(to_outline([-x - 1j * y, x - 1j * y, x + 1j * y, -x + 1j * y], at, centre, angle) - r)
    return finish(np.minimum(*bars), line, softness, at)


def arc(centre, angle, softness, size, thickness, sweep, at):
    """Distance to the nearest of many points along the arc."""
    turns = np.deg2rad(angle + np.linspace(0, sweep, 1500) - 90)
    points = size / 2 * np.exp(1j * turns) + complex(*centre)
    place = (at.x - at.aspect / 2) + 1j * (at.y - 0.5)
    distance = np.abs(place - points).min(-1, keepdims=True)
    return covered(distance - thickness / 2, softness, at)


def line(start, end, thickness, taper, softness, at):
    """Distance to the nearest of many points, each with the thickness there."""
    place = (at.x - at.aspect / 2) + 1j * (at.y - 0.5)
    way = complex(*end) - complex(*start)
    share = np.clip(((place - complex(*start)) / way).real, 0, 1)
    return covered(abs(place - complex(*start) - share * way) - thickness / 2 * (1 + (taper - 1) * share), softness, at)


TURNED = {"centre": (0.1, -0.05), "angle": 20.0, "softness": 0.06}
REFERENCES = {
    s.Polygon: Reference(polygon, cases=({"softness": 0.1}, {**TURNED, "corners": 3, "corner": 0.05}, {**TURNED, "line": 0.05})),
    s.Star: Reference(star, cases=({"softness": 0.1}, {**TURNED, "points": 7, "depth": 0.3, "corner": 0.03},
                                   {**TURNED, "line": 0.04})),
    s.Heart: Reference(heart, cases=({"softness": 0.1}, {**TURNED, "line": 0.05})),
    s.Cross: Reference(cross, cases=({"softness": 0.1}, {**TURNED, "corner": 0.05, "arm": 0.5}, {**TURNED, "line": 0.03})),
    s.Arc: Reference(arc, cases=({"softness": 0.05}, {**TURNED, "sweep": 250.0})),
    s.Line: Reference(line, cases=({"softness": 0.1}, {"start": (-0.4, 0.2), "end": (0.2, -0.3), "thickness": 0.15, "taper": 0.2,
                                                      "softness": 0.03})),
}  # fmt: skip
