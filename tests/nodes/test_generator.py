"""generator.image on networks made by hand: what it gives, tiles without seams, steadiness, and what is refused."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from shared_assets import ASSETS

from spellwire.graph.errors import ModelError, ModelUnavailable
from spellwire.nodes.generator import Blend26, Generate, Style, starts
from spellwire.runtime.engine.context import NodeContext
from spellwire.runtime.frames import Frame, Tick

PARAMS = {p.name: p.default for p in Generate.declaration.params}


def message(number: int, value: int | bytes | str) -> bytes:
    """One field of a protocol buffer."""

    def varint(n: int) -> bytes:
        out = bytearray()
        while n > 127:
            out, n = out + bytes([n & 127 | 128]), n >> 7
        return bytes(out) + bytes([n])

    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def adding(path: Path, constant: np.ndarray, shape: list[int | str], op: str = "Add", outside: str = "") -> Path:
    """An `.onnx` file of y = x + constant (or another operation)."""

    def value(name: str) -> bytes:
        axes = b"".join(message(1, message(1, n) if isinstance(n, int) else message(2, n)) for n in shape)
        return message(1, name) + message(2, message(1, message(1, 1) + message(2, axes)))

    weights = b"".join(message(1, n) for n in constant.shape) + message(2, 1) + message(8, "c")
    weights += message(13, message(1, "location") + message(2, outside)) + message(14, 1) if outside else b""
    weights += b"" if outside else message(9, np.ascontiguousarray(constant, np.float32).tobytes())
    node = message(1, "x") + message(1, "c") + message(2, "y") + message(4, op)
    graph = message(1, node) + message(2, "g") + message(5, weights) + message(11, value("x")) + message(12, value("y"))
    path.write_bytes(message(1, 8) + message(7, graph) + message(8, message(2, 17)))
    return path


def opened(folder: Path, name: str = "model.onnx", **params: Any) -> Generate:
    node = Generate()
    node.open(NodeContext(folder=folder, params=PARAMS | {"model": {"asset": name}} | params))
    return node


def tick(delta: float = 0.0) -> Tick:
    return Tick(delta=delta)


def photo(width: int = 96, height: int = 64, seed: int = 3) -> np.ndarray:
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 5), None, 20, 200, cv2.NORM_MINMAX)  # type: ignore[call-overload]


def made(node: Generate, picture: np.ndarray, steadiness: float = 0.0, state: Any = None, delta: float = 0.0) -> Frame:
    out, _ = node.process(Frame.of(picture), None, None, steadiness, tick(delta), state or SimpleNamespace(past=None))
    assert out is not None
    return out


BRIGHTER = np.full((1, 1, 1, 1), 0.1, np.float32)


def test_a_network_of_any_size(tmp_path: Path) -> None:
    """Worked on at `rows` lines; the result lies over the whole picture."""
    adding(tmp_path / "model.onnx", BRIGHTER, [1, 3, "h", "w"])
    node = opened(tmp_path, rows=32, multiple=8)
    out = made(node, photo())
    assert (out.width, out.height) == (48, 32) and out.geometry.to_frame == (2.0, 0.0, 0.0, 0.0, 2.0, 0.0)
    small = cv2.resize(photo(), (48, 32), interpolation=cv2.INTER_LINEAR)
    assert np.abs(out.data.astype(int) - small - 25.5).mean() < 2


def test_a_network_of_one_size_is_stretched_over_the_picture(tmp_path: Path) -> None:
    adding(tmp_path / "model.onnx", BRIGHTER, [1, 16, 24, 3])
    out = made(opened(tmp_path, axes="nhwc"), photo())
    assert (out.width, out.height) == (24, 16) and out.geometry.to_frame == (4.0, 0.0, 0.0, 0.0, 4.0, 0.0)


@pytest.mark.parametrize("tiles", [2, 3, 5])
def test_tiles_leave_no_seam(tmp_path: Path, tiles: int) -> None:
    """What a network makes point by point is the same whole and in parts; the parts' own edges are weighed away."""
    edge = np.zeros((1, 1, 32, 32), np.float32)
    edge[..., 0, :] = edge[..., :, 0] = 0.5  # a network that errs at its border, as most do
    adding(tmp_path / "model.onnx", edge, [1, 3, 32, 32])
    out = made(opened(tmp_path, tiles=tiles, overlap=0.3), photo(160, 120))
    plain = cv2.resize(photo(160, 120), (out.width, out.height), interpolation=cv2.INTER_LINEAR)
    off = np.abs(out.data.astype(int) - plain)
    assert out.height >= 32 * (1 + (tiles - 1) * 0.6) and off[2:, 2:].max() < 20


def test_tiles_cover_everything() -> None:
    for length in (10, 32, 33, 64, 100, 517):
        for overlap in (0.02, 0.2, 0.5):
            at = starts(length, 32, overlap)
            covered = {i for s in at for i in range(s, s + 32)}
            assert set(range(length)) <= covered and at[0] == 0 and (length <= 32 or at[-1] == length - 32)


def test_what_stands_still_is_steady_and_what_moves_is_new(tmp_path: Path) -> None:
    adding(tmp_path / "model.onnx", np.zeros((1, 1, 1, 1), np.float32), [1, 3, 64, 96])
    node, state = opened(tmp_path), SimpleNamespace(past=None)
    first = photo()
    flicker = np.clip(first.astype(int) + 4, 0, 255).astype(np.uint8)
    flicker[:, 60:] = first[:, 60:] + 50
    made(node, first, 0.8, state)
    out = made(node, flicker, 0.8, state, 0.1).data.astype(int)
    assert np.abs(out - first)[:, :40].mean() < 1.0  # a small part of 4
    fresh = made(opened(tmp_path), flicker, 0.0).data.astype(int)
    assert np.abs(fresh - first)[:, :40].mean() > 3.5
    assert np.abs(out - flicker)[:, 75:].mean() < 1
    again = made(node, flicker, 0.8, state, 10.0).data  # after a long pause nothing is kept
    assert np.array_equal(again, flicker)


@pytest.mark.parametrize(
    ("shape", "more", "says"),
    [
        ([1, 3, 48], {}, "four axes"),
        ([1, 4, 16, 16], {}, "3 channels"),
        ([1, 16, 24, 3], {"axes": "nchw"}, "as was declared"),
        ([1, 3, 16, 16], {"op": "Frobnicate"}, "Frobnicate"),
        ([1, 3, 16, 16], {"outside": "weights.bin"}, "in another file"),
    ],
)
def test_files_that_do_not_fit_are_refused_before_the_first_frame(tmp_path: Path, shape: list, more: dict, says: str) -> None:
    made_so = {k: v for k, v in more.items() if k in ("op", "outside")}
    adding(tmp_path / "model.onnx", np.zeros([1] * len(shape), np.float32), shape, **made_so)
    with pytest.raises(ModelError, match=says):
        opened(tmp_path, **{k: v for k, v in more.items() if k not in made_so})


def test_models_that_are_not_there(tmp_path: Path) -> None:
    node = Generate()
    with pytest.raises(ModelError, match="no model 'style/transfrom'.*style/transform"):
        node.open(NodeContext(folder=tmp_path, params=PARAMS | {"model": "style/transfrom"}))
    (tmp_path / "note.onnx").write_text("not a network")
    with pytest.raises(ModelError, match="not a whole"):
        opened(tmp_path, "note.onnx")


def test_nobody_there(tmp_path: Path) -> None:
    adding(tmp_path / "model.onnx", BRIGHTER, [1, 3, "h", "w"])
    node = opened(tmp_path)
    for nothing in (None, Frame.of(np.zeros((1, 1, 3), np.uint8))):
        assert node.process(nothing, None, None, 0.5, tick(), SimpleNamespace(past=None)) == (None, ())


def test_points_go_with_the_picture(tmp_path: Path) -> None:
    adding(tmp_path / "model.onnx", BRIGHTER, [1, 3, "h", "w"])
    places = np.ones((468, 3), np.float32)
    _, points = opened(tmp_path).process(Frame.of(photo()), None, places, 0.0, tick(), SimpleNamespace(past=None))
    assert points is places


def test_two_styles_of_26() -> None:
    weights = Blend26().process(3, 20, 0.25)
    assert weights[3] == 0.75 and weights[20] == 0.25 and weights.sum() == 1
    assert Blend26().process(4, 4, 0.6)[4] == 1


# -- the registry's own


@pytest.fixture(scope="module")
def styles(tmp_path_factory: pytest.TempPathFactory) -> tuple[Style, list[Path]]:
    node, folder = Style(), tmp_path_factory.mktemp("styles")
    try:
        node.open(NodeContext(folder=folder))
    except ModelUnavailable as error:
        pytest.skip(f"the model is not here and can't be fetched: {error}")
    files = []
    for seed in (1, 2):
        files.append(folder / f"{seed}.png")
        cv2.imwrite(str(files[-1]), photo(120, 90, seed) // seed)
    return node, files


def test_styles_mix(styles: tuple[Style, list[Path]]) -> None:
    node, (a, b) = styles
    first, second = node.process(a, b, None, None, 0.0), node.process(a, b, None, None, 1.0)
    assert first.shape == (100,) and np.abs(first - second).max() > 0.1
    assert np.allclose(node.process(a, None, b, None, 0.5), (first + second) / 2, atol=1e-5)
    assert np.array_equal(node.process(a, b, None, None, 3.0), second)
    with pytest.raises(ModelError, match="no picture"):
        node.process(None, None, None, None, 0.0)


def test_the_any_style_network_wants_a_style(styles: tuple[Style, list[Path]]) -> None:
    node = Generate()
    node.open(NodeContext(params=PARAMS))
    with pytest.raises(ModelError, match=r"generator\.style"):
        node.process(Frame.of(photo()), None, None, 0.0, tick(), SimpleNamespace(past=None))
    with pytest.raises(ModelError, match="100 numbers"):
        node.process(Frame.of(photo()), Blend26().process(0, 1, 0), None, 0.0, tick(), SimpleNamespace(past=None))
    code = styles[0].process(*styles[1], None, None, 0.0)
    out, _ = node.process(Frame.of(photo()), code, None, 0.0, tick(), SimpleNamespace(past=None))
    assert out is not None and out.data.shape == (384, 384, 3) and out.data.std() > 5





@pytest.mark.parametrize(("file", "params"), [
    ("fns_candy.onnx", {"takes": "0..255", "gives": "0..255"}), ("cartoongan_light_shinkai.onnx", {"takes": "-1..1", "gives": "-1..1"}),
])  # fmt: skip
def test_networks_brought_as_files(file: str, params: dict[str, str]) -> None:
    """Real networks of others, in their own ranges: the picture is still told from what they make of it."""
    folder = ASSETS / "models/style"
    if not (folder / file).is_file():
        pytest.skip(f"the shared test assets are not at {ASSETS} (SPELLWIRE_ASSETS)")
    data = pytest.importorskip("skimage.data", reason="the portrait is in scikit-image")
    portrait = cv2.resize(data.astronaut()[:384, :384], (160, 160), interpolation=cv2.INTER_AREA)
    out = made(opened(folder, file, rows=160, **params), portrait)
    assert out.data.shape == (160, 160, 3) and 20 < out.data.std() < 110
    a, b = (cv2.GaussianBlur(p.mean(-1), (0, 0), 6).ravel() for p in (out.data.astype(float), portrait.astype(float)))
    assert np.corrcoef(a, b)[0, 1] > 0.6
