"""YCbCr and RGB, both ways, for FFmpeg frames: the matrix and range a stream declares, no bias, no allocation.

FFmpeg's own fast path (libswscale, default flags) is off by −0.9 to −1.4 levels on average, and its exact one takes
three times as long as this: chroma resized by OpenCV, one 3×4 matrix over bytes. Formats that this doesn't know go
through libswscale with its exact flags.
"""

from __future__ import annotations

from typing import Any

import av
import av.filter
import cv2
import numpy as np

__all__ = ["Decoder", "Encoder", "plane"]

# AVColorSpace → (Kr, Kb), ITU-R BT.601/709/2020 and SMPTE 240M.
_WEIGHTS = {1: (0.2126, 0.0722), 4: (0.30, 0.11), 5: (0.299, 0.114), 6: (0.299, 0.114), 7: (0.212, 0.087)}
_WEIGHTS |= {9: (0.2627, 0.0593), 10: (0.2627, 0.0593)}
BT709, BT601, FULL = 1, 6, 2
_PLANAR = {f"{kind}{chroma}p" for kind in ("yuv", "yuvj") for chroma in (420, 422, 444, 440, 411, 410)}
_EXACT = "bilinear+full_chroma_int+full_chroma_inp+accurate_rnd"


def plane(frame: Any, number: int, channels: int = 1) -> np.ndarray:
    """A view of a frame's plane, (h, w) or (h, w, channels) uint8, rows at the plane's own stride."""
    p = frame.planes[number]
    if channels == 1:
        return np.ndarray((p.height, p.width), np.uint8, buffer=p, strides=(p.line_size, 1))
    return np.ndarray((p.height, p.width, channels), np.uint8, buffer=p, strides=(p.line_size, channels, 1))


def colour_space(declared: int, width: int, height: int) -> int:
    """The matrix of a stream; where it declares none, by size as players do (BT.709 for HD)."""
    return declared if declared in _WEIGHTS else BT709 if width >= 1280 or height > 576 else BT601


def _to_rgb(space: int, full: bool) -> np.ndarray:
    kr, kb = _WEIGHTS[space]
    kg = 1 - kr - kb
    y, c = (1.0, 1.0) if full else (255 / 219, 255 / 224)
    matrix = np.array(
        [
            [y, 0, 2 * (1 - kr) * c],
            [y, -2 * kb * (1 - kb) / kg * c, -2 * kr * (1 - kr) / kg * c],
            [y, 2 * (1 - kb) * c, 0],
        ]
    )
    offset = -matrix @ np.array([0 if full else 16, 128, 128])
    return np.hstack([matrix, offset[:, None]])


def _from_rgb(space: int, full: bool) -> np.ndarray:
    forward = _to_rgb(space, full)
    inverse = np.linalg.inv(forward[:, :3])
    return np.hstack([inverse, (-inverse @ forward[:, 3])[:, None]])


class _Graph:
    """A chain of FFmpeg filters for one kind of frame; its output frames come from FFmpeg's own pool."""

    def __init__(self, frame: Any, *filters: tuple[str, str], threads: int = 1):
        self.graph = av.filter.Graph()
        self.graph.threads = threads
        size = f"{frame.width}x{frame.height}"
        self._head = self.graph.add(
            "buffer", video_size=size, pix_fmt=frame.format.name, time_base="1/1000000", pixel_aspect="1/1"
        )
        self._tail = self.graph.add("buffersink")
        self._link([self.graph.add(name, arguments or None) for name, arguments in filters])
        self.graph.configure()

    def _link(self, filters: list[Any]) -> None:
        self.graph.link_nodes(self._head, *filters, self._tail)

    def __call__(self, frame: Any) -> Any:
        self._head.push(frame)
        return self._tail.pull()


class _Palette(_Graph):
    """split → palettegen → paletteuse: 256 colours chosen anew for each frame."""

    def __init__(self, frame: Any):
        super().__init__(
            frame,
            ("split", ""),
            ("palettegen", "stats_mode=single"),
            ("paletteuse", "new=1:dither=sierra2_4a"),
        )

    def _link(self, filters: list[Any]) -> None:
        split, palette, use = filters
        self._head.link_to(split)
        split.link_to(palette, 0, 0)
        split.link_to(use, 1, 0)
        palette.link_to(use, 0, 1)
        use.link_to(self._tail)


class Decoder:
    """Decoded FFmpeg frames as RGB or straight RGBA bytes."""

    def __init__(self) -> None:
        self._key: tuple | None = None
        self._graph: _Graph | None = None

    def __call__(self, frame: Any, out: np.ndarray) -> None:
        """Convert `frame` into `out`, (height, width, 3 or 4) uint8; scales where the size differs."""
        size = (out.shape[1], out.shape[0])
        key = (frame.format.name, frame.width, frame.height, frame.colorspace, frame.color_range, out.shape)
        if key != self._key:
            self._key = key
            self._prepare(frame, out)
        if self._graph is not None:
            result = self._graph(frame)
            np.copyto(out, plane(result, 0, out.shape[2]))
            return
        cv2.resize(plane(frame, 1), size, dst=self._u, interpolation=cv2.INTER_LINEAR)
        cv2.resize(plane(frame, 2), size, dst=self._v, interpolation=cv2.INTER_LINEAR)
        cv2.merge([plane(frame, 0), self._u, self._v], dst=self._yuv)
        cv2.transform(self._yuv, self._matrix, dst=out)

    def _prepare(self, frame: Any, out: np.ndarray) -> None:
        height, width = out.shape[:2]
        name = frame.format.name
        full = name.startswith("yuvj") or frame.color_range == FULL
        space = colour_space(frame.colorspace, frame.width, frame.height)
        if name in _PLANAR and out.shape[2] == 3 and (width, height) == (frame.width, frame.height):
            self._graph = None
            self._matrix = _to_rgb(space, full).astype(np.float32)
            self._u, self._v = np.empty((2, height, width), np.uint8)
            self._yuv = np.empty((height, width, 3), np.uint8)
            return
        options = f"w={width}:h={height}:flags={_EXACT}"
        if name.startswith(("yuv", "nv", "p0", "p2", "p4", "y2")):
            options += f":in_color_matrix={_SWS[space]}:in_range={'full' if full else 'limited'}"
        self._graph = _Graph(frame, ("scale", options), ("format", "rgba" if out.shape[2] == 4 else "rgb24"))


_SWS = {1: "bt709", 4: "fcc", 5: "bt601", 6: "bt601", 7: "smpte240m", 9: "bt2020", 10: "bt2020"}


class Encoder:
    """RGB or straight RGBA bytes as frames for an FFmpeg encoder; one frame is refilled, never one still in use.

    Planar 8-bit YCbCr is limited-range and made here; anything else goes through FFmpeg filters (for GIF, with a
    palette of its own for every frame).
    """

    def __init__(self, width: int, height: int, format: str, alpha: bool, space: int = BT709):
        self.width, self.height, self.format, self.alpha, self.space = width, height, format, alpha, space
        self._graph: _Graph | None = None
        if format in ("yuv420p", "yuva420p", "yuv444p", "yuva444p"):
            self._frame = av.VideoFrame(width, height, format)
            self._matrix = _from_rgb(space, full=False).astype(np.float32)
            self._yuv = np.empty((height, width, 3), np.uint8)
            self._chroma = [np.empty((height, width), np.uint8) for _ in range(2)]
        else:
            self._frame = av.VideoFrame(width, height, "rgba" if alpha else "rgb24")
            self._graph = _Palette(self._frame) if format == "pal8" else _Graph(self._frame, *self._filters())

    def _filters(self) -> list[tuple[str, str]]:
        options = f"flags={_EXACT}"
        if self.format.startswith("yuv"):
            options += f":out_color_matrix={_SWS[self.space]}:out_range=limited"
        return [("scale", options), ("format", self.format)]

    def __call__(self, picture: np.ndarray) -> Any:
        """`picture`, (height, width, 3 or 4), as an FFmpeg frame; copied."""
        frame = self._frame
        frame.make_writable()
        if self._graph is not None:
            np.copyto(plane(frame, 0, 4 if self.alpha else 3), picture)
            return self._graph(frame)
        rgb = picture
        if self.alpha:
            cv2.extractChannel(picture, 3, dst=plane(frame, 3))
            self._rgb = cv2.cvtColor(picture, cv2.COLOR_RGBA2RGB, dst=getattr(self, "_rgb", None))
            rgb = self._rgb
        cv2.transform(rgb, self._matrix, dst=self._yuv)
        cv2.extractChannel(self._yuv, 0, dst=plane(frame, 0))
        for number, full in enumerate(self._chroma, 1):
            part = plane(frame, number)
            cv2.extractChannel(self._yuv, number, dst=full)
            cv2.resize(full, part.shape[::-1], dst=part, interpolation=cv2.INTER_AREA)
        return frame
