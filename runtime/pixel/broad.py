"""Wide Gaussians at the cost of narrow ones: only every n-th row is blurred, and the rows between are curves through it.

n is three times a whole number m, at most 0.76 of sigma, chosen by the host call by call (it stands at the
end of the Gaussian's table, see `engine.tables`). y counts blocks of n rows, i the rows of one:

    for each strip of blocks              parallel
      for each column of 1280 pixels
        for each sixteen blocks
          thin: rows still missing        m apart, each a mean of E's rows around it, weighted by a hat
          down: sums of thin along y      for every n-th row; four rows and four taps share what they read
          edged: the same                 in planes, with repeated edges
          soft: sums of edged along x
          for each row
            for each vector
              core = all channels         the blur here is a cubic B-spline of four rows of soft
              write channels              interleaved

A Gaussian, after a hat and before a B-spline, blurs as one whose variance is the sum of the three; the weights along y
are those of the difference. What comes out is within 0.75/255 of the Gaussian for every picture from 0 to 1, and within
0.3/255 at an edge. A blur costs about eight taps a pixel each way, however wide it is.

down is kept as a vector of each channel beside the next; the others in a plane a channel, each allocation below 900 kB.
"""

# Halide's module has no type stubs.
# pyright: reportAttributeAccessIssue=false
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import halide as hl

from .affine import plain
from .lang import Expr
from .lower import BLOCK, FLOAT, GROUP, INT, Blur, Lowering, Place, as_expr, index, part, together
from .region import APART, HATS, TAIL, Region

__all__ = ["Broad"]

COLUMNS = 1280  # rows of a column stay in the second cache, and what a blur reaches beyond is small beside it
Weight = Callable[[Any], hl.Expr]


class _Sum:
    """Sums of channels in registers, and the rows they are kept in: planes, or a vector of each channel beside the next."""

    def __init__(self, name: str, count: int, at: tuple[hl.Var, ...]):
        self.total, self.kept, self.count, self.at = hl.Func(f"{name}_sum"), hl.Func(name), count, at

    def start(self, values: Sequence[hl.Expr]) -> None:
        self.total[self.at] = together(values)

    def add(self, values: Sequence[hl.Expr]) -> None:
        """Values to be added, over the reductions they name."""
        self.total[self.at] = together([p + v for p, v in zip(self.parts(*self.at), values, strict=True)])

    def parts(self, *place: Any) -> list[hl.Expr]:
        return [part(self.total, *place, c, self.count) for c in range(self.count)]

    def taps(self, group: int, radius: hl.Expr, weight: Weight, source: Callable) -> None:
        """Σ weight(|k|) · source(k) for k from −radius to radius, some taps at a time."""
        self.over = hl.RDom([(0, group), (0, (radius + group - 1) / group)], "taps")
        k = self.over.x + group * self.over.y + 1
        share = hl.select(k <= radius, weight(hl.min(k, radius)), hl.f32(0.0))
        self.start([weight(0) * v for v in source(0)])
        self.add([share * (a + b) for a, b in zip(source(-k), source(k), strict=True)])
        self.total.update(0).unroll(self.over.x)


class Broad(Lowering):
    """The loops above. Writes are (x, i, y, channel): a raster with its rows in blocks."""

    def __init__(self, region: Region, vector: int, lanes: int):
        super().__init__(region, vector)
        self.lanes, self.i = (
            lanes,
            hl.Var("i"),
        )  # lanes of a sum along y: channels times four rows fill the registers
        self.step, self.lines, self.reach = (hl.Param(INT, name) for name in ("step", "lines", "reach"))
        self.numbers += [self.step, self.lines, self.reach]
        self.at = (self.x, self.i, self.y)
        self.here = Place(as_expr(self.x), self.y * self.step + self.i)

    def _fit(self, buffer: Any, channels: int) -> None:
        buffer.dim(0).set_stride(channels).set_bounds(0, self.width)
        buffer.dim(1).set_min(0)
        buffer.dim(3).set_stride(1).set_bounds(0, channels)

    def _find_blurs(self) -> list[Blur]:
        return [Blur("y", [n for n in self.region.nodes if n.op == "gauss" and n.attr[0] == "y"], True)]

    def _define(self, blur: Blur) -> None:
        nodes, count, x, y = blur.nodes, len(blur.nodes), as_expr(self.x), as_expr(self.y)
        weights = self.tables[nodes[0].attr[1]]
        tail = weights.dim(0).extent() - TAIL
        radius = index(self._values([nodes[0].args[1]], Place(hl.i32(0), hl.i32(0)))[0].expr(), tail - 1)
        lane, channel, beside = self.beside = (hl.Var("lane"), hl.Var("channel"), hl.Var("beside"))
        self.thin, self.soft = (_Sum(name, count, (self.x, self.y)) for name in ("thin", "soft"))
        self.down = _Sum("down", 1, (*self.beside, self.y))
        self._average([n.args[0].args[0] for n in nodes])
        self.thin.kept[self.thin.at] = together(self.thin.parts(*self.thin.at))

        def rows(k: Any) -> list[hl.Expr]:
            place = (beside * self.lanes + lane, APART * y + k)
            return [hl.mux(channel, [part(self.thin.kept, *place, c, count) for c in range(count)])]

        self.down.taps(
            GROUP, hl.min(self.reach, HATS), lambda k: weights[tail + 2 + k],
            rows if count > 1 else lambda k: [self.thin.kept[beside * self.lanes + lane, APART * y + k]],
        )  # fmt: skip
        self.down.kept[self.down.at] = self.down.total[self.down.at]
        held = hl.clamp(hl.likely(x), 0, self.width - 1)
        self.edged = hl.Func("edged")
        self.edged[self.x, self.y] = together(
            [self.down.kept[held % self.lanes, c, held / self.lanes, y] for c in range(count)]
        )
        self.soft.taps(
            GROUP, radius, lambda k: weights[k],
            lambda k: [part(self.edged, x + k, y, c, count) for c in range(count)],
        )  # fmt: skip
        self.soft.kept[self.soft.at] = together(self.soft.parts(*self.soft.at))
        for func in (self.down.kept, self.down.total):
            func.bound(lane, 0, self.lanes).bound(channel, 0, count)
        curve = _spline(hl.cast(FLOAT, self.i) / hl.cast(FLOAT, self.step))
        knots = [[part(self.soft.kept, x, y + q, c, count) for c in range(count)] for q in (-1, 0, 1, 2)]
        for c, node in enumerate(nodes):
            first, *others = [w * row[c] for w, row in zip(curve, knots, strict=True)]
            self.here.known[node] = plain(sum(others, first))

    def _average(self, sources: Sequence[Expr]) -> None:
        """Rows half a step apart: what is around them, weighted by a hat. Beyond the edge all are the last one."""
        x, half = as_expr(self.x), self.step / APART
        j = hl.RDom([(0, 2 * half - 1)], "hat")
        away, middle = j.x - (half - 1), self.y * half
        outside = (middle <= 1 - half) | (middle >= self.lines + half - 2)
        j.where(~outside | (away == 0))
        share = hl.cast(FLOAT, half - hl.abs(away)) / hl.cast(FLOAT, half * half)
        place = Place(hl.clamp(hl.likely(x), 0, self.width - 1), hl.clamp(middle + away, 0, self.lines - 1))
        values = [v.expr() * hl.select(outside, hl.f32(1.0), share) for v in self._values(sources, place)]
        self.thin.start([hl.f32(0.0)] * len(values))
        self.thin.add(values)

    def _schedule(self, core: hl.Func, writes: list[hl.Func]) -> None:
        xt, xo, xi, yo, yb, yi = (hl.Var(name) for name in ("xt", "xo", "xi", "yo", "yb", "yi"))
        x, y, i, c, n = self.x, self.y, self.i, self.c, self.vector
        lead = writes[0]
        columns = [xt] if len(writes) == 1 else []  # loops that run together can't be cut into columns
        for write in writes:
            write.reorder(c, x, i, y).unroll(c)
            write.split(y, yo, yi, self.rows, hl.TailStrategy.GuardWithIf)
            write.split(yi, yb, yi, BLOCK, hl.TailStrategy.GuardWithIf)
            write.split(x, xo, xi, n, hl.TailStrategy.ShiftInwards)
            if columns:
                write.split(xo, xt, xo, COLUMNS // n, hl.TailStrategy.GuardWithIf)
            write.reorder(xi, c, xo, i, yi, yb, *columns, yo).vectorize(xi).parallel(yo)
            write.never_partition([*columns, yo, yb, yi, i])  # or all of it is compiled several times
        for write in writes[1:]:
            write.compute_with(lead, xo)
        core.compute_at(lead, xo).vectorize(x)
        for kept, rows in (
            (self.thin.kept, 128),
            (self.soft.kept, 32),
        ):  # enough for a block and what it reaches
            kept.store_at(lead, *(columns or [yo])).compute_at(lead, yb).fold_storage(y, rows)
        self.down.kept.compute_at(lead, yb)
        self.edged.compute_at(lead, yb).align_bounds(x, self.lanes).vectorize(x, self.lanes)
        self._schedule_sums()

    def _schedule_sums(self) -> None:
        x, y, n = self.x, self.y, 2 * self.lanes
        lane, channel, beside = self.beside
        go, gi = hl.Var("go"), hl.Var("gi")
        thin, soft, down = self.thin, self.soft, self.down
        for planes in (thin, soft):
            so, si = hl.Var("so"), hl.Var("si")
            planes.kept.split(x, so, si, n).vectorize(si)
            planes.total.compute_at(planes.kept, so).vectorize(x).update(0).vectorize(x)
        down.kept.split(y, go, gi, GROUP).reorder(lane, channel, gi, go, beside)
        down.kept.vectorize(lane).unroll(channel).unroll(gi)
        down.total.compute_at(down.kept, go).vectorize(lane).unroll(channel).unroll(y)
        update, over = down.total.update(0), down.over
        update.reorder(lane, channel, y, over.x, over.y).vectorize(lane).unroll(channel).unroll(y)


def _spline(t: hl.Expr) -> list[hl.Expr]:
    """A uniform cubic B-spline's weights of four places, t from the second to the third."""

    def outer(u: hl.Expr) -> hl.Expr:
        return u * u * u * hl.f32(1.0 / 6.0)

    def middle(u: hl.Expr) -> hl.Expr:
        return u * u * (u * hl.f32(0.5) - hl.f32(1.0)) + hl.f32(2.0 / 3.0)

    s = hl.f32(1.0) - t
    return [outer(s), middle(t), middle(s), outer(t)]
