"""Body: what is done with the pose network's coarse mask at full resolution."""

from __future__ import annotations

import numpy as np

from references import Reference, frame_like, photo, smoothstep, spread
from spellwire.nodes import body as b
from spellwire.runtime.values import Items


def mask(image, coefficients, feather, at):
    """A linear model of the picture's colours, its coefficients interpolated, around a half."""
    fit = spread(coefficients, at)
    homogeneous = np.concatenate([image[..., :3], np.ones_like(image[..., :1])], -1)
    return smoothstep(0.5 - feather / 2, 0.5 + feather / 2, (fit * homogeneous).sum(-1, keepdims=True))


COARSE = frame_like(18, 24, 16, 4)
COARSE.data[...] = COARSE.data * [0.7, 0.9, 0.6, 0.3] - [0.1, 0.1, 0.2, 0.1]
INPUTS = {"image": lambda w, h: photo(3, w, h, alpha=False), "bodies": lambda w, h: Items(width=w, height=h)}
REFERENCES = {
    b.BodyMask: Reference(mask, cases=({}, {"feather": 0.3}), inputs=INPUTS, inners={"coefficients": COARSE}),
}
