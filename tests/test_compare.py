"""Comparisons: a stride with itself is zero, a known change is found where it was made."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import numpy as np
import pytest
from kneestride.capture.trial import Subject
from kneestride.errors import ResultsError
from kneestride.loads.types import GroundReaction, KneeLoads
from kneestride.loads.uncertainty import default_sources
from kneestride.motion.kinematics import Motion
from kneestride.results.compare import (
    CSV_COLUMNS,
    Condition,
    band,
    compare,
    comparison_csv,
    condition,
    knee_sensitivities,
    normalise,
)
from kneestride.results.curve_test import FEWEST, curve_test
from kneestride.results.folder import Results
from kneestride.results.tables import Table
from kneestride.vocabulary import Array

PHASE = np.linspace(0.0, 1.0, 101)
STRIDES = 12
GEOMETRY = {"spacing": 0.047, "thigh": 0.42, "shank": 0.42}


def runner(shift: float = 0.0, seed: int = 0, mask: int | None = None) -> Results:
    """Twelve strides of 0.7 s whose medial force moves `shift` N to lateral at its peak."""
    rng = np.random.default_rng(seed)
    rate, per = 200.0, 140
    time = np.arange(STRIDES * per + 1) / rate
    stride = np.minimum((np.arange(time.size) // per), STRIDES - 1)
    phase = (np.arange(time.size) % per) / per
    push = np.where(phase < 0.4, np.sin(np.pi * phase / 0.4), 0.0)
    size = rng.normal(1.0, 0.05, STRIDES)[stride]
    medial, lateral = 2500.0 * push * size, 1500.0 * push * size
    medial, lateral = medial - shift * push**4, lateral + shift * push**4
    if mask is not None:
        medial[mask * per + 10] = np.nan
    both = np.column_stack([medial, medial])
    zero = np.zeros_like(both)
    side = np.column_stack([lateral, lateral])
    knee = KneeLoads(
        time, both, side, both + side, 0.01 * both, zero, zero, zero, zero, both, side
    )
    force = np.zeros((time.size, 2, 3))
    force[..., 1] = (1700.0 * push * size)[:, None]
    ground = GroundReaction(
        time,
        force,
        zero[..., None] * np.ones(3),
        0 * force,
        force[..., 1] > 0,
        force[..., 1] < 0,
    )
    hip = np.column_stack([0.1 * push, 0.1 * push])
    rows = tuple(
        {"kind": "stride", "side": s, "start_s": 0.7 * k, "end_s": 0.7 * (k + 1)}
        for k in range(STRIDES)
        for s in ("r", "l")
    )
    return Results(
        trial="run",
        subject=Subject(70.0, 1.75),
        motion=Motion(
            time, rate, ("hip_adduction_r", "hip_adduction_l"), hip, np.array([True, False])
        ),
        model_xml="",
        ground=ground,
        knee=knee,
        tissues=Table(("itb_strain_rate_r_percent_per_s",), time, both[:, :1]),
        strides=rows,
    )


def of(results: Results, name: str = "") -> Condition:
    return condition(
        results, "r", name, sensitivities=knee_sensitivities(results, "r", **GEOMETRY)
    )


def smooth(count: int, seed: int) -> Array:
    """Smooth random curves."""
    rng = np.random.default_rng(seed)
    kernel = np.exp(-0.5 * (np.arange(-25, 26) / 8.0) ** 2)
    noise = rng.normal(size=(count, 151))
    return np.array([np.convolve(row, kernel, mode="valid") for row in noise])


# --- cutting ------------------------------------------------------------------------


def test_a_stride_is_stretched_to_101_points_and_keeps_its_values() -> None:
    time = np.linspace(0.0, 2.0, 201)
    curves = normalise(time, 3.0 * time, [(0.5, 1.5)])
    np.testing.assert_allclose(curves[0], 3.0 * (0.5 + PHASE))


def test_a_stride_masked_anywhere_or_beyond_the_recording_has_no_curve() -> None:
    time = np.linspace(0.0, 2.0, 201)
    values = np.where(np.arange(201) == 60, np.nan, 1.0)
    curves = normalise(time, values, [(0.5, 1.0), (1.0, 1.5), (1.5, 2.5)])
    np.testing.assert_array_equal(np.isnan(curves).all(axis=1), [True, False, True])


def test_quantities_lose_their_side_and_uninformed_angles_stay_out() -> None:
    right, left = condition(runner(), "r"), condition(runner(), "l")
    assert {"medial_N", "itb_strain_rate_percent_per_s", "hip_adduction_deg"} <= set(
        right.curves
    )
    assert "hip_adduction_deg" not in left.curves
    assert right.curves["hip_adduction_deg"].max() == pytest.approx(np.degrees(0.1), rel=1e-3)


def test_a_side_without_strides_is_named_with_what_there_is() -> None:
    results = replace(runner(), strides=runner().strides[::2])
    with pytest.raises(ResultsError, match=r"Available: stride r\."):
        condition(results, "l")


def test_band_is_mean_and_one_standard_deviation_of_unmasked_strides() -> None:
    curves = np.array([[1.0, 1.0], [3.0, 5.0], [np.nan, 0.0]])
    mean, low, high = band(curves)
    np.testing.assert_allclose(mean, [2.0, 3.0])
    np.testing.assert_allclose(high - mean, [np.sqrt(2.0), np.sqrt(8.0)])
    np.testing.assert_allclose(mean - low, high - mean)


# --- comparing ----------------------------------------------------------------------


def test_an_analysis_compared_with_itself_changes_nothing() -> None:
    one = of(runner())
    found = compare(one, one, default_sources(False, "recording"))
    assert found.matched
    for row in found.differences:
        assert float(row.change.value) == 0.0, row.quantity
        assert row.change.contains(0.0) and not row.distinct
    assert all(not test.clusters for test in found.tests.values())


def test_a_matched_change_is_found_in_size_sign_and_place() -> None:
    found = compare(of(runner()), of(runner(shift=400.0)), default_sources(False, "recording"))
    rows = {(r.quantity, r.measure): r for r in found.differences}
    medial, lateral = rows["medial_N", "peak"], rows["lateral_N", "peak"]
    assert float(medial.change.value) == pytest.approx(-400.0, rel=0.02)
    assert float(lateral.change.value) == pytest.approx(400.0, rel=0.02)
    assert medial.distinct and lateral.distinct
    assert not rows["total_N", "peak"].distinct
    assert rows["medial_N", "impulse"].change.value < 0.0


def test_first_plus_change_is_second() -> None:
    for seed in (0, 1):
        found = compare(of(runner()), of(runner(shift=100.0, seed=seed)), matched=seed == 0)
        for row in found.differences:
            assert float(row.first.value + row.change.value) == pytest.approx(
                float(row.second.value), abs=1e-9
            )


def test_a_change_is_known_better_than_the_levels_it_lies_between() -> None:
    sources = default_sources(False, "recording")
    found = compare(of(runner()), of(runner(shift=400.0)), sources, quantities=["medial_N"])
    peak = found.differences[0]
    assert set(peak.covers) == {s.name for s in sources} - {"strength"}
    assert float(peak.change.sd) < 0.25 * float(peak.first.sd)


def test_without_sensitivities_a_row_says_it_covers_strides_only() -> None:
    found = compare(
        of(runner()),
        of(runner(seed=2)),
        default_sources(False),
        quantities=["hip_adduction_deg"],
    )
    assert all(row.covers == () for row in found.differences)
    assert {row.measure for row in found.differences} == {"peak", "minimum"}


def test_a_masked_stride_leaves_both_matched_conditions() -> None:
    found = compare(of(runner()), of(runner(mask=3)), quantities=["medial_N", "lateral_N"])
    strides = {row.quantity: row.strides for row in found.differences}
    assert strides["medial_N"] == (STRIDES - 1, STRIDES - 1)
    assert strides["lateral_N"] == (STRIDES, STRIDES)


def test_an_unknown_quantity_lists_the_shared_ones() -> None:
    one = of(runner())
    with pytest.raises(ResultsError, match="medial_N"):
        compare(one, one, quantities=["medial_kN"])


def test_the_csv_has_a_row_for_every_difference() -> None:
    one, two = (
        of(runner(), "captured"),
        of(replace(runner(shift=50.0), simulated=True), "valgus"),
    )
    found = compare(one, two, quantities=["medial_N", "hip_adduction_deg"])
    rows = list(csv.DictReader(io.StringIO(comparison_csv([found]))))
    assert len(rows) == len(found.differences) == 4
    assert set(rows[0]) == set(CSV_COLUMNS)
    assert rows[0]["simulated"] == "true" and rows[0]["second"] == "valgus"
    assert (
        float(rows[0]["change_low"])
        <= float(rows[0]["change"])
        <= float(rows[0]["change_high"])
    )


# --- curve test ---------------------------------------------------------------------


def test_a_bump_is_found_where_it_was_added_with_its_sign() -> None:
    first, second = smooth(15, 1), smooth(15, 2)
    second[:, 40:61] += 15.0
    found = curve_test(first, second, matched=False)
    assert len(found.clusters) == 1
    cluster = found.clusters[0]
    assert cluster.sign == 1 and cluster.p < 0.05
    assert 36.0 < cluster.start < 45.0 and 55.0 < cluster.end < 65.0


def test_noise_alone_is_called_different_in_about_five_of_a_hundred() -> None:
    wrong = [
        bool(curve_test(smooth(10, 2 * k), smooth(10, 2 * k + 1), matched=True).clusters)
        for k in range(120)
    ]
    assert np.mean(wrong) < 0.11


def test_parts_where_nothing_varies_are_left_out_of_the_test() -> None:
    first, second = smooth(10, 3), smooth(10, 4) + 20.0
    for curves in (first, second):
        curves[:, 60:] = 0.0
    found = curve_test(first, second, matched=False)
    assert np.isnan(found.t[60:]).all() and np.isfinite(found.t[:60]).all()
    assert [(c.start, c.end) for c in found.clusters] == [(0.0, 59.0)]


def test_too_few_strides_and_constant_curves_give_a_note_instead_of_a_test() -> None:
    few = curve_test(smooth(FEWEST - 1, 5), smooth(9, 6), matched=False)
    assert few.note == f"no curve test: fewer than {FEWEST} strides" and not few.clusters
    same = smooth(9, 7)
    assert curve_test(same, same, matched=True).note == "no curve test: the curves do not vary"
