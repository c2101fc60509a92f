"""Masks of faces' parts: small rasters at full size, and skin by its colour."""

from __future__ import annotations

import numpy as np

from references import Reference, frame_like, photo, smoothstep, spread
from spellwire.nodes import facemask as f


def masks(image, drawn, more, tone, selective, at):
    """Skin where hue and brightness are near the skin's; the others as they are drawn.."""
    one, two = spread(drawn, at), spread(more, at)
    rgb = np.clip(image[..., :3], 0, 1)
    total = np.maximum(rgb.sum(-1, keepdims=True), 0.05)
    red, green, bright, known = np.split(spread(tone, at), 4, axis=-1)
    apart = np.hypot(rgb[..., :1] / total - red, rgb[..., 1:2] / total - green)
    light = (rgb @ [[0.2126], [0.7152], [0.0722]]) / np.maximum(bright, 0.02)
    alike = (1 - smoothstep(0.06, 0.13, apart)) * smoothstep(0.18, 0.4, light)
    names = ("skin", "eyes", "lips", "mouth", "brows", "under_eyes", "irises", "face")
    planes = np.split(np.concatenate([one, two], -1), 8, axis=-1)
    return dict(zip(names, planes, strict=True)) | {"skin": planes[0] * (1 + selective * known * (alike - 1))}


TONE = frame_like(5, 24, 16, 4)
TONE.data[...] = TONE.data * [0.06, 0.04, 0.3, 0.5] + [0.33, 0.31, 0.35, 0.5]
SMALL = {"drawn": frame_like(3, 24, 16, 4), "more": frame_like(4, 24, 16, 4), "tone": TONE}
REFERENCES = {
    f.FacePartMasks: Reference(
        masks, cases=({}, {"selective": 0.3}), inputs={"image": lambda w, h: photo(0, w, h, alpha=False), "faces": ()},
        inners=SMALL,
    ),
}  # fmt: skip
