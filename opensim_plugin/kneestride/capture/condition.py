"""From a recording as it was written to one that can be analysed.

In this order: size of a person, exchanged names and stray samples, the ground frame,
names against anatomy, forces that belong to the markers, short gaps. Each step leaves
a sentence in the trial's notes; what cannot be told is an error, never a guess.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from ..vocabulary import Array
from .axes import FEET, GroundFrame, find_ground_frame, stem, to_ground
from .belt import belt_velocity, is_treadmill, low_markers
from .gaps import MAX_GAP, MAX_SPLINE_GAP, GapReport, fill_gaps
from .same_person import check_same_person
from .swaps import (
    drop_strays,
    exchanged_against_anatomy,
    exchanged_in_time,
    renamed_against_static,
)
from .sync import check_clocks, check_under_feet
from .trial import Markers, Trial
from .units import check_load, check_size

__all__ = [
    "MAX_GAP",
    "MAX_SPLINE_GAP",
    "Conditioned",
    "GapReport",
    "GroundFrame",
    "belt_velocity",
    "condition",
    "is_treadmill",
    "repair_names",
]


@dataclass(frozen=True)
class Conditioned:
    """A trial in the ground frame, and what was done to it.

    Attributes
    ----------
    trial : Trial
        Ground frame (X forward, Y up, Z right), names repaired, short gaps filled.
        Its notes tell every step.
    frame : GroundFrame
        Rotation from the laboratory, and the belt's velocity.
    gaps : GapReport
        Per marker.
    """

    trial: Trial
    frame: GroundFrame
    gaps: GapReport


def repair_names(trial: Trial, static: Markers | None = None) -> Trial:
    """Put exchanged marker names back and leave stray samples out.

    Comes before the names are recognised, since a name may change.

    Parameters
    ----------
    trial : Trial
    static : Markers, optional
        The same person's static trial, any axes: only distances are compared.
    """
    markers, notes = exchanged_in_time(trial.markers)
    markers, strays = drop_strays(markers)
    renamed: list[str] = []
    if static is not None:
        markers, renamed = renamed_against_static(markers, static)
    return replace(trial, markers=markers, notes=(*trial.notes, *notes, *strays, *renamed))


def condition(
    trial: Trial,
    landmarks: Mapping[str, str] | None = None,
    *,
    static: Markers | None = None,
    height: float | None = None,
    mass: float | None = None,
    max_gap: float = MAX_GAP,
    max_spline_gap: float = MAX_SPLINE_GAP,
    repaired: bool = False,
) -> Conditioned:
    """Check a trial, turn it into the ground frame, repair names, fill short gaps.

    Parameters
    ----------
    trial : Trial
        As a reader returned it.
    landmarks : mapping of marker name to landmark id, optional
        For example ``{"RASI": "asis_r", "RHEE": "heel_r"}``. Without it, left and
        right are told from the names, and the rest from the movement.
    static : Markers, optional
        Static trial of the same person, against which names are checked.
    height : float, optional
        Body height, m.
    mass : float, optional
        Body mass, kg.
    max_gap, max_spline_gap : float, s
        See `capture.gaps`.
    repaired : bool
        `repair_names` was asked with this static trial and found nothing to do.

    Raises
    ------
    CaptureError
        Units far off, a static trial of someone else, no vertical, exchanged sides,
        forces that pull down, in another unit, from another time base or another place.
    """
    known = landmarks or {}
    check_size(trial.markers, height)
    if not repaired:
        trial = repair_names(trial, static)
    if static is not None:
        check_same_person(trial.markers, static, known)
    frame = find_ground_frame(trial.markers, known)
    trial = to_ground(trial, frame)
    markers, notes = exchanged_against_anatomy(
        trial.markers, known, np.array([0.0, 0.0, 1.0]) if frame.faces_forward else None
    )
    if trial.forces is not None:
        up = np.array([0.0, 1.0, 0.0])
        notes += check_clocks(markers, trial.forces)
        check_load(trial.forces, mass, up)
        feet = foot_markers(markers, known, up)
        notes += check_under_feet(markers, trial.forces, feet)
    markers, gaps = fill_gaps(markers, max_gap, max_spline_gap)
    notes += gaps.notes()
    return Conditioned(
        replace(trial, markers=markers, notes=(*trial.notes, *notes)), frame, gaps
    )


def foot_markers(markers: Markers, landmarks: Mapping[str, str], up: Array) -> tuple[str, ...]:
    """Markers on heels and forefeet: by landmark, else those that come to the floor."""
    named = tuple(n for n in markers.names if stem(landmarks.get(n, "")) in FEET)
    return named or low_markers(markers, up)
