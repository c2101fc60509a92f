"""Echo in its loop, through a real delay, over several frames."""

from __future__ import annotations

from typing import Any

import numpy as np
from one_node import EvaluatorLibrary, Kept, registry_with_tests

from spellwire.graph.effect import Effect, NodeUse, Wire
from spellwire.runtime.engine.engine import Engine
from spellwire.runtime.frames import Frame
from spellwire.runtime.plan.compile import compile_effect

W, H = 32, 24


def frames(pictures: list[np.ndarray], step: float, **params: Any) -> list[np.ndarray]:
    """What the loop gives for those 8-bit pictures, `step` seconds apart."""
    kinds = {"in": ("source.input", {}), "echo": ("feedback.echo", params), "delay": ("delay.image", {}),
             "keep": ("test.keep_image", {"name": "out"})}  # fmt: skip
    nodes = {k: NodeUse(k, t, 1, p) for k, (t, p) in kinds.items()}  # type: ignore[arg-type]
    ends = [("in", "image", "echo", "image"), ("delay", "out", "echo", "past"), ("echo", "out", "delay", "value"),
            ("echo", "out", "keep", "value")]  # fmt: skip
    plan = compile_effect(Effect(nodes=nodes, wires=tuple(Wire(*e) for e in ends)), nodes=registry_with_tests())  # type: ignore[arg-type]
    engine = Engine(plan, EvaluatorLibrary())
    shown = []
    try:
        for index, picture in enumerate(pictures):
            frame = Frame.make(W, H, 3)
            frame.data[...] = picture
            engine.frame(frame, round(index * step * 1e6), index)
            assert not engine.failures
            shown.append(Kept.values["out"].data.copy())
    finally:
        engine.close()
    return shown


def flash() -> list[np.ndarray]:
    """A bright square, then darkness."""
    first = np.zeros((H, W, 3), np.uint8)
    first[8:16, 12:20] = 200
    return [first] + [np.zeros((H, W, 3), np.uint8)] * 12


def test_what_was_there_fades_by_half_each_half_life_at_any_frame_rate() -> None:
    for step in (0.05, 0.1):
        shown = frames(flash(), step, mode="lighten", half_life=0.2)
        for index, picture in enumerate(shown):
            wanted = 200 / 255 * 0.5 ** (index * step / 0.2)
            assert abs(picture[12, 16, 0] - wanted) < 1e-4


def test_over_an_opaque_picture_nothing_of_the_past_is_left() -> None:
    shown = frames(flash(), 0.05, mode="over")
    assert shown[1][..., :3].max() == 0


def test_the_past_drifts_and_grows_by_time() -> None:
    def middle(picture: np.ndarray) -> float:
        weight = picture[..., 0]
        return float((weight.sum(0) * (np.arange(W) + 0.5)).sum() / weight.sum())

    shown = frames(flash(), 0.05, mode="lighten", motion="moving", zoom=0.0, drift=(0.25, 0.0), half_life=5.0)
    assert abs(middle(shown[8]) - middle(shown[0]) - 0.25 * 8 * 0.05 * H) < 0.1
    grown = frames(flash(), 0.05, mode="lighten", motion="moving", zoom=1.0, half_life=5.0)
    assert (grown[12][..., 0] > 0.3).sum() > 1.8 * (grown[0][..., 0] > 0.3).sum()


def test_add_sums_light_and_alpha_stops_at_one() -> None:
    still = [np.full((H, W, 3), 60, np.uint8)] * 6
    shown = frames(still, 0.05, mode="add", half_life=0.2)
    rgb = [float(s[0, 0, 0]) for s in shown]
    assert np.allclose(rgb, [60 / 255 * sum(0.5 ** (k / 4) for k in range(n + 1)) for n in range(6)], atol=1e-4)
    assert all((s[..., 3] == 1).all() for s in shown)
