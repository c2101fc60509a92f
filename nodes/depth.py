"""Depth: how far away what is seen is; focus, fog and light by it. Distances are metres from the camera, large = far."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np

from ..graph.declare import In, Out, Param, PixelNode, ProcessNode, inner, param, port, result, same, slot
from ..graph.types import Choice, Colour, Depth, Image, Mask, Model, Number, Surface, Vector3
from ..runtime.frames import Frame
from ..runtime.models.pictures import Layout, PictureModel
from ..runtime.perception.depth import LEAST, MOST, DepthEstimator, make_state
from ..runtime.perception.guided import GuidedCoefficients, loop_of
from ..runtime.perception.shrink import Shrinker
from ..runtime.pixel import At, Raster, Vec, clamp, dot, exp2, fract, maximum, minimum, mix, smoothstep, vec
from .geometry import buffer, scaled

__all__ = ["Distance", "Estimate", "Fog", "Range", "Refine", "Show", "ToSurface"]

LOG2_E = 1.4426950408889634
UNKNOWN = 3.0  # metres, before the first result is there
RIM = 0.3  # coverage up to which a pixel is of what is behind: a rim of the old background would shine
ROWS = 144  # of the grid that a depth is bent onto edges on


class Estimate(ProcessNode, type="depth.estimate", latency="slow", fallback="last"):
    """How far away everything is, by a network that looks at one picture at a time.

    It plays in a lane of its own, so its readers see the newest result there is, with its age. Scale and shift are held
    from result to result. Wire the person's mask in: the scene is then filled in behind people, and they get a distance
    of their own, since networks for rooms hardly see people. `depth.refine` puts the two together on the picture's edges.

    The default, FastDepth, knows rooms, in about metres. A file of the effect works as well: say what it takes and gives.
    What is relative is spread over 1 to 8 metres.
    """

    image: In[Image] = port(display=True, doc="the picture to look at")
    mask: In[Mask] = port(optional=True, doc="where people are")
    model: Param[Model] = param("depth/fastdepth", doc="a network that gives one plane: from the registry, or a file")
    gives: Param[Choice] = param(
        "metres", choices=("metres", "far", "near"), doc="metres; or a relative depth, which is large where it is far, or near"
    )
    takes: Param[Choice] = param("0..1", choices=("0..1", "-1..1", "0..255"), doc="range of a channel's values")
    axes: Param[Choice] = param("auto", choices=("auto", "nchw", "nhwc"), doc="where the channels stand")
    order: Param[Choice] = param("rgb", choices=("rgb", "bgr"), doc="of the channels")
    mean: Param[Vector3] = param((0.0, 0.0, 0.0), structural=True, doc="taken off, after the range")
    std: Param[Vector3] = param((1.0, 1.0, 1.0), structural=True, doc="divided by, after the mean")
    smoothing: Param[Number] = param(0.6, low=0.0, high=1.0, doc="0 = each picture for itself, 1 = most steady")
    depth: Out[Depth] = result(space=same("image"), size="free", doc="the scene; behind people where the mask is wired")
    people: Out[Depth] = result(space=same("image"), size="free", doc="how far people are, spread out around them")
    past = slot()

    def open(self, context: Any) -> None:
        p = context.params
        layout = Layout(axes=p["axes"], takes=p["takes"], order=p["order"], mean=tuple(p["mean"]), std=tuple(p["std"]))
        net = PictureModel(context.model(p["model"]), layout, channels=1)
        self._estimator = DepthEstimator(net, p["gives"])

    def process(self, image: Frame, mask: Frame | None, smoothing: float, tick: Any, state: Any) -> tuple[Frame, Frame]:
        if state.past is None:
            state.past = make_state()
        people = None if mask is None else self._small(mask)
        planes = self._estimator.estimate(image.data, tick.delta, state.past, smoothing=float(smoothing), people=people)
        scene, theirs = (Frame(p[..., None], scaled(image.geometry, p.shape[1], p.shape[0]), image.space) for p in planes)
        return scene, theirs

    def _small(self, mask: Frame) -> np.ndarray:
        rows = min(256, mask.height)
        small = buffer(self, "_mask", (rows, max(1, round(mask.width * rows / mask.height))))
        cv2.resize(mask.data, small.shape[::-1], dst=small, interpolation=cv2.INTER_AREA)
        return small


class Refine(ProcessNode, type="depth.refine", natives=("guided_fit",), fallback="last"):
    """A coarse depth bent onto the picture's edges, with people in front.

    A guided filter on a grid of 144 lines finds how depth follows the picture's colours around each place; at full
    size that is a few multiplications in the kernel that needs the depth. So a depth that came late still has this
    picture's edges. People are cut out by their mask and stand in front of what is behind them.
    """

    image: In[Image] = port(display=True, domain=True, doc="the picture whose edges it follows")
    depth: In[Depth] = port(doc="the scene, coarse")
    people: In[Depth] = port(optional=True, doc="how far people are, from depth.estimate")
    mask: In[Mask] = port(optional=True, doc="where people are, in this picture")
    edge: Param[Number] = param(0.5, low=0.0, high=1.0, doc="how closely it follows the picture: 0 = soft, 1 = every line")
    separation: Param[Number] = param(
        1.6, low=1.0, high=8.0, step=0.05, doc="what is behind people is at least so many times as far away as they are"
    )
    coefficients: Out[Image] = inner(space=same("image"), doc="nearness as a linear model of the picture's colours")
    front: Out[Depth] = inner(space=same("image"), doc="nearness of people, small")
    out: Out[Depth] = result(space=same("image"), doc="metres, at full size")

    def open(self, context: Any) -> None:
        self._shrink, self._size = Shrinker(), (0, 0)
        self._native = loop_of(context, "guided_fit")

    def process(self, image: Frame, depth: Frame, people: Frame | None, edge: float, separation: float) -> tuple[Frame, Frame]:
        height = min(ROWS, image.height)
        width = max(1, round(image.width * height / image.height))
        self._make(height, width)
        self._shrink.into(image.data, self._pixels)
        np.multiply(self._pixels, np.float32(1 / 255), out=self._guide)
        self._near(depth, self._scene)
        self._guided.fit(self._guide, self._scene, 5, 10.0 ** (-1.5 - 3.0 * edge), self._fit)
        front = self._front
        np.multiply(self._scene, np.float32(separation), out=front)
        if people is not None:
            np.maximum(front, self._near(people, self._theirs), out=front)
        geometry = scaled(image.geometry, width, height)
        return Frame(self._fit, geometry, image.space), Frame(front[..., None], geometry, image.space)

    def _make(self, height: int, width: int) -> None:
        if self._size == (height, width):
            return
        self._size = height, width
        self._pixels = np.zeros((height, width, 3), np.uint8)
        self._guide = np.zeros((height, width, 3), np.float32)
        self._fit = np.zeros((height, width, 4), np.float32)
        self._scene, self._theirs, self._front = np.zeros((3, height, width), np.float32)
        self._guided = GuidedCoefficients(height, width, self._native)

    def _near(self, depth: Frame, into: np.ndarray) -> np.ndarray:
        """A raster of metres as nearness on the grid; where it knows nothing (0), as UNKNOWN."""
        cv2.resize(depth.data, into.shape[::-1], dst=into, interpolation=cv2.INTER_LINEAR)
        into[~(into > 0)] = UNKNOWN
        np.fmax(into, np.float32(1 / MOST), out=into)
        np.divide(np.float32(1), into, out=into)
        return into

    def pixel(self, image: Raster, mask: Raster, coefficients: Raster, front: Raster, at: At) -> Vec:
        fit = coefficients.sample(at.x, at.y)
        scene = clamp(dot(fit[0:3], clamp(image[0:3])) + fit[3], LEAST, MOST)
        theirs = clamp(front.sample(at.x, at.y), LEAST, MOST)
        inside = clamp((mask - RIM) * (1.0 / (1.0 - RIM)))
        return 1.0 / mix(scene, theirs, inside)


class Distance(ProcessNode, type="depth.distance", fallback="last"):
    """How far away something is: the middle of the distances under a mask, followed calmly, as a focus puller would.

    Where the mask covers nothing it stays as it is; unwired, the middle of the picture counts.
    """

    depth: In[Depth] = port(doc="metres")
    mask: In[Mask] = port(optional=True, doc="whose distance")
    seconds: Param[Number] = param(0.4, low=0, high=10, step=0.05, unit="s", doc="how long it takes to follow")
    out: Out[Number] = result(doc="metres")
    last = slot(None)

    COLUMNS = 64

    def process(self, depth: Frame, mask: Frame | None, seconds: float, tick: Any, state: Any) -> float:
        rows = max(1, round(self.COLUMNS * depth.height / depth.width))
        small, weight = buffer(self, "_depth", (rows, self.COLUMNS)), buffer(self, "_weight", (rows, self.COLUMNS))
        cv2.resize(depth.data, small.shape[::-1], dst=small, interpolation=cv2.INTER_NEAREST)
        if mask is not None:
            cv2.resize(mask.data, small.shape[::-1], dst=weight, interpolation=cv2.INTER_NEAREST)
        else:
            weight[:] = 0
            weight[rows // 3 : rows - rows // 3, self.COLUMNS // 3 : self.COLUMNS - self.COLUMNS // 3] = 1
        values = small[(weight > 0.5) & (small > 0) & np.isfinite(small)]
        if len(values) >= 4:
            near = float(np.median(1 / values))
            past = near if state.last is None else state.last
            follow = 1.0 if seconds <= 0 or tick.delta <= 0 else 1 - math.exp(-tick.delta / seconds)
            state.last = past + (near - past) * follow  # nearness: what is far is not waited for longer
        return 1 / state.last if state.last else 2.0


class Fog(PixelNode, type="depth.fog"):
    """Fog that swallows what is far: denser with distance, of one colour near and another far."""

    image: In[Image] = port(domain=True, doc="the picture")
    depth: In[Depth] = port(doc="metres")
    thickness: In[Mask] = port(optional=True, default=(1.0,), doc="of the fog, place by place; unwired: even")
    density: Param[Number] = param(0.35, low=0, high=4, step=0.01, doc="share of the light lost in the first metre, about")
    start: Param[Number] = param(1.0, low=0, high=20, step=0.05, unit="m", doc="where it begins")
    most: Param[Number] = param(0.95, low=0, high=1, step=0.01, doc="of the picture it can hide")
    near: Param[Colour] = param((0.72, 0.76, 0.86, 1.0), widget="colour", doc="its colour where it begins")
    far: Param[Colour] = param((0.55, 0.60, 0.78, 1.0), widget="colour", doc="its colour where it hides everything")
    out: Out[Image] = result(doc="the picture in fog; alpha as it was")

    def pixel(self, image, depth, thickness, density, start, most, near, far):
        way = clamp(depth - start, 0.0, 100.0)
        lost = 1.0 - exp2(way * density * -LOG2_E)
        tint = mix(near.rgb, far.rgb, lost)
        return vec(mix(image.rgb, tint * image.a, clamp(lost * thickness) * most), image.a)


class Range(PixelNode, type="depth.mask"):
    """What lies between two distances, as a mask."""

    depth: In[Depth] = port(doc="metres")
    near: Param[Number] = param(0.0, low=0, high=50, step=0.05, unit="m", doc="from here")
    far: Param[Number] = param(2.0, low=0, high=50, step=0.05, unit="m", doc="to here")
    softness: Param[Number] = param(0.2, low=0.01, high=1, step=0.01, doc="of both ends, as a share of their distance")
    out: Out[Mask] = result(doc="1 between")

    def pixel(self, depth, near, far, softness):
        def beyond(edge):
            half = maximum(edge * softness * 0.5, 1e-4)
            return smoothstep(edge - half, edge + half, depth)

        return beyond(near) * (1.0 - beyond(far))


class Show(PixelNode, type="depth.show"):
    """Depth to look at: warm near, cool far, with a line at each step of distance."""

    depth: In[Depth] = port(doc="metres")
    near: Param[Number] = param(0.7, low=0.1, high=50, step=0.05, unit="m", doc="this near is the warmest")
    far: Param[Number] = param(6.0, low=0.1, high=50, step=0.05, unit="m", doc="this far is the coolest")
    step: Param[Number] = param(0.5, low=0.05, high=10, step=0.05, unit="m", doc="between two lines")
    lines: Param[Number] = param(0.25, low=0, high=1, step=0.01, doc="how dark they are")
    out: Out[Image] = result(doc="the colours, opaque")

    def pixel(self, depth, near, far, step, lines):
        close, away = 1.0 / maximum(near, 1e-3), 1.0 / maximum(far, 1e-3)
        share = clamp((1.0 / maximum(depth, 1e-3) - away) / maximum(close - away, 1e-4))
        colour = vec(*STOPS[0])
        for i, stop in enumerate(STOPS[1:]):
            colour = mix(colour, vec(*stop), clamp(share * (len(STOPS) - 1.0) - float(i)))
        place = fract(depth / step)
        line = 1.0 - smoothstep(0.03, 0.08, minimum(place, 1.0 - place))
        return vec(colour * (1.0 - line * lines), 1.0)


STOPS = (  # far to near
    (0.05, 0.07, 0.22), (0.18, 0.20, 0.55), (0.45, 0.25, 0.62), (0.85, 0.36, 0.42), (0.98, 0.65, 0.32), (1.0, 0.95, 0.72),
)  # fmt: skip


class ToSurface(ProcessNode, type="depth.surface"):
    """A depth as a surface that can be lit: normals from how distance changes, on a coarse grid.

    Each place is put where a camera of that field of view saw it. Depth of the surface is in frame heights, as the
    lamps of `light` are: 1 at `scale` metres, larger = nearer.
    """

    depth: In[Depth] = port(doc="metres")
    softness: Param[Number] = param(0.04, low=0.0, high=0.2, step=0.005, unit="frame heights", doc="what is smoothed away")
    view: Param[Number] = param(63.0, low=10, high=150, step=1, unit="°", doc="the camera's vertical field of view")
    scale: Param[Number] = param(2.0, low=0.1, high=50, step=0.05, unit="m", doc="this far is the plane of the frame")
    surface: Out[Surface] = result(space=same("depth"), size="free", doc="what is seen, as a surface")

    LINES = 180

    def process(self, depth: Frame, softness: float, view: float, scale: float) -> Frame:
        height = min(self.LINES, depth.height)
        width = max(1, round(depth.width * height / depth.height))
        near, dx, dy, work = (buffer(self, name, (height, width)) for name in ("_near", "_dx", "_dy", "_work"))
        cv2.resize(depth.data, (width, height), dst=near, interpolation=cv2.INTER_AREA)
        np.fmax(near, np.float32(1 / MOST), out=near)
        np.divide(np.float32(1), near, out=near)
        if softness * height > 0.3:
            cv2.GaussianBlur(near, (0, 0), softness * height, dst=near, borderType=cv2.BORDER_REPLICATE)
        surface = buffer(self, "_surface", (height, width, 8))
        surface[..., 0] = 1.0
        surface[..., 1], surface[..., 2] = self._places(height, width)
        self._normals(near, dx, dy, work, 2 * math.tan(math.radians(view) / 2) / height, surface)
        np.divide(np.float32(1), near, out=work)
        np.multiply(work, np.float32(-1 / scale), out=surface[..., 6])
        surface[..., 6] += 1.0
        return Frame(surface, scaled(depth.geometry, width, height), depth.space)

    def _places(self, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
        across, down = (np.arange(n, dtype=np.float32) + 0.5 for n in (width, height))
        return across / width, (down / height)[:, None]

    def _normals(self, near, dx, dy, work, pixel: float, surface) -> None:
        """Of nearness n = 1/Z at x = X/Z, y = Y/Z a plane's normal is (dn/dx, dn/dy, −(n − x dn/dx − y dn/dy))."""
        height, width = near.shape
        cv2.Sobel(near, cv2.CV_32F, 1, 0, dst=dx, ksize=3, scale=1 / (8 * pixel), borderType=cv2.BORDER_REPLICATE)
        cv2.Sobel(near, cv2.CV_32F, 0, 1, dst=dy, ksize=3, scale=1 / (8 * pixel), borderType=cv2.BORDER_REPLICATE)
        x = ((np.arange(width, dtype=np.float32) + 0.5 - width / 2) * np.float32(pixel))[None]
        y = ((np.arange(height, dtype=np.float32) + 0.5 - height / 2) * np.float32(pixel))[:, None]
        towards = surface[..., 5]
        np.copyto(towards, near)
        np.multiply(dx, x, out=work)
        towards -= work
        np.multiply(dy, y, out=work)
        towards -= work
        np.multiply(dx, -1, out=surface[..., 3])
        np.copyto(surface[..., 4], dy)  # y up
        np.maximum(towards, np.float32(1e-4), out=towards)
        np.multiply(dx, dx, out=work)
        np.multiply(dy, dy, out=dy)
        work += dy
        np.multiply(towards, towards, out=dy)
        work += dy
        np.sqrt(work, out=work)
        for c in (3, 4, 5):
            np.divide(surface[..., c], work, out=surface[..., c])
