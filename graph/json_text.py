"""JSON as people keep it in git: strict when read, one value a line where values change when written."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from .errors import DocumentError
from .frozen import MAX_DEPTH, FrozenDict

__all__ = ["Block", "Rows", "parse", "write"]

WIDTH = 110
ROW = 160  # a row of a table reads best as one line
TOKENS = re.compile(r'"(?:[^"\\]|\\.)*"|-?Infinity|NaN|-?\d[\d.eE+-]*', re.DOTALL)


class Block(dict[str, Any]):
    """Written with one entry a line, unless it is a single plain one."""


class Rows(list[Any]):
    """Written as a table: one element a line."""


class _Refused(Exception):
    pass


def parse(raw: bytes | str, where: str) -> Any:
    """JSON text → data. Stricter than the standard library: no NaN, no infinity, no key twice in an object.

    Raises:
        DocumentError: with line and column where there is one.
    """
    try:
        text = raw if isinstance(raw, str) else raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DocumentError(f"{where}: not UTF-8 text (byte {error.start})") from None
    try:
        data = json.loads(
            text, object_pairs_hook=_unique, parse_constant=_constant, parse_float=_finite, parse_int=_whole
        )
        if "\\ud" in text.lower():  # half a surrogate pair can be read but never written
            json.dumps(data, ensure_ascii=False).encode()
        return data
    except UnicodeEncodeError as error:
        raise DocumentError(
            f"{where}: a text holds {error.object[error.start]!a}, which is no character"
        ) from None
    except json.JSONDecodeError as error:
        raise DocumentError(
            f"{where}, line {error.lineno}, column {error.colno}: not JSON: {error.msg}"
        ) from None
    except RecursionError:
        raise DocumentError(f"{where}: nested far too deep (an effect needs less than {MAX_DEPTH})") from None
    except _Refused as error:
        what, token, nth = error.args
        raise DocumentError(f"{where}{_line(text, token, nth)}: {what}") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise _Refused(
            f"the key {twice!r} stands twice in one object; keep one of them", json.dumps(twice), 1
        )
    return made


def _constant(token: str) -> Any:
    raise _Refused(f"{token} is no number here; write a finite one", token, 0)


def _finite(token: str) -> float:
    value = float(token)
    if not math.isfinite(value):
        _constant(token)
    return value


def _whole(token: str) -> int:
    if len(token) > 18:
        raise _Refused(f"the number {token[:12]}… is too large", token, 0)
    return int(token)


def _line(text: str, token: str, nth: int) -> str:
    """Where a token stands: the nth of its kind (JSON's own parser doesn't tell a hook)."""
    found = [m.start() for m in TOKENS.finditer(text) if m[0] == token]
    return f", line {text.count(chr(10), 0, found[nth]) + 1}" if len(found) > nth else ""


def write(value: Any) -> str:
    """Data → JSON text with a line break at its end.

    Blocks and Rows take a line an entry; all else stands in one line where it fits into WIDTH columns (rows: ROW).
    """
    return _text(_ordered(value), "", 0, WIDTH) + "\n"


def _ordered(value: Any) -> Any:
    """Frozen data has no order of its own: by key, so that equal data is equal text."""
    if isinstance(value, FrozenDict):
        return {k: _ordered(value[k]) for k in sorted(value)}
    if isinstance(value, Mapping):
        made = {k: _ordered(v) for k, v in value.items()}
        return Block(made) if isinstance(value, Block) else made
    if isinstance(value, (list, tuple)):
        return (Rows if isinstance(value, Rows) else list)(map(_ordered, value))
    return value


def _text(value: Any, indent: str, used: int, width: int) -> str:
    flat = json.dumps(value, ensure_ascii=False, allow_nan=False)
    spread = isinstance(value, Rows) and len(value) > 0
    if isinstance(value, Block):
        spread = len(value) > 1 or any(isinstance(v, (Block, Rows)) for v in value.values())
    if not spread and (
        len(flat) + used <= width or not isinstance(value, (Mapping, list, tuple)) or not value
    ):
        return flat
    deeper = indent + "  "
    if isinstance(value, Mapping):
        keys = [json.dumps(k, ensure_ascii=False) + ": " for k in value]
        lines = [
            k + _text(v, deeper, len(deeper + k) + 1, WIDTH)
            for k, v in zip(keys, value.values(), strict=True)
        ]
        opening, closing = "{", "}"
    else:
        width = ROW if isinstance(value, Rows) else WIDTH
        lines = [_text(v, deeper, len(deeper) + 1, width) for v in value]
        opening, closing = "[", "]"
    return f"{opening}\n{deeper}" + f",\n{deeper}".join(lines) + f"\n{indent}{closing}"
