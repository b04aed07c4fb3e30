"""Every shared recording reads, and what is known of it comes out."""

from __future__ import annotations

import csv
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from kneestride.capture.belt import belt_velocity, low_markers
from kneestride.capture.condition import Conditioned, condition
from kneestride.capture.ground_forces import read_forces
from kneestride.capture.markersets import recognise
from kneestride.capture.read import read_trial
from kneestride.capture.same_person import is_someone_else, static_disagreement
from kneestride.capture.sto import read_table
from kneestride.capture.sync import distance_from_feet
from kneestride.capture.trial import Markers, Trial
from kneestride.capture.units import body_size, check_size
from kneestride.errors import CaptureError
from kneestride.vocabulary import GRAVITY
from scipy.spatial.transform import Rotation

pytestmark = pytest.mark.real

STATIC = {"run.trc": "static.trc", "run350.trc": "static.trc", "ngait_og_ss1.trc": "static.trc"}


@cache
def participants(folder: Path) -> dict[str, tuple[float, float]]:
    """Mass (kg) and height (m) of the runners, by the number in their name."""
    with (folder / "rbds" / "participants.csv").open(newline="") as stream:
        return {
            row["subject"].removeprefix("RBDS").lstrip("0"): (
                float(row["mass_kg"]),
                float(row["height_cm"]) / 100,
            )
            for row in csv.DictReader(stream)
        }


@cache
def read(path: Path) -> Trial:
    """A trial with the forces that lie beside it."""
    forces = path.with_name(f"{path.stem}_grf.mot")
    return read_trial(path, forces if path.suffix == ".trc" and forces.exists() else None)


def runner(path: Path) -> str:
    return path.stem.removeprefix("RBDS").split("run")[0].split("static")[0].lstrip("0")


def static_of(path: Path) -> Markers | None:
    """Markers of the static trial that belongs to a movement."""
    if "run" in path.stem and path.parent.name == "rbds":
        return read(path.with_name(path.stem.split("run")[0] + "static.c3d")).markers
    if path.name in STATIC:
        return read(path.with_name(STATIC[path.name])).markers
    return None


@cache
def done(path: Path) -> Conditioned:
    """A trial conditioned, with its static trial where there is one."""
    return condition(read(path), static=static_of(path))


def recordings(folder: Path) -> list[Path]:
    return sorted(p for p in folder.glob("*/*") if p.suffix in (".trc", ".c3d"))


def test_every_recording_reads_and_conditions(shared_data: Path) -> None:
    paths = recordings(shared_data)
    assert len(paths) >= 95
    for path in paths:
        markers = done(path).trial.markers
        assert read(path).sources and len(markers.names) >= 30, path.name
        forward, up, _ = done(path).frame.rotation
        vertical = [0, 0, 1] if path.name == "ngait_og_ss1.c3d" else [0, 1, 0]
        np.testing.assert_array_equal(up, vertical, err_msg=path.name)
        along = [-1, 0, 0] if path.name == "ngait_og_ss1.c3d" else [1, 0, 0]
        np.testing.assert_array_equal(forward, along, err_msg=path.name)


def test_every_opensim_table_reads(shared_data: Path) -> None:
    tables = [p for p in shared_data.rglob("*") if p.suffix in (".mot", ".sto")]
    assert len(tables) >= 15
    for path in tables:
        table = read_table(path)
        assert np.isfinite(table.time).all() and np.isfinite(table.values).all(), path.name
        assert table.in_degrees == ("ik" in path.stem or path.name == "ngait_og_ss1_grf.mot")


def test_forces_of_every_table(shared_data: Path) -> None:
    feet = {"bmc_run": ("r", "l"), "hamner04": ("r", "l"), "gc5": (None,) * 3}
    for path in sorted(shared_data.glob("*/*_grf.mot")):
        forces = read_forces(path)
        assert forces.feet == feet.get(path.parent.name, (None,) * len(forces.names))
        peak = np.nansum(forces.force[..., 1], axis=1).max() / GRAVITY
        assert 60 < peak < 450, (path.name, peak)
        loaded = forces.force[..., 1] > 100
        assert np.isfinite(forces.point[loaded]).all()
        assert np.abs(forces.torque[loaded]).max() < 60


def test_rbds_mean_vertical_force_is_body_weight(shared_data: Path) -> None:
    """0.94 to 1.00 of recorded body weight, constant per runner (data README; measured
    here 0.933 to 1.004)."""
    shares: dict[str, list[float]] = {}
    for path in sorted((shared_data / "rbds").glob("*run*.c3d")):
        forces = read(path).forces
        assert forces is not None and forces.rate == 300.0
        mass = participants(shared_data)[runner(path)][0]
        share = float(forces.force[:, 0, 1].mean()) / (mass * GRAVITY)
        shares.setdefault(runner(path), []).append(share)
    assert len(shares) == 20
    for who, values in shares.items():
        assert all(0.93 < v < 1.005 for v in values), (who, values)
        assert np.ptp(values) < 0.02, (who, values)


def test_clocks(shared_data: Path) -> None:
    """The clock of the file is kept: gc5 starts at 0, hamner04 does not."""
    gc5 = read(shared_data / "gc5" / "ngait_og_ss1.trc")
    np.testing.assert_allclose(gc5.markers.time, np.arange(132) / 120, atol=1e-12)
    run = read(shared_data / "hamner04" / "run200.trc")
    np.testing.assert_allclose(run.markers.time, 0.83 + np.arange(237) / 100, atol=1e-12)
    assert run.forces is not None
    assert run.forces.time[0] == 0.825 and run.forces.rate == 2000
    assert any("12081 rows, the file holds 4750" in n for n in run.notes)
    c3d = read(shared_data / "gc5" / "ngait_og_ss1.c3d")
    assert c3d.markers.time[0] == 0
    strikes = [e.time for e in c3d.events if e.label == "Foot Strike"]
    # Frames 617 and 748 of a file that starts at frame 610, counted from 0.
    np.testing.assert_allclose(strikes, [7 / 120, 138 / 120], atol=1e-4)


def test_gc5_c3d_and_its_exports_agree(shared_data: Path) -> None:
    """The C3D (Z up) and the TRC and .mot that others made of it, seven frames later."""
    c3d = read(shared_data / "gc5" / "ngait_og_ss1.c3d")
    trc = read(shared_data / "gc5" / "ngait_og_ss1.trc")
    ours = done(shared_data / "gc5" / "ngait_og_ss1.c3d").trial
    assert c3d.analog is not None and "medgas" in c3d.analog.names
    names = [n for n in trc.markers.names if n in ours.markers.names]
    a = ours.markers.positions[7:139][:, [ours.markers.names.index(n) for n in names]]
    b = trc.markers.positions[:, [trc.markers.names.index(n) for n in names]]
    assert np.nanmax(np.abs(a - b)) < 1e-6
    assert ours.forces is not None and trc.forces is not None
    for k in range(3):
        mine, theirs = ours.forces.force[70:1390, k], trc.forces.force[:, k]
        # The export is low-pass filtered, hence the medians.
        assert np.median(np.abs(mine - theirs)) < 1.0
        loaded = theirs[:, 1] > 200
        apart = np.abs(ours.forces.point[70:1390, k] - trc.forces.point[:, k])[loaded]
        assert np.median(apart) < 1e-3 and np.percentile(apart, 95) < 0.006
        twist = np.abs(ours.forces.torque[70:1390, k] - trc.forces.torque[:, k])[loaded]
        assert np.median(twist) < 0.1


def test_belt_speed_of_every_treadmill_run(shared_data: Path) -> None:
    for path in sorted((shared_data / "rbds").glob("*run*.c3d")):
        markers = read(path).markers
        speed = float(path.stem[-2:]) / 10
        up = np.array([0.0, 1.0, 0.0])
        belt = belt_velocity(markers, low_markers(markers, up))
        assert np.linalg.norm(belt) == pytest.approx(speed, rel=0.03), path.name
        assert abs(belt[2]) < 0.1
    for name, speed in (("run200", 2.0), ("run400", 4.0)):
        frame = condition(read(shared_data / "hamner04" / f"{name}.trc")).frame
        assert -frame.belt[0] == pytest.approx(speed, rel=0.03)


def test_exchanged_names_are_found_and_no_others(shared_data: Path) -> None:
    found = {}
    for path in recordings(shared_data):
        notes = " ".join(done(path).trial.notes)
        for word in ("carry each other's name", "Renamed to", "exchange names", "Stray"):
            if word in notes:
                found[path.stem, word] = notes
    assert set(found) == {
        ("RBDS001runT25", "carry each other's name"),
        ("RBDS001runT35", "carry each other's name"),
        ("RBDS03runT25", "Renamed to"),
        ("RBDS019runT45", "Stray"),
        ("run", "exchange names"),
    }
    for speed in ("25", "35"):
        said = found[f"RBDS001runT{speed}", "carry each other's name"]
        assert "R.MT1 and R.MT5 carry each other's name" in said
    assert (
        "R.MT5 stands where the static trial has R.MT1" in found["RBDS03runT25", "Renamed to"]
    )
    assert "RTOE and RMT5 exchange names" in found["run", "exchange names"]


def test_bmc_run_toe_and_fifth_metatarsal_come_apart(shared_data: Path) -> None:
    """They change places from frame to frame; put back, each keeps its distance to the heel."""
    trial = done(shared_data / "bmc_run" / "run.trc").trial.markers
    heel, toe, fifth = (
        trial.positions[:, trial.names.index(n)] for n in ("RCAL", "RTOE", "RMT5")
    )
    assert np.nanstd(np.linalg.norm(toe - heel, axis=1)) < 0.008
    assert (
        np.nanmin(np.linalg.norm(toe - heel, axis=1) - np.linalg.norm(fifth - heel, axis=1)) > 0
    )


def test_centre_of_pressure_lies_under_the_feet(shared_data: Path) -> None:
    for path in recordings(shared_data):
        trial = done(path).trial
        if trial.forces is None or path.stem.endswith("static"):
            continue
        feet = low_markers(trial.markers, np.array([0.0, 1.0, 0.0]))
        away = distance_from_feet(trial.markers, trial.forces, feet)
        assert np.median(away) < 0.08 and np.percentile(away, 90) < 0.12, path.name


@pytest.mark.parametrize("name", ["gc5/ngait_og_ss1.trc", "rbds/RBDS011runT35.c3d"])
def test_law_the_laboratorys_axes_do_not_matter(shared_data: Path, name: str) -> None:
    trial = read(shared_data / name)
    plain = condition(trial).trial
    for angles in ((90, 0, 0), (0, 90, 0), (90, 0, 270), (180, 90, 0)):
        turn = np.round(Rotation.from_euler("xyz", angles, degrees=True).as_matrix())
        assert trial.forces is not None
        turned = replace(
            trial,
            markers=replace(trial.markers, positions=trial.markers.positions @ turn.T),
            forces=replace(
                trial.forces,
                force=trial.forces.force @ turn.T,
                point=trial.forces.point @ turn.T,
                torque=trial.forces.torque @ turn.T,
            ),
        )
        again = condition(turned).trial
        np.testing.assert_allclose(again.markers.positions, plain.markers.positions, atol=1e-9)
        assert again.forces is not None and plain.forces is not None
        np.testing.assert_allclose(again.forces.force, plain.forces.force, atol=1e-9)


def test_size_limits_are_far_from_every_person(shared_data: Path) -> None:
    for path in recordings(shared_data):
        markers = read(path).markers
        check_size(markers)
        assert 0.25 < body_size(markers) < 0.7, path.name
        for factor in (0.1, 10.0):
            with pytest.raises(CaptureError):
                check_size(replace(markers, positions=markers.positions * factor))


def test_forces_of_another_trial_are_refused(shared_data: Path) -> None:
    trial = read(shared_data / "rbds" / "RBDS011runT25.c3d")
    other = read(shared_data / "rbds" / "RBDS012runT25.c3d")
    markers = read(shared_data / "opencap04" / "walking1.trc")
    assert trial.forces is not None and other.forces is not None
    with pytest.raises(CaptureError, match="another trial"):
        condition(replace(markers, forces=trial.forces))
    late = replace(trial.forces, time=trial.forces.time + 1000)
    with pytest.raises(CaptureError, match="another time base"):
        condition(replace(trial, forces=late))


def test_a_saturated_plate_beside_a_static_trial_is_left_out(shared_data: Path) -> None:
    trial = read(shared_data / "rbds" / "RBDS023static.c3d")
    assert trial.forces is None
    assert any("stands still at 4992 N" in n for n in trial.notes)


def test_the_same_person_is_known_by_the_static_trial(shared_data: Path) -> None:
    """Own static trials agree well within the limits; strangers' are mostly refused."""
    refused = tried = 0
    statics = sorted((shared_data / "rbds").glob("*static.c3d"))
    for path in recordings(shared_data):
        static = static_of(path)
        if path.parent.name == "opencap04":
            static = read(path.with_name("static1.trc")).markers
        if static is None:
            continue
        markers = done(path).trial.markers
        known = recognise(markers.names).landmarks
        segment, pelvis = static_disagreement(markers, static, known)
        assert segment < 0.006 and not pelvis > 0.009, (path.name, segment, pelvis)
        assert not is_someone_else(segment, pelvis), path.name
        if path.stem.endswith("T35"):
            for other in statics:
                if runner(other) != runner(path):
                    figures = static_disagreement(markers, read(other).markers, known)
                    tried += 1
                    refused += is_someone_else(*figures)
    assert tried == 380 and refused / tried > 0.88


def test_truncated_and_misnamed_real_files(shared_data: Path, tmp_path: Path) -> None:
    raw = (shared_data / "rbds" / "RBDS001runT25.c3d").read_bytes()
    torn = tmp_path / "torn.c3d"
    torn.write_bytes(raw[: len(raw) // 2])
    with pytest.raises(CaptureError, match=r"4500 frames .* cut off after \d+ of them"):
        read_trial(torn)
    text = (shared_data / "opencap04" / "walking1.trc").read_bytes()
    torn = tmp_path / "torn.trc"
    torn.write_bytes(text[: len(text) // 2])
    with pytest.raises(CaptureError, match="complete TRC file"):
        read_trial(torn)
    wrong = tmp_path / "walk.c3d"
    wrong.write_bytes(text)
    with pytest.raises(CaptureError, match=r"a TRC marker file\. Rename it to 'walk\.trc'"):
        read_trial(wrong)
