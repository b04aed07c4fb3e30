"""Inverse kinematics' kernel on a small body: hand-counted tables, differences, step counts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from jointed_toy import (
    BODIES,
    COORDINATES,
    FULL,
    at,
    toy,
    toy_markers,
    toy_motion,
    toy_priors,
    toy_tasks,
)
from kneestride.model.kernels import IntArray
from kneestride.motion.inverse_kinematics_kernel import (
    MAX_ITERATIONS,
    _cholesky,
    _cost,
    _normal_equations,
    _work_for,
    pruned,
    solve_frames,
)
from kneestride.vocabulary import Array

N = len(COORDINATES)
FREE = np.flatnonzero(toy_priors().free)
KNEE = at("knee_angle_r")


def plain(function: Any) -> Any:
    """Return the function as it is written: compiling it for one call takes longer."""
    return getattr(function, "py_func", function)


# --- leaving out ----------------------------------------------------------------------


def test_what_carries_no_point_is_left_out_and_the_rest_counted_anew() -> None:
    tree, on = pruned(toy().tree, toy_tasks().body)
    keep = [0, 2, 3, 4]  # no head
    assert tree.parent.tolist() == [-1, 0, 1, 1]
    assert on.tolist() == [0] * 4 + [1] * 3 + [2] + [3] * 3
    joints = {"nod": -1, "pelvis": 0, "hip": 1, "knee_angle_r_beta": 2, "knee": 3}
    for c, name in enumerate(FULL):
        expected = joints.get(name, joints[name.split("_")[0]] if name != "nod" else -1)
        assert tree.joint_of[c] == expected, name
    whole = toy().tree
    for field in (
        "rotation_pf", "position_pf", "rotation_bm", "position_bm", "axes", "function",
        "coordinate", "gain", "mass", "com", "inertia", "moves",
    ):  # fmt: skip
        np.testing.assert_array_equal(getattr(tree, field), getattr(whole, field)[keep])
    np.testing.assert_array_equal(tree.leader, whole.leader)
    # A point on the shank alone keeps what carries the shank.
    tree, on = pruned(whole, np.array([BODIES.index("tibia_r")] * 2))
    assert tree.parent.tolist() == [-1, 0, 1] and on.tolist() == [2, 2]
    np.testing.assert_array_equal(tree.mass, whole.mass[[0, 2, 4]])


def test_who_moves_whom_is_counted_from_the_root_outwards() -> None:
    tree, on = pruned(toy().tree, toy_tasks().body)
    work = plain(_work_for)(tree, on, FREE)
    place = dict(zip(FULL, work.place.tolist(), strict=True))
    assert [place[COORDINATES[j]] for j in FREE] == list(range(9))
    # Coupled ones stand where the knee stands; the head's joint is gone.
    assert (
        place["knee_angle_r_beta"] == place["knee_slide_r_beta"] == place["knee_angle_r"] == 8
    )
    assert place["nod"] == -1
    order = dict(zip(FULL, work.order.tolist(), strict=True))
    assert [order[n] for n in FULL[:6]] == [0, 1, 2, 3, 4, 5]
    assert (order["hip_flexion_r"], order["hip_adduction_r"]) == (6, 7)
    assert order["knee_angle_r_beta"] == 12  # the first of the axes that it drives
    assert (order["knee_angle_r"], order["knee_slide_r_beta"]) == (18, 21)
    root = list(range(6))
    hip = [*root, FULL.index("hip_flexion_r")]
    leg = [*hip, FULL.index("hip_adduction_r")]
    cap, knee, slide = (
        FULL.index(n) for n in ("knee_angle_r_beta", "knee_angle_r", "knee_slide_r_beta")
    )
    expected = {c: root[: c + 1] for c in root} | {
        hip[-1]: hip, leg[-1]: leg, cap: [*leg, cap], knee: [*leg, knee],
        slide: [*leg, knee, slide], FULL.index("nod"): [],
    }  # fmt: skip
    for c, name in enumerate(FULL):
        assert work.above[c, : work.levels[c]].tolist() == expected[c], name
    # A coordinate that is held is nobody's.
    fewer = plain(_work_for)(tree, on, FREE[at("hip_flexion_r") != FREE])
    assert fewer.place[hip[-1]] == -1 and fewer.levels[hip[-1]] == 0
    assert fewer.above[knee, : fewer.levels[knee]].tolist() == [*root, leg[-1], knee]
    assert work.normal.shape == work.damped.shape == (9, 9)
    assert (work.slope == 1.0).all()


# --- cost, gradient, curvature --------------------------------------------------------


def posed(curved: bool, q: Array, markers: Array, weight: Array) -> tuple[Array, Array, float]:
    tree, on = pruned(toy().tree, toy_tasks().body)
    work = plain(_work_for)(tree, on, FREE)
    none = np.zeros(N)
    station = toy_tasks().station
    cost = plain(_cost)(tree, q, on, station, markers, weight, none, none, work)
    for _ in range(2):  # twice: nothing of the first time may be left over
        plain(_cost)(tree, q, on, station, markers, weight, none, none, work)
        plain(_normal_equations)(tree, on, weight, curved, work)
    lower = np.tril(work.normal)
    return lower + np.tril(lower, -1).T, work.gradient.copy(), cost


def disturbed() -> tuple[Array, Array, Array]:
    rng = np.random.default_rng(21)
    q = toy_motion(1, 22)[0]
    markers = toy_markers(q[None])[0] + 0.05 * rng.standard_normal((len(toy_tasks().names), 3))
    weight = rng.uniform(0.5, 2.0, len(toy_tasks().names))
    weight[[1, 6]] = 0.0
    return q, markers, weight


def paths(q: Array, step: float = 1e-5) -> Array:
    """Slopes (K, 3, F) of the points by central differences."""
    ahead, behind = np.tile(q, (2, len(FREE), 1))
    ahead[np.arange(len(FREE)), FREE] += step
    behind[np.arange(len(FREE)), FREE] -= step
    return np.moveaxis((toy_markers(ahead) - toy_markers(behind)) / (2 * step), 0, -1)


def test_cost_counts_weighted_misses_and_pulls() -> None:
    q, markers, weight = disturbed()
    tree, on = pruned(toy().tree, toy_tasks().body)
    work = plain(_work_for)(tree, on, FREE)
    prior, stiff = np.linspace(-1.0, 1.0, N), np.linspace(0.5, 2.0, N)
    miss = toy_markers(q[None])[0] - markers
    found = plain(_cost)(tree, q, on, toy_tasks().station, markers, weight, prior, stiff, work)
    expected = weight @ (miss**2).sum(axis=1) + stiff @ (q - prior) ** 2
    assert found == pytest.approx(float(expected))
    seen = weight > 0
    np.testing.assert_allclose(work.miss[seen], miss[seen], atol=1e-12)
    root = q[[at(f"pelvis_t{axis}") for axis in "xyz"]]
    np.testing.assert_allclose(
        work.where[seen], (toy_markers(q[None])[0] - root)[seen], atol=1e-12
    )
    assert (work.miss[~seen] == 0.0).all()


def test_normal_equations_are_those_of_the_points_slopes() -> None:
    q, markers, weight = disturbed()
    normal, gradient, cost = posed(False, q, markers, weight)
    slope = paths(q)
    miss = toy_markers(q[None])[0] - markers
    np.testing.assert_allclose(
        normal, np.einsum("k,kif,kig->fg", weight, slope, slope), atol=1e-7
    )
    np.testing.assert_allclose(
        gradient, -np.einsum("k,ki,kif->f", weight, miss, slope), atol=1e-8
    )
    assert cost == pytest.approx(float(weight @ (miss**2).sum(axis=1)))


def test_curvature_is_that_of_the_points_paths() -> None:
    """All pairs of coordinates: rotations and translations of a joint, and coupled ones."""
    q, markers, weight = disturbed()
    straight, gradient, _ = posed(False, q, markers, weight)
    curved, same, _ = posed(True, q, markers, weight)
    np.testing.assert_array_equal(gradient, same)
    miss = toy_markers(q[None])[0] - markers
    step = 1e-4
    expected = np.empty((len(FREE), len(FREE)))
    for f, j in enumerate(FREE):
        ahead, behind = q.copy(), q.copy()
        ahead[j] += step
        behind[j] -= step
        bend = (paths(ahead) - paths(behind)) / (2 * step)
        expected[f] = np.einsum("k,ki,kig->g", weight, miss, bend)
    np.testing.assert_allclose(curved - straight, expected, atol=5e-6)
    assert np.abs(expected).max() > 0.02


# --- linear systems -------------------------------------------------------------------


def test_a_small_system_is_solved_by_its_lower_half() -> None:
    # L = [[2, 0, 0], [1, 3, 0], [-2, 4, 5]], A = L Lᵀ; A (1, -2, 3) by hand.
    junk = 99.0
    A = np.array([[4.0, junk, junk], [2.0, 10.0, junk], [-4.0, 10.0, 45.0]])
    out = np.empty(3)
    assert plain(_cholesky)(A, np.array([-12.0, 12.0, 111.0]), out)
    np.testing.assert_allclose(out, [1.0, -2.0, 3.0], atol=1e-12)
    np.testing.assert_allclose(np.tril(A), [[2, 0, 0], [1, 3, 0], [-2, 4, 5]], atol=1e-12)
    one = np.array([[4.0]])
    assert plain(_cholesky)(one, np.array([8.0]), out[:1]) and out[0] == 2.0


@pytest.mark.parametrize(
    "rows", [[[0.0]], [[-1.0]], [[1.0, 0.0], [2.0, 4.0]], [[1.0, 0.0], [2.0, 3.0]], [[np.nan]]]
)
def test_a_system_that_is_not_definite_is_refused(rows: list[list[float]]) -> None:
    A = np.array(rows)
    assert plain(_cholesky)(A, np.ones(len(A)), np.empty(len(A))) is False


# --- steps ----------------------------------------------------------------------------


def frames(
    markers: Array, starts: Array, free: IntArray = FREE, **given: Any
) -> tuple[Array, Array, IntArray]:
    tree, on = pruned(toy().tree, toy_tasks().body)
    T = len(markers)
    out, costs, steps = np.empty((T, N)), np.empty(T), np.zeros(T, dtype=np.int64)
    weight = given.get("weight", np.ones(markers.shape[:2]))
    plain(solve_frames)(
        tree, markers, weight, on, toy_tasks().station,
        given.get("prior", np.zeros(N)), given.get("stiffness", np.zeros(N)), free,
        given.get("lower", np.full(N, -np.inf)), given.get("upper", np.full(N, np.inf)),
        starts, given.get("chained", False), given.get("tolerance", 1e-8), out, costs, steps,
    )  # fmt: skip
    return out, costs, steps


def translations() -> IntArray:
    return np.array([at(f"pelvis_t{axis}") for axis in "xyz"])


def test_a_steady_motion_needs_one_step_a_frame_once_two_are_known() -> None:
    """Where two frames lead, in a straight line, the third one is: one look, no way to go."""
    q = np.tile(toy_motion(1, 3), (5, 1))
    pace = np.where(np.isin(np.arange(N), FREE), 0.05 + 0.01 * np.arange(N), 0.0)
    q += np.arange(5)[:, None] * pace
    found, costs, steps = frames(toy_markers(q), q[:1] + 0.1 * (pace > 0), chained=True)
    np.testing.assert_allclose(found, q, atol=1e-9)
    assert steps[0] > 2 and steps[1] >= 2 and (steps[2:] == 1).all()
    assert (costs < 1e-16).all()


def test_each_frame_starts_where_it_is_told_to() -> None:
    """A held coordinate keeps the value of its frame's own start, or of the one chain's."""
    q = toy_motion(3, 4)
    free = FREE[FREE != KNEE]
    markers = toy_markers(q)
    starts = q.copy()
    starts[:, free] += 0.05
    found, _, _ = frames(markers, starts, free)
    np.testing.assert_allclose(found, q, atol=1e-8)
    chain, costs, _ = frames(markers, starts[:1], free, chained=True)
    assert (chain[:, KNEE] == q[0, KNEE]).all()
    assert costs[0] < 1e-16 < 1e-7 < costs[2]


def test_a_line_of_squares_is_solved_in_two_steps() -> None:
    """Translations alone make a linear system: one step there, one to see that it is there."""
    q = toy_motion(1, 5)
    start = q.copy()
    start[0, translations()] += [0.3, -0.2, 0.5]
    found, costs, steps = frames(toy_markers(q), start, translations())
    np.testing.assert_allclose(found, q, atol=1e-9)
    assert steps.tolist() == [3] or steps.tolist() == [2]
    assert costs[0] < 1e-16


def test_pulls_share_with_points() -> None:
    """Eleven points of weight 1 and a pull of weight 5.5: a third of the way to its value."""
    q = toy_motion(1, 6)
    free = translations()
    prior, stiffness = q[0].copy(), np.zeros(N)
    prior[free] += [0.3, -0.6, 0.9]
    stiffness[free] = 5.5
    found, costs, _ = frames(toy_markers(q), q.copy(), free, prior=prior, stiffness=stiffness)
    np.testing.assert_allclose((found - q)[0, free], [0.1, -0.2, 0.3], atol=1e-8)
    left = 11 * (0.1**2 + 0.2**2 + 0.3**2) + 5.5 * (0.2**2 + 0.4**2 + 0.6**2)
    assert costs[0] == pytest.approx(left)


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_bound_holds_one_coordinate_and_leaves_the_others_free(
    axis: int, sign: float
) -> None:
    q = toy_motion(1, 7)
    free = translations()
    start = q.copy()
    start[0, free] -= sign * np.array([0.2, 0.3, 0.4])
    lower, upper = np.full(N, -np.inf), np.full(N, np.inf)
    limit = q[0, free[axis]] - sign * 0.1
    (upper if sign > 0 else lower)[free[axis]] = limit
    found, costs, _ = frames(toy_markers(q), start, free, lower=lower, upper=upper)
    expected = q[0].copy()
    expected[free[axis]] = limit
    np.testing.assert_allclose(found[0], expected, atol=1e-8)
    assert found[0, free[axis]] == limit
    assert costs[0] == pytest.approx(11 * 0.1**2)
    # A start beyond the bound is brought back; on the bound, with the answer inside, it leaves.
    beyond = q.copy()
    beyond[0, free[axis]] = limit + sign * 3.0
    again, _, _ = frames(toy_markers(q), beyond, free, lower=lower, upper=upper)
    np.testing.assert_allclose(again[0], expected, atol=1e-8)
    wide_lower, wide_upper = lower.copy(), upper.copy()
    (wide_upper if sign > 0 else wide_lower)[free[axis]] = q[0, free[axis]] + sign * 0.1
    there, _, _ = frames(toy_markers(q), beyond, free, lower=wide_lower, upper=wide_upper)
    np.testing.assert_allclose(there, q, atol=1e-8)


def test_a_joint_at_its_bound_leaves_the_best_of_the_others() -> None:
    """Rotations move many points together: nothing of the held one may leak to the rest."""
    q = toy_motion(1, 8)
    upper = np.full(N, np.inf)
    upper[KNEE] = q[0, KNEE] - 0.2
    upper[at("pelvis_list")] = q[0, at("pelvis_list")] - 0.1
    start = q.copy()
    start[0, [KNEE, at("pelvis_list")]] -= 0.3
    found, costs, steps = frames(toy_markers(q), start, upper=upper)
    assert found[0, KNEE] == upper[KNEE]
    assert found[0, at("pelvis_list")] == upper[at("pelvis_list")]
    fixed = q.copy()
    fixed[0, [KNEE, at("pelvis_list")]] = found[0, [KNEE, at("pelvis_list")]]
    rest = FREE[~np.isin(FREE, [KNEE, at("pelvis_list")])]
    held, same, _ = frames(toy_markers(q), fixed, rest)
    np.testing.assert_allclose(found, held, atol=1e-6)
    assert costs[0] == pytest.approx(same[0], rel=1e-9)
    assert steps[0] < 15


def test_a_frame_ends_after_a_hundred_steps_at_the_latest() -> None:
    q = toy_motion(1, 9)
    free = translations()
    assert MAX_ITERATIONS == 100
    found, _, steps = frames(toy_markers(q), q.copy(), free, tolerance=-1.0)
    assert steps[0] <= 100
    np.testing.assert_allclose(found, q, atol=1e-9)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_frames_far_from_their_start_are_reached_and_never_cost_more(seed: int) -> None:
    rng = np.random.default_rng(seed)
    q = toy_motion(4, seed)
    markers = toy_markers(q) + 0.02 * rng.standard_normal((4, len(toy_tasks().names), 3))
    starts = q.copy()
    starts[:, FREE] += 0.6 * rng.standard_normal((4, len(FREE)))
    pull = np.full(N, 1e-4)
    found, costs, steps = frames(markers, starts, stiffness=pull)
    for t in range(4):

        def cost(pose: Array, t: int = t) -> float:
            off = toy_markers(pose[None])[0] - markers[t]
            return float((off**2).sum() + pull @ pose**2)

        assert costs[t] == pytest.approx(cost(found[t])) and costs[t] <= cost(starts[t])
        for j in FREE:
            ends = []
            for step in (1e-5, -1e-5):
                near = found[t].copy()
                near[j] += step
                ends.append(cost(near))
            assert ends[0] - ends[1] == pytest.approx(0.0, abs=1e-11)
    assert steps.max() < 40


def test_a_chain_follows_a_jump() -> None:
    """After two frames that lead on, the third is elsewhere: curvature misleads there."""
    q = toy_motion(6, 11)
    q[3:, [at("pelvis_rotation"), at("pelvis_tx"), at("hip_flexion_r")]] += 0.9, 0.7, -0.6
    found, costs, steps = frames(toy_markers(q), q[:1].copy(), chained=True)
    np.testing.assert_allclose(found, q, atol=1e-7)
    assert (costs < 1e-12).all() and steps[3] > steps[2]
