"""Filters: by OpenCV's own (Gaussian, Scharr)."""

from __future__ import annotations

import cv2
import numpy as np

from references import Reference, blurred, grey, mixed, photo, smoothstep, spread, straight
from spellwire.nodes import filter as f


def blur(image, radius, at):
    return blurred(image, radius, at)


def blur_by_mask(image, mask, radius, at):
    return mixed(image, blurred(image, radius, at), np.clip(mask, 0, 1))


def sharpen(image, amount, radius, threshold, at):
    rgb = image[..., :3]
    detail = rgb - blurred(rgb, radius, at)
    strong = smoothstep(threshold / 2, 1.5 * threshold + 1e-4, np.linalg.norm(detail, axis=-1, keepdims=True))
    return np.concatenate([rgb + amount * detail * strong, image[..., 3:]], axis=-1)


def soft_focus(image, radius, amount, at):
    rgb, a = image[..., :3], image[..., 3:]
    light = 1 - (1 - np.clip(rgb, 0, a)) * (1 - np.clip(blurred(rgb, radius, at), 0, a))
    return np.concatenate([mixed(rgb, (light + light**2) / 2, amount), a], axis=-1)


def glow(image, halo, intensity, tint, at):
    light = np.maximum(spread(halo, at)[..., :3], 0) * np.array(tint[:3]) * intensity
    room = np.maximum(1 - image[..., :3], 0)
    return np.concatenate([image[..., :3] + room * (1 - 1 / (1 + light)), image[..., 3:]], axis=-1)


def edges(image, low, high):
    tone = grey(straight(image)[0])[..., 0]
    across, down = (cv2.Scharr(tone, cv2.CV_64F, *d, scale=1 / 32, borderType=cv2.BORDER_REPLICATE) for d in ((1, 0), (0, 1)))
    return smoothstep(low, high, cv2.magnitude(across, down))[..., None]


REFERENCES = {
    f.Blur: Reference(blur, cases=({"radius": 0.04}, {"radius": 0.005})),
    f.BlurMask: Reference(blur_by_mask, cases=({"radius": 0.04},)),
    f.Sharpen: Reference(sharpen, cases=({"radius": 0.02}, {"radius": 0.02, "amount": 3.0, "threshold": 0.1})),
    f.SoftFocus: Reference(soft_focus, cases=({"radius": 0.03}, {"amount": 1.0})),
    f.Glow: Reference(glow, cases=({"threshold": 0.3, "tint": (1.0, 0.6, 0.3, 1.0)},)),
    f.Edges: Reference(edges, inputs={"image": lambda w, h: photo(5, w, h, least=0.2)}),
}
