"""Laws of inverse kinematics: motion pushed through markers and back returns itself."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from kneestride import workers
from kneestride.errors import CaptureError
from kneestride.model.kernels import IntArray
from kneestride.motion import inverse_kinematics as ik
from kneestride.motion.inverse_kinematics import (
    CoordinatePriors,
    MarkerTasks,
    solve,
    station_paths,
)
from kneestride.motion.kinematics import Motion
from kneestride.vocabulary import Array
from scipy.spatial.transform import Rotation
from synthetic_capture import RATE, lively, marker_tasks, priors, runner

TIGHT = 1e-6
"""rad or m; what a converged solution of noiseless markers leaves."""


def markers_of(q: Array) -> Array:
    return station_paths(runner(), marker_tasks(), q)


def solved(
    time: Array, markers: Array, pulls: CoordinatePriors | None = None, **options: Array
) -> Motion:
    return solve(runner(), marker_tasks(), time, RATE, markers, pulls or priors(), **options)


def cost(q: Array, markers: Array, pulls: CoordinatePriors) -> float:
    miss = np.nan_to_num(markers_of(q) - markers)
    return float((miss**2).sum() + ((q - pulls.value) ** 2 @ pulls.weight).sum())


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_motion_through_markers_and_back_returns_its_angles(seed: int) -> None:
    time, q = lively(40, seed)
    found = solved(time, markers_of(q))
    np.testing.assert_allclose(found.q, q, atol=TIGHT)
    assert found.marker_error is not None and found.marker_error.max() < TIGHT
    assert found.coordinates == runner().coordinates


def test_gaps_that_leave_three_markers_a_segment_change_nothing() -> None:
    time, q = lively(30, 4)
    markers = markers_of(q)
    clusters = [n for n in marker_tasks().names if n in ("RTH1", "LTB2", "RASH")]
    lost = [marker_tasks().names.index(n) for n in clusters]
    markers[10:20, lost] = np.nan
    found = solved(time, markers)
    np.testing.assert_allclose(found.q, q, atol=TIGHT)
    assert found.marker_error is not None
    assert np.isnan(found.marker_error[10:20, lost]).all()
    assert np.isfinite(np.delete(found.marker_error, lost, axis=1)).all()


def test_frames_without_markers_take_the_nearest_solution() -> None:
    time, q = lively(20, 5)
    markers = markers_of(q)
    markers[8:11] = np.nan
    found = solved(time, markers)
    np.testing.assert_allclose(found.q[8], q[7], atol=TIGHT)
    np.testing.assert_allclose(found.q[10], q[11], atol=TIGHT)


@pytest.mark.parametrize("heading", [0.0, 1.2, 3.0])
@pytest.mark.parametrize("jump", [200, 345, 350])
def test_a_recording_that_jumps_is_followed_on_both_sides(heading: float, jump: int) -> None:
    """Joined recordings: nothing before the jump tells where the other one begins.

    Two blocks of 350 frames: within one, in the overlap of both, and where they meet.
    """
    time, q = lively(700, 12)
    turn = [runner().coordinate(f"pelvis_{name}") for name in ("rotation", "tx", "tz")]
    q[jump:, turn] += heading, 0.7, -0.4
    q[jump:] = q[jump:][::-1]
    found = solved(time, markers_of(q)).q
    apart = (found - q + np.pi) % (2 * np.pi) - np.pi
    assert np.abs(apart).max() < TIGHT


@pytest.fixture
def short_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of at most eight frames that begin three frames early."""
    monkeypatch.setattr(ik, "blocks", partial(workers.blocks, size=8))
    monkeypatch.setattr(ik, "over_blocks", partial(workers.over_blocks, size=8))
    monkeypatch.setattr(ik, "OVERLAP", 3)


@pytest.mark.usefixtures("short_blocks")
@pytest.mark.parametrize("jump", [5, 7, 8, 9])
def test_short_blocks_are_joined_and_jumps_followed(jump: int) -> None:
    time, q = lively(16, 3)
    turn = [runner().coordinate(f"pelvis_{name}") for name in ("rotation", "tx")]
    q[jump:, turn] += 1.0, 0.6
    q[jump:] = q[jump:][::-1]
    np.testing.assert_allclose(solved(time, markers_of(q)).q, q, atol=TIGHT)


@pytest.mark.usefixtures("short_blocks")
def test_a_block_that_began_on_another_path_is_followed_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The second block's own start is a bad one: the end of the first leads it right."""
    first = ik._Problem.first_pose

    def misled(self: ik._Problem, frame: int, start: Array | None) -> Array:
        pose = first(self, frame, start)
        return pose if frame == 0 else np.where(self.priors.free, pose + 1.2, pose)

    monkeypatch.setattr(ik._Problem, "first_pose", misled)
    monkeypatch.setattr(ik._Problem, "restart_at_jumps", lambda *_: None)
    time, q = lively(16, 4)
    np.testing.assert_allclose(solved(time, markers_of(q)).q, q, atol=TIGHT)


@pytest.mark.parametrize("lost", [0, 4, 11])
def test_a_lost_frame_is_found_again_and_no_other_is_touched(
    lost: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    time, q = lively(12, 5)
    follow = ik._Problem.follow
    tried: list[int] = []

    def stray(self: ik._Problem, frames: IntArray, pose: Array) -> tuple[Array, Array]:
        found, costs = follow(self, frames, pose)
        found[lost, 3:] += 0.4
        costs[lost] = 5.0
        run = self.run

        def counted(asked: IntArray, *rest: Array, chained: bool) -> tuple[Array, Array]:
            tried.extend(asked.tolist())
            return run(asked, *rest, chained=chained)

        monkeypatch.setattr(self, "run", counted)
        return found, costs

    monkeypatch.setattr(ik._Problem, "follow", stray)
    np.testing.assert_allclose(solved(time, markers_of(q)).q, q, atol=TIGHT)
    assert set(tried) == {lost}


@pytest.mark.parametrize("heading", [0.5, np.pi / 2, np.pi, -2.2])
def test_turning_the_markers_turns_the_pelvis_and_no_joint(heading: float) -> None:
    time, q = lively(10, 6, size=0.3)
    turn = Rotation.from_rotvec([0.0, heading, 0.0]).as_matrix()
    found = solved(time, markers_of(q) @ turn.T)
    body = runner()
    joints = [i for i, n in enumerate(body.coordinates) if not n.startswith("pelvis_")]
    np.testing.assert_allclose(found.q[:, joints], q[:, joints], atol=TIGHT)
    pelvis = body.body("pelvis")
    np.testing.assert_allclose(
        body.poses(found.q)[0][:, pelvis], turn @ body.poses(q)[0][:, pelvis], atol=TIGHT
    )


@pytest.mark.parametrize("seed", [7, 8])
def test_a_disturbed_start_lands_in_the_same_place(seed: int) -> None:
    time, q = lively(5, seed)
    noisy = markers_of(q) + np.random.default_rng(seed).normal(size=markers_of(q).shape) * 5e-3
    pulls = priors(1e-4)
    start = q[0] + np.random.default_rng(0).normal(size=q[0].shape) * 0.1 * pulls.free
    first, second = solved(time, noisy, pulls), solved(time, noisy, pulls, start=start)
    assert np.degrees(np.abs(second.q - first.q).max()) < 1e-4


def test_the_solution_is_stationary_in_every_direction() -> None:
    """With noise, weights and pulls: no step of any free coordinate lowers the cost."""
    time, q = lively(2, 9, size=0.3)
    noisy = markers_of(q) + np.random.default_rng(9).normal(size=markers_of(q).shape) * 0.01
    pulls = priors(1e-3)
    found = solved(time, noisy, pulls).q
    body = runner()
    for i in np.flatnonzero(pulls.free):
        if not body.lower[i] + 1e-6 < found[0, i] < body.upper[i] - 1e-6:
            continue
        ends = []
        for sign in (1, -1):
            moved = found.copy()
            moved[0, i] += sign * 1e-5
            ends.append(cost(moved, noisy, pulls))
        assert ends[0] - ends[1] == pytest.approx(0.0, abs=1e-11), body.coordinates[i]


def test_a_coordinate_never_leaves_its_range() -> None:
    """Markers of a knee bent backwards by 40°: the knee stops at its limit and stays best."""
    body = runner()
    time, q = lively(3, 10, size=0.2)
    knee = body.coordinate("knee_angle_r")
    q[:, knee] = body.lower[knee] - np.radians(40)
    markers, pulls = markers_of(q), priors(1e-6)
    found = solved(time, markers, pulls).q
    np.testing.assert_allclose(found[:, knee], body.lower[knee], atol=1e-12)
    inside = found.copy()
    inside[:, knee] += 1e-4
    assert cost(inside, markers, pulls) > cost(found, markers, pulls)


def test_a_held_coordinate_stays_and_is_not_informed() -> None:
    body = runner()
    time, q = lively(4, 11)
    at = body.coordinate("subtalar_angle_l")
    q[:, at] = 0.1
    pulls = priors()
    free = pulls.free.copy()
    free[at] = False
    value = pulls.value.copy()
    value[at] = 0.1
    found = solved(time, markers_of(q), replace(pulls, free=free, value=value))
    np.testing.assert_array_equal(found.q[:, at], 0.1)
    assert not found.informed[at]
    np.testing.assert_allclose(found.q, q, atol=TIGHT)


def test_a_marker_of_no_weight_has_no_say() -> None:
    time, q = lively(4, 12)
    markers = markers_of(q)
    one = marker_tasks().names.index("RTH2")
    markers[:, one] += 0.3
    weight = np.ones(markers.shape[:2])
    weight[:, one] = 0.0
    found = solved(time, markers, weights=weight)
    np.testing.assert_allclose(found.q, q, atol=TIGHT)
    assert found.marker_error is not None
    np.testing.assert_allclose(found.marker_error[:, one], 0.3 * np.sqrt(3), atol=1e-5)


def test_weighing_all_markers_alike_changes_nothing_without_pulls() -> None:
    time, q = lively(3, 13)
    noisy = markers_of(q) + np.random.default_rng(1).normal(size=markers_of(q).shape) * 0.01
    once, tenfold = (solved(time, noisy, weights=np.full(noisy.shape[:2], w)) for w in (1, 10))
    np.testing.assert_allclose(once.q, tenfold.q, atol=1e-5)


def test_what_no_marker_moves_rests_where_the_pull_wants_it() -> None:
    """Legs and pelvis only: trunk and arms keep their value and are said to be unknown."""
    body, tasks = runner(), marker_tasks()
    legs = [
        k
        for k, b in enumerate(tasks.body)
        if body.bodies[b].startswith(("pelvis", "femur", "tibia", "calcn", "toes"))
    ]
    fewer = MarkerTasks(
        tuple(tasks.names[k] for k in legs),
        tasks.body[legs],
        tasks.station[legs],
        tasks.weight[legs],
    )
    time, q = lively(3, 14)
    free = np.asarray(body.informed_by(fewer.body), dtype=bool)
    value = np.where(body.rotational, 0.05, body.default)
    found = solve(
        body,
        fewer,
        time,
        RATE,
        station_paths(body, fewer, q),
        CoordinatePriors(value, np.full(len(value), 1e-9), free),
    )
    away = [
        i for i, n in enumerate(body.coordinates) if n.startswith(("lumbar", "arm", "elbow"))
    ]
    np.testing.assert_array_equal(found.q[:, away], 0.05)
    assert not found.informed[away].any()
    leg = [i for i, n in enumerate(body.coordinates) if n.startswith(("hip", "knee_angle"))]
    np.testing.assert_allclose(found.q[:, leg], q[:, leg], atol=1e-4)


def test_a_stronger_pull_ends_nearer_to_its_value() -> None:
    body = runner()
    time, q = lively(2, 15)
    at = body.coordinate("knee_rotation_r")
    q[:, at] = 0.2
    distance = []
    for weight in (1e-4, 1e-2, 1.0):
        pulls = priors()
        pull = pulls.weight.copy()
        pull[at] = weight
        found = solved(time, markers_of(q), replace(pulls, weight=pull, value=0 * pulls.value))
        distance.append(abs(found.q[0, at]))
    assert 0.2 > distance[0] > distance[1] > distance[2]


def test_two_markers_are_too_few() -> None:
    time, q = lively(3, 16)
    markers = markers_of(q)
    markers[:, 2:] = np.nan
    with pytest.raises(CaptureError) as error:
        solved(time, markers)
    assert str(error.value) == (
        "Expected frames with at least three markers of the marker set. Found none. "
        "Check the marker names and the gaps of the recording."
    )
