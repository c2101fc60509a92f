"""Every pixel node as machine code, alone and in random chains, against the NumPy evaluator to 1/255."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from checked import Checked
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from one_node import effect_of, picture, plan_of, play_plan
from test_every_node import DRAWN, given_for

from spellwire.graph.declare import Parameter
from spellwire.graph.effect import Effect, NodeUse, Wire
from spellwire.graph.registry import registry
from spellwire.runtime.kernels.compiler import Compiler
from spellwire.runtime.plan.ir import Plan

SIZE = (32, 24)
# what needs more than pictures (tracked faces, bodies) is compared with the evaluator in test_references.py, as is everything
FED = {n: d for n, d in DRAWN.items() if all(p.optional or p.name in given_for(d) for p in d.inputs)}
ALONE: list[tuple[str, dict[str, Any]]] = [(n, {}) for n, d in FED.items() if d.kind == "pixel" or d.inners]
ALONE += [("composite.blend", {"mode": m}) for m in ("colour-dodge", "soft-light", "luminosity")]
ALONE += [("composite.grain", {"colour": "colour"}), ("geometry.transform", {"outside": "mirror", "rotate": 20.0})]


def smooth(array: np.ndarray) -> np.ndarray:
    """Soft and nowhere thin, as footage is: a picture of noise is ill-conditioned for much of what nodes do."""
    return cv2.GaussianBlur(array, (0, 0), 1.5).reshape(array.shape)


def plan_alone(name: str, params: dict[str, Any]) -> Plan:
    inputs = given_for(registry()[name])
    soft = {k: smooth(v) if isinstance(v, np.ndarray) else v for k, v in inputs.items()}
    return plan_of(effect_of(name, soft, params))


@pytest.fixture(scope="module")
def library() -> Any:
    """One library of all of them."""
    regions = [r for name, params in ALONE for r in plan_alone(name, params).regions]
    return Compiler(threads=1).compile(regions)


@pytest.mark.parametrize(("name", "params"), ALONE, ids=[f"{n}-{'-'.join(map(str, p.values()))}" for n, p in ALONE])
def test_alone(library: Any, name: str, params: dict[str, Any]) -> None:
    checked = Checked(library, 0.01)
    play_plan(plan_alone(name, params), checked, size=SIZE, time=1_700_000, index=5)
    assert checked.compared


LINKS = ["colour.exposure", "colour.contrast", "colour.saturation", "colour.gamma", "colour.tint", "colour.hue",
         "colour.levels", "colour.lift_gamma_gain", "colour.to_linear", "colour.to_srgb", "colour.invert",
         "colour.vibrance", "colour.lut", "colour.curves", "composite.vignette", "composite.bloom", "filter.sharpen",
         "filter.edges>composite.blend", "geometry.transform", "mask.luma_key>composite.background"]  # fmt: skip


def middling(p: Parameter, share: float) -> Any:
    """A value about its default, towards one end of its range."""
    if p.choices or p.low is None or p.high is None or p.type.name not in ("Number", "Vector2", "Vector3"):
        return p.default
    end = p.high if share > 0 else p.low
    values = [v + (end - v) * abs(share) for v in (p.default if p.type.components > 1 else (p.default,))]
    return tuple(values) if p.type.components > 1 else values[0]


def chain(links: list[tuple[str, float]]) -> Effect:
    """Nodes one after another from a picture; `a>b`: b's mask is made by a, b's other picture is the first one."""
    start = effect_of("colour.exposure", {"image": smooth(picture(9))}, {})
    nodes = {k: n for k, n in start.nodes.items() if k != "node"}
    wires, before = [], ("image", "out")

    def add(name: str, share: float, inputs: dict[str, tuple[str, str]]) -> tuple[str, str]:
        d, key = registry()[name], f"n{len(nodes)}"
        params = {p.name: middling(p, share) for p in d.params if p.type.name not in ("Look", "Curve")}
        nodes[key] = NodeUse(key, name, d.version, params)  # type: ignore[arg-type]
        wires.extend(Wire(*source, key, port) for port, source in inputs.items())
        return key, d.outputs[0].name

    for name, share in links:
        first, _, second = name.partition(">")
        made = add(first, share, {"image": before})
        if second == "composite.blend":
            made = add(second, share, {"below": before, "above": ("image", "out"), "mask": made})
        elif second:
            made = add(second, share, {"image": before, "background": ("image", "out"), "mask": made})
        before = made
    wires.append(Wire(*before, "keep_out", "value"))
    return Effect(nodes=nodes, wires=tuple(wires))  # type: ignore[arg-type]


@given(st.lists(st.tuples(st.sampled_from(LINKS), st.floats(-0.4, 0.4)), min_size=2, max_size=6))
@settings(max_examples=6, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_random_chains(links: list[tuple[str, float]]) -> None:
    plan = plan_of(chain(links))
    checked = Checked(Compiler(threads=1).compile(plan.regions), 0.03)
    play_plan(plan, checked, size=SIZE)
    assert checked.compared == len(plan.kernels) > 0
