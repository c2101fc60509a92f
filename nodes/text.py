"""Text: letters as a layer, in any font, to be laid over a picture or attached to faces and bodies."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..graph.declare import In, Out, Param, ProcessNode, frame_space, param, port, result
from ..graph.types import Asset, Boolean, Choice, Colour, Image, Integer, Number, Text, Vector2
from ..runtime.fonts import open_font
from ..runtime.frames import Frame, Geometry
from ..runtime.typeset import Style, missing, set_text

__all__ = ["DrawText"]


class DrawText(ProcessNode, type="text.draw", fallback="empty"):
    """Write text: a title, a caption, a word for a speech bubble; with outline, shadow and plate.

    The output is a layer: lay it over a picture with `composite.over`, or wire it to `attach.to_face` and the like, which take
    it as their picture. Font files bring kerning and joined scripts; without one the built-in font writes Latin, Greek,
    Cyrillic, Chinese, Japanese and Korean, and stands in for letters a file lacks. Drawn anew only when something changes.
    """

    words: In[Text] = port(optional=True, doc="the text from a wire; unwired or empty: `text`")
    text: Param[Text] = param("Text", doc="what to write; \\n begins a new line")
    font: Param[Asset] = param(None, doc="a TrueType or OpenType file; none: the built-in font")
    size: Param[Number] = param(0.1, low=0.005, high=2, step=0.005, unit="frame heights", doc="of the letters")
    weight: Param[Integer] = param(600, low=100, high=900, step=50, doc="thin to black; of a file: bold from 650 on")
    width: Param[Number] = param(0.0, low=0, high=4, step=0.01, unit="frame heights", doc="of the block, where lines are wrapped; 0: as its lines")
    align: Param[Choice] = param("centre", choices=("left", "centre", "right"), doc="of several lines")
    leading: Param[Number] = param(1.2, low=0.5, high=3, step=0.05, doc="distance of lines, in sizes")
    position: Param[Vector2] = param(
        (0.0, 0.0), low=-2, high=2, step=0.005, unit="frame heights", doc="of its anchor, from the frame's centre, x right, y down"
    )
    anchor: Param[Vector2] = param(
        (0.5, 0.5), low=0, high=1, step=0.01, doc="which point of the text lies there; 0, 0 is its top left"
    )
    colour: Param[Colour] = param((1.0, 1.0, 1.0, 1.0), widget="colour", doc="of the letters")
    outline: Param[Number] = param(0.0, low=0, high=0.5, step=0.005, doc="width of a line around the letters, in sizes")
    outline_colour: Param[Colour] = param((0.05, 0.05, 0.07, 1.0), widget="colour", doc="of that line")
    shadow_colour: Param[Colour] = param((0.0, 0.0, 0.0, 0.0), widget="colour", doc="of the shadow; alpha 0: none")
    shadow_offset: Param[Vector2] = param((0.0, 0.06), low=-1, high=1, step=0.01, doc="of the shadow, right, down, in sizes")
    shadow_softness: Param[Number] = param(0.08, low=0, high=1, step=0.01, doc="of the shadow's edge, in sizes")
    plate_colour: Param[Colour] = param((0.0, 0.0, 0.0, 0.0), widget="colour", doc="of a box behind; alpha 0: none")
    padding: Param[Number] = param(0.3, low=0, high=3, step=0.05, doc="of that box around the text, in sizes")
    corner: Param[Number] = param(0.25, low=0, high=3, step=0.05, doc="radius of that box's corners, in sizes")
    reveal: Param[Number] = param(1.0, low=0, high=1, step=0.01, doc="share of the letters that show, as on a typewriter")
    opacity: Param[Number] = param(1.0, low=0, high=1, step=0.01, doc="of it all")
    mirrored: Param[Boolean] = param(False, doc="written from right to left, for a window that mirrors")
    layer: Out[Image] = result(space=frame_space, size="free", doc="the text, transparent around")
    missing: Out[Text] = result(doc="letters that no font at hand has")

    def open(self, context: Any) -> None:
        self._key: Any = None
        self._pixels, self._lacks, self._coarse = np.zeros((1, 1, 4), np.float32), "", 1.0

    def process(
        self, words: Any, text: str, font: Any, size: float, weight: int, width: float, align: str, leading: float,
        position: Any, anchor: Any, colour: Any, outline: float, outline_colour: Any, shadow_colour: Any,
        shadow_offset: Any, shadow_softness: float, plate_colour: Any, padding: float, corner: float, reveal: float,
        opacity: float, mirrored: bool, tick: Any,
    ) -> tuple[Frame, str]:  # fmt: skip
        height = float(tick.height or 1)
        em = size * height
        style = Style(
            font, em, int(weight), width * height, align, leading, tuple(colour), tuple(outline_colour), outline * em,
            tuple(shadow_colour), (shadow_offset[0] * em, shadow_offset[1] * em), shadow_softness * em, tuple(plate_colour),
            padding * em if plate_colour[3] > 0 else 0.0, corner * em,
        )  # fmt: skip
        written = words or text
        key = (written, style, round(reveal * len(written)), bool(mirrored), opacity)
        if key != self._key:
            self._draw(written, style, reveal, bool(mirrored), opacity)
            self._key = key
        return Frame(self._pixels, self._lies(position, anchor, tick), "frame"), self._lacks

    def _draw(self, text: str, style: Style, reveal: float, mirrored: bool, opacity: float) -> None:
        drawn, self._coarse = set_text(text, style, reveal)
        self._lacks = missing(text, open_font(style.font, 32, style.weight))
        if mirrored:
            drawn = np.ascontiguousarray(drawn[:, ::-1])
        if opacity < 1.0:
            drawn *= np.float32(opacity)
        drawn[[0, -1]] = 0.0  # readers see its edge everywhere outside
        drawn[:, [0, -1]] = 0.0
        self._pixels = drawn

    def _lies(self, position: Any, anchor: Any, tick: Any) -> Geometry:
        """Whole pixels of the frame, so that letters stay sharp."""
        rows, columns, scale = *self._pixels.shape[:2], self._coarse
        height, width = float(tick.height or 1), float(tick.width or 1)
        left = round(0.5 * width + position[0] * height - anchor[0] * columns * scale)
        top = round((0.5 + position[1]) * height - anchor[1] * rows * scale)
        return Geometry(columns, rows, (scale, 0.0, float(left), 0.0, scale, float(top)))
