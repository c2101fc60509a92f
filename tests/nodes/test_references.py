"""Every pixel node as machine code against the evaluator, and against an independent reference.

How to give a node one: `references/__init__.py`.
"""

from __future__ import annotations

import functools
import inspect
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from checked import Checked
from one_node import effect_of, plan_of, play_plan
from references import STEP, Place, Reference, all_references, photo, soft_mask, surface

from spellwire.graph.declare import Declaration
from spellwire.graph.registry import registry
from spellwire.runtime.frames import Frame, Geometry
from spellwire.runtime.kernels.compiler import Compiler

NUDGE = 2.0**-12
NODES = {
    n: d for n, d in registry().items()
    if d.cls.__module__.startswith("spellwire.nodes.") and (d.kind == "pixel" or d.inners)
}  # fmt: skip
REFERENCES = {cls.declaration.type: r for cls, r in all_references().items()}
CASES = [(n, i) for n, r in REFERENCES.items() for i in range(len(r.cases))]


@pytest.mark.parametrize("name", NODES)
def test_has_a_reference(name: str) -> None:
    assert name in REFERENCES, f"{name} has no reference: see tests/nodes/references/__init__.py"


def inputs_of(d: Declaration, reference: Reference) -> dict[str, Any]:
    """What goes in: the reference's own, or pictures of the right type; what is optional and not given stays unwired."""
    width, height = reference.size
    made: dict[str, Any] = {}
    for seed, p in enumerate(d.inputs):
        if p.name in reference.inputs:
            value = reference.inputs[p.name]
            made[p.name] = value(width, height) if callable(value) else value
        elif p.type.name == "Image":
            made[p.name] = photo(seed, width, height)
        elif p.type.name == "Surface":
            made[p.name] = surface(seed, width, height)
        elif p.type.family == "raster":
            assert p.type.components == 1, f"{d.type}.{p.name}: give inputs= for a {p.type.name}"
            made[p.name] = soft_mask(seed, width, height)
    return {k: v for k, v in made.items() if v is not None}


class Played:
    """One case: its plan, and what it needs to be played."""

    def __init__(self, name: str, case: int, folder: Path):
        self.d, self.reference = NODES[name], REFERENCES[name]
        self.inputs = inputs_of(self.d, self.reference)
        files = self.reference.files(folder) if self.reference.files else {}
        self.params = {**files, **self.reference.cases[case]}
        self.folder = folder if files else None
        self.plan = plan_of(effect_of(name, self.inputs, self.params, self.folder))
        self.inner: dict[str, Any] = {}

    def play(self, library: Any, patch: pytest.MonkeyPatch) -> dict[str, np.ndarray]:
        effect_of(self.d.type, self.inputs, self.params, self.folder)  # hands the inputs in
        if self.d.inners:
            self._watch(patch)
        r = self.reference
        return play_plan(self.plan, library, size=r.size, time=r.time, index=r.index, folder=self.folder)

    def _watch(self, patch: pytest.MonkeyPatch) -> None:
        """Note what `process` gives, or give it in its stead."""
        cls, names = self.d.cls, [p.name for p in self.d.inners]
        real = cls.process  # type: ignore[attr-defined]

        @functools.wraps(real)
        def process(node: Any, *args: Any, **more: Any) -> Any:
            given = tuple(self._fitted(self.reference.inners[n]) for n in names) if self.reference.inners else None
            result = real(node, *args, **more) if given is None else given if len(given) > 1 else given[0]
            self.inner = dict(zip(names, result if len(names) > 1 else (result,), strict=True))
            return result

        patch.setattr(cls, "process", process)
        if self.reference.inners:
            patch.setattr(cls, "open", lambda *_: None)

    def _fitted(self, value: Any) -> Any:
        """A raster laid over the whole frame."""
        if not isinstance(value, Frame):
            return value
        width, height = self.reference.size
        to_frame = (width / value.width, 0.0, 0.0, 0.0, height / value.height, 0.0)
        return Frame(value.data, Geometry(value.width, value.height, to_frame))

    def wanted(self, nudge: float = 0.0) -> dict[str, np.ndarray]:
        r = self.reference
        known: dict[str, Any] = {p.name: p.default for p in self.d.params} | self.params
        width, height = r.size
        for p in self.d.inputs:
            value = self.inputs.get(p.name, p.neutral)
            if isinstance(value, np.ndarray):
                value = value.astype(np.float64) + nudge
            elif p.type.family == "raster":
                value = np.broadcast_to(np.asarray(value, float), (height, width, p.type.components))
            known[p.name] = value
        known |= self.inner
        known["at"] = Place(width, height, r.time / 1e6, r.index, nudge)
        asked = inspect.signature(r.formula).parameters
        given = r.formula(**{k: known[k] for k in asked})
        return given if isinstance(given, dict) else {self.d.outputs[0].name: given}


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """name → its cases, and one library for all cases of its family."""
    cases: dict[tuple[str, int], Played] = {}
    libraries: dict[str, Any] = {}

    def case(name: str, index: int) -> tuple[Played, Any]:
        family = NODES[name].family
        if family not in libraries:
            for key in CASES:
                if NODES[key[0]].family == family:
                    cases[key] = Played(*key, tmp_path_factory.mktemp("assets"))
            regions = [r for key, p in cases.items() if NODES[key[0]].family == family for r in p.plan.regions]
            libraries[family] = Compiler(threads=1).compile(regions)
        return cases[name, index], libraries[family]

    return case


@pytest.mark.parametrize(("name", "case"), CASES, ids=[f"{n}-{i}" for n, i in CASES])
def test_reference(played: Any, name: str, case: int, monkeypatch: pytest.MonkeyPatch) -> None:
    one, library = played(name, case)
    # by the evaluator's measure more is ill-conditioned, for a hybrid's small pictures all of it may be
    checked = Checked(library, 1.0 if one.d.inners else 0.2)
    got = one.play(checked, monkeypatch)
    assert checked.compared
    with np.errstate(all="ignore"):
        wanted, moved = one.wanted(), [one.wanted(NUDGE), one.wanted(-NUDGE)]
    assert set(wanted) == set(got), "the reference gives other outputs"
    for output, want in wanted.items():
        assert got[output].shape == want.shape and np.isfinite(want).all()
        limit = one.reference.limit * np.maximum(1.0, np.abs(want)) * 1.001
        ill = np.any([np.abs(m[output] - want) > limit for m in moved], axis=0).any(-1)
        off = (np.abs(got[output] - want) > limit).any(-1) & ~ill
        assert not off.any(), _report(name, one.params, output, got[output], want, off)
        assert ill.mean() <= one.reference.most, f"{ill.mean():.1%} of {name} is ill-conditioned"
        assert one.reference.flat or np.ptp(want) > 8 * STEP, f"{name}.{output}: the reference is flat, so it proves little"


def _report(name: str, params: Any, output: str, got: np.ndarray, want: np.ndarray, off: np.ndarray) -> str:
    y, x = (int(v[0]) for v in np.nonzero(off))
    worst = np.abs(got - want)[off].max() * 255
    return (
        f"{name} {params}: {output} is off at {off.mean():.1%} of the picture, by up to {worst:.1f}/255; "
        f"first at x {x}, y {y}: {got[y, x]} instead of {want[y, x]}"
    )
