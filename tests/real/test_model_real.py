"""The knee on public gait models: laws it must keep on models nobody here wrote."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kneestride.errors import ModelError
from kneestride.model.comparison import compare_paths
from kneestride.model.knee import KneeSettings, add_knee, read_knee
from kneestride.model.osim import as_array, load_model, opensim, rotation_matrix
from kneestride.model.tables import RUNNER_MODEL
from kneestride.vocabulary import MEDIAL_SIGN, SIDES

pytestmark = pytest.mark.real

PUBLIC_MODELS = (
    "Rajagopal2016",
    "RajagopalLaiUhlrich2023",
    "FullBodyModel_Hamner2010_v2_0",
    "gait2392_millard2012muscle",
)


@pytest.fixture(params=PUBLIC_MODELS)
def path(request: pytest.FixtureRequest, shared_models: Path) -> Path:
    return shared_models / f"{request.param}.osim"


def pose(model: Any, state: Any, values: dict[str, float]) -> None:
    for coordinate in model.getCoordinateSet():
        if coordinate.getName() in values:
            coordinate.setValue(state, values[coordinate.getName()], False)
    model.assemble(state)
    model.realizePosition(state)


def random_poses(model: Any, count: int, seed: int) -> list[dict[str, float]]:
    rng = np.random.default_rng(seed)
    poses = []
    for _ in range(count):
        values = {}
        for coordinate in model.getCoordinateSet():
            name = coordinate.getName()
            if name.endswith("_beta"):
                continue
            low = max(coordinate.getRangeMin(), -1.2)
            high = min(coordinate.getRangeMax(), 1.8)
            values[name] = float(rng.uniform(low, high))
        poses.append(values)
    return poses


def names_of_speeds(model: Any, state: Any) -> list[str]:
    """Coordinate names in the order of the state's speeds, found by moving each alone."""
    names = [""] * model.getNumSpeeds()
    for coordinate in model.getCoordinateSet():
        state.setU(opensim.Vector(model.getNumSpeeds(), 0.0))
        coordinate.setSpeedValue(state, 1.0)
        names[int(np.argmax(as_array(state.getU())))] = coordinate.getName()
    state.setU(opensim.Vector(model.getNumSpeeds(), 0.0))
    return names


def body_poses(model: Any, state: Any) -> dict[str, np.ndarray]:
    return {
        body.getName(): np.column_stack(
            [rotation_matrix(body, state), as_array(body.getPositionInGround(state))]
        )
        for body in model.getBodySet()
    }


def muscle_lengths(model: Any, state: Any) -> dict[str, float]:
    return {m.getName(): m.getGeometryPath().getLength(state) for m in model.getMuscles()}


def test_zero_adduction_and_rotation_reproduce_the_given_model(path: Path) -> None:
    given, with_knee = load_model(path), load_model(path)
    add_knee(with_knee)
    given_state, state = given.initSystem(), with_knee.initSystem()
    for values in random_poses(given, 5, seed=1):
        pose(given, given_state, values)
        pose(with_knee, state, values)
        expected, found = body_poses(given, given_state), body_poses(with_knee, state)
        for name, transform in expected.items():
            np.testing.assert_allclose(found[name], transform, atol=1e-9, err_msg=name)
        expected_length, length = (
            muscle_lengths(given, given_state),
            muscle_lengths(with_knee, state),
        )
        for name, value in expected_length.items():
            assert length[name] == pytest.approx(value, abs=1e-9), name


def test_inverse_dynamics_is_unchanged_by_the_massless_knee_frame(path: Path) -> None:
    given, with_knee = load_model(path), load_model(path)
    add_knee(with_knee)
    moments = []
    for model in (given, with_knee):
        state = model.initSystem()
        pose(model, state, random_poses(given, 1, seed=2)[0])
        model.realizeVelocity(state)
        solver = opensim.InverseDynamicsSolver(model)
        udot = opensim.Vector(model.getNumSpeeds(), 0.3)
        names = names_of_speeds(model, state)
        for index, name in enumerate(names):
            if name.startswith(("knee_adduction", "knee_rotation")):
                udot.set(index, 0.0)
        tau = solver.solve(state, udot)
        moments.append(dict(zip(names, as_array(tau), strict=True)))
    assert np.isfinite(list(moments[1].values())).all()
    for name, value in moments[0].items():
        assert moments[1][name] == pytest.approx(value, abs=1e-6), name


def test_adduction_moves_the_foot_medially_and_rotation_turns_the_toes_in(path: Path) -> None:
    model = load_model(path)
    add_knee(model)
    state = model.initSystem()
    pose(model, state, {})
    for side in SIDES:
        foot = model.getBodySet().get(f"calcn_{side}")
        start = as_array(foot.getPositionInGround(state))
        pose(model, state, {f"knee_adduction_{side}": 0.1})
        sideways = as_array(foot.getPositionInGround(state))[2] - start[2]
        assert sideways * MEDIAL_SIGN[side] > 0.02
        pose(model, state, {f"knee_adduction_{side}": 0.0, f"knee_rotation_{side}": 0.1})
        toes = rotation_matrix(foot, state)[:, 0]
        assert toes[2] * MEDIAL_SIGN[side] > 0.05
        pose(model, state, {f"knee_rotation_{side}": 0.0})


def test_compartments_straddle_the_knee_centre(path: Path) -> None:
    model = load_model(path)
    settings = KneeSettings(compartment_spacing=0.05, compartment_offset=(0.002, -0.003))
    add_knee(model, settings)
    for index, (side, knee) in enumerate(read_knee(model).items()):
        assert knee.compartment_spacing == pytest.approx(0.05)
        middle = 0.5 * (knee.medial_compartment + knee.lateral_compartment)
        shift = MEDIAL_SIGN[side] * settings.compartment_offset[index]
        np.testing.assert_allclose(middle - knee.joint_center, [0, 0, shift], atol=1e-12)
        towards_medial = (knee.medial_compartment - knee.lateral_compartment)[2]
        assert towards_medial * MEDIAL_SIGN[side] > 0


def test_flexion_sign_follows_the_family(path: Path) -> None:
    model = load_model(path)
    add_knee(model)
    expected = 1.0 if path.stem.startswith("Rajagopal") else -1.0
    assert [knee.flexion_sign for knee in read_knee(model).values()] == [expected, expected]


def test_knee_survives_saving_and_loading(path: Path, tmp_path: Path) -> None:
    model = load_model(path)
    add_knee(model)
    model.printToXML(str(tmp_path / "with_knee.osim"))
    first, second = read_knee(model), read_knee(load_model(tmp_path / "with_knee.osim"))
    for side in SIDES:
        np.testing.assert_allclose(
            first[side].medial_compartment, second[side].medial_compartment, atol=1e-12
        )
        assert first[side].medial_collateral.slack_length == pytest.approx(
            second[side].medial_collateral.slack_length
        )


def test_a_second_knee_is_refused(path: Path) -> None:
    model = load_model(path)
    add_knee(model)
    with pytest.raises(ModelError, match="already has knee_frontal joints"):
        add_knee(model)


LARGEST_LENGTH_DIFFERENCE = 0.2e-6
LARGEST_MOMENT_ARM_DIFFERENCE = 0.2e-6
"""m; the figures are rounded, and the public left toe joint's angle is (docs/model.md)."""


def test_paths_are_those_of_the_published_figures(shared_models: Path) -> None:
    result = compare_paths(
        load_model(RUNNER_MODEL),
        load_model(shared_models / "RajagopalLaiUhlrich2023.osim"),
        poses=25,
    )
    assert len(result.muscles) == 80
    assert result.length.max() < LARGEST_LENGTH_DIFFERENCE
    assert result.moment_arm.max() < LARGEST_MOMENT_ARM_DIFFERENCE


def test_two_cylinder_gastrocnemius_is_inconsistent_and_free_paths_are_not(
    shared_models: Path,
) -> None:
    """The known fault of the family: dL/dq is not -R where a path meets two cylinders."""
    reference = load_model(shared_models / "RajagopalLaiUhlrich2023.osim")
    result = compare_paths(load_model(RUNNER_MODEL), reference, poses=10)
    gap = dict(zip(result.muscles, result.inconsistency, strict=True))
    assert gap["gasmed_r"] > 5e-3
    for free in ("soleus_r", "tibant_r", "glmed2_r", "bflh_r"):
        assert gap[free] < 1e-6


@pytest.mark.parametrize(
    "scaled",
    [
        "gc5/reference/scaled_rajagopal2015.osim",
        "bmc_run/reference/scaled_rajagopal2015.osim",
        "opencap04/reference_scaled.osim",
        "hamner04/generic_with_markers.osim",
    ],
)
def test_models_scaled_by_others_take_the_knee(shared_data: Path, scaled: str) -> None:
    model = load_model(shared_data / scaled)
    add_knee(model)
    state = model.initSystem()
    model.realizeAcceleration(state)
    assert np.isfinite(as_array(state.getUDot())).all()
    for knee in read_knee(model).values():
        assert 0.07 < knee.medial_collateral.slack_length < 0.12
        assert 0.05 < knee.lateral_collateral.slack_length < 0.09


def test_muscle_parameters_are_the_published_ones(shared_models: Path) -> None:
    public = load_model(shared_models / "RajagopalLaiUhlrich2023.osim")
    ours = load_model(RUNNER_MODEL)
    for muscle in public.getMuscles():
        figures = []
        for model in (ours, public):
            m = opensim.Millard2012EquilibriumMuscle.safeDownCast(
                model.getMuscles().get(muscle.getName())
            )
            passive = m.getFiberForceLengthCurve()
            figures.append(
                [
                    m.getMaxIsometricForce(),
                    m.getOptimalFiberLength(),
                    m.getTendonSlackLength(),
                    m.getPennationAngleAtOptimalFiberLength(),
                    *(passive.calcValue(length) for length in (0.9, 1.1, 1.4, 1.7)),
                    m.getActiveForceLengthCurve().calcValue(0.7),
                    m.getForceVelocityCurve().calcValue(-0.4),
                    m.getTendonForceLengthCurve().calcValue(1.03),
                    m.getMaxContractionVelocity(),
                ]
            )
        np.testing.assert_allclose(
            figures[0], figures[1], rtol=2e-5, atol=1e-4, err_msg=muscle.getName()
        )


def test_inverse_dynamics_is_that_of_the_published_figures(shared_models: Path) -> None:
    public = load_model(shared_models / "RajagopalLaiUhlrich2023.osim")
    ours = load_model(RUNNER_MODEL)
    # Legs and torso have the masses of living people (models/bodies.csv, dL96), which the
    # published model has not: joints and their order are what is compared here.
    theirs = {body.getName() for body in public.getBodySet()}
    for body in ours.getBodySet():
        if body.getName() not in theirs:
            continue  # frames of the knee's compartments, which weigh next to nothing
        twin = public.updBodySet().get(body.getName())
        twin.setMass(body.getMass())
        twin.setMassCenter(body.getMassCenter())
        twin.setInertia(body.getInertia())
    public.finalizeFromProperties()
    moments = []
    rng = np.random.default_rng(4)
    names = [c.getName() for c in public.getCoordinateSet() if "_beta" not in c.getName()]
    q, u = (dict(zip(names, rng.uniform(0.05, 0.5, len(names)), strict=True)) for _ in "qu")
    for model in (ours, public):
        for force in model.getForceSet():
            force.set_appliesForce(False)
        state = model.initSystem()
        for coordinate in model.getCoordinateSet():
            coordinate.setLocked(state, False)
        speeds = names_of_speeds(model, state)
        for name in names:
            for leg in (name, f"{name}_beta"):
                if leg in speeds:
                    model.getCoordinateSet().get(leg).setValue(state, q[name], False)
                    model.getCoordinateSet().get(leg).setSpeedValue(state, u[name])
        model.realizeVelocity(state)
        udot = opensim.Vector(len(speeds), 0.0)
        tau = as_array(opensim.InverseDynamicsSolver(model).solve(state, udot))
        moments.append(dict(zip(speeds, tau, strict=True)))
    for name, moment in moments[1].items():
        assert moments[0][name] == pytest.approx(moment, abs=1e-3), name
