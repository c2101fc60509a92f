"""Kernels in a shared library, called from Python: the player's part, which needs no compiler.

A call is one ctypes call with one pointer (an array of pointers to buffers and numbers that lie still), and lets go
of the interpreter lock. Pictures are handed over by pointer; nothing is copied.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...graph.errors import CompileError, NodeError
from ..pixel.region import TAIL, Region, broad, by_words, stretches

__all__ = ["Call", "Kernel", "Library", "kernel_name", "shapes"]

NARROW = 64  # pictures narrower than this take the kernel's scalar copy
WORDS = 128  # pictures at least this wide may be taken as words
DTYPES = {"u8": np.dtype(np.uint8), "f16": np.dtype(np.float16), "f32": np.dtype(np.float32)}
_SIGNED, _UINT, _FLOAT = 0, 1, 2  # Halide's type codes
_HANDLER = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_char_p)


def kernel_name(key: str) -> str:
    """What a kernel's symbols begin with; what is called has the shape and `argv` behind, as in `k_…_wide_argv`."""
    return f"k_{key[:16]}"


def shapes(region: Region) -> tuple[str, ...]:
    """The copies of its loops a kernel has (see `pixel.lower`)."""
    special = (("words",) if by_words(region) else ()) + (("broad",) if broad(region) else ())
    return ("wide", "narrow", *special)


class _Dim(ctypes.Structure):
    _fields_ = [("min", ctypes.c_int32), ("extent", ctypes.c_int32), ("stride", ctypes.c_int32),
                ("flags", ctypes.c_uint32)]  # fmt: skip


class _Buffer(ctypes.Structure):
    """halide_buffer_t."""

    _fields_ = [
        ("device", ctypes.c_uint64), ("interface", ctypes.c_void_p), ("host", ctypes.c_void_p),
        ("flags", ctypes.c_uint64), ("code", ctypes.c_uint8), ("bits", ctypes.c_uint8), ("lanes", ctypes.c_uint16),
        ("dimensions", ctypes.c_int32), ("dim", ctypes.POINTER(_Dim)), ("padding", ctypes.c_void_p),
    ]  # fmt: skip


class Library:
    """A plan's kernels. Opening takes a fraction of a millisecond."""

    def __init__(self, path: Path):
        """Raises CompileError when the file is no library of kernels for this machine."""
        self.path = path
        try:
            self._native = ctypes.CDLL(str(path))
            set_handler = self._native.halide_set_error_handler
        except (OSError, AttributeError) as error:
            raise CompileError(f"{path} is no library of kernels for this machine: {error}") from None
        self._messages: list[str] = []
        # Halide's own handler ends the process; ours keeps the words for the error that is raised after the call.
        self._handler = _HANDLER(lambda _, text: self._messages.append(text.decode(errors="replace").strip()))
        set_handler.restype, set_handler.argtypes = ctypes.c_void_p, [_HANDLER]
        set_handler(self._handler)

    def set_threads(self, count: int) -> None:
        """How many threads a kernel may use, the caller's among them. Changes no pixel."""
        self.threads = max(1, count)
        self._native.halide_set_num_threads(ctypes.c_int(self.threads))

    threads = 1

    def kernel(self, region: Region) -> Kernel:
        """The kernel of a region. Raises CompileError when the library has none."""
        return Kernel(self, region)

    def function(self, name: str) -> ctypes._CFuncPtr:  # type: ignore[name-defined]
        """A symbol, as a function of one pointer that returns an int (0: fine)."""
        try:
            function = self._native[name]
        except AttributeError:
            raise CompileError(f"{self.path.name} has no kernel {name}; compile the plan again") from None
        function.restype, function.argtypes = ctypes.c_int, [ctypes.c_void_p]
        return function

    def symbol(self, name: str) -> int:
        """The address of an exported symbol (a loop compiled by Numba)."""
        try:
            return ctypes.cast(self._native[name], ctypes.c_void_p).value or 0
        except AttributeError:
            raise CompileError(f"{self.path.name} has no symbol {name}; compile the plan again") from None

    @property
    def native(self) -> ctypes.CDLL:
        """The library itself, for native loops."""
        return self._native

    def close(self) -> None:
        """Nothing to do: the library lives as long as the process, as calls may be under way."""

    def explain(self, code: int) -> str:
        """Halide's words for the last failure, and forget them."""
        words = "; ".join(self._messages) or f"code {code}"
        self._messages.clear()
        return words


class Kernel:
    """One region's machine code."""

    def __init__(self, library: Library, region: Region):
        self.library, self.region = library, region
        name = kernel_name(region.key)
        self.functions = {shape: library.function(f"{name}_{shape}_argv") for shape in shapes(region)}
        self.gauss = next((n.attr[1] for n in region.nodes if n.op == "gauss"), None) if broad(region) else None
        self.blurred = any(n.op == "gauss" for n in region.nodes)
        self.stretched = sum(len(channels) for channels in stretches(region).values())

    def bind(
        self,
        reads: Sequence[np.ndarray],
        tables: Sequence[np.ndarray],
        uniforms: np.ndarray,
        writes: Sequence[np.ndarray],
    ) -> Call:
        """A call on these arrays: rasters (height, width, channels), tables 1-D float32, uniforms float32.

        The arrays are kept alive and read at each call; uniforms may be refilled in between. Writes may not share
        memory with reads. Raises CompileError for a wrong number, shape or type of any.
        """
        return Call(self, reads, tables, uniforms, writes)


class Call:
    """A kernel bound to its arrays. Calling it does the work; `set_read` and `set_write` hand it other rasters."""

    __slots__ = (
        "_argv", "_arguments", "_function", "_gauss", "_keep", "_numbers", "_rasters", "_tables", "_whole", "kernel", "size",
    )  # fmt: skip

    def __init__(self, kernel: Kernel, reads, tables, uniforms, writes):
        region = kernel.region
        self.kernel, self.size = kernel, (0, 0)
        for what, given, wanted in (
            ("reads", len(reads), len(region.reads)),
            ("tables", len(tables), region.tables),
            ("writes", len(writes), len(region.writes)),
        ):
            if given != wanted:
                raise CompileError(f"the kernel takes {wanted} {what}, not {given}")
        if uniforms.dtype != np.float32 or not uniforms.flags.c_contiguous or uniforms.size < region.uniforms:
            raise CompileError(f"the kernel takes {region.uniforms} float32 uniforms in a row")
        specs = [*region.reads, *region.writes]
        self._keep: list[Any] = [None] * len(specs) + [uniforms, *tables]
        self._whole = [False] * len(specs)  # whether a raster can be taken as words
        self._tables = [_table(t) for t in tables]
        self._gauss = tables[kernel.gauss] if kernel.gauss is not None and tables[kernel.gauss].size > TAIL else None
        self._rasters: dict[str, list[_Buffer]] = {}
        self._numbers: dict[str, np.ndarray] = {}
        self._arguments: dict[str, ctypes.Array] = {}
        plain = [_raster(s.format, s.channels) for s in specs]
        for shape in kernel.functions:
            self._rasters[shape] = plain
            if shape == "words":
                self._rasters[shape] = [_words(s.format, s.channels) for s in specs]
            elif shape == "broad":
                self._rasters[shape] = [*plain[: len(region.reads)], *(_blocks(s.format, s.channels) for s in region.writes)]
            self._numbers[shape] = np.zeros(6, np.int32)  # width, height, rows; of a broad blur also step, lines, reach
            self._arguments[shape] = self._line_up(shape, uniforms)
        for i, array in enumerate(writes):
            self.set_write(i, array)
        for i, array in enumerate(reads):
            self.set_read(i, array)

    def _line_up(self, shape: str, uniforms: np.ndarray) -> ctypes.Array:
        """Pointers to all arguments, in order of the calling convention (see `pixel.lower`)."""
        rasters = [ctypes.addressof(b) for b in self._rasters[shape]]
        tables = [ctypes.addressof(b) for b in self._tables]
        slots = [uniforms.ctypes.data + 4 * i for i in range(self.kernel.region.uniforms)]
        numbers = [self._numbers[shape].ctypes.data + 4 * i for i in range(6 if shape == "broad" else 3)]
        reads = len(self.kernel.region.reads)
        everything = [*rasters[:reads], *tables, *slots, *numbers, *rasters[reads:]]
        return (ctypes.c_void_p * len(everything))(*everything)

    def __call__(self) -> None:
        """Do the work. Raises NodeError when the kernel refuses (sizes that don't fit)."""
        if self._gauss is not None and self._gauss[-TAIL] > 1.0 and self.size[1] >= NARROW:
            self._broad(int(self._gauss[-TAIL]), int(self._gauss[1 - TAIL]))
        elif code := self._function(self._argv):
            raise NodeError(f"a kernel refused its pictures: {self.kernel.library.explain(code)}")

    def _broad(self, step: int, reach: int) -> None:
        """By blocks of `step` rows, and once more for the rows that are left over."""
        height, width = self.size
        blocks, left = divmod(height, step)
        self._numbers["broad"][:] = width, blocks, self._blocks(blocks), step, height, reach
        for first, count, rows in ((0, blocks, step), (blocks, 1, left)):
            if not count or not rows:
                continue
            reads = len(self.kernel.region.reads)
            for plain, buffer in zip(self._rasters["wide"][reads:], self._rasters["broad"][reads:], strict=True):
                down = plain.dim[1].stride
                dim, size = buffer.dim, plain.bits // 8
                buffer.host = plain.host + first * step * down * size
                dim[0].extent, dim[1].extent, dim[1].stride = width, rows, down
                dim[2].min, dim[2].extent, dim[2].stride = first, count, step * down
            if code := self.kernel.functions["broad"](self._arguments["broad"]):
                raise NodeError(f"a kernel refused its pictures: {self.kernel.library.explain(code)}")

    def _blocks(self, blocks: int) -> int:
        """The height of a broad blur's strip, in blocks: two strips a thread, of whole sixteens."""
        threads = self.kernel.library.threads
        return max(16, -(-blocks // (16 * (2 * threads if threads > 1 else 1))) * 16)

    def set_read(self, index: int, array: np.ndarray) -> None:
        """Read from another array from now on; another size is fine where the region allows it."""
        if array is self._keep[index]:
            return
        spec = self.kernel.region.reads[index]
        self._point(index, array, spec.format, spec.channels, "read", index)

    def set_write(self, index: int, array: np.ndarray) -> None:
        """Write into another array from now on. Give all writes one size before the next call."""
        region = self.kernel.region
        spec = region.writes[index]
        if not array.flags.writeable:
            raise CompileError(f"write {index} is a read-only array")
        if index == 0 and array.shape[:2] != self.size:
            self._resize(*array.shape[:2])
        self._point(len(region.reads) + index, array, spec.format, spec.channels, "write", index)

    def _resize(self, height: int, width: int) -> None:
        self.size = (height, width)
        for shape, numbers in self._numbers.items():
            numbers[:3] = width // 4 if shape == "words" else width, height, self._rows(height, width)

    def _choose(self) -> None:
        if all(self._whole) and "words" in self._arguments:
            shape = "words"
        else:
            shape = "narrow" if self.size[1] < NARROW else "wide"
        self._function, self._argv = self.kernel.functions[shape], self._arguments[shape]

    def _rows(self, height: int, width: int) -> int:
        """The height of a strip: several a thread, to even out; a blur's strips high, since each repeats its edges.

        A blur keeps a strip's rows, and as many beyond as it reaches, a column of 320 pixels wide (the whole row where
        there are several writes): that memory is taken anew at each call, and kept below 800 kB a channel.
        """
        threads = self.kernel.library.threads
        if not self.kernel.blurred:
            most = height if not self.kernel.stretched else max(8, 190_000 // (width * self.kernel.stretched))
            return min(most, max(8, -(-height // (4 * threads if threads > 1 else 1))))
        reach = max((t.dim[0].extent for t in self._tables), default=1) - 1
        if self._gauss is not None:  # then wide ones are broad
            reach = 12
        across = min(width, 320) if len(self.kernel.region.writes) == 1 else width
        most = max(32, 190_000 // (across + 32) - 2 * reach - 16)
        strips = max(2 * threads if threads > 1 else 1, -(-height // most))
        return max(8, -(-height // strips))

    def _point(
        self, position: int, array: np.ndarray, format: str, channels: int, what: str, index: int
    ) -> None:
        shape = array.shape
        if array.dtype != DTYPES[format] or len(shape) != 3 or shape[2] != channels or not array.size:
            raise CompileError(
                f"{what} {index} must be (height, width, {channels}) {DTYPES[format]}, not {shape} {array.dtype}"
            )
        size, (down, across, deep) = array.itemsize, array.strides
        row = size * channels * shape[1]
        down = row if shape[0] == 1 else down
        if (
            (channels > 1 and deep != size)
            or (shape[1] > 1 and across != size * channels)
            or down < row
            or down % size
        ):
            raise CompileError(f"{what} {index} must have its channels and pixels side by side in a row")
        address = array.__array_interface__["data"][0]
        buffer = self._rasters["wide"][position]
        buffer.host, dim = address, buffer.dim
        dim[0].extent, dim[1].extent, dim[1].stride = shape[1], shape[0], down // size
        if "words" in self._rasters:
            buffer = self._rasters["words"][position]
            buffer.host, dim = address, buffer.dim
            dim[0].extent, dim[1].extent, dim[1].stride = shape[1] // 4, shape[0], down // 4
            self._whole[position] = not (shape[1] & 3 or down & 3 or address & 3 or shape[1] < WORDS)
        self._keep[position] = array
        self._choose()


def _words(format: str, channels: int) -> _Buffer:
    """As groups of four pixels: n words of uint8 in n channels, or four floats."""
    code, count = (_SIGNED, channels) if format == "u8" else (_FLOAT, 4)
    dims = (_Dim * 3)(_Dim(0, 0, count, 0), _Dim(0, 0, 0, 0), _Dim(0, count, 1, 0))
    return _Buffer(0, None, None, 0, code, 32, 1, 3, ctypes.cast(dims, ctypes.POINTER(_Dim)), None)


def _blocks(format: str, channels: int) -> _Buffer:
    """As blocks of rows: x, the row in its block, the block, the channel."""
    buffer = _raster(format, channels)
    dims = (_Dim * 4)(_Dim(0, 0, channels, 0), _Dim(0, 0, 0, 0), _Dim(0, 0, 0, 0), _Dim(0, channels, 1, 0))
    buffer.dimensions, buffer.dim = 4, ctypes.cast(dims, ctypes.POINTER(_Dim))
    return buffer


def _raster(format: str, channels: int) -> _Buffer:
    bits, code = {"u8": (8, _UINT), "f16": (16, _FLOAT), "f32": (32, _FLOAT)}[format]
    dims = (_Dim * 3)(_Dim(0, 0, channels, 0), _Dim(0, 0, 0, 0), _Dim(0, channels, 1, 0))
    return _Buffer(0, None, None, 0, code, bits, 1, 3, ctypes.cast(dims, ctypes.POINTER(_Dim)), None)


def _table(array: np.ndarray) -> _Buffer:
    if array.dtype != np.float32 or array.ndim != 1 or not array.flags.c_contiguous or not array.size:
        raise CompileError(f"a table must be a row of float32, not {array.shape} {array.dtype}")
    dims = (_Dim * 1)(_Dim(0, array.size, 1, 0))
    return _Buffer(
        0, None, array.ctypes.data, 0, _FLOAT, 32, 1, 1, ctypes.cast(dims, ctypes.POINTER(_Dim)), None
    )
