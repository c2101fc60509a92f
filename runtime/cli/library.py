"""Where effects are: the library that comes with Spellwire, or a folder of the user's."""

from __future__ import annotations

import difflib
from importlib.resources import files
from pathlib import Path

from ...graph.document import FILE
from ...graph.errors import DocumentError

__all__ = ["find_effect", "library"]


def library() -> dict[str, Path]:
    """Name → folder of every effect that comes with Spellwire."""
    root = Path(str(files("spellwire"))) / "effects_library"
    return {file.parent.name: file.parent for file in sorted(root.glob(f"*/{FILE}"))}


def find_effect(name: str) -> Path:
    """An effect's folder, or its file: a path that exists wins over a name of the library.

    DocumentError with near names where there is neither.
    """
    path = Path(name)
    if path.is_file() or (path / FILE).is_file():
        return path
    known = library()
    if name in known:
        return known[name]
    if path.is_dir():
        raise DocumentError(f"{path}: this folder holds no {FILE}")
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"the library has {', '.join(known) or 'none'}"
    raise DocumentError(f"there is no effect {name!r}, here or in the library; {hint}")
