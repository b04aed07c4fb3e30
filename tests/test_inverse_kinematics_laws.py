"""Inverse kinematics of a small jointed body: each part against a written-out answer."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
from jointed_toy import (
    BODIES,
    COORDINATES,
    COUPLED,
    FULL,
    HIP,
    RATE,
    at,
    toy,
    toy_markers,
    toy_motion,
    toy_priors,
    toy_tasks,
)
from kneestride import workers
from kneestride.errors import CaptureError
from kneestride.model.kernels import IntArray
from kneestride.motion import inverse_kinematics as ik
from kneestride.motion.inverse_kinematics import CoordinatePriors, MarkerTasks, solve
from kneestride.motion.kinematics import Motion
from kneestride.vocabulary import Array

N = len(COORDINATES)
KNEE, YAW, TX = at("knee_angle_r"), at("pelvis_rotation"), at("pelvis_tx")


def solved(markers: Array, pulls: CoordinatePriors | None = None, **options: Any) -> Motion:
    time = np.arange(len(markers)) / RATE
    return solve(toy(), toy_tasks(), time, RATE, markers, pulls or toy_priors(), **options)


def problem(markers: Array, pulls: CoordinatePriors | None = None) -> ik._Problem:
    weight = np.where(np.isfinite(markers).all(axis=2), 1.0, 0.0)
    return ik._Problem(
        toy(), toy_tasks(), np.nan_to_num(markers), weight, pulls or toy_priors(), 1e-8
    )


def cost_of(q: Array, markers: Array, pulls: CoordinatePriors, weight: float = 1.0) -> float:
    miss = ((toy_markers(q[None])[0] - markers) ** 2).sum(axis=1)
    return float(weight * miss.sum() + pulls.weight @ (q - pulls.value) ** 2)


# --- the body and its points ----------------------------------------------------------


def test_points_are_where_their_bodies_carry_them() -> None:
    q = np.zeros((2, N))
    q[1, [TX, at("pelvis_ty"), at("pelvis_tz")]] = 1.0, 0.9, -0.2
    q[1, KNEE] = np.pi / 2
    found = toy_markers(q)
    tasks = toy_tasks()
    shank, thigh, cap = (
        tasks.names.index(f"{n}_0") for n in ("tibia_r", "femur_r", "patella_r")
    )
    hip = np.array(HIP)
    np.testing.assert_allclose(found[0, 0], tasks.station[0])
    np.testing.assert_allclose(found[0, thigh], hip + tasks.station[thigh])
    moved = np.array([1.0, 0.9, -0.2])
    # Bent by 90° the shank points backwards: its down is -X and its front is down.
    x, y, z = tasks.station[shank]
    slide = 0.02 * COUPLED * np.pi / 2
    knee = moved + hip + [slide, -0.40, 0.0]
    np.testing.assert_allclose(found[1, shank], knee + np.array([y, -x, z]), atol=1e-12)
    half = COUPLED * np.pi / 2
    c, s = np.cos(half), np.sin(half)
    x, y, z = tasks.station[cap]
    carried = moved + hip + [0.05, -0.38 + 0.08 * half, 0.0]
    np.testing.assert_allclose(
        found[1, cap], carried + np.array([c * x + s * y, c * y - s * x, z]), atol=1e-12
    )


# --- a whole recording ----------------------------------------------------------------


def test_a_motion_comes_back_with_no_error_and_its_names() -> None:
    q = toy_motion(6)
    markers = toy_markers(q)
    time = 3.0 + np.arange(6) / RATE
    found = solve(toy(), toy_tasks(), time, RATE, markers, toy_priors())
    np.testing.assert_allclose(found.q, q, atol=1e-6)
    assert found.marker_error is not None
    np.testing.assert_allclose(found.marker_error, 0.0, atol=1e-6)
    assert found.coordinates == COORDINATES and found.marker_names == toy_tasks().names
    assert found.rate == RATE
    np.testing.assert_array_equal(found.time, time)
    # Only the head, on which there is no marker, is not told.
    assert [n for n, i in zip(COORDINATES, found.informed, strict=True) if not i] == ["nod"]


def test_a_coordinate_beyond_all_markers_that_were_seen_is_not_told() -> None:
    q = toy_motion(4, 1)
    markers = toy_markers(q)
    beyond = [k for k, n in enumerate(toy_tasks().names) if n.startswith(("tibia", "patella"))]
    markers[:, beyond] = np.nan
    found = solved(markers, toy_priors(1e-9))
    told = dict(zip(COORDINATES, found.informed, strict=True))
    assert not told["knee_angle_r"] and not told["nod"]
    assert told["hip_flexion_r"] and told["pelvis_tx"]
    # Seen in a single frame is seen.
    markers[2, beyond] = toy_markers(q)[2, beyond]
    assert solved(markers, toy_priors(1e-9)).informed[KNEE]
    held = toy_priors()
    held.free[at("hip_flexion_r")] = False
    assert not solved(toy_markers(q), held).informed[at("hip_flexion_r")]


def test_three_points_are_enough_for_a_frame_and_two_are_not() -> None:
    q = toy_motion(7, 2)
    markers = toy_markers(q)
    pulls = toy_priors(1e-7)
    markers[2, 3:] = np.nan
    markers[4:6, 2:] = np.nan
    found = solved(markers, pulls).q
    pelvis = [i for i, n in enumerate(COORDINATES) if n.startswith("pelvis")]
    np.testing.assert_allclose(found[2, pelvis], q[2, pelvis], atol=1e-4)
    # Two in the middle take the nearest frame each.
    np.testing.assert_array_equal(found[4], found[3])
    np.testing.assert_array_equal(found[5], found[6])
    only = np.full_like(markers, np.nan)
    only[3, :2] = 0.0
    with pytest.raises(CaptureError, match="three markers"):
        solved(only)


def test_a_point_counts_as_its_task_and_its_frame_weigh_it() -> None:
    """Two points of a body that nothing turns settle at their weighted mean."""
    held = toy_priors()
    free = np.isin(COORDINATES, ["pelvis_tx", "pelvis_ty", "pelvis_tz"])
    held = replace(held, free=free)
    base = toy_tasks()
    weight = np.array([1.0, 2.0, 5.0])
    tasks = MarkerTasks(base.names[:3], base.body[:3], base.station[:3], weight)
    off = np.array([[0.0, 0.0, 0.0], [0.3, 0.0, -0.6], [0.6, 1.2, 0.0]])
    markers = np.tile(base.station[:3] + off, (2, 1, 1))
    factor = np.array([[1.0, 1.0, 1.0], [3.0, 0.5, 0.2]])
    time = np.arange(2) / RATE
    begin = np.zeros(N)
    plain = solve(toy(), tasks, time, RATE, markers, held, start=begin)
    weighed = solve(toy(), tasks, time, RATE, markers, held, weights=factor, start=begin)
    place = [at(f"pelvis_t{axis}") for axis in "xyz"]
    even = np.average(off, axis=0, weights=[1.0, 2.0, 5.0])
    other = np.average(off, axis=0, weights=[3.0, 1.0, 1.0])
    np.testing.assert_allclose(plain.q[:, place], [even, even], atol=1e-7)
    np.testing.assert_allclose(weighed.q[:, place], [even, other], atol=1e-7)
    assert plain.marker_error is not None
    np.testing.assert_allclose(
        plain.marker_error[0], np.linalg.norm(off - even, axis=1), atol=1e-7
    )


def test_pelvis_goes_anywhere_and_joints_keep_to_their_ranges() -> None:
    q = toy_motion(3, 3)
    q[:, [TX, at("pelvis_tz")]] += 7.0, -5.0
    q[:, YAW] = 2.6
    np.testing.assert_allclose(solved(toy_markers(q)).q, q, atol=1e-6)
    q[:, KNEE] = -0.3
    q[:, at("hip_flexion_r")] = 1.9
    found = solved(toy_markers(q)).q
    np.testing.assert_array_equal(found[:, KNEE], 0.0)
    np.testing.assert_array_equal(found[:, at("hip_flexion_r")], 1.5)


def test_what_is_held_stays_at_its_value() -> None:
    q = toy_motion(3, 4)
    q[:, KNEE] = 0.9
    pulls = toy_priors()
    pulls.free[KNEE], pulls.value[KNEE] = False, 0.9
    pulls.value[at("nod")] = 0.4
    found = solved(toy_markers(q), pulls).q
    np.testing.assert_array_equal(found[:, KNEE], 0.9)
    np.testing.assert_array_equal(found[:, at("nod")], 0.4)
    rest = [i for i in range(N) if i not in (KNEE, at("nod"))]
    np.testing.assert_allclose(found[:, rest], q[:, rest], atol=1e-6)


def test_a_coarse_tolerance_ends_sooner() -> None:
    q = toy_motion(1, 5)
    markers = toy_markers(q)
    start = q[0] + np.where(toy_priors().free, 0.2, 0.0)
    fine, coarse = (
        found.q - q
        for found in (
            solved(markers, start=start),
            solved(markers, start=start, tolerance=0.3),
        )
    )
    assert np.abs(fine).max() < 1e-8
    assert 1e-7 < np.abs(coarse).max() < 0.1


# --- where a recording begins ---------------------------------------------------------


@pytest.mark.parametrize("yaw", [0.2, 1.4, -1.7, 3.0, -2.9])
def test_a_first_pose_is_found_from_any_heading(yaw: float) -> None:
    q = toy_motion(2, 6)
    q[:, YAW] = yaw
    q[:, [TX, at("pelvis_ty"), at("pelvis_tz")]] += 2.0, 0.3, -1.0
    case = problem(toy_markers(q))
    found = case.first_pose(1, None)
    np.testing.assert_allclose(toy_markers(found[None])[0], toy_markers(q)[1], atol=1e-6)
    assert abs(found[YAW]) <= np.pi


def test_starts_of_a_first_pose_are_quarter_turns_on_the_points(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    q = toy_motion(2, 7)
    markers = toy_markers(q)
    markers[1, 2] = np.nan
    pulls = toy_priors()
    pulls.value[YAW] = 0.25
    case = problem(markers, pulls)
    asked: list[tuple[Array, Array, bool]] = []

    def run(frames: Array, starts: Array, *, chained: bool) -> tuple[Array, Array]:
        asked.append((frames, starts.copy(), chained))
        found = starts.copy()
        found[:, YAW] = [10.0, 1.0, 2.0, 3.0][: len(found)]
        return found, np.array([5.0, 1.0 + 1e-9, 1.0, 7.0])[: len(found)]

    monkeypatch.setattr(case, "run", run)
    best = case.first_pose(1, None)
    frames, starts, chained = asked[0]
    assert frames.tolist() == [1, 1, 1, 1] and not chained
    turned = starts[:, YAW] - 0.25
    assert turned == pytest.approx([0.0, np.pi / 2, np.pi, -np.pi / 2])
    seen = np.isfinite(markers[1, :, 0])
    for start in starts:
        off = (markers[1] - toy_markers(start[None])[0])[seen].mean(axis=0)
        np.testing.assert_allclose(off, 0.0, atol=1e-12)
    # Of two alike the first; not the dearest.
    assert best[YAW] == 1.0
    # With a start there is one try, from its heading; two whole turns too many are taken back.
    given = q[1] + 0.01
    again = case.first_pose(1, given)
    frames, starts, _ = asked[1]
    assert frames.tolist() == [1]
    assert starts[0, YAW] == given[YAW] and again[YAW] == pytest.approx(10.0 - 4.0 * np.pi)
    np.testing.assert_allclose(given, q[1] + 0.01)
    np.testing.assert_array_equal(pulls.value[:YAW], 0.0)


# --- blocks ---------------------------------------------------------------------------


class Followed:
    """A recording of 20 frames in four blocks of five, that begin three frames early.

    `run` answers with the frame's number in every coordinate, plus what a test adds.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(ik, "blocks", partial(workers.blocks, size=8))
        monkeypatch.setattr(ik, "over_blocks", self.in_turn)
        monkeypatch.setattr(ik, "OVERLAP", 3)
        self.case = problem(toy_markers(toy_motion(40, 8)))
        self.calls: list[tuple[int, int, float, bool]] = []
        self.early = dict.fromkeys((2, 7, 12), (0.0, 1.0))
        monkeypatch.setattr(self.case, "run", self.run)
        monkeypatch.setattr(
            self.case, "first_pose", lambda frame, _: np.full(N, 1000.0 + frame)
        )
        monkeypatch.setattr(self.case, "restart_at_jumps", lambda *_: None)
        self.frames = np.arange(10, 30)

    @staticmethod
    def in_turn(work: Any, frames: int) -> None:
        for start, stop in workers.blocks(frames, size=8):
            work(start, stop)

    def run(self, frames: Array, starts: Array, *, chained: bool) -> tuple[Array, Array]:
        first, last = int(frames[0]) - 10, int(frames[-1]) - 10
        self.calls.append((first, last, float(starts[0, 0]), chained))
        q = np.repeat(np.arange(first, last + 1.0)[:, None], N, axis=1)
        off, cost = self.early.get(first, (0.0, 1.0)) if starts[0, 0] >= 1000.0 else (0.5, 1.0)
        q += off
        q[:, 1:] -= off  # one coordinate only
        costs = np.ones(len(q))
        costs[min(2, len(q) - 1)] = cost  # of the frame before the block's own
        return q, costs

    def follow(self) -> tuple[Array, Array]:
        return self.case.follow(self.frames, np.full(N, 1000.0))


def test_blocks_begin_early_from_poses_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    case = Followed(monkeypatch)
    q, costs = case.follow()
    assert case.calls == [
        (0, 4, 1000.0, True), (2, 9, 1012.0, True), (7, 14, 1017.0, True),
        (12, 19, 1022.0, True),
    ]  # fmt: skip
    np.testing.assert_array_equal(q, np.repeat(np.arange(20.0)[:, None], N, axis=1))
    np.testing.assert_array_equal(costs, 1.0)


@pytest.mark.parametrize(
    ("off", "cost", "again"),
    [
        (0.9e-5, 1.0, False),  # on the same path, to rounding
        (1.2e-5, 1.0, True),
        (-0.3, 1.0, True),
        (0.3, 2.0, True),  # on a worse one
        (0.3, 1.0 - 0.5e-6, True),  # not better by a millionth
        (0.3, 1.0 - 2e-6, False),  # the block before has lost its way
    ],
)
def test_a_block_on_another_path_is_followed_from_the_end_of_the_one_before(
    off: float, cost: float, again: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = Followed(monkeypatch)
    case.early[7] = (off, cost)
    q, costs = case.follow()
    number = np.arange(20.0)
    if again:
        # Frames 10 to 14 again, from frame 9; the answer is half off, as `run` has it.
        assert case.calls[4] == (10, 14, 9.0, True)
        number[10:15] += 0.5
        # The next block's common frame, 14, is now apart and no dearer: again too.
        assert case.calls[5] == (15, 19, 14.5, True)
        number[15:] += 0.5
    else:
        number[10:15] += off
        if off > 0.1:
            # Frame 14 is now apart from that of the last block, which is no cheaper there.
            assert case.calls[4] == (15, 19, 14.0 + off, True)
            number[15:] += 0.5
        else:
            assert len(case.calls) == 4
    np.testing.assert_allclose(q[:, 0], number, atol=1e-12)
    assert (costs == 1.0).all()


def jumping(places: list[int], size: float, frames: int = 30) -> Array:
    q = np.zeros((frames, N))
    q[:, TX] = sum((np.arange(frames) >= p) * (-1.0) ** k * size for k, p in enumerate(places))
    return q


@pytest.mark.parametrize("size", [0.99, 1.01])
@pytest.mark.parametrize("better", [-1e-7, 0.0, 0.9e-6, 1.1e-6])
def test_a_block_is_followed_anew_from_a_jump_unless_that_is_dearer(
    size: float, better: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = problem(toy_markers(toy_motion(12, 9)))
    q = jumping([4, 9], size, 12)
    before, costs = q.copy(), np.full(12, 2.0)
    asked: list[tuple[list[int], float, bool]] = []

    def run(frames: Array, starts: Array, *, chained: bool) -> tuple[Array, Array]:
        asked.append((frames.tolist(), float(starts[0, 0]), chained))
        return np.full((len(frames), N), 5.0), np.full(len(frames), 2.0 * (1.0 + better))

    monkeypatch.setattr(case, "run", run)
    monkeypatch.setattr(case, "first_pose", lambda frame, start: np.full(N, 7.0 + frame))
    frames = np.arange(20, 32)
    case.restart_at_jumps(q, costs, frames)
    if size < 1.0:
        assert asked == []
        np.testing.assert_array_equal(q, before)
        return
    assert asked[0] == (list(range(24, 32)), 31.0, True)
    if better <= 1e-6:
        assert len(asked) == 1
        np.testing.assert_array_equal(q[4:], 5.0)
        assert costs[4] == 2.0 * (1.0 + better)
        np.testing.assert_array_equal(q[:4], before[:4])
    else:
        # Left as it was; the next jump is looked at.
        assert asked[1] == (list(range(29, 32)), 36.0, True) and len(asked) == 2
        np.testing.assert_array_equal(q, before)
        assert (costs == 2.0).all()


def test_eight_jumps_of_a_block_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    case = problem(toy_markers(toy_motion(30, 9)))
    asked: list[int] = []

    def run(frames: Array, starts: Array, *, chained: bool) -> tuple[Array, Array]:
        asked.append(int(frames[0]))
        return np.zeros((len(frames), N)), np.full(len(frames), 9.0)

    monkeypatch.setattr(case, "run", run)
    monkeypatch.setattr(case, "first_pose", lambda frame, start: np.zeros(N))
    places = [2, 3, 6, 9, 12, 14, 17, 20, 23, 26]
    case.restart_at_jumps(jumping(places, 1.5), np.ones(30), np.arange(30))
    assert asked == places[:8]


# --- frames that went wrong -----------------------------------------------------------


@pytest.mark.parametrize(
    ("bad", "ratio", "starts"),
    [
        (4, 3.1, [5, 3]), (0, 3.1, [1, 1]), (9, 3.1, [8, 8]), (4, 2.9, None),
    ],
)  # fmt: skip
def test_a_frame_three_times_worse_than_usual_is_tried_from_its_neighbours(
    bad: int, ratio: float, starts: list[int] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    q = toy_motion(14, 10)
    case = problem(toy_markers(q))
    frames = np.array([0, 1, 2, 4, 5, 6, 8, 9, 10, 12])
    usual = 0.002
    case.weight[frames[bad]] *= 1e-3  # how far off a frame is does not hang on its weight
    weight = case.weight[frames].sum(axis=1)
    costs = weight * usual**2 * np.linspace(0.98, 1.02, 10)
    costs[bad] = weight[bad] * (ratio * (usual + 1e-6)) ** 2
    wrong = q.copy()
    wrong[frames[bad]] += 0.3
    before = wrong.copy()
    first = np.full(N, 0.123)
    asked: list[tuple[list[int], Array, bool]] = []

    def run(tried: Array, given: Array, *, chained: bool) -> tuple[Array, Array]:
        asked.append((tried.tolist(), given.copy(), chained))
        return np.arange(3.0)[:, None] * np.ones(N), np.array([2e-9, 1e-9, 3e-9])

    monkeypatch.setattr(case, "run", run)
    case.retry_outliers(wrong, costs, frames, first)
    if starts is None:
        assert asked == []
        np.testing.assert_array_equal(wrong, before)
        return
    ((tried, given, chained),) = asked
    assert tried == [frames[bad]] * 3 and not chained
    np.testing.assert_array_equal(given, [*before[frames[starts]], first])
    # The cheapest of the three takes its place, no other frame is touched.
    np.testing.assert_array_equal(wrong[frames[bad]], 1.0)
    assert costs[bad] == 1e-9
    rest = np.delete(np.arange(14), frames[bad])
    np.testing.assert_array_equal(wrong[rest], before[rest])


def test_a_frame_stays_where_no_other_start_is_better(monkeypatch: pytest.MonkeyPatch) -> None:
    q = toy_motion(6, 11)
    case = problem(toy_markers(q))
    before, costs = q.copy(), np.array([1e-4, 1e-4, 1.0, 1e-4, 0.9, 1e-4])
    tries: list[int] = []

    def run(tried: Array, given: Array, *, chained: bool) -> tuple[Array, Array]:
        tries.append(int(tried[0]))
        return np.zeros((3, N)), np.array([1.0, 1.1, 1.2])

    monkeypatch.setattr(case, "run", run)
    case.retry_outliers(q, costs, np.arange(6), q[0])
    assert tries == [2, 4]
    np.testing.assert_array_equal(q, before)
    assert costs[2] == 1.0 and costs[4] == 0.9
    # All alike: no frame is unusual, exact ones neither (a micrometre is nothing).
    tries.clear()
    case.retry_outliers(q, np.full(6, 1.0), np.arange(6), q[0])
    tiny = np.zeros(6)
    tiny[2] = case.weight[2].sum() * (0.9e-6) ** 2
    case.retry_outliers(q, tiny, np.arange(6), q[0])
    assert tries == []
    tiny[2] = case.weight[2].sum() * (1.2e-6) ** 2
    case.retry_outliers(q, tiny, np.arange(6), q[0])
    assert tries == [2]


def test_a_lost_frame_of_a_recording_is_solved_again(monkeypatch: pytest.MonkeyPatch) -> None:
    q = toy_motion(6, 12)
    follow = ik._Problem.follow

    def stray(self: ik._Problem, frames: IntArray, pose: Array) -> tuple[Array, Array]:
        found, costs = follow(self, frames, pose)
        found[3] += 0.5
        costs[3] = 4.0
        return found, costs

    monkeypatch.setattr(ik._Problem, "follow", stray)
    np.testing.assert_allclose(solved(toy_markers(q)).q, q, atol=1e-6)


def test_ranges_of_the_pelvis_are_open_and_held_ones_closed() -> None:
    pulls = toy_priors()
    pulls.value[at("nod")] = 0.2
    case = problem(toy_markers(toy_motion(1)), pulls)
    for name, low, high in zip(COORDINATES, case.lower, case.upper, strict=True):
        if name.startswith("pelvis"):
            assert (low, high) == (-np.inf, np.inf)
        elif name == "nod":
            assert low == high == 0.2
        else:
            i = at(name)
            assert (low, high) == (toy().lower[i], toy().upper[i])
    assert [COORDINATES[j] for j in case.free] == [n for n in COORDINATES if n != "nod"]


def test_costs_are_those_of_the_squares_and_the_pulls() -> None:
    rng = np.random.default_rng(13)
    q = toy_motion(2, 13)
    markers = toy_markers(q) + 0.01 * rng.standard_normal((2, len(toy_tasks().names), 3))
    pulls = toy_priors(0.02)
    case = problem(markers, pulls)
    found, costs = case.run(np.array([1, 0]), q[::-1].copy(), chained=False)
    for k, frame in enumerate((1, 0)):
        assert costs[k] == pytest.approx(cost_of(found[k], markers[frame], pulls))
        for j in case.free:
            for step in (1e-4, -1e-4):
                other = found[k].copy()
                other[j] += step
                assert cost_of(other, markers[frame], pulls) > costs[k]


def test_body_names_of_the_toy_are_those_of_its_points() -> None:
    assert {BODIES[b] for b in toy_tasks().body} == set(BODIES) - {"head"}
    assert toy().expand(np.full((1, N), 0.4))[0] == pytest.approx(
        [0.4 * (COUPLED if n.endswith("beta") else 1.0) for n in FULL]
    )
