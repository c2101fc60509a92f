"""The rasteriser against arithmetic: who owns a pixel, what lies there, how edges fade, what hides what."""

from __future__ import annotations

import numpy as np
import pytest

from spellwire.runtime.perception.topology import neighbours

from .conftest import grid_triangles

WIDTH, HEIGHT = 97, 71
WHOLE = 9.0  # a vertex's fade far inside


def vertices_of(xy: np.ndarray, seed: int = 0, depth: float | np.ndarray = 0.0, fade: float = WHOLE) -> np.ndarray:
    """(n, 9): places, fade, then uv, normals and depth that are affine in x and y."""
    made = np.zeros((len(xy), 9), np.float32)
    made[:, :2], made[:, 2] = xy, fade
    made[:, 3], made[:, 4] = xy[:, 0] / WIDTH, xy[:, 1] / HEIGHT
    made[:, 5:8] = np.float32([0.3, -0.2, 0.9])
    made[:, 8] = depth
    return made


def draw(native, surface: np.ndarray, vertices: np.ndarray, triangles: np.ndarray, item: float = 0.0) -> np.ndarray:
    count = len(triangles)
    beyond, grid, front = neighbours(triangles), np.zeros((count, 6), np.int64), np.zeros(count, np.int32)
    native("rasterise")(
        vertices.ctypes.data, triangles.ctypes.data, beyond.ctypes.data, count, item, grid.ctypes.data, front.ctypes.data,
        surface.ctypes.data, surface.shape[1], surface.shape[0],
    )  # fmt: skip
    return surface


def empty() -> np.ndarray:
    return np.zeros((HEIGHT, WIDTH, 8), np.float32)


def patch(seed: int, columns: int = 7, rows: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """A net of triangles with its inner points thrown about, outline a rectangle off the pixel grid."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0 : rows - 1 : rows * 1j, 0 : columns - 1 : columns * 1j]
    xy = np.stack([8.3 + 12.7 * x, 6.9 + 13.1 * y], -1)
    xy[1:-1, 1:-1] += rng.uniform(-4, 4, (rows - 2, columns - 2, 2))
    return np.ascontiguousarray(xy.reshape(-1, 2)), grid_triangles(columns, rows)


def inside(xy: np.ndarray, triangle: np.ndarray) -> np.ndarray:
    """Barycentric weights of every pixel centre, (height, width, 3)."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH] + 0.5
    a, b, c = xy[triangle].astype(np.float64)
    whole = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
    wb = ((x - a[0]) * (c[1] - a[1]) - (y - a[1]) * (c[0] - a[0])) / whole
    wc = ((b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0])) / whole
    return np.stack([1 - wb - wc, wb, wc], -1)


@pytest.mark.parametrize("seed", range(4))
def test_against_barycentric_arithmetic(native, seed):
    xy, triangles = patch(seed)
    rng = np.random.default_rng(seed)
    vertices = vertices_of(xy)
    vertices[:, 3:9] = rng.uniform(-1, 1, (len(xy), 6))
    vertices[:, 7] += 2.0
    drawn = draw(native, empty(), vertices, triangles)
    checked = 0
    for triangle in triangles:
        weights = inside(xy, triangle)
        sure = (weights > 0.02).all(-1)
        expected = weights[sure] @ vertices[triangle, 3:9].astype(np.float64)
        expected[:, 2:5] /= np.linalg.norm(expected[:, 2:5], axis=1, keepdims=True)
        found = drawn[sure]
        np.testing.assert_allclose(found[:, 1:7], expected, atol=0.03)  # corners move by up to 1/512 pixel
        checked += int(sure.sum())
    assert checked > 3000


@pytest.mark.parametrize("seed", range(4))
def test_no_crack_and_no_pixel_twice(native, seed):
    xy, triangles = patch(seed)
    drawn = draw(native, empty(), vertices_of(xy), triangles)
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH] + 0.5
    core = (x > 9) & (x < 8.3 + 12.7 * 6 - 0.7) & (y > 7.6) & (y < 6.9 + 13.1 * 4 - 0.7)
    assert (drawn[core, 0] == 1.0).all()
    np.testing.assert_allclose(drawn[core, 1], x[core] / WIDTH, atol=2e-4)
    np.testing.assert_allclose(drawn[core, 2], y[core] / HEIGHT, atol=2e-4)
    far = (x < 7.7) | (x > 8.3 + 12.7 * 6 + 0.6)
    assert (drawn[far] == 0).all()


@pytest.mark.parametrize("angle", range(0, 180, 17))
def test_coverage_adds_up_to_the_area(native, angle):
    turn = np.radians(angle)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    xy = np.array([[-20, -14], [20, -14], [-20, 14], [20, 14]]) @ rotation.T + [48.2, 35.7]
    drawn = draw(native, empty(), vertices_of(xy), grid_triangles(2, 2))
    assert drawn[..., 0].sum() == pytest.approx(40 * 28, rel=0.004)
    edge = drawn[(drawn[..., 0] > 0) & (drawn[..., 0] < 1)]
    assert len(edge) > 60  # a ramp all round
    assert np.abs(np.linalg.norm(drawn[drawn[..., 0] > 0, 3:6], axis=1) - 1).max() < 1e-5


@pytest.mark.parametrize("first_near", [True, False])
def test_the_nearer_part_hides_the_farther_in_either_order(native, first_near):
    """One mesh of two sheets, the near one half covering."""
    sheet = np.array([[20.0, 20], [60, 20], [20, 50], [60, 50]])
    near, far = (0, 4) if first_near else (4, 0)
    vertices = vertices_of(np.vstack([sheet, sheet]))
    vertices[near : near + 4, 8], vertices[far : far + 4, 8] = 2.0, 1.0
    vertices[near : near + 4, 3], vertices[far : far + 4, 3] = 1.0, 0.0
    vertices[near : near + 4, 2] = 0.5  # smoothstep(0.5) = 0.5
    triangles = np.vstack([grid_triangles(2, 2), grid_triangles(2, 2) + 4]).astype(np.int32)
    middle = draw(native, empty(), vertices, triangles)[35, 40]
    assert middle[0] == pytest.approx(1.0)
    assert middle[1] == pytest.approx(0.5, abs=1e-5)  # half of the near one over all of the far one
    assert middle[6] == pytest.approx(2.0)


def test_a_later_item_goes_over(native):
    sheet = np.array([[20.0, 20], [60, 20], [20, 50], [60, 50]])
    surface = draw(native, empty(), vertices_of(sheet, depth=5.0), grid_triangles(2, 2), item=0.0)
    surface = draw(native, surface, vertices_of(sheet + 10, depth=1.0), grid_triangles(2, 2), item=1.0)
    assert surface[25, 25, 7] == 0 and surface[45, 50, 7] == 1
    assert surface[45, 50, 6] == pytest.approx(1.0)


def test_what_is_turned_away_is_not_drawn_unless_it_closes_a_crack(native):
    xy = np.array([[20.0, 20], [60, 20], [20, 50], [60, 50]])
    vertices = vertices_of(xy, fade=-1.0)  # as mesh_vertices fades what faces away
    turned = np.ascontiguousarray(grid_triangles(2, 2)[:, ::-1])
    assert not draw(native, empty(), vertices, turned).any()


@pytest.mark.parametrize("shift", [(-40.0, 0.0), (70.0, 0.0), (0.0, -50.0), (0.0, 60.0), (-300.0, 900.0)])
def test_partly_or_wholly_outside(native, shift):
    """The same pixels as on a larger canvas; nothing is written beside the surface."""
    xy, triangles = patch(1)
    guarded = np.full((HEIGHT + 2, WIDTH, 8), 7.0, np.float32)
    guarded[1:-1] = 0
    draw(native, guarded[1:-1], vertices_of(xy + shift), triangles)
    assert (guarded[[0, -1]] == 7.0).all()
    large = np.zeros((HEIGHT + 120, WIDTH + 160, 8), np.float32)
    draw(native, large, vertices_of(xy + shift + [80, 60]), triangles)
    np.testing.assert_allclose(guarded[1:-1, :, 0], large[60:-60, 80:-80, 0], atol=1e-5)


def test_slivers_and_points_do_no_harm(native):
    xy = np.array([[20.0, 20], [20.0, 20], [60, 20.0001], [20, 20]])
    drawn = draw(native, empty(), vertices_of(xy), grid_triangles(2, 2))
    assert np.isfinite(drawn).all() and drawn[..., 0].sum() < 45
