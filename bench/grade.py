"""Colour grading at 720p: a chain of six or seven pixel nodes as one kernel, against the same chain by other means.

`affine`: exposure, contrast, saturation, tint, blend by a mask over a background, vignette; an expert can fold that by
hand. `curved`: the same with a gamma before the saturation, which nobody can. uint8 in and out, one thread unless
said otherwise.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from chains import (
    HEIGHT,
    WIDTH,
    Look,
    Native,
    Scene,
    float_steps,
    in_turn,
    matrix,
    numpy_steps,
    reference,
    region,
    uniforms,
)  # fmt: skip
from chains import vignette as darkening
from measure import at_least, at_most, compete, one_core, result, say

from spellwire.runtime.kernels.compiler import Compiler
from spellwire.runtime.kernels.library import Library

LOOKS = {"affine": Look(), "curved": Look(gamma=0.8)}
_HEADROOM = 1.2  # uint8 steps in between hold 0 to this, so that highlights under the vignette survive


def run(quick: bool = True) -> dict:
    """Both chains, all contenders in turn."""
    say("compiling")
    scenes = [Scene(i) for i in range(8)]  # more than the caches hold, as frames of a clip are
    path = Compiler().build([region(look.gamma is not None) for look in LOOKS.values()])
    natives = {"C": Native(), "C, fast maths": Native(("-ffast-math",))}
    rows: list[tuple[str, float, str]] = []
    figures: dict[str, float] = {}
    goals: list[dict] = []
    with tempfile.TemporaryDirectory() as folder:
        ours = {"ours": opened(path, folder, 1), "ours, 2 threads": opened(path, folder, 2)}
        for name, look in LOOKS.items():
            say(f"{name}: measuring")
            ways, errors = _contenders(scenes, look, ours, natives)
            ways["ours, 2 threads"]()  # its second thread starts before this one is held to a core
            with one_core():
                times = {way: t.ms for way, t in compete(ways, seconds=7.0 if quick else 20.0).items()}
            rows += [(f"{name}: {way}", ms, "ms") for way, ms in times.items()]
            rows += [(f"{name}: {way}, largest difference", error, "1/255") for way, error in errors.items()]
            _judge(name, times, errors["ours"], figures, goals)
    return result("grade", rows, figures, goals)


def _judge(
    name: str, times: dict[str, float], error: float, figures: dict[str, float], goals: list[dict]
) -> None:
    ours, c = times["ours"], min(ms for way, ms in times.items() if way.startswith("C"))
    best = min(ms for way, ms in times.items() if way.startswith("OpenCV uint8"))
    figures |= {
        f"{name}_ours_1": ours,
        f"{name}_ours_2": times["ours, 2 threads"],
        f"{name}_opencv_1": best,
        f"{name}_opencv_float_1": times["OpenCV float32"],
        f"{name}_c_1": c,
        f"{name}_numpy_1": times["NumPy float32"],
        f"{name}_difference": error,
    }
    goals += [
        at_least(f"{name}: times as fast as the best OpenCV", best / ours, 1.7 if name == "affine" else 2.0),
        at_least(f"{name}: times as fast as OpenCV in float", times["OpenCV float32"] / ours, 10.0),
        at_least(f"{name}: times as fast as C", c / ours, 2.0),
        at_most(f"{name}: difference, 1/255", error, 1.0),
    ]
    if name == "affine":
        figures["memory_1"] = times["a pass over the same memory"]
        goals.append(at_most("affine: memory passes", ours / figures["memory_1"], 3.0))


def opened(path: Path, folder: str, threads: int) -> Library:
    """The library under a name of its own, so that its threads are its own."""
    library = Library(Path(shutil.copy(path, Path(folder) / f"kernels{threads}{path.suffix}")))
    library.set_threads(threads)
    return library


def difference(picture: np.ndarray, expected: np.ndarray) -> float:
    return float(np.abs(picture.astype(np.int16) - expected.astype(np.int16)).max())


def _contenders(
    scenes: list[Scene], look: Look, ours: dict[str, Library], natives: dict[str, Native]
) -> tuple[dict[str, Callable[[], object]], dict[str, float]]:
    """Name → call on the next scene, and name → largest difference from the oracle on the first."""
    ways: dict[str, Callable[[], object]] = {}
    results: dict[str, np.ndarray] = {}
    kernel, numbers = region(look.gamma is not None), uniforms(look)
    for name, library in ours.items():
        out = results[name] = scenes[0].output()
        bind = library.kernel(kernel).bind
        ways[name] = in_turn(
            scenes, lambda s, b=bind, o=out: b([s.image, s.mask[..., None], s.background], [], numbers, [o])
        )
    for name, native in natives.items():
        out = results[name] = scenes[0].output()
        ways[name] = in_turn(scenes, lambda s, n=native, o=out: n.grade(s, look, o))
    for name, contender in (
        ("OpenCV uint8, whole frame", Uint8(scenes[0], look, HEIGHT)),
        ("OpenCV uint8, strips of 120", Uint8(scenes[0], look, 120)),
        ("OpenCV uint8, strips of 40", Uint8(scenes[0], look, 40)),
        ("OpenCV uint8, blendLinear", Blend(scenes[0], look)),
        ("OpenCV float32", float_steps(scenes[0], look)),
        ("NumPy float32", numpy_steps(scenes[0], look)),
    ):
        ways[name], results[name] = in_turn(scenes, contender.on), contender.out
    expected = reference(scenes[0], look)
    errors = {}
    for name, way in ways.items():
        way()
        errors[name] = difference(results[name], expected)
    if look.gamma is None:
        out = scenes[0].output()
        ways["a pass over the same memory"] = in_turn(scenes, lambda s: natives["C"].memory(s, out))
    return ways, errors


class Uint8(float_steps):
    """OpenCV as an expert folds it: a table for what bends, one matrix, and two weights from mask and vignette.

    picture·(mask·vignette) + background·(vignette − mask·vignette), all in uint8; strips stay in the caches.
    """

    def __init__(self, scene: Scene, look: Look, rows: int):
        self.scene, self.look, self.rows = scene, look, rows
        shape = (rows, WIDTH)
        self.low, self.weight = (np.empty((*shape, n), np.uint8) for n in (3, 1))
        self.colour, self.front, self.back, self.weights = (np.empty((*shape, 3), np.uint8) for _ in range(4))
        self.out = scene.output()
        self.vignette = (darkening(look) * 255 + 0.5).astype(np.uint8)
        self.matrix = (matrix(look, look.gamma is None) / (_HEADROOM if look.gamma is None else 1)).astype(
            np.float32
        )
        self.table = None
        if look.gamma is not None:
            v = (np.arange(256) / 255 * look.gain - 0.5) * look.contrast + 0.5
            self.table = (np.clip(np.maximum(v, 0) ** look.gamma / _HEADROOM, 0, 1) * 255 + 0.5).astype(
                np.uint8
            )

    def __call__(self) -> np.ndarray:
        for y in range(0, HEIGHT, self.rows):
            self._strip(slice(y, y + self.rows), min(self.rows, HEIGHT - y))
        return self.out

    def _strip(self, rows: slice, n: int) -> None:
        self.chain(self.scene.image[rows], rows, n)

    def chain(self, image: np.ndarray, rows: slice, n: int) -> None:
        scene = self.scene
        if self.table is not None:
            image = cv2.LUT(image, self.table, dst=self.low[:n])
        colour = cv2.transform(image, self.matrix, dst=self.colour[:n])
        self.blend(colour, scene.background[rows], scene.mask[rows], self.vignette[rows], self.out[rows], n)

    def blend(self, colour, background, mask, vignette, out, n: int) -> None:
        weight, weights = self.weight[:n, :, 0], self.weights[:n]
        cv2.multiply(mask, vignette, dst=weight, scale=1 / 255)
        cv2.cvtColor(weight, cv2.COLOR_GRAY2BGR, dst=weights)
        cv2.multiply(colour, weights, dst=self.front[:n], scale=_HEADROOM / 255)
        cv2.subtract(vignette, weight, dst=weight)
        cv2.cvtColor(weight, cv2.COLOR_GRAY2BGR, dst=weights)
        cv2.multiply(background, weights, dst=self.back[:n], scale=1 / 255)
        cv2.add(self.front[:n], self.back[:n], dst=out)


class Blend(Uint8):
    """The other way to blend: cv2.blendLinear with float weights, then the vignette."""

    def __init__(self, scene: Scene, look: Look):
        super().__init__(scene, look, HEIGHT)
        self.matrix = self.matrix * (_HEADROOM if look.gamma is None else 1)
        if self.table is not None:
            self.table = np.clip(self.table * _HEADROOM, 0, 255).astype(np.uint8)
        self.one, self.other = (np.empty((HEIGHT, WIDTH), np.float32) for _ in range(2))
        self.vignette3 = cv2.merge([self.vignette] * 3)

    def blend(self, colour, background, mask, vignette, out, n: int) -> None:
        cv2.multiply(mask, 1 / 255, dst=self.one, dtype=cv2.CV_32F)
        cv2.subtract(1.0, self.one, dst=self.other)
        cv2.blendLinear(colour, background, self.one, self.other, dst=self.front)
        cv2.multiply(self.front, self.vignette3, dst=out, scale=1 / 255)
