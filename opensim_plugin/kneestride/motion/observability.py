"""What a set of points can and cannot see of the body.

A point on a joint centre tells nothing of the rotation about the line to the next one,
and an ankle without heel and toe nothing of the foot. Which coordinates that concerns
is not a list by name but a property of the points, the pose and the noise: about a
solution the squares of inverse kinematics have the curvature

    H = Jᵀ W J / σ² + diag(1 / σ_prior²)

and the spread of coordinate j that remains is √(H⁻¹)_jj. Beside its spread before
anything was seen this says how much of it the points tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..model.kernels import expand, forward, station_jacobian
from ..model.multibody import Multibody
from ..vocabulary import Array
from .inverse_kinematics import MarkerTasks

UNSEEN, HALF_SEEN = 0.85, 0.5
"""Share of the prior spread that remains: from the first on a coordinate is told by the
prior alone, from the second on it is told in part."""

WIDE = np.radians(40.0)
"""rad; spread of a coordinate that no prior holds."""


@dataclass(frozen=True)
class Observability:
    """Per coordinate (N,): spread that remains (rad or m), and its share of the prior's."""

    coordinates: tuple[str, ...]
    spread: Array
    share: Array

    def unseen(self) -> tuple[str, ...]:
        """Rotations that the points tell nothing of."""
        return self._between(UNSEEN, np.inf)

    def half_seen(self) -> tuple[str, ...]:
        """Rotations that the points tell in part."""
        return self._between(HALF_SEEN, UNSEEN)

    def _between(self, low: float, high: float) -> tuple[str, ...]:
        return tuple(
            n for n, s in zip(self.coordinates, self.share, strict=True) if low <= s < high
        )


def observability(
    model: Multibody,
    tasks: MarkerTasks,
    q: Array,
    weight: Array,
    noise: float,
    prior_sigma: Array,
    frames: Sequence[int],
) -> Observability:
    """Spread of every coordinate that a set of points leaves, median over some frames.

    Parameters
    ----------
    q : (T, N) solution
    weight : (T, K) factor on each point
    noise : float, m per axis of a point of weight 1
    prior_sigma : (N,) rad or m, inf where there is none
    frames : indices of the frames to look at
    """
    N = len(model.coordinates)
    prior = np.where(
        np.isfinite(prior_sigma), prior_sigma, np.where(model.rotational, WIDE, 10.0)
    )
    found = []
    for t in frames:
        jacobian = _jacobian(model, q[t], tasks)
        w = np.repeat(weight[t] * tasks.weight, 3)
        normal = (jacobian.T * w) @ jacobian / noise**2 + np.diag(prior**-2.0)
        found.append(np.sqrt(np.diag(np.linalg.inv(normal))))
    spread = np.median(np.array(found), axis=0) if found else np.full(N, np.nan)
    return Observability(model.coordinates, spread, spread / prior)


def _jacobian(model: Multibody, q: Array, tasks: MarkerTasks) -> Array:
    tree = model.tree
    C, B, N, K = (
        len(model.full_coordinates),
        len(model.bodies),
        len(model.coordinates),
        len(tasks.body),
    )
    full = np.zeros(C)
    omega, velocity, origin = np.zeros((C, 3)), np.zeros((C, 3)), np.zeros((C, 3))
    rotation, position = np.zeros((B, 3, 3)), np.zeros((B, 3))
    where, jacobian = np.zeros((K, 3)), np.zeros((3 * K, N))
    expand(tree, q, full)
    forward(tree, full, rotation, position, omega, velocity, origin)
    station_jacobian(
        tree, full, omega, velocity, origin, rotation, position, tasks.body, tasks.station,
        where, jacobian, np.zeros(C), np.zeros(C, dtype=np.int64),
    )  # fmt: skip
    return jacobian
