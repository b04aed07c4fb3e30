"""Muscle capacity agrees with OpenSim's Millard muscle, and behaves as muscle does."""

from __future__ import annotations

import numpy as np
import pytest
from kneestride.errors import SettingsError
from kneestride.loads import muscles as fibers
from kneestride.model.muscle_parameters import GRIDS, muscle_parameters
from kneestride.model.osim import opensim
from kneestride.vocabulary import Array
from toy_standing import stand, toy


@pytest.mark.parametrize("kind", GRIDS)
def test_curves_are_opensims_to_1e_6(kind: str) -> None:
    attribute = {
        "ActiveForceLengthCurve": "active_length",
        "ForceVelocityCurve": "force_velocity",
        "FiberForceLengthCurve": "passive_length",
        "TendonForceLengthCurve": "tendon",
    }[kind]
    curves = getattr(toy().parameters, attribute)
    muscle = opensim.Millard2012EquilibriumMuscle()  # owns the curve: keep it alive
    muscle.finalizeFromProperties()
    curve = getattr(muscle, f"get{kind}")()
    x = np.linspace(GRIDS[kind][0], GRIDS[kind][-1], 1777)
    value, slope = fibers.evaluate(
        curves, np.tile(x[:, None], (1, len(toy().parameters.names)))
    )
    expected = np.array([curve.calcValue(float(v)) for v in x])
    np.testing.assert_allclose(
        value, np.tile(expected[:, None], (1, value.shape[1])), atol=1e-6
    )
    steep = np.array([curve.calcDerivative(float(v), 1) for v in x])
    np.testing.assert_allclose(slope[:, 0], steep, atol=2e-3 * np.abs(steep).max())


def test_each_muscle_keeps_its_own_curves() -> None:
    model = toy().model.clone()
    muscle = opensim.Millard2012EquilibriumMuscle.safeDownCast(
        model.getMuscles().get("soleus_r")
    )
    muscle.upd_TendonForceLengthCurve().set_strain_at_one_norm_force(0.10)
    model.initSystem()
    parameters = muscle_parameters(model)
    soft = parameters.names.index("soleus_r")
    one, _ = fibers.evaluate(parameters.tendon, np.full((1, len(parameters.names)), 1.10))
    assert one[0, soft] == pytest.approx(1.0, abs=1e-6)
    assert one[0, parameters.names.index("soleus_l")] > 2.0


def test_rigid_tendon_state_is_opensims_own() -> None:
    model = toy().model.clone()
    for m in range(model.getMuscles().getSize()):
        muscle = opensim.Millard2012EquilibriumMuscle.safeDownCast(model.getMuscles().get(m))
        muscle.set_ignore_tendon_compliance(True)
    state = model.initSystem()
    pose = {"knee_angle_r": 0.3, "ankle_angle_r": 0.15, "hip_flexion_r": 0.2}
    rates = {"knee_angle_r": -2.0, "ankle_angle_r": -1.5}
    coordinates = model.getCoordinateSet()
    names = toy().geometry.coordinates
    qd = np.zeros((3, len(names)))
    for name, value in pose.items():
        coordinates.get(name).setValue(state, value, False)
    coordinates.get("knee_angle_r_beta").setValue(state, 0.27, False)
    for name, value in rates.items():
        coordinates.get(name).setSpeedValue(state, value)
        qd[:, names.index(name)] = value
    coordinates.get("knee_angle_r_beta").setSpeedValue(state, 0.9 * -2.0)
    for m in range(model.getMuscles().getSize()):
        model.getMuscles().get(m).setActivation(state, 0.5)
    model.realizeDynamics(state)
    standing = stand(pose)
    velocity = fibers.lengthening_velocity(standing.paths, qd)
    found = fibers.rigid_tendon(toy().parameters, standing.paths.length, velocity)
    capacity = fibers.capacity(toy().parameters, found, passive=True)
    for m, name in enumerate(standing.paths.names):
        muscle = opensim.Millard2012EquilibriumMuscle.safeDownCast(model.getMuscles().get(name))
        expected = muscle.getNormalizedFiberLength(state)
        assert found.length[0, m] == pytest.approx(expected, abs=1e-7), name
        expected = muscle.getNormalizedFiberVelocity(state)
        assert found.velocity[0, m] == pytest.approx(expected, abs=1e-7), name
        expected = muscle.getCosPennationAngle(state)
        assert found.cos_pennation[0, m] == pytest.approx(expected, abs=1e-7), name
        size = muscle.getMaxIsometricForce() * 2e-6
        expected = muscle.getActiveFiberForceAlongTendon(state)
        assert 0.5 * capacity.active[0, m] == pytest.approx(expected, abs=size), name
        expected = muscle.getPassiveFiberElasticForceAlongTendon(state)
        assert capacity.passive[0, m] == pytest.approx(expected, abs=size), name


def test_fibres_that_may_not_feel_speed_pull_as_if_still() -> None:
    standing = stand({"ankle_angle_r": 0.1})
    parameters = toy().parameters
    length = standing.paths.length
    moving = fibers.rigid_tendon(parameters, length, np.full_like(length, -0.05))
    still = fibers.rigid_tendon(parameters, length, np.zeros_like(length))
    felt = fibers.capacity(parameters, moving)
    free = fibers.capacity(parameters, moving, force_velocity=False)
    np.testing.assert_allclose(free.active, fibers.capacity(parameters, still).active)
    assert (felt.active < free.active).all()


def test_one_curve_for_all_muscles_is_not_calibrated() -> None:
    model = toy().model.clone()
    assert not fibers.passive_is_calibrated(muscle_parameters(model))
    muscle = opensim.Millard2012EquilibriumMuscle.safeDownCast(
        model.getMuscles().get("soleus_r")
    )
    muscle.upd_FiberForceLengthCurve().set_strain_at_one_norm_force(0.9)
    model.initSystem()
    assert fibers.passive_is_calibrated(muscle_parameters(model))


def test_passive_force_is_off_unless_asked_for() -> None:
    assert not stand({"ankle_angle_r": 0.4}).problem.capacity.passive.any()


def plantarflexing(moment: Array) -> tuple[fibers.FiberState, fibers.FiberState]:
    standing = stand({"ankle_angle_r": 0.1, "ankle_angle_l": 0.1}, frames=len(moment))
    still = np.zeros_like(standing.paths.length)
    rigid = fibers.rigid_tendon(toy().parameters, standing.paths.length, still)
    elastic = fibers.elastic_pass(
        toy().parameters,
        standing.paths,
        still,
        np.stack([moment, 0 * moment], axis=1),
        np.arange(len(moment)) / 100,
    )
    return rigid, elastic


def test_elastic_pass_stretches_the_tendon_by_its_share_of_the_ankle_moment() -> None:
    standing = stand({"ankle_angle_r": 0.1}, frames=5)
    rigid, elastic = plantarflexing(np.full(5, -120.0))
    parameters = toy().parameters
    arms = np.maximum(-standing.paths.column("ankle_angle_r")[0], 0)
    fraction = 120.0 / (arms @ parameters.max_isometric_force)
    carried, _ = fibers.evaluate(parameters.tendon, 1 + elastic.tendon_strain)
    for name in ("soleus_r", "gasmed_r", "gaslat_r"):
        m = parameters.names.index(name)
        assert carried[2, m] == pytest.approx(fraction, rel=1e-6)
        assert elastic.length[2, m] < rigid.length[2, m]
    # The tendons together carry the moment of the plantarflexors they belong to.
    assert fraction * (arms @ parameters.max_isometric_force) == pytest.approx(120.0)
    others = ~elastic.elastic
    np.testing.assert_array_equal(elastic.length[:, others], rigid.length[:, others])


def test_rising_moment_makes_the_fibre_shorten_while_the_muscle_is_held() -> None:
    rigid, elastic = plantarflexing(-np.linspace(40.0, 160.0, 9))
    m = toy().parameters.names.index("soleus_r")
    assert np.all(elastic.velocity[1:-1, m] < 0)
    assert np.all(rigid.velocity == 0)


def test_strength_follows_volume_over_fibre_length() -> None:
    generic = fibers.strength_scale(fibers.GENERIC_MASS, fibers.GENERIC_HEIGHT)
    assert generic == pytest.approx(1.0)
    # 47 * 75 * 1.8 + 1285 = 7630 cm³ against 7304.7, fibres 1.8/1.7 as long.
    expected = 7630.0 / (47 * 75.34 * 1.70 + 1285) * 1.70 / 1.80
    assert fibers.strength_scale(75.0, 1.80) == pytest.approx(expected)
    with pytest.raises(SettingsError, match="Expected a body mass and height above zero"):
        fibers.strength_scale(0.0, 1.8)
