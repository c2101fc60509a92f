"""What a model lane takes and gives when faces are several: lists of rasters are copied, like rasters, and refilled."""

from __future__ import annotations

import numpy as np

from spellwire.runtime.engine.lanes import Lane
from spellwire.runtime.engine.segment import Segment
from spellwire.runtime.frames import Frame, Tick
from spellwire.runtime.values import Each


def lane(step) -> Lane:  # type: ignore[no-untyped-def]
    slots = [None, None]
    return Lane("model:n1", slots, Segment([lambda: step(slots)], ["n1"], lambda *_: None), (0,), (1,), Tick())


def crops(*levels: int) -> Each:
    return Each(tuple(range(len(levels))), tuple(Frame.of(np.full((4, 4, 3), v, np.uint8)) for v in levels))


def test_the_lane_sees_the_frame_it_was_fed_whatever_the_render_lane_does_next() -> None:
    seen = []
    one = lane(lambda slots: seen.append([int(f.data[0, 0, 0]) for f in slots[0].values]))
    given = crops(10, 20)
    one.feed([given, None], Tick(index=3))
    for frame in given.values:
        frame.data[:] = 99  # the next frame's crops, in the same memory
    one.run()
    assert seen == [[10, 20]]


def test_readers_keep_a_result_while_the_next_is_made() -> None:
    working = crops(1, 2)

    def step(slots: list) -> None:
        for frame in working.values:
            frame.data += 1
        slots[1] = working

    one, render = lane(step), [crops(0, 0), None]
    one.feed(render, Tick(index=0))
    one.run()
    one.publish(render)
    shown = render[1]
    assert shown is not None and [int(f.data[0, 0, 0]) for f in shown.values] == [2, 3]
    one.feed(render, Tick(index=1))
    one.run()
    assert [int(f.data[0, 0, 0]) for f in shown.values] == [2, 3]
    one.publish(render)
    assert [int(f.data[0, 0, 0]) for f in render[1].values] == [3, 4]
    memory = {id(f.data) for f in render[1].values}
    for index in (2, 3):  # two sets in turn, nothing new
        one.feed(render, Tick(index=index))
        one.run()
        one.publish(render)
    assert {id(f.data) for f in render[1].values} == memory


def test_a_face_more_and_a_face_less() -> None:
    one, render = lane(lambda slots: slots.__setitem__(1, slots[0])), [crops(5), None]
    for levels in ((5,), (5, 6, 7), (), (8, None)):
        render[0] = Each(tuple(range(len(levels))), tuple(None if v is None else crops(v).values[0] for v in levels))
        one.feed(render, Tick())
        one.run()
        one.publish(render)
        found = [None if f is None else int(f.data[0, 0, 0]) for f in render[1].values]
        assert found == list(levels)
