"""OpenSim tables and the many names of ground-force columns."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from kneestride.capture.ground_forces import parse_column, read_forces
from kneestride.capture.sto import read_table, write_table
from kneestride.errors import CaptureError
from test_capture_samples import write

NEW = "Coordinates\nversion=1\nnRows=2\nnColumns=2\ninDegrees=yes\n\nS.I. units\n\nendheader\n"
OLD = "name run.mot\ndatacolumns 2\ndatarows 2\nrange 0 0.01\nendheader\n\n"
BODY = "time\tknee\n0\t1.5\n0.01\t-2\n"


@pytest.mark.parametrize(("header", "degrees"), [(NEW, True), (OLD, False)])
def test_both_header_forms(tmp_path: Path, header: str, degrees: bool) -> None:
    table = read_table(write(tmp_path / "a.mot", header + BODY))
    assert table.names == ("knee",)
    assert table.in_degrees is degrees
    np.testing.assert_allclose(table.time, [0, 0.01])
    np.testing.assert_allclose(table.column("knee"), [1.5, -2])
    assert table.header[{True: "nrows", False: "datarows"}[degrees]] == "2"


def test_missing_column_lists_those_there_are(tmp_path: Path) -> None:
    table = read_table(write(tmp_path / "a.sto", NEW + BODY))
    with pytest.raises(CaptureError, match="Available: knee"):
        table.column("hip")


def test_a_stale_row_count_is_said_and_a_torn_line_refused(tmp_path: Path) -> None:
    table = read_table(
        write(tmp_path / "a.mot", OLD.replace("datarows 2", "datarows 99") + BODY)
    )
    assert "says 99 rows, the file holds 2" in table.notes[0]
    with pytest.raises(CaptureError, match="a last line with 1 of 2 columns"):
        read_table(write(tmp_path / "b.mot", OLD + "time\tknee\n0\t1\n0.01"))
    with pytest.raises(CaptureError, match="2 rows where the header says 99"):
        text = OLD.replace("datarows 2", "datarows 99") + BODY.rstrip()
        read_table(write(tmp_path / "c.mot", text))


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("", "nothing after it"),
        ("knee\ttime\n1\t2\n", "'knee\ttime'"),
        ("time\tknee\n", "no row"),
        ("time\tknee\n0\tone\n", "'one'"),
        ("time\tknee\n0\t1\t2\n", "3"),
        ("time\tknee\tknee\n0\t1\t2\n", "knee more than once"),
    ],
)
def test_bad_tables_say_what_is_wrong(tmp_path: Path, body: str, found: str) -> None:
    with pytest.raises(CaptureError) as error:
        read_table(write(tmp_path / "a.sto", NEW + body))
    assert found in error.value.found


def test_law_write_then_read_is_the_identity(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    time, values = 0.83 + np.arange(7) / 150, rng.normal(size=(7, 3)) * 1000
    values[2, 1] = np.nan
    write_table(tmp_path / "a.sto", ["a", "b", "c"], time, values, in_degrees=True)
    table = read_table(tmp_path / "a.sto")
    assert table.names == ("a", "b", "c") and table.in_degrees
    np.testing.assert_allclose(table.values, values, rtol=1e-9)
    np.testing.assert_allclose(table.time, time, rtol=1e-9)


@pytest.mark.parametrize(
    ("name", "meaning"),
    [
        ("R_ground_force_vx", ("R", "force", "x")),
        ("1_ground_force_py", ("1", "point", "y")),
        ("ground_force_1_vz", ("1", "force", "z")),
        ("ground_force_2_mx", ("2", "torque", "x")),
        ("ground_force_r_vy", ("r", "force", "y")),
        ("ground_torque_r_y", ("r", "torque", "y")),
        ("R_ground_torque_z", ("R", "torque", "z")),
        ("ground_force_vx", ("1", "force", "x")),
        ("l_ground_moment_x", ("l", "torque", "x")),
        ("ground_force_right_px", ("right", "point", "x")),
        ("knee_angle_r", None),
        ("pelvis_tx", None),
        ("ground_force_1", None),
        ("time", None),
        ("", None),
    ],
)
def test_column_names(name: str, meaning: tuple[str, str, str] | None) -> None:
    assert parse_column(name) == meaning


STYLES = {
    "R/L": [f"{s}_ground_force_{q}{a}" for s in "RL" for q in "vp" for a in "xyz"]
    + [f"{s}_ground_torque_{a}" for s in "RL" for a in "xyz"],
    "numbers first": [f"{s}_ground_force_{q}{a}" for s in "12" for q in "vp" for a in "xyz"]
    + [f"{s}_ground_torque_{a}" for s in "12" for a in "xyz"],
    "numbers last": [f"ground_force_{s}_{q}{a}" for s in "12" for q in "vpm" for a in "xyz"],
    "ours": [f"ground_force_{s}_{q}{a}" for s in "rl" for q in "vp" for a in "xyz"]
    + [f"ground_torque_{s}_{a}" for s in "rl" for a in "xyz"],
}


@pytest.mark.parametrize("style", STYLES)
def test_every_naming_style_gives_the_same_forces(tmp_path: Path, style: str) -> None:
    names = STYLES[style]
    want = {(p, q, a): 100 * p + 10 * "vpm".index(q) + "xyz".index(a) + 1
            for p in (0, 1) for q in "vpm" for a in "xyz"}  # fmt: skip
    row = []
    for name in names:
        label, quantity, axis = parse_column(name) or ("", "", "")
        plate = {"R": 0, "r": 0, "1": 0}.get(label, 1)
        row.append(want[plate, {"force": "v", "point": "p", "torque": "m"}[quantity], axis])
    values = np.tile(np.array(row, dtype=float), (5, 1))
    write_table(tmp_path / "f.mot", names, 0.5 + np.arange(5) / 1000, values)
    forces = read_forces(tmp_path / "f.mot")
    np.testing.assert_allclose(forces.force[0], [[1, 2, 3], [101, 102, 103]])
    np.testing.assert_allclose(forces.point[0], [[11, 12, 13], [111, 112, 113]])
    np.testing.assert_allclose(forces.torque[0], [[21, 22, 23], [121, 122, 123]])
    assert forces.rate == 1000 and forces.time[0] == 0.5
    sided = style in ("R/L", "ours")
    assert forces.feet == (("r", "l") if sided else (None, None))


def test_the_point_of_no_force_is_undefined(tmp_path: Path) -> None:
    names = STYLES["ours"][:6] + STYLES["ours"][12:15]
    values = np.zeros((3, 9))
    values[1, 1] = 500.0
    write_table(tmp_path / "f.mot", names, np.arange(3) / 100, values)
    forces = read_forces(tmp_path / "f.mot")
    assert np.isnan(forces.point[[0, 2]]).all() and np.isfinite(forces.point[1]).all()


def test_incomplete_or_absent_force_columns(tmp_path: Path) -> None:
    write_table(tmp_path / "f.mot", STYLES["ours"][:5], np.arange(3) / 100, np.ones((3, 5)))
    with pytest.raises(CaptureError, match="no column for z"):
        read_forces(tmp_path / "f.mot")
    write_table(tmp_path / "g.mot", ["knee"], np.arange(3) / 100, np.ones((3, 1)))
    with pytest.raises(CaptureError, match="Available: knee"):
        read_forces(tmp_path / "g.mot")
