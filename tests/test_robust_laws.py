"""Stray points, lost frames, and what points tell of a small jointed body."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from jointed_toy import (
    COORDINATES,
    RATE,
    at,
    toy,
    toy_markers,
    toy_motion,
    toy_priors,
    toy_tasks,
)
from kneestride.motion import robust
from kneestride.motion.inverse_kinematics import MarkerTasks, solve
from kneestride.motion.kinematics import Motion
from kneestride.motion.observability import Observability, observability
from kneestride.vocabulary import Array

N, K = len(COORDINATES), len(toy_tasks().names)
TX, TILT = at("pelvis_tx"), at("pelvis_tilt")


def test_three_usual_distances_keep_half_of_a_points_weight() -> None:
    usual = np.array([0.01, 0.02])
    distance = np.array([[0.0, 0.06], [0.03, 0.12], [0.09, np.nan]])
    found = robust.cauchy(distance, usual)
    np.testing.assert_allclose(found, [[1.0, 0.5], [0.5, 0.2], [0.1, 0.0]])


# --- reweighting ----------------------------------------------------------------------


def noisy() -> tuple[Array, Array, Array, Array]:
    """Truth, time, points with a stray one, a missing one and one never seen; confidence."""
    rng = np.random.default_rng(31)
    q = toy_motion(4, 32)
    points = toy_markers(q) + 0.004 * rng.standard_normal((4, K, 3))
    points[:, 2] += [0.02, 0.0, -0.01]  # the detector puts this one beside its place
    points[3, 8] += [0.1, -0.08, 0.06]
    points[2, 5] = np.nan
    points[:, 10] = np.nan
    return q, np.arange(4) / RATE, points, rng.uniform(0.4, 1.0, (4, K))


def robustly(
    points: Array, time: Array, confidence: Array, **rounds: int
) -> tuple[Motion, Array]:
    return robust.solve_robustly(
        toy(), toy_tasks(), time, RATE, points, toy_priors(1e-6), confidence, **rounds
    )


def test_no_round_leaves_confidence_alone() -> None:
    _, time, points, confidence = noisy()
    motion, weight = robustly(points, time, confidence, rounds=0)
    np.testing.assert_array_equal(weight, confidence)
    plain = solve(toy(), toy_tasks(), time, RATE, points, toy_priors(1e-6), weights=confidence)
    np.testing.assert_allclose(motion.q, plain.q, atol=1e-5)


def test_a_round_weighs_each_point_by_its_own_usual_distance() -> None:
    _, time, points, confidence = noisy()
    plain = solve(toy(), toy_tasks(), time, RATE, points, toy_priors(1e-6), weights=confidence)
    motion, weight = robustly(points, time, confidence, rounds=1)
    apart = np.linalg.norm(toy_markers(plain.q) - points, axis=2)
    for k in range(K):
        seen = np.isfinite(apart[:, k])
        if not seen.any():
            assert k == 10 and (weight[:, k] == 0.0).all()
            continue
        # No distance counts as usual that is below 5 mm.
        usual = max(float(np.median(apart[seen, k])), 0.005)
        expected = confidence[seen, k] / (1.0 + (apart[seen, k] / (3.0 * usual)) ** 2)
        np.testing.assert_allclose(weight[seen, k], expected, rtol=1e-3)
        assert (weight[~seen, k] == 0.0).all()
    assert weight[3, 8] < 0.1 * confidence[3, 8]
    again = solve(toy(), toy_tasks(), time, RATE, points, toy_priors(1e-6), weights=weight)
    np.testing.assert_allclose(motion.q, again.q, atol=1e-5)
    assert motion.marker_error is not None
    np.testing.assert_allclose(
        motion.marker_error, np.linalg.norm(toy_markers(motion.q) - points, axis=2)
    )


def test_a_stray_point_bends_less_with_two_rounds_which_is_what_is_done() -> None:
    q, time, points, confidence = noisy()
    weights = {n: robustly(points, time, confidence, rounds=n)[1] for n in (1, 2)}
    usual = robustly(points, time, confidence)
    np.testing.assert_array_equal(usual[1], weights[2])
    assert not np.array_equal(weights[1], weights[2])
    none = robustly(points, time, confidence, rounds=0)[0]
    joints = [i for i, n in enumerate(COORDINATES) if n.endswith("_r")]
    bent, kept = (np.abs(m.q - q)[3, joints].max() for m in (none, usual[0]))
    assert kept < 0.5 * bent


def test_each_round_starts_from_the_last_ones_first_frame(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, time, points, confidence = noisy()
    calls: list[dict[str, Any]] = []
    found: list[Motion] = []

    def noted(*given: Any, **options: Any) -> Motion:
        calls.append(options)
        found.append(solve(*given, **options))
        return found[-1]

    monkeypatch.setattr(robust, "solve", noted)
    robustly(points, time, confidence)
    assert len(calls) == 3 and "start" not in calls[0]
    for k in (1, 2):
        np.testing.assert_array_equal(calls[k]["start"], found[k - 1].q[0])
    assert all(c["tolerance"] == pytest.approx(1e-6) for c in calls)


# --- lost and found again -------------------------------------------------------------


class Lost:
    """Twelve frames of a body, of which a test spoils some; solutions asked for are noted."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, answer: Any = None) -> None:
        self.q = toy_motion(12, 33)
        self.points = toy_markers(self.q)
        self.spoilt = self.q.copy()
        self.weight = np.random.default_rng(34).uniform(0.5, 1.0, (12, K))
        self.asked: list[tuple[Array, Array, Array, Array]] = []

        def noted(
            model: Any, tasks: Any, time: Array, rate: float, points: Array, priors: Any,
            **options: Any,
        ) -> Motion:  # fmt: skip
            assert rate == RATE and len(time) == len(points)
            assert options["tolerance"] == pytest.approx(1e-6)
            self.asked.append((time, points, options["weights"], options["start"]))
            if answer is not None:
                wrong = np.tile(options["start"], (len(points), 1)) + answer
                return Motion(time, rate, COORDINATES, wrong, priors.free)
            return solve(model, tasks, time, rate, points, priors, **options)

        monkeypatch.setattr(robust, "solve", noted)

    def found(self) -> Motion:
        motion = Motion(
            np.arange(12) / RATE, RATE, COORDINATES, self.spoilt, toy_priors().free,
            toy_tasks().names, np.zeros((12, K)),
        )  # fmt: skip
        return robust._found_again(
            toy(), toy_tasks(), motion, self.points, toy_priors(), self.weight
        )


@pytest.mark.parametrize(
    ("lost", "order", "near"),
    [
        (slice(4, 7), [4, 5, 6], 3),  # forwards from the frame before
        (slice(0, 3), [2, 1, 0], 3),  # backwards from the frame after
        (slice(9, 12), [9, 10, 11], 8),
        (slice(0, 1), [0], 1),
    ],
)
def test_a_body_turned_over_is_followed_anew_from_the_nearest_good_frame(
    lost: slice, order: list[int], near: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = Lost(monkeypatch)
    case.spoilt[lost, TILT] += 2.5
    found = case.found()
    ((time, points, weight, start),) = case.asked
    np.testing.assert_array_equal(points, case.points[order])
    np.testing.assert_array_equal(weight, case.weight[order])
    np.testing.assert_array_equal(start, case.q[near])
    np.testing.assert_allclose(time, np.sort(order) / RATE)
    np.testing.assert_allclose(found.q, case.q, atol=1e-5)
    assert found.marker_error is not None and found.marker_error.shape == (12, K)
    np.testing.assert_allclose(found.marker_error, 0.0, atol=1e-5)


def test_several_stretches_are_found_and_what_stays_lost_is_tried_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    case = Lost(monkeypatch)
    for lost in (slice(0, 2), slice(5, 6), slice(8, 10)):
        case.spoilt[lost, TX] += 0.5
    np.testing.assert_allclose(case.found().q, case.q, atol=1e-5)
    assert [len(a[1]) for a in case.asked] == [2, 1, 2]
    hopeless = Lost(monkeypatch, answer=0.6)
    hopeless.spoilt[4:6] += 0.6
    found = hopeless.found()
    assert len(hopeless.asked) == 2
    np.testing.assert_allclose(found.q[4:6], np.tile(hopeless.q[3] + 0.6, (2, 1)))
    np.testing.assert_array_equal(
        np.delete(found.q, [4, 5], axis=0), np.delete(hopeless.q, [4, 5], axis=0)
    )


@pytest.mark.parametrize(
    ("rest", "off", "lost"),
    [
        (0.0, 0.079, False), (0.0, 0.081, True),  # eight centimetres
        (0.03, 0.119, False), (0.03, 0.121, True),  # four times what is usual
    ],
)  # fmt: skip
def test_a_body_is_lost_eight_centimetres_from_its_points_or_four_usual_distances(
    rest: float, off: float, lost: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = Lost(monkeypatch)
    case.spoilt[:, TX] += rest
    case.spoilt[[2, 6], TX] += off - rest
    case.weight[[2, 6]] *= 0.02  # how far off a frame is does not hang on its weight
    # In three of ten frames something is worse than usual: the fifth best is what is usual.
    case.spoilt[9, TX] += 0.02
    found = case.found()
    assert len(case.asked) == (2 if lost else 0)
    assert found.marker_error is not None
    if not lost:
        np.testing.assert_array_equal(found.q, case.spoilt)
        assert found.marker_error[2] == pytest.approx([off] * K)


@pytest.mark.parametrize(("off", "lost"), [(0.0972, False), (0.0980, True)])
def test_what_is_usual_is_the_fifth_best(
    off: float, lost: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Frames 20, 22, 24, ... mm off: a fifth of the way through them are 24.4 mm."""
    case = Lost(monkeypatch)
    case.spoilt[:, TX] += 0.020 + 0.002 * np.arange(12)
    case.spoilt[8, TX] = case.q[8, TX] + off
    case.found()
    assert bool(case.asked) == lost


def test_a_body_that_is_lost_everywhere_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    case = Lost(monkeypatch)
    case.spoilt[:, TX] += np.where(np.arange(12) < 6, 0.09, 0.1)
    case.points[:4] = np.nan
    case.weight[:4] = 0.0
    case.spoilt[4:, TX] += 0.5
    case.spoilt[:4, TX] += 0.5
    found = case.found()
    # Frames without a point are not lost: they have nothing to lose.
    assert [len(a[1]) for a in case.asked] == [8]
    np.testing.assert_allclose(found.q[4:], case.q[4:], atol=1e-5)
    np.testing.assert_array_equal(found.q[:4], case.spoilt[:4])
    case.points[:] = toy_markers(case.q)
    case.weight[:] = 1.0
    case.asked.clear()
    case.spoilt[:, TX] = case.q[:, TX] + 0.2
    found = case.found()
    assert case.asked == []
    np.testing.assert_array_equal(found.q, case.spoilt)


@pytest.mark.parametrize(("seen", "asked"), [(2, 0), (3, 1)])
def test_three_points_are_needed_to_look_again_else_the_pose_beside_is_taken(
    seen: int, asked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = Lost(monkeypatch)
    case.spoilt[5:7, TX] += 0.5
    for frame, count in ((5, 2), (6, seen)):
        case.points[frame, count:] = np.nan
        case.weight[frame, count:] = 0.0
    found = case.found()
    assert len(case.asked) >= asked and bool(case.asked) == bool(asked)
    if not asked:
        np.testing.assert_array_equal(found.q[5], case.q[4])
        np.testing.assert_array_equal(found.q[6], case.q[4])
    start = Lost(monkeypatch)
    start.spoilt[:2, TX] += 0.5
    start.points[:2, seen:] = np.nan
    start.weight[:2, seen:] = 0.0
    first = start.found()
    if not asked:
        np.testing.assert_array_equal(first.q[:2], np.tile(start.q[2], (2, 1)))


# --- what points tell -----------------------------------------------------------------


def test_spread_is_the_inverse_of_the_curvature_of_the_squares() -> None:
    q = toy_motion(5, 41)
    rng = np.random.default_rng(42)
    weight = rng.uniform(0.2, 1.0, (5, K))
    base = toy_tasks()
    tasks = MarkerTasks(base.names, base.body, base.station, rng.uniform(0.5, 2.0, K))
    sigma = rng.uniform(0.05, 0.4, N)
    sigma[[TX, TILT, at("nod")]] = np.inf
    held = sigma.copy()
    # What no prior holds: 40° for a rotation, ten metres for a translation.
    held[TX], held[TILT], held[at("nod")] = 10.0, np.radians(40.0), np.radians(40.0)
    noise = 0.013
    spreads = []
    for t in (4, 0, 3):
        slope = np.empty((K, 3, N))
        for j in range(N):
            both = np.tile(q[t], (2, 1))
            both[:, j] += 1e-5, -1e-5
            ahead, behind = toy_markers(both)
            slope[..., j] = (ahead - behind) / 2e-5
        curvature = np.einsum("k,kif,kig->fg", weight[t] * tasks.weight, slope, slope)
        curvature = curvature / noise**2 + np.diag(1.0 / held**2)
        spreads.append(np.sqrt(np.diag(np.linalg.inv(curvature))))
    found = observability(toy(), tasks, q, weight, noise, sigma, (4, 0, 3))
    middle = np.median(spreads, axis=0)
    np.testing.assert_allclose(found.spread, middle, rtol=1e-5)
    np.testing.assert_allclose(found.share, middle / held, rtol=1e-5)
    assert found.coordinates == COORDINATES
    # The head has no point: all of its spread remains. The pelvis is told.
    assert found.share[at("nod")] == pytest.approx(1.0)
    assert found.share[TILT] < 0.2
    assert "nod" in found.unseen()
    none = observability(toy(), tasks, q, weight, noise, sigma, ())
    assert none.spread.shape == (N,) and np.isnan(none.spread).all()
    assert none.unseen() == none.half_seen() == ()


def test_unseen_is_from_85_percent_on_and_half_seen_from_50() -> None:
    share = np.array([0.0, 0.49, 0.5, 0.84, 0.85, 1.2])
    found = Observability(tuple("abcdef"), share, share)
    assert found.half_seen() == ("c", "d")
    assert found.unseen() == ("e", "f")
