"""Stills and sequences, in and out."""

from __future__ import annotations

import struct
import zlib

import cv2
import numpy as np
import pytest
from footage import read_all, scene

from spellwire.graph.errors import SinkError, SourceError, UsageError
from spellwire.runtime.frames import Frame
from spellwire.runtime.media import StreamInfo, open_sink, open_source
from spellwire.runtime.media.pictures import read_picture, write_picture
from spellwire.runtime.media.sequences import find_sequence


def png(pixels: np.ndarray, kind: int) -> bytes:
    """A PNG written here byte by byte (colour type `kind`), so that OpenCV isn't checked by itself."""
    depth = 8 * pixels.dtype.itemsize
    rows = pixels.reshape(pixels.shape[0], -1).astype(pixels.dtype.newbyteorder(">"))
    raw = b"".join(b"\0" + row.tobytes() for row in rows)

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], depth, kind, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_every_kind_of_png(tmp_path, dtype):
    top = np.iinfo(dtype).max
    rng = np.random.default_rng(2)
    path = tmp_path / "a.png"
    for kind, channels in ((0, 1), (2, 3), (4, 2), (6, 4)):
        pixels = rng.integers(0, top, (9, 7, channels), dtype, endpoint=True)
        path.write_bytes(png(pixels, kind))
        got = read_picture(path).astype(float)
        unit = pixels.astype(float) / top * 255
        colour = unit[..., :3] if channels >= 3 else np.repeat(unit[..., :1], 3, axis=2)
        if channels in (2, 4):
            colour = colour * unit[..., -1:] / 255
            assert np.abs(got[..., 3] - unit[..., -1]).max() <= 0.51
        assert got.shape == (9, 7, 4 if channels in (2, 4) else 3)
        assert np.abs(got[..., :3] - colour).max() <= 1.3


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
def test_exif_orientation(tmp_path, orientation, suffix):
    """The stored picture is made from an upright one by the inverse of what the tag asks for."""
    upright = scene(3, 64, 48)
    undo = {
        1: lambda p: p,
        2: lambda p: p[:, ::-1],
        3: lambda p: p[::-1, ::-1],
        4: lambda p: p[::-1],
        5: lambda p: p.transpose(1, 0, 2),
        6: lambda p: np.rot90(p, 1),
        7: lambda p: p[::-1, ::-1].transpose(1, 0, 2),
        8: lambda p: np.rot90(p, -1),
    }[orientation]
    exif = struct.pack("<2sHIHHHIHHI", b"II", 42, 8, 1, 0x0112, 3, 1, orientation, 0, 0)
    stored = np.ascontiguousarray(undo(upright)[..., ::-1])
    data = cv2.imencodeWithMetadata(
        suffix, stored, [cv2.IMAGE_METADATA_EXIF], [np.frombuffer(exif, np.uint8)]
    )[1]
    path = tmp_path / f"a{suffix}"
    path.write_bytes(data.tobytes())
    got = read_picture(path)
    assert got.shape == upright.shape
    assert np.abs(got.astype(float) - upright).mean() < 4


@pytest.mark.parametrize("size", [(1, 1), (1, 5), (7680, 4320)])
def test_sizes(tmp_path, size):
    picture = np.full((size[1], size[0], 3), 33, np.uint8)
    write_picture(tmp_path / "a.png", picture)
    with open_source(tmp_path / "a.png") as source:
        got = source.read()
        assert (source.info.width, source.info.height) == size
        assert got.time_us == 0 and (got.frame.data == 33).all()
        assert source.read() is None
        source.seek(0)
        slot = Frame.make(*size, 3)
        assert source.read(slot).frame is slot


@pytest.mark.parametrize("suffix", [".png", ".webp", ".tif"])
def test_alpha_round_trip(tmp_path, suffix):
    picture = scene(9, channels=4)
    cv2.cvtColor(picture, cv2.COLOR_RGBA2mRGBA, dst=picture)
    write_picture(tmp_path / f"a{suffix}", picture)
    got = read_picture(tmp_path / f"a{suffix}")
    assert np.abs(got.astype(int) - picture).max() <= 1
    write_picture(tmp_path / "a.jpg", picture)
    assert read_picture(tmp_path / "a.jpg").shape[2] == 3


def test_what_is_no_picture(tmp_path):
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.png").write_text("hello")
    write_picture(tmp_path / "cut.png", scene(1))
    (tmp_path / "cut.png").write_bytes((tmp_path / "cut.png").read_bytes()[:60])
    for name, words in [
        ("none.png", "doesn't exist"),
        ("empty.png", "0 bytes"),
        ("text.png", "no picture"),
        ("cut.png", "cut"),
    ]:
        with pytest.raises(SourceError, match=words) as caught:
            open_source(tmp_path / name)
        assert name in str(caught.value)
    with pytest.raises(SinkError, match=r"\.xyz"):
        write_picture(tmp_path / "a.xyz", scene(1))


def test_sequence_by_pattern_and_glob(tmp_path):
    for number in (8, 9, 10, 12):
        write_picture(tmp_path / f"shot{number}.png", scene(number))
        write_picture(tmp_path / f"take_{number:04d}.png", scene(number))
    pictures, times = read_all(open_source(tmp_path / "shot*.png", fps=10))
    assert times == [0, 100_000, 200_000, 300_000]
    assert all((a == scene(n)).all() for a, n in zip(pictures, (8, 9, 10, 12), strict=True))
    for pattern in ("take_%04d.png", "shot%d.png"):
        with open_source(tmp_path / pattern, fps=10) as source:
            assert source.info.frames == 4 and source.info.duration_us == 500_000
            assert [source.grab().time_us for _ in range(4)] == [0, 100_000, 200_000, 400_000]
            assert source.grab() is None
            source.seek(399_999)
            assert source.read().time_us == 200_000
    assert find_sequence(str(tmp_path / "take_%03d.png")) == []
    with pytest.raises(SourceError, match="no picture matches"):
        open_source(tmp_path / "none_%04d.png")
    with pytest.raises(UsageError, match="no frame rate"):
        open_source(tmp_path / "shot*.png", fps=0)


def test_a_folder_is_a_sequence(tmp_path):
    for number in range(3):
        write_picture(tmp_path / "in" / f"{number}.jpg", scene(number))
    assert len(read_all(open_source(tmp_path / "in"))[0]) == 3
    (tmp_path / "bare").mkdir()
    with pytest.raises(SourceError, match="folder without pictures"):
        open_source(tmp_path / "bare")


def test_sequence_with_sizes_and_channels_that_change(tmp_path):
    write_picture(tmp_path / "0.png", scene(0))
    write_picture(tmp_path / "1.png", scene(1, 64, 48, 4))
    write_picture(tmp_path / "2.png", np.full((5, 5, 1), 7, np.uint8).repeat(3, 2))
    pictures, _ = read_all(open_source(tmp_path / "%d.png"))
    assert [p.shape for p in pictures] == [(120, 160, 3), (48, 64, 3), (5, 5, 3)]


def test_sequence_sink(tmp_path):
    info = StreamInfo("x", 32, 24, has_alpha=True)
    with open_sink(tmp_path / "out/%03d.png") as sink:
        sink.open(info)
        for number in range(3):
            sink.write(Frame.of(np.full((24, 32, 4), 40 * number, np.uint8)), number * 40_000)
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["000.png", "001.png", "002.png"]
    assert (read_picture(tmp_path / "out/002.png")[..., 3] == 80).all()
    with pytest.raises(SinkError, match="no sequence|don't know"):
        open_sink(tmp_path / "out/%03d.xyz").open(info)


def test_image_sink_keeps_the_last_picture(tmp_path):
    with open_sink(tmp_path / "a.png") as sink:
        sink.open(StreamInfo("x", 8, 8))
        frame = Frame.make(8, 8, 3)
        for value in (10, 20, 30):
            frame.data[:] = value
            sink.write(frame, value)
        frame.data[:] = 99
    assert (read_picture(tmp_path / "a.png") == 30).all()
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]
