"""Known answers of contact timing: straight ramps cross their level where arithmetic says."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from kneestride.errors import CaptureError
from kneestride.motion.contacts import Contact
from kneestride.motion.events import (
    ForceSettings,
    KinematicSettings,
    _with_edges,
    events_from_force,
    flight_offset,
    is_running,
    landings_from_kinematics,
    rule_contacts,
)
from kneestride.motion.foot_signals import FootSignals, _passes, is_stepping, surface_velocity
from kneestride.motion.kinematics import AnatomicalPaths
from kneestride.vocabulary import SIDES, Array
from stick_figure import drop_jump

RAW = ForceSettings(cutoff=None)
TIME = np.arange(1000) / 1000.0


def trapezoid(
    start: float, stop: float, height: float = 800.0, rise: float = 16.0, fall: float = 8.0
) -> Array:
    """N; `rise` and `fall` in N/ms, from zero at `start` to zero at `stop`."""
    up = (TIME - start) * 1e3 * rise
    down = (stop - TIME) * 1e3 * fall
    return np.clip(np.minimum(up, down), 0.0, height)


def of_force(*force: Array, settings: ForceSettings = RAW, weight: float = 700.0) -> Any:
    one = np.sum(force, axis=0)
    return events_from_force(TIME, np.column_stack([one, 0.0 * one]), weight, settings).r


def test_ramps_cross_50_newton_between_the_samples() -> None:
    (found,) = of_force(trapezoid(0.2, 0.5))
    assert found.initial_contact_s == pytest.approx(0.2 + 50.0 / 16e3, abs=1e-9)
    assert found.toe_off_s == pytest.approx(0.5 - 50.0 / 8e3, abs=1e-9)
    assert found.complete


def test_another_level_moves_both_events_by_the_ramps_slope() -> None:
    (found,) = of_force(trapezoid(0.2, 0.5), settings=replace(RAW, threshold=90.0))
    assert found.initial_contact_s == pytest.approx(0.2 + 90.0 / 16e3, abs=1e-9)
    assert found.toe_off_s == pytest.approx(0.5 - 90.0 / 8e3, abs=1e-9)


def test_events_share_the_upper_level_though_the_release_is_lower() -> None:
    tail = trapezoid(0.2, 0.5) + np.where((TIME >= 0.45) & (TIME < 0.51), 30.0, 0.0)
    (found,) = of_force(tail)
    # 30 N more on the falling ramp: 50 N is met where the ramp itself is down to 20 N.
    assert found.toe_off_s == pytest.approx(0.5 - 20.0 / 8e3, abs=1e-9)


@pytest.mark.parametrize(("gap", "contacts"), [(0.03, 1), (0.08, 2)])
def test_short_gaps_are_chatter_and_long_ones_are_not(gap: float, contacts: int) -> None:
    first, second = (0.1, 0.3), (0.3 + gap, 0.6)
    found = of_force(*(trapezoid(*span, rise=80, fall=80) for span in (first, second)))
    assert len(found) == contacts
    assert found[0].initial_contact_s == pytest.approx(0.1 + 50 / 80e3, abs=1e-9)
    assert found[-1].toe_off_s == pytest.approx(0.6 - 50 / 80e3, abs=1e-9)


@pytest.mark.parametrize(("length", "contacts"), [(0.04, 0), (0.07, 1)])
def test_short_contacts_are_knocks(length: float, contacts: int) -> None:
    assert len(of_force(trapezoid(0.3, 0.3 + length, rise=80, fall=80))) == contacts


@pytest.mark.parametrize(("share", "contacts"), [(0.19, 0), (0.21, 1)])
def test_a_contact_carries_a_fifth_of_body_weight(share: float, contacts: int) -> None:
    assert len(of_force(trapezoid(0.3, 0.6, height=700.0 * share))) == contacts


def test_contacts_at_the_ends_begin_and_end_with_the_recording() -> None:
    first, last = of_force(trapezoid(-0.1, 0.02), trapezoid(0.98, 1.2))
    assert (first.initial_contact_s, first.complete_start, first.complete_end) == (
        0,
        False,
        True,
    )
    assert first.toe_off_s == pytest.approx(0.02 - 50.0 / 8e3, abs=1e-9)
    assert (last.toe_off_s, last.complete_start, last.complete_end) == (0.999, True, False)


def test_a_cut_off_near_half_the_rate_is_left_out() -> None:
    time, force = np.arange(60) / 60.0, np.zeros((60, 2))
    force[20:40, 0] = 800.0
    slow = events_from_force(time, force, 700.0, ForceSettings(cutoff=30.0)).r
    assert slow == events_from_force(time, force, 700.0, RAW).r


@pytest.mark.parametrize("weight", [0.0, -1.0])
def test_a_body_has_weight(weight: float) -> None:
    with pytest.raises(CaptureError, match="positive body weight"):
        of_force(trapezoid(0.3, 0.6), weight=weight)


def test_offset_is_the_mean_20_ms_away_from_loads() -> None:
    loaded = (TIME > 0.3) & (TIME < 0.6)
    force = np.where(loaded, 800.0, 7.0)
    near = (TIME > 0.28) & (TIME < 0.62) & ~loaded
    force[near] = 400.0  # the filter's skirt
    assert flight_offset(force, loaded, 1000.0) == pytest.approx(7.0)
    # Fewer than ten quiet samples are none.
    assert flight_offset(np.full(48, 7.0), np.zeros(48, bool), 1000.0) == 0.0
    assert flight_offset(np.full(50, 7.0), np.zeros(50, bool), 1000.0) == 7.0
    assert flight_offset(np.full(48, 7.0), np.ones(48, bool), 1000.0) == 0.0


def contacts(*spans: tuple[float, float]) -> tuple[Contact, ...]:
    return tuple(Contact(a, b, True, True) for a, b in spans)


def test_running_is_a_contact_of_less_than_half_a_stride() -> None:
    run = contacts((0.0, 0.24), (0.7, 0.94), (1.4, 1.64))
    walk = contacts((0.0, 0.4), (0.7, 1.1))
    assert is_running({"r": run, "l": ()}) and not is_running({"r": walk, "l": ()})
    assert not is_running({"r": run, "l": ()}, share=0.3)
    # No foot lands twice: the step is half a stride.
    assert is_running({"r": contacts((0.0, 0.24)), "l": contacts((0.35, 0.59))})
    assert not is_running({"r": contacts((0.0, 0.4)), "l": contacts((0.35, 0.75))})
    assert not is_running({"r": contacts((0.0, 0.2)), "l": ()})
    assert not is_running({"r": (), "l": ()})
    # A contact that was cut says nothing about its length.
    cut = (Contact(0.0, 0.1, False, True), *contacts((0.7, 1.1), (1.4, 1.8)))
    assert not is_running({"r": cut, "l": ()})


def signals(under: Array, speed: Array, rise: Array, time: Array, **more: Any) -> FootSignals:
    """A foot whose heel and forefoot move alike."""
    velocity = np.column_stack([speed, rise, 0.0 * speed])
    place = np.zeros((len(time), 3))
    given: dict[str, Any] = {"heel": place, "forefoot": place, "anchors": (), "noise": 0.0}
    return FootSignals(
        time=time, under=under, heel_velocity=velocity, forefoot_velocity=velocity,
        **(given | more),
    )  # fmt: skip


def nobody(time: Array) -> AnatomicalPaths:
    x = np.array([1.0, 0.0, 0.0])
    return AnatomicalPaths(time, 100.0, {}, {}, {}, x, np.zeros(3))


def test_rules_time_contact_by_speed_and_its_end_by_the_rise() -> None:
    time = np.arange(101) / 100.0
    speed = np.interp(time, [0.0, 0.2, 0.3, 0.7, 0.8, 1.0], [3.0, 3.0, 0.0, 0.0, 3.0, 3.0])
    rise = np.interp(time, [0.0, 0.6, 0.8, 1.0], [0.0, 0.0, 2.0, 2.0])
    foot = signals(np.zeros(101), speed, rise, time, anchors=(45,))
    (found,) = rule_contacts(foot, np.zeros(3), nobody(time), KinematicSettings())
    assert found.initial_contact_s == pytest.approx(0.29, abs=1e-9)  # 0.3 m/s
    assert found.toe_off_s == pytest.approx(0.65, abs=1e-9)  # 0.5 m/s upwards
    assert found.complete
    # The same over a belt that runs backwards.
    belt = np.array([-2.5, 0.0, 0.0])
    moved = signals(np.zeros(101), speed - 2.5, rise, time, anchors=(45,))
    (again,) = rule_contacts(moved, belt, nobody(time), KinematicSettings())
    assert again.initial_contact_s == pytest.approx(found.initial_contact_s)


def test_a_foot_that_never_flew_between_two_anchors_is_one_contact() -> None:
    time = np.arange(101) / 100.0
    speed = np.interp(time, [0.0, 0.2, 0.3, 1.0], [3.0, 3.0, 0.0, 0.0])
    foot = signals(np.zeros(101), speed, 0.0 * time, time, anchors=(45, 80))
    (found,) = rule_contacts(foot, np.zeros(3), nobody(time), KinematicSettings())
    assert (found.toe_off_s, found.complete_end) == (1.0, False)


def test_a_recording_that_begins_in_the_last_of_the_swing_has_its_contact() -> None:
    time = np.arange(101) / 100.0
    speed = np.interp(time, [0.0, 0.1, 1.0], [0.9, 0.0, 0.0])  # never past the swing's limit
    foot = signals(np.zeros(101), speed, 0.0 * time, time, anchors=(45,))
    (found,) = rule_contacts(foot, np.zeros(3), nobody(time), KinematicSettings())
    assert found.initial_contact_s == pytest.approx(0.1 * 2 / 3, abs=1e-9)
    assert found.complete_start
    standing = signals(np.zeros(101), 0.0 * time, 0.0 * time, time, anchors=(45,))
    (found,) = rule_contacts(standing, np.zeros(3), nobody(time), KinematicSettings())
    assert (found.initial_contact_s, found.complete_start) == (0.0, False)


def test_a_foot_that_stands_at_an_end_is_an_anchor_there() -> None:
    time, still = np.arange(100) / 100.0, np.zeros(100, bool)
    falling = np.linspace(0.4, -0.4, 100)
    still[[0, -1]] = True
    ahead = signals(-falling, 0.0 * time, 0.0 * time, time, anchors=(50,))
    assert _with_edges(ahead, still) == [0, 50, 99]
    passed = signals(falling, 0.0 * time, 0.0 * time, time, anchors=(50,))
    assert _with_edges(passed, still) == [50]
    assert _with_edges(ahead, np.zeros(100, bool)) == [50]
    assert _with_edges(replace(ahead, anchors=(0, 99)), still) == [0, 99]
    assert _with_edges(replace(ahead, anchors=()), still) == [0, 99]


def test_passes_are_where_the_foot_falls_through_the_middle() -> None:
    phase = np.arange(400) / 100.0
    under = 0.3 + 0.25 * np.cos(2 * np.pi * phase)  # falls through at 0.25, 1.25, …
    assert _passes(under, 100.0) == pytest.approx((25, 125, 225, 325), abs=1)
    # A wobble about the middle that stays within a quarter of the excursion is no pass.
    wobbly = under.copy()
    wobbly[70:80] = 0.3 + 0.05 * np.cos(np.arange(10))
    assert _passes(wobbly, 100.0) == _passes(under, 100.0)
    assert _passes(0.3 * under, 100.0) == ()  # no step is as small as that
    wobbly[5] = np.nan
    assert _passes(wobbly, 100.0) == ()
    # Cut shortly after the middle: the recording's end stands for what would follow.
    assert len(_passes(under[:328], 100.0)) == 4
    assert len(_passes(under[:320], 100.0)) == 3


def walkers(anchors: dict[str, tuple[int, ...]], speed: float = 0.0) -> dict[Any, FootSignals]:
    time = np.arange(300) / 100.0
    out = {}
    for side in SIDES:
        swing = np.full(300, -1.2 + speed)
        for k in anchors[side]:
            swing[max(k - 20, 0) : k + 20] = speed
        foot = signals(0.0 * time, swing, 0.0 * time, time, anchors=anchors[side])
        out[side] = foot
    return out


def test_ground_moves_as_the_standing_forefeet_do() -> None:
    belt = walkers({"r": (50, 150), "l": (100, 200)}, speed=-2.6)
    belt["r"].forefoot_velocity[:, 1] = 0.2
    assert surface_velocity(belt, 100.0) == pytest.approx([-2.6, 0.0, 0.0])
    assert np.isnan(surface_velocity(walkers({"r": (), "l": ()}), 100.0)).all()
    # One bad mid-stance of five has no say, and 20 ms either side are averaged.
    belt["r"].forefoot_velocity[148:153, 0] = 9.0
    assert surface_velocity(belt, 100.0)[0] == pytest.approx(-2.6)
    one = walkers({"r": (50,), "l": ()})
    one["r"].forefoot_velocity[:, 0] = np.arange(300.0) ** 2
    assert surface_velocity(one, 100.0)[0] == pytest.approx(2500.0 + (2 * 4 + 2 * 1) / 5)


def test_stepping_is_taking_turns_over_a_steady_ground() -> None:
    turns = {"r": (50, 150), "l": (100, 200)}
    assert is_stepping(walkers(turns))
    assert not is_stepping(walkers({"r": (), "l": ()}))
    assert not is_stepping(walkers({"r": (50, 150), "l": ()}))  # the same foot twice
    assert not is_stepping(walkers({"r": (50, 150), "l": (60, 160)}))  # both feet together
    slow = walkers(turns)
    slow["l"].heel_velocity[:, 0] *= 0.8  # a swing of 0.96 m/s
    assert not is_stepping(slow)
    rising = walkers(turns)
    rising["l"].forefoot_velocity[100, 1] = -0.5
    assert not is_stepping(rising)
    skating = walkers(turns)
    skating["l"].forefoot_velocity[100, 2] = 0.5
    assert not is_stepping(skating)
    high = walkers(turns)
    high["l"].forefoot[60:140, 1] = 0.07
    assert is_stepping(high) is False
    high["l"].forefoot[60:140, 1] = 0.05
    assert is_stepping(high)


def many(stumbles: int, passes: int = 120) -> dict[Any, FootSignals]:
    """A long walk whose right foot slips at so many of its passes."""
    time = np.arange(50 * passes + 50) / 100.0
    out = {}
    for s, side in enumerate(SIDES):
        anchors = tuple(range(50 + 50 * s, 50 * passes + 1, 100))
        swing = np.full(len(time), -1.2)
        for k in anchors:
            swing[k - 20 : k + 20] = 0.0
        out[side] = signals(0.0 * time, swing, 0.0 * time, time, anchors=anchors)
    for k in out["r"].anchors[1 : 1 + stumbles]:
        out["r"].forefoot_velocity[k] = [0.0, 0.6, 0.6]
        out["r"].forefoot[k, 1] += 0.5
    return out


def test_one_stumble_in_fifty_steps_is_still_walking() -> None:
    assert is_stepping(many(0)) and is_stepping(many(2))
    assert not is_stepping(many(3))  # 2 % of 120 passes are two
    assert is_stepping(many(0, passes=40)) and not is_stepping(many(1, passes=40))


def test_noisy_steps_need_four_of_five_and_wider_limits() -> None:
    turns = {"r": (50, 150, 250), "l": (100, 200)}
    noisy = {s: replace(f, noise=0.005) for s, f in walkers(turns).items()}
    assert is_stepping(noisy)
    noisy["l"].forefoot_velocity[100, 0] = 2.0  # one of five
    assert is_stepping(noisy)
    noisy["l"].forefoot_velocity[200, 0] = 2.0
    assert not is_stepping(noisy)
    # A swing must be faster than the speed that noise alone seems to have: 1 + 30 · 10 mm.
    assert not is_stepping({s: replace(f, noise=0.010) for s, f in walkers(turns).items()})
    # Three of the four turns are from foot to foot: too few.
    order = {"r": (50, 100, 200), "l": (150, 250)}
    assert not is_stepping({s: replace(f, noise=0.005) for s, f in walkers(order).items()})


def test_landings_lie_between_the_frames_of_the_floor_band() -> None:
    paths, landing = drop_jump()
    found = landings_from_kinematics(paths)
    assert found.notes == ("no steps: contacts are the stretches at floor level",)
    for side in SIDES:
        (c,) = found.of(side)
        assert (c.initial_contact_s * paths.rate) % 1.0 == pytest.approx(0.5, abs=1e-6)
        # The band of 30 mm is entered that much before the floor is met.
        early = 0.03 / np.sqrt(2.0 * 9.81 * 0.3)
        assert c.initial_contact_s == pytest.approx(landing - early, abs=0.01)
        assert (c.toe_off_s, c.complete_start, c.complete_end) == (paths.time[-1], True, False)
    # The other way round: down at first, then up and away.
    back = replace(paths, points={n: p[::-1] for n, p in paths.points.items()})
    for c in (landings_from_kinematics(back).of(s)[0] for s in SIDES):
        assert (c.initial_contact_s, c.complete_start, c.complete_end) == (0.0, False, True)
        assert c.toe_off_s == pytest.approx(paths.time[-1] - landing, abs=0.02)
    gone = dict(paths.points) | {"heel_bottom_r": np.full((len(paths.time), 3), np.nan)}
    assert landings_from_kinematics(replace(paths, points=gone)).r == ()
