"""Points, angles and frames that are read off a body, and points that were seen instead."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from kneestride.capture.landmarks import landmark_table
from kneestride.capture.trial import Markers
from kneestride.model.places import expected_places
from kneestride.motion import anatomy
from kneestride.motion.anatomy import anatomical_paths, prefer_captured
from kneestride.motion.filtering import lowpass
from kneestride.motion.keypoint_feet import SOLE, keypoint_feet, seen_centers
from kneestride.motion.kinematics import AnatomicalPaths
from kneestride.vocabulary import SIDES, Array, Side
from synthetic_capture import lively, runner

RATE = 50.0
FORWARD, BELT = np.array([0.0, 0.0, -1.0]), np.array([0.0, 0.0, 2.5])


def poses(frames: int = 3) -> Array:
    return lively(frames, 17)[1]


def read(q: Array, places: dict[str, tuple[int, Array]], **options: Any) -> AnatomicalPaths:
    time = 2.0 + np.arange(len(q)) / RATE
    signs: dict[Side, float] = {"r": 1.0, "l": -1.0}
    return anatomical_paths(
        runner(), time, RATE, q, places,
        flexion_sign=signs, progression=FORWARD, belt_velocity=BELT, **options,
    )  # fmt: skip


def spots() -> dict[str, tuple[int, Array]]:
    body = runner()
    return {
        "toe_r": (body.body("toes_r"), np.array([0.06, -0.01, 0.02])),
        "patella_l": (body.body("patella_l"), np.array([0.04, 0.01, -0.03])),
    }


def test_points_are_the_bodies_origins_and_places_on_them() -> None:
    body, q = runner(), poses()
    rotation, position = body.poses(q)
    found = read(q, spots())
    origins = {"hip_center": "femur", "knee_center": "tibia", "ankle_center": "talus"}
    for name, on in origins.items():
        for side in SIDES:
            where = position[:, body.body(f"{on}_{side}")]
            np.testing.assert_array_equal(found.points[f"{name}_{side}"], where)
    for name, (b, place) in spots().items():
        for t in range(len(q)):
            expected = position[t, b] + rotation[t, b] @ place
            np.testing.assert_allclose(found.points[name][t], expected, atol=1e-12)
    center = sum(
        body.tree.mass[b] * (position[:, b] + rotation[:, b] @ body.tree.com[b])
        for b in range(len(body.bodies))
    )
    np.testing.assert_allclose(found.points["center_of_mass"], center / body.mass, atol=1e-12)
    assert set(found.points) == {
        "toe_r", "patella_l", "center_of_mass",
        *(f"{n}_{s}" for n in origins for s in SIDES),
    }  # fmt: skip
    assert set(found.frames) == {"pelvis", "tibia_r", "tibia_l", "calcn_r", "calcn_l"}
    for name, frame in found.frames.items():
        np.testing.assert_array_equal(frame, rotation[:, body.body(name)])


def test_a_flexed_knee_is_positive_whatever_the_models_sign() -> None:
    body, q = runner(), poses()
    found = read(q, {})
    for name in body.coordinates:
        sign = -1.0 if name == "knee_angle_l" else 1.0
        np.testing.assert_array_equal(found.angles[name], sign * q[:, body.coordinate(name)])


def test_clock_way_belt_and_noise_are_handed_on() -> None:
    found = read(poses(), {})
    assert (found.rate, found.noise) == (RATE, 0.0)
    np.testing.assert_allclose(found.time, [2.0, 2.02, 2.04])
    np.testing.assert_array_equal(found.progression, FORWARD)
    np.testing.assert_array_equal(found.belt_velocity, BELT)
    assert read(poses(), {}, noise=0.012).noise == 0.012


def test_what_was_seen_goes_before_the_model_and_new_points_are_bridged() -> None:
    q = poses(4)
    plain = read(q, spots())
    seen = plain.points["toe_r"] + [0.01, 0.02, 0.03]
    seen[1] = np.nan
    found = read(q, spots(), captured={"toe_r": seen})
    np.testing.assert_allclose(
        found.points["toe_r"], plain.points["toe_r"] + [0.01, 0.02, 0.03], atol=1e-12
    )
    np.testing.assert_array_equal(found.points["patella_l"], plain.points["patella_l"])


def test_the_big_toe_or_the_second_head_stands_in_for_the_toe() -> None:
    body, q = runner(), poses()
    toes = (body.body("toes_l"), np.array([0.05, 0.0, 0.0]))
    head = (body.body("calcn_l"), np.array([0.18, 0.0, 0.01]))
    tip = (body.body("toes_l"), np.array([0.07, 0.0, 0.0]))
    order = {"metatarsal_2_l": head, "big_toe_l": toes, "toe_l": tip}
    for count, stands in ((1, "metatarsal_2_l"), (2, "big_toe_l"), (3, "toe_l")):
        given = dict(list(order.items())[:count])
        found = read(q, given)
        np.testing.assert_array_equal(found.points["toe_l"], found.points[stands])
        assert "toe_r" not in found.points
    none = read(q, {})
    assert "toe_l" not in none.points


def test_a_long_recordings_pages_are_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[int] = []
    monkeypatch.setattr(anatomy, "release", lambda: given.append(1))
    monkeypatch.setattr(anatomy, "MANY", 2)
    for long, times in ((5, 0), (4, 4)):  # blocks of five frames: 1, 1, 1 and 2
        monkeypatch.setattr(anatomy, "LONG", long)
        given.clear()
        found = read(poses(5), {})
        assert len(given) == times
        assert np.isfinite(found.points["hip_center_l"]).all()
    np.testing.assert_array_equal(
        found.points["hip_center_l"], runner().poses(poses(5))[1][:, runner().body("femur_l")]
    )


def test_a_gap_is_bridged_by_the_model_moved_alongside() -> None:
    rng = np.random.default_rng(3)
    modelled = rng.normal(size=(8, 3))
    off = np.array([[0.1, 0.2, -0.3]]) * np.ones((8, 1))
    off[5:] = [0.4, -0.1, 0.3]
    captured = modelled + off
    captured[2:5] = np.nan
    captured[3, 0] = 7.0  # one axis alone is not seen
    captured[[0, 7]] = np.nan
    found = prefer_captured(captured, modelled)
    expected = off.copy()
    share = np.array([0.25, 0.5, 0.75])[:, None]
    expected[2:5] = off[1] + share * (off[5] - off[1])
    np.testing.assert_allclose(found - modelled, expected, atol=1e-12)
    nothing = np.full((8, 3), np.nan)
    np.testing.assert_array_equal(prefer_captured(nothing, modelled), modelled)


# --- soles ----------------------------------------------------------------------------


def feet(
    q: Array, captured: dict[str, Array], rate: float = RATE, cutoff: float | None = None
) -> dict[str, Array]:
    body = runner()
    neutral = np.where(body.rotational, 0.1, body.default)
    places = expected_places(body, landmark_table())
    return keypoint_feet(body, q, neutral, places, captured, rate, cutoff)


def test_each_foot_is_seen_to_by_itself() -> None:
    q = np.repeat(poses(1), 6, axis=0)
    body, places = runner(), expected_places(runner(), landmark_table())
    b, place = places["heel_l"]
    rotation, position = body.poses(q)
    heel = position[:, b] + rotation[:, b] @ place
    seen = heel + np.array([0.02, -0.01, 0.03])
    seen[2] = np.nan
    found = feet(q, {"heel_l": seen})
    # The left sole rides on its heel; nothing was seen of the right foot: all of its sole.
    expected = {f"{n}_r" for n in SOLE if f"{n}_r" in places} | {"heel_bottom_l"}
    assert set(found) == expected and len(expected) > 4
    table = landmark_table()
    down = table["heel_bottom_l"].position - table["heel_l"].position
    np.testing.assert_allclose(
        found["heel_bottom_l"], heel + [0.02, -0.01, 0.03] + rotation[:, b] @ down, atol=1e-9
    )
    # Level as in the neutral pose, under the ankle, turned to where the hips face.
    neutral = np.where(body.rotational, 0.1, body.default)
    rest_r, rest_p = (x[0] for x in body.poses(neutral[None]))
    hips = position[0, body.body("femur_r")] - position[0, body.body("femur_l")]
    yaw = np.arctan2(hips[0], hips[2])
    turn = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    talus = body.body("talus_r")
    for name in expected - {"heel_bottom_l"}:
        b, place = places[name]
        arm = rest_p[b] + rest_r[b] @ place - rest_p[talus]
        np.testing.assert_allclose(
            found[name], position[:, talus] + turn @ arm, atol=1e-9, err_msg=name
        )


@pytest.mark.parametrize(("rate", "cutoff"), [(50.0, 1.0), (3.0, 0.6)])
def test_a_foots_paths_are_smoothed_and_its_heading_below_a_hertz(
    rate: float, cutoff: float
) -> None:
    """Hips that swing at a tenth of the rate hardly turn a foot; slow ones are slower yet."""
    body = runner()
    q = np.repeat(np.where(body.rotational, 0.0, body.default)[None], 24, axis=0)
    q[:, body.coordinate("pelvis_rotation")] = 0.3 * np.sin(2 * np.pi * np.arange(24) / 10.0)
    seen = {"big_toe_l": np.zeros((24, 3))}
    found = feet(q, seen, rate)
    hips = body.poses(q)[1]
    across = hips[:, body.body("femur_r")] - hips[:, body.body("femur_l")]
    slow = lowpass(across, rate, cutoff)
    yaw = np.arctan2(slow[:, 0], slow[:, 2])
    along = found["toe_r"] - found["heel_r"]
    turned = np.arctan2(along[:, 0], along[:, 2])
    np.testing.assert_allclose(turned - turned[0], yaw - yaw[0], atol=1e-9)
    smooth = feet(q, seen, rate, 0.3 * rate)
    for name, path in found.items():
        np.testing.assert_allclose(smooth[name], lowpass(path, rate, 0.3 * rate), atol=1e-12)
    assert np.abs(smooth["toe_r"] - found["toe_r"]).max() > 1e-4


def test_joint_centres_are_smoothed_and_told_apart() -> None:
    path = np.random.default_rng(5).normal(size=(40, 3, 3)).cumsum(axis=0)
    markers = Markers(("x", "y", "z"), np.arange(40) / 60.0, 60.0, path)
    landmarks = {
        "y": "ankle_joint_center_l", "z": "knee_joint_center_r", "x": "heel_r",
        "w": "hip_joint_center_l",
    }  # fmt: skip
    found = seen_centers(markers, landmarks, 6.0)
    assert set(found) == {"ankle_center_l", "knee_center_r"}
    np.testing.assert_allclose(found["ankle_center_l"], lowpass(path[:, 1], 60.0, 6.0))
    np.testing.assert_allclose(found["knee_center_r"], lowpass(path[:, 2], 60.0, 6.0))
