"""Inverse kinematics that a stray point does not bend.

Least squares follows its worst point. Here frames are solved, each point's distance to
the model is compared with the usual distance of that point, and those far off lose
weight (Cauchy); then the frames are solved again: iteratively reweighted least squares
(Huber & Ronchetti 2009, Robust Statistics, section 7.8).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..model.multibody import Multibody
from ..vocabulary import Array
from .filtering import runs
from .inverse_kinematics import CoordinatePriors, MarkerTasks, solve, station_paths
from .kinematics import Motion

ROUNDS = 2
REACH = 3.0
"""Usual distances at which a point keeps half of its weight."""
LOST = 0.08
"""m; a body this far from its points has lost them."""
SMALLEST = 0.005
"""m; no usual distance is taken smaller than this."""


def cauchy(distance: Array, usual: Array) -> Array:
    """Weights (T, K) 0 to 1 of distances (T, K) m, the usual distance of each point (K,) m."""
    weight: Array = 1.0 / (1.0 + (distance / (REACH * usual)) ** 2)
    return np.nan_to_num(weight, nan=0.0)


def solve_robustly(
    model: Multibody,
    tasks: MarkerTasks,
    time: Array,
    rate: float,
    points: Array,
    priors: CoordinatePriors,
    confidence: Array,
    *,
    rounds: int = ROUNDS,
) -> tuple[Motion, Array]:
    """Inverse kinematics weighted by confidence and made robust.

    Parameters
    ----------
    points : (T, K, 3) m, NaN where missing
    confidence : (T, K) 0 to 1
    rounds : int, reweightings; 0 for confidence alone

    Returns
    -------
    motion : Motion
    weight : (T, K) final factor on each point
    """
    weight = np.asarray(confidence, dtype=float)
    motion = solve(model, tasks, time, rate, points, priors, weights=weight, tolerance=1e-6)
    for _ in range(rounds):
        # The usual distance holds what the model cannot follow anywhere (a point that the
        # detector puts beside the joint), so that only the unusual is punished.
        apart = np.linalg.norm(station_paths(model, tasks, motion.q) - points, axis=2)
        usual = np.array(
            [
                max(
                    float(np.median(a[np.isfinite(a)])) if np.isfinite(a).any() else 0.0,
                    SMALLEST,
                )
                for a in apart.T
            ]
        )
        weight = confidence * cauchy(apart, usual)
        motion = solve(
            model, tasks, time, rate, points, priors,
            weights=weight, start=motion.q[0], tolerance=1e-6,
        )  # fmt: skip
    return _found_again(model, tasks, motion, points, priors, weight), weight


def _found_again(
    model: Multibody,
    tasks: MarkerTasks,
    motion: Motion,
    points: Array,
    priors: CoordinatePriors,
    weight: Array,
) -> Motion:
    """Follow anew, from the nearest good frame, where the body has lost its points.

    Few points leave room for a second solution (a body turned over), and a frame that
    starts there stays there.
    """
    for _ in range(ROUNDS):
        apart = np.linalg.norm(station_paths(model, tasks, motion.q) - points, axis=2)
        total = np.nansum(weight * np.nan_to_num(apart) ** 2, axis=1)
        rms = np.sqrt(total / np.maximum(weight.sum(axis=1), 1e-9))
        lost = rms > max(LOST, 4.0 * float(np.percentile(rms, 20.0)))
        if not lost.any() or lost.all():
            break
        q = motion.q.copy()
        for start, stop in runs(lost):
            forward = start > 0
            order = slice(start, stop) if forward else slice(stop - 1, None, -1)
            if not forward and stop == len(lost):
                break
            near = q[start - 1] if forward else q[stop]
            if (np.isfinite(points[order]).all(axis=2).sum(axis=1) >= 3).any():
                again = solve(
                    model, tasks, motion.time[start:stop], motion.rate, points[order], priors,
                    weights=weight[order], start=near, tolerance=1e-6,
                )  # fmt: skip
                q[order] = again.q
            else:
                q[order] = near
        motion = replace(motion, q=q)
    error = np.linalg.norm(station_paths(model, tasks, motion.q) - points, axis=2)
    return replace(motion, marker_error=error)
