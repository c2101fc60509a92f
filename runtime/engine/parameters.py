"""A parameter's value, checked before it reaches a node or a kernel."""

from __future__ import annotations

import math
from typing import Any

from ...graph.declare import Parameter
from ...graph.errors import UsageError

__all__ = ["clean_value"]


def clean_value(parameter: Parameter, value: Any) -> Any:
    """A parameter's value, checked and in its own kind.

    Raises:
        UsageError: what is wrong with it, and what it may be.
    """
    name, kind = parameter.name, parameter.type.name
    if parameter.choices:
        if value not in parameter.choices:
            raise UsageError(f"{name} = {value!r}: choose one of {', '.join(map(str, parameter.choices))}")
        return value
    try:
        if kind in ("Number", "Integer"):
            number = float(value) if kind == "Number" else int(value)
            return _in_range(parameter, number)
        if kind == "Boolean":
            return _boolean(value)
        if kind in ("Vector2", "Vector3", "Vector4", "Colour"):
            numbers = tuple(_finite(name, v) for v in value)
            wanted = parameter.type.components
            if kind == "Colour" and len(numbers) == 3:
                numbers = (*numbers, 1.0)
            if len(numbers) != wanted:
                raise UsageError(f"{name}: a {kind} has {wanted} numbers, not {len(numbers)}")
            return numbers
    except (TypeError, ValueError):
        raise UsageError(f"{name} = {value!r} is no {kind}") from None
    return value


def _in_range(parameter: Parameter, number: float) -> float:
    _finite(parameter.name, number)
    low = -math.inf if parameter.low is None else parameter.low
    high = math.inf if parameter.high is None else parameter.high
    if not low <= number <= high:
        raise UsageError(f"{parameter.name} = {number:g} is outside {low:g} to {high:g}")
    return number


def _finite(name: str, value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise UsageError(f"{name} = {value}: NaN and infinity are no values")
    return number


def _boolean(value: Any) -> bool:
    words = {
        "true": True,
        "yes": True,
        "on": True,
        "1": True,
        "false": False,
        "no": False,
        "off": False,
        "0": False,
    }
    if isinstance(value, str):
        if value.lower() not in words:
            raise ValueError
        return words[value.lower()]
    return bool(value)
