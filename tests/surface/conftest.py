"""The native loops, compiled and linked once a session, and a face mesh of our own making."""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from spellwire.nodes import surface
from spellwire.runtime.kernels.cache import Cache
from spellwire.runtime.kernels.link import link
from spellwire.runtime.kernels.targets import host_target
from spellwire.runtime.native.emit import objects
from spellwire.runtime.native.loops import LOOPS, bind
from spellwire.runtime.values import FaceItem, Items

COLUMNS, ROWS = 18, 26  # 468 points
Native = Callable[[str], Callable[..., None]]


@pytest.fixture(scope="session")
def open_level(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Native]:
    """A target → its loops by name, out of a library linked here."""
    folder = tmp_path_factory.mktemp("loops")

    def opened(target: str) -> Native:
        path = folder / f"{target}.so"
        if not path.exists():
            files = []
            for i, data in enumerate(objects(LOOPS, Cache(), target)):
                files.append(folder / f"{target}-{i}.o")
                files[-1].write_bytes(data)
            link(target, files, path)
        library = ctypes.CDLL(str(path))
        return lambda name: bind(library, name)

    return opened


@pytest.fixture(scope="session")
def native(open_level: Callable[[str], Native]) -> Native:
    return open_level(host_target())


@pytest.fixture
def context(native: Native) -> SimpleNamespace:
    """What a node is given in `open`."""
    return SimpleNamespace(native=native)


def grid_triangles(columns: int, rows: int) -> np.ndarray:
    """Two triangles a cell, counter-clockwise for y up when rows go down the picture."""
    made = []
    for y in range(rows - 1):
        for x in range(columns - 1):
            a, b = y * columns + x, y * columns + x + 1
            c, d = a + columns, b + columns
            made += [(a, c, d), (a, d, b)]
    return np.array(made, np.int32)


def dome() -> np.ndarray:
    """(468, 3) of a shallow face-like dome, 15 cm wide and 20 high, y up, z towards the camera."""
    v, u = np.mgrid[1 : -1 : ROWS * 1j, -1 : 1 : COLUMNS * 1j]
    return np.stack([7.5 * u, 10 * v, 5 * (1 - 0.5 * u * u - 0.5 * v * v)], -1).reshape(-1, 3).astype(np.float32)


def metadata() -> bytes:
    """The dome as MediaPipe writes a canonical face: a protocol buffer."""

    def varint(value: int) -> bytes:
        out = b""
        while value > 127:
            out, value = out + bytes([value & 127 | 128]), value >> 7
        return out + bytes([value])

    points = dome()
    uv = np.stack([points[:, 0] / 15 + 0.5, 0.5 - points[:, 1] / 20], -1)
    numbers = np.hstack([points, uv]).astype("<f4").ravel()
    mesh = b"\x08\x00\x10\x00" + b"".join(b"\x1d" + struct.pack("<f", n) for n in numbers)
    mesh += b"".join(b"\x20" + varint(int(i)) for i in grid_triangles(COLUMNS, ROWS).ravel())
    basis = b"\x12\x07\x08\x04\x15" + struct.pack("<f", 0.5)
    return b"\x0a" + varint(len(mesh)) + mesh + basis


@pytest.fixture
def geometry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The dome's file in the place of the model."""
    path = tmp_path / "dome.binarypb"
    path.write_bytes(metadata())
    monkeypatch.setattr(surface, "resolve", lambda _: path)
    return path


def face_at(x: float, y: float, width: float, number: int = 1, turn: float = 0.0) -> FaceItem:
    """A dome in a picture: centre and width in pixels, turned round the vertical axis by degrees."""
    points = dome() * (width / 15)
    c, s = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    turned = np.stack([c * points[:, 0] + s * points[:, 2], points[:, 1], c * points[:, 2] - s * points[:, 0]], -1)
    return FaceItem(number, (np.float32([x, y, 0]) + turned * np.float32([1, -1, -1])).astype(np.float32))


def faces(*items: FaceItem, width: int = 640, height: int = 360) -> Items[FaceItem]:
    return Items(tuple(items), "frame", width, height)
