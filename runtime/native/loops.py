"""What native loops there are, and how a process node calls one.

    rasterise = context.native("rasterise")       # in open
    rasterise(surface.ctypes.data, …)             # in process

A loop is a function over raw pointers, compiled into the plan's library under its symbol. Pointers are addresses of
C-contiguous arrays (`array.ctypes.data`) that live through the call; the loop checks nothing, allocates nothing, touches
nothing else, and lets go of the GIL.
"""

from __future__ import annotations

import ctypes
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ...graph.errors import CompileError

__all__ = ["LOOPS", "Loop", "bind", "loop"]

KINDS: dict[str, Any] = {
    "f32*": ctypes.c_void_p, "i32*": ctypes.c_void_p, "i64*": ctypes.c_void_p, "u8*": ctypes.c_void_p, "u16*": ctypes.c_void_p,
    "f32": ctypes.c_float, "i64": ctypes.c_int64,
}  # fmt: skip


@dataclass(frozen=True)
class Loop:
    """One native loop.

    Attributes:
        name: how nodes ask for it.
        module: where its source is, relative to this package; the function has the loop's name.
        arguments: name and kind ("f32*", "i64", …) of each, in order.
        version: rises when its arguments or their meaning change.
    """

    name: str
    module: str
    arguments: tuple[tuple[str, str], ...]
    version: int = 1

    @property
    def symbol(self) -> str:
        """Its name in a library."""
        return f"spellwire_loop_{self.name}_v{self.version}"

    @property
    def qualified(self) -> str:
        """The module's full name."""
        return f"{__package__}.{self.module}"

    @cached_property
    def key(self) -> str:
        """SHA-256 of the declaration and of the source."""
        spec = find_spec(self.qualified)
        assert spec is not None and spec.origin is not None
        source = Path(spec.origin).read_bytes()
        return hashlib.sha256(repr((self.symbol, self.arguments)).encode() + source).hexdigest()


def _loop(name: str, module: str, arguments: str, version: int = 1) -> Loop:
    pairs = tuple(tuple(a.split(":")) for a in arguments.split())
    return Loop(name, module, pairs, version)  # type: ignore[arg-type]


LOOPS: dict[str, Loop] = {
    made.name: made
    for made in (
        _loop(
            "mesh_vertices", "rasterise",
            "points:f32* count:i64 triangles:i32* faces:i64 uv:f32* fade:f32* place:f32* rounds:i64 work:f32* vertices:f32*",
        ),
        _loop(
            "rasterise", "rasterise",
            "vertices:f32* triangles:i32* beyond:i32* faces:i64 item:f32 grid:i64* front:i32* surface:f32* width:i64 height:i64",
        ),
        _loop(
            "guided_fit", "guided",
            "guide:f32* mask:f32* width:i64 height:i64 radius:i64 epsilon:f32 out:f32* rows:f32* wide:f32* sums:f32* lines:f32*",
        ),
        _loop("box_shrink", "shrink", "picture:u8* width:i64 height:i64 channels:i64 times:i64 out:u8* sums:u16*"),
        _loop("inflate", "inflate", "mask:f32* width:i64 height:i64 cell:f32 reach:f32 surface:f32* work:f32*"),
        _loop("warp_field", "warp", "bumps:f32* count:i64 unit:f32 field:f32* width:i64 height:i64"),
        _loop("move_particles", "particles", "particles:f32* count:i64 forces:f32* seconds:f32"),
        _loop(
            "draw_triangles", "layer",
            "vertices:f32* triangles:i32* faces:i64 texels:u16* levels:i64* count:i64 lod:f32 tint:f32* layer:f32* "
            "width:i64 height:i64",
        ),
        _loop(
            "draw_sprites", "layer",
            "sprites:f32* number:i64 soft:f32 texels:u16* levels:i64* count:i64 layer:f32* width:i64 height:i64",
        ),
        _loop(
            "scene_vertices", "scene",
            "positions:f32* normals:f32* tangents:f32* uv:f32* colours:f32* count:i64 place:f32* camera:f32* vertices:f32* "
            "bounds:f32*",
        ),
        _loop(
            "scene_spans", "scene",
            "vertices:f32* triangles:i32* parts:i64* count:i64 width:i64 height:i64 spans:i32*",
        ),
        _loop("scene_hide", "scene", "vertices:f32* triangles:i32* count:i64 hidden:f32* width:i64 height:i64"),
        _loop(
            "scene_band", "scene",
            "vertices:f32* triangles:i32* spans:i32* parts:i64* count:i64 material_of:i32* group_of:i32* materials:f32* "
            "texels:u8* levels:i64* near:f32* ids:i32* glass_near:f32* glass_ids:i32* glass:i64 hidden:f32* hides:i64 "
            "view:f32* surface:f32* colour:f32* finish:f32* emission:f32* work:f32* width:i64 start:i64 rows:i64",
        ),
    )
}  # fmt: skip


def loop(name: str) -> Loop:
    """The loop of that name; CompileError if there is none."""
    if name not in LOOPS:
        raise CompileError(f"there is no native loop {name!r}; there are: {', '.join(sorted(LOOPS))}")
    return LOOPS[name]


def bind(library: ctypes.CDLL, name: str) -> Callable[..., None]:
    """The loop as a function, out of a library it was linked into.

    Raises:
        CompileError: the library lacks it, or has it in another version.
    """
    wanted = loop(name)
    try:
        function = getattr(library, wanted.symbol)
    except AttributeError:
        raise CompileError(
            f"the plan's library has no {wanted.symbol}; it was made by another version: compile the effect again"
        ) from None
    function.argtypes = [KINDS[kind] for _, kind in wanted.arguments]
    function.restype = None
    return function
