"""What each force plate says by itself: offset, low-pass, contacts, centre of pressure.

A plate is carried through as force and moment about the ground origin, because both
are linear: they can be filtered, summed over plates and read at marker times, and the
centre of pressure is computed once, at the end, from what came out. (Filtering the
centre of pressure itself would average a ratio that is noise while the plate is
nearly empty.)

Contacts are found after filtering, by hysteresis, and the force fades from nothing to
its full value between the two thresholds: cutting an unfiltered force first and
filtering it afterwards would smear it over frames in which the foot is in the air.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..capture.trial import Forces
from ..errors import CaptureError
from ..motion.contacts import between
from ..motion.filtering import lowpass, resample, runs
from ..vocabulary import GRAVITY, Array

_EMPTY_LEVEL = 0.1
"""Body weights under which a plate may be empty; its offset is some tens of newtons."""

_EMPTY_RANGE = 20.0
"""N; an empty plate stays within this after a 50 Hz low-pass, a foot rolling off does not."""

_EMPTY_SHORTEST = 0.03
"""s; shorter dips are the valley between two feet, not flight."""


@dataclass(frozen=True)
class PlateContact:
    """One loading of one plate; times in s.

    The plate is above the lower threshold from `start` to `end`, and first and last
    above the upper one at `full_start` and `full_end`. `cut_start` and `cut_end` say
    that the recording begins or ends loaded, so that the edge is not a foot's.
    """

    plate: int
    start: float
    full_start: float
    full_end: float
    end: float
    cut_start: bool
    cut_end: bool


@dataclass(frozen=True)
class PlateSignals:
    """Plates at marker times, offset removed and low-passed.

    Attributes
    ----------
    time : (T,) s
    force : (T, P, 3) N; NaN outside the force recording
    moment : (T, P, 3) N·m about the ground origin
    height : (P,) m, height of the plate's surface
    corners : (P, 4, 3) m or None
    contacts : tuple of PlateContact, in order of time
    offsets : (P, 6) N and N·m, what was subtracted; NaN where no empty phase was found
    """

    time: Array
    force: Array
    moment: Array
    height: Array
    corners: Array | None
    contacts: tuple[PlateContact, ...]
    offsets: Array

    def fade(self, contact: PlateContact) -> Array:
        """Weight (T,) of a contact: 0 outside, 1 above the upper threshold, smooth between."""
        slack = 1e-9
        inside = between(self.time, contact.start - slack, contact.end + slack)
        t, out = self.time[inside], np.zeros(len(self.time))
        rise = _smooth_step(t, contact.start, contact.full_start)
        fall = _smooth_step(-t, -contact.end, -contact.full_end)
        out[inside] = rise * fall
        return out


def read_plates(
    forces: Forces,
    time: Array,
    body_mass: float,
    cutoff: float | None,
    thresholds: tuple[float, float],
    shortest_contact: float,
) -> PlateSignals:
    """Offset, filter, find contacts and read at marker times.

    Parameters
    ----------
    forces : Forces in the ground frame, on the markers' clock
    time : (T,) s, marker times
    body_mass : float, kg
    cutoff : float, Hz or None
    thresholds : (lower, upper) N of the contact hysteresis
    shortest_contact : float, s

    Raises
    ------
    CaptureError
        When forces and markers share no time, or the forces point downwards.
    """
    if forces.time[-1] < time[0] or forces.time[0] > time[-1]:
        raise CaptureError(
            "forces and markers on one clock",
            f"markers from {time[0]:.3f} to {time[-1]:.3f} s, "
            f"forces from {forces.time[0]:.3f} to {forces.time[-1]:.3f} s",
            "pass the force file that belongs to this trial, or none",
        )
    vertical = forces.force[:, :, 1].sum(axis=1)
    if np.nanmean(vertical) < -0.05 * body_mass * GRAVITY:
        raise CaptureError(
            "forces on the person, upwards in contact",
            f"a mean vertical force of {np.nanmean(vertical):.0f} N",
            "turn the sign of the forces or the vertical axis of the file",
        )
    wrench = np.concatenate((forces.force, moment_about_origin(forces)), axis=2)
    offsets = empty_plate_offsets(wrench, forces.rate, body_mass)
    wrench = wrench - np.nan_to_num(offsets)
    smooth = lowpass(wrench, forces.rate, cutoff)
    contacts = [
        c
        for p in range(wrench.shape[1])
        for c in plate_contacts(p, forces.time, smooth[:, p, 1], thresholds, shortest_contact)
    ]
    at = resample(forces.time, smooth, time, None)
    return PlateSignals(
        time=time,
        force=at[:, :, :3],
        moment=at[:, :, 3:],
        height=_surface_heights(forces),
        corners=forces.corners,
        contacts=tuple(sorted(contacts, key=lambda c: c.start)),
        offsets=offsets,
    )


def moment_about_origin(forces: Forces) -> Array:
    """Moment (S, P, 3) N·m about the ground origin: stored, or p × F + free moment.

    Where a file has no point the nearest one in time stands in: there is next to no
    force there, and a moment jumping to zero would ring through the filter.
    """
    if forces.moment_at_origin is not None:
        return forces.moment_at_origin
    point = forces.point.copy()
    for p in range(point.shape[1]):
        point[:, p] = hold_nearest(point[:, p])
    moment = np.cross(np.nan_to_num(point), forces.force) + np.nan_to_num(forces.torque)
    return np.asarray(moment, dtype=np.float64)


def hold_nearest(values: Array) -> Array:
    """Rows (T, K) with a NaN replaced by the finite row nearest in time; all NaN stays."""
    good = np.flatnonzero(np.isfinite(values).all(axis=1))
    if len(good) in (0, len(values)):
        return values.copy()
    rows = np.arange(len(values))
    right = np.clip(np.searchsorted(good, rows), 0, len(good) - 1)
    left = np.clip(right - 1, 0, None)
    nearer_left = np.abs(rows - good[left]) <= np.abs(good[right] - rows)
    return values[np.where(nearer_left, good[left], good[right])]


def empty_plate_offsets(wrench: Array, rate: float, body_mass: float) -> Array:
    """Reading of each empty plate (P, 6), or NaN where it is never empty.

    Empty phases are flat stretches near zero: swing overground, flight on a belt. The
    middle half of each is averaged and the median over phases taken, so that a phase
    with a foot still on it, or a knock, has no say.

    Parameters
    ----------
    wrench : (S, P, 6) N, N·m
    rate : float, Hz
    body_mass : float, kg
    """
    slow = lowpass(wrench[:, :, 1], rate, min(50.0, 0.4 * rate))
    out = np.full(wrench.shape[1:], np.nan)
    for p in range(wrench.shape[1]):
        means = []
        for start, stop in runs(np.abs(slow[:, p]) < _EMPTY_LEVEL * body_mass * GRAVITY):
            trim = (stop - start) // 4
            middle = slice(start + trim, stop - trim)
            long_enough = stop - start >= max(4, _EMPTY_SHORTEST * rate)
            if long_enough and np.ptp(slow[middle, p]) < _EMPTY_RANGE:
                means.append(wrench[middle, p].mean(axis=0))
        if means:
            out[p] = np.median(means, axis=0)
    return out


def plate_contacts(
    plate: int,
    time: Array,
    vertical: Array,
    thresholds: tuple[float, float],
    shortest: float,
) -> list[PlateContact]:
    """Loadings of a plate by hysteresis on its filtered vertical force (S,) N.

    A contact lasts while the force is above the lower threshold, and counts when it
    passes the upper one and lasts `shortest` seconds. Crossings are interpolated
    between samples.
    """
    lower, upper = thresholds
    vertical = np.nan_to_num(vertical)
    out = []
    for start, stop in runs(vertical > lower):
        above = start + np.flatnonzero(vertical[start:stop] > upper)
        if len(above) == 0 or time[stop - 1] - time[start] < shortest:
            continue
        out.append(
            PlateContact(
                plate=plate,
                start=_crossing(time, vertical, start, lower, -1),
                full_start=_crossing(time, vertical, int(above[0]), upper, -1),
                full_end=_crossing(time, vertical, int(above[-1]), upper, +1),
                end=_crossing(time, vertical, stop - 1, lower, +1),
                cut_start=start == 0,
                cut_end=stop == len(vertical),
            )
        )
    return out


def centre_of_pressure(force: Array, moment: Array, height: Array | float) -> Array:
    """Point on the level surface where force and vertical free moment equal the wrench.

    Parameters
    ----------
    force : (..., 3) N
    moment : (..., 3) N·m about the ground origin
    height : float or (...), m

    Returns
    -------
    (..., 3) m; NaN where the vertical force is zero.
    """
    fx, fy, fz = np.moveaxis(force, -1, 0)
    mx, _, mz = np.moveaxis(moment, -1, 0)
    y = np.broadcast_to(np.asarray(height, dtype=np.float64), fy.shape)
    with np.errstate(divide="ignore", invalid="ignore"):
        x = np.where(fy != 0.0, (mz + y * fx) / fy, np.nan)
        z = np.where(fy != 0.0, (y * fz - mx) / fy, np.nan)
    return np.stack((x, y, z), axis=-1)


def _surface_heights(forces: Forces) -> Array:
    if forces.corners is not None:
        return np.asarray(forces.corners[:, :, 1].mean(axis=1), dtype=np.float64)
    loaded = (forces.force[:, :, 1] > 20.0) & np.isfinite(forces.point[:, :, 1])
    heights = np.where(loaded, forces.point[:, :, 1], np.nan)
    return np.array([np.nanmedian(h) if np.isfinite(h).any() else 0.0 for h in heights.T])


def _crossing(time: Array, x: Array, inside: int, level: float, step: int) -> float:
    """Time between `inside` (above the level) and its neighbour where the level is met."""
    outside = inside + step
    if not 0 <= outside < len(x):
        return float(time[inside])
    share = (x[inside] - level) / (x[inside] - x[outside])
    return float(time[inside] + share * (time[outside] - time[inside]))


def _smooth_step(t: Array, zero: float, one: float) -> Array:
    if one <= zero:
        return (t >= zero).astype(np.float64)
    u = np.clip((t - zero) / (one - zero), 0.0, 1.0)
    return np.asarray(u * u * (3.0 - 2.0 * u), dtype=np.float64)
