"""Self-checks of the recording itself: events, feet on plates, units.

They ask what a person would look at first: do the steps come evenly, does every force
belong to the foot that it was given to, and are lengths and forces those of a human of
this size. Limits are declared, not fitted.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np

from .capture.trial import Subject
from .loads.ground import FootContact, MeasuredGround
from .loads.types import Check
from .motion.contacts import Contacts
from .motion.kinematics import AnatomicalPaths
from .vocabulary import GRAVITY, SIDES, Array

STEADY_TASKS = ("running", "walking")
UNEVEN = 0.35
"""Share by which a stance or stride may differ from the foot's median: steps of healthy
people vary by some percent; a missed or invented event doubles or halves."""
EVENTS_LOOK, EVENTS_FAIL = 0.05, 0.25
OUTSIDE = 0.25
"""Share of a stance with the centre of pressure outside the foot that speaks against it."""
FEET_LOOK, FEET_FAIL = 0.02, 0.25
LEG_SHARE = 0.491
"""Thigh and shank over body height: 0.245 + 0.246 (Drillis & Contini 1966, in Winter,
Biomechanics and Motor Control)."""
LEG_LOOK, LEG_FAIL = 0.10, 0.25
PEAK_FORCE: Mapping[str, tuple[float, float]] = {
    "running": (1.3, 4.0),
    "walking": (0.85, 1.7),
    "squat": (0.25, 1.5),
    "landing": (0.5, 8.0),
}
"""Body weights; usual peaks of the vertical force under one foot."""
HUMAN_FORCE = (0.2, 10.0)


def recording_checks(
    paths: AnatomicalPaths,
    contacts: Contacts,
    measured: MeasuredGround | None,
    task: str,
    subject: Subject,
) -> tuple[Check, ...]:
    """Check events, the feet on the plates (where there are some) and units."""
    out = [events_check(contacts, task)]
    if measured is not None and measured.contacts:
        out.append(assignment_check(measured.contacts))
    force = None if measured is None else measured.reaction.force[:, :, 1]
    out.append(unit_check(paths, force, contacts, task, subject))
    return tuple(out)


def _graded(value: float, look: float, fail: float) -> str:
    return "fail" if value > fail else "look" if value > look else "pass"


def events_check(contacts: Contacts, task: str) -> Check:
    """Stances and strides that differ much from the foot's own median.

    In walking and running only; elsewhere there is no rhythm to differ from.
    """
    count = {s: len(contacts.of(s)) for s in SIDES}
    told = f"{count['r']} right and {count['l']} left contacts"
    detail = {f"contacts_{s}": float(n) for s, n in count.items()}
    if task not in STEADY_TASKS:
        return Check("events", "pass", 0.0, EVENTS_LOOK, f"Found: {told}.", detail)
    uneven = total = 0
    for side in SIDES:
        mine = contacts.of(side)
        stances = np.array([c.duration_s for c in mine if c.complete])
        strides = np.array(
            [
                b.initial_contact_s - a.initial_contact_s
                for a, b in pairwise(mine)
                if a.complete_start and b.complete_start
            ]
        )
        for values in (stances, strides):
            # Two are no median: neither of them is the odd one.
            if len(values) >= 3:
                uneven += int(np.sum(np.abs(values / np.median(values) - 1.0) > UNEVEN))
                total += len(values)
    share = uneven / total if total else 0.0
    verdict = _graded(share, EVENTS_LOOK, EVENTS_FAIL) if contacts.found else "fail"
    return Check(
        "events",
        verdict,
        share,
        EVENTS_LOOK,
        f"Found: {told}. {100 * share:.0f} % of stances and strides differ by more than a "
        "third from the foot's median.",
        detail | {"uneven": float(uneven), "compared": float(total)},
    )


def assignment_check(contacts: tuple[FootContact, ...]) -> Check:
    """Stances on plates whose centre of pressure lies outside the foot they were given to."""
    strange = [c for c in contacts if c.outside > OUTSIDE]
    share = len(strange) / len(contacts)
    return Check(
        "force_assignment",
        _graded(share, FEET_LOOK, FEET_FAIL),
        share,
        FEET_LOOK,
        f"{len(contacts)} stances were given to feet; in {len(strange)} of them the force acts "
        "beside that foot for a quarter of the time or more.",
        {"stances": float(len(contacts)), "beside": float(len(strange))},
    )


def unit_check(
    paths: AnatomicalPaths,
    vertical: Array | None,
    contacts: Contacts,
    task: str,
    subject: Subject,
) -> Check:
    """Legs as long as this height has them, and forces as large as this mass makes them.

    Parameters
    ----------
    vertical : (T, 2) N, vertical ground reaction per foot, or None
    """
    lengths = [
        float(np.nanmedian(np.linalg.norm(paths.points[f"{a}_{s}"] - paths.points[f"{b}_{s}"],
                                          axis=1)))
        for s in SIDES
        for a, b in (("hip_center", "knee_center"), ("knee_center", "ankle_center"))
    ]  # fmt: skip
    share = sum(lengths) / len(SIDES) / subject.height
    off = abs(share / LEG_SHARE - 1.0)
    verdict = _graded(off, LEG_LOOK, LEG_FAIL)
    sentence = (
        f"Thigh and shank are {100 * share:.0f} % of the body height that was given (usual: "
        f"{100 * LEG_SHARE:.0f} %)."
    )
    peak = float("nan") if vertical is None else _peak(paths.time, vertical, contacts)
    peak /= subject.mass * GRAVITY
    if np.isfinite(peak):
        low, high = PEAK_FORCE.get(task, HUMAN_FORCE)
        if not HUMAN_FORCE[0] <= peak <= HUMAN_FORCE[1]:
            verdict = "fail"
        elif not low <= peak <= high and verdict == "pass":
            verdict = "look"
        sentence += (
            f" Stances reach {peak:.1f} times the body weight that was given (usual: {low:.1f} "
            f"to {high:.1f})."
        )
    detail = {"leg_share": share, "peak_BW": peak}
    return Check("units", verdict, off, LEG_LOOK, sentence, detail)


def _peak(time: Array, vertical: Array, contacts: Contacts) -> float:
    """Median over complete contacts of the largest vertical force of that foot, N."""
    found = []
    for k, side in enumerate(SIDES):
        for c in contacts.of(side):
            inside = (time >= c.initial_contact_s) & (time <= c.toe_off_s)
            values = vertical[inside, k]
            if c.complete and np.isfinite(values).any():
                found.append(float(np.nanmax(values)))
    if not found:
        tops = np.nanmax(np.nan_to_num(vertical), axis=0, initial=0.0)
        found = [float(v) for v in tops if v > 0]
    return float(np.median(found)) if found else float("nan")
