"""Published motions with their scaled models, taken through kneestride's loads chain.

Kinematics and scaling are those that come with the data, so that only the loads are tried.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from kneestride.capture.sto import Table, read_table
from kneestride.loads import muscles as fibers
from kneestride.loads.knee import balance_of
from kneestride.loads.knee_balance import KneeBalance
from kneestride.loads.recruitment import RecruitmentProblem
from kneestride.model.knee import add_knee, read_knee
from kneestride.model.multibody import Dynamics, Multibody
from kneestride.model.muscle_parameters import MuscleParameters, muscle_parameters
from kneestride.model.osim import load_model
from kneestride.model.paths import MusclePaths, PathGeometry
from kneestride.motion.filtering import lowpass, smooth_derivatives
from kneestride.vocabulary import GRAVITY, SIDES, Array


@dataclass(frozen=True)
class Reference:
    """Where a published motion is, and which force columns belong to which foot."""

    model: str
    motion: str
    forces: str
    columns: tuple[tuple[str, ...], tuple[str, ...]]
    mass: float
    rate: float
    cutoff: float


RUN = Reference(
    "bmc_run/reference/scaled_rajagopal2015.osim",
    "bmc_run/reference/ik.mot",
    "bmc_run/run_grf.mot",
    (("R_",), ("L_",)),
    70.0,
    150.0,
    15.0,
)
WALK = Reference(
    "gc5/reference/scaled_rajagopal2015.osim",
    "gc5/reference/ngait_og_ss1_ik.mot",
    "gc5/ngait_og_ss1_grf.mot",
    (("2_", "3_"), ("1_",)),
    75.0,
    120.0,
    6.0,
)


@dataclass(frozen=True)
class Chain:
    """A motion up to the recruitment problem's ingredients."""

    model: Any
    multibody: Multibody
    time: Array
    qd: Array
    dynamics: Dynamics
    balance: KneeBalance
    paths: MusclePaths
    parameters: MuscleParameters
    weight: float
    vertical: Array

    def problem(self, elastic: bool) -> RecruitmentProblem:
        """The recruitment problem, with rigid tendons or one elastic pass."""
        velocity = fibers.lengthening_velocity(self.paths, self.qd)
        ankles = [self.multibody.coordinate(f"ankle_angle_{side}") for side in SIDES]
        if elastic:
            moment = self.dynamics.tau[:, ankles]
            state = fibers.elastic_pass(
                self.parameters, self.paths, velocity, moment, self.time
            )
        else:
            state = fibers.rigid_tendon(self.parameters, self.paths.length, velocity)
        return RecruitmentProblem(
            self.time,
            self.weight,
            self.paths,
            fibers.capacity(self.parameters, state),
            self.dynamics.tau,
            self.balance,
            self.parameters.max_isometric_force * self.parameters.optimal_fiber_length,
        )


@cache
def chain(data: Path, reference: Reference) -> Chain:
    """Take a published motion up to muscle recruitment."""
    model = load_model(data / reference.model)
    add_knee(model)
    model.initSystem()
    body, knees = Multibody.from_osim(model), read_knee(model)
    motion = read_table(data / reference.motion)
    # Stamps are rounded: the rate is what the accelerations need.
    time = motion.time[0] + np.arange(len(motion.time)) / reference.rate
    q = np.tile(body.default, (len(time), 1))
    for i, name in enumerate(body.coordinates):
        if name in motion.names:
            values = motion.column(name)
            q[:, i] = np.deg2rad(values) if body.rotational[i] else values
    q, qd, qdd = smooth_derivatives(time, q, reference.cutoff)
    forces = read_table(data / reference.forces)
    force = np.zeros((len(time), len(body.bodies), 3))
    moment = np.zeros_like(force)
    for side, columns in zip(SIDES, reference.columns, strict=True):
        foot = body.body(f"calcn_{side}")
        for prefix in columns:
            on_foot, about_origin = _plate(forces, prefix, time, reference.cutoff)
            force[:, foot] += on_foot
            moment[:, foot] += about_origin
    dynamics = body.inverse_dynamics(q, qd, qdd, force, moment)
    centers = np.array([knees[side].joint_center for side in SIDES])
    feet = [body.body(f"calcn_{side}") for side in SIDES]
    return Chain(
        model,
        body,
        time,
        qd,
        dynamics,
        balance_of(body, dynamics, knees),
        PathGeometry(model, centers).evaluate(q),
        muscle_parameters(model),
        reference.mass * GRAVITY,
        force[:, feet, 1],
    )


def _plate(table: Table, prefix: str, time: Array, cutoff: float) -> tuple[Array, Array]:
    def triple(stem: str) -> Array:
        return np.stack(
            [table.column(f"{prefix}ground_{stem}{axis}") for axis in "xyz"], axis=1
        )

    force = triple("force_v")
    moment = np.cross(triple("force_p"), force) + triple("torque_")
    rate = 1 / float(np.median(np.diff(table.time)))
    smooth = lowpass(np.hstack([force, moment]), rate, cutoff)
    at = np.stack([np.interp(time, table.time, column) for column in smooth.T], axis=1)
    return at[:, :3], at[:, 3:]
