"""Blurs along a way against the mean of many places, read one by one."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from one_node import play
from references import Place, photo, sample

W, H = 96, 72
CENTRE = (0.2, -0.1)


def many(image: np.ndarray, motion, places: int) -> np.ndarray:
    """The mean over the way; `motion(z, t)`: where the place z is read, t from −½ to ½."""
    at = Place(W, H, 0, 0)
    middle = complex(at.aspect / 2 + CENTRE[0], 0.5 + CENTRE[1])
    z = at.x + 1j * at.y - middle
    total = 0.0
    for k in range(places):
        moved = motion(z, (k + 0.5) / places - 0.5) + middle
        total = total + sample(image, moved.real, moved.imag, at)
    return total / places


MOTIONS = {
    "blur.directional": ({"length": 0.3, "angle": 35.0}, lambda z, t: z + 0.3 * t * np.exp(1j * np.deg2rad(35))),
    "blur.zoom": ({"amount": 0.5, "centre": CENTRE}, lambda z, t: z * np.exp(0.5 * t)),
    "blur.spin": ({"angle": 40.0, "centre": CENTRE}, lambda z, t: z * np.exp(1j * np.deg2rad(40) * t)),
}


@pytest.mark.parametrize("name", MOTIONS)
def test_it_is_the_mean_along_the_way(name: str) -> None:
    image = photo(3, W, H)
    params, motion = MOTIONS[name]
    got = play(name, inputs={"image": image}, **params)
    wanted = many(image.astype(float), motion, 64)
    inside = np.ones((H, W), bool)  # where the whole way lies in the picture: beyond, passes repeat the edge otherwise
    at = Place(W, H, 0, 0)
    middle = complex(at.aspect / 2 + CENTRE[0], 0.5 + CENTRE[1])
    for t in (-0.55, 0.0, 0.55):
        end = (motion(at.x + 1j * at.y - middle, t) + middle)[..., 0]
        inside &= (end.real > 0.02) & (end.real < at.aspect - 0.02) & (end.imag > 0.02) & (end.imag < 0.98)
    far = abs(at.x + 1j * at.y - middle)[..., 0] > (0.0 if name == "blur.directional" else 0.15)  # nearer it is half sharp
    difference = np.abs(got - wanted)[inside & far]
    assert len(difference) > 1500 and difference.max() < 0.08 and difference.mean() < 0.008


def test_nothing_and_a_mask() -> None:
    image, mask = photo(3, W, H), np.zeros((H, W, 1), np.float32)
    for name, word in (("blur.directional", "length"), ("blur.zoom", "amount"), ("blur.spin", "angle")):
        assert np.array_equal(play(name, inputs={"image": image}, **{word: 0.0}), image)
        assert np.array_equal(play(name, inputs={"image": image, "mask": mask}), image)


def test_no_steps_in_a_long_blur() -> None:
    """A bright line across becomes a ramp-free plateau, not 64 lines."""
    image = np.zeros((360, 480, 4), np.float32)
    image[..., 3] = 1
    image[:, 238:242, :3] = 1
    row = play("blur.directional", inputs={"image": image}, length=0.2)[180, :, 0]
    plateau = row[215:265]
    assert plateau.min() > 0.03 and np.ptp(plateau) < 0.02
    assert abs(row.sum() - 4) < 0.1 and row[:190].max() < 0.002


def test_it_looks_the_same_at_another_resolution() -> None:
    large = photo(5, 640, 480, alpha=False)
    small = cv2.resize(large, (320, 240), interpolation=cv2.INTER_AREA)
    a, b = (play("blur.zoom", inputs={"image": i}, amount=0.3) for i in (large, small))
    assert np.abs(cv2.resize(a, (320, 240), interpolation=cv2.INTER_AREA) - b).mean() < 0.01
