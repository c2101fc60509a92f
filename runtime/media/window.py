"""A window (SDL2 through pygame-ce) that shows what is written to it."""

from __future__ import annotations

import os
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ...graph.errors import SinkError
from ..frames import Frame
from .base import Sink, StreamInfo, free_name
from .caption import caption
from .pictures import write_picture
from .pixels import Display, fit

__all__ = ["WindowSink"]

BACKGROUND = (16, 17, 19)
HINTS = "m mirror   s snapshot   r record   f full screen   h help   q quit"


class WindowSink(Sink):
    """Pictures in a window, fitted with their aspect kept; text is drawn after mirroring.

    Keys: m mirror, s snapshot (PNG of the picture as it came, not mirrored), r record (a clip, until pressed again), f full
    screen, h the line of keys, q or Esc or the close button: `finished` becomes true. Any other key is an event of the
    effect: `on_key(name, time_us)` with the key's name ("space", "a", "left") and the time of the picture on screen.
    So is a finger or the left button on the picture: `on_touch(name, x, y, time_us)` with touch, drag or release and the
    place in frame heights from the picture's centre (x right, y down), turned back where the window mirrors.

    Open, write and close from one thread (on macOS: the main one). Without a display, `open` raises SinkError.

    Args:
        on_key: told of keys that aren't the window's own.
        on_touch: told of touches.
        title: of the window.
        size: width and height to begin with; None: the picture's, at most 1280 × 800.
        mirror: begin mirrored, as a looking-glass.
        hud: show frames per second.
        folder: where snapshots and recordings go, numbered.
        clock: seconds, rising; only for the frames per second shown.
    """

    aside = False

    def __init__(
        self,
        *,
        on_key: Callable[[str, int], None] | None = None,
        on_touch: Callable[[str, float, float, int], None] | None = None,
        title: str = "Spellwire",
        size: tuple[int, int] | None = None,
        mirror: bool = False,
        hud: bool = False,
        folder: str | Path = ".",
        clock: Callable[[], float] = time.perf_counter,
    ):
        self.on_key, self.on_touch = on_key, on_touch
        self._place = (0, 0, 1, 1)  # the picture in the window: x, y, width, height
        self._held = False
        self.mirror, self.hud, self.hints = mirror, hud, False
        self.full_screen = False
        self.recording: Any = None
        self._title, self._size, self._folder, self._clock = title, size, Path(folder), clock
        self._notice, self._notice_until = "", 0.0
        self._pygame: Any = None
        self._last: tuple[Frame, int] | None = None
        self._rate = 0.0
        self._then: float | None = None

    # -- the window ------------------------------------------------------------------------------

    def open(self, info: StreamInfo) -> None:
        _need_display()
        os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
        # Pixels straight to the X server, not through a texture: 0.1 ms instead of 6 for 720p without a GPU.
        os.environ.setdefault("SDL_FRAMEBUFFER_ACCELERATION", "0")
        import pygame

        self._info, self._pygame = info, pygame
        self._display = Display(3)
        self._record_display = Display(4) if info.has_alpha else self._display
        if self._size is None:
            scale = min(1.0, 1280 / info.width, 800 / info.height)
            self._size = max(160, round(info.width * scale)), max(90, round(info.height * scale))
        try:
            pygame.display.init()
            if pygame.display.get_driver() in ("dummy", "offscreen") and not os.environ.get(
                "SDL_VIDEODRIVER"
            ):
                raise pygame.error("the display can't be reached")  # SDL would draw where nobody looks
            self._set_mode()
        except pygame.error as e:
            pygame.display.quit()
            self._pygame = None
            raise SinkError(f"no window can be opened: {e}. {_HEADLESS}") from e
        pygame.display.set_caption(self._title)

    def _set_mode(self) -> None:
        pygame = self._pygame
        flags = pygame.FULLSCREEN if self.full_screen else pygame.RESIZABLE
        size = (0, 0) if self.full_screen else self._size
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", RuntimeWarning
            )  # the system may give another size: that is its right
            self._screen = pygame.display.set_mode(size, flags)
            if not self.full_screen and self._screen.get_size() != size:
                self._screen = pygame.display.set_mode(size, flags)  # it was still leaving full screen
        self._fit_buffers()

    def _fit_buffers(self) -> None:
        """The picture on screen, as bytes that a surface of the window's own format is laid over."""
        width, height = self._screen.get_size()
        self._rgb = np.zeros((height, width, 3), np.uint8)
        self._bgra = np.zeros((height, width, 4), np.uint8)
        self._over = self._pygame.image.frombuffer(self._bgra, (width, height), "BGRA")

    def write(self, frame: Frame, time_us: int) -> None:
        if self._pygame is None:
            raise SinkError("the window is not open. Call open() first.")
        self._last = (frame, time_us)
        self._record(frame, time_us)
        self._measure()
        self._events(time_us)
        self._show(self._display(frame))
        self.frames += 1

    def pump(self) -> None:
        """Answer keys and repaint without a new picture: while a player waits or is paused."""
        if self._pygame is not None and self._last is not None:
            self._events(self._last[1])
            self._show(self._display(self._last[0]))

    def _show(self, picture: np.ndarray) -> None:
        self._screen = self._pygame.display.get_surface()
        if self._screen.get_size() != self._rgb.shape[1::-1]:
            self._fit_buffers()
        x, y, w, h = self._place = fit(picture, self._rgb)
        if self.mirror:
            inside = self._rgb[y : y + h, x : x + w]
            cv2.flip(inside, 1, dst=inside)
        self._text()
        cv2.cvtColor(self._rgb, cv2.COLOR_RGB2BGRA, dst=self._bgra)
        self._screen.blit(self._over, (0, 0))
        self._pygame.display.flip()

    def _text(self) -> None:
        line = f"{self._rate:.0f} fps   {self._info.name}" if self.hud else ""
        now = self._clock()
        bottom = self._notice if now < self._notice_until else HINTS if self.hints else ""
        if line:
            caption(self._rgb, line, (12, 12))
        if bottom:
            caption(self._rgb, bottom, (12, self._rgb.shape[0] - 38))
        if self.recording is not None:
            cv2.circle(self._rgb, (self._rgb.shape[1] - 22, 22), 8, (226, 60, 52), -1, cv2.LINE_AA)

    def _measure(self) -> None:
        now = self._clock()
        if self._then is not None and now > self._then:
            rate = 1 / (now - self._then)
            self._rate = rate if self._rate == 0 else self._rate + 0.1 * (rate - self._rate)
        self._then = now

    def _say(self, text: str) -> None:
        self._notice, self._notice_until = text, self._clock() + 3

    # -- keys and touches ----------------------------------------------------------------------

    def _events(self, time_us: int) -> None:
        pygame = self._pygame
        for event in pygame.event.get():
            if event.type == pygame.QUIT:
                self.finished = True
            elif event.type == pygame.KEYDOWN:
                self._key(pygame.key.name(event.key), time_us)
            elif event.type == pygame.MOUSEBUTTONDOWN and event.button == 1:  # SDL makes a finger one as well
                self._touch("touch", event.pos, time_us)
            elif event.type == pygame.MOUSEMOTION:
                self._touch("drag", event.pos, time_us)
            elif event.type == pygame.MOUSEBUTTONUP and event.button == 1:
                self._touch("release", event.pos, time_us)

    def _touch(self, name: str, place: tuple[int, int], time_us: int) -> None:
        """A touch begins on the picture, and is followed wherever it goes until it is released."""
        left, top, width, height = self._place
        x, y = place[0] + 0.5 - left, place[1] + 0.5 - top
        inside = 0 <= x < width and 0 <= y < height
        if not (inside if name == "touch" else self._held):
            return
        self._held = name != "release"
        if self.on_touch is not None:
            x = width - x if self.mirror else x
            self.on_touch(name, (x - width / 2) / height, (y - height / 2) / height, time_us)

    def _key(self, name: str, time_us: int) -> None:
        own = {
            "m": self._toggle_mirror,
            "s": self.snapshot,
            "r": self.toggle_recording,
            "f": self._toggle_full_screen,
            "h": self._toggle_hints,
            "q": self._finish,
            "escape": self._finish,
        }.get(name)
        if own is not None:
            own()
        elif name and self.on_key is not None:
            self.on_key(name, time_us)

    def _toggle_mirror(self) -> None:
        self.mirror = not self.mirror

    def _toggle_hints(self) -> None:
        self.hints = not self.hints

    def _toggle_full_screen(self) -> None:
        if not self.full_screen:
            self._size = self._screen.get_size()
        self.full_screen = not self.full_screen
        self._set_mode()

    def _finish(self) -> None:
        self.finished = True

    # -- snapshots and recordings ----------------------------------------------------------------

    def snapshot(self) -> Path | None:
        """Save the picture on screen as a PNG; its path, or None if that failed (the window says why)."""
        if self._last is None:
            return None
        path = free_name(str(self._folder / "snapshot-{}.png"))
        try:
            write_picture(path, self._record_display(self._last[0]))
        except SinkError as e:
            self._say(str(e))
            return None
        self._say(f"saved {path}")
        return path

    def toggle_recording(self) -> None:
        """Begin a clip, or end the one that is being recorded. Its times begin at 0."""
        if self.recording is not None:
            self._end_recording()
            return
        from .video_out import VideoSink

        try:
            recording = VideoSink(free_name(str(self._folder / "recording-{}.mp4")))
            recording.open(self._info)
        except SinkError as e:
            self._say(str(e))
            return
        self.recording, self._recorded_us, self._shift = recording, None, 0
        self._say(f"recording {recording.path}")

    def _record(self, frame: Frame, time_us: int) -> None:
        if self.recording is None:
            return
        if self._recorded_us is not None and time_us + self._shift <= self._recorded_us:
            self._shift = self._recorded_us + self._info.interval_us - time_us  # the stream jumped back
        self._recorded_us = time_us + self._shift
        try:
            self.recording.write(frame, self._recorded_us)
        except SinkError as e:
            self.recording = None
            self._say(str(e))

    def _end_recording(self) -> None:
        recording, self.recording = self.recording, None
        try:
            recording.close()
            self._say(f"saved {recording.path}")
        except SinkError as e:
            self._say(str(e))

    def close(self) -> None:
        if self.recording is not None:
            self._end_recording()
        self._last = None
        if self._pygame is not None:
            self._pygame.display.quit()
            self._pygame = None


_HEADLESS = "Play on a machine with a screen, under xvfb-run, or into a file with --output."


def _need_display() -> None:
    """Say it before SDL tries: on Linux without X or Wayland there is no window."""
    if not sys.platform.startswith("linux") or os.environ.get("SDL_VIDEODRIVER"):
        return
    if not os.environ.get("DISPLAY") and not os.environ.get("WAYLAND_DISPLAY"):
        raise SinkError(f"no window can be opened: there is no display (headless). {_HEADLESS}")
