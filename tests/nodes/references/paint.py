"""Paint on skin: its light and W3C's blend modes, straight from their definitions."""

from __future__ import annotations

import numpy as np

from references import Reference, frame_like, grey, joined, mixed, spread, straight
from spellwire.nodes import paint as p
from spellwire.runtime.values import Items


def painted(image, layer, mode, opacity, shading, at):
    rgb, alpha = straight(image)
    ink = spread(layer, at)
    colour = ink[..., :3] / np.maximum(ink[..., 3:], 1e-4)
    low, high = np.clip(rgb, 0, 1), np.clip(colour, 0, 1)
    match mode:
        case "paint":
            made = colour * ((1 - shading) + shading * grey(low) / 0.55)
        case "multiply":
            made = low * high
        case "screen":
            made = 1 - (1 - low) * (1 - high)
        case "overlay":
            made = np.where(low <= 0.5, 2 * low * high, 1 - 2 * (1 - low) * (1 - high))
    return joined(mixed(rgb, np.maximum(made, 0), ink[..., 3:] * opacity), alpha)


LAYER = frame_like(7, 24, 16, 4)
LAYER.data[..., :3] *= LAYER.data[..., 3:]
CASES = ({}, {"shading": 0.2, "opacity": 0.6}, {"mode": "multiply"}, {"mode": "screen"}, {"mode": "overlay", "opacity": 0.5})
REFERENCES = {
    p.FacePaint: Reference(painted, cases=CASES, inputs={"faces": Items(()), "skin": None}, inners={"layer": LAYER}),
}
