"""Geometry: OpenCV's and NumPy's ways to move a picture."""

from __future__ import annotations

import numpy as np

from references import Place, Reference, sample
from spellwire.nodes import geometry as g


def moved(image, translate, rotate, scale, pivot, outside, at):
    """The matrix scale, rotate, translate about the pivot, inverted by NumPy."""
    turn = np.deg2rad(rotate)
    centre = np.array([at.aspect / 2 + pivot[0], 0.5 + pivot[1]])
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) @ np.diag(scale)
    back = np.linalg.inv(matrix)
    place = np.concatenate([at.x, at.y], axis=-1) - centre - np.array(translate)
    x, y = np.moveaxis(place @ back.T + centre, -1, 0)
    return sample(image, x[..., None], y[..., None], at, {"zero": "zero", "clamp": "clamp", "mirror": "mirror"}[outside])


def moved_mask(mask, translate, rotate, scale, pivot, outside, at):
    return moved(mask, translate, rotate, scale, pivot, outside, at)


def mirror(image, across, down):
    return image[:: -1 if down else 1, :: -1 if across else 1]


def place(pixels, how, scale, anchor, offset, at):
    """Where a file's picture lies, in frame heights, and a bilinear read of it."""
    own, frame = pixels.width / pixels.height, at.aspect
    height = {"fit": min(1, frame / own), "fill": max(1, frame / own), "stretch": 1.0, "size": 1.0}[how] * scale
    width = frame * scale if how == "stretch" else height * own
    left, top = (np.array([frame - width, 1 - height]) * anchor + offset).tolist()
    small = Place(pixels.width, pixels.height, 0, 0)
    x, y = (at.x - left) / width * own, (at.y - top) / height
    return sample(pixels.data.astype(float), x, y, small, "zero")


MOVES = (
    {"translate": (0.2, -0.1), "rotate": 30.0},
    {"rotate": -50.0, "scale": (0.6, -1.3), "pivot": (0.3, 0.2), "outside": "mirror"},
    {"scale": (0.5, 0.7), "outside": "clamp"},
)
REFERENCES = {
    g.Transform: Reference(moved, cases=MOVES),
    g.TransformMask: Reference(moved_mask, cases=MOVES),
    g.Mirror: Reference(mirror, cases=({}, {"across": False, "down": True})),
    g.Place: Reference(place, cases=({"how": "fit", "scale": 0.8}, {"how": "fill", "anchor": (0.2, 0.7)},
                                     {"how": "stretch", "scale": 0.7, "offset": (0.1, 0.0)}, {"how": "size", "scale": 0.5})),
}  # fmt: skip
