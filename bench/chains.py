"""The colour chains that `grade` and `bloom` compare: one description, and each contender's own way to do it.

exposure, contrast, [gamma,] saturation, tint, blend by a mask over a background, vignette. Every contender reads the
same uint8 picture, mask and background, and writes uint8; they may change each frame, the parameters don't.
"""

from __future__ import annotations

import ctypes
import hashlib
import itertools
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from spellwire.runtime.kernels.cache import Cache
from spellwire.runtime.pixel import Vec, clamp, dot, luma, maximum, mix, power
from spellwire.runtime.pixel.lang import Expr, vec
from spellwire.runtime.pixel.region import Read, Region, Write

__all__ = [
    "HEIGHT",
    "WIDTH",
    "Look",
    "Native",
    "Scene",
    "float_steps",
    "numpy_steps",
    "reference",
    "region",
    "uniforms",
]

WIDTH, HEIGHT = 1280, 720
LUMA = (0.2126, 0.7152, 0.0722)


@dataclass(frozen=True)
class Look:
    """The parameters. Gamma None leaves the step out."""

    gain: float = 1.12
    contrast: float = 1.15
    gamma: float | None = None
    saturation: float = 1.25
    tint: tuple[float, float, float] = (1.04, 1.0, 0.93)
    inner: float = 0.45  # the vignette starts here, in frame heights from the middle
    outer: float = 1.1
    darkness: float = 0.6


def _picture(seed: int) -> np.ndarray:
    """A picture with flat, smooth and busy places, uint8; soft enough that no way clips what another keeps."""
    rng = np.random.default_rng(seed)
    coarse = cv2.resize(
        rng.random((9, 16, 3)).astype(np.float32), (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC
    )
    fine = rng.normal(0, 0.02, (HEIGHT, WIDTH, 3)).astype(np.float32)
    return ((0.2 + 0.5 * np.clip(coarse + fine, 0, 1)) * 255).astype(np.uint8)


def _mask(seed: int) -> np.ndarray:
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    distance = np.hypot((x - WIDTH / 2 - 20 * seed) / 330, (y - HEIGHT * 0.55) / 300)
    return (np.clip((1.15 - distance) / 0.3, 0, 1) * 255).astype(np.uint8)


class Scene:
    """What all contenders read: one frame of a clip, its mask and its background."""

    def __init__(self, seed: int = 0):
        self.image, self.background, self.mask = _picture(2 * seed), _picture(2 * seed + 1), _mask(seed)

    def output(self) -> np.ndarray:
        return np.empty_like(self.image)


def in_turn(scenes: Sequence[Scene], call: Callable[[Scene], Callable[[], object]]) -> Callable[[], object]:
    """Call after call on the next scene, as a clip's frames come: none of them waits in the nearest cache."""
    calls = itertools.cycle([call(scene) for scene in scenes])
    return lambda: next(calls)()


# ours


def uniforms(look: Look) -> np.ndarray:
    """As `region` numbers them."""
    numbers = [look.gain, look.contrast, look.gamma or 1.0, look.saturation, *look.tint]
    numbers += [WIDTH / 2, HEIGHT / 2, 1 / HEIGHT, look.inner, 1 / (look.outer - look.inner), look.darkness]
    return np.array(numbers, np.float32)


def _uniform(slot: int) -> Vec:
    return Vec(Expr("uniform", (), slot))


def load(read: int, channels: int) -> Vec:
    return Vec(*(Expr("load", (), (read, c)) for c in range(channels)))


def graded(rgb: Vec, gamma: bool) -> Vec:
    """The chain, as pixel nodes say it."""
    rgb = rgb * _uniform(0)
    rgb = (rgb - 0.5) * _uniform(1) + 0.5
    if gamma:
        rgb = power(maximum(rgb, 0.0), maximum(_uniform(2), 0.125))
    rgb = mix(luma(rgb), rgb, _uniform(3)) * vec(_uniform(4), _uniform(5), _uniform(6))
    rgb = mix(load(2, 3), rgb, load(1, 1))
    x = (Vec(Expr("x")) - _uniform(7)) * _uniform(9)
    y = (Vec(Expr("y")) - _uniform(8)) * _uniform(9)
    t = clamp((dot(vec(x, y), vec(x, y)) - _uniform(10)) * _uniform(11))
    return rgb * (1.0 - t * t * (3.0 - 2.0 * t) * _uniform(12))


def region(gamma: bool) -> Region:
    """Reads image, mask, background; writes the graded picture."""
    rgb = graded(load(0, 3), gamma)
    return Region((Read("u8", 3), Read("u8", 1), Read("u8", 3)), 0, 13, (Write("u8", rgb.parts),))


# the oracle


def vignette(look: Look, dtype: type = np.float64) -> np.ndarray:
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float64)
    x, y = (x + 0.5 - WIDTH / 2) / HEIGHT, (y + 0.5 - HEIGHT / 2) / HEIGHT
    t = np.clip((x * x + y * y - look.inner) / (look.outer - look.inner), 0, 1)
    return (1 - t * t * (3 - 2 * t) * look.darkness).astype(dtype)


def reference(scene: Scene, look: Look, image: np.ndarray | None = None) -> np.ndarray:
    """The chain in float64, rounded to uint8; `image` (0–1) replaces the picture."""
    rgb = scene.image / 255.0 if image is None else image
    mask, background = scene.mask[..., None] / 255.0, scene.background / 255.0
    rgb = (rgb * look.gain - 0.5) * look.contrast + 0.5
    if look.gamma is not None:
        rgb = np.maximum(rgb, 0) ** look.gamma
    grey = rgb @ np.array(LUMA)
    rgb = (grey[..., None] + (rgb - grey[..., None]) * look.saturation) * np.array(look.tint)
    rgb = (background + (rgb - background) * mask) * vignette(look)[..., None]
    return np.floor(np.clip(rgb, 0, 1) * 255 + 0.5).astype(np.uint8)


def matrix(look: Look, affine_part: bool) -> np.ndarray:
    """Saturation and tint as a 3×4 matrix on uint8 values, with exposure and contrast where they can be folded in."""
    keep = np.eye(3) * look.saturation + np.outer(np.ones(3), LUMA) * (1 - look.saturation)
    keep = np.diag(look.tint) @ keep
    if not affine_part:
        return np.hstack([keep, np.zeros((3, 1))])
    offset = keep @ np.full(3, (0.5 - 0.5 * look.contrast) * 255)
    return np.hstack([keep * (look.gain * look.contrast), offset[:, None]])


# peers in whole-frame steps of float32, every buffer made beforehand


class float_steps:
    """OpenCV, step by step in float32."""

    def __init__(self, scene: Scene, look: Look):
        self.scene, self.look = scene, look
        shape = scene.image.shape
        self.rgb, self.other, self.back, self.mask3 = (np.empty(shape, np.float32) for _ in range(4))
        self.grey, self.mask = (np.empty(shape[:2], np.float32) for _ in range(2))
        self.out = scene.output()
        self.vignette = cv2.merge([vignette(look, np.float32) * 255] * 3)
        self.tint = tuple(float(t) for t in look.tint) + (0.0,)
        self.luma = np.array([LUMA], np.float32)

    def on(self, scene: Scene) -> Callable[[], object]:
        """A call on this scene."""

        def call() -> np.ndarray:
            self.scene = scene
            return self()

        return call

    def __call__(self) -> np.ndarray:
        cv2.multiply(self.scene.image, (1 / 255,) * 4, dst=self.rgb, dtype=cv2.CV_32F)
        return self.rest(self.rgb)

    def rest(self, rgb: np.ndarray) -> np.ndarray:
        """From a float32 picture on."""
        look, other = self.look, self.other
        cv2.multiply(rgb, (look.gain,) * 4, dst=rgb)
        cv2.subtract(rgb, (0.5,) * 4, dst=rgb)
        cv2.multiply(rgb, (look.contrast,) * 4, dst=rgb)
        cv2.add(rgb, (0.5,) * 4, dst=rgb)
        if look.gamma is not None:
            cv2.max(rgb, 0.0, dst=rgb)  # pyright: ignore[reportCallIssue, reportArgumentType]
            cv2.pow(rgb, look.gamma, dst=rgb)
        cv2.transform(rgb, self.luma, dst=self.grey)
        cv2.merge([self.grey] * 3, dst=other)
        cv2.addWeighted(rgb, look.saturation, other, 1 - look.saturation, 0, dst=rgb)
        cv2.multiply(rgb, self.tint, dst=rgb)
        cv2.multiply(self.scene.background, (1 / 255,) * 4, dst=self.back, dtype=cv2.CV_32F)
        cv2.multiply(self.scene.mask, 1 / 255, dst=self.mask, dtype=cv2.CV_32F)  # pyright: ignore[reportCallIssue, reportArgumentType]
        cv2.merge([self.mask] * 3, dst=self.mask3)
        cv2.subtract(rgb, self.back, dst=rgb)
        cv2.multiply(rgb, self.mask3, dst=rgb)
        cv2.add(rgb, self.back, dst=rgb)
        cv2.multiply(rgb, self.vignette, dst=self.out, dtype=cv2.CV_8U)
        return self.out


class numpy_steps(float_steps):
    """NumPy in float32, in place."""

    def __init__(self, scene: Scene, look: Look):
        self.scene, self.look = scene, look
        shape = scene.image.shape
        self.rgb, self.back, self.other = (np.empty(shape, np.float32) for _ in range(3))
        self.grey, self.mask = (np.empty((*shape[:2], 1), np.float32) for _ in range(2))
        self.out = scene.output()
        self.vignette = vignette(look, np.float32)[..., None] * np.float32(255)
        self.tint = np.array(look.tint, np.float32)
        self.luma = np.array(LUMA, np.float32)

    def __call__(self) -> np.ndarray:
        look, rgb, back, grey = self.look, self.rgb, self.back, self.grey
        np.multiply(self.scene.image, np.float32(1 / 255), out=rgb)
        rgb *= np.float32(look.gain)
        rgb -= np.float32(0.5)
        rgb *= np.float32(look.contrast)
        rgb += np.float32(0.5)
        if look.gamma is not None:
            np.maximum(rgb, 0, out=rgb)
            np.power(rgb, np.float32(look.gamma), out=rgb)
        np.matmul(rgb, self.luma, out=grey[..., 0])
        rgb -= grey
        rgb *= np.float32(look.saturation)
        rgb += grey
        rgb *= self.tint
        np.multiply(self.scene.background, np.float32(1 / 255), out=back)
        np.multiply(self.scene.mask[..., None], np.float32(1 / 255), out=self.mask)
        rgb -= back
        rgb *= self.mask
        rgb += back
        rgb *= self.vignette
        rgb += np.float32(0.5)
        np.clip(rgb, 0, 255, out=rgb)
        np.copyto(self.out, rgb, casting="unsafe")
        return self.out


# C


class Native:
    """`chains.c`, compiled by `zig cc -O3 -march=native` and the given flags; kept in the kernel cache."""

    def __init__(self, flags: tuple[str, ...] = ()):
        source = Path(__file__).with_name("chains.c")
        options = ["-O3", "-march=native", "-fno-sanitize=all", "-shared", "-fPIC", *flags]
        key = hashlib.sha256(repr(options).encode() + source.read_bytes()).hexdigest()
        cache = Cache()
        path = cache.path(key, ".so")
        if path is None:
            with tempfile.TemporaryDirectory() as folder:
                output = Path(folder) / "chains.so"
                subprocess.run(
                    [sys.executable, "-m", "ziglang", "cc", *options, "-o", str(output), str(source), "-lm"],
                    check=True, capture_output=True,
                )  # fmt: skip
                path = cache.put_file(key, ".so", output)
        self.library = ctypes.CDLL(str(path))

    def grade(self, scene: Scene, look: Look, out: np.ndarray):
        """A call of the chain in C."""
        numbers = uniforms(look)
        arguments = (
            *(ctypes.c_void_p(a.ctypes.data) for a in (scene.image, scene.mask, scene.background, out, numbers)),
            WIDTH, HEIGHT, int(look.gamma is not None),
        )  # fmt: skip
        function = self.library.grade

        def call(_keep=(scene, out, numbers)) -> None:
            function(*arguments)

        return call

    def bloom(self, scene: Scene, look: Look, out: np.ndarray, threshold: float, weights: np.ndarray):
        """A call of the bloom and the chain in C."""
        numbers, scratch = uniforms(look), np.empty((2, HEIGHT, WIDTH, 3), np.float32)
        arguments = (
            *(ctypes.c_void_p(a.ctypes.data) for a in (scene.image, scene.mask, scene.background, out, numbers)),
            WIDTH, HEIGHT, int(look.gamma is not None), ctypes.c_float(threshold),
            ctypes.c_void_p(weights.ctypes.data), len(weights) - 1, ctypes.c_void_p(scratch.ctypes.data),
        )  # fmt: skip
        function = self.library.bloom

        def call(_keep=(scene, out, numbers, weights, scratch)) -> None:
            function(*arguments)

        return call

    def memory(self, scene: Scene, out: np.ndarray):
        """A pass that reads the same buffers and writes the result's, and does next to nothing."""
        arguments = (
            *(ctypes.c_void_p(a.ctypes.data) for a in (scene.image, scene.mask, scene.background, out)),
            ctypes.c_long(WIDTH * HEIGHT),
        )  # fmt: skip
        function = self.library.memory

        def call(_keep=(scene, out)) -> None:
            function(*arguments)

        return call
