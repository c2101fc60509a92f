"""Undo and redo: an effect with the edits that made it.

Effects are immutable and share what did not change, so a step keeps the effect before and the effect after. An edit
that is refused changes nothing. Undone edits give the same bytes; an id that was given once is not given again, even
after an undo.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from .effect import Effect
from .errors import EditError
from .groups import group_recursion
from .registry import Registry

if TYPE_CHECKING:
    from .edit import Edit

__all__ = ["History", "Step"]


@dataclass(frozen=True)
class Step:
    """One entry of the history: what was done, in words, with the effect before and after it."""

    words: str
    edit: Edit
    before: Effect
    after: Effect


class History:
    """An effect being edited.

    Args:
        effect: to begin with.
        registry: node types, to refuse what can't be; types unknown to it are not judged.
        limit: steps kept.
    """

    def __init__(self, effect: Effect, registry: Registry | None = None, limit: int = 1000):
        self.effect = effect
        self.registry = registry if registry is not None else Registry()
        self.limit = limit
        self._done: list[Step] = []
        self._undone: list[Step] = []
        self._sealed = True
        self._ids: dict[str, int] = {}
        self._saved = effect
        self._remember_ids(effect)

    def apply(self, edit: Edit) -> Effect:
        """Do an edit. Moves of the same thing in a row become one step, until `seal`.

        Raises:
            EditError: it can't be done, and why; nothing was changed.
        """
        before = self.effect
        after = edit.apply(self._with_fresh_ids(before), self.registry)
        if ring := group_recursion(after):
            raise EditError(f"group {ring[0]!r} would contain itself ({' → '.join((*ring, ring[0]))})")
        words = edit.words(before, self.registry)
        if not self._sealed and self._done and edit.key is not None and edit.key == self._done[-1].edit.key:
            before = self._done.pop().before
        self._done.append(Step(words, edit, before, after))
        del self._done[: -self.limit]
        self._undone.clear()
        self._sealed = False
        self._remember_ids(after)
        self.effect = after
        return after

    def seal(self) -> None:
        """End a gesture (the slider was let go): the next move of the same thing is a step of its own."""
        self._sealed = True

    def undo(self) -> Effect:
        """Go one step back.

        Raises:
            EditError: there is nothing to undo.
        """
        if not self._done:
            raise EditError("nothing to undo")
        step = self._done.pop()
        self._undone.append(step)
        self._sealed = True
        self.effect = step.before
        return self.effect

    def redo(self) -> Effect:
        """Do the last undone step again.

        Raises:
            EditError: there is nothing to redo.
        """
        if not self._undone:
            raise EditError("nothing to redo")
        step = self._undone.pop()
        self._done.append(step)
        self._sealed = True
        self.effect = step.after
        return self.effect

    @property
    def done(self) -> tuple[Step, ...]:
        """The steps that led here, oldest first."""
        return tuple(self._done)

    @property
    def undone(self) -> tuple[Step, ...]:
        """The steps that `redo` would do, the next one first."""
        return tuple(reversed(self._undone))

    @property
    def changed(self) -> bool:
        """Whether it differs from what was last saved."""
        return self.effect is not self._saved and self.effect != self._saved

    def saved(self) -> None:
        """Take note that the effect was just saved."""
        self._saved = self.effect

    def _remember_ids(self, effect: Effect) -> None:
        for scope in ("", *effect.groups):
            self._ids[scope] = max(self._ids.get(scope, 1), effect.graph(scope).next_id)

    def _with_fresh_ids(self, effect: Effect) -> Effect:
        """The effect as edits get it: its next ids are above all that were ever given here."""
        for scope in ("", *effect.groups):
            graph = effect.graph(scope)
            if self._ids.get(scope, 1) > graph.next_id:
                effect = effect.with_graph(scope, replace(graph, next_id=self._ids[scope]))
        return effect
