"""Scenes drawn: what covers what, edges, textures, glass, and what a head hides."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest

from spellwire.runtime.native import scene as loops
from spellwire.runtime.scene.draw import LOOPS, SceneDrawer
from spellwire.runtime.scene.values import TextureValue

from .conftest import CAMERA, SIZE, at, square

RED, GREEN = {"colour": (1.0, 0.0, 0.0, 1.0)}, {"colour": (0.0, 1.0, 0.0, 1.0)}


def whole(rasters, which=1):
    """A raster in the frame: (64, 96, channels)."""
    frame = rasters[which]
    made = np.zeros((SIZE[1] + 8, SIZE[0] + 8, frame.channels), np.float32)
    x, y = int(frame.geometry.to_frame[2]) + 4, int(frame.geometry.to_frame[5]) + 4
    if x >= 0 and y >= 0:
        made[y : y + frame.height, x : x + frame.width] = frame.data
    return made[4:-4, 4:-4]


def test_a_square_lies_where_the_camera_sees_it(drawer):
    """Half a metre at one metre: 32 pixels, in the middle."""
    drawn = drawer.draw((at(square(), **RED),), CAMERA, SIZE)
    surface, colour = whole(drawn, 0), whole(drawn, 1)
    assert surface[..., 0].sum() == pytest.approx(32 * 32)
    assert np.array_equal(np.argwhere(surface[..., 0] > 0)[[0, -1]], ((16, 32), (47, 63)))
    np.testing.assert_allclose(surface[30, 40, 3:6], (0, 0, 1), atol=1e-6)
    np.testing.assert_allclose(surface[30, 40, 1:3], ((40.5 - 32) / 32, (30.5 - 16) / 32), atol=1e-5)
    assert surface[30, 40, 6] == pytest.approx(0.0, abs=1e-6), "depth counts from the scene's own distance"
    np.testing.assert_allclose(colour[30, 40], (1, 0, 0, 1), atol=1e-6)
    np.testing.assert_allclose(whole(drawn, 2)[30, 40], (0.5, 0, 1, 1), atol=1e-6)


def test_edges_are_as_opaque_as_they_cover(drawer):
    """Moved by fractions of a pixel, the mean coverage along an edge follows in quarters."""
    for shift in (0.25, 0.5, 0.75):
        drawn = drawer.draw((at(square(), x=shift / 64, **RED),), CAMERA, SIZE)
        row = whole(drawn, 0)[20:44, :, 0].mean(0)
        assert row[32] == pytest.approx(1 - shift, abs=0.01) and row[64] == pytest.approx(shift, abs=0.01)


@pytest.mark.parametrize("order", [1, -1])
def test_what_is_nearer_hides_what_is_farther(drawer, order):
    scene = (at(square(), **RED), at(square(0.25), z=-0.8, **GREEN))[::order]
    colour = whole(drawer.draw(scene, CAMERA, SIZE))
    np.testing.assert_allclose(colour[32, 48, :3], (0, 1, 0), atol=1e-6)
    np.testing.assert_allclose(colour[32, 34, :3], (1, 0, 0), atol=1e-6)
    # and a square that cuts through: each wins on its own side
    tilted = at(square(), **GREEN)
    c, s = np.cos(0.6), np.sin(0.6)
    tilted.matrix[:3, :3] = ((c, 0, s), (0, 1, 0), (-s, 0, c))
    colour = whole(drawer.draw((at(square(), **RED), tilted)[::order], CAMERA, SIZE))
    assert colour[32, 40, 1] > 0.9 and colour[32, 58, 0] > 0.9


def test_backs_are_not_seen_unless_asked_for(drawer):
    away = at(square(), **RED)
    away.matrix[0, 0] = away.matrix[2, 2] = -1
    assert whole(drawer.draw((away,), CAMERA, SIZE), 0)[..., 0].max() == 0
    both = at(square(), double_sided=True, **RED)
    both.matrix[:] = away.matrix
    surface = whole(drawer.draw((both,), CAMERA, SIZE), 0)
    np.testing.assert_allclose(surface[32, 48, 3:6], (0, 0, 1), atol=1e-6)


def test_a_head_hides_softly_what_lies_behind(drawer):
    head = at(square(0.25), z=-0.9, hides=True)
    drawn = whole(drawer.draw((at(square(), **RED), head), CAMERA, SIZE))
    assert drawn[32, 48, 3] == 0 and drawn[32, 34, 3] == 1
    before = whole(drawer.draw((at(square(), z=-0.7, **RED), head), CAMERA, SIZE))
    assert before[32, 48, 3] == 1, "what is before it stays"
    soft = whole(drawer.draw((at(square(), z=-0.9, **RED), head), CAMERA, SIZE, soft=0.1))
    assert soft[32, 48, 3] == pytest.approx(0.5, abs=0.01)
    faint = at(square(0.25), z=-0.9, hides=True)
    faint.mesh.colours[:, 3] = 0.5
    assert whole(drawer.draw((at(square(), **RED), faint), CAMERA, SIZE))[32, 48, 3] == pytest.approx(0.5, abs=1e-5)
    assert whole(drawer.draw((at(square(), **RED),), CAMERA, SIZE))[32, 48, 3] == 1, "heads of the frame before are gone"


def test_what_is_hidden_does_not_come_out_at_edges_of_what_is_before(drawer):
    head, band = at(square(0.6), z=-0.9, hides=True), at(square(0.3), x=0.004, y=0.003, z=-0.8, **GREEN)
    colour = whole(drawer.draw((at(square(0.8), **RED), head, band), CAMERA, SIZE))
    assert colour[18:46, 34:62, 0].max() == 0 and colour[32, 48, 1] == 1
    edge = colour[32, 34:62]
    assert ((edge[:, 3] > 0.1) & (edge[:, 3] < 0.9)).any()


def test_glass_shows_what_is_behind_it(drawer):
    glass = at(square(0.25), z=-0.8, alpha="blend", colour=(0.0, 0.0, 1.0, 0.25))
    drawn = drawer.draw((at(square(), **RED), glass), CAMERA, SIZE)
    colour = whole(drawn)
    np.testing.assert_allclose(colour[32, 48], (0.75, 0, 0.25, 1), atol=1e-5)
    alone = drawer.draw((glass,), CAMERA, SIZE)
    np.testing.assert_allclose(whole(alone)[32, 48], (0, 0, 0.25, 0.25), atol=1e-5)
    assert whole(alone, 2)[32, 48, 3] == 1, "it is there, and mirrors whole"
    # a head behind the glass hides what is behind the head, not the glass
    head = at(square(0.4), z=-0.9, hides=True)
    np.testing.assert_allclose(whole(drawer.draw((at(square(), **RED), head, glass), CAMERA, SIZE))[32, 48], (0, 0, 0.25, 0.25), atol=1e-5)


def test_its_edge_takes_nothing_from_what_stands_beside(drawer):
    """Where glass ends inside a pixel that something else covers, nothing shines through."""
    glass = at(square(0.3), x=0.003, z=-1.1, alpha="blend", colour=(0.0, 0.0, 1.0, 0.25))
    frame = at(square(0.5), z=-1.0, **RED)
    finish = whole(drawer.draw((glass, frame), CAMERA, SIZE), 2)
    assert finish[17:46, 34:62, 3].min() == 1
    over = at(square(0.3), x=0.003, z=-0.9, alpha="blend", colour=(0.0, 0.0, 1.0, 0.25))
    drawn = drawer.draw((over, frame), CAMERA, SIZE)
    np.testing.assert_allclose(whole(drawn)[17:46, 34:62, 3], 1, atol=1e-5)


def checker(size: int, cells: int) -> np.ndarray:
    y, x = np.mgrid[:size, :size] * cells // size
    value = np.where((x + y) % 2, 255, 0).astype(np.uint8)
    return np.dstack([value, value, value, np.full_like(value, 255)])


def test_fine_textures_become_grey_not_noise(drawer):
    """A checker far finer than the pixels: the mean of its light, sRGB's 188, wherever it is moved to."""
    picture = TextureValue(checker(256, 128))
    values = []
    for k in range(4):
        scene = (at(square(), x=k / 260, textures=(("albedo", picture),)),)
        colour = whole(drawer.draw(scene, CAMERA, SIZE))
        values.append(colour[24:40, 42:54, 0])
    assert np.abs(np.array(values) - 188 / 255).max() < 0.02


def test_a_texture_lies_where_it_should(drawer):
    picture = np.zeros((64, 64, 4), np.uint8)
    picture[:32, :32], picture[..., 3] = (255, 0, 0, 255), 255
    colour = whole(drawer.draw((at(square(), textures=(("albedo", TextureValue(picture)),)),), CAMERA, SIZE))
    assert colour[20, 36, 0] == pytest.approx(1) and colour[20, 60, 0] == 0 and colour[44, 36, 0] == 0


def test_a_normal_map_bends_normals_up_and_right(drawer):
    picture = np.full((8, 8, 4), 255, np.uint8)
    picture[...] = (218, 128, 218, 255)  # 45 degrees to the right
    bent = square()
    bent.tangents[:] = (1, 0, 0, 1)
    scene = (at(bent, textures=(("normal", TextureValue(picture)),)),)
    np.testing.assert_allclose(whole(drawer.draw(scene, CAMERA, SIZE), 0)[32, 48, 3:6], (0.707, 0, 0.707), atol=0.02)
    picture[...] = (128, 218, 218, 255)
    scene = (at(bent, textures=(("normal", TextureValue(picture.copy())),)),)
    np.testing.assert_allclose(whole(drawer.draw(scene, CAMERA, SIZE), 0)[32, 48, 3:6], (0, 0.707, 0.707), atol=0.02)


def test_cut_out_leaves_show_what_is_behind(drawer):
    picture = np.full((64, 64, 4), 255, np.uint8)
    picture[:, :32, 3] = 0
    leaf = at(square(), alpha="mask", textures=(("albedo", TextureValue(picture)),), **GREEN)
    colour = whole(drawer.draw((leaf, at(square(0.6), z=-1.2, **RED)), CAMERA, SIZE))
    assert colour[32, 38, 0] == pytest.approx(1) and colour[32, 58, 1] == pytest.approx(1) and colour[32, 58, 0] == 0


def test_what_shines_and_takes_no_light(drawer):
    drawn = drawer.draw((at(square(), unlit=True, **GREEN),), CAMERA, SIZE)
    np.testing.assert_allclose(whole(drawn, 3)[32, 48, :3], (0, 1, 0), atol=1e-6)
    np.testing.assert_allclose(whole(drawn, 1)[32, 48], (0, 0, 0, 1), atol=1e-6)
    assert whole(drawn, 2)[32, 48, 2] == 0


@pytest.mark.parametrize("what", ["nothing", "behind", "beside", "nan"])
def test_nothing_to_see_is_a_raster_of_nothing(drawer, what):
    there = {"nothing": (), "behind": (at(square(), z=1.0),), "beside": (at(square(), x=5.0),), "nan": (at(square()),)}[what]
    if what == "nan":
        there[0].matrix[0, 3] = np.nan
    for raster in drawer.draw(there, CAMERA, SIZE):
        assert raster.data.max() == 0 and np.isfinite(raster.data).all()


def test_what_reaches_the_camera_is_left_out_not_torn(drawer):
    floor = at(square(4.0), z=0.0, double_sided=True, **RED)
    floor.matrix[:3, :3] = ((1, 0, 0), (0, 0, -1), (0, 1, 0))
    floor.matrix[1, 3] = -0.2
    for raster in drawer.draw((floor, at(square(), **GREEN)), CAMERA, SIZE):
        assert np.isfinite(raster.data).all()


def test_the_same_bytes_again_and_after_another_scene(drawer, native):
    rng = np.random.default_rng(3)
    scene = tuple(at(square(float(w)), float(x), float(y), float(z), roughness=0.3, metallic=0.2) for w, x, y, z in zip(
        rng.uniform(0.05, 0.4, 30), rng.uniform(-0.5, 0.5, 30), rng.uniform(-0.4, 0.4, 30), rng.uniform(-2, -0.6, 30), strict=True))  # fmt: skip
    first = [r.data.copy() for r in drawer.draw(scene, CAMERA, SIZE)]
    drawer.draw((at(square(2.0), alpha="blend"), at(square(0.5), z=-0.5, hides=True)), CAMERA, SIZE)
    for again in (drawer.draw(scene, CAMERA, SIZE), SceneDrawer(native).draw(scene, CAMERA, SIZE)):
        for a, b in zip(first, again, strict=True):
            np.testing.assert_array_equal(a, b.data)


def test_a_steady_scene_allocates_nothing_of_a_frames_size(drawer):
    import tracemalloc

    scene = (at(square(1.0), **RED), at(square(0.3), z=-0.9, hides=True))
    big = (1280, 720)
    camera = (700.0, 700.0, 640.0, 360.0)
    for _ in range(2):
        drawer.soften(drawer.draw(scene, camera, big), 12.0, 20.0)
    tracemalloc.start()
    for _ in range(3):
        drawer.soften(drawer.draw(scene, camera, big), 12.0, 20.0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 900_000


def test_a_head_loses_light_near_what_it_wears_and_what_shines_has_a_halo(drawer):
    head = at(square(0.9), z=-1.0, hides=True)
    band = at(square(0.9, 0.2), y=0.2, z=-0.99, emission=(1.0, 0.5, 0.0))
    glass = at(square(0.9, 0.2), y=-0.3, z=-0.99, alpha="blend", colour=(0, 0, 0, 0.3))
    shadow, halo = drawer.soften(drawer.draw((head, band, glass), CAMERA, SIZE), 6.0, 8.0)
    across, _, _, _, down, top = shadow.geometry.to_frame
    rows = shadow.data[:, shadow.width // 2, 0]
    below = [rows[min(int((y - top) / down), len(rows) - 1)] for y in (27, 32, 38, 46)]
    assert below[0] > 0.15 and below[0] > below[1] > below[2] and below[3] < 0.05, "under the band, fading; none under glass"
    assert shadow.data[0].max() == shadow.data[:, -1].max() == 0, "outside there is none"
    assert halo.data[..., 0].max() > 0.2 and halo.data[..., 2].max() == 0 and halo.data[..., 3].max() == 0
    assert halo.data[0].max() < 0.02 and halo.geometry.to_frame[5] < top
    plain, none = drawer.soften(drawer.draw((band,), CAMERA, SIZE), 6.0, 0.0)
    assert plain.data.max() == 0 and none.data.max() == 0


def test_the_loops_run_uncompiled_too(drawer):
    """The same pixels from Python itself, on a small piece."""
    scene = (at(square(0.08), **RED), at(square(0.05), z=-0.95, x=0.01, alpha="blend", colour=(0, 0, 1, 0.5)))
    expected = [r.data.copy() for r in drawer.draw(scene, CAMERA, SIZE)]
    slow = SceneDrawer(lambda name: _plain(getattr(loops, name)))
    with np.errstate(all="ignore"):
        found = slow.draw(scene, CAMERA, SIZE)
    for a, b in zip(expected, found, strict=True):
        np.testing.assert_allclose(a, b.data, atol=2e-5)


def _plain(loop):
    """A loop that takes addresses, as the engine calls it, out of one that takes arrays."""
    from spellwire.runtime.native.loops import LOOPS as ALL

    kinds = {"f32*": np.float32, "i32*": np.int32, "i64*": np.int64, "u8*": np.uint8}

    def call(*given):
        arguments = []
        for (_, kind), value in zip(ALL[loop.__name__].arguments, given, strict=True):
            if kind in kinds:
                dtype = np.dtype(kinds[kind])
                size = 1 << 16
                raw = (ctypes.c_char * (size * dtype.itemsize)).from_address(value)
                arguments.append(np.frombuffer(raw, dtype))
            else:
                arguments.append(int(value))
        return loop(*arguments)

    return call


def test_all_loops_are_named():
    assert set(LOOPS) == set(loops.__all__)
