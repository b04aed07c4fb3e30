"""Muscle geometry, joint reaction and knee loads on public models and published motions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kneestride.loads.knee import balance_of, joint_reaction, knee_loads
from kneestride.loads.recruitment import RecruitmentSettings, recruit
from kneestride.loads.selfcheck import self_check
from kneestride.model.knee import add_knee, read_knee
from kneestride.model.multibody import Multibody
from kneestride.model.osim import load_model, opensim
from kneestride.model.paths import PathGeometry
from kneestride.vocabulary import SIDES, Array
from reference_motion import RUN, WALK, chain

pytestmark = pytest.mark.real

MODELS = (
    "Rajagopal2016",
    "RajagopalLaiUhlrich2023",
    "FullBodyModel_Hamner2010_v2_0",
    "gait2392_millard2012muscle",
)


def knee_model(shared_models: Path, name: str) -> Any:
    model = load_model(shared_models / f"{name}.osim")
    add_knee(model)
    model.initSystem()
    return model


def random_poses(body: Multibody, count: int) -> Array:
    """Poses in the middle third of each range, within a radian of zero."""
    rng = np.random.default_rng(2)
    low, high = np.clip(body.lower, -1, 1), np.clip(body.upper, -1, 1)
    spread = rng.uniform(1 / 3, 2 / 3, (count, len(low)))
    return low + spread * (high - low)


def set_pose(
    model: Any, state: Any, body: Multibody, q: Array, qd: Array | None = None
) -> None:
    full = body.expand(q[None])[0]
    rates = None if qd is None else (body.expand(q[None] + 1e-6 * qd)[0] - full) / 1e-6
    coordinates = model.getCoordinateSet()
    for i, name in enumerate(body.full_coordinates):
        coordinate = coordinates.get(name)
        coordinate.setLocked(state, False)
        coordinate.setClamped(state, False)
        coordinate.setValue(state, float(full[i]), False)
        if rates is not None:
            coordinate.setSpeedValue(state, float(rates[i]))


@pytest.mark.parametrize("name", MODELS)
def test_lengths_and_moment_arms_are_opensims(shared_models: Path, name: str) -> None:
    model = knee_model(shared_models, name)
    geometry = PathGeometry(model)
    q = random_poses(geometry.multibody, 3)
    found = geometry.evaluate(q)
    state = model.initSystem()
    stems = ("hip_flexion", "hip_rotation", "knee_angle", "knee_adduction", "ankle_angle")
    for t in range(len(q)):
        set_pose(model, state, geometry.multibody, q[t])
        model.realizePosition(state)
        for m, muscle_name in enumerate(found.names):
            muscle = model.getMuscles().get(muscle_name)
            assert found.length[t, m] == pytest.approx(muscle.getLength(state), abs=1e-7)
            for stem in stems:
                for side in SIDES:
                    coordinate = model.getCoordinateSet().get(f"{stem}_{side}")
                    expected = muscle.computeMomentArm(state, coordinate)
                    arm = found.column(f"{stem}_{side}")[t, m]
                    assert arm == pytest.approx(expected, abs=1e-6), (muscle_name, stem, side)


@pytest.mark.parametrize("name", MODELS)
def test_joint_reaction_is_opensims(shared_models: Path, name: str) -> None:
    """Within 0.1 N of what OpenSim's JointReaction evaluates, given the same muscle forces."""
    model = knee_model(shared_models, name)
    forces = model.getForceSet()
    for i in range(forces.getSize()):
        force = forces.get(i)
        if opensim.Muscle.safeDownCast(force) is None:
            force.set_appliesForce(False)
    geometry = PathGeometry(model)
    body, knees = geometry.multibody, read_knee(model)
    rng = np.random.default_rng(5)
    q = random_poses(body, 1)
    qd = rng.uniform(-2, 2, q.shape)
    tension = rng.uniform(10, 300, (1, len(geometry.names)))
    state = model.initSystem()
    set_pose(model, state, body, q[0], qd[0])
    for m, muscle_name in enumerate(geometry.names):
        muscle = model.getMuscles().get(muscle_name)
        muscle.overrideActuation(state, True)
        muscle.setOverrideActuation(state, float(tension[0, m]))
    model.realizeAcceleration(state)
    coordinates = model.getCoordinateSet()
    qdd = np.array([[coordinates.get(n).getAccelerationValue(state) for n in body.coordinates]])
    nothing = np.zeros((1, len(body.bodies), 3))
    dynamics = body.inverse_dynamics(q, qd, qdd, nothing, nothing, as_simbody=True)
    balance = balance_of(body, dynamics, knees)
    ours = joint_reaction(balance, geometry.evaluate(q), tension)[0]
    for s, side in enumerate(SIDES):
        joint = model.getJointSet().get(f"knee_frontal_{side}")
        reaction = joint.calcReactionOnChildExpressedInGround(state)
        in_ground = [[reaction.get(k).get(i) for i in range(3)] for k in (1, 0)]
        axes = dynamics.rotation[0, body.body(f"tibia_{side}")]
        theirs = np.concatenate([np.array(v) @ axes for v in in_ground])
        np.testing.assert_allclose(ours[s, :3], theirs[:3], atol=0.1)
        np.testing.assert_allclose(ours[s, 3:], theirs[3:], atol=0.05)


def peak(shared_data: Path, criterion: str, elastic: bool) -> float:
    """Larger of both sides' peak tibiofemoral force of the published run, body weights."""
    run = chain(shared_data, RUN)
    found = recruit(run.problem(elastic), RecruitmentSettings(criterion))  # type: ignore[arg-type]
    assert found.solved.all()
    return float((found.medial + found.lateral).max() / run.weight)


def test_running_peaks_fall_with_elastic_tendons_and_knee_awareness(shared_data: Path) -> None:
    plain = peak(shared_data, "squared", elastic=False)
    aware = peak(shared_data, "knee_aware", elastic=False)
    default = peak(shared_data, "knee_aware", elastic=True)
    # Prototype: 14.1, 12.3, 9.5; the first two are the known faults of rigid tendons.
    assert 13 < plain < 15
    assert 11.5 < aware < 13
    assert 7 < default < 11


def test_running_reserves_stay_below_the_limit_of_failure(shared_data: Path) -> None:
    run = chain(shared_data, RUN)
    problem, settings = run.problem(elastic=True), RecruitmentSettings()
    stance = run.vertical > 50
    found = {c.name: c for c in self_check(problem, recruit(problem), settings, stance)}
    assert found["balance"].verdict == "pass"
    assert found["reserves"].verdict != "fail"
    rigid = run.problem(elastic=False)
    worse = {
        c.name: c for c in self_check(rigid, recruit(rigid), settings, stance, variants=False)
    }
    # What the elastic pass is for: the ankle gets its moment, the soleus its length back.
    assert worse["reserves"].verdict == "fail"
    assert found["soleus_length"].value < worse["soleus_length"].value - 0.1


def test_walking_against_the_implant_beats_the_stock_chain(shared_data: Path) -> None:
    """Stock figures of five trials: 296, 194, 319 N for medial, lateral and total."""
    walk = chain(shared_data, WALK)
    problem = walk.problem(elastic=True)
    found = knee_loads(recruit(problem), walk.balance, walk.paths)
    table = np.genfromtxt(
        shared_data / "gc5" / "ngait_og_ss1_etibia.csv", delimiter=",", skip_header=1
    )
    percent = np.linspace(0, 100, len(walk.time))
    for values, measured, stock in zip(
        (found.medial, found.lateral, found.total), table.T[1:], (296, 194, 319), strict=True
    ):
        ours = np.interp(table[:, 0], percent, values[:, 1])
        assert np.sqrt(np.mean((ours - measured) ** 2)) < stock


def test_every_frame_of_both_motions_solves_without_fallback(shared_data: Path) -> None:
    for reference in (RUN, WALK):
        motion = chain(shared_data, reference)
        found = recruit(motion.problem(elastic=True))
        assert found.solved.all()
        assert found.muscles.fallback.mean() < 0.01
        assert found.muscles.equality_residual.max() < 1e-6
