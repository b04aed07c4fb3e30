"""Conditions whose direction is known: foot rotation, trunk sway and asymmetric squats.

One trial a condition, so one stance a leg: the intervals carry the usual spread of such
strides, and only the trunk sway is large enough to be told from it. What is asserted is the
direction of the mean over both legs, as the literature reports it over groups (Lynn 2008),
and what stands out beyond the intervals.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import kneestride
import numpy as np
import pytest
from kneestride.compare_command import compare_results
from kneestride.results.compare import Comparison, Difference
from kneestride.results.folder import Results

pytestmark = pytest.mark.real


@cache
def analysed(data: Path, name: str) -> Results:
    folder = data / "opencap04"
    return kneestride.analyse(
        folder / f"{name}.trc",
        static=folder / "static1.trc",
        forces=folder / f"{name}_grf.mot",
        mass=62.6,
        height=1.72,
    )


@cache
def walking(data: Path) -> tuple[Comparison, ...]:
    names = ("walking1", "walkingTI1", "walkingTO1", "walkingTS1")
    return compare_results({n: analysed(data, n) for n in names}).comparisons


def legs(found: tuple[Comparison, ...], name: str, measure: str) -> Mapping[str, Difference]:
    """Change of one adduction-moment peak by leg."""
    return {
        pair.second.side: d
        for pair in found
        for d in pair.differences
        if pair.second.name == name
        and (d.quantity, d.measure) == ("adduction_moment_Nm", measure)
    }


@pytest.mark.parametrize(
    ("name", "measure"),
    [("walkingTI1", "early_peak"), ("walkingTS1", "early_peak"), ("walkingTO1", "late_peak")],
)
def test_the_adduction_moment_peak_falls(shared_data: Path, name: str, measure: str) -> None:
    found = legs(walking(shared_data), name, measure)
    assert set(found) == {"r", "l"}
    assert np.mean([float(d.change.value) for d in found.values()]) < -2.0
    # In no leg does it rise beyond what strides differ by anyway.
    assert all(float(d.change.value) < 3.0 for d in found.values())


def test_trunk_sway_stands_out_from_the_usual_spread(shared_data: Path) -> None:
    found = legs(walking(shared_data), "walkingTS1", "early_peak")
    assert found["l"].distinct and float(found["l"].change.value) < -10.0
    assert float(found["r"].change.value) < -5.0


def test_the_feet_turned_as_they_were_told(shared_data: Path) -> None:
    for pair in walking(shared_data):
        turned = next(
            d for d in pair.differences if d.quantity == "foot_progression_angle_mid_deg"
        )
        change = float(turned.change.value)
        if pair.second.name == "walkingTI1":
            assert change < -8.0
        elif pair.second.name == "walkingTO1":
            assert change > 8.0
        else:
            assert abs(change) < 6.0


def test_every_difference_has_an_interval_around_it(shared_data: Path) -> None:
    for pair in walking(shared_data):
        for d in pair.differences:
            low, value, high = (float(v) for v in (d.change.low, d.change.value, d.change.high))
            assert low < value < high, (d.quantity, d.measure)


def test_a_recording_against_itself_is_zero_inside_its_intervals(shared_data: Path) -> None:
    one = analysed(shared_data, "walking1")
    for pair in compare_results({"one": one, "again": one}).comparisons:
        assert pair.matched
        for d in pair.differences:
            assert float(d.change.value) == 0.0 and d.change.contains(0.0)


@cache
def squatting(data: Path) -> tuple[Comparison, ...]:
    several = {n: analysed(data, n) for n in ("squats1", "squatsAsym1")}
    return tuple(compare_results(several, left_right=True).comparisons)


def changes_of_peak(found: tuple[Comparison, ...]) -> dict[str, Difference]:
    """What the second squats change in each leg's peak of the whole knee."""
    return {
        p.second.side: next(
            d for d in p.differences if (d.quantity, d.measure) == ("total_N", "peak")
        )
        for p in found
        if p.first.side == p.second.side
    }


def test_asymmetric_squats_unload_the_left_knee_and_even_squats_do_not(
    shared_data: Path,
) -> None:
    found = squatting(shared_data)
    between = {p.first.name: p for p in found if p.first.side != p.second.side}
    total = {
        name: next(
            d for d in pair.differences if (d.quantity, d.measure) == ("total_N", "peak")
        )
        for name, pair in between.items()
    }
    assert not total["squats1"].distinct
    assert total["squatsAsym1"].distinct
    right = float(total["squatsAsym1"].first.value)
    assert float(total["squatsAsym1"].change.value) < -0.4 * right
    change = changes_of_peak(found)
    assert change["l"].distinct and float(change["l"].change.value) < -1000.0
    assert float(change["r"].change.value) > 0.0


@pytest.mark.xfail(
    strict=True, reason="the right peak rises by 1.2 kN since legs have living people's masses"
)
def test_asymmetric_squats_leave_the_right_knee_as_it_was(shared_data: Path) -> None:
    assert not changes_of_peak(squatting(shared_data))["r"].distinct
