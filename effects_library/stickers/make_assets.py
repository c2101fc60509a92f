"""Draws `assets/glasses.png`, `hat.png` and `bubble.png`: flat shapes with soft light, from the numbers below.

    python effects_library/stickers/make_assets.py
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

FINE = 4  # drawn so many times larger, then averaged
CORAL, ROSE, NAVY, NIGHT = (255, 107, 98), (214, 48, 96), (58, 54, 112), (30, 28, 66)
CREAM, GOLD, INK = (255, 250, 242), (255, 206, 92), (44, 38, 78)


class Sheet:
    """A picture that is drawn on: straight colours and coverage, later ones over earlier."""

    def __init__(self, width: int, height: int):
        self.size = (width, height)
        self.rgb = np.zeros((height * FINE, width * FINE, 3), np.float32)
        self.a = np.zeros((height * FINE, width * FINE), np.float32)

    def grid(self) -> tuple[np.ndarray, np.ndarray]:
        """x, y of every fine pixel, in pixels of the finished picture."""
        y, x = np.mgrid[: self.a.shape[0], : self.a.shape[1]].astype(np.float32)
        return (x + 0.5) / FINE, (y + 0.5) / FINE

    def shape(self, points: np.ndarray) -> np.ndarray:
        """Coverage of a polygon."""
        mask = np.zeros(self.a.shape, np.uint8)
        cv2.fillPoly(mask, [np.round(points * FINE * 16).astype(np.int32)], (255,), cv2.LINE_AA, 4)
        return mask.astype(np.float32) / 255

    def ellipse(self, x: float, y: float, rx: float, ry: float) -> np.ndarray:
        u, v = self.grid()
        away = np.hypot((u - x) / rx, (v - y) / ry)
        return np.clip(0.5 - (away - 1) * min(rx, ry) * FINE, 0, 1)

    def paint(self, mask: np.ndarray, top: tuple, bottom: tuple | None = None, opacity: float | tuple[float, float] = 1.0,
              span: tuple[float, float] | None = None) -> None:  # fmt: skip
        """A colour, or a gradient from `top` to `bottom` over rows `span`, where the mask is."""
        start, end = span or (0, self.size[1])
        t = np.clip((self.grid()[1] - start) / (end - start), 0, 1)
        first, last = opacity if isinstance(opacity, tuple) else (opacity, opacity)
        a = mask * (first + (last - first) * t)
        colour = np.array(top, np.float32) + (np.array(bottom or top, np.float32) - np.array(top, np.float32)) * t[..., None]
        whole = a + self.a * (1 - a)
        share = (a / np.maximum(whole, 1e-6))[..., None]
        self.rgb += (colour - self.rgb) * share
        self.a = whole

    def shadow(self, mask: np.ndarray, dx: float, dy: float, soft: float, opacity: float) -> None:
        moved = np.array([[1, 0, dx * FINE], [0, 1, dy * FINE]], np.float32)
        fallen = cv2.warpAffine(mask, moved, mask.shape[::-1])
        self.paint(cv2.GaussianBlur(fallen, (0, 0), soft * FINE), NIGHT, opacity=opacity)

    def save(self, path: Path) -> None:
        a = cv2.resize(self.a, self.size, interpolation=cv2.INTER_AREA)[..., None]
        rgb = cv2.resize(self.rgb * self.a[..., None], self.size, interpolation=cv2.INTER_AREA) / np.maximum(a, 1e-6)
        bgra = np.concatenate([rgb[..., ::-1], a * 255], axis=-1)
        cv2.imwrite(str(path), np.clip(bgra + 0.5, 0, 255).astype(np.uint8), [cv2.IMWRITE_PNG_COMPRESSION, 9])
        print(f"{path}: {path.stat().st_size} bytes")


def curve(*points: tuple[float, float], steps: int = 40) -> np.ndarray:
    """A Bézier curve through control points (de Casteljau's)."""
    t = np.linspace(0, 1, steps)[:, None]
    row = [np.array(p, float) + 0 * t for p in points]
    while len(row) > 1:
        row = [a + (b - a) * t for a, b in zip(row, row[1:], strict=False)]
    return row[0]


def squircle(x: float, y: float, rx: float, ry: float, power: float = 2.6) -> np.ndarray:
    """An ellipse with fuller corners."""
    t = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    c, s = np.cos(t), np.sin(t)
    return np.stack([x + rx * np.sign(c) * np.abs(c) ** (2 / power), y + ry * np.sign(s) * np.abs(s) ** (2 / power)], -1)


def glasses() -> Sheet:
    """Round sunglasses; the eyes are at 27 % and 73 % of their width."""
    s = Sheet(640, 250)
    rims, lenses = [np.zeros_like(s.a) for _ in range(2)]
    for x in (174, 466):
        rims = np.maximum(rims, s.shape(squircle(x, 122, 128, 108)))
        lenses = np.maximum(lenses, s.shape(squircle(x, 123, 108, 89)))
    bridge = np.vstack([curve((280, 92), (320, 58), (360, 92)), curve((360, 122), (320, 86), (280, 122))])
    arms = [np.array([(x, 74), (x + 46 * w, 84), (x + 46 * w, 122), (x, 108)]) for x, w in ((52, -1), (588, 1))]
    frame = np.maximum.reduce([rims * (1 - lenses), s.shape(bridge), *(s.shape(a) for a in arms)])
    s.paint(lenses, (38, 26, 74), (255, 120, 96), (0.88, 0.5), (30, 215))
    u, v = s.grid()
    for x in (174, 466):  # light on the glass
        own = s.shape(squircle(x, 123, 102, 83))
        for start, wide in ((-44, 26), (-2, 9)):
            along = (u - x) + 0.55 * (v - 122) - start
            s.paint(own * np.clip(0.5 + (wide / 2 - np.abs(along)) * FINE, 0, 1), (255, 255, 255), None, (0.34, 0.08), (40, 200))
    s.paint(cv2.GaussianBlur(frame, (0, 0), 5 * FINE) * lenses, NIGHT, None, 0.35)
    s.paint(frame, CORAL, ROSE, 1.0, (20, 225))
    shift = np.array([[1, 0, 0], [0, 1, 5 * FINE]], np.float32)
    upper = np.clip(frame - cv2.warpAffine(frame, shift, frame.shape[::-1]), 0, 1)
    s.paint(upper, (255, 196, 184), None, 0.75)
    return s


def hat() -> Sheet:
    """A top hat; the middle of its brim is at 50 %, 86 %."""
    s = Sheet(640, 500)
    crown = np.vstack([
        curve((150, 400), (168, 250), (138, 70)), curve((138, 70), (320, 14), (502, 70)), curve((502, 70), (472, 250), (490, 400)),
        curve((490, 400), (320, 452), (150, 400)),
    ])  # fmt: skip
    ribbon = np.vstack([
        curve((151, 402), (157, 350), (159, 312)), curve((159, 312), (320, 364), (481, 312)), curve((481, 312), (483, 350), (489, 402)),
        curve((489, 402), (320, 454), (151, 402)),
    ])  # fmt: skip
    brim = np.vstack([
        curve((14, 372), (4, 398), (24, 408)), curve((24, 408), (190, 492), (450, 492), (616, 408)), curve((616, 408), (636, 398), (626, 372)),
        curve((626, 372), (590, 368), (488, 396)), curve((488, 396), (320, 448), (152, 396)), curve((152, 396), (50, 368), (14, 372)),
    ])  # fmt: skip
    body, band, edge = s.shape(crown), s.shape(ribbon), s.shape(brim)
    s.paint(body, (84, 80, 158), NAVY, 1.0, (20, 420))
    u, v = s.grid()
    s.paint(body * np.clip((u - 320) / 190, 0, 1) ** 1.5, NIGHT, None, 0.55)  # the side that turns away
    s.paint(body * np.exp(-(((u - 222) / 34) ** 2)), (150, 148, 220), None, (0.5, 0.1), (40, 400))
    s.paint(s.ellipse(320, 70, 181, 44) * body, (104, 100, 184), (70, 66, 140), 1.0, (26, 114))
    s.paint(band, CORAL, ROSE, 1.0, (312, 450))
    s.paint(band * np.clip((u - 320) / 190, 0, 1) ** 1.5, NIGHT, None, 0.35)
    s.paint(cv2.GaussianBlur(edge, (0, 0), 9 * FINE) * np.maximum(body, band) * (1 - edge), NIGHT, None, 0.5)
    s.paint(edge, (92, 88, 168), NIGHT, 1.0, (380, 488))
    rim = np.clip(edge - cv2.warpAffine(edge, np.array([[1, 0, 0], [0, 1, 5 * FINE]], np.float32), edge.shape[::-1]), 0, 1)
    s.paint(rim, (160, 158, 226), None, 0.7)
    points = [(410 + r * np.cos(a), 388 + r * np.sin(a)) for i in range(10) for r, a in [((44, 19)[i % 2], -np.pi / 2 + i * np.pi / 5)]]
    star = s.shape(np.array(points))
    s.shadow(star, 3, 5, 4, 0.5)
    s.paint(star, (255, 226, 140), GOLD, 1.0, (340, 430))
    return s


def bubble() -> Sheet:
    """A speech bubble; the tip of its tail is at 5 %, 94 %, the middle of its body at 52 %, 43 %."""
    s = Sheet(640, 480)
    body = s.shape(squircle(334, 204, 278, 178, 2.8))
    tail = s.shape(np.vstack([curve((120, 268), (128, 380), (34, 450)), curve((34, 450), (190, 430), (262, 340))]))
    whole = np.maximum(body, tail)
    line = cv2.dilate(whole, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * 9 * FINE + 1,) * 2))
    s.shadow(line, 0, 9, 9, 0.38)
    s.paint(line, INK, None, 1.0)
    s.paint(whole, (255, 255, 255), (236, 226, 255), 1.0, (60, 400))
    shine = s.shape(squircle(318, 172, 236, 128, 2.8))
    s.paint(body * np.clip(1 - shine, 0, 1) * np.clip((s.grid()[1] - 220) / 160, 0, 1), (206, 188, 246), None, 0.4)
    s.paint(s.shape(squircle(150, 106, 30, 15, 2.0)), (255, 255, 255), None, 0.9)
    return s


if __name__ == "__main__":
    folder = Path(__file__).parent / "assets"
    folder.mkdir(exist_ok=True)
    for name, made in (("glasses", glasses()), ("hat", hat()), ("bubble", bubble())):
        made.save(folder / f"{name}.png")
