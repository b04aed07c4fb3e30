"""Feet on both sides of every limit, and the lag of forces from waves in closed form."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from kneestride.capture.trial import Forces
from kneestride.loads.ground_feet import Feet, distance_to_outline, observe_feet
from kneestride.loads.ground_lag import _best_shift, _parts, estimate_lag, lumped_centre
from kneestride.motion.kinematics import AnatomicalPaths
from kneestride.vocabulary import GRAVITY, Array

TIME = np.arange(101) / 100.0
HALF_POWER = 1.0 / np.sqrt(2.0)


def body(points: dict[str, Array], belt: tuple[float, float, float] = (0, 0, 0)) -> Feet:
    paths = AnatomicalPaths(
        TIME, 100.0, points, {}, {}, np.array([1.0, 0, 0]), np.array(belt, dtype=float)
    )
    return observe_feet(paths, None)


def moving(velocity: tuple[float, float, float], at: tuple[float, float, float]) -> Array:
    return np.asarray(np.asarray(at) + np.outer(TIME, velocity), dtype=np.float64)


# --- feet -----------------------------------------------------------------------------


@pytest.mark.parametrize("side", ["r", "l"])
@pytest.mark.parametrize(("part", "fast"), [("heel", "toe"), ("metatarsal_5", "heel_bottom")])
@pytest.mark.parametrize(("share", "stands"), [(0.96, True), (1.04, False)])
def test_a_foot_stands_when_heel_or_ball_moves_below_half_a_metre_a_second(
    side: str, part: str, fast: str, share: float, stands: bool
) -> None:
    slow = 0.5 * share * np.array([2.0, 1.0, 2.0]) / 3.0  # over a belt that moves
    belt = (-1.5, 0.0, 0.4)
    quick = np.array([2.0, 0.0, 0.0])
    feet = body(
        {
            f"{part}_{side}": moving(tuple(slow + belt), (0.2, 0.05, 0.1)),
            f"{fast}_{side}": moving(tuple(quick + belt), (0.0, 0.04, 0.1)),
        },
        belt,
    )
    s = "rl".index(side)
    assert feet.standing[:, s].all() == feet.standing[:, s].any() == stands
    np.testing.assert_allclose(feet.speed[:, s], 0.5 * share, atol=1e-9)
    assert not feet.standing[:, 1 - s].any() and not feet.low[:, 1 - s].any()
    assert np.isinf(feet.speed[:, 1 - s]).all() and np.isinf(feet.lift[:, 1 - s]).all()


def test_lift_is_above_the_twentieth_of_the_heights_at_which_the_point_stands() -> None:
    feet = body({"toe_r": moving((0.3, 0.101, 0.0), (0.0, 0.03, 0.1))})
    # It rises by 1 mm a frame: the twentieth part is 5 mm above its start.
    np.testing.assert_allclose(feet.lift[:, 0], 0.101 * (TIME - 0.05), atol=1e-9)
    assert feet.standing[:, 0].all()
    assert np.flatnonzero(feet.low[:, 0]).tolist() == list(range(30))


def test_heights_of_frames_that_move_are_no_standing_heights() -> None:
    # Speed 2 t forwards and 0.1 m/s down: still for the first 24 frames, 2.4 mm in all.
    point = np.column_stack([TIME**2, 0.1 - 0.1 * TIME, 0.0 * TIME])
    feet = body({"heel_l": point})
    assert np.flatnonzero(feet.standing[:, 1]).tolist() == list(range(25))
    lowest = 0.1 - 0.1 * 0.24 + 0.1 * 0.05 * 0.24
    np.testing.assert_allclose(feet.lift[:, 1], point[:, 1] - lowest, atol=1e-9)


def test_a_point_that_never_stands_is_measured_from_its_lowest_hundredth() -> None:
    feet = body({"heel_r": moving((3.0, 0.2, 0.0), (0.0, 0.05, 0.1))})
    np.testing.assert_allclose(feet.lift[:, 0], 0.2 * TIME - 0.002, atol=1e-9)
    assert not feet.standing.any() and not feet.low.any()


def test_a_part_is_its_slowest_point_and_low_where_it_stands_itself() -> None:
    feet = body(
        {
            "toe_r": moving((0.3, 0.101, 0.0), (0.2, 0.0, 0.0)),  # still, and rising
            "metatarsal_1_r": moving((0.4, 0.0, 0.0), (0.1, 0.0, 0.0)),  # faster
            "heel_r": moving((3.0, 0.0, 0.0), (0.0, 0.0, 0.0)),  # low all the time, not still
        }
    )
    np.testing.assert_allclose(feet.speed[:, 0], np.hypot(0.3, 0.101), atol=1e-9)
    # Lift is the lower part's, here the heel's once the toe is above it.
    np.testing.assert_allclose(
        feet.lift[:, 0], np.minimum(0.101 * (TIME - 0.05), 0.0), atol=1e-9
    )
    assert np.flatnonzero(feet.low[:, 0]).tolist() == list(range(30))


@pytest.mark.parametrize("side", [0, 1])
def test_points_are_smoothed_for_the_outline(side: int) -> None:
    time = np.arange(400) / 100.0
    wave = np.sin(2 * np.pi * 6.0 * time)
    point = np.column_stack([wave, 2.0 * wave, -wave])
    paths = AnatomicalPaths(
        time, 100.0, {f"toe_{'rl'[side]}": point}, {}, {}, np.array([1.0, 0, 0]), np.zeros(3)
    )
    outline = observe_feet(paths, 6.0).outline
    # Half the power at the cut-off.
    np.testing.assert_allclose(
        outline[100:300, side, 4], HALF_POWER * point[100:300], atol=1e-3
    )
    assert np.isnan(outline[:, 1 - side]).all() and np.isnan(outline[:, side, :4]).all()


def test_a_foot_is_seen_where_any_of_its_points_is_whole() -> None:
    heel, toe = moving((1.0, 2.0, 3.0), (0, 0, 0)), moving((-1.0, 0.5, 0.0), (2, 0, 1))
    heel[20:40, 1] = np.nan
    toe[30:60] = np.nan
    feet = body({"heel_l": heel, "toe_l": toe})
    assert np.flatnonzero(~feet.seen[:, 1]).tolist() == list(range(30, 40))
    assert not feet.seen[:, 0].any() and not feet.centre[:, 0].any()
    # One point where there is one, the mean of two; between, a straight way.
    np.testing.assert_allclose(feet.centre[:20, 1], 0.5 * (heel + toe)[:20], atol=1e-9)
    np.testing.assert_allclose(feet.centre[20:30, 1], toe[20:30], atol=1e-9)
    np.testing.assert_allclose(feet.centre[40:60, 1], heel[40:60], atol=1e-9)
    np.testing.assert_allclose(
        feet.centre[32, 1], toe[29] + 3 / 11 * (heel[40] - toe[29]), atol=1e-9
    )


@pytest.mark.parametrize("size", [1.0, 0.02])
def test_distance_to_a_slanted_triangle(size: float) -> None:
    triangle = size * np.array([[[1.0, 5.0, 1.0], [4.0, -3.0, 5.0], [1.0, 0.0, 9.0]]])
    for place, far in (
        ([2.0, 0.0, 4.0], 0.0), ([1.2, 0.0, 1.6], 0.0), ([3.3, 0.0, 2.4], 1.0),
        ([0.0, 0.0, 3.0], 1.0), ([0.4, 0.0, 0.2], 1.0), ([1.0, 0.0, 12.0], 3.0),
    ):  # fmt: skip
        for order in ([0, 1, 2], [2, 0, 1], [1, 0, 2]):
            found = distance_to_outline(size * np.array([place]), triangle[:, order])
            assert found == pytest.approx([size * far], abs=1e-12)
    # Two points in one place are as good as one.
    twice = np.array([[[1.0, 0.0, 1.0], [1.0, 0.0, 1.0]]])
    assert distance_to_outline(np.array([[4.0, 0.0, 5.0]]), twice) == pytest.approx([5.0])


# --- lag ------------------------------------------------------------------------------

MASS = 60.0
WEIGHT = MASS * GRAVITY
FAST = 500.0


def hopping(
    frames: int, lag: float | Array = 0.0, size: float = 0.5, rate: float = 100.0
) -> tuple[Forces, AnatomicalPaths]:
    """A centre of mass in a wave of 1.7 Hz and the force of it on two plates, `lag` late."""
    w = 2 * np.pi * 1.7
    time, fine = np.arange(frames) / rate, np.arange(int(frames * FAST / rate)) / FAST
    late = np.broadcast_to(np.asarray(lag, float), fine.shape)
    swing = size * np.sin(w * (fine - late))  # body weights
    force = np.zeros((len(fine), 2, 3))
    force[:, 0, 1], force[:, 1, 1] = WEIGHT * (1.0 + swing), 0.0
    force[:, 1, 1] = 0.25 * force[:, 0, 1]
    force[:, 0, 1] *= 0.75
    force[..., 0], force[..., 2] = 300.0 * np.cos(7 * fine)[:, None], -80.0
    height = 1.0 - size * GRAVITY / w**2 * np.sin(w * time)
    centre = np.column_stack([np.cos(5 * time), height, np.sin(3 * time)])
    flat = np.zeros_like(force)
    paths = AnatomicalPaths(
        time, rate, {"center_of_mass": centre}, {}, {}, np.array([1.0, 0, 0]), np.zeros(3)
    )
    return Forces(("a", "b"), fine, FAST, force, flat, flat, feet=(None, None)), paths


@pytest.mark.parametrize(("lag", "way"), [(0.031, "behind"), (-0.023, "ahead of")])
def test_the_sentence_tells_how_late_and_which_way(lag: float, way: str) -> None:
    found = estimate_lag(*hopping(400, lag), MASS)
    assert found.seconds == pytest.approx(lag, abs=3e-4)
    assert found.sentence == (
        f"Forces run about {1e3 * abs(lag):.0f} ms {way} the markers (correlation 1.00); "
        "not corrected."
    )
    assert found.correlation == pytest.approx(1.0, abs=2e-3)


@pytest.mark.parametrize(("lag", "told"), [(0.046, True), (-0.046, True), (0.054, False)])
def test_a_lag_at_the_end_of_the_search_is_none(lag: float, told: bool) -> None:
    found = estimate_lag(*hopping(400, lag), MASS)
    if told:
        assert found.seconds == pytest.approx(lag, abs=1e-3)
    else:
        assert np.isnan(found.seconds) and np.isnan(found.spread)
        assert found.correlation == pytest.approx(1.0, abs=5e-3)
        assert found.sentence == "The movement and the forces do not tell their lag."


@pytest.mark.parametrize(("other", "told"), [(0.60, True), (0.90, False)])
def test_a_correlation_below_four_fifths_tells_no_lag(other: float, told: bool) -> None:
    """Two waves of shares 1 and `other` correlate with the first by 1/sqrt(1 + other²)."""
    forces, paths = hopping(1000)
    stranger = 0.5 * other * WEIGHT * np.sin(2 * np.pi * 4.1 * forces.time)
    forces.force[:, 0, 1] += stranger
    found = estimate_lag(forces, paths, MASS)
    assert found.correlation == pytest.approx(1.0 / np.hypot(1.0, other), abs=0.012)
    assert np.isfinite(found.seconds) == told


@pytest.mark.parametrize(
    ("frames", "size", "told"),
    # 9 frames at either end are left out (a period of 12 Hz), and 0.4 s have to be left; a
    # wave of size s has a standard deviation of s/sqrt(2), which has to be a tenth.
    [(59, 0.5, True), (57, 0.5, False), (400, 0.146, True), (400, 0.137, False)],
)
def test_too_short_or_too_quiet_a_force_tells_nothing(
    frames: int, size: float, told: bool
) -> None:
    found = estimate_lag(*hopping(frames, 0.01, size), MASS)
    if told:
        assert found.seconds == pytest.approx(0.01, abs=2e-3)
    else:
        assert np.isnan([found.seconds, found.spread, found.correlation]).all()
        assert found.sentence == "The force changes too little to show a lag to the markers."


def test_a_wave_above_the_cutoff_is_left_out_of_both() -> None:
    forces, paths = hopping(600, 0.02)
    forces.force[:, 0, 1] += WEIGHT * np.sin(2 * np.pi * 40.0 * forces.time)
    paths.points["center_of_mass"][:, 1] += 1e-3 * np.sin(2 * np.pi * 35.0 * paths.time)
    assert estimate_lag(forces, paths, MASS).correlation > 0.99
    # As much of it with a cut-off of four tenths of the rate, the most there is.
    assert estimate_lag(forces, paths, MASS, cutoff=99.0).correlation < 0.9


@pytest.mark.parametrize("shape", [(600,), (600, 2)])
def test_masked_frames_have_no_say(shape: tuple[int, ...]) -> None:
    forces, paths = hopping(600, 0.02)
    lost = (forces.time > 1.995) & (forces.time < 4.005)
    forces.force[lost] = 0.0
    masked = np.zeros(shape, dtype=bool)
    masked[192:410] = True if len(shape) == 1 else [False, True]
    assert np.isnan(estimate_lag(forces, paths, MASS).seconds)
    found = estimate_lag(forces, paths, MASS, masked)
    assert found.seconds == pytest.approx(0.02, abs=1e-3) and found.correlation > 0.99


def test_spread_is_half_the_way_between_the_quartiles_of_parts() -> None:
    lags = np.array([0.0, 0.010, 0.030, 0.020])
    each = np.repeat(lags, int(2 * FAST))
    found = estimate_lag(*hopping(800, each), MASS)
    # Quartiles of 0, 10, 20, 30 ms: 7.5 and 22.5 ms. A smoothed joint moves them a little.
    assert found.spread == pytest.approx(0.0075, abs=8e-4)
    assert np.isfinite(estimate_lag(*hopping(600, each[:3000]), MASS).spread)
    assert np.isnan(estimate_lag(*hopping(400, each[:2000]), MASS).spread)


def test_without_a_pelvis_the_lag_is_unknown() -> None:
    forces, paths = hopping(200)
    found = estimate_lag(forces, replace(paths, points={}), MASS)
    assert found.sentence == "No pelvis was seen; the lag is unknown."
    assert np.isnan([found.seconds, found.spread, found.correlation]).all()


def test_between_samples_the_top_is_a_parabolas() -> None:
    """Over whole periods two waves correlate by the cosine of their phase."""
    # 6 frames at either end are the search's, 120 between are two periods of 60.
    w = 2 * np.pi / 60.0
    frames = np.arange(132)
    for lag in (1.3, -2.4):
        found, top = _best_shift(
            np.sin(w * frames),
            3.0 * np.sin(w * (frames - lag)) + 9.0,
            np.ones(132, bool),
            100.0,
        )
        whole = round(lag)
        left, mid, right = np.cos(w * (np.array([whole - 1, whole, whole + 1]) - lag))
        vertex = whole + 0.5 * (left - right) / (left - 2 * mid + right)
        assert found == pytest.approx(vertex / 100.0, abs=1e-12)
        assert top == pytest.approx(mid, abs=1e-12)
    # Beyond the search the last shift is the best, and nothing lies beyond it.
    for lag in (9.0, -9.0):
        found, top = _best_shift(
            np.sin(w * frames), np.sin(w * (frames - lag)), np.ones(132, bool), 100.0
        )
        assert found == pytest.approx(0.06 * np.sign(lag), abs=1e-12)
        assert top == pytest.approx(np.cos(3 * w), abs=1e-12)
    # One frame inside the search it is a parabola's again.
    for lag in (5.2, -5.2):
        found, _ = _best_shift(
            np.sin(w * frames), np.sin(w * (frames - lag)), np.ones(132, bool), 100.0
        )
        assert found == pytest.approx(lag / 100.0, abs=2e-5) and found != round(lag) / 100.0


def test_a_shift_is_judged_on_more_than_five_usable_frames_that_change() -> None:
    rng = np.random.default_rng(8)
    asked = rng.normal(size=60)
    given = np.roll(asked, 3)
    usable = np.zeros(60, bool)
    usable[20:26] = True
    found, top = _best_shift(asked, given, usable, 100.0)
    assert round(100 * found) == 3 and top == pytest.approx(1.0)
    usable[25] = False
    assert _best_shift(asked, given, usable, 100.0) == (-0.06, -1.0)
    # Frames whose counterpart is unknown do not count.
    usable[25:27] = True
    given[28] = np.nan  # frame 25, three later
    found, top = _best_shift(asked, given, usable, 100.0)
    assert round(100 * found) == 3 and top == pytest.approx(1.0)
    assert _best_shift(asked, np.ones(60), np.ones(60, bool), 100.0)[1] == -1.0
    # Frames nearer to an end than the search reaches are not used.
    ends = np.zeros(60, bool)
    ends[[*range(6), *range(54, 60)]] = True
    assert _best_shift(asked, given, ends, 100.0)[1] == -1.0


def test_parts_need_more_than_four_tenths_of_a_second() -> None:
    usable = np.zeros(620, bool)
    usable[[*range(5, 45), *range(230, 271), *range(610, 620)]] = True
    found = [np.flatnonzero(part).tolist() for part in _parts(usable, 100.0)]
    assert found == [list(range(230, 271))]
    whole = [np.flatnonzero(p)[[0, -1]].tolist() for p in _parts(np.ones(450, bool), 100.0)]
    assert whole == [[0, 199], [200, 399], [400, 449]]


def lumped(paths: AnatomicalPaths) -> Array:
    found = lumped_centre(paths)
    assert found is not None
    return found


def test_segments_that_were_not_seen_on_both_sides_stay_with_the_pelvis() -> None:
    def at(x: float) -> Array:
        return np.array([[x, 2.0 * x, -x]])

    pelvis = {f"{n}_{s}": at(1.0) for n in ("asis", "psis") for s in "rl"}
    legs = {
        f"{n}_{s}": at(x)
        for s in "rl"
        for n, x in (("hip_center", 3.0), ("knee_center", 5.0), ("ankle_center", 9.0))
    }
    paths = AnatomicalPaths(
        np.zeros(1), 100.0, pelvis | legs, {}, {}, np.array([1.0, 0, 0]), np.zeros(3)
    )
    # de Leva 1996: thigh 14.16 % at 40.95 %, shank 4.33 % at 44.59 % of their lengths.
    thigh, shank = 3.0 + 0.4095 * 2.0, 5.0 + 0.4459 * 4.0
    rest = 1.0 - 2 * 0.1416 - 2 * 0.0433
    whole = 2 * 0.1416 * thigh + 2 * 0.0433 * shank + rest
    np.testing.assert_allclose(lumped(paths), at(whole))
    legs.pop("ankle_center_l")
    np.testing.assert_allclose(
        lumped(replace(paths, points=pelvis | legs)),
        at(2 * 0.1416 * thigh + (1.0 - 2 * 0.1416)),
    )
    # A thigh that is not known leaves the shank where it is.
    legs |= {"ankle_center_l": at(9.0)}
    legs.pop("hip_center_r")
    np.testing.assert_allclose(
        lumped(replace(paths, points=pelvis | legs)),
        at(2 * 0.0433 * shank + (1.0 - 2 * 0.0433)),
    )
    known = {"center_of_mass": at(7.0)}
    np.testing.assert_array_equal(lumped(replace(paths, points=pelvis | legs | known)), at(7.0))
    assert lumped_centre(replace(paths, points=legs)) is None
