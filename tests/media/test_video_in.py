"""Clips in: what they show, when, whatever is wrong with them."""

from __future__ import annotations

import gc
import hashlib
import tracemalloc
from fractions import Fraction

import av
import numpy as np
import pytest
from footage import asset, number_of, read_all, scene, write_clip, write_raw

from spellwire.graph.errors import SourceError
from spellwire.runtime.frames import Frame
from spellwire.runtime.media import open_source
from spellwire.runtime.media.video_in import VideoSource


@pytest.mark.parametrize(
    ("name", "size", "count", "fps"),
    [
        ("video/faces/lp_s32_interview.mp4", (1280, 720), 180, 30),
        ("video/gif/head-pose-face-detection-female.gif", (480, 270), 23, 12.5),
        ("video/hands/intel_asl_night.mkv", (640, 480), 68, 30),
        ("video/hands/tfjs_asl_hand.mp4", (620, 1080), 325, 25),
        ("video/faces/lp_d9_selfie_glasses.mp4", (512, 512), 587, 30),  # stored 512 × 480 with tall pixels
    ],
)
def test_footage_is_read_to_its_end(name, size, count, fps):
    with open_source(asset(name)) as source:
        assert (source.info.width, source.info.height) == size
        assert float(source.info.fps) == pytest.approx(fps)
        times = []
        while (stamp := source.grab()) is not None:
            times.append(stamp.time_us)
    assert len(times) == count
    assert times[0] == 0
    assert np.all(np.diff(times) > 0)
    assert source.damaged == 0


def test_pictures_are_the_ones_that_were_written(tmp_path):
    made = [scene(n) for n in range(12)]
    pictures, times = read_all(VideoSource(write_raw(tmp_path / "a.mp4", made)))
    assert times == [40_000 * n for n in range(12)]
    assert [number_of(p) for p in pictures] == list(range(12))
    assert np.abs(np.float32(pictures[3]) - made[3]).mean() < 2


def test_uneven_times_are_kept_and_begin_at_0(tmp_path):
    pts = [500, 520, 700, 701, 1300]
    path = write_raw(tmp_path / "a.mkv", [scene(n) for n in range(5)], pts=pts)
    pictures, times = read_all(VideoSource(path))
    assert times == [1000 * (t - 500) for t in pts]
    assert [number_of(p) for p in pictures] == list(range(5))


@pytest.mark.parametrize("rotation", [90, -90, 180])
def test_rotation_flag(tmp_path, rotation):
    picture = scene(10)
    path = write_raw(tmp_path / "a.mp4", [picture] * 3, rotation=rotation)
    source = VideoSource(path)
    upright = np.rot90(picture, rotation // 90)
    assert (source.info.height, source.info.width) == upright.shape[:2]
    got = source.read().frame.data
    assert np.abs(np.float32(got) - upright).mean() < 3


@pytest.mark.parametrize(("space", "name"), [(1, "bt709"), (6, "smpte170m"), (9, "bt2020nc")])
@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("pixels", ["yuv420p", "yuv444p"])
def test_matrix_and_range_are_respected(tmp_path, space, name, full, pixels):
    """Planes computed here from the standards' weights must come back as the colours they stand for."""
    kr, kb = {1: (0.2126, 0.0722), 6: (0.299, 0.114), 9: (0.2627, 0.0593)}[space]
    colours = np.array(
        [(200, 40, 40), (30, 180, 60), (40, 60, 220), (128, 128, 128), (250, 240, 20)], np.float64
    )
    luma = colours @ [kr, 1 - kr - kb, kb]
    scale_y, scale_c, low = (1, 1, 0) if full else (219 / 255, 224 / 255, 16)
    planes = np.rint(
        [
            low + scale_y * luma,
            128 + scale_c * (colours[:, 2] - luma) / (2 * (1 - kb)),
            128 + scale_c * (colours[:, 0] - luma) / (2 * (1 - kr)),
        ]
    ).astype(np.uint8)
    frame = av.VideoFrame(80, 32, pixels)
    for number, values in enumerate(planes):
        plane = frame.planes[number]
        rows = np.repeat(values, plane.width // 5)
        view = np.ndarray((plane.height, plane.line_size), np.uint8, buffer=plane)
        view[:, : len(rows)] = rows
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 80, 32, pixels
        stream.codec_context.colorspace, stream.codec_context.color_range = space, 2 if full else 1
        frame.pts = 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    got = VideoSource(path).read().frame.data[16, 8::16].astype(np.float64)
    assert np.abs(got - colours).max() <= 2, name


@pytest.mark.parametrize(
    ("suffix", "codec", "pixels"),
    [
        (".webm", "libvpx-vp9", "yuva420p"),
        (".mov", "prores_ks", "yuva444p10le"),
        (".mov", "qtrle", "argb"),
        (".mov", "png", "rgba"),
        (".apng", "apng", "rgba"),
    ],
)
def test_alpha_comes_premultiplied(tmp_path, suffix, codec, pixels):
    straight = scene(20, channels=4)
    options = {"auto-alt-ref": "0", "crf": "4", "b": "0"} if codec == "libvpx-vp9" else {}
    path = write_raw(tmp_path / f"a{suffix}", [straight] * 3, codec=codec, pixels=pixels, options=options)
    source = VideoSource(path)
    assert source.info.has_alpha
    got = source.read().frame.data.astype(np.float32)
    alpha = straight[..., 3:].astype(np.float32)
    assert np.abs(got[..., 3:] - alpha).max() <= 6
    assert np.abs(got[..., :3] - straight[..., :3] * alpha / 255).mean() < 3
    assert np.all(got[..., :3] <= got[..., 3:] + 1)


@pytest.mark.parametrize(
    "name",
    [
        "video/faces/lp_d20_singing.mp4",
        "video/hands/intel_asl_night.mkv",
        "video/planar/alva_desk_handheld.mp4",
        "video/gif/head-pose-face-detection-female.gif",
    ],
)
def test_seek_shows_the_picture_that_is_on_screen(name):
    path = asset(name)
    stamps, sums = [], []
    with VideoSource(path) as source:
        while (stamp := source.grab()) is not None and len(stamps) < 150:
            stamps.append(stamp.time_us)
            sums.append(hashlib.sha256(source.retrieve().data).digest())
    rng = np.random.default_rng(3)
    with VideoSource(path) as source:
        first = 40 if "alva" in name else 0  # its first 30 pictures share one moment
        for wanted in rng.integers(first, len(stamps) - 2, 12):
            source.seek(stamps[wanted] + (stamps[wanted + 1] - stamps[wanted]) // 2)
            for n in (wanted, wanted + 1):
                picture = source.read()
                assert picture is not None and picture.time_us == stamps[n]
                assert hashlib.sha256(picture.frame.data).digest() == sums[n]


def test_seek_beyond_the_end_and_before_the_start(tmp_path):
    with VideoSource(write_clip(tmp_path / "a.mp4", 30)) as source:
        source.seek(99_000_000)
        assert number_of(source.read().frame.data) == 29
        assert source.read() is None
        source.seek(-5)
        picture = source.read()
        assert (picture.time_us, picture.index, number_of(picture.frame.data)) == (0, 0, 0)


def test_threads_change_nothing():
    path = asset("video/faces/lp_d3_expressions.mp4")
    sums = set()
    for threads in (0, 1, 2, 5):
        digest = hashlib.sha256()
        with VideoSource(path, threads=threads) as source:
            for _ in range(40):
                digest.update(source.read().frame.data)
        sums.add(digest.digest())
    assert len(sums) == 1


def test_reading_into_a_slot_allocates_no_picture(tmp_path):
    """Python and NumPy report their allocations to tracemalloc; FFmpeg's pool is not theirs."""
    pictures = [scene(1, 640, 360)] * 40
    turned = write_raw(tmp_path / "r.mp4", pictures, rotation=90)
    for source in (VideoSource(write_clip(tmp_path / "a.mp4", 40, (640, 360))), VideoSource(turned)):
        slot = Frame.make(source.info.width, source.info.height, 3)
        for _ in range(5):
            assert source.read(slot).frame is slot
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        for _ in range(30):
            assert source.read(slot).frame is slot
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        source.close()
        assert peak - before < slot.data.nbytes / 4


def test_frames_go_back_to_the_pool_at_once(tmp_path):
    """No decoded frame waits for the garbage collector: FFmpeg would allocate another meanwhile."""
    source = VideoSource(write_clip(tmp_path / "a.mp4", 40))
    slot = source.read().frame
    gc.collect()
    gc.disable()
    try:
        for _ in range(30):
            source.read(slot)
        assert sum(isinstance(thing, av.VideoFrame) for thing in gc.get_objects()) <= 4
    finally:
        gc.enable()


def test_a_slot_that_does_not_fit_is_left_alone(tmp_path):
    source = VideoSource(write_clip(tmp_path / "a.mp4", 3))
    for slot in (Frame.make(8, 8, 3), Frame.make(160, 120, 4), Frame.make(160, 120, 3, "f32")):
        source.seek(0)
        picture = source.read(slot)
        assert picture.frame is not slot
        assert not slot.data.any()
        assert picture.frame.data.shape == (120, 160, 3)


def test_grab_without_retrieve_skips(tmp_path):
    source = VideoSource(write_clip(tmp_path / "a.mp4", 10))
    for _ in range(4):
        source.grab()
    assert source.peek() == 133_333
    assert number_of(source.read().frame.data) == 4


# -- what is wrong with files ----------------------------------------------------------------------


def test_missing_empty_folder_text(tmp_path):
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.mp4").write_text("this is no video\n" * 100)
    (tmp_path / "folder.mp4").mkdir()
    for name, words in [
        ("none.mp4", "doesn't exist"),
        ("nowhere/none.mp4", "nor does the folder"),
        ("empty.mp4", "empty"),
        ("text.mp4", "can't be opened as video"),
        ("folder.mp4", "folder"),
    ]:
        with pytest.raises(SourceError, match=words) as caught:
            VideoSource(tmp_path / name)
        assert name in str(caught.value)


def test_no_video_stream(tmp_path):
    path = tmp_path / "tone.m4a"
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=44100)
        frame = av.AudioFrame.from_ndarray(np.zeros((2, 4096), np.float32), "fltp", "stereo")
        frame.sample_rate, frame.pts = 44100, 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(SourceError, match="no video stream .only sound"):
        VideoSource(path)


def test_video_without_a_frame(tmp_path):
    path = tmp_path / "zero.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height = 64, 64
        container.start_encoding()
    with pytest.raises(SourceError, match=r"zero.mkv"):
        VideoSource(path)


def _spans(path):
    """(offset, size) of the video packets."""
    with av.open(str(path)) as container:
        return [(p.pos, p.size) for p in container.demux(container.streams.video[0]) if p.size]


def test_damage_in_the_middle_is_skipped_and_counted(tmp_path):
    rng = np.random.default_rng(0)
    noisy = [rng.integers(0, 255, (120, 160, 3), np.uint8) for _ in range(60)]
    path = write_raw(tmp_path / "a.mp4", noisy, options={"g": "10", "bf": "0"})
    data = bytearray(path.read_bytes())
    for offset, size in _spans(path)[25:28]:
        data[offset : offset + size] = bytes(rng.integers(0, 255, size, np.uint8))
    path.write_bytes(data)
    source = VideoSource(path)
    _, times = read_all(source)
    assert source.damaged >= 1
    assert 50 <= len(times) < 60
    assert times[-1] == 59 * 40_000  # what follows the damage keeps its time


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_clip_cut_off_gives_what_it_has_then_one_error(tmp_path, suffix):
    path = write_clip(tmp_path / f"a{suffix}", 300)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 6 // 10])
    source = VideoSource(path)
    count = 0
    with pytest.raises(SourceError, match=r"cut off.*everything before was read"):
        while source.read() is not None:
            count += 1
    assert 90 < count < 290
    assert source.read() is None
    source.seek(0)
    assert number_of(source.read().frame.data) == 0


def test_a_clip_cut_off_before_its_index(tmp_path):
    path = write_raw(tmp_path / "a.mp4", [scene(n) for n in range(50)])  # the index comes last
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(SourceError, match=r"a\.mp4"):
        VideoSource(path)


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (33, 17), (17, 64)])
def test_odd_and_tiny_sizes(tmp_path, size):
    picture = scene(5, *size)
    path = write_raw(tmp_path / "a.mkv", [picture] * 2, codec="ffv1", pixels="yuv420p", options={})
    got = VideoSource(path).read().frame.data
    assert got.shape == picture.shape
    assert abs(got.astype(float).mean() - picture.mean()) < 8


def test_8k(tmp_path):
    picture = np.full((4320, 7680, 3), 90, np.uint8)
    path = write_raw(tmp_path / "a.mp4", [picture], codec="mpeg4", pixels="yuv420p", options={})
    got = VideoSource(path).read().frame
    assert (got.width, got.height) == (7680, 4320)
    assert abs(int(got.data[2000, 4000, 1]) - 90) <= 3


def test_sizes_may_change_in_the_middle(tmp_path):
    """Two H.264 streams one after the other, as some cameras send them."""
    path = tmp_path / "a.h264"
    whole = b""
    for number, size in enumerate([(64, 48), (96, 64)]):
        part = write_raw(tmp_path / f"{number}.h264", [scene(3, *size)] * 3)
        whole += part.read_bytes()
    path.write_bytes(whole)
    pictures, times = read_all(VideoSource(path))
    assert [p.shape[:2] for p in pictures] == [(48, 64)] * 3 + [(64, 96)] * 3
    assert np.all(np.diff(times) > 0)


def test_ten_bits(tmp_path):
    made = scene(7)
    path = write_raw(tmp_path / "a.mkv", [made] * 2, codec="ffv1", pixels="yuv420p10le", options={})
    got = VideoSource(path).read().frame.data
    assert np.abs(got.astype(float) - made).mean() < 2


def test_info_of_a_made_clip(tmp_path):
    source = VideoSource(write_clip(tmp_path / "a.mp4", 45, fps=30))
    info = source.info
    assert (info.name, info.width, info.height, info.fps) == ("a.mp4", 160, 120, Fraction(30))
    assert (info.duration_us, info.frames, info.live, info.has_alpha, info.has_audio) == (
        1_500_000,
        45,
        False,
        False,
        False,
    )
