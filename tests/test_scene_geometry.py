"""A person's own bones in a scene: placed as the model says, coloured as ours were."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import sys

import numpy as np
import pytest
from kneestride.errors import ResultsError
from kneestride.model.drawn import AttachedMesh
from kneestride.model.lines import attached_meshes
from kneestride.model.osim import opensim
from kneestride.results import geometry
from kneestride.results.geometry import (
    default_attachments,
    geometry_folder,
    with_geometry,
    write_own_scene,
)
from kneestride.results.scene import write_scene
from scene_samples import ROOT, synthetic_runner


def _reader():
    spec = importlib.util.spec_from_file_location(
        "scene_file", ROOT / "blender_addon" / "scene_file.py"
    )
    module = sys.modules.get("scene_file") or importlib.util.module_from_spec(spec)
    if "scene_file" not in sys.modules:
        sys.modules["scene_file"] = module
        spec.loader.exec_module(module)
    return module


reader = _reader()
TURN = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
ATTACHED = (
    AttachedMesh("r_tibia.vtp", "tibia_r", np.eye(3), np.zeros(3), np.array([1.0, 1.1, 1.0])),
    AttachedMesh("r_femur.vtp", "femur_r", TURN, np.array([0, 0.01, 0]), np.ones(3)),
    AttachedMesh("r_patella.vtp", "patella_r", np.eye(3), np.zeros(3), np.ones(3)),
)


def _ball(path, centre, radius=0.03):
    """An OBJ of a ball of points about a place."""
    u, v = np.meshgrid(np.linspace(0, 2 * np.pi, 24), np.linspace(0, np.pi, 13))
    points = np.stack([np.sin(v) * np.cos(u), np.cos(v), np.sin(v) * np.sin(u)], axis=-1)
    points = np.asarray(centre) + radius * points.reshape(-1, 3)
    rows = [f"v {x:.7f} {y:.7f} {z:.7f}" for x, y, z in points]
    for i in range(12):
        for j in range(23):
            a = i * 24 + j + 1
            rows.append(f"f {a} {a + 24} {a + 25} {a + 1}")
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_text("\n".join(rows))
    return points


@pytest.fixture
def scene(tmp_path):
    runner = dataclasses.replace(synthetic_runner(), attached=ATTACHED)
    return write_scene(tmp_path / "scene.npz", [runner])


def test_meshes_stand_where_the_model_puts_them(tmp_path, scene):
    bones = tmp_path / "Geometry"
    tibia = _ball(bones / "R_Tibia.OBJ", (0, -0.2, 0))
    femur = _ball(bones / "more" / "r_femur.obj", (0, -0.2, 0))
    out, notes = write_own_scene(scene, bones, tmp_path / "own.npz")
    found = reader.read_scene(out)
    shape = found.shapes[0]
    low, high = shape["tibia_r"].min(axis=0), shape["tibia_r"].max(axis=0)
    np.testing.assert_allclose(low, (tibia * [1, 1.1, 1]).min(axis=0), atol=1e-6)
    np.testing.assert_allclose(high, (tibia * [1, 1.1, 1]).max(axis=0), atol=1e-6)
    wanted = femur @ TURN.T + [0, 0.01, 0]
    np.testing.assert_allclose(shape["femur_r"].min(axis=0), wanted.min(axis=0), atol=1e-6)
    # The patella's file is not there: told, and ours stays.
    assert "r_patella.vtp" in notes[1]
    ours = reader.read_scene(scene)
    np.testing.assert_array_equal(shape["patella_r"], ours.shapes[0]["patella_r"])
    assert "fibula_r" not in shape and "fibula_l" in shape
    assert "tibial_cartilage_r" in shape and "menisci_r" in shape


def test_a_bone_near_ours_takes_our_weights(tmp_path, scene):
    ours = reader.read_scene(scene)
    pads = ours.shapes[0]["tibial_cartilage_r"]
    mesh = next(m for m in ours.meshes if m.name == "tibial_cartilage_r")
    medial = pads[mesh.weights[:, mesh.weight_names.index("w_medial")] > 200].mean(axis=0)
    _ball(tmp_path / "g" / "r_tibia.obj", medial / [1, 1.1, 1], 0.008)
    scene_file, _ = write_own_scene(scene, tmp_path / "g", tmp_path / "a.png")
    assert scene_file.name == "a.scene.npz"
    found = next(m for m in reader.read_scene(scene_file).meshes if m.name == "tibia_r")
    column = {n: found.weights[:, i] for i, n in enumerate(found.weight_names)}
    assert column["w_medial"].max() > 200
    assert column["w_lateral"].max() == 0
    assert column["w_achilles"].max() == 0 if "w_achilles" in column else True


def test_a_models_own_meshes_are_found_with_frame_and_scale():
    model = opensim.Model()
    body = opensim.Body("shank", 1, opensim.Vec3(0), opensim.Inertia(1, 1, 1, 0, 0, 0))
    model.addBody(body)
    turn = opensim.Rotation(np.pi / 2, opensim.CoordinateAxis(2))
    place = opensim.Transform(turn, opensim.Vec3(0, 0.01, 0))
    frame = opensim.PhysicalOffsetFrame("turned", body, place)
    body.addComponent(frame)
    mesh = opensim.Mesh("C:\\Geometry\\bone.vtp")
    mesh.set_scale_factors(opensim.Vec3(1, 1.2, 1))
    frame.attachGeometry(mesh)
    model.finalizeConnections()
    (found,) = attached_meshes(model)
    assert (found.file, found.body) == ("bone.vtp", "shank")
    np.testing.assert_allclose(found.rotation, TURN, atol=1e-12)
    np.testing.assert_allclose(found.position, [0, 0.01, 0])
    np.testing.assert_allclose(found.scale, [1, 1.2, 1])


def test_models_without_meshes_get_the_familys_files_at_the_persons_size():
    found = default_attachments({"femur_r": np.array([1.1, 1.2, 1.3])})
    by_file = {mesh.file: mesh for mesh in found}
    np.testing.assert_allclose(by_file["r_femur.vtp"].scale, [1.1, 1.2, 1.3])
    assert by_file["l_fibula.vtp"].body == "tibia_l"
    assert {m.body for m in found} <= set(synthetic_runner().bodies)


def test_a_coarse_bone_is_refined_without_changing_its_surface():
    corners = 0.05 * np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], dtype=float)
    faces = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])
    fine = geometry.refined(geometry._Body([corners, 2 * corners], faces))

    def volume(vertices, triangles):
        a, b, c = (vertices[triangles[:, i]] for i in range(3))
        return np.einsum("fi,fi->", a, np.cross(b, c)) / 6

    for k, first in enumerate((corners, 2 * corners)):
        whole = volume(first, faces)
        assert volume(fine.vertices[k], fine.faces) == pytest.approx(whole, rel=1e-9)
    edges = np.sort(fine.faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    _, count = np.unique(edges, axis=0, return_counts=True)
    assert (count == 2).all()
    assert np.linalg.norm(np.diff(fine.vertices[0][edges], axis=1), axis=2).max() < 0.004


# --- refusals -----------------------------------------------------------------------------


def test_a_folder_without_any_of_the_files_is_refused(tmp_path, scene):
    _ball(tmp_path / "g" / "teapot.obj", (0, 0, 0))
    with pytest.raises(ResultsError, match=r"r_tibia\.vtp.*none of the 3"):
        with_geometry(scene, tmp_path / "g")


def test_a_file_outside_the_folder_is_not_read(tmp_path):
    _ball(tmp_path / "r_tibia.obj", (0, 0, 0))
    (tmp_path / "g").mkdir()
    mesh = dataclasses.replace(ATTACHED[0], file="../r_tibia.obj")
    runner = dataclasses.replace(synthetic_runner(), attached=(mesh,))
    scene = write_scene(tmp_path / "scene.npz", [runner])
    with pytest.raises(ResultsError, match="none of the 1"):
        with_geometry(scene, tmp_path / "g")


def test_a_broken_mesh_is_named_and_nothing_is_written(tmp_path, scene):
    _ball(tmp_path / "g" / "r_femur.obj", (0, 0, 0))
    (tmp_path / "g" / "r_tibia.vtp").write_bytes(b"<VTKFile")
    with pytest.raises(ResultsError, match=r"r_tibia\.vtp"):
        write_own_scene(scene, tmp_path / "g", tmp_path / "own.npz")
    assert not list(tmp_path.glob("own*"))


def test_a_scene_of_an_earlier_kneestride_is_refused(tmp_path, scene):
    with np.load(scene) as stored:
        arrays = dict(stored)
    about = json.loads(arrays["about"].tobytes())
    del about["attached"]
    arrays["about"] = np.frombuffer(json.dumps(about).encode(), dtype=np.uint8)
    np.savez(tmp_path / "old.npz", **arrays)
    with pytest.raises(ResultsError, match="earlier kneestride"):
        with_geometry(tmp_path / "old.npz", tmp_path)


def test_no_folder_and_no_package_are_told(tmp_path, monkeypatch):
    with pytest.raises(ResultsError, match="none at"):
        geometry_folder(tmp_path / "nowhere")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ResultsError, match="pip install --no-deps myo-sim"):
        geometry_folder("myo-sim")


def test_an_installed_package_is_found(tmp_path, monkeypatch):
    meshes = tmp_path / "myo_sim" / "models" / "meshes"
    meshes.mkdir(parents=True)
    (tmp_path / "myo_sim" / "__init__.py").write_text("raise ImportError('not imported')")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert geometry_folder("myo-sim") == meshes
