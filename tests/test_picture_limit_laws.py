"""One camera's limits, on both sides of each, and figures of two legs that differ."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from kneestride.motion import picture as p
from kneestride.motion.picture import Picture
from kneestride.vocabulary import SIDES, Array, Side

RATE, METRE, LEG = 50.0, 500.0, 400.0
JOINTS = ("hip_joint_center", "knee_joint_center", "ankle_joint_center")
Place = tuple[float, float]


def still(place: Place, frames: int) -> Array:
    return np.tile(np.array(place, dtype=float), (frames, 1))


def shown(
    frames: int = 100, view: p.View = "frontal", start: float = 0.0, **places: Place
) -> Picture:
    """Named points that keep their places; a leg is 400 px."""
    points = {name: still(at, frames) for name, at in places.items()}
    return Picture(start + np.arange(frames) / RATE, RATE, points, view, METRE, LEG)


def legs(frames: int = 100, start: float = 0.0, view: p.View = "frontal") -> Picture:
    """Seen from the front, the right leg on the left, bent inwards, the other straight."""
    return shown(
        frames, view, start,
        hip_joint_center_r=(460.0, 500.0), knee_joint_center_r=(480.0, 310.0),
        ankle_joint_center_r=(455.0, 100.0),
        hip_joint_center_l=(540.0, 510.0), knee_joint_center_l=(545.0, 305.0),
        ankle_joint_center_l=(550.0, 100.0),
    )  # fmt: skip


# --- size and view --------------------------------------------------------------------


def test_a_leg_is_thigh_and_shank_of_the_longer_side() -> None:
    points = legs().points
    right = np.hypot(20.0, 190.0) + np.hypot(25.0, 210.0)
    left = np.hypot(5.0, 205.0) + np.hypot(5.0, 205.0)
    assert p.leg_length(points) == pytest.approx(max(right, left))
    only = {n: v for n, v in points.items() if n.endswith("_l")}
    assert p.leg_length(only) == pytest.approx(left)
    one = dict(points)
    del one["knee_joint_center_r"]
    assert p.leg_length(one) == pytest.approx(left)
    unseen = one | {"ankle_joint_center_l": np.full((100, 2), np.nan)}
    assert np.isnan(p.leg_length(unseen))


def test_a_legs_length_is_exceeded_in_one_frame_of_ten() -> None:
    """Ankles ever lower, by a pixel a frame: 101 lengths from 400 to 500."""
    points = legs(102).points
    for name in ("hip", "knee", "ankle"):
        points[f"{name}_joint_center_r"][:, 0] = 0.0
    points["hip_joint_center_r"][:, 1] = 400.0
    points["knee_joint_center_r"][:, 1] = 200.0
    points["ankle_joint_center_r"][:101, 1] = -np.arange(101.0)
    points["ankle_joint_center_r"][101] = np.nan
    only = {n: v for n, v in points.items() if n.endswith("_r")}
    assert p.leg_length(only) == pytest.approx(490.0)


@pytest.mark.parametrize(
    ("share", "view"),
    [
        (0.131, "frontal"),
        (0.129, None),
        (0.091, None),
        (0.089, "sagittal"),
        (-0.131, "frontal"),
    ],
)
def test_a_body_turned_by_47_degrees_is_frontal_and_by_62_sagittal(
    share: float, view: str | None
) -> None:
    points = dict(legs().points)
    for side in SIDES:
        for name, y in zip(JOINTS, (500.0, 300.0, 100.0), strict=True):
            x = 600.0 + (share * LEG if side == "l" else 0.0)
            points[f"{name}_{side}"] = still((x, y), 100)
    points["hip_joint_center_l"][:5, 0] += 500.0  # the middle frame counts
    points["hip_joint_center_r"][:, 1] = 500.0
    found, width = p.view_of(points)
    assert found == view
    assert width == pytest.approx(abs(share), rel=2e-2)


@pytest.mark.parametrize("side", SIDES)
def test_without_both_hips_there_is_no_view(side: Side) -> None:
    points = dict(legs().points)
    points[f"hip_joint_center_{side}"] = np.full((100, 2), np.nan)
    assert p.view_of(points)[0] is None and np.isnan(p.view_of(points)[1])
    del points[f"hip_joint_center_{side}"]
    assert p.view_of(points)[0] is None and np.isnan(p.view_of(points)[1])


# --- figures of a frame ---------------------------------------------------------------


@pytest.mark.parametrize("back", [False, True])
def test_two_legs_have_their_own_figures(back: bool) -> None:
    seen = legs()
    if back:
        seen = replace(seen, points={n: v * [-1.0, 1.0] for n, v in seen.points.items()})
    degrees = np.degrees
    # Right: thigh 20 px towards the middle over 190, shank 25 px away over 210.
    bent = degrees(np.arctan(20.0 / 190.0) + np.arctan(25.0 / 210.0))
    assert p.projection_angle(seen, "r") == pytest.approx(bent)
    assert p.projection_angle(seen, "l") == pytest.approx(0.0, abs=1e-9)
    # The line from hip to ankle is 5 px out over 400: 2.375 px out at the knee.
    assert p.knee_shift(seen, "r") == pytest.approx(100.0 * 22.375 / LEG)
    assert p.knee_shift(seen, "l") == pytest.approx(0.0, abs=1e-9)
    drop = degrees(np.arctan(10.0 / 80.0))
    assert p.pelvic_drop(seen, "r") == pytest.approx(-drop)
    assert p.pelvic_drop(seen, "l") == pytest.approx(drop)
    assert p.separation(seen, "hip") == pytest.approx(80.0)
    assert p.separation(seen, "knee") == pytest.approx(65.0)
    assert p.medial_sign(seen, "r") == -p.medial_sign(seen, "l") == (-1.0 if back else 1.0)


def test_hips_in_one_place_count_as_seen_from_the_front() -> None:
    seen = legs()
    seen.points["hip_joint_center_l"][:, 0] = 460.0
    assert (p.medial_sign(seen, "r"), p.medial_sign(seen, "l")) == (1.0, -1.0)


def test_flexion_beyond_a_right_angle_is_told() -> None:
    seen = shown(
        4, "sagittal", hip_joint_center_r=(0.0, 200.0), knee_joint_center_r=(0.0, 0.0),
        ankle_joint_center_r=(-100.0, 100.0),
    )  # fmt: skip
    assert p.knee_flexion(seen, "r") == pytest.approx(135.0)
    seen.points["ankle_joint_center_r"][:] = [150.0, -50.0]
    assert p.knee_flexion(seen, "r") == pytest.approx(90.0 - np.degrees(np.arctan(1.0 / 3.0)))


def test_a_trunk_leans_from_mid_hips_to_mid_shoulders() -> None:
    seen = shown(
        4, "sagittal", hip_joint_center_r=(10.0, 100.0), hip_joint_center_l=(30.0, 120.0),
        shoulder_joint_center_r=(50.0, 260.0), shoulder_joint_center_l=(90.0, 310.0),
    )  # fmt: skip
    assert p.trunk_lean(seen) == pytest.approx(np.degrees(np.arctan(50.0 / 175.0)))


# --- stances --------------------------------------------------------------------------


def stepping(heights: dict[Side, Array], start: float = 0.0) -> Picture:
    seen = legs(len(next(iter(heights.values()))), start)
    for side, height in heights.items():
        seen.points[f"ankle_joint_center_{side}"][:, 1] = height
    return seen


def steps(*spans: tuple[int, int], frames: int = 100, up: float = 90.0) -> Array:
    """Height over the picture's edge: 100 px on the floor within frames [a, b)."""
    height = np.full(frames, 100.0 + up)
    for a, b in spans:
        height[a:b] = 100.0
    return height


def test_stances_last_from_their_first_frame_to_their_last() -> None:
    seen = stepping({"r": steps((10, 25), (40, 60), (70, 80))}, start=3.0)
    expected = [(3.2, 3.48), (3.8, 4.18), (4.4, 4.58)]
    np.testing.assert_allclose(p.contacts(seen, "r"), expected)
    assert p.contacts(seen, "l") == []  # it does not step
    # Five frames at 50 Hz are 0.10 s, four 0.08: too short.
    short = stepping({"r": steps((10, 15), (30, 35), (60, 64))})
    assert len(p.contacts(short, "r")) == 2
    one = stepping({"r": steps((10, 15), (30, 34), (60, 64), frames=90)})
    assert p.contacts(one, "r") == []  # one stance is no gait


def test_stances_at_the_clips_ends_do_not_count() -> None:
    inside = ((20, 40), (55, 70))
    for span in ((0, 12), (90, 100)):
        seen = stepping({"r": steps(*inside, span)})
        np.testing.assert_allclose(p.contacts(seen, "r"), [(0.4, 0.78), (1.1, 1.38)])
    for span in ((1, 12), (85, 99)):
        assert len(p.contacts(stepping({"r": steps(*inside, span)}), "r")) == 3


@pytest.mark.parametrize(("up", "count"), [(39.0, 0), (41.0, 3)])
def test_a_foot_that_steps_rises_by_a_tenth_of_the_leg(up: float, count: int) -> None:
    seen = stepping({"r": steps((10, 25), (40, 60), (70, 80), up=up)})
    assert len(p.contacts(seen, "r")) == count


@pytest.mark.parametrize(("share", "count"), [(0.115, 3), (0.125, 2)])
def test_a_foot_is_down_within_twelve_hundredths_of_its_range(share: float, count: int) -> None:
    height = steps((10, 25), (40, 60), (70, 80), up=100.0)
    height[70:80] = 100.0 + share * 100.0
    assert len(p.contacts(stepping({"r": height}), "r")) == count


def test_floor_and_height_leave_out_the_strays_of_a_twentieth_and_of_three_hundredths() -> None:
    height = steps((10, 25), (40, 60), (70, 80), up=100.0)
    height[[50, 51, 52, 53]] = -600.0  # four of a hundred
    height[[2, 95]] = 3000.0  # two of a hundred
    assert len(p.contacts(stepping({"r": height}), "r")) == 3
    height[[54, 55, 56]] = -600.0  # seven are believed: the floor is there
    assert len(p.contacts(stepping({"r": height}), "r")) < 3
    high = steps((10, 25), (40, 60), (70, 80), up=41.0)
    high[[2, 5, 95]] = 3000.0
    high[[3, 97]] = 3000.0  # five of a hundred are a height: a little up is down then
    low = p.contacts(stepping({"r": high}), "r")
    assert low != p.contacts(stepping({"r": steps((10, 25), (40, 60), (70, 80), up=41.0)}), "r")


@pytest.mark.parametrize(("seen_frames", "count"), [(10, 2), (9, 0)])
def test_ten_frames_of_a_foot_are_needed(seen_frames: int, count: int) -> None:
    height = np.full(60, np.nan)
    # Seen at a stance's edges only; between them it is bridged.
    frames = np.array([5, 9, 10, 20, 21, 30, 31, 41, 42, 50])[-seen_frames:]
    level = {
        5: 190,
        9: 190,
        10: 100,
        20: 100,
        21: 190,
        30: 190,
        31: 100,
        41: 100,
        42: 190,
        50: 190,
    }
    height[frames] = [level[int(k)] for k in frames]
    assert len(p.contacts(stepping({"r": height}), "r")) == count


# --- squats ---------------------------------------------------------------------------


def sinking(depth: Array, right_only: bool = False) -> Picture:
    seen = legs(len(depth))
    for side in SIDES[: 1 if right_only else 2]:
        seen.points[f"hip_joint_center_{side}"][:, 1] -= depth
    return seen


def triangle(start: int, deepest: int, end: int, depth: float, frames: int = 100) -> Array:
    at = np.arange(frames)
    return np.interp(at, [start, deepest, end], [0.0, depth, 0.0])


def test_a_squat_begins_and_ends_where_a_twentieth_of_it_is_left() -> None:
    """100 px down in 20 frames and up in 40: 5 px deep at frames 21 and 78."""
    found = p.deepest(sinking(triangle(20, 40, 80, 100.0)))
    assert found == [(21, 40, 78)]
    # Hips that are raised first: the depth is from the lower of the two sides' levels.
    two = triangle(5, 15, 25, 60.0) + triangle(50, 60, 70, 100.0)
    assert [k for _, k, _ in p.deepest(sinking(two))] == [15, 60]
    late = triangle(20, 40, 80, 100.0)
    late[:20] = 60.0  # begins half way down: that side tells less
    (start, k, end) = p.deepest(sinking(late))[0]
    assert k == 40 and 20 <= start <= 36 and 40 < end <= 78


def test_a_squat_of_one_hip_counts_half() -> None:
    assert p.deepest(sinking(triangle(20, 40, 80, 79.0), right_only=True)) == []
    assert len(p.deepest(sinking(triangle(20, 40, 80, 81.0), right_only=True))) == 1


def test_hips_seen_in_nine_frames_show_no_squat_and_in_ten_one() -> None:
    for count, squats in ((10, 1), (9, 0)):
        seen = sinking(triangle(20, 40, 80, 100.0))
        keep = np.array([5, 12, 20, 30, 40, 50, 60, 70, 80, 95])[-count:]
        lost = np.setdiff1d(np.arange(100), keep)
        seen.points["hip_joint_center_l"][lost] = np.nan
        assert len(p.deepest(seen)) == squats


def test_a_squat_that_a_clip_cuts_reaches_its_ends() -> None:
    """Ten frames of it on each side, none of which comes near its beginning or end."""
    deep = triangle(0, 40, 80, 100.0)[25:60]
    level = p.deepest(sinking(deep))
    # From 62.5 px to 100 and back to 52.5 px: prominence 37.5 from the shallower side.
    assert level == []
    deep = 2.0 * deep
    ((start, k, end),) = p.deepest(sinking(deep))
    assert (start, k) == (0, 15)
    # 5 % of 75 px above 125 px is passed on the way up between frames 28 and 29.
    assert end == 30


# --- the camera -----------------------------------------------------------------------


def test_drift_is_between_the_first_and_the_last_third_of_a_stance() -> None:
    seen = stepping({"r": steps((10, 25), (40, 61), (70, 80))})
    ankle = seen.points["ankle_joint_center_r"]
    ankle[:, 0] = 300.0
    # 21 frames, thirds of seven: 12 px in two thirds of 0.4 s.
    ankle[54:61, 0] += 12.0
    del seen.points["ankle_joint_center_l"], seen.points["hip_joint_center_l"]
    ankle[40:47, 0] = 300.0
    ankle[11, 0] = ankle[24, 0] = 900.0  # one stray frame of a third has no say
    # The other two stances do not move: the middle of 0, 45 and 0.
    assert p.camera_drift(seen) == pytest.approx(0.0)
    ankle[77:80, 0] -= 9.0
    drifts = [0.0, 12.0 / (0.4 * 2 / 3), 9.0 / (0.18 * 2 / 3)]
    assert p.camera_drift(seen) == pytest.approx(sorted(drifts)[1])


@pytest.mark.parametrize(("frames", "known"), [(4, True), (3, False)])
def test_a_foot_that_never_steps_is_looked_at_for_the_whole_clip(
    frames: int, known: bool
) -> None:
    seen = legs(50, start=5.0)
    for side in SIDES:
        path = seen.points[f"ankle_joint_center_{side}"]
        path[frames:] = np.nan
        path[:frames, 0] += [0.0, 1.0, 2.0, 6.0][:frames]
    drift = p.camera_drift(seen)
    if not known:
        assert np.isnan(drift)
        return
    # One frame is a third of four; the clip lasts 0.98 s.
    assert drift == pytest.approx(6.0 / (0.98 * 2.0 / 3.0))
    left = legs(50)
    for side, pace in zip(SIDES, (10.0, 40.0), strict=True):
        left.points[f"ankle_joint_center_{side}"][:, 0] += pace * left.time
    # 50 frames: thirds of 16, whose middles are 34 frames apart.
    slid = 34 / RATE / (49 / RATE * 2.0 / 3.0)
    assert p.camera_drift(left) == pytest.approx(slid * 25.0)


# --- standing -------------------------------------------------------------------------


def standing(knees: float, ankles: float) -> Picture:
    seen = legs()
    for side, sign in zip(SIDES, (-1.0, 1.0), strict=True):
        for name, y, apart in zip(
            JOINTS, (500.0, 300.0, 100.0), (80.0, knees, ankles), strict=True
        ):
            seen.points[f"{name}_{side}"][:] = [500.0 + sign * apart / 2.0, y]
    return seen


@pytest.mark.parametrize(
    ("knees", "ankles", "verdict"),
    [
        (64.0, 54.0, "both"), (64.0, 56.0, "knees touch"), (66.0, 54.0, "malleoli touch"),
        (66.0, 56.0, "neither"),
    ],
)  # fmt: skip
def test_two_metres_of_body_touch_at_13_and_11_centimetres(
    knees: float, ankles: float, verdict: str
) -> None:
    found = p.standing_test(standing(knees, ankles), 2.0)
    assert found.verdict == verdict
    assert found.knees_mm == pytest.approx(2.0 * knees)
    assert found.ankles_mm == pytest.approx(2.0 * ankles)


@pytest.mark.parametrize(
    ("degrees", "name"), [(3.1, "valgus"), (2.9, "neutral"), (-2.9, "neutral"), (-3.1, "varus")]
)
def test_a_leg_is_neutral_within_three_degrees_of_straight(degrees: float, name: str) -> None:
    seen = standing(80.0, 80.0)
    off = 200.0 * np.tan(np.radians(degrees / 2.0))
    seen.points["knee_joint_center_l"][:, 0] -= off
    found = p.standing_test(seen, 1.8)
    assert found.classes == {"r": "neutral", "l": name}
    assert found.hip_knee_ankle["l"] == pytest.approx(degrees)
    assert found.hip_knee_ankle["r"] == pytest.approx(0.0, abs=1e-9)


# --- tasks ----------------------------------------------------------------------------

RIGHT = ((5, 15), (45, 55), (85, 95), (125, 135))
LEFT = ((25, 35), (65, 75), (105, 115), (145, 155))


def test_feet_take_turns_in_more_than_seven_of_ten_steps() -> None:
    seen = stepping({"r": steps(*RIGHT, frames=170), "l": steps(*LEFT, frames=170)})
    assert p.task_of(seen) == "running"
    # r l r l r r l: four of six turns; with one more of each, eight of ten.
    spans = {"r": [(5, 10), (25, 30), (45, 50), (55, 60)], "l": [(15, 20), (35, 40), (65, 70)]}
    some = stepping({s: steps(*spans[s], frames=170) for s in SIDES})
    turned = 5 / 6
    assert p.task_of(some) == "running" and turned > 0.7
    spans["l"] = [(35, 40), (65, 70)]
    some = stepping({s: steps(*spans[s], frames=170) for s in SIDES})  # r r l r r l: 3 of 5
    assert p.task_of(some) == "static"
    alone = stepping({"r": steps(*RIGHT, frames=170)})
    assert p.task_of(alone) == "static"


@pytest.mark.parametrize(("down", "task"), [(20, "running"), (22, "walking")])
def test_walking_has_each_foot_down_for_half_of_a_stride(down: int, task: str) -> None:
    """Strides of 40 frames; from the first to the last of 20 frames down are 19."""
    right, left = (tuple((a, a + down) for a, _ in spans) for spans in (RIGHT, LEFT))
    seen = stepping({"r": steps(*right, frames=175), "l": steps(*left, frames=175)})
    start, end = p.contacts(seen, "r")[0]
    assert (end - start) * RATE == pytest.approx(down - 1)
    assert p.task_of(seen) == task


@pytest.mark.parametrize("axis", [0, 1])
def test_quiet_standing_keeps_the_hips_within_six_hundredths_of_the_leg(axis: int) -> None:
    for moved, task in ((47.0, "static"), (49.0, "other")):
        seen = legs()
        seen.points["hip_joint_center_l"][:, axis] += np.linspace(0.0, moved, 100)
        seen.points["hip_joint_center_l"][50] = np.nan
        assert p.task_of(seen) == task
    nobody = legs()
    nobody.points["hip_joint_center_l"][:] = np.nan
    assert p.task_of(nobody) == "other"


# --- rows -----------------------------------------------------------------------------


def test_rows_of_a_run_are_each_sides_own() -> None:
    seen = stepping({"r": steps(*RIGHT, frames=170), "l": steps(*LEFT, frames=170)})
    hip = seen.points["hip_joint_center_r"]
    hip[:, 1] += np.where((np.arange(170) >= 45) & (np.arange(170) < 55), 8.0, 0.0)
    hip[50, 1] += 4.0
    rows = p.picture_rows(seen, "running")
    assert [(r["side"], r["kind"]) for r in rows] == [
        ("r", "stride"), ("l", "stride"), ("r", "stride"), ("l", "stride"), ("r", "stride"),
        ("l", "stride"), ("r", "partial"), ("l", "partial"),
    ]  # fmt: skip
    second = rows[2]
    assert second["start_s"] == pytest.approx(0.90) and second["mid_s"] == pytest.approx(0.99)
    assert second["end_s"] == pytest.approx(1.70) and second["contact_s"] == pytest.approx(0.18)
    assert second["stride_time_s"] == pytest.approx(0.8)
    assert second["cadence_per_min"] == pytest.approx(150.0)
    # The left hip is 10 px higher, but 2 in this stance; 2 px lower in one frame of it.
    name = "contralateral_pelvic_drop"
    slope = {k: np.degrees(np.arctan(k / 80.0)) for k in (-2.0, 2.0)}
    assert second[f"{name}_ic_deg"] == pytest.approx(slope[-2.0])
    assert second[f"{name}_peak_deg"] == pytest.approx(slope[2.0])
    middle = float(np.interp(49.5, [49, 50], [slope[-2.0], slope[2.0]]))
    assert second[f"{name}_mid_deg"] == pytest.approx(middle)
    assert second[f"{name}_change_deg"] == pytest.approx(middle - slope[-2.0])
    last = rows[6]
    assert last["end_s"] == pytest.approx(2.68) and np.isnan(float(last["stride_time_s"]))
    # Right foot at 455, left at 550 px: 95 px are 190 mm of step, whichever lands.
    assert np.isnan(float(rows[0]["step_width_proxy_mm"]))
    assert all(r["step_width_proxy_mm"] == pytest.approx(190.0) for r in rows[1:])
    walking = p.picture_rows(seen, "walking")
    assert len(walking) == 8
    aside = p.picture_rows(replace(seen, view="sagittal"), "running")
    assert "step_width_proxy_mm" not in aside[3] and aside[3]["view"] == "sagittal"


def test_a_step_is_as_wide_as_from_the_stance_just_before() -> None:
    """The left foot lands ever further out; read in the middle of each stance."""
    seen = stepping({"r": steps(*RIGHT, frames=170), "l": steps(*LEFT, frames=170)})
    left = seen.points["ankle_joint_center_l"]
    for k, (a, b) in enumerate(LEFT):
        left[a - 5 : b + 5, 0] = 550.0 + 10.0 * k
    rows = p.picture_rows(seen, "running")
    found = [float(r["step_width_proxy_mm"]) for r in rows]
    # Pairs (right, left before or after): 95, 95, 105, 105, 115, 115, 125 px.
    np.testing.assert_allclose(found[1:], np.array([95, 95, 105, 105, 115, 115, 125]) * 2.0)


def test_rows_of_squats_hold_their_three_times_and_each_sides_peak() -> None:
    seen = sinking(triangle(20, 40, 80, 100.0))
    knee = seen.points["knee_joint_center_r"]
    knee[:, 0] += triangle(20, 60, 80, 12.0)
    knee[85, 0] += 200.0  # after the end
    knee[10, 0] += 200.0  # before the start
    left, right = p.picture_rows(seen, "squat")
    assert (left["side"], right["side"]) == ("l", "r")
    for row in (left, right):
        assert (row["kind"], row["forces"], row["view"]) == ("repetition", "none", "frontal")
        times = [float(row[n]) for n in ("start_s", "mid_s", "end_s")]
        assert times == pytest.approx([0.42, 0.80, 1.56])
        # Knees 65 px apart, less by what the right one has moved; hips 80.
        assert row["knee_separation_mid_ratio"] == pytest.approx((65.0 - 6.0) / 80.0)
    shift = p.knee_shift(seen, "r")
    assert right["medial_knee_shift_ic_pct_leg"] == pytest.approx(shift[21])
    assert right["medial_knee_shift_mid_pct_leg"] == pytest.approx(shift[40])
    assert right["medial_knee_shift_peak_pct_leg"] == pytest.approx(shift[21:79].max())
    assert right["medial_knee_shift_change_pct_leg"] == pytest.approx(shift[40] - shift[21])
    assert shift[[10, 85]].min() > shift[21:79].max()
    assert left["projection_angle_peak_deg"] == pytest.approx(
        p.projection_angle(seen, "l")[21:79].max()
    )


def test_a_knee_that_was_not_seen_has_no_figures_and_a_gap_is_passed_over() -> None:
    seen = sinking(triangle(20, 40, 80, 100.0))
    seen.points["knee_joint_center_r"][:] = np.nan
    seen.points["knee_joint_center_l"][41:45] = np.nan
    left, right = p.picture_rows(seen, "squat")
    for part in ("ic", "mid", "peak", "change"):
        assert np.isnan(float(right[f"projection_angle_{part}_deg"]))
        assert np.isfinite(float(left[f"projection_angle_{part}_deg"]))


def test_a_value_is_read_within_three_frames_of_one_that_was_seen() -> None:
    time = np.arange(30) / RATE
    values = np.full(30, np.nan)
    values[[10, 20]] = 5.0, 15.0
    for frame, known in (
        (6, False),
        (7, True),
        (13, True),
        (14, False),
        (16, False),
        (17, True),
    ):
        found = p._at(time, values, frame / RATE)
        assert np.isfinite(found) == known, frame
        if known:
            assert found == pytest.approx(np.interp(frame, [10, 20], [5.0, 15.0]))
    values[[10, 20]] = np.nan
    values[0] = 3.0
    assert p._at(time, values, 0.0) == 3.0 and p._at(time, values, 0.06) == 3.0
    assert np.isnan(p._at(time, values, 0.08))
