"""Whether a value fits a parameter: its type, its range, its choices, the file it names."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from .assets import asset_problem
from .declare import Parameter

__all__ = ["MAX_VARIANTS", "default_problem", "value_problem", "variants"]

MAX_VARIANTS = 20  # room for the 17 blend modes


def value_problem(parameter: Parameter, value: Any, folder: Path | None = None) -> tuple[str, str] | None:
    """(cause, fix) where a value does not fit a parameter; None where it does.

    Args:
        folder: the effect's, to look for assets in; None = don't look.
    """
    if is_reference(value) and parameter.type.family in ("asset", "geometry"):
        return asset_problem(value, folder) if "asset" in value else _model(value)
    if isinstance(value, float) and not math.isfinite(value):
        return f"{value} is no finite number", f"set {_range(parameter)}"
    if parameter.choices and parameter.type.name != "Model":
        if any(value == c and isinstance(value, bool) == isinstance(c, bool) for c in parameter.choices):
            return None
        words = ", ".join(str(c) for c in parameter.choices)
        return f"{value!r} is not among its choices", f"choose one of: {words}"
    check = CHECKS.get(parameter.type.name)
    if check is None or value == parameter.default:
        return None
    if fault := check(value):
        return f"{_shown(value)} is not {fault}", f"set {fault}"
    return _range_problem(parameter, value)


def default_problem(parameter: Parameter) -> str | None:
    """What is wrong with a parameter's own default; None where nothing is."""
    value, check = parameter.default, CHECKS.get(parameter.type.name)
    if parameter.choices:
        return None if value in parameter.choices else f"{value!r} is not among its choices"
    if check is None:
        return None
    fault = check(value)
    if fault is None:
        wrong = _range_problem(parameter, value)
        return wrong[0] if wrong else None
    return f"{_shown(value)} is not {fault}"


def variants(parameter: Parameter) -> tuple[Any, ...] | None:
    """The values a kernel has to be compiled for so that a structural parameter may move; None: it lists none."""
    if parameter.choices:
        return parameter.choices
    if parameter.type.name == "Boolean":
        return (False, True)
    if parameter.type.name == "Integer" and parameter.low is not None and parameter.high is not None:
        return tuple(range(int(parameter.low), int(parameter.high) + 1))
    return None


def is_reference(value: Any) -> bool:
    """Whether it refers to an asset or a model."""
    return isinstance(value, Mapping) and ("asset" in value or "model" in value)


def _range_problem(parameter: Parameter, value: Any) -> tuple[str, str] | None:
    low = -math.inf if parameter.low is None else parameter.low
    high = math.inf if parameter.high is None else parameter.high
    numbers = value if isinstance(value, (tuple, list)) else (value,)
    if parameter.type.name == "Curve" or not all(isinstance(n, (int, float)) for n in numbers):
        return None
    if all(low <= n <= high for n in numbers):
        return None
    return f"{_shown(value)} is outside its range", f"set {_range(parameter)}"


def _range(parameter: Parameter) -> str:
    unit = f" {parameter.unit}" if parameter.unit else ""
    if parameter.low is not None and parameter.high is not None:
        return f"{parameter.low:g} to {parameter.high:g}{unit}"
    if parameter.low is not None:
        return f"at least {parameter.low:g}{unit}"
    return f"at most {parameter.high:g}{unit}" if parameter.high is not None else f"a number{unit}"


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e300


def _numbers(count: int) -> Callable[[Any], str | None]:
    def check(value: Any) -> str | None:
        fits = isinstance(value, (tuple, list)) and len(value) == count and all(map(_number, value))
        return None if fits else f"{count} numbers"

    return check


def _one(kind: str, fits: Callable[[Any], bool]) -> Callable[[Any], str | None]:
    return lambda value: None if fits(value) else kind


def _curve(value: Any) -> str | None:
    """Knots (x, y) with x rising."""
    fits = isinstance(value, Sequence) and len(value) > 0 and all(_numbers(2)(knot) is None for knot in value)
    rising = fits and all(a[0] < b[0] for a, b in zip(value, value[1:], strict=False))
    return None if rising else "a list of knots [x, y] with x rising"


def _points(value: Any) -> str | None:
    fits = isinstance(value, (tuple, list)) and all(
        _numbers(2)(p) is None or _numbers(3)(p) is None for p in value
    )
    return None if fits else "a list of points [x, y] or [x, y, z]"


def _model(value: Any) -> tuple[str, str] | None:
    if isinstance(value, Mapping) and isinstance(value.get("model"), str):
        return None
    return (
        f"{_shown(value)} names no model",
        'write {"model": ID, "variant": "auto"}; spellwire models lists the ids',
    )


CHECKS: dict[str, Callable[[Any], str | None]] = {
    "Number": _one("a number", _number),
    "Integer": _one("a whole number", lambda v: isinstance(v, int) and not isinstance(v, bool)),
    "Boolean": _one("true or false", lambda v: isinstance(v, bool)),
    "Text": _one("a text", lambda v: isinstance(v, str)),
    "Choice": _one("a word", lambda v: isinstance(v, str)),
    "Vector2": _numbers(2),
    "Vector3": _numbers(3),
    "Vector4": _numbers(4),
    "Colour": _numbers(4),
    "Camera": _numbers(4),
    "Light": _numbers(9),
    "Curve": _curve,
    "Points": _points,
    "Asset": _one('a file of the effect, {"asset": "assets/…"}', lambda v: v is None),
    "Look": _one('a table of the effect, {"asset": "assets/….cube"}', lambda v: v is None),
    "Model": _one('a model, {"model": ID, "variant": "auto"}', lambda v: v is None or isinstance(v, str)),
}
