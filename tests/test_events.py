"""Laws of initial contact and toe-off, from forces and from kinematics."""

from __future__ import annotations

import numpy as np
import pytest
from kneestride.errors import CaptureError, ModelError
from kneestride.motion.contacts import events_from_mask
from kneestride.motion.event_refinement import load_refinement
from kneestride.motion.events import (
    KinematicSettings,
    events_from_force,
    events_from_kinematics,
)
from kneestride.motion.foot_signals import foot_signals, is_stepping, surface_velocity
from kneestride.vocabulary import SIDES
from stick_figure import Gait, drop_jump, gait, mirrored, squats, turned

WEIGHT = 700.0
RUN = Gait()
WALK = Gait(speed=1.3, period=1.1, duty=0.62, step_width=0.1)


def half_sines(time, starts, duration, peak):
    force = np.zeros_like(time)
    for a in starts:
        u = (time - a) / duration
        force += np.where((u > 0) & (u < 1), peak * np.sin(np.pi * np.clip(u, 0, 1)), 0.0)
    return force


@pytest.fixture(scope="module")
def clock():
    return np.arange(3000) / 1000.0


def test_half_sine_force_crosses_50_newton_where_arithmetic_says(clock):
    force = half_sines(clock, (0.3, 1.0, 1.7), 0.25, 1600.0)
    found = events_from_force(clock, np.column_stack([force, 0 * force]), WEIGHT)
    delay = 0.25 / np.pi * np.arcsin(50.0 / 1600.0)
    assert len(found.r) == 3 and found.l == ()
    for c, start in zip(found.r, (0.3, 1.0, 1.7), strict=True):
        assert c.initial_contact_s == pytest.approx(start + delay, abs=2e-3)
        assert c.toe_off_s == pytest.approx(start + 0.25 - delay, abs=2e-3)
        assert c.complete


def test_a_knock_on_the_plate_is_no_contact_and_hides_none_after_it(clock):
    steps = half_sines(clock, (1.0, 1.7), 0.25, 1600.0)
    knocked = steps + half_sines(clock, (0.5,), 0.03, 900.0)
    a, b = (
        events_from_force(clock, np.column_stack([f, 0 * f]), WEIGHT).r
        for f in (steps, knocked)
    )
    assert len(a) == len(b) == 2
    for x, y in zip(a, b, strict=True):
        assert x.initial_contact_s == pytest.approx(y.initial_contact_s, abs=1e-3)


def test_plate_offset_and_vibration_change_no_event(clock):
    rng = np.random.default_rng(1)
    clean = half_sines(clock, (0.3, 1.0, 1.7), 0.25, 1600.0)
    noisy = clean + 18.0 + rng.normal(0.0, 10.0, len(clock))
    a = events_from_force(clock, np.column_stack([clean, clean]), WEIGHT).r
    b = events_from_force(clock, np.column_stack([noisy, noisy]), WEIGHT).r
    assert len(a) == len(b)
    for x, y in zip(a, b, strict=True):
        assert x.initial_contact_s == pytest.approx(y.initial_contact_s, abs=3e-3)
        assert x.toe_off_s == pytest.approx(y.toe_off_s, abs=3e-3)


def test_dip_above_release_level_does_not_end_a_contact(clock):
    force = half_sines(clock, (0.3,), 0.8, 900.0)
    phase = np.clip((clock - 0.6) / 0.2, 0.0, 1.0)
    force = force + (35.0 - 900.0) * np.where(force > 0, np.sin(np.pi * phase) ** 2, 0.0)
    assert 20.0 < force[(clock > 0.6) & (clock < 0.8)].min() < 50.0
    found = events_from_force(clock, np.column_stack([force, force]), WEIGHT)
    assert len(found.r) == 1


def test_contact_cut_by_the_recording_is_incomplete(clock):
    force = half_sines(clock, (-0.1, 2.9), 0.25, 1600.0)
    first, last = events_from_force(clock, np.column_stack([force, force]), WEIGHT).r
    assert (first.complete_start, first.complete_end) == (False, True)
    assert (last.complete_start, last.complete_end) == (True, False)


def test_touching_the_plate_lightly_is_no_contact(clock):
    force = half_sines(clock, (0.5,), 0.2, 0.15 * WEIGHT)
    assert not events_from_force(clock, np.column_stack([force, force]), WEIGHT).found


def test_force_of_wrong_shape_says_what_to_do(clock):
    with pytest.raises(CaptureError, match="one column per foot"):
        events_from_force(clock, np.zeros(len(clock)), WEIGHT)


def test_mask_and_contacts_are_inverse_to_half_a_frame():
    paths, contacts = gait(RUN)
    time = paths.time
    again = events_from_mask(time, contacts.mask(time))
    for side in SIDES:
        for a, b in zip(contacts.of(side), again.of(side), strict=True):
            assert a.initial_contact_s == pytest.approx(b.initial_contact_s, abs=5e-3)
            assert a.toe_off_s == pytest.approx(b.toe_off_s, abs=5e-3)


@pytest.mark.parametrize("treadmill", [True, False])
@pytest.mark.parametrize("shape", [RUN, WALK], ids=["run", "walk"])
def test_no_step_is_missed_or_invented_and_rules_stay_near(shape, treadmill):
    g = Gait(**{**shape.__dict__, "treadmill": treadmill})
    paths, true = gait(g)
    found = events_from_kinematics(paths, KinematicSettings(refine=False))
    for side in SIDES:
        a = [c for c in true.of(side) if c.complete]
        b = [c for c in found.of(side) if c.complete]
        assert len(a) == len(b)
        for x, y in zip(a, b, strict=True):
            assert y.initial_contact_s == pytest.approx(x.initial_contact_s, abs=0.05)
            assert y.toe_off_s == pytest.approx(x.toe_off_s, abs=0.05)


@pytest.mark.parametrize("treadmill", [True, False])
def test_ground_velocity_is_measured_from_the_feet(treadmill):
    paths, _ = gait(Gait(treadmill=treadmill))
    ground = surface_velocity({s: foot_signals(paths, s) for s in SIDES}, paths.rate)
    expected = -RUN.speed if treadmill else 0.0
    assert ground == pytest.approx([expected, 0.0, 0.0], abs=0.02)


def same_times(a, b):
    for side in SIDES:
        assert len(a.of(side)) == len(b.of(side)) > 0
        for x, y in zip(a.of(side), b.of(side), strict=True):
            assert x.initial_contact_s == pytest.approx(y.initial_contact_s, abs=1e-6)
            assert x.toe_off_s == pytest.approx(y.toe_off_s, abs=1e-6)


@pytest.mark.parametrize("shape", [RUN, WALK], ids=["run", "walk"])
def test_turning_the_laboratory_changes_no_event(shape):
    paths, _ = gait(shape)
    same_times(events_from_kinematics(paths), events_from_kinematics(turned(paths, 1.1)))


def test_mirror_swaps_the_feet_and_nothing_else():
    paths, _ = gait(RUN)
    a, b = events_from_kinematics(paths), events_from_kinematics(mirrored(paths))
    same_times(a, type(a)(b.l, b.r))


def test_treadmill_and_overground_running_give_the_same_events():
    belt, _ = gait(Gait(treadmill=True))
    floor, _ = gait(Gait(treadmill=False))
    same_times(events_from_kinematics(belt), events_from_kinematics(floor))


def test_frame_rate_hardly_matters():
    slow, fast = (events_from_kinematics(gait(Gait(rate=r))[0]) for r in (100.0, 250.0))
    for side in SIDES:
        for x, y in zip(slow.of(side), fast.of(side), strict=True):
            assert x.initial_contact_s == pytest.approx(y.initial_contact_s, abs=0.012)


def test_squats_are_not_steps():
    paths = squats()
    assert not is_stepping({s: foot_signals(paths, s) for s in SIDES})
    found = events_from_kinematics(paths)
    assert [c.complete_start for c in found.r] == [False]


def test_drop_landing_is_found_where_the_feet_arrive():
    paths, landing = drop_jump()
    found = events_from_kinematics(paths)
    for side in SIDES:
        assert len(found.of(side)) == 1
        assert found.of(side)[0].initial_contact_s == pytest.approx(landing, abs=0.02)


def test_missing_coefficients_name_the_script(tmp_path):
    with pytest.raises(ModelError, match="fit_events"):
        load_refinement(tmp_path / "events.toml")
