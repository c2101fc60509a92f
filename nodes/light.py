"""Light: lamps as values, and a surface lit by them.

Positions are in frame heights from the frame's centre: x right, y up, z towards the camera.
"""

from __future__ import annotations

import math

from ..graph.declare import In, Out, Param, PixelNode, ProcessNode, param, port, result
from ..graph.types import Colour, Image, Light, Mask, Number, Surface, Vector3
from ..runtime.pixel import Vec, clamp, dot, exp2, length, maximum, mix, normalize, power, select, vec
from ..runtime.pixel.colour import premultiply, unpremultiply

__all__ = ["DIRECTIONAL", "POINT", "RIM", "DirectionalLight", "LightSurface", "PointLight", "RimLight"]

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
    """A lamp behind the person: it draws a bright line along the side of the silhouette that faces it."""

    angle: Param[Number] = param(-50.0, low=-180, high=180, step=1, unit="°", doc="0 from above, 90 from the right")
    width: Param[Number] = param(0.025, low=0.002, high=0.2, step=0.001, unit="frame heights", doc="of the line")
    colour: Param[Colour] = param((0.65, 0.82, 1.0, 1.0), widget="colour", doc="of the light")
    intensity: Param[Number] = param(0.8, low=0, high=8, step=0.01, doc="at the silhouette")
    out: Out[Light] = result(doc="the lamp")

    def process(self, angle, width, colour, intensity):
        a = math.radians(angle)
        return (RIM, math.sin(a), math.cos(a), -0.25, *colour[:3], intensity, width)


class LightSurface(PixelNode, type="light.surface"):
    """Light a person anew: a face's surface (and, flatly, what else the mask covers) under up to three lamps.

    The picture's own light is kept by `ambient` on the person and by `background` around, which makes room; the lamps
    then add to what is left, and never burn out: c → 1 − (1 − c)·e^(−light).

        light = picture · diffuse + sheen + rim
        diffuse   Lambert, wrapped around the terminator as far as light scatters in skin
        sheen     Blinn and Phong's highlight, normalised, of a dielectric of `roughness`
        rim       where the mask ends towards the lamp, and where the surface turns away from the camera
    """

    image: In[Image] = port(domain=True, doc="the picture")
    surface: In[Surface] = port(doc="what has shape: a face")
    mask: In[Mask] = port(optional=True, default=(1.0,), doc="where light may fall: the person; unwired: everywhere")
    key: In[Light] = port(optional=True, doc="the main lamp")
    fill: In[Light] = port(optional=True, doc="a second lamp, which lightens the shadows")
    rim: In[Light] = port(optional=True, doc="a lamp behind: also draws the mask's silhouette")
    strength: Param[Number] = param(1.0, low=0, high=1, step=0.01, doc="0 the picture as it is")
    ambient: Param[Number] = param(0.6, low=0, high=2, step=0.01, doc="of the picture's own light kept on the person")
    background: Param[Number] = param(0.7, low=0, high=2, step=0.01, doc="of the picture's own light kept around")
    spread: Param[Number] = param(0.6, low=0, high=1, step=0.01, doc="how much lamps light the mask beside the surface")
    relief: Param[Number] = param(1.0, low=0, high=3, step=0.01, doc="1 true shape, above deeper, below flatter")
    wrap: Param[Number] = param(0.35, low=0, high=1, step=0.01, doc="softness of the border between light and shadow")
    shine: Param[Number] = param(1.0, low=0, high=8, step=0.01, doc="of the highlight; 1 is skin")
    roughness: Param[Number] = param(0.5, low=0.1, high=1, step=0.01, doc="small: wet and tight, large: powdered")
    out: Out[Image] = result(doc="the picture, lit; alpha as it was")

    def pixel(self, image, surface, mask, key, fill, rim, strength, ambient, background, spread, relief, wrap, shine,
              roughness, at):  # fmt: skip
        person = clamp(mask)
        shaped = clamp(surface.coverage)
        lit = person * mix(spread, 1.0, shaped)
        albedo = maximum(unpremultiply(image), 0.0)
        place = vec(at.x - 0.5 * at.aspect, 0.5 - at.y, surface.depth)
        normal = facing(surface.normal, shaped, relief)
        skin = (wrap, shine * shaped, roughness, shaped)
        light = vec(0.0, 0.0, 0.0)
        for lamp in (key, fill, rim):
            light = light + shade(lamp, place, normal, albedo, skin) * lit
        line = silhouette(mask, at, rim) * person
        light = light + rim[4:7] * (rim[7] * line) * (0.3 + 0.7 * albedo)
        kept = unpremultiply(image) * mix(background, ambient, person)
        added = kept + maximum(1.0 - kept, 0.0) * (1.0 - exp2(-LOG2_E * light))
        return premultiply(mix(unpremultiply(image), added, strength), image.a)


def facing(normal: Vec, shaped: Vec, relief: Vec) -> Vec:
    """The surface's normal where it is, the camera's direction where it is not."""
    deep = vec(normal.x * relief, normal.y * relief, normal.z)
    return normalize(mix(vec(0.0, 0.0, 1.0), deep, shaped))


def shade(lamp: Vec, place: Vec, normal: Vec, albedo: Vec, skin: tuple[Vec, Vec, Vec, Vec]) -> Vec:
    """What one lamp adds: diffuse and sheen, or, from behind, the rim of a surface that turns away."""
    wrap, shine, roughness, shaped = skin
    is_point, is_rim = lamp[0] * (2.0 - lamp[0]), 0.5 * lamp[0] * (lamp[0] - 1.0)  # exact for kinds 0, 1, 2
    way = lamp[1:4] - place * is_point
    distance = length(way)
    towards = way / maximum(distance, 1e-4)
    near = distance / maximum(lamp[8], 1e-3)
    power_here = lamp[7] / (1.0 + near * near * is_point)
    facing_lamp = dot(normal, towards)
    diffuse = clamp((facing_lamp + wrap) / (1.0 + wrap)) * (1.0 - is_rim)
    turned = 1.0 - clamp(normal.z)
    edge = turned * turned * clamp(facing_lamp + 0.5) * is_rim * shaped
    return lamp[4:7] * (power_here * (albedo * diffuse + sheen(normal, towards, roughness) * shine * diffuse + edge))


def sheen(normal: Vec, towards: Vec, roughness: Vec) -> Vec:
    """Blinn and Phong's highlight at the GGX-like exponent 2/α² − 2, α = roughness²; brightness kept over roughness."""
    alpha = roughness * roughness
    exponent = clamp(2.0 / maximum(alpha * alpha, 1e-3) - 2.0, 1.0, 512.0)
    half = normalize(towards + vec(0.0, 0.0, 1.0))
    return power(clamp(dot(normal, half)), exponent) * ((exponent + 8.0) * (REFLECTANCE / 8.0))


def silhouette(mask, at, rim: Vec) -> Vec:
    """1 where the mask ends within the rim's width towards the lamp, fading inwards."""
    width = select(rim[0] < 1.5, 0.02, rim[8])
    across = normalize(vec(rim[1], -rim[2]))
    ended = vec(0.0)
    for share in (0.25, 0.6, 1.0):
        x, y = vec(at.x, at.y) + across * (width * share)
        ended = ended + (1.0 - clamp(mask.sample(x, y)))
    return ended * (1.0 / 3.0)
