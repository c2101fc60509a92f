"""Print, cells, ink and broken screens: what their small pictures must do, which references take as given."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from one_node import play
from references import photo


def grey(value: float, height: int = 180, width: int = 240) -> np.ndarray:
    image = np.full((height, width, 4), value, np.float32)
    image[..., 3] = 1
    return image


@pytest.mark.parametrize("tone", [0.08, 0.3, 0.5, 0.7, 0.92])
def test_dots_cover_as_much_as_the_tone(tone: float) -> None:
    black = {"ink": (0.0, 0.0, 0.0, 1.0), "paper": (1.0, 1.0, 1.0, 1.0)}
    got = play("stylise.halftone", inputs={"image": grey(1 - tone)}, size=0.1, **black)
    assert abs(1 - got[20:160, 30:210, 0].mean() - tone) < 0.03


def test_white_is_bare_paper_and_black_full_ink() -> None:
    for inks in ("one", "four"):
        white = play("stylise.halftone", inputs={"image": grey(1.0)}, inks=inks, paper=(1.0, 1.0, 1.0, 1.0), size=0.06)
        assert white[..., :3].min() > 0.999
    black = play("stylise.halftone", inputs={"image": grey(0.0)}, ink=(0.1, 0.0, 0.2, 1.0), size=0.06)
    assert np.abs(black[..., :3] - [0.1, 0.0, 0.2]).max() < 1e-3


def test_four_inks_print_the_picture_that_is_seen_from_afar() -> None:
    image = photo(4, 240, 180, alpha=False)
    got = play("stylise.halftone", inputs={"image": image}, inks="four", size=0.03, paper=(1.0, 1.0, 1.0, 1.0))
    afar, wanted = (cv2.GaussianBlur(p[..., :3].astype(float), (0, 0), 14)[30:150, 40:200].reshape(-1, 3) for p in (got, image))
    for channel in range(3):
        assert np.corrcoef(afar[:, channel], wanted[:, channel])[0, 1] > 0.9


def test_a_square_is_the_mean_of_what_it_covers() -> None:
    image = photo(6, 240, 180)
    got = play("stylise.pixelate", inputs={"image": image}, size=20 / 180)
    for y in range(10, 170, 20):  # squares lie about the middle
        for x in range(20, 220, 20):
            cell = np.s_[y : y + 20, x : x + 20]
            assert np.ptp(got[cell], axis=(0, 1)).max() < 1e-5
            assert np.abs(got[cell][0, 0] - image[cell].mean((0, 1))).max() < 0.02


def test_gaps_part_the_cells() -> None:
    got = play("stylise.pixelate", inputs={"image": grey(1.0)}, shape="square", size=0.2, gap=0.5, back=(0.0, 0.0, 0.0, 1.0))
    assert abs(got[18:162, 12:228, 0].mean() - 0.25) < 0.02
    lamp = play("stylise.pixelate", inputs={"image": grey(1.0)}, shape="dot", size=0.2, gap=0.0, back=(0.0, 0.0, 0.0, 1.0))
    assert abs(lamp[18:162, 12:228, 0].mean() - np.pi / 4) < 0.02


def test_ink_lies_on_the_dark_side_of_an_edge_only() -> None:
    image = grey(0.8)
    image[:, :120, :3] = 0.4
    got = play("stylise.ink", inputs={"image": image}, thickness=0.01, ink=(0.0, 0.0, 0.0, 1.0))[90, :, 0]
    assert got[116] < 0.1 and np.abs(got[124:] - 0.8).max() < 1e-6 and np.abs(got[:100] - 0.4).max() < 1e-6


def test_dither_keeps_the_mean() -> None:
    for value in (0.1, 0.37, 0.5, 0.84):
        got = play("stylise.dither", inputs={"image": grey(value, 64, 64)}, steps=2, size=1 / 64)[..., 0]
        assert set(np.unique(got)) <= {0.0, 1.0}
        assert abs(got.mean() - value) < 0.01


def test_a_calm_signal_is_whole_and_a_jump_stays_for_its_time() -> None:
    image = photo(2, 96, 72, alpha=False)
    assert np.abs(play("screen.glitch", inputs={"image": image}, calm=1.0) - image).max() < 1e-5
    shots = [play("screen.glitch", inputs={"image": image}, calm=0.0, rate=10.0, time=t) for t in (1_010_000, 1_090_000, 1_110_000)]
    assert np.array_equal(shots[0], shots[1]) and np.abs(shots[1] - shots[2]).max() > 0.05
    other = play("screen.glitch", inputs={"image": image}, calm=0.0, rate=10.0, time=1_010_000, seed=1)
    assert np.abs(other - shots[0]).max() > 0.05


def test_a_tube_is_as_bright_as_the_picture() -> None:
    got = play("screen.tube", inputs={"image": grey(0.5, 360, 480)}, roll=0.0, flicker=0.0, size=0.03)
    assert np.abs(got[..., :3].mean((0, 1)) - 0.5).max() < 0.01
