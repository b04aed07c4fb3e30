"""Which markers sit on the same segment, told from the recording itself.

Markers on one segment keep their distances; skin and shoes let them breathe by some
millimetres. The table of how much each distance varies is enough to find a marker's
neighbours without knowing its name, for filling gaps and for noticing swapped labels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..vocabulary import Array
from .trial import Markers

RIGID = 0.01
"""m; distances between markers of one segment vary (robust standard deviation) by less."""

STEADY = 0.002
"""m; a spread this small is never too large beside the others."""

NEAR = 0.5
"""m; markers farther apart than this are not taken for one segment, however steady."""

_FRAMES = 400
_MIN_COMMON = 10


@dataclass(frozen=True)
class Distances:
    """Distances between all markers over a recording.

    Attributes
    ----------
    typical : (M, M) m, median distance; NaN when never seen together
    spread : (M, M) m, 1.4826 times the median absolute deviation
    """

    typical: Array
    spread: Array


def distances(markers: Markers) -> Distances:
    """Median and spread of every distance, over at most 400 frames spread evenly."""
    step = max(1, len(markers.time) // _FRAMES)
    # One marker's coordinate over time lies together in memory: sums and sorts run along it.
    x, y, z = np.ascontiguousarray(markers.positions[::step].transpose(2, 1, 0))
    count, frames = x.shape
    typical = np.full((count, count), np.nan)
    spread = np.full((count, count), np.nan)
    for k in range(count):
        apart = np.sqrt((x[k:] - x[k]) ** 2 + (y[k:] - y[k]) ** 2 + (z[k:] - z[k]) ** 2)
        seen = np.isfinite(apart).sum(axis=1)
        others = np.flatnonzero((seen >= min(_MIN_COMMON, frames)) & (seen > 0))
        apart = apart[others]
        median = seen_median(apart.T)
        width = 1.4826 * seen_median(np.abs(apart - median[:, None]).T)
        typical[k, k + others] = typical[k + others, k] = median
        spread[k, k + others] = spread[k + others, k] = width
    return Distances(typical, spread)


def seen_median(values: Array) -> Array:
    """Median of each column of (N, K), leaving NaN out; NaN for a column without any.

    Ten times faster than `numpy.nanmedian`, which masks before it sorts.
    """
    ordered = np.sort(values, axis=0)
    count = np.isfinite(values).sum(axis=0)
    columns = np.arange(values.shape[1])
    low = ordered[np.maximum(count - 1, 0) // 2, columns]
    high = ordered[np.minimum(count // 2, len(values) - 1), columns]
    median: Array = np.where(count > 0, (low + high) / 2, np.nan)
    return median


def neighbours(table: Distances, marker: int, most: int = 4) -> NDArray[np.intp]:
    """Markers on the same segment as one, the steadiest distance first."""
    spread = table.spread[marker].copy()
    spread[marker] = np.nan
    spread[~(table.typical[marker] < NEAR)] = np.nan
    order = [int(k) for k in np.argsort(np.where(np.isfinite(spread), spread, np.inf))]
    keep = [k for k in order if np.isfinite(spread[k]) and spread[k] < RIGID]
    if len(keep) > 3:
        # Three fix the segment; a fourth that moves far more belongs to the next one.
        keep = [k for k in keep if spread[k] <= max(2 * spread[keep[2]], STEADY)]
    return np.array(keep[:most], dtype=np.intp)


def fit_rigid(source: Array, target: Array) -> tuple[Array, Array]:
    """Rotations and translations that carry point sets onto others, least squares.

    Parameters
    ----------
    source : (N, 3) m
    target : (T, N, 3) m

    Returns
    -------
    rotation : (T, 3, 3)
    translation : (T, 3)
        ``target ≈ source @ rotation.T + translation``

    Notes
    -----
    Kabsch 1976, doi:10.1107/S0567739476001873, with the determinant fixed to +1.
    """
    a = source - source.mean(axis=0)
    mean = target.mean(axis=1, keepdims=True)
    u, _, vt = np.linalg.svd(np.einsum("tni,nj->tij", target - mean, a))
    sign = np.sign(np.linalg.det(u @ vt))
    u[:, :, 2] *= sign[:, None]
    rotation = u @ vt
    translation = mean[:, 0] - rotation @ source.mean(axis=0)
    return rotation, translation
