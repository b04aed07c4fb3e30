"""Inverse kinematics that a stray point does not bend.

Least squares follows its worst point. Here frames are solved, each point's distance to
the model is compared with the usual distance of that point, and those far off lose
weight (Cauchy); then the frames are solved again: iteratively reweighted least squares
(Huber & Ronchetti 2009, Robust Statistics, section 7.8).
"""

from __future__ import annotations

import numpy as np

from ..model.multibody import Multibody
from ..vocabulary import Array
from .inverse_kinematics import CoordinatePriors, MarkerTasks, solve, station_paths
from .kinematics import Motion

ROUNDS = 2
REACH = 3.0
"""Usual distances at which a point keeps half of its weight."""
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
    return motion, weight
