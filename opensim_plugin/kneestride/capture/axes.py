"""The laboratory's axes, turned into the ground frame: X forward, Y up, Z right.

Vertical: the body's length. With landmarks it runs from the feet to the pelvis and
trunk; without, it is the axis along which the markers spread farthest while their ends
keep still (along the walking direction the ends swing, sideways the spread is small).
Forward: the way the body travels, against the belt on a treadmill, else where it
faces. Facing needs no landmark: right minus left markers gives the right-hand side.

An axis of the laboratory that is close is taken as it stands, so that an ordinary lab
frame is only relabelled; someone crossing the room diagonally is turned.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..errors import CaptureError
from ..vocabulary import Array
from .belt import belt_velocity, is_treadmill, low_markers
from .trial import Forces, Markers, Trial

HEADING_TOLERANCE = np.deg2rad(10.0)
"""A heading this close to an axis of the laboratory is taken to be that axis."""

UPRIGHT_TOLERANCE = np.deg2rad(30.0)
"""The body's length, averaged over the trial, is this close to the vertical axis."""

TRAVEL = 0.8
"""m; a body that moves farther than this from start to end travels."""

HIGH = (
    "asis",
    "psis",
    "sacrum",
    "iliac_crest",
    "hip_joint_center",
    "c7",
    "acromion",
    "clavicle",
)
LOW = ("heel", "heel_bottom", "heel_lateral", "heel_medial", "metatarsal_1", "metatarsal_2",
       "metatarsal_5", "toe", "big_toe", "malleolus_lateral", "malleolus_medial",
       "ankle_joint_center")  # fmt: skip
BACK = ("psis", "heel", "heel_bottom", "sacrum")
FRONT = ("asis", "toe", "big_toe", "metatarsal_1", "metatarsal_2", "metatarsal_5")
FEET = (
    "heel", "heel_bottom", "heel_lateral", "heel_medial", "metatarsal_1", "metatarsal_2",
    "metatarsal_5", "toe", "big_toe",
)  # fmt: skip
"""Landmark stems (ids without `_r` and `_l`) that tell up from down, front from back."""


@dataclass(frozen=True)
class GroundFrame:
    """How the laboratory's axes lie in the ground frame.

    Attributes
    ----------
    rotation : (3, 3)
        Laboratory to ground: ``x_ground = rotation @ x_laboratory``.
    belt : (3,) m/s
        Velocity of the ground surface, in the ground frame; zero overground.
    notes : tuple of str
    faces_forward : bool
        The body is known to face within 60° of X.
    """

    rotation: Array
    belt: Array
    notes: tuple[str, ...]
    faces_forward: bool = False

    @property
    def up(self) -> Array:
        """Vertical in the laboratory's axes, (3,)."""
        up: Array = self.rotation[1]
        return up


def stem(landmark: str) -> str:
    """Landmark id without its side: 'asis' of 'asis_r'."""
    return landmark[:-2] if landmark.endswith(("_r", "_l")) else landmark


def find_ground_frame(
    markers: Markers, landmarks: Mapping[str, str] | None = None
) -> GroundFrame:
    """Find up and forward in a recording.

    Parameters
    ----------
    markers : Markers
        In the laboratory's axes.
    landmarks : mapping of marker name to landmark id, optional
        For example ``{"RASI": "asis_r"}``. Better than names alone.

    Raises
    ------
    CaptureError
        No axis stands out as the vertical, or front and back contradict left and right
        (exchanged names, or a mirrored coordinate system).
    """
    where = _by_stem(markers, landmarks or {})
    up, how_up = _vertical(markers, where)
    feet = [markers.names[k] for s in FEET for k in where.get(s, [])]
    named_feet = feet or list(low_markers(markers, up))
    ground = belt_velocity(markers, named_feet, tuple(up))
    treadmill = bool(np.isfinite(ground).all()) and is_treadmill(ground)
    facing = _facing(markers, where, up)
    travel = _travel(markers, up)
    if travel is not None:
        forward, how = travel, "the direction of travel"
    elif treadmill:
        forward, how = -_unit(ground), "against the moving belt"
    elif facing is not None:
        forward, how = facing, "where the body faces"
    else:
        spare = np.eye(3)[int(np.argmin(np.abs(up)))]
        forward, how = _unit(spare - (spare @ up) * up), "unknown: no marker tells it"
    notes = []
    if facing is not None and forward @ facing < 0.5:
        notes.append(
            f"The body faces {np.degrees(np.arccos(np.clip(forward @ facing, -1, 1))):.0f}°"
            " away from the direction it moves in."
        )
    snapped = _snap(forward, up)
    rotation = np.stack([snapped, up, np.cross(snapped, up)])
    belt = rotation @ ground if treadmill and travel is None else np.zeros(3)
    notes.insert(
        0,
        f"Ground frame: up is laboratory {_axis(up)} ({how_up}), forward is"
        f" {_axis(snapped)} ({how}).",
    )
    if belt.any():
        notes.append(f"Treadmill: the belt moves at {np.linalg.norm(belt):.2f} m/s.")
    faces = facing is not None and bool(snapped @ facing > 0.5)
    return GroundFrame(rotation, belt, tuple(notes), faces)


def to_ground(trial: Trial, frame: GroundFrame) -> Trial:
    """Turn markers and forces of a trial into the ground frame; the origin stays."""
    turn = frame.rotation
    markers = replace(trial.markers, positions=trial.markers.positions @ turn.T)
    forces = None if trial.forces is None else _turned(trial.forces, turn)
    return replace(trial, markers=markers, forces=forces, notes=(*trial.notes, *frame.notes))


def side_pairs(names: Sequence[str]) -> list[tuple[int, int]]:
    """Index pairs (right, left) of names that differ only in their side.

    Sides are a leading or trailing R/L, or the words right/left: `RASI`/`LASI`,
    `r_knee`/`L_knee`, `Heel_R`/`Heel_L`.
    """
    index = {name.lower(): k for k, name in enumerate(names)}
    pairs = []
    for name, k in index.items():
        options = []
        if "right" in name:
            options.append(name.replace("right", "left"))
        if name.startswith("r"):
            options.append("l" + name[1:])
        if name.endswith("r") and len(name) > 2 and not name[-2].isalpha():
            options.append(name[:-1] + "l")
        partner = next((index[o] for o in options if o in index), None)
        if partner is not None:
            pairs.append((k, partner))
    return pairs


def _by_stem(markers: Markers, landmarks: Mapping[str, str]) -> dict[str, list[int]]:
    """Marker indices of each landmark stem, both sides together."""
    where: dict[str, list[int]] = {}
    for k, name in enumerate(markers.names):
        if name in landmarks:
            where.setdefault(stem(landmarks[name]), []).append(k)
    return where


def _vertical(markers: Markers, where: Mapping[str, list[int]]) -> tuple[Array, str]:
    """Unit vector up, along an axis of the laboratory, and how it was found."""
    high = [k for s in HIGH for k in where.get(s, [])]
    low = [k for s in LOW for k in where.get(s, [])]
    if high and low:
        length = _mean_point(markers, high) - _mean_point(markers, low)
        if np.isfinite(length).all() and np.linalg.norm(length) > 0:
            axis = int(np.argmax(np.abs(length)))
            tilt = np.arccos(np.abs(length[axis]) / np.linalg.norm(length))
            if tilt < UPRIGHT_TOLERANCE:
                return np.sign(length[axis]) * np.eye(3)[axis], "from feet to pelvis"
            raise CaptureError(
                "a body upright along one axis of the laboratory",
                f"the direction from feet to pelvis {np.degrees(tilt):.0f}° away from the"
                " nearest axis",
                "rotate the recording so that one axis is vertical, and check the marker names",
            )
    positions = markers.positions[:: max(1, len(markers.time) // 400)]
    positions = positions[np.isfinite(positions).all(axis=2).any(axis=1)]
    middle = np.nanmean(positions, axis=1, keepdims=True)
    lowest = np.nanmin(positions - middle, axis=1)
    highest = np.nanmax(positions - middle, axis=1)
    # 0.1 m keeps a motionless (static) trial's score from depending on noise alone.
    unrest = 0.1 + np.nanstd(lowest, axis=0) + np.nanstd(highest, axis=0)
    score = np.nanmedian(highest - lowest, axis=0) / unrest
    axis = int(np.nanargmax(score))
    # The floor is the origin of every laboratory: the body is on its upper side.
    sign = 1.0 if np.nanmedian(positions[..., axis]) >= 0 else -1.0
    return sign * np.eye(3)[axis], "the axis the body stretches along"


def _facing(markers: Markers, where: Mapping[str, list[int]], up: Array) -> Array | None:
    """Where the body faces, a horizontal unit vector; None when no marker tells."""
    pairs = side_pairs(markers.names)
    across = None
    if len(pairs) >= 2:
        rights, lefts = (list(side) for side in zip(*pairs, strict=True))
        apart = _nanmean(markers.positions[:, rights] - markers.positions[:, lefts])
        apart = apart[np.isfinite(apart).all(axis=1)]
        right = apart.mean(axis=0) if len(apart) else np.zeros(3)
        right = right - (right @ up) * up
        if np.linalg.norm(right) > 0.02:
            across = np.cross(up, _unit(right))
    ahead = _ahead(markers, where, up)
    if across is not None and ahead is not None and across @ ahead < -0.7:
        raise CaptureError(
            "left and right markers on their own sides of the body",
            "the right-hand markers on the left: front and back of pelvis and feet say so",
            "check the names for exchanged sides, or the export for mirrored"
            " (left-handed) axes",
        )
    return ahead if across is None else across


def _ahead(markers: Markers, where: Mapping[str, list[int]], up: Array) -> Array | None:
    """From the back to the front of pelvis and feet, None without both."""
    parts = []
    for backs, fronts in ((BACK[:1], FRONT[:1]), (BACK[1:3], FRONT[1:])):
        back = [k for s in backs for k in where.get(s, [])]
        front = [k for s in fronts for k in where.get(s, [])]
        if back and front:
            way = _mean_point(markers, front) - _mean_point(markers, back)
            way = way - (way @ up) * up
            if np.isfinite(way).all() and np.linalg.norm(way) > 0.03:
                parts.append(_unit(way))
    if not parts:
        return None
    total = np.sum(parts, axis=0)
    return _unit(total) if np.linalg.norm(total) > 0.5 else None


def _travel(markers: Markers, up: Array) -> Array | None:
    """Direction from the first to the last tenth of the trial, None when it is short."""
    tenth = max(1, len(markers.time) // 10)
    with np.errstate(invalid="ignore"):
        first = _nanmean(markers.positions[:tenth])
        last = _nanmean(markers.positions[-tenth:])
    moved = (last - first)[np.isfinite(last - first).all(axis=1)]
    if not len(moved):
        return None
    way = np.median(moved, axis=0)
    way = way - (way @ up) * up
    return _unit(way) if np.linalg.norm(way) > TRAVEL else None


def _snap(forward: Array, up: Array) -> Array:
    """The nearest horizontal axis of the laboratory when it is close, else as it is."""
    axis = int(np.argmax(np.abs(forward)))
    nearest = np.sign(forward[axis]) * np.eye(3)[axis]
    close = nearest @ forward > np.cos(HEADING_TOLERANCE) and abs(nearest @ up) < 1e-9
    return nearest if close else _unit(forward - (forward @ up) * up)


def _turned(forces: Forces, turn: Array) -> Forces:
    moment = forces.moment_at_origin
    return replace(
        forces,
        force=forces.force @ turn.T,
        point=forces.point @ turn.T,
        torque=forces.torque @ turn.T,
        corners=None if forces.corners is None else forces.corners @ turn.T,
        moment_at_origin=None if moment is None else moment @ turn.T,
    )


def _mean_point(markers: Markers, columns: Sequence[int]) -> Array:
    """Mean over markers of their mean over time, (3,)."""
    each = _nanmean(markers.positions[:, list(columns)])
    each = each[np.isfinite(each).all(axis=1)]
    mean: Array = each.mean(axis=0) if len(each) else np.full(3, np.nan)
    return mean


def _nanmean(positions: Array) -> Array:
    """Mean over time of each marker, (M, 3); NaN where it was never seen."""
    count = np.isfinite(positions).sum(axis=0)
    total = np.nansum(positions, axis=0)
    mean: Array = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return mean


def _unit(vector: Array) -> Array:
    unit: Array = vector / np.linalg.norm(vector)
    return unit


def _axis(direction: Array) -> str:
    """Words for a direction: '+X', or '(0.71, 0.00, 0.71)'."""
    axis = int(np.argmax(np.abs(direction)))
    if abs(direction[axis]) > 1 - 1e-9:
        return f"{'+' if direction[axis] > 0 else '-'}{'XYZ'[axis]}"
    return "(" + ", ".join(f"{v:.2f}" for v in direction) + ")"
