"""Where things lie, before anything runs: the symbolic space and size of each spatial output.

    source ──> person ──> feather ──> blend.mask          space frame, size frame
       │                                 │
       └──> half size (space kept) ──────┤ .image         space frame, size free:n4.out: sampled, shown on the wire
    picture (space asset:n7.image) ──────┘ .layer         another space: an error, `place` is the fix

A pixel node is computed at its domain: its input declared so, else the first required raster, else any raster wired.
A generator has none and takes its consumer's. Two sizes are the same token exactly where geometry is statically the
same; a space or size token begins with how it came about (frame, asset, new, free), then the output that made it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .declare import Port
from .flat import FlatGraph, FlatNode
from .frozen import FrozenDict
from .problems import Problem
from .topology import flow_order

__all__ = ["FRAME", "Place", "Spaces", "domain_inputs", "resolve_spaces"]


@dataclass(frozen=True)
class Place:
    """A symbolic space id, and a token for the geometry (width, height, to_frame) in it."""

    space: str
    size: str


FRAME = Place("frame", "frame")
Key = tuple[str, str]


@dataclass(frozen=True)
class Spaces:
    """The places of a whole flat graph.

    Attributes:
        outputs: (path, output) → where it lies, for every spatial output.
        domains: path → where a node with spatial inputs or outputs is computed.
        floating: outputs that lie wherever they are asked for (generators and what only they feed); their place
            above is their consumers' where those agree, else the frame's.
        resampled: wires' ends (path, input) whose value has the domain's space and another size.
        problems: spaces that mix without `place`.
    """

    outputs: FrozenDict[Key, Place]
    domains: FrozenDict[str, Place]
    floating: frozenset[Key]
    resampled: frozenset[Key]
    problems: tuple[Problem, ...]


def domain_inputs(node: FlatNode, wired: Iterable[str]) -> list[Port]:
    """The raster inputs that may say where a node is computed, best first."""
    declaration, names = node.declaration, set(wired)
    if declaration is None:
        return []
    rasters = [
        p for p in declaration.inputs if p.type.family == "raster" and p.name in names and not p.anywhere
    ]
    return sorted(rasters, key=lambda p: (not p.domain, p.optional))


def resolve_spaces(flat: FlatGraph) -> Spaces:
    """Find all places: once along the flow, and again while feedback through a delay brings something new."""
    solving = _Solving(flat)
    solving.forward()
    floating = solving.backward()
    resampled, problems = solving.compare()
    return Spaces(
        FrozenDict(solving.outputs), FrozenDict(solving.domains), frozenset(floating), frozenset(resampled),
        tuple(problems),
    )  # fmt: skip


class _Solving:
    def __init__(self, flat: FlatGraph):
        self.flat = flat
        self.outputs: dict[Key, Place] = {}
        self.domains: dict[str, Place] = {}
        self.rounds = range(len(flat.nodes) + 1)
        self.order = [flat.nodes[path] for path in flow_order(flat)]

    def input(self, path: str, port: str) -> Place | None:
        """Where what is wired to an input lies; None for no wire, a value without a place, or not known yet."""
        wire = self.flat.into(path).get(port)
        return self.outputs.get((wire.source, wire.source_port)) if wire else None

    def forward(self) -> None:
        """From sources to consumers.

        A node waits for the place of its best input, which in a ring may come round late. Where nothing else moves on, an
        output of a size of its own that was made from what lies anywhere lies in the frame; and only then does a node take
        its next best input (a generator, which lies anywhere, never gets a place here).
        """
        while self.sweep(patient=True) or self.settle() or self.sweep(patient=False):
            pass

    def settle(self) -> bool:
        """Place one output that has its own size, whatever it was made from; whether there was one."""
        for node in self.order:
            declaration = node.declaration
            for out in declaration.outputs if declaration and declaration.kind == "process" and not declaration.inners else ():
                own = out.size == "free" and out.type.family == "raster" and out.space and out.space.kind == "same"
                if own and (node.path, out.name) not in self.outputs:
                    self.outputs[node.path, out.name] = self.own((node.path, out.name), FRAME)
                    return True
        return False

    def sweep(self, patient: bool) -> bool:
        """Visit all nodes (or, without patience, until something is found out); whether anything was."""
        before = known = len(self.outputs) + len(self.domains)
        for node in self.order:
            self.visit(node, patient)
            known = len(self.outputs) + len(self.domains)
            if not patient and known > before:
                break
        return known > before

    def visit(self, node: FlatNode, patient: bool) -> None:
        declaration = node.declaration
        if declaration is None:
            return
        candidates = domain_inputs(node, self.flat.into(node.path))
        asked = candidates[:1] if patient else candidates
        domain = next((p for port in asked if (p := self.input(node.path, port.name))), None)
        if domain is None and declaration.kind == "process" and not candidates:
            domain = FRAME
        if domain is not None:
            self.domains.setdefault(node.path, domain)
        for out in (*declaration.outputs, *declaration.inners):
            key = (node.path, out.name)
            if key in self.outputs or out.space is None:
                continue
            if place := self.place(node, out, self.domains.get(node.path)):
                self.outputs[key] = place

    def place(self, node: FlatNode, out: Port, domain: Place | None) -> Place | None:
        """An output's place by its rule; None while (or because) it has no say of its own."""
        own = f"{node.path}.{out.like or out.name}"
        rule = out.space
        assert rule is not None and node.declaration is not None
        if rule.kind in ("new", "asset"):
            return Place(f"{rule.kind}:{own}", f"{rule.kind}:{own}")
        inners = (
            node.declaration.inners
        )  # where there are any, `process` writes them and `pixel` gives the outputs
        pixel = node.declaration.kind == "pixel" or (bool(inners) and out not in inners)
        if rule.kind == "frame":
            if domain is None and pixel:
                return None
            size = domain.size if domain and domain.space == "frame" and pixel else "frame"
            return Place("frame", f"free:{own}" if out.size == "free" else size)
        base = self.input(node.path, rule.port) or domain
        if base is None:
            return None
        size = domain.size if pixel and domain is not None else base.size
        return Place(
            base.space, f"free:{own}" if out.size == "free" and out.type.family == "raster" else size
        )

    def backward(self) -> set[Key]:
        """Outputs that had no say take their consumers' place, from consumers to sources."""
        floating = {
            (node.path, out.name)
            for node in self.flat.nodes.values()
            for out in (node.declaration.outputs if node.declaration else ())
            if out.space is not None and (node.path, out.name) not in self.outputs
        }
        for _ in self.rounds:
            done = True
            for key in sorted(floating - set(self.outputs)):
                wanted = {self.domains.get(w.target) for w in self.flat.out_of(*key)}
                if wanted and None not in wanted:
                    place = next(iter(wanted)) if len(wanted) == 1 else FRAME
                    assert place is not None
                    self.outputs[key] = self.own(key, place)
                    self.domains.setdefault(key[0], place)
                    done = False
            if done:
                break
        for key in floating - set(self.outputs):
            self.outputs[key] = self.own(key, FRAME)
        for node in self.order:
            rasters = domain_inputs(node, self.flat.into(node.path))
            if rasters or any((node.path, out) in floating for out in _names(node)):
                self.domains.setdefault(node.path, FRAME)
        return floating

    def own(self, key: Key, place: Place) -> Place:
        """`place`, or one of its own size for an output whose node chooses it."""
        declaration = self.flat.nodes[key[0]].declaration
        out = declaration.output(key[1]) if declaration else None
        free = out is not None and out.size == "free" and out.type.family == "raster"
        return Place(place.space, f"free:{key[0]}.{out.like or key[1]}") if out and free else place

    def compare(self) -> tuple[set[Key], list[Problem]]:
        resampled: set[Key] = set()
        problems: list[Problem] = []
        for node in self.flat.nodes.values():
            domain = self.domains.get(node.path)
            for port in node.declaration.inputs if node.declaration else ():
                place = self.input(node.path, port.name)
                if domain is None or place is None or port.anywhere or not port.type.spatial:
                    continue
                if place.space != domain.space:
                    problems.append(_mixed(node, port, place, domain))
                elif place.size != domain.size and port.type.family == "raster":
                    resampled.add((node.path, port.name))
        return resampled, problems


def _names(node: FlatNode) -> list[str]:
    return [p.name for p in node.declaration.outputs] if node.declaration else []


def _mixed(node: FlatNode, port: Port, place: Place, domain: Place) -> Problem:
    return Problem(
        node.path,
        port.name,
        f"it lies in {_words(place.space)}, and the node is computed in {_words(domain.space)}",
        "put a geometry.place before it: fit, fill, stretch or anchor",
    )


def _words(space: str) -> str:
    kind, _, maker = space.partition(":")
    words = {"frame": "the frame", "asset": f"the picture of {maker}", "new": f"the space that {maker} makes"}
    return words.get(kind, space)
