"""Known answers of one camera's figures, on a figure drawn in the picture by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from kneestride.motion import picture as p
from kneestride.motion.picture import Picture
from kneestride.vocabulary import SIDES, Array, Side

RATE, METRE = 100.0, 400.0
TIME = np.arange(400) / RATE
BACK = pytest.mark.parametrize("back", [False, True], ids=["front", "back"])


def still(x: float, y: float) -> Array:
    return np.tile([x, y], (len(TIME), 1))


def drawn(
    view: p.View = "frontal", back: bool = False, **lateral: tuple[float, float]
) -> Picture:
    """Both legs alike; places are (lateral, up) px from the midline at 1000 px.

    From the front the right leg is on the left of the picture.
    """
    legs = {
        "hip_joint_center": (36.0, 400.0),
        "knee_joint_center": (36.0, 220.0),
        "ankle_joint_center": (36.0, 40.0),
    } | lateral
    points = {}
    for side in SIDES:
        flip = (-1.0 if side == "r" else 1.0) * (-1.0 if back else 1.0)
        points |= {f"{n}_{side}": still(1000.0 + flip * x, y) for n, (x, y) in legs.items()}
    return Picture(TIME, RATE, points, view, METRE, p.leg_length(points))


def test_leg_length_is_the_longer_leg_where_it_is_seen_longest() -> None:
    shown = drawn()
    assert shown.leg == pytest.approx(360.0)
    longer = dict(shown.points)
    longer["ankle_joint_center_l"] = still(1036.0, 20.0)
    assert p.leg_length(longer) == pytest.approx(380.0)
    # Foreshortened in seven of ten frames; one stray frame in a hundred has no say.
    shorter = shown.points["ankle_joint_center_r"].copy()
    shorter[:280, 1] = 120.0
    shorter[[7, 90, 200], 1] = -900.0
    shorter[8] = np.nan
    only = {n: v for n, v in shown.points.items() if n.endswith("_r")}
    assert p.leg_length(only | {"ankle_joint_center_r": shorter}) == pytest.approx(360.0)
    assert np.isnan(p.leg_length({}))


@pytest.mark.parametrize(
    ("half", "view"), [(36.0, "frontal"), (24.0, "frontal"), (20.0, None), (15.0, "sagittal")]
)
def test_view_is_told_by_the_hips_width_over_leg_length(half: float, view: str | None) -> None:
    found, share = p.view_of(drawn(hip_joint_center=(half, 400.0)).points)
    assert found == view
    assert share == pytest.approx(2.0 * half / np.hypot(180.0, half - 36.0) / 2, rel=0.1)
    assert p.view_of({})[0] is None
    unseen = drawn().points | {"hip_joint_center_r": np.full((400, 2), np.nan)}  # type: ignore[operator]
    assert p.view_of(unseen)[0] is None


@BACK
@pytest.mark.parametrize("side", SIDES)
def test_knee_in_is_positive_seen_from_front_or_back(side: Side, back: bool) -> None:
    shown = drawn(back=back, knee_joint_center=(26.0, 200.0), ankle_joint_center=(40.0, 40.0))
    bend = np.degrees(np.arctan(10.0 / 200.0) + np.arctan(14.0 / 160.0))
    assert p.projection_angle(shown, side) == pytest.approx(bend)
    # The line from hip to ankle is at 36 + 4 · 200/360 at the height of the knee.
    off = 36.0 + 4.0 * 200.0 / 360.0 - 26.0
    assert p.knee_shift(shown, side) == pytest.approx(100.0 * off / shown.leg)
    assert p.medial_sign(shown, side) == (1.0 if (side == "r") != back else -1.0)


@BACK
def test_hips_slope_is_the_drop_of_the_other_side(back: bool) -> None:
    shown = drawn(back=back)
    shown.points["hip_joint_center_l"][:, 1] = 391.0
    slope = np.degrees(np.arctan(9.0 / 72.0))
    assert p.pelvic_drop(shown, "r") == pytest.approx(slope)
    assert p.pelvic_drop(shown, "l") == pytest.approx(-slope)


@BACK
def test_separation_turns_negative_when_legs_cross(back: bool) -> None:
    shown = drawn(back=back, ankle_joint_center=(-10.0, 40.0))
    assert p.separation(shown, "hip") == pytest.approx(72.0)
    assert p.separation(shown, "ankle") == pytest.approx(-20.0)


def test_flexion_is_the_angle_of_thigh_and_shank_either_way_round() -> None:
    shown = drawn("sagittal")
    for x in (180.0, -180.0):
        shown.points["knee_joint_center_r"][:] = [964.0 + x, 220.0]
        shown.points["hip_joint_center_r"][:] = [964.0, 400.0]
        shown.points["ankle_joint_center_r"][:] = [964.0 + x, 40.0]
        assert p.knee_flexion(shown, "r") == pytest.approx(45.0)
    assert p.knee_flexion(shown, "l") == pytest.approx(0.0)


def test_trunk_leans_to_the_right_of_the_picture() -> None:
    shown = drawn(shoulder_joint_center=(50.0, 600.0))
    for side in SIDES:
        shown.points[f"shoulder_joint_center_{side}"][:, 0] += 20.0
    assert p.trunk_lean(shown) == pytest.approx(np.degrees(np.arctan(0.1)))


def test_what_is_not_seen_is_unknown_and_the_ankle_stands_in_for_the_heel() -> None:
    shown = drawn()
    assert np.isnan(shown.point("nose", "r")).all()
    np.testing.assert_array_equal(shown.foot("r"), shown.joint("ankle", "r"))
    heel = still(960.0, 10.0)
    heel[5] = np.nan
    seen = replace(shown, points={**shown.points, "heel_r": heel})
    np.testing.assert_array_equal(seen.foot("r")[[4, 5]], [[960.0, 10.0], [964.0, 40.0]])


def stepping(down: float, period: float = 0.8, crossed: bool = False) -> Picture:
    """Feet 60 px up in swing, on the floor for `down` s of each period, in turn."""
    shown = drawn(ankle_joint_center=(-10.0 if crossed else 20.0, 40.0))
    for k, side in enumerate(SIDES):
        phase = (TIME - 0.105 - 0.5 * k * period) % period
        height = np.where(phase < down, 40.0, 100.0)
        shown.points[f"ankle_joint_center_{side}"][:, 1] = height
    return shown


def test_stances_are_the_stretches_near_a_foots_own_floor() -> None:
    found = p.contacts(stepping(0.3), "r")
    expected = [(0.11 + 0.8 * k, 0.4 + 0.8 * k) for k in range(5)]
    np.testing.assert_allclose(found, expected, atol=1e-9)
    # Knocks of 80 ms are none; cut by the clip's ends neither; one is no step.
    assert p.contacts(stepping(0.075), "r") == []
    assert len(p.contacts(stepping(0.095), "r")) == 5
    late = stepping(0.3)
    late.points["ankle_joint_center_r"][:50, 1] = 40.0
    assert len(p.contacts(late, "r")) == 4
    once = stepping(0.3)
    once.points["ankle_joint_center_r"][60:, 1] = 100.0
    assert p.contacts(once, "r") == []
    # Lifted by less than a tenth of the leg, or hardly seen: nobody steps.
    low = stepping(0.3)
    low.points["ankle_joint_center_r"][:, 1] *= 0.5
    assert p.contacts(low, "r") == []
    low.points["ankle_joint_center_r"][9:] = np.nan
    assert p.contacts(low, "r") == []


def test_a_foot_is_down_below_an_eighth_of_its_range() -> None:
    for up, stances in ((6.0, 5), (8.5, 0)):
        shown = stepping(0.3)
        height = shown.points["ankle_joint_center_r"][:, 1]
        phase = (TIME - 0.105) % 0.8
        # Half of the stance 6 px up, of a range of 60: on the floor; 8.5 px up: not.
        height[(phase < 0.3) & (phase > 0.06)] = 40.0 + up
        assert len(p.contacts(shown, "r")) == stances


def test_a_gap_in_a_foots_path_is_bridged() -> None:
    shown = stepping(0.3)
    shown.points["ankle_joint_center_r"][20:25] = np.nan
    assert p.contacts(shown, "r") == p.contacts(stepping(0.3), "r")


@pytest.mark.parametrize(("down", "task"), [(0.3, "running"), (0.5, "walking")])
def test_steps_are_running_below_half_a_stride_on_the_ground(down: float, task: str) -> None:
    assert p.task_of(stepping(down)) == task


def test_feet_that_step_together_are_no_gait() -> None:
    shown = stepping(0.3)
    shown.points["ankle_joint_center_l"][:, 1] = shown.points["ankle_joint_center_r"][:, 1]
    shown.points["ankle_joint_center_l"][150:, 1] = 100.0
    assert p.task_of(shown) == "static"


def squatting(depth: float = 120.0) -> Picture:
    """Two squats of one second each, from 1.0 and from 2.5 s."""
    shown = drawn(hip_joint_center=(36.0, 400.0))
    sink = np.zeros(len(TIME))
    for start in (1.0, 2.5):
        u = np.clip(TIME - start, 0.0, 1.0)
        sink += depth * np.sin(np.pi * u) ** 2
    for side in SIDES:
        shown.points[f"hip_joint_center_{side}"][:, 1] -= sink
    return shown


def test_squats_reach_from_where_a_twentieth_of_the_depth_is_left() -> None:
    found = p.deepest(squatting())
    edge = np.arcsin(np.sqrt(0.05)) / np.pi * RATE
    for (start, k, end), first in zip(found, (100, 250), strict=True):
        assert k == first + 50
        assert start == pytest.approx(first + edge, abs=1.0)
        assert end == pytest.approx(first + 100 - edge, abs=1.0)
    assert p.task_of(squatting()) == "squat"
    assert p.deepest(squatting(depth=35.0)) == []  # a tenth of the leg is 36 px
    assert len(p.deepest(squatting(depth=37.0))) == 2


def test_a_squat_cut_by_the_clip_ends_with_it() -> None:
    shown = squatting()
    cut = replace(
        shown, time=TIME[125:320], points={n: v[125:320] for n, v in shown.points.items()}
    )
    (first, second) = p.deepest(cut)
    assert (first[0], first[1]) == (0, 25) and (second[1], second[2]) == (175, 194)
    shown.points["hip_joint_center_r"][9:] = np.nan
    assert p.deepest(shown) == []


def test_standing_is_hips_that_keep_their_place() -> None:
    shown = drawn()
    shown.points["hip_joint_center_r"][:, 0] += np.linspace(0.0, 40.0, 400)  # mid: 20 px
    assert p.task_of(shown) == "static"  # 0.06 of a leg are 21.6 px
    shown.points["hip_joint_center_r"][:, 0] += np.linspace(0.0, 5.0, 400)
    assert p.task_of(shown) == "other"


def test_a_camera_that_moves_is_seen_by_standing_feet() -> None:
    shown = drawn()
    assert p.camera_drift(shown) == pytest.approx(0.0)
    for side in SIDES:
        shown.points[f"ankle_joint_center_{side}"][:, 0] += 30.0 * TIME
    # Between the medians of the first and the last third lie two thirds of the time.
    assert p.camera_drift(shown) == pytest.approx(30.0, rel=0.01)
    running = stepping(0.3)
    for side in SIDES:
        running.points[f"ankle_joint_center_{side}"][:, 0] -= 30.0 * TIME
    assert p.camera_drift(running) == pytest.approx(30.0, rel=0.08)
    shown.points["ankle_joint_center_r"][:] = np.nan
    shown.points["ankle_joint_center_l"][3:] = np.nan
    assert np.isnan(p.camera_drift(shown))


@pytest.mark.parametrize(
    ("knee", "ankle", "verdict"),
    [
        (22.0, 19.0, "both"), (22.0, 21.0, "knees touch"),
        (24.0, 19.0, "malleoli touch"), (24.0, 21.0, "neither"),
    ],
)  # fmt: skip
def test_standing_legs_touch_at_the_breadth_of_a_knee_and_of_two_malleoli(
    knee: float, ankle: float, verdict: str
) -> None:
    # At 1.8 m the limits are 117 and 99 mm between the centres: 23.4 and 19.8 px each.
    shown = drawn(knee_joint_center=(knee, 220.0), ankle_joint_center=(ankle, 40.0))
    found = p.standing_test(shown, 1.8)
    assert found.verdict == verdict
    assert found.knees_mm == pytest.approx(2.0 * knee / METRE * 1e3)
    assert found.ankles_mm == pytest.approx(2.0 * ankle / METRE * 1e3)


@pytest.mark.parametrize(
    ("knee", "name"), [(31.0, "valgus"), (33.0, "neutral"), (39.0, "neutral"), (41.0, "varus")]
)
def test_legs_are_straight_within_three_degrees(knee: float, name: str) -> None:
    # 180 px each way: 3° are 4.7 px.
    found = p.standing_test(drawn(knee_joint_center=(knee, 220.0)), 1.8)
    assert found.classes == {"r": name, "l": name}
    expected = np.degrees(2.0 * np.arctan((36.0 - knee) / 180.0))
    assert found.hip_knee_ankle == pytest.approx({"r": expected, "l": expected})
    unseen = drawn()
    unseen.points["knee_joint_center_r"][:] = np.nan
    assert p.standing_test(unseen, 1.8).classes == {"r": "", "l": "neutral"}


@BACK
@pytest.mark.parametrize(("crossed", "width"), [(False, 100.0), (True, -50.0)])
def test_rows_of_a_run_hold_its_times_and_its_step_width(
    crossed: bool, width: float, back: bool
) -> None:
    shown = stepping(0.3, crossed=crossed)
    if back:
        mirror = {n: v * [-1.0, 1.0] + [2000.0, 0.0] for n, v in shown.points.items()}
        shown = replace(shown, points=mirror)
    rows = p.picture_rows(shown, "running")
    assert [r["side"] for r in rows] == ["r", "l"] * 4 + ["r"]
    assert [r["kind"] for r in rows] == ["stride"] * 7 + ["partial"] * 2
    first, second = rows[0], rows[1]
    assert first["start_s"] == pytest.approx(0.11) and first["end_s"] == pytest.approx(0.91)
    assert first["contact_s"] == pytest.approx(0.29) and first["mid_s"] == pytest.approx(0.255)
    assert first["stride_time_s"] == pytest.approx(0.8)
    assert first["cadence_per_min"] == pytest.approx(150.0)
    assert np.isnan(first["step_width_proxy_mm"])  # no step before it
    assert all(r["step_width_proxy_mm"] == pytest.approx(width) for r in rows[1:])
    assert second["start_s"] == pytest.approx(0.51)
    last = rows[-1]
    assert last["end_s"] == pytest.approx(3.6) and np.isnan(last["stride_time_s"])


def test_rows_of_a_squat_hold_start_middle_peak_and_change() -> None:
    shown = squatting()
    knee_in = 20.0 * np.sin(np.pi * np.clip(TIME - 1.0, 0.0, 1.0)) ** 2
    shown.points["knee_joint_center_r"][:, 0] += knee_in
    shown.points["knee_joint_center_l"][:, 0] -= knee_in
    rows = p.picture_rows(shown, "squat")
    assert [(r["kind"], r["side"]) for r in rows] == [("repetition", s) for s in "lrlr"]
    one = rows[1]
    angle = p.projection_angle(shown, "r")
    start, middle = round(float(one["start_s"]) * 100), 150
    assert one["mid_s"] == 1.5
    assert one["projection_angle_ic_deg"] == pytest.approx(angle[start])
    assert one["projection_angle_mid_deg"] == pytest.approx(angle[middle])
    assert one["projection_angle_peak_deg"] == pytest.approx(angle[100:200].max())
    assert one["projection_angle_change_deg"] == pytest.approx(angle[middle] - angle[start])
    assert one["knee_separation_mid_ratio"] == pytest.approx((72.0 - 40.0) / 72.0)
    assert one["forces"] == "none" and one["view"] == "frontal"
    side_on = p.picture_rows(replace(shown, view="sagittal"), "squat")[0]
    assert "knee_flexion_mid_deg" in side_on and "projection_angle_mid_deg" not in side_on
    assert "knee_separation_mid_ratio" not in side_on
    assert p.picture_rows(shown, "static") == []


def test_a_value_is_read_near_its_time_or_not_at_all() -> None:
    values = np.sin(TIME)
    assert p._at(TIME, values, 1.234) == pytest.approx(np.sin(1.234), abs=1e-4)
    values[100:104] = np.nan
    assert p._at(TIME, values, 1.02) == pytest.approx(np.sin(1.02), abs=1e-3)
    values[100:130] = np.nan
    assert np.isnan(p._at(TIME, values, 1.15))
    assert np.isnan(p._at(TIME, values, 1.03))
    assert p._at(TIME, values, 1.02) == pytest.approx(
        np.interp(1.02, [0.99, 1.3], np.sin([0.99, 1.3]))
    )
    assert np.isnan(p._at(TIME, np.full(400, np.nan), 1.0))
