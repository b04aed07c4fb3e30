"""Known answers of each self-check: what is counted, against what, and where it matters."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from kneestride.loads import selfcheck
from kneestride.loads.types import GroundReaction, MuscleForces
from kneestride.vocabulary import Array

FRAMES = 40
NAMES = ("soleus_r", "vaslat_r", "iliacus_r", "soleus_l", "vaslat_l", "iliacus_l")
COORDINATES = ("hip_flexion_r", "knee_angle_r", "ankle_angle_r", "knee_angle_l")


def recruited(**changed: Any) -> Any:
    """A recruitment in which nothing is wrong."""
    none = np.zeros((FRAMES, len(NAMES)))
    muscles = {
        "time": np.arange(FRAMES) / 100.0,
        "muscles": NAMES,
        "activation": none,
        "force": none,
        "reserves": ("knee_angle_r", "ankle_angle_r", "knee_angle_l"),
        "reserve_moment": np.zeros((FRAMES, 3)),
        "saturated": none.astype(bool),
        "equality_residual": np.zeros(FRAMES),
        "fallback": np.zeros(FRAMES, dtype=bool),
    }
    whole: dict[str, Any] = {
        "medial": np.full((FRAMES, 2), 900.0),
        "lateral": np.full((FRAMES, 2), 300.0),
        "solved": np.ones((FRAMES, 2), dtype=bool),
    }
    whole |= {k: v for k, v in changed.items() if k in whole}
    muscles |= {k: v for k, v in changed.items() if k in muscles}
    return SimpleNamespace(muscles=MuscleForces(**muscles), **whole)


def problem(moments: Array | None = None) -> Any:
    moments = np.zeros((FRAMES, len(COORDINATES))) if moments is None else moments
    return SimpleNamespace(muscles=NAMES, coordinates=COORDINATES, moments=moments)


def stances(*spans: tuple[int, int], side: int = 0) -> Any:
    on = np.zeros((FRAMES, 2), dtype=bool)
    for start, stop in spans:
        on[start:stop, side] = True
    return on


def test_balance_fails_on_one_unsolved_leg_and_forgives_unmeasured_ones() -> None:
    solved = np.ones((FRAMES, 2), dtype=bool)
    solved[3, 0] = False
    found = selfcheck.balance_check(recruited(solved=solved))
    assert (found.verdict, found.value) == ("fail", 1 / (2 * FRAMES))
    medial = np.full((FRAMES, 2), 900.0)
    medial[3, 0] = np.nan
    assert selfcheck.balance_check(recruited(solved=solved, medial=medial)).verdict == "pass"
    medial[:] = np.nan
    assert selfcheck.balance_check(recruited(solved=solved, medial=medial)).value == 0.0


def test_balance_tells_the_largest_residual_and_the_share_of_second_attempts() -> None:
    residual, fallback = np.zeros(FRAMES), np.zeros(FRAMES, dtype=bool)
    residual[[4, 9]] = 2e-6, np.nan
    fallback[:10] = True
    found = selfcheck.balance_check(recruited(equality_residual=residual, fallback=fallback))
    assert found.detail == {"largest_residual": 2e-6, "fallback_share": 0.25}
    assert "2.0e-06" in found.sentence and "0.0 %" in found.sentence


@pytest.mark.parametrize(
    ("reserve", "verdict"), [(4.9, "pass"), (5.1, "look"), (9.9, "look"), (10.1, "fail")]
)
def test_reserves_are_judged_against_the_peak_moment_of_stance(
    reserve: float, verdict: str
) -> None:
    moments, reserves = np.zeros((FRAMES, 4)), np.zeros((FRAMES, 3))
    moments[8, 1], reserves[12, 0] = -100.0, -reserve
    moments[30, 1] = 900.0  # out of stance: no matter
    found = selfcheck.reserve_check(
        problem(moments), recruited(reserve_moment=reserves), stances((5, 20))
    )
    assert found.verdict == verdict
    assert found.value == pytest.approx(reserve / 100.0)
    assert set(found.detail) == {
        "knee_angle_r", "knee_angle_r_worst", "ankle_angle_r", "ankle_angle_r_worst",
    }  # fmt: skip
    assert f"{reserve:.1f} %" in found.sentence


def test_reserves_take_the_median_stance_and_tell_the_worst() -> None:
    moments, reserves = np.full((FRAMES, 4), 50.0), np.zeros((FRAMES, 3))
    reserves[[2, 14, 24], 1] = 1.0, 2.0, 20.0
    on = stances((0, 8), (10, 18), (20, 28), (30, 33))  # the last is too short to count
    reserves[31, 1] = 40.0
    found = selfcheck.reserve_check(problem(moments), recruited(reserve_moment=reserves), on)
    assert found.detail["ankle_angle_r"] == pytest.approx(0.04)
    assert found.detail["ankle_angle_r_worst"] == pytest.approx(0.40)
    assert found.verdict == "pass" and "4.0 %" in found.sentence and "40.0 %" in found.sentence
    # A stance of five frames counts; where all are shorter, they have to.
    on = stances((30, 35))
    assert selfcheck.reserve_check(
        problem(moments), recruited(reserve_moment=reserves), on
    ).value == pytest.approx(0.8)
    on = stances((30, 33))
    assert selfcheck.reserve_check(
        problem(moments), recruited(reserve_moment=reserves), on
    ).value == pytest.approx(0.8)


def test_reserves_of_a_joint_without_moment_are_measured_against_1_nm() -> None:
    reserves = np.zeros((FRAMES, 3))
    reserves[6, 0] = 0.02
    found = selfcheck.reserve_check(
        problem(), recruited(reserve_moment=reserves), stances((5, 20))
    )
    assert found.value == pytest.approx(0.02)
    nobody = selfcheck.reserve_check(problem(), recruited(reserve_moment=reserves), stances())
    assert (nobody.value, nobody.verdict, nobody.detail) == (0.0, "pass", {})


def test_saturation_counts_frames_with_any_mover_but_the_soleus() -> None:
    arms = np.zeros((2, 6))
    arms[0, :2], arms[0, 2] = 0.04, 0.005  # the iliacus is no mover of the knee
    full = np.zeros((FRAMES, 6), dtype=bool)
    full[10:20, 0] = full[10:20, 2] = True  # soleus and iliacus: not counted
    full[10:13, 1] = True
    full[0:5, 1] = True  # out of stance
    found = selfcheck.saturation_check(
        arms, problem(), recruited(saturated=full), stances((10, 20))
    )
    assert (found.value, found.verdict) == (pytest.approx(0.3), "look")
    assert found.detail == pytest.approx({"frames_r": 0.3, "most_vaslat_r": 0.3})
    assert "30 %" in found.sentence
    full[10, 1] = False
    found = selfcheck.saturation_check(
        arms, problem(), recruited(saturated=full), stances((10, 20))
    )
    assert (found.value, found.verdict) == (pytest.approx(0.2), "pass")
    nobody = selfcheck.saturation_check(arms, problem(), recruited(saturated=full), stances())
    assert (nobody.value, nobody.detail) == (0.0, {})


@pytest.mark.parametrize(
    ("span", "verdict", "value", "limit"),
    [
        ((0.6, 1.2), "pass", 1.2, 1.2),
        ((0.55, 1.1), "look", 0.55, 0.6),
        ((0.7, 1.3), "look", 1.3, 1.2),
        ((0.55, 1.3), "look", 1.3, 1.2),  # further out at the long end
        ((0.45, 1.25), "look", 0.45, 0.6),  # further out at the short end
    ],
)
def test_soleus_length_is_told_at_the_end_that_lies_further_out(
    span: tuple[float, float], verdict: str, value: float, limit: float
) -> None:
    found = selfcheck.soleus_check(span)
    assert (found.verdict, found.value, found.limit) == (verdict, value, limit)
    assert found.detail == {"shortest": span[0], "longest": span[1]}


def test_no_loaded_soleus_is_no_finding() -> None:
    found = selfcheck.soleus_check((np.inf, -np.inf))
    assert found.verdict == "pass" and np.isnan(found.value) and found.detail == {}


def test_pressure_counts_where_the_foot_carries_and_is_measured() -> None:
    force = np.zeros((FRAMES, 2, 3))
    force[:, 0, 1] = 700.0
    force[20:, 0, 1] = 199.0
    masked = np.zeros((FRAMES, 2), dtype=bool)
    masked[:5] = True
    outside = np.full((FRAMES, 2), -0.02)
    outside[[2, 7, 8, 9, 25], 0] = 0.5, 0.012, 0.031, 0.009, 0.4
    outside[7, 1] = 0.3  # carries nothing
    outside[11, 0] = np.nan
    time = np.arange(FRAMES) / 100.0
    places = np.zeros((FRAMES, 2, 3))
    ground = GroundReaction(time, force, places, places, force[:, :, 1] > 50.0, masked)
    found = selfcheck.pressure_check(ground, outside)
    assert (found.verdict, found.value, found.detail) == ("look", 0.031, {"frames": 2.0})
    assert "31 mm" in found.sentence and "200 N" in found.sentence
    inside = selfcheck.pressure_check(ground, np.full((FRAMES, 2), -0.02))
    assert (inside.verdict, inside.value) == ("pass", -0.02)
    nothing = selfcheck.pressure_check(ground.every(1), np.full((FRAMES, 2), np.nan))
    assert (nothing.verdict, nothing.value) == ("pass", 0.0)


def test_peaks_are_those_of_stance_in_body_weights() -> None:
    medial, lateral = np.zeros((FRAMES, 2)), np.zeros((FRAMES, 2))
    medial[[10, 11, 30], 0], lateral[[10, 11, 30], 0] = (800, 700, 9000), (100, 900, 9000)
    peaks = selfcheck.peak_totals(
        800.0, recruited(medial=medial, lateral=lateral), stances((5, 20))
    )
    assert peaks[0] == 2.0 and np.isnan(peaks[1])


def test_the_spread_of_peaks_is_the_furthest_from_the_default() -> None:
    peaks = {
        "default": np.array([8.0, np.nan]),
        "w_0.03": np.array([8.75, np.nan]),
        "w_0.3": np.array([7.0, np.nan]),
    }
    found = selfcheck.spread_check(peaks)
    assert (found.verdict, found.value) == ("pass", 1.0)
    assert found.detail["w_0.03_r"] == 8.75 and np.isnan(found.detail["w_0.03_l"])
    assert "default 8.00; w_0.03 8.75; w_0.3 7.00" in found.sentence
    unknown = selfcheck.spread_check({"default": np.full(2, np.nan)})
    assert unknown.value == 0.0


def test_stances_of_five_frames_count_among_longer_ones_and_of_four_do_not() -> None:
    moments, reserves = np.full((FRAMES, 4), 100.0), np.zeros((FRAMES, 3))
    reserves[[2, 22], 0] = 2.0, 8.0

    def value(length: int) -> float:
        on = stances((0, 8), (20, 20 + length))
        return selfcheck.reserve_check(
            problem(moments), recruited(reserve_moment=reserves), on
        ).value

    assert value(5) == pytest.approx(0.05) and value(4) == pytest.approx(0.02)


def test_a_stance_without_known_reserves_asked_for_none() -> None:
    moments, reserves = np.full((FRAMES, 4), 100.0), np.zeros((FRAMES, 3))
    reserves[:10], reserves[22, 0] = np.nan, 8.0
    found = selfcheck.reserve_check(
        problem(moments), recruited(reserve_moment=reserves), stances((0, 8), (20, 28))
    )
    assert found.detail["knee_angle_r"] == pytest.approx(0.04)
    assert found.detail["ankle_angle_r"] == found.detail["ankle_angle_r_worst"] == 0.0


def test_reserves_are_of_their_own_joint_and_side() -> None:
    moments, reserves = np.tile([1.0, 100.0, 200.0, 400.0], (FRAMES, 1)), np.zeros((FRAMES, 3))
    reserves[5] = 3.0, 8.0, 20.0
    on = stances((0, 10)) | stances((0, 10), side=1)
    found = selfcheck.reserve_check(problem(moments), recruited(reserve_moment=reserves), on)
    # There is no left ankle among the reserves.
    assert {n: v for n, v in found.detail.items() if "worst" not in n} == pytest.approx(
        {"knee_angle_r": 0.03, "ankle_angle_r": 0.04, "knee_angle_l": 0.05}
    )
    assert found.limit == 0.05 and found.value == pytest.approx(0.05)


def test_saturation_is_of_the_busier_side_and_names_the_busiest_muscle() -> None:
    arms = np.full((2, 6), 0.0051)
    full = np.zeros((FRAMES, 6), dtype=bool)
    full[0:2, 1], full[0:4, 4], full[4:6, 5] = True, True, True
    on = stances((0, 20)) | stances((0, 20), side=1)
    found = selfcheck.saturation_check(arms, problem(), recruited(saturated=full), on)
    assert found.detail == pytest.approx(
        {"frames_r": 0.3, "most_vaslat_l": 0.2, "frames_l": 0.3}
    )
    arms[0, 3:], arms[1, :3], arms[1, 5] = 0.0, 0.005, 0.0049
    found = selfcheck.saturation_check(arms, problem(), recruited(saturated=full), on)
    assert found.detail == pytest.approx(
        {"frames_r": 0.1, "most_vaslat_r": 0.1, "frames_l": 0.2, "most_vaslat_l": 0.2}
    )
    assert found.value == pytest.approx(0.2) and (found.limit, found.verdict) == (0.25, "pass")


def test_a_soleus_within_its_range_is_told_at_the_nearer_end() -> None:
    found = selfcheck.soleus_check((0.8, 1.1))
    assert (found.verdict, found.value, found.limit) == ("pass", 1.1, 1.2)
    found = selfcheck.soleus_check((0.7, 0.9))
    assert (found.verdict, found.value, found.limit) == ("pass", 0.7, 0.6)
    assert (
        found.sentence == "The loaded soleus works between 0.70 and 0.90 optimal fibre lengths."
    )


def test_limits_are_passed_only_beyond_them() -> None:
    assert [selfcheck._graded(v, 0.2, 0.4) for v in (0.2, 0.21, 0.4, 0.41)] == [
        "pass", "look", "look", "fail",
    ]  # fmt: skip
