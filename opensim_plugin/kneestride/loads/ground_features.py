"""What of a running stance the force prediction looks at.

Newton's law says that the ground reaction is the sum of mass times (acceleration minus
gravity) over all segments. Trunk and arms are often not seen, and skin markers shake at
impact, so the sum is not taken with assumed masses: the same accelerations are handed to
a linear regression, together with posture, velocities and the timing of the steps. All
quantities are free of the runner's size and mass (accelerations in g, lengths in legs,
speeds in root of g times leg), of the laboratory's place and of the side (the left is
mirrored), and every landmark set that a fitted model gives can provide them.

Only points that any marker set with joint centres has are used: pelvis, hip, knee and
ankle centres, heel and metatarsal heads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.interpolate import CubicSpline

from ..errors import CaptureError
from ..motion.contacts import Contact, Contacts
from ..motion.filtering import smooth_derivatives
from ..motion.kinematics import AnatomicalPaths
from ..vocabulary import GRAVITY, SIDES, Array, Side

FEATURE_CUTOFF = 15.0
"""Hz; low-pass of the points before differentiation."""

OUTSIDE = 0.3
"""Share of the contact time before and after it that is looked at and predicted, so that
an event some 30 ms off still leaves the whole force inside."""

ACCELERATION_PHASES = np.linspace(-OUTSIDE, 1.0 + OUTSIDE, 21)
POSTURE_PHASES = np.linspace(0.0, 1.0, 5)
VELOCITY_PHASES = np.linspace(0.0, 1.0, 3)

_PELVIS = ("asis_r", "asis_l", "psis_r", "psis_l")

_PARTS = ("thigh", "shank", "heel", "forefoot")
COLUMNS = (
    "pelvis",
    "pelvis_depth",
    "pelvis_width",
    *(f"stance_{p}" for p in _PARTS),
    *(f"swing_{p}" for p in _PARTS),
)
"""Rows of every kinematic block; the first three are the pelvis and its two directions."""

SCALARS = (
    "contact_s",
    "step_s",
    "flight_before_s",
    "flight_after_s",
    "duty",
    "step_per_contact",
    "speed_m_s",
    "contact_travel_legs",
    "per_contact_s",
    "speed_legs",
)

FEATURES = 3 * len(COLUMNS) * (
    len(ACCELERATION_PHASES) + len(POSTURE_PHASES) + len(VELOCITY_PHASES)
) + len(SCALARS)
"""Number of features of a stance."""


@dataclass(frozen=True)
class Stance:
    """A stance with what is around it, times in s.

    `index` is the contact's place among the side's contacts.
    """

    side: Side
    index: int
    start: float
    end: float
    flight_before: float
    flight_after: float
    step: float


@dataclass(frozen=True)
class Signals:
    """Splines over time of the segments' motion, and the runner's size and speed.

    Attributes
    ----------
    span : (float, float) s
    names : tuple of str, length N
    place, velocity, acceleration : splines t → (..., N, 3); m, m/s, g
    leg : float, m, hip to ankle
    foot : (2,) m, heel to ball of each side
    speed : float, m/s over the ground
    """

    span: tuple[float, float]
    names: tuple[str, ...]
    place: CubicSpline
    velocity: CubicSpline
    acceleration: CubicSpline
    leg: float
    foot: Array
    speed: float


def stance_signals(paths: AnatomicalPaths, cutoff: float = FEATURE_CUTOFF) -> Signals:
    """Smoothed places, velocities and accelerations of pelvis and legs.

    X of every vector is along the progression, Z to its right.

    Raises
    ------
    CaptureError
        When a needed point is missing or never seen.
    """
    needed = [
        f"{n}_{s}"
        for s in SIDES
        for n in (
            "hip_center",
            "knee_center",
            "ankle_center",
            "heel_bottom",
            "metatarsal_1",
            "metatarsal_5",
        )
    ]
    missing = [n for n in needed if n not in paths.points]
    if missing:
        raise CaptureError(
            "pelvis, joint centres, heels and metatarsal heads for predicting the ground "
            "reaction",
            f"no {', '.join(missing)}",
            "use a marker set that has them, or give the measured forces",
        )
    turn = to_progression(paths)
    p = {n: _whole(paths.points[n], n) @ turn.T for n in needed}
    hips = 0.5 * (p["hip_center_r"] + p["hip_center_l"])
    parts = {
        "pelvis": hips,
        "pelvis_width": p["hip_center_r"] - p["hip_center_l"],
        "pelvis_depth": _depth(paths, turn),
    }
    for s in SIDES:
        hip, knee, ankle = (p[f"{n}_center_{s}"] for n in ("hip", "knee", "ankle"))
        # Centres of mass along thigh and shank: de Leva 1996, doi:10.1016/0021-9290(95)00178-6
        parts[f"thigh_{s}"] = hip + 0.41 * (knee - hip)
        parts[f"shank_{s}"] = knee + 0.446 * (ankle - knee)
        parts[f"heel_{s}"] = p[f"heel_bottom_{s}"]
        parts[f"forefoot_{s}"] = 0.5 * (p[f"metatarsal_1_{s}"] + p[f"metatarsal_5_{s}"])
    names = tuple(parts)
    stacked = np.stack([parts[n] for n in names], axis=1)
    cutoff = min(cutoff, 0.4 * paths.rate)
    q, qd, qdd = smooth_derivatives(paths.time, stacked, cutoff)
    ground = turn @ paths.belt_velocity
    travel = (hips[-1] - hips[0])[0] / (paths.time[-1] - paths.time[0])
    legs = [
        np.linalg.norm(p[f"hip_center_{s}"] - p[f"knee_center_{s}"], axis=1)
        + np.linalg.norm(p[f"knee_center_{s}"] - p[f"ankle_center_{s}"], axis=1)
        for s in SIDES
    ]
    foot = [
        np.median(np.linalg.norm(parts[f"forefoot_{s}"] - parts[f"heel_{s}"], axis=1))
        for s in SIDES
    ]
    return Signals(
        span=(float(paths.time[0]), float(paths.time[-1])),
        names=names,
        place=CubicSpline(paths.time, q),
        velocity=CubicSpline(paths.time, qd),
        acceleration=CubicSpline(paths.time, qdd / GRAVITY),
        leg=float(np.median(legs)),
        foot=np.array(foot),
        speed=float(travel - ground[0]),
    )


def stances(contacts: Contacts) -> list[Stance]:
    """Stances with their neighbours, in order of time; flight and step from the other foot.

    Where a neighbour was not recorded, the median of those that were stands in.
    """
    all_ = sorted(
        ((c, s, k) for s in SIDES for k, c in enumerate(contacts.of(s))),
        key=lambda item: item[0].initial_contact_s,
    )
    gaps = [
        b.initial_contact_s - a.toe_off_s
        for (a, sa, _), (b, sb, _) in pairwise(all_)
        if sa != sb and a.complete_end and b.complete_start
    ]
    usual = float(np.median(gaps)) if gaps else 0.1
    out = []
    for n, (c, side, index) in enumerate(all_):
        if not c.complete:
            continue
        earlier = all_[n - 1] if n and all_[n - 1][1] != side else None
        later = all_[n + 1] if n + 1 < len(all_) and all_[n + 1][1] != side else None
        before = _gap(earlier[0], c) if earlier else None
        after = _gap(c, later[0]) if later else None
        first = usual if before is None else before
        last = usual if after is None else after
        # From the landing before to the landing after are two steps.
        complete = earlier is not None and earlier[0].complete
        previous = earlier[0].duration_s if complete and earlier else c.duration_s
        step = 0.5 * (previous + first + c.duration_s + last)
        start, end = c.initial_contact_s, c.toe_off_s
        out.append(Stance(side, index, start, end, first, last, float(step)))
    return out


def inside(stance: Stance, span: tuple[float, float]) -> bool:
    """Whether the recording covers all that is looked at around a stance."""
    margin = OUTSIDE * (stance.end - stance.start)
    return stance.start - margin >= span[0] and stance.end + margin <= span[1]


def stance_features(signals: Signals, stance: Stance) -> Array:
    """Features (FEATURES,) of one stance, mirrored to the right side; no unit."""
    contact = stance.end - stance.start
    columns, sign = _columns(signals.names, stance.side)

    def read(spline: CubicSpline, phases: Array) -> Array:
        values = spline(stance.start + contact * phases)[:, columns]
        return np.asarray(values * sign)

    speed_unit = np.sqrt(GRAVITY * signals.leg)
    acceleration = read(signals.acceleration, ACCELERATION_PHASES)
    place = read(signals.place, POSTURE_PHASES)
    posture = place.copy()
    posture[:, 3:] -= place[:, :1]
    posture[:, 0] = np.stack((0 * place[:, 0, 0], place[:, 0, 1], 0 * place[:, 0, 2]), axis=-1)
    # Height of the pelvis counts over the standing forefoot, not over the laboratory.
    posture[:, 0, 1] -= place[:, COLUMNS.index("stance_forefoot"), 1].min()
    velocity = read(signals.velocity, VELOCITY_PHASES)
    drift = read(signals.velocity, np.linspace(0.0, 1.0, 9))[:, 0].mean(axis=0)
    drift[1] = 0.0
    velocity[:, [0, *range(3, len(COLUMNS))]] -= drift
    scalars = [
        contact,
        stance.step,
        stance.flight_before,
        stance.flight_after,
        contact / stance.step,
        stance.step / contact,
        signals.speed,
        signals.speed * contact / signals.leg,
        1.0 / contact,
        signals.speed / speed_unit,
    ]
    return np.concatenate(
        (
            acceleration.ravel(),
            posture.ravel() / signals.leg,
            velocity.ravel() / speed_unit,
            scalars,
        )
    )


def segment_accelerations(signals: Signals, stance: Stance, phases: Array) -> Array:
    """Accelerations (N, C, 3) in g of `COLUMNS` at phases (N,), mirrored to the right."""
    columns, sign = _columns(signals.names, stance.side)
    at = stance.start + (stance.end - stance.start) * phases
    return np.asarray(signals.acceleration(at)[:, columns] * sign)


def foot_frame(signals: Signals, side: Side, time: Array) -> tuple[Array, Array, Array]:
    """Ball of the foot (T, 3) m and horizontal unit vectors forward and outward.

    Vectors are in the progression's axes; the centre of pressure is predicted in them.
    """
    place = signals.place(time)
    heel = place[:, signals.names.index(f"heel_{side}")]
    ball = place[:, signals.names.index(f"forefoot_{side}")]
    along = (ball - heel) * np.array([1.0, 0.0, 1.0])
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    outward = np.cross(along, [0.0, 1.0, 0.0]) * (1.0 if side == "r" else -1.0)
    return ball, along, outward


def to_progression(paths: AnatomicalPaths) -> Array:
    """Rotation (3, 3) that takes laboratory vectors to X along the progression, Y up."""
    forward = np.asarray(paths.progression, dtype=np.float64) * np.array([1.0, 0.0, 1.0])
    forward = forward / np.linalg.norm(forward)
    up = np.array([0.0, 1.0, 0.0])
    return np.stack((forward, up, np.cross(forward, up)))


def _columns(names: Sequence[str], side: Side) -> tuple[list[int], Array]:
    other = "l" if side == "r" else "r"
    order = ["pelvis", "pelvis_depth", "pelvis_width"]
    order += [f"{p}_{side}" for p in _PARTS] + [f"{p}_{other}" for p in _PARTS]
    sign = np.ones((len(order), 3))
    if side == "l":
        sign[:, 2] = -1.0
        # The mirror image of the vector from left to right hip points the other way.
        sign[2] *= -1.0
    return [names.index(n) for n in order], sign


def _depth(paths: AnatomicalPaths, turn: Array) -> Array:
    """Vector from the back to the front of the pelvis, m."""
    if all(n in paths.points for n in _PELVIS):
        p = [_whole(paths.points[n], n) @ turn.T for n in _PELVIS]
        return np.asarray(0.5 * (p[0] + p[1] - p[2] - p[3]))
    raise CaptureError(
        "anterior and posterior iliac spines for predicting the ground reaction",
        f"no {', '.join(n for n in _PELVIS if n not in paths.points)}",
        "use a marker set that has them, or give the measured forces",
    )


def _gap(earlier: Contact, later: Contact) -> float | None:
    if not (earlier.complete_end and later.complete_start):
        return None
    return later.initial_contact_s - earlier.toe_off_s


def _whole(points: Array, name: str) -> Array:
    """The path with its gaps bridged by straight lines."""
    good = np.isfinite(points).all(axis=1)
    if good.all():
        return points
    if good.sum() < 2:
        raise CaptureError(
            f"the point {name} in the recording",
            "no frame with it",
            "check the markers it is computed from",
        )
    k = np.arange(len(points))
    return np.column_stack([np.interp(k, k[good], points[good, j]) for j in range(3)])
