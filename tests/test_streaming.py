"""A recording worked on in pieces gives what it gives in one."""

from __future__ import annotations

from dataclasses import fields
from functools import cache

import numpy as np
import pytest
from kneestride import workers
from kneestride.loads.knee import knee_loads
from kneestride.loads.muscles import Capacity, capacity, elastic_pass, lengthening_velocity
from kneestride.loads.recruitment import RecruitmentProblem, RecruitmentSettings, recruit
from kneestride.loads.selfcheck import self_check
from kneestride.loads.streaming import Gathered, LongProblem, Problem, over_pieces
from kneestride.loads.types import KneeLoads
from kneestride.model.path_fits import FittedPaths, fit_paths
from kneestride.model.paths import MusclePaths
from kneestride.vocabulary import Array
from toy_standing import WEIGHT, stand, toy

FRAMES, RATE = 150, 100.0


@cache
def squatting() -> LongProblem:
    """Two slow squats with a fit of the muscle paths, in pieces of 40 frames."""
    t = toy()
    names = t.multibody.coordinates
    time = np.arange(FRAMES) / RATE
    bend = 0.4 + 0.3 * np.sin(2 * np.pi * time / 0.75)
    q, qd = np.zeros((FRAMES, len(names))), np.zeros((FRAMES, len(names)))
    for side in "rl":
        for stem, share in (("knee_angle", 1.0), ("hip_flexion", 0.6), ("ankle_angle", 0.4)):
            q[:, names.index(f"{stem}_{side}")] = share * bend
    qd[:] = np.gradient(q, time, axis=0)
    held = stand(frames=FRAMES, forward=0.08)
    exact = t.geometry.evaluate(q, [2])
    # Some frames of one muscle are exact, as those far from the samples would be.
    known = (np.arange(30, 90), (2,), exact.window(30, 90))
    source = FittedPaths(fit_paths(t.geometry, q), t.geometry, q, (known,))
    ankles = [names.index(f"ankle_angle_{s}") for s in "rl"]

    def able(start: int, stop: int, paths: MusclePaths) -> Capacity:
        # A moment that grows: the tendons stretch, at a rate that neighbours tell.
        at = slice(start, stop)
        moment = held.dynamics.tau[at][:, ankles] * (1.0 + bend[at, None])
        velocity = lengthening_velocity(paths, qd[at])
        state = elastic_pass(t.parameters, paths, velocity, moment, time[at])
        return capacity(t.parameters, state)

    return LongProblem(
        time, WEIGHT, source, able, held.dynamics.tau, held.balance,
        held.problem.volume, size=40,
    )  # fmt: skip


def whole() -> RecruitmentProblem:
    return squatting().window(0, FRAMES)


def loads(problem: Problem) -> tuple[KneeLoads, Array]:
    def piece(start: int, stop: int) -> tuple[KneeLoads, Array]:
        part = problem.window(start, stop)
        done = recruit(part)
        return knee_loads(done, part.balance, part.paths), done.muscles.force

    return over_pieces(piece, FRAMES, problem.spans()[0][1])


def test_pieces_cover_every_frame_once_and_in_order() -> None:
    assert squatting().spans() == [(0, 37), (37, 75), (75, 112), (112, 150)]


@pytest.mark.parametrize("span", [(0, 40), (40, 80), (120, 150), (148, 150), (37, 38)])
def test_a_window_is_the_same_part_of_the_whole(span: tuple[int, int]) -> None:
    part, same = squatting().window(*span), whole().window(*span)
    for a, b in (
        (part.paths.moment_arm, same.paths.moment_arm),
        (part.paths.length, same.paths.length),
        (part.paths.tibia_wrench, same.paths.tibia_wrench),
        (part.capacity.active, same.capacity.active),
        (part.capacity.state.velocity, same.capacity.state.velocity),
        (part.moments, same.moments),
        (part.balance.required, same.balance.required),
    ):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)
    assert (part.capacity.state.tendon_strain > 0).any()


def test_loads_in_pieces_are_those_of_the_whole() -> None:
    (knee, force), (same, all_force) = loads(squatting()), loads(whole())
    np.testing.assert_allclose(force, all_force, rtol=1e-12, atol=1e-9)
    for f in fields(KneeLoads):
        np.testing.assert_allclose(
            getattr(knee, f.name), getattr(same, f.name), rtol=1e-12, atol=1e-9
        )


def test_pieces_are_the_same_for_any_number_of_workers() -> None:
    found = {}
    for count in (1, 2, 3):
        with workers.limited_to(count):
            found[count] = loads(squatting())
    for count in (2, 3):
        np.testing.assert_array_equal(found[count][1], found[1][1])
        for f in fields(KneeLoads):
            np.testing.assert_array_equal(
                getattr(found[count][0], f.name), getattr(found[1][0], f.name)
            )


def test_checks_in_pieces_are_those_of_the_whole() -> None:
    recruited = recruit(whole())
    stance = np.ones((FRAMES, 2), dtype=bool)
    stance[50:75] = False
    settings = RecruitmentSettings()
    pieces = self_check(squatting(), recruited, settings, stance)
    for a, b in zip(pieces, self_check(whole(), recruited, settings, stance), strict=True):
        assert (a.name, a.verdict) == (b.name, b.verdict)
        assert a.detail == pytest.approx(b.detail, rel=1e-6, abs=1e-9, nan_ok=True)


def test_a_piece_that_differs_is_seen() -> None:
    found: Gathered[Array] = Gathered(4)
    found.put(0, 3, np.arange(3.0))
    found.put(3, 4, np.array([9.0]))
    assert found.whole.tolist() == [0.0, 1.0, 2.0, 9.0]
