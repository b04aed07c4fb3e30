"""A trunk that no marker told of stays upright.

Lower-body marker sets leave trunk and arms at their default, which welds half of the body's
mass to the pelvis and lets it swing with it: residuals of half a body weight. A runner's
trunk turns far less than the pelvis under it, so before anything else is balanced the trunk
gets the one orientation in the ground that the pelvis has on average. Residual reduction
then moves it, and the arms, as the balance asks.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..vocabulary import BoolArray
from .bspline import periodic_derivatives
from .geometry import rotation_vector
from .mechanics import body_state
from .runner import Runner
from .stride import PeriodicStride

LUMBAR = ("lumbar_extension", "lumbar_bending", "lumbar_rotation")
NEWTON_STEPS = 6


def upright_trunk(
    runner: Runner, stride: PeriodicStride, informed: BoolArray
) -> PeriodicStride:
    """The stride with a steady trunk where markers did not inform it; else unchanged.

    Parameters
    ----------
    informed : (all coordinates,) bool
    """
    body = runner.body
    if any(n not in body.coordinates for n in LUMBAR):
        return stride
    lumbar = np.array([body.coordinate(n) for n in LUMBAR])
    if informed[lumbar].any():
        return stride
    torso = body.body("torso")
    q = stride.q.copy()
    steady = _mean_rotation(body_state(body, q, lumbar).rotation[:, torso])
    for _ in range(NEWTON_STEPS):
        state = body_state(body, q, lumbar)
        off = rotation_vector(steady @ state.rotation[:, torso].transpose(0, 2, 1))
        q[:, lumbar] += np.linalg.solve(state.turning[:, torso], off[..., None])[..., 0]
    qd, qdd = periodic_derivatives(q, stride.period)
    return replace(stride, q=q, qd=qd, qdd=qdd)


def _mean_rotation(rotation: np.ndarray) -> np.ndarray:
    """Rotation nearest to the mean of rotations (T, 3, 3)."""
    u, _, v = np.linalg.svd(rotation.mean(axis=0))
    found: np.ndarray = u @ np.diag([1.0, 1.0, np.linalg.det(u @ v)]) @ v
    return found
