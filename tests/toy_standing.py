"""The toy gait model standing or leaning, taken through the loads chain without a recording."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from kneestride.loads import muscles as fibers
from kneestride.loads.knee import balance_of
from kneestride.loads.knee_balance import KneeBalance
from kneestride.loads.recruitment import RecruitmentProblem
from kneestride.model.knee import add_knee, read_knee
from kneestride.model.multibody import Dynamics, Multibody
from kneestride.model.muscle_parameters import MuscleParameters, muscle_parameters
from kneestride.model.paths import MusclePaths, PathGeometry
from kneestride.vocabulary import GRAVITY, MEDIAL_SIGN, SIDES, Array
from toy_gait_model import MASS, toy_gait_model

WEIGHT = MASS * GRAVITY


@dataclass(frozen=True)
class Toy:
    """The model's array forms, built once."""

    model: Any
    multibody: Multibody
    knees: Any
    geometry: PathGeometry
    parameters: MuscleParameters


@cache
def toy() -> Toy:
    model = toy_gait_model()
    model.initSystem()
    add_knee(model)
    model.initSystem()
    knees = read_knee(model)
    centers = np.array([knees[side].joint_center for side in SIDES])
    geometry = PathGeometry(model, centers)
    return Toy(model, Multibody.from_osim(model), knees, geometry, muscle_parameters(model))


@dataclass(frozen=True)
class Standing:
    """One quasi-static case through the chain."""

    dynamics: Dynamics
    paths: MusclePaths
    balance: KneeBalance
    problem: RecruitmentProblem


def stand(
    pose: dict[str, float] | None = None,
    share: tuple[float, float] = (0.5, 0.5),
    medial_shift: tuple[float, float] = (0.0, 0.0),
    forward: float = 0.0,
    strength: float = 1.0,
    frames: int = 3,
) -> Standing:
    """Hold a pose on two ground reactions.

    Parameters
    ----------
    pose : coordinate name to rad or m; all others zero
    share : of body weight on each foot, vertical
    medial_shift : m, centre of pressure of each foot, from below the ankle towards medial
    forward : m, both centres of pressure ahead of the ankles
    strength : factor on all muscles
    """
    t = toy()
    names = t.multibody.coordinates
    q = np.zeros((frames, len(names)))
    for name, value in (pose or {}).items():
        q[:, names.index(name)] = value
    zero = np.zeros_like(q)
    _, position = t.multibody.poses(q)
    force = np.zeros((frames, len(t.multibody.bodies), 3))
    moment = np.zeros_like(force)
    for s, side in enumerate(SIDES):
        foot = t.multibody.body(f"calcn_{side}")
        point = position[:, foot] + [forward, 0.0, MEDIAL_SIGN[side] * medial_shift[s]]
        force[:, foot, 1] = share[s] * WEIGHT
        moment[:, foot] = np.cross(point, force[:, foot])
    dynamics = t.multibody.inverse_dynamics(q, zero, zero, force, moment)
    paths = t.geometry.evaluate(q)
    balance = balance_of(t.multibody, dynamics, t.knees)
    parameters = t.parameters.strengthened(strength)
    still: Array = np.zeros_like(paths.length)
    capacity = fibers.capacity(parameters, fibers.rigid_tendon(parameters, paths.length, still))
    problem = RecruitmentProblem(
        time=np.arange(frames) / 100,
        body_weight=WEIGHT,
        paths=paths,
        capacity=capacity,
        moments=dynamics.tau,
        balance=balance,
        volume=parameters.max_isometric_force * parameters.optimal_fiber_length,
    )
    return Standing(dynamics, paths, balance, problem)


def swap_sides(names: tuple[str, ...]) -> list[int]:
    """Index of each name's counterpart on the other side."""
    other = {"r": "l", "l": "r"}
    return [
        names.index(n[:-1] + other[n[-1]]) if n[-2:] in ("_r", "_l") else names.index(n)
        for n in names
    ]
