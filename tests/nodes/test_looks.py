"""`.cube` files: what is read, what is refused and how, and the node that applies them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from one_node import picture, play
from shared_assets import ASSETS

from spellwire.graph.errors import SourceError
from spellwire.runtime.looks import LookTable, neutral_look, parse_cube, read_look

TWELVE_BITS = 1e-3  # a corner is rounded to 1/8190 of its channel's range, a shaper too, times the cube's slope


def cube_text(function, size: int, head: str = "") -> str:
    steps = np.linspace(0, 1, size)
    rows = [function(np.array([r, g, b])) for b in steps for g in steps for r in steps]
    return head + f"LUT_3D_SIZE {size}\n" + "\n".join(" ".join(f"{v:.7f}" for v in row) for row in rows)


def apply(tmp_path: Path, text: str, image: np.ndarray, **params) -> np.ndarray:
    (tmp_path / "assets").mkdir(exist_ok=True)
    (tmp_path / "assets" / "look.cube").write_text(text)
    look = {"asset": "assets/look.cube", "sha256": hashlib.sha256(text.encode()).hexdigest()}
    return play("colour.lut", inputs={"image": image}, folder=tmp_path, look=look, **params)


def tetrahedral(look: LookTable, rgb: np.ndarray) -> np.ndarray:
    """By sorting the fractions and walking along the axes from the largest, value by value."""
    out = np.empty(rgb.shape)
    for place in np.ndindex(rgb.shape[:2]):
        inside = np.clip((rgb[place] - look.low) / (look.high - look.low), 0, 1)
        rows = look.shaper
        inside = np.array([np.interp(v, np.linspace(0, 1, len(rows)), rows[:, c]) for c, v in enumerate(inside)])
        at = np.clip(inside, 0, 1) * (look.size - 1)
        low = np.minimum(np.floor(at), look.size - 2).astype(int)
        fraction, corner = at - low, low.copy()
        value = look.cube[tuple(corner[::-1])].astype(float)
        total, order = value.copy(), np.argsort(-fraction)
        for axis in order:
            corner[axis] += 1
            after = look.cube[tuple(corner[::-1])].astype(float)
            total += fraction[axis] * (after - value)
            value = after
        out[place] = total
    return out


def bent(rgb: np.ndarray) -> np.ndarray:
    r, g, b = rgb
    return np.array([r**2, 0.5 * g + 0.5 * r * b, 1 - b * g])


@pytest.mark.parametrize("size", [2, 5, 17])
def test_cube_is_interpolated_tetrahedrally(tmp_path: Path, size: int) -> None:
    text = cube_text(bent, size)
    image = picture(1, alpha=False, most=1.2)
    got = apply(tmp_path, text, image, strength=0.8)
    wanted = 0.8 * tetrahedral(parse_cube(text.encode()), image[..., :3]) + 0.2 * image[..., :3]
    assert np.abs(got[..., :3] - wanted).max() < TWELVE_BITS


def test_shaper_and_domain(tmp_path: Path) -> None:
    head = "LUT_1D_SIZE 4\nLUT_1D_INPUT_RANGE -0.5 1.5\nLUT_3D_INPUT_RANGE 0.0 2.0\n"
    curve = "\n0 0 0\n0.3 0.6 0.2\n1.4 1.6 1.2\n2 2 2\n"
    announce, rows = cube_text(bent, 3, head).split("\n", 4)[:4], cube_text(bent, 3, head).split("\n", 4)[4]
    text = "\n".join(announce) + curve + rows
    look = parse_cube(text.encode())
    assert (look.size, look.shaper.shape) == (3, (4, 3))
    image = picture(2, alpha=False, most=1.4)
    got = apply(tmp_path, text, image)
    assert np.abs(got[..., :3] - tetrahedral(look, image[..., :3])).max() < TWELVE_BITS


def test_one_dimensional_file(tmp_path: Path) -> None:
    text = "LUT_1D_SIZE 3\nDOMAIN_MIN 0 0 0\nDOMAIN_MAX 2 1 1\n-1 0 0.5\n0 0.2 0.5\n3 1 0.5\n"
    image = picture(3, alpha=False, most=1.2)
    got = apply(tmp_path, text, image)
    x = image[..., :3].astype(float)
    wanted = np.stack([np.interp(x[..., 0], [0, 1, 2], [-1, 0, 3]), np.interp(x[..., 1], [0, 0.5, 1], [0, 0.2, 1]),
                       np.full(x.shape[:2], 0.5)], axis=-1)  # fmt: skip
    assert np.abs(got[..., :3] - wanted).max() < TWELVE_BITS


def test_transparent_pixels_are_graded_as_if_opaque(tmp_path: Path) -> None:
    image = picture(4)
    got = apply(tmp_path, cube_text(bent, 9), image)
    a = image[..., 3:]
    straight = image[..., :3] / np.maximum(a, 1e-9)
    wanted = tetrahedral(parse_cube(cube_text(bent, 9).encode()), straight) * a
    seen = a[..., 0] > 0
    assert np.abs(got[..., :3] - wanted)[seen].max() < TWELVE_BITS
    assert np.array_equal(got[~seen], image[~seen])


def test_reader_takes_what_programs_write() -> None:
    rows = "\r\n".join(f"{r} {g}\t{b}" for b in (0, 1) for g in (0, 1) for r in (0, 1))
    text = '\ufeff# made by hand\r\nTITLE "Two words"\r\n\r\nlut_3d_size 2\r\n  # more\r\n' + rows + "\r\n\r\n"
    look = parse_cube(text.encode())
    assert look.title == "Two words"
    assert np.array_equal(look.cube, neutral_look().cube)
    assert look.cube[1, 0, 0].tolist() == [0, 0, 1]  # blue is the slowest


BAD = {
    "nothing": (b"", "neither LUT_1D_SIZE nor LUT_3D_SIZE"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "line 1"),
    "no size": (b"0 0 0\n1 1 1\n", "neither"),
    "size 1": (b"LUT_3D_SIZE 1\n0 0 0\n", "line 1: LUT_3D_SIZE is a whole number from 2 to 129"),
    "size 900": (b"# x\nLUT_3D_SIZE 900\n", "line 2: LUT_3D_SIZE"),
    "size a word": (b"LUT_3D_SIZE many\n", "'many'"),
    "too few rows": (b"LUT_3D_SIZE 2\n" + b"0 0 0\n" * 7, "8 rows are announced, 7 are there"),
    "too many rows": (b"LUT_1D_SIZE 2\n" + b"0 0 0\n" * 3, "2 rows are announced, 3 are there"),
    "two numbers": (b"LUT_1D_SIZE 2\n0 0 0\n1 1\n", "line 3: 3 numbers are wanted, 2 are there"),
    "a word": (b"LUT_1D_SIZE 2\n0 0 0\n1 1 -x\n", "line 3: '1 1 -x' is not 3 numbers"),
    "NaN": (b"LUT_1D_SIZE 2\n0 0 0\nnan 1 1\n", "line 3"),
    "infinite": (b"LUT_1D_SIZE 2\n\n0 0 0\n1 1e39 1\n", "line 4"),
    "empty domain": (b"LUT_1D_SIZE 2\nDOMAIN_MIN 0 1 0\n0 0 0\n1 1 1\n", "the domain ends"),
    "strange keyword": (b"LUT_3D_SIZE 2\nGAMMA 2.2\n", "line 2: 'GAMMA'"),
    "late keyword": (b"LUT_1D_SIZE 2\n0 0 0\nDOMAIN_MAX 2 2 2\n1 1 1\n", "line 3: 'DOMAIN_MAX' after"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_files_say_where(name: str) -> None:
    data, message = BAD[name]
    with pytest.raises(SourceError) as raised:
        parse_cube(data)
    assert message in str(raised.value)


def test_missing_and_foreign_files(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="can't read"):
        read_look(tmp_path / "none.cube")
    (tmp_path / "x.3dl").write_text("0 1 2")
    with pytest.raises(SourceError, match=r"\.cube"):
        read_look(tmp_path / "x.3dl")


def test_files_of_other_programs() -> None:
    folder = ASSETS / "luts"
    files = sorted(folder.rglob("*.cube"))
    if not files:
        pytest.skip(f"no looks in {folder}; set SPELLWIRE_ASSETS")
    for file in files:
        look = read_look(file)
        assert np.isfinite(look.table).all() and look.table.dtype == np.float32
        assert len(look.table) == 12 + look.shaper.size + 2 * look.size**3
    ocio = {f.name: read_look(f) for f in files if f.parent.name == "ocio"}
    assert ocio["iridas_1d.cube"].shaper.shape == (5, 3)
    assert ocio["resolve_1d3d.cube"].low[0] == -1 and ocio["resolve_1d3d.cube"].size == 3
