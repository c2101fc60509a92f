"""What a node's `pixel` method is given: rasters, values, tables and the place."""

from __future__ import annotations

from ...graph.errors import CompileError
from .lang import Expr, Vec, clamp, dot, floor, make, maximum, minimum, select, vec, where_all

__all__ = ["At", "CurveTable", "LutTable", "Raster", "blurred", "uniform"]

BORDERS = ("clamp", "zero", "mirror")


class Raster(Vec):
    """A raster input: as a Vec, its value here (Image r, g, b, a; Surface by `coverage`, `uv`, …).

    `uses` records how it was read ("here", "near", "sample", "gauss"), which decides what may be fused.
    """

    __slots__ = ("components", "port", "uses")

    def __init__(self, port: str, components: int):
        super().__init__(*(Expr("load", (), (port, c)) for c in range(components)))
        self.port, self.components = port, components
        self.uses: set[str] = set()

    @property
    def here(self) -> Vec:
        """The value at this place."""
        return Vec(*self.parts)

    def near(self, i: int, j: int, border: str = "clamp") -> Vec:
        """The neighbour i pixels right and j down (of the domain). For stencils that are about pixels, like an edge."""
        self._note("near", border)
        return Vec(
            *(Expr("near", (), (self.port, c, int(i), int(j), border)) for c in range(self.components))
        )

    def sample(self, x: Vec | float, y: Vec | float, border: str = "clamp") -> Vec:
        """The value at (x, y), in frame heights from the frame's top left, bilinear."""
        self._note("sample", border)
        px, py = vec(x).parts[0], vec(y).parts[0]
        return Vec(*(Expr("sample", (px, py), (self.port, c, border)) for c in range(self.components)))

    def gaussian(self, sigma: Vec | float) -> Vec:
        """Gaussian blur; sigma in frame heights (a parameter or an expression of parameters, not of pixels)."""
        self._note("gauss", "clamp")
        return blurred(self.here, sigma)

    def _note(self, use: str, border: str) -> None:
        if border not in BORDERS:
            raise CompileError(f"border {border!r}: use one of {', '.join(BORDERS)}")
        self.uses.add(use)

    # a Surface's parts by name
    @property
    def coverage(self) -> Vec:
        return self[0]

    @property
    def uv(self) -> Vec:
        return self[1:3]

    @property
    def normal(self) -> Vec:
        return self[3:6]

    @property
    def depth(self) -> Vec:
        return self[6]

    @property
    def index(self) -> Vec:
        return self[7]


def blurred(value: Vec, sigma: Vec | float) -> Vec:
    """Gaussian blur of an expression of this place (say, the bright part); sigma as in `Raster.gaussian`."""
    (width,) = vec(sigma).parts
    return Vec(*(_gauss(part, width) for part in value.parts))


def _gauss(part: Expr, sigma: Expr) -> Expr:
    return make("gauss", make("gauss", part, sigma, attr="x"), sigma, attr="y")


def uniform(name: str, components: int) -> Vec:
    """A parameter's value, the same at every pixel."""
    return Vec(*(Expr("uniform", (), (name, c)) for c in range(components)))


class CurveTable:
    """A Curve parameter: `curve(v)` is its value at v, by linear steps of a fine table."""

    def __init__(self, name: str, size: int):
        self.name, self.size = name, size

    def __call__(self, value: Vec) -> Vec:
        return vec(*(self._read(part) for part in value))

    def _read(self, value: Vec) -> Vec:
        position = clamp(value) * (self.size - 1.0)
        low = floor(position)
        (a,), (b,) = (self._fetch(low).parts, self._fetch(low + 1.0).parts)
        return Vec(a) + (Vec(b) - Vec(a)) * (position - low)

    def _fetch(self, index: Vec) -> Vec:
        return Vec(make("fetch", index.parts[0], attr=("curve", self.name)))


class LutTable:
    """A Look parameter (`.cube`): `lut(rgb)` is its colour at r, g, b, by tetrahedral interpolation.

    One flat table holds all of it, packed two numbers of 12 bits to one of 24, since what this costs is fetches: see
    `spellwire.runtime.looks`. `size` is a uniform, so another file does not compile.
    """

    PACK = 4096.0

    def __init__(self, name: str):
        self.name = name

    @property
    def size(self) -> Vec:
        return Vec(Expr("uniform", (), (self.name, "size")))

    def __call__(self, rgb: Vec) -> Vec:
        inside = clamp((rgb - self._header(0, 3)) * self._header(3, 3))
        return self._cube(self._shape(inside))

    def __getitem__(self, index: Vec) -> Vec:
        """What is stored at a whole index (red + size·(green + size·blue)): red and green in 0…4095, blue as it is."""
        start = index * 2.0 + self._header(7, 1)
        return vec(*self._unpack(self._fetch(start)), self._fetch(start + 1.0))

    def _shape(self, inside: Vec) -> Vec:
        """The curve before the cube: a fetch gives a row and the one after."""
        position = inside * (self._header(6, 1) - 1.0)
        low = floor(position)
        rows = [self._unpack(self._fetch(part)) for part in low * 3.0 + vec(12.0, 13.0, 14.0)]
        a, b = vec(*(r[0] for r in rows)), vec(*(r[1] for r in rows))
        return (a + (b - a) * (position - low)) * (1.0 / (self.PACK - 1.0))

    def _cube(self, inside: Vec) -> Vec:
        """The four corners of the tetrahedron around the place, each weighed by its share (Kasson et al., 1995)."""
        position = inside * (self.size - 1.0)
        low = minimum(floor(position), self.size - 2.0)
        r, g, b = position - low
        strides = (Vec(1.0), self.size, self.size * self.size)
        base = dot(low, vec(*strides))
        most, least = maximum(maximum(r, g), b), minimum(minimum(r, g), b)
        first = select(where_all(g <= r, b <= r), strides[0], select(b <= g, *strides[1:]))
        last = select(where_all(b <= r, b <= g), strides[2], select(g <= r, strides[1], strides[0]))
        corner = strides[0] + strides[1] + strides[2]
        middle = r + g + b - most - least
        stored = (
            self[base] * (1.0 - most) + self[base + first] * (most - middle)
            + self[base + corner - last] * (middle - least) + self[base + corner] * least
        )  # fmt: skip
        return stored * vec(self._header(10, 2), 1.0) + vec(self._header(8, 2), 0.0)

    def _unpack(self, pair: Vec) -> tuple[Vec, Vec]:
        high = floor(pair * (1.0 / self.PACK))
        return high, pair - high * self.PACK

    def _header(self, start: int, count: int) -> Vec:
        return vec(*(self._fetch(vec(float(start + i))) for i in range(count)))

    def _fetch(self, index: Vec) -> Vec:
        return Vec(make("fetch", index.parts[0], attr=("lut", self.name)))


class At:
    """The place: where this pixel's centre lies, and when.

    x, y: frame heights from the frame's top left; u, v: 0 to 1 across the frame; aspect: width / height;
    pixel: the size of one pixel of the domain, in frame heights; time: seconds; frame: the frame's number, 0 … 65535.
    px, py: the pixel's centre in pixels of the domain (for noise and dither).
    """

    def __init__(self) -> None:
        def named(key: str) -> Vec:
            return Vec(Expr("uniform", (), ("at", key)))

        self.px, self.py = Vec(Expr("x")), Vec(Expr("y"))
        self.x = named("xx") * self.px + named("xy") * self.py + named("x0")
        self.y = named("yx") * self.px + named("yy") * self.py + named("y0")
        self.aspect, self.pixel = named("aspect"), named("pixel")
        self.u, self.v = self.x / self.aspect, self.y
        self.time, self.frame = named("time"), named("frame")
