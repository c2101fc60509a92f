"""One interface over the two inference libraries: LiteRT runs `.tflite`, ONNX Runtime runs `.onnx`.

    with open_model("mediapipe/face_landmark", threads=1) as model:
        crop = model.input(0)          # the library's own memory: (1, 192, 192, 3) float32
        while playing:
            write_crop_into(crop)
            model.run()                # releases the GIL, copies nothing
            points = model.output(0)   # again the library's own memory

A model belongs to one thread at a time. `run` gives the same bits for the same input, whatever the number of
threads.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from ...graph.errors import ModelError, ModelMismatch

if TYPE_CHECKING:
    from .registry import Entry, Tensor
    from .resolver import Progress

__all__ = ["Model", "TensorInfo", "open_model"]


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """A tensor at the edge of a model. An axis of None in `shape` is free: `Model.resize` gives it a size."""

    name: str
    shape: tuple[int | None, ...]
    dtype: np.dtype

    def __str__(self) -> str:
        axes = ", ".join("?" if axis is None else str(axis) for axis in self.shape)
        return f"{self.name} ({axes}) {self.dtype}"


class Model(ABC):
    """A loaded network with its buffers.

    `input` and `output` return views of memory that lives as long as somebody holds a view of it. A view is current
    until `resize`, after which it must be asked for again; an output is overwritten by the next `run`.
    """

    def __init__(self, name: str, threads: int):
        self.name = name
        self.threads = threads
        self.inputs: tuple[TensorInfo, ...] = ()
        self.outputs: tuple[TensorInfo, ...] = ()

    @abstractmethod
    def input(self, which: int | str = 0) -> np.ndarray:
        """The writable memory of an input, by position or name. ModelError while it has a free axis."""

    @abstractmethod
    def output(self, which: int | str = 0) -> np.ndarray:
        """The memory of an output, by position or name, as the last `run` left it."""

    @abstractmethod
    def run(self) -> None:
        """Compute the outputs from the inputs. ModelError if the library fails."""

    @abstractmethod
    def resize(self, which: int | str, shape: tuple[int, ...]) -> None:
        """Give an input a new shape; inputs read zero afterwards. ModelError if the network can't take it."""

    @abstractmethod
    def close(self) -> None:
        """Let go of the network. Views that are still held stay readable."""

    def feed(self, which: int | str, array: np.ndarray) -> None:
        """Copy an array into an input, its shape and dtype checked (ModelError)."""
        target = self.input(which)
        if array.shape != target.shape or array.dtype != target.dtype:
            raise ModelError(
                f"Model {self.name}: input {which!r} takes {target.shape} {target.dtype}, "
                f"not {array.shape} {array.dtype}. Resize or convert it first."
            )
        np.copyto(target, array)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _index(self, infos: tuple[TensorInfo, ...], which: int | str) -> int:
        names = [info.name for info in infos]
        if isinstance(which, str) and which in names:
            return names.index(which)
        if isinstance(which, int) and 0 <= which < len(infos):
            return which
        raise ModelError(
            f"Model {self.name} has no tensor {which!r} there; it has {', '.join(map(str, infos))}."
        )


def open_model(
    reference: str | Path | Mapping[str, Any],
    *,
    threads: int = 1,
    profile: Mapping[str, Any] | None = None,
    sha256: str | None = None,
    offline: bool = False,
    progress: Progress | None = None,
) -> Model:
    """Load a model.

    `reference` is a registry id ("mediapipe/iris"), `{"model": ID, "variant": NAME}`, or the path of a `.tflite`
    or `.onnx` file (checked against `sha256` where it is given). `profile` may hold `threads`, `variant`, and
    `providers`, the execution providers of ONNX Runtime in order of preference. `offline` and `progress` are those of
    `resolve`. Errors: ModelUnavailable, ModelMismatch (wrong hash, or tensors that are not those of the registry),
    ModelError (not a model, or operations that no back end here has).
    """
    profile = profile or {}
    threads = int(profile.get("threads", threads))
    if threads < 1:
        raise ModelError(f"A model runs on at least one thread, not {threads}.")
    path, name, entry = _locate(reference, str(profile.get("variant", "auto")), sha256, offline, progress)
    model = _load(path, name, threads, profile)
    if entry is not None:
        _compare("input", entry.inputs, model.inputs, name)
        _compare("output", entry.outputs, model.outputs, name)
    return model


def _locate(
    reference: str | Path | Mapping[str, Any],
    variant: str,
    sha256: str | None,
    offline: bool,
    progress: Progress | None,
) -> tuple[Path, str, Entry | None]:
    from .registry import find
    from .resolver import resolve

    if isinstance(reference, Mapping):
        variant = str(reference.get("variant", variant))
        reference = str(reference["model"])
    if isinstance(reference, str) and not reference.endswith((".tflite", ".onnx")):
        path = resolve(reference, variant, progress=progress, offline=offline)
        return path, reference, find(reference)
    path = Path(reference)
    if not path.is_file():
        raise ModelError(f"There is no model file {path}.")
    if sha256 is not None:
        found = hashlib.sha256(path.read_bytes()).hexdigest()
        if found != sha256:
            raise ModelMismatch(
                f"{path} has SHA-256 {found}, but {sha256} was declared. Get the right file, or declare anew."
            )
    return path, path.name, None


def _load(path: Path, name: str, threads: int, profile: Mapping[str, Any]) -> Model:
    # onnxruntime and LiteRT take 60–80 ms each to import: only what is used
    if path.suffix == ".tflite":
        from .litert import LiteRTModel

        return LiteRTModel(path, name, threads)
    if path.suffix == ".onnx":
        from .ort import OrtModel

        return OrtModel(path, name, threads, tuple(profile.get("providers", ("CPUExecutionProvider",))))
    raise ModelError(
        f"{path.name} is neither .tflite (LiteRT) nor .onnx (ONNX Runtime), the two kinds that run here."
    )


def _compare(what: str, declared: tuple[Tensor, ...], found: tuple[TensorInfo, ...], name: str) -> None:
    def same(a: Tensor, b: TensorInfo) -> bool:
        return (
            a.dtype == b.dtype.name
            and len(a.shape) == len(b.shape)
            and all(x == y or x is None or y is None for x, y in zip(a.shape, b.shape, strict=True))
        )

    if len(declared) != len(found) or not all(map(same, declared, found)):
        raise ModelMismatch(
            f"Model {name}: its {what}s are {', '.join(map(str, found))}, but the registry declares "
            f"{', '.join(f'{d.name} {d.shape} {d.dtype}' for d in declared)}."
        )
