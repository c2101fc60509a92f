"""Cameras through OpenCV."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ...graph.errors import SourceError
from ..frames import Frame
from .base import Source, Stamp, StreamInfo, slot

__all__ = ["CameraSource"]

PAUSE = 0.01  # seconds between two tries of a camera that gives nothing


def _quiet_capture(device: int | str) -> Any:
    """OpenCV's capture, without its own complaints on standard error."""
    logging = cv2.utils.logging
    before = logging.getLogLevel()
    logging.setLogLevel(logging.LOG_LEVEL_SILENT)
    try:
        return cv2.VideoCapture(device)
    finally:
        logging.setLogLevel(before)


class CameraSource(Source):
    """A camera, read by a thread of its own so that the newest picture is always at hand.

    `grab` waits for a picture newer than the last one; those that came in between are counted in `dropped`. Times are
    the clock's when the picture arrived, from the first one.

    Args:
        device: a number (0 is the first camera) or a device path.
        width, height, fps: asked of the camera, which may give something else.
        timeout: seconds without a picture after which the camera is taken for gone.
        clock: seconds, rising.
        capture: makes OpenCV's capture object; given by tests.
    """

    def __init__(
        self,
        device: int | str = 0,
        *,
        width: int | None = None,
        height: int | None = None,
        fps: Fraction | float | None = None,
        timeout: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
        capture: Callable[[int | str], Any] = _quiet_capture,
    ):
        self.device, self._timeout, self._clock = device, timeout, clock
        self._capture = capture(device)
        if not self._capture.isOpened():
            self._capture.release()
            raise SourceError(f"camera {device} can't be opened. {_how_to_list()}")
        for what, value in (
            (cv2.CAP_PROP_FRAME_WIDTH, width),
            (cv2.CAP_PROP_FRAME_HEIGHT, height),
            (cv2.CAP_PROP_FPS, fps),
            (cv2.CAP_PROP_BUFFERSIZE, 1),
        ):
            if value is not None:
                self._capture.set(what, float(value))
        self._newer = threading.Condition()
        self._shelf: tuple[np.ndarray, float, int] | None = None  # picture (BGR), seconds, number
        self._spare: list[np.ndarray] = []
        self._held: np.ndarray | None = None
        self._start: float | None = None
        self._taken = 0
        self._gone = False
        self._thread = threading.Thread(target=self._run, name=f"camera {device}", daemon=True)
        self._thread.start()
        self.info = self._describe()

    def _describe(self) -> StreamInfo:
        first = self._wait()
        if first is None:
            self.close()
            raise SourceError(
                f"camera {self.device} opened, but gives no picture. Is another program using it?"
            )
        rate = self._capture.get(cv2.CAP_PROP_FPS)
        fps = Fraction(rate).limit_denominator(1001) if 1 <= rate <= 1000 else Fraction(30)
        height, width = first[0].shape[:2]
        return StreamInfo(f"camera {self.device}", width, height, fps, live=True)

    # -- the thread ------------------------------------------------------------------------------

    def _run(self) -> None:
        number, failures = 0, 0
        while not self._gone and failures * PAUSE <= self._timeout / 5:
            done, picture = self._capture.read(self._spare.pop() if self._spare else None)
            if not done or picture is None:
                failures += 1
                time.sleep(PAUSE)
                continue
            failures = 0
            number += 1
            self._put(picture, number)
        self._capture.release()  # here, since OpenCV must not be interrupted while it reads
        with self._newer:
            self._gone = True
            self._newer.notify_all()

    def _put(self, picture: np.ndarray, number: int) -> None:
        with self._newer:
            if self._shelf is not None:
                self._spare.append(self._shelf[0])
            self._shelf = (picture, self._clock(), number)
            self._newer.notify_all()

    # -- the reader ------------------------------------------------------------------------------

    def _wait(self) -> tuple[np.ndarray, float, int] | None:
        with self._newer:
            self._newer.wait_for(lambda: self._shelf is not None or self._gone, self._timeout)
            return self._shelf

    def peek(self) -> int | None:
        shelf = self._shelf
        return None if shelf is None else self._micros(shelf[1])

    def _micros(self, seconds: float) -> int:
        return round((seconds - (seconds if self._start is None else self._start)) * 1e6)

    def grab(self) -> Stamp | None:
        if self._wait() is None:
            if self._thread.is_alive():
                raise SourceError(
                    f"camera {self.device} gave no picture for {self._timeout:g} s. Is it still connected?"
                )
            raise SourceError(f"camera {self.device} is gone. Connect it again and start anew.")
        with self._newer:
            assert self._shelf is not None
            if self._held is not None:
                self._spare.append(self._held)
            self._held, seconds, number = self._shelf
            self._shelf = None
        if self._start is None:
            self._start = seconds
        self.dropped += max(0, number - self._taken - 1)
        self._taken = number
        return Stamp(self._micros(seconds), number - 1)

    def retrieve(self, into: Frame | None = None) -> Frame:
        if self._held is None:
            raise SourceError(f"camera {self.device} has no picture grabbed. Call grab() first.")
        out = slot(into, self._held.shape[1], self._held.shape[0], 3)
        grey = self._held.ndim == 2 or self._held.shape[2] == 1
        cv2.cvtColor(self._held, cv2.COLOR_GRAY2RGB if grey else cv2.COLOR_BGR2RGB, dst=out.data)
        return out

    def seek(self, time_us: int) -> None:
        raise SourceError(f"camera {self.device} is live. A camera can't seek.")

    def close(self) -> None:
        self._gone = True
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(self._timeout)


def _how_to_list() -> str:
    if not sys.platform.startswith("linux"):
        return "Look in the system's settings which cameras there are, and try camera:0, camera:1, …"
    found = sorted(str(p) for p in Path("/dev").glob("video*"))
    there = f"There are {', '.join(found)}" if found else "There is no /dev/video* on this machine"
    return f"{there}; `v4l2-ctl --list-devices` names them. Use camera:0 or camera:/dev/video0."
