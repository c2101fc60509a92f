"""From an effect to an engine that can start: plan, kernels, native loops, with progress."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from ...graph.effect import Effect
from ...graph.errors import UsageError
from ...graph.registry import Registry
from ..engine.engine import Engine
from ..engine.parameters import clean_value
from ..kernels.compiler import Compiler
from ..kernels.library import Library
from ..native.emit import emit
from ..native.loops import bind, loop
from ..plan.compile import compile_effect
from ..plan.ir import Plan, Stream
from ..plan.variants import is_baked, variant_values

__all__ = ["Built", "Planner", "structural"]

Progress = Callable[[int, int], None]
Key = tuple[tuple[str, Any], ...]


@dataclass
class Built:
    """A plan and its machine code, ready for an engine."""

    plan: Plan
    library: Library
    others: Mapping[Key, Plan] = field(default_factory=dict)

    @cached_property
    def natives(self) -> Mapping[str, Callable[..., Any]]:
        return {name: bind(self.library.native, name) for name in self.plan.natives}


class Planner:
    """Plans and compiles one effect after another with the same settings.

    Args:
        nodes: node types; those installed by default.
        threads: of kernels, loops and models.
    """

    def __init__(self, compiler: Compiler | None = None, nodes: Registry | None = None, threads: int = 1,
                 profile: str = "default"):  # fmt: skip
        self.compiler = compiler or Compiler(threads=threads)
        self.nodes, self.threads, self.profile = nodes, threads, profile

    def plan(
        self, effect: Effect, stream: Stream, values: Mapping[str, Any] | None = None, **options: Any
    ) -> Plan:
        """The plan alone; see compile_effect."""
        return compile_effect(
            effect, nodes=self.nodes, stream=stream, overrides=dict(values or {}), **options
        )

    def build(
        self, plan: Plan, progress: Progress | None = None, others: Mapping[Key, Plan] | None = None
    ) -> Built:
        """Compile what the cache lacks; `progress(done, total)` as kernels become ready.

        `others`: variants of the plan, whose kernels go into the same library.
        """
        extra = [self._loop(name) for name in plan.natives]
        regions = {r.key: r for one in (plan, *(others or {}).values()) for r in one.regions}
        return Built(plan, self.compiler.compile(regions.values(), progress, extra), others or {})

    def variants(
        self, effect: Effect, stream: Stream, plan: Plan, values: Mapping[str, Any]
    ) -> dict[Key, Plan]:
        """Plans for what the public structural parameters may become, by their values."""
        found: dict[Key, Plan] = {}
        for chosen in variant_values(plan):
            key = structural(plan, {**values, **chosen})
            found[key] = self.plan(effect, stream, {**values, **chosen}, validated=True)
        return found

    def _loop(self, name: str) -> bytes:
        wanted, cache, target = loop(name), self.compiler.cache, self.compiler.target
        key = hashlib.sha256(f"{wanted.key} {target}".encode()).hexdigest()
        found = cache.path(key, ".o")
        return found.read_bytes() if found else cache.put(key, ".o", emit(wanted, target)).read_bytes()

    def cached(self, plan: Plan) -> bool:
        """Whether `build` would compile nothing."""
        return all(self.compiler.cached(region) for region in plan.regions)

    def engine(self, built: Built, effect: Effect, *, live: bool = False) -> Engine:
        """Bind and open everything."""
        return Engine(
            built.plan, built.library, natives=built.natives, live=live, folder=effect.folder,
            threads=self.threads, profile=self.profile,
        )  # fmt: skip

    @staticmethod
    def clean(plan: Plan, name: str, value: Any) -> Any:
        """A public parameter's value, checked against its entry's range too."""
        entry = plan.interface.get(name)
        if entry is None:
            known = ", ".join(plan.interface) or "none"
            raise UsageError(f"the effect has no public parameter {name!r}; it has: {known}")
        return clean_value(replace(entry.parameter, name=name, low=entry.low, high=entry.high), value)


def structural(plan: Plan, values: Mapping[str, Any]) -> Key:
    """The values of the public parameters that are compiled in: what tells one variant from another."""
    baked = {
        n: e for n, e in plan.interface.items() if e.parameter.structural and is_baked(plan, e.path, e.param)
    }
    return tuple((name, values.get(name, entry.default)) for name, entry in baked.items())
