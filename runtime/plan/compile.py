"""Effect → Plan: validate, flatten, then the passes, with a legality check after each."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from ...graph.effect import Effect
from ...graph.errors import CompileError, UsageError, ValidationError
from ...graph.groups import flatten
from ...graph.registry import Registry
from ...graph.registry import registry as installed
from .ir import Plan, Stream
from .layout import lay_out
from .passes import PASSES, Draft, build, check

__all__ = ["compile_effect"]


def compile_effect(
    effect: Effect,
    *,
    nodes: Registry | None = None,
    stream: Stream = Stream(),  # noqa: B008 - immutable
    overrides: dict[str, Any] | None = None,
    watch: Callable[[str, Draft], None] | None = None,
    cuts: Iterable[tuple[str, str]] = (),
    validated: bool = False,
) -> Plan:
    """Make the plan of an effect.

    Args:
        nodes: the node types; those installed by default.
        stream: what is known of the footage.
        overrides: public parameters by name, set before compiling (structural ones are compiled in).
        watch: called with each pass's name and result, for looking inside.
        cuts: (node path, input) of wires to keep in memory instead of fusing across them.
        validated: the caller has validated it.

    Raises:
        ValidationError: all problems of the effect.
        CompileError: a node's expression is wrong, or a pass made a plan that can't be.
    """
    nodes = nodes if nodes is not None else installed()
    if not validated:
        _validate(effect, nodes)
    flat = flatten(_overridden(effect, overrides or {}), nodes)
    draft = replace(build(flat, stream), cuts=frozenset(cuts))
    check(draft, "build")
    for run in PASSES:
        draft = run(draft)
        check(draft, run.__name__)
        if watch:
            watch(run.__name__, draft)
    if not any(s.kind == "sink" or s.decl.effectful for s in draft.steps.values()):
        raise CompileError("the effect has no output: add a sink (`sink.output`) and wire an image to it")
    return lay_out(draft, {p.name: p for p in flat.interface})


def _validate(effect: Effect, nodes: Registry) -> None:
    from ...graph.validate import validate

    problems = [p for p in validate(effect, nodes) if p.severity == "error"]
    if problems:
        raise ValidationError(problems)


def _overridden(effect: Effect, overrides: dict[str, Any]) -> Effect:
    """The effect with public parameters set at the nodes they target."""
    entries = {e.name: e for e in effect.interface}
    changed = {}
    for name, value in overrides.items():
        if name not in entries:
            known = ", ".join(entries) or "none"
            raise UsageError(f"the effect has no public parameter {name!r}; it has: {known}")
        changed[name] = replace(entries[name], default=value)
    return replace(effect, interface=tuple(changed.get(e.name, e) for e in effect.interface))
