"""Every error Spellwire raises on purpose.

    SpellwireError
    ├── DeclarationError      a node class says something impossible (raised at import)
    ├── GraphError
    │   ├── DocumentError     effect.json can't be read or written
    │   ├── EditError         an edit that can't be applied; nothing was changed
    │   └── ValidationError   all problems of an effect at once (`problems`)
    ├── CompileError          the plan compiler or a kernel's compilation failed
    ├── ModelError
    │   ├── ModelUnavailable  not in the cache and no source could be reached
    │   └── ModelMismatch     a file's hash or tensors are not what was declared
    ├── MediaError
    │   ├── SourceError       a picture, clip or camera can't be opened or decoded
    │   └── SinkError         a result can't be written or shown
    ├── NodeError             a node failed while playing (contained, unless asked otherwise)
    ├── SessionError          a session was driven wrongly or its engine is gone
    └── UsageError            a wrong argument on the command line or in a call

A message says what happened, where, and what to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .validate import Problem

__all__ = [
    "CompileError",
    "DeclarationError",
    "DocumentError",
    "EditError",
    "GraphError",
    "MediaError",
    "ModelError",
    "ModelMismatch",
    "ModelUnavailable",
    "NodeError",
    "SessionError",
    "SinkError",
    "SourceError",
    "SpellwireError",
    "UsageError",
    "ValidationError",
]


class SpellwireError(Exception):
    """The root of the tree; the command line prints its message and exits with 1."""


class DeclarationError(SpellwireError):
    """A node class whose declaration contradicts itself."""


class GraphError(SpellwireError):
    """Something is wrong with an effect."""


class DocumentError(GraphError):
    """An effect file that can't be read or written."""


class EditError(GraphError):
    """An edit that can't be applied; the document is unchanged."""


class ValidationError(GraphError):
    """All problems of an effect, found in one go."""

    def __init__(self, problems: Sequence[Problem]):
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class CompileError(SpellwireError):
    """A plan or a kernel can't be compiled."""


class ModelError(SpellwireError):
    """A model can't be used."""


class ModelUnavailable(ModelError):
    """A model is not in the cache and can't be fetched."""


class ModelMismatch(ModelError):
    """A model file is not the one that was declared."""


class MediaError(SpellwireError):
    """Footage, a picture, a camera or an output is at fault."""


class SourceError(MediaError):
    """Something can't be opened or decoded."""


class SinkError(MediaError):
    """Something can't be written or shown."""


class NodeError(SpellwireError):
    """A node failed while playing."""


class SessionError(SpellwireError):
    """A session was driven wrongly, or its engine is gone."""


class UsageError(SpellwireError):
    """A wrong argument."""
