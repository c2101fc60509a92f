"""Taking parsed JSON apart: typed, with the place in every error, and nothing forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .effect import is_name
from .errors import DocumentError
from .frozen import FrozenDict, freeze

__all__ = ["Reader"]

MISSING: Any = object()
WORDS = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    dict: "an object",
    list: "a list",
}


class Reader:
    """One JSON object being read. What was not taken is its `rest`.

    Raises:
        DocumentError: from every method, naming the place (`effect.json: nodes.n3.params`).
    """

    def __init__(self, data: Any, where: str, path: str = ""):
        self.where, self.path = where, path
        if not isinstance(data, dict):
            raise self.error(f"must be an object, not {type(data).__name__}")
        self.left = dict(data)

    def error(self, what: str, key: str = "") -> DocumentError:
        place = ".".join(p for p in (self.path, key) if p)
        return DocumentError(f"{self.where}: {place}: {what}" if place else f"{self.where}: {what}")

    def take(self, key: str, kind: type, default: Any = MISSING) -> Any:
        """A scalar; null and absent are `default`."""
        value = self.left.pop(key, None)
        if value is None:
            if default is MISSING:
                raise self.error(f"is missing; it must be {WORDS[kind]}", key)
            return default
        fits = isinstance(value, kind) or (kind is float and isinstance(value, int))
        if not fits or (isinstance(value, bool) and kind is not bool):
            raise self.error(f"must be {WORDS[kind]}, not {value!r}", key)
        return value

    def plain(self, key: str, kind: type, default: Any) -> Any:
        """Any data of a kind, frozen."""
        value = self.left.pop(key, None)
        if value is not None and not isinstance(value, kind):
            raise self.error(f"must be {WORDS[kind]}", key)
        return self.frozen(default if value is None else value, key)

    def frozen(self, value: Any, key: str = "") -> Any:
        if isinstance(value, dict) and value and not _is_data(value):
            return FrozenDict(value)
        try:
            return freeze(value)
        except ValueError as error:
            raise self.error(str(error), key) from None

    def child(self, key: str) -> Reader:
        """An object within; absent reads as empty."""
        return Reader(self.left.pop(key, None) or {}, self.where, self._at(key))

    def rows(self, key: str) -> Iterator[Reader]:
        """A list of objects."""
        value = self.left.pop(key, None) or []
        if not isinstance(value, list):
            raise self.error("must be a list", key)
        for index, row in enumerate(value):
            yield Reader(row, self.where, self._at(f"{key}[{index}]"))

    def section(self, key: str, short: str = "", several: bool = False) -> Iterator[tuple[str, Reader]]:
        """An object of named objects. `short`: a bare value stands for an object with that one key."""
        value = self.left.pop(key, None) or {}
        if not isinstance(value, dict):
            raise self.error("must be an object", key)
        for name, body in value.items():
            if not is_name(name):
                raise self.error(f"{name!r} is no name (letters, digits and _; no digit first)", key)
            for one in body if several and isinstance(body, list) else [body]:
                whole = one if isinstance(one, dict) or not short else {short: one}
                yield name, Reader(whole, self.where, self._at(f"{key}.{name}"))

    def reference(self, key: str) -> tuple[str, str]:
        """`"n1.out"` → ("n1", "out")."""
        value = self.take(key, str)
        node, dot, port = value.partition(".")
        if not (dot and is_name(node) and is_name(port)):
            raise self.error(f'must name a node and its port like "n1.out", not {value!r}', key)
        return node, port

    def pair(self) -> tuple[float, float]:
        """A position: the bare list [x, y], read as {"at": [x, y]}."""
        value = self.left.pop("at", None)
        if not (isinstance(value, list) and len(value) == 2 and all(type(v) in (int, float) for v in value)):
            raise self.error(f"must be [x, y], not {value!r}")
        return value[0], value[1]

    def rest(self) -> FrozenDict[str, Any]:
        """The keys nobody took, kept for writing."""
        left, self.left = self.left, {}
        return self.frozen(left)

    def _at(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key


def _is_data(value: dict[Any, Any]) -> bool:
    """Whether it is JSON data, and not already made objects by name."""
    return isinstance(next(iter(value.values())), (str, int, float, bool, list, dict, tuple, type(None)))
