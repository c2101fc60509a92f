"""The port types: what may travel on a wire, where it lies, when it holds, and what "nothing" is.

A type is a class, so that it can stand in an annotation (`image: In[Image]`). It is never instantiated:
values are NumPy arrays, numbers, tuples and the items of `spellwire.runtime.values`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

__all__ = [
    "CONVERSIONS",
    "TYPES",
    "Asset",
    "Audio",
    "Bodies",
    "Body",
    "Boolean",
    "Camera",
    "Choice",
    "Colour",
    "Conversion",
    "Curve",
    "Depth",
    "Embedding",
    "Face",
    "Faces",
    "Flow",
    "Hand",
    "Hands",
    "Image",
    "ImageSequence",
    "Integer",
    "Light",
    "Look",
    "Mask",
    "Material",
    "Mesh",
    "Model",
    "Number",
    "Plane",
    "Points",
    "PortType",
    "Pose",
    "Scene",
    "Surface",
    "Tensor",
    "Text",
    "Trigger",
    "Vector2",
    "Vector3",
    "Vector4",
    "conversion",
    "find_type",
]

Policy = Literal["exact", "latest", "hold", "extrapolate", "accumulate"]
Family = Literal["raster", "list", "item", "geometry", "value", "asset", "event", "audio"]

TYPES: dict[str, type[PortType]] = {}


class PortType:
    """One kind of value on a wire. Subclasses are the vocabulary; third parties may add their own.

    Class attributes:
        family: what sort of thing it is (rasters are pixels, lists have tracked items, …).
        components: floats a pixel node sees (channels of a raster, numbers of a value); 0 = none.
        spatial: its packets carry a Space (DESIGN: id, size, to_frame).
        item: the type of one item, for a list.
        empty: the value that stands for "nothing" (plain data; rasters: a tuple of channel values).
        policies: wire policies it may travel under, the default first.
        colour: how its wires are painted, `#rrggbb`.
    """

    name: ClassVar[str] = ""
    family: ClassVar[Family] = "value"
    components: ClassVar[int] = 0
    spatial: ClassVar[bool] = False
    item: ClassVar[type[PortType] | None] = None
    empty: ClassVar[Any] = None
    policies: ClassVar[tuple[Policy, ...]] = ("exact", "latest", "hold")
    colour: ClassVar[str] = "#9aa0a6"

    def __init_subclass__(cls) -> None:
        cls.name = cls.__name__
        TYPES[cls.name] = cls


MOVABLE: tuple[Policy, ...] = ("exact", "latest", "hold", "extrapolate")


class Image(PortType):
    """Scene values: RGBA, premultiplied, unclamped, in the effect's working space."""

    family, components, spatial, empty = "raster", 4, True, (0.0, 0.0, 0.0, 0.0)
    policies, colour = ("exact", "latest", "hold"), "#e8b04b"


class Mask(PortType):
    """Coverage, 0 to 1."""

    family, components, spatial, empty = "raster", 1, True, (0.0,)
    policies, colour = MOVABLE, "#c9ccd1"


class Depth(PortType):
    """Distance from the camera, in metres (`metric`) or up to scale and shift (`relative`)."""

    family, components, spatial, empty = "raster", 1, True, (0.0,)
    policies, colour = MOVABLE, "#6f7bd9"


class Flow(PortType):
    """Motion since the frame before, in pixels of its space (x right, y down)."""

    family, components, spatial, empty = "raster", 2, True, (0.0, 0.0)
    colour = "#b77de0"


class Surface(PortType):
    """A rasterised mesh, by pixel: coverage, u, v, normal x, y, z (camera space), depth, item index.

    Normals are glTF's: x right, y up, z towards the camera. Depth is in the mesh's own unit, larger = nearer.
    """

    family, components, spatial, empty = "raster", 8, True, (0.0,) * 8
    policies, colour = MOVABLE, "#57b8a3"


class Face(PortType):
    """One tracked face: 468 or 478 landmarks, 52 ARKit blendshapes, pose, score, track id."""

    family, spatial, policies, colour = "item", True, MOVABLE, "#ef7d6b"


class Faces(PortType):
    """Tracked faces, at most `max_items`."""

    family, spatial, item, empty, policies, colour = "list", True, Face, (), MOVABLE, "#ef7d6b"


class Body(PortType):
    """One tracked body: 33 landmarks in the image and in the world, with visibility."""

    family, spatial, policies, colour = "item", True, MOVABLE, "#e0709f"


class Bodies(PortType):
    """Tracked bodies, at most `max_items`."""

    family, spatial, item, empty, policies, colour = "list", True, Body, (), MOVABLE, "#e0709f"


class Hand(PortType):
    """One tracked hand: 21 landmarks, handedness."""

    family, spatial, policies, colour = "item", True, MOVABLE, "#f29e5c"


class Hands(PortType):
    """Tracked hands, at most `max_items`."""

    family, spatial, item, empty, policies, colour = "list", True, Hand, (), MOVABLE, "#f29e5c"


class Camera(PortType):
    """Pinhole intrinsics: fx, fy, cx, cy in pixels of the frame, and whether they are assumed."""

    family, components, colour = "geometry", 4, "#7fa8d8"


class Pose(PortType):
    """A rigid or similarity transform, 4×4, column vectors, metres, glTF axes."""

    family, policies, colour = "geometry", MOVABLE, "#5aa9e6"


class Plane(PortType):
    """A plane: pose and extent in metres."""

    family, policies, colour = "geometry", MOVABLE, "#5aa9e6"


class Points(PortType):
    """Points n×2 or n×3, pixels of their space."""

    family, spatial, empty, policies, colour = "geometry", True, (), MOVABLE, "#f08a8a"


class Mesh(PortType):
    """glTF primitives: positions, normals, uvs, triangles."""

    family, colour = "geometry", "#57b8a3"


class Material(PortType):
    """What a mesh is made of (glTF metallic-roughness)."""

    family, colour = "geometry", "#8fbf6a"


class Light(PortType):
    """A light: kind (0 directional, 1 point, 2 rim), position x, y, z, colour r, g, b, intensity, range.

    Positions are in frame heights from the frame's centre: x right, y up, z towards the camera.
    """

    family, components, colour = "geometry", 9, "#f5d76e"
    empty = (0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0)


class Scene(PortType):
    """A list of mesh, transform, material and light, drawn by depth."""

    family, empty, colour = "geometry", (), "#57b8a3"


class ImageSequence(PortType):
    """Pictures in order, as a state or an asset."""

    family, spatial, empty, colour = "asset", True, (), "#e8b04b"


class Embedding(PortType):
    """A vector that a model gives for comparison, unit length."""

    family, empty, colour = "value", (), "#9a86d8"


class Tensor(PortType):
    """Any array a model takes or gives."""

    family, colour = "value", "#9a86d8"


class Number(PortType):
    """A number."""

    components, empty, colour = 1, 0.0, "#79c267"


class Integer(PortType):
    """A whole number."""

    components, empty, colour = 1, 0, "#79c267"


class Boolean(PortType):
    """Yes or no."""

    components, empty, colour = 1, False, "#d16b6b"


class Vector2(PortType):
    """Two numbers."""

    components, empty, colour = 2, (0.0, 0.0), "#6bc4d1"


class Vector3(PortType):
    """Three numbers."""

    components, empty, colour = 3, (0.0, 0.0, 0.0), "#6bc4d1"


class Vector4(PortType):
    """Four numbers."""

    components, empty, colour = 4, (0.0, 0.0, 0.0, 0.0), "#6bc4d1"


class Colour(PortType):
    """r, g, b, a, in the working space, not premultiplied."""

    components, empty, colour = 4, (0.0, 0.0, 0.0, 0.0), "#e6d94b"


class Text(PortType):
    """A line of text."""

    empty, colour = "", "#b0b7c3"


class Choice(PortType):
    """One of a declared list of words; structural."""

    empty, colour = "", "#b0b7c3"


class Curve(PortType):
    """A tone or time curve: knots (x, y) with x rising; monotone cubic between them, constant outside."""

    empty, colour = ((0.0, 0.0), (1.0, 1.0)), "#79c267"


class Model(PortType):
    """A reference to a model of the registry, or to a model file."""

    family, colour = "asset", "#9a86d8"


class Asset(PortType):
    """A file of the effect: `{"asset": "assets/hat.glb", "sha256": …}`; `process` gets its path."""

    family, colour = "asset", "#b0b7c3"


class Look(PortType):
    """A 3-D colour table (`.cube`) of the effect; `pixel` gets it as a LutTable."""

    family, colour = "asset", "#d9a0c8"


class Trigger(PortType):
    """Timed events, none to many a frame; each reaches the effect exactly once."""

    family, empty, policies, colour = "event", (), ("accumulate",), "#ff6f91"


class Audio(PortType):
    """A block of samples, by its own clock."""

    family, empty, policies, colour = "audio", (), ("accumulate",), "#4fc1b0"


@dataclass(frozen=True)
class Conversion:
    """A lossless step that happens on the wire and is shown on it."""

    source: type[PortType]
    target: type[PortType]
    doc: str


def _table(*rows: tuple[type[PortType], type[PortType], str]) -> dict[tuple[str, str], Conversion]:
    return {(s.name, t.name): Conversion(s, t, doc) for s, t, doc in rows}


CONVERSIONS = _table(
    (Integer, Number, "the same number"),
    (Boolean, Number, "no = 0, yes = 1"),
    (Boolean, Integer, "no = 0, yes = 1"),
    (Number, Vector2, "the number in each component"),
    (Number, Vector3, "the number in each component"),
    (Number, Vector4, "the number in each component"),
    (Number, Mask, "the same coverage everywhere"),
    (Number, Colour, "a grey, opaque"),
    (Vector3, Colour, "r, g, b, opaque"),
    (Vector4, Colour, "r, g, b, a"),
    (Colour, Vector4, "r, g, b, a"),
    (Colour, Image, "one colour everywhere"),
    (Mask, Image, "grey, opaque"),
    (Surface, Mask, "its coverage"),
    (Face, Faces, "a list of one"),
    (Body, Bodies, "a list of one"),
    (Hand, Hands, "a list of one"),
    (Face, Points, "its landmarks"),
    (Body, Points, "its image landmarks"),
    (Hand, Points, "its landmarks"),
)


def find_type(name: str) -> type[PortType] | None:
    """The port type of that name, or None."""
    return TYPES.get(name)


def conversion(source: type[PortType], target: type[PortType]) -> Conversion | None:
    """The conversion a wire from `source` to `target` makes; None where it makes none.

    Ask first whether the types are the same: this is about different ones.
    """
    return CONVERSIONS.get((source.name, target.name))
