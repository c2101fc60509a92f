"""Pictures for layers: stills, animations, sheets; and what is said of files that are none."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from spellwire.graph.errors import SourceError
from spellwire.runtime.textures import MAX_SIDE, Texture, read_clip


def bgra(colour: tuple[int, int, int, int], size: int = 16) -> np.ndarray:
    return np.full((size, size, 4), colour, np.uint8)


def test_levels_are_means_down_to_one_pixel() -> None:
    rng = np.random.default_rng(0)
    texture = Texture.of(rng.random((24, 40, 4), dtype=np.float32))
    assert texture.levels[-1, 1:].tolist() == [1, 1] and texture.count == 6
    np.testing.assert_allclose(texture.texels[-20:-16] / 65535, texture.picture.mean((0, 1)) / 65535, atol=0.05)
    texture.refill(np.full((24, 40, 3), 255, np.uint8))
    assert texture.picture.min() == 65535 and texture.texels[-20:-16].tolist() == [65535] * 4 and texture.texels[0] == 0


def test_a_still_is_premultiplied(tmp_path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), bgra((0, 100, 200, 128)))
    clip = read_clip(tmp_path / "a.png")
    assert len(clip.textures) == 1 and clip.at(10**9) is clip.textures[0] and clip.aspect == 1.0
    np.testing.assert_allclose(clip.textures[0].picture[5, 5] / 257, (100.4, 50.2, 0, 128), atol=1)


def test_linear_light_is_decoded_before_it_is_premultiplied(tmp_path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), bgra((128, 128, 128, 255)))
    value = read_clip(tmp_path / "a.png", linear=True).textures[0].picture[3, 3] / 65535
    np.testing.assert_allclose(value, (0.2159, 0.2159, 0.2159, 1), atol=2e-3)


@pytest.mark.parametrize("suffix", [".gif", ".png", ".webp"])
def test_an_animation_by_its_own_clock(tmp_path, suffix) -> None:
    moving = cv2.Animation()
    moving.frames = [bgra((0, 0, 255, 255)), bgra((0, 255, 0, 255)), bgra((255, 0, 0, 255))]
    moving.durations = [100, 200, 100]
    path = tmp_path / f"a{suffix}"
    assert cv2.imwriteanimation(str(path), moving)
    clip = read_clip(path)
    assert len(clip.textures) == 3 and clip.duration == 400_000

    def hue(time: int, loop: bool = True) -> int:
        return int(clip.at(time, loop).picture[8, 8, :3].argmax())

    assert [hue(t) for t in (0, 99_000, 100_000, 299_000, 300_000, 399_000, 400_000)] == [0, 0, 1, 1, 2, 2, 0]
    assert hue(900_000, loop=False) == 2 and hue(-5, loop=False) == 0


def test_a_sheet_of_cells(tmp_path) -> None:
    cells = [np.full((10, 12, 3), 40 * i, np.uint8) for i in range(6)]
    cv2.imwrite(str(tmp_path / "s.png"), np.vstack([np.hstack(cells[:3]), np.hstack(cells[3:])]))
    clip = read_clip(tmp_path / "s.png", columns=3, rows=2, rate=10)
    assert [round(float(clip.at(t * 100_000).picture[4, 4, 0]) / 257) for t in range(7)] == [0, 40, 80, 120, 160, 200, 0]
    with pytest.raises(SourceError, match="36×20 pixels do not divide into 5 columns and 2 rows"):
        read_clip(tmp_path / "s.png", columns=5, rows=2)


def test_square_and_not_too_large(tmp_path) -> None:
    cv2.imwrite(str(tmp_path / "w.png"), np.full((30, 3000, 3), 255, np.uint8))
    clip = read_clip(tmp_path / "w.png")
    assert clip.textures[0].width == MAX_SIDE
    cv2.imwrite(str(tmp_path / "n.png"), np.full((30, 10, 3), 255, np.uint8))
    texture = read_clip(tmp_path / "n.png", square=True).textures[0]
    assert (texture.width, texture.height) == (30, 30)
    assert texture.picture[:, :10, 3].max() == 0 and texture.picture[:, 10:20].min() == 65535


def test_a_file_that_is_no_picture_is_said(tmp_path) -> None:
    (tmp_path / "hat.png").write_bytes(b"\x89PNG\r\n\x1a\nrubbish")
    for name in ("hat.png", "gone.png"):
        with pytest.raises(SourceError, match=name):
            read_clip(tmp_path / name)


def test_an_animation_too_large_is_said(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("spellwire.runtime.textures.MAX_BYTES", 1000)
    cv2.imwrite(str(tmp_path / "a.png"), bgra((0, 0, 0, 255)))
    with pytest.raises(SourceError, match="make it smaller or shorter"):
        read_clip(tmp_path / "a.png")
