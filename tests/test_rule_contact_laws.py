"""Known answers of contacts read from the sole's ways: which frame begins and ends them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from kneestride.motion.contacts import Contact, Contacts
from kneestride.motion.events import (
    KinematicSettings,
    _with_edges,
    events_from_kinematics,
    landings_from_kinematics,
    rule_contacts,
)
from kneestride.motion.foot_signals import FootSignals, foot_signals
from kneestride.motion.kinematics import AnatomicalPaths
from kneestride.vocabulary import SIDES, Array
from stick_figure import Gait, gait

OBLIQUE = np.array([0.6, 0.0, 0.8])
SIDEWAYS = np.array([-0.8, 0.0, 0.6])
GROUND = np.array([-1.0, 0.0, 2.0])
TIME = 3.0 + np.arange(101) / 100.0
PLACES = AnatomicalPaths(TIME, 100.0, {}, {}, {}, OBLIQUE, np.zeros(3))


def knots(*points: tuple[int, float]) -> Array:
    """(101,): straight between (frame, value)."""
    at, values = np.transpose(points)
    out: Array = np.interp(np.arange(101.0), at, values)
    return out


def foot(
    speed: Array,
    rise: Array | float = 0.0,
    anchors: tuple[int, ...] = (50,),
    forefoot: Array | None = None,
    under: Array | None = None,
) -> FootSignals:
    """Speeds along the way over a ground that moves, plus some sideways, which is nobody's."""

    def velocity(along: Array, up: Array | float) -> Array:
        way = GROUND + along[:, None] * OBLIQUE + 4.0 * SIDEWAYS
        way[:, 1] += up
        return np.asarray(way)

    place = np.zeros((101, 3))
    return FootSignals(
        TIME, np.zeros(101) if under is None else under, place, place,
        velocity(speed, 9.0), velocity(speed if forefoot is None else forefoot, rise), anchors,
    )  # fmt: skip


def ruled(signals: FootSignals, **more: float) -> list[tuple[float, float, bool, bool]]:
    """Contacts in frames."""
    found = rule_contacts(signals, GROUND, PLACES, KinematicSettings(**more))  # type: ignore[arg-type]
    return [
        (
            round(100.0 * (c.initial_contact_s - 3.0), 6),
            round(100.0 * (c.toe_off_s - 3.0), 6), c.complete_start, c.complete_end,
        )
        for c in found
    ]  # fmt: skip


LANDING = knots((0, 3.0), (30, 3.0), (40, 0.0), (100, 0.0))  # 0.3 m/s a frame
LIFTING = knots((0, 0.0), (60, 0.0), (70, 2.0), (100, 2.0))  # 0.2 m/s a frame


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_contact_is_from_0_3_m_s_to_a_rise_of_half_a_metre_a_second(sign: float) -> None:
    assert ruled(foot(sign * LANDING, LIFTING)) == [(39.0, 62.5, True, True)]
    assert ruled(foot(sign * LANDING, LIFTING), contact_speed=0.75, rise_speed=0.3) == [
        (37.5, 61.5, True, True)
    ]


def test_the_sole_point_that_stands_first_begins_and_the_forefoot_ends_the_contact() -> None:
    late = knots((0, 3.0), (36, 3.0), (46, 0.0), (100, 0.0))
    for heel, fore in ((LANDING, late), (late, LANDING)):
        assert ruled(foot(heel, LIFTING, forefoot=fore)) == [(39.0, 62.5, True, True)]
    assert ruled(foot(late, LIFTING, forefoot=late)) == [(45.0, 62.5, True, True)]


@pytest.mark.parametrize(("wobble", "begin"), [(0.95, 39.0), (1.05, 45 + 4 * 0.75 / 1.05)])
def test_a_wobble_under_1_m_s_is_no_flight(wobble: float, begin: float) -> None:
    speed = LANDING.copy()
    # Up within the stance, and down past 0.3 m/s.
    speed[41:50] = np.interp(np.arange(41, 50), [41, 45, 49], [0.0, wobble, 0.0])
    ((start, end, *_),) = ruled(foot(speed, LIFTING))
    assert start == pytest.approx(begin, abs=1e-6) and end == 62.5


def test_flight_begins_at_the_frame_after_the_anchor_at_the_earliest() -> None:
    speed = LANDING.copy()
    speed[51:] = 3.0
    rise = np.where(np.arange(101) > 50, 2.0, 0.0)
    assert ruled(foot(speed, rise)) == [(39.0, 50.25, True, True)]
    # At the anchor itself the foot flies: nothing stands there, and what follows is looked at.
    speed = LANDING.copy()
    speed[50] = 3.0
    again = speed.copy()
    again[60:70] = 3.0
    found = ruled(foot(again, knots((0, 0.0), (90, 0.0), (100, 2.0)), anchors=(50, 80)))
    assert found == [(69.9, 92.5, True, True)]


def test_a_foot_that_stands_at_its_anchor_only_has_a_contact() -> None:
    speed = np.full(101, 3.0)
    speed[50] = 0.0
    rise = np.where(np.arange(101) > 50, 2.0, 0.0)
    assert ruled(foot(speed, rise)) == [(49.9, 50.25, True, True)]


def test_flight_is_sought_since_the_last_anchor_and_the_rise_until_the_next() -> None:
    # Two stances, 20–40 and 60–80; rises at 45 and not before the end.
    speed = np.full(101, 3.0)
    speed[20:41] = speed[60:81] = 0.0
    rise = np.zeros(101)
    rise[45:55] = 2.0
    assert ruled(foot(speed, rise, anchors=(30, 70))) == [
        (19.9, 44.25, True, True), (59.9, 100.0, True, False),
    ]  # fmt: skip
    # A rise from the next anchor on is the next contact's: the first ended when the foot moved.
    late = np.zeros(101)
    late[70:] = 2.0
    assert ruled(foot(speed, late, anchors=(30, 70)))[0] == (19.9, 40.1, True, True)
    late[69] = 1.0
    assert ruled(foot(speed, late, anchors=(30, 70)))[0] == (19.9, 68.5, True, True)


def test_a_shuffling_foot_never_rises_and_its_contacts_do_not_overlap() -> None:
    speed = np.full(101, 3.0)
    for start in (5, 35, 65):
        speed[start : start + 21] = 0.0
    assert ruled(foot(speed, anchors=(15, 45, 75))) == [
        (4.9, 25.1, True, True), (34.9, 55.1, True, True), (64.9, 100.0, True, False),
    ]  # fmt: skip


def test_a_foot_that_passes_under_the_pelvis_twice_has_one_contact_until_it_rises() -> None:
    speed, rise = np.full(101, 3.0), np.zeros(101)
    speed[20:51] = speed[70:91] = 0.0
    rise[51:60] = rise[91:] = 2.0
    assert ruled(foot(speed, rise, anchors=(30, 45, 80))) == [
        (19.9, 50.25, True, True), (69.9, 90.25, True, True),
    ]  # fmt: skip


def test_each_of_three_contacts_has_its_own_landing_and_rise() -> None:
    speed, rise = np.full(101, 3.0), np.zeros(101)
    for start in (5, 35, 65):
        speed[start : start + 16] = 0.0
        rise[start + 17 : start + 25] = 2.0
    assert ruled(foot(speed, rise, anchors=(12, 42, 72))) == [
        (4.9, 21.25, True, True), (34.9, 51.25, True, True), (64.9, 81.25, True, True),
    ]  # fmt: skip


def test_a_second_pass_of_a_standing_foot_is_no_contact_and_hides_none() -> None:
    speed = np.full(101, 3.0)
    speed[10:50] = speed[70:91] = 0.0
    rise = np.zeros(101)
    rise[50:60] = rise[95:] = 2.0
    found = ruled(foot(speed, rise, anchors=(20, 40, 80)))
    assert [begin for begin, *_ in found] == [9.9, 69.9]
    assert found[-1] == (69.9, 94.25, True, True)


def test_a_recording_begins_before_during_or_after_the_landing() -> None:
    slow = knots((0, 0.9), (10, 0.0), (100, 0.0))  # in the last of the swing
    assert ruled(foot(slow, LIFTING)) == [(round(10 * 2 / 3, 6), 62.5, True, True)]
    assert ruled(foot(knots((0, 0.0), (100, 0.0)), LIFTING)) == [(0.0, 62.5, False, True)]
    # Still only at the anchor itself; and never still, but never in flight either.
    late = np.full(101, 0.9)
    late[50] = 0.0
    assert ruled(foot(late, LIFTING)) == [(round(49 + 2 / 3, 6), 62.5, True, True)]
    assert ruled(foot(np.full(101, 0.9), LIFTING)) == [(0.0, 62.5, False, True)]
    after = np.full(101, 0.9)
    after[51:] = 0.0
    assert ruled(foot(after, LIFTING)) == [(0.0, 62.5, False, True)]


def test_a_foot_that_rises_at_the_first_frame_was_gone_before_it() -> None:
    still = knots((0, 0.0), (100, 0.0))
    rising = np.where(np.arange(101) < 10, 2.0, 0.0)
    assert ruled(foot(still, rising, anchors=(0,))) == []
    # From the second frame it was there for a quarter of a step.
    assert ruled(foot(still, np.roll(rising, 1), anchors=(0,))) == [(0.0, 0.25, False, True)]


# --- ends of the recording ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("standing", "ahead", "anchors", "found"),
    [
        ([0], -1.0, (50,), [0, 50]), ([100], -1.0, (50,), [50]), ([], -1.0, (50,), [50]),
        ([100], 1.0, (50,), [50, 100]), ([0], 1.0, (50,), [50]), ([], 1.0, (50,), [50]),
        ([0, 100], -1.0, (0, 50), [0, 50]), ([0, 100], 1.0, (50, 100), [50, 100]),
        ([0], -1.0, (1, 50), [0, 1, 50]), ([100], 1.0, (50, 99), [50, 99, 100]),
        ([0], -1.0, (), [0]), ([100], 1.0, (), [100]), ([99], 1.0, (50,), [50]),
    ],
)  # fmt: skip
def test_an_end_is_an_anchor_where_the_foot_stands_behind_or_ahead(
    standing: list[int], ahead: float, anchors: tuple[int, ...], found: list[int]
) -> None:
    # Around a middle of 2 m; at the very ends a little ahead, or behind, next to them not.
    under, still = np.full(101, 2.0 - ahead), np.zeros(101, bool)
    under[20:60] = 2.0 + ahead
    under[[0, 100]] = 2.0 + 0.25 * ahead
    still[standing] = True
    assert _with_edges(foot(under, anchors=anchors, under=under), still) == found


@pytest.mark.parametrize(
    ("first", "found"), [(3.9, [0, 50]), (4.1, [50])]
)  # fmt: skip
def test_the_middle_lies_between_the_20th_from_below_and_from_above(
    first: float, found: list[int]
) -> None:
    # Of 101: five wild, then from 0 …; from 8 down, and five wild. The middle is 4.
    under = np.concatenate(
        [[first], [-90.0] * 5, [0.0] * 30, [3.0] * 30, [8.0] * 30, [70.0] * 5]
    )
    still = np.zeros(101, bool)
    still[0] = True
    assert _with_edges(foot(under, under=under), still) == found


# --- whole recordings ---------------------------------------------------------------------

SHORT = Gait(cycles=3.3, rate=100.0)


def test_the_speed_of_the_ground_is_told_and_one_that_differs_is_named() -> None:
    paths, _ = gait(SHORT)
    for given, said in ((-2.86, ""), (-3.14, ""), (-2.84, "-0.16"), (-3.16, "+0.16")):
        found = events_from_kinematics(replace(paths, belt_velocity=given * paths.progression))
        assert found.source == "kinematics"
        assert found.notes[0] == "the stance feet move with 3.00 m/s over the laboratory"
        off = [n for n in found.notes if "off the surface velocity" in n]
        assert off == (
            [f"that is {said} m/s off the surface velocity that was given"] if said else []
        )


def test_running_is_refined_unless_told_and_walking_is_not() -> None:
    refined = "running: fitted correction of the contact rules applied"
    paths, _ = gait(SHORT)
    plain = events_from_kinematics(paths, KinematicSettings(refine=False))
    told = events_from_kinematics(paths)
    assert refined in told.notes and refined not in plain.notes
    ground = paths.belt_velocity
    rules = {
        s: rule_contacts(foot_signals(paths, s), ground, paths, KinematicSettings())
        for s in SIDES
    }
    for side in SIDES:
        np.testing.assert_allclose(
            [(c.initial_contact_s, c.toe_off_s) for c in plain.of(side)],
            [(c.initial_contact_s, c.toe_off_s) for c in rules[side]], atol=1e-6,
        )  # fmt: skip
        moved = [c.initial_contact_s for c in told.of(side) if c.complete]
        assert not np.isin(moved, [c.initial_contact_s for c in plain.of(side)]).any()
    # The right foot lands first, at 0.1 s, the left one half a period later.
    right, left = (
        next(c.initial_contact_s for c in plain.of(s) if c.complete_start) for s in SIDES
    )
    assert right == pytest.approx(0.1, abs=0.03) and left == pytest.approx(0.45, abs=0.03)
    walk, _ = gait(
        Gait(step_width=0.1, speed=1.3, period=1.1, duty=0.62, cycles=2.3, rate=100.0)
    )
    assert refined not in events_from_kinematics(walk).notes


def test_a_cut_off_that_is_given_smooths_the_feet() -> None:
    paths, _ = gait(SHORT)
    rough = KinematicSettings(refine=False)
    smooth = replace(rough, cutoff=6.0)
    first, second = (events_from_kinematics(paths, s).r[1].duration_s for s in (rough, smooth))
    assert abs(first - second) > 0.002


# --- without steps ------------------------------------------------------------------------

FRAMES = np.arange(201.0)
CLOCK = 5.0 + FRAMES / 100.0


def standing(heel: Array, forefoot: Array, left: Array | float = 0.0) -> AnatomicalPaths:
    """Heights (201,) of the right sole; the left one's are one."""
    points = {}
    for side, h, f in (("r", heel, forefoot), ("l", left, left)):
        for name, height in (("heel_bottom", h), ("metatarsal_1", f), ("metatarsal_5", f)):
            column = np.broadcast_to(height, (201,))
            points[f"{name}_{side}"] = np.column_stack([0.0 * column, column, 0.0 * column])
        points[f"hip_center_{side}"] = np.tile([0.0, 0.9, 0.1], (201, 1))
    return AnatomicalPaths(CLOCK, 100.0, points, {}, {}, OBLIQUE, np.zeros(3))


def rights(paths: AnatomicalPaths) -> list[tuple[float, float, bool, bool]]:
    return frames(landings_from_kinematics(paths), "r")


def frames(found: Contacts, side: str) -> list[tuple[float, float, bool, bool]]:
    def frame(t: float) -> float:
        return round(100.0 * (t - 5.0), 6)

    both: tuple[Contact, ...] = found.r if side == "r" else found.l
    return [
        (frame(c.initial_contact_s), frame(c.toe_off_s), c.complete_start, c.complete_end)
        for c in both
    ]


@pytest.mark.parametrize(
    ("heel", "forefoot"), [(1.01e-3, 1.01e-3), (1.01e-3, 2e-3), (2e-3, 1.01e-3)]
)
def test_a_foot_is_down_within_30_mm_of_its_lowest_fiftieth(
    heel: float, forefoot: float
) -> None:
    # The slower point rises by 1.01 mm a frame; of 201 frames the fiftieth part lies below
    # frame 4. Within 30 mm of that are 29 more.
    paths = standing(heel * FRAMES, forefoot * FRAMES)
    assert rights(paths) == [(0.0, 33.5, False, True)]
    wide = landings_from_kinematics(paths, floor_band=0.05)
    assert frames(wide, "r") == [(0.0, 53.5, False, True)]
    assert frames(landings_from_kinematics(paths), "l") == [(0.0, 200.0, False, False)]


def test_coming_down_is_the_same_the_other_way_round() -> None:
    down = 1e-3 * FRAMES[::-1]
    assert rights(standing(down, down)) == [(166.5, 200.0, True, False)]


@pytest.mark.parametrize(("speed", "end"), [(0.4, 11.5), (0.6, 4.5)])
def test_a_forefoot_that_rises_by_half_a_metre_a_second_has_left(
    speed: float, end: float
) -> None:
    # At 0.4 m/s the band ends it: 4 mm a frame, (30 + 16) mm. At 0.6 m/s it is gone once it
    # is 5 mm up: 6 mm a frame, (5 + 24) mm.
    height = speed / 100.0 * FRAMES
    assert rights(standing(height, height)) == [(0.0, end, False, True)]
    # A heel on the floor keeps the foot there.
    assert rights(standing(0.0 * height, height)) == [(0.0, 200.0, False, False)]
    # And a heel alone, which rises with a forefoot that stays, is no end either.
    assert rights(standing(height, 0.0 * height)) == [(0.0, 200.0, False, False)]


def test_a_slower_limit_of_the_rise_may_be_given() -> None:
    height = 0.004 * FRAMES
    found = landings_from_kinematics(
        standing(height, height), KinematicSettings(rise_speed=0.3)
    )
    # 5 mm above the fiftieth's 16 mm, at 4 mm a frame.
    assert frames(found, "r") == [(0.0, 5.5, False, True)]


def seen(*spans: tuple[int, int]) -> Array:
    height = np.full(201, np.nan)
    for start, stop in spans:
        height[start:stop] = 0.2
    return height


def test_a_touch_of_less_than_50_ms_is_none_but_at_the_ends() -> None:
    height = seen((0, 2), (50, 54), (100, 105), (150, 170), (199, 201))
    assert rights(standing(height, height)) == [
        (0.0, 1.5, False, True), (99.5, 104.5, True, True), (149.5, 169.5, True, True),
        (198.5, 200.0, True, False),
    ]  # fmt: skip


def test_the_length_of_a_touch_is_in_seconds() -> None:
    height = seen((50, 54), (100, 105))
    paths = standing(height, height)
    assert rights(replace(paths, rate=60.0)) == [
        (49.5, 53.5, True, True), (99.5, 104.5, True, True),
    ]  # fmt: skip


def test_a_foot_that_was_not_seen_has_no_contact_and_hides_no_other() -> None:
    none, flat = np.full(201, np.nan), np.zeros(201)
    for heel, forefoot in ((none, flat), (flat, none), (none, none)):
        found = landings_from_kinematics(standing(heel, forefoot))
        assert found.r == () and len(found.l) == 1
    assert found.source == "kinematics"
    assert found.notes == ("no steps: contacts are the stretches at floor level",)
    # Nobody steps: that is what events are then.
    paths = standing(1e-3 * FRAMES, 1e-3 * FRAMES)
    assert events_from_kinematics(paths) == landings_from_kinematics(paths)
    fast = KinematicSettings(rise_speed=0.05)
    assert events_from_kinematics(paths, fast) == landings_from_kinematics(paths, fast)
    assert events_from_kinematics(paths, fast) != events_from_kinematics(paths)
