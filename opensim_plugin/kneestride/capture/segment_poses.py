"""Points of a body whose segments' poses are known (Theia3D's C3D).

A segment's origin is its proximal joint centre: thigh → hip, shank → knee, foot → ankle,
toes → ball of the foot, arms likewise. Its orientation says how it is turned about its own
length, which joint centres cannot: points to the left and right of a knee and an ankle are
added, and heel, ball and edge of the foot, where the generic skeleton has them, so that
inverse kinematics sees the rotation.

Which of a segment's axes points where is read from the recording itself and not from a
convention: the length of a segment is the line between joint centres, and "right" is the
axis (or its opposite) that lies nearest to the line from the left to the right hip.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ..errors import CaptureError
from ..vocabulary import SIDES, Array
from .landmarks import landmark_table
from .trial import Markers

if TYPE_CHECKING:
    from .c3d_rotations import SegmentPoses

ORIGINS: Mapping[str, str] = {
    "thigh": "hip_joint_center", "shank": "knee_joint_center", "foot": "ankle_joint_center",
    "uarm": "shoulder_joint_center", "larm": "elbow_joint_center",
    "hand": "wrist_joint_center",
}  # fmt: skip
"""Segment → joint at its origin."""

ANKLE_IN_TIBIA = np.array([-0.010, -0.400, 0.0])
ANKLE_IN_FOOT = np.array([0.04877, 0.04195, -0.00792])
BALL_IN_FOOT = np.array([0.1788, -0.0020, 0.00108])
HIP_IN_PELVIS = np.array([-0.05628, -0.07849, 0.07726])
"""m, right side: ankle centre in tibia, ankle and toe joint in calcaneus, hip in pelvis of the
generic model (Rajagopal et al. 2016, doi:10.1109/TBME.2016.2586891)."""

BESIDE: Mapping[str, tuple[str, str, tuple[str, ...]]] = {
    "thigh": ("thigh", "shank", ("epicondyle_lateral", "epicondyle_medial")),
    "shank": ("shank", "foot", ("malleolus_lateral", "malleolus_medial")),
    "foot": ("foot", "toes", ("heel", "metatarsal_1", "metatarsal_5")),
}
"""Segment → segments whose origins are its two joints, and the points added to it."""

PELVIS_POINTS = ("asis", "psis")


def points_of(poses: SegmentPoses, what: str) -> tuple[Markers, list[str]]:
    """Joint centres and points beside them, in the file's unit and axes.

    Parameters
    ----------
    poses : SegmentPoses, labelled as Theia does (`l_thigh_4X4`)
    what : str, name of the recording, for messages

    Returns
    -------
    markers : Markers
        Points named `r_hip_joint_center_pose`, with the reliability as confidence.
    notes : list of str

    Raises
    ------
    CaptureError
        No thigh, shank and foot of both legs.
    """
    at = {n.strip().lower().removesuffix("_4x4"): k for k, n in enumerate(poses.labels)}
    needed = [f"{s}_{n}" for s in SIDES for n in ("thigh", "shank", "foot")]
    missing = [n for n in needed if n not in at]
    if missing:
        raise CaptureError(
            f"poses of both thighs, shanks and feet in '{what}'",
            f"no {', '.join(missing)}",
            "export every segment of the body",
            poses.labels,
        )
    origin = {n: poses.origin[:, k] for n, k in at.items()}
    right = origin["r_thigh"] - origin["l_thigh"]
    points: dict[str, tuple[str, Array]] = {}
    for side in SIDES:
        for segment, joint in ORIGINS.items():
            if f"{side}_{segment}" in at:
                owner = f"{side}_{segment}"
                points[f"{joint}_{side}"] = (owner, origin[owner])
        for segment, (first, second, marks) in BESIDE.items():
            if f"{side}_{second}" not in at:
                continue
            owner = f"{side}_{segment}"
            start = origin[f"{side}_{first}"]
            line = origin[f"{side}_{second}"] - start
            points |= {
                f"{mark}_{side}": (owner, start + arm)
                for mark, arm in _beside(
                    poses.rotation[:, at[owner]], line, right, segment, side, marks
                ).items()
            }
    if "pelvis" in at:
        points |= _pelvis(poses.rotation[:, at["pelvis"]], origin, right)
    names = tuple(points)
    positions = np.stack([path for _, path in points.values()], axis=1)
    sure = np.stack(
        [_confidence(poses.reliability)[:, at[owner]] for owner, _ in points.values()], axis=1
    )
    sure[~np.isfinite(positions).all(axis=2)] = 0.0
    positions[sure <= 0] = np.nan
    time = np.arange(len(positions)) / poses.rate
    notes = [
        f"Poses of {len(poses.labels)} segments made into {len(names)} points: joint centres,"
        " and points beside them where a skeleton of average shape has them."
    ]
    if not {"r_toes", "l_toes"} <= at.keys():
        notes.append("No poses of the toes: nothing is told of the foot's own rotation.")
    marked = tuple(f"{n[-1]}_{n[:-2]}_pose" for n in names)
    return Markers(marked, time, poses.rate, positions, sure), notes


def _beside(
    turn: Array, line: Array, right: Array, segment: str, side: str, marks: tuple[str, ...]
) -> dict[str, Array]:
    """Arms (T, 3) from a segment's origin to points that ride on it.

    `line` (T, 3) leads from the origin to the segment's other joint. The generic bone is
    laid along it, sized by its length and turned with the segment.
    """
    table = landmark_table()
    mirror = np.array([1.0, 1.0, 1.0 if side == "r" else -1.0])
    if segment == "thigh":
        near, far = np.zeros(3), table[f"knee_joint_center_{side}"].position
    elif segment == "shank":
        near, far = np.zeros(3), ANKLE_IN_TIBIA * mirror
    else:
        near, far = ANKLE_IN_FOOT * mirror, BALL_IN_FOOT * mirror
    local = np.nanmedian(_into(turn, line), axis=0)
    axis = _right_axis(turn, right, local)
    bone = _triad(local, axis) @ _triad(far - near, np.array([0.0, 0.0, 1.0])).T
    scale = float(np.linalg.norm(local) / np.linalg.norm(far - near))
    return {
        mark: np.einsum(
            "tij,j->ti", turn, scale * bone @ (table[f"{mark}_{side}"].position - near)
        )
        for mark in marks
    }


def _pelvis(
    turn: Array, origin: Mapping[str, Array], right: Array
) -> dict[str, tuple[str, Array]]:
    """Front and back corners of a pelvis of average shape about the middle of the hips."""
    table = landmark_table()
    middle = (origin["r_thigh"] + origin["l_thigh"]) / 2
    rise = np.nanmedian(_into(turn, middle - (origin["r_foot"] + origin["l_foot"]) / 2), axis=0)
    axis = _right_axis(turn, right, rise)
    up = np.where(np.arange(3) == np.abs(rise * (axis == 0)).argmax(), np.sign(rise), 0.0)
    bone = np.stack([np.cross(up, axis), up, axis], axis=1)
    scale = float(np.nanmedian(np.linalg.norm(right, axis=1)) / (2 * HIP_IN_PELVIS[2]))
    centre = HIP_IN_PELVIS * (1.0, 1.0, 0.0)
    out = {}
    for mark in PELVIS_POINTS:
        for side in SIDES:
            arm = scale * bone @ (table[f"{mark}_{side}"].position - centre)
            out[f"{mark}_{side}"] = ("pelvis", middle + np.einsum("tij,j->ti", turn, arm))
    return out


def _right_axis(turn: Array, right: Array, line: Array) -> Array:
    """(3,) axis of a segment, or its opposite, that points to the body's right.

    An axis along the segment's own length is none of them.
    """
    local = np.nanmedian(_into(turn, right), axis=0)
    along = np.abs(line) > 0.8 * np.linalg.norm(line)
    k = int(np.argmax(np.where(along, -1.0, np.abs(local))))
    return np.where(np.arange(3) == k, np.sign(local[k]), 0.0)


def _triad(line: Array, right: Array) -> Array:
    """(3, 3) columns: along `line`, across, and `right` made square to the line."""
    first = line / np.linalg.norm(line)
    third = right - (right @ first) * first
    third /= np.linalg.norm(third)
    return np.stack([first, np.cross(third, first), third], axis=1)


def _into(turn: Array, vector: Array) -> Array:
    """(T, 3) vectors of the laboratory in the axes of a segment."""
    out: Array = np.einsum("tji,tj->ti", turn, vector)
    return out


def _confidence(reliability: Array) -> Array:
    """0 to 1 from what the file stores; a file that stores only zeros says nothing."""
    with np.errstate(invalid="ignore"):
        known = np.where(np.isfinite(reliability), reliability, -1.0)
        if known.max() > 1.0 or known.max() <= 0.0:
            return (known >= 0).astype(float)
    return np.clip(known, 0.0, 1.0)
