"""Meshes put in order: normals, tangents and smooth groups where a file or a script gives none."""

from __future__ import annotations

import numpy as np

from .values import MeshValue

__all__ = ["flat_normals", "make_mesh", "smooth_normals", "tangents_of"]


def make_mesh(
    positions: np.ndarray, triangles: np.ndarray, *, normals: np.ndarray | None = None, uv: np.ndarray | None = None,
    tangents: np.ndarray | None = None, colours: np.ndarray | None = None, bent: bool = False,
) -> MeshValue:  # fmt: skip
    """A MeshValue with everything in it. Without normals each triangle is flat, as glTF asks for.

    Args:
        colours: (n, 3 or 4) linear, as glTF has them.
        bent: it will have a normal map, so tangents are worked out where there are none.
    """
    positions = np.ascontiguousarray(positions, np.float32)
    triangles = np.ascontiguousarray(triangles, np.int32)
    if normals is None:
        corners = triangles.ravel()
        positions, uv = positions[corners], None if uv is None else uv[corners]
        colours = None if colours is None else colours[corners]
        triangles, tangents = np.arange(len(corners), dtype=np.int32).reshape(-1, 3), None
        normals = flat_normals(positions)
    count = len(positions)
    uv = np.zeros((count, 2), np.float32) if uv is None else np.ascontiguousarray(uv, np.float32)
    if tangents is None:
        tangents = tangents_of(positions, normals, uv, triangles) if bent else np.zeros((count, 4), np.float32)
    painted = np.ones((count, 4), np.float32)
    if colours is not None:
        painted[:, : colours.shape[1]] = colours
        painted[:, :3] = encode(painted[:, :3])
    return MeshValue(
        positions, np.ascontiguousarray(normals, np.float32), uv, np.ascontiguousarray(tangents, np.float32), painted,
        triangles, groups_of(triangles, count),
    )  # fmt: skip


def encode(linear: np.ndarray) -> np.ndarray:
    """Linear light as sRGB's numbers, beyond 1 too."""
    linear = np.maximum(linear, 0.0)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * np.power(linear, 1 / 2.4) - 0.055).astype(np.float32)


def flat_normals(positions: np.ndarray) -> np.ndarray:
    """Normals of triangles that share no vertex: three positions in a row each."""
    a, b, c = positions[0::3], positions[1::3], positions[2::3]
    return np.repeat(_unit(np.cross(b - a, c - a)), 3, axis=0)


def smooth_normals(positions: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Normals at vertices: those of the triangles around, by their areas."""
    a, b, c = (positions[triangles[:, k]] for k in range(3))
    across = np.cross(b - a, c - a)
    normals = np.zeros_like(positions, np.float32)
    for k in range(3):
        np.add.at(normals, triangles[:, k], across)
    return _unit(normals)


def tangents_of(positions: np.ndarray, normals: np.ndarray, uv: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """(n, 4) the directions in which u grows, and the side of v: Lengyel's method, over the triangles around."""
    corners = [positions[triangles[:, k]] for k in range(3)]
    places = [uv[triangles[:, k]] for k in range(3)]
    e1, e2 = corners[1] - corners[0], corners[2] - corners[0]
    d1, d2 = places[1] - places[0], places[2] - places[0]
    det = d1[:, 0] * d2[:, 1] - d2[:, 0] * d1[:, 1]
    over = np.where(np.abs(det) > 1e-12, 1.0 / np.where(det == 0, 1.0, det), 0.0)[:, None]
    along = (e1 * d2[:, 1:] - e2 * d1[:, 1:]) * over
    across = (e2 * d1[:, :1] - e1 * d2[:, :1]) * over
    sums = np.zeros((2, len(positions), 3), np.float32)
    for k in range(3):
        np.add.at(sums[0], triangles[:, k], along)
        np.add.at(sums[1], triangles[:, k], across)
    straight = _unit(sums[0] - normals * np.einsum("ij,ij->i", sums[0], normals)[:, None])
    # v grows downwards in a picture, and a normal map's green points up
    side = np.where(np.einsum("ij,ij->i", np.cross(normals, straight), sums[1]) > 0, -1.0, 1.0)
    return np.column_stack((straight, side)).astype(np.float32)


def groups_of(triangles: np.ndarray, count: int) -> np.ndarray:
    """(m,) a number for each triangle, equal where triangles hang together by vertices."""
    label = np.arange(count, dtype=np.int32)
    while True:
        least = label[triangles].min(axis=1)
        new = label.copy()
        for k in range(3):
            np.minimum.at(new, triangles[:, k], least)
        new = new[new]  # pointer jumping
        if np.array_equal(new, label):
            return least
        label = new


def _unit(vectors: np.ndarray) -> np.ndarray:
    long = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
    return (vectors / np.maximum(long, 1e-20)[:, None]).astype(np.float32)
