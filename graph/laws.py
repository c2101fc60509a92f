"""What every declaration must hold, beyond the shape that `declare` reads: checked when the class is defined."""

from __future__ import annotations

from typing import get_args

from .checking import default_problem
from .declare import SPECIAL, Declaration, Fallback, Latency
from .effect import INPUT, is_name
from .errors import DeclarationError

__all__ = ["check_laws"]

OPTIONS = {
    "latency": get_args(Latency),
    "fallback": get_args(Fallback),
    "scope": ("frame", "clip"),
    "role": ("", "source", "sink", "delay"),
}


def check_laws(declaration: Declaration, where: str) -> None:
    """Refuse a declaration that would surprise its users later.

    Raises:
        DeclarationError: the first law it breaks.
    """
    for fault in _faults(declaration):
        raise DeclarationError(f"{where}: {fault}")


def _faults(declaration: Declaration):
    if not isinstance(declaration.version, int) or declaration.version < 1:
        yield f"version {declaration.version!r}: a whole number from 1"
    for option, legal in OPTIONS.items():
        if (value := getattr(declaration, option)) not in legal:
            yield f"{option}={value!r}: choose one of {', '.join(repr(word) for word in legal)}"
    yield from _name_faults(declaration)
    for parameter in declaration.params:
        if fault := default_problem(parameter):
            yield f"{parameter.name!r}: default {fault}"
        if parameter.low is not None and parameter.high is not None and parameter.low > parameter.high:
            yield f"{parameter.name!r}: its range {parameter.low} to {parameter.high} is empty"
    yield from _port_faults(declaration)


def _name_faults(declaration: Declaration):
    taken = SPECIAL["process"] | SPECIAL["pixel"] | {INPUT}
    methods = {"open", "close", "process", "pixel", "migrate", "migrate_port", "declaration"}
    for end in (*declaration.inputs, *declaration.params):
        if end.name in taken:
            yield f"{end.name!r} can't be an input's or a parameter's name: it is an argument of its own"
    for end in (*declaration.inputs, *declaration.params, *declaration.outputs, *declaration.inners):
        if not is_name(end.name):
            yield f"{end.name!r} can't be a name in a file (ASCII letters, digits and _; at most 64)"
        if end.name in methods:
            yield f"{end.name!r} can't be a port's or a parameter's name: a node has a method of that name"


def _port_faults(declaration: Declaration):
    outputs = [p.type for p in declaration.outputs]
    for out in (o for o in declaration.outputs if o.like):
        first = declaration.output(out.like)
        if first is None or first.size != "free" or first.like or first.space != out.space:
            yield f"{out.name!r} shares the pixels of {out.like!r}, which is no output of free size in the same space"
    for port in declaration.inputs:
        if port.carried and port.type not in outputs:
            yield f"{port.name!r} is carried, and no output of type {port.type.name} hands it on"
        if port.carried and port.many:
            yield f"{port.name!r} is either carried from item to item, or takes all items at once"
        if port.domain and port.type.family != "raster":
            yield f"{port.name!r} can't be the domain: a {port.type.name} has no pixels"
        if port.domain and port.anywhere:
            yield f"{port.name!r} says where the node is computed, so it can't lie anywhere"
    if sum(p.domain for p in declaration.inputs) > 1:
        yield "more than one input is the domain"
