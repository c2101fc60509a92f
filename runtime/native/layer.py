"""Pictures on triangles and sprites, laid over a premultiplied layer: source of the loops `draw_triangles`, `draw_sprites`.

A texture is premultiplied RGBA, 1 as 65535, its mip levels one after another (`runtime/textures.py`), each half as large as the
one before and with a transparent rim of a texel. It is read bilinearly in two levels and mixed between them, so nothing shimmers as it shrinks. Outside itself
a texture is transparent: an edge drawn a pixel wider than the picture fades over the picture's own edge.

Which pixel a triangle owns is exact, as in `rasterise.py`: vertices on a grid of 1/256 pixel, top-left rule. Where a texture
lies in perspective, places in it are mixed by 1/depth (Heckbert and Moreton, "Interpolation for polygon texture mapping
and shading", 1991).
"""

from __future__ import annotations

import math

import numpy as np

__all__ = ["SPRITE", "VERTEX", "draw_sprites", "draw_triangles"]

F = np.float32
Int = np.int64
VERTEX = 6  # numbers of a vertex
SPRITE = 10  # numbers of a sprite
SMALLEST = 1.0  # radius in pixels below which a sprite grows no smaller but fainter


def draw_triangles(vertices, triangles, faces, texels, levels, count, lod, tint, layer, width, height):
    """Lay textured triangles over a layer, one after another; either side of them shows.

    Args:
        vertices: (n, 6): x, y in pixels of the layer; 1/depth in any unit, above 0; u, v from 0 to 1 over the texture;
            opacity.
        triangles: (faces, 3) corners.
        texels, levels: the texture: where each of `count` levels (its rim) begins among the texels, its width and height.
        lod: the level it is read at, whole numbers one level each; 0 the finest.
        tint: (4,) factors of r, g, b and alpha; alpha 0 adds light.
        layer: (height, width, 4) premultiplied.
    """
    for t in range(faces):
        a, b, c = VERTEX * Int(triangles[3 * t]), VERTEX * Int(triangles[3 * t + 1]), VERTEX * Int(triangles[3 * t + 2])
        if vertices[a + 5] > F(0.0) or vertices[b + 5] > F(0.0) or vertices[c + 5] > F(0.0):
            ax, ay, bx, by = _fixed(vertices[a]), _fixed(vertices[a + 1]), _fixed(vertices[b]), _fixed(vertices[b + 1])
            cx, cy = _fixed(vertices[c]), _fixed(vertices[c + 1])
            area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
            if area > 0:
                _triangle(
                    vertices, a, b, c, ax, ay, bx, by, cx, cy, area, texels, levels, count, lod, tint, layer, width, height
                )
            elif area < 0:
                _triangle(
                    vertices, a, c, b, ax, ay, cx, cy, bx, by, -area, texels, levels, count, lod, tint, layer, width, height
                )


def _fixed(value):
    return Int(math.floor(value * F(256.0) + F(0.5)))


def _triangle(vertices, a, b, c, ax, ay, bx, by, cx, cy, area, texels, levels, count, lod, tint, layer, width, height):
    """The pixels whose centres lie in one triangle, whose corners go round so that `area` is above 0."""
    top = max(Int(0), (min(ay, by, cy) + 127) >> 8)
    bottom = min(height - 1, (max(ay, by, cy) - 128) >> 8)
    leftmost = max(Int(0), (min(ax, bx, cx) + 127) >> 8)
    rightmost = min(width - 1, (max(ax, bx, cx) - 128) >> 8)
    scale = F(256.0) / F(area)
    e1x, e1y, e2x, e2y = F(bx - ax) * scale, F(by - ay) * scale, F(cx - ax) * scale, F(cy - ay) * scale
    qa, qb, qc = vertices[a + 2], vertices[b + 2], vertices[c + 2]
    q_x, q_y = (qb - qa) * e2y - (qc - qa) * e1y, (qc - qa) * e1x - (qb - qa) * e2x
    ua, d1, d2 = vertices[a + 3] * qa, vertices[b + 3] * qb, vertices[c + 3] * qc
    u_x, u_y = (d1 - ua) * e2y - (d2 - ua) * e1y, (d2 - ua) * e1x - (d1 - ua) * e2x
    va, d1, d2 = vertices[a + 4] * qa, vertices[b + 4] * qb, vertices[c + 4] * qc
    v_x, v_y = (d1 - va) * e2y - (d2 - va) * e1y, (d2 - va) * e1x - (d1 - va) * e2x
    oa, d1, d2 = vertices[a + 5], vertices[b + 5], vertices[c + 5]
    o_x, o_y = (d1 - oa) * e2y - (d2 - oa) * e1y, (d2 - oa) * e1x - (d1 - oa) * e2x
    ab_own = Int(0) if by < ay or (by == ay and bx > ax) else Int(-1)
    bc_own = Int(0) if cy < by or (cy == by and cx > bx) else Int(-1)
    ca_own = Int(0) if ay < cy or (ay == cy and ax > cx) else Int(-1)
    level, between = _level(lod, count)
    for y in range(top, bottom + 1):
        py = 256 * y + 128
        left, right = leftmost, rightmost
        left, right = _span(left, right, (bx - ax) * (py - ay) - (by - ay) * (128 - ax) + ab_own, (ay - by) * 256)
        left, right = _span(left, right, (cx - bx) * (py - by) - (cy - by) * (128 - bx) + bc_own, (by - cy) * 256)
        left, right = _span(left, right, (ax - cx) * (py - cy) - (ay - cy) * (128 - cx) + ca_own, (cy - ay) * 256)
        dy = F(py - ay) * F(1.0 / 256.0)
        for x in range(left, right + 1):
            dx = F(256 * x + 128 - ax) * F(1.0 / 256.0)
            near = F(1.0) / (qa + q_x * dx + q_y * dy)
            u, v = (ua + u_x * dx + u_y * dy) * near, (va + v_x * dx + v_y * dy) * near
            opacity = min(max(oa + o_x * dx + o_y * dy, F(0.0)), F(1.0))
            red, green, blue, alpha = _read(texels, levels, level, between, u, v)
            if alpha > F(0.0) or red > F(0.0) or green > F(0.0) or blue > F(0.0):
                _over(
                    layer, 4 * (y * width + x), red * tint[0] * opacity, green * tint[1] * opacity,
                    blue * tint[2] * opacity, alpha * tint[3] * opacity,
                )  # fmt: skip


def _span(left, right, value, step):
    """The part of left … right where value + step·x ≥ 0."""
    if step > 0:
        left = max(left, -(value // step))
    elif step < 0:
        right = min(right, value // -step)
    elif value < 0:
        right = left - 1
    return left, right


def _level(lod, count):
    """The finer of two levels, and how far towards the next."""
    held = min(max(lod, F(0.0)), F(count - 1))
    level = Int(math.floor(held))
    # near a whole level that one alone is read: the other would cost as much and hardly show
    between = min(max((held - F(level)) * F(1.4) - F(0.2), F(0.0)), F(1.0))
    if between >= F(1.0):
        return min(level + 1, count - 1), F(0.0)
    return level, between if level < count - 1 else F(0.0)


def _read(texels, levels, level, between, u, v):
    """A texture at u, v, in one level or between two."""
    red, green, blue, alpha = _bilinear(texels, levels[3 * level], levels[3 * level + 1], levels[3 * level + 2], u, v)
    if between > F(0.0):
        at = 3 * (level + 1)
        r, g, b, a = _bilinear(texels, levels[at], levels[at + 1], levels[at + 2], u, v)
        red, green = red + (r - red) * between, green + (g - green) * between
        blue, alpha = blue + (b - blue) * between, alpha + (a - alpha) * between
    return red, green, blue, alpha


def _bilinear(texels, start, columns, rows, u, v):
    """One level at u, v; transparent outside. Its rows are two texels longer than `columns`: a transparent rim."""
    x, y = u * F(columns) + F(0.5), v * F(rows) + F(0.5)
    if not (x >= F(0.0) and y >= F(0.0) and x < F(columns + 1) and y < F(rows + 1)):
        return F(0.0), F(0.0), F(0.0), F(0.0)
    i, j = Int(x), Int(y)
    fx, fy = x - F(i), y - F(j)
    above, below = (F(1.0) - fy) * F(1.0 / 65535.0), fy * F(1.0 / 65535.0)
    wa, wb = (F(1.0) - fx) * above, fx * above
    wc, wd = (F(1.0) - fx) * below, fx * below
    a = start + 4 * (j * (columns + 2) + i)
    c = a + 4 * (columns + 2)
    return (
        F(texels[a]) * wa + F(texels[a + 4]) * wb + F(texels[c]) * wc + F(texels[c + 4]) * wd,
        F(texels[a + 1]) * wa + F(texels[a + 5]) * wb + F(texels[c + 1]) * wc + F(texels[c + 5]) * wd,
        F(texels[a + 2]) * wa + F(texels[a + 6]) * wb + F(texels[c + 2]) * wc + F(texels[c + 6]) * wd,
        F(texels[a + 3]) * wa + F(texels[a + 7]) * wb + F(texels[c + 3]) * wc + F(texels[c + 7]) * wd,
    )


def _over(layer, at, red, green, blue, alpha):
    rest = F(1.0) - alpha
    layer[at] = red + layer[at] * rest
    layer[at + 1] = green + layer[at + 1] * rest
    layer[at + 2] = blue + layer[at + 2] * rest
    layer[at + 3] = alpha + layer[at + 3] * rest


def draw_sprites(sprites, number, soft, texels, levels, count, layer, width, height):
    """Lay sprites over a layer, one after another: round spots, or a texture.

    Args:
        sprites: (number, 10): x, y and radius in pixels of the layer (a texture's half side); cosine and sine of its turn;
            r, g, b, alpha, premultiplied (alpha 0 adds light); the level the texture is read at.
        soft: of a spot: 0 a disc with an edge of a pixel, 1 fading from its middle.
        texels, levels, count: as in `draw_triangles`; count 0: spots.
        layer: (height, width, 4) premultiplied.
    """
    for n in range(number):
        s = SPRITE * n
        radius = max(sprites[s + 2], F(SMALLEST))
        thin = sprites[s + 2] / radius
        thin *= thin
        reach = radius * F(1.4142136) + F(0.5) if count > 0 else radius + F(0.5)
        x0, y0 = sprites[s], sprites[s + 1]
        left, right = max(Int(0), Int(math.floor(x0 - reach))), min(width - 1, Int(math.floor(x0 + reach)))
        top, bottom = max(Int(0), Int(math.floor(y0 - reach))), min(height - 1, Int(math.floor(y0 + reach)))
        red, green, blue, alpha = sprites[s + 5] * thin, sprites[s + 6] * thin, sprites[s + 7] * thin, sprites[s + 8] * thin
        if count > 0:
            level, between = _level(sprites[s + 9], count)
            half = F(0.5) / radius
            across, down = sprites[s + 3] * half, sprites[s + 4] * half
            for y in range(top, bottom + 1):
                dy = F(y) + F(0.5) - y0
                for x in range(left, right + 1):
                    dx = F(x) + F(0.5) - x0
                    u, v = F(0.5) + across * dx + down * dy, F(0.5) - down * dx + across * dy
                    r, g, b, a = _read(texels, levels, level, between, u, v)
                    if a > F(0.0) or r > F(0.0) or g > F(0.0) or b > F(0.0):
                        _over(layer, 4 * (y * width + x), r * red, g * green, b * blue, a * alpha)
        else:
            # coverage: a smooth step over the outer `fall` of the radius, half a pixel beyond it
            outer = radius + F(0.5)
            fall = F(1.0) / max(soft * outer, F(1.0))
            for y in range(top, bottom + 1):
                dy = F(y) + F(0.5) - y0
                for x in range(left, right + 1):
                    dx = F(x) + F(0.5) - x0
                    inside = (outer - math.sqrt(dx * dx + dy * dy)) * fall
                    if inside > F(0.0):
                        inside = min(inside, F(1.0))
                        cover = inside * inside * (F(3.0) - inside - inside)
                        _over(layer, 4 * (y * width + x), red * cover, green * cover, blue * cover, alpha * cover)
