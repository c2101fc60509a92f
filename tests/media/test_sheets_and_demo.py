"""Contact sheets and the demo clip."""

from __future__ import annotations

import json
import subprocess
import sys

import cv2
import numpy as np
import pytest
from footage import number_of, scene, write_clip

from spellwire.graph.errors import SourceError
from spellwire.runtime.frames import Frame
from spellwire.runtime.media import Picture, open_source
from spellwire.runtime.media.contact import comparison_sheet, contact_sheet, pick_pictures
from spellwire.runtime.media.demo_clip import make_demo_clip, motion_path
from spellwire.runtime.media.pictures import read_picture


def test_pictures_are_chosen_evenly(tmp_path):
    path = write_clip(tmp_path / "a.mp4", 48, fps=24)
    with open_source(path) as source:
        assert [number_of(p.frame.data) for p in pick_pictures(source, 6)] == [4, 12, 20, 28, 36, 44]
    with open_source(path) as source:
        assert len(pick_pictures(source, 500)) == 48


def test_contact_sheet(tmp_path):
    path = write_clip(tmp_path / "a.mp4", 48, fps=24)
    sheet = contact_sheet(path, tmp_path / "sheet.png", count=6, columns=3, width=900)
    assert np.array_equal(read_picture(tmp_path / "sheet.png"), sheet)
    assert sheet.shape[1] == 900
    assert sheet[:10].max() < 40  # a dark margin
    greys = sheet[sheet.shape[0] // 3, :, :].std(axis=1) < 3
    assert greys.sum() > 100
    numbers = []
    with open_source(path) as source:
        for picture in pick_pictures(source, 6):
            small = cv2.resize(picture.frame.data, (272, 204), interpolation=cv2.INTER_AREA)
            found = cv2.matchTemplate(sheet, small, cv2.TM_SQDIFF_NORMED)
            numbers.append(found.min())
    assert max(numbers) < 0.01


def test_sheets_of_pictures_and_pairs(tmp_path):
    pictures = [Picture(Frame.of(scene(n)), n * 1_000_000, n) for n in range(5)]
    one = contact_sheet(pictures, tmp_path / "one.png", count=3)
    two = comparison_sheet(pictures, pictures[::-1], tmp_path / "two.png", count=4, width=1000)
    assert one.shape[1] == 1600 and two.shape[1] == 1000
    with pytest.raises(SourceError, match="at least one picture"):
        contact_sheet([], tmp_path / "none.png")


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    pytest.importorskip("skimage")
    path = tmp_path_factory.mktemp("demo") / "demo.mp4"
    seen = []
    make_demo_clip(
        path, width=640, height=360, seconds=2, progress=lambda done, total: seen.append((done, total))
    )
    assert seen == [(n, 60) for n in range(1, 61)]
    return path


def test_the_true_motion_is_true(demo):
    """Each picture, taken back to the portrait by its matrix, is the portrait."""
    data = pytest.importorskip("skimage.data")
    portrait = cv2.cvtColor(data.astronaut(), cv2.COLOR_RGB2GRAY).astype(np.float32)
    motion = json.loads(motion_path(demo).read_text())
    assert len(motion["frames"]) == 60
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    with open_source(demo) as source:
        for number in (0, 25, 59):
            source.seek(motion["frames"][number]["time_us"])
            picture = source.read()
            assert picture.time_us == motion["frames"][number]["time_us"]
            matrix = np.array(motion["frames"][number]["frame_to_portrait"]).reshape(3, 3)
            back = (np.linalg.inv(half) @ matrix @ half)[:2]
            grey = cv2.cvtColor(picture.frame.data, cv2.COLOR_RGB2GRAY).astype(np.float32)
            placed = cv2.warpAffine(grey, back, (512, 512))
            window = np.s_[60:160, 150:300]
            shift, sure = cv2.phaseCorrelate(
                portrait[window].copy(), placed[window].copy(), cv2.createHanningWindow((150, 100), 5)
            )
            assert sure > 0.3
            assert np.hypot(*shift) < 0.25


def test_the_head_is_whole_and_large(demo):
    """The hair's top and the chin lie inside every frame, and the face is large."""
    motion = json.loads(motion_path(demo).read_text())
    for frame in motion["frames"]:
        there = np.linalg.inv(np.array(frame["frame_to_portrait"]).reshape(3, 3))
        points = (there @ np.array([(225, 14, 1), (225, 190, 1), (152, 90, 1), (301, 90, 1)]).T)[:2].T
        assert (points > 4).all() and (points < (636, 356)).all()
        assert np.hypot(*(points[3] - points[2])) > 160


def test_demo_is_the_same_every_time(demo, tmp_path):
    again = make_demo_clip(tmp_path / "demo.mp4", width=640, height=360, seconds=2)
    assert again.read_bytes() == demo.read_bytes()
    other = make_demo_clip(tmp_path / "other.mp4", width=640, height=360, seconds=0.2, seed=8)
    assert motion_path(other).read_text() != motion_path(demo).read_text()


def test_an_interrupted_demo_leaves_nothing(tmp_path):
    pytest.importorskip("skimage")

    def stop(done, total):
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_demo_clip(tmp_path / "demo.mp4", width=320, height=180, seconds=1, progress=stop)
    assert not list(tmp_path.iterdir())


def test_without_scikit_image(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "skimage", None)
    with pytest.raises(SourceError, match=r"pip install spellwire\[demo\]"):
        make_demo_clip(tmp_path / "demo.mp4")


def test_importing_media_is_light():
    code = (
        "import sys, spellwire.runtime.media; print([m for m in ('av', 'cv2', 'pygame') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr
