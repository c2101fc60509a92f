"""Generator: networks that make a picture out of a picture, over the frame or over crops of faces."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np

from ..graph.declare import In, Out, Param, ProcessNode, param, port, result, same, slot
from ..graph.errors import ModelError
from ..graph.types import Asset, Choice, Image, Integer, Model, Number, Points, Tensor, Vector3
from ..runtime.frames import Frame
from ..runtime.models.pictures import Layout, PictureModel
from ..runtime.perception.shrink import Shrinker
from .geometry import scaled

__all__ = ["Blend26", "Generate", "Style"]

RANGES = ("0..1", "-1..1", "0..255")
STILL, MOVING = 6.0, 24.0  # change, of 255, from where to where a place counts as moving
STYLES = 26
THIRDS = np.full((1, 3), 1 / 3, np.float32)


class Generate(ProcessNode, type="generator.image", latency="slow", fallback="last"):
    """A picture made out of a picture by a network: painting, drawing, cleaning, whatever the file was trained for.

    It plays in a lane of its own, so its readers see the newest result there is, with its age. Feed it the frame, or the
    crops of `face.crop`: then it is played for each face, gives their points on to `face.paste`, and a late result still
    lies on the face as it is now.

    Say what the network takes and gives; what the file contradicts is refused before the first frame. Where the file
    leaves its size free, pictures are made `rows` lines high. With tiles, a large picture is worked on in overlapping
    parts of its own resolution, blended where they meet.
    """

    image: In[Image] = port(display=True, domain=True, doc="the picture, or crops of faces")
    style: In[Tensor] = port(optional=True, doc="what the network takes beside the picture, from generator.style or blend26")
    points: In[Points] = port(optional=True, anywhere=True, doc="where a face's landmarks lie in its crop, from face.crop")
    model: Param[Model] = param("style/transform", doc="a network from picture to picture: from the registry, or a file")
    axes: Param[Choice] = param("auto", choices=("auto", "nchw", "nhwc"), doc="where the channels stand")
    takes: Param[Choice] = param("0..1", choices=RANGES, doc="range of a channel's values going in")
    gives: Param[Choice] = param("0..1", choices=RANGES, doc="range of a channel's values coming out")
    order: Param[Choice] = param("rgb", choices=("rgb", "bgr"), doc="of the channels")
    mean: Param[Vector3] = param((0.0, 0.0, 0.0), structural=True, doc="taken off, after the range")
    std: Param[Vector3] = param((1.0, 1.0, 1.0), structural=True, doc="divided by, after the mean")
    multiple: Param[Integer] = param(4, low=1, high=64, structural=True, doc="sides are multiples of it, where the file is free")
    rows: Param[Integer] = param(256, low=32, high=1080, structural=True, doc="lines it works on, where the file is free")
    tiles: Param[Integer] = param(1, low=1, high=6, structural=True, doc="parts down a picture; 1 works on it whole")
    overlap: Param[Number] = param(0.2, low=0.02, high=0.5, structural=True, doc="of neighbouring tiles, as a share of one")
    steadiness: Param[Number] = param(
        0.6, low=0, high=0.95, step=0.05, doc="how much of the result before is kept where the picture stands still"
    )
    out: Out[Image] = result(space=same("image"), size="free", display=True, doc="what the network made")
    made_of: Out[Points] = result(space=same("image"), doc="the points it was made of: of the picture then, not now")
    past = slot()

    def open(self, context: Any) -> None:
        p = context.params
        mean, std = tuple(p["mean"]), tuple(p["std"])
        layout = Layout(p["axes"], p["takes"], p["gives"], p["order"], mean, std, int(p["multiple"]))
        self._net = PictureModel(context.model(p["model"]), layout)
        self._rows, self._tiles, self._overlap = int(p["rows"]), int(p["tiles"]), float(p["overlap"])
        self._shrink = Shrinker()
        self._work: dict[str, np.ndarray] = {}

    def process(
        self, image: Frame | None, style: Any, points: Any, steadiness: float, tick: Any, state: Any
    ) -> tuple[Frame | None, Any]:
        if image is None or min(image.width, image.height) < 4:  # nobody there
            return None, ()
        if self._net.others and (style is None or not np.size(style)):
            raise ModelError(
                f"Model {self._net.model.name} takes {self._net.others[0]} beside the picture: wire generator.style or "
                "generator.blend26 into `style`."
            )
        self._net.give({name: style for name in self._net.others})
        if state.past is None:
            state.past = {}
        seen = self._seen(image.data, self._size(image.width / image.height))
        keep = self._calm(seen, state.past, float(steadiness), tick.delta)
        result = self._tiled(seen) if self._tiles > 1 else self._run(seen)
        made = self._steady(result, keep, state.past)
        return Frame(made, scaled(image.geometry, made.shape[1], made.shape[0]), image.space), points

    # -- whole, or in tiles

    def _size(self, aspect: float) -> tuple[int, int]:
        """(height, width) at which a picture of that aspect is looked at; the network gets its own size."""
        width, height = self._net.fitting(self._rows * (aspect if self._tiles == 1 else 1.0), self._rows)
        self._net.resize(width, height)
        if self._tiles == 1:
            return height, width
        tall = round(height * (1 + (self._tiles - 1) * (1 - self._overlap)))
        return tall, max(width, round(tall * aspect))

    def _run(self, picture: np.ndarray) -> np.ndarray:
        """What the network makes of a picture of its size. A view that the next run rewrites."""
        self._net.feed(picture)
        self._net.run()
        into = self._array("made", (*self._net.shape(), 3), np.uint8)
        self._net.picture(into)
        return into

    def _tiled(self, picture: np.ndarray) -> np.ndarray:
        """Overlapping parts, each of the network's size, weighed down towards their edges where they meet."""
        assert self._net.size is not None
        side, (height, width) = self._net.size, picture.shape[:2]
        total = self._array("total", (height, width, 3), np.float32)
        weights = self._array("weights", (height, width, 1), np.float32)
        total[:], weights[:] = 0.0, 0.0
        window = self._window(side)
        for y in starts(height, side[1], self._overlap):
            for x in starts(width, side[0], self._overlap):
                here = np.s_[y : y + side[1], x : x + side[0]]
                made = self._run(picture[here])
                if made.shape[:2] != side[::-1]:
                    made = cv2.resize(made, side, interpolation=cv2.INTER_AREA)
                total[here] += made * window
                weights[here] += window
        total /= weights
        into = self._array("joined", (height, width, 3), np.uint8)
        np.rint(total, out=total)
        np.copyto(into, total, casting="unsafe")
        return into

    def _window(self, side: tuple[int, int]) -> np.ndarray:
        def ramp(n: int) -> np.ndarray:
            reach = max(1.0, self._overlap * n)
            return np.clip((np.minimum(np.arange(n), np.arange(n)[::-1]) + 0.5) / reach, 1e-3, 1).astype(np.float32)

        return (ramp(side[1])[:, None] * ramp(side[0])[None])[..., None]

    def _seen(self, picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """The picture at that size (height, width)."""
        into = self._array("seen", (*size, 3), np.uint8)
        self._shrink.into(picture, into)
        return into

    # -- over time

    def _calm(self, seen: np.ndarray, past: dict[str, Any], amount: float, delta: float) -> np.ndarray | None:
        """Take noise out of what stands still, in place, before the network makes strokes of it.

        Gives how much of the past is kept, place by place; None where there is none. All of it lies in the picture's own
        coordinates: a face's crop holds still while the face moves through the frame.
        """
        before = past.get("seen")
        if before is None or before.shape != seen.shape or not 0 < delta < 2.0 or amount <= 0:
            past["seen"] = seen.astype(np.float32)
            return None
        work = self._array("change", seen.shape, np.float32)
        np.subtract(before, seen, out=work)
        apart = np.abs(work, out=self._array("apart", seen.shape, np.float32))
        change = cv2.GaussianBlur(cv2.transform(apart, THIRDS), (0, 0), 3.0)
        keep = np.clip((MOVING - change) * np.float32(amount / (MOVING - STILL)), 0, np.float32(amount))
        work *= keep[..., None]
        np.add(work, seen, out=before)
        np.rint(before, out=work)
        np.copyto(seen, work, casting="unsafe")
        return keep

    def _steady(self, made: np.ndarray, keep: np.ndarray | None, past: dict[str, Any]) -> np.ndarray:
        """The result, leaning on the one before where what it was made of has not changed."""
        before = past.get("made")
        if before is None or before.shape != made.shape or keep is None:
            past["made"], past["out"] = made.astype(np.float32), made.copy()
            return past["out"]
        if keep.shape != made.shape[:2]:
            keep = cv2.resize(keep, made.shape[1::-1])
        rounded = self._array("rounded", before.shape, np.float32)
        before -= made
        before *= keep[..., None]
        before += made
        np.rint(before, out=rounded)
        np.copyto(past["out"], rounded, casting="unsafe")
        return past["out"]

    def _array(self, name: str, shape: tuple[int, ...], kind: Any) -> np.ndarray:
        """Memory of the node's own that lives as long as its shape stays."""
        if name not in self._work or self._work[name].shape != shape:
            self._work[name] = np.zeros(shape, kind)
        return self._work[name]


def starts(length: int, side: int, overlap: float) -> list[int]:
    """Where tiles of `side` begin, so that they cover `length` evenly and overlap by at least that share."""
    if length <= side:
        return [0]
    count = math.ceil((length - side) / (side * (1 - overlap))) + 1
    return [round(i * (length - side) / (count - 1)) for i in range(count)]


class Style(ProcessNode, type="generator.style", fallback="last"):
    """How up to four pictures are painted, as the 100 numbers that `style/transform` takes.

    `which` goes from the first picture (0) to the last, through mixtures of two between. Each picture is looked at
    once, when the effect is loaded.
    """

    first: Param[Asset] = param(None, doc="a painting, a drawing, a pattern")
    second: Param[Asset] = param(None, doc="another one")
    third: Param[Asset] = param(None, doc="another one")
    fourth: Param[Asset] = param(None, doc="another one")
    models = ("style/predict",)
    which: Param[Number] = param(0.0, low=0, high=3, step=0.01, doc="0 the first, 1 the second, 1.5 half second and half third")
    out: Out[Tensor] = result(doc="(100,) float32, for generator.image")

    def open(self, context: Any) -> None:
        self._net = StylePredictor(context.model("style/predict"))
        self._known: dict[str, np.ndarray] = {}

    def process(self, first: Any, second: Any, third: Any, fourth: Any, which: float) -> np.ndarray:
        files = [f for f in (first, second, third, fourth) if f is not None]
        if not files:
            raise ModelError("generator.style has no picture: choose one.")
        place = min(max(float(which), 0.0), len(files) - 1.0)
        low = min(int(place), len(files) - 1)
        high = min(low + 1, len(files) - 1)
        a, b = self._code(files[low]), self._code(files[high])
        return a + (b - a) * np.float32(place - low)

    def _code(self, path: Any) -> np.ndarray:
        key = str(path)
        if key not in self._known:
            from ..runtime.media.pictures import read_picture

            self._known[key] = self._net.look(read_picture(path))
        return self._known[key]


class StylePredictor:
    """`style/predict`: a network from a picture to the numbers of its style."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def look(self, picture: np.ndarray) -> np.ndarray:
        """(n,) float32 of a uint8 RGB picture of any size; its middle square is looked at."""
        view = self._model.input(0)
        side, (height, width) = min(picture.shape[:2]), picture.shape[:2]
        square = picture[(height - side) // 2 :, (width - side) // 2 :][:side, :side]
        small = cv2.resize(np.ascontiguousarray(square[..., :3]), view.shape[2:0:-1], interpolation=cv2.INTER_AREA)
        np.multiply(small, np.float32(1 / 255), out=view[0])
        self._model.run()
        return self._model.output(0).reshape(-1).astype(np.float32).copy()


class Blend26(ProcessNode, type="generator.blend26"):
    """A mixture of two of 26 painting styles, for `style/multistyle26`.

    Among them: 0 pastel, 1 black outlines on yellow, 5 strokes of red and gold, 8 crayons on white, 9 tesserae, 11 sepia
    pen, 15 stained glass, 17 blocks of colour, 19 night blues, 24 woodcut, 25 thick impasto.
    """

    first: Param[Integer] = param(0, low=0, high=STYLES - 1, doc="one style")
    second: Param[Integer] = param(1, low=0, high=STYLES - 1, doc="another one")
    mix: Param[Number] = param(0.0, low=0, high=1, step=0.01, doc="0 only the first, 1 only the second")
    out: Out[Tensor] = result(doc="(26,) float32, for generator.image")

    def process(self, first: int, second: int, mix: float) -> np.ndarray:
        weights = np.zeros(STYLES, np.float32)
        weights[int(first)] += 1 - mix
        weights[int(second)] += mix
        return weights
