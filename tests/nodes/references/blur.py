"""Blurs along a way: what is done at full size; what is done small is in test_blur.py."""

from __future__ import annotations

import numpy as np

from references import Reference, mixed, smoothstep, spread
from spellwire.nodes import blur as b


def blended(image, soft, mask, way, at):
    return mixed(image, spread(soft, at), smoothstep(0.5, 3.0, way / at.pixel) * mask)


def directional(image, soft, mask, length, at):
    return blended(image, soft, mask, np.full_like(at.x, length), at)


def far(centre, at):
    return np.hypot(at.x - at.aspect / 2 - centre[0], at.y - 0.5 - centre[1])


def zoom(image, soft, mask, amount, centre, at):
    return blended(image, soft, mask, far(centre, at) * amount, at)


def spin(image, soft, mask, angle, centre, at):
    return blended(image, soft, mask, far(centre, at) * np.deg2rad(angle), at)


def behind(image, soft, at):
    a = image[..., 3:]
    return np.concatenate([spread(soft, at)[..., :3] * a, a], axis=-1)


REFERENCES = {
    b.Behind: Reference(behind, cases=({}, {"radius": 0.1})),
    b.DirectionalBlur: Reference(directional, cases=({"length": 0.2}, {"length": 0.025, "angle": 30.0})),
    b.ZoomBlur: Reference(zoom, cases=({}, {"amount": 0.1, "centre": (0.2, 0.1)})),
    b.SpinBlur: Reference(spin, cases=({}, {"angle": 40.0, "centre": (-0.2, 0.1)})),
}
