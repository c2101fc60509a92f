"""uint8 pictures in words: four pixels at a time, at a width that is a multiple of four.

Four neighbours are read as whole 32-bit words (three of them for r g b), so that a channel is a shift and a mask
instead of a walk through bytes.
"""

# Halide's module has no type stubs.
# pyright: reportAttributeAccessIssue=false
from __future__ import annotations

import halide as hl

from .affine import Form, plain, scaled
from .lang import Expr
from .lower import FLOAT, INT, Lowered, Lowering, Place, as_expr, interleave, steps, varies
from .region import Read, Region, Write

__all__ = ["Words"]


class Words(Lowering):
    """x counts groups of four pixels; a uint8 raster of n channels has n words a group.

    Powers with the same exponent are worked out side by side: each is a chain of some twenty steps that wait for one
    another, and a processor looks ahead only so far.
    """

    def __init__(self, region: Region, vector: int):
        super().__init__(region, vector)
        self.places = [Place(as_expr(self.x), as_expr(self.y), quarter) for quarter in range(4)]

    def build(self) -> Lowered:
        depth: dict[Expr, int] = {}
        groups: dict[tuple[int, Expr], list[Expr]] = {}
        for node in self.region.nodes:
            depth[node] = max((depth[a] for a in node.args), default=0) + (node.op == "pow")
            if node.op == "pow" and not varies(node.args[1]):
                groups.setdefault((depth[node], node.args[1]), []).append(node)
        for _, nodes in sorted(groups.items(), key=lambda group: group[0][0]):
            self._raise(nodes)
        return super().build()

    def _raise(self, nodes: list[Expr]) -> None:
        """Powers that wait for one another in no way, as one function of their number."""
        i, exponent = hl.Var("i"), nodes[0].args[1]
        places = [(place, node) for place in self.places for node in nodes]
        values = [(node, self._values([node.args[0]], place)[0], place) for place, node in places]
        base, raised = hl.Func("base"), hl.Func("raised")
        base[self.x, i, self.y] = hl.mux(i, [self._above_zero(n.args[0], v, p).expr() for n, v, p in values])
        power = self._values([exponent], self.places[0])[0].expr()
        raised[self.x, i, self.y] = self._power(base[self.x, i, self.y], power, nodes[0])
        for func in (base, raised):
            func.bound(i, 0, len(places))
        for k, (place, node) in enumerate(places):
            place.known[node] = plain(raised[self.x, k, self.y])
        self.powers.append((base, raised, i))

    def _raster(self, read: Read, name: str) -> hl.ImageParam:
        words, kind = (read.channels, INT) if read.format == "u8" else (4, FLOAT)
        param = hl.ImageParam(kind, 3, name)
        interleave(param, words)
        return param

    def _stored(self, write: Write) -> list[hl.Expr]:
        values = [v for place in self.places for v in self._values(write.parts, place)]
        if write.format != "u8":
            return [v.expr() for v in values]
        of = [steps(v) for v in values]
        return [
            of[i] | (of[i + 1] << 8) | (of[i + 2] << 16) | (of[i + 3] << 24) for i in range(0, len(of), 4)
        ]

    def _column(self, place: Place) -> Form:
        return scaled(4.0, hl.cast(FLOAT, place.x), place.quarter + 0.5)

    def _here(self, read: int, channel: int, place: Place) -> hl.Expr:
        spec, param = self.region.reads[read], self.reads[read]
        at = place.quarter * spec.channels + channel
        if spec.format != "u8":
            return param[place.x, place.y, at]
        word, shift = hl.reinterpret(hl.UInt(32), param[place.x, place.y, at // 4]), 8 * (at % 4)
        shifted = word >> shift if shift else word
        return hl.cast(FLOAT, hl.reinterpret(INT, shifted if shift == 24 else shifted & 255))
