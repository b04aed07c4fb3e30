"""Known answers of fibres and curves, for one muscle with round figures."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
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
