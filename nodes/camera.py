"""Cameras: how the frame was taken, as a pinhole."""

from __future__ import annotations

from typing import Any

from ..graph.declare import Out, Param, ProcessNode, param, result
from ..graph.types import Camera, Number, Vector2
from ..runtime.perception.head_pose import ASSUMED_FOV, pinhole

__all__ = ["CameraLens"]


class CameraLens(ProcessNode, type="camera.lens"):
    """The camera that took the frame, by the angle it sees.

    A clip seldom tells its lens, so an angle is assumed: 63° is near a phone's or laptop's camera; a portrait lens sees 15
    to 30. It matters for 3D only: too wide makes heads seem nearer, and what is attached to them more distorted.
    """

    field_of_view: Param[Number] = param(
        ASSUMED_FOV, low=5.0, high=150.0, step=0.5, unit="°", doc="the angle from the frame's top to its bottom"
    )
    centre: Param[Vector2] = param(
        (0.0, 0.0), low=-0.5, high=0.5, step=0.005, unit="frame heights",
        doc="where the lens' axis meets the frame: to the right and down from its middle",
    )  # fmt: skip
    camera: Out[Camera] = result(doc="fx, fy, cx, cy in frame pixels")

    def process(self, field_of_view: float, centre: Any, tick: Any) -> tuple[float, float, float, float]:
        return pinhole(tick.width or 1, tick.height or 1, field_of_view, (float(centre[0]), float(centre[1])))
