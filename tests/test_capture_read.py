"""One door for every recording, and every way it can be the wrong file."""

from __future__ import annotations

import hashlib
import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kneestride.capture.c3d_blocks import check_skeleton
from kneestride.capture.ground_forces import read_forces
from kneestride.capture.read import read_trial
from kneestride.capture.sto import read_table, write_table
from kneestride.capture.trc import read_trc, write_trc
from kneestride.errors import CaptureError, KneestrideError
from test_capture_c3d import load, plate, write_c3d
from test_capture_samples import loads, walker, write

COLUMNS = [f"ground_force_{s}_{q}{a}" for s in "rl" for q in "vpm" for a in "xyz"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A marker file, its forces, and a C3D."""
    markers = walker(seconds=1.0)
    write_trc(tmp_path / "walk.trc", markers)
    forces = loads(markers)
    parts = (forces.force, np.nan_to_num(forces.point), forces.torque)
    values = np.concatenate(parts, axis=2).reshape(len(forces.time), -1)
    write_table(tmp_path / "walk_grf.mot", COLUMNS, forces.time, values)
    write_c3d(tmp_path / "plates.c3d", [plate(2)], load())
    return tmp_path


def message(path: Path, forces: Path | str | None = None) -> CaptureError:
    """The error of reading a file; all four parts are there and it survives pickling."""
    with pytest.raises(CaptureError) as caught:
        read_trial(path, forces)
    error = caught.value
    assert error.expected and error.found and error.todo
    assert str(error).startswith(f"Expected {error.expected}. Found {error.found}.")
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
    return error


def test_markers_and_forces_of_two_files(folder: Path) -> None:
    trial = read_trial(folder / "walk.trc", folder / "walk_grf.mot")
    assert trial.name == "walk" and trial.forces is not None
    assert trial.forces.feet == ("r", "l")
    for name, digest in trial.sources.items():
        assert digest == hashlib.sha256((folder / name).read_bytes()).hexdigest()
    assert set(trial.sources) == {"walk.trc", "walk_grf.mot"}


def test_plates_of_the_c3d_unless_told_otherwise(folder: Path) -> None:
    assert read_trial(folder / "plates.c3d").forces is not None
    assert read_trial(folder / "plates.c3d", "none").forces is None
    other = read_trial(folder / "plates.c3d", folder / "walk_grf.mot").forces
    assert other is not None and other.names == ("r", "l")
    from_c3d = read_trial(folder / "walk.trc", folder / "plates.c3d").forces
    assert from_c3d is not None and from_c3d.names == ("plate_1",)


@pytest.mark.parametrize(
    ("name", "real", "words"),
    [
        ("a.trc", "plates.c3d", "a C3D recording. Rename it to 'a.c3d'"),
        ("a.trc", "walk_grf.mot", "an OpenSim .mot/.sto table. Rename it to 'a.mot'"),
        ("a.c3d", "walk.trc", "a TRC marker file. Rename it to 'a.trc'"),
        ("a.csv", "walk.trc", "a TRC marker file. Available: .c3d, .trc, .mot, .sto. Rename"),
    ],
)
def test_wrong_extension_says_what_the_file_is(
    folder: Path, name: str, real: str, words: str
) -> None:
    (folder / name).write_bytes((folder / real).read_bytes())
    assert words in str(message(folder / name))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"PK\x03\x04rest of a workbook", "a ZIP archive or an Excel workbook"),
        (b"<?xml version='1.0'?><OpenSimDocument/>", "an OpenSim XML file"),
        (b"\x00\x01\x02\x03" * 50, "binary data of an unknown kind"),
        (b"version https://git-lfs.github.com/spec/v1", "Git LFS pointer"),
        (b"time,x\n0,1\n", "a table with a time column and no OpenSim header"),
        (b'{"a": 1}', "a JSON file"),
        (b"hello", "plain text that is neither TRC nor an OpenSim table"),
    ],
)
@pytest.mark.parametrize("name", ["a.trc", "a.c3d"])
def test_foreign_content(tmp_path: Path, content: bytes, words: str, name: str) -> None:
    (tmp_path / name).write_bytes(content)
    assert words in message(tmp_path / name).found


def test_missing_empty_directory_and_unreadable(folder: Path) -> None:
    error = message(folder / "Walk.c3d")
    assert error.found == "no such file" and "walk.trc" in error.available
    (folder / "empty.trc").touch()
    assert message(folder / "empty.trc").found == "an empty file (0 bytes)"
    (folder / "dir.trc").mkdir()
    assert "a directory" in message(folder / "dir.trc").found
    assert "no such file" in message(folder / "walk.trc", folder / "no.mot").found


def test_a_file_that_may_not_be_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    error = message(folder / "walk.trc")
    assert error.found == "that it cannot be opened (Permission denied)"
    assert "permissions" in error.todo


def test_roles_exchanged(folder: Path) -> None:
    assert "--forces" in message(folder / "walk_grf.mot").todo
    assert "TRC marker file" in message(folder / "walk.trc", folder / "walk.trc").found
    bare = write_c3d(folder / "bare.c3d", [], load())
    assert "none with analog" in message(folder / "walk.trc", bare).found


def test_forces_from_another_time_base(folder: Path) -> None:
    table = read_table(folder / "walk_grf.mot")
    write_table(folder / "late.mot", COLUMNS, table.time + 500, table.values)
    assert "another time base" in message(folder / "walk.trc", folder / "late.mot").found


def test_nan_only_markers(folder: Path) -> None:
    text = (folder / "walk.trc").read_text().splitlines()
    rows = ["\t".join(line.split("\t")[:2] + ["NaN"] * 60) for line in text[6:]]
    write(folder / "nan.trc", "\n".join([*text[:6], *rows, ""]))
    assert "no named marker is seen" in message(folder / "nan.trc").found


# ------------------------------------------------------------------------- fuzzing ------

MUTATION = st.lists(
    st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=8
)


def damaged(raw: bytes, where: list[tuple[float, int]], cut: float) -> bytes:
    """Some bytes replaced, and the end cut off."""
    out = bytearray(raw)
    for place, value in where:
        out[int(place * len(out))] = value
    return bytes(out[: max(1, int(cut * len(out)))])


FUZZ = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
CUT = st.one_of(st.just(1.0), st.floats(0, 1))


@FUZZ
@given(where=MUTATION, cut=CUT)
def test_law_damaged_trc_gives_a_trial_or_a_message(
    folder: Path, where: list[tuple[float, int]], cut: float
) -> None:
    raw = b"\n".join((folder / "walk.trc").read_bytes().splitlines()[:12]) + b"\n"
    raw = raw.replace(b"\t100\t", b"\t6\t", 1)
    path = folder / "fuzz.trc"
    path.write_bytes(damaged(raw, where, cut))
    try:
        markers = read_trc(path).markers
    except KneestrideError:
        return
    assert markers.positions.shape == (len(markers.time), len(markers.names), 3)
    assert len(markers.time) < 1000


@FUZZ
@given(where=MUTATION, cut=CUT)
def test_law_damaged_table_gives_forces_or_a_message(
    folder: Path, where: list[tuple[float, int]], cut: float
) -> None:
    raw = b"\n".join((folder / "walk_grf.mot").read_bytes().splitlines()[:20]) + b"\n"
    path = folder / "fuzz.mot"
    path.write_bytes(damaged(raw, where, cut))
    try:
        forces = read_forces(path)
    except KneestrideError:
        return
    assert forces.force.shape == (len(forces.time), len(forces.names), 3)
    assert len(forces.time) < 1000


@FUZZ
@given(where=MUTATION, cut=CUT, head=st.booleans())
def test_law_damaged_c3d_skeleton_is_sound_or_a_message(
    folder: Path, where: list[tuple[float, int]], cut: float, head: bool
) -> None:
    raw = (folder / "plates.c3d").read_bytes()
    share = 1500 / len(raw) if head else 1.0
    path = folder / "fuzz.c3d"
    path.write_bytes(damaged(raw, [(p * share, v) for p, v in where], cut))
    try:
        skeleton = check_skeleton(path)
    except KneestrideError:
        return
    assert skeleton.frames * (4 * skeleton.points + skeleton.channels) <= path.stat().st_size


@settings(FUZZ, max_examples=12)
@given(where=MUTATION)
def test_law_damaged_c3d_gives_a_trial_or_a_message(
    folder: Path, where: list[tuple[float, int]]
) -> None:
    raw = (folder / "plates.c3d").read_bytes()
    path = folder / "fuzz.c3d"
    path.write_bytes(damaged(raw, where, 1.0))
    try:
        trial = read_trial(path)
    except KneestrideError:
        return
    assert trial.markers.positions.ndim == 3


@FUZZ
@given(
    raw=st.binary(min_size=1, max_size=600), suffix=st.sampled_from([".trc", ".mot", ".c3d"])
)
def test_law_garbage_is_always_a_message(folder: Path, raw: bytes, suffix: str) -> None:
    path = folder / f"garbage{suffix}"
    path.write_bytes(raw)
    with pytest.raises(KneestrideError):
        read_trial(path)
    with pytest.raises(KneestrideError):
        read_trial(folder / "walk.trc", path)
