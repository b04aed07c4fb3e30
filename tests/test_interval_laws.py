"""Known answers of intervals and of event corrections, worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kneestride.errors import ModelError, SettingsError
from kneestride.loads import uncertainty
from kneestride.loads.sensitivities import Source
from kneestride.motion.contacts import Contact
from kneestride.motion.event_refinement import (
    Pass,
    Refinement,
    corrected,
    event_signals,
    load_refinement,
    refine_contacts,
)
from kneestride.motion.foot_signals import foot_signals
from kneestride.vocabulary import Array
from scipy.interpolate import CubicSpline
from stick_figure import Gait, gait

Z = 1.959963984540054
A = Source("a", 2.0, "1", "model", within=1.0, between=1.0)
B = Source("b", 3.0, "1", "model", within=1.0, between=1.0)


def test_sources_add_in_squares_and_ends_stop_at_the_floor() -> None:
    found = uncertainty.propagate(
        np.array([10.0, 1.0]),
        {"a": np.array([1.0, -2.0]), "b": np.array([4.0, 0.0])},
        [A, B],
        0.0,
    )
    sd = np.sqrt([4.0 + 144.0, 16.0])
    np.testing.assert_allclose(found.sd, sd)
    np.testing.assert_allclose(found.parts["a"], [2.0, 4.0])
    np.testing.assert_allclose(found.parts["b"], [12.0, 0.0])
    np.testing.assert_allclose(found.high, [10.0 + Z * sd[0], 1.0 + Z * sd[1]])
    np.testing.assert_allclose(found.low, [0.0, 0.0])
    free = uncertainty.propagate(np.array([10.0]), {"a": np.ones(1)}, [A])
    np.testing.assert_allclose(free.low, 10.0 - 2.0 * Z)
    assert free.contains(10.0 - 2.0 * Z + 1e-9) and not free.contains(10.0 + 2.0 * Z + 1e-9)
    assert not free.contains(10.0 - 2.0 * Z - 1e-9)
    # Only what every element's interval holds is held.
    assert not found.contains(20.0)


@pytest.mark.parametrize(("between", "variance"), [(1.0, 1.0), (0.0, 13.0), (0.25, 10.0)])
def test_a_difference_keeps_what_the_trials_do_not_share(
    between: float, variance: float
) -> None:
    source = replace(A, between=between)
    found = uncertainty.propagate_difference(
        np.array([5.0]),
        {"a": np.array([3.0])},
        np.array([1.0]),
        {"a": np.array([2.0])},
        [source],
    )
    np.testing.assert_allclose(found.value, 4.0)
    np.testing.assert_allclose(found.sd, 2.0 * np.sqrt(variance))
    np.testing.assert_allclose(found.low, 4.0 - Z * 2.0 * np.sqrt(variance))


def test_peaks_and_their_sensitivities_are_of_one_frame() -> None:
    curves = np.array([[1.0, 5.0, 3.0], [np.nan, -2.0, -1.0], [np.nan] * 3])
    value, j = uncertainty.peaks(curves, {"a": np.arange(9.0).reshape(3, 3)})
    np.testing.assert_array_equal(value, [5.0, -1.0, np.nan])
    np.testing.assert_array_equal(j["a"], [1.0, 5.0, np.nan])


def test_impulses_are_trapezoids_of_each_strides_own_step() -> None:
    value, j = uncertainty.impulses(
        np.array([[0.0, 2.0, 0.0], [1.0, 1.0, 3.0]]),
        {"a": np.ones((2, 3))},
        np.array([0.1, 0.2]),
    )
    np.testing.assert_allclose(value, [0.2, 0.6])
    np.testing.assert_allclose(j["a"], [0.2, 0.4])


VALUES = np.array([3.0, 5.0, np.nan, 10.0])
J = np.array([1.0, 2.0, 99.0, 3.0])


@pytest.mark.parametrize(("within", "variance"), [(1.0, 4.0), (0.0, 14.0 / 9.0)])
def test_what_stays_and_what_is_new_each_stride(within: float, variance: float) -> None:
    source = replace(A, within=within)
    found = uncertainty.stride_interval(VALUES, {"a": J}, [source], "mean")
    assert found.value == pytest.approx(6.0) and found.strides == 3
    assert found.parts["a"] == pytest.approx(2.0 * np.sqrt(variance))
    assert uncertainty.stride_interval(VALUES, {"a": J}, [source]).value == pytest.approx(5.0)
    assert found.sd == pytest.approx(np.hypot(found.parts["a"], found.parts["strides"]))


def test_one_stride_has_the_systematic_part_on_either_side() -> None:
    found = uncertainty.stride_interval(np.array([7.0]), {"a": np.array([1.5])}, [A])
    assert found.low == pytest.approx(7.0 - 3.0 * Z) and found.high == pytest.approx(
        7.0 + 3.0 * Z
    )
    assert set(found.parts) == {"a"} and found.sd == pytest.approx(3.0)
    floored = uncertainty.stride_interval(
        np.array([7.0]), {"a": np.array([1.5])}, [A], floor=6.5
    )
    assert floored.low == 6.5
    with pytest.raises(SettingsError, match="at least one stride"):
        uncertainty.stride_interval(np.array([np.nan]), {"a": np.ones(1)}, [A])


def test_strides_alone_have_students_interval_of_their_mean() -> None:
    rng = np.random.default_rng(4)
    values = rng.normal(50.0, 8.0, 12)
    found = uncertainty.stride_interval(values, {}, [], "mean")
    t = 2.200985160082949  # 11 degrees of freedom
    half = t * values.std(ddof=1) / np.sqrt(12)
    assert found.high - found.low == pytest.approx(2 * half, rel=0.06)
    assert found.value == pytest.approx(values.mean())
    # Both parts together in squares, on each side.
    both = uncertainty.stride_interval(values, {"a": np.ones(12)}, [A], "mean")
    assert both.high - both.value == pytest.approx(
        np.hypot(found.high - found.value, 2.0 * Z), rel=1e-9
    )
    assert both.value - both.low == pytest.approx(
        np.hypot(found.value - found.low, 2.0 * Z), rel=1e-9
    )


def pair(matched: bool, within: float, between: float, ja: Array, jb: Array) -> float:
    source = replace(A, within=within, between=between)
    found = uncertainty.paired_interval(
        np.array([4.0, 6.0]), {"a": ja}, np.array([1.0, 2.0]), {"a": jb}, [source],
        matched=matched, statistic="mean",
    )  # fmt: skip
    assert found.value == pytest.approx(3.5)
    return (float(found.parts["a"]) / 2.0) ** 2


@pytest.mark.parametrize(
    ("matched", "within", "between", "variance"),
    [
        # means 2 and 1; squares over four: (1 + 9 + 0 + 4) / 4; products (0 + 6) / 4
        (False, 1.0, 1.0, 1.0), (False, 1.0, 0.0, 5.0), (False, 0.0, 1.0, 3.5),
        (True, 0.0, 1.0, 3.5 - 3.0), (True, 0.0, 0.5, 3.5 - 1.5),
        (True, 0.5, 0.5, 0.5 * 3.0 + 1.0),
    ],
)  # fmt: skip
def test_paired_trials_keep_what_they_do_not_share(
    matched: bool, within: float, between: float, variance: float
) -> None:
    ja, jb = np.array([1.0, 3.0]), np.array([0.0, 2.0])
    assert pair(matched, within, between, ja, jb) == pytest.approx(variance)


def test_pairs_lose_a_stride_together_and_others_alone() -> None:
    a, b = np.array([4.0, np.nan, 6.0]), np.array([1.0, 2.0, 3.0])
    matched = uncertainty.paired_interval(a, {}, b, {}, [], matched=True, statistic="mean")
    assert (matched.value, matched.strides) == (3.0, 2)
    assert matched.high == pytest.approx(matched.low) and matched.sd == 0.0  # always by three
    apart = uncertainty.paired_interval(a, {}, b, {}, [], statistic="mean")
    assert (apart.value, apart.strides) == (3.0, 2) and apart.sd > 0.5
    with pytest.raises(SettingsError, match="3 and 2"):
        uncertainty.paired_interval(a, {}, b[:2], {}, [], matched=True)
    with pytest.raises(SettingsError, match="none for b"):
        uncertainty.paired_interval(a, {"a": a}, b, {"a": b}, [A, B])


# --- corrections of events ------------------------------------------------------------

OFFSETS = np.array([-0.1, 0.0, 0.1])


def test_a_correction_is_its_intercept_and_weighted_signals_around_the_event() -> None:
    time = np.arange(101) / 100.0
    spline = CubicSpline(time, np.column_stack([time, time**2]))
    weights = np.array([[0.1, 0.0], [0.0, 0.2], [-0.1, 0.0]])
    once = (Pass(0.01, weights),)
    # 0.1 (t − 0.1) + 0.2 t² − 0.1 (t + 0.1)
    expected = 0.5 + 0.01 - 0.02 + 0.2 * 0.25
    span = (0.0, 1.0)
    assert corrected(0.5, spline, once, OFFSETS, span) == pytest.approx(expected)
    twice = corrected(0.5, spline, once * 2, OFFSETS, span)
    assert twice == pytest.approx(expected - 0.01 + 0.2 * expected**2)
    assert corrected(0.1, spline, once, OFFSETS, span) == pytest.approx(0.1 - 0.01 + 0.002)
    for outside in (0.099, 0.901):
        assert np.isnan(corrected(outside, spline, once, OFFSETS, span))


def model(first: float, second: float, limit: float = 0.05) -> Refinement:
    none = np.zeros((3, 9))
    return Refinement(
        OFFSETS, (Pass(first, none),), (Pass(second, none),),
        ((0.002, 0.001), (-0.003, 0.002)), ((-limit, limit), (-limit, limit)),
    )  # fmt: skip


def test_ends_that_were_recorded_are_moved_and_others_left() -> None:
    paths, true = gait(Gait())
    feet = foot_signals(paths, "r")
    ground = paths.belt_velocity
    whole = next(c for c in true.r if c.complete and c.initial_contact_s > 0.5)
    (moved,) = refine_contacts((whole,), feet, paths, ground, model(0.01, -0.02))
    assert moved.initial_contact_s == pytest.approx(whole.initial_contact_s + 0.01)
    assert moved.toe_off_s == pytest.approx(whole.toe_off_s - 0.02)
    cut = replace(whole, complete_start=False)
    (left,) = refine_contacts((cut,), feet, paths, ground, model(0.01, -0.02))
    assert left.initial_contact_s == whole.initial_contact_s and not left.complete_start
    # A correction beyond its limits: a constant and a slope by speed, 3 m/s here.
    (fallen,) = refine_contacts((whole,), feet, paths, ground, model(0.06, -0.06))
    assert fallen.initial_contact_s == pytest.approx(
        whole.initial_contact_s + 0.002 + 0.003, abs=2e-4
    )
    assert fallen.toe_off_s == pytest.approx(whole.toe_off_s - 0.003 + 0.006, abs=4e-4)
    assert refine_contacts((), feet, paths, ground, model(0.0, 0.0)) == ()
    nobody = replace(feet, anchors=())
    assert refine_contacts((whole,), nobody, paths, ground, model(0.0, 0.0)) == (whole,)


def test_events_moved_out_of_the_recording_are_not_recorded() -> None:
    paths, _ = gait(Gait())
    feet, end = foot_signals(paths, "r"), float(paths.time[-1])
    early = Contact(0.11, 0.5, True, True)
    far = model(-0.12, 0.0, limit=0.2)
    (found,) = refine_contacts((early,), feet, paths, paths.belt_velocity, far)
    assert (found.initial_contact_s, found.complete_start, found.complete_end) == (
        0,
        False,
        True,
    )
    late = Contact(end - 0.5, end - 0.11, True, True)
    (found,) = refine_contacts((late,), feet, paths, paths.belt_velocity, model(0, 0.12, 0.2))
    assert (found.toe_off_s, found.complete_end) == (end, False)
    turned = Contact(1.0, 1.01, True, True)
    assert (
        refine_contacts((turned,), feet, paths, paths.belt_velocity, model(0.03, 0, 0.2)) == ()
    )


def test_the_nine_signals_are_heights_and_speeds_over_the_ground() -> None:
    paths, _ = gait(Gait())
    feet = foot_signals(paths, "r")
    ground = np.array([-3.0, 0.0, 0.0])
    rows = event_signals(feet, paths, ground)(paths.time)
    np.testing.assert_allclose(rows[list(feet.anchors), 0], 0.0, atol=5e-3)
    np.testing.assert_allclose(rows[:, 1], feet.heel_velocity[:, 0] + 3.0, atol=1e-9)
    np.testing.assert_allclose(rows[:, 2], feet.heel_velocity[:, 1], atol=1e-9)
    np.testing.assert_allclose(rows[:, 4], feet.forefoot_velocity[:, 0] + 3.0, atol=1e-9)
    np.testing.assert_allclose(rows[:, 5], feet.forefoot_velocity[:, 1], atol=1e-9)
    np.testing.assert_allclose(rows[:, 8], 3.0, atol=1e-6)  # the hips stand over the belt
    inner = slice(20, -20)
    np.testing.assert_allclose(
        rows[inner, 7], np.gradient(rows[:, 6], paths.time)[inner], atol=1e-9
    )
    lifted = replace(feet, heel=feet.heel + np.array([0.0, 0.3, 0.0]))
    np.testing.assert_allclose(
        event_signals(lifted, paths, ground)(paths.time), rows, atol=1e-9
    )


def test_a_table_of_another_shape_is_refused(tmp_path: Path) -> None:
    from kneestride.paths_of_data import models_folder

    text = (models_folder() / "events.toml").read_text(encoding="utf-8")
    file = tmp_path / "events.toml"
    start = text.index("offsets_s")
    file.write_text(text[:start] + "offsets_s = [0.0]\n" + text[text.index("]", start) + 1 :])
    with pytest.raises(ModelError, match=r"events\.toml again"):
        load_refinement(file)


# --- ends and strides -----------------------------------------------------------------


def test_a_value_below_the_floor_has_both_ends_on_it() -> None:
    found = uncertainty.propagate(np.array([-9.0]), {"a": np.array([1.0])}, [A], 0.0)
    assert not found.low.any() and not found.high.any()
    strides = uncertainty.stride_interval(np.array([-9.0]), {"a": np.ones(1)}, [A], floor=-2.0)
    assert strides.low == strides.high == -2.0 and strides.value == -9.0


@pytest.mark.parametrize(
    ("n", "t"), [(2, 12.706204736), (3, 4.302652730), (5, 2.776445105), (30, 2.045229642)]
)
def test_resampled_means_spread_like_students(n: int, t: float) -> None:
    values: Array = np.arange(float(n)) ** 1.5
    found = uncertainty._bootstrap(values, np.mean, 3)
    # Resampling knows the spread with n in the denominator: exactly s/sqrt(n) after all.
    expected = values.std(ddof=1) / np.sqrt(n) * t / Z
    assert found.shape == (2000,)
    assert found.std() == pytest.approx(expected, rel=0.06)
    assert abs(found.mean()) < 0.12 * expected
    assert not uncertainty._bootstrap(values[:1], np.mean, 3).any()


def test_the_same_seed_gives_the_same_interval() -> None:
    values = np.array([3.0, 5.0, 6.0, 10.0, 11.0, 15.0])

    def ends(**seed: int) -> tuple[float, float]:
        found = uncertainty.stride_interval(values, {}, [], "mean", **seed)
        return float(found.low), float(found.high)

    def apart(**seed: Any) -> float:
        found = uncertainty.paired_interval(values, {}, values**1.1, {}, [], **seed)
        return float(found.sd)

    assert ends() == ends(seed=0) != ends(seed=1)
    assert apart() == apart(seed=0) != apart(seed=1)


def test_trials_of_their_own_are_resampled_each_by_itself() -> None:
    values = np.array([3.0, 5.0, 6.0, 10.0, 11.0, 15.0, 2.0, 8.0])
    alone = uncertainty.stride_interval(values, {}, [], "mean")
    found = uncertainty.paired_interval(values, {}, values, {}, [], statistic="mean")
    # The same numbers by chance: what they spread adds in squares, none of it cancels.
    assert found.value == 0.0
    assert float(found.sd) == pytest.approx(np.sqrt(2.0) * float(alone.sd), rel=0.08)
    same = uncertainty.paired_interval(values, {}, values, {}, [], matched=True)
    assert not np.any([same.low, same.high, same.sd])
    # By default it is the median: of the differences, or of each trial.
    other = values.copy()
    other[[1, 3]] = 100.0, 60.0
    pairs = uncertainty.paired_interval(other, {}, values, {}, [], matched=True)
    each = uncertainty.paired_interval(other, {}, values, {}, [])
    # In the middle of 2, 3, 5, 6, 8, 10, 11, 15 lies 7; without 5 and 10, 9.5.
    assert [float(pairs.value), float(each.value)] == [0.0, 2.5]


def test_fewer_strides_decide_whether_there_is_a_part_of_strides() -> None:
    one, many = np.array([4.0]), np.array([1.0, 2.0, 6.0])
    for a, b in ((one, many), (many, one)):
        found = uncertainty.paired_interval(a, {}, b, {}, [])
        assert found.strides == 1 and "strides" not in found.parts
        assert found.sd > 0.1
    assert "strides" in uncertainty.paired_interval(many, {}, many, {}, []).parts


def test_ends_of_a_skewed_statistic_keep_their_skew() -> None:
    # Means of two draws from 0, 0, 0, 12: far above the mean far more often than far below.
    deviations = np.concatenate([np.full(1940, -1.0), np.full(60, 5.0)])
    found = uncertainty._combined(10.0, deviations, {"a": np.asarray(2.0)}, 4, None)
    assert found.low == pytest.approx(10.0 - np.hypot(1.0, 2.0 * Z))
    assert found.high == pytest.approx(10.0 + np.hypot(5.0, 2.0 * Z))
    assert found.sd == pytest.approx(np.hypot(2.0, deviations.std()))
    assert found.parts["strides"] == pytest.approx(deviations.std())
    # 2.5 % lie beyond either end: 1 % are not seen, and a side without any has no reach.
    rare = np.concatenate([np.full(1980, 1.0), np.full(20, -7.0)])
    found = uncertainty._combined(10.0, rare, {}, 4, None)
    assert [float(found.low), float(found.high)] == [10.0, 11.0]
