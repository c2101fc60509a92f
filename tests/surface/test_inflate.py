"""Masks blown up: shapes whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from spellwire.nodes.surface import MaskSurface
from spellwire.runtime.frames import Frame, Geometry, Tick


def inflate(native, mask: np.ndarray, reach: float = 100.0) -> np.ndarray:
    height, width = mask.shape
    mask = np.ascontiguousarray(mask, np.float32)
    surface = np.full((height, width, 8), np.nan, np.float32)
    work = np.full(4 * width * height + 64, np.nan, np.float32)
    native("inflate")(
        mask.ctypes.data, width, height, 1 / height, reach, surface.ctypes.data, work.ctypes.data
    )
    return surface


def disc(height: int, width: int, radius: float) -> np.ndarray:
    y, x = (np.mgrid[0:height, 0:width] + 0.5 - np.array([height, width]).reshape(2, 1, 1) / 2) / height
    return np.clip((radius - np.hypot(x, y)) * height + 0.5, 0, 1)


def test_a_disc_becomes_a_half_ball(native):
    size, radius = 96, 0.3
    found = inflate(native, disc(size, size, radius))
    y, x = (np.mgrid[0:size, 0:size] + 0.5) / size - 0.5
    core = np.hypot(x, y) < 0.8 * radius
    ball = np.sqrt(np.maximum(radius**2 - x**2 - y**2, 0))
    np.testing.assert_allclose(found[core, 6], ball[core], atol=0.03)
    normal = np.stack([x, -y, ball], -1) / radius
    assert (found[core, 3:6] * normal[core]).sum(-1).min() > 0.985  # within ten degrees
    np.testing.assert_allclose(np.linalg.norm(found[..., 3:6], axis=-1), 1, atol=1e-5)


def test_wide_parts_level_off_at_twice_the_reach(native):
    found = inflate(native, np.ones((60, 80)), reach=0.1)
    np.testing.assert_allclose(found[..., 6], 0.2, rtol=0.05)
    np.testing.assert_allclose(found[..., 5], 1.0, atol=1e-3)  # the frame's edge is no edge of the body


def test_a_mask_in_the_mirror_gives_a_mirrored_body(native):
    mask = disc(64, 64, 0.2)
    mask[:, :20] *= 0.5
    mask[40:, 30:] = 1
    there, back = inflate(native, mask), inflate(native, mask[:, ::-1])[:, ::-1]
    there[..., 3] *= -1  # nx
    assert np.abs(there[..., 3:6] - back[..., 3:6]).mean() < 0.02


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (2, 3), (13, 12), (37, 91)])
def test_any_size_is_finite(native, shape):
    for mask in (np.zeros(shape), np.ones(shape), np.random.default_rng(3).uniform(size=shape)):
        assert np.isfinite(inflate(native, mask)).all()


def node_surface(context, mask: np.ndarray, **given) -> Frame:
    node = MaskSurface()
    node.open(context)
    return node.process(Frame.of(mask), **{"reach": 0.125, "rows": 96, "tick": Tick(height=mask.shape[0])} | given)


def test_the_node_covers_the_frame_of_its_mask(context):
    mask = (disc(360, 640, 0.4) * 255).astype(np.uint8)
    found = node_surface(context, mask)
    assert (found.height, found.width) == (96, 171)
    x, y = found.geometry.to_frame[0] * found.width, found.geometry.to_frame[4] * found.height
    assert (x, y) == pytest.approx((640, 360))
    assert found.data[48, 85, 0] == pytest.approx(1.0)
    assert found.data[..., 0].max() <= 1.0


def test_bytes_and_floats_give_the_same_body(context):
    mask = (disc(90, 160, 0.4) * 255).astype(np.uint8)
    by_bytes = node_surface(context, mask).data
    by_floats = node_surface(context, (mask / 255).astype(np.float32)).data
    np.testing.assert_allclose(by_bytes, by_floats, atol=0.01)


def test_a_crop_of_a_mask_stays_in_place(context):
    node = MaskSurface()
    node.open(context)
    crop = Frame(np.ones((50, 80, 1), np.float32), Geometry(80, 50, (2.0, 0.0, 30.0, 0.0, 2.0, 20.0)))
    found = node.process(crop, reach=0.125, rows=25, tick=Tick(height=200))
    assert found.geometry == Geometry(40, 25, (4.0, 0.0, 30.0, 0.0, 4.0, 20.0))


def test_a_frame_allocates_no_picture(context):
    node = MaskSurface()
    node.open(context)
    mask, tick = Frame.of(np.ones((90, 160), np.uint8)), Tick(height=90)
    first = node.process(mask, reach=0.1, rows=45, tick=tick)
    assert node.process(mask, reach=0.2, rows=45, tick=tick).data is first.data
