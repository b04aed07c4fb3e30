"""Laws that every simulated stride keeps, on a made-up runner."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import simulated_runner as made
from kneestride.errors import SettingsError
from kneestride.motion import limb_geometry
from kneestride.motion.contacts import Contact
from kneestride.motion.strides import step_width as measured_width
from kneestride.simulation.bspline import periodic_derivatives
from kneestride.simulation.problem import Problem
from kneestride.simulation.recording import one_a_side, unroll
from kneestride.simulation.solve import Simulated, reduce, residual_of, simulate_variant
from kneestride.simulation.stride import PeriodicStride
from kneestride.simulation.tasks import bell
from kneestride.simulation.variants import (
    NAMES,
    Variant,
    chosen_variants,
    step_width,
    variant,
)
from kneestride.vocabulary import SIDES, Side

ALL = np.ones(len(made.runner().body.coordinates), dtype=np.bool_)


@cache
def problem(mirrored: bool = False) -> Problem:
    s = made.stride(True)
    return Problem.of(made.runner(), made.mirror(s) if mirrored else s)


@cache
def simulated(v: Variant, mirrored: bool = False) -> Simulated:
    return simulate_variant(problem(mirrored), v)


def rows(s: PeriodicStride) -> dict[Side, dict[str, str | float]]:
    """Rows of the stride table as the alignment code makes them."""
    recording = unroll(s, ALL, False)
    motion = recording.motion
    paths = made.runner().paths(motion.time, motion.rate, motion.q)
    found = one_a_side(made.runner(), recording, paths)
    return {"r" if row["side"] == "r" else "l": row for row in found}


@pytest.mark.parametrize("name", ["valgus", "knee-out", "crossover"])
def test_dose_zero_is_the_stride_itself(name: str) -> None:
    found = simulated(variant(name, 0.0))
    base = problem().stride
    np.testing.assert_allclose(found.stride.q, base.q, atol=1e-9)
    np.testing.assert_allclose(found.stride.qdd, base.qdd, atol=1e-6)
    np.testing.assert_allclose(found.stride.force, base.force, atol=1e-6)
    np.testing.assert_allclose(found.stride.point, base.point, atol=1e-9)


@pytest.mark.parametrize("dose", [5.0, 10.0])
def test_valgus_is_measured_as_asked(dose: float) -> None:
    before, after = rows(problem().stride), rows(simulated(variant("valgus", dose)).stride)
    for side in SIDES:
        change = float(after[side]["projection_angle_mid_deg"]) - float(
            before[side]["projection_angle_mid_deg"]
        )
        assert change == pytest.approx(dose, abs=0.1 * dose)


def test_crossover_is_measured_as_asked_and_keeps_the_projection_angle() -> None:
    before, after = rows(problem().stride), rows(simulated(variant("crossover", 40)).stride)
    for side in SIDES:
        width = float(after[side]["step_width_mm"]) - float(before[side]["step_width_mm"])
        assert width == pytest.approx(-40.0, abs=5.0)
        angle = float(after[side]["projection_angle_mid_deg"]) - float(
            before[side]["projection_angle_mid_deg"]
        )
        assert angle == pytest.approx(0.0, abs=0.5)


def test_one_foot_across_is_both_feet_half_as_far() -> None:
    one = simulated(variant("crossover", 40, ("r",))).stride
    both = simulated(variant("crossover", 40)).stride
    joints = [i for i, n in enumerate(one.coordinates) if not n.startswith("pelvis_t")]
    np.testing.assert_allclose(one.q[:, joints], both.q[:, joints], atol=np.radians(1.0))


def test_one_leg_alone_leaves_the_other_knee() -> None:
    found = simulated(variant("valgus", 10, ("r",)))
    assert np.degrees(found.projection["r"]) == pytest.approx(10.0, abs=1.0)
    assert np.degrees(found.projection["l"]) == pytest.approx(0.0, abs=0.3)


@pytest.mark.parametrize("name", NAMES)
def test_feet_stand_legs_clear_and_limits_hold(name: str) -> None:
    found = simulated(variant(name))
    assert found.slide < 0.001
    assert found.sink < 0.003
    assert found.clearance > min(0.059, found.base_clearance - 0.001)
    assert np.degrees(found.over_limit) < 0.5


@pytest.mark.parametrize("name", NAMES)
def test_changes_are_balanced(name: str) -> None:
    found = simulated(variant(name))
    assert found.force_change < 10.0
    assert found.moment_change < 4.0
    assert found.pressure_correction <= 0.010
    assert found.free_moment <= 8.0


@pytest.mark.parametrize("name", NAMES)
def test_the_knee_stays_within_its_reach(name: str) -> None:
    found, names = simulated(variant(name)), problem().names
    for side in SIDES:
        for joint, reach in (("knee_adduction", 3.0), ("knee_rotation", 12.0)):
            change = found.change[0][:, names.index(f"{joint}_{side}")]
            assert np.degrees(np.abs(change).max()) < reach + 0.3


@pytest.mark.parametrize(
    "v", [variant("valgus", 8), variant("knee-out"), variant("neutral"),
          variant("crossover", 30)], ids=lambda v: v.name,
)  # fmt: skip
def test_the_mirrored_stride_gives_the_mirrored_result(v: Variant) -> None:
    straight, mirrored = simulated(v).stride, simulated(v, True).stride
    np.testing.assert_allclose(
        made.mirror_coordinates(straight.q), mirrored.q, atol=np.radians(1e-3)
    )
    np.testing.assert_allclose(made.mirror(straight).force, mirrored.force, atol=0.05)
    np.testing.assert_allclose(made.mirror(straight).point, mirrored.point, atol=1e-4)


def test_a_larger_dose_does_more() -> None:
    some, more = (np.abs(simulated(variant("valgus", d)).change[0]).max() for d in (5.0, 10.0))
    assert 1.6 < more / some < 2.4


def test_neutral_brings_the_knee_to_the_line_from_hip_to_foot() -> None:
    s = simulated(variant("neutral")).stride
    p = Problem.of(made.runner(), s)
    paths = made.runner().paths(s.phase * s.period, s.frames / s.period, s.q)
    forward = limb_geometry.projection_normal(paths, True)
    for side in SIDES:
        off = limb_geometry.medial_knee_displacement(paths, side, forward)
        assert p.stride.at(off, s.mid_stance(side)) == pytest.approx(0.0, abs=0.003)


def test_knee_out_puts_the_feet_under_the_midline() -> None:
    found = simulated(variant("knee-out"))
    for side in SIDES:
        assert np.degrees(found.projection[side]) == pytest.approx(-5.0, abs=0.5)
    moved = abs(step_width(problem()) + found.width)
    assert moved < max(abs(step_width(problem())) - 0.079, 0.006)


def test_step_width_of_a_period_is_the_stride_tables() -> None:
    s = problem().stride
    recording = unroll(s, ALL, False)
    motion = recording.motion
    paths = made.runner().paths(motion.time, motion.rate, motion.q)
    begin, end = s.contact["l"]
    left = Contact(s.start + begin, s.start + end)
    right = Contact(s.start, s.start + s.contact["r"][1])
    assert measured_width(paths, "l", left, right) == pytest.approx(
        step_width(problem()), abs=1e-9
    )


def test_a_balanced_stride_is_left_alone_by_residual_reduction() -> None:
    s = made.balanced(made.stride())
    found = reduce(made.runner(), s, ALL)
    np.testing.assert_allclose(found.problem.stride.q, s.q, atol=1e-4)
    assert found.after.kept


def test_residual_reduction_finds_back_to_balance() -> None:
    s = made.balanced(made.stride())
    q = s.q.copy()
    shift = 0.004 * np.cos(4 * np.pi * s.phase)
    q[:, s.coordinates.index("pelvis_tz")] += shift
    qd, qdd = periodic_derivatives(q, s.period)
    disturbed = replace(s, q=q, qd=qd, qdd=qdd)
    before = residual_of(Problem.of(made.runner(), disturbed))
    found = reduce(made.runner(), disturbed, ALL)
    assert found.after.force < 0.4 * before.force
    assert found.moved["pelvis_tz"] < 0.01


def test_dose_course_is_a_bell_in_stance_alone() -> None:
    found = bell(np.array([0.0, 0.5, 1.0, np.nan]))
    np.testing.assert_allclose(found, [0.35, 1.0, 0.35, 0.0], atol=1e-12)


def test_a_recording_of_a_stride_holds_one_stride_of_each_foot() -> None:
    found = rows(problem().stride)
    assert set(found) == {"r", "l"}
    assert all(np.isfinite(float(row["step_width_mm"])) for row in found.values())


def test_unknown_stride() -> None:
    with pytest.raises(SettingsError) as caught:
        chosen_variants("knock-knee", None, "both")
    assert str(caught.value) == (
        "Expected a stride to simulate. Found 'knock-knee'. Available: valgus, neutral, "
        "knee-out, crossover, all. Correct --stride."
    )


def test_a_dose_for_all_strides_is_refused() -> None:
    with pytest.raises(SettingsError, match="--dose 10 for all of them, whose units differ"):
        chosen_variants("all", 10.0, "both")


@pytest.mark.parametrize("dose", [-1.0, 30.0, float("nan")])
def test_doses_out_of_range_are_refused(dose: float) -> None:
    with pytest.raises(SettingsError, match="a dose of valgus from 0 to 20 deg"):
        variant("valgus", dose)


def test_neutral_has_no_dose() -> None:
    with pytest.raises(SettingsError, match="no dose with neutral"):
        variant("neutral", 3.0)
