"""Triangles onto a picture with depth, for a skeleton without a graphics card.

A compiled loop over the triangles of a low-poly mesh draws ~90 000 of them many times a
second on one core, so the app needs no OpenGL and looks the same on every machine.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ..vocabulary import Array


@njit(cache=True, fastmath=True)
def draw(
    points: Array, colours: Array, faces: NDArray[np.int64], depth: Array, picture: Array
) -> None:
    """Draw triangles, nearest in front, flat-shaded.

    Parameters
    ----------
    points : (V, 3) pixels right and down, and towards the viewer (larger is nearer)
    colours : (V, 3) 0 to 1, sRGB
    faces : (F, 3) corners
    depth : (H, W), changed in place; begin with -inf
    picture : (H, W, 3) 0 to 255, changed in place
    """
    height, width = depth.shape
    for f in range(faces.shape[0]):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        ax, ay, az = points[a, 0], points[a, 1], points[a, 2]
        bx, by, bz = points[b, 0], points[b, 1], points[b, 2]
        cx, cy, cz = points[c, 0], points[c, 1], points[c, 2]
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if area == 0.0:
            continue
        x0 = max(int(np.floor(min(ax, bx, cx))), 0)
        x1 = min(int(np.ceil(max(ax, bx, cx))), width - 1)
        y0 = max(int(np.floor(min(ay, by, cy))), 0)
        y1 = min(int(np.ceil(max(ay, by, cy))), height - 1)
        if x0 > x1 or y0 > y1:
            continue
        # Normal in the viewer's axes: y runs down in the picture.
        nx = (by - ay) * (cz - az) - (bz - az) * (cy - ay)
        ny = (bz - az) * (cx - ax) - (bx - ax) * (cz - az)
        nz = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        size = np.sqrt(nx * nx + ny * ny + nz * nz)
        lit = (nx * 0.25 - ny * 0.45 + nz * 0.86) / size
        shade = 0.55 + 0.45 * abs(lit)
        for y in range(y0, y1 + 1):
            for x in range(x0, x1 + 1):
                u = ((bx - x) * (cy - y) - (by - y) * (cx - x)) / area
                v = ((cx - x) * (ay - y) - (cy - y) * (ax - x)) / area
                w = 1.0 - u - v
                if u < 0.0 or v < 0.0 or w < 0.0:
                    continue
                z = u * az + v * bz + w * cz
                if z > depth[y, x]:
                    depth[y, x] = z
                    for k in range(3):
                        value = u * colours[a, k] + v * colours[b, k] + w * colours[c, k]
                        picture[y, x, k] = 255.0 * min(1.0, value * shade)
