"""The program of recruitment, entry by entry: rows, prices, bounds, and where answers go.

Twelve coordinates of the legs and one of the pelvis in no order; eight muscles, of which the
right leg's are 0 and 4, the left's 1, 3 and 6, and the others pull on nothing that counts.
"""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from kneestride.errors import ModelError, SettingsError
from kneestride.loads import qp, recruitment
from kneestride.loads.knee_balance import KneeBalance
from kneestride.loads.muscles import Capacity, FiberState
from kneestride.loads.qp import Solution
from kneestride.loads.recruitment import (
    CRITERIA,
    RecruitmentProblem,
    RecruitmentSettings,
    recruit,
)
from kneestride.loads.recruitment_rows import mark_acting
from kneestride.model.paths import MusclePaths
from kneestride.settings import Settings
from kneestride.vocabulary import Array

FRAMES, MUSCLES, BODY = 6, 8, 700.0
STEMS = (
    "hip_flexion", "hip_adduction", "hip_rotation", "knee_angle", "ankle_angle",
    "subtalar_angle",
)  # fmt: skip
NAMES = (
    "ankle_angle_l", "pelvis_tilt", *(f"{n}_r" for n in STEMS[::-1]),
    *(f"{n}_l" for n in STEMS if n != "ankle_angle"),
)  # fmt: skip
MINE = {"r": [0, 4], "l": [1, 3, 6]}


def problem(**changed: Any) -> RecruitmentProblem:
    rng = np.random.default_rng(12)
    arms = np.zeros((FRAMES, MUSCLES, len(NAMES)))
    wrench = np.zeros((FRAMES, MUSCLES, 2, 6))
    for s, side in enumerate("rl"):
        columns = [NAMES.index(f"{n}_{side}") for n in STEMS]
        arms[np.ix_(range(FRAMES), MINE[side], columns)] = rng.normal(
            0.0, 0.03, (FRAMES, len(MINE[side]), 6)
        )
        wrench[:, MINE[side], s] = rng.normal(size=(FRAMES, len(MINE[side]), 6))
    arms[:, 2, 1] = 0.1  # pelvis alone
    arms[:, 5, 3], arms[:, 7, 0] = 0.9e-9, np.nan
    size = (FRAMES, MUSCLES)
    length, velocity, cos, strain = rng.uniform(0.5, 1.0, (4, *size))
    state = FiberState(length, velocity, cos, strain, np.zeros(MUSCLES, bool))
    balance = KneeBalance(
        rng.normal(0.0, 100.0, (FRAMES, 2, 6)), rng.normal(0.0, 0.03, (2, 2)),
        rng.normal(0.0, 1.0, (FRAMES, 2, 2, 6)), rng.uniform(50.0, 300.0, (FRAMES, 2, 2)),
        rng.normal(size=(FRAMES, 2, 2)),
    )  # fmt: skip
    whole = RecruitmentProblem(
        time=np.arange(FRAMES) / 100.0, body_weight=BODY,
        paths=MusclePaths(
            tuple(f"muscle{m}" for m in range(MUSCLES)), NAMES, rng.random(size), arms, wrench
        ),
        capacity=Capacity(rng.uniform(100, 900, size), rng.uniform(0, 90, size), state),
        moments=rng.normal(0.0, 50.0, (FRAMES, len(NAMES))), balance=balance,
        volume=np.array([1.0, 2.0, 50.0, 3.0, 4.0, 60.0, 7.0, 70.0]),
    )  # fmt: skip
    return replace(whole, **changed)


def joined() -> RecruitmentProblem:
    """Muscle 4 pulls on the left hip too."""
    whole = problem()
    whole.paths.moment_arm[2, 4, NAMES.index("hip_rotation_l")] = 0.02
    return whole


# --- layout ---------------------------------------------------------------------------


def test_each_leg_is_a_program_of_its_own() -> None:
    right, left = recruitment._programs(problem())
    assert (right.sides, left.sides) == ((0,), (1,))
    assert right.muscles.tolist() == MINE["r"] and left.muscles.tolist() == MINE["l"]
    assert right.rows == tuple(f"{n}_r" for n in STEMS)
    assert left.rows == tuple(f"{n}_l" for n in STEMS)
    for legs in (right, left):
        assert [NAMES[c] for c in legs.columns] == list(legs.rows)
        # Moments are divided by body weight times 50 mm, forces by body weight.
        assert legs.scale.tolist() == pytest.approx([35.0] * 7 + [700.0] * 2)


def test_legs_that_share_a_muscle_share_a_program() -> None:
    (both,) = recruitment._programs(joined())
    assert both.sides == (0, 1) and both.muscles.tolist() == [0, 1, 3, 4, 6]
    assert both.rows == tuple(f"{n}_{s}" for s in "rl" for n in STEMS)
    assert both.scale.tolist() == pytest.approx(
        [35.0] * 12 + [35.0, 700.0, 700.0, 35.0, 700.0, 700.0]
    )


def test_rows_are_those_that_the_model_has_and_nobody_locked() -> None:
    locked = problem(without_row=("hip_rotation_r", "subtalar_angle_l"))
    right, left = recruitment._programs(locked)
    assert right.rows == tuple(f"{n}_r" for n in STEMS if n != "hip_rotation")
    assert left.rows == tuple(f"{n}_l" for n in STEMS[:-1])
    assert len(right.scale) == 8 and right.scale[5:].tolist() == [35.0, 700.0, 700.0]
    whole = problem()
    names = tuple("other" if n.startswith("subtalar") else n for n in NAMES)
    stiff = replace(whole, paths=replace(whole.paths, coordinates=names))
    assert [len(p.rows) for p in recruitment._programs(stiff)] == [5, 5]
    names = tuple(n if n not in ("knee_angle_l", "ankle_angle_l") else f"x{n}" for n in NAMES)
    lost = replace(whole, paths=replace(whole.paths, coordinates=names))
    with pytest.raises(ModelError, match="none called knee_angle_l, ankle_angle_l"):
        recruitment._programs(lost)


def test_a_muscle_acts_from_a_billionth_on_at_any_frame() -> None:
    columns = np.array([2, 0])
    for value, acts in ((1.1e-9, True), (-1.1e-9, True), (0.9e-9, False), (np.nan, False)):
        for column in (0, 2):
            arms, wrench = np.zeros((3, 2, 4)), np.zeros((3, 2, 2, 6))
            arms[2, 1, column] = value
            acting = np.zeros((2, 2), bool)
            mark_acting(arms, wrench, columns, 1, acting)
            assert acting.tolist() == [[False, False], [False, acts]]
        for part in range(6):
            arms, wrench = np.zeros((3, 2, 4)), np.zeros((3, 2, 2, 6))
            wrench[1, 0, 1, part] = value
            wrench[1, 1, 0, part] = 5.0  # of the other side
            arms[:, :, [1, 3]] = 5.0  # of no row
            acting = np.zeros((2, 2), bool)
            mark_acting(arms, wrench, columns, 1, acting)
            assert acting.tolist() == [[False, False], [acts, False]]


# --- rows -----------------------------------------------------------------------------


@pytest.mark.parametrize("whole", [problem(), joined()], ids=["legs", "joined"])
def test_rows_are_the_balance_of_moments_of_the_knee_and_of_its_halves(
    whole: RecruitmentProblem,
) -> None:
    settings = RecruitmentSettings(reserve=4.0)
    start, stop = 2, 5
    at = slice(start, stop)
    for legs in recruitment._programs(whole):
        B, tau = recruitment._assemble(whole, settings, legs, start, stop)
        K, R, count = len(legs.muscles), len(legs.rows), len(legs.sides)
        assert B.shape == (3, R + 3 * count, K + 5 * count + R)
        x = np.random.default_rng(3).uniform(0.1, 1.0, B.shape[2])
        missed = (B @ x - tau) * legs.scale
        able = whole.capacity
        pull = np.zeros((3, MUSCLES))
        pull[:, legs.muscles] = (x[:K] * able.active[at][:, legs.muscles]) + able.passive[at][
            :, legs.muscles
        ]
        arms = np.nan_to_num(whole.paths.moment_arm[at])
        for i, name in enumerate(legs.rows):
            c = NAMES.index(name)
            supplied = (arms[:, :, c] * pull).sum(axis=1) + 4.0 * x[K + 5 * count + i]
            np.testing.assert_allclose(missed[:, i], supplied - whole.moments[at, c], atol=1e-9)
        for k, s in enumerate(legs.sides):
            medial, lateral, total, *ligaments = BODY * x[K + 5 * k : K + 5 * k + 5]
            outward = 1.0 if s == 0 else -1.0
            balance, wrench = whole.balance, whole.paths.tibia_wrench[at, :, s]
            strings = np.einsum("tki,k->ti", balance.collateral[at, s], ligaments)
            frontal = outward * ((wrench[:, :, 3] * pull).sum(axis=1) + strings[:, 3])
            frontal += balance.lever[s, 0] * medial + balance.lever[s, 1] * lateral
            asked = outward * balance.required[at, s, 3]
            row = R + 3 * k
            np.testing.assert_allclose(missed[:, row], frontal - asked, atol=1e-9)
            # Required = pulls of muscles and ligaments, less what presses down.
            upwards = (wrench[:, :, 1] * pull).sum(axis=1) + strings[:, 1] - total
            np.testing.assert_allclose(
                -missed[:, row + 1], upwards - balance.required[at, s, 1], atol=1e-9
            )
            np.testing.assert_allclose(missed[:, row + 2], medial + lateral - total, atol=1e-9)


# --- prices and bounds ----------------------------------------------------------------


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Array, ...]]:
    """What the solver is asked; it answers nothing."""
    told: list[tuple[Array, ...]] = []

    def solve(*given: Array) -> Any:
        told.append(tuple(np.array(g) for g in given))
        return SimpleNamespace()

    monkeypatch.setattr(qp, "solve", solve)
    return told


def prices(
    asked: list[tuple[Array, ...]], whole: RecruitmentProblem, settings: RecruitmentSettings
) -> tuple[Array, ...]:
    """Cost, linear part, lower and upper of the last program, frames 2 to 4."""
    legs = recruitment._programs(whole)[-1]
    B, tau = recruitment._assemble(whole, settings, legs, 2, 5)
    recruitment._minimise(whole, settings, legs, B, tau, slice(2, 5))
    cost, linear, rows, right, lower, upper = asked.pop()
    np.testing.assert_array_equal(rows, B)
    np.testing.assert_array_equal(right, tau)
    assert not linear.any()
    return cost, lower, upper


def test_prices_of_the_knee_aware_criterion(asked: list[tuple[Array, ...]]) -> None:
    cost, _, _ = prices(asked, problem(), RecruitmentSettings(knee_weight=0.3))
    # ½ D x²: twice each weight. Three muscles, the halves, their sum, ligaments, reserves.
    expected = [2.0] * 3 + [2e-6] * 2 + [0.6] + [0.02] * 2 + [2.0] * 6
    np.testing.assert_allclose(cost, np.tile(expected, (3, 1)))
    free, _, _ = prices(asked, problem(), RecruitmentSettings(knee_weight=0.0))
    np.testing.assert_allclose(free[:, 5], 2e-6)
    both, _, _ = prices(asked, joined(), RecruitmentSettings())
    knee = [2e-6] * 2 + [0.2] + [0.02] * 2
    np.testing.assert_allclose(both, np.tile([2.0] * 5 + knee + knee + [2.0] * 12, (3, 1)))


def test_bounds_are_activations_pushes_and_what_ligaments_can(
    asked: list[tuple[Array, ...]],
) -> None:
    for whole, muscles, sides in ((problem(), 3, [1]), (joined(), 5, [0, 1])):
        _, lower, upper = prices(asked, whole, RecruitmentSettings(least=0.02, most=0.9))
        limits = whole.balance.collateral_limit[2:5] / BODY
        assert (lower[:, :muscles] == 0.02).all() and (upper[:, :muscles] == 0.9).all()
        for k, s in enumerate(sides):
            here = slice(muscles + 5 * k, muscles + 5 * k + 5)
            assert lower[:, here].tolist() == [[0.0, 0.0, -np.inf, 0.0, 0.0]] * 3
            assert np.isinf(upper[:, here][:, :3]).all() and (upper[:, here][:, :3] > 0).all()
            np.testing.assert_allclose(upper[:, here][:, 3:], limits[:, s])
        assert (lower[:, muscles + 5 * len(sides) :] == -np.inf).all()
        assert (upper[:, muscles + 5 * len(sides) :] == np.inf).all()


def test_weights_of_muscles_by_criterion(asked: list[tuple[Array, ...]]) -> None:
    whole = problem()
    knee = NAMES.index("knee_angle_l")
    whole.paths.moment_arm[:, MINE["l"], knee] = 0.9e-3
    whole.paths.moment_arm[4, 3, knee] = -1.1e-3
    whole.paths.moment_arm[1, 6, knee] = np.nan
    for criterion in CRITERIA:
        if criterion == "cubed":
            continue
        cost, _, _ = prices(asked, whole, RecruitmentSettings(criterion, knee_weight=0.5))
        weights, knee_price = cost[:, :3] / 2.0, cost[:, 5] / 2.0
        expected = [1.0, 1.0, 1.0]
        if criterion == "volume":
            expected = [0.5, 0.75, 1.75]  # of 2, 3 and 7: the mean is 4
        if criterion == "knee_muscles":
            expected = [1.0, 1.0 / 0.36, 1.0]
        np.testing.assert_allclose(weights, np.tile(expected, (3, 1)))
        assert knee_price == pytest.approx(0.5 if criterion == "knee_aware" else 1e-6)


# --- cubes ----------------------------------------------------------------------------


def test_cubes_share_by_the_root_of_the_arm_and_reserves_by_their_square() -> None:
    # Stationary: 3 a² = λ r for muscles, 2 x = λ ρ for the reserve; nothing at a bound.
    B = np.array([[[4.0, 1.0, 2.25, 0.5]], [[4.0, 1.0, 0.0, 0.5]]])
    tau = np.array([[1.5], [1.0]])
    cost = np.full((2, 4), 2.0)
    lower, upper = np.full((2, 4), -np.inf), np.full((2, 4), np.inf)
    lower[:, :3], upper[:, :3] = 0.0, 1.0
    found = recruitment._cubic(3, B, tau, cost, lower, upper)
    np.testing.assert_allclose(np.einsum("tij,tj->ti", B, found.x), tau, atol=1e-8)
    for frame, used in ((0, [0, 1, 2]), (1, [0, 1])):
        a, arms = found.x[frame, used], B[frame, 0, used]
        price = 3.0 * a**2 / arms
        np.testing.assert_allclose(price, price[0], rtol=2e-3)
        assert 2.0 * found.x[frame, 3] / 0.5 == pytest.approx(price[0], rel=2e-3)
        np.testing.assert_allclose(a / a[1], np.sqrt(arms / arms[1]), rtol=1e-3)


class Solver:
    """Answers the first columns from a list and keeps what it was asked."""

    def __init__(self, *answers: float) -> None:
        self.answers, self.asked = list(answers), list[tuple[Array, Array]]()

    def solve(self, cost: Array, linear: Array, *_: Array) -> Any:
        self.asked.append((cost.copy(), linear.copy()))
        value = self.answers[min(len(self.asked), len(self.answers)) - 1]
        return SimpleNamespace(x=np.tile([value, 0.5, 0.7], (2, 1)))


def test_cubes_are_expanded_about_the_middle_of_the_last_two_points(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    solver = Solver(0.2, 0.4, 0.302, 0.30101)
    monkeypatch.setattr(qp, "solve", solver.solve)
    none = np.zeros((2, 3))
    found = recruitment._cubic(2, none[:, None], none, np.full((2, 3), 2.0), none, none)
    # 0.2; half-way to 0.4: 0.3; half-way to 0.302: 0.301, which the next is within 1e-5 of.
    for (cost, linear), a in zip(solver.asked[1:], (0.2, 0.3, 0.301), strict=True):
        np.testing.assert_allclose(cost, np.tile([6 * a, 3.0, 2.0], (2, 1)))
        np.testing.assert_allclose(
            linear, np.tile([3 * a**2 - 6 * a * a, 3 * 0.25 - 6 * 0.25, 0.0], (2, 1))
        )
    assert found.x[0, 0] == 0.30101
    np.testing.assert_array_equal(solver.asked[0][1], 0.0)


def test_cubes_end_after_forty_steps_and_hold_their_curvature(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    none = np.zeros((2, 3))
    endless = Solver(*[0.001 + 0.5 * (k % 2) for k in range(200)])
    monkeypatch.setattr(qp, "solve", endless.solve)
    recruitment._cubic(2, none[:, None], none, np.full((2, 3), 2.0), none, none)
    assert len(endless.asked) == 41
    # At an activation of 0.001 the curvature is that of 0.01, the slope its own.
    cost, linear = endless.asked[1]
    assert cost[0, 0] == pytest.approx(0.06)
    assert linear[0, 0] == pytest.approx(3e-6 - 0.06 * 0.001)
    steady = Solver(0.3)
    monkeypatch.setattr(qp, "solve", steady.solve)
    recruitment._cubic(2, none[:, None], none, np.full((2, 3), 2.0), none, none)
    assert len(steady.asked) == 2


# --- where answers go -----------------------------------------------------------------


def answers(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Every unknown becomes its own number: 0.001 a column, 0.1 a frame, right below left."""
    blocks: list[tuple[int, int]] = []

    def minimise(
        whole: Any, settings: Any, legs: Any, B: Array, tau: Array, at: slice
    ) -> Solution:
        frames, _, n = B.shape
        blocks.append((at.start, at.stop))
        x = 0.001 * np.arange(n) + 0.1 * np.arange(at.start, at.stop)[:, None]
        x += 0.03 * legs.sides[0]
        solved = np.arange(at.start, at.stop) != 3 + legs.sides[0]
        fallback = np.arange(at.start, at.stop) == 5 * legs.sides[0]
        return Solution(
            x, tau, np.zeros(frames), fallback, solved, np.zeros(frames, dtype=np.int64)
        )

    def in_blocks(work: Any, frames: int) -> None:
        work(0, 4)
        work(4, frames)

    monkeypatch.setattr(recruitment, "_minimise", minimise)
    monkeypatch.setattr(recruitment, "over_blocks", in_blocks)
    return blocks


def test_answers_of_legs_go_where_they_belong(monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = answers(monkeypatch)
    whole = problem()
    found = recruit(whole, RecruitmentSettings(reserve=4.0, least=0.05, most=0.531 + 0.9e-6))
    assert blocks == [(0, 4), (0, 4), (4, 6), (4, 6)]
    t = 0.1 * np.arange(FRAMES)[:, None]
    activation = np.full((FRAMES, MUSCLES), 0.05)
    activation[:, MINE["r"]] = t + np.array([[0.0, 0.001]])
    activation[:, MINE["l"]] = t + 0.03 + np.array([[0.0, 0.001, 0.002]])
    np.testing.assert_allclose(found.muscles.activation, activation, atol=1e-15)
    np.testing.assert_allclose(
        found.muscles.force, activation * whole.capacity.active + whole.capacity.passive
    )
    # After two and after three muscles: medial, lateral, sum, two ligaments, six reserves.
    np.testing.assert_allclose(found.medial, BODY * (t + np.array([[0.002, 0.033]])))
    np.testing.assert_allclose(found.lateral, BODY * (t + np.array([[0.003, 0.034]])))
    np.testing.assert_allclose(
        found.collateral, BODY * (t[:, None] + np.array([[0.005, 0.006], [0.036, 0.037]]))
    )
    assert found.muscles.reserves == tuple(f"{n}_{s}" for s in "rl" for n in STEMS)
    column = 0.001 * np.arange(6)
    np.testing.assert_allclose(
        found.muscles.reserve_moment,
        4.0 * (t + np.concatenate([0.007 + column, 0.038 + column])),
    )
    assert found.solved.tolist() == [
        [True, True], [True, True], [True, True], [False, True], [True, False], [True, True],
    ]  # fmt: skip
    assert found.muscles.fallback.tolist() == [True, False, False, False, False, True]
    # Within a millionth of the most there is: 0.531 and 0.532, not 0.53 or 0.501.
    full = np.zeros((FRAMES, MUSCLES), bool)
    full[5, [3, 6]] = True
    np.testing.assert_array_equal(found.muscles.saturated, full)


def test_the_residual_is_the_worst_row_of_either_leg_in_its_unit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers(monkeypatch)
    whole = problem()
    whole.moments[1, NAMES.index("hip_flexion_r")] = np.nan
    settings = RecruitmentSettings()
    found = recruit(whole, settings)
    worst = np.full((FRAMES, 2), np.nan)
    for s, legs in enumerate(recruitment._programs(whole)):
        B, tau = recruitment._assemble(whole, settings, legs, 0, FRAMES)
        x = 0.001 * np.arange(B.shape[2]) + 0.1 * np.arange(FRAMES)[:, None] + 0.03 * s
        missed = np.einsum("tij,tj->ti", B, x) - tau
        worst[:, s] = [np.max(np.abs(row * legs.scale)) for row in missed]
    assert np.isnan(worst[1, 0]) and np.isfinite(worst).sum() == 11
    np.testing.assert_allclose(found.muscles.equality_residual, np.nanmax(worst, axis=1))


def test_answers_of_joined_legs_go_to_their_sides(monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch)
    found = recruit(joined(), RecruitmentSettings(least=0.05))
    t = 0.1 * np.arange(FRAMES)[:, None]
    activation = np.full((FRAMES, MUSCLES), 0.05)
    activation[:, [0, 1, 3, 4, 6]] = t + 0.001 * np.arange(5)
    np.testing.assert_allclose(found.muscles.activation, activation, atol=1e-15)
    np.testing.assert_allclose(found.medial, BODY * (t + np.array([[0.005, 0.010]])))
    np.testing.assert_allclose(found.lateral, BODY * (t + np.array([[0.006, 0.011]])))
    np.testing.assert_allclose(
        found.collateral, BODY * (t[:, None] + np.array([[0.008, 0.009], [0.013, 0.014]]))
    )
    np.testing.assert_allclose(
        found.muscles.reserve_moment, 10.0 * (t + 0.015 + 0.001 * np.arange(12))
    )
    assert (~found.solved).sum(axis=1).tolist() == [0, 0, 0, 2, 0, 0]


# --- settings and windows -------------------------------------------------------------


def test_settings_are_those_of_the_chain_and_have_defaults() -> None:
    chain = replace(
        Settings(), criterion="volume", knee_load_weight=0.2, reserve_optimal_nm=3.0,
        activation_min=0.03, activation_max=0.8,
    )  # fmt: skip
    assert RecruitmentSettings.of(chain) == RecruitmentSettings("volume", 0.2, 3.0, 0.03, 0.8)
    assert RecruitmentSettings() == RecruitmentSettings("knee_aware", 0.1, 10.0, 0.01, 1.0)
    with pytest.raises(SettingsError, match="'cube'"):
        RecruitmentSettings("cube")  # type: ignore[arg-type]


def test_a_window_cuts_everything_over_time() -> None:
    whole = problem()
    assert whole.window(0, FRAMES) is whole and whole.spans() == [(0, FRAMES)]
    for start, stop in ((0, 5), (1, FRAMES), (2, 4)):
        part, cut = whole.window(start, stop), slice(start, stop)
        assert part.spans() == [(0, stop - start)] and part.volume is whole.volume
        state, same = part.capacity.state, whole.capacity.state
        for a, b in (
            (part.time, whole.time), (part.moments, whole.moments),
            (part.paths.length, whole.paths.length),
            (part.capacity.active, whole.capacity.active),
            (part.capacity.passive, whole.capacity.passive),
            (state.length, same.length), (state.velocity, same.velocity),
            (state.cos_pennation, same.cos_pennation),
            (state.tendon_strain, same.tendon_strain),
            (part.balance.required, whole.balance.required),
        ):  # fmt: skip
            np.testing.assert_array_equal(a, b[cut])
        assert state.elastic is same.elastic
    assert whole.coordinates == NAMES and whole.muscles == whole.paths.names
