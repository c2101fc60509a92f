"""Planar: a flat picture in the scene that is known again, or any textured plane that is pointed at; and what lies on it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..graph.declare import In, Out, Param, ProcessNode, frame_space, param, port, result, slot
from ..graph.errors import SourceError, SpellwireError
from ..graph.types import Asset, Boolean, Camera, Image, Number, Plane, Points, Pose, Trigger
from ..runtime.frames import Frame
from ..runtime.layers import Layer
from ..runtime.perception.head_pose import pinhole
from ..runtime.perception.planar import Marker, PlanarState, PlanarTracker, SmallGrey
from ..runtime.perception.plane_pose import plane_pose
from ..runtime.scene.planes import PlanePainter, facing_plane, patch_under
from ..runtime.scene.values import PlaneValue
from ..runtime.textures import Clip, Texture, read_clip

__all__ = ["MarkerPlane", "PlanePicture", "TouchedPlane"]

CAPACITY = 1 << 20  # pixels of a picture's layer


class Tracked(ProcessNode):
    """What finders of planes share: where the plane is, as values."""

    image: In[Image] = port(display=True, doc="the frame to look at")
    camera: In[Camera] = port(optional=True, doc="from camera.lens; unwired: a usual phone camera")
    plane: Out[Plane] = result(doc="where it lies and how large it is; nothing while it is not seen")
    pose: Out[Pose] = result(doc="its middle in the camera's space: x right, y up on the plane, z out of its front")
    corners: Out[Points] = result(space=frame_space, doc="its four corners in frame pixels, from its top left clockwise; or none")
    found: Out[Boolean] = result(doc="whether it is seen")
    score: Out[Number] = result(doc="how surely it is seen, 0 to 1")

    def open(self, context: Any) -> None:
        self._small = SmallGrey()

    def small(self, image: Frame) -> tuple[np.ndarray, float]:
        """The frame in grey, small, and the factor."""
        return self._small(image.data)

    def given(
        self, homography: np.ndarray | None, scale: float, image: Frame, aspect: float, width: float, camera: Any, score: float,
        state: Any, tick: Any,
    ) -> tuple[PlaneValue | None, np.ndarray | None, np.ndarray, bool, float]:  # fmt: skip
        """The outputs for a homography to the small frame (None: nothing)."""
        nothing = (None, None, np.zeros((0, 2), np.float32), False, 0.0)
        if homography is None:
            state.pose = None
            return nothing
        a, _, c, _, e, f = image.geometry.to_frame
        # centres of pixels are whole numbers there, and halves in the frame
        to_frame = np.array(((scale * a, 0.0, 0.5 * scale * a + c), (0.0, scale * e, 0.5 * scale * e + f), (0.0, 0.0, 1.0)))
        there = to_frame @ homography
        pose = plane_pose(there, aspect, width, camera or pinhole(tick.width or 1, tick.height or 1), state.pose)
        if pose is None:
            return nothing
        state.pose = pose
        flat = np.array(((-0.5, -aspect / 2), (0.5, -aspect / 2), (0.5, aspect / 2), (-0.5, aspect / 2)))
        seen = flat @ there[:, :2].T + there[:, 2]
        corners = (seen[:, :2] / seen[:, 2:]).astype(np.float32)
        return PlaneValue(pose, (width, width * aspect), corners, score, there), pose, corners, True, score


class MarkerPlane(Tracked, type="planar.marker", latency="model", fallback="empty"):
    """A picture known again in the scene: a poster, a book's cover, a photograph, wherever and however it is held.

    It is looked for by its features (ORB) while it is not known, then followed by optical flow and held by the picture itself, to
    a part of a pixel. It may be partly hidden. A good marker has many corners and much contrast, and no repeated pattern.
    """

    marker: Param[Asset] = param(None, doc="the picture that is looked for, seen straight from the front")
    width: Param[Number] = param(0.3, low=0.01, high=20.0, step=0.01, unit="metres", doc="how wide it is in the scene")
    smoothing: Param[Number] = param(
        0.5, low=0, high=1, step=0.01, doc="0 = as measured; higher = calmer while it is still (motion is followed at any setting)"
    )
    tracked = slot()

    def open(self, context: Any) -> None:
        super().open(context)
        self._path: Any = None
        self._tracker: PlanarTracker | SpellwireError | None = None

    def process(self, image: Frame, camera: Any, marker: Any, width: float, smoothing: float, tick: Any, state: Any) -> Any:
        if not marker:
            raise SourceError("planar.marker has no picture to look for; choose one for its parameter `marker`")
        if marker != self._path:
            self._path, self._tracker, state.tracked = marker, _tracker_of(Path(marker)), None
        if not isinstance(self._tracker, PlanarTracker):
            assert self._tracker is not None
            raise self._tracker
        state.tracked = state.tracked or Known()
        grey, scale = self.small(image)
        homography = self._tracker.track(grey, state.tracked.planar, tick.delta, smoothing)
        aspect = self._tracker.marker.aspect
        return self.given(
            homography, scale, image, aspect, width, camera, state.tracked.planar.score, state.tracked, tick
        )


class Known:
    """What is remembered of a plane: the tracker's state, and its pose before."""

    def __init__(self) -> None:
        self.planar = PlanarState()
        self.pose: np.ndarray | None = None
        self.tracker: PlanarTracker | None = None
        self.aspect = 1.0


def _tracker_of(path: Path) -> PlanarTracker | SpellwireError:
    from ..runtime.media.pictures import read_picture

    try:
        return PlanarTracker(Marker(read_picture(path), path.name))
    except SpellwireError as error:
        return error


class TouchedPlane(Tracked, type="planar.place", latency="model", fallback="last"):
    """A plane put where the picture is touched, held there by the texture it lies on: a table, a wall, a box.

    Nobody knows how a plane lies from one frame: `tilt` says it, 0 like a picture on the wall before the camera, 75 like a table in
    front. What lies on it then follows the camera and the thing. Where there is nothing to hold on to it is not placed.
    """

    touched: In[Trigger] = port(optional=True, doc="from event.touch; an event without a place puts it in the middle")
    size: Param[Number] = param(0.3, low=0.05, high=1.5, step=0.01, unit="frame heights", doc="of the piece that is followed")
    width: Param[Number] = param(0.2, low=0.01, high=20, step=0.01, unit="metres", doc="how wide that piece is in the scene")
    tilt: Param[Number] = param(0.0, low=0, high=85, step=1, unit="°", doc="how far it leans back from the camera")
    at_start: Param[Boolean] = param(False, doc="put one into the middle of the first frame, untouched")
    smoothing: Param[Number] = param(0.5, low=0, high=1, step=0.01, doc="0 = as measured; higher = calmer while it is still")
    tracked = slot()

    def process(
        self, image: Frame, camera: Any, touched: Any, size: float, width: float, tilt: float, at_start: bool, smoothing: float,
        tick: Any, state: Any,
    ) -> Any:  # fmt: skip
        grey, scale = self.small(image)
        fresh = state.tracked is None
        known = state.tracked = state.tracked or Known()
        events = list(touched or ())
        place = (float(events[-1].x), float(events[-1].y)) if events else (0.0, 0.0)
        if events or (fresh and at_start):
            lens = camera or pinhole(tick.width or 1, tick.height or 1)
            self._put(known, grey, scale, image, place, size, tilt, lens, (tick.width or 1, tick.height or 1))
        if known.tracker is None:
            return self.given(None, scale, image, 1.0, width, camera, 0.0, known, tick)
        homography = known.tracker.track(grey, known.planar, tick.delta, smoothing)
        return self.given(homography, scale, image, known.aspect, width, camera, known.planar.score, known, tick)

    def _put(
        self, known: Known, grey: np.ndarray, scale: float, image: Frame, place: tuple[float, float], size: float, tilt: float,
        camera: Any, frame: tuple[int, int],
    ) -> None:  # fmt: skip
        """Take the piece of the frame under that plane for a marker; what was there before stays if nothing holds it."""
        a, _, c, _, e, f = image.geometry.to_frame
        to_small = np.array(((1 / (scale * a), 0.0, -c / (scale * a) - 0.5), (0.0, 1 / (scale * e), -f / (scale * e) - 0.5), (0.0, 0.0, 1.0)))
        there = to_small @ facing_plane(place, size, tilt, camera, frame)
        try:
            tracker = PlanarTracker(Marker(patch_under(grey, there), "what lies there"))
        except SourceError:
            return
        known.tracker, known.aspect, known.pose, known.planar = tracker, 1.0, None, PlanarState()
        known.planar.homography = there @ np.linalg.inv(tracker.marker.to_grey)
        known.planar.grey, known.planar.fresh = grey.copy(), True


class PlanePicture(ProcessNode, type="planar.picture", natives=("draw_triangles",), fallback="empty"):
    """A picture laid on a plane in perspective, with smooth edges and no shimmer: a sticker, a film, a screen.

    Give it a file, or wire a picture. It can float above the plane and turn on it.
    """

    plane: In[Plane] = port(doc="from planar.marker or planar.place")
    image: In[Image] = port(optional=True, anywhere=True, doc="or a picture from a wire")
    camera: In[Camera] = port(optional=True, doc="the one that the plane was found with")
    picture: Param[Asset] = param(None, doc="a picture with transparency, or an animation (GIF, animated PNG or WebP)")
    size: Param[Number] = param(1.0, low=0.01, high=10, step=0.01, doc="its width, in widths of the plane")
    x: Param[Number] = param(0.0, low=-5, high=5, step=0.01, doc="to the right of the middle, in widths of the plane")
    y: Param[Number] = param(0.0, low=-5, high=5, step=0.01, doc="above the middle, in widths of the plane")
    height: Param[Number] = param(0.0, low=-2, high=5, step=0.005, doc="how far it floats above the plane, in widths of it")
    rotate: Param[Number] = param(0.0, low=-360, high=360, step=1, unit="°", doc="on the plane, clockwise")
    opacity: Param[Number] = param(1.0, low=0, high=1, step=0.01, doc="of the picture")
    out: Out[Image] = result(space=frame_space, size="free", doc="the picture in its place, to lay over the frame")
    scale = slot(0)

    def open(self, context: Any) -> None:
        self._painter = PlanePainter(context.native("draw_triangles"))
        self._layer = Layer(CAPACITY)
        self._linear = context.working_space == "linear"
        self._file: tuple[Any, Clip] | None = None
        self._wired: Texture | None = None

    def process(
        self, plane: Any, image: Frame | None, camera: Any, picture: Any, size: float, x: float, y: float, height: float,
        rotate: float, opacity: float, tick: Any, state: Any,
    ) -> Frame:  # fmt: skip
        texture = self._texture(image, picture, tick.time)
        if plane is None or texture is None or opacity <= 0:
            return self._layer.empty(tick)
        lens = camera or pinhole(tick.width or 1, tick.height or 1)
        aspect = texture.height / texture.width
        vertices = self._painter.vertices(plane, lens, (size, size * aspect), (x, y, height), rotate, texture)
        if vertices is None:
            return self._layer.empty(tick)
        frame, state.scale = self._layer.place(self._painter.box(vertices), tick, "frame", state.scale)
        if frame.width * frame.height > 1:
            self._painter.paint(vertices, texture, frame, opacity)
        return frame

    def _texture(self, image: Frame | None, picture: Any, time: int) -> Texture | None:
        if image is not None:
            pixels = image.data
            if self._wired is None or (self._wired.height, self._wired.width) != pixels.shape[:2]:
                self._wired = Texture(pixels.shape[1], pixels.shape[0])
            self._wired.refill(pixels)
            return self._wired
        if not picture:
            return None
        if self._file is None or self._file[0] != picture:
            self._file = (picture, read_clip(picture, linear=self._linear))
        return self._file[1].at(time)
