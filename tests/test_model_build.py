"""The runner's model: what the tables give, the same every time, quiet, symmetric."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kneestride.model.assembly import build_model, write_model
from kneestride.model.knee import read_knee
from kneestride.model.naming import require_canonical
from kneestride.model.osim import as_array, load_model, opensim, rotation_matrix
from kneestride.model.tables import RUNNER_MODEL

MOTION = ("hip_flexion", "hip_adduction", "hip_rotation", "knee_angle", "ankle_angle")
ALL_MOTION = (*MOTION, "subtalar_angle", "knee_adduction", "knee_rotation")
BENT = (0.7, -0.2, 0.15, 1.1, 0.2, -0.1, 0.08, -0.15)


@pytest.fixture(scope="module")
def runner() -> tuple[Any, Any]:
    model = load_model(RUNNER_MODEL)
    return model, model.initSystem()


def take(model: Any, state: Any, values: dict[str, float]) -> None:
    for name, value in values.items():
        model.getCoordinateSet().get(name).setValue(state, value, False)
    model.assemble(state)
    model.realizePosition(state)


def test_committed_model_is_what_the_tables_give(tmp_path: Path) -> None:
    write_model(build_model(), tmp_path / "built.osim")
    assert (tmp_path / "built.osim").read_bytes() == RUNNER_MODEL.read_bytes()


def test_building_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("first.osim", "second.osim"):
        write_model(build_model(), tmp_path / name)
    assert (tmp_path / "first.osim").read_bytes() == (tmp_path / "second.osim").read_bytes()


def test_saving_the_loaded_model_changes_nothing(tmp_path: Path) -> None:
    load_model(RUNNER_MODEL).printToXML(str(tmp_path / "again.osim"))
    assert (tmp_path / "again.osim").read_bytes() == RUNNER_MODEL.read_bytes()


def test_loads_and_assembles_without_a_word_from_opensim(tmp_path: Path) -> None:
    code = (
        "from kneestride.model.osim import load_model, opensim\n"
        "opensim.Logger.setLevelString('Warn')\n"
        f"load_model({str(RUNNER_MODEL)!r}).initSystem()\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=os.environ,
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout == "" and run.stderr == ""
    assert list(tmp_path.iterdir()) == [], "OpenSim left a file in the working directory"


def test_names_are_canonical_and_no_mesh_is_asked_for() -> None:
    model = load_model(RUNNER_MODEL)
    require_canonical(model)
    assert model.getMuscles().getSize() == 80
    assert "<mesh_file>" not in RUNNER_MODEL.read_text(encoding="utf-8")


def test_patella_follows_the_knee_in_radians(runner: tuple[Any, Any]) -> None:
    model, state = runner
    for angle in (0.0, 0.6, 1.9):
        take(model, state, {"knee_angle_r": angle, "knee_angle_l": angle / 2})
        for side, expected in (("r", angle), ("l", angle / 2)):
            beta = model.getCoordinateSet().get(f"knee_angle_{side}_beta").getValue(state)
            assert beta == pytest.approx(expected, abs=1e-6)


def test_left_leg_is_the_mirror_image_of_the_right(runner: tuple[Any, Any]) -> None:
    model, state = runner
    pose = {
        f"{name}_{side}": value
        for name, value in zip(ALL_MOTION, BENT, strict=True)
        for side in "rl"
    }
    pose |= {"arm_flex_r": 0.4, "arm_flex_l": 0.4, "arm_add_r": -0.3, "arm_add_l": -0.3}
    pose |= {"elbow_flex_r": 1.2, "elbow_flex_l": 1.2, "pro_sup_r": 0.5, "pro_sup_l": 0.5}
    take(model, state, pose)
    for body in model.getBodySet():
        name = body.getName()
        if name.endswith("_r"):
            right = as_array(body.getPositionInGround(state))
            other = model.getBodySet().get(f"{name[:-2]}_l")
            left = as_array(other.getPositionInGround(state))
            np.testing.assert_allclose(left, right * [1, 1, -1], atol=1e-9, err_msg=name)
    for muscle in model.getMuscles():
        name = muscle.getName()
        if name.endswith("_r"):
            other = model.getMuscles().get(f"{name[:-2]}_l")
            lengths = [m.getGeometryPath().getLength(state) for m in (muscle, other)]
            assert lengths[0] == pytest.approx(lengths[1], abs=1e-7), name


def test_wrist_coordinates_mirror_too(runner: tuple[Any, Any]) -> None:
    model, state = runner
    for side in "rl":
        for name, value in (("wrist_flex", 0.5), ("wrist_dev", 0.2)):
            coordinate = model.getCoordinateSet().get(f"{name}_{side}")
            coordinate.setLocked(state, False)
            coordinate.setValue(state, value, False)
    model.realizePosition(state)
    hands = (model.getBodySet().get(f"hand_{side}") for side in "rl")
    axes = [rotation_matrix(hand, state)[:, 1] for hand in hands]
    # The hand's long axis is a true vector, so it reflects.
    np.testing.assert_allclose(axes[1], axes[0] * [1, 1, -1], atol=1e-4)


def test_knees_are_mirror_images_and_flex_positively(runner: tuple[Any, Any]) -> None:
    knees = read_knee(runner[0])
    for field in ("joint_center", "medial_compartment", "lateral_compartment"):
        right, left = (getattr(knees[side], field) for side in ("r", "l"))
        np.testing.assert_allclose(left, right * [1, 1, -1], atol=1e-12)
    assert knees["r"].flexion_sign == knees["l"].flexion_sign == 1.0
    assert knees["r"].compartment_spacing == pytest.approx(0.047)


def test_gravity_alone_needs_the_body_weight_under_the_pelvis(runner: tuple[Any, Any]) -> None:
    """Massless knee frames do not disturb dynamics: at rest the root carries m g."""
    model, state = runner
    model.realizeVelocity(state)
    solver = opensim.InverseDynamicsSolver(model)
    tau = as_array(solver.solve(state, opensim.Vector(model.getNumSpeeds(), 0.0)))
    assert np.isfinite(tau).all()
    weight = model.getTotalMass(state) * 9.80665
    assert np.abs(tau - weight).min() == pytest.approx(0.0, abs=1e-6)
