"""Logic: what comes when. States and their transitions, steps, chance at events, one of several values or pictures."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ..graph.declare import In, Out, Param, PixelNode, ProcessNode, param, port, result, slot
from ..graph.errors import NodeError
from ..graph.types import Boolean, Choice, Colour, Image, Integer, Mask, Number, Text, Trigger
from ..runtime.pixel import Vec, clamp, mix
from ..runtime.values import Event
from .event import in_order, micros
from .value import random_number

__all__ = [
    "ChooseColour", "ChooseImage", "ChooseMask", "ChooseNumber", "ChooseText", "GatherNumbers", "Hold", "Machine",
    "RandomAtEvent", "Sequence", "StateMachine", "When", "parse_machine",
]  # fmt: skip

MOST = 64  # transitions a frame: a circle of states that follow at once must end somewhere


# -- states


@dataclass(frozen=True)
class Transition:
    """From a state ("*": any) to another, on an input's event or after µs in the state."""

    source: str
    target: str
    event: str = ""
    after: int = 0


@dataclass(frozen=True)
class Machine:
    """Names of the states in order of their first mention, and the transitions in order of writing."""

    states: tuple[str, ...]
    transitions: tuple[Transition, ...]

    def on(self, state: str, event: str) -> Transition | None:
        """The first transition that the event makes from that state."""
        return next((t for t in self.transitions if t.event == event and t.source in (state, "*")), None)

    def later(self, state: str) -> Transition | None:
        """The transition that comes by itself, the soonest one."""
        timed = [t for t in self.transitions if t.after and t.source in (state, "*")]
        return min(timed, key=lambda t: t.after, default=None)


LINE = re.compile(r"(.+?)\s*(?:->|→)\s*(.+?)\s+(?:on\s+([a-d])|after\s+([0-9.]+)\s*s?)\s*$", re.IGNORECASE)


@lru_cache(64)
def parse_machine(text: str) -> Machine:
    """`closed -> open on a; open -> closed after 2`, on lines or between semicolons; `*` is any state, # a remark.

    Raises:
        NodeError: a line is none of that.
    """
    states: dict[str, None] = {}
    found = []
    for line in re.split(r"[;\n]", text):
        line = line.partition("#")[0].strip()
        if not line:
            continue
        match = LINE.fullmatch(line)
        after = _seconds(match[4]) if match and match[4] else 0
        if match is None or (match[4] and after <= 0):
            raise NodeError(
                f"the transition {line!r} can't be read; write: closed -> open on a, or: open -> closed after 2"
            )
        source, target = match[1].strip(), match[2].strip()
        states |= {name: None for name in (source, target) if name != "*"}
        found.append(Transition(source, target, (match[3] or "").lower(), after))
    if not found:
        raise NodeError("no transition is written; for example: closed -> open on a")
    return Machine(tuple(states), tuple(found))


def _seconds(text: str) -> int:
    try:
        return micros(float(text))
    except ValueError:
        return 0


class StateMachine(ProcessNode, type="logic.state_machine"):
    """Named states that follow one another at events, or after a time.

    Write a transition a line: `closed -> open on a` goes from one to the other at an event of input a; `open -> closed
    after 2` goes by itself after two seconds; `* -> closed on d` goes from any state. The first state that is named is
    the one it starts in; states are numbered as they are first named.
    """

    a: In[Trigger] = port(optional=True, doc="events that transitions call a")
    b: In[Trigger] = port(optional=True, doc="events b; of those at one time a comes first")
    c: In[Trigger] = port(optional=True, doc="events c")
    d: In[Trigger] = port(optional=True, doc="events d")
    transitions: Param[Text] = param(
        "off -> on on a; on -> off on a", widget="lines", doc="from -> to on a…d, or: from -> to after seconds"
    )
    index: Out[Integer] = result(doc="the state's number, 0 the first that is named")
    name: Out[Text] = result(doc="the state's name")
    seconds: Out[Number] = result(doc="how long it has been in this state")
    entered: Out[Trigger] = result(doc="an event for each state that was entered: its name, and its number as value")
    now: str | None = slot(None)
    since = slot(0)

    def process(self, a, b, c, d, transitions, tick, state):
        machine = parse_machine(transitions)
        if state.now not in machine.states:  # at first, and where the states were written anew
            state.now, state.since = machine.states[0], tick.time
        entered: list[Event] = []
        for event, stream in in_order(a, b, c, d):
            self._wait(machine, state, event.time, entered)
            self._go(machine, state, machine.on(state.now, "abcd"[stream]), event.time, entered)
        self._wait(machine, state, tick.time, entered)
        gone = max(tick.time - state.since, 0) * 1e-6
        return machine.states.index(state.now), state.now, gone, tuple(entered)

    def _wait(self, machine: Machine, state: Any, until: int, entered: list[Event]) -> None:
        """The transitions that come by themselves up to a time."""
        while (step := machine.later(state.now)) and state.since + step.after <= until and len(entered) < MOST:
            self._go(machine, state, step, state.since + step.after, entered)

    def _go(self, machine: Machine, state: Any, step: Transition | None, time: int, entered: list[Event]) -> None:
        if step is None:
            return
        state.now, state.since = step.target, time
        entered.append(Event(step.target, time, float(machine.states.index(step.target))))


class When(ProcessNode, type="logic.when"):
    """Whether a text is one of some words, such as the states of a state machine; fires when it becomes so."""

    text: In[Text] = port(doc="the text")
    words: Param[Text] = param("", doc="the words, with commas between them")
    on: Out[Boolean] = result(doc="whether it is one of them")
    became: Out[Trigger] = result(doc="an event when it becomes so")
    was: bool | None = slot(None)

    def process(self, text, words, tick, state):
        on = str(text).strip() in [w.strip() for w in words.split(",")]
        event = (Event("became", tick.time),) if on and state.was is False else ()
        state.was = on
        return on, event


# -- steps and chance


@lru_cache(64)
def parse_steps(text: str) -> tuple[float, ...]:
    """`0, 1, 0.5` → numbers. NodeError where one is none."""
    words = [w for w in re.split(r"[,;\s]+", text) if w]
    try:
        found = tuple(float(w) for w in words)
    except ValueError:
        found = ()
    if not found or not all(map(math.isfinite, found)):
        raise NodeError(f"the steps {text!r} can't be read; write numbers with commas between them: 0, 1, 0.5")
    return found


class Sequence(ProcessNode, type="logic.sequence"):
    """Numbers one after another: a step at each event, or every so many seconds, with or without a glide."""

    advance: In[Trigger] = port(optional=True, doc="goes one step on")
    restart: In[Trigger] = port(optional=True, doc="goes back to the first step; at the same time it comes last")
    steps: Param[Text] = param("0, 1", doc="the numbers, with commas between them")
    order: Param[Choice] = param("loop", choices=("loop", "back and forth", "once"), doc="what follows the last one")
    period: Param[Number] = param(0.0, low=0, high=3600, step=0.05, unit="s", doc="a step by itself so often; 0 = never")
    glide: Param[Number] = param(0.0, low=0, high=60, step=0.05, unit="s", doc="time it takes to get to the next number")
    value: Out[Number] = result(doc="the number now")
    index: Out[Integer] = result(doc="which step it is, 0 the first")
    ended: Out[Trigger] = result(doc="an event each time the last step is left, or reached where it plays once")
    at_step = slot(0)
    since: int | None = slot(None)
    base: float | None = slot(None)

    def process(self, advance, restart, steps, order, period, glide, tick, state):
        numbers, every, ended = parse_steps(steps), micros(period), []
        if state.since is None:
            state.since = tick.time
        for event, stream in in_order(advance, restart):
            self._wait(state, event.time, numbers, order, every, glide, ended)
            self._step(state, event.time, numbers, order, glide, ended, restart=stream == 1)
        self._wait(state, tick.time, numbers, order, every, glide, ended)
        return self._number(state, tick.time, numbers, order, glide), place_of(state.at_step, len(numbers), order), tuple(ended)

    def _wait(self, state, until, numbers, order, every, glide, ended) -> None:
        steps = 0
        while every and state.since + every <= until and steps < MOST:
            self._step(state, state.since + every, numbers, order, glide, ended)
            steps += 1

    def _step(self, state, time, numbers, order, glide, ended, restart=False) -> None:
        state.base = self._number(state, time, numbers, order, glide)
        before, count = place_of(state.at_step, len(numbers), order), len(numbers)
        state.at_step, state.since = (0 if restart else state.at_step + 1), time
        after = place_of(state.at_step, count, order)
        last = after == count - 1 != before if order == "once" else before == count - 1
        if not restart and last:
            ended.append(Event("ended", time))

    def _number(self, state, time, numbers, order, glide) -> float:
        wanted = numbers[place_of(state.at_step, len(numbers), order)]
        length = micros(glide)
        if state.base is None or length == 0 or time >= state.since + length:
            return wanted
        t = max(time - state.since, 0) / length
        return state.base + (wanted - state.base) * t * t * (3.0 - 2.0 * t)


def place_of(step: int, count: int, order: str) -> int:
    """Which of `count` places the step-th step is."""
    if order == "once":
        return min(step, count - 1)
    if order == "loop" or count < 2:
        return step % count
    turn = step % (2 * count - 2)
    return turn if turn < count else 2 * count - 2 - turn


class RandomAtEvent(ProcessNode, type="logic.random"):
    """A new random number at each event, the same ones for the same seed."""

    events: In[Trigger] = port(doc="what draws anew")
    seed: Param[Integer] = param(0, low=0, high=9999, doc="another number, another sequence")
    low: Param[Number] = param(0.0, doc="the lowest number")
    high: Param[Number] = param(1.0, doc="the highest number")
    whole: Param[Boolean] = param(False, doc="whole numbers only, both ends among them: a die")
    repeat: Param[Boolean] = param(True, doc="no: a whole number is never drawn twice running")
    value: Out[Number] = result(doc="the number; before the first event there is one too")
    drawn = slot(0)
    last: int | None = slot(None)

    def process(self, events, seed, low, high, whole, repeat, state):
        low, high = (v if math.isfinite(v) else 0.0 for v in (low, high))
        first = math.ceil(min(low, high))
        count = max(1, math.floor(max(low, high)) - first + 1)
        if state.last is None:
            state.last = int(random_number(seed, 0) * count)
        for _ in events:
            state.drawn += 1
            share = random_number(seed, state.drawn)
            skip = not repeat and count > 1  # one of the others: so many further on
            state.last = (state.last + 1 + int(share * (count - 1))) % count if skip else int(share * count)
        return float(first + state.last % count) if whole else low + (high - low) * random_number(seed, state.drawn)


class Hold(ProcessNode, type="logic.hold"):
    """A number as it was at the last event: sample and hold."""

    value: In[Number] = port(doc="the number")
    events: In[Trigger] = port(doc="what takes a new sample")
    start: Param[Number] = param(0.0, doc="the number before the first event")
    out: Out[Number] = result(doc="the number held")
    held: float | None = slot(None)

    def process(self, value, events, start, state):
        if events and math.isfinite(value):
            state.held = value
        return start if state.held is None else state.held


REDUCTIONS = {"largest": max, "smallest": min, "sum": sum, "mean": lambda v: sum(v) / len(v), "first": lambda v: v[0]}


class GatherNumbers(ProcessNode, type="logic.gather_numbers"):
    """One number of those of every face, hand or body: the largest, their sum, how many there are."""

    values: In[Number] = port(many=True, doc="a number for each item, from a node that was played for each")
    how: Param[Choice] = param("largest", choices=(*REDUCTIONS, "count"), doc="which one, or what of them")
    empty: Param[Number] = param(0.0, doc="what it is where there is no item")
    out: Out[Number] = result(doc="that number")

    def process(self, values, how, empty):
        numbers = [float(v) for v in values if math.isfinite(v)]
        if how == "count":
            return float(len(values))
        return float(REDUCTIONS[how](numbers)) if numbers else empty


# -- one of several

INDEX = param(0.0, low=0, high=3, step=1, doc="0 = the first … 3 = the fourth; 0.5 is half of each of two")


def shares(index: float) -> tuple[float, float, float, float]:
    """How much of each of four: all of one at whole numbers, of two between them."""
    held = min(max(index, 0.0), 3.0) if math.isfinite(index) else 0.0
    return tuple(max(0.0, 1.0 - abs(held - k)) for k in range(4))  # type: ignore[return-value]


class ChooseNumber(ProcessNode, type="logic.choose_number"):
    """One of four numbers; between two whole indices a mixture of both."""

    index: Param[Number] = INDEX
    a: Param[Number] = param(0.0, doc="at 0")
    b: Param[Number] = param(1.0, doc="at 1")
    c: Param[Number] = param(2.0, doc="at 2")
    d: Param[Number] = param(3.0, doc="at 3")
    out: Out[Number] = result(doc="that number")

    def process(self, index, a, b, c, d):
        return sum(s * v for s, v in zip(shares(index), (a, b, c, d), strict=True) if s)


class ChooseColour(ProcessNode, type="logic.choose_colour"):
    """One of four colours; between two whole indices a mixture of both."""

    index: Param[Number] = INDEX
    a: Param[Colour] = param((1.0, 0.35, 0.3, 1.0), widget="colour", doc="at 0")
    b: Param[Colour] = param((1.0, 0.8, 0.25, 1.0), widget="colour", doc="at 1")
    c: Param[Colour] = param((0.3, 0.8, 0.5, 1.0), widget="colour", doc="at 2")
    d: Param[Colour] = param((0.3, 0.55, 1.0, 1.0), widget="colour", doc="at 3")
    out: Out[Colour] = result(doc="that colour")

    def process(self, index, a, b, c, d):
        four = [(s, v) for s, v in zip(shares(index), (a, b, c, d), strict=True) if s]
        return tuple(sum(s * v[i] for s, v in four) for i in range(4))


class ChooseText(ProcessNode, type="logic.choose_text"):
    """One of four texts."""

    index: Param[Number] = param(0.0, low=0, high=3, step=1, doc="0 = the first … 3 = the fourth; rounded down")
    a: Param[Text] = param("", doc="at 0")
    b: Param[Text] = param("", doc="at 1")
    c: Param[Text] = param("", doc="at 2")
    d: Param[Text] = param("", doc="at 3")
    out: Out[Text] = result(doc="that text")

    def process(self, index, a, b, c, d):
        return (a, b, c, d)[int(min(max(index, 0.0), 3.0)) if math.isfinite(index) else 0]


def chosen(index: Vec, *pictures: Vec) -> Vec:
    """As `shares`, of pixels; a chain of `mix`, so that alpha 1 is known to stay 1.

    An unwired input is below 0 in its last channel, which no picture is: the one before stands in for it.
    """
    shown = before = pictures[0]
    for k, picture in enumerate(pictures[1:]):
        there = clamp(picture[len(picture) - 1] + 1.0)
        before = picture * there + before * (1.0 - there)
        shown = mix(shown, before, clamp(index - float(k)))
    return shown


class ChooseImage(PixelNode, type="logic.choose_image"):
    """One of four pictures, by number: the picture of a state, of a gesture, of a step. Between two, a cross-fade."""

    a: In[Image] = port(domain=True, doc="at 0")
    b: In[Image] = port(doc="at 1")
    c: In[Image] = port(optional=True, default=(0.0, 0.0, 0.0, -1.0), doc="at 2; unwired: the last that is wired")
    d: In[Image] = port(optional=True, default=(0.0, 0.0, 0.0, -1.0), doc="at 3; unwired: the last that is wired")
    index: Param[Number] = INDEX
    out: Out[Image] = result(doc="that picture")

    def pixel(self, a, b, c, d, index):
        return chosen(index, a, b, c, d)


class ChooseMask(PixelNode, type="logic.choose_mask"):
    """One of four masks, by number. Between two, a cross-fade."""

    a: In[Mask] = port(domain=True, doc="at 0")
    b: In[Mask] = port(doc="at 1")
    c: In[Mask] = port(optional=True, default=(-1.0,), doc="at 2; unwired: the last that is wired")
    d: In[Mask] = port(optional=True, default=(-1.0,), doc="at 3; unwired: the last that is wired")
    index: Param[Number] = INDEX
    out: Out[Mask] = result(doc="that mask")

    def pixel(self, a, b, c, d, index):
        return chosen(index, a, b, c, d)
