"""Distort: read a picture from elsewhere. Displacement, lens faults, mirrors."""

from __future__ import annotations

import math

from ..graph.declare import In, Out, Param, PixelNode, param, port, result
from ..graph.types import Boolean, Choice, Image, Integer, Mask, Number, Vector2
from ..runtime.pixel import (
    At,
    Vec,
    absolute,
    atan2,
    clamp,
    cos,
    exp2,
    floor,
    fract,
    length,
    maximum,
    mix,
    select,
    sin,
    vec,
)  # fmt: skip
from .generate import CENTRE, turned_noise
from .mask import DEGREES

__all__ = ["ChromaticAberration", "Displace", "Kaleidoscope", "Lens", "MirrorTile", "Ripple", "Turbulence"]

HEIGHTS = "frame heights"
OUTSIDE = ("clamp", "mirror", "zero")


class Distortion(PixelNode):
    """What all of them share."""

    image: In[Image] = port(domain=True, doc="the picture")
    out: Out[Image] = result(doc="the picture, distorted")


class Bounded(Distortion):
    """What may look beyond the picture's edge."""

    outside: Param[Choice] = param("mirror", choices=OUTSIDE, doc="beyond the edge: the edge's pixels, a mirror, nothing")


def from_middle(at: At, centre: Vec) -> tuple[Vec, Vec, Vec]:
    """The place as seen from a centre (frame heights), and that centre as a place."""
    middle = vec(0.5 * at.aspect, 0.5) + centre
    return at.x - middle.x, at.y - middle.y, middle


class Displace(Bounded, type="distort.displace"):
    """Move each pixel as another picture says: red to the right, green down, a middle grey not at all.

    Wire noise, a gradient or a blurred shape to `map`: water, heat, glass, ripples.
    """

    map: In[Image] = port(doc="red across, green down; 0.5 moves nothing, where it is transparent nothing moves")
    amount: Param[Vector2] = param((0.05, 0.05), low=-1, high=1, step=0.002, unit=HEIGHTS, doc="how far white pushes, right and down")

    def pixel(self, image, map, amount, outside, at):
        push = (map.rgb - 0.5 * map.a) * 2.0
        return image.sample(at.x - push.r * amount.x, at.y - push.g * amount.y, border=outside)


class Turbulence(Bounded, type="distort.turbulence"):
    """Stir a picture by noise that changes as time goes by: heat above a road, a flag, a picture under water."""

    mask: In[Mask] = port(optional=True, default=(1.0,), doc="how much, where; unwired: everywhere")
    amount: Param[Number] = param(0.03, low=0, high=0.5, step=0.001, unit=HEIGHTS, doc="how far, at most about")
    size: Param[Number] = param(0.25, low=0.01, high=4, step=0.005, unit=HEIGHTS, doc="of the waves")
    detail: Param[Number] = param(0.4, low=0, high=1, step=0.01, doc="of waves half as wide, beside them")
    evolution: Param[Number] = param(0.3, low=-4, high=4, step=0.01, unit="Hz", doc="turns a second")
    drift: Param[Vector2] = param((0.0, 0.0), low=-4, high=4, step=0.01, unit="frame heights/s", doc="of the waves, right and down")
    seed: Param[Integer] = param(0, low=0, high=999, doc="another number, other waves")

    def pixel(self, image, mask, amount, size, detail, evolution, drift, seed, outside, at):
        x, y = (at.x - 0.5 * at.aspect - drift.x * at.time) / size, (at.y - 0.5 - drift.y * at.time) / size
        turn = evolution * at.time * (2.0 * math.pi)
        push = vec(0.0, 0.0)
        for octave, share in enumerate((vec(1.0), detail)):
            c, s, fine = cos(turn * 1.3**octave), sin(turn * 1.3**octave), 2.0**octave
            both = [turned_noise(x * fine + 5.3 * k, y * fine + 1.7 * k, seed * 8.0 + float(2 * octave + k), c, s) for k in (0, 1)]
            push = push + vec(*both) * share
        far = amount * clamp(mask)
        return image.sample(at.x - push.x * far, at.y - push.y * far, border=outside)


class Ripple(Bounded, type="distort.ripple"):
    """Rings that run outwards from a point, as on water."""

    centre: Param[Vector2] = param((0.0, 0.0), **CENTRE)
    amount: Param[Number] = param(0.015, low=0, high=0.3, step=0.001, unit=HEIGHTS, doc="how far the strongest ring pushes")
    size: Param[Number] = param(0.12, low=0.01, high=2, step=0.005, unit=HEIGHTS, doc="from ring to ring")
    reach: Param[Number] = param(0.5, low=0.01, high=8, step=0.01, unit=HEIGHTS, doc="where half of it is left")
    speed: Param[Number] = param(0.15, low=-4, high=4, step=0.01, unit="frame heights/s", doc="of the rings, outwards")

    def pixel(self, image, centre, amount, size, reach, speed, outside, at):
        x, y, _ = from_middle(at, centre)
        far = maximum(length(vec(x, y)), 1e-4)
        wave = sin((far - speed * at.time) * (2.0 * math.pi) / size) * exp2(-far / reach) * clamp(4.0 * far / size)
        push = amount * wave / far
        return image.sample(at.x - x * push, at.y - y * push, border=outside)


class Lens(Bounded, type="distort.lens"):
    """Bend a picture as a lens does: barrel (above 0) or pincushion (below). It fills the frame.

    With r² as 1 in the middle of the upper edge: barrel r · (1 + k·r²), which keeps the corners (Brown's model), pincushion
    r / (1 + |k|·r²), which keeps the upper and lower edges (Fitzgibbon's division model).
    """

    amount: Param[Number] = param(0.2, low=-0.2, high=2, step=0.01, doc="k: above 0 barrel, as wide angles and fisheyes do")
    zoom: Param[Number] = param(1.0, low=0.2, high=4, step=0.01, doc="above 1 closer")
    centre: Param[Vector2] = param((0.0, 0.0), **CENTRE)

    def pixel(self, image, amount, zoom, centre, outside, at):
        x, y, middle = from_middle(at, centre)
        square, corner = 4.0 * (x * x + y * y), at.aspect * at.aspect + 1.0
        barrel, pincushion = maximum(amount, 0.0), maximum(-amount, 0.0)
        bend = (1.0 + barrel * square) / (1.0 + barrel * corner) * (1.0 + pincushion) / (1.0 + pincushion * square)
        bend = bend / zoom
        return image.sample(middle.x + x * bend, middle.y + y * bend, border=outside)


class ChromaticAberration(Distortion, type="distort.chromatic_aberration"):
    """Colours drift apart towards the edges, as in a cheap lens: red outwards, blue inwards, all between in between.

    Each channel is gathered from two places, so that fringes are soft spectra, not three ghosts. `angle` and `shift` move the
    colours apart by the same everywhere instead, as misprinted inks do.
    """

    amount: Param[Number] = param(0.012, low=-0.2, high=0.2, step=0.001, doc="how much larger red is than blue, as a share of its size")
    centre: Param[Vector2] = param((0.0, 0.0), **CENTRE)
    shift: Param[Number] = param(0.0, low=0, high=0.2, step=0.001, unit=HEIGHTS, doc="of red from blue, everywhere")
    angle: Param[Number] = param(0.0, low=-180, high=180, step=1, unit="°", doc="of that shift: 0 to the right, 90 down")

    def pixel(self, image, amount, centre, shift, angle, at):
        x, y, middle = from_middle(at, centre)
        across, down = shift * cos(angle * DEGREES), shift * sin(angle * DEGREES)

        def gathered(channel: int, places: tuple[float, ...]) -> Vec:
            total = vec(0.0)
            for k in places:
                far = 1.0 - amount * (0.5 * k)
                px, py = middle.x + x * far - across * (0.5 * k), middle.y + y * far - down * (0.5 * k)
                total = total + image.sample(px, py)[channel]
            return total * (1.0 / len(places))

        return vec(gathered(0, (1.0, 0.5)), gathered(1, (-0.2, 0.2)), gathered(2, (-1.0, -0.5)), gathered(3, (-1.0, 1.0)))


class Kaleidoscope(Distortion, type="distort.kaleidoscope"):
    """Mirrors around a point: one wedge of the picture, again and again.

    `turn` turns the mirrors, `spin` what they show; drive them by time, or by a hand.
    """

    segments: Param[Integer] = param(8, low=2, high=48, doc="how many wedges around; each second one is mirrored")
    centre: Param[Vector2] = param((0.0, 0.0), **CENTRE)
    source: Param[Vector2] = param((0.0, 0.0), low=-2, high=2, step=0.005, unit=HEIGHTS, doc="which point of the picture is in the middle")
    zoom: Param[Number] = param(1.0, low=0.1, high=8, step=0.01, doc="above 1 closer")
    turn: Param[Number] = param(0.0, low=-360, high=360, step=1, unit="°", doc="of the mirrors")
    spin: Param[Number] = param(0.0, low=-360, high=360, step=1, unit="°", doc="of the picture behind them")

    def pixel(self, image, segments, centre, source, zoom, turn, spin, at):
        x, y, _ = from_middle(at, centre)
        wedge = 2.0 * math.pi / segments
        angle = atan2(x, -y) - turn * DEGREES
        folded = absolute(angle - 2.0 * wedge * floor(angle / (2.0 * wedge) + 0.5))
        folded = select(segments - 2.0 * floor(0.5 * segments) > 0.5, absolute(angle - wedge * floor(angle / wedge + 0.5)), folded)
        shown = folded + (spin + turn) * DEGREES
        far = length(vec(x, y)) / zoom
        px, py = 0.5 * at.aspect + source.x + sin(shown) * far, 0.5 + source.y - cos(shown) * far
        return image.sample(px, py, border="mirror")


class MirrorTile(Distortion, type="distort.tile"):
    """Repeat a picture in tiles, each as it is or mirrored so that seams meet."""

    count: Param[Vector2] = param((2.0, 2.0), low=1, high=32, step=0.1, doc="across and down")
    offset: Param[Vector2] = param((0.0, 0.0), low=-4, high=4, step=0.01, unit="tiles", doc="to the right, down")
    mirrored: Param[Boolean] = param(True, doc="every second tile is mirrored")

    def pixel(self, image, count, offset, mirrored, at):
        u, v = at.u * count.x - offset.x, at.v * count.y - offset.y
        odd = vec(floor(u), floor(v)) - 2.0 * floor(vec(floor(u), floor(v)) * 0.5)
        share = vec(fract(u), fract(v))
        share = mix(share, 1.0 - share, odd * mirrored)
        return image.sample(share.x * at.aspect, share.y)
