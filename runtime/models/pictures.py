"""Networks that take a picture: how they want it is declared, and checked against what the file says.

    net = PictureModel(model, Layout(takes="-1..1"))
    net.resize(640, 360)              # where the network takes any size
    net.feed(picture)                 # uint8 RGB (height, width, 3) of net.size
    net.run()
    net.picture(into)                 # uint8 RGB, or net.plane(into): one float32 channel

A declaration that the file contradicts is a ModelError that quotes both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from ...graph.errors import ModelError
from .model import Model, TensorInfo

__all__ = ["Axes", "Layout", "Order", "PictureModel", "Range"]

Axes = Literal["auto", "nchw", "nhwc"]
Range = Literal["0..1", "-1..1", "0..255"]
Order = Literal["rgb", "bgr"]
Triple = tuple[float, float, float]

# value = 0..255 · scale + offset
SCALES: dict[str, tuple[float, float]] = {"0..1": (1 / 255, 0.0), "-1..1": (2 / 255, -1.0), "0..255": (1.0, 0.0)}
LARGEST = 4096  # a side; above it a mistyped number would ask for all the memory


@dataclass(frozen=True, slots=True)
class Layout:
    """How a network takes and gives pictures.

    Attributes:
        axes: of input and output; "auto" is told by which axis has the channels.
        takes, gives: the range of a channel's values going in and coming out.
        order: of the channels, both ways.
        mean, std: taken off and divided by, after the range, in the network's order of channels.
        multiple: width and height must be multiples of it, where the file leaves them free.
    """

    axes: Axes = "auto"
    takes: Range = "0..1"
    gives: Range = "0..1"
    order: Order = "rgb"
    mean: Triple = (0.0, 0.0, 0.0)
    std: Triple = (1.0, 1.0, 1.0)
    multiple: int = 1

    def __post_init__(self) -> None:
        for name, words in (("axes", Axes), ("takes", Range), ("gives", Range), ("order", Order)):
            if getattr(self, name) not in get_args(words):
                known = ", ".join(get_args(words))
                raise ModelError(f"A layout's {name} is one of {known}, not {getattr(self, name)!r}.")
        if not all(abs(s) > 1e-9 for s in self.std):
            raise ModelError(f"A layout's std divides, so {self.std} can't hold 0.")


class PictureModel:
    """A loaded network behind its layout.

    Attributes:
        size: (width, height) it takes; None while the file leaves it free and `resize` was not called.
        others: names of its further inputs, to be fed by `model.feed`.

    Args:
        channels: of its output: 3 for a picture, 1 for a plane (depth, a mask).

    Raises:
        ModelError: the file takes no picture, or other axes than declared, or gives something else.
    """

    def __init__(self, model: Model, layout: Layout, *, channels: int = 3) -> None:
        self.model, self.layout, self.channels = model, layout, channels
        self._input, self._first = self._find(model.inputs, 3, "takes")
        self._output, self._last = self._find_output(channels)
        info = model.inputs[self._input]
        self._check_batch(info)
        height, width = _sides(info.shape, self._first)
        self.fixed = height is not None and width is not None
        self.size: tuple[int, int] | None = (width, height) if self.fixed else None  # type: ignore[assignment]
        self.others = tuple(other.name for i, other in enumerate(model.inputs) if i != self._input)
        self._scale, self._offset = self._factors()
        self._work = np.zeros(0, np.float32)

    # -- the file against the declaration

    def _find(self, infos: tuple[TensorInfo, ...], channels: int, verb: str) -> tuple[int, bool]:
        """The picture among tensors: its position, and whether channels come first."""
        for axes in ("nchw", "nhwc") if self.layout.axes == "auto" else (self.layout.axes,):
            for i, info in enumerate(infos):
                if len(info.shape) == 4 and info.shape[1 if axes == "nchw" else 3] == channels:
                    return i, axes == "nchw"
        held = ", ".join(map(str, infos)) or "nothing"
        other = "nhwc" if self.layout.axes == "nchw" else "nchw"
        turned = self.layout.axes != "auto" and any(
            len(i.shape) == 4 and i.shape[1 if other == "nchw" else 3] == channels for i in infos
        )
        fix = f"Set its axes to {other}" if turned else f"Choose a network that {verb} pictures"
        wanted = "four axes, one of them of 3 channels"
        if self.layout.axes != "auto":
            wanted = f"four axes in the order {self.layout.axes}, as was declared"
        raise ModelError(f"Model {self.model.name} {verb} {held}; a picture has {wanted}. {fix}.")

    def _find_output(self, channels: int) -> tuple[int, bool]:
        infos = self.model.outputs
        if channels == 1:
            for i, info in enumerate(infos):
                axes = [axis for axis in info.shape if axis != 1]
                if 2 <= len(info.shape) <= 4 and len(axes) == 2:
                    return i, True
            held = ", ".join(map(str, infos)) or "nothing"
            raise ModelError(
                f"Model {self.model.name} gives {held}; what is needed is one plane, such as (1, 1, height, width). "
                "Choose a network that gives one."
            )
        free = [i for i, info in enumerate(infos) if len(info.shape) == 4 and all(a in (None, 1) for a in info.shape)]
        try:
            return self._find(infos, channels, "gives")
        except ModelError:
            if free:  # an exporter that left all axes free: seen after the first run
                return free[0], self._first
            raise

    def _check_batch(self, info: TensorInfo) -> None:
        if info.shape[0] not in (None, 1):
            raise ModelError(
                f"Model {self.model.name} takes {info}, {info.shape[0]} pictures at a time; export it for one."
            )
        if info.dtype not in (np.dtype(np.float32), np.dtype(np.float16), np.dtype(np.uint8)):
            raise ModelError(f"Model {self.model.name} takes {info}; pictures are fed as float32, float16 or uint8.")
        if info.dtype == np.uint8 and (self.layout.takes != "0..255" or any(self.layout.mean)):
            raise ModelError(
                f"Model {self.model.name} takes {info}, whole numbers 0..255, but {self.layout.takes} was declared. "
                "Set its range to 0..255, and no mean."
            )

    def _factors(self) -> tuple[np.ndarray, np.ndarray]:
        scale, offset = SCALES[self.layout.takes]
        mean, std = np.array(self.layout.mean, np.float32), np.array(self.layout.std, np.float32)
        shape = (3, 1, 1) if self._first else (3,)
        return (scale / std).astype(np.float32).reshape(shape), ((offset - mean) / std).astype(np.float32).reshape(shape)

    # -- sizes

    def fitting(self, width: float, height: float) -> tuple[int, int]:
        """The size nearest to that which the network takes."""
        if self.size is not None and self.fixed:
            return self.size
        step = max(int(self.layout.multiple), 1)
        w, h = (min(max(step, round(side / step) * step), LARGEST // step * step) for side in (width, height))
        return w, h

    def resize(self, width: int, height: int) -> None:
        """Take pictures of that size from now on, where the file leaves it free. ModelError where it can't."""
        if self.size == (width, height):
            return
        if self.fixed:
            only = "×".join(map(str, self.size or ()))
            raise ModelError(f"Model {self.model.name} takes pictures of {only} only, not {width}×{height}.")
        self.model.resize(self._input, (1, 3, height, width) if self._first else (1, height, width, 3))
        self.size = width, height

    # -- a run

    def feed(self, picture: np.ndarray) -> None:
        """uint8 RGB (height, width, 3) of `size`, into the network's memory."""
        view = self.model.input(self._input)[0]
        if self.layout.order == "bgr":
            picture = picture[..., ::-1]
        if self._first:
            picture = picture.transpose(2, 0, 1)
        if view.dtype == np.uint8:
            np.copyto(view, picture)
            return
        np.multiply(picture, self._scale, out=view, casting="unsafe")
        if self._offset.any():
            view += self._offset.astype(view.dtype)

    def give(self, values: Mapping[str, np.ndarray]) -> None:
        """Feed further inputs by name, reshaped where their number of values is right.

        Raises:
            ModelError: one is missing, or has another number of values than the file asks for.
        """
        for name in self.others:
            if name not in values:
                raise ModelError(f"Model {self.model.name} also takes {self._info(name)}; wire it.")
            target, value = self.model.input(name), np.asarray(values[name])
            if target.size != value.size:
                raise ModelError(
                    f"Model {self.model.name}: {self._info(name)} takes {target.size} numbers, and {value.size} came in. "
                    "Wire what was made for this model."
                )
            np.copyto(target, value.reshape(target.shape), casting="unsafe")

    def _info(self, name: str) -> TensorInfo:
        return next(info for info in self.model.inputs if info.name == name)

    def run(self) -> None:
        """Compute; ModelError if the library fails."""
        self.model.run()

    def shape(self) -> tuple[int, int]:
        """(height, width) of what the last run gave.

        Raises:
            ModelError: it is no picture after all (axes that the file left free).
        """
        found = self.model.output(self._output)
        if self.channels == 1:
            sides = [n for n in found.shape if n != 1]
            return (sides[0], sides[1]) if len(sides) == 2 else self._no_picture(found)
        fits = found.ndim == 4 and found.shape[1 if self._last else 3] == 3
        return _sides(found.shape, self._last) if fits else self._no_picture(found)  # type: ignore[return-value]

    def _no_picture(self, found: np.ndarray) -> Any:
        what = "one plane" if self.channels == 1 else "a picture of 3 channels"
        raise ModelError(f"Model {self.model.name} gave an array of {found.shape}, not {what}.")

    def picture(self, into: np.ndarray) -> None:
        """What the last run gave, as uint8 RGB; `into` is (*shape(), 3). What is no number is black."""
        found = self.model.output(self._output)[0]
        if self._last:
            found = found.transpose(1, 2, 0)
        if self._work.shape != found.shape:
            self._work = np.zeros(found.shape, np.float32)
        scale, offset = SCALES[self.layout.gives]
        np.multiply(found, np.float32(1 / scale), out=self._work)
        self._work += np.float32(0.5 - offset / scale)
        np.fmax(self._work, np.float32(0.0), out=self._work)  # of a number and NaN, the number
        np.fmin(self._work, np.float32(255.0), out=self._work)
        np.copyto(into, self._work[..., ::-1] if self.layout.order == "bgr" else self._work, casting="unsafe")

    def plane(self, into: np.ndarray) -> None:
        """The one channel that the last run gave, as it is; `into` is float32 of shape()."""
        np.copyto(into, self.model.output(self._output).reshape(into.shape), casting="unsafe")


def _sides(shape: tuple[int | None, ...], first: bool) -> tuple[int | None, int | None]:
    return (shape[2], shape[3]) if first else (shape[1], shape[2])
