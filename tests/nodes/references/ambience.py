"""The background's light on what stands before it: what is done at full size."""

from __future__ import annotations

import numpy as np

from references import Reference, grey, mixed, spread
from spellwire.nodes import ambience as a


def light_wrap(image, mask, behind, amount, at):
    near = spread(behind, at)
    rgb, alpha = image[..., :3], image[..., 3:]
    light = np.clip(near[..., :3], 0, 1) * np.minimum(2 * np.clip(near[..., 3:], 0, None), 1) * mask * amount
    return np.concatenate([rgb + light * np.clip(alpha - rgb, 0, alpha), alpha], axis=-1)


def ambient(image, spots, colour, brightness, at):
    light = spread(spots, at)
    hue, level = light[..., :3], light[..., 3:]
    tinted = image[..., :3] * mixed(1, hue, colour)
    tinted *= grey(image) / np.maximum(grey(tinted), 1e-4) * mixed(1, level, brightness)
    return np.concatenate([tinted, image[..., 3:]], axis=-1)


REFERENCES = {
    a.LightWrap: Reference(light_wrap, cases=({"radius": 0.04}, {"radius": 0.1, "amount": 1.0})),
    a.Ambient: Reference(ambient, cases=({}, {"colour": 1.0, "brightness": 0.8})),
}
