"""An effect of the library played over frames in memory, for its tests."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spellwire.graph.effect import Effect
from spellwire.graph.errors import ModelUnavailable
from spellwire.runtime.engine.engine import Engine
from spellwire.runtime.frames import Frame
from spellwire.runtime.models.resolver import resolve
from spellwire.runtime.plan.ir import Stream
from spellwire.runtime.session.planning import Planner

LIBRARY = Path(__file__).parents[2] / "effects_library"


def need(*models: str) -> None:
    """Skip what asks for it where these models can't be had."""
    try:
        for name in models:
            resolve(name)
    except ModelUnavailable as error:
        pytest.skip(f"the models are not here and can't be fetched: {error}")


def engine_of(effect: Effect, values: Mapping[str, Any] | None = None, threads: int = 1, live: bool = False) -> Engine:
    """The effect, ready to play."""
    planner = Planner(threads=threads)
    return planner.engine(planner.build(planner.plan(effect, Stream(3), values)), effect, live=live)


def play(
    effect: Effect, frames: list[np.ndarray], values: Mapping[str, Any] | None = None, threads: int = 1,
    step: int = 40_000, **more: Any,
) -> list[np.ndarray]:  # fmt: skip
    """What is shown for each frame, RGB; no node may fail.

    values, more: public parameters. step: µs from frame to frame.
    """
    engine = engine_of(effect, {**(values or {}), **more}, threads)
    try:
        shown = [engine.frame(Frame.of(f), n * step, n).data[..., :3].copy() for n, f in enumerate(frames)]  # type: ignore[union-attr]
        assert not engine.failures, [str(f.error) for f in engine.failures.values()]
        return shown
    finally:
        engine.close()


def changed(shown: np.ndarray, frame: np.ndarray) -> np.ndarray:
    """By how much each pixel changed, 0 to 255: its channel that changed most."""
    return np.abs(shown.astype(int) - frame).max(-1)


def difference(a: np.ndarray, b: np.ndarray, where: tuple[slice, slice]) -> float:
    """By how much a part differs, on average, 0 to 255."""
    return float(np.abs(a[where].astype(int) - b[where]).mean())
