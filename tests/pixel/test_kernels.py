"""Kernels from compiling to calling: same bytes with any threads and strips, errors that say what is wrong, caches."""

from __future__ import annotations

import subprocess
import sys
import threading
import warnings
from pathlib import Path

import numpy as np
import pytest
from evaluator import evaluate, quantise
from pictures import X, Y, gauss, load, pictures, play, sample, uniform

from spellwire.graph.errors import CompileError, NodeError
from spellwire.runtime.kernels.cache import Cache
from spellwire.runtime.kernels.compiler import Compiler
from spellwire.runtime.kernels.library import Library
from spellwire.runtime.kernels.link import link
from spellwire.runtime.kernels.targets import LEVELS, host_target, usable
from spellwire.runtime.pixel import luma, power
from spellwire.runtime.pixel.lang import make, vec
from spellwire.runtime.pixel.region import Read, Region, Write

HALF = Region((Read("u8", 3),), 0, 1, (Write("u8", (load(0, 0, 1, 2) * uniform(0)).parts),))


def everything() -> Region:
    """Blurs, samples and pointwise work in one kernel with two writes."""
    rgb = load(0, 0, 1, 2)
    bent = power(rgb, 1.7) + gauss(rgb, uniform(0), 0) + sample(0, 0, X * 1.1, Y * 0.9, "mirror")
    return Region((Read("u8", 3),), 1, 1, (Write("u8", bent.parts), Write("f32", luma(bent).parts)))


def words() -> Region:
    return Region(
        (Read("u8", 3), Read("u8", 1)),
        0,
        0,
        (Write("u8", (power(load(0, 0, 1, 2), 1.7) * load(1, 0)).parts),),
    )


@pytest.fixture(scope="module")
def library(compiler) -> Library:
    return compiler.compile([HALF, everything(), words()])


@pytest.mark.parametrize("width", [40, 96, 130])
@pytest.mark.parametrize("region", [everything(), words()], ids=["everything", "words"])
def test_threads_and_strips_change_no_bit(library, region, width):
    tables = [np.array([0.3, 0.2, 0.1, 0.05], np.float32)] * region.tables
    given = pictures(region, width, 77, uniforms=[3.0], tables=tables)
    results = []
    for threads in (1, 2, 3, 8):
        library.set_threads(threads)
        results.append(b"".join(w.tobytes() for w in play(library, region, given)))
    library.set_threads(1)
    assert len(set(results)) == 1


def test_words_and_bytes_agree_with_the_oracle_at_odd_places(library):
    """The same picture at widths, offsets and strides where words can be used, and where they can't."""
    region = words()
    for width, offset in ((128, 0), (128, 1), (127, 0), (64, 4), (68, 0)):
        given = pictures(region, width, 9)
        memory = np.zeros(9 * width * 3 + 64, np.uint8)
        moved = memory[offset : offset + 9 * width * 3].reshape(9, width, 3)
        moved[:] = given.reads[0]
        given.reads[0] = moved
        (got,) = play(library, region, given)
        want = quantise(evaluate(region, given)[0], "u8")
        assert np.abs(got.astype(int) - want).max() <= 1


def test_a_call_follows_its_arrays_and_uniforms(library):
    given, other = pictures(HALF, 80, 20, seed=1), pictures(HALF, 80, 20, seed=2)
    out, numbers = np.zeros((20, 80, 3), np.uint8), np.array([1.0], np.float32)
    call = library.kernel(HALF).bind(given.reads, [], numbers, [out])
    call()
    assert (out == given.reads[0]).all()
    numbers[0] = 0.0
    call()
    assert not out.any()
    numbers[0] = 1.0
    call.set_read(0, other.reads[0])
    call()
    assert (out == other.reads[0]).all()
    small, target = pictures(HALF, 5, 3, seed=3), np.zeros((3, 5, 3), np.uint8)
    call.set_write(0, target)
    call.set_read(0, small.reads[0])
    call()
    assert (target == small.reads[0]).all()


def test_a_view_with_longer_rows_is_read_in_place(library):
    whole = pictures(HALF, 100, 12).reads[0]
    view, out = whole[2:9, 10:90], np.zeros((7, 80, 3), np.uint8)
    library.kernel(HALF).bind([view], [], np.ones(1, np.float32), [out])()
    assert (out == view).all()


def test_sizes_that_do_not_fit_raise_and_the_next_call_works(library):
    given, out = pictures(HALF, 80, 20), np.zeros((20, 80, 3), np.uint8)
    call = library.kernel(HALF).bind(given.reads, [], np.ones(1, np.float32), [out])
    call.set_read(0, pictures(HALF, 70, 20).reads[0])
    with pytest.raises(NodeError, match="kernel"):
        call()
    call.set_read(0, given.reads[0])
    call()
    assert (out == given.reads[0]).all()


@pytest.mark.parametrize(
    ("reads", "uniforms", "writes", "words"),
    [
        ([], np.ones(1, np.float32), [np.zeros((4, 4, 3), np.uint8)], "1 reads, not 0"),
        ([np.zeros((4, 4, 4), np.uint8)], np.ones(1, np.float32), [np.zeros((4, 4, 3), np.uint8)], "read 0"),
        ([np.zeros((4, 4, 3), np.float32)], np.ones(1, np.float32), [np.zeros((4, 4, 3), np.uint8)], "uint8"),
        ([np.zeros((4, 8, 3), np.uint8)[:, ::2]], np.ones(1, np.float32), [np.zeros((4, 4, 3), np.uint8)], "side by side"),
        ([np.zeros((0, 4, 3), np.uint8)], np.ones(1, np.float32), [np.zeros((4, 4, 3), np.uint8)], "read 0"),
        ([np.zeros((4, 4, 3), np.uint8)], np.ones(1), [np.zeros((4, 4, 3), np.uint8)], "uniforms"),
    ],
)  # fmt: skip
def test_arrays_that_do_not_fit_are_refused(library, reads, uniforms, writes, words):
    with pytest.raises(CompileError, match=words):
        library.kernel(HALF).bind(reads, [], uniforms, writes)


def test_a_kernel_that_is_not_there_is_named(library):
    other = Region((Read("u8", 1),), 0, 0, (Write("u8", load(0, 0).parts),))
    with pytest.raises(CompileError, match="compile the plan again"):
        library.kernel(other)


def test_a_file_that_is_no_library_is_refused(tmp_path):
    (tmp_path / "x.so").write_bytes(b"no library")
    with pytest.raises(CompileError, match="no library of kernels"):
        Library(tmp_path / "x.so")


def test_a_region_that_can_not_be_compiled_says_why(compiler):
    wide = make("gauss", load(0, 0).parts[0], load(0, 0).parts[0], attr=("x", 0))
    region = Region((Read("u8", 1),), 1, 0, (Write("u8", (wide,)),))
    with pytest.raises(CompileError, match="blur's width"):
        compiler.compile([region])


def test_equal_regions_give_equal_objects(tmp_path):
    first, second = (Compiler(Cache(tmp_path / name)) for name in "ab")
    assert first.build([HALF]).read_bytes() == second.build([HALF]).read_bytes()


def test_progress_counts_kernels_and_a_second_build_compiles_nothing(tmp_path, monkeypatch):
    compiler, seen = Compiler(Cache(tmp_path)), []
    path = compiler.build([HALF, words()], lambda done, total: seen.append((done, total)))
    assert seen[-1] == (2, 2) and sorted(seen) == seen
    monkeypatch.setattr(subprocess, "run", lambda *a, **k: pytest.fail("a worker was started"))
    assert Compiler(Cache(tmp_path)).build([words(), HALF]) == path
    assert compiler.cached(HALF)


def test_compile_later_hands_over_a_library_or_an_error(compiler):
    got, ready = [], threading.Event()

    def on_ready(library, error):
        got.append((library, error))
        ready.set()

    compiler.compile_later([HALF], on_ready)
    assert ready.wait(60)
    (library, error), *_ = got
    assert error is None and library.kernel(HALF)
    ready.clear()
    blur = make("gauss", load(0, 0).parts[0], load(0, 0).parts[0], attr=("x", 0))
    compiler.compile_later([Region((Read("u8", 1),), 1, 0, (Write("u8", (blur,)),))], on_ready)
    assert ready.wait(60)
    assert got[1][0] is None and isinstance(got[1][1], CompileError)


@pytest.mark.parametrize("target", ["linux-arm-64", f"linux-{usable('x86-64-v4')[-1]}"])
def test_other_targets_are_compiled_and_linked(tmp_path, target):
    path = Compiler(Cache(tmp_path), target).build([words()])
    machine = path.read_bytes()[18:20]
    assert machine == (b"\xb7\x00" if "arm" in target else b"\x3e\x00")  # ELF's e_machine


def test_a_target_that_is_none_is_refused():
    with pytest.raises(CompileError, match="linux-x86-64-v3"):
        Compiler(target="amiga-68k")
    assert host_target().partition("-")[2] in LEVELS


def test_extra_objects_are_linked_in(tmp_path):
    compiler = Compiler(Cache(tmp_path))
    key = compiler._key(words().key)
    compiler.build([words()])
    extra = compiler.cache.path(key, ".o")
    assert extra is not None
    library = compiler.compile([HALF], objects=[extra.read_bytes()])
    assert library.kernel(words()) and library.symbol("halide_set_num_threads")
    with pytest.raises(CompileError, match="no symbol"):
        library.symbol("not_there")


def test_the_linker_s_refusal_is_told(tmp_path):
    (tmp_path / "bad.o").write_bytes(b"rubbish")
    with pytest.raises(CompileError, match="linking kernels for linux"):
        link("linux-x86-64-v2", [tmp_path / "bad.o"], tmp_path / "out.so")


def test_playing_needs_no_compiler(tmp_path):
    """A finished library is opened and called without Halide, Numba, ziglang or networkx."""
    path = Compiler(Cache(tmp_path)).build([HALF])
    code = (
        "import sys, numpy as np, pathlib\n"
        "from spellwire.runtime.kernels.library import Library\n"
        "from spellwire.runtime.pixel.region import Region\n"
        "region = Region.decode(bytes.fromhex(sys.argv[2]))\n"
        "a, b = np.full((3, 70, 3), 200, np.uint8), np.zeros((3, 70, 3), np.uint8)\n"
        "Library(pathlib.Path(sys.argv[1])).kernel(region).bind([a], [], np.full(1, .5, np.float32), [b])()\n"
        "assert (b == 100).all()\n"
        "print([m for m in ('halide', 'numba', 'llvmlite', 'ziglang', 'networkx') if m in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path), HALF.encode().hex()],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"


# the cache


def test_an_entry_is_found_again_and_a_damaged_one_is_not(tmp_path):
    cache = Cache(tmp_path)
    path = cache.put("ab12", ".o", b"contents")
    assert cache.path("ab12", ".o") == path and path.read_bytes() == b"contents"
    assert cache.path("ab12", ".so") is None and cache.path("ab13", ".o") is None
    path.write_bytes(b"contentz")
    assert cache.path("ab12", ".o") is None and not path.exists()


def test_a_damaged_object_is_compiled_again(tmp_path):
    first = Compiler(Cache(tmp_path)).build([HALF]).read_bytes()
    for path in tmp_path.rglob("*.*o"):
        path.write_bytes(path.read_bytes()[:-5] + b"wrong")
    assert Compiler(Cache(tmp_path)).build([HALF]).read_bytes() == first


def test_a_cache_that_can_not_be_written_works_for_the_run_and_warns_once(tmp_path):
    (tmp_path / "file").write_text("in the way")
    cache = Cache(tmp_path / "file" / "kernels")
    with pytest.warns(RuntimeWarning, match="SPELLWIRE_CACHE"):
        path = cache.put("ab12", ".o", b"contents")
    assert cache.path("ab12", ".o") == path
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert cache.put("cd34", ".o", b"more").read_bytes() == b"more"


def test_what_was_used_longest_ago_goes_first(tmp_path):
    import os

    cache = Cache(tmp_path, limit=1000)
    paths = [cache.put(f"{i:04d}", ".o", bytes([i]) * 300) for i in range(3)]
    for age, path in enumerate(paths):
        os.utime(path, (1_000_000 + age, 1_000_000 + age))
    assert cache.path("0000", ".o") == paths[0]  # used again: now the youngest
    cache.put("0009", ".o", b"z" * 300)
    assert paths[0].exists() and not paths[1].exists()


def test_two_processes_may_fill_one_cache(tmp_path):
    code = (
        "import sys, pathlib\n"
        "from spellwire.runtime.kernels.cache import Cache\n"
        "cache = Cache(pathlib.Path(sys.argv[1]))\n"
        "for i in range(200):\n"
        "    cache.put(f'{i % 7:04d}', '.o', bytes([i % 7]) * 5000)\n"
        "    path = cache.path(f'{i % 5:04d}', '.o')\n"
        "    assert path is None or path.read_bytes() == bytes([i % 5]) * 5000\n"
    )
    workers = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path)]) for _ in range(3)]
    assert [w.wait() for w in workers] == [0, 0, 0]
    assert not list(Path(tmp_path).rglob(".new-*"))


def test_deep_expressions_compile(compiler):
    value = load(0, 0)
    for i in range(400):
        value = vec(value * 0.99 + load(0, i % 3) * 0.01)
    region = Region((Read("u8", 3),), 0, 0, (Write("f32", value.parts),))
    given = pictures(region, 70, 4)
    (got,) = play(compiler.compile([region]), region, given)
    assert np.abs(got - evaluate(region, given)[0]).max() < 1e-4


def test_an_expression_used_twice_at_every_step_stays_small(compiler):
    """Sixty doublings: as a tree it would have 2⁶⁰ nodes."""
    value = load(0, 0)
    for _ in range(60):
        value = value * value * 0.5 + value * 0.4
    region = Region((Read("u8", 1),), 0, 0, (Write("f32", value.parts),))
    given = pictures(region, 70, 4)
    (got,) = play(compiler.compile([region]), region, given)
    assert np.abs(got - evaluate(region, given)[0]).max() < 1e-4
