"""Where markers are expected on a model, and the joint centres that they imply."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..capture.markersets import Landmarks
from ..vocabulary import SIDES, Array
from .multibody import Multibody
from .scaling import leg_length

HIP_CENTER_SIGMA = 0.008
"""m; Harrington et al. 2007 report 5 to 8 mm for their regression in adults."""
MIDPOINT_SIGMA = 0.004
REFERENCE_LENGTH = {"thigh": 0.4061, "shank": 0.4001}
"""m, between origins of femur, tibia and talus of Rajagopal-Lai-Uhlrich at zero pose."""


def expected_places(model: Multibody, table: Landmarks) -> dict[str, tuple[int, Array]]:
    """Landmark id → body index and place (3,) m in the model's own generic size.

    The table is written for Rajagopal 2016; other models have the same frames in other
    sizes, so places are stretched by the ratio of segment lengths.
    """
    _, position = model.poses(np.zeros((1, len(model.coordinates))))
    whole = leg_length(model) / sum(REFERENCE_LENGTH.values())
    ratio: dict[str, float] = {}
    for side in SIDES:
        hip = position[0, model.body(f"femur_{side}")]
        knee = position[0, model.body(f"tibia_{side}")]
        ankle = position[0, model.body(f"talus_{side}")]
        thigh = float(np.linalg.norm(hip - knee)) / REFERENCE_LENGTH["thigh"]
        shank = float(np.linalg.norm(knee - ankle)) / REFERENCE_LENGTH["shank"]
        ratio |= {f"femur_{side}": thigh, f"tibia_{side}": shank, f"patella_{side}": thigh}
    out = {}
    for name, landmark in table.items():
        if landmark.body in model.bodies:
            place = landmark.position * ratio.get(landmark.body, whole)
            out[name] = (model.body(landmark.body), place)
    return out


def implied_centers(points: Mapping[str, Array]) -> dict[str, tuple[Array, float]]:
    """Joint centres that surface markers imply: landmark id → position (F, 3) m, sigma m.

    Hip: Harrington et al. 2007 (doi:10.1016/j.jbiomech.2006.02.003), the regression on
    pelvic width and depth. Knee: midpoint of the epicondyles.

    Parameters
    ----------
    points : landmark id → (F, 3) m in ground (Y up)
    """
    out: dict[str, tuple[Array, float]] = {}
    pelvis = [points.get(n) for n in ("asis_r", "asis_l", "psis_r", "psis_l")]
    back = points.get("sacrum")
    if pelvis[2] is not None and pelvis[3] is not None:
        back = (pelvis[2] + pelvis[3]) / 2
    if pelvis[0] is not None and pelvis[1] is not None and back is not None:
        right, left = pelvis[0], pelvis[1]
        middle = (right + left) / 2
        width = np.linalg.norm(right - left, axis=1, keepdims=True)
        depth = np.linalg.norm(middle - back, axis=1, keepdims=True)
        z = (right - left) / width
        x = middle - back
        x = x - (x * z).sum(axis=1, keepdims=True) * z
        x /= np.linalg.norm(x, axis=1, keepdims=True)
        y = np.cross(z, x)
        for side, sign in (("r", 1.0), ("l", -1.0)):
            center = (
                middle
                + (-0.24 * depth - 0.0099) * x
                + (-0.30 * width - 0.0109) * y
                + sign * (0.33 * width + 0.0073) * z
            )
            out[f"hip_joint_center_{side}"] = (center, HIP_CENTER_SIGMA)
    # No ankle centre: the talus lies medial of the malleolar midpoint (Siston et al. 2005,
    # doi:10.1016/j.jbiomech.2004.08.013), and the malleoli place the tibia by themselves.
    for side in SIDES:
        pair = [points.get(f"epicondyle_{edge}_{side}") for edge in ("lateral", "medial")]
        if pair[0] is not None and pair[1] is not None:
            out[f"knee_joint_center_{side}"] = ((pair[0] + pair[1]) / 2, MIDPOINT_SIGMA)
    return out


def middle(model: Multibody, b: int) -> Array:
    """Halfway from a body's joint to the next one down, in the body frame."""
    children = np.flatnonzero(model.tree.parent == b)
    if not children.size:
        return np.asarray(model.tree.com[b])
    ends = model.tree.position_pf[children]
    return np.asarray(ends[np.argmax(np.linalg.norm(ends, axis=1))] / 2)
