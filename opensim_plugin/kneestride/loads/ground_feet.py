"""What the feet say: where their outline is and whether they stand on something.

The outline is the convex hull of the foot's points seen from above. A foot *stands*
when its heel or its ball moves with the ground, belt included; it is *low* when that
part is at the height at which it usually stands. Standing without being low is a box
or a step; being low without standing is the swing foot passing.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from ..motion.filtering import lowpass, smooth_derivatives
from ..motion.kinematics import AnatomicalPaths
from ..vocabulary import SIDES, Array, BoolArray

HEEL_POINTS = ("heel_bottom", "heel")
BALL_POINTS = ("metatarsal_1", "metatarsal_5", "toe")
OUTLINE_POINTS = ("heel", "heel_bottom", "metatarsal_1", "metatarsal_5", "toe")

_STILL = 0.5
"""m/s relative to the ground. A swing foot passes at one to two walking speeds."""

_LOW = 0.025
"""m above the usual standing height of the same point."""


@dataclass(frozen=True)
class Feet:
    """Both feet over time; the side axis is that of `SIDES`.

    Attributes
    ----------
    outline : (T, 2, K, 3) m, points of the foot, NaN where unknown
    centre : (T, 2, 3) m, mean of the points, finite wherever the foot was ever seen
    speed : (T, 2) m/s, of the slower of heel and ball, relative to the ground
    lift : (T, 2) m, of the lower of heel and ball above its usual standing height
    standing : (T, 2) bool
    low : (T, 2) bool
    seen : (T, 2) bool
    """

    outline: Array
    centre: Array
    speed: Array
    lift: Array
    standing: BoolArray
    low: BoolArray
    seen: BoolArray


def observe_feet(paths: AnatomicalPaths, cutoff: float | None) -> Feet:
    """Outline, speed and height of both feet from their anatomical points."""
    t = len(paths.time)
    outline = np.full((t, 2, len(OUTLINE_POINTS), 3), np.nan)
    for s, side in enumerate(SIDES):
        for k, name in enumerate(OUTLINE_POINTS):
            point = paths.points.get(f"{name}_{side}")
            if point is not None:
                outline[:, s, k] = lowpass(point, paths.rate, cutoff)
    seen = np.isfinite(outline).all(axis=-1).any(axis=-1)
    speed, lift = np.full((2, t, 2, 2), np.nan)
    for s in range(2):
        for part, names in enumerate((HEEL_POINTS, BALL_POINTS)):
            columns = [OUTLINE_POINTS.index(n) for n in names]
            speed[:, s, part], lift[:, s, part] = _part(paths, outline[:, s, columns])
    still = speed < _STILL
    slowest = np.where(np.isfinite(speed), speed, np.inf).min(axis=-1)
    lowest = np.where(np.isfinite(lift), lift, np.inf).min(axis=-1)
    return Feet(
        outline=outline,
        centre=_centres(outline),
        speed=slowest,
        lift=lowest,
        standing=still.any(axis=-1),
        low=(still & (lift < _LOW)).any(axis=-1),
        seen=seen,
    )


def distance_to_outline(point: Array, outline: Array) -> Array:
    """Horizontal distance of points from feet seen from above; 0 inside.

    The convex hull of K points is the union of their triangles, and its edge is among
    their segments, so no ordering of the points is needed and missing ones (NaN) only
    make the outline smaller.

    Parameters
    ----------
    point : (T, 3) m
    outline : (T, K, 3) m

    Returns
    -------
    (T,) m; NaN where the point or the whole outline is unknown.
    """
    p = point[:, None, [0, 2]]
    q = outline[:, :, [0, 2]]
    best = np.linalg.norm(q - p, axis=-1)
    best = np.where(np.isfinite(best), best, np.inf).min(axis=1)
    for a, b in combinations(range(q.shape[1]), 2):
        edge, rel = q[:, b] - q[:, a], p[:, 0] - q[:, a]
        length = np.maximum((edge**2).sum(-1), 1e-12)
        share = np.clip((rel * edge).sum(-1) / length, 0.0, 1.0)
        gap = np.linalg.norm(rel - share[:, None] * edge, axis=-1)
        best = np.fmin(best, np.where(np.isfinite(gap), gap, np.inf))
    for a, b, c in combinations(range(q.shape[1]), 3):
        turn = [
            _cross(q[:, j] - q[:, i], p[:, 0] - q[:, i]) for i, j in ((a, b), (b, c), (c, a))
        ]
        sign = np.sign(np.stack(turn))
        inside = np.isfinite(sign).all(axis=0) & (np.abs(sign.sum(axis=0)) == 3)
        best = np.where(inside, 0.0, best)
    return np.where(np.isfinite(best) & np.isfinite(p[:, 0]).all(-1), best, np.nan)


def share_over_plate(outline: Array, corners: Array) -> Array:
    """Share (T,) of a foot's known points (T, K, 3) that lie over a plate (4, 3)."""
    ring = corners[:, [0, 2]]
    q = outline[:, :, [0, 2]]
    turns = np.stack(
        [_cross(ring[(k + 1) % 4] - ring[k], q - ring[k]) for k in range(4)], axis=-1
    )
    over = (turns >= 0).all(-1) | (turns <= 0).all(-1)
    known = np.isfinite(q).all(-1)
    return np.asarray((over & known).sum(-1) / np.maximum(known.sum(-1), 1))


def _part(paths: AnatomicalPaths, points: Array) -> tuple[Array, Array]:
    """Speed over ground and height above standing height of a part's lowest point."""
    t = len(points)
    speed, lift = np.full((2, t, points.shape[1]), np.nan)
    for k in range(points.shape[1]):
        if not np.isfinite(points[:, k]).all(-1).any():
            continue
        _, velocity, _ = smooth_derivatives(paths.time, points[:, k], None)
        speed[:, k] = np.linalg.norm(velocity - paths.belt_velocity, axis=-1)
        height = points[:, k, 1]
        still = speed[:, k] < _STILL
        # Without a still frame (too short a clip) the lowest frames have to do.
        lift[:, k] = height - (
            np.percentile(height[still], 5.0) if still.any() else np.nanpercentile(height, 1.0)
        )
    # One part, one number: its slowest point and that point's height.
    slowest = np.argmin(np.where(np.isfinite(speed), speed, np.inf), axis=1)
    rows = np.arange(t)
    return speed[rows, slowest], lift[rows, slowest]


def _centres(outline: Array) -> Array:
    known = np.isfinite(outline).all(axis=-1, keepdims=True)
    total = np.where(known, outline, 0.0).sum(axis=2)
    count = known.sum(axis=2)
    centre = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    for s in range(2):
        good = np.flatnonzero(np.isfinite(centre[:, s]).all(-1))
        if len(good) == 0:
            centre[:, s] = 0.0
            continue
        for axis in range(3):
            centre[:, s, axis] = np.interp(np.arange(len(centre)), good, centre[good, s, axis])
    return np.asarray(centre, dtype=np.float64)


def _cross(a: Array, b: Array) -> Array:
    return np.asarray(a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0])
