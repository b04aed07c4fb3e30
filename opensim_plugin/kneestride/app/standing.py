"""When each foot stands, told before anything is analysed: what a person can put right.

From loadings of plates and the foot markers nearest to them, and from the foot markers
alone where no plate is. The analysis finds contacts anew with the fitted model; between
the two lie some milliseconds.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..capture.axes import FEET, stem
from ..capture.trial import Forces, Trial
from ..errors import KneestrideError
from ..motion.contacts import Contact, Contacts
from ..motion.events import events_from_kinematics
from ..motion.kinematics import AnatomicalPaths
from ..vocabulary import SIDES, Array, Side

CONTACT = 50.0
"""N, vertical force above which a plate is stood on."""
SHORTEST = 0.05
"""s; shorter loadings are knocks."""
HEEL = ("heel_bottom", "heel", "heel_lateral", "heel_medial")
BALL = (("metatarsal_1", "metatarsal_5"), ("metatarsal_2",), ("toe",), ("big_toe",))
PELVIS = ("asis", "psis", "sacrum")


@dataclass(frozen=True)
class PlateLoading:
    """One loading of a plate (number), s, and the nearest foot: 'r', 'l' or '?'."""

    plate: int
    start: float
    end: float
    foot: str


def foot_markers(trial: Trial, landmarks: Mapping[str, str]) -> dict[Side, list[int]]:
    """Marker numbers on each foot."""
    out: dict[Side, list[int]] = {}
    for side in SIDES:
        mine = [
            k
            for k, n in enumerate(trial.markers.names)
            if stem(landmarks.get(n, "")) in FEET and landmarks[n].endswith(f"_{side}")
        ]
        if mine:
            out[side] = mine
    return out


def foot_heights(trial: Trial, landmarks: Mapping[str, str]) -> Array:
    """Height of the lower part of each foot above where it stands, (T, 2) m; NaN unknown."""
    out = np.full((len(trial.markers.time), 2), np.nan)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        for side, markers in foot_markers(trial, landmarks).items():
            up = trial.markers.positions[:, markers, 1]
            up = up - np.nanpercentile(up, 5.0, axis=0)
            out[:, SIDES.index(side)] = np.nanmin(up, axis=1)
    return out


def loadings(trial: Trial, landmarks: Mapping[str, str]) -> list[PlateLoading]:
    """Every loading of every plate with the foot nearest to it."""
    forces = trial.forces
    if forces is None:
        return []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        feet = {
            side: np.nanmean(trial.markers.positions[:, k], axis=1)
            for side, k in foot_markers(trial, landmarks).items()
        }
    out = []
    for p in range(len(forces.names)):
        up = np.nan_to_num(forces.force[:, p, 1])
        down = np.concatenate([[0], (up > CONTACT).astype(int), [0]])
        begin, end = np.flatnonzero(np.diff(down) == 1), np.flatnonzero(np.diff(down) == -1)
        for a, b in zip(begin, end, strict=True):
            first, last = float(forces.time[a]), float(forces.time[b - 1])
            if last - first >= SHORTEST:
                foot = _foot(forces, trial, feet, p, int(a), int(b))
                out.append(PlateLoading(p, first, last, foot))
    return sorted(out, key=lambda x: x.start)


def _foot(
    forces: Forces, trial: Trial, feet: Mapping[Side, Array], p: int, a: int, b: int
) -> str:
    """The foot nearest to the centre of pressure in the middle of one loading."""
    middle = int((a + b) // 2)
    at = int(np.argmin(np.abs(trial.markers.time - forces.time[middle])))
    point = forces.point[middle, p]
    away = {side: float(np.hypot(*(place[at] - point)[[0, 2]])) for side, place in feet.items()}
    known = {s: d for s, d in away.items() if np.isfinite(d)}
    return min(known, key=lambda s: known[s]) if known else "?"


def standing(
    trial: Trial, landmarks: Mapping[str, str], loaded: list[PlateLoading]
) -> Contacts:
    """Contacts of both feet: plates where one carries the foot, its markers elsewhere."""
    seen = _by_markers(trial, landmarks)
    first, last = float(trial.markers.time[0]), float(trial.markers.time[-1])
    step = 1.5 / trial.markers.rate
    sides: dict[Side, tuple[Contact, ...]] = {}
    for side in SIDES:
        mine = _merged([(x.start, x.end) for x in loaded if x.foot == side])
        found = [
            Contact(max(a, first), min(b, last), a > first + step, b < last - step)
            for a, b in mine
            if b > first and a < last
        ]
        found += [
            c
            for c in seen.of(side)
            if not any(c.initial_contact_s < b and a < c.toe_off_s for a, b in mine)
        ]
        sides[side] = tuple(sorted(found, key=lambda c: c.initial_contact_s))
    return Contacts(sides["r"], sides["l"], "force" if loaded else seen.source)


def _merged(spans: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """One foot on two plates at once is one contact."""
    out: list[tuple[float, float]] = []
    for a, b in sorted(spans):
        if out and a <= out[-1][1] + SHORTEST:
            out[-1] = (out[-1][0], max(b, out[-1][1]))
        else:
            out.append((a, b))
    return out


def _by_markers(trial: Trial, landmarks: Mapping[str, str]) -> Contacts:
    """Contacts from heel, ball and pelvis markers; none where one of them is missing."""
    nothing = Contacts((), (), "kinematics")
    at = {name: k for k, n in enumerate(trial.markers.names) if (name := landmarks.get(n, ""))}
    time = trial.markers.time

    def path(names: list[str]) -> Array | None:
        here = [at[n] for n in names if n in at]
        if len(here) < len(names) or not here:
            return None
        return _filled(time, trial.markers.positions[:, here].mean(axis=1))

    pelvis = [n for p in PELVIS for n in (p, f"{p}_r", f"{p}_l") if n in at]
    hips = path(pelvis) if pelvis else None
    points: dict[str, Array] = {}
    for side in SIDES:
        heel = next((f for n in HEEL if (f := path([f"{n}_{side}"])) is not None), None)
        balls = (path([f"{n}_{side}" for n in names]) for names in BALL)
        ball = next((f for f in balls if f is not None), None)
        if heel is None or ball is None or hips is None:
            return nothing
        points |= {f"heel_bottom_{side}": heel, f"hip_center_{side}": hips,
                   f"metatarsal_1_{side}": ball, f"metatarsal_5_{side}": ball}  # fmt: skip
    paths = AnatomicalPaths(
        time, trial.markers.rate, points, {}, {}, np.array([1.0, 0.0, 0.0]), np.zeros(3)
    )
    try:
        return events_from_kinematics(paths)
    except KneestrideError:
        return nothing


def _filled(time: Array, path: Array) -> Array | None:
    """A path (T, 3) with its gaps bridged; None where it was hardly ever seen."""
    seen = np.isfinite(path).all(axis=1)
    if seen.mean() < 0.5:
        return None
    return np.column_stack([np.interp(time, time[seen], path[seen, k]) for k in range(3)])


def told_contacts(contacts: Contacts) -> dict[str, list[list[Any]]]:
    """Contacts as plain values: beginning, end and whether each was recorded."""
    return {
        side: [
            [c.initial_contact_s, c.toe_off_s, c.complete_start, c.complete_end]
            for c in contacts.of(side)
        ]
        for side in SIDES
    }


def contacts_told(values: Mapping[str, list[list[Any]]]) -> Contacts:
    """`told_contacts` backwards."""
    r, left = (tuple(Contact(*row) for row in values[s]) for s in SIDES)
    return Contacts(r, left)
