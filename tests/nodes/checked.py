"""A compiled library whose every call is compared with the NumPy evaluator."""

from __future__ import annotations

from typing import Any

import evaluator
import numpy as np

__all__ = ["Checked"]


class Checked:
    """A compiled library; each call's writes are compared with what the evaluator gives for the same reads."""

    def __init__(self, library: Any, most: float):
        self.library, self.most, self.compared = library, most, 0
        self.natives: dict[str, Any] = {}

    def kernel(self, region: Any) -> Any:
        return _CheckedKernel(self, region)


class _CheckedKernel:
    def __init__(self, owner: Checked, region: Any):
        self.owner, self.region = owner, region

    def bind(self, reads, tables, uniforms, writes) -> Any:
        return _CheckedCall(self, list(reads), list(tables), uniforms, writes)


class _CheckedCall:
    def __init__(self, kernel: _CheckedKernel, reads, tables, uniforms, writes):
        self.kernel, self.reads, self.tables, self.uniforms, self.writes = kernel, reads, tables, uniforms, writes
        self.call = kernel.owner.library.kernel(kernel.region).bind(reads, tables, uniforms, writes)

    def set_read(self, index: int, array: np.ndarray) -> None:
        self.reads[index] = array
        self.call.set_read(index, array)

    def __call__(self) -> None:
        self.call()
        pictures = evaluator.Pictures(self.reads, self.tables, self.uniforms, self.writes[0].shape[:2])
        evaluator.compare(self.kernel.region, pictures, self.writes, self.kernel.owner.most)
        self.kernel.owner.compared += 1
