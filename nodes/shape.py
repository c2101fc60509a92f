"""Shape: drawn masks by signed distance, with soft edges, filled or as an outline.

Where two of them have the same softness, `mask.combine` gives what their distances would: union, intersection, difference. An
ellipse and a (rounded) rectangle are `mask.ellipse` and `mask.rectangle`.
"""

from __future__ import annotations

import math

from ..graph.declare import Out, Param, PixelNode, param, result
from ..graph.types import Integer, Mask, Number, Vector2
from ..runtime.pixel import (
    At,
    Vec,
    absolute,
    atan2,
    clamp,
    cos,
    dot,
    floor,
    length,
    maximum,
    minimum,
    mix,
    select,
    sin,
    vec,
)  # fmt: skip
from .mask import DEGREES, Shape, filled, place

__all__ = ["Arc", "Cross", "Heart", "Line", "Polygon", "Star"]

HEIGHTS = "frame heights"


class Drawn(Shape):
    """What these share."""

    size: Param[Number] = param(0.5, low=0.001, high=4, step=0.005, unit=HEIGHTS, doc="across")
    line: Param[Number] = param(0.0, low=0, high=1, step=0.002, unit=HEIGHTS, doc="thickness of its outline; 0 fills it")


class Cornered(Drawn):
    """What has corners that can be round."""

    corner: Param[Number] = param(0.0, low=0, high=1, step=0.005, unit=HEIGHTS, doc="radius of the corners; its size stays")


def drawn(distance: Vec, line: Vec, softness: Vec, at: At) -> Vec:
    """Coverage of the inside, or of a line along the edge."""
    return filled(select(line > 0.0, absolute(distance) - 0.5 * line, distance), softness, at)


def to_segment(p: Vec, start: Vec, end: Vec) -> Vec:
    """Distance to the straight line between two points."""
    way, own = end - start, p - start
    return length(own - way * clamp(dot(own, way) / maximum(dot(way, way), 1e-8)))


def spikes(p: Vec, count: Vec, outer: Vec, inner: Vec) -> Vec:
    """Signed distance to a star: `count` points at `outer`, the first one up, with notches at `inner` between them.

    The place is folded into half of one point, since all are alike; what is left is one straight side.
    """
    half = math.pi / count
    angle = atan2(p.x, -p.y)
    turned = angle - 2.0 * half * floor(angle / (2.0 * half) + 0.5)
    far = length(p)
    own = vec(absolute(sin(turned)) * far, cos(turned) * far)
    tip, notch = vec(0.0, outer), vec(inner * sin(half), inner * cos(half))
    side = (notch.x - tip.x) * (own.y - tip.y) - (notch.y - tip.y) * (own.x - tip.x)
    return to_segment(own, tip, notch) * select(side > 0.0, 1.0, -1.0)


def rounded(radius: Vec, corner: Vec) -> Vec:
    """A corner's radius, held so that something of the shape is left."""
    return minimum(corner, radius * 0.95)


class Polygon(Cornered, type="shape.polygon"):
    """A regular polygon (triangle, diamond, hexagon, …), one corner pointing up."""

    corners: Param[Integer] = param(6, low=3, high=24, doc="how many")

    def pixel(self, centre, angle, softness, size, line, corner, corners, at):
        curve = rounded(0.5 * size, corner)
        outer = 0.5 * size - curve
        distance = spikes(place(at, centre, angle), corners, outer, outer * cos(math.pi / corners)) - curve
        return drawn(distance, line, softness, at)


class Star(Cornered, type="shape.star"):
    """A star, one point up."""

    points: Param[Integer] = param(5, low=3, high=32, doc="how many")
    depth: Param[Number] = param(0.6, low=0.02, high=0.95, step=0.01, doc="of the notches: small nearly a disc, large thin rays")

    def pixel(self, centre, angle, softness, size, line, corner, points, depth, at):
        curve = rounded(0.5 * size, corner)
        outer = 0.5 * size - curve
        distance = spikes(place(at, centre, angle), points, outer, outer * (1.0 - depth)) - curve
        return drawn(distance, line, softness, at)


class Heart(Drawn, type="shape.heart"):
    """A heart: a square on its corner and two half discs."""

    def pixel(self, centre, angle, softness, size, line, at):
        across = size / (0.5 + math.sqrt(0.5))  # of a heart whose square has a diagonal of 1
        x, y = place(at, centre, angle) / across
        x, y = absolute(x), 0.5 * (0.75 + math.sqrt(0.125)) - y  # up from the tip
        disc = length(vec(x, y) - vec(0.25, 0.75)) - math.sqrt(0.125)
        p = vec(x, y)
        side = minimum(to_segment(p, vec(0.0, 0.0), vec(0.5, 0.5)), length(p - vec(0.0, 1.0)))
        distance = select(x + y > 1.0, disc, select(x > y, side, -side))
        return drawn(distance * across, line, softness, at)


class Cross(Cornered, type="shape.cross"):
    """A plus sign; turned by 45° a cross."""

    arm: Param[Number] = param(0.33, low=0.01, high=1, step=0.01, doc="thickness of its arms as a share of its size")

    def pixel(self, centre, angle, softness, size, line, corner, arm, at):
        p, half = absolute(place(at, centre, angle)), 0.5 * size
        thin = half * arm
        curve = rounded(thin, corner)

        def bar(wide: Vec, high: Vec) -> Vec:
            past = p - vec(wide - curve, high - curve)
            return length(maximum(past, 0.0)) + minimum(maximum(past.x, past.y), 0.0) - curve

        return drawn(minimum(bar(half, thin), bar(thin, half)), line, softness, at)


class Arc(Shape, type="shape.arc"):
    """A ring, or a part of one with round ends: a progress circle, a halo."""

    size: Param[Number] = param(0.5, low=0.001, high=4, step=0.005, unit=HEIGHTS, doc="across, in the middle of the line")
    thickness: Param[Number] = param(0.05, low=0, high=1, step=0.002, unit=HEIGHTS, doc="of the line")
    sweep: Param[Number] = param(360.0, low=0, high=360, step=1, unit="°", doc="how much of the ring, clockwise from the top")

    def pixel(self, centre, angle, softness, size, thickness, sweep, at):
        half, radius = 0.5 * DEGREES * sweep, 0.5 * size
        p = place(at, centre, angle + 0.5 * sweep)
        away, far = atan2(absolute(p.x), -p.y), length(p)
        end = length(vec(absolute(p.x) - radius * sin(half), -p.y - radius * cos(half)))
        distance = select(away <= half, absolute(far - radius), end)
        return filled(distance - 0.5 * thickness, softness, at)


class Line(PixelNode, type="shape.line"):
    """A straight line with round ends between two points; it may grow thinner or thicker on its way."""

    start: Param[Vector2] = param((-0.3, 0.0), low=-2, high=2, step=0.005, unit=HEIGHTS, doc="from the frame's centre, y down")
    end: Param[Vector2] = param((0.3, 0.0), low=-2, high=2, step=0.005, unit=HEIGHTS, doc="from the frame's centre, y down")
    thickness: Param[Number] = param(0.03, low=0, high=1, step=0.002, unit=HEIGHTS, doc="at the start")
    taper: Param[Number] = param(1.0, low=0, high=4, step=0.01, doc="thickness at the end as a factor of that at the start")
    softness: Param[Number] = param(0.005, low=0, high=1, step=0.005, unit=HEIGHTS, doc="width of the edge, half of it outside")
    out: Out[Mask] = result(doc="1 on the line")

    def pixel(self, start, end, thickness, taper, softness, at):
        own, way = vec(at.x - 0.5 * at.aspect, at.y - 0.5) - start, end - start
        along = clamp(dot(own, way) / maximum(dot(way, way), 1e-8))
        return filled(length(own - way * along) - 0.5 * thickness * mix(1.0, taper, along), softness, at)
