"""The strides of one analysis laid over each other: percent of stance, median and band.

Every curve that the report draws and every curve of the reference bands goes through
here, so that a person and the reference are cut in the same way.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..results.summary import BOTH_SIDES
from ..vocabulary import GRAVITY, SIDES, Array, Side

if TYPE_CHECKING:
    from ..results.folder import Results, StrideRow

PERCENTILES = (10.0, 50.0, 90.0)
STANCE = np.linspace(0.0, 100.0, 101)
"""Percent of stance at which curves are compared."""
LOADS = ("medial_BW", "lateral_BW", "total_BW", "patellofemoral_BW")
MOMENTS = ("adduction_moment_Nm_per_kg", "flexion_moment_Nm_per_kg")
ANGLES: dict[str, str] = {
    "hip_adduction_deg": "hip_adduction",
    "knee_flexion_deg": "knee_angle",
    "hip_internal_rotation_deg": "hip_rotation",
}
"""Curves of joint coordinates, which carry the same sign on both sides."""
CURVES = (*LOADS, *MOMENTS, *ANGLES)


def stance_windows(rows: Sequence[StrideRow], side: Side) -> list[tuple[float, float]]:
    """Return start and end (s) of every stance of one side, from the stride rows.

    A whole stride's stance is its contact time from its start. Where there is no whole
    stride, the other rows count with all they cover.
    """
    of_side = [row for row in rows if row.get("side") in (side, *BOTH_SIDES)]
    whole = [row for row in of_side if row.get("kind") == "stride"]
    windows = []
    for row in whole or of_side:
        start, end, contact = (_float(row.get(k)) for k in ("start_s", "end_s", "contact_s"))
        stop = start + contact if np.isfinite(contact) and contact > 0 else end
        if np.isfinite(start) and np.isfinite(stop) and stop > start:
            windows.append((start, stop))
    return windows


def normalise(
    time: Array, values: Array, windows: Sequence[tuple[float, float]], at: Array = STANCE
) -> Array:
    """Resample values (T,) to percent of each window.

    Returns
    -------
    (W, P) array; a window that leaves the recording or meets a masked frame is NaN there.
    """
    grid = np.array([a + (b - a) * at / 100.0 for a, b in windows]).reshape(-1, len(at))
    return np.asarray(np.interp(grid, time, values, left=np.nan, right=np.nan))


def curves_of(results: Results, side: Side) -> dict[str, Array]:
    """Every curve of `CURVES` that the results hold, (T,) in the unit of its name."""
    i, mass = SIDES.index(side), results.subject.mass
    out: dict[str, Array] = {}
    if results.knee is not None:
        weight = mass * GRAVITY
        for name in LOADS:
            out[name] = getattr(results.knee, name.removesuffix("_BW"))[:, i] / weight
        for name in MOMENTS:
            out[name] = getattr(results.knee, name.removesuffix("_Nm_per_kg"))[:, i] / mass
    coordinates = results.motion.coordinates
    for name, coordinate in ANGLES.items():
        if f"{coordinate}_{side}" in coordinates:
            k = coordinates.index(f"{coordinate}_{side}")
            out[name] = np.degrees(results.motion.q[:, k])
    return out


def band(strides: Array) -> Array:
    """10th, 50th and 90th percentile over the strides (W, P); (3, P), NaN where none has it."""
    if not strides.size:
        return np.full((3, strides.shape[1]), np.nan)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.asarray(np.nanpercentile(strides, PERCENTILES, axis=0))


def _float(value: object) -> float:
    if isinstance(value, int | float | np.integer | np.floating):
        return float(value)
    return float("nan")
