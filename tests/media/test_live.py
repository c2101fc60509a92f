"""What comes by the clock: paced files, loops, cameras."""

from __future__ import annotations

import threading
import time

import cv2
import numpy as np
import pytest
from footage import number_of, scene, write_clip

from spellwire.graph.errors import SourceError, UsageError
from spellwire.runtime.frames import Frame
from spellwire.runtime.media import open_sink, open_source
from spellwire.runtime.media.camera import CameraSource
from spellwire.runtime.media.pacing import Looped, Paced
from spellwire.runtime.media.pictures import write_picture
from spellwire.runtime.media.video_in import VideoSource


class Clock:
    """Time that passes only when somebody sleeps or works."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        assert seconds > 0
        self.now += seconds


@pytest.fixture
def clip(tmp_path):
    return write_clip(tmp_path / "a.mp4", 30, fps=10)


def test_paced_waits_for_each_picture(clip):
    clock = Clock()
    with Paced(VideoSource(clip), clock=clock, sleep=clock.sleep) as source:
        assert source.info.live
        for number in range(30):
            picture = source.read()
            assert clock.now == pytest.approx(1000 + number / 10)
            assert (picture.index, number_of(picture.frame.data)) == (number, number)
        assert source.read() is None
        assert source.dropped == 0


def test_paced_gives_a_slow_reader_the_newest(clip):
    clock = Clock()
    with Paced(VideoSource(clip), clock=clock, sleep=clock.sleep) as source:
        seen = []
        while (picture := source.read()) is not None:
            assert number_of(picture.frame.data) == picture.index
            seen.append(picture.index)
            clock.now += 0.25
        assert seen == [0, 2, 5, 7, 10, 12, 15, 17, 20, 22, 25, 27, 29]
        assert source.dropped == 30 - len(seen)


def test_paced_begins_anew_after_a_seek(clip):
    clock = Clock()
    with Paced(VideoSource(clip), clock=clock, sleep=clock.sleep) as source:
        source.read()
        clock.now += 60
        source.seek(500_000)
        assert source.read().index == 5
        assert source.read().index == 6


def test_loop_goes_on_in_time_and_number(clip):
    with Looped(VideoSource(clip)) as source:
        assert source.info.duration_us is None and source.info.frames is None
        stamps = [source.grab() for _ in range(75)]
        assert [s.time_us for s in stamps] == [100_000 * n for n in range(75)]
        assert [s.index for s in stamps] == list(range(75))
        assert number_of(source.retrieve().data) == 74 % 30
        source.seek(0)
        assert source.read().time_us == 0


def test_the_last_picture_of_a_paced_loop_is_still_there(clip):
    clock = Clock()
    with Paced(Looped(VideoSource(clip)), clock=clock, sleep=clock.sleep) as source:
        for number in range(70):  # twice over the end, where looking ahead finds nothing due yet
            picture = source.read()
            assert (picture.index, number_of(picture.frame.data)) == (number, number % 30)
        clock.now += 4.05  # late across the end of a round: the newest all the same
        picture = source.read()
        assert picture.index == 109 and number_of(picture.frame.data) == 109 % 30


def test_a_looped_picture_is_a_stream(tmp_path):
    write_picture(tmp_path / "a.png", scene(4))
    with open_source(tmp_path / "a.png", loop=True, fps=25) as source:
        assert [source.read().time_us for _ in range(5)] == [0, 40_000, 80_000, 120_000, 160_000]


def test_open_source_puts_them_together(clip):
    with open_source(clip, realtime=True, loop=True) as source:
        assert source.info.live
        assert source.read().time_us == 0
    with pytest.raises(UsageError, match="its own frame rate"):
        open_source(clip, fps=10)
    with pytest.raises(UsageError, match="can't loop"):
        open_source("camera:0", loop=True)


def test_null_sink_counts():
    with open_sink("null") as sink:
        sink.open(None)
        for n in range(4):
            sink.write(Frame.make(2, 2, 3), n)
        assert (sink.frames, sink.last_us, sink.finished) == (4, 3, False)


# -- cameras ---------------------------------------------------------------------------------------


class FakeCapture:
    """An OpenCV capture that gives a picture when the test says so."""

    def __init__(self, device):
        self.device, self.released, self.asked = device, False, {}
        self.go = threading.Semaphore(1)
        self.number, self.unplugged = 0, False

    def isOpened(self):
        return True

    def get(self, what):
        return 25.0 if what == cv2.CAP_PROP_FPS else 0.0

    def set(self, what, value):
        self.asked[what] = value

    def read(self, into=None):
        if self.unplugged or not self.go.acquire(timeout=0.01):
            return False, None
        picture = scene(self.number)[..., ::-1].copy()
        self.number += 1
        return True, picture

    def release(self):
        self.released = True


def wait_for(condition):
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.002)


def test_camera_gives_the_newest_and_counts_the_rest():
    clock = Clock()
    made = []
    source = CameraSource(
        2, fps=25, clock=clock, timeout=60, capture=lambda d: made.append(FakeCapture(d)) or made[0]
    )
    camera = made[0]
    with source:
        assert (source.info.width, source.info.height, source.info.fps, source.info.live) == (
            160,
            120,
            25,
            True,
        )
        assert camera.asked[cv2.CAP_PROP_FPS] == 25
        first = source.read()
        assert (first.time_us, first.index) == (0, 0)
        assert np.array_equal(first.frame.data, scene(0))
        clock.now += 0.2
        for _ in range(3):
            camera.go.release()
        wait_for(lambda: camera.number == 4 and source._shelf is not None and source._shelf[2] == 4)
        second = source.read(first.frame)
        assert second.frame is first.frame
        assert (second.time_us, second.index, number_of(second.frame.data)) == (200_000, 3, 3)
        assert source.dropped == 2
        with pytest.raises(SourceError, match="can't seek"):
            source.seek(0)
    assert camera.released


def test_camera_that_goes_away():
    made = []
    with CameraSource(0, timeout=0.5, capture=lambda d: made.append(FakeCapture(d)) or made[0]) as source:
        source.read()
        made[0].unplugged = True
        with pytest.raises(SourceError, match="is gone"):
            source.read()


def test_camera_that_gives_nothing():
    class Silent(FakeCapture):
        def read(self, into=None):
            return False, None

    with pytest.raises(SourceError, match="gives no picture"):
        CameraSource(0, timeout=0.5, capture=Silent)


def test_no_such_camera(capfd):
    for text in ("camera:97", "camera:/dev/video97"):
        with pytest.raises(SourceError, match=r"camera .*97 can't be opened\..*camera:0"):
            open_source(text)
    assert capfd.readouterr().err == ""
