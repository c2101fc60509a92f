"""Textured triangles to what a shader needs: source of the loops `scene_vertices`, `scene_spans`, `scene_hide`,
`scene_band`.

First who is seen (four samples a pixel, on a turned grid), then what it looks like there: so each pixel is worked out
once however many triangles lie over it. Both a band of rows at a time, whose samples stay in the processor's cache. Plain Python over flat arrays; numbers are float32 or int64.

A vertex is 16 floats: x, y (pixels), 1 / distance, normal x, y, z (camera space), u, v, tangent x, y, z and its side,
colour r, g, b, a. A vertex nearer than the near plane has 1 / distance = 0, and its triangles are left out.
"""

from __future__ import annotations

import math

import numpy as np

__all__ = ["scene_band", "scene_hide", "scene_spans", "scene_vertices"]

F = np.float32
Int = np.int64
STRIDE = 16  # floats of a vertex
MATERIAL = 24  # floats of a material: see runtime.scene.tables
TEXEL = 16  # bytes of a texel: albedo r, g, b, alpha, roughness, metallic, occlusion, normal x, y, emission r, g, b, four free
LEVELS = 12  # mips at most
PART = 5  # numbers of a part: its first triangle, how many, seen from behind too, material with holes or −1, glass


def scene_vertices(positions, normals, tangents, uv, colours, count, place, camera, vertices, bounds):
    """Vertices of one mesh, seen by a camera.

    Args:
        positions, normals: (count, 3); tangents, colours: (count, 4); uv: (count, 2).
        place: (21,) the mesh to the camera's space, three rows of four; then normals to it, three rows of three.
        camera: (5,) fx, fy, cx, cy in pixels of the raster (y down), and the near plane in metres.
        vertices: (count, 16) the result.
        bounds: (6,) least x and y, largest x and y, sum of 1 / distance, and number of vertices before the camera: widened.
    """
    for i in range(count):
        x, y, z = positions[3 * i], positions[3 * i + 1], positions[3 * i + 2]
        sx = place[0] * x + place[1] * y + place[2] * z + place[3]
        sy = place[4] * x + place[5] * y + place[6] * z + place[7]
        far = -(place[8] * x + place[9] * y + place[10] * z + place[11])
        v = STRIDE * i
        over = F(1.0) / far if far > camera[4] else F(0.0)
        vertices[v] = camera[2] + camera[0] * sx * over
        vertices[v + 1] = camera[3] - camera[1] * sy * over
        vertices[v + 2] = over
        if over > F(0.0):
            bounds[0], bounds[1] = min(bounds[0], vertices[v]), min(bounds[1], vertices[v + 1])
            bounds[2], bounds[3] = max(bounds[2], vertices[v]), max(bounds[3], vertices[v + 1])
            bounds[4] += over
            bounds[5] += F(1.0)
        x, y, z = normals[3 * i], normals[3 * i + 1], normals[3 * i + 2]
        vertices[v + 3] = place[12] * x + place[13] * y + place[14] * z
        vertices[v + 4] = place[15] * x + place[16] * y + place[17] * z
        vertices[v + 5] = place[18] * x + place[19] * y + place[20] * z
        vertices[v + 6] = uv[2 * i]
        vertices[v + 7] = uv[2 * i + 1]
        x, y, z = tangents[4 * i], tangents[4 * i + 1], tangents[4 * i + 2]
        vertices[v + 8] = place[0] * x + place[1] * y + place[2] * z
        vertices[v + 9] = place[4] * x + place[5] * y + place[6] * z
        vertices[v + 10] = place[8] * x + place[9] * y + place[10] * z
        vertices[v + 11] = tangents[4 * i + 3]
        for k in range(4):
            vertices[v + 12 + k] = colours[4 * i + k]


def scene_spans(vertices, triangles, parts, count, width, height, spans):
    """The rows that triangles lie on, first and last; the last before the first where one is not drawn.

    Args:
        vertices: (n, 16); triangles: (m, 3) corners, counter-clockwise as seen from outside (y up).
        parts: (count, 5): first triangle, how many, 1 = seen from behind too, the material with holes or −1, 1 = glass.
        spans: (m, 2) the result.
    """
    for p in range(count):
        first, both = parts[PART * p], parts[PART * p + 2]
        for t in range(first, first + parts[PART * p + 1]):
            spans[2 * t], spans[2 * t + 1] = 1, 0
            a, b, c = STRIDE * Int(triangles[3 * t]), STRIDE * Int(triangles[3 * t + 1]), STRIDE * Int(triangles[3 * t + 2])
            if not _drawable(vertices, a, b, c, width, height):
                continue
            ax, ay = _fixed(vertices[a]), _fixed(vertices[a + 1])
            bx, by = _fixed(vertices[b]), _fixed(vertices[b + 1])
            cx, cy = _fixed(vertices[c]), _fixed(vertices[c + 1])
            area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)  # y down: seen from outside it is negative
            if area < 0 or (area > 0 and both == 1):
                spans[2 * t] = max(Int(0), (min(ay, by, cy) - 224) >> 8)
                spans[2 * t + 1] = min(height - 1, (max(ay, by, cy) + 32) >> 8)


def _visible(vertices, triangles, spans, parts, part, materials, texels, levels, near, ids, width, start, rows):
    """Who is seen at each sample of a band: the nearest triangle of a part wins.

    near: (rows, width, 4) 1 / distance of what is seen, 0 where nothing is; ids: its triangle's number + 1.
    """
    first, masked = parts[PART * part], parts[PART * part + 3]
    for t in range(first, first + parts[PART * part + 1]):
        top, bottom = max(Int(spans[2 * t]), start), min(Int(spans[2 * t + 1]), start + rows - 1)
        if top > bottom:
            continue
        a, b, c = STRIDE * Int(triangles[3 * t]), STRIDE * Int(triangles[3 * t + 1]), STRIDE * Int(triangles[3 * t + 2])
        ax, ay = _fixed(vertices[a]), _fixed(vertices[a + 1])
        bx, by = _fixed(vertices[b]), _fixed(vertices[b + 1])
        cx, cy = _fixed(vertices[c]), _fixed(vertices[c + 1])
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if area < 0:
            b, c = c, b
            bx, by, cx, cy = cx, cy, bx, by
            area = -area
        _samples(
            vertices, a, b, c, ax, ay, bx, by, cx, cy, F(area), t, materials, texels, levels, masked, near, ids, width, start,
            top, bottom,
        )  # fmt: skip


def _drawable(vertices, a, b, c, width, height):
    """Whether a triangle is before the camera, not all to one side of the raster, and not too large for whole numbers."""
    if vertices[a + 2] <= F(0.0) or vertices[b + 2] <= F(0.0) or vertices[c + 2] <= F(0.0):
        return False
    low_x, low_y = min(vertices[a], vertices[b], vertices[c]), min(vertices[a + 1], vertices[b + 1], vertices[c + 1])
    high_x, high_y = max(vertices[a], vertices[b], vertices[c]), max(vertices[a + 1], vertices[b + 1], vertices[c + 1])
    if high_x < F(0.0) or high_y < F(0.0) or low_x > F(width) or low_y > F(height):
        return False
    far = F(30000.0)
    return low_x > -far and low_y > -far and high_x < far and high_y < far


def _fixed(value):
    return Int(math.floor(value * F(256.0) + F(0.5)))


def _samples(vertices, a, b, c, ax, ay, bx, by, cx, cy, area, t, materials, texels, levels, masked, near, ids, width, start_row,
             top, bottom):  # fmt: skip
    """The samples in one triangle on some rows, corners in order so that its inside has positive edge functions."""
    left = max(Int(0), (min(ax, bx, cx) - 224) >> 8)
    right = min(width - 1, (max(ax, bx, cx) + 32) >> 8)
    # 1 / distance is linear on the screen
    d1, d2 = vertices[b + 2] - vertices[a + 2], vertices[c + 2] - vertices[a + 2]
    scale = F(256.0) / area
    zx = (d1 * F(cy - ay) - d2 * F(by - ay)) * scale
    zy = (d2 * F(bx - ax) - d1 * F(cx - ax)) * scale
    a0, a1, a2, a3 = _offsets(ay - by, bx - ax)
    b0, b1, b2, b3 = _offsets(by - cy, cx - bx)
    c0, c1, c2, c3 = _offsets(cy - ay, ax - cx)
    ab_most, bc_most, ca_most = _most(ay - by, bx - ax), _most(by - cy, cx - bx), _most(cy - ay, ax - cx)
    ab_step, bc_step, ca_step = F((ay - by) * 256), F((by - cy) * 256), F((cy - ay) * 256)
    ab_over = F(1.0) / ab_step if ab_step != F(0.0) else F(0.0)
    bc_over = F(1.0) / bc_step if bc_step != F(0.0) else F(0.0)
    ca_over = F(1.0) / ca_step if ca_step != F(0.0) else F(0.0)
    z0, z1 = zx * F(0.375) + zy * F(0.125), zx * F(0.875) + zy * F(0.375)
    z2, z3 = zx * F(0.125) + zy * F(0.625), zx * F(0.625) + zy * F(0.875)
    mine = np.int32(t + 1)
    for y in range(top, bottom + 1):
        py = 256 * y
        # what each edge function is at the pixel's corner x = 0, and per pixel; the row's ends from them
        ab, abx = (bx - ax) * (py - ay) + (by - ay) * ax, (ay - by) * 256
        bc, bcx = (cx - bx) * (py - by) + (cy - by) * bx, (by - cy) * 256
        ca, cax = (ax - cx) * (py - cy) + (ay - cy) * cx, (cy - ay) * 256
        # an edge function changes by less than a pixel right or a pixel down within the pixel
        start, end = left, right
        start, end = _ends(start, end, F(ab + ab_most), ab_step, ab_over)
        start, end = _ends(start, end, F(bc + bc_most), bc_step, bc_over)
        start, end = _ends(start, end, F(ca + ca_most), ca_step, ca_over)
        row = vertices[a + 2] + zx * (F(-ax) * F(1.0 / 256.0)) + zy * (F(py - ay) * F(1.0 / 256.0))
        for x in range(start, end + 1):
            at = 4 * ((y - start_row) * width + x)
            e1, e2, e3 = ab + abx * x, bc + bcx * x, ca + cax * x
            z = row + zx * F(x)
            if masked >= 0:
                _cut(
                    vertices, a, b, c, ax, ay, bx, by, cx, cy, e1, e2, e3, z, zx, zy, t, materials, texels, levels, masked, near,
                    ids, at,
                )  # fmt: skip
                continue
            # written whether seen or not: a branch that can't be foretold costs more
            w0, w1, w2, w3 = z + z0, z + z1, z + z2, z + z3
            n0, n1, n2, n3 = near[at], near[at + 1], near[at + 2], near[at + 3]
            i0, i1, i2, i3 = ids[at], ids[at + 1], ids[at + 2], ids[at + 3]
            s0 = (((e1 + a0) | (e2 + b0) | (e3 + c0)) >= 0) & (w0 > n0)
            s1 = (((e1 + a1) | (e2 + b1) | (e3 + c1)) >= 0) & (w1 > n1)
            s2 = (((e1 + a2) | (e2 + b2) | (e3 + c2)) >= 0) & (w2 > n2)
            s3 = (((e1 + a3) | (e2 + b3) | (e3 + c3)) >= 0) & (w3 > n3)
            near[at], near[at + 1] = w0 if s0 else n0, w1 if s1 else n1
            near[at + 2], near[at + 3] = w2 if s2 else n2, w3 if s3 else n3
            ids[at], ids[at + 1] = mine if s0 else i0, mine if s1 else i1
            ids[at + 2], ids[at + 3] = mine if s2 else i2, mine if s3 else i3


def _offsets(per_x, per_y):
    """What an edge function gains from a pixel's corner to its four samples, in 256ths of a pixel."""
    return per_x * 96 + per_y * 32, per_x * 224 + per_y * 96, per_x * 32 + per_y * 160, per_x * 160 + per_y * 224


def _cut(
    vertices, a, b, c, ax, ay, bx, by, cx, cy, e1, e2, e3, z, zx, zy, t, materials, texels, levels, masked, near, ids, at
):  # fmt: skip
    """The samples of a pixel in a triangle of a material with holes."""
    for s in range(4):
        right, down = 96 + 128 * (s & 1) - 64 * (s >> 1), 32 + 64 * s
        f1 = e1 + (ay - by) * right + (bx - ax) * down
        f2 = e2 + (by - cy) * right + (cx - bx) * down
        f3 = e3 + (cy - ay) * right + (ax - cx) * down
        there = z + zx * (F(right) * F(1.0 / 256.0)) + zy * (F(down) * F(1.0 / 256.0))
        inside = (f1 | f2 | f3) >= 0 and there > near[at + s]
        if inside and _solid(vertices, a, b, c, F(f2), F(f3), F(f1), materials, texels, levels, masked):
            near[at + s], ids[at + s] = there, t + 1


def _most(per_x, per_y):
    """The most an edge function gains over a pixel's corner at one of its samples."""
    return max(per_x * 224, per_x * 32) + max(per_y * 224, per_y * 32)


def _ends(start, end, value, step, over):
    """The part of start … end where value + step·x may be ≥ 0, or a pixel more. over: 1 / step."""
    if step > F(0.0):
        start = max(start, Int(math.floor(min(-value * over, F(40000.0)))) - 1)
    elif step < F(0.0):
        end = min(end, Int(math.floor(max(-value * over, F(-40000.0)))) + 2)
    elif value < F(0.0):
        end = start - 1
    return start, end


def _solid(vertices, a, b, c, wa, wb, wc, materials, texels, levels, masked):
    """Whether a cut-out material is there at that sample, by its finest texel."""
    m = MATERIAL * masked
    pa, pb, pc = wa * vertices[a + 2], wb * vertices[b + 2], wc * vertices[c + 2]
    whole = F(1.0) / max(pa + pb + pc, F(1e-30))
    u = (pa * vertices[a + 6] + pb * vertices[b + 6] + pc * vertices[c + 6]) * whole
    v = (pa * vertices[a + 7] + pb * vertices[b + 7] + pc * vertices[c + 7]) * whole
    table = 3 * LEVELS * Int(materials[m + 16])
    wide, high = levels[table + 1], levels[table + 2]
    column = min(Int((u - F(math.floor(u))) * F(wide)), wide - 1)
    row = min(Int((v - F(math.floor(v))) * F(high)), high - 1)
    return F(texels[levels[table] + TEXEL * (row * wide + column) + 3]) * F(1.0 / 255.0) * materials[m + 3] >= materials[m + 12]


def scene_hide(vertices, triangles, count, hidden, width, height):
    """What hides a scene without being seen itself, softly: a head.

    Args:
        vertices: (n, 16), whose last number is how opaque it is there; triangles: (count, 3).
        hidden: (height, width, 2) 1 / distance and opacity, 0 where nothing is. A fragment before or behind another one
            adds to it, so that what fades at its contour lets what is behind it hide in its place.
    """
    for t in range(count):
        a, b, c = STRIDE * Int(triangles[3 * t]), STRIDE * Int(triangles[3 * t + 2]), STRIDE * Int(triangles[3 * t + 1])
        if not _drawable(vertices, a, b, c, width, height):
            continue
        ax, ay, bx, by = _fixed(vertices[a]), _fixed(vertices[a + 1]), _fixed(vertices[b]), _fixed(vertices[b + 1])
        cx, cy = _fixed(vertices[c]), _fixed(vertices[c + 1])
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if area <= 0:
            continue
        over = F(1.0) / F(area)
        # a pixel on an edge belongs to one side of it
        ab_own = Int(0) if by < ay or (by == ay and bx > ax) else Int(-1)
        bc_own = Int(0) if cy < by or (cy == by and cx > bx) else Int(-1)
        ca_own = Int(0) if ay < cy or (ay == cy and ax > cx) else Int(-1)
        for y in range(max(Int(0), min(ay, by, cy) >> 8), min(height - 1, max(ay, by, cy) >> 8) + 1):
            py = 256 * y + 128
            for x in range(max(Int(0), min(ax, bx, cx) >> 8), min(width - 1, max(ax, bx, cx) >> 8) + 1):
                px = 256 * x + 128
                ab = (bx - ax) * (py - ay) - (by - ay) * (px - ax)
                bc = (cx - bx) * (py - by) - (cy - by) * (px - bx)
                ca = (ax - cx) * (py - cy) - (ay - cy) * (px - cx)
                if ab + ab_own >= 0 and bc + bc_own >= 0 and ca + ca_own >= 0:
                    wa, wb, wc = F(bc) * over, F(ca) * over, F(ab) * over
                    z = wa * vertices[a + 2] + wb * vertices[b + 2] + wc * vertices[c + 2]
                    fade = wa * vertices[a + 15] + wb * vertices[b + 15] + wc * vertices[c + 15]
                    fade = min(max(fade, F(0.0)), F(1.0))
                    _hide(hidden, 2 * (y * width + x), z, fade * fade * (F(3.0) - fade - fade))


def _hide(hidden, at, z, opacity):
    if opacity <= F(0.0):
        return
    old_z, old = hidden[at], hidden[at + 1]
    whole = opacity + old - opacity * old
    front = opacity if z >= old_z else opacity * (F(1.0) - old)  # the new one's share
    hidden[at] = old_z + (z - old_z) * (front / whole)
    hidden[at + 1] = whole


def scene_band(
    vertices, triangles, spans, parts, count, material_of, group_of, materials, texels, levels, near, ids, glass_near, glass_ids,
    glass, hidden, hides, view, surface, colour, finish, emission, work, width, start, rows,
):  # fmt: skip
    """What is seen on a band of rows; `near`, `ids`, `glass_near` and `glass_ids` must come empty, and are left so.

    Args:
        spans, parts, count: see `scene_spans`. material_of, group_of: of each triangle; edges within a smooth group are not
            smoothed a second time.
        materials: (k, 24); texels: bytes; levels: (k, 12, 3) offset, width, height of each mip.
        near, ids, glass_near, glass_ids: (rows, width, 4) to work in; glass: 1 where there are transparent materials.
        hidden: (height, width, 2) from `scene_hide`; hides: 1 where it holds something.
        view: (8,) the distance that has depth 0, frame heights a metre there; softness in metres of where things are
            hidden; raster pixel of the frame's axis cx, cy, and 1 / fx, 1 / fy.
        surface: (height, width, 8) a Surface. colour: (…, 4) albedo, premultiplied by opacity, sRGB. finish: (…, 4)
            roughness, metallic, occlusion, premultiplied by coverage. emission: (…, 4) r, g, b, 0, so too.
        work: (16,) to scribble on.
    """
    for part in range(count):
        if parts[PART * part + 4] == 1:
            _visible(
                vertices, triangles, spans, parts, part, materials, texels, levels, glass_near, glass_ids, width, start, rows
            )
        else:
            _visible(vertices, triangles, spans, parts, part, materials, texels, levels, near, ids, width, start, rows)
    for y in range(start, start + rows):
        for x in range(width):
            pixel = y * width + x
            at = 4 * ((y - start) * width + x)
            covered = Int(0)
            for s in range(4):
                if ids[at + s] > 0:
                    covered += 1
            glassy, both = Int(0), Int(0)
            if glass == 1:
                for s in range(4):
                    if glass_ids[at + s] > 0 and glass_near[at + s] > near[at + s]:
                        glassy += 1
                        both += Int(1) if ids[at + s] > 0 else Int(0)
                    else:
                        glass_ids[at + s] = 0
            o, q = 8 * pixel, 4 * pixel
            for k in range(8):
                surface[o + k] = F(0.0)
            for k in range(4):
                colour[q + k] = F(0.0)
                finish[q + k] = F(0.0)
                emission[q + k] = F(0.0)
            if covered == 0 and glassy == 0:
                continue
            z = F(0.0)
            one = ids[at]
            if covered == 4 and ids[at + 1] == one and ids[at + 2] == one and ids[at + 3] == one:
                z = near[at]
                shown = _shown(hidden, hides, pixel, z, view)
                _shade(
                    vertices, triangles, Int(one) - 1, Int(material_of[one - 1]), materials, texels, levels, F(x) + F(0.5),
                    F(y) + F(0.5), shown, view, F(-1.0), surface, o, colour, finish, emission, q, work,
                )  # fmt: skip
            elif covered > 0:
                z = _gather(
                    vertices, triangles, material_of, group_of, materials, texels, levels, near, ids, at, x, y, view, F(-1.0),
                    hidden, hides, pixel, surface, o, colour, finish, emission, q, work,
                )  # fmt: skip
            if glassy > 0:
                behind = z
                nx, ny, nz, old = surface[o + 3], surface[o + 4], surface[o + 5], finish[q + 3]
                rough, metal, reached = finish[q], finish[q + 1], finish[q + 2]
                under = F(both) / F(max(covered, Int(1)))  # the share of what is behind that the glass lies over
                z = _gather(
                    vertices, triangles, material_of, group_of, materials, texels, levels, glass_near, glass_ids, at, x, y,
                    view, under, hidden, hides, pixel, surface, o, colour, finish, emission, q, work,
                )  # fmt: skip
                z = max(z, behind)
                if glassy <= 2 and old >= F(0.5):
                    # a pixel mirrors as what most of it is: a mixture of two would mirror what neither does
                    share = finish[q + 3] / old
                    surface[o + 3], surface[o + 4], surface[o + 5] = nx, ny, nz
                    finish[q], finish[q + 1], finish[q + 2] = rough * share, metal * share, reached * share
            for s in range(4):
                near[at + s] = F(0.0)
                ids[at + s] = 0
                if glass == 1:
                    glass_near[at + s] = F(0.0)
                    glass_ids[at + s] = 0
            _finish_pixel(surface, o, finish[q + 3], z, view)


def _finish_pixel(surface, o, coverage, z, view):
    """Normals at length 1, means instead of sums, depth in frame heights."""
    nx, ny, nz = surface[o + 3], surface[o + 4], surface[o + 5]
    long = math.sqrt(nx * nx + ny * ny + nz * nz)
    short = F(1.0) / long if long > F(1e-6) else F(0.0)
    surface[o + 3] = nx * short
    surface[o + 4] = ny * short
    surface[o + 5] = nz * short if long > F(1e-6) else F(1.0)
    part = F(1.0) / max(coverage, F(1e-6))
    surface[o + 1] *= part
    surface[o + 2] *= part
    surface[o + 6] = (view[0] - F(1.0) / max(z, F(1e-6))) * view[1]
    surface[o] = coverage


def _shown(hidden, hides, pixel, z, view):
    """How much of what lies there a head leaves to be seen."""
    if hides == 0 or hidden[2 * pixel + 1] <= F(0.0):
        return F(1.0)
    before = F(1.0) / hidden[2 * pixel] - F(1.0) / max(z, F(1e-6))  # metres before what hides it
    step = min(max(F(0.5) + before / (F(2.0) * view[2]), F(0.0)), F(1.0))
    return F(1.0) - hidden[2 * pixel + 1] * (F(1.0) - step * step * (F(3.0) - step - step))


def _gather(
    vertices, triangles, material_of, group_of, materials, texels, levels, near, ids, at, x, y, view, under,
    hidden, hides, pixel, surface, o, colour, finish, emission, q, work,
):  # fmt: skip
    """Add what the samples of a pixel see; gives 1 / distance of the nearest."""
    nearest = F(0.0)
    for s in range(4):
        t = Int(ids[at + s]) - 1
        if t < 0:
            continue
        z = near[at + s]
        nearest = max(nearest, z)
        alone = True
        for r in range(s):
            other = Int(ids[at + r]) - 1
            alone = alone and not _alike(t, other, z, near[at + r], group_of)
        if not alone:
            continue
        weight, sum_x, sum_y = F(0.0), F(0.0), F(0.0)
        for r in range(s, 4):
            other = Int(ids[at + r]) - 1
            if r == s or _alike(t, other, z, near[at + r], group_of):
                weight += F(0.25)
                sum_x += F(0.375) if r == 0 else (F(0.875) if r == 1 else (F(0.125) if r == 2 else F(0.625)))
                sum_y += F(0.125) + F(0.25) * F(r)
        px, py = F(x) + sum_x * F(0.25) / weight, F(y) + sum_y * F(0.25) / weight
        _shade(
            vertices, triangles, t, Int(material_of[t]), materials, texels, levels, px, py,
            weight * _shown(hidden, hides, pixel, z, view), view, under, surface, o,
            colour, finish, emission, q, work,
        )  # fmt: skip
        under = min(under, F(0.0))  # what is behind is dimmed once
    return nearest


def _alike(t, other, z, there, group_of):
    """Whether two samples see one smooth piece."""
    if other < 0:
        return False
    return other == t or (group_of[other] == group_of[t] and abs(z - there) < F(0.02) * z)


def _shade(
    vertices, triangles, t, material, materials, texels, levels, px, py, weight, view, under, surface, o, colour, finish,
    emission, q, work,
):  # fmt: skip
    """Add one triangle's attributes at a place, by weight.

    under: of glass, the share of what is there that it lies over; below 0 for what is no glass.
    """
    if weight <= F(0.0):
        return
    a, b, c = STRIDE * Int(triangles[3 * t]), STRIDE * Int(triangles[3 * t + 1]), STRIDE * Int(triangles[3 * t + 2])
    m = MATERIAL * material
    ax, ay, bx, by = vertices[a], vertices[a + 1], vertices[b], vertices[b + 1]
    cx, cy = vertices[c], vertices[c + 1]
    area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
    over = F(1.0) / area if abs(area) > F(1e-12) else F(0.0)
    wa = max(((bx - px) * (cy - py) - (by - py) * (cx - px)) * over, F(0.0)) * vertices[a + 2]
    wb = max(((cx - px) * (ay - py) - (cy - py) * (ax - px)) * over, F(0.0)) * vertices[b + 2]
    wc = max(((ax - px) * (by - py) - (ay - py) * (bx - px)) * over, F(0.0)) * vertices[c + 2]
    whole = F(1.0) / max(wa + wb + wc, F(1e-20))
    wa, wb, wc = wa * whole, wb * whole, wc * whole
    nx = wa * vertices[a + 3] + wb * vertices[b + 3] + wc * vertices[c + 3]
    ny = wa * vertices[a + 4] + wb * vertices[b + 4] + wc * vertices[c + 4]
    nz = wa * vertices[a + 5] + wb * vertices[b + 5] + wc * vertices[c + 5]
    long = nx * nx + ny * ny + nz * nz
    short = F(1.0) / math.sqrt(long) if long > F(1e-12) else F(0.0)
    if area > F(0.0):  # seen from behind
        short = -short
    nx, ny, nz = nx * short, ny * short, nz * short
    u = wa * vertices[a + 6] + wb * vertices[b + 6] + wc * vertices[c + 6]
    v = wa * vertices[a + 7] + wb * vertices[b + 7] + wc * vertices[c + 7]
    red = wa * vertices[a + 12] + wb * vertices[b + 12] + wc * vertices[c + 12]
    green = wa * vertices[a + 13] + wb * vertices[b + 13] + wc * vertices[c + 13]
    blue = wa * vertices[a + 14] + wb * vertices[b + 14] + wc * vertices[c + 14]
    alpha = wa * vertices[a + 15] + wb * vertices[b + 15] + wc * vertices[c + 15]
    rough, metal, occluded = materials[m + 4], materials[m + 5], F(1.0)
    er, eg, eb = materials[m + 7], materials[m + 8], materials[m + 9]
    if materials[m + 15] > F(0.0):
        duv = (vertices[b + 6] - vertices[a + 6]) * (vertices[c + 7] - vertices[a + 7]) - (
            vertices[b + 7] - vertices[a + 7]
        ) * (vertices[c + 6] - vertices[a + 6])
        table = 3 * LEVELS * Int(materials[m + 16])
        low, high, share = _mips(levels, table, Int(materials[m + 15]), abs(duv), abs(area))
        _texel(texels, levels, low, u, v, F(1.0) - share, Int(materials[m + 17]), True, work)
        if share > F(0.0):
            _texel(texels, levels, high, u, v, share, Int(materials[m + 17]), False, work)
        red, green, blue, alpha = red * work[0], green * work[1], blue * work[2], alpha * work[3]
        rough, metal, occluded = rough * work[4], metal * work[5], work[6]
        er, eg, eb = er * work[9], eg * work[10], eb * work[11]
        if materials[m + 10] > F(0.0):
            nx, ny, nz = _bent(vertices, a, b, c, wa, wb, wc, nx, ny, nz, work[7], work[8])
    red, green, blue, alpha = red * materials[m], green * materials[m + 1], blue * materials[m + 2], alpha * materials[m + 3]
    # a normal that a smooth mesh turns away from the eye is bent back to its rim
    vx, vy = (view[3] - px) * view[5], (py - view[4]) * view[6]
    away = nx * vx + ny * vy + nz
    if away < F(0.0):
        short = away / (vx * vx + vy * vy + F(1.0))
        nx, ny, nz = nx - vx * short, ny - vy * short, nz - short
    if materials[m + 14] > F(0.0):  # unlit: it shines by itself, and takes no light
        er, eg, eb = red, green, blue
        red, green, blue, rough, metal, occluded = F(0.0), F(0.0), F(0.0), F(1.0), F(0.0), F(0.0)
    if materials[m + 11] < F(1.5):
        alpha = F(1.0)
    if under >= F(0.0):  # glass
        kept, through = F(1.0) - under, F(1.0) - alpha * under
        for k in range(4):
            colour[q + k] *= through
            emission[q + k] *= through
            finish[q + k] *= kept
        for k in range(1, 6):
            surface[o + k] *= kept
    surface[o + 1] += u * weight
    surface[o + 2] += v * weight
    surface[o + 3] += nx * weight
    surface[o + 4] += ny * weight
    surface[o + 5] += nz * weight
    shown = alpha * weight
    colour[q] += red * shown
    colour[q + 1] += green * shown
    colour[q + 2] += blue * shown
    colour[q + 3] += shown
    finish[q] += rough * weight
    finish[q + 1] += metal * weight
    finish[q + 2] += occluded * weight
    finish[q + 3] += weight
    emission[q] += er * shown
    emission[q + 1] += eg * shown
    emission[q + 2] += eb * shown


def _mips(levels, table, count, duv, area):
    """The two mips between which a texel is as large as a pixel, as places in `levels`, and the second one's share."""
    ratio = duv * F(levels[table + 1]) * F(levels[table + 2]) / max(area, F(1e-6))
    level = Int(0)
    while ratio > F(4.0) and level < count - 1:
        ratio *= F(0.25)
        level += 1
    share = min(max((ratio - F(1.0)) * F(1.0 / 3.0), F(0.0)), F(1.0))
    if level >= count - 1:
        share = F(0.0)
    return table + 3 * level, table + 3 * level + 3, share


def _texel(texels, levels, place, u, v, share, numbers, first, work):
    """A mip's texel at u, v times `share`, bilinear, repeated beyond its edges: set, or added to what is in `work`.

    How many `numbers` is no constant here, or the loop would be unrolled and not made of vectors.
    """
    start, wide, high = levels[place], levels[place + 1], levels[place + 2]
    fu = (u - F(math.floor(u))) * F(wide) - F(0.5)
    fv = (v - F(math.floor(v))) * F(high) - F(0.5)
    x, y = Int(math.floor(fu)), Int(math.floor(fv))
    tx, ty = fu - F(x), fv - F(y)
    x0 = x if x >= 0 else wide - 1
    y0 = y if y >= 0 else high - 1
    x1 = x + 1 if x + 1 < wide else Int(0)
    y1 = y + 1 if y + 1 < high else Int(0)
    p, r = start + TEXEL * (y0 * wide + x0), start + TEXEL * (y0 * wide + x1)
    s, t = start + TEXEL * (y1 * wide + x0), start + TEXEL * (y1 * wide + x1)
    share *= F(1.0 / 255.0)
    w00, w10 = (F(1.0) - tx) * (F(1.0) - ty) * share, tx * (F(1.0) - ty) * share
    w01, w11 = (F(1.0) - tx) * ty * share, tx * ty * share
    if first:
        for k in range(numbers):
            work[k] = F(texels[p + k]) * w00 + F(texels[r + k]) * w10 + F(texels[s + k]) * w01 + F(texels[t + k]) * w11
    else:
        for k in range(numbers):
            work[k] += F(texels[p + k]) * w00 + F(texels[r + k]) * w10 + F(texels[s + k]) * w01 + F(texels[t + k]) * w11


def _bent(vertices, a, b, c, wa, wb, wc, nx, ny, nz, n1, n2):
    """The normal as a normal map bends it."""
    tx = wa * vertices[a + 8] + wb * vertices[b + 8] + wc * vertices[c + 8]
    ty = wa * vertices[a + 9] + wb * vertices[b + 9] + wc * vertices[c + 9]
    tz = wa * vertices[a + 10] + wb * vertices[b + 10] + wc * vertices[c + 10]
    along = tx * nx + ty * ny + tz * nz
    tx, ty, tz = tx - nx * along, ty - ny * along, tz - nz * along
    long = tx * tx + ty * ty + tz * tz
    if long < F(1e-12):
        return nx, ny, nz
    short = F(1.0) / math.sqrt(long)
    tx, ty, tz = tx * short, ty * short, tz * short
    side = vertices[a + 11]
    sx, sy, sz = (ny * tz - nz * ty) * side, (nz * tx - nx * tz) * side, (nx * ty - ny * tx) * side
    mx, my = n1 + n1 - F(1.0), n2 + n2 - F(1.0)
    mz = math.sqrt(max(F(1.0) - mx * mx - my * my, F(0.0)))
    bx, by, bz = tx * mx + sx * my + nx * mz, ty * mx + sy * my + ny * mz, tz * mx + sz * my + nz * mz
    long = bx * bx + by * by + bz * bz
    short = F(1.0) / math.sqrt(long) if long > F(1e-12) else F(0.0)
    return bx * short, by * short, bz * short
