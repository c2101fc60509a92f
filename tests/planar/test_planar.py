"""Pictures that are known again: where they are, to a part of a pixel, and when they are not there."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from shared_assets import ASSETS

from spellwire.graph.errors import SourceError
from spellwire.runtime.perception.planar import Marker, PlanarState, PlanarTracker, SmallGrey
from spellwire.runtime.perception.plane_pose import plane_pose

from .conftest import CAMERA, WIDTH, homography, pose_of, poster, seen


def corners(h: np.ndarray, aspect: float = 300 / 420) -> np.ndarray:
    flat = np.array(((-0.5, -aspect / 2), (0.5, -aspect / 2), (0.5, aspect / 2), (-0.5, aspect / 2)))
    q = flat @ h[:, :2].T + h[:, 2]
    return q[:, :2] / q[:, 2:]


def look(tracker: PlanarTracker, state: PlanarState, frame: np.ndarray, smoothing: float = 0.0, **more) -> np.ndarray | None:
    """The homography in frame pixels, or None."""
    grey, scale = SmallGrey()(frame)
    found = tracker.track(grey, state, 1 / 30, smoothing, **more)
    return None if found is None else np.array(((scale, 0, scale / 2), (0, scale, scale / 2), (0, 0, 1))) @ found


PLACES = {
    "before the camera": pose_of(0, 0, -0.5), "to the side, turned": pose_of(0.15, 0.05, -0.7, tilt=35),
    "leaning back": pose_of(0, -0.05, -0.5, nod=-50), "turned away": pose_of(-0.05, 0, -0.45, shake=50),
    "upside down": pose_of(0.05, 0, -0.6, tilt=170, nod=15), "cut by the frame": pose_of(0.2, 0.12, -0.4),
}  # fmt: skip


@pytest.mark.parametrize("where", PLACES)
def test_it_is_found_where_it_is(tracker, picture, where):
    state, frame = PlanarState(), seen(picture, PLACES[where], noise=2)
    for _ in range(8):  # sides of it are looked for in turn
        found = look(tracker, state, frame)
        if found is not None:
            break
    assert found is not None
    off = np.linalg.norm(corners(found) - corners(homography(PLACES[where])), axis=1)
    assert off.max() < 1.2, off
    pose = plane_pose(found, 300 / 420, WIDTH, CAMERA, None)
    turn = np.degrees(np.arccos(np.clip((np.trace(pose[:3, :3] @ PLACES[where][:3, :3].T) - 1) / 2, -1, 1)))
    assert turn < 3.0
    assert np.linalg.norm(pose[:3, 3] - PLACES[where][:3, 3]) < 0.02 * abs(PLACES[where][2, 3])


def test_it_is_followed_without_lag_or_drift(tracker, picture):
    """Sixty frames of a hand that moves and turns it: every corner within a pixel and a half, and none worse at the end."""
    state, worst = PlanarState(), []
    for n in range(60):
        a = n / 12
        pose = pose_of(0.08 * np.sin(a), 0.04 * np.cos(1.3 * a), -0.55 + 0.1 * np.sin(0.7 * a), 20 * np.sin(a), 25 * np.cos(a), 15 * np.sin(a / 2))
        found = look(tracker, state, seen(picture, pose, noise=2, seed=n), smoothing=0.5, search=n < 4)
        if found is None:
            assert n < 4
            continue
        worst.append(np.linalg.norm(corners(found) - corners(homography(pose)), axis=1).max())
    assert np.median(worst) < 0.8 and max(worst) < 2.5 and np.mean(worst[-10:]) < 1.2


def test_a_still_picture_stays_still(tracker, picture):
    """Under noise its corners tremble by less than a tenth of a pixel."""
    state, places, pose = PlanarState(), [], pose_of(0.03, 0.02, -0.5, -20, 15, 5)
    for n in range(40):
        found = look(tracker, state, seen(picture, pose, noise=3, seed=n), smoothing=0.5)
        if found is not None and n > 10:
            places.append(corners(found))
    assert len(places) >= 28
    assert np.std(places, axis=0).max() < 0.1
    assert np.abs(np.diff(places, axis=0)).max() < 0.12


def test_a_hand_before_it_does_not_matter(tracker, picture):
    state, pose = PlanarState(), pose_of(0, 0, -0.5, -15, 20)
    frame = seen(picture, pose)
    look(tracker, state, frame)
    for n in range(12):
        covered = frame.copy()
        cv2.circle(covered, (260 + 9 * n, 190), 40, (190, 140, 120), -1)
        found = look(tracker, state, covered, smoothing=0.5)
        assert found is not None
        assert np.linalg.norm(corners(found) - corners(homography(pose)), axis=1).max() < 2


def test_what_is_not_there_is_not_found(tracker, picture):
    state = PlanarState()
    for frame in (seen(poster(77), pose_of(0, 0, -0.5)), np.zeros((360, 640, 3), np.uint8), np.random.default_rng(1).integers(0, 255, (360, 640, 3)).astype(np.uint8)):
        assert look(tracker, state, frame) is None and state.score == 0
    # and a picture that goes away is let go of, and known again
    there = seen(picture, pose_of(0, 0, -0.5))
    assert any(look(tracker, state, there) is not None for _ in range(6))
    empty = np.full((360, 640, 3), 110, np.uint8)
    assert [look(tracker, state, empty) is None for _ in range(8)][-1]
    assert any(look(tracker, state, there) is not None for _ in range(6))


def test_another_frame_size_and_the_smallest_one(tracker, picture):
    state = PlanarState()
    assert look(tracker, state, seen(picture, pose_of(0, 0, -0.5))) is not None
    assert look(tracker, state, np.zeros((3, 5, 3), np.uint8)) is None
    for size in ((1280, 720), (360, 640)):
        camera = (0.816 * size[1], 0.816 * size[1], size[0] / 2, size[1] / 2)
        pose = pose_of(0, 0, -0.75)
        found = look(tracker, PlanarState(), seen(picture, pose, size=size, camera=camera))
        assert found is not None
        assert np.linalg.norm(corners(found) - corners(homography(pose, camera)), axis=1).max() < 1.5


@pytest.mark.parametrize("what", ["one colour", "a ramp", "noise of one pixel", "one line"])
def test_a_picture_without_features_is_refused(what):
    flat = np.full((200, 300, 3), 128, np.uint8)
    if what == "a ramp":
        flat[...] = np.linspace(0, 255, 300).astype(np.uint8)[None, :, None]
    elif what == "noise of one pixel":
        flat = np.full((2, 2, 3), 7, np.uint8)
    elif what == "one line":
        cv2.line(flat, (10, 100), (290, 100), (0, 0, 0), 5)
    with pytest.raises(SourceError, match=r"card\.png can't be a marker: .* choose a picture with more corners"):
        Marker(flat, "card.png")


def test_the_same_picture_gives_the_same_bytes(tracker, picture):
    frames = [seen(picture, pose_of(0.01 * n, 0, -0.5, n), noise=2, seed=n) for n in range(5)]
    runs = []
    before = cv2.getNumThreads()
    for threads in (1, 2):
        cv2.setNumThreads(threads)
        state = PlanarState()
        runs.append([look(PlanarTracker(Marker(picture)) if n == 0 else tracker, state, f) for n, f in enumerate(frames)])
    cv2.setNumThreads(before)
    for a, b in zip(*runs, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_pose_is_what_was_drawn_and_keeps_leaning_as_it_did():
    for pose in (pose_of(0.1, -0.05, -0.8, 20, -35, 10), pose_of(0, 0, -2, 0, 3, 0)):
        found = plane_pose(homography(pose), 300 / 420, WIDTH, CAMERA, pose)
        np.testing.assert_allclose(found, pose, atol=2e-3)
    assert plane_pose(np.full((3, 3), np.nan), 1.0, WIDTH, CAMERA, None) is None
    assert plane_pose(np.zeros((3, 3)), 1.0, WIDTH, CAMERA, None) is None
    nearly, other = pose_of(0, 0, -5, 0, 9, 0), pose_of(0, 0, -5, 0, -9, 0)  # far away both look alike
    for before in (nearly, other):
        kept = plane_pose(homography(nearly), 300 / 420, WIDTH, CAMERA, before)
        assert kept is not None and kept[0, 2] == pytest.approx(before[0, 2], abs=0.03)
    alone = plane_pose(homography(nearly), 300 / 420, WIDTH, CAMERA, None)
    assert alone is not None and alone[0, 2] == pytest.approx(nearly[0, 2], abs=0.02)


@pytest.mark.skipif(not ASSETS.is_dir(), reason="the shared assets are not here (SPELLWIRE_ASSETS)")
def test_a_wall_of_graffiti_against_its_true_homography():
    """VGG's pair with a known homography, 40° apart: every place within two pixels of 800, half of them within one."""
    folder = ASSETS / "gt" / "homography_graf"
    first, third = (cv2.cvtColor(cv2.imread(str(folder / f"graf{n}.png")), cv2.COLOR_BGR2RGB) for n in (1, 3))
    store = cv2.FileStorage(str(folder / "H1to3p.xml"), cv2.FILE_STORAGE_READ)
    true = store.getFirstTopLevelNode().mat()
    h, w = first.shape[:2]
    tracker, state = PlanarTracker(Marker(first)), PlanarState()
    found = [look(tracker, state, third) for _ in range(4)][-1]
    assert found is not None
    x, y = np.meshgrid(np.linspace(60, w - 60, 8), np.linspace(60, h - 60, 8))
    places = np.column_stack((x.ravel(), y.ravel()))
    there = np.column_stack((places, np.ones(64))) @ true.T
    lengths = np.column_stack(((places + 0.5 - (w / 2, h / 2)) / w, np.ones(64))) @ found.T
    there = there[:, :2] / there[:, 2:] + 0.5
    off = np.linalg.norm(there - lengths[:, :2] / lengths[:, 2:], axis=1)[(there > 8).all(1) & (there < (w - 8, h - 8)).all(1)]
    assert len(off) > 30 and off.max() < 2.5 and np.median(off) < 1.0


@pytest.mark.skipif(not ASSETS.is_dir(), reason="the shared assets are not here (SPELLWIRE_ASSETS)")
def test_a_box_held_in_a_hand_is_never_lost():
    """The lid of a box in a clip, taken out of a photograph of it: found, and then held to the end."""
    import av

    photograph = cv2.cvtColor(cv2.imread(str(ASSETS / "gt" / "planar_box_video" / "resized_IMG_3875.JPG")), cv2.COLOR_BGR2RGB)
    lid = np.float32([[320.5, 85], [549, 212], [348, 297], [119, 175]])
    to = cv2.getPerspectiveTransform(lid, np.float32([[0, 0], [420, 0], [420, 310], [0, 310]]))
    tracker = PlanarTracker(Marker(cv2.warpPerspective(photograph, to, (420, 310), flags=cv2.INTER_CUBIC)))
    state, small, held = PlanarState(), SmallGrey(), 0
    with av.open(str(ASSETS / "video" / "planar" / "opencv_box_handheld.mp4")) as clip:
        for n, frame in enumerate(clip.decode(video=0)):
            if n == 150:
                break
            grey, _ = small(np.ascontiguousarray(frame.to_ndarray(format="rgb24")))
            held += tracker.track(grey, state, 1 / 30) is not None
    assert held >= 147
