"""A pose from two hips, soles of feet that were hardly seen, and what is lost found again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from kneestride.capture.markersets import landmark_table
from kneestride.capture.trial import Markers
from kneestride.model.hip_start import poses_from_hips
from kneestride.model.places import expected_places
from kneestride.model.scaling import Targets
from kneestride.motion.keypoint_feet import FORE, keypoint_feet, seen_centers
from kneestride.motion.robust import solve_robustly
from kneestride.vocabulary import SIDES, Array
from scipy.spatial.transform import Rotation
from synthetic_capture import RATE, lively, marker_tasks, priors, runner


def coordinates(frames: int = 1, **degrees: float) -> Array:
    body = runner()
    q = np.tile(np.where(body.rotational, 0.0, body.default), (frames, 1))
    for name, value in degrees.items():
        q[:, body.coordinate(name)] = np.radians(value) if body.rotational[
            body.coordinate(name)
        ] else value  # fmt: skip
    return q


def targets(q: Array, ankles: bool = True) -> Targets:
    """Hip, knee and ankle centres of both legs as points of the thighs and tali."""
    body = runner()
    zero = body.poses(np.zeros((1, len(body.coordinates))))[1][0]
    rotation, position = body.poses(q)
    rows: list[tuple[str, int, Array]] = []
    for s in SIDES:
        femur, tibia, talus = (body.body(f"{n}_{s}") for n in ("femur", "tibia", "talus"))
        rows += [
            (f"hip_{s}", femur, np.zeros(3)),
            (f"knee_{s}", femur, zero[tibia] - zero[femur]),
        ]
        rows += [(f"ankle_{s}", talus, np.zeros(3))] if ankles else []
    where = [position[:, b] + rotation[:, b] @ at for _, b, at in rows]
    count = len(rows)
    return Targets(
        tuple(n for n, _, _ in rows), np.array([b for _, b, _ in rows]),
        np.array([at for _, _, at in rows]), np.full(count, 0.01), np.stack(where, axis=1),
        0.01, np.full(count, -1),
    )  # fmt: skip


NEUTRAL = coordinates()[0]


@pytest.mark.parametrize("yaw", [0.0, 70.0, 180.0, -120.0])
def test_a_pose_from_hips_has_its_heading_place_and_bent_legs(yaw: float) -> None:
    given = coordinates(
        pelvis_rotation=yaw, pelvis_tx=1.2, pelvis_ty=0.85, pelvis_tz=-0.4,
        hip_flexion_r=35.0, hip_adduction_r=-8.0, hip_flexion_l=-12.0, hip_adduction_l=6.0,
        knee_angle_r=60.0, knee_angle_l=25.0,
    )  # fmt: skip
    found = poses_from_hips(runner(), targets(given), NEUTRAL)
    assert found is not None
    body = runner()

    def off(name: str) -> float:
        i = body.coordinate(name)
        apart = float(found[0, i] - given[0, i])
        return (apart + np.pi) % (2 * np.pi) - np.pi if body.rotational[i] else apart

    for name in ("pelvis_rotation", "pelvis_tx", "pelvis_ty", "pelvis_tz"):
        assert off(name) == pytest.approx(0.0, abs=1e-6), name
    for side in SIDES:
        for name in (f"hip_flexion_{side}", f"hip_adduction_{side}", f"knee_angle_{side}"):
            # The model's knee centre moves a little in its thigh as the knee bends.
            assert np.degrees(off(name)) == pytest.approx(0.0, abs=4.0), name
    untouched = [f"{n}_{s}" for n in ("hip_rotation", "ankle_angle") for s in SIDES]
    assert [off(n) for n in (*untouched, "pelvis_tilt")] == pytest.approx([0.0] * 5)


def test_a_frame_without_hips_takes_the_pose_before() -> None:
    q = np.concatenate([coordinates(pelvis_tx=x, knee_angle_r=40.0) for x in (0.1, 0.5, 0.9)])
    seen = targets(q)
    seen.positions[1, 0] = np.nan
    found = poses_from_hips(runner(), seen, NEUTRAL)
    assert found is not None
    np.testing.assert_array_equal(found[1], found[0])
    assert found[2, runner().coordinate("pelvis_tx")] == pytest.approx(0.9, abs=1e-6)
    seen.positions[0, 0] = np.nan
    first = poses_from_hips(runner(), seen, NEUTRAL)
    assert first is not None
    np.testing.assert_array_equal(first[0], NEUTRAL)


def test_what_was_not_seen_of_a_leg_stays_neutral() -> None:
    given = coordinates(hip_flexion_r=30.0, knee_angle_r=50.0, hip_flexion_l=30.0)
    body = runner()
    flexion, bend = body.coordinate("hip_flexion_r"), body.coordinate("knee_angle_r")
    found = poses_from_hips(body, targets(given, ankles=False), NEUTRAL)
    assert found is not None
    assert np.degrees(found[0, flexion]) == pytest.approx(30.0, abs=2.0)
    assert found[0, bend] == NEUTRAL[bend]
    no_knee, no_ankle = targets(given), targets(given)
    no_knee.positions[0, no_knee.names.index("knee_r")] = np.nan
    no_ankle.positions[0, no_ankle.names.index("ankle_r")] = np.nan
    for seen, bent in ((no_knee, False), (no_ankle, True)):
        found = poses_from_hips(body, seen, NEUTRAL)
        assert found is not None
        assert (abs(found[0, flexion] - NEUTRAL[flexion]) > 0.1) == bent
        assert found[0, bend] == NEUTRAL[bend]
    # Beyond the range a coordinate stays at its end.
    far = poses_from_hips(body, targets(coordinates(hip_adduction_r=-85.0)), NEUTRAL)
    assert far is not None
    side = body.coordinate("hip_adduction_r")
    assert far[0, side] == pytest.approx(body.lower[side])


def test_without_both_hips_there_is_no_pose() -> None:
    seen = targets(coordinates())
    keep = [k for k, n in enumerate(seen.names) if n != "hip_l"]
    one = replace(
        seen, names=tuple(seen.names[k] for k in keep), body=seen.body[keep],
        station=seen.station[keep], positions=seen.positions[:, keep],
    )  # fmt: skip
    assert poses_from_hips(runner(), one, NEUTRAL) is None
    shifted = replace(seen, station=seen.station + 0.05)
    assert poses_from_hips(runner(), shifted, NEUTRAL) is None


# --- soles ----------------------------------------------------------------------------


def feet(q: Array, captured: dict[str, Array]) -> dict[str, Array]:
    body = runner()
    places = expected_places(body, landmark_table())
    return keypoint_feet(body, q, NEUTRAL, places, captured, RATE, None)


def test_the_sole_rides_on_the_heel_that_was_seen() -> None:
    body, table = runner(), landmark_table()
    q = coordinates(12, ankle_angle_r=20.0, pelvis_rotation=30.0)
    rotation, position = body.poses(q)
    places = expected_places(body, table)
    b, place = places["heel_r"]
    heel = position[:, b] + rotation[:, b] @ place
    seen = heel + np.array([0.01, 0.02, -0.03])
    found = feet(q, {"heel_r": seen, "big_toe_l": heel})
    assert set(found) == {"heel_bottom_r"}
    down = rotation[:, b] @ (table["heel_bottom_r"].position - table["heel_r"].position)
    np.testing.assert_allclose(found["heel_bottom_r"], seen + down, atol=1e-9)


def test_a_foot_that_was_not_seen_keeps_level_under_its_ankle() -> None:
    body = runner()
    plain, tilted = coordinates(12), coordinates(12, ankle_angle_r=25.0, pelvis_rotation=90.0)
    captured = {"big_toe_l": np.zeros((12, 3))}
    level, found = feet(plain, captured), feet(tilted, captured)
    sole = {n for n in found if n.endswith("_r")}
    assert sole >= {"heel_bottom_r", "metatarsal_1_r", "toe_r"} and set(found) == sole
    turn = Rotation.from_rotvec([0.0, np.pi / 2, 0.0]).as_matrix()
    talus = body.body("talus_r")
    for name in sole:
        arm = level[name] - body.poses(plain)[1][:, talus]
        moved = found[name] - body.poses(tilted)[1][:, talus]
        np.testing.assert_allclose(moved, arm @ turn.T, atol=1e-6)
    # An ankle that was seen carries it instead of the model's.
    ankle = body.poses(plain)[1][:, talus] + np.array([0.0, 0.05, 0.02])
    seen = feet(plain, captured | {"ankle_center_r": ankle})
    np.testing.assert_allclose(
        seen["toe_r"] - level["toe_r"], np.tile([0.0, 0.05, 0.02], (12, 1)), atol=1e-9
    )


@pytest.mark.parametrize("fore", FORE)
def test_any_point_of_the_forefoot_leaves_the_models_foot(fore: str) -> None:
    q = coordinates(12)
    none = {f"{fore}_{s}": np.zeros((12, 3)) for s in SIDES}
    assert feet(q, none) == {}


def test_joint_centres_are_those_the_detector_saw() -> None:
    path = np.random.default_rng(1).normal(size=(20, 4, 3))
    markers = Markers(("a", "b", "c", "d"), np.arange(20) / 50.0, 50.0, path)
    landmarks = {
        "a": "hip_joint_center_r", "b": "knee_joint_center_l", "c": "shoulder_joint_center_r",
        "x": "ankle_joint_center_r",
    }  # fmt: skip
    found = seen_centers(markers, landmarks, None)
    assert set(found) == {"hip_center_r", "knee_center_l"}
    np.testing.assert_allclose(found["hip_center_r"], path[:, 0])
    np.testing.assert_allclose(found["knee_center_l"], path[:, 1])


# --- stray points ---------------------------------------------------------------------


def robust(markers: Array, time: Array, **options: Any):
    confidence = np.ones(markers.shape[:2])
    return solve_robustly(
        runner(), marker_tasks(), time, RATE, markers, priors(), confidence, **options
    )


def test_a_point_off_by_far_loses_its_weight_and_bends_nothing() -> None:
    from kneestride.motion.inverse_kinematics import station_paths

    time, q = lively(8, 3, size=0.25)
    markers = station_paths(runner(), marker_tasks(), q)
    stray = markers.copy()
    stray[4, 5] += [0.15, 0.0, 0.1]
    motion, weight = robust(stray, time)
    plain, ones = robust(stray, time, rounds=0)
    assert weight[4, 5] < 0.02 and np.delete(weight[4], 5).min() > 0.3
    np.testing.assert_array_equal(ones, 1.0)
    bent = np.abs(plain.q[4] - q[4]).max()
    assert np.abs(motion.q[4] - q[4]).max() < 0.3 * bent
    assert motion.marker_error is not None
    assert motion.marker_error[4, 5] == pytest.approx(np.hypot(0.15, 0.1), abs=0.02)
