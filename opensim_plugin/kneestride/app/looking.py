"""What a capture holds, told before anything is analysed.

Pure of Qt; the app's worker calls it, so that a file that crashes a reader harms nothing.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ..capture.axes import FEET, find_ground_frame, stem, to_ground
from ..capture.markersets import MarkerSet, Recognition, recognise
from ..capture.read import read_trial
from ..capture.trial import Forces, Trial
from ..errors import CaptureError, MarkerSetError
from ..vocabulary import SIDES, Array, Side

CONTACT = 50.0
"""N, vertical force above which a plate is stood on."""
MOST_FRAMES = 3000
"""Frames kept for drawing; a longer recording is thinned."""


@dataclass(frozen=True)
class Looked:
    """What was found in a recording.

    Attributes
    ----------
    told : JSON values: names, rate, frames, duration, gaps, events, plates, notes, mapping
    time : (K,) s; positions : (K, M, 3) m in the ground frame (or the file's, see `told`)
    force : (K, P, 3) N and point (K, P, 3) m at those times, or empty
    problem : what stands against an analysis: message and field, or None
    """

    told: dict[str, Any]
    time: Array
    positions: Array
    force: Array
    point: Array
    problem: tuple[str, str] | None


def look(
    path: Path,
    forces: Path | Literal["none"] | None = None,
    mapping: Mapping[str, str] | None = None,
) -> Looked:
    """Read a recording and tell what is in it.

    Parameters
    ----------
    path, forces : as for `capture.read.read_trial`
    mapping : marker to landmark, as a person corrected it; '' leaves the marker out

    Raises
    ------
    KneestrideError
        The file cannot be read. Names that no set knows are told in `problem` instead,
        because they can be corrected.
    """
    trial = read_trial(path, forces)
    names = trial.markers.names
    problem: tuple[str, str] | None = None
    found: Recognition | None = None
    try:
        found = recognise(names, [corrected(names, mapping)] if mapping else None)
    except MarkerSetError as error:
        problem = (str(error), "mapping")
    landmarks = {} if found is None else found.landmarks
    if found is None and mapping:
        landmarks = {m: name for m, name in mapping.items() if name and m in names}
    turned = True
    try:
        trial = to_ground(trial, find_ground_frame(trial.markers, landmarks))
    except CaptureError as error:
        turned = False
        problem = problem or (str(error), "trial")
    step = max(1, -(-len(trial.markers.time) // MOST_FRAMES))
    time, positions = trial.markers.time[::step], trial.markers.positions[::step]
    force, point = _at(trial.forces, time)
    told = {
        "name": trial.name,
        "markers": list(names),
        "mapping": {n: landmarks.get(n, "") for n in names},
        "clusters": {} if found is None else found.clusters,
        "set": "" if found is None else found.marker_set.name,
        "unknown": [] if found is None else list(found.unknown),
        "keypoints": found is not None and found.marker_set.kind == "keypoints",
        "missing": 0 if found is None else len(found.missing),
        "rate": float(trial.markers.rate),
        "frames": len(trial.markers.time),
        "seconds": float(len(trial.markers.time) / trial.markers.rate),
        "gaps": gaps(trial),
        "events": [[e.label, float(e.time), e.context] for e in trial.events],
        "plates": plates(trial, landmarks),
        "force_rate": 0.0 if trial.forces is None else float(trial.forces.rate),
        "lines": sticks(positions),
        "notes": list(trial.notes),
        "ground": turned,
        "height": tall(positions) if turned else 0.0,
    }
    return Looked(told, time, positions, force, point, problem)


def corrected(names: tuple[str, ...], mapping: Mapping[str, str]) -> MarkerSet:
    """The best known set with a person's corrections put over it."""
    landmarks = {m: n for m, n in mapping.items() if n and m in names}
    clusters: dict[str, str] = {}
    try:
        known = recognise(names, need_pelvis=False)
    except MarkerSetError:
        known = None
    if known is not None:
        clusters = {m: b for m, b in known.clusters.items() if m not in mapping}
        for m, n in known.landmarks.items():
            if m not in mapping:
                landmarks[m] = n
    out = frozenset(m for m in names if m not in landmarks and m not in clusters)
    return MarkerSet("corrected in the app", landmarks, clusters, ignored=out)


def gaps(trial: Trial) -> dict[str, float]:
    """Share of frames in which each marker was not seen, for those with any."""
    lost = ~np.isfinite(trial.markers.positions).all(axis=2)
    share = lost.mean(axis=0)
    return {n: float(s) for n, s in zip(trial.markers.names, share, strict=True) if s > 0}


def sticks(positions: Array) -> list[list[int]]:
    """Pairs of markers to join: the shortest tree over near and rigid distances.

    Needs no names, so that it also shows a recording whose names nobody knows.
    """
    from scipy.sparse.csgraph import minimum_spanning_tree

    some = positions[:: max(1, len(positions) // 60)]
    apart = np.linalg.norm(some[:, :, None] - some[:, None], axis=3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        cost = np.nanmedian(apart, axis=0) + 5.0 * np.nanstd(apart, axis=0)
    cost = np.where(np.isfinite(cost), cost + 1e-6, 0.0)
    np.fill_diagonal(cost, 0.0)
    tree = minimum_spanning_tree(cost).tocoo()
    return [[int(a), int(b)] for a, b in zip(tree.row, tree.col, strict=True)]


def tall(positions: Array) -> float:
    """Highest marker over the lowest, m, median over the frames (Y up)."""
    y = positions[..., 1]
    y = y[np.isfinite(y).any(axis=1)]
    return float(np.median(np.nanmax(y, axis=1) - np.nanmin(y, axis=1))) if len(y) else 0.0


def plates(trial: Trial, landmarks: Mapping[str, str]) -> list[dict[str, Any]]:
    """How often each plate was stood on, and by which foot: the nearest by its markers.

    The analysis assigns anew with the fitted model; this is what a person can check before.
    """
    forces = trial.forces
    if forces is None:
        return []
    feet: dict[Side, Array] = {}
    for side in SIDES:
        of_foot = [
            k
            for k, n in enumerate(trial.markers.names)
            if stem(landmarks.get(n, "")) in FEET and landmarks[n].endswith(f"_{side}")
        ]
        if of_foot:
            feet[side] = np.nanmean(trial.markers.positions[:, of_foot], axis=1)
    out = []
    for p, name in enumerate(forces.names):
        up = np.nan_to_num(forces.force[:, p, 1])
        down = np.concatenate([[0], (up > CONTACT).astype(int), [0]])
        begin, end = np.flatnonzero(np.diff(down) == 1), np.flatnonzero(np.diff(down) == -1)
        counts = dict.fromkeys((*SIDES, "?"), 0)
        for a, b in zip(begin, end, strict=True):
            if forces.time[b - 1] - forces.time[a] < 0.05:
                continue
            counts[_foot(forces, trial, feet, p, int(a), int(b))] += 1
        peak = float(up.max(initial=0.0))
        out.append({"name": name, "peak": peak, "contacts": counts})
    return out


def _foot(
    forces: Forces, trial: Trial, feet: Mapping[Side, Array], p: int, a: int, b: int
) -> str:
    """The foot nearest to the centre of pressure of one contact."""
    middle = int((a + b) // 2)
    at = int(np.argmin(np.abs(trial.markers.time - forces.time[middle])))
    point = forces.point[middle, p]
    away = {side: float(np.hypot(*(place[at] - point)[[0, 2]])) for side, place in feet.items()}
    known = {s: d for s, d in away.items() if np.isfinite(d)}
    return min(known, key=lambda s: known[s]) if known else "?"


def _at(forces: Forces | None, time: Array) -> tuple[Array, Array]:
    if forces is None:
        return np.zeros((len(time), 0, 3)), np.zeros((len(time), 0, 3))
    at = np.clip(np.searchsorted(forces.time, time), 0, len(forces.time) - 1)
    return forces.force[at], forces.point[at]


def exchange_sides(mapping: Mapping[str, str]) -> dict[str, str]:
    """Left for right in every landmark."""
    other = {"_r": "_l", "_l": "_r"}
    return {m: n[:-2] + other[n[-2:]] if n[-2:] in other else n for m, n in mapping.items()}
