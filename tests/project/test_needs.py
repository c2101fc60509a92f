"""What an effect's nodes say they run, so that it is fetched before the first frame."""

from __future__ import annotations

from pathlib import Path

import pytest

from spellwire.graph.document import load_effect
from spellwire.graph.registry import registry
from spellwire.runtime.cli.needs import _named

LIBRARY = Path(__file__).parents[2] / "effects_library"


@pytest.mark.parametrize(("name", "models"), [("painter", {"style/predict", "style/transform"}), ("dream", {"depth/fastdepth"}),
                                              ("grade", set())])  # fmt: skip
def test_models_named_by_nodes(name: str, models: set[str]) -> None:
    effect = load_effect(LIBRARY / name)
    assert {m for n in effect.nodes.values() for m in _named(n.params, registry()[n.type])} == models


def test_a_file_is_no_model_of_the_registry() -> None:
    node = registry()["generator.image"]
    assert set(_named({"model": {"asset": "assets/x.onnx"}}, node)) == set()
    assert set(_named({"model": {"model": "style/multistyle26"}}, node)) == {"style/multistyle26"}
