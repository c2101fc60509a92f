"""A native loop as an object file for a target, by Numba and LLVM in a fresh process.

    python -m spellwire.runtime.native.emit LOOP TARGET FILE

Numba only writes the function down in LLVM's language (`_nrt=False`, no Python objects, no exceptions); LLVM then
optimises and emits it for the target. What is kept is the inner function under the loop's symbol: an object without an
undefined symbol, so it needs no C library and no Python. One process an object, because Numba reads its settings once and
its names count up.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.metadata
import inspect
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any

from ...graph.errors import CompileError
from ..kernels.cache import Cache
from ..kernels.targets import split
from .loops import Loop, loop

__all__ = ["emit", "objects"]

# Numba may not look at this machine, and leaves optimising to LLVM below
SETTINGS = {
    "NUMBA_CPU_NAME": "generic",
    "NUMBA_CPU_FEATURES": "",
    "NUMBA_OPT": "0",
    "NUMBA_LOOP_VECTORIZE": "0",
    "NUMBA_SLP_VECTORIZE": "0",
    "NUMBA_DISABLE_JIT": "0",
}
OPTIONS: dict[str, Any] = {"error_model": "numpy", "_nrt": False}
TRIPLES = {
    ("linux", "x86"): "x86_64-unknown-linux-gnu",
    ("linux", "arm"): "aarch64-unknown-linux-gnu",
    ("macos", "x86"): "x86_64-apple-macosx11.0.0",
    ("macos", "arm"): "arm64-apple-macosx11.0.0",
    ("windows", "x86"): "x86_64-pc-windows-msvc",
    ("windows", "arm"): "aarch64-pc-windows-msvc",
}
# C library functions that Numba calls and processors do alone
INTRINSICS = {"sqrtf": "llvm.sqrt.f32", "floorf": "llvm.floor.f32", "sqrt": "llvm.sqrt.f64", "floor": "llvm.floor.f64"}
TYPES = {"f32*": "ptr", "i32*": "ptr", "i64*": "ptr", "u8*": "ptr", "u16*": "ptr", "f32": "float", "i64": "i64"}
EMISSION = 1  # rises when the machine code of a loop changes, so that old entries are no longer found
TIMEOUT = 300  # seconds; about 3 are usual


def objects(names: Iterable[str], cache: Cache, target: str) -> list[bytes]:
    """The object files of these loops, from the cache where it has them: what `Compiler.compile(objects=…)` links.

    Raises:
        CompileError: no such loop, or one does not compile.
    """
    wanted = [loop(name) for name in sorted(set(names))]
    with ThreadPoolExecutor(max(1, len(wanted))) as pool:
        return list(pool.map(lambda each: _cached(each, target, cache), wanted))


def _cached(wanted: Loop, target: str, cache: Cache) -> bytes:
    parts = (wanted.key, target, _version("numba"), _version("llvmlite"), str(EMISSION))
    key = hashlib.sha256("\n".join(parts).encode()).hexdigest()
    found = cache.path(key, ".o")
    return found.read_bytes() if found else cache.put(key, ".o", emit(wanted, target)).read_bytes()


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        raise CompileError(
            f'native loops are compiled by {distribution}; install the author parts: pip install "spellwire[author]"'
        ) from None


def emit(wanted: Loop, target: str) -> bytes:
    """The object file of a loop for a target (see kernels.targets), the same bytes every time.

    Raises:
        CompileError: an unknown target, or the loop does not compile; the message holds the compiler's last lines.
    """
    split(target)
    with tempfile.TemporaryDirectory(prefix="spellwire-") as folder:
        file = Path(folder) / "loop.o"
        command = [sys.executable, "-m", __name__, wanted.name, target, str(file)]
        try:
            done = subprocess.run(
                command, env=os.environ | SETTINGS, capture_output=True, text=True, timeout=TIMEOUT, check=False
            )
        except subprocess.TimeoutExpired:
            raise CompileError(f"native loop {wanted.name} for {target}: compiling took over {TIMEOUT} s") from None
        if done.returncode or not file.exists():
            tail = "\n".join(done.stderr.strip().splitlines()[-4:]) or f"exit code {done.returncode}"
            raise CompileError(f"native loop {wanted.name} for {target} does not compile: {tail}")
        return file.read_bytes()


def _main(name: str, target: str, file: str) -> None:
    wanted = loop(name)
    Path(file).write_bytes(_object(wanted, _llvm(wanted), target))


def _llvm(wanted: Loop) -> str:
    """LLVM's text of the inner function, under the name `inner`."""
    import numba
    from numba import types

    kinds: dict[str, Any] = {
        "f32*": types.CPointer(types.float32), "i32*": types.CPointer(types.int32),
        "i64*": types.CPointer(types.int64), "u8*": types.CPointer(types.uint8), "u16*": types.CPointer(types.uint16),
        "f32": types.float32, "i64": types.int64,
    }  # fmt: skip
    module = importlib.import_module(wanted.qualified)
    source = getattr(module, wanted.name)
    _compile_helpers(module, numba)
    signature = types.void(*(kinds[kind] for _, kind in wanted.arguments))
    made: Any = numba.cfunc(signature, **OPTIONS)(source)
    text = made._library.get_llvm_str()
    # Numba's names carry the function's own, with its length before it
    (inner,) = re.findall(rf"^define i32 @(\w*{len(wanted.name)}{wanted.name}B\w*)\(", text, re.MULTILINE)
    return text.replace(f"@{inner}(", "@inner(")


def _compile_helpers(module: ModuleType, numba: Any) -> None:
    """The module's private functions are compiled with it."""
    for name, value in list(vars(module).items()):
        if name.startswith("_") and inspect.isfunction(value) and value.__module__ == module.__name__:
            setattr(module, name, numba.njit(**OPTIONS)(value))


def _object(wanted: Loop, text: str, target: str) -> bytes:
    import llvmlite.binding as llvm

    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    system, level = split(target)
    machine = llvm.Target.from_triple(TRIPLES[system, level[:3]]).create_target_machine(
        cpu=level if level.startswith("x86") else "generic", opt=3, reloc="pic", codemodel="small"
    )
    for name, intrinsic in INTRINSICS.items():
        text = re.sub(rf"@{name}\b", f"@{intrinsic}", text)
    # the optimiser must not turn a loop into a call of memset
    text = re.sub(r"^(define [^\n]*) \{$", r'\1 "no-builtins" {', text, flags=re.MULTILINE)
    text = re.sub(r"^target (datalayout|triple).*\n", "", text, flags=re.MULTILINE)
    module = llvm.parse_assembly(text + _entry(wanted))
    module.triple, module.data_layout = machine.triple, str(machine.target_data)
    for thing in (*module.functions, *module.global_variables):
        if not thing.is_declaration and thing.name != wanted.symbol:
            thing.linkage = "internal"
    options = llvm.create_pipeline_tuning_options(speed_level=3)
    options.loop_vectorization = options.slp_vectorization = True
    builder = llvm.create_pass_builder(machine, options)
    builder.getModulePassManager().run(module, builder)
    return machine.emit_object(module)


def _entry(wanted: Loop) -> str:
    """The exported function: calls the inner one, whose status can only be success."""
    arguments = ", ".join(f"{TYPES[kind]} %{name}" for name, kind in wanted.arguments)
    return f"""
define dllexport void @{wanted.symbol}({arguments}) "no-builtins" {{
  %nothing = alloca ptr
  %status = call i32 @inner(ptr %nothing, ptr %nothing, {arguments})
  ret void
}}
"""


if __name__ == "__main__":
    _main(*sys.argv[1:])
