"""Particles: born from points, masks or events, moved by forces, drawn as spots or pictures on a layer of their own."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..graph.declare import In, Out, Param, ProcessNode, frame_space, param, port, result, slot
from ..graph.types import Asset, Choice, Colour, Curve, Image, Integer, Mask, Number, Points, Trigger, Vector2
from ..runtime.curves import table as curve_table
from ..runtime.frames import Frame
from ..runtime.layers import Layer
from ..runtime.native.layer import SPRITE
from ..runtime.particles import MOST, Birth, Pool, Sources, from_mask, from_points
from ..runtime.shapes import SHAPES, shape_texture
from ..runtime.textures import ClipFile, Texture
from ..runtime.values import pairs

__all__ = ["Emit"]

CAPACITY = 1 << 18  # pixels of the layer
STEP = 1 / 30  # seconds of the longest step that forces are applied in
LONGEST = 0.25  # of a gap that is played through; longer ones are cut
DEGREES = math.pi / 180
SHEETS = 64  # steps of a curve's table


class Emit(ProcessNode, type="particles.emit", natives=("move_particles", "draw_sprites"), fallback="empty"):
    """Particles that stream or burst from points, a mask or a place: sparks, snow, petals, hearts.

    They keep the place in the frame where they were born and move from there; `follow` gives them part of their source's motion. The
    output is a layer: lay it over a picture with `composite.over`. With `glow` at 1 it adds light, at 0 it covers. The same
    clip and seed give the same particles; a seek starts them anew. Wired points win over a mask, and that over `position`.
    """

    points: In[Points] = port(optional=True, many=True, doc="where they are born: landmarks of a hand, say; of several, all")
    mask: In[Mask] = port(optional=True, doc="or where it covers")
    burst: In[Trigger] = port(optional=True, doc="each event sets off a burst")
    rate: Param[Number] = param(60.0, low=0, high=2000, step=1, unit="a second", doc="how many are born all the time")
    burst_count: Param[Integer] = param(60, low=0, high=MOST, doc="how many an event sets off")
    position: Param[Vector2] = param(
        (0.0, 0.0), low=-2, high=2, step=0.005, unit="frame heights", doc="from the frame's centre, x right, y down"
    )
    area: Param[Vector2] = param(
        (0.0, 0.0), low=0, high=4, step=0.005, unit="frame heights", doc="width and height of the box around each place"
    )
    life: Param[Number] = param(1.2, low=0.05, high=20, step=0.05, unit="s", doc="how long one lives")
    speed: Param[Number] = param(0.25, low=0, high=4, step=0.01, unit="frame heights a second", doc="at birth")
    direction: Param[Number] = param(-90.0, low=-360, high=360, step=1, unit="°", doc="0 right, 90 down, −90 up")
    spread: Param[Number] = param(360.0, low=0, high=360, step=1, unit="°", doc="of directions around that")
    follow: Param[Number] = param(0.3, low=0, high=1, step=0.01, doc="share of its source's motion it is born with")
    gravity: Param[Vector2] = param(
        (0.0, 0.15), low=-4, high=4, step=0.01, unit="frame heights a second, a second", doc="to the right, down"
    )
    wind: Param[Vector2] = param(
        (0.0, 0.0), low=-4, high=4, step=0.01, unit="frame heights a second", doc="towards which `drag` pulls"
    )
    drag: Param[Number] = param(0.8, low=0, high=20, step=0.05, unit="a second", doc="how soon they move as the air does")
    turbulence: Param[Number] = param(
        0.3, low=0, high=4, step=0.01, unit="frame heights a second, a second", doc="push of swirls in the air"
    )
    swirl: Param[Number] = param(0.15, low=0.01, high=2, step=0.01, unit="frame heights", doc="size of those swirls")
    size: Param[Number] = param(0.014, low=0.001, high=0.5, step=0.001, unit="frame heights", doc="radius")
    grow: Param[Curve] = param(((0.0, 0.4), (0.15, 1.0), (1.0, 0.3)), widget="curve", doc="size over life, as a share of it")
    colour: Param[Colour] = param((1.0, 0.93, 0.7, 1.0), widget="colour", doc="at birth")
    end_colour: Param[Colour] = param((1.0, 0.55, 0.3, 1.0), widget="colour", doc="at the end")
    opacity: Param[Curve] = param(((0.0, 0.0), (0.08, 1.0), (0.6, 0.9), (1.0, 0.0)), widget="curve", doc="over life")
    twinkle: Param[Number] = param(0.0, low=0, high=1, step=0.01, doc="how much brightness flickers")
    glow: Param[Number] = param(1.0, low=0, high=1, step=0.01, doc="1 adds light, 0 covers as paint does")
    shape: Param[Choice] = param("soft", choices=SHAPES, doc="what is drawn where there is no picture")
    picture: Param[Asset] = param(None, doc="a picture or an animation to draw instead, tinted by the colours")
    spin: Param[Number] = param(0.0, low=-1440, high=1440, step=5, unit="° a second", doc="most that one turns, either way")
    variety: Param[Number] = param(0.5, low=0, high=1, step=0.01, doc="how much life, speed and size differ")
    prewarm: Param[Number] = param(0.0, low=0, high=20, step=0.1, unit="s", doc="played before the first frame")
    max_particles: Param[Integer] = param(1000, low=1, high=MOST, doc="at most alive at a time; the oldest make room")
    seed: Param[Integer] = param(0, low=0, high=9999, doc="another number, another play of chance")
    layer: Out[Image] = result(space=frame_space, size="free", doc="the particles, transparent around")
    pool: Any = slot()

    def open(self, context: Any) -> None:
        self._move, self._draw = context.native("move_particles"), context.native("draw_sprites")
        self._linear = context.working_space == "linear"
        self._layer = Layer(CAPACITY)
        self._sprites = np.zeros((MOST, SPRITE), np.float32)
        self._forces = np.zeros(8, np.float32)
        self._curves: dict[str, tuple[Any, np.ndarray]] = {}
        self._file = ClipFile()
        self._file.preload(context, getattr(context, "params", {}).get("picture"), linear=self._linear, square=True)

    def process(
        self, points: Any, mask: Any, burst: Any, rate: float, burst_count: int, position: Any, area: Any, life: float,
        speed: float, direction: float, spread: float, follow: float, gravity: Any, wind: Any, drag: float,
        turbulence: float, swirl: float, size: float, grow: Any, colour: Any, end_colour: Any, opacity: Any, twinkle: float,
        glow: float, shape: str, picture: Any, spin: float, variety: float, prewarm: float, max_particles: int, seed: int,
        tick: Any, state: Any,
    ) -> Frame:  # fmt: skip
        first = state.pool is None
        if first:
            state.pool = Pool()
        pool: Pool = state.pool
        birth = Birth(life, speed, direction * DEGREES, spread * DEGREES, follow, spin * DEGREES, variety, area)
        forces = (*gravity, drag, turbulence, 1.0 / max(swirl, 1e-3), 0.0, *wind)
        sources = sources_of(points, mask, position, pool, tick)
        most = int(max_particles)
        if first and prewarm > 0:
            for _ in range(round(prewarm / STEP)):
                self._advance(pool, STEP, sources, rate, birth, forces, most, int(seed))
        seconds = min(tick.delta, LONGEST)
        steps = math.ceil(seconds / STEP - 1e-6)
        for step in range(steps):
            self._advance(pool, seconds / steps, sources.part(step, steps), rate, birth, forces, most, int(seed))
        for event in burst or ():
            here = sources if wired(points) or mask is not None else Sources.at((event.x + position[0], event.y + position[1]), tick)
            pool.bear(int(burst_count), here, birth, 0.0, most, int(seed))
        return self._shown(pool, most, size, grow, colour, end_colour, opacity, twinkle, glow, shape, picture, tick)

    def _advance(
        self, pool: Pool, seconds: float, sources: Sources, rate: float, birth: Birth, forces: tuple, most: int, seed: int
    ) -> None:
        self._forces[:] = forces
        self._forces[5] = pool.clock * 0.6 + (seed % 97) * 7.3
        self._move(pool.rows.ctypes.data, most, self._forces.ctypes.data, seconds)
        pool.clock += seconds
        pool.owed += rate * seconds
        due = int(pool.owed)
        pool.owed -= due
        if due:
            pool.bear(due, sources, birth, seconds, most, seed)

    def _shown(self, pool: Pool, most: int, size: float, grow: Any, colour: Any, end_colour: Any, opacity: Any,
               twinkle: float, glow: float, shape: str, picture: Any, tick: Any) -> Frame:  # fmt: skip
        height = float(tick.height or 1)
        alive = pool.alive(most)
        rows, sprites = pool.rows[alive], self._sprites[: len(alive)]
        age = rows[:, 4] / np.maximum(rows[:, 5], 1e-6)
        sprites[:, 0], sprites[:, 1] = rows[:, 0] * height, rows[:, 1] * height
        sprites[:, 2] = rows[:, 6] * self._curve("grow", grow, age) * (size * height)
        sprites[:, 3], sprites[:, 4] = np.cos(rows[:, 7]), np.sin(rows[:, 7])
        seen = np.clip(self._curve("opacity", opacity, age), 0.0, 1.0)
        if twinkle > 0:
            seen = seen * (1.0 - twinkle * (0.5 + 0.5 * np.sin((pool.clock * (3.0 + 5.0 * rows[:, 9]) + rows[:, 10]) * 6.283)))
        inks = np.array((colour, end_colour), np.float32)
        ink = inks[0] + (inks[1] - inks[0]) * age[:, None]
        seen = seen * ink[:, 3]
        np.multiply(ink[:, :3], seen[:, None], out=sprites[:, 5:8])
        sprites[:, 8] = seen * (1.0 - glow)
        frame, pool.scale = self._layer.place(reach(sprites), tick, "frame", pool.scale)
        self._lay(sprites, self._texture(shape, picture, tick), frame)
        return frame

    def _lay(self, sprites: np.ndarray, texture: Texture | None, frame: Frame) -> None:
        """The sprites onto the layer, in its own pixels."""
        scale, _, left, _, _, top = frame.geometry.to_frame
        sprites[:, 0] = (sprites[:, 0] - left) / scale
        sprites[:, 1] = (sprites[:, 1] - top) / scale
        sprites[:, 2] /= scale
        if texture is not None:
            wide = texture.width / np.maximum(2.0 * sprites[:, 2], 1e-3)
            sprites[:, 9] = np.log2(np.maximum(wide, 1.0))
        texels, levels = (texture.texels, texture.levels) if texture is not None else (self._forces, self._forces)
        self._draw(
            sprites.ctypes.data, len(sprites), 1.0, texels.ctypes.data, levels.ctypes.data,
            texture.count if texture is not None else 0, frame.data.ctypes.data, frame.width, frame.height,
        )  # fmt: skip

    def _texture(self, shape: str, picture: Any, tick: Any) -> Texture | None:
        """What the sprites show; None: soft spots, which need no texture."""
        if picture is None:
            return None if shape == "soft" else shape_texture(shape)
        return self._file.get(picture, linear=self._linear, square=True).at(tick.time)

    def _curve(self, name: str, curve: Any, at: np.ndarray) -> np.ndarray:
        known = self._curves.get(name)
        if known is None or known[0] != curve:
            heights = np.zeros(SHEETS, np.float32)
            curve_table(curve, heights)
            known = self._curves[name] = (curve, heights)
        return np.interp(at, np.linspace(0.0, 1.0, SHEETS), known[1]).astype(np.float32)


def sources_of(points: Any, mask: Any, position: Any, pool: Pool, tick: Any) -> Sources:
    """Points where there is that input, else the mask, else the place."""
    if wired(points):
        return from_points(pairs(points), pool, tick)
    if mask is not None:
        return from_mask(mask, tick)
    return Sources.at(position, tick)


def wired(many: Any) -> bool:
    """Whether an input for several values has a wire; then an empty list means that there is nothing now."""
    return many is not None and not isinstance(many, tuple)


def reach(sprites: np.ndarray) -> tuple[float, float, float, float] | None:
    """The box of all sprites that can be seen, in frame pixels."""
    seen = sprites[(np.abs(sprites[:, 5:9]).max(-1) > 1e-4) & (sprites[:, 2] > 0.02)] if len(sprites) else sprites
    if not len(seen):
        return None
    wide = seen[:, 2] * 1.42 + 1.0
    left, top = (seen[:, 0] - wide).min(), (seen[:, 1] - wide).min()
    return float(left), float(top), float((seen[:, 0] + wide).max()), float((seen[:, 1] + wide).max())
