"""Lamps as values, and their shading as numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from one_node import play

from spellwire.nodes.light import DIRECTIONAL, POINT, RIM, DirectionalLight, PointLight, RimLight

WHITE = (1.0, 1.0, 1.0, 1.0)


@pytest.mark.parametrize(
    ("azimuth", "elevation", "towards"),
    [(0, 0, (0, 0, 1)), (90, 0, (1, 0, 0)), (-90, 0, (-1, 0, 0)), (0, 90, (0, 1, 0)), (180, 0, (0, 0, -1))],
)
def test_directional(azimuth: float, elevation: float, towards: tuple[float, ...]) -> None:
    kind, *rest = DirectionalLight().process(azimuth, elevation, (0.1, 0.2, 0.3, 1.0), 2.0)
    assert kind == DIRECTIONAL and rest[3:] == [0.1, 0.2, 0.3, 2.0, 1.0]
    assert np.abs(np.array(rest[:3]) - towards).max() < 1e-12


def test_point_and_rim() -> None:
    assert PointLight().process((1.0, 2.0, 3.0), WHITE, 0.5, 0.7) == (POINT, 1.0, 2.0, 3.0, 1.0, 1.0, 1.0, 0.5, 0.7)
    kind, x, y, z, *rest = RimLight().process(90.0, WHITE, 1.0)
    assert kind == RIM and abs(x - 1) < 1e-12 and abs(y) < 1e-12 and z < 0 and rest == [1.0] * 5


def ball(size: int = 41) -> np.ndarray:
    """A Surface: a ball in the middle, as high as the frame."""
    y, x = (np.mgrid[:size, :size] + 0.5) / size * 2 - 1
    inside = x**2 + y**2 < 0.98
    z = np.sqrt(np.maximum(1 - x**2 - y**2, 0))
    parts = [inside, x * 0, y * 0, x, -y, z, 0.5 * z, x * 0]
    return np.stack([np.where(inside, p, 0.0) for p in parts], axis=-1)


def shade(lamp: tuple[float, ...], **params) -> np.ndarray:
    return play("surface.shade", inputs={"surface": ball(), "key": lamp}, **params)


def test_a_lamp_lights_the_side_it_shines_from() -> None:
    for azimuth, row, column in ((90, 20, 35), (-90, 20, 5)):
        lit = shade(DirectionalLight().process(azimuth, 0.0, WHITE, 1.0), wrap=0.0, shine=0.0)[..., 0]
        assert lit[row, column] > 0.6
        assert lit[row, 40 - column] < 1e-6
    above = shade(DirectionalLight().process(0.0, 60.0, WHITE, 1.0), wrap=0.0, shine=0.0)[..., 0]
    assert above[6, 20] > above[34, 20]


def test_lambert_as_a_formula() -> None:
    lit = shade(DirectionalLight().process(35.0, 20.0, (1.0, 0.5, 0.0, 1.0), 0.8), wrap=0.25, shine=0.0)
    a, e = math.radians(35), math.radians(20)
    towards = np.array([math.sin(a) * math.cos(e), math.sin(e), math.cos(a) * math.cos(e)])
    inside = ball()[..., 0] > 0
    wanted = np.clip((ball()[..., 3:6] @ towards + 0.25) / 1.25, 0, 1)[..., None] * np.array([1, 0.5, 0]) * 0.8
    assert np.abs(lit[..., :3] - wanted)[inside].max() < 1e-5


def test_a_point_lamp_falls_off_to_half_at_its_reach() -> None:
    near, far = (shade(PointLight().process((0.0, 0.0, 0.5 + d), WHITE, 1.0, 0.4), wrap=0.0, shine=0.0) for d in (0.02, 0.4))
    assert abs(near[20, 20, 0] - 1) < 0.02 and abs(far[20, 20, 0] - 0.5) < 0.02


def test_the_highlight_is_where_the_half_vector_is_and_tighter_when_smooth() -> None:
    lamp = DirectionalLight().process(40.0, 0.0, WHITE, 1.0)
    spread = []
    for roughness in (0.3, 0.7):
        gloss = shade(lamp, wrap=0.0, shine=4.0, roughness=roughness) - shade(lamp, wrap=0.0, shine=0.0)
        gloss = gloss[..., 0]
        top = np.unravel_index(gloss.argmax(), gloss.shape)
        assert abs(top[0] - 20) <= 1 and abs(top[1] - (20 + 20.5 * math.sin(math.radians(20)))) <= 2
        spread.append((gloss > gloss.max() / 2).sum())
    assert spread[0] < spread[1]


def test_a_lamp_switched_off_adds_nothing() -> None:
    lamp = PointLight().process((0.3, 0.2, 0.5), WHITE, 0.0, 1.0)
    assert np.abs(shade(lamp)[..., :3]).max() == 0


def test_a_rim_lamp_draws_the_edge_on_its_side_alone() -> None:
    lit = shade(RimLight().process(90.0, WHITE, 1.0))[..., 0]
    assert lit[20, 39] > 0.1
    assert lit[20, 20] == 0 and lit[20, 1] == 0
