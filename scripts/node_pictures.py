"""docs/nodes: a picture for each node (its card, and what it does to a picture), and the pages around them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image as Canvas

from spellwire.graph.declare import Declaration, Parameter
from spellwire.graph.effect import Effect, NodeUse, Wire
from spellwire.graph.errors import SpellwireError
from spellwire.graph.frozen import FrozenDict, freeze
from spellwire.graph.registry import registry
from spellwire.runtime.cli.pages import index_page, markdown
from spellwire.runtime.frames import Frame
from spellwire.runtime.media.base import StreamInfo
from spellwire.runtime.media.caption import draw_text, text_size
from spellwire.runtime.session import Session
from spellwire.runtime.session.planning import Planner

SIZE = (384, 216)
BOARD, CARD, INK, QUIET = (24, 25, 29), (44, 46, 53), (236, 237, 240), (150, 154, 164)
ROW, HEAD, INSET, DOT = 24, 40, 16, 6
TELLING = 12  # levels of 255 that a picture must differ by, on average, to tell what a node does


def draw_nodes(picture: np.ndarray, folder: Path) -> None:
    """Write a page and a picture for every installed node."""
    (folder / "pictures").mkdir(parents=True, exist_ok=True)
    small = cv2.resize(picture, SIZE, interpolation=cv2.INTER_AREA)
    planner = Planner(threads=2)
    chosen = list(registry().values())
    for d in chosen:
        shown = example(d, hand() if d.family in ("hands", "hand") else small, planner)
        board = card(d)
        if shown is not None:
            board = np.hstack([fitted(board, SIZE[1]), framed(shown)])
        Canvas.fromarray(board).save(folder / "pictures" / f"{d.type}.jpg", quality=82, optimize=True)
        (folder / f"{d.type}.md").write_text(markdown(d, folder), "utf-8")
    (folder / "README.md").write_text(index_page(chosen), "utf-8")


def hand() -> np.ndarray:
    """The hand that the effect `sparkle` draws for its own preview: the demo picture shows none."""
    sys.path.insert(0, str(LIBRARY / "sparkle"))
    from make_preview import scene

    return cv2.resize(scene(1.0)[20:380], SIZE, interpolation=cv2.INTER_AREA)


# -- what it does


def example(d: Declaration, picture: np.ndarray, planner: Planner) -> np.ndarray | None:
    """The node's first picture-like output over the demo picture; None where it draws none."""
    output = next((p for p in d.outputs if p.type.name in ("Image", "Mask", "Surface", "Depth")), None)
    if output is None or d.role or d.family == "mediapipe":  # what that one gives depends on the bundle
        return None
    plain = render(d, output.name, picture, planner, {})
    if plain is not None and takes_picture(d) and same(plain, picture) and d.type not in ASSETS:
        return told(d, output.name, picture, planner, plain)
    return plain


def told(d: Declaration, port: str, picture: np.ndarray, planner: Planner, plain: np.ndarray) -> np.ndarray:
    """With its defaults the node does nothing: turn its knobs, one after another and further and further, until it shows."""
    for p in d.params:
        for share in (0.08, 0.16, 0.32, 0.64, 1.0):
            value = moved(p, share)
            made = None if value is None else render(d, port, picture, planner, {p.name: value})
            if made is not None and float(np.abs(made.astype(int) - picture).mean()) > TELLING:
                return made
    return plain


def moved(p: Parameter, share: float) -> Any:
    """A parameter's value, that share of its way up."""
    if p.type.name in ("Number", "Integer") and p.high is not None:
        value = p.default + share * (p.high - p.default)
        return round(value) if p.type.name == "Integer" else round(value, 4)
    if p.type.name == "Colour":
        return (1.0, 0.62, 0.35, 1.0)
    if p.type.name == "Curve":
        return ((0.0, 0.08), (0.3, 0.2), (0.7, 0.85), (1.0, 1.0))
    return None


def render(d: Declaration, port: str, picture: np.ndarray, planner: Planner, params: dict[str, Any]) -> np.ndarray | None:
    """source → (what its other inputs need) → node → sink, one frame."""
    nodes = {"source": NodeUse("source", "source.input"), "sink": NodeUse("sink", "sink.output")}
    more, given = SPECIAL.get(d.type, ({}, {}))
    nodes["node"] = NodeUse("node", d.type, version=d.version, params=freeze({**more, **params}))
    wires = [Wire("node", port, "sink", "image")]
    drawn = d.output(port)
    if drawn and drawn.type.name == "Surface":
        nodes["normals"] = NodeUse("normals", "surface.show_normals")
        wires = [Wire("node", port, "normals", "surface"), Wire("source", "image", "normals", "image"), Wire("normals", "out", "sink", "image")]
    elif drawn and drawn.type.name == "Depth":
        nodes["show"] = NodeUse("show", "depth.show")
        wires = [Wire("node", port, "show", "depth"), Wire("show", "out", "sink", "image")]
    elif drawn and drawn.type.name == "Mask" and drawn.size == "free":  # of another shape than the frame: cut it out with it
        nodes["cut"] = NodeUse("cut", "mask.apply")
        wires = [Wire("node", port, "cut", "mask"), Wire("source", "image", "cut", "image"), Wire("cut", "out", "sink", "image")]
    elif port == "layer" or d.type in LAYERS:  # small and transparent around: laid over the picture
        nodes["over"] = NodeUse("over", "composite.over")
        wires = [Wire("node", port, "over", "above"), Wire("source", "image", "over", "below"), Wire("over", "out", "sink", "image")]
    elif drawn and drawn.space and drawn.space.kind == "new":  # the sink shows the stream's frame
        nodes["place"] = NodeUse("place", "geometry.place")
        wires = [Wire("node", port, "place", "image"), Wire("place", "out", "sink", "image")]
    for index, needed in enumerate(p for p in d.inputs if not p.optional or p.name in given):
        found = support(*given[needed.name], nodes) if needed.name in given else feed("Dusk" if needed.name == "background" else needed.type.name, index, nodes)
        if found is None:
            return None
        wires.append(Wire(*found, "node", needed.name))
    wires += [w for w in SUPPORT_WIRES if w.target in nodes]
    effect = Effect(nodes=FrozenDict(nodes), wires=tuple(wires), folder=ASSETS.get(d.type))
    info = StreamInfo("page", picture.shape[1], picture.shape[0])
    try:
        with Session.load(effect, info, planner=planner) as session:
            shown = session.render(Frame.of(picture), 1_000_000, 30).data
            for failure in session.engine.failures.values():
                print(f"{d.type}: {failure.error}", file=sys.stderr)
            return None if session.engine.failures else np.ascontiguousarray(shown[..., :3])
    except SpellwireError as error:
        print(f"{d.type}: {error}", file=sys.stderr)
        return None


# what else stands beside a node whose picture needs it: name → type and parameters
SUPPORT = {
    "faces": ("face.mesh", {}), "person": ("segment.person", {}), "face": ("face.pick", {}), "crop": ("face.crop", {"margin": 2.4}),
    "styles": ("generator.blend26", {"first": 19, "second": 5, "mix": 0.2}), "depth": ("depth.estimate", {}),
    "parts": ("segment.parts", {}), "bodies": ("body.pose", {"mask": True}), "hands": ("hands.track", {}),
    "model": ("scene.model", {"file": {"asset": "assets/helmet.glb"}}), "worn": ("scene.attach_to_face", {}),
    "drawn": ("scene.draw", {}), "lamp": ("light.directional", {}), "plane": ("planar.place", {"at_start": True, "tilt": 35.0, "size": 0.7}),
    "painted": ("generator.image", {"model": "style/multistyle26", "rows": 384}), "refined": ("depth.refine", {"separation": 3.0}),
}  # fmt: skip
LIBRARY = Path(__file__).parents[1] / "effects_library"
LAYERS = ("scene.shade", "planar.picture")
# whose assets a node shows
ASSETS = {"scene.draw": LIBRARY / "headset", "scene.shade": LIBRARY / "headset", "planar.picture": LIBRARY / "poster", "source.picture": LIBRARY / "backdrop", "attach.to_face": LIBRARY / "stickers", "attach.to_body": LIBRARY / "stickers", "paint.face": LIBRARY / "facepaint"}
# parameters, and which inputs are fed by what
SPECIAL: dict[str, tuple[dict[str, Any], dict[str, tuple[str, str]]]] = {
    "depth.estimate": ({}, {"mask": ("person", "mask")}),
    "depth.refine": ({"separation": 3.0}, {"depth": ("depth", "depth"), "people": ("depth", "people"), "mask": ("person", "mask")}),
    "scene.draw": ({}, {"scene": ("worn", "out")}),
    "scene.shade": ({}, {
        "surface": ("drawn", "surface"), "colour": ("drawn", "colour"), "finish": ("drawn", "finish"),
        "emission": ("drawn", "emission"), "key": ("lamp", "out"),
    }),
    "planar.picture": ({"picture": {"asset": "assets/poster.png"}, "size": 0.7}, {"plane": ("plane", "plane")}),
    "depth.fog": ({"start": 0.4, "density": 1.0}, {}),
    "depth.focus": ({"distance": 0.4, "aperture": 0.02}, {}),
    "depth.mask": ({"far": 0.8}, {}),
    "depth.surface": ({"scale": 1.0}, {}),
    "depth.show": ({"near": 0.3, "far": 2.0, "step": 0.1}, {}),
    "segment.refine": ({}, {"mask": ("parts", "hair"), "seen": ("parts", "seen")}),
    "attach.to_face": ({"picture": {"asset": "assets/glasses.png"}, "size": 0.92}, {}),
    "attach.to_body": (
        {"picture": {"asset": "assets/hat.png"}, "place": "head", "size": 0.3, "anchor": (0.5, 0.87), "offset": (0.0, -0.09)}, {},
    ),
    "paint.face": ({"picture": {"asset": "assets/tiger.png"}}, {"skin": ("source", "image")}),
    "particles.emit": ({"rate": 150.0, "shape": "glint", "size": 0.035, "prewarm": 3.0, "life": 2.5, "speed": 0.35}, {}),
    "text.draw": ({"text": "Good evening\\n晚上好", "size": 0.16, "shadow_colour": (0.0, 0.0, 0.0, 0.8)}, {}),
    "source.picture": ({"file": {"asset": "assets/dusk.jpg"}}, {}),
    "key.chroma": ({"screen": (0.87, 0.33, 0.18, 1.0), "tolerance": 0.1, "shadows": 0.5, "solid": 0.3}, {}),
    "feedback.echo": ({"mode": "lighten"}, {}),
    "key.despill": ({"screen": (0.87, 0.36, 0.22, 1.0), "tolerance": 0.3}, {}),
    "key.cut_out": ({"choke": 0.08}, {"mask": ("person", "mask")}),
    "blur.behind": ({"radius": 0.06}, {"mask": ("person", "mask")}),
    "composite.light_wrap": ({"radius": 0.04, "amount": 1.0}, {"mask": ("person", "mask")}),
    "composite.ambient": ({"colour": 1.0, "brightness": 1.0}, {}),
    "composite.operator": ({"operator": "destination-out"}, {}),
    "stylise.halftone": ({"size": 0.03}, {}),
    "stylise.pixelate": ({"shape": "hexagon", "size": 0.05, "gap": 0.08}, {}),
    "stylise.dither": ({"size": 1 / 108}, {}),
    "screen.tube": ({"size": 0.024, "lines": 0.6, "phosphor": 0.4}, {}),
    "screen.glitch": ({"calm": 0.0, "amount": 0.9}, {}),
    "smooth.guided": ({"radius": 0.03, "contrast": 0.2}, {}),
    "smooth.bilateral": ({"contrast": 0.4}, {}),
    "distort.chromatic_aberration": ({"amount": 0.04}, {}),
    "distort.turbulence": ({"amount": 0.06}, {}),
    "distort.ripple": ({"amount": 0.03}, {}),
    "warp.face": ({"eyes": 0.9, "slim": 0.6, "smile": 0.6}, {}),
    "face.crop": ({}, {"face": ("face", "face"), "image": ("source", "image")}),
    "generator.image": ({"model": "style/multistyle26", "rows": 432}, {"style": ("styles", "out")}),
    "face.paste": ({"reach": 0.45, "feather": 0.3}, {
        "faces": ("faces", "faces"), "pictures": ("painted", "out"), "points": ("painted", "made_of"), "mask": ("person", "mask"),
    }),
}  # fmt: skip


def support(name: str, port: str, nodes: dict[str, NodeUse]) -> tuple[str, str]:
    """That port of a node that stands beside, which is added with all that it needs."""
    if name not in nodes:
        kind, params = SUPPORT[name]
        nodes[name] = NodeUse(name, kind, params=freeze(params))
        for wire in SUPPORT_WIRES:
            if wire.target == name and wire.source in SUPPORT:
                support(wire.source, wire.source_port, nodes)
    return name, port


SUPPORT_WIRES = (
    Wire("faces", "faces", "worn", "faces"), Wire("model", "scene", "worn", "scene"), Wire("worn", "out", "drawn", "scene"),
    Wire("source", "image", "plane", "image"),
    Wire("source", "image", "parts", "image"), Wire("source", "image", "bodies", "image"),
    Wire("source", "image", "hands", "image"),
    Wire("source", "image", "person", "image"), Wire("faces", "faces", "face", "faces"),
    Wire("source", "image", "crop", "image"), Wire("face", "face", "crop", "face"),
    Wire("crop", "out", "painted", "image"), Wire("crop", "points", "painted", "points"), Wire("styles", "out", "painted", "style"),
    Wire("source", "image", "depth", "image"), Wire("person", "mask", "depth", "mask"),
    Wire("source", "image", "refined", "image"), Wire("depth", "depth", "refined", "depth"),
    Wire("depth", "people", "refined", "people"), Wire("person", "mask", "refined", "mask"),
    Wire("source", "image", "faces", "image"), Wire("faces", "faces", "surface", "faces"),
    Wire("ramp", "out", "other", "image"), Wire("disc", "out", "other", "mask"),
)  # fmt: skip


def feed(kind: str, index: int, nodes: dict[str, NodeUse]) -> tuple[str, str] | None:
    """(node, port) that gives such a value, added to `nodes`; a second picture is a disc of dusk."""
    match kind:
        case "Image" if index == 0:
            return "source", "image"
        case "Dusk":
            nodes["ramp"] = NodeUse("ramp", "generate.ramp")
            return "ramp", "out"
        case "Image":
            nodes["other"] = NodeUse("other", "mask.apply")
            nodes["ramp"] = NodeUse("ramp", "generate.ramp")
            nodes["disc"] = NodeUse("disc", "mask.ellipse")
            return "other", "out"
        case "Mask":
            nodes[f"mask{index}"] = NodeUse(f"mask{index}", "mask.ellipse")
            return f"mask{index}", "out"
        case "Faces":
            return support("faces", "faces", nodes)
        case "Bodies":
            return support("bodies", "bodies", nodes)
        case "Hands":
            return support("hands", "hands", nodes)
        case "Face":
            return support("face", "face", nodes)
        case "Depth":
            return support("refined", "out", nodes)
        case "Surface":
            nodes["faces"] = NodeUse("faces", "face.mesh")
            nodes["surface"] = NodeUse("surface", "surface.face")
            return "surface", "surface"
        case "Light":
            nodes[f"light{index}"] = NodeUse(f"light{index}", "light.point")
            return f"light{index}", "out"
        case "Number" | "Integer" | "Boolean":
            nodes[f"number{index}"] = NodeUse(f"number{index}", "value.number", params=freeze({"value": 1.0}))
            return f"number{index}", "out"
    return None


def takes_picture(d: Declaration) -> bool:
    return any(p.type.name == "Image" for p in d.inputs)


def same(a: np.ndarray, b: np.ndarray) -> bool:
    return a.shape == b.shape and float(np.abs(a.astype(int) - b).mean()) < 1.0


# -- its card


def card(d: Declaration) -> np.ndarray:
    """The node as the editor draws it: inputs on the left, outputs on the right, dots in the colour of their type."""
    left = [(p.name, p.type.colour, 1.0) for p in d.inputs] + [(p.name, p.type.colour, 0.55) for p in d.params]
    right = [(p.name, p.type.colour, 1.0) for p in d.outputs]
    rows = max(len(left), len(right), 1)
    wide = max([text_size(n, 14)[0] for n, _, _ in left] or [0]) + max([text_size(n, 14)[0] for n, _, _ in right] or [0])
    width = max(wide + 90, text_size(d.type, 13)[0] + 60, text_size(d.title, 17, 600)[0] + 60, 220)
    board = np.full((2 * INSET + HEAD + 14 + rows * ROW + 10, width + 2 * INSET, 3), BOARD, np.uint8)
    box = board[INSET:-INSET, INSET:-INSET]
    box[:] = CARD
    box[:3] = colour((d.outputs or d.inputs)[0].type.colour) if (d.outputs or d.inputs) else QUIET
    draw_text(box, d.title, (16, 25), 17, INK, 600)
    draw_text(box, d.type, (16, 43), 12, QUIET)
    for number, (name, tint, strength) in enumerate(left):
        y = INSET + HEAD + 26 + number * ROW
        dot(board, (INSET, y - 5), tint, strength)
        draw_text(board, name, (INSET + 16, y), 14, INK if strength == 1 else QUIET)
    for number, (name, tint, _) in enumerate(right):
        y = INSET + HEAD + 26 + number * ROW
        dot(board, (board.shape[1] - INSET, y - 5), tint, 1.0)
        draw_text(board, name, (board.shape[1] - INSET - 16 - text_size(name, 14)[0], y), 14, INK)
    return board


def dot(board: np.ndarray, at: tuple[int, int], tint: str, strength: float) -> None:
    radius = DOT if strength == 1 else DOT - 2
    shift = 4
    cv2.circle(board, (at[0] << shift, at[1] << shift), radius << shift, colour(tint), -1, cv2.LINE_AA, shift)


def colour(text: str) -> tuple[int, int, int]:
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


def framed(picture: np.ndarray) -> np.ndarray:
    """A picture of any size in the middle of one of SIZE."""
    scale = min(SIZE[0] / picture.shape[1], SIZE[1] / picture.shape[0])
    w, h = round(picture.shape[1] * scale), round(picture.shape[0] * scale)
    made = np.full((SIZE[1], SIZE[0], 3), BOARD, np.uint8)
    left, top = (SIZE[0] - w) // 2, (SIZE[1] - h) // 2
    made[top : top + h, left : left + w] = cv2.resize(picture, (w, h), interpolation=cv2.INTER_AREA)
    return made


def fitted(board: np.ndarray, height: int) -> np.ndarray:
    """The card on a board of that height, reduced where it is taller."""
    if board.shape[0] > height:
        width = round(board.shape[1] * height / board.shape[0])
        board = cv2.resize(board, (width, height), interpolation=cv2.INTER_AREA)
    above = (height - board.shape[0]) // 2
    made = np.full((height, board.shape[1], 3), BOARD, np.uint8)
    made[above : above + board.shape[0]] = board
    return made
