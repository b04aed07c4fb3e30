"""Known answers of tasks: knees that bend, hips that fall or vault, and what is told apart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from kneestride.motion import tasks
from kneestride.motion.contacts import Contact, Contacts
from kneestride.motion.kinematics import AnatomicalPaths
from kneestride.motion.tasks import Repetition
from kneestride.vocabulary import SIDES, Array
from stick_figure import Gait, gait

FORWARD = np.array([1.0, 0.0, 0.0])
NOBODY = Contacts((), ())


def tile(length: int, *place: float) -> Array:
    return np.tile(np.array(place), (length, 1))


def figure(
    right: Array | float = 0.0, left: Array | float = 0.0, lift: float = 0.0, length: int = 200,
    rate: float = 100.0, hips: Array | None = None, begin: float = 2.0,
) -> AnatomicalPaths:  # fmt: skip
    """Knees bent by so many rad under hips at 0.9 m; the right sole `lift` m up."""
    points: dict[str, Array] = {}
    place = tile(length, 0.0, 0.9, 0.0) if hips is None else hips
    for side, bend, up in (("r", right, lift), ("l", left, 0.0)):
        bent = np.broadcast_to(bend, (length,))
        hip = place + np.array([0.0, 0.0, 0.1 if side == "r" else -0.1])
        knee = hip + np.array([0.0, -0.5, 0.0])
        shank = np.column_stack([-0.3 * np.sin(bent), -0.3 * np.cos(bent), 0.0 * bent])
        points |= {
            f"hip_center_{side}": hip, f"knee_center_{side}": knee,
            f"ankle_center_{side}": knee + shank,
            f"heel_bottom_{side}": tile(length, -0.05, up, 0.1),
            f"metatarsal_1_{side}": tile(length, 0.1, up + 0.3, 0.1),
            f"metatarsal_5_{side}": tile(length, 0.1, up + 0.02, 0.1),
        }  # fmt: skip
    time = begin + np.arange(length) / rate
    return AnatomicalPaths(time, rate, points, {}, {}, FORWARD, np.zeros(3))


# --- knees --------------------------------------------------------------------------------


def test_the_pelvis_is_midway_between_the_hips() -> None:
    points = {"hip_center_r": tile(3, 1.0, 2.0, 3.0), "hip_center_l": tile(3, 2.0, 4.0, -1.0)}
    paths = AnatomicalPaths(np.arange(3.0), 1.0, points, {}, {}, FORWARD, np.zeros(3))
    np.testing.assert_array_equal(tasks.pelvis_center(paths), tile(3, 1.5, 3.0, 1.0))


def test_each_knee_has_its_own_bend_whatever_its_segments_lengths() -> None:
    bend = np.linspace(0.0, 2.5, 200)
    paths = figure(bend, 0.25)
    np.testing.assert_allclose(tasks.knee_flexion(paths, "r"), bend, atol=1e-7)
    np.testing.assert_allclose(tasks.knee_flexion(paths, "l"), 0.25, atol=1e-7)
    only = {n: p for n, p in paths.points.items() if n != "knee_center_l"}
    assert np.isnan(tasks.knee_flexion(replace(paths, points=only), "l")).all()
    assert tasks.knee_flexion(replace(paths, points=only), "l").shape == (200,)


def test_a_sole_is_as_low_as_its_heel_or_its_outer_head() -> None:
    points = {
        "heel_bottom_r": np.array([[9.0, 0.1, 9.0], [9.0, 0.3, 9.0]]),
        "metatarsal_5_r": np.array([[-9.0, 0.2, -9.0], [-9.0, 0.15, -9.0]]),
    }
    paths = AnatomicalPaths(np.arange(2.0), 1.0, points, {}, {}, FORWARD, np.zeros(3))
    np.testing.assert_array_equal(tasks._sole_height(paths, "r"), [0.1, 0.15])


@pytest.mark.parametrize(
    ("lift", "bend"), [(0.09, 0.75), (0.11, 0.5), (-0.09, 0.75), (-0.11, 1.0)]
)
def test_over_100_mm_apart_the_lower_foot_is_the_one_that_stands(
    lift: float, bend: float
) -> None:
    # The right knee is bent by 1 rad, the left one by 0.5.
    flexion = tasks.stance_flexion(figure(1.0, 0.5, lift=lift))
    np.testing.assert_allclose(flexion, bend, atol=1e-9)


def test_feet_are_apart_where_they_are_at_most_times() -> None:
    paths = figure(1.0, 0.5)
    for name in ("heel_bottom_r", "metatarsal_5_r"):
        paths.points[name][:90, 1] += 0.5  # most of the time both stand
    np.testing.assert_allclose(tasks.stance_flexion(paths)[50:], 0.75, atol=1e-9)
    for name in ("heel_bottom_r", "metatarsal_5_r"):
        paths.points[name][:110, 1] = 0.5
        paths.points[name][190:] = np.nan
    np.testing.assert_allclose(tasks.stance_flexion(paths), 0.5, atol=1e-9)


@pytest.mark.parametrize(("rate", "cutoff"), [(100.0, 3.0), (5.0, 2.0), (8.0, 3.0)])
def test_flexion_is_smoothed_at_3_hz(rate: float, cutoff: float) -> None:
    time = np.arange(int(6 * rate)) / rate
    wave = 0.3 * np.sin(2.0 * np.pi * cutoff * time + 0.4)
    found = tasks.stance_flexion(figure(1.0 + wave, 1.0 + wave, length=len(time), rate=rate))
    inner = slice(int(2 * rate), int(4 * rate))
    np.testing.assert_allclose(found[inner], 1.0 + np.sqrt(0.5) * wave[inner], atol=5e-3)


def test_knees_that_were_not_seen_do_not_bend() -> None:
    paths = figure(1.0, 1.0)
    nothing = replace(paths, points=dict(paths.points) | {
        f"knee_center_{s}": np.full((200, 3), np.nan) for s in SIDES
    })  # fmt: skip
    assert np.isnan(tasks.stance_flexion(nothing)).all()
    assert tasks.repetitions(nothing) == ()


# --- repetitions --------------------------------------------------------------------------


def bends(monkeypatch: pytest.MonkeyPatch, *degrees: float) -> tuple[Repetition, ...]:
    """Repetitions of a flexion that is given, a frame a second from 10 s."""
    flexion = np.radians(degrees)
    monkeypatch.setattr(tasks, "stance_flexion", lambda paths: flexion)
    return tasks.repetitions(figure(length=len(degrees), rate=1.0, begin=10.0))


def told(found: tuple[Repetition, ...]) -> list[tuple[float, float, float, float]]:
    return [
        (r.start_s, r.deepest_s, r.end_s, round(float(np.degrees(r.depth_rad)), 6))
        for r in found
    ]


def test_a_repetition_reaches_out_to_a_twentieth_of_its_depth(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # 100° over 10°: a twentieth is left at 15°.
    found = bends(monkeypatch, 10, 10, 14, 16, 60, 110, 70, 15.5, 14.5, 10, 10)
    assert told(found) == [(12.0, 15.0, 18.0, 96.0)]
    # The nearest ones on either side, not the first and the last.
    found = bends(monkeypatch, 14, 20, 14, 60, 110, 70, 14, 20, 14, 10)
    assert told(found) == [(12.0, 14.0, 16.0, 96.0)]


@pytest.mark.parametrize(("top", "count"), [(34.9, 0), (35.1, 1)])
def test_a_repetition_adds_30_degrees(
    monkeypatch: pytest.MonkeyPatch, top: float, count: int
) -> None:
    assert len(bends(monkeypatch, 5, 5, top, 5, 5)) == count
    # Over the higher of the two sides.
    assert len(bends(monkeypatch, 0, 0, top, 5, 5)) == count
    assert len(bends(monkeypatch, 5, 5, top, 0, 0)) == count


def test_a_repetition_that_the_recording_cuts_reaches_to_where_the_knee_is_straightest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Bent at first, 50° down to 40°: the depth is over the higher side, 70°.
    found = bends(monkeypatch, 50, 40, 45, 110, 60, 10, 10)
    assert told(found) == [(11.0, 13.0, 15.0, 70.0)]
    # Bent at last, mirrored.
    found = bends(monkeypatch, 10, 10, 60, 110, 45, 40, 50)
    # It begins at the last frame within 43.5°, which is at 10°.
    assert told(found) == [(11.0, 13.0, 15.0, 100.0)]
    # Straight at the very last frame, and at the very first.
    assert told(bends(monkeypatch, 10, 60, 110, 60, 10)) == [(10.0, 12.0, 14.0, 100.0)]


def test_repetitions_in_a_row_reach_to_each_other_and_not_beyond(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Straightened in between, to 12°, of 10° at either end.
    found = bends(monkeypatch, 10, 110, 60, 12, 12, 60, 110, 60, 10)
    assert [(r.start_s, r.deepest_s, r.end_s) for r in found] == [
        (10.0, 11.0, 13.0), (14.0, 16.0, 18.0),
    ]  # fmt: skip
    # Not straightened: to the valley at 50°, which is nearer than the straight ends.
    found = bends(monkeypatch, 10, 60, 110, 70, 50, 80, 120, 60, 90, 115, 60, 10)
    assert [(r.start_s, r.deepest_s, r.end_s) for r in found] == [
        (10.0, 12.0, 14.0), (14.0, 16.0, 17.0), (17.0, 19.0, 20.0),
    ]  # fmt: skip
    np.testing.assert_allclose(np.degrees([r.depth_rad for r in found]), [100.0, 70.0, 55.0])


def test_a_gap_leaves_no_repetition(monkeypatch: pytest.MonkeyPatch) -> None:
    assert bends(monkeypatch, 10, 10, 110, 10, 10, float("nan")) == ()


def test_a_valley_is_the_lowest_frame_of_both_ends_and_between() -> None:
    values = np.array([0.0, 5.0, 3.0, 4.0, 2.0, 1.0])
    assert tasks._valley(values, 1, 3) == 2
    assert tasks._valley(values, 1, 4) == 4
    assert tasks._valley(values, 0, 3) == 0


# --- falling and vaulting -----------------------------------------------------------------


def heights(*knots: tuple[float, float]) -> AnatomicalPaths:
    """Hips of 4 s, at heights (m) given at times from 2 s, straight in between."""
    at, up = np.transpose(knots)
    hips = tile(401, 0.0, 0.0, 0.0)
    hips[:, 1] = np.interp(2.0 + np.arange(401) / 100.0, at, up)
    hips[:, 0] = -hips[:, 1]
    return figure(hips=hips, length=401)


@pytest.mark.parametrize(("middle", "vaults"), [(0.93, True), (0.91, False)])
def test_hips_vault_when_they_are_above_the_mean_of_both_ends(
    middle: float, vaults: bool
) -> None:
    paths = heights((2.0, 5.0), (3.0, 0.90), (3.5, middle), (4.0, 0.94), (5.0, 5.0))
    one = (Contact(3.0, 4.0),)
    assert tasks._vaults(paths, Contacts(one, ())) is vaults
    assert tasks._vaults(paths, Contacts((), one)) is vaults
    for cut in (Contact(3.0, 4.0, False, True), Contact(3.0, 4.0, True, False)):
        assert tasks._vaults(paths, Contacts((cut,), ())) is False
    assert tasks._vaults(paths, NOBODY) is False
    level = heights((2.0, 1.0), (5.0, 1.0))
    assert tasks._vaults(level, Contacts(one, ())) is False


def test_most_contacts_of_both_feet_say_whether_hips_vault() -> None:
    paths = heights(
        (2, 0.9), (2.5, 0.91), (3, 0.9), (3.5, 0.91), (4, 0.9), (4.5, 0.5), (5, 0.9)
    )
    first, second, third = (Contact(t, t + 1.0) for t in (2.0, 3.0, 4.0))
    # Two by 10 mm against one of −400 mm: the median is a vault, the mean were none.
    assert tasks._vaults(paths, Contacts((first, second), (third,)))
    assert tasks._vaults(paths, Contacts((third,), (first, second)))
    assert not tasks._vaults(paths, Contacts((third,), (first,)))


@pytest.mark.parametrize(("speed", "kept"), [(0.98, False), (1.02, True)])
def test_hips_fall_by_over_1_m_s_smoothed_at_10_hz(speed: float, kept: bool) -> None:
    # 10 Hz at the cut-off keep 0.707; a difference over two frames is sin(w h) / h of it.
    rate, w = 200.0, 2.0 * np.pi * 10.0
    time = 2.0 + np.arange(400) / rate
    hips = tile(400, 0.0, 0.9, 0.0)
    shown = np.sqrt(0.5) * np.sin(w / rate) * rate
    hips[:, 1] -= speed / shown * np.sin(w * (time - 3.0))
    paths = figure(hips=hips, length=400, rate=rate)
    at_full, at_rest = Contact(3.0, 3.3), Contact(3.025, 3.3)
    both = Contacts(
        (at_rest, at_full, Contact(3.1, 3.4, False, True)), (at_full,), "mask", ("told",)
    )
    found = tasks.landings(paths, both)
    assert found.r == found.l == ((at_full,) if kept else ())
    assert (found.source, found.notes) == ("mask", ("told",))
    # A contact whose end was cut is a landing all the same.
    cut = replace(at_full, complete_end=False)
    assert tasks.landings(paths, Contacts((), (cut,))).l == ((cut,) if kept else ())


def test_slow_recordings_are_smoothed_at_two_fifths_of_their_rate() -> None:
    hips = tile(60, 0.0, 0.9, 0.0)
    hips[:, 1] -= 2.0 * np.arange(60) / 10.0
    paths = figure(hips=hips, length=60, rate=10.0)
    whole = Contacts((Contact(5.0, 5.5),), ())
    assert tasks.landings(paths, whole).r == whole.r


# --- what it is ---------------------------------------------------------------------------


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize(("way", "task"), [(0.049, "static"), (0.051, "other")])
def test_who_stands_moves_by_less_than_50_mm(axis: int, way: float, task: str) -> None:
    hips = tile(200, 0.0, 0.9, 0.0)
    hips[:, axis] += np.linspace(0.0, way, 200)
    assert tasks.recognise_task(figure(hips=hips), NOBODY) == task


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize(("degrees", "task"), [(9.7, "static"), (10.3, "other")])
def test_who_stands_bends_neither_knee_by_10_degrees(
    side: str, degrees: float, task: str
) -> None:
    bend = 0.5 + np.linspace(0.0, np.radians(degrees), 200)
    paths = figure(bend, 0.3) if side == "r" else figure(0.3, bend)
    assert tasks.recognise_task(paths, NOBODY) == task


def test_without_knees_the_hips_alone_tell_who_stands() -> None:
    points = {n: p for n, p in figure().points.items() if "knee" not in n}
    assert tasks.recognise_task(replace(figure(), points=points), NOBODY) == "static"


def test_a_fall_makes_a_landing_before_a_bend_makes_a_squat() -> None:
    hips = tile(400, 0.0, 0.0, 0.0)
    time = 2.0 + np.arange(400) / 100.0
    hips[:, 1] = 9.0 - 1.5 * (time - 2.0)
    bend = np.radians(60.0) * np.exp(-(((time - 4.0) / 0.4) ** 2))
    paths = figure(bend, bend, hips=hips, length=400)
    fall = Contacts((), (Contact(3.5, 4.5),))
    assert tasks.recognise_task(paths, fall) == "landing"
    assert tasks.recognise_task(paths, NOBODY) == "squat"


@pytest.mark.parametrize(
    ("duty", "noise", "vaults", "task"),
    [
        (0.45, 0.0, True, "running"),  # exact points: contact times alone
        (0.45, 0.002, True, "walking"),  # in doubt, the hips tell
        (0.45, 0.002, False, "running"),
        (0.35, 0.002, True, "running"),  # no doubt of flight
        (0.55, 0.002, False, "walking"), (0.55, 0.0, False, "walking"),
    ],
)  # fmt: skip
def test_noisy_contact_times_between_two_fifths_and_half_leave_it_to_the_hips(
    duty: float, noise: float, vaults: bool, task: str
) -> None:
    paths, contacts = gait(Gait(duty=duty, rate=80.0, cycles=4.3))
    # Both feet are mid-stance in turn, half a period apart: hips highest, or lowest, there.
    middle = 0.1 + 0.5 * duty * 0.7
    wave = 0.02 * np.cos(4.0 * np.pi * (paths.time - middle) / 0.7)
    points = dict(paths.points)
    for side in SIDES:
        hip = points[f"hip_center_{side}"].copy()
        hip[:, 1] += wave if vaults else -wave
        points[f"hip_center_{side}"] = hip
    paths = replace(paths, points=points, noise=noise)
    assert tasks.recognise_task(paths, contacts) == task
