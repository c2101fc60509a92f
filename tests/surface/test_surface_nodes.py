"""Surfaces merged, shaded, applied and shown: formulas in NumPy, a pixel at a time where that says it best."""

from __future__ import annotations

import numpy as np
import pytest
from one_node import picture, play

SIZE = (24, 32)
HEAD_ON = np.array([0.0, 0.0, 1.0])


def surface(seed: int) -> np.ndarray:
    """Random coverage, unit normals that look at the camera, depth, uv; index 0."""
    rng = np.random.default_rng(seed)
    made = rng.uniform(0, 1, (*SIZE, 8)).astype(np.float32)
    made[..., 3:5] = made[..., 3:5] * 2 - 1
    made[..., 3:6] /= np.linalg.norm(made[..., 3:6], axis=-1, keepdims=True)
    made[..., 6] *= 0.2
    made[..., 7] = 0
    return made


def flat(normal=(0.0, 0.0, 1.0), depth: float = 0.0, coverage: float = 1.0) -> np.ndarray:
    made = np.zeros((*SIZE, 8), np.float32)
    made[..., 0], made[..., 3:6], made[..., 6] = coverage, np.array(normal) / np.linalg.norm(normal), depth
    return made


def lamp(kind: float, place, colour=(1.0, 1.0, 1.0), intensity: float = 1.0, reach: float = 1.0) -> tuple:
    return (kind, *place, *colour, intensity, reach)


def test_merged_by_coverage():
    over, under = surface(1), surface(2)
    over[:, :8, 0], over[:, 8:16, 0] = 0, 1
    merged = play("surface.merge", inputs={"over": over, "under": under})
    np.testing.assert_allclose(merged[:, :8, 1:], under[:, :8, 1:], atol=1e-5)
    np.testing.assert_allclose(merged[:, 8:16, 1:], over[:, 8:16, 1:], atol=1e-5)
    a, b = over[..., :1].astype(np.float64), under[..., :1].astype(np.float64)
    whole = a + b * (1 - a)
    np.testing.assert_allclose(merged[..., :1], whole, atol=1e-6)
    share = a / whole
    normal = under[..., 3:6] * (1 - share) + over[..., 3:6] * share
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    np.testing.assert_allclose(merged[..., 3:6], normal, atol=1e-4)
    np.testing.assert_allclose(merged[..., 6:7], under[..., 6:7] * (1 - share) + over[..., 6:7] * share, atol=1e-5)


def test_two_nothings_merge_to_nothing():
    merged = play("surface.merge", inputs={"over": np.zeros((*SIZE, 8)), "under": np.zeros((*SIZE, 8))})
    assert np.isfinite(merged).all() and not merged[..., 0].any()


def shaded(normal, light: tuple, **given) -> np.ndarray:
    plain = {"wrap": 0.0, "shine": 0.0} | given
    return play("surface.shade", inputs={"surface": flat(normal), "key": light}, **plain)[12, 16]


@pytest.mark.parametrize("angle", [0, 30, 60, 85])
def test_a_far_lamp_is_lambert(angle):
    a = np.radians(angle)
    found = shaded((np.sin(a), 0, np.cos(a)), lamp(0, (0, 0, 1), colour=(1.0, 0.5, 0.25), intensity=2.0))
    np.testing.assert_allclose(found[:3], np.cos(a) * 2 * np.array([1, 0.5, 0.25]), atol=1e-4)
    assert found[3] == 0  # all of it takes the picture's colour


def test_behind_the_terminator_is_dark_and_wrapping_moves_it():
    away = (0.94, 0.0, -0.34)
    assert not shaded(away, lamp(0, (-1, 0, 0)))[:3].any()
    beside = (0.0, 0.0, 1.0)
    assert shaded(beside, lamp(0, (1, 0, 0)))[0] == pytest.approx(0, abs=1e-6)
    assert shaded(beside, lamp(0, (1, 0, 0)), wrap=0.5)[0] == pytest.approx(1 / 3, abs=1e-5)


def test_a_near_lamp_fades_with_distance():
    near = shaded(HEAD_ON, lamp(1, (0.0, 0.0, 0.5), reach=0.5))
    far = shaded(HEAD_ON, lamp(1, (0.0, 0.0, 1.0), reach=0.5))
    assert near[0] == pytest.approx(0.5, abs=0.01)  # half is left at its reach
    assert far[0] == pytest.approx(0.2, abs=0.01)


def test_a_lamp_to_the_left_lights_what_faces_left():
    left, right = lamp(1, (-1, 0, 0.3)), lamp(1, (1, 0, 0.3))
    turned = (-0.7, 0, 0.7)
    assert shaded(turned, left)[0] > 4 * shaded(turned, right)[0]


def test_the_highlight_does_not_take_the_colour():
    matt, shiny = shaded(HEAD_ON, lamp(0, (0, 0, 1))), shaded(HEAD_ON, lamp(0, (0, 0, 1)), shine=2.0)
    assert shiny[0] > matt[0] and 0 < shiny[3] < 0.5
    assert shaded(HEAD_ON, lamp(0, (0, 0, 1)), shine=2.0, roughness=0.2)[3] > shiny[3]


def test_a_rim_lights_only_edges_that_face_it():
    behind = lamp(2, (1, 0, -0.25))
    assert not shaded(HEAD_ON, behind)[:3].any()
    right, left = shaded((1, 0, 0.1), behind), shaded((-1, 0, 0.1), behind)
    assert right[0] > 0.5 and right[3] > 0.99 and not left[:3].any()


def test_without_lamps_there_is_no_light():
    found = play("surface.shade", inputs={"surface": surface(4)})
    assert np.isfinite(found).all() and not found[..., :3].any()


def applied(colour: float, light: tuple, mask: float = 1.0, **given) -> np.ndarray:
    image = np.ones((*SIZE, 4), np.float32)
    image[..., :3] = colour
    thrown = np.broadcast_to(np.float32(light), (*SIZE, 4)).copy()
    plain = {"ambient": 0.25, "background": 0.5, "background_tint": (1.0, 1.0, 1.0, 1.0)} | given
    inputs = {"image": image, "light": thrown, "mask": np.full((*SIZE, 1), mask, np.float32)}
    return play("surface.apply_light", inputs=inputs, **plain)[3, 3]


def test_light_multiplies_the_picture():
    np.testing.assert_allclose(applied(0.4, (1.0, 0.5, 0.0, 0.0))[:3], 0.4 * np.array([1.25, 0.75, 0.25]), atol=1e-5)


def test_beside_the_mask_the_picture_is_only_dimmed():
    np.testing.assert_allclose(applied(0.4, (3.0, 3.0, 3.0, 0.5), mask=0.0)[:3], 0.2, atol=1e-6)


def test_too_bright_rolls_off_and_keeps_its_hue():
    found = applied(0.8, (4.0, 2.0, 1.0, 0.0))[:3]
    assert 0.9 < found[0] <= 1.0
    np.testing.assert_allclose(found / found[0], np.array([4.25, 2.25, 1.25]) / 4.25, atol=1e-4)


def test_a_highlight_is_weaker_on_the_dark():
    bright, dark = (applied(c, (1.0, 1.0, 1.0, 1.0))[0] - 0.25 * c for c in (0.7, 0.05))
    assert bright > 2.5 * dark > 0.3


def test_strength_zero_is_the_picture():
    image = picture(3)
    thrown = np.random.default_rng(0).random((24, 32, 4)).astype(np.float32)
    found = play("surface.apply_light", inputs={"image": image, "light": thrown}, strength=0.0)
    np.testing.assert_allclose(found, image, atol=1e-5)


def test_alpha_stays():
    image = picture(5)
    found = play("surface.apply_light", inputs={"image": image, "light": np.ones((24, 32, 4), np.float32)})
    np.testing.assert_array_equal(found[..., 3], image[..., 3])
    assert (found[..., :3] <= found[..., 3:] + 1e-5).all()


def test_normals_as_colours():
    image = picture(1, alpha=False)
    shape = flat((0.6, 0.0, 0.8))
    shape[:, 16:, 0] = 0
    found = play("surface.show_normals", inputs={"image": image, "surface": shape})
    np.testing.assert_allclose(found[:, :16], np.broadcast_to([0.8, 0.5, 0.9, 1.0], (24, 16, 4)), atol=1e-5)
    np.testing.assert_allclose(found[:, 16:], image[:, 16:], atol=1e-6)
