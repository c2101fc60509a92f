"""The plan compiler: each pass takes a Draft and gives the next; `PASSES` is the whole list, in order.

    build ─ prune ─ fold ─ merge ─ map_lists ─ resolve_domains ─ store ─ fuse ─ assign_lanes ─ (layout.py)

build            flat graph → steps: muted nodes bypassed, hybrids and delays split in two, conversions put in
prune            what nothing effectful needs is dropped
fold             steps that depend on parameters alone run when one moves, not every frame
merge            equal steps with equal inputs become one
map_lists        which steps are called once for each item
resolve_domains  where every raster lies, as a token: equal tokens = the same pixels
store            who needs which raster in memory, and how
fuse             a pixel output that nobody needs in memory lives in its consumers' kernels
assign_lanes     slow models, and what only they need, leave the render lane
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ...graph.declare import Declaration, Port
from ...graph.errors import CompileError
from ...graph.flat import FlatGraph, FlatWire
from ...graph.frozen import freeze
from .bind import Trace, trace
from .convert import RASTER_CONVERSIONS, SAME
from .ir import Link, Ref, Step, Stream

__all__ = ["PASSES", "Draft", "Need", "build", "check"]

Need = str
# f32    scene values for a kernel: three channels where alpha is 1
# whole  scene values for a process node or a delay: all channels
# u8     display-referred r, g, b for a process node
# u8a    display-referred for a sink: with alpha where there is any

STREAM = "stream"


@dataclass(frozen=True)
class Draft:
    """A plan in the making. `steps` are in an order in which they can run."""

    steps: Mapping[str, Step]
    stream: Stream
    working_space: str = "srgb"
    public: frozenset[tuple[str, str]] = frozenset()  # (path, parameter) of the effect's interface
    traces: Mapping[str, Trace] = field(default_factory=dict)
    domains: Mapping[str, str] = field(default_factory=dict)  # pixel step → token
    geometry: Mapping[Ref, str] = field(default_factory=dict)  # raster ref → token
    needs: Mapping[Ref, frozenset[Need]] = field(default_factory=dict)
    lanes: Mapping[str, str] = field(default_factory=dict)
    cuts: frozenset[tuple[str, str]] = frozenset()  # (path, input) of wires kept in memory, for a probe
    notes: tuple[str, ...] = ()

    def port(self, ref: Ref) -> Port:
        return self.steps[ref[0]].output(ref[1])

    def is_raster(self, ref: Ref) -> bool:
        return self.port(ref).type.family == "raster"

    def consumers(self) -> dict[Ref, list[tuple[Step, str]]]:
        """Who reads each output: (step, input or parameter)."""
        found: dict[Ref, list[tuple[Step, str]]] = {}
        for step in self.steps.values():
            for name, link in step.links.items():
                found.setdefault(link.source, []).append((step, name))
        return found


# -- build


def build(flat: FlatGraph, stream: Stream) -> Draft:
    """Steps out of a valid flat graph."""
    steps: dict[str, Step] = {}
    for path, node in flat.nodes.items():
        if node.declaration is None:
            raise CompileError(f"{path}: the node type {node.type!r} is not installed")
        if not node.muted or node.declaration.role in ("source", "sink"):
            for step in _split(path, node.declaration, dict(node.params), _links(flat, path)):
                steps[step.id] = step
    public = frozenset((p.path, p.param) for p in flat.interface)
    return Draft(_ordered(_with_conversions(steps)), stream, flat.working_space, public)


def _links(flat: FlatGraph, path: str) -> dict[str, Link]:
    found = {}
    for name, wire in flat.into(path).items():
        link = _resolve(flat, wire)
        if link is not None:
            found[name] = link
    return found


def _resolve(flat: FlatGraph, wire: FlatWire) -> Link | None:
    """The link a wire makes, going back through muted nodes to what they pass on."""
    node = flat.nodes[wire.source]
    conversion = f"{wire.conversion.source.name}>{wire.conversion.target.name}" if wire.conversion else ""
    decl = node.declaration
    if decl is None or not node.muted or decl.role in ("source", "sink"):
        source = wire.source if decl is None or not decl.inners else f"{wire.source}#pixel"
        return Link((source, wire.source_port), conversion, wire.policy or _default_policy(decl))
    out = decl.output(wire.source_port)
    same = next((p.name for p in decl.inputs if out and p.type is out.type), None)
    before = flat.into(wire.source).get(same) if same else None
    if before is None or (before.conversion and wire.conversion):
        return None
    return _resolve(flat, replace(before, conversion=before.conversion or wire.conversion))


def _default_policy(decl: Declaration | None) -> str:
    return "latest" if decl is not None and decl.latency == "slow" else "exact"


def _split(path: str, decl: Declaration, params: dict[str, Any], links: dict[str, Link]) -> Iterator[Step]:
    if decl.role == "delay":
        yield Step(path, path, "delay_read", decl, params, {}, decl.outputs)
        yield Step(f"{path}#write", path, "delay_write", decl, params, links)
    elif decl.inners:
        inner = {p.name: Link((path, p.name)) for p in decl.inners}
        yield Step(path, path, "process", decl, params, _named(links, decl.arguments), decl.inners)
        pixel_links = _named({**links, **inner}, decl.pixel_arguments)
        yield Step(f"{path}#pixel", path, "pixel", decl, params, pixel_links, decl.outputs)
    elif decl.role in ("source", "sink"):
        yield Step(path, path, decl.role, decl, params, links, decl.outputs)
    else:
        asked = decl.pixel_arguments if decl.kind == "pixel" else decl.arguments
        yield Step(path, path, decl.kind, decl, params, _named(links, asked), decl.outputs)


def _named(links: dict[str, Link], names: tuple[str, ...]) -> dict[str, Link]:
    """What a method doesn't name is not read."""
    return {name: link for name, link in links.items() if name in names}


def _with_conversions(steps: dict[str, Step]) -> dict[str, Step]:
    """Raster conversions into steps that are no pixel nodes become pixel steps of their own."""
    made: dict[str, Step] = {}
    for step in steps.values():
        links = dict(step.links)
        for name, link in step.links.items():
            if step.kind != "pixel" and link.conversion in RASTER_CONVERSIONS:
                decl = RASTER_CONVERSIONS[link.conversion].declaration
                extra = _internal(f"{step.id}.{name}#convert", step, decl, replace(link, conversion=""))
                made[extra.id] = extra
                links[name] = Link((extra.id, "out"))
        made[step.id] = replace(step, links=links)
    return made


def _internal(step_id: str, owner: Step, decl: Declaration, link: Link) -> Step:
    return Step(step_id, owner.path, "pixel", decl, {}, {"value": link}, decl.outputs)


def _ordered(steps: Mapping[str, Step]) -> dict[str, Step]:
    """Sources before users, otherwise in the order given."""
    done: dict[str, Step] = {}
    open_steps: dict[str, None] = {}
    stack = [(step, False) for step in reversed(steps.values())]
    while stack:
        step, ready = stack.pop()
        if step.id in done:
            continue
        if ready:
            del open_steps[step.id]
            done[step.id] = step
            continue
        if step.id in open_steps:
            raise CompileError(f"{step.path}: a cycle without a delay: {' → '.join([*open_steps, step.id])}")
        open_steps[step.id] = None
        stack.append((step, True))
        stack += [(steps[link.source[0]], False) for link in reversed(step.links.values())]
    return done


# -- prune, fold, merge


def prune(draft: Draft) -> Draft:
    """Keep what a sink or another effectful node needs, directly or through a delay."""
    wanted: set[str] = set()
    queue = [s for s in draft.steps.values() if s.kind == "sink" or s.decl.effectful]
    while queue:
        step = queue.pop()
        if step.id in wanted:
            continue
        wanted.add(step.id)
        queue += [draft.steps[link.source[0]] for link in step.links.values()]
        if step.kind == "delay_read":
            queue.append(draft.steps[f"{step.path}#write"])
    return replace(draft, steps={k: s for k, s in draft.steps.items() if k in wanted})


def fold(draft: Draft) -> Draft:
    """Mark the steps that depend on nothing but parameters and files."""
    constant: set[str] = set()
    for step in draft.steps.values():
        timeless = not step.decl.slots and not {"tick", "state"} & set(step.decl.arguments)
        plain = step.kind == "process" and not step.decl.effectful and not step.decl.isolated
        if plain and timeless and all(link.source[0] in constant for link in step.links.values()):
            constant.add(step.id)
    return replace(
        draft, steps={k: replace(s, constant=True) if k in constant else s for k, s in draft.steps.items()}
    )


def merge(draft: Draft) -> Draft:
    """One step for equal ones: the smallest path keeps its state. Public parameters may differ later: kept apart."""
    kept: dict[Any, str] = {}
    renamed: dict[str, str] = {}
    steps: dict[str, Step] = {}
    for step in draft.steps.values():
        links = {n: replace(li, source=(renamed.get(li.source[0], li.source[0]), li.source[1]))
                 for n, li in step.links.items()}  # fmt: skip
        step = replace(step, links=links)
        public = any(path == step.path for path, _ in draft.public)
        if step.kind in ("process", "pixel", "source") and not step.decl.effectful and not public:
            key = (step.decl.type, step.kind, freeze(dict(step.params)), tuple(sorted(
                (n, li.source, li.conversion, li.policy) for n, li in links.items())))  # fmt: skip
            first = kept.setdefault(key, step.id)
            if first != step.id:
                renamed[step.id] = first
                continue
        steps[step.id] = step
    return replace(draft, steps=steps)


# -- lists and domains


def map_lists(draft: Draft) -> Draft:
    """Call a step for each item where an item port is fed by a list; its outputs are lists then."""
    steps: dict[str, Step] = {}
    listed: set[Ref] = set()
    for step in draft.steps.values():
        mapped = ""
        for name, link in step.links.items():
            port = step.decl.input(name)
            source = steps[link.source[0]].output(link.source[1]).type
            many = source.family == "list" or link.source in listed
            if (
                many
                and not (port and port.many)
                and (port is None or port.type is not source or link.source in listed)
            ):
                mapped = mapped or name
        carried = next((p.name for p in step.decl.inputs if p.carried), "") if mapped else ""
        steps[step.id] = replace(step, mapped=mapped, carried=carried)
        if mapped:
            listed |= {(step.id, p.name) for p in step.outputs if p.type.family != "raster"}
    return replace(draft, steps=steps)


def resolve_domains(draft: Draft) -> Draft:
    """A token for every raster: "stream", "asset:…" or the ref that made a new geometry."""
    geometry: dict[Ref, str] = {}
    domains: dict[str, str] = {}
    for step in draft.steps.values():
        if step.kind == "pixel":
            domains[step.id] = _pixel_domain(step, geometry)
        for port in step.outputs:
            if port.type.family == "raster":
                geometry[step.id, port.name] = _token(step, port, geometry, domains)
    traces = {s.id: trace(s) for s in draft.steps.values() if s.kind == "pixel"}
    return replace(draft, geometry=geometry, domains=domains, traces=traces)


def _pixel_domain(step: Step, geometry: Mapping[Ref, str]) -> str:
    """The declared domain input's token; else the first raster's; a generator lies on the stream."""
    ports = [p for p in step.decl.inputs if p.type.family == "raster" and p.name in step.links]
    declared = step.decl.domain
    ports.sort(key=lambda p: p is not declared)
    tokens = [geometry[step.links[p.name].source] for p in ports if step.links[p.name].source in geometry]
    return tokens[0] if tokens else STREAM


def _token(step: Step, port: Port, geometry: Mapping[Ref, str], domains: Mapping[str, str]) -> str:
    if step.kind == "pixel":
        return domains[step.id]
    if step.kind in ("source", "delay_read"):
        return STREAM
    if port.size == "domain" and port.space is not None:
        if port.space.kind == "frame":
            return STREAM
        if port.space.kind == "same" and port.space.port in step.links:
            return geometry.get(step.links[port.space.port].source, STREAM)
    return f"{step.id}.{port.name}"


# -- storage and fusion


def store(draft: Draft) -> Draft:
    """Put a pixel step where a raster in memory is not stored as its reader needs it."""
    steps: dict[str, Step] = {}
    for step in draft.steps.values():
        links = dict(step.links)
        for name, link in step.links.items():
            need = _need(step, name)
            if need and draft.is_raster(link.source) and not _stored_as(draft, link.source, need):
                decl = SAME[draft.port(link.source).type].declaration
                extra = _internal(f"{link.source[0]}.{link.source[1]}#{need}", step, decl, link)
                steps.setdefault(extra.id, extra)
                links[name] = replace(link, source=(extra.id, "out"))
        steps[step.id] = replace(step, links=links)
    return resolve_domains(replace(draft, steps=steps))


def _need(step: Step, name: str) -> Need | None:
    port = step.decl.input(name)
    if step.kind == "pixel" or port is None or port.type.family != "raster":
        return None
    if step.kind == "sink":
        return "u8a"
    return "u8" if port.display else "whole"


def _stored_as(draft: Draft, ref: Ref, need: Need) -> bool:
    """Whether the producer's own storage serves; a kernel writes whatever is needed."""
    step = draft.steps[ref[0]]
    if step.kind == "pixel":
        return True
    if step.kind == "source":
        return need == "u8a" or (need == "u8" and draft.stream.channels == 3)
    return (need != "whole") if step.output(ref[1]).display else need == "whole"


def fuse(draft: Draft) -> Draft:
    """Decide what must be in memory. The rest is expanded inside the kernels that read it.

    process ── blend ── grade ── sink        blend and grade: one kernel, one pass over memory
    process ── grade ══ face mesh            a process node needs pixels: ══ is in memory
    bright ──gauss── bloom                   fused: both passes run strip by strip in the kernel
    blur ══gauss── bloom                     a blur of a blur is not
    """
    needs: dict[Ref, set[Need]] = {}
    blurs: dict[str, bool] = {}
    users = draft.consumers()
    for step in draft.steps.values():
        if step.kind == "pixel":
            blurs[step.id] = draft.traces[step.id].blurs
        for name, link in step.links.items():
            ref = link.source
            if not draft.is_raster(ref):
                continue
            if step.kind != "pixel":
                needs.setdefault(ref, set()).add(_need(step, name) or "whole")
            elif draft.steps[ref[0]].kind == "pixel":
                if _fusable(draft, step, name, ref, blurs, len(users[ref])):
                    blurs[step.id] = blurs[step.id] or blurs[ref[0]]
                else:
                    needs.setdefault(ref, set()).add("f32")
    return replace(draft, needs={ref: frozenset(n) for ref, n in needs.items()})


def _fusable(draft: Draft, step: Step, name: str, ref: Ref, blurs: Mapping[str, bool], users: int) -> bool:
    if (step.path, name) in draft.cuts:
        return False
    uses = draft.traces[step.id].uses.get(name, frozenset())
    if draft.geometry[ref] != draft.domains[step.id] or uses - {"here", "gauss"}:
        return False
    heavy = blurs[ref[0]]
    return not (heavy and ("gauss" in uses or users > 1))


# -- lanes


def assign_lanes(draft: Draft) -> Draft:
    """A slow node whose readers take `latest` plays in a lane of its own, with what only it needs."""
    lanes: dict[str, str] = {}
    users = draft.consumers()
    for step in draft.steps.values():
        if step.kind == "process" and step.decl.latency == "slow" and not step.constant:
            readers = [s.links[n] for p in step.outputs for s, n in users.get((step.id, p.name), [])]
            if readers and all(link.policy != "exact" for link in readers):
                lanes[step.id] = f"model:{step.path}"
    return replace(draft, lanes=lanes)


PASSES = (prune, fold, merge, map_lists, resolve_domains, store, fuse, assign_lanes)


def check(draft: Draft, after: str) -> None:
    """What must hold between passes; a failure is a bug of ours, and says which pass made it.

    Raises:
        CompileError: a link to nothing, a step before its source, a trace missing.
    """
    seen: set[str] = set()
    for step in draft.steps.values():
        for name, link in step.links.items():
            source = draft.steps.get(link.source[0])
            if source is None or all(p.name != link.source[1] for p in source.outputs):
                raise CompileError(f"after {after}: {step.id}.{name} reads {link.source}, which is not there")
            if link.source[0] not in seen:
                raise CompileError(f"after {after}: {step.id} comes before {link.source[0]}, which it reads")
        seen.add(step.id)
        if draft.traces and step.kind == "pixel" and step.id not in draft.traces:
            raise CompileError(f"after {after}: {step.id} has no expression")
