"""Windows of strides, and how loads depend on what is not known exactly."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from kneestride.errors import ResultsError
from kneestride.results.compare import TYPICAL, compare
from kneestride.results.conditions import (
    Condition,
    condition,
    criterion_sources,
    knee_sensitivities,
    shared_window,
    windows,
)
from kneestride.results.tables import Table
from test_compare import GEOMETRY, PHASE, runner


def row(kind: str, side: str, start: float, end: float, contact: float | None) -> dict:
    return {
        "kind": kind,
        "side": side,
        "start_s": start,
        "end_s": end,
        "contact_s": contact,
        "task": "walking",
    }


WALK = (
    row("partial", "l", 0.0, 0.07, None),
    row("partial", "r", 0.0, 0.655, None),
    row("partial", "l", 0.53, 1.18, 0.65),
    row("stride", "r", 1.08, 2.2, 0.66),
)


# --- windows ------------------------------------------------------------------------


def test_a_stance_is_the_contact_of_whole_strides_and_whole_contacts() -> None:
    assert [w[:2] for w in windows(WALK, "r", "stance")] == [(1.08, 1.08 + 0.66)]
    assert [w[:2] for w in windows(WALK, "l", "stance")] == [(0.53, 0.53 + 0.65)]


def test_a_stance_cut_by_a_tenth_counts_where_there_is_no_whole_one() -> None:
    assert [w[:2] for w in windows(WALK[:3], "r", "stance")] == [(0.0, 0.655)]
    short = (*WALK[:1], row("partial", "r", 0.0, 0.5, None), WALK[2])
    assert windows(short, "r", "stance") == []


def test_the_window_is_the_longest_kind_that_all_have() -> None:
    strides = runner()
    stances = replace(strides, strides=WALK)
    assert shared_window([strides, strides]) == "stride"
    assert shared_window([stances]) == "stance"
    with pytest.raises(ResultsError, match="Compare recordings of the same task"):
        shared_window([strides, replace(strides, strides=())])


def test_figures_are_the_measures_of_the_rows_and_not_their_margins() -> None:
    rows = tuple({**r, "step_width_mm": 10.0, "alignment_margin_deg": 3.0, "landing": "wide"}
                 for r in runner().strides)  # fmt: skip
    found = condition(replace(runner(), strides=rows), "r").figures
    assert set(found) == {"step_width_mm"}


# --- sensitivities --------------------------------------------------------------------


def test_a_pressure_point_10_mm_further_in_adds_force_times_10_mm_of_adduction() -> None:
    results = runner()
    assert results.ground is not None
    found = knee_sensitivities(results, "r", **GEOMETRY)["adduction_moment_Nm"]
    vertical = results.ground.force[:, 0, 1]
    np.testing.assert_allclose(0.01 * found["center_of_pressure"], 0.01 * vertical)
    # The knee moved in by as much undoes it.
    np.testing.assert_allclose(found["center_of_pressure"] + found["knee_center"], 0.0)


def test_what_shifts_load_between_compartments_leaves_the_total() -> None:
    found = knee_sensitivities(runner(), "l", **GEOMETRY)
    for source in ("alignment", "contact_spacing", "knee_center", "center_of_pressure"):
        np.testing.assert_allclose(found["total_N"][source], 0.0, atol=1e-9)


def test_cartilage_stress_is_as_sensitive_as_its_force_in_proportion() -> None:
    results = runner()
    assert results.knee is not None
    stress = Table(("medial_cartilage_r_MPa",), results.motion.time,
                   results.knee.medial[:, :1] / 600.0)  # fmt: skip
    found = knee_sensitivities(replace(results, tissues=stress), "r", **GEOMETRY)
    for source, slope in found["medial_cartilage_MPa"].items():
        np.testing.assert_allclose(slope, found["medial_N"][source] / 600.0)


def test_strength_and_criterion_come_from_the_summary_in_proportion_to_the_load() -> None:
    entry = {"median_N": 2000.0, "sd_by_source_N": {"strength": 40.0, "criterion:1": 10.0}}
    summary = {"uncertainty": {"r": {"medial_peak": entry}}}
    results = replace(runner(), summary=summary)
    assert results.knee is not None
    found = knee_sensitivities(results, "r", **GEOMETRY)["medial_N"]
    sigma = {s.name: s.sigma for s in criterion_sources()}["criterion:1"]
    at_peak = int(results.knee.medial[:, 0].argmax())
    share = results.knee.medial[at_peak, 0] / 2000.0
    assert 0.20 * found["strength"][at_peak] == pytest.approx(40.0 * share)
    assert sigma * found["criterion:1"][at_peak] == pytest.approx(10.0 * share)


# --- single strides, halves of stance -------------------------------------------------


def one_stance(early: float, late: float, start: float = 0.0, **more: object) -> Condition:
    """One walking stance whose adduction moment has two humps."""
    humps = early * np.sin(2 * np.pi * PHASE) * (PHASE < 0.5)
    humps -= late * np.sin(2 * np.pi * PHASE) * (PHASE >= 0.5)
    made = Condition(
        "walk", "r", np.array([start]), np.array([0.7]), {"adduction_moment_Nm": humps[None]},
        window="stance", contact=np.ones(1), task="walking",
    )  # fmt: skip
    return replace(made, **more)  # type: ignore[arg-type]


def test_early_and_late_peaks_of_walking_are_told_apart() -> None:
    found = compare(one_stance(40.0, 30.0), one_stance(32.0, 33.0, 1.0))
    change = {d.measure: float(d.change.value) for d in found.differences}
    assert change["early_peak"] == pytest.approx(-8.0)
    assert change["late_peak"] == pytest.approx(3.0)
    assert change["peak"] == pytest.approx(33.0 - 40.0)


def test_running_has_no_early_and_late_peak() -> None:
    a, b = (one_stance(40.0, 30.0, t, task="running") for t in (0.0, 1.0))
    assert "early_peak" not in {d.measure for d in compare(a, b).differences}


def test_one_stride_borrows_the_usual_spread_and_says_so() -> None:
    found = compare(one_stance(40.0, 30.0), one_stance(38.0, 30.0, 1.0))
    for d in found.differences:
        assert TYPICAL in d.covers
        assert float(d.change.low) < float(d.change.value) < float(d.change.high)
    assert not found.differences[0].distinct


def test_a_stride_compared_with_itself_is_zero_inside_its_interval() -> None:
    one = one_stance(40.0, 30.0, figures={"step_width_mm": np.array([12.0])})
    found = compare(one, one)
    assert found.matched and {d.measure for d in found.differences} >= {"value", "peak"}
    for d in found.differences:
        assert float(d.change.value) == 0.0
        assert float(d.change.low) < 0.0 < float(d.change.high)


def test_a_change_of_a_single_stride_is_surer_matched_than_not() -> None:
    a, b = one_stance(40.0, 30.0), one_stance(38.0, 30.0)
    paired = compare(a, b, matched=True).differences[0]
    free = compare(a, b, matched=False).differences[0]
    assert float(paired.change.sd) < 0.5 * float(free.change.sd)


def test_figures_are_compared_stride_by_stride() -> None:
    width = np.linspace(20.0, 40.0, 12)
    first = replace(condition(runner(), "r"), figures={"step_width_mm": width})
    second = replace(first, figures={"step_width_mm": width - 15.0})
    found = compare(first, second, quantities=["step_width_mm"]).differences
    assert [d.measure for d in found] == ["value"]
    assert float(found[0].change.value) == pytest.approx(-15.0)
    assert found[0].distinct


def test_a_curve_of_nothing_is_noted_and_not_compared() -> None:
    nothing = replace(condition(runner(), "r"), curves={"mcl_tension_N": np.zeros((12, 101))})
    found = compare(nothing, nothing)
    assert not found.differences
    assert found.notes == ("mcl_tension_N: nothing but zero in both.",)
