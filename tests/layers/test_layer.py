"""Triangles and sprites on a layer: against OpenCV's and NumPy's own ways to lay a picture somewhere."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from spellwire.runtime.frames import Tick
from spellwire.runtime.layers import Layer, around
from spellwire.runtime.native import layer as loops
from spellwire.runtime.shapes import SHAPES, shape_texture
from spellwire.runtime.textures import Texture

WIDTH, HEIGHT = 90, 70
WHITE = np.ones(4, np.float32)


def picture(width: int = 40, height: int = 30, seed: int = 0) -> np.ndarray:
    """A smooth premultiplied picture, transparent near its edge."""
    rng = np.random.default_rng(seed)
    rgba = cv2.GaussianBlur(rng.random((height, width, 4)).astype(np.float32), (0, 0), 2) * 1.6 - 0.3
    rgba = np.clip(rgba, 0, 1)
    rgba[..., 3] = np.clip(0.4 + rgba[..., 3], 0, 1)
    rgba *= cv2.copyMakeBorder(np.ones((height - 6, width - 6, 1), np.float32), 3, 3, 3, 3, cv2.BORDER_CONSTANT)[..., None]
    rgba[..., :3] *= rgba[..., 3:]
    return rgba


def quad(corners, q=(1, 1, 1, 1), opacity=1.0) -> np.ndarray:
    uv = ((0, 0), (1, 0), (1, 1), (0, 1))
    return np.array([(*c, w, *t, opacity) for c, w, t in zip(corners, q, uv, strict=True)], np.float32)


FACES = np.array([[0, 1, 2], [0, 2, 3]], np.int32)


def draw(native, vertices, texture, lod=0.0, tint=WHITE, under=None) -> np.ndarray:
    shown = np.zeros((HEIGHT, WIDTH, 4), np.float32) if under is None else under.copy()
    native("draw_triangles")(
        vertices.ctypes.data, FACES.ctypes.data, 2, texture.texels.ctypes.data, texture.levels.ctypes.data, texture.count,
        lod, tint.ctypes.data, shown.ctypes.data, WIDTH, HEIGHT,
    )  # fmt: skip
    return shown


def projected(corners) -> tuple[np.ndarray, np.ndarray]:
    """OpenCV's picture of a texture on four corners, and 1/depth at each corner."""
    source = picture()
    height, width = source.shape[:2]
    ends = np.float32([(0, 0), (width, 0), (width, height), (0, height)])
    matrix = cv2.getPerspectiveTransform(ends, np.float32(corners))
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    centres = np.linalg.inv(half) @ matrix @ half
    shown = cv2.warpPerspective(source, centres, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    return shown, 1.0 / (np.concatenate([ends, np.ones((4, 1))], 1) @ matrix[2])


@pytest.mark.parametrize(
    "corners",
    [
        ((10.3, 8.1), (74.2, 8.1), (74.2, 60.9), (10.3, 60.9)),
        ((12.0, 20.5), (70.7, 5.2), (80.1, 50.3), (20.4, 64.8)),
        ((20.0, 15.0), (70.0, 25.0), (75.0, 45.0), (15.0, 60.0)),
        ((74.2, 8.1), (10.3, 8.1), (10.3, 60.9), (74.2, 60.9)),
    ],
    ids=["straight", "turned", "perspective", "mirrored"],
)
def test_a_picture_on_four_corners(native, corners) -> None:
    wanted, q = projected(corners)
    shown = draw(native, quad(corners, q), Texture.of(picture()))
    assert np.abs(shown - wanted).max() < 0.02  # OpenCV's own places are of 1/32 pixel
    assert np.abs(shown - wanted).mean() < 1e-3


def test_over_what_is_there_with_a_tint(native) -> None:
    corners = ((10, 8), (74, 8), (74, 60), (10, 60))
    under = np.tile(np.float32([0.3, 0.2, 0.1, 0.5]), (HEIGHT, WIDTH, 1))
    plain = draw(native, quad(corners), Texture.of(picture()))
    tint = np.float32([0.5, 1.0, 0.25, 0.0])
    light = draw(native, quad(corners, opacity=0.5), Texture.of(picture()), tint=tint, under=under)
    np.testing.assert_allclose(light, under + plain * tint * 0.5, atol=1e-5)
    whole = draw(native, quad(corners), Texture.of(picture()), under=under)
    np.testing.assert_allclose(whole, plain + under * (1 - plain[..., 3:]), atol=1e-5)


def test_two_triangles_meet_without_a_seam(native) -> None:
    even = Texture.of(np.full((128, 128, 4), 0.5, np.float32))
    shown = draw(native, quad(((12.3, 9.7), (71.2, 14.1), (66.6, 59.2), (17.9, 55.0))), even)
    inside = shown[..., 3] > 0.49
    assert inside.sum() > 2000 and shown.max() < 0.501  # nothing twice
    assert cv2.connectedComponents((~inside).astype(np.uint8))[0] == 2  # and no hole


def test_shrunk_it_keeps_its_mean_and_does_not_shimmer(native) -> None:
    """A fine checkerboard at an eighth of its size is grey wherever it lies."""
    y, x = np.mgrid[:256, :256]
    board = Texture.of(np.repeat(((x + y) % 2).astype(np.float32)[..., None], 4, -1))
    lod = board.lod(32 * 32)
    assert lod == pytest.approx(3.0)
    for shift in (0.0, 0.37):
        a, b = 20 + shift, 52 + shift
        shown = draw(native, quad(((a, a), (b, a), (b, b), (a, b))), board, lod)
        assert np.abs(shown[25:48, 25:48] - 0.5).max() < 0.01
    assert Texture.of(picture()).lod(1e9) == 0.0


def sprite(native, rows, soft=1.0, texture=None) -> np.ndarray:
    rows = np.array(rows, np.float32)
    shown = np.zeros((HEIGHT, WIDTH, 4), np.float32)
    texels, levels = (texture.texels, texture.levels) if texture else (rows, rows)
    native("draw_sprites")(
        rows.ctypes.data, len(rows), soft, texels.ctypes.data, levels.ctypes.data, texture.count if texture else 0,
        shown.ctypes.data, WIDTH, HEIGHT,
    )  # fmt: skip
    return shown


@pytest.mark.parametrize("radius", [0.2, 1.0, 5.3, 20.0])
@pytest.mark.parametrize("soft", [0.0, 1.0])
def test_spots_have_their_size_wherever_they_lie(native, radius, soft) -> None:
    """A disc's area, and the same light at any place between pixels."""
    sums = [
        float(sprite(native, [(x, y, radius, 1, 0, 0.5, 0.5, 0.5, 0.5, 0)], soft)[..., 0].sum())
        for x, y in ((40.5, 30.5), (40.2, 30.9), (40.0, 31.0))
    ]
    assert max(sums) < 1.25 * min(sums) if radius < 2 else max(sums) < 1.03 * min(sums)
    if soft == 0.0 and radius > 2:
        assert sums[0] == pytest.approx(0.5 * np.pi * radius**2, rel=0.03)


def test_a_turned_sprite_is_the_picture_turned(native) -> None:
    source = picture(32, 32)
    angle, radius = np.radians(30), 14.0
    matrix = cv2.getRotationMatrix2D((15.5, 15.5), -30, 2 * radius / 32)
    matrix[:, 2] += np.array((44.7, 33.1)) - 0.5 - 15.5
    wanted = cv2.warpAffine(source, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR)
    row = (44.7, 33.1, radius, np.cos(angle), np.sin(angle), 1, 1, 1, 1, 0)
    assert np.abs(sprite(native, [row], texture=Texture.of(source)) - wanted).max() < 0.03


@pytest.mark.parametrize("what", ["triangles", "sprites"])
def test_the_loops_are_their_python(native, what) -> None:
    texture, tint = Texture.of(picture(12, 9)), np.float32([1, 0.5, 0.7, 0.9])
    shown = np.zeros((24, 30, 4), np.float32)
    with np.errstate(all="ignore"):
        if what == "triangles":
            vertices = quad(((3.3, 2.1), (25.2, 5.1), (22.2, 20.9), (-4.3, 18.9)), (1, 0.8, 0.7, 1))
            args = (vertices, FACES, 2, texture.texels, texture.levels, texture.count, 0.4, tint)
            loops.draw_triangles(*(_flat(a) for a in args), shown.ravel(), 30, 24)
        else:
            rows = np.float32([(8, 9, 5, 0.8, 0.6, 1, 0.5, 0.2, 0.7, 0.3), (20, 30, 9, 1, 0, 1, 1, 1, 0, 9)])
            args = (rows, 2, 1.0, texture.texels, texture.levels, texture.count)
            loops.draw_sprites(*(_flat(a) for a in args), shown.ravel(), 30, 24)
    made = np.zeros_like(shown)
    given = [a.ctypes.data if isinstance(a, np.ndarray) else a for a in args]
    native(f"draw_{what}")(*given, made.ctypes.data, 30, 24)
    assert shown.max() > 0.2
    np.testing.assert_allclose(made, shown, atol=2e-5)


def _flat(value):
    return value.ravel() if isinstance(value, np.ndarray) else np.float32(value) if isinstance(value, float) else value


def test_a_layer_lies_on_the_pixels_of_the_frame() -> None:
    layer, tick = Layer(5000), Tick(width=640, height=360)
    frame, scale = layer.place((100.3, 50.2, 140.0, 81.0), tick)
    assert scale == 1 and frame.geometry.to_frame == (1, 0, 98, 0, 1, 48)
    assert frame.data.shape == (35, 44, 4)
    frame.data[:] = 1
    wide, scale = layer.place((-50.0, -50.0, 900.0, 400.0), tick)
    assert scale > 1 and wide.width * wide.height <= 5000 and not wide.data.any()
    a, _, c, _, e, f = wide.geometry.to_frame
    assert c < 0 and c + a * wide.width > 640 and f < 0 and f + e * wide.height > 360


def test_a_layer_of_nothing_covers_the_frame_with_nothing() -> None:
    layer, tick = Layer(100), Tick(width=640, height=360)
    for box in (None, (700.0, 0.0, 800.0, 10.0), (5.0, 5.0, 5.0, 9.0), (np.nan, 0.0, 1.0, 1.0)):
        frame, _ = layer.place(box, tick)
        assert frame.data.shape == (1, 1, 4) and not frame.data.any()
    assert around([]) is None and around([(0, 1, 2, 3), (-1, 2, 1, 9)]) == (-1, 1, 2, 9)


def test_a_layers_scale_holds_still() -> None:
    layer, tick = Layer(10_000), Tick(width=640, height=360)
    scales, scale = [], 0
    for wide in (80, 101, 99, 101, 99, 60):
        _, scale = layer.place((0.0, 0.0, float(wide), float(wide)), tick, before=scale)
        scales.append(scale)
    assert scales == [1, 2, 2, 2, 2, 1]


@pytest.mark.parametrize("name", SHAPES)
def test_shapes_fill_their_square_and_stay_in_it(name) -> None:
    alpha = shape_texture(name).picture[..., 3] / 65535
    assert alpha.max() > 0.95 and alpha[[0, -1]].max() < 0.35 and alpha[:, [0, -1]].max() < 0.35
    rows, columns = np.nonzero(alpha > 0.1)
    assert max(np.ptp(rows), np.ptp(columns)) > 60
