"""Ground reaction of running predicted from the movement, for captures without plates.

A linear model learned from runners on an instrumented belt turns the accelerations,
posture and timing of each stance into its force, centre of pressure and free moment
(`loads.ground_model`). Around it stand the few things that are known for certain: there
is no force in the air; over whole strides the vertical force carries the body weight and,
on a belt at steady speed, the fore-aft force comes to nothing; the centre of pressure
stays under the foot. What cannot be predicted (a stance that the recording cuts) is
masked, and every value has the error that left-out runners had at that phase and speed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from ..errors import CaptureError
from ..motion.contacts import Contacts
from ..motion.events import events_from_kinematics, is_running
from ..motion.filtering import runs
from ..motion.kinematics import AnatomicalPaths
from ..vocabulary import GRAVITY, SIDES, Array, BoolArray
from .ground_effective_mass import effective_mass_force
from .ground_features import (
    Signals,
    Stance,
    foot_frame,
    inside,
    stance_features,
    stance_signals,
    stances,
    to_progression,
)
from .ground_feet import OUTLINE_POINTS, distance_to_outline
from .ground_model import CURVE_PHASES, GroundModel, load_ground_model
from .types import GroundReaction

EVENT_ERROR = 0.03
"""s by which contacts may be off in another laboratory: a stance that could not be
predicted hides the frames around it too, where the foot may already carry load."""


@dataclass(frozen=True)
class PredictionSettings:
    """Choices of the prediction.

    Attributes
    ----------
    exact_impulse : bool
        Scale all forces so that the vertical force carries the body weight over whole
        strides. Right wherever mass is known; the factor is reported.
    steady_belt : bool
        On a moving belt, turn the fore-aft force so that its mean over whole strides is
        zero.
    contact_lower, contact_upper : float, N, hysteresis as for measured forces
    method : {'learned', 'effective_mass'}
    under_foot : float, m
        The centre of pressure may leave the foot's outline by no more than this.
    """

    exact_impulse: bool = True
    steady_belt: bool = True
    contact_lower: float = 20.0
    contact_upper: float = 50.0
    method: str = "learned"
    under_foot: float = 0.01


@dataclass(frozen=True)
class PredictedGround:
    """Predicted ground reaction with its error model.

    Attributes
    ----------
    reaction : GroundReaction, predicted
    force_error : (T, 2, 3) N, standard deviation, ground frame
    point_error : (T, 2, 2) m, standard deviation along and across the foot
    torque_error : (T, 2) N·m
    scale : float, factor that made the vertical impulse exact (1 when not asked for)
    strangeness : (S,), per predicted stance; above 1 means unlike the training runners
    stances : tuple of Stance, those predicted
    """

    reaction: GroundReaction
    force_error: Array
    point_error: Array
    torque_error: Array
    scale: float
    strangeness: Array
    stances: tuple[Stance, ...]


def predict_ground_reaction(
    paths: AnatomicalPaths,
    body_mass: float,
    contacts: Contacts | None = None,
    settings: PredictionSettings = PredictionSettings(),
    model: GroundModel | None = None,
) -> PredictedGround:
    """Predict the ground reaction of every whole stance of a run.

    Parameters
    ----------
    paths : AnatomicalPaths
        Hip, knee and ankle centres, iliac spines, heel_bottom, metatarsal heads.
    body_mass : float, kg
    contacts : Contacts, optional
        By default found from the kinematics.
    settings : PredictionSettings
    model : GroundModel, optional
        By default the committed one.

    Returns
    -------
    PredictedGround

    Raises
    ------
    CaptureError
        When the movement is not running, or a needed point is missing.
    """
    contacts = contacts or events_from_kinematics(paths)
    if not is_running({s: contacts.of(s) for s in SIDES}):
        raise CaptureError(
            "running, with flight between the contacts, for predicting the ground reaction",
            "a movement without flight",
            "give the measured forces; without them only kinematics can be told",
        )
    model = model or load_ground_model()
    signals = stance_signals(paths)
    found = [s for s in stances(contacts) if inside(s, signals.span)]
    if not found:
        raise CaptureError(
            "at least one whole stance with its surroundings in the recording",
            f"{sum(len(contacts.of(s)) for s in SIDES)} contacts, all cut by its ends",
            "record longer",
        )
    features = np.array([stance_features(signals, s) for s in found])
    curves = predicted_curves(model, signals, found, settings.method, features)
    weight = body_mass * GRAVITY
    reaction, errors = _lay_out(paths, signals, found, curves, model, weight, settings)
    reaction, scale = _balanced(reaction, contacts, paths, weight, settings)
    reaction = replace(reaction, point=_under_the_foot(reaction, paths, settings.under_foot))
    strangeness = model.strangeness(features)
    masked = _unpredicted(paths.time, contacts, found, reaction.contact)
    notes = _notes(found, contacts, scale, strangeness, masked, settings, model)
    return PredictedGround(
        reaction=replace(reaction, masked=masked, predicted=True, notes=tuple(notes)),
        force_error=scale * errors[0],
        point_error=errors[1],
        torque_error=scale * errors[2],
        scale=scale,
        strangeness=strangeness,
        stances=tuple(found),
    )


def predicted_curves(
    model: GroundModel,
    signals: Signals,
    found: list[Stance],
    method: str,
    features: Array | None = None,
) -> Array:
    """Curves (S, C, N) of stances over `CURVE_PHASES`, channels as `CHANNELS`.

    The effective masses know forces only; centre of pressure and free moment are then
    the training runners' mean curves.
    """
    if method == "learned":
        if features is None:
            features = np.array([stance_features(signals, s) for s in found])
        return model.predict(features)
    curves = np.repeat(model.mean[None], len(found), axis=0)
    for curve, stance in zip(curves, found, strict=True):
        curve[:3] = effective_mass_force(model.effective, signals, stance, CURVE_PHASES)
    return curves


def _lay_out(
    paths: AnatomicalPaths,
    signals: Signals,
    found: list[Stance],
    curves: Array,
    model: GroundModel,
    weight: float,
    settings: PredictionSettings,
) -> tuple[GroundReaction, tuple[Array, Array, Array]]:
    """Curves of stances to frames, in the ground frame."""
    time, frames = paths.time, len(paths.time)
    back = to_progression(paths)  # rows are the progression's axes
    force, torque = np.zeros((2, frames, 2, 3))
    point = _resting_points(paths, signals)
    contact = np.zeros((frames, 2), dtype=bool)
    force_error = np.zeros((frames, 2, 3))
    point_error = np.zeros((frames, 2, 2))
    torque_error = np.zeros((frames, 2))
    spread = model.error_at(signals.speed, settings.method)
    for stance, curve in zip(found, curves, strict=True):
        s = SIDES.index(stance.side)
        mirror = 1.0 if stance.side == "r" else -1.0
        phase = (time - stance.start) / (stance.end - stance.start)
        here = np.flatnonzero((phase >= CURVE_PHASES[0]) & (phase <= CURVE_PHASES[-1]))
        values = np.array([np.interp(phase[here], CURVE_PHASES, c) for c in curve])
        error = np.array([np.interp(phase[here], CURVE_PHASES, c) for c in spread])
        fade = _fade(weight * values[1], phase[here], settings)
        on = fade > 0
        here, values, error, fade = here[on], values[:, on], error[:, on], fade[on]
        ball, along, outward = foot_frame(signals, stance.side, time[here])
        size = signals.foot[s]
        local = values[:3].T * np.array([1.0, 1.0, mirror])
        force[here, s] = weight * fade[:, None] * local @ back
        at = ball + size * (values[3, :, None] * along + values[4, :, None] * outward)
        height = point[here, s, 1].copy()
        point[here, s] = at @ back
        point[here, s, 1] = height
        torque[here, s, 1] = mirror * weight * size * fade * values[5]
        contact[here, s] = True
        force_error[here, s] = weight * np.sqrt((error[:3].T ** 2) @ back**2)
        point_error[here, s] = size * error[3:5].T
        torque_error[here, s] = weight * size * error[5]
    reaction = GroundReaction(
        time=time,
        force=force,
        point=point,
        torque=torque,
        contact=contact,
        masked=np.zeros_like(contact),
        predicted=True,
    )
    return reaction, (force_error, point_error, torque_error)


def _fade(vertical: Array, phase: Array, settings: PredictionSettings) -> Array:
    """1 in contact, falling smoothly to 0 between the two thresholds; 0 elsewhere."""
    out = np.zeros(len(vertical))
    middle = int(np.argmin(np.abs(phase - 0.5)))
    for start, stop in runs(vertical > settings.contact_lower):
        if start <= middle < stop and vertical[start:stop].max() > settings.contact_upper:
            span = settings.contact_upper - settings.contact_lower
            u = np.clip((vertical[start:stop] - settings.contact_lower) / span, 0.0, 1.0)
            above = np.flatnonzero(vertical[start:stop] > settings.contact_upper)
            u[above[0] : above[-1] + 1] = 1.0
            out[start:stop] = u * u * (3.0 - 2.0 * u)
    return out


def _balanced(
    reaction: GroundReaction,
    contacts: Contacts,
    paths: AnatomicalPaths,
    weight: float,
    settings: PredictionSettings,
) -> tuple[GroundReaction, float]:
    """Impulses over whole strides, where all their stances are predicted."""
    time, step = reaction.time, 1.0 / paths.rate
    whole = np.zeros(len(time), dtype=bool)
    for side in SIDES:
        landings = [c.initial_contact_s for c in contacts.of(side) if c.complete_start]
        for begin, end in pairwise(landings):
            frames = (time >= begin) & (time < end)
            wanted = [
                (s, c)
                for s, other in enumerate(SIDES)
                for c in contacts.of(other)
                if c.toe_off_s > begin and c.initial_contact_s < end
            ]
            all_there = all(
                reaction.contact[
                    np.argmin(np.abs(time - 0.5 * (c.initial_contact_s + c.toe_off_s))), s
                ]
                for s, c in wanted
            )
            if len(wanted) >= 2 and all_there and end - begin < 1.5:
                whole |= frames
    if whole.sum() * step < 0.4:
        return reaction, 1.0
    total = reaction.force[whole].sum(axis=1).mean(axis=0)
    force = reaction.force.copy()
    forward = to_progression(paths)[0]
    if settings.steady_belt and np.linalg.norm(paths.belt_velocity) > 0.5:
        tilt = float(total @ forward) / float(total[1])
        force -= tilt * force[:, :, 1:2] * forward
    scale = float(weight / total[1]) if settings.exact_impulse else 1.0
    return replace(reaction, force=scale * force, torque=scale * reaction.torque), scale


def floor_height(paths: AnatomicalPaths) -> float:
    """Height of the floor, m: 0 where that can be, else just below the lowest foot point.

    Laboratories put their zero on the floor, and foot markers then stand 1 to 12 cm
    above it. A recording without that zero (video) gets the usual height of the lowest
    foot marker, 3 cm.
    """
    names = [f"{n}_{s}" for n in ("heel_bottom", "metatarsal_1", "metatarsal_5") for s in SIDES]
    lowest = min(float(np.nanpercentile(paths.points[n][:, 1], 2.0)) for n in names)
    return 0.0 if 0.0 <= lowest <= 0.12 else lowest - 0.03


def _resting_points(paths: AnatomicalPaths, signals: Signals) -> Array:
    """Place (T, 2, 3) of the centre of pressure out of contact: under the ball."""
    back = to_progression(paths)
    place = signals.place(paths.time)
    feet = [signals.names.index(f"forefoot_{side}") for side in SIDES]
    out = np.asarray(place[:, feet] @ back)
    out[:, :, 1] = floor_height(paths)
    return out


def _under_the_foot(reaction: GroundReaction, paths: AnatomicalPaths, margin: float) -> Array:
    """Centre of pressure pulled towards the foot until it is at its outline plus margin."""
    point = reaction.point.copy()
    for s, side in enumerate(SIDES):
        names = [f"{n}_{side}" for n in OUTLINE_POINTS if f"{n}_{side}" in paths.points]
        if f"toe_{side}" not in names:
            continue
        outline = np.stack([paths.points[n] for n in names], axis=1)
        middle = np.nanmean(outline, axis=1)
        middle[:, 1] = point[:, s, 1]
        gap = distance_to_outline(point[:, s], outline)
        reach = np.linalg.norm((point[:, s] - middle)[:, [0, 2]], axis=1)
        with np.errstate(invalid="ignore"):
            pull = np.clip((np.nan_to_num(gap) - margin) / np.maximum(reach, 1e-6), 0.0, 1.0)
        pull[~reaction.contact[:, s]] = 0.0
        point[:, s] += pull[:, None] * (middle - point[:, s])
    return point


def _unpredicted(
    time: Array, contacts: Contacts, found: list[Stance], contact: BoolArray
) -> BoolArray:
    """Frames of stances that could not be predicted."""
    masked = np.zeros_like(contact)
    done = {(s.side, s.index) for s in found}
    for s, side in enumerate(SIDES):
        for k, c in enumerate(contacts.of(side)):
            if (side, k) not in done:
                begin, end = c.initial_contact_s - EVENT_ERROR, c.toe_off_s + EVENT_ERROR
                masked[(time >= begin) & (time <= end), s] = True
    return masked & ~contact


def _notes(
    found: list[Stance],
    contacts: Contacts,
    scale: float,
    strangeness: Array,
    masked: BoolArray,
    settings: PredictionSettings,
    model: GroundModel,
) -> list[str]:
    total = sum(len(contacts.of(s)) for s in SIDES)
    notes = [
        f"Ground reaction predicted from the movement for {len(found)} of {total} contacts "
        f"({model.about.get('runners', '?')} runners trained it); no force was measured.",
    ]
    if settings.exact_impulse and scale != 1.0:
        notes.append(
            f"Predicted forces were scaled by {scale:.3f} to carry the body weight over "
            "whole strides."
        )
    if masked.any():
        notes.append(
            f"{100 * masked.any(axis=1).mean():.1f} % of frames belong to stances that the "
            "recording cuts; their loads are left out."
        )
    strange = int((strangeness > 1.0).sum())
    if strange > 0.1 * len(found):
        notes.append(
            f"{strange} of {len(found)} stances are unlike those of the training runners "
            f"(up to {strangeness.max():.1f} times the usual spread): trust the forces less."
        )
    return notes
