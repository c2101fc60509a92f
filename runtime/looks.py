"""Colour tables: reads `.cube` files (1-D, 3-D, or a 1-D shaper before a 3-D cube) into one flat table.

    [0:3] low of the domain   [3:6] 1 / (high − low)   [6] rows of the shaper   [7] where the cube begins
    [8:10] red's, green's least   [10:12] their spread / 4095
    [12:] the shaper: for each row r, g, b, each packed with the row after
    then for each of size³ corners, red fastest: red and green packed, blue

Packed: two numbers of 12 bits in one, high · 4096 + low, which float32 holds exactly; it costs at most 1/8190 of a
channel's range and halves the fetches. The shaper's numbers are the cube's domain brought to 0…1. A file without a shaper gets a
straight one of two rows, a 1-D file a cube of two that only scales: so one kernel reads any file
(`spellwire.runtime.pixel.LutTable`). Format: Adobe's Cube LUT Specification 1.0, and Resolve's LUT_1D_INPUT_RANGE and
LUT_3D_INPUT_RANGE.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from ..graph.errors import SourceError

__all__ = ["LookTable", "neutral_look", "parse_cube", "read_look"]

HEADER = 12
PACK = 4096
MAX_3D, MAX_1D = 129, 65_536
MAX_BYTES = 100_000_000
ROOM = 65_536  # |value| up to float16's range; a file beyond it is damaged


@dataclass(frozen=True, eq=False)
class LookTable:
    """A look.

    Attributes:
        low, high: (3,) the domain.
        shaper: (rows, 3), the cube's domain as 0…1, at even steps over the domain.
        cube: (blue, green, red, 3) the results.
        title: of the file, or "".
    """

    low: np.ndarray
    high: np.ndarray
    shaper: np.ndarray
    cube: np.ndarray
    title: str = ""

    @property
    def size(self) -> int:
        """Edge of the cube."""
        return self.cube.shape[0]

    @cached_property
    def table(self) -> np.ndarray:
        """(n,) float32 as kernels read it; see the module."""
        held = np.round(np.clip(self.shaper, 0.0, 1.0) * (PACK - 1))
        curve = held * PACK + np.concatenate([held[1:], held[-1:]])
        flat = self.cube.reshape(-1, 3)
        least, spread = flat[:, :2].min(axis=0), np.ptp(flat[:, :2], axis=0)
        red, green = np.round((flat[:, :2] - least) / np.where(spread > 0, spread, 1.0) * (PACK - 1)).T
        corners = np.stack([red * PACK + green, flat[:, 2]], axis=1)
        place = HEADER + curve.size
        head = [*self.low, *(1.0 / (self.high - self.low)), len(held), place, *least, *(spread / (PACK - 1))]
        return np.concatenate([head, curve.ravel(), corners.ravel()]).astype(np.float32)


def neutral_look() -> LookTable:
    """The look that changes nothing between 0 and 1."""
    return _pack((np.zeros(3), np.ones(3)), None, _identity(), "")


def read_look(path: str | Path) -> LookTable:
    """The look in a `.cube` file.

    Raises:
        SourceError: it is missing, too large, or not what the format says; the message has the line.
    """
    path = Path(path)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise SourceError(f"{path}: larger than {MAX_BYTES // 1_000_000} MB; no colour table needs that")
        data = path.read_bytes()
    except OSError as error:
        raise SourceError(f"{path}: can't read the colour table: {error.strerror}") from None
    if path.suffix.lower() not in (".cube", ""):
        raise SourceError(f"{path}: a look is a .cube file; convert the {path.suffix} to one in a grading program")
    try:
        return parse_cube(data)
    except SourceError as error:
        raise SourceError(f"{path}, {error}") from None


def parse_cube(data: bytes) -> LookTable:
    """The look in a `.cube` file's bytes.

    Raises:
        SourceError: "line N: …".
    """
    text = data.decode("utf-8-sig", errors="replace")
    header, rows, first = _Header(), [], []
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        if line[0].isalpha() and not line.lower().startswith(("nan", "inf")):
            if rows:
                raise SourceError(f"line {number}: {line.split()[0]!r} after the table has begun")
            header.take(line, number)
        else:
            rows.append(line)
            first.append(number)
    return header.look(_numbers(rows, first))


class _Header:
    """The keywords of a file, as they come."""

    def __init__(self) -> None:
        self.title = ""
        self.sizes: dict[str, int] = {}
        self.low, self.high = np.zeros(3), np.ones(3)
        self.ranges: dict[str, np.ndarray] = {}

    def take(self, line: str, number: int) -> None:
        word, _, rest = line.partition(" ") if "\t" not in line else line.replace("\t", " ").partition(" ")
        match word.upper():
            case "TITLE":
                self.title = rest.strip().strip('"')
            case "LUT_1D_SIZE" | "LUT_3D_SIZE" as key:
                self.sizes[key] = self._size(key, rest, number)
            case "DOMAIN_MIN":
                self.low = _values(rest, 3, number)
            case "DOMAIN_MAX":
                self.high = _values(rest, 3, number)
            case "LUT_1D_INPUT_RANGE" | "LUT_3D_INPUT_RANGE" as key:
                self.ranges[key[:6]] = _values(rest, 2, number)
            case _:
                raise SourceError(f"line {number}: {word!r} is no keyword of the .cube format that Spellwire reads")

    def _size(self, key: str, rest: str, number: int) -> int:
        limit = MAX_1D if key == "LUT_1D_SIZE" else MAX_3D
        try:
            size = int(rest)
        except ValueError:
            size = 0
        if not 2 <= size <= limit:
            raise SourceError(f"line {number}: {key} is a whole number from 2 to {limit}, not {rest.strip()!r}")
        return size

    def look(self, values: np.ndarray) -> LookTable:
        rows, edge = self.sizes.get("LUT_1D_SIZE", 0), self.sizes.get("LUT_3D_SIZE", 0)
        if not rows and not edge:
            raise SourceError("line 1: neither LUT_1D_SIZE nor LUT_3D_SIZE; is this a .cube file?")
        if len(values) != rows + edge**3:
            raise SourceError(f"line 1: {rows + edge**3} rows are announced, {len(values)} are there")
        domain = self._domain("LUT_1D" if rows else "LUT_3D")
        curve, cube = values[:rows] if rows else None, values[rows:]
        if not edge:
            return _pack_curve(domain, values, self.title)
        if curve is not None:
            low, high = self._domain("LUT_3D") if "LUT_3D" in self.ranges else (np.zeros(3), np.ones(3))
            curve = (curve - low) / (high - low)
        return _pack(domain, curve, cube.reshape(edge, edge, edge, 3), self.title)

    def _domain(self, which: str) -> tuple[np.ndarray, np.ndarray]:
        low, high = self.low, self.high
        if which in self.ranges:
            low, high = (np.full(3, v) for v in self.ranges[which])
        if not np.all(high > low):
            raise SourceError(f"line 1: the domain ends at {high.tolist()}, not above its start {low.tolist()}")
        return low, high


def _values(text: str, count: int, number: int) -> np.ndarray:
    try:
        found = np.array([float(word) for word in text.split()])
    except ValueError:
        raise SourceError(f"line {number}: {text.strip()!r} is not {count} numbers") from None
    if len(found) != count:
        raise SourceError(f"line {number}: {count} numbers are wanted, {len(found)} are there")
    if not np.all(np.abs(found) <= ROOM):  # also False for NaN
        raise SourceError(f"line {number}: {text.strip()!r} holds a value that is not finite or beyond ±{ROOM}")
    return found


def _numbers(rows: list[str], lines: list[int]) -> np.ndarray:
    """(n, 3). All at once; row by row only to find the line of a fault."""
    words = " ".join(rows).split()
    if len(words) == 3 * len(rows):
        try:
            found = np.array(words, np.float64)
            if np.all(np.abs(found) <= ROOM):
                return found.reshape(-1, 3)
        except ValueError:
            pass
    return np.array([_values(row, 3, number) for row, number in zip(rows, lines, strict=True)]).reshape(-1, 3)


def _identity() -> np.ndarray:
    steps = np.array([0.0, 1.0])
    return np.stack(np.meshgrid(steps, steps, steps, indexing="ij")[::-1], axis=-1)


def _pack_curve(domain: tuple[np.ndarray, np.ndarray], curve: np.ndarray, title: str) -> LookTable:
    low, high = curve.min(axis=0), curve.max(axis=0)
    spread = np.where(high > low, high - low, 1.0)
    return _pack(domain, (curve - low) / spread, low + _identity() * (high - low), title)


def _pack(
    domain: tuple[np.ndarray, np.ndarray], curve: np.ndarray | None, cube: np.ndarray, title: str
) -> LookTable:
    shaper = np.array([[0.0] * 3, [1.0] * 3]) if curve is None else curve
    return LookTable(*domain, shaper, cube, title)
