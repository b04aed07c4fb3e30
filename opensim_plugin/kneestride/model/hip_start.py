"""A first guess of the pose where the pelvis carries no markers, only its two hips.

Video detectors give the hip joints and nothing else of the pelvis. The line between
them places and turns the pelvis, knees and ankles bend the legs; what they cannot tell
(tilt, axial rotations) starts neutral.
"""

from __future__ import annotations

import numpy as np

from ..vocabulary import MEDIAL_SIGN, SIDES, Array, Side
from .multibody import Multibody
from .scaling import Targets

NEAR = 0.02
"""m; a target this close to a joint centre of the generic model is that joint."""

UP = np.array([0.0, 1.0, 0.0])

NEUTRAL_SIGMA_DEG = {
    "pelvis_tilt": 8.0, "hip_rotation": 12.0, "knee_adduction": 3.0, "knee_rotation": 4.0,
    "ankle_angle": 15.0, "subtalar_angle": 5.0, "mtp_angle": 12.0,
    "lumbar_extension": 12.0,
    "lumbar_bending": 8.0, "lumbar_rotation": 10.0, "arm_rot": 40.0, "pro_sup": 30.0,
    "wrist_flex": 10.0, "wrist_dev": 10.0, "arm_flex": 60.0, "arm_add": 45.0,
    "elbow_flex": 60.0,
}  # fmt: skip
"""Spread about neutral of coordinates that key points may not see: ranges of walking and
running (Novacheck 1998, doi:10.1016/S0966-6362(97)00038-6), about one SD."""


def poses_from_hips(model: Multibody, targets: Targets, neutral: Array) -> Array | None:
    """Upright poses (F, N) on the hip centres; None where there is no such pair.

    Parameters
    ----------
    targets : Targets
        A hip centre is a target at the origin of the thigh.
    neutral : (N,) coordinates everything else takes
    """
    found = (_joint(model, targets, f"femur_{s}", f"femur_{s}") for s in SIDES)
    columns = [c for c in found if c is not None]
    if len(columns) < len(SIDES):
        return None
    hips = targets.positions[:, columns]
    _, position = model.poses(neutral[None])
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
        for side, hip in zip(SIDES, (right, left), strict=True):
            _bend_leg(model, targets, f, side, hip, line, out[f])
    return out


def _joint(model: Multibody, targets: Targets, at: str, on: str) -> int | None:
    """Target that is the origin of body `at`, given as a place on body `on`."""
    _, position = model.poses(np.zeros((1, len(model.coordinates))))
    b = model.body(on)
    wanted = position[0, model.body(at)] - position[0, b]
    for k in range(len(targets.names)):
        # Segments of an upright model are parallel to the ground frame.
        if targets.body[k] == b and np.linalg.norm(targets.station[k] - wanted) < NEAR:
            return k
    return None


def _bend_leg(
    model: Multibody, targets: Targets, f: int, side: Side, hip: Array, across: Array, q: Array
) -> None:
    """Hip flexion, hip adduction and knee flexion from hip, knee and ankle, into `q`.

    A leg folded behind a runner is far from a standing one: started upright, the fit would
    rather shrink the pelvis than bend it.
    """
    at = [
        _joint(model, targets, f"tibia_{side}", f"femur_{side}"),
        _joint(model, targets, f"talus_{side}", f"talus_{side}"),
    ]
    if at[0] is None:
        return
    right = across / np.linalg.norm(across)
    forward = np.cross(UP, right)
    forward /= np.linalg.norm(forward)
    up = np.cross(right, forward)
    thigh = targets.positions[f, at[0]] - hip
    if not np.isfinite(thigh).all():
        return
    x, y, z = (float(thigh @ axis) for axis in (forward, up, right))
    _set(model, q, f"hip_flexion_{side}", np.arctan2(x, -y))
    _set(model, q, f"hip_adduction_{side}", np.arctan2(MEDIAL_SIGN[side] * z, np.hypot(x, y)))
    if at[1] is None:
        return
    shank = targets.positions[f, at[1]] - targets.positions[f, at[0]]
    if not np.isfinite(shank).all():
        return
    bend = float(np.arctan2(np.linalg.norm(np.cross(thigh, shank)), thigh @ shank))
    name = f"knee_angle_{side}"
    if name in model.coordinates:
        positive = model.upper[model.coordinate(name)] > -model.lower[model.coordinate(name)]
        _set(model, q, name, bend if positive else -bend)


def _set(model: Multibody, q: Array, name: str, value: float) -> None:
    if name in model.coordinates:
        i = model.coordinate(name)
        q[i] = np.clip(value, model.lower[i], model.upper[i])
