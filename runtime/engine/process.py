"""Which of the closures of calls.py a process node plays as: called once, for each item, with a policy for nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ..frames import Tick
from ..plan.ir import TRACK, Stage, Step
from .calls import bind_call, bind_carried, bind_mapped, bind_tracked, outputs_for, with_policy
from .loading import Nodes, new_state
from .rasters import Pool, empty_frame

__all__ = ["bind_process"]


def bind_process(
    stage: Stage, step: Step, nodes: Nodes, slots: list[Any], tick: Tick, pool: Pool
) -> Callable[[], None]:
    """The stage as one call; `slots` grows by the places of its special arguments."""
    state = nodes.states.get(stage.step)
    reads, converts, out_slot = _arguments(stage, step, slots, tick, state)
    watched = _watched(step, reads, slots)
    call = _call(stage, step, nodes, slots, tick, reads, converts)
    if out_slot >= 0:
        owned = [b for b in stage.buffers if b >= 0]
        call = outputs_for(call, slots, out_slot, pool, owned, tick, step.decl.fallback == "last")
    call = with_policy(call, slots, watched) if watched else call
    if TRACK not in step.links:
        return call
    names = step.decl.arguments
    first = re.sub("@.*?(?=#|$)", "@0", stage.step)  # one state a track, whichever copy has it now
    return bind_tracked(
        call, slots, stage.reads[-1],
        [(slot, None if p.type.family == "raster" else p.type.empty) for slot, p in zip(stage.writes, step.outputs, strict=True)],
        state_slot=reads[names.index("state")] if "state" in names else None,
        new_state=lambda: new_state(step), states=nodes.tracks.setdefault(first, {}), tick=tick,
    )  # fmt: skip


def _call(
    stage: Stage,
    step: Step,
    nodes: Nodes,
    slots: list[Any],
    tick: Tick,
    reads: list[int],
    converts: list[str],
) -> Callable[[], None]:
    """Once, or for each item of a list."""
    process, names = nodes.instances[stage.step].process, step.decl.arguments
    if not step.mapped:
        return bind_call(process, slots, reads, converts, stage.writes, _nothing(step, tick))
    first = names.index(step.mapped)
    if step.carried:
        return bind_carried(
            process, slots, reads, converts, stage.writes[0], mapped=first,
            carried=names.index(step.carried),
        )  # fmt: skip
    mapped = [i for i, n in enumerate(names) if n in step.links and step.links[n].item]
    mapped.sort(key=lambda i: i != first)
    return bind_mapped(
        process, slots, reads, converts, stage.writes, mapped=mapped,
        state_at=names.index("state") if "state" in names else None,
        new_state=lambda: new_state(step), states=nodes.tracks.setdefault(stage.step, {}), tick=tick,
    )  # fmt: skip


def _arguments(
    stage: Stage, step: Step, slots: list[Any], tick: Tick, state: Any
) -> tuple[list[int], list[str], int]:
    """A slot for each argument of `process`, special ones included; and that of `out`, or −1."""
    plain = iter(zip(stage.reads, stage.converts, strict=True))
    reads, converts, out_slot = [], [], -1
    for name in step.decl.arguments:
        if name in ("tick", "state", "out"):
            slots.append({"tick": tick, "state": state}.get(name))
            reads.append(len(slots) - 1)
            converts.append("")
            out_slot = len(slots) - 1 if name == "out" else out_slot
        else:
            slot, conversion = next(plain)
            reads.append(slot)
            converts.append(conversion)
    return reads, converts, out_slot


def _watched(step: Step, reads: list[int], slots: list[Any]) -> list[tuple[int, int, str]]:
    """Inputs with a policy for nothing: (slot, slot read in its place, policy). `reads` is changed to the latter."""
    watched = []
    for i, name in enumerate(step.decl.arguments):
        port = step.decl.input(name)
        if port is not None and port.when_empty != "neutral":
            slots.append(None)
            watched.append((reads[i], len(slots) - 1, port.when_empty))
            reads[i] = len(slots) - 1
    return watched


def _nothing(step: Step, tick: Tick) -> dict[int, Callable[[Any], Any]]:
    """What stands for a raster that is not there, for each raster argument: zeros over the whole frame."""

    def filled(channels: int, fmt: str) -> Callable[[Any], Any]:
        return lambda value: empty_frame(channels, tick.width, tick.height, fmt) if value is None else value

    ports = ((i, step.decl.input(name)) for i, name in enumerate(step.decl.arguments))
    return {
        i: filled(3 if p.display else p.type.components, "u8" if p.display else "f32")
        for i, p in ports
        if p is not None and p.type.family == "raster" and not p.optional
    }
