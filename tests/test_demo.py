"""The reference runner: what its figures have to obey, and the way back from its recording.

The recording is made from known angles and forces, so the analysis can be held against
the truth. `kneestride demo` itself is run from the built wheel, in test_wheel.py.
"""

import csv
from pathlib import Path

import numpy as np
import pytest
from kneestride.capture.reference import (
    MIRRORED,
    ReferenceStride,
    load_reference,
    side_of,
    trigonometric,
)
from kneestride.chain import analyse
from kneestride.demo import reference_recording, write_recording
from kneestride.errors import CaptureError
from kneestride.model.multibody import Multibody
from kneestride.model.osim import load_model
from kneestride.model.tables import RUNNER_MODEL
from kneestride.motion.filtering import lowpass, smooth_derivatives
from kneestride.motion.inverse_kinematics import CoordinatePriors, MarkerTasks, solve
from kneestride.motion.reference_capture import (
    MARKER_RATE,
    CaptureNoise,
    ReferenceRecording,
    skin_movement,
    worn_markers,
)
from kneestride.motion.reference_runner import (
    ReferenceBody,
    coordinates,
    ground_forces,
    reference_body,
)
from kneestride.paths_of_data import models_folder
from kneestride.results.folder import Results
from kneestride.vocabulary import GRAVITY, SIDES, Array

CUTOFF = 15.0
INNER = slice(20, -20)
"""Frames that the ends of a filtered recording do not reach."""


@pytest.fixture(scope="module")
def reference() -> ReferenceStride:
    return load_reference()


@pytest.fixture(scope="module")
def runner(reference: ReferenceStride) -> ReferenceBody:
    return reference_body(reference, Multibody.from_osim(load_model(RUNNER_MODEL)))


@pytest.fixture(scope="module")
def exact() -> ReferenceRecording:
    return reference_recording(strides=4)[1]


@pytest.fixture(scope="module")
def analysed(
    reference: ReferenceStride,
    exact: ReferenceRecording,
    tmp_path_factory: pytest.TempPathFactory,
) -> Results:
    files = write_recording(tmp_path_factory.mktemp("exact"), reference, exact)
    return analyse(
        files.trial,
        static=files.static,
        forces=files.forces,
        mass=files.mass,
        height=files.height,
        treadmill_speed=files.speed,
    )


def mirrored(points: Array) -> Array:
    return points * [1.0, 1.0, -1.0]


# --- the figures ---------------------------------------------------------------------------


def test_the_table_ends_as_it_began() -> None:
    with (models_folder() / "reference_stride.motion.csv").open(encoding="utf-8") as file:
        rows = list(csv.reader(line for line in file if not line.startswith("#")))
    assert rows[1][0] == "0" and rows[-1][0] == "100"
    assert rows[1][1:] == rows[-1][1:]


def test_curves_are_read_through_their_samples_and_on_past_the_end(
    reference: ReferenceStride,
) -> None:
    curve = reference.motion["knee_angle"]
    at = np.arange(len(curve)) / len(curve)
    for strides in (0.0, 1.0, -3.0):
        read = trigonometric(curve[:, None], at + strides)[:, 0]
        np.testing.assert_allclose(read, curve, atol=1e-9)


def test_trunk_coordinates_repeat_or_mirror_after_half_a_stride(
    reference: ReferenceStride,
) -> None:
    for name, curve in reference.motion.items():
        if name.startswith(("pelvis", "lumbar")):
            sign = -1.0 if name in MIRRORED else 1.0
            half = len(curve) // 2
            np.testing.assert_allclose(np.roll(curve, half), sign * curve, atol=3e-5)


def test_left_mirrors_right_half_a_stride_later(
    reference: ReferenceStride, runner: ReferenceBody
) -> None:
    phase = np.linspace(0.0, 1.0, 60, endpoint=False)
    names = tuple(n[:-2] for n in runner.places if side_of(n) == "r")
    right = tuple(f"{n}_r" for n in names)
    left = tuple(f"{n}_l" for n in names)
    now, later = (
        runner.points(which, *runner.body.poses(coordinates(reference, runner.body, at)))
        for which, at in ((right, phase), (left, phase + 0.5))
    )
    # The tables are rounded to 1e-3 degrees and 1e-5 m.
    np.testing.assert_allclose(mirrored(later), now, atol=1e-4)
    time = phase * reference.stride_s
    forces = ground_forces(
        reference, runner, np.r_[time, time + reference.stride_s / 2], 1.0, 0.0
    )
    half = len(phase)
    np.testing.assert_allclose(
        mirrored(forces.force[half:, 1]), forces.force[:half, 0], atol=1e-6
    )
    np.testing.assert_allclose(
        mirrored(forces.point[half:, 1]), forces.point[:half, 0], atol=1e-4
    )


def test_a_stride_carries_the_body_and_neither_speeds_up_nor_slows_down(
    reference: ReferenceStride,
) -> None:
    phase = (np.arange(20000) + 0.5) / 20000
    both = sum(reference.ground_reaction(side, phase)[:, :3] for side in SIDES)
    forward, up, right = np.mean(both, axis=0)
    assert up == pytest.approx(1.0, abs=1e-3)
    assert forward == pytest.approx(0.0, abs=1e-3)
    assert right == pytest.approx(0.0, abs=1e-9)


def test_the_stance_foot_neither_slides_nor_sinks_and_has_the_pressure_under_it(
    reference: ReferenceStride, runner: ReferenceBody
) -> None:
    share = np.linspace(0.02, 0.98, 97)
    phase = share * reference.duty
    rotation, position = runner.body.poses(coordinates(reference, runner.body, phase))
    names = ("heel_r", "metatarsal_1_r", "metatarsal_5_r", "toe_r")
    at = runner.points(names, rotation, position)
    at[:, :, 0] += (phase * reference.stride_s * reference.speed)[:, None]
    standing = (share > 0.2) & (share < 0.65)
    for k in (1, 2):
        path = at[standing, k]
        assert np.abs(path - path.mean(axis=0))[:, [0, 2]].max() < 0.002
        assert np.ptp(path[:, 1]) < 0.004
    flat = at[np.argmin(np.abs(share - reference.flat)), 3, 1]
    assert at[:, 3, 1].min() > flat - 0.01
    forces = ground_forces(reference, runner, phase * reference.stride_s, 1.0, 0.0)
    point = forces.point[:, 0]
    point[:, 0] += phase * reference.stride_s * reference.speed
    loaded = forces.force[:, 0, 1] > 200.0
    heel, toe = at[:, 0], at[:, 3]
    margin = 0.015
    assert (point[loaded, 0] > heel[loaded, 0] - margin).all()
    assert (point[loaded, 0] < toe[loaded, 0] + margin).all()
    assert (point[loaded, 2] > at[loaded, 1, 2] - margin).all()
    assert (point[loaded, 2] < at[loaded, 2, 2] + margin).all()


def test_the_ground_reaction_moves_the_body_as_it_moves(
    reference: ReferenceStride, runner: ReferenceBody, exact: ReferenceRecording
) -> None:
    time = exact.trial.markers.time
    q, qd, qdd = smooth_derivatives(time, exact.truth, CUTOFF)
    forces = ground_forces(
        reference, runner, np.arange(len(time) * 6) / (6 * MARKER_RATE), 6 * MARKER_RATE, 0.1
    )
    # Both sides of the balance get the same filter.
    moments = np.cross(forces.point, forces.force) + forces.torque
    force, moment = (
        lowpass(values, forces.rate, CUTOFF)[::6] for values in (forces.force, moments)
    )
    body = runner.body
    outer = np.zeros((2, len(time), len(body.bodies), 3))
    for s, side in enumerate(SIDES):
        b = body.body(f"calcn_{side}")
        outer[0, :, b], outer[1, :, b] = force[:, s], moment[:, s]
    left = body.inverse_dynamics(q, qd, qdd, outer[0], outer[1])
    pelvis = body.body("pelvis")
    peak = float(np.linalg.norm(force.sum(axis=1), axis=1).max())
    # Limits of Hicks et al. 2015 (doi:10.1115/1.4029304).
    wrench = left.wrench[INNER, pelvis]
    assert np.linalg.norm(wrench[:, :3], axis=1).max() < 0.05 * peak
    center = body.center_of_mass(left.rotation, left.position)[INNER]
    arm = left.position[INNER, pelvis] - center
    about_center = wrench[:, 3:] + np.cross(arm, wrench[:, :3])
    assert np.linalg.norm(about_center, axis=1).max() < 0.01 * peak * center[:, 1].mean()
    assert body.mass == pytest.approx(reference.mass)


def test_missing_tables_are_named(tmp_path: Path) -> None:
    with pytest.raises(CaptureError) as told:
        load_reference(tmp_path)
    assert "reference_stride.toml" in str(told.value)
    assert "scripts/build_reference_runner.py" in str(told.value)


# --- the recording -------------------------------------------------------------------------


def test_angles_pushed_through_markers_come_back(
    runner: ReferenceBody, exact: ReferenceRecording
) -> None:
    markers = exact.trial.markers
    worn = worn_markers(runner)
    tasks = MarkerTasks(
        markers.names,
        np.array([worn[n][0] for n in markers.names]),
        np.array([worn[n][1] for n in markers.names]),
        np.ones(len(markers.names)),
    )
    free = np.asarray(runner.body.informed_by(tasks.body), dtype=bool)
    weak = np.full(len(free), 1e-9)
    priors = CoordinatePriors(np.where(free, runner.body.default, 0.0), weak, free)
    found = solve(
        runner.body, tasks, markers.time, markers.rate, markers.positions, priors,
        start=exact.truth[0],
    )  # fmt: skip
    error = (found.q - exact.truth)[:, free & runner.body.rotational]
    assert np.degrees(np.abs(error)).max() < 0.01


def test_the_same_seed_gives_the_same_files_and_another_seed_others(
    reference: ReferenceStride, tmp_path: Path
) -> None:
    texts = []
    for number, seed in enumerate((1, 1, 2)):
        recording = reference_recording(strides=1, noise=CaptureNoise(), seed=seed)[1]
        files = write_recording(tmp_path / str(number), reference, recording)
        texts.append([p.read_bytes() for p in (files.trial, files.static, files.forces)])
    assert texts[0] == texts[1]
    assert all(a != b for a, b in zip(texts[0], texts[2], strict=True))


def test_skin_moves_as_much_as_its_settings_say() -> None:
    noise = CaptureNoise(together=("femur",))
    phase = np.arange(1000) / 105.0
    bodies = ["femur_r"] * 6 + ["calcn_r"] * 6
    moves = [
        skin_movement(bodies, phase, MARKER_RATE, noise, np.random.default_rng(k))
        for k in range(60)
    ]
    rms = np.sqrt(np.mean(np.square(moves), axis=(0, 1, 3)))
    assert rms[:6].mean() == pytest.approx(noise.skin["femur"], rel=0.1)
    assert rms[6:].mean() == pytest.approx(noise.skin["calcn"], rel=0.1)
    together = np.mean([np.corrcoef(m[:, 0].ravel(), m[:, 1].ravel())[0, 1] for m in moves])
    apart = np.mean([np.corrcoef(m[:, 6].ravel(), m[:, 7].ravel())[0, 1] for m in moves])
    assert together == pytest.approx(0.5, abs=0.12) and apart == pytest.approx(0.0, abs=0.12)


# --- the way back --------------------------------------------------------------------------

RECOVERED_DEG = {
    "pelvis_tilt": 0.5, "pelvis_list": 0.5, "pelvis_rotation": 0.5,
    "hip_flexion": 0.5, "hip_adduction": 0.5, "knee_angle": 0.5, "ankle_angle": 1.0,
    "knee_adduction": 1.0, "lumbar_extension": 0.5, "lumbar_bending": 0.5,
    "arm_flex": 0.5, "arm_add": 0.5, "elbow_flex": 0.5,
}  # fmt: skip
"""rms over the recording. What skin markers hardly tell is left out: there the analysis
pulls towards neutral on purpose (docs/reference_runner.md has its figures)."""


@pytest.mark.parametrize(
    "joint",
    [
        *(name for name in RECOVERED_DEG if name != "elbow_flex"),
        pytest.param(
            "elbow_flex",
            marks=pytest.mark.xfail(strict=True, reason="0.54 degrees: a known miss"),
        ),
    ],
)
def test_the_analysis_returns_the_angles_of_the_exact_recording(
    joint: str, exact: ReferenceRecording, analysed: Results
) -> None:
    truth = lowpass(exact.truth, MARKER_RATE, CUTOFF)
    seen = 0
    for i, name in enumerate(analysed.motion.coordinates):
        if joint == (name if side_of(name) is None else name[:-2]):
            error = (analysed.motion.q[:, i] - truth[:, exact.coordinates.index(name)])[INNER]
            assert np.degrees(np.sqrt(np.mean(error**2))) < RECOVERED_DEG[joint], name
            seen += 1
    assert seen


def test_the_analysis_returns_the_forces_of_the_exact_recording(
    reference: ReferenceStride, exact: ReferenceRecording, analysed: Results
) -> None:
    ground, forces = analysed.ground, exact.trial.forces
    assert ground is not None and forces is not None
    truth = lowpass(forces.force, forces.rate, CUTOFF)[::6][: len(ground.time)]
    error = (ground.force - truth)[INNER]
    weight = reference.mass * GRAVITY
    assert np.sqrt(np.mean(error**2)) < 0.01 * weight
    assert not ground.masked.any()
    rows = [r for r in analysed.strides if r["kind"] == "stride"]
    for column, value in (
        ("stride_time_s", reference.stride_s),
        ("contact_s", reference.contact_s),
        ("speed_m_s", reference.speed),
    ):
        np.testing.assert_allclose([float(r[column]) for r in rows], value, rtol=0.03)


def test_both_knees_of_the_exact_recording_carry_the_same(analysed: Results) -> None:
    for name in ("total_peak_BW", "medial_peak_BW", "lateral_peak_BW"):
        peaks = [float(r[name]) for r in analysed.strides if r["kind"] == "stride"]
        assert max(peaks) - min(peaks) < 0.03 * max(peaks)


def test_no_check_fails_on_the_exact_recording(analysed: Results) -> None:
    verdicts = {c.name: c.verdict for c in analysed.checks}
    assert "fail" not in verdicts.values()
    assert verdicts["residuals"] == "pass"


def test_a_table_without_a_column_is_refused(tmp_path: Path) -> None:
    for name in ("reference_stride.toml", "reference_stride.motion.csv"):
        (tmp_path / name).write_bytes((models_folder() / name).read_bytes())
    (tmp_path / "reference_stride.ground.csv").write_text("percent,force_up_bw\n0,1\n1,2\n")
    with pytest.raises(CaptureError, match="force_forward_bw"):
        load_reference(tmp_path)
