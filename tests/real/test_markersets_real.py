"""Real recordings: every name has a meaning, and the meaning fits where the marker is."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import ezc3d
import numpy as np
import pytest
from kneestride.capture.markersets import landmark_table, recognise
from numpy.typing import NDArray

pytestmark = pytest.mark.real

LANDMARKS = landmark_table()
SETS = {
    "rbds": "rbds",
    "gc5": "gc5",
    "bmc_run": "rajagopal",
    "hamner04": "rajagopal",
    "sprinter": "sprinter",
    "opencap04": "opencap04",
}
STATICS = [
    "rbds/RBDS002static.c3d",
    "rbds/RBDS010static.c3d",
    "rbds/RBDS028static.c3d",
    "gc5/static.trc",
    "bmc_run/static.trc",
    "sprinter/static.trc",
    "opencap04/static1.trc",
]


def marker_names(path: Path) -> list[str]:
    if path.suffix == ".c3d":
        return list(ezc3d.c3d(str(path))["parameters"]["POINT"]["LABELS"]["value"])
    with path.open(encoding="utf-8") as file:
        header = [next(file) for _ in range(4)][3]
    return [name.strip() for name in header.split("\t")[2:] if name.strip()]


def mean_positions(path: Path) -> dict[str, NDArray[np.float64]]:
    names = marker_names(path)
    if path.suffix == ".c3d":
        points = ezc3d.c3d(str(path))["data"]["points"][:3].transpose(2, 1, 0) / 1000
        points[(points == 0).all(axis=-1)] = np.nan
    else:
        lines = path.read_text(encoding="utf-8").splitlines()
        unit = {"m": 1.0, "mm": 1000.0}[lines[2].split()[4]]
        width = 3 * len(names)
        rows = [
            [
                float(cell) if cell.strip() else np.nan
                for cell in line.split("\t")[2 : 2 + width]
            ]
            for line in lines[5:]
            if line.strip()
        ]
        rows = [row + [np.nan] * (width - len(row)) for row in rows]
        points = np.array(rows).reshape(len(rows), -1, 3) / unit
    return dict(zip(names, np.nanmedian(points, axis=0), strict=True))


def landmark_positions(path: Path) -> dict[str, NDArray[np.float64]]:
    measured = mean_positions(path)
    found = recognise(measured)
    return {name: measured[label] for label, name in found.landmarks.items()}


@pytest.mark.parametrize(("folder", "expected"), SETS.items())
def test_every_name_in_every_recording_is_mapped_or_ignored_on_purpose(
    shared_data: Path, folder: str, expected: str
) -> None:
    files = [*(shared_data / folder).glob("*.trc"), *(shared_data / folder).glob("*.c3d")]
    if folder == "rbds":  # 80 files of two kinds; the names of a few differ
        files = [file for file in files if file.stem.endswith(("static", "T25", "T45"))][::6]
    assert files
    for file in files:
        found = recognise(marker_names(file))
        assert found.marker_set.name == expected, file.name
        assert not found.unknown, file.name


@pytest.mark.parametrize("static", STATICS)
def test_a_label_of_the_right_side_is_on_the_right_of_the_pelvis(
    shared_data: Path, static: str
) -> None:
    places = landmark_positions(shared_data / static)
    back = places.get("sacrum")
    if back is None:
        back = (places["psis_r"] + places["psis_l"]) / 2
    middle = (places["asis_r"] + places["asis_l"]) / 2
    up = np.array([0.0, 1.0, 0.0])  # these static trials all stand along Y
    to_right = np.cross(middle - back, up)
    to_right /= np.linalg.norm(to_right)
    for name, place in places.items():
        if name[-2:] in ("_r", "_l") and name != "clavicle_medial_r":
            offset = float((place - middle) @ to_right) * (1 if name[-1] == "r" else -1)
            assert offset > 0.01, name


@pytest.mark.parametrize("static", STATICS)
@pytest.mark.parametrize(
    ("body", "limit"), [("pelvis", 0.015), ("tibia_r", 0.015), ("calcn_r", 0.015)]
)
def test_scaled_landmarks_of_a_segment_fall_on_its_markers(
    shared_data: Path, static: str, body: str, limit: float
) -> None:
    """One scale, one rotation, one translation a segment: what remains is placement."""
    places = landmark_positions(shared_data / static)
    names = [name for name in places if LANDMARKS[name].body == body]
    if len(names) < 3:
        pytest.skip(f"{static} has {len(names)} landmarks on {body}")
    model = np.array([LANDMARKS[name].position for name in names])
    recorded = np.array([places[name] for name in names])
    model -= model.mean(axis=0)
    recorded -= recorded.mean(axis=0)
    u, singular, vt = np.linalg.svd(model.T @ recorded)
    sign = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    scale = (singular * sign).sum() / (model**2).sum()
    residual = scale * model @ (u * sign) @ vt - recorded
    assert 0.85 < scale < 1.25
    assert np.sqrt((residual**2).sum(axis=1).mean()) < limit


@pytest.mark.parametrize("static", STATICS)
def test_segment_lengths_between_joint_centres_are_human(
    shared_data: Path, static: str
) -> None:
    """Model and recording agree on thigh and shank within the range of adult statures."""
    places = landmark_positions(shared_data / static)
    for side in "rl":
        knee = (places[f"epicondyle_lateral_{side}"] + places[f"epicondyle_medial_{side}"]) / 2
        ankle = (places[f"malleolus_lateral_{side}"] + places[f"malleolus_medial_{side}"]) / 2
        knee_width = places[f"epicondyle_lateral_{side}"] - places[f"epicondyle_medial_{side}"]
        assert 0.85 < np.linalg.norm(knee - ankle) / 0.40 < 1.25
        assert 0.09 < np.linalg.norm(knee_width) < 0.15


@pytest.mark.parametrize("model", ["Rajagopal2016", "RajagopalLaiUhlrich2023"])
def test_joint_centres_are_those_of_the_public_models(shared_models: Path, model: str) -> None:
    joints = {
        joint.get("name"): joint
        for joint in ElementTree.parse(shared_models / f"{model}.osim").iter()
        if joint.tag.endswith("Joint")
    }

    def offset(joint: str) -> NDArray[np.float64]:
        text = joints[joint].find(".//PhysicalOffsetFrame/translation")
        assert text is not None and text.text is not None
        return np.array(text.text.split(), dtype=float)

    hips = (offset("hip_r") + offset("hip_l")) / 2
    np.testing.assert_allclose(LANDMARKS["hip_midpoint"].position, hips, atol=2e-4)
    shoulders = (offset("acromial_r") + offset("acromial_l")) / 2
    np.testing.assert_allclose(LANDMARKS["shoulder_midpoint"].position, shoulders, atol=2e-4)
    for side in "rl":
        knee = LANDMARKS[f"knee_joint_center_{side}"].position
        np.testing.assert_allclose(knee, offset(f"walker_knee_{side}"), atol=5e-3)
        middle = (
            LANDMARKS[f"malleolus_lateral_{side}"].position
            + LANDMARKS[f"malleolus_medial_{side}"].position
        ) / 2
        assert np.linalg.norm(middle - offset(f"ankle_{side}")) < 0.010
        middle = (
            LANDMARKS[f"epicondyle_lateral_{side}"].position
            + LANDMARKS[f"epicondyle_medial_{side}"].position
        ) / 2
        assert np.linalg.norm(middle - offset(f"walker_knee_{side}")) < 0.010
