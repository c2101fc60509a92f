"""The last step of compiling: slots, stages, kernels and buffers out of a finished Draft."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ...graph.types import Image
from ..pixel.lang import const
from ..pixel.region import Read, Region, Write
from .bind import RegionBuilder, Source, border_of, to_display
from .ir import TRACK, Buffer, Kernel, Plan, Ref, Stage, Step, node_path
from .passes import STREAM, Draft

__all__ = ["lay_out"]

SPECIAL = ("tick", "state", "out")


@dataclass
class _Layout:
    """What grows while the steps are walked in order."""

    draft: Draft
    slots: list[Any] = field(default_factory=list)
    slot_of: dict[tuple[str, ...], int] = field(default_factory=dict)
    stored: dict[Ref, dict[str, tuple[int, Read]]] = field(default_factory=dict)  # ref → need → (slot, how)
    opaque: set[Ref] = field(default_factory=set)  # rasters whose alpha is known to be 1
    origin: dict[str, int] = field(default_factory=dict)  # token → a slot that has its geometry
    stages: list[Stage] = field(default_factory=list)
    kernels: list[Kernel] = field(default_factory=list)
    buffers: list[Buffer] = field(default_factory=list)

    # -- slots

    def new_slot(self, key: tuple[str, ...], value: Any = None) -> int:
        self.slots.append(value)
        return self.slot_of.setdefault(key, len(self.slots) - 1)

    def slot(self, key: tuple[str, ...]) -> int:
        """The slot of a (path, parameter) or of a value's ref."""
        if key in self.slot_of:
            return self.slot_of[key]
        step = self.draft.steps.get(key[0])
        value = None
        if step is not None and any(p.name == key[1] for p in step.outputs):
            value = step.output(key[1]).type.empty
        else:
            # a conversion put in before the node has its path too, and no parameters
            owners = (s.params for s in self.draft.steps.values() if node_path(s.path) == key[0])
            value = next((params[key[1]] for params in owners if key[1] in params), None)
        return self.new_slot(key, value)

    def keep(self, ref: Ref, need: str, read: Read) -> int:
        """A slot for a raster in memory."""
        slot = self.new_slot((*ref, need))
        self.stored.setdefault(ref, {})[need] = (slot, read)
        self.slot_of.setdefault(ref, slot)
        self.origin.setdefault(self.draft.geometry[ref], slot)
        return slot

    def raster(self, ref: Ref, need: str) -> int:
        """The slot of a raster as its reader needs it."""
        stored = self.stored[ref]
        return (stored.get(need) or stored.get("native") or next(iter(stored.values())))[0]

    def buffer(self, fmt: str, channels: int, token: str) -> int:
        like = self.origin.get(token, -1) if token != STREAM or token in self.origin else -1
        self.buffers.append(Buffer(fmt, channels, like))
        return len(self.buffers) - 1

    # -- stages

    def add(self, step: Step) -> None:
        match step.kind:
            case "source":
                self.source(step)
            case "pixel":
                for port in step.outputs:
                    if needs := self.draft.needs.get((step.id, port.name)):
                        self.kernel(step, (step.id, port.name), sorted(needs))
            case "delay_read":
                self.delay_read(step)
            case "delay_write":
                (name,) = (p.name for p in step.decl.inputs)
                pairs = [self.input(step, name)] if name in step.links else []
                self.stage(
                    "delay_write", step, reads=tuple(s for s, _ in pairs), converts=tuple(c for _, c in pairs)
                )
            case "sink":
                ports = [p.name for p in step.decl.inputs if p.name in step.links]
                pairs = [self.input(step, name) for name in ports]
                self.stage(
                    "sink", step, reads=tuple(s for s, _ in pairs), converts=tuple(c for _, c in pairs)
                )
            case _:
                self.process(step)

    def stage(self, kind: Any, step: Step, **more: Any) -> None:
        lane = self.draft.lanes.get(step.id, "render")
        self.stages.append(Stage(kind, step.path, step.id, lane=lane, constant=step.constant, **more))

    def source(self, step: Step) -> None:
        writes = []
        for port in step.outputs:
            if port.type.family == "raster":
                writes.append(
                    self.keep((step.id, port.name), "native", Read("u8", self.draft.stream.channels))
                )
            else:
                writes.append(self.slot((step.id, port.name)))
        self.stage("source", step, writes=tuple(writes))

    def delay_read(self, step: Step) -> None:
        (port,) = step.outputs
        if port.type.family != "raster":
            self.stage("delay_read", step, writes=(self.slot((step.id, port.name)),))
            return
        slot = self.keep((step.id, port.name), "native", Read("f32", port.type.components))
        self.stage("delay_read", step, writes=(slot,))

    def process(self, step: Step) -> None:
        names = [a for a in step.decl.arguments if a not in SPECIAL]
        pairs = [self.input(step, name) for name in names]
        if TRACK in step.links:  # the last read, beyond the arguments
            pairs.append((self.slot(step.links[TRACK].source), ""))
        writes, buffers = [], []
        for port in step.outputs:
            ref = (step.id, port.name)
            if port.type.family != "raster":
                writes.append(self.slot(ref))
                continue
            read = Read("u8", 3) if port.display else Read("f32", port.type.components)
            owned = port.size == "domain" and "out" in step.decl.arguments
            buffers.append(self.buffer(read.format, read.channels, self.draft.geometry[ref]) if owned else -1)
            writes.append(self.keep(ref, "native", read))
        self.stage(
            "process", step, reads=tuple(s for s, _ in pairs), converts=tuple(c for _, c in pairs),
            writes=tuple(writes), buffers=tuple(buffers),
        )  # fmt: skip

    def input(self, step: Step, name: str) -> tuple[int, str]:
        """The slot an argument is read from, and the conversion on the way."""
        link = step.links.get(name)
        if link is None:
            port = step.decl.input(name)
            if port is None:
                return self.slot((node_path(step.path), name)), ""
            empty = () if port.many else None if port.type.family == "raster" else port.neutral
            return self.new_slot((step.id, name, "unwired"), empty), ""
        if self.draft.is_raster(link.source):
            port = step.decl.input(name)
            need = "u8a" if step.kind == "sink" else "u8" if port and port.display else "whole"
            return self.raster(link.source, need), link.conversion
        return self.slot(link.source), link.conversion

    # -- kernels

    def kernel(self, step: Step, ref: Ref, needs: list[str]) -> None:
        domain, linear = self.draft.domains[step.id], self.draft.working_space == "linear"
        builder = RegionBuilder(
            self.draft.steps, self.draft.traces, lambda r: self.find_source(r, ref, domain), self.slot, linear
        )
        value = builder.value(ref)
        opaque = len(value) == 4 and value.parts[3] is const(1.0)
        if opaque:
            self.opaque.add(ref)
        writes: dict[tuple[str, int], tuple[Write, list[str]]] = {}
        for need in needs:
            count = 3 if len(value) == 4 and (need == "u8" or (opaque and need != "whole")) else len(value)
            fmt = "u8" if need in ("u8", "u8a") else "f32"
            stored = (
                to_display(value) if fmt == "u8" and linear and self.draft.port(ref).type is Image else value
            )
            writes.setdefault((fmt, count), (Write(fmt, stored.parts[:count]), []))[1].append(need)
        region = Region(
            tuple(s.read for _, s in builder.sources.values()), len(builder.tables), len(builder.uniforms),
            tuple(w for w, _ in writes.values()),
        )  # fmt: skip
        region.check()
        reads = tuple(s.slot for _, s in builder.sources.values())
        self.kernels.append(
            Kernel(region, reads, tuple(builder.uniforms), tuple(builder.tables), tuple(builder.nodes))
        )
        slots, buffers = [], []
        for write, served in writes.values():
            read = Read(write.format, write.channels)
            buffers.append(self.buffer(write.format, write.channels, domain))
            slot = self.keep(ref, served[0], read)
            for need in served[1:]:
                self.stored[ref][need] = (slot, read)
                self.slot_of[(*ref, need)] = slot
            slots.append(slot)
        self.stage(
            "kernel", step, reads=reads, writes=tuple(slots), buffers=tuple(buffers),
            kernel=len(self.kernels) - 1,
        )  # fmt: skip

    def find_source(self, ref: Ref, root: Ref, domain: str) -> Source | None:
        if ref == root or ref not in self.stored:
            return None
        stored = self.stored[ref]
        slot, read = stored.get("f32") or stored.get("whole") or next(iter(stored.values()))
        if self.draft.steps[ref[0]].kind == "pixel" and read.format == "u8":
            return None  # display-referred only: scene values are computed again, not read clamped
        same = self.draft.geometry[ref] == domain
        border = border_of(self.draft.port(ref).type.name)
        return Source(slot, read, same, border, ref in self.opaque)


def lay_out(draft: Draft, interface: Mapping[str, Any]) -> Plan:
    """The plan of a finished draft; buffers whose lifetimes don't meet are shared."""
    layout = _Layout(draft)
    for step in draft.steps.values():
        layout.add(step)
    return Plan(
        steps=draft.steps, stages=tuple(layout.stages), kernels=tuple(layout.kernels),
        buffers=_shared(layout.stages, layout.buffers), slots=tuple(layout.slots),
        slot_of=dict(layout.slot_of), interface=dict(interface), stream=draft.stream,
        working_space=draft.working_space, notes=draft.notes,
        natives=tuple(sorted({n for s in draft.steps.values() for n in s.decl.natives})),
    )  # fmt: skip


def _shared(stages: list[Stage], buffers: list[Buffer]) -> tuple[Buffer, ...]:
    """Give kernel outputs of equal shape one place in the pool when the last reader of one comes before the other."""
    writer = {b: i for i, s in enumerate(stages) if s.kind == "kernel" for b in s.buffers}
    slot_of = {b: s.writes[n] for s in stages if s.kind == "kernel" for n, b in enumerate(s.buffers)}
    last = {b: max((i for i, s in enumerate(stages) if slot in s.reads), default=writer[b])
            for b, slot in slot_of.items()}  # fmt: skip
    frozen = {b for b in writer if any(slot_of[b] in s.reads and (s.lane != "render" or s.kind == "delay_write"
              or s.constant) for s in stages)}  # fmt: skip
    free: dict[tuple[str, int, int], list[tuple[int, int]]] = {}  # shape → (busy until, entry)
    made: list[Buffer] = []
    entries = 0
    for index, buffer in enumerate(buffers):
        shape = (buffer.format, buffer.channels, buffer.like)
        pool = free.setdefault(shape, [])
        reuse = None
        if index in writer and index not in frozen:
            reuse = next((p for p in pool if p[0] < writer[index]), None)
        if reuse is not None:
            pool.remove(reuse)
            entry = reuse[1]
        else:
            entry, entries = entries, entries + 1
        if index in writer and index not in frozen:
            pool.append((last[index], entry))
        made.append(replace(buffer, shared=entry))
    return tuple(made)
