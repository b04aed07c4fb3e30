"""Known answers of plates and of feet over them: ramps, triangles and squares drawn by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from kneestride.capture.trial import Forces
from kneestride.errors import CaptureError
from kneestride.loads.ground_feet import (
    distance_to_outline,
    observe_feet,
    share_over_plate,
)
from kneestride.loads.ground_lag import _best_shift, _parts, lumped_centre
from kneestride.loads.ground_plates import (
    PlateContact,
    PlateSignals,
    centre_of_pressure,
    empty_plate_offsets,
    hold_nearest,
    moment_about_origin,
    plate_contacts,
    read_plates,
)
from kneestride.motion.kinematics import AnatomicalPaths
from kneestride.vocabulary import GRAVITY, SIDES, Array

TIME = np.arange(500) / 500.0


def ramp(start: float, stop: float, rise: float, fall: float, height: float = 900.0) -> Array:
    """N; `rise` and `fall` in N/s, zero at `start` and `stop`."""
    return np.clip(np.minimum((TIME - start) * rise, (stop - TIME) * fall), 0.0, height)


def test_a_loading_has_its_four_crossings_between_samples() -> None:
    force = ramp(0.2, 0.7, rise=10e3, fall=5e3)
    (found,) = plate_contacts(3, TIME, force, (20.0, 50.0), 0.1)
    assert found == PlateContact(
        plate=3,
        start=pytest.approx(0.2 + 20 / 10e3),
        full_start=pytest.approx(0.2 + 50 / 10e3),
        full_end=pytest.approx(0.7 - 50 / 5e3),
        end=pytest.approx(0.7 - 20 / 5e3),
        cut_start=False,
        cut_end=False,
    )


def test_a_loading_counts_when_high_and_long_enough() -> None:
    low = ramp(0.2, 0.7, 10e3, 5e3, height=45.0)
    assert plate_contacts(0, TIME, low, (20.0, 50.0), 0.1) == []
    short = ramp(0.2, 0.26, 50e3, 50e3)
    assert plate_contacts(0, TIME, short, (20.0, 50.0), 0.1) == []
    assert len(plate_contacts(0, TIME, short, (20.0, 50.0), 0.04)) == 1
    # One that rises past the upper threshold twice without falling below the lower is one.
    twice = np.where((TIME > 0.4) & (TIME < 0.45), 30.0, ramp(0.2, 0.7, 10e3, 5e3))
    assert len(plate_contacts(0, TIME, twice, (20.0, 50.0), 0.1)) == 1


def test_a_loading_cut_by_the_recording_ends_with_it() -> None:
    whole = np.full(500, 700.0)
    whole[:3] = np.nan
    (found,) = plate_contacts(0, TIME, whole, (20.0, 50.0), 0.1)
    assert (found.cut_start, found.cut_end) == (False, True)
    assert (found.end, found.full_end) == (TIME[-1], TIME[-1])
    (found,) = plate_contacts(0, TIME, np.full(500, 700.0), (20.0, 50.0), 0.1)
    assert (found.start, found.full_start, found.cut_start) == (0.0, 0.0, True)


def test_weight_fades_in_and_out_smoothly() -> None:
    contact = PlateContact(0, 0.2, 0.3, 0.6, 0.8, False, False)
    signals = PlateSignals(
        TIME, np.zeros((500, 1, 3)), np.zeros((500, 1, 3)), np.zeros(1), None, (contact,),
        np.zeros((1, 6)),
    )  # fmt: skip
    fade = signals.fade(contact)
    at = {t: fade[round(t * 500)] for t in (0.19, 0.2, 0.25, 0.3, 0.45, 0.6, 0.65, 0.8, 0.81)}
    assert at == pytest.approx(
        {0.19: 0, 0.2: 0, 0.25: 0.5, 0.3: 1, 0.45: 1, 0.6: 1, 0.65: 0.84375, 0.8: 0, 0.81: 0}
    )
    # A contact that begins at its full load begins with weight one.
    sudden = replace(contact, start=0.3)
    assert signals.fade(sudden)[[149, 150]] == pytest.approx([0.0, 1.0])


def test_nearest_known_row_stands_in() -> None:
    values = np.array([[np.nan], [1.0], [np.nan], [np.nan], [np.nan], [5.0], [np.nan]])
    assert hold_nearest(values)[:, 0] == pytest.approx([1, 1, 1, 1, 5, 5, 5])
    pair = np.array([[1.0, np.nan], [3.0, 4.0]])
    assert hold_nearest(pair) == pytest.approx(np.array([[3.0, 4.0], [3.0, 4.0]]))
    assert np.isnan(hold_nearest(np.full((3, 2), np.nan))).all()


def test_point_and_free_moment_are_the_wrench() -> None:
    rng = np.random.default_rng(5)
    force, point = rng.normal(size=(2, 30, 3)) + np.array([0.0, 3.0, 0.0])
    height = 0.2
    point[:, 1] = height
    free = np.zeros((30, 3))
    free[:, 1] = rng.normal(size=30)
    found = centre_of_pressure(force, np.cross(point, force) + free, height)
    np.testing.assert_allclose(found, point, atol=1e-12)
    force[3, 1] = 0.0
    assert np.isnan(centre_of_pressure(force, np.cross(point, force), height)[3, [0, 2]]).all()


def plate(vertical: Array, place: tuple[float, float, float] = (0.3, 0.0, 0.2)) -> Forces:
    force = np.zeros((len(TIME), 1, 3))
    force[:, 0, 1], force[:, 0, 0] = vertical, 0.1 * vertical
    point = np.tile(np.asarray(place), (len(TIME), 1, 1))
    torque = np.zeros_like(force)
    torque[:, 0, 1] = 0.01 * vertical
    return Forces(("p",), TIME, 500.0, force, point, torque, feet=(None,))


def test_moment_is_arm_times_force_and_the_free_moment() -> None:
    forces = plate(np.full(500, 800.0))
    forces.point[10:] = np.nan  # the last one known stands in
    found = moment_about_origin(forces)
    expected = np.cross([0.3, 0.0, 0.2], [80.0, 800.0, 0.0]) + np.array([0.0, 8.0, 0.0])
    np.testing.assert_allclose(found, np.tile(expected, (500, 1, 1)))
    stored = replace(forces, moment_at_origin=np.ones((500, 1, 3)))
    assert moment_about_origin(stored) is stored.moment_at_origin


def test_offset_of_a_plate_is_its_reading_while_empty() -> None:
    vertical = ramp(0.3, 0.6, 40e3, 40e3) + 12.0
    wrench = np.concatenate([plate(vertical).force, np.full((500, 1, 3), 0.5)], axis=2)
    found = empty_plate_offsets(wrench, 500.0, 70.0)
    assert found[0] == pytest.approx([1.2, 12.0, 0.0, 0.5, 0.5, 0.5])
    assert np.isnan(empty_plate_offsets(wrench + 80.0, 500.0, 70.0)).all()
    # Never flat within 20 N: never empty.
    restless = wrench + 25.0 * np.sin(40 * np.pi * TIME)[:, None, None]
    assert np.isnan(empty_plate_offsets(restless, 500.0, 70.0)).all()
    # Of three phases one with 18 N more has no say.
    steps = np.full(500, 12.0)
    steps[150:200] = steps[300:350] = 900.0
    steps[350:] = 30.0
    wrench = np.repeat(plate(steps).force, 2, axis=2)
    assert empty_plate_offsets(wrench, 500.0, 70.0)[0, 1] == pytest.approx(0.1 * 12, abs=0.6)


def test_reading_takes_the_offset_off_and_tells_force_from_moment() -> None:
    vertical = ramp(0.3, 0.6, 40e3, 40e3)
    forces = plate(vertical + 12.0)
    found = read_plates(forces, TIME[::5], 70.0, None, (20.0, 50.0), 0.05)
    np.testing.assert_allclose(found.force[:, 0, 1], vertical[::5], atol=1e-6)
    np.testing.assert_allclose(found.moment[:, 0, 2], 0.3 * vertical[::5], atol=1e-6)
    assert [round(c.start, 3) for c in found.contacts] == [0.3]
    assert found.height == pytest.approx([0.0])
    raised = replace(forces, corners=np.full((1, 4, 3), 0.25))
    assert read_plates(raised, TIME, 70.0, None, (20, 50), 0.05).height == pytest.approx([0.25])
    high = plate(vertical, (0.3, 0.4, 0.2))
    assert read_plates(high, TIME, 70.0, None, (20, 50), 0.05).height == pytest.approx([0.4])
    unloaded = plate(np.zeros(500), (0.3, 0.4, 0.2))
    assert read_plates(unloaded, TIME, 70.0, None, (20, 50), 0.05).height == pytest.approx(
        [0.0]
    )


def test_contacts_of_two_plates_come_in_order_of_time() -> None:
    late, early = plate(ramp(0.6, 0.9, 40e3, 40e3)), plate(ramp(0.1, 0.4, 40e3, 40e3))
    joined = (
        np.concatenate([getattr(late, n), getattr(early, n)], axis=1)
        for n in ("force", "point", "torque")
    )
    both = Forces(("a", "b"), TIME, 500.0, *joined)
    found = read_plates(both, TIME, 70.0, None, (20.0, 50.0), 0.05).contacts
    assert [c.plate for c in found] == [1, 0]


def test_forces_of_another_time_or_sign_are_refused() -> None:
    forces = plate(ramp(0.3, 0.6, 40e3, 40e3))
    for shift in (-3.0, 3.0):
        with pytest.raises(CaptureError, match="one clock"):
            read_plates(forces, TIME + shift, 70.0, None, (20.0, 50.0), 0.05)
    with pytest.raises(CaptureError, match="upwards"):
        read_plates(plate(-ramp(0.3, 0.6, 40e3, 40e3)), TIME, 70.0, None, (20, 50), 0.05)
    # A twentieth of body weight downwards on average may still be an offset.
    read_plates(plate(np.full(500, -0.04 * 70.0 * GRAVITY)), TIME, 70.0, None, (20, 50), 0.05)


OBLONG = np.array([[0.0, 0.0, 0.0], [3.0, 0.0, 0.0], [3.0, 0.0, 0.5], [0.0, 0.0, 0.5]])


@pytest.mark.parametrize(
    ("place", "distance"),
    [
        ((1.5, 9.0, 0.25), 0.0), ((0.2, 0.0, 0.3), 0.0), ((2.7, 0.0, 0.1), 0.0),
        ((3.5, 0.0, 0.2), 0.5), ((0.8, 0.0, -0.25), 0.25), ((-0.3, 0.0, 0.9), 0.5),
        ((2.2, 0.0, 0.6), 0.1), ((-2.0, 0.0, 0.0), 2.0),
    ],
)  # fmt: skip
def test_distance_to_an_oblong_in_any_order_of_its_corners(
    place: tuple[float, float, float], distance: float
) -> None:
    point = np.array([place])
    for order in ([0, 1, 2, 3], [0, 2, 1, 3], [3, 1, 0, 2]):
        found = distance_to_outline(point, OBLONG[None, order])
        assert found == pytest.approx([distance], abs=1e-12)


def test_distance_with_points_missing_is_to_what_is_left() -> None:
    outline = OBLONG[None].copy()
    outline[0, 2:] = np.nan
    assert distance_to_outline(np.array([[0.8, 0.0, 0.4]]), outline) == pytest.approx([0.4])
    outline[0, 1] = np.nan
    assert distance_to_outline(np.array([[0.3, 0.0, 0.4]]), outline) == pytest.approx([0.5])
    outline[:] = np.nan
    assert np.isnan(distance_to_outline(np.array([[0.5, 0.0, 0.4]]), outline)).all()
    assert np.isnan(distance_to_outline(np.full((1, 3), np.nan), OBLONG[None])).all()


@pytest.mark.parametrize("order", [[0, 1, 2, 3], [3, 2, 1, 0], [2, 3, 0, 1]])
def test_share_over_a_plate_counts_known_points(order: list[int]) -> None:
    corners = OBLONG[order]
    points = np.array([[0.5, 0.1, 0.2], [0.0, 0.0, 0.5], [3.1, 0.0, 0.5], [0.5, 0.0, -0.1]])
    assert share_over_plate(points[None], corners) == pytest.approx([0.5])
    points[3] = np.nan
    assert share_over_plate(points[None], corners) == pytest.approx([2 / 3])
    assert share_over_plate(np.full((1, 4, 3), np.nan), corners) == pytest.approx([0.0])


def stepping_foot(belt: float = 0.0) -> AnatomicalPaths:
    """A right foot that stands 0.5 s and swings 0.5 s at 2 m/s, 50 mm up; no left foot."""
    time = np.arange(200) / 200.0
    swing = np.clip((time - 0.5) / 0.1, 0.0, 1.0)
    swing = swing * swing * (3.0 - 2.0 * swing)
    x = np.cumsum(2.0 * swing) / 200.0 + belt * time
    heel = np.column_stack([x, 0.03 + 0.05 * swing, 0.0 * x])
    points = {
        "heel_bottom_r": heel,
        "heel_r": heel + np.array([-0.03, 0.02, 0.0]),
        "toe_r": heel + np.array([0.25, 0.0, 0.0]),
    }
    moving = np.array([belt, 0.0, 0.0])
    return AnatomicalPaths(time, 200.0, points, {}, {}, np.array([1.0, 0, 0]), moving)


@pytest.mark.parametrize("belt", [0.0, -2.5])
def test_a_foot_stands_where_it_moves_with_the_ground(belt: float) -> None:
    feet = observe_feet(stepping_foot(belt), None)
    assert feet.seen[:, 0].all() and not feet.seen[:, 1].any()
    assert feet.standing[:95, 0].all() and not feet.standing[115:, 0].any()
    assert feet.low[:95, 0].all() and not feet.low[115:, 0].any()
    assert feet.speed[10:80, 0] == pytest.approx(0.0, abs=1e-4)
    assert feet.speed[130:190, 0] == pytest.approx(2.0, abs=0.02)
    assert feet.lift[10:90, 0] == pytest.approx(0.0, abs=1e-6)
    assert feet.lift[130:190, 0] == pytest.approx(0.05, abs=1e-6)
    # Three points are known; their mean is the foot's centre, and a foot never seen has none.
    heel = stepping_foot(belt).points["heel_bottom_r"]
    expected = heel + np.array([0.22 / 3, 0.02 / 3, 0.0])
    np.testing.assert_allclose(feet.centre[:, 0], expected, atol=1e-9)
    assert not feet.centre[:, 1].any()


def test_a_foot_lost_for_a_while_is_thought_on_a_straight_way() -> None:
    paths = stepping_foot()
    for name in list(paths.points):
        paths.points[name][120:161] = np.nan
    feet = observe_feet(paths, None)
    assert not feet.seen[120:161, 0].any() and feet.seen[161, 0]
    middle = 0.5 * (feet.centre[119, 0] + feet.centre[161, 0])
    np.testing.assert_allclose(feet.centre[140, 0], middle, atol=1e-9)


def test_a_shift_is_found_between_samples_and_by_sign() -> None:
    time = np.arange(600) / 100.0
    wave = np.sin(2 * np.pi * 1.3 * time) + 0.5 * np.sin(2 * np.pi * 2.9 * time)
    everywhere = np.ones(600, bool)
    for lag in (-0.034, 0.0, 0.0265):
        late = np.sin(2 * np.pi * 1.3 * (time - lag)) + 0.5 * np.sin(
            2 * np.pi * 2.9 * (time - lag)
        )
        found, correlation = _best_shift(wave, late, everywhere, 100.0)
        assert found == pytest.approx(lag, abs=4e-4)
        assert correlation == pytest.approx(1.0, abs=2e-2)


def test_parts_are_two_seconds_of_usable_frames() -> None:
    usable = np.ones(550, bool)
    usable[210:395] = False
    parts = _parts(usable, 100.0)
    # Of the second two seconds only 15 frames are left: fewer than 0.4 s tell nothing.
    assert [(int(p.argmax()), int(p.sum())) for p in parts] == [(0, 200), (400, 150)]


def test_lumped_centre_moves_with_each_segments_share_of_mass() -> None:
    rest = {"hip_center": 0.9, "knee_center": 0.5, "ankle_center": 0.1}
    rest |= {"heel": 0.0, "metatarsal_5": 0.0, "asis": 1.0, "psis": 1.02}
    time = np.zeros(1)

    def body(**moved: float) -> AnatomicalPaths:
        points = {
            f"{n}_{s}": np.array([[0.0, y + moved.get(f"{n}_{s}", 0.0), 0.0]])
            for n, y in rest.items()
            for s in SIDES
        }
        return AnatomicalPaths(time, 100.0, points, {}, {}, np.array([1.0, 0, 0]), np.zeros(3))

    still = lumped_centre(body())
    assert still is not None
    # de Leva 1996, males: thigh 14.16 % at 40.95 %, shank 4.33 % at 44.59 %.
    lifted = lumped_centre(body(knee_center_r=0.1))
    assert lifted is not None
    share = 0.1416 * 0.4095 + 0.0433 * (1.0 - 0.4459)
    assert lifted[0, 1] - still[0, 1] == pytest.approx(0.1 * share)
    foot = lumped_centre(body(metatarsal_5_l=0.1))
    assert foot is not None
    assert foot[0, 1] - still[0, 1] == pytest.approx(0.1 * 0.0137 * 0.4415)
    # Moving everything moves the centre as much: the shares add up to one.
    up = lumped_centre(body(**{f"{n}_{s}": 0.1 for n in rest for s in SIDES}))
    assert up is not None and up[0, 1] - still[0, 1] == pytest.approx(0.1)
