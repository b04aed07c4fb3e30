"""Laws of the bounded QP: it agrees with clarabel, and its answers satisfy KKT."""

from __future__ import annotations

import clarabel
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kneestride.loads import qp
from kneestride.vocabulary import Array
from scipy import sparse

Problem = tuple[Array, Array, Array, Array, Array, Array]


def by_clarabel(D: Array, c: Array, B: Array, tau: Array, lower: Array, upper: Array) -> Array:
    n, m = len(D), len(tau)
    has_lower, has_upper = np.isfinite(lower), np.isfinite(upper)
    eye = np.eye(n)
    rows = sparse.csc_matrix(np.vstack([B, -eye[has_lower], eye[has_upper]]))
    right = np.concatenate([tau, -lower[has_lower], upper[has_upper]])
    options = clarabel.DefaultSettings()
    options.verbose = False
    options.tol_gap_abs = options.tol_gap_rel = options.tol_feas = 1e-12
    cones = [clarabel.ZeroConeT(m), clarabel.NonnegativeConeT(len(right) - m)]
    cost = sparse.csc_matrix(np.diag(D))
    return np.array(clarabel.DefaultSolver(cost, c, rows, right, cones, options).solve().x)


def random_problem(seed: int, spread: float, dependent: bool = False) -> Problem:
    """A feasible problem; a wide `spread` puts most variables on their bounds."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(4, 50))
    m = int(rng.integers(1, min(n - 1, 10)))
    D = 10 ** rng.uniform(-3, 1, n)
    c = rng.normal(size=n) * (seed % 2)
    B = rng.normal(size=(m, n)) * (rng.uniform(size=(m, n)) < 0.6)
    if dependent:
        B[-1] = B[0]
    lower = np.where(rng.uniform(size=n) < 0.1, -np.inf, 0.01)
    upper = np.where(rng.uniform(size=n) < 0.2, np.inf, 1.0)
    tau = B @ np.clip(rng.normal(0.5, spread, n), lower, upper)
    return D, c, B, tau, lower, upper


def active_set(problem: Problem) -> Array:
    x, lam = np.empty(len(problem[0])), np.zeros(len(problem[3]))
    qp.active_set(*problem, x, lam)
    return x


def solve_one(problem: Problem) -> qp.Solution:
    D, c, B, tau, lower, upper = problem
    return qp.solve(D, c, B[None], tau[None], lower, upper)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), spread=st.sampled_from([0.3, 0.8, 3.0]), twin=st.booleans())
def test_both_methods_agree_with_clarabel(seed: int, spread: float, twin: bool) -> None:
    problem = random_problem(seed, spread, twin)
    reference = by_clarabel(*problem)
    found = solve_one(problem)
    assert found.solved[0]
    np.testing.assert_allclose(found.x[0], reference, atol=1e-6)
    np.testing.assert_allclose(active_set(problem), reference, atol=1e-6)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_solution_satisfies_the_optimality_conditions(seed: int) -> None:
    D, c, B, tau, lower, upper = problem = random_problem(seed, 0.8)
    found = solve_one(problem)
    x, gradient = found.x[0], D * found.x[0] + c - B.T @ found.multipliers[0]
    assert np.all((x >= lower) & (x <= upper))
    np.testing.assert_allclose(B @ x, tau, atol=1e-8)
    inside = (x > lower) & (x < upper)
    np.testing.assert_allclose(gradient[inside], 0, atol=1e-7)
    assert np.all(gradient[x == lower] >= -1e-7)
    assert np.all(gradient[x == upper] <= 1e-7)


def test_known_answer_two_muscles_share_by_moment_arm() -> None:
    # Minimising a² at a given moment: activations in proportion to their moment arms.
    found = qp.solve(
        np.full(2, 2.0),
        np.zeros(2),
        np.array([[[3.0, 1.0]]]),
        np.array([[2.0]]),
        np.zeros(2),
        np.ones(2),
    )
    np.testing.assert_allclose(found.x[0], [0.6, 0.2], atol=1e-12)


def test_all_variables_saturated() -> None:
    rng = np.random.default_rng(3)
    B = rng.uniform(0.1, 1.0, (2, 12))
    D, c, lower, upper = np.full(12, 2.0), np.zeros(12), np.zeros(12), np.ones(12)
    problem = (D, c, B, B @ upper, lower, upper)
    assert solve_one(problem).solved[0]
    np.testing.assert_allclose(solve_one(problem).x[0], 1.0, atol=1e-6)
    np.testing.assert_allclose(active_set(problem), 1.0, atol=1e-6)


def test_infeasible_problem_is_reported_not_hidden() -> None:
    B = np.ones((1, 1, 3))
    found = qp.solve(np.ones(3), np.zeros(3), B, np.array([[5.0]]), np.zeros(3), np.ones(3))
    assert found.fallback[0]
    assert not found.solved[0]
    assert found.residual[0] == pytest.approx(2.0)
    np.testing.assert_allclose(found.x[0], 1.0)


def test_a_reserve_makes_the_infeasible_problem_feasible() -> None:
    D = np.array([2.0, 2.0, 2.0, 200.0])
    B = np.array([[[1.0, 1.0, 1.0, 1.0]]])
    upper = np.array([1.0, 1.0, 1.0, np.inf])
    lower = np.array([0.0, 0.0, 0.0, -np.inf])
    found = qp.solve(D, np.zeros(4), B, np.array([[5.0]]), lower, upper)
    assert found.solved[0]
    np.testing.assert_allclose(found.x[0], [1, 1, 1, 2], atol=1e-9)


def test_order_and_starting_point_change_nothing() -> None:
    problems = [random_problem(7, 0.8)] * 2
    D, c, B, tau, lower, upper = problems[0]
    factors = np.linspace(0.9, 1.0, 20)
    many = qp.solve(D, c, np.tile(B, (20, 1, 1)), factors[:, None] * tau, lower, upper)
    for k in (0, 10, 19):
        alone = qp.solve(D, c, B[None], factors[k] * tau[None], lower, upper)
        if alone.solved[0]:
            np.testing.assert_allclose(many.x[k], alone.x[0], atol=1e-8)


def test_masked_frame_stays_nan_and_spares_its_neighbours() -> None:
    D, c, B, tau, lower, upper = random_problem(11, 0.5)
    taus = np.tile(tau, (3, 1))
    taus[1] = np.nan
    found = qp.solve(D, c, np.tile(B, (3, 1, 1)), taus, lower, upper)
    assert np.isnan(found.x[1]).all()
    assert not found.solved[1]
    np.testing.assert_allclose(found.x[2], found.x[0], atol=1e-9)
