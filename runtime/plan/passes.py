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
from ...graph.frozen import FrozenDict, freeze
from ...graph.mapping import GraphMapping, pass_through, resolve_mapping
from ...graph.spaces import resolve_spaces
from ...graph.topology import flow_order
from ...graph.types import Conversion
from .bind import Trace, trace
from .convert import RASTER_CONVERSIONS, itself
from .ir import TRACK, Link, Ref, Step, Stream, node_path
from .unroll import unroll

__all__ = ["PASSES", "Draft", "Need", "build", "check"]

Need = str
# f32    scene values for a kernel: three channels where alpha is 1
# whole  scene values for a process node or a delay: all channels
# u8     display-referred r, g, b for a process node
# u8a    display-referred for a sink: with alpha where there is any

STREAM = "frame"


@dataclass(frozen=True)
class Draft:
    """A plan in the making. `steps` are in an order in which they can run."""

    steps: Mapping[str, Step]
    stream: Stream
    working_space: str = "srgb"
    public: frozenset[tuple[str, str]] = frozenset()  # (path, parameter) of the effect's interface
    places: Mapping[tuple[str, str], str] = field(
        default_factory=dict
    )  # (path, output or "" = domain) → token
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
    """Steps out of a valid flat graph.

    Raises:
        CompileError: a node type is missing, or a group can't hand an image from item to item.
    """
    for path, node in flat.nodes.items():
        if node.declaration is None:
            raise CompileError(f"{path}: the node type {node.type!r} is not installed")
    flat, tracks = unroll(flat)
    flat = bypass(flat)
    spaces, mapping, each = resolve_spaces(flat), resolve_mapping(flat), _played_for_each(flat)
    steps: dict[str, Step] = {}
    for path, node in flat.nodes.items():
        assert node.declaration is not None
        links = {w.target_port: _link(flat, w, mapping, each) for w in flat.into(path).values()}
        for step in _split(path, node.declaration, dict(node.params), links):
            tracked = step.kind == "process" and path in tracks
            steps[step.id] = replace(step, links={**step.links, TRACK: Link(tracks[path])}) if tracked else step
    floating = {path for path, _ in spaces.floating}
    late = sorted(_with_conversions(steps).values(), key=lambda s: s.path in floating)
    return Draft(
        _ordered({s.id: s for s in late}), stream, flat.working_space,
        frozenset((p.path, p.param) for p in flat.interface),
        places={key: place.size for key, place in spaces.outputs.items()}
        | {(path, ""): place.size for path, place in spaces.domains.items()},
    )  # fmt: skip


def bypass(flat: FlatGraph) -> FlatGraph:
    """Without its muted nodes: what they passed on goes straight to their consumers.

    A muted delay that feeds something back passes nothing on: there would be a cycle in one frame.
    """
    muted = {
        p
        for p, n in flat.nodes.items()
        if n.muted and n.declaration and n.declaration.role not in ("source", "sink")
    }
    closed = {p for p in muted if _delays(flat, p) and _comes_back(flat, p, muted)}
    open_wires = replace(flat, wires=tuple(w for w in flat.wires if w.target not in closed))
    wires = [
        found for w in open_wires.wires if w.target not in muted and (found := _through(open_wires, w, muted))
    ]
    nodes = FrozenDict({p: n for p, n in flat.nodes.items() if p not in muted})
    return replace(flat, nodes=nodes, wires=tuple(wires))


def _delays(flat: FlatGraph, path: str) -> bool:
    decl = flat.nodes[path].declaration
    return decl is not None and decl.delay


def _comes_back(flat: FlatGraph, path: str, muted: set[str]) -> bool:
    """Whether what a node gives reaches it again in the same frame, if no muted delay held it back."""
    seen: set[str] = set()
    waiting = [path]
    while waiting:
        for wire in flat.out_of(waiting.pop()):
            if wire.target == path:
                return True
            if wire.target not in seen and (wire.target in muted or not _delays(flat, wire.target)):
                seen.add(wire.target)
                waiting.append(wire.target)
    return False


def _through(flat: FlatGraph, wire: FlatWire, muted: set[str]) -> FlatWire | None:
    if wire.source not in muted:
        return wire
    decl = flat.nodes[wire.source].declaration
    assert decl is not None
    before = flat.into(wire.source).get(pass_through(decl).get(wire.source_port, ""))
    if before is None:
        return None
    joined = replace(
        wire,
        source=before.source,
        source_port=before.source_port,
        conversion=_joined(before.conversion, wire.conversion),
    )
    return _through(flat, joined, muted)


def _joined(first: Conversion | None, second: Conversion | None) -> Conversion | None:
    if not (first and second):
        return first or second
    return Conversion(first.source, second.target, "") if first.source is not second.target else None


def _played_for_each(flat: FlatGraph) -> set[str]:
    """The nodes inside a mapped group that hang on its item."""
    found: set[str] = set()
    for path in flow_order(flat):
        wires, scope = flat.into(path).values(), flat.nodes[path].scope
        if scope and any(
            w.item_of or (w.source in found and flat.nodes[w.source].scope == scope) for w in wires
        ):
            found.add(path)
    return found


def _link(flat: FlatGraph, wire: FlatWire, mapping: GraphMapping, each: set[str]) -> Link:
    node, target = flat.nodes[wire.source], flat.nodes[wire.target].declaration
    decl = node.declaration
    assert decl is not None and target is not None
    source = f"{wire.source}#pixel" if decl.inners else wire.source
    conversion = f"{wire.conversion.source.name}>{wire.conversion.target.name}" if wire.conversion else ""
    port, made = target.input(wire.target_port), decl.output(wire.source_port)
    many = (wire.source, wire.source_port) in mapping.lists or bool(made and made.type.family == "list")
    takes_list = port is not None and (port.many or port.type.family == "list")
    if (wire.target, wire.target_port) in mapping.gathers and not (port and port.many):
        conversion = "gather"
    within = wire.source in each and flat.nodes[wire.target].scope == node.scope
    several = many or (wire.source in each and not within)
    if port and port.many and port.type.family != "raster" and (conversion or not several):
        conversion = f"{'each' if several else 'one'}:{conversion}"
    item = bool(wire.item_of) or within or (many and not takes_list and wire.target in mapping.nodes)
    return Link((source, wire.source_port), conversion, wire.policy or _default_policy(decl), item)


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
    stack = [(step, False) for step in reversed(list(steps.values()))]
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
        stack += [(steps[link.source[0]], False) for link in reversed(list(step.links.values()))]
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
        public = any(path == node_path(step.path) for path, _ in draft.public)
        if step.kind in ("process", "pixel", "source") and not step.decl.effectful and not public:
            key = (step.decl.type, step.kind, freeze(dict(step.params)), tuple(sorted(
                (n, li.source, li.conversion, li.policy) for n, li in links.items())))  # fmt: skip
            first = kept.setdefault(key, step.id)
            if first != step.id:
                renamed[step.id] = first
                continue
        steps[step.id] = step
    places = {key: _renamed(token, renamed) for key, token in draft.places.items()}
    return replace(draft, steps=steps, places=places)


def _renamed(token: str, renamed: Mapping[str, str]) -> str:
    """A geometry is named by what made it."""
    kind, _, maker = token.partition(":")
    path, _, port = maker.rpartition(".")
    return f"{kind}:{renamed[path]}.{port}" if path in renamed else token


# -- lists and domains


def map_lists(draft: Draft) -> Draft:
    """Call a step for each item where an item comes in by a list; its outputs are lists then."""
    steps: dict[str, Step] = {}
    for step in draft.steps.values():
        items = [name for name, link in step.links.items() if link.item]
        items.sort(key=lambda name: (port := step.decl.input(name)) is None or port.type.family != "item")
        carried = next((p.name for p in step.decl.inputs if p.carried), "") if items else ""
        steps[step.id] = replace(step, mapped=items[0] if items else "", carried=carried)
        if items and step.kind == "pixel":
            raise CompileError(
                f"{step.path}: a pixel node can't be played for each item of a list; merge or pick first"
            )
    return replace(draft, steps=steps)


def resolve_domains(draft: Draft) -> Draft:
    """A token for every raster, from graph.spaces: "frame", "asset:…", or the output that made a new geometry.

    A generator whose consumer's place is not made before it lies on the frame.
    """
    geometry: dict[Ref, str] = {}
    domains: dict[str, str] = {}
    made = {STREAM}
    for step in draft.steps.values():
        if step.kind == "pixel":
            token = _pixel_domain(draft, step, geometry)
            domains[step.id] = token if token in made else STREAM
        for port in step.outputs:
            if port.type.family == "raster":
                token = domains.get(step.id) or _process_place(draft, step, port, geometry)
                geometry[step.id, port.name] = token
                made.add(token)
    traces = {s.id: trace(s) for s in draft.steps.values() if s.kind == "pixel"}
    return replace(draft, geometry=geometry, domains=domains, traces=traces)


def _process_place(draft: Draft, step: Step, port: Port, geometry: Mapping[Ref, str]) -> str:
    """Where the input lies that the output lies the same as: what floats may have come to rest elsewhere than wanted."""
    rule = port.space
    link = step.links.get(rule.port) if rule and rule.kind == "same" and port.size == "domain" else None
    return (geometry.get(link.source) if link else None) or draft.places.get((step.path, port.name), STREAM)


def _pixel_domain(draft: Draft, step: Step, geometry: Mapping[Ref, str]) -> str:
    if "#" in step.id and "value" in step.links:  # a conversion: where its raster lies; a value's, where its reader is computed
        source = step.links["value"].source
        return geometry.get(source) or draft.places.get((step.path, ""), STREAM)
    return draft.places.get((step.path, ""), STREAM)


# -- storage and fusion


def store(draft: Draft) -> Draft:
    """Put a pixel step where a raster in memory is not stored as its reader needs it."""
    steps: dict[str, Step] = {}
    for step in draft.steps.values():
        links = dict(step.links)
        for name, link in step.links.items():
            need = _need(step, name)
            if need and draft.is_raster(link.source) and not _stored_as(draft, link.source, need):
                decl = itself(draft.port(link.source).type).declaration
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
    if (node_path(step.path), name) in draft.cuts:
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
