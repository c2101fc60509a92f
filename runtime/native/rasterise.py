"""Triangles to a Surface: source of the loops `mesh_vertices` and `rasterise`.

Plain Python over flat arrays, so it also runs uncompiled; `emit.py` makes machine code of it. Every number is float32 or
int64, and no argument may be negative where it is an index: nothing is checked here.

A vertex is nine floats: x, y (pixels of the Surface), fade (coverage before its smooth step), u, v, normal x, y, z, depth.

    coverage = smoothstep(fade) · edge        edge: 1 inside, and a ramp of one pixel over each contour
    contour  = an edge whose other side is missing or turned away

Fragments are put over or under what is there by depth, so a soft contour of the nose blends into the cheek behind it
whatever comes first. Another item than before always goes over: draw far items first. Which pixels a triangle owns is
exact (vertices on a grid of 1/256 pixel, top-left rule), so shared edges are neither missed nor drawn twice.
"""

from __future__ import annotations

import math

import numpy as np

__all__ = ["mesh_vertices", "rasterise"]

F = np.float32
Int = np.int64
CHANNELS = 8  # of a Surface
STRIDE = 9  # of a vertex


def mesh_vertices(points, count, triangles, faces, uv, fade, place, rounds, work, vertices):
    """Vertices of one mesh: placed, with smooth normals, faded where they turn away.

    Args:
        points: (count, 3) frame pixels, z negative towards the camera.
        triangles: (faces, 3) corners, counter-clockwise as the camera sees them (y up).
        uv, fade: (count, 2) and (count,), constant.
        place: (6,) left, top (frame pixels), surface pixels a frame pixel, depth a frame pixel, and the normal's z at
            which a vertex is gone and whole.
        rounds: times that normals are averaged with their neighbours'.
        work: (count, 3) to scribble on.
        vertices: (count, 9) the result.
    """
    for i in range(count * 3):
        work[i] = F(0.0)
    for t in range(faces):
        a, b, c = Int(triangles[3 * t]), Int(triangles[3 * t + 1]), Int(triangles[3 * t + 2])
        ux, uy, uz = points[3 * b] - points[3 * a], points[3 * a + 1] - points[3 * b + 1], points[3 * a + 2] - points[3 * b + 2]
        vx, vy, vz = points[3 * c] - points[3 * a], points[3 * a + 1] - points[3 * c + 1], points[3 * a + 2] - points[3 * c + 2]
        nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        for corner in (a, b, c):
            work[3 * corner] += nx
            work[3 * corner + 1] += ny
            work[3 * corner + 2] += nz
    _store_normals(count, work, vertices)
    for _ in range(rounds):
        for i in range(count):
            for k in range(3):
                work[3 * i + k] = vertices[STRIDE * i + 5 + k]
        for t in range(faces):
            a, b, c = Int(triangles[3 * t]), Int(triangles[3 * t + 1]), Int(triangles[3 * t + 2])
            for k in range(3):
                whole = vertices[STRIDE * a + 5 + k] + vertices[STRIDE * b + 5 + k] + vertices[STRIDE * c + 5 + k]
                work[3 * a + k] += whole
                work[3 * b + k] += whole
                work[3 * c + k] += whole
        _store_normals(count, work, vertices)
    gone, whole = place[4], place[5]
    for i in range(count):
        v = STRIDE * i
        vertices[v] = (points[3 * i] - place[0]) * place[2]
        vertices[v + 1] = (points[3 * i + 1] - place[1]) * place[2]
        facing = (vertices[v + 7] - gone) / (whole - gone)
        vertices[v + 2] = min(fade[i], facing)
        vertices[v + 3] = uv[2 * i]
        vertices[v + 4] = uv[2 * i + 1]
        vertices[v + 8] = -points[3 * i + 2] * place[3]


def _store_normals(count, work, vertices):
    for i in range(count):
        x, y, z = work[3 * i], work[3 * i + 1], work[3 * i + 2]
        long = math.sqrt(x * x + y * y + z * z)
        short = F(1.0) / long if long > F(1e-12) else F(0.0)
        vertices[STRIDE * i + 5] = x * short
        vertices[STRIDE * i + 6] = y * short
        vertices[STRIDE * i + 7] = z * short if long > F(1e-12) else F(1.0)


def rasterise(vertices, triangles, beyond, faces, item, grid, front, surface, width, height):
    """Draw one mesh into a Surface.

    Args:
        vertices: (n, 9).
        triangles: (faces, 3) corners, counter-clockwise as the camera sees them (y up).
        beyond: (faces, 3) the triangle across the edge from corner k to the next one, −1 where there is none.
        item: the index written.
        grid: (faces, 6) and front: (faces,), to scribble on.
        surface: (height, width, 8), coverage 0 where nothing is yet.
    """
    for t in range(faces):
        for k in range(3):
            v = STRIDE * Int(triangles[3 * t + k])
            grid[6 * t + 2 * k] = Int(math.floor(vertices[v] * F(256.0) + F(0.5)))
            grid[6 * t + 2 * k + 1] = Int(math.floor(vertices[v + 1] * F(256.0) + F(0.5)))
        g = 6 * t
        area = (grid[g + 2] - grid[g]) * (grid[g + 5] - grid[g + 1]) - (grid[g + 3] - grid[g + 1]) * (grid[g + 4] - grid[g])
        front[t] = 1 if area < 0 else 0
    for t in range(faces):
        if front[t] == 1:
            _triangle(vertices, triangles, beyond, t, item, grid, front, surface, width, height)
    # small folds (a nostril's rim) turn away though what is round them does not: they fill the crack they leave
    for t in range(faces):
        if front[t] == 0:
            _triangle(vertices, triangles, beyond, t, item, grid, front, surface, width, height)
    for t in range(faces):
        if front[t] == 1:
            for k in range(3):
                across = Int(beyond[3 * t + k])
                if across < 0 or front[across] == 0:
                    a, b = Int(triangles[3 * t + k]), Int(triangles[3 * t + (k + 1) % 3])
                    _contour(vertices, a, b, item, surface, width, height)


def _triangle(vertices, triangles, beyond, t, item, grid, front, surface, width, height):
    """The pixels whose centres lie in triangle t."""
    g = 6 * t
    # backwards round the corners, so that in y-down pixels the inside has positive edge functions; a triangle seen from
    # behind the other way
    back = front[t] == 0
    second, third = (Int(1), Int(2)) if back else (Int(2), Int(1))
    ax, ay = grid[g], grid[g + 1]
    bx, by = grid[g + 2 * second], grid[g + 2 * second + 1]
    cx, cy = grid[g + 2 * third], grid[g + 2 * third + 1]
    area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
    top = max(Int(0), (min(ay, by, cy) + 127) >> 8)
    bottom = min(height - 1, (max(ay, by, cy) - 128) >> 8)
    leftmost = max(Int(0), (min(ax, bx, cx) + 127) >> 8)
    rightmost = min(width - 1, (max(ax, bx, cx) - 128) >> 8)
    if area <= 0 or top > bottom or leftmost > rightmost:
        return
    va = STRIDE * Int(triangles[3 * t])
    vb = STRIDE * Int(triangles[3 * t + second])
    vc = STRIDE * Int(triangles[3 * t + third])
    # planes of the attributes, per pixel right (…x) and down (…y)
    scale = F(256.0) / F(area)
    e1x, e1y, e2x, e2y = F(bx - ax) * scale, F(by - ay) * scale, F(cx - ax) * scale, F(cy - ay) * scale
    d1, d2 = vertices[vb + 2] - vertices[va + 2], vertices[vc + 2] - vertices[va + 2]
    fade_x, fade_y = d1 * e2y - d2 * e1y, d2 * e1x - d1 * e2x
    d1, d2 = vertices[vb + 3] - vertices[va + 3], vertices[vc + 3] - vertices[va + 3]
    u_x, u_y = d1 * e2y - d2 * e1y, d2 * e1x - d1 * e2x
    d1, d2 = vertices[vb + 4] - vertices[va + 4], vertices[vc + 4] - vertices[va + 4]
    v_x, v_y = d1 * e2y - d2 * e1y, d2 * e1x - d1 * e2x
    d1, d2 = vertices[vb + 5] - vertices[va + 5], vertices[vc + 5] - vertices[va + 5]
    nx_x, nx_y = d1 * e2y - d2 * e1y, d2 * e1x - d1 * e2x
    d1, d2 = vertices[vb + 6] - vertices[va + 6], vertices[vc + 6] - vertices[va + 6]
    ny_x, ny_y = d1 * e2y - d2 * e1y, d2 * e1x - d1 * e2x
    d1, d2 = vertices[vb + 7] - vertices[va + 7], vertices[vc + 7] - vertices[va + 7]
    nz_x, nz_y = d1 * e2y - d2 * e1y, d2 * e1x - d1 * e2x
    d1, d2 = vertices[vb + 8] - vertices[va + 8], vertices[vc + 8] - vertices[va + 8]
    z_x, z_y = d1 * e2y - d2 * e1y, d2 * e1x - d1 * e2x
    # ramps over this triangle's own contour edges: pixels inside at 0, growing by …x and …y; far inside elsewhere
    far = F(1e9)
    near_ab, near_bc, near_ca = far, far, far
    abx, aby, bcx, bcy, cax, cay = F(0.0), F(0.0), F(0.0), F(0.0), F(0.0), F(0.0)
    if not back and _turned(beyond, front, 3 * t + 2):
        abx, aby, near_ab = _ramp(ax, ay, bx, by)
    if not back and _turned(beyond, front, 3 * t + 1):
        bcx, bcy, near_bc = _ramp(bx, by, cx, cy)
    if not back and _turned(beyond, front, 3 * t):
        cax, cay, near_ca = _ramp(cx, cy, ax, ay)
    ab_own = Int(0) if by < ay or (by == ay and bx > ax) else Int(-1)
    bc_own = Int(0) if cy < by or (cy == by and cx > bx) else Int(-1)
    ca_own = Int(0) if ay < cy or (ay == cy and ax > cx) else Int(-1)
    for y in range(top, bottom + 1):
        py = 256 * y + 128
        left, right = leftmost, rightmost
        left, right = _span(left, right, (bx - ax) * (py - ay) - (by - ay) * (128 - ax) + ab_own, (ay - by) * 256)
        left, right = _span(left, right, (cx - bx) * (py - by) - (cy - by) * (128 - bx) + bc_own, (by - cy) * 256)
        left, right = _span(left, right, (ax - cx) * (py - cy) - (ay - cy) * (128 - cx) + ca_own, (cy - ay) * 256)
        dy = F(py - ay) * F(1.0 / 256.0)
        fy = F(py) * F(1.0 / 256.0)
        for x in range(left, right + 1):
            dx = F(256 * x + 128 - ax) * F(1.0 / 256.0)
            fx = F(256 * x + 128) * F(1.0 / 256.0)
            fade = min(max(vertices[va + 2] + fade_x * dx + fade_y * dy, F(0.0)), F(1.0))
            coverage = fade * fade * (F(3.0) - fade - fade)
            edge = min(near_ab + abx * fx + aby * fy, near_bc + bcx * fx + bcy * fy, near_ca + cax * fx + cay * fy)
            coverage *= min(max(edge, F(0.0)), F(1.0))
            _put(
                surface, CHANNELS * (y * width + x), coverage,
                vertices[va + 3] + u_x * dx + u_y * dy, vertices[va + 4] + v_x * dx + v_y * dy,
                vertices[va + 5] + nx_x * dx + nx_y * dy, vertices[va + 6] + ny_x * dx + ny_y * dy,
                vertices[va + 7] + nz_x * dx + nz_y * dy, vertices[va + 8] + z_x * dx + z_y * dy, item, back,
            )  # fmt: skip


def _turned(beyond, front, edge):
    """Whether the edge is a contour."""
    across = Int(beyond[edge])
    return across < 0 or front[across] == 0


def _ramp(ax, ay, bx, by):
    """0.5 + the distance in pixels inside the line a b, as slopes right and down and the value at (0, 0)."""
    ex, ey = F(bx - ax), F(by - ay)
    long = max(math.sqrt(ex * ex + ey * ey), F(1e-6))
    right, down = -ey / long, ex / long
    start = F(0.5) - (right * F(ax) + down * F(ay)) * F(1.0 / 256.0)
    return right, down, start


def _span(left, right, value, step):
    """The part of left … right where value + step·x ≥ 0."""
    if step > 0:
        left = max(left, -(value // step))
    elif step < 0:
        right = min(right, value // -step)
    elif value < 0:
        right = left - 1
    return left, right


def _contour(vertices, a, b, item, surface, width, height):
    """The outer half of the ramp over a contour edge: pixels less than half a pixel outside it."""
    va, vb = STRIDE * a, STRIDE * b
    if vertices[va + 2] <= F(0.0) and vertices[vb + 2] <= F(0.0):
        return
    ax, ay = vertices[va], vertices[va + 1]
    ex, ey = vertices[vb] - ax, vertices[vb + 1] - ay
    square = ex * ex + ey * ey
    if square < F(1e-6):
        return
    over = F(1.0) / math.sqrt(square)
    top = max(Int(0), Int(math.floor(min(ay, ay + ey) - F(1.0))))
    bottom = min(height - 1, Int(math.floor(max(ay, ay + ey) + F(1.0))))
    left = max(Int(0), Int(math.floor(min(ax, ax + ex) - F(1.0))))
    right = min(width - 1, Int(math.floor(max(ax, ax + ex) + F(1.0))))
    for y in range(top, bottom + 1):
        dy = F(y) + F(0.5) - ay
        for x in range(left, right + 1):
            dx = F(x) + F(0.5) - ax
            outside = (ex * dy - ey * dx) * over
            along = (ex * dx + ey * dy) / square
            if F(0.0) <= outside < F(0.5) and F(0.0) <= along < F(1.0):
                rest = F(1.0) - along
                fade = min(max(vertices[va + 2] * rest + vertices[vb + 2] * along, F(0.0)), F(1.0))
                _put(
                    surface, CHANNELS * (y * width + x), fade * fade * (F(3.0) - fade - fade) * (F(0.5) - outside),
                    vertices[va + 3] * rest + vertices[vb + 3] * along, vertices[va + 4] * rest + vertices[vb + 4] * along,
                    vertices[va + 5] * rest + vertices[vb + 5] * along, vertices[va + 6] * rest + vertices[vb + 6] * along,
                    vertices[va + 7] * rest + vertices[vb + 7] * along, vertices[va + 8] * rest + vertices[vb + 8] * along,
                    item, False,
                )  # fmt: skip


def _put(surface, at, coverage, u, v, nx, ny, nz, depth, item, back):
    """A fragment over or under (`back`: always under) the pixel at `at`; attributes stay means weighted by coverage."""
    old = surface[at]
    if coverage <= F(0.0):
        return
    long = nx * nx + ny * ny + nz * nz
    short = F(1.0) / math.sqrt(long) if long > F(1e-12) else F(0.0)
    nx, ny, nz = nx * short, ny * short, nz * short
    behind = old > F(0.0) and surface[at + 7] == item and (back or surface[at + 6] > depth)
    if old <= F(0.0) or (coverage >= F(1.0) and not behind):
        surface[at] = coverage
        surface[at + 1] = u
        surface[at + 2] = v
        surface[at + 3] = nx
        surface[at + 4] = ny
        surface[at + 5] = nz
        surface[at + 6] = depth
        surface[at + 7] = item
        return
    mine = coverage * (F(1.0) - old) if behind else coverage
    rest = old if behind else old * (F(1.0) - coverage)
    whole = mine + rest
    if mine <= F(0.0):
        return
    share = mine / whole
    surface[at] = whole
    surface[at + 1] += (u - surface[at + 1]) * share
    surface[at + 2] += (v - surface[at + 2]) * share
    nx = surface[at + 3] + (nx - surface[at + 3]) * share
    ny = surface[at + 4] + (ny - surface[at + 4]) * share
    nz = surface[at + 5] + (nz - surface[at + 5]) * share
    long = nx * nx + ny * ny + nz * nz
    short = F(1.0) / math.sqrt(long) if long > F(1e-12) else F(0.0)
    surface[at + 3] = nx * short
    surface[at + 4] = ny * short
    surface[at + 5] = nz * short
    if not behind:
        surface[at + 6] = depth
        surface[at + 7] = item
