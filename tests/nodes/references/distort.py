"""Distortions: where each pixel is read from, in complex numbers; read by NumPy."""

from __future__ import annotations

import numpy as np

from references import Reference, photo, sample
from references.generate import one_octave
from spellwire.nodes import distort as d


def places(at, centre=(0.0, 0.0)):
    """Each pixel as a complex number from a centre, and that centre."""
    middle = complex(at.aspect / 2 + centre[0], 0.5 + centre[1])
    return at.x + 1j * at.y - middle, middle


def read(image, z, at, border="clamp"):
    return sample(image, z.real, z.imag, at, border)


def displace(image, map, amount, outside, at):
    push = 2 * map[..., :2] - map[..., 3:]
    return sample(image, at.x - push[..., :1] * amount[0], at.y - push[..., 1:] * amount[1], at, outside)


def turbulence(image, mask, amount, size, detail, evolution, drift, seed, outside, at):
    z, middle = places(at)
    place = (z - complex(*drift) * at.time) / size
    push = 0
    for k, share in enumerate((1, detail)):
        turn = 2 * np.pi * evolution * at.time * 1.3**k
        own = [one_octave("gradient", (place.real * 2**k + 5.3 * i), (place.imag * 2**k + 1.7 * i), 8 * seed + 2 * k + i, turn)
               for i in (0, 1)]  # fmt: skip
        push = push + share * (own[0] + 1j * own[1])
    return read(image, z + middle - push * amount * mask, at, outside)


def ripple(image, centre, amount, size, reach, speed, outside, at):
    z, middle = places(at, centre)
    far = abs(z)
    wave = np.sin(2 * np.pi * (far - speed * at.time) / size) * 0.5 ** (far / reach) * np.minimum(4 * far / size, 1)
    return read(image, middle + z - np.exp(1j * np.angle(z)) * amount * wave, at, outside)


def lens(image, amount, zoom, centre, outside, at):
    z, middle = places(at, centre)
    r2, corner = abs(2 * z) ** 2, at.aspect**2 + 1
    if amount > 0:
        bent = z * (1 + amount * r2) / (1 + amount * corner)
    else:
        bent = z * (1 - amount) / (1 - amount * r2)
    return read(image, middle + bent / zoom, at, outside)


def chromatic_aberration(image, amount, centre, shift, angle, at):
    z, middle = places(at, centre)
    way = shift * np.exp(1j * np.deg2rad(angle))

    def gathered(channel, ks):
        reads = [read(image, middle + z * (1 - amount * k / 2) - way * k / 2, at)[..., channel] for k in ks]
        return np.mean(reads, axis=0)

    return np.stack([gathered(0, (0.5, 1)), gathered(1, (-0.2, 0.2)), gathered(2, (-1, -0.5)), gathered(3, (-1, 1))], axis=-1)


def kaleidoscope(image, segments, centre, source, zoom, turn, spin, at):
    """Clockwise from above; wedge by wedge, every second one reflected; with an odd number, each in its own middle."""
    z, _ = places(at, centre)
    wedge = 2 * np.pi / segments
    around = np.angle(z * 1j) - np.deg2rad(turn)
    if segments % 2:
        inside = abs((around + wedge / 2) % wedge - wedge / 2)
    else:
        inside = wedge - abs(around % (2 * wedge) - wedge)
    shown = -1j * np.exp(1j * (inside + np.deg2rad(spin + turn))) * abs(z) / zoom
    return read(image, complex(at.aspect / 2, 0.5) + complex(*source) + shown, at, "mirror")


def tile(image, count, offset, mirrored, at):
    found = []
    for share, n, moved in ((at.u, count[0], offset[0]), (at.v, count[1], offset[1])):
        where = share * n - moved
        found.append(1 - abs(where % 2 - 1) if mirrored else where % 1)
    return sample(image, found[0] * at.aspect, found[1], at)


CENTRE = {"centre": (0.15, -0.1)}
REFERENCES = {
    d.Displace: Reference(displace, cases=({}, {"amount": (0.2, -0.1), "outside": "zero"})),
    d.Turbulence: Reference(turbulence, cases=({}, {"amount": 0.1, "seed": 3, "drift": (0.1, 0.0), "outside": "clamp"})),
    d.Ripple: Reference(ripple, cases=({"size": 0.3}, {**CENTRE, "amount": 0.05, "size": 0.5, "outside": "zero"})),
    d.Lens: Reference(lens, cases=({}, {**CENTRE, "amount": -0.15, "zoom": 0.8, "outside": "clamp"})),
    d.ChromaticAberration: Reference(chromatic_aberration, cases=({"amount": 0.1}, {**CENTRE, "shift": 0.1, "angle": 40.0})),
    d.Kaleidoscope: Reference(kaleidoscope, cases=({}, {**CENTRE, "segments": 5, "turn": 20.0, "spin": -70.0, "zoom": 1.5}),
                              inputs={"image": lambda w, h: photo(2, w, h, alpha=False)}),
    d.MirrorTile: Reference(tile, cases=({}, {"count": (1.5, 3.0), "offset": (0.2, 0.3)}, {"mirrored": False, "count": (1.31, 1.23)})),
}  # fmt: skip
