"""Known answers of the foot's signals, of its passes under the body, and of who steps."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from kneestride.motion.foot_signals import (
    FootSignals,
    _least_range,
    _passes,
    _without,
    foot_signals,
    forefoot,
    is_stepping,
    surface_velocity,
)
from kneestride.motion.kinematics import AnatomicalPaths
from kneestride.vocabulary import SIDES, Array, Side

OBLIQUE = np.array([0.6, 0.0, 0.8])


def gain(frequency: float, cutoff: float, rate: float) -> float:
    """Of the double-pass Butterworth filter: a half in power, 0.707, at the cut-off."""
    ratio = np.tan(np.pi * frequency / rate) / np.tan(np.pi * cutoff / rate)
    return float(1.0 / (1.0 + (np.sqrt(2.0) - 1.0) * ratio**4))


def person(time: Array, rate: float, **points: Array) -> AnatomicalPaths:
    """Points that stay where they are, each somewhere else, unless they are given."""
    names = ("heel_bottom", "metatarsal_1", "metatarsal_5", "hip_center")
    every = [f"{name}_{side}" for name in names for side in SIDES]
    still = {n: np.tile([0.1 * k, 0.2 + 0.03 * k, 0.4 - k], (len(time), 1))
             for k, n in enumerate(every)}  # fmt: skip
    paths = AnatomicalPaths(time, rate, still | points, {}, {}, OBLIQUE, np.zeros(3))
    return replace(paths, noise=0.007)


# --- signals ------------------------------------------------------------------------------


def test_the_forefoot_is_midway_between_the_outer_heads_of_its_own_side() -> None:
    points = {
        "metatarsal_1_r": np.array([[1.0, 2.0, 3.0]]),
        "metatarsal_5_r": np.array([[3.0, 6.0, -1.0]]),
        "metatarsal_1_l": np.array([[0.0, -2.0, 8.0]]),
        "metatarsal_5_l": np.array([[5.0, 1.0, 4.0]]),
    }
    np.testing.assert_array_equal(forefoot(points, "r"), [[2.0, 4.0, 1.0]])
    np.testing.assert_array_equal(forefoot(points, "l"), [[2.5, -0.5, 6.0]])


def test_signals_of_straight_ways_are_straight() -> None:
    time = 2.0 + np.arange(200) / 100.0
    t = (time - 2.0)[:, None]
    way = {
        "heel_bottom_r": t * [1.0, 0.2, -0.5], "metatarsal_1_r": 0.2 + t * [2.0, 0.3, 0.6],
        "metatarsal_5_r": 0.4 + t * [4.0, -0.1, 0.2], "hip_center_r": 1.0 + t * [1.5, 0.0, 0.4],
        "hip_center_l": -2.0 + t * [0.5, 0.0, -0.2],
    }  # fmt: skip
    found = foot_signals(person(time, 100.0, **way), "r")
    inner = slice(40, -40)
    np.testing.assert_array_equal(found.time, time)
    np.testing.assert_allclose(found.heel[inner], way["heel_bottom_r"][inner], atol=1e-6)
    np.testing.assert_allclose(found.heel_velocity[inner], [[1.0, 0.2, -0.5]] * 120, atol=1e-5)
    np.testing.assert_allclose(
        found.forefoot[inner], (0.3 + t * [3, 0.1, 0.4])[inner], atol=1e-6
    )
    np.testing.assert_allclose(found.forefoot_velocity[inner], [[3, 0.1, 0.4]] * 120, atol=1e-5)
    # Sole (2, ·, −0.05) t + 0.15 less pelvis (1, ·, 0.1) t − 0.5, along (0.6, 0, 0.8).
    ahead = 0.65 * 1.4 + (0.6 * 1.0 - 0.8 * 0.15) * t[:, 0]
    np.testing.assert_allclose(found.under[inner], ahead[inner], atol=1e-5)
    assert found.noise == 0.007


@pytest.mark.parametrize(
    ("rate", "given_cutoff", "cutoff"),
    [(200.0, None, 20.0), (200.0, 12.0, 12.0), (40.0, None, 16.0), (60.0, None, 20.0)],
)
def test_the_sole_is_smoothed_at_20_hz_and_where_it_stands_at_6(
    rate: float, given_cutoff: float | None, cutoff: float
) -> None:
    time = np.arange(int(3 * rate)) / rate
    frequency = 6.0
    wave = np.sin(2.0 * np.pi * frequency * time)[:, None] * [1.0, 2.0, 0.0]
    paths = person(time, rate, heel_bottom_l=wave)
    more: dict[str, Any] = {} if given_cutoff is None else {"cutoff": given_cutoff}
    found = foot_signals(paths, "l", **more)
    inner = slice(int(rate), int(2 * rate))
    sharp = np.sin(2.0 * np.pi * cutoff * time + 0.3)[:, None] * [1.0, 2.0, 0.0]
    of_sharp = foot_signals(person(time, rate, heel_bottom_l=sharp), "l", **more)
    np.testing.assert_allclose(of_sharp.heel[inner], np.sqrt(0.5) * sharp[inner], atol=4e-3)
    sole = gain(frequency, cutoff, rate)
    np.testing.assert_allclose(found.heel[inner], sole * wave[inner], atol=2e-3)
    level = found.under[inner].mean()  # five, or six, whole periods
    swing = 0.5 * 0.6 * sole * np.sqrt(0.5) * wave[inner, 0]
    np.testing.assert_allclose(found.under[inner] - level, swing, atol=2e-3)


def test_a_foot_that_swings_under_the_body_has_its_anchors() -> None:
    time = np.arange(300) / 100.0
    wave = 0.3 * np.cos(2.0 * np.pi * time)[:, None] * OBLIQUE
    found = foot_signals(
        person(time, 100.0, heel_bottom_r=wave, metatarsal_1_r=wave, metatarsal_5_r=wave), "r"
    )
    assert found.anchors == pytest.approx((25, 125, 225), abs=1)
    assert foot_signals(person(time, 100.0), "r").anchors == ()


def test_points_are_exact_unless_told() -> None:
    z = np.zeros((3, 3))
    assert FootSignals(z[:, 0], z[:, 0], z, z, z, z, ()).noise == 0.0


# --- passes -------------------------------------------------------------------------------

ON, OFF = [1.0] * 50, [-1.0] * 50


def passes(*pieces: list[float], half: float = 0.25, level: float = 0.0) -> tuple[int, ...]:
    """Of a signal in units of its half excursion: the percentiles are ± 1 by construction."""
    return _passes(level + half * np.concatenate(pieces), 100.0)


@pytest.mark.parametrize(
    ("pieces", "found"),
    [
        ((ON, OFF), (50,)),
        ((ON, OFF, ON, OFF), (50, 150)),
        ((OFF, ON), ()),
        # Beyond the middle by less than a quarter it has not passed, …
        ((ON, [-0.24] * 3, ON, OFF), (103,)),
        ((ON, [-0.26] * 3, ON, OFF), (50, 103)),
        ((OFF, [0.24] * 3, OFF, ON), ()),
        ((OFF, [0.26] * 3, OFF, ON), (53,)),
        # … and what came back is forgotten.
        ((OFF, ON, [-0.24] * 3, ON), ()),
        # Nor is it ahead again by less.
        ((ON, OFF, [0.24], OFF), (50,)),
        # The last fall through the middle is the one.
        ((ON, [-0.2, 0.2], OFF), (52,)),
        # Where the recording begins, ahead is ahead by whatever.
        (([0.1], OFF, ON), (1,)),
        (([-0.1, 0.1], OFF, ON), ()),
        (([0.0, 0.1], OFF, ON), ()),
        # On the middle is no longer ahead of it.
        ((ON, [0.0], OFF), (50,)),
        # And where it ends, behind is behind.
        ((OFF, ON, [-0.1]), (100,)),
        ((OFF, ON, [-0.1, -0.2]), (100,)),
        ((OFF, ON, [0.1]), ()),
    ],
)
def test_a_pass_is_a_fall_through_the_middle_and_a_quarter_beyond(
    pieces: tuple[list[float], ...], found: tuple[int, ...]
) -> None:
    assert passes(*pieces) == found
    assert passes(*pieces, half=2.0, level=8.0) == found


@pytest.mark.parametrize(("half", "found"), [(0.099, ()), (0.101, (50,))])
def test_nobody_steps_by_less_than_100_mm_to_either_side(
    half: float, found: tuple[int, ...]
) -> None:
    assert passes(ON, OFF, half=half, level=3.0) == found


@pytest.mark.parametrize(("reach", "found"), [(0.1105, 0), (0.1115, 1)])
def test_the_excursion_leaves_a_twentieth_out_at_either_end(reach: float, found: int) -> None:
    # 101 samples from +reach to −reach: nine tenths of it lie between the percentiles.
    assert len(_passes(np.linspace(reach, -reach, 101), 100.0)) == found


def test_the_middle_is_midway_between_the_percentiles() -> None:
    # The 5th of 100 from below is −1, from above +3: the middle is +1, passed at frame 8.
    values = np.array([3.0] * 6 + [1.5, 1.2, 0.8, 0.4] + [-1.0] * 86 + [-50.0] * 5)
    assert _passes(values, 100.0) == (8,)


def test_a_gap_leaves_no_pass() -> None:
    values = 0.25 * np.array(ON + OFF)
    values[-1] = np.nan
    assert _passes(values, 100.0) == ()


# --- the ground under the feet ------------------------------------------------------------


def foot(
    time: Array, anchors: tuple[int, ...], velocity: Array, heel: Array | None = None,
    height: Array | float = 0.0, noise: float = 0.0,
) -> FootSignals:  # fmt: skip
    place = np.zeros((len(time), 3))
    place[:, 1] = height
    zero = np.zeros(len(time))
    heels = velocity if heel is None else heel
    return FootSignals(time, zero, place, place, heels, velocity, anchors, noise)


@pytest.mark.parametrize(
    ("rate", "around"), [(20.0, 1), (60.0, 1), (80.0, 2), (100.0, 2), (180.0, 4)]
)
def test_the_ground_is_read_20_ms_to_either_side(rate: float, around: int) -> None:
    k = np.arange(101.0)
    velocity = np.column_stack([k**2, 7.0 + k, -3.0 * k**2])
    one: dict[Side, FootSignals] = {"r": foot(k / rate, (50,), velocity)}
    square = np.mean((50.0 + np.arange(-around, around + 1)) ** 2)
    assert surface_velocity(one, rate) == pytest.approx([square, 0.0, -3.0 * square])
    # At the beginning: as far as there is something.
    one = {"r": foot(k / rate, (0,), velocity)}
    assert surface_velocity(one, rate)[0] == pytest.approx(
        np.mean(np.arange(around + 1.0) ** 2)
    )


def test_the_ground_is_the_median_of_all_passes_of_both_feet() -> None:
    time = np.arange(100) / 100.0
    right, left = np.zeros((100, 3)), np.zeros((100, 3))
    right[:50], right[50:], left[:] = [1.0, 5.0, 7.0], [2.0, 5.0, 9.0], [4.0, 5.0, 8.0]
    both: dict[Side, FootSignals] = {
        "r": foot(time, (20, 80), right),
        "l": foot(time, (50,), left),
    }
    assert surface_velocity(both, 100.0) == pytest.approx([2.0, 0.0, 8.0])
    nobody: dict[Side, FootSignals] = {"r": foot(time, (), right), "l": foot(time, (), left)}
    np.testing.assert_array_equal(surface_velocity(nobody, 100.0), [np.nan] * 3)


# --- who steps ----------------------------------------------------------------------------

RATE = 100.0
CLOCK = 7.0 + np.arange(400) / RATE
TURNS: dict[Side, tuple[int, ...]] = {"r": (110, 210), "l": (160, 260)}


def steps_are_taken(feet: dict[Side, FootSignals]) -> bool:
    return bool(is_stepping(feet))


def steps(
    anchors: dict[Side, tuple[int, ...]] = TURNS, swing: float = 3.0, axis: int = 0
) -> dict[Side, FootSignals]:
    """Feet on a belt of −2 m/s; heels swing along one axis, forefeet stand at every pass."""
    out: dict[Side, FootSignals] = {}
    for side in SIDES:
        velocity = np.tile([-2.0, 0.0, 0.0], (400, 1))
        heel = velocity.copy()
        heel[::50, axis] += swing
        out[side] = foot(CLOCK, anchors[side], velocity, heel)
    return out


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize(
    ("axis", "swing", "stepping"),
    [(0, 1.01, True), (0, 0.99, False), (2, 1.01, True), (2, -1.01, True), (2, 0.99, False),
     (1, 5.0, False)],
)  # fmt: skip
def test_each_heel_swings_over_the_ground_by_1_m_s(
    side: Side, axis: int, swing: float, stepping: bool
) -> None:
    feet = steps()
    feet[side] = steps(swing=swing, axis=axis)[side]
    assert steps_are_taken(feet) is stepping


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_standing_forefeet_move_alike_and_not_up_or_down(
    side: Side, sign: float, axis: int
) -> None:
    for speed, stepping in ((0.39, True), (0.41, False)):
        feet = steps()
        feet[side].forefoot_velocity[TURNS[side][1], axis] += sign * speed
        assert steps_are_taken(feet) is stepping


@pytest.mark.parametrize("side", SIDES)
def test_a_forefoot_is_within_60_mm_of_its_lowest_place_within_a_second(side: Side) -> None:
    for height, low_enough in ((0.059, True), (0.061, False)):
        for away, near in ((-99, True), (99, True), (-101, False), (101, False)):
            feet = steps({"r": (150,), "l": (200,)})
            (k,) = feet[side].anchors
            feet[side].forefoot[:, 1] = 0.5 + height
            feet[side].forefoot[k + away, 1] = 0.5
            assert steps_are_taken(feet) is (low_enough or not near)


def test_the_first_frame_is_a_place_too() -> None:
    feet = steps({"r": (50, 150), "l": (100, 200)})
    feet["r"].forefoot[1:, 1] = 0.07
    assert not steps_are_taken(feet)
    feet["r"].forefoot[1:, 1] = 0.05
    assert steps_are_taken(feet)


def test_feet_that_pass_within_120_ms_jump() -> None:
    for apart, stepping in ((11, False), (13, True)):
        assert steps_are_taken(steps({"r": (110, 250), "l": (110 + apart, 320)})) is stepping
        assert steps_are_taken(steps({"l": (110, 250), "r": (110 + apart, 320)})) is stepping
    assert not steps_are_taken(steps({"r": (110, 210), "l": (300,)}))  # the same foot twice
    assert not steps_are_taken(steps({"r": (110,), "l": (210, 300)}))
    assert steps_are_taken(steps({"r": (110,), "l": ()}))  # one pass
    assert not steps_are_taken(steps({"r": (), "l": ()}))  # none


def test_all_but_the_largest_and_the_smallest_range_of_the_rest() -> None:
    values = np.array([5.0, 0.0, 9.0, 1.0])
    assert _without(values, 0).tolist() == [0.0, 1.0, 5.0, 9.0]
    assert _without(values, 1).tolist() == [0.0, 1.0, 5.0]
    assert _without(values, 3).tolist() == [0.0]
    assert [_least_range(values, few) for few in (0, 1, 2, 3)] == [9.0, 5.0, 1.0, 0.0]


# --- where points are noisy ---------------------------------------------------------------

ORDER: tuple[tuple[Side, int], ...] = (
    ("r", 10), ("l", 20), ("r", 30), ("l", 40), ("r", 50), ("l", 60),
)  # fmt: skip


def noisy(
    order: tuple[tuple[Side, int], ...] = ORDER, swing: float = 2.0, noise: float = 0.01,
    axis: int = 0,
) -> dict[Side, FootSignals]:  # fmt: skip
    """101 frames at 20 Hz: heel speeds of which two are wild at either end of their order."""
    heel = np.zeros((101, 3))
    heel[:, axis] = 0.5 * swing
    heel[[5, 77], axis], heel[[33, 90], axis] = -50.0, 50.0
    heel[44, axis], heel[66, axis] = 0.0, swing
    out: dict[Side, FootSignals] = {}
    for side in SIDES:
        anchors = tuple(k for s, k in order if s == side)
        velocity = np.tile([-2.0, 0.0, 1.0], (101, 1))
        out[side] = foot(np.arange(101) / 20.0, anchors, velocity, heel, noise=noise)
    return out


@pytest.mark.parametrize("axis", [0, 2])
def test_a_noisy_heel_swings_faster_than_noise_seems_to(axis: int) -> None:
    # 96 % of the speeds lie within what counts; 1 m/s and 30 / s times 10 mm are 1.3 m/s.
    assert steps_are_taken(noisy(swing=1.305, axis=axis))
    assert not steps_are_taken(noisy(swing=1.295, axis=axis))
    assert steps_are_taken(noisy(swing=1.155, noise=0.005, axis=axis))
    assert not steps_are_taken(noisy(swing=1.145, noise=0.005, axis=axis))
    assert not steps_are_taken(noisy(axis=1))


@pytest.mark.parametrize("side", SIDES)
def test_one_noisy_foot_makes_the_limits_of_both_and_each_has_to_swing(side: Side) -> None:
    feet = noisy(swing=1.2)
    assert not steps_are_taken(feet)
    feet = noisy(swing=2.0, noise=0.0)
    feet[side] = noisy(swing=1.2, noise=0.01)[side]
    assert not steps_are_taken(feet)
    feet[side] = noisy(swing=1.4, noise=0.01)[side]
    assert steps_are_taken(feet)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_of_six_noisy_passes_one_may_be_anyhow_and_the_next_within_the_limit(axis: int) -> None:
    # 0.4 m/s and 30 / s times 10 mm: 0.7 m/s, off the median, or up and down at all.
    for second, stepping in ((0.695, True), (0.705, False), (-0.695, True), (-0.705, False)):
        feet = noisy()
        feet["r"].forefoot_velocity[30, axis] += 100.0
        feet["l"].forefoot_velocity[60, axis] += second
        assert steps_are_taken(feet) is stepping


def test_a_belt_is_no_speed_of_noisy_feet_and_rising_together_is() -> None:
    for speed, stepping in ((0.69, True), (0.71, False)):
        feet = noisy()
        for f in feet.values():
            f.forefoot_velocity[:] = [-9.0, speed, 4.0]
        assert steps_are_taken(feet) is stepping


@pytest.mark.parametrize(
    ("order", "stepping"),
    [
        # One of five turns may be none, by the foot …
        ((("r", 10), ("l", 20), ("r", 30), ("l", 40), ("l", 50), ("r", 60)), True),
        ((("r", 10), ("r", 20), ("r", 30), ("l", 40), ("r", 50), ("l", 60)), False),
        # … or by the time: 0.10 s is none, 0.15 s is one.
        ((("r", 10), ("l", 12), ("r", 30), ("l", 40), ("r", 50), ("l", 60)), True),
        ((("r", 10), ("l", 12), ("r", 30), ("l", 40), ("r", 50), ("l", 52)), False),
        ((("r", 10), ("l", 13), ("r", 30), ("l", 40), ("r", 50), ("l", 53)), True),
        ((("l", 10),), True),
    ],
)
def test_noisy_feet_take_four_of_five_turns(
    order: tuple[tuple[Side, int], ...], stepping: bool
) -> None:
    assert steps_are_taken(noisy(order)) is stepping
