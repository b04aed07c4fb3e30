"""Which task a recording shows, and where its repetitions begin and end.

Everything is read from joint centres: knee flexion as the angle between thigh and
shank, the height of the pelvis, and the contacts. No model angles are needed, and no
frame, so a rotated laboratory changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..vocabulary import SIDES, Array, Side
from .contacts import Contacts
from .events import is_running
from .filtering import lowpass, sampling_rate
from .foot_signals import foot_signals, is_stepping
from .kinematics import AnatomicalPaths

Task = Literal["running", "walking", "squat", "landing", "static", "other"]

REPETITION_DEPTH = np.radians(30.0)
"""Knee flexion (rad) that a repetition adds to standing, at least."""

LANDING_SPEED = 1.0
"""Downward speed of the pelvis (m/s) at contact that makes it a landing (a 5 cm drop)."""

CLEAR_FLIGHT = 0.4
"""Share of the stride; contacts of noisy points may come out shorter than they were by a tenth
of it, so that only shorter ones leave no doubt of flight."""

_STILL_FLEXION = np.radians(10.0)
_STILL_PELVIS = 0.05


@dataclass(frozen=True)
class Repetition:
    """One squat or step-down: from standing through the deepest point to standing.

    Attributes
    ----------
    start_s, deepest_s, end_s : float, s
    depth_rad : float, knee flexion added to that at the start
    """

    start_s: float
    deepest_s: float
    end_s: float
    depth_rad: float


def pelvis_center(paths: AnatomicalPaths) -> Array:
    """(T, 3) m: midpoint of the hip joint centres."""
    center: Array = 0.5 * (paths.points["hip_center_r"] + paths.points["hip_center_l"])
    return center


def knee_flexion(paths: AnatomicalPaths, side: Side) -> Array:
    """(T,) rad: angle between the lines hip-knee and knee-ankle; 0 when straight."""
    if f"knee_center_{side}" not in paths.points:
        return np.full(len(paths.time), np.nan)
    hip, knee = paths.points[f"hip_center_{side}"], paths.points[f"knee_center_{side}"]
    thigh, shank = knee - hip, paths.points[f"ankle_center_{side}"] - knee
    cross = np.linalg.norm(np.cross(thigh, shank), axis=1)
    return np.arctan2(cross, np.sum(thigh * shank, axis=1))


def repetitions(paths: AnatomicalPaths) -> tuple[Repetition, ...]:
    """Squats and step-downs, from the knee flexion of the legs that stand.

    Each deepest point is a peak with a prominence of `REPETITION_DEPTH`; the repetition
    reaches out on both sides to where 5 % of that depth is left, or to the recording's
    end when the knee is bent there.
    """
    flexion = stance_flexion(paths)
    if not np.isfinite(flexion).all():
        return ()
    # Half of SciPy comes with its signal room, and running never asks for this.
    from scipy.signal import find_peaks

    peaks, facts = find_peaks(flexion, prominence=REPETITION_DEPTH)
    out = []
    for position, k in enumerate(peaks):
        lowest = float(flexion[k] - facts["prominences"][position])
        level = lowest + 0.05 * (float(flexion[k]) - lowest)
        first = int(peaks[position - 1]) if position else 0
        last = int(peaks[position + 1]) if position + 1 < len(peaks) else len(flexion) - 1
        before = np.flatnonzero(flexion[first:k] <= level)
        after = np.flatnonzero(flexion[k : last + 1] <= level)
        start = first + int(before[-1]) if len(before) else _valley(flexion, first, k)
        end = k + int(after[0]) if len(after) else _valley(flexion, k, last)
        time = paths.time
        depth = float(flexion[k] - flexion[start])
        out.append(Repetition(float(time[start]), float(time[k]), float(time[end]), depth))
    return tuple(out)


def _vaults(paths: AnatomicalPaths, contacts: Contacts) -> bool:
    """Whether the hips are higher in mid-stance than at its ends.

    A walker vaults over a stiff leg, a runner sinks into a spring (Cavagna et al. 1977,
    doi:10.1152/ajpregu.1977.233.5.R243).
    """
    height = pelvis_center(paths)[:, 1]
    rise = []
    for side in SIDES:
        for c in contacts.of(side):
            if c.complete:
                start, end = c.initial_contact_s, c.initial_contact_s + c.duration_s
                ends = np.interp([start, end], paths.time, height).mean()
                rise.append(np.interp(0.5 * (start + end), paths.time, height) - ends)
    return bool(rise) and float(np.median(rise)) > 0


def _valley(values: Array, first: int, last: int) -> int:
    return first + int(np.argmin(values[first : last + 1]))


def stance_flexion(paths: AnatomicalPaths) -> Array:
    """(T,) rad: knee flexion of whichever legs stand, smoothed at 3 Hz.

    Of two feet whose soles stay within 0.1 m of each other in height the mean is taken;
    otherwise the leg whose foot is lower (single-leg squat, step-down).
    """
    both = np.column_stack([knee_flexion(paths, side) for side in SIDES])
    sole = np.column_stack([_sole_height(paths, side) for side in SIDES])
    apart = np.nanmedian(np.abs(sole[:, 0] - sole[:, 1])) > 0.1
    if apart:
        flexion = both[:, int(np.nanmedian(sole[:, 1]) < np.nanmedian(sole[:, 0]))]
    else:
        flexion = both.mean(axis=1)
    if not np.isfinite(flexion).any():
        return flexion
    rate = sampling_rate(paths.time)
    return lowpass(flexion, rate, min(3.0, 0.4 * rate))


def _sole_height(paths: AnatomicalPaths, side: Side) -> Array:
    return np.minimum(
        paths.points[f"heel_bottom_{side}"][:, 1], paths.points[f"metatarsal_5_{side}"][:, 1]
    )


def landings(paths: AnatomicalPaths, contacts: Contacts) -> Contacts:
    """Only the contacts that catch a fall: the pelvis sinks faster than `LANDING_SPEED`."""
    rate = sampling_rate(paths.time)
    pelvis = pelvis_center(paths)[:, 1]
    sinking = -np.gradient(lowpass(pelvis, rate, min(10.0, 0.4 * rate)), 1.0 / rate)
    kept = {}
    for side in SIDES:
        kept[side] = tuple(
            c
            for c in contacts.of(side)
            if c.complete_start
            and np.interp(c.initial_contact_s, paths.time, sinking) > LANDING_SPEED
        )
    return Contacts(kept["r"], kept["l"], contacts.source, contacts.notes)


def recognise_task(paths: AnatomicalPaths, contacts: Contacts) -> Task:
    """What the person does.

    Returns
    -------
    {'running', 'walking', 'squat', 'landing', 'static', 'other'}
        Running and walking: the feet pass under the body in turn; running has flight.
        Landing: at least one contact catches a fall. Squat: at least one repetition.
        Static: knees within 10° and the pelvis within 5 cm throughout.
    """
    signals = {side: foot_signals(paths, side) for side in SIDES}
    if is_stepping(signals):
        found = {s: contacts.of(s) for s in SIDES}
        running = is_running(found)
        if paths.noise > 0 and running and not is_running(found, CLEAR_FLIGHT):
            running = not _vaults(paths, contacts)
        return "running" if running else "walking"
    if landings(paths, contacts).found:
        return "landing"
    if repetitions(paths):
        return "squat"
    flexion = np.column_stack([knee_flexion(paths, side) for side in SIDES])
    moved = float(np.ptp(pelvis_center(paths), axis=0).max())
    spread = np.ptp(flexion, axis=0).max() if np.isfinite(flexion).all() else 0.0
    return "static" if moved < _STILL_PELVIS and spread < _STILL_FLEXION else "other"
