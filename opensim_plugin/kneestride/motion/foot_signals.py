"""The moving sole points of a foot, and the instants at which it passes under the body.

The foot passes under the pelvis from front to back once a cycle, while it stands on the
ground. That crossing is found without a threshold on speed or height, in walking and
running, on a belt and on the floor; everything else about events starts from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ..vocabulary import Array, Side
from .filtering import lowpass, sampling_rate
from .kinematics import AnatomicalPaths

SOLE_CUTOFF = 20.0
"""Low-pass of the sole points, Hz: keeps the landing, drops marker jitter."""


@dataclass(frozen=True)
class FootSignals:
    """What the rules look at, for one foot.

    Attributes
    ----------
    time : (T,) s
    under : (T,) m, foot ahead of the pelvis along progression, low-passed at 6 Hz
    heel, forefoot : (T, 3) m, smoothed
    heel_velocity, forefoot_velocity : (T, 3) m/s, laboratory frame
    anchors : tuple of int
        Frames at which the foot passes under the pelvis from front to back.
    noise : float, m, spread of the captured points (`AnatomicalPaths.noise`)
    """

    time: Array
    under: Array
    heel: Array
    forefoot: Array
    heel_velocity: Array
    forefoot_velocity: Array
    anchors: tuple[int, ...]
    noise: float = 0.0


def forefoot(points: Mapping[str, Array], side: Side) -> Array:
    """(T, 3) m: centre of the metatarsal heads, mean of the first and fifth."""
    return 0.5 * (points[f"metatarsal_1_{side}"] + points[f"metatarsal_5_{side}"])


def foot_signals(
    paths: AnatomicalPaths, side: Side, cutoff: float = SOLE_CUTOFF
) -> FootSignals:
    """Smoothed sole points of one foot and its mid-stance anchors.

    Needs the points heel_bottom, metatarsal_1, metatarsal_5 of the side and hip_center
    of both; `cutoff` in Hz.
    """
    rate = sampling_rate(paths.time)
    cutoff = min(cutoff, 0.4 * rate)
    heel = lowpass(paths.points[f"heel_bottom_{side}"], rate, cutoff)
    fore = lowpass(forefoot(paths.points, side), rate, cutoff)
    pelvis = 0.5 * (paths.points["hip_center_r"] + paths.points["hip_center_l"])
    under = lowpass((0.5 * (heel + fore) - pelvis) @ paths.progression, rate, 6.0)
    return FootSignals(
        time=paths.time,
        under=under,
        heel=heel,
        forefoot=fore,
        heel_velocity=np.gradient(heel, 1.0 / rate, axis=0),
        forefoot_velocity=np.gradient(fore, 1.0 / rate, axis=0),
        anchors=_passes(under, rate),
        noise=paths.noise,
    )


_SMALLEST_STEP = 0.10
"""Half excursion (m) of the foot under the pelvis below which nobody is stepping."""


_SLOWEST_SWING = 1.0
"""Smallest range (m/s) of a swinging heel's horizontal velocity."""

_STANDING = 0.4
"""Largest speed (m/s) of a standing forefoot over its ground."""

_NEARBY = 1.0
"""s around a pass in which the foot's lowest point is sought."""
_FLOOR = 0.06
"""A standing forefoot is at most this (m) above its lowest place of the recording."""

_STUMBLES = 0.02
"""Share of the passes that may look like no step: in half an hour somebody stumbles once.
Below fifty passes it is none."""
_CLOSEST_PASSES = 0.12
"""Two feet that pass under the body within this time (s) jump together."""


def _passes(under: Array, rate: float) -> tuple[int, ...]:
    """Frames where `under` falls through its mid level, with hysteresis.

    The level is midway between the 5th and 95th percentile; a pass counts when the
    signal went a quarter of the half excursion beyond the level on both sides (or the
    recording ends on that side first).
    """
    if not np.isfinite(under).all():
        return ()
    low, high = np.percentile(under, [5.0, 95.0])
    half = 0.5 * (high - low)
    if half < _SMALLEST_STEP:
        return ()
    x = (under - 0.5 * (high + low)) / half
    passes: list[int] = []
    ahead = bool(x[0] > 0.0)
    candidate: int | None = None
    for k in range(1, len(x)):
        if ahead and x[k - 1] > 0.0 >= x[k]:
            candidate = k
        if x[k] > 0.25:
            ahead, candidate = True, None
        if ahead and candidate is not None and (x[k] < -0.25 or k == len(x) - 1):
            passes.append(candidate)
            ahead, candidate = False, None
    return tuple(passes)


def surface_velocity(signals: Mapping[Side, FootSignals], rate: float) -> Array:
    """Velocity of what the feet stand on, (3,) m/s horizontal: belt, or zero overground.

    Median over all anchors of the slower-to-the-ground forefoot velocity, each the mean
    over 40 ms around mid-stance. On RBDS single strides agree within 0.02 m/s.
    NaN when nobody steps.
    """
    half = max(1, round(0.02 * rate))
    samples = [
        s.forefoot_velocity[max(0, k - half) : k + half + 1].mean(axis=0)
        for s in signals.values()
        for k in s.anchors
    ]
    if not samples:
        return np.full(3, np.nan)
    velocity: Array = np.median(samples, axis=0)
    velocity[1] = 0.0
    return velocity


def is_stepping(signals: Mapping[Side, FootSignals]) -> bool:
    """Whether the feet pass under the body in turn, each after having swung.

    False for squats (the pelvis moves over standing feet) and jumps (the feet pass
    together, or in the air). A swing is a horizontal velocity range of the heel of more
    than 1 m/s; feet that stand move alike, within 0.4 m/s, and do not rise or fall.
    """
    passes = sorted((k, side) for side, s in signals.items() for k in s.anchors)
    if not passes:
        return False
    noise = max(s.noise for s in signals.values())
    if noise > 0.0:
        return _noisy_stepping(signals, passes, noise)
    for s in signals.values():
        if np.ptp(s.heel_velocity, axis=0)[[0, 2]].max() < _SLOWEST_SWING:
            return False
    velocity = np.array([signals[side].forefoot_velocity[k] for k, side in passes])
    stumbles = int(_STUMBLES * len(passes))
    if _without(np.abs(velocity[:, 1]), stumbles).max() > _STANDING:
        return False
    if max(_least_range(v, stumbles) for v in velocity[:, [0, 2]].T) > _STANDING:
        return False
    high = 0
    for s in signals.values():
        height, reach = s.forefoot[:, 1], int(_NEARBY * len(s.time) / np.ptp(s.time)) + 1
        # Against the lowest point near by: a runway's frame may be tilted by half a degree.
        for k in s.anchors:
            near = slice(max(k - reach, 0), k + reach + 1)
            inside = np.abs(s.time[near] - s.time[k]) < _NEARBY
            high += bool(height[k] > height[near][inside].min() + _FLOOR)
    time = next(iter(signals.values())).time
    together = sum(
        a[1] == b[1] or time[b[0]] - time[a[0]] <= _CLOSEST_PASSES for a, b in pairwise(passes)
    )
    return high <= stumbles and together <= stumbles


def _without(values: Array, few: int) -> Array:
    """All but so many of the largest values."""
    return np.sort(values)[: len(values) - few]


def _least_range(values: Array, few: int) -> float:
    """The smallest range that holds all but so many of the values."""
    ordered = np.sort(values)
    return float((ordered[len(ordered) - few - 1 :] - ordered[: few + 1]).min())


SPEED_OF_NOISE = 15.0
"""1/s; a point whose place wanders by σ within 0.1 s, low-passed at 6 Hz, seems to move
with 15 σ: its derivative has the variance 4 σ² cutoff / 0.1 s."""

_MOST = 0.8
"""Share of the passes that have to look like steps where points are noisy."""


def _noisy_stepping(
    signals: Mapping[Side, FootSignals], passes: list[tuple[int, Side]], noise: float
) -> bool:
    """`is_stepping` where single instants mean little: most passes, limits widened."""
    for s in signals.values():
        if np.ptp(np.percentile(s.heel_velocity, [2.0, 98.0], axis=0), axis=0)[[0, 2]].max() < (
            _SLOWEST_SWING + 2.0 * SPEED_OF_NOISE * noise
        ):
            return False
    limit = _STANDING + 2.0 * SPEED_OF_NOISE * noise
    velocity = np.array([signals[side].forefoot_velocity[k] for k, side in passes])
    off = np.abs(velocity - np.median(velocity, axis=0))
    off[:, 1] = np.abs(velocity[:, 1])
    if np.percentile(off.max(axis=1), 100.0 * _MOST) > limit:
        return False
    time = next(iter(signals.values())).time
    turns = [
        a[1] != b[1] and time[b[0]] - time[a[0]] > _CLOSEST_PASSES for a, b in pairwise(passes)
    ]
    return bool(np.mean(turns) >= _MOST) if turns else True
