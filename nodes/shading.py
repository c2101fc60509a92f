"""Shading: physically based light on what `scene.draw` drew."""

from __future__ import annotations

from ..graph.declare import In, Out, Param, PixelNode, param, port, result, same
from ..graph.types import Choice, Colour, Image, Light, Number, Surface
from ..runtime.pixel import Vec, clamp, dot, exp2, maximum, minimum, mix, normalize, smoothstep, sqrt, vec
from ..runtime.pixel.colour import linear_to_srgb, srgb_to_linear
from .surface import rolled_off

__all__ = ["ShadeScene"]


class ShadeScene(PixelNode, type="scene.shade"):
    """Light what `scene.draw` drew: physically based materials under three lamps and a studio's soft light.

        lamps       GGX highlights (Karis, 2013), Lambert's diffuse; rim lamps shine along contours
        ambient     brighter from above than from below, in the colour of `ambient`
        reflections a studio of soft boxes, coloured by what is wired to `environment`: a small picture of the frame

    Light is worked out linearly, and what gets too bright rolls off like film.
    """

    surface: In[Surface] = port(domain=True, doc="from scene.draw")
    colour: In[Image] = port(doc="from scene.draw")
    finish: In[Image] = port(doc="from scene.draw")
    emission: In[Image] = port(doc="from scene.draw")
    key: In[Light] = port(optional=True, doc="the main lamp")
    fill: In[Light] = port(optional=True, doc="a second lamp")
    rim: In[Light] = port(optional=True, doc="a third lamp, or one behind")
    environment: In[Image] = port(optional=True, doc="what surrounds it: the frame, made small by geometry.resize")
    ambient: Param[Colour] = param((1.0, 1.0, 1.0, 1.0), widget="colour", doc="colour of the light from everywhere")
    ambient_strength: Param[Number] = param(0.5, low=0, high=4, step=0.01, doc="of the light from everywhere")
    reflections: Param[Number] = param(1.0, low=0, high=4, step=0.01, doc="brightness of what is mirrored in it")
    glow: Param[Number] = param(1.0, low=0, high=8, step=0.01, doc="of what shines by itself")
    exposure: Param[Number] = param(0.0, low=-4, high=4, step=0.05, unit="EV", doc="of all of it")
    working_space: Param[Choice] = param("srgb", choices=("srgb", "linear"), doc="of the effect that it is used in")
    out: Out[Image] = result(space=same("surface"), doc="the scene, lit, to lay over the picture")

    def pixel(
        self, surface, colour, finish, emission, key, fill, rim, environment, ambient, ambient_strength, reflections, glow,
        exposure, working_space, at,
    ):  # fmt: skip
        part = 1.0 / maximum(finish.a, 1e-4)
        albedo = srgb_to_linear(clamp(colour.rgb / maximum(colour.a, 1e-4)))
        rough, metal, reached = clamp(finish.r * part, 0.03, 1.0), clamp(finish.g * part), clamp(finish.b * part)
        opacity = minimum(colour.a * part, 1.0)
        normal = normalize(surface.normal + vec(0.0, 0.0, 1e-5))
        place = vec(at.x - 0.5 * at.aspect, 0.5 - at.y, surface.depth)
        eye = normalize(vec(-TANGENT * place.x, -TANGENT * place.y, 1.0))
        facing = clamp(dot(normal, eye), 0.02, 1.0)
        base = mix(vec(0.04, 0.04, 0.04), albedo, metal)
        diffuse, gloss = vec(0.0, 0.0, 0.0), vec(0.0, 0.0, 0.0)
        for lamp in (key, fill, rim):
            spread, mirrored = lit_by(lamp, place, normal, eye, facing, rough, base)
            diffuse, gloss = diffuse + spread, gloss + mirrored * minimum(reached * 2.0, 1.0)
        around = srgb_to_linear(clamp(ambient.rgb, 0.0, 4.0)) * ambient_strength
        diffuse = diffuse + around * (mix(0.45, 1.15, 0.5 + 0.5 * normal.y) * reached)
        seen = mirrored_way(normal, eye)
        x = 0.5 * at.aspect + 0.3 * place.x + 0.45 * at.aspect * seen.x
        tint = environment.sample(clamp(x, 0.0, at.aspect), clamp(0.5 - 0.45 * seen.y))
        studio = around * (soft_boxes(seen, rough) * (2.0 * reflections * reached))
        # colour of the surroundings at their own brightness, half and half with the studio's own light
        studio = studio * mix(vec(1.0, 1.0, 1.0), 0.35 + 1.6 * srgb_to_linear(clamp(tint.rgb)), clamp(tint.a))
        gloss = gloss + studio * of_surroundings(base, rough, facing)
        light = diffuse * albedo * ((1.0 - metal) * opacity) + gloss
        shines = srgb_to_linear(clamp(emission.rgb * part, 0.0, 8.0)) * glow
        whole = (light + shines) * exp2(exposure)
        shown = rolled_off(linear_to_srgb(whole))
        if working_space == "linear":
            shown = srgb_to_linear(shown)
        return vec(shown * clamp(finish.a), clamp(colour.a))


TANGENT = 1.2256  # of half the assumed camera's angle, times two: what a frame height spans at distance 1
PI = 3.14159265


def mirrored_way(normal: Vec, eye: Vec) -> Vec:
    """Where what is mirrored comes from."""
    return normal * (2.0 * dot(normal, eye)) - eye


def lit_by(lamp: Vec, place: Vec, normal: Vec, eye: Vec, facing: Vec, rough: Vec, base: Vec) -> tuple[Vec, Vec]:
    """One lamp's light on a surface: what is spread, and what is mirrored (GGX, with Karis' short visibility)."""
    is_point, is_rim = lamp[0] * (2.0 - lamp[0]), 0.5 * lamp[0] * (lamp[0] - 1.0)  # exact for kinds 0, 1, 2
    way = lamp[1:4] - place * is_point
    distance = sqrt(dot(way, way))
    towards = way / maximum(distance, 1e-4)
    near = distance / maximum(lamp[8], 1e-3)
    colour = srgb_to_linear(clamp(lamp[4:7], 0.0, 4.0)) * (lamp[7] / (1.0 + near * near * is_point))
    reach = clamp(dot(normal, towards))
    half = normalize(towards + eye)
    halfway, along = clamp(dot(normal, half)), clamp(dot(towards, half))
    alpha = rough * rough
    width = alpha * alpha
    lobe = halfway * halfway * (width - 1.0) + 1.0
    peak = minimum(width / maximum(lobe * lobe * PI, 1e-6), 40.0)
    fresnel = base + (1.0 - base) * exp2((-5.55473 * along - 6.98316) * along)
    contour = smoothstep(0.4, 1.0, 1.0 - facing) * clamp(dot(normal, towards) * 1.25) * is_rim
    mirrored = fresnel * (peak * (rough * 0.25 + 0.25) * PI * reach) * (1.0 - 0.5 * is_rim)
    return colour * (reach * (1.0 - is_rim)), colour * (mirrored + contour * (0.5 + 0.5 * base))


def soft_boxes(way: Vec, rough: Vec) -> Vec:
    """Brightness of a studio in a direction: floor, ceiling, a box above, a window on either side; blurred by roughness."""
    blur = 0.015 + 0.5 * rough
    walls = mix(0.12, 0.62, smoothstep(-0.7, 0.9, way.y))
    above = smoothstep(0.66 - blur, 0.7 + blur, way.y) * (1.5 - 1.0 * rough)
    left = between(way.x, -0.93, -0.7, blur) * between(way.y, -0.12, 0.5, blur) * (2.2 - 1.5 * rough)
    right = between(way.x, 0.8, 0.95, blur) * between(way.y, -0.05, 0.4, blur) * (1.4 - 0.9 * rough)
    return walls + above + left + right


def between(value: Vec, low: float, high: float, blur: Vec) -> Vec:
    """1 from `low` to `high`, with soft ends."""
    return smoothstep(low - blur, low + blur, value) * (1.0 - smoothstep(high - blur, high + blur, value))


def of_surroundings(base: Vec, rough: Vec, facing: Vec) -> Vec:
    """How much of evenly bright surroundings is mirrored, by Lazarov's fit (2013)."""
    first = clamp(1.0 - rough)
    a = minimum(first * first, exp2(-9.28 * facing)) * first + (0.0425 - 0.0275 * rough)
    return base * (-1.04 * a + (1.04 - 0.572 * rough)) + (1.04 * a + (0.022 * rough - 0.04))
