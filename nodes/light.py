"""Light: lamps as values, and how they shine. `surface.shade` throws them on a surface.

Positions are in frame heights from the frame's centre: x right, y up, z towards the camera.
"""

from __future__ import annotations

import math

from ..graph.declare import Out, Param, ProcessNode, param, result
from ..graph.types import Colour, Light, Number, Vector3
from ..runtime.pixel import Vec, clamp, dot, maximum, mix, normalize, power, vec

__all__ = ["DIRECTIONAL", "POINT", "RIM", "DirectionalLight", "PointLight", "RimLight", "facing", "sheen"]

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
