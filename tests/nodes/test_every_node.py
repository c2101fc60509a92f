"""What holds for each installed node: it is documented, and no parameter in its range makes it give rubbish."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from one_node import picture, play

from spellwire.graph.declare import Declaration, Parameter
from spellwire.graph.registry import registry

OURS = {n: d for n, d in registry().items() if d.cls.__module__.startswith("spellwire.nodes.")}
DRAWN = {n: d for n, d in OURS.items() if d.kind == "pixel" or d.inners or d.family in ("geometry",)}
# what needs a model: tested beside its own node
DRAWN = {n: d for n, d in DRAWN.items() if d.family not in ("segment", "face", "body", "delay", "source", "sink")}


@pytest.mark.parametrize("name", OURS)
def test_everything_is_documented(name: str) -> None:
    d = OURS[name]
    assert d.summary.endswith((".", "?", "!")) and len(d.summary) <= 110, d.summary
    missing = [p.name for p in (*d.inputs, *d.params, *d.outputs) if not p.doc]
    assert not missing, f"{name}: give {missing} a doc"
    for p in d.params:
        assert not p.doc.endswith("."), f"{name}.{p.name}: a doc is a phrase"
        if p.unit in ("frame heights", "°", "Hz", "s"):
            assert p.type.name in ("Number", "Vector2", "Vector3")
        assert "pixel" not in p.unit or d.family in ("surface", "segment", "face"), f"{name}.{p.name}: a length in pixels"


def given_for(d: Declaration, most: float = 1.0) -> dict[str, Any]:
    rng = np.random.default_rng(len(d.type))
    made: dict[str, Any] = {}
    for i, p in enumerate(d.inputs):
        if p.type.name == "Image":
            made[p.name] = picture(i, most=most)
        elif p.type.family == "raster":
            made[p.name] = rng.random((24, 32, p.type.components)).astype(np.float32)
        elif p.type.name == "Light":
            made[p.name] = (float(i % 3), 0.3, 0.2, 0.5, 1.0, 0.8, 0.6, 1.0, 0.5)
    return made


def ends(p: Parameter) -> list[Any]:
    """A parameter's lowest and highest value, all its words."""
    if p.choices:
        return list(p.choices)
    if p.low is None or p.high is None or p.type.name not in ("Number", "Integer", "Vector2", "Vector3"):
        return []
    whole = p.type.name == "Integer"
    return [wide(p, int(v) if whole else float(v)) for v in (p.low, p.high)]


def wide(p: Parameter, v: float) -> Any:
    return v if p.type.components == 1 else (v,) * p.type.components


@pytest.mark.parametrize("name", DRAWN)
def test_no_parameter_in_its_range_gives_rubbish(name: str) -> None:
    """Each at its ends, the others at their defaults; then all low, all high; values up to 4, and below 0, come in."""
    d = DRAWN[name]
    if any(p.type.name in ("Faces", "Face") for p in d.inputs):
        pytest.skip("takes tracked faces: tested beside its own node")
    settings: list[dict[str, Any]] = [{p.name: v} for p in d.params for v in ends(p)] or [{}]
    for which in (0, -1):
        settings.append({p.name: ends(p)[which] for p in d.params if ends(p)})
    inputs = given_for(d, most=4.0)
    for array in inputs.values():
        if isinstance(array, np.ndarray) and array.shape[2] == 4:
            array[0, 0] = (-0.5, -0.1, 0.0, 0.5)
    for params in settings:
        results = play(name, inputs=inputs, **params)
        for value in results.values() if isinstance(results, dict) else [results]:
            assert np.isfinite(value).all(), f"{name} with {params}"
            assert np.abs(value).max() < 1e6, f"{name} with {params}"


@pytest.mark.parametrize("name", [n for n, d in DRAWN.items() if "Image" in [p.type.name for p in d.inputs]])
def test_what_is_transparent_and_empty_stays_so(name: str) -> None:
    """Nothing in, nothing out, save where a second picture is laid over or noise is the point."""
    d = DRAWN[name]
    images = [p.name for p in d.inputs if p.type.name == "Image"]
    inputs = given_for(d) | {n: np.zeros((24, 32, 4), np.float32) for n in images}
    if any(p.type.family not in ("raster", "geometry") for p in d.inputs) or name in ("surface.show_normals", "depth.refine"):
        pytest.skip("draws by itself")
    results = play(name, inputs=inputs)
    for value in results.values() if isinstance(results, dict) else [results]:
        assert np.abs(value).max() < 1e-6


def test_ranges_leave_room_around_defaults() -> None:
    for name, d in OURS.items():
        for p in d.params:
            if isinstance(p.default, float) and p.low is not None and p.high is not None:
                assert p.low <= p.default <= p.high and math.isfinite(p.low) and math.isfinite(p.high), f"{name}.{p.name}"
