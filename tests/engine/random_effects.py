"""Random effects that validation accepts: any node type, any parameter in its range, any wire that fits."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from spellwire.graph.declare import Declaration, Parameter, Port
from spellwire.graph.document import Effect, effect_from_data
from spellwire.graph.edits import MakeGroup
from spellwire.graph.errors import EditError
from spellwire.graph.registry import Registry
from spellwire.graph.types import PortType
from spellwire.graph.validate import fits, validate

__all__ = ["nudge_buffers", "random_effect"]

NUDGE = 2.0**-12  # as in the pixel tests' evaluator
NEVER = {"source.input", "sink.output", "colour.lut"}


class _Maker:
    """Grows one effect, a node at a time; what validation refuses is taken back."""

    def __init__(self, rng: np.random.Generator, nodes: Registry, types: Iterable[str]):
        self.rng, self.nodes = rng, nodes
        self.types = [nodes[t] for t in sorted(types)]
        self.data: dict[str, Any] = {"schema": 1, "nodes": {}, "next_id": 1, "interface": []}
        self.data["working_space"] = str(rng.choice(["srgb", "srgb", "linear"]))
        self.given: list[tuple[str, type[PortType]]] = []
        self.used: set[str] = set()
        self.add(nodes["source.input"], {})

    def add(self, decl: Declaration, inputs: dict[str, str]) -> bool:
        """Put a node in, with random parameters; False where the whole is no longer valid."""
        name = f"n{self.data['next_id']}"
        node = {"type": decl.type, "version": decl.version, "params": {}, "inputs": dict(inputs)}
        for parameter in decl.params:
            self._parameter(node, parameter)
        passes = any(p.type is o.type for p in decl.inputs for o in decl.outputs)
        if passes and decl.role != "delay" and self.rng.random() < 0.06:
            node["muted"] = True
        self.data["nodes"][name] = node
        if self.problems():
            del self.data["nodes"][name]
            return False
        self.data["next_id"] += 1
        self.used |= set(node["inputs"].values())
        self.given += [(f"{name}.{port.name}", port.type) for port in decl.outputs]
        return True

    def problems(self) -> list[Any]:
        found = validate(effect_from_data(self.data), self.nodes)
        return [p for p in found if p.severity == "error"]

    def _parameter(self, node: dict[str, Any], parameter: Parameter) -> None:
        if parameter.driven and self.rng.random() < 0.2 and (source := self._fitting(parameter)):
            node["inputs"][parameter.name] = source
        elif self.rng.random() < 0.7:
            value = _random_value(self.rng, parameter)
            if value is not None:
                node["params"][parameter.name] = value

    def _fitting(self, end: Port | Parameter) -> str:
        """An output that may be wired there, newer ones rather; "" where there is none."""
        found = [ref for ref, kind in self.given if fits(kind, end)]
        return found[-1 - min(int(self.rng.exponential(2.0)), len(found) - 1)] if found else ""

    def grow(self) -> None:
        decl = self.types[int(self.rng.integers(len(self.types)))]
        inputs = {}
        for port in decl.inputs:
            if port.optional and self.rng.random() < 0.5:
                continue
            source = self._fitting(port)
            if source:
                inputs[port.name] = source
            elif not port.optional:
                return
        self.add(decl, inputs)

    def feed_back(self) -> None:
        """Wire some delays to what comes after them."""
        for node in self.data["nodes"].values():
            if node["type"].startswith("delay.") and self.rng.random() < 0.8:
                before = node["inputs"]["value"]
                port = self.nodes[node["type"]].input("value")
                assert port is not None
                node["inputs"]["value"] = self._fitting(port) or before
                if self.problems():
                    node["inputs"]["value"] = before

    def finish(self) -> None:
        """Blend the images that nobody reads, show the result."""
        images = [ref for ref, kind in self.given if kind.name in ("Image", "Mask") and ref not in self.used]
        shown = images.pop() if images else "n1.image"
        for other in images[-3:]:
            blend = self.nodes["composite.blend"]
            if self.add(blend, {"below": shown, "above": other}):
                shown = self.given[-1][0]
        while not self.add(self.nodes["sink.output"], {"image": shown}):
            shown = str(self.rng.choice([ref for ref, kind in self.given if kind.name == "Image"]))


def _random_value(rng: np.random.Generator, parameter: Parameter) -> Any:
    name = parameter.type.name
    if parameter.choices:
        return parameter.choices[int(rng.integers(len(parameter.choices)))]
    if name == "Boolean":
        return bool(rng.random() < 0.5)
    if name == "Curve":
        count = int(rng.integers(1, 5))
        x = np.sort(rng.choice(np.arange(11), count, replace=False)) / 10
        return [[float(a), float(b)] for a, b in zip(x, rng.random(count), strict=True)]
    low = -1.0 if parameter.low is None else parameter.low
    high = 2.0 if parameter.high is None else parameter.high
    if name == "Integer":
        return int(rng.integers(int(low), min(int(high), int(low) + 600) + 1))
    count = {"Number": 1, "Vector2": 2, "Vector3": 3, "Vector4": 4, "Colour": 4}.get(name, 0)
    if not count:
        return None
    numbers = rng.uniform(low, high, count)
    ends = rng.random(count)  # the ends of ranges are where things break
    numbers = np.where(ends < 0.08, low, np.where(ends > 0.92, high, numbers))
    return float(numbers[0]) if count == 1 else [float(v) for v in numbers]


def random_effect(
    seed: int, nodes: Registry, size: int = 12, leave_out: Iterable[str] = (), only: Iterable[str] = ()
) -> Effect:
    """A valid effect of about `size` nodes; the same one for the same seed and node types."""
    rng = np.random.default_rng(seed)
    types = set(only) or {d.type for d in nodes.values()}
    maker = _Maker(rng, nodes, types - NEVER - set(leave_out))
    for _ in range(size * 2):
        if len(maker.data["nodes"]) <= size:
            maker.grow()
    maker.feed_back()
    maker.finish()
    effect = effect_from_data(maker.data)
    return _grouped(effect, rng, nodes) if rng.random() < 0.3 else effect


def _grouped(effect: Effect, rng: np.random.Generator, nodes: Registry) -> Effect:
    """With some of its nodes in a group, where that is possible."""
    names = [n for n, use in effect.nodes.items() if use.type not in ("source.input", "sink.output")]
    if len(names) < 3:
        return effect
    first = int(rng.integers(0, len(names) - 2))
    chosen = tuple(names[first : first + int(rng.integers(2, 6))])
    try:
        made = MakeGroup(nodes=chosen, name="some").apply(effect, nodes)
    except EditError:
        return effect
    return effect if any(p.severity == "error" for p in validate(made, nodes)) else made


def nudge_buffers(engine: Any, by: float = NUDGE) -> None:
    """From now on, what each stage writes in float is `by` too large: where that shows, the effect is ill-conditioned."""
    for segment in (engine.constant, engine.render):
        steps = [step for _, step in segment.steps]
        segment.steps = tuple(enumerate(_nudged(step, engine, by) for step in steps))


def _nudged(step: Any, engine: Any, by: float) -> Any:
    def run() -> None:
        before = list(engine.slots)
        step()
        for value, old in zip(engine.slots, before, strict=True):
            stage = getattr(step, "stage", None)
            written = stage is not None and any(engine.slots[s] is value for s in stage.writes)
            data = getattr(value, "data", None)
            if isinstance(data, np.ndarray) and data.dtype == np.float32 and (written or value is not old):
                data += np.float32(by)

    return run
