"""Periodic curves: what every basis and derivative has to obey."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kneestride.simulation.bspline import (
    derivative_matrix,
    periodic_basis,
    periodic_derivatives,
    smooth_step,
)

PERIOD = 0.7


def test_basis_functions_sum_to_one_and_their_slopes_to_zero() -> None:
    basis = periodic_basis(np.linspace(0, 1, 91, endpoint=False), 24, PERIOD)
    np.testing.assert_allclose(basis.value.sum(axis=1), 1.0, atol=1e-12)
    np.testing.assert_allclose(basis.first.sum(axis=1), 0.0, atol=1e-9)
    np.testing.assert_allclose(basis.second.sum(axis=1), 0.0, atol=1e-6)


def test_basis_derivatives_are_those_of_its_values() -> None:
    step = 1e-4
    phase = np.linspace(0, 1, 40, endpoint=False)
    here = periodic_basis(phase, 24, PERIOD)
    ahead, behind = (periodic_basis((phase + h) % 1.0, 24, PERIOD) for h in (step, -step))
    slope = (ahead.value - behind.value) / (2 * step * PERIOD)
    curve = (ahead.first - behind.first) / (2 * step * PERIOD)
    np.testing.assert_allclose(here.first, slope, atol=1e-3)
    np.testing.assert_allclose(here.second, curve, atol=0.1)


def test_basis_closes_on_itself() -> None:
    start, end = (periodic_basis(np.array([x]), 24, PERIOD) for x in (0.0, 1.0 - 1e-12))
    np.testing.assert_allclose(start.value, end.value, atol=1e-9)
    np.testing.assert_allclose(start.second, end.second, atol=1e-3)


@given(frames=st.integers(20, 60), harmonic=st.integers(1, 8), lag=st.floats(0, 6.28))
def test_derivative_matrix_is_exact_for_harmonics(
    frames: int, harmonic: int, lag: float
) -> None:
    angle = 2 * np.pi * harmonic * np.arange(frames) / frames + lag
    found = derivative_matrix(frames, PERIOD) @ np.sin(angle)
    expected = 2 * np.pi * harmonic / PERIOD * np.cos(angle)
    np.testing.assert_allclose(found, expected, atol=1e-8)


def test_spline_derivatives_follow_a_smooth_curve() -> None:
    angle = 2 * np.pi * np.arange(100) / 100
    first, second = periodic_derivatives(np.sin(2 * angle)[:, None], PERIOD)
    rate = 4 * np.pi / PERIOD
    np.testing.assert_allclose(first[:, 0], rate * np.cos(2 * angle), atol=1e-5 * rate)
    np.testing.assert_allclose(
        second[:, 0], -(rate**2) * np.sin(2 * angle), atol=1e-4 * rate**2
    )


@pytest.mark.parametrize(("x", "y"), [(-1.0, 0.0), (0.0, 0.0), (0.5, 0.5), (1.0, 1.0), (7, 1)])
def test_smooth_step_known_values(x: float, y: float) -> None:
    assert smooth_step(np.array([x]))[0] == pytest.approx(y)
