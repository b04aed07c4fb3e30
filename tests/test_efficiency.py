"""Efficiency: work, stiffness and shares with known answers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from kneestride.loads.efficiency import (
    EfficiencyInputs,
    Stance,
    efficiency,
    group_members,
    leg_stiffness,
)

TIME = np.linspace(0.0, 0.3, 301)
STANCE = Stance(0.0, 0.3, 0.3, 3.0)
NAMES = ("glmax1_r", "vasint_r", "soleus_r", "glmax1_l", "vasint_l", "soleus_l")
FORCES = np.array([500.0, 800.0, 1000.0] * 2)
ARMS = {"hip_flexion": -0.06, "knee_angle": -0.04, "ankle_angle": -0.05}
MUSCLE_OF = {"hip_flexion": "glmax1", "knee_angle": "vasint", "ankle_angle": "soleus"}


def inputs(**changes: object) -> EfficiencyInputs:
    """Ankle: -100 N·m at -5 rad/s; the other hip: 40 N·m at 3 rad/s; all else still."""
    joints = [f"{j}_{s}" for j in ARMS for s in "rl"]
    zero = {j: np.zeros_like(TIME) for j in joints}
    arm = {
        j: np.where([n.startswith(MUSCLE_OF[j[:-2]]) and n[-1] == j[-1] for n in NAMES],
                    ARMS[j[:-2]], 0.0) * np.ones((TIME.size, 1))
        for j in joints
    }  # fmt: skip
    full = np.full_like(TIME, 1.0)
    made = EfficiencyInputs(
        time=TIME,
        mass=50.0,
        q=zero,
        velocity=zero | {"ankle_angle_r": -5.0 * full, "hip_flexion_l": 3.0 * full},
        moment=zero | {"ankle_angle_r": -100.0 * full, "hip_flexion_l": 40.0 * full},
        height=1.0 - 0.06 * np.sin(np.pi * TIME / 0.3),
        vertical_force=np.column_stack([1200.0 * np.sin(np.pi * TIME / 0.3)] * 2),
        leg_length=np.array([0.9, 0.9]),
        muscles=NAMES,
        force=np.tile(FORCES, (TIME.size, 1)),
        moment_arm=arm,
        masked=np.zeros((TIME.size, 2), dtype=bool),
        running=True,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def test_work_is_power_times_time_in_the_second_half_of_stance() -> None:
    found = efficiency(inputs(), "r", [STANCE])
    assert found["push_off_ankle_power_W_per_kg"][0] == pytest.approx(500.0 / 50.0)
    assert found["push_off_ankle_work_J_per_kg"][0] == pytest.approx(500.0 * 0.15 / 50.0)
    assert found["push_off_leg_work_J_per_kg"][0] == pytest.approx(500.0 * 0.15 / 50.0)


def test_the_other_hips_flexors_work_over_the_whole_stance() -> None:
    found = efficiency(inputs(), "r", [STANCE])
    work = found["opposite_hip_flexor_work_J_per_kg"][0]
    assert work == pytest.approx(120.0 * 0.3 / 50.0)


def test_an_extending_hip_is_no_flexor_work() -> None:
    extending = {**inputs().moment, "hip_flexion_l": -40.0 * np.ones_like(TIME)}
    extending_fast = {**inputs().velocity, "hip_flexion_l": -3.0 * np.ones_like(TIME)}
    found = efficiency(inputs(moment=extending, velocity=extending_fast), "r", [STANCE])
    assert found["opposite_hip_flexor_work_J_per_kg"][0] == 0.0


def test_stiffness_is_force_over_shortening_of_the_swept_leg() -> None:
    # Speed 0: the leg shortens by as much as the body sinks.
    force, height = np.array([0.0, 1000.0, 0.0]), np.array([1.0, 0.95, 1.0])
    assert leg_stiffness(force, height, 0.2, 0.0, 0.9) == pytest.approx(1.0 / 0.05)
    sweep = 0.9 * (1.0 - np.sqrt(1.0 - (4.0 * 0.2 / 1.8) ** 2))
    assert leg_stiffness(force, height, 0.2, 4.0, 0.9) == pytest.approx(1.0 / (0.05 + sweep))


def test_walking_has_no_leg_spring() -> None:
    assert "leg_stiffness_kN_per_m" not in efficiency(inputs(running=False), "r", [STANCE])


def test_angular_impulse_is_lever_times_force_times_time_and_shares_add_up() -> None:
    found = efficiency(inputs(), "r", [STANCE])
    impulse = {
        "gluteal_hip_extension": 0.06 * 500.0 * 0.3 / 50.0,
        "quadriceps_knee_extension": 0.04 * 800.0 * 0.3 / 50.0,
        "calf_ankle_plantarflexion": 0.05 * 1000.0 * 0.3 / 50.0,
    }
    for name, value in impulse.items():
        assert found[f"{name}_Nms_per_kg"][0] == pytest.approx(value)
    shares = [found[f"{g}_share_percent"][0] for g in ("gluteal", "quadriceps", "calf")]
    assert sum(shares) == pytest.approx(100.0)
    assert shares[0] == pytest.approx(100.0 * 30.0 / 112.0)


def test_both_legs_are_treated_alike() -> None:
    mirrored = inputs()
    swap = {"r": "l", "l": "r"}
    turned = replace(
        mirrored,
        velocity={f"{n[:-1]}{swap[n[-1]]}": v for n, v in mirrored.velocity.items()},
        moment={f"{n[:-1]}{swap[n[-1]]}": v for n, v in mirrored.moment.items()},
    )
    right, left = efficiency(mirrored, "r", [STANCE]), efficiency(turned, "l", [STANCE])
    assert right.keys() == left.keys()
    for name, values in right.items():
        np.testing.assert_allclose(values, left[name])


def test_a_masked_or_cut_stance_has_no_figures() -> None:
    masked = np.zeros((TIME.size, 2), dtype=bool)
    masked[100, 0] = True
    found = efficiency(inputs(masked=masked), "r", [STANCE])
    assert set(found) == {"vertical_oscillation_mm"}
    beyond = efficiency(inputs(), "r", [STANCE, Stance(0.2, 0.5, 0.3)])
    assert np.isnan(beyond["push_off_ankle_work_J_per_kg"]).tolist() == [False, True]


def test_groups_are_found_by_name_in_both_model_families() -> None:
    names = ("glmed1_r", "glut_max1_r", "rect_fem_r", "vas_lat_r", "med_gas_r", "glmed1_l")
    assert group_members(names, "gluteal", "r") == [0, 1]
    assert group_members(names, "quadriceps", "r") == [2, 3]
    assert group_members(names, "calf", "r") == [4]
