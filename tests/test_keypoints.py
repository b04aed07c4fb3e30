"""Key points: every format gives the same recording; noise, confidence and messages."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from kneestride.capture.keypoint_condition import exchange_legs, length_factor
from kneestride.capture.keypoint_sets import BODY_25, COCO_17, HALPE_26, MEDIAPIPE_33, SETS
from kneestride.capture.keypoint_smoothing import penalty, smooth_keypoints, whittaker
from kneestride.capture.keypoints import read_keypoints
from kneestride.capture.markersets import recognise
from kneestride.capture.read import read_trial
from kneestride.capture.root import root_path
from kneestride.capture.trial import Markers
from kneestride.errors import CaptureError, SettingsError
from kneestride.motion.robust import cauchy
from kneestride.one_camera import analyse_picture, is_picture
from kneestride.results.picture_folder import picture_summary, write_picture
from kneestride.settings import check_subject

RATE = 50.0
FRAMES = 20


def body(names: tuple[str, ...], frames: int = FRAMES) -> tuple[np.ndarray, np.ndarray]:
    """Points (T, K, 3) that differ everywhere, and confidences (T, K)."""
    rng = np.random.default_rng(len(names))
    points = (
        rng.uniform(0.2, 1.6, (1, len(names), 3)) + np.linspace(0, 0.1, frames)[:, None, None]
    )
    return points.round(5), rng.uniform(0.4, 1.0, (frames, len(names))).round(3)


def openpose_folder(folder: Path, points: np.ndarray, sure: np.ndarray) -> Path:
    folder.mkdir()
    for t in range(len(points)):
        flat = np.concatenate([points[t], sure[t][:, None]], axis=1).ravel().tolist()
        person = {"person_id": [-1], "pose_keypoints_2d": [], "pose_keypoints_3d": flat}
        name = f"clip_{t:012d}_keypoints.json"
        (folder / name).write_text(json.dumps({"version": 1.3, "people": [person]}))
    return folder


def mmpose(file: Path, points: np.ndarray, sure: np.ndarray) -> Path:
    frames = [
        {
            "frame_id": t,
            "instances": [{"keypoints": p.tolist(), "keypoint_scores": c.tolist()}],
        }
        for t, (p, c) in enumerate(zip(points, sure, strict=True))
    ]
    file.write_text(json.dumps({"meta_info": {}, "instance_info": frames}))
    return file


def mediapipe(file: Path, points: np.ndarray, sure: np.ndarray) -> Path:
    frames = [
        {
            "timestamp_ms": 1000 * t / RATE,
            "world_landmarks": [
                [
                    {"x": x, "y": y, "z": z, "visibility": c}
                    for (x, y, z), c in zip(p.tolist(), s.tolist(), strict=True)
                ]
            ],
        }
        for t, (p, s) in enumerate(zip(points, sure, strict=True))
    ]
    file.write_text(json.dumps(frames))
    return file


def plain(file: Path, points: np.ndarray, sure: np.ndarray) -> Path:
    frames = np.concatenate([points, sure[..., None]], axis=2).tolist()
    file.write_text(json.dumps({"rate": RATE, "frames": frames}))
    return file


def wide(file: Path, names: tuple[str, ...], points: np.ndarray, sure: np.ndarray) -> Path:
    with file.open("w", newline="") as stream:
        out = csv.writer(stream)
        out.writerow(
            [
                "frame",
                "time",
                *(f"{n}_{a}" for n in names for a in ("x", "y", "z", "confidence")),
            ]
        )
        for t in range(len(points)):
            cells = np.concatenate([points[t], sure[t][:, None]], axis=1).ravel().tolist()
            out.writerow([t, t / RATE, *cells])
    return file


def long(file: Path, names: tuple[str, ...], points: np.ndarray, sure: np.ndarray) -> Path:
    with file.open("w", newline="") as stream:
        out = csv.writer(stream)
        out.writerow(["frame", "time", "landmark", "x", "y", "z", "visibility"])
        for t in range(len(points)):
            for k, name in enumerate(names):
                out.writerow([t, t / RATE, name, *points[t, k].tolist(), sure[t, k]])
    return file


@pytest.mark.parametrize("kind", SETS)
def test_every_format_gives_the_same_recording(kind: str, tmp_path: Path) -> None:
    names = SETS[kind]
    points, sure = body(names)
    files = [
        openpose_folder(tmp_path / "openpose", points, sure),
        mmpose(tmp_path / "mmpose.json", points, sure),
        mediapipe(tmp_path / "mediapipe.json", points, sure),
        plain(tmp_path / "plain.json", points, sure),
        wide(tmp_path / "wide.csv", names, points, sure),
        long(tmp_path / "long.csv", names, points, sure),
    ]
    for file in files:
        trial = read_trial(file, rate=RATE)
        assert trial.markers.names == names, file.name
        np.testing.assert_allclose(trial.markers.positions, points, atol=1e-9)
        np.testing.assert_allclose(trial.markers.confidence, sure, atol=1e-9)
        np.testing.assert_allclose(trial.markers.time, np.arange(FRAMES) / RATE, atol=1e-9)


@pytest.mark.parametrize(
    ("names", "table"),
    [
        (COCO_17, "coco"),
        (BODY_25, "opencap_video"),
        (HALPE_26, "opencap_video"),
        (MEDIAPIPE_33, "mediapipe"),
    ],
)
def test_each_set_has_its_table_of_landmarks(names: tuple[str, ...], table: str) -> None:
    found = recognise(names)
    assert found.marker_set.name == table
    assert found.marker_set.kind == "keypoints"
    assert not found.unknown
    for stem in ("hip", "knee", "ankle"):
        assert {f"{stem}_joint_center_{s}" for s in "rl"} <= set(found.landmarks.values())


def test_a_point_without_confidence_is_not_seen(tmp_path: Path) -> None:
    points, sure = body(COCO_17)
    sure[3:6, 5] = 0.0
    trial = read_trial(plain(tmp_path / "a.json", points, sure))
    assert np.isnan(trial.markers.positions[3:6, 5]).all()
    assert np.isfinite(trial.markers.positions[6:, 5]).all()


def test_a_rate_is_asked_for_once(tmp_path: Path) -> None:
    file = mmpose(tmp_path / "clip.json", *body(COCO_17))
    with pytest.raises(CaptureError) as caught:
        read_trial(file)
    assert str(caught.value) == (
        "Expected a frame rate in 'clip.json'. Found neither times nor a rate."
        " Pass the video's rate, for example --rate 60."
    )


def test_other_point_counts_name_the_known_sets(tmp_path: Path) -> None:
    with pytest.raises(CaptureError) as caught:
        read_trial(plain(tmp_path / "a.json", *body(tuple("abcde"))))
    assert str(caught.value) == (
        "Expected the points of a known key-point set in 'a.json'. Found 5 points without"
        " names. Available: COCO-17 (17), BODY_25 (25), HALPE-26 (26), MediaPipe-33 (33)."
        " Export one of these sets, or write a CSV with named columns."
    )


def test_cut_off_json_is_said(tmp_path: Path) -> None:
    file = plain(tmp_path / "a.json", *body(COCO_17))
    file.write_text(file.read_text()[:200])
    with pytest.raises(CaptureError, match="damaged or cut off"):
        read_trial(file)


def test_a_second_person_does_not_take_over(tmp_path: Path) -> None:
    points, sure = body(COCO_17)
    other = points[:, :, :] * 0.5 + 30.0
    frames = [
        {
            "frame_id": t,
            "instances": [
                {"keypoints": p.tolist(), "keypoint_scores": sure[t].tolist()}
                # The first one is missing for two frames: only the other is there.
                for p in ([other[t]] if t in (8, 9) else [other[t], points[t]])
            ],
        }
        for t in range(FRAMES)
    ]
    file = tmp_path / "two.json"
    file.write_text(json.dumps({"instance_info": frames}))
    found = read_keypoints(file, RATE)
    assert np.isnan(found.positions[8:10]).all()
    np.testing.assert_allclose(found.positions[10:], points[10:], atol=1e-9)
    assert any("More than one person in 18 of 20 frames" in n for n in found.notes)
    assert any("In 2 frames the detection jumps" in n for n in found.notes)


def test_smoothing_has_its_cutoff_and_no_lag() -> None:
    t = np.arange(600) / 100.0
    for f in (1.0, 3.0, 6.0):
        wave = np.sin(2 * np.pi * f * t)[:, None]
        out = whittaker(wave, np.ones(600), penalty(6.0, 100.0))[150:450, 0]
        inner = wave[150:450, 0]
        gain = float(out @ inner / (inner @ inner))
        expected = 1.0 / (1.0 + penalty(6.0, 100.0) * (2 * np.sin(np.pi * f / 100.0)) ** 6)
        assert gain == pytest.approx(expected, abs=2e-3)
        quarter = np.sin(2 * np.pi * f * t - np.pi / 2)[150:450]
        assert abs(float(out @ quarter / (quarter @ quarter))) < 5e-3  # no phase
    assert 1.0 / (1.0 + penalty(6.0, 100.0) * (2 * np.sin(0.06 * np.pi)) ** 6) == pytest.approx(
        2**-0.5
    )


def test_smoothing_takes_out_strays_and_white_noise() -> None:
    rng = np.random.default_rng(1)
    t = np.arange(500) / 100.0
    true = np.stack([np.sin(t), np.cos(t), t], axis=1)[:, None]
    noisy = true + 0.01 * rng.normal(size=true.shape)
    strays = rng.choice(np.arange(20, 480), 20, replace=False)
    noisy[strays] += 0.4
    done = smooth_keypoints(noisy, np.ones((500, 1)), 100.0, 5.0)
    assert done.outliers[0] == 20
    assert done.noise[0] == pytest.approx(0.01, rel=0.15)
    error = (done.positions - true)[20:-20]
    # White noise shrinks by the band that is kept, about √(2 · 5 / 100).
    assert np.sqrt((error**2).mean()) < 0.01 * np.sqrt(0.1) * 1.3


def test_no_confidence_no_influence() -> None:
    rng = np.random.default_rng(2)
    points = rng.normal(size=(100, 1, 3)).cumsum(axis=0) * 0.01
    sure = np.ones((100, 1))
    sure[40] = 0.0
    moved = points.copy()
    moved[40] += 5.0
    a, b = (smooth_keypoints(p, sure, 50.0, 6.0).positions for p in (points, moved))
    np.testing.assert_allclose(a, b, atol=1e-12)


def test_cauchy_weights_fall_with_distance() -> None:
    weight = cauchy(np.array([[0.0, 0.03, 0.3]]).T, np.array([0.01]))
    np.testing.assert_allclose(weight[:, 0], [1.0, 0.5, 1.0 / 101.0])


def legs(frames: int = 60) -> tuple[Markers, dict[str, int]]:
    names = tuple(f"{n}_{s}" for n in ("hip", "knee", "ankle") for s in "rl")
    t = np.linspace(0, 1, frames)
    points = np.zeros((frames, 6, 3))
    for i, y in enumerate((0.85, 0.45, 0.05)):
        for j, z in enumerate((0.1, -0.1)):
            points[:, 2 * i + j] = [0.0, y, z]
            points[:, 2 * i + j, 0] = 0.1 * i * np.sin(6 * t + np.pi * j)
    at = {f"{n.split('_')[0]}_joint_center_{n[-1]}": k for k, n in enumerate(names)}
    return Markers(names, t, 60.0, points, np.ones((frames, 6))), at


def test_exchanged_legs_are_put_back() -> None:
    markers, at = legs()
    wrong = markers.positions.copy()
    for r, q in ((0, 1), (2, 3), (4, 5)):
        wrong[20:28, [r, q]] = markers.positions[20:28, [q, r]]
    fixed, count = exchange_legs(
        Markers(markers.names, markers.time, 60.0, wrong, markers.confidence), at
    )
    assert count == 8
    np.testing.assert_array_equal(fixed.positions, markers.positions)
    assert exchange_legs(markers, at)[1] == 0


@pytest.mark.parametrize(("unit", "factor"), [(1.0, 1.0), (1000.0, 1e-3), (100.0, 1e-2)])
def test_units_are_told_from_the_legs(unit: float, factor: float) -> None:
    markers, at = legs()
    scaled = Markers(markers.names, markers.time, 60.0, markers.positions * unit)
    assert length_factor(scaled, at, 0.8 / 0.48 * 1.02)[0] == pytest.approx(factor)


def test_another_scale_is_fixed_by_the_height() -> None:
    markers, at = legs()
    factor, notes = length_factor(
        Markers(markers.names, markers.time, 60.0, markers.positions * 7.0), at, 1.70
    )
    length = float(length_factor(markers, at, 1.70, fix_scale=True)[0])
    assert factor == pytest.approx(length / 7.0)
    assert notes and "a body of 1.70 m" in notes[0]


def test_a_planted_foot_carries_the_hips() -> None:
    """A body walking at 1 m/s, given about its hips, is brought back to 1 m/s."""
    t = np.arange(200) / 100.0
    phase = (t / 0.5).astype(int) % 2  # which foot stands, half a second each
    foot = np.zeros((200, 2, 3))
    for side in (0, 1):
        stands = phase == side
        x = 0.25 - (t % 0.5)
        foot[:, side] = np.stack(
            [np.where(stands, x, -x), np.where(stands, -0.9, -0.7), np.full(200, 0.1)], axis=1
        )
    markers = Markers(("RA", "LA"), t, 100.0, foot)
    names = {"RA": "ankle_joint_center_r", "LA": "ankle_joint_center_l"}
    root = root_path(markers, names)
    speed = np.polyfit(t[20:180], root[20:180, 0], 1)[0]
    assert speed == pytest.approx(1.0, abs=0.1)


# ------------------------------------------------------------------- one camera ------

LEG = {"hip": (0.95, 0.09), "knee": (0.53, 0.09), "ankle": (0.10, 0.09)}


def standing(
    tmp_path: Path, knee_in: float = 0.0, apart: float = 0.09, frames: int = 1
) -> Path:
    """A body from the front in px (y down), 500 px a metre."""
    frame = []
    for name in COCO_17:
        side, _, joint = name.partition("_")
        if joint not in LEG:
            frame.append([0.0, 0.0, 0.0])
            continue
        height, out = LEG[joint]
        out = out - knee_in if joint == "knee" else apart if joint == "ankle" else out
        sign = -1.0 if side == "right" else 1.0  # facing the camera
        frame.append([600.0 + 500.0 * sign * out, 700.0 - 500.0 * height, 0.9])
    file = tmp_path / "photo.json"
    points = [[[x, y] for x, y, _ in frame]] * frames
    sure = [[c for *_, c in frame]] * frames
    file.write_text(
        json.dumps(
            {
                "rate": 30,
                "instance_info": [
                    {"frame_id": t, "instances": [{"keypoints": p, "keypoint_scores": c}]}
                    for t, (p, c) in enumerate(zip(points, sure, strict=True))
                ],
            }
        )
    )
    return file


@pytest.mark.parametrize("knee_in", [0.0, 0.03, -0.03])
def test_the_standing_test_of_a_photo(knee_in: float, tmp_path: Path) -> None:
    file = standing(tmp_path, knee_in)
    assert is_picture(file, None)
    found = analyse_picture(file, check_subject(70, 1.77))
    assert found.task == "static"
    assert found.picture.view == "frontal"
    expected = np.degrees(np.arctan(knee_in / 0.42) + np.arctan(knee_in / 0.43))
    assert found.standing is not None
    for side in "rl":
        assert found.standing.hip_knee_ankle[side] == pytest.approx(expected, abs=1e-6)
        word = "valgus" if knee_in > 0 else "varus" if knee_in < 0 else "neutral"
        assert found.standing.classes[side] == word
    assert found.standing.ankles_mm == pytest.approx(180.0, rel=0.02)
    assert found.standing.verdict == "neither"


def test_touching_knees_are_said(tmp_path: Path) -> None:
    found = analyse_picture(standing(tmp_path, knee_in=0.045), check_subject(70, 1.77))
    assert found.standing is not None
    assert found.standing.verdict == "knees touch"


def test_one_camera_gives_no_loads_and_says_so(tmp_path: Path) -> None:
    found = analyse_picture(standing(tmp_path, frames=30), check_subject(70, 1.77))
    target = write_picture(tmp_path / "out", found)
    summary = json.loads((target / "summary.json").read_text())
    assert summary["forces"] == "none"
    assert summary["kind"] == "one camera"
    assert "no joint loads and no forces" in summary["warnings"][0]
    assert sorted(p.name for p in target.iterdir()) == [
        "log.txt", "report.html", "strides.csv", "summary.json"
    ]  # fmt: skip
    assert "no joint loads" in (target / "report.html").read_text()
    assert picture_summary(found)["standing_test"]["verdict"] == "neither"


def test_a_view_needs_a_picture(tmp_path: Path) -> None:
    file = plain(tmp_path / "a.json", *body(COCO_17))
    with pytest.raises(SettingsError, match="one camera"):
        is_picture(file, "frontal")
    with pytest.raises(SettingsError, match="Available: frontal, sagittal"):
        is_picture(file, "above")


def test_points_of_a_picture_are_refused_as_a_skeleton(tmp_path: Path) -> None:
    with pytest.raises(CaptureError) as caught:
        read_trial(standing(tmp_path))
    assert str(caught.value) == (
        "Expected key points in three dimensions in 'photo'. Found points in a picture (x and"
        " y only, COCO-17). Analyse one camera's points with --view frontal or --view"
        " sagittal: angles in the picture, no loads."
    )


def test_half_a_body_is_one_message(tmp_path: Path) -> None:
    file = standing(tmp_path, frames=10)
    data = json.loads(file.read_text())
    for frame in data["instance_info"]:
        for k in (13, 14, 15, 16):  # knees and ankles out of the picture
            frame["instances"][0]["keypoint_scores"][k] = 0.0
    file.write_text(json.dumps(data))
    with pytest.raises(CaptureError, match="Film so that both legs are in the picture"):
        analyse_picture(file, check_subject(70, 1.77))
