"""The window, on a display of its own: what it shows, what keys do, what happens without a display."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
from footage import number_of, scene

from spellwire.graph.errors import SinkError
from spellwire.runtime.frames import Frame
from spellwire.runtime.media import StreamInfo, open_sink
from spellwire.runtime.media.pictures import read_picture
from spellwire.runtime.media.video_in import VideoSource

pygame = pytest.importorskip("pygame")
INFO = StreamInfo("made", 320, 240, Fraction(25))


@pytest.fixture
def window(display, monkeypatch, tmp_path):
    monkeypatch.setenv("DISPLAY", display)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setenv("SDL_VIDEODRIVER", "x11")
    pressed = []
    with open_sink("window", folder=tmp_path, on_key=lambda *a: pressed.append(a)) as sink:
        sink.open(INFO)
        sink.pressed = pressed
        yield sink


def press(*keys):
    for key in keys:
        pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=key))


def seen():
    """The window's pixels, (h, w, 3)."""
    return pygame.surfarray.array3d(pygame.display.get_surface()).transpose(1, 0, 2)


def test_shows_the_picture_as_it_is(window):
    picture = scene(12, 320, 240)
    window.write(Frame.of(picture), 0)
    assert np.array_equal(seen(), picture)


def test_fits_other_sizes_with_bars(window):
    window.write(Frame.of(np.full((100, 100, 3), 200, np.uint8)), 0)
    shown = seen()
    assert (shown[:, 40:280] == 200).all()
    assert not shown[:, :39].any() and not shown[:, 281:].any()


def test_mirror_turns_the_picture_but_not_the_text(window):
    picture = scene(12, 320, 240)
    press(pygame.K_m)
    window.write(Frame.of(picture), 0)
    assert np.array_equal(seen(), picture[:, ::-1])
    window.hud = True
    window.write(Frame.of(picture), 40_000)
    mirrored = seen()
    press(pygame.K_m)
    window.write(Frame.of(picture), 80_000)
    plain = seen()
    changed = np.abs(mirrored.astype(int) - picture[:, ::-1]).max(axis=2) > 60
    assert changed[:50, :160].any() and not changed[:50, 200:].any()
    assert np.array_equal(mirrored[100:], plain[100:, ::-1])


def test_keys(window):
    window.write(Frame.of(scene(0, 320, 240)), 0)
    press(pygame.K_SPACE, pygame.K_LEFT, pygame.K_a)
    window.write(Frame.of(scene(0, 320, 240)), 40_000)
    assert window.pressed == [("space", 40_000), ("left", 40_000), ("a", 40_000)]
    assert not window.finished
    press(pygame.K_q)
    window.pump()
    assert window.finished


def test_touches_say_where_on_the_picture(window):
    touched = []
    window.on_touch = lambda *a: touched.append(a)
    window.write(Frame.of(np.zeros((100, 100, 3), np.uint8)), 0)  # at x 40 to 280 of the window

    def mouse(kind, place):
        pygame.event.post(pygame.event.Event(kind, pos=place, **({} if kind == pygame.MOUSEMOTION else {"button": 1})))

    mouse(pygame.MOUSEMOTION, (100, 100))  # nothing is held
    mouse(pygame.MOUSEBUTTONDOWN, (10, 120))  # beside the picture
    mouse(pygame.MOUSEBUTTONDOWN, (220, 60))
    mouse(pygame.MOUSEMOTION, (340, 60))
    mouse(pygame.MOUSEBUTTONUP, (100, 180))
    window.write(Frame.of(np.zeros((100, 100, 3), np.uint8)), 40_000)
    names, xs, ys, times = zip(*touched, strict=True)
    assert names == ("touch", "drag", "release") and set(times) == {40_000}
    assert xs == pytest.approx((0.25, 0.75, -0.25), abs=0.01) and ys == pytest.approx((-0.25, -0.25, 0.25), abs=0.01)
    press(pygame.K_m)
    mouse(pygame.MOUSEBUTTONDOWN, (220, 60))
    window.write(Frame.of(np.zeros((100, 100, 3), np.uint8)), 80_000)
    window.write(Frame.of(np.zeros((100, 100, 3), np.uint8)), 120_000)
    assert touched[-1][0] == "touch" and touched[-1][1] == pytest.approx(-0.25, abs=0.01), "mirrored on screen"


@pytest.mark.parametrize("way", ["escape", "close"])
def test_other_ways_to_quit(window, way):
    if way == "escape":
        press(pygame.K_ESCAPE)
    else:
        pygame.event.post(pygame.event.Event(pygame.QUIT))
    window.write(Frame.of(scene(0, 320, 240)), 0)
    assert window.finished


def test_snapshot_is_the_picture_not_the_window(window, tmp_path):
    picture = scene(30, 320, 240)
    press(pygame.K_m, pygame.K_s)
    window.write(Frame.of(picture), 0)
    press(pygame.K_s)
    window.write(Frame.of(picture), 40_000)
    assert np.array_equal(read_picture(tmp_path / "snapshot-1.png"), picture)
    assert (tmp_path / "snapshot-2.png").exists()


def test_record(window, tmp_path):
    times = [5_000_000 + 40_000 * n for n in range(20)]
    times[12:] = [t - 3_000_000 for t in times[12:]]  # somebody sought backwards
    for number, time in enumerate(times):
        if number in (3, 17):
            press(pygame.K_r)
        window.write(Frame.of(scene(number, 320, 240)), time)
    with VideoSource(tmp_path / "recording-1.mp4") as clip:
        got = []
        while (picture := clip.read()) is not None:
            got.append((picture.time_us, number_of(picture.frame.data)))
    assert [n for _, n in got] == list(range(4, 18))
    assert [t for t, _ in got] == [40_000 * n for n in range(14)]


def test_a_recording_ends_with_the_window(window, tmp_path):
    press(pygame.K_r)
    for number in range(5):
        window.write(Frame.of(scene(number, 320, 240)), number * 40_000)
    window.close()
    with VideoSource(tmp_path / "recording-1.mp4") as clip:
        assert number_of(clip.read().frame.data) == 1


def test_full_screen_and_back(window):
    picture = scene(3, 320, 240)
    window.write(Frame.of(picture), 0)
    press(pygame.K_f)
    window.write(Frame.of(picture), 1)
    window.write(Frame.of(picture), 2)
    assert pygame.display.get_surface().get_size() == (1400, 900)
    press(pygame.K_f)
    window.write(Frame.of(picture), 3)
    window.write(Frame.of(picture), 4)
    assert pygame.display.get_surface().get_size() == (320, 240)


HEADLESS = """
import os
for name in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER"):
    os.environ.pop(name, None)
os.environ.update(%r)
from spellwire.graph.errors import SinkError
from spellwire.runtime.media import StreamInfo, open_sink
sink = open_sink("window")
try:
    sink.open(StreamInfo("x", 32, 32))
except SinkError as e:
    print(e)
sink.close()
"""


@pytest.mark.parametrize("environment", [{}, {"DISPLAY": ":9731"}])
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux runs without a display")
def test_without_a_display(environment):
    done = subprocess.run([sys.executable, "-c", HEADLESS % environment], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "no window can be opened" in done.stdout and "--output" in done.stdout


def test_written_before_it_is_open():
    with pytest.raises(SinkError, match="not open"):
        open_sink("window").write(Frame.make(4, 4, 3), 0)
