"""The stride table: one row a stride, repetition or landing, and where the feet were put.

A stride runs from initial contact to the next of the same foot. **Step width is
signed**: distance, to the right, of the right heel point from the left one, each at the
temporal midpoint of its contact, perpendicular to the line of progression; every row
pairs with the preceding contact of the opposite foot. Negative means that the feet
crossed. The sign is the same for both sides, so mirroring a runner changes nothing.

Source: methods.md "Events and strides in running"; the heel point is the sole's
(heel_bottom), because the foot point decides the sign.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from ..vocabulary import MEDIAL_SIGN, SIDES, Array, Side
from .contacts import Contact, Contacts, between
from .filtering import sampling_rate
from .foot_signals import foot_signals, is_stepping, surface_velocity
from .kinematics import AnatomicalPaths
from .tasks import (
    Task,
    knee_flexion,
    landings,
    pelvis_center,
    recognise_task,
    repetitions,
)

Kind = Literal["stride", "partial", "repetition", "landing"]

_NAN = float("nan")
_LONGEST_STRIDE = 1.5
"""A 'stride' this many times the median one hides a contact that was not seen."""


@dataclass(frozen=True)
class Stride:
    """One row of the stride table, SI units; NaN where it does not apply.

    Attributes
    ----------
    kind : {'stride', 'partial', 'repetition', 'landing'}
    side : {'r', 'l'}
    start_s, end_s : float
        Initial contact to the next; a contact alone for partial and landing.
    contact_start_s, contact_end_s : float
        The stance that belongs to the row.
    mid_s : float
        Temporal midpoint of contact (of a contact whose ends were not both recorded: when
        the foot passes under the pelvis, NaN if it does not); deepest knee flexion in
        repetitions and landings.
    contact_s : float, contact time
    step_width_m : float, signed, negative = crossed
    heel_to_midline_m, toe_to_midline_m : float
        Heel point, and second metatarsal head, lateral of the pelvis midpoint at
        mid-stance; negative when the foot lands beyond the body's midline.
    step_length_m : float, along the progression, from the preceding opposite contact,
        over the moving ground
    step_time_s : float
    stride_time_s : float
    cadence : float, steps a minute
    speed_m_s : float, of the pelvis over the ground
    complete_start, complete_end : bool, whether that end of the contact was recorded
    """

    kind: Kind
    side: Side
    start_s: float
    end_s: float
    contact_start_s: float
    contact_end_s: float
    mid_s: float
    contact_s: float = _NAN
    step_width_m: float = _NAN
    heel_to_midline_m: float = _NAN
    toe_to_midline_m: float = _NAN
    step_length_m: float = _NAN
    step_time_s: float = _NAN
    stride_time_s: float = _NAN
    cadence: float = _NAN
    speed_m_s: float = _NAN
    complete_start: bool = True
    complete_end: bool = True


def at(time: Array, values: Array, t: float) -> Array:
    """Values (T, ...) at one time t, linearly between frames; (...,). NaN at NaN."""
    if np.isnan(t):
        return np.full(values.shape[1:], np.nan)
    k = int(np.clip(np.searchsorted(time, t) - 1, 0, len(time) - 2))
    share = float(np.clip((t - time[k]) / (time[k + 1] - time[k]), 0.0, 1.0))
    out: Array = (1.0 - share) * values[k] + share * values[k + 1]
    return out


def right_axis(progression: Array) -> Array:
    """(3,) unit vector to the right of the line of progression, horizontal.

    right = progression × up, in the ground frame of `vocabulary` (Z for +X).
    """
    right: Array = np.cross(progression, [0.0, 1.0, 0.0])
    return right / np.linalg.norm(right)


def ground_velocity(paths: AnatomicalPaths) -> Array:
    """(3,) m/s: what the feet stand on, measured from them, else as given in `paths`."""
    signals = {side: foot_signals(paths, side) for side in SIDES}
    if is_stepping(signals):
        return surface_velocity(signals, sampling_rate(paths.time))
    return paths.belt_velocity


def step_width(paths: AnatomicalPaths, side: Side, own: Contact, opposite: Contact) -> float:
    """Signed step width (m) of a contact and the opposite one before it.

    w = (heel_right(t_mid) - heel_left(t_mid')) · right, each foot at the temporal
    midpoint of its own contact; negative when the feet crossed.
    """
    heels = []
    for s, c in ((side, own), ("l" if side == "r" else "r", opposite)):
        middle = 0.5 * (c.initial_contact_s + c.toe_off_s)
        heels.append(at(paths.time, paths.points[f"heel_bottom_{s}"], middle))
    lateral = -MEDIAL_SIGN[side] * right_axis(paths.progression)
    return float((heels[0] - heels[1]) @ lateral)


def stride_table(
    paths: AnatomicalPaths, contacts: Contacts, task: Task | None = None
) -> tuple[Stride, ...]:
    """All rows of a recording in order of time.

    Parameters
    ----------
    paths : AnatomicalPaths
    contacts : Contacts
        From `events_from_force`, `events_from_kinematics` or `events_from_mask`.
    task : Task, optional
        `recognise_task` when left out.

    Returns
    -------
    tuple of Stride
        Running, walking: strides; a side without any gives its contacts as `partial`.
        Squats: a `repetition` per leg that stands. Jumps: a `landing` per leg. Else
        nothing.
    """
    task = task or recognise_task(paths, contacts)
    rows: list[Stride] = []
    if task in ("running", "walking"):
        ground = ground_velocity(paths)
        for side in SIDES:
            rows += _strides_of(paths, contacts, side, ground)
    elif task == "landing":
        falls = landings(paths, contacts)
        rows = [
            _landing(paths.time, flexion, side, c)
            for side in SIDES
            for flexion in [knee_flexion(paths, side)]
            for c in falls.of(side)
        ]
    elif task == "squat":
        rows = _repetitions(paths, contacts)
    return tuple(sorted(rows, key=lambda row: (row.start_s, row.side)))


def _strides_of(
    paths: AnatomicalPaths, contacts: Contacts, side: Side, ground: Array
) -> list[Stride]:
    own = contacts.of(side)
    pelvis = pelvis_center(paths)
    pairs = [(a, b) for a, b in pairwise(own) if a.complete and b.complete_start]
    times = [b.initial_contact_s - a.initial_contact_s for a, b in pairs]
    longest = _LONGEST_STRIDE * float(np.median(times)) if times else 0.0
    rows = []
    for (a, b), duration in zip(pairs, times, strict=True):
        if duration <= longest:
            end = b.initial_contact_s
            rows.append(_gait_row(paths, contacts, side, a, "stride", end, ground, pelvis))
    if not rows:
        rows = [
            _gait_row(paths, contacts, side, c, "partial", c.toe_off_s, ground, pelvis)
            for c in own
        ]
    return rows


def _gait_row(
    paths: AnatomicalPaths,
    contacts: Contacts,
    side: Side,
    c: Contact,
    kind: Kind,
    end: float,
    ground: Array,
    pelvis: Array,
) -> Stride:
    time, begin = paths.time, c.initial_contact_s
    middle = 0.5 * (begin + c.toe_off_s) if c.complete else _passing(paths, side, c)
    lateral = -MEDIAL_SIGN[side] * right_axis(paths.progression)
    under = at(time, pelvis, middle)
    heel = at(time, paths.points[f"heel_bottom_{side}"], middle)
    toe_name = f"metatarsal_2_{side}"
    toe = at(time, paths.points[toe_name], middle) if toe_name in paths.points else None
    before = _preceding(contacts, side, c)
    width = length = step_time = _NAN
    if before is not None:
        if c.complete and before.complete:
            width = step_width(paths, side, c, before)
        if c.complete_start and before.complete_start:
            length, step_time = _step(paths, side, c, before, ground)
    duration = end - begin if kind == "stride" else _NAN
    travelled = (at(time, pelvis, end) - at(time, pelvis, begin)) @ paths.progression
    return Stride(
        kind=kind,
        side=side,
        start_s=begin,
        end_s=end,
        contact_start_s=begin,
        contact_end_s=c.toe_off_s,
        mid_s=middle,
        contact_s=c.duration_s if c.complete else _NAN,
        step_width_m=width,
        heel_to_midline_m=float((heel - under) @ lateral),
        toe_to_midline_m=float((toe - under) @ lateral) if toe is not None else _NAN,
        step_length_m=length,
        step_time_s=step_time,
        stride_time_s=duration,
        cadence=120.0 / duration,
        speed_m_s=float(travelled / (end - begin) - ground @ paths.progression),
        complete_start=c.complete_start,
        complete_end=c.complete_end,
    )


def _passing(paths: AnatomicalPaths, side: Side, c: Contact) -> float:
    """Time at which the foot passes under the pelvis during a contact, s; NaN if never."""
    times = [float(paths.time[k]) for k in foot_signals(paths, side).anchors]
    inside = [t for t in times if c.initial_contact_s <= t <= c.toe_off_s]
    return inside[0] if inside else _NAN


def _preceding(contacts: Contacts, side: Side, own: Contact) -> Contact | None:
    """The opposite foot's last contact that began before this one did."""
    other: Side = "l" if side == "r" else "r"
    found = _last_before(contacts.of(other), own.initial_contact_s)
    mine = _last_before(contacts.of(side), own.initial_contact_s)
    if found is None or mine is None:
        return found
    # If my own foot landed in between, the opposite contact was not seen.
    return None if mine.initial_contact_s > found.initial_contact_s else found


def _last_before(contacts: Sequence[Contact], time: float) -> Contact | None:
    """The last contact, of several in order of time, that began before a time."""
    count = bisect_left(contacts, time, key=lambda c: c.initial_contact_s)
    return contacts[count - 1] if count else None


def _step(
    paths: AnatomicalPaths, side: Side, own: Contact, before: Contact, ground: Array
) -> tuple[float, float]:
    """Step length (m) and step time (s).

    L = (heel_own(t1) - heel_opposite(t0) - v_ground (t1 - t0)) · progression, at the two
    initial contacts: the ground carried the opposite foot with it meanwhile.
    """
    other: Side = "l" if side == "r" else "r"
    t0, t1 = before.initial_contact_s, own.initial_contact_s
    first = at(paths.time, paths.points[f"heel_bottom_{other}"], t0)
    second = at(paths.time, paths.points[f"heel_bottom_{side}"], t1)
    length = (second - first - ground * (t1 - t0)) @ paths.progression
    return float(length), t1 - t0


def _deepest(time: Array, flexion: Array, start: float, end: float) -> float:
    inside = between(time, start, end)
    if not np.isfinite(flexion[inside]).any():
        return 0.5 * (start + end)
    return float(time[inside][int(np.nanargmax(flexion[inside]))])


def _landing(time: Array, flexion: Array, side: Side, c: Contact) -> Stride:
    begin, end = c.initial_contact_s, c.toe_off_s
    return Stride(
        kind="landing",
        side=side,
        start_s=begin,
        end_s=end,
        contact_start_s=begin,
        contact_end_s=end,
        mid_s=_deepest(time, flexion, begin, end),
        contact_s=c.duration_s if c.complete else _NAN,
        complete_start=c.complete_start,
        complete_end=c.complete_end,
    )


def _repetitions(paths: AnatomicalPaths, contacts: Contacts) -> list[Stride]:
    mask = contacts.mask(paths.time)
    rows = []
    for unit in repetitions(paths):
        inside = (paths.time >= unit.start_s) & (paths.time <= unit.end_s)
        for column, side in enumerate(SIDES):
            # Without any contact information both legs are taken to stand.
            if contacts.found and mask[inside, column].mean() < 0.9:
                continue
            rows.append(
                Stride(
                    kind="repetition",
                    side=side,
                    start_s=unit.start_s,
                    end_s=unit.end_s,
                    contact_start_s=unit.start_s,
                    contact_end_s=unit.end_s,
                    mid_s=unit.deepest_s,
                )
            )
    return rows
