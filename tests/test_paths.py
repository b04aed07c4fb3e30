"""Muscle geometry agrees with OpenSim and with the laws of virtual work."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from kneestride.errors import ModelError
from kneestride.model import paths as module
from kneestride.model.paths import PathGeometry, exact_paths
from kneestride.vocabulary import MEDIAL_SIGN, SIDES, Array
from toy_standing import toy


def poses(count: int = 6, spread: float = 0.35) -> Array:
    rng = np.random.default_rng(4)
    q = rng.uniform(-spread, spread, (count, len(toy().geometry.coordinates)))
    for side in SIDES:
        q[:, toy().geometry.coordinates.index(f"knee_angle_{side}")] += spread
    return q


def test_lengths_and_moment_arms_are_opensims() -> None:
    t, q = toy(), poses(3)
    found = t.geometry.evaluate(q)
    state = t.model.initSystem()
    coordinates = t.model.getCoordinateSet()
    full = t.multibody.expand(q)
    for k in range(len(q)):
        for name, value in zip(t.multibody.full_coordinates, full[k], strict=True):
            coordinates.get(name).setLocked(state, False)
            coordinates.get(name).setClamped(state, False)
            coordinates.get(name).setValue(state, float(value), False)
        t.model.realizePosition(state)
        for m, name in enumerate(found.names):
            muscle = t.model.getMuscles().get(name)
            assert found.length[k, m] == pytest.approx(muscle.getLength(state), abs=1e-9)
            for stem in ("hip_rotation", "knee_angle", "knee_adduction", "ankle_angle"):
                for side in SIDES:
                    coordinate = coordinates.get(f"{stem}_{side}")
                    expected = muscle.computeMomentArm(state, coordinate)
                    arm = found.column(f"{stem}_{side}")[k, m]
                    assert arm == pytest.approx(expected, abs=1e-7), (name, stem)


def test_moment_arm_is_minus_the_slope_of_length() -> None:
    # Holds for straight paths; wrapping in the Rajagopal family breaks it (methods).
    geometry, q, h = toy().geometry, poses(4), 1e-6
    arms = geometry.evaluate(q).moment_arm
    for c in range(6, len(geometry.coordinates)):
        step = np.zeros_like(q)
        step[:, c] = h
        slope = (geometry.evaluate(q + step).length - geometry.evaluate(q - step).length) / (
            2 * h
        )
        np.testing.assert_allclose(arms[:, :, c], -slope, atol=1e-7)


def test_tibia_wrench_and_frontal_moment_arms_are_the_same_statement() -> None:
    geometry, q = toy().geometry, poses()
    names = geometry.coordinates
    for stem in ("knee_adduction", "knee_rotation"):
        for side in SIDES:
            q[:, names.index(f"{stem}_{side}")] = 0.0
    found = geometry.evaluate(q)
    for s, side in enumerate(SIDES):
        outward = -MEDIAL_SIGN[side]
        frontal = outward * found.tibia_wrench[:, :, s, 3]
        axial = outward * found.tibia_wrench[:, :, s, 4]
        np.testing.assert_allclose(found.column(f"knee_adduction_{side}"), frontal, atol=1e-9)
        np.testing.assert_allclose(found.column(f"knee_rotation_{side}"), axial, atol=1e-9)


def test_only_muscles_across_the_knee_pull_on_the_tibia() -> None:
    found = toy().geometry.evaluate(poses())
    size = np.abs(found.tibia_wrench).max(axis=(0, 3))
    across = ("semiten", "bflh", "recfem", "vasmed", "gasmed", "gaslat")
    for m, name in enumerate(found.names):
        for s, side in enumerate(SIDES):
            crosses = name[-1] == side and name[:-2] in across
            assert (size[m, s] > 1e-9) == crosses, name


def test_patella_is_pressed_by_the_turn_of_its_tendon() -> None:
    geometry = toy().geometry
    q = np.zeros((1, len(geometry.coordinates)))
    q[0, geometry.coordinates.index("knee_angle_r")] = 1.0
    found = geometry.evaluate(q)
    m = found.names.index("vasmed_r")
    assert found.patella_force is not None
    rotation, position = toy().multibody.poses(q)

    def at(body: str, point: tuple[float, float, float]) -> Array:
        b = toy().multibody.body(body)
        return np.asarray(position[0, b] + rotation[0, b] @ np.array(point))

    up = at("femur_r", (0.03, -0.2, -0.01)) - at("patella_r", (0, 0.02, -0.005))
    down = at("tibia_r", (0.04, -0.07, 0.0)) - at("patella_r", (0, -0.02, 0.0))
    expected = up / np.linalg.norm(up) + down / np.linalg.norm(down)
    np.testing.assert_allclose(found.patella_force[0, m, 0], expected, atol=1e-9)
    np.testing.assert_allclose(found.patella_force[0, m, 1], 0, atol=1e-12)


def test_file_text_and_second_process_give_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "toy.osim"
    toy().model.printToXML(str(file))
    q = poses(4)
    direct = toy().geometry.evaluate(q)
    names = toy().geometry.coordinates
    monkeypatch.setattr(module, "FRAMES_WORTH_A_WORKER", 2)
    shared = exact_paths(file, names, q, toy().geometry.centers, workers=2)
    text = exact_paths(file.read_text(), names, q, toy().geometry.centers, workers=1)
    assert shared.patella_force is not None
    for other in (shared, text):
        np.testing.assert_allclose(other.length, direct.length, atol=1e-9)
        np.testing.assert_allclose(other.moment_arm, direct.moment_arm, atol=1e-9)
        np.testing.assert_allclose(other.tibia_wrench, direct.tibia_wrench, atol=1e-9)


def test_joint_center_defaults_to_the_knees_joint_frame() -> None:
    default = PathGeometry(toy().model)
    np.testing.assert_allclose(default.centers, toy().geometry.centers, atol=1e-12)


def test_unknown_coordinate_is_named(tmp_path: Path) -> None:
    file = tmp_path / "toy.osim"
    toy().model.printToXML(str(file))
    with pytest.raises(ModelError, match="a coordinate 'elbow' that it lacks"):
        exact_paths(file, ("elbow",), np.zeros((1, 1)))
