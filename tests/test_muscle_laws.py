"""Known answers of fibres and curves, for one muscle with round figures."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from kneestride.errors import SettingsError
from kneestride.loads import muscles as fibers
from kneestride.model.muscle_parameters import Curves, MuscleParameters
from kneestride.vocabulary import Array

GRID = np.linspace(0.0, 2.0, 21)


def curve(value: Array, slope: Array) -> Curves:
    return Curves(GRID, value[None], slope[None], np.zeros(1, dtype=np.int64))


LINE = curve(GRID, np.ones(21))
TENDON = curve(np.maximum(30.0 * (GRID - 1.0), 0.0), np.where(GRID > 0.99, 30.0, 0.0))
ONE = MuscleParameters(
    ("soleus_r",), np.array([3000.0]), np.array([0.05]), np.array([0.25]),
    np.array([np.arcsin(0.6)]), np.array([10.0]), LINE, LINE, LINE, TENDON,
)  # fmt: skip
"""Fibre 50 mm at 36.9°: 40 mm along the tendon, 30 mm across."""


def test_curves_are_exact_for_cubics_and_go_on_in_straight_lines() -> None:
    cubic = curve(GRID**3 - GRID, 3 * GRID**2 - 1)
    x = np.array([[0.0], [0.123], [1.0], [1.987], [2.0]])
    value, slope = fibers.evaluate(cubic, x)
    np.testing.assert_allclose(value, x**3 - x, atol=1e-12)
    np.testing.assert_allclose(slope, 3 * x**2 - 1, atol=1e-10)
    value, slope = fibers.evaluate(cubic, np.array([[-0.5], [2.5]]))
    np.testing.assert_allclose(value, [[0.5], [6.0 + 0.5 * 11.0]], atol=1e-10)
    np.testing.assert_allclose(slope, [[-1.0], [11.0]], atol=1e-10)


def state(length: float, velocity: float = 0.0) -> fibers.FiberState:
    return fibers.rigid_tendon(ONE, np.array([[length]]), np.array([[velocity]]))


def test_a_fibre_is_the_hypotenuse_of_its_way_along_and_across() -> None:
    found = state(0.25 + 0.04)
    assert found.length[0, 0] == pytest.approx(1.0)
    assert found.cos_pennation[0, 0] == pytest.approx(0.8)
    longer = state(0.25 + 0.0721110255)  # 72.1 mm along, 30 mm across
    assert longer.length[0, 0] == pytest.approx(np.hypot(0.0721110255, 0.03) / 0.05)
    assert not found.elastic.any() and not found.tendon_strain.any()


def test_its_velocity_is_the_muscles_along_it() -> None:
    # −0.1 m/s along the tendon are −0.08 m/s along the fibre, of 10 · 0.05 m/s at most.
    assert state(0.29, -0.1).velocity[0, 0] == pytest.approx(-0.16)
    shorter = state(0.25 + 0.03, 0.1)  # at 45°
    assert shorter.velocity[0, 0] == pytest.approx(0.1 * np.sqrt(0.5) / 0.5)


def test_a_slack_muscle_is_held_at_the_steepest_pennation() -> None:
    found = state(0.2, -0.1)
    assert found.cos_pennation[0, 0] == pytest.approx(0.1)
    assert found.velocity[0, 0] == 0.0
    assert found.length[0, 0] == pytest.approx(0.03 / np.sqrt(0.99) / 0.05)
    straight = replace(ONE, pennation_at_optimal=np.zeros(1))
    held = fibers.rigid_tendon(straight, np.array([[0.2]]), np.array([[0.0]]))
    assert held.length[0, 0] == pytest.approx(0.01)


def test_capacity_is_strength_times_both_curves_along_the_tendon() -> None:
    short = replace(state(0.29), velocity=np.array([[0.7]]))
    found = fibers.capacity(ONE, short)
    assert found.active[0, 0] == pytest.approx(3000.0 * 0.8 * 1.0 * 0.7)
    assert found.passive[0, 0] == 0.0 and found.state is short
    assert fibers.capacity(ONE, short, passive=True).passive[0, 0] == pytest.approx(2400.0)
    # Curves below zero are no pushes.
    fast = replace(short, velocity=np.array([[-0.3]]))
    assert fibers.capacity(ONE, fast).active[0, 0] == 0.0
    folded = replace(short, length=np.array([[-0.1]]))
    assert fibers.capacity(ONE, folded, passive=True).active[0, 0] == 0.0
    assert fibers.capacity(ONE, folded, passive=True).passive[0, 0] == 0.0


def paths(arm: float, frames: int = 5) -> Any:
    arms = np.full((frames, 1), arm)
    return SimpleNamespace(
        names=("soleus_r",), length=np.full((frames, 1), 0.29),
        column=lambda name: arms if name == "ankle_angle_r" else 0.0 * arms,
    )  # fmt: skip


def test_the_tendon_stretches_to_carry_its_share_of_the_moment() -> None:
    # 75 N·m on an arm of 50 mm are 1500 N, half of the strength: a strain of 0.5 / 30.
    time, still = np.arange(5) / 10.0, np.zeros((5, 1))
    moment = np.column_stack([np.full(5, -75.0), np.zeros(5)])
    found = fibers.elastic_pass(ONE, paths(-0.05), still, moment, time)
    np.testing.assert_allclose(found.tendon_strain, 0.5 / 30.0, rtol=1e-6)
    along = 0.29 - 0.25 * (1.0 + 0.5 / 30.0)
    np.testing.assert_allclose(found.length, np.hypot(along, 0.03) / 0.05, rtol=1e-6)
    assert found.elastic.all()
    np.testing.assert_allclose(found.velocity, 0.0, atol=1e-9)
    # Dorsiflexing, or with a muscle in front, the tendon keeps the smallest share.
    for arm, sign in ((-0.05, 1.0), (0.05, -1.0)):
        least = fibers.elastic_pass(ONE, paths(arm), still, sign * abs(moment), time, 0.02)
        if arm < 0:
            np.testing.assert_allclose(least.tendon_strain, 0.02 / 30.0, rtol=1e-5)


def test_a_tendon_that_stretches_takes_its_speed_off_the_fibre() -> None:
    time = np.arange(5) / 10.0
    moment = np.column_stack([-75.0 - 150.0 * time, np.zeros(5)])
    found = fibers.elastic_pass(ONE, paths(-0.05), np.zeros((5, 1)), moment, time)
    # One strength a second: 0.25 m / 30 a second.
    expected = -0.25 / 30.0 * found.cos_pennation / 0.5
    np.testing.assert_allclose(found.velocity, expected, rtol=1e-4)
    two = fibers.elastic_pass(ONE, paths(-0.05, 2), np.zeros((2, 1)), moment[:2], time[:2])
    np.testing.assert_array_equal(two.velocity, 0.0)


def test_achilles_muscles_are_known_by_name() -> None:
    names = (
        "soleus_r",
        "soleus_l",
        "vaslat_r",
        "med_gas_r",
        "gaslat_r",
        "gasmed_r",
        "lat_gas_r",
    )
    assert fibers.triceps_surae(names, "r") == [0, 3, 4, 5, 6]
    assert fibers.triceps_surae(names, "l") == [1]


def test_lengthening_is_minus_arm_times_speed() -> None:
    moved: Any = SimpleNamespace(moment_arm=np.array([[[0.05, -0.02], [0.0, 0.04]]]))
    found = fibers.lengthening_velocity(moved, np.array([[2.0, 3.0]]))
    np.testing.assert_allclose(found, [[-0.04, -0.12]])


def test_passive_curves_of_one_kind_are_nobodys() -> None:
    assert not fibers.passive_is_calibrated(ONE)
    two = replace(LINE, which=np.array([0, 1]))
    assert fibers.passive_is_calibrated(replace(ONE, passive_length=two))


# --- several muscles at once ----------------------------------------------------------

COARSE = np.linspace(-1.0, 2.0, 7)
TWO = Curves(
    COARSE, np.array([COARSE**3, 2.0 * COARSE**2]), np.array([3 * COARSE**2, 4.0 * COARSE]),
    np.array([1, 0, 1]),
)  # fmt: skip


def test_each_muscle_reads_its_own_curve_between_and_beyond_its_points() -> None:
    x = np.array([[-0.8, 0.3, 1.9], [0.6, -0.65, 0.1], [1.0, 2.0, -1.0]])
    value, slope = fibers.evaluate(TWO, x)
    np.testing.assert_allclose(value, np.where([True, False, True], 2 * x**2, x**3), atol=1e-12)
    np.testing.assert_allclose(
        slope, np.where([True, False, True], 4 * x, 3 * x**2), atol=1e-11
    )
    value, slope = fibers.evaluate(TWO, np.array([[-1.5, -1.5, 2.5], [2.5, 3.0, -2.0]]))
    np.testing.assert_allclose(value, [[4.0, -2.5, 12.0], [12.0, 20.0, 6.0]], atol=1e-11)
    np.testing.assert_allclose(slope, [[-4.0, 3.0, 8.0], [8.0, 12.0, -4.0]], atol=1e-11)


NAMES = ("soleus_r", "tibant_r", "gasmed_r", "soleus_l", "perlong_l")
BENT = curve(
    np.where(GRID > 1.0, 40.0 * (GRID - 1.0) ** 2, 0.0), np.maximum(80 * (GRID - 1), 0)
)
LEGS = MuscleParameters(
    NAMES, np.array([3000.0, 1000.0, 1500.0, 2500.0, 800.0]),
    np.array([0.05, 0.08, 0.06, 0.04, 0.05]), np.array([0.25, 0.2, 0.4, 0.3, 0.35]),
    np.arcsin([0.6, 0.0, 0.28, 0.8, 0.0]), np.array([10.0, 8.0, 12.0, 9.0, 10.0]),
    *(replace(LINE, which=np.zeros(5, np.int64)),) * 3,
    replace(TENDON, which=np.zeros(5, np.int64)),
)  # fmt: skip
ALONG = np.array([0.04, 0.08, 0.06, 0.03, 0.05])
"""Ways of the fibres along their tendons at test, m."""


def test_fibres_of_several_muscles_are_each_their_own() -> None:
    width = np.array([0.03, 0.0, 0.0168, 0.032, 0.0])
    length = LEGS.tendon_slack_length + np.array([ALONG, 1.5 * ALONG])
    velocity = np.array([[0.1, -0.2, 0.3, -0.4, 0.5]] * 2)
    found = fibers.rigid_tendon(LEGS, length, velocity)
    fibre = np.sqrt(np.array([ALONG, 1.5 * ALONG]) ** 2 + width**2)
    np.testing.assert_allclose(found.length, fibre / LEGS.optimal_fiber_length)
    cos = np.array([ALONG, 1.5 * ALONG]) / fibre
    np.testing.assert_allclose(found.cos_pennation, cos)
    fastest = np.array([0.5, 0.64, 0.72, 0.36, 0.5])
    np.testing.assert_allclose(found.velocity, velocity * cos / fastest)


def calves(frames: int, arms: dict[str, list[float]]) -> Any:
    length = np.tile(LEGS.tendon_slack_length + ALONG, (frames, 1))
    return SimpleNamespace(
        names=NAMES, length=length, column=lambda name: np.tile(arms[name], (frames, 1))
    )


ARMS = {
    "ankle_angle_r": [-0.05, 0.04, -0.04, 0.0, 0.0], "ankle_angle_l": [0, 0, 0, -0.06, -0.0125],
}  # fmt: skip


def test_plantarflexors_of_a_side_share_its_moment_by_strength() -> None:
    time = np.arange(4) / 100.0
    moment = np.tile([-105.0, -32.0], (4, 1))
    found = fibers.elastic_pass(LEGS, calves(4, ARMS), np.zeros((4, 5)), moment, time)
    # Right: 3000 · 0.05 + 1500 · 0.04 = 210 N·m at full strength: a half. Left: a fifth of 160.
    expected = np.array([0.5, 0.0, 0.5, 0.2, 0.0]) / 30.0
    np.testing.assert_allclose(found.tendon_strain, np.tile(expected, (4, 1)), rtol=1e-9)
    assert found.elastic.tolist() == [True, False, True, True, False]
    along = ALONG - LEGS.tendon_slack_length * expected
    width = np.array([0.03, 0.0, 0.0168, 0.032, 0.0])
    np.testing.assert_allclose(
        found.length[2] * LEGS.optimal_fiber_length, np.hypot(along, width), rtol=1e-9
    )
    # A hundredth of the strength is there without being asked for.
    least = fibers.elastic_pass(LEGS, calves(4, ARMS), np.zeros((4, 5)), -moment, time)
    np.testing.assert_allclose(least.tendon_strain[:, [0, 2, 3]], 0.01 / 30.0, rtol=1e-6)


def test_a_bent_tendon_carries_what_is_asked_of_it() -> None:
    bent = replace(LEGS, tendon=replace(BENT, which=np.zeros(5, np.int64)))
    share = np.array([0.03, 0.37, 0.9, 1.4])
    time, moment = np.arange(4) / 100.0, np.column_stack([-210.0 * share, -160.0 * share[::-1]])
    found = fibers.elastic_pass(bent, calves(4, ARMS), np.zeros((4, 5)), moment, time)
    np.testing.assert_allclose(40.0 * found.tendon_strain[:, 0] ** 2, share, rtol=1e-3)
    np.testing.assert_allclose(40.0 * found.tendon_strain[:, 3] ** 2, share[::-1], rtol=1e-3)


@pytest.mark.parametrize("frames", [3, 6])
def test_a_tendons_rate_is_exact_for_parabolas_to_the_ends(frames: int) -> None:
    time = np.arange(frames) / 50.0
    share = 0.3 + 2.0 * time + 15.0 * time**2
    moment = np.column_stack([-210.0 * share, -80.0 * np.ones(frames)])
    velocity = np.full((frames, 5), 0.02)
    found = fibers.elastic_pass(LEGS, calves(frames, ARMS), velocity, moment, time)
    rate = np.zeros((frames, 5))
    rate[:, [0, 2]] = np.outer((2.0 + 30.0 * time) / 30.0, [0.25, 0.4])
    fastest = np.array([0.5, 0.64, 0.72, 0.36, 0.5])
    np.testing.assert_allclose(
        found.velocity, (0.02 - rate) * found.cos_pennation / fastest, rtol=1e-7
    )


def test_without_plantarflexors_nothing_is_stretched_but_the_least() -> None:
    time, still = np.arange(4) / 100.0, np.zeros((4, 5))
    nowhere = {name: [0.0] * 5 for name in ARMS}
    asked = fibers.elastic_pass(LEGS, calves(4, nowhere), still, np.zeros((4, 2)), time, 0.3)
    np.testing.assert_allclose(asked.tendon_strain[:, [0, 2, 3]], 0.3 / 30.0, rtol=1e-6)
    # A tendon that carries already at its slack length is not made shorter for a smaller load.
    early = curve(
        0.1 + np.maximum(30.0 * (GRID - 1.0), GRID - 1.0), np.where(GRID < 1, 1.0, 30.0)
    )
    stiff = replace(LEGS, tendon=replace(early, which=np.zeros(5, np.int64)))
    found = fibers.elastic_pass(stiff, calves(4, ARMS), still, np.zeros((4, 2)), time, 0.02)
    np.testing.assert_array_equal(found.tendon_strain, 0.0)


def test_fibres_that_are_let_stand_still_pull_by_their_length_alone() -> None:
    moving = replace(state(0.29), velocity=np.array([[0.7]]))
    still = fibers.capacity(
        replace(ONE, force_velocity=curve(1.0 + GRID, np.ones(21))),
        moving,
        force_velocity=False,
    )
    assert still.active[0, 0] == pytest.approx(3000.0 * 0.8)
    assert still.state is moving


def test_strength_goes_with_volume_over_height() -> None:
    assert fibers.strength_scale(75.34, 1.70) == pytest.approx(1.0)
    # 47 · 60 · 1.6 + 1285 = 5797 cm³ on 1.6 m; 47 · 80 · 2 + 1285 = 8805 cm³ on 2 m.
    assert fibers.strength_scale(60.0, 1.6, 80.0, 2.0) == pytest.approx(5797 / 1.6 / (8805 / 2))
    assert fibers.strength_scale(60.0, 1.6) == pytest.approx(
        5797.0 / (47.0 * 75.34 * 1.7 + 1285.0) * 1.7 / 1.6
    )
    assert fibers.strength_scale(0.5, 0.5) > 0.0
    for mass, height in ((0.0, 1.7), (70.0, 0.0), (-1.0, 1.7), (70.0, -1.0)):
        with pytest.raises(SettingsError, match=f"{mass} kg and {height} m"):
            fibers.strength_scale(mass, height)
