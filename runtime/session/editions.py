"""The edition of an effect that plays, and the next one, made while it does.

edit ─> plan ─> cached node by node? ─ yes ─> swap (plays at once) ─┐
                                     └ no ──────────────────────────┴─> compile ─> swap (plays fused)
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ...graph.effect import Effect
from ...graph.errors import UsageError
from ..engine.engine import Engine, Failure
from ..plan.ir import Plan, Stream
from ..plan.variants import is_baked
from ..values import Event
from .inbox import Inbox
from .planning import Built, Planner, Progress, structural

__all__ = ["Editions"]


class Editions:
    """What plays now, and how it is moved and replaced.

    Attributes:
        effect, built, engine: of the edition that plays.
        values: public parameters that were set, by name.
        kept, fresh: at the last new plan, the state that went on and the state that started anew.
        swapped: called with the new engine, between two frames.
    """

    def __init__(self, planner: Planner, stream: Stream, live: bool, inbox: Inbox):
        self.planner, self.stream, self.live, self.inbox = planner, stream, live, inbox
        self.effect: Effect = Effect()
        self.values: dict[str, Any] = {}
        self.built: Built
        self.engine: Engine
        self.kept: tuple[str, ...] = ()
        self.fresh: tuple[str, ...] = ()
        self.swapped: Callable[[Engine], None] | None = None
        self._number, self._closed = 0, False
        self._moved: dict[tuple[str, str], Any] = {}  # parameters of nodes, of this edition

    @property
    def plan(self) -> Plan:
        return self.built.plan

    def install(self, effect: Effect, values: Mapping[str, Any], progress: Progress | None) -> None:
        """Plan, compile and open the first edition."""
        plan = self.planner.plan(effect, self.stream)
        cleaned = {name: self.planner.clean(plan, name, value) for name, value in values.items()}
        if cleaned:
            plan = self.planner.plan(effect, self.stream, cleaned)
        others = self.planner.variants(effect, self.stream, plan, cleaned)
        self.built = self.planner.build(plan, progress, others)
        self.engine = self.planner.engine(self.built, effect, live=self.live)
        self.effect, self.values = effect, cleaned

    def set(self, name: str, value: Any) -> None:
        """Move a parameter from the next frame on, or make the plan for its value; see Session.set."""
        if name not in self.plan.interface and "." in name:
            path, _, param = name.rpartition(".")
            self._moved[path, param] = value
            self.inbox.later(lambda: self.engine.set(path, param, value))
            return
        entry = self.plan.interface.get(name)
        value = self.planner.clean(self.plan, name, value)
        assert entry is not None
        self.values[name] = value
        if entry.parameter.structural and is_baked(self.plan, entry.path, entry.param):
            self.replace(self.effect)
        else:
            self.inbox.later(lambda: self.engine.set(entry.path, entry.param, value))

    def replace(self, effect: Effect, done: Callable[[Exception | None], None] | None = None) -> None:
        """Make another edition on a thread of its own; see Session.replace."""
        self._number += 1
        number, values = self._number, dict(self.values)

        def work() -> None:
            outcome: Exception | None = None
            try:
                self._make(effect, values, number)
            except Exception as error:  # also a full disk: the old plan plays on, and the caller is told
                outcome = error
            finally:
                if done:
                    done(outcome)

        threading.Thread(target=work, name="replan", daemon=True).start()

    def _make(self, effect: Effect, values: Mapping[str, Any], number: int) -> None:
        ready = self.built.others.get(structural(self.plan, values)) if effect is self.effect else None
        if ready is not None:
            self._swap(replace(self.built, plan=ready), effect, number)
            return
        fit = self._fitting(effect, values)
        whole = self.planner.plan(effect, self.stream, fit)
        apart = self._apart(effect, fit, whole)
        if not self.planner.cached(whole) and self.planner.cached(apart):
            self._swap(self.planner.build(apart), effect, number)
        if number != self._number:  # a newer edit is on its way
            return
        others = self.planner.variants(effect, self.stream, whole, fit)
        self._swap(self.planner.build(whole, None, others), effect, number)
        if number == self._number:
            self.planner.build(apart)

    def _fitting(self, effect: Effect, values: Mapping[str, Any]) -> dict[str, Any]:
        """Those public values that this edition of the effect still has, and allows."""
        plan = self.planner.plan(effect, self.stream) if values else self.plan
        return {name: value for name, value in values.items() if self._fits(plan, name, value)}

    def _fits(self, plan: Plan, name: str, value: Any) -> bool:
        try:
            self.planner.clean(plan, name, value)
        except UsageError:
            return False
        return True

    def _apart(self, effect: Effect, values: Mapping[str, Any], whole: Plan) -> Plan:
        """The plan with every wire cut: one kernel a node."""
        cuts = [(step.path, name) for step in whole.steps.values() for name in step.links]
        return self.planner.plan(effect, self.stream, values, cuts=cuts, validated=True)

    def _swap(self, built: Built, effect: Effect, number: int) -> None:
        # opened here, so that no frame waits for a model
        new = self.planner.engine(built, effect, live=self.live)

        def swap() -> None:
            if number != self._number or self._closed:  # a newer edit is on its way, or nobody waits for it
                new.close()
                return
            old = self.engine
            self.kept, self.fresh = new.adopt(old)
            self._move(new, same=effect is self.effect)
            self.built, self.engine, self.effect = built, new, effect
            old.retire()
            if self.swapped is not None:
                self.swapped(new)

        self.inbox.later(swap)
        if self._closed:
            self.between_frames()

    def _move(self, new: Engine, same: bool) -> None:
        """Move what was moved since the plan was made: public parameters, and nodes' own where the effect is the same."""
        moved = dict(self._moved) if same else {}
        if not same:
            self._moved.clear()
        for name, value in self.values.items():
            if self._fits(new.plan, name, value):
                entry = new.plan.interface[name]
                moved[entry.path, entry.param] = value
        for (path, param), value in moved.items():
            with contextlib.suppress(UsageError):  # compiled in, or refused before
                new.set(path, param, value)

    def between_frames(self) -> tuple[Event, ...]:
        """Do what waits, swaps included; the events for the next frame."""
        return self.inbox.act(self._refused)

    def _refused(self, error: Exception) -> None:
        self.engine.failures.setdefault("session", Failure("session", str(error)))

    def close(self) -> None:
        """Close every node, also of editions that wait to be swapped in."""
        self._closed = True
        self.between_frames()
        self.engine.retire()
