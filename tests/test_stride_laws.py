"""Known answers of strides, tasks, classes and filters, on motions that are straight lines."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from kneestride.errors import SettingsError
from kneestride.motion import filtering, strides, tasks, thresholds
from kneestride.motion.contacts import Contact, Contacts, between
from kneestride.motion.kinematics import AnatomicalPaths
from kneestride.vocabulary import SIDES, Array

TIME = np.arange(301) / 100.0
ZERO = np.zeros(3)


def line(x: Array | float, y: Array | float, z: Array | float) -> Array:
    return np.column_stack(
        [np.broadcast_to(np.asarray(v, float), TIME.shape) for v in (x, y, z)]
    )


def walker(**more: Array) -> AnatomicalPaths:
    """Pelvis forward at 2 m/s; right heel 30 mm right, left heel 50 mm left of its way."""
    points = {
        "hip_center_r": line(2.0 * TIME, 0.9, 0.09),
        "hip_center_l": line(2.0 * TIME, 0.9, -0.09),
        "heel_bottom_r": line(1.9 * TIME, 0.0, 0.03),
        "heel_bottom_l": line(2.2 * TIME, 0.0, -0.05),
        "metatarsal_1_r": line(1.9 * TIME + 0.2, 0.0, 0.02),
        "metatarsal_5_r": line(1.9 * TIME + 0.15, 0.0, 0.1),
        "metatarsal_1_l": line(2.2 * TIME + 0.2, 0.0, -0.05),
        "metatarsal_5_l": line(2.2 * TIME + 0.15, 0.0, -0.13),
        "metatarsal_2_r": line(1.9 * TIME + 0.2, 0.0, 0.05),
        "metatarsal_2_l": line(2.2 * TIME + 0.2, 0.0, -0.08),
    }
    return AnatomicalPaths(TIME, 100.0, points | more, {}, {}, np.array([1.0, 0, 0]), ZERO)


def contact(
    start: float, end: float, whole_start: bool = True, whole_end: bool = True
) -> Contact:
    return Contact(start, end, whole_start, whole_end)


RIGHT = (contact(0.2, 0.6), contact(1.2, 1.6), contact(2.2, 2.6))
LEFT = (contact(0.7, 1.1), contact(1.75, 2.1))
GROUND = np.array([-0.5, 0.0, 0.0])


def test_a_value_is_read_linearly_and_held_beyond_the_ends() -> None:
    values = np.column_stack([TIME, TIME**2])
    assert strides.at(TIME, values, 1.005) == pytest.approx([1.005, 0.5 * (1.0 + 1.01**2)])
    assert strides.at(TIME, values, 0.0) == pytest.approx([0.0, 0.0])
    assert strides.at(TIME, values, 3.0) == pytest.approx([3.0, 9.0])
    assert strides.at(TIME, values, -1.0) == pytest.approx([0.0, 0.0])
    assert strides.at(TIME, values, 9.0) == pytest.approx([3.0, 9.0])
    assert np.isnan(strides.at(TIME, values, np.nan)).tolist() == [True, True]


def test_a_stride_has_its_times_widths_lengths_and_speed() -> None:
    first, second = strides._strides_of(walker(), Contacts(RIGHT, LEFT, "force"), "r", GROUND)
    assert (first.kind, first.start_s, first.end_s) == ("stride", 0.2, 1.2)
    assert first.mid_s == pytest.approx(0.4) and first.contact_s == pytest.approx(0.4)
    assert first.stride_time_s == pytest.approx(1.0) and first.cadence == pytest.approx(120.0)
    assert first.speed_m_s == pytest.approx(2.5)  # over a ground that moves backwards
    assert np.isnan(first.step_width_m) and np.isnan(first.step_length_m)
    assert first.heel_to_midline_m == pytest.approx(0.03)
    assert first.toe_to_midline_m == pytest.approx(0.05)
    assert second.step_width_m == pytest.approx(0.08)
    # Own heel at 1.2 s, the other's at 0.7 s, carried 0.25 m back by the ground meanwhile.
    assert second.step_time_s == pytest.approx(0.5)
    assert second.step_length_m == pytest.approx(1.9 * 1.2 - 2.2 * 0.7 + 0.5 * 0.5)
    (left,) = strides._strides_of(walker(), Contacts(RIGHT, LEFT, "force"), "l", GROUND)
    assert left.heel_to_midline_m == pytest.approx(0.05)
    assert left.step_width_m == pytest.approx(0.08)
    assert left.step_length_m == pytest.approx(2.2 * 0.7 - 1.9 * 0.2 + 0.5 * 0.5)


def test_a_stride_over_a_contact_that_was_missed_is_left_out() -> None:
    own = (contact(0.1, 0.3), contact(0.8, 1.0), contact(1.5, 1.7), contact(2.9, 3.0))
    found = strides._strides_of(walker(), Contacts(own, (), "force"), "r", GROUND)
    assert [(s.start_s, s.end_s) for s in found] == [(0.1, 0.8), (0.8, 1.5)]
    # Up to one and a half times the usual stride may be a slow one.
    slow = (*own[:3], contact(2.5, 2.7))
    found = strides._strides_of(walker(), Contacts(slow, (), "force"), "r", GROUND)
    assert len(found) == 3


def test_contacts_stand_for_strides_where_there_is_none() -> None:
    own = (contact(0.2, 0.6, whole_start=False), contact(1.2, 1.6))
    rows = strides._strides_of(walker(), Contacts(own, LEFT, "force"), "r", GROUND)
    assert [r.kind for r in rows] == ["partial", "partial"]
    cut, whole = rows
    assert np.isnan(cut.contact_s) and np.isnan(cut.mid_s) and np.isnan(cut.stride_time_s)
    assert np.isnan(cut.heel_to_midline_m)
    assert (cut.start_s, cut.end_s) == (0.2, 0.6)
    assert (cut.complete_start, cut.complete_end) == (False, True)
    assert whole.contact_s == pytest.approx(0.4) and whole.end_s == 1.6
    assert whole.speed_m_s == pytest.approx(2.5)
    no_toes = {n: p for n, p in walker().points.items() if "metatarsal_2" not in n}
    bare = replace(walker(), points=no_toes)
    assert np.isnan(
        strides._strides_of(bare, Contacts(own, LEFT, "force"), "r", GROUND)[1].toe_to_midline_m
    )


def test_a_cut_opposite_contact_gives_no_width_and_a_lost_one_no_step() -> None:
    cut = (contact(0.7, 1.1, whole_end=False),)
    second = strides._strides_of(walker(), Contacts(RIGHT, cut, "force"), "r", GROUND)[1]
    assert np.isnan(second.step_width_m) and second.step_time_s == pytest.approx(0.5)
    begun = (contact(0.7, 1.1, whole_start=False),)
    second = strides._strides_of(walker(), Contacts(RIGHT, begun, "force"), "r", GROUND)[1]
    assert np.isnan(second.step_width_m) and np.isnan(second.step_time_s)
    early = (contact(0.1, 0.15),)
    first, second = strides._strides_of(walker(), Contacts(RIGHT, early, "force"), "r", GROUND)
    assert first.step_time_s == pytest.approx(0.1) and np.isnan(second.step_time_s)


def bending(flexion: Array, lift: float = 0.0, hips: Array | float = 0.9) -> AnatomicalPaths:
    """Standing, both knees bent by `flexion` (T,) rad; the right foot `lift` m up."""
    points = {}
    for side, z, up in (("r", 0.1, lift), ("l", -0.1, 0.0)):
        hip = line(0.0, hips, z)
        knee = hip + line(0.0, -0.4, 0.0)
        ankle = knee + line(-0.4 * np.sin(flexion), -0.4 * np.cos(flexion), 0.0)
        points |= {
            f"hip_center_{side}": hip, f"knee_center_{side}": knee,
            f"ankle_center_{side}": ankle, f"heel_bottom_{side}": line(-0.05, up, z),
            f"metatarsal_5_{side}": line(0.1, up + 0.01, z),
            f"metatarsal_1_{side}": line(0.1, up + 0.01, z),
        }  # fmt: skip
    return replace(walker(), points=points)


def bump(start: float, depth: float, base: float = 0.0) -> Array:
    u = np.clip(TIME - start, 0.0, 1.0)
    return base + np.radians(depth) * np.sin(np.pi * u) ** 2


def test_flexion_is_the_angle_at_the_knee() -> None:
    paths = bending(np.linspace(0.0, 2.0, len(TIME)))
    assert tasks.knee_flexion(paths, "r") == pytest.approx(np.linspace(0.0, 2.0, len(TIME)))
    assert np.isnan(tasks.knee_flexion(walker(), "r")).all()
    assert tasks.pelvis_center(walker())[50] == pytest.approx([1.0, 0.9, 0.0])


def test_a_squat_reaches_to_where_a_twentieth_of_it_is_left() -> None:
    paths = bending(bump(0.5, 80.0, base=0.1))
    (found,) = tasks.repetitions(paths)
    edge = np.arcsin(np.sqrt(0.05)) / np.pi
    assert found.deepest_s == pytest.approx(1.0, abs=0.011)
    assert found.start_s == pytest.approx(0.5 + edge, abs=0.04)
    assert found.end_s == pytest.approx(1.5 - edge, abs=0.04)
    assert found.depth_rad == pytest.approx(np.radians(80.0) * 0.95, rel=0.05)
    # The depth is what is added to standing, 30° at least; 3 Hz rounds the peak a little.
    assert tasks.repetitions(bending(bump(0.5, 28.5, base=0.5))) == ()
    assert len(tasks.repetitions(bending(bump(0.5, 32.5, base=0.5)))) == 1


def test_squats_in_a_row_end_where_the_next_begins() -> None:
    flexion = bump(0.0, 80.0) + bump(1.0, 80.0) + bump(2.0, 80.0)
    found = tasks.repetitions(bending(flexion))
    assert [r.deepest_s for r in found] == pytest.approx([0.5, 1.5, 2.5], abs=0.02)
    for a, b in pairwise(found):
        assert a.deepest_s < a.end_s < b.start_s < b.deepest_s
    # Not straightened in between: each reaches to the valley.
    shallow = np.radians(60.0) + np.radians(40.0) * np.sin(np.pi * TIME) ** 2
    shallow[TIME > 2.5] = np.radians(100.0)
    found = tasks.repetitions(bending(np.where(TIME < 0.5, np.radians(100.0), shallow)))
    assert len(found) == 1 and found[0].deepest_s == pytest.approx(1.5, abs=0.02)
    assert found[0].start_s == pytest.approx(1.0, abs=0.1)


def test_the_lower_foot_is_the_one_that_stands() -> None:
    paths = bending(bump(0.5, 80.0), lift=0.2)
    straight = bending(0.0 * TIME)
    for name in ("hip_center_r", "knee_center_r", "ankle_center_r"):
        paths.points[name][:] = straight.points[name]  # the leg in the air stays straight
    assert tasks.stance_flexion(paths).max() == pytest.approx(np.radians(80.0), rel=0.05)
    level = bending(bump(0.5, 80.0), lift=0.05)
    for name in ("hip_center_r", "knee_center_r", "ankle_center_r"):
        level.points[name][:] = straight.points[name]
    assert tasks.stance_flexion(level).max() == pytest.approx(np.radians(40.0), rel=0.05)


def test_a_landing_is_a_contact_at_over_1_m_s_downwards() -> None:
    for speed, kept in ((0.9, 0), (1.1, 1)):
        paths = bending(0.0 * TIME, hips=2.0 - speed * TIME)
        whole = Contacts((contact(1.0, 1.5),), (contact(1.0, 1.5, whole_start=False),), "force")
        found = tasks.landings(paths, whole)
        assert (len(found.r), len(found.l)) == (kept, 0)
        assert found.source == "force"


def test_standing_is_within_10_degrees_and_50_mm() -> None:
    none = Contacts((), (), "force")
    for degrees, task in ((9.0, "static"), (11.0, "other")):
        paths = bending(np.radians(degrees) * TIME / 3.0)
        assert tasks.recognise_task(paths, none) == task
    for way, task in ((0.045, "static"), (0.055, "other")):
        paths = bending(0.0 * TIME, hips=0.9 + way * TIME / 3.0)
        assert tasks.recognise_task(paths, none) == task
    assert tasks.recognise_task(bending(bump(0.5, 60.0)), none) == "squat"
    paths = bending(0.0 * TIME, hips=2.9 - 0.9 * TIME**2)
    fall = Contacts((contact(2.0, 2.5),), (), "force")
    assert tasks.recognise_task(paths, fall) == "landing"


def test_repetitions_count_for_legs_on_the_floor_for_nine_tenths_of_them() -> None:
    paths = bending(bump(1.0, 80.0))
    (unit,) = tasks.repetitions(paths)
    length = unit.end_s - unit.start_s
    right, left = (contact(unit.start_s + share * length, 3.0) for share in (0.05, 0.2))
    rows = strides._repetitions(paths, Contacts((right,), (left,), "force"))
    assert [(row.side, row.kind) for row in rows] == [("r", "repetition")]
    assert (rows[0].start_s, rows[0].end_s) == (unit.start_s, unit.end_s)
    everybody = strides._repetitions(paths, Contacts((), (), "force"))
    assert [row.side for row in everybody] == ["r", "l"]
    for one in (paths, walker()):
        bend = strides.knee_flexion(one, "r")
        assert strides._deepest(one.time, bend, 1.0, 2.0) == pytest.approx(1.5)


def test_hips_rise_in_a_vault_and_sink_in_a_spring() -> None:
    whole = Contacts((contact(0.5, 1.0),), (contact(1.5, 2.0),), "force")
    for sign, vaults in ((1.0, True), (-1.0, False)):
        paths = bending(0.0 * TIME, hips=0.9 + sign * 0.02 * np.sin(2 * np.pi * TIME) ** 2)
        swings = replace(paths)
        # Highest at 0.25, 0.75, 1.25 s, … : in the middle of either contact.
        assert tasks._vaults(swings, whole) is vaults
    cut = Contacts((contact(0.5, 1.0, whole_end=False),), (), "force")
    assert tasks._vaults(paths, cut) is False


LIMITS: dict[str, Any] = {
    "alignment": {
        "gait": {
            "varus_below": -4.0, "valgus_above": 6.0, "marked": 10.0, "valgus_above_f": 8.0,
        },
    },
    "landing": {
        "crossover_below": 0.0,
        "running": {
            "speed_m_s": [2.0, 4.0], "narrow_below": [20.0, 10.0], "wide_above": [80.0, 60.0],
        },
        "walking": {"narrow_below_leg": 0.05, "wide_above_leg": 0.2},
    },
    "chain": {},
    "static": {"neutral_within": 3.0, "knees_touch_below": 5.0, "malleoli_touch_below": 10.0},
}  # fmt: skip


@pytest.mark.parametrize(
    ("degrees", "sex", "name", "margin", "marked"),
    [
        (-11.0, "", "varus", 7.0, True), (-5.0, "", "varus", 1.0, False),
        (-4.0, "", "neutral", 0.0, False), (1.5, "", "neutral", 4.5, False),
        (6.0, "", "neutral", 0.0, False), (7.0, "", "valgus", 1.0, False),
        (7.0, "f", "neutral", 1.0, False), (7.0, "m", "valgus", 1.0, False),
        (10.5, "", "valgus", 4.5, True), (float("nan"), "", "", float("nan"), False),
    ],
)  # fmt: skip
def test_alignment_classes_end_at_their_limits(
    degrees: float, sex: str, name: str, margin: float, marked: bool
) -> None:
    found = thresholds.alignment_class(np.radians(degrees), "gait", sex, LIMITS)
    assert (found.name, found.marked) == (name, marked)
    assert np.degrees(found.margin) == pytest.approx(margin, abs=1e-9, nan_ok=True)


@pytest.mark.parametrize(
    ("width", "name", "margin"),
    [(-0.01, "crossover", 10), (0.0, "narrow", 0), (0.014, "narrow", 1), (0.016, "normal", 1),
     (0.069, "normal", 1), (0.07, "wide", 0), (0.1, "wide", 30)],
)  # fmt: skip
def test_landing_classes_of_running_follow_the_speed(
    width: float, name: str, margin: float
) -> None:
    # Halfway between 2 and 4 m/s the limits are 15 and 70 mm.
    found = thresholds.landing_class(width, "running", speed=3.0, table=LIMITS)
    assert found.name == name and found.margin == pytest.approx(1e-3 * margin, abs=1e-12)


def test_landing_classes_of_walking_follow_the_leg() -> None:
    def of(width: float, **more: Any) -> str:
        return thresholds.landing_class(width, "walking", table=LIMITS, **more).name

    assert [of(w, leg_length=0.8) for w in (0.039, 0.041, 0.159, 0.161)] == [
        "narrow", "normal", "normal", "wide",
    ]  # fmt: skip
    assert of(0.041) == "" and of(-0.001) == "crossover" and of(float("nan")) == ""
    assert thresholds.landing_class(0.1, "squat", table=LIMITS) is thresholds.NO_LABEL
    label = thresholds.typical_landing([-0.02, 0.3, float("nan"), -0.03], "walking")
    assert label.name == "crossover" and label.value == pytest.approx(-0.02)
    assert thresholds.typical_landing([float("nan")], "running") is thresholds.NO_LABEL


def test_standing_legs_are_classed_and_gaps_told() -> None:
    class Stood:
        hip_knee_ankle = np.radians([3.0, -3.1])
        intercondylar_m, intermalleolar_m = 0.0051, 0.0099

    found = thresholds.static_classes(Stood(), LIMITS)  # type: ignore[arg-type]
    assert found == {
        "hip_knee_ankle_r": "neutral", "hip_knee_ankle_l": "varus",
        "standing_test": "malleoli touch",
    }  # fmt: skip
    Stood.intercondylar_m = 0.0049
    Stood.hip_knee_ankle = np.radians([3.1, -3.0])
    found = thresholds.static_classes(Stood(), LIMITS)  # type: ignore[arg-type]
    assert found["standing_test"] == "both" and found["hip_knee_ankle_r"] == "valgus"
    Stood.intermalleolar_m = 0.0101
    assert thresholds.static_classes(Stood(), LIMITS)["standing_test"] == "knees touch"  # type: ignore[arg-type]
    Stood.intercondylar_m = float("nan")
    assert thresholds.static_classes(Stood(), LIMITS)["standing_test"] == ""  # type: ignore[arg-type]


def test_a_clock_may_wobble_by_rounded_milliseconds_and_not_more() -> None:
    with pytest.raises(SettingsError, match="at least two times"):
        filtering.sampling_rate(np.array([1.0]))
    with pytest.raises(SettingsError, match="zero or backwards"):
        filtering.sampling_rate(np.array([0.0, 1.0, 1.0]))
    assert filtering.sampling_rate(np.array([0.0, 0.5])) == 2.0
    steady = np.arange(11) / 4.0
    for wobble, well in ((0.009, True), (0.011, False)):
        steps = np.full(10, 0.25)
        steps[[3, 4]] *= 1.0 + wobble * np.array([1.0, -1.0])
        stamps = np.concatenate([[0.0], np.cumsum(steps)])
        if well:
            assert filtering.sampling_rate(stamps) == pytest.approx(4.0)
        else:
            with pytest.raises(SettingsError, match="evenly spaced"):
                filtering.sampling_rate(stamps)
    rounded = steady / 250.0 + np.where(np.arange(11) == 5, 1.4e-3 * 1e-3 * 1000, 0.0) * 0.1
    assert filtering.sampling_rate(rounded) == pytest.approx(1000.0, rel=1e-6)


def test_short_pieces_carry_the_degree_they_have() -> None:
    time = np.arange(12) / 10.0
    values = time**2
    q = np.full(12, np.nan)
    q[0], q[2:4], q[5:8] = values[0], values[2:4], values[5:8]
    smooth, first, second = filtering.smooth_derivatives(time, q, None)
    assert smooth[[0, 2, 6]] == pytest.approx(values[[0, 2, 6]])
    assert np.isnan(first[[0, 1, 4]]).all() and np.isnan(second[0])
    assert first[2:4] == pytest.approx(0.5) and second[2:4] == pytest.approx(0.0)
    assert first[5:8] == pytest.approx(2 * time[5:8]) and second[5:8] == pytest.approx(2.0)


def test_three_samples_pass_the_filter_as_they_are() -> None:
    short = np.array([0.0, 9.0, -4.0])
    assert filtering.lowpass(short, 100.0, 10.0) == pytest.approx(short)
    four = np.array([0.0, 9.0, -4.0, 2.0])
    assert not np.allclose(filtering.lowpass(four, 100.0, 10.0), four)
    assert filtering.lowpass(four, 100.0, None) is not four


def test_reading_at_other_times_allows_a_thousandth_of_a_step_beyond() -> None:
    values = np.sin(TIME)
    at = np.array([-2e-5, -5e-6, 1.234, 3.000005, 3.00002])
    found = filtering.resample(TIME, values, at, None)
    assert np.isnan(found).tolist() == [True, False, False, False, True]
    assert found[2] == pytest.approx(np.sin(1.234), abs=1e-8)
    gap = values.copy()
    gap[100:150] = np.nan
    found = filtering.resample(TIME, gap, np.array([0.99, 1.2, 1.5]), None)
    assert np.isnan(found).tolist() == [False, True, False]


def test_frames_between_two_times_include_both_ends() -> None:
    inside = np.zeros(len(TIME), bool)
    inside[between(TIME, 0.5, 0.6)] = True
    assert (inside.argmax(), inside.sum()) == (50, 11)
    assert SIDES == ("r", "l")
