"""C3D: four plate types give the force they were loaded with, and a torn file says so."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import ezc3d
import numpy as np
import pytest
from kneestride.capture import c3d, c3d_blocks
from kneestride.capture.c3d import read_c3d
from kneestride.capture.c3d_blocks import check_skeleton
from kneestride.capture.plates import POINT_FORCE, Plate, wrench_in_lab
from kneestride.errors import CaptureError
from kneestride.vocabulary import Array
from scipy.spatial.transform import Rotation

RATE, RATIO, FRAMES = 100.0, 10, 20
CORNERS = np.array([[0.7, 0.5, 0.0], [0.1, 0.5, 0.0], [0.1, 0.1, 0.0], [0.7, 0.1, 0.0]])
"""A 0.6 × 0.4 m plate on a floor with Z up: x to +X, y to +Y by corner order … z down."""

CORNERS_DOWN = CORNERS[[1, 0, 3, 2]]
ORIGINS = {1: [0, 0, 0], 2: [0.01, -0.02, -0.04], 3: [0.12, 0.2, -0.05], 4: [-0.3, 0.2, -0.015]}


@dataclass(frozen=True)
class Load:
    """Reaction on the person, in the laboratory's axes."""

    force: Array
    point: Array
    twist: Array


def load(samples: int = FRAMES * RATIO) -> Load:
    share = np.linspace(0.1, 1.0, samples)[:, None]
    force = share * np.array([60.0, -35.0, 800.0])
    point = np.array([0.25, 0.2, 0.0]) + share * np.array([0.2, 0.15, 0.0])
    return Load(force, point, share * np.array([0.0, 0.0, 4.0]))


def channels(plate: Plate, what: Load) -> Array:
    """What a plate of its type would record of a load: the definition, run backwards."""
    turn = plate.in_lab
    force = what.force @ turn
    lever = (what.point - plate.center) @ turn
    moment = np.cross(lever, force) + what.twist @ turn
    if plate.kind == 1:
        return np.column_stack([force, lever[:, :2], (what.twist @ turn)[:, 2]])
    if plate.kind == 3:
        a, b, depth = plate.origin
        about_sensors = moment + np.cross([0, 0, depth], force)
        # Four vertical sensors, least-norm; twist carried by the lateral pairs.
        rows = np.array([[1, 1, 1, 1], [b, b, -b, -b], [-a, a, a, -a]])
        vertical = np.stack([force[:, 2], *about_sensors[:, :2].T]).T @ np.linalg.pinv(rows).T
        pull = about_sensors[:, 2] / (2 * a)
        return np.column_stack(
            [force[:, 0] / 2, force[:, 0] / 2, force[:, 1] / 2 + pull, force[:, 1] / 2 - pull,
             vertical]
        )  # fmt: skip
    return np.column_stack([force, moment + np.cross(plate.origin, force)])


def plate(kind: int, corners: Array = CORNERS_DOWN) -> Plate:
    return Plate(kind, corners, np.array(ORIGINS[kind], dtype=float))


def add_whole(c3d: ezc3d.c3d, name: str, values: object) -> None:
    """A parameter of whole numbers; ezc3d's own helper turns arrays into reals."""
    array = np.asarray(values).astype(int)
    c3d.add_parameter("FORCE_PLATFORM", name, array.astype(float))
    entry = c3d["parameters"]["FORCE_PLATFORM"][name]
    entry["type"], entry["value"] = ezc3d.ezc3d.INT, array


def apart(function: Callable[..., None], *given: object) -> None:
    """Call a function in a fresh interpreter.

    ezc3d cannot write in a process that has loaded opensim: both are made with SWIG and
    fight over the type of a list of strings.
    """
    process = get_context("spawn").Process(target=function, args=given)
    process.start()
    process.join()
    assert process.exitcode == 0


def write_c3d(
    path: Path, plates: list[Plate], what: Load, *, unit: str = "mm", first: int = 1
) -> Path:
    """A C3D with two markers, one of them unseen now and then, and force plates."""
    apart(_write_c3d, path, plates, what, unit, first)
    return path


def _change(path: Path, name: str, value: object) -> None:
    c3d = ezc3d.c3d(str(path))
    c3d["parameters"]["FORCE_PLATFORM"][name]["value"] = value
    c3d.write(str(path))


def _write_c3d(path: Path, plates: list[Plate], what: Load, unit: str, first: int) -> None:
    length = {"mm": 1e3, "m": 1.0}[unit]
    c3d = ezc3d.c3d()
    c3d["header"]["points"]["first_frame"] = first - 1
    c3d["parameters"]["POINT"]["UNITS"]["value"] = [unit]
    c3d["parameters"]["POINT"]["RATE"]["value"] = [RATE]
    c3d["parameters"]["POINT"]["LABELS"]["value"] = ["RASI", "LASI", "LHipAngles"]
    c3d.add_parameter("POINT", "ANGLES", ["LHipAngles"])
    points = np.ones((4, 3, FRAMES))
    points[:3] = np.arange(3)[:, None, None] + 1 + 0.1 * np.arange(FRAMES)
    points[:3, 1, 5:9] = 0.0
    points[:3] *= length
    c3d["data"]["points"] = points
    scales = {1: [1, 1, 1, length, length, length], 3: [1] * 8}
    recorded, numbers, units, matrices = [], np.zeros((8, len(plates))), [], []
    for k, p in enumerate(plates):
        values = channels(p, what) * scales.get(p.kind, [1, 1, 1, length, length, length])
        matrix = np.eye(6)
        if p.kind == 4:
            matrix = np.diag([500.0, 500, 1000, 8e5, 2.5e5, 4e5]) + 0.3 * np.ones((6, 6))
            values = values @ np.linalg.inv(matrix).T
        numbers[: values.shape[1], k] = len(units) + 1 + np.arange(values.shape[1])
        moment = "Nmm" if unit == "mm" else "Nm"
        units += (
            ["N"] * 8
            if p.kind == 3
            else ["N"] * 3 + ([unit, unit, moment] if p.kind == 1 else [moment] * 3)
        )
        matrices.append(matrix)
        recorded.append(values)
    if plates:
        c3d["parameters"]["ANALOG"]["RATE"]["value"] = [RATE * RATIO]
        c3d["parameters"]["ANALOG"]["LABELS"]["value"] = [f"ch{k}" for k in range(len(units))]
        c3d["parameters"]["ANALOG"]["UNITS"]["value"] = units
        c3d["data"]["analogs"] = np.hstack(recorded).T[None]
        add_whole(c3d, "USED", [len(plates)])
        add_whole(c3d, "TYPE", [p.kind for p in plates])
        c3d.add_parameter("FORCE_PLATFORM", "ZERO", [1, 0])
        corners = np.stack([p.corners.T for p in plates], axis=2) * length
        c3d.add_parameter("FORCE_PLATFORM", "CORNERS", corners)
        origins = np.stack([p.origin for p in plates], axis=1) * length
        c3d.add_parameter("FORCE_PLATFORM", "ORIGIN", origins)
        add_whole(c3d, "CHANNEL", numbers)
        c3d.add_parameter("FORCE_PLATFORM", "CAL_MATRIX", np.stack(matrices, axis=2))
    c3d.add_parameter("EVENT", "USED", [1])
    c3d.add_parameter("EVENT", "LABELS", ["Foot Strike"])
    c3d.add_parameter("EVENT", "CONTEXTS", ["Right"])
    c3d.add_parameter("EVENT", "TIMES", np.array([[0.0], [(first - 1) / RATE + 0.05]]))
    c3d.write(str(path))


# ------------------------------------------------------------------------ plates -------


@pytest.mark.parametrize("kind", [1, 2, 3, 4])
def test_known_load_comes_back_from_every_plate_type(kind: int) -> None:
    what = load()
    wrench = wrench_in_lab(plate(kind), channels(plate(kind), what))
    np.testing.assert_allclose(wrench.force, what.force, atol=1e-9)
    np.testing.assert_allclose(wrench.point, what.point, atol=1e-12)
    np.testing.assert_allclose(wrench.torque, what.twist, atol=1e-9)


def test_moment_at_origin_is_lever_cross_force_plus_twist() -> None:
    what = load()
    wrench = wrench_in_lab(plate(2), channels(plate(2), what))
    np.testing.assert_allclose(
        wrench.moment_at_origin, np.cross(what.point, what.force) + what.twist, atol=1e-9
    )


@pytest.mark.parametrize("kind", [1, 2, 3, 4])
def test_law_turning_plate_and_load_together_turns_the_result(kind: int) -> None:
    what, turn = load(), Rotation.from_euler("xyz", [0.3, -1.1, 2.0]).as_matrix()
    move = np.array([2.0, -1.0, 0.5])
    moved = Plate(kind, CORNERS_DOWN @ turn.T + move, plate(kind).origin)
    there = wrench_in_lab(moved, channels(plate(kind), what))
    np.testing.assert_allclose(there.force, what.force @ turn.T, atol=1e-9)
    np.testing.assert_allclose(there.point, what.point @ turn.T + move, atol=1e-9)


def test_an_unloaded_plate_has_no_point_and_no_twist() -> None:
    what = load()
    weak = Load(what.force * 0.9 * POINT_FORCE / what.force[-1, 2], what.point, what.twist * 0)
    wrench = wrench_in_lab(plate(2), channels(plate(2), weak))
    assert np.isnan(wrench.point).all() and not wrench.torque.any()
    assert np.isfinite(wrench.moment_at_origin).all()


# ------------------------------------------------------------------------- files -------


@pytest.fixture(scope="module")
def four_plates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("c3d") / "four.c3d"
    return write_c3d(path, [plate(k) for k in (1, 2, 3, 4)], load(), first=11)


def test_file_with_plates_of_all_types(four_plates: Path) -> None:
    trial, what = read_c3d(four_plates), load()
    assert trial.forces is not None
    for k in range(4):
        np.testing.assert_allclose(trial.forces.force[:, k], what.force, rtol=1e-4, atol=0.02)
        loaded = what.force[:, 2] > 100
        np.testing.assert_allclose(trial.forces.point[loaded, k], what.point[loaded], atol=5e-5)
        np.testing.assert_allclose(
            trial.forces.torque[loaded, k], what.twist[loaded], atol=5e-3
        )
    assert trial.forces.rate == RATE * RATIO
    np.testing.assert_allclose(trial.forces.corners, np.stack([CORNERS_DOWN] * 4), atol=1e-6)


def test_plates_agree_with_ezc3ds_own_module(four_plates: Path) -> None:
    """Types 2 to 4; its type 1 keeps the moment's sign the other way round."""
    trial = read_c3d(four_plates)
    theirs = ezc3d.c3d(str(four_plates), extract_forceplat_data=True)["data"]["platform"]
    assert trial.forces is not None
    loaded = load().force[:, 2] > 100
    for k in (1, 2, 3):
        np.testing.assert_allclose(
            trial.forces.force[:, k], theirs[k]["force"].T, rtol=1e-5, atol=1e-3
        )
        np.testing.assert_allclose(
            trial.forces.point[loaded, k],
            theirs[k]["center_of_pressure"].T[loaded] / 1e3,
            atol=1e-6,
        )


def test_markers_clock_and_events(four_plates: Path) -> None:
    trial = read_c3d(four_plates)
    assert trial.markers.names == ("RASI", "LASI")
    np.testing.assert_allclose(trial.markers.time, np.arange(FRAMES) / RATE)
    np.testing.assert_allclose(trial.markers.positions[0, 0], [1, 2, 3], rtol=1e-6)
    unseen = np.isnan(trial.markers.positions[:, 1, 0])
    assert np.flatnonzero(unseen).tolist() == [5, 6, 7, 8]
    event = trial.events[0]
    assert (event.label, event.context) == ("Foot Strike", "Right")
    assert event.time == pytest.approx(0.05, abs=1e-6)
    assert any("1 computed channels" in n for n in trial.notes)
    assert trial.analog is not None and trial.analog.values.shape == (FRAMES * RATIO, 26)


def test_metres_and_newton_metres(tmp_path: Path) -> None:
    trial = read_c3d(write_c3d(tmp_path / "m.c3d", [plate(2)], load(), unit="m"))
    assert trial.forces is not None
    np.testing.assert_allclose(trial.forces.point[-1, 0], load().point[-1], atol=1e-5)
    np.testing.assert_allclose(trial.markers.positions[0, 0], [1, 2, 3], rtol=1e-6)


def test_a_plate_stuck_at_its_limit_is_left_out(tmp_path: Path) -> None:
    still, what = load(), load()
    still.force[:], still.point[:] = (0.0, 0.0, 4992.0), (0.4, 0.3, 0.0)
    path = write_c3d(tmp_path / "a.c3d", [plate(2)], still)
    trial = read_c3d(path)
    assert trial.forces is None and "stands still at 4992 N" in trial.notes[-1]
    still.force[:, 2] += np.sin(np.arange(len(what.force)))
    assert read_c3d(write_c3d(path, [plate(2)], still)).forces is not None


def test_file_without_plates_has_no_forces(tmp_path: Path) -> None:
    assert read_c3d(write_c3d(tmp_path / "a.c3d", [], load())).forces is None


def test_unknown_plate_type_is_refused_unless_forces_are_not_wanted(tmp_path: Path) -> None:
    path = write_c3d(tmp_path / "a.c3d", [plate(2)], load())
    apart(_change, path, "TYPE", [7])
    with pytest.raises(CaptureError, match=r"Found type 7\. Available: 1, 2, 3, 4\."):
        read_c3d(path)
    assert read_c3d(path, plates=False).forces is None


def test_origin_written_upside_down_is_reversed_and_said(tmp_path: Path) -> None:
    right = plate(2)
    path = write_c3d(tmp_path / "a.c3d", [right], load())
    apart(_change, path, "ORIGIN", -1e3 * np.reshape(right.origin, (3, 1)))
    trial = read_c3d(path)
    assert trial.forces is not None
    np.testing.assert_allclose(trial.forces.point[-1, 0], load().point[-1], atol=5e-5)
    assert any("points downwards in the file: reversed" in n for n in trial.notes)


# -------------------------------------------------------------------- torn files -------


def test_skeleton_of_an_intact_file(four_plates: Path) -> None:
    skeleton = check_skeleton(four_plates)
    assert (skeleton.points, skeleton.frames, skeleton.first_frame) == (3, FRAMES, 11)
    assert (skeleton.channels, skeleton.subframes, skeleton.rate) == (26, RATIO, RATE)


def test_every_truncation_is_noticed(four_plates: Path, tmp_path: Path) -> None:
    """ezc3d itself would read a truncated file without a word."""
    raw = four_plates.read_bytes()
    torn = tmp_path / "torn.c3d"
    for size in [1, 100, 511, 513, 600, 1024, *range(1500, len(raw) - 600, 700)]:
        torn.write_bytes(raw[:size])
        with pytest.raises(CaptureError) as error:
            check_skeleton(torn)
        assert "torn.c3d" in error.value.expected


def test_truncation_says_how_many_frames_are_left(four_plates: Path, tmp_path: Path) -> None:
    raw = four_plates.read_bytes()
    torn = tmp_path / "torn.c3d"
    torn.write_bytes(raw[: len(raw) - 5000])
    with pytest.raises(CaptureError, match=r"20 frames .* cut off after \d+ of them"):
        read_c3d(torn)


def test_header_that_claims_more_frames_than_the_file_holds(
    four_plates: Path, tmp_path: Path
) -> None:
    raw = bytearray(four_plates.read_bytes())
    raw[8:10] = (60000).to_bytes(2, "little")
    path = tmp_path / "long.c3d"
    path.write_bytes(raw)
    with pytest.raises(CaptureError, match="59990 frames"):
        read_c3d(path)


def test_a_reader_that_crashes_or_hangs_is_an_error_message(
    four_plates: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = tmp_path / "child.py"
    monkeypatch.setattr("kneestride.capture.c3d._CHILD", child)
    child.write_text("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n")
    with pytest.raises(CaptureError, match="stopped with a crash"):
        read_c3d(four_plates)
    child.write_text("import sys\nsys.stderr.write('no such block\\n')\nsys.exit(3)\n")
    with pytest.raises(CaptureError, match="status 3: no such block"):
        read_c3d(four_plates)
    child.write_text("import time\ntime.sleep(30)\n")
    monkeypatch.setattr("kneestride.capture.c3d._SECONDS", 0.3)
    with pytest.raises(CaptureError, match="did not end within"):
        read_c3d(four_plates)


@pytest.mark.parametrize("part", [1, 6, FRAMES])
def test_a_file_read_in_parts_is_the_same_recording(
    four_plates: Path, part: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = read_c3d(four_plates)
    monkeypatch.setattr(c3d, "LONG", 0)
    monkeypatch.setattr(c3d, "PART", part)
    same = read_c3d(four_plates)
    assert whole.forces is not None and whole.analog is not None
    assert same.forces is not None and same.analog is not None
    assert len(same.markers.time) == FRAMES
    np.testing.assert_array_equal(same.markers.positions, whole.markers.positions)
    np.testing.assert_array_equal(same.forces.force, whole.forces.force)
    np.testing.assert_array_equal(same.analog.values, whole.analog.values)
    assert (same.events, same.notes, same.markers.names) == (
        whole.events, whole.notes, whole.markers.names,
    )  # fmt: skip


def test_a_count_that_overflowed_is_told_by_the_file(
    four_plates: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = read_c3d(four_plates)
    content = bytearray(four_plates.read_bytes())
    first = int.from_bytes(content[6:8], "little")
    most = first + FRAMES // 2 - 1
    content[8:10] = most.to_bytes(2, "little")
    path = tmp_path / "long.c3d"
    path.write_bytes(content)
    assert check_skeleton(path).frames == FRAMES // 2
    monkeypatch.setattr(c3d_blocks, "_MOST", most)
    monkeypatch.setattr(c3d, "LONG", 0)
    monkeypatch.setattr(c3d, "PART", 8)
    assert check_skeleton(path).frames == FRAMES
    np.testing.assert_array_equal(read_c3d(path).markers.positions, whole.markers.positions)


def test_reading_does_not_bring_ezc3d_into_this_process() -> None:
    import subprocess

    code = "import sys, kneestride.capture.read; print('ezc3d' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
