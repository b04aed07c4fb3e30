"""Modelling with distance fields: shapes that can be blended, cut and meshed.

A shape knows how far a point is from its surface (negative inside) and the box it lives
in. `Clay` holds the distance on a grid and changes it only near each shape, so that a
bone of fifty shapes costs little more than its surface. Smooth unions (a polynomial
minimum) make the fillets that let spheres and tubes read as bone. Lengths in metres.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import PchipInterpolator
from scipy.spatial import cKDTree

Array = NDArray[np.float64]
Distance = Callable[[Array], Array]
FAR = 1.0


@dataclass(frozen=True)
class Shape:
    """A solid: `distance` maps points (N, 3) to signed distance (N,); `low`, `high` its box."""

    distance: Distance
    low: Array
    high: Array

    def within(self, other: Shape) -> Shape:
        """Return the part of this shape that lies in the other."""
        return Shape(
            lambda p: np.maximum(self.distance(p), other.distance(p)), self.low, self.high
        )

    def without(self, other: Shape) -> Shape:
        """Return the part of this shape that lies outside the other."""
        return Shape(
            lambda p: np.maximum(self.distance(p), -other.distance(p)), self.low, self.high
        )


def smooth_min(a: Array, b: Array, blend: float) -> Array:
    """Minimum with a fillet of about `blend` where the two are equal."""
    if blend <= 0:
        return np.minimum(a, b)
    near = np.maximum(blend - np.abs(a - b), 0.0) / blend
    return np.minimum(a, b) - near * near * blend / 4


def _vector(values: ArrayLike) -> Array:
    return np.asarray(values, dtype=float)


def ball(center: ArrayLike, radius: float) -> Shape:
    """Sphere."""
    c = _vector(center)
    return Shape(lambda p: np.linalg.norm(p - c, axis=1) - radius, c - radius, c + radius)


def blob(center: ArrayLike, radii: ArrayLike, axes: ArrayLike | None = None) -> Shape:
    """Ellipsoid; `axes` (3, 3) holds its own axes as columns."""
    c, r = _vector(center), _vector(radii)
    turn = np.eye(3) if axes is None else _vector(axes)

    def distance(p: Array) -> Array:
        local = (p - c) @ turn
        k0 = np.linalg.norm(local / r, axis=1)
        k1 = np.maximum(np.linalg.norm(local / r**2, axis=1), 1e-9)
        return np.where(k0 < 1e-6, -r.min(), k0 * (k0 - 1) / k1)

    reach = np.abs(turn) @ r
    return Shape(distance, c - reach, c + reach)


def tilt(about_x: float = 0.0, about_y: float = 0.0, about_z: float = 0.0) -> Array:
    """Axes turned by degrees about x, then y, then z."""
    x, y, z = np.radians([about_x, about_y, about_z])
    cx, sx, cy, sy, cz, sz = np.cos(x), np.sin(x), np.cos(y), np.sin(y), np.cos(z), np.sin(z)
    rx = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    ry = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    rz = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    turned: Array = rz @ ry @ rx
    return turned


def bar(a: ArrayLike, b: ArrayLike, radius_a: float, radius_b: float | None = None) -> Shape:
    """Straight rod with round ends whose radius goes from one end to the other."""
    start, end = _vector(a), _vector(b)
    last = radius_a if radius_b is None else radius_b
    along = end - start

    def distance(p: Array) -> Array:
        t = np.clip((p - start) @ along / (along @ along), 0, 1)
        gap = np.linalg.norm(p - start - t[:, None] * along, axis=1)
        return gap - (radius_a + t * (last - radius_a))

    reach = max(radius_a, last)
    return Shape(distance, np.minimum(start, end) - reach, np.maximum(start, end) + reach)


def drum(a: ArrayLike, b: ArrayLike, radius: float, edge: float = 0.0) -> Shape:
    """Cylinder from a to b with rounded edges."""
    start, end = _vector(a), _vector(b)
    middle, half = (start + end) / 2, np.linalg.norm(end - start) / 2
    axis = (end - start) / (2 * half)

    def distance(p: Array) -> Array:
        local = p - middle
        t = local @ axis
        r = np.linalg.norm(local - t[:, None] * axis, axis=1)
        dr, dt = r - (radius - edge), np.abs(t) - (half - edge)
        outside = np.hypot(np.maximum(dr, 0), np.maximum(dt, 0))
        return np.minimum(np.maximum(dr, dt), 0) + outside - edge

    reach = radius + half
    return Shape(distance, middle - reach, middle + reach)


def _cloud(points: Array, radii: Array) -> Shape:
    """Union of balls along densely sampled points."""
    tree = cKDTree(points)
    reach = radii.max()
    # Nothing blends further than this; a bounded search is many times faster.
    bound, padded = reach + 0.025, np.append(radii, 0.0)

    def distance(p: Array) -> Array:
        gap, index = tree.query(p, k=min(3, len(points)), distance_upper_bound=bound)
        return np.asarray(np.minimum((gap - padded[index]).min(axis=1), FAR))

    return Shape(distance, points.min(axis=0) - reach, points.max(axis=0) + reach)


def curve(points: ArrayLike, radii: ArrayLike, step: float = 0.0008) -> Shape:
    """Tube along a smooth line through points, with a radius at each."""
    line, _, size = _along(_vector(points), _vector(radii), step)
    return _cloud(line, size)


def _along(points: Array, radii: Array, step: float) -> tuple[Array, Array, Array]:
    gaps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    at = np.concatenate([[0], np.cumsum(gaps)])
    fine = np.linspace(0, at[-1], max(int(at[-1] / step), 2) + 1)
    return (
        np.asarray(PchipInterpolator(at, points)(fine)),
        fine / at[-1],
        np.asarray(PchipInterpolator(at, np.broadcast_to(radii, (len(points),)))(fine)),
    )


def sheet(rows: Sequence[ArrayLike], radii: ArrayLike, step: float = 0.0015) -> Shape:
    """Curved plate through rows of points (all rows of one length).

    Parameters
    ----------
    rows : R rows of (C, 3) points
    radii : (R,) or (R, C) half thickness
    """
    grid = np.stack([_vector(r) for r in rows])
    half = _vector(radii)
    half = np.broadcast_to(half[:, None] if half.ndim == 1 else half, grid.shape[:2])
    stacked = np.concatenate([grid, half[..., None]], axis=2)
    for axis in (0, 1):
        sizes = np.linalg.norm(np.diff(stacked[..., :3], axis=axis), axis=2)
        length = sizes.sum(axis=axis).max()
        count = max(int(length / step), 2) + 1
        knots = np.arange(stacked.shape[axis], dtype=float)
        fine = np.linspace(0, knots[-1], count)
        stacked = np.asarray(PchipInterpolator(knots, stacked, axis=axis)(fine))
    flat = stacked.reshape(-1, 4)
    return _cloud(flat[:, :3], flat[:, 3])


def half_space(point: ArrayLike, outward: ArrayLike, reach: float = 1.0) -> Shape:
    """Everything behind a plane."""
    c, n = _vector(point), _vector(outward)
    n = n / np.linalg.norm(n)
    return Shape(lambda p: (p - c) @ n, c - reach, c + reach)


def mirrored(shape: Shape) -> Shape:
    """Return the shape and its mirror image in the plane z = 0, as one."""

    def distance(p: Array) -> Array:
        folded = p.copy()
        folded[:, 2] = np.abs(folded[:, 2])
        return shape.distance(folded)

    low, high = shape.low.copy(), shape.high.copy()
    low[2] = -high[2]
    return Shape(distance, low, high)


class Clay:
    """A distance field on a grid.

    Parameters
    ----------
    low, high : (3,) m, the box the bone lives in
    spacing : m between grid points
    """

    def __init__(self, low: ArrayLike, high: ArrayLike, spacing: float) -> None:
        self.low, self.spacing = _vector(low), spacing
        self.count = np.ceil((_vector(high) - self.low) / spacing).astype(int) + 1
        self.field: Array = np.full(tuple(self.count), FAR)

    def add(self, shape: Shape, blend: float = 0.0) -> Clay:
        """Join a shape, with a fillet of `blend`."""
        return self._apply(shape, blend, lambda old, new: smooth_min(old, new, blend))

    def cut(self, shape: Shape, blend: float = 0.0) -> Clay:
        """Take a shape away."""
        return self._apply(shape, blend, lambda old, new: -smooth_min(-old, new, blend))

    def keep(self, shape: Shape, blend: float = 0.0) -> Clay:
        """Keep only what lies in a shape."""
        new = shape.distance(self.points()).reshape(self.field.shape)
        self.field = -smooth_min(-self.field, -new, blend)
        return self

    def points(self) -> Array:
        """All grid points, (N, 3) m."""
        axes = [self.low[i] + self.spacing * np.arange(self.count[i]) for i in range(3)]
        return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)

    def mesh(self, level: float = 0.0) -> tuple[Array, NDArray[np.int64]]:
        """Surface as vertices (V, 3) m and triangles (F, 3), outward by the right hand."""
        from skimage.measure import marching_cubes

        field = np.pad(self.field, 1, constant_values=FAR)
        # The field jumps to FAR away from every shape; a clipped field keeps the
        # interpolated surface where it belongs.
        field = np.clip(field, -4 * self.spacing, 4 * self.spacing)
        vertices, faces, _, _ = marching_cubes(field, level, spacing=(self.spacing,) * 3)
        return vertices + self.low - self.spacing, faces.astype(np.int64)

    def _apply(self, shape: Shape, blend: float, join: Callable[[Array, Array], Array]) -> Clay:
        margin = blend + 4 * self.spacing
        first = np.floor((shape.low - margin - self.low) / self.spacing).astype(int)
        last = np.ceil((shape.high + margin - self.low) / self.spacing).astype(int) + 1
        first, last = np.clip(first, 0, self.count), np.clip(last, 0, self.count)
        if (last <= first).any():
            return self
        axes = [self.low[i] + self.spacing * np.arange(first[i], last[i]) for i in range(3)]
        points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
        box = tuple(slice(int(a), int(b)) for a, b in zip(first, last, strict=True))
        new = shape.distance(points.reshape(-1, 3)).reshape(points.shape[:3])
        self.field[box] = join(self.field[box], new)
        return self
