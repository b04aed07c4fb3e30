"""Bad input through the command line: status 2, one clear message, nothing left behind.

Every case starts from a real recording that is fine and spoils one thing, so that what
is refused is the thing spoilt.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from kneestride import cli

pytestmark = pytest.mark.real


@dataclass
class Call:
    """A call of `kneestride analyse` that would be fine, in a folder of its own."""

    space: Path
    trial: Path
    static: Path | None
    forces: Path | None
    mass: str = "62.6"
    height: str = "1.72"
    out: Path = field(default_factory=Path)
    more: tuple[str, ...] = ()

    def words(self) -> list[str]:
        words = ["analyse", str(self.trial), "--mass", self.mass, "--height", self.height]
        words += ["--out", str(self.out)]
        for option, path in (("--static", self.static), ("--forces", self.forces)):
            words += [option, str(path)] if path else []
        return [*words, *self.more]


@pytest.fixture
def walk(shared_data: Path, tmp_path: Path) -> Call:
    """A walking trial with its static trial and forces, copied for spoiling."""
    space = tmp_path / "input"
    space.mkdir()
    source = shared_data / "opencap04"
    trial, static, forces = (
        Path(shutil.copy(source / name, space))
        for name in ("walking1.trc", "static1.trc", "walking1_grf.mot")
    )
    return Call(space, trial, static, forces, out=tmp_path / "out" / "results")


@pytest.fixture
def run(shared_data: Path, tmp_path: Path) -> Call:
    """A running trial in C3D, with its plates inside."""
    space = tmp_path / "input"
    space.mkdir()
    source = shared_data / "rbds"
    trial = Path(shutil.copy(source / "RBDS002runT25.c3d", space))
    static = Path(shutil.copy(source / "RBDS002static.c3d", space))
    return Call(space, trial, static, None, "80", "1.83", tmp_path / "out" / "results")


@pytest.fixture
def refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[[Call], str]:
    """Run a call that has to be refused; return what it said after `kneestride: `."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setenv("TMPDIR", str(scratch))
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "out").mkdir()

    def check(call: Call) -> str:
        before = everything(tmp_path)
        status = cli.main(call.words())
        said = capfd.readouterr()
        assert status == 2, said.err
        assert said.out == ""
        assert everything(tmp_path) == before
        [line] = said.err.strip().splitlines()
        assert re.match(r"kneestride: Expected .+\. Found .+\. .+", line), line
        assert "Traceback" not in line
        return line.removeprefix("kneestride: ")

    return check


def everything(folder: Path) -> dict[str, int]:
    """Every file and folder below a folder with its size."""
    return {
        str(path.relative_to(folder)): path.stat().st_size if path.is_file() else -1
        for path in sorted(folder.rglob("*"))
    }


Refused = Callable[[Call], str]


def rewrite(path: Path, change: Callable[[list[str]], list[str]]) -> None:
    path.write_text("".join(change(path.read_text().splitlines(keepends=True))))


def scaled_markers(path: Path, factor: float) -> None:
    """Multiply every coordinate of a TRC file, its unit left as it was."""

    def change(lines: list[str]) -> list[str]:
        out = lines[:5]
        for line in lines[5:]:
            cells = line.rstrip("\n").split("\t")
            numbers = [f"{factor * float(c):.6g}" if c.strip() else c for c in cells[2:]]
            out.append("\t".join([*cells[:2], *numbers]) + "\n")
        return out

    rewrite(path, change)


# --- files that cannot be read ------------------------------------------------------------


@pytest.mark.parametrize("role", ["trial", "static", "forces"])
def test_a_file_that_is_not_there(role: str, walk: Call, refused: Refused) -> None:
    setattr(walk, role, walk.space / f"nobody{getattr(walk, role).suffix}")
    assert "nobody" in refused(walk)


@pytest.mark.parametrize("role", ["trial", "static", "forces"])
def test_an_empty_file(role: str, walk: Call, refused: Refused) -> None:
    getattr(walk, role).write_bytes(b"")
    assert getattr(walk, role).name in refused(walk)


@pytest.mark.parametrize("role", ["trial", "static", "forces"])
def test_a_file_of_garbage(role: str, walk: Call, refused: Refused) -> None:
    noise = np.random.default_rng(1).integers(0, 256, 5000, dtype=np.uint8).tobytes()
    getattr(walk, role).write_bytes(noise)
    assert getattr(walk, role).name in refused(walk)


@pytest.mark.parametrize("role", ["trial", "static", "forces"])
def test_a_folder_in_place_of_a_file(role: str, walk: Call, refused: Refused) -> None:
    folder = walk.space / f"folder{getattr(walk, role).suffix}"
    folder.mkdir()
    setattr(walk, role, folder)
    assert "folder" in refused(walk)


@pytest.mark.parametrize("share", [0.02, 0.5])
@pytest.mark.parametrize("role", ["trial", "forces"])
def test_a_truncated_table(role: str, share: float, walk: Call, refused: Refused) -> None:
    path: Path = getattr(walk, role)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    assert path.name in refused(walk)


@pytest.mark.parametrize("share", [0.001, 0.3, 0.97])
def test_a_truncated_c3d(share: float, run: Call, refused: Refused) -> None:
    content = run.trial.read_bytes()
    run.trial.write_bytes(content[: int(share * len(content))])
    assert run.trial.name in refused(run)


@pytest.mark.parametrize("seed", range(6))
def test_a_c3d_with_corrupted_parameters(seed: int, run: Call, refused: Refused) -> None:
    """Some of these end a reader that trusts them; the process must outlive all of them."""
    assert run.static is not None
    content = bytearray(run.static.read_bytes())
    rng = np.random.default_rng(seed)
    # Twenty bytes behind the section's own header, or the whole section.
    spoilt = rng.integers(516, 3072, 20) if seed % 2 else np.arange(512, 4096)
    for at in spoilt:
        content[at] = rng.integers(0, 256)
    run.static.write_bytes(bytes(content))
    assert run.static.name in refused(run)


@pytest.mark.parametrize(("role", "ending"), [("trial", ".c3d"), ("static", ".mot")])
def test_a_wrong_extension(role: str, ending: str, walk: Call, refused: Refused) -> None:
    path: Path = getattr(walk, role)
    setattr(walk, role, path.rename(path.with_suffix(ending)))
    assert path.stem in refused(walk)


def test_an_unknown_extension(walk: Call, refused: Refused) -> None:
    walk.trial = walk.trial.rename(walk.trial.with_suffix(".xlsx"))
    assert ".xlsx" in refused(walk)


def test_markers_given_as_forces(walk: Call, refused: Refused) -> None:
    walk.forces = walk.static
    assert "ground forces" in refused(walk)


def test_forces_given_as_markers(walk: Call, refused: Refused) -> None:
    assert walk.forces is not None
    walk.trial = walk.forces
    assert "markers" in refused(walk)


# --- figures that cannot be -----------------------------------------------------------------


def test_markers_that_were_never_seen(walk: Call, refused: Refused) -> None:
    def change(lines: list[str]) -> list[str]:
        out = lines[:5]
        for line in lines[5:]:
            cells = line.rstrip("\n").split("\t")
            out.append("\t".join([*cells[:2], *["NaN"] * len(cells[2:])]) + "\n")
        return out

    rewrite(walk.trial, change)
    assert "marker" in refused(walk)


@pytest.mark.parametrize("factor", [1000.0, 10.0, 0.1, 0.001])
def test_markers_in_another_unit(factor: float, walk: Call, refused: Refused) -> None:
    scaled_markers(walk.trial, factor)
    said = refused(walk)
    assert " m" in said or "unit" in said


@pytest.mark.parametrize("factor", [1000.0, 10.0, 0.1, 0.001])
def test_a_static_trial_in_another_unit(factor: float, walk: Call, refused: Refused) -> None:
    assert walk.static is not None
    scaled_markers(walk.static, factor)
    refused(walk)


@pytest.mark.parametrize("factor", [1000.0, 10.0, 0.1, 0.001])
def test_forces_in_another_unit(factor: float, walk: Call, refused: Refused) -> None:
    assert walk.forces is not None

    def change(lines: list[str]) -> list[str]:
        end = next(i for i, line in enumerate(lines) if line.strip() == "endheader")
        names = lines[end + 1].split()
        out = lines[: end + 2]
        for line in lines[end + 2 :]:
            cells = line.split()
            for i, name in enumerate(names):
                if re.search(r"_v[xyz]$|_[xyz]$", name):
                    cells[i] = f"{factor * float(cells[i]):.8g}"
            out.append("\t".join(cells) + "\n")
        return out

    rewrite(walk.forces, change)
    assert "force" in refused(walk)


def test_a_static_trial_of_another_person(
    walk: Call, shared_data: Path, refused: Refused
) -> None:
    assert walk.static is not None
    shutil.copy(shared_data / "gc5" / "static.trc", walk.static)
    assert "static" in refused(walk)


def test_a_static_trial_of_another_runner(
    run: Call, shared_data: Path, refused: Refused
) -> None:
    """The same laboratory and marker names: only the distances tell."""
    assert run.static is not None
    shutil.copy(shared_data / "rbds" / "RBDS012static.c3d", run.static)
    assert "static" in refused(run)


def test_forces_of_another_time(walk: Call, refused: Refused) -> None:
    assert walk.forces is not None

    def change(lines: list[str]) -> list[str]:
        end = next(i for i, line in enumerate(lines) if line.strip() == "endheader")
        out = lines[: end + 2]
        for line in lines[end + 2 :]:
            cells = line.split()
            out.append("\t".join([f"{float(cells[0]) + 500:.6f}", *cells[1:]]) + "\n")
        return out

    rewrite(walk.forces, change)
    assert "time" in refused(walk)


def test_forces_of_another_trial(walk: Call, shared_data: Path, refused: Refused) -> None:
    """Another laboratory's plates: the feet stand elsewhere when they press."""
    assert walk.forces is not None
    shutil.copy(shared_data / "bmc_run" / "run_grf.mot", walk.forces)
    refused(walk)


def test_a_missing_pelvis(walk: Call, refused: Refused) -> None:
    for path in (walk.trial, walk.static):
        assert path is not None
        text = path.read_text()
        for label in ("r.ASIS", "L.ASIS", "r.PSIS", "L.PSIS"):
            text = re.sub(
                rf"(?i){re.escape(label)}(_study)?\b", f"x{len(text) % 7}{label[-4]}", text
            )
        path.write_text(text)
    assert "pelvis" in refused(walk)


def test_names_nobody_knows(walk: Call, refused: Refused) -> None:
    lines = walk.trial.read_text().splitlines(keepends=True)
    labels = [c for c in lines[3].rstrip("\n").split("\t") if c]
    lines[3] = "\t".join([*labels[:2], *(f"zz{i}\t\t" for i in range(len(labels) - 2))]) + "\n"
    walk.trial.write_text("".join(lines))
    assert "marker" in refused(walk)


# --- figures of the call ----------------------------------------------------------------------


@pytest.mark.parametrize("mass", ["7", "700", "nan", "-62.6"])
def test_a_mass_no_runner_has(mass: str, walk: Call, refused: Refused) -> None:
    walk.mass = mass
    assert "body mass between 20 and 250 kg" in refused(walk)


@pytest.mark.parametrize("height", ["172", "0.172", "17.2"])
def test_a_height_no_runner_has(height: str, walk: Call, refused: Refused) -> None:
    walk.height = height
    assert "height" in refused(walk)


@pytest.mark.parametrize(
    "more",
    [
        ("--treadmill-speed", "300"),
        ("--set", "cutof_hz=6"),
        ("--set", "cutoff_hz=fast"),
        ("--set", "cutoff_hz"),
        ("--sex", "x"),
    ],
)
def test_an_option_out_of_range(more: tuple[str, ...], walk: Call, refused: Refused) -> None:
    walk.more = more
    refused(walk)


@pytest.mark.parametrize("option", ["--model", "--markers"])
def test_a_model_or_marker_set_that_is_not_there(
    option: str, walk: Call, refused: Refused
) -> None:
    walk.more = (option, str(walk.space / "nobody.osim"))
    refused(walk)


@pytest.mark.parametrize(("option", "name"), [("--model", "m.osim"), ("--markers", "m.toml")])
def test_a_model_or_marker_set_of_garbage(
    option: str, name: str, walk: Call, refused: Refused
) -> None:
    (walk.space / name).write_bytes(bytes(range(256)) * 20)
    walk.more = (option, str(walk.space / name))
    refused(walk)


# --- where results would go -------------------------------------------------------------------


def test_an_output_folder_below_a_file(walk: Call, refused: Refused) -> None:
    walk.out = walk.trial / "results"
    refused(walk)


@pytest.mark.skipif(sys.platform != "linux", reason="needs a folder that no one can write")
def test_an_output_folder_that_cannot_be_written(walk: Call, refused: Refused) -> None:
    # Not even root may make folders there.
    walk.out = Path("/proc/kneestride-results")
    refused(walk)


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere"
)
def test_an_output_folder_of_someone_else(walk: Call, refused: Refused) -> None:
    walk.out.parent.mkdir(exist_ok=True)
    walk.out.parent.chmod(0o500)
    try:
        refused(walk)
    finally:
        walk.out.parent.chmod(0o700)


@pytest.mark.parametrize("more", [(), ("--overwrite",)])
def test_a_folder_of_something_else_is_never_replaced(
    more: tuple[str, ...], walk: Call, refused: Refused
) -> None:
    walk.out.mkdir(parents=True)
    (walk.out / "thesis.txt").write_text("years of work")
    walk.more = more
    refused(walk)
    assert (walk.out / "thesis.txt").read_text() == "years of work"


def test_results_that_exist_stay_without_overwrite(walk: Call, refused: Refused) -> None:
    walk.out.mkdir(parents=True)
    (walk.out / "summary.json").write_text("{}")
    assert "--overwrite" in refused(walk)


@pytest.mark.parametrize("missing", ["--mass", "--height", "--out"])
def test_a_call_without_what_it_needs(
    missing: str, walk: Call, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    words = walk.words()
    at = words.index(missing)
    before = everything(tmp_path)
    assert cli.main(words[:at] + words[at + 2 :]) == 2
    assert missing in capfd.readouterr().err
    assert everything(tmp_path) == before
