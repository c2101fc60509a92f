"""Smoothing: what is done at full size with what was found small."""

from __future__ import annotations

import numpy as np

from references import Reference, mixed, spread
from spellwire.nodes import smooth as s


def guided(image, mask, model, amount, at):
    """q = a·I + b of the guided filter, a and b interpolated; held to what an 8-bit picture of that alpha may be."""
    fit = spread(model, at)
    rgb, a = image[..., :3], image[..., 3:]
    even = np.minimum(np.maximum(fit[..., 3:] * rgb + fit[..., :3], 0), a)
    return np.concatenate([mixed(rgb, even, np.clip(mask, 0, 1) * amount), a], axis=-1)


REFERENCES = {
    s.Guided: Reference(guided, cases=({"radius": 0.06}, {"contrast": 0.2, "texture": 0.7, "amount": 0.8})),
}
