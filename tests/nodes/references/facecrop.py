"""Pasting: a premultiplied layer over the picture, by the W3C's source-over, in its own colours or with its light alone."""

from __future__ import annotations

import numpy as np

from references import LUMA, Reference, mixed, photo, spread
from spellwire.nodes.facecrop import FacePaste
from spellwire.runtime.frames import Frame


def paste(image, mask, layer, opacity, colour, at):
    made = spread(layer, at)
    a = image[..., 3:]
    light = (made[..., :3] * a - image[..., :3] * made[..., 3:]) @ LUMA
    tinted = image[..., :3] * made[..., 3:] + light[..., None]
    over = mixed(tinted, made[..., :3] * a, colour)
    share = np.clip(mask, 0, 1) * opacity
    return np.concatenate([image[..., :3] - (image[..., :3] * made[..., 3:] - over) * share, a], axis=-1)


def layer() -> Frame:
    return Frame.of(photo(8, 24, 16))


REFERENCES = {
    FacePaste: Reference(
        paste, cases=({"opacity": 0.8}, {"colour": 0.3}), inners={"layer": layer()},
        inputs={"faces": (), "points": ()},
    ),
}  # fmt: skip
