"""scene.npz: what the writer puts in, the add-on's reader gets out, or says why not."""

from __future__ import annotations

import importlib.util
import json
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from kneestride.errors import ResultsError
from kneestride.results import scene as writer
from kneestride.results.scene_runner import size_of
from scene_samples import runner_model, synthetic_runner

ROOT = Path(__file__).resolve().parents[1]


def _reader():
    spec = importlib.util.spec_from_file_location(
        "scene_file", ROOT / "blender_addon" / "scene_file.py"
    )
    module = importlib.util.module_from_spec(spec)
    sys.modules["scene_file"] = module
    spec.loader.exec_module(module)
    return module


reader = _reader()


@pytest.fixture(scope="module")
def arrays():
    return writer.build_scene([synthetic_runner(), synthetic_runner("valgus", medial=2.5)])


def _write(folder: Path, arrays) -> Path:
    path = folder / "scene.npz"
    path.write_bytes(writer.scene_bytes(arrays))
    return path


def _with_about(arrays, change):
    about = json.loads(arrays["about"].tobytes())
    change(about)
    return {**arrays, "about": np.frombuffer(json.dumps(about).encode(), dtype=np.uint8)}


def test_writer_and_reader_agree_on_schema_and_limits():
    assert (writer.SCENE_SCHEMA, writer.SCENE_VERSION) == (reader.SCHEMA, reader.VERSION)
    assert writer.MAX_FRAMES == reader.MAX_FRAMES


def test_what_is_written_is_read_back(tmp_path, arrays):
    scene = reader.read_scene(_write(tmp_path, arrays))
    runner = synthetic_runner()
    assert [r.name for r in scene.runners] == ["neutral", "valgus"]
    femur = scene.bodies.index("femur_l")
    model = runner.bodies.index("femur_l")
    found = scene.runners[0].position[:, femur]
    np.testing.assert_allclose(found, runner.position[:, model], atol=1e-6)
    medial = [c.name for c in scene.channels].index("medial_force")
    values = scene.runners[1].channels[:, medial]
    np.testing.assert_allclose(values, runner.channels["medial_force"] * 2.5 / 4.0, rtol=1e-6)
    lateral = [c.name for c in scene.channels].index("lateral_force")
    assert np.isnan(scene.runners[0].channels[3, lateral]).all()


def test_poses_survive_as_quaternions_to_a_hundredth_of_a_degree(tmp_path, arrays):
    scene = reader.read_scene(_write(tmp_path, arrays))
    runner = synthetic_runner()
    w, x, y, z = np.moveaxis(scene.runners[0].quaternion.astype(float), -1, 0)
    matrix = np.stack(
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y),
         2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x),
         2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)], axis=-1,
    ).reshape(*w.shape, 3, 3)  # fmt: skip
    take = [runner.bodies.index(b) for b in scene.bodies]
    turn = np.einsum("tbji,tbjk->tbik", matrix, runner.rotation[:, take])
    angle = np.degrees(np.arccos(np.clip((np.trace(turn, axis1=2, axis2=3) - 1) / 2, -1, 1)))
    assert angle.max() < 0.05
    assert np.abs(matrix - runner.rotation[:, take]).max() < 1e-6


def test_neighbouring_quaternions_take_the_short_way(arrays):
    q = arrays["runner0.quaternion"].astype(float)
    assert (np.einsum("tbi,tbi->tb", q[1:], q[:-1]) > 0).all()


def test_one_range_covers_every_runner(arrays):
    about = json.loads(arrays["about"].tobytes())
    knee = next(d for d in about["displays"] if d["name"] == "knee_force")
    assert (knee["low"], knee["high"], knee["unit"]) == (0.0, 4.0, "BW")


@pytest.mark.parametrize(
    ("value", "round_figure"), [(3.2, 4), (0.011, 0.015), (980, 1000), (5, 5)]
)
def test_a_range_ends_on_a_round_figure(value, round_figure):
    assert writer.round_up(value) == pytest.approx(round_figure)


def test_runners_of_one_size_share_their_meshes(arrays):
    assert json.loads(arrays["about"].tobytes())["shapes"] == 1
    other = writer.build_scene(
        [synthetic_runner(), synthetic_runner("tall", scale={"femur_r": np.full(3, 1.1)})]
    )
    assert json.loads(other["about"].tobytes())["shapes"] == 2


def test_the_same_scene_gives_the_same_bytes(arrays):
    assert writer.scene_bytes(arrays) == writer.scene_bytes(arrays)


def test_thousands_of_frames_stay_small():
    arrays = writer.build_scene([synthetic_runner(frames=4500, rate=150)])
    assert len(writer.scene_bytes(arrays)) < 6e6


def test_stride_phase_runs_from_0_to_100_per_side():
    phase = writer.stride_phase(synthetic_runner())
    assert phase[0, 0] == 0 and phase[-1, 0] == pytest.approx(100)
    assert np.isnan(phase[:, 1]).all()


def test_provenance_names_what_the_picture_rests_on():
    line = writer.provenance([synthetic_runner()], "runner")
    assert "estimate" in line and "measured ground forces" in line and "body weight" in line


def test_a_failed_self_check_goes_with_the_scene():
    bad = replace(synthetic_runner(), failed=("residuals",))
    assert writer.provenance([bad], "").startswith("SELF-CHECK FAILED: residuals. Modelled")
    assert scene_entry(bad)["failed_checks"] == ["residuals"]
    assert scene_entry(synthetic_runner())["failed_checks"] == []


def scene_entry(runner):
    about = json.loads(bytes(writer.build_scene([runner])["about"]).decode())
    return about["runners"][0]


def test_forces_under_a_changed_stride_are_told_as_simulated():
    captured = synthetic_runner()
    changed = replace(synthetic_runner("valgus"), simulated=True)
    assert "simulated motion, simulated ground forces" in writer.provenance([changed], "")
    both = writer.provenance([captured, changed], "")
    assert "measured and simulated ground forces" in both


def test_a_persons_size_is_read_back_from_the_scaled_model():
    generic = runner_model()
    factors = np.random.default_rng(3).uniform(0.85, 1.2, (len(generic.bodies), 3))
    found = size_of(generic.scaled(factors), generic)
    for name in ("pelvis", "femur_r", "tibia_l", "calcn_r", "torso"):
        wanted = factors[generic.body(name)]
        np.testing.assert_allclose(found[name], wanted, atol=1e-6)


def test_a_masked_ground_force_is_read_as_missing(tmp_path):
    runner = synthetic_runner()
    for values in (runner.ground.force, runner.ground.point):
        values[10:14, 1] = np.nan
    path = writer.write_scene(tmp_path / "scene.npz", [runner])
    found = reader.read_scene(path).runners[0]
    assert np.isnan(found.ground_force[10:14, 1]).all()
    assert np.isfinite(found.ground_force[:, 0]).all()


# --- refusals -----------------------------------------------------------------------------


def test_a_motion_with_gaps_is_not_written(tmp_path):
    runner = synthetic_runner()
    runner.position[5, 2] = np.nan
    with pytest.raises(ResultsError, match="finite body poses"):
        writer.write_scene(tmp_path / "scene.npz", [runner])
    assert not list(tmp_path.iterdir())


def test_a_folder_without_a_scene_is_named(tmp_path):
    with pytest.raises(reader.SceneError, match=r"holds no scene\.npz"):
        reader.read_scene(tmp_path)


def test_a_truncated_file_is_refused(tmp_path, arrays):
    path = _write(tmp_path, arrays)
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(reader.SceneError, match="cut short"):
        reader.read_scene(path)


def test_another_version_is_refused(tmp_path, arrays):
    changed = _with_about(arrays, lambda about: about.update(version=99))
    with pytest.raises(reader.SceneError, match="version 99, this add-on reads version 1"):
        reader.read_scene(_write(tmp_path, changed))


def test_poses_that_are_no_numbers_are_refused(tmp_path, arrays):
    broken = arrays["runner0.position"].copy()
    broken[4, 3, 1] = np.nan
    with pytest.raises(reader.SceneError, match=r"runner0\.position.*NaN"):
        reader.read_scene(_write(tmp_path, {**arrays, "runner0.position": broken}))


def test_a_million_frames_are_refused_before_they_are_read(tmp_path, arrays):
    changed = _with_about(arrays, lambda a: a["runners"][0].update(frames=1_000_000))
    with pytest.raises(reader.SceneError, match="1000000 frames"):
        reader.read_scene(_write(tmp_path, changed))


def test_a_pickled_array_is_refused(tmp_path, arrays):
    path = tmp_path / "scene.npz"
    thing = np.array([{"a": 1}], dtype=object)
    np.savez(path, **{k: v for k, v in arrays.items() if k != "runner0.time"},
             **{"runner0.time": thing})  # fmt: skip
    with pytest.raises(reader.SceneError, match=r"runner0\.time"):
        reader.read_scene(path)


def test_a_missing_array_is_named(tmp_path, arrays):
    less = {k: v for k, v in arrays.items() if k != "mesh.femur_r.faces"}
    with pytest.raises(reader.SceneError, match=r"lacks the array 'mesh\.femur_r\.faces'"):
        reader.read_scene(_write(tmp_path, less))


def test_a_wrong_shape_is_told_with_both_sizes(tmp_path, arrays):
    wrong = {**arrays, "runner1.quaternion": arrays["runner1.quaternion"][:-1]}
    with pytest.raises(reader.SceneError, match=r"is 59 x .* and should be 60 x"):
        reader.read_scene(_write(tmp_path, wrong))


def test_a_file_that_unpacks_too_large_is_not_opened(tmp_path, monkeypatch, arrays):
    monkeypatch.setattr(reader, "MAX_BYTES", 1000)
    with pytest.raises(reader.SceneError, match="not opened"):
        reader.read_scene(_write(tmp_path, arrays))


def test_a_damaged_description_is_refused(tmp_path, arrays):
    path = _write(tmp_path, {**arrays, "about": np.frombuffer(b"{", dtype=np.uint8)})
    with pytest.raises(reader.SceneError, match="description"):
        reader.read_scene(path)
    with zipfile.ZipFile(path) as archive:
        assert "about.npy" in archive.namelist()
