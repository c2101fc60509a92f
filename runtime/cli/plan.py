"""`spellwire plan`: what an effect is compiled to, before it plays."""

from __future__ import annotations

import re
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from ...graph.document import load_effect
from .labels import titles
from .library import find_effect
from .show import command, out, table, tell

if TYPE_CHECKING:
    from ..plan.ir import Kernel, Plan, Stage
    from ..plan.passes import Draft

__all__ = ["parser", "run"]

EXAMPLES = """\
  spellwire plan relight
  spellwire plan my_effect --size 1920x1080 --passes
"""
BYTES = {"u8": 1, "f16": 2, "f32": 4}


def parser() -> ArgumentParser:
    made = command("plan", "Show what an effect is compiled to: stages, kernels, buffers, bytes a frame.", EXAMPLES)
    made.add_argument("effect", metavar="EFFECT", help="a name of the library, a folder, or an effect.json")
    made.add_argument("--size", type=size, default=(1280, 720), metavar="WxH", help="the frame's size (1280x720)")
    made.add_argument("--passes", action="store_true", help="also what each pass of the compiler left")
    return made


def size(text: str) -> tuple[int, int]:
    """`1280x720` → (1280, 720)."""
    found = re.fullmatch(r"([1-9]\d{0,4})[x×]([1-9]\d{0,4})", text)
    if not found:
        raise ArgumentTypeError(f"{text!r} is no size; write it as 1280x720")
    return int(found[1]), int(found[2])


def run(args: Namespace) -> int:
    from ..plan.compile import compile_effect

    passes: list[tuple[str, Draft]] = []
    effect = load_effect(find_effect(args.effect))
    plan = compile_effect(effect, watch=lambda *row: passes.append(row))
    pixels = args.size[0] * args.size[1]
    show = out()
    if args.passes:
        rows = [(name, *_counts(draft)) for name, draft in passes]
        show.print(table("passes", ("pass", "nodes", "pixel nodes", "process nodes"), rows, numbers=(1, 2, 3)), "")
    stages = _stages(plan, titles(effect, plan))
    show.print(table("stages", ("", "stage", "node", "lane", "reads", "writes"), stages, numbers=(0,)), "")
    if plan.kernels:
        head = ("", "fused nodes", "operations", "parameters", "reads", "writes", "MB")
        rows = [(i, *_kernel(k, pixels)) for i, k in enumerate(plan.kernels)]
        show.print(table("kernels, one pass over memory each", head, rows, numbers=(0, 2, 3, 6)), "")
    held = {b.shared: b for b in plan.buffers}
    rows = [(i, b.format, b.channels, f"{_megabytes(b.format, b.channels, pixels):.2f}") for i, b in sorted(held.items())]
    show.print(table("buffers", ("", "format", "channels", "MB"), rows, numbers=(0, 2, 3)), "")
    kept = sum(_megabytes(b.format, b.channels, pixels) for b in held.values())
    moved = sum(_moved(k, pixels) for k in plan.kernels)
    for note in plan.notes:
        show.print(note, markup=False)
    width, height = args.size
    show.print(f"At {width}×{height}: {_kernels(len(plan.regions))} at most {moved:.1f} MB a frame, buffers hold {kept:.1f} MB.")
    if any(stage.kind == "process" and -1 in stage.buffers for stage in plan.stages):
        show.print("At most: a raster that a node draws at a size of its own is taken as large as the frame.", style="dim")
    if not plan.kernels:
        tell("nothing in it is drawn by kernels")
    return 0


def _counts(draft: Draft) -> tuple[int, int, int]:
    kinds = Counter(step.kind for step in draft.steps.values())
    return sum(kinds.values()), kinds["pixel"], kinds["process"]


def _kernels(count: int) -> str:
    return "1 kernel moves" if count == 1 else f"{count} different kernels move"


def _stages(plan: Plan, titled: Mapping[str, str]) -> Iterator[tuple[object, ...]]:
    wires = [(ref, slot) for ref, slot in plan.slot_of.items() if ref[0] in plan.steps and plan.steps[ref[0]].outputs]
    names = {slot: f"{plan.steps[ref[0]].path}.{ref[1]}" for ref, slot in reversed(wires) if _is_output(plan, ref)}
    for index, stage in enumerate(plan.stages):
        what = "once" if stage.constant else stage.lane
        node = f"{stage.path}  {titled[stage.path]}"
        yield index, _stage_kind(plan, stage), node, what, _names(names, stage.reads), _names(names, stage.writes)


def _is_output(plan: Plan, ref: tuple[str, ...]) -> bool:
    return any(port.name == ref[1] for port in plan.steps[ref[0]].outputs)


def _stage_kind(plan: Plan, stage: Stage) -> str:
    if stage.kind == "kernel":
        count = len(plan.kernels[stage.kernel].nodes)
        return f"kernel {stage.kernel}" + (f" ({count} nodes)" if count > 1 else "")
    return plan.steps[stage.step].decl.type


def _names(names: dict[int, str], slots: tuple[int, ...]) -> str:
    return ", ".join(names[slot] for slot in dict.fromkeys(slots) if slot in names)


def _kernel(kernel: Kernel, pixels: int) -> tuple[object, ...]:
    region = kernel.region
    formats = [" ".join(f"{r.format}×{r.channels}" for r in side) for side in (region.reads, region.writes)]
    return " → ".join(kernel.nodes), len(region.nodes), region.uniforms, *formats, f"{_moved(kernel, pixels):.2f}"


def _moved(kernel: Kernel, pixels: int) -> float:
    """Megabytes read and written in one pass, each raster taken as large as the frame."""
    return sum(_megabytes(r.format, r.channels, pixels) for r in (*kernel.region.reads, *kernel.region.writes))


def _megabytes(fmt: str, channels: int, pixels: int) -> float:
    return BYTES[fmt] * channels * pixels / 1e6
