"""The parts that need no model: anchors, suppression, regions, shrinking, filters."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spellwire.runtime.perception.blazeface import FACE, PALM, PERSON, make_anchors, weighted_nms
from spellwire.runtime.perception.blendshapes import BLENDSHAPES, POINTS
from spellwire.runtime.perception.guided import GuidedCoefficients
from spellwire.runtime.perception.one_euro import one_euro
from spellwire.runtime.perception.roi import Cropper, Roi, from_landmarks, overlap, project
from spellwire.runtime.perception.shrink import Shrinker


def test_anchors_are_those_of_the_network():
    anchors = make_anchors()
    assert anchors.shape == (896, 2)
    assert np.allclose(anchors[:2], 0.5 / 16) and np.allclose(anchors[512:518], 0.5 / 8)
    assert anchors.min() > 0 and anchors.max() < 1


@pytest.mark.parametrize(("kind", "count"), [(FACE, 896), (PALM, 2016), (PERSON, 2254)])
def test_each_detector_has_its_networks_anchors(kind, count):
    anchors = make_anchors(kind.side, kind.strides)
    assert anchors.shape == (count, 2) and anchors.min() > 0 and anchors.max() < 1
    assert np.allclose(anchors[:2], kind.strides[0] / 2 / kind.side)


def test_regions_of_palms_and_people():
    """A palm's reaches from the wrist beyond the fingers; a person's is around the hips; both turn with what they hold."""
    palm = np.array([100, 200, 160, 260, 130, 260, 0, 0, 130, 200, *[0] * 8], float)
    region = PALM.region(palm)
    assert (region.x, region.y, region.size, region.angle) == pytest.approx((130, 200, 156, 0))
    palm[4:6], palm[8:10] = (100, 230), (160, 230)  # wrist on the left: it points to the right
    region = PALM.region(palm)
    assert (region.x, region.y, region.angle) == pytest.approx((160, 230, np.pi / 2))
    region = PERSON.region(np.array([0, 0, 0, 0, 300, 400, 300, 250, 0, 0, 0, 0], float))
    assert region == pytest.approx((300, 400, 375, 0))


def test_suppression_blends_by_score_and_keeps_the_best_score():
    boxes = np.array([[0, 0, 10, 10, 5, 5], [2, 0, 12, 10, 7, 5], [50, 50, 60, 60, 55, 55]], np.float32)
    found, scores = weighted_nms(boxes, np.array([0.9, 0.3, 0.6], np.float32))
    assert scores.tolist() == pytest.approx([0.9, 0.6])
    assert np.allclose(found[0], [0.5, 0, 10.5, 10, 5.5, 5])  # (0.9·a + 0.3·b) / 1.2
    assert np.allclose(found[1], boxes[2])


def test_suppression_of_nothing():
    found, scores = weighted_nms(np.empty((0, 16), np.float32), np.empty(0, np.float32))
    assert found.shape == (0, 16) and len(scores) == 0


def test_blendshape_tables():
    assert len(BLENDSHAPES) == len(set(BLENDSHAPES)) == 52
    assert len(POINTS) == 146 and (np.diff(POINTS) > 0).all() and POINTS[-1] == 477


def test_overlap():
    a = Roi(10, 10, 10, 0.3)
    assert overlap(a, a) == pytest.approx(1)
    assert overlap(a, Roi(15, 10, 10, 0)) == pytest.approx(50 / 150)
    assert overlap(a, Roi(30, 10, 10, 0)) == 0


def test_region_of_landmarks_is_level_with_the_eyes():
    points = np.array([[0, 0, 0], [10, 10, 0], [0, 10, 0]], np.float32)
    roi = from_landmarks(points, 0, 1, 1.5)
    assert (roi.x, roi.y, roi.size) == (5, 5, 15)
    assert roi.angle == pytest.approx(np.pi / 4)


@settings(max_examples=25, deadline=None)
@given(x=st.floats(40, 160), y=st.floats(40, 110), size=st.floats(20, 400), angle=st.floats(-3, 3), mirror=st.booleans())
def test_a_crop_shows_what_project_says(x, y, size, angle, mirror):
    """A smooth picture whose brightness is its own coordinates: what the crop holds at a place is where it came from."""
    rows, columns = np.mgrid[0:150, 0:200]
    image = np.zeros((150, 200, 3), np.uint8)
    image[..., 0], image[..., 1] = columns, rows
    view = np.empty((1, 64, 64, 3), np.float32)
    roi = Roi(x, y, size, angle)
    Cropper(view)(image, roi, mirror)
    crops = np.array([[20.0, 30.0, 0], [40, 22, 0], [32, 32, 0]], np.float32)
    at = crops.copy()
    at[:, 0] = 64 - at[:, 0] if mirror else at[:, 0]
    wanted = project(at, roi, 64)[:, :2]
    for crop, place in zip(crops.astype(int), wanted, strict=True):
        if 3 < place[0] < 195 and 3 < place[1] < 145:
            assert np.abs(view[0, crop[1], crop[0], :2] * 255 - place).max() < 1.3


def test_crop_repeats_the_border():
    view = np.empty((1, 32, 32, 3), np.float32)
    Cropper(view)(np.full((4, 4, 3), 200, np.uint8), Roi(-500, 900, 60, 1.0))
    assert np.allclose(view, 200 / 255, atol=1e-3)


@pytest.mark.parametrize("shape", [(720, 1280), (719, 1277), (144, 256), (100, 90), (1, 1), (1, 3000), (4320, 64)])
def test_shrinking_keeps_the_mean_and_the_place(shape):
    image = np.zeros((*shape, 3), np.uint8)
    image[..., 0] = 77
    image[:, : max(1, shape[1] // 2), 1] = 200
    out = np.empty((36, 64, 3), np.uint8)
    Shrinker().into(image, out)
    assert (out[..., 0] == 77).all()
    if shape[1] >= 64:
        edge = 200 * 32
        assert abs(out[18, :, 1].astype(int).sum() - edge) < 200 * 0.75


def test_shrinking_does_not_skip_pixels():
    """Fine stripes become grey, and no moiré."""
    image = np.zeros((512, 1024, 3), np.uint8)
    image[:, ::2] = 255
    out = np.empty((72, 128, 3), np.uint8)
    Shrinker().into(image, out)
    assert np.abs(out.astype(int) - 128).max() <= 2


def smooth(values, size: float, **how) -> np.ndarray:
    last, speed, out = np.array(values[0]), np.zeros_like(values[0]), []
    for value in values:
        points = np.array(value)
        one_euro(points, last, speed, 1 / 30, size, **how)
        out.append(points)
    return np.array(out)


def test_filter_calms_noise_and_follows_motion():
    rng = np.random.default_rng(1)
    how = {"cutoff": 0.5, "beta": 20.0}
    noise = (100 + 0.3 * rng.standard_normal((200, 5, 3))).astype(np.float32)
    calm = smooth(noise, 100.0, **how)[50:]
    assert calm.std(0).mean() < 0.45 * noise.std(0).mean()
    ramp = np.zeros((60, 1, 3), np.float32)
    ramp[:, 0, 0] = np.arange(60) * 5.0  # 1.5 sizes a second
    assert np.abs(smooth(ramp, 100.0, **how) - ramp)[30:].max() < 6.0


def test_filter_does_the_same_to_a_near_and_a_far_face():
    rng = np.random.default_rng(2)
    track = np.cumsum(rng.standard_normal((50, 4, 3)), 0).astype(np.float32)
    near, far = smooth(track * 8, 800.0, cutoff=0.2, beta=40.0), smooth(track, 100.0, cutoff=0.2, beta=40.0)
    assert np.allclose(near, far * 8, rtol=1e-4, atol=1e-3)


def guided_by_hand(guide: np.ndarray, mask: np.ndarray, radius: int, epsilon: float) -> np.ndarray:
    """The definition, window by window, in float64; windows are cut at the border, so only the middle compares."""
    height, width = mask.shape
    fit = np.zeros((height, width, 4))
    for y in range(radius, height - radius):
        for x in range(radius, width - radius):
            part = np.s_[y - radius : y + radius + 1, x - radius : x + radius + 1]
            colours, values = guide[part].reshape(-1, 3).astype(float), mask[part].ravel().astype(float)
            mean = colours.mean(0)
            spread = np.cov(colours.T, bias=True) + epsilon * np.eye(3)
            a = np.linalg.solve(spread, (colours * values[:, None]).mean(0) - mean * values.mean())
            fit[y, x] = *a, values.mean() - a @ mean
    out = np.zeros_like(fit)
    for y in range(2 * radius, height - 2 * radius):
        for x in range(2 * radius, width - 2 * radius):
            out[y, x] = fit[y - radius : y + radius + 1, x - radius : x + radius + 1].mean((0, 1))
    return out


@pytest.mark.parametrize(("radius", "epsilon"), [(1, 1e-2), (2, 1e-3), (3, 1e-4)])
def test_guided_filter_is_the_definition(radius, epsilon):
    rng = np.random.default_rng(3)
    guide = rng.random((24, 30, 3), np.float32)
    mask = (guide.mean(2) > 0.5).astype(np.float32)
    out = np.empty((24, 30, 4), np.float32)
    GuidedCoefficients(24, 30).fit(guide, mask, radius, epsilon, out)
    inner = np.s_[2 * radius : 24 - 2 * radius, 2 * radius : 30 - 2 * radius]
    assert np.abs(out[inner] - guided_by_hand(guide, mask, radius, epsilon)[inner]).max() < 5e-3


def test_guided_filter_on_a_flat_picture_is_the_mask_blurred():
    mask = np.zeros((20, 20), np.float32)
    mask[:, 10:] = 1
    out = np.empty((20, 20, 4), np.float32)
    GuidedCoefficients(20, 20).fit(np.full((20, 20, 3), 0.5, np.float32), mask, 2, 1e-3, out)
    value = out[..., :3].sum(2) * 0.5 + out[..., 3]
    assert np.isfinite(out).all()
    assert np.allclose(value[:, :6], 0, atol=1e-3) and np.allclose(value[:, 14:], 1, atol=1e-3)
