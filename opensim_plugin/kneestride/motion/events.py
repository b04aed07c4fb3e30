"""Initial contact and toe-off of both feet, from forces or from kinematics alone.

From forces it is a threshold. From kinematics it goes in two steps, the same for
walking and running, treadmill and overground:

1. **Mid-stance anchors.** The foot passes under the pelvis from front to back once a
   cycle. That crossing is found without any threshold on speed or height, so no stride
   is missed or invented. What the feet stand on (belt or floor) is then the velocity of
   the forefoot at these instants.
2. **Edges around each anchor.** Walking backwards in time from the anchor, contact
   begins where the heel or the metatarsal sole point stops moving over the ground;
   walking forwards, it ends where the forefoot rises. Those rules are late or early by
   10 to 50 ms in running, steadily, and `motion.event_refinement` takes that out.

Zeni-type extremes (Zeni et al. 2008, doi:10.1016/j.gaitpost.2007.07.007) are used for
the anchors only: as events they fail in running.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..errors import CaptureError
from ..vocabulary import SIDES, Array, BoolArray, Side
from .contacts import Contact, Contacts, events_from_mask
from .event_refinement import load_refinement, refine_contacts
from .filtering import lowpass, runs, sampling_rate
from .foot_signals import (
    SOLE_CUTOFF,
    FootSignals,
    foot_signals,
    is_stepping,
    surface_velocity,
)
from .kinematics import AnatomicalPaths

__all__ = [
    "Contact",
    "Contacts",
    "ForceSettings",
    "KinematicSettings",
    "events_from_force",
    "events_from_kinematics",
    "events_from_mask",
    "flight_offset",
    "is_running",
    "landings_from_kinematics",
    "rule_contacts",
]


@dataclass(frozen=True)
class ForceSettings:
    """How a vertical force becomes contacts.

    Attributes
    ----------
    threshold : float, N
        Level at which both events are timed (50 N, methods.md).
    release : float, N
        A contact is only over once the force falls below this (hysteresis): a dip
        between the two levels does not end it.
    cutoff : float, Hz, or None
        Low-pass before the threshold. 30 Hz keeps belt vibration out and moves initial
        contact of the RBDS runs by 2 ms at most; 20 Hz would move it by up to 6 ms.
    shortest : float, s
        Contacts shorter than this, and gaps shorter than this, are chatter.
    peak_share : float
        A contact must reach this share of body weight.
    """

    threshold: float = 50.0
    release: float = 20.0
    cutoff: float | None = 30.0
    shortest: float = 0.05
    peak_share: float = 0.2


def events_from_force(
    time: Array,
    vertical_force: Array,
    body_weight: float,
    settings: ForceSettings = ForceSettings(),
) -> Contacts:
    """Contacts of each foot from its vertical ground reaction.

    The offset (mean force at least 20 ms away from any contact) is removed, the force
    is low-passed, and both events are read at `settings.threshold` by linear
    interpolation between samples. Source: methods.md "Ground reaction"; the 20 to 50 N
    range is the common one for instrumented treadmills.

    Parameters
    ----------
    time : (S,) s, evenly spaced
    vertical_force : (S, 2) N, up positive, side axis as `SIDES`; NaN counts as unloaded
    body_weight : float, N

    Returns
    -------
    Contacts

    Raises
    ------
    CaptureError
        When the array is not (S, 2) or the body weight is not positive.
    """
    force = np.asarray(vertical_force, dtype=np.float64)
    if force.shape != (len(time), 2) or not body_weight > 0.0:
        raise CaptureError(
            f"a vertical force of shape ({len(time)}, 2) and a positive body weight",
            f"shape {force.shape} and {body_weight:g} N",
            "give one column per foot, right then left",
        )
    sides = [_force_contacts(time, force[:, k], body_weight, settings) for k in range(2)]
    return Contacts(r=sides[0], l=sides[1], source="force")


def _force_contacts(
    time: Array, force: Array, body_weight: float, settings: ForceSettings
) -> tuple[Contact, ...]:
    rate = sampling_rate(time)
    raw = np.nan_to_num(force, nan=0.0)
    smooth = raw
    if settings.cutoff is not None and settings.cutoff < 0.45 * rate:
        smooth = lowpass(raw, rate, settings.cutoff)
    smooth = smooth - flight_offset(raw, smooth > settings.threshold, rate)
    # Schmitt trigger: runs above the release level that reach the threshold; the ends
    # are then moved in to the threshold itself, so both events share one level.
    spans: list[tuple[int, int]] = []
    for start, stop in runs(smooth > settings.release):
        high = np.flatnonzero(smooth[start:stop] > settings.threshold)
        if len(high):
            spans.append((start + int(high[0]), start + int(high[-1]) + 1))
    merged: list[tuple[int, int]] = []
    for start, stop in spans:
        if merged and start - merged[-1][1] < settings.shortest * rate:
            merged[-1] = (merged[-1][0], stop)
        else:
            merged.append((start, stop))
    contacts = []
    for start, stop in merged:
        at_start, at_end = start == 0, stop == len(smooth)
        long_enough = (stop - start) >= settings.shortest * rate or at_start or at_end
        if not long_enough or smooth[start:stop].max() < settings.peak_share * body_weight:
            continue
        level = settings.threshold
        begin = time[0] if at_start else _crossing(time, smooth, start - 1, level)
        end = time[-1] if at_end else _crossing(time, smooth, stop - 1, level)
        contacts.append(Contact(float(begin), float(end), not at_start, not at_end))
    return tuple(contacts)


def flight_offset(force: Array, loaded: BoolArray, rate: float) -> float:
    """Mean of an unloaded plate, N, from samples at least 20 ms away from any load.

    Parameters
    ----------
    force : (S,) N
    loaded : (S,) bool
    rate : float, Hz

    Returns
    -------
    float
        0 when fewer than ten such samples exist.
    """
    margin = round(0.02 * rate)
    quiet = [np.arange(a + margin, b - margin) for a, b in runs(~loaded)]
    samples = np.concatenate(quiet) if quiet else np.empty(0, dtype=np.intp)
    return float(force[samples].mean()) if len(samples) >= 10 else 0.0


def _crossing(time: Array, values: Array, k: int, level: float) -> float:
    """Time between samples k and k + 1 at which `values` passes `level`."""
    share = (level - values[k]) / (values[k + 1] - values[k])
    return float(time[k] + np.clip(share, 0.0, 1.0) * (time[k + 1] - time[k]))


@dataclass(frozen=True)
class KinematicSettings:
    """How marker paths become contacts.

    Attributes
    ----------
    cutoff : float, Hz
        Low-pass of the sole points.
    swing_speed, contact_speed : float, m/s
        Going back from mid-stance, a foot whose sole points all move faster over the
        ground than `swing_speed` is still in the air; contact begins the first time
        after that that one of them is slower than `contact_speed`. (Two levels, because
        markers on a soft shoe wobble past the lower one in mid-stance.)
    rise_speed : float, m/s
        Contact ends when the forefoot rises faster than this.
    refine : bool
        Apply the fitted correction of `models/events.toml` where it is valid (running).
    """

    cutoff: float = SOLE_CUTOFF
    swing_speed: float = 1.0
    contact_speed: float = 0.3
    rise_speed: float = 0.5
    refine: bool = True


def events_from_kinematics(
    paths: AnatomicalPaths,
    settings: KinematicSettings = KinematicSettings(),
) -> Contacts:
    """Contacts of both feet without force plates, walking or running.

    Parameters
    ----------
    paths : AnatomicalPaths
        Needs heel_bottom, metatarsal_1, metatarsal_5 and hip_center of both sides, and
        the line of progression. The surface's velocity is measured from the stance
        feet; `paths.belt_velocity` is used only when there is nothing to measure.
    settings : KinematicSettings

    Returns
    -------
    Contacts
        When nobody steps: `landings_from_kinematics`.

    Notes
    -----
    Running: rule, then the two-pass linear refinement fitted on RBDS (see
    `scripts/fit_events.py` for its leave-one-runner-out error). Walking: the rules
    alone, with initial contact timed by the heel.
    """
    rate = sampling_rate(paths.time)
    signals = {side: foot_signals(paths, side, settings.cutoff) for side in SIDES}
    ground = surface_velocity(signals, rate)
    if not is_stepping(signals):
        return landings_from_kinematics(paths, settings)
    drift = float((ground - paths.belt_velocity) @ paths.progression)
    notes = [f"the stance feet move with {np.linalg.norm(ground):.2f} m/s over the laboratory"]
    if abs(drift) > 0.15:
        notes.append(f"that is {drift:+.2f} m/s off the surface velocity that was given")
    raw = {side: rule_contacts(signals[side], ground, paths, settings) for side in SIDES}
    if settings.refine and is_running(raw):
        model = load_refinement()
        raw = {
            side: refine_contacts(raw[side], signals[side], paths, ground, model)
            for side in SIDES
        }
        notes.append("running: fitted correction of the contact rules applied")
    return Contacts(r=raw["r"], l=raw["l"], source="kinematics", notes=tuple(notes))


def rule_contacts(
    signals: FootSignals, ground: Array, paths: AnatomicalPaths, settings: KinematicSettings
) -> tuple[Contact, ...]:
    """Contacts of one foot by the sole-point rules alone (step 2 of the module)."""
    time, forward = signals.time, paths.progression
    over_ground = np.minimum(
        np.abs((signals.heel_velocity - ground) @ forward),
        np.abs((signals.forefoot_velocity - ground) @ forward),
    )
    still = over_ground < settings.contact_speed
    rise = signals.forefoot_velocity[:, 1]
    swings = np.append(np.flatnonzero(over_ground > settings.swing_speed), len(time))
    anchors = _with_edges(signals, still)
    contacts: list[Contact] = []
    for position, k in enumerate(anchors):
        previous = anchors[position - 1] if position else 0
        flying = np.flatnonzero(over_ground[previous : k + 1] > settings.swing_speed)
        begin, whole_start = float(time[0]), False
        if len(flying):
            j = previous + int(flying[-1])
            landed = np.flatnonzero(still[j : k + 1])
            if not len(landed):
                continue
            j += int(landed[0]) - 1
            begin = _crossing(time, over_ground, j, settings.contact_speed)
            whole_start = True
        elif position:
            continue  # the foot never left the ground since the last anchor
        elif not still[0] and np.any(still[: k + 1]):
            # The recording begins in the last moment of the swing.
            begin = _crossing(
                time, over_ground, int(np.argmax(still)) - 1, settings.contact_speed
            )
            whole_start = True
        # The foot may pass under the pelvis more than once in one stance: the next contact's
        # anchor is the first after it swung.
        swung = int(swings[np.searchsorted(swings, k)])
        after = int(np.searchsorted(anchors, max(swung, k + 1)))
        following = anchors[after] if after < len(anchors) else len(time)
        lifted = np.flatnonzero(rise[k:following] > settings.rise_speed)
        end, whole_end = float(time[-1]), False
        if len(lifted):
            j = k + int(lifted[0])
            end = _crossing(time, rise, j - 1, settings.rise_speed) if j else float(time[0])
            whole_end = j > 0
        elif after < len(anchors):
            # It went on without rising, as in a shuffling gait: it stood until it moved.
            stood = np.flatnonzero(still[k:swung])
            left = k + int(stood[-1]) if len(stood) else k
            end, whole_end = _crossing(time, over_ground, left, settings.contact_speed), True
        if end > begin:
            contacts.append(Contact(begin, end, whole_start, whole_end))
    return tuple(contacts)


def _with_edges(signals: FootSignals, still: BoolArray) -> list[int]:
    """Anchors, and the recording's ends when the foot stands there but passes outside."""
    anchors = list(signals.anchors)
    middle = 0.5 * sum(np.percentile(signals.under, [5.0, 95.0]))
    last = len(still) - 1
    if still[0] and signals.under[0] < middle and (not anchors or anchors[0] > 0):
        anchors.insert(0, 0)
    if still[last] and signals.under[last] > middle and (not anchors or anchors[-1] < last):
        anchors.append(last)
    return anchors


def landings_from_kinematics(
    paths: AnatomicalPaths,
    settings: KinematicSettings = KinematicSettings(),
    floor_band: float = 0.03,
) -> Contacts:
    """Contacts in tasks without steps: squats, jumps, drop landings, step-downs.

    A foot is on the floor from the frame at which its lower sole point comes within
    `floor_band` of its lowest stance level of the recording (so standing on a box is
    not contact) until the forefoot rises faster than `rise_speed` or leaves the band.
    Heights are compared within each foot, because the markers of the two sit at
    different heights. Accuracy is that of the band: about 20 ms after a drop of 0.3 m.

    Parameters
    ----------
    paths : AnatomicalPaths
    settings : KinematicSettings
    floor_band : float, m

    Returns
    -------
    Contacts
    """
    sides: list[tuple[Contact, ...]] = []
    time = paths.time
    for side in SIDES:
        foot = foot_signals(paths, side, settings.cutoff)
        heights = np.column_stack([foot.heel[:, 1], foot.forefoot[:, 1]])
        if not np.isfinite(heights).any(axis=0).all():
            sides.append(())
            continue
        lowest = (heights - np.nanpercentile(heights, 2.0, axis=0)).min(axis=1)
        down = np.nan_to_num(lowest, nan=np.inf) < floor_band
        down &= ~((foot.forefoot_velocity[:, 1] > settings.rise_speed) & (lowest > 0.005))
        found = []
        for start, stop in runs(down):
            first, last = start == 0, stop == len(time)
            if stop - start < 0.05 * paths.rate and not (first or last):
                continue
            begin = time[0] if first else 0.5 * (time[start - 1] + time[start])
            end = time[-1] if last else 0.5 * (time[stop - 1] + time[stop])
            found.append(Contact(float(begin), float(end), not first, not last))
        sides.append(tuple(found))
    note = "no steps: contacts are the stretches at floor level"
    return Contacts(r=sides[0], l=sides[1], source="kinematics", notes=(note,))


def is_running(contacts: Mapping[Side, tuple[Contact, ...]], share: float = 0.5) -> bool:
    """Whether there is flight: complete contacts last less than half (`share`) of the stride.

    A stride is the median interval between initial contacts of one foot, or, when no
    foot lands twice, twice the interval between successive landings of either foot.
    """
    whole = [c.duration_s for side in SIDES for c in contacts[side] if c.complete]
    starts = {s: [c.initial_contact_s for c in contacts[s] if c.complete_start] for s in SIDES}
    strides = [d for s in SIDES for d in np.diff(starts[s])]
    if not strides:
        strides = [2.0 * d for d in np.diff(sorted(starts["r"] + starts["l"]))]
    return bool(whole and strides and np.median(whole) < share * np.median(strides))
