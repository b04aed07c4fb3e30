"""Do the ground forces belong to these markers: same clock, same laboratory frame?

Two files that were exported separately can disagree in ways no header shows: another
trial, a restarted clock, seconds against milliseconds, a rotated frame. Two things
must hold whatever the laboratory: the records overlap in time, and a loaded plate's
centre of pressure lies under the feet. Measured on every public trial the project
reads, half of the loaded frames lie within 0.07 m of a foot marker and nine in ten
within 0.10 m; a shift of 0.1 s in running, or another trial's forces, move the median
to 0.15 m and beyond.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..errors import CaptureError
from ..vocabulary import Array
from .trial import Forces, Markers

SLOWEST = 20.0
"""Hz; no force plate is sampled slower."""

LOADED = 100.0
"""N; vertical force above which a centre of pressure is steady enough to judge."""

UNDER_FEET = 0.15
"""m; median horizontal distance of the centre of pressure from the feet."""

DOWN = 0.06
"""m; foot markers this close to the lowest one are taken to be on the ground."""


def check_clocks(markers: Markers, forces: Forces) -> list[str]:
    """Stop when markers and forces cannot share a clock; say what is not covered.

    Raises
    ------
    CaptureError
        No common time, or a force rate no plate has.
    """
    ours, theirs = (markers.time[0], markers.time[-1]), (forces.time[0], forces.time[-1])
    spans = f"markers {ours[0]:g} to {ours[1]:g} s, forces {theirs[0]:g} to {theirs[1]:g} s"
    if forces.rate < SLOWEST:
        raise CaptureError(
            f"ground forces at {SLOWEST:g} Hz or more",
            f"{forces.rate:.4g} Hz ({spans})",
            "check that the forces' time column is in seconds",
        )
    common = min(ours[1], theirs[1]) - max(ours[0], theirs[0])
    if common < 2 / markers.rate:
        raise CaptureError(
            "ground forces on the markers' clock",
            f"forces from another time base: {spans}",
            "export both from the same trial with one clock, or use --forces none",
        )
    half = 0.5 / markers.rate + 1.0 / forces.rate
    if theirs[0] > ours[0] + half or theirs[1] < ours[1] - half:
        return [f"Forces do not cover the whole trial ({spans}): unmeasured outside."]
    return []


def check_under_feet(
    markers: Markers, forces: Forces, feet: Sequence[str], up: Sequence[float] = (0, 1, 0)
) -> list[str]:
    """Stop when loaded plates push where no foot is.

    Parameters
    ----------
    markers : Markers
    forces : Forces
    feet : sequence of str
        Names of markers on the feet.
    up : (3,) unit vector

    Returns
    -------
    notes : list of str
        A sentence when a tenth of the loaded frames lies more than `UNDER_FEET` away.

    Raises
    ------
    CaptureError
        The median distance exceeds `UNDER_FEET`.
    """
    away = distance_from_feet(markers, forces, feet, up)
    if len(away) < 10:
        return []
    median, most = np.percentile(away, [50, 90])
    if median > UNDER_FEET:
        raise CaptureError(
            "ground forces under the feet",
            f"a centre of pressure {median:.2f} m away from the feet in half of the loaded"
            " frames: forces from another trial, time base or laboratory frame",
            "export markers and forces of one trial in the same axes and on the same clock,"
            " or use --forces none",
        )
    if most > UNDER_FEET:
        share = float((away > UNDER_FEET).mean())
        return [
            f"In {share:.0%} of the loaded frames the centre of pressure is more than"
            f" {UNDER_FEET:g} m away from the feet."
        ]
    return []


def distance_from_feet(
    markers: Markers, forces: Forces, feet: Sequence[str], up: Sequence[float] = (0, 1, 0)
) -> Array:
    """Horizontal distance of each loaded centre of pressure from the feet on the ground, m.

    The feet are the foot markers near the ground and the straight lines between them
    (someone with both feet on one plate presses between the feet).
    """
    axis = np.asarray(up, dtype=float)
    columns = [k for k, name in enumerate(markers.names) if name in set(feet)]
    sample = np.round((markers.time - forces.time[0]) * forces.rate).astype(int)
    inside = np.flatnonzero((sample >= 0) & (sample < len(forces.time)))
    inside = inside[:: max(1, len(inside) // 600)]
    if not columns or not len(inside):
        return np.zeros(0)
    height = markers.positions[inside][:, columns] @ axis
    seen = np.isfinite(height)
    lowest = np.where(seen, height, np.inf).min(axis=1)
    low = np.where(seen, height, np.inf) < lowest[:, None] + DOWN
    flat = np.eye(3) - np.outer(axis, axis)
    ground = markers.positions[inside][:, columns] @ flat
    away: list[float] = []
    for plate in range(forces.force.shape[1]):
        load = forces.force[sample[inside], plate] @ axis
        point = forces.point[sample[inside], plate] @ flat
        usable = (
            (np.nan_to_num(load) > LOADED) & np.isfinite(point).all(axis=1) & low.any(axis=1)
        )
        for k in np.flatnonzero(usable):
            away.append(_from_net(point[k], ground[k][low[k]]))
    return np.array(away)


def _from_net(point: Array, knots: Array) -> float:
    """Distance of a point from the lines between all pairs of knots."""
    start = knots[:, None, :]
    along = knots[None] - start
    length = (along**2).sum(axis=2)
    share = ((point - start) * along).sum(axis=2) / np.where(length > 0, length, 1.0)
    nearest = start + np.clip(share, 0, 1)[..., None] * along
    return float(np.sqrt(((nearest - point) ** 2).sum(axis=2).min()))
