"""Masks of a face's parts: skin, eyes, lips, teeth, brows. What make-up and retouching work within."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..graph.declare import In, Out, Param, ProcessNode, inner, param, port, result, same, slot
from ..graph.types import Faces, Image, Mask, Number
from ..runtime.frames import Frame, Geometry
from ..runtime.perception.face_masks import CAPACITY, FaceMasks, drawable, face_width
from ..runtime.perception.headframe import faded
from ..runtime.pixel import At, Raster, Vec, clamp, length, luma, maximum, mix, smoothstep, vec

__all__ = ["FacePartMasks"]

ALIKE, UNLIKE = 0.06, 0.13  # distance of two hues (r, g over r + g + b) up to which they are one skin's, and from which not
SHADOW, DARK = 0.4, 0.18  # of the skin's brightness: what is darker fades out between
SETTLE = 0.4  # seconds in which the skin's colour is followed
LEAST = 50  # skin pixels that a colour is taken from, at least


class FacePartMasks(ProcessNode, type="face.masks", fallback="last"):
    """Soft masks of the parts of faces: skin, eyes, lips, teeth, brows, the rings under the eyes.

    Drawn from the landmarks on a coarse grid, so they cost little and are as steady as the mesh. Skin leaves out eyes,
    brows, lips and nostrils; with `selective`, also what has not the skin's colour: hair over the forehead, a beard,
    glasses, a microphone. A hand before the face counts as skin.
    """

    image: In[Image] = port(domain=True, display=True, doc="the picture, from which the skin's colour is taken")
    faces: In[Faces] = port(doc="tracked faces in it")
    feather: Param[Number] = param(
        0.015, low=0.0, high=0.1, step=0.001, unit="face widths", doc="softness of the parts' edges"
    )
    rim: Param[Number] = param(
        0.1, low=0.0, high=0.4, step=0.01, unit="face widths", doc="how far inside the face's outline skin fades in"
    )
    selective: Param[Number] = param(0.8, low=0, high=1, step=0.01, doc="how strictly skin must have the skin's colour")
    drawn: Out[Image] = inner(space=same("image"), doc="skin, eyes, lips, mouth; small")
    more: Out[Image] = inner(space=same("image"), doc="brows, under the eyes, irises, the whole face; small")
    tone: Out[Image] = inner(
        space=same("image"), doc="each skin's hue (r, g over r + g + b), its brightness, and whether it is known; small"
    )
    skin: Out[Mask] = result(space=same("image"), doc="bare skin of faces")
    eyes: Out[Mask] = result(space=same("image"), doc="between the lids")
    irises: Out[Mask] = result(space=same("image"), doc="for meshes with irises")
    under_eyes: Out[Mask] = result(space=same("image"), doc="below the lower lids, where shadows lie")
    lips: Out[Mask] = result(space=same("image"), doc="both lips")
    mouth: Out[Mask] = result(space=same("image"), doc="between the lips: teeth and tongue")
    brows: Out[Mask] = result(space=same("image"), doc="the eyebrows")
    face: Out[Mask] = result(space=same("image"), doc="the whole face within its outline")
    shown = slot()
    cell = slot(0)
    colours = slot()

    def open(self, context: Any) -> None:
        self._masks = FaceMasks()
        self._tones = np.zeros((CAPACITY, 4), np.float32)

    def process(
        self, image: Frame, faces: Any, feather: float, rim: float, tick: Any, state: Any
    ) -> tuple[Frame, Frame, Frame]:  # fmt: skip
        width, height = float(tick.width or 1), float(tick.height or 1)
        state.shown = faded(state.shown, faces, tick.delta)
        rasters, geometry, state.cell = self._masks.draw(
            state.shown.values(), width, height, feather=float(feather), rim=float(rim), before=state.cell
        )
        before = state.colours or {}
        state.colours = {i: before[i] for i in state.shown if i in before}
        if state.cell:
            a, _, c, _, e, f = image.geometry.from_frame()
            for face in faces:
                if drawable(face.landmarks, width, height):
                    pixels = self._masks.sample(face.landmarks, image.data, (a, e, c, f), geometry)
                    learn(state.colours, face.id, pixels, tick.delta)
        tones = self._spread(state, geometry, width, height)
        drawn, more, tone = (Frame(r, geometry, image.space) for r in (*rasters, tones))
        return drawn, more, tone

    def _spread(self, state: Any, geometry: Geometry, width: float, height: float) -> np.ndarray:
        """Each face's skin colour over its part of the grid, the nearer (larger) over the farther."""
        tones = self._tones[: geometry.width * geometry.height].reshape(geometry.height, geometry.width, 4)
        tones.fill(0.0)
        for shown in sorted(state.shown.values(), key=lambda s: face_width(s.item.landmarks)):
            face = shown.item
            if face.id in state.colours and drawable(face.landmarks, width, height):
                left, top, right, bottom = self._masks.region(face.landmarks, geometry)
                tones[top:bottom, left:right] = (*state.colours[face.id], 1.0)
        return tones

    def pixel(self, image: Raster, drawn: Raster, more: Raster, tone: Raster, selective: Vec, at: At) -> tuple[Vec, ...]:
        one, two, own = drawn.sample(at.x, at.y), more.sample(at.x, at.y), tone.sample(at.x, at.y)
        rgb = clamp(image.rgb)
        hue = rgb[0:2] / maximum(rgb[0] + rgb[1] + rgb[2], 0.05)
        alike = 1.0 - smoothstep(ALIKE, UNLIKE, length(hue - own[0:2]))
        alike = alike * smoothstep(DARK, SHADOW, luma(rgb) / maximum(own[2], 0.02))
        skin = one[0] * mix(vec(1.0), alike, selective * own[3])
        return skin, one[1], two[2], two[1], one[2], one[3], two[0], two[3]


def learn(colours: dict[int, np.ndarray], face: int, pixels: np.ndarray, delta: float) -> None:
    """Follow a face's skin colour: medians, so that a few strands of hair don't count."""
    if len(pixels) < LEAST:
        return
    rgb = pixels.astype(np.float32) / 255
    hue = rgb[:, :2] / np.maximum(rgb.sum(1, keepdims=True), 0.05)
    seen = np.append(np.median(hue, axis=0), np.median(rgb @ LUMA))
    near = 1.0 if delta <= 0 else 1 - math.exp(-delta / SETTLE)
    before = colours.get(face, seen)
    colours[face] = before + near * (seen - before)


LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)
