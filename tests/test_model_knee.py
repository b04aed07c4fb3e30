"""The added knee: its laws on a model of the project's own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kneestride.errors import ModelError, SettingsError
from kneestride.model.assembly import build_model
from kneestride.model.knee import (
    KneeSettings,
    add_knee,
    has_knee,
    place_compartments,
    read_knee,
    require_canonical,
)
from kneestride.model.osim import (
    as_array,
    load_model,
    opensim,
    rotation_matrix,
    vec3,
)
from kneestride.vocabulary import MEDIAL_SIGN, SIDES

MEISTER_LCL_AT_105 = 0.88
"""LCL length at 105° of flexion over its length in extension (Meister et al. 2000)."""


@pytest.fixture(scope="module")
def plain() -> Any:
    """The figures with their plain knee; tests clone it."""
    return build_model(knee=False)


def with_knee(plain: Any, settings: KneeSettings | None = None) -> tuple[Any, Any]:
    model = plain.clone()
    add_knee(model, settings)
    return model, model.initSystem()


def put(model: Any, state: Any, **values: float) -> None:
    for name, value in values.items():
        model.getCoordinateSet().get(name).setValue(state, value, False)
        if name.startswith("knee_angle"):
            model.getCoordinateSet().get(f"{name}_beta").setValue(state, value, False)
    model.realizePosition(state)


def tibia_in_ground(model: Any, state: Any, side: str) -> tuple[np.ndarray, np.ndarray]:
    tibia = model.getBodySet().get(f"tibia_{side}")
    return rotation_matrix(tibia, state), as_array(tibia.getPositionInGround(state))


def test_zero_coordinates_reproduce_the_plain_knee(plain: Any) -> None:
    given = plain.clone()
    given_state = given.initSystem()
    model, state = with_knee(plain)
    rng = np.random.default_rng(3)
    for _ in range(5):
        pose = {
            f"{name}_{side}": float(rng.uniform(0.0, 0.5))
            for name in ("hip_flexion", "hip_adduction", "knee_angle", "ankle_angle")
            for side in SIDES
        }
        put(given, given_state, **pose)
        put(model, state, **pose)
        for muscle in given.getMuscles():
            found = model.getMuscles().get(muscle.getName()).getGeometryPath()
            expected = muscle.getGeometryPath().getLength(given_state)
            assert found.getLength(state) == pytest.approx(expected, abs=1e-10)
        for body in given.getBodySet():
            other = model.getBodySet().get(body.getName())
            for measure in (rotation_matrix, lambda b, s: as_array(b.getPositionInGround(s))):
                np.testing.assert_allclose(
                    measure(other, state), measure(body, given_state), atol=1e-10
                )


def test_adduction_closes_the_medial_compartment_by_half_the_spacing(plain: Any) -> None:
    """Virtual work: an axial medial force has the moment arm d/2 about adduction."""
    model, state = with_knee(plain, KneeSettings(compartment_spacing=0.05))
    step = 1e-5
    for side in SIDES:
        heights = {}
        for angle in (-step, step):
            put(model, state, **{f"knee_adduction_{side}": angle})
            frame = model.getBodySet().get(f"knee_frame_{side}")
            axes, origin = rotation_matrix(frame, state), frame.getPositionInGround(state)
            for compartment in ("medial", "lateral"):
                point = model.getComponent(
                    f"/bodyset/tibia_{side}/{compartment}_compartment_{side}"
                ).getPositionInGround(state)
                height = (axes.T @ (as_array(point) - as_array(origin)))[1]
                heights[compartment, angle] = height
        for compartment, arm in (("medial", 0.025), ("lateral", -0.025)):
            rise = heights[compartment, step] - heights[compartment, -step]
            assert rise / (2 * step) == pytest.approx(arm, abs=1e-8)


def test_tibial_rotation_turns_about_the_adducted_tibia(plain: Any) -> None:
    model, state = with_knee(plain)
    for side in SIDES:
        put(model, state, **{f"knee_adduction_{side}": 0.1})
        before, _ = tibia_in_ground(model, state, side)
        put(model, state, **{f"knee_rotation_{side}": 0.2})
        after, _ = tibia_in_ground(model, state, side)
        np.testing.assert_allclose(after[:, 1], before[:, 1], atol=1e-12)
        assert after[:, 0] @ before[:, 2] * MEDIAL_SIGN[side] == pytest.approx(np.sin(0.2))


def test_static_varus_brings_the_ankle_medially(plain: Any) -> None:
    straight, straight_state = with_knee(plain)
    model, state = with_knee(plain, KneeSettings(static_alignment_deg=(3.0, 3.0)))
    for side in SIDES:
        axes, _ = tibia_in_ground(straight, straight_state, side)
        tilted, _ = tibia_in_ground(model, state, side)
        down = -axes.T @ tilted[:, 1]
        assert down[2] * MEDIAL_SIGN[side] == pytest.approx(np.sin(np.deg2rad(3.0)))


def test_coordinates_are_clamped_to_their_ranges(plain: Any) -> None:
    model, _ = with_knee(plain)
    for side in SIDES:
        for name, half in (("knee_adduction", 10.0), ("knee_rotation", 20.0)):
            coordinate = model.getCoordinateSet().get(f"{name}_{side}")
            assert coordinate.getDefaultClamped()
            assert np.rad2deg(coordinate.getRangeMax()) == pytest.approx(half)
            assert np.rad2deg(coordinate.getRangeMin()) == pytest.approx(-half)


def test_compartments_can_be_placed_on_a_measured_centre(plain: Any) -> None:
    model, _ = with_knee(plain)
    center = np.array([-0.01, -0.005, 0.003])
    place_compartments(model, "l", center, spacing=0.044)
    knee = read_knee(model)["l"]
    np.testing.assert_allclose(
        0.5 * (knee.medial_compartment + knee.lateral_compartment), center, atol=1e-12
    )
    assert knee.compartment_spacing == pytest.approx(0.044)
    place_compartments(model, "l", center + 0.001)
    assert read_knee(model)["l"].compartment_spacing == pytest.approx(0.044)


def test_knee_scales_with_the_shank(plain: Any) -> None:
    model, state = with_knee(plain)
    before = read_knee(model)["r"]
    factors = np.array([1.1, 1.2, 1.3])
    scales = opensim.ScaleSet()
    for body in model.getBodySet():
        scale = opensim.Scale()
        scale.setSegmentName(body.getName())
        here = body.getName() in ("tibia_r", "knee_frame_r")
        scale.setScaleFactors(vec3(factors if here else np.ones(3)))
        scale.setApply(True)
        scales.cloneAndAppend(scale)
    assert model.scale(state, scales, True, 70.0)
    state = model.initSystem()
    after = read_knee(model)["r"]
    np.testing.assert_allclose(after.joint_center, before.joint_center * factors)
    np.testing.assert_allclose(after.medial_compartment, before.medial_compartment * factors)
    assert after.compartment_spacing == pytest.approx(1.3 * before.compartment_spacing)
    assert model.getTotalMass(state) == pytest.approx(70.0)
    shank, frame = (model.getBodySet().get(n) for n in ("tibia_r", "knee_frame_r"))
    np.testing.assert_allclose(
        as_array(shank.getPositionInGround(state)),
        as_array(frame.getPositionInGround(state)),
        atol=1e-12,
    )


def strains(model: Any, state: Any, **pose: float) -> dict[str, float]:
    put(model, state, **pose)
    model.realizeVelocity(state)
    return {
        name: opensim.Blankevoort1991Ligament.safeDownCast(
            model.getForceSet().get(f"{name}_r")
        ).getStrain(state)
        for name in ("MCL", "LCL")
    }


def test_collaterals_are_just_taut_in_extension_and_as_long_as_measured(plain: Any) -> None:
    model, state = with_knee(plain)
    strain = strains(model, state, knee_angle_r=0.0)
    assert strain["MCL"] == pytest.approx(0.0, abs=1e-6)
    assert strain["LCL"] == pytest.approx(0.0, abs=1e-6)
    knee = read_knee(model)["r"]
    assert knee.medial_collateral.slack_length == pytest.approx(0.0948, abs=1e-3)
    assert knee.lateral_collateral.slack_length == pytest.approx(0.066, abs=1e-3)


def test_lateral_collateral_shortens_in_flexion_as_measured(plain: Any) -> None:
    model, state = with_knee(plain)
    strain = strains(model, state, knee_angle_r=float(np.deg2rad(105)))
    assert 1 + strain["LCL"] == pytest.approx(MEISTER_LCL_AT_105, abs=0.03)


def test_medial_collateral_resists_valgus_and_lateral_resists_varus(plain: Any) -> None:
    model, state = with_knee(plain)
    valgus = strains(model, state, knee_angle_r=0.3, knee_adduction_r=-0.08)
    varus = strains(model, state, knee_angle_r=0.3, knee_adduction_r=0.08)
    assert valgus["MCL"] > 0 > valgus["LCL"]
    assert varus["LCL"] > 0 > varus["MCL"]


def test_collaterals_do_not_act_by_themselves(plain: Any) -> None:
    model, _ = with_knee(plain)
    for name in ("MCL_r", "LCL_r", "MCL_l", "LCL_l"):
        assert not model.getForceSet().get(name).get_appliesForce()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"compartment_spacing": 47.0}, "compartment spacing between 0.03 and 0.07 m"),
        ({"compartment_offset": (0.0, 0.03)}, "offset between -0.02 and 0.02 m"),
        ({"static_alignment_deg": (25.0, 0.0)}, "alignment between -20 and 20 degrees"),
        ({"adduction_range_deg": float("nan")}, "Found nan degrees"),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        KneeSettings(**settings)


def test_model_with_other_coordinate_names_is_refused(plain: Any) -> None:
    model = plain.clone()
    model.updCoordinateSet().get("pelvis_tilt").setName("rot_z")
    with pytest.raises(ModelError, match="without pelvis_tilt"):
        require_canonical(model)


def test_model_without_a_foot_is_refused() -> None:
    model = opensim.Model()
    model.setName("empty")
    with pytest.raises(ModelError, match="empty without pelvis_tilt, pelvis_list"):
        add_knee(model)


def test_knee_is_added_once_and_read_only_where_it_is(plain: Any) -> None:
    model, _ = with_knee(plain)
    assert has_knee(model) and not has_knee(plain)
    with pytest.raises(ModelError, match="already has knee_frontal joints"):
        add_knee(model)
    with pytest.raises(ModelError, match="without knee_frontal joints"):
        read_knee(plain)


@pytest.mark.parametrize("content", [b"", b"hello", bytes(range(256)), b"<OpenSimDocument>"])
def test_file_that_is_no_model_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.osim"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"broken\.osim, which OpenSim rejects"):
        load_model(path)


def test_missing_model_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no file at .*absent\.osim"):
        load_model(tmp_path / "absent.osim")


def test_importing_opensim_leaves_no_log_behind(tmp_path: Path) -> None:
    code = "from kneestride.model.osim import opensim; opensim.Model().initSystem()"
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert (run.stdout, run.stderr) == ("", "")
    assert list(tmp_path.iterdir()) == []
