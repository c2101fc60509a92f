"""`spellwire play` from end to end, on good footage and bad: in a process of its own, as a person runs it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from spellwire.runtime.frames import Frame
from spellwire.runtime.media.base import StreamInfo, frame_time
from spellwire.runtime.media.opening import open_source
from spellwire.runtime.media.video_out import VideoSink

CODE = "import sys; from spellwire.runtime.cli import main; sys.exit(main())"
Play = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a new effect and a clip of 20 frames, 64 × 48, each a shade brighter."""
    made = tmp_path_factory.mktemp("play")
    subprocess.run([sys.executable, "-c", CODE, "new", "effect"], cwd=made, check=True, capture_output=True)
    clip(made / "clip.mp4", 20)
    return made


def clip(path: Path, frames: int, width: int = 64, height: int = 48) -> Path:
    info = StreamInfo(path.name, width, height, Fraction(25), None, frames)
    frame = Frame.make(width, height, 3)
    with VideoSink(path) as sink:
        sink.open(info)
        for number in range(frames):
            frame.data[:] = 40 + 4 * (number % 40)
            sink.write(frame, frame_time(number, info.fps))
    return path


@pytest.fixture
def play(folder: Path) -> Play:
    def run(*words: object, **options: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", CODE, "play", "effect", *map(str, words)]
        env = {**os.environ, "COLUMNS": "140", **options.pop("env", {})}  # type: ignore[dict-item]
        return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=200, **options)  # type: ignore[call-overload]

    return run


def pictures(path: Path) -> list[np.ndarray]:
    with open_source(path) as source:
        found = []
        while (picture := source.read()) is not None:
            found.append(picture.frame.data.copy())
    return found


def refused(done: subprocess.CompletedProcess[str], status: int, *said: str) -> None:
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    for words in said:
        assert words in done.stderr


def test_a_clip_is_played_and_counted(play: Play, folder: Path):
    done = play("--input", "clip.mp4", "--output", "out/a.mp4", "--sheet", "out/a.png", "--trace", "out/a.json")
    assert done.returncode == 0, done.stderr
    assert "20 frames of 64×48" in done.stdout
    assert "Exposure" in done.stdout
    assert "first frame after" in done.stderr
    before, after = pictures(folder / "clip.mp4"), pictures(folder / "out/a.mp4")
    assert len(after) == 20
    assert after[0].mean() == pytest.approx(before[0].mean() * 2**0.5, abs=2.5)  # the new effect adds half a stop
    assert cv2.imread(str(folder / "out/a.png")).shape[1] == 1600
    events = json.loads((folder / "out/a.json").read_text())["traceEvents"]
    assert sum(event["name"] == "light" for event in events) == 20


def test_set_moves_a_public_parameter(play: Play, folder: Path):
    assert play("--input", "clip.mp4", "--output", "out/dark.mp4", "--set", "brightness=-1").returncode == 0
    dark, before = pictures(folder / "out/dark.mp4"), pictures(folder / "clip.mp4")
    assert dark[5].mean() == pytest.approx(before[5].mean() / 2, abs=2.5)


def test_the_same_run_gives_the_same_bytes(play: Play, folder: Path):
    for name, threads in (("one", 1), ("two", 2)):
        assert play("--input", "clip.mp4", "--output", f"out/{name}.mkv", "--threads", threads).returncode == 0
    assert (folder / "out/one.mkv").read_bytes() == (folder / "out/two.mkv").read_bytes()


@pytest.mark.parametrize(
    ("setting", "status", "said"),
    [
        ("brightness=nan", 2, "NaN"),
        ("brightness=99", 2, "outside"),
        ("brightness=red", 2, "no Number"),
        ("glow=1", 2, "no public parameter 'glow'"),
        ("brightness", 2, "NAME=VALUE"),
        ("brightness=#12", 2, "no colour"),
    ],
)
def test_a_setting_that_can_not_be(play: Play, setting: str, status: int, said: str):
    refused(play("--input", "clip.mp4", "--output", "null", "--set", setting), status, said)


def test_a_missing_clip(play: Play):
    refused(play("--input", "gone.mp4", "--output", "null"), 1, "gone.mp4")


def test_a_file_that_is_no_clip(play: Play, folder: Path):
    (folder / "text.mp4").write_text("not a clip")
    refused(play("--input", "text.mp4", "--output", "null"), 1, "text.mp4")


def test_a_clip_without_frames(play: Play, folder: Path):
    (folder / "empty.mp4").write_bytes(b"")
    refused(play("--input", "empty.mp4", "--output", "null"), 1, "empty.mp4")


def test_a_truncated_clip_plays_as_far_as_it_goes(play: Play, folder: Path):
    clip(folder / "long.mkv", 60)
    whole = (folder / "long.mkv").read_bytes()
    (folder / "cut.mkv").write_bytes(whole[: len(whole) * 2 // 3])
    done = play("--input", "cut.mkv", "--output", "out/cut.mp4")
    assert "Traceback" not in done.stderr
    assert 0 < len(pictures(folder / "out/cut.mp4")) < 60


@pytest.mark.parametrize("shape", [(1, 1, 3), (7, 5, 3), (33, 17), (16, 16, 4), (4320, 7680, 3)], ids=str)
def test_a_picture_of_any_size_and_kind(play: Play, folder: Path, shape: tuple[int, ...]):
    picture = np.full(shape, 60, np.uint8)
    if len(shape) == 3 and shape[2] == 4:
        picture[..., 3] = 255
    cv2.imwrite(str(folder / "picture.png"), picture)
    done = play("--input", "picture.png", "--output", "out/picture.png")
    assert done.returncode == 0, done.stderr
    made = cv2.imread(str(folder / "out/picture.png"), cv2.IMREAD_UNCHANGED)
    assert made.shape[:2] == shape[:2]
    assert abs(int(made[..., 0].max()) - round(60 * 2**0.5)) <= 1


LOADED = """
import sys
from spellwire.runtime.cli import main
assert main(["play", "effect", "--input", "clip.mp4", "--output", "null", "--frames", "2"]) == 0
print(*(name for name in ("halide", "numba", "llvmlite", "ziglang", "onnxruntime", "pygame") if name in sys.modules))
"""


def test_playing_from_a_warm_cache_loads_no_compiler(play: Play, folder: Path):
    assert play("--input", "clip.mp4", "--output", "null", "--frames", 1).returncode == 0
    done = subprocess.run([sys.executable, "-c", LOADED], cwd=folder, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == ""


def test_frames_stops_early(play: Play, folder: Path):
    assert play("--input", "clip.mp4", "--output", "out/few.mp4", "--frames", 3).returncode == 0
    assert len(pictures(folder / "out/few.mp4")) == 3


def test_realtime_keeps_the_clips_own_pace(play: Play):
    begun = time.monotonic()
    done = play("--input", "clip.mp4", "--output", "null", "--realtime")
    assert done.returncode == 0, done.stderr
    assert time.monotonic() - begun > 0.7  # 20 frames at 25 a second
    assert "dropped" in done.stdout


def test_an_output_that_can_not_be_written(play: Play, folder: Path):
    refused(play("--input", "clip.mp4", "--output", "effect/effect.json/a.mp4"), 1, "effect")
    refused(play("--input", "clip.mp4", "--output", "a.xyz"), 1, ".xyz")


@pytest.mark.skipif(os.name == "nt", reason="limits of a process are POSIX")
def test_a_disk_that_is_full(play: Play, folder: Path):
    """A limit on the size of files stands in for the disk: the same write fails."""
    clip(folder / "noise.mp4", 60, 320, 240)
    limit = f"import resource, signal; resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)); {CODE}"
    command = [sys.executable, "-c", limit, "play", "effect", "--input", "noise.mp4", "--output", "out/full.avi"]
    env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=100)
    refused(done, 1, "full.avi")


def test_a_cache_that_can_not_be_written_or_read(play: Play, folder: Path):
    (folder / "nocache").write_text("a file where the cache's folder should be")
    done = play("--input", "clip.mp4", "--output", "null", "--frames", 2, env={"SPELLWIRE_CACHE": str(folder / "nocache")})
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX")
@pytest.mark.parametrize(("sent", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_run_leaves_what_was_written_playable(folder: Path, sent: signal.Signals, status: int):
    output = folder / f"out/{sent.name}.mp4"
    command = [
        sys.executable, "-c", CODE, "play", "effect", "--input", "clip.mp4", "--loop", "--output", str(output),
    ]  # fmt: skip
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        wait_for_growth(folder / "out", sent.name)
        process.send_signal(sent)
        _, said = process.communicate(timeout=60)
    assert process.returncode == status, said
    assert "Traceback" not in said
    assert "holds what was written" in said
    assert len(pictures(output)) > 1


def wait_for_growth(folder: Path, name: str) -> None:
    """Until the output (or what is written aside for it) holds some frames."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if any(file.stat().st_size > 2000 for file in folder.glob(f"*{name}*")):
            return
        time.sleep(0.05)
    raise AssertionError("nothing was written in a minute")


def test_a_sheet_needs_a_finished_file(play: Play):
    refused(play("--input", "clip.mp4", "--output", "null", "--sheet", "a.png"), 2, "--sheet")


def test_without_a_display_a_window_is_refused(play: Play):
    if sys.platform in ("win32", "darwin"):
        pytest.skip("this system always has a display")
    env = {"DISPLAY": "", "WAYLAND_DISPLAY": "", "SDL_VIDEODRIVER": ""}
    refused(play("--input", "clip.mp4", "--output", "window", env=env), 1, "display")
