"""Everything that is wrong with an effect, found in one go: each problem with its place, its cause and what to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from .checking import MAX_VARIANTS, value_problem, variants
from .declare import Parameter, Port
from .effect import Effect, GroupDefinition
from .errors import ValidationError
from .flat import FlatGraph, FlatNode, FlatParam, FlatWire
from .groups import flatten
from .mapping import resolve_mapping
from .problems import Problem, Severity
from .registry import Registry
from .spaces import resolve_spaces
from .topology import cycle_problems, sinks
from .types import PortType, conversion, find_type

__all__ = ["Problem", "Severity", "check", "validate", "validate_flat"]

SPACES = ("srgb", "linear")


def validate(effect: Effect, registry: Registry) -> list[Problem]:
    """All problems of an effect, errors and warnings, in order of place. Empty: it can be played."""
    problems = [*_document(effect), *validate_flat(flatten(effect, registry), registry, effect)]
    return list(dict.fromkeys(problems))


def check(effect: Effect, registry: Registry) -> FlatGraph:
    """The flat graph of an effect that can be played.

    Raises:
        ValidationError: with all its problems, where one of them is an error.
    """
    flat = flatten(effect, registry)
    problems = [*_document(effect), *validate_flat(flat, registry, effect)]
    if any(p.severity == "error" for p in problems):
        raise ValidationError(list(dict.fromkeys(problems)))
    return flat


def validate_flat(flat: FlatGraph, registry: Registry, effect: Effect) -> list[Problem]:
    """The problems of a graph whose groups are open."""
    found = list(flat.problems)
    for node in flat.nodes.values():
        found += (
            _node(node, registry, effect) if node.declaration is None else _known_node(flat, node, effect)
        )
    for wire in flat.wires:
        found += _wire(flat, wire, registry)
    found += _doubled(flat)
    found += _public(flat)
    found += cycle_problems(flat)
    found += resolve_mapping(flat).problems
    found += resolve_spaces(flat).problems
    if not sinks(flat):
        fix = "add a sink.output and wire the result to it"
        found.append(Problem("", "", "nothing shows or writes a result", fix, "warning"))
    return found


def _document(effect: Effect) -> Iterator[Problem]:
    if effect.working_space not in SPACES:
        cause = f"the working space {effect.working_space!r} is unknown"
        yield Problem("", "working_space", cause, f"choose one of: {', '.join(SPACES)}")
    for scope in ("", *effect.groups):
        graph = effect.graph(scope)
        place = f"group:{scope}" if scope else ""
        names = Counter(entry.name for entry in graph.interface)
        for name in (n for n, count in names.items() if count > 1):
            yield Problem(place, name, f"two public parameters are called {name!r}", "rename one of them")
        if isinstance(graph, GroupDefinition):
            yield from _definition(graph, place)


def _definition(group: GroupDefinition, place: str) -> Iterator[Problem]:
    for given in group.inputs:
        if find_type(given.type) is None:
            cause = f"its type {given.type!r} is unknown"
            yield Problem(
                place, given.name, cause, "choose a port type, or install the package that brings it"
            )
        if group.entry(given.name):
            yield Problem(
                place, given.name, "an input and a public parameter share this name", "rename one of them"
            )
    for output in group.outputs:
        if output.node != "in" and output.node not in group.nodes:
            cause = f"this output comes from {output.node}.{output.port}, and there is no such node"
            yield Problem(place, output.name, cause, "wire it to a node of the group, or remove it")


def _node(node: FlatNode, registry: Registry, effect: Effect) -> Iterator[Problem]:
    """An unknown type: who might bring it, or what it might be meant to be."""
    near = registry.nearest(node.type)
    present = {origin.distribution for origin in registry.origins.values()}
    lacking = [f"{name} {version}" for name, version in effect.requires.items() if name not in present]
    fixes = [f"install {' or '.join(lacking)}, which the effect requires"] if lacking else []
    fixes += [f"did you mean {near!r}?"] if near else []
    fix = "; ".join(fixes) or "install the package that brings it, or replace the node"
    yield Problem(node.path, "", f"no installed package has the node type {node.type!r}", fix)


def _known_node(flat: FlatGraph, node: FlatNode, effect: Effect) -> Iterator[Problem]:
    declaration = node.declaration
    assert declaration is not None
    if node.version > declaration.version:
        cause = f"saved by version {node.version} of {node.type}; version {declaration.version} is installed"
        yield Problem(node.path, "", cause, "upgrade the package that brings it")
    wired = flat.into(node.path)
    for name, value in node.given.items():
        parameter = declaration.parameter(name)
        if parameter is None:
            fix = _offer(name, [p.name for p in declaration.params], "parameters")
            yield Problem(node.path, name, f"{node.type} has no parameter {name!r}", fix)
        elif fault := value_problem(parameter, value, effect.folder):
            yield Problem(node.path, name, *fault)
    for port in declaration.inputs:
        if not port.optional and port.name not in wired and (node.path, port.name) not in flat.unfed:
            cause = f"the input {port.name!r} is not wired, and {node.type} needs it"
            yield Problem(node.path, port.name, cause, f"wire {_article(port.type)} to it")


def _wire(flat: FlatGraph, wire: FlatWire, registry: Registry) -> Iterator[Problem]:
    source, target = flat.nodes[wire.source], flat.nodes[wire.target]
    if source.declaration and source.output(wire.source_port) is None:
        fix = _offer(wire.source_port, [p.name for p in source.declaration.outputs], "outputs")
        cause = f"{source.type} has no output {wire.source_port!r} (wire to {wire.target}.{wire.target_port})"
        yield Problem(wire.source, wire.source_port, cause, fix)
    end = target.takes(wire.target_port)
    if target.declaration and end is None:
        names = [p.name for p in (*target.declaration.inputs, *target.declaration.params)]
        cause = (
            f"{target.type} has no input {wire.target_port!r} (wire from {wire.source}.{wire.source_port})"
        )
        yield Problem(wire.target, wire.target_port, cause, _offer(wire.target_port, names, "inputs"))
    gives = flat.gives(wire)
    if gives is not None and end is not None and not fits(gives, end):
        yield _mismatch(wire, gives, end, registry)
    if isinstance(end, Parameter) and end.structural:
        yield from _structural(wire.target, end, "driven by a wire")
    if gives is not None:
        yield from _policy(wire, gives)


def fits(gives: type[PortType], end: Port | Parameter) -> bool:
    """Whether a wire of this type may end here: the same type, a conversion, or an item of a list."""
    takes = end.type
    return gives is takes or gives.item is takes or conversion(gives, takes) is not None


def _mismatch(wire: FlatWire, gives: type[PortType], end: Port | Parameter, registry: Registry) -> Problem:
    cause = f"takes {end.type.name}, and {wire.source}.{wire.source_port} gives {gives.name}"
    between = list(_between(gives, end.type, registry))
    fix = f"put a node between that makes one of the other: {', '.join(between[:3])}" if between else ""
    return Problem(wire.target, wire.target_port, cause, fix or f"wire {_article(end.type)} to it")


def _between(gives: type[PortType], takes: type[PortType], registry: Registry) -> Iterator[str]:
    """Node types that make the one of the other, and need nothing else."""
    for declaration in registry.values():
        needed = [p for p in declaration.inputs if not p.optional]
        makes = any(p.type is takes for p in declaration.outputs)
        if makes and len(needed) == 1 and needed[0].type is gives:
            yield declaration.type


def _policy(wire: FlatWire, gives: type[PortType]) -> Iterator[Problem]:
    if wire.policy is not None and wire.policy not in gives.policies:
        cause = f"{gives.name} can't travel by {wire.policy!r}"
        yield Problem(wire.target, wire.target_port, cause, f"choose one of: {', '.join(gives.policies)}")
    elif wire.limit is not None and (wire.policy != "hold" or wire.limit < 0):
        cause = (
            f"the wire's limit {wire.limit} has no meaning"
            if wire.limit >= 0
            else "the wire's limit is negative"
        )
        yield Problem(wire.target, wire.target_port, cause, 'a limit, in frames, goes with the policy "hold"')


def _structural(path: str, parameter: Parameter, how: str) -> Iterator[Problem]:
    """A kernel is compiled for each value of a structural parameter that moves while playing."""
    if parameter.type.family == "asset":
        if how != "public":
            yield Problem(
                path, parameter.name, f"a {parameter.type.name} can't be {how}", "set it on the node"
            )
        return
    values = variants(parameter)
    if values is None:
        cause = f"it is structural and {how}, and lists no values to compile for"
        yield Problem(path, parameter.name, cause, "set it on the node, or let its declaration list choices")
    elif len(values) > MAX_VARIANTS:
        cause = f"it is structural and {how}: {len(values)} kernels, and {MAX_VARIANTS} are allowed"
        yield Problem(path, parameter.name, cause, "set it on the node, or list fewer choices")


def _doubled(flat: FlatGraph) -> Iterator[Problem]:
    ends = Counter((w.target, w.target_port) for w in flat.wires)
    for (path, port), count in ends.items():
        if count > 1:
            froms = ", ".join(f"{w.source}.{w.source_port}" for w in flat.wires_into(path, port))
            yield Problem(path, port, f"{count} wires end at one input: from {froms}", "keep one of them")


def _public(flat: FlatGraph) -> Iterator[Problem]:
    taken: dict[tuple[str, str], str] = {}
    for public in flat.interface:
        yield from _public_value(public)
        if public.parameter.structural:
            yield from _structural(public.path, public.parameter, "public")
        first = taken.setdefault((public.path, public.param), public.name)
        if first != public.name:
            cause = f"public parameters {first!r} and {public.name!r} set the same parameter"
            yield Problem(public.path, public.param, cause, "remove one of them")
        if public.param in flat.into(public.path):
            cause = f"public parameter {public.name!r} has no effect: a wire drives it"
            yield Problem(
                public.path, public.param, cause, "remove the wire or the public parameter", "warning"
            )


def _public_value(public: FlatParam) -> Iterator[Problem]:
    low, high = public.low, public.high
    if low is not None and high is not None and low > high:
        yield Problem("", public.name, f"its range is empty: {low:g} to {high:g}", "swap its ends")
        return
    ranges = ((low, public.parameter.low, "below"), (high, public.parameter.high, "above"))
    for asked, own, word in ranges:
        if asked is not None and own is not None and (asked < own if word == "below" else asked > own):
            cause = f"its range goes {word} that of {public.path}.{public.param} ({own:g})"
            yield Problem("", public.name, cause, "narrow it")
    value = public.default
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return
    if value_problem(public.parameter, value):  # told at the node
        return
    if (low is not None and value < low) or (high is not None and value > high):
        yield Problem(
            "", public.name, f"it starts at {value:g}, outside its range", "change default or range"
        )


def _offer(name: str, known: Iterable[str], word: str) -> str:
    from difflib import get_close_matches

    names = list(known)
    if near := get_close_matches(name, names, 1):
        return f"did you mean {near[0]!r}?"
    return f"its {word}: {', '.join(names)}" if names else f"it has no {word}"


def _article(kind: type[PortType]) -> str:
    return f"{'an' if kind.name[0] in 'AEIOU' else 'a'} {kind.name}"
