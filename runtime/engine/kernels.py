"""A kernel stage: reads rebound, uniforms and tables refreshed where something changed, one native call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...graph.errors import NodeError
from ..curves import table as curve_table
from ..frames import Frame, Geometry, Tick
from ..looks import neutral_look
from ..plan.bind import CURVE_SIZE
from ..plan.ir import Kernel, Stage
from .rasters import Pool
from .tables import GAUSS, components, evaluate, gaussian_weights

__all__ = ["KernelCall"]

_NOTHING = object()
_NO_LOOK = neutral_look()


class KernelCall:
    """Call it once a frame. It owns the kernel's argument block and notices what changed by identity.

    Args:
        bind: the library's `bind` for this region's kernel.
        slots: the engine's values; `reads` and the uniforms' slots are looked up there.
        like: the slot whose Frame gives the domain's geometry, −1 = the stream.
    """

    def __init__(
        self,
        stage: Stage,
        kernel: Kernel,
        bind: Callable[..., Any],
        pool: Pool,
        slots: list[Any],
        tick: Tick,
    ):
        self.stage, self.kernel, self.pool, self.slots, self.tick = stage, kernel, pool, slots, tick
        self._bind = bind
        self.call: Any = None
        self.like = pool.buffers[stage.buffers[0]].like
        self.uniforms = np.zeros(max(len(kernel.uniforms), 1), np.float32)
        self.tables = [self._table(t.kind) for t in kernel.tables]
        self.arrays: list[Any] = [None] * len(kernel.reads)
        self.geometries: list[Any] = [None] * len(kernel.reads)
        self.domain: Geometry | None = None
        self.size = (0, 0)
        self._group_uniforms()
        self.empty: dict[int, Frame] = {}

    @staticmethod
    def _table(kind: str) -> np.ndarray:
        size = {"curve": CURVE_SIZE, "gauss": GAUSS}.get(kind)
        table = np.zeros(size, np.float32) if size else _NO_LOOK.table
        if kind == "gauss":
            table[0] = 1.0
        return table

    def _group_uniforms(self) -> None:
        by_slot: dict[int, list[tuple[int, int]]] = {}
        self.timed: list[tuple[int, str]] = []
        self.placed: list[tuple[int, str, tuple[Any, ...]]] = []
        self.radius: dict[int, int] = {}
        self.lut_size: dict[int, int] = {}
        for index, source in enumerate(self.kernel.uniforms):
            match source.kind:
                case "slot":
                    by_slot.setdefault(source.args[0], []).append((index, source.args[1]))
                case "at" if source.args[0] in ("time", "frame"):
                    self.timed.append((index, source.args[0]))
                case "radius":
                    self.radius[source.args[0]] = index
                case "size":
                    self.lut_size[source.args[0]] = index
                case kind:
                    self.placed.append((index, kind, source.args))
        self.by_slot = tuple((slot, tuple(places)) for slot, places in by_slot.items())
        self.last: list[Any] = [_NOTHING] * len(self.by_slot)
        self.table_last: list[Any] = [_NOTHING] * len(self.tables)
        self.gauss = [i for i, t in enumerate(self.kernel.tables) if t.kind == "gauss"]
        self.files = [i for i, t in enumerate(self.kernel.tables) if t.kind != "gauss"]

    def __call__(self) -> None:
        moved = self._reads()
        changed = self._values()
        if moved:
            self._places()
        if self.gauss and (moved or changed):
            self._blurs()
        tick, uniforms = self.tick, self.uniforms
        for index, key in self.timed:
            uniforms[index] = tick.time * 1e-6 if key == "time" else tick.index & 0xFFFF
        self.call()
        for slot, frame in zip(self.stage.writes, self.frames, strict=True):
            self.slots[slot] = frame

    # -- rasters

    def _reads(self) -> bool:
        """Rebind what is another array now; say whether a geometry changed."""
        slots, tick = self.slots, self.tick
        size = (tick.width, tick.height)
        source = slots[self.like] if self.like >= 0 else None
        domain = source.geometry if source is not None else Geometry(*size)
        moved = self.size != size
        if domain is not self.domain and domain != self.domain:
            self.domain, self.call, moved = domain, None, True
            self.empty.clear()
        self.size = size
        for i, slot in enumerate(self.kernel.reads):
            frame = slots[slot]
            if frame is None:
                frame = self._nothing(i)
            if frame.data is not self.arrays[i]:
                self.arrays[i] = frame.data
                if self.call is not None:
                    self.call.set_read(i, frame.data)
            if frame.geometry is not self.geometries[i] and frame.geometry != self.geometries[i]:
                self.geometries[i], moved = frame.geometry, True
        if self.call is None:
            room = self.tick.width * self.tick.height
            self.frames = [self.pool.frame(b, self.domain, room=room) for b in self.stage.buffers]  # type: ignore[arg-type]
            self.call = self._bind(self.arrays, self.tables, self.uniforms, [f.data for f in self.frames])
        return moved

    def _nothing(self, i: int) -> Frame:
        """Zeros where the domain lies, for a read that has no value."""
        frame = self.empty.get(i)
        if frame is None:
            assert self.domain is not None
            read = self.kernel.region.reads[i]
            frame = Frame.make(self.domain.width, self.domain.height, read.channels, read.format)
            frame.geometry = self.domain
            self.empty[i] = frame
        return frame

    # -- uniforms

    def _values(self) -> bool:
        slots, last, uniforms, changed = self.slots, self.last, self.uniforms, False
        for i, (slot, places) in enumerate(self.by_slot):
            value = slots[slot]
            if value is last[i]:
                continue
            last[i], changed = value, True
            numbers = components(value)
            for index, component in places:
                uniforms[index] = numbers[component]
        for i in self.files:
            value = slots[self.kernel.tables[i].slot]
            if value is not self.table_last[i]:
                self.table_last[i] = value
                self._file_table(i, value)
        return changed

    def _file_table(self, i: int, value: Any) -> None:
        if self.kernel.tables[i].kind == "curve":
            curve_table(value, self.tables[i])
            return
        look = value if value is not None else _NO_LOOK
        self.tables[i] = look.table
        if i in self.lut_size:
            self.uniforms[self.lut_size[i]] = look.size
        self.call = self._bind(self.arrays, self.tables, self.uniforms, [f.data for f in self.frames])

    def _blurs(self) -> None:
        assert self.domain is not None
        scale = abs(self.domain.to_frame[4]) or 1.0
        for i in self.gauss:
            sigma = evaluate(self.kernel.tables[i].sigma, self.uniforms) * self.tick.height / scale  # type: ignore[arg-type]
            if sigma != self.table_last[i]:
                self.table_last[i] = sigma
                self.uniforms[self.radius[i]] = gaussian_weights(sigma, self.tables[i])

    def _places(self) -> None:
        """Uniforms that say where things lie: recomputed when a geometry or the stream's size changed."""
        assert self.domain is not None
        height, width = float(self.tick.height or 1), float(self.tick.width or 1)
        a, b, c, d, e, f = self.domain.to_frame
        if b or d or any(g.to_frame[1] or g.to_frame[3] for g in self.geometries):
            raise NodeError(
                "a raster lies turned in its space; turn it with a transform, kernels read straight ones"
            )
        at = {
            "xx": a / height, "xy": b / height, "x0": c / height, "yx": d / height, "yy": e / height,
            "y0": f / height, "aspect": width / height, "pixel": abs(e) / height,
        }  # fmt: skip
        for index, kind, args in self.placed:
            if kind == "at":
                self.uniforms[index] = at[args[0]]
                continue
            read, k = args
            if kind == "extent":
                self.uniforms[index] = self.arrays[read].shape[1 - k]
                continue
            inverse = self.geometries[read].from_frame()
            if kind == "map":
                self.uniforms[index] = _compose(inverse, self.domain.to_frame)[k]
            else:  # frame heights → pixels of the read
                self.uniforms[index] = inverse[k] * (1.0 if k in (2, 5) else height)


def _compose(m: tuple[float, ...], n: tuple[float, ...]) -> tuple[float, ...]:
    """m after n, both 2×3."""
    a, b, c, d, e, f = m
    p, q, r, s, t, u = n
    return (
        a * p + b * s, a * q + b * t, a * r + b * u + c,
        d * p + e * s, d * q + e * t, d * r + e * u + f,
    )  # fmt: skip
