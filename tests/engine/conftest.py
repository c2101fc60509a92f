"""Effects in a line, played over small pictures with the real compiler; and nodes that misbehave on purpose."""

from __future__ import annotations

import time

import numpy as np
import pytest

from spellwire.graph.declare import In, Out, Param, ProcessNode, param, port, result, slot
from spellwire.graph.document import effect_from_data
from spellwire.graph.registry import Origin, Registry, registry
from spellwire.graph.types import Face, Faces, Image, Mask, Number, Points, Trigger
from spellwire.runtime.frames import Frame, Geometry
from spellwire.runtime.kernels.cache import Cache
from spellwire.runtime.kernels.compiler import Compiler
from spellwire.runtime.plan.ir import Stream
from spellwire.runtime.session.planning import Planner
from spellwire.runtime.values import FaceItem, Items


class Opaque(ProcessNode, type="test.opaque"):
    """Gives on what it gets; the compiler can't see through it."""

    image: In[Image]
    out: Out[Image]

    def process(self, image, out):
        np.copyto(out.data, image.data)
        return out


class Half(ProcessNode, type="test.half"):
    """A mask at half size: left side 1, right side 0."""

    image: In[Image] = port(display=True)
    mask: Out[Mask] = result(size="free")

    def process(self, image):
        h, w = max(image.height // 2, 1), max(image.width // 2, 1)
        data = np.zeros((h, w, 1), np.float32)
        data[:, : w // 2] = 1.0
        scale = (image.width / w, 0.0, 0.0, 0.0, image.height / h, 0.0)
        return Frame(data, Geometry(w, h, scale))


class Last(ProcessNode, type="test.last"):
    """How many faces there were when there were any."""

    faces: In[Faces] = port(when_empty="hold")
    count: Out[Number]

    def process(self, faces):
        return float(len(faces))


class Blink(ProcessNode, type="test.blink"):
    """A face in even frames."""

    faces: Out[Faces]

    def process(self, tick):
        one = FaceItem(1, np.zeros((468, 3), np.float32))
        return Items((one,) if tick.index % 2 == 0 else ())


class HowMany(ProcessNode, type="test.how_many"):
    """How many faces there are."""

    faces: In[Faces]
    count: Out[Number]

    def process(self, faces):
        return float(len(faces))


class Count(ProcessNode, type="test.count"):
    """Counts frames in a slot of state."""

    number: Out[Number]
    frames = slot(0)

    def process(self, state):
        state.frames += 1
        return float(state.frames)


class Fails(ProcessNode, type="test.fails"):
    """Raises from the frame `after` on."""

    value: In[Number] = port(optional=True)
    after: Param[Number] = param(0.0)
    out: Out[Number]

    def process(self, value, after, tick):
        if tick.index >= after:
            raise ValueError("out of ideas")
        return 0.25


class FailsEmpty(Fails, type="test.fails_empty", fallback="empty"):
    """As `test.fails`, with nothing as its fallback."""


class FailsPass(Fails, type="test.fails_pass", fallback="pass"):
    """As `test.fails`, with its input as its fallback."""


class Spin(ProcessNode, type="test.spin", latency="slow"):
    """Burns a quarter of a second of pure Python."""

    image: In[Image] = port(display=True)
    number: Out[Number]

    def process(self, image):
        end = time.perf_counter() + 0.25
        while time.perf_counter() < end:
            pass
        return float(image.data[0, 0, 0])


class Hang(ProcessNode, type="test.hang", isolated=True, fallback="last"):
    """Hangs in native code when told to."""

    hang: In[Number] = port(optional=True)
    out: Out[Number]

    def process(self, hang):
        if hang > 0.5:
            import ctypes

            ctypes.PyDLL(None).sleep(3600)  # holds the interpreter lock: nothing inside can end it
        return 0.75


class Aside(ProcessNode, type="test.aside", isolated=True, fallback="last"):
    """Inverts a picture and counts, in a process of its own."""

    image: In[Image]
    out: Out[Image]
    seen: Out[Number]
    frames = slot(0)

    def process(self, image, state, out):
        np.subtract(1.0, image.data, out=out.data)
        state.frames += 1
        return out, float(state.frames)


class TwoFaces(ProcessNode, type="test.two_faces"):
    """Faces 3 and 5; the second one leaves after frame 1."""

    faces: Out[Faces]

    def process(self, tick):
        items = [FaceItem(i, np.full((468, 3), float(i), np.float32)) for i in (3, 5)]
        return Items(tuple(items[: 2 if tick.index < 2 else 1]))


class ComeAndGo(ProcessNode, type="test.come_and_go"):
    """Face 7 alone, then with face 9, then 9 alone."""

    faces: Out[Faces]

    def process(self, tick):
        here = ((7,), (7, 9), (9,))[min(tick.index, 2)]
        return Items(tuple(FaceItem(i, np.full((468, 3), float(i), np.float32)) for i in here))


class Nobody(ProcessNode, type="test.nobody"):
    """No faces."""

    faces: Out[Faces]

    def process(self):
        return Items()


class Lighten(ProcessNode, type="test.lighten"):
    """Brighten an Image by value / 100."""

    image: In[Image] = port(domain=True)
    value: In[Number] = port()
    out: Out[Image]

    def process(self, image, value, out):
        np.add(image.data, np.float32(value / 100), out=out.data)
        return out


class PerFace(ProcessNode, type="test.per_face"):
    """For one face: its id, and how often it was seen."""

    face: In[Face]
    id: Out[Number]
    seen: Out[Number]
    times = slot(0)

    def process(self, face, state):
        state.times += 1
        return float(face.id), float(state.times)


class Sum(ProcessNode, type="test.sum"):
    """The sum over a list."""

    values: In[Number] = port(many=True)
    total: Out[Number]

    def process(self, values):
        return float(sum(values))


class Add(ProcessNode, type="test.add_id"):
    """Brighten an Image by one face's id / 100; carried from face to face."""

    face: In[Face]
    image: In[Image] = port(carried=True)
    out: Out[Image]

    def process(self, face, image, out):
        np.add(image.data, np.float32(face.id / 100), out=out.data)
        return out


class Firsts(ProcessNode, type="test.landmarks"):
    """How many points there are."""

    points: In[Points]
    count: Out[Number]

    def process(self, points):
        return float(len(points))


class Keys(ProcessNode, type="test.keys"):
    """Events as triggers."""

    events: Out[Trigger] = result()

    def process(self, tick):
        return tick.events


class Heard(ProcessNode, type="test.heard", effectful=True):
    """Remembers what it heard, for the test to ask."""

    events: In[Trigger]
    count: Out[Number]
    names = slot([])

    def process(self, events, state):
        state.names.extend(e.name for e in events)
        return float(len(state.names))


class SlowlyHeard(ProcessNode, type="test.slowly_heard", latency="slow"):
    """Takes its time over what it heard, and says it again as events of its own."""

    events: In[Trigger]
    count: Out[Number]
    again: Out[Trigger] = result()
    names = slot([])

    def process(self, events, state, tick):
        time.sleep(0.05)
        state.names.extend(e.name for e in events)
        return float(len(state.names)), events


NODES = (Nobody, ComeAndGo, Lighten, Last, Blink, HowMany, SlowlyHeard, Opaque, Aside, Half, Count, Fails, FailsEmpty, FailsPass, Spin, Hang, TwoFaces, PerFace, Sum, Add, Firsts, Keys,
         Heard)  # fmt: skip


@pytest.fixture(scope="session")
def nodes() -> Registry:
    installed = registry()
    found = [(d.cls, installed.origins[d.type]) for d in installed.values()]
    return Registry([*found, *((c, Origin("", "", __name__)) for c in NODES)])


@pytest.fixture(scope="session")
def planner(tmp_path_factory, nodes) -> Planner:
    return Planner(Compiler(Cache(tmp_path_factory.mktemp("kernels"))), nodes)


def effect(text: str, interface=(), **more):
    """`n2 = colour.exposure(image=n1.image, stops=0.5)`, a line a node."""
    data = {"schema": 1, "nodes": {}, "next_id": 100, "interface": list(interface), **more}
    for line in filter(None, map(str.strip, text.splitlines())):
        name, _, call = line.partition(" = ")
        kind, _, rest = call.partition("(")
        node = {"type": kind, "version": 1, "params": {}, "inputs": {}}
        for part in filter(None, rest.removesuffix(")").split("; ")):
            key, _, value = part.partition("=")
            wired = value[0] == "n" and "." in value
            node["inputs" if wired else "params"][key] = value if wired else eval(value)
        data["nodes"][name] = node
    return effect_from_data(data)


@pytest.fixture(scope="session")
def write():
    return effect


@pytest.fixture
def engine(planner):
    """Engines by effect, closed at the end."""
    made = []

    def make(text, *, channels=3, interface=(), cuts=(), values=None, live=False, **more):
        plan = planner.plan(effect(text, interface, **more), Stream(channels), values, cuts=cuts)
        made.append(planner.engine(planner.build(plan), effect(text, interface, **more), live=live))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture(scope="session")
def picture() -> Frame:
    """A smooth picture with noise, an odd size."""
    rng = np.random.default_rng(5)
    y, x = np.mgrid[0:91, 0:157]
    base = np.stack([x * 1.6, y * 2.7, 255 - x], -1)
    return Frame.of(np.clip(base + rng.normal(0, 8, base.shape), 0, 255).astype(np.uint8))
