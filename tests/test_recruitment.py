"""Laws of muscle recruitment with unilateral compartments."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from kneestride.errors import SettingsError
from kneestride.loads.knee import joint_reaction
from kneestride.loads.recruitment import (
    CRITERIA,
    LEG_ROWS,
    Recruited,
    RecruitmentProblem,
    RecruitmentSettings,
    recruit,
)
from kneestride.vocabulary import SIDES
from toy_standing import WEIGHT, Standing, stand, swap_sides

LUNGE = {
    "hip_flexion_r": 0.5,
    "knee_angle_r": 0.7,
    "ankle_angle_r": 0.2,
    "hip_flexion_l": 0.2,
    "knee_angle_l": 0.4,
    "ankle_angle_l": 0.1,
}


def lunge(**changes: object) -> Standing:
    return stand(LUNGE, forward=0.05, **changes)  # type: ignore[arg-type]


def objective(found: Recruited, problem: RecruitmentProblem, power: int, w: float) -> float:
    """The criterion by its definition, reserves included."""
    muscles = found.muscles
    total = (found.medial + found.lateral) / problem.body_weight
    collateral = found.collateral / problem.body_weight
    return float(
        (muscles.activation[0] ** power).sum()
        + ((muscles.reserve_moment[0] / 10.0) ** 2).sum()
        + w * (total[0] ** 2).sum()
        + 0.01 * (collateral[0] ** 2).sum()
    )


@pytest.mark.parametrize("criterion", CRITERIA)
def test_every_row_balances_and_every_bound_holds(criterion: str) -> None:
    case = lunge(share=(0.8, 0.2), medial_shift=(0.02, 0.0))
    found = recruit(case.problem, RecruitmentSettings(criterion))  # type: ignore[arg-type]
    assert found.solved.all()
    muscles, paths = found.muscles, case.paths
    supplied = np.einsum("tmn,tm->tn", paths.moment_arm, muscles.force)
    for side in SIDES:
        for stem in LEG_ROWS:
            name = f"{stem}_{side}"
            column = paths.coordinates.index(name)
            reserve = muscles.reserve_moment[:, muscles.reserves.index(name)]
            np.testing.assert_allclose(
                supplied[:, column] + reserve, case.problem.moments[:, column], atol=1e-6
            )
    assert np.all((muscles.activation >= 0.01) & (muscles.activation <= 1.0))
    for push in (found.medial, found.lateral, found.collateral):
        assert np.all(push >= 0)
    assert muscles.equality_residual.max() < 1e-6


def test_medial_plus_lateral_is_the_axial_contact_force() -> None:
    case = lunge(share=(0.9, 0.1))
    found = recruit(case.problem)
    reaction = joint_reaction(case.balance, case.paths, found.muscles.force)
    ligaments = (found.collateral * case.balance.collateral[..., 1]).sum(axis=2)
    axial = -(reaction[:, :, 1] - ligaments)
    np.testing.assert_allclose(found.medial + found.lateral, axial, atol=1e-6)


def test_there_is_no_reserve_on_knee_adduction_or_rotation() -> None:
    reserves = recruit(lunge().problem).muscles.reserves
    assert not [n for n in reserves if "knee_adduction" in n or "knee_rotation" in n]


def test_a_compartment_that_lifts_off_hands_its_load_over() -> None:
    # 60 mm of medial shift is far more than the 23.5 mm a lateral push could balance.
    case = stand(share=(0.9, 0.1), medial_shift=(0.06, 0.0))
    found = recruit(case.problem)
    assert found.solved.all()
    assert found.lateral[0, 0] == 0.0
    pull = case.paths.tibia_wrench[:, :, 0, 3]
    carried = (pull * found.muscles.force).sum(axis=1)
    carried += (found.collateral[:, 0] * case.balance.collateral[:, 0, :, 3]).sum(axis=1)
    carried += case.balance.lever[0, 0] * found.medial[:, 0]
    np.testing.assert_allclose(carried, case.balance.required_adduction[:, 0], atol=1e-6)
    assert found.collateral[0, 0, 1] > found.collateral[0, 0, 0]


def test_mirrored_motion_gives_mirrored_loads() -> None:
    case = lunge(share=(0.7, 0.3), medial_shift=(0.015, -0.01))
    pose = {n[:-1] + ("l" if n[-1] == "r" else "r"): v for n, v in LUNGE.items()}
    mirrored = stand(pose, share=(0.3, 0.7), medial_shift=(-0.01, 0.015), forward=0.05)
    one, other = recruit(case.problem), recruit(mirrored.problem)
    np.testing.assert_allclose(one.medial, other.medial[:, ::-1], atol=1e-6)
    np.testing.assert_allclose(one.lateral, other.lateral[:, ::-1], atol=1e-6)
    order = swap_sides(case.paths.names)
    np.testing.assert_allclose(one.muscles.force, other.muscles.force[:, order], atol=1e-5)


def test_more_weight_on_contact_never_raises_it() -> None:
    case = lunge(share=(0.8, 0.2))
    totals = []
    for w in (0.0, 0.03, 0.1, 0.3, 1.0):
        found = recruit(case.problem, RecruitmentSettings(knee_weight=w))
        total = (found.medial + found.lateral)[0] / WEIGHT
        totals.append(float((total**2).sum()))
    assert all(later <= earlier + 1e-9 for earlier, later in pairwise(totals))


@pytest.mark.parametrize(
    ("criterion", "power", "w"),
    [("squared", 2, 0.0), ("cubed", 3, 0.0), ("knee_aware", 2, 0.1)],
)
def test_each_criterion_is_least_by_its_own_measure(
    criterion: str, power: int, w: float
) -> None:
    case = lunge(share=(0.8, 0.2))
    values = {
        other: objective(
            recruit(case.problem, RecruitmentSettings(other)), case.problem, power, w
        )
        for other in CRITERIA
    }
    assert min(values, key=lambda k: values[k]) == criterion


def test_sum_of_cubes_is_stationary() -> None:
    # A step towards any other feasible point (the mixture is feasible too) costs more.
    case = lunge(share=(0.8, 0.2))
    found = recruit(case.problem, RecruitmentSettings("cubed"))
    best = objective(found, case.problem, 3, 0.0)
    for w in (1e-3, 1e-4):
        nearby = recruit(case.problem, RecruitmentSettings("squared"))
        blend = {
            "activation": (1 - w) * found.muscles.activation + w * nearby.muscles.activation,
            "reserve_moment": (1 - w) * found.muscles.reserve_moment
            + w * nearby.muscles.reserve_moment,
        }
        mixed = replace(found, muscles=replace(found.muscles, **blend))
        assert objective(mixed, case.problem, 3, 0.0) >= best - 1e-9


def test_strength_is_what_activation_is_measured_against() -> None:
    weak, strong = lunge(strength=1.0), lunge(strength=2.0)
    settings = RecruitmentSettings("squared", least=0.0)
    a = recruit(weak.problem, settings).muscles
    b = recruit(strong.problem, settings).muscles
    assert (b.activation**2).sum() < (a.activation**2).sum()


def test_unknown_moments_leave_that_leg_nan_and_spare_the_rest() -> None:
    case = lunge(frames=3)
    moments = case.problem.moments.copy()
    moments[1, case.paths.coordinates.index("hip_flexion_r")] = np.nan
    found = recruit(replace(case.problem, moments=moments))
    assert found.solved.tolist() == [[True, True], [False, True], [True, True]]
    assert np.isnan(found.medial[1, 0])
    np.testing.assert_allclose(found.medial[1, 1], found.medial[0, 1], atol=1e-6)
    np.testing.assert_allclose(found.medial[2], found.medial[0], atol=1e-6)


def test_locked_coordinate_asks_nothing_of_the_muscles() -> None:
    case = lunge()
    problem = replace(case.problem, without_row=("subtalar_angle_r", "subtalar_angle_l"))
    reserves = recruit(problem).muscles.reserves
    assert not [n for n in reserves if n.startswith("subtalar")]
    assert len(reserves) == 10


def test_the_frame_before_does_not_change_a_frame() -> None:
    light, heavy = lunge(share=(0.5, 0.5), frames=2), lunge(share=(0.9, 0.1), frames=2)
    moments = np.stack([light.problem.moments[0], heavy.problem.moments[0]])
    required = np.stack([light.balance.required[0], heavy.balance.required[0]])
    balance = replace(heavy.balance, required=required)
    after = recruit(replace(heavy.problem, moments=moments, balance=balance))
    alone = recruit(heavy.problem)
    np.testing.assert_allclose(after.muscles.force[1], alone.muscles.force[1], atol=1e-6)


def test_unknown_criterion_lists_the_known_ones() -> None:
    with pytest.raises(SettingsError, match="Available: knee_aware, squared, cubed"):
        RecruitmentSettings("lazy")  # type: ignore[arg-type]
