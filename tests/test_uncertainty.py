"""Intervals: known linear-Gaussian answers, Monte Carlo, and what pairing cancels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kneestride.errors import SettingsError
from kneestride.loads import uncertainty as u
from kneestride.loads.sensitivities import PAIRINGS

BODY_WEIGHT = 70.0 * 9.80665
SPACING, THIGH, SHANK = 0.047, 0.42, 0.42
Z = 1.959964


def source(name: str = "s", sigma: float = 2.0, **share: float) -> u.Source:
    return u.Source(name, sigma, "m", "anatomy", **share)


def two_points(
    medial: float, lateral: float, force: float, shift: Mapping[str, float]
) -> np.ndarray:
    """Exact statics of two contact points, told without any derivative."""
    total, moment = medial + lateral, (medial - lateral) * SPACING / 2.0
    moment += force * shift.get("center_of_pressure", 0.0)
    moment += force * shift.get("alignment", 0.0) * THIGH * SHANK / (THIGH + SHANK)
    moment -= total * shift.get("knee_center", 0.0)
    spacing = SPACING + shift.get("contact_spacing", 0.0)
    scale = 1.0 + shift.get("ground_force", 0.0)
    return scale * np.array([total / 2 + moment / spacing, total / 2 - moment / spacing])


# --- sensitivities ------------------------------------------------------------------


def test_20_mm_of_pressure_point_is_about_one_body_weight_in_running() -> None:
    force = np.array([2.5 * BODY_WEIGHT])
    found = u.analytic_sensitivities(
        np.array([4.0 * BODY_WEIGHT]),
        np.array([3.0 * BODY_WEIGHT]),
        force,
        SPACING,
        THIGH,
        SHANK,
    )
    moved = found["center_of_pressure"][0] * 0.020 / BODY_WEIGHT
    np.testing.assert_allclose(moved, [2.5 * 20 / 47, -2.5 * 20 / 47])
    assert 0.9 < moved[0] < 1.2


def test_4_mm_of_knee_centre_is_about_150_n_in_walking() -> None:
    # methods.md: ± 4 mm medio-laterally moves the medial force by about 150 N (GC5).
    weight = 75.0 * 9.80665
    found = u.analytic_sensitivities(
        np.array([1.6 * weight]),
        np.array([0.8 * weight]),
        np.array([weight]),
        0.047,
        0.42,
        0.42,
    )
    assert abs(found["knee_center"][0, 0]) * 0.004 == pytest.approx(150.0, abs=2.0)


def test_varus_and_a_medial_pressure_point_load_the_medial_compartment() -> None:
    one = np.array([1000.0])
    found = u.analytic_sensitivities(one, one, one, SPACING, THIGH, SHANK)
    for name in ("alignment", "center_of_pressure"):
        assert found[name][0, 0] > 0.0 > found[name][0, 1]
    # Contacts moved medially, the load line stays and passes nearer to the lateral one.
    assert found["knee_center"][0, 0] < 0.0
    # Equal compartments carry no moment, so the spacing does not matter.
    assert found["contact_spacing"][0, 0] == 0.0


@given(
    medial=st.floats(0.0, 6000.0), lateral=st.floats(0.0, 4000.0), force=st.floats(0.0, 2500.0)
)
def test_analytic_sensitivities_are_the_derivatives_of_the_exact_statics(
    medial: float, lateral: float, force: float
) -> None:
    steps = {
        name: 1e-5
        for name in (
            "alignment",
            "contact_spacing",
            "knee_center",
            "center_of_pressure",
            "ground_force",
        )
    }
    numeric = u.finite_differences(lambda d: two_points(medial, lateral, force, d), steps)
    exact = u.analytic_sensitivities(
        np.array(medial), np.array(lateral), np.array(force), SPACING, THIGH, SHANK
    )
    assert set(exact) == set(numeric)
    for name, value in exact.items():
        np.testing.assert_allclose(value, numeric[name], rtol=1e-5, atol=1e-2)


def test_moving_load_between_compartments_keeps_their_sum() -> None:
    a = np.array([3000.0, 1000.0])
    found = u.analytic_sensitivities(a, a[::-1], a, SPACING, THIGH, SHANK)
    for name in ("alignment", "contact_spacing", "knee_center", "center_of_pressure"):
        np.testing.assert_allclose(found[name].sum(axis=-1), 0.0, atol=1e-9)


# --- propagation --------------------------------------------------------------------


def test_independent_sources_add_in_squares() -> None:
    base = np.zeros((4, 2))
    sensitivities = {"a": np.full((4, 2), 3.0), "b": np.full((4, 2), -2.0)}
    sources = [source("a", 1.0), source("b", 2.0)]
    found = u.propagate(base, sensitivities, sources)
    np.testing.assert_allclose(found.sd, 5.0)
    np.testing.assert_allclose(found.high, 5.0 * Z, rtol=1e-6)
    np.testing.assert_allclose(found.low, -5.0 * Z, rtol=1e-6)
    np.testing.assert_allclose(found.parts["b"], 4.0)


def test_monte_carlo_through_the_exact_statics_agrees() -> None:
    medial, lateral, force = 4.0 * BODY_WEIGHT, 3.0 * BODY_WEIGHT, 2.5 * BODY_WEIGHT
    sources = [s for s in u.default_sources(predicted=True) if s.name != "strength"]
    base = two_points(medial, lateral, force, {})
    sensitivities = u.analytic_sensitivities(
        np.array(medial), np.array(lateral), np.array(force), SPACING, THIGH, SHANK
    )
    found = u.propagate(base, sensitivities, sources)
    rng = np.random.default_rng(1)
    draws = np.array(
        [
            two_points(
                medial, lateral, force, {s.name: rng.normal(0, s.sigma) for s in sources}
            )
            for _ in range(20_000)
        ]
    )
    np.testing.assert_allclose(found.sd, draws.std(axis=0), rtol=0.03)
    # What is left is the curvature of 1/spacing, which first order leaves out.
    half = (found.high - found.low) / 2.0
    low, high = np.quantile(draws, [0.025, 0.975], axis=0)
    assert (np.abs(found.low - low) < 0.05 * half).all()
    assert (np.abs(found.high - high) < 0.05 * half).all()


@given(st.floats(0.0, 5.0), st.floats(0.0, 5.0))
def test_a_larger_sigma_never_narrows_an_interval(one: float, two: float) -> None:
    small, large = sorted((one, two))
    values = np.array([9.0, 10.0, 12.0, 11.0])
    j = {"s": np.array([1.0, 1.2, 0.8, 1.0])}
    a = u.stride_interval(values, j, [source(sigma=small)])
    b = u.stride_interval(values, j, [source(sigma=large)])
    assert float(b.high - b.low) >= float(a.high - a.low)


def test_a_source_without_a_sensitivity_is_refused_not_forgotten() -> None:
    with pytest.raises(SettingsError, match=r"none for b\. Available: a"):
        u.propagate(np.zeros(2), {"a": np.ones(2)}, [source("a"), source("b")])


def test_contact_forces_do_not_reach_below_zero() -> None:
    found = u.propagate(np.array([1.0]), {"s": np.array([1.0])}, [source()], floor=0.0)
    assert found.low[0] == 0.0 and found.high[0] > 1.0


# --- strides ------------------------------------------------------------------------


def test_a_trial_of_one_stride_has_only_the_systematic_part() -> None:
    found = u.stride_interval(np.array([10.0]), {"s": np.array([3.0])}, [source()])
    assert found.strides == 1 and "strides" not in found.parts
    assert float(found.high) == pytest.approx(10.0 + 6.0 * Z)


def test_what_is_new_in_every_stride_averages_out_and_what_stays_does_not() -> None:
    values, j = np.full(16, 10.0), {"s": np.full(16, 3.0)}
    stays = u.stride_interval(values, j, [source(within=1.0)])
    new = u.stride_interval(values, j, [source(within=0.0)])
    assert float(stays.sd) == pytest.approx(6.0)
    assert float(new.sd) == pytest.approx(6.0 / 4.0)


def test_bootstrap_of_normal_strides_covers_the_mean_about_95_times_in_100() -> None:
    rng = np.random.default_rng(3)
    hits = [
        u.stride_interval(rng.normal(5.0, 1.0, 8), {}, [], statistic="mean", seed=k).contains(
            5.0
        )
        for k in range(300)
    ]
    assert 0.91 < np.mean(hits) < 0.985


def test_strides_and_sources_combine_in_squares() -> None:
    values = np.random.default_rng(5).normal(0.0, 4.0, 400)
    found = u.stride_interval(values, {"s": np.full(400, 0.1)}, [source()], statistic="mean")
    expected = np.hypot(0.2, values.std() / 20.0)
    assert float(found.sd) == pytest.approx(expected, rel=0.05)
    assert float(found.high - found.low) == pytest.approx(2 * Z * expected, rel=0.06)


def test_the_same_input_gives_the_same_interval() -> None:
    values = np.array([1.0, 2.0, 4.0])
    one, two = (u.stride_interval(values, {}, []) for _ in range(2))
    assert (one.low, one.high) == (two.low, two.high)


def test_masked_strides_are_left_out_and_none_left_is_an_error() -> None:
    values = np.array([1.0, np.nan, 3.0])
    assert u.stride_interval(values, {}, [], statistic="mean").value == 2.0
    with pytest.raises(SettingsError, match="at least one stride with loads"):
        u.stride_interval(np.array([np.nan]), {}, [])


def test_peak_takes_the_sensitivity_where_the_peak_is() -> None:
    curves = np.array([[0.0, 5.0, 1.0], [2.0, np.nan, 7.0], [np.nan] * 3])
    values, found = u.peaks(curves, {"s": np.arange(9.0).reshape(3, 3)})
    np.testing.assert_array_equal(values, [5.0, 7.0, np.nan])
    np.testing.assert_array_equal(found["s"], [1.0, 5.0, np.nan])


def test_impulse_of_a_triangle_and_its_sensitivity() -> None:
    curve = np.array([[0.0, 1000.0, 0.0]])
    values, found = u.impulses(curve, {"s": np.ones((1, 3))}, np.array([0.1]))
    assert values[0] == pytest.approx(100.0)
    assert found["s"][0] == pytest.approx(0.2)


# --- paired comparisons -------------------------------------------------------------


@pytest.mark.parametrize("pairing", PAIRINGS)
@pytest.mark.parametrize("predicted", [False, True])
def test_a_stride_compared_with_itself_is_zero_and_its_interval_contains_it(
    pairing: u.Pairing, predicted: bool
) -> None:
    sources = u.default_sources(predicted, pairing)
    values = np.array([2000.0, 2100.0, 1900.0])
    j = {s.name: np.array([900.0, 1000.0, 1100.0]) for s in sources}
    found = u.paired_interval(values, j, values, j, sources, matched=True)
    assert float(found.value) == 0.0 and found.contains(0.0)
    if pairing == "recording":
        assert float(found.high - found.low) == 0.0


def test_a_common_source_enters_only_through_the_difference_of_sensitivities() -> None:
    ja, jb = {"s": np.array([5.0])}, {"s": np.array([4.0])}
    a, b = np.array([10.0]), np.array([7.0])
    common = u.paired_interval(a, ja, b, jb, [source(between=1.0)])
    own = u.paired_interval(a, ja, b, jb, [source(between=0.0)])
    assert float(common.value) == 3.0
    assert float(common.sd) == pytest.approx(2.0)
    assert float(own.sd) == pytest.approx(2.0 * np.hypot(5.0, 4.0))


@pytest.mark.parametrize(
    ("within", "between"), [(1.0, 0.6), (0.0, 0.6), (0.3, 0.6), (0.5, 1.0)]
)
def test_monte_carlo_of_the_correlation_model_gives_the_same_spread(
    within: float, between: float
) -> None:
    rng = np.random.default_rng(7)
    n, draws, sigma = 6, 40_000, 2.0
    ja, jb = rng.uniform(1.0, 3.0, n), rng.uniform(1.0, 3.0, n)

    def shifts() -> tuple[np.ndarray, np.ndarray]:
        stay, new = rng.normal(size=(3, draws, 1)), rng.normal(size=(3, draws, n))
        common, own = np.sqrt(between), np.sqrt(1.0 - between)
        return tuple(  # type: ignore[return-value]
            np.sqrt(within) * (common * stay[0] + own * stay[k])
            + np.sqrt(1.0 - within) * (common * new[0] + own * new[k])
            for k in (1, 2)
        )

    da, db = shifts()
    expected = (sigma * ((ja * da).mean(axis=1) - (jb * db).mean(axis=1))).std()
    one = source(sigma=sigma, within=within, between=between)
    zero = np.zeros(n)
    found = u.paired_interval(zero, {"s": ja}, zero, {"s": jb}, [one], matched=True)
    assert float(found.parts["s"]) == pytest.approx(expected, rel=0.02)


def test_matched_strides_remove_the_variation_they_share() -> None:
    strides = np.random.default_rng(11).normal(2000.0, 200.0, 30)
    variant = strides + 100.0
    matched = u.paired_interval(variant, {}, strides, {}, [], matched=True)
    apart = u.paired_interval(variant, {}, strides, {}, [], matched=False)
    assert float(matched.value) == pytest.approx(100.0)
    assert float(matched.high - matched.low) == pytest.approx(0.0, abs=1e-9)
    assert float(apart.high - apart.low) > 50.0


def test_differences_of_matched_trials_are_known_far_better_than_levels() -> None:
    force = np.full(10, 2.5 * BODY_WEIGHT)
    medial = np.linspace(3.8, 4.2, 10) * BODY_WEIGHT
    lateral = 7.0 * BODY_WEIGHT - medial
    moved = 0.3 * BODY_WEIGHT
    sources = [s for s in u.default_sources(False, "recording") if s.name != "strength"]
    j_a = u.analytic_sensitivities(medial, lateral, force, SPACING, THIGH, SHANK)
    j_b = u.analytic_sensitivities(
        medial - moved, lateral + moved, force, SPACING, THIGH, SHANK
    )
    ja = {name: value[:, 0] for name, value in j_a.items()}
    jb = {name: value[:, 0] for name, value in j_b.items()}
    level = u.stride_interval(medial, ja, sources)
    change = u.paired_interval(medial - moved, jb, medial, ja, sources, matched=True)
    assert float(change.value) == pytest.approx(-moved)
    assert float(change.sd) < 0.1 * float(level.sd)
    assert not change.contains(0.0)


def test_curves_compared_with_themselves_are_zero_everywhere() -> None:
    base, j = np.arange(6.0).reshape(3, 2), {"s": np.ones((3, 2))}
    found = u.propagate_difference(base, j, base, j, [source(between=1.0)])
    np.testing.assert_array_equal(found.high, 0.0)
    np.testing.assert_array_equal(found.low, 0.0)


def test_matched_trials_of_different_length_are_refused() -> None:
    with pytest.raises(SettingsError, match="3 and 2"):
        u.paired_interval(np.ones(3), {}, np.ones(2), {}, [], matched=True)


# --- alternatives and defaults ------------------------------------------------------


def test_alternatives_spread_by_their_root_mean_square() -> None:
    base = np.array([10.0])
    sources, j = u.alternatives("criterion", base, [base + 3.0, base - 4.0])
    found = u.propagate(base, j, sources)
    assert found.sd[0] == pytest.approx(np.sqrt((9 + 16) / 2))


def test_a_criterion_that_shifts_both_trials_alike_does_not_blur_their_difference() -> None:
    a, b = np.array([10.0]), np.array([7.0])
    sources, ja = u.alternatives("criterion", a, [a + 3.0, a - 4.0])
    _, jb = u.alternatives("criterion", b, [b + 3.0, b - 4.0])
    assert u.propagate_difference(a, ja, b, jb, sources).sd[0] == 0.0


def test_predicted_ground_reaction_widens_the_default_interval() -> None:
    found = u.analytic_sensitivities(
        *(np.array(x * BODY_WEIGHT) for x in (4.0, 3.0, 2.5)), SPACING, THIGH, SHANK
    )
    found["strength"] = np.zeros(2)
    base = np.array([4.0, 3.0]) * BODY_WEIGHT
    measured = u.propagate(base, found, u.default_sources(predicted=False))
    predicted = u.propagate(base, found, u.default_sources(predicted=True))
    assert (predicted.sd > measured.sd).all()


def test_impossible_correlations_are_refused() -> None:
    with pytest.raises(SettingsError, match="between 0 and 1"):
        replace(source(), between=1.5)


def test_an_unknown_pairing_names_the_known_ones() -> None:
    with pytest.raises(SettingsError, match="recording, session, day, person"):
        u.default_sources(False, "twins")  # type: ignore[arg-type]
