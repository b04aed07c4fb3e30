"""A first guess of the pose where the pelvis carries no markers, only its two hips.

Video detectors give the hip joints and nothing else of the pelvis. The line between
them places and turns the pelvis; what the line cannot tell (tilt) starts upright.
"""

from __future__ import annotations

import numpy as np

from ..vocabulary import SIDES, Array
from .multibody import Multibody
from .scaling import Targets


def poses_from_hips(model: Multibody, targets: Targets, neutral: Array) -> Array | None:
    """Upright poses (F, N) on the hip centres; None where there is no such pair.

    Parameters
    ----------
    targets : Targets
        A hip centre is a target at the origin of the thigh.
    neutral : (N,) coordinates everything else takes
    """
    columns = []
    for side in SIDES:
        body = model.body(f"femur_{side}")
        mine = [
            k
            for k in range(len(targets.names))
            if targets.body[k] == body and np.linalg.norm(targets.station[k]) < 1e-3
        ]
        if not mine:
            return None
        columns.append(mine[0])
    hips = targets.positions[:, columns]
    rotation, position = model.poses(neutral[None])
    rest = position[0, [model.body(f"femur_{s}") for s in SIDES]]
    yaw = model.coordinate("pelvis_rotation")
    shift = [model.coordinate(f"pelvis_t{a}") for a in "xyz"]
    across = rest[0] - rest[1]
    start = np.arctan2(-across[0], across[2])
    out = np.tile(neutral, (len(hips), 1))
    for f, (right, left) in enumerate(hips):
        if not np.isfinite([right, left]).all():
            if f:
                out[f] = out[f - 1]
            continue
        line = right - left
        # Turning by θ about Y takes Z to (sin θ, 0, cos θ).
        out[f, yaw] = neutral[yaw] + np.arctan2(line[0], line[2]) + start
        where = model.poses(out[f][None])[1][0, [model.body(f"femur_{s}") for s in SIDES]]
        out[f, shift] += (0.5 * (right + left)) - where.mean(axis=0)
    return out
