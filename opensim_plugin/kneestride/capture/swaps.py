"""Markers that carry each other's name, and samples that belong to no marker.

Three ways a label goes wrong, three ways to see it:

- from one frame to the next two markers exchange places: each continues the other's
  path (`exchanged_in_time`);
- a label is wrong all through a trial: its distances to the markers of its segment are
  another marker's in the static trial (`renamed_against_static`);
- without a static trial, the medial one of two landmarks lies laterally
  (`exchanged_against_anatomy`).

A stray sample is one that leaves all its rigid neighbours at once (`drop_strays`).
Repairs are made only where the other reading fits several times better, and every one
is said. On the public RBDS trials this finds R.MT1/R.MT5 exchanged in RBDS001 at 2.5
and 3.5 m/s (21 mm off, 2 mm when exchanged), R.MT5 of RBDS03 at 2.5 m/s being R.MT1
(19 and 1 mm), and nothing else in its sixty trials.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..vocabulary import Array
from .rigid import NEAR, Distances, distances, neighbours, seen_median
from .trial import Markers

JUMP = 0.03
"""m; two markers that together miss their own paths by more than this may be exchanged."""

STRAY = 0.06
"""m; a sample this far from its place among its neighbours belongs to something else."""

MISMATCH = 0.008
"""m; mean disagreement of a marker's distances that calls for another name."""

CLEARLY = 0.4
"""The other reading must leave less than this share of the disagreement."""

LATERAL_MEDIAL = (
    ("metatarsal_5", "metatarsal_1"),
    ("epicondyle_lateral", "epicondyle_medial"),
    ("malleolus_lateral", "malleolus_medial"),
)
MISPLACED = 0.02
"""m; a lateral landmark lying medially by more than this carries the wrong name."""


def drop_strays(markers: Markers) -> tuple[Markers, list[str]]:
    """Blank samples that are far from their place among their rigid neighbours.

    A sample is blanked when its distances to at least two neighbours are off by more
    than `STRAY` in the median, while those neighbours are at peace with each other.
    """
    table = distances(markers)
    positions = markers.positions.copy()
    counts: dict[str, int] = {}
    for k, name in enumerate(markers.names):
        near = neighbours(table, k)
        if len(near) < 2:
            continue
        apart = np.linalg.norm(
            markers.positions[:, near] - markers.positions[:, k : k + 1], axis=2
        )
        off = np.abs(apart - table.typical[k, near])
        enough = np.isfinite(off).sum(axis=1) >= 2
        stray = np.zeros(len(off), dtype=bool)
        stray[enough] = seen_median(off[enough].T) > STRAY
        if not stray.any():
            continue
        stray &= _at_peace(markers.positions, near, table)
        # A few samples are strays; many mean that the neighbours were no neighbours.
        if 0 < stray.sum() <= 0.02 * len(stray) + 2:
            positions[stray, k] = np.nan
            counts[name] = int(stray.sum())
    if not counts:
        return markers, []
    listed = ", ".join(f"{n} {c}" for n, c in counts.items())
    note = f"Stray samples, far from the other markers of the segment, left out: {listed}."
    return replace(markers, positions=positions), [note]


def exchanged_in_time(markers: Markers) -> tuple[Markers, list[str]]:
    """Undo exchanges of two labels from one frame to the next.

    The names held for the larger part of the trial are kept.
    """
    positions = markers.positions.copy()
    turns: dict[tuple[int, int], list[int]] = {}
    if len(positions) < 3:
        return markers, []
    for frame in _jump_frames(positions):
        path = 2 * positions[frame - 1] - positions[frame - 2]
        for pair in _exchanges(positions[frame], path):
            positions[frame:, list(pair)] = positions[frame:, list(reversed(pair))]
            turns.setdefault(pair, []).append(frame)
    # The first frame has nothing before it: it is held against what follows.
    for pair in _exchanges(positions[0], 2 * positions[1] - positions[2]):
        positions[0, list(pair)] = positions[0, list(reversed(pair))]
        turns.setdefault(pair, []).insert(0, 1)
    notes = []
    for (i, j), frames in turns.items():
        fewer = _changed(positions[:, i], markers.positions[:, i])
        if fewer > len(positions) / 2:
            positions[:, [i, j]] = positions[:, [j, i]]
            fewer = _changed(positions[:, i], markers.positions[:, i])
        a, b = markers.names[i], markers.names[j]
        notes.append(
            f"{a} and {b} exchange names at frame {', '.join(str(f + 1) for f in frames[:6])}"
            f"{' …' if len(frames) > 6 else ''}: put back in {fewer} frames."
        )
    return (replace(markers, positions=positions) if turns else markers), notes


def renamed_against_static(markers: Markers, static: Markers) -> tuple[Markers, list[str]]:
    """Give back names that are wrong all through a trial, by the static trial's distances.

    Two exchanged names, or one name that stands on the place of a marker which the
    trial does not have.
    """
    moving, still = distances(markers), distances(static)
    names = list(markers.names)
    notes: list[str] = []
    common = [n for n in names if n in static.names]
    place = {n: static.names.index(n) for n in common}
    absent = [n for n in static.names if n not in names]
    for a in common:
        i = markers.names.index(a)
        near = [
            int(k)
            for k in neighbours(moving, i, most=6)
            if markers.names[int(k)] in place and names[int(k)] == markers.names[int(k)]
        ]
        if names[i] != a or len(near) < 2:
            continue
        own = _disagreement(moving, i, near, still, place[a], place, markers)
        if not own > MISMATCH:
            continue
        options: list[tuple[float, str]] = []
        for b in [n for n in common if n != a] + absent:
            others = [k for k in near if markers.names[k] != b]
            if len(others) < 2:
                continue
            fit = _disagreement(moving, i, others, still, static.names.index(b), place, markers)
            here = _disagreement(moving, i, others, still, place[a], place, markers)
            if b in place:
                j = markers.names.index(b)
                fit = (
                    fit + _disagreement(moving, j, others, still, place[a], place, markers)
                ) / 2
                here = (
                    here + _disagreement(moving, j, others, still, place[b], place, markers)
                ) / 2
            if fit < CLEARLY * here and here > MISMATCH:
                options.append((fit, b))
        if not options:
            continue
        fit, b = min(options)
        if b in place:
            j = names.index(b)
            names[i], names[j] = b, a
            notes.append(
                f"{a} and {b} carry each other's name all through the trial: their distances"
                f" fit the static trial to {fit * 1e3:.0f} mm when exchanged,"
                f" {own * 1e3:.0f} mm as written. Exchanged."
            )
        else:
            names[i] = b
            notes.append(
                f"{a} stands where the static trial has {b} (distances within"
                f" {fit * 1e3:.0f} mm, against {own * 1e3:.0f} mm as {a}). Renamed to {b}."
            )
    return replace(markers, names=tuple(names)), notes


def exchanged_against_anatomy(
    markers: Markers, landmarks: Mapping[str, str], right: Array | None
) -> tuple[Markers, list[str]]:
    """Exchange the names of a lateral and a medial landmark that lie the wrong way round.

    Parameters
    ----------
    markers : Markers
    landmarks : mapping of marker name to landmark id
    right : (3,) unit vector or None
        To the right of the body, in the markers' axes; nothing is done without it.
    """
    if right is None:
        return markers, []
    at = {landmarks[n]: k for k, n in enumerate(markers.names) if n in landmarks}
    names = list(markers.names)
    notes = []
    for lateral, medial in LATERAL_MEDIAL:
        for side, sign in (("r", 1.0), ("l", -1.0)):
            i, j = at.get(f"{lateral}_{side}"), at.get(f"{medial}_{side}")
            if i is None or j is None:
                continue
            outward = sign * (markers.positions[:, i] - markers.positions[:, j]) @ right
            if np.isfinite(outward).any() and np.nanpercentile(outward, 80) < -MISPLACED:
                names[i], names[j] = names[j], names[i]
                notes.append(
                    f"{markers.names[i]} lies medially of {markers.names[j]} by"
                    f" {-np.nanmedian(outward) * 1e3:.0f} mm: the two names are exchanged back."
                )
    return replace(markers, names=tuple(names)), notes


def _at_peace(positions: Array, near: NDArray[np.intp], table: Distances) -> NDArray[np.bool_]:
    """Frames in which no distance among the neighbours themselves is off by `STRAY`."""
    calm = np.ones(len(positions), dtype=bool)
    for a in range(len(near)):
        for b in range(a + 1, len(near)):
            i, j = near[a], near[b]
            apart = np.linalg.norm(positions[:, i] - positions[:, j], axis=1)
            calm &= ~(np.abs(apart - table.typical[i, j]) > STRAY)
    return calm


def _jump_frames(positions: Array) -> list[int]:
    """Frames at which at least two markers leave their own straight path."""
    miss = np.linalg.norm(positions[2:] - 2 * positions[1:-1] + positions[:-2], axis=2)
    many = (miss > JUMP / 2).sum(axis=1) >= 2
    return [int(f) + 2 for f in np.flatnonzero(many)]


def _changed(after: Array, before: Array) -> int:
    """Frames in which a path was altered."""
    return int((~np.isclose(after, before, rtol=0, atol=0, equal_nan=True)).any(axis=1).sum())


def _exchanges(here: Array, path: Array) -> list[tuple[int, int]]:
    """Pairs of markers that are where the other was going, (M, 3) and (M, 3)."""
    # miss[i, j]: how far marker i is from where marker j was going
    miss = np.linalg.norm(here[:, None] - path[None], axis=2)
    own = np.diag(miss)
    jumping = [int(k) for k in np.flatnonzero(own > JUMP / 2)]
    found: list[tuple[float, tuple[int, int]]] = []
    for a, i in enumerate(jumping):
        for j in jumping[a + 1 :]:
            same, other = own[i] + own[j], miss[i, j] + miss[j, i]
            # Two markers nearly in one place cannot be told apart by their paths.
            apart = JUMP < np.linalg.norm(path[i] - path[j]) < NEAR
            if apart and same > JUMP and other < CLEARLY * same:
                found.append((float(other / same), (i, j)))
    taken: set[int] = set()
    pairs = []
    for _, (i, j) in sorted(found):
        if not {i, j} & taken:
            taken |= {i, j}
            pairs.append((i, j))
    return pairs


def _disagreement(
    moving: Distances,
    marker: int,
    near: list[int],
    still: Distances,
    role: int,
    place: Mapping[str, int],
    markers: Markers,
) -> float:
    """Mean difference between a marker's distances and a role's in the static trial, m."""
    roles = [place[markers.names[k]] for k in near]
    difference = np.abs(moving.typical[marker, near] - still.typical[role, roles])
    finite = difference[np.isfinite(difference)]
    return float(finite.mean()) if len(finite) >= 2 else float("inf")
