"""Statics of the knee: compartments, moments, patellofemoral force, self-checks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kneestride.errors import ModelError
from kneestride.loads.knee import (
    classical_split,
    external_moments,
    joint_reaction,
    knee_loads,
)
from kneestride.loads.knee_balance import collateral_tension, intersegmental_wrench
from kneestride.loads.patellofemoral import patellofemoral_force
from kneestride.loads.recruitment import RecruitmentSettings, recruit
from kneestride.loads.selfcheck import self_check
from kneestride.loads.types import GroundReaction, KneeLoads
from kneestride.vocabulary import GRAVITY, Array
from toy_gait_model import DISTAL_MASS
from toy_standing import WEIGHT, Standing, stand, toy

FRAIL = 1e-6
"""Muscles too weak to matter: what is left is statics."""


def loads(case: Standing) -> KneeLoads:
    return knee_loads(recruit(case.problem), case.balance, case.paths)


def test_standing_on_two_legs_the_compartments_carry_the_weight_above() -> None:
    found = loads(stand(strength=FRAIL))
    above = WEIGHT / 2 - DISTAL_MASS * GRAVITY
    np.testing.assert_allclose(found.total, above, atol=0.05)
    np.testing.assert_allclose(found.medial, above / 2, atol=0.05)


def test_standing_on_one_leg_muscles_only_add_to_the_statics() -> None:
    case = stand(share=(1.0, 0.0))
    found, recruited = loads(case), recruit(case.problem)
    pull = np.einsum("tm,tm->t", recruited.muscles.force, case.paths.tibia_wrench[:, :, 0, 1])
    above = WEIGHT - DISTAL_MASS * GRAVITY
    np.testing.assert_allclose(found.total[:, 0], above + pull, atol=1e-6)


@settings(max_examples=20, deadline=None)
@given(shift=st.floats(-0.012, 0.012), share=st.floats(0.3, 1.0))
def test_shift_of_the_centre_of_pressure_moves_load_by_statics(
    shift: float, share: float
) -> None:
    base = loads(stand(share=(share, 1 - share), strength=FRAIL))
    moved = loads(stand(share=(share, 1 - share), medial_shift=(shift, 0.0), strength=FRAIL))
    force, spacing = share * WEIGHT, 0.047
    change = moved.adduction_moment[0, 0] - base.adduction_moment[0, 0]
    assert change == pytest.approx(force * shift, abs=1e-6)
    medial = moved.medial[0, 0] - base.medial[0, 0]
    assert medial == pytest.approx(force * shift / spacing, abs=0.1)
    assert moved.total[0, 0] == pytest.approx(base.total[0, 0], abs=0.05)


def test_ten_millimetres_medially_with_living_muscles() -> None:
    base = loads(stand(share=(1.0, 0.0), forward=0.03))
    moved = loads(stand(share=(1.0, 0.0), medial_shift=(0.01, 0.0), forward=0.03))
    change = moved.adduction_moment[0, 0] - base.adduction_moment[0, 0]
    assert change == pytest.approx(WEIGHT * 0.01, abs=1e-6)
    assert moved.medial[0, 0] > base.medial[0, 0] + 50.0
    assert moved.lateral[0, 0] < base.lateral[0, 0] - 50.0
    assert moved.adduction_moment[0, 1] == pytest.approx(base.adduction_moment[0, 1])


def test_ground_force_behind_the_knee_is_an_external_flexion_moment() -> None:
    pose = {"hip_flexion_r": 0.6, "knee_angle_r": 1.0, "ankle_angle_r": 0.4}
    case = stand(pose, share=(1.0, 0.0), strength=FRAIL)
    adduction, flexion = external_moments(case.balance)
    assert flexion[0, 0] > 0
    # Ground force and segment weights by hand, about the knee.
    rotation, position = case.dynamics.rotation[0], case.dynamics.position[0]
    tibia, foot = toy().multibody.body("tibia_r"), toy().multibody.body("calcn_r")
    knee = position[tibia]
    shank = knee + rotation[tibia] @ [0, -0.18, 0]
    sole = position[foot] + rotation[foot] @ [0, -0.02, 0]
    ahead = (position[foot] - knee)[0] * WEIGHT
    ahead -= GRAVITY * (3.0 * (shank - knee)[0] + 1.0 * (sole - knee)[0])
    assert flexion[0, 0] == pytest.approx(-ahead, abs=0.02 * abs(ahead))
    assert adduction[0, 0] == pytest.approx(0.0, abs=1e-6)


@settings(max_examples=30, deadline=None)
@given(axial=st.floats(0, 5000), moment=st.floats(-80, 80), half=st.floats(0.018, 0.03))
def test_classical_split_balances_force_and_moment(
    axial: float, moment: float, half: float
) -> None:
    reaction = np.zeros((1, 2, 6))
    reaction[0, :, 1] = -axial
    reaction[0, :, 3] = [moment, -moment]  # the same adduction moment on both sides
    lever = np.array([[-half, half], [-half, half]])
    medial, lateral = classical_split(reaction, lever)
    np.testing.assert_allclose(medial, axial / 2 - moment / (2 * half), atol=1e-6)
    np.testing.assert_allclose(medial + lateral, axial, atol=1e-9)


def test_classical_split_is_the_compartments_where_nothing_lifts_off() -> None:
    case = stand(share=(0.8, 0.2), forward=0.04)
    recruited = recruit(case.problem)
    found = knee_loads(recruited, case.balance, case.paths)
    assert recruited.collateral.max() < 1e-9
    np.testing.assert_allclose(found.split_medial, found.medial, atol=1e-6)
    np.testing.assert_allclose(found.split_lateral, found.lateral, atol=1e-6)


def test_reaction_is_linear_in_muscle_force() -> None:
    case = stand(share=(0.8, 0.2))
    rng = np.random.default_rng(0)
    a, b = rng.uniform(0, 500, (2, *case.paths.length.shape))
    none = joint_reaction(case.balance, case.paths, 0 * a)
    parts = [joint_reaction(case.balance, case.paths, f) - none for f in (a, b, a + b)]
    np.testing.assert_allclose(parts[0] + parts[1], parts[2], atol=1e-6)


def test_wrench_moves_with_its_point() -> None:
    wrench: Array = np.array([[0.0, 100.0, 0.0, 0.0, 0.0, 0.0]])
    moved = intersegmental_wrench(wrench, np.eye(3)[None], np.array([0.01, 0.0, 0.02]))
    # About a point 10 mm ahead and 20 mm to the right the force passes behind and left.
    np.testing.assert_allclose(moved[0], [0, 100, 0, 2.0, 0, -1.0], atol=1e-12)


def test_collateral_curve_is_quadratic_then_linear_without_a_kink() -> None:
    ligament = toy().knees["r"].medial_collateral
    k, toe = ligament.stiffness, ligament.transition_strain
    tension = collateral_tension(ligament, np.array([-0.02, 0.0, toe, toe + 0.01]))
    np.testing.assert_allclose(tension, [0, 0, k * toe / 2, k * (toe / 2 + 0.01)])
    step = collateral_tension(ligament, np.array([toe - 1e-7, toe + 1e-7]))
    assert (step[1] - step[0]) / 2e-7 == pytest.approx(k, rel=1e-5)


def test_masked_side_is_nan_and_the_other_is_kept() -> None:
    case = stand(share=(0.6, 0.4))
    masked = np.zeros((3, 2), dtype=bool)
    masked[1, 0] = True
    found = knee_loads(recruit(case.problem), case.balance, case.paths, masked)
    assert np.isnan(found.medial[1, 0])
    assert np.isnan(found.adduction_moment[1, 0])
    assert np.isfinite(found.medial[1, 1])
    with pytest.raises(ModelError, match="Give one column for each foot"):
        knee_loads(recruit(case.problem), case.balance, case.paths, masked[:, :1])


def test_patellofemoral_force_is_two_t_sine_half_the_turn() -> None:
    case = stand({"knee_angle_r": 1.0, "hip_flexion_r": 0.5})
    force = np.zeros_like(case.paths.length)
    force[:, case.paths.names.index("vasmed_r")] = 1000.0
    found = patellofemoral_force(case.paths, force)
    assert case.paths.patella_force is not None
    unit = case.paths.patella_force[0, case.paths.names.index("vasmed_r"), 0]
    assert found[0, 0] == pytest.approx(1000 * np.linalg.norm(unit))
    assert 0 < found[0, 0] < 2000
    assert found[0, 1] == 0


def test_models_without_patella_need_the_flexion_angle() -> None:
    case = stand()
    paths = replace(case.paths, patella_force=None)
    force = np.full_like(paths.length, 100.0)
    assert np.isnan(patellofemoral_force(paths, force)).all()
    bent = patellofemoral_force(paths, force, np.full((3, 2), np.deg2rad(60)))
    # Two quadriceps of 100 N each, and a ratio near one at 60 degrees.
    np.testing.assert_allclose(bent, 200.0, rtol=0.25)


def checks(case: Standing, **ground: object) -> dict[str, tuple[str, float]]:
    stance = np.ones((len(case.problem.time), 2), dtype=bool)
    settings_ = RecruitmentSettings()
    found = self_check(case.problem, recruit(case.problem), settings_, stance, **ground)  # type: ignore[arg-type]
    return {c.name: (c.verdict, c.value) for c in found}


def test_self_check_passes_quiet_standing() -> None:
    found = checks(stand(share=(0.6, 0.4), forward=0.03))
    for name in ("balance", "saturation"):
        assert found[name][0] == "pass", name
    assert found["peak_spread"][1] < 3.0


def test_self_check_sees_muscles_that_cannot_carry_the_load() -> None:
    found = checks(stand({"knee_angle_r": 0.8}, share=(1.0, 0.0), forward=0.1, strength=0.1))
    assert found["reserves"][0] == "fail"
    assert found["saturation"][0] == "look"


def test_self_check_sees_pressure_outside_the_foot_unless_masked() -> None:
    case = stand()
    shape = (3, 2)
    ground = GroundReaction(
        case.problem.time,
        np.tile([0.0, 400.0, 0.0], (*shape, 1)),
        np.zeros((*shape, 3)),
        np.zeros((*shape, 3)),
        np.ones(shape, dtype=bool),
        np.zeros(shape, dtype=bool),
    )
    outside = np.full(shape, 0.03)
    assert checks(case, ground=ground, outside=outside)["centre_of_pressure"][0] == "look"
    hidden = replace(ground, masked=np.ones(shape, dtype=bool))
    assert checks(case, ground=hidden, outside=outside)["centre_of_pressure"][0] == "pass"
