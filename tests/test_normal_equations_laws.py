"""Inverse kinematics' kernel against differences of its own cost and of marker paths."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from kneestride.motion.inverse_kinematics import MarkerTasks, station_paths
from kneestride.motion.inverse_kinematics_kernel import (
    _cholesky,
    _cost,
    _normal_equations,
    _work_for,
    pruned,
    solve_frames,
)
from kneestride.vocabulary import Array
from synthetic_capture import lively, marker_tasks, priors, runner


def plain(function: Any) -> Any:
    """Return the function as it is written: compiling it for one call takes longer."""
    return getattr(function, "py_func", function)


EVERY = 3
"""Every third marker: each segment keeps some, and a cost is quick uncompiled."""


@pytest.fixture(scope="module")
def case():
    body, tasks, rng = runner(), marker_tasks(), np.random.default_rng(5)
    few = MarkerTasks(
        tasks.names[::EVERY],
        *(np.ascontiguousarray(a[::EVERY]) for a in (tasks.body, tasks.station, tasks.weight)),
    )
    q = lively(3, 9)[1][1]
    markers = station_paths(body, few, q[None])[0]
    markers = markers + 0.03 * rng.standard_normal(markers.shape)
    weight = rng.uniform(0.5, 2.0, len(few.names))
    weight[2] = 0.0
    free = np.flatnonzero(priors().free)
    tree, on = pruned(body.tree, few.body)
    return body, few, q, markers, weight, free, tree, on


def equations(case, curved: bool) -> tuple[Array, Array, float]:
    _, few, q, markers, weight, free, tree, on = case
    work = plain(_work_for)(tree, on, free)
    none = np.zeros(len(q))
    cost = plain(_cost)(tree, q, on, few.station, markers, weight, none, none, work)
    plain(_normal_equations)(tree, on, weight, curved, work)
    lower = np.tril(work.normal)
    return lower + np.tril(lower, -1).T, work.gradient.copy(), cost


def jacobian(case, step: float = 1e-5) -> Array:
    """Marker paths (K, 3, F) by central differences."""
    body, few, q, _, _, free, _, _ = case
    ahead, behind = np.tile(q, (2, len(free), 1))
    ahead[np.arange(len(free)), free] += step
    behind[np.arange(len(free)), free] -= step
    both = (station_paths(body, few, ahead) - station_paths(body, few, behind)) / (2 * step)
    return np.moveaxis(both, 0, -1)


def test_cost_is_the_weighted_square_of_misses_and_pulls(case) -> None:
    body, few, q, markers, weight, free, tree, on = case
    work = plain(_work_for)(tree, on, free)
    prior, stiff = q + 0.1, np.linspace(0.0, 1.0, len(q))
    found = plain(_cost)(tree, q, on, few.station, markers, weight, prior, stiff, work)
    miss = station_paths(body, few, q[None])[0] - markers
    expected = (weight[:, None] * miss**2).sum() + (stiff * 0.01).sum()
    assert found == pytest.approx(expected)
    np.testing.assert_allclose(work.miss[weight > 0], miss[weight > 0], atol=1e-12)


def test_normal_matrix_and_gradient_are_those_of_the_jacobian(case) -> None:
    body, few, q, markers, weight, _, _, _ = case
    normal, gradient, _ = equations(case, curved=False)
    slope = jacobian(case)
    miss = station_paths(body, few, q[None])[0] - markers
    np.testing.assert_allclose(
        normal, np.einsum("k,kif,kig->fg", weight, slope, slope), atol=2e-7
    )
    np.testing.assert_allclose(
        gradient, -np.einsum("k,ki,kif->f", weight, miss, slope), atol=2e-8
    )


def test_curvature_is_the_second_derivative_of_marker_paths(case) -> None:
    """Between coordinates of joints with axes of their own (not the coupled knee)."""
    body, few, q, markers, weight, free, _, _ = case
    straight, _, _ = equations(case, curved=False)
    curved, _, _ = equations(case, curved=True)
    miss = station_paths(body, few, q[None])[0] - markers
    names = [body.coordinates[j] for j in free]
    simple = [
        f for f, n in enumerate(names) if n.startswith(("pelvis_", "hip_", "lumbar_", "ankle_"))
    ]
    step = 1e-3
    for f in simple:
        moved = []
        for sign in (1.0, -1.0):
            other = q.copy()
            other[free[f]] += sign * step
            moved.append(jacobian((*case[:2], other, *case[3:])))
        second = (moved[0] - moved[1]) / (2 * step)
        expected = np.einsum("k,ki,kig->g", weight, miss, second)
        for g in simple:
            assert (curved - straight)[f, g] == pytest.approx(expected[g], abs=2e-4)


def test_a_definite_system_is_solved_and_another_refused() -> None:
    rng = np.random.default_rng(2)
    half = rng.normal(size=(6, 6))
    matrix, right = half @ half.T + 0.1 * np.eye(6), rng.normal(size=6)
    out = np.empty(6)
    lower = np.tril(matrix)
    assert plain(_cholesky)(lower, right, out)
    np.testing.assert_allclose(matrix @ out, right, atol=1e-9)
    matrix[4, 4] = -1.0
    assert not plain(_cholesky)(np.tril(matrix), right, out)


def solved(case, start: Array, tolerance: float = 1e-8, **bounds: Array):
    _, few, q, markers, weight, free, tree, on = case
    count = np.zeros(1, dtype=np.int64)
    out, costs = np.empty((1, len(q))), np.empty(1)
    low = bounds.get("lower", np.full(len(q), -np.inf))
    high = bounds.get("upper", np.full(len(q), np.inf))
    pull = np.full(len(q), 1e-4)
    solve_frames(
        tree, markers[None], weight[None], on, few.station, q, pull, free, low, high,
        start[None], False, tolerance, out, costs, count,
    )  # fmt: skip
    return out[0], float(costs[0]), int(count[0])


def test_the_solver_takes_few_steps_and_ends_where_no_step_helps(case) -> None:
    _, _, q, _, _, free, _, _ = case
    rng = np.random.default_rng(3)
    start = q.copy()
    start[free] += 0.05 * rng.standard_normal(len(free))
    best, cost, steps = solved(case, start)
    assert 2 <= steps <= 12
    again, same, few = solved(case, best)
    np.testing.assert_allclose(again, best, atol=1e-7)
    assert same == pytest.approx(cost, rel=1e-10) and few <= 2
    for _ in range(4):
        near = best.copy()
        near[free] += 1e-4 * rng.standard_normal(len(free))
        assert solved(case, near)[1] >= cost * (1 - 1e-12)


def test_a_coordinate_ends_on_its_bound_and_others_make_up_for_it(case) -> None:
    _, _, q, _, _, free, _, _ = case
    best, cost, _ = solved(case, q)
    j = int(free[len(free) // 2])
    for sign in (1.0, -1.0):
        bound = best[j] + sign * 0.05
        low, high = np.full(len(q), -np.inf), np.full(len(q), np.inf)
        (low if sign > 0 else high)[j] = bound
        found, dearer, _ = solved(case, q, lower=low, upper=high)
        assert found[j] == pytest.approx(bound, abs=1e-12)
        assert dearer > cost
        fixed_low, fixed_high = low.copy(), high.copy()
        fixed_low[j] = fixed_high[j] = bound
        held, same, _ = solved(case, q, lower=fixed_low, upper=fixed_high)
        np.testing.assert_allclose(held, found, atol=1e-5)
        assert same == pytest.approx(dearer, rel=1e-8)
