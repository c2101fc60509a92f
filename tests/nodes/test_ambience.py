"""The background's light on a cut-out, and pictures as backgrounds."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from one_node import picture, play

from spellwire.graph.errors import SourceError
from spellwire.nodes.picture import Picture
from spellwire.runtime.frames import Tick

W, H = 96, 64


def plain(r: float, g: float, b: float) -> np.ndarray:
    return np.broadcast_to(np.array([r, g, b, 1.0], np.float32), (H, W, 4)).copy()


def test_white_light_changes_no_hue_and_a_coloured_one_only_that() -> None:
    person = picture(1, width=W, height=H)
    same = play("composite.ambient", inputs={"image": person, "background": plain(0.45, 0.45, 0.45)}, brightness=1.0)
    assert np.abs(same - person).max() < 0.01
    red = play("composite.ambient", inputs={"image": person, "background": plain(0.8, 0.3, 0.2)}, brightness=0.0, colour=1.0)
    weights = np.array([0.2126, 0.7152, 0.0722])
    assert np.abs((red - person)[..., :3] @ weights).max() < 1e-3
    assert red[..., 0].mean() > 1.2 * person[..., 0].mean()


def test_light_comes_from_its_side() -> None:
    behind = plain(0.1, 0.1, 0.1)
    behind[:, W // 2 :, :3] = 0.9
    got = play("composite.ambient", inputs={"image": plain(0.5, 0.5, 0.5), "background": behind}, brightness=1.0)[H // 2, :, 0]
    assert got[-8:].mean() > 1.3 * got[:8].mean() and (np.diff(got) > -1e-4).all()


def test_wrap_is_the_gaussian_it_says() -> None:
    """The small picture's blur against OpenCV's at full size."""
    image, mask = plain(0.2, 0.2, 0.2), np.zeros((360, 480, 1), np.float32)
    mask[:, 240:] = 1
    image = cv2.resize(image, (480, 360))
    behind = np.ones((360, 480, 4), np.float32)
    got = play("composite.light_wrap", inputs={"image": image, "mask": mask, "background": behind}, radius=0.04, amount=1.0)
    near = cv2.GaussianBlur(1 - mask.astype(np.float64), (0, 0), 0.04 * 360, borderType=cv2.BORDER_REPLICATE)[..., None]
    wanted = 0.2 + 0.8 * np.clip(2 * near, 0, 1) * mask
    assert np.abs(got[180, :, 0] - wanted[180, :, 0]).max() < 0.02


def shown(path: Path | None, tick: tuple[int, int] = (160, 90), which: int = 1, how: str = "fill", zoom: float = 1.0,
          time: int = 0, files: tuple = (None, None, None)):  # fmt: skip
    node = Picture()
    node.open(type("Context", (), {"working_space": "srgb"})())
    return node.process(path, *files, which, how, zoom, (0.0, 0.0), True, Tick(time=time, width=tick[0], height=tick[1]))


def covers(frame) -> tuple[float, float, float, float]:
    """Left, top, right, bottom of the picture itself in frame pixels."""
    a, _, c, _, e, f = frame.geometry.to_frame
    return c + a, f + e, c + a * (frame.width - 1), f + e * (frame.height - 1)


def test_a_picture_lies_as_it_should(tmp_path: Path) -> None:
    path = tmp_path / "square.png"
    cv2.imwrite(str(path), np.full((40, 40, 3), (10, 120, 240), np.uint8))
    assert covers(shown(path)) == pytest.approx((0, -35, 160, 125))
    assert covers(shown(path, how="fit")) == pytest.approx((35, 0, 125, 90))
    assert covers(shown(path, how="stretch")) == pytest.approx((0, 0, 160, 90))
    assert covers(shown(path, how="fit", zoom=0.5)) == pytest.approx((57.5, 22.5, 102.5, 67.5))
    frame = shown(path)
    assert np.abs(frame.data[20, 20] - [240 / 255, 120 / 255, 10 / 255, 1]).max() < 1e-3
    assert frame.data[0].max() == frame.data[:, -1].max() == 0  # around it lies nothing


def test_one_of_four_and_none(tmp_path: Path) -> None:
    paths = []
    for k in range(2):
        paths.append(tmp_path / f"{k}.png")
        cv2.imwrite(str(paths[-1]), np.full((4, 4, 3), 100 * k, np.uint8))
    assert shown(paths[0], which=2, files=(paths[1], None, None)).data[2, 2, 0] == pytest.approx(100 / 255, abs=1e-3)
    assert shown(paths[0], which=4).data.max() == 0
    assert shown(None).data.max() == 0


def test_a_broken_picture_says_so(tmp_path: Path) -> None:
    path = tmp_path / "broken.png"
    path.write_bytes(b"no picture")
    with pytest.raises(SourceError, match=r"broken\.png"):
        shown(path)
