"""Known answers of the stride table over a ground that moves across axes, side by side."""

from __future__ import annotations

from dataclasses import fields, replace
from types import SimpleNamespace

import numpy as np
import pytest
from kneestride.motion import strides
from kneestride.motion.contacts import Contact, Contacts
from kneestride.motion.kinematics import AnatomicalPaths
from kneestride.motion.strides import Stride
from kneestride.motion.tasks import Repetition, Task
from kneestride.vocabulary import SIDES, Array, Side
from stick_figure import Gait, gait

TIME = 5.0 + np.arange(401) / 100.0
WAY = np.array([0.6, 0.0, 0.8])
RIGHT = np.array([-0.8, 0.0, 0.6])  # of the way: (0.6, 0, 0.8) × up
GROUND = np.array([1.0, 0.0, -2.0])  # −1 m/s along the way
BELT = np.array([0.25, 0.0, 0.5])


def line(along: float, up: float, right: float, *speeds: float) -> Array:
    """(401, 3): where it is at 5 s, and its speeds along the way, upwards and to the right."""
    t = (TIME - 5.0)[:, None]
    place = along * WAY + right * RIGHT + np.array([0.0, up, 0.0])
    speed = speeds[0] * WAY + speeds[2] * RIGHT + np.array([0.0, speeds[1], 0.0])
    out: Array = place + t * speed
    return out


# Pelvis: 3 m/s on, 0.1 m/s to the right. Heels and heads each on a way of their own.
PATHS = AnatomicalPaths(
    TIME, 100.0,
    {
        "hip_center_r": line(0.0, 0.9, 0.11, 3.0, 0.0, 0.1),
        "hip_center_l": line(0.0, 0.8, -0.09, 3.0, 0.2, 0.1),
        "heel_bottom_r": line(0.5, 0.1, 0.2, 2.0, 0.1, 0.3),
        "heel_bottom_l": line(-0.25, 0.2, -0.3, 4.0, 0.3, -0.2),
        "metatarsal_2_r": line(0.7, 0.1, 0.25, 2.0, 0.0, 0.4),
        "metatarsal_2_l": line(0.1, 0.2, -0.4, 4.0, 0.0, -0.1),
        "metatarsal_1_r": line(0.7, 0.1, 0.2, 2.0, 0.0, 0.0),
        "metatarsal_1_l": line(0.1, 0.2, -0.3, 4.0, 0.0, 0.0),
        "metatarsal_5_r": line(0.6, 0.1, 0.3, 2.0, 0.0, 0.0),
        "metatarsal_5_l": line(0.1, 0.2, -0.5, 4.0, 0.0, 0.0),
    },
    {}, {}, WAY, BELT,
)  # fmt: skip
R = (Contact(5.25, 5.75), Contact(6.25, 6.5), Contact(7.5, 8.0))
L = (Contact(5.875, 6.125), Contact(6.75, 7.25), Contact(8.0, 8.5))
BOTH = Contacts(R, L)


def rows(contacts: Contacts = BOTH, side: Side = "r") -> list[Stride]:
    return strides._strides_of(PATHS, contacts, side, GROUND)


# --- parts --------------------------------------------------------------------------------


def test_what_does_not_apply_is_nan_and_ends_are_recorded_unless_told() -> None:
    plain = Stride("partial", "l", 1.0, 2.0, 1.25, 1.75, 1.5)
    rest = [f.name for f in fields(Stride)][7:-2]
    assert len(rest) == 9
    assert all(np.isnan(getattr(plain, name)) for name in rest)
    assert (plain.complete_start, plain.complete_end) == (True, True)


@pytest.mark.parametrize(
    ("t", "value"),
    [(0.0, 4.0), (1.0, 4.0), (1.25, 5.0), (2.0, 8.0), (3.5, 7.0), (4.0, 6.5),
     (6.0, 5.5), (9.0, 5.5)],
)  # fmt: skip
def test_a_value_is_read_between_its_neighbours_and_held_beyond(t: float, value: float) -> None:
    time, values = np.array([1.0, 2.0, 3.0, 5.0]), np.array([4.0, 8.0, 7.5, 5.5])
    assert strides.at(time, values, t) == pytest.approx(value)
    two = strides.at(time, np.column_stack([values, -values, values + 1.0]), t)
    assert two == pytest.approx([value, -value, value + 1.0])


def test_right_is_a_unit_across_the_way_whatever_its_length() -> None:
    np.testing.assert_allclose(strides.right_axis(np.array([3.0, 0.0, 0.0])), [0, 0, 1])
    np.testing.assert_allclose(strides.right_axis(np.array([0.0, 0.0, 2.0])), [-1, 0, 0])
    np.testing.assert_allclose(strides.right_axis(WAY), RIGHT, atol=1e-12)
    # A way that climbs has its right in the horizontal too.
    np.testing.assert_allclose(strides.right_axis(np.array([3.0, 9.0, 4.0])), RIGHT, atol=1e-12)


def test_the_ground_is_measured_where_feet_step_and_else_given() -> None:
    paths, _ = gait(Gait(cycles=3.3, rate=100.0))
    wrong = replace(paths, belt_velocity=BELT)
    assert strides.ground_velocity(wrong) == pytest.approx([-3.0, 0.0, 0.0], abs=0.05)
    np.testing.assert_array_equal(strides.ground_velocity(PATHS), BELT)


def test_step_width_is_read_at_the_middle_of_each_contact() -> None:
    # Right heel at 6.375 s, left at 6 s: 0.2 + 0.3 · 1.375 and −0.3 − 0.2 · 1 to the right.
    width = (0.2 + 0.3 * 1.375) - (-0.3 - 0.2)
    assert strides.step_width(PATHS, "r", R[1], L[0]) == pytest.approx(width)
    # Left at 7 s after right at 6.375 s.
    width = (0.2 + 0.3 * 1.375) - (-0.3 - 0.2 * 2.0)
    assert strides.step_width(PATHS, "l", L[1], R[1]) == pytest.approx(width)


def test_a_step_is_as_long_as_the_ground_did_not_carry_it() -> None:
    # Right heel at 6.25 s, left at 5.875 s; the ground made −1 m/s meanwhile.
    length, time = strides._step(PATHS, "r", R[1], L[0], GROUND)
    assert time == pytest.approx(0.375)
    assert length == pytest.approx((0.5 + 2.0 * 1.25) - (-0.25 + 4.0 * 0.875) + 0.375)
    length, time = strides._step(PATHS, "l", L[1], R[1], GROUND)
    assert time == pytest.approx(0.5)
    assert length == pytest.approx((-0.25 + 4.0 * 1.75) - (0.5 + 2.0 * 1.25) + 0.5)


def test_the_contact_before_is_the_other_foots_last_unless_ones_own_came_between() -> None:
    assert strides._last_before(R, 6.25) is R[0]
    assert strides._last_before(R, 6.26) is R[1]
    assert strides._last_before(R, 5.25) is None
    assert strides._last_before(R, 9.0) is R[2]
    assert strides._preceding(BOTH, "r", R[0]) is None
    assert strides._preceding(BOTH, "r", R[1]) is L[0]
    assert strides._preceding(BOTH, "r", R[2]) is L[1]
    assert strides._preceding(BOTH, "l", L[0]) is R[0]
    assert strides._preceding(BOTH, "l", L[2]) is R[2]
    gap = Contacts(R, L[:1])
    assert strides._preceding(gap, "r", R[2]) is None
    assert strides._preceding(Contacts(R[:1], L), "l", L[1]) is None
    # Landed together: neither came between.
    twin = Contact(5.875, 6.0)
    assert strides._preceding(Contacts((twin, R[2]), (L[0],)), "r", R[2]) is L[0]


def test_a_foot_passes_at_the_first_of_its_anchors_within_the_contact(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    anchors = {"r": (10, 60, 70, 100), "l": (62,)}
    monkeypatch.setattr(
        strides, "foot_signals", lambda paths, side: SimpleNamespace(anchors=anchors[side])
    )

    def passing(side: Side, start: float, end: float) -> float:
        return strides._passing(PATHS, side, Contact(start, end))

    assert passing("r", 5.25, 5.75) == pytest.approx(5.6)
    assert passing("l", 5.25, 5.75) == pytest.approx(5.62)
    assert passing("r", TIME[60], 5.65) == TIME[60] and passing("r", 5.55, TIME[60]) == TIME[60]
    assert np.isnan(passing("r", 5.75, 5.95)) and np.isnan(passing("l", 5.0, 5.6))


# --- rows ---------------------------------------------------------------------------------


def test_a_row_has_the_answers_of_its_ways() -> None:
    first, second = rows()
    assert (second.kind, second.side) == ("stride", "r")
    assert (second.start_s, second.end_s) == (6.25, 7.5)
    assert (second.contact_start_s, second.contact_end_s) == (6.25, 6.5)
    assert second.mid_s == 6.375 and second.contact_s == 0.25
    assert second.stride_time_s == 1.25 and second.cadence == pytest.approx(96.0)
    assert second.speed_m_s == pytest.approx(3.0 + 1.0)
    assert second.step_width_m == pytest.approx((0.2 + 0.3 * 1.375) - (-0.3 - 0.2))
    # Hips' middle: 0.01 m to the right at 5 s, and 0.1 m/s.
    middle = 0.01 + 0.1 * 1.375
    assert second.heel_to_midline_m == pytest.approx(0.2 + 0.3 * 1.375 - middle)
    assert second.toe_to_midline_m == pytest.approx(0.25 + 0.4 * 1.375 - middle)
    assert second.step_time_s == pytest.approx(0.375)
    assert second.step_length_m == pytest.approx(3.0 - 3.25 + 0.375)
    assert (second.complete_start, second.complete_end) == (True, True)
    assert np.isnan([first.step_width_m, first.step_length_m, first.step_time_s]).all()
    left, last = rows(side="l")
    assert (left.side, left.start_s, left.end_s) == ("l", 5.875, 6.75)
    middle = 0.01 + 0.1 * 1.0
    assert left.heel_to_midline_m == pytest.approx(-(-0.3 - 0.2 - middle))
    assert left.toe_to_midline_m == pytest.approx(-(-0.4 - 0.1 - middle))
    assert left.step_length_m == pytest.approx(3.25 - (0.5 + 0.5) + 0.625)
    assert (last.start_s, last.end_s) == (6.75, 8.0)


@pytest.mark.parametrize(("duration", "count"), [(1.49, 3), (1.51, 2)])
def test_a_stride_of_one_and_a_half_usual_ones_hides_a_contact(
    duration: float, count: int
) -> None:
    own = tuple(Contact(5.0 + t, 5.2 + t) for t in (0.0, 1.0, 1.0 + duration, 2.0 + duration))
    found = rows(Contacts(own, ()))
    assert len(found) == count
    # The long one is left out, not those after it.
    assert found[-1].start_s == own[2].initial_contact_s
    assert found[0].end_s == own[1].initial_contact_s


def test_strides_begin_with_whole_contacts_and_end_with_a_landing() -> None:
    cut_end = replace(R[1], complete_end=False)
    found = rows(Contacts((R[0], cut_end, R[2]), L))
    assert [(row.start_s, row.end_s) for row in found] == [(5.25, 6.25)]
    cut_start = replace(R[1], complete_start=False)
    assert {row.kind for row in rows(Contacts((R[0], cut_start, R[2]), L))} == {"partial"}
    last = replace(R[2], complete_end=False)
    assert len(rows(Contacts((*R[:2], last), L))) == 2


def test_contacts_alone_are_partial_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        strides, "foot_signals", lambda paths, side: SimpleNamespace(anchors=(140,))
    )
    cut = replace(R[1], complete_end=False)
    (row,) = rows(Contacts((cut,), L))
    assert (row.kind, row.start_s, row.end_s) == ("partial", 6.25, 6.5)
    assert row.mid_s == pytest.approx(6.4)  # where the foot passes, not the contact's middle
    assert np.isnan([row.contact_s, row.stride_time_s, row.cadence, row.step_width_m]).all()
    assert (row.complete_start, row.complete_end) == (True, False)
    assert row.heel_to_midline_m == pytest.approx(0.2 + 0.3 * 1.4 - 0.01 - 0.1 * 1.4)
    # Both landings were seen, so that the step is known though the width is not.
    assert row.step_time_s == pytest.approx(0.375) and row.speed_m_s == pytest.approx(4.0)
    (row,) = rows(Contacts((replace(R[1], complete_start=False),), L))
    assert np.isnan(row.step_time_s) and (row.complete_start, row.complete_end) == (False, True)
    (row,) = rows(Contacts((R[1],), (replace(L[0], complete_end=False),)))
    assert np.isnan(row.step_width_m) and row.step_time_s == pytest.approx(0.375)
    (row,) = rows(Contacts((R[1],), (replace(L[0], complete_start=False),)))
    assert np.isnan(row.step_width_m) and np.isnan(row.step_time_s)
    (row,) = rows(Contacts((R[1],), L))
    assert row.mid_s == 6.375 and row.contact_s == 0.25


def test_without_a_toe_only_the_heel_is_told() -> None:
    points = {n: p for n, p in PATHS.points.items() if n != "metatarsal_2_r"}
    bare = replace(PATHS, points=points)
    row = strides._strides_of(bare, BOTH, "r", GROUND)[1]
    assert np.isnan(row.toe_to_midline_m)
    assert row.heel_to_midline_m == pytest.approx(0.2 + 0.3 * 1.375 - 0.01 - 0.1 * 1.375)
    assert not np.isnan(strides._strides_of(bare, BOTH, "l", GROUND)[1].toe_to_midline_m)


# --- tables -------------------------------------------------------------------------------


def test_rows_come_in_order_of_time_over_the_ground_that_was_given() -> None:
    gaits: tuple[Task, ...] = ("running", "walking")
    for task in gaits:
        found = strides.stride_table(PATHS, BOTH, task)
        assert [(row.side, row.start_s) for row in found] == [
            ("r", 5.25), ("l", 5.875), ("r", 6.25), ("l", 6.75),
        ]  # fmt: skip
        # 0.25 · 0.6 + 0.5 · 0.8 along the way: these feet do not step, so the belt counts.
        assert found[0].speed_m_s == pytest.approx(3.0 - 0.55)
    together = strides.stride_table(PATHS, Contacts(R, R), "running")
    assert [row.side for row in together] == ["l", "r", "l", "r"]
    assert strides.stride_table(PATHS, BOTH, "static") == ()
    assert strides.stride_table(PATHS, BOTH, "other") == ()
    # Nobody steps, falls, bends or stands here: without a task there is none.
    assert strides.stride_table(PATHS, Contacts((), ())) == ()


def bent(peaks: dict[str, float]) -> AnatomicalPaths:
    """Falling at 2 m/s, each knee bent most at a time of its own."""
    points = dict(PATHS.points)
    for side, z in (("r", 0.1), ("l", -0.1)):
        hip = np.column_stack([0.0 * TIME, 9.0 - 2.0 * TIME, 0.0 * TIME + z])
        bend = 1.5 * np.exp(-((TIME - peaks[side]) ** 2))
        knee = hip + np.array([0.0, -0.4, 0.0])
        shank = 0.4 * np.column_stack([-np.sin(bend), -np.cos(bend), 0.0 * bend])
        points |= {
            f"hip_center_{side}": hip, f"knee_center_{side}": knee,
            f"ankle_center_{side}": knee + shank,
        }  # fmt: skip
    return replace(PATHS, points=points)


def test_landings_are_read_where_their_own_knee_is_bent_most() -> None:
    paths = bent({"r": 6.0, "l": 7.0})
    right = (Contact(5.5, 6.5), Contact(6.75, 7.5, True, False), Contact(8.0, 8.5, False, True))
    found = strides.stride_table(paths, Contacts(right, (Contact(6.625, 8.0),)), "landing")
    assert {row.kind for row in found} == {"landing"}
    assert [(row.side, row.start_s, row.end_s) for row in found] == [
        ("r", 5.5, 6.5), ("l", 6.625, 8.0), ("r", 6.75, 7.5),
    ]  # fmt: skip
    assert [row.mid_s for row in found] == pytest.approx([6.0, 7.0, 6.75])
    assert [(row.contact_start_s, row.contact_end_s) for row in found] == [
        (row.start_s, row.end_s) for row in found
    ]
    assert [row.contact_s for row in found][:2] == [1.0, 1.375] and np.isnan(found[2].contact_s)
    assert [(row.complete_start, row.complete_end) for row in found] == [
        (True, True), (True, True), (True, False),
    ]  # fmt: skip
    # Whether a beginning was seen is handed on as it is.
    cut = strides._landing(TIME, 0.0 * TIME, "l", Contact(5.5, 6.0, False, True))
    assert (cut.side, cut.complete_start, cut.complete_end) == ("l", False, True)
    assert np.isnan(cut.contact_s)


def test_the_deepest_frame_is_sought_between_both_ends_and_past_gaps() -> None:
    flexion = np.where(TIME < 7.0, TIME, 14.0 - TIME)
    assert strides._deepest(TIME, flexion, 6.0, 8.0) == pytest.approx(7.0)
    assert strides._deepest(TIME, flexion, 6.0, 6.5) == pytest.approx(6.5)
    assert strides._deepest(TIME, flexion, 7.5, 8.0) == pytest.approx(7.5)
    flexion[150:] = np.nan
    assert strides._deepest(TIME, flexion, 6.0, 8.0) == pytest.approx(6.49)
    assert strides._deepest(TIME, flexion, 7.0, 8.5) == 7.75
    assert strides._deepest(TIME, flexion, 7.001, 7.009) == pytest.approx(7.005)


UNITS = (Repetition(5.0, 5.4, 6.0, 1.0), Repetition(7.0, 7.5, 8.0, 1.2))


def test_legs_that_stand_for_nine_tenths_of_a_repetition_have_a_row(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(strides, "repetitions", lambda paths: UNITS)
    # Of the 101 frames of the first: 90 on the right (89.1 %), 91 on the left (90.1 %).
    right, left = (Contact(5.0, 5.895), Contact(6.5, 9.0)), (Contact(5.0, 5.905),)
    found = strides.stride_table(PATHS, Contacts(right, left), "squat")
    assert [(row.kind, row.side, row.start_s) for row in found] == [
        ("repetition", "l", 5.0), ("repetition", "r", 7.0),
    ]  # fmt: skip
    assert [(row.end_s, row.mid_s) for row in found] == [(6.0, 5.4), (8.0, 7.5)]
    assert [(row.contact_start_s, row.contact_end_s) for row in found] == [(5, 6), (7, 8)]
    # Nothing known of contacts: both legs, each time.
    found = strides.stride_table(PATHS, Contacts((), ()), "squat")
    assert [(row.side, row.start_s) for row in found] == [
        ("l", 5.0), ("r", 5.0), ("l", 7.0), ("r", 7.0),
    ]  # fmt: skip


@pytest.mark.parametrize("side", SIDES)
def test_the_ends_of_a_repetition_count(side: Side, monkeypatch: pytest.MonkeyPatch) -> None:
    # Ten frames, from the first to the last: down in nine of them.
    unit = Repetition(float(TIME[100]), float(TIME[105]), float(TIME[109]), 1.0)
    monkeypatch.setattr(strides, "repetitions", lambda paths: (unit,))
    for first, last, count in ((101, 109, 1), (100, 108, 1), (101, 108, 0)):
        down = (Contact(float(TIME[first]), float(TIME[last])),)
        contacts = Contacts(down, ()) if side == "r" else Contacts((), down)
        found = strides._repetitions(PATHS, contacts)
        assert [row.side for row in found] == [side] * count
