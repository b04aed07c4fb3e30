"""The project's own bones: complete, in the model's frames, with joints that close."""

from __future__ import annotations

import numpy as np
import pytest
from kneestride.results.bones import fit_bones, load_bones
from scene_samples import ROOT, runner_model
from scipy.spatial import cKDTree

REFERENCE_DEG, RANGE_DEG = 0.0, np.arange(0.0, 101.0, 10.0)
MEDIAL_DEEPER_THAN = 0.006
"""Distance from the midline of the knee beyond which a point is in a compartment, m."""


@pytest.fixture(scope="module")
def bones():
    return load_bones()


@pytest.fixture(scope="module")
def by_name(bones):
    return {mesh.name: mesh for mesh in bones}


def test_the_file_is_small():
    assert (ROOT / "models" / "bones" / "skeleton.npz").stat().st_size < 2_000_000


def test_every_body_of_the_runner_has_a_bone(bones):
    massless = {"knee_frame_r", "knee_frame_l"}
    assert {mesh.body for mesh in bones} == set(runner_model().bodies) - massless


def test_left_is_the_mirror_image_of_right(by_name):
    right, left = by_name["femur_r"], by_name["femur_l"]
    np.testing.assert_allclose(left.vertices, right.vertices * [1, 1, -1])


def _volume(mesh) -> float:
    a, b, c = (mesh.vertices[mesh.faces[:, i]] for i in range(3))
    return float(np.einsum("fi,fi->", a, np.cross(b, c)) / 6)


def test_surfaces_are_closed_and_face_outwards(bones):
    for mesh in bones:
        edges = np.sort(mesh.faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
        _, count = np.unique(edges, axis=0, return_counts=True)
        assert (count == 2).mean() > 0.995, mesh.name
        assert _volume(mesh) > 0, mesh.name


@pytest.mark.parametrize(
    ("mesh", "place"),
    [  # bone surface places of the model's own geometry, models/landmarks.toml
        ("femur_r", (-0.004, -0.398, 0.038)),
        ("femur_r", (-0.003, -0.403, -0.042)),
        ("femur_r", (-0.010, -0.030, 0.064)),
        ("tibia_r", (0.027, -0.066, 0.009)),
        ("fibula_r", (-0.009, -0.057, 0.045)),
        ("fibula_r", (-0.007, -0.411, 0.041)),
        ("tibia_r", (0.000, -0.389, -0.027)),
        ("foot_r", (-0.010, 0.006, -0.005)),
        ("foot_r", (0.082, 0.025, -0.039)),
        ("foot_r", (0.172, 0.004, -0.038)),
        ("foot_r", (0.078, 0.016, 0.038)),
        ("toes_r", (0.077, -0.003, -0.016)),
        ("pelvis", (0.000, 0.003, 0.119)),
        ("pelvis", (-0.143, 0.037, 0.053)),
        ("patella_r", (0.015, 0.027, 0.000)),
    ],
)
def test_landmarks_lie_on_the_bones_within_a_centimetre(by_name, mesh, place):
    gap, _ = cKDTree(by_name[mesh].vertices).query(place)
    assert gap < 0.010


def test_weights_are_one_somewhere_and_zero_elsewhere(by_name):
    for name in ("tibial_cartilage_r", "femoral_cartilage_r"):
        mesh = by_name[name]
        for column in ("w_medial", "w_lateral"):
            w = mesh.weights[:, mesh.weight_names.index(column)]
            assert w.max() == 255 and w.min() == 0


def test_medial_weights_are_medial_on_both_sides(by_name):
    for side, sign in (("r", -1), ("l", 1)):
        for name in ("tibial_cartilage", "femoral_cartilage", "menisci"):
            mesh = by_name[f"{name}_{side}"]
            z = mesh.vertices[:, 2] * sign
            medial = mesh.weights[:, mesh.weight_names.index("w_medial")] > 128
            lateral = mesh.weights[:, mesh.weight_names.index("w_lateral")] > 128
            assert z[medial].min() > 0 > z[lateral].max()


# --- joints -------------------------------------------------------------------------------


def _surface_height(vertices: np.ndarray, faces: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Height y of the upper surface over (x, z); NaN off the mesh. Rays straight down."""
    a, b, c = (vertices[faces[:, i]] for i in range(3))
    out = np.full(len(at), np.nan)
    u, v = (b - a)[:, [0, 2]], (c - a)[:, [0, 2]]
    det = u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        for i, (x, z) in enumerate(at):
            w = np.array([x, z]) - a[:, [0, 2]]
            s = (w[:, 0] * v[:, 1] - w[:, 1] * v[:, 0]) / det
            t = (u[:, 0] * w[:, 1] - u[:, 1] * w[:, 0]) / det
            hit = (s >= 0) & (t >= 0) & (s + t <= 1)
            if hit.any():
                y = a[:, 1] + s * (b - a)[:, 1] + t * (c - a)[:, 1]
                out[i] = y[hit].max()
    return out


def _knee_gaps(bones, scale, side="r", flexion=RANGE_DEG, adduction=0.0, rotation_deg=0.0):
    """Smallest height of the femoral over the tibial cartilage, (angle, compartment) m."""
    names = [mesh.name for mesh in bones]
    sized = dict(zip(names, fit_bones(bones, scale), strict=True))
    body = runner_model()
    factors = np.stack([np.asarray(scale.get(b, np.ones(3))) for b in body.bodies])
    body = body.scaled(factors)
    q = np.zeros((len(flexion), len(body.coordinates)))
    q[:, body.coordinate(f"knee_angle_{side}")] = np.radians(flexion)
    q[:, body.coordinate(f"knee_adduction_{side}")] = np.radians(adduction)
    q[:, body.coordinate(f"knee_rotation_{side}")] = np.radians(rotation_deg)
    rotation, position = body.poses(q)
    femur, tibia = body.body(f"femur_{side}"), body.body(f"tibia_{side}")
    above = sized[f"femoral_cartilage_{side}"]
    plateau = sized[f"tibial_cartilage_{side}"]
    faces = bones[names.index(f"tibial_cartilage_{side}")].faces
    medial = -1.0 if side == "r" else 1.0
    gaps = np.empty((len(flexion), 2))
    for i in range(len(flexion)):
        ground = above @ rotation[i, femur].T + position[i, femur]
        local = (ground - position[i, tibia]) @ rotation[i, tibia]
        near = local[local[:, 1] < plateau[:, 1].max() + 0.006]
        height = near[:, 1] - _surface_height(plateau, faces, near[:, [0, 2]])
        for c, sign in enumerate((medial, -medial)):
            inside = near[:, 2] * sign > MEDIAL_DEEPER_THAN
            gaps[i, c] = np.nanmin(height[inside])
    return gaps


@pytest.mark.parametrize("side", ["r", "l"])
def test_the_knee_neither_gaps_nor_overlaps_from_0_to_100_degrees(bones, side):
    gaps = _knee_gaps(bones, {}, side)
    assert np.abs(gaps).max() < 0.001
    assert np.abs(gaps - gaps[0]).max() < 0.002


@pytest.mark.parametrize("adduction", [-3.0, 0.0, 3.0])
@pytest.mark.parametrize("turn", [-12.0, 0.0, 12.0])
def test_the_knee_stays_closed_in_adduction_and_tibial_rotation(bones, adduction, turn):
    # Angles that a loaded knee takes: 3 degrees lift a condyle 24 mm away by 1.3 mm.
    flexion = np.array([0.0, 20.0, 40.0, 60.0])
    reference = _knee_gaps(bones, {}, flexion=flexion[:1])
    gaps = _knee_gaps(bones, {}, flexion=flexion, adduction=adduction, rotation_deg=turn)
    assert np.abs(gaps - reference).max() < 0.002


@pytest.mark.parametrize("seed", range(3))
def test_the_knee_stays_closed_for_a_person_of_any_proportions(bones, seed):
    random = np.random.default_rng(seed)
    scale = {f"{b}_r": random.uniform(0.9, 1.1, 3) for b in ("femur", "tibia")}
    gaps = _knee_gaps(bones, scale)
    assert np.abs(gaps).max() < 0.002
    assert np.abs(gaps - gaps[0]).max() < 0.002


def test_the_femoral_head_is_a_ball_about_the_hip_and_the_socket_clears_it(by_name):
    head = np.linalg.norm(by_name["femur_r"].vertices, axis=1)
    near_top = by_name["femur_r"].vertices[:, 2] < -0.005
    top = head[near_top & (head < 0.03)]
    assert np.ptp(top) < 0.0006
    socket = np.linalg.norm(
        by_name["pelvis"].vertices - np.array([-0.056276, -0.07849, 0.07726]), axis=1
    )
    assert 0.0005 < socket.min() - top.max() < 0.004


def test_the_talus_turns_in_the_ankle_without_overlap(by_name):
    body = runner_model()
    angles = np.radians(np.arange(-40, 31, 10.0))
    q = np.zeros((len(angles), len(body.coordinates)))
    q[:, body.coordinate("ankle_angle_r")] = angles
    rotation, position = body.poses(q)
    tibia, talus = body.body("tibia_r"), body.body("talus_r")
    plafond = cKDTree(by_name["tibia_r"].vertices[by_name["tibia_r"].vertices[:, 1] < -0.35])
    gaps = []
    for i in range(len(angles)):
        ground = by_name["talus_r"].vertices @ rotation[i, talus].T + position[i, talus]
        local = (ground - position[i, tibia]) @ rotation[i, tibia]
        gaps.append(plafond.query(local)[0].min())
    assert max(gaps) < 0.004
    assert np.ptp(gaps) < 0.002


def test_the_patella_glides_at_a_steady_distance_once_it_is_in_its_groove(by_name):
    body = runner_model()
    angles = np.radians(np.arange(10, 101, 10.0))
    q = np.zeros((len(angles), len(body.coordinates)))
    q[:, body.coordinate("knee_angle_r")] = angles
    rotation, position = body.poses(q)
    femur, patella = body.body("femur_r"), body.body("patella_r")
    groove = cKDTree(by_name["femoral_cartilage_r"].vertices)
    gaps = []
    for i in range(len(angles)):
        ground = (
            by_name["patellar_cartilage_r"].vertices @ rotation[i, patella].T
            + position[i, patella]
        )
        gaps.append(groove.query((ground - position[i, femur]) @ rotation[i, femur])[0].min())
    assert max(gaps) < 0.002
