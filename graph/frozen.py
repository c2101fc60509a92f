"""Plain data that can't change: what a document's values are made of, so that undo, hashing and threads are safe."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, NoReturn, TypeVar

__all__ = ["MAX_DEPTH", "FrozenDict", "freeze", "natural", "thaw"]

K = TypeVar("K")
V = TypeVar("V")

MAX_DEPTH = 32


class FrozenDict(dict[K, V]):
    """A dict that refuses change; hashable where its values are. Pickles, copies and compares as a dict."""

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise TypeError("this dict is frozen: make a new one with .set() or .without()")

    __setitem__ = __delitem__ = __ior__ = _refuse  # type: ignore[assignment]
    clear = pop = popitem = setdefault = update = _refuse  # type: ignore[assignment]

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(frozenset(self.items()))

    def __reduce__(self) -> tuple[Any, ...]:
        return FrozenDict, (dict(self),)

    def set(self, key: K, value: V) -> FrozenDict[K, V]:
        """A copy with one entry more or other."""
        return FrozenDict({**self, key: value})

    def without(self, *keys: K) -> FrozenDict[K, V]:
        """A copy without these keys."""
        return FrozenDict({k: v for k, v in self.items() if k not in keys})


def freeze(value: Any, depth: int = 0) -> Any:
    """JSON-like data → the same, immutable: lists become tuples, dicts FrozenDicts.

    Raises:
        ValueError: for what JSON can't hold (NaN, infinity, other objects, keys that are no text), or nesting too deep.
    """
    if depth > MAX_DEPTH:
        raise ValueError(f"nested more than {MAX_DEPTH} deep")
    if isinstance(value, str):
        value.encode()  # half a surrogate pair is refused here, not while saving
        return value
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{value} is no finite number")
        return value
    if isinstance(value, Mapping):
        if bad := next((k for k in value if not isinstance(k, str)), None):
            raise ValueError(f"key {bad!r} is no text")
        return FrozenDict({k: freeze(v, depth + 1) for k, v in value.items()})
    if isinstance(value, Iterable) and not isinstance(value, (bytes, bytearray)):
        return tuple(freeze(v, depth + 1) for v in value)
    if hasattr(value, "item"):  # a NumPy scalar
        return freeze(value.item(), depth)  # type: ignore[attr-defined]
    raise ValueError(f"{type(value).__name__} can't be stored in an effect")


def thaw(value: Any) -> Any:
    """Frozen data → dicts and lists."""
    if isinstance(value, Mapping):
        return {k: thaw(v) for k, v in value.items()}
    if isinstance(value, (tuple, list)):
        return [thaw(v) for v in value]
    return value


DIGITS = re.compile(r"(\d+)")


@lru_cache(8192)
def natural(text: str) -> tuple[tuple[int, int, str], ...]:
    """A sort key by which n2 comes before n10, and n3/n1 right after n3."""
    parts = (p for p in DIGITS.split(text) if p)
    return tuple((0, int(p), p) if p.isascii() and p.isdigit() else (1, 0, p) for p in parts)
