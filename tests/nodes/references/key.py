"""Keys: angles in OpenCV's and NumPy's chroma plane."""

from __future__ import annotations

import numpy as np

from references import Reference, grey, joined, mixed, photo, smoothstep, spread, straight
from spellwire.nodes import key as k


def plane(rgb):
    """Cb and Cr of BT.709 as a complex number."""
    y = grey(rgb)[..., 0]
    return (rgb[..., 2] - y) / (2 - 2 * 0.0722) + 1j * (rgb[..., 0] - y) / (2 - 2 * 0.2126)


def share_of(rgb, screen, tolerance):
    """Turned so that the screen's chroma is 1 on the real axis, a wedge of that half angle is cut off."""
    key = plane(np.array(screen[:3])[None, None])
    own = plane(rgb) / key
    return np.clip(own.real - abs(own.imag) / np.tan(tolerance * np.pi / 2), 0, 1)[..., None]


def chroma_key(image, screen, tolerance, shadows, solid, spill):
    rgb, a = straight(image)
    share = share_of(rgb, screen, tolerance)
    cover = np.interp(share, [solid, 1 - shadows], [1, 0]) * a
    taken = share * spill
    clean = np.maximum(rgb - np.array(screen[:3]) * taken, 0) / np.maximum(1 - taken, 0.05)
    return {"out": joined(clean, cover), "mask": cover}


def despill(image, screen, tolerance, amount):
    rgb, a = straight(image)
    hue = np.array(screen[:3]) - np.dot(screen[:3], [0.2126, 0.7152, 0.0722])
    return joined(rgb - hue * share_of(rgb, screen, tolerance) * amount, a)


def cut_out(image, mask, front, back, choke, solid, refine, amount, at):
    """Forte and Pitié's equation 7, the mask corrected by the pixel's place on the line from back to front."""
    rgb, a = image[..., :3], image[..., 3:]
    f, b = spread(front, at)[..., :3], spread(back, at)[..., :3]
    apart = ((f - b) ** 2).sum(-1, keepdims=True)
    place = np.einsum("hwc,hwc->hw", rgb - b * a, f - b)[..., None] / np.maximum(apart, 1e-3)
    unsure = np.minimum(6 * mask * (1 - mask), 1) * smoothstep(0.01, 0.12, apart) * refine
    cover = np.interp(mixed(mask, np.clip(place, 0, 1), unsure), [choke, 1 - solid], [0, 1])
    clean = f * a + cover * (rgb - (cover * f + (1 - cover) * b) * a)
    return np.concatenate([mixed(rgb, np.minimum(np.maximum(clean, 0), a), amount) * cover, a * cover], axis=-1)


SCREEN = {"screen": (0.4, 0.65, 0.45, 1.0)}
CASES = (SCREEN, {**SCREEN, "tolerance": 0.8}, {"screen": (0.3, 0.4, 0.7, 1.0), "tolerance": 0.3})
THICK = {"image": lambda w, h: photo(5, w, h, least=0.3)}
REFERENCES = {
    k.ChromaKey: Reference(chroma_key, inputs=THICK, cases=(*CASES, {**SCREEN, "shadows": 0.5, "solid": 0.2, "spill": 0.6})),
    k.CutOut: Reference(cut_out, cases=({}, {"choke": 0.2, "amount": 0.7, "refine": 1.0, "solid": 0.3})),
    k.Despill: Reference(despill, inputs=THICK, cases=CASES),
}
