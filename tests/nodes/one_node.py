"""One node alone, played by the real plan and engine: kernels by the evaluator, or compiled where a test says so."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import evaluator
import numpy as np

from spellwire.graph.declare import In, Node, Out, Param, ProcessNode, frame_space, param, result
from spellwire.graph.effect import Effect, NodeUse, Wire
from spellwire.graph.registry import Registry, registry
from spellwire.graph.types import TYPES, PortType, Text
from spellwire.runtime.engine.engine import Engine
from spellwire.runtime.frames import Frame
from spellwire.runtime.plan.compile import compile_effect
from spellwire.runtime.plan.ir import Plan

__all__ = ["EvaluatorLibrary", "effect_of", "picture", "plan_of", "play", "play_plan", "registry_with_tests"]


class Given(ProcessNode):
    """What a test hands in."""

    values: ClassVar[dict[str, Any]] = {}
    name: Param[Text] = param("")

    def process(self, name: str) -> Any:
        return Given.values[name]


class Kept(ProcessNode):
    """What came out."""

    values: ClassVar[dict[str, Any]] = {}
    name: Param[Text] = param("")

    def process(self, value: Any, name: str) -> None:
        Kept.values[name] = value


def _ends(kind: type[PortType]) -> tuple[type[Node], type[Node]]:
    """A source and a sink for a type, of the test's own."""
    word = kind.__name__.lower()
    made = result(space=frame_space, size="free") if kind.spatial else result()
    source = {"__doc__": f"Gives a {word}.", "__annotations__": {"out": Out[kind]}, "out": made}
    sink = {"__doc__": f"Keeps a {word}.", "__annotations__": {"value": In[kind]}}
    give = type(f"Give{kind.__name__}", (Given,), source, type=f"test.give_{word}")
    return give, type(f"Keep{kind.__name__}", (Kept,), sink, type=f"test.keep_{word}", effectful=True)


ENDS = {kind: _ends(kind) for kind in TYPES.values()}


def registry_with_tests() -> Registry:
    return registry().merged(Registry.of(*(node for pair in ENDS.values() for node in pair)))


class EvaluatorLibrary:
    """Stands where compiled kernels stand, and asks the NumPy evaluator."""

    natives: ClassVar[dict[str, Any]] = {}

    def kernel(self, region: Any) -> EvaluatorLibrary._Kernel:
        return EvaluatorLibrary._Kernel(region)

    class _Kernel:
        def __init__(self, region: Any):
            self.region = region

        def bind(self, reads, tables, uniforms, writes) -> EvaluatorLibrary._Call:
            return EvaluatorLibrary._Call(self.region, list(reads), list(tables), uniforms, writes)

    class _Call:
        def __init__(self, *given: Any):
            self.region, self.reads, self.tables, self.uniforms, self.writes = given

        def set_read(self, index: int, array: np.ndarray) -> None:
            self.reads[index] = array

        def __call__(self) -> None:
            size = self.writes[0].shape[:2]
            pictures = evaluator.Pictures(self.reads, self.tables, self.uniforms, size)
            with np.errstate(all="ignore"):
                results = evaluator.evaluate(self.region, pictures)
            for into, value, spec in zip(self.writes, results, self.region.writes, strict=True):
                into[...] = evaluator.quantise(value, spec.format)


def effect_of(type_id: str, inputs: Mapping[str, Any], params: Mapping[str, Any], folder: Path | None = None) -> Effect:
    """An effect of that node, with `inputs` (arrays, or values) wired into it and every output kept."""
    decl = registry()[type_id]
    nodes = {"node": NodeUse("node", type_id, decl.version, params)}  # type: ignore[arg-type]
    wires = []
    for name, value in inputs.items():
        target = decl.target(name)
        assert target is not None, f"{type_id} has no input {name!r}"
        Given.values[name] = Frame.of(value.astype(np.float32)) if isinstance(value, np.ndarray) else value
        nodes[name] = NodeUse(name, ENDS[target.type][0].declaration.type, 1, {"name": name})  # type: ignore[arg-type]
        wires.append(Wire(name, "out", "node", name))
    for port in decl.outputs:
        keeper = f"keep_{port.name}"
        nodes[keeper] = NodeUse(keeper, ENDS[port.type][1].declaration.type, 1, {"name": port.name})  # type: ignore[arg-type]
        wires.append(Wire("node", port.name, keeper, "value"))
    return Effect(nodes=nodes, wires=tuple(wires), folder=folder)  # type: ignore[arg-type]


def plan_of(effect: Effect) -> Plan:
    return compile_effect(effect, nodes=registry_with_tests())


def play_plan(plan: Plan, library: Any, *, size: tuple[int, int], time: int = 0, index: int = 0,
              folder: Path | None = None) -> dict[str, Any]:  # fmt: skip
    """One frame of a plan on a stream of that size (width, height): the outputs by name, rasters as arrays."""
    Kept.values.clear()
    engine = Engine(plan, library, folder=folder)
    try:
        engine.frame(Frame.make(*size, 3), time, index)
        assert not engine.failures, next(iter(engine.failures.values())).error
        return {k: v.data.copy() if isinstance(v, Frame) else v for k, v in Kept.values.items()}
    finally:
        engine.close()


def play(type_id: str, *, inputs: Mapping[str, Any] | None = None, frame: tuple[int, int] | None = None,
         time: int = 0, index: int = 0, library: Any = None, folder: Path | None = None, **params: Any) -> Any:  # fmt: skip
    """The node's (only) output for these inputs and parameters; `frame` is the stream's (width, height)."""
    inputs = inputs or {}
    if frame is None:
        first = next((v for v in inputs.values() if isinstance(v, np.ndarray)), np.zeros((24, 32)))
        frame = (first.shape[1], first.shape[0])
    plan = plan_of(effect_of(type_id, inputs, params, folder))
    kept = play_plan(plan, library or EvaluatorLibrary(), size=frame, time=time, index=index, folder=folder)
    return next(iter(kept.values())) if len(kept) == 1 else kept


def picture(seed: int = 0, *, alpha: bool = True, width: int = 32, height: int = 24, most: float = 1.0) -> np.ndarray:
    """A premultiplied picture: random colours up to `most`, alpha 0 and 1 among the values where asked for."""
    rng = np.random.default_rng(seed)
    rgb = rng.random((height, width, 3)) * most
    a = np.clip(rng.random((height, width, 1)) * 1.6 - 0.3, 0, 1) if alpha else np.ones((height, width, 1))
    return np.concatenate([rgb * a, a], axis=-1).astype(np.float32)
