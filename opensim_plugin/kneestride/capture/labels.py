"""Marker labels as files write them, made unique and plain.

Exporters add a subject's prefix (`Runner:LASI`), repeat a label, or leave a slot
without one. The rules live here, so that TRC and C3D treat a label alike.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..vocabulary import Array

FARTHEST = 1e5
"""m; farther than any marker, even in a file whose unit is a thousand times off."""


def tidy(labels: Sequence[str], positions: Array) -> tuple[tuple[str, ...], Array, list[str]]:
    """Unique labels with data behind them, and what had to be done.

    Parameters
    ----------
    labels : sequence of str, length M
    positions : (T, M, 3) m, NaN where unseen

    Returns
    -------
    names : tuple of str, length K <= M
    positions : (T, K, 3)
    notes : list of str
        Removed prefix, unnamed or never-seen trajectories left out, repeated labels.
    """
    notes: list[str] = []
    names = [" ".join(label.split()) for label in labels]
    prefixes = {name.split(":", 1)[0] for name in names if ":" in name}
    if len(prefixes) == 1:
        prefix = prefixes.pop()
        names = [n.removeprefix(prefix + ":").strip() for n in names]
        notes.append(f"The prefix '{prefix}:' was taken off the marker names.")
    absurd = (np.abs(positions) > FARTHEST).any(axis=2)
    if absurd.any():
        positions = np.where(absurd[..., None], np.nan, positions)
        notes.append(
            f"{int(absurd.sum())} samples beyond any laboratory are taken as not seen."
        )
    seen = np.isfinite(positions).all(axis=2).any(axis=0)
    unnamed = [k for k, name in enumerate(names) if not name]
    if any(seen[k] for k in unnamed):
        notes.append(
            f"{sum(bool(seen[k]) for k in unnamed)} trajectories without a name left out."
        )
    never = [name for k, name in enumerate(names) if name and not seen[k]]
    if never:
        notes.append(f"Never seen, left out: {', '.join(dict.fromkeys(never))}.")
    keep: list[int] = []
    final: list[str] = []
    for k, name in enumerate(names):
        if not name or not seen[k]:
            continue
        twins = [j for j in keep if names[j] == name]
        if any(np.array_equal(positions[:, j], positions[:, k], equal_nan=True) for j in twins):
            notes.append(f"'{name}' is stored twice with the same data: one copy kept.")
            continue
        label, number = name, 1
        while label in final or (number > 1 and label in names):
            number += 1
            label = f"{name}_{number}"
        if label != name:
            notes.append(f"'{name}' is used for several trajectories: one is now '{label}'.")
        keep.append(k)
        final.append(label)
    return tuple(final), np.ascontiguousarray(positions[:, keep]), notes


def blank_zeros(positions: Array) -> tuple[Array, int]:
    """Replace exact (0, 0, 0) by NaN: how several systems write an unseen marker.

    Parameters
    ----------
    positions : (T, M, 3)

    Returns
    -------
    positions : (T, M, 3)
    count : int
        Samples replaced.
    """
    zero = (positions == 0).all(axis=2)
    if not zero.any():
        return positions, 0
    out = positions.copy()
    out[zero] = np.nan
    return out, int(zero.sum())
