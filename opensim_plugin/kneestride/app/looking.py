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

from ..capture.axes import find_ground_frame, to_ground
from ..capture.keypoints import read_keypoints
from ..capture.markersets import MarkerSet, Recognition, recognise
from ..capture.read import read_trial
from ..capture.trial import Forces, Markers, Trial
from ..errors import CaptureError, MarkerSetError
from ..motion.contacts import Contacts
from ..one_camera import is_picture, upright
from ..vocabulary import SIDES, Array
from .messages import parts_of
from .standing import PlateLoading, foot_heights, loadings, standing, told_contacts

PICTURED = 1.6
"""m; size at which the points of a picture are drawn, which has no scale yet."""
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
    lift : (K, 2) m, height of each foot above where it stands; NaN unknown
    problem : what stands against an analysis: parts of the error and field, or None
    """

    told: dict[str, Any]
    time: Array
    positions: Array
    force: Array
    point: Array
    lift: Array
    problem: tuple[dict[str, Any], str] | None


def look(
    path: Path,
    forces: Path | Literal["none"] | None = None,
    mapping: Mapping[str, str] | None = None,
    rate: float | None = None,
) -> Looked:
    """Read a recording and tell what is in it.

    Parameters
    ----------
    path, forces : as for `capture.read.read_trial`
    mapping : marker to landmark, as a person corrected it; '' leaves the marker out
    rate : Hz, of key points whose file does not tell it

    Raises
    ------
    KneestrideError
        The file cannot be read. Names that no set knows are told in `problem` instead,
        because they can be corrected.
    """
    picture = is_picture(path, None)
    trial = picture_trial(path, rate) if picture else read_trial(path, forces, rate)
    names = trial.markers.names
    problem: tuple[dict[str, Any], str] | None = None
    found: Recognition | None = None
    try:
        sets = [corrected(names, mapping)] if mapping and not picture else None
        found = recognise(names, sets, need_pelvis=not picture)
    except MarkerSetError as error:
        problem = (parts_of(error), "mapping")
    landmarks = {} if found is None else found.landmarks
    if found is None and mapping:
        landmarks = {m: name for m, name in mapping.items() if name and m in names}
    turned = not picture
    try:
        if not picture:
            trial = to_ground(trial, find_ground_frame(trial.markers, landmarks))
    except CaptureError as error:
        turned = False
        problem = problem or (parts_of(error), "trial")
    step = max(1, -(-len(trial.markers.time) // MOST_FRAMES))
    time, positions = trial.markers.time[::step], trial.markers.positions[::step]
    force, point = _at(trial.forces, time)
    loaded = loadings(trial, landmarks) if turned else []
    if turned:
        lift = foot_heights(trial, landmarks)[::step]
        contacts = standing(trial, landmarks, loaded)
    else:
        lift, contacts = np.full((len(time), 2), np.nan), Contacts((), ())
    told = {
        "name": trial.name,
        "markers": list(names),
        "mapping": {n: landmarks.get(n, "") for n in names},
        "clusters": {} if found is None else found.clusters,
        "set": "" if found is None else found.marker_set.name,
        "unknown": [] if found is None else list(found.unknown),
        "keypoints": found is not None and found.marker_set.kind == "keypoints",
        "picture": picture,
        "missing": 0 if found is None else len(found.missing),
        "rate": float(trial.markers.rate),
        "frames": len(trial.markers.time),
        "seconds": float(len(trial.markers.time) / trial.markers.rate),
        "gaps": gaps(trial),
        "events": [[e.label, float(e.time), e.context] for e in trial.events],
        "plates": plates(trial, landmarks, loaded),
        "loadings": [[x.plate, x.start, x.end, x.foot] for x in loaded],
        "contacts": told_contacts(contacts),
        "force_rate": 0.0 if trial.forces is None else float(trial.forces.rate),
        "lines": sticks(positions),
        "notes": list(trial.notes),
        "ground": turned,
        "height": tall(positions) if turned else 0.0,
    }
    return Looked(told, time, positions, force, point, lift, problem)


def picture_trial(path: Path, rate: float | None) -> Trial:
    """One camera's points (m, at the size of a usual body), facing the front view."""
    found = read_keypoints(path, rate)
    flat = upright(found)
    high = flat[..., 1]
    rows = np.isfinite(high).any(axis=1)
    size = float(np.median(np.nanmax(high[rows], axis=1) - np.nanmin(high[rows], axis=1)))
    flat = flat / (max(size, 1e-9) / PICTURED)
    positions = np.stack([np.zeros(flat.shape[:2]), flat[..., 1], -flat[..., 0]], axis=2)
    positions[~np.isfinite(flat).all(axis=2)] = np.nan
    markers = Markers(found.names, found.time, found.rate, positions, found.confidence)
    return Trial(found.name, markers, sources=found.sources, notes=tuple(found.notes))


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


def plates(
    trial: Trial, landmarks: Mapping[str, str], loaded: list[PlateLoading] | None = None
) -> list[dict[str, Any]]:
    """How often each plate was stood on, and by which foot: the nearest by its markers.

    The analysis assigns anew with the fitted model; this is what a person can check before.
    """
    forces = trial.forces
    if forces is None:
        return []
    loaded = loadings(trial, landmarks) if loaded is None else loaded
    out = []
    for p, name in enumerate(forces.names):
        feet = [x.foot for x in loaded if x.plate == p]
        counts = {foot: feet.count(foot) for foot in (*SIDES, "?")}
        peak = float(np.nan_to_num(forces.force[:, p, 1]).max(initial=0.0))
        out.append({"name": name, "peak": peak, "contacts": counts})
    return out


def _at(forces: Forces | None, time: Array) -> tuple[Array, Array]:
    if forces is None:
        return np.zeros((len(time), 0, 3)), np.zeros((len(time), 0, 3))
    at = np.clip(np.searchsorted(forces.time, time), 0, len(forces.time) - 1)
    return forces.force[at], forces.point[at]


def exchange_sides(mapping: Mapping[str, str]) -> dict[str, str]:
    """Left for right in every landmark."""
    other = {"_r": "_l", "_l": "_r"}
    return {m: n[:-2] + other[n[-2:]] if n[-2:] in other else n for m, n in mapping.items()}
