"""Keys and cut-outs: mixtures made here are taken apart again."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from one_node import play
from shared_assets import ASSETS

GREEN = np.array([0.18, 0.65, 0.28])


def opaque(rgb: np.ndarray) -> np.ndarray:
    return np.concatenate([rgb, np.ones_like(rgb[..., :1])], axis=-1).astype(np.float32)


def before_a_screen(front: np.ndarray, cover: np.ndarray, light: np.ndarray | float = 1.0) -> np.ndarray:
    return opaque(front * cover + GREEN * light * (1 - cover))


def test_screen_goes_with_its_shadows_and_a_soft_edge_keeps_its_share() -> None:
    cover = np.clip((np.arange(96) - 30) / 36, 0, 1)[None, :, None].repeat(24, 0)
    light = np.linspace(0.7, 1.1, 24)[:, None, None]
    front = np.broadcast_to([0.7, 0.5, 0.4], (24, 96, 3))
    got = play("key.chroma", inputs={"image": before_a_screen(front, cover, light)}, screen=(*GREEN, 1.0), shadows=0.3, solid=0.0)
    mask, out = got["mask"][..., 0], got["out"]
    assert mask[:, :30].max() == 0 and mask[:, 70:].min() == 1
    assert (np.diff(mask[12]) > -1e-6).all() and 0.2 < mask[12, 48] < 0.95
    solid = out[:, 75:, :3]
    assert np.abs(solid - front[:, 75:]).max() < 0.01
    edge = out[12, 45:66, :3] / np.maximum(mask[12, 45:66, None], 1e-3)
    assert (edge[:, 1] - edge[:, 0]).max() < 0.08  # no green rim, where the screen's was 0.47


def test_other_hues_stay() -> None:
    for colour in ([0.8, 0.2, 0.2], [0.2, 0.3, 0.8], [0.5, 0.5, 0.5], [0.9, 0.75, 0.6], [0.02, 0.02, 0.02], [1, 1, 1]):
        image = opaque(np.broadcast_to(np.array(colour, float), (4, 4, 3)))
        got = play("key.chroma", inputs={"image": image}, screen=(*GREEN, 1.0))
        assert got["mask"].min() > 0.999 and np.abs(got["out"] - image).max() < 0.02


def test_despill_takes_the_cast_and_keeps_brightness() -> None:
    skin = np.array([0.7, 0.5, 0.42])
    cast = opaque(np.broadcast_to(skin + 0.08 * GREEN, (4, 4, 3)))
    got = play("key.despill", inputs={"image": cast}, screen=(*GREEN, 1.0), tolerance=0.9)[0, 0]
    weights = np.array([0.2126, 0.7152, 0.0722])
    assert abs((got[:3] - cast[0, 0, :3]) @ weights) < 1e-4
    grey = play("key.despill", inputs={"image": opaque(np.broadcast_to([0.4, 0.5, 0.42], (4, 4, 3)))}, screen=(*GREEN, 1.0))[0, 0]
    assert np.ptp(grey[:3]) < 0.06


def test_a_key_on_real_fur_is_near_the_true_matte() -> None:
    folder = ASSETS / "gt" / "matting_lemur"
    if not folder.is_dir():
        pytest.skip(f"no matting picture in {folder}; set SPELLWIRE_ASSETS")

    def read(name: str) -> np.ndarray:
        picture = cv2.imread(str(folder / f"lemur_{name}.png"))[..., ::-1] / 255.0
        return cv2.resize(picture, (384, 252), interpolation=cv2.INTER_AREA)

    front, cover = read("foreground"), read("alpha")[..., :1]
    got = play("key.chroma", inputs={"image": before_a_screen(front, cover)}, screen=(*GREEN, 1.0))
    assert np.abs(got["mask"] - cover).mean() < 0.02
    placed = got["out"][..., :3] + 0.5 * (1 - got["mask"])
    assert np.abs(placed - (front * cover + 0.5 * (1 - cover))).mean() < 0.02


def scene(front: list[float], back: list[float]) -> tuple[np.ndarray, np.ndarray]:
    """A person's half with an edge as soft as hair, and its mask."""
    cover = np.clip((np.arange(240) - 114) / 10, 0, 1)[None, :, None].repeat(180, 0)
    return opaque(np.array(front) * cover + np.array(back) * (1 - cover)), cover.astype(np.float32)


def test_cut_out_takes_a_bright_background_out_of_hair() -> None:
    image, cover = scene([0.15, 0.1, 0.08], [0.95, 0.93, 0.9])
    clean = play("key.cut_out", inputs={"image": image, "mask": cover})
    plain = play("key.cut_out", inputs={"image": image, "mask": cover}, amount=0.0, refine=0.0)
    edge = np.s_[90, 114:126]
    wanted = np.array([0.15, 0.1, 0.08]) * cover[edge]
    assert np.abs(clean[edge][:, :3] - wanted).max() < 0.06
    assert np.abs(plain[edge][:, :3] - wanted).max() > 0.15  # the halo that it takes away
    assert np.abs(plain[..., 3:] - cover).max() < 1e-6 and np.abs(clean[..., 3:] - cover).max() < 0.1
    assert np.abs(clean[90, 150, :3] - [0.15, 0.1, 0.08]).max() < 0.01


def test_colours_correct_a_mask_that_lies_beside_the_person() -> None:
    image, cover = scene([0.15, 0.1, 0.08], [0.95, 0.93, 0.9])
    beside = np.roll(cover, -4, axis=1)
    beside[:, -4:] = 1
    refined, plain = (play("key.cut_out", inputs={"image": image, "mask": beside}, refine=r)[..., 3:] for r in (1.0, 0.0))
    assert np.abs(refined - cover)[60].mean() < 0.6 * np.abs(plain - cover)[60].mean()


def test_colours_find_a_hair_that_the_mask_hardly_knows() -> None:
    image, cover = scene([0.15, 0.1, 0.08], [0.95, 0.93, 0.9])
    image[90:92, 100:116, :3] = [0.15, 0.1, 0.08]
    vague = cover.copy()
    vague[86:96, 100:116] = np.maximum(vague[86:96, 100:116], 0.15)
    refined, plain = (play("key.cut_out", inputs={"image": image, "mask": vague}, refine=r)[..., 3] for r in (1.0, 0.0))
    assert refined[91, 106] > 0.5 > 3 * plain[91, 106] and refined[87, 106] < 0.1


def test_a_choked_mask_and_nobody() -> None:
    image, cover = scene([0.5, 0.4, 0.3], [0.2, 0.6, 0.9])
    choked = play("key.cut_out", inputs={"image": image, "mask": cover}, choke=0.5, refine=0.0)
    assert np.abs(choked[..., 3:] - np.clip(2 * cover - 1, 0, 1)).max() < 1e-5
    nobody = play("key.cut_out", inputs={"image": image, "mask": np.zeros_like(cover)})
    assert np.isfinite(nobody).all() and np.abs(nobody).max() == 0


def test_behind_nothing_of_the_person_bleeds() -> None:
    image, cover = scene([1.0, 0.1, 0.1], [0.2, 0.3, 0.6])
    got = play("blur.behind", inputs={"image": image, "mask": cover}, radius=0.1, highlights=0.0)
    seen = (got[..., :3] - [0.2, 0.3, 0.6]) * (1 - cover)  # the person stands before the rest
    assert np.abs(seen).max() < 0.02
    everyone = play("blur.behind", inputs={"image": image, "mask": np.ones_like(cover)})
    assert np.isfinite(everyone).all()


def test_behind_a_bright_point_becomes_a_disc() -> None:
    image = opaque(np.full((180, 240, 3), 0.1))
    image[88:92, 118:122, :3] = 1
    nobody = np.zeros((180, 240, 1), np.float32)
    got = play("blur.behind", inputs={"image": image, "mask": nobody}, radius=0.06, highlights=1.0)[..., 0]
    radius = 0.06 * 180
    y, x = np.mgrid[:180, :240] + 0.5
    away = np.hypot(x - 120, y - 90)
    inside, outside = got[away < radius * 0.75], got[away > radius * 1.4]
    assert inside.min() > 0.2 and outside.max() < 0.12
    assert inside.std() < 0.1 * inside.mean()
