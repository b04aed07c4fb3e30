"""Conditioning: the laboratory must not matter, and nothing is repaired by guesswork."""

from __future__ import annotations

import warnings
from dataclasses import replace
from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from kneestride.capture.axes import find_ground_frame, side_pairs
from kneestride.capture.belt import belt_velocity, is_treadmill
from kneestride.capture.condition import condition
from kneestride.capture.gaps import fill_gaps, inner_gaps
from kneestride.capture.rigid import distances, fit_rigid, neighbours
from kneestride.capture.same_person import check_same_person, static_disagreement
from kneestride.capture.swaps import (
    drop_strays,
    exchanged_against_anatomy,
    exchanged_in_time,
    renamed_against_static,
)
from kneestride.capture.sync import check_clocks, check_under_feet
from kneestride.capture.trial import Markers, Trial
from kneestride.capture.units import check_load, check_size
from kneestride.errors import CaptureError, KneestrideError
from kneestride.vocabulary import Array
from scipy.spatial.transform import Rotation
from test_capture_samples import HEIGHT, LANDMARKS, MASS, loads, walker

FEET = ("RHEE", "RTOE", "RMT1", "RMT5", "LHEE", "LTOE", "LMT1", "LMT5")


def rotations_of_the_cube() -> list[Array]:
    """The 24 ways to name the axes of a right-handed laboratory."""
    out = []
    for order, signs in product(permutations(range(3)), product((1.0, -1.0), repeat=3)):
        turn = np.zeros((3, 3))
        turn[np.arange(3), order] = signs
        if np.linalg.det(turn) > 0:
            out.append(turn)
    return out


def turned(trial: Trial, turn: Array) -> Trial:
    """The same trial in a laboratory whose axes are turned."""
    forces = trial.forces
    if forces is not None:
        forces = replace(
            forces,
            force=forces.force @ turn.T,
            point=forces.point @ turn.T,
            torque=forces.torque @ turn.T,
        )
    return replace(
        trial,
        markers=replace(trial.markers, positions=trial.markers.positions @ turn.T),
        forces=forces,
    )


# ------------------------------------------------------------------- ground frame ------


@pytest.mark.parametrize("treadmill", [False, True])
@pytest.mark.parametrize("known", [None, LANDMARKS], ids=["names", "landmarks"])
def test_law_the_laboratorys_axes_do_not_matter(treadmill: bool, known: dict[str, str]) -> None:
    markers = walker(treadmill=treadmill)
    trial = Trial("walk", markers, loads(markers))
    for turn in rotations_of_the_cube()[:: 1 if treadmill else 3]:
        again = condition(turned(trial, turn), known, height=HEIGHT, mass=MASS).trial
        np.testing.assert_allclose(again.markers.positions, markers.positions, atol=1e-12)
        assert again.forces is not None and trial.forces is not None
        np.testing.assert_allclose(again.forces.force, trial.forces.force, atol=1e-9)
        np.testing.assert_allclose(again.forces.point, trial.forces.point, atol=1e-12)


@settings(max_examples=25, deadline=None)
@given(yaw=st.floats(-180, 180))
def test_law_the_direction_of_walking_does_not_matter(yaw: float) -> None:
    """Turned about the vertical: the same walk, but for a heading kept near a lab axis."""
    markers = walker(seconds=1.5)
    turn = Rotation.from_euler("y", yaw, degrees=True).as_matrix()
    frame = find_ground_frame(replace(markers, positions=markers.positions @ turn.T))
    left_over = frame.rotation @ turn
    from_axis = abs((yaw + 45) % 90 - 45)
    angle = np.degrees(Rotation.from_matrix(left_over).magnitude())
    if from_axis > 12:
        assert angle < 0.5
    else:
        assert angle < 12.5


def test_walking_backwards_is_said() -> None:
    markers = walker()
    back = replace(markers, positions=markers.positions[::-1].copy())
    frame = find_ground_frame(back)
    np.testing.assert_allclose(frame.rotation[0], [-1, 0, 0])
    assert any("faces 180° away" in n for n in frame.notes)
    assert not frame.faces_forward


def test_mirrored_axes_are_refused_when_landmarks_tell() -> None:
    markers = walker()
    mirrored = replace(markers, positions=markers.positions * [1, 1, -1])
    with pytest.raises(CaptureError, match="left and right markers on their own sides"):
        find_ground_frame(mirrored, LANDMARKS)


def test_a_tilted_laboratory_is_refused() -> None:
    markers = walker()
    tilt = Rotation.from_euler("x", 45, degrees=True).as_matrix()
    with pytest.raises(CaptureError, match="45° away from the nearest axis"):
        find_ground_frame(replace(markers, positions=markers.positions @ tilt.T), LANDMARKS)


def test_side_pairs() -> None:
    names = (
        "RASI",
        "LASI",
        "r_knee",
        "L_knee",
        "Heel_R",
        "Heel_L",
        "Right toe",
        "Left toe",
        "C7",
    )
    found = {(names[r], names[left]) for r, left in side_pairs(names)}
    assert found == {("RASI", "LASI"), ("r_knee", "L_knee"), ("Heel_R", "Heel_L"),
                     ("Right toe", "Left toe")}  # fmt: skip


# --------------------------------------------------------------------------- belt ------


@pytest.mark.parametrize("speed", [0.6, 1.2, 1.5])
def test_belt_speed_is_the_walking_speed(speed: float) -> None:
    belt = belt_velocity(walker(speed=speed, treadmill=True), FEET)
    np.testing.assert_allclose(belt, [-speed, 0, 0], atol=0.01)
    assert is_treadmill(belt)


def test_overground_the_ground_stands_still() -> None:
    ground = belt_velocity(walker(), FEET)
    np.testing.assert_allclose(ground, 0, atol=0.01)
    assert not is_treadmill(ground)


def test_belt_is_robust_to_noise_and_gaps() -> None:
    rng = np.random.default_rng(2)
    markers = walker(treadmill=True)
    noisy = markers.positions + rng.normal(0, 0.0005, markers.positions.shape)
    noisy[rng.random(noisy.shape[:2]) < 0.2] = np.nan
    belt = belt_velocity(replace(markers, positions=noisy), FEET)
    np.testing.assert_allclose(belt, [-1.2, 0, 0], atol=0.03)


# --------------------------------------------------------------------------- gaps ------


def test_inner_gaps() -> None:
    seen = np.array([0, 1, 1, 0, 0, 1, 0, 1, 0], dtype=bool)
    assert inner_gaps(seen) == [(3, 5), (6, 7)]


def test_short_gaps_are_filled_and_long_ones_left_open() -> None:
    markers = walker()
    positions = markers.positions.copy()
    k, j = markers.names.index("RTHI1"), markers.names.index("LASI")
    positions[50:54, k] = np.nan  # 0.04 s: spline
    positions[100:109, k] = np.nan  # 0.09 s: from the thigh's other markers
    positions[150:180, j] = np.nan  # 0.3 s: stays open
    positions[:3, j] = np.nan  # at the edge: stays open
    filled, report = fill_gaps(replace(markers, positions=positions))
    assert report.by_spline == {"RTHI1": 4}
    assert report.from_neighbours == {"RTHI1": 9}
    assert report.left_open == {"LASI": 33}
    off = np.linalg.norm(filled.positions[:, k] - markers.positions[:, k], axis=1)
    assert off[50:54].max() < 1e-4
    assert off[100:109].max() < 2e-4  # rigid: linear in the segment's frame
    assert np.isnan(filled.positions[150:180, j]).all()
    assert "LASI 33" in " ".join(report.notes())


def test_law_what_was_seen_is_never_changed() -> None:
    rng = np.random.default_rng(3)
    markers = walker()
    positions = markers.positions.copy()
    positions[rng.random(positions.shape[:2]) < 0.1] = np.nan
    filled, _ = fill_gaps(replace(markers, positions=positions))
    seen = np.isfinite(positions)
    np.testing.assert_array_equal(filled.positions[seen], positions[seen])


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_law_fit_rigid_finds_the_movement(seed: int) -> None:
    rng = np.random.default_rng(seed)
    source = rng.normal(size=(5, 3))
    turn = Rotation.random(random_state=seed % 2**32).as_matrix()
    move = rng.normal(size=3)
    rotation, translation = fit_rigid(source, (source @ turn.T + move)[None])
    np.testing.assert_allclose(rotation[0], turn, atol=1e-9)
    np.testing.assert_allclose(translation[0], move, atol=1e-9)


def test_neighbours_are_of_the_same_segment() -> None:
    markers = walker()
    near = neighbours(distances(markers), markers.names.index("RSHA1"))
    assert {markers.names[k] for k in near} >= {"RSHA2", "RSHA3", "RSHA4"}


# ------------------------------------------------------------------ exchanged names ------


def exchange(markers: Markers, a: str, b: str, frames: slice) -> Markers:
    positions = markers.positions.copy()
    i, j = markers.names.index(a), markers.names.index(b)
    positions[frames, i], positions[frames, j] = (
        markers.positions[frames, j],
        markers.positions[frames, i],
    )
    return replace(markers, positions=positions)


def test_an_undisturbed_trial_is_left_alone() -> None:
    markers = walker()
    for repaired, notes in (
        exchanged_in_time(markers),
        drop_strays(markers),
        renamed_against_static(markers, markers),
        exchanged_against_anatomy(markers, LANDMARKS, np.array([0.0, 0.0, 1.0])),
    ):
        np.testing.assert_array_equal(repaired.positions, markers.positions)
        assert repaired.names == markers.names and notes == []


@pytest.mark.parametrize(
    ("a", "b", "first", "last"),
    [
        ("RSHA1", "RSHA3", 80, 120),
        ("LMT1", "LMT5", 0, 90),
        ("RTHI1", "RTHI2", 250, 300),
        ("LHEE", "LTOE", 30, 31),
        ("LHEE", "LTOE", 0, 1),
    ],
)
def test_names_that_change_places_for_a_while_are_put_back(
    a: str, b: str, first: int, last: int
) -> None:
    markers = walker()
    repaired, notes = exchanged_in_time(exchange(markers, a, b, slice(first, last)))
    np.testing.assert_array_equal(repaired.positions, markers.positions)
    assert len(notes) == 1 and a in notes[0] and b in notes[0]
    assert f"put back in {last - first} frames" in notes[0]


def test_names_exchanged_all_through_are_found_by_the_static_trial() -> None:
    markers = walker()
    wrong = exchange(markers, "RMT1", "RHEE", slice(None))
    repaired, notes = renamed_against_static(wrong, markers)
    assert len(notes) == 1 and "carry each other's name" in notes[0]
    back = repaired.positions[:, repaired.names.index("RMT1")]
    np.testing.assert_array_equal(back, markers.positions[:, markers.names.index("RMT1")])


def test_a_marker_on_the_place_of_an_absent_one_is_renamed() -> None:
    markers = walker()
    keep = [k for k, n in enumerate(markers.names) if n != "RMT5"]
    names = tuple("RMT5" if n == "RMT1" else n for n in markers.names if n != "RMT5")
    wrong = Markers(names, markers.time, markers.rate, markers.positions[:, keep])
    repaired, notes = renamed_against_static(wrong, markers)
    assert "RMT1" in repaired.names and "RMT5" not in repaired.names
    assert "Renamed to RMT1" in notes[0]


@pytest.mark.parametrize("side", ["R", "L"])
def test_medial_and_lateral_told_by_anatomy(side: str) -> None:
    markers = walker()
    wrong = exchange(markers, f"{side}MT1", f"{side}MT5", slice(None))
    repaired, notes = exchanged_against_anatomy(wrong, LANDMARKS, np.array([0.0, 0.0, 1.0]))
    back = repaired.positions[:, repaired.names.index(f"{side}MT1")]
    np.testing.assert_array_equal(back, markers.positions[:, markers.names.index(f"{side}MT1")])
    assert len(notes) == 1


def test_stray_samples_are_left_out_and_counted() -> None:
    markers = walker()
    positions = markers.positions.copy()
    k = markers.names.index("RSHA2")
    positions[[70, 150], k] += [0.3, 0.1, 0.0]
    repaired, notes = drop_strays(replace(markers, positions=positions))
    assert np.flatnonzero(np.isnan(repaired.positions[:, k, 0])).tolist() == [70, 150]
    assert notes[0].endswith("RSHA2 2.")
    assert np.isfinite(np.delete(repaired.positions, k, axis=1)).all()


def test_a_static_trial_of_someone_else_is_refused() -> None:
    markers = walker()
    check_same_person(markers, markers, LANDMARKS)
    larger = replace(markers, positions=markers.positions * 1.12)
    with pytest.raises(CaptureError, match="the same person with the same marker placement"):
        condition(Trial("walk", markers), LANDMARKS, static=larger)
    other = Markers(("a", "b"), markers.time, markers.rate, markers.positions[:, :2])
    assert np.isnan(static_disagreement(markers, other)).all()
    with pytest.raises(CaptureError, match="with the markers of the movement"):
        check_same_person(markers, other)


# ------------------------------------------------------------------ units and forces ------


@pytest.mark.parametrize(
    ("factor", "words"),
    [
        (10, "10 times too large"),
        (1000, "1000 times too large"),
        (0.1, "10 times too small"),
        (0.001, "1000 times too small"),
    ],
)
@pytest.mark.parametrize("height", [None, 1.5, 2.0])
def test_units_ten_or_a_thousand_times_off(
    factor: float, words: str, height: float | None
) -> None:
    markers = walker()
    check_size(markers, height)
    with pytest.raises(CaptureError) as error:
        check_size(replace(markers, positions=markers.positions * factor), height)
    assert words in error.value.found


def test_forces_in_another_unit_direction_or_frame() -> None:
    markers = walker()
    forces, up = loads(markers), np.array([0.0, 1.0, 0.0])
    check_load(forces, MASS, up)
    with pytest.raises(CaptureError, match=r"peak .* body weights"):
        check_load(replace(forces, force=forces.force * 1000), MASS, up)
    with pytest.raises(CaptureError, match="looks like kN"):
        check_load(replace(forces, force=forces.force / 1000), MASS, up)
    with pytest.raises(CaptureError, match="not the force on the plate"):
        check_load(replace(forces, force=-forces.force), MASS, up)
    with pytest.raises(CaptureError, match="same axes"):
        check_load(replace(forces, force=forces.force[..., [0, 2, 1]]), MASS, up)


def test_an_empty_plate_beside_a_static_trial_is_fine() -> None:
    markers = walker()
    forces = loads(markers)
    noise = np.random.default_rng(0).normal(0, 2.0, forces.force.shape)
    check_load(replace(forces, force=noise), MASS, np.array([0.0, 1.0, 0.0]))


def test_forces_from_another_time_base() -> None:
    markers = walker()
    forces = loads(markers)
    assert check_clocks(markers, forces) == []
    with pytest.raises(
        CaptureError, match=r"forces from another time base: markers 0 to 2\.99 s"
    ):
        check_clocks(markers, replace(forces, time=forces.time + 100))
    with pytest.raises(CaptureError, match="time column is in seconds"):
        check_clocks(markers, replace(forces, time=forces.time * 1000, rate=1.0))
    late = check_clocks(markers, replace(forces, time=forces.time + 1))
    assert "do not cover the whole trial" in late[0]


def test_forces_of_another_trial_are_not_under_the_feet() -> None:
    markers = walker()
    forces = loads(markers)
    assert check_under_feet(markers, forces, FEET) == []
    with pytest.raises(CaptureError, match="another trial, time base or laboratory frame"):
        check_under_feet(markers, replace(forces, time=forces.time + 0.8), FEET)
    with pytest.raises(CaptureError, match="another trial, time base or laboratory frame"):
        aside = forces.point + np.array([0, 0, 0.4])
        check_under_feet(markers, replace(forces, point=aside), FEET)


def test_pressing_between_two_feet_is_under_the_feet() -> None:
    markers = walker()
    still = replace(markers, positions=np.repeat(markers.positions[30:31], 300, axis=0))
    forces = loads(markers)
    middle = still.positions[0, [still.names.index(n) for n in ("RMT1", "LMT1")]].mean(axis=0)
    force = np.zeros_like(forces.force)
    force[:, 0, 1] = 700.0
    both = replace(
        forces, force=force, point=np.broadcast_to(middle, forces.point.shape).copy()
    )
    assert check_under_feet(still, both, FEET) == []


def test_condition_leaves_a_sentence_for_every_step() -> None:
    markers = walker(treadmill=True)
    positions = markers.positions.copy()
    positions[40:43, 0] = np.nan
    positions[100:150, 1] = np.nan
    wrong = exchange(replace(markers, positions=positions), "RMT1", "RMT5", slice(None))
    done = condition(Trial("t", wrong), LANDMARKS, static=markers, height=HEIGHT)
    notes = " ".join(done.trial.notes)
    for said in ("carry each other's name", "Ground frame: up is laboratory +Y",
                 "Treadmill: the belt moves at 1.20 m/s", "Short gaps filled by cubic spline",
                 "Longer gaps left open"):  # fmt: skip
        assert said in notes
    assert done.gaps.left_open == {"LASI": 50}
    np.testing.assert_allclose(done.frame.belt, [-1.2, 0, 0], atol=0.01)


@settings(max_examples=150, deadline=None)
@given(data=st.data(), frames=st.integers(1, 12), count=st.integers(3, 9))
def test_law_any_markers_give_a_trial_or_a_message(
    data: st.DataObject, frames: int, count: int
) -> None:
    values = st.one_of(st.floats(-2, 2), st.just(0.5))
    positions = data.draw(hnp.arrays(float, (frames, count, 3), elements=values))
    positions[data.draw(hnp.arrays(bool, (frames, count)))] = np.nan
    names = data.draw(
        st.lists(
            st.sampled_from([*LANDMARKS, "C7", "x"]),
            min_size=count,
            max_size=count,
            unique=True,
        )
    )
    markers = Markers(tuple(names), np.arange(frames) / 100, 100.0, positions)
    known = data.draw(st.sampled_from([None, LANDMARKS]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            done = condition(Trial("any", markers, loads(walker(seconds=0.2))), known)
        except KneestrideError:
            return
    assert done.trial.markers.positions.shape == positions.shape
    assert np.linalg.det(done.frame.rotation) == pytest.approx(1.0)
