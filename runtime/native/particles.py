"""Particles moved by forces: source of the loop `move_particles`.

Turbulence is the curl of smooth noise that drifts in time, so it swirls and neither gathers nor scatters what it carries
(Bridson, Houriham and Nordenstam, "Curl-noise for procedural fluid flow", 2007).
"""

from __future__ import annotations

import math

import numpy as np

__all__ = ["PARTICLE", "move_particles"]

F = np.float32
Int = np.int64
PARTICLE = 12  # x, y, velocity x, y, age, life (0: none), size, turn, turn a second, three of chance's own


def move_particles(particles, count, forces, seconds):
    """Age and move particles.

    Args:
        particles: (count, 12); places and velocities in frame heights, y down; times in seconds; turns in radians.
        forces: (8,) gravity x, y; drag a second; turbulence, its swirls a frame height, its time; wind x, y.
        seconds: how long.
    """
    for i in range(count):
        p = PARTICLE * i
        if particles[p + 5] > F(0.0):
            particles[p + 4] += seconds
            if particles[p + 4] >= particles[p + 5]:
                particles[p + 5] = F(0.0)
            else:
                push_x, push_y = forces[0], forces[1]
                if forces[3] != F(0.0):
                    x, y, t = particles[p] * forces[4], particles[p + 1] * forces[4], forces[5]
                    step = F(0.1)
                    push_x += (_noise(x, y + step, t) - _noise(x, y - step, t)) * forces[3] * F(5.0)
                    push_y -= (_noise(x + step, y, t) - _noise(x - step, y, t)) * forces[3] * F(5.0)
                # drag pulls towards the wind's velocity
                keep = F(1.0) / (F(1.0) + forces[2] * seconds)
                vx = forces[6] + (particles[p + 2] + push_x * seconds - forces[6]) * keep
                vy = forces[7] + (particles[p + 3] + push_y * seconds - forces[7]) * keep
                particles[p + 2] = vx
                particles[p + 3] = vy
                particles[p] += vx * seconds
                particles[p + 1] += vy * seconds
                particles[p + 7] += particles[p + 8] * seconds


def _noise(x, y, t):
    """Smooth noise, 0 to 1, of a place and a time."""
    fx, fy, ft = math.floor(x), math.floor(y), math.floor(t)
    i, j, k = Int(fx), Int(fy), Int(ft)
    u, v, w = F(x - fx), F(y - fy), F(t - ft)
    u, v, w = u * u * (F(3.0) - u - u), v * v * (F(3.0) - v - v), w * w * (F(3.0) - w - w)
    a = _chance(i, j, k)
    a += (_chance(i + 1, j, k) - a) * u
    b = _chance(i, j + 1, k)
    b += (_chance(i + 1, j + 1, k) - b) * u
    near = a + (b - a) * v
    a = _chance(i, j, k + 1)
    a += (_chance(i + 1, j, k + 1) - a) * u
    b = _chance(i, j + 1, k + 1)
    b += (_chance(i + 1, j + 1, k + 1) - b) * u
    far = a + (b - a) * v
    return near + (far - near) * w


def _chance(i, j, k):
    """White noise, 0 to 1, of three whole numbers; all products stay below 2⁶³."""
    h = (i * 73856093 ^ j * 19349663 ^ k * 83492791) & 0x7FFFFFFF
    h = ((h ^ (h >> 15)) * 0x2C1B3C6D) & 0x7FFFFFFF
    h = ((h ^ (h >> 12)) * 0x297A2D39) & 0x7FFFFFFF
    h ^= h >> 15
    return F(h & 0xFFFFFF) * F(1.0 / 16777216.0)
