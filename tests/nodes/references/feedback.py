"""Feedback: one step of it."""

from __future__ import annotations

import numpy as np

from references import Reference, mixed, sample
from spellwire.nodes import feedback as f


def echo(image, past, mask, step, mode, motion, half_life, tint, zoom, turn, drift, centre, at):
    old = past
    if motion == "moving":
        middle = complex(at.aspect / 2 + centre[0], 0.5 + centre[1])
        z = (at.x + 1j * at.y - middle - complex(*drift) * step) / (2 ** (zoom * step) * np.exp(1j * np.deg2rad(turn * step)))
        z = z + middle
        old = sample(past, z.real, z.imag, at)
    keep = 0.5 ** (step / half_life)
    old = old * keep * np.append(mixed(1.0, np.array(tint[:3]), 1 - keep), 1.0)
    new = image * mask
    if mode == "over":
        return new + (1 - new[..., 3:]) * old
    both = np.fmax(new, old) if mode == "lighten" else new + old
    both[..., 3] = np.minimum(both[..., 3], 1)
    return both


GOES = {"motion": "moving", "turn": 90.0, "drift": (0.5, 0.0), "centre": (0.1, 0.0), "half_life": 0.1, "tint": (0.5, 0.8, 1.0, 1.0)}
REFERENCES = {
    f.Echo: Reference(echo, inners={"step": 0.04}, cases=({"half_life": 0.05}, {"mode": "lighten"}, {"mode": "add", **GOES}, GOES)),
}
