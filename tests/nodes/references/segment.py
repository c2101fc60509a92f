"""Segmentation: what is done with a network's coarse answer at full resolution."""

from __future__ import annotations

import numpy as np

from references import Reference, frame_like, photo, smoothstep, spread
from spellwire.nodes import segment as s


def person(image, coefficients, feather, at):
    """A linear model of the picture's colours, its coefficients interpolated; the picture is 8 bits there."""
    fit = spread(coefficients, at)
    shown = np.round(np.clip(image[..., :3], 0, 1) * 255) / 255
    coverage = np.einsum("hwc,hwc->hw", fit[..., :3], shown)[..., None] + fit[..., 3:]
    return smoothstep(0.5 - feather / 2, 0.5 + feather / 2, coverage)


COARSE = frame_like(8, 24, 16, 4)
COARSE.data[...] = COARSE.data * [0.8, 0.8, 0.8, 0.2] - [0.1, 0.2, 0.1, 0.1]
PICTURE = {"image": lambda w, h: photo(0, w, h, alpha=False)}
REFERENCES = {
    s.Refine: Reference(person, cases=({}, {"feather": 1.0}), inputs=PICTURE, inners={"coefficients": COARSE}),
    s.Person: Reference(person, cases=({"feather": 0.9},), inputs=PICTURE, inners={"coefficients": COARSE}),
}
