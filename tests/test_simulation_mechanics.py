"""Linear mechanics of a change against differences of the exact mechanics."""

from __future__ import annotations

import numpy as np
import pytest
import simulated_runner as made
from kneestride.motion import limb_geometry
from kneestride.simulation.geometry import (
    clearances,
    closest,
    knee_displacement,
    knee_over_toe,
    projection_angle,
    rotation_vector,
)
from kneestride.simulation.limb import limb_moments
from kneestride.simulation.mechanics import body_state, wrench
from kneestride.simulation.problem import Problem
from kneestride.vocabulary import SIDES, Array


@pytest.fixture(scope="module")
def problem() -> Problem:
    return Problem.of(made.runner(), made.stride(True))


@pytest.fixture(scope="module")
def change(problem: Problem) -> tuple[Array, Array, Array]:
    rng = np.random.default_rng(3)
    size = (problem.basis.knots, len(problem.free))
    return problem.basis.expand(1e-5 * rng.normal(size=size))


def both_ways(problem: Problem, change: tuple[Array, Array, Array]) -> tuple:  # type: ignore[type-arg]
    minus = tuple(-c for c in change)
    return problem.moved(change), problem.moved(minus)  # type: ignore[arg-type]


def test_change_of_force_and_spin_is_linear_in_the_change(problem, change) -> None:  # type: ignore[no-untyped-def]
    body = problem.runner.body
    ahead, behind = (wrench(body, s.q, s.qd, s.qdd) for s in both_ways(problem, change))
    momentum = problem.momentum
    force = body.mass * sum(
        np.einsum("tin,tn->ti", a, c) for a, c in zip(momentum.com, change, strict=True)
    )
    spin = sum(
        np.einsum("tin,tn->ti", a, c) for a, c in zip(momentum.spin, change, strict=True)
    )
    exact_force = (ahead.force - behind.force) / 2
    exact_spin = (ahead.spin_rate - behind.spin_rate) / 2
    np.testing.assert_allclose(force, exact_force, atol=2e-3 * np.abs(exact_force).max())
    np.testing.assert_allclose(spin, exact_spin, atol=2e-3 * np.abs(exact_spin).max())


@pytest.mark.parametrize("side", SIDES)
def test_change_of_the_shanks_moment_is_linear_in_the_change(problem, change, side) -> None:  # type: ignore[no-untyped-def]
    body, shank = problem.runner.body, (problem.legs[side].knee[0],)
    ahead, behind = (
        limb_moments(body, s.q, s.qd, s.qdd, shank)[:, 0] for s in both_ways(problem, change)
    )
    expected = (ahead - behind) / 2
    found = sum(
        np.einsum("tin,tn->ti", a, c)
        for a, c in zip(problem.limbs[side].factors, change, strict=True)
    )
    np.testing.assert_allclose(found, expected, atol=2e-3 * np.abs(expected).max())


def test_a_swinging_shanks_moment_is_its_knees(problem) -> None:  # type: ignore[no-untyped-def]
    s, body = problem.stride, problem.runner.body
    nothing = np.zeros((s.frames, len(body.bodies), 3))
    found = body.inverse_dynamics(s.q, s.qd, s.qdd, nothing, nothing)
    for k, side in enumerate(SIDES):
        flexion = found.tau[:, body.coordinate(f"knee_angle_{side}")]
        size = np.abs(flexion).max()
        about_lateral = np.abs(problem.base_limbs[:, k, 2])
        np.testing.assert_allclose(about_lateral, np.abs(flexion), atol=0.1 * size)


def test_force_is_mass_times_acceleration_of_the_mass_centre(problem) -> None:  # type: ignore[no-untyped-def]
    s, body = problem.stride, problem.runner.body
    com = problem.base.com
    acceleration = problem.derivative @ (problem.derivative @ com)
    expected = body.mass * (acceleration - body.tree.gravity)
    found = wrench(body, s.q, s.qd, s.qdd).force
    np.testing.assert_allclose(found, expected, atol=1e-3 * np.abs(expected).max())


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("measure", [projection_angle, knee_displacement])
def test_derivatives_of_the_knees_place(problem, change, side, measure) -> None:  # type: ignore[no-untyped-def]
    leg = problem.legs[side]
    ahead, behind = (
        measure(body_state(problem.runner.body, s.q, problem.free), leg)[0]
        for s in both_ways(problem, change)
    )
    slope = measure(problem.base, leg)[1]
    expected = (ahead - behind) / 2
    np.testing.assert_allclose(
        np.einsum("tn,tn->t", slope, change[0]), expected, atol=1e-4 * np.abs(expected).max()
    )


@pytest.mark.parametrize("side", SIDES)
def test_the_knees_place_is_what_the_alignment_code_measures(problem, side) -> None:  # type: ignore[no-untyped-def]
    s = problem.stride
    time = s.phase * s.period
    paths = problem.runner.paths(time, s.frames / s.period, s.q)
    forward = limb_geometry.projection_normal(paths, True)
    leg, base = problem.legs[side], problem.base
    np.testing.assert_allclose(
        projection_angle(base, leg)[0],
        limb_geometry.frontal_plane_projection_angle(paths, side, forward),
        atol=1e-12,
    )
    np.testing.assert_allclose(
        knee_displacement(base, leg)[0],
        limb_geometry.medial_knee_displacement(paths, side, forward),
        atol=1e-12,
    )
    np.testing.assert_allclose(
        knee_over_toe(base, leg)[0], limb_geometry.knee_over_toe_offset(paths, side), atol=1e-12
    )


def test_clearance_derivative(problem, change) -> None:  # type: ignore[no-untyped-def]
    legs = problem.legs["r"], problem.legs["l"]
    ahead, behind = (
        clearances(body_state(problem.runner.body, s.q, problem.free), *legs, False)[0]
        for s in both_ways(problem, change)
    )
    slope = clearances(problem.base, *legs, True)[1]
    expected = (ahead - behind) / 2
    found = np.einsum("tpn,tn->tp", slope, change[0])
    # Where the nearest points jump between ends, the distance has a kink.
    smooth = np.abs(found - expected) < 1e-3 * np.abs(expected).max()
    assert smooth.mean() > 0.97


def test_nearest_points_of_crossed_lines() -> None:
    a, b = np.array([[-1.0, 0, 0]]), np.array([[1.0, 0, 0]])
    c, d = np.array([[0.0, -1, 0.3]]), np.array([[0.0, 3, 0.3]])
    s, t = closest(a, b, c, d)
    assert (s[0], t[0]) == (pytest.approx(0.5), pytest.approx(0.25))


def test_rotation_vector_of_a_known_turn() -> None:
    c, s = np.cos(0.3), np.sin(0.3)
    about_z = np.array([[[c, -s, 0], [s, c, 0], [0, 0, 1.0]]])
    np.testing.assert_allclose(rotation_vector(about_z), [[0, 0, 0.3]], atol=1e-12)
