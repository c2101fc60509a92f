"""Sessions: offline and live, steering, plans swapped while playing, nodes that spin, hang and die."""

from __future__ import annotations

import os
import queue
import signal
import threading
import time
from fractions import Fraction

import numpy as np
import pytest

from spellwire.graph.declare import In, Out, ProcessNode, port
from spellwire.graph.errors import CompileError, NodeError, SessionError, SourceError, UsageError
from spellwire.graph.registry import Origin, Registry
from spellwire.graph.types import Image, Number
from spellwire.runtime.engine.context import NodeContext
from spellwire.runtime.engine.isolate import Isolated
from spellwire.runtime.frames import Frame
from spellwire.runtime.media.base import Sink, Source, Stamp, StreamInfo
from spellwire.runtime.session import Session
from spellwire.runtime.session import messages as m

SHOW = "n9 = sink.output(image=n8.out)"
PLAIN = "n1 = source.input()\nn8 = colour.exposure(image=n1.image)\n" + SHOW
PUBLIC = [{"name": "light", "target": "n8.stops", "low": -2, "high": 2, "default": 0.0}]


class Clip(Source):
    """Grey frames: frame i has the value i. `pace` seconds between them, as a camera."""

    def __init__(self, count, pace=0.0, size=(64, 48), broken_at=None):
        self.info = StreamInfo("clip", *size, fps=Fraction(30), frames=count, live=bool(pace))
        self.count, self.pace, self.index, self.broken_at = count, pace, -1, broken_at

    def peek(self):
        return None if self.index + 1 >= self.count else (self.index + 1) * 33_333

    def grab(self):
        if self.index + 1 >= self.count:
            return None
        self.index += 1
        if self.index == self.broken_at:
            raise SourceError("clip: frame 3 is damaged")
        if self.pace:
            time.sleep(self.pace)
        return Stamp(self.index * 33_333, self.index)

    def retrieve(self, into=None):
        frame = into or Frame.make(self.info.width, self.info.height, 3)
        frame.data[...] = min(self.index, 255)
        return frame

    def seek(self, time_us):
        self.index = time_us // 33_333 - 1

    def close(self):
        pass


class Kept(Sink):
    """Keeps each frame's first value, its time, and when it came."""

    def __init__(self, then=None):
        self.rows, self.at, self.then = [], [], then

    def open(self, info):
        self.info = info

    def write(self, frame, time_us):
        self.rows.append((int(frame.data[0, 0, 0]), time_us))
        self.at.append(time.perf_counter())
        if self.then:
            self.then(len(self.rows))

    def close(self):
        pass


@pytest.fixture
def session(planner, write):
    made = []

    def make(text=PLAIN, interface=(), **options):
        made.append(Session.load(write(text, interface), StreamInfo("x", 64, 48), planner=planner, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_offline_shows_every_frame_with_its_time(session):
    sink = Kept()
    report = session().play(Clip(40), sink)
    assert sink.rows == [(i, i * 33_333) for i in range(40)]
    assert (report.frames, report.dropped) == (40, 0)
    assert [name for name, *_ in report.costs] == ["n8"]


def test_a_limit_and_stop_end_a_run(session):
    one = session()
    assert one.play(Clip(40), Kept(), frames=7).frames == 7
    sink = Kept(lambda shown: one.stop() if shown == 5 else None)
    assert one.play(Clip(400), sink).frames < 20


def test_a_broken_source_is_reported_after_what_it_gave(session):
    sink = Kept()
    with pytest.raises(SourceError, match="frame 3 is damaged"):
        session().play(Clip(9, broken_at=3), sink)
    assert [v for v, _ in sink.rows] == [0, 1, 2]
    with pytest.raises(SourceError, match="frame 3 is damaged"):
        session().play(Clip(9, pace=0.001, broken_at=3), Kept())


def test_a_sink_that_fails_ends_the_run_with_its_error(session):
    class Full(Kept):
        def write(self, frame, time_us):
            raise SessionError("the disk is full")

    with pytest.raises(SessionError, match="disk is full"):
        session().play(Clip(30), Full())


def test_public_parameters_are_checked_and_moved_while_playing(session):
    one = session(PLAIN, PUBLIC, values={"light": 1.0})
    sink = Kept(lambda shown: one.set("light", -1.0) if shown == 10 else None)
    one.play(Clip(60), sink)
    values = [v for v, _ in sink.rows]
    assert values[:5] == [0, 2, 4, 6, 8] and values[-1] in (29, 30)
    with pytest.raises(UsageError, match="light = 9 is outside -2 to 2"):
        one.set("light", 9)
    with pytest.raises(UsageError, match="no public parameter 'glow'; it has: light"):
        session(PLAIN, PUBLIC, values={"glow": 1})


def test_live_drops_what_is_late_and_counts_it(session):
    slow = Kept(lambda _: time.sleep(0.03))
    report = session().play(Clip(40, pace=0.01), slow)
    times = [t for _, t in slow.rows]
    assert report.frames + report.dropped == 40
    assert report.dropped >= 10
    assert times == sorted(set(times)), "in order, each once"
    assert slow.rows[-1][0] == 39, "the newest wins"


def test_events_of_dropped_frames_arrive_exactly_once(session):
    one = session(
        "n1 = source.input()\nn2 = test.keys()\nn3 = test.heard(events=n2.events)\n"
        "n8 = colour.exposure(image=n1.image)\n" + SHOW,
        live=True,
    )
    sent = 0

    def keys(shown):
        nonlocal sent
        for _ in range(3):
            one.event(f"key {sent}")
            sent += 1
        time.sleep(0.02)

    report = one.play(Clip(30, pace=0.005), Kept(keys))
    assert report.dropped > 0
    heard = one.engine.states["n3"].names
    assert heard == [f"key {i}" for i in range(len(heard))] and len(heard) >= sent - 3


def test_a_spinning_python_node_does_not_hold_the_render_lane(session):
    """Its lane burns 0.25 s a frame in Python; frames go on every 10 ms beside it."""
    one = session(
        "n1 = source.input()\nn2 = test.spin(image=n1.image)\nn3 = value.maths(a=n2.number; b=0.0; operation='multiply')\n"
        "n8 = colour.exposure(image=n1.image; stops=n3.out)\n" + SHOW,
        live=True,
    )
    assert list(one.engine.lanes) == ["model:n2"]
    report = one.play(Clip(120, pace=0.01), Kept())
    assert report.frames + report.dropped == 120
    assert report.frames > 20, "in order with the node it would be 5"
    assert one.engine.lanes["model:n2"].index >= 0, "a result was published"
    ages = report.model_ages["n2"]  # of what was shown, in ms of the stream
    assert 0 < len(ages) < report.frames and min(ages) >= 10 and max(ages) > 100
    assert dict(one.telemetry().ages) == {"n2": ages[-1]}


def test_offline_a_slow_node_is_waited_for(session):
    one = session("n1 = source.input()\nn2 = test.spin(image=n1.image)\nn3 = value.remap(value=n2.number; from_low=0.0; "
                  "from_high=255.0)\nn8 = colour.exposure(image=n1.image; stops=n3.out)\n" + SHOW)  # fmt: skip
    one.play(Clip(3), Kept())
    assert one.engine.value(("n2", "number")) == 2.0


def test_a_new_edition_is_swapped_in_while_playing_and_keeps_its_state(session, write):
    counted = (
        "n1 = source.input()\nn2 = test.count()\nn3 = value.maths(a=n2.number; b=0.0; operation='multiply')\n"
        "n4 = colour.exposure(image=n1.image; stops=n3.out)\nn8 = {}(image=n4.out)\n" + SHOW
    )
    one = session(counted.format("colour.contrast"))
    ready = threading.Event()
    problems = []

    def edit(shown):
        if shown == 5:
            one.replace(write(counted.format("colour.invert")), lambda e: (problems.append(e), ready.set()))
        if shown > 5 and not ready.is_set():
            time.sleep(0.01)

    sink = Kept(edit)
    one.play(Clip(600), sink)
    assert problems == [None]
    assert sink.rows[3][0] == 3 and sink.rows[-1][0] == 0, "inverted at the end"
    assert one.engine.states["n2"].frames == 600, "no frame was forgotten"


def test_a_broken_edition_is_refused_and_the_old_one_plays_on(session, write):
    one, heard, said = session(), [], threading.Event()
    one.replace(
        write(PLAIN.replace("colour.exposure", "colour.nonsense")), lambda e: (heard.append(e), said.set())
    )
    assert said.wait(20)
    assert "colour.nonsense" in str(heard[0])
    assert one.play(Clip(5), Kept()).frames == 5


def test_seeking_goes_on_from_there(session):
    one = session()
    sink = Kept(lambda shown: one.seek(30 * 33_333) if shown == 3 else None)
    one.play(Clip(40), sink)
    values = [v for v, _ in sink.rows]
    assert values[:3] == [0, 1, 2] and values[-10:] == list(range(30, 40))


def test_messages_say_the_same_as_calls(session):
    one = session(PLAIN, PUBLIC)
    for message in (m.SetParameter("light", 0.5), m.SendEvent("a"), m.Seek(5), m.Probe("n1", "image"), m.Stop(),
                    m.Telemetry(1, 2, 3.0, (("n", 1.0, 2.0),))):  # fmt: skip
        assert m.decode(m.encode(message)) == message
    one.play(Clip(2), Kept())
    assert one.handle(m.SetParameter("light", 0.5)) == m.Done()
    assert "outside" in one.handle(m.SetParameter("light", 5)).error
    shape, kind, pixels = one.handle(m.Probe("n1", "image")).value
    assert (shape, kind, len(pixels)) == ((48, 64, 3), "|u1", 48 * 64 * 3)
    assert "not in memory" in one.handle(m.Probe("n8", "nothing")).error
    with pytest.raises(SessionError, match="not a message"):
        m.decode(b"\x93\x01\x02")


# -- isolated nodes


@pytest.fixture
def hang(nodes):
    made = Isolated(nodes["test.hang"], NodeContext(), limit=1.0)
    made.open(made.context)
    yield made
    made.close()


def answer(node, *arguments):
    """Its answer, once its worker is up."""
    for _ in range(600):
        try:
            return node.process(*arguments)
        except NodeError as error:
            if "start" not in str(error):
                raise
            time.sleep(0.02)
    raise AssertionError("the worker never came up")


def test_a_hanging_native_call_is_killed_and_the_node_comes_back(hang):
    assert answer(hang, 0.0) == 0.75
    first = hang.child.pid
    with pytest.raises(NodeError, match="no answer within 1 s"):
        hang.process(1.0)
    with pytest.raises(ProcessLookupError):
        os.kill(first, 0)
    with pytest.raises(NodeError, match="being restarted"):
        hang.process(0.0)
    assert answer(hang, 0.0) == 0.75
    assert hang.restarts == 1 and hang.child.pid != first


def test_a_worker_killed_from_outside_comes_back(hang):
    assert answer(hang, 0.0) == 0.75
    os.kill(hang.child.pid, signal.SIGKILL)
    hang.child.join(5)
    with pytest.raises(NodeError, match="worker"):
        hang.process(0.0)
    assert answer(hang, 0.0) == 0.75


def test_an_effect_plays_on_while_an_isolated_node_hangs(session, picture):
    one = session(
        "n1 = source.input()\nn2 = value.number(value=0.0)\nn3 = test.hang(hang=n2.out)\n"
        "n8 = colour.exposure(image=n1.image; stops=n3.out)\n" + SHOW
    )
    bright = as_bytes(picture.data / 255 * 2**0.75)
    for _ in range(600):
        got = np.array(one.render(picture).data)
        if np.abs(got.astype(int) - bright).max() <= 1:
            break
        time.sleep(0.02)
    else:
        raise AssertionError("the isolated node never answered")
    one.set("n2.value", 1.0)
    for i in range(3):
        got = np.array(one.render(picture, index=i).data)
        assert np.abs(got.astype(int) - bright).max() <= 1, "its last good value goes on"
    assert one.engine.failures["n3"].count >= 2


def as_bytes(values):
    return np.floor(np.clip(values, 0, 1) * 255 + 0.5)


MOVED = (
    "n1 = source.input()\nn8 = geometry.transform(image=n1.image; translate=(0.5, 0.0); outside='clamp')\n"
    + SHOW
)
MODES = (
    "n1 = source.input()\nn2 = colour.invert(image=n1.image)\n"
    "n8 = composite.blend(below=n1.image; above=n2.out; mode='normal')\n" + SHOW
)


def test_a_public_choice_is_compiled_for_all_its_values_and_chosen_while_playing(session):
    one = session(MOVED, [{"name": "edge", "target": "n8.outside"}])
    before = one.built.library
    assert len(one.built.others) == 3
    sink = Kept(lambda shown: (one.set("edge", "zero") if shown == 5 else None, time.sleep(0.01)))
    one.play(Clip(200), sink)
    assert sink.rows[3][0] == 3, "clamp: the edge goes on"
    assert sink.rows[-1][0] == 0, "zero: nothing there"
    assert one.built.library is before, "nothing was compiled or linked"


def test_too_many_public_structural_values_in_one_kernel_are_refused(planner, write):
    text = MODES.replace("n8.out", "n7.out") + "\nn7 = composite.blend(below=n8.out; above=n2.out)"
    both = [{"name": "a", "target": "n8.mode"}, {"name": "b", "target": "n7.mode"}]
    with pytest.raises(CompileError, match="a and b meet in one kernel, which would be compiled 289 times"):
        Session.load(write(text, both), StreamInfo("x", 64, 48), planner=planner)


def test_an_isolated_node_fills_the_plans_buffers_and_keeps_its_state(session, picture):
    one = session(
        "n1 = source.input()\nn2 = test.aside(image=n1.image)\nn8 = colour.exposure(image=n2.out)\n" + SHOW
    )
    stage = next(s for s in one.plan.stages if s.path == "n2")
    for i in range(600):
        got = np.array(one.render(picture, index=i).data)
        if got.any():
            break
        time.sleep(0.02)
    assert np.abs(got[..., :3].astype(int) - (255 - picture.data)).max() <= 1
    first = one.engine.slots[stage.writes[0]].data
    counted = one.engine.states["n2"].frames
    for i in range(2):
        one.render(picture, index=i)
    assert one.engine.states["n2"].frames == counted + 2
    assert one.engine.slots[stage.writes[0]].data.base is first.base, (
        "every other frame lies in the same memory"
    )


def test_events_reach_a_slow_lane_exactly_once_and_so_do_its_own(session):
    one = session(
        "n1 = source.input()\nn2 = test.keys()\nn3 = test.slowly_heard(events=n2.events)\n"
        "n4 = test.heard(events=n3.again)\nn5 = value.maths(a=n3.count; b=0.0; operation='multiply')\n"
        "n8 = colour.exposure(image=n1.image; stops=n5.out)\n" + SHOW,
        live=True,
    )
    one.play(Clip(150, pace=0.005), Kept(lambda shown: one.event(f"key {shown}") if shown <= 30 else None))
    assert list(one.engine.lanes) == ["model:n3"]
    expected = [f"key {i}" for i in range(1, 31)]
    assert one.engine.states["n3"].names == expected
    assert one.engine.states["n4"].names == expected


BOTH = (
    "n1 = source.input()\nn7 = colour.exposure(image=n1.image)\n"
    "n8 = geometry.transform(image=n7.out; translate=(0.5, 0.0); outside='clamp')\n" + SHOW
)
LIGHT = {"name": "light", "target": "n7.stops", "low": -2, "high": 2, "default": 0.0}
EDGE = {"name": "edge", "target": "n8.outside"}


def replaced(one, effect):
    """What `done` was told."""
    told = queue.SimpleQueue()
    one.replace(effect, told.put)
    return told.get(timeout=60)


def grey(one, frame):
    return one.render(frame).data[20, 50, 0]


def test_parameters_that_were_moved_stay_moved_where_another_variant_or_plan_plays(session, write):
    one, frame = session(BOTH, [LIGHT, EDGE]), Frame.of(np.full((48, 64, 3), 50, np.uint8))
    one.set("light", 1.0)
    one.set("n8.scale", (1.0, 1.0))
    assert grey(one, frame) == 100
    one.set("edge", "zero")
    for _ in range(500):
        if one.render(frame).data[20, 0, 0] == 0:
            break
        time.sleep(0.01)
    assert one.render(frame).data[20, 0, 0] == 0
    assert grey(one, frame) == 100, "the light was moved before this variant was chosen"
    assert replaced(one, write(BOTH + "\nn3 = colour.invert(image=n1.image)", [LIGHT, EDGE])) is None
    assert grey(one, frame) == 100


def test_a_nodes_own_parameter_stays_moved_until_another_edition_says_what_it_is(session, write):
    one, frame = session(BOTH, [EDGE]), Frame.of(np.full((48, 64, 3), 50, np.uint8))
    one.set("n7.stops", 1.0)
    assert replaced(one, one.effect) is None
    assert grey(one, frame) == 100
    assert replaced(one, write(BOTH, [EDGE])) is None
    assert grey(one, frame) == 50


def test_an_edition_without_a_public_parameter_that_was_moved_plays(session, write):
    one, frame = session(BOTH, [LIGHT, EDGE]), Frame.of(np.full((48, 64, 3), 50, np.uint8))
    one.set("light", 2.0)
    assert replaced(one, write(BOTH, [{**LIGHT, "high": 1}, EDGE])) is None
    assert grey(one, frame) == 50, "2 is outside the new range: the default"
    assert replaced(one, write(BOTH, [EDGE])) is None
    assert grey(one, frame) == 50


def test_an_engine_that_waits_to_be_swapped_in_is_closed_with_the_session(session, write, monkeypatch):
    one, opened = session(BOTH, [EDGE]), []
    make = one.planner.engine
    monkeypatch.setattr(one.planner, "engine", lambda *a, **k: opened.append(make(*a, **k)) or opened[-1])
    closed = []
    monkeypatch.setattr(type(one.engine), "close", lambda engine: closed.append(engine))
    assert replaced(one, write(BOTH, [LIGHT])) is None
    one.close()
    assert opened and all(engine in closed for engine in opened)


class SlowLook(ProcessNode, type="test.slow_look", latency="slow"):
    """Looks at a picture for a while, and fails where it is not the stream's size."""

    image: In[Image] = port(display=True)
    out: Out[Number]

    def process(self, image):
        time.sleep(0.03)
        if image.width != 64:
            raise ValueError(f"nobody fed it: {image.width} wide")
        return 0.5


def test_a_lane_that_was_never_fed_does_not_run_when_a_new_plan_takes_over(planner, write, monkeypatch):
    installed = planner.nodes
    more = [(d.cls, installed.origins[d.type]) for d in installed.values()]
    monkeypatch.setattr(planner, "nodes", Registry([*more, (SlowLook, Origin("", "", __name__))]))
    text = "n1 = source.input()\nn3 = test.slow_look(image=n1.image)\n{}n8 = colour.exposure(image=n1.image; stops=n3.out)\n"
    editions = [write(text.format(more) + SHOW) for more in ("", "n4 = colour.invert(image=n1.image)\n")]
    one, failed = Session.load(editions[0], StreamInfo("x", 64, 48), planner=planner, live=True), []

    def then(shown):
        failed.extend(f.error for f in one.engine.failures.values())
        if shown % 6 == 0:
            one.replace(editions[shown // 6 % 2])

    one.play(Clip(150, pace=0.01), Kept(then))
    one.close()
    assert failed == []
