"""One process node played over frames without a plan: parameters by name, defaults from its declaration, slots kept."""

from __future__ import annotations

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

from spellwire.graph.declare import ProcessNode
from spellwire.runtime.frames import Tick
from spellwire.runtime.values import Event

__all__ = ["Driven", "at"]


class Driven:
    """`Driven(Node, seconds=2.0)(time, value=1.0)` → its output; a Trigger may be given as times in seconds.

    Arguments that were given once stay (a parameter that nobody moves), except events, which are of their frame.
    """

    def __init__(self, node: type[ProcessNode], **given: Any):
        self.node, self.decl = node(), node.declaration
        self.state = SimpleNamespace(**{s.name: s.default for s in self.decl.slots})
        self.given = {p.name: p.neutral for p in self.decl.inputs}
        self.given |= {p.name: p.default for p in self.decl.params} | given
        self.triggers = {p.name for p in self.decl.inputs if p.type.name == "Trigger" and not p.many}
        self.last: int | None = None

    def __call__(self, time: float, happened: Iterable[Event] = (), **now: Any) -> Any:
        micros = round(time * 1e6)
        delta = 0.0 if self.last is None else (micros - self.last) * 1e-6
        self.last = micros
        self.given |= {k: v for k, v in now.items() if k not in self.triggers}
        events = {name: tuple(at(t) for t in now.get(name, ())) for name in self.triggers}
        values = self.given | events
        values["tick"] = Tick(time=micros, delta=delta, width=320, height=180, events=tuple(happened))
        values["state"] = self.state
        return self.node.process(**{name: values[name] for name in self.decl.arguments})


def at(event: float | Event) -> Event:
    """An event at that many seconds; an Event as it is."""
    return event if isinstance(event, Event) else Event("x", round(event * 1e6))
