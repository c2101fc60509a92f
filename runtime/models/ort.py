"""`.onnx` files in ONNX Runtime, through IO binding onto buffers of ours: a run copies and allocates nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ...graph.errors import ModelError
from .model import Model, TensorInfo
from .onnxfile import check_self_contained

__all__ = ["OrtModel"]

DTYPES = {
    "tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(double)": np.float64,
    "tensor(uint8)": np.uint8, "tensor(int8)": np.int8, "tensor(uint16)": np.uint16, "tensor(int16)": np.int16,
    "tensor(int32)": np.int32, "tensor(uint32)": np.uint32, "tensor(int64)": np.int64, "tensor(uint64)": np.uint64,
    "tensor(bool)": np.bool_,
}  # fmt: skip


class OrtModel(Model):
    """An `.onnx` network. Buffers appear once every input has its size (`resize` for free axes)."""

    def __init__(self, path: Path, name: str, threads: int, providers: tuple[str, ...]):
        super().__init__(name, threads)
        check_self_contained(path, name)
        self._session: Any = _session(path, name, threads, providers)
        self.inputs = tuple(_info(arg, name) for arg in self._session.get_inputs())
        self.outputs = tuple(_info(arg, name) for arg in self._session.get_outputs())
        self._in: list[np.ndarray | None] = [_zeros(info) for info in self.inputs]
        self._out: list[np.ndarray | None] = [_zeros(info) for info in self.outputs]
        self._dynamic = any(buffer is None for buffer in self._out)
        self._binding: Any = None

    def input(self, which: int | str = 0) -> np.ndarray:
        self._open()
        buffer = self._in[self._index(self.inputs, which)]
        if buffer is None:
            raise ModelError(f"Model {self.name}: {which!r} has free axes; give it a size with resize first.")
        return buffer

    def output(self, which: int | str = 0) -> np.ndarray:
        self._open()
        buffer = self._out[self._index(self.outputs, which)]
        if buffer is None:
            raise ModelError(
                f"Model {self.name}: {which!r} has free axes; its size is known after the first run."
            )
        return buffer

    def run(self) -> None:
        if self._binding is None:
            self._bind()
        try:
            self._open().run_with_iobinding(self._binding)
        except Exception as error:
            if not self._dynamic:
                raise _failed(self.name, error) from error
            self._bind()  # the size of an output may depend on the data: measured again

    def _bind(self) -> None:
        session = self._open()
        if self._dynamic:
            feeds = {info.name: self.input(i) for i, info in enumerate(self.inputs)}
            try:
                self._out = list(session.run(None, feeds))
            except Exception as error:
                raise _failed(self.name, error) from error
        self._binding = session.io_binding()
        for i, info in enumerate(self.inputs):
            array = self.input(i)
            self._binding.bind_input(info.name, "cpu", 0, array.dtype, array.shape, array.ctypes.data)
        for i, info in enumerate(self.outputs):
            array = self.output(i)
            self._binding.bind_output(info.name, "cpu", 0, array.dtype, array.shape, array.ctypes.data)

    def resize(self, which: int | str, shape: tuple[int, ...]) -> None:
        self._open()
        i = self._index(self.inputs, which)
        declared = self.inputs[i].shape
        fits = len(shape) == len(declared) and all(
            d in (None, n) for d, n in zip(declared, shape, strict=True)
        )
        if not fits or any(n < 0 for n in shape):
            raise ModelError(f"Model {self.name} can't take {tuple(shape)} for {self.inputs[i]}.")
        self._in[i] = np.zeros(shape, self.inputs[i].dtype)
        self._binding = None

    def close(self) -> None:
        self._binding = self._session = None

    def _open(self) -> Any:
        if self._session is None:
            raise ModelError(f"Model {self.name} is closed; open it again.")
        return self._session


def _session(path: Path, name: str, threads: int, providers: tuple[str, ...]) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.use_deterministic_compute = True
    options.log_severity_level = 4
    # waiting threads leave the cores to the other lanes
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    here = set(onnxruntime.get_available_providers())
    if not (usable := [provider for provider in providers if provider in here]):
        raise ModelError(
            f"Model {name}: none of the execution providers {providers} is here; there are {sorted(here)}."
        )
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=usable)
    except Exception as error:  # as above: no common ancestor
        raise ModelError(f"Model {name} can't be loaded by ONNX Runtime: {_first_line(error)}") from error


def _info(arg: Any, name: str) -> TensorInfo:
    if arg.type not in DTYPES:
        raise ModelError(f"Model {name}: {arg.name} is a {arg.type}, which can't lie in an array.")
    shape = tuple(axis if isinstance(axis, int) and axis >= 0 else None for axis in arg.shape)
    return TensorInfo(arg.name, shape, np.dtype(DTYPES[arg.type]))


def _zeros(info: TensorInfo) -> np.ndarray | None:
    return None if None in info.shape else np.zeros(info.shape, info.dtype)  # type: ignore[arg-type]


def _failed(name: str, error: Exception) -> ModelError:
    # the library's exceptions have no common ancestor below Exception
    return ModelError(f"Model {name} failed while running: {_first_line(error)}")


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
