"""A stick figure that walks, runs, squats or drops, with everything about it known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from kneestride.motion.contacts import Contact, Contacts
from kneestride.motion.kinematics import AnatomicalPaths
from kneestride.vocabulary import MEDIAL_SIGN, SIDES, Array

THIGH, SHANK, ANKLE = 0.43, 0.42, 0.08
HIP = 0.09
OTHER = {"r": "l", "l": "r"}
ANGLES = (
    "hip_adduction",
    "hip_rotation",
    "knee_adduction",
    "knee_rotation",
    "subtalar_angle",
    "ankle_angle",
)


@dataclass(frozen=True)
class Gait:
    """A gait to draw; metres, seconds, radians."""

    step_width: float = 0.04
    speed: float = 3.0
    period: float = 0.7
    duty: float = 0.35
    cycles: float = 6.3
    rate: float = 200.0
    treadmill: bool = True
    knee_in: float = 0.0
    """Medial shift of both knee centres from the straight leg."""
    toe_out: float = 0.0


def foot_points(side: str, heel: Array, toe_out: float | Array = 0.0) -> dict[str, Array]:
    """Sole points of a flat foot (T, 3) behind a heel point; medial is -Z on the right."""
    lateral = -MEDIAL_SIGN[side]
    turn = np.asarray(toe_out)[..., None]
    ahead = np.concatenate([np.cos(turn), np.zeros_like(turn), lateral * np.sin(turn)], axis=-1)
    out = np.concatenate([-np.sin(turn), np.zeros_like(turn), lateral * np.cos(turn)], axis=-1)
    ball = heel + 0.18 * ahead
    return {
        f"heel_bottom_{side}": heel,
        f"metatarsal_1_{side}": ball - 0.03 * out,
        f"metatarsal_2_{side}": ball,
        f"metatarsal_5_{side}": ball + 0.06 * out,
        f"toe_{side}": heel + 0.25 * ahead,
        f"ankle_center_{side}": heel + 0.05 * ahead + np.array([0.0, ANKLE, 0.0]),
    }


def leg_points(side: str, hip: Array, ankle: Array, knee_in: float = 0.0) -> dict[str, Array]:
    """Knee between hip and ankle, bent forwards to fit, moved medially by `knee_in`."""
    line = ankle - hip
    length = np.linalg.norm(line, axis=1, keepdims=True)
    share = (THIGH**2 - SHANK**2 + length**2) / (2.0 * length**2)
    bend = np.sqrt(np.maximum(THIGH**2 - (share * length) ** 2, 0.0))
    forward = np.cross(line / length, [0.0, 0.0, 1.0])
    forward *= np.sign(forward[:, :1])
    forward /= np.linalg.norm(forward, axis=1, keepdims=True)
    knee = hip + share * line + bend * forward
    knee = knee + np.array([0.0, 0.0, MEDIAL_SIGN[side] * knee_in])
    across = np.array([0.0, 0.0, -MEDIAL_SIGN[side] * 0.04])
    low = np.array([0.0, 0.0, -MEDIAL_SIGN[side] * 0.03])
    return {
        f"hip_center_{side}": hip,
        f"knee_center_{side}": knee,
        f"patella_{side}": knee + np.array([0.05, 0.0, 0.0]),
        f"epicondyle_lateral_{side}": knee + across,
        f"epicondyle_medial_{side}": knee - across,
        f"malleolus_lateral_{side}": ankle + low,
        f"malleolus_medial_{side}": ankle - low,
    }


def finish(
    time: Array,
    rate: float,
    points: dict[str, Array],
    belt: float = 0.0,
    angles: dict[str, Array] | None = None,
) -> AnatomicalPaths:
    """Paths in the ground frame of the vocabulary, with angles that tell the sides apart."""
    wave = np.sin(2.0 * np.pi * time)
    everything = {
        f"{name}_{side}": 0.1 * (k + 1) * wave + (0.02 if side == "r" else 0.05)
        for k, name in enumerate(ANGLES)
        for side in SIDES
    }
    frames = {"pelvis": np.tile(np.eye(3), (len(time), 1, 1))}
    points["center_of_mass"] = 0.5 * (points["hip_center_r"] + points["hip_center_l"])
    return AnatomicalPaths(
        time=time,
        rate=rate,
        points=points,
        angles={**everything, **(angles or {})},
        frames=frames,
        progression=np.array([1.0, 0.0, 0.0]),
        belt_velocity=np.array([-belt, 0.0, 0.0]),
    )


def gait(g: Gait = Gait()) -> tuple[AnatomicalPaths, Contacts]:
    """A figure that steps, and its true contacts.

    Feet stand still on the ground in stance and swing on a quintic with a 0.15 m lift;
    the right foot lands at 0.1 s, the left half a period later.
    """
    time = np.arange(round(g.cycles * g.period * g.rate)) / g.rate
    travel = np.column_stack([g.speed * time, 0.0 * time, 0.0 * time])
    points: dict[str, Array] = {}
    contacts = {}
    for side, first in (("r", 0.1), ("l", 0.1 + 0.5 * g.period)):
        lateral = -MEDIAL_SIGN[side]
        cycle = (time - first) / g.period
        index, phase = np.floor(cycle), cycle - np.floor(cycle)
        stance = g.duty * g.period
        stride = g.speed * g.period
        place = g.speed * (first + index * g.period + 0.5 * stance)  # under the hip mid-stance
        u = np.clip((phase - g.duty) / (1.0 - g.duty), 0.0, 1.0)
        place = place + stride * (10 * u**3 - 15 * u**4 + 6 * u**5)
        height = 0.15 * np.sin(np.pi * u) ** 2
        z = np.full_like(time, lateral * 0.5 * g.step_width)
        heel = np.column_stack([place - 0.08, height, z])
        points |= foot_points(side, heel, np.full_like(time, g.toe_out))
        hip = travel + np.array([0.0, 0.88, lateral * HIP])
        ankle = points[f"ankle_center_{side}"]
        points |= leg_points(side, hip, ankle, g.knee_in)
        starts = first + g.period * np.arange(-1, int(g.cycles) + 1)
        contacts[side] = tuple(
            Contact(
                float(max(a, 0.0)),
                float(min(a + stance, time[-1])),
                bool(a >= 0.0),
                bool(a + stance <= time[-1]),
            )
            for a in starts
            if a < time[-1] and a + stance > 0.0
        )
    belt = 0.0
    if g.treadmill:
        belt = g.speed
        points = {name: p - travel for name, p in points.items()}
    paths = finish(time, g.rate, points, belt)
    return paths, Contacts(contacts["r"], contacts["l"], "force")


def squats(
    count: int = 3, knee_in: float = 0.0, drop: float = 0.25, asymmetry: float = 0.0
) -> AnatomicalPaths:
    """Squats on both feet, 2 s each with 1 s between; knees move medially with depth."""
    rate = 100.0
    time = np.arange(round((3.0 * count + 1.0) * rate)) / rate
    inside = np.mod(time, 3.0) - 1.0
    depth = np.where((inside > 0) & (time < 3.0 * count), 0.5 - 0.5 * np.cos(np.pi * inside), 0)
    points: dict[str, Array] = {}
    for side in SIDES:
        lateral = -MEDIAL_SIGN[side]
        heel = np.tile([-0.05, 0.0, lateral * 0.12], (len(time), 1))
        points |= foot_points(side, heel)
        hip = np.column_stack(
            [-0.1 * depth, 0.92 - drop * depth, np.full_like(time, lateral * HIP)]
        )
        points |= leg_points(side, hip, points[f"ankle_center_{side}"])
        shift = (knee_in + (asymmetry if side == "r" else 0.0)) * depth
        for name in ("knee_center", "patella", "epicondyle_lateral", "epicondyle_medial"):
            moved = points[f"{name}_{side}"].copy()
            moved[:, 2] -= lateral * shift
            points[f"{name}_{side}"] = moved
    return finish(time, rate, points)


def drop_jump() -> tuple[AnatomicalPaths, float]:
    """A drop from a 0.3 m box onto both feet, and the time of landing."""
    rate, box, start = 200.0, 0.3, 0.6
    time = np.arange(round(2.0 * rate)) / rate
    landing = start + np.sqrt(2.0 * box / 9.81)
    fall = np.maximum(box - 0.5 * 9.81 * np.maximum(time - start, 0.0) ** 2, 0.0)
    speed = np.sqrt(2.0 * 9.81 * box)
    after = np.maximum(time - landing, 0.0)
    sink = np.where(after > 0, speed * after * np.exp(-after / 0.12), 0.0)
    points: dict[str, Array] = {}
    for side in SIDES:
        lateral = -MEDIAL_SIGN[side]
        heel = np.column_stack([0.0 * time - 0.05, fall, np.full_like(time, lateral * 0.12)])
        points |= foot_points(side, heel)
        hip = np.column_stack(
            [0.0 * time, 0.92 + fall - sink, np.full_like(time, lateral * HIP)]
        )
        points |= leg_points(side, hip, points[f"ankle_center_{side}"])
    return finish(time, rate, points), float(landing)


def mirrored(paths: AnatomicalPaths) -> AnatomicalPaths:
    """The same person in a mirror: left and right change names, Z changes sign."""
    flip = np.array([1.0, 1.0, -1.0])
    matrix = np.diag(flip)

    def swap(name: str) -> str:
        return f"{name[:-1]}{OTHER[name[-1]]}" if name[-2:] in ("_r", "_l") else name

    return AnatomicalPaths(
        paths.time,
        paths.rate,
        {swap(n): p * flip for n, p in paths.points.items()},
        {swap(n): a for n, a in paths.angles.items()},
        {swap(n): matrix @ f @ matrix for n, f in paths.frames.items()},
        paths.progression * flip,
        paths.belt_velocity * flip,
    )


def mirrored_contacts(contacts: Contacts) -> Contacts:
    """Contacts of the mirrored person."""
    return Contacts(contacts.l, contacts.r, contacts.source)


def turned(paths: AnatomicalPaths, radians: float) -> AnatomicalPaths:
    """The same person in a laboratory turned about the vertical."""
    c, s = np.cos(radians), np.sin(radians)
    turn = np.array([[c, 0.0, s], [0.0, 1.0, 0.0], [-s, 0.0, c]])
    return AnatomicalPaths(
        paths.time,
        paths.rate,
        {n: p @ turn.T for n, p in paths.points.items()},
        dict(paths.angles),
        {n: turn @ f for n, f in paths.frames.items()},
        turn @ paths.progression,
        turn @ paths.belt_velocity,
    )
