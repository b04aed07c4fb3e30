"""Parts of the bounded quadratic programs: known answers, optimality, and how many steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from kneestride.loads import qp
from kneestride.loads.qp_active_set import active_set, cholesky_solve, free_set
from kneestride.vocabulary import Array
from scipy import optimize

INF = np.inf
Problem = tuple[Array, Array, Array, Array, Array, Array]


def small(seed: int) -> Problem:
    """D, c, B, tau, lower, upper of up to nine variables, most of them at a bound."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(3, 10))
    m = int(rng.integers(1, min(n - 1, 4)))
    D = 10 ** rng.uniform(-1.5, 1.5, n)
    c, B = rng.normal(size=n), rng.normal(size=(m, n)) * (rng.random((m, n)) < 0.8)
    lower = np.where(rng.random(n) < 0.2, -INF, rng.uniform(-0.5, 0.2, n))
    upper = np.where(rng.random(n) < 0.2, INF, rng.uniform(0.3, 1.0, n))
    tau = B @ np.clip(rng.normal(0.3, 1.0, n), lower, upper)
    return D, c, B, tau, lower, upper


def assert_optimal(problem: Problem, x: Array, multipliers: Array) -> None:
    """Karush, Kuhn and Tucker: nothing on the rows and between the bounds costs less."""
    D, c, B, tau, lower, upper = problem
    np.testing.assert_allclose(B @ x, tau, atol=1e-8)
    assert ((x >= lower) & (x <= upper)).all()
    pull = D * x + c - B.T @ multipliers
    np.testing.assert_allclose(pull[(x > lower) & (x < upper)], 0.0, atol=1e-6)
    assert (pull[x == lower] > -1e-6).all() and (pull[x == upper] < 1e-6).all()


@pytest.mark.parametrize("seed", range(40))
def test_both_methods_are_optimal_with_their_multipliers(seed: int) -> None:
    problem = D, c, B, tau, lower, upper = small(seed)
    x, multipliers = np.full(len(D), np.nan), np.full(len(tau), np.nan)
    active_set(D, c, B, tau, lower, upper, x, multipliers)
    assert_optimal(problem, x, multipliers)
    found = qp.solve(D, c, B[None], tau[None], lower, upper)
    assert found.solved[0] and found.residual[0] < 1e-8
    assert_optimal(problem, found.x[0], found.multipliers[0])
    np.testing.assert_allclose(found.x[0], x, atol=1e-6)


def test_multipliers_of_the_active_set_at_round_figures() -> None:
    # ½ (2 x² + 4 y² + z²) + x, x + 2 y + z = 5, y at most 1: 2 x + 1 = λ = z; x + z = 3.
    D, c, B = np.array([2.0, 4.0, 1.0]), np.array([1.0, 0.0, 0.0]), np.array([[1.0, 2.0, 1.0]])
    lower, upper = np.full(3, -INF), np.array([INF, 1.0, INF])
    x, multipliers = np.zeros(3), np.zeros(1)
    active_set(D, c, B, np.array([5.0]), lower, upper, x, multipliers)
    np.testing.assert_allclose(x, [2 / 3, 1.0, 7 / 3], atol=1e-14)
    np.testing.assert_allclose(multipliers, [7 / 3], atol=1e-14)


def test_rows_that_say_the_same_twice_are_one() -> None:
    D, c, B, _, lower, upper = small(3)
    twice = np.vstack([B, 2.0 * B[0]])
    inside = np.clip(np.full(len(D), 0.25), lower, upper)
    one, two = np.zeros(len(D)), np.zeros(len(D))
    active_set(D, c, B, B @ inside, lower, upper, one, np.zeros(len(B)))
    active_set(D, c, twice, twice @ inside, lower, upper, two, np.zeros(len(B) + 1))
    np.testing.assert_allclose(one, two, atol=1e-12)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_what_cannot_be_met_is_missed_at_the_bounds(sign: float) -> None:
    D, c, B = np.array([1.0, 5.0, 0.2]), np.zeros(3), np.array([[1.0, -2.0, 0.5]])
    lower, upper = np.array([-1.0, -2.0, -4.0]), np.array([1.0, 2.0, 4.0])
    x = np.zeros(3)
    active_set(D, c, B, np.array([sign * 9.0]), lower, upper, x, np.zeros(1))
    np.testing.assert_allclose(x, sign * np.array([1.0, -2.0, 4.0]))


# --- linear algebra -------------------------------------------------------------------


def test_cholesky_solves_what_stands_in_the_lower_triangle() -> None:
    rng = np.random.default_rng(4)
    for m in (1, 2, 5):
        root = rng.normal(size=(m, m))
        whole, b = root @ root.T + 0.1 * np.eye(m), rng.normal(size=m)
        A, out = np.tril(whole) + np.triu(np.full((m, m), 99.0), 1), np.full(m, np.nan)
        cholesky_solve(A, b, out, 1e-11)
        np.testing.assert_allclose(whole @ out, b, atol=1e-9)


def test_a_row_implied_by_those_before_has_no_unknown() -> None:
    for excess, unknown in ((4e-4, [3.0, 0.0, 2.5]), (2e-3, [2.0, 1.0, 2.5])):
        A = np.array([[1.0, 0.0, 0.0], [1.0, 1.0 + excess, 0.0], [0.0, 0.0, 4.0]])
        out = np.full(3, np.nan)
        cholesky_solve(A, np.array([3.0, 3.0 + excess, 10.0]), out, 1e-3)
        np.testing.assert_allclose(out, unknown, atol=1e-9)
    # Of three rows of rank two the sum is met all the same.
    rows = np.array([[1.0, 2.0], [3.0, -1.0], [4.0, 1.0]])
    A, b = rows @ rows.T, rows @ np.array([0.7, -0.3])
    out = np.full(3, np.nan)
    cholesky_solve(A.copy(), b, out, 1e-11)
    np.testing.assert_allclose(A @ out, b, atol=1e-12)
    assert out[2] == 0.0


def test_only_free_variables_count_for_a_step() -> None:
    rng = np.random.default_rng(2)
    D, B = rng.uniform(0.5, 2.0, 6), rng.normal(size=(3, 6))
    sign, A = np.array([0.0, 1.0, 0.0, -1.0, 0.0, 0.0]), np.full((3, 3), np.nan)
    free_set(D, B, sign, A)
    free = [0, 2, 4, 5]
    np.testing.assert_allclose(A, B[:, free] @ np.diag(1 / D[free]) @ B[:, free].T, atol=1e-14)


# --- the dual -------------------------------------------------------------------------


def test_the_largest_miss_of_a_row() -> None:
    B, x = np.array([[1.0, 2.0], [0.0, 3.0], [1.0, -1.0]]), np.array([1.0, 2.0])
    assert qp.largest(B, x, np.array([5.5, 6.0, -1.0])) == 0.5
    assert qp.largest(B, x, np.array([5.0, 13.0, 1.0])) == 7.0
    assert qp.largest(B, x, np.array([5.0, 6.0, -4.0])) == 3.0
    assert qp.largest(B, x, B @ x) == 0.0
    assert np.isnan(qp.largest(B, np.array([np.nan, 2.0]), np.zeros(3)))


def test_the_best_x_of_multipliers_is_clipped() -> None:
    D, c = np.array([2.0, 4.0, 1.0, 1.0]), np.array([1.0, -2.0, 0.0, 0.0])
    B = np.array([[3.0, 2.0, 9.0, -9.0], [1.0, 0.0, 0.0, 0.0]])
    x = np.full(4, np.nan)
    qp.clipped(
        D, c, B, np.full(4, -5.0), np.array([9.0, 9.0, 8.0, 9.0]), np.array([1.0, 4.0]), x
    )
    np.testing.assert_allclose(x, [3.0, 1.0, 8.0, -5.0])


def dual(problem: Problem, multipliers: Array) -> float:
    """Least of the Lagrangian over x within its bounds, by its definition."""
    D, c, B, tau, lower, upper = problem
    x = np.clip((B.T @ multipliers - c) / D, lower, upper)
    return float(0.5 * x @ (D * x) + c @ x - multipliers @ (B @ x - tau))


def test_slope_along_a_step_is_the_duals_derivative() -> None:
    for seed in range(5):
        problem = D, c, B, tau, lower, upper = small(seed)
        rng = np.random.default_rng(seed)
        at, step = rng.normal(size=(2, len(tau)))
        v0, dv = B.T @ at - c, B.T @ step
        for t in (0.0, 0.3, 2.1):
            told = qp.slope_along(D, c, v0, dv, lower, upper, float(step @ tau), t)
            h = 1e-6
            rise = dual(problem, at + (t + h) * step) - dual(problem, at + (t - h) * step)
            assert told == pytest.approx(rise / (2 * h), rel=1e-5, abs=1e-6)


def slope_of(arguments: tuple[Any, ...]) -> Callable[[float], float]:
    slope: Any = qp.slope_along
    return lambda t: float(slope(*arguments, t))


@pytest.mark.parametrize("scale", [0.05, 0.7, 1.0, 3.0, 40.0])
def test_the_best_step_is_where_the_slope_ends(scale: float) -> None:
    for seed in range(8):
        D, c, B, tau, lower, upper = small(seed)
        lam = np.full(len(tau), 0.1)
        wanted = tau - B @ np.clip((B.T @ lam - c) / D, lower, upper)
        step = wanted / scale
        arguments: tuple[Any, ...] = (
            D,
            c,
            B.T @ lam - c,
            B.T @ step,
            lower,
            upper,
            float(step @ tau),
        )

        slope = slope_of(arguments)
        found, start = qp.best_step(*arguments), slope(0.0)
        if slope(1e6) > 0.0:
            assert found >= 1e6
            continue
        assert abs(slope(found)) <= 1e-9 * abs(start)
        assert found == pytest.approx(optimize.brentq(slope, 0.0, 1e6, xtol=1e-14), rel=1e-6)


def test_a_step_without_new_bounds_is_taken_whole_and_an_endless_one_ends() -> None:
    none, one = np.full(1, -INF), np.ones(1)
    # Slope 2 - t · 2 ends at 1; of x at most ½ it never does: 2 - ½ · 2.
    two = 2.0 * one
    assert qp.best_step(two, none, 0.0 * one, two, none, -none, 2.0) == 1.0
    assert 1e6 <= qp.best_step(two, none, 0.0 * one, two, none, 0.5 * one, 2.0) < 4e6
    # Slope 2 - t/2 ends at 4, slope 2 - 8 t at a quarter.
    assert qp.best_step(2.0 * two, none, 0.0 * one, one * 2**0.5, none, -none, 2.0) == (
        pytest.approx(4.0)
    )
    assert qp.best_step(two, none, 0.0 * one, 2.0 * two, none, -none, 2.0) == (
        pytest.approx(0.25)
    )


# --- steps ----------------------------------------------------------------------------


def test_a_program_without_bounds_takes_one_step_and_its_twin_none() -> None:
    rng = np.random.default_rng(1)
    B = np.tile(rng.normal(size=(2, 6)), (3, 1, 1))
    tau = np.array([[1.0, -2.0], [1.0, -2.0], [3.0, 0.5]])
    D, c = rng.uniform(0.5, 2.0, 6), rng.normal(size=6)
    found = qp.solve(D, c, B, tau, np.full(6, -INF), np.full(6, INF))
    assert found.steps.tolist() == [1, 0, 1] and found.solved.all()
    # From its own multipliers a program is solved as it stands, and they are left alone.
    start = found.multipliers[0].copy()
    again = qp.solve(D, c, B[1:], tau[1:], np.full(6, -INF), np.full(6, INF), start=start)
    assert again.steps.tolist() == [0, 1]
    np.testing.assert_array_equal(start, found.multipliers[0])


def test_newton_takes_few_steps() -> None:
    taken = []
    for seed in range(40):
        D, c, B, tau, lower, upper = small(seed)
        found = qp.solve(D, c, B[None], tau[None], lower, upper)
        if not found.fallback[0]:
            taken.append(int(found.steps[0]))
    assert len(taken) > 30 and np.median(taken) <= 4 and max(taken) <= 12


def test_the_frame_before_is_an_excellent_start() -> None:
    rng = np.random.default_rng(6)
    B = np.tile(rng.normal(size=(2, 10)), (30, 1, 1))
    way = 1.5 + 0.8 * np.sin(np.linspace(0, 3, 30))
    tau = way[:, None] * np.array([2.0, 1.6])
    found = qp.solve(np.full(10, 2.0), np.zeros(10), B, tau, np.full(10, 0.01), np.ones(10))
    assert found.solved.all() and not found.fallback.any()
    assert (found.x == 0.01).any() and found.steps[1:].max() <= 3


ONES = (np.ones(3), np.zeros(3), np.ones((1, 1, 3)))
BETWEEN = (-np.ones(3), np.ones(3))


def test_a_program_without_solution_stops_after_sixty_steps() -> None:
    found = qp.solve(*ONES, np.array([[5.0]]), *BETWEEN)
    assert found.steps.tolist() == [60] and found.fallback.tolist() == [True]
    assert found.residual.tolist() == [pytest.approx(2.0)] and not found.solved[0]


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize(("tolerance", "solved"), [(0.33, False), (0.34, True)])
def test_the_tolerance_is_of_one_and_the_largest_asked(
    sign: float, tolerance: float, solved: bool
) -> None:
    # Five are asked and three can be had: 2 missed, of 1 + 5.
    found = qp.solve(*ONES, np.array([[sign * 5.0]]), *BETWEEN, tolerance)
    assert (bool(found.solved[0]), bool(found.fallback[0])) == (solved, not solved)
    assert found.residual[0] == pytest.approx(2.0)
    np.testing.assert_allclose(found.x[0], sign)


def test_good_enough_after_five_steps_is_good_enough() -> None:
    # Missed by 2, which is within the tolerance, but not within a thousandth of it; the 5
    # that nothing at all misses are.
    found = qp.solve(*ONES, np.array([[5.0]]), *BETWEEN, 2.5)
    assert found.steps.tolist() == [5] and found.solved[0]
    assert qp.solve(*ONES, np.array([[5.0]]), *BETWEEN, 5001.0).steps.tolist() == [0]


def test_a_failed_frame_leaves_nothing_to_the_next() -> None:
    B = np.tile(np.array([[1.0, 2.0, 0.5]]), (3, 1, 1))
    taus = np.array([[9.0], [1.0], [1.0]])
    found = qp.solve(np.ones(3), np.zeros(3), B, taus, *BETWEEN)
    alone = qp.solve(np.ones(3), np.zeros(3), B[1:], taus[1:], *BETWEEN)
    assert found.solved.tolist() == [False, True, True]
    np.testing.assert_array_equal(found.steps[1:], alone.steps)
    np.testing.assert_array_equal(found.x[1:], alone.x)
    np.testing.assert_array_equal(found.multipliers[1:], alone.multipliers)
    # Off the bounds, D x + c = Bᵀ λ: what is asked of each unit of the row.
    np.testing.assert_allclose(alone.multipliers, 1.0 / 5.25)


@pytest.mark.parametrize("where", ["D", "c", "B", "tau"])
@pytest.mark.parametrize("value", [np.nan, INF])
def test_a_frame_with_anything_unknown_is_skipped(where: str, value: float) -> None:
    given = {
        "D": np.ones((3, 3)), "c": np.zeros((3, 3)), "B": np.ones((3, 1, 3)),
        "tau": np.full((3, 1), 1.5),
    }  # fmt: skip
    given[where][1].flat[-1] = value
    found = qp.solve(given["D"], given["c"], given["B"], given["tau"], *BETWEEN)
    assert found.solved.tolist() == [True, False, True]
    assert np.isnan(found.x[1]).all() and np.isnan(found.residual[1])
    assert not found.multipliers[1].any() and found.steps[1] == 0 and not found.fallback[1]
    np.testing.assert_allclose(found.x[[0, 2]], 0.5)
    assert found.residual[0] < 1e-12


def test_where_newton_is_lost_the_other_method_starts_the_next_frame() -> None:
    B, tau = np.tile(np.array([[1.0, 2.0, 0.5]]), (2, 1, 1)), np.ones((2, 1))
    far = np.array([1e30])
    found = qp.solve(np.ones(3), np.zeros(3), B, tau, *BETWEEN, start=far)
    assert found.fallback.tolist() == [True, False] and found.solved.all()
    assert found.steps.tolist() == [60, 0]
    np.testing.assert_allclose(found.multipliers, 1.0 / 5.25)
    np.testing.assert_allclose(found.x, np.tile(np.array([1.0, 2.0, 0.5]) / 5.25, (2, 1)))
