"""What is drawn onto faces and bodies: the loops of a library linked here, and heads that lie where a test puts them."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from spellwire.graph.errors import ModelUnavailable
from spellwire.runtime.kernels.cache import Cache
from spellwire.runtime.kernels.link import link
from spellwire.runtime.kernels.targets import host_target
from spellwire.runtime.models.resolver import resolve
from spellwire.runtime.native.emit import objects
from spellwire.runtime.native.loops import bind, loop
from spellwire.runtime.perception.topology import GEOMETRY, FaceTopology, read_topology
from spellwire.runtime.values import FaceItem, Items

Native = Callable[[str], Callable[..., None]]
HeadAt = Callable[..., FaceItem]


@pytest.fixture(scope="session")
def native(tmp_path_factory: pytest.TempPathFactory) -> Native:
    """Loops by name, each out of a library of its own."""
    folder, target = tmp_path_factory.mktemp("loops"), host_target()

    def opened(name: str) -> Callable[..., None]:
        path = folder / f"{name}.so"
        if not path.exists():
            (data,) = objects([loop(name).name], Cache(), target)
            (folder / f"{name}.o").write_bytes(data)
            link(target, [folder / f"{name}.o"], path)
        return bind(ctypes.CDLL(str(path)), name)

    return opened


@pytest.fixture
def context(native: Native, tmp_path: Path) -> SimpleNamespace:
    """What a node is given in `open`."""
    return SimpleNamespace(native=native, folder=tmp_path, working_space="srgb")


@pytest.fixture(scope="session")
def topology() -> FaceTopology:
    try:
        return read_topology(resolve(GEOMETRY))
    except ModelUnavailable as error:
        pytest.skip(f"the face's mesh is not here and can't be fetched: {error}")


@pytest.fixture(scope="session")
def head_at(topology: FaceTopology) -> HeadAt:
    """The canonical face as a tracked one: middle and width in pixels, turned by degrees."""

    def made(x=160.0, y=90.0, width=80.0, number=1, yaw=0.0, pitch=0.0, roll=0.0) -> FaceItem:
        a, b, c = np.radians((yaw, pitch, roll))
        turn = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
        turn = turn @ np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
        turn = turn @ np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
        points = topology.positions @ turn.T * (width / 15.5) * (1, -1, -1) + (x, y, 0)
        return FaceItem(number, points.astype(np.float32))

    return made


def faces(*items: FaceItem, width: int = 320, height: int = 180) -> Items[FaceItem]:
    return Items(tuple(items), "frame", width, height)
