"""Native loops as objects: nothing undefined, the same bytes, the same pixels at every level."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from spellwire.graph.errors import CompileError
from spellwire.runtime.kernels.cache import Cache
from spellwire.runtime.kernels.targets import cpu_level, usable
from spellwire.runtime.native.emit import emit, objects
from spellwire.runtime.native.loops import LOOPS, bind, loop

from .test_rasterise import draw, empty, patch, vertices_of

MACHINES = {"linux-x86-64-v2": "elf_x86_64", "linux-x86-64-v4": "elf_x86_64", "linux-arm-64": "aarch64linux"}


@pytest.mark.parametrize("target", MACHINES)
@pytest.mark.parametrize("name", sorted(LOOPS))
def test_an_object_stands_alone(name, target, tmp_path):
    """The linker, told to refuse undefined symbols, takes each object by itself, and exports its symbol only."""
    (data,) = objects([name], Cache(), target)
    (tmp_path / "loop.o").write_bytes(data)
    command = [sys.executable, "-m", "ziglang", "ld.lld", "-shared", "-z", "defs", "-m", MACHINES[target], "loop.o"]
    done = subprocess.run([*command, "-o", "loop.so"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert loop(name).symbol.encode() in (tmp_path / "loop.so").read_bytes()
    assert b"NumbaEnv" not in (tmp_path / "loop.so").read_bytes()


def test_the_same_bytes_every_time():
    assert emit(loop("mesh_vertices"), "linux-arm-64") == emit(loop("mesh_vertices"), "linux-arm-64")


@pytest.mark.skipif(not cpu_level().startswith("x86"), reason="levels to compare exist on x86-64 only")
def test_the_same_pixels_at_every_level(open_level):
    xy, triangles = patch(2)
    drawn = [draw(open_level(f"linux-{level}"), empty(), vertices_of(xy), triangles) for level in usable(cpu_level())]
    assert len(drawn) >= 1
    for other in drawn[1:]:
        np.testing.assert_array_equal(drawn[0], other)


def test_unknown_names_are_said():
    with pytest.raises(CompileError, match="no native loop 'sort'; there are: .*inflate"):
        loop("sort")
    with pytest.raises(CompileError, match="no target"):
        emit(loop("inflate"), "amiga-68k")


def test_a_library_without_the_loop_is_said():
    import ctypes

    with pytest.raises(CompileError, match="compile the effect again"):
        bind(ctypes.CDLL(None), "inflate")


def test_playing_needs_no_compiler():
    """Binding a loop imports neither Numba nor llvmlite."""
    code = "import sys, spellwire.nodes.surface, spellwire.runtime.native.loops; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"numba", "llvmlite", "halide", "ziglang", "networkx"} & set(modules)
