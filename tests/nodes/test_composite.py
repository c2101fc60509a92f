"""Blend modes by W3C's formulas, one pixel at a time in plain Python; bloom, vignette, grain and the rest in NumPy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from one_node import picture, play

from spellwire.nodes.composite import MODES

SMALL = {"width": 12, "height": 9}


# -- W3C Compositing and Blending Level 1, section 10, scalar by scalar


def multiply(cb, cs):
    return cb * cs


def screen(cb, cs):
    return 1 - (1 - cb) * (1 - cs)


def hard_light(cb, cs):
    return multiply(cb, 2 * cs) if cs <= 0.5 else screen(cb, 2 * cs - 1)


def dodge(cb, cs):
    if cb == 0:
        return 0
    return 1 if cs == 1 else min(1, cb / (1 - cs))


def burn(cb, cs):
    if cb == 1:
        return 1
    return 0 if cs == 0 else 1 - min(1, (1 - cb) / cs)


def soft_light(cb, cs):
    if cs <= 0.5:
        return cb - (1 - 2 * cs) * cb * (1 - cb)
    d = ((16 * cb - 12) * cb + 4) * cb if cb <= 0.25 else math.sqrt(cb)
    return cb + (2 * cs - 1) * (d - cb)


def lum(c):
    return 0.3 * c[0] + 0.59 * c[1] + 0.11 * c[2]


def sat(c):
    return max(c) - min(c)


def clip_colour(c):
    mean, low, high = lum(c), min(c), max(c)
    if low < 0:
        c = [mean + (v - mean) * mean / (mean - low) for v in c]
    if high > 1:
        c = [mean + (v - mean) * (1 - mean) / (high - mean) for v in c]
    return c


def set_lum(c, light):
    return clip_colour([v + light - lum(c) for v in c])


def set_sat(c, s):
    least, middle, most = sorted(range(3), key=lambda i: c[i])
    out = [0.0, 0.0, 0.0]
    if c[most] > c[least]:
        out[middle] = (c[middle] - c[least]) * s / (c[most] - c[least])
        out[most] = s
    return out


SEPARABLE = {
    "normal": lambda cb, cs: cs, "multiply": multiply, "screen": screen, "overlay": lambda cb, cs: hard_light(cs, cb),
    "darken": min, "lighten": max, "colour-dodge": dodge, "colour-burn": burn, "hard-light": hard_light,
    "soft-light": soft_light, "difference": lambda cb, cs: abs(cb - cs), "exclusion": lambda cb, cs: cb + cs - 2 * cb * cs,
}  # fmt: skip
OTHERS = {
    "hue": lambda cb, cs: set_lum(set_sat(cs, sat(cb)), lum(cb)),
    "saturation": lambda cb, cs: set_lum(set_sat(cb, sat(cs)), lum(cb)),
    "colour": lambda cb, cs: set_lum(cs, lum(cb)),
    "luminosity": lambda cb, cs: set_lum(cb, lum(cs)),
}  # fmt: skip


def blend_pixel(below, above, share, mode):
    ab, a_s = float(below[3]), float(above[3]) * share
    cb = [min(float(v) / ab, 1.0) if ab else 0.0 for v in below[:3]]
    cs = [min(float(v) / float(above[3]), 1.0) if above[3] else 0.0 for v in above[:3]]
    if mode == "plus":
        return [*(b * ab + s * a_s for b, s in zip(cb, cs, strict=True)), min(1.0, ab + a_s)]
    met = [SEPARABLE[mode](b, s) for b, s in zip(cb, cs, strict=True)] if mode in SEPARABLE else OTHERS[mode](cb, cs)
    rgb = [(1 - ab) * a_s * s + (1 - a_s) * ab * b + a_s * ab * m for b, s, m in zip(cb, cs, met, strict=True)]
    return [*rgb, a_s + ab * (1 - a_s)]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("alpha", [False, True], ids=["opaque", "alpha"])
def test_blend_modes(mode: str, alpha: bool) -> None:
    below, above = picture(1, alpha=alpha, **SMALL), picture(2, alpha=alpha, **SMALL)
    mask = np.random.default_rng(3).random((9, 12, 1))
    got = play("composite.blend", inputs={"below": below, "above": above, "mask": mask}, mode=mode, opacity=0.9)
    wanted = np.array([[blend_pixel(below[y, x], above[y, x], 0.9 * mask[y, x, 0], mode) for x in range(12)] for y in range(9)])
    assert np.abs(got - wanted).max() < 2e-4


def test_blend_at_the_corners_of_its_formulas() -> None:
    steps = np.array([0, 0.25, 0.5, 1])
    cb, cs = np.meshgrid(steps, steps)
    one = np.ones_like(cb)
    below, above = (np.stack([c, one - c, c, one], -1).astype(np.float32) for c in (cb, cs))
    for mode in MODES:
        got = play("composite.blend", inputs={"below": below, "above": above}, mode=mode)
        wanted = [[blend_pixel(below[y, x], above[y, x], 1.0, mode) for x in range(4)] for y in range(4)]
        assert np.abs(got - np.array(wanted)).max() < 1e-5, mode


def test_unwired_mask_shows_everything() -> None:
    below, above = picture(1, alpha=False), picture(2, alpha=False)
    assert np.abs(play("composite.blend", inputs={"below": below, "above": above}) - above).max() < 1e-6


def test_over_and_background() -> None:
    below, above = picture(1), picture(2)
    got = play("composite.over", inputs={"below": below, "above": above}, opacity=0.6)
    assert np.abs(got - (above * 0.6 + below * (1 - 0.6 * above[..., 3:]))).max() < 1e-5
    mask = np.random.default_rng(4).random((24, 32, 1))
    got = play("composite.background", inputs={"image": above, "mask": mask, "background": below}, choke=0.2)
    share = np.clip((mask - 0.2) / 0.8, 0, 1)
    assert np.abs(got - (above * share + below * (1 - share * above[..., 3:]))).max() < 1e-5


def test_switch_fades() -> None:
    a, b = picture(1), picture(2)
    for amount in (0.0, 0.25, 1.0):
        got = play("composite.switch", inputs={"off": a, "on": b}, amount=amount)
        assert np.abs(got - (a * (1 - amount) + b * amount)).max() < 1e-6


def blur(picture: np.ndarray, sigma: float) -> np.ndarray:
    """A Gaussian to 3σ with the edge's pixels repeated, along both axes."""
    reach = math.ceil(3 * sigma)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    weights /= weights.sum()
    for axis in (0, 1):
        wide = np.pad(picture, [(reach, reach) if a == axis else (0, 0) for a in range(picture.ndim)], mode="edge")
        picture = sum(w * np.take(wide, np.arange(k, k + picture.shape[axis]), axis) for k, w in enumerate(weights))
    return picture


def test_bloom_is_a_screened_blur_of_the_bright_part() -> None:
    image = picture(7, alpha=False, most=1.2).astype(float)
    got = play("composite.bloom", inputs={"image": image}, threshold=0.6, knee=0.2, radius=0.06, intensity=0.8,
               tint=(1.0, 0.5, 0.25, 1.0))  # fmt: skip
    rgb = image[..., :3]
    light = rgb.max(-1, keepdims=True)
    soft = np.where(light < 0.4, 0, np.where(light > 0.8, light - 0.6, (light - 0.4) ** 2 / 0.8))
    glow = blur(rgb * soft / light, 0.06 * 24) * np.array([1, 0.5, 0.25]) * 0.8
    wanted = rgb + glow / (1 + glow) * np.maximum(1 - rgb, 0)
    assert np.abs(got[..., :3] - wanted).max() < 1e-4
    assert (got[..., :3] >= rgb - 1e-6).all()


def test_light_wrap_stays_inside_the_edge() -> None:
    image, behind = picture(1, alpha=False), picture(2, alpha=False)
    mask = np.zeros((24, 32, 1))
    mask[:, 16:] = 1
    got = play("composite.light_wrap", inputs={"image": image, "mask": mask, "background": behind}, radius=0.05)
    added = got[..., :3] - image[..., :3]
    soft = blur(np.concatenate([behind[..., :3], 1 - mask], -1).astype(float), 0.05 * 24)
    wanted = soft[..., :3] * np.clip(2 * soft[..., 3:], 0, 1) * mask * 0.5 * (1 - image[..., :3])
    assert np.abs(added - wanted).max() < 1e-4
    assert np.abs(added[:, :16]).max() == 0 and added[:, 16].max() > 0.05 > added[:, 24:].max()


def test_vignette() -> None:
    image = picture(1)
    got = play("composite.vignette", inputs={"image": image}, amount=0.7, size=0.6, roundness=0.25, centre=(0.1, -0.05))
    y, x = (np.mgrid[:24, :32] + 0.5) / 24
    aspect = 32 / 24
    x, y = (x - aspect / 2 - 0.1) / (aspect * 0.75 + 0.25), y - 0.5 + 0.05
    light = (1 + (x**2 + y**2) / 0.36) ** -2.0
    assert np.abs(got[..., :3] - image[..., :3] * (1 - 0.7 * (1 - light))[..., None]).max() < 1e-5
    assert np.array_equal(got[..., 3], image[..., 3])


def flat(value: float, height: int = 90, width: int = 160) -> np.ndarray:
    return np.broadcast_to(np.array([value] * 3 + [1.0], np.float32), (height, width, 4)).copy()


def test_grain_is_even_and_centred_and_leaves_black_and_white() -> None:
    got = play("composite.grain", inputs={"image": flat(0.5)}, amount=0.2, size=0.02)
    noise = got[..., 0] - 0.5
    assert abs(noise.mean()) < 0.01
    assert 0.02 < noise.std() < 0.12 and np.abs(noise).max() <= 0.2 * 1.4 + 1e-6
    assert np.array_equal(got[..., 0], got[..., 1])  # black and white grain
    for level in (0.0, 1.0):
        assert np.array_equal(play("composite.grain", inputs={"image": flat(level)}, amount=1.0), flat(level))


def test_grain_moves_holds_and_repeats() -> None:
    def grain(**more) -> np.ndarray:
        return play("composite.grain", inputs={"image": flat(0.5, 24, 32)}, amount=0.3, size=0.02, **more)[..., :3] - 0.5

    first = grain(index=4)
    assert np.array_equal(first, grain(index=4))
    for other in (grain(index=5), grain(index=4, seed=1), grain(index=4, colour="colour")):
        assert np.corrcoef(first.ravel(), other.ravel())[0, 1] < 0.75
    assert np.array_equal(grain(index=6, hold=3), grain(index=8, hold=3))
    assert not np.array_equal(grain(index=8, hold=3), grain(index=9, hold=3))


def test_grain_keeps_its_size_at_another_resolution() -> None:
    small = play("composite.grain", inputs={"image": flat(0.5, 60, 80)}, size=0.02)[..., 0]
    large = play("composite.grain", inputs={"image": flat(0.5, 180, 240)}, size=0.02)[..., 0]
    assert np.abs(small - large[1::3, 1::3]).max() < 1e-4  # the same places, so the same grain
