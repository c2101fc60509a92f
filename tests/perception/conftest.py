"""Models (fetched once, or the test is skipped), a portrait that everybody may use, and the shared test assets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from shared_assets import ASSETS

from spellwire.graph.errors import ModelUnavailable
from spellwire.runtime.models.model import open_model
from spellwire.runtime.perception.face import MODELS, FaceTracker, Variant


def opened(model_id: str) -> Any:
    try:
        return open_model(model_id)
    except ModelUnavailable as error:
        pytest.skip(f"the model {model_id} is not here and can't be fetched: {error}")


@pytest.fixture(scope="session")
def portrait() -> np.ndarray:
    """(512, 512, 3) uint8 RGB: one face, about 110 pixels wide, in the upper middle (NASA, public domain)."""
    data = pytest.importorskip("skimage.data", reason="scikit-image carries the portrait")
    return np.ascontiguousarray(data.astronaut())


@pytest.fixture(scope="session")
def tracker() -> Callable[[Variant], FaceTracker]:
    """A tracker of a variant, opened once."""
    made: dict[str, FaceTracker] = {}

    def get(variant: Variant) -> FaceTracker:
        if variant not in made:
            made[variant] = FaceTracker(variant, *[opened(name) for name in MODELS[variant]])
        return made[variant]

    return get


@pytest.fixture(scope="session")
def load() -> Callable[[str], Any]:
    """Opens a model by id; skips where it can't be had."""
    return opened


@pytest.fixture(scope="session")
def assets() -> Path:
    """The shared test assets, which are no part of this project."""
    if not ASSETS.is_dir():
        pytest.skip(f"the shared test assets are not at {ASSETS} (SPELLWIRE_ASSETS)")
    return ASSETS
