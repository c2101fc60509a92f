"""Bloom at 720p: a Gaussian of the bright part added to the picture, then the curved colour chain of `grade`.

One kernel does the blur (σ 4 pixels, 25 taps each way) and the chain, against OpenCV in uint8 and in float, and C. Ours
blurs every third row and puts curves through them, to within 0.6/255 (`runtime/pixel/broad.py`); OpenCV may save work as
well: one of its forms blurs at half the size.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable

import cv2
import numpy as np
from chains import HEIGHT, WIDTH, Look, Native, Scene, float_steps, graded, in_turn, load, reference, uniforms
from grade import Uint8, difference, opened
from measure import at_least, at_most, compete, one_core, result, say

from spellwire.runtime.engine.tables import GAUSS, gaussian_weights
from spellwire.runtime.kernels.compiler import Compiler
from spellwire.runtime.pixel import Vec, maximum
from spellwire.runtime.pixel.lang import Expr, make
from spellwire.runtime.pixel.region import Read, Region, Write

LOOK = Look(gamma=0.8)
SIGMA, RADIUS, THRESHOLD = 4.0, 12, 0.5


def run(quick: bool = True) -> dict:
    """All contenders in turn, one thread each but for the row that says otherwise."""
    say("compiling")
    scenes = [Scene(i) for i in range(8)]
    path = Compiler().build([region()])
    natives = {"C": Native(), "C, fast maths": Native(("-ffast-math",))}
    with tempfile.TemporaryDirectory() as folder:
        ways: dict[str, Callable[[], object]] = {}
        results: dict[str, np.ndarray] = {}
        numbers = np.append(uniforms(LOOK), np.array([THRESHOLD, RADIUS], np.float32))
        for name, threads in (("ours", 1), ("ours, 2 threads", 2)):
            bind, out = opened(path, folder, threads).kernel(region()).bind, scenes[0].output()
            results[name] = out
            ways[name] = in_turn(
                scenes,
                lambda s, b=bind, o=out: b(
                    [s.image, s.mask[..., None], s.background], [table()], numbers, [o]
                ),
            )
        for name, native in natives.items():
            out = results[name] = scenes[0].output()
            ways[name] = in_turn(scenes, lambda s, n=native, o=out: n.bloom(s, LOOK, o, THRESHOLD, weights()))
        for name, contender in (
            ("OpenCV uint8, whole frame", Uint8Bloom(scenes[0], HEIGHT)),
            ("OpenCV uint8, strips of 120", Uint8Bloom(scenes[0], 120)),
            ("OpenCV uint8, blurred at half the size", HalfBloom(scenes[0])),
            ("OpenCV float32", FloatBloom(scenes[0], LOOK)),
        ):
            ways[name], results[name] = in_turn(scenes, contender.on), contender.out
        expected, errors = oracle(scenes[0]), {}
        for name, way in ways.items():
            way()
            errors[name] = difference(results[name], expected)
        say("measuring")
        with one_core():
            times = {way: t.ms for way, t in compete(ways, seconds=12.0 if quick else 30.0).items()}
    rows = [(way, ms, "ms") for way, ms in times.items()]
    rows += [(f"{way}, largest difference", error, "1/255") for way, error in errors.items()]
    figures = {
        "ours_1": times["ours"],
        "ours_2": times["ours, 2 threads"],
        "opencv_1": min(ms for way, ms in times.items() if way.startswith("OpenCV uint8")),
        "opencv_float_1": times["OpenCV float32"],
        "c_1": min(ms for way, ms in times.items() if way.startswith("C")),
        "difference": errors["ours"],
    }
    goals = [
        at_least("times as fast as the best OpenCV", figures["opencv_1"] / figures["ours_1"], 1.5),
        at_most("difference, 1/255", figures["difference"], 1.0),
    ]
    return result("bloom", rows, figures, goals)


def weights() -> np.ndarray:
    """Half a Gaussian, its sum over both sides 1."""
    return table()[: RADIUS + 1].copy()


def table() -> np.ndarray:
    """The same as the engine hands it to a kernel."""
    numbers = np.zeros(GAUSS, np.float32)
    assert gaussian_weights(SIGMA, numbers) == RADIUS
    return numbers


def region() -> Region:
    """As pixel nodes say it: bright part, blurred along x and y, added, graded."""
    rgb = load(0, 3)
    threshold, radius = (Expr("uniform", (), slot) for slot in (13, 14))
    soft = []
    for part in maximum(rgb - Vec(threshold), 0.0).parts:
        for axis in ("x", "y"):
            part = make("gauss", part, radius, attr=(axis, 0))
        soft.append(part)
    graded_rgb = graded(rgb + Vec(*soft), True)
    return Region((Read("u8", 3), Read("u8", 1), Read("u8", 3)), 1, 15, (Write("u8", graded_rgb.parts),))


def oracle(scene: Scene) -> np.ndarray:
    """In float64."""
    image = scene.image / 255.0
    full = np.concatenate([weights()[:0:-1], weights()]).astype(np.float64)
    soft = np.maximum(image - THRESHOLD, 0)
    for axis in (0, 1):
        pad = [(RADIUS, RADIUS) if a == axis else (0, 0) for a in range(3)]
        padded, size = np.pad(soft, pad, mode="edge"), soft.shape[axis]
        soft = sum(w * np.take(padded, range(k, k + size), axis) for k, w in enumerate(full))
    return reference(scene, LOOK, image + soft)


class Uint8Bloom(Uint8):
    """OpenCV in uint8: subtract saturates at 0, GaussianBlur in fixed point, add; then the folded chain."""

    def __init__(self, scene: Scene, rows: int):
        super().__init__(scene, LOOK, rows)
        self.bright = np.empty((rows + 2 * RADIUS, WIDTH, 3), np.uint8)
        self.soft = np.empty_like(self.bright)
        self.sum = np.empty((rows, WIDTH, 3), np.uint8)
        self.image = scene.image

    def _strip(self, rows: slice, n: int) -> None:
        image = self.scene.image
        top, bottom = max(0, rows.start - RADIUS), min(HEIGHT, rows.start + n + RADIUS)
        bright, soft = self.bright[: bottom - top], self.soft[: bottom - top]
        cv2.subtract(image[top:bottom], (THRESHOLD * 255,) * 4, dst=bright)
        cv2.GaussianBlur(bright, (2 * RADIUS + 1,) * 2, SIGMA, dst=soft, borderType=cv2.BORDER_REPLICATE)
        start = rows.start - top
        self.chain(cv2.add(image[rows], soft[start : start + n], dst=self.sum[:n]), rows, n)


class HalfBloom(Uint8Bloom):
    """The same, the blur at half the size, with what halving and enlarging already blur taken off its variance."""

    def __init__(self, scene: Scene):
        super().__init__(scene, HEIGHT)
        self.small, self.small_soft = (np.empty((HEIGHT // 2, WIDTH // 2, 3), np.uint8) for _ in range(2))
        self.sigma = ((SIGMA**2 - 1 / 4 - 2 / 3) / 4) ** 0.5

    def _strip(self, rows: slice, n: int) -> None:
        image, bright, soft = self.scene.image, self.bright[:HEIGHT], self.soft[:HEIGHT]
        cv2.subtract(image, (THRESHOLD * 255,) * 4, dst=bright)
        cv2.resize(bright, self.small.shape[1::-1], dst=self.small, interpolation=cv2.INTER_AREA)
        size = (RADIUS + 1,) * 2
        cv2.GaussianBlur(self.small, size, self.sigma, dst=self.small_soft, borderType=cv2.BORDER_REPLICATE)
        cv2.resize(self.small_soft, (WIDTH, HEIGHT), dst=soft, interpolation=cv2.INTER_LINEAR)
        self.chain(cv2.add(image, soft, dst=self.sum), rows, n)


class FloatBloom(float_steps):
    """OpenCV in float32, step by step."""

    def __init__(self, scene: Scene, look: Look):
        super().__init__(scene, look)
        self.bright, self.soft = np.empty_like(self.rgb), np.empty_like(self.rgb)

    def __call__(self) -> np.ndarray:
        cv2.multiply(self.scene.image, (1 / 255,) * 4, dst=self.rgb, dtype=cv2.CV_32F)
        cv2.subtract(self.rgb, (THRESHOLD,) * 4, dst=self.bright)
        cv2.max(self.bright, 0.0, dst=self.bright)  # pyright: ignore[reportCallIssue, reportArgumentType]
        size = (2 * RADIUS + 1,) * 2
        cv2.GaussianBlur(self.bright, size, SIGMA, dst=self.soft, borderType=cv2.BORDER_REPLICATE)
        cv2.add(self.rgb, self.soft, dst=self.rgb)
        return self.rest(self.rgb)
