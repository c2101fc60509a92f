"""Makes `assets/teal_orange.cube`: run it after changing the numbers below, then `spellwire check` the effect.

    python effects_library/grade/make_look.py

The look, on sRGB values: hues are drawn towards the axis teal – orange, greens quietened, shadows tinted teal and
highlights warm, the whole through a film's curve (lifted black, soft contrast). Skin lies on the axis and stays skin.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

SIZE = 17
# luma, and a plane of colour: I runs from teal to orange, Q from green to magenta (NTSC's axes)
TO_YIQ = np.array([[0.299, 0.587, 0.114], [0.5959, -0.2746, -0.3213], [0.2115, -0.5227, 0.3112]])
AXIS = 0.12  # skin lies a little towards magenta from I
SHADOWS, HIGHLIGHTS = (-0.032, -0.006), (0.016, 0.000)  # tints: I and Q at their strongest


def curve(value: np.ndarray) -> np.ndarray:
    """A film's tone: black lifted to 0.018, more contrast in the middle, white held just below 1."""
    return 0.018 + 0.977 * (value + 0.28 * (value * value * (3.0 - 2.0 * value) - value))


def look(rgb: np.ndarray) -> np.ndarray:
    """(n, 3) sRGB values, 0 to 1, as the look has them."""
    y, i, q = TO_YIQ @ np.clip(rgb, 0, 1).T
    strength, hue = np.hypot(i, q), np.arctan2(q, i)
    green = np.exp(-(((hue + 2.1) / 0.6) ** 2))
    hue = hue - 0.20 * np.sin(2.0 * (hue - AXIS))  # towards orange, and teal opposite
    strength = strength * (1.14 - 0.30 * green - 0.30 * strength)
    light = curve(y)
    low, high = 3.0 * light * (1.0 - light) ** 3 / 0.32, 3.0 * light**3 * (1.0 - light) / 0.32
    i = strength * np.cos(hue) + SHADOWS[0] * low + HIGHLIGHTS[0] * high
    q = strength * np.sin(hue) + SHADOWS[1] * low + HIGHLIGHTS[1] * high
    return np.clip((np.linalg.inv(TO_YIQ) @ np.stack([light, i, q])).T, 0, 1)


def cube() -> str:
    """The look as a .cube file."""
    steps = np.linspace(0, 1, SIZE)
    b, g, r = (v.ravel() for v in np.meshgrid(steps, steps, steps, indexing="ij"))
    rows = look(np.stack([r, g, b], axis=1))
    lines = [" ".join(f"{v:.5f}" for v in row) for row in rows]
    return "\n".join(['TITLE "Teal and orange"', f"LUT_3D_SIZE {SIZE}", *lines, ""])


if __name__ == "__main__":
    target = Path(__file__).parent / "assets" / "teal_orange.cube"
    target.write_text(cube(), encoding="ascii", newline="\n")
    print(f"{target}: {target.stat().st_size} bytes")
