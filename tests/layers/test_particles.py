"""Particles: as many as were asked for, where they should be, moved as physics says, the same every time."""

from __future__ import annotations

import numpy as np
import pytest
from driven import Driven

from spellwire.nodes.particles import Emit
from spellwire.runtime.frames import Frame
from spellwire.runtime.native import particles as loops
from spellwire.runtime.particles import MOST, Pool, chance
from spellwire.runtime.values import Each, Event, Items

CALM = {"turbulence": 0.0, "gravity": (0.0, 0.0), "drag": 0.0, "variety": 0.0, "spread": 0.0}


@pytest.fixture
def emit(context):
    def opened(**given) -> Driven:
        driven = Driven(Emit, **({"points": (), "mask": None} | given))
        driven.node.open(context)
        return driven

    return opened


def alive(driven: Driven) -> np.ndarray:
    pool: Pool = driven.state.pool
    return pool.rows[pool.alive(MOST)]


def play(driven: Driven, seconds: float, **now) -> Frame:
    for n in range(round(seconds * 30) + 1):
        frame = driven(n / 30, **now)
    return frame


def test_as_many_as_asked_for(emit) -> None:
    driven = emit(rate=100.0, life=0.5, variety=0.0)
    play(driven, 0.4)
    assert abs(len(alive(driven)) - 40) <= 1
    play(emit_on := emit(rate=100.0, life=0.5, variety=0.0), 2.0)
    assert abs(len(alive(emit_on)) - 50) <= 2
    few = emit(rate=1000.0, life=5.0, max_particles=30)
    play(few, 1.0)
    assert len(alive(few)) == 30


def test_they_move_as_physics_says(emit) -> None:
    """Constant speed; free fall; and with drag the wind's own speed."""
    driven = emit(rate=0.0, life=9.0, direction=0.0, speed=0.5, burst_count=1, **CALM)
    driven(0.0, burst=[0.0])
    start = alive(driven)[0, :2].copy()
    play(driven, 0.5)
    np.testing.assert_allclose(alive(driven)[0, :2] - start, (0.25, 0), atol=1e-5)
    falling = emit(rate=0.0, life=9.0, speed=0.0, burst_count=1, **(CALM | {"gravity": (0.0, 1.0)}))
    falling(0.0, burst=[0.0])
    play(falling, 0.5)
    assert alive(falling)[0, 1] - 0.5 == pytest.approx(0.125, rel=0.1)
    blown = emit(rate=0.0, life=9.0, speed=0.0, burst_count=1, wind=(0.2, 0.0), **(CALM | {"drag": 20.0}))
    blown(0.0, burst=[0.0])
    play(blown, 1.0)
    assert alive(blown)[0, 2] == pytest.approx(0.2, rel=0.01)


def test_turbulence_swirls_and_does_not_gather(native) -> None:
    """The field's divergence is small beside its curl, as it is a curl itself."""
    y, x = np.mgrid[0:1:40j, 0:1:40j]
    rows = np.zeros((1600, 12), np.float32)
    rows[:, 0], rows[:, 1], rows[:, 5] = x.ravel(), y.ravel(), 9
    forces = np.array([0, 0, 0, 1, 4, 2.5, 0, 0], np.float32)
    native("move_particles")(rows.ctypes.data, 1600, forces.ctypes.data, 1.0)
    v = rows[:, 2:4].reshape(40, 40, 2)
    divergence = np.gradient(v[..., 0], axis=1) + np.gradient(v[..., 1], axis=0)
    curl = np.gradient(v[..., 1], axis=1) - np.gradient(v[..., 0], axis=0)
    assert np.abs(v).mean() > 0.1 and np.abs(divergence).mean() < 0.25 * np.abs(curl).mean()


def test_the_loop_is_its_python(native) -> None:
    rng = np.random.default_rng(1)
    rows = rng.random((20, 12)).astype(np.float32)
    rows[:, 5] *= 3
    forces = np.array([0.1, 0.5, 0.4, 0.6, 5, 1.2, 0.1, 0], np.float32)
    other = rows.copy()
    native("move_particles")(rows.ctypes.data, 20, forces.ctypes.data, 0.03)
    loops.move_particles(other.ravel(), 20, forces, np.float32(0.03))
    np.testing.assert_allclose(rows, other, atol=1e-5)


def test_born_from_points_of_several_hands_with_their_motion(emit) -> None:
    driven = emit(rate=300.0, life=5.0, speed=0.0, follow=1.0, size=0.005, **CALM)
    for n in range(16):
        left = np.array([(40 + 2 * n, 60, 0)], np.float32)
        right = np.array([(200, 120, 0), (np.nan, 0, 0)], np.float32)
        driven(n / 30, points=Each((4, 9), (left, right)))
    rows = alive(driven)
    moving = rows[rows[:, 0] < 0.9]
    assert 40 < len(moving) < len(rows) - 40
    np.testing.assert_allclose(moving[:, 2], 2 * 30 / 180, atol=1e-3)
    still = rows[rows[:, 0] > 0.9]
    np.testing.assert_allclose(still[:, :4], np.broadcast_to((200 / 180, 120 / 180, 0, 0), still[:, :4].shape), atol=1e-4)


def test_nobody_there_bears_nothing(emit) -> None:
    driven = emit(rate=300.0, points=Items(()))
    assert not play(driven, 0.5).data.any() and not len(alive(driven))


def test_born_where_a_mask_covers(emit) -> None:
    mask = np.zeros((180, 320, 1), np.float32)
    mask[100:140, 40:60] = 1
    driven = emit(rate=500.0, life=9.0, speed=0.0, mask=Frame.of(mask), **CALM)
    play(driven, 0.5)
    x, y = alive(driven)[:, :2].T * 180
    assert len(x) > 200 and x.min() > 36 and x.max() < 64 and y.min() > 96 and y.max() < 144
    assert x.std() > 4 and y.std() > 9


def test_an_event_bursts_at_its_place(emit) -> None:
    driven = emit(rate=0.0, burst_count=50, speed=0.0, **CALM)
    driven(0.0)
    driven(0.1, burst=[Event("touch", 100_000, x=0.25, y=-0.125)])
    np.testing.assert_allclose(alive(driven)[:, :2], np.broadcast_to((320 / 360 + 0.25, 0.375), (50, 2)), atol=1e-5)
    driven(0.2, burst=[])
    assert len(alive(driven)) == 50


def test_the_same_every_time_and_another_with_another_seed(emit) -> None:
    one, two, other = (play(emit(rate=200.0, seed=s), 1.0) for s in (3, 3, 4))
    assert np.array_equal(one.data, two.data) and one.geometry == two.geometry
    assert one.data.shape != other.data.shape or not np.array_equal(one.data, other.data)
    rolls = chance(3, 10, 500)
    assert np.array_equal(rolls[5:], chance(3, 15, 495)) and rolls.min() >= 0 and rolls.max() < 1
    assert abs(rolls.mean() - 0.5) < 0.01 and np.abs(np.corrcoef(rolls.T) - np.eye(16)).max() < 0.2


def test_prewarmed_it_begins_in_the_middle(emit) -> None:
    driven = emit(rate=100.0, life=1.0, variety=0.0, prewarm=2.0)
    assert driven(0.0).data.any() and abs(len(alive(driven)) - 100) <= 2


@pytest.mark.parametrize("shape", ["soft", "star"])
def test_light_adds_and_paint_covers(emit, shape) -> None:
    light, paint = (play(emit(rate=200.0, glow=g, shape=shape, size=0.04), 0.5).data for g in (1.0, 0.0))
    assert light[..., 3].max() == 0 and light[..., 0].max() > 0.5
    assert 0.5 < paint[..., 3].max() <= 1.0001 and (paint[..., :3] <= paint[..., 3:] + 1e-5).all()
    assert not light[0].any() and not light[:, -1].any()  # a margin that is empty


def test_odd_parameters_stay_finite(emit) -> None:
    ends = {p.name: (p.low, p.high) for p in Emit.declaration.params if p.low is not None and p.type.name == "Number"}
    for which in (0, 1):
        given = {n: float(v[which]) for n, v in ends.items()} | {"prewarm": 0.3}
        frame = play(emit(gravity=(4.0, -4.0), **given), 0.5)
        assert np.isfinite(frame.data).all()


def test_a_gap_is_cut_and_a_lower_limit_holds(emit) -> None:
    driven = emit(rate=100.0, life=3.0)
    play(driven, 0.5)
    driven(60.0)
    assert len(alive(driven)) < 90
    play(driven, 0.2, max_particles=5)
    pool: Pool = driven.state.pool
    assert len(pool.alive(5)) == 5
