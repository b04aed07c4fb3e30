"""The fitted part of force-free events in running: what the contact rules miss, linearly.

Around an event as the rules place it, nine signals are read at fifteen instants within
± 93 ms: height over its own mid-stance level, fore-aft velocity over the ground and
vertical velocity of the heel and of the forefoot; vertical velocity and acceleration of
the pelvis and its speed over the ground. A ridge regression from these to the time by
which the rule is off, applied twice (the second time around the corrected event, with
its own coefficients), is the whole model. Instants are in seconds, so the frame rate
of the recording does not matter; only forward and up enter, so left and right share it.

Coefficients: `models/events.toml`, written by `scripts/fit_events.py` from the RBDS
runners (Fukuchi et al. 2017, doi:10.7717/peerj.3298, CC BY 4.0).
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from scipy.interpolate import CubicSpline

from ..errors import ModelError
from ..paths_of_data import models_folder
from ..vocabulary import Array
from .contacts import Contact
from .filtering import lowpass, sampling_rate
from .foot_signals import FootSignals
from .kinematics import AnatomicalPaths

EDGE = 0.010
"""An event closer than this (s) to the recording's end may lie outside it: the method's
own error is of that size, so the contact is called incomplete there."""

SIGNALS = (
    "heel_height_m",
    "heel_forward_m_s",
    "heel_up_m_s",
    "forefoot_height_m",
    "forefoot_forward_m_s",
    "forefoot_up_m_s",
    "pelvis_up_m_s",
    "pelvis_up_m_s2",
    "pelvis_forward_m_s",
)
"""Rows of a coefficient table, in this order."""


@dataclass(frozen=True)
class Pass:
    """One linear correction: seconds = intercept + sum(weights * signals)."""

    intercept: float
    weights: Array  # (instants, signals)


@dataclass(frozen=True)
class Refinement:
    """Corrections of both events.

    Attributes
    ----------
    offsets : (K,) s, instants around the event
    initial_contact, toe_off : tuple of Pass
    fallback : ((float, float), (float, float))
        Constant (s) and slope (s per m/s of running speed) for events whose window is
        not fully recorded; initial contact first.
    limits : ((float, float), (float, float))
        Range of total corrections seen in the training data, s. A correction outside
        means another kind of movement: the fallback is used.
    """

    offsets: Array
    initial_contact: tuple[Pass, ...]
    toe_off: tuple[Pass, ...]
    fallback: tuple[tuple[float, float], tuple[float, float]]
    limits: tuple[tuple[float, float], tuple[float, float]]


@cache
def load_refinement(path: Path | None = None) -> Refinement:
    """Read `models/events.toml`.

    Raises
    ------
    ModelError
        When the file is missing or its tables have another shape.
    """
    try:
        return _refinement(
            tomllib.loads((path or models_folder() / "events.toml").read_text(encoding="utf-8"))
        )
    # What a table lacks or holds of another kind shows as one of the last four.
    except (OSError, LookupError, TypeError, ValueError, AttributeError) as error:
        raise ModelError(
            "the event coefficients in models/events.toml",
            f"{type(error).__name__}: {error}",
            "write them with scripts/fit_events.py",
        ) from error


def _refinement(table: dict[str, Any]) -> Refinement:
    offsets = np.asarray(table["offsets_s"], dtype=np.float64)
    events = []
    for name in ("initial_contact", "toe_off"):
        passes = []
        for entry in table[name]["pass"]:
            weights = np.array([entry[s] for s in SIGNALS], dtype=np.float64).T
            if weights.shape != (len(offsets), len(SIGNALS)):
                raise ModelError(
                    f"{len(offsets)} weights for each of {len(SIGNALS)} signals",
                    f"a table of shape {weights.shape} for {name}",
                    "write models/events.toml again with scripts/fit_events.py",
                )
            passes.append(Pass(float(entry["intercept_s"]), weights))
        events.append(tuple(passes))
    first, second = table["initial_contact"], table["toe_off"]
    return Refinement(
        offsets=offsets,
        initial_contact=events[0],
        toe_off=events[1],
        fallback=(_pair(first["fallback"]), _pair(second["fallback"])),
        limits=(_pair(first["limits_s"]), _pair(second["limits_s"])),
    )


def _pair(values: Sequence[float]) -> tuple[float, float]:
    return float(values[0]), float(values[1])


def event_signals(signals: FootSignals, paths: AnatomicalPaths, ground: Array) -> CubicSpline:
    """The nine `SIGNALS` as one spline over time (t → (..., 9))."""
    rate = sampling_rate(paths.time)
    forward = paths.progression
    pelvis = 0.5 * (paths.points["hip_center_r"] + paths.points["hip_center_l"])
    pelvis = lowpass(pelvis, rate, min(20.0, 0.4 * rate))
    velocity = np.gradient(pelvis, 1.0 / rate, axis=0)
    rows = list(signals.anchors)
    columns = []
    for point, v in (
        (signals.heel, signals.heel_velocity),
        (signals.forefoot, signals.forefoot_velocity),
    ):
        columns += [point[:, 1] - np.median(point[rows, 1]), (v - ground) @ forward, v[:, 1]]
    columns += [
        velocity[:, 1],
        np.gradient(velocity[:, 1], 1.0 / rate),
        (velocity - ground) @ forward,
    ]
    return CubicSpline(paths.time, np.column_stack(columns))


def corrected(
    time: float,
    spline: CubicSpline,
    passes: tuple[Pass, ...],
    offsets: Array,
    span: tuple[float, float],
) -> float:
    """Event time (s) after all passes; NaN when a window leaves the recording `span`."""
    at = time
    for step in passes:
        if at + offsets[0] < span[0] or at + offsets[-1] > span[1]:
            return float("nan")
        at += step.intercept + float(np.sum(step.weights * spline(at + offsets)))
    return at


def refine_contacts(
    contacts: tuple[Contact, ...],
    signals: FootSignals,
    paths: AnatomicalPaths,
    ground: Array,
    model: Refinement,
) -> tuple[Contact, ...]:
    """Rule contacts of one foot with the fitted correction applied to recorded ends.

    Parameters
    ----------
    contacts : tuple of Contact
        From `events.rule_contacts`.
    signals, paths : the foot's signals and the paths they came from
    ground : (3,) m/s, `events.surface_velocity`
    model : Refinement

    Returns
    -------
    tuple of Contact; an event corrected to outside the recording becomes incomplete.
    """
    if not contacts or not signals.anchors:
        return contacts
    spline = event_signals(signals, paths, ground)
    span = (float(paths.time[0]), float(paths.time[-1]))
    pelvis = 0.5 * (paths.points["hip_center_r"] + paths.points["hip_center_l"])
    travelled = float((pelvis[-1] - pelvis[0]) @ paths.progression)
    speed = travelled / (span[1] - span[0]) - float(ground @ paths.progression)

    def moved(time: float, which: int) -> float:
        passes = model.initial_contact if which == 0 else model.toe_off
        at = corrected(time, spline, passes, model.offsets, span)
        low, high = model.limits[which]
        if not low <= at - time <= high:  # also when NaN
            constant, slope = model.fallback[which]
            at = time + constant + slope * speed
        return at

    out = []
    for c in contacts:
        begin = moved(c.initial_contact_s, 0) if c.complete_start else c.initial_contact_s
        end = moved(c.toe_off_s, 1) if c.complete_end else c.toe_off_s
        whole_start = c.complete_start and begin > span[0] + EDGE
        whole_end = c.complete_end and end < span[1] - EDGE
        begin, end = float(np.clip(begin, *span)), float(np.clip(end, *span))
        if end > begin:
            out.append(Contact(begin, end, whole_start, whole_end))
    return tuple(out)
