"""A symmetric cartoon of a run on a belt, for laws of the predicted ground reaction."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
from kneestride.motion.contacts import Contact, Contacts
from kneestride.motion.kinematics import AnatomicalPaths

MASS = 68.0
SPEED, STRIDE, CONTACT = 3.0, 0.70, 0.25
FLIP = np.array([1.0, 1.0, -1.0])


@cache
def runner() -> AnatomicalPaths:
    """A symmetric cartoon of a run on a belt: sinusoids with a foot that stands."""
    t = np.arange(600) / 150.0
    points: dict[str, np.ndarray] = {}
    w = 2 * np.pi / STRIDE
    pelvis = np.stack((0 * t, 0.92 + 0.04 * np.cos(2 * w * (t - 0.125)), 0 * t), -1)
    for side, sign, late in (("r", 1.0, 0.0), ("l", -1.0, STRIDE / 2)):
        u = np.mod(t - late, STRIDE)
        swing = np.clip((u - CONTACT) / (STRIDE - CONTACT), 0, 1)
        back = 0.3 - SPEED * np.minimum(u, CONTACT)
        ease = swing**3 * (10 - 15 * swing + 6 * swing**2)
        x = np.where(u < CONTACT, back, 0.3 - SPEED * CONTACT * (1 - ease))
        y = 0.06 + 0.25 * np.sin(np.pi * swing) ** 2
        ankle = np.stack((x, y + 0.05, np.full_like(t, 0.05 * sign)), -1)
        hip = pelvis + np.array([0.0, 0.0, 0.09 * sign])
        knee = 0.5 * (hip + ankle) + np.array([0.08, 0.0, 0.0])
        points |= {f"hip_center_{side}": hip, f"knee_center_{side}": knee}
        points |= {f"ankle_center_{side}": ankle}
        for name, dx, dz in (
            ("heel", -0.07, 0.0),
            ("heel_bottom", -0.06, 0.0),
            ("metatarsal_1", 0.14, -0.04),
            ("metatarsal_5", 0.12, 0.05),
            ("toe", 0.20, 0.0),
        ):
            points[f"{name}_{side}"] = ankle + np.array([dx, -0.05, dz * sign])
        points[f"asis_{side}"] = pelvis + np.array([0.1, 0.08, 0.12 * sign])
        points[f"psis_{side}"] = pelvis + np.array([-0.1, 0.08, 0.05 * sign])
    forward = np.array([1.0, 0.0, 0.0])
    return AnatomicalPaths(t, 150.0, points, {}, {}, forward, -SPEED * forward)


def contacts(duration: float = 4.0) -> Contacts:
    sides = []
    for late in (0.0, STRIDE / 2):
        landings = np.arange(late, duration, STRIDE)
        sides.append(
            tuple(
                Contact(
                    float(a), float(min(a + CONTACT, duration)), a > 0.01, a + CONTACT < 3.99
                )
                for a in landings
            )
        )
    return Contacts(sides[0], sides[1])


def mirrored(paths: AnatomicalPaths) -> AnatomicalPaths:
    other = {"r": "l", "l": "r"}
    return replace(
        paths, points={f"{k[:-1]}{other[k[-1]]}": v * FLIP for k, v in paths.points.items()}
    )


def turned(paths: AnatomicalPaths, angle: float, shift: np.ndarray) -> AnatomicalPaths:
    c, s = np.cos(angle), np.sin(angle)
    turn = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
    return replace(
        paths,
        points={k: v @ turn.T + shift for k, v in paths.points.items()},
        progression=turn @ paths.progression,
        belt_velocity=turn @ paths.belt_velocity,
    )
