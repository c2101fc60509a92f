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


def bilateral(image, contrast, amount):
    """Shifted copies of the padded picture, weighed by distance and likeness."""
    rgb = image[..., :3]
    wide = np.pad(rgb, ((2, 2), (2, 2), (0, 0)), mode="edge")
    total, whole = np.zeros_like(rgb), np.zeros((*rgb.shape[:2], 1))
    for (j, i), kernel in np.ndenumerate(np.outer(*[np.exp(-(np.arange(-2, 3) ** 2) / 4.5)] * 2)):
        other = wide[j : j + rgb.shape[0], i : i + rgb.shape[1]]
        ratio = np.linalg.norm(other - rgb, axis=-1, keepdims=True) / contrast
        kernel = kernel if abs(i - 2) + abs(j - 2) <= 2 else 0.0
        weight = kernel * np.where(ratio < 1, (1 - ratio**2) ** 2, 0)
        total, whole = total + weight * other, whole + weight
    return np.concatenate([mixed(rgb, total / whole, amount), image[..., 3:]], axis=-1)


REFERENCES = {
    s.Bilateral: Reference(bilateral, cases=({}, {"contrast": 0.4, "amount": 0.7})),
    s.Guided: Reference(guided, cases=({"radius": 0.06}, {"contrast": 0.2, "texture": 0.7, "amount": 0.8})),
}
