"""Light: lamps as values, and how they shine. `surface.shade` throws them on a surface.

Positions are in frame heights from the frame's centre: x right, y up, z towards the camera.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..graph.declare import In, Out, Param, ProcessNode, frame_space, param, port, result, slot
from ..graph.types import Colour, Faces, Image, Light, Number, Vector3
from ..runtime.frames import Frame, Geometry
from ..runtime.models.resolver import resolve
from ..runtime.perception.light import LightEstimator, LightState
from ..runtime.perception.topology import GEOMETRY, read_topology
from ..runtime.pixel import Vec, clamp, dot, maximum, mix, normalize, power, vec

__all__ = ["DIRECTIONAL", "POINT", "RIM", "DirectionalLight", "EstimateLight", "PointLight", "RimLight", "facing", "sheen"]

DIRECTIONAL, POINT, RIM = 0.0, 1.0, 2.0
LOG2_E = 1.4426950408889634
REFLECTANCE = 0.04  # of a dielectric, skin too, seen from the front


class DirectionalLight(ProcessNode, type="light.directional"):
    """A lamp far away: all of the scene gets it from one side, like sunlight or a studio's key light."""

    azimuth: Param[Number] = param(40.0, low=-180, high=180, step=1, unit="°", doc="0 from the camera, 90 from the right")
    elevation: Param[Number] = param(30.0, low=-90, high=90, step=1, unit="°", doc="0 level, 90 from above")
    colour: Param[Colour] = param((1.0, 0.93, 0.84, 1.0), widget="colour", doc="of the light")
    intensity: Param[Number] = param(0.8, low=0, high=8, step=0.01, doc="1 lights as strongly as the picture is lit")
    out: Out[Light] = result(doc="the lamp")

    def process(self, azimuth, elevation, colour, intensity):
        a, e = math.radians(azimuth), math.radians(elevation)
        towards = (math.sin(a) * math.cos(e), math.sin(e), math.cos(a) * math.cos(e))
        return (DIRECTIONAL, *towards, *colour[:3], intensity, 1.0)


class PointLight(ProcessNode, type="light.point"):
    """A lamp near the face, like a candle, a screen or a ring light. Move it and the shading moves."""

    position: Param[Vector3] = param((0.35, 0.25, 0.5), low=-4, high=4, step=0.01, unit="frame heights",
                                     doc="from the frame's centre: x right, y up, z towards the camera")  # fmt: skip
    colour: Param[Colour] = param((1.0, 0.85, 0.65, 1.0), widget="colour", doc="of the light")
    intensity: Param[Number] = param(1.2, low=0, high=8, step=0.01, doc="close to the lamp")
    reach: Param[Number] = param(0.8, low=0.05, high=8, step=0.01, unit="frame heights", doc="where half is left")
    out: Out[Light] = result(doc="the lamp")

    def process(self, position, colour, intensity, reach):
        return (POINT, *position, *colour[:3], intensity, reach)


class RimLight(ProcessNode, type="light.rim"):
    """A lamp behind the person: it draws a bright line where a surface turns away from the camera, on its side."""

    angle: Param[Number] = param(-50.0, low=-180, high=180, step=1, unit="°", doc="0 from above, 90 from the right")
    colour: Param[Colour] = param((0.65, 0.82, 1.0, 1.0), widget="colour", doc="of the light")
    intensity: Param[Number] = param(0.8, low=0, high=8, step=0.01, doc="at the silhouette")
    out: Out[Light] = result(doc="the lamp")

    def process(self, angle, colour, intensity):
        a = math.radians(angle)
        return (RIM, math.sin(a), math.cos(a), -0.25, *colour[:3], intensity, 1.0)


class EstimateLight(ProcessNode, type="light.estimate", fallback="last"):
    """The light in the frame, for things that are put into it: colour, brightness, where the main light is.

    With a face it looks at which side of the face is bright; without one, at which side of the picture. It is a guess that
    looks right more often than a fixed lamp does.
    """

    image: In[Image] = port(display=True, doc="the frame")
    faces: In[Faces] = port(optional=True, doc="tracked faces: the largest one is looked at")
    seconds: Param[Number] = param(0.7, low=0, high=10, step=0.05, unit="s", doc="how slowly it follows a change")
    strength: Param[Number] = param(1.0, low=0, high=4, step=0.01, doc="of the lamp that stands for the main light")
    out: Out[Light] = result(doc="a lamp far away, where the main light comes from")
    ambient: Out[Colour] = result(doc="colour of the light from everywhere, at about its brightness")
    brightness: Out[Number] = result(doc="of the frame: 1 = as bright as a well-lit room")
    environment: Out[Image] = result(space=frame_space, size="free", doc="the frame, very small and soft: what surrounds things")
    estimated = slot()

    def open(self, context: Any) -> None:
        self._estimator = LightEstimator(read_topology(resolve(GEOMETRY)).triangles)
        self._linear = context.working_space == "linear"
        self._around = np.ones((1, 1, 4), np.float32)

    def process(self, image: Frame, faces: Any, seconds: float, strength: float, tick: Any, state: Any) -> Any:
        light = state.estimated = state.estimated or LightState()
        blend = 1.0 - math.exp(-tick.delta / seconds) if seconds > 0 else 1.0
        face = max(faces, key=_area_of, default=None)
        self._estimator(image.data, None if face is None else _in_picture(face.landmarks, image.geometry), light, blend)
        way, colour = light.way / max(float(np.linalg.norm(light.way)), 1e-6), light.colour
        bright = float(colour @ (0.2126, 0.7152, 0.0722))
        hue = colour / max(bright, 1e-4)
        hue = 1.0 + 0.4 * (np.clip(hue, 0.5, 2.0) - 1.0)  # not all colour is the light's
        level = float(np.clip((bright / 0.2) ** 0.6, 0.2, 1.5))
        share = float(np.linalg.norm(light.way))
        colours = _srgb(np.clip(hue, 0.0, 2.0)) if not self._linear else hue
        lamp = (DIRECTIONAL, *map(float, way), *map(float, colours), strength * level * (0.35 + 1.3 * share), 1.0)
        return lamp, (*map(float, np.clip(colours * level**0.6, 0.0, 2.0)), 1.0), level, self._surroundings(image.geometry)

    def _surroundings(self, geometry: Geometry) -> Frame:
        small = self._estimator.small
        if self._around.shape[:2] != small.shape[:2]:
            self._around = np.ones((*small.shape[:2], 4), np.float32)
        np.multiply(small, 1 / 255, out=self._around[..., :3], casting="unsafe")
        rows, columns = small.shape[:2]
        a, b, c, d, e, f = geometry.to_frame
        across, down = geometry.width / columns, geometry.height / rows
        return Frame(self._around, Geometry(columns, rows, (a * across, b * down, c, d * across, e * down, f)))


def _srgb(linear: np.ndarray) -> np.ndarray:
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * np.power(np.maximum(linear, 1e-9), 1 / 2.4) - 0.055)


def _area_of(face: Any) -> float:
    width, height = np.ptp(face.landmarks[:, :2], axis=0)
    return float(width * height)


def _in_picture(landmarks: np.ndarray, geometry: Geometry) -> np.ndarray:
    """Landmarks in frame pixels, in the picture's."""
    a, _, c, _, e, f = geometry.from_frame()
    if (a, c, e, f) == (1.0, 0.0, 1.0, 0.0):
        return landmarks
    return landmarks * np.array((a, e, a), np.float32) + np.array((c, f, 0.0), np.float32)


def facing(normal: Vec, shaped: Vec, relief: Vec) -> Vec:
    """The surface's normal where it is, the camera's direction where it is not."""
    deep = vec(normal.x * relief, normal.y * relief, normal.z)
    return normalize(mix(vec(0.0, 0.0, 1.0), deep, shaped))


def sheen(normal: Vec, towards: Vec, roughness: Vec) -> Vec:
    """Blinn and Phong's highlight at the GGX-like exponent 2/α² − 2, α = roughness²; brightness kept over roughness."""
    alpha = roughness * roughness
    exponent = clamp(2.0 / maximum(alpha * alpha, 1e-3) - 2.0, 1.0, 512.0)
    half = normalize(towards + vec(0.0, 0.0, 1.0))
    return power(clamp(dot(normal, half)), exponent) * ((exponent + 8.0) * (REFLECTANCE / 8.0))
