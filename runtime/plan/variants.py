"""Public structural parameters (a blend mode, a number of taps): every value's kernels, made before it is asked for."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any

from ...graph.checking import MAX_VARIANTS, variants
from ...graph.errors import CompileError
from .ir import Plan, node_path

__all__ = ["is_baked", "variant_values"]


def is_baked(plan: Plan, path: str, name: str) -> bool:
    """Whether a kernel of the plan is compiled for the parameter's value."""
    return any(
        node_path(s.path) == path and s.kind == "pixel" and name in s.decl.pixel_arguments for s in plan.steps.values()
    )


def variant_values(plan: Plan) -> Iterator[dict[str, Any]]:
    """The public values to compile for beside the plan's own: every value, and every combination within a kernel.

    Raises:
        CompileError: a kernel would have to be compiled more than MAX_VARIANTS times.
    """
    choices: dict[str, tuple[Any, ...]] = {}
    for name, entry in plan.interface.items():
        if entry.parameter.structural and is_baked(plan, entry.path, entry.param):
            values = variants(entry.parameter)
            if values is None:
                raise CompileError(
                    f"{name}: a structural parameter can be public only if it lists its values"
                )
            choices[name] = values
    for together in _together(plan, choices):
        count = math.prod(len(choices[name]) for name in together)
        if count > MAX_VARIANTS:
            raise CompileError(
                f"{' and '.join(together)} meet in one kernel, which would be compiled {count} times; the limit is "
                f"{MAX_VARIANTS}: make fewer of them public, or keep a probe (a process node) between them"
            )
        for values in itertools.product(*(choices[name] for name in together)):
            yield dict(zip(together, values, strict=True))


def _together(plan: Plan, choices: dict[str, tuple[Any, ...]]) -> list[tuple[str, ...]]:
    """Parameters in groups: those of one kernel are in one."""
    groups: list[set[str]] = []
    for name in choices:
        path = plan.interface[name].path
        nodes = {n for k in plan.kernels if path in k.nodes for n in k.nodes}
        near = {other for other in choices if plan.interface[other].path in nodes} | {name}
        met = [g for g in groups if g & near]
        groups = [g for g in groups if not g & near] + [near.union(*met)]
    return [tuple(n for n in choices if n in g) for g in groups]
