"""How fast the ground moves: the belt of a treadmill, seen from the stance foot.

A foot that carries the body does not slide, so while it is flat its markers move with
the ground. Overground that velocity is zero; on a treadmill it is the belt's. No belt
speed has to be written down by anyone, and an overground trial is told from a
treadmill trial by the same number.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..vocabulary import Array, BoolArray
from .trial import Markers

FLAT = 0.02
"""m; a foot marker this close to its own floor level may be in stance."""

SINKING = 0.1
"""m/s; a foot marker in stance moves up or down slower than this. A rolling foot is seen
too slow: with 0.25 m/s the belts of hamner04 came out 5 % slow, with 0.1 m/s 2 %."""

TREADMILL_SPEED = 0.4
"""m/s; a ground that seems slower stands still (slow walking belts start at 0.5)."""

CLUSTER = 0.35
"""m/s; radius in which the densest cluster of stance velocities is sought."""

AGREEMENT = 0.15
"""m/s; samples within this distance of the cluster's centre are averaged."""

MIN_SAMPLES = 10


def velocities(markers: Markers) -> Array:
    """Velocity of every marker by central differences, (T, M, 3) m/s; NaN at gaps."""
    velocity = np.full_like(markers.positions, np.nan)
    velocity[1:-1] = (markers.positions[2:] - markers.positions[:-2]) * (markers.rate / 2)
    return velocity


def belt_velocity(
    markers: Markers, feet: Sequence[str], up: Sequence[float] = (0, 1, 0)
) -> Array:
    """Velocity of the ground in the laboratory.

    Parameters
    ----------
    markers : Markers
    feet : sequence of str
        Names of markers on heels, metatarsals or toes, both feet together.
    up : (3,) unit vector
        Vertical of the markers' frame; Y for conditioned trials.

    Returns
    -------
    velocity : (3,) m/s
        Horizontal. NaN when no foot marker shows a stance. Noise of an overground
        trial stays below `TREADMILL_SPEED`; use `is_treadmill` to decide.

    Notes
    -----
    Each marker's floor level is the 2nd percentile of its height. Among the samples
    near it and not rising or falling, the centre of the densest cluster of horizontal
    velocities is taken (a swinging forefoot passes the floor too, at several m/s).
    RBDS belts at 2.5, 3.5 and 4.5 m/s: within 2 %.
    """
    columns = [k for k, name in enumerate(markers.names) if name in set(feet)]
    axis = np.asarray(up, dtype=float)
    velocity = velocities(markers)[:, columns]
    stance = _near_floor(markers.positions[:, columns] @ axis, velocity @ axis)
    samples = velocity[stance]
    if len(samples) < MIN_SAMPLES:
        return np.full(3, np.nan)
    flat = samples - np.outer(samples @ axis, axis)
    return _densest(flat)


def is_treadmill(velocity: Array) -> bool:
    """Whether a ground velocity is a moving belt rather than noise."""
    return bool(np.linalg.norm(velocity) > TREADMILL_SPEED)


def low_markers(markers: Markers, up: Array) -> tuple[str, ...]:
    """Markers that come down to the floor, for when no name says which are on the feet."""
    height = markers.positions @ up
    lowest = _floor(height)
    return tuple(
        name
        for name, level in zip(markers.names, lowest, strict=True)
        if level < np.nanmin(lowest) + 0.1
    )


def _near_floor(height: Array, sinking: Array) -> BoolArray:
    """Samples (T, F) near each marker's own floor level and not moving vertically."""
    near: BoolArray = (height < _floor(height) + FLAT) & (np.abs(sinking) < SINKING)
    return near


def _floor(height: Array) -> Array:
    """Lowest 2 % of each column of (T, F) heights, NaN where none was seen."""
    seen = [h[np.isfinite(h)] for h in height.T]
    return np.array([np.percentile(h, 2) if len(h) else np.nan for h in seen])


def _densest(samples: Array) -> Array:
    """Centre of the densest cluster of (N, 3) samples."""
    some = samples[:: max(1, len(samples) // 400)]
    distance = np.linalg.norm(some[:, None] - some[None], axis=2)
    center: Array = some[np.argmax((distance < CLUSTER).sum(axis=1))]
    for radius in (CLUSTER, AGREEMENT):
        for _ in range(20):
            close = np.linalg.norm(samples - center, axis=1) < radius
            if not close.any():
                return center
            moved: Array = samples[close].mean(axis=0)
            if np.allclose(moved, center, atol=1e-6):
                break
            center = moved
    return center
