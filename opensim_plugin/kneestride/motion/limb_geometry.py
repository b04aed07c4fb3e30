"""Frontal-plane and transverse-plane geometry of the legs, frame by frame.

Pure functions of `AnatomicalPaths`; every one returns (T,) with one sign for both
sides, so that a mirrored person has the same values, and none depends on where the
laboratory's axes point in the horizontal plane. A point or an angle that the paths do
not hold gives NaN. Signs are chosen so that the knee-in chain is positive.
"""

from __future__ import annotations

import numpy as np

from ..vocabulary import MEDIAL_SIGN, Array, Side
from .kinematics import AnatomicalPaths

UP = np.array([0.0, 1.0, 0.0])

_RIGID = 1e-6
"""Range of an arch height (share of foot length) that only rounding makes."""


def point(paths: AnatomicalPaths, name: str, side: Side) -> Array:
    """(T, 3) m: a sided point, NaN when the paths do not hold it."""
    found = paths.points.get(f"{name}_{side}")
    return np.full((len(paths.time), 3), np.nan) if found is None else found


def angle(paths: AnatomicalPaths, name: str, side: Side) -> Array:
    """(T,) rad: a sided model coordinate, NaN when the paths do not hold it."""
    found = paths.angles.get(f"{name}_{side}")
    return np.full(len(paths.time), np.nan) if found is None else found


def pelvis_forward(paths: AnatomicalPaths) -> Array:
    """(T, 3) unit: horizontal direction the pelvis faces, up × (right hip - left hip)."""
    across = paths.points["hip_center_r"] - paths.points["hip_center_l"]
    return _unit(np.cross(UP, across))


def projection_normal(paths: AnatomicalPaths, gait: bool) -> Array:
    """(T, 3) unit normal of the frontal plane.

    The line of progression in gait; in squats and jumps, which have none, the horizontal
    direction the pelvis faces (methods.md "External knee adduction moment").
    """
    if gait:
        return np.tile(paths.progression, (len(paths.time), 1))
    return pelvis_forward(paths)


def medial_axis(normal: Array, side: Side) -> Array:
    """(T, 3) unit, horizontal, in the frontal plane, towards the body's midline."""
    return MEDIAL_SIGN[side] * _unit(np.cross(normal, UP))


def frontal_plane_projection_angle(paths: AnatomicalPaths, side: Side, normal: Array) -> Array:
    """(T,) rad: bend of the hip-knee-ankle line seen from the front, medial knee positive.

    With thigh t = knee - hip and shank s = ankle - knee projected on the plane and (m, d)
    their medial and downward components: FPPA = atan2(t_m, t_d) - atan2(s_m, s_d).
    Zero when the three joint centres are in line; 2-D, so it also sees the rotations of a
    bent leg and is not knee abduction (Straub & Powers 2022, doi:10.26603/001c.39612).
    """
    thigh = point(paths, "knee_center", side) - point(paths, "hip_center", side)
    shank = point(paths, "ankle_center", side) - point(paths, "knee_center", side)
    medial = medial_axis(normal, side)
    leans = [np.arctan2(_dot(v, medial), -v[:, 1]) for v in (thigh, shank)]
    difference: Array = leans[0] - leans[1]
    return (difference + np.pi) % (2.0 * np.pi) - np.pi


def foot_midpoint(paths: AnatomicalPaths, side: Side) -> Array:
    """(T, 3) m: halfway from the heel point to the second metatarsal head."""
    return 0.5 * (point(paths, "heel_bottom", side) + point(paths, "metatarsal_2", side))


def medial_knee_displacement(paths: AnatomicalPaths, side: Side, normal: Array) -> Array:
    """(T,) m: knee centre medial of the line from hip centre to foot midpoint.

    Measured horizontally at the height of the knee: d = (k - h - λ (f - h)) · medial with
    λ = (h_y - k_y) / (h_y - f_y). Neutral is 0 (methods.md "Alignment").
    """
    hip, knee = point(paths, "hip_center", side), point(paths, "knee_center", side)
    line = foot_midpoint(paths, side) - hip
    share = (knee - hip)[:, 1] / line[:, 1]
    return _dot(knee - hip - share[:, None] * line, medial_axis(normal, side))


def toe_interspace(paths: AnatomicalPaths, side: Side) -> Array:
    """(T, 3) m: between the second and third metatarsal heads.

    Three of the four gaps lie between heads 2 and 5, so its middle is one sixth of the
    way from the second to the fifth.
    """
    second, fifth = point(paths, "metatarsal_2", side), point(paths, "metatarsal_5", side)
    return second + (fifth - second) / 6.0


def knee_over_toe_offset(paths: AnatomicalPaths, side: Side) -> Array:
    """(T,) m: patella medial of the vertical plane through heel and second-third interspace.

    The foot's own line, so that toeing out does not count. The knee centre stands in
    where the paths have no patella.
    """
    toe = toe_interspace(paths, side)
    knee = point(paths, "patella", side)
    if np.isnan(knee).all():
        knee = point(paths, "knee_center", side)
    along = _unit(_flat(toe - point(paths, "heel_bottom", side)))
    return _dot(knee - toe, medial_axis(along, side))


def contralateral_pelvic_drop(paths: AnatomicalPaths, side: Side) -> Array:
    """(T,) rad: slope of the line between the hip centres, opposite side lower positive."""
    other: Side = "l" if side == "r" else "r"
    line = point(paths, "hip_center", side) - point(paths, "hip_center", other)
    return np.arctan2(line[:, 1], np.linalg.norm(_flat(line), axis=1))


def pelvic_external_rotation(paths: AnatomicalPaths, side: Side, normal: Array) -> Array:
    """(T,) rad: pelvis turned away from the opposite side (rightwards on the right leg).

    Angle about the vertical from the plane's normal to where the pelvis faces.
    """
    return heading(pelvis_forward(paths), normal, side)


def heading(direction: Array, reference: Array, side: Side) -> Array:
    """(T,) rad: horizontal angle from `reference` to `direction`, lateral (out) positive."""
    outwards = -_dot(direction, medial_axis(reference, side))
    return np.arctan2(outwards, _dot(direction, _unit(_flat(reference))))


def foot_progression_angle(paths: AnatomicalPaths, side: Side, normal: Array) -> Array:
    """(T,) rad: heel point to second metatarsal head against the normal, toe-out positive."""
    return heading(
        point(paths, "metatarsal_2", side) - point(paths, "heel_bottom", side), normal, side
    )


def foot_inversion(paths: AnatomicalPaths, side: Side) -> Array:
    """(T,) rad: slope of the line between metatarsal heads 1 and 5, lateral edge down positive.

    Holds the (constant) difference in height of the two points on a flat foot: compare
    with mid-stance, never read alone.
    """
    across = point(paths, "metatarsal_1", side) - point(paths, "metatarsal_5", side)
    return np.arctan2(across[:, 1], np.linalg.norm(_flat(across), axis=1))


def anterior_pelvic_tilt(paths: AnatomicalPaths) -> Array:
    """(T,) rad: front of the pelvis down positive.

    From the pelvis frame (its anterior axis below the horizontal), else from the line
    between the midpoints of the posterior and the anterior superior iliac spines.
    """
    frame = paths.frames.get("pelvis")
    if frame is not None:
        forward = frame[:, :, 0]
    else:
        front = 0.5 * (point(paths, "asis", "r") + point(paths, "asis", "l"))
        forward = front - 0.5 * (point(paths, "psis", "r") + point(paths, "psis", "l"))
    return -np.arctan2(forward[:, 1], np.linalg.norm(_flat(forward), axis=1))


def arch_height(paths: AnatomicalPaths, side: Side) -> Array:
    """(T,) -: navicular height over the plane heel, head 1, head 5, per heel-to-head length.

    NaN without a navicular point, and when that point is carried by a foot that is one
    rigid body in the model: such a foot has no arch to lower.
    """
    heel, first = point(paths, "heel_bottom", side), point(paths, "metatarsal_1", side)
    fifth = point(paths, "metatarsal_5", side)
    normal = _unit(np.cross(fifth - heel, first - heel))
    height = np.abs(_dot(point(paths, "navicular", side) - heel, normal))
    share: Array = height / np.linalg.norm(point(paths, "metatarsal_2", side) - heel, axis=1)
    seen = share[np.isfinite(share)]
    if len(seen) > 1 and np.ptp(seen) < _RIGID:
        return np.full_like(share, np.nan)
    return share


def leg_length(paths: AnatomicalPaths, side: Side) -> float:
    """Hip to knee to ankle centre, m, median over the recording."""
    thigh = point(paths, "knee_center", side) - point(paths, "hip_center", side)
    shank = point(paths, "ankle_center", side) - point(paths, "knee_center", side)
    lengths = np.linalg.norm(thigh, axis=1) + np.linalg.norm(shank, axis=1)
    seen = lengths[np.isfinite(lengths)]
    return float(np.median(seen)) if len(seen) else float("nan")


def separation(paths: AnatomicalPaths, name: str) -> Array:
    """(T,) m: distance between the right and left point of a name, side to side of the pelvis.

    For two-legged tasks only: 'knee_center', 'ankle_center', 'hip_center'.
    """
    across = _unit(np.cross(pelvis_forward(paths), UP))
    return np.abs(_dot(point(paths, name, "r") - point(paths, name, "l"), across))


def _flat(v: Array) -> Array:
    out: Array = v * np.array([1.0, 0.0, 1.0])
    return out


def _unit(v: Array) -> Array:
    out: Array = v / np.linalg.norm(v, axis=-1, keepdims=True)
    return out


def _dot(a: Array, b: Array) -> Array:
    out: Array = np.sum(a * b, axis=-1)
    return out
