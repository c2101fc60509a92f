"""What the tests of effects share."""

from __future__ import annotations

import numpy as np
import pytest


@pytest.fixture(scope="session")
def astronaut() -> np.ndarray:
    """A public-domain portrait of a woman before a flag and a model of a shuttle, 512×512."""
    return pytest.importorskip("skimage.data", reason="the portrait is in scikit-image").astronaut()


@pytest.fixture(scope="session")
def portrait(astronaut: np.ndarray) -> np.ndarray:
    """It cropped to 16 : 9: a face at about (220, 110), eyes at (205, 100) and (240, 100), of 512×288."""
    return np.ascontiguousarray(astronaut[:288])
