"""Whatever stops a run, what was written plays, and what was there before is still there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from footage import number_of, scene, write_clip

from spellwire.graph.errors import SinkError, SourceError
from spellwire.runtime.frames import Frame
from spellwire.runtime.media import StreamInfo, open_sink
from spellwire.runtime.media.interrupt import graceful_exit, shielded
from spellwire.runtime.media.pictures import write_picture
from spellwire.runtime.media.video_in import VideoSource

WRITER = """
import sys
sys.path[:0] = [sys.argv[2], sys.argv[2] + "/.."]
from fractions import Fraction
from footage import scene
from spellwire.runtime.frames import Frame
from spellwire.runtime.media import StreamInfo, graceful_exit, open_sink
with graceful_exit(), open_sink(sys.argv[1]) as sink:
    sink.open(StreamInfo("live", 160, 120, Fraction(30)))
    number = 0
    while True:
        sink.write(Frame.of(scene(number)), number * 33333)
        number += 1
        if number == 100:
            print("ready", flush=True)
"""


def interrupted(path: Path, number: int) -> int:
    """Run the writer until it has written 100 pictures, send it a signal, return its exit status."""
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), str(Path(__file__).parent)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert writer.stdout.readline() == b"ready\n", writer.stderr.read().decode()
    writer.send_signal(number)
    writer.communicate()
    return writer.returncode


def readable(path: Path) -> int:
    """How many pictures play, each checked to be the right one."""
    count = 0
    with VideoSource(path) as source:
        try:
            while (picture := source.read()) is not None:
                assert abs(number_of(picture.frame.data) - count % 60) <= 1
                count += 1
        except SourceError as e:
            assert "everything before was read" in str(e)
    return count


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".webm", ".gif", ".apng"])
def test_killed(tmp_path, suffix):
    assert interrupted(tmp_path / f"a{suffix}", signal.SIGKILL) == -signal.SIGKILL
    (left,) = tmp_path.iterdir()
    assert left.name == f"a.part1{suffix}"
    assert readable(left) >= 50


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
def test_asked_to_stop(tmp_path, suffix, number):
    status = interrupted(tmp_path / f"a{suffix}", number)
    assert status in (-number, 128 + number)
    assert [p.name for p in tmp_path.iterdir()] == [f"a{suffix}"]
    assert readable(tmp_path / f"a{suffix}") >= 100


def test_a_killed_run_s_part_is_not_written_over(tmp_path):
    (tmp_path / "a.part1.mp4").write_bytes(b"from before")
    write_clip(tmp_path / "a.mp4", 5)
    assert (tmp_path / "a.part1.mp4").read_bytes() == b"from before"
    assert readable(tmp_path / "a.mp4") == 5


@pytest.mark.parametrize("older", [False, True])
def test_an_exception_keeps_the_part(tmp_path, older):
    path = tmp_path / "a.mp4"
    if older:
        path.write_bytes(b"older")
    with pytest.raises(RuntimeError), open_sink(path) as sink:
        sink.open(StreamInfo("x", 160, 120))
        for number in range(40):
            sink.write(Frame.of(scene(number)), number * 33_333)
        raise RuntimeError("the effect failed")
    if older:
        assert path.read_bytes() == b"older"
        path = tmp_path / "a.part1.mp4"
    assert readable(path) == 40
    assert len(list(tmp_path.iterdir())) == 1 + older


def test_a_signal_waits_for_the_end_of_a_write():
    seen = []
    with pytest.raises(SystemExit) as caught, graceful_exit():
        with shielded(), shielded():
            os.kill(os.getpid(), signal.SIGTERM)
            seen.append("after the signal")
        seen.append("never")
    assert seen == ["after the signal"]
    assert caught.value.code == 128 + signal.SIGTERM


# -- full disk -------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 600 kB."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small file system")
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", str(folder)], capture_output=True
    )
    if done.returncode:
        pytest.skip("no file system can be mounted here: " + done.stderr.decode().strip())
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(path: Path, count: int = 400, **options) -> int:
    """Write noise until the disk is full; the pictures that were taken."""
    rng = np.random.default_rng(0)
    written = 0
    with open_sink(path, **options) as sink:
        sink.open(StreamInfo("noise", 160, 120))
        for number in range(count):
            picture = scene(number)
            picture[:40] = rng.integers(0, 255, (40, 160, 3), np.uint8)
            sink.write(Frame.of(picture), number * 33_333)
            written += 1
    return written


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".webm", ".gif", ".apng"])
def test_full_disk(small_disk, suffix):
    options = {} if suffix in (".gif", ".apng") else {"quality": 8}
    with pytest.raises(SinkError, match=r"the disk is full.*until then plays.*Make room") as caught:
        fill(small_disk / f"a{suffix}", **options)
    assert str(small_disk / f"a{suffix}") in str(caught.value)
    assert [p.name for p in small_disk.iterdir()] == [f"a{suffix}"]
    assert readable(small_disk / f"a{suffix}") >= 8


def test_full_disk_leaves_the_older_file(small_disk):
    older = write_clip(small_disk / "a.mp4", 10).read_bytes()
    with pytest.raises(SinkError, match=r"a\.part1\.mp4"):
        fill(small_disk / "a.mp4", quality=8)
    assert (small_disk / "a.mp4").read_bytes() == older
    assert readable(small_disk / "a.part1.mp4") >= 10


def test_no_room_for_the_second_copy(small_disk, tmp_path):
    """The finished clip fits once, but not twice: it stays in the form it was written in."""
    fill(tmp_path / "a.mp4", 20, quality=8)
    size = (tmp_path / "a.mp4").stat().st_size
    assert size > 100_000
    (small_disk / "filler").write_bytes(bytes(614_400 - size * 3 // 2))
    assert fill(small_disk / "a.mp4", 20, quality=8) == 20
    assert readable(small_disk / "a.mp4") == 20
    assert b"moof" in (small_disk / "a.mp4").read_bytes()
    assert sorted(p.name for p in small_disk.iterdir()) == ["a.mp4", "filler"]


def test_full_disk_for_a_picture(small_disk):
    (small_disk / "a.png").write_bytes(b"older")
    noise = np.random.default_rng(1).integers(0, 255, (900, 900, 3), np.uint8)
    with pytest.raises(SinkError, match="can't be written"):
        write_picture(small_disk / "a.png", noise)
    assert (small_disk / "a.png").read_bytes() == b"older"
    assert len(list(small_disk.iterdir())) == 1


LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
sys.path[:0] = [sys.argv[2], sys.argv[2] + "/.."]
from test_interrupted import fill
from pathlib import Path
from spellwire.graph.errors import SinkError
try:
    fill(Path(sys.argv[1]), quality=8)
except SinkError as e:
    print(e)
"""


def test_a_limit_on_file_size_reads_as_a_full_disk(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path / "a.mp4"), str(Path(__file__).parent)],
        capture_output=True,
        text=True,
    )
    assert "the disk is full" in done.stdout, done.stderr
    assert readable(tmp_path / "a.mp4") >= 10


@pytest.mark.parametrize("name", ["a.mp4", "a.png"])
def test_a_place_that_can_t_be_written(tmp_path, name):
    (tmp_path / "file").touch()
    with pytest.raises(SinkError, match=r"can't be written"), open_sink(tmp_path / "file" / name) as sink:
        sink.open(StreamInfo("x", 32, 32))
        sink.write(Frame.make(32, 32, 3), 0)
