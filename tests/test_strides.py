"""Laws of the stride table: signed step width, lengths, tasks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kneestride.motion.contacts import Contact, Contacts, between
from kneestride.motion.events import events_from_kinematics
from kneestride.motion.strides import right_axis, stride_table
from kneestride.motion.tasks import knee_flexion, recognise_task, repetitions
from kneestride.vocabulary import SIDES
from stick_figure import (
    Gait,
    drop_jump,
    finish,
    foot_points,
    gait,
    leg_points,
    mirrored,
    mirrored_contacts,
    squats,
    turned,
)

WALK = Gait(speed=1.3, period=1.1, duty=0.62, step_width=0.1)
FIELDS = (
    "start_s",
    "end_s",
    "mid_s",
    "contact_s",
    "step_width_m",
    "heel_to_midline_m",
    "toe_to_midline_m",
    "step_length_m",
    "step_time_s",
    "stride_time_s",
    "cadence",
    "speed_m_s",
)


def whole(paths, contacts, task="running"):
    return [s for s in stride_table(paths, contacts, task) if s.kind == "stride"]


def numbers(strides):
    return np.array([[getattr(s, f) for f in FIELDS] for s in strides])


@settings(max_examples=15, deadline=None)
@given(st.floats(-0.12, 0.3), st.floats(-3.0, 3.0), st.booleans())
def test_step_width_is_that_of_the_figure_wherever_the_laboratory_points(width, turn, belt):
    paths, contacts = gait(Gait(step_width=width, treadmill=belt))
    strides = whole(turned(paths, turn), contacts)
    assert len(strides) >= 9
    found = [s.step_width_m for s in strides[1:]]
    assert found == pytest.approx([width] * len(found), abs=1e-9)


def test_figure_that_crosses_by_30_mm_has_minus_30_mm_on_both_sides():
    paths, contacts = gait(Gait(step_width=-0.03))
    for side in SIDES:
        widths = [s.step_width_m for s in whole(paths, contacts)[1:] if s.side == side]
        assert widths == pytest.approx([-0.03] * len(widths), abs=1e-9)


def test_one_foot_across_by_40_mm_is_a_step_width_40_mm_smaller():
    paths, contacts = gait(Gait(step_width=0.05))
    points = dict(paths.points)
    points["heel_bottom_r"] = points["heel_bottom_r"] + np.array([0.0, 0.0, -0.04])
    moved = type(paths)(**{**paths.__dict__, "points": points})
    before, after = whole(paths, contacts)[1:], whole(moved, contacts)[1:]
    for a, b in zip(before, after, strict=True):
        assert b.step_width_m - a.step_width_m == pytest.approx(-0.04, abs=1e-9)
        shift = -0.04 if a.side == "r" else 0.0
        assert b.heel_to_midline_m - a.heel_to_midline_m == pytest.approx(shift, abs=1e-9)


def test_foot_to_midline_is_half_the_step_width_of_a_symmetric_figure():
    paths, contacts = gait(Gait(step_width=-0.03))
    for s in whole(paths, contacts):
        assert s.heel_to_midline_m == pytest.approx(-0.015, abs=1e-9)


@pytest.mark.parametrize("belt", [True, False])
@pytest.mark.parametrize("shape", [Gait(), WALK], ids=["run", "walk"])
def test_speed_cadence_and_step_length_agree_with_the_figure(shape, belt):
    g = Gait(**{**shape.__dict__, "treadmill": belt})
    paths, contacts = gait(g)
    for s in whole(paths, contacts)[1:]:
        assert s.speed_m_s == pytest.approx(g.speed, abs=0.02)
        assert s.cadence == pytest.approx(120.0 / g.period, rel=1e-9)
        assert s.contact_s == pytest.approx(g.duty * g.period, abs=1e-9)
        assert s.step_time_s == pytest.approx(0.5 * g.period, abs=1e-9)
        assert s.step_length_m == pytest.approx(0.5 * g.speed * g.period, abs=0.01)


def test_mirror_changes_nothing_but_the_names():
    paths, contacts = gait(Gait(step_width=-0.02))
    a = whole(paths, contacts)
    b = whole(mirrored(paths), mirrored_contacts(contacts))
    assert [s.side for s in b] == ["l" if s.side == "r" else "r" for s in a]
    np.testing.assert_allclose(numbers(a), numbers(b), atol=1e-9)


def test_turning_the_laboratory_changes_nothing():
    paths, contacts = gait(Gait(step_width=0.02))
    a, b = whole(paths, contacts), whole(turned(paths, 2.2), contacts)
    np.testing.assert_allclose(numbers(a), numbers(b), atol=1e-9)


def test_step_width_pairs_with_the_preceding_opposite_contact():
    paths, contacts = gait(Gait())
    points = dict(paths.points)
    drift = 0.02 * paths.time[:, None] * np.array([0.0, 0.0, 1.0])  # to the right
    points = {n: p + drift for n, p in points.items()}
    moved = type(paths)(**{**paths.__dict__, "points": points})
    for s in whole(moved, contacts)[1:]:
        sign = 1.0 if s.side == "r" else -1.0  # the later foot is further right
        assert s.step_width_m == pytest.approx(0.04 + sign * 0.02 * 0.35, abs=1e-9)


def test_a_contact_that_was_not_seen_gives_no_long_stride():
    paths, contacts = gait(Gait())
    holed = Contacts(contacts.r[:2] + contacts.r[3:], contacts.l, contacts.source)
    longest = max(s.stride_time_s for s in whole(paths, holed))
    assert longest == pytest.approx(0.7, abs=1e-9)
    for s in whole(paths, holed):
        assert np.isnan(s.step_width_m) or s.step_width_m == pytest.approx(0.04, abs=1e-9)


def test_without_a_whole_stride_contacts_are_partial():
    paths, _ = gait(Gait())
    one = Contacts((Contact(0.8, 1.045),), (Contact(1.15, 1.395),))
    rows = stride_table(paths, one, "running")
    assert [(r.kind, r.side) for r in rows] == [("partial", "r"), ("partial", "l")]
    assert rows[1].step_width_m == pytest.approx(0.04, abs=1e-9)
    assert np.isnan(rows[0].step_width_m) and np.isnan(rows[0].stride_time_s)


def test_right_of_forward_is_plus_z():
    np.testing.assert_allclose(right_axis(np.array([1.0, 0.0, 0.0])), [0.0, 0.0, 1.0])


def test_tasks_are_recognised():
    for shape, name in ((Gait(), "running"), (WALK, "walking")):
        paths, contacts = gait(shape)
        assert recognise_task(paths, contacts) == name
        assert recognise_task(paths, events_from_kinematics(paths)) == name
    paths = squats()
    assert recognise_task(paths, events_from_kinematics(paths)) == "squat"
    paths, _ = drop_jump()
    assert recognise_task(paths, events_from_kinematics(paths)) == "landing"


def standing(frames=300):
    time = np.arange(frames) / 100.0
    points = {}
    for side in SIDES:
        sign = 1.0 if side == "r" else -1.0
        points |= foot_points(side, np.tile([0.0, 0.0, 0.1 * sign], (frames, 1)))
        hip = np.tile([0.05, 0.925, 0.09 * sign], (frames, 1))
        points |= leg_points(side, hip, points[f"ankle_center_{side}"])
    return finish(time, 100.0, points)


def test_standing_is_static():
    paths = standing()
    contacts = events_from_kinematics(paths)
    assert recognise_task(paths, contacts) == "static"
    assert stride_table(paths, contacts) == ()


def test_straight_leg_has_no_knee_flexion_and_law_of_cosines_holds():
    paths = squats()
    hip, ankle = paths.points["hip_center_r"], paths.points["ankle_center_r"]
    span = np.linalg.norm(hip - ankle, axis=1)
    expected = np.pi - np.arccos(
        np.clip((0.43**2 + 0.42**2 - span**2) / (2 * 0.43 * 0.42), -1.0, 1.0)
    )
    np.testing.assert_allclose(knee_flexion(paths, "r"), expected, atol=1e-6)


def test_three_squats_are_three_repetitions_a_leg():
    paths = squats(3)
    units = repetitions(paths)
    assert [u.deepest_s for u in units] == pytest.approx([2.0, 5.0, 8.0], abs=0.03)
    rows = stride_table(paths, events_from_kinematics(paths))
    assert {(r.kind, r.side) for r in rows} == {("repetition", "r"), ("repetition", "l")}
    assert len(rows) == 6


def test_drop_gives_a_landing_a_leg_at_the_time_of_impact():
    paths, landing = drop_jump()
    rows = stride_table(paths, events_from_kinematics(paths))
    assert [(r.kind, r.side) for r in rows] == [("landing", "l"), ("landing", "r")]
    for r in rows:
        assert r.start_s == pytest.approx(landing, abs=0.02)
        assert r.mid_s > r.start_s


@pytest.mark.parametrize(
    ("start", "end"),
    [
        *((0.2, 0.5), (0.2, 0.2), (0.21, 0.22), (-3.0, 0.1), (0.9, 9.0), (2.0, 3.0)),
        *((0.5, 0.2), (float("nan"), 0.5), (0.2, float("nan"))),
    ],
)
def test_frames_between_two_times_are_those_that_a_mask_finds(start: float, end: float) -> None:
    time = np.arange(101) / 100.0
    frames = np.arange(101)
    found = frames[between(time, start, end)]
    np.testing.assert_array_equal(found, frames[(time >= start) & (time <= end)])
