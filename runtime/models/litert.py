"""`.tflite` files in LiteRT's interpreter with XNNPACK.

Its newer CompiledModel was measured against it (ai-edge-litert 2.3, one thread, a shared machine): face landmarks
1.23 ms both, segmentation 3.24 and 3.22, the same bits; but it hands no memory out, so each call copies in and out,
and it loads a WebGPU library. So: the interpreter.
"""

from __future__ import annotations

import os
import re
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ...graph.errors import ModelError
from .model import Model, TensorInfo

__all__ = ["LiteRTModel"]


class LiteRTModel(Model):
    """A `.tflite` network. Views are the tensor arena itself."""

    def __init__(self, path: Path, name: str, threads: int):
        super().__init__(name, threads)
        self._path = path
        self._shapes: dict[int, tuple[int, ...]] = {}
        self._start()

    def _start(self) -> None:
        try:
            with _quiet_first_time():
                self._build()
        except (ValueError, RuntimeError) as error:
            raise ModelError(_explain(self.name, str(error))) from error

    def _build(self) -> None:
        from ai_edge_litert.interpreter import Interpreter

        interpreter = Interpreter(model_path=str(self._path), num_threads=self.threads)
        inputs = interpreter.get_input_details()
        for i, shape in self._shapes.items():
            interpreter.resize_tensor_input(inputs[i]["index"], shape)
        interpreter.allocate_tensors()
        outputs = interpreter.get_output_details()
        self._inputs = [int(d["index"]) for d in inputs]
        self._outputs = [int(d["index"]) for d in outputs]
        # The public `invoke` refuses while any view of a tensor is alive. The views here are rooted in this
        # object, so the arena outlives them, and nothing moves it: a resize builds a new interpreter.
        self._native: Any = interpreter._interpreter
        self.inputs = tuple(_info(d) for d in interpreter.get_input_details())
        self.outputs = tuple(_info(d) for d in outputs)
        for i in range(len(inputs)):
            self.input(i)[...] = 0

    def input(self, which: int | str = 0) -> np.ndarray:
        return self._view(self._inputs[self._index(self.inputs, which)])

    def output(self, which: int | str = 0) -> np.ndarray:
        return self._view(self._outputs[self._index(self.outputs, which)])

    def _view(self, tensor: int) -> np.ndarray:
        return self._open().tensor(self._native, tensor)  # 0.4 µs, so asked for anew: outputs may be dynamic

    def run(self) -> None:
        try:
            self._open().Invoke()
        except RuntimeError as error:
            raise ModelError(f"Model {self.name} failed while running: {_first_line(str(error))}.") from error

    def resize(self, which: int | str, shape: tuple[int, ...]) -> None:
        self._open()
        i = self._index(self.inputs, which)
        before = dict(self._shapes)
        self._shapes[i] = tuple(int(axis) for axis in shape)
        try:
            self._start()
        except ModelError as error:
            self._shapes = before
            raise ModelError(
                f"Model {self.name} can't take {tuple(shape)} for {self.inputs[i]}: {error}"
            ) from error

    def close(self) -> None:
        self._native = None

    def _open(self) -> Any:
        if self._native is None:
            raise ModelError(f"Model {self.name} is closed; open it again.")
        return self._native


def _info(details: dict[str, Any]) -> TensorInfo:
    return TensorInfo(
        str(details["name"]), tuple(int(n) for n in details["shape"]), np.dtype(details["dtype"])
    )


def _explain(name: str, message: str) -> str:
    if custom := re.search(r"unresolved custom op: (\w+)", message):
        return (
            f"Model {name} needs the operation {custom[1]}, which LiteRT doesn't have. "
            "Use a variant without custom operations, or run it through MediaPipe in a worker."
        )
    if "Flatbuffer" in message or "mmap" in message or "identifier" in message:
        return f"Model {name} is not a whole .tflite file: {_first_line(message)}. Get it again."
    return f"Model {name} can't be loaded by LiteRT: {_first_line(message)}."


def _first_line(message: str) -> str:
    return message.strip().splitlines()[0].rstrip(".") if message.strip() else "no reason given"


_greeting = threading.Lock()
_greeted = False


@contextmanager
def _quiet_first_time() -> Iterator[None]:
    """Keep XNNPACK's one greeting ("INFO: Created …") off the terminal; whatever else is written passes on."""
    global _greeted
    if _greeted:
        yield
        return
    with _greeting:
        _greeted = True
        try:
            kept = os.dup(2)
        except OSError:  # no standard error at all
            yield
            return
        with tempfile.TemporaryFile() as aside:
            os.dup2(aside.fileno(), 2)
            try:
                yield
            finally:
                os.dup2(kept, 2)
                os.close(kept)
                aside.seek(0)
                os.write(2, b"".join(line for line in aside if b"XNNPACK delegate" not in line))
